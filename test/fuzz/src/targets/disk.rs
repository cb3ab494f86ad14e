//! Partition tables: what is found lies on the disk.

use std::io::{Error, ErrorKind};

use image::disk;

/// Reads a disk that begins as `data` and goes on with zeros.
pub fn run(data: &[u8]) {
    const SIZE: u64 = 1 << 20;
    let read = |offset: u64, out: &mut [u8]| {
        let end = offset.checked_add(out.len() as u64).filter(|end| *end <= SIZE);
        end.ok_or(Error::from(ErrorKind::UnexpectedEof))?;
        let part = data.get(offset as usize..).unwrap_or_default();
        out.iter_mut().zip(part.iter().copied().chain(std::iter::repeat(0))).for_each(|(out, byte)| *out = byte);
        Ok(())
    };
    if let Ok(found) = disk::partitions(SIZE, &read) {
        assert!(found.len() <= 1024);
        assert!(
            found.iter().all(|partition| partition.bytes.start < partition.bytes.end && partition.bytes.end <= SIZE)
        );
    }
    if let Ok((_, program)) = disk::boot_program(SIZE, &read) {
        assert!(program.len() as u64 <= SIZE);
    }
}

/// An MBR, and a GPT, each with a boot partition.
pub fn examples() -> Vec<Vec<u8>> {
    let mut mbr = vec![0; 2048];
    mbr[510..512].copy_from_slice(&[0x55, 0xaa]);
    let mut gpt = mbr.clone();
    mbr[446..462].copy_from_slice(&[0, 0, 0, 0, 0x41, 0, 0, 0, 2, 0, 0, 0, 4, 0, 0, 0]);
    gpt[450] = 0xee;
    gpt[512..520].copy_from_slice(b"EFI PART");
    (gpt[512 + 72], gpt[512 + 80], gpt[512 + 84]) = (2, 4, 128);
    let prep = [0x38, 0x2d, 0x1a, 0x9e, 0x12, 0xc6, 0x16, 0x43, 0xaa, 0x26, 0x8b, 0x49, 0x52, 0x1e, 0x5a, 0x8b];
    gpt[1024..1040].copy_from_slice(&prep);
    (gpt[1024 + 32], gpt[1024 + 40]) = (8, 11);
    vec![mbr, gpt]
}
