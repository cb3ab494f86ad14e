//! Addition, subtraction, multiplication, division and comparison (Power ISA Book I, sections 5.6.1 and 5.6.2).

use core::cmp::Ordering;

use super::round::Exact;
use super::wide::Wide;
use super::{Context, Kind, Number, Outcome, Rounding, digits, propagate, ten};
use crate::fp::fpscr;

/// The most digits of an aligned sum.
const WIDTH: u32 = 68;

impl Context {
    /// `a` + `b`. The ideal exponent is the smaller one.
    pub fn add(&self, a: Number, b: Number) -> Outcome {
        if let Some((nan, raised)) = propagate(&[a, b]) {
            return self.exact(nan, raised);
        }
        match (a.kind, b.kind) {
            (Kind::Infinity, Kind::Infinity) if a.negative != b.negative => self.invalid(fpscr::VXISI),
            (Kind::Infinity, _) => self.exact(a.canonical(), 0),
            (_, Kind::Infinity) => self.exact(b.canonical(), 0),
            _ => self.sum(a, b),
        }
    }

    /// `a` - `b`; a NaN keeps its sign.
    pub fn sub(&self, a: Number, b: Number) -> Outcome {
        self.add(a, if b.is_nan() { b } else { b.negated() })
    }

    fn sum(&self, a: Number, b: Number) -> Outcome {
        let ideal = a.exponent.min(b.exponent);
        let exact_sign = if a.negative == b.negative { a.negative } else { self.rounding == Rounding::Down };
        let (large, small) = if a.exponent >= b.exponent { (a, b) } else { (b, a) };
        let alone = match (large.coefficient, small.coefficient) {
            (0, 0) => Some(Number { negative: exact_sign, ..small }),
            (0, _) => Some(small),
            (_, 0) => Some(large),
            _ => None,
        };
        if let Some(Number { negative, exponent, coefficient, .. }) = alone {
            let magnitude = Wide::new(coefficient);
            return self.round(Exact { negative, magnitude, sticky: false, exponent }, ideal);
        }
        // Aligned at the smaller exponent, or as far toward it as there is room.
        let places = large.exponent.abs_diff(small.exponent);
        let shift = places.min(WIDTH - digits(large.coefficient));
        let aligned = Wide::shifted(large.coefficient, shift);
        let exponent = large.exponent - shift as i32;
        let beyond = (places - shift).min(38);
        let (addend, rest) = (small.coefficient / ten(beyond), small.coefficient % ten(beyond));
        let sticky = rest != 0;
        if a.negative == b.negative {
            let exact = Exact { negative: large.negative, magnitude: aligned.plus(addend), sticky, exponent };
            return self.round(exact, ideal);
        }
        // What is subtracted beyond the last digit borrows from it.
        let (magnitude, less) = aligned.minus(addend + u128::from(sticky));
        let negative = if magnitude.is_zero() && !sticky { exact_sign } else { large.negative != less };
        self.round(Exact { negative, magnitude, sticky, exponent }, ideal)
    }

    /// `a` x `b`. The ideal exponent is the sum.
    pub fn mul(&self, a: Number, b: Number) -> Outcome {
        if let Some((nan, raised)) = propagate(&[a, b]) {
            return self.exact(nan, raised);
        }
        let negative = a.negative != b.negative;
        if a.kind == Kind::Infinity || b.kind == Kind::Infinity {
            let zero = a.is_zero() || b.is_zero();
            return if zero { self.invalid(fpscr::VXIMZ) } else { self.exact(Number::infinity(negative), 0) };
        }
        let (magnitude, exponent) = (Wide::product(a.coefficient, b.coefficient), a.exponent + b.exponent);
        self.round(Exact { negative, magnitude, sticky: false, exponent }, exponent)
    }

    /// `a` / `b`. The ideal exponent is the difference.
    pub fn div(&self, a: Number, b: Number) -> Outcome {
        if let Some((nan, raised)) = propagate(&[a, b]) {
            return self.exact(nan, raised);
        }
        let negative = a.negative != b.negative;
        match (a.kind, b.kind) {
            (Kind::Infinity, Kind::Infinity) => return self.invalid(fpscr::VXIDI),
            (Kind::Infinity, _) => return self.exact(Number::infinity(negative), 0),
            (_, Kind::Infinity) => return self.exact(Number::finite(negative, 0, self.format.min_exponent()), 0),
            _ if b.coefficient == 0 && a.coefficient == 0 => return self.invalid(fpscr::VXZDZ),
            _ if b.coefficient == 0 => return self.exact(Number::infinity(negative), fpscr::ZX),
            _ => {}
        }
        let ideal = a.exponent - b.exponent;
        let (mut quotient, mut rest, mut exponent) =
            (a.coefficient / b.coefficient, a.coefficient % b.coefficient, ideal);
        while rest != 0 && digits(quotient) <= self.format.precision {
            quotient = quotient * 10 + rest * 10 / b.coefficient;
            rest = rest * 10 % b.coefficient;
            exponent -= 1;
        }
        self.round(Exact { negative, magnitude: Wide::new(quotient), sticky: rest != 0, exponent }, ideal)
    }
}

/// The order of `a` and `b`, none if one is a NaN, and the exceptions: a signalling NaN, or any NaN if `ordered`.
pub fn compare(a: Number, b: Number, ordered: bool, fpscr: u64) -> (Option<Ordering>, u64) {
    let signalling = a.kind == Kind::SignallingNan || b.kind == Kind::SignallingNan;
    if a.is_nan() || b.is_nan() {
        let raised = match (signalling, ordered) {
            (true, true) if fpscr & fpscr::VE == 0 => fpscr::VXSNAN | fpscr::VXVC,
            (true, _) => fpscr::VXSNAN,
            (false, true) => fpscr::VXVC,
            (false, false) => 0,
        };
        return (None, raised);
    }
    (Some(order(a, b)), 0)
}

/// The order of numbers that are no NaNs.
fn order(a: Number, b: Number) -> Ordering {
    let signed = |order: Ordering| if a.negative { order.reverse() } else { order };
    match (a.is_zero(), b.is_zero()) {
        (true, true) => return Ordering::Equal,
        (true, false) => return if b.negative { Ordering::Greater } else { Ordering::Less },
        (false, true) => return if a.negative { Ordering::Less } else { Ordering::Greater },
        (false, false) => {}
    }
    if a.negative != b.negative {
        return b.negative.cmp(&a.negative);
    }
    signed(match (a.kind == Kind::Infinity, b.kind == Kind::Infinity) {
        (false, false) => {
            // From the first digit on.
            let left = |n: Number| n.coefficient * ten(34 - digits(n.coefficient));
            a.scientific().cmp(&b.scientific()).then(left(a).cmp(&left(b)))
        }
        (a, b) => a.cmp(&b),
    })
}

/// The order of the exponents of `a` and `b`; infinities are alike, NaNs are alike, and nothing else is comparable
/// with them.
pub fn compare_exponents(a: Number, b: Number) -> Option<Ordering> {
    match (a.kind, b.kind) {
        (Kind::Finite, Kind::Finite) => Some(a.exponent.cmp(&b.exponent)),
        (Kind::Infinity, Kind::Infinity) => Some(Ordering::Equal),
        _ => (a.is_nan() && b.is_nan()).then_some(Ordering::Equal),
    }
}
