//! Single-precision vectors: round to nearest, no exceptions, no FPSCR (Power ISA Book I, section 6.6).
//!
//! With `VSCR[NJ]` denormalised operands count as zeros, and results that underflow become zeros, of the same sign.

use std::cmp::Ordering;

use exec::VcpuState;
use exec::fp::{self, Context, Float, Integer, Outcome, SINGLE, fpscr};
use ppc_isa::vector::{Rounding, VectorFloat};

use crate::env::{Handler, Step};
use crate::vector::{VSCR_NJ, field, map1, map2, map3, set, set_compared, set_saturated, vra, vrb, vrc};

const NEAREST: Context =
    Context { format: SINGLE, rounding: fp::Rounding::NearestEven, overflow_enabled: false, underflow_enabled: false };

pub fn handler(op: VectorFloat) -> Handler {
    match op {
        VectorFloat::Add => |s, _, w| binary(s, w, |a, b| NEAREST.add(a, b)),
        VectorFloat::Subtract => |s, _, w| binary(s, w, |a, b| NEAREST.sub(a, b)),
        VectorFloat::MultiplyAdd => |s, _, w| ternary(s, w, |a, b, c| NEAREST.multiply_add(a, c, b)),
        VectorFloat::NegativeMultiplySubtract => {
            |s, _, w| ternary(s, w, |a, b, c| NEAREST.multiply_sub(a, c, b).negated(SINGLE))
        }
        VectorFloat::Maximum => |s, _, w| binary(s, w, |a, b| extreme(a, b, Ordering::Greater)),
        VectorFloat::Minimum => |s, _, w| binary(s, w, |a, b| extreme(a, b, Ordering::Less)),
        VectorFloat::CompareEqual => |s, _, w| compare(s, w, |order| order == Ordering::Equal),
        VectorFloat::CompareGreaterEqual => |s, _, w| compare(s, w, |order| order != Ordering::Less),
        VectorFloat::CompareGreater => |s, _, w| compare(s, w, |order| order == Ordering::Greater),
        VectorFloat::CompareBounds => |s, _, w| compare_bounds(s, w),
        VectorFloat::Round(Rounding::Nearest) => |s, _, w| round(s, w, fp::Rounding::NearestEven),
        VectorFloat::Round(Rounding::Zero) => |s, _, w| round(s, w, fp::Rounding::TowardZero),
        VectorFloat::Round(Rounding::Up) => |s, _, w| round(s, w, fp::Rounding::Up),
        VectorFloat::Round(Rounding::Down) => |s, _, w| round(s, w, fp::Rounding::Down),
        VectorFloat::FromInteger { signed: false } => |s, _, w| from_integer(s, w, UNSIGNED),
        VectorFloat::FromInteger { signed: true } => |s, _, w| from_integer(s, w, SIGNED),
        VectorFloat::ToInteger { signed: false } => |s, _, w| to_integer(s, w, UNSIGNED),
        VectorFloat::ToInteger { signed: true } => |s, _, w| to_integer(s, w, SIGNED),
        VectorFloat::Reciprocal => |s, _, w| unary(s, w, |b| NEAREST.reciprocal(b)),
        VectorFloat::ReciprocalSquareRoot => |s, _, w| unary(s, w, |b| NEAREST.reciprocal_square_root(b)),
        VectorFloat::Exponent => |s, _, w| unary(s, w, |b| estimate(b, power_of_two)),
        VectorFloat::Logarithm => |s, _, w| unary(s, w, |b| estimate(b, logarithm)),
    }
}

const UNSIGNED: Integer = Integer { bits: 32, signed: false };
const SIGNED: Integer = Integer { bits: 32, signed: true };

/// An operand.
fn operand(vscr: u32, bits: u32) -> Float {
    let value = Float::of_single(bits);
    if vscr & VSCR_NJ != 0 && value.is_denormal(SINGLE) { Float::zero(value.negative) } else { value }
}

/// The bits of a result.
fn result(vscr: u32, outcome: Outcome) -> u32 {
    let value = outcome.value;
    let underflow = value.is_denormal(SINGLE) || outcome.raised & fpscr::UX != 0;
    if vscr & VSCR_NJ != 0 && underflow { Float::zero(value.negative).to_single() } else { value.to_single() }
}

fn unary(s: &mut VcpuState, w: u32, f: impl Fn(Float) -> Outcome) -> Step {
    let vscr = s.vscr;
    set(s, w, map1(vrb(s, w), |b| result(vscr, f(operand(vscr, b)))))
}

fn binary(s: &mut VcpuState, w: u32, f: impl Fn(Float, Float) -> Outcome) -> Step {
    let vscr = s.vscr;
    set(s, w, map2(vra(s, w), vrb(s, w), |a, b| result(vscr, f(operand(vscr, a), operand(vscr, b)))))
}

/// `f` of the elements of VRA, VRB and VRC.
fn ternary(s: &mut VcpuState, w: u32, f: impl Fn(Float, Float, Float) -> Outcome) -> Step {
    let vscr = s.vscr;
    let element = |a, b, c| result(vscr, f(operand(vscr, a), operand(vscr, b), operand(vscr, c)));
    set(s, w, map3(vra(s, w), vrb(s, w), vrc(s, w), element))
}

/// The operand that compares with the other one as `order`; +0 is greater than -0, NaNs come first.
fn extreme(a: Float, b: Float, order: Ordering) -> Outcome {
    let first = match fp::compare(a, b, false, 0).0 {
        None => a.is_nan(),
        Some(Ordering::Equal) => a.negative == (order == Ordering::Less),
        Some(found) => found == order,
    };
    NEAREST.round(if first { a } else { b })
}

fn compare(s: &mut VcpuState, w: u32, holds: impl Fn(Ordering) -> bool) -> Step {
    let vscr = s.vscr;
    let value = map2(vra(s, w), vrb(s, w), |a, b| {
        let (order, _) = fp::compare(operand(vscr, a), operand(vscr, b), false, 0);
        if order.is_some_and(&holds) { u32::MAX } else { 0 }
    });
    set_compared(s, w, value)
}

/// CR field 6 has only the bit for all elements being within bounds: no element is ever all ones.
fn compare_bounds(s: &mut VcpuState, w: u32) -> Step {
    let vscr = s.vscr;
    let value = map2(vra(s, w), vrb(s, w), |a, b| {
        let (a, b) = (operand(vscr, a), operand(vscr, b));
        let above = !matches!(fp::compare(a, b, false, 0).0, Some(Ordering::Less | Ordering::Equal));
        let below = !matches!(fp::compare(a, b.negated(), false, 0).0, Some(Ordering::Greater | Ordering::Equal));
        u32::from(above) << 31 | u32::from(below) << 30
    });
    set_compared(s, w, value)
}

fn round(s: &mut VcpuState, w: u32, rounding: fp::Rounding) -> Step {
    unary(s, w, |b| NEAREST.with_rounding(rounding).round_to_integral(b, false))
}

/// `x` times 2^`scale`.
fn scaled(x: Float, scale: i32) -> Float {
    Float { exponent: x.exponent + scale, ..x }
}

fn from_integer(s: &mut VcpuState, w: u32, format: Integer) -> Step {
    let scale = -(field(w, 16) as i32);
    set(s, w, map1(vrb(s, w), |b: u32| NEAREST.round(scaled(format.value(b.into()), scale)).value.to_single()))
}

/// NaNs become zero.
fn to_integer(s: &mut VcpuState, w: u32, format: Integer) -> Step {
    let (vscr, scale) = (s.vscr, field(w, 16) as i32);
    let mut saturated = false;
    let value = map1(vrb(s, w), |b: u32| {
        let b = operand(vscr, b);
        if b.is_nan() {
            return 0;
        }
        let (value, raised) = format.from_float(scaled(b, scale), fp::Rounding::TowardZero);
        saturated |= raised & fpscr::VXCVI != 0;
        value as u32
    });
    set_saturated(s, w, value, saturated)
}

/// `f` of a number, by basic operations of binary64 whose results are the same on every host.
fn estimate(x: Float, f: fn(f64) -> f64) -> Outcome {
    if x.is_nan() {
        return NEAREST.round(x);
    }
    let value = f(f64::from_bits(x.to_double()));
    NEAREST.round(if value.is_nan() { fp::default_nan() } else { Float::of_double(value.to_bits()) })
}

fn power_of_two(x: f64) -> f64 {
    // Beyond these bounds every result is infinity or zero in single precision.
    let x = x.clamp(-200.0, 200.0);
    let whole = x.floor();
    // e^y by its series; 14 terms are exact enough for y < 1.
    let y = (x - whole) * std::f64::consts::LN_2;
    let fraction = (1..=14).rev().fold(1.0, |sum, n| 1.0 + sum * y / f64::from(n));
    fraction * f64::from_bits(((1023 + whole as i64) as u64) << 52)
}

fn logarithm(x: f64) -> f64 {
    if x == 0.0 {
        return f64::NEG_INFINITY;
    }
    if x < 0.0 || x == f64::INFINITY {
        return if x < 0.0 { f64::NAN } else { x };
    }
    // x = m * 2^e with m in 1..2, and log m = 2 artanh((m - 1) / (m + 1)) by its series.
    let bits = x.to_bits();
    let exponent = (bits >> 52) as i64 - 1023;
    let m = f64::from_bits(bits & 0x000f_ffff_ffff_ffff | 1023 << 52);
    let y = (m - 1.0) / (m + 1.0);
    let series = (0..20).rev().fold(0.0, |sum, n| sum * y * y + 1.0 / f64::from(2 * n + 1));
    exponent as f64 + 2.0 * y * series / std::f64::consts::LN_2
}
