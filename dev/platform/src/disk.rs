//! A disk in a file, to be read only.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

/// Bytes of a block.
pub const BLOCK: u32 = 512;

/// A disk.
#[derive(Debug)]
pub struct DiskImage {
    file: File,
    size: u64,
}

impl DiskImage {
    /// The disk in file `path`, as large as the file is now, in whole blocks.
    ///
    /// # Errors
    /// What the host refuses.
    pub fn open(path: &Path) -> io::Result<DiskImage> {
        let file = File::open(path)?;
        let size = file.metadata()?.len();
        Ok(DiskImage { file, size: size - size % u64::from(BLOCK) })
    }

    /// Bytes of the disk.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Reads bytes from `offset` on.
    ///
    /// # Errors
    /// Bytes that are not all on the disk, and what the host refuses.
    pub fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        if offset.checked_add(out.len() as u64).is_none_or(|end| end > self.size) {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.file.read_exact_at(out, offset)
    }
}
