//! Privileged instructions of BookE: interrupts of four levels, the software-managed TLB (Power ISA Book III-E).

use super::System;
use crate::cpu::{BOOKE, E5500, E6500, Models, Unit};
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
    /// In the address space of an external process ID.
    External(External),
}

/// What external process ID instructions do, by EPSC if they store and by EPLC if not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum External {
    /// Load into a GPR.
    Load {
        /// 1, 2, 4 or 8.
        bytes: u8,
    },
    /// Store from a GPR.
    Store {
        /// 1, 2, 4 or 8.
        bytes: u8,
    },
    /// Load a double into an FPR.
    LoadFloat,
    /// Store a double.
    StoreFloat,
    /// Load a vector.
    LoadVector,
    /// Store a vector.
    StoreVector,
    /// Set a cache block to zero.
    Zero,
    /// Translate an address, and nothing else: caches are not modelled.
    Touch,
    /// Nothing: touches that may not fault.
    Hint,
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

const fn external(name: &'static str, picture: &'static str, asm: &'static str, facts: u32, op: External) -> Row {
    let (models, unit) = match op {
        External::LoadFloat | External::StoreFloat => (E5500, Unit::Fp),
        External::LoadVector | External::StoreVector => (E6500, Unit::Vmx),
        _ => (E5500, Unit::None),
    };
    Row::new(name, picture, asm, models, unit, PRIV | facts, Op::System(System::BookE(BookE::External(op))))
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
    external("lbepx",    "31 RT RA RB 95 /1",   "=RT,RA0,RB", LOAD, External::Load { bytes: 1 }),
    external("lhepx",    "31 RT RA RB 287 /1",  "=RT,RA0,RB", LOAD, External::Load { bytes: 2 }),
    external("lwepx",    "31 RT RA RB 31 /1",   "=RT,RA0,RB", LOAD, External::Load { bytes: 4 }),
    external("ldepx",    "31 RT RA RB 29 /1",   "=RT,RA0,RB", LOAD, External::Load { bytes: 8 }),
    external("stbepx",   "31 RS RA RB 223 /1",  "RS,RA0,RB",  STORE, External::Store { bytes: 1 }),
    external("sthepx",   "31 RS RA RB 415 /1",  "RS,RA0,RB",  STORE, External::Store { bytes: 2 }),
    external("stwepx",   "31 RS RA RB 159 /1",  "RS,RA0,RB",  STORE, External::Store { bytes: 4 }),
    external("stdepx",   "31 RS RA RB 157 /1",  "RS,RA0,RB",  STORE, External::Store { bytes: 8 }),
    external("lfdepx",   "31 FRT RA RB 607 /1", "=FRT,RA0,RB", LOAD, External::LoadFloat),
    external("stfdepx",  "31 FRS RA RB 735 /1", "FRS,RA0,RB", STORE, External::StoreFloat),
    external("lvepx",    "31 VRT RA RB 295 /1", "=VRT,RA0,RB", LOAD, External::LoadVector),
    external("lvepxl",   "31 VRT RA RB 263 /1", "=VRT,RA0,RB", LOAD, External::LoadVector),
    external("stvepx",   "31 VRS RA RB 807 /1", "VRS,RA0,RB", STORE, External::StoreVector),
    external("stvepxl",  "31 VRS RA RB 775 /1", "VRS,RA0,RB", STORE, External::StoreVector),
    external("dcbstep",  "31 /5 RA RB 63 /1",   "RA0,RB",     LOAD, External::Touch),
    external("dcbfep",   "31 /5 RA RB 127 /1",  "RA0,RB",     LOAD, External::Touch),
    external("icbiep",   "31 /5 RA RB 991 /1",  "RA0,RB",     LOAD, External::Touch),
    // TH; objdump prints it as a register.
    external("dcbtep",   "31 RT RA RB 319 /1",  "RT,RA0,RB",  0, External::Hint),
    external("dcbtstep", "31 RT RA RB 255 /1",  "RT,RA0,RB",  0, External::Hint),
    // The form for a whole block whatever L1CSR0 says, dcbzlep, has the last reserved bit set.
    external("dcbzep",   "31 /5 RA RB 1023 /1", "RA0,RB",     STORE, External::Zero),
];
