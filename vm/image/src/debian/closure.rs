//! A package and everything that it needs, down to the C library, unpacked into one folder.
//!
//! Contract: as for kernels. The programs are held against their record; what they came with is not.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::client::Client;
use super::{DebianError, Package, Progress, cache, find};

/// The folder of all that was unpacked.
pub const TREE: &str = "tree";

/// What to obtain.
pub struct Closure<const N: usize> {
    /// Architecture as Debian calls it.
    pub architecture: &'static str,
    /// The suites that packages come from, separated by blanks.
    pub suites: &'static str,
    /// The one of them that the package itself comes from.
    pub suite: &'static str,
    /// The package.
    pub package: &'static str,
    /// Programs of it that are wanted: paths that begin with [`TREE`].
    pub programs: [&'static str; N],
}

impl<const N: usize> Closure<N> {
    /// The programs in `folder`, if all are there unharmed; never uses the network.
    pub fn kept(&self, folder: &Path) -> Option<[Package; N]> {
        cache::load(self.suite, folder, self.programs)
    }

    /// The programs in `folder`, downloaded with all that they need unless they are there already.
    ///
    /// # Errors
    /// When the host's package client cannot get the packages, or the folder cannot be written.
    pub fn obtain(&self, folder: &Path, progress: &mut dyn FnMut(Progress<'_>)) -> Result<[Package; N], DebianError> {
        let folder = &std::path::absolute(folder).map_err(|e| DebianError::io("find", folder.to_owned(), e))?;
        let _lock = cache::lock(folder, progress)?;
        if let Some(kept) = self.kept(folder) {
            return Ok(kept);
        }
        let client = Client::new(folder.join(".fetch"), None, self.architecture)?;
        find(&client, self.suites, self.package, progress, |record| record.get("Version").map(str::to_owned))?;
        client.download_closure(self.package, self.suite, progress)?;
        let fresh = client.file(TREE);
        client.unpack_all(&fresh)?;
        let tree = folder.join(TREE);
        if tree.exists() {
            fs::remove_dir_all(&tree).map_err(|e| DebianError::io("remove", tree.clone(), e))?;
        }
        fs::rename(&fresh, &tree).map_err(|e| DebianError::io("rename", fresh, e))?;
        let version = client.downloaded_version(self.package)?;
        let mut packages = Vec::new();
        for name in self.programs {
            packages.push(cache::keep(client.file("kept"), folder, name, (self.package, &version), progress)?);
            let (path, executable) = (folder.join(name), fs::Permissions::from_mode(0o755));
            fs::set_permissions(&path, executable).map_err(|e| DebianError::io("make executable", path, e))?;
        }
        let named: Vec<_> = self.programs.into_iter().zip(&packages).collect();
        cache::record(self.suite, folder, &named)?;
        packages.try_into().map_err(|_| DebianError::Package { package: self.package.to_owned(), lacks: "programs" })
    }
}
