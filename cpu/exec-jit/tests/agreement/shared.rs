//! The shared page at its constant address, on the translator and on the interpreter.

use exec::{Engine, Exit, Interrupt, Vcpu};
use exec_interp::Interpreter;
use exec_jit::{Policy, Translator};
use guest_mem::{GuestMem, Order};
use ppc_isa::{Cpu, msr};

use crate::rig::{self, START};

/// Where kernels put the page: the last one of both address spaces.
const TOP: u64 = 0xffff_ffff_ffff_f000;

/// Counts SPRG0 up 200 times, and copies other fields of the page with accesses of all sizes.
const PROGRAM: [u32; 17] = [
    0x3860_00c8, // li r3,200
    0x7c69_03a6, // mtctr r3
    0xe880_f020, // ld r4,-4064(0)     SPRG0
    0x3884_0001, // addi r4,r4,1
    0x2c24_0005, // cmpdi r4,5
    0xf880_f020, // std r4,-4064(0)    SPRG0
    0x80a0_f024, // lwz r5,-4060(0)
    0x90a0_f028, // stw r5,-4056(0)    SPRG1
    0xa8c0_f022, // lha r6,-4062(0)
    0xb0c0_f02e, // sth r6,-4050(0)
    0x88e0_f021, // lbz r7,-4063(0)
    0x98e0_f030, // stb r7,-4048(0)    SPRG2
    0xe920_fff8, // ld r9,-8(0)
    0x8160_f023, // lwz r11,-4061(0)
    0x4182_0004, // beq +4
    0x4200_ffcc, // bdnz -52
    0x4400_0002, // sc
];

fn run(engine: &mut dyn Engine, vcpu: &mut Vcpu, mem: &GuestMem) -> Exit {
    vcpu.state.cia = START;
    rig::run(engine, vcpu, mem, u64::MAX)
}

fn both(cpu: Cpu, bits: u64, check: impl Fn(&mut dyn Engine, &mut Vcpu, &GuestMem)) {
    let order = if bits & msr::LE != 0 { Order::Little } else { Order::Big };
    let run = |engine: &mut dyn Engine| {
        let mut vcpu = rig::vcpu(cpu, msr::SF | bits);
        check(engine, &mut vcpu, &rig::memory(order, &PROGRAM));
        vcpu
    };
    let wanted = run(&mut Interpreter::new(cpu));
    assert_eq!(run(&mut Translator::new(cpu, Policy::default()).unwrap()), wanted);
}

#[test]
fn fields_are_loaded_and_stored() {
    for (bits, order) in [(0, Order::Big), (msr::LE, Order::Little), (0, Order::Little), (msr::LE, Order::Big)] {
        both(Cpu::Power9, bits, |engine, vcpu, mem| {
            vcpu.shared.map(TOP, TOP, order);
            // Where the orders differ the program sees the bytes of a field reversed.
            let seen = |n: u64| if (bits == msr::LE) == (order == Order::Little) { n } else { n.swap_bytes() };
            vcpu.shared.set_sprg(0, seen(3));
            assert!(matches!(run(engine, vcpu, mem), Exit::SystemCall(_)));
            assert_eq!(vcpu.shared.sprg(0), seen(203));
            assert_eq!((vcpu.state.gpr[4], vcpu.state.gpr[9], vcpu.state.retired), (203, 0, 2 + 14 * 200));
        });
    }
}

#[test]
fn it_is_where_it_was_mapped_last() {
    both(Cpu::Power9, 0, |engine, vcpu, mem| {
        vcpu.shared.map(TOP, TOP, Order::Big);
        assert!(matches!(run(engine, vcpu, mem), Exit::SystemCall(_)));
        assert_eq!(vcpu.shared.sprg(0), 200);
        vcpu.shared.map(TOP - 0x1000, TOP - 0x1000, Order::Big);
        assert!(matches!(run(engine, vcpu, mem), Exit::Interrupt(Interrupt::MachineCheck { .. })));
        vcpu.shared.map(TOP, TOP, Order::Little);
        vcpu.shared.set_sprg(0, 0);
        assert!(matches!(run(engine, vcpu, mem), Exit::SystemCall(_)));
        assert_eq!(vcpu.shared.sprg(0), 200 << 56);
    });
}

#[test]
fn problem_state_does_not_see_it() {
    both(Cpu::Power9, 0, |engine, vcpu, mem| {
        vcpu.shared.map(TOP, TOP, Order::Big);
        assert!(matches!(run(engine, vcpu, mem), Exit::SystemCall(_)));
        vcpu.set_msr(msr::SF | msr::PR);
        assert!(!matches!(run(engine, vcpu, mem), Exit::SystemCall(_)));
        assert_eq!(vcpu.shared.sprg(0), 200);
    });
}
