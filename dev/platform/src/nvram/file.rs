//! A store in a file: the bytes as the guest sees them, nothing else.

use std::fs::{File, TryLockError};
use std::io::{self, Error, ErrorKind};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Mutex;

use super::{Nvram, SIZE};

/// Writes `data` at `offset`, and returns when it is on the medium.
pub(super) fn write_through(file: &File, data: &[u8], offset: u32) -> io::Result<()> {
    file.write_all_at(data, offset.into())?;
    file.sync_data()
}

/// One machine at a time: two guests would each overwrite what the other has stored.
fn lock(file: &File) -> io::Result<()> {
    file.try_lock().map_err(|error| match error {
        TryLockError::WouldBlock => Error::new(
            ErrorKind::ResourceBusy,
            "it is in use by another PowerVisor; each machine needs a file of its own",
        ),
        TryLockError::Error(error) => error,
    })
}

impl Nvram {
    /// The store of [`SIZE`] bytes in file `path`, which is made if there is none: a new store then.
    ///
    /// # Errors
    /// A file of another size, one that is in use, and what the host refuses.
    pub fn open(path: &Path) -> io::Result<Nvram> {
        let file = File::options().read(true).write(true).create(true).truncate(false).open(path)?;
        lock(&file)?;
        let new = Nvram::default();
        match file.metadata()?.len() {
            0 => {
                let mut bytes = vec![0; SIZE as usize];
                new.read(0, &mut bytes);
                file.write_all_at(&bytes, 0)?;
                file.sync_all()?;
                if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
                    File::open(folder)?.sync_all()?;
                }
                Ok(Nvram { file: Some(file), ..new })
            }
            len if len == u64::from(SIZE) => {
                let mut bytes = vec![0; SIZE as usize];
                file.read_exact_at(&mut bytes, 0)?;
                Ok(Nvram { bytes: Mutex::new(bytes.into()), file: Some(file) })
            }
            len => {
                let text =
                    format!("it has {len} bytes and non-volatile memory {SIZE}; give another name, and it is made");
                Err(Error::new(ErrorKind::InvalidData, text))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_file_keeps_it_for_one_machine_at_a_time() {
        let path = std::env::temp_dir().join(format!("platform-nvram-{}", std::process::id()));
        let _ = fs::remove_file(&path);
        let first = Nvram::open(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().len(), u64::from(SIZE));
        assert!(fs::read(&path).unwrap().starts_with(b"\x7f\x29\x10\0wwwwwwwwwwww"));
        assert!(first.write(SIZE - 4, b"kept") && !first.write(SIZE - 3, b"over"));
        assert!(fs::read(&path).unwrap().ends_with(b"kept"), "at once");
        assert_eq!(Nvram::open(&path).err().unwrap().kind(), ErrorKind::ResourceBusy);
        drop(first);
        let mut out = [0; 4];
        assert!(Nvram::open(&path).unwrap().read(SIZE - 4, &mut out));
        assert_eq!(&out, b"kept");
        fs::write(&path, b"short").unwrap();
        assert_eq!(Nvram::open(&path).err().unwrap().kind(), ErrorKind::InvalidData);
        assert_eq!(fs::read(&path).unwrap(), b"short", "nothing was changed");
        fs::remove_file(&path).unwrap();
    }
}
