//! Privileged instructions of BookE: interrupts of four levels, the software-managed TLB (Power ISA Book III-E).

use super::System;
use crate::cpu::{BOOKE, E5500, Models, Unit};
use crate::op::Op;
use crate::row::{Row, fact::*};

/// Semantic operations of this file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BookE {
    /// Return from critical interrupt.
    Rfci,
    /// Return from debug interrupt.
    Rfdi,
    /// Return from machine check interrupt.
    Rfmci,
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
    /// TLB invalidate on this processor.
    Tlbilx,
    /// TLB synchronise.
    Tlbsync,
    /// Data cache block invalidate.
    Dcbi,
    /// Message send or clear: doorbells between processors.
    Message {
        /// Clear instead of send.
        clear: bool,
    },
    /// Move from performance monitor register; half of them are for problem state too.
    Mfpmr,
    /// Move to performance monitor register.
    Mtpmr,
    /// Move from thread management register.
    Mftmr,
}

const fn row(
    name: &'static str,
    picture: &'static str,
    asm: &'static str,
    models: Models,
    facts: u32,
    op: BookE,
) -> Row {
    Row::new(name, picture, asm, models, Unit::None, facts, Op::System(System::BookE(op)))
}

/// The rows.
#[rustfmt::skip]
pub const ROWS: &[Row] = &[
    row("rfci",    "19 /5 /5 /5 51 /1",       "",        BOOKE, PRIV|SYNC|END, BookE::Rfci),
    row("rfdi",    "19 /5 /5 /5 39 /1",       "",        BOOKE, PRIV|SYNC|END, BookE::Rfdi),
    row("rfmci",   "19 /5 /5 /5 38 /1",       "",        BOOKE, PRIV|SYNC|END, BookE::Rfmci),
    row("wrtee",   "31 RS /5 /5 131 /1",      "RS",      BOOKE, PRIV, BookE::Wrtee),
    row("wrteei",  "31 /5 /5 E /4 163 /1",    "E",       BOOKE, PRIV, BookE::Wrteei),
    row("tlbre",   "31 /5 /5 /5 946 /1",      "",        BOOKE, PRIV, BookE::Tlbre),
    row("tlbwe",   "31 /5 /5 /5 978 /1",      "",        BOOKE, PRIV, BookE::Tlbwe),
    row("tlbsx",   "31 /5 RA RB 914 /1",      "RA0,RB",  BOOKE, PRIV, BookE::Tlbsx),
    row("tlbivax", "31 /5 RA RB 786 /1",      "RA0,RB",  BOOKE, PRIV, BookE::Tlbivax),
    row("tlbilx",  "31 /3 L2 RA RB 18 /1",    "L2,RA0,RB", E5500, PRIV, BookE::Tlbilx),
    row("tlbsync", "31 /5 /5 /5 566 /1",      "",        BOOKE, PRIV, BookE::Tlbsync),
    row("dcbi",    "31 /5 RA RB 470 /1",      "RA0,RB",  BOOKE, PRIV, BookE::Dcbi),
    row("msgsnd",  "31 /5 /5 RB 206 /1",      "RB",      E5500, PRIV, BookE::Message { clear: false }),
    row("msgclr",  "31 /5 /5 RB 238 /1",      "RB",      E5500, PRIV, BookE::Message { clear: true }),
    row("mfpmr",   "31 RT spr 334 /1",        "=RT,SPR", BOOKE, BY_SPR, BookE::Mfpmr),
    row("mtpmr",   "31 RS spr 462 /1",        "SPR,RS",  BOOKE, PRIV, BookE::Mtpmr),
    row("mftmr",   "31 RT spr 366 /1",        "=RT,SPR", BOOKE, PRIV, BookE::Mftmr),
];
