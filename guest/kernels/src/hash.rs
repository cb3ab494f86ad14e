//! Hashed page table through H_ENTER (PAPR 14.5.4.1): 4 KiB pages in 256 MiB segments whose VSID is chosen here.
//!
//! Contract: entries use the layout of ISA 2.07, as the hypercalls always do.

use guest_rt::{
    fdt::{Fdt, number},
    papr::{Reply, hcall, opcode},
};

/// First entry word: valid.
pub const VALID: u64 = 1;
/// Memory coherence, the WIMG of RAM.
pub const COHERENT: u64 = 0x10;

/// Protection PP2 with Ks = 0, Kp = 1.
#[rustfmt::skip]
pub mod pp {
    /// Supervisor read/write, user nothing.
    pub const KERNEL: u64 = 0;
    /// Supervisor read/write, user read.
    pub const USER_READ: u64 = 1;
    /// Both read/write.
    pub const USER: u64 = 2;
    /// Both read only.
    pub const READ_ONLY: u64 = 3;
    /// No instruction fetch.
    pub const NO_EXECUTE: u64 = 4;
}

/// log2 of the table's bytes, from the tree's `ibm,pft-size`.
#[derive(Clone, Copy)]
pub struct Table {
    pub log2_bytes: u32,
}

impl Table {
    /// The same with another size.
    pub fn resized(self, log2_bytes: u32) -> Self {
        Self { log2_bytes }
    }

    /// The table of this machine.
    pub fn of(tree: Option<Fdt<'_>>) -> Option<Self> {
        let size = tree?.nodes().find_map(|node| node.prop("ibm,pft-size"))?;
        Some(Self { log2_bytes: number(size.get(4..)?)? as u32 })
    }

    /// First entry of the primary group of a page.
    pub fn group(&self, vsid: u64, ea: u64) -> u64 {
        let hash = vsid ^ (ea >> 12 & 0xffff);
        (hash & ((1 << (self.log2_bytes - 7)) - 1)) * 8
    }

    /// Abbreviated virtual page number, in place.
    pub fn avpn(vsid: u64, ea: u64) -> u64 {
        vsid << 12 | (ea >> 23 & 0x1f) << 7
    }

    /// H_ENTER into the first free slot of the primary group.
    pub fn enter(&self, vsid: u64, ea: u64, ra: u64, rights: u64) -> Reply {
        let first = Self::avpn(vsid, ea) | VALID;
        hcall(opcode::H_ENTER, &[0, self.group(vsid, ea), first, ra | COHERENT | rights])
    }
}
