//! Random programs of vector logic on the translator, with AVX-512 where the host has it and without, and on the
//! interpreter.

use exec::{Context, Engine, Exit, PartitionState, Privileged, Requests, Vcpu};
use exec_interp::Interpreter;
use exec_jit::{Policy, Translator};
use guest_mem::{GuestMem, Order};
use ppc_isa::{Cpu, msr};

const START: u64 = 0x1000;
/// Primary opcode 60, and the opcodes of xxland, xxlandc, xxlor, xxlxor, xxlnor, xxlorc, xxlnand, xxleqv in its place.
const VSX: u32 = 60 << 26;
const LOGIC: [u32; 8] = [130, 138, 146, 154, 162, 170, 178, 186];
const XXSEL: u32 = 3 << 4;

struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
        self.0.rotate_left(23) ^ self.0 >> 29
    }

    /// One of few registers, so that results meet; some VSRs are VRs.
    fn register(&mut self) -> u32 {
        [0, 1, 2, 9, 31, 32, 33, 45, 63][self.next() as usize % 9]
    }
}

fn program(r: &mut Random) -> Vec<u32> {
    let insn = |r: &mut Random| {
        let [t, a, b, c] = std::array::from_fn(|_| r.register());
        let fields = (t & 31) << 21 | (a & 31) << 16 | (b & 31) << 11 | (a >> 5) << 2 | (b >> 5) << 1 | t >> 5;
        let op = match r.next() % 3 {
            0 => XXSEL | (c & 31) << 6 | (c >> 5) << 3,
            _ => LOGIC[r.next() as usize % LOGIC.len()] << 3,
        };
        VSX | fields | op
    };
    let mut words: Vec<u32> = (0..1 + r.next() % 12).map(|_| insn(r)).collect();
    let back = -4 * words.len() as i32;
    // bdnz, sc
    words.extend([0x4200_0000 | back as u32 & 0xfffc, 0x4400_0002]);
    words
}

fn run(engine: &mut dyn Engine, words: &[u32], seed: u64) -> (Vcpu, Exit) {
    let mem = GuestMem::new(1 << 20).unwrap();
    for (at, word) in words.iter().enumerate() {
        assert!(mem.store(START + 4 * at as u64, Order::Little, *word));
    }
    let (partition, requests) = (PartitionState::new(None, false), Requests::default());
    let context = Context::alone(&mem, &partition, &requests, Privileged::Trap);
    let mut vcpu = Vcpu::new(Cpu::Power9, 0);
    vcpu.set_msr(msr::SF | msr::LE | msr::FP | msr::VEC | msr::VSX);
    let mut r = Random(seed);
    vcpu.state.vsr.iter_mut().for_each(|vsr| *vsr = [r.next(), r.next()]);
    (vcpu.state.ctr, vcpu.state.cia) = (1 + r.next() % 9, START);
    let exit = engine.run(&mut vcpu, &context, u64::MAX);
    vcpu.state.target = 0;
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
