//! `cargo xtask test`: everything that judges a change, in an order that tells the cheap news first.
//!
//! A step is a row of the report. Steps that are one cargo command are rows of [`CARGO`]; logs stay in `target/xtask`. A
//! test that cannot run here says so in its output, see [`program`], and is counted.

use std::fs;
use std::io::Read;

use anyhow::{Context, Result};

use crate::bench::speed;
use crate::guests::Guest;
use crate::report::{Finding, Report};
use crate::workspace::Workspace;
use crate::{check, elf, guests, hardware, packages, program, qemu};

/// Stands for a number that is another one in every run.
const FRESH: &str = "FRESH";

/// Steps that are one cargo command. Release mode throughout: some tests walk all 2^32 words.
#[rustfmt::skip]
const CARGO: &[(&str, &str)] = &[
    // `ignored` are tests too long or too far-reaching for everyday use; they fetch Debian's kernels, which others need.
    ("long tests",         "test --release --workspace --locked --no-fail-fast -- --ignored --skip every_guest:: --show-output"),
    ("tests",              "test --release --workspace --locked --no-fail-fast --exclude vmtest -- --show-output"),
    ("whole machines",     "test --release --package vmtest --locked --no-fail-fast -- --show-output"),
    ("oracle, fixed seed", "run --release --quiet --locked --package oracle -- --cases 400 --seed 1"),
    ("oracle, fresh seed", "run --release --quiet --locked --package oracle -- --cases 100 --seed FRESH"),
    ("floating-point model", "run --release --quiet --locked --package oracle -- --against softfloat --cases 300 --seed 1"),
    ("oracle, boundaries", "run --release --quiet --locked --package oracle -- --cpu power10 --endian le --cases 0 --boundaries"),
    ("compiled programs",  "run --release --quiet --locked --package programs"),
    ("fuzzing, fixed seed", "run --profile fuzz --quiet --locked --package fuzz -- all --seconds 20 --seed 1"),
];

/// Only with `--all`: what a fresh seed of these finds is news about everything so far, and no verdict on a change.
#[rustfmt::skip]
const LONG: &[(&str, &str)] = &[
    ("every guest in lockstep", "test --release --package vmtest --test lockstep --locked --no-fail-fast -- --ignored --show-output"),
    ("every machine of Debian", "test --release --package powervisor --test matrix --locked --no-fail-fast -- --ignored --show-output"),
    ("oracle, many cases", "run --release --quiet --locked --package oracle -- --cases 3000 --seed FRESH"),
    ("fuzzing, fresh seed", "run --profile fuzz --quiet --locked --package fuzz -- all --seconds 60 --seed FRESH"),
];

/// Runs everything; with `all` also what needs the guests that take long to build.
pub fn run(workspace: &Workspace, all: bool, report: &mut Report) {
    if all {
        guests::run(workspace, Guest::TESTED, report);
    }
    report.step("packages", || packages::provide(packages::TEST, &workspace.log("apt")));
    report.step("newest QEMU", || Ok(qemu::provide()));
    check::run(workspace, &[], report);
    for (name, line) in CARGO.iter().chain(if all { LONG } else { &[] }) {
        report.step(name, || {
            let (line, log) = (line.replace(FRESH, &fresh_seed()?.to_string()), workspace.log(name));
            let mut finding = program::run(&mut workspace.cargo(&line), &log)?;
            finding.notes.push(outcome(&fs::read_to_string(log)?));
            if let Some((_, seed)) = line.split_once("--seed ") {
                finding.notes.push(format!("seed {seed}"));
            }
            Ok(finding)
        });
    }
    report.step("guest programs", || guest_programs(workspace));
    report.step("kernels of speed", || speed::agree(workspace));
    if all {
        hardware::run(workspace, report);
    }
}

fn fresh_seed() -> Result<u32> {
    let mut seed = [0; 4];
    fs::File::open("/dev/urandom").and_then(|mut file| file.read_exact(&mut seed)).context("/dev/urandom")?;
    Ok(u32::from_ne_bytes(seed))
}

/// What a log comes to: the sum of its tests, else its last line.
fn outcome(log: &str) -> String {
    let results: Vec<_> = log.lines().filter_map(|line| line.strip_prefix("test result: ")).collect();
    let sum = |what: &str| -> u64 {
        let parts = results.iter().flat_map(|line| line.split(['.', ';']));
        parts.filter_map(|part| part.trim().strip_suffix(what)?.trim().parse::<u64>().ok()).sum()
    };
    match results.len() {
        0 => program::last_line(log).to_owned(),
        _ => format!("{} tests passed, {} failed", sum("passed"), sum("failed")),
    }
}

/// Builds the guest programs again, compares them, and runs the demonstration as it was built now.
fn guest_programs(workspace: &Workspace) -> Result<Finding> {
    let (folder, mut finding) = elf::rebuild(workspace)?;
    for order in ["be", "le"] {
        let kernel = folder.join(format!("demo-{order}.elf"));
        if finding.problems.is_empty() && kernel.exists() {
            let mut command = workspace.cargo("run --release --quiet --locked -- run --machine bare");
            command.args(["--timeout", "60", "--kernel"]).arg(kernel);
            finding.merge(program::run(&mut command, &workspace.log(&format!("demo-{order}")))?);
        }
    }
    Ok(finding)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_add_up() {
        let result = |passed, failed| format!("test result: ok. {passed} passed; {failed} failed; 7 ignored\n");
        assert_eq!(outcome(&format!("a\n{}b\n{}", result(3, 0), result(4, 1))), "7 tests passed, 1 failed");
        assert_eq!(outcome("a\n5 rows agree\n\n"), "5 rows agree");
    }
}
