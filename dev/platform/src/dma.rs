//! A DMA window of a host bridge: which page of RAM, if any, stands behind each page of bus addresses.
//!
//! The window begins at bus address 0 and has pages of 4 KiB. An entry holds a page address and, in its lowest two
//! bits, whether devices may read (1) and write (2) it (PAPR 14.5.4.2). Entries are kept as the guest gave them:
//! whether they point into RAM is checked when a device uses them.

use std::sync::{Mutex, PoisonError};

/// A window.
pub struct DmaWindow {
    entries: Mutex<Box<[u64]>>,
}

impl DmaWindow {
    /// A window of `pages` pages, nothing behind any of them.
    pub fn new(pages: usize) -> DmaWindow {
        DmaWindow { entries: Mutex::new(vec![0; pages].into()) }
    }

    /// The entry of page `page`; `None` outside the window.
    pub fn entry(&self, page: u64) -> Option<u64> {
        let entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        entries.get(usize::try_from(page).ok()?).copied()
    }

    /// Sets the entries from page `first` on, all or none; `false` when they are not all in the window.
    pub fn set(&self, first: u64, entries: &[u64]) -> bool {
        self.with(first, entries.len() as u64, |places| places.copy_from_slice(entries))
    }

    /// Gives `count` pages from `first` on the same entry, all or none.
    pub fn fill(&self, first: u64, count: u64, entry: u64) -> bool {
        self.with(first, count, |places| places.fill(entry))
    }

    fn with(&self, first: u64, count: u64, change: impl FnOnce(&mut [u64])) -> bool {
        let (Ok(first), Ok(count)) = (usize::try_from(first), usize::try_from(count)) else { return false };
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        let places = entries.get_mut(first..).and_then(|rest| rest.get_mut(..count));
        places.map(change).is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_set_wholly_or_not_at_all() {
        let window = DmaWindow::new(8);
        assert!(window.set(5, &[1, 2, 3]));
        assert!(!window.set(6, &[9, 9, 9]));
        assert!(!window.fill(6, u64::MAX, 9));
        assert!(!window.fill(u64::MAX, 1, 9));
        assert_eq!([4, 5, 6, 7, 8].map(|page| window.entry(page)), [Some(0), Some(1), Some(2), Some(3), None]);
        assert!(window.fill(0, 8, 0));
        assert_eq!(window.entry(7), Some(0));
    }
}
