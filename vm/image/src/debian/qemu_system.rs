//! The newest system QEMU that Debian 12 has for this host, in a folder of its own: what speed is compared with.
//!
//! Contract: as for kernels. It comes with every library that it needs, down to the C library, and runs on those: the
//! host's packages stay as they are, and need not be Debian's.

use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::client::Client;
use super::{DebianError, Package, Progress, cache, find};

/// The suites: of the second the packages, of both what they need.
const SUITES: &str = "bookworm bookworm-backports";
const NEWEST: &str = "bookworm-backports";
/// What this host is to Debian; the hypervisor runs on nothing else.
const ARCHITECTURE: &str = "amd64";
const PACKAGE: &str = "qemu-system-ppc";
/// The programs.
pub const PROGRAMS: [&str; 2] = ["qemu-system-ppc", "qemu-system-ppc64"];

/// The folder of all that was unpacked, and the programs in it.
const TREE: &str = "tree";
const KEPT: [&str; 2] = ["tree/usr/bin/qemu-system-ppc", "tree/usr/bin/qemu-system-ppc64"];
/// The loader of programs (System V ABI, AMD64 supplement) and the folders of libraries, in the tree.
const LOADER: &str = "lib/x86_64-linux-gnu/ld-linux-x86-64.so.2";
const LIBRARIES: [&str; 2] = ["lib/x86_64-linux-gnu", "usr/lib/x86_64-linux-gnu"];
/// QEMU's own modules, in the tree. What is not among them it looks for on the host, and may not find fitting: give it
/// `-nodefaults`, so that it needs none of sound and screens.
const MODULES: &str = "usr/lib/x86_64-linux-gnu/qemu";
/// Firmware, in the tree.
const DATA: &str = "usr/share/qemu";

/// What `obtain` gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SystemQemu {
    /// Version of the package.
    pub version: String,
    tree: PathBuf,
}

impl SystemQemu {
    /// A command that begins with one of [`PROGRAMS`], on its own libraries and with its own firmware.
    pub fn command(&self, program: &str) -> Command {
        let libraries = LIBRARIES.map(|folder| self.tree.join(folder).display().to_string()).join(":");
        let mut command = Command::new(self.tree.join(LOADER));
        command.args(["--library-path", &libraries]).arg(self.tree.join("usr/bin").join(program));
        command.arg("-L").arg(self.tree.join(DATA)).env("QEMU_MODULE_DIR", self.tree.join(MODULES));
        command
    }

    fn kept(folder: &Path) -> Option<SystemQemu> {
        let [program, _] = cache::load(NEWEST, folder, KEPT)?;
        Some(SystemQemu { version: program.version, tree: folder.join(TREE) })
    }
}

/// Where `obtain` keeps it by custom: `powervisor/qemu-system` in the user's cache folder.
pub fn cache_folder() -> Option<PathBuf> {
    Some(crate::cache_dir()?.join("powervisor/qemu-system"))
}

/// System QEMU in `folder`, downloaded (33 MB) unless it is there already. The programs are held against their record;
/// what they came with is not.
///
/// # Errors
/// When the host's package client cannot get the packages, or the folder cannot be written.
pub fn obtain(folder: &Path, progress: &mut dyn FnMut(Progress<'_>)) -> Result<SystemQemu, DebianError> {
    let folder = &std::path::absolute(folder).map_err(|e| DebianError::io("find", folder.to_owned(), e))?;
    let _lock = cache::lock(folder, progress)?;
    if let Some(kept) = SystemQemu::kept(folder) {
        return Ok(kept);
    }
    let client = Client::new(folder.join(".fetch"), None, ARCHITECTURE)?;
    find(&client, SUITES, PACKAGE, progress, |record| record.get("Version").map(str::to_owned))?;
    client.download_closure(PACKAGE, NEWEST, progress)?;
    let fresh = client.file(TREE);
    client.unpack_all(&fresh)?;
    let tree = folder.join(TREE);
    if tree.exists() {
        fs::remove_dir_all(&tree).map_err(|e| DebianError::io("remove", tree.clone(), e))?;
    }
    fs::rename(&fresh, &tree).map_err(|e| DebianError::io("rename", fresh, e))?;

    let version = client.downloaded_version(PACKAGE)?;
    let mut keep = |name: &str| -> Result<Package, DebianError> {
        let path = folder.join(name);
        let mut file = File::open(&path).map_err(|e| DebianError::io("read", path.clone(), e))?;
        let package = cache::store(&mut file, client.file("program"), folder, name, (PACKAGE, &version), progress)?;
        let executable = fs::set_permissions(&path, fs::Permissions::from_mode(0o755));
        executable.map_err(|e| DebianError::io("make executable", path, e))?;
        Ok(package)
    };
    let [first, second] = KEPT;
    let programs = [keep(first)?, keep(second)?];
    let named: Vec<_> = KEPT.into_iter().zip(&programs).collect();
    cache::record(NEWEST, folder, &named)?;
    Ok(SystemQemu { version, tree })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The real thing, into the user's cache folder.
    #[test]
    #[ignore = "downloads 33 MB; run with --ignored --nocapture"]
    fn programs_are_obtained_and_run() {
        let folder = cache_folder().unwrap();
        let qemu = obtain(&folder, &mut |_| {}).unwrap();
        assert_eq!(SystemQemu::kept(&folder).unwrap(), qemu);
        for program in PROGRAMS {
            let output = qemu.command(program).arg("--version").output().unwrap();
            let text = String::from_utf8(output.stdout).unwrap();
            assert!(text.contains(&qemu.version), "{text}");
        }
    }
}
