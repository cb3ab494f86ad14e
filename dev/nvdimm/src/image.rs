//! The file of an NVDIMM: made, opened under a lock, its header and label area kept.

use std::fs::{File, TryLockError};
use std::io::{self, IoSlice};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use rustix::fs::{FallocateFlags, fallocate};
use rustix::io::{Errno, ReadWriteFlags, pwritev2};
use thiserror::Error;

use crate::header::{COPIES, Header, HeaderError, LABELS, SIZE, State};
use crate::uuid::Uuid;

/// What is to be done with an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Read it and write it: nobody else has it open.
    Write,
    /// Read it; others may, too.
    Read,
}

/// Sizes and identity, as a machine tells its guest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Geometry {
    /// Identity of the contents.
    pub uuid: Uuid,
    /// Bytes of a block, a power of two.
    pub block_size: u64,
    /// Blocks of data.
    pub blocks: u64,
    /// Bytes of the label area.
    pub labels: u64,
    /// How often it was left without being put away.
    pub dirty_shutdowns: u64,
}

/// Why a file can not be used as an image.
#[derive(Debug, Error)]
pub enum ImageError {
    /// The host said no.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// Somebody else has it open.
    #[error("it is in use by another PowerVisor; each image can be in one machine at a time")]
    InUse,
    /// A copy of the header is not readable.
    #[error("copy {copy} of its header: {error}; `powervisor nvdimm check` says more, and nothing was changed")]
    Header {
        /// 1 or 2.
        copy: usize,
        /// What is wrong with it.
        error: HeaderError,
    },
    /// The file ends early.
    #[error("it has {have} bytes and its header says {want}: the file was cut off")]
    Short {
        /// Bytes there.
        have: u64,
        /// Bytes wanted.
        want: u64,
    },
    /// Sizes that can not be.
    #[error("{0}")]
    Sizes(String),
    /// The file exists.
    #[error("it exists already; give another name, or remove it if nothing in it is needed")]
    Exists,
}

/// An open image.
#[derive(Debug)]
pub struct Image {
    file: File,
    access: Access,
    header: Mutex<Header>,
    /// The label area as it is in the file.
    labels: Mutex<Vec<u8>>,
    /// It was in use when it was opened: whoever had it did not put it away.
    left_dirty: bool,
}

fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The copies of the header in `file`.
///
/// # Errors
/// When the file can not be read; a file that is too short has no header.
pub fn headers(file: &File) -> io::Result<[Result<Header, HeaderError>; 2]> {
    let mut copies = [Err(HeaderError::Foreign); 2];
    for (copy, at) in copies.iter_mut().zip(COPIES) {
        let mut bytes = [0; SIZE];
        match file.read_exact_at(&mut bytes, at) {
            Ok(()) => *copy = Header::decode(&bytes),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {}
            Err(error) => return Err(error),
        }
    }
    Ok(copies)
}

/// The copy that counts: of two that are readable the one with the higher sequence.
///
/// # Errors
/// Why the first one is not readable, if neither is.
pub fn newest([first, second]: [Result<Header, HeaderError>; 2]) -> Result<Header, HeaderError> {
    match (first, second) {
        (Ok(first), Ok(second)) => Ok(if first.sequence >= second.sequence { first } else { second }),
        (Ok(only), Err(_)) | (Err(_), Ok(only)) => Ok(only),
        (Err(error), Err(_)) => Err(error),
    }
}

/// Whether the lock was had.
fn locked(result: Result<(), TryLockError>) -> Result<(), ImageError> {
    result.map_err(|error| match error {
        TryLockError::WouldBlock => ImageError::InUse,
        TryLockError::Error(error) => error.into(),
    })
}

/// Writes `data` at `offset`, and returns when it is on the medium, what else is dirty in the file or not.
fn write_through(file: &File, data: &[u8], offset: u64) -> io::Result<()> {
    match pwritev2(file, &[IoSlice::new(data)], offset, ReadWriteFlags::DSYNC) {
        Ok(written) if written == data.len() => Ok(()),
        Ok(_) | Err(Errno::OPNOTSUPP | Errno::NOSYS | Errno::INTR) => {
            file.write_all_at(data, offset)?;
            file.sync_data()
        }
        Err(error) => Err(error.into()),
    }
}

/// Gives the file its whole length and all its blocks on the disk: a guest's store into a hole would end the process
/// when the disk is full.
fn allocate(file: &File, len: u64) -> io::Result<()> {
    loop {
        match fallocate(file, FallocateFlags::empty(), 0, len) {
            Err(Errno::INTR) => {}
            result => return Ok(result?),
        }
    }
}

impl Image {
    /// Makes the image file `path`, with `data` bytes of data and `labels` of label area, all zero.
    ///
    /// # Errors
    /// A file that exists, sizes that can not be, and what the host refuses; then no file is left behind.
    pub fn create(path: &Path, uuid: Uuid, data: u64, labels: u64) -> Result<(), ImageError> {
        let header = Header::new(uuid, data, labels).map_err(ImageError::Sizes)?;
        let file = File::options().read(true).write(true).create_new(true).open(path).map_err(|error| {
            if error.kind() == io::ErrorKind::AlreadyExists { ImageError::Exists } else { error.into() }
        })?;
        let written = || -> io::Result<()> {
            allocate(&file, header.file())?;
            COPIES.into_iter().try_for_each(|at| file.write_all_at(&header.encode(), at))?;
            file.sync_all()
        };
        written().map_err(|error| {
            let _ = std::fs::remove_file(path);
            error.into()
        })
    }

    /// Opens an image. Nothing in the file is changed.
    ///
    /// # Errors
    /// Files that are no image or in use, and what the host refuses.
    pub fn open(path: &Path, access: Access) -> Result<Image, ImageError> {
        let write = access == Access::Write;
        let file = File::options().read(true).write(write).open(path)?;
        locked(if write { file.try_lock() } else { file.try_lock_shared() })?;
        let copies = headers(&file)?;
        for (copy, header) in (1..).zip(copies) {
            header.map_err(|error| ImageError::Header { copy, error })?;
        }
        let mut header = newest(copies).map_err(|error| ImageError::Header { copy: 1, error })?;
        let (have, want) = (file.metadata()?.len(), header.file());
        if have < want {
            return Err(ImageError::Short { have, want });
        }
        if write {
            allocate(&file, want)?;
        }
        let mut labels = vec![0; header.labels as usize];
        file.read_exact_at(&mut labels, LABELS)?;
        let left_dirty = header.state == State::InUse;
        // In the file it is counted with the next change.
        header.dirty_shutdowns += u64::from(left_dirty);
        Ok(Image { file, access, header: Mutex::new(header), labels: Mutex::new(labels), left_dirty })
    }

    /// Takes the readable copy of the header of `path` for the other one, too.
    ///
    /// # Errors
    /// When both are readable or neither is, when it is in use, and what the host refuses.
    pub fn repair(path: &Path) -> Result<(), ImageError> {
        let file = File::options().read(true).write(true).open(path)?;
        locked(file.try_lock())?;
        let copies = headers(&file)?;
        let (at, header) = match copies {
            [Ok(header), Err(_)] => (COPIES[1], header),
            [Err(_), Ok(header)] => (COPIES[0], header),
            [Ok(_), Ok(_)] => return Ok(()),
            [Err(error), Err(_)] => return Err(ImageError::Header { copy: 1, error }),
        };
        // What was being written is unknown: whoever opens it next is to hear that it was not put away.
        let header = Header { state: State::InUse, sequence: header.sequence + 1, ..header };
        write_through(&file, &header.encode(), at)?;
        Ok(())
    }

    /// What is done with it.
    pub fn access(&self) -> Access {
        self.access
    }

    /// Its file, for mappings: the data begins at [`Header::data_offset`].
    pub fn file(&self) -> &File {
        &self.file
    }

    /// The header as it was opened or last written.
    pub fn header(&self) -> Header {
        *lock(&self.header)
    }

    /// Whether it was in use when it was opened.
    pub fn left_dirty(&self) -> bool {
        self.left_dirty
    }

    /// Sizes and identity.
    pub fn geometry(&self) -> Geometry {
        let Header { uuid, block_size, blocks, labels, dirty_shutdowns, .. } = self.header();
        Geometry { uuid, block_size, blocks, labels, dirty_shutdowns }
    }

    /// Notes in the file how it is left, durably.
    ///
    /// # Errors
    /// What the host refuses.
    pub fn mark(&self, state: State, power_on_seconds: u64) -> io::Result<()> {
        let mut header = lock(&self.header);
        let next = Header { state, power_on_seconds, sequence: header.sequence + 1, ..*header };
        let [even, odd] = COPIES;
        write_through(&self.file, &next.encode(), if next.sequence.is_multiple_of(2) { even } else { odd })?;
        *header = next;
        Ok(())
    }

    /// Copies bytes of the label area; `false` when they are not all in it.
    pub fn read_label(&self, offset: u64, out: &mut [u8]) -> bool {
        let labels = lock(&self.labels);
        let found = usize::try_from(offset).ok().and_then(|at| labels.get(at..)?.get(..out.len()));
        found.map(|found| out.copy_from_slice(found)).is_some()
    }

    /// Replaces bytes of the label area. They are in the file when this returns, behind those of earlier calls.
    ///
    /// # Errors
    /// What the host refuses, bytes outside the area, and images that are only read; then nothing has changed as far as can
    /// be known.
    pub fn write_label(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        if self.access == Access::Read {
            return Err(io::ErrorKind::ReadOnlyFilesystem.into());
        }
        let mut labels = lock(&self.labels);
        let place = usize::try_from(offset).ok().and_then(|at| labels.get_mut(at..)?.get_mut(..data.len()));
        let place = place.ok_or(io::ErrorKind::InvalidInput)?;
        write_through(&self.file, data, LABELS + offset)?;
        place.copy_from_slice(data);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use guest_mem::BLOCK;

    use super::*;

    /// A path that goes with its file.
    struct Scratch(PathBuf);

    impl Scratch {
        fn image(name: &str) -> Scratch {
            let path = std::env::temp_dir().join(format!("nvdimm-image-{}-{name}", std::process::id()));
            let _ = std::fs::remove_file(&path);
            Image::create(&path, Uuid([1; 16]), BLOCK, 4096).unwrap();
            Scratch(path)
        }

        fn bytes(&self, at: u64, len: usize) -> Vec<u8> {
            let mut bytes = vec![0; len];
            File::open(&self.0).unwrap().read_exact_at(&mut bytes, at).unwrap();
            bytes
        }

        fn change(&self, at: u64, bytes: &[u8]) {
            File::options().write(true).open(&self.0).unwrap().write_all_at(bytes, at).unwrap();
        }
    }

    impl Drop for Scratch {
        fn drop(&mut self) {
            let _ = std::fs::remove_file(&self.0);
        }
    }

    #[test]
    fn opened_once_for_writing_or_often_for_reading() {
        let scratch = Scratch::image("lock");
        assert!(matches!(Image::create(&scratch.0, Uuid([1; 16]), BLOCK, 4096), Err(ImageError::Exists)));
        let first = Image::open(&scratch.0, Access::Write).unwrap();
        for access in [Access::Write, Access::Read] {
            assert!(matches!(Image::open(&scratch.0, access), Err(ImageError::InUse)));
        }
        drop(first);
        let readers = [Image::open(&scratch.0, Access::Read).unwrap(), Image::open(&scratch.0, Access::Read).unwrap()];
        assert!(matches!(Image::open(&scratch.0, Access::Write), Err(ImageError::InUse)));
        assert!(readers[0].write_label(0, &[1]).is_err());
    }

    #[test]
    fn labels_are_in_the_file_when_the_write_returns() {
        let scratch = Scratch::image("labels");
        let image = Image::open(&scratch.0, Access::Write).unwrap();
        image.write_label(4088, &[1, 2, 3, 4, 5, 6, 7, 8]).unwrap();
        assert_eq!(scratch.bytes(LABELS + 4088, 8), [1, 2, 3, 4, 5, 6, 7, 8]);
        assert!(image.write_label(4089, &[0; 8]).is_err() && image.write_label(u64::MAX, &[0]).is_err());
        let mut out = [0; 4];
        assert!(image.read_label(4092, &mut out) && out == [5, 6, 7, 8]);
        assert!(!image.read_label(4093, &mut out) && !image.read_label(u64::MAX, &mut out));
    }

    #[test]
    fn what_is_left_in_use_was_not_put_away() {
        let scratch = Scratch::image("dirty");
        let open = || Image::open(&scratch.0, Access::Write).unwrap();
        let image = open();
        assert!(!image.left_dirty());
        image.mark(State::InUse, 5).unwrap();
        drop(image);
        // Looking at it changes nothing, and counts nothing twice.
        for _ in 0..2 {
            let image = open();
            assert_eq!((image.left_dirty(), image.geometry().dirty_shutdowns), (true, 1));
        }
        let image = open();
        image.mark(State::InUse, 6).unwrap();
        image.mark(State::Clean, 7).unwrap();
        drop(image);
        let image = open();
        assert_eq!((image.left_dirty(), image.geometry().dirty_shutdowns), (false, 1));
        assert_eq!((image.header().power_on_seconds, image.header().sequence), (7, 4));
    }

    #[test]
    fn foreign_torn_and_short_files_are_refused_and_left_alone() {
        for (copy, at) in COPIES.into_iter().enumerate() {
            for changed in [0, 100] {
                let scratch = Scratch::image("torn");
                scratch.change(at + changed, b"other");
                let before = scratch.bytes(0, 8192);
                let error = Image::open(&scratch.0, Access::Write).unwrap_err();
                assert!(matches!(error, ImageError::Header { copy: found, .. } if found == copy + 1), "{error}");
                assert_eq!(scratch.bytes(0, 8192), before);
                Image::repair(&scratch.0).unwrap();
                assert!(Image::open(&scratch.0, Access::Write).unwrap().left_dirty());
            }
        }
        let scratch = Scratch::image("both");
        COPIES.into_iter().for_each(|at| scratch.change(at, b"other"));
        assert!(matches!(Image::repair(&scratch.0), Err(ImageError::Header { .. })));
        let scratch = Scratch::image("short");
        File::options().write(true).open(&scratch.0).unwrap().set_len(BLOCK).unwrap();
        assert!(matches!(Image::open(&scratch.0, Access::Write), Err(ImageError::Short { .. })));
    }
}
