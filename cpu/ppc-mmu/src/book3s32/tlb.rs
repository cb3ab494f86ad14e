//! The TLBs of processors that let software search the page table: what `tlbld` and `tlbli` put there (MPC603e RISC
//! Microprocessor User's Manual, section 5.4).

use super::{PTE_V, SR_VSID};
use crate::access::Access;

/// Sets, which address bits 15 to 19 select, and entries of each.
const SETS: usize = 32;
const WAYS: usize = 2;

/// One entry.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
struct Entry {
    /// Valid.
    valid: bool,
    /// Virtual segment identifier.
    vsid: u32,
    /// Address bits 4 to 19.
    index: u32,
    /// Second word of a page table entry.
    second: u32,
}

/// Entries for data and for instructions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Tlb {
    entries: [[[Entry; WAYS]; SETS]; 2],
    /// The way of each set to be replaced next.
    next: [[u8; SETS]; 2],
}

fn set_of(ea: u32) -> usize {
    (ea >> 12) as usize & (SETS - 1)
}

impl Tlb {
    /// Puts the page table entry `words` into `way` of the set of `ea`, for fetches or for data.
    pub fn load(&mut self, fetch: bool, way: usize, words: [u32; 2], ea: u32) {
        let [first, second] = words;
        let index = (first & 0x3f) << 10 | ea >> 12 & 0x3ff;
        let entry = Entry { valid: first & PTE_V != 0, vsid: first >> 7 & SR_VSID, index, second };
        let (array, set) = (usize::from(fetch), set_of(ea));
        let slot = self.entries.get_mut(array).and_then(|sets| sets.get_mut(set)?.get_mut(way));
        if let (Some(slot), Some(next)) = (slot, self.next.get_mut(array).and_then(|sets| sets.get_mut(set))) {
            *slot = entry;
            *next = (way ^ 1) as u8;
        }
    }

    /// Way and second word of the entry for `ea` in segment `vsid`.
    pub fn find(&self, access: Access, vsid: u32, ea: u32) -> Option<(usize, u32)> {
        let ways = self.entries.get(usize::from(access == Access::Fetch))?.get(set_of(ea))?;
        let index = ea >> 12 & 0xffff;
        let found = |entry: &Entry| entry.valid && entry.vsid == vsid && entry.index == index;
        ways.iter().enumerate().find(|(_, entry)| found(entry)).map(|(way, entry)| (way, entry.second))
    }

    /// The way of the set of `ea` to be replaced next.
    pub fn next(&self, fetch: bool, ea: u32) -> usize {
        self.next.get(usize::from(fetch)).and_then(|sets| sets.get(set_of(ea))).copied().unwrap_or(0).into()
    }

    /// Empties the sets of `ea`.
    pub fn invalidate(&mut self, ea: u32) {
        for set in self.entries.iter_mut().filter_map(|sets| sets.get_mut(set_of(ea))) {
            *set = [Entry::default(); WAYS];
        }
    }
}
