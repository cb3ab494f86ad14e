//! Densely packed decimal: three digits in ten bits, a declet (Power ISA Book I, appendix B).

/// The digits of a declet, as a number below 1000. All 1024 declets have one; 24 of them are not preferred.
const fn declet_digits(declet: u32) -> u32 {
    let high = declet >> 7 & 7;
    let middle = declet >> 4 & 7;
    let low = declet & 7;
    // Of a large digit, 8 or 9, only the last bit is kept; what that frees holds bits of a small one.
    let (a, b, c) = match (declet >> 3 & 1, low >> 1, middle >> 1) {
        (0, _, _) => (high, middle, low),
        (_, 0, _) => (high, middle, 8 | low & 1),
        (_, 1, _) => (high, 8 | middle & 1, middle & 6 | low & 1),
        (_, 2, _) => (8 | high & 1, middle, high & 6 | low & 1),
        (_, _, 0) => (8 | high & 1, 8 | middle & 1, high & 6 | low & 1),
        (_, _, 1) => (8 | high & 1, high & 6 | middle & 1, 8 | low & 1),
        (_, _, 2) => (high, 8 | middle & 1, 8 | low & 1),
        _ => (8 | high & 1, 8 | middle & 1, 8 | low & 1),
    };
    100 * a + 10 * b + c
}

/// The preferred declet of three digits, `number` below 1000.
const fn declet(number: u32) -> u32 {
    let (a, b, c) = (number / 100 % 10, number / 10 % 10, number % 10);
    // Per digit: the three low bits of a small one, the last bit of a large one.
    let (high, middle, low) = (a & 7, b & 7, c & 7);
    let (a0, b0, c0) = (a & 1, b & 1, c & 1);
    match (a > 7, b > 7, c > 7) {
        (false, false, false) => high << 7 | middle << 4 | low,
        (false, false, true) => high << 7 | middle << 4 | 0b1000 | c0,
        (false, true, false) => high << 7 | (low & 6 | b0) << 4 | 0b1010 | c0,
        (true, false, false) => (low & 6 | a0) << 7 | middle << 4 | 0b1100 | c0,
        (true, true, false) => (low & 6 | a0) << 7 | b0 << 4 | 0b1110 | c0,
        (true, false, true) => (middle & 6 | a0) << 7 | (0b010 | b0) << 4 | 0b1110 | c0,
        (false, true, true) => high << 7 | (0b100 | b0) << 4 | 0b1110 | c0,
        (true, true, true) => a0 << 7 | (0b110 | b0) << 4 | 0b1110 | c0,
    }
}

/// The digits of the declets in the low `width` bits.
pub fn decode(bits: u128, width: u32) -> u128 {
    let declets = (0..width / 10).rev().map(|i| (bits >> (10 * i)) as u32 & 0x3ff);
    declets.fold(0, |digits, declet| digits * 1000 + u128::from(declet_digits(declet)))
}

/// The preferred declets of the digits that `width` bits hold.
pub fn encode(digits: u128, width: u32) -> u128 {
    let mut rest = digits;
    (0..width / 10).fold(0, |bits, i| {
        let three = (rest % 1000) as u32;
        rest /= 1000;
        bits | u128::from(declet(three)) << (10 * i)
    })
}
