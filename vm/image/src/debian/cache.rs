//! The folder where obtained files stay, and the record that says what they are.
//!
//! Contract: files appear whole or not at all (written beside, then renamed), and the record last. A record that does
//! not agree with the files, to the last bit, counts as none.

use std::collections::BTreeMap;
use std::fs::{self, File, TryLockError};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{DebianError, Progress};

const RECORD: &str = "packages.json";
const LOCK: &str = "lock";
const CHUNK: usize = 1 << 18;

/// One file, and the package it came in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Package {
    /// Where the file is.
    #[serde(skip)]
    pub path: PathBuf,
    /// Name of the package.
    pub package: String,
    /// Its version.
    pub version: String,
    /// Bytes of the file.
    pub size: u64,
    /// SHA-256 of the file, in hexadecimal.
    pub sha256: String,
}

#[derive(Serialize, Deserialize)]
struct Record {
    /// The suite.
    release: String,
    /// By name of the file.
    #[serde(flatten)]
    files: BTreeMap<String, Package>,
}

/// What the folder holds, if it holds all of these files of `suite` unharmed.
pub fn load<const N: usize>(suite: &str, folder: &Path, names: [&str; N]) -> Option<[Package; N]> {
    let record: Record = serde_json::from_slice(&fs::read(folder.join(RECORD)).ok()?).ok()?;
    let Record { release, mut files } = record;
    let mut checked = |name| {
        let (path, package) = (folder.join(name), files.remove(name)?);
        let mut file = File::open(&path).ok()?;
        let same = file.metadata().ok()?.len() == package.size && {
            let (size, sha256) = copy(&mut file, &mut io::sink(), &mut |_| {}).ok()?;
            (size, &sha256) == (package.size, &package.sha256)
        };
        same.then_some(Package { path, ..package })
    };
    let packages = names.into_iter().map(&mut checked).collect::<Option<Vec<_>>>()?;
    packages.try_into().ok().filter(|_| release == suite)
}

/// Makes the folder and locks it; the lock ends with the file.
pub fn lock(folder: &Path, progress: &mut dyn FnMut(Progress<'_>)) -> Result<File, DebianError> {
    fs::create_dir_all(folder).map_err(|e| DebianError::io("make the folder", folder.to_owned(), e))?;
    let path = folder.join(LOCK);
    let open = File::options().create(true).truncate(false).write(true).open(&path);
    let file = open.map_err(|e| DebianError::io("write", path.clone(), e))?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            progress(Progress { stage: "waiting for another run", done: 0, total: None });
            file.lock().map_err(|e| DebianError::io("lock", path, e))?;
        }
        Err(TryLockError::Error(error)) => return Err(DebianError::io("lock", path, error)),
    }
    Ok(file)
}

/// Writes `content` to the file `name` of the folder, by way of `partial` on the same disk; it came in that
/// version of that package.
pub fn store(
    content: &mut dyn Read,
    partial: PathBuf,
    folder: &Path,
    name: &str,
    (package, version): (&str, &str),
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<Package, DebianError> {
    let path = folder.join(name);
    let written = File::create(&partial).and_then(|mut file| {
        copy(content, &mut file, &mut |done| progress(Progress { stage: "unpacking", done, total: None }))
    });
    let (size, sha256) = written.map_err(|e| DebianError::io("write", partial.clone(), e))?;
    fs::rename(&partial, &path).map_err(|e| DebianError::io("rename", partial, e))?;
    Ok(Package { path, package: package.to_owned(), version: version.to_owned(), size, sha256 })
}

/// Writes down what the folder holds: files of `suite` by name.
pub fn record(suite: &str, folder: &Path, files: &[(&str, &Package)]) -> Result<(), DebianError> {
    let (path, partial) = (folder.join(RECORD), folder.join(format!("{RECORD}.partial")));
    let files = files.iter().map(|&(name, package)| (name.to_owned(), package.clone())).collect();
    let record = Record { release: suite.to_owned(), files };
    let text = serde_json::to_vec_pretty(&record).map_err(io::Error::from);
    let written = text.and_then(|text| fs::write(&partial, text)).and_then(|()| fs::rename(&partial, &path));
    written.map_err(|e| DebianError::io("write", path, e))
}

/// Copies to the end; gives size and SHA-256, and tells how far it is.
fn copy(from: &mut dyn Read, to: &mut dyn Write, report: &mut dyn FnMut(u64)) -> io::Result<(u64, String)> {
    let (mut size, mut hash, mut chunk) = (0, Sha256::new(), vec![0; CHUNK]);
    loop {
        let length = match from.read(&mut chunk) {
            Ok(0) => break,
            Ok(length) => length,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        let bytes = chunk.get(..length).unwrap_or_default();
        hash.update(bytes);
        to.write_all(bytes)?;
        size += bytes.len() as u64;
        report(size);
    }
    Ok((size, hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()))
}

/// Keeps a file that was unpacked in `folder` with its sum.
pub fn keep(
    partial: PathBuf,
    folder: &Path,
    name: &str,
    origin: (&str, &str),
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<Package, DebianError> {
    let path = folder.join(name);
    let mut file = File::open(&path).map_err(|e| DebianError::io("read", path, e))?;
    store(&mut file, partial, folder, name, origin, progress)
}
