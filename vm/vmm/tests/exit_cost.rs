//! What an exit costs, as the guest's own clock shows it.

use std::time::Duration;

use exec::timebase::TIMEBASE_HZ;
use exec::{Exit, Privileged, Vcpu};
use exec_interp::Interpreter;
use hv_core::{Call, Halt};
use image::elf::{Abi, Class, Kernel, Order, Segment};
use machine::clock::VirtualClock;
use machine::{Calls, Kind, Machine, Mmu, Spec};
use papr_abi::rtas::POWER_OFF;
use ppc_isa::Cpu;
use vmm::{Observer, Outcome, Policy, Time};

const START: u64 = 0x10_0000;
/// Privileged instructions between the two looks at the clock.
const EXITS: u64 = 3;
/// Ticks between them when exits cost nothing: virtual time counts instructions.
const FREE: u64 = EXITS + 1;

/// Reads the time, exits, reads the time again, and switches the machine off by RTAS with the cells behind the code.
const WORDS: [u32; 17] = [
    0x7fcc_42a6, // mftb  r30
    0x7c60_00a6, // mfmsr r3
    0x7c60_00a6, // mfmsr r3
    0x7c60_00a6, // mfmsr r3
    0x7fec_42a6, // mftb  r31
    0x3860_0000, // li    r3, 0
    0x6063_f000, // ori   r3, r3, H_RTAS
    0x3c80_0010, // lis   r4, START
    0x6084_002c, // ori   r4, r4, 44
    0x4400_0022, // sc    1
    0x4800_0000, // b     .
    POWER_OFF.token,
    POWER_OFF.inputs,
    POWER_OFF.outputs,
    0,
    0,
    0,
];

/// Counts the exits that it is shown.
#[derive(Default)]
struct Count {
    exits: u64,
    answers: u64,
}

impl Observer for Count {
    fn exit(&mut self, _: &Vcpu, exit: &Exit, _: Duration) {
        self.exits += u64::from(!matches!(exit, Exit::Event));
    }

    fn answer(&mut self, _: &Vcpu, _: Option<Call>, _: Duration) {
        self.answers += 1;
    }
}

/// Ticks that the guest saw between its two looks at the clock.
fn elapsed(privileged: Privileged, exit_cost: Duration, observer: Option<&mut dyn Observer>) -> u64 {
    let file: Vec<u8> = WORDS.iter().flat_map(|word| word.to_be_bytes()).collect();
    let segment = Segment { physical: START, virtual_: START, file: 0..file.len(), memory_size: file.len() as u64 };
    let kernel =
        Kernel { class: Class::Elf64, order: Order::Big, abi: Abi::ElfV2, entry: START, segments: vec![segment] };
    let spec = Spec {
        kind: Kind::Bare,
        cpu: Cpu::Power9,
        cpus: 1,
        memory: 16 << 20,
        mmu: Mmu::Radix,
        calls: Calls::with_pv(false),
        append: String::new(),
        seed: [0; 32],
        fixed_start: None,
        ..Spec::new(Kind::Bare, Cpu::Power9)
    };
    let layout = machine::plan(&spec, &kernel, None).unwrap();
    let mut machine = Machine::build(&layout, &file, None, Box::new(std::io::sink())).unwrap();
    let time = Time { clock: Box::new(VirtualClock), is_virtual: true };
    let policy = Policy { time, privileged, exit_cost };
    let report = vmm::run(&mut machine, &mut [Box::new(Interpreter::new(Cpu::Power9))], &policy, observer);
    assert_eq!(report.outcome, Outcome::Halted(Halt::PowerOff));
    let gpr = &machine.vcpus[0].state.gpr;
    gpr[31] - gpr[30]
}

#[test]
fn the_clock_advances_by_the_cost_of_each_exit() {
    for cost in [0, 1_000, 125_000] {
        let ticks = cost * (TIMEBASE_HZ / 1_000_000) / 1_000;
        let cost = Duration::from_nanos(cost);
        assert_eq!(elapsed(Privileged::Trap, cost, None), FREE + EXITS * ticks);
        assert_eq!(elapsed(Privileged::Inline, cost, None), FREE, "what is no exit costs nothing");
    }
}

#[test]
fn an_observer_sees_every_exit_and_changes_none() {
    let mut count = Count::default();
    let cost = Duration::from_micros(1);
    assert_eq!(elapsed(Privileged::Trap, cost, Some(&mut count)), elapsed(Privileged::Trap, cost, None));
    // The privileged instructions and the hypercall, each of them answered.
    assert_eq!((count.exits, count.answers >= count.exits), (EXITS + 1, true));
}
