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
        ("evaddiw", [5, 31, 4], 0x0000_002f_0000_001e),
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
    // Indices 0 to 7 in reversed order, times 8; the rest of the register stays.
    let expected = [0x20, 0x10, 0x30, 0x08, 0x28, 0x18, 0x38, 0x00];
    assert_eq!(seen, expected.map(|index| 0x1234_5678_8000_0001 | index));
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
