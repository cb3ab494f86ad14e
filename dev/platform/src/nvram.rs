//! Non-volatile memory that a guest divides into partitions. Kept in memory, where it lives as long as the machine, or in a
//! file as well.

use std::fs::File;
use std::sync::{Mutex, PoisonError};

use crate::Registers;

mod file;

/// Bytes of a store that nothing else is said of.
pub const SIZE: u32 = 0x1_0000;

/// Partitions are measured in blocks of this size; the first one is the partition's header.
const BLOCK: u32 = 16;
/// Signature of a partition that is free to be divided.
const FREE: u8 = 0x7f;

/// A partition of a new store: signature, name of at most twelve bytes, blocks with the header's own.
pub struct Partition {
    /// What kind it is.
    pub signature: u8,
    /// Name.
    pub name: &'static [u8],
    /// Size in blocks of 16 bytes.
    pub blocks: u16,
}

/// A store.
pub struct Nvram {
    bytes: Mutex<Box<[u8]>>,
    file: Option<File>,
}

impl Default for Nvram {
    /// A new store of [`SIZE`] bytes: one free partition over all of it.
    fn default() -> Nvram {
        Nvram::new(SIZE, &[])
    }
}

/// The store itself as registers.
impl Registers for Nvram {
    fn read(&self, offset: u64, bytes: u64) -> u64 {
        let mut out = [0; 8];
        if let (Ok(offset), Some(out)) = (u32::try_from(offset), out.get_mut(..bytes as usize)) {
            Nvram::read(self, offset, out);
        }
        u64::from_be_bytes(out) >> (64 - 8 * bytes.clamp(1, 8))
    }

    fn write(&self, offset: u64, bytes: u64, value: u64) {
        let data = value.to_be_bytes();
        if let (Ok(offset), Some(data)) = (u32::try_from(offset), data.get(8 - bytes.min(8) as usize..)) {
            Nvram::write(self, offset, data);
        }
    }
}

impl Nvram {
    /// A new store of `size` bytes with empty `partitions`; what they leave is a free one.
    pub fn new(size: u32, partitions: &[Partition]) -> Nvram {
        let mut bytes = Vec::new();
        for partition in partitions {
            bytes.extend(header(partition));
            bytes.resize(bytes.len() + BLOCK as usize * usize::from(partition.blocks.saturating_sub(1)), 0);
        }
        let left = (size / BLOCK).saturating_sub(bytes.len() as u32 / BLOCK);
        bytes.extend(header(&Partition { signature: FREE, name: b"wwwwwwwwwwww", blocks: left as u16 }));
        bytes.resize(size as usize, 0);
        Nvram { bytes: Mutex::new(bytes.into()), file: None }
    }

    /// Copies the bytes from `offset` on into `out`; `false` when they are not all in the store.
    pub fn read(&self, offset: u32, out: &mut [u8]) -> bool {
        let bytes = self.bytes.lock().unwrap_or_else(PoisonError::into_inner);
        let found = bytes.get(offset as usize..).and_then(|rest| rest.get(..out.len()));
        found.map(|found| out.copy_from_slice(found)).is_some()
    }

    /// Replaces the bytes from `offset` on by `data`, wholly or not at all. A store in a file returns when they are there.
    pub fn write(&self, offset: u32, data: &[u8]) -> bool {
        let mut bytes = self.bytes.lock().unwrap_or_else(PoisonError::into_inner);
        let found = bytes.get_mut(offset as usize..).and_then(|rest| rest.get_mut(..data.len()));
        let Some(found) = found else { return false };
        if self.file.as_ref().is_some_and(|file| file::write_through(file, data, offset).is_err()) {
            return false;
        }
        found.copy_from_slice(data);
        true
    }
}

/// Header of a partition: signature, checksum, big-endian length in blocks, name (CHRP 1.7, section 8.4.1.1).
fn header(partition: &Partition) -> [u8; BLOCK as usize] {
    let [high, low] = partition.blocks.to_be_bytes();
    let mut header = [partition.signature, 0, high, low, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    header.iter_mut().skip(4).zip(partition.name).for_each(|(slot, byte)| *slot = *byte);
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
    fn partitions_follow_each_other() {
        let common = Partition { signature: 0x70, name: b"common", blocks: 2 };
        let nvram = Nvram::new(64, &[common]);
        assert_eq!(Registers::read(&nvram, 0, 8), 0x70_fd_00_02_63_6f_6d_6d);
        assert_eq!(Registers::read(&nvram, 32, 4), 0x7f_1b_00_02);
        Registers::write(&nvram, 62, 2, 0xabcd);
        assert_eq!((Registers::read(&nvram, 63, 1), Registers::read(&nvram, 63, 2)), (0xcd, 0));
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
