//! Small programs on the translator and on the interpreter.

use exec::{Engine, Exit, Vcpu};
use exec_interp::Interpreter;
use exec_jit::{Policy, Translator};
use guest_mem::Order;
use ppc_isa::{Cpu, msr};

use crate::rig;

fn run(engine: &mut dyn Engine, words: &[u32]) -> (Vcpu, Exit) {
    let mut vcpu = rig::vcpu(Cpu::Power9, msr::SF | msr::LE | msr::FP | msr::VEC | msr::VSX);
    let exit = rig::run(engine, &mut vcpu, &rig::memory(Order::Little, words), u64::MAX);
    (vcpu, exit)
}

fn agree(words: &[u32]) {
    agree_by(Policy::default(), words);
}

fn agree_by(policy: Policy, words: &[u32]) {
    let (wanted, _) = run(&mut Interpreter::new(Cpu::Power9), words);
    let (got, exit) = run(&mut Translator::new(Cpu::Power9, policy).unwrap(), words);
    assert!(matches!(exit, Exit::SystemCall(_)), "{exit:?}");
    assert_eq!(got, wanted);
}

#[test]
fn a_loop_that_counts() {
    agree(&[
        0x3c60_0001, // lis r3,1
        0x7c69_03a6, // mtctr r3
        0x3880_0000, // li r4,0
        0x38a0_2000, // li r5,0x2000
        0x3884_0003, // addi r4,r4,3
        0x7cc4_2214, // add r6,r4,r4
        0x90c5_0000, // stw r6,0(r5)
        0x80e5_0000, // lwz r7,0(r5)
        0x2c07_0000, // cmpwi r7,0
        0x4182_0008, // beq +8
        0x7d08_3a78, // xor r8,r8,r7
        0x4200_ffe4, // bdnz -28
        0x4400_0002, // sc
    ]);
}

/// Quadwords at every alignment, and across the end of a page and of what reservations are held on.
const UNALIGNED_VECTORS: [u32; 21] = [
    0x3860_00c8, // li r3,200
    0x7c69_03a6, // mtctr r3
    0x3ca0_0002, // lis r5,2
    0x38a5_fff8, // addi r5,r5,-8
    0x38c0_0003, // li r6,3
    0x1025_038c, // vspltisw v1,5
    0x7c45_3219, // lxvx vs34,r5,r6
    0x1042_0880, // vadduwm v2,v2,v1
    0x1062_08ab, // vperm v3,v2,v1,v2
    0xf083_1257, // xxpermdi vs36,vs35,vs34,2
    0x10a4_1786, // vcmpgtsw. v5,v4,v2
    0x7c65_3319, // stxvx vs35,r5,r6
    0x7c80_2f99, // stxvd2x vs36,0,r5
    0x7ca5_3219, // lxvx vs37,r5,r6
    0x10c5_216c, // vsldoi v6,v5,v4,5
    0x7cc7_0067, // mfvrd r7,v6
    0x7ce7_2b67, // mtvsrdd vs39,r7,r5
    0xf4c5_002d, // stxv vs38,32(r5)
    0x38a5_0001, // addi r5,r5,1
    0x4200_ffc8, // bdnz -56
    0x4400_0002, // sc
];

#[test]
fn vectors_anywhere_in_memory() {
    agree(&UNALIGNED_VECTORS);
}

#[test]
fn vectors_anywhere_in_watched_memory() {
    agree_by(Policy { watched: true, ..Policy::default() }, &UNALIGNED_VECTORS);
}

#[test]
fn fields_where_an_access_faults() {
    let words = [
        0x3860_0000, // li r3,0
        0x3ca0_0002, // lis r5,2
        0x3cc0_7f00, // lis r6,0x7f00, where there is no memory
        0x3863_0001, // addi r3,r3,1
        0x2c83_0014, // cmpwi cr1,r3,20
        0x7f03_2840, // cmplw cr6,r3,r5
        0x7ce6_299e, // isel r7,r6,r5,4*cr1+eq
        0x7c69_1b78, // mr r9,r3
        0x3860_ffff, // li r3,-1
        0x8147_0000, // lwz r10,0(r7)
        0x7d23_4b78, // mr r3,r9
        0x4bff_ffe0, // b -32
    ];
    let (wanted, _) = run(&mut Interpreter::new(Cpu::Power9), &words);
    let (got, exit) = run(&mut Translator::new(Cpu::Power9, Policy::default()).unwrap(), &words);
    assert!(matches!(exit, Exit::Interrupt(_)), "{exit:?}");
    // What was compared is overwritten by then: 20 with 20, and 20 with 0x20000.
    assert_eq!((got.state.cia, got.state.cr), (0x1024, [0, 0b0010, 0, 0, 0, 0, 0b1000, 0]));
    assert_eq!(got.state.gpr, wanted.state.gpr);
    assert_eq!(got.state.retired, wanted.state.retired);
}
