//! Exact Power floating point by integer arithmetic (Power ISA Book I, chapter 4 and section 7.4).
//!
//! Bits are unpacked into a [`Float`], an operation of a [`Context`] computes the exact result, rounds it once into
//! the context's format and returns an [`Outcome`]: the value, the FPSCR bits that it raises, and its class. The
//! caller packs the value (into a wider format if it likes: scalar single precision lives in double format) and
//! merges the rest with [`fpscr::merge`]. Everything is generic over [`Format`], from 16 to 128 bits.
//!
//! Not its job: registers, instruction forms, interrupts. Host floating point is never used.

mod arithmetic;
mod convert;
mod estimate;
pub mod fpscr;
mod round;
#[cfg(test)]
mod tests;

pub use arithmetic::{compare, default_nan};
pub use convert::{Integer, double_of_single, single_of_double};
pub use estimate::{divide_test, square_root_test};
pub use round::{Context, Outcome, Rounding};

/// A binary interchange format of IEEE 754.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Format {
    /// Width of the exponent field in bits.
    pub exponent_bits: u32,
    /// Width of the fraction field in bits.
    pub fraction_bits: u32,
}

/// binary16.
pub const HALF: Format = Format { exponent_bits: 5, fraction_bits: 10 };
/// bfloat16.
pub const BFLOAT: Format = Format { exponent_bits: 8, fraction_bits: 7 };
/// binary32.
pub const SINGLE: Format = Format { exponent_bits: 8, fraction_bits: 23 };
/// binary64.
pub const DOUBLE: Format = Format { exponent_bits: 11, fraction_bits: 52 };
/// binary128.
pub const QUAD: Format = Format { exponent_bits: 15, fraction_bits: 112 };

impl Format {
    /// Largest exponent of a finite number; also the bias.
    pub const fn max_exponent(self) -> i32 {
        (1 << (self.exponent_bits - 1)) - 1
    }

    /// Exponent of the smallest normal number.
    pub const fn min_exponent(self) -> i32 {
        1 - self.max_exponent()
    }

    /// Bits of the significand, with the implicit one.
    pub const fn precision(self) -> u32 {
        self.fraction_bits + 1
    }

    /// What is added to (taken from) the exponent of a result when underflow (overflow) exceptions are enabled.
    pub const fn exponent_adjust(self) -> i32 {
        3 << (self.exponent_bits - 2)
    }

    const fn exponent_ones(self) -> u128 {
        (1 << self.exponent_bits) - 1
    }
}

/// What kind of value a [`Float`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Zero of either sign.
    Zero,
    /// A non-zero finite number.
    Finite,
    /// Infinity of either sign.
    Infinity,
    /// Quiet or signalling not-a-number.
    Nan,
}

/// An unpacked value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Float {
    /// Kind of value; decides what the other fields mean.
    pub kind: Kind,
    /// The sign bit, also of zeros and NaNs.
    pub negative: bool,
    /// Finite numbers: the value is `significand` x 2^(`exponent` - 127), so 2^`exponent` <= value < 2^(`exponent` + 1).
    pub exponent: i32,
    /// Finite numbers: normalised, bit 127 is one. NaNs: the fraction field, left-aligned (bit 127 set: quiet).
    pub significand: u128,
}

impl Float {
    /// Zero.
    pub const fn zero(negative: bool) -> Float {
        Float { kind: Kind::Zero, negative, exponent: 0, significand: 0 }
    }

    /// Infinity.
    pub const fn infinity(negative: bool) -> Float {
        Float { kind: Kind::Infinity, negative, exponent: 0, significand: 0 }
    }

    /// `magnitude` x 2^`scale`, exactly.
    pub const fn scaled(negative: bool, magnitude: u128, scale: i32) -> Float {
        if magnitude == 0 {
            return Float::zero(negative);
        }
        let zeros = magnitude.leading_zeros();
        let exponent = scale + 127 - zeros as i32;
        Float { kind: Kind::Finite, negative, exponent, significand: magnitude << zeros }
    }

    /// The value with the low `bits` of `format`'s width.
    pub const fn unpack(bits: u128, format: Format) -> Float {
        let negative = bits >> (format.exponent_bits + format.fraction_bits) & 1 != 0;
        let biased = bits >> format.fraction_bits & format.exponent_ones();
        let fraction = bits & ((1 << format.fraction_bits) - 1);
        let unit = format.min_exponent() - format.fraction_bits as i32;
        if biased == 0 {
            Float::scaled(negative, fraction, unit)
        } else if biased != format.exponent_ones() {
            Float::scaled(negative, fraction | 1 << format.fraction_bits, unit + biased as i32 - 1)
        } else if fraction == 0 {
            Float::infinity(negative)
        } else {
            let significand = fraction << (128 - format.fraction_bits);
            Float { kind: Kind::Nan, negative, exponent: 0, significand }
        }
    }

    /// The bits of the value in `format`. The value must have been rounded to a format that is not wider: excess low
    /// bits are dropped (as the architecture does with NaNs) and too large numbers become infinity.
    pub const fn pack(self, format: Format) -> u128 {
        let infinity = format.exponent_ones() << format.fraction_bits;
        let field = 128 - format.fraction_bits;
        let magnitude = match self.kind {
            Kind::Zero => 0,
            Kind::Finite if self.exponent > format.max_exponent() => infinity,
            Kind::Finite if self.exponent >= format.min_exponent() => {
                let biased = (self.exponent + format.max_exponent()) as u128;
                biased << format.fraction_bits | self.significand << 1 >> field
            }
            Kind::Finite => {
                let shift = field - 1 + (format.min_exponent() - self.exponent) as u32;
                if shift < 128 { self.significand >> shift } else { 0 }
            }
            Kind::Infinity => infinity,
            Kind::Nan => infinity | self.significand >> field,
        };
        (self.negative as u128) << (format.exponent_bits + format.fraction_bits) | magnitude
    }

    /// The value of a double.
    pub const fn of_double(bits: u64) -> Float {
        Float::unpack(bits as u128, DOUBLE)
    }

    /// The value of a single.
    pub const fn of_single(bits: u32) -> Float {
        Float::unpack(bits as u128, SINGLE)
    }

    /// The bits in double format.
    pub const fn to_double(self) -> u64 {
        self.pack(DOUBLE) as u64
    }

    /// The bits in single format.
    pub const fn to_single(self) -> u32 {
        self.pack(SINGLE) as u32
    }

    /// Whether it is a NaN.
    pub const fn is_nan(self) -> bool {
        matches!(self.kind, Kind::Nan)
    }

    /// Whether it is a signalling NaN.
    pub const fn is_signalling(self) -> bool {
        self.is_nan() && self.significand >> 127 == 0
    }

    /// Whether it is a finite number too small to be normal in `format`.
    pub const fn is_denormal(self, format: Format) -> bool {
        matches!(self.kind, Kind::Finite) && self.exponent < format.min_exponent()
    }

    /// The value with the opposite sign.
    pub const fn negated(self) -> Float {
        Float { negative: !self.negative, ..self }
    }

    /// The value; a signalling NaN becomes quiet.
    pub const fn quieted(self) -> Float {
        if self.is_nan() { Float { significand: self.significand | 1 << 127, ..self } } else { self }
    }
}
