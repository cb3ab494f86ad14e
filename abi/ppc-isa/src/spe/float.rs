//! Embedded floating point (SPEPEM, section 3.3): singles in low words, doubles, and pairs of singles in whole registers.

use super::Spe;
use crate::cpu::{SPE, Unit};
use crate::op::Op;
use crate::row::{Row, fact::PROGRAM};

/// An operation on floating-point numbers in GPRs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Float {
    /// What is done.
    pub operation: Operation,
    /// On which numbers.
    pub shape: Shape,
}

/// The numbers that an instruction works on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// A single in the low word. The high word stays, and `MSR[SPE]` does not matter.
    Single,
    /// A double in the register.
    Double,
    /// A single in each word.
    Vector,
}

/// What is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// RA + RB.
    Add,
    /// RA - RB.
    Sub,
    /// RA x RB.
    Mul,
    /// RA / RB.
    Div,
    /// RA without its sign; no exceptions.
    Absolute,
    /// RA with the sign set; no exceptions.
    NegativeAbsolute,
    /// RA with the sign inverted; no exceptions.
    Negate,
    /// CR field BF from RA and RB; what is no normal number counts as if it were one.
    Compare {
        /// Which relation sets the bit.
        relation: Relation,
        /// Without exceptions.
        test: bool,
    },
    /// The number that RB holds as an integer.
    FromInteger(Integer),
    /// The integer nearest to RB, saturated.
    ToInteger {
        /// Which.
        integer: Integer,
        /// Round toward zero, whatever SPEFSCR says.
        truncate: bool,
    },
    /// The double that is the single in RB.
    FromSingle,
    /// The single nearest to the double in RB.
    FromDouble,
}

/// A relation of RA to RB.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Relation {
    /// RA > RB.
    Greater,
    /// RA < RB.
    Less,
    /// RA = RB.
    Equal,
}

/// An integer or fraction that is converted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Integer {
    /// Two's complement.
    pub signed: bool,
    /// A fraction: the binary point stands left of all bits, or of all but the sign.
    pub fraction: bool,
    /// All of the register, not its low word (or each word).
    pub double: bool,
}

/// The unit that `shape` needs: singles keep to the low words, as ordinary instructions do.
const fn unit(shape: Shape) -> Unit {
    if matches!(shape, Shape::Single) { Unit::None } else { Unit::Spe }
}

const fn row(name: &'static str, picture: &'static str, asm: &'static str, shape: Shape, operation: Operation) -> Row {
    use Operation::{Absolute, Compare, Negate, NegativeAbsolute};
    let (unit, facts) = match operation {
        Absolute | NegativeAbsolute | Negate | Compare { test: true, .. } => (unit(shape), 0),
        Operation::FromDouble => (Unit::Spe, PROGRAM),
        _ => (unit(shape), PROGRAM),
    };
    Row::new(name, picture, asm, SPE, unit, facts, Op::Spe(Spe::Float(Float { operation, shape })))
}

/// Two operands.
const fn two(name: &'static str, picture: &'static str, shape: Shape, operation: Operation) -> Row {
    row(name, picture, "=RT,RA,RB", shape, operation)
}

/// The sign of RA.
const fn sign(name: &'static str, picture: &'static str, shape: Shape, operation: Operation) -> Row {
    row(name, picture, "=RT,RA", shape, operation)
}

const fn compare(name: &'static str, picture: &'static str, shape: Shape, relation: Relation) -> Row {
    row(name, picture, "=BF,RA,RB", shape, Operation::Compare { relation, test: false })
}

const fn test(name: &'static str, picture: &'static str, shape: Shape, relation: Relation) -> Row {
    row(name, picture, "=BF,RA,RB", shape, Operation::Compare { relation, test: true })
}

/// A conversion of RB.
const fn convert(name: &'static str, picture: &'static str, shape: Shape, operation: Operation) -> Row {
    row(name, picture, "=RT,RB", shape, operation)
}

const fn from(name: &'static str, picture: &'static str, shape: Shape, integer: Integer) -> Row {
    convert(name, picture, shape, Operation::FromInteger(integer))
}

const fn to(name: &'static str, picture: &'static str, shape: Shape, integer: Integer) -> Row {
    convert(name, picture, shape, Operation::ToInteger { integer, truncate: false })
}

const fn to_z(name: &'static str, picture: &'static str, shape: Shape, integer: Integer) -> Row {
    convert(name, picture, shape, Operation::ToInteger { integer, truncate: true })
}

use Operation::{Absolute, Add, Div, Mul, Negate, NegativeAbsolute, Sub};
use Relation::{Equal, Greater, Less};
use Shape::{Double as D, Single as S, Vector as V};

const UI: Integer = Integer { signed: false, fraction: false, double: false };
const SI: Integer = Integer { signed: true, ..UI };
const UF: Integer = Integer { fraction: true, ..UI };
const SF: Integer = Integer { fraction: true, ..SI };
const UID: Integer = Integer { double: true, ..UI };
const SID: Integer = Integer { double: true, ..SI };

/// The rows.
#[rustfmt::skip]
pub const ROWS: &[Row] = &[
    two("evfsadd",       "4 RT RA RB 640",    V, Add),
    two("evfssub",       "4 RT RA RB 641",    V, Sub),
    sign("evfsabs",      "4 RT RA /5 644",    V, Absolute),
    sign("evfsnabs",     "4 RT RA /5 645",    V, NegativeAbsolute),
    sign("evfsneg",      "4 RT RA /5 646",    V, Negate),
    two("evfsmul",       "4 RT RA RB 648",    V, Mul),
    two("evfsdiv",       "4 RT RA RB 649",    V, Div),
    compare("evfscmpgt", "4 BF /2 RA RB 652", V, Greater),
    compare("evfscmplt", "4 BF /2 RA RB 653", V, Less),
    compare("evfscmpeq", "4 BF /2 RA RB 654", V, Equal),
    from("evfscfui",     "4 RT /5 RB 656",    V, UI),
    from("evfscfsi",     "4 RT /5 RB 657",    V, SI),
    from("evfscfuf",     "4 RT /5 RB 658",    V, UF),
    from("evfscfsf",     "4 RT /5 RB 659",    V, SF),
    to("evfsctui",       "4 RT /5 RB 660",    V, UI),
    to("evfsctsi",       "4 RT /5 RB 661",    V, SI),
    to("evfsctuf",       "4 RT /5 RB 662",    V, UF),
    to("evfsctsf",       "4 RT /5 RB 663",    V, SF),
    to_z("evfsctuiz",    "4 RT /5 RB 664",    V, UI),
    to_z("evfsctsiz",    "4 RT /5 RB 666",    V, SI),
    test("evfststgt",    "4 BF /2 RA RB 668", V, Greater),
    test("evfststlt",    "4 BF /2 RA RB 669", V, Less),
    test("evfststeq",    "4 BF /2 RA RB 670", V, Equal),

    two("efsadd",        "4 RT RA RB 704",    S, Add),
    two("efssub",        "4 RT RA RB 705",    S, Sub),
    sign("efsabs",       "4 RT RA /5 708",    S, Absolute),
    sign("efsnabs",      "4 RT RA /5 709",    S, NegativeAbsolute),
    sign("efsneg",       "4 RT RA /5 710",    S, Negate),
    two("efsmul",        "4 RT RA RB 712",    S, Mul),
    two("efsdiv",        "4 RT RA RB 713",    S, Div),
    compare("efscmpgt",  "4 BF /2 RA RB 716", S, Greater),
    compare("efscmplt",  "4 BF /2 RA RB 717", S, Less),
    compare("efscmpeq",  "4 BF /2 RA RB 718", S, Equal),
    convert("efscfd",    "4 RT /5 RB 719",    S, Operation::FromDouble),
    from("efscfui",      "4 RT /5 RB 720",    S, UI),
    from("efscfsi",      "4 RT /5 RB 721",    S, SI),
    from("efscfuf",      "4 RT /5 RB 722",    S, UF),
    from("efscfsf",      "4 RT /5 RB 723",    S, SF),
    to("efsctui",        "4 RT /5 RB 724",    S, UI),
    to("efsctsi",        "4 RT /5 RB 725",    S, SI),
    to("efsctuf",        "4 RT /5 RB 726",    S, UF),
    to("efsctsf",        "4 RT /5 RB 727",    S, SF),
    to_z("efsctuiz",     "4 RT /5 RB 728",    S, UI),
    to_z("efsctsiz",     "4 RT /5 RB 730",    S, SI),
    test("efststgt",     "4 BF /2 RA RB 732", S, Greater),
    test("efststlt",     "4 BF /2 RA RB 733", S, Less),
    test("efststeq",     "4 BF /2 RA RB 734", S, Equal),

    two("efdadd",        "4 RT RA RB 736",    D, Add),
    two("efdsub",        "4 RT RA RB 737",    D, Sub),
    from("efdcfuid",     "4 RT /5 RB 738",    D, UID),
    from("efdcfsid",     "4 RT /5 RB 739",    D, SID),
    sign("efdabs",       "4 RT RA /5 740",    D, Absolute),
    sign("efdnabs",      "4 RT RA /5 741",    D, NegativeAbsolute),
    sign("efdneg",       "4 RT RA /5 742",    D, Negate),
    two("efdmul",        "4 RT RA RB 744",    D, Mul),
    two("efddiv",        "4 RT RA RB 745",    D, Div),
    to_z("efdctuidz",    "4 RT /5 RB 746",    D, UID),
    to_z("efdctsidz",    "4 RT /5 RB 747",    D, SID),
    compare("efdcmpgt",  "4 BF /2 RA RB 748", D, Greater),
    compare("efdcmplt",  "4 BF /2 RA RB 749", D, Less),
    compare("efdcmpeq",  "4 BF /2 RA RB 750", D, Equal),
    convert("efdcfs",    "4 RT /5 RB 751",    D, Operation::FromSingle),
    from("efdcfui",      "4 RT /5 RB 752",    D, UI),
    from("efdcfsi",      "4 RT /5 RB 753",    D, SI),
    from("efdcfuf",      "4 RT /5 RB 754",    D, UF),
    from("efdcfsf",      "4 RT /5 RB 755",    D, SF),
    to("efdctui",        "4 RT /5 RB 756",    D, UI),
    to("efdctsi",        "4 RT /5 RB 757",    D, SI),
    to("efdctuf",        "4 RT /5 RB 758",    D, UF),
    to("efdctsf",        "4 RT /5 RB 759",    D, SF),
    to_z("efdctuiz",     "4 RT /5 RB 760",    D, UI),
    to_z("efdctsiz",     "4 RT /5 RB 762",    D, SI),
    test("efdtstgt",     "4 BF /2 RA RB 764", D, Greater),
    test("efdtstlt",     "4 BF /2 RA RB 765", D, Less),
    test("efdtsteq",     "4 BF /2 RA RB 766", D, Equal),
];
