//! Kernels of many kinds, natively, on QEMU and on PowerVisor, in turns: how many times longer each takes.
//!
//! The program of kernels, `test/speed`, runs as a process on the host and as `/init` of one guest of each, on the same
//! kernel. What each kernel computes must be the same everywhere, else there is no number but an error.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use clap::Args;
use image::debian::qemu_system;
use machine::{Guest, MACHINES, Machine, Name};
use regex_lite::Regex;
use result::{Row, Verdict, Way};
use sample::{Reading, Sample};
use serde_json::{Value, json};

use crate::report::Finding;
use crate::workspace::Workspace;
use crate::{packages, program};

mod kernels;
mod machine;
mod page;
mod plot;
mod ratio;
mod result;
mod sample;
mod table;

/// What is measured, and what becomes of it.
#[derive(Args)]
pub struct Flags {
    /// Machines
    #[arg(long, value_enum, value_delimiter = ',', value_name = "LIST", default_value = "pseries")]
    machine: Vec<Name>,
    /// Only kernels whose whole name matches this regular expression
    #[arg(long, value_name = "RE")]
    kernels: Option<String>,
    /// Virtual processors of the guests
    #[arg(long, value_name = "N", default_value_t = 1)]
    cpus: usize,
    /// PowerVisor's engine; by default its own choice
    #[arg(long, value_name = "NAME")]
    engine: Option<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// Write tables and plots into docs/performance.md
    #[arg(long)]
    write: bool,
}

/// System QEMU: the newest, else the host's.
enum Qemu {
    Newest(qemu_system::SystemQemu),
    Host,
}

impl Qemu {
    fn command(&self, program: &str) -> Command {
        match self {
            Qemu::Newest(qemu) => qemu.command(program),
            Qemu::Host => Command::new(program),
        }
    }

    /// As in `10.0.2`, with Debian's revision.
    fn version(&self) -> Result<String> {
        let output = self.command(qemu_system::PROGRAMS[1]).arg("--version").output().context("QEMU")?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let line = text.lines().next().unwrap_or_default();
        Ok(line.trim_start_matches("QEMU emulator version ").to_owned())
    }
}

/// What was measured on one machine.
struct Measured {
    machine: &'static Machine,
    /// The guests' kernel, for people.
    kernel: String,
    rows: Vec<Row>,
    verdicts: Vec<Verdict>,
}

/// Measures and prints.
pub fn run(workspace: &Workspace, runs: usize, flags: &Flags) -> Result<()> {
    let found = packages::provide(packages::BENCH, &workspace.log("apt"))?;
    found.problems.iter().chain(&found.skipped).for_each(|line| eprintln!("{line}"));
    let qemu = qemu(workspace)?;
    let (version, load) = (qemu.version()?, load());
    if let Some(advice) = advice(load, processors()) {
        eprintln!("{advice}");
    }
    let native = kernels::build(workspace, &kernels::HOST, "native")?;
    let list = selected(&native, flags.kernels.as_deref())?;
    let mut all: Vec<Measured> = Vec::new();
    for machine in flags.machine.iter().filter_map(|name| MACHINES.iter().find(|machine| machine.id == *name)) {
        let (kernel, what) = match machine.kernel()? {
            Ok(found) => found,
            Err(reason) => {
                println!("SKIP {reason}");
                continue;
            }
        };
        let initrd = kernels::initrd(&kernels::build(workspace, &machine.compiler, &machine.name())?)?;
        let arguments = format!("--kernels {list}");
        let guest = Guest { kernel, initrd, arguments, cpus: flags.cpus };
        let rows = measure(workspace, machine, &guest, &native, &qemu, runs, flags)?;
        let mut verdicts = result::verdicts(&rows);
        if let Some(little) = all.iter().find(|other| other.machine.id == Name::PseriesLe)
            && machine.id == Name::PseriesBe
        {
            verdicts.extend(result::byte_orders(&rows, &little.rows));
        }
        let measured = Measured { machine, kernel: what, rows, verdicts };
        if !flags.json {
            println!(
                "\n{}\n{}",
                measured.title(&version, runs, flags),
                table::text(&measured.rows, &measured.verdicts)
            );
        }
        all.push(measured);
    }
    if flags.json {
        let machines: Vec<Value> = all.iter().map(Measured::json).collect();
        let report = json!({
            "qemu": version, "engine": flags.engine, "runs": runs, "cpus": flags.cpus, "host": host(), "load": load,
            "machines": machines,
        });
        println!("{}", serde_json::to_string_pretty(&report)?);
    }
    if flags.write {
        for measured in &all {
            measured.write(workspace, &version, runs, flags)?;
        }
    }
    Ok(())
}

/// Runs the program every way, `runs` times in turns.
fn measure(
    workspace: &Workspace,
    machine: &Machine,
    guest: &Guest,
    native: &Path,
    qemu: &Qemu,
    runs: usize,
    flags: &Flags,
) -> Result<Vec<Row>> {
    let (folder, name) = (kernels::folder(workspace)?, machine.name());
    let mut samples: [Vec<Sample>; 3] = Default::default();
    for run in 1..=runs {
        for (way, samples) in Way::ALL.into_iter().zip(&mut samples) {
            eprintln!("   ...  {name}, {}, run {run} of {runs}", way.name());
            let command = match way {
                Way::Native => {
                    let mut command = Command::new(native);
                    command.args(guest.arguments.split(' '));
                    command
                }
                Way::Qemu => machine.qemu(qemu.command(machine.qemu), guest),
                Way::PowerVisor => machine.powervisor(&powervisor(workspace), guest, flags.engine.as_deref()),
            };
            samples.push(sample::take(command, &folder.join(format!("{name}-{}.log", way.name())))?);
        }
    }
    result::rows(&samples)
}

fn powervisor(workspace: &Workspace) -> std::path::PathBuf {
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

fn qemu(workspace: &Workspace) -> Result<Qemu> {
    let folder = qemu_system::cache_folder().context("neither XDG_CACHE_HOME nor HOME is set")?;
    match qemu_system::obtain(&folder, &mut |_| {}) {
        Ok(qemu) => Ok(Qemu::Newest(qemu)),
        Err(error) => {
            eprintln!("the host's QEMU is the peer: {error}");
            packages::provide(&["qemu-system-ppc"], &workspace.log("apt"))?;
            if !program::exists(qemu_system::PROGRAMS[1]) {
                bail!("no QEMU to compare with");
            }
            Ok(Qemu::Host)
        }
    }
}

/// Processes that wanted to run in the last minute, on average.
fn load() -> f64 {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').next().and_then(|word| word.parse().ok()).unwrap_or(0.0)
}

fn processors() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// What to do about a host that is busy.
fn advice(load: f64, processors: usize) -> Option<String> {
    let busy = load > 0.5 * processors as f64;
    busy.then(|| {
        format!(
            "advice: the load of this host was {load} in the last minute, on {processors} processors; the least of \
             many windows bears some of that, but wait for a quiet host before you believe a number"
        )
    })
}

/// What the host is, for people.
fn host() -> String {
    let text = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = text.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    format!("{}, {} processors", model.map_or("unknown", |(_, name)| name), processors())
}

impl Measured {
    fn title(&self, qemu: &str, runs: usize, flags: &Flags) -> String {
        format!(
            "{}: {}; {}. PowerVisor's engine: {}; QEMU {qemu}; {runs} runs of each; host: {}",
            self.machine.name(),
            self.machine.what,
            self.kernel,
            flags.engine.as_deref().unwrap_or("its default"),
            host(),
        )
    }

    fn json(&self) -> Value {
        let rows = self.rows.iter().map(|row| {
            let [native, qemu, powervisor] = &row.times;
            json!({
                "group": row.group, "name": row.name, "unit": row.unit,
                "nanoseconds": { "native": native, "qemu": qemu, "powervisor": powervisor },
            })
        });
        let verdicts = self.verdicts.iter().map(|verdict| {
            json!({
                "what": verdict.what, "measured": verdict.ratio.best, "runs": verdict.ratio.runs, "goal": verdict.goal,
                "aim": verdict.aim, "more": verdict.more, "reached": verdict.reached(),
            })
        });
        json!({
            "machine": self.machine.name(), "kernel": self.kernel, "kernels": rows.collect::<Vec<_>>(),
            "numbers": verdicts.collect::<Vec<_>>(),
        })
    }

    /// Puts table and plot where people read them.
    fn write(&self, workspace: &Workspace, qemu: &str, runs: usize, flags: &Flags) -> Result<()> {
        let (name, docs) = (self.machine.name(), workspace.root.join("docs"));
        let (file, plot) = (docs.join("performance.md"), format!("performance-{name}.svg"));
        fs::write(docs.join(&plot), plot::svg(&format!("{name}: {}", self.machine.what), &self.rows))?;
        let section = format!(
            "{}\n\n    cargo xtask {}\n\n![Bars of every kernel]({plot})\n\n{}",
            self.title(qemu, runs, flags),
            std::env::args().skip(1).collect::<Vec<_>>().join(" "),
            table::markdown(&self.rows, &self.verdicts),
        );
        let text = fs::read_to_string(&file).unwrap_or_else(|_| page::EMPTY.to_owned());
        fs::write(&file, page::with_section(&text, &name, &section)).with_context(|| file.display().to_string())
    }
}

/// Kernels for the test, which together compute with every unit and are quick everywhere.
const TESTED: &str =
    "crc,calls,bytecode,quicksort,sha256,copy,memcpy,chase16k,daxpy,roots,vdoubles,vintegers,atomics,fork";

/// Runs the program once natively and in guests of both byte orders: what it computes must be the same.
pub fn agree(workspace: &Workspace) -> Result<Finding> {
    let mut finding = Finding::default();
    let arguments = format!("--kernels {TESTED} --windows 1");
    let native = kernels::build(workspace, &kernels::HOST, "native")?;
    let mut command = Command::new(&native);
    command.args(arguments.split(' '));
    let expected = sample::take(command, &kernels::folder(workspace)?.join("native.log"))?;
    for name in [Name::Pseries, Name::PseriesBe, Name::Mac32, Name::E500v2] {
        let Some(machine) = MACHINES.iter().find(|machine| machine.id == name) else { continue };
        let (kernel, _) = match machine.kernel()? {
            Ok(found) => found,
            Err(reason) => {
                finding.skipped.push(reason);
                continue;
            }
        };
        let initrd = kernels::initrd(&kernels::build(workspace, &machine.compiler, &machine.name())?)?;
        let guest = Guest { kernel, initrd, arguments: arguments.clone(), cpus: 1 };
        let log = kernels::folder(workspace)?.join(format!("{}.run", machine.name()));
        let found = sample::take(machine.powervisor(&powervisor(workspace), &guest, None), &log)?;
        let samples = [vec![expected.clone()], Vec::new(), vec![found.clone()]];
        match result::rows(&samples) {
            Ok(_) => {
                let computed = found.readings.iter().filter(|Reading { result, .. }| result.is_some()).count();
                finding.notes.push(format!("{}: {computed} kernels compute what they do on the host", machine.name()));
            }
            Err(error) => finding.problems.push(format!("{}: {error}", machine.name())),
        }
    }
    Ok(finding)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_busy_host_is_told() {
        assert_eq!(advice(0.9, 2), None);
        assert!(advice(1.1, 2).is_some_and(|text| text.contains("1.1")));
    }
}
