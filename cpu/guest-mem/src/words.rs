//! Rows of words, one for each page or granule: as long as the address space, in host memory only where used.

use std::io;
use std::sync::atomic::AtomicU64;

use memmap2::{MmapOptions, MmapRaw};

/// A row of words, all zero at first.
pub(crate) struct Words {
    map: MmapRaw,
    len: usize,
}

impl Words {
    /// A row of `len` words.
    pub(crate) fn new(len: usize) -> io::Result<Words> {
        let bytes = len.max(1).checked_mul(size_of::<AtomicU64>()).ok_or(io::ErrorKind::OutOfMemory)?;
        Ok(Words { map: MmapRaw::from(MmapOptions::new().len(bytes).no_reserve_swap().map_anon()?), len })
    }

    /// Host address of the first word.
    pub(crate) fn address(&self) -> u64 {
        self.map.as_ptr() as u64
    }

    /// The word with this number.
    #[inline(always)]
    pub(crate) fn get(&self, number: u64) -> Option<&AtomicU64> {
        // SAFETY: it was just checked.
        (number < self.len as u64).then(|| unsafe { self.get_unchecked(number) })
    }

    /// The same without a check.
    ///
    /// # Safety
    /// There must be such a word.
    #[inline(always)]
    pub(crate) unsafe fn get_unchecked(&self, number: u64) -> &AtomicU64 {
        // SAFETY: there is such a word, as the caller says; words are aligned since the first begins a page, live as long as
        // `self`, and are accessed as atomics only.
        unsafe { AtomicU64::from_ptr(self.map.as_mut_ptr().cast::<u64>().add(number as usize)) }
    }
}
