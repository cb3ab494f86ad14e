//! Scalar floating point with its loads, stores and FPSCR (Power ISA Book I, chapter 4).

use crate::cpu::{CLASSIC, E5500, FLOAT, Models, SERVER, SIXTY_FOUR, Unit, V207, V300, V310};
use crate::op::Op;
use crate::row::{Row, fact::*};

/// Semantic operations of this file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Float {
    /// Load into an FPR.
    Load(Access),
    /// Store from an FPR.
    Store(Access),
    /// Load with a prefixed displacement.
    LoadPrefixed {
        /// In memory it is a single.
        single: bool,
    },
    /// Store with a prefixed displacement.
    StorePrefixed {
        /// In memory it is a single.
        single: bool,
    },
    /// Load a word into an FPR as a 64-bit integer.
    LoadWord {
        /// Sign-extend.
        signed: bool,
    },
    /// Store the low word of an FPR.
    StoreWord,
    /// Load two doubles into an even/odd pair.
    LoadPair {
        /// Base and index instead of base and displacement.
        indexed: bool,
    },
    /// Store an even/odd pair.
    StorePair {
        /// Base and index instead of base and displacement.
        indexed: bool,
    },
    /// Move with a change of the sign bit.
    Move(Move),
    /// FRT = the sign of FRA with the magnitude of FRB.
    CopySign,
    /// Merge a word of FRA and one of FRB.
    MergeWord {
        /// The odd (low) words.
        odd: bool,
    },
    /// Arithmetic of one or two operands, rounded once.
    Arithmetic {
        /// The operation.
        operation: Arithmetic,
        /// Round to single.
        single: bool,
    },
    /// (FRA x FRC) +/- FRB, rounded once.
    MultiplyAdd {
        /// Subtract FRB.
        subtract: bool,
        /// Negate the rounded result.
        negate: bool,
        /// Round to single.
        single: bool,
    },
    /// Round to single.
    RoundToSingle,
    /// Round to an integral value.
    RoundToIntegral(Direction),
    /// Convert to an integer.
    ToInteger {
        /// 64 bits instead of 32.
        double: bool,
        /// Signed.
        signed: bool,
        /// Toward zero instead of in the mode of `FPSCR[RN]`.
        truncate: bool,
    },
    /// Convert a 64-bit integer.
    FromInteger {
        /// Signed.
        signed: bool,
        /// Round to single.
        single: bool,
    },
    /// Compare into a CR field and `FPSCR[FPCC]`.
    Compare {
        /// A quiet NaN is an invalid operation.
        ordered: bool,
    },
    /// FRT = FRC if FRA >= 0, else FRB.
    Select,
    /// Test for software divide.
    TestDivide,
    /// Test for software square root.
    TestSquareRoot,
    /// Read FPSCR, and perhaps change its control bits.
    MoveFrom(MoveFrom),
    /// FPSCR fields from FRB.
    MoveToFields {
        /// FPSCR has 64 bits, and the instruction the fields L and W.
        wide: bool,
    },
    /// FPSCR field from an immediate.
    MoveToFieldImmediate {
        /// FPSCR has 64 bits, and the instruction the field W.
        wide: bool,
    },
    /// Set or clear an FPSCR bit.
    MoveToBit {
        /// Its new value.
        set: bool,
    },
    /// FPSCR field to a CR field; exception bits are cleared.
    MoveToCr,
}

/// How a load or store forms its address and its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Access {
    /// In memory it is a single.
    pub single: bool,
    /// Base and index instead of base and displacement.
    pub indexed: bool,
    /// Write the address back to RA.
    pub update: bool,
}

/// What a move does to the sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Move {
    /// Nothing.
    Plain,
    /// Invert it.
    Negate,
    /// Clear it.
    Absolute,
    /// Set it.
    NegativeAbsolute,
}

/// Operations that round once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arithmetic {
    /// FRA + FRB.
    Add,
    /// FRA - FRB.
    Subtract,
    /// FRA x FRC.
    Multiply,
    /// FRA / FRB.
    Divide,
    /// Square root of FRB.
    SquareRoot,
    /// Estimate of 1 / FRB.
    Reciprocal,
    /// Estimate of 1 / square root of FRB.
    ReciprocalSquareRoot,
}

/// Where an integral value is sought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// The nearest; ties away from zero.
    Nearest,
    /// Toward zero.
    Zero,
    /// Upward.
    Plus,
    /// Downward.
    Minus,
}

/// What is read from FPSCR, and what is written to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MoveFrom {
    /// Everything.
    All,
    /// Everything; the enables are cleared.
    ClearEnables,
    /// Control bits; DRN comes from FRB or the immediate.
    DecimalRounding {
        /// From the immediate.
        immediate: bool,
    },
    /// Control bits; RN comes from FRB or the immediate.
    Rounding {
        /// From the immediate.
        immediate: bool,
    },
    /// Control bits and the status that is not sticky.
    Lightweight,
}

const fn row(
    name: &'static str,
    picture: &'static str,
    asm: &'static str,
    models: Models,
    facts: u32,
    op: Float,
) -> Row {
    Row::new(name, picture, asm, models, Unit::Fp, facts, Op::Float(op))
}

const fn memory(single: bool, indexed: bool, update: bool) -> Access {
    Access { single, indexed, update }
}

const fn ld(single: bool, indexed: bool) -> Float {
    Float::Load(memory(single, indexed, false))
}

const fn ldu(single: bool, indexed: bool) -> Float {
    Float::Load(memory(single, indexed, true))
}

const fn st(single: bool, indexed: bool) -> Float {
    Float::Store(memory(single, indexed, false))
}

const fn stu(single: bool, indexed: bool) -> Float {
    Float::Store(memory(single, indexed, true))
}

const fn double(operation: Arithmetic) -> Float {
    Float::Arithmetic { operation, single: false }
}

const fn single(operation: Arithmetic) -> Float {
    Float::Arithmetic { operation, single: true }
}

const fn fused(subtract: bool, negate: bool, single: bool) -> Float {
    Float::MultiplyAdd { subtract, negate, single }
}

const fn to(double: bool, signed: bool, truncate: bool) -> Float {
    Float::ToInteger { double, signed, truncate }
}

const fn from(signed: bool, single: bool) -> Float {
    Float::FromInteger { signed, single }
}

/// Floating-point arithmetic may raise an enabled exception.
const FP: u32 = FPSCR | PROGRAM;

use Arithmetic::*;
use Direction::{Minus, Nearest, Plus, Zero};
use Float::{MoveFrom as Mffs, RoundToIntegral};
use MoveFrom::*;

/// The rows.
#[rustfmt::skip]
pub const ROWS: &[Row] = &[
    row("lfs",     "48 FRT RA D",              "=FRT,D(RA0)",      FLOAT, LOAD,  ld(true, false)),
    row("lfsu",    "49 FRT RA D",              "=FRT,D(+RA)",      FLOAT, LOAD,  ldu(true, false)),
    row("lfsx",    "31 FRT RA RB 535 /1",      "=FRT,RA0,RB",      FLOAT, LOAD,  ld(true, true)),
    row("lfsux",   "31 FRT RA RB 567 /1",      "=FRT,+RA,RB",      FLOAT, LOAD,  ldu(true, true)),
    row("lfd",     "50 FRT RA D",              "=FRT,D(RA0)",      FLOAT, LOAD,  ld(false, false)),
    row("lfdu",    "51 FRT RA D",              "=FRT,D(+RA)",      FLOAT, LOAD,  ldu(false, false)),
    row("lfdx",    "31 FRT RA RB 599 /1",      "=FRT,RA0,RB",      FLOAT, LOAD,  ld(false, true)),
    row("lfdux",   "31 FRT RA RB 631 /1",      "=FRT,+RA,RB",      FLOAT, LOAD,  ldu(false, true)),
    row("plfs",    "1 2:2 0:1 /2 R /2 dh | 48 FRT RA dl", "=FRT,D34(RA0),R", V310, LOAD,  Float::LoadPrefixed { single: true }),
    row("plfd",    "1 2:2 0:1 /2 R /2 dh | 50 FRT RA dl", "=FRT,D34(RA0),R", V310, LOAD,  Float::LoadPrefixed { single: false }),
    row("pstfs",   "1 2:2 0:1 /2 R /2 dh | 52 FRS RA dl", "FRS,D34(RA0),R",  V310, STORE, Float::StorePrefixed { single: true }),
    row("pstfd",   "1 2:2 0:1 /2 R /2 dh | 54 FRS RA dl", "FRS,D34(RA0),R",  V310, STORE, Float::StorePrefixed { single: false }),
    row("lfiwax",  "31 FRT RA RB 855 /1",      "=FRT,RA0,RB",      SERVER, LOAD,  Float::LoadWord { signed: true }),
    row("lfiwzx",  "31 FRT RA RB 887 /1",      "=FRT,RA0,RB",      SERVER, LOAD,  Float::LoadWord { signed: false }),
    row("lfdp",    "57 FRT RA DS 0:2",         "=FRT,DS(RA0)",     SERVER, LOAD|MULTI, Float::LoadPair { indexed: false }),
    row("lfdpx",   "31 FRT RA RB 791 /1",      "=FRT,RA0,RB",      SERVER, LOAD|MULTI, Float::LoadPair { indexed: true }),
    row("stfs",    "52 FRS RA D",              "FRS,D(RA0)",       FLOAT, STORE, st(true, false)),
    row("stfsu",   "53 FRS RA D",              "FRS,D(+RA)",       FLOAT, STORE, stu(true, false)),
    row("stfsx",   "31 FRS RA RB 663 /1",      "FRS,RA0,RB",       FLOAT, STORE, st(true, true)),
    row("stfsux",  "31 FRS RA RB 695 /1",      "FRS,+RA,RB",       FLOAT, STORE, stu(true, true)),
    row("stfd",    "54 FRS RA D",              "FRS,D(RA0)",       FLOAT, STORE, st(false, false)),
    row("stfdu",   "55 FRS RA D",              "FRS,D(+RA)",       FLOAT, STORE, stu(false, false)),
    row("stfdx",   "31 FRS RA RB 727 /1",      "FRS,RA0,RB",       FLOAT, STORE, st(false, true)),
    row("stfdux",  "31 FRS RA RB 759 /1",      "FRS,+RA,RB",       FLOAT, STORE, stu(false, true)),
    row("stfiwx",  "31 FRS RA RB 983 /1",      "FRS,RA0,RB",       FLOAT, STORE, Float::StoreWord),
    row("stfdp",   "61 FRS RA DS 0:2",         "FRS,DS(RA0)",      SERVER, STORE|MULTI, Float::StorePair { indexed: false }),
    row("stfdpx",  "31 FRS RA RB 919 /1",      "FRS,RA0,RB",       SERVER, STORE|MULTI, Float::StorePair { indexed: true }),
    row("fmr",     "63 FRT /5 FRB 72 Rc",      "=FRT,FRB",         FLOAT, 0, Float::Move(Move::Plain)),
    row("fneg",    "63 FRT /5 FRB 40 Rc",      "=FRT,FRB",         FLOAT, 0, Float::Move(Move::Negate)),
    row("fabs",    "63 FRT /5 FRB 264 Rc",     "=FRT,FRB",         FLOAT, 0, Float::Move(Move::Absolute)),
    row("fnabs",   "63 FRT /5 FRB 136 Rc",     "=FRT,FRB",         FLOAT, 0, Float::Move(Move::NegativeAbsolute)),
    row("fcpsgn",  "63 FRT FRA FRB 8 Rc",      "=FRT,FRA,FRB",     SERVER, 0, Float::CopySign),
    row("fmrgew",  "63 FRT FRA FRB 966 /1",    "=FRT,FRA,FRB",     V207, 0, Float::MergeWord { odd: false }),
    row("fmrgow",  "63 FRT FRA FRB 838 /1",    "=FRT,FRA,FRB",     V207, 0, Float::MergeWord { odd: true }),
    row("fadd",    "63 FRT FRA FRB /5 21 Rc",  "=FRT,FRA,FRB",     FLOAT, FP, double(Add)),
    row("fadds",   "59 FRT FRA FRB /5 21 Rc",  "=FRT,FRA,FRB",     FLOAT, FP, single(Add)),
    row("fsub",    "63 FRT FRA FRB /5 20 Rc",  "=FRT,FRA,FRB",     FLOAT, FP, double(Subtract)),
    row("fsubs",   "59 FRT FRA FRB /5 20 Rc",  "=FRT,FRA,FRB",     FLOAT, FP, single(Subtract)),
    row("fmul",    "63 FRT FRA /5 FRC 25 Rc",  "=FRT,FRA,FRC",     FLOAT, FP, double(Multiply)),
    row("fmuls",   "59 FRT FRA /5 FRC 25 Rc",  "=FRT,FRA,FRC",     FLOAT, FP, single(Multiply)),
    row("fdiv",    "63 FRT FRA FRB /5 18 Rc",  "=FRT,FRA,FRB",     FLOAT, FP, double(Divide)),
    row("fdivs",   "59 FRT FRA FRB /5 18 Rc",  "=FRT,FRA,FRB",     FLOAT, FP, single(Divide)),
    row("fsqrt",   "63 FRT /5 FRB /5 22 Rc",   "=FRT,FRB",         SERVER, FP, double(SquareRoot)),
    row("fsqrts",  "59 FRT /5 FRB /5 22 Rc",   "=FRT,FRB",         SERVER, FP, single(SquareRoot)),
    row("fre",     "63 FRT /5 FRB /5 24 Rc",   "=FRT,FRB",         SERVER, FP, double(Reciprocal)),
    row("fres",    "59 FRT /5 FRB /5 24 Rc",   "=FRT,FRB",         FLOAT, FP, single(Reciprocal)),
    row("frsqrte", "63 FRT /5 FRB /5 26 Rc",   "=FRT,FRB",         FLOAT, FP, double(ReciprocalSquareRoot)),
    row("frsqrtes", "59 FRT /5 FRB /5 26 Rc",  "=FRT,FRB",         SERVER, FP, single(ReciprocalSquareRoot)),
    row("fmadd",   "63 FRT FRA FRB FRC 29 Rc", "=FRT,FRA,FRC,FRB", FLOAT, FP, fused(false, false, false)),
    row("fmadds",  "59 FRT FRA FRB FRC 29 Rc", "=FRT,FRA,FRC,FRB", FLOAT, FP, fused(false, false, true)),
    row("fmsub",   "63 FRT FRA FRB FRC 28 Rc", "=FRT,FRA,FRC,FRB", FLOAT, FP, fused(true, false, false)),
    row("fmsubs",  "59 FRT FRA FRB FRC 28 Rc", "=FRT,FRA,FRC,FRB", FLOAT, FP, fused(true, false, true)),
    row("fnmadd",  "63 FRT FRA FRB FRC 31 Rc", "=FRT,FRA,FRC,FRB", FLOAT, FP, fused(false, true, false)),
    row("fnmadds", "59 FRT FRA FRB FRC 31 Rc", "=FRT,FRA,FRC,FRB", FLOAT, FP, fused(false, true, true)),
    row("fnmsub",  "63 FRT FRA FRB FRC 30 Rc", "=FRT,FRA,FRC,FRB", FLOAT, FP, fused(true, true, false)),
    row("fnmsubs", "59 FRT FRA FRB FRC 30 Rc", "=FRT,FRA,FRC,FRB", FLOAT, FP, fused(true, true, true)),
    row("frsp",    "63 FRT /5 FRB 12 Rc",      "=FRT,FRB",         FLOAT, FP, Float::RoundToSingle),
    row("frin",    "63 FRT /5 FRB 392 Rc",     "=FRT,FRB",         SERVER, FP, RoundToIntegral(Nearest)),
    row("friz",    "63 FRT /5 FRB 424 Rc",     "=FRT,FRB",         SERVER, FP, RoundToIntegral(Zero)),
    row("frip",    "63 FRT /5 FRB 456 Rc",     "=FRT,FRB",         SERVER, FP, RoundToIntegral(Plus)),
    row("frim",    "63 FRT /5 FRB 488 Rc",     "=FRT,FRB",         SERVER, FP, RoundToIntegral(Minus)),
    row("fctiw",   "63 FRT /5 FRB 14 Rc",      "=FRT,FRB",         FLOAT, FP, to(false, true, false)),
    row("fctiwz",  "63 FRT /5 FRB 15 Rc",      "=FRT,FRB",         FLOAT, FP, to(false, true, true)),
    row("fctiwu",  "63 FRT /5 FRB 142 Rc",     "=FRT,FRB",         SERVER, FP, to(false, false, false)),
    row("fctiwuz", "63 FRT /5 FRB 143 Rc",     "=FRT,FRB",         SERVER, FP, to(false, false, true)),
    row("fctid",   "63 FRT /5 FRB 814 Rc",     "=FRT,FRB",         SIXTY_FOUR, FP, to(true, true, false)),
    row("fctidz",  "63 FRT /5 FRB 815 Rc",     "=FRT,FRB",         SIXTY_FOUR, FP, to(true, true, true)),
    row("fctidu",  "63 FRT /5 FRB 942 Rc",     "=FRT,FRB",         SERVER, FP, to(true, false, false)),
    row("fctiduz", "63 FRT /5 FRB 943 Rc",     "=FRT,FRB",         SERVER, FP, to(true, false, true)),
    row("fcfid",   "63 FRT /5 FRB 846 Rc",     "=FRT,FRB",         SIXTY_FOUR, FP, from(true, false)),
    row("fcfidu",  "63 FRT /5 FRB 974 Rc",     "=FRT,FRB",         SERVER, FP, from(false, false)),
    row("fcfids",  "59 FRT /5 FRB 846 Rc",     "=FRT,FRB",         SERVER, FP, from(true, true)),
    row("fcfidus", "59 FRT /5 FRB 974 Rc",     "=FRT,FRB",         SERVER, FP, from(false, true)),
    row("fcmpu",   "63 BF /2 FRA FRB 0 /1",    "=BF,FRA,FRB",      FLOAT, FP, Float::Compare { ordered: false }),
    row("fcmpo",   "63 BF /2 FRA FRB 32 /1",   "=BF,FRA,FRB",      FLOAT, FP, Float::Compare { ordered: true }),
    row("fsel",    "63 FRT FRA FRB FRC 23 Rc", "=FRT,FRA,FRC,FRB", FLOAT, 0, Float::Select),
    row("ftdiv",   "63 BF /2 FRA FRB 128 /1",  "=BF,FRA,FRB",      SERVER, 0, Float::TestDivide),
    row("ftsqrt",  "63 BF /2 /5 FRB 160 /1",   "=BF,FRB",          SERVER, 0, Float::TestSquareRoot),
    row("mffs",    "63 FRT /5 /5 583 Rc",      "=FRT",             FLOAT, FPSCR, Mffs(All)),
    row("mffsce",  "63 FRT 1:5 /5 583 /1",     "=FRT",             V300, FPSCR, Mffs(ClearEnables)),
    row("mffscdrn", "63 FRT 20:5 FRB 583 /1",  "=FRT,FRB",         V300, FPSCR, Mffs(DecimalRounding { immediate: false })),
    row("mffscdrni", "63 FRT 21:5 /2 DRM 583 /1", "=FRT,DRM",      V300, FPSCR, Mffs(DecimalRounding { immediate: true })),
    row("mffscrn", "63 FRT 22:5 FRB 583 /1",   "=FRT,FRB",         V300, FPSCR, Mffs(Rounding { immediate: false })),
    row("mffscrni", "63 FRT 23:5 /3 RM 583 /1", "=FRT,RM",         V300, FPSCR, Mffs(Rounding { immediate: true })),
    row("mffsl",   "63 FRT 24:5 /5 583 /1",    "=FRT",             V300, FPSCR, Mffs(Lightweight)),
    row("mcrfs",   "63 BF /2 BFA /2 /5 64 /1", "=BF,FBFA",         FLOAT, FPSCR, Float::MoveToCr),
    row("mtfsfi",  "63 BF /2 /4 W U /1 134 Rc", "FBF,U,W",         SERVER, FP, Float::MoveToFieldImmediate { wide: true }),
    row("mtfsfi",  "63 BF /2 /5 U /1 134 Rc",  "FBF,U",            CLASSIC.or(E5500), FP, Float::MoveToFieldImmediate { wide: false }),
    row("mtfsf",   "63 L FLM W FRB 711 Rc",    "FLM,FRB,L,W",      SERVER, FP, Float::MoveToFields { wide: true }),
    row("mtfsf",   "63 /1 FLM /1 FRB 711 Rc",  "FLM,FRB",          CLASSIC.or(E5500), FP, Float::MoveToFields { wide: false }),
    row("mtfsb0",  "63 BT /5 /5 70 Rc",        "FBT",              FLOAT, FPSCR, Float::MoveToBit { set: false }),
    row("mtfsb1",  "63 BT /5 /5 38 Rc",        "FBT",              FLOAT, FP, Float::MoveToBit { set: true }),
];
