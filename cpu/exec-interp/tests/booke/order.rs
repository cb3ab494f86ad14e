//! Little-endian pages (the E attribute): loads, stores and instructions. What POWER9 does in little-endian mode, which is
//! held against QEMU by the oracle, is the expected value for every row that both have; the signal processing engine's
//! come from its Programming Environments Manual.

use exec::Interrupt;
use guest_mem::Order;
use ppc_isa::operand::{Kind, operands};
use ppc_isa::row::fact;
use ppc_isa::{Cpu, Row, encode, msr, rows};

use super::{CODE, DATA, Machine, RAM, asm, machines};

/// Where the little-endian page is mapped, one to one with DATA.
const PAGE: u64 = 0x4000_0000;
const BASE: u64 = 0x100;
const VALID_4K: u32 = 0x8000_0100;
const ALL: u32 = 0x3f;

/// Maps `pages` at PAGE, each little-endian or not.
fn map(m: &mut Machine, pages: &[bool]) {
    for (n, little) in (0..).zip(pages) {
        let offset = 0x1000 * n as u64;
        let mas2 = (PAGE + offset) | u64::from(*little);
        m.tlbwe(0x1000_0000 | (5 + n) << 16, VALID_4K, mas2, (DATA + offset) as u32 | ALL);
    }
}

fn pattern(n: usize) -> u64 {
    0x8192_a3b4_c5d6_e7f8u64.rotate_left(8 * n as u32) ^ n as u64
}

/// A word of `row`: registers 5 as data, base in 6, index in 7, displacements 16, and nothing else.
fn word(row: &'static Row) -> u32 {
    let values: Vec<i64> = operands(row)
        .map(|operand| match (operand.name, operand.kind) {
            ("RA" | "RA0", _) => 6,
            ("RB", _) => 7,
            (_, Kind::Gpr | Kind::Fpr | Kind::Vr) => 5,
            (_, Kind::Displacement | Kind::Offset) => 16,
            _ => 0,
        })
        .collect();
    encode::encode(row, &values).unwrap_or_else(|| panic!("{} {values:?}", row.name)) as u32
}

/// Registers before each case.
fn prepare(m: &mut Machine, base: u64) {
    for n in 0..32 {
        m.vcpu.state.gpr[n] = pattern(n);
        m.vcpu.state.vsr[n] = [pattern(n + 1), 0];
        m.vcpu.state.vsr[n + 32] = [pattern(n + 2), pattern(n + 3)];
    }
    (m.vcpu.state.gpr[6], m.vcpu.state.gpr[7]) = (base, 0x28);
    (0..0x80).for_each(|n| assert!(m.mem.store(DATA + 8 * n as u64, Order::Big, pattern(n))));
}

fn memory(m: &Machine) -> Vec<u8> {
    let mut found = vec![0; 0x400];
    assert!(m.mem.read(DATA, &mut found));
    found
}

/// Moves data between registers and memory, and so depends on the byte order.
fn moves(row: &&'static Row) -> bool {
    row.is(fact::LOAD | fact::STORE)
        && !row.is(fact::PRIV | fact::HV)
        && !row.prefixed()
        && !["lmw", "stmw"].contains(&row.name)
        && operands(row).any(|o| matches!(o.name, "RT" | "RS" | "FRT" | "FRS" | "VRT" | "VRS"))
}

#[test]
fn little_endian_pages_are_as_power9_in_little_endian_mode() {
    let mut compared = 0;
    for cpu in [Cpu::E500v2, Cpu::E5500, Cpu::E6500] {
        let mut m = Machine::new(cpu, exec::Privileged::Inline);
        m.msr(if cpu.sixty_four() { msr::CM | msr::FP | msr::VEC } else { 0 });
        map(&mut m, &[true]);
        let mut peer = Machine::new(Cpu::Power9, exec::Privileged::Inline);
        peer.msr(msr::SF | msr::LE | msr::FP | msr::VEC);
        for row in rows().filter(moves).filter(|row| row.models.contains(cpu)) {
            for before in [None, reserving(row)] {
                let names: Vec<&str> = before.into_iter().chain([row.name]).collect();
                let on = |cpu: Cpu| names.iter().map(|name| find(name, cpu).map(word)).collect::<Option<Vec<u32>>>();
                let (Some(code), Some(other)) = (on(cpu), on(Cpu::Power9)) else { continue };
                prepare(&mut m, PAGE + BASE);
                m.program(&code);
                prepare(&mut peer, DATA + BASE);
                for (at, word) in (CODE..).step_by(4).zip(other.into_iter().chain([asm("sc", &[0])])) {
                    assert!(peer.mem.store(at, Order::Little, word));
                }
                peer.vcpu.state.cia = CODE;
                assert!(matches!(peer.run(), exec::Exit::SystemCall(_)), "{}", row.name);
                let what = format!("{} {}", cpu.name(), row.name);
                assert_eq!(memory(&m), memory(&peer), "{what}");
                let mask = if cpu.sixty_four() { u64::MAX } else { 0xffff_ffff };
                for n in (0..32).filter(|n| *n != 6) {
                    assert_eq!(m.r(n), peer.vcpu.state.gpr[n] & mask, "{what} r{n}");
                }
                assert_eq!(m.r(6) - PAGE, peer.vcpu.state.gpr[6] - DATA, "{what} r6");
                if cpu.sixty_four() {
                    let floats = |m: &Machine| m.vcpu.state.vsr[..32].iter().map(|v| v[0]).collect::<Vec<u64>>();
                    assert_eq!(floats(&m), floats(&peer), "{what}");
                }
                if cpu == Cpu::E6500 {
                    assert_eq!(m.vcpu.state.vsr[32..], peer.vcpu.state.vsr[32..], "{what}");
                }
                assert_eq!(m.vcpu.state.cr[0], peer.vcpu.state.cr[0], "{what}");
                compared += 1;
            }
        }
    }
    assert!(compared > 200, "{compared}");
}

fn find(name: &str, cpu: Cpu) -> Option<&'static Row> {
    rows().find(|row| row.name == name && row.models.contains(cpu))
}

/// The load and reserve of a conditional store.
fn reserving(row: &Row) -> Option<&'static str> {
    let pairs = [("stbcx.", "lbarx"), ("sthcx.", "lharx"), ("stwcx.", "lwarx"), ("stdcx.", "ldarx")];
    pairs.into_iter().find(|(store, _)| *store == row.name).map(|(_, load)| load)
}

/// Signal Processing Engine PEM, section 2.4: each element is reversed by itself.
#[test]
fn elements_of_the_signal_processing_engine() {
    let mut m = Machine::new(Cpu::E500v2, exec::Privileged::Inline);
    m.msr(msr::SPE);
    map(&mut m, &[true]);
    let cases: [(&str, [u32; 2]); 6] = [
        ("evldd", [0x0706_0504, 0x0302_0100]),
        ("evldw", [0x0302_0100, 0x0706_0504]),
        ("evldh", [0x0100_0302, 0x0504_0706]),
        ("evlwhe", [0x0100_0000, 0x0302_0000]),
        ("evlwwsplat", [0x0302_0100, 0x0302_0100]),
        ("evlhhousplat", [0x0100, 0x0100]),
    ];
    let spe = |name: &str, values: &[i64]| {
        let row = rows().find(|row| row.name == name).unwrap();
        encode::encode(row, values).unwrap() as u32
    };
    for (name, [high, low]) in cases {
        assert!(m.mem.write(DATA + BASE, &[0, 1, 2, 3, 4, 5, 6, 7]));
        m.gpr(6, PAGE + BASE).program(&[spe(name, &[5, 0, 6])]);
        assert_eq!((m.vcpu.state.gpr_high[5], m.r(5) as u32), (high, low), "{name}");
    }
    let cases: [(&str, [u8; 8]); 3] = [
        ("evstdd", [7, 6, 5, 4, 3, 2, 1, 0]),
        ("evstdw", [3, 2, 1, 0, 7, 6, 5, 4]),
        ("evstdh", [1, 0, 3, 2, 5, 4, 7, 6]),
    ];
    for (name, expected) in cases {
        m.gpr(5, 0x0405_0607).gpr(6, PAGE + BASE);
        m.vcpu.state.gpr_high[5] = 0x0001_0203;
        m.program(&[spe(name, &[5, 0, 6])]);
        let mut found = [0; 8];
        m.mem.read(DATA + BASE, &mut found);
        assert_eq!(found, expected, "{name}");
    }
}

/// e500 Core Family Reference Manual, section 5.7.6: multiple accesses to little-endian pages.
#[test]
fn multiple_accesses_are_alignment_interrupts() {
    for mut m in machines() {
        map(&mut m, &[true]);
        for name in ["lmw", "stmw"] {
            m.gpr(6, PAGE + BASE);
            let fault = m.faults(&[asm(name, &[28, 0, 6])]);
            assert!(matches!(fault, Interrupt::Alignment { dar, .. } if dar == PAGE + BASE), "{name} {fault:?}");
        }
    }
}

/// An operand in pages of both orders: data storage interrupt, `ESR[BO]` (EREF, section 4.8.1).
#[test]
fn operands_in_both_orders_are_byte_ordering_exceptions() {
    for pages in [[false, true], [true, false]] {
        for mut m in machines() {
            map(&mut m, &pages);
            let before = memory(&m);
            m.gpr(5, 0x1234).gpr(6, PAGE + 0xffe);
            let fault = m.interrupted(&[asm("lwz", &[5, 0, 6])]);
            assert!(matches!(fault, Interrupt::DataStorage { .. }), "{fault:?}");
            assert_eq!((m.vcpu.shared.esr(), m.r(5)), (0x0002_0000, 0x1234));
            m.gpr(6, PAGE + 0xffe);
            m.interrupted(&[asm("stw", &[5, 0, 6])]);
            assert_eq!(m.vcpu.shared.esr(), 0x0082_0000);
            assert_eq!(memory(&m), before);
        }
    }
}

/// Instructions of a little-endian page, from which data of both kinds of pages are reached.
#[test]
fn instructions_of_a_little_endian_page() {
    for mut m in machines() {
        map(&mut m, &[true, false]);
        let code = [asm("lwz", &[3, 0, 6]), asm("lwz", &[4, 0, 7]), asm("addi", &[5, 3, 1]), asm("sc", &[0])];
        (0..).zip(code).for_each(|(n, word)| assert!(m.mem.store(DATA + 4 * n, Order::Little, word)));
        m.mem.store(DATA + BASE, Order::Little, 0x0102_0304u32);
        m.mem.store(DATA + 0x1000, Order::Big, 0x0506_0708u32);
        m.gpr(6, PAGE + BASE).gpr(7, PAGE + 0x1000);
        for _ in 0..2 {
            m.vcpu.state.cia = PAGE;
            let exit = m.run();
            assert!(matches!(exit, exec::Exit::SystemCall(_)), "{exit:?}");
            assert_eq!((m.r(3), m.r(4), m.r(5)), (0x0102_0304, 0x0506_0708, 0x0102_0305));
        }
    }
}

/// A page changes its order when its entry does.
#[test]
fn a_changed_entry_changes_the_order() {
    const { assert!(DATA < RAM) }
    for mut m in machines() {
        m.mem.store(DATA, Order::Big, 0x0102_0304u32);
        for (little, expected) in [(false, 0x0102_0304), (true, 0x0403_0201), (false, 0x0102_0304)] {
            map(&mut m, &[little]);
            m.gpr(6, PAGE).program(&[asm("lwz", &[3, 0, 6])]);
            assert_eq!(m.r(3), expected);
        }
    }
}

/// External process ID instructions on a little-endian page, with EPLC and EPSC naming the processor's own space: as the
/// plain ones.
#[test]
fn external_process_id_instructions() {
    let pairs = [
        ("lbepx", "lbzx"),
        ("lhepx", "lhzx"),
        ("lwepx", "lwzx"),
        ("ldepx", "ldx"),
        ("lfdepx", "lfdx"),
        ("lvepx", "lvx"),
        ("stbepx", "stbx"),
        ("sthepx", "sthx"),
        ("stwepx", "stwx"),
        ("stdepx", "stdx"),
        ("stfdepx", "stfdx"),
        ("stvepx", "stvx"),
    ];
    for (privileged, pair) in
        [exec::Privileged::Inline, exec::Privileged::Trap].into_iter().flat_map(|p| pairs.map(|pair| (p, pair)))
    {
        let mut m = Machine::new(Cpu::E6500, privileged);
        m.msr(msr::CM | msr::FP | msr::VEC);
        map(&mut m, &[true]);
        let mut done = |name: &str| {
            prepare(&mut m, PAGE + BASE);
            m.program(&[word(find(name, Cpu::E6500).unwrap())]);
            (m.vcpu.state.gpr, m.vcpu.state.vsr, memory(&m))
        };
        assert!(done(pair.0) == done(pair.1), "{}", pair.0);
    }
}
