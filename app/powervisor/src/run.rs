//! `powervisor run`.

use std::fs;
use std::path::Path;
use std::time::Instant;

use anyhow::{Context, Result};
use hv_core::Halt;
use machine::Machine;
use vmm::{Outcome, Report};

use crate::cli::RunFlags;
use crate::current::Stop;
use crate::session::{self, Console, Equipment};
use crate::stats;

/// The guest's kernel panicked.
const GUEST_PANIC: u8 = 120;
/// `--timeout` passed.
const TIMED_OUT: u8 = 124;

/// Runs a guest; returns the exit code.
pub fn run(flags: &RunFlags) -> Result<u8> {
    if flags.dry_run || flags.dtb_out.is_some() {
        let (_, layout) = session::planned(flags, Equipment::first(flags)?)?;
        if let Some(path) = &flags.dtb_out {
            write(path, &Machine::tree(&layout)?, "--dtb-out")?;
        }
        if flags.dry_run {
            print!("{layout}");
            return Ok(0);
        }
    }
    let start = Instant::now();
    let (report, stop) = session::run(flags, Console::Terminal, None, None)?;
    let elapsed = start.elapsed();
    if let Some(path) = &flags.stats {
        write(path, format!("{:#}\n", stats::json(&report, elapsed)).as_bytes(), "--stats")?;
    }
    if !flags.quiet {
        eprintln!("powervisor: {}", stats::summary(&report, elapsed));
    }
    Ok(exit_code(flags, &report, stop))
}

/// The program's exit code for how a run ended, with a word about it on standard error.
pub fn exit_code(flags: &RunFlags, report: &Report, stop: Option<Stop>) -> u8 {
    match (&report.outcome, stop) {
        (Outcome::Halted(Halt::Panic(panic)), _) => {
            eprintln!("powervisor: the guest's kernel panicked: {panic}");
            GUEST_PANIC
        }
        (Outcome::Stopped, Some(Stop::Timeout)) => {
            eprintln!("powervisor: stopped after --timeout {} s", flags.timeout.unwrap_or_default().as_secs_f64());
            TIMED_OUT
        }
        (Outcome::Stopped, Some(Stop::Signal(number))) => 128 + number,
        (Outcome::Stopped | Outcome::Halted(_), _) => 0,
    }
}

fn write(path: &Path, data: &[u8], flag: &str) -> Result<()> {
    fs::write(path, data).with_context(|| format!("{flag} {}", path.display()))
}
