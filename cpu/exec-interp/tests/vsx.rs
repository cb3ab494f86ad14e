//! VSX: memory order in both endiannesses, units, permutes; what FPSCR and enabled exceptions do to results.

use exec::fp::fpscr;
use exec::{Context, Engine, Exit, Interrupt, PartitionState, Privileged, Requests, Vcpu};
use exec_interp::Interpreter;
use guest_mem::{GuestMem, Order};
use ppc_isa::encode::assemble;
use ppc_isa::{Cpu, msr};

const DATA: u64 = 0x2000;
const UNITS: u64 = msr::FP | msr::VEC | msr::VSX;

struct Machine {
    mem: GuestMem,
    vcpu: Vcpu,
    order: Order,
}

impl Machine {
    fn new(order: Order, units: u64) -> Machine {
        let mem = GuestMem::new(1 << 20).unwrap();
        let mut vcpu = Vcpu::new(Cpu::Power9, 0);
        let little = if order == Order::Little { msr::LE } else { 0 };
        vcpu.set_msr(vcpu.shared.msr() | units | little);
        vcpu.state.gpr[4] = DATA;
        for i in 0..64 {
            assert!(mem.store(DATA + i, order, i as u8));
        }
        Machine { mem, vcpu, order }
    }

    /// Runs one instruction and `sc`.
    fn run(&mut self, name: &str, values: &[i64]) -> Exit {
        let word = assemble(name, values).unwrap_or_else(|| panic!("{name} {values:?}"));
        for (i, word) in [word, assemble("sc", &[0]).unwrap()].into_iter().enumerate() {
            assert!(self.mem.store(0x1000 + 4 * i as u64, self.order, word));
        }
        self.vcpu.state.cia = 0x1000;
        let partition = PartitionState::new(None, true);
        let requests = Requests::default();
        let context = Context::alone(&self.mem, &partition, &requests, Privileged::Trap);
        Interpreter::new(Cpu::Power9).run(&mut self.vcpu, &context, 10)
    }

    fn does(&mut self, name: &str, values: &[i64]) {
        let exit = self.run(name, values);
        assert!(matches!(exit, Exit::SystemCall(_)), "{name} {values:?}: {exit:?}");
    }

    fn bytes(&self, at: u64) -> [u8; 16] {
        std::array::from_fn(|i| self.mem.load(at + i as u64, self.order).unwrap())
    }
}

const FORWARD: u128 = 0x000102030405060708090a0b0c0d0e0f;

#[test]
fn elements_are_in_guest_order() {
    for (name, little) in [
        ("lxvd2x", 0x07060504030201000f0e0d0c0b0a0908),
        ("lxvw4x", 0x03020100070605040b0a09080f0e0d0c),
        ("lxvh8x", 0x01000302050407060908 << 48 | 0x0b0a0d0c0f0e),
        ("lxvb16x", FORWARD),
        ("lxvx", FORWARD.swap_bytes()),
    ] {
        for (order, expected) in [(Order::Big, FORWARD), (Order::Little, little)] {
            let mut m = Machine::new(order, UNITS);
            m.does(name, &[33, 0, 4]);
            let [high, low] = m.vcpu.state.vsr[33];
            assert_eq!(u128::from(high) << 64 | u128::from(low), expected, "{name} {order:?}");
            m.vcpu.state.gpr[5] = DATA + 0x100;
            m.does(&name.replacen('l', "st", 1), &[33, 0, 5]);
            assert_eq!(m.bytes(DATA + 0x100), FORWARD.to_be_bytes(), "{name} {order:?}");
        }
    }
}

#[test]
fn displacements_name_the_other_registers() {
    let mut m = Machine::new(Order::Big, UNITS);
    m.does("lxv", &[40, 16, 4]);
    assert_eq!(m.vcpu.state.vsr[40], [0x1011121314151617, 0x18191a1b1c1d1e1f]);
    m.does("lxsd", &[3, 4, 4]);
    assert_eq!(m.vcpu.state.vsr[35], [0x0405060708090a0b, 0]);
}

#[test]
fn lengths_stop_at_sixteen_and_leave_the_rest() {
    for (name, order, expected) in [
        ("lxvl", Order::Big, [0x0001020304000000, 0]),
        ("lxvl", Order::Little, [0, 0x0000000403020100]),
        ("lxvll", Order::Little, [0x0001020304000000, 0]),
    ] {
        let mut m = Machine::new(order, UNITS);
        m.vcpu.state.gpr[6] = 5 << 56 | 99;
        m.does(name, &[7, 4, 6]);
        assert_eq!(m.vcpu.state.vsr[7], expected, "{name} {order:?}");
        m.vcpu.state.gpr[4] = DATA + 0x100;
        m.does(&name.replacen('l', "st", 1), &[7, 4, 6]);
        assert_eq!(m.bytes(DATA + 0x100), [0, 1, 2, 3, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], "{name} {order:?}");
        m.vcpu.state.gpr[6] = 255 << 56;
        m.vcpu.state.gpr[4] = DATA;
        m.does(name, &[7, 4, 6]);
        let right = name == "lxvl" && order == Order::Little;
        let whole = if right { FORWARD.swap_bytes() } else { FORWARD };
        assert_eq!(m.vcpu.state.vsr[7], [(whole >> 64) as u64, whole as u64], "{name} {order:?}");
    }
}

#[test]
fn single_precision_in_memory_is_exact() {
    for (single, double) in [
        (0x3f80_0000u32, 1f64.to_bits()),
        (1, 2f64.powi(-149).to_bits()),
        (0x8040_0000, (-2f64.powi(-127)).to_bits()),
        (0x7f80_0001, 0x7ff0_0000_2000_0000),
        (0xff80_0000, f64::NEG_INFINITY.to_bits()),
        (0x8000_0000, (-0f64).to_bits()),
    ] {
        let mut m = Machine::new(Order::Little, UNITS);
        assert!(m.mem.store(DATA, Order::Little, single));
        m.does("lxsspx", &[50, 0, 4]);
        assert_eq!(m.vcpu.state.vsr[50], [double, 0]);
        m.vcpu.state.gpr[4] = DATA + 32;
        m.does("stxsspx", &[50, 0, 4]);
        assert_eq!(m.mem.load::<u32>(DATA + 32, Order::Little), Some(single));
    }
}

#[test]
fn permutes_count_from_the_left() {
    let (a, b, t) = ([0x0001020304050607, 0x08090a0b0c0d0e0f], [0x1011121314151617, 0x18191a1b1c1d1e1f], [!0, 0]);
    for (name, values, expected) in [
        ("xxpermdi", &[40, 41, 42, 1][..], [0x0001020304050607, 0x18191a1b1c1d1e1f]),
        ("xxsldwi", &[40, 41, 42, 3], [0x0c0d0e0f10111213, 0x1415161718191a1b]),
        ("xxmrghw", &[40, 41, 42], [0x0001020310111213, 0x0405060714151617]),
        ("xxmrglw", &[40, 41, 42], [0x08090a0b18191a1b, 0x0c0d0e0f1c1d1e1f]),
        ("xxspltw", &[40, 41, 2], [0x08090a0b08090a0b; 2]),
        ("xxspltib", &[40, 0xa5], [0xa5a5a5a5a5a5a5a5; 2]),
        ("xxextractuw", &[40, 41, 5], [0x05060708, 0]),
        ("xxinsertw", &[40, 41, 5], [0xffffffffff040506, 0x0700000000000000]),
        ("xxsel", &[40, 41, 42, 40], [0x1011121314151617, 0x08090a0b0c0d0e0f]),
        ("xxperm", &[40, 42, 41], [0x1011121314151617, 0x18191a1b1c1d1e1f]),
        ("xxpermr", &[40, 42, 41], [0, !0]),
        ("xxbrh", &[40, 41], [0x0100030205040706, 0x09080b0a0d0c0f0e]),
        ("xxbrw", &[40, 41], [0x0302010007060504, 0x0b0a09080f0e0d0c]),
        ("xxbrd", &[40, 41], [0x0706050403020100, 0x0f0e0d0c0b0a0908]),
        ("xxbrq", &[40, 41], [0x0f0e0d0c0b0a0908, 0x0706050403020100]),
        ("xxlandc", &[40, 42, 41], [0x1010101010101010; 2]),
    ] {
        let mut m = Machine::new(Order::Big, UNITS);
        (m.vcpu.state.vsr[41], m.vcpu.state.vsr[42], m.vcpu.state.vsr[40]) = (a, b, t);
        m.does(name, values);
        assert_eq!(m.vcpu.state.vsr[40], expected, "{name}");
    }
}

#[test]
fn the_register_chooses_the_unit() {
    use Interrupt::{FpUnavailable, VectorUnavailable, VsxUnavailable};
    let missing = |units: u64, name: &str, values: &[i64]| match Machine::new(Order::Big, units).run(name, values) {
        Exit::Interrupt(interrupt) => Some(interrupt),
        _ => None,
    };
    assert!(matches!(missing(UNITS & !msr::VSX, "lxvx", &[1, 0, 4]), Some(VsxUnavailable)));
    assert!(missing(UNITS & !msr::VSX, "lxvx", &[33, 0, 4]).is_none());
    assert!(matches!(missing(UNITS & !msr::VEC, "lxv", &[33, 0, 4]), Some(VectorUnavailable)));
    assert!(matches!(missing(UNITS & !msr::VEC, "stxv", &[33, 0, 4]), Some(VectorUnavailable)));
    assert!(missing(UNITS & !msr::VEC, "lxv", &[1, 0, 4]).is_none());
    assert!(matches!(missing(UNITS & !msr::FP, "mtvsrd", &[1, 4]), Some(FpUnavailable)));
    assert!(matches!(missing(msr::FP, "mfvsrd", &[4, 40]), Some(VectorUnavailable)));
    assert!(matches!(missing(msr::FP | msr::VEC, "lxvd2x", &[40, 0, 4]), Some(VsxUnavailable)));
}

fn doubles(values: [f64; 2]) -> [u64; 2] {
    values.map(f64::to_bits)
}

#[test]
fn scalars_clear_the_other_half_and_classify() {
    let mut m = Machine::new(Order::Little, UNITS);
    m.vcpu.state.vsr[40] = doubles([1.5, 7.0]);
    m.vcpu.state.vsr[41] = doubles([-4.0, 7.0]);
    m.vcpu.state.vsr[42] = doubles([10.0, 7.0]);
    m.does("xsmaddadp", &[42, 40, 41]);
    assert_eq!(m.vcpu.state.vsr[42], doubles([4.0, 0.0]));
    assert_eq!(m.vcpu.state.fpscr & fpscr::FPRF, 0x4000);
    m.vcpu.state.vsr[42] = doubles([10.0, 7.0]);
    m.does("xsnmsubmdp", &[42, 40, 41]);
    assert_eq!(m.vcpu.state.vsr[42], doubles([-19.0, 0.0]));
    assert_eq!(m.vcpu.state.fpscr & fpscr::FPRF, 0x8000);
}

/// 2.5 and -2.5 in quad precision. The middle codes are reserved; a POWER9 rounds away from zero by RMC=2.
#[test]
fn quad_integers_round_by_reserved_codes_too() {
    const TWO: u64 = 0x4000 << 48;
    const THREE: u64 = TWO | 0x8000 << 32;
    let mut m = Machine::new(Order::Big, UNITS);
    for (sign, rmc, rounded) in [(0, 0, THREE), (0, 1, TWO), (0, 2, THREE), (0, 3, TWO), (1, 2, THREE), (1, 1, TWO)] {
        m.vcpu.state.vsr[35] = [TWO | 0x4000 << 32 | sign << 63, 0];
        m.does("xsrqpi", &[0, 2, 3, rmc]);
        assert_eq!(m.vcpu.state.vsr[34], [rounded | sign << 63, 0], "{sign} {rmc}");
    }
    m.vcpu.state.vsr[35] = [1 << 63 | 0x7fff_ffff_ffff, 0];
    m.does("xsrqpi", &[0, 2, 3, 2]);
    assert_eq!(m.vcpu.state.vsr[34], [0xbfff << 48, 0]);
    // A tie, in the last of the 64 bits that stay; the code of decimal instructions would leave 0xfe.
    m.vcpu.state.vsr[35] = [0, 0xff << 48];
    m.does("xsrqpxp", &[0, 2, 3, 1]);
    assert_eq!(m.vcpu.state.vsr[34], [0, 0x100 << 48]);
}

#[test]
fn an_enabled_exception_in_one_element_keeps_the_vector() {
    for (enables, written) in [(0, true), (fpscr::ZE, true), (fpscr::OE, false)] {
        let mut m = Machine::new(Order::Big, UNITS);
        m.vcpu.state.fpscr = enables | fpscr::FPRF;
        m.vcpu.state.vsr[1] = doubles([f64::MAX, 1.0]);
        m.does("xvadddp", &[2, 1, 1]);
        let result = if written { doubles([f64::INFINITY, 2.0]) } else { [0; 2] };
        assert_eq!(m.vcpu.state.vsr[2], result);
        assert_eq!(m.vcpu.state.fpscr & (fpscr::OX | fpscr::FPRF), fpscr::OX | fpscr::FPRF);
    }
}

#[test]
fn an_enabled_exception_interrupts_when_msr_says_so() {
    for (msr, interrupts) in [(0, false), (msr::FE0, true)] {
        let mut m = Machine::new(Order::Big, UNITS | msr);
        m.vcpu.state.fpscr = fpscr::ZE;
        m.vcpu.state.vsr[1] = doubles([1.0, 0.0]);
        let exit = m.run("xsdivdp", &[2, 1, 3]);
        assert_eq!(matches!(exit, Exit::Interrupt(Interrupt::Program(0x10_0000))), interrupts, "{exit:?}");
        assert_eq!(m.vcpu.state.fpscr, fpscr::ZE | fpscr::ZX | fpscr::FX | fpscr::FEX);
        assert_eq!(m.vcpu.state.vsr[2], [0; 2]);
    }
}

#[test]
fn maximum_has_three_opinions_of_nans() {
    const QUIET: u64 = 0x7ff8_0000_0000_0001;
    const SIGNALLING: u64 = 0x7ff0_0000_0000_0002;
    let one = 1f64.to_bits();
    for (name, a, b, expected) in [
        ("xsmaxdp", QUIET, one, one),
        ("xsmaxdp", one, SIGNALLING, SIGNALLING | 1 << 51),
        ("xsmaxdp", 1 << 63, 0, 0),
        ("xsmindp", 0, 1 << 63, 1 << 63),
        ("xsmaxcdp", QUIET, one, one),
        ("xsmaxcdp", one, QUIET, QUIET),
        ("xsmaxcdp", one, SIGNALLING, SIGNALLING),
        ("xsmaxjdp", one, QUIET, QUIET),
        ("xsmaxjdp", QUIET, one, QUIET),
        ("xsminjdp", one, 0, 0),
        ("xsminjdp", 1 << 63, 0, 1 << 63),
    ] {
        let mut m = Machine::new(Order::Big, UNITS);
        (m.vcpu.state.vsr[1], m.vcpu.state.vsr[2]) = ([a, 0], [b, 0]);
        m.does(name, &[3, 1, 2]);
        assert_eq!(m.vcpu.state.vsr[3], [expected, 0], "{name} {a:x} {b:x}");
        let invalid = m.vcpu.state.fpscr & fpscr::VXSNAN != 0;
        assert_eq!(invalid, a == SIGNALLING || b == SIGNALLING, "{name}");
    }
}

#[test]
fn conversions_fill_their_doublewords() {
    let single = |x: f32| u64::from(x.to_bits());
    for (name, source, expected) in [
        ("xscvdpsp", doubles([2.5, 1.0]), [single(2.5) << 32 | single(2.5), 0]),
        ("xvcvdpsp", doubles([2.5, 1.0]), [single(2.5) << 32 | single(2.5), single(1.0) << 32 | single(1.0)]),
        ("xscvdpsxws", doubles([-2.5, 1.0]), [0xffff_fffe_ffff_fffe, 0]),
        ("xscvdpuxds", doubles([-2.5, 1.0]), [0, 0]),
        ("xvcvuxwdp", [0xffff_ffff_0000_0001, 3 << 32], doubles([4294967295.0, 3.0])),
        ("xvcvsphp", [single(1.0) << 32 | single(-2.0), 0], [0x0000_3c00_0000_c000, 0]),
        ("xscvhpdp", [0xffff_ffff_ffff_3c00, 0], doubles([1.0, 0.0])),
        ("xvxsigsp", [single(1.5) << 32, 0], [0x00c0_0000_0000_0000, 0]),
    ] {
        let mut m = Machine::new(Order::Little, UNITS);
        m.vcpu.state.vsr[50] = source;
        m.does(name, &[51, 50]);
        assert_eq!(m.vcpu.state.vsr[51], expected, "{name}");
    }
}
