//! SPE integer arithmetic, logic, shifts, comparisons and moves, on each word of a register by itself.

use super::Spe;
use crate::cpu::{SPE, Unit};
use crate::integer::Logic;
use crate::op::Op;
use crate::row::Row;

/// Semantic operations of this file. "High" and "low" are the words of a register.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Integer {
    /// Each word of RT = a function of the same words of RA and RB.
    Binary(Binary, Immediate),
    /// Each word of RT = a function of the same word of RA.
    Unary(Unary),
    /// RT = a word of RA, a word of RB.
    Merge {
        /// The high word of RA.
        a_high: bool,
        /// The high word of RB.
        b_high: bool,
    },
    /// Each word of RT = SIM, sign-extended (or a fraction: from the left end of the word).
    Splat {
        /// The immediate stands in bits 0:4.
        fraction: bool,
    },
    /// CR field BF = high words compare, low words compare, either, both.
    Compare(Comparison),
    /// Each word from RA if its bit of CR field BFA (LT: high, GT: low) is 1, else from RB.
    Select,
    /// RT = the bits of RA under the mask RB, incremented in bit-reversed order. Masks have 32 bits, the most that the
    /// architecture allows. Low words only, and whatever `MSR[SPE]` says.
    BitReversedIncrement,
    /// Each word of RT = RA / RB; what is not defined saturates and sets OV.
    Divide {
        /// Two's complement.
        signed: bool,
    },
}

/// Which operand is an immediate, the same for both words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Immediate {
    /// None.
    None,
    /// The field of RA.
    A,
    /// The field of RB.
    B,
}

/// A function of two words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Binary {
    /// b + a.
    Add,
    /// b - a.
    SubtractFrom,
    /// Bitwise.
    Logic(Logic),
    /// a << (b mod 64).
    ShiftLeft,
    /// a >> (b mod 64).
    ShiftRight {
        /// Shift in copies of the sign.
        signed: bool,
    },
    /// a rotated left by b.
    RotateLeft,
}

/// A function of one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unary {
    /// Absolute value, modulo 2^32.
    Absolute,
    /// Negative, modulo 2^32.
    Negate,
    /// The low byte, sign-extended.
    ExtendByte,
    /// The low halfword, sign-extended.
    ExtendHalf,
    /// Rounded to the high halfword, modulo 2^32.
    Round,
    /// Leading zeros.
    CountZeros,
    /// Leading bits equal to the sign.
    CountSigns,
}

/// A comparison of a with b.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// a = b.
    Equal,
    /// a > b.
    Greater {
        /// Two's complement.
        signed: bool,
    },
    /// a < b.
    Less {
        /// Two's complement.
        signed: bool,
    },
}

const fn row(name: &'static str, picture: &'static str, asm: &'static str, op: Integer) -> Row {
    Row::new(name, picture, asm, SPE, Unit::Spe, 0, Op::Spe(Spe::Integer(op)))
}

const fn words(name: &'static str, picture: &'static str, op: Binary) -> Row {
    row(name, picture, "=RT,RA,RB", Integer::Binary(op, Immediate::None))
}

const fn imm_a(name: &'static str, picture: &'static str, asm: &'static str, op: Binary) -> Row {
    row(name, picture, asm, Integer::Binary(op, Immediate::A))
}

const fn imm_b(name: &'static str, picture: &'static str, op: Binary) -> Row {
    row(name, picture, "=RT,RA,UIM5", Integer::Binary(op, Immediate::B))
}

const fn unary(name: &'static str, picture: &'static str, op: Unary) -> Row {
    row(name, picture, "=RT,RA", Integer::Unary(op))
}

const fn merge(name: &'static str, picture: &'static str, a_high: bool, b_high: bool) -> Row {
    row(name, picture, "=RT,RA,RB", Integer::Merge { a_high, b_high })
}

const fn compare(name: &'static str, picture: &'static str, op: Comparison) -> Row {
    row(name, picture, "=BF,RA,RB", Integer::Compare(op))
}

use Binary::{Add, RotateLeft, ShiftLeft, ShiftRight, SubtractFrom};
use Comparison::{Equal, Greater, Less};

/// The rows.
#[rustfmt::skip]
pub const ROWS: &[Row] = &[
    words("evaddw",      "4 RT RA RB 512",    Add),
    imm_a("evaddiw",     "4 RT UIM5 RB 514",  "=RT,RB,UIM5", Add),
    words("evsubfw",     "4 RT RA RB 516",    SubtractFrom),
    imm_a("evsubifw",    "4 RT UIM5 RB 518",  "=RT,UIM5,RB", SubtractFrom),
    unary("evabs",       "4 RT RA /5 520",    Unary::Absolute),
    unary("evneg",       "4 RT RA /5 521",    Unary::Negate),
    unary("evextsb",     "4 RT RA /5 522",    Unary::ExtendByte),
    unary("evextsh",     "4 RT RA /5 523",    Unary::ExtendHalf),
    unary("evrndw",      "4 RT RA /5 524",    Unary::Round),
    unary("evcntlzw",    "4 RT RA /5 525",    Unary::CountZeros),
    unary("evcntlsw",    "4 RT RA /5 526",    Unary::CountSigns),
    Row::new("brinc",    "4 RT RA RB 527",    "=RT,RA,RB",     SPE, Unit::None, 0,
        Op::Spe(Spe::Integer(Integer::BitReversedIncrement))),
    words("evand",       "4 RT RA RB 529",    Binary::Logic(Logic::And)),
    words("evandc",      "4 RT RA RB 530",    Binary::Logic(Logic::Andc)),
    words("evxor",       "4 RT RA RB 534",    Binary::Logic(Logic::Xor)),
    words("evor",        "4 RT RA RB 535",    Binary::Logic(Logic::Or)),
    words("evnor",       "4 RT RA RB 536",    Binary::Logic(Logic::Nor)),
    words("eveqv",       "4 RT RA RB 537",    Binary::Logic(Logic::Eqv)),
    words("evorc",       "4 RT RA RB 539",    Binary::Logic(Logic::Orc)),
    words("evnand",      "4 RT RA RB 542",    Binary::Logic(Logic::Nand)),
    words("evsrwu",      "4 RT RA RB 544",    ShiftRight { signed: false }),
    words("evsrws",      "4 RT RA RB 545",    ShiftRight { signed: true }),
    imm_b("evsrwiu",     "4 RT RA UIM5 546",  ShiftRight { signed: false }),
    imm_b("evsrwis",     "4 RT RA UIM5 547",  ShiftRight { signed: true }),
    words("evslw",       "4 RT RA RB 548",    ShiftLeft),
    imm_b("evslwi",      "4 RT RA UIM5 550",  ShiftLeft),
    words("evrlw",       "4 RT RA RB 552",    RotateLeft),
    imm_b("evrlwi",      "4 RT RA UIM5 554",  RotateLeft),
    row("evsplati",      "4 RT SIM /5 553",   "=RT,SIM",       Integer::Splat { fraction: false }),
    row("evsplatfi",     "4 RT SIM /5 555",   "=RT,SIM",       Integer::Splat { fraction: true }),
    merge("evmergehi",   "4 RT RA RB 556",    true,  true),
    merge("evmergelo",   "4 RT RA RB 557",    false, false),
    merge("evmergehilo", "4 RT RA RB 558",    true,  false),
    merge("evmergelohi", "4 RT RA RB 559",    false, true),
    compare("evcmpgtu",  "4 BF /2 RA RB 560", Greater { signed: false }),
    compare("evcmpgts",  "4 BF /2 RA RB 561", Greater { signed: true }),
    compare("evcmpltu",  "4 BF /2 RA RB 562", Less { signed: false }),
    compare("evcmplts",  "4 BF /2 RA RB 563", Less { signed: true }),
    compare("evcmpeq",   "4 BF /2 RA RB 564", Equal),
    row("evsel",         "4 RT RA RB 79 BFA", "=RT,RA,RB,BFA", Integer::Select),
    row("evdivws",       "4 RT RA RB 1222",   "=RT,RA,RB",     Integer::Divide { signed: true }),
    row("evdivwu",       "4 RT RA RB 1223",   "=RT,RA,RB",     Integer::Divide { signed: false }),
];
