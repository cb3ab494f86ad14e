//! The fast software TLB: what translated code looks into before it accesses memory.
//!
//! An entry maps a unit of effective addresses to the host's memory: 64 KiB as long as the guest's pages allow it, else
//! 4 KiB. Its tag is the page address and the number of the address space; the lowest bits of a tag are zero, so that an
//! unaligned access, whose low bits are compared as well, does not match. An access remembers the entry that it has used
//! last and looks there first: what it adds to the address does then not depend on the address, and is there before it.
//! Entries are copies of what the interpreter's TLB knows, for RAM only.

use std::mem::offset_of;

use exec::VcpuState;
use ppc_mmu::{Invalidation, Keys, Tables};

use crate::segments::Segments;

/// Entries; a power of two.
pub const ENTRIES: usize = 1024;
/// Accesses that can remember an entry; then all code is dropped.
pub const HINTS: usize = 1 << 18;
/// The first of them are for accesses of all code.
pub const COMMON_HINTS: usize = 6;
/// log2 of the bytes of an entry.
pub const ENTRY_SHIFT: u32 = 5;
/// Where the number of the address space stands in a tag, above the low bits of the largest operand.
pub const KEY_SHIFT: u32 = 4;
/// log2 of the bytes of a large unit, and of a small one.
pub const LARGE: u8 = 16;
/// See [`LARGE`].
pub const SMALL: u8 = 12;
/// Pages smaller than a large unit that are met before units become small.
pub const PATIENCE: u32 = 256;
/// Numbers of address spaces: what is free in a tag of small units.
pub const SPACES: u64 = 255;
/// The most spaces that are told apart at a time.
const MOST: usize = 128;

/// One entry.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct Entry {
    /// Tag that loads compare with; 0 = none.
    pub load: u64,
    /// Tag that stores compare with; 0 = none.
    pub store: u64,
    /// What is added to an effective address to make the host's.
    pub addend: u64,
    /// Tag of stores that look at the word of their page before, since the unit has pages with code; 0 = none.
    pub careful: u64,
}

/// An empty entry.
pub const EMPTY: Entry = Entry { load: 0, store: 0, addend: 0, careful: 0 };

impl Entry {
    /// Nothing matches it.
    pub fn is_empty(&self) -> bool {
        self.load | self.store | self.careful == 0
    }

    /// Where in an entry the tag is that loads, or stores, compare with.
    pub fn tag_at(stores: bool) -> usize {
        if stores { offset_of!(Entry, store) } else { offset_of!(Entry, load) }
    }

    /// Stores are to look at the word of their page from now on, if the entry is of the unit at the host address `unit`.
    pub fn be_careful(&mut self, unit: u64, mask: u64) {
        if self.store != 0 && (self.store & mask).wrapping_add(self.addend) == unit {
            (self.careful, self.store) = (self.store, 0);
        }
    }
}

/// An address space in one mode.
#[derive(Clone, PartialEq, Eq)]
pub enum Space {
    Real { problem: bool },
    Radix { pid: u32, problem: bool, iamr: u64 },
    Hash { segments: Segments, problem: bool, keys: Keys },
    Segments { registers: [u32; 16], problem: bool },
    BookE { pids: [u32; 3], space: bool, problem: bool },
}

/// The part of a mask that says whether privileged state may access user pages (key 0), which is all that counts with
/// radix translation (Power ISA 3.0B Book III, section 5.7.10.3).
const USER_PAGES: u64 = 3 << 62;

impl Space {
    /// The space that `tables` make, and with hash translation `segments`. With radix translation that of privileged state
    /// is process 0's, with hash translation it follows from the kernel's segments, see [`Space::is_shared`].
    pub fn of(state: &VcpuState, tables: &Tables, segments: Segments) -> Space {
        let problem = state.mode.problem();
        match *tables {
            Tables::Real => Space::Real { problem },
            Tables::Radix { pid, .. } => {
                // Its key 0 guards user pages, wherever they are, against privileged state.
                let iamr = if problem { 0 } else { state.iamr & USER_PAGES };
                Space::Radix { pid: if problem { pid } else { 0 }, problem, iamr }
            }
            Tables::Hash { .. } => {
                let segments = if problem { segments } else { Segments { others: 0, ..segments } };
                Space::Hash { segments, problem, keys: state.keys() }
            }
            Tables::Book3s32 { pages, .. } => Space::Segments { registers: *pages.segments, problem },
            Tables::BookE { pids, space, .. } => Space::BookE { pids, space, problem },
        }
    }

    /// Whether the space is that of several processes, but for addresses outside of quadrant 3: those are a [`View`].
    pub fn is_shared(&self) -> bool {
        matches!(self, Space::Radix { problem: false, .. } | Space::Hash { problem: false, .. })
    }

    /// Whether it is problem state's.
    pub fn problem(&self) -> bool {
        match *self {
            Space::Real { problem }
            | Space::Radix { problem, .. }
            | Space::Hash { problem, .. }
            | Space::Segments { problem, .. }
            | Space::BookE { problem, .. } => problem,
        }
    }

    /// Whether `what`, which is not one page, is about translations of this space.
    pub fn is_of(&self, what: Invalidation) -> bool {
        match (what, self) {
            (Invalidation::Process(process), Space::Radix { pid, .. }) => process == *pid || process == 0,
            (Invalidation::Process(process), Space::BookE { pids, .. }) => pids.contains(&process),
            (Invalidation::Process(_), _) => false,
            _ => true,
        }
    }
}

/// What privileged state sees outside of quadrant 3, and with radix translation of user pages anywhere.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct View {
    pid: u32,
    amr: u64,
    segments: u64,
}

impl View {
    /// That of the state, with hash translation if there are `segments`.
    pub fn of(state: &VcpuState, segments: Option<Segments>) -> View {
        match segments {
            // The masks decide about kernel pages as well: the space has them.
            Some(segments) => View { pid: 0, amr: USER_PAGES, segments: segments.others },
            None => View { pid: state.pid, amr: state.amr & USER_PAGES, segments: 0 },
        }
    }

    /// Whether a translation of `ea` may follow from the view. Where key 0 forbids every access none is of a user page.
    pub fn reaches(&self, ea: u64) -> bool {
        ea >> 62 != 3 || self.amr != USER_PAGES
    }
}

/// Numbers of things that few are in use of at a time. A number is used anew only after everything was forgotten.
pub struct Numbers<T> {
    /// The ones asked for last stand first.
    known: Vec<Numbered<T>>,
    /// The last number that was given.
    last: u64,
}

struct Numbered<T> {
    thing: T,
    number: u64,
    /// Something goes by the number.
    used: bool,
}

impl<T> Default for Numbers<T> {
    fn default() -> Numbers<T> {
        Numbers { known: Vec::new(), last: 0 }
    }
}

impl<T: PartialEq> Numbers<T> {
    /// The number of `thing`, from 1 on; `None` when all up to `most` were given.
    pub fn of(&mut self, thing: T, most: u64) -> Option<u64> {
        let Some(at) = self.known.iter().position(|known| known.thing == thing) else {
            if self.last >= most {
                return None;
            }
            self.last += 1;
            if self.known.len() >= MOST {
                self.known.pop();
            }
            self.known.push(Numbered { thing, number: self.last, used: false });
            return Some(self.last);
        };
        self.known.swap(at, at / 2);
        self.known.get(at / 2).map(|known| known.number)
    }

    /// Notes that something goes by `number`.
    pub fn used(&mut self, number: u64) {
        if let Some(known) = self.known.iter_mut().find(|known| known.number == number) {
            known.used = true;
        }
    }

    /// Retires the numbers of the things for which `goes` holds, as far as they are used.
    pub fn retire(&mut self, goes: impl Fn(&T) -> bool) {
        self.known.retain(|known| !known.used || !goes(&known.thing));
    }

    /// Retires all numbers. Returns one that is nobody's.
    pub fn retire_all(&mut self) -> u64 {
        self.known.clear();
        self.last += 1;
        self.last
    }

    /// Begins anew: everything that goes by the numbers must be forgotten, too.
    pub fn clear(&mut self) {
        *self = Numbers::default();
    }
}

/// Index of the entry for `ea` in units of 2^`unit` bytes.
pub fn index(ea: u64, unit: u8) -> usize {
    (ea >> unit) as usize & (ENTRIES - 1)
}

/// The part of an address that names its unit.
pub fn mask(unit: u8) -> u64 {
    u64::MAX << unit
}

/// The tag of the unit of `ea` in space `key`, which stands in its place already.
pub fn tag(ea: u64, key: u64, unit: u8) -> u64 {
    ea & mask(unit) ^ key
}

/// Empties the entries of a page of `1 << shift` bytes.
pub fn invalidate(entries: &mut [Entry; ENTRIES], address: u64, shift: u32, unit: u8) {
    let units = (1u64 << shift.saturating_sub(unit.into()).min(30)).min(ENTRIES as u64);
    let first = (address >> unit) & !(units - 1);
    for number in first..first + units {
        if let Some(entry) = entries.get_mut(number as usize & (ENTRIES - 1)) {
            *entry = EMPTY;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_go_when_something_went_by_them_and_never_come_again() {
        let mut numbers = Numbers::default();
        assert_eq!([numbers.of('a', 3), numbers.of('b', 3), numbers.of('a', 3)], [Some(1), Some(2), Some(1)]);
        numbers.retire(|thing| *thing == 'a');
        assert_eq!(numbers.of('a', 3), Some(1));
        numbers.used(1);
        numbers.retire(|thing| *thing == 'a');
        assert_eq!([numbers.of('b', 3), numbers.of('a', 3), numbers.of('c', 3)], [Some(2), Some(3), None]);
        assert_eq!(numbers.retire_all(), 4);
        assert_eq!(numbers.of('b', 9), Some(5));
    }
}
