//! Non-volatile memory: 64 KiB that a guest divides into partitions. Kept in memory: it lives as long as the machine.

use std::sync::{Mutex, PoisonError};

/// Bytes of the store.
pub const SIZE: u32 = 0x1_0000;

/// Partitions are measured in blocks of this size; the first one is the partition's header.
const BLOCK: u32 = 16;
/// Signature of a partition that is free to be divided.
const FREE: u8 = 0x7f;

/// A store.
pub struct Nvram {
    bytes: Mutex<Box<[u8]>>,
}

impl Default for Nvram {
    /// A new store: one free partition over all of it.
    fn default() -> Nvram {
        let mut bytes = free_header((SIZE / BLOCK) as u16).to_vec();
        bytes.resize(SIZE as usize, 0);
        Nvram { bytes: Mutex::new(bytes.into()) }
    }
}

impl Nvram {
    /// Copies the bytes from `offset` on into `out`; `false` when they are not all in the store.
    pub fn read(&self, offset: u32, out: &mut [u8]) -> bool {
        let bytes = self.bytes.lock().unwrap_or_else(PoisonError::into_inner);
        let found = bytes.get(offset as usize..).and_then(|rest| rest.get(..out.len()));
        found.map(|found| out.copy_from_slice(found)).is_some()
    }

    /// Replaces the bytes from `offset` on by `data`, wholly or not at all.
    pub fn write(&self, offset: u32, data: &[u8]) -> bool {
        let mut bytes = self.bytes.lock().unwrap_or_else(PoisonError::into_inner);
        let found = bytes.get_mut(offset as usize..).and_then(|rest| rest.get_mut(..data.len()));
        found.map(|found| found.copy_from_slice(data)).is_some()
    }
}

/// Header of a free partition of `blocks` blocks: signature, checksum, big-endian length in blocks, name
/// (CHRP 1.7, section 8.4.1.1).
fn free_header(blocks: u16) -> [u8; BLOCK as usize] {
    let [high, low] = blocks.to_be_bytes();
    let mut header = *b"\0\0\0\0wwwwwwwwwwww";
    header[0] = FREE;
    header[2] = high;
    header[3] = low;
    header[1] = checksum(header);
    header
}

/// The sum of all bytes but the checksum itself, each carry out of the byte added again.
fn checksum(header: [u8; BLOCK as usize]) -> u8 {
    let others = header.into_iter().enumerate().filter(|(n, _)| *n != 1);
    others.fold(0, |sum: u8, (_, byte)| {
        let (sum, carry) = sum.overflowing_add(byte);
        sum + u8::from(carry)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_store_is_one_free_partition() {
        let mut header = [0; 16];
        assert!(Nvram::default().read(0, &mut header));
        assert_eq!(header, *b"\x7f\x29\x10\0wwwwwwwwwwww");
    }

    #[test]
    fn accesses_stay_inside() {
        let nvram = Nvram::default();
        let mut out = [0; 4];
        assert!(nvram.write(SIZE - 4, b"last"));
        assert!(nvram.read(SIZE - 4, &mut out));
        assert_eq!(&out, b"last");
        assert!(nvram.read(SIZE, &mut []));
        for offset in [SIZE - 3, SIZE, u32::MAX] {
            assert!(!nvram.read(offset, &mut out), "{offset:#x}");
            assert!(!nvram.write(offset, b"over"), "{offset:#x}");
        }
        assert!(nvram.read(SIZE - 4, &mut out));
        assert_eq!(&out, b"last");
    }
}
