//! Chance, and values that are likely to find a fault.

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

const INTEGERS: [u64; 22] = [
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

const DOUBLES: [u64; 24] = [
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

const SINGLES: [u32; 16] = [
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
const QUADS: [(u64, u64); 24] = [
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

const HALVES: [u16; 9] = [0, 1, 0x3ff, 0x400, 0x3c00, 0x7bff, 0x7c00, 0x7e00, 0x7c01];

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
