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

/// What the multiplication called `name`, after "evm", yields for two operands and the accumulator, by the letters of
/// its name (Signal Processing Engine PEM, section 5.2).
fn named(name: &str, a: u64, b: u64, acc: u64) -> u64 {
    let (rest, half) = match name.split_at(1) {
        ("h", rest) => (rest, true),
        (_, rest) => (rest, false),
    };
    let take = |rest: &mut &str, letter: &str| match rest.strip_prefix(letter) {
        Some(left) => {
            *rest = left;
            true
        }
        None => false,
    };
    let mut rest = rest;
    let even = half && take(&mut rest, "e");
    let odd = half && !even && take(&mut rest, "o");
    let high = !half && take(&mut rest, "h");
    let low = !half && !high && take(&mut rest, "l");
    let guarded = (even || odd) && take(&mut rest, "g");
    let signed = take(&mut rest, "s") || !take(&mut rest, "u");
    let saturate = take(&mut rest, "s") || !take(&mut rest, "m");
    let fraction = take(&mut rest, "f") || !take(&mut rest, "i");
    let extend = |value: u64, bits: u32| {
        let value = i128::from(value & (u64::MAX >> (64 - bits)));
        if signed && value >> (bits - 1) != 0 { value - (1 << bits) } else { value }
    };
    let clamp = |value: i128, bits: u32| {
        let (least, most) =
            if signed { (-(1i128 << (bits - 1)), (1i128 << (bits - 1)) - 1) } else { (0, (1i128 << bits) - 1) };
        if saturate { value.clamp(least, most) } else { value }
    };
    let operand = |x: u64, word: u32| {
        let word = x >> (32 * word) & 0xffff_ffff;
        match (half, even) {
            (true, true) => extend(word >> 16, 16),
            (true, false) => extend(word, 16),
            (false, _) => extend(word, 32),
        }
    };
    let bits = if half { 32 } else { 64 };
    let product = |word: u32| {
        let product = operand(a, word) * operand(b, word) * if fraction { 2 } else { 1 };
        if fraction { clamp(product, bits) } else { product }
    };
    let sign = if rest.starts_with("an") { -1 } else { 1 };
    let doubleword = guarded || !half && !high && !low;
    if doubleword {
        // Only the low words count; the accumulator is one number, and sums with it do not saturate.
        let sum = if rest.len() == 2 { extend(acc, 64) + sign * product(0) } else { product(0) };
        return sum as u64;
    }
    let words = [0, 1].map(|word| {
        let product = match (high, low) {
            (true, _) => product(word) >> 32,
            // The low word of the product, as the number that it then is.
            (_, true) => extend(product(word) as u64, 32),
            _ => product(word),
        };
        let own = extend(acc >> (32 * word), 32);
        let sum = if rest.len() == 3 { clamp(own + sign * product, 32) } else { product };
        sum as u64 & 0xffff_ffff
    });
    words[1] << 32 | words[0]
}

/// All multiplications against that, among them those that QEMU does not have.
#[test]
fn rows_do_what_their_names_say() {
    const TELLING: [u64; 7] = [0, 1, 0x7fff, 0x8000, 0xffff, 0x1234, 0xfedc];
    let mut state = 1u64;
    let mut random = || {
        state = state.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
        state >> 16
    };
    let mut value = || {
        (0..4).fold(0, |value, _| {
            let halfword =
                if random() & 1 == 0 { TELLING[random() as usize % TELLING.len()] } else { random() & 0xffff };
            value << 16 | halfword
        })
    };
    let ours = |row: &&ppc_isa::Row| matches!(row.op, ppc_isa::Op::Spe(_)) && row.name.starts_with("evm");
    let rows: Vec<_> = ppc_isa::rows()
        .filter(ours)
        .filter(|row| !["evmr", "evmra", "evmergehi", "evmergelo", "evmergehilo", "evmergelohi"].contains(&row.name))
        .collect();
    assert!(rows.len() > 80, "{}", rows.len());
    let mut m = Machine::new();
    for row in rows {
        for _ in 0..20 {
            let (a, b, acc) = (value(), value(), value());
            m.state().acc = acc;
            let found = m.compute(row.name, a, b);
            assert_eq!(found, named(&row.name[3..], a, b, acc), "{} {a:#x} {b:#x} {acc:#x}", row.name);
        }
    }
    // Sums of accumulator and operand.
    for (name, sum) in [("add", 1), ("subf", -1)] {
        for (kind, signed, saturate) in
            [("smiaaw", true, false), ("ssiaaw", true, true), ("umiaaw", false, false), ("usiaaw", false, true)]
        {
            for _ in 0..20 {
                let (a, acc) = (value(), value());
                m.state().acc = acc;
                let number = |x: u64, word: u32| match signed {
                    true => i64::from((x >> (32 * word)) as i32),
                    false => i64::from((x >> (32 * word)) as u32),
                };
                let (least, most) = if signed { (i32::MIN.into(), i32::MAX.into()) } else { (0, u32::MAX.into()) };
                let words = [0, 1].map(|word| {
                    let value = number(acc, word) + sum * number(a, word);
                    (if saturate { value.clamp(least, most) } else { value }) as u64 & 0xffff_ffff
                });
                let name = format!("ev{name}{kind}");
                assert_eq!(m.compute(&name, a, 0), words[1] << 32 | words[0], "{name} {a:#x} {acc:#x}");
            }
        }
    }
}
