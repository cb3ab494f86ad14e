//! Segment lookaside buffers that change, on the translator and on the interpreter.

use exec::{Context, Engine, Exit, PartitionState, Privileged, Requests, Vcpu};
use exec_interp::Interpreter;
use exec_jit::{Policy, Translator};
use guest_mem::Order;
use ppc_isa::{Cpu, msr};
use ppc_mmu::HashTable;

use crate::rig::{self, RAM, Random, SC, START};

/// Where the kernel has the program.
const CODE: u64 = 0xc000_0000_0000_0000 | START;
/// What is accessed: the first bytes of a segment of user programs and one of the kernel.
const DATA: [u64; 2] = [0x1000_0000, 0xd000_0000_0000_0000];
/// Each of them may be one of two virtual segments, which are pages of RAM from here on.
const PAGES: u64 = 0x1_0000;

/// Maps the page at the start of segment `vsid`.
fn map(table: &HashTable, vsid: u64, index: u64, real: u64) {
    let group = (vsid ^ index) & (table.len() / 8 - 1);
    let first = (8 * group..8 * group + 8).find(|slot| table.read(*slot).is_none_or(|(old, _)| old & 1 == 0));
    // Referenced, changed, coherent, and for both states.
    assert!(table.write(first.unwrap(), (vsid << 28 | index << 12) >> 23 << 7 | 1, real | 0x192));
}

/// The ESID word of the segment at `ea` with `slot`.
fn esid(ea: u64, slot: u64) -> u64 {
    ea & !0xfff_ffff | 1 << 27 | slot
}

/// Registers 10 and 11 to 24 and 25: ESID and VSID words, both virtual segments in two slots each. Writes them, invalidates
/// them, and folds what is loaded into r6 and back.
fn program(seed: u64) -> Vec<u32> {
    let mut r = Random(seed);
    let mut words = Vec::new();
    for _ in 0..300 {
        let at = r.below(2);
        let pair = 10 + 2 * (4 * at + r.below(4));
        match r.below(10) {
            0 | 1 => words.push(0x7c00_0324 | (pair + 1) << 21 | pair << 11), // slbmte
            2 => words.push(0x7c00_0364 | pair << 11),                        // slbie
            3 if r.below(4) == 0 => words.push(0x7c00_03e4),                  // slbia
            _ => words.extend([
                0xe8a0_0000 | (1 + at) << 16, // ld r5,0(r1) or 0(r2)
                0x7cc6_2a14,                  // add r6,r6,r5
                0x78c6_3800,                  // rotldi r6,r6,7
                0xf8c0_0000 | (1 + at) << 16, // std r6,0(r1) or 0(r2)
            ]),
        }
    }
    words.push(SC);
    words
}

/// What the program ends with: the vCPU, RAM, and the addresses of accesses that were interrupted.
fn run(engine: &mut dyn Engine, program: &[u32]) -> (Vcpu, Vec<u8>, Vec<u64>) {
    let mem = rig::memory(Order::Big, program);
    let table = HashTable::new(18);
    map(&table, 1, START >> 12, START);
    for number in 0..4 {
        map(&table, 0x10 + number, 0, PAGES + (number << 12));
        assert!(mem.store(PAGES + (number << 12), Order::Big, 0x0123_4567_89ab_cdef_u64.wrapping_mul(number + 1)));
    }
    let (partition, requests) = (PartitionState::new(Some(table), false), Requests::default());
    let context = Context::alone(&mem, &partition, &requests, Privileged::Inline);
    let mut vcpu = Vcpu::new(Cpu::Power8, 0);
    vcpu.state.slb.write(esid(CODE, 0), 1 << 12);
    vcpu.set_msr(msr::SF | msr::IR | msr::DR);
    let mut interrupted = Vec::new();
    for _ in 0..6 {
        vcpu.state.cia = CODE;
        for (at, ea) in (0..).zip(DATA) {
            vcpu.state.gpr[1 + at] = ea;
            for way in 0..4 {
                let (pair, first) = (10 + 2 * (4 * at + way), 2 * at as u64);
                vcpu.state.gpr[pair] = esid(ea, 1 + first + (way as u64 & 1));
                vcpu.state.gpr[pair + 1] = (0x10 + first + (way as u64 >> 1)) << 12;
            }
        }
        loop {
            match engine.run(&mut vcpu, &context, u64::MAX) {
                Exit::Interrupt(_) => {
                    interrupted.push(vcpu.state.cia);
                    vcpu.state.cia += 4;
                }
                Exit::SystemCall(_) => break,
                Exit::Event => {}
                other => panic!("{other:?}"),
            }
        }
    }
    vcpu.state.target = 0;
    let mut ram = vec![0; RAM as usize];
    assert!(mem.read(0, &mut ram));
    (vcpu, ram, interrupted)
}

#[test]
fn what_is_mapped_follows_the_buffer() {
    let mut met = [0; 2];
    for seed in 0..40 {
        let program = program(seed);
        let (got, ram, interrupted) = run(&mut Translator::new(Cpu::Power8, Policy::default()).unwrap(), &program);
        let (wanted, memory, missed) = run(&mut Interpreter::new(Cpu::Power8), &program);
        assert_eq!(interrupted, missed, "seed {seed}");
        assert_eq!(got, wanted, "seed {seed}");
        assert!(ram == memory, "seed {seed}");
        met[usize::from(missed.is_empty())] += 1;
        assert_ne!(got.state.gpr[6], 0, "seed {seed}");
    }
    assert!(met[0] > 20, "{met:?}");
}
