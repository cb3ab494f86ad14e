//! VSX conversions between number formats, and between numbers and their parts (Power ISA Book I, section 7.6.1).

use super::Vsx;
use super::arithmetic::Shape;
use crate::cpu::{Models, SERVER, Unit, V207, V300, V310};
use crate::op::Op;
use crate::row::{Row, fact::*};

/// A conversion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Convert {
    /// Doubleword 0 of XB to doubleword 0 of XT; doubleword 1 becomes 0. A word stands in the high half of the source
    /// and in both halves of the result, a halfword at the right end.
    Scalar(Number, Number),
    /// Each element of XB, elements being as wide as the wider format (at least a word); within an element as above.
    Vector(Number, Number),
    /// Word 0 of XB to double format without arithmetic.
    WidenBits,
    /// Doubleword 0 of XB to single format without arithmetic, into both words.
    NarrowBits,
    /// The bfloat16 at the right end of each word of XB to single format without arithmetic.
    WidenBfloats,
    /// Sign and fraction of the first operand, exponent from the second.
    InsertExponent(Shape),
    /// The biased exponent of XB.
    ExtractExponent(Shape),
    /// The significand of XB with its implicit bit.
    ExtractSignificand(Shape),
}

/// A number format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Number {
    /// Half precision.
    Half,
    /// bfloat16.
    Bfloat,
    /// Single precision.
    Single,
    /// Single precision in double format.
    SingleAsDouble,
    /// Double precision.
    Double,
    /// Signed word.
    SignedWord,
    /// Unsigned word.
    UnsignedWord,
    /// Signed doubleword.
    SignedDouble,
    /// Unsigned doubleword.
    UnsignedDouble,
}

const fn row(
    name: &'static str,
    picture: &'static str,
    asm: &'static str,
    models: Models,
    facts: u32,
    op: Convert,
) -> Row {
    Row::new(name, picture, asm, models, Unit::Vsx, facts, Op::Vsx(Vsx::Convert(op)))
}

/// Scalar conversion.
const fn scalar(name: &'static str, picture: &'static str, models: Models, from: Number, to: Number) -> Row {
    row(name, picture, "=XT,XB", models, FPSCR | PROGRAM, Convert::Scalar(from, to))
}

/// Vector conversion.
const fn vector(name: &'static str, picture: &'static str, models: Models, from: Number, to: Number) -> Row {
    row(name, picture, "=XT,XB", models, FPSCR | PROGRAM, Convert::Vector(from, to))
}

use Convert::{ExtractExponent, ExtractSignificand, InsertExponent};
use Number::{Bfloat, Double, Half, Single, SingleAsDouble};
use Number::{SignedDouble as Sd, SignedWord as Sw, UnsignedDouble as Ud, UnsignedWord as Uw};
use Shape::{ScalarDouble as SDP, VectorDouble as VDP, VectorSingle as VSP};

/// The rows.
#[rustfmt::skip]
pub const ROWS: &[Row] = &[
    scalar("xsrsp",      "60 T /5 B 281 BX TX",  V207, Double, SingleAsDouble),
    scalar("xscvdpsp",   "60 T /5 B 265 BX TX",  SERVER, Double, Single),
    scalar("xscvspdp",   "60 T /5 B 329 BX TX",  SERVER, Single, Double),
    scalar("xscvdphp",   "60 T 17:5 B 347 BX TX", V300, Double, Half),
    scalar("xscvhpdp",   "60 T 16:5 B 347 BX TX", V300, Half, Double),
    scalar("xscvdpsxds", "60 T /5 B 344 BX TX",  SERVER, Double, Sd),
    scalar("xscvdpsxws", "60 T /5 B 88 BX TX",   SERVER, Double, Sw),
    scalar("xscvdpuxds", "60 T /5 B 328 BX TX",  SERVER, Double, Ud),
    scalar("xscvdpuxws", "60 T /5 B 72 BX TX",   SERVER, Double, Uw),
    scalar("xscvsxddp",  "60 T /5 B 376 BX TX",  SERVER, Sd, Double),
    scalar("xscvsxdsp",  "60 T /5 B 312 BX TX",  V207, Sd, SingleAsDouble),
    scalar("xscvuxddp",  "60 T /5 B 360 BX TX",  SERVER, Ud, Double),
    scalar("xscvuxdsp",  "60 T /5 B 296 BX TX",  V207, Ud, SingleAsDouble),
    vector("xvcvdpsp",   "60 T /5 B 393 BX TX",  SERVER, Double, Single),
    vector("xvcvspdp",   "60 T /5 B 457 BX TX",  SERVER, Single, Double),
    vector("xvcvhpsp",   "60 T 24:5 B 475 BX TX", V300, Half, Single),
    vector("xvcvsphp",   "60 T 25:5 B 475 BX TX", V300, Single, Half),
    vector("xvcvspbf16", "60 T 17:5 B 475 BX TX", V310, Single, Bfloat),
    row("xvcvbf16spn", "60 T 16:5 B 475 BX TX", "=XT,XB",    V310, 0, Convert::WidenBfloats),
    vector("xvcvdpsxds", "60 T /5 B 472 BX TX",  SERVER, Double, Sd),
    vector("xvcvdpsxws", "60 T /5 B 216 BX TX",  SERVER, Double, Sw),
    vector("xvcvdpuxds", "60 T /5 B 456 BX TX",  SERVER, Double, Ud),
    vector("xvcvdpuxws", "60 T /5 B 200 BX TX",  SERVER, Double, Uw),
    vector("xvcvspsxds", "60 T /5 B 408 BX TX",  SERVER, Single, Sd),
    vector("xvcvspsxws", "60 T /5 B 152 BX TX",  SERVER, Single, Sw),
    vector("xvcvspuxds", "60 T /5 B 392 BX TX",  SERVER, Single, Ud),
    vector("xvcvspuxws", "60 T /5 B 136 BX TX",  SERVER, Single, Uw),
    vector("xvcvsxddp",  "60 T /5 B 504 BX TX",  SERVER, Sd, Double),
    vector("xvcvsxdsp",  "60 T /5 B 440 BX TX",  SERVER, Sd, Single),
    vector("xvcvuxddp",  "60 T /5 B 488 BX TX",  SERVER, Ud, Double),
    vector("xvcvuxdsp",  "60 T /5 B 424 BX TX",  SERVER, Ud, Single),
    vector("xvcvsxwdp",  "60 T /5 B 248 BX TX",  SERVER, Sw, Double),
    vector("xvcvsxwsp",  "60 T /5 B 184 BX TX",  SERVER, Sw, Single),
    vector("xvcvuxwdp",  "60 T /5 B 232 BX TX",  SERVER, Uw, Double),
    vector("xvcvuxwsp",  "60 T /5 B 168 BX TX",  SERVER, Uw, Single),
    row("xscvdpspn", "60 T /5 B 267 BX TX",   "=XT,XB",    V207, 0, Convert::NarrowBits),
    row("xscvspdpn", "60 T /5 B 331 BX TX",   "=XT,XB",    V207, 0, Convert::WidenBits),
    row("xsiexpdp",  "60 T RA RB 918 TX",     "=XT,RA,RB", V300, 0, InsertExponent(SDP)),
    row("xviexpsp",  "60 T A B 216 AX BX TX", "=XT,XA,XB", V300, 0, InsertExponent(VSP)),
    row("xviexpdp",  "60 T A B 248 AX BX TX", "=XT,XA,XB", V300, 0, InsertExponent(VDP)),
    row("xsxexpdp",  "60 RT 0:5 B 347 BX /1", "=RT,XB",    V300, 0, ExtractExponent(SDP)),
    row("xvxexpsp",  "60 T 8:5 B 475 BX TX",  "=XT,XB",    V300, 0, ExtractExponent(VSP)),
    row("xvxexpdp",  "60 T 0:5 B 475 BX TX",  "=XT,XB",    V300, 0, ExtractExponent(VDP)),
    row("xsxsigdp",  "60 RT 1:5 B 347 BX /1", "=RT,XB",    V300, 0, ExtractSignificand(SDP)),
    row("xvxsigsp",  "60 T 9:5 B 475 BX TX",  "=XT,XB",    V300, 0, ExtractSignificand(VSP)),
    row("xvxsigdp",  "60 T 1:5 B 475 BX TX",  "=XT,XB",    V300, 0, ExtractSignificand(VDP)),
];
