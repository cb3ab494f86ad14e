//! Partitions of a disk: the four of an MBR, or those of a GPT (UEFI 2.10, chapter 5), and the one that PowerPC firmware
//! boots from, which holds a program as an ELF file (PowerPC Reference Platform, 5.6).
//!
//! Contract: what is read of a disk is bounded, and so are the partitions that are found; they lie on the disk.
//! Not its job: logical partitions of an MBR and file systems, which boot programs read by themselves.

use std::io;
use std::ops::Range;

use thiserror::Error;

/// Bytes of a block.
const BLOCK: u64 = 512;
/// Entries of a GPT that are read; firmware makes 128.
const MOST: u32 = 1024;
/// Bytes of a boot partition that are read.
const LARGEST_PROGRAM: u64 = 64 << 20;

/// Type of an MBR's entry for a PReP boot partition, and for the whole disk when it has a GPT.
const PREP: u8 = 0x41;
const PROTECTIVE: u8 = 0xee;
/// 9E1A2D38-C612-4316-AA26-8B49521E5A8B, a GPT's PReP boot partition, as it stands on the disk.
const PREP_GUID: [u8; 16] =
    [0x38, 0x2d, 0x1a, 0x9e, 0x12, 0xc6, 0x16, 0x43, 0xaa, 0x26, 0x8b, 0x49, 0x52, 0x1e, 0x5a, 0x8b];

/// Why nothing can be booted from a disk.
#[derive(Debug, Error)]
pub enum DiskError {
    /// Neither kind of table is there.
    #[error("the disk has no partition table, neither MBR nor GPT: give a whole disk's image, not one of a partition")]
    NoTable,
    /// The table has no partition of that kind.
    #[error(
        "the disk has no PReP boot partition (type 41 in an MBR, 9E1A2D38-C612-4316-AA26-8B49521E5A8B in a GPT): \
         give one that was installed for pseries, or a kernel with --kernel"
    )]
    NoBootPartition,
    /// The GPT's header holds a value that cannot be.
    #[error("the disk's GPT header has {field} {value}: the disk is damaged")]
    Header {
        /// Field.
        field: &'static str,
        /// What it holds.
        value: u64,
    },
    /// The host's reason.
    #[error("the disk at byte {offset:#x}: {source}")]
    Read {
        /// Where.
        offset: u64,
        /// The host's reason.
        source: io::Error,
    },
}

/// A partition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Partition {
    /// Its number, from 1 on.
    pub number: u32,
    /// A boot program is in it.
    pub boot: bool,
    /// Its bytes.
    pub bytes: Range<u64>,
}

/// How bytes of a disk are read: `out.len()` from an offset on.
pub type Read<'a> = &'a dyn Fn(u64, &mut [u8]) -> io::Result<()>;

/// The partitions of a disk of `size` bytes.
///
/// # Errors
/// A disk without a table, a damaged table, and what the host refuses.
pub fn partitions(size: u64, read: Read) -> Result<Vec<Partition>, DiskError> {
    let sector =
        bytes::<{ BLOCK as usize }>(read, 0).map_err(|error| if size < BLOCK { DiskError::NoTable } else { error })?;
    let (_, table) = sector.split_at(446);
    if table.get(64..) != Some(&[0x55, 0xaa]) {
        return Err(DiskError::NoTable);
    }
    let entries: Vec<&[u8; 16]> = table.as_chunks().0.iter().collect();
    if entries.iter().any(|entry| entry[4] == PROTECTIVE) {
        return gpt(size, read);
    }
    let found = (1..).zip(entries).filter_map(|(number, entry)| {
        let (first, count) = (u64::from(little_32(entry, 8)), u64::from(little_32(entry, 12)));
        let bytes = on_disk(size, first, first + count)?;
        (entry[4] != 0).then_some(Partition { number, boot: entry[4] == PREP, bytes })
    });
    Ok(found.collect())
}

fn gpt(size: u64, read: Read) -> Result<Vec<Partition>, DiskError> {
    let header = bytes::<92>(read, BLOCK)?;
    if !header.starts_with(b"EFI PART") {
        return Err(DiskError::NoTable);
    }
    let (table, count, step) = (little_64(&header, 72), little_32(&header, 80), little_32(&header, 84));
    let wrong = |field, value| Err(DiskError::Header { field, value });
    if count > MOST {
        return wrong("a number of entries of", count.into());
    }
    if !(128..=4096).contains(&step) {
        return wrong("an entry's size of", step.into());
    }
    let Some(table) = table.checked_mul(BLOCK).filter(|table| *table < size) else {
        return wrong("entries from block", table);
    };
    let mut found = Vec::new();
    for n in 0..count {
        let entry = bytes::<48>(read, table + u64::from(n) * u64::from(step))?;
        let end = little_64(&entry, 40).checked_add(1);
        let bytes = end.and_then(|end| on_disk(size, little_64(&entry, 32), end));
        let used = entry.iter().take(16).any(|byte| *byte != 0);
        if let Some(bytes) = bytes.filter(|_| used) {
            found.push(Partition { number: n + 1, boot: entry.starts_with(&PREP_GUID), bytes });
        }
    }
    Ok(found)
}

/// The program in the first boot partition, up to the partition's end, and the partition's number.
///
/// # Errors
/// As [`partitions`], and a disk without such a partition.
pub fn boot_program(size: u64, read: Read) -> Result<(u32, Vec<u8>), DiskError> {
    let found = partitions(size, read)?.into_iter().find(|partition| partition.boot);
    let Partition { number, bytes, .. } = found.ok_or(DiskError::NoBootPartition)?;
    let mut program = vec![0; (bytes.end - bytes.start).min(LARGEST_PROGRAM) as usize];
    read(bytes.start, &mut program).map_err(|source| DiskError::Read { offset: bytes.start, source })?;
    Ok((number, program))
}

/// The bytes of these blocks, if they are on the disk and some.
fn on_disk(size: u64, first: u64, end: u64) -> Option<Range<u64>> {
    let bytes = first.checked_mul(BLOCK)?..end.checked_mul(BLOCK)?;
    (bytes.start < bytes.end && bytes.end <= size).then_some(bytes)
}

fn bytes<const N: usize>(read: Read, offset: u64) -> Result<[u8; N], DiskError> {
    let mut bytes = [0; N];
    read(offset, &mut bytes).map_err(|source| DiskError::Read { offset, source })?;
    Ok(bytes)
}

fn little_32(bytes: &[u8], at: usize) -> u32 {
    let bytes = bytes.get(at..).and_then(|bytes| bytes.first_chunk());
    bytes.map_or(0, |bytes| u32::from_le_bytes(*bytes))
}

fn little_64(bytes: &[u8], at: usize) -> u64 {
    let bytes = bytes.get(at..).and_then(|bytes| bytes.first_chunk());
    bytes.map_or(0, |bytes| u64::from_le_bytes(*bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: u64 = 1 << 20;

    fn on(disk: &[u8]) -> Result<Vec<Partition>, DiskError> {
        partitions(disk.len() as u64, &|offset, out| reads(disk, offset, out))
    }

    fn reads(disk: &[u8], offset: u64, out: &mut [u8]) -> io::Result<()> {
        let part = disk.get(offset as usize..).and_then(|disk| disk.get(..out.len()));
        out.copy_from_slice(part.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    /// An MBR with entries of type, first block and number of blocks.
    fn mbr(entries: &[(u8, u32, u32)]) -> Vec<u8> {
        let mut disk = vec![0; SIZE as usize];
        for (n, (kind, first, count)) in entries.iter().enumerate() {
            let at = 446 + 16 * n;
            disk[at + 4] = *kind;
            disk[at + 8..at + 12].copy_from_slice(&first.to_le_bytes());
            disk[at + 12..at + 16].copy_from_slice(&count.to_le_bytes());
        }
        disk[510..512].copy_from_slice(&[0x55, 0xaa]);
        disk
    }

    fn with_gpt(count: u32, step: u32, table: u64, entries: &[([u8; 16], u64, u64)]) -> Vec<u8> {
        let mut disk = mbr(&[(PROTECTIVE, 1, u32::MAX)]);
        disk[512..520].copy_from_slice(b"EFI PART");
        disk[512 + 72..512 + 80].copy_from_slice(&table.to_le_bytes());
        disk[512 + 80..512 + 84].copy_from_slice(&count.to_le_bytes());
        disk[512 + 84..512 + 88].copy_from_slice(&step.to_le_bytes());
        for (n, (kind, first, last)) in entries.iter().enumerate() {
            let at = 1024 + 128 * n;
            disk[at..at + 16].copy_from_slice(kind);
            disk[at + 32..at + 40].copy_from_slice(&first.to_le_bytes());
            disk[at + 40..at + 48].copy_from_slice(&last.to_le_bytes());
        }
        disk
    }

    #[test]
    fn both_tables_are_read() {
        let boot = Partition { number: 2, boot: true, bytes: 8 * 512..10 * 512 };
        let other = Partition { number: 1, boot: false, bytes: 4 * 512..8 * 512 };
        assert_eq!(on(&mbr(&[(0x83, 4, 4), (PREP, 8, 2)])).unwrap(), [other.clone(), boot.clone()]);
        let entries = [([7; 16], 4, 7), (PREP_GUID, 8, 9), ([0; 16], 1, 2)];
        assert_eq!(on(&with_gpt(128, 128, 2, &entries)).unwrap(), [other, boot]);
    }

    #[test]
    fn what_is_not_on_the_disk_is_no_partition() {
        let blocks = (SIZE / BLOCK) as u32;
        let ends = [(0x83, blocks - 1, 2), (0x83, u32::MAX, u32::MAX), (0x83, 4, 0), (0, 4, 4)];
        assert_eq!(on(&mbr(&ends)).unwrap(), []);
        let entries = [([7; 16], 4, u64::MAX), ([7; 16], u64::MAX, 4), ([7; 16], 9, 4), ([7; 16], 1 << 60, 1 << 61)];
        assert_eq!(on(&with_gpt(4, 128, 2, &entries)).unwrap(), []);
    }

    #[test]
    fn disks_without_a_boot_program_say_why() {
        let boot = |disk: &[u8]| boot_program(disk.len() as u64, &|offset, out| reads(disk, offset, out));
        for empty in [vec![0; 4096], vec![], vec![0; 100], vec![0x55; 512]] {
            assert!(matches!(boot(&empty), Err(DiskError::NoTable)));
        }
        assert!(matches!(boot(&mbr(&[(0x83, 4, 4)])), Err(DiskError::NoBootPartition)));
        let damaged = [with_gpt(MOST + 1, 128, 2, &[]), with_gpt(4, 127, 2, &[]), with_gpt(4, 128, u64::MAX, &[])];
        assert!(damaged.iter().all(|disk| matches!(boot(disk), Err(DiskError::Header { .. }))));
        let beyond = with_gpt(128, 128, SIZE / BLOCK - 1, &[]);
        assert!(matches!(boot(&beyond), Err(DiskError::Read { .. })));
        let mut disk = mbr(&[(0x83, 4, 4), (PREP, 8, 2)]);
        disk[8 * 512..8 * 512 + 4].copy_from_slice(b"\x7fELF");
        let (number, program) = boot(&disk).unwrap();
        assert_eq!((number, program.len(), &program[..4]), (2, 1024, b"\x7fELF".as_slice()));
    }
}
