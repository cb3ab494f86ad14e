//! VSX quad precision (Power ISA 3.0B and 3.1 Book I, section 7.6.3): arithmetic, comparisons and conversions of binary128.
//!
//! Numbers fill vector registers, but the unit is VSX. What ends on `[o]` in the ISA has a field RO that chooses
//! rounding to odd instead of `FPSCR[RN]`, so that the result can be rounded once more to a narrower format.

use super::Vsx;
use super::compare::Relation;
use crate::cpu::{Models, Unit, V300, V310};
use crate::op::Op;
use crate::row::{Row, fact::*};

/// An instruction on quad-precision numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quad {
    /// VRA + VRB.
    Add,
    /// VRA - VRB.
    Sub,
    /// VRA x VRB.
    Mul,
    /// VRA / VRB.
    Div,
    /// Square root of VRB.
    Sqrt,
    /// VRA x VRB + VRT, rounded once.
    Fused {
        /// Subtract VRT.
        subtract: bool,
        /// Negate the rounded result unless it is a NaN.
        negate: bool,
    },
    /// VRB rounded to an integer as R and RMC say; EX=1 reports inexact results.
    RoundToInteger,
    /// VRB rounded to the 64 bits of double-extended precision as R and RMC say.
    RoundToExtended,
    /// VRB without its sign.
    Absolute,
    /// VRB with the sign set.
    NegativeAbsolute,
    /// VRB with the sign inverted.
    Negate,
    /// VRB with the sign of VRA.
    CopySign,
    /// Compare VRA and VRB into a CR field and `FPSCR[FPCC]`.
    Order {
        /// Quiet NaNs are invalid, too.
        ordered: bool,
    },
    /// All ones where the relation holds between VRA and VRB, else zeros.
    Mask(Relation),
    /// VRA if it is greater than VRB, else VRB.
    Maximum,
    /// VRA if it is less than VRB, else VRB.
    Minimum,
    /// Compare the exponents of VRA and VRB into a CR field and `FPSCR[FPCC]`.
    Exponents,
    /// Whether VRB is of a class in the mask DCMX, into a CR field and `FPSCR[FPCC]`.
    ClassTest,
    /// The double in doubleword 0 of VRB to quad precision.
    FromDouble,
    /// VRB to a double in doubleword 0; doubleword 1 becomes 0.
    ToDouble,
    /// The integer in doubleword 0 of VRB, or in all of it, to quad precision.
    FromInteger {
        /// Width: 64 or 128.
        bits: u32,
        /// Two's complement.
        signed: bool,
    },
    /// VRB, rounded toward zero, to an integer of 128 bits, or to one extended to doubleword 0; then doubleword 1
    /// becomes 0.
    ToInteger {
        /// Width: 32, 64 or 128.
        bits: u32,
        /// Two's complement.
        signed: bool,
    },
    /// Sign and fraction of VRA, exponent from the low bits of doubleword 0 of VRB.
    InsertExponent,
    /// The biased exponent of VRB to doubleword 0; doubleword 1 becomes 0.
    ExtractExponent,
    /// The significand of VRB with its implicit bit.
    ExtractSignificand,
}

const fn row(name: &'static str, picture: &'static str, asm: &'static str, facts: u32, op: Quad) -> Row {
    of(V300, name, picture, asm, facts, op)
}

const fn of(models: Models, name: &'static str, picture: &'static str, asm: &'static str, facts: u32, op: Quad) -> Row {
    Row::new(name, picture, asm, models, Unit::Vsx, facts, Op::Vsx(Vsx::Quad(op)))
}

use Quad::{Absolute, Add, CopySign, Div, Fused, Mul, Negate, NegativeAbsolute, Sqrt, Sub};
use Quad::{ClassTest, Exponents, Mask, Maximum, Minimum, Order, RoundToExtended, RoundToInteger};
use Quad::{ExtractExponent, ExtractSignificand, FromDouble, FromInteger, InsertExponent, ToDouble, ToInteger};
use Relation::{Equal, Greater, GreaterEqual};

/// Reads and writes FPSCR and may interrupt.
const STATUS: u32 = FPSCR | PROGRAM;

/// The rows.
#[rustfmt::skip]
pub const ROWS: &[Row] = &[
    row("xsaddqp",    "63 VRT VRA VRB 4 RO",      "=VRT,VRA,VRB",   STATUS, Add),
    row("xssubqp",    "63 VRT VRA VRB 516 RO",    "=VRT,VRA,VRB",   STATUS, Sub),
    row("xsmulqp",    "63 VRT VRA VRB 36 RO",     "=VRT,VRA,VRB",   STATUS, Mul),
    row("xsdivqp",    "63 VRT VRA VRB 548 RO",    "=VRT,VRA,VRB",   STATUS, Div),
    row("xssqrtqp",   "63 VRT 27:5 VRB 804 RO",   "=VRT,VRB",       STATUS, Sqrt),
    row("xsmaddqp",   "63 VRT VRA VRB 388 RO",    "+VRT,VRA,VRB",   STATUS, Fused { subtract: false, negate: false }),
    row("xsmsubqp",   "63 VRT VRA VRB 420 RO",    "+VRT,VRA,VRB",   STATUS, Fused { subtract: true, negate: false }),
    row("xsnmaddqp",  "63 VRT VRA VRB 452 RO",    "+VRT,VRA,VRB",   STATUS, Fused { subtract: false, negate: true }),
    row("xsnmsubqp",  "63 VRT VRA VRB 484 RO",    "+VRT,VRA,VRB",   STATUS, Fused { subtract: true, negate: true }),
    row("xsrqpi",     "63 VRT /4 R VRB RMC 5 EX", "R,=VRT,VRB,RMC", STATUS, RoundToInteger),
    row("xsrqpxp",    "63 VRT /4 R VRB RMC 37 /1", "R,=VRT,VRB,RMC", STATUS, RoundToExtended),
    row("xsabsqp",    "63 VRT 0:5 VRB 804 /1",    "=VRT,VRB",       0,      Absolute),
    row("xsnabsqp",   "63 VRT 8:5 VRB 804 /1",    "=VRT,VRB",       0,      NegativeAbsolute),
    row("xsnegqp",    "63 VRT 16:5 VRB 804 /1",   "=VRT,VRB",       0,      Negate),
    row("xscpsgnqp",  "63 VRT VRA VRB 100 /1",    "=VRT,VRA,VRB",   0,      CopySign),
    row("xscmpoqp",   "63 BF /2 VRA VRB 132 /1",  "=BF,VRA,VRB",    STATUS, Order { ordered: true }),
    row("xscmpuqp",   "63 BF /2 VRA VRB 644 /1",  "=BF,VRA,VRB",    STATUS, Order { ordered: false }),
    row("xscmpexpqp", "63 BF /2 VRA VRB 164 /1",  "=BF,VRA,VRB",    FPSCR,  Exponents),
    row("xststdcqp",  "63 BF DCMX VRB 708 /1",    "=BF,VRB,DCMX",   FPSCR,  ClassTest),
    row("xscvdpqp",   "63 VRT 22:5 VRB 836 /1",   "=VRT,VRB",       STATUS, FromDouble),
    row("xscvqpdp",   "63 VRT 20:5 VRB 836 RO",   "=VRT,VRB",       STATUS, ToDouble),
    row("xscvsdqp",   "63 VRT 10:5 VRB 836 /1",   "=VRT,VRB",       STATUS, FromInteger { bits: 64, signed: true }),
    row("xscvudqp",   "63 VRT 2:5 VRB 836 /1",    "=VRT,VRB",       STATUS, FromInteger { bits: 64, signed: false }),
    row("xscvqpsdz",  "63 VRT 25:5 VRB 836 /1",   "=VRT,VRB",       STATUS, ToInteger { bits: 64, signed: true }),
    row("xscvqpswz",  "63 VRT 9:5 VRB 836 /1",    "=VRT,VRB",       STATUS, ToInteger { bits: 32, signed: true }),
    row("xscvqpudz",  "63 VRT 17:5 VRB 836 /1",   "=VRT,VRB",       STATUS, ToInteger { bits: 64, signed: false }),
    row("xscvqpuwz",  "63 VRT 1:5 VRB 836 /1",    "=VRT,VRB",       STATUS, ToInteger { bits: 32, signed: false }),
    row("xsiexpqp",   "63 VRT VRA VRB 868 /1",    "=VRT,VRA,VRB",   0,      InsertExponent),
    row("xsxexpqp",   "63 VRT 2:5 VRB 804 /1",    "=VRT,VRB",       0,      ExtractExponent),
    row("xsxsigqp",   "63 VRT 18:5 VRB 804 /1",   "=VRT,VRB",       0,      ExtractSignificand),
    of(V310, "xscmpeqqp", "63 VRT VRA VRB 68 /1",   "=VRT,VRA,VRB", STATUS, Mask(Equal)),
    of(V310, "xscmpgeqp", "63 VRT VRA VRB 196 /1",  "=VRT,VRA,VRB", STATUS, Mask(GreaterEqual)),
    of(V310, "xscmpgtqp", "63 VRT VRA VRB 228 /1",  "=VRT,VRA,VRB", STATUS, Mask(Greater)),
    of(V310, "xsmaxcqp",  "63 VRT VRA VRB 676 /1",  "=VRT,VRA,VRB", STATUS, Maximum),
    of(V310, "xsmincqp",  "63 VRT VRA VRB 740 /1",  "=VRT,VRA,VRB", STATUS, Minimum),
    of(V310, "xscvsqqp",  "63 VRT 11:5 VRB 836 /1", "=VRT,VRB",     STATUS, FromInteger { bits: 128, signed: true }),
    of(V310, "xscvuqqp",  "63 VRT 3:5 VRB 836 /1",  "=VRT,VRB",     STATUS, FromInteger { bits: 128, signed: false }),
    of(V310, "xscvqpsqz", "63 VRT 8:5 VRB 836 /1",  "=VRT,VRB",     STATUS, ToInteger { bits: 128, signed: true }),
    of(V310, "xscvqpuqz", "63 VRT 0:5 VRB 836 /1",  "=VRT,VRB",     STATUS, ToInteger { bits: 128, signed: false }),
];
