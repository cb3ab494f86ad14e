//! Which user-mode QEMU is the reference, and its version: its faults are known by version.

use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Command;

use image::debian::qemu;

/// A folder of QEMU's programs.
#[derive(Clone, Debug)]
pub struct Qemu {
    /// The folder; `None` leaves the search to `PATH`.
    folder: Option<PathBuf>,
    /// Its version.
    pub version: Version,
}

/// A version of QEMU. That of no QEMU at all is 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version(pub u16, pub u16, pub u16);

/// Later than any version: a fault is still there.
pub const NEVER: Version = Version(u16::MAX, 0, 0);

impl Qemu {
    /// The QEMU in `folder`; without one, the newest that was obtained (`cargo xtask oracle` does it), else the host's.
    pub fn find(folder: Option<&Path>) -> Qemu {
        let newest = || qemu::cache_folder().filter(|folder| qemu::kept(folder).is_some());
        let mut qemu = Qemu { folder: folder.map(Path::to_owned).or_else(newest), version: Version::default() };
        // All programs come from one package; whichever there is will tell.
        let tell = |name| Command::new(qemu.program(name)).arg("--version").output().ok();
        let told = qemu::PROGRAMS.into_iter().find_map(tell).map(|output| output.stdout).unwrap_or_default();
        qemu.version = Version::read(&String::from_utf8_lossy(&told)).unwrap_or_default();
        qemu
    }

    /// The program called `name`.
    pub fn program(&self, name: &str) -> PathBuf {
        self.folder.as_ref().map_or(PathBuf::from(name), |folder| folder.join(name))
    }
}

impl fmt::Display for Qemu {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Qemu { folder, version } = self;
        let place = folder.as_ref().map_or("of this host".to_string(), |folder| format!("in {}", folder.display()));
        write!(f, "QEMU {version} {place}")
    }
}

impl Version {
    /// From what `--version` prints: `qemu-ppc version 7.2.17 (...)`.
    fn read(text: &str) -> Option<Version> {
        let number = text.split_once(" version ")?.1.split(|c: char| !c.is_ascii_digit() && c != '.').next()?;
        let mut parts = number.split('.').map(|part| part.parse().ok());
        Some(Version(parts.next()??, parts.next()??, parts.next().flatten().unwrap_or(0)))
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.0, self.1, self.2)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read() {
        let debian = "qemu-ppc64 version 10.0.2 (Debian 1:10.0.2+ds-2)\nCopyright";
        assert_eq!(Version::read(debian), Some(Version(10, 0, 2)));
        assert_eq!(Version::read("qemu-ppc version 7.2.17"), Some(Version(7, 2, 17)));
        assert_eq!(Version::read("usage: qemu"), None);
        assert!(Version(10, 0, 2) > Version(7, 2, 17));
    }
}
