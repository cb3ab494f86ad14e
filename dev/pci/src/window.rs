//! A DMA window of a host bridge: which page of memory, if any, stands behind each page of bus addresses.
//!
//! An entry holds a page address and, in its lowest two bits, whether devices may read (1) and write (2) it (PAPR
//! 14.5.4.2). Entries are kept as the guest gave them: whether they point into memory is checked when a device uses them.
//! What is zero takes no memory of the host.

use std::sync::{PoisonError, RwLock};

/// Entries that are kept together.
const CHUNK: usize = 512;

type Chunk = Option<Box<[u64; CHUNK]>>;

/// A window.
pub struct Window {
    start: u64,
    page_shift: u32,
    pages: u64,
    chunks: RwLock<Box<[Chunk]>>,
}

impl Window {
    /// A window of `pages` pages of `1 << page_shift` bytes from bus address `start` on, nothing behind any of them.
    pub fn new(start: u64, page_shift: u32, pages: u64) -> Window {
        let chunks = (0..pages.div_ceil(CHUNK as u64)).map(|_| None).collect();
        Window { start, page_shift, pages, chunks: RwLock::new(chunks) }
    }

    /// Its first bus address.
    pub fn start(&self) -> u64 {
        self.start
    }

    /// log2 of the bytes of a page.
    pub fn page_shift(&self) -> u32 {
        self.page_shift
    }

    /// The page of bus address `address` and the offset in it; `None` outside.
    pub fn page(&self, address: u64) -> Option<(u64, u64)> {
        let offset = address.checked_sub(self.start)?;
        let page = offset >> self.page_shift;
        (page < self.pages).then_some((page, offset & ((1 << self.page_shift) - 1)))
    }

    /// The entry of page `page`; `None` outside the window.
    pub fn entry(&self, page: u64) -> Option<u64> {
        let chunks = self.chunks.read().unwrap_or_else(PoisonError::into_inner);
        let chunk = chunks.get(usize::try_from(page / CHUNK as u64).ok()?).filter(|_| page < self.pages)?;
        Some(chunk.as_ref().and_then(|chunk| chunk.get((page % CHUNK as u64) as usize)).copied().unwrap_or(0))
    }

    /// Sets the entries from page `first` on, all or none; `false` when they are not all in the window.
    pub fn set(&self, first: u64, entries: &[u64]) -> bool {
        self.change(first, entries.len() as u64, |number| entries.get(number as usize).copied().unwrap_or(0))
    }

    /// Gives `count` pages from `first` on the same entry, all or none.
    pub fn fill(&self, first: u64, count: u64, entry: u64) -> bool {
        self.change(first, count, |_| entry)
    }

    /// Sets `count` entries from page `first` on to what `entry` says for each, counted from 0.
    fn change(&self, first: u64, count: u64, entry: impl Fn(u64) -> u64) -> bool {
        let Some(end) = first.checked_add(count).filter(|end| *end <= self.pages) else { return false };
        let mut chunks = self.chunks.write().unwrap_or_else(PoisonError::into_inner);
        let mut page = first;
        while page < end {
            let Some(chunk) = chunks.get_mut((page / CHUNK as u64) as usize) else { return false };
            let here = (page % CHUNK as u64) as usize;
            let len = (end - page).min((CHUNK - here) as u64);
            let values = (page - first..page - first + len).map(&entry);
            if chunk.is_some() || values.clone().any(|value| value != 0) {
                let places = chunk.get_or_insert_with(|| Box::new([0; CHUNK]));
                places.iter_mut().skip(here).zip(values).for_each(|(place, value)| *place = value);
                if places.iter().all(|value| *value == 0) {
                    *chunk = None;
                }
            }
            page += len;
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_set_wholly_or_not_at_all() {
        let window = Window::new(0, 12, 8);
        assert!(window.set(5, &[1, 2, 3]));
        assert!(!window.set(6, &[9, 9, 9]));
        assert!(!window.fill(6, u64::MAX, 9));
        assert!(!window.fill(u64::MAX, 1, 9));
        assert_eq!([4, 5, 6, 7, 8].map(|page| window.entry(page)), [Some(0), Some(1), Some(2), Some(3), None]);
        assert!(window.fill(0, 8, 0));
        assert_eq!(window.entry(7), Some(0));
    }

    #[test]
    fn entries_that_are_zero_take_no_memory() {
        let window = Window::new(0, 16, 1 << 22);
        let kept = || window.chunks.read().unwrap().iter().flatten().count();
        assert!(window.fill(0, 1 << 22, 0));
        assert_eq!(kept(), 0);
        assert!(window.fill(510, 4, 7));
        assert_eq!((kept(), window.entry(509), window.entry(513)), (2, Some(0), Some(7)));
        assert!(window.set(511, &[0, 0, 0]));
        assert_eq!((kept(), window.entry(510), window.entry(511)), (1, Some(7), Some(0)));
        assert!(window.fill(0, 512, 0));
        assert_eq!(kept(), 0);
    }

    #[test]
    fn pages_are_found_by_bus_address() {
        let window = Window::new(1 << 59, 24, 4);
        assert_eq!(window.page((1 << 59) + 0x1ff_ffff), Some((1, 0xff_ffff)));
        assert_eq!(window.page((1 << 59) + 0x400_0000), None);
        assert_eq!((window.page((1 << 59) - 1), window.page(u64::MAX)), (None, None));
    }
}
