//! `cargo xtask bench`: numbers for people, never a condition.

use anyhow::{Result, ensure};
use clap::{Args, ValueEnum};
use image::debian::Release;

use crate::program;
use crate::workspace::Workspace;

mod boot;
mod exits;
mod peer;
mod pmem;
mod pv;
pub mod speed;

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Subject {
    /// A stock kernel to its shell, beside QEMU
    Boot,
    /// What exits cost
    Exits,
    /// Persistent memory: labels, and writes with flushes beside the same natively
    Pmem,
    /// What the paravirtual interface saves, on a guest of each processor family
    Pv,
    /// Kernels of many kinds natively, on QEMU and on PowerVisor
    Speed,
}

/// How it is measured.
#[derive(Args)]
pub struct Bench {
    /// Only this
    #[arg(value_enum)]
    subject: Option<Subject>,
    /// Runs of each
    #[arg(long, default_value_t = 3)]
    runs: usize,
    /// PowerVisor's engine; by default its own choice
    #[arg(long, value_name = "NAME")]
    engine: Option<String>,
    /// `boot`: Debian's release, bookworm or trixie
    #[arg(long, default_value = "bookworm")]
    release: Release,
    /// `boot`: CPU model of the guest
    #[arg(long, default_value = "power9")]
    cpu: String,
    /// `pv`: what an exit costs on hardware, for the second half of the table
    #[arg(long, value_name = "NS", default_value_t = 2000)]
    exit_cost: u64,
    #[command(flatten, next_help_heading = "Of `speed`")]
    speed: speed::Flags,
}

impl Bench {
    /// The flags of PowerVisor that choose the engine.
    fn engine(&self) -> impl Iterator<Item = &str> {
        self.engine.iter().flat_map(|engine| ["--engine", engine])
    }
}

/// Measures and prints.
pub fn run(workspace: &Workspace, bench: &Bench) -> Result<()> {
    let built =
        program::run(&mut workspace.cargo("build --release --locked --package powervisor"), &workspace.log("build"))?;
    ensure!(built.problems.is_empty(), built.problems.join("\n"));
    let wanted = |subject| bench.subject.is_none_or(|only| only == subject);
    if wanted(Subject::Boot) {
        boot::run(workspace, bench)?;
    }
    if wanted(Subject::Exits) {
        exits::run(workspace, bench)?;
    }
    if wanted(Subject::Pmem) {
        pmem::run(workspace, bench)?;
    }
    if wanted(Subject::Pv) {
        pv::run(workspace, bench)?;
    }
    if wanted(Subject::Speed) {
        speed::run(workspace, bench)?;
    }
    Ok(())
}
