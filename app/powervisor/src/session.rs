//! One run of a guest from its files to its end, with the user's terminal, signals and time limit around it.

use std::io::{Read, Write};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use std::{fs, mem, thread};

use anyhow::{Context, Result, anyhow, bail};
use exec::{Engine, Privileged};
use exec_interp::Interpreter;
use hv_core::Halt;
use image::elf;
use machine::clock::{HostClock, VirtualClock};
use machine::{
    Backends, Boot, Calls, ClockOffset, Interrupts, Kept, Kind, Layout, Machine, Mmu, Nvram, Outlet, PlanError, Spec,
};
use nvdimm::Geometry;
use ppc_isa::Cpu;
use ppc_isa::cpu::{Family, V300};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use vmm::{Observer, Outcome, Policy, Report, Time};

use crate::cli::{
    BootFlag, CallFlag, ClockFlag, EngineFlag, InterruptsFlag, MachineFlag, MmuFlag, PrivilegedFlag, RunFlags, Switch,
};
use crate::console::{self, RawTerminal};
use crate::ctl::server::{Devices, Server};
use crate::current::{Current, Stop};
use crate::guests::{self, Files};
use crate::nvdimm::flag;
use crate::translator::{Shared, Translators};

/// Where the guest's console is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Console {
    /// The user's terminal: standard input and output.
    Terminal,
    /// Standard error, nothing typed: standard output is for something else.
    Diagnostics,
    /// Nowhere.
    Silent,
}

impl Console {
    /// Where output goes. On the host's time the guest is told when that takes no more, on virtual time it is kept waiting:
    /// what it is told must not depend on the host.
    fn outlet(self, clock: ClockFlag) -> Result<Outlet> {
        let output: Box<dyn Write + Send> = match self {
            Console::Terminal => Box::new(std::io::stdout()),
            Console::Diagnostics => Box::new(std::io::stderr()),
            Console::Silent => Box::new(std::io::sink()),
        };
        match clock {
            ClockFlag::Host => Outlet::queued(output).context("a thread for the console"),
            ClockFlag::Virtual => Ok(Outlet::direct(output)),
        }
    }
}

/// What a machine has from its start beside what the flags say.
pub struct Equipment {
    /// Its persistent memory.
    pub nvdimms: Vec<Geometry>,
    /// What was there before a reset, or what the flags say.
    pub kept: Kept,
}

impl Equipment {
    /// That of a machine that was never reset.
    pub fn first(flags: &RunFlags) -> Result<Equipment> {
        Ok(Equipment { nvdimms: flag::geometries(&flags.nvdimm)?, kept: kept(flags) })
    }
}

/// The guest's files and where they go.
pub fn planned(flags: &RunFlags, equipment: Equipment) -> Result<(Files, Layout)> {
    let files = guests::files(flags)?;
    let name = format!("--kernel {}", files.kernel_name);
    let kernel = elf::read(&files.kernel).context(name.clone())?;
    let spec = Spec {
        disk: files.disk.as_ref().map(|(_, partition)| *partition),
        ..spec(flags, files.append.clone(), equipment)?
    };
    let initrd_len = files.initrd.as_ref().map(|data| data.len() as u64);
    let layout = machine::plan(&spec, &kernel, initrd_len).map_err(|error| match error {
        PlanError::Width { .. } | PlanError::LittleEndian { .. } => anyhow!(error).context(name),
        error => error.into(),
    })?;
    Ok((files, layout))
}

fn spec(flags: &RunFlags, append: String, Equipment { nvdimms, kept }: Equipment) -> Result<Spec> {
    let (family, default) = match flags.machine {
        MachineFlag::Pseries => (Some(Family::Book3s64), Cpu::Power9),
        MachineFlag::Bare => (None, Cpu::Power9),
        MachineFlag::E500 => (Some(Family::BookE), Cpu::E500v2),
        MachineFlag::Mac => (Some(Family::Book3s32), Cpu::Ppc7400),
    };
    let cpu = flags.cpu.unwrap_or(default);
    if family.is_some_and(|family| family != cpu.family()) {
        let fitting = Cpu::ALL.into_iter().filter(|cpu| Some(cpu.family()) == family).map(Cpu::name);
        bail!("--cpu {}: that machine takes {}", cpu.name(), fitting.collect::<Vec<_>>().join(", "));
    }
    Ok(Spec {
        kind: match flags.machine {
            MachineFlag::Pseries => Kind::Pseries,
            MachineFlag::Bare => Kind::Bare,
            MachineFlag::E500 => Kind::E500,
            MachineFlag::Mac => Kind::Mac,
        },
        cpu,
        cpus: flags.cpus,
        max_cpus: flags.max_cpus.unwrap_or(0),
        max_memory: flags.max_memory.unwrap_or(0),
        nvdimm_room: flags.nvdimm_room,
        memory: flags.memory,
        mmu: match (flags.mmu, cpu) {
            (Some(MmuFlag::Radix), _) => Mmu::Radix,
            (None, cpu) if V300.contains(cpu) => Mmu::Radix,
            _ => Mmu::Hash,
        },
        either_mmu: flags.mmu.is_none(),
        interrupts: match flags.interrupts {
            InterruptsFlag::Xive => Interrupts::Xive,
            InterruptsFlag::Xics | InterruptsFlag::Auto => Interrupts::Xics,
        },
        boot: boot(flags)?,
        disk: None,
        calls: calls(flags)?,
        append,
        seed: seed().context("/dev/urandom")?,
        fixed_start: (flags.clock == ClockFlag::Virtual).then(seconds_now),
        nvdimms,
        devices: kept.devices,
        added: kept.added,
    })
}

fn boot(flags: &RunFlags) -> Result<Boot> {
    match (flags.boot, &flags.disk) {
        (Some(BootFlag::Fdt), Some(_)) => bail!("--disk goes with --boot of: nothing else reads it"),
        (Some(BootFlag::Fdt) | None, None) => Ok(Boot::Fdt),
        (Some(BootFlag::Of), _) | (None, Some(_)) => Ok(Boot::OpenFirmware),
    }
}

fn calls(flags: &RunFlags) -> Result<Calls> {
    let Some(list) = &flags.calls else { return Ok(Calls::with_pv(flags.pv == Switch::On)) };
    if flags.machine != MachineFlag::Bare {
        bail!("--calls goes with --machine bare; a pseries machine answers what its guests expect");
    }
    let has = |call| list.contains(&call);
    Ok(Calls {
        papr: has(CallFlag::Papr),
        osi: has(CallFlag::Osi),
        kvm: has(CallFlag::Kvm),
        epapr: has(CallFlag::Epapr),
    })
}

/// What the first machine of a run begins with.
fn kept(flags: &RunFlags) -> Kept {
    Kept { added: Vec::new(), devices: (0..=u8::MAX).zip(flags.device.iter().copied()).collect() }
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

/// Runs the machine, again from its files after each reset, until it stops. Returns what it did, and how it was
/// stopped if not by itself. `counter` is told what the translator counts.
pub fn run(
    flags: &RunFlags,
    console: Console,
    mut observer: Option<&mut dyn Observer>,
    counter: Option<Shared>,
) -> Result<(Report, Option<Stop>)> {
    let current = Current::default();
    let mut attached = None;
    let mut translators = None;
    let translates = translates(flags);
    let nvram = nvram(flags)?;
    let (clock, outlet) = (ClockOffset::default(), console.outlet(flags.clock)?);
    let devices = Devices::open(&flags.nvdimm, flags.clock == ClockFlag::Virtual)?;
    let server = flags.ctl.as_ref().map(|path| Server::start(path, current.clone(), devices.clone()));
    let _server = server.transpose()?;
    let mut kept = kept(flags);
    // Who asks for changes while there is no machine waits.
    let mut pause = None;
    loop {
        // The files are not kept while the guest runs: the kernel alone may be larger than everything else of ours.
        let nvdimms = devices.all(&mut kept.added);
        let (mut machine, cpu) = {
            let geometries = nvdimms.iter().map(|nvdimm| nvdimm.geometry()).collect();
            let equipment = Equipment { nvdimms: geometries, kept: mem::take(&mut kept) };
            let (files, layout) = planned(flags, equipment)?;
            let disk = files.disk.map(|(disk, _)| disk);
            let backends =
                Backends { console: outlet.clone(), nvdimms, nvram: nvram.clone(), clock: clock.clone(), disk };
            (Machine::build(&layout, &files.kernel, files.initrd.as_deref(), backends)?, layout.spec.cpu)
        };
        current.set(machine.controls());
        drop(pause.take());
        if attached.is_none() {
            attached = Some(attach(flags, console, &current)?);
        }
        if translates && translators.is_none() {
            translators = Some(Translators::new(flags, cpu, counter.clone())?);
        }
        let engines = machine.vcpus.iter().map(|_| engine(cpu, translators.as_ref()));
        let mut engines = engines.collect::<Result<Vec<_>>>()?;
        let watching = observer.as_mut().map(|observer| &mut **observer as &mut dyn Observer);
        let report = vmm::run(&mut machine, &mut engines, &policy(flags), watching);
        // Before anybody is waited for: what the guest stored must not depend on who reads its console.
        let saved = devices.put_away();
        drain(&outlet, &current);
        saved?;
        if report.outcome != Outcome::Halted(Halt::Reset) {
            return Ok((report, current.why()));
        }
        kept = machine.controls().hot_plug().map(|hot_plug| hot_plug.close()).unwrap_or_default();
        pause = Some(devices.pause());
    }
}

/// The non-volatile memory of a run. A `bare` machine has the same calls.
fn nvram(flags: &RunFlags) -> Result<Option<Arc<Nvram>>> {
    let Some(path) = &flags.nvram else { return Ok(None) };
    if !matches!(flags.machine, MachineFlag::Pseries | MachineFlag::Bare) {
        bail!("--nvram goes with --machine pseries; other machines forget theirs");
    }
    let nvram = Nvram::open(path).with_context(|| format!("--nvram {}", path.display()))?;
    Ok(Some(Arc::new(nvram)))
}

/// Waits until the host has what the guest printed; when the run was stopped from outside, not for a host that takes none
/// of it.
fn drain(outlet: &Outlet, current: &Current) {
    const LOOK: Duration = Duration::from_millis(500);
    while !outlet.drain(LOOK) && current.why().is_none() {}
}

/// Whether the translator executes the guest: as the flags say, or where the host can.
fn translates(flags: &RunFlags) -> bool {
    match (flags.engine, exec_jit::check()) {
        (Some(engine), _) => engine == EngineFlag::Jit,
        (None, Ok(())) => true,
        (None, Err(why)) => {
            if !flags.quiet {
                eprintln!("powervisor: {why}; here the interpreter executes the guest, many times slower");
            }
            false
        }
    }
}

/// The engine of one vCPU.
fn engine(cpu: Cpu, translators: Option<&Translators>) -> Result<Box<dyn Engine>> {
    Ok(match translators {
        None => Box::new(Interpreter::new(cpu)),
        Some(translators) => Box::new(translators.engine()?),
    })
}

fn policy(flags: &RunFlags) -> Policy {
    Policy {
        time: match flags.clock {
            ClockFlag::Host => Time { clock: Box::new(HostClock::default()), is_virtual: false },
            ClockFlag::Virtual => Time { clock: Box::new(VirtualClock), is_virtual: true },
        },
        privileged: match flags.privileged.unwrap_or(PrivilegedFlag::Inline) {
            PrivilegedFlag::Inline => Privileged::Inline,
            PrivilegedFlag::Trap => Privileged::Trap,
        },
        exit_cost: Duration::from_nanos(flags.exit_cost),
    }
}

/// Connects terminal, signals and time limit to the running machine.
fn attach(flags: &RunFlags, console: Console, current: &Current) -> Result<Option<RawTerminal>> {
    watch_signals(current.clone())?;
    if let Some(timeout) = flags.timeout {
        watch_time(current.clone(), timeout);
    }
    if console != Console::Terminal {
        return Ok(None);
    }
    let terminal = RawTerminal::new();
    if terminal.is_terminal() && !flags.quiet {
        eprint!("powervisor: Ctrl-A X quits, Ctrl-A H helps\r\n");
    }
    console::feed(current.clone(), terminal.is_terminal());
    Ok(Some(terminal))
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
