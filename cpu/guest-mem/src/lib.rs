//! Guest memory: what guest code, hypercalls and devices share, accessed by value and with a named byte order. RAM begins
//! at address 0; behind it memory may come and go, see `room.rs`.
//!
//! Contract: addresses are guest real addresses. An access that is not wholly inside memory returns `None` (or
//! `false`) and has no effect. Naturally aligned accesses of up to 8 bytes are single-copy atomic; others are made
//! of smaller ones. No reference to guest memory ever leaves this crate.
//!
//! Stores say who stores ([`Writer`]), since those of others end a vCPU's reservation; see `granule.rs`.
//!
//! Every 4 KiB page carries a has-code flag and a generation. An engine marks a page when it keeps decoded or
//! translated code of it; the first write after that clears the flag, raises the page's generation and the global
//! code epoch, whoever writes. This is how self-modifying code is noticed, through any mapping, hypercall or device;
//! see `code.rs`.
#![expect(unsafe_code)]
#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::expect_used, clippy::panic))]
// UNSAFETY: guest RAM is raw memory that other threads may change at any time. All accesses go through the few
// functions of `raw`, which check bounds and use atomic operations only.

use std::sync::atomic::{AtomicU8, AtomicU16, AtomicU32, AtomicU64, Ordering};

use memmap2::{MmapOptions, MmapRaw};

mod code;
mod granule;
mod room;
mod words;

use code::CodePages;
pub use code::Marks;
use granule::Granules;
pub use granule::{Exclusive, LOCKED_BIT, VCPUS, Writer};
use room::Room;
pub use room::{BLOCK, Sharing};

/// Bytes of a reservation granule unless said otherwise: those of POWER's cache blocks.
const GRANULE: u64 = 128;

/// log2 of the granularity of the has-code flags.
pub const PAGE_SHIFT: u32 = 12;
/// Bytes of a page in this crate's sense.
pub const PAGE_SIZE: u64 = 1 << PAGE_SHIFT;

/// RAM of so many bytes is worth the host's large pages: its TLB misses cost more than its memory.
const LARGE_RAM: usize = 64 << 20;

/// Byte order of an access.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// Most significant byte first.
    Big,
    /// Least significant byte first.
    Little,
}

/// Unsigned integers that memory can hold: 1, 2, 4 or 8 bytes.
pub trait Word: Copy + Into<u64> + private::Sealed {
    /// Bytes.
    const BYTES: u64;
    /// The low bits of `value`.
    fn truncate(value: u64) -> Self;
    /// Sign-extended to 64 bits.
    fn extend(self) -> u64;
    /// Bytes reversed.
    fn reverse(self) -> Self;
    /// The bytes of memory as a number in `order`, or such a number as bytes of memory.
    #[inline(always)]
    fn in_order(self, order: Order) -> Self {
        if order == Order::Big { self.reverse() } else { self }
    }
    #[doc(hidden)]
    fn load(mem: &GuestMem, addr: u64) -> Self;
    #[doc(hidden)]
    fn store(self, mem: &GuestMem, addr: u64);
    #[doc(hidden)]
    fn exchange(mem: &GuestMem, addr: u64, old: Self, new: Self) -> bool;
}

mod private {
    pub trait Sealed {}
}

macro_rules! word {
    ($($type:ty, $signed:ty, $atomic:ty;)*) => {$(
        impl private::Sealed for $type {}
        impl Word for $type {
            const BYTES: u64 = size_of::<$type>() as u64;
            #[inline(always)]
            fn truncate(value: u64) -> Self {
                value as $type
            }
            #[inline(always)]
            fn extend(self) -> u64 {
                self as $signed as i64 as u64
            }
            #[inline(always)]
            fn reverse(self) -> Self {
                self.swap_bytes()
            }
            #[inline(always)]
            fn load(mem: &GuestMem, addr: u64) -> Self {
                // SAFETY: the caller checked that addr is inside RAM and aligned; RAM lives as long as `mem`.
                let cell = unsafe { <$atomic>::from_ptr(mem.ram.as_mut_ptr().add(addr as usize).cast()) };
                <$type>::from_le(cell.load(Ordering::Relaxed))
            }
            #[inline(always)]
            fn store(self, mem: &GuestMem, addr: u64) {
                // SAFETY: as in `load`.
                let cell = unsafe { <$atomic>::from_ptr(mem.ram.as_mut_ptr().add(addr as usize).cast()) };
                cell.store(self.to_le(), Ordering::Relaxed);
            }
            #[inline(always)]
            fn exchange(mem: &GuestMem, addr: u64, old: Self, new: Self) -> bool {
                // SAFETY: as in `load`.
                let cell = unsafe { <$atomic>::from_ptr(mem.ram.as_mut_ptr().add(addr as usize).cast()) };
                cell.compare_exchange(old.to_le(), new.to_le(), Ordering::SeqCst, Ordering::Relaxed).is_ok()
            }
        }
    )*};
}

word! {
    u8, i8, AtomicU8;
    u16, i16, AtomicU16;
    u32, i32, AtomicU32;
    u64, i64, AtomicU64;
}

/// Host addresses of the parts of guest memory. Who uses them must keep this crate's contract: accesses inside RAM, by
/// atomic means; if there are several vCPUs, a look at the word of the granule before a store, and the slow way through
/// this crate if it is not zero; a look at the word of the page behind the store, and [`GuestMem::stored`] if it has bits
/// of [`NOTICED`].
#[derive(Clone, Copy, Debug)]
pub struct HostLayout {
    /// RAM.
    pub ram: u64,
    /// One word of 64 bits for each page of 4 KiB.
    pub code: u64,
    /// One word of 64 bits for each granule.
    pub granules: u64,
    /// log2 of the bytes of a granule.
    pub granule_shift: u8,
}

/// Bits of a page's word of which one is set if a store to the page must be reported.
pub const NOTICED: u32 = code::NOTICED as u32;

/// RAM from real address 0 on, and room for memory behind it.
pub struct GuestMem {
    ram: MmapRaw,
    len: u64,
    /// End of the room.
    end: u64,
    room: Room,
    granules: Granules,
    code: CodePages,
}

impl GuestMem {
    /// RAM of `len` bytes, rounded up to whole pages, all zero, with reservation granules of 128 bytes. Host memory is
    /// used only as the guest touches it.
    ///
    /// # Errors
    /// When the host has no address space for it.
    pub fn new(len: u64) -> std::io::Result<GuestMem> {
        GuestMem::with_granule(len, GRANULE)
    }

    /// The same with reservation granules of `granule` bytes, a power of two from 32 to 4096.
    ///
    /// # Errors
    /// When the host has no address space for it.
    pub fn with_granule(len: u64, granule: u64) -> std::io::Result<GuestMem> {
        GuestMem::with_room(len, 0, granule)
    }

    /// The same with room for memory behind RAM, up to address `end`, a multiple of [`BLOCK`].
    ///
    /// # Errors
    /// When the host has no address space for it.
    pub fn with_room(len: u64, end: u64, granule: u64) -> std::io::Result<GuestMem> {
        let granule = granule.next_power_of_two().clamp(32, PAGE_SIZE);
        let len = len.max(PAGE_SIZE).next_multiple_of(PAGE_SIZE);
        let end = end.max(len);
        let none = || std::io::Error::from(std::io::ErrorKind::OutOfMemory);
        let [size, whole] = [usize::try_from(len).map_err(|_| none())?, usize::try_from(end).map_err(|_| none())?];
        let ram = MmapRaw::from(MmapOptions::new().len(whole).no_reserve_swap().map_anon()?);
        if size >= LARGE_RAM {
            // A host that has none goes on without.
            let _ = ram.advise_range(memmap2::Advice::HugePage, 0, size);
        }
        let (granules, code) = (Granules::new(end, granule)?, CodePages::new(end >> PAGE_SHIFT)?);
        Ok(GuestMem { ram, len, end, room: Room::new(end), granules, code })
    }

    /// Bytes of RAM, without what came behind it.
    #[expect(clippy::len_without_is_empty, reason = "RAM is never empty")]
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Where things are in the host, for code that does by itself what this crate does.
    pub fn host(&self) -> HostLayout {
        HostLayout {
            ram: self.ram.as_ptr() as u64,
            code: self.code.address(),
            granules: self.granules.address(),
            granule_shift: self.granule().trailing_zeros() as u8,
        }
    }

    /// Reports a store at `addr` that did not go through this crate.
    pub fn stored(&self, addr: u64) {
        self.code.wrote(addr >> PAGE_SHIFT);
    }

    /// End of the addresses where memory is or may come.
    pub fn end(&self) -> u64 {
        self.end
    }

    /// Whether `addr..addr + len` is wholly inside memory.
    #[inline(always)]
    pub fn contains(&self, addr: u64, len: u64) -> bool {
        len <= self.len && addr <= self.len - len || self.contains_behind(addr, len)
    }

    /// The value at `addr`, or `None` outside RAM.
    #[inline(always)]
    pub fn load<T: Word>(&self, addr: u64, order: Order) -> Option<T> {
        if !self.contains(addr, T::BYTES) {
            return None;
        }
        let value = if addr & (T::BYTES - 1) == 0 { T::load(self, addr) } else { self.load_unaligned(addr) };
        Some(value.in_order(order))
    }

    /// Stores `value` at `addr` on behalf of no vCPU; `false` outside RAM.
    #[inline(always)]
    pub fn store<T: Word>(&self, addr: u64, order: Order, value: T) -> bool {
        self.store_by(Writer::OTHER, addr, order, value)
    }

    /// Stores `value` at `addr`; `false` outside RAM.
    #[inline(always)]
    pub fn store_by<T: Word>(&self, writer: Writer, addr: u64, order: Order, value: T) -> bool {
        if !self.contains(addr, T::BYTES) {
            return false;
        }
        let value = value.in_order(order);
        if addr & (T::BYTES - 1) == 0 && !self.granules.watched(addr) {
            value.store(self, addr);
            self.wrote(addr);
        } else {
            self.store_carefully(writer, addr, value);
        }
        true
    }

    /// Replaces `old` by `new` at the aligned `addr` if it is still there. `None` outside RAM or unaligned.
    pub fn compare_exchange<T: Word>(&self, addr: u64, order: Order, old: T, new: T) -> Option<bool> {
        if addr & (T::BYTES - 1) != 0 {
            return None;
        }
        self.exclusive(Writer::OTHER, addr, T::BYTES, |cell| cell.exchange(addr, order, old, new))
    }

    #[cold]
    fn load_unaligned<T: Word>(&self, addr: u64) -> T {
        let mut value = 0;
        for i in (0..T::BYTES).rev() {
            value = (value << 8) | u64::from(u8::load(self, addr + i));
        }
        T::truncate(value)
    }

    /// Stores to watched granules, and unaligned ones.
    #[cold]
    fn store_carefully<T: Word>(&self, writer: Writer, addr: u64, value: T) {
        let bits: u64 = value.into();
        self.by_granule(writer, addr, T::BYTES, |at, len| {
            if addr & (T::BYTES - 1) == 0 {
                value.store(self, addr);
            } else {
                (at..at + len).for_each(|at| ((bits >> (8 * (at - addr))) as u8).store(self, at));
            }
        });
        self.wrote(addr);
        self.wrote(addr + T::BYTES - 1);
    }

    /// Copies memory at `addr` into `out`; `false` outside memory.
    pub fn read(&self, addr: u64, out: &mut [u8]) -> bool {
        if !self.contains(addr, out.len() as u64) {
            return false;
        }
        let (head, rest) = out.split_at_mut((addr.wrapping_neg() & 7).min(out.len() as u64) as usize);
        let (words, tail) = rest.as_chunks_mut::<8>();
        let mut at = addr;
        for byte in head {
            *byte = u8::load(self, at);
            at += 1;
        }
        for word in words {
            *word = u64::load(self, at).to_le_bytes();
            at += 8;
        }
        for byte in tail {
            *byte = u8::load(self, at);
            at += 1;
        }
        true
    }

    /// Copies `data` into RAM at `addr` on behalf of no vCPU; `false` outside RAM.
    pub fn write(&self, addr: u64, data: &[u8]) -> bool {
        if !self.contains(addr, data.len() as u64) {
            return false;
        }
        let mut rest = data;
        self.by_granule(Writer::OTHER, addr, data.len() as u64, |at, len| {
            let (part, behind) = rest.split_at((len as usize).min(rest.len()));
            rest = behind;
            self.write_part(at, part);
        });
        self.wrote_range(addr, data.len() as u64);
        true
    }

    fn write_part(&self, mut at: u64, data: &[u8]) {
        let (head, words, tail) = split(at, data);
        for &byte in head {
            byte.store(self, at);
            at += 1;
        }
        for word in words {
            u64::from_le_bytes(*word).store(self, at);
            at += 8;
        }
        for &byte in tail {
            byte.store(self, at);
            at += 1;
        }
    }

    /// Sets `len` bytes at `addr` to zero on behalf of no vCPU; `false` outside RAM.
    pub fn zero(&self, addr: u64, len: u64) -> bool {
        self.zero_by(Writer::OTHER, addr, len)
    }

    /// Sets `len` bytes at `addr` to zero; `false` outside RAM.
    pub fn zero_by(&self, writer: Writer, addr: u64, len: u64) -> bool {
        if !self.contains(addr, len) {
            return false;
        }
        self.by_granule(writer, addr, len, |mut at, len| {
            let end = at + len;
            while at < end {
                if at & 7 == 0 && end - at >= 8 {
                    0u64.store(self, at);
                    at += 8;
                } else {
                    0u8.store(self, at);
                    at += 1;
                }
            }
        });
        self.wrote_range(addr, len);
        true
    }

    fn wrote_range(&self, addr: u64, len: u64) {
        if len == 0 {
            return;
        }
        for page in addr >> PAGE_SHIFT..=(addr + len - 1) >> PAGE_SHIFT {
            self.wrote(page << PAGE_SHIFT);
        }
    }

    #[inline(always)]
    fn wrote(&self, addr: u64) {
        self.code.wrote(addr >> PAGE_SHIFT);
    }
}

/// `data` as unaligned head, 8-byte words and tail, when it starts at guest address `addr`.
fn split(addr: u64, data: &[u8]) -> (&[u8], &[[u8; 8]], &[u8]) {
    let head = ((8 - (addr & 7)) & 7) as usize;
    let (head, rest) = data.split_at(head.min(data.len()));
    let (words, tail) = rest.as_chunks::<8>();
    (head, words, tail)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_orders_and_unaligned() {
        let mem = GuestMem::new(8192).unwrap();
        assert!(mem.store(3, Order::Big, 0x0102_0304_0506_0708u64));
        assert_eq!(mem.load::<u8>(3, Order::Little), Some(1));
        assert_eq!(mem.load::<u32>(3, Order::Big), Some(0x0102_0304));
        assert_eq!(mem.load::<u64>(3, Order::Little), Some(0x0807_0605_0403_0201));
    }

    #[test]
    fn bounds_do_not_wrap() {
        let mem = GuestMem::new(8192).unwrap();
        assert_eq!(mem.load::<u64>(8185, Order::Big), None);
        assert_eq!(mem.load::<u8>(u64::MAX, Order::Big), None);
        assert!(!mem.store(u64::MAX - 3, Order::Big, 0u64));
        assert!(!mem.write(8190, &[1, 2, 3]));
        assert!(!mem.zero(1, u64::MAX));
    }
}
