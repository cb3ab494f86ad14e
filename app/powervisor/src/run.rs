//! `powervisor run`.

use std::io::Read;
use std::path::Path;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use std::{fs, thread};

use anyhow::{Context, Result, bail};
use exec_interp::Interpreter;
use hv_core::Halt;
use image::elf::{self, Class};
use machine::clock::{HostClock, VirtualClock};
use machine::{Calls, Kind, Layout, Machine, Mmu, Spec};
use ppc_isa::Cpu;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use vmm::{Outcome, Report, Time};

use crate::cli::{CallFlag, ClockFlag, MachineFlag, MmuFlag, RunFlags, Switch};
use crate::console::{self, RawTerminal};
use crate::current::{Current, Stop};
use crate::guests::{self, Files};
use crate::stats;

/// The guest's kernel panicked.
const GUEST_PANIC: u8 = 120;
/// `--timeout` passed.
const TIMED_OUT: u8 = 124;

/// Runs a guest; returns the exit code.
pub fn run(flags: &RunFlags) -> Result<u8> {
    if flags.dry_run || flags.dtb_out.is_some() {
        let (_, layout) = planned(flags)?;
        if let Some(path) = &flags.dtb_out {
            write(path, &Machine::tree(&layout)?, "--dtb-out")?;
        }
        if flags.dry_run {
            print!("{layout}");
            return Ok(0);
        }
    }
    let start = Instant::now();
    let (report, stop) = session(flags)?;
    let elapsed = start.elapsed();
    if let Some(path) = &flags.stats {
        write(path, format!("{:#}\n", stats::json(&report, elapsed)).as_bytes(), "--stats")?;
    }
    if !flags.quiet {
        eprintln!("powervisor: {}", stats::summary(&report, elapsed));
    }
    Ok(match (report.outcome, stop) {
        (Outcome::Halted(Halt::Panic(words)), _) => {
            eprintln!("powervisor: the guest's kernel panicked: {words}");
            GUEST_PANIC
        }
        (Outcome::Stopped, Some(Stop::Timeout)) => {
            eprintln!("powervisor: stopped after --timeout {} s", flags.timeout.unwrap_or_default().as_secs_f64());
            TIMED_OUT
        }
        (Outcome::Stopped, Some(Stop::Signal(number))) => 128 + number,
        (Outcome::Stopped | Outcome::Halted(_), _) => 0,
    })
}

/// The guest's files and where they go.
fn planned(flags: &RunFlags) -> Result<(Files, Layout)> {
    let files = guests::files(flags)?;
    let name = format!("--kernel {}", files.kernel_name);
    let kernel = elf::read(&files.kernel).context(name.clone())?;
    if kernel.class == Class::Elf32 {
        bail!("{name}: a 32-bit kernel; the machines of this release are 64-bit");
    }
    let spec = spec(flags, files.append.clone())?;
    let layout = machine::plan(&spec, &kernel, files.initrd.as_ref().map(|data| data.len() as u64))?;
    Ok((files, layout))
}

fn spec(flags: &RunFlags, append: String) -> Result<Spec> {
    Ok(Spec {
        kind: match flags.machine {
            MachineFlag::Pseries => Kind::Pseries,
            MachineFlag::Bare => Kind::Bare,
        },
        cpu: flags.cpu,
        memory: flags.memory,
        mmu: match (flags.mmu, flags.cpu) {
            (Some(MmuFlag::Hash), _) | (None, Cpu::Power8) => Mmu::Hash,
            (Some(MmuFlag::Radix), _) | (None, Cpu::Power9) => Mmu::Radix,
        },
        calls: calls(flags)?,
        append,
        seed: seed().context("/dev/urandom")?,
        fixed_start: (flags.clock == ClockFlag::Virtual).then(seconds_now),
    })
}

fn calls(flags: &RunFlags) -> Result<Calls> {
    let Some(list) = &flags.calls else { return Ok(Calls::with_pv(flags.pv == Switch::On)) };
    if flags.machine != MachineFlag::Bare {
        bail!("--calls goes with --machine bare; a pseries machine answers what its guests expect");
    }
    let has = |call| list.contains(&call);
    Ok(Calls { papr: has(CallFlag::Papr), kvm: has(CallFlag::Kvm), epapr: has(CallFlag::Epapr) })
}

/// The host's time of day.
fn seconds_now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs() as i64
}

fn seed() -> std::io::Result<[u8; 32]> {
    let mut seed = [0; 32];
    fs::File::open("/dev/urandom")?.read_exact(&mut seed)?;
    Ok(seed)
}

/// Runs the machine, again from its files after each reset, until it stops.
fn session(flags: &RunFlags) -> Result<(Report, Option<Stop>)> {
    let current = Current::default();
    let mut terminal = None;
    loop {
        // The files are not kept while the guest runs: the kernel alone may be larger than everything else of ours.
        let (mut machine, cpu) = {
            let (files, layout) = planned(flags)?;
            let output = Box::new(std::io::stdout());
            (Machine::build(&layout, &files.kernel, files.initrd.as_deref(), output)?, layout.spec.cpu)
        };
        current.set(machine.controls());
        if terminal.is_none() {
            terminal = Some(attach(flags, &current)?);
        }
        let mut engine = Interpreter::new(cpu);
        let time = match flags.clock {
            ClockFlag::Host => Time { clock: Box::new(HostClock::default()), is_virtual: false },
            ClockFlag::Virtual => Time { clock: Box::new(VirtualClock), is_virtual: true },
        };
        let report = vmm::run(&mut machine, &mut engine, &time);
        if report.outcome != Outcome::Halted(Halt::Reset) {
            return Ok((report, current.why()));
        }
    }
}

/// Connects terminal, signals and time limit to the running machine.
fn attach(flags: &RunFlags, current: &Current) -> Result<RawTerminal> {
    watch_signals(current.clone())?;
    if let Some(timeout) = flags.timeout {
        watch_time(current.clone(), timeout);
    }
    let terminal = RawTerminal::new();
    if terminal.is_terminal() && !flags.quiet {
        eprint!("powervisor: Ctrl-A X quits, Ctrl-A H helps\r\n");
    }
    console::feed(current.clone(), terminal.is_terminal());
    Ok(terminal)
}

fn watch_signals(current: Current) -> Result<()> {
    let mut signals = Signals::new([SIGTERM, SIGINT, SIGHUP]).context("signal handlers")?;
    thread::spawn(move || {
        for signal in signals.forever() {
            current.stop(Stop::Signal(u8::try_from(signal).unwrap_or(0)));
        }
    });
    Ok(())
}

fn watch_time(current: Current, timeout: Duration) {
    thread::spawn(move || {
        thread::sleep(timeout);
        current.stop(Stop::Timeout);
    });
}

fn write(path: &Path, data: &[u8], flag: &str) -> Result<()> {
    fs::write(path, data).with_context(|| format!("{flag} {}", path.display()))
}
