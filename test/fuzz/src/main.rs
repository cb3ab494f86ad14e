//! `fuzz TARGET`: runs a target, or all of them in turn, for a time.

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::atomic::Ordering;
use std::time::Duration;

use clap::Parser;
use fuzz::driver::{self, Bound};
use fuzz::targets::EXECUTED;
use fuzz::{TARGETS, Target, corpus};

/// Runs fuzz targets on inputs made from a seed.
#[derive(Debug, Parser)]
struct Flags {
    /// Name of a target, or `all`
    target: String,
    /// Seconds for each target
    #[arg(long, default_value_t = 60)]
    seconds: u64,
    /// Guest instructions for each target, in place of seconds
    #[arg(long)]
    instructions: Option<u64>,
    /// What the inputs are made from
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Repeats this one case
    #[arg(long)]
    case: Option<u64>,
    /// Keeps the inputs that together reach all that was reached, in this folder: a file for each target
    #[arg(long, value_name = "FOLDER")]
    gather: Option<PathBuf>,
}

fn main() -> ExitCode {
    let flags = Flags::parse();
    let chosen: Vec<&Target> = TARGETS.iter().filter(|t| flags.target == "all" || flags.target == t.name).collect();
    if chosen.is_empty() {
        let names: Vec<&str> = TARGETS.iter().map(|target| target.name).collect();
        eprintln!("no target {:?}; there are: all, {}", flags.target, names.join(", "));
        return ExitCode::from(2);
    }
    let endless = Bound { time: Duration::MAX, cases: u64::MAX, instructions: u64::MAX };
    let bound = match (flags.case, flags.instructions) {
        (Some(_), _) => Bound { cases: 1, ..endless },
        (None, Some(instructions)) => Bound { instructions, ..endless },
        (None, None) => Bound { time: Duration::from_secs(flags.seconds), ..endless },
    };
    let mut code = ExitCode::SUCCESS;
    for target in chosen {
        if let Some(folder) = &flags.gather {
            match corpus::gather(target, flags.seed, bound) {
                Ok(inputs) => {
                    let bytes: usize = inputs.iter().map(Vec::len).sum();
                    println!("{}: {} inputs, {bytes} bytes", target.name, inputs.len());
                    if let Err(error) = fs::write(folder.join(target.name).with_extension("txt"), corpus::text(&inputs))
                    {
                        eprintln!("{}: {error}", folder.display());
                        return ExitCode::FAILURE;
                    }
                }
                Err(failure) => {
                    println!("{}: seed {} case {} FAILED", target.name, flags.seed, failure.case);
                    code = ExitCode::FAILURE;
                }
            }
            continue;
        }
        match driver::run(target, flags.seed, flags.case.unwrap_or(0), bound) {
            Ok(cases) => {
                let executed = EXECUTED.swap(0, Ordering::Relaxed);
                println!("{}: {cases} cases of seed {} passed, {executed} instructions", target.name, flags.seed);
            }
            Err(failure) => {
                println!("{}: seed {} case {} FAILED", target.name, flags.seed, failure.case);
                code = ExitCode::FAILURE;
            }
        }
    }
    code
}
