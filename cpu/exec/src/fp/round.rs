//! Rounding: from an exact value to a format, with the exceptions that the rounding itself raises.

use super::arithmetic::propagate_nan;
use super::fpscr;
use super::{Float, Format, Kind};

/// Rounding modes: the four of `FPSCR[RN]`, and two that instructions choose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rounding {
    /// To nearest, ties to even (RN = 0).
    NearestEven,
    /// Toward zero (RN = 1).
    TowardZero,
    /// Toward plus infinity (RN = 2).
    Up,
    /// Toward minus infinity (RN = 3).
    Down,
    /// To nearest, ties away from zero (`frin`, `xsrdpi`).
    NearestAway,
    /// Away from zero (`xsrqpi` with R=0, RMC=2).
    AwayFromZero,
    /// To the neighbour with an odd last bit (the `o` forms of quad precision).
    ToOdd,
}

impl Rounding {
    /// The mode in `FPSCR[RN]`.
    pub const fn of(fpscr: u64) -> Rounding {
        match fpscr & fpscr::RN {
            0 => Rounding::NearestEven,
            1 => Rounding::TowardZero,
            2 => Rounding::Up,
            _ => Rounding::Down,
        }
    }
}

/// Where and how results are rounded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Context {
    /// The format whose precision and range bound the result.
    pub format: Format,
    /// Rounding mode.
    pub rounding: Rounding,
    /// Overflow exceptions are enabled (`FPSCR[OE]`, scalar operations only): the exponent is adjusted.
    pub overflow_enabled: bool,
    /// Underflow exceptions are enabled (`FPSCR[UE]`, scalar operations only): the exponent is adjusted.
    pub underflow_enabled: bool,
}

/// The result of an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The rounded value.
    pub value: Float,
    /// FPSCR bits that the operation raises: exceptions (without FX, FEX and VX), FR and FI.
    pub raised: u64,
    /// `FPSCR[FPRF]` of the value, in place.
    pub fprf: u64,
}

impl Outcome {
    pub(super) fn new(value: Float, raised: u64, format: Format) -> Outcome {
        Outcome { value, raised, fprf: fpscr::class(value, format) }
    }

    /// The outcome with the sign inverted unless it is a NaN (`fnmadd`, `fnmsub`).
    pub fn negated(self, format: Format) -> Outcome {
        if self.value.is_nan() { self } else { Outcome::new(self.value.negated(), self.raised, format) }
    }
}

/// An integer part after rounding.
pub(super) struct Kept {
    pub magnitude: u128,
    pub inexact: bool,
    pub incremented: bool,
}

/// Drops the low `drop` bits of `significand` (which may be more than it has) and rounds what is kept.
pub(super) fn drop_bits(significand: u128, drop: u32, rounding: Rounding, negative: bool) -> Kept {
    const HALF: u128 = 1 << 127;
    let (kept, tail) = match drop {
        0 => (significand, 0),
        1..128 => (significand >> drop, significand << (128 - drop)),
        128 => (0, significand),
        _ => (0, u128::from(significand != 0)),
    };
    let inexact = tail != 0;
    let odd = kept & 1 != 0;
    let incremented = match rounding {
        Rounding::NearestEven => tail > HALF || (tail == HALF && odd),
        Rounding::NearestAway => tail >= HALF,
        Rounding::AwayFromZero => inexact,
        Rounding::TowardZero => false,
        Rounding::Up => inexact && !negative,
        Rounding::Down => inexact && negative,
        Rounding::ToOdd => inexact && !odd,
    };
    Kept { magnitude: kept + u128::from(incremented), inexact, incremented }
}

impl Context {
    /// The context of a scalar operation under `fpscr`.
    pub const fn scalar(format: Format, fpscr: u64) -> Context {
        Context {
            format,
            rounding: Rounding::of(fpscr),
            overflow_enabled: fpscr & fpscr::OE != 0,
            underflow_enabled: fpscr & fpscr::UE != 0,
        }
    }

    /// The context of an element of a vector operation under `fpscr`: exponents are never adjusted, because an
    /// enabled exception leaves the target unchanged.
    pub const fn vector(format: Format, fpscr: u64) -> Context {
        Context { format, rounding: Rounding::of(fpscr), overflow_enabled: false, underflow_enabled: false }
    }

    /// The context with another rounding mode.
    pub const fn with_rounding(self, rounding: Rounding) -> Context {
        Context { rounding, ..self }
    }

    /// Rounds `x` to the format (`frsp` and conversions between formats). A signalling NaN raises VXSNAN.
    pub fn round(&self, x: Float) -> Outcome {
        match propagate_nan(&[x]) {
            Some((nan, raised)) => self.exact(nan, raised),
            None => self.round_exact(x, 0),
        }
    }

    /// Rounds a number whose lowest significand bit may be sticky, adding to the bits `raised` so far. Tininess is
    /// detected before rounding (Book I, section 4.4.4).
    pub(super) fn round_exact(&self, x: Float, mut raised: u64) -> Outcome {
        if x.kind != Kind::Finite {
            return self.exact(x, raised);
        }
        let format = self.format;
        let below = (format.min_exponent() - x.exponent).max(0);
        let mut exponent = x.exponent;
        let mut drop = 128 - format.precision();
        if below > 0 && self.underflow_enabled {
            raised |= fpscr::UX;
            exponent += format.exponent_adjust();
        } else {
            drop = drop.saturating_add(below.unsigned_abs());
        }
        let kept = drop_bits(x.significand, drop, self.rounding, x.negative);
        let mut value = Float::scaled(x.negative, kept.magnitude, exponent - 127 + drop as i32);
        if kept.inexact {
            raised |= fpscr::XX | fpscr::FI;
            if below > 0 {
                raised |= fpscr::UX;
            }
        }
        if kept.incremented {
            raised |= fpscr::FR;
        }
        if value.kind == Kind::Finite && value.exponent > format.max_exponent() {
            raised |= fpscr::OX;
            if self.overflow_enabled {
                value.exponent -= format.exponent_adjust();
            } else {
                raised |= fpscr::XX | fpscr::FI;
                value = self.overflowed(x.negative);
            }
        }
        Outcome::new(value, raised, format)
    }

    /// The result of a disabled overflow: infinity or the largest number.
    fn overflowed(&self, negative: bool) -> Float {
        let to_infinity = match self.rounding {
            Rounding::NearestEven | Rounding::NearestAway | Rounding::AwayFromZero => true,
            Rounding::TowardZero | Rounding::ToOdd => false,
            Rounding::Up => !negative,
            Rounding::Down => negative,
        };
        if to_infinity {
            return Float::infinity(negative);
        }
        let significand = u128::MAX << (128 - self.format.precision());
        Float { kind: Kind::Finite, negative, exponent: self.format.max_exponent(), significand }
    }

    /// An outcome that needs no rounding. NaNs lose the payload bits that the format lacks.
    pub(super) fn exact(&self, value: Float, raised: u64) -> Outcome {
        let mut value = value;
        if value.is_nan() {
            value.significand &= u128::MAX << (128 - self.format.fraction_bits);
        }
        Outcome::new(value, raised, self.format)
    }

    /// Rounds `x` to an integral value in the context's rounding mode. XX, FR and FI are raised only if `inexact`
    /// says that the instruction reports them (`xsrdpic` does, `frin` and `xsrdpi` do not).
    pub fn round_to_integral(&self, x: Float, inexact: bool) -> Outcome {
        if let Some((nan, raised)) = propagate_nan(&[x]) {
            return self.exact(nan, raised);
        }
        if x.kind != Kind::Finite || x.exponent >= 127 {
            return self.exact(x, 0);
        }
        let kept = drop_bits(x.significand, (127 - x.exponent).unsigned_abs(), self.rounding, x.negative);
        let mut raised = 0;
        if inexact && kept.inexact {
            raised |= fpscr::XX | fpscr::FI;
            if kept.incremented {
                raised |= fpscr::FR;
            }
        }
        self.exact(Float::scaled(x.negative, kept.magnitude, 0), raised)
    }
}
