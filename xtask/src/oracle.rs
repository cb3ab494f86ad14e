//! `cargo xtask oracle`: every row of the instruction table against user-mode QEMU, all models and byte orders.

use anyhow::Result;
use clap::Args;

use crate::packages;
use crate::report::Report;
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
    /// One CPU model only
    #[arg(long)]
    cpu: Option<String>,
}

/// Compares; the oracle's own lines go to the terminal. Whether all agree.
pub fn run(workspace: &Workspace, oracle: &Oracle, report: &mut Report) -> Result<bool> {
    report.step("packages", || packages::provide(packages::TEST, &workspace.log("apt")));
    let line = "run --release --quiet --locked --package oracle -- --rows";
    let mut command = workspace.cargo(line);
    command.arg(&oracle.rows).args(["--seed", &oracle.seed.to_string(), "--cases", &oracle.cases.to_string()]);
    command.args(oracle.cpu.iter().flat_map(|cpu| ["--cpu", cpu]));
    Ok(command.status()?.success())
}
