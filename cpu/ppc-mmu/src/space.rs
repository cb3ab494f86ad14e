//! What a translation depends on, and what it yields.

use guest_mem::GuestMem;

use crate::book3s32::{Bats, Segments};
use crate::booke;
use crate::slb::Slb;
use crate::table::HashTable;

/// The top four bits of a real address are ignored (Power ISA Book III, section 5.7.3: real mode).
pub const REAL_MASK: u64 = 0x0fff_ffff_ffff_ffff;

/// Kind of access.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Instruction fetch.
    Fetch,
    /// Load.
    Load,
    /// Store.
    Store,
}

/// Authority masks: AMR for data, IAMR for fetches; key n is bits 2n and 2n+1 (IBM numbering).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Keys {
    /// Authority mask register.
    pub amr: u64,
    /// Instruction authority mask register.
    pub iamr: u64,
}

impl Keys {
    /// Whether virtual page class key `key` forbids the access.
    pub fn forbids(self, key: u32, access: Access) -> bool {
        let pair = |mask: u64| (mask >> (62 - 2 * (key & 31))) & 3;
        match access {
            Access::Store => pair(self.amr) & 2 != 0,
            Access::Load => pair(self.amr) & 1 != 0,
            Access::Fetch => pair(self.iamr) & 1 != 0,
        }
    }
}

/// The tables of an address space.
#[derive(Clone, Copy)]
pub enum Tables<'a> {
    /// Relocation off.
    Real,
    /// Radix trees found through the process table.
    Radix {
        /// Guest real address of the process table.
        table: u64,
        /// Its size in bytes.
        size: u64,
        /// PIDR.
        pid: u32,
    },
    /// Hashed page table and segment lookaside buffer.
    Hash {
        /// The partition's table.
        table: &'a HashTable,
        /// The thread's SLB.
        slb: &'a Slb,
        /// No-execute bits do not count in privileged state.
        ignore_no_execute: bool,
    },
    /// Block address translation, then segment registers and a hashed page table in guest memory.
    Book3s32 {
        /// BATs.
        bats: &'a Bats,
        /// Segment registers.
        segments: &'a Segments,
        /// Place and size of the page table.
        sdr1: u32,
    },
    /// The software-managed TLB.
    BookE {
        /// Its arrays.
        tlb: &'a booke::Tlb,
        /// PID0 to PID2.
        pids: [u32; 3],
        /// Address space 1.
        space: bool,
    },
}

/// Everything that one translation depends on besides the address.
#[derive(Clone, Copy)]
pub struct Space<'a> {
    /// Guest memory, for tables that live in it.
    pub mem: &'a GuestMem,
    /// The tables.
    pub tables: Tables<'a>,
    /// `MSR[PR]` of the guest.
    pub problem: bool,
    /// Authority masks.
    pub keys: Keys,
}

/// A translation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mapping {
    /// Guest real address of the byte asked for.
    pub real: u64,
    /// log2 of the page size.
    pub shift: u32,
    /// Loads allowed.
    pub read: bool,
    /// Stores allowed (and changed bit already set).
    pub write: bool,
    /// Fetches allowed.
    pub execute: bool,
}
