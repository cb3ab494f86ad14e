//! Rounding of an exact result to a format, with the choice of its exponent (Power ISA Book I, sections 5.5.1
//! to 5.5.3 and 5.5.10).

use super::wide::{Tail, Wide};
use super::{Format, Number, digits, ten};
use crate::fp::fpscr;

/// A rounding mode, with its number in `FPSCR[DRN]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rounding {
    /// 0: to the nearest, ties to even.
    NearestEven,
    /// 1: toward zero.
    TowardZero,
    /// 2: toward plus infinity.
    Up,
    /// 3: toward minus infinity.
    Down,
    /// 4: to the nearest, ties away from zero.
    NearestAway,
    /// 5: to the nearest, ties toward zero.
    NearestToZero,
    /// 6: away from zero.
    Away,
    /// 7: to prepare for shorter precision: a last digit 0 or 5 is incremented, so that what is rounded again does not
    /// look exact or halfway.
    PrepareForShorter,
}

impl Rounding {
    /// The mode in `FPSCR[DRN]`.
    pub const fn of(fpscr: u64) -> Rounding {
        match (fpscr & fpscr::DRN) >> 32 {
            0 => Rounding::NearestEven,
            1 => Rounding::TowardZero,
            2 => Rounding::Up,
            3 => Rounding::Down,
            4 => Rounding::NearestAway,
            5 => Rounding::NearestToZero,
            6 => Rounding::Away,
            _ => Rounding::PrepareForShorter,
        }
    }

    /// The mode that an RMC field selects, with R in front of it where there is one: 3 is that of `FPSCR[DRN]`.
    pub const fn controlled(r_and_rmc: u32, fpscr: u64) -> Rounding {
        match r_and_rmc {
            0 => Rounding::NearestEven,
            1 => Rounding::TowardZero,
            2 => Rounding::NearestAway,
            3 => Rounding::of(fpscr),
            4 => Rounding::Up,
            5 => Rounding::Down,
            6 => Rounding::Away,
            _ => Rounding::NearestToZero,
        }
    }

    /// Whether a number `kept` with `tail` dropped is incremented.
    fn increments(self, negative: bool, kept: u128, tail: Tail) -> bool {
        match self {
            Rounding::NearestEven => tail > Tail::Half || (tail == Tail::Half && kept % 2 == 1),
            Rounding::TowardZero => false,
            Rounding::Up => tail > Tail::Zero && !negative,
            Rounding::Down => tail > Tail::Zero && negative,
            Rounding::NearestAway => tail >= Tail::Half,
            Rounding::NearestToZero => tail > Tail::Half,
            Rounding::Away => tail > Tail::Zero,
            Rounding::PrepareForShorter => tail > Tail::Zero && kept.is_multiple_of(5),
        }
    }

    /// Whether a number too large becomes infinity instead of the largest number.
    const fn overflows_to_infinity(self, negative: bool) -> bool {
        match self {
            Rounding::NearestEven | Rounding::NearestAway | Rounding::NearestToZero | Rounding::Away => true,
            Rounding::TowardZero | Rounding::PrepareForShorter => false,
            Rounding::Up => !negative,
            Rounding::Down => negative,
        }
    }
}

/// How an operation rounds.
#[derive(Clone, Copy, Debug)]
pub struct Context {
    /// The target's format.
    pub format: Format,
    /// The format of a result whose exponent was adjusted: the source's where numbers are shortened.
    pub adjusted_format: Format,
    /// Rounding mode.
    pub rounding: Rounding,
    /// `FPSCR[OE]`: the exponent of a result too large is adjusted.
    pub overflow_enabled: bool,
    /// `FPSCR[UE]`: the exponent of a tiny result is adjusted.
    pub underflow_enabled: bool,
}

/// What an operation returns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The value.
    pub value: Number,
    /// Its format.
    pub format: Format,
    /// FPSCR bits: exceptions, FR and FI.
    pub raised: u64,
    /// FPRF of the value.
    pub fprf: u64,
}

/// An exact result: `magnitude` x 10^`exponent`, or a little more if `sticky`.
pub(super) struct Exact {
    pub negative: bool,
    pub magnitude: Wide,
    pub sticky: bool,
    pub exponent: i32,
}

/// `magnitude` without its last `drop` digits, rounded, and the FPSCR bits XX, FI and FR that this raises.
pub(super) fn drop_digits(magnitude: Wide, drop: u32, sticky: bool, rounding: Rounding, negative: bool) -> (u128, u64) {
    let (kept, tail) = magnitude.split(drop);
    let tail = if sticky { tail.and_more() } else { tail };
    if rounding.increments(negative, kept, tail) {
        (kept + 1, fpscr::XX | fpscr::FI | fpscr::FR)
    } else {
        (kept, if tail == Tail::Zero { 0 } else { fpscr::XX | fpscr::FI })
    }
}

impl Context {
    /// The context of an operation with results in `format` under `fpscr`.
    pub const fn new(format: Format, fpscr: u64) -> Context {
        Context {
            format,
            adjusted_format: format,
            rounding: Rounding::of(fpscr),
            overflow_enabled: fpscr & fpscr::OE != 0,
            underflow_enabled: fpscr & fpscr::UE != 0,
        }
    }

    /// The context with another rounding mode.
    pub const fn with_rounding(self, rounding: Rounding) -> Context {
        Context { rounding, ..self }
    }

    /// An outcome that needs no rounding.
    pub(super) fn exact(&self, value: Number, raised: u64) -> Outcome {
        Outcome { value, format: self.format, raised, fprf: value.class(self.format) }
    }

    /// An invalid operation: the default NaN.
    pub(super) fn invalid(&self, exception: u64) -> Outcome {
        self.exact(Number::default_nan(), exception)
    }

    /// What is added to (taken from) the exponent of a result when underflow (overflow) exceptions are enabled: 576
    /// for DFP Long, 9216 for DFP Extended, 192 (3072) when Long (Extended) is rounded to the narrower format.
    fn adjustment(&self) -> i32 {
        let largest = self.adjusted_format.max_scientific();
        if self.adjusted_format == self.format { largest / 2 * 3 } else { largest / 2 }
    }

    /// Rounds an exact result. Tininess is detected before rounding.
    pub(super) fn round(&self, exact: Exact, ideal: i32) -> Outcome {
        let Exact { negative, magnitude, sticky, mut exponent } = exact;
        let (mut format, precision, mut ideal) = (self.format, self.format.precision, ideal);
        if magnitude.is_zero() {
            let exponent = ideal.clamp(format.min_exponent(), format.max_exponent());
            return self.exact(Number::finite(negative, 0, exponent), 0);
        }
        let length = magnitude.digits();
        let tiny = exponent + (length as i32) - 1 < format.min_scientific();
        let mut drop = length.saturating_sub(precision);
        let mut raised = 0;
        if tiny && self.underflow_enabled {
            raised |= fpscr::UX;
            exponent += self.adjustment();
            ideal += self.adjustment();
            format = self.adjusted_format;
        } else if exponent < format.min_exponent() {
            drop = drop.max(exponent.abs_diff(format.min_exponent()));
        }
        let (mut kept, inexact) = drop_digits(magnitude, drop, sticky, self.rounding, negative);
        raised |= inexact;
        exponent += drop as i32;
        if kept == ten(precision) {
            kept /= 10;
            exponent += 1;
        }
        if tiny && inexact != 0 {
            raised |= fpscr::UX;
        }
        if exponent + digits(kept) as i32 - 1 > format.max_scientific() {
            raised |= fpscr::OX;
            if !self.overflow_enabled {
                return self.overflowed(negative, raised);
            }
            exponent -= self.adjustment();
            ideal -= self.adjustment();
            format = self.adjusted_format;
        }
        // A number with digits to spare that is too large for them is written with trailing zeros.
        let highest = if inexact == 0 { ideal.min(format.max_exponent()) } else { format.max_exponent() };
        while exponent > highest.max(format.min_exponent()) && kept < ten(precision - 1) {
            kept *= 10;
            exponent -= 1;
        }
        while inexact == 0 && exponent < ideal.min(format.max_exponent()) && kept % 10 == 0 && kept != 0 {
            kept /= 10;
            exponent += 1;
        }
        let value = Number::finite(negative, kept, exponent);
        Outcome { value, format, raised, fprf: value.class(format) }
    }

    /// The outcome of a disabled overflow: infinity, which counts as incremented, or the largest number.
    fn overflowed(&self, negative: bool, raised: u64) -> Outcome {
        let raised = raised & !fpscr::FR | fpscr::XX | fpscr::FI;
        if self.rounding.overflows_to_infinity(negative) {
            return self.exact(Number::infinity(negative), raised | fpscr::FR);
        }
        self.exact(Number::finite(negative, ten(self.format.precision) - 1, self.format.max_exponent()), raised)
    }
}
