//! `cargo xtask guests`: Linux guests built by `guest/linux/build.sh` into the user's cache.
//!
//! Tests look for them in `$POWERVISOR_GUESTS`, then in `powervisor/guests/NAME` of the cache. A guest that was built by the
//! same recipe before is left as it is. About fifteen minutes of two processors for each kernel.

use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::ValueEnum;

use crate::report::{Finding, Report};
use crate::workspace::Workspace;
use crate::{packages, program};

/// A guest that we know to build.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Guest {
    /// 64-bit big-endian, Book3S with hash translation, 4 KiB pages
    PseriesBe,
    /// 64-bit little-endian, Book3S with hash or radix translation, 64 KiB pages
    PseriesLe,
    /// 32-bit, BookE with SPE
    E500v2,
    /// 64-bit big-endian, BookE
    E5500,
    /// 32-bit PowerMac, Book3S
    Mac32,
    /// 64-bit little-endian host of guests in KVM's PR mode, for `cargo xtask judge`
    KvmPr,
}

impl Guest {
    /// Those that the whole-machine tests use.
    pub const TESTED: &[Guest] = &[Guest::PseriesBe, Guest::PseriesLe, Guest::E500v2, Guest::E5500, Guest::Mac32];

    /// Its name, that of its folder too.
    fn name(self) -> &'static str {
        match self {
            Guest::PseriesBe => "pseries-be",
            Guest::PseriesLe => "pseries-le",
            Guest::E500v2 => "e500v2",
            Guest::E5500 => "e5500",
            Guest::Mac32 => "mac32",
            Guest::KvmPr => "kvm-pr",
        }
    }

    /// Names of its compiler and of its C library in packages.
    fn cross(self) -> (&'static str, &'static str) {
        match self {
            Guest::PseriesBe | Guest::E5500 => ("powerpc64", "ppc64"),
            Guest::PseriesLe | Guest::KvmPr => ("powerpc64le", "ppc64el"),
            Guest::E500v2 | Guest::Mac32 => ("powerpc", "powerpc"),
        }
    }
}

/// Packages for every guest.
#[rustfmt::skip]
const PACKAGES: &[&str] = &[
    "linux-source-6.1", "make", "gcc", "libc6-dev", "perl", "flex", "bison", "bc", "cpio", "xz-utils", "bzip2", "libelf-dev",
    "libssl-dev",
];

/// Builds `guests`, one step each.
pub fn run(workspace: &Workspace, guests: &[Guest], report: &mut Report) {
    report.step("packages for guests", || {
        let cross = guests.iter().map(|guest| guest.cross());
        let cross = cross.flat_map(|(cpu, libc)| [format!("gcc-{cpu}-linux-gnu"), format!("libc6-dev-{libc}-cross")]);
        let cross: Vec<_> = cross.collect();
        let wanted: Vec<_> = PACKAGES.iter().copied().chain(cross.iter().map(String::as_str)).collect();
        packages::provide(&wanted, &workspace.log("apt"))
    });
    for guest in guests {
        report.step(guest.name(), || build(workspace, *guest));
    }
}

/// The file `name` of a guest that was built, if it was.
pub fn file(guest: &str, name: &str) -> Option<PathBuf> {
    let given = std::env::var_os("POWERVISOR_GUESTS").map(PathBuf::from);
    let cache = image::cache_dir().map(|folder| folder.join("powervisor/guests"));
    given.into_iter().chain(cache).map(|folder| folder.join(guest).join(name)).find(|file| file.exists())
}

fn build(workspace: &Workspace, guest: Guest) -> Result<Finding> {
    let cache = image::cache_dir().context("neither XDG_CACHE_HOME nor HOME is set: no place for guests")?;
    let mut command = program::foreign(workspace.root.join("guest/linux/build.sh"));
    command.arg(cache.join("powervisor/guests")).arg(workspace.root.join("target/xtask/guests")).arg(guest.name());
    let log = workspace.log(guest.name());
    let mut finding = program::run(&mut command, &log)?;
    finding.notes.push(program::last_line(&std::fs::read_to_string(log)?).to_owned());
    Ok(finding)
}
