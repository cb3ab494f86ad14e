//! Small programs on the translator and on the interpreter.

use exec::{Context, Engine, Exit, PartitionState, Privileged, Requests, Vcpu};
use exec_interp::Interpreter;
use exec_jit::{Policy, Translator};
use guest_mem::{GuestMem, Order};
use ppc_isa::{Cpu, msr};

fn run(engine: &mut dyn Engine, words: &[u32]) -> (Vcpu, Exit) {
    let mem = GuestMem::new(1 << 20).unwrap();
    for (at, word) in words.iter().enumerate() {
        assert!(mem.store(0x1000 + 4 * at as u64, Order::Little, *word));
    }
    let partition = PartitionState::new(None, false);
    let requests = Requests::default();
    let context = Context::alone(&mem, &partition, &requests, Privileged::Trap);
    let mut vcpu = Vcpu::new(Cpu::Power9, 0);
    vcpu.set_msr(msr::SF | msr::LE | msr::FP | msr::VEC | msr::VSX);
    vcpu.state.cia = 0x1000;
    let exit = engine.run(&mut vcpu, &context, u64::MAX);
    (vcpu, exit)
}

fn agree(words: &[u32]) {
    let (mut wanted, _) = run(&mut Interpreter::new(Cpu::Power9), words);
    let (got, exit) = run(&mut Translator::new(Cpu::Power9, Policy::default()).unwrap(), words);
    assert!(matches!(exit, Exit::SystemCall(_)), "{exit:?}");
    // Where the last branch went is nobody's business.
    wanted.state.target = got.state.target;
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
