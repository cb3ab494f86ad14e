//! Branches, condition-register logic, system calls and traps (Power ISA Book I, chapter 2 and section 3.3.11).

use crate::cpu::{ALL, Models, SIXTY_FOUR, TO_300, Unit, V207, V300};
use crate::op::Op;
use crate::row::{Row, fact::*};

/// Semantic operations of this file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Branch {
    /// Unconditional branch.
    B,
    /// Conditional branch, relative or absolute.
    Bc,
    /// Conditional branch to LR, CTR or TAR.
    BcTo(Register),
    /// CR logic: bit `2 * a + b` of the truth table is the result.
    CrLogic(u8),
    /// Move CR field.
    Mcrf,
    /// System call; LEV chooses the guest's or the hypervisor's.
    Sc,
    /// System call vectored.
    Scv,
    /// Return from event-based branch.
    ReturnFromEvent,
    /// Clear branch history.
    ClearHistory,
    /// Move from branch history: nothing is recorded.
    FromHistory,
    /// Transactional memory: a facility that is never available.
    Absent,
    /// Trap comparing word or doubleword, with register or immediate.
    Trap {
        /// Compare 64 bits.
        double: bool,
        /// Second operand is SI.
        immediate: bool,
    },
}

/// The registers a branch can go to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Register {
    /// Link register.
    Lr,
    /// Count register.
    Ctr,
    /// Target address register.
    Tar,
}

const fn row(
    name: &'static str,
    picture: &'static str,
    asm: &'static str,
    models: Models,
    unit: Unit,
    facts: u32,
    op: Branch,
) -> Row {
    Row::new(name, picture, asm, models, unit, facts, Op::Branch(op))
}

const N: Unit = Unit::None;

/// The rows.
#[rustfmt::skip]
pub const ROWS: &[Row] = &[
    row("b",      "18 LI AA LK",                "LI",       ALL, N, END,             Branch::B),
    row("bc",     "16 BO BI BD AA LK",          "BO,BI,BD", ALL, N, END|R_CTR|W_CTR, Branch::Bc),
    row("bclr",   "19 BO BI /3 BH 16 LK",       "BO,BI,BH", ALL, N, END|R_LR|R_CTR|W_CTR, Branch::BcTo(Register::Lr)),
    row("bcctr",  "19 BO BI /3 BH 528 LK",      "BO,BI,BH", ALL, N, END|R_CTR,       Branch::BcTo(Register::Ctr)),
    row("bctar",  "19 BO BI /3 BH 560 LK",      "BO,BI,BH", V207, Unit::Tar, END|R_CTR|W_CTR, Branch::BcTo(Register::Tar)),
    row("crand",  "19 BT BA BB 257 /1",         "=BT,BA,BB", ALL, N, 0, Branch::CrLogic(0b1000)),
    row("crnand", "19 BT BA BB 225 /1",         "=BT,BA,BB", ALL, N, 0, Branch::CrLogic(0b0111)),
    row("cror",   "19 BT BA BB 449 /1",         "=BT,BA,BB", ALL, N, 0, Branch::CrLogic(0b1110)),
    row("crxor",  "19 BT BA BB 193 /1",         "=BT,BA,BB", ALL, N, 0, Branch::CrLogic(0b0110)),
    row("crnor",  "19 BT BA BB 33 /1",          "=BT,BA,BB", ALL, N, 0, Branch::CrLogic(0b0001)),
    row("creqv",  "19 BT BA BB 289 /1",         "=BT,BA,BB", ALL, N, 0, Branch::CrLogic(0b1001)),
    row("crandc", "19 BT BA BB 129 /1",         "=BT,BA,BB", ALL, N, 0, Branch::CrLogic(0b0100)),
    row("crorc",  "19 BT BA BB 417 /1",         "=BT,BA,BB", ALL, N, 0, Branch::CrLogic(0b1101)),
    row("mcrf",   "19 BF /2 BFA /2 /5 0 /1",    "=BF,BFA",  ALL, N, 0, Branch::Mcrf),
    row("sc",     "17 /5 /5 /4 LEV /3 1:1 /1",  "LEV",      ALL, N, END|PROGRAM,     Branch::Sc),
    row("scv",    "17 /5 /5 /4 LEV /3 0:1 1:1", "LEV",      V300, Unit::Scv, END|W_LR|W_CTR, Branch::Scv),
    row("rfebb",  "19 /5 /5 /4 S1 146 /1",      "S1",       V207, Unit::Ebb, END,       Branch::ReturnFromEvent),
    row("clrbhrb", "31 /5 /5 /5 430 /1",        "",         V207, Unit::Bhrb, 0,        Branch::ClearHistory),
    row("mfbhrbe", "31 RT BHRBE 302 /1",        "=RT,BHRBE", V207, Unit::Bhrb, 0,       Branch::FromHistory),
    // Transactional memory, which Power ISA 3.1 does not have any more. treclaim. and trechkpt. are privileged.
    row("tbegin.", "31 TA /3 R /5 /5 654 1:1",  "R,TA",     TO_300, Unit::Tm, W_CR0,    Branch::Absent),
    row("tend.",   "31 TA /4 /5 /5 686 1:1",    "TA",       TO_300, Unit::Tm, W_CR0,    Branch::Absent),
    row("tcheck",  "31 BF /2 /5 /5 718 /1",     "=BF",      TO_300, Unit::Tm, 0,        Branch::Absent),
    row("tsr.",    "31 /4 L /5 /5 750 1:1",     "L",        TO_300, Unit::Tm, W_CR0,    Branch::Absent),
    row("tabort.", "31 /5 RA /5 910 1:1",       "RA",       TO_300, Unit::Tm, W_CR0,    Branch::Absent),
    row("tabortwc.", "31 TO RA RB 782 1:1",     "TO,RA,RB", TO_300, Unit::Tm, W_CR0,    Branch::Absent),
    row("tabortdc.", "31 TO RA RB 814 1:1",     "TO,RA,RB", TO_300, Unit::Tm, W_CR0,    Branch::Absent),
    row("tabortwci.", "31 TO RA RB 846 1:1",    "TO,RA,SIB", TO_300, Unit::Tm, W_CR0,   Branch::Absent),
    row("tabortdci.", "31 TO RA RB 878 1:1",    "TO,RA,SIB", TO_300, Unit::Tm, W_CR0,   Branch::Absent),
    row("tw",     "31 TO RA RB 4 /1",           "TO,RA,RB", ALL, N, PROGRAM, Branch::Trap { double: false, immediate: false }),
    row("twi",    "3 TO RA SI",                 "TO,RA,SI", ALL, N, PROGRAM, Branch::Trap { double: false, immediate: true }),
    row("td",     "31 TO RA RB 68 /1",          "TO,RA,RB", SIXTY_FOUR, N, PROGRAM, Branch::Trap { double: true, immediate: false }),
    row("tdi",    "2 TO RA SI",                 "TO,RA,SI", SIXTY_FOUR, N, PROGRAM, Branch::Trap { double: true, immediate: true }),
];
