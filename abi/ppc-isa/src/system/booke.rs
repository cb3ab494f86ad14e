//! Privileged instructions of BookE: interrupts of three levels, the software-managed TLB (Power ISA Book III-E).

use super::System;
use crate::cpu::{BOOKE, Unit};
use crate::op::Op;
use crate::row::{Row, fact::*};

/// Semantic operations of this file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BookE {
    /// Return from critical interrupt.
    Rfci,
    /// Write `MSR[EE]` from a register.
    Wrtee,
    /// Write `MSR[EE]` from the instruction.
    Wrteei,
    /// TLB read entry.
    Tlbre,
    /// TLB write entry.
    Tlbwe,
    /// TLB search.
    Tlbsx,
    /// TLB invalidate by virtual address, on all processors.
    Tlbivax,
    /// TLB synchronise.
    Tlbsync,
}

const fn row(name: &'static str, picture: &'static str, asm: &'static str, facts: u32, op: BookE) -> Row {
    Row::new(name, picture, asm, BOOKE, Unit::None, facts, Op::System(System::BookE(op)))
}

/// The rows.
#[rustfmt::skip]
pub const ROWS: &[Row] = &[
    row("rfci",    "19 /5 /5 /5 51 /1",       "",        PRIV|SYNC|END, BookE::Rfci),
    row("wrtee",   "31 RS /5 /5 131 /1",      "RS",      PRIV, BookE::Wrtee),
    row("wrteei",  "31 /5 /5 E /4 163 /1",    "E",       PRIV, BookE::Wrteei),
    row("tlbre",   "31 /5 /5 /5 946 /1",      "",        PRIV, BookE::Tlbre),
    row("tlbwe",   "31 /5 /5 /5 978 /1",      "",        PRIV, BookE::Tlbwe),
    row("tlbsx",   "31 /5 RA RB 914 /1",      "RA0,RB",  PRIV, BookE::Tlbsx),
    row("tlbivax", "31 /5 RA RB 786 /1",      "RA0,RB",  PRIV, BookE::Tlbivax),
    row("tlbsync", "31 /5 /5 /5 566 /1",      "",        PRIV, BookE::Tlbsync),
];
