//! Registers without a life of their own: bytes that keep what is written to them, where they can be written at all.

use std::sync::{Mutex, PoisonError};

use crate::Registers;

/// A byte and the bits of it that a write changes.
#[derive(Clone, Copy)]
struct Latch {
    value: u8,
    writable: u8,
}

/// A block of registers. The byte at the lowest address is the most significant one of an access.
pub struct Latches {
    latches: Mutex<Box<[Latch]>>,
}

impl Latches {
    /// `size` bytes that read as zero at first; what is written to them is kept when they are `writable`.
    pub fn new(size: usize, writable: bool) -> Latches {
        let writable = if writable { 0xff } else { 0 };
        Latches { latches: Mutex::new(vec![Latch { value: 0, writable }; size].into()) }
    }

    /// Sets the bytes from `offset` on to `values`, and which of their bits can be written. Bytes outside the block
    /// are left out.
    #[must_use]
    pub fn with<const N: usize>(self, offset: usize, values: [u8; N], writable: [u8; N]) -> Latches {
        self.each(offset, N, |n, latch| {
            let at = |bytes: &[u8; N]| bytes.get(n).copied().unwrap_or(0);
            *latch = Latch { value: at(&values), writable: at(&writable) };
        });
        self
    }

    /// Sets `bits` of the byte at `offset` to those of `value`, as an input pin does, writable or not.
    pub fn set(&self, offset: usize, bits: u8, value: u8) {
        self.each(offset, 1, |_, latch| latch.value = (latch.value & !bits) | (value & bits));
    }

    /// Visits `count` bytes from `offset` on, as far as they are in the block.
    fn each(&self, offset: usize, count: usize, mut visit: impl FnMut(usize, &mut Latch)) {
        let mut latches = self.latches.lock().unwrap_or_else(PoisonError::into_inner);
        let found = latches.get_mut(offset..).into_iter().flatten().take(count);
        found.enumerate().for_each(|(n, latch)| visit(n, latch));
    }
}

impl Registers for Latches {
    fn read(&self, offset: u64, bytes: u64) -> u64 {
        let mut value = 0;
        let shift = |n: usize| 8 * (bytes.saturating_sub(n as u64 + 1));
        self.each(offset as usize, bytes as usize, |n, latch| value |= u64::from(latch.value) << shift(n));
        value
    }

    fn write(&self, offset: u64, bytes: u64, value: u64) {
        let shift = |n: usize| 8 * (bytes.saturating_sub(n as u64 + 1));
        self.each(offset as usize, bytes as usize, |n, latch| {
            let byte = (value >> shift(n)) as u8;
            latch.value = (latch.value & !latch.writable) | (byte & latch.writable);
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_writable_bits_change() {
        let block = Latches::new(8, true).with(2, [0x12, 0x34], [0x0f, 0]);
        block.write(0, 4, 0xaabb_ccdd);
        assert_eq!(block.read(0, 4), 0xaabb_1c34);
        assert_eq!(block.read(2, 1), 0x1c);
        block.set(3, 0xf0, 0x50);
        assert_eq!(block.read(3, 1), 0x54);
    }

    #[test]
    fn accesses_stay_inside() {
        let block = Latches::new(4, true);
        block.write(2, 4, 0x1122_3344);
        assert_eq!(block.read(2, 4), 0x1122_0000);
        assert_eq!(block.read(u64::MAX, 8), 0);
    }
}
