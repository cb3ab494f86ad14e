//! Embedded floating point.

use exec::Interrupt;

use super::{CODE, Machine};

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
        assert_eq!((m.get(5), m.state().cr[5], m.state().cia), (77, 9, CODE), "{name}");
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
        let result = m.run(name, &[5, 3, 4]);
        assert_eq!(result, if interrupts { Err(Interrupt::EmbeddedFpRound) } else { Ok(()) }, "{name} {control:x}");
        // It returns to the next instruction; the same where the system call stands.
        assert_eq!(m.state().cia, CODE + 4);
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
