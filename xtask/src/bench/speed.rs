//! Kernels of many kinds, natively, on QEMU and on PowerVisor, in turns: how many times longer each takes.
//!
//! The program of kernels, `test/speed`, runs as a process on the host and as `/init` of one guest of each, on the same
//! kernel. What each kernel computes must be the same everywhere, else there is no number but an error.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use clap::Args;
use machine::{Guest, MACHINES, Machine, Name};
use regex_lite::Regex;
use report::{Conditions, Measured};
use result::{Row, Way};
use sample::Sample;

use super::Bench;
use super::peer::Qemu;
use crate::report::Finding;
use crate::workspace::Workspace;
use crate::{packages, program};

mod host;
mod kernels;
mod machine;
mod page;
mod plot;
mod ratio;
mod report;
mod result;
mod sample;
mod table;

/// The kernel that takes two processors.
const PARALLEL: &str = "parallel";

/// What is measured, and what becomes of it.
#[derive(Args)]
pub struct Flags {
    /// Machines
    #[arg(long, value_enum, value_delimiter = ',', value_name = "LIST", default_value = "pseries")]
    machine: Vec<Name>,
    /// Only kernels whose whole name matches this regular expression
    #[arg(long, value_name = "RE")]
    kernels: Option<String>,
    /// Virtual processors of the guests, where the machine may have several
    #[arg(long, value_name = "N", default_value_t = 1)]
    cpus: usize,
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// Write tables and plots into docs/performance.md
    #[arg(long)]
    write: bool,
}

/// Measures and prints.
pub fn run(workspace: &Workspace, bench: &Bench) -> Result<()> {
    let flags = &bench.speed;
    let found = packages::provide(packages::BENCH, &workspace.log("apt"))?;
    found.problems.iter().chain(&found.skipped).for_each(|line| eprintln!("{line}"));
    let qemu = Qemu::find(&workspace.log("apt"))?;
    let conditions = Conditions {
        qemu: qemu.version()?,
        engine: bench.engine.clone(),
        runs: bench.runs,
        cpus: flags.cpus,
        load: host::load(),
    };
    let advice = host::advice(conditions.load, host::processors());
    advice.iter().for_each(|advice| eprintln!("{advice}"));
    let native = kernels::build(workspace, &kernels::HOST, "native")?;
    let arguments = format!("--kernels {}", selected(&native, flags.kernels.as_deref())?);
    let (mut all, mut failed) = (Vec::<Measured>::new(), Vec::new());
    for machine in flags.machine.iter().filter_map(|name| MACHINES.iter().find(|machine| machine.id == *name)) {
        let (kernel, what) = match machine.kernel()? {
            Ok(found) => found,
            Err(reason) => {
                eprintln!("SKIP {reason}");
                continue;
            }
        };
        let initrd = kernels::initrd(&kernels::build(workspace, &machine.compiler, &machine.name())?)?;
        let guest =
            Guest { kernel, initrd, arguments: arguments.clone(), cpus: if machine.smp { flags.cpus } else { 1 } };
        let rows = match measure(workspace, machine, &guest, &native, &qemu, &conditions) {
            Ok(rows) => rows,
            Err(error) => {
                eprintln!("{error:#}");
                failed.push(machine.name());
                continue;
            }
        };
        let mut verdicts = result::verdicts(&rows);
        let little = all.iter().find(|other| other.machine.id == Name::PseriesTrixie);
        if let Some(little) = little.filter(|_| machine.id == Name::PseriesBe) {
            verdicts.extend(result::byte_orders(&rows, &little.rows));
        }
        let measured = Measured { machine, kernel: what, rows, verdicts };
        if !flags.json {
            println!("{}", measured.text(&conditions));
        }
        if flags.write {
            measured.write(workspace, &conditions)?;
        }
        all.push(measured);
    }
    if flags.json {
        println!("{}", serde_json::to_string_pretty(&report::json(&conditions, &all))?);
    }
    advice.iter().for_each(|advice| eprintln!("{advice}"));
    ensure!(failed.is_empty(), "not measured: {}", failed.join(", "));
    Ok(())
}

/// Runs the program every way, `runs` times in turns. What takes two processors runs in guests of two, if the others
/// have one.
fn measure(
    workspace: &Workspace,
    machine: &Machine,
    guest: &Guest,
    native: &Path,
    qemu: &Qemu,
    conditions: &Conditions,
) -> Result<Vec<Row>> {
    let (folder, name, runs) = (kernels::folder(workspace)?, machine.name(), conditions.runs);
    let pair = machine.smp && guest.cpus == 1 && host::processors() > 1 && guest.arguments.contains(PARALLEL);
    let pair = pair.then(|| Guest { cpus: 2, arguments: format!("--kernels {PARALLEL}"), ..guest.clone() });
    let mut samples: [Vec<Sample>; 3] = Default::default();
    for run in 1..=runs {
        for (way, samples) in Way::ALL.into_iter().zip(&mut samples) {
            eprintln!("   ...  {name}, {}, run {run} of {runs}", way.name());
            let take = |guest: &Guest| {
                let command = match way {
                    Way::Native => {
                        let mut command = Command::new(native);
                        command.args(guest.arguments.split(' '));
                        command
                    }
                    Way::Qemu => machine.qemu(qemu.command(machine.qemu), guest),
                    Way::PowerVisor => machine.powervisor(&powervisor(workspace), guest, conditions.engine.as_deref()),
                };
                sample::take(command, &folder.join(format!("{name}-{}.log", way.name())))
            };
            let mut sample = take(guest)?;
            if let Some(pair) = pair.as_ref().filter(|_| way != Way::Native) {
                sample.replace(take(pair)?);
            }
            samples.push(sample);
        }
    }
    result::rows(&samples)
}

fn powervisor(workspace: &Workspace) -> PathBuf {
    workspace.root.join("target/release/powervisor")
}

/// Names of the kernels that match, with commas between.
fn selected(native: &Path, pattern: Option<&str>) -> Result<String> {
    let output = Command::new(native).arg("list").output().context("the list of kernels")?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let names = text.lines().filter_map(|line| line.strip_prefix("bench ")?.split(' ').nth(1));
    let pattern = Regex::new(&format!("^(?:{})$", pattern.unwrap_or(".*")))?;
    let wanted: Vec<_> = names.filter(|name| pattern.is_match(name)).collect();
    ensure!(!wanted.is_empty(), "no kernel matches; there are:\n{text}");
    Ok(wanted.join(","))
}

/// Kernels for the test, which together compute with every unit and are quick everywhere.
const TESTED: &str =
    "crc,calls,bytecode,quicksort,sha256,copy,memcpy,chase16k,daxpy,roots,vdoubles,vintegers,atomics,fork";
/// Machines for the test: both byte orders, both widths.
const TESTED_ON: [Name; 4] = [Name::Pseries, Name::PseriesBe, Name::E500v2, Name::Mac32];

/// PowerVisor's engines.
const ENGINES: [&str; 2] = ["interp", "jit"];

/// Runs the program once natively and in guests of both byte orders on every engine: what it computes must be the same.
pub fn agree(workspace: &Workspace) -> Result<Finding> {
    let line = "build --release --locked --package powervisor";
    let mut finding = program::run(&mut workspace.cargo(line), &workspace.log("build"))?;
    let arguments = format!("--kernels {TESTED} --windows 1");
    let native = kernels::build(workspace, &kernels::HOST, "native")?;
    let mut command = Command::new(&native);
    command.args(arguments.split(' '));
    let expected = sample::take(command, &kernels::folder(workspace)?.join("native.run"))?;
    for machine in MACHINES.iter().filter(|machine| TESTED_ON.contains(&machine.id)) {
        let (kernel, _) = match machine.kernel()? {
            Ok(found) => found,
            Err(reason) => {
                finding.skipped.push(reason);
                continue;
            }
        };
        let initrd = kernels::initrd(&kernels::build(workspace, &machine.compiler, &machine.name())?)?;
        let guest = Guest { kernel, initrd, arguments: arguments.clone(), cpus: 1 };
        for engine in ENGINES {
            let name = format!("{}, {engine}", machine.name());
            let log = kernels::folder(workspace)?.join(format!("{}-{engine}.run", machine.name()));
            let taken = sample::take(machine.powervisor(&powervisor(workspace), &guest, Some(engine)), &log);
            let rows = taken.and_then(|found| result::rows(&[vec![expected.clone()], Vec::new(), vec![found]]));
            match rows {
                Ok(rows) => {
                    let computed = rows.iter().filter(|row| row.ratio(Way::PowerVisor, Way::Native).is_some()).count();
                    finding.notes.push(format!("{name}: {computed} kernels compute what they do on the host"));
                }
                Err(error) => finding.problems.push(format!("{name}: {error:#}")),
            }
        }
    }
    Ok(finding)
}
