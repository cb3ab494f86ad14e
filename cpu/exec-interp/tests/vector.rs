//! AltiVec: byte order of loads and stores, saturation, CR field 6, and published test vectors.

use exec::{Context, Engine, Exit, Interrupt, PartitionState, Privileged, Requests, Vcpu};
use exec_interp::Interpreter;
use guest_mem::{GuestMem, Order};
use ppc_isa::encode::assemble;
use ppc_isa::{Cpu, msr};

const CODE: u64 = 0x1000;
const DATA: u64 = 0x2000;

/// A machine whose memory at r4 = DATA holds bytes 0, 1, 2...
struct Machine {
    mem: GuestMem,
    vcpu: Vcpu,
    engine: Interpreter,
    order: Order,
}

impl Machine {
    fn new(order: Order) -> Machine {
        let mem = GuestMem::new(1 << 16).unwrap();
        for i in 0..64 {
            assert!(mem.store(DATA + i, order, i as u8));
        }
        let mut vcpu = Vcpu::new(Cpu::Power10, 0);
        let little = if order == Order::Little { msr::LE } else { 0 };
        vcpu.set_msr(vcpu.shared.msr() | msr::VEC | little);
        vcpu.state.gpr[4] = DATA;
        Machine { mem, vcpu, engine: Interpreter::new(Cpu::Power10), order }
    }

    fn run(&mut self, name: &str, values: &[i64]) -> Exit {
        let word = assemble(name, values).unwrap_or_else(|| panic!("{name} {values:?}"));
        for (i, word) in [word, assemble("sc", &[0]).unwrap()].into_iter().enumerate() {
            assert!(self.mem.store(CODE + 4 * i as u64, self.order, word));
        }
        self.vcpu.state.cia = CODE;
        let (partition, requests) = (PartitionState::new(None, true), Requests::default());
        let context = Context::alone(&self.mem, &partition, &requests, Privileged::Trap);
        self.engine.run(&mut self.vcpu, &context, 10)
    }

    /// Runs the instruction and returns v1.
    fn v1(&mut self, name: &str, values: &[i64]) -> u128 {
        let exit = self.run(name, values);
        assert!(matches!(exit, Exit::SystemCall(_)), "{name} {values:?}: {exit:?}");
        let [high, low] = self.vcpu.state.vsr[33];
        u128::from(high) << 64 | u128::from(low)
    }

    fn set(&mut self, n: usize, value: u128) {
        self.vcpu.state.vsr[32 + n] = [(value >> 64) as u64, value as u64];
    }
}

/// v1 after `name v1,v2,v3`.
fn result(name: &str, a: u128, b: u128) -> u128 {
    let mut m = Machine::new(Order::Big);
    m.set(2, a);
    m.set(3, b);
    m.v1(name, &[1, 2, 3])
}

const FORWARD: u128 = 0x000102030405060708090a0b0c0d0e0f;

#[test]
fn registers_load_whole_and_by_element_in_both_orders() {
    for (order, whole, half) in [
        (Order::Big, FORWARD, 0x0405_u128 << 80),
        (Order::Little, u128::from_be_bytes(FORWARD.to_le_bytes()), 0x0504_u128 << 32),
    ] {
        let mut m = Machine::new(order);
        m.vcpu.state.gpr[5] = 5;
        assert_eq!(m.v1("lvx", &[1, 4, 5]), whole);
        m.run("stvx", &[1, 0, 4]);
        assert_eq!(m.v1("lvx", &[1, 4, 5]), whole);
        m.set(1, 0);
        assert_eq!(m.v1("lvehx", &[1, 4, 5]), half);
        m.run("stvebx", &[1, 4, 5]);
        assert_eq!(m.mem.load::<u8>(DATA + 5, order), Some(5));
        assert_eq!(m.v1("lvsl", &[1, 4, 5]), 0x05060708090a0b0c0d0e0f1011121314);
        assert_eq!(m.v1("lvsr", &[1, 4, 5]), 0x0b0c0d0e0f101112131415161718191a);
    }
}

#[test]
fn the_unit_must_be_on() {
    let mut m = Machine::new(Order::Big);
    m.vcpu.set_msr(m.vcpu.shared.msr() & !msr::VEC);
    assert!(matches!(m.run("vand", &[1, 2, 3]), Exit::Interrupt(Interrupt::VectorUnavailable)));
}

#[test]
fn saturation_is_remembered_until_vscr_is_written() {
    let mut m = Machine::new(Order::Big);
    m.set(2, 0x7f_u128 << 120 | 1);
    m.set(3, 0x01_u128 << 120 | 1);
    assert_eq!(m.v1("vaddubs", &[1, 2, 3]), 0x80_u128 << 120 | 2);
    assert_eq!(m.v1("mfvscr", &[1]), 0);
    assert_eq!(m.v1("vaddsbs", &[1, 2, 3]), 0x7f_u128 << 120 | 2);
    assert_eq!(m.v1("vaddubm", &[1, 2, 3]), 0x80_u128 << 120 | 2);
    assert_eq!(m.v1("mfvscr", &[1]), 1);
    m.set(5, 0x1_0000);
    m.run("mtvscr", &[5]);
    assert_eq!(m.v1("mfvscr", &[1]), 0x1_0000);
}

#[test]
fn recorded_comparisons_tell_all_and_none() {
    for (b, field) in [(FORWARD, 8), (!FORWARD, 2), (0, 0)] {
        let mut m = Machine::new(Order::Big);
        m.set(2, FORWARD);
        m.set(3, b);
        m.v1("vcmpequb.", &[1, 2, 3]);
        assert_eq!(m.vcpu.state.cr[6], field);
    }
}

/// FIPS 197, appendix B, round 1.
#[test]
fn aes_rounds() {
    const START: u128 = 0x193de3bea0f4e22b9ac68d2ae9f84808;
    const SHIFTED: u128 = 0xd4bf5d30e0b452aeb84111f11e2798e5;
    const MIXED: u128 = 0x046681e5e0cb199a48f8d37a2806264c;
    const KEY: u128 = 0xa0fafe1788542cb123a339392a6c7605;
    assert_eq!(result("vcipher", START, KEY), MIXED ^ KEY);
    assert_eq!(result("vcipherlast", START, KEY), SHIFTED ^ KEY);
    assert_eq!(result("vncipherlast", SHIFTED, KEY), START ^ KEY);
    assert_eq!(result("vncipher", SHIFTED, START ^ MIXED), SHIFTED);
}

#[test]
fn polynomials_multiply_without_carries() {
    assert_eq!(result("vpmsumd", 3 << 64 | 1 << 63, 3 << 64 | 1 << 63), 5 ^ 1 << 126);
    assert_eq!(result("vpmsumb", 0xff01, 0xff02), 0x5555 ^ 2);
}

#[test]
fn decimal_sums_overflow_at_31_digits() {
    const NINES: u128 = 0x9999999999999999999999999999999c;
    let mut m = Machine::new(Order::Big);
    m.set(2, NINES);
    m.set(3, 0x2c);
    assert_eq!(m.v1("bcdadd.", &[1, 2, 3, 0]), 0x1c);
    assert_eq!(m.vcpu.state.cr[6], 5);
    assert_eq!(m.v1("bcdsub.", &[1, 3, 2, 1]), NINES - 0x20 + 1);
    assert_eq!(m.vcpu.state.cr[6], 8);
    m.set(3, 0x2a0c);
    m.v1("bcdadd.", &[1, 2, 3, 0]);
    assert_eq!(m.vcpu.state.cr[6], 1);
}

/// Sums as a POWER8 gave them, digits as a POWER9 did.
#[test]
fn invalid_signs_and_digits_are_taken_as_processors_do() {
    let mut m = Machine::new(Order::Big);
    for (name, ps, a, b, sum) in [
        ("bcdadd.", 0, 0x00107600000001319293945142031a, 0, 0x00107600000001319293945142031c),
        ("bcdadd.", 1, 0, 0, 0xf),
        ("bcdadd.", 1, 0x122334556677d, 0, 0x122334556677d),
        ("bcdsub.", 1, 0, 0x122334556677d, 0x122334556677f),
    ] {
        m.set(2, a);
        m.set(3, b);
        assert_eq!(m.v1(name, &[1, 2, 3, ps]), sum, "{name} {a:x} {b:x}");
        assert_eq!(m.vcpu.state.cr[6], 1);
    }
    for (a, digit, product) in [(0xc, 0xc, 0x80), (0xc, 0xd, 0x81), (0xc, 0xf, 0x81), (0xc, 9, 0x81), (0xc, 7, 0x7f)] {
        assert_eq!(result("vmul10euq", a, digit), product, "{digit:x}");
    }
    assert_eq!(result("vmul10ecuq", u128::MAX / 10, 0xe), 1);
    assert_eq!(result("vmul10ecuq", u128::MAX / 10, 0xd), 1);
    assert_eq!(result("vmul10ecuq", u128::MAX / 10, 5), 0);
}

#[test]
fn nans_and_denormals_follow_the_rules_of_the_unit() {
    const ONE: u128 = 0x3f80_0000;
    let mut m = Machine::new(Order::Big);
    // Elements: infinity - infinity, a signalling NaN, a denormal, 1 + 1.
    m.set(2, 0x7f800000_7f800001_00000001 << 32 | ONE);
    m.set(3, 0xff800000_7fc00002_00000001 << 32 | ONE);
    assert_eq!(m.v1("vaddfp", &[1, 2, 3]), 0x7fc00000_7fc00001_00000002_40000000);
    m.vcpu.state.vscr = 0x1_0000;
    assert_eq!(m.v1("vaddfp", &[1, 2, 3]), 0x7fc00000_7fc00001_00000000_40000000);
}

#[test]
fn estimates_keep_their_bounds() {
    let mut m = Machine::new(Order::Big);
    let mut of = |name, x: f32| {
        m.set(3, x.to_bits().into());
        f32::from_bits(m.v1(name, &[1, 3]) as u32)
    };
    for i in -40..40_i32 {
        let x = 1.37_f32.powi(i);
        assert!((of("vrefp", x) * x - 1.0).abs() <= 1.0 / 4096.0, "vrefp {x}");
        assert!((of("vrsqrtefp", x) * x.sqrt() - 1.0).abs() <= 1.0 / 4096.0, "vrsqrtefp {x}");
        assert!((of("vlogefp", x) - x.log2()).abs() <= 1.0 / 32.0, "vlogefp {x}");
        assert!(x > 100.0 || (of("vexptefp", x) / x.exp2() - 1.0).abs() <= 1.0 / 16.0, "vexptefp {x}");
    }
    // Whole powers of two are exact.
    assert_eq!(of("vexptefp", -3.0).to_bits(), 0.125_f32.to_bits());
    assert_eq!(of("vlogefp", 0.125).to_bits(), (-3.0_f32).to_bits());
}

/// Quotients as Valgrind's tests (test_isa_3_1_VRT) have recorded them on POWER10, where one that does not fit is 0.
#[test]
fn extended_quotients_are_those_of_power10() {
    const A: u128 = 0x0000111e_8000222e_0180055e_0180077e;
    const B: u128 = 0xff800000_7f800000_7f800000_ff800000;
    assert_eq!(result("vdivesq", A, B), 0xffddc2ff_dda0e0da_a11a7aa0_f83960da);
    assert_eq!(result("vdivesd", A, B), 0xffddc2ff_dda0e0de_03030dc9_c6c3ba30);
    assert_eq!(result("vdivesw", A, B), 0xffddc400_00000000_03030dc9_00000000);
    assert_eq!(result("vdivesq", B, B), 0);
    assert_eq!(result("vdivesd", B, 0xff7ffffe_7f7ffffe_ff800000_7f800000), 0);
}

/// 2^127 does not fit, -2^127 does; the largest quotients of unsigned numbers.
#[test]
fn extended_quotients_reach_their_limits() {
    assert_eq!(result("vdivesq", 1, 2), 0);
    assert_eq!(result("vdivesq", 1, 2u128.wrapping_neg()), 1 << 127);
    assert_eq!(result("vdivesq", u128::MAX, 2), 1 << 127);
    assert_eq!(result("vdivesq", 1 << 127, u128::MAX), 0);
    assert_eq!(result("vdiveuq", u128::MAX - 1, u128::MAX), u128::MAX - 1);
    assert_eq!(result("vdiveuq", 1 << 127, (1 << 127) + 1), u128::MAX - 1);
    assert_eq!(result("vdiveuq", 1, 1), 0);
}

#[test]
fn divisions_without_a_quotient_give_zero_in_their_element() {
    // -2^31 / -1, 7 / 2, -7 / 2, 8 / 0.
    const A: u128 = 0x80000000_00000007_fffffff9_00000008;
    const B: u128 = 0xffffffff_00000002_00000002_00000000;
    assert_eq!(result("vdivsw", A, B), 0x00000000_00000003_fffffffd_00000000);
    assert_eq!(result("vmodsw", A, B), 0x00000000_00000001_ffffffff_00000000);
    assert_eq!(result("vmoduw", A, B), 0x80000000_00000001_00000001_00000000);
    for (name, left) in [("vdivsq", 1 << 127), ("vmodsq", 1 << 127), ("vdivsd", 1 << 127 | 1 << 63)] {
        assert_eq!(result(name, left, u128::MAX), 0, "{name}");
    }
    for operation in ["div", "dive", "mod"] {
        for lane in ["sw", "sd", "sq", "uw", "ud", "uq"] {
            assert_eq!(result(&format!("v{operation}{lane}"), A, 0), 0, "{operation} {lane}");
        }
    }
}

#[test]
fn what_lies_beyond_the_registers_is_lost_or_zero() {
    let mut m = Machine::new(Order::Big);
    m.vcpu.state.gpr[2] = 14;
    m.vcpu.state.gpr[3] = 0xaabbccdd;
    m.set(1, FORWARD);
    assert_eq!(m.v1("vinswlx", &[1, 2, 3]), FORWARD & !0xffff | 0xaabb);
    m.set(1, FORWARD);
    assert_eq!(m.v1("vinswrx", &[1, 2, 3]), FORWARD & (u128::MAX >> 16) | 0xccdd << 112);
    m.set(1, FORWARD);
    assert_eq!(m.v1("vinsd", &[1, 3, 15]), FORWARD & !0xff);
    m.set(2, FORWARD);
    m.set(3, !FORWARD);
    m.vcpu.state.gpr[4] = 30;
    assert_eq!(m.v1("vextduwvlx", &[1, 2, 3, 4]), 0xf1f0_0000 << 64);
    assert_eq!(m.v1("vextddvrx", &[1, 2, 3, 4]), 0x0001 << 64);
}

#[test]
fn gathering_every_bit_gives_zero() {
    let mut m = Machine::new(Order::Big);
    m.set(2, u128::MAX);
    for (n, bits) in [(0, 0), (1, 0), (2, u64::MAX), (7, u64::MAX << (64 - 19))] {
        m.run("vgnb", &[3, 2, n]);
        assert_eq!(m.vcpu.state.gpr[3], bits, "{n}");
    }
}
