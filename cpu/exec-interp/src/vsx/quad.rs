//! VSX quad precision: binary128 in vector registers, which are VSRs 32 to 63.

use std::cmp::Ordering;

use exec::VcpuState;
use exec::fp::{Context, DOUBLE, Float, Format, Integer, Outcome, QUAD, Rounding, compare, fpscr};
use ppc_isa::vsx::Quad;
use ppc_isa::vsx::compare::Relation;

use super::compare::{field, is_of_class, report};
use super::{pair, quad};
use crate::env::{Env, Flow, Handler, Step};
use crate::fields::{vra, vrb, vrt};
use crate::float::interrupt_if_enabled;

/// The handler of `op`.
pub fn handler(op: Quad) -> Handler {
    match op {
        Quad::Add => |s, env, w| compute(s, env, w, |x, a, b, _| x.add(a, b)),
        Quad::Sub => |s, env, w| compute(s, env, w, |x, a, b, _| x.sub(a, b)),
        Quad::Mul => |s, env, w| compute(s, env, w, |x, a, b, _| x.mul(a, b)),
        Quad::Div => |s, env, w| compute(s, env, w, |x, a, b, _| x.div(a, b)),
        Quad::Sqrt => |s, env, w| compute(s, env, w, |x, _, b, _| x.sqrt(b)),
        Quad::Fused { subtract: false, negate: false } => {
            |s, env, w| compute(s, env, w, |x, a, b, t| x.multiply_add(a, b, t))
        }
        Quad::Fused { subtract: true, negate: false } => {
            |s, env, w| compute(s, env, w, |x, a, b, t| x.multiply_sub(a, b, t))
        }
        Quad::Fused { subtract: false, negate: true } => {
            |s, env, w| compute(s, env, w, |x, a, b, t| x.multiply_add(a, b, t).negated(QUAD))
        }
        Quad::Fused { subtract: true, negate: true } => {
            |s, env, w| compute(s, env, w, |x, a, b, t| x.multiply_sub(a, b, t).negated(QUAD))
        }
        Quad::RoundToInteger => |s, env, w| round(s, env, w, QUAD, |x, b| x.round_to_integral(b, w & 1 != 0)),
        Quad::RoundToExtended => |s, env, w| round(s, env, w, EXTENDED, |x, b| x.round(b)),
        Quad::Absolute => |s, _, w| write(s, w, bits(s, vrb(w)) & !SIGN),
        Quad::NegativeAbsolute => |s, _, w| write(s, w, bits(s, vrb(w)) | SIGN),
        Quad::Negate => |s, _, w| write(s, w, bits(s, vrb(w)) ^ SIGN),
        Quad::CopySign => |s, _, w| write(s, w, bits(s, vra(w)) & SIGN | bits(s, vrb(w)) & !SIGN),
        Quad::Order { ordered: false } => order::<false>,
        Quad::Order { ordered: true } => order::<true>,
        Quad::Mask(Relation::Equal) => |s, env, w| mask(s, env, w, false, Ordering::is_eq),
        Quad::Mask(Relation::Greater) => |s, env, w| mask(s, env, w, true, Ordering::is_gt),
        Quad::Mask(Relation::GreaterEqual) => |s, env, w| mask(s, env, w, true, Ordering::is_ge),
        Quad::Maximum => |s, env, w| choose(s, env, w, Ordering::is_gt),
        Quad::Minimum => |s, env, w| choose(s, env, w, Ordering::is_lt),
        Quad::Exponents => exponents,
        Quad::ClassTest => |s, env, w| {
            let x = number(s, vrb(w));
            let matches = is_of_class(x, x.is_denormal(QUAD), w >> 16 & 127);
            report(s, env, w, u8::from(x.negative) << 3 | u8::from(matches) << 1, 0)
        },
        Quad::FromDouble => |s, env, w| {
            let outcome = Context::scalar(QUAD, s.fpscr).round(Float::of_double(s.vsr[vrb(w)][0]));
            finish(s, env, w, outcome, QUAD)
        },
        Quad::ToDouble => |s, env, w| {
            let outcome = rounded_by_ro(s, w, DOUBLE).round(number(s, vrb(w)));
            finish(s, env, w, outcome, DOUBLE)
        },
        Quad::FromInteger { bits: 128, signed } => {
            if signed {
                from_integer::<128, true>
            } else {
                from_integer::<128, false>
            }
        }
        Quad::FromInteger { signed: false, .. } => from_integer::<64, false>,
        Quad::FromInteger { signed: true, .. } => from_integer::<64, true>,
        Quad::ToInteger { bits: 128, signed: false } => to_integer::<128, false>,
        Quad::ToInteger { bits: 128, signed: true } => to_integer::<128, true>,
        Quad::ToInteger { bits: 32, signed: false } => to_integer::<32, false>,
        Quad::ToInteger { bits: 32, signed: true } => to_integer::<32, true>,
        Quad::ToInteger { signed: false, .. } => to_integer::<64, false>,
        Quad::ToInteger { signed: true, .. } => to_integer::<64, true>,
        Quad::InsertExponent => |s, _, w| {
            let exponent = u128::from(s.vsr[vrb(w)][0]) << QUAD.fraction_bits & EXPONENT;
            write(s, w, bits(s, vra(w)) & !EXPONENT | exponent)
        },
        Quad::ExtractExponent => |s, _, w| write(s, w, exponent(bits(s, vrb(w))) << 64),
        Quad::ExtractSignificand => |s, _, w| {
            let b = bits(s, vrb(w));
            let normal = !matches!(b & EXPONENT, 0 | EXPONENT);
            write(s, w, b & FRACTION | u128::from(normal) << QUAD.fraction_bits)
        },
    }
}

/// Double-extended precision: the range of quad precision and 64 significant bits.
const EXTENDED: Format = Format { fraction_bits: 63, ..QUAD };

const SIGN: u128 = 1 << 127;
const FRACTION: u128 = (1 << QUAD.fraction_bits) - 1;
const EXPONENT: u128 = !(SIGN | FRACTION);

fn bits(s: &VcpuState, vsr: usize) -> u128 {
    quad(s.vsr[vsr])
}

fn number(s: &VcpuState, vsr: usize) -> Float {
    Float::unpack(bits(s, vsr), QUAD)
}

fn exponent(bits: u128) -> u128 {
    (bits & EXPONENT) >> QUAD.fraction_bits
}

/// Writes VRT.
fn write(s: &mut VcpuState, w: u32, value: u128) -> Step {
    s.vsr[vrt(w)] = pair(value);
    Ok(Flow::Next)
}

/// Rounding to odd if RO=1, else by `FPSCR[RN]`.
fn rounded_by_ro(s: &VcpuState, w: u32, format: Format) -> Context {
    let context = Context::scalar(format, s.fpscr);
    if w & 1 != 0 { context.with_rounding(Rounding::ToOdd) } else { context }
}

/// Computes from VRA, VRB and VRT.
fn compute(
    s: &mut VcpuState,
    env: &mut Env,
    w: u32,
    operation: impl Fn(Context, Float, Float, Float) -> Outcome,
) -> Step {
    let context = rounded_by_ro(s, w, QUAD);
    let outcome = operation(context, number(s, vra(w)), number(s, vrb(w)), number(s, vrt(w)));
    finish(s, env, w, outcome, QUAD)
}

/// Rounds VRB as R and RMC say: R=1 has the codes of `FPSCR[RN]` in RMC; R=0 has ties away from zero, or `FPSCR[RN]`.
/// RMC of 1 and 2 is reserved with R=0: POWER9 takes 2 for away from zero, as decimal instructions do, and 1 not for what
/// they have there.
fn round(
    s: &mut VcpuState,
    env: &mut Env,
    w: u32,
    precision: Format,
    operation: impl Fn(Context, Float) -> Outcome,
) -> Step {
    let rounding = match (w >> 16 & 1, w >> 9 & 3) {
        (0, 0) => Rounding::NearestAway,
        (0, 2) => Rounding::AwayFromZero,
        (0, _) => Rounding::of(s.fpscr),
        (_, rmc) => Rounding::of(rmc.into()),
    };
    let outcome = operation(Context::scalar(precision, s.fpscr).with_rounding(rounding), number(s, vrb(w)));
    finish(s, env, w, outcome, QUAD)
}

/// Writes FPSCR, and VRT unless an enabled exception forbids it. What is narrower than VRT stands at its left end.
fn finish(s: &mut VcpuState, env: &mut Env, w: u32, outcome: Outcome, format: Format) -> Step {
    if !fpscr::suppresses(s.fpscr, outcome.raised) {
        let value = outcome.value.pack(format);
        s.vsr[vrt(w)] = pair(if format == DOUBLE { value << 64 } else { value });
    }
    s.fpscr = fpscr::merge(s.fpscr, outcome.raised, Some(outcome.fprf));
    interrupt_if_enabled(s, env)
}

fn order<const ORDERED: bool>(s: &mut VcpuState, env: &mut Env, w: u32) -> Step {
    let (order, raised) = compare(number(s, vra(w)), number(s, vrb(w)), ORDERED, s.fpscr);
    report(s, env, w, field(order), raised)
}

fn exponents(s: &mut VcpuState, env: &mut Env, w: u32) -> Step {
    let nan = number(s, vra(w)).is_nan() || number(s, vrb(w)).is_nan();
    let order = exponent(bits(s, vra(w))).cmp(&exponent(bits(s, vrb(w))));
    report(s, env, w, field((!nan).then_some(order)), 0)
}

/// Writes VRT, which is no number, unless an enabled exception forbids it; FPSCR tells of the exceptions only.
fn finish_silently(s: &mut VcpuState, env: &mut Env, w: u32, value: u128, raised: u64) -> Step {
    if !fpscr::suppresses(s.fpscr, raised) {
        s.vsr[vrt(w)] = pair(value);
    }
    s.fpscr = fpscr::raise(s.fpscr, raised);
    interrupt_if_enabled(s, env)
}

fn mask(s: &mut VcpuState, env: &mut Env, w: u32, ordered: bool, holds: fn(Ordering) -> bool) -> Step {
    let (order, raised) = compare(number(s, vra(w)), number(s, vrb(w)), ordered, s.fpscr);
    finish_silently(s, env, w, if order.is_some_and(holds) { u128::MAX } else { 0 }, raised)
}

fn choose(s: &mut VcpuState, env: &mut Env, w: u32, first: fn(Ordering) -> bool) -> Step {
    let (order, raised) = compare(number(s, vra(w)), number(s, vrb(w)), false, s.fpscr);
    let chosen = if order.is_some_and(first) { vra(w) } else { vrb(w) };
    finish_silently(s, env, w, bits(s, chosen), raised)
}

fn from_integer<const BITS: u32, const SIGNED: bool>(s: &mut VcpuState, env: &mut Env, w: u32) -> Step {
    let source = if BITS == 128 { bits(s, vrb(w)) } else { s.vsr[vrb(w)][0].into() };
    let value = Integer { bits: BITS, signed: SIGNED }.value(source);
    let outcome = Context::scalar(QUAD, s.fpscr).round(value);
    finish(s, env, w, outcome, QUAD)
}

/// FPRF, which is undefined after it, stays.
fn to_integer<const BITS: u32, const SIGNED: bool>(s: &mut VcpuState, env: &mut Env, w: u32) -> Step {
    let integer = Integer { bits: BITS, signed: SIGNED };
    let (value, raised) = integer.from_float(number(s, vrb(w)), Rounding::TowardZero);
    if !fpscr::suppresses(s.fpscr, raised) {
        let double = value as u64;
        s.vsr[vrt(w)] = match BITS {
            128 => pair(value),
            32 if SIGNED => [i64::from(double as i32) as u64, 0],
            _ => [double, 0],
        };
    }
    s.fpscr = fpscr::merge(s.fpscr, raised, None);
    interrupt_if_enabled(s, env)
}
