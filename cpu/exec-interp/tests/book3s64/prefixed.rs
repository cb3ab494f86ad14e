//! Prefixed instructions (Power ISA 3.1 Book I, section 1.6; Book III, sections 6.2.10 and 7.5): facility, invalid forms,
//! boundary, and what SRR1 says of them.

use exec::mode::need;
use exec::{Exit, Interrupt, PartitionState};
use guest_mem::Order;
use ppc_isa::Cpu;

use super::{CODE, FSCR_PREFIX, Machine};

/// pli r3,-2 is paddi r3,0,-2,0.
const PLI: [u32; 2] = [0x0603_ffff, 0x3860_fffe];
/// SRR1 bit 34, counted from the left: the instruction is prefixed.
const PREFIXED: u64 = 1 << (63 - 34);
/// SRR1 bit 35: it crosses a boundary of 64 bytes.
const BOUNDARY: u64 = 1 << (63 - 35);

/// SRR1 after the interrupt of `exit` was delivered.
fn srr1(m: &mut Machine, exit: &Exit) -> u64 {
    let Exit::Interrupt(interrupt) = *exit else { panic!("{exit:?}") };
    exec::delivery::deliver(&mut m.vcpu, &PartitionState::new(None, true), interrupt);
    m.vcpu.shared.srr1()
}

#[test]
fn one_runs_in_either_order_and_takes_eight_bytes() {
    for order in [Order::Big, Order::Little] {
        let mut m = Machine::new(Cpu::Power10, order, true, FSCR_PREFIX);
        assert!(matches!(m.run(CODE, &PLI), Exit::SystemCall(_)));
        assert_eq!(m.vcpu.state.gpr[3], -2i64 as u64);
        assert_eq!(m.vcpu.state.cia, CODE + 8);
    }
}

#[test]
fn problem_state_needs_fscr() {
    let mut m = Machine::new(Cpu::Power10, Order::Big, true, 0);
    let exit = m.run(CODE, &PLI);
    assert!(matches!(exit, Exit::Interrupt(Interrupt::FacilityUnavailable(13))), "{exit:?}");
    assert_eq!(srr1(&mut m, &exit) & (PREFIXED | BOUNDARY), PREFIXED);
    assert_eq!(m.vcpu.state.fscr >> 56, 13);
    let mut m = Machine::new(Cpu::Power10, Order::Big, false, 0);
    assert!(matches!(m.run(CODE, &PLI), Exit::SystemCall(_)));
}

#[test]
fn a_prefix_is_illegal_before_power10() {
    for cpu in [Cpu::Power8, Cpu::Power9, Cpu::Ppc7450] {
        let mut m = Machine::new(cpu, Order::Big, true, FSCR_PREFIX);
        assert!(matches!(m.run(CODE, &PLI), Exit::Illegal { word: 0x0603_ffff }), "{}", cpu.name());
    }
}

/// R=1 with a base register; a suffix that no instruction has; a prefix of a reserved type.
#[test]
fn invalid_forms_are_illegal() {
    for words in [[0x0610_0000, 0x3864_0000], [0x0600_0000, 0x0000_0000], [0x0720_0000, 0x3860_0000]] {
        let mut m = Machine::new(Cpu::Power10, Order::Big, true, FSCR_PREFIX);
        let exit = m.run(CODE, &words);
        assert!(matches!(exit, Exit::Illegal { word } if word == words[0]), "{words:x?}: {exit:?}");
        assert_eq!(m.vcpu.state.cia, CODE);
    }
    // R=1 without a base register adds to the address of the prefix.
    let mut m = Machine::new(Cpu::Power10, Order::Big, true, FSCR_PREFIX);
    assert!(matches!(m.run(CODE, &[0x0610_0000, 0x3860_0010]), Exit::SystemCall(_)));
    assert_eq!(m.vcpu.state.gpr[3], CODE + 0x10);
}

#[test]
fn it_may_not_cross_64_bytes() {
    let mut m = Machine::new(Cpu::Power10, Order::Big, true, FSCR_PREFIX);
    let exit = m.run(CODE + 60, &PLI);
    assert!(matches!(exit, Exit::Interrupt(Interrupt::Alignment { .. })), "{exit:?}");
    assert_eq!(srr1(&mut m, &exit) & (PREFIXED | BOUNDARY), PREFIXED | BOUNDARY);
    assert_eq!(m.vcpu.shared.srr0(), CODE + 60);
    let mut m = Machine::new(Cpu::Power10, Order::Big, true, FSCR_PREFIX);
    assert!(matches!(m.run(CODE + 56, &PLI), Exit::SystemCall(_)));
}

/// pld r3,0 from an address that no memory has, and ld from there.
#[test]
fn srr1_tells_whether_the_cause_was_prefixed() {
    for (words, bits) in [(&[0x0400_0000, 0xe464_0000][..], PREFIXED), (&[0xe864_0000][..], 0)] {
        let mut m = Machine::new(Cpu::Power10, Order::Big, true, FSCR_PREFIX);
        m.vcpu.state.gpr[4] = 1 << 40;
        let exit = m.run(CODE, words);
        assert_eq!(srr1(&mut m, &exit) & (PREFIXED | BOUNDARY), bits, "{exit:?}");
        assert_eq!(m.vcpu.shared.srr0(), CODE);
    }
}

/// Suffixes that prefixes of types 0 to 2 can have, by primary opcode (Power ISA 3.1 Book I, appendix on opcode maps);
/// each type has one subtype.
const SUFFIXES: [&[u32]; 3] = [
    &[41, 42, 43, 46, 47, 50, 51, 54, 55, 56, 57, 58, 60, 61, 62],
    &[32, 33, 34],
    &[14, 32, 34, 36, 38, 40, 42, 44, 48, 50, 52, 54],
];

/// Whatever follows a prefix: executed, or illegal at the address of the prefix.
#[test]
fn every_type_has_its_suffixes() {
    let mut m = Machine::new(Cpu::Power10, Order::Little, true, FSCR_PREFIX);
    m.vcpu.state.unavailable &= !(need::FP | need::VEC | need::VSX);
    for (kind, suffixes) in SUFFIXES.into_iter().enumerate() {
        for (subtype, suffix) in (0..16).flat_map(|subtype| (0..64).map(move |suffix| (subtype, suffix))) {
            let prefix = 1 << 26 | (kind as u32) << 24 | subtype << 20;
            // The subtype of loads and stores is one bit, and R=1 is valid without a base.
            let known = if kind == 1 { subtype == 0 } else { subtype < 8 };
            // A displacement, so that relative stores miss the code.
            let exit = m.run(CODE, &[prefix, suffix << 26 | 0x100]);
            if known && suffixes.contains(&suffix) {
                assert!(matches!(exit, Exit::SystemCall(_)), "{prefix:x} {suffix}: {exit:?}");
            } else {
                assert!(matches!(exit, Exit::Illegal { word } if word == prefix), "{prefix:x} {suffix}: {exit:?}");
                assert_eq!((m.vcpu.state.cia, m.vcpu.state.prefix_status), (CODE, PREFIXED as u32));
            }
        }
    }
}

/// An exit that the machine keeps for itself, a step for a debugger say, leaves no mark on later interrupts.
#[test]
fn the_mark_does_not_outlive_the_run() {
    let mut m = Machine::new(Cpu::Power10, Order::Big, true, FSCR_PREFIX);
    m.vcpu.state.mode = m.vcpu.state.mode.stepping(true);
    assert!(matches!(m.run(CODE, &PLI), Exit::Interrupt(Interrupt::Trace)));
    m.vcpu.state.mode = m.vcpu.state.mode.stepping(false);
    assert!(matches!(m.run(CODE, &[]), Exit::SystemCall(_)));
    assert_eq!(srr1(&mut m, &Exit::Interrupt(Interrupt::Decrementer)) & (PREFIXED | BOUNDARY), 0);
}
