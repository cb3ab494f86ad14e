//! A machine for one program at a time.

use std::collections::BTreeMap;
use std::io::Write;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use exec::interrupt::program;
use exec::{Context, Engine, Exit, Interrupt, Lines, Privileged, Vcpu, VcpuState};
use exec_interp::Interpreter;
use exec_jit::{Policy as Translation, Translator};
use guest_mem::Order;
use hv_core::{Call, ExitCounts};
use image::elf::{self, Abi, Class, Kernel, Segment};
use machine::clock::VirtualClock;
use machine::{Calls, Kind, Layout, Machine, Mmu, Spec};
use ppc_isa::cpu::{Family, V300};
use ppc_isa::{Cpu, msr, rows};
use pv_abi::kvm::{MAGIC, MAP_MAGIC_PAGE};
use vmm::{Observer, Outcome, Policy, Time};

use crate::program::{field, words};
use crate::translation::{Page, Tables};

/// RAM.
const RAM: u64 = 16 << 20;
/// Where programs stand.
pub const CODE: u64 = 0x10_0000;
/// Free memory.
pub const DATA: u64 = 0x20_0000;
/// Where Linux puts the page: -4096.
pub const TOP: u64 = 0xffff_ffff_ffff_f000;

/// `trap`, the end of a program: the interrupt that it causes is not delivered.
const TRAP: u32 = 0x7fe0_0008;
/// Below this, every word is the end of a program.
const VECTORS: u64 = 0x4000;
/// What the upper halves of a 32-bit processor's registers hold, which nobody may see.
const GARBAGE: u64 = 0x7777_7777_0000_0000;
/// Instructions and exits after which a program has no end.
const TOO_MANY: u64 = 50_000_000;

/// Where interrupts of BookE go, by the number of their `IVOR` register: to where those of Book3S go.
const IVORS: [(u16, u64); 19] = [
    (400, 0x1100), // critical input
    (401, 0x200),
    (402, 0x300),
    (403, 0x400),
    (404, 0x500),
    (405, 0x600),
    (406, 0x700),
    (407, 0x800),
    (408, 0xc00),
    (410, 0x900),
    (411, 0x1000), // fixed interval
    (412, 0x1200), // watchdog
    (413, 0x1300), // data TLB
    (414, 0x1400), // instruction TLB
    (415, 0xd00),
    (528, 0xf20),
    (529, 0x1500),
    (530, 0x1600),
    (531, 0xf00),
];

/// The interrupt inputs of the processor.
#[derive(Default)]
pub struct Line {
    /// External.
    pub external: AtomicBool,
    /// The external input falls when its interrupt is delivered.
    pub one_shot: AtomicBool,
    /// Critical input of BookE.
    pub critical: AtomicBool,
    /// The vector that is acknowledged with an external interrupt, 0 for none (BookE's external proxy).
    pub vector: AtomicU32,
}

impl Line {
    /// Raises or drops the external input.
    pub fn set(&self, up: bool) {
        self.external.store(up, Ordering::Release);
    }
}

impl Lines for Line {
    fn external(&self, _: u32) -> bool {
        self.external.load(Ordering::Acquire)
    }

    fn critical(&self, _: u32) -> bool {
        self.critical.load(Ordering::Acquire)
    }

    fn acknowledge(&self, _: u32) -> Option<u32> {
        if self.one_shot.load(Ordering::Acquire) {
            self.set(false);
        }
        Some(self.vector.load(Ordering::Acquire)).filter(|vector| *vector != 0)
    }
}

/// What happens to the interrupt inputs, and the count of retired instructions from which on.
type Change = (u64, Box<dyn FnOnce(&Line) + Send>);

/// An engine for which interrupt inputs change at exact counts of instructions, as another thread changes them at any.
struct Disturbed<'a> {
    engine: &'a mut dyn Engine,
    line: &'a Line,
    changes: &'a mut Vec<Change>,
}

impl Engine for Disturbed<'_> {
    fn run(&mut self, vcpu: &mut Vcpu, context: &Context, budget: u64) -> Exit {
        let left = self.changes.first().map_or(u64::MAX, |(at, _)| at.saturating_sub(vcpu.state.retired));
        let exit = self.engine.run(vcpu, context, budget.min(left));
        if let Exit::Event = exit {
            while self.changes.first().is_some_and(|(at, _)| *at <= vcpu.state.retired) {
                self.changes.remove(0).1(self.line);
            }
        }
        exit
    }

    fn reset(&mut self) {
        self.engine.reset();
    }
}

/// Another processor of the machine, and what runs it.
pub struct Other {
    vcpu: Vcpu,
    engine: Box<dyn Engine>,
}

/// Exits of a program by the address where they happened. Event points are none.
pub type Exits = BTreeMap<u64, u32>;

/// Sees a program's exits and stops it at its end.
struct Watch {
    end: u64,
    limit: u64,
    /// All exits, of which a program without an end may make many and retire nothing.
    turns: u64,
    /// The vCPU at the end, before the `trap` there had any effect.
    stopped: Option<Vcpu>,
    lost: bool,
    exits: Exits,
    calls: Vec<Call>,
}

impl Observer for Watch {
    fn exit(&mut self, vcpu: &Vcpu, exit: &Exit, _: Duration) {
        let at = vcpu.state.cia;
        match exit {
            Exit::Interrupt(Interrupt::Program(program::TRAP)) if at == self.end || at < VECTORS => {
                self.stopped = Some(vcpu.clone())
            }
            Exit::Event => {}
            _ => *self.exits.entry(at).or_default() += 1,
        }
        self.turns += 1;
        self.lost |= vcpu.state.retired + self.turns > self.limit;
    }

    fn answer(&mut self, _: &Vcpu, call: Option<Call>, _: Duration) {
        self.calls.extend(call);
    }

    fn done(&self) -> bool {
        self.stopped.is_some() || self.lost
    }
}

/// The machine.
pub struct Rig {
    /// Kind of machine.
    pub kind: Kind,
    /// Model.
    pub cpu: Cpu,
    /// Byte order of the guest.
    pub order: Order,
    /// Who carries out privileged instructions.
    pub privileged: Privileged,
    /// What runs programs.
    pub runner: Runner,
    /// It has one vCPU.
    pub machine: Machine,
    /// Its interrupt inputs.
    pub line: Arc<Line>,
    /// Exits of the last program.
    pub exits: Exits,
    /// Hypercalls of the last program.
    pub calls: Vec<Call>,
    /// What the last program's exits were counted as.
    pub counts: ExitCounts,
    /// Its console.
    pub printed: Printed,
    engine: Box<dyn Engine>,
    tables: Tables,
    changes: Vec<Change>,
}

/// A rig for each model, byte order, way of privileged instructions and engine.
pub fn rigs() -> impl Iterator<Item = Rig> {
    let orders = |cpu: Cpu| match cpu.family() {
        Family::Book3s64 => [Order::Big, Order::Little].as_slice(),
        _ => [Order::Big].as_slice(),
    };
    let models = Cpu::ALL
        .into_iter()
        .filter(|cpu| !cpu.is_variant())
        .flat_map(move |cpu| orders(cpu).iter().map(move |order| (cpu, *order)));
    let ways = [Privileged::Trap, Privileged::Inline];
    models.flat_map(move |(cpu, order)| ways.map(|privileged| (cpu, order, privileged))).flat_map(
        |(cpu, order, privileged)| {
            let calls = Calls { papr: false, ..Calls::with_pv(true) };
            let rig = move |runner| Rig::new(Kind::Bare, cpu, order, privileged, calls).on(runner);
            Runner::both(privileged).into_iter().map(rig)
        },
    )
}

/// The plan of a machine of `kind` that answers `calls`, for a kernel of byte order `order`. POWER8 translates by hash,
/// POWER9 by radix.
///
/// # Panics
/// When there is no such machine.
pub fn layout(kind: Kind, cpu: Cpu, order: Order, calls: Calls) -> Layout {
    let mmu = if V300.contains(cpu) { Mmu::Radix } else { Mmu::Hash };
    // The e500 board has no less.
    let memory = if kind == Kind::E500 { 4 * RAM } else { RAM };
    let spec = Spec {
        kind,
        cpu,
        cpus: 1,
        memory,
        mmu,
        calls,
        append: String::new(),
        seed: [0; 32],
        fixed_start: Some(0),
        ..Spec::new(kind, cpu)
    };
    let segment = Segment { physical: CODE, virtual_: CODE, file: Range::default(), memory_size: 0x1000 };
    let class = if cpu.sixty_four() { Class::Elf64 } else { Class::Elf32 };
    let order = if order == Order::Little { elf::Order::Little } else { elf::Order::Big };
    let kernel = Kernel { class, order, entry: CODE, abi: Abi::ElfV1, segments: vec![segment] };
    machine::plan(&spec, &kernel, None).unwrap()
}

/// What runs programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Runner {
    /// The reference.
    Interpreter,
    /// The translator, which translates what has run before.
    Translator,
    /// The translator, which translates whatever it meets, and has memory for little of it.
    Eager,
}

impl Runner {
    /// A new engine. Other processors may store meanwhile.
    ///
    /// # Panics
    /// When the host has no memory for code.
    pub fn engine(self, cpu: Cpu) -> Box<dyn Engine> {
        let usual = Translation { watched: true, ..Translation::default() };
        let policy = match self {
            Runner::Interpreter => return Box::new(Interpreter::new(cpu)),
            Runner::Translator => usual,
            Runner::Eager => Translation { cold: 0, code_cache: 64 << 10, ..usual },
        };
        Box::new(Translator::new(cpu, policy).unwrap())
    }

    /// Each engine for a way of privileged instructions: the translator in another temper for each.
    pub fn both(privileged: Privileged) -> [Runner; 2] {
        let translator = if privileged == Privileged::Trap { Runner::Eager } else { Runner::Translator };
        [Runner::Interpreter, translator]
    }
}

/// What a machine printed.
#[derive(Clone, Default)]
pub struct Printed(Arc<Mutex<Vec<u8>>>);

impl Printed {
    /// All of it so far.
    pub fn bytes(&self) -> Vec<u8> {
        self.0.lock().unwrap().clone()
    }
}

impl Write for Printed {
    fn write(&mut self, data: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend(data);
        Ok(data.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Pseries machines of both translations, and bare machines with PAPR, in both byte orders and both ways of privileged
/// instructions, on both engines.
pub fn partitions() -> impl Iterator<Item = Rig> {
    let kinds = [Kind::Pseries, Kind::Bare].into_iter();
    let models = || Cpu::BOOK3S_64.into_iter().filter(|cpu| !cpu.is_variant());
    let machines = kinds.flat_map(move |kind| models().map(move |cpu| (kind, cpu)));
    machines.flat_map(|(kind, cpu)| {
        [Privileged::Trap, Privileged::Inline].into_iter().flat_map(move |privileged| {
            let rig = move |order| Rig::new(kind, cpu, order, privileged, Calls::with_pv(true));
            [Order::Big, Order::Little]
                .into_iter()
                .flat_map(move |order| Runner::both(privileged).into_iter().map(move |runner| rig(order).on(runner)))
        })
    })
}

impl Rig {
    /// A machine of `kind` that answers `calls`. POWER8 translates by hash, POWER9 by radix.
    ///
    /// # Panics
    /// When there is no such machine.
    pub fn new(kind: Kind, cpu: Cpu, order: Order, privileged: Privileged, calls: Calls) -> Rig {
        let printed = Printed::default();
        let layout = layout(kind, cpu, order, calls);
        let mut machine = Machine::build(&layout, &[], None, Box::new(printed.clone())).unwrap();
        machine.partition.set_interrupt_order(order);
        let line = Arc::new(Line::default());
        machine.lines = Arc::clone(&line) as Arc<dyn Lines + Send>;
        let tables = Tables::identity(&mut machine);
        let mut rig = Rig {
            kind,
            cpu,
            order,
            privileged,
            runner: Runner::Interpreter,
            machine,
            line,
            exits: Exits::new(),
            calls: Vec::new(),
            counts: ExitCounts::default(),
            printed,
            engine: Runner::Interpreter.engine(cpu),
            tables,
            changes: Vec::new(),
        };
        if order == Order::Little {
            // A partition is entered in big-endian mode whatever its kernel is.
            rig.msr_on(msr::LE);
        }
        (0..VECTORS).step_by(4).for_each(|at| rig.poke(at, TRAP));
        if cpu.family() == Family::BookE {
            let booke = &mut rig.machine.vcpus[0].state.booke;
            IVORS.iter().for_each(|(number, vector)| _ = booke.keep(cpu, *number, *vector));
        }
        // No register may keep a value by chance.
        (0..32).for_each(|n| rig.set(n, 0x0111_1111_1111_1111_u64.wrapping_mul(n as u64 + 1)));
        rig
    }

    /// The same, run by `runner`.
    pub fn on(self, runner: Runner) -> Rig {
        Rig { runner, engine: runner.engine(self.cpu), ..self }
    }

    /// Another engine like that which runs its programs.
    pub fn engine(&self) -> Box<dyn Engine> {
        self.runner.engine(self.cpu)
    }

    /// What to say of a failure: where.
    pub fn name(&self) -> String {
        format!("{} {:?} {:?} {:?}", self.cpu.name(), self.order, self.privileged, self.runner)
    }

    /// Its family.
    pub fn family(&self) -> Family {
        self.cpu.family()
    }

    /// Whether its registers have 64 bits.
    pub fn wide(&self) -> bool {
        self.cpu.sixty_four()
    }

    /// The processor.
    pub fn vcpu(&self) -> &Vcpu {
        &self.machine.vcpus[0]
    }

    /// The processor.
    pub fn vcpu_mut(&mut self) -> &mut Vcpu {
        &mut self.machine.vcpus[0]
    }

    /// What the guest sees of `value` in a register.
    pub fn seen(&self, value: u64) -> u64 {
        if self.wide() { value } else { value & 0xffff_ffff }
    }

    /// Register `n` as the guest sees it.
    pub fn r(&self, n: usize) -> u64 {
        self.seen(self.vcpu().state.gpr[n])
    }

    /// Sets register `n`.
    pub fn set(&mut self, n: usize, value: u64) {
        let garbage = if self.wide() { 0 } else { GARBAGE };
        self.vcpu_mut().state.gpr[n] = value ^ garbage;
    }

    /// Sets registers by their numbers.
    pub fn sets(&mut self, values: &[(usize, u64)]) {
        values.iter().for_each(|(n, value)| self.set(*n, *value));
    }

    /// The MSR.
    pub fn msr(&self) -> u64 {
        self.vcpu().shared.msr()
    }

    /// Writes the MSR, in full.
    pub fn set_msr(&mut self, value: u64) {
        self.vcpu_mut().set_msr(value);
    }

    /// Sets bits of the MSR.
    pub fn msr_on(&mut self, bits: u64) {
        self.set_msr(self.msr() | bits);
    }

    /// Clears bits of the MSR.
    pub fn msr_off(&mut self, bits: u64) {
        self.set_msr(self.msr() & !bits);
    }

    /// What turns the translation of data and instructions on, where it can be off.
    pub fn relocation(&self) -> u64 {
        if self.family() == Family::BookE { 0 } else { msr::IR | msr::DR }
    }

    /// The word at real address `at`, in the guest's order.
    pub fn peek(&self, at: u64) -> u32 {
        self.machine.mem.load(at, self.order).unwrap()
    }

    /// Stores a word at real address `at`, in the guest's order.
    pub fn poke(&mut self, at: u64, word: u32) {
        assert!(self.machine.mem.store(at, self.order, word), "{at:#x}");
    }

    /// Puts a program at real address `at`; returns where it ends.
    pub fn put(&mut self, at: u64, program: &str) -> u64 {
        self.place(at, &words(program, self.wide()))
    }

    /// Puts instruction words at real address `at`; returns where they end.
    pub fn place(&mut self, at: u64, words: &[u32]) -> u64 {
        (at..).step_by(4).zip(words).for_each(|(at, word)| self.poke(at, *word));
        at + 4 * words.len() as u64
    }

    /// Maps the 4 KiB page at `ea` to `real` for both states, once relocation is on.
    pub fn translate(&mut self, ea: u64, real: u64) {
        self.map_page(Page { ea, real, large: false, execute: true, inhibited: false });
    }

    /// Maps `page` by the guest's own tables.
    pub fn map_page(&mut self, page: Page) {
        self.tables.map(&mut self.machine, page);
    }

    /// Exchanges the processor, and the engine that runs it, for another pair.
    pub fn exchange(&mut self, other: &mut (Vcpu, Box<dyn Engine>)) {
        std::mem::swap(&mut self.machine.vcpus[0], &mut other.0);
        std::mem::swap(&mut self.engine, &mut other.1);
    }

    /// Changes interrupt inputs at the first event point after `count` more instructions, and looks at them. Calls
    /// follow the order of the changes.
    pub fn after(&mut self, count: u64, change: impl FnOnce(&Line) + Send + 'static) {
        self.changes.push((self.vcpu().state.retired + count, Box::new(change)));
    }

    /// Adds a processor with a page of its own, in the state of this one.
    pub fn another(&mut self) -> Other {
        let pir = self.machine.extend();
        let mut vcpu = Vcpu::new(self.cpu, pir);
        vcpu.state = VcpuState { pir, ..self.vcpu().state.clone() };
        (0..16).for_each(|n| vcpu.set_segment(n, self.vcpu().shared.segment(n)));
        vcpu.set_msr(self.msr());
        Other { vcpu, engine: self.engine() }
    }

    /// Goes on with the other processor in place of this one.
    pub fn swap(&mut self, other: &mut Other) {
        std::mem::swap(&mut self.machine.vcpus[0], &mut other.vcpu);
        std::mem::swap(&mut self.engine, &mut other.engine);
    }

    /// Field `name` of the page, as a number.
    pub fn field(&self, name: &str) -> u64 {
        let field = field(name);
        let mut bytes = self.vcpu().shared.bytes::<8>(field.offset)[..field.bytes].to_vec();
        if self.vcpu().shared.order() == Order::Little {
            bytes.reverse();
        }
        bytes.iter().fold(0, |value, byte| value << 8 | u64::from(*byte))
    }

    /// Sets field `name` of the page as a store of the guest would.
    pub fn set_field(&mut self, name: &str, value: u64) {
        let field = field(name);
        let mut bytes = value.to_be_bytes()[8 - field.bytes..].to_vec();
        if self.vcpu().shared.order() == Order::Little {
            bytes.reverse();
        }
        self.vcpu_mut().shared.set_bytes(field.offset, &bytes);
    }

    /// Runs `program` from `CODE` until its end or an unhandled interrupt; returns where that was.
    #[track_caller]
    pub fn ends(&mut self, program: &str) -> u64 {
        let end = self.put(CODE, program);
        self.start(end)
    }

    /// Runs what stands at `CODE` until `end` or an unhandled interrupt; returns where that was.
    #[track_caller]
    pub fn start(&mut self, end: u64) -> u64 {
        self.poke(end, TRAP);
        self.vcpu_mut().state.cia = CODE;
        self.resume(end)
    }

    /// Runs `program` from `CODE` to its end.
    #[track_caller]
    pub fn run(&mut self, program: &str) -> &mut Rig {
        let at = self.ends(program);
        let end = CODE + 4 * words(program, self.wide()).len() as u64;
        assert_eq!(at, end, "{}: {program} ended at {at:#x}, SRR0 {:#x}", self.name(), self.vcpu().shared.srr0());
        self
    }

    /// Runs from where the processor is, until `end` or an unhandled interrupt; returns where that was.
    #[track_caller]
    pub fn resume(&mut self, end: u64) -> u64 {
        let policy = Policy {
            time: Time { clock: Box::new(VirtualClock), is_virtual: true },
            privileged: self.privileged,
            exit_cost: Duration::ZERO,
        };
        let limit = self.vcpu().state.retired + TOO_MANY;
        let mut watch =
            Watch { end, limit, turns: 0, stopped: None, lost: false, exits: Exits::new(), calls: Vec::new() };
        let engine = Disturbed { engine: &mut *self.engine, line: &self.line, changes: &mut self.changes };
        let report = vmm::run(&mut self.machine, &mut [Box::new(engine)], &policy, Some(&mut watch));
        assert!(self.changes.is_empty(), "{}: the program ended before its interrupts", self.name());
        assert_eq!(report.outcome, Outcome::Stopped, "{}", self.name());
        let stopped =
            watch.stopped.unwrap_or_else(|| panic!("{}: no end at {:#x}", self.name(), self.vcpu().state.cia));
        self.machine.vcpus[0] = stopped;
        (self.exits, self.calls, self.counts) = (watch.exits, watch.calls, report.counts);
        self.vcpu().state.cia
    }

    /// Makes the hypercall `token` of KVM by `sc`; returns r3 and r4.
    #[track_caller]
    pub fn hypercall(&mut self, token: u64, r3: u64, r4: u64) -> (u64, u64) {
        self.sets(&[(0, MAGIC.into()), (3, r3), (4, r4), (11, token)]);
        self.run("sc 0");
        (self.r(3), self.r(4))
    }

    /// Maps the page where Linux does, by its hypercall.
    #[track_caller]
    pub fn mapped(mut self) -> Rig {
        self.map(TOP, TOP | 1);
        self
    }

    /// Maps the page at real address `real` and effective address `effective`, with flags in its low bits.
    #[track_caller]
    pub fn map(&mut self, real: u64, effective: u64) {
        assert_eq!(self.hypercall(MAP_MAGIC_PAGE.into(), real, effective), (0, 3), "{}", self.name());
    }

    /// Whether the model has the instruction `name`.
    pub fn has(&self, name: &str) -> bool {
        rows().any(|row| row.name == name && row.models.contains(self.cpu))
    }
}
