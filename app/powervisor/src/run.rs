//! `powervisor run`.

use std::io::{Read, Write};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use std::{fs, thread};

use anyhow::{Context, Result, bail};
use exec_interp::Interpreter;
use hv_core::Halt;
use image::elf::{self, Class};
use machine::clock::{HostClock, VirtualClock};
use machine::{Controls, Kind, Layout, Machine, Mmu, Spec};
use ppc_isa::Cpu;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use vmm::{Outcome, Report, Time};

use crate::cli::{ClockFlag, MachineFlag, MmuFlag, RunFlags, Switch};
use crate::console::{self, RawTerminal};
use crate::{guests, stats};

/// The guest's kernel panicked.
const GUEST_PANIC: u8 = 120;
/// `--timeout` passed.
const TIMED_OUT: u8 = 124;
/// Stopped by a key or a signal.
const STOPPED: u8 = 0;

/// Runs a guest; returns the exit code.
pub fn run(flags: &RunFlags) -> Result<u8> {
    let files = guests::files(flags)?;
    let kernel = elf::read(&files.kernel).with_context(|| format!("--kernel {}", files.kernel_name))?;
    if kernel.class == Class::Elf32 {
        bail!("--kernel {}: a 32-bit kernel; the machines of this release are 64-bit", files.kernel_name);
    }
    let spec = spec(flags, files.append)?;
    let initrd_len = files.initrd.as_ref().map(|data| data.len() as u64);
    let layout = machine::plan(&spec, &kernel, initrd_len)?;
    if let Some(path) = &flags.dtb_out {
        write(path, &Machine::tree(&layout)?, "--dtb-out")?;
    }
    if flags.dry_run {
        print!("{layout}");
        return Ok(0);
    }
    let start = Instant::now();
    let (report, timed_out) = session(flags, &layout, &files.kernel, files.initrd.as_deref())?;
    let elapsed = start.elapsed();
    if let Some(path) = &flags.stats {
        write(path, format!("{:#}\n", stats::json(&report, elapsed)).as_bytes(), "--stats")?;
    }
    if !flags.quiet {
        eprintln!("powervisor: {}", stats::summary(&report, elapsed));
    }
    Ok(match report.outcome {
        Outcome::Halted(Halt::Panic(words)) => {
            eprintln!("powervisor: the guest's kernel panicked: {words}");
            GUEST_PANIC
        }
        Outcome::Stopped if timed_out => {
            eprintln!("powervisor: stopped after --timeout {} s", flags.timeout.unwrap_or_default().as_secs_f64());
            TIMED_OUT
        }
        Outcome::Stopped => STOPPED,
        Outcome::Halted(_) => 0,
    })
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
        pv: flags.pv == Switch::On,
        append,
        seed: seed().context("/dev/urandom")?,
    })
}

fn seed() -> std::io::Result<[u8; 32]> {
    let mut seed = [0; 32];
    fs::File::open("/dev/urandom")?.read_exact(&mut seed)?;
    Ok(seed)
}

/// Runs the machine, again after each reset, until it stops. Returns also whether the time was over.
fn session(flags: &RunFlags, layout: &Layout, kernel: &[u8], initrd: Option<&[u8]>) -> Result<(Report, bool)> {
    let terminal = RawTerminal::new();
    if terminal.is_terminal() && !flags.quiet {
        eprint!("powervisor: Ctrl-A X quits, Ctrl-A H helps\r\n");
    }
    let current = Current::default();
    let timed_out = Arc::new(AtomicBool::new(false));
    watch_signals(current.clone())?;
    if let Some(timeout) = flags.timeout {
        watch_time(current.clone(), Arc::clone(&timed_out), timeout);
    }
    let mut fed = false;
    loop {
        let mut machine = Machine::build(layout, kernel, initrd, Box::new(std::io::stdout()))?;
        current.set(machine.controls());
        if !std::mem::replace(&mut fed, true) {
            console::feed(current.clone(), terminal.is_terminal());
        }
        let mut engine = Interpreter::new(layout.spec.cpu);
        let time = match flags.clock {
            ClockFlag::Host => Time { clock: Box::new(HostClock::default()), is_virtual: false },
            ClockFlag::Virtual => Time { clock: Box::new(VirtualClock), is_virtual: true },
        };
        let report = vmm::run(&mut machine, &mut engine, &time);
        if report.outcome != Outcome::Halted(Halt::Reset) {
            std::io::stdout().flush().ok();
            return Ok((report, timed_out.load(Ordering::Acquire)));
        }
    }
}

/// The machine that runs now, for threads that outlive a reset.
#[derive(Clone, Default)]
pub struct Current(Arc<std::sync::Mutex<Option<Controls>>>);

impl Current {
    fn set(&self, controls: Controls) {
        *self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(controls);
    }

    /// The machine's controls.
    pub fn get(&self) -> Option<Controls> {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone()
    }

    /// Stops the machine.
    pub fn stop(&self) {
        if let Some(controls) = self.get() {
            controls.stop();
        }
    }
}

fn watch_signals(current: Current) -> Result<()> {
    let mut signals = Signals::new([SIGTERM, SIGINT, SIGHUP]).context("signal handlers")?;
    thread::spawn(move || {
        for _ in signals.forever() {
            current.stop();
        }
    });
    Ok(())
}

fn watch_time(current: Current, timed_out: Arc<AtomicBool>, timeout: Duration) {
    thread::spawn(move || {
        thread::sleep(timeout);
        timed_out.store(true, Ordering::Release);
        current.stop();
    });
}

fn write(path: &Path, data: &[u8], flag: &str) -> Result<()> {
    fs::write(path, data).with_context(|| format!("{flag} {}", path.display()))
}
