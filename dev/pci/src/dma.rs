//! How functions reach guest memory: through windows, whose pages the guest opens for reading and writing.
//!
//! The first window is there from the start; the guest may add others with larger pages, and remove any (PAPR, dynamic
//! DMA windows). What all of them can take of the host's memory is bounded.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::{Arc, PoisonError, RwLock};

use guest_mem::{GuestMem, Order, Word};

use crate::window::Window;

/// Page sizes of windows that the guest adds: log2 of their bytes.
pub const PAGE_SHIFTS: [u32; 3] = [12, 16, 24];
/// Windows that there can be at once.
const MOST: usize = 2;
/// Numbers of windows that the guest adds.
const ADDED: Range<u32> = 1..3;
/// Most pages of such a window: 32 MiB of the host's memory if all are open.
pub const MOST_PAGES: u64 = 1 << 22;
/// The first window: pages of 4 KiB, and how many: 1 GiB from bus address 0 on.
const FIRST: (u32, u64) = (12, 1 << 18);
/// Bus addresses of a window that the guest adds begin at its number times this.
const APART: u64 = 1 << 59;

/// An entry lets devices read.
const READ: u64 = 1;
/// An entry lets devices write.
const WRITE: u64 = 2;

/// The windows of a bridge by number; the first one is 0.
pub struct Dma {
    mem: Arc<GuestMem>,
    windows: RwLock<BTreeMap<u32, Arc<Window>>>,
}

fn first() -> BTreeMap<u32, Arc<Window>> {
    let (page_shift, pages) = FIRST;
    BTreeMap::from([(0, Arc::new(Window::new(0, page_shift, pages)))])
}

impl Dma {
    /// The first window alone, into `mem`.
    pub fn new(mem: Arc<GuestMem>) -> Dma {
        Dma { mem, windows: RwLock::new(first()) }
    }

    /// Bytes of the first window.
    pub fn first_bytes() -> u64 {
        FIRST.1 << FIRST.0
    }

    /// Window `number`.
    pub fn window(&self, number: u32) -> Option<Arc<Window>> {
        self.windows.read().unwrap_or_else(PoisonError::into_inner).get(&number).cloned()
    }

    /// How many windows can be added.
    pub fn room(&self) -> u32 {
        MOST.saturating_sub(self.windows.read().unwrap_or_else(PoisonError::into_inner).len()) as u32
    }

    /// Adds a window of `1 << window_shift` bytes with pages of `1 << page_shift`; returns its number and first bus address.
    /// `None` when there is no room, or no such window can be had.
    pub fn add(&self, page_shift: u32, window_shift: u32) -> Option<(u32, u64)> {
        let pages = 1_u64.checked_shl(window_shift.checked_sub(page_shift)?)?;
        if !PAGE_SHIFTS.contains(&page_shift) || pages > MOST_PAGES {
            return None;
        }
        let mut windows = self.windows.write().unwrap_or_else(PoisonError::into_inner);
        let number = ADDED.filter(|_| windows.len() < MOST).find(|number| !windows.contains_key(number))?;
        let start = u64::from(number) * APART;
        windows.insert(number, Arc::new(Window::new(start, page_shift, pages)));
        Some((number, start))
    }

    /// Removes window `number`; `false` when there is none.
    pub fn remove(&self, number: u32) -> bool {
        self.windows.write().unwrap_or_else(PoisonError::into_inner).remove(&number).is_some()
    }

    /// The first window alone again, nothing behind its pages.
    pub fn reset(&self) {
        *self.windows.write().unwrap_or_else(PoisonError::into_inner) = first();
    }

    /// Guest real address behind a bus address that may be accessed in a way, and how many bytes follow in its page.
    fn translate(&self, address: u64, way: u64) -> Option<(u64, u64)> {
        let windows = self.windows.read().unwrap_or_else(PoisonError::into_inner);
        let (window, (page, offset)) = windows.values().find_map(|window| Some((window, window.page(address)?)))?;
        let entry = window.entry(page).filter(|entry| entry & way != 0)?;
        let size = 1_u64 << window.page_shift();
        Some((entry & !(size - 1) | offset, size - offset))
    }

    /// Calls `piece` for each part of `len` bytes at bus address `address` with guest real address and range of the bytes;
    /// `false` from the first one on that can not be reached.
    fn pieces(&self, address: u64, len: usize, way: u64, mut piece: impl FnMut(u64, Range<usize>) -> bool) -> bool {
        let mut done = 0;
        while done < len {
            let reached = address.checked_add(done as u64).and_then(|at| self.translate(at, way));
            let Some((real, left)) = reached else { return false };
            let end = len.min(done.saturating_add(usize::try_from(left).unwrap_or(usize::MAX)));
            if !piece(real, done..end) {
                return false;
            }
            done = end;
        }
        true
    }

    /// Reads memory at bus address `address`; `false` if not all of it can be read.
    pub fn read(&self, address: u64, out: &mut [u8]) -> bool {
        self.pieces(address, out.len(), READ, |real, range| {
            out.get_mut(range).is_some_and(|part| self.mem.read(real, part))
        })
    }

    /// Writes memory at bus address `address`; `false` if not all of it can be written. Then a part may have been.
    pub fn write(&self, address: u64, data: &[u8]) -> bool {
        self.pieces(address, data.len(), WRITE, |real, range| {
            data.get(range).is_some_and(|part| self.mem.write(real, part))
        })
    }

    /// The little-endian number at the naturally aligned bus address `address`, loaded at once.
    pub fn load<T: Word>(&self, address: u64) -> Option<T> {
        let (real, _) = self.translate(address, READ).filter(|_| address.is_multiple_of(T::BYTES))?;
        self.mem.load(real, Order::Little)
    }

    /// Stores such a number; `false` if it can not be written.
    pub fn store<T: Word>(&self, address: u64, value: T) -> bool {
        let reached = self.translate(address, WRITE).filter(|_| address.is_multiple_of(T::BYTES));
        reached.is_some_and(|(real, _)| self.mem.store(real, Order::Little, value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dma() -> Dma {
        Dma::new(Arc::new(GuestMem::new(1 << 20).unwrap()))
    }

    #[test]
    fn pages_are_opened_one_by_one_and_in_each_way() {
        let dma = dma();
        let window = dma.window(0).unwrap();
        window.set(0x10, &[0x5000 | READ | WRITE, 0x3000 | READ, 0x7000 | WRITE, 0x10_0000 | READ | WRITE]);
        assert!(dma.write(0x10_ff0, &[7; 16]));
        assert_eq!(dma.mem.load::<u64>(0x5ff8, Order::Big), Some(0x0707_0707_0707_0707));
        assert!(!dma.write(0x10_ff0, &[7; 17]), "the next page can only be read");
        let mut out = [0; 0x1800];
        assert!(dma.read(0x10_800, &mut out));
        assert_eq!((out[0x7f0], out[0x800]), (7, 0));
        assert!(!dma.read(0x12_000, &mut out[..1]), "can only be written");
        assert!(!dma.read(0x13_000, &mut out[..1]), "not memory");
        assert!(!dma.read(0x14_000, &mut out[..1]) && !dma.read(u64::MAX, &mut out[..2]), "closed");
        assert!(dma.store(0x10_008, 0x0102_u16));
        assert_eq!(dma.load::<u8>(0x10_008), Some(2));
        assert!(!dma.store(0x10_009, 0x0102_u16) && dma.load::<u32>(0x10_00a).is_none(), "not aligned");
    }

    #[test]
    fn windows_come_and_go() {
        let dma = dma();
        for (page_shift, window_shift) in [(13, 30), (16, 15), (16, 39), (24, 64), (12, u32::MAX), (0, 10)] {
            assert_eq!(dma.add(page_shift, window_shift), None, "{page_shift} {window_shift}");
        }
        assert_eq!((dma.room(), dma.add(16, 38)), (1, Some((1, APART))));
        assert_eq!((dma.room(), dma.add(16, 20)), (0, None));
        let window = dma.window(1).unwrap();
        assert!(window.set(1, &[0x1_0000 | WRITE]));
        assert!(dma.write(APART + 0x1_0004, &[9; 4]));
        assert_eq!(dma.mem.load::<u32>(0x1_0004, Order::Big), Some(0x0909_0909));
        assert!(dma.remove(0) && !dma.remove(0) && !dma.remove(7));
        assert_eq!(dma.add(24, 30), Some((2, 2 * APART)));
        dma.reset();
        assert!(dma.window(0).is_some() && dma.window(1).is_none() && dma.window(2).is_none());
        assert!(!dma.write(APART + 0x1_0004, &[9; 4]));
    }
}
