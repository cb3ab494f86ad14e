//! Products and the accumulator.

use super::{Machine, OV, OVH};

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
