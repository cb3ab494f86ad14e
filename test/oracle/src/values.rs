//! Chance, and values that are likely to find a fault.

use exec::dfp::{EXTENDED, Format, Kind, LONG, Number, SHORT};

/// SplitMix64: small, seedable, good enough to choose test cases.
pub struct Chance(u64);

impl Chance {
    /// The sequence that belongs to `seed`.
    pub fn new(seed: u64) -> Chance {
        Chance(seed)
    }

    /// 64 random bits.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `n`.
    pub fn below(&mut self, n: usize) -> usize {
        (self.bits() % n.max(1) as u64) as usize
    }

    /// Whether something that happens `n` times in 100 happens now.
    pub fn percent(&mut self, n: usize) -> bool {
        self.below(100) < n
    }

    /// One of `choices`.
    pub fn one_of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len())]
    }
}

pub(crate) const INTEGERS: [u64; 22] = [
    0,
    1,
    2,
    3,
    u64::MAX,
    u64::MAX - 1,
    i64::MAX as u64,
    i64::MIN as u64,
    i64::MIN as u64 + 1,
    i32::MAX as u64,
    0x8000_0000,
    0xffff_ffff,
    0x1_0000_0000,
    i32::MIN as i64 as u64,
    0xffff_ffff_0000_0000,
    0x7f,
    0x80,
    0xff,
    0x7fff,
    0x8000,
    0xffff,
    0x0123_4567_89ab_cdef,
];

pub(crate) const DOUBLES: [u64; 24] = [
    0x0000_0000_0000_0000, // zero
    0x0000_0000_0000_0001, // least subnormal
    0x000f_ffff_ffff_ffff, // greatest subnormal
    0x0010_0000_0000_0000, // least normal
    0x36a0_0000_0000_0000, // least single subnormal
    0x380f_ffff_ffff_ffff, // just below the least single normal
    0x3810_0000_0000_0000, // least single normal
    0x3ca0_0000_0000_0000, // 2^-53
    0x3fe0_0000_0000_0000, // 0.5
    0x3ff0_0000_0000_0000, // 1
    0x3ff0_0000_0000_0001, // 1 + ulp
    0x3ff8_0000_0000_0000, // 1.5
    0x4004_0000_0000_0000, // 2.5
    0x41df_ffff_ffc0_0000, // 2^31 - 1
    0x41e0_0000_0000_0000, // 2^31
    0x41f0_0000_0000_0000, // 2^32
    0x43e0_0000_0000_0000, // 2^63
    0x43f0_0000_0000_0000, // 2^64
    0x47ef_ffff_e000_0000, // greatest single
    0x47f0_0000_0000_0000, // just above
    0x7fef_ffff_ffff_ffff, // greatest double
    0x7ff0_0000_0000_0000, // infinity
    0x7ff8_0000_0000_0000, // quiet NaN
    0x7ff0_0000_0000_0001, // signalling NaN
];

pub(crate) const SINGLES: [u32; 16] = [
    0x0000_0000,
    0x0000_0001,
    0x007f_ffff,
    0x0080_0000,
    0x3380_0000, // 2^-24
    0x3f00_0000,
    0x3f80_0000,
    0x3f80_0001,
    0x4020_0000,
    0x4f00_0000, // 2^31
    0x4f80_0000, // 2^32
    0x7f7f_ffff,
    0x7f80_0000,
    0x7fc0_0000,
    0x7f80_0001,
    0x5f00_0000, // 2^63
];

/// Both doublewords of quad-precision numbers.
pub(crate) const QUADS: [(u64, u64); 24] = [
    (0x0000_0000_0000_0000, 0),            // zero
    (0x0000_0000_0000_0000, 1),            // least subnormal
    (0x0000_ffff_ffff_ffff, u64::MAX),     // greatest subnormal
    (0x0001_0000_0000_0000, 0),            // least normal
    (0x3bcd_0000_0000_0000, 0),            // least double subnormal
    (0x3c00_ffff_ffff_ffff, u64::MAX),     // just below the least double normal
    (0x3c01_0000_0000_0000, 0),            // least double normal
    (0x3f8e_0000_0000_0000, 0),            // 2^-113
    (0x3ffe_0000_0000_0000, 0),            // 0.5
    (0x3fff_0000_0000_0000, 0),            // 1
    (0x3fff_0000_0000_0000, 1),            // 1 + ulp
    (0x3fff_8000_0000_0000, 0),            // 1.5
    (0x4000_4000_0000_0000, 0),            // 2.5
    (0x401d_ffff_fffc_0000, 0),            // 2^31 - 1
    (0x401e_0000_0000_0000, 0),            // 2^31
    (0x401f_0000_0000_0000, 0),            // 2^32
    (0x403d_ffff_ffff_ffff, 0xfffc << 48), // 2^63 - 1
    (0x403e_0000_0000_0000, 0),            // 2^63
    (0x403f_0000_0000_0000, 0),            // 2^64
    (0x43fe_ffff_ffff_ffff, 0xf000 << 48), // greatest double
    (0x7ffe_ffff_ffff_ffff, u64::MAX),     // greatest
    (0x7fff_0000_0000_0000, 0),            // infinity
    (0x7fff_8000_0000_0000, 0),            // quiet NaN
    (0x7fff_0000_0000_0000, 1),            // signalling NaN
];

pub(crate) const HALVES: [u16; 9] = [0, 1, 0x3ff, 0x400, 0x3c00, 0x7bff, 0x7c00, 0x7e00, 0x7c01];

/// A value for a general purpose register.
pub fn integer(chance: &mut Chance) -> u64 {
    match chance.below(8) {
        0..=2 => chance.one_of(&INTEGERS),
        3 => chance.below(130) as u64,
        4 => 1 << chance.below(64),
        5 => chance.bits() as i32 as u64,
        6 => decimal(chance, 16) as u64,
        _ => chance.bits(),
    }
}

/// `digits` decimal digits, one in sixteen of them spoilt.
fn decimal(chance: &mut Chance, digits: u32) -> u128 {
    let spoilt = chance.percent(10);
    (0..digits).fold(0, |n, _| (n << 4) | chance.below(if spoilt { 16 } else { 10 }) as u128)
}

fn double(chance: &mut Chance) -> u64 {
    match chance.below(6) {
        0..=1 => chance.one_of(&DOUBLES) ^ (chance.bits() & 1 << 63),
        2 => f64::from(single(chance)).to_bits(),
        // Exponents near each other, so that sums cancel and round.
        3 => (chance.bits() & 0x800f_ffff_ffff_ffff) | (1000 + chance.below(60) as u64) << 52,
        4 => ((chance.below(2000) as f64) - 1000.0).to_bits(),
        _ => chance.bits(),
    }
}

fn single(chance: &mut Chance) -> f32 {
    let bits = match chance.below(4) {
        0..=1 => chance.one_of(&SINGLES) ^ (chance.bits() as u32 & 1 << 31),
        2 => (chance.bits() as u32 & 0x807f_ffff) | (110 + chance.below(34) as u32) << 23,
        _ => chance.bits() as u32,
    };
    f32::from_bits(bits)
}

fn quad(chance: &mut Chance) -> [u64; 2] {
    let sign = chance.bits() & 1 << 63;
    let (high, low) = match chance.below(5) {
        0..=1 => chance.one_of(&QUADS),
        // Doubles' exponents.
        2 => ((16383 - 1023 + (double(chance) >> 52 & 0x7ff)) << 48 | chance.bits() >> 16, chance.bits()),
        // Exponents near each other, so that sums cancel and round.
        3 => ((16350 + chance.below(130) as u64) << 48 | chance.bits() >> 16, chance.bits()),
        // Few bits, and exponents near the ends.
        _ => (chance.one_of(&[0, 1, 40, 0x7fc0, 0x7ffe]) << 48 | chance.bits() & 0xffff << 32, chance.bits() << 60),
    };
    [high | sign, low]
}

/// A value for a vector-scalar register: integers, floats of every size, decimals.
pub fn vector(chance: &mut Chance) -> [u64; 2] {
    let lanes = |chance: &mut Chance, bits: u32, lane: fn(&mut Chance) -> u64| {
        let n = (0..128 / bits).fold(0u128, |n, _| (n << bits) | u128::from(lane(chance) & (u64::MAX >> (64 - bits))));
        [(n >> 64) as u64, n as u64]
    };
    match chance.below(13) {
        0..=3 => lanes(chance, 64, double),
        4..=5 => lanes(chance, 32, |c| u64::from(single(c).to_bits())),
        6 => lanes(chance, 16, |c| u64::from(c.one_of(&HALVES) ^ (c.bits() as u16 & 1 << 15))),
        7 => lanes(chance, 8, |c| c.one_of(&[0, 1, 0x7f, 0x80, 0xff, c.0 & 0xff])),
        8 => {
            let bits = chance.one_of(&[16, 32, 64]);
            lanes(chance, bits, integer)
        }
        9 => {
            let n = decimal(chance, 31) << 4 | chance.one_of(&[0xc, 0xd, 0xf, 0xa, 0xb, 0xe, 0]);
            [(n >> 64) as u64, n as u64]
        }
        10..=11 => quad(chance),
        _ => [chance.bits(), chance.bits()],
    }
}

/// Values for the 32 FPRs of a case with decimal floating point: most of them are numbers of one format, and near
/// enough to each other that sums cancel, products overflow and quotients underflow.
pub fn decimals(chance: &mut Chance, quad: bool) -> [u64; 32] {
    let theme = theme(chance, if quad { EXTENDED } else { LONG });
    let mut fprs = [0; 32];
    for pair in fprs.chunks_mut(2) {
        if chance.percent(if quad { 70 } else { 10 }) {
            let bits = if chance.percent(15) { packed(chance, 32) } else { decimal_number(chance, EXTENDED, theme) };
            pair.copy_from_slice(&[(bits >> 64) as u64, bits as u64]);
            continue;
        }
        for fpr in pair {
            *fpr = match chance.below(20) {
                0..=10 => decimal_number(chance, LONG, theme) as u64,
                11..=12 => decimal_number(chance, SHORT, theme) as u64 | chance.bits() << 32,
                13..=14 => packed(chance, 16) as u64,
                15 => chance.below(40) as u64,
                16 => u64::from(chance.bits() as u16 & 0x3ff),
                17 => chance.one_of(&[0, 767, 768, 12286, 12287, 12288]) + chance.below(3) as u64,
                18 => (chance.below(6) as u64).wrapping_neg(),
                _ => integer(chance),
            };
        }
    }
    fprs
}

/// Packed decimal of so many digits, the last of which may be a sign.
fn packed(chance: &mut Chance, digits: u32) -> u128 {
    let number = decimal(chance, digits) >> (4 * if chance.percent(50) { 0 } else { chance.below(32) });
    if chance.percent(50) { number } else { (number & !15) | (10 + chance.below(6) as u128) }
}

/// What the numbers of a case have in common.
fn theme(chance: &mut Chance, format: Format) -> Number {
    let exponents = [0, 0, format.min_exponent(), format.max_exponent(), format.min_exponent() / 2];
    let exponent = match chance.below(7) {
        n @ 0..5 => exponents[n],
        5 => format.max_exponent() / 2,
        _ => format.min_exponent() + chance.below((format.max_exponent() - format.min_exponent()) as usize) as i32,
    };
    Number::finite(false, coefficient(chance, format.precision), exponent)
}

/// A coefficient of at most `precision` digits.
fn coefficient(chance: &mut Chance, precision: u32) -> u128 {
    let ten = |n| 10u128.pow(n);
    let length = if chance.percent(40) { precision } else { 1 + chance.below(precision as usize) as u32 };
    let random = (u128::from(chance.bits()) << 64 | u128::from(chance.bits())) % ten(length);
    let zeros = ten(chance.below(length as usize) as u32);
    match chance.below(10) {
        0 => chance.below(12) as u128,
        1 => ten(length - 1),
        2 => ten(length) - 1 - chance.below(3) as u128,
        3 => 5 * ten(length - 1),
        4 => ten(length) - zeros,
        5 => random / zeros * zeros,
        // A few digits, and halves of what is dropped behind them.
        6 => random / zeros * zeros + zeros / 2,
        7 => random / zeros * zeros + zeros / 2 + chance.below(2) as u128,
        _ => random,
    }
    .min(ten(precision) - 1)
}

/// A number near 2^63 or 2^127, as near as a coefficient and its exponent can be.
fn integer_limit(chance: &mut Chance, format: Format) -> (u128, i32) {
    let limit = chance.one_of(&[1u128 << 63, 1 << 127]);
    let exponent = limit.ilog10() as i32 + 1 - format.precision as i32;
    let near = match u32::try_from(exponent) {
        Ok(dropped) => limit / 10u128.pow(dropped),
        Err(_) => limit * 10u128.pow(exponent.unsigned_abs()),
    };
    // Units, and halves of one where there are digits behind the point.
    let unit = if exponent < 0 { 5 * 10u128.pow(exponent.unsigned_abs() - 1) } else { 1 };
    (near + chance.below(5) as u128 * unit - 2 * unit + chance.below(2) as u128, exponent)
}

/// A number of `format`, infinities, NaNs and other encodings than the canonical ones among them.
fn decimal_number(chance: &mut Chance, format: Format, theme: Number) -> u128 {
    let range = format.min_exponent()..=format.max_exponent();
    let near =
        |chance: &mut Chance| chance.below(2 * format.precision as usize + 9) as i32 - format.precision as i32 - 4;
    let kind = match chance.below(100) {
        0..5 => Kind::Infinity,
        5..10 => Kind::QuietNan,
        10..14 => Kind::SignallingNan,
        _ => Kind::Finite,
    };
    let exponent = match chance.below(10) {
        0..=4 => theme.exponent + near(chance),
        5 => *range.start() + chance.below(format.precision as usize + 3) as i32,
        6 => *range.end() - chance.below(format.precision as usize + 3) as i32,
        7 => near(chance),
        8 => SHORT.min_exponent() + near(chance),
        _ => range.start() + chance.below((range.end() - range.start()) as usize) as i32,
    };
    let coefficient = match chance.below(10) {
        0 => theme.coefficient,
        1 => theme.coefficient.saturating_sub(1 + chance.below(2) as u128),
        2 => theme.coefficient + 1,
        _ => coefficient(chance, format.precision),
    };
    let exponent = exponent.clamp(*range.start(), *range.end());
    let coefficient = match kind {
        Kind::Infinity if chance.percent(70) => 0,
        _ => coefficient % 10u128.pow(format.precision),
    };
    let (coefficient, exponent) =
        if kind == Kind::Finite && chance.percent(6) { integer_limit(chance, format) } else { (coefficient, exponent) };
    let mut bits = Number { kind, negative: chance.percent(50), exponent, coefficient }.pack(format);
    let raw = u128::from(chance.bits()) << 64 | u128::from(chance.bits());
    match chance.below(100) {
        0..8 => raw & (u128::MAX >> (128 - format.bits())),
        8..14 => {
            // The 24 declets of three large digits that are not preferred, and reserved bits of infinities and NaNs.
            let trailing = format.bits() - 6 - format.continuation_bits;
            for at in (0..trailing).step_by(10) {
                if bits >> at & 0x6e == 0x6e {
                    bits ^= raw & 0x300 << at;
                }
            }
            if kind != Kind::Finite {
                bits |= raw & ((1 << (format.continuation_bits - 1)) - 1) << trailing;
            }
            bits
        }
        _ => bits,
    }
}
