//! The hashed page table itself: entries of two words that vCPUs and hypercalls use at once.

use std::sync::atomic::{AtomicU64, Ordering};

/// Entries of a group.
pub const GROUP: u64 = 8;

/// The partition's table.
pub struct HashTable {
    entries: Box<[[AtomicU64; 2]]>,
}

impl HashTable {
    /// A table of `1 << shift` bytes, all entries invalid.
    pub fn new(shift: u32) -> HashTable {
        let count = 1usize << shift.clamp(18, 40).saturating_sub(4);
        HashTable { entries: (0..count).map(|_| invalid()).collect() }
    }

    /// log2 of its bytes.
    pub fn shift(&self) -> u32 {
        self.len().ilog2() + 4
    }

    /// Number of entries, a power of two.
    pub fn len(&self) -> u64 {
        self.entries.len() as u64
    }

    /// A table has always entries.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// V and R words of entry `index`.
    pub fn read(&self, index: u64) -> Option<(u64, u64)> {
        let [v, r] = self.entries.get(usize::try_from(index).ok()?)?;
        Some((v.load(Ordering::Acquire), r.load(Ordering::Acquire)))
    }

    /// Replaces entry `index`; the V word becomes visible last.
    pub fn write(&self, index: u64, v: u64, r: u64) -> bool {
        let Some([slot_v, slot_r]) = usize::try_from(index).ok().and_then(|i| self.entries.get(i)) else {
            return false;
        };
        slot_v.store(0, Ordering::Release);
        slot_r.store(r, Ordering::Release);
        slot_v.store(v, Ordering::Release);
        true
    }

    /// Makes entry `index` invalid and leaves the rest of it, for what is still being noted by walks that found it.
    pub fn clear_valid(&self, index: u64) {
        if let Some([v, _]) = usize::try_from(index).ok().and_then(|i| self.entries.get(i)) {
            v.store(0, Ordering::SeqCst);
        }
    }

    /// Replaces the bits `mask` of the R word of entry `index` by those of `new`, and keeps what others set meanwhile.
    /// Returns the old word.
    pub fn change(&self, index: u64, mask: u64, new: u64) -> Option<u64> {
        let [_, r] = self.entries.get(usize::try_from(index).ok()?)?;
        r.fetch_update(Ordering::AcqRel, Ordering::Acquire, |r| Some(r & !mask | new & mask)).ok()
    }

    /// Sets reference and change bits of entry `index`.
    pub(crate) fn note(&self, index: u64, bits: u64) {
        if let Some([_, r]) = usize::try_from(index).ok().and_then(|i| self.entries.get(i)) {
            r.fetch_or(bits, Ordering::AcqRel);
        }
    }

    /// Number of groups, a power of two.
    pub fn groups(&self) -> u64 {
        self.len() / GROUP
    }

    pub(crate) fn group_mask(&self) -> u64 {
        self.groups() - 1
    }
}

fn invalid() -> [AtomicU64; 2] {
    [AtomicU64::new(0), AtomicU64::new(0)]
}

/// A table whose memory is still being filled, a part at a time.
pub struct Growing {
    entries: Vec<[AtomicU64; 2]>,
    count: usize,
}

impl Growing {
    /// The beginning of a table of `1 << shift` bytes; `None` when the host has no room for it.
    pub fn new(shift: u32) -> Option<Growing> {
        let count = 1_usize.checked_shl(shift.checked_sub(4)?)?;
        let mut entries = Vec::new();
        entries.try_reserve_exact(count).ok()?;
        Some(Growing { entries, count })
    }

    /// Goes on by at most `entries` entries; returns whether these were the last.
    pub fn grow(&mut self, entries: usize) -> bool {
        let end = self.count.min(self.entries.len().saturating_add(entries));
        self.entries.resize_with(end, invalid);
        end == self.count
    }

    /// The table, all of whose entries are invalid, once it has grown.
    pub fn finish(self) -> Option<HashTable> {
        (self.entries.len() == self.count).then(|| HashTable { entries: self.entries.into_boxed_slice() })
    }
}
