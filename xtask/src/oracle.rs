//! `cargo xtask oracle`: every row of the instruction table against user-mode QEMU, and floating point against the
//! oracle's own model, all CPU models and byte orders.

use anyhow::{Result, ensure};
use clap::Args;

use crate::packages;
use crate::qemu;
use crate::report::{Finding, Report};
use crate::workspace::Workspace;

/// What is compared.
#[derive(Args)]
pub struct Oracle {
    /// Rows whose name matches this expression as a whole
    #[arg(long, value_name = "RE", default_value = ".*")]
    rows: String,
    /// Seed of the random cases
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Cases for each row
    #[arg(long, default_value_t = 1000)]
    cases: usize,
    /// Every combination of boundary values, too
    #[arg(long)]
    boundaries: bool,
    /// Every combination of operands of 8 and 16 bits, too
    #[arg(long)]
    exhaustive: bool,
    /// One CPU model only
    #[arg(long)]
    cpu: Option<String>,
}

/// Compares; the oracle's own lines go to the terminal.
pub fn run(workspace: &Workspace, oracle: &Oracle, report: &mut Report) {
    report.step("packages", || packages::provide(packages::TEST, &workspace.log("apt")));
    report.step("newest QEMU", || Ok(qemu::provide()));
    for (step, against) in [("oracle", "qemu"), ("floating-point model", "softfloat")] {
        report.step(step, || compare(workspace, oracle, against));
    }
}

fn compare(workspace: &Workspace, oracle: &Oracle, against: &str) -> Result<Finding> {
    let mut command = workspace.cargo("run --release --quiet --locked --package oracle --");
    command.args(["--against", against]);
    command.args(["--rows", &oracle.rows]).args(["--seed", &oracle.seed.to_string()]);
    command.args(["--cases", &oracle.cases.to_string()]);
    let plans = [(oracle.boundaries, "--boundaries"), (oracle.exhaustive, "--exhaustive")];
    command.args(plans.iter().filter(|(wanted, _)| *wanted).map(|(_, flag)| flag));
    command.args(oracle.cpu.iter().flat_map(|cpu| ["--cpu", cpu]));
    ensure!(command.status()?.success(), "some rows disagree; the cases stand in target/oracle");
    Ok(Finding::default())
}
