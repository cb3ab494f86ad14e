//! Exact Power decimal floating point (Power ISA Book I, chapter 5).
//!
//! Bits are unpacked into a [`Number`], an operation of a [`Context`] computes the exact result, rounds it once and
//! returns an [`Outcome`]: the value, the FPSCR bits that it raises, and its class. The caller packs the value and
//! merges the rest with [`crate::fp::fpscr::merge`]. Everything is generic over [`Format`].
//!
//! A number keeps the exponent it came with: 1.0 and 1.00 are equal and not the same. Of the representations of an
//! exact result an operation takes the one whose exponent is nearest to its ideal exponent, of an inexact one that
//! with the least exponent (section 5.5.3).
//!
//! Not its job: registers, instruction forms, interrupts.

mod arithmetic;
mod convert;
pub mod dpd;
mod quantum;
mod round;
#[cfg(test)]
mod tests;
mod wide;

pub use arithmetic::{compare, compare_exponents};
pub use convert::{extracted_exponent, from_packed, inserted_exponent, shifted, to_integer, to_packed};
pub use quantum::{class_mask, group_mask, significant_digits};
pub use round::{Context, Outcome, Rounding};

use crate::fp::fpscr;

/// 10 to the power of `n`, which is at most 38.
const fn ten(n: u32) -> u128 {
    10u128.saturating_pow(n)
}

/// Decimal digits of `n` without leading zeros; 0 has none.
const fn digits(n: u128) -> u32 {
    match n.checked_ilog10() {
        Some(log) => log + 1,
        None => 0,
    }
}

/// A decimal interchange format of IEEE 754 in its densely packed encoding: sign, combination field (five bits of
/// class, exponent and first digit, then the rest of the exponent), trailing significand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Format {
    /// Digits of a significand.
    pub precision: u32,
    /// Bits of the combination field behind the first five.
    pub continuation_bits: u32,
}

/// DFP Short: decimal32, for storage only.
pub const SHORT: Format = Format { precision: 7, continuation_bits: 6 };
/// DFP Long: decimal64.
pub const LONG: Format = Format { precision: 16, continuation_bits: 8 };
/// DFP Extended: decimal128.
pub const EXTENDED: Format = Format { precision: 34, continuation_bits: 12 };

impl Format {
    /// Largest exponent of a number in scientific notation.
    pub const fn max_scientific(self) -> i32 {
        3 << (self.continuation_bits - 1)
    }

    /// Smallest exponent of a normal number in scientific notation.
    pub const fn min_scientific(self) -> i32 {
        1 - self.max_scientific()
    }

    /// Largest exponent of the last digit.
    pub const fn max_exponent(self) -> i32 {
        self.max_scientific() - self.precision as i32 + 1
    }

    /// Smallest exponent of the last digit; its negative is the bias.
    pub const fn min_exponent(self) -> i32 {
        self.min_scientific() - self.precision as i32 + 1
    }

    /// Width in bits.
    pub const fn bits(self) -> u32 {
        6 + self.continuation_bits + self.trailing_bits()
    }

    /// Bits of the trailing significand field: ten for three digits, without the first digit.
    const fn trailing_bits(self) -> u32 {
        (self.precision - 1) / 3 * 10
    }

    /// How many values the trailing significand field has.
    const fn trailing_limit(self) -> u128 {
        ten(self.precision - 1)
    }
}

/// What kind of value a [`Number`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A finite number, zero among them.
    Finite,
    /// Infinity of either sign.
    Infinity,
    /// Not a number.
    QuietNan,
    /// Not a number, and an invalid operation where it is used.
    SignallingNan,
}

/// An unpacked value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Number {
    /// Kind of value; decides what the other fields mean.
    pub kind: Kind,
    /// The sign bit, also of zeros and NaNs.
    pub negative: bool,
    /// Exponent of the last digit of a finite number: its value is `coefficient` x 10^`exponent`.
    pub exponent: i32,
    /// All digits of a finite number; those of the trailing significand field of anything else.
    pub coefficient: u128,
}

impl Number {
    /// A finite number.
    pub const fn finite(negative: bool, coefficient: u128, exponent: i32) -> Number {
        Number { kind: Kind::Finite, negative, exponent, coefficient }
    }

    /// The canonical infinity.
    pub const fn infinity(negative: bool) -> Number {
        Number { kind: Kind::Infinity, negative, exponent: 0, coefficient: 0 }
    }

    /// The default NaN.
    pub const fn default_nan() -> Number {
        Number { kind: Kind::QuietNan, negative: false, exponent: 0, coefficient: 0 }
    }

    /// The value with the low `bits` of `format`'s width. Every bit pattern has a value.
    pub fn unpack(bits: u128, format: Format) -> Number {
        let field = bits >> format.trailing_bits();
        let continuation = (field & ((1 << format.continuation_bits) - 1)) as i32;
        let first_five = (field >> format.continuation_bits & 31) as i32;
        let trailing = dpd::decode(bits, format.trailing_bits());
        let (kind, high, first) = match first_five {
            31 if continuation >> (format.continuation_bits - 1) != 0 => (Kind::SignallingNan, 0, 0),
            31 => (Kind::QuietNan, 0, 0),
            30 => (Kind::Infinity, 0, 0),
            24.. => (Kind::Finite, first_five >> 1 & 3, 8 | first_five & 1),
            _ => (Kind::Finite, first_five >> 3, first_five & 7),
        };
        let exponent = match kind {
            Kind::Finite => (high << format.continuation_bits | continuation) + format.min_exponent(),
            _ => 0,
        };
        let negative = bits >> (format.bits() - 1) & 1 != 0;
        Number { kind, negative, exponent, coefficient: first as u128 * format.trailing_limit() + trailing }
    }

    /// The canonical bits of the value in `format`. A finite number must fit; of the digits of anything else the most
    /// significant ones are dropped.
    pub fn pack(self, format: Format) -> u128 {
        let first = (self.coefficient / format.trailing_limit()) as u32;
        let continuation_bits = format.continuation_bits;
        let combination = match self.kind {
            Kind::Infinity => 30 << continuation_bits,
            Kind::QuietNan => 31 << continuation_bits,
            Kind::SignallingNan => 63 << (continuation_bits - 1),
            Kind::Finite => {
                let biased = (self.exponent - format.min_exponent()) as u32;
                let high = biased >> continuation_bits;
                let first_five = if first < 8 { high << 3 | first } else { 24 | high << 1 | first & 1 };
                first_five << continuation_bits | biased & ((1 << continuation_bits) - 1)
            }
        };
        let sign = u128::from(self.negative) << (format.bits() - 1);
        let trailing = dpd::encode(self.coefficient % format.trailing_limit(), format.trailing_bits());
        sign | u128::from(combination) << format.trailing_bits() | trailing
    }

    /// Whether it is a NaN.
    pub const fn is_nan(self) -> bool {
        matches!(self.kind, Kind::QuietNan | Kind::SignallingNan)
    }

    /// Whether it is a zero.
    pub const fn is_zero(self) -> bool {
        matches!(self.kind, Kind::Finite) && self.coefficient == 0
    }

    /// Whether it is finite, not zero, and too small to be normal in `format`.
    pub const fn is_subnormal(self, format: Format) -> bool {
        matches!(self.kind, Kind::Finite) && self.coefficient != 0 && self.scientific() < format.min_scientific()
    }

    /// The exponent of the first digit that is not zero.
    const fn scientific(self) -> i32 {
        self.exponent + digits(self.coefficient) as i32 - 1
    }

    /// The value with the opposite sign.
    pub const fn negated(self) -> Number {
        Number { negative: !self.negative, ..self }
    }

    /// The value as an operation returns it: infinity without digits, a NaN quiet.
    const fn canonical(self) -> Number {
        match self.kind {
            Kind::Finite => self,
            Kind::Infinity => Number::infinity(self.negative),
            Kind::QuietNan | Kind::SignallingNan => Number { kind: Kind::QuietNan, ..self },
        }
    }

    /// FPRF of the value in `format`, in place (section 5.2).
    pub const fn class(self, format: Format) -> u64 {
        let flags = match (self.kind, self.negative) {
            (Kind::SignallingNan, _) => 0b00001,
            (Kind::QuietNan, _) => 0b10001,
            (Kind::Infinity, true) => 0b01001,
            (Kind::Infinity, false) => 0b00101,
            (Kind::Finite, negative) if self.coefficient == 0 => {
                if negative {
                    0b10010
                } else {
                    0b00010
                }
            }
            (Kind::Finite, negative) => {
                let sign = if negative { 0b01000 } else { 0b00100 };
                if self.is_subnormal(format) { sign | 0b10000 } else { sign }
            }
        };
        flags << 12
    }
}

/// The NaN that an operation on `operands` returns, and what it raises: the first signalling one, made quiet, before
/// the first quiet one.
fn propagate(operands: &[Number]) -> Option<(Number, u64)> {
    let of = |kind| operands.iter().find(|number| number.kind == kind);
    match of(Kind::SignallingNan) {
        Some(nan) => Some((nan.canonical(), fpscr::VXSNAN)),
        None => of(Kind::QuietNan).map(|nan| (*nan, 0)),
    }
}
