//! `cargo xtask test`: everything that judges a change, in an order that tells the cheap news first.
//!
//! A step is a row of the report. Steps that run tests are rows of [`CARGO`]; their logs stay in `target/xtask`.

use std::fs;
use std::io::Read;
use std::path::PathBuf;

use anyhow::{Context, Result};

use crate::guests::Guest;
use crate::report::{Finding, Report};
use crate::workspace::Workspace;
use crate::{check, elf, guests, packages, program};

/// Cases for each row of the instruction table and each machine, by the fixed and by the fresh seed.
const ORACLE_CASES: u32 = 400;
/// The seed that every run has.
const ORACLE_SEED: u32 = 1;

/// Steps that are one cargo command. Release mode throughout: some tests walk all 2^32 words.
#[rustfmt::skip]
const CARGO: &[(&str, &str)] = &[
    // `ignored` are tests too long or too far-reaching for everyday use; they fetch Debian's kernels, which others need.
    ("long tests",     "test --release --workspace --locked --no-fail-fast -- --ignored --show-output"),
    ("tests",          "test --release --workspace --locked --no-fail-fast -- --show-output"),
];

/// Runs everything; with `all` also what needs the guests that take long to build.
pub fn run(workspace: &Workspace, all: bool, report: &mut Report) {
    if all {
        guests::run(workspace, Guest::TESTED, report);
    }
    report.step("packages", || packages::provide(packages::TEST, &workspace.log("apt")));
    check::run(workspace, &[], report);
    for (name, line) in CARGO {
        report.step(name, || program::run(&mut workspace.cargo(line), &workspace.log(name)));
    }
    for (name, seed) in [("oracle, fixed seed", Ok(ORACLE_SEED)), ("oracle, fresh seed", fresh_seed())] {
        report.step(name, || oracle(workspace, seed?, &workspace.log(name)));
    }
    report.step("guest programs", || guest_programs(workspace));
}

fn fresh_seed() -> Result<u32> {
    let mut seed = [0; 4];
    fs::File::open("/dev/urandom")?.read_exact(&mut seed).context("/dev/urandom")?;
    Ok(u32::from_ne_bytes(seed))
}

fn oracle(workspace: &Workspace, seed: u32, log: &std::path::Path) -> Result<Finding> {
    let line = format!("run --release --quiet --locked --package oracle -- --cases {ORACLE_CASES} --seed {seed}");
    let mut finding = program::run(&mut workspace.cargo(&line), log)?;
    finding.notes.push(format!("seed {seed}: {}", program::last_line(&fs::read_to_string(log)?)));
    Ok(finding)
}

/// Builds the guest programs again, compares them, and runs the demonstration as it was built now.
fn guest_programs(workspace: &Workspace) -> Result<Finding> {
    let (folder, mut finding) = elf::rebuild(workspace)?;
    for order in ["be", "le"] {
        let kernel: PathBuf = folder.join(format!("demo-{order}.elf"));
        if finding.problems.is_empty() && kernel.exists() {
            let mut command =
                workspace.cargo("run --release --quiet --locked --package powervisor -- run --machine bare");
            command.args(["--timeout", "60", "--kernel"]).arg(kernel);
            finding.merge(program::run(&mut command, &workspace.log(&format!("demo-{order}")))?);
        }
    }
    Ok(finding)
}
