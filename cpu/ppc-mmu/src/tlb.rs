//! A software TLB: 4 KiB entries tagged by address space and mode.
//!
//! An address space in one mode is a *context*, named by a number. In real and radix mode one context covers all
//! addresses; in hash mode each segment has its own (its VSID), so that SLB changes flush nothing either. Contexts are
//! retired, never flushed entry by entry: a retired number is not used again.
//!
//! The set of an entry depends on address bits below every segment and page size in use only, which lets an
//! invalidation by virtual address find its entries without knowing effective addresses.

use std::collections::HashMap;

use crate::access::{Access, Keys, Mapping};
use crate::book3s32::Segments;
use crate::invalidation::Invalidation;
use crate::slb::Slb;
use crate::space::Tables;

const SETS: usize = 4096;
const SEGMENTS: usize = 64;
/// Contexts that are found at once.
const RECENT: usize = 4;
const NONE: u32 = 0;
/// When all contexts are forgotten behind this number, numbers begin again.
const MANY_CONTEXTS: u32 = 1 << 31;

/// What a context stands for.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum Key {
    Real { problem: bool },
    Radix { pid: u32, problem: bool, amr: u8, iamr: u8 },
    Segment { vsid_word: u64, problem: bool, keys: Keys },
    SegmentRegister { value: u32, problem: bool },
    BookE { pids: [u32; 3], space: bool, little: bool, problem: bool },
}

#[derive(Clone, Copy)]
struct Entry {
    /// Effective page address.
    page: u64,
    /// Context, 0 = empty.
    context: u32,
    read: bool,
    write: bool,
    execute: bool,
    uncached: bool,
    /// log2 of the bytes of the page that the entry is of.
    shift: u8,
    /// Real page address.
    real: u64,
}

const EMPTY: Entry =
    Entry { page: 0, context: NONE, read: false, write: false, execute: false, uncached: false, shift: 0, real: 0 };

#[derive(Clone, Copy)]
struct Segment {
    /// Effective address above bit 28.
    esid: u64,
    context: u32,
}

/// A TLB of one vCPU; an engine has one for fetches and one for data, since either may run with relocation off.
pub struct SoftTlb {
    entries: Box<[Entry; SETS]>,
    /// Context of all addresses, or 0 when segments decide.
    context: u32,
    segments: [Segment; SEGMENTS],
    slb_generation: u64,
    /// Segment registers for which `segments` holds.
    registers: Segments,
    problem: bool,
    keys: Keys,
    contexts: HashMap<Key, u32>,
    /// Keys that were entered last, with their contexts.
    entered: [Option<(Key, u32)>; RECENT],
    next_context: u32,
}

impl Default for SoftTlb {
    fn default() -> SoftTlb {
        SoftTlb {
            entries: Box::new([EMPTY; SETS]),
            context: NONE,
            segments: [Segment { esid: 0, context: NONE }; SEGMENTS],
            slb_generation: 0,
            registers: [0; 16],
            problem: false,
            keys: Keys::default(),
            contexts: HashMap::new(),
            entered: [None; RECENT],
            next_context: 1,
        }
    }
}

fn set_of(address: u64) -> usize {
    (address >> 12) as usize & (SETS - 1)
}

fn segment_slot(ea: u64) -> usize {
    ((ea >> 28) ^ (ea >> 60)) as usize & (SEGMENTS - 1)
}

impl SoftTlb {
    /// Makes the TLB answer for these tables and this mode. Cheap when nothing changed.
    pub fn enter(&mut self, tables: &Tables, problem: bool, keys: Keys) {
        let key = match *tables {
            Tables::Real => Key::Real { problem },
            Tables::BookE { pids, space, little, .. } => Key::BookE { pids, space, little, problem },
            Tables::Book3s32 { pages, .. } => {
                let segments = pages.segments;
                if self.context != NONE || self.registers != *segments || self.problem != problem {
                    self.segments = [Segment { esid: 0, context: NONE }; SEGMENTS];
                }
                self.registers = *segments;
                self.problem = problem;
                self.context = NONE;
                return;
            }
            Tables::Radix { pid, .. } => {
                Key::Radix { pid, problem, amr: (keys.amr >> 62) as u8, iamr: (keys.iamr >> 62) as u8 }
            }
            Tables::Hash { slb, .. } => {
                let same = self.context == NONE && self.slb_generation == slb.generation;
                if !same || self.problem != problem || self.keys != keys {
                    self.segments = [Segment { esid: 0, context: NONE }; SEGMENTS];
                }
                self.slb_generation = slb.generation;
                self.problem = problem;
                self.keys = keys;
                self.context = NONE;
                return;
            }
        };
        let known = self.entered.iter().position(|known| known.is_some_and(|(known, _)| known == key));
        let at = known.unwrap_or(RECENT - 1);
        let entered = known.and_then(|at| self.entered.get(at).copied().flatten());
        let number = entered.map_or_else(|| self.number(key), |(_, number)| number);
        if let Some(slot) = self.entered.get_mut(at) {
            *slot = Some((key, number));
        }
        self.entered.swap(at, at / 2);
        self.context = number;
    }

    fn number(&mut self, key: Key) -> u32 {
        if let Some(&number) = self.contexts.get(&key) {
            return number;
        }
        if self.next_context == u32::MAX || self.contexts.len() > 65536 {
            self.forget_all();
        }
        let number = self.next_context;
        self.next_context += 1;
        self.contexts.insert(key, number);
        number
    }

    /// Retires all contexts. Entries are cleared only when numbers run out.
    fn forget_all(&mut self) {
        self.contexts.clear();
        self.segments = [Segment { esid: 0, context: NONE }; SEGMENTS];
        if self.next_context > MANY_CONTEXTS {
            *self.entries = [EMPTY; SETS];
            self.next_context = 1;
        }
        self.entered = [None; RECENT];
        self.context = NONE;
    }

    #[inline(always)]
    fn context_of(&self, ea: u64) -> u32 {
        if self.context != NONE {
            return self.context;
        }
        match self.segments.get(segment_slot(ea)) {
            Some(s) if s.esid == ea >> 28 => s.context,
            _ => NONE,
        }
    }

    /// The real address that an access at `ea` goes to, if known and allowed.
    #[inline(always)]
    pub fn lookup(&self, ea: u64, access: Access) -> Option<u64> {
        let entry = self.entries.get(set_of(ea))?;
        let context = self.context_of(ea);
        let allowed = match access {
            Access::Fetch => entry.execute,
            Access::Load => entry.read,
            Access::Store => entry.write,
        };
        (entry.page == ea & !0xfff && entry.context == context && context != NONE && allowed)
            .then_some(entry.real | (ea & 0xfff))
    }

    /// Whether `ea`, which was found or inserted last, is in storage that caches do not hold.
    pub fn uncached(&self, ea: u64) -> bool {
        self.entries.get(set_of(ea)).is_some_and(|entry| entry.page == ea & !0xfff && entry.uncached)
    }

    /// log2 of the size of the page of `ea`, which was found or inserted last.
    pub fn page_shift(&self, ea: u64) -> u32 {
        self.entries.get(set_of(ea)).map_or(0, |entry| entry.shift.into())
    }

    /// Remembers a mapping of `ea`. In hash mode `slb` names the segment.
    pub fn insert(&mut self, tables: &Tables, ea: u64, mapping: Mapping) {
        match *tables {
            Tables::Hash { slb, .. } => self.insert_segment(slb, ea),
            Tables::Book3s32 { pages, .. } => self.insert_register(pages.segments, ea),
            _ => {}
        }
        let context = self.context_of(ea);
        let entry = Entry {
            page: ea & !0xfff,
            context,
            read: mapping.read,
            write: mapping.write,
            execute: mapping.execute,
            uncached: mapping.uncached,
            shift: mapping.shift as u8,
            real: mapping.real & !0xfff,
        };
        if let Some(slot) = self.entries.get_mut(set_of(ea)) {
            *slot = entry;
        }
    }

    fn insert_segment(&mut self, slb: &Slb, ea: u64) {
        let Some(entry) = slb.find(ea) else { return };
        let key = Key::Segment { vsid_word: entry.vsid, problem: self.problem, keys: self.keys };
        let context = self.number(key);
        if let Some(slot) = self.segments.get_mut(segment_slot(ea)) {
            *slot = Segment { esid: ea >> 28, context };
        }
    }

    fn insert_register(&mut self, registers: &Segments, ea: u64) {
        let Some(&value) = registers.get((ea >> 28 & 15) as usize) else { return };
        let context = self.number(Key::SegmentRegister { value, problem: self.problem });
        if let Some(slot) = self.segments.get_mut(segment_slot(ea)) {
            *slot = Segment { esid: ea >> 28, context };
        }
    }

    /// Forgets what `what` names. The caller enters a context again before the next access.
    pub fn invalidate(&mut self, what: Invalidation) {
        match what {
            Invalidation::Page { address, shift } => {
                let pages = (1u64 << shift.saturating_sub(12).min(30)).min(SETS as u64);
                let first = (address >> 12) & !(pages - 1);
                for page in first..first + pages {
                    let set = page as usize & (SETS - 1);
                    if let Some(slot) = self.entries.get_mut(set) {
                        slot.context = NONE;
                    }
                }
            }
            Invalidation::Process(pid) => {
                self.entered = [None; RECENT];
                self.contexts.retain(|key, _| match key {
                    Key::Radix { pid: own, .. } => *own != pid && pid != 0,
                    Key::BookE { pids, .. } => !pids.contains(&pid),
                    _ => true,
                });
            }
            Invalidation::Tlb(_) | Invalidation::All => self.forget_all(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mapping(real: u64) -> Mapping {
        Mapping { real, shift: 12, read: true, write: true, execute: true, uncached: false }
    }

    fn radix(pid: u32) -> Tables<'static> {
        Tables::Radix { table: 0, size: 0, pid }
    }

    #[test]
    fn switching_contexts_keeps_entries_apart() {
        let mut tlb = SoftTlb::default();
        tlb.enter(&radix(1), true, Keys::default());
        tlb.insert(&radix(1), 0x5000, mapping(0x9000));
        assert_eq!(tlb.lookup(0x5008, Access::Store), Some(0x9008));
        tlb.enter(&radix(2), true, Keys::default());
        assert_eq!(tlb.lookup(0x5008, Access::Load), None);
        tlb.enter(&radix(1), false, Keys::default());
        assert_eq!(tlb.lookup(0x5008, Access::Load), None);
        tlb.enter(&radix(1), true, Keys::default());
        assert_eq!(tlb.lookup(0x5008, Access::Load), Some(0x9008));
    }

    #[test]
    fn invalidations_hit_what_they_name() {
        let mut tlb = SoftTlb::default();
        tlb.enter(&radix(1), true, Keys::default());
        for page in 0..40 {
            tlb.insert(&radix(1), 0x10000 + page * 0x1000, mapping(page * 0x1000));
        }
        tlb.invalidate(Invalidation::Page { address: 0x2_3000, shift: 16 });
        assert_eq!(tlb.lookup(0x2_0000, Access::Load), None);
        assert_eq!(tlb.lookup(0x2_f000, Access::Load), None);
        assert!(tlb.lookup(0x1_f000, Access::Load).is_some());
        tlb.invalidate(Invalidation::Process(1));
        tlb.enter(&radix(1), true, Keys::default());
        assert_eq!(tlb.lookup(0x1_f000, Access::Load), None);
    }

    #[test]
    fn numbers_of_contexts_begin_again_with_nothing_known() {
        let mut tlb = SoftTlb::default();
        for start in [1, MANY_CONTEXTS - 1, u32::MAX - 1] {
            tlb.next_context = start;
            for page in 0..8 {
                tlb.enter(&radix(1), true, Keys::default());
                assert!((0..8).all(|page| tlb.lookup(page << 12, Access::Load).is_none()), "{start:x}, {page}");
                tlb.insert(&radix(1), page << 12, mapping(0));
                tlb.invalidate(Invalidation::All);
            }
            tlb.enter(&radix(1), true, Keys::default());
            assert!(start == 1 || tlb.next_context < 16);
        }
    }
}
