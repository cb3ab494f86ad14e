//! Two vCPUs that join each other over and over: whoever is last goes on and prods the other one. Their decrementers are
//! up all the time, which must end no sleep.

use std::time::Duration;

use exec::{Engine, Privileged};
use exec_interp::Interpreter;
use guest_mem::Order;
use hv_core::Halt;
use image::elf::{Abi, Class, Kernel, Order as ElfOrder, Segment};
use machine::clock::{HostClock, VirtualClock};
use machine::{Calls, Kind, Machine, Mmu, Spec};
use papr_abi::rtas::{POWER_OFF, START_CPU};
use ppc_isa::Cpu;
use vmm::{Outcome, Policy, Time};

const START: u64 = 0x10_0000;
/// Counters of two words each: prods sent to each, sleeps that ended, whether it is done.
const COUNTERS: u64 = 0x10_8000;
const ROUNDS: u32 = 500;

const fn li(register: u32, value: u32) -> u32 {
    0x3800_0000 | register << 21 | value
}

/// The first vCPU begins at the beginning, the second one at `SECOND`.
const SECOND: u32 = 36;
#[rustfmt::skip]
const WORDS: [u32; 69] = [
    // Start the other one; r30 is the own number, r29 the other's, r27 and r26 the counters of both.
    li(3, 0),                       // 00
    0x6063_f000,                    // 04 ori   r3, r3, H_RTAS
    0x3c80_0010,                    // 08 lis   r4, START
    0x6084_00a0,                    // 0c ori   r4, r4, cells of start-cpu
    0x4400_0022,                    // 10 sc    1
    li(30, 0),                      // 14
    li(29, 1),                      // 18
    0x3f60_0010,                    // 1c lis   r27, COUNTERS
    0x4800_0010,                    // 20 b     30
    // SECOND
    li(30, 1),                      // 24
    li(29, 0),                      // 28
    0x3f60_0010,                    // 2c lis   r27, COUNTERS
    0x637b_8000,                    // 30 ori   r27, r27, COUNTERS
    0x57bc_103a,                    // 34 slwi  r28, r29, 2
    0x7f5b_e214,                    // 38 add   r26, r27, r28
    0x57dc_103a,                    // 3c slwi  r28, r30, 2
    0x7f7b_e214,                    // 40 add   r27, r27, r28
    li(25, ROUNDS),                 // 44
    // Join; the last one prods the other, the other counts that it woke.
    li(3, 0x298),                   // 48
    0x4400_0022,                    // 4c sc    1
    0x2c03_0012,                    // 50 cmpwi r3, H_CONTINUE
    0x4082_0020,                    // 54 bne   74
    0x80ba_0000,                    // 58 lwz   r5, 0(r26)
    0x38a5_0001,                    // 5c addi  r5, r5, 1
    0x90ba_0000,                    // 60 stw   r5, 0(r26)
    li(3, 0xe8),                    // 64
    0x7fa4_eb78,                    // 68 mr    r4, r29
    0x4400_0022,                    // 6c sc    1
    0x4800_0010,                    // 70 b     80
    0x80bb_0008,                    // 74 lwz   r5, 8(r27)
    0x38a5_0001,                    // 78 addi  r5, r5, 1
    0x90bb_0008,                    // 7c stw   r5, 8(r27)
    0x3739_ffff,                    // 80 addic. r25, r25, -1
    0x4082_ffc4,                    // 84 bne   48
    // Done: the other one may be asleep, so it is prodded until it is done as well.
    0x4800_0034,                    // 88 b     bc
    // Cells of power-off and of start-cpu.
    POWER_OFF.token, 2, 1, 0, 0,    // 8c
    START_CPU.token, 3, 1,          // a0
    1, START as u32 + SECOND, 0, 0, // ac
    li(5, 1),                       // bc
    0x90bb_0010,                    // c0 stw   r5, 16(r27)
    0x80ba_0010,                    // c4 lwz   r5, 16(r26)
    0x2c05_0000,                    // c8 cmpwi r5, 0
    0x4082_002c,                    // cc bne   f8
    0x80ba_0000,                    // d0 lwz   r5, 0(r26)
    0x38a5_0001,                    // d4 addi  r5, r5, 1
    0x90ba_0000,                    // d8 stw   r5, 0(r26)
    li(3, 0xe8),                    // dc
    0x7fa4_eb78,                    // e0 mr    r4, r29
    0x4400_0022,                    // e4 sc    1
    li(3, 0xe4),                    // e8
    0x3880_ffff,                    // ec li    r4, -1
    0x4400_0022,                    // f0 sc    1
    0x4bff_ffd0,                    // f4 b     c4
    // The first one switches the machine off.
    0x2c1e_0000,                    // f8 cmpwi r30, 0
    0x4082_0000,                    // fc bne   .
    li(3, 0),                       // 100
    0x6063_f000,                    // 104 ori  r3, r3, H_RTAS
    0x3c80_0010,                    // 108 lis  r4, START
    0x6084_008c,                    // 10c ori  r4, r4, cells of power-off
    0x4400_0022,                    // 110 sc   1
];

/// Prods sent to both and ends of sleeps of both.
fn joined(is_virtual: bool) -> [u32; 4] {
    let file: Vec<u8> = WORDS.iter().flat_map(|word| word.to_be_bytes()).collect();
    let segment = Segment { physical: START, virtual_: START, file: 0..file.len(), memory_size: 0x1_0000 };
    let kernel =
        Kernel { class: Class::Elf64, order: ElfOrder::Big, abi: Abi::ElfV2, entry: START, segments: vec![segment] };
    let spec = Spec {
        cpus: 2,
        memory: 16 << 20,
        mmu: Mmu::Hash,
        calls: Calls::with_pv(false),
        ..Spec::new(Kind::Pseries, Cpu::Power9)
    };
    let layout = machine::plan(&spec, &kernel, None).unwrap();
    let mut machine = Machine::build(&layout, &file, None, Box::new(std::io::sink())).unwrap();
    let clock: Box<dyn exec::Clock> = if is_virtual { Box::new(VirtualClock) } else { Box::new(HostClock::default()) };
    let policy = Policy { time: Time { clock, is_virtual }, privileged: Privileged::Inline, exit_cost: Duration::ZERO };
    let engine = || Box::new(Interpreter::new(Cpu::Power9)) as Box<dyn Engine>;
    let report = vmm::run(&mut machine, &mut [engine(), engine()], &policy, None);
    assert_eq!(report.outcome, Outcome::Halted(Halt::PowerOff));
    [0, 4, 8, 12].map(|at| machine.mem.load(COUNTERS + at, Order::Big).unwrap())
}

#[test]
fn a_sleep_ends_by_a_prod_and_nothing_else() {
    for is_virtual in [true, false] {
        let [prods_0, prods_1, woke_0, woke_1] = joined(is_virtual);
        assert!(prods_0 > 0 && prods_1 > 0 && woke_0 > 0 && woke_1 > 0);
        assert!(woke_0 <= prods_0 && woke_1 <= prods_1, "{woke_0} of {prods_0}, {woke_1} of {prods_1}");
    }
    assert_eq!(joined(true), joined(true), "runs on virtual time repeat");
}
