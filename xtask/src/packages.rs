//! The Debian packages that chores need: which are missing, and how they get here.
//!
//! Root on a host with apt-get gets them installed; everybody else gets the one command to run. What needs a package
//! that is still missing counts as skipped by itself, so a chore goes on without.

use std::path::Path;
use std::process::Command;

use anyhow::Result;

use crate::program;
use crate::report::Finding;

/// What `cargo xtask test` runs beside our own programs.
#[rustfmt::skip]
pub const TEST: &[&str] = &[
    // user-mode QEMU, in case a newer one cannot be obtained, and what builds the oracle's harness for it
    "qemu-user", "gcc-powerpc64-linux-gnu", "libc6-dev-ppc64-cross", "gcc-powerpc64le-linux-gnu", "libc6-dev-ppc64el-cross",
    "gcc-powerpc-linux-gnu", "libc6-dev-powerpc-cross", "binutils-powerpc-linux-gnu",
    // with the cross compilers above, the same programs on the host
    "gcc", "libc6-dev",
    // objdump, and ld for the guest programs with the compiler they are built by
    "binutils-powerpc64-linux-gnu", "binutils-powerpc64le-linux-gnu", "rustc-web", "cargo-web", "rust-web-src",
    // looks at our HTML report
    "chromium",
    // hypercalls of other architectures
    "qemu-system-x86", "qemu-system-misc",
    // second readers of our initial file systems and device trees
    "cpio", "device-tree-compiler",
    // a boot program, and the file system that it reads
    "grub-common", "e2fsprogs",
];

/// What `cargo xtask bench speed` builds its programs with.
#[rustfmt::skip]
pub const BENCH: &[&str] = &[
    "gcc", "libc6-dev", "gcc-powerpc64le-linux-gnu", "libc6-dev-ppc64el-cross", "gcc-powerpc64-linux-gnu",
    "libc6-dev-ppc64-cross", "gcc-powerpc-linux-gnu", "libc6-dev-powerpc-cross",
];

/// Installs those of `wanted` that are missing, if it may.
pub fn provide(wanted: &[&str], log: &Path) -> Result<Finding> {
    let missing = missing(wanted);
    if missing.is_empty() {
        return Ok(Finding::note(format!("{} packages are installed", wanted.len())));
    }
    let list = missing.join(" ");
    if !program::exists("apt-get") || !rustix::process::geteuid().is_root() {
        let command = format!("sudo apt-get update && sudo apt-get install --no-install-recommends {list}");
        return Ok(Finding { skipped: vec![format!("missing packages; run: {command}")], ..Finding::default() });
    }
    let apt = |arguments: &str, name: &str| {
        let mut command = Command::new("apt-get");
        command.env("DEBIAN_FRONTEND", "noninteractive").args(arguments.split(' '));
        program::run(&mut command, &log.with_file_name(name))
    };
    let mut finding = apt("update -q -o Acquire::Retries=3", "apt-update.log")?;
    // Old lists may still serve; what counts is whether the packages come.
    finding.notes.append(&mut finding.problems);
    let arguments = format!("install -q -y --no-install-recommends -o Acquire::Retries=3 {list}");
    finding.merge(apt(&arguments, "apt-install.log")?);
    finding.notes.push(format!("installed {list}"));
    Ok(finding)
}

/// Those of `wanted` that dpkg does not call installed; all of them where there is no dpkg.
pub fn missing<'a>(wanted: &[&'a str]) -> Vec<&'a str> {
    let query = Command::new("dpkg-query").args(["-W", "-f", "${Package} ${db:Status-Status}\n"]).args(wanted).output();
    let text = query.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
    let installed = |package: &str| text.lines().any(|line| line == format!("{package} installed"));
    wanted.iter().copied().filter(|package| !installed(package)).collect()
}
