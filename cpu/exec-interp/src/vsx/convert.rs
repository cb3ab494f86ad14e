//! VSX conversions between number formats, and between numbers and their parts.

use exec::VcpuState;
use exec::fp::{
    self, BFLOAT, Context, DOUBLE, Float, Format, HALF, Integer, SINGLE, double_of_single, single_of_double,
};
use ppc_isa::vsx::arithmetic::Shape as Named;
use ppc_isa::vsx::convert::{Convert, Number as Name};

use super::shape::{Shape, Status, VectorDouble, VectorSingle, bits, finish, register};
use super::{from_words, words};
use crate::env::{Env, Flow, Handler, Step};
use crate::fields::{xa, xb, xt};

/// The handler of `op`.
pub fn handler(op: Convert) -> Handler {
    match op {
        Convert::Scalar(from, to) => convert_handler::<true>(from, to),
        Convert::Vector(from, to) => convert_handler::<false>(from, to),
        Convert::WidenBits => |s, _, w| {
            s.vsr[xt(w)] = [double_of_single(words(s.vsr[xb(w)])[0]), 0];
            Ok(Flow::Next)
        },
        Convert::NarrowBits => |s, _, w| {
            s.vsr[xt(w)] = [both_words(single_of_double(s.vsr[xb(w)][0])), 0];
            Ok(Flow::Next)
        },
        Convert::WidenBfloats => |s, _, w| {
            s.vsr[xt(w)] = from_words(words(s.vsr[xb(w)]).map(|word| word << 16));
            Ok(Flow::Next)
        },
        Convert::InsertExponent(Named::VectorSingle) => insert_exponents::<VectorSingle>,
        Convert::InsertExponent(Named::VectorDouble) => insert_exponents::<VectorDouble>,
        Convert::InsertExponent(_) => |s, _, w| {
            let (number, exponent) = (s.gpr[(w >> 16 & 31) as usize], s.gpr[(w >> 11 & 31) as usize]);
            s.vsr[xt(w)] = [with_exponent(number, exponent, DOUBLE), 0];
            Ok(Flow::Next)
        },
        Convert::ExtractExponent(Named::VectorSingle) => |s, _, w| each::<VectorSingle>(s, w, exponent),
        Convert::ExtractExponent(Named::VectorDouble) => |s, _, w| each::<VectorDouble>(s, w, exponent),
        Convert::ExtractExponent(_) => |s, _, w| to_gpr(s, w, exponent),
        Convert::ExtractSignificand(Named::VectorSingle) => |s, _, w| each::<VectorSingle>(s, w, significand),
        Convert::ExtractSignificand(Named::VectorDouble) => |s, _, w| each::<VectorDouble>(s, w, significand),
        Convert::ExtractSignificand(_) => |s, _, w| to_gpr(s, w, significand),
    }
}

/// The result of a conversion: bits, FPSCR bits raised, report.
type Converted = (u64, u64, Status);

/// A number format as source and as target.
trait Number {
    /// Bytes in a vector.
    const BYTES: u32;
    fn value(bits: u64) -> Float;
    fn converted(x: Float, fpscr: u64) -> Converted;
}

struct Half;
struct Bfloat;
struct Single;
struct SingleAsDouble;
struct Double;
struct Int<const BITS: u32, const SIGNED: bool>;

/// Rounds to `precision` and packs as `format`.
fn rounded(x: Float, fpscr: u64, precision: Format, format: Format) -> Converted {
    let outcome = Context::scalar(precision, fpscr).round(x);
    (outcome.value.pack(format) as u64, outcome.raised, Status::Result(outcome.fprf))
}

impl Number for Half {
    const BYTES: u32 = 2;
    fn value(bits: u64) -> Float {
        Float::unpack(bits.into(), HALF)
    }
    fn converted(x: Float, fpscr: u64) -> Converted {
        rounded(x, fpscr, HALF, HALF)
    }
}

impl Number for Bfloat {
    const BYTES: u32 = 2;
    fn value(bits: u64) -> Float {
        Float::unpack(bits.into(), BFLOAT)
    }
    fn converted(x: Float, fpscr: u64) -> Converted {
        rounded(x, fpscr, BFLOAT, BFLOAT)
    }
}

impl Number for Single {
    const BYTES: u32 = 4;
    fn value(bits: u64) -> Float {
        Float::of_single(bits as u32)
    }
    fn converted(x: Float, fpscr: u64) -> Converted {
        rounded(x, fpscr, SINGLE, SINGLE)
    }
}

impl Number for SingleAsDouble {
    const BYTES: u32 = 8;
    fn value(bits: u64) -> Float {
        Float::of_double(bits)
    }
    fn converted(x: Float, fpscr: u64) -> Converted {
        rounded(x, fpscr, SINGLE, DOUBLE)
    }
}

impl Number for Double {
    const BYTES: u32 = 8;
    fn value(bits: u64) -> Float {
        Float::of_double(bits)
    }
    fn converted(x: Float, fpscr: u64) -> Converted {
        rounded(x, fpscr, DOUBLE, DOUBLE)
    }
}

impl<const BITS: u32, const SIGNED: bool> Number for Int<BITS, SIGNED> {
    const BYTES: u32 = BITS / 8;
    fn value(bits: u64) -> Float {
        Integer { bits: BITS, signed: SIGNED }.value(bits.into())
    }
    fn converted(x: Float, _: u64) -> Converted {
        let (value, raised) = Integer { bits: BITS, signed: SIGNED }.from_float(x, fp::Rounding::TowardZero);
        (value as u64, raised, Status::Rounding)
    }
}

fn convert_handler<const SCALAR: bool>(from: Name, to: Name) -> Handler {
    fn from_type<F: Number, const SCALAR: bool>(to: Name) -> Handler {
        match to {
            Name::Half => convert::<F, Half, SCALAR>,
            Name::Bfloat => convert::<F, Bfloat, SCALAR>,
            Name::Single => convert::<F, Single, SCALAR>,
            Name::SingleAsDouble => convert::<F, SingleAsDouble, SCALAR>,
            Name::Double => convert::<F, Double, SCALAR>,
            Name::SignedWord => convert::<F, Int<32, true>, SCALAR>,
            Name::UnsignedWord => convert::<F, Int<32, false>, SCALAR>,
            Name::SignedDouble => convert::<F, Int<64, true>, SCALAR>,
            Name::UnsignedDouble => convert::<F, Int<64, false>, SCALAR>,
        }
    }
    match from {
        Name::Half => from_type::<Half, SCALAR>(to),
        Name::Bfloat => from_type::<Bfloat, SCALAR>(to),
        Name::Single => from_type::<Single, SCALAR>(to),
        Name::SingleAsDouble => from_type::<SingleAsDouble, SCALAR>(to),
        Name::Double => from_type::<Double, SCALAR>(to),
        Name::SignedWord => from_type::<Int<32, true>, SCALAR>(to),
        Name::UnsignedWord => from_type::<Int<32, false>, SCALAR>(to),
        Name::SignedDouble => from_type::<Int<64, true>, SCALAR>(to),
        Name::UnsignedDouble => from_type::<Int<64, false>, SCALAR>(to),
    }
}

/// A word in both halves of a doubleword.
fn both_words(word: u32) -> u64 {
    u64::from(word) << 32 | u64::from(word)
}

fn convert<F: Number, T: Number, const SCALAR: bool>(s: &mut VcpuState, env: &mut Env, w: u32) -> Step {
    let source = s.vsr[xb(w)];
    let mut all_raised = 0;
    let mut report = Status::Silent;
    let mut element = |bits: u64| {
        let (value, raised, status) = T::converted(F::value(bits), s.fpscr);
        all_raised |= raised;
        report = status;
        value
    };
    let value = if !SCALAR && F::BYTES <= 4 && T::BYTES <= 4 {
        from_words(words(source).map(|word| element(word.into()) as u32))
    } else {
        let mut double = |bits: u64| {
            let value = element(if F::BYTES == 4 { bits >> 32 } else { bits });
            if T::BYTES == 4 { both_words(value as u32) } else { value }
        };
        [double(source[0]), if SCALAR { 0 } else { double(source[1]) }]
    };
    if SCALAR {
        finish::<true>(s, env, w, value, all_raised, report)
    } else {
        finish::<false>(s, env, w, value, all_raised, Status::Silent)
    }
}

fn exponent_mask(format: Format) -> u64 {
    (1 << format.exponent_bits) - 1
}

/// `number` with the low bits of `exponent` as its exponent field.
fn with_exponent(number: u64, exponent: u64, format: Format) -> u64 {
    let mask = exponent_mask(format);
    number & !(mask << format.fraction_bits) | (exponent & mask) << format.fraction_bits
}

fn exponent(number: u64, format: Format) -> u64 {
    number >> format.fraction_bits & exponent_mask(format)
}

/// The fraction, with the implicit bit of normal numbers.
fn significand(number: u64, format: Format) -> u64 {
    let exponent = exponent(number, format);
    let normal = exponent != 0 && exponent != exponent_mask(format);
    number & ((1 << format.fraction_bits) - 1) | u64::from(normal) << format.fraction_bits
}

fn insert_exponents<S: Shape>(s: &mut VcpuState, _: &mut Env, w: u32) -> Step {
    let (a, b) = (s.vsr[xa(w)], s.vsr[xb(w)]);
    s.vsr[xt(w)] = register::<S>(|lane| with_exponent(bits::<S>(a, lane), bits::<S>(b, lane), S::FORMAT));
    Ok(Flow::Next)
}

fn each<S: Shape>(s: &mut VcpuState, w: u32, part: fn(u64, Format) -> u64) -> Step {
    let b = s.vsr[xb(w)];
    s.vsr[xt(w)] = register::<S>(|lane| part(bits::<S>(b, lane), S::FORMAT));
    Ok(Flow::Next)
}

fn to_gpr(s: &mut VcpuState, w: u32, part: fn(u64, Format) -> u64) -> Step {
    s.gpr[(w >> 21 & 31) as usize] = part(s.vsr[xb(w)][0], DOUBLE);
    Ok(Flow::Next)
}
