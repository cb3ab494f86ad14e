//! Floating point on the translator and on the interpreter: registers, memory and FPSCR agree.

use exec::{Engine, Exit, Vcpu};
use exec_interp::Interpreter;
use exec_jit::{Policy, Translator};
use guest_mem::Order;
use ppc_isa::{Cpu, msr};

use crate::rig::{self, Random, SC, START};

const DATA: u64 = 0x2000;

/// How often a program runs: first it is only counted, then translated.
const ROUNDS: u32 = 4;

fn run(engine: &mut dyn Engine, words: &[u32], data: &[u64], fpscr: u64) -> (Vcpu, Vec<u64>) {
    let mem = rig::memory(Order::Little, &[words, &[SC]].concat());
    let mut vcpu = rig::vcpu(Cpu::Power9, 0);
    for _ in 0..ROUNDS {
        for (at, value) in data.iter().enumerate() {
            assert!(mem.store(DATA + 8 * at as u64, Order::Little, *value));
        }
        vcpu.set_msr(msr::SF | msr::LE | msr::FP | msr::VEC | msr::VSX);
        vcpu.state.cia = START;
        vcpu.state.gpr[5] = DATA;
        vcpu.state.fpscr = fpscr;
        assert!(matches!(rig::run(engine, &mut vcpu, &mem, u64::MAX), Exit::SystemCall(_)));
    }
    (vcpu, (0..128).map(|at| mem.load(DATA + 8 * at, Order::Little).unwrap()).collect())
}

struct Engines(Interpreter, Translator);

impl Engines {
    fn new() -> Engines {
        let policy = Policy { code_cache: 1 << 20, cold: 0, ..Policy::default() };
        Engines(Interpreter::new(Cpu::Power9), Translator::new(Cpu::Power9, policy).unwrap())
    }
}

fn agree(engines: &mut Engines, label: &str, words: &[u32], data: &[u64], fpscr: u64) {
    let Engines(interpreter, translator) = engines;
    interpreter.reset();
    translator.reset();
    let (wanted, memory) = run(interpreter, words, data, fpscr);
    let (got, ours) = run(translator, words, data, fpscr);
    let (f, g) = (wanted.state.fpscr, got.state.fpscr);
    assert_eq!((g, &ours), (f, &memory), "{label} {words:x?} {data:x?}: FPSCR {g:x}, wanted {f:x}");
    assert_eq!(got, wanted, "{label} {words:x?} {data:x?}");
}

/// A double of one of the kinds on which operations depend.
fn operand(r: &mut Random) -> u64 {
    const EDGES: [u64; 12] = [
        0,
        1,
        0x000f_ffff_ffff_ffff,
        0x0010_0000_0000_0000,
        0x0020_0000_0000_0000,
        0x36a0_0000_0000_0000, // least denormal single
        0x3810_0000_0000_0000, // least normal single
        0x47ef_ffff_e000_0000, // largest single
        0x7fef_ffff_ffff_ffff,
        0x7ff0_0000_0000_0000,
        0x7ff0_0000_0000_1234,
        0x7ff8_0000_0000_5678,
    ];
    let bits = r.next();
    let sign = bits & 1 << 63;
    let near = |low: u64, count: u64| (low + bits % count) << 52;
    match r.next() % 8 {
        0 => sign | EDGES[(bits % 12) as usize],
        1 => bits,
        2 => sign | near(1023 - 130, 260) | bits & 0x000f_ffff_e000_0000,
        3 => sign | near(1020, 6) | bits & 0x000f_ffff_e000_0000,
        4 => sign | near(1020, 6) | bits & 0x000f_ffff_f000_0000,
        5 => sign | near(1022, 2) | bits & 0x000f_0000_0000_0000,
        _ => sign | near(1015, 20) | bits & 0x000f_ffff_ffff_ffff,
    }
}

/// A-form: FRT, FRA, FRB, FRC.
const fn a(primary: u32, extended: u32, t: u32, a: u32, b: u32, c: u32) -> u32 {
    primary << 26 | t << 21 | a << 16 | b << 11 | c << 6 | extended << 1
}

/// lfd FRT,8*slot(r5)
const fn lfd(t: u32, slot: u32) -> u32 {
    50 << 26 | t << 21 | 5 << 16 | (8 * slot)
}

/// stfd FRS,8*slot(r5)
const fn stfd(s: u32, slot: u32) -> u32 {
    54 << 26 | s << 21 | 5 << 16 | (8 * slot)
}

const MFFS: u32 = 63 << 26 | 7 << 21 | 583 << 1;
/// FX and XX, as after any inexact operation.
const INEXACT: u64 = 0x8200_0000;

#[test]
fn every_operation_on_every_kind_of_operand() {
    let mut engines = Engines::new();
    let mut random = Random(0x1234_5678_9abc_def1);
    let extended = [18, 20, 21, 22, 23, 25, 28, 29, 30, 31];
    for primary in [59, 63] {
        for extended in extended.into_iter().filter(|x| !(primary == 59 && *x == 23)) {
            for _ in 0..25 {
                let b = if extended == 22 { 0 } else { 1 };
                let frsp = 63 << 26 | 6 << 21 | 4 << 11 | 12 << 1;
                let words = [
                    lfd(1, 0),
                    lfd(2, 1),
                    lfd(3, 2),
                    a(primary, extended, 4, b, 2, 3),
                    a(primary, extended, 4, 1, 2, 3) | 1,
                    stfd(4, 3),
                    MFFS,
                    stfd(7, 4),
                    63 << 26 | 2 << 23 | 1 << 16 | 2 << 11, // fcmpu cr2,f1,f2
                    frsp,
                    63 << 26 | 3 << 23 | 32 << 1 | 6 << 16 | 3 << 11, // fcmpo cr3,f6,f3
                ];
                let data = [operand(&mut random), operand(&mut random), operand(&mut random)];
                for fpscr in [INEXACT, 0, INEXACT & !0x8000_0000, INEXACT | 1, INEXACT | 0x80, INEXACT | 0x2017_f000] {
                    agree(&mut engines, "operation", &words, &data, fpscr);
                }
            }
        }
    }
}

#[test]
fn moves_loads_and_stores() {
    let mut engines = Engines::new();
    let mut random = Random(77);
    let x = |t: u32, extended: u32| 31 << 26 | t << 21 | 5 << 16 | 6 << 11 | extended << 1;
    let move_of = |extended: u32| 63 << 26 | 9 << 21 | 1 << 16 | 2 << 11 | extended << 1;
    for _ in 0..300 {
        let words = [
            0x38c0_0004, // li r6,4
            lfd(1, 0),
            lfd(2, 1),
            48 << 26 | 3 << 21 | 5 << 16 | 20, // lfs f3,20(r5)
            x(4, 599),                         // lfdx
            x(10, 855),                        // lfiwax
            x(11, 887),                        // lfiwzx
            52 << 26 | 3 << 21 | 5 << 16 | 64, // stfs f3,64(r5)
            52 << 26 | 1 << 21 | 5 << 16 | 68, // stfs f1,68(r5)
            52 << 26 | 2 << 21 | 5 << 16 | 74, // stfs f2,74(r5)
            move_of(72),                       // fmr
            stfd(9, 10),
            move_of(40) | 1, // fneg.
            stfd(9, 11),
            move_of(264), // fabs
            stfd(9, 12),
            move_of(136), // fnabs
            stfd(9, 13),
            move_of(8), // fcpsgn
            stfd(9, 14),
            a(63, 23, 9, 1, 2, 3), // fsel
            stfd(9, 15),
            53 << 26 | 1 << 21 | 5 << 16 | 160, // stfsu f1,160(r5)
            55 << 26 | 2 << 21 | 5 << 16 | 8,   // stfdu f2,8(r5)
            51 << 26 | 8 << 21 | 5 << 16 | 8,   // lfdu f8,8(r5)
            x(8, 983),                          // stfiwx
            x(7, 567),                          // lfsux
        ];
        let data: Vec<u64> = (0..4).map(|_| operand(&mut random)).collect();
        agree(&mut engines, "moves", &words, &data, INEXACT);
    }
}

/// Loops, in which registers are held and most of the status is never looked at.
#[test]
fn loops() {
    let daxpy = [
        0x3c60_0000,           // lis r3,0
        0x6063_0040,           // ori r3,r3,64
        0x7c69_03a6,           // mtctr r3
        lfd(1, 0),             // lfd f1,0(r5)
        0xc805_0008,           // lfd f0,8(r5)
        0xc845_0010,           // lfd f2,16(r5)
        a(63, 29, 2, 1, 2, 0), // fmadd f2,f1,f0,f2
        0xdc45_0008,           // stfdu f2,8(r5)
        0x4200_fff0,           // bdnz -16
    ];
    let mandelbrot = [
        0x3860_0200,           // li r3,512
        0x7c69_03a6,           // mtctr r3
        lfd(1, 0),             // cr
        lfd(2, 1),             // ci
        lfd(3, 2),             // 4.0
        0xfc80_0890,           // fmr f4,f1
        0xfca0_1090,           // fmr f5,f2
        a(63, 25, 6, 4, 0, 4), // fmul f6,f4,f4
        a(63, 25, 7, 5, 0, 5), // fmul f7,f5,f5
        a(63, 21, 8, 6, 7, 0), // fadd f8,f6,f7
        0xfc08_1800,           // fcmpu cr0,f8,f3
        0x4181_0020,           // bgt +32
        a(63, 25, 5, 4, 0, 5), // fmul f5,f4,f5
        a(63, 21, 5, 5, 5, 0), // fadd f5,f5,f5
        a(63, 21, 5, 5, 2, 0), // fadd f5,f5,f2
        a(63, 20, 4, 6, 7, 0), // fsub f4,f6,f7
        a(63, 21, 4, 4, 1, 0), // fadd f4,f4,f1
        0x4200_ffd8,           // bdnz -40
        0x6000_0000,           // nop
        MFFS,
    ];
    let mut engines = Engines::new();
    let mut random = Random(5);
    for fpscr in [0, INEXACT, INEXACT | 0x10] {
        for _ in 0..20 {
            let data: Vec<u64> = (0..100).map(|_| operand(&mut random)).collect();
            agree(&mut engines, "daxpy", &daxpy, &data, fpscr);
            let number = |random: &mut Random| ((random.next() % 4000) as f64 / 1000.0 - 2.5).to_bits();
            let data = [number(&mut random), number(&mut random), 4f64.to_bits()];
            agree(&mut engines, "mandelbrot", &mandelbrot, &data, fpscr);
        }
    }
}

/// lxv XT,16*slot(r5)
const fn lxv(t: u32, slot: u32) -> u32 {
    61 << 26 | (t & 31) << 21 | 5 << 16 | slot << 4 | (t >> 5) << 3 | 1
}

/// stxv XS,16*slot(r5)
const fn stxv(s: u32, slot: u32) -> u32 {
    lxv(s, slot) | 4
}

/// XX3-form: XT, XA, XB.
const fn xx3(extended: u32, t: u32, a: u32, b: u32) -> u32 {
    let high = (a >> 5) << 2 | (b >> 5) << 1 | t >> 5;
    60 << 26 | (t & 31) << 21 | (a & 31) << 16 | (b & 31) << 11 | extended << 3 | high
}

/// XX2-form: XT, XB.
const fn xx2(extended: u32, t: u32, b: u32) -> u32 {
    60 << 26 | (t & 31) << 21 | (b & 31) << 11 | extended << 2 | (b >> 5) << 1 | t >> 5
}

const VALUES_OF_FPSCR: [u64; 5] = [INEXACT, 0, INEXACT | 2, INEXACT | 0x40, 0x2017_f000];

/// Two singles of the kinds on which operations depend.
fn singles(random: &mut Random) -> u64 {
    const EDGES: [u64; 8] = [0, 1, 0x007f_ffff, 0x0080_0000, 0x0100_0000, 0x7f7f_ffff, 0x7f80_0000, 0x7fa0_1234];
    let mut single = || {
        let bits = random.next();
        let near = |low: u64, count: u64| (low + bits % count) << 23;
        bits >> 32 & 0x8000_0000
            | match random.next() % 6 {
                0 => EDGES[(bits % 8) as usize],
                1 => bits & 0x7fff_ffff,
                _ => near(120, 14) | bits & 0x007f_ffff,
            }
    };
    single() << 32 | single()
}

#[test]
fn vector_scalar_arithmetic() {
    #[rustfmt::skip]
    let three = [
        // Of scalars: doubles, singles, and what never rounds.
        32, 40, 48, 56, 33, 41, 49, 57, 161, 169, 177, 185, 0, 8, 16, 24, 1, 9, 17, 25, 129, 137, 145, 153,
        160, 168, 128, 136, 144, 152, 176,
        // Of vectors of doubles, and of singles.
        96, 104, 112, 120, 97, 105, 113, 121, 225, 233, 241, 249, 224, 232, 240, 99, 107, 115, 227, 235, 243,
        64, 72, 80, 88, 65, 73, 81, 89, 193, 201, 209, 217, 192, 200, 208, 67, 75, 83, 195, 203, 211,
    ];
    #[rustfmt::skip]
    let two = [
        75, 11, 121, 105, 89, 345, 361, 377, 281, 344, 88, 376, 312, 360, 296, 267, 331, 203, 139, 265, 329,
        473, 489, 505, 409, 425, 441,
    ];
    let mut engines = Engines::new();
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    for (extended, threes) in three.into_iter().map(|x| (x, true)).chain(two.into_iter().map(|x| (x, false))) {
        for round in 0..24 {
            let of_singles = threes && (64..96).contains(&(extended & 127)) || [139, 409, 425, 441].contains(&extended);
            let insn = |t: u32, a: u32, b: u32| if threes { xx3(extended, t, a, b) } else { xx2(extended, t, b) };
            let (a, b) = if round & 1 == 0 { (34, 3) } else { (4, 35) };
            let loads = [lxv(a, 0), lxv(b, 1), lxv(5, 2), lxv(33, 3)];
            let count = [0x3860_0003, 0x7c69_03a6]; // li r3,3; mtctr r3
            let body = [
                insn(33, a, b),
                insn(5, a, a),
                stxv(33, 4),
                MFFS,
                stfd(7, 20),
                insn(5, 33, 5),
                63 << 26 | 3 << 23 | 7 << 16 | 5 << 11, // fcmpu cr3,f7,f5
                xx3(35, 8, 5, 33),                      // xscmpudp cr2,vs5,vs33
                insn(a, a, a),
                stfd(5, 22),
                stxv(a, 6),
                insn(33, b, 33),
            ];
            let back = 0x4200_0000 | (4 * body.len() as u32).wrapping_neg() & 0xfffc; // bdnz
            let once: &[u32] = if round & 2 == 0 { &[] } else { &[back] };
            let words = [&loads[..], &count, &body, once].concat();
            let mut value = || if of_singles { singles(&mut random) } else { operand(&mut random) };
            let data: Vec<u64> = (0..8).map(|_| value()).collect();
            for fpscr in VALUES_OF_FPSCR {
                agree(&mut engines, "VSX", &words, &data, fpscr);
            }
        }
    }
}

#[test]
fn conversions() {
    let x = |extended: u32, t: u32, b: u32| 63 << 26 | t << 21 | b << 11 | extended << 1;
    let mut engines = Engines::new();
    let mut random = Random(99);
    // fctiw[u][z], fctid[u][z], fcfid[u], frim, frip, friz, frin; with primary opcode 59 fcfid[u]s.
    let all = [14, 15, 142, 143, 814, 815, 942, 943, 846, 974, 488, 456, 424, 392];
    for extended in all {
        for _ in 0..60 {
            let words = [
                lfd(1, 0),
                lfd(2, 1),
                a(63, 21, 3, 1, 2, 0), // fadd f3,f1,f2
                x(extended, 4, 1),
                stfd(4, 3),
                x(extended, 1, 1),
                a(63, 25, 2, 2, 0, 2),                  // fmul f2,f2,f2
                63 << 26 | 1 << 23 | 3 << 16 | 2 << 11, // fcmpu cr1,f3,f2
                x(extended, 2, 2),
                stfd(2, 4),
                MFFS,
                stfd(7, 5),
                x(846, 6, 4) & !0x1000_0000, // fcfids f6,f4
                x(extended, 5, 3),
                lfd(3, 1),
            ];
            let data: Vec<u64> = (0..2)
                .map(|_| match random.next() % 4 {
                    0 => random.next(),
                    1 => ((random.next() as i64 >> (random.next() % 60)) as f64 * 0.5).to_bits(),
                    2 => random.next() >> (random.next() % 64),
                    _ => operand(&mut random),
                })
                .collect();
            for fpscr in VALUES_OF_FPSCR {
                agree(&mut engines, "conversion", &words, &data, fpscr);
            }
        }
    }
}

/// Branches on comparisons, of NaNs, too, in a loop and behind it.
#[test]
fn branches_on_comparisons() {
    let mut engines = Engines::new();
    let mut random = Random(3);
    for bit in 0..4 {
        for taken in [12, 4] {
            for ordered in [0, 32] {
                let words = [
                    0x3860_0010,                                   // li r3,16
                    0x7c69_03a6,                                   // mtctr r3
                    0x3880_0000,                                   // li r4,0
                    0x38c5_fff8,                                   // addi r6,r5,-8
                    51 << 26 | 1 << 21 | 6 << 16 | 8,              // lfdu f1,8(r6)
                    lfd(2, 20),                                    // lfd f2,160(r5)
                    a(63, 21, 3, 1, 2, 0),                         // fadd f3,f1,f2
                    63 << 26 | 1 << 16 | 2 << 11 | ordered << 1,   // fcmp cr0,f1,f2
                    16 << 26 | taken << 21 | bit << 16 | 8,        // bc +8
                    0x3884_0001,                                   // addi r4,r4,1
                    63 << 26 | 1 << 23 | 3 << 16 | 1 << 11,        // fcmpu cr1,f3,f1
                    16 << 26 | taken << 21 | (4 + bit) << 16 | 12, // bc +12
                    0x4200_ffe0,                                   // bdnz -32
                    MFFS,
                    0x7ca0_0026, // mfcr r5
                ];
                for fpscr in [0, INEXACT, INEXACT | 0x80] {
                    let data: Vec<u64> = (0..21).map(|_| operand(&mut random)).collect();
                    agree(&mut engines, "branch", &words, &data, fpscr);
                }
            }
        }
    }
}

/// Loops in which no instruction tells doublewords apart, left in the middle, too.
#[test]
fn loops_of_vectors() {
    let vx = |extended: u32, t: u32, a: u32, b: u32| 4 << 26 | t << 21 | a << 16 | b << 11 | extended;
    let mut engines = Engines::new();
    let mut random = Random(0x1357_9bdf);
    // xvadddp, xvmuldp, xvmaddadp, xvnmsubmdp, xvmaddasp, xvcmpgtdp., xvmindp, xxlandc, xxlxor, xvsubsp
    for extended in [96, 112, 97, 249, 65, 235, 232, 138, 154, 72] {
        for round in 0..16 {
            let body = [
                lxv(34, 0),
                lxv(3, 1),
                xx3(extended, 5, 34, 3),
                xx3(extended, 34, 5, 3),
                vx(128, 3, 2, 1),         // vadduwm v3,v2,v1
                vx(388, 1, 3, 2),         // vslw v1,v3,v2
                vx(646 | 0x400, 4, 3, 1), // vcmpgtuw. v4,v3,v1
                vx(6 | 4 << 5, 6, 1, 4),  // vmaxub or the like, or declined
                vx(72, 7, 3, 1),          // vmuloh or the like
                stxv(33, 2),
                31 << 26 | 9 << 16 | 6 << 11 | 844 << 1, // lxvd2x vs0,r9,r6
                xx3(146, 6, 0, 5),                       // xxlor vs6,vs0,vs5
                stxv(6, 3),
            ];
            let count = [0x3860_0004, 0x7c69_03a6, 0x38c0_0000, 0x7ca9_2b78]; // li r3,4; mtctr r3; li r6,0; mr r9,r5
            let back = 0x4200_0000 | (4 * body.len() as u32).wrapping_neg() & 0xfffc; // bdnz
            let behind: Vec<u32> =
                [0, 3, 5, 6, 33, 34, 35, 36, 38, 39].into_iter().zip(8..).map(|(s, slot)| stxv(s, slot)).collect();
            let words = [&[lxv(33, 4), lxv(36, 5), lxv(0, 6)][..], &count, &body, &[back], &behind].concat();
            let of_singles = [65, 72].contains(&extended);
            let data: Vec<u64> =
                (0..14).map(|_| if of_singles { singles(&mut random) } else { operand(&mut random) }).collect();
            agree(&mut engines, "vectors", &words, &data, VALUES_OF_FPSCR[round % 5]);
        }
    }
}
