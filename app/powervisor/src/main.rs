//! The command line: flags to a machine, the terminal, exit codes.
#![forbid(unsafe_code)]

mod cli;
mod console;
mod ctl;
mod current;
mod exits;
mod guests;
mod hot;
mod hypercalls;
mod isa;
mod nvdimm;
mod patch;
mod pattern;
mod progress;
mod run;
mod session;
mod size;
mod stats;
mod symbols;
mod trace;
mod translator;

use std::process::ExitCode;

use clap::Parser;

/// Exit code of our own errors; the guest's power-off is 0.
const OUR_ERROR: u8 = 125;

fn main() -> ExitCode {
    let command = match cli::Cli::try_parse() {
        Ok(cli) => cli.command,
        Err(error) => {
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { OUR_ERROR } else { 0 });
        }
    };
    let result = match command {
        cli::Command::Run(flags) => run::run(&flags),
        cli::Command::Exits(flags) => exits::exits(&flags),
        cli::Command::Hot(flags) => hot::hot(&flags),
        cli::Command::Trace(flags) => trace::trace(&flags),
        cli::Command::Hypercalls(flags) => hypercalls::hypercalls(&flags),
        cli::Command::Isa(flags) => isa::isa(&flags),
        cli::Command::Patch(flags) => patch::patch(&flags),
        cli::Command::Ctl(flags) => ctl::ctl(&flags),
        cli::Command::Nvdimm(command) => nvdimm::nvdimm(&command),
    };
    match result {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            eprintln!("powervisor: {error:#}");
            ExitCode::from(OUR_ERROR)
        }
    }
}
