//! The fast software TLB: what translated code looks into before it accesses memory.
//!
//! An entry maps a unit of effective addresses to the host's memory: 64 KiB as long as the guest's pages allow it, else 4 KiB. Its tag is the page address and the number of
//! the address space; the lowest bits of a tag are zero, so that an unaligned access, whose low bits are compared as
//! well, does not match. An access remembers the entry that it has used last and looks there first: what it adds to the
//! address does then not depend on the address, and is there before it. Entries are copies of what the interpreter's TLB knows, for RAM only.

use exec::VcpuState;
use ppc_mmu::{Invalidation, Keys, Tables};

/// Entries; a power of two.
pub const ENTRIES: usize = 1024;
/// Accesses that can remember an entry; then all code is dropped.
pub const HINTS: usize = 1 << 18;
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
    Radix { pid: u32, problem: bool, keys: Keys },
    Hash { generation: u64, problem: bool, keys: Keys },
    Segments { registers: [u32; 16], problem: bool },
    BookE { pids: [u32; 3], space: bool, problem: bool },
}

impl Space {
    /// The space that `tables` make.
    pub fn of(state: &VcpuState, tables: &Tables) -> Space {
        let problem = state.mode.problem();
        match *tables {
            Tables::Real => Space::Real { problem },
            Tables::Radix { pid, .. } => Space::Radix { pid, problem, keys: state.keys() },
            Tables::Hash { slb, .. } => Space::Hash { generation: slb.generation, problem, keys: state.keys() },
            Tables::Book3s32 { pages, .. } => Space::Segments { registers: *pages.segments, problem },
            Tables::BookE { pids, space, .. } => Space::BookE { pids, space, problem },
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

/// Numbers of things that few are in use of at a time. A number is used anew only after everything was forgotten.
pub struct Numbers<T> {
    /// The ones asked for last stand first.
    known: Vec<(T, u64)>,
    /// The last number that was given.
    last: u64,
}

impl<T> Default for Numbers<T> {
    fn default() -> Numbers<T> {
        Numbers { known: Vec::new(), last: 0 }
    }
}

impl<T: PartialEq> Numbers<T> {
    /// The number of `thing`, from 1 on; `None` when all up to `most` were given.
    pub fn of(&mut self, thing: T, most: u64) -> Option<u64> {
        let Some(at) = self.known.iter().position(|(known, _)| *known == thing) else {
            if self.last >= most {
                return None;
            }
            self.last += 1;
            if self.known.len() >= MOST {
                self.known.pop();
            }
            self.known.push((thing, self.last));
            return Some(self.last);
        };
        self.known.swap(at, at / 2);
        self.known.get(at / 2).map(|(_, number)| *number)
    }

    /// Retires the numbers of the things for which `goes` holds.
    pub fn retire(&mut self, goes: impl Fn(&T) -> bool) {
        self.known.retain(|(thing, _)| !goes(thing));
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
