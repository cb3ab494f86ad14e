//! Decimal floating point (Power ISA Book I, chapter 5).
//!
//! DFP Long fills an FPR, DFP Extended an even/odd pair of them, the high half in the even one: an odd number is an
//! invalid form. Every instruction but the first and last conversions comes in both formats, the one for DFP Extended
//! under primary opcode 63 with `q` behind its name.

use crate::cpu::{Models, SERVER, Unit, V300, V310};
use crate::op::Op;
use crate::row::{Row, fact::*};

/// An instruction on decimal numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dfp {
    /// What it does.
    pub operation: Decimal,
    /// The wider of its formats is DFP Extended instead of DFP Long.
    pub quad: bool,
}

/// What is done with decimal numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decimal {
    /// FRA + FRB.
    Add,
    /// FRA - FRB.
    Subtract,
    /// FRA x FRB.
    Multiply,
    /// FRA / FRB.
    Divide,
    /// Compare FRA and FRB into a CR field and `FPSCR[FPCC]`.
    Compare {
        /// A quiet NaN is an invalid operation.
        ordered: bool,
    },
    /// Whether FRA is of a class in the mask DCM, into a CR field and `FPSCR[FPCC]`.
    TestClass,
    /// Whether FRA is of a group in the mask DGM, into a CR field and `FPSCR[FPCC]`.
    TestGroup,
    /// Compare the exponents of FRA and FRB into a CR field and `FPSCR[FPCC]`.
    TestExponent,
    /// Compare a number of digits with the significant digits of FRB into a CR field and `FPSCR[FPCC]`.
    TestSignificance {
        /// The number is UIM6 instead of the last six bits of FRA.
        immediate: bool,
    },
    /// FRB with another exponent, rounded as RMC says.
    Quantize {
        /// The exponent is TE instead of that of FRA.
        immediate: bool,
    },
    /// FRB rounded, as RMC says, to as many digits as the last six bits of FRA say.
    Reround,
    /// FRB rounded to an integral value as R and RMC say.
    RoundToIntegral {
        /// Inexact results are reported.
        inexact: bool,
    },
    /// FRB to the next wider format.
    Lengthen,
    /// FRB rounded to the next narrower format.
    Shorten,
    /// A signed doubleword to decimal.
    FromDoubleword,
    /// Decimal to a signed doubleword.
    ToDoubleword,
    /// A signed quadword in VRB to decimal.
    FromQuadword,
    /// Decimal to a signed quadword in VRT.
    ToQuadword,
    /// The digits of FRB to packed decimal; SP says what sign it gets.
    ToPacked,
    /// Packed decimal to a number with exponent 0; S1=1: it has a sign.
    FromPacked,
    /// The biased exponent of FRB as an integer.
    ExtractExponent,
    /// FRB with the biased exponent in FRA.
    InsertExponent,
    /// The digits of FRA shifted by SH16.
    Shift {
        /// Toward the more significant end.
        left: bool,
    },
}

const fn row(
    name: &'static str,
    picture: &'static str,
    asm: &'static str,
    models: Models,
    facts: u32,
    quad: bool,
    operation: Decimal,
) -> Row {
    Row::new(name, picture, asm, models, Unit::Fp, facts, Op::Dfp(Dfp { operation, quad }))
}

/// Decimal arithmetic may raise an enabled exception.
const FP: u32 = FPSCR | PROGRAM;
/// Whether a row is for DFP Extended.
const Q: bool = true;

use Decimal::*;

/// The rows.
#[rustfmt::skip]
pub const ROWS: &[Row] = &[
    row("dadd",     "59 FRT FRA FRB 2 Rc",           "=FRT,FRA,FRB",       SERVER, FP, !Q, Add),
    row("daddq",    "63 FRT FRA FRB 2 Rc",           "=FRTp,FRAp,FRBp",    SERVER, FP, Q, Add),
    row("dsub",     "59 FRT FRA FRB 514 Rc",         "=FRT,FRA,FRB",       SERVER, FP, !Q, Subtract),
    row("dsubq",    "63 FRT FRA FRB 514 Rc",         "=FRTp,FRAp,FRBp",    SERVER, FP, Q, Subtract),
    row("dmul",     "59 FRT FRA FRB 34 Rc",          "=FRT,FRA,FRB",       SERVER, FP, !Q, Multiply),
    row("dmulq",    "63 FRT FRA FRB 34 Rc",          "=FRTp,FRAp,FRBp",    SERVER, FP, Q, Multiply),
    row("ddiv",     "59 FRT FRA FRB 546 Rc",         "=FRT,FRA,FRB",       SERVER, FP, !Q, Divide),
    row("ddivq",    "63 FRT FRA FRB 546 Rc",         "=FRTp,FRAp,FRBp",    SERVER, FP, Q, Divide),

    row("dcmpo",    "59 BF /2 FRA FRB 130 /1",       "=BF,FRA,FRB",        SERVER, FP, !Q, Compare { ordered: true }),
    row("dcmpoq",   "63 BF /2 FRA FRB 130 /1",       "=BF,FRAp,FRBp",      SERVER, FP, Q, Compare { ordered: true }),
    row("dcmpu",    "59 BF /2 FRA FRB 642 /1",       "=BF,FRA,FRB",        SERVER, FP, !Q, Compare { ordered: false }),
    row("dcmpuq",   "63 BF /2 FRA FRB 642 /1",       "=BF,FRAp,FRBp",      SERVER, FP, Q, Compare { ordered: false }),
    row("dtstdc",   "59 BF /2 FRA DCM 194 /1",       "=BF,FRA,DCM",        SERVER, FPSCR, !Q, TestClass),
    row("dtstdcq",  "63 BF /2 FRA DCM 194 /1",       "=BF,FRAp,DCM",       SERVER, FPSCR, Q, TestClass),
    row("dtstdg",   "59 BF /2 FRA DGM 226 /1",       "=BF,FRA,DGM",        SERVER, FPSCR, !Q, TestGroup),
    row("dtstdgq",  "63 BF /2 FRA DGM 226 /1",       "=BF,FRAp,DGM",       SERVER, FPSCR, Q, TestGroup),
    row("dtstex",   "59 BF /2 FRA FRB 162 /1",       "=BF,FRA,FRB",        SERVER, FPSCR, !Q, TestExponent),
    row("dtstexq",  "63 BF /2 FRA FRB 162 /1",       "=BF,FRAp,FRBp",      SERVER, FPSCR, Q, TestExponent),
    row("dtstsf",   "59 BF /2 FRA FRB 674 /1",       "=BF,FRA,FRB",        SERVER, FPSCR, !Q, TestSignificance { immediate: false }),
    row("dtstsfq",  "63 BF /2 FRA FRB 674 /1",       "=BF,FRA,FRBp",       SERVER, FPSCR, Q, TestSignificance { immediate: false }),
    row("dtstsfi",  "59 BF /1 UIM6 FRB 675 /1",      "=BF,UIM6,FRB",       V300, FPSCR, !Q, TestSignificance { immediate: true }),
    row("dtstsfiq", "63 BF /1 UIM6 FRB 675 /1",      "=BF,UIM6,FRBp",      V300, FPSCR, Q, TestSignificance { immediate: true }),

    row("dquai",    "59 FRT TE FRB RMC 67 Rc",       "TE5,=FRT,FRB,RMC",   SERVER, FP, !Q, Quantize { immediate: true }),
    row("dquaiq",   "63 FRT TE FRB RMC 67 Rc",       "TE5,=FRTp,FRBp,RMC", SERVER, FP, Q, Quantize { immediate: true }),
    row("dqua",     "59 FRT FRA FRB RMC 3 Rc",       "=FRT,FRA,FRB,RMC",   SERVER, FP, !Q, Quantize { immediate: false }),
    row("dquaq",    "63 FRT FRA FRB RMC 3 Rc",       "=FRTp,FRAp,FRBp,RMC", SERVER, FP, Q, Quantize { immediate: false }),
    row("drrnd",    "59 FRT FRA FRB RMC 35 Rc",      "=FRT,FRA,FRB,RMC",   SERVER, FP, !Q, Reround),
    row("drrndq",   "63 FRT FRA FRB RMC 35 Rc",      "=FRTp,FRA,FRBp,RMC", SERVER, FP, Q, Reround),
    row("drintx",   "59 FRT /4 R FRB RMC 99 Rc",     "R,=FRT,FRB,RMC",     SERVER, FP, !Q, RoundToIntegral { inexact: true }),
    row("drintxq",  "63 FRT /4 R FRB RMC 99 Rc",     "R,=FRTp,FRBp,RMC",   SERVER, FP, Q, RoundToIntegral { inexact: true }),
    row("drintn",   "59 FRT /4 R FRB RMC 227 Rc",    "R,=FRT,FRB,RMC",     SERVER, FP, !Q, RoundToIntegral { inexact: false }),
    row("drintnq",  "63 FRT /4 R FRB RMC 227 Rc",    "R,=FRTp,FRBp,RMC",   SERVER, FP, Q, RoundToIntegral { inexact: false }),

    row("dctdp",    "59 FRT /5 FRB 258 Rc",          "=FRT,FRB",           SERVER, FP, !Q, Lengthen),
    row("dctqpq",   "63 FRT /5 FRB 258 Rc",          "=FRTp,FRB",          SERVER, FP, Q, Lengthen),
    row("drsp",     "59 FRT /5 FRB 770 Rc",          "=FRT,FRB",           SERVER, FP, !Q, Shorten),
    row("drdpq",    "63 FRT /5 FRB 770 Rc",          "=FRTp,FRBp",         SERVER, FP, Q, Shorten),
    row("dcffix",   "59 FRT /5 FRB 802 Rc",          "=FRT,FRB",           SERVER, FP, !Q, FromDoubleword),
    row("dcffixq",  "63 FRT /5 FRB 802 Rc",          "=FRTp,FRB",          SERVER, FP, Q, FromDoubleword),
    row("dctfix",   "59 FRT /5 FRB 290 Rc",          "=FRT,FRB",           SERVER, FP, !Q, ToDoubleword),
    row("dctfixq",  "63 FRT /5 FRB 290 Rc",          "=FRT,FRBp",          SERVER, FP, Q, ToDoubleword),
    row("dcffixqq", "63 FRT 0:5 VRB 994 /1",         "=FRTp,VRB",          V310, FP, Q, FromQuadword),
    row("dctfixqq", "63 VRT 1:5 FRB 994 /1",         "=VRT,FRBp",          V310, FP, Q, ToQuadword),

    row("ddedpd",   "59 FRT SP /3 FRB 322 Rc",       "SP,=FRT,FRB",        SERVER, 0, !Q, ToPacked),
    row("ddedpdq",  "63 FRT SP /3 FRB 322 Rc",       "SP,=FRTp,FRBp",      SERVER, 0, Q, ToPacked),
    row("denbcd",   "59 FRT S1 /4 FRB 834 Rc",       "S1,=FRT,FRB",        SERVER, FP, !Q, FromPacked),
    row("denbcdq",  "63 FRT S1 /4 FRB 834 Rc",       "S1,=FRTp,FRBp",      SERVER, FP, Q, FromPacked),
    row("dxex",     "59 FRT /5 FRB 354 Rc",          "=FRT,FRB",           SERVER, 0, !Q, ExtractExponent),
    row("dxexq",    "63 FRT /5 FRB 354 Rc",          "=FRT,FRBp",          SERVER, 0, Q, ExtractExponent),
    row("diex",     "59 FRT FRA FRB 866 Rc",         "=FRT,FRA,FRB",       SERVER, 0, !Q, InsertExponent),
    row("diexq",    "63 FRT FRA FRB 866 Rc",         "=FRTp,FRA,FRBp",     SERVER, 0, Q, InsertExponent),
    row("dscli",    "59 FRT FRA SH16 66 Rc",         "=FRT,FRA,SH16",      SERVER, 0, !Q, Shift { left: true }),
    row("dscliq",   "63 FRT FRA SH16 66 Rc",         "=FRTp,FRAp,SH16",    SERVER, 0, Q, Shift { left: true }),
    row("dscri",    "59 FRT FRA SH16 98 Rc",         "=FRT,FRA,SH16",      SERVER, 0, !Q, Shift { left: false }),
    row("dscriq",   "63 FRT FRA SH16 98 Rc",         "=FRTp,FRAp,SH16",    SERVER, 0, Q, Shift { left: false }),
];
