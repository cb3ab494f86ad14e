//! What Book3S-64 may switch off (Power ISA Book III, sections 6.2.10 and 6.5.21), what it reserves (Book I, section
//! 1.8.3), and the hashes of return addresses (3.1B Book I, section 3.3.17.2).

use exec::interrupt::program;
use exec::{Exit, Interrupt, mode};
use guest_mem::Order;
use ppc_isa::{Cpu, spr};

use super::{CODE, Machine, done};

const DATA: u64 = 0x2000;

const fn mfspr(rt: u32, number: u16) -> u32 {
    0x7c00_02a6 | rt << 21 | (number as u32 & 31) << 16 | (number as u32 >> 5) << 11
}

const fn mtspr(rs: u32, number: u16) -> u32 {
    mfspr(rs, number) | 0x100
}

/// A machine with something in registers 3 to 5.
fn machine(cpu: Cpu, order: Order, problem: bool, fscr: u64) -> Machine {
    let mut m = Machine::new(cpu, order, problem, fscr);
    m.vcpu.state.gpr[3] = 0x3333;
    m.vcpu.state.gpr[4] = DATA;
    m.vcpu.state.gpr[5] = 0xc000_0000_0012_3456;
    m
}

fn unavailable(exit: &Exit) -> Option<u8> {
    match exit {
        Exit::Interrupt(Interrupt::FacilityUnavailable(number)) => Some(*number),
        _ => None,
    }
}

/// tbegin. tend. tcheck tsuspend. tresume. tabort. tabortwc. tabortdc. tabortwci. tabortdci., and moves to and from
/// TFHAR and TEXASRU.
const TRANSACTIONAL: [u32; 13] = [
    0x7c00_051d,
    0x7c00_055d,
    0x7d80_059c,
    0x7c00_05dd,
    0x7c20_05dd,
    0x7c04_071d,
    0x7c64_2e1d,
    0x7c64_2e5d,
    0x7c64_2e9d,
    0x7c64_fedd,
    mfspr(3, 128),
    mtspr(3, 128),
    mfspr(3, 131),
];
/// treclaim. r4 and trechkpt.
const PRIVILEGED_TRANSACTIONAL: [u32; 2] = [0x7c04_075d, 0x7c00_07dd];

/// `MSR[TM]` is always 0: cause 5, in any state; but privilege is looked at first.
#[test]
fn transactional_memory_is_unavailable_before_power10() {
    for cpu in [Cpu::Power8, Cpu::Power9] {
        for problem in [true, false] {
            for word in TRANSACTIONAL {
                let exit = machine(cpu, Order::Big, problem, u64::MAX).one(word);
                assert_eq!(unavailable(&exit), Some(5), "{word:08x} {exit:?}");
            }
        }
        for word in PRIVILEGED_TRANSACTIONAL {
            let exit = machine(cpu, Order::Big, false, 0).one(word);
            assert_eq!(unavailable(&exit), Some(5), "{word:08x} {exit:?}");
            let exit = machine(cpu, Order::Big, true, 0).one(word);
            assert!(matches!(exit, Exit::Privileged(_)), "{word:08x} {exit:?}");
        }
    }
}

#[test]
fn power10_has_no_transactional_memory() {
    let instructions = TRANSACTIONAL.iter().take(10).chain(&PRIVILEGED_TRANSACTIONAL);
    for &word in instructions {
        let exit = machine(Cpu::Power10, Order::Big, false, 0).one(word);
        assert!(matches!(exit, Exit::Illegal { .. }), "{word:08x} {exit:?}");
    }
    // An SPR that is not there: nothing happens in privileged state, and problem state may not.
    assert!(done(&machine(Cpu::Power10, Order::Big, false, 0).one(mtspr(3, 128))));
    assert!(matches!(machine(Cpu::Power10, Order::Big, true, 0).one(mtspr(3, 128)), Exit::Privileged(_)));
}

/// Word, FSCR bit, cause: mfspr TAR, bctar to 0, mfspr DSCR, mfspr BESCR, rfebb, scv; and of no bit: mfbhrbe.
#[test]
fn fscr_controls_problem_state_only() {
    use mode::fscr::{DSCR, EBB, SCV, TAR};
    for (word, bit, cause) in [
        (mfspr(3, spr::TAR), TAR, 8),
        (0x4e80_0460, TAR, 8),
        (mfspr(3, spr::UDSCR), DSCR, 2),
        (mfspr(3, spr::BESCR), EBB, 7),
        (mtspr(3, spr::EBBHR), EBB, 7),
        (0x4c00_0124, EBB, 7),
        (0x4400_0001, SCV, 12),
        (0x7c60_025c, 0, 4),
    ] {
        let exit = machine(Cpu::Power9, Order::Big, true, !bit).one(word);
        assert_eq!(unavailable(&exit), Some(cause), "{word:08x} {exit:?}");
        let exit = machine(Cpu::Power9, Order::Big, false, 0).one(word);
        assert_eq!(unavailable(&exit), None, "{word:08x} {exit:?}");
        if bit != 0 {
            let exit = machine(Cpu::Power9, Order::Big, true, bit).one(word);
            assert_eq!(unavailable(&exit), None, "{word:08x} {exit:?}");
        }
    }
}

/// rfebb 1 goes to EBBRR and sets `BESCR[GE]`.
#[test]
fn event_based_branches_return() {
    let mut m = machine(Cpu::Power8, Order::Big, true, mode::fscr::EBB);
    m.vcpu.state.ebb = [5, 0, CODE + 4 + 3];
    assert!(done(&m.one(0x4c00_0924)));
    assert_eq!(m.vcpu.state.ebb[0], 1 << 63 | 5);
}

#[test]
fn reserved_no_operations_do_nothing() {
    for cpu in Cpu::BOOK3S_64 {
        for problem in [true, false] {
            let sprs = [808, 809, 810, 811].map(|number| [mfspr(3, number), mtspr(3, number)]);
            let words = [530, 562, 594, 626].map(|opcode| [0x7fff_f801 | opcode << 1, 0x7c64_2800 | opcode << 1]);
            for word in sprs.into_iter().chain(words).flatten() {
                let mut m = machine(cpu, Order::Big, problem, 0);
                let before = m.vcpu.state.gpr;
                assert!(done(&m.one(word)), "{} {word:08x}", cpu.name());
                assert_eq!(m.vcpu.state.gpr, before);
            }
        }
    }
}

/// hashst r5,-8(r4), hashchk r5,-8(r4) and their privileged twins, and the bit of DEXCR that enables them.
const HASH: [(u32, u32, u64); 2] = [(0x7fe4_2da5, 0x7fe4_2de5, 5), (0x7fe4_2d25, 0x7fe4_2d65, 6)];

#[test]
fn hashes_are_stored_and_checked() {
    for order in [Order::Big, Order::Little] {
        for (store, check, aspect) in HASH {
            let mut m = machine(Cpu::Power10, order, false, 0);
            assert!(done(&m.one(store)), "a no-operation by DEXCR");
            assert_eq!(m.mem.load::<u64>(DATA - 8, order), Some(0));
            m.vcpu.state.dexcr = 1 << (63 - aspect);
            assert!(done(&m.one(store)));
            assert_ne!(m.mem.load::<u64>(DATA - 8, order), Some(0));
            assert!(done(&m.one(check)));
            m.vcpu.state.gpr[5] ^= 1;
            assert!(matches!(m.one(check), Exit::Interrupt(Interrupt::Program(program::TRAP))));
            m.vcpu.state.dexcr = !(1 << (63 - aspect));
            assert!(done(&m.one(check)));
        }
    }
}

#[test]
fn problem_state_has_its_own_aspects_of_dexcr() {
    let [(store, ..), (privileged, ..)] = HASH;
    for (dexcr, stored) in [(1 << 58, false), (1 << 26, true)] {
        let mut m = machine(Cpu::Power10, Order::Little, true, 0);
        m.vcpu.state.dexcr = dexcr;
        assert!(done(&m.one(store)));
        assert_eq!(m.mem.load::<u64>(DATA - 8, Order::Little) != Some(0), stored);
        assert!(done(&m.one(mfspr(3, spr::UDEXCR))));
        assert_eq!(m.vcpu.state.gpr[3], dexcr & 0xffff_ffff);
        assert!(matches!(m.one(privileged), Exit::Privileged(_)));
    }
}

#[test]
fn keys_belong_to_privileged_state() {
    let mut m = machine(Cpu::Power10, Order::Big, false, 0);
    assert!(done(&m.one(mtspr(5, spr::HASHKEYR))));
    assert!(done(&m.one(mtspr(3, spr::HASHPKEYR))), "of the hypervisor: nothing happens");
    assert_eq!(m.vcpu.state.hash_keys, [0xc000_0000_0012_3456, 0]);
    assert!(done(&m.one(mfspr(3, spr::HASHKEYR))));
    assert_eq!(m.vcpu.state.gpr[3], 0xc000_0000_0012_3456);
    assert!(matches!(machine(Cpu::Power10, Order::Big, true, 0).one(mfspr(3, 468)), Exit::Privileged(_)));
    // Without a base register the form is invalid.
    assert!(matches!(m.one(HASH[0].0 & !(31 << 16)), Exit::Illegal { .. }));
}

#[test]
fn hashes_do_nothing_before_power10() {
    for cpu in [Cpu::Power8, Cpu::Power9] {
        for word in HASH.into_iter().flat_map(|(store, check, _)| [store, check]) {
            let mut m = machine(cpu, Order::Big, true, 0);
            m.vcpu.state.dexcr = u64::MAX;
            assert!(done(&m.one(word)), "{} {word:08x}", cpu.name());
            assert_eq!(m.mem.load::<u64>(DATA - 8, Order::Big), Some(0));
        }
    }
}
