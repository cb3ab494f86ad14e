//! Random programs of vector logic on the translator, with AVX-512 where the host has it and without, and on the
//! interpreter.

use exec::{Engine, Exit, Vcpu};
use exec_interp::Interpreter;
use exec_jit::{Policy, Translator};
use guest_mem::Order;
use ppc_isa::{Cpu, msr};

use crate::rig::{self, Random, SC};

/// Primary opcode 60, and the opcodes of xxland, xxlandc, xxlor, xxlxor, xxlnor, xxlorc, xxlnand, xxleqv in its place.
const VSX: u32 = 60 << 26;
const LOGIC: [u32; 8] = [130, 138, 146, 154, 162, 170, 178, 186];
const XXSEL: u32 = 3 << 4;

/// Few registers, so that results meet; some VSRs are VRs.
const REGISTERS: [u32; 9] = [0, 1, 2, 9, 31, 32, 33, 45, 63];

fn program(r: &mut Random) -> Vec<u32> {
    let insn = |r: &mut Random| {
        let [t, a, b, c] = std::array::from_fn(|_| r.of(&REGISTERS));
        let fields = (t & 31) << 21 | (a & 31) << 16 | (b & 31) << 11 | (a >> 5) << 2 | (b >> 5) << 1 | t >> 5;
        let op = match r.next() % 3 {
            0 => XXSEL | (c & 31) << 6 | (c >> 5) << 3,
            _ => r.of(&LOGIC) << 3,
        };
        VSX | fields | op
    };
    let mut words: Vec<u32> = (0..1 + r.next() % 12).map(|_| insn(r)).collect();
    let back = -4 * words.len() as i32;
    // bdnz
    words.extend([0x4200_0000 | back as u32 & 0xfffc, SC]);
    words
}

fn run(engine: &mut dyn Engine, words: &[u32], seed: u64) -> (Vcpu, Exit) {
    let mem = rig::memory(Order::Little, words);
    let mut vcpu = rig::vcpu(Cpu::Power9, msr::SF | msr::LE | msr::FP | msr::VEC | msr::VSX);
    let mut r = Random(seed);
    vcpu.state.vsr.iter_mut().for_each(|vsr| *vsr = [r.next(), r.next()]);
    vcpu.state.ctr = 1 + r.next() % 9;
    let exit = rig::run(engine, &mut vcpu, &mem, u64::MAX);
    (vcpu, exit)
}

#[test]
fn logic_agrees() {
    for seed in 0..200 {
        let words = program(&mut Random(seed));
        let (wanted, exit) = run(&mut Interpreter::new(Cpu::Power9), &words, seed);
        assert!(matches!(exit, Exit::SystemCall(_)), "{exit:?}");
        for avx512 in [false, true] {
            let policy = Policy { avx512, cold: 0, code_cache: 1 << 20, ..Policy::default() };
            let (got, _) = run(&mut Translator::new(Cpu::Power9, policy).unwrap(), &words, seed);
            assert_eq!(got, wanted, "seed {seed}, AVX-512 {avx512}: {words:08x?}");
        }
    }
}
