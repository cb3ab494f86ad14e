//! Radix trees of the ISA 3.0 (Book III 6.7): 52 bits in levels of 13, 9, 9 and 9 bits, tables in `memory::TABLES`.
//!
//! Contract: `Tree::map` installs one leaf at the level of its page size; table memory is never given back.
//! Not its job: invalidating anything.

use guest_rt::{
    papr::{hcall, opcode},
    spr::ptesync,
};

use crate::memory::{PROCESS_TABLE, TABLES, clear, peek, poke};

const VALID: u64 = 1 << 63;
const LEAF: u64 = 1 << 62;
const RPN: u64 = 0x01ff_ffff_ffff_f000;
/// RTS of 52 bits and a root of 2^13 entries, for the process table entry.
const ROOT_GEOMETRY: u64 = 0x4000_0000_0000_00a0 | 13;

/// Leaf bits: reference and change, and the access rights (EAA).
#[rustfmt::skip]
pub mod pte {
    pub const R: u64 = 0x100;
    pub const C: u64 = 0x080;
    pub const PRIVILEGED: u64 = 8;
    pub const READ: u64 = 4;
    pub const WRITE: u64 = 2;
    pub const EXECUTE: u64 = 1;
    pub const KERNEL: u64 = R | C | PRIVILEGED | READ | WRITE | EXECUTE;
    pub const USER: u64 = R | C | READ | WRITE | EXECUTE;
}

/// Leaf sizes as log2 of bytes.
#[derive(Clone, Copy)]
pub enum Page {
    Size4K = 12,
    Size64K = 16,
    Size2M = 21,
    Size1G = 30,
}

/// Gives out zeroed table memory.
pub struct Tables {
    next: u64,
}

/// One tree.
#[derive(Clone, Copy)]
pub struct Tree {
    root: u64,
}

impl Default for Tables {
    fn default() -> Self {
        Self { next: TABLES }
    }
}

impl Tables {
    fn take(&mut self, entries: u32) -> u64 {
        let bytes = 8_u64 << entries;
        let at = self.next.next_multiple_of(bytes.max(0x1000));
        self.next = at + bytes;
        clear(at, bytes);
        at
    }

    /// A tree with nothing in it.
    pub fn tree(&mut self) -> Tree {
        Tree { root: self.take(13) }
    }
}

impl Tree {
    /// Real address of the leaf for this address, its tables made where they are missing.
    pub fn leaf(&self, tables: &mut Tables, ea: u64, page: Page) -> u64 {
        // (index shift, index bits, log2 of the page a leaf of this level maps); 64 KiB leaves have 5 index bits.
        let (mut table, mut shift, mut bits) = (self.root, 39, 13);
        loop {
            let entry = table + ((ea >> shift & ((1 << bits) - 1)) << 3);
            if shift <= page as u32 {
                return entry;
            }
            bits = if shift == 21 && page as u32 == 16 { 5 } else { 9 };
            shift -= bits;
            let pde = u64::from_be(peek(entry));
            table = if pde & VALID != 0 {
                pde & 0x0fff_ffff_ffff_ff00
            } else {
                let next = tables.take(bits);
                poke(entry, (VALID | next | u64::from(bits)).to_be());
                next
            };
        }
    }

    /// Maps one page; returns the real address of its leaf.
    pub fn map(&self, tables: &mut Tables, ea: u64, ra: u64, page: Page, bits: u64) -> u64 {
        let leaf = self.leaf(tables, ea, page);
        poke(leaf, (VALID | LEAF | (ra & RPN) | bits).to_be());
        ptesync();
        leaf
    }

    /// Puts the tree into the process table.
    pub fn install(&self, pid: u64) {
        let entry = PROCESS_TABLE + pid * 16;
        poke(entry, (ROOT_GEOMETRY | self.root).to_be());
        poke(entry + 8, 0_u64);
        ptesync();
    }
}

/// Registers the (cleared) process table: radix, GTSE. Returns the hypercall's status.
pub fn register() -> i64 {
    clear(PROCESS_TABLE, 0x1000);
    hcall(opcode::H_REGISTER_PROC_TBL, &[0x1d, PROCESS_TABLE, 0, 0]).status
}
