//! A guest to run, and what its run came to.

use std::fmt;
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use anyhow::{Result, ensure};
use exec::{Clock, Engine, Privileged, Vcpu};
use hv_core::{ExitCounts, Halt};
use image::elf;
use machine::clock::{HostClock, VirtualClock};
use machine::{
    Backends, Boot, Calls, Controls, Device, DiskImage, Interrupts, Kind as Board, Layout, Machine, Mmu, Outlet, Spec,
};
use nvdimm::Nvdimm;
use ppc_isa::Cpu;
use sha2::{Digest, Sha256};
use vmm::{Observer, Outcome, Policy, Time};

use crate::dialogue::{Answer, Dialogue, Line};
use crate::engine::Kind;
use crate::files::Kernel;

/// Which clock the guest reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Timing {
    /// Retired instructions.
    Virtual,
    /// The host's time.
    Host,
}

/// The time of day when a guest starts: the first of January 2030.
const START: i64 = 1_893_456_000;
/// Wall time after which a run is stopped: many times what the slowest boot takes on a busy host.
const LONGEST: Duration = Duration::from_secs(900);
/// Instructions after which a run is stopped: several times what the longest dialogue takes.
const MOST: u64 = 4_000_000_000;

/// A guest, its machine and the dialogue to hold with it.
#[derive(Clone, Debug)]
pub struct Guest {
    kernel: Kernel,
    spec: Spec,
    lines: Vec<Line>,
    timing: Timing,
    privileged: Privileged,
    longest: Duration,
    most: u64,
    keep: bool,
    engine: Kind,
    nvdimms: Vec<Arc<Nvdimm>>,
    disk: Option<Arc<DiskImage>>,
}

/// What a run came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// Why it ended.
    pub outcome: Outcome,
    /// Everything the guest printed.
    pub console: String,
    /// Exits, privileged instructions and hypercalls.
    pub counts: ExitCounts,
    /// Instructions executed.
    pub instructions: u64,
    /// The text that the dialogue still waited for.
    pub waiting_for: Option<String>,
    /// What the guest left behind, if it was asked for.
    pub left: Option<Left>,
}

/// Everything that a guest leaves behind and could see.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Left {
    /// SHA-256 of its RAM.
    pub memory: [u8; 32],
    /// Registers, with the shared pages.
    pub vcpus: Vec<Vcpu>,
}

impl Left {
    fn of(machine: &Machine) -> Left {
        let mut hash = Sha256::new();
        let mut chunk = vec![0; 1 << 20];
        let mut at = 0;
        while machine.mem.read(at, &mut chunk) {
            hash.update(&chunk);
            at += chunk.len() as u64;
        }
        let mut vcpus = machine.vcpus.clone();
        // Where the last branch went is no part of the architecture, and engines may not keep it.
        vcpus.iter_mut().for_each(|vcpu| vcpu.state.target = 0);
        Left { memory: hash.finalize().into(), vcpus }
    }
}

impl Guest {
    /// `kernel` on a POWER9 pseries with radix translation, 512 MiB and the paravirtual interface.
    pub fn new(kernel: Kernel) -> Guest {
        let spec = Spec {
            kind: Board::Pseries,
            cpu: Cpu::Power9,
            cpus: 1,
            memory: 512 << 20,
            mmu: Mmu::Radix,
            calls: Calls::with_pv(true),
            append: "console=hvc0".into(),
            seed: [0x5a; 32],
            fixed_start: Some(START),
            ..Spec::new(Board::Pseries, Cpu::Power9)
        };
        Guest {
            kernel,
            spec,
            lines: Vec::new(),
            timing: Timing::Virtual,
            privileged: Privileged::Inline,
            longest: LONGEST,
            most: MOST,
            keep: false,
            engine: Kind::Interpreter,
            nvdimms: Vec::new(),
            disk: None,
        }
    }

    /// The program in the boot partition of `disk`, on the same machine with Open Firmware.
    ///
    /// # Errors
    /// A disk without one.
    pub fn from_disk(disk: DiskImage) -> Result<Guest> {
        let (number, elf) = image::disk::boot_program(disk.size(), &|offset, out| disk.read(offset, out))?;
        let mut guest = Guest::new(Kernel { elf, initrd: None }).boot(Boot::OpenFirmware).append("");
        (guest.spec.disk, guest.disk) = (Some(number), Some(Arc::new(disk)));
        Ok(guest)
    }

    /// Sets the machine type.
    pub fn kind(mut self, kind: Board) -> Guest {
        self.spec.kind = kind;
        self
    }

    /// Sets CPU model and translation.
    pub fn cpu(mut self, cpu: Cpu, mmu: Mmu) -> Guest {
        (self.spec.cpu, self.spec.mmu) = (cpu, mmu);
        self
    }

    /// Sets the interrupt controller.
    pub fn interrupts(mut self, interrupts: Interrupts) -> Guest {
        self.spec.interrupts = interrupts;
        self
    }

    /// Sets how the kernel is entered.
    pub fn boot(mut self, boot: Boot) -> Guest {
        self.spec.boot = boot;
        self
    }

    /// Lets a client of Open Firmware choose the other translation, too.
    pub fn either_mmu(mut self) -> Guest {
        self.spec.either_mmu = true;
        self
    }

    /// Sets the number of vCPUs.
    pub fn cpus(mut self, cpus: u32) -> Guest {
        self.spec.cpus = cpus;
        self
    }

    /// Offers the paravirtual interface, or not.
    pub fn pv(mut self, pv: bool) -> Guest {
        self.spec.calls = Calls::with_pv(pv);
        self
    }

    /// Sets the RAM in MiB.
    pub fn memory(mut self, mebibytes: u64) -> Guest {
        self.spec.memory = mebibytes << 20;
        self
    }

    /// Makes room for more processors, and for so many more bytes of memory and persistent memory.
    pub fn room(mut self, cpus: u32, memory: u64, persistent: u64) -> Guest {
        (self.spec.max_cpus, self.spec.max_memory) = (self.spec.cpus + cpus, self.spec.memory + memory);
        self.spec.nvdimm_room = persistent;
        self
    }

    /// Adds persistent memory.
    pub fn nvdimm(mut self, device: Arc<Nvdimm>) -> Guest {
        self.spec.nvdimms.push(device.geometry());
        self.nvdimms.push(device);
        self
    }

    /// Adds a device on the PCI bus.
    pub fn device(mut self, device: Device) -> Guest {
        let slot = self.spec.devices.len() as u8;
        self.spec.devices.insert(slot, device);
        self
    }

    /// Sets the kernel's command line.
    pub fn append(mut self, append: &str) -> Guest {
        self.spec.append = append.into();
        self
    }

    /// Sets where privileged instructions are carried out.
    pub fn privileged(mut self, privileged: Privileged) -> Guest {
        self.privileged = privileged;
        self
    }

    /// Sets what executes its instructions.
    pub fn engine(mut self, engine: Kind) -> Guest {
        self.engine = engine;
        self
    }

    /// Keeps what the guest leaves behind, see [`Run::left`].
    pub fn keep(mut self) -> Guest {
        self.keep = true;
        self
    }

    /// Sets the clock.
    pub fn timing(mut self, timing: Timing) -> Guest {
        self.timing = timing;
        self
    }

    /// Stops the run after so many instructions.
    pub fn most(mut self, instructions: u64) -> Guest {
        self.most = instructions;
        self
    }

    /// Stops the run after this much wall time.
    pub fn longest(mut self, time: Duration) -> Guest {
        self.longest = time;
        self
    }

    /// Waits for `expect` on the console, then types `send`.
    pub fn expect(mut self, expect: &str, send: &str) -> Guest {
        self.lines.push(Line { expect: expect.into(), answer: Answer::Text(send.into()) });
        self
    }

    /// Waits for `expect` on the console, then does something with the machine, while the guest runs on, and types what
    /// comes of it.
    pub fn when(mut self, expect: &str, deed: impl Fn(&Controls) -> String + Send + Sync + 'static) -> Guest {
        self.lines.push(Line { expect: expect.into(), answer: Answer::Deed(Arc::new(deed)) });
        self
    }

    /// The layout of its machine.
    ///
    /// # Errors
    /// What the kernel file or the machine make impossible.
    pub fn layout(&self) -> Result<Layout> {
        let kernel = elf::read(&self.kernel.elf)?;
        Ok(machine::plan(&self.spec, &kernel, self.kernel.initrd.as_ref().map(|data| data.len() as u64))?)
    }

    /// Runs it to its end.
    ///
    /// # Errors
    /// What keeps the machine from being built.
    pub fn run(self) -> Result<Run> {
        self.watched(None)
    }

    /// Runs it on engines made by `engine`.
    ///
    /// # Errors
    /// What keeps the machine from being built.
    pub fn run_on(self, engine: &mut dyn FnMut(Cpu) -> Result<Box<dyn Engine>>) -> Result<Run> {
        self.observed(engine, None)
    }

    /// What to call it.
    pub fn name(&self) -> String {
        format!("{:?} on {:?}", self.spec.kind, self.spec.cpu)
    }

    /// The same, with every exit shown to `observer`.
    ///
    /// # Errors
    /// What keeps the machine from being built.
    pub fn watched(self, observer: Option<&mut dyn Observer>) -> Result<Run> {
        let (engine, cpus) = (self.engine, self.spec.cpus);
        self.observed(&mut |cpu| engine.engine(cpu, cpus), observer)
    }

    fn observed(
        self,
        engine: &mut dyn FnMut(Cpu) -> Result<Box<dyn Engine>>,
        observer: Option<&mut dyn Observer>,
    ) -> Result<Run> {
        let dialogue = Dialogue::new(self.lines.clone());
        let console = Outlet::direct(Box::new(dialogue.clone()));
        let (nvdimms, disk) = (self.nvdimms.clone(), self.disk.clone());
        let backends = Backends { nvdimms, disk, ..Backends::new(console) };
        let mut machine = Machine::build(&self.layout()?, &self.kernel.elf, self.kernel.initrd.as_deref(), backends)?;
        let controls = machine.controls();
        dialogue.attach(controls.clone());
        let (over, watched) = mpsc::channel::<()>();
        let watch = {
            let (controls, longest) = (controls.clone(), self.longest);
            thread::spawn(move || {
                if watched.recv_timeout(longest) == Err(RecvTimeoutError::Timeout) {
                    controls.stop();
                }
            })
        };
        let mut engines = machine.vcpus.iter().map(|_| engine(self.spec.cpu)).collect::<Result<Vec<_>>>()?;
        let policy = Policy { time: self.time(controls), privileged: self.privileged, exit_cost: Duration::ZERO };
        let report = vmm::run(&mut machine, &mut engines, &policy, observer);
        drop(over);
        let _ = watch.join();
        Ok(Run {
            outcome: report.outcome,
            console: dialogue.text(),
            counts: report.counts,
            instructions: report.instructions,
            waiting_for: dialogue.waiting_for(),
            left: self.keep.then(|| Left::of(&machine)),
        })
    }

    fn time(&self, controls: Controls) -> Time {
        let clock: Box<dyn Clock> = match self.timing {
            Timing::Virtual => Box::new(VirtualClock),
            Timing::Host => Box::new(HostClock::default()),
        };
        let is_virtual = self.timing == Timing::Virtual;
        Time { clock: Box::new(Limit { clock, most: self.most, controls }), is_virtual }
    }
}

/// A clock that stops the machine when it has executed enough. Every look at the time counts, and a running machine
/// looks at it at each of its exits.
struct Limit {
    clock: Box<dyn Clock>,
    most: u64,
    controls: Controls,
}

impl Clock for Limit {
    fn ticks(&self, retired: u64) -> u64 {
        if retired >= self.most {
            self.controls.stop();
        }
        self.clock.ticks(retired)
    }
}

impl fmt::Debug for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Limit").field("clock", &self.clock).field("most", &self.most).finish_non_exhaustive()
    }
}

impl Run {
    /// Whether the guest halted for `why` after the whole dialogue.
    ///
    /// # Errors
    /// What happened instead, with the end of the console.
    pub fn ended(&self, why: &Halt) -> Result<()> {
        let as_told = self.outcome == Outcome::Halted(why.clone()) && self.waiting_for.is_none();
        ensure!(as_told, "wanted {why:?} but {:?}, waiting for {:?}; {self}", self.outcome, self.waiting_for);
        Ok(())
    }

    /// Whether the console shows `text`.
    ///
    /// # Errors
    /// The end of the console when it does not.
    pub fn shows(&self, text: &str) -> Result<()> {
        ensure!(self.console.contains(text), "the console does not show {text:?}; {self}");
        Ok(())
    }

    /// How often a hypercall of an interface was made.
    pub fn hypercalls(&self, name: &str) -> u64 {
        self.counts.hypercalls().get(name).copied().unwrap_or(0)
    }
}

/// The number of instructions and the end of the console.
impl fmt::Display for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines: Vec<&str> = self.console.lines().collect();
        let end = lines[lines.len().saturating_sub(40)..].join("\n");
        write!(f, "after {} instructions the console ended:\n{end}", self.instructions)
    }
}
