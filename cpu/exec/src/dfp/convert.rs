//! Conversions between formats, to and from integers and packed decimal, and access to exponent and digits (Power ISA
//! Book I, sections 5.6.5 and 5.6.6).

use super::round::{Exact, drop_digits};
use super::wide::Wide;
use super::{Context, Format, Kind, Number, Outcome, Rounding, propagate, ten};
use crate::fp::fpscr;

impl Context {
    /// `number`, of a narrower format, in that of the context (`dctqpq`).
    pub fn lengthen(&self, number: Number) -> Outcome {
        let (value, raised) = propagate(&[number]).unwrap_or((number.canonical(), 0));
        self.exact(value, raised)
    }

    /// As [`Context::lengthen`], from the format for storage: a signalling NaN stays one (`dctdp`).
    pub fn load(&self, number: Number) -> Outcome {
        self.exact(if number.is_nan() { number } else { number.canonical() }, 0)
    }

    /// `number`, in the wider format `source`, rounded to that of the context (`drdpq`). A result whose exponent had to
    /// be adjusted is in the format of the source.
    pub fn shorten(&self, number: Number, source: Format) -> Outcome {
        if number.kind != Kind::Finite {
            let limit = self.format.trailing_limit();
            return self.lengthen(Number { coefficient: number.coefficient % limit, ..number });
        }
        let Number { negative, coefficient, exponent, .. } = number;
        let exact = Exact { negative, magnitude: Wide::new(coefficient), sticky: false, exponent };
        Context { adjusted_format: source, ..*self }.round(exact, exponent)
    }

    /// As [`Context::shorten`], to the format for storage: a signalling NaN stays one (`drsp`).
    pub fn store(&self, number: Number, source: Format) -> Outcome {
        if number.is_nan() {
            let limit = self.format.trailing_limit();
            return self.load(Number { coefficient: number.coefficient % limit, ..number });
        }
        self.shorten(number, source)
    }

    /// An integer. The ideal exponent is 0.
    pub fn from_integer(&self, integer: i128) -> Outcome {
        let magnitude = Wide::new(integer.unsigned_abs());
        self.round(Exact { negative: integer < 0, magnitude, sticky: false, exponent: 0 }, 0)
    }

    /// Packed decimal with a sign at its end if `signed`, unpacked by [`from_packed`] or invalid.
    pub fn from_packed(&self, bits: u128, signed: bool) -> Outcome {
        match from_packed(bits, signed) {
            Some(number) => self.exact(number, 0),
            None => self.invalid(fpscr::VXCVI),
        }
    }
}

/// `number` rounded to a signed integer of `bits` bits, and the FPSCR bits that this raises. What does not fit becomes
/// the nearest integer, a NaN the least.
pub fn to_integer(number: Number, bits: u32, rounding: Rounding) -> (i128, u64) {
    let greatest = i128::MAX >> (128 - bits);
    let saturated = |negative| if negative { -greatest - 1 } else { greatest };
    let Number { negative, coefficient, exponent, .. } = number;
    let (magnitude, raised) = match number.kind {
        Kind::SignallingNan => return (saturated(true), fpscr::VXSNAN | fpscr::VXCVI),
        Kind::QuietNan => return (saturated(true), fpscr::VXCVI),
        Kind::Infinity => return (saturated(negative), fpscr::VXCVI),
        Kind::Finite if coefficient == 0 => return (0, 0),
        Kind::Finite if exponent < 0 => {
            drop_digits(Wide::new(coefficient), exponent.unsigned_abs(), false, rounding, negative)
        }
        Kind::Finite => (coefficient.saturating_mul(ten(exponent.unsigned_abs())), 0),
    };
    if magnitude > greatest.unsigned_abs() + u128::from(negative) {
        return (saturated(negative), fpscr::VXCVI);
    }
    let integer = magnitude.cast_signed();
    (if negative { integer.wrapping_neg() } else { integer }, raised)
}

/// The last digits of `number` as packed decimal in as many bits as `format` has. `sign` is the code of a positive
/// sign; without one there is a digit more, and no sign.
pub fn to_packed(number: Number, format: Format, sign: Option<u8>) -> u128 {
    let places = format.bits() / 4 - u32::from(sign.is_some());
    let mut rest = number.coefficient;
    let packed = (0..places).fold(0, |packed, i| {
        let digit = rest % 10;
        rest /= 10;
        packed | digit << (4 * i)
    });
    match sign {
        Some(_) if number.negative => packed << 4 | 0xd,
        Some(plus) => packed << 4 | u128::from(plus),
        None => packed,
    }
}

/// The number with exponent 0 in packed decimal; `None` if a digit or the sign is invalid.
pub fn from_packed(bits: u128, signed: bool) -> Option<Number> {
    let (negative, digits) = match (signed, bits & 15) {
        (false, _) => (false, bits),
        (true, 0xb | 0xd) => (true, bits >> 4),
        (true, 10..) => (false, bits >> 4),
        (true, _) => return None,
    };
    let coefficient = (0..32)
        .rev()
        .map(|i| digits >> (4 * i) & 15)
        .try_fold(0u128, |number, digit| (digit <= 9).then_some(number * 10 + digit))?;
    Some(Number::finite(negative, coefficient, 0))
}

/// The biased exponent of `number`; -1 for infinity, -2 for a quiet and -3 for a signalling NaN (`dxex`).
pub fn extracted_exponent(number: Number, format: Format) -> i64 {
    match number.kind {
        Kind::Finite => i64::from(number.exponent - format.min_exponent()),
        Kind::Infinity => -1,
        Kind::QuietNan => -2,
        Kind::SignallingNan => -3,
    }
}

/// Sign and digits of `number` with the exponent that [`extracted_exponent`] calls `biased`; a quiet NaN where it has
/// no meaning (`diex`).
pub fn inserted_exponent(number: Number, biased: i64, format: Format) -> Number {
    let largest = i64::from(format.max_exponent() - format.min_exponent());
    let trailing = number.coefficient % format.trailing_limit();
    match biased {
        _ if (0..=largest).contains(&biased) => {
            Number { kind: Kind::Finite, exponent: biased as i32 + format.min_exponent(), ..number }
        }
        -1 => Number { kind: Kind::Infinity, coefficient: trailing, ..number },
        -3 => Number { kind: Kind::SignallingNan, coefficient: trailing, ..number },
        _ => Number { kind: Kind::QuietNan, coefficient: trailing, ..number },
    }
}

/// `number` with its digits shifted by `places` of at most 63; those that leave its format are lost. Infinities and
/// NaNs lack the first digit.
pub fn shifted(number: Number, places: u32, left: bool, format: Format) -> Number {
    let length = format.precision - u32::from(number.kind != Kind::Finite);
    let coefficient = match (left, length.checked_sub(places)) {
        (_, None) => 0,
        (true, Some(kept)) => number.coefficient % ten(kept) * ten(places),
        (false, Some(_)) => number.coefficient / ten(places),
    };
    Number { coefficient, ..number }
}
