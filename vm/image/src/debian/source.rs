//! Parts of a Debian source package, unpacked into a folder: what chores build from other people's sources.
//!
//! Contract: as for kernels. Nothing is built or run here.

use std::fs;
use std::path::{Path, PathBuf};

use super::client::Client;
use super::{DebianError, Progress, cache, find};

/// Any architecture will do for sources.
const ARCHITECTURE: &str = "amd64";
/// Stands in the folder when all is there.
const COMPLETE: &str = "complete";

/// What matches `pattern` (of tar, below the upstream archive's first folder) in the source package `package` of `suite`,
/// in `folder`, downloaded unless it is there already.
///
/// # Errors
/// When the host's package client cannot get the package, or the folder cannot be written.
pub fn obtain(
    package: &str,
    suite: &'static str,
    pattern: &str,
    folder: &Path,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<(), DebianError> {
    obtain_with(package, suite, pattern, folder, None, progress)
}

pub(super) fn obtain_with(
    package: &str,
    suite: &'static str,
    pattern: &str,
    folder: &Path,
    programs: Option<PathBuf>,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<(), DebianError> {
    let folder = &std::path::absolute(folder).map_err(|e| DebianError::io("find", folder.to_owned(), e))?;
    let _lock = cache::lock(folder, progress)?;
    if folder.join(COMPLETE).exists() {
        return Ok(());
    }
    let client = Client::new(folder.join(".fetch"), programs, ARCHITECTURE)?.for_sources();
    find(&client, suite, package, progress, |record| record.get("Package").map(drop))?;
    client.download_source(package, progress)?;
    client.unpack_source(package, pattern, folder)?;
    let complete = folder.join(COMPLETE);
    fs::write(&complete, "").map_err(|e| DebianError::io("write", complete, e))
}
