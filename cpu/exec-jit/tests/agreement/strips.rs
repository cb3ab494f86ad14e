//! Loops that walk through memory or reserve it, on the translator and on the interpreter: made at random, across the ends
//! of units of the TLB and of RAM, over their own code, and stopped by budgets anywhere.

use exec::{Engine, Exit, Vcpu};
use exec_interp::Interpreter;
use exec_jit::{Policy, Translator};
use guest_mem::Order;
use ppc_isa::{Cpu, msr};

use crate::rig::{self, RAM, Random, SC};

/// Registers that point somewhere, that are added to them, and that hold data.
const POINTERS: u32 = 4;
const INDICES: u32 = 8;
const DATA: u32 = 12;

fn d(op: u32, rt: u32, ra: u32, displacement: i32) -> u32 {
    op << 26 | rt << 21 | ra << 16 | displacement as u32 & 0xffff
}

fn x(op: u32, rt: u32, ra: u32, rb: u32) -> u32 {
    31 << 26 | rt << 21 | ra << 16 | rb << 11 | op << 1
}

/// An access: most through a displacement, some with update, some through a sum.
fn access(r: &mut Random) -> u32 {
    let pointer = POINTERS + r.below(4);
    let data = DATA + r.below(4);
    let displacement = r.of(&[0, 8, 16, -8, 24, 3, 40, -32, 1]);
    match r.below(8) {
        // lwz, lbz, stw, stb, lhz, lha, sth; lfd, stfd, lfs, stfs
        0 | 1 => d(r.of(&[32, 34, 36, 38, 40, 42, 44]), data, pointer, displacement),
        2 => d(r.of(&[50, 54, 48, 52]), data, pointer, displacement & !3),
        // ld, std, ldu, stdu; lwzu, stwu, lbzu, stbu, lfdu, stfdu
        3 => d(r.of(&[58, 62]), data, pointer, displacement & !3),
        4 => d(r.of(&[58, 62]), data, pointer, displacement & !3 | 1),
        5 => d(r.of(&[33, 37, 35, 39, 51, 55]), data, pointer, displacement),
        // ldx, stdx, lwzx, stwx, lbzx, stbx, ldbrx, stwbrx, lvx, stvx, lxvx, stxvx, lfdx, stfdx
        6 => {
            let op = r.of(&[21, 149, 23, 151, 87, 215, 532, 662, 103, 231, 268, 396, 599, 727]);
            x(op, data, pointer, INDICES + r.below(4))
        }
        // lxv, stxv
        _ => 61 << 26 | data << 21 | pointer << 16 | displacement as u32 & 0xfff0 | r.of(&[1, 5]),
    }
}

/// Ends a loop by a branch back to its first instruction as long as CTR counts down: bdnz.
fn count_down(body: &mut Vec<u32>) {
    body.push(16 << 26 | 16 << 21 | (-4 * body.len() as i32) as u32 & 0xfffc);
}

/// A loop, with a second one around it now and then.
fn program(r: &mut Random) -> Vec<u32> {
    let step = |r: &mut Random| {
        let register = POINTERS + r.below(8);
        d(14, register, register, r.of(&[8, 16, -8, 1, 32, -16, 24, 64, 4096, -100]))
    };
    let mut body = Vec::new();
    for _ in 0..2 + r.below(8) {
        match r.below(12) {
            0..=5 => body.push(access(r)),
            6 | 7 => body.push(step(r)),
            // add, mr, addi of another register
            8 => body.push(x(266, DATA + r.below(4), DATA + r.below(4), INDICES + r.below(4))),
            9 => {
                let from = POINTERS + r.below(4);
                body.push(x(444, from, POINTERS + r.below(4), from));
            }
            10 => body.push(d(14, POINTERS + r.below(4), POINTERS + r.below(4), 8)),
            // cmpwi and a branch past the next instruction, or out of the loop
            _ => {
                body.push(11 << 26 | (DATA + r.below(4)) << 16 | r.below(64));
                body.push(16 << 26 | r.of(&[4, 12]) << 21 | r.below(3) << 16 | 8);
                body.push(if r.below(3) == 0 { x(444, DATA, DATA, DATA) } else { access(r) });
            }
        }
    }
    let back =
        |body: &[u32], bo: u32, bi: u32| 16 << 26 | bo << 21 | bi << 16 | (-4 * body.len() as i32) as u32 & 0xfffc;
    body.push(back(&body, 16, 0));
    if r.below(3) == 0 {
        // li r3,..; mtctr r3 before, and addic. r16,r16,-1 and bne behind
        let mut outer = vec![d(14, 3, 0, 1 + r.below(40) as i32), 0x7c69_03a6];
        outer.extend(&body);
        outer.push(d(13, 16, 16, -1));
        outer.push(back(&outer, 4, 2));
        body = outer;
    }
    body.push(SC);
    body
}

/// What `engine` makes of a program whose registers follow from `seed`, those that point all `near` one place if it is
/// given: after each budget that is used up, and at the end.
fn run(
    engine: &mut dyn Engine,
    words: &[u32],
    seed: u64,
    bits: u64,
    near: Option<u64>,
) -> (Vec<(Vcpu, Option<Exit>)>, Vec<u8>) {
    let mut r = Random(seed);
    let order = if bits & msr::LE != 0 { Order::Little } else { Order::Big };
    let mem = rig::memory(order, &[]);
    let mut ram: Vec<u8> = (0..RAM / 4).flat_map(|_| r.below(u32::MAX).to_le_bytes()).collect();
    assert!(mem.write(0, &ram));
    rig::load(&mem, order, words);
    let mut vcpu = rig::vcpu(Cpu::Power9, bits | msr::FP | msr::VEC | msr::VSX);
    for register in 0..4 {
        let ends = [0x1_0000, 0x2_0000, 0x3_0000, 0x5_8000, RAM, 0x8_0000, 0x1000];
        let away = i64::from(r.below(3000)) - if r.below(20) == 0 { 0 } else { 3000 };
        let address = r.of(&ends).wrapping_add_signed(away & if r.below(2) == 0 { -1 } else { !15 });
        let aligned = near.map(|near| near + 8 * u64::from(r.below(2)));
        vcpu.state.gpr[(POINTERS + register) as usize] = aligned.unwrap_or(address);
        let index = r.of(&[0u64, 8, 16, 0x100, 0x8000]);
        vcpu.state.gpr[(INDICES + register) as usize] = index;
        vcpu.state.gpr[(DATA + register) as usize] = u64::from(r.below(100));
    }
    vcpu.state.ctr = u64::from(1 + r.below(2000));
    vcpu.state.gpr[16] = u64::from(1 + r.below(60));
    let mut seen = Vec::new();
    for _ in 0..40 {
        let short = 1 + r.below(30);
        let budget = u64::from(r.of(&[short, 500, 20_000, 20_000]));
        let exit = rig::run(engine, &mut vcpu, &mem, budget);
        let ended = !matches!(exit, Exit::Event);
        seen.push((vcpu.clone(), Some(exit)));
        if ended {
            break;
        }
    }
    assert!(mem.read(0, &mut ram));
    (seen, ram)
}

fn agree_on(policy: &Policy, bits: u64, seed: u64, words: &[u32], near: Option<u64>) {
    let (wanted, memory) = run(&mut Interpreter::new(Cpu::Power9), words, seed, bits, near);
    let (got, stored) = run(&mut Translator::new(Cpu::Power9, policy.clone()).unwrap(), words, seed, bits, near);
    for (step, (got, wanted)) in got.iter().zip(&wanted).enumerate() {
        assert_eq!(format!("{:?}", got.1), format!("{:?}", wanted.1), "seed {seed}, {step}: {words:08x?}");
        assert_eq!(got.0, wanted.0, "seed {seed}, {step}: {words:08x?}");
    }
    assert_eq!(got.len(), wanted.len(), "seed {seed}");
    assert!(stored == memory, "seed {seed}: {words:08x?}");
}

fn agree(policy: Policy, bits: u64, seeds: std::ops::Range<u64>) {
    for seed in seeds {
        agree_on(&policy, bits, seed, &program(&mut Random(seed)), None);
    }
}

/// What `make` makes of each of `seeds` in both byte orders, with 32 bits, too, for one vCPU and for one of several.
fn agree_everywhere(
    seeds: std::ops::Range<u64>,
    make: impl Fn(&mut Random) -> Vec<u32>,
    near: impl Fn(u64) -> Option<u64>,
) {
    for (seed, watched) in seeds.flat_map(|seed| [(seed, false), (seed, true)]) {
        for bits in [msr::SF | msr::LE, msr::SF, msr::LE, 0] {
            let policy = Policy { watched, cold: 0, ..Policy::default() };
            agree_on(&policy, bits, seed, &make(&mut Random(seed)), near(seed));
        }
    }
}

#[test]
fn loops_agree() {
    agree(Policy::default(), msr::SF | msr::LE, 0..150);
}

#[test]
fn big_endian_loops_agree() {
    agree(Policy { cold: 0, ..Policy::default() }, msr::SF, 400..500);
}

#[test]
fn loops_of_32_bits_agree() {
    agree(Policy::default(), msr::LE, 600..700);
}

#[test]
fn loops_of_one_of_several_processors_agree() {
    agree(Policy { watched: true, ..Policy::default() }, msr::SF | msr::LE, 800..900);
}

/// Loops that copy words and doublewords, with something else in a few.
fn copies(r: &mut Random) -> Vec<u32> {
    // Of these some are held everywhere.
    let data = [r.of(&[3, 12]), r.of(&[10, 13]), r.of(&[30, 31])];
    let shapes: [u32; 3] = [r.below(3), r.below(3), r.below(3)];
    let mut body = Vec::new();
    for _ in 0..2 + r.below(8) {
        let which = r.below(3) as usize;
        let (data, pointer, index) = (data[which], POINTERS + r.below(3), INDICES + r.below(2));
        let displacement = r.of(&[0, 8, 16, -8, 24, 4, 40, -32]);
        body.push(match (r.below(4), shapes[which]) {
            // ld, std, ldx, stdx; lwz, stw, lwzx, stwx; ldbrx, lwbrx, stdbrx, stwbrx
            (0 | 1, 0) => d(r.of(&[58, 62]), data, pointer, displacement),
            (2, 0) => x(r.of(&[21, 149]), data, pointer, index),
            (0 | 1, 1) => d(r.of(&[32, 36]), data, pointer, displacement),
            (2, 1) => x(r.of(&[23, 151]), data, pointer, index),
            (0..=2, _) => x(r.of(&[532, 660, 534, 662]), data, pointer, index),
            // addi of the pointer, and of what is copied
            _ if r.below(8) != 0 => d(14, pointer, pointer, 8),
            _ => d(14, data, data, 1),
        });
    }
    count_down(&mut body);
    body.push(SC);
    body
}

#[test]
fn copies_agree() {
    agree_everywhere(1200..1230, copies, |seed| (seed % 3 == 0).then_some(0x2_0000));
}

/// A rotation of doublewords, by its extended opcode.
fn md(xo: u32, ra: u32, rs: u32, shift: u32, bound: u32) -> u32 {
    let (shift, bound) = ((shift & 31) << 11 | (shift >> 5) << 1, ((bound & 31) << 1 | bound >> 5) << 5);
    30 << 26 | rs << 21 | ra << 16 | shift | bound | xo << 2
}

/// Loops that access memory by index, words and others, with steps in registers; indices run over in some.
fn indices(r: &mut Random) -> Vec<u32> {
    const STEPS: u32 = 20;
    const SHIFTED: u32 = 24;
    let mut words = Vec::new();
    for n in 0..3 {
        // li or lis of the indices, li of what they grow by
        let index = r.of(&[d(14, INDICES + n, 0, 0), d(14, INDICES + n, 0, 200), d(14, INDICES + n, 0, -3000)]);
        words.push(if r.below(5) == 0 { d(15, INDICES + n, 0, -1) } else { index });
        words.push(d(14, STEPS + n, 0, r.of(&[1, 1, 2, 3, 7, 8, 100, 300, 5000, 0, -1])));
    }
    let mut body = Vec::new();
    for _ in 0..2 + r.below(7) {
        let (index, step, shifted) = (INDICES + r.below(3), STEPS + r.below(3), SHIFTED + r.below(3));
        let by = r.below(5);
        body.push(match r.below(12) {
            // clrldi, rldic, rldicr; rlwinm
            0..=2 => md(0, shifted, index, 0, 32),
            3 => md(2, shifted, index, by, 32 - by),
            4 => md(1, shifted, index, by, 63 - by),
            5 => 21 << 26 | index << 21 | shifted << 16 | by << 11 | (31 - by) << 1,
            // add of a step, addi, addi of what was shifted
            6 => x(266, index, r.of(&[index, step]), r.of(&[step, step, index])),
            7 => d(14, index, index, r.of(&[1, 1, 4, 8, -1])),
            8 => d(14, shifted, r.of(&[shifted, index]), r.of(&[8, -4, 1])),
            // lbzx, stbx, lwzx, stwx, ldx, stdx, stfdx
            _ => {
                let op = r.of(&[87, 215, 23, 151, 21, 149, 727]);
                x(op, DATA + r.below(3), POINTERS + r.below(3), r.of(&[shifted, shifted, index]))
            }
        });
    }
    count_down(&mut body);
    words.extend(body);
    words.push(SC);
    words
}

#[test]
fn indices_agree() {
    agree_everywhere(1500..1600, indices, |seed| Some(0x2_0000 + (seed << 13 & 0x6_0000)));
}

/// Loops of reservations and conditional stores of all sizes, with plain stores between them.
fn reservations(r: &mut Random) -> Vec<u32> {
    let mut body = Vec::new();
    for _ in 0..3 + r.below(10) {
        let (pointer, index, data) = (POINTERS + r.below(2), INDICES + r.below(2), DATA + r.below(4));
        body.push(match r.below(8) {
            // l[bhwd]arx
            0..=2 => x(r.of(&[52, 116, 20, 84]), data, pointer, index),
            // st[bhwd]cx.
            3..=5 => x(r.of(&[694, 726, 150, 214]), data, pointer, index) | 1,
            // mfcr, stwx, addi
            6 => x(19, DATA + 4, 0, 0),
            7 if r.below(2) == 0 => x(151, data, pointer, index),
            _ => d(14, data, data, 1),
        });
    }
    count_down(&mut body);
    body.push(SC);
    body
}

#[test]
fn reservations_agree() {
    agree_everywhere(1000..1040, reservations, |_| Some(0x2_0000));
}

/// Loops that go back by a comparison, while others are pending: over accesses, forward branches, and what they compare.
/// They never come to their own code, which engines may see at different moments.
fn comparisons(r: &mut Random) -> Vec<u32> {
    let compare = |r: &mut Random| {
        let (field, register, wide) = (r.below(3) << 23, DATA + r.below(4), r.below(2) << 21);
        match r.below(3) {
            // cmpi, cmpli, cmp
            0 => 11 << 26 | field | wide | register << 16 | r.below(64),
            1 => 10 << 26 | field | wide | register << 16 | r.below(64),
            _ => x(0, 0, register, DATA + r.below(4)) | field | wide,
        }
    };
    let branch = |r: &mut Random, length: i32| {
        16 << 26 | r.of(&[4, 12]) << 21 | r.below(12) << 16 | (4 * length) as u32 & 0xfffc
    };
    let simple = |r: &mut Random| match r.below(8) {
        // lwz, lbz, stw, stb, lhz, lha, sth
        0..=2 => {
            let (op, pointer) = (r.of(&[32, 34, 36, 38, 40, 42, 44]), POINTERS + r.below(4));
            d(op, DATA + r.below(4), pointer, r.of(&[0, 8, 4, -8, 24, 1]))
        }
        3 => d(14, DATA + r.below(4), DATA + r.below(4), r.of(&[1, -1, 3])),
        // mcrf; mfcr, seldom
        4 if r.below(4) == 0 => x(19, DATA + r.below(4), 0, 0),
        4 => 19 << 26 | r.below(4) << 23 | r.below(4) << 18,
        5 => d(14, POINTERS + r.below(4), POINTERS + r.below(4), r.of(&[8, 4, 1])),
        _ => compare(r),
    };
    let mut body: Vec<u32> = (0..r.below(3)).map(|_| simple(r)).collect();
    for _ in 0..1 + r.below(3) {
        let head = body.len();
        for _ in 0..1 + r.below(6) {
            body.push(simple(r));
            if r.below(3) == 0 {
                let over = 1 + r.below(3) as i32;
                body.extend([compare(r), branch(r, over)]);
            }
        }
        body.push(compare(r));
        let length = head as i32 - body.len() as i32;
        body.push(branch(r, length));
    }
    body.extend([0x6000_0000; 3]);
    count_down(&mut body);
    body.push(SC);
    body
}

#[test]
fn comparisons_agree() {
    agree_everywhere(2000..2100, comparisons, |seed| Some(0x1_f000 + (seed << 8 & 0xf00)));
}

/// Loops that look things up in tables: an index is shifted, added to a base, and accessed through.
fn tables(r: &mut Random) -> Vec<u32> {
    const SHIFTED: u32 = 24;
    let mut body = Vec::new();
    for _ in 0..1 + r.below(5) {
        let (index, shifted, pointer) = (INDICES + r.below(3), SHIFTED + r.below(3), POINTERS + r.below(4));
        let from = r.of(&[index, index, shifted]);
        let by = 1 + r.below(4);
        let kept = r.of(&[8, 16, 32, 64 - by, 11]);
        // rldic or rldicr, sometimes something else, add, sometimes something else
        body.push(if kept == 64 - by {
            md(1, shifted, from, by, 63 - by)
        } else {
            md(2, shifted, from, by, 64 - kept - by)
        });
        if r.below(6) == 0 {
            body.push(d(14, index, index, 1));
        }
        body.push(if r.below(2) == 0 { x(266, shifted, shifted, pointer) } else { x(266, shifted, pointer, shifted) });
        if r.below(6) == 0 {
            body.push(11 << 26 | (DATA + r.below(4)) << 16 | r.below(64));
        }
        let (data, base) = (r.of(&[DATA, DATA + 1, shifted, index]), r.of(&[shifted, shifted, shifted, pointer]));
        // lwz, lbz, lhz, lha, stw, stb, sth; ld, std
        body.push(match r.below(9) {
            7 => d(58, data, base, r.of(&[0, 8, -8, 40])),
            8 => d(62, data, base, r.of(&[0, 8, 40])),
            n => d([32, 34, 40, 42, 36, 38, 44][n as usize], data, base, r.of(&[0, 4, 8, 24, 3])),
        });
        body.push(d(14, index, index, r.of(&[1, 3, 7, 100])));
    }
    count_down(&mut body);
    body.push(SC);
    body
}

#[test]
fn tables_agree() {
    agree_everywhere(2500..2600, tables, |seed| Some(0x1_f800 + (seed << 12 & 0x7_0000)));
}
