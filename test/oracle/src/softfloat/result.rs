//! From an exact result to the target register and FPSCR: exceptions, rounding, what enabled exceptions change (Power
//! ISA Book I, sections 4.2.2, 4.3.2 and 4.4; for VSX 7.4).

use exec::fp::fpscr::{self, FR, OX, UX, XX, ZX};

use super::number::{DEFAULT_NAN, Exact, Format, Mode, Number, Rounded, Special};

/// What an operation delivers, and what it reports in FPSCR.
#[derive(Clone, Copy, Debug)]
pub struct Delivered {
    /// The result.
    pub number: Number,
    /// The format whose classes FPRF tells.
    pub format: Format,
    /// OX, UX, ZX, XX and the invalid operation exceptions.
    pub exceptions: u64,
    /// Fraction rounded.
    pub fr: bool,
    /// Fraction inexact.
    pub fi: bool,
    /// FPSCR bits that the ISA leaves undefined.
    pub undefined: u64,
}

impl Delivered {
    /// A result that needs no rounding.
    pub fn exactly(number: Number, format: Format, exceptions: u64) -> Delivered {
        Delivered { number: number.quieted(format), format, exceptions, fr: false, fi: false, undefined: 0 }
    }

    /// Five bits, in place.
    pub fn fprf(&self) -> u64 {
        class(self.number, self.format)
    }

    /// With the sign changed, but not of a NaN.
    pub fn negated(self) -> Delivered {
        if self.number.is_nan() { self } else { Delivered { number: self.number.negated(), ..self } }
    }
}

/// FPRF of a number in `format` (Book I, figure "Floating-Point Result Flags").
pub fn class(number: Number, format: Format) -> u64 {
    let sign = if number.negative { 0x8000 } else { 0x4000 };
    if number.is_nan() {
        0x1_1000
    } else if number.is_zero() {
        if number.negative { 0x1_2000 } else { 0x2000 }
    } else if number.is_infinite() {
        sign | 0x1000
    } else if number.is_denormal(format) {
        sign | 0x1_0000
    } else {
        sign
    }
}

/// How results are rounded.
#[derive(Clone, Copy, Debug)]
pub struct Rules {
    /// To which precision and range.
    pub format: Format,
    /// In which direction.
    pub mode: Mode,
    fpscr: u64,
}

impl Rules {
    /// Those of FPSCR.
    pub fn new(format: Format, fpscr: u64) -> Rules {
        Rules { format, mode: Mode::of(fpscr), fpscr }
    }

    /// With another rounding mode.
    pub fn with_mode(self, mode: Mode) -> Rules {
        Rules { mode, ..self }
    }

    /// An operation on operands, of which the first NaN is the result.
    pub fn operate(&self, operands: &[Number], operation: impl FnOnce() -> Exact) -> Delivered {
        let signalling = operands.iter().any(|x| x.is_signalling());
        match operands.iter().find(|x| x.is_nan()) {
            Some(nan) => Delivered::exactly(*nan, self.format, if signalling { fpscr::VXSNAN } else { 0 }),
            None => self.deliver(operation()),
        }
    }

    fn deliver(&self, exact: Exact) -> Delivered {
        let (number, exception) = match exact {
            Ok(number) => return self.round(number),
            Err(Special::InfinityMinusInfinity) => (DEFAULT_NAN, fpscr::VXISI),
            Err(Special::InfinityTimesZero) => (DEFAULT_NAN, fpscr::VXIMZ),
            Err(Special::InfinityOverInfinity) => (DEFAULT_NAN, fpscr::VXIDI),
            Err(Special::ZeroOverZero) => (DEFAULT_NAN, fpscr::VXZDZ),
            Err(Special::NegativeRoot) => (DEFAULT_NAN, fpscr::VXSQRT),
            Err(Special::OverZero(negative)) => (Number::infinity(negative), ZX),
        };
        Delivered::exactly(number, self.format, exception)
    }

    /// Rounds an intermediate result that is no NaN (Book I, 4.4.3 to 4.4.5).
    pub fn round(&self, exact: Number) -> Delivered {
        let format = self.format;
        let Some(exponent) = exact.exponent() else { return Delivered::exactly(exact, format, 0) };
        let unbounded = exact.to_precision(format, self.mode);
        let delivered = |rounded: Rounded, exceptions| Delivered {
            number: rounded.number,
            format,
            exceptions: exceptions | if rounded.inexact { XX } else { 0 },
            fr: rounded.incremented,
            fi: rounded.inexact,
            undefined: 0,
        };
        // Tiny: before rounding.
        if exponent < format.min_exponent() {
            if self.fpscr & fpscr::UE != 0 {
                let number = unbounded.number.scaled(format.adjustment());
                return delivered(Rounded { number, ..unbounded }, UX);
            }
            let denormalized = exact.to_format(format, self.mode);
            return delivered(denormalized, if denormalized.inexact { UX } else { 0 });
        }
        if unbounded.number.exponent().is_some_and(|e| e > format.max_exponent()) {
            if self.fpscr & fpscr::OE != 0 {
                let number = unbounded.number.scaled(-format.adjustment());
                return delivered(Rounded { number, ..unbounded }, OX);
            }
            // "FR is undefined, FI is set to 1": inexact, whatever was cut off.
            let bounded = Rounded { inexact: true, ..exact.to_format(format, self.mode) };
            return Delivered { undefined: FR, ..delivered(bounded, OX) };
        }
        delivered(unbounded, 0)
    }

    /// a x b + c, with invalid operations as of a multiplication followed by an addition; NaNs in the order a, c, b.
    /// In the terms of `fmadd`, b is FRC and c is FRB; a difference has c negated, but not as a NaN.
    pub fn fused(&self, a: Number, b: Number, c: Number, subtract: bool) -> Delivered {
        let mut delivered =
            self.operate(&[a, c, b], || a.times_plus(b, if subtract { c.negated() } else { c }, self.mode));
        let product_invalid = a.is_infinite() && b.is_zero() || a.is_zero() && b.is_infinite();
        if product_invalid {
            delivered.exceptions |= fpscr::VXIMZ;
        }
        delivered
    }

    /// The number rounded to an integer; XX, FR and FI only if `reported`.
    pub fn integral(&self, x: Number, reported: bool) -> Delivered {
        if x.is_nan() {
            return self.operate(&[x], || Ok(x));
        }
        let rounded = x.to_integral(self.mode);
        let fi = reported && rounded.inexact;
        Delivered {
            exceptions: if fi { XX } else { 0 },
            fi,
            fr: fi && rounded.incremented,
            ..Delivered::exactly(rounded.number, self.format, 0)
        }
    }
}

/// A conversion to an integer: the low `bits` bits of the result, exceptions, FR and FI.
pub fn to_integer(x: Number, bits: u32, signed: bool, mode: Mode) -> (u128, u64, bool, bool) {
    let ones = u128::MAX >> (128 - bits);
    let (least, greatest) = if signed { (1 << (bits - 1), ones >> 1) } else { (0, ones) };
    if x.is_nan() {
        // NaNs convert as minus infinity does.
        let vxsnan = if x.is_signalling() { fpscr::VXSNAN } else { 0 };
        return (least, fpscr::VXCVI | vxsnan, false, false);
    }
    let rounded = x.to_integral(mode);
    let magnitude = match rounded.number.value {
        super::number::Value::Finite(magnitude, scale) if scale < 128 && magnitude.ilog2() as i32 + scale < 128 => {
            Some(magnitude << scale)
        }
        super::number::Value::Zero => Some(0),
        _ => None,
    };
    let limit = if x.negative { least } else { greatest };
    match magnitude {
        Some(m) if m <= limit => {
            let value = if x.negative { m.wrapping_neg() } else { m };
            let xx = if rounded.inexact { XX } else { 0 };
            (value & ones, xx, rounded.incremented, rounded.inexact)
        }
        _ => (limit, fpscr::VXCVI, false, false),
    }
}

/// FPSCR after some exceptions: they are sticky, FX tells a new one, VX and FEX follow from the rest.
pub fn with_exceptions(fpscr: u64, exceptions: u64) -> u64 {
    let fresh = exceptions & !fpscr;
    summarised(fpscr | exceptions | if fresh != 0 { fpscr::FX } else { 0 })
}

/// FPSCR with VX and FEX as they follow from the other bits.
pub fn summarised(fpscr: u64) -> u64 {
    let on = |bits| fpscr & bits != 0;
    let vx = on(fpscr::VX_ALL);
    let fex = vx && on(fpscr::VE)
        || on(OX) && on(fpscr::OE)
        || on(UX) && on(fpscr::UE)
        || on(ZX) && on(fpscr::ZE)
        || on(XX) && on(fpscr::XE);
    let summary = if vx { fpscr::VX } else { 0 } | if fex { fpscr::FEX } else { 0 };
    fpscr & !(fpscr::VX | fpscr::FEX) | summary
}
