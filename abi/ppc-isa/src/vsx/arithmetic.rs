//! VSX floating-point arithmetic (Power ISA Book I, section 7.6.1): the same operations in four shapes.

use super::Vsx;
use crate::cpu::{Models, SERVER, Unit, V207, V300};
use crate::op::Op;
use crate::row::{Row, fact::*};

/// An arithmetic instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arithmetic {
    /// What is computed.
    pub operation: Operation,
    /// On which numbers.
    pub shape: Shape,
}

/// The numbers that an instruction works on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Doubleword 0, rounded to double precision; doubleword 1 of the result is 0.
    ScalarDouble,
    /// Doubleword 0 in double format, rounded to single precision; doubleword 1 of the result is 0.
    ScalarSingle,
    /// Two doublewords.
    VectorDouble,
    /// Four words.
    VectorSingle,
}

/// What is computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// XA + XB.
    Add,
    /// XA - XB.
    Sub,
    /// XA x XB.
    Mul,
    /// XA / XB.
    Div,
    /// Square root of XB.
    Sqrt,
    /// Estimate of 1 / XB.
    Reciprocal,
    /// Estimate of 1 / square root of XB.
    ReciprocalSqrt,
    /// Multiply and add, rounded once.
    Fused(Fused),
    /// XB rounded to an integer, as a floating-point number.
    RoundToInteger(Rounding),
    /// The larger of XA and XB.
    Maximum(Nan),
    /// The smaller of XA and XB.
    Minimum(Nan),
    /// XB without its sign.
    Absolute,
    /// XB with the sign set.
    NegativeAbsolute,
    /// XB with the sign inverted.
    Negate,
    /// XB with the sign of XA.
    CopySign,
}

/// A multiplication and an addition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fused {
    /// Subtract the addend.
    pub subtract: bool,
    /// Negate the result unless it is a NaN.
    pub negate: bool,
    /// XT is the addend and XB a factor (A form); else the other way round (M form). XA is a factor.
    pub adds_target: bool,
}

/// How to round to an integer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rounding {
    /// To nearest, ties away from zero.
    NearestAway,
    /// By `FPSCR[RN]`, reporting inexact results.
    Current,
    /// Toward minus infinity.
    Down,
    /// Toward plus infinity.
    Up,
    /// Toward zero.
    Zero,
}

/// What maximum and minimum make of NaNs and zeros.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nan {
    /// A quiet NaN loses against a number; +0 is larger than -0 (IEEE 754-2008 maxNum).
    Ieee,
    /// `a > b ? a : b` of the C language.
    C,
    /// A NaN wins, XA first; +0 is larger than -0 (Java's Math.max).
    Java,
}

const fn row(
    name: &'static str,
    picture: &'static str,
    asm: &'static str,
    models: Models,
    shape: Shape,
    operation: Operation,
) -> Row {
    use Operation::{Absolute, CopySign, Negate, NegativeAbsolute};
    let facts = match operation {
        Absolute | NegativeAbsolute | Negate | CopySign => 0,
        _ => FPSCR | PROGRAM,
    };
    Row::new(name, picture, asm, models, Unit::Vsx, facts, Op::Vsx(Vsx::Arithmetic(Arithmetic { operation, shape })))
}

/// Two operands.
const fn two(name: &'static str, picture: &'static str, models: Models, shape: Shape, operation: Operation) -> Row {
    row(name, picture, "=XT,XA,XB", models, shape, operation)
}

/// One operand.
const fn one(name: &'static str, picture: &'static str, models: Models, shape: Shape, operation: Operation) -> Row {
    row(name, picture, "=XT,XB", models, shape, operation)
}

/// Three operands.
const fn fused(name: &'static str, picture: &'static str, models: Models, shape: Shape, fused: Fused) -> Row {
    row(name, picture, "+XT,XA,XB", models, shape, Operation::Fused(fused))
}

const MADD_A: Fused = Fused { subtract: false, negate: false, adds_target: true };
const MADD_M: Fused = Fused { adds_target: false, ..MADD_A };
const MSUB_A: Fused = Fused { subtract: true, ..MADD_A };
const MSUB_M: Fused = Fused { subtract: true, ..MADD_M };
const NMADD_A: Fused = Fused { negate: true, ..MADD_A };
const NMADD_M: Fused = Fused { negate: true, ..MADD_M };
const NMSUB_A: Fused = Fused { negate: true, ..MSUB_A };
const NMSUB_M: Fused = Fused { negate: true, ..MSUB_M };

use Nan::{C, Ieee, Java};
use Operation::{Absolute, Add, CopySign, Div, Maximum, Minimum, Mul, Negate, NegativeAbsolute};
use Operation::{Reciprocal, ReciprocalSqrt, RoundToInteger, Sqrt, Sub};
use Rounding::{Current, Down, NearestAway, Up, Zero};
use Shape::{ScalarDouble as SDP, ScalarSingle as SSP, VectorDouble as VDP, VectorSingle as VSP};

/// The rows.
#[rustfmt::skip]
pub const ROWS: &[Row] = &[
    two("xsaddsp",       "60 T A B 0 AX BX TX",      V207, SSP, Add),
    two("xsadddp",       "60 T A B 32 AX BX TX",     SERVER, SDP, Add),
    two("xvaddsp",       "60 T A B 64 AX BX TX",     SERVER, VSP, Add),
    two("xvadddp",       "60 T A B 96 AX BX TX",     SERVER, VDP, Add),
    two("xssubsp",       "60 T A B 8 AX BX TX",      V207, SSP, Sub),
    two("xssubdp",       "60 T A B 40 AX BX TX",     SERVER, SDP, Sub),
    two("xvsubsp",       "60 T A B 72 AX BX TX",     SERVER, VSP, Sub),
    two("xvsubdp",       "60 T A B 104 AX BX TX",    SERVER, VDP, Sub),
    two("xsmulsp",       "60 T A B 16 AX BX TX",     V207, SSP, Mul),
    two("xsmuldp",       "60 T A B 48 AX BX TX",     SERVER, SDP, Mul),
    two("xvmulsp",       "60 T A B 80 AX BX TX",     SERVER, VSP, Mul),
    two("xvmuldp",       "60 T A B 112 AX BX TX",    SERVER, VDP, Mul),
    two("xsdivsp",       "60 T A B 24 AX BX TX",     V207, SSP, Div),
    two("xsdivdp",       "60 T A B 56 AX BX TX",     SERVER, SDP, Div),
    two("xvdivsp",       "60 T A B 88 AX BX TX",     SERVER, VSP, Div),
    two("xvdivdp",       "60 T A B 120 AX BX TX",    SERVER, VDP, Div),
    one("xssqrtsp",      "60 T /5 B 11 BX TX",       V207, SSP, Sqrt),
    one("xssqrtdp",      "60 T /5 B 75 BX TX",       SERVER, SDP, Sqrt),
    one("xvsqrtsp",      "60 T /5 B 139 BX TX",      SERVER, VSP, Sqrt),
    one("xvsqrtdp",      "60 T /5 B 203 BX TX",      SERVER, VDP, Sqrt),
    one("xsresp",        "60 T /5 B 26 BX TX",       V207, SSP, Reciprocal),
    one("xsredp",        "60 T /5 B 90 BX TX",       SERVER, SDP, Reciprocal),
    one("xvresp",        "60 T /5 B 154 BX TX",      SERVER, VSP, Reciprocal),
    one("xvredp",        "60 T /5 B 218 BX TX",      SERVER, VDP, Reciprocal),
    one("xsrsqrtesp",    "60 T /5 B 10 BX TX",       V207, SSP, ReciprocalSqrt),
    one("xsrsqrtedp",    "60 T /5 B 74 BX TX",       SERVER, SDP, ReciprocalSqrt),
    one("xvrsqrtesp",    "60 T /5 B 138 BX TX",      SERVER, VSP, ReciprocalSqrt),
    one("xvrsqrtedp",    "60 T /5 B 202 BX TX",      SERVER, VDP, ReciprocalSqrt),
    fused("xsmaddasp",   "60 T A B 1 AX BX TX",      V207, SSP, MADD_A),
    fused("xsmaddadp",   "60 T A B 33 AX BX TX",     SERVER, SDP, MADD_A),
    fused("xvmaddasp",   "60 T A B 65 AX BX TX",     SERVER, VSP, MADD_A),
    fused("xvmaddadp",   "60 T A B 97 AX BX TX",     SERVER, VDP, MADD_A),
    fused("xsmaddmsp",   "60 T A B 9 AX BX TX",      V207, SSP, MADD_M),
    fused("xsmaddmdp",   "60 T A B 41 AX BX TX",     SERVER, SDP, MADD_M),
    fused("xvmaddmsp",   "60 T A B 73 AX BX TX",     SERVER, VSP, MADD_M),
    fused("xvmaddmdp",   "60 T A B 105 AX BX TX",    SERVER, VDP, MADD_M),
    fused("xsmsubasp",   "60 T A B 17 AX BX TX",     V207, SSP, MSUB_A),
    fused("xsmsubadp",   "60 T A B 49 AX BX TX",     SERVER, SDP, MSUB_A),
    fused("xvmsubasp",   "60 T A B 81 AX BX TX",     SERVER, VSP, MSUB_A),
    fused("xvmsubadp",   "60 T A B 113 AX BX TX",    SERVER, VDP, MSUB_A),
    fused("xsmsubmsp",   "60 T A B 25 AX BX TX",     V207, SSP, MSUB_M),
    fused("xsmsubmdp",   "60 T A B 57 AX BX TX",     SERVER, SDP, MSUB_M),
    fused("xvmsubmsp",   "60 T A B 89 AX BX TX",     SERVER, VSP, MSUB_M),
    fused("xvmsubmdp",   "60 T A B 121 AX BX TX",    SERVER, VDP, MSUB_M),
    fused("xsnmaddasp",  "60 T A B 129 AX BX TX",    V207, SSP, NMADD_A),
    fused("xsnmaddadp",  "60 T A B 161 AX BX TX",    SERVER, SDP, NMADD_A),
    fused("xvnmaddasp",  "60 T A B 193 AX BX TX",    SERVER, VSP, NMADD_A),
    fused("xvnmaddadp",  "60 T A B 225 AX BX TX",    SERVER, VDP, NMADD_A),
    fused("xsnmaddmsp",  "60 T A B 137 AX BX TX",    V207, SSP, NMADD_M),
    fused("xsnmaddmdp",  "60 T A B 169 AX BX TX",    SERVER, SDP, NMADD_M),
    fused("xvnmaddmsp",  "60 T A B 201 AX BX TX",    SERVER, VSP, NMADD_M),
    fused("xvnmaddmdp",  "60 T A B 233 AX BX TX",    SERVER, VDP, NMADD_M),
    fused("xsnmsubasp",  "60 T A B 145 AX BX TX",    V207, SSP, NMSUB_A),
    fused("xsnmsubadp",  "60 T A B 177 AX BX TX",    SERVER, SDP, NMSUB_A),
    fused("xvnmsubasp",  "60 T A B 209 AX BX TX",    SERVER, VSP, NMSUB_A),
    fused("xvnmsubadp",  "60 T A B 241 AX BX TX",    SERVER, VDP, NMSUB_A),
    fused("xsnmsubmsp",  "60 T A B 153 AX BX TX",    V207, SSP, NMSUB_M),
    fused("xsnmsubmdp",  "60 T A B 185 AX BX TX",    SERVER, SDP, NMSUB_M),
    fused("xvnmsubmsp",  "60 T A B 217 AX BX TX",    SERVER, VSP, NMSUB_M),
    fused("xvnmsubmdp",  "60 T A B 249 AX BX TX",    SERVER, VDP, NMSUB_M),
    one("xsrdpi",        "60 T /5 B 73 BX TX",       SERVER, SDP, RoundToInteger(NearestAway)),
    one("xvrspi",        "60 T /5 B 137 BX TX",      SERVER, VSP, RoundToInteger(NearestAway)),
    one("xvrdpi",        "60 T /5 B 201 BX TX",      SERVER, VDP, RoundToInteger(NearestAway)),
    one("xsrdpic",       "60 T /5 B 107 BX TX",      SERVER, SDP, RoundToInteger(Current)),
    one("xvrspic",       "60 T /5 B 171 BX TX",      SERVER, VSP, RoundToInteger(Current)),
    one("xvrdpic",       "60 T /5 B 235 BX TX",      SERVER, VDP, RoundToInteger(Current)),
    one("xsrdpim",       "60 T /5 B 121 BX TX",      SERVER, SDP, RoundToInteger(Down)),
    one("xvrspim",       "60 T /5 B 185 BX TX",      SERVER, VSP, RoundToInteger(Down)),
    one("xvrdpim",       "60 T /5 B 249 BX TX",      SERVER, VDP, RoundToInteger(Down)),
    one("xsrdpip",       "60 T /5 B 105 BX TX",      SERVER, SDP, RoundToInteger(Up)),
    one("xvrspip",       "60 T /5 B 169 BX TX",      SERVER, VSP, RoundToInteger(Up)),
    one("xvrdpip",       "60 T /5 B 233 BX TX",      SERVER, VDP, RoundToInteger(Up)),
    one("xsrdpiz",       "60 T /5 B 89 BX TX",       SERVER, SDP, RoundToInteger(Zero)),
    one("xvrspiz",       "60 T /5 B 153 BX TX",      SERVER, VSP, RoundToInteger(Zero)),
    one("xvrdpiz",       "60 T /5 B 217 BX TX",      SERVER, VDP, RoundToInteger(Zero)),
    two("xsmaxdp",       "60 T A B 160 AX BX TX",    SERVER, SDP, Maximum(Ieee)),
    two("xvmaxsp",       "60 T A B 192 AX BX TX",    SERVER, VSP, Maximum(Ieee)),
    two("xvmaxdp",       "60 T A B 224 AX BX TX",    SERVER, VDP, Maximum(Ieee)),
    two("xsmindp",       "60 T A B 168 AX BX TX",    SERVER, SDP, Minimum(Ieee)),
    two("xvminsp",       "60 T A B 200 AX BX TX",    SERVER, VSP, Minimum(Ieee)),
    two("xvmindp",       "60 T A B 232 AX BX TX",    SERVER, VDP, Minimum(Ieee)),
    two("xsmaxcdp",      "60 T A B 128 AX BX TX",    V300, SDP, Maximum(C)),
    two("xsmincdp",      "60 T A B 136 AX BX TX",    V300, SDP, Minimum(C)),
    two("xsmaxjdp",      "60 T A B 144 AX BX TX",    V300, SDP, Maximum(Java)),
    two("xsminjdp",      "60 T A B 152 AX BX TX",    V300, SDP, Minimum(Java)),
    one("xsabsdp",       "60 T /5 B 345 BX TX",      SERVER, SDP, Absolute),
    one("xvabssp",       "60 T /5 B 409 BX TX",      SERVER, VSP, Absolute),
    one("xvabsdp",       "60 T /5 B 473 BX TX",      SERVER, VDP, Absolute),
    one("xsnabsdp",      "60 T /5 B 361 BX TX",      SERVER, SDP, NegativeAbsolute),
    one("xvnabssp",      "60 T /5 B 425 BX TX",      SERVER, VSP, NegativeAbsolute),
    one("xvnabsdp",      "60 T /5 B 489 BX TX",      SERVER, VDP, NegativeAbsolute),
    one("xsnegdp",       "60 T /5 B 377 BX TX",      SERVER, SDP, Negate),
    one("xvnegsp",       "60 T /5 B 441 BX TX",      SERVER, VSP, Negate),
    one("xvnegdp",       "60 T /5 B 505 BX TX",      SERVER, VDP, Negate),
    two("xscpsgndp",     "60 T A B 176 AX BX TX",    SERVER, SDP, CopySign),
    two("xvcpsgnsp",     "60 T A B 208 AX BX TX",    SERVER, VSP, CopySign),
    two("xvcpsgndp",     "60 T A B 240 AX BX TX",    SERVER, VDP, CopySign),
];
