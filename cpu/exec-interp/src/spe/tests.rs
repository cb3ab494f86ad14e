//! Values worked out from the register transfer descriptions of SPEPEM, chapter 5.

use exec::{Clock, Context, Interrupt, NoMmio, PartitionState, Privileged, Requests, Vcpu, VcpuState};
use guest_mem::{GuestMem, Order};
use ppc_isa::Cpu;
use ppc_isa::encode::encode;
use ppc_mmu::{Keys, Mapping, SoftTlb, Tables};

use super::execute;
use crate::env::{Env, Trap};

#[derive(Debug)]
struct Stopped;

impl Clock for Stopped {
    fn ticks(&self, _: u64) -> u64 {
        0
    }
}

const DATA: u64 = 0x2000;

struct Machine {
    mem: GuestMem,
    vcpu: Vcpu,
}

impl Machine {
    fn new() -> Machine {
        Machine { mem: GuestMem::new(1 << 16).unwrap(), vcpu: Vcpu::new(Cpu::E500v2, 0) }
    }

    fn state(&mut self) -> &mut VcpuState {
        &mut self.vcpu.state
    }

    fn set(&mut self, register: usize, value: u64) {
        self.vcpu.state.gpr_high[register] = (value >> 32) as u32;
        // The upper half of the ordinary register is nobody's.
        self.vcpu.state.gpr[register] = 0xdead_beef_0000_0000 | value & 0xffff_ffff;
    }

    fn get(&self, register: usize) -> u64 {
        super::wide(&self.vcpu.state, register)
    }

    /// Executes one instruction.
    fn run(&mut self, name: &str, values: &[i64]) -> Result<(), Interrupt> {
        let row = ppc_isa::row(name).unwrap_or_else(|| panic!("{name}"));
        let word = encode(row, values).unwrap_or_else(|| panic!("{name} {values:?}"));
        let (partition, requests) = (PartitionState::new(None, false), Requests::default());
        let context = Context {
            mem: &self.mem,
            partition: &partition,
            requests: &requests,
            clock: &Stopped,
            mmio: &NoMmio,
            peers: &requests,
            privileged: Privileged::Inline,
        };
        let mut tlb = SoftTlb::default();
        tlb.enter(&Tables::Real, false, Keys::default());
        let mapping = Mapping { real: DATA, shift: 12, read: true, write: true, execute: false };
        tlb.insert(&Tables::Real, DATA, mapping);
        let mut env = Env { context, shared: &mut self.vcpu.shared, tlb: &mut tlb, trap: None };
        match (execute(&mut self.vcpu.state, &mut env, word), env.trap) {
            (Ok(_), _) => Ok(()),
            (Err(_), Some(Trap::Interrupt(interrupt))) => Err(interrupt),
            (Err(_), trap) => panic!("{name}: {trap:?}"),
        }
    }

    /// RT = r5 of an instruction on r3 and r4.
    fn compute(&mut self, name: &str, a: u64, b: u64) -> u64 {
        self.set(3, a);
        self.set(4, b);
        let operands = ppc_isa::operand::operands(ppc_isa::row(name).unwrap()).count();
        self.run(name, &[5, 3, 4][..operands]).unwrap();
        self.get(5)
    }
}

#[test]
fn words_are_computed_apart() {
    for (name, a, b, expected) in [
        ("evaddw", 0xffff_ffff_0000_0001, 0x0000_0001_ffff_ffff, 0x0000_0000_0000_0000),
        ("evsubfw", 0x0000_0001_0000_0002, 0x0000_0000_0000_0005, 0xffff_ffff_0000_0003),
        ("evabs", 0x8000_0000_ffff_fffe, 0, 0x8000_0000_0000_0002),
        ("evneg", 0x8000_0000_0000_0001, 0, 0x8000_0000_ffff_ffff),
        ("evextsb", 0x1234_5680_1234_567f, 0, 0xffff_ff80_0000_007f),
        ("evextsh", 0x1234_8000_1234_7fff, 0, 0xffff_8000_0000_7fff),
        ("evrndw", 0x1234_8000_ffff_8000, 0, 0x1235_0000_0000_0000),
        ("evcntlzw", 0x0000_0000_0001_0000, 0, 0x0000_0020_0000_000f),
        ("evcntlsw", 0xffff_ffff_c000_0000, 0, 0x0000_0020_0000_0002),
        ("evandc", 0xffff_0000_ff00_ff00, 0x0ff0_0ff0_0f0f_0f0f, 0xf00f_0000_f000_f000),
        ("evorc", 0x0000_0001_0000_0000, 0xffff_ffff_0000_000f, 0x0000_0001_ffff_fff0),
        ("eveqv", 0xffff_0000_1234_5678, 0xff00_ff00_1234_5678, 0xff00_00ff_ffff_ffff),
        ("evslw", 0x0000_0001_0000_0001, 0x0000_001f_0000_0020, 0x8000_0000_0000_0000),
        ("evsrwu", 0x8000_0000_8000_0000, 0x0000_001f_0000_0020, 0x0000_0001_0000_0000),
        ("evsrws", 0x8000_0000_8000_0000, 0x0000_0004_0000_003f, 0xf800_0000_ffff_ffff),
        ("evrlw", 0x8000_0001_1234_5678, 0x0000_0021_0000_0008, 0x0000_0003_3456_7812),
        ("evmergehi", 0x1111_1111_2222_2222, 0x3333_3333_4444_4444, 0x1111_1111_3333_3333),
        ("evmergelo", 0x1111_1111_2222_2222, 0x3333_3333_4444_4444, 0x2222_2222_4444_4444),
        ("evmergehilo", 0x1111_1111_2222_2222, 0x3333_3333_4444_4444, 0x1111_1111_4444_4444),
        ("evmergelohi", 0x1111_1111_2222_2222, 0x3333_3333_4444_4444, 0x2222_2222_3333_3333),
    ] {
        assert_eq!(Machine::new().compute(name, a, b), expected, "{name}");
    }
}

#[test]
fn immediates_stand_for_either_operand() {
    let mut m = Machine::new();
    m.set(4, 0x0000_0010_ffff_ffff);
    for (name, values, expected) in [
        ("evaddiw", [5, 4, 31], 0x0000_002f_0000_001e),
        ("evsubifw", [5, 31, 4], 0xffff_fff1_ffff_ffe0),
        ("evslwi", [5, 4, 31], 0x0000_0000_8000_0000),
        ("evsrwiu", [5, 4, 4], 0x0000_0001_0fff_ffff),
        ("evsrwis", [5, 4, 4], 0x0000_0001_ffff_ffff),
        ("evrlwi", [5, 4, 28], 0x0000_0001_ffff_ffff),
    ] {
        m.run(name, &values).unwrap();
        assert_eq!(m.get(5), expected, "{name}");
    }
    m.run("evsplati", &[5, -16]).unwrap();
    assert_eq!(m.get(5), 0xffff_fff0_ffff_fff0);
    m.run("evsplatfi", &[5, -16]).unwrap();
    assert_eq!(m.get(5), 0x8000_0000_8000_0000);
}

#[test]
fn comparisons_say_high_low_either_both() {
    let (a, b) = (0x8000_0000_0000_0001, 0x7fff_ffff_0000_0001);
    for (name, field) in
        [("evcmpgtu", 0b1010), ("evcmpgts", 0), ("evcmpltu", 0), ("evcmplts", 0b1010), ("evcmpeq", 0b0110)]
    {
        let mut m = Machine::new();
        m.set(3, a);
        m.set(4, b);
        m.state().cr[6] = 15;
        m.run(name, &[6, 3, 4]).unwrap();
        assert_eq!(m.state().cr[6], field, "{name}");
    }
    let mut m = Machine::new();
    m.set(3, a);
    m.set(4, b);
    m.state().cr[7] = 0b0100;
    m.run("evsel", &[5, 4, 3, 7]).unwrap();
    assert_eq!(m.get(5), 0x8000_0000_0000_0001);
    m.state().cr[7] = 0b1011;
    m.run("evsel", &[5, 4, 3, 7]).unwrap();
    assert_eq!(m.get(5), 0x7fff_ffff_0000_0001);
}

#[test]
fn bit_reversed_increments_walk_a_transform() {
    let mut m = Machine::new();
    m.set(4, 0x0000_0000_0000_0038);
    m.set(3, 0x1234_5678_8000_0001);
    let mut seen = Vec::new();
    for _ in 0..8 {
        m.run("brinc", &[3, 3, 4]).unwrap();
        seen.push(m.get(3));
    }
    // Indices 1 to 7 and 0 in reversed order, times 8; the high word stays.
    let expected = [0x20, 0x10, 0x30, 0x08, 0x28, 0x18, 0x38, 0x00];
    assert_eq!(seen, expected.map(|index| 0x1234_5678_0000_0000 | index));
}

const OVH: u32 = 0xc000_0000;
const OV: u32 = 0xc000;

#[test]
fn divisions_saturate() {
    for (name, a, b, expected, flags) in [
        ("evdivws", 0x8000_0000_0000_0007, 0xffff_ffff_ffff_fffe, 0x7fff_ffff_ffff_fffd, OVH),
        ("evdivws", 0x0000_0000_ffff_ffff, 0, 0x7fff_ffff_8000_0000, OVH | OV),
        ("evdivwu", 0x8000_0000_0000_0007, 0x0000_0002_0000_0000, 0x4000_0000_ffff_ffff, OV),
    ] {
        let mut m = Machine::new();
        assert_eq!(m.compute(name, a, b), expected, "{name}");
        assert_eq!(m.state().spefscr, flags, "{name}");
        assert_eq!(m.compute(name, 0, u64::MAX), 0);
        assert_eq!(m.state().spefscr, flags & 0x8000_8000, "{name}: the summary sticks");
    }
}

#[test]
fn products_of_halfwords() {
    const A: u64 = 0x8000_0002_8000_fffe;
    const B: u64 = 0x8000_0003_7fff_0003;
    for (name, expected, flags) in [
        ("evmheumi", 0x4000_0000_3fff_8000, 0),
        ("evmhesmi", 0x4000_0000_c000_8000, 0),
        ("evmhesmf", 0x8000_0000_8001_0000, 0),
        ("evmhessf", 0x7fff_ffff_8001_0000, OVH),
        ("evmhoumi", 0x0000_0006_0002_fffa, 0),
        ("evmhosmi", 0x0000_0006_ffff_fffa, 0),
        ("evmhosmf", 0x0000_000c_ffff_fff4, 0),
        ("evmhossf", 0x0000_000c_ffff_fff4, 0),
    ] {
        for copy in [false, true] {
            let mut m = Machine::new();
            m.state().acc = 77;
            let name = format!("{name}{}", if copy { "a" } else { "" });
            assert_eq!(m.compute(&name, A, B), expected, "{name}");
            assert_eq!(m.state().acc, if copy { expected } else { 77 }, "{name}");
            assert_eq!(m.state().spefscr, flags, "{name}");
        }
    }
}

#[test]
fn products_of_words() {
    const A: u64 = 0x8000_0000_ffff_fffe;
    const B: u64 = 0x8000_0000_0000_0003;
    for (name, expected, flags) in [
        ("evmwhumi", 0x4000_0000_0000_0002, 0),
        ("evmwhsmi", 0x4000_0000_ffff_ffff, 0),
        ("evmwhsmf", 0x8000_0000_ffff_ffff, 0),
        ("evmwhssf", 0x7fff_ffff_ffff_ffff, OVH),
        ("evmwlumi", 0x0000_0000_ffff_fffa, 0),
        ("evmwumi", 0x0000_0002_ffff_fffa, 0),
        ("evmwsmi", 0xffff_ffff_ffff_fffa, 0),
        ("evmwsmf", 0xffff_ffff_ffff_fff4, 0),
        ("evmwssf", 0xffff_ffff_ffff_fff4, 0),
    ] {
        let mut m = Machine::new();
        assert_eq!(m.compute(name, A, B), expected, "{name}");
        assert_eq!(m.state().spefscr, flags, "{name}");
    }
    let mut m = Machine::new();
    assert_eq!(m.compute("evmwssfa", 0x8000_0000, 0x8000_0000), 0x7fff_ffff_ffff_ffff);
    assert_eq!((m.state().acc, m.state().spefscr), (0x7fff_ffff_ffff_ffff, OV));
    assert_eq!(m.compute("evmwsmf", 0x8000_0000, 0x8000_0000), 0x8000_0000_0000_0000);
}

#[test]
fn sums_of_words() {
    const ACC: u64 = 0x7fff_fff0_8000_0005;
    for (name, a, b, expected, flags) in [
        // Even products 0x100 and 0x100, odd ones -6 and 6.
        ("evmhesmiaaw", 0x0010_fffe_0010_fffe, 0x0010_0003_0010_fffd, 0x8000_00f0_8000_0105, 0),
        ("evmhessiaaw", 0x0010_fffe_0010_fffe, 0x0010_0003_0010_fffd, 0x7fff_ffff_8000_0105, OVH),
        ("evmhossianw", 0x0010_fffe_0010_fffe, 0x0010_0003_0010_fffd, 0x7fff_fff6_8000_0000, OV),
        ("evmhosmianw", 0x0010_fffe_0010_fffe, 0x0010_0003_0010_fffd, 0x7fff_fff6_7fff_ffff, 0),
        ("evmheusianw", 0xffff_0000_0001_0000, 0xffff_0000_0001_0000, 0x0000_0000_8000_0004, OVH),
        ("evmhousiaaw", 0x0000_ffff_0000_ffff, 0x0000_ffff_0000_ffff, 0xffff_ffff_ffff_ffff, OVH | OV),
        // The product saturates, and the sum again.
        ("evmhessfaaw", 0x8000_0000_8000_0000, 0x8000_0000_8000_0000, 0x7fff_ffff_0000_0004, OVH | OV),
        ("evmhesmfaaw", 0x8000_0000_8000_0000, 0x8000_0000_8000_0000, 0xffff_fff0_0000_0005, 0),
        ("evmwlumiaaw", 0x0001_0000_0000_0002, 0x0001_0001_0000_0003, 0x8000_fff0_8000_000b, 0),
        ("evmwlssianw", 0x0000_0004_0000_0002, 0xffff_fff0_0000_0003, 0x7fff_ffff_8000_0000, OVH | OV),
        ("evmwlusiaaw", 0x8000_0000_0000_0000, 0x0000_0001_0000_0000, 0xffff_fff0_8000_0005, 0),
        ("evaddssiaaw", 0x0000_0010_8000_0000, 0, 0x7fff_ffff_8000_0000, OVH | OV),
        ("evaddusiaaw", 0x0000_0010_8000_0000, 0, 0x8000_0000_ffff_ffff, OV),
        ("evaddsmiaaw", 0x0000_0010_8000_0000, 0, 0x8000_0000_0000_0005, 0),
        ("evsubfssiaaw", 0xffff_fff0_0000_0006, 0, 0x7fff_ffff_8000_0000, OVH | OV),
        ("evsubfusiaaw", 0xffff_fff0_0000_0006, 0, 0x0000_0000_7fff_ffff, OVH),
        ("evsubfumiaaw", 0xffff_fff0_0000_0006, 0, 0x8000_0000_7fff_ffff, 0),
    ] {
        let mut m = Machine::new();
        m.state().acc = ACC;
        assert_eq!(m.compute(name, a, b), expected, "{name}");
        assert_eq!(m.state().acc, expected, "{name}");
        assert_eq!(m.state().spefscr, flags, "{name}");
    }
}

#[test]
fn sums_of_doublewords() {
    const ACC: u64 = 0x0000_0000_ffff_fff0;
    for (name, a, b, expected) in [
        ("evmwumiaa", 0xffff_ffff, 0xffff_ffff, 0xffff_fffe_ffff_fff1),
        ("evmwsmiaa", 0xffff_ffff, 0x0000_0010, 0x0000_0000_ffff_ffe0),
        ("evmwsmian", 0xffff_ffff, 0x0000_0010, 0x0000_0001_0000_0000),
        ("evmwsmfan", 0xffff_ffff, 0x0000_0010, 0x0000_0001_0000_0010),
        ("evmhegumiaa", 0xffff_0001, 0xffff_0001, 0x0000_0001_fffd_fff1),
        ("evmhegsmiaa", 0xffff_0001, 0xffff_0001, 0x0000_0000_ffff_fff1),
        ("evmhogsmian", 0x0001_ffff, 0x0001_0001, 0x0000_0000_ffff_fff1),
        ("evmhogumian", 0x0001_ffff, 0x0001_0001, 0x0000_0000_fffe_fff1),
        // Guarded, -1 times -1 is +1.
        ("evmhogsmfaa", 0x8000, 0x8000, 0x0000_0001_7fff_fff0),
        ("evmhegsmfan", 0x8000_0000, 0x8000_0000, 0x0000_0000_7fff_fff0),
    ] {
        let mut m = Machine::new();
        m.state().acc = ACC;
        assert_eq!(m.compute(name, a, b), expected, "{name}");
        assert_eq!((m.state().acc, m.state().spefscr), (expected, 0), "{name}");
    }
    let mut m = Machine::new();
    m.state().acc = 1;
    assert_eq!(m.compute("evmwssfaa", 0x8000_0000, 0x8000_0000), 0x8000_0000_0000_0000);
    assert_eq!(m.state().spefscr, OV);
    assert_eq!(m.compute("evmwssfan", 1, 1), 0x7fff_ffff_ffff_fffe);
    assert_eq!(m.state().spefscr, OV, "it overflows the other way");
    assert_eq!(m.compute("evmra", 0x0123_4567_89ab_cdef, 0), 0x0123_4567_89ab_cdef);
    assert_eq!(m.state().acc, 0x0123_4567_89ab_cdef);
}

#[test]
fn loads_place_and_extend() {
    for (name, displacement, expected) in [
        ("evldd", 8, 0x8081_8283_8485_8687),
        ("evldw", 8, 0x8081_8283_8485_8687),
        ("evldh", 8, 0x8081_8283_8485_8687),
        ("evlhhesplat", 2, 0x0203_0000_0203_0000),
        ("evlhhousplat", 8, 0x0000_8081_0000_8081),
        ("evlhhossplat", 8, 0xffff_8081_ffff_8081),
        ("evlwhe", 8, 0x8081_0000_8283_0000),
        ("evlwhou", 8, 0x0000_8081_0000_8283),
        ("evlwhos", 8, 0xffff_8081_ffff_8283),
        ("evlwwsplat", 4, 0x0405_0607_0405_0607),
        ("evlwhsplat", 4, 0x0405_0405_0607_0607),
    ] {
        let mut m = Machine::new();
        m.mem.store(DATA, Order::Big, 0x0001_0203_0405_0607u64);
        m.mem.store(DATA + 8, Order::Big, 0x8081_8283_8485_8687u64);
        m.set(3, DATA);
        m.set(4, displacement as u64);
        m.run(name, &[5, displacement, 3]).unwrap();
        assert_eq!(m.get(5), expected, "{name}");
        m.run(&format!("{name}x"), &[6, 3, 4]).unwrap();
        assert_eq!(m.get(6), expected, "{name}x");
        m.set(4, DATA + displacement as u64);
        m.run(&format!("{name}x"), &[7, 0, 4]).unwrap();
        assert_eq!(m.get(7), expected, "{name}x");
    }
}

#[test]
fn stores_take_the_parts_they_name() {
    for (name, expected) in [
        ("evstdd", 0x8081_8283_8485_8687u64),
        ("evstdw", 0x8081_8283_8485_8687),
        ("evstdh", 0x8081_8283_8485_8687),
        ("evstwhe", 0x8081_8485_eeee_eeee),
        ("evstwho", 0x8283_8687_eeee_eeee),
        ("evstwwe", 0x8081_8283_eeee_eeee),
        ("evstwwo", 0x8485_8687_eeee_eeee),
    ] {
        let mut m = Machine::new();
        m.set(3, DATA);
        m.set(4, 8);
        m.set(5, 0x8081_8283_8485_8687);
        for (at, indexed) in [(DATA + 16, false), (DATA + 8, true)] {
            m.mem.store(at, Order::Big, 0xeeee_eeee_eeee_eeeeu64);
            if indexed {
                m.run(&format!("{name}x"), &[5, 3, 4]).unwrap();
            } else {
                m.run(name, &[5, 16, 3]).unwrap();
            }
            assert_eq!(m.mem.load(at, Order::Big), Some(expected), "{name} {indexed}");
        }
    }
}

#[test]
fn addresses_must_be_multiples() {
    for (name, bytes) in [("evldd", 8), ("evldw", 8), ("evldh", 8), ("evlwhe", 4), ("evlhhesplat", 2), ("evstdh", 8)] {
        let mut m = Machine::new();
        m.set(3, DATA + bytes / 2);
        m.set(5, 1);
        let dar = DATA + bytes / 2 + bytes;
        assert!(
            matches!(m.run(name, &[5, bytes as i64, 3]), Err(Interrupt::Alignment { dar: at, .. }) if at == dar),
            "{name}"
        );
        assert_eq!(m.get(5), 1, "{name}");
    }
}

const FG: u32 = 0x2000;
const FX: u32 = 0x1000;
const FINV: u32 = 0x10_0800;
const FDBZ: u32 = 0x8_0400;
const FUNF: u32 = 0x24_0200;
const FOVF: u32 = 0x22_0100;
const FINXS: u32 = 0x20_0000;

const ONE: u64 = 0x3f80_0000;
const PMAX: u64 = 0x7f7f_ffff;
const NMAX: u64 = 0xff7f_ffff;
const INF: u64 = 0x7f80_0000;
const NAN: u64 = 0xffc0_0000;
const DENORM: u64 = 0x8000_0001;
const ZERO: u64 = 0;
const MINUS: u64 = 0x8000_0000;

/// The single of each row as it stands, and in both words of a register: the flags then appear twice.
fn singles(rows: &[(&str, u64, u64, u64, u32)], control: u32) {
    for &(name, a, b, expected, flags) in rows {
        let mut m = Machine::new();
        m.state().spefscr = control;
        m.set(5, 0x1234_5678 << 32);
        assert_eq!(m.compute(name, a, b), 0x1234_5678 << 32 | expected, "{name} {a:x} {b:x}");
        assert_eq!(m.state().spefscr, flags | control, "{name} {a:x} {b:x}");

        let mut m = Machine::new();
        m.state().spefscr = control;
        let twice = |x: u64| x << 32 | x;
        assert_eq!(m.compute(&format!("ev{}", &name[1..]), twice(a), twice(b)), twice(expected), "ev {name}");
        assert_eq!(m.state().spefscr, flags | flags << 16 & 0x3f00_0000 | control, "ev {name} {a:x} {b:x}");
    }
}

/// Power ISA 2.03 Book I, section 7.4: what is no normal number.
#[test]
fn operands_outside_the_numbers() {
    singles(
        &[
            ("efsadd", NAN, INF, NMAX, FINV),
            ("efsadd", ONE, INF, PMAX, FINV),
            ("efsadd", INF, INF ^ MINUS, PMAX, FINV),
            ("efsadd", DENORM, ONE, ONE, FINV),
            ("efsadd", DENORM, DENORM, MINUS, FINV),
            ("efsadd", ZERO, MINUS, ZERO, 0),
            ("efssub", ONE, INF, NMAX, FINV),
            ("efssub", ONE, NAN, PMAX, FINV),
            ("efssub", ONE, ONE, ZERO, 0),
            ("efsmul", INF, ZERO, ZERO, FINV),
            ("efsmul", NAN, DENORM, ZERO, FINV),
            ("efsmul", NAN, ONE, NMAX, FINV),
            ("efsmul", MINUS, ONE, MINUS, 0),
            ("efsdiv", ONE, INF, ZERO, FINV),
            ("efsdiv", NAN, NAN, ZERO, FINV),
            ("efsdiv", INF, MINUS, NMAX, FINV),
            ("efsdiv", ZERO, ZERO, PMAX, FINV),
            ("efsdiv", ONE, MINUS, NMAX, FDBZ),
            ("efsdiv", ONE, DENORM, NMAX, FINV),
            ("efsdiv", DENORM, ONE, MINUS, FINV),
            ("efsdiv", INF, ONE, PMAX, FINV),
        ],
        0,
    );
    singles(&[("efsadd", ONE, ONE ^ MINUS, MINUS, 0)], 3);
}

#[test]
fn results_saturate_and_flush() {
    singles(
        &[
            ("efsadd", PMAX, PMAX, PMAX, FOVF),
            ("efsadd", PMAX, 0x7280_0000, PMAX, FOVF),
            ("efsmul", NMAX, PMAX, NMAX, FOVF),
            ("efsmul", 0x0080_0000, 0xbf00_0000, MINUS, FUNF),
            ("efsmul", 0x0080_0001, 0x3f7f_ffff, 0x0080_0000, FX | FINXS),
            ("efssub", 0x0080_0001, 0x0080_0000, ZERO, FUNF),
            ("efsdiv", 0x0080_0000, 0x4000_0000, ZERO, FUNF),
        ],
        0,
    );
    singles(&[("efssub", 0x0080_0001, 0x0080_0000, MINUS, FUNF)], 3);
}

#[test]
fn rounding_keeps_what_it_cut_off() {
    // 1 + 2^-24 lies halfway; 1 + 2^-24 + 2^-47 above it; 1 + 3 x 2^-24 halfway to an even neighbour.
    singles(
        &[
            ("efsadd", ONE, 0x3380_0000, ONE, FG | FINXS),
            ("efsadd", ONE, 0x3380_0001, ONE + 1, FG | FX | FINXS),
            ("efsadd", ONE, 0x3440_0000, ONE + 2, FG | FINXS),
            ("efsadd", ONE, 0x3300_0000, ONE, FX | FINXS),
            ("efsdiv", ONE, 0x4040_0000, 0x3eaa_aaab, FG | FX | FINXS),
            ("efsmul", ONE + 1, ONE + 1, ONE + 2, FX | FINXS),
        ],
        0,
    );
    singles(
        &[
            ("efsadd", ONE, 0x3380_0001, ONE, FG | FX | FINXS),
            ("efsdiv", ONE, 0x4040_0000, 0x3eaa_aaaa, FG | FX | FINXS),
        ],
        1,
    );
}

#[test]
fn enabled_exceptions_interrupt_before_the_result() {
    for (enable, name, a, b, flags) in [
        (0x20, "efsadd", NAN, ONE, FINV),
        (0x20, "efsdiv", ZERO, ZERO, FINV),
        (0x20, "efscmpgt", INF, ONE, FINV),
        (0x20, "efsctsi", ONE, NAN, FINV),
        (0x10, "efsdiv", ONE, ZERO, FDBZ),
        (0x08, "efsmul", 0x0080_0000, 0x0080_0000, 0x4_0200),
        (0x04, "efsmul", PMAX, PMAX, 0x2_0100),
    ] {
        let mut m = Machine::new();
        m.state().spefscr = enable | FG | FX;
        m.state().cr[5] = 9;
        m.set(3, a);
        m.set(4, b);
        m.set(5, 77);
        let operands: &[i64] = if name == "efsctsi" { &[5, 4] } else { &[5, 3, 4] };
        assert_eq!(m.run(name, operands), Err(Interrupt::EmbeddedFpData), "{name}");
        assert_eq!((m.get(5), m.state().cr[5], m.state().cia), (77, 9, 0), "{name}");
        assert_eq!(m.state().spefscr, flags | enable, "{name}");
        // The other enables do not concern it.
        m.state().spefscr = 0x3c ^ enable;
        assert_eq!(m.run(name, operands), Ok(()), "{name}");
    }
    // Either half of a vector does.
    let mut m = Machine::new();
    m.state().spefscr = 0x20;
    m.set(3, NAN << 32 | ONE);
    m.set(4, ONE << 32 | 0x4040_0000);
    m.set(5, 77);
    assert_eq!(m.run("evfsdiv", &[5, 3, 4]), Err(Interrupt::EmbeddedFpData));
    assert_eq!(m.get(5), 77);
    assert_eq!(m.state().spefscr, 0x0810_0000 | FG | FX | 0x20);
}

#[test]
fn the_round_interrupt_follows_a_truncated_result() {
    for (control, name, a, b, expected, interrupts, flags) in [
        (0x40, "efsadd", ONE, 0x3380_0001, ONE, true, FG | FX | FINXS),
        (0x40, "efsadd", ONE, ONE, 0x4000_0000, false, 0),
        (0x40, "efsmul", PMAX, PMAX, PMAX, true, FOVF),
        (0x40, "efsadd", ONE, NAN, NMAX, false, FINV),
        // Hardware does not round toward the infinities.
        (2, "efsadd", ONE, 0x3300_0000, ONE, true, FX | FINXS),
        (3, "efsadd", ONE, 0x3380_0000, ONE, true, FG | FINXS),
        (2, "efsmul", PMAX, PMAX, PMAX, false, FOVF),
        (2, "efsadd", ONE, ONE, 0x4000_0000, false, 0),
    ] {
        let mut m = Machine::new();
        m.state().spefscr = control;
        m.set(3, a);
        m.set(4, b);
        m.state().cia = 0x1000;
        let result = m.run(name, &[5, 3, 4]);
        assert_eq!(result, if interrupts { Err(Interrupt::EmbeddedFpRound) } else { Ok(()) }, "{name} {control:x}");
        // SRR0 is the next instruction.
        assert_eq!(m.state().cia, if interrupts { 0x1004 } else { 0x1000 });
        assert_eq!(m.get(5), expected, "{name} {control:x}");
        assert_eq!(m.state().spefscr, flags | control, "{name} {control:x}");
    }
    // Conversions that truncate have nothing to round.
    let mut m = Machine::new();
    m.state().spefscr = 2;
    m.set(4, 0x3fc0_0000);
    assert_eq!(m.run("efsctsiz", &[5, 4]), Ok(()));
    assert_eq!(m.run("efsctsi", &[5, 4]), Err(Interrupt::EmbeddedFpRound));
    assert_eq!(m.get(5), 1);
}

#[test]
fn comparisons_take_everything_for_a_number() {
    for (a, b, greater, less, equal, invalid) in [
        (ONE, ZERO, true, false, false, false),
        (MINUS, ZERO, false, false, true, false),
        (NMAX, ONE ^ MINUS, false, true, false, false),
        (INF, PMAX, true, false, false, true),
        (NAN, NMAX, false, true, false, true),
        (0x7fc0_0000, 0x7fc0_0000, false, false, true, true),
        (DENORM, ZERO, false, true, false, true),
    ] {
        for (name, bit) in [("gt", greater), ("lt", less), ("eq", equal)] {
            for (kind, flags) in [("cmp", if invalid { FINV } else { 0 }), ("tst", FG)] {
                let mut m = Machine::new();
                m.state().spefscr = FG;
                m.set(3, 0x7777 << 32 | a);
                m.set(4, b);
                m.run(&format!("efs{kind}{name}"), &[2, 3, 4]).unwrap();
                assert_eq!(m.state().cr[2], u8::from(bit) << 2, "efs{kind}{name} {a:x} {b:x}");
                assert_eq!(m.state().spefscr, flags, "efs{kind}{name} {a:x} {b:x}");

                m.set(3, a << 32 | ONE);
                m.set(4, b << 32 | ONE);
                m.run(&format!("evfs{kind}{name}"), &[2, 3, 4]).unwrap();
                let low = name == "eq";
                let field = u8::from(bit) << 3 | u8::from(low) << 2 | u8::from(bit || low) << 1 | u8::from(bit && low);
                assert_eq!(m.state().cr[2], field, "evfs{kind}{name} {a:x} {b:x}");
            }
        }
    }
    let mut m = Machine::new();
    m.set(3, 0x4000_0000_0000_0000);
    m.set(4, 0xc000_0000_ffff_ffff);
    m.run("efdcmpgt", &[1, 3, 4]).unwrap();
    assert_eq!(m.state().cr[1], 4);
}

/// SPEPEM, section 5.3.2.
#[test]
fn integers_and_fractions() {
    for (name, b, expected, flags) in [
        ("efsctsi", 0x4020_0000, 2, FG | FINXS),
        ("efsctsi", 0xc060_0000, 0xffff_fffc, FG | FINXS),
        ("efsctsiz", 0xc060_0000, 0xffff_fffd, FG | FINXS),
        ("efsctsi", 0x3e80_0000, 0, FX | FINXS),
        ("efsctsi", 0x4f00_0000, 0x7fff_ffff, FINV),
        ("efsctsi", 0xcf00_0000, 0x8000_0000, 0),
        ("efsctsi", 0xcf00_0001, 0x8000_0000, FINV),
        ("efsctsi", NAN, 0, FINV),
        ("efsctsi", INF | MINUS, 0x8000_0000, FINV),
        ("efsctsi", DENORM, 0, FINV),
        ("efsctui", 0x4f80_0000, 0xffff_ffff, FINV),
        ("efsctui", 0x4f7f_ffff, 0xffff_ff00, 0),
        ("efsctui", ONE | MINUS, 0, FINV),
        ("efsctui", INF | MINUS, 0, FINV),
        ("efsctuf", 0x3f00_0000, 0x8000_0000, 0),
        ("efsctuf", ONE, 0xffff_ffff, FINV),
        ("efsctsf", 0xbf00_0000, 0xc000_0000, 0),
        ("efsctsf", ONE | MINUS, 0x8000_0000, FINV),
        ("efsctsf", 0x2f80_0000, 0, FG | FINXS),
        ("efscfsi", 0xffff_ffff, 0xbf80_0000, 0),
        ("efscfui", 0xffff_ffff, 0x4f80_0000, FG | FX | FINXS),
        ("efscfui", 0, 0, 0),
        ("efscfsf", 0x8000_0000, 0xbf80_0000, 0),
        ("efscfsf", 0x4000_0000, 0x3f00_0000, 0),
        ("efscfuf", 0x8000_0000, 0x3f00_0000, 0),
        ("efscfuf", 1, 0x2f80_0000, 0),
    ] {
        let mut m = Machine::new();
        m.set(4, 0xaaaa_aaaa << 32 | b);
        m.set(5, 0x1234_5678 << 32);
        m.run(name, &[5, 4]).unwrap();
        assert_eq!((m.get(5), m.state().spefscr), (0x1234_5678 << 32 | expected, flags), "{name} {b:x}");
        let mut m = Machine::new();
        m.set(4, b << 32 | b);
        m.run(&format!("ev{}", &name[1..]), &[5, 4]).unwrap();
        assert_eq!(m.get(5), expected << 32 | expected, "ev {name} {b:x}");
        assert_eq!(m.state().spefscr, flags | flags << 16 & 0x3f00_0000, "ev {name} {b:x}");
    }
}

#[test]
fn doubles() {
    const ONE: u64 = 0x3ff0_0000_0000_0000;
    const PMAX: u64 = 0x7fef_ffff_ffff_ffff;
    const SIGN: u64 = 1 << 63;
    for (name, a, b, expected, flags) in [
        ("efdadd", ONE, ONE, 0x4000_0000_0000_0000, 0),
        ("efdadd", ONE, 0x3ca0_0000_0000_0001, ONE + 1, FG | FX | FINXS),
        ("efdsub", ONE, 0x7ff0_0000_0000_0000, PMAX | SIGN, FINV),
        ("efdmul", PMAX, ONE + 1, PMAX, FOVF),
        ("efdmul", 0x0010_0000_0000_0000, 0xbfe0_0000_0000_0000, SIGN, FUNF),
        ("efddiv", ONE, SIGN, PMAX | SIGN, FDBZ),
        ("efddiv", ONE, 0x4008_0000_0000_0000, 0x3fd5_5555_5555_5555, FX | FINXS),
        ("efdabs", ONE | SIGN, 0, ONE, 0),
        ("efdnabs", 1, 0, 1 | SIGN, 0),
        ("efdneg", ONE, 0, ONE | SIGN, 0),
    ] {
        let mut m = Machine::new();
        assert_eq!(m.compute(name, a, b), expected, "{name}");
        assert_eq!(m.state().spefscr, flags, "{name}");
    }
    const KEPT: u64 = 0x1234_5678 << 32;
    for (name, b, expected, flags) in [
        ("efdcfs", 0xffff_ffff_3f80_0000, ONE, 0),
        ("efdcfs", 0x7f80_0000, PMAX, FINV),
        ("efdcfs", 0x8000_0001, SIGN, FINV),
        ("efscfd", ONE | 0x1000_0001, KEPT | 0x3f80_0001, FG | FX | FINXS),
        ("efscfd", PMAX | SIGN, KEPT | 0xff7f_ffff, FOVF),
        ("efscfd", 0x3800_0000_0000_0000 | SIGN, KEPT | 0x8000_0000, FUNF),
        ("efscfd", 0x7ff8_0000_0000_0000, KEPT | 0x7f7f_ffff, FINV),
        ("efscfd", 1, KEPT, FINV),
        ("efdcfsi", 0xffff_ffff_8000_0000, 0xc1e0_0000_0000_0000, 0),
        ("efdcfui", 0xffff_ffff_8000_0000, 0x41e0_0000_0000_0000, 0),
        ("efdcfsf", 0xc000_0000, 0xbfe0_0000_0000_0000, 0),
        ("efdcfuf", 0xc000_0000, 0x3fe8_0000_0000_0000, 0),
        ("efdcfsid", u64::MAX, ONE | SIGN, 0),
        ("efdcfuid", u64::MAX, 0x43f0_0000_0000_0000, FG | FX | FINXS),
        ("efdctsi", 0xc004_0000_0000_0000, KEPT | 0xffff_fffe, FG | FINXS),
        ("efdctsiz", 0xbfff_ffff_ffff_ffff, KEPT | 0xffff_ffff, FG | FX | FINXS),
        ("efdctui", 0x41ef_ffff_ffe0_0000, KEPT | 0xffff_ffff, 0),
        ("efdctui", 0x41ef_ffff_fff0_0000, KEPT | 0xffff_ffff, FINV),
        ("efdctuiz", 0x41ef_ffff_fff0_0000, KEPT | 0xffff_ffff, FG | FINXS),
        ("efdctsf", 0x3fe0_0000_0000_0000, KEPT | 0x4000_0000, 0),
        ("efdctuf", 0x3fe0_0000_0000_0000, KEPT | 0x8000_0000, 0),
        ("efdctsidz", 0xc3e0_0000_0000_0000, SIGN, 0),
        ("efdctsidz", 0x43e0_0000_0000_0000, SIGN - 1, FINV),
        ("efdctuidz", 0x43ef_ffff_ffff_ffff, 0xffff_ffff_ffff_f800, 0),
    ] {
        let mut m = Machine::new();
        m.set(4, b);
        m.set(5, KEPT);
        m.run(name, &[5, 4]).unwrap();
        assert_eq!(m.get(5), expected, "{name} {b:x}");
        assert_eq!(m.state().spefscr, flags, "{name} {b:x}");
    }
}
