//! Conversions between floating-point values and integers, and between single and double format without arithmetic.

use super::fpscr;
use super::round::drop_bits;
use super::{Float, Kind, Rounding};

/// An integer format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Integer {
    /// Width: 8, 16, 32, 64 or 128.
    pub bits: u32,
    /// Two's complement.
    pub signed: bool,
}

impl Integer {
    /// The integer in the low bits of `bits`.
    pub const fn value(self, bits: u128) -> Float {
        let unused = 128 - self.bits;
        let aligned = bits << unused;
        if self.signed && aligned >> 127 != 0 {
            Float::scaled(true, (aligned.cast_signed() >> unused).unsigned_abs(), 0)
        } else {
            Float::scaled(false, aligned >> unused, 0)
        }
    }

    /// `x` rounded to an integer, in the low bits of the result (zero above), with the FPSCR bits that it raises. What
    /// does not fit saturates and raises VXCVI; a NaN counts as the smallest integer.
    pub fn from_float(self, x: Float, rounding: Rounding) -> (u128, u64) {
        let ones = u128::MAX >> (128 - self.bits);
        let (lowest, highest) = if self.signed { (1 << (self.bits - 1), ones >> 1) } else { (0, ones) };
        let invalid = |negative| (if negative { lowest } else { highest }, fpscr::VXCVI);
        let kept = match x.kind {
            Kind::Zero => return (0, 0),
            Kind::Nan if x.is_signalling() => return (lowest, fpscr::VXCVI | fpscr::VXSNAN),
            Kind::Nan => return (lowest, fpscr::VXCVI),
            Kind::Infinity => return invalid(x.negative),
            Kind::Finite if x.exponent >= self.bits as i32 => return invalid(x.negative),
            Kind::Finite => drop_bits(x.significand, (127 - x.exponent).unsigned_abs(), rounding, x.negative),
        };
        let limit = if x.negative { lowest } else { highest };
        if kept.magnitude > limit {
            return invalid(x.negative);
        }
        let mut raised = 0;
        if kept.inexact {
            raised |= fpscr::XX | fpscr::FI;
        }
        if kept.incremented {
            raised |= fpscr::FR;
        }
        let value = if x.negative { kept.magnitude.wrapping_neg() } else { kept.magnitude };
        (value & ones, raised)
    }
}

/// The double that `lfs` makes of a single: exact, signalling NaNs stay (DOUBLE of Book I, section 4.6.2).
pub const fn double_of_single(single: u32) -> u64 {
    Float::of_single(single).to_double()
}

/// The single that `stfs` makes of a double: bits are selected, not rounded (SINGLE of Book I, section 4.6.3). Doubles
/// outside the range of singles give what the selection gives.
pub const fn single_of_double(double: u64) -> u32 {
    let exponent = (double >> 52 & 0x7ff) as u32;
    let sign = (double >> 32) as u32 & 0x8000_0000;
    if exponent > 896 || double << 1 == 0 {
        (double >> 32) as u32 & 0xc000_0000 | (double >> 29) as u32 & 0x3fff_ffff
    } else if exponent >= 874 {
        let significand = 1 << 52 | double & 0x000f_ffff_ffff_ffff;
        sign | (significand >> (29 + 897 - exponent)) as u32
    } else {
        sign
    }
}
