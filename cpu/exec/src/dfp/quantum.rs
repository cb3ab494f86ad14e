//! Adjustment of the exponent, rounding to an integral value, and tests of class and digits (Power ISA Book I, sections
//! 5.6.3 and 5.6.4).

use super::round::drop_digits;
use super::wide::Wide;
use super::{Context, Format, Kind, Number, Outcome, digits, propagate, ten};
use crate::fp::fpscr;

impl Context {
    /// `number` with the exponent of `like` (`dqua`, `dquai`): VXCVI if that takes too many digits.
    pub fn quantize(&self, like: Number, number: Number) -> Outcome {
        if let Some((nan, raised)) = propagate(&[like, number]) {
            return self.exact(nan, raised);
        }
        match (like.kind, number.kind) {
            (Kind::Infinity, Kind::Infinity) => return self.exact(number.canonical(), 0),
            (Kind::Infinity, _) | (_, Kind::Infinity) => return self.invalid(fpscr::VXCVI),
            _ => {}
        }
        let Number { negative, coefficient, .. } = number;
        let places = like.exponent.abs_diff(number.exponent);
        if like.exponent > number.exponent {
            let (kept, raised) = drop_digits(Wide::new(coefficient), places, false, self.rounding, negative);
            return self.exact(Number::finite(negative, kept, like.exponent), raised);
        }
        if coefficient == 0 {
            return self.exact(Number::finite(negative, 0, like.exponent), 0);
        }
        if digits(coefficient) + places > self.format.precision {
            return self.invalid(fpscr::VXCVI);
        }
        self.exact(Number::finite(negative, coefficient * ten(places), like.exponent), 0)
    }

    /// `number` rounded to `count` significant digits (`drrnd`), 0 for as many as it has: VXCVI if its exponent gets
    /// too large.
    pub fn reround(&self, count: u32, number: Number) -> Outcome {
        if let Some((nan, raised)) = propagate(&[number]) {
            return self.exact(nan, raised);
        }
        let length = digits(number.coefficient);
        if number.kind == Kind::Infinity || count == 0 || length <= count {
            return self.exact(number.canonical(), 0);
        }
        let drop = length - count;
        let (mut kept, raised) =
            drop_digits(Wide::new(number.coefficient), drop, false, self.rounding, number.negative);
        let mut exponent = number.exponent + drop as i32;
        if kept == ten(count) {
            kept /= 10;
            exponent += 1;
        }
        if exponent > self.format.max_exponent() {
            return self.invalid(fpscr::VXCVI);
        }
        self.exact(Number::finite(number.negative, kept, exponent), raised)
    }

    /// `number` rounded to an integral value. XX, FR and FI are raised only if `inexact` says that the instruction
    /// reports them.
    pub fn round_to_integral(&self, number: Number, inexact: bool) -> Outcome {
        if let Some((nan, raised)) = propagate(&[number]) {
            return self.exact(nan, raised);
        }
        if number.kind == Kind::Infinity || number.exponent >= 0 {
            return self.exact(number.canonical(), 0);
        }
        let drop = number.exponent.unsigned_abs();
        let (kept, raised) = drop_digits(Wide::new(number.coefficient), drop, false, self.rounding, number.negative);
        self.exact(Number::finite(number.negative, kept, 0), if inexact { raised } else { 0 })
    }
}

/// The bit of the mask DCM that stands for the class of `number`: zero, subnormal, normal, infinity, quiet NaN,
/// signalling NaN from the left.
pub fn class_mask(number: Number, format: Format) -> u32 {
    match number.kind {
        Kind::Finite if number.coefficient == 0 => 0x20,
        Kind::Finite if number.is_subnormal(format) => 0x10,
        Kind::Finite => 0x08,
        Kind::Infinity => 0x04,
        Kind::QuietNan => 0x02,
        Kind::SignallingNan => 0x01,
    }
}

/// The bit of the mask DGM that stands for the group of `number`, from the left: zero with a usual, with an extreme
/// exponent; subnormal, or normal with an extreme exponent; normal with the first digit zero, or not; infinity or NaN.
pub fn group_mask(number: Number, format: Format) -> u32 {
    let extreme = number.exponent == format.min_exponent() || number.exponent == format.max_exponent();
    match number.kind {
        Kind::Finite if number.coefficient == 0 => {
            if extreme {
                0x10
            } else {
                0x20
            }
        }
        Kind::Finite if extreme || number.is_subnormal(format) => 0x08,
        Kind::Finite if digits(number.coefficient) < format.precision => 0x04,
        Kind::Finite => 0x02,
        _ => 0x01,
    }
}

/// Significant digits of a finite number; zero has none.
pub fn significant_digits(number: Number) -> Option<u32> {
    (number.kind == Kind::Finite).then(|| digits(number.coefficient))
}
