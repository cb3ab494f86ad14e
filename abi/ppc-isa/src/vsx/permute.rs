//! VSX moves to and from GPRs, logic and permutes (Power ISA Book I, sections 3.3.19 and 7.6.3).

use super::Vsx;
use crate::cpu::{Models, SERVER, Unit, V207, V300, V310};
use crate::integer::Logic;
use crate::op::Op;
use crate::row::Row;

/// Operations that move bits without knowing numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Permute {
    /// RA = a part of the VSR.
    MoveFrom(Part),
    /// Doubleword 0 of the VSR = RA; doubleword 1 becomes 0.
    MoveTo(Part),
    /// The VSR = (RA|0), RB.
    MoveToPair,
    /// Every word of the VSR = the low word of RA.
    MoveToWords,
    /// Bitwise operation.
    Logic(Logic),
    /// Bits of XB where XC has ones, of XA elsewhere.
    Select,
    /// A doubleword of XA and one of XB, chosen by DM.
    Doublewords,
    /// Two words of XA interleaved with two of XB.
    MergeWords {
        /// The words of doubleword 1.
        low: bool,
    },
    /// Four words of XA and XB together, from word SHW on.
    ShiftWords,
    /// Word UIM in every place.
    SplatWord,
    /// An immediate byte in every place.
    SplatByte,
    /// The word from byte UIM on, zero-extended, into doubleword 0.
    ExtractWord,
    /// Word 1 of XB into XT from byte UIM on.
    InsertWord,
    /// Bytes of XA and XT together, chosen by the bytes of XB.
    Bytes {
        /// Byte numbers count from the right.
        reversed: bool,
    },
    /// Reverse the bytes of each element.
    ReverseBytes {
        /// Bytes of an element: 2, 4, 8, 16.
        element: u8,
    },
    /// The quad-precision number that UIM stands for; some values stand for none.
    QuadConstant,
    /// Elements of XB where the first bit of those of XC is 1, of XA elsewhere.
    Blend {
        /// Bytes of an element: 1, 2, 4, 8.
        element: u8,
    },
    /// Any function of three bits, of which IMM is the table.
    Evaluate,
    /// Bytes of XA and XB together, chosen by the low bits of the bytes of XC where their high bits are UIM; else 0.
    BytesOfSection,
    /// Doubleword 0 and 1 become an immediate single, converted to double format.
    SplatDouble,
    /// Every word becomes an immediate.
    SplatWordImmediate,
    /// Word IX of each doubleword becomes an immediate.
    SplatWordOfDoubles,
    /// The control of a permute that expands or compresses by a mask, as UIM says; some values are reserved.
    GenerateControl {
        /// Bytes of an element: 1, 2, 4, 8.
        element: u8,
    },
}

/// The part of a VSR that a move reads or writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Doubleword 0.
    Double,
    /// Doubleword 1.
    LowDouble,
    /// Word 1, zero-extended.
    Word,
    /// Word 1, sign-extended.
    SignedWord,
}

const fn row(
    name: &'static str,
    picture: &'static str,
    asm: &'static str,
    models: Models,
    unit: Unit,
    op: Permute,
) -> Row {
    Row::new(name, picture, asm, models, unit, 0, Op::Vsx(Vsx::Permute(op)))
}

const fn logic(name: &'static str, picture: &'static str, models: Models, logic: Logic) -> Row {
    row(name, picture, "=XT,XA,XB", models, Unit::Vsx, Permute::Logic(logic))
}

const fn blend(element: u8) -> Permute {
    Permute::Blend { element }
}

const fn generate(element: u8) -> Permute {
    Permute::GenerateControl { element }
}

const fn reverse(element: u8) -> Permute {
    Permute::ReverseBytes { element }
}

use Permute::{MoveFrom, MoveTo};
use Unit::{FpOrVmx as MOVE, Vsx as VSX, VsxOrVmx as EITHER};

/// The rows.
#[rustfmt::skip]
pub const ROWS: &[Row] = &[
    row("mfvsrd",  "31 S RA /5 51 SX",   "=RA,XS",      V207, MOVE,   MoveFrom(Part::Double)),
    row("mfvsrld", "31 S RA /5 307 SX",  "=RA,XS",      V300, EITHER, MoveFrom(Part::LowDouble)),
    row("mfvsrwz", "31 S RA /5 115 SX",  "=RA,XS",      V207, MOVE,   MoveFrom(Part::Word)),
    row("mtvsrd",  "31 T RA /5 179 TX",  "=XT,RA",      V207, MOVE,   MoveTo(Part::Double)),
    row("mtvsrwa", "31 T RA /5 211 TX",  "=XT,RA",      V207, MOVE,   MoveTo(Part::SignedWord)),
    row("mtvsrwz", "31 T RA /5 243 TX",  "=XT,RA",      V207, MOVE,   MoveTo(Part::Word)),
    row("mtvsrdd", "31 T RA RB 435 TX",  "=XT,RA0,RB",  V300, EITHER, Permute::MoveToPair),
    row("mtvsrws", "31 T RA /5 403 TX",  "=XT,RA",      V300, EITHER, Permute::MoveToWords),
    logic("xxland",  "60 T A B 130 AX BX TX", SERVER, Logic::And),
    logic("xxlandc", "60 T A B 138 AX BX TX", SERVER, Logic::Andc),
    logic("xxlor",   "60 T A B 146 AX BX TX", SERVER, Logic::Or),
    logic("xxlxor",  "60 T A B 154 AX BX TX", SERVER, Logic::Xor),
    logic("xxlnor",  "60 T A B 162 AX BX TX", SERVER, Logic::Nor),
    logic("xxlorc",  "60 T A B 170 AX BX TX", V207, Logic::Orc),
    logic("xxlnand", "60 T A B 178 AX BX TX", V207, Logic::Nand),
    logic("xxleqv",  "60 T A B 186 AX BX TX", V207, Logic::Eqv),
    row("xxsel",    "60 T A B C 3:2 CX AX BX TX",     "=XT,XA,XB,XC",  SERVER, VSX, Permute::Select),
    row("xxpermdi", "60 T A B 0:1 DM 10:5 AX BX TX",  "=XT,XA,XB,DM",  SERVER, VSX, Permute::Doublewords),
    row("xxmrghw",  "60 T A B 18 AX BX TX",           "=XT,XA,XB",     SERVER, VSX, Permute::MergeWords { low: false }),
    row("xxmrglw",  "60 T A B 50 AX BX TX",           "=XT,XA,XB",     SERVER, VSX, Permute::MergeWords { low: true }),
    row("xxsldwi",  "60 T A B 0:1 SHW 2:5 AX BX TX",  "=XT,XA,XB,SHW", SERVER, VSX, Permute::ShiftWords),
    row("xxspltw",  "60 T /3 UIM2 B 164 BX TX",       "=XT,XB,UIM2",   SERVER, VSX, Permute::SplatWord),
    row("xxspltib", "60 T 0:2 IMM8 360 TX",           "=XT,IMM8",      V300, EITHER, Permute::SplatByte),
    row("xxextractuw", "60 T /1 UIM4 B 165 BX TX",    "=XT,XB,UIM4",   V300, VSX, Permute::ExtractWord),
    row("xxinsertw",   "60 T /1 UIM4 B 181 BX TX",    "+XT,XB,UIM4",   V300, VSX, Permute::InsertWord),
    row("xxperm",   "60 T A B 26 AX BX TX",           "+XT,XA,XB",     V300, VSX, Permute::Bytes { reversed: false }),
    row("xxpermr",  "60 T A B 58 AX BX TX",           "+XT,XA,XB",     V300, VSX, Permute::Bytes { reversed: true }),
    row("xxbrh",    "60 T 7:5 B 475 BX TX",           "=XT,XB",        V300, VSX, reverse(2)),
    row("xxbrw",    "60 T 15:5 B 475 BX TX",          "=XT,XB",        V300, VSX, reverse(4)),
    row("xxbrd",    "60 T 23:5 B 475 BX TX",          "=XT,XB",        V300, VSX, reverse(8)),
    row("xxbrq",    "60 T 31:5 B 475 BX TX",          "=XT,XB",        V300, VSX, reverse(16)),
    row("lxvkq",    "60 T 31:5 UIM5 360 TX",          "=XT,UIM5",      V310, VSX, Permute::QuadConstant),
    row("xxblendvb", "1 1:2 0:4 /20 | 33 T A B C 0:2 CX AX BX TX", "=XT,XA,XB,XC", V310, VSX, blend(1)),
    row("xxblendvh", "1 1:2 0:4 /20 | 33 T A B C 1:2 CX AX BX TX", "=XT,XA,XB,XC", V310, VSX, blend(2)),
    row("xxblendvw", "1 1:2 0:4 /20 | 33 T A B C 2:2 CX AX BX TX", "=XT,XA,XB,XC", V310, VSX, blend(4)),
    row("xxblendvd", "1 1:2 0:4 /20 | 33 T A B C 3:2 CX AX BX TX", "=XT,XA,XB,XC", V310, VSX, blend(8)),
    row("xxpermx",   "1 1:2 0:4 /17 UIM3 | 34 T A B C 0:2 CX AX BX TX", "=XT,XA,XB,XC,UIM3", V310, VSX, Permute::BytesOfSection),
    row("xxeval",    "1 1:2 0:4 /12 IMM8 | 34 T A B C 1:2 CX AX BX TX", "=XT,XA,XB,XC,IMM8", V310, VSX, Permute::Evaluate),
    row("xxsplti32dx", "1 1:2 0:4 /4 ih | 32 T 0:3 IX TX il", "+XT,IX,IMM32", V310, VSX, Permute::SplatWordOfDoubles),
    row("xxspltidp",   "1 1:2 0:4 /4 ih | 32 T 2:4 TX il",    "=XT,IMM32",    V310, VSX, Permute::SplatDouble),
    row("xxspltiw",    "1 1:2 0:4 /4 ih | 32 T 3:4 TX il",    "=XT,IMM32",    V310, VSX, Permute::SplatWordImmediate),
    row("xxgenpcvbm", "60 T UIM5 VRB 916 TX",         "=XT,VRB,UIM5",  V310, VSX, generate(1)),
    row("xxgenpcvhm", "60 T UIM5 VRB 917 TX",         "=XT,VRB,UIM5",  V310, VSX, generate(2)),
    row("xxgenpcvwm", "60 T UIM5 VRB 948 TX",         "=XT,VRB,UIM5",  V310, VSX, generate(4)),
    row("xxgenpcvdm", "60 T UIM5 VRB 949 TX",         "=XT,VRB,UIM5",  V310, VSX, generate(8)),
];
