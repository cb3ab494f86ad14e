//! The newest system QEMU that Debian 12 has for this host, in a folder of its own: what speed is compared with.
//!
//! Contract: as for kernels. It comes with every library that it needs, down to the C library, and runs on those: the
//! host's packages stay as they are, and need not be Debian's.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::closure::{Closure, TREE};
use super::{DebianError, Package, Progress};

/// The programs.
pub const PROGRAMS: [&str; 2] = ["qemu-system-ppc", "qemu-system-ppc64"];

/// Of the second suite the package, of both what it needs.
const CLOSURE: Closure<2> = Closure {
    // What this host is to Debian; the hypervisor runs on nothing else.
    architecture: "amd64",
    suites: "bookworm bookworm-backports",
    suite: "bookworm-backports",
    package: "qemu-system-ppc",
    programs: ["tree/usr/bin/qemu-system-ppc", "tree/usr/bin/qemu-system-ppc64"],
};
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
}

/// Where `obtain` keeps it by custom: `powervisor/qemu-system` in the user's cache folder.
pub fn cache_folder() -> Option<PathBuf> {
    Some(crate::cache_dir()?.join("powervisor/qemu-system"))
}

/// System QEMU in `folder`, downloaded (33 MB) unless it is there already.
///
/// # Errors
/// When the host's package client cannot get the packages, or the folder cannot be written.
pub fn obtain(folder: &Path, progress: &mut dyn FnMut(Progress<'_>)) -> Result<SystemQemu, DebianError> {
    let [Package { version, .. }, _] = CLOSURE.obtain(folder, progress)?;
    Ok(SystemQemu { version, tree: folder.join(TREE) })
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
        assert!(CLOSURE.kept(&folder).is_some());
        for program in PROGRAMS {
            let output = qemu.command(program).arg("--version").output().unwrap();
            let text = String::from_utf8(output.stdout).unwrap();
            assert!(text.contains(&qemu.version), "{text}");
        }
    }
}
