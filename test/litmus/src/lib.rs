//! A machine with a program for each of its vCPUs.

use std::ops::Range;
use std::time::{Duration, Instant};

use exec::{Engine, Privileged, Start};
use exec_interp::Interpreter;
use exec_jit::{Policy as Translation, Translator};
use guest_mem::Order;
use hv_core::Halt;
use image::elf::{self, Abi, Class, Kernel, Segment};
use machine::clock::HostClock;
use machine::{Calls, Kind, Machine, Mmu, Spec};
use papr_abi::hcall::{H_CONFER, H_RTAS};
use papr_abi::rtas::{POWER_OFF, STOP_SELF};
use ppc_isa::Cpu;
use vmm::{Outcome, Policy, Time};

mod assembler;

pub use assembler::assemble;

/// Where programs stand, a page each.
const CODE: u64 = 0x10_0000;
/// What they find in their registers: doubleword n for register n, a page for each program.
const REGISTERS: u64 = 0x20_0000;
/// RTAS buffers, a page for each program.
const BUFFERS: u64 = 0x28_0000;
/// Programs that have ended.
const ENDED: u64 = 0x2f_0000;
/// Free for the tests, up to the end of RAM.
pub const DATA: u64 = 0x40_0000;
/// RAM.
const RAM: u64 = 32 << 20;

/// Counts itself, and waits until all others of `r28` have, if it is the first.
const EPILOGUE: &str = "
    count: ldarx 3,0,29
           addi 3,3,1
           stdcx. 3,0,29
           bc 4,2,count
    all:   ld 3,0(29)
           cmp 0,1,3,28
           bc 12,0,all
           or 3,31,31
           or 4,30,30
           sc 1
    ever:  b ever";

/// The program of one vCPU.
#[derive(Clone)]
pub struct Program {
    text: String,
    registers: Vec<(usize, u64)>,
}

impl Program {
    /// `text` begins with r4 to r27 as `registers` say, in real mode.
    pub fn new(text: impl Into<String>, registers: &[(usize, u64)]) -> Program {
        Program { text: text.into(), registers: registers.to_vec() }
    }

    /// Another text with the same registers.
    pub fn with_text(&self, text: impl Into<String>) -> Program {
        Program { text: text.into(), registers: self.registers.clone() }
    }
}

/// What runs programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Runner {
    /// The interpreter.
    Interpreter,
    /// The translator.
    Translator,
}

impl Runner {
    /// The engine of one of several vCPUs.
    ///
    /// # Panics
    /// When the host is not made for it.
    pub fn engine(self, cpu: Cpu) -> Box<dyn Engine> {
        match self {
            Runner::Interpreter => Box::new(Interpreter::new(cpu)),
            Runner::Translator => {
                let policy = Translation { watched: true, code_cache: 1 << 20, ..Translation::default() };
                Box::new(Translator::new(cpu, policy).unwrap())
            }
        }
    }
}

/// A big-endian POWER9 with a vCPU for each of `programs`, which begin as soon as it runs.
///
/// # Panics
/// When there is no such machine.
pub fn machine(mmu: Mmu, programs: &[Program]) -> Machine {
    let spec = Spec {
        kind: Kind::Bare,
        cpu: Cpu::Power9,
        cpus: programs.len() as u32,
        memory: RAM,
        mmu,
        calls: Calls::with_pv(false),
        append: String::new(),
        seed: [0; 32],
        fixed_start: None,
        ..Spec::new(Kind::Bare, Cpu::Power9)
    };
    let segment = Segment { physical: CODE, virtual_: CODE, file: Range::default(), memory_size: 0x1000 };
    let order = elf::Order::Big;
    let kernel = Kernel { class: Class::Elf64, order, abi: Abi::ElfV2, entry: CODE, segments: vec![segment] };
    let layout = machine::plan(&spec, &kernel, None).unwrap();
    let mut machine = Machine::build(&layout, &[], None, Box::new(std::io::sink())).unwrap();
    for (program, number) in programs.iter().zip(0..) {
        load(&machine, program, number, programs.len() as u64);
        let (address, registers) = (CODE + 0x1000 * number, REGISTERS + 0x1000 * number);
        if number == 0 {
            let state = &mut machine.vcpus[0].state;
            (state.cia, state.gpr[3]) = (address, registers);
        } else {
            assert!(machine.mailboxes.0[number as usize].start(Start { address, argument: registers }));
        }
    }
    machine
}

fn load(machine: &Machine, program: &Program, number: u64, programs: u64) {
    let loads: Vec<String> = (4..32).map(|n| format!("ld {n},{}(3)", 8 * n)).collect();
    let words = assemble(&format!("{}\n{}\n{EPILOGUE}", loads.join("\n"), program.text));
    for (at, word) in (CODE + 0x1000 * number..).step_by(4).zip(words) {
        assert!(machine.mem.store(at, Order::Big, word));
    }
    let buffer = BUFFERS + 0x1000 * number;
    let call = if number == 0 { POWER_OFF } else { STOP_SELF };
    let cells = [call.token, call.inputs, call.outputs, 0, 0, 0];
    for (at, cell) in (buffer..).step_by(4).zip(cells) {
        assert!(machine.mem.store(at, Order::Big, cell));
    }
    let waits_for = if number == 0 { programs } else { 0 };
    let own = [(28, waits_for), (29, ENDED), (30, buffer), (31, H_RTAS)];
    for (register, value) in program.registers.iter().chain(&own) {
        assert!(machine.mem.store(REGISTERS + 0x1000 * number + 8 * *register as u64, Order::Big, *value));
    }
}

/// Runs the machine on `runner` until all programs have ended.
///
/// # Panics
/// When they do not end within two minutes.
pub fn run(machine: &mut Machine, runner: Runner) {
    let time = Time { clock: Box::new(HostClock::default()), is_virtual: false };
    let policy = Policy { time, privileged: Privileged::Inline, exit_cost: Duration::ZERO };
    let mut engines: Vec<Box<dyn Engine>> = machine.vcpus.iter().map(|vcpu| runner.engine(vcpu.state.cpu)).collect();
    let controls = machine.controls();
    let (over, watched) = std::sync::mpsc::channel::<()>();
    let report = std::thread::scope(|scope| {
        scope.spawn(move || {
            if watched.recv_timeout(Duration::from_secs(120)) == Err(std::sync::mpsc::RecvTimeoutError::Timeout) {
                controls.stop();
            }
        });
        let report = vmm::run(machine, &mut engines, &policy, None);
        drop(over);
        report
    });
    assert_eq!(report.outcome, Outcome::Halted(Halt::PowerOff), "{report:?}");
}

/// The doubleword at `address`.
///
/// # Panics
/// Outside RAM.
pub fn double(machine: &Machine, address: u64) -> u64 {
    machine.mem.load(address, Order::Big).unwrap()
}

/// Does `work` with 0, 1, ... on each engine until the time of a test is over: a moment, or the seconds in
/// `POWERVISOR_LITMUS`. `POWERVISOR_LITMUS_ENGINE` names the only one.
pub fn repeatedly(mut work: impl FnMut(u64, Runner)) {
    let variable = |name| std::env::var(name).ok();
    let seconds = variable("POWERVISOR_LITMUS").and_then(|seconds| seconds.parse().ok());
    let time = Duration::from_secs_f64(seconds.unwrap_or(0.3));
    let only = variable("POWERVISOR_LITMUS_ENGINE");
    let wanted = |runner: &Runner| only.as_ref().is_none_or(|only| format!("{runner:?}").eq_ignore_ascii_case(only));
    for runner in [Runner::Interpreter, Runner::Translator].into_iter().filter(wanted) {
        let start = Instant::now();
        let runs = (0..).take_while(|n| *n == 0 || start.elapsed() < time).map(|n| work(n, runner)).count();
        println!("{runner:?}: {runs} runs");
    }
}

/// Waits until all of `count` programs have come here as often as this one, which is number `own`: r19 counts, r20 points to
/// the programs' counters, 128 bytes apart. Changes r3, r4, r18, CTR. The host is asked to run others now and then.
pub fn rendezvous(own: usize, count: usize) -> String {
    let mut text = format!("addi 19,19,1\n std 19,{}(20)\n", 128 * own);
    for other in (0..count).filter(|other| *other != own) {
        text += &format!(
            "again{other}: addi 18,0,100
                mtspr 9,18
             wait{other}: ld 18,{offset}(20)
                cmp 0,1,18,19
                bc 4,0,here{other}
                bc 16,0,wait{other}
                addi 3,0,{H_CONFER}
                addi 4,0,-1
                sc 1
                b again{other}
             here{other}: ",
            offset = 128 * other
        );
    }
    text
}
