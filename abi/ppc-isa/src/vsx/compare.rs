//! VSX comparisons and tests of floating-point numbers (Power ISA Book I, section 7.6.1).

use super::Vsx;
use super::arithmetic::Shape;
use crate::cpu::{Models, SERVER, Unit, V300, V310};
use crate::op::Op;
use crate::row::{Row, fact::*};

/// A comparison or a test.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compare {
    /// Compare doubleword 0 of XA and XB into a CR field and `FPSCR[FPCC]`.
    Order {
        /// Quiet NaNs are invalid, too.
        ordered: bool,
    },
    /// Compare the exponents of doubleword 0 of XA and XB into a CR field and `FPSCR[FPCC]`.
    Exponents,
    /// All ones where the relation holds between XA and XB, else zeros; Rc=1 summarises in CR field 6.
    Mask(Relation, Shape),
    /// Whether XA / XB needs care in software.
    DivideTest(Shape),
    /// Whether the square root of XB needs care in software.
    SquareRootTest(Shape),
    /// Whether XB is of a class in the mask DCMX. Scalars: CR field and `FPSCR[FPCC]`; vectors: all ones or zeros.
    ClassTest(Shape),
    /// Whether the last bits of all bytes of XB are 1, and whether all are 0, into a CR field.
    LastBits,
}

/// A relation of two numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Relation {
    /// Equal; quiet NaNs are not invalid.
    Equal,
    /// Greater than or equal.
    GreaterEqual,
    /// Greater than.
    Greater,
}

const fn row(
    name: &'static str,
    picture: &'static str,
    asm: &'static str,
    models: Models,
    facts: u32,
    op: Compare,
) -> Row {
    Row::new(name, picture, asm, models, Unit::Vsx, facts, Op::Vsx(Vsx::Compare(op)))
}

use Compare::{ClassTest, DivideTest, Exponents, LastBits, Mask, Order, SquareRootTest};
use Relation::{Equal, Greater, GreaterEqual};
use Shape::{ScalarDouble as SDP, ScalarSingle as SSP, VectorDouble as VDP, VectorSingle as VSP};

/// Reads and writes FPSCR and may interrupt.
const STATUS: u32 = FPSCR | PROGRAM;

/// The rows.
#[rustfmt::skip]
pub const ROWS: &[Row] = &[
    row("xscmpodp",   "60 BF /2 A B 43 AX BX /1", "=BF,XA,XB",  SERVER, STATUS, Order { ordered: true }),
    row("xscmpudp",   "60 BF /2 A B 35 AX BX /1", "=BF,XA,XB",  SERVER, STATUS, Order { ordered: false }),
    row("xscmpexpdp", "60 BF /2 A B 59 AX BX /1", "=BF,XA,XB",  V300, FPSCR,  Exponents),
    row("xscmpeqdp",  "60 T A B 3 AX BX TX",      "=XT,XA,XB",  V300, STATUS, Mask(Equal, SDP)),
    row("xscmpgtdp",  "60 T A B 11 AX BX TX",     "=XT,XA,XB",  V300, STATUS, Mask(Greater, SDP)),
    row("xscmpgedp",  "60 T A B 19 AX BX TX",     "=XT,XA,XB",  V300, STATUS, Mask(GreaterEqual, SDP)),
    row("xvcmpeqsp",  "60 T A B RcV 67 AX BX TX", "=XT,XA,XB",  SERVER, STATUS, Mask(Equal, VSP)),
    row("xvcmpgtsp",  "60 T A B RcV 75 AX BX TX", "=XT,XA,XB",  SERVER, STATUS, Mask(Greater, VSP)),
    row("xvcmpgesp",  "60 T A B RcV 83 AX BX TX", "=XT,XA,XB",  SERVER, STATUS, Mask(GreaterEqual, VSP)),
    row("xvcmpeqdp",  "60 T A B RcV 99 AX BX TX", "=XT,XA,XB",  SERVER, STATUS, Mask(Equal, VDP)),
    row("xvcmpgtdp",  "60 T A B RcV 107 AX BX TX", "=XT,XA,XB", SERVER, STATUS, Mask(Greater, VDP)),
    row("xvcmpgedp",  "60 T A B RcV 115 AX BX TX", "=XT,XA,XB", SERVER, STATUS, Mask(GreaterEqual, VDP)),
    row("xstdivdp",   "60 BF /2 A B 61 AX BX /1",  "=BF,XA,XB", SERVER, 0, DivideTest(SDP)),
    row("xvtdivsp",   "60 BF /2 A B 93 AX BX /1",  "=BF,XA,XB", SERVER, 0, DivideTest(VSP)),
    row("xvtdivdp",   "60 BF /2 A B 125 AX BX /1", "=BF,XA,XB", SERVER, 0, DivideTest(VDP)),
    row("xstsqrtdp",  "60 BF /2 /5 B 106 BX /1",   "=BF,XB",    SERVER, 0, SquareRootTest(SDP)),
    row("xvtsqrtsp",  "60 BF /2 /5 B 170 BX /1",   "=BF,XB",    SERVER, 0, SquareRootTest(VSP)),
    row("xvtsqrtdp",  "60 BF /2 /5 B 234 BX /1",   "=BF,XB",    SERVER, 0, SquareRootTest(VDP)),
    row("xststdcsp",  "60 BF DCMX B 298 BX /1",    "=BF,XB,DCMX", V300, FPSCR, ClassTest(SSP)),
    row("xststdcdp",  "60 BF DCMX B 362 BX /1",    "=BF,XB,DCMX", V300, FPSCR, ClassTest(SDP)),
    row("xvtstdcsp",  "60 T dx B 13:4 dc 5:3 dm BX TX", "=XT,XB,DCMX6", V300, 0, ClassTest(VSP)),
    row("xvtstdcdp",  "60 T dx B 15:4 dc 5:3 dm BX TX", "=XT,XB,DCMX6", V300, 0, ClassTest(VDP)),
    row("xvtlsbb",    "60 BF /2 2:5 B 475 BX /1",  "=BF,XB",    V310, 0, LastBits),
];
