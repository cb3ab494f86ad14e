//! Embedded floating point (SPEPEM, sections 3.3 and 5.3.2; Power ISA 2.03 Book I, sections 7.2 to 7.4).
//!
//! There are normal numbers and zeros only. An operand that is anything else sets FINV: a denormal number counts as
//! zero, an infinity or NaN makes the largest number. Overflow gives the largest number, underflow zero. An enabled
//! exception interrupts before the result is written. Rounding toward an infinity is left to software: an inexact
//! result is truncated and written, FG and FX tell what is missing, and the round interrupt follows, as it does in
//! every mode when FINXE is set.

use exec::fp::{self, Context, DOUBLE, Float as Value, Format, Kind, Outcome, QUAD, Rounding, SINGLE, fpscr};
use exec::{Interrupt, VcpuState};
use ppc_isa::spe::Float;
use ppc_isa::spe::float::{Integer, Operation, Relation, Shape};

use super::integer::condition;
use super::spefscr::{self, DIVIDE, GUARD, INVALID, OVERFLOW_FLOAT, STICKY, UNDERFLOW};
use super::{split, wide, words, write};
use crate::env::{Env, Flow, Step, Trapped};
use crate::fields::{bf, ra, rb, rt};

/// Executes `op`, the word `w`.
pub fn execute(op: Float, s: &mut VcpuState, env: &mut Env, w: u32) -> Step {
    let source = |n: usize| if reads_all(op) { wide(s, n) } else { words(s, n)[1].into() };
    let low = [source(ra(w)), source(rb(w))];
    let high = (op.shape == Shape::Vector).then(|| [s.gpr_high[ra(w)].into(), s.gpr_high[rb(w)].into()]);

    if let Operation::Compare { relation, test } = op.operation {
        let format = format(op.shape);
        let (low, high) = (holds(relation, format, low), high.map(|high| holds(relation, format, high)));
        if !test {
            raise(s, env, low.1, high.map(|high| high.1), true)?;
        }
        s.cr[bf(w)] = high.map_or(u8::from(low.0) << 2, |high| condition(high.0, low.0));
        return Ok(Flow::Next);
    }

    let mode = Mode { rounding: s.spefscr & spefscr::ROUNDING, truncate: s.spefscr & spefscr::INEXACT_ENABLE != 0 };
    let (low, high) = (mode.compute(op, low), high.map(|high| mode.compute(op, high)));
    let quiet = matches!(op.operation, Operation::Absolute | Operation::NegativeAbsolute | Operation::Negate);
    let truncates = matches!(op.operation, Operation::ToInteger { truncate: true, .. });
    let round = !quiet && raise(s, env, low.1, high.map(|high| high.1), truncates)?;
    match high {
        Some(high) => write(s, w, [high.0 as u32, low.0 as u32]),
        None if writes_all(op) => write(s, w, split(low.0)),
        None => s.gpr[rt(w)] = low.0,
    }
    if round {
        // The instruction is complete: the interrupt returns to the next one.
        s.cia = s.effective(s.cia.wrapping_add(4));
        s.retired += 1;
        return Err(env.interrupt(Interrupt::EmbeddedFpRound));
    }
    Ok(Flow::Next)
}

/// Whether the operands of a scalar instruction have 64 bits.
fn reads_all(op: Float) -> bool {
    match op.operation {
        Operation::FromSingle => false,
        Operation::FromDouble => true,
        Operation::FromInteger(integer) => integer.double,
        _ => op.shape == Shape::Double,
    }
}

/// Whether the result of a scalar instruction has 64 bits.
fn writes_all(op: Float) -> bool {
    match op.operation {
        Operation::ToInteger { integer, .. } => integer.double,
        _ => op.shape == Shape::Double,
    }
}

fn format(shape: Shape) -> Format {
    if shape == Shape::Double { DOUBLE } else { SINGLE }
}

/// Sets the status bits of an instruction with this status of its low and perhaps its high element, and the sticky
/// bits. Returns whether the round interrupt follows.
///
/// # Errors
/// The data interrupt of an enabled exception.
fn raise(s: &mut VcpuState, env: &mut Env, low: u32, high: Option<u32>, truncates: bool) -> Result<bool, Trapped> {
    s.spefscr = s.spefscr & !spefscr::STATUS | low;
    if let Some(high) = high {
        s.spefscr = s.spefscr & !(spefscr::STATUS << spefscr::HIGH) | high << spefscr::HIGH;
    }
    let either = low | high.unwrap_or(0);
    let exceptions = either & spefscr::EXCEPTIONS;
    s.spefscr |= exceptions << spefscr::TO_STICKY;
    if s.spefscr & exceptions >> spefscr::TO_ENABLE != 0 {
        return Err(env.interrupt(Interrupt::EmbeddedFpData));
    }
    let cut = either & (GUARD | STICKY) != 0;
    let inexact = cut || either & (OVERFLOW_FLOAT | UNDERFLOW) != 0;
    if inexact {
        s.spefscr |= spefscr::INEXACT_STICKY;
    }
    let by_software = s.spefscr & spefscr::ROUNDING >= spefscr::UP && !truncates;
    Ok(inexact && s.spefscr & spefscr::INEXACT_ENABLE != 0 || cut && by_software)
}

/// Whether the relation holds between the operands, and FINV if one is no normal number. It is compared as if it were
/// one: by sign, exponent and fraction as they stand.
fn holds(relation: Relation, format: Format, operands: [u64; 2]) -> (bool, u32) {
    let sign = 1 << (format.exponent_bits + format.fraction_bits);
    let [a, b] = operands.map(|x| if x & sign != 0 { -i128::from(x ^ sign) } else { i128::from(x) });
    let status = operand(operands[0], format).1 | operand(operands[1], format).1;
    let holds = match relation {
        Relation::Greater => a > b,
        Relation::Less => a < b,
        Relation::Equal => a == b,
    };
    (holds, status)
}

/// The number in `bits` and FINV if it is none. A denormal number becomes zero and a NaN infinity.
fn operand(bits: u64, format: Format) -> (Value, u32) {
    let value = Value::unpack(bits.into(), format);
    match value.kind {
        Kind::Infinity | Kind::Nan => (Value::infinity(value.negative), INVALID),
        Kind::Finite if value.is_denormal(format) => (Value::zero(value.negative), INVALID),
        Kind::Finite | Kind::Zero => (value, 0),
    }
}

/// The largest number.
fn largest(format: Format, negative: bool) -> u64 {
    let infinity = Value::infinity(negative).pack(format) as u64;
    infinity - 1
}

/// A magnitude shifted right, and what fell out: the last bit, and whether any other was 1.
fn cut(magnitude: u128, shift: u32) -> (u128, bool, bool) {
    let (kept, tail) = match shift {
        0 => (magnitude, 0),
        1..128 => (magnitude >> shift, magnitude << (128 - shift)),
        128 => (0, magnitude),
        _ => (0, u128::from(magnitude != 0)),
    };
    (kept, tail >> 127 != 0, tail << 1 != 0)
}

fn status(guard: bool, sticky: bool) -> u32 {
    (u32::from(guard) * GUARD) | (u32::from(sticky) * STICKY)
}

/// How results are rounded.
#[derive(Clone, Copy)]
struct Mode {
    /// FRMC.
    rounding: u32,
    /// FINXE: software rounds.
    truncate: bool,
}

impl Mode {
    /// Whether a magnitude is rounded up.
    fn rounds_up(self, kept: u128, guard: bool, sticky: bool) -> bool {
        self.rounding == spefscr::NEAREST && !self.truncate && guard && (sticky || kept & 1 != 0)
    }

    /// The bits of the result of `op`, and its status.
    fn compute(self, op: Float, [a, b]: [u64; 2]) -> (u64, u32) {
        let format = format(op.shape);
        let sign = 1 << (format.exponent_bits + format.fraction_bits);
        match op.operation {
            Operation::Add => self.add(format, a, b),
            Operation::Sub => self.add(format, a, b ^ sign),
            Operation::Mul => self.mul(format, a, b),
            Operation::Div => self.div(format, a, b),
            Operation::Absolute => (a & !sign, 0),
            Operation::NegativeAbsolute => (a | sign, 0),
            Operation::Negate => (a ^ sign, 0),
            Operation::FromSingle => self.convert(format, operand(b, SINGLE)),
            Operation::FromDouble => self.convert(format, operand(b, DOUBLE)),
            Operation::FromInteger(integer) => {
                let kind = fp::Integer { bits: if integer.double { 64 } else { 32 }, signed: integer.signed };
                self.convert(format, (scaled(kind.value(b.into()), integer, -1), 0))
            }
            Operation::ToInteger { integer, truncate } => {
                let mode = Mode { truncate: self.truncate || truncate, ..self };
                mode.integer(integer, Value::unpack(b.into(), format).is_nan(), operand(b, format))
            }
            Operation::Compare { .. } => (0, 0),
        }
    }

    fn add(self, format: Format, a: u64, b: u64) -> (u64, u32) {
        let ((a, x), (b, y)) = (operand(a, format), operand(b, format));
        let down = self.rounding == spefscr::DOWN;
        match (a.kind, b.kind) {
            (Kind::Infinity, _) => (largest(format, a.negative), x | y),
            (_, Kind::Infinity) => (largest(format, b.negative), x | y),
            _ => {
                let mut sum = EXACT.add(a, b);
                if sum.value.kind == Kind::Zero && a.negative != b.negative {
                    sum.value.negative = down;
                }
                let (value, status) = self.settle(format, sum, down);
                (value, status | x | y)
            }
        }
    }

    fn mul(self, format: Format, a: u64, b: u64) -> (u64, u32) {
        let ((a, x), (b, y)) = (operand(a, format), operand(b, format));
        let negative = a.negative != b.negative;
        match (a.kind, b.kind) {
            (Kind::Zero, _) | (_, Kind::Zero) => (Value::zero(negative).pack(format) as u64, x | y),
            (Kind::Infinity, _) | (_, Kind::Infinity) => (largest(format, negative), x | y),
            _ => self.settle(format, EXACT.mul(a, b), negative),
        }
    }

    fn div(self, format: Format, a: u64, b: u64) -> (u64, u32) {
        let ((a, x), (b, y)) = (operand(a, format), operand(b, format));
        let negative = a.negative != b.negative;
        match (a.kind, b.kind) {
            (Kind::Finite, Kind::Zero) if y == 0 => (largest(format, negative), DIVIDE),
            (_, Kind::Zero) => (largest(format, negative), INVALID),
            (_, Kind::Infinity) | (Kind::Zero, _) => (Value::zero(negative).pack(format) as u64, x | y),
            (Kind::Infinity, _) => (largest(format, negative), x | y),
            _ => self.settle(format, EXACT.div(a, b), negative),
        }
    }

    /// A value in `format`.
    fn convert(self, format: Format, (value, status): (Value, u32)) -> (u64, u32) {
        if value.kind == Kind::Infinity {
            return (largest(format, value.negative), status);
        }
        let (bits, more) = self.settle(format, EXACT.round(value), value.negative);
        (bits, status | more)
    }

    /// Brings an outcome of [`EXACT`] into `format`. Underflow gives a zero that is negative if `zero` says so.
    fn settle(self, format: Format, outcome: Outcome, zero: bool) -> (u64, u32) {
        let value = outcome.value;
        if value.kind == Kind::Zero {
            return (value.pack(format) as u64, 0);
        }
        if value.exponent < format.min_exponent() {
            return (Value::zero(zero).pack(format) as u64, UNDERFLOW);
        }
        let precision = format.precision();
        let (kept, guard, sticky) = cut(value.significand, 128 - precision);
        let sticky = sticky || outcome.raised & fpscr::XX != 0;
        let last = value.exponent == format.max_exponent() && kept + 1 == 1 << precision;
        if value.exponent > format.max_exponent() || last && (guard || sticky) {
            return (largest(format, value.negative), OVERFLOW_FLOAT);
        }
        let magnitude = kept + u128::from(self.rounds_up(kept, guard, sticky));
        let rounded = Value::scaled(value.negative, magnitude, value.exponent + 1 - precision as i32);
        (rounded.pack(format) as u64, status(guard, sticky))
    }

    /// A value as an integer. What does not fit saturates.
    fn integer(self, integer: Integer, nan: bool, (value, invalid): (Value, u32)) -> (u64, u32) {
        let bits = if integer.double { 64 } else { 32 };
        let (least, most) = match integer.signed {
            true => (1u128 << (bits - 1), (1 << (bits - 1)) - 1),
            false => (0, (1 << bits) - 1),
        };
        let number = |magnitude: u128, negative: bool| {
            let number = if negative { magnitude.wrapping_neg() } else { magnitude };
            (number & ((1 << bits) - 1)) as u64
        };
        let limit = if value.negative { least } else { most };
        let saturated = (number(limit, value.negative), INVALID);
        if nan {
            return (0, INVALID);
        }
        if value.kind == Kind::Infinity || value.negative && !integer.signed {
            return saturated;
        }
        if value.kind == Kind::Zero {
            return (0, invalid);
        }
        let value = scaled(value, integer, 1);
        // The fraction -1 counts as too large.
        let room = if integer.signed { bits - 1 } else { bits };
        if value.exponent > room || integer.fraction && value.exponent >= room {
            return saturated;
        }
        let (kept, guard, sticky) = cut(value.significand, (127 - value.exponent) as u32);
        let magnitude = kept + u128::from(self.rounds_up(kept, guard, sticky));
        if magnitude > limit { saturated } else { (number(magnitude, value.negative), status(guard, sticky)) }
    }
}

/// A fraction times (`direction` 1) or over (-1) the weight of its binary point.
fn scaled(value: Value, integer: Integer, direction: i32) -> Value {
    let point = match (integer.fraction, integer.signed) {
        (false, _) => 0,
        (true, false) => 32,
        (true, true) => 31,
    };
    Value { exponent: value.exponent + direction * point, ..value }
}

/// Results with more bits than any format here has, truncated: XX says that there are still more.
const EXACT: Context =
    Context { format: QUAD, rounding: Rounding::TowardZero, overflow_enabled: false, underflow_enabled: false };
