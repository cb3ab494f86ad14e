//! Add, subtract, multiply, divide, square root, fused multiply-add, compare: exact results, rounded once.

use core::cmp::Ordering;

use super::fpscr;
use super::{Context, Float, Kind, Outcome, Rounding};

/// The NaN that invalid operations generate: positive, quiet, empty payload.
pub const fn default_nan() -> Float {
    Float { kind: Kind::Nan, negative: false, exponent: 0, significand: 1 << 127 }
}

/// If an operand is a NaN: the first of them, made quiet, and VXSNAN if any is signalling.
pub(super) fn propagate_nan(operands: &[Float]) -> Option<(Float, u64)> {
    let nan = operands.iter().find(|x| x.is_nan())?;
    let signalling = operands.iter().any(|x| x.is_signalling());
    Some((nan.quieted(), if signalling { fpscr::VXSNAN } else { 0 }))
}

/// Compares `a` with `b`; `None` when they are unordered. With it come VXSNAN, and for an `ordered` comparison VXVC
/// (Book I, section 4.6.8: VXVC goes with a signalling NaN only while invalid operation exceptions are disabled).
pub fn compare(a: Float, b: Float, ordered: bool, fpscr: u64) -> (Option<Ordering>, u64) {
    if let Some((_, mut raised)) = propagate_nan(&[a, b]) {
        if ordered && (raised == 0 || fpscr & fpscr::VE == 0) {
            raised |= fpscr::VXVC;
        }
        return (None, raised);
    }
    let key = |x: Float| {
        let (rank, exponent) = match x.kind {
            Kind::Zero => return (0, 0, 0),
            Kind::Finite => (1, x.exponent),
            Kind::Infinity | Kind::Nan => (2, 0),
        };
        (if x.negative { -rank } else { rank }, exponent, x.significand)
    };
    let (a, b) = (key(a), key(b));
    let magnitudes = (a.1, a.2).cmp(&(b.1, b.2));
    let order = a.0.cmp(&b.0).then(if a.0 < 0 { magnitudes.reverse() } else { magnitudes });
    (Some(order), 0)
}

/// A magnitude of 256 bits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Wide {
    high: u128,
    low: u128,
}

impl Wide {
    fn product(a: u128, b: u128) -> Wide {
        const LOW: u128 = u64::MAX as u128;
        let (a1, a0, b1, b0) = (a >> 64, a & LOW, b >> 64, b & LOW);
        if a0 | b0 == 0 {
            return Wide { high: a1 * b1, low: 0 };
        }
        let bottom = a0 * b0;
        let middle = a1 * b0 + (bottom >> 64);
        let cross = a0 * b1 + (middle & LOW);
        Wide { high: a1 * b1 + (middle >> 64) + (cross >> 64), low: cross << 64 | (bottom & LOW) }
    }

    /// Shifted right by `n`; ones that fall out stick to the lowest bit.
    fn shift_right_sticky(self, n: u32) -> Wide {
        let (out, lost) = match n {
            0 => return self,
            1..128 => {
                let low = self.high << (128 - n) | self.low >> n;
                (Wide { high: self.high >> n, low }, self.low << (128 - n))
            }
            128 => (Wide { high: 0, low: self.high }, self.low),
            129..256 => (Wide { high: 0, low: self.high >> (n - 128) }, self.high << (256 - n) | self.low),
            _ => (Wide { high: 0, low: 0 }, self.high | self.low),
        };
        Wide { low: out.low | u128::from(lost != 0), ..out }
    }

    fn shift_left(self, n: u32) -> Wide {
        match n {
            0 => self,
            1..128 => Wide { high: self.high << n | self.low >> (128 - n), low: self.low << n },
            _ => Wide { high: self.low.checked_shl(n - 128).unwrap_or(0), low: 0 },
        }
    }

    fn leading_zeros(self) -> u32 {
        if self.high != 0 { self.high.leading_zeros() } else { 128 + self.low.leading_zeros() }
    }
}

/// A non-zero term of a sum: `magnitude` x 2^(`exponent` - 255), normalised.
#[derive(Clone, Copy)]
struct Term {
    negative: bool,
    exponent: i32,
    magnitude: Wide,
}

impl Term {
    fn normalised(negative: bool, exponent: i32, magnitude: Wide) -> Term {
        let zeros = magnitude.leading_zeros();
        Term { negative, exponent: exponent - zeros as i32, magnitude: magnitude.shift_left(zeros) }
    }

    fn of(x: Float) -> Term {
        let magnitude = Wide { high: x.significand, low: 0 };
        Term { negative: x.negative, exponent: x.exponent, magnitude }
    }

    fn product(a: Float, b: Float) -> Term {
        let magnitude = Wide::product(a.significand, b.significand);
        Term::normalised(a.negative != b.negative, a.exponent + b.exponent + 1, magnitude)
    }

    /// The sum, or `None` when the terms cancel.
    fn plus(self, other: Term) -> Option<Term> {
        let order = |t: &Term| (t.exponent, t.magnitude);
        let (big, small) = if order(&self) < order(&other) { (other, self) } else { (self, other) };
        let shift = big.exponent.abs_diff(small.exponent);
        let b = small.magnitude.shift_right_sticky(shift);
        let a = big.magnitude;
        let Term { negative, exponent, .. } = big;
        if negative != small.negative {
            let (low, borrow) = a.low.overflowing_sub(b.low);
            let difference = Wide { high: a.high - b.high - u128::from(borrow), low };
            return (difference.high | difference.low != 0).then(|| Term::normalised(negative, exponent, difference));
        }
        let (low, carry) = a.low.overflowing_add(b.low);
        let (high, over1) = a.high.overflowing_add(b.high);
        let (high, over2) = high.overflowing_add(u128::from(carry));
        let mut sum = Term { negative, exponent, magnitude: Wide { high, low } };
        if over1 || over2 {
            let shifted = sum.magnitude.shift_right_sticky(1);
            sum = Term { exponent: exponent + 1, magnitude: Wide { high: shifted.high | 1 << 127, ..shifted }, ..sum };
        }
        Some(sum)
    }

    /// The term with its low half reduced to a sticky bit.
    fn float(self) -> Float {
        let significand = self.magnitude.high | u128::from(self.magnitude.low != 0);
        Float { kind: Kind::Finite, negative: self.negative, exponent: self.exponent, significand }
    }
}

impl Context {
    /// A NaN result, if an operand is a NaN.
    fn nan(&self, operands: &[Float], raised: u64) -> Option<Outcome> {
        propagate_nan(operands).map(|(nan, signalling)| self.exact(nan, raised | signalling))
    }

    fn invalid(&self, raised: u64) -> Outcome {
        self.exact(default_nan(), raised)
    }

    /// The sign of a sum that is exactly zero although its terms are not, or not of one sign.
    fn cancelled(&self) -> Float {
        Float::zero(self.rounding == Rounding::Down)
    }

    /// a + b.
    pub fn add(&self, a: Float, b: Float) -> Outcome {
        self.nan(&[a, b], 0).unwrap_or_else(|| self.add_numbers(a, b))
    }

    /// a - b. A NaN operand keeps its sign.
    pub fn sub(&self, a: Float, b: Float) -> Outcome {
        self.nan(&[a, b], 0).unwrap_or_else(|| self.add_numbers(a, b.negated()))
    }

    fn add_numbers(&self, a: Float, b: Float) -> Outcome {
        match (a.kind, b.kind) {
            (Kind::Infinity, Kind::Infinity) if a.negative != b.negative => self.invalid(fpscr::VXISI),
            (Kind::Zero, Kind::Zero) if a.negative != b.negative => self.exact(self.cancelled(), 0),
            (Kind::Infinity, _) | (Kind::Zero, Kind::Zero) => self.exact(a, 0),
            (_, Kind::Infinity) => self.exact(b, 0),
            (_, Kind::Zero) => self.round_exact(a, 0),
            (Kind::Zero, _) => self.round_exact(b, 0),
            _ => self.sum(Term::of(a).plus(Term::of(b))),
        }
    }

    fn sum(&self, sum: Option<Term>) -> Outcome {
        match sum {
            Some(term) => self.round_exact(term.float(), 0),
            None => self.exact(self.cancelled(), 0),
        }
    }

    /// a x b.
    pub fn mul(&self, a: Float, b: Float) -> Outcome {
        if let Some(nan) = self.nan(&[a, b], 0) {
            return nan;
        }
        let negative = a.negative != b.negative;
        match (a.kind, b.kind) {
            (Kind::Infinity, Kind::Zero) | (Kind::Zero, Kind::Infinity) => self.invalid(fpscr::VXIMZ),
            (Kind::Infinity, _) | (_, Kind::Infinity) => self.exact(Float::infinity(negative), 0),
            (Kind::Zero, _) | (_, Kind::Zero) => self.exact(Float::zero(negative), 0),
            _ => self.round_exact(Term::product(a, b).float(), 0),
        }
    }

    /// a x c + b, rounded once; the operands in the order FRA, FRC, FRB of `fmadd`. NaNs take precedence in the order
    /// a, b, c; infinity times zero raises VXIMZ even when b is a NaN.
    pub fn multiply_add(&self, a: Float, c: Float, b: Float) -> Outcome {
        self.fused(a, c, b, b)
    }

    /// a x c - b, rounded once. A NaN operand keeps its sign.
    pub fn multiply_sub(&self, a: Float, c: Float, b: Float) -> Outcome {
        self.fused(a, c, b, b.negated())
    }

    fn fused(&self, a: Float, c: Float, b: Float, addend: Float) -> Outcome {
        let raised = match (a.kind, c.kind) {
            (Kind::Infinity, Kind::Zero) | (Kind::Zero, Kind::Infinity) => fpscr::VXIMZ,
            _ => 0,
        };
        if let Some(nan) = self.nan(&[a, b, c], raised) {
            return nan;
        }
        if raised != 0 {
            return self.invalid(raised);
        }
        let negative = a.negative != c.negative;
        match (a.kind, c.kind) {
            (Kind::Infinity, _) | (_, Kind::Infinity) => self.add_numbers(Float::infinity(negative), addend),
            (Kind::Zero, _) | (_, Kind::Zero) => self.add_numbers(Float::zero(negative), addend),
            _ => match addend.kind {
                Kind::Finite => self.sum(Term::product(a, c).plus(Term::of(addend))),
                Kind::Zero => self.round_exact(Term::product(a, c).float(), 0),
                Kind::Infinity | Kind::Nan => self.exact(addend, 0),
            },
        }
    }

    /// a / b.
    pub fn div(&self, a: Float, b: Float) -> Outcome {
        if let Some(nan) = self.nan(&[a, b], 0) {
            return nan;
        }
        let negative = a.negative != b.negative;
        match (a.kind, b.kind) {
            (Kind::Infinity, Kind::Infinity) => self.invalid(fpscr::VXIDI),
            (Kind::Zero, Kind::Zero) => self.invalid(fpscr::VXZDZ),
            (Kind::Finite, Kind::Zero) => self.exact(Float::infinity(negative), fpscr::ZX),
            (Kind::Infinity, _) => self.exact(Float::infinity(negative), 0),
            (Kind::Zero, _) | (_, Kind::Infinity) => self.exact(Float::zero(negative), 0),
            _ => self.round_exact(quotient(a, b, negative, self.format.precision() + 2), 0),
        }
    }

    /// The square root of x.
    pub fn sqrt(&self, x: Float) -> Outcome {
        if let Some(nan) = self.nan(&[x], 0) {
            return nan;
        }
        match x.kind {
            Kind::Zero => self.exact(x, 0),
            _ if x.negative => self.invalid(fpscr::VXSQRT),
            Kind::Finite => self.round_exact(root(x, self.format.precision() + 2), 0),
            Kind::Infinity | Kind::Nan => self.exact(x, 0),
        }
    }
}

/// The quotient of two finite numbers: `bits` + 1 bits by restoring division, then a sticky bit.
fn quotient(a: Float, b: Float, negative: bool, bits: u32) -> Float {
    // Operands come from formats of at most 113 bits of precision, so the lowest bit is free.
    let (mut remainder, divisor) = (a.significand >> 1, b.significand >> 1);
    let mut quotient = 0u128;
    for _ in 0..=bits {
        quotient <<= 1;
        if remainder >= divisor {
            remainder -= divisor;
            quotient |= 1;
        }
        remainder <<= 1;
    }
    let magnitude = quotient << 1 | u128::from(remainder != 0);
    Float::scaled(negative, magnitude, a.exponent - b.exponent - bits as i32 - 1)
}

/// The square root of a positive finite number: `bits` + 1 bits digit by digit, then a sticky bit.
fn root(x: Float, bits: u32) -> Float {
    // Two integer bits stand on top, so that the exponent is even.
    let odd = x.exponent & 1 != 0;
    let mut radicand = if odd { x.significand } else { x.significand >> 1 };
    let (mut remainder, mut root) = (0u128, 0u128);
    for _ in 0..=bits {
        remainder = remainder << 2 | radicand >> 126;
        radicand <<= 2;
        let trial = root << 2 | 1;
        root <<= 1;
        if remainder >= trial {
            remainder -= trial;
            root |= 1;
        }
    }
    let magnitude = root << 1 | u128::from(remainder | radicand != 0);
    Float::scaled(false, magnitude, (x.exponent >> 1) - bits as i32 - 1)
}
