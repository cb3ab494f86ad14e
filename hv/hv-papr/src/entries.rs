//! How many entries of the hashed page table map persistent memory: while there are some, it is in use (spec papr 3.4).

use std::ops::Range;
use std::sync::atomic::{AtomicU32, Ordering};

use guest_mem::BLOCK;

/// A count for each block of a window of addresses. Changed under the table's lock.
pub(crate) struct Entries {
    window: Range<u64>,
    counts: Box<[AtomicU32]>,
}

impl Entries {
    /// For the guest real addresses `window`.
    pub(crate) fn new(window: Range<u64>) -> Entries {
        let blocks = window.end.saturating_sub(window.start).div_ceil(BLOCK);
        Entries { window, counts: (0..blocks).map(|_| AtomicU32::new(0)).collect() }
    }

    fn count(&self, real: u64) -> Option<&AtomicU32> {
        self.counts.get(usize::try_from(real.checked_sub(self.window.start)? / BLOCK).ok()?)
    }

    /// A valid entry maps `real` from now on; a page is never larger than a block.
    pub(crate) fn enter(&self, real: u64) {
        if let Some(count) = self.count(real) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// It does no more.
    pub(crate) fn remove(&self, real: u64) {
        if let Some(count) = self.count(real) {
            let _ = count.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |count| count.checked_sub(1));
        }
    }

    /// Whether any maps something in `range`.
    pub(crate) fn any(&self, range: Range<u64>) -> bool {
        let mut blocks = range.step_by(BLOCK as usize).filter_map(|real| self.count(real));
        blocks.any(|count| count.load(Ordering::Relaxed) != 0)
    }
}
