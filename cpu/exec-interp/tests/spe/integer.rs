//! Words, comparisons, divisions.

use super::{Machine, OV, OVH};

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
