//! Chores of the project: `cargo xtask check | test | guests | judge | hardware | oracle | testfloat | bench`.
#![forbid(unsafe_code)]

mod bench;
mod check;
mod elf;
mod guests;
mod hardware;
mod judge;
mod magic;
mod oracle;
mod packages;
mod program;
mod qemu;
mod report;
mod source;
mod test;
mod testfloat;
mod workspace;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::Parser;
use guests::Guest;
use report::Report;
use workspace::Workspace;

/// Chores of the project.
#[derive(Parser)]
#[command(bin_name = "cargo xtask")]
enum Chore {
    /// Formatting, lints, dependency direction, unsafe islands, READMEs, documentation
    Check {
        /// Only these checks
        #[arg(value_parser = clap::builder::PossibleValuesParser::new(check::CHECKS.iter().map(|(name, _)| *name)))]
        names: Vec<String>,
    },
    /// The checks and every test: unit, oracle, disassembly, guest programs, whole machines
    Test {
        /// First build the Linux guests that some tests need
        #[arg(long)]
        all: bool,
    },
    /// Build Linux guests from Debian's sources into the user's cache; by default those that tests need
    Guests { names: Vec<Guest> },
    /// Our test kernels in KVM's PR mode, on QEMU and on PowerVisor; by hand or nightly
    Judge,
    /// Programs recorded on real processors, in Linux guests; by hand or nightly
    Hardware,
    /// Every instruction against user-mode QEMU, on all models in both byte orders
    Oracle(oracle::Oracle),
    /// Floating point against Berkeley TestFloat; by hand or nightly
    Testfloat,
    /// A copy of a kernel that patches itself for the magic page, which Linux 6.1 as it is never does
    EnableMagic { kernel: PathBuf, out: PathBuf },
    /// Speed: a stock kernel to its shell, what the paravirtual interface saves, and kernels of many kinds, beside QEMU
    Bench(bench::Bench),
}

fn main() -> Result<ExitCode> {
    let chore = Chore::parse();
    let workspace = Workspace::read()?;
    let mut report = Report::default();
    match chore {
        Chore::Check { names } => check::run(&workspace, &names, &mut report),
        Chore::Test { all } => test::run(&workspace, all, &mut report),
        Chore::Judge => judge::run(&workspace, &mut report),
        Chore::Testfloat => testfloat::run(&workspace, &mut report),
        Chore::Hardware => hardware::run(&workspace, &mut report),
        Chore::Oracle(oracle) => oracle::run(&workspace, &oracle, &mut report),
        Chore::Bench(bench) => return bench::run(&workspace, &bench).map(|()| ExitCode::SUCCESS),
        Chore::EnableMagic { kernel, out } => return magic::enable(&kernel, &out).map(|()| ExitCode::SUCCESS),
        Chore::Guests { names } if names.is_empty() => guests::run(&workspace, Guest::TESTED, &mut report),
        Chore::Guests { names } => guests::run(&workspace, &names, &mut report),
    }
    Ok(if report.finish() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
