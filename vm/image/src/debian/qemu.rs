//! The newest user-mode QEMU that Debian has for this host, in a folder of its own: what the oracle compares with.
//!
//! Contract: as for kernels. The host's own `qemu-user`, of whatever version, stays as it is.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::client::Client;
use super::{DebianError, Package, Progress, cache, find};

/// The suite with the newest version whose programs need no libraries of the host.
const SUITE: &str = "bookworm-backports";
/// What this host is to Debian; the hypervisor runs on nothing else.
const ARCHITECTURE: &str = "amd64";
const PACKAGE: &str = "qemu-user";
/// The programs, by the names that they have in the folder, too.
pub const PROGRAMS: [&str; 3] = ["qemu-ppc", "qemu-ppc64", "qemu-ppc64le"];

/// Where `obtain` keeps the programs by custom: `powervisor/qemu-user` in the user's cache folder.
pub fn cache_folder() -> Option<PathBuf> {
    Some(crate::cache_dir()?.join("powervisor/qemu-user"))
}

/// The programs in `folder` in the order of [`PROGRAMS`], if all are there unharmed; never uses the network.
pub fn kept(folder: &Path) -> Option<[Package; 3]> {
    cache::load(SUITE, folder, PROGRAMS)
}

/// The programs in `folder` in the order of [`PROGRAMS`], downloaded (63 MB) unless they are there already.
///
/// # Errors
/// When the host's package client cannot get the package, or the folder cannot be written.
pub fn obtain(folder: &Path, progress: &mut dyn FnMut(Progress<'_>)) -> Result<[Package; 3], DebianError> {
    let folder = &std::path::absolute(folder).map_err(|e| DebianError::io("find", folder.to_owned(), e))?;
    let _lock = cache::lock(folder, progress)?;
    if let Some(programs) = kept(folder) {
        return Ok(programs);
    }
    let client = Client::new(folder.join(".fetch"), None, ARCHITECTURE)?;
    let (version, size) = find(&client, SUITE, PACKAGE, progress, |record| {
        Some((record.get("Version")?.to_owned(), record.get("Size")?.parse::<u32>().ok()?))
    })?;
    client.download(&[PACKAGE], size.into(), progress)?;
    let archive = client.archive(PACKAGE)?;
    let mut keep = |name: &str| {
        let package = client.extract(&archive, &format!("./usr/bin/{name}"), |content| {
            cache::store(content, client.file(name), folder, name, (PACKAGE, &version), progress)
        })?;
        let executable = fs::set_permissions(&package.path, fs::Permissions::from_mode(0o755));
        executable.map_err(|e| DebianError::io("make executable", package.path.clone(), e))?;
        Ok(package)
    };
    let [first, second, third] = PROGRAMS;
    let programs = [keep(first)?, keep(second)?, keep(third)?];
    let named: Vec<_> = PROGRAMS.into_iter().zip(&programs).collect();
    cache::record(SUITE, folder, &named)?;
    Ok(programs)
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    /// The real thing, into the user's cache folder.
    #[test]
    #[ignore = "downloads 63 MB; run with --ignored --nocapture"]
    fn programs_are_obtained_and_run() {
        let folder = cache_folder().unwrap();
        let programs = obtain(&folder, &mut |_| {}).unwrap();
        assert_eq!(kept(&folder).unwrap(), programs);
        for program in programs {
            let output = Command::new(&program.path).arg("--version").output().unwrap();
            let (text, version) = (String::from_utf8(output.stdout).unwrap(), program.version);
            assert!(text.contains(&version), "{text}");
        }
    }
}
