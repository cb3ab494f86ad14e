//! Vector floating point: four singles, round to nearest, no exceptions (Power ISA Book I, section 6.6).

use std::cmp::Ordering;

use ppc_isa::vector::{Rounding, VectorFloat};

use super::Work;
use super::cases::element;
use super::number::{Format, Mode, Number, Value};
use super::result::{Delivered, Rules, to_integer};
use super::scalar::{reciprocal, reciprocal_root, within};
use crate::case::reg;

/// `VSCR[NJ]` and `VSCR[SAT]`.
const NJ: u64 = 0x1_0000;
const SAT: u64 = 1;

const SINGLE: Format = Format::Single;

/// What `op` does.
pub fn execute(op: VectorFloat, work: &mut Work) {
    let rules = Rules::new(SINGLE, 0);
    let flush = work.view.before.reg[reg::VSCR] & NJ != 0;
    let [vrt, vra, vrb, vrc] = ["VRT", "VRA", "VRB", "VRC"].map(|name| work.field(name) as usize + 32);
    let scale = work.field("UIM5") as i32;
    let mut saturated = false;
    let mut words = [0u128; 4];
    for (at, word) in (0..).zip(&mut words) {
        let bits = [vra, vrb, vrc].map(|vr| work.element(vr, at, 32));
        let [a, b, c] = bits.map(|x| {
            let x = Number::decode(x, SINGLE);
            if flush && x.is_denormal(SINGLE) { Number::zero(x.negative) } else { x }
        });
        let found = Number::decode(element(work.found, vrt, at, 32), SINGLE);
        let order = a.order(b);
        let mask = |holds: bool| if holds { 0xffff_ffff } else { 0 };
        *word = match op {
            VectorFloat::Add => result(flush, rules.operate(&[a, b], || a.plus(b, rules.mode))),
            VectorFloat::Subtract => result(flush, rules.operate(&[a, b], || a.plus(b.negated(), rules.mode))),
            VectorFloat::MultiplyAdd => result(flush, rules.fused(a, c, b, false)),
            VectorFloat::NegativeMultiplySubtract => result(flush, rules.fused(a, c, b, true).negated()),
            VectorFloat::Maximum => result(flush, extreme(&rules, a, b, Ordering::Greater)),
            VectorFloat::Minimum => result(flush, extreme(&rules, a, b, Ordering::Less)),
            VectorFloat::CompareEqual => mask(order == Some(Ordering::Equal)),
            VectorFloat::CompareGreaterEqual => mask(order.is_some_and(Ordering::is_ge)),
            VectorFloat::CompareGreater => mask(order == Some(Ordering::Greater)),
            VectorFloat::CompareBounds => {
                let above = !order.is_some_and(Ordering::is_le);
                let below = !a.order(b.negated()).is_some_and(Ordering::is_ge);
                u128::from(above) << 31 | u128::from(below) << 30
            }
            VectorFloat::Round(rounding) => {
                let mode = match rounding {
                    Rounding::Nearest => Mode::NearEven,
                    Rounding::Zero => Mode::Zero,
                    Rounding::Up => Mode::Ceiling,
                    Rounding::Down => Mode::Floor,
                };
                result(flush, rules.with_mode(mode).integral(b, false))
            }
            VectorFloat::FromInteger { signed } => {
                let negative = signed && bits[1] >> 31 != 0;
                let magnitude = if negative { (1 << 32) - bits[1] } else { bits[1] };
                result(flush, rules.round(Number::finite(negative, magnitude, -scale)))
            }
            VectorFloat::ToInteger { signed } => {
                let (value, exceptions, ..) = to_integer(b.scaled(scale), 32, signed, Mode::Zero);
                saturated |= exceptions & exec::fp::fpscr::VXCVI != 0 && !b.is_nan();
                if b.is_nan() { 0 } else { value }
            }
            VectorFloat::Reciprocal => {
                near(flush, rules.operate(&[b], || reciprocal(b)), found, |exact| within(found, exact, 4096))
            }
            VectorFloat::ReciprocalSquareRoot => {
                near(flush, rules.operate(&[b], || reciprocal_root(b)), found, |exact| within(found, exact, 4096))
            }
            VectorFloat::Exponent => near(flush, exponential(&rules, b), found, |exact| within(found, exact, 16)),
            VectorFloat::Logarithm => near(flush, logarithm(&rules, b), found, |exact| {
                // An error of 1/32 beside one, where the logarithm is small; relative to it elsewhere.
                let error = host(found) - host(exact);
                if (host(b) - 1.0).abs() <= 0.125 { error.abs() <= 1.0 / 32.0 } else { within(found, exact, 8) }
            }),
        };
    }
    for (at, word) in (0..).zip(words) {
        work.set_element(vrt, at, 32, word);
    }
    if saturated {
        work.expected.after.reg[reg::VSCR] |= SAT;
    }
    if work.view.row.field("RcV").is_some() && work.field("RcV") == 1 {
        let every = |value| words.iter().all(|word| *word == value);
        work.set_cr(6, u8::from(every(0xffff_ffff)) << 3 | u8::from(every(0)) << 1);
    }
}

/// The bits of a result. In non-Java mode one that is tiny, before rounding, is zero.
fn result(flush: bool, delivered: Delivered) -> u128 {
    let tiny = delivered.exceptions & exec::fp::fpscr::UX != 0 || delivered.number.is_denormal(SINGLE);
    let number = if flush && tiny { Number::zero(delivered.number.negative) } else { delivered.number };
    number.encode(SINGLE).unwrap_or(0)
}

/// The bits of an estimate: those found if they are `good`.
fn near(flush: bool, exact: Delivered, found: Number, good: impl Fn(Number) -> bool) -> u128 {
    let estimated = matches!(exact.number.value, Value::Finite(..)) && good(exact.number);
    result(flush, if estimated { Delivered { number: found, ..exact } } else { exact })
}

fn host(x: Number) -> f64 {
    x.encode(Format::Double).map_or(f64::NAN, |bits| f64::from_bits(bits as u64))
}

fn exponential(rules: &Rules, x: Number) -> Delivered {
    let power = host(x).exp2();
    rules.operate(&[x], || Ok(Number::decode(power.to_bits().into(), Format::Double)))
}

fn logarithm(rules: &Rules, x: Number) -> Delivered {
    let log = if x.is_zero() { f64::NEG_INFINITY } else { host(x).log2() };
    let number =
        if log.is_nan() { super::number::DEFAULT_NAN } else { Number::decode(log.to_bits().into(), Format::Double) };
    if x.is_nan() {
        rules.operate(&[x], || Ok(x))
    } else {
        Delivered::exactly(rules.operate(&[number], || Ok(number)).number, SINGLE, 0)
    }
}

/// +0 is greater than -0; of NaNs the first counts.
fn extreme(rules: &Rules, a: Number, b: Number, wanted: Ordering) -> Delivered {
    let order = match a.order(b) {
        Some(Ordering::Equal) => b.negative.cmp(&a.negative),
        order => order.unwrap_or(Ordering::Equal),
    };
    rules.operate(&[a, b], || Ok(if order == wanted { a } else { b }))
}
