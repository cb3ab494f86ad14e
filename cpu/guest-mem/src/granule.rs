//! Reservation granules: who holds a reservation where, and exclusive access to a granule.
//!
//! RAM is divided into granules of the size in which the processor keeps reservations, each with one word: a bit for
//! every vCPU that holds a reservation there, a lock, and a bit that stays once anybody has locked the granule. While the
//! word is zero, a store is one test and a plain store. From then on each store takes the lock and clears the bits of all
//! vCPUs but its own, so that a reservation is lost by every store of others, also by one that stores the old value.
//! docs/memory-ordering.md proves it and says what translated code has to do.

use std::sync::atomic::{AtomicU64, Ordering, fence};

use crate::words::Words;
use crate::{GuestMem, Order, Word};

/// The most vCPUs of a machine: each has a bit in a granule's word.
pub const VCPUS: u32 = 62;
/// Somebody has locked the granule before: stores need care.
const WATCHED: u64 = 1 << 62;
/// Number of the bit that says that somebody has it locked now.
pub const LOCKED_BIT: u8 = 63;
/// See [`LOCKED_BIT`].
const LOCKED: u64 = 1 << LOCKED_BIT;
/// Turns to wait for a lock before the host is asked to run somebody else.
const SPINS: u32 = 100;

/// Who stores.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Writer(u32);

impl Writer {
    /// A device, a hypercall, a table walk: all reservations are lost.
    pub const OTHER: Writer = Writer(u32::MAX);

    /// vCPU `number`, below [`VCPUS`]: its own reservation is not lost by its own stores (Power ISA Book II, section
    /// 1.7.2.1).
    #[inline(always)]
    pub const fn vcpu(number: u32) -> Writer {
        Writer(number)
    }

    /// What the word of an unlocked granule is while this vCPU has a reservation there, and nobody else.
    pub const fn reserved(self) -> u64 {
        WATCHED | self.bit()
    }

    /// Its bit in the words of granules; none for what is no vCPU.
    const fn bit(self) -> u64 {
        if self.0 == Writer::OTHER.0 { 0 } else { 1 << (self.0 % VCPUS) }
    }
}

/// The words of all granules.
pub(crate) struct Granules {
    words: Words,
    shift: u32,
}

impl Granules {
    /// For `len` bytes of addresses in granules of `size` bytes, a power of two.
    pub(crate) fn new(len: u64, size: u64) -> std::io::Result<Granules> {
        let shift = size.ilog2();
        Ok(Granules { words: Words::new((len >> shift) as usize)?, shift })
    }

    /// Bytes of a granule.
    pub(crate) fn size(&self) -> u64 {
        1 << self.shift
    }

    /// Host address of the first word.
    pub(crate) fn address(&self) -> u64 {
        self.words.address()
    }

    #[inline(always)]
    fn word(&self, addr: u64) -> &AtomicU64 {
        // SAFETY: callers checked that addr is inside memory, for all of which there are words.
        unsafe { self.words.get_unchecked(addr >> self.shift) }
    }

    /// Whether stores to `addr` must take the lock. The fence keeps this look behind the guest's earlier loads: if one
    /// of them has seen what another vCPU stored after it reserved, the look sees that it did. It is free on x86.
    #[inline(always)]
    pub(crate) fn watched(&self, addr: u64) -> bool {
        fence(Ordering::Acquire);
        self.word(addr).load(Ordering::Relaxed) != 0
    }

    fn lock(&self, addr: u64) -> Lock<'_> {
        let cell = self.word(addr);
        let mut spins = 0;
        loop {
            let word = cell.load(Ordering::Relaxed);
            let locked = word | LOCKED | WATCHED;
            if word & LOCKED == 0
                && cell.compare_exchange_weak(word, locked, Ordering::Acquire, Ordering::Relaxed).is_ok()
            {
                if word & WATCHED == 0 {
                    fence(Ordering::SeqCst);
                }
                return Lock { cell, word: word | WATCHED };
            }
            spins += 1;
            if spins % SPINS == 0 { std::thread::yield_now() } else { std::hint::spin_loop() }
        }
    }
}

/// A locked granule; dropping it stores `word` and so unlocks it.
struct Lock<'a> {
    cell: &'a AtomicU64,
    word: u64,
}

impl Drop for Lock<'_> {
    fn drop(&mut self) {
        self.cell.store(self.word, Ordering::Release);
    }
}

/// Exclusive access to one granule, as [`GuestMem::exclusive`] gives it: no other store falls between what is done with
/// it. Addresses must be inside the range that it was asked for, and aligned to the access; others read as zero and store
/// nothing.
pub struct Exclusive<'a> {
    mem: &'a GuestMem,
    writer: Writer,
    lock: Lock<'a>,
    addr: u64,
    len: u64,
}

impl Exclusive<'_> {
    fn holds_bytes<T: Word>(&self, addr: u64) -> bool {
        let offset = addr.wrapping_sub(self.addr);
        addr & (T::BYTES - 1) == 0 && offset < self.len && self.len - offset >= T::BYTES
    }

    /// The value at `addr`.
    pub fn load<T: Word>(&self, addr: u64, order: Order) -> T {
        if !self.holds_bytes::<T>(addr) {
            return T::truncate(0);
        }
        T::load(self.mem, addr).in_order(order)
    }

    /// Stores `value` at `addr`.
    pub fn store<T: Word>(&mut self, addr: u64, order: Order, value: T) {
        if self.holds_bytes::<T>(addr) {
            value.in_order(order).store(self.mem, addr);
            self.stored(addr);
        }
    }

    /// Stores `new` at `addr` if `old` is there. A store of another vCPU that looked at the granule before anybody had
    /// ever locked it can still arrive; nothing else lets this fail.
    pub fn exchange<T: Word>(&mut self, addr: u64, order: Order, old: T, new: T) -> bool {
        let done = self.holds_bytes::<T>(addr) && T::exchange(self.mem, addr, old.in_order(order), new.in_order(order));
        if done {
            self.stored(addr);
        }
        done
    }

    fn stored(&mut self, addr: u64) {
        self.lock.word &= WATCHED | self.writer.bit();
        self.mem.wrote(addr);
    }

    /// Gives the vCPU a reservation of the granule.
    pub fn reserve(&mut self) {
        self.lock.word |= self.writer.bit();
    }

    /// Takes the vCPU's reservation from it. Returns whether it had one.
    pub fn release(&mut self) -> bool {
        let held = self.lock.word & self.writer.bit() != 0;
        self.lock.word &= !self.writer.bit();
        held
    }
}

impl GuestMem {
    /// Bytes of a reservation granule.
    pub fn granule(&self) -> u64 {
        self.granules.size()
    }

    /// Does `work` with exclusive access to `addr..addr + len` on behalf of `writer`. `None` when that is not wholly
    /// inside RAM and inside one granule.
    pub fn exclusive<R>(
        &self,
        writer: Writer,
        addr: u64,
        len: u64,
        work: impl FnOnce(&mut Exclusive) -> R,
    ) -> Option<R> {
        if !self.contains(addr, len) || (addr & (self.granule() - 1)) + len > self.granule() {
            return None;
        }
        let mut exclusive = Exclusive { mem: self, writer, lock: self.granules.lock(addr), addr, len };
        Some(work(&mut exclusive))
    }

    /// Calls `work` with each part of `addr..addr + len`, which is inside RAM, that lies in one granule; watched ones are
    /// locked and lose the reservations of others.
    pub(crate) fn by_granule(&self, writer: Writer, addr: u64, len: u64, mut work: impl FnMut(u64, u64)) {
        let (mut at, end) = (addr, addr + len);
        while at < end {
            let part = (self.granule() - (at & (self.granule() - 1))).min(end - at);
            let lock = self.granules.watched(at).then(|| self.granules.lock(at));
            work(at, part);
            if let Some(mut lock) = lock {
                lock.word &= WATCHED | writer.bit();
            }
            at += part;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: Writer = Writer::vcpu(0);
    const B: Writer = Writer::vcpu(61);
    const AT: u64 = 0x1040;

    fn reserve(mem: &GuestMem, writer: Writer) {
        mem.exclusive(writer, AT, 4, |granule| granule.reserve()).unwrap();
    }

    fn held(mem: &GuestMem, writer: Writer) -> bool {
        mem.exclusive(writer, AT, 4, |granule| granule.release()).unwrap()
    }

    /// Power ISA 3.0B Book II, section 1.7.2.1: stores of others to the granule, whatever they store, and no others.
    #[test]
    fn reservations_are_lost_by_stores_of_others_to_the_granule() {
        type Store = fn(&GuestMem);
        let cases: [(&str, bool, Store); 14] = [
            ("nothing", true, |_| ()),
            ("the same value", false, |m| assert!(m.store_by(B, AT, Order::Big, 0u32))),
            ("its own store", true, |m| assert!(m.store_by(A, AT, Order::Big, 1u32))),
            ("its own block", true, |m| assert!(m.zero_by(A, AT & !63, 64))),
            ("the granule's first byte", false, |m| assert!(m.store_by(B, AT & !63, Order::Big, 0u8))),
            ("the granule's last byte", false, |m| assert!(m.store_by(B, AT | 63, Order::Big, 0u8))),
            ("the granule before", true, |m| assert!(m.store_by(B, (AT & !63) - 8, Order::Big, 1u64))),
            ("the granule behind", true, |m| assert!(m.store_by(B, (AT | 63) + 1, Order::Big, 1u64))),
            ("across its start", false, |m| assert!(m.store_by(B, (AT & !63) - 7, Order::Big, 0u64))),
            ("across its end", false, |m| assert!(m.store_by(B, AT | 63, Order::Big, 0u16))),
            ("a device's word", false, |m| assert!(m.store(AT + 8, Order::Little, 0u32))),
            ("a device's block", false, |m| assert!(m.write(AT - 0x800, &[0; 0x1000]))),
            ("another's block", false, |m| assert!(m.zero_by(B, AT & !63, 64))),
            ("an exchange", false, |m| assert_eq!(m.compare_exchange(AT, Order::Big, 0u64, 0), Some(true))),
        ];
        for (name, kept, store) in cases {
            let mem = GuestMem::with_granule(8192, 64).unwrap();
            reserve(&mem, A);
            store(&mem);
            assert_eq!(held(&mem, A), kept, "{name}");
            assert!(!held(&mem, A), "{name}: released");
        }
    }

    #[test]
    fn several_hold_one_granule_and_the_first_store_takes_it_from_the_others() {
        let mem = GuestMem::new(8192).unwrap();
        reserve(&mem, A);
        reserve(&mem, B);
        assert_eq!(mem.exclusive(A, AT, 4, |x| x.exchange(AT, Order::Big, 0u32, 5)), Some(true));
        assert!(!held(&mem, B));
        assert!(held(&mem, A));
    }

    #[test]
    fn exclusive_access_stays_inside_its_range_and_one_granule() {
        let mem = GuestMem::new(8192).unwrap();
        assert_eq!(mem.exclusive(A, 0x1078, 16, |_| ()), None);
        assert_eq!(mem.exclusive(A, 8190, 4, |_| ()), None);
        assert_eq!(mem.exclusive(A, u64::MAX - 1, 4, |_| ()), None);
        mem.exclusive(A, AT, 8, |x| {
            x.store(AT + 8, Order::Big, 1u64);
            x.store(AT + 2, Order::Big, 1u32);
            x.store(AT - 8, Order::Big, 1u64);
            x.store(AT + 4, Order::Big, 7u32);
            assert_eq!(x.load::<u64>(AT, Order::Big), 7);
            assert!(!x.exchange(AT, Order::Big, 7u32, 8));
        });
        assert_eq!(mem.load::<u64>(AT - 8, Order::Big), Some(0));
        assert_eq!(mem.load::<u64>(AT + 8, Order::Big), Some(0));
    }
}
