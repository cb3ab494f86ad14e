//! The operations against two other implementations: the host's own doubles and singles under round to nearest, and
//! `rustc_apfloat` in every rounding mode and format; exceptions against the words of the architecture.

use rustc_apfloat::ieee::{Double, Half, Quad, Single};
use rustc_apfloat::{Float as Reference, Round, Status, StatusAnd};

use super::fpscr::*;
use super::*;

/// xorshift64*.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// Bits of `format` that are often special, near a power of two, or near `near`.
    fn operand(&mut self, format: Format, near: u128) -> u128 {
        let random = u128::from(self.next()) << 64 | u128::from(self.next());
        let top = format.exponent_bits + format.fraction_bits;
        let (sign, fraction_mask) = ((random & 1) << top, (1u128 << format.fraction_bits) - 1);
        let exponents = (1u128 << format.exponent_bits) - 1;
        let fraction = match self.next() % 6 {
            0 => 0,
            1 => fraction_mask,
            2 => 1 << (self.next() % u64::from(format.fraction_bits)),
            3 => fraction_mask & !(1 << (self.next() % u64::from(format.fraction_bits))),
            _ => random >> 3 & fraction_mask,
        };
        let exponent = match self.next() % 12 {
            0 => 0,
            1 => exponents,
            2 => exponents - 1,
            3 | 4 => exponents / 2 + u128::from(self.next() % 5) - 2,
            5..8 => ((near >> format.fraction_bits) + u128::from(self.next() % 5)).saturating_sub(2) & exponents,
            _ => u128::from(self.next()) & exponents,
        };
        sign | exponent << format.fraction_bits | fraction
    }
}

const MODES: [(Rounding, Round); 5] = [
    (Rounding::NearestEven, Round::NearestTiesToEven),
    (Rounding::TowardZero, Round::TowardZero),
    (Rounding::Up, Round::TowardPositive),
    (Rounding::Down, Round::TowardNegative),
    (Rounding::NearestAway, Round::NearestTiesToAway),
];

fn context(format: Format, rounding: Rounding) -> Context {
    Context { format, rounding, overflow_enabled: false, underflow_enabled: false }
}

/// The NaN that `bits` of format `from` give in format `to`: quiet, with as much of the payload as there is room for
/// (section 4.3.2).
fn quieted(bits: u128, from: Format, to: Format) -> u128 {
    let width = |format: Format| format.exponent_bits + format.fraction_bits;
    let sign = bits >> width(from) << width(to);
    let fraction = bits & ((1 << from.fraction_bits) - 1);
    let fraction = fraction << (128 - from.fraction_bits) >> (128 - to.fraction_bits);
    sign | default_nan().pack(to) | fraction
}

/// Compares bits, exceptions, FR and FI with an operation of the reference in `mode`. Of NaNs among the `operands` (in
/// the order of their precedence, of format `from`) the first is the result.
fn agree<F: Reference>(
    what: &str,
    ours: Outcome,
    theirs: impl Fn(Round) -> StatusAnd<F>,
    mode: Round,
    operands: &[u128],
    [from, format]: [Format; 2],
) {
    let bits = ours.value.pack(format);
    let StatusAnd { status, value } = theirs(mode);
    let truncated = theirs(Round::TowardZero).value;
    let nan = operands.iter().find(|bits| Float::unpack(**bits, from).is_nan());
    let expected = match nan {
        Some(nan) => quieted(*nan, from, format),
        None if value.is_nan() => default_nan().pack(format),
        None => value.to_bits(),
    };
    assert_eq!(bits, expected, "{what}: ours, theirs {value}");
    for (theirs, bit) in [(Status::INEXACT, XX), (Status::DIV_BY_ZERO, ZX), (Status::INVALID_OP, VX_ALL)] {
        assert_eq!(status.contains(theirs), ours.raised & bit != 0, "{what}: {theirs:?} of {bits:x}");
    }
    // The reference calls an overflow to the largest number inexact only.
    let to_largest = ours.value.exponent == format.max_exponent() && status.contains(Status::INEXACT);
    let overflow = ours.raised & OX != 0;
    assert!(status.contains(Status::OVERFLOW) == overflow || (overflow && to_largest), "{what}: {bits:x}");
    assert_eq!(ours.raised & FI != 0, ours.raised & XX != 0, "{what}");
    // What is tiny before rounding is denormal or zero when truncated. The reference detects tininess afterwards.
    let inexact = status.contains(Status::INEXACT);
    let tiny = truncated.is_denormal() || (truncated.is_zero() && inexact);
    assert_eq!(ours.raised & UX != 0, tiny && inexact, "{what}: underflow of {bits:x}");
    if !overflow && !value.is_nan() {
        assert_eq!(ours.raised & FR != 0, inexact && expected != truncated.to_bits(), "{what}: increment of {bits:x}");
    }
}

fn against_reference<F: Reference>(format: Format, cases: u32) {
    let mut random = Random(0x5eed + u64::from(format.fraction_bits));
    for _ in 0..cases {
        let a = random.operand(format, 0);
        let b = random.operand(format, a);
        let c = random.operand(format, a);
        let [fa, fb, fc] = [a, b, c].map(|x| Float::unpack(x, format));
        let [ra, rb, rc] = [a, b, c].map(F::from_bits);
        for (ours, theirs) in MODES {
            let x = context(format, ours);
            let label = |op: &str| format!("{op} {a:x} {b:x} {c:x} {ours:?}");
            let formats = [format; 2];
            agree(&label("add"), x.add(fa, fb), |r| ra.add_r(rb, r), theirs, &[a, b], formats);
            agree(&label("sub"), x.sub(fa, fb), |r| ra.sub_r(rb, r), theirs, &[a, b], formats);
            agree(&label("mul"), x.mul(fa, fb), |r| ra.mul_r(rb, r), theirs, &[a, b], formats);
            agree(&label("div"), x.div(fa, fb), |r| ra.div_r(rb, r), theirs, &[a, b], formats);
            // The reference leaves open whether infinity times zero plus NaN is invalid; Power says that it is.
            if !rb.is_nan() {
                let (sum, difference) = (x.multiply_add(fa, fc, fb), x.multiply_sub(fa, fc, fb));
                agree(&label("fma"), sum, |r| ra.mul_add_r(rc, rb, r), theirs, &[a, c], formats);
                agree(&label("fms"), difference, |r| ra.mul_add_r(rc, -rb, r), theirs, &[a, c], formats);
            }
            let integral = x.round_to_integral(fa, true);
            let [rounded, truncated] = [theirs, Round::TowardZero].map(|r| ra.round_to_integral(r).value.to_bits());
            let bits = if ra.is_nan() { quieted(a, format, format) } else { rounded };
            assert_eq!(integral.value.pack(format), bits, "{}", label("integral"));
            let inexact = if !ra.is_nan() && rounded != a { XX | FI } else { 0 };
            let signalling = if fa.is_signalling() { VXSNAN } else { 0 };
            let incremented = if !ra.is_nan() && rounded != truncated { FR } else { 0 };
            assert_eq!(integral.raised, inexact | signalling | incremented, "{}", label("integral"));
        }
    }
}

#[test]
fn arithmetic_agrees_with_reference() {
    against_reference::<Half>(HALF, 20_000);
    against_reference::<Single>(SINGLE, 20_000);
    against_reference::<Double>(DOUBLE, 20_000);
    against_reference::<Quad>(QUAD, 10_000);
}

/// FR says whether the magnitude grew over truncation; rounding to odd is truncation with a sticky last bit.
#[test]
fn increments_and_odd_rounding_follow_from_truncation() {
    let mut random = Random(21);
    for _ in 0..50_000 {
        let a = random.operand(QUAD, 0);
        let [a, b] = [a, random.operand(QUAD, a)].map(|x| Float::unpack(x, QUAD));
        let truncated = context(QUAD, Rounding::TowardZero).mul(a, b);
        if truncated.value.is_nan() || truncated.raised & OX != 0 {
            continue;
        }
        let bits = truncated.value.pack(QUAD);
        for (mode, _) in MODES {
            let out = context(QUAD, mode).mul(a, b);
            assert_eq!(out.value.pack(QUAD), bits + u128::from(out.raised & FR != 0), "{mode:?}");
        }
        let odd = context(QUAD, Rounding::ToOdd).mul(a, b).value.pack(QUAD);
        assert_eq!(odd, bits | u128::from(truncated.raised & XX != 0));
    }
}

#[test]
fn conversion_between_formats_agrees_with_reference() {
    use rustc_apfloat::FloatConvert;
    fn narrow<F: FloatConvert<T>, T: Reference>(from: Format, to: Format) {
        let mut random = Random(77);
        for _ in 0..50_000 {
            let a = random.operand(from, (1 << (from.exponent_bits - 1)) << from.fraction_bits);
            for (ours, theirs) in MODES {
                let rounded = context(to, ours).round(Float::unpack(a, from));
                let convert = |r| F::from_bits(a).convert_r(r, &mut false);
                agree(&format!("convert {a:x}"), rounded, convert, theirs, &[a], [from, to]);
            }
        }
    }
    narrow::<Double, Single>(DOUBLE, SINGLE);
    narrow::<Double, Half>(DOUBLE, HALF);
    narrow::<Quad, Double>(QUAD, DOUBLE);
    narrow::<Single, Quad>(SINGLE, QUAD);
}

#[test]
fn nearest_agrees_with_host() {
    let x = context(DOUBLE, Rounding::NearestEven);
    let y = context(SINGLE, Rounding::NearestEven);
    let mut random = Random(99);
    let same = |what: &str, ours: u64, theirs: f64| {
        assert!(ours == theirs.to_bits() || (f64::from_bits(ours).is_nan() && theirs.is_nan()), "{what}: {ours:x}");
    };
    for _ in 0..200_000 {
        let a = random.operand(DOUBLE, 0);
        let [a, b, c] = [a, random.operand(DOUBLE, a), random.operand(DOUBLE, a)].map(|x| x as u64);
        let [fa, fb, fc] = [a, b, c].map(Float::of_double);
        let [ha, hb, hc] = [a, b, c].map(f64::from_bits);
        let label = format!("{a:x} {b:x} {c:x}");
        same(&label, x.add(fa, fb).value.to_double(), ha + hb);
        same(&label, x.mul(fa, fb).value.to_double(), ha * hb);
        same(&label, x.div(fa, fb).value.to_double(), ha / hb);
        same(&label, x.multiply_add(fa, fc, fb).value.to_double(), ha.mul_add(hc, hb));
        same(&label, x.sqrt(fa).value.to_double(), ha.sqrt());
        let root = y.sqrt(y.round(fa).value).value.to_single();
        let host = (ha as f32).sqrt();
        assert!(root == host.to_bits() || host.is_nan(), "{label}: root {root:x}");
        assert_eq!(compare(fa, fb, false, 0).0, ha.partial_cmp(&hb), "{label}");
        assert!(y.round(fa).value.to_single() == (ha as f32).to_bits() || ha.is_nan(), "{label}");
    }
}

/// Square roots in directed modes are the neighbours whose squares enclose the operand.
#[test]
fn square_root_is_exact_in_every_mode() {
    let mut random = Random(5);
    for format in [HALF, SINGLE, DOUBLE, QUAD] {
        for _ in 0..5_000 {
            let a = Float::unpack(
                random.operand(format, 0) & !(1 << (format.exponent_bits + format.fraction_bits)),
                format,
            );
            if a.kind != Kind::Finite {
                continue;
            }
            let down = context(format, Rounding::Down).sqrt(a);
            let up = context(format, Rounding::Up).sqrt(a);
            let square = |r: Outcome, mode| context(QUAD, mode).multiply_sub(r.value, r.value, a);
            // The sign of r*r - a is exact whatever the rounding.
            let (below, above) = (square(down, Rounding::Down), square(up, Rounding::Up));
            if down.raised & XX == 0 {
                assert_eq!((below.value.kind, down.value), (Kind::Zero, up.value));
            } else {
                assert!(below.value.negative && !above.value.negative, "{a:?}");
                assert_eq!(up.value.pack(format), down.value.pack(format) + 1);
                assert!(up.raised & FR != 0 && down.raised & FR == 0);
            }
        }
    }
}

#[test]
fn integers_agree_with_host() {
    let mut random = Random(31);
    let integer = |bits, signed| Integer { bits, signed };
    for _ in 0..200_000 {
        let near = 0x43e0_0000_0000_0000 - (u128::from(random.next() % 64) << 52);
        let a = random.operand(DOUBLE, near) as u64;
        let (fa, h) = (Float::of_double(a), f64::from_bits(a));
        let to = |bits, signed| integer(bits, signed).from_float(fa, Rounding::TowardZero);
        if !h.is_nan() {
            assert_eq!(to(32, true).0 as u32, h as i32 as u32, "{h}");
            assert_eq!(to(32, false).0 as u32, h as u32, "{h}");
            assert_eq!(to(64, true).0 as u64, h as i64 as u64, "{h}");
            assert_eq!(to(64, false).0 as u64, h as u64, "{h}");
            assert_eq!(
                to(64, true).1 & VXCVI != 0,
                !(-9_223_372_036_854_775_808.0..9_223_372_036_854_775_808.0).contains(&h)
            );
            assert_eq!(to(32, false).1 & VXCVI != 0, !(h > -1.0 && h < 4_294_967_296.0), "{h}");
            let nearest = integer(64, true).from_float(fa, Rounding::NearestEven).0 as i64;
            assert_eq!(nearest, h.round_ties_even() as i64);
            let away = integer(64, true).from_float(fa, Rounding::NearestAway).0 as i64;
            assert_eq!(away, h.round() as i64);
        }
        let x = context(DOUBLE, Rounding::NearestEven);
        let y = context(SINGLE, Rounding::NearestEven);
        let (signed, unsigned) = (integer(64, true).value(a.into()), integer(64, false).value(a.into()));
        assert_eq!(x.round(signed).value.to_double(), (a as i64 as f64).to_bits());
        assert_eq!(x.round(unsigned).value.to_double(), (a as f64).to_bits());
        assert_eq!(y.round(signed).value.to_single(), (a as i64 as f32).to_bits());
        assert_eq!(y.round(unsigned).value.to_single(), (a as f32).to_bits());
    }
    assert_eq!(integer(64, true).from_float(default_nan(), Rounding::Up), (1 << 63, VXCVI));
    assert_eq!(integer(32, false).from_float(default_nan(), Rounding::Up), (0, VXCVI));
}

#[test]
fn singles_keep_their_bits() {
    let mut random = Random(3);
    for _ in 0..100_000 {
        let single = random.operand(SINGLE, 0) as u32;
        let double = double_of_single(single);
        assert_eq!(single_of_double(double), single, "{single:x} {double:x}");
        if !f32::from_bits(single).is_nan() {
            assert_eq!(double, f64::from(f32::from_bits(single)).to_bits());
        }
    }
    assert_eq!(double_of_single(0x7f80_0001), 0x7ff0_0000_2000_0000);
}

const SNAN: u64 = 0x7ff0_0000_0000_1234;
const QNAN: u64 = 0xfff8_0000_0000_5678;
const INFINITY: u64 = 0x7ff0_0000_0000_0000;
const ONE: u64 = 0x3ff0_0000_0000_0000;

/// Section 4.3.2: the first NaN of A, B, C is the result, made quiet.
#[test]
fn nans_take_precedence_in_order() {
    let x = Context::scalar(DOUBLE, 0);
    let f = Float::of_double;
    let fma = |a, c, b| {
        let out = x.multiply_add(f(a), f(c), f(b));
        (out.value.to_double(), out.raised)
    };
    assert_eq!(fma(QNAN, SNAN, ONE), (QNAN, VXSNAN));
    assert_eq!(fma(ONE, QNAN, SNAN), (SNAN | 1 << 51, VXSNAN));
    assert_eq!(fma(ONE, QNAN, ONE), (QNAN, 0));
    assert_eq!(fma(INFINITY, 0, QNAN), (QNAN, VXIMZ));
    assert_eq!(fma(0, INFINITY, SNAN), (SNAN | 1 << 51, VXIMZ | VXSNAN));
    assert_eq!(fma(INFINITY, 0, ONE), (0x7ff8 << 48, VXIMZ));
    assert_eq!(fma(INFINITY, ONE, INFINITY | 1 << 63), (0x7ff8 << 48, VXISI));
    let out = x.sub(f(ONE), f(QNAN));
    assert_eq!((out.value.to_double(), out.fprf), (QNAN, 0x11000));
    assert_eq!(x.div(f(0), f(0)).raised, VXZDZ);
    assert_eq!(x.div(f(INFINITY), f(INFINITY)).raised, VXIDI);
    assert_eq!(x.sqrt(f(INFINITY | 1 << 63)).raised, VXSQRT);
    assert_eq!(x.sqrt(f(1 << 63)).value.to_double(), 1 << 63);
    // frsp cuts the payload; a payload that vanishes leaves a NaN.
    assert_eq!(Context::scalar(SINGLE, 0).round(f(SNAN)).value.to_double(), 0x7ff8 << 48);
    assert_eq!(x.multiply_sub(f(ONE), f(ONE), f(QNAN)).negated(DOUBLE).value.to_double(), QNAN);
}

/// Section 4.4.3 and 4.4.4: enabled overflow and underflow adjust the exponent by 1536 or 192.
#[test]
fn enabled_exceptions_adjust_the_exponent() {
    let huge = Float::of_double(0x7fe0_0000_0000_0000); // 2^1023
    let tiny = Float::of_double(0x0010_0000_0000_0000); // 2^-1022
    let enabled = Context::scalar(DOUBLE, OE | UE);
    let out = enabled.mul(huge, huge);
    assert_eq!((out.value.exponent, out.raised, out.fprf), (2046 - 1536, OX, 0x4000));
    let out = enabled.mul(tiny, tiny.negated());
    assert_eq!((out.value.exponent, out.raised, out.fprf), (-2044 + 1536, UX, 0x8000));
    let single = Context::scalar(SINGLE, OE | UE);
    assert_eq!(single.round(Float::scaled(false, 1, 200)).value.exponent, 200 - 192);
    assert_eq!(single.round(Float::scaled(false, 1, -130)).value.exponent, -130 + 192);
    // An exact denormal is tiny: an exception when enabled, none when not.
    let denormal = Context::scalar(SINGLE, 0).round(Float::scaled(false, 1, -130));
    assert_eq!((denormal.raised, denormal.fprf), (0, 0x14000));
    // Tiny before rounding although it rounds to the smallest normal number.
    let below = Float::scaled(false, (1 << 60) - 1, -1022 - 60);
    let out = Context::scalar(DOUBLE, 0).round(below);
    assert_eq!((out.value, out.raised), (tiny, UX | XX | FI | FR));
}

#[test]
fn exceptions_merge_into_fpscr() {
    assert_eq!(merge(0, XX | FI | FR, Some(0x4000)), FX | XX | FI | FR | 0x4000);
    assert_eq!(merge(XX | FI | FR | 0x4000, 0, Some(0x2000)), XX | 0x2000);
    assert_eq!(merge(VE | FI | 0x4000, VXSNAN, Some(0x11000)), FX | FEX | VX | VXSNAN | VE | 0x4000);
    assert!(suppresses(VE, VXCVI) && suppresses(ZE, ZX) && !suppresses(ZE | OE, OX));
    assert_eq!(raise(XX | FR, XX), XX | FR);
    assert_eq!(written(VE, VXSOFT | FX, VXSOFT), VE | VXSOFT | VX | FEX);
    assert_eq!(written(VE | VXSOFT | VX | FEX, VXSOFT, 0), VE);
    assert_eq!((field(8), field(15), field(7)), (0xf000_0000, 0xf, 0xf_0000_0000));
    assert_eq!(cr1(FX | VX | VXSNAN), 0b1010);
}

/// Section 4.6.6: within one part in 256 (32 for the root).
#[test]
fn estimates_are_within_their_bounds() {
    let mut random = Random(8);
    let x = Context::scalar(DOUBLE, 0);
    for _ in 0..20_000 {
        let a = f64::from_bits(random.operand(DOUBLE, 0) as u64);
        if !a.is_normal() {
            continue;
        }
        let estimate = f64::from_bits(x.reciprocal(Float::of_double(a.to_bits())).value.to_double());
        assert!(!estimate.is_normal() || (estimate * a - 1.0).abs() < 1.0 / 256.0, "{a}");
        let a = a.abs();
        let root = f64::from_bits(x.reciprocal_square_root(Float::of_double(a.to_bits())).value.to_double());
        assert!((root * a * root - 1.0).abs() < 1.0 / 256.0, "{a}");
    }
    let zero = x.reciprocal_square_root(Float::zero(true));
    assert_eq!((zero.value, zero.raised), (Float::infinity(true), ZX));
    assert_eq!(x.reciprocal_square_root(Float::of_double(ONE | 1 << 63)).raised, VXSQRT);
    assert_eq!(divide_test(Float::of_double(ONE), Float::of_double(ONE), DOUBLE), 0b1000);
    assert_eq!(divide_test(Float::of_double(ONE), Float::zero(false), DOUBLE), 0b1110);
    assert_eq!(square_root_test(Float::of_double(1), DOUBLE), 0b1110);
    assert_eq!(square_root_test(Float::of_double(ONE | 1 << 63), DOUBLE), 0b1010);
}

/// Every step of the tables of a 750 is within one part in 256 (32 for the root).
#[test]
fn estimates_of_a_750_are_within_their_bounds() {
    let x = Context::scalar(DOUBLE, 0);
    let bits = |outcome: Outcome| outcome.value.to_double();
    for step in 0..1 << 16 {
        let root_of = f64::from_bits(ONE + (step << 37));
        let root = f64::from_bits(bits(x.reciprocal_square_root_750(Float::of_double(root_of.to_bits()))));
        assert!((root * root_of.sqrt() - 1.0).abs() < 1.0 / 256.0, "{root_of}");
        if step < 1 << 15 {
            let estimate = f64::from_bits(bits(x.reciprocal_750(Float::of_double(root_of.to_bits()))));
            assert!((estimate * root_of - 1.0).abs() < 1.0 / 256.0, "{root_of}");
        }
    }
    assert_eq!(bits(x.reciprocal_750(Float::of_double(ONE))), 0x3fef_ff00_0000_0000);
    assert_eq!(bits(x.reciprocal_square_root_750(Float::of_double(ONE))), 0x3fef_fe80_0000_0000);
}
