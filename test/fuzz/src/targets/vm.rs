//! A small machine whose vCPU and memory the targets set as they like.

use std::cell::RefCell;
use std::io::Write;
use std::sync::atomic::{AtomicU64, Ordering};

use exec::{Engine, Exit, Privileged, Vcpu};
use exec_interp::Interpreter;
use exec_jit::{Policy, Translator};
use guest_mem::Order;
use hv_core::{ExitCounts, Next, Visit, hypervisor};
use image::elf::{self, Abi, Class, Kernel, Segment};
use machine::clock::VirtualClock;
use machine::{Calls, Device, Interrupts, Kind, Machine, Mmu, Spec};
use ppc_isa::cpu::Family;
use ppc_isa::{Cpu, Decoder};

/// RAM of the machine: the least that is allowed.
pub const RAM: u64 = 16 << 20;

/// Instructions that machines have executed on the interpreter: where engines are compared, as often on the others.
pub static EXECUTED: AtomicU64 = AtomicU64::new(0);

/// What runs a machine's code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Runner {
    /// The reference.
    Interpreter,
    /// The translator, which translates whatever it meets.
    Translator,
    /// The same as for one of several vCPUs: stores look at reservations.
    Watching,
}

/// Code memory so small that it is full at times.
const EAGER: Policy = Policy { code_cache: 128 << 10, cold: 0, avx512: true, watched: false, untranslated: Vec::new() };

thread_local! {
    /// Engines are dear to make: one a model, reset before each case.
    static ENGINES: RefCell<[Interpreter; Cpu::ALL.len()]> = RefCell::new(Cpu::ALL.map(Interpreter::new));
    static TRANSLATORS: RefCell<[[Option<Translator>; 2]; Cpu::ALL.len()]> =
        const { RefCell::new([const { [None, None] }; Cpu::ALL.len()]) };
    static DECODERS: [Decoder; Cpu::ALL.len()] = Cpu::ALL.map(Decoder::new);
}

/// The machine.
pub struct Vm {
    machine: Machine,
    /// Its only vCPU.
    pub vcpu: Vcpu,
    /// Who carries out privileged instructions.
    pub privileged: Privileged,
    /// The engine delivers interrupts that instructions cause, which are no exits then.
    pub delivers: bool,
    /// What runs its code.
    pub runner: Runner,
    counts: ExitCounts,
}

fn index(cpu: Cpu) -> usize {
    Cpu::ALL.iter().position(|model| *model == cpu).unwrap_or(0)
}

/// The kind of machine that has a board for `cpu`.
pub fn board(cpu: Cpu) -> Kind {
    match cpu.family() {
        Family::Book3s64 => Kind::Pseries,
        Family::Book3s32 => Kind::Mac,
        Family::BookE => Kind::E500,
    }
}

impl Vm {
    /// A machine with an empty memory, at address 0: a pseries, or the bare machine of other families.
    pub fn new(cpu: Cpu, pv: bool) -> Vm {
        let kind = if cpu.family() == Family::Book3s64 { Kind::Pseries } else { Kind::Bare };
        Vm::of(kind, cpu, Calls::with_pv(pv), Box::new(std::io::sink()))
    }

    /// A machine of `kind` with an empty memory that answers `calls` and prints to `console`.
    pub fn of(kind: Kind, cpu: Cpu, calls: Calls, console: Box<dyn Write + Send>) -> Vm {
        Vm::build(kind, cpu, Interrupts::Xics, calls, console)
    }

    /// A pseries with a XIVE.
    pub fn xive(pv: bool) -> Vm {
        let calls = Calls::with_pv(pv);
        Vm::build(Kind::Pseries, Cpu::Power9, Interrupts::Xive, calls, Box::new(std::io::sink()))
    }

    fn build(kind: Kind, cpu: Cpu, interrupts: Interrupts, calls: Calls, console: Box<dyn Write + Send>) -> Vm {
        let mmu = if cpu == Cpu::Power9 { Mmu::Radix } else { Mmu::Hash };
        // The e500 board has no less.
        let memory = if kind == Kind::E500 { 4 * RAM } else { RAM };
        let spec = Spec {
            kind,
            cpu,
            cpus: 1,
            memory,
            mmu,
            interrupts,
            calls,
            append: String::new(),
            seed: [0; 32],
            fixed_start: Some(0),
            devices: (0..).zip(Device::ALL).filter(|_| kind == Kind::Pseries).collect(),
            ..Spec::new(kind, cpu)
        };
        let segment = Segment { physical: 0, virtual_: 0, file: 0..0, memory_size: 0x1000 };
        let class = if cpu.sixty_four() { Class::Elf64 } else { Class::Elf32 };
        let order = elf::Order::Big;
        let kernel = Kernel { class, order, entry: 0, abi: Abi::ElfV2, segments: vec![segment] };
        let layout = machine::plan(&spec, &kernel, None).unwrap();
        let mut machine = Machine::build(&layout, &[], None, console).unwrap();
        let vcpu = machine.vcpus.remove(0);
        ENGINES.with_borrow_mut(|engines| engines[index(cpu)].reset());
        TRANSLATORS.with_borrow_mut(|engines| engines[index(cpu)].iter_mut().flatten().for_each(Translator::reset));
        let (privileged, runner) = (Privileged::Trap, Runner::Interpreter);
        Vm { machine, vcpu, privileged, delivers: false, runner, counts: ExitCounts::default() }
    }

    /// The machine's parts.
    pub fn machine(&self) -> &Machine {
        &self.machine
    }

    /// The machine's parts.
    pub fn machine_mut(&mut self) -> &mut Machine {
        &mut self.machine
    }

    /// Types at the console.
    pub fn type_in(&self, data: &[u8]) {
        self.machine.controls().type_in(data);
    }

    /// Stores words in the byte order of fetches.
    pub fn store_code(&self, at: u64, order: Order, words: &[u32]) {
        for (n, word) in (0..).zip(words) {
            self.machine.mem.store(at + 4 * n, order, *word);
        }
    }

    /// What the run loop does between runs.
    pub fn visit<T>(&mut self, work: impl FnOnce(&Machine, &mut Visit) -> T) -> T {
        let machine = &self.machine;
        let mut context = machine.context(0, &VirtualClock, self.privileged).unwrap();
        context.delivers = self.delivers;
        let (vcpu, counts) = (&mut self.vcpu, &mut self.counts);
        work(machine, &mut Visit { vcpu, context: &context, counts })
    }

    /// Hands an exit to the hypervisor.
    pub fn handle(&mut self, exit: Exit) -> Next {
        self.visit(|machine, visit| machine.hypervisor.handle(&exit, visit))
    }

    /// Executes the system call `word` in the hypervisor.
    pub fn system_call(&mut self, word: u32) -> Next {
        let row = DECODERS.with(|decoders| decoders[index(self.vcpu.state.cpu)].decode(word.into())).unwrap();
        let address = self.vcpu.state.cia;
        self.handle(Exit::SystemCall(exec::Instruction { row, word: word.into(), len: 4, address }))
    }

    /// Runs guest code until the next exit.
    pub fn enter(&mut self, budget: u64) -> Exit {
        self.machine.mailboxes.0[0].take(exec::request::INTERRUPT | exec::request::PROD);
        let cpu = self.vcpu.state.cpu;
        let (runner, before) = (self.runner, self.vcpu.state.retired);
        let exit = self.visit(|_, visit| match runner {
            Runner::Interpreter => {
                ENGINES.with_borrow_mut(|engines| engines[index(cpu)].run(visit.vcpu, visit.context, budget))
            }
            Runner::Translator | Runner::Watching => TRANSLATORS.with_borrow_mut(|engines| {
                let watched = runner == Runner::Watching;
                let policy = Policy { watched, ..EAGER };
                let engine = &mut engines[index(cpu)][usize::from(watched)];
                let engine = engine.get_or_insert_with(|| Translator::new(cpu, policy).unwrap());
                engine.run(visit.vcpu, visit.context, budget)
            }),
        });
        if runner == Runner::Interpreter {
            EXECUTED.fetch_add(self.vcpu.state.retired.wrapping_sub(before), Ordering::Relaxed);
        }
        exit
    }

    /// Delivers what is pending, as the run loop does.
    pub fn poll(&mut self) {
        self.visit(|machine, visit| hypervisor::poll(visit, &*machine.lines));
    }

    /// Runs guest code to its first system call, which is not made; returns its address.
    pub fn run_to_call(&mut self, exits: usize) -> Option<u64> {
        for _ in 0..exits {
            match self.enter(500) {
                Exit::SystemCall(insn) => return Some(insn.address),
                exit => self.handle(exit),
            };
        }
        None
    }
}
