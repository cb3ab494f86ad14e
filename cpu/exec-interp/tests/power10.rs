//! What Power ISA 3.1 added to VSX: order in memory, units, faults in the middle, FPSCR; prefixed instructions at the ends
//! of pages.

use exec::fp::fpscr;
use exec::{Context, Engine, Exit, Interrupt, PartitionState, Privileged, Requests, Vcpu};
use exec_interp::Interpreter;
use guest_mem::{GuestMem, Order};
use ppc_isa::encode::encode;
use ppc_isa::{Cpu, msr};

const CODE: u64 = 0x1000;
const DATA: u64 = 0x4000;
/// A page with nothing mapped behind it or before it.
const ISLAND: u64 = 0x8000;
const UNITS: u64 = msr::FP | msr::VEC | msr::VSX;
/// Process table, root of the radix tree, lower levels.
const TABLES: u64 = 0x8_0000;
const ORDERS: [Order; 2] = [Order::Big, Order::Little];
/// SRR1 bits 34 and 35.
const PREFIXED: u64 = 1 << (63 - 34);
const BOUNDARY: u64 = 1 << (63 - 35);

fn insn(name: &str, values: &[i64]) -> u64 {
    encode(ppc_isa::row(name).unwrap(), values).unwrap_or_else(|| panic!("{name} {values:?}"))
}

struct Machine {
    mem: GuestMem,
    vcpu: Vcpu,
    order: Order,
    partition: PartitionState,
}

impl Machine {
    /// Relocation is on; pages of code and data and the island are mapped one to one.
    fn new(order: Order, units: u64) -> Machine {
        let mem = GuestMem::new(1 << 20).unwrap();
        let mut vcpu = Vcpu::new(Cpu::Power10, 0);
        let little = if order == Order::Little { msr::LE } else { 0 };
        vcpu.set_msr(vcpu.shared.msr() | units | little | msr::IR | msr::DR);
        vcpu.state.gpr[4] = DATA;
        for i in 0..64 {
            assert!(mem.store(DATA + i, order, i as u8));
        }
        // Levels of 13, 9, 9 and 9 bits (Power ISA 3.1 Book III, section 6.7.10).
        let partition = PartitionState::new(None, true);
        partition.set_process_table(true, TABLES, 0x1000);
        let store = |at, value: u64| assert!(mem.store(at, Order::Big, value));
        let (root, last) = (TABLES + 0x1_0000, TABLES + 0x4_0000);
        store(TABLES, 0x4000_0000_0000_00a0 | root | 13);
        store(root, 1 << 63 | (TABLES + 0x2_0000) | 9);
        store(TABLES + 0x2_0000, 1 << 63 | (TABLES + 0x3_0000) | 9);
        store(TABLES + 0x3_0000, 1 << 63 | last | 9);
        for page in [CODE, DATA, DATA + 0x1000, ISLAND] {
            store(last + page / 0x1000 * 8, 0xc000_0000_0000_0187 | page);
        }
        Machine { mem, vcpu, order, partition }
    }

    /// Runs one instruction at `at`, and `sc`, if there is anything.
    fn run_at(&mut self, at: u64, insn: u64) -> Exit {
        let prefix = (insn >> 32 != 0).then_some((insn >> 32) as u32);
        for (i, word) in prefix.into_iter().chain([insn as u32, 0x4400_0002]).enumerate() {
            assert!(self.mem.store(at + 4 * i as u64, self.order, word));
        }
        self.vcpu.state.cia = at;
        let requests = Requests::default();
        let context = Context::alone(&self.mem, &self.partition, &requests, Privileged::Trap);
        Interpreter::new(Cpu::Power10).run(&mut self.vcpu, &context, 10)
    }

    fn run(&mut self, name: &str, values: &[i64]) -> Exit {
        self.run_at(CODE, insn(name, values))
    }

    fn does(&mut self, name: &str, values: &[i64]) {
        let exit = self.run(name, values);
        assert!(matches!(exit, Exit::SystemCall(_)), "{name} {values:?}: {exit:?}");
    }

    /// SRR1 after the interrupt was delivered.
    fn srr1(&mut self, exit: &Exit) -> u64 {
        let Exit::Interrupt(interrupt) = *exit else { panic!("{exit:?}") };
        exec::delivery::deliver(&mut self.vcpu, &self.partition, interrupt);
        self.vcpu.shared.srr1()
    }

    fn vsr(&self, n: usize) -> u128 {
        u128::from(self.vcpu.state.vsr[n][0]) << 64 | u128::from(self.vcpu.state.vsr[n][1])
    }

    fn set_vsr(&mut self, n: usize, value: u128) {
        self.vcpu.state.vsr[n] = [(value >> 64) as u64, value as u64];
    }

    fn bytes(&self, at: u64) -> [u8; 32] {
        std::array::from_fn(|i| self.mem.load(at + i as u64, self.order).unwrap())
    }
}

const FIRST: u128 = 0x000102030405060708090a0b0c0d0e0f;
const SECOND: u128 = 0x101112131415161718191a1b1c1d1e1f;

/// Loads and stores of pairs with their operands for a pair that begins with VSR 34, at the address in r4.
const PAIRS: [(&str, &str, &[i64]); 3] =
    [("lxvp", "stxvp", &[34, 0, 4]), ("lxvpx", "stxvpx", &[34, 0, 4]), ("plxvp", "pstxvp", &[34, 0, 4, 0])];

#[test]
fn a_pair_is_one_number_in_guest_order() {
    for (load, store, values) in PAIRS {
        for order in ORDERS {
            let mut m = Machine::new(order, UNITS);
            m.does(load, values);
            let expected =
                if order == Order::Big { (FIRST, SECOND) } else { (SECOND.swap_bytes(), FIRST.swap_bytes()) };
            assert_eq!((m.vsr(34), m.vsr(35)), expected, "{load} {order:?}");
            m.vcpu.state.gpr[4] = DATA + 0x100;
            m.does(store, values);
            assert_eq!(m.bytes(DATA + 0x100), std::array::from_fn(|i| i as u8), "{store} {order:?}");
        }
    }
}

/// The bytes lie on both sides of an end of the island; DAR has the first of those that are not on it.
#[test]
fn a_fault_in_half_of_a_pair_changes_nothing() {
    for (load, store, values) in PAIRS {
        for order in ORDERS {
            for ea in [ISLAND - 24, ISLAND - 16, ISLAND - 3, ISLAND + 0xfe8, ISLAND + 0xff0, ISLAND + 0xffd] {
                for name in [load, store] {
                    let mut m = Machine::new(order, UNITS);
                    m.vcpu.state.gpr[4] = ea;
                    let before = (m.vcpu.state.vsr, m.bytes(ea));
                    m.set_vsr(34, FIRST);
                    m.set_vsr(35, SECOND);
                    let registers = m.vcpu.state.vsr;
                    let exit = m.run(name, values);
                    let Exit::Interrupt(Interrupt::DataStorage { dar, dsisr }) = exit else { panic!("{exit:?}") };
                    assert_eq!(dar, if ea < ISLAND { ea } else { ISLAND + 0x1000 }, "{name} {ea:x}");
                    assert_eq!(dsisr & 0x4200_0000, if name == load { 0x4000_0000 } else { 0x4200_0000 });
                    assert_eq!(m.bytes(ea), before.1, "{name} {ea:x}");
                    assert_eq!(m.vcpu.state.vsr, registers, "{name} {ea:x}");
                    let prefixed = if name.starts_with('p') { PREFIXED } else { 0 };
                    assert_eq!(m.srr1(&exit) & (PREFIXED | BOUNDARY), prefixed);
                }
            }
        }
    }
}

/// The register does not choose the unit, other than in ISA 3.0.
#[test]
fn all_belong_to_vsx() {
    for (name, values) in [
        ("lxvp", &[34, 0, 4][..]),
        ("lxvpx", &[34, 0, 4]),
        ("plxv", &[34, 0, 4, 0]),
        ("pstxv", &[34, 0, 4, 0]),
        ("plxsd", &[2, 0, 4, 0]),
        ("pstxssp", &[2, 0, 4, 0]),
        ("lxvrbx", &[34, 0, 4]),
        ("stxvrdx", &[34, 0, 4]),
        ("lxvkq", &[34, 1]),
        ("xxspltiw", &[34, 1]),
        ("xxblendvb", &[34, 34, 34, 34]),
        ("xxgenpcvbm", &[34, 2, 0]),
        ("xscmpeqqp", &[2, 2, 2]),
        ("xvtlsbb", &[2, 34]),
    ] {
        let mut m = Machine::new(Order::Little, UNITS & !msr::VSX);
        let exit = m.run(name, values);
        assert!(matches!(exit, Exit::Interrupt(Interrupt::VsxUnavailable)), "{name}: {exit:?}");
        let prefixed = if insn(name, values) >> 32 != 0 { PREFIXED } else { 0 };
        assert_eq!(m.srr1(&exit) & (PREFIXED | BOUNDARY), prefixed, "{name}");
        Machine::new(Order::Little, msr::VSX).does(name, values);
    }
}

#[test]
fn the_rightmost_element_is_in_guest_order() {
    for (bytes, big) in [("b", 0u64), ("h", 0x0001), ("w", 0x00010203), ("d", 0x0001020304050607)] {
        for order in ORDERS {
            let mut m = Machine::new(order, UNITS);
            m.set_vsr(34, u128::MAX);
            m.does(&format!("lxvr{bytes}x"), &[34, 0, 4]);
            let width = ["b", "h", "w", "d"].iter().position(|b| *b == bytes).unwrap();
            let little = big.swap_bytes() >> (64 - (8 << width));
            assert_eq!(m.vsr(34), if order == Order::Big { big } else { little }.into(), "{bytes} {order:?}");
            m.set_vsr(34, m.vsr(34) | !0 << 64);
            m.vcpu.state.gpr[4] = DATA + 0x100;
            m.does(&format!("stxvr{bytes}x"), &[34, 0, 4]);
            let stored: [u8; 32] = std::array::from_fn(|i| if i < 1 << width { i as u8 } else { 0 });
            assert_eq!(m.bytes(DATA + 0x100), stored, "{bytes} {order:?}");
        }
    }
}

#[test]
fn reserved_immediates_are_illegal() {
    let constants = [1..10, 16..25].into_iter().flatten().collect::<Vec<_>>();
    for uim in 0..32 {
        let exit = Machine::new(Order::Big, UNITS).run("lxvkq", &[34, uim]);
        assert_eq!(matches!(exit, Exit::SystemCall(_)), constants.contains(&uim), "lxvkq {uim}: {exit:?}");
        for name in ["xxgenpcvbm", "xxgenpcvdm"] {
            let exit = Machine::new(Order::Big, UNITS).run(name, &[34, 2, uim]);
            assert_eq!(matches!(exit, Exit::SystemCall(_)), uim < 4, "{name} {uim}: {exit:?}");
        }
    }
    let mut m = Machine::new(Order::Big, UNITS);
    for (uim, high) in [(3, 0x4000_8000u128), (9, 0x7fff_8000), (16, 0x8000_0000), (23, 0xc001_c000)] {
        m.does("lxvkq", &[34, uim]);
        assert_eq!(m.vsr(34), high << 96, "lxvkq {uim}");
    }
}

/// Halfwords 0 and 3 are chosen; what compression leaves undefined is 0 here.
#[test]
fn controls_expand_and_compress() {
    for (mode, expected) in [
        (0, 0x0001121314150203_18191a1b1c1d1e1f),
        (1, 0x0001_0607u128 << 96),
        (2, 0x03021d1c1b1a01001716151413121110),
        (3, 0x0f0e_0908),
    ] {
        let mut m = Machine::new(Order::Big, UNITS);
        m.set_vsr(34, 0x8000_0000_7fff_ffff << 64 | 0x7fff_0000_7fff_0000);
        m.does("xxgenpcvhm", &[1, 2, mode]);
        assert_eq!(m.vsr(1), expected, "{mode}");
    }
}

#[test]
fn bfloats_are_rounded_once_and_report_all_elements() {
    let (xx, ox, ux, snan) = (fpscr::XX, fpscr::OX | fpscr::XX, fpscr::UX | fpscr::XX, fpscr::VX | fpscr::VXSNAN);
    for (single, bfloat, status) in [
        (0x3f80_0000u128, 0x3f80u128, 0),
        (0x3f80_8000, 0x3f80, xx),
        (0x3f81_8000, 0x3f82, xx),
        (0x3f80_8001, 0x3f81, xx),
        (0x7f7f_ffff, 0x7f80, ox),
        (0xff80_0000, 0xff80, 0),
        (0x7f80_0001, 0x7fc0, snan),
        (0xffc1_2345, 0xffc1, 0),
        (0x0000_0001, 0x0000, ux),
        (0x8001_0000, 0x8001, 0),
    ] {
        for lane in [0, 32, 64, 96] {
            let mut m = Machine::new(Order::Big, UNITS);
            m.set_vsr(34, single << lane);
            m.does("xvcvspbf16", &[33, 34]);
            assert_eq!(m.vsr(33), bfloat << lane, "{single:x}");
            let fx = if status != 0 { fpscr::FX } else { 0 };
            assert_eq!(m.vcpu.state.fpscr, status | fx, "{single:x}");
        }
    }
    // An enabled exception keeps the target; with UE=1 a tiny result is enough.
    for (single, enable, written) in [
        (0x7f80_0001, fpscr::VE, false),
        (0x7f7f_ffff, fpscr::OE, false),
        (0x8001_0000, fpscr::UE, false),
        (1, 0, true),
    ] {
        let mut m = Machine::new(Order::Big, UNITS);
        m.vcpu.state.fpscr = enable;
        m.set_vsr(34, single);
        m.set_vsr(33, u128::MAX);
        m.does("xvcvspbf16", &[33, 34]);
        assert_eq!(m.vsr(33) != u128::MAX, written, "{single:x}");
    }
}

const NAN: u128 = 0x7fff_8000 << 96;

#[test]
fn quad_comparisons_and_extremes_keep_the_target_when_enabled() {
    for (name, values, result, status) in [
        ("xscmpgtqp", (NAN, 0), 0, fpscr::VX | fpscr::VXVC),
        ("xscmpgeqp", (0, NAN | 1), 0, fpscr::VX | fpscr::VXVC),
        ("xscmpeqqp", (NAN, NAN), 0, 0),
        ("xscmpeqqp", (0, 1 << 127), u128::MAX, 0),
        ("xscmpeqqp", (0x7fff << 112 | 1, 0), 0, fpscr::VX | fpscr::VXSNAN),
        ("xsmaxcqp", (0, 1 << 127), 1 << 127, 0),
        ("xsmincqp", (NAN, 5), 5, 0),
        ("xsmincqp", (5, 0x7fff << 112 | 1), 0x7fff << 112 | 1, fpscr::VX | fpscr::VXSNAN),
    ] {
        for enabled in [0, fpscr::VE] {
            let mut m = Machine::new(Order::Big, UNITS);
            m.vcpu.state.fpscr = enabled | fpscr::FPRF | fpscr::FR;
            m.set_vsr(34, 7);
            m.set_vsr(35, values.0);
            m.set_vsr(36, values.1);
            m.does(name, &[2, 3, 4]);
            let kept = enabled != 0 && status != 0;
            assert_eq!(m.vsr(34), if kept { 7 } else { result }, "{name} {values:x?}");
            let summary = if status != 0 { fpscr::FX } else { 0 } | if kept { fpscr::FEX } else { 0 };
            assert_eq!(m.vcpu.state.fpscr, enabled | fpscr::FPRF | fpscr::FR | status | summary, "{name}");
        }
    }
}

#[test]
fn quads_and_integers_of_128_bits() {
    let normal = 0x4000; // FPRF of +normal
    for (name, source, result, status) in [
        // 2^127 - 1 rounds up to 2^127, 2^128 - 1 to 2^128.
        ("xscvsqqp", u128::MAX >> 1, 0x407e << 112, fpscr::FX | fpscr::XX | fpscr::FR | fpscr::FI | normal),
        ("xscvuqqp", u128::MAX, 0x407f << 112, fpscr::FX | fpscr::XX | fpscr::FR | fpscr::FI | normal),
        ("xscvsqqp", u128::MAX, 0xbfff << 112, 0x8000),
        ("xscvqpsqz", 0x407e << 112, u128::MAX >> 1, fpscr::FX | fpscr::VX | fpscr::VXCVI),
        ("xscvqpsqz", 0xc07e << 112, 1 << 127, 0),
        ("xscvqpsqz", 0xbffe << 112, 0, fpscr::FX | fpscr::XX | fpscr::FI),
        ("xscvqpsqz", NAN, 1 << 127, fpscr::FX | fpscr::VX | fpscr::VXCVI),
        ("xscvqpuqz", 0x407e << 112, 1 << 127, 0),
        ("xscvqpuqz", 0x407f << 112, u128::MAX, fpscr::FX | fpscr::VX | fpscr::VXCVI),
        ("xscvqpuqz", 0xbfff << 112, 0, fpscr::FX | fpscr::VX | fpscr::VXCVI),
    ] {
        let mut m = Machine::new(Order::Big, UNITS);
        m.set_vsr(36, source);
        m.does(name, &[2, 4]);
        assert_eq!(m.vsr(34), result, "{name} {source:x}");
        assert_eq!(m.vcpu.state.fpscr, status, "{name} {source:x}");
    }
}

/// Of a prefix that is the last word of a page only the boundary counts: whether the page of the suffix can be fetched from
/// is not asked. A page that cannot be fetched from has no prefixed instructions.
#[test]
fn a_prefix_at_the_end_of_a_page() {
    let nop = insn("pnop", &[]);
    for order in ORDERS {
        let mut m = Machine::new(order, UNITS);
        let at = ISLAND + 0xffc;
        let exit = m.run_at(at, nop);
        assert!(matches!(exit, Exit::Interrupt(Interrupt::Alignment { .. })), "{exit:?}");
        assert_eq!(m.srr1(&exit) & (PREFIXED | BOUNDARY), PREFIXED | BOUNDARY);
        assert_eq!(m.vcpu.shared.srr0(), at);

        let mut m = Machine::new(order, UNITS);
        let exit = m.run_at(at - 4, nop);
        assert!(matches!(exit, Exit::Interrupt(Interrupt::InstructionStorage { .. })), "{exit:?}");
        assert_eq!(m.srr1(&exit) & (PREFIXED | BOUNDARY | 0x4000_0000), 0x4000_0000);
        assert_eq!(m.vcpu.shared.srr0(), at + 4);

        let mut m = Machine::new(order, UNITS);
        let exit = m.run_at(ISLAND + 0x1000, nop);
        assert!(matches!(exit, Exit::Interrupt(Interrupt::InstructionStorage { .. })), "{exit:?}");
        assert_eq!(m.srr1(&exit) & (PREFIXED | BOUNDARY), 0);
    }
}
