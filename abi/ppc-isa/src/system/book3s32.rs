//! Privileged instructions of Book3S-32: segment registers, TLB (PowerPC Operating Environment Architecture).

use super::System;
use crate::cpu::{CLASSIC, Cpu, Models, Unit};
use crate::op::Op;
use crate::row::{Row, fact::*};

/// Semantic operations of this file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Book3s32 {
    /// Move to segment register; `indirect` names it by the top bits of RB.
    Mtsr {
        /// By RB.
        indirect: bool,
    },
    /// Move from segment register.
    Mfsr {
        /// By RB.
        indirect: bool,
    },
    /// TLB invalidate entry.
    Tlbie,
    /// TLB synchronise.
    Tlbsync,
    /// Load a TLB entry after a search by software (603, 7450).
    LoadTlb {
        /// For instructions, not data.
        instruction: bool,
    },
    /// Data cache block invalidate.
    Dcbi,
}

const fn row(name: &'static str, picture: &'static str, asm: &'static str, facts: u32, op: Book3s32) -> Row {
    Row::new(name, picture, asm, CLASSIC, Unit::None, facts, Op::System(System::Book3s32(op)))
}

const fn search(name: &'static str, picture: &'static str, instruction: bool) -> Row {
    const MODELS: Models = Models::of(&[Cpu::Ppc603, Cpu::Ppc7450]);
    let op = Op::System(System::Book3s32(Book3s32::LoadTlb { instruction }));
    Row::new(name, picture, "RB", MODELS, Unit::None, PRIV, op)
}

/// The rows.
#[rustfmt::skip]
pub const ROWS: &[Row] = &[
    row("mtsr",    "31 RS /1 SR /5 210 /1", "SR,RS",  PRIV, Book3s32::Mtsr { indirect: false }),
    row("mtsrin",  "31 RS /5 RB 242 /1",    "RS,RB",  PRIV, Book3s32::Mtsr { indirect: true }),
    row("mfsr",    "31 RT /1 SR /5 595 /1", "=RT,SR", PRIV, Book3s32::Mfsr { indirect: false }),
    row("mfsrin",  "31 RT /5 RB 659 /1",    "=RT,RB", PRIV, Book3s32::Mfsr { indirect: true }),
    row("tlbie",   "31 /5 /5 RB 306 /1",    "RB",     PRIV, Book3s32::Tlbie),
    row("tlbsync", "31 /5 /5 /5 566 /1",    "",       PRIV, Book3s32::Tlbsync),
    search("tlbld", "31 /5 /5 RB 978 /1", false),
    search("tlbli", "31 /5 /5 RB 1010 /1", true),
    row("dcbi",    "31 /5 RA RB 470 /1",    "RA0,RB", PRIV|STORE, Book3s32::Dcbi),
];
