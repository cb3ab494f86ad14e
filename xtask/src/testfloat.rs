//! `cargo xtask testfloat`: floating point against Berkeley TestFloat, which comes with QEMU's sources; by hand or nightly.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use image::debian::source;

use crate::report::{Finding, Report};
use crate::workspace::Workspace;
use crate::{packages, program};

/// The source package that has it, and where.
const PACKAGE: &str = "qemu";
const SUITE: &str = "bookworm";
const SOURCES: &str = "*/tests/fp/berkeley-*";
/// Where its makefiles for this kind of host stand.
const SOFTFLOAT: &str = "tests/fp/berkeley-softfloat-3/build/Linux-x86_64-GCC";
const TESTFLOAT: &str = "tests/fp/berkeley-testfloat-3/build/Linux-x86_64-GCC";
const GENERATOR: &str = "testfloat_gen";
/// NaNs as plain as they come; they are compared as NaNs only.
const SPECIALIZE: &str = "SPECIALIZE_TYPE=RISCV";

/// Obtains and builds the generator, and compares every row that one of its functions is for.
pub fn run(workspace: &Workspace, report: &mut Report) {
    report.step("packages", || packages::provide(&["gcc", "make", "dpkg-dev"], &workspace.log("apt")));
    report.step("TestFloat", || build(workspace));
    report.step("comparison", || {
        let mut command = workspace.cargo("run --release --quiet --locked --package oracle -- --testfloat");
        command.arg(folder()?.join(TESTFLOAT).join(GENERATOR));
        ensure!(command.status()?.success(), "some rows disagree");
        Ok(Finding::default())
    });
}

fn folder() -> Result<PathBuf> {
    Ok(image::cache_dir().context("neither XDG_CACHE_HOME nor HOME is set")?.join("powervisor/testfloat"))
}

fn build(workspace: &Workspace) -> Result<Finding> {
    let folder = folder()?;
    source::obtain(PACKAGE, SUITE, SOURCES, &folder, &mut |_| {})?;
    let mut finding = Finding::default();
    for (place, what) in [(SOFTFLOAT, "softfloat.a"), (TESTFLOAT, GENERATOR)] {
        let mut make = Command::new("make");
        make.arg("-C").arg(folder.join(place)).args(["-j2", SPECIALIZE, what]);
        finding.merge(program::run(&mut make, &workspace.log(what))?);
    }
    Ok(finding)
}
