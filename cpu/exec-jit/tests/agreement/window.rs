//! Accesses around the stack pointer, on the translator and on the interpreter.

use exec::{Engine, Exit, Vcpu};
use exec_interp::Interpreter;
use exec_jit::{Policy, Translator};
use guest_mem::Order;
use ppc_isa::{Cpu, msr};

use crate::rig::{self, RAM, SC, START};

/// Frames of each stack.
const FRAMES: u64 = 40;

/// Makes a frame: counts in r5, which is stored in it, at the end of what is in reach, and beyond.
fn push(size: u16) -> [u32; 7] {
    [
        0x38a5_0001,                                      // addi r5,r5,1
        0xf821_0001 | u32::from(0u16.wrapping_sub(size)), // stdu r1,-size(r1)
        0xf8a1_0010,                                      // std r5,16(r1)
        0x98a1_fe00,                                      // stb r5,-512(r1)
        0x98a1_01ff,                                      // stb r5,511(r1)
        0xb0a1_00be,                                      // sth r5,190(r1)
        0xb0a1_017e,                                      // sth r5,382(r1)
    ]
}

/// Leaves a frame, and adds what was stored in it up in r6.
const POP: [u32; 11] = [
    0xe8e1_0010, // ld r7,16(r1)
    0x7cc6_3a14, // add r6,r6,r7
    0x8901_fe00, // lbz r8,-512(r1)
    0x7cc6_4214, // add r6,r6,r8
    0x8901_01ff, // lbz r8,511(r1)
    0x7cc6_4214, // add r6,r6,r8
    0xa101_00be, // lhz r8,190(r1)
    0x7cc6_4214, // add r6,r6,r8
    0xa101_017e, // lhz r8,382(r1)
    0x7cc6_4214, // add r6,r6,r8
    0xe821_0000, // ld r1,0(r1)
];

/// Every frame by code of its own.
fn straight(size: u16) -> Vec<u32> {
    let pushes = (0..FRAMES).flat_map(|_| push(size));
    pushes.chain((0..FRAMES).flat_map(|_| POP)).chain([SC]).collect()
}

/// Two loops.
fn looping(size: u16) -> Vec<u32> {
    let turns = [0x3860_0000 | FRAMES as u32, 0x7c69_03a6]; // li r3,40; mtctr r3
    let back = |insns: usize| 0x4200_0000 | (-4 * insns as i32) as u32 & 0xfffc; // bdnz
    let push = turns.into_iter().chain(push(size)).chain([back(7)]);
    push.chain(turns).chain(POP).chain([back(11), SC]).collect()
}

fn run(engine: &mut dyn Engine, cpu: Cpu, msr: u64, r1: u64, program: &[u32]) -> (Vcpu, Exit) {
    let (mem, mut vcpu) = (rig::memory(Order::Big, program), rig::vcpu(cpu, msr));
    let mut exit = Exit::Event;
    // Often enough that all of it is translated.
    for _ in 0..5 {
        vcpu.state.cia = START;
        vcpu.state.gpr = std::array::from_fn(|n| if n == 1 { r1 } else { 0 });
        exit = rig::run(engine, &mut vcpu, &mem, u64::MAX);
    }
    (vcpu, exit)
}

/// What both engines make of it, which is the same.
fn agreed(msr: u64, r1: u64, program: &[u32]) -> (Vcpu, Exit) {
    let jit = &mut Translator::new(Cpu::Power9, Policy::default()).unwrap();
    let (got, ended) = run(jit, Cpu::Power9, msr, r1, program);
    let (wanted, end) = run(&mut Interpreter::new(Cpu::Power9), Cpu::Power9, msr, r1, program);
    assert_eq!(format!("{ended:?}"), format!("{end:?}"), "r1 {r1:x}, {program:08x?}");
    assert_eq!(got, wanted, "r1 {r1:x}, {program:08x?}");
    (got, ended)
}

#[test]
fn frames_are_where_they_were_wherever_the_stack_goes() {
    let sum = FRAMES * (FRAMES + 1) / 2;
    for (msr, high) in [(msr::SF, 0), (0, 0xdead_beef_0000_0000)] {
        for (size, aside) in [(32, 0), (48, 8), (992, 1), (5008, 0), (16368, 0)] {
            for program in [straight(size), looping(size)] {
                let r1 = high | (0xc_0400 + aside);
                let (a, exit) = agreed(msr, r1, &program);
                assert!(matches!(exit, Exit::SystemCall(_)), "{exit:?}");
                // Small frames write over each other's far ends.
                if size > 512 + 512 {
                    assert_eq!(a.state.gpr[6], 5 * sum, "frames of {size} bytes");
                }
                assert_eq!(a.state.gpr[1] & 0xffff_ffff, 0xc_0400 + aside);
            }
        }
    }
}

#[test]
fn nothing_is_in_reach_beyond_the_end_of_memory() {
    for below in (8..640).step_by(24) {
        let mut ends = [0; 2];
        for displacement in [-512i32, -8, 0, 55, 63, 64, 120, 184, 191, 320, 440, 448, 504, 511] {
            let access = 0x8901_0000 | displacement as u32 & 0xffff; // lbz r8,displacement(r1)
            // lbz r7,-16(r1), then the access as the engine has looked around; addi r1,r1,-8, then as code has
            for program in [vec![0x88e1_fff0, access, SC], vec![0x88e1_fff0, 0x3821_fff8, access, SC]] {
                let (_, exit) = agreed(msr::SF, RAM - below, &program);
                ends[usize::from(matches!(exit, Exit::SystemCall(_)))] += 1;
            }
        }
        assert!(ends[1] >= 6 && (below > 504 || ends[0] > 0), "{below}: {ends:?}");
    }
}
