//! What reaches the guest: units switched off, the interrupts of floating point and alignment, SPEFSCR as an SPR.

use exec::delivery::booke::esr;
use exec::delivery::deliver;
use exec::{Exit, Interrupt, PartitionState};
use ppc_isa::Cpu;
use ppc_isa::spr::booke as spr;

use super::{CODE, DATA, Machine};

/// A page that may be read only, beyond the one that maps everything.
const READ_ONLY: u64 = 0x2000_0000;

#[test]
fn scalar_singles_do_without_the_unit() {
    let mut m = Machine::new();
    m.vcpu.set_msr(0);
    m.set(3, 0x1111_1111_3f80_0000);
    m.set(5, 0x7777_7777_0000_0000);
    for name in ["efsadd", "efsdiv", "brinc"] {
        assert_eq!(m.run(name, &[5, 3, 3]), Ok(()), "{name}");
        assert_eq!(m.get(5) >> 32, 0x7777_7777, "{name}");
    }
    assert_eq!(m.run("efscfsi", &[5, 3]), Ok(()));
    let off: [(&str, &[i64]); 8] = [
        ("evaddw", &[5, 3, 3]),
        ("evmra", &[5, 3]),
        ("evldd", &[5, 0, 3]),
        ("evstdd", &[5, 0, 3]),
        ("evfsadd", &[5, 3, 3]),
        ("efdadd", &[5, 3, 3]),
        ("efdcfs", &[5, 3]),
        ("efscfd", &[5, 3]),
    ];
    for (name, values) in off {
        assert_eq!(m.run(name, values), Err(Interrupt::SpeUnavailable), "{name}");
    }
}

#[test]
fn vectors_and_syndromes() {
    for (control, name, values, ivor, return_to, syndrome) in [
        (0x20, "efsadd", [5, 3, 4], spr::IVOR32 + 1, CODE, esr::SPV),
        (0x40, "efsadd", [5, 3, 7], spr::IVOR32 + 2, CODE + 4, esr::SPV),
        (0, "evldd", [5, 0, 6], spr::IVOR0 + 5, CODE, esr::SPV),
        (0, "evstwwe", [5, 4, 6], spr::IVOR0 + 5, CODE, esr::SPV | esr::ST),
        (0, "evstdd", [5, 0, 8], spr::IVOR0 + 2, CODE, esr::SPV | esr::ST),
    ] {
        let mut m = Machine::new();
        m.read_only(READ_ONLY);
        m.state().spefscr = control;
        m.set(3, 0x3f80_0000);
        m.set(4, 0x7fc0_0000);
        m.set(6, DATA + 2);
        m.set(7, 0x3380_0000);
        m.set(8, READ_ONLY);
        m.state().booke.keep(Cpu::E500v2, ivor, 0x340).unwrap();
        let Err(interrupt) = m.run(name, &values) else { panic!("{name} completes") };
        deliver(&mut m.vcpu, &PartitionState::new(None, false), interrupt);
        assert_eq!(m.state().cia, 0x340, "{name}");
        assert_eq!(m.vcpu.shared.srr0(), return_to, "{name}");
        assert_eq!(m.vcpu.shared.esr(), syndrome, "{name}");
    }
}

#[test]
fn the_status_register_is_the_users() {
    let mut m = Machine::new();
    m.set(3, 0x1234_5678_0020_0063);
    let spefscr = i64::from(spr::SPEFSCR);
    m.run("mtspr", &[spefscr, 3]).unwrap();
    assert_eq!(m.state().spefscr, 0x0020_0063);
    m.set(4, 0x9999_9999_0000_0000);
    m.run("mfspr", &[4, spefscr]).unwrap();
    assert_eq!(m.get(4), 0x9999_9999_0020_0063);
}

/// Fused multiplication came with later cores.
#[test]
fn instructions_of_later_cores_are_illegal() {
    let mut m = Machine::new();
    m.mem.store(CODE, guest_mem::Order::Big, 0x1085_3282u32);
    let exit = m.exit_at(CODE);
    assert!(matches!(exit, Exit::Illegal { word: 0x1085_3282 }), "{exit:?}");
}

/// What Linux does with the registers of a process between two others.
#[test]
fn a_context_switch_keeps_all_bits() {
    let mut m = Machine::new();
    let value = |n: usize| 0x0101_0101_0000_0000 * n as u64 + 0xffff_0000 + n as u64;
    m.state().acc = 0x0123_4567_89ab_cdef;
    for n in (0..32).filter(|n| *n != 10) {
        m.set(n, value(n));
    }
    m.set(10, 0);
    // High words go out through the low ones, and the accumulator through a product of zeros.
    m.run("evxor", &[6, 6, 6]).unwrap();
    m.run("evmwumiaa", &[6, 6, 6]).unwrap();
    assert_eq!(m.get(6), 0x0123_4567_89ab_cdef);
    m.set(4, DATA);
    m.set(3, 8);
    m.run("evstddx", &[6, 4, 3]).unwrap();
    m.run("evmergehi", &[7, 7, 7]).unwrap();
    assert_eq!(m.get(7), 0x0707_0707_0707_0707);

    m.state().acc = 0;
    m.set(10, DATA);
    m.set(5, 8);
    m.run("evlddx", &[4, 10, 5]).unwrap();
    m.run("evmra", &[4, 4]).unwrap();
    assert_eq!(m.state().acc, 0x0123_4567_89ab_cdef);
    m.set(10, 0x0808_0808);
    m.run("evmergelo", &[8, 10, 8]).unwrap();
    assert_eq!(m.get(8), value(8));
}
