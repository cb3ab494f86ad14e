//! What a translation depends on.

use guest_mem::GuestMem;

use crate::access::Keys;
use crate::book3s32::{Bats, Pages};
use crate::booke;
use crate::slb::Slb;
use crate::table::HashTable;

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
        /// Segment registers, TLB and page table.
        pages: Pages<'a>,
    },
    /// The software-managed TLB.
    BookE {
        /// Its arrays.
        tlb: &'a booke::Tlb,
        /// PID0 to PID2.
        pids: [u32; 3],
        /// Address space 1.
        space: bool,
        /// Little-endian pages only; else big-endian ones.
        little: bool,
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
