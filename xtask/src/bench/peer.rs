//! What PowerVisor is compared with: the newest system QEMU that Debian offers, else the host's.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use image::debian::qemu_system::{self, SystemQemu};

use crate::{packages, program};

/// For 64-bit machines.
pub const QEMU64: &str = "qemu-system-ppc64";
/// For 32-bit machines.
pub const QEMU32: &str = "qemu-system-ppc";

/// System QEMU.
pub enum Qemu {
    /// Debian's newest, from the user's cache.
    Newest(SystemQemu),
    /// What is installed.
    Host,
}

impl Qemu {
    /// Obtains it unless it is there.
    ///
    /// # Errors
    /// When the host has none either.
    pub fn find(log: &Path) -> Result<Qemu> {
        let folder = qemu_system::cache_folder().context("neither XDG_CACHE_HOME nor HOME is set")?;
        let error = match qemu_system::obtain(&folder, &mut |_| {}) {
            Ok(qemu) => return Ok(Qemu::Newest(qemu)),
            Err(error) => error,
        };
        eprintln!("the host's QEMU is the peer: {error}");
        packages::provide(&["qemu-system-ppc"], log)?;
        ensure!(program::exists(QEMU64), "no QEMU to compare with");
        Ok(Qemu::Host)
    }

    /// A command that begins with `program`, [`QEMU64`] or [`QEMU32`].
    pub fn command(&self, program: &str) -> Command {
        match self {
            Qemu::Newest(qemu) => qemu.command(program),
            Qemu::Host => Command::new(program),
        }
    }

    /// As in `10.0.2`, with Debian's revision.
    pub fn version(&self) -> Result<String> {
        let output = self.command(QEMU64).arg("--version").output().context(QEMU64)?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let line = text.lines().next().unwrap_or_default();
        Ok(line.trim_start_matches("QEMU emulator version ").to_owned())
    }
}
