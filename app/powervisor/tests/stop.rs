//! A vCPU that stops itself (RTAS stop-self) executes nothing more, whatever interrupts come, and the machine can
//! still be told to stop.

use std::thread;
use std::time::Duration;

use exec::Privileged;
use exec_interp::Interpreter;
use image::elf::{Abi, Class, Kernel, Order, Segment};
use machine::clock::HostClock;
use machine::{Calls, Kind, Machine, Mmu, Spec};
use papr_abi::rtas::STOP_SELF;
use ppc_isa::Cpu;
use vmm::{Outcome, Policy, Time};

const START: u64 = 0x10_0000;

/// Calls RTAS with the cells behind the code, with a decrementer that soon expires; then turns for ever.
const WORDS: [u32; 12] = [
    0x3860_1000, // li    r3, 0x1000
    0x7c76_03a6, // mtdec r3
    0x3860_0000, // li    r3, 0
    0x6063_f000, // ori   r3, r3, H_RTAS
    0x3c80_0010, // lis   r4, START
    0x6084_0020, // ori   r4, r4, 32
    0x4400_0022, // sc    1
    0x4800_0000, // b     .
    STOP_SELF.token,
    STOP_SELF.inputs,
    STOP_SELF.outputs,
    0,
];

#[test]
fn a_stopped_vcpu_stays_stopped() {
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
    let controls = machine.controls();
    let time = Time { clock: Box::new(HostClock::default()), is_virtual: false };
    let policy = Policy { time, privileged: Privileged::Inline, exit_cost: Duration::ZERO };
    let report = thread::scope(|scope| {
        scope.spawn(|| {
            thread::sleep(Duration::from_millis(50));
            controls.type_in(b"anybody there?");
            thread::sleep(Duration::from_millis(50));
            controls.stop();
        });
        vmm::run(&mut machine, &mut [Box::new(Interpreter::new(Cpu::Power9))], &policy, None)
    });
    assert_eq!(report.outcome, Outcome::Stopped);
    assert_eq!(report.counts.hypercalls().get("rtas:stop-self"), Some(&1));
    assert!(report.instructions <= 7, "{} instructions", report.instructions);
}
