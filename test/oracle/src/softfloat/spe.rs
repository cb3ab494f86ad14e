//! Embedded floating point: singles and doubles in GPRs (SPEPEM, sections 3.3 and 5.3.2; Power ISA 2.03 Book I,
//! sections 7.2 to 7.4, whose tables of results are followed here).

use std::cmp::Ordering;

use ppc_isa::spe::Float;
use ppc_isa::spe::float::{Integer, Operation, Relation, Shape};

use super::Work;
use super::number::{Format, Mode, Number, Value};
use crate::case::{Ending, reg};

/// Status bits of the low element; those of the high one stand 16 bits to the left.
const FG: u64 = 0x2000;
const FX: u64 = 0x1000;
const FINV: u64 = 0x800;
const FDBZ: u64 = 0x400;
const FUNF: u64 = 0x200;
const FOVF: u64 = 0x100;
const EXCEPTIONS: u64 = FINV | FDBZ | FUNF | FOVF;
const STATUS: u64 = FG | FX | EXCEPTIONS;
const HIGH: u32 = 16;
/// Sticky bits and enables.
const FINXS: u64 = 0x20_0000;
const FINXE: u64 = 0x40;

impl Work<'_> {
    fn spefscr(&self) -> u64 {
        self.view.before.reg[reg::SPEFSCR]
    }

    /// The words of a GPR, the high one first.
    fn words(&self, name: &str) -> [u128; 2] {
        let n = self.field(name) as usize;
        [reg::HIGH + n, n].map(|index| u128::from(self.view.before.reg[index] & 0xffff_ffff))
    }

    fn set_low(&mut self, value: u128) {
        self.expected.after.reg[self.field("RT") as usize] = value as u64 & 0xffff_ffff;
    }

    fn set_high(&mut self, value: u128) {
        self.expected.after.reg[reg::HIGH + self.field("RT") as usize] = value as u64 & 0xffff_ffff;
    }

    /// Sets the status of both elements. Returns whether the result is written: no data interrupt is taken.
    fn embedded(&mut self, low: u64, high: Option<u64>, truncates: bool) -> bool {
        let mut spefscr = self.spefscr() & !STATUS | low;
        match high {
            Some(high) => spefscr = spefscr & !(STATUS << HIGH) | high << HIGH,
            // "Execution of a scalar embedded floating-point instruction leaves [the high ones] undefined."
            None => self.expected.ignore.reg[reg::SPEFSCR] |= STATUS << HIGH,
        }
        let either = low | high.unwrap_or(0);
        let sticky = [(FINV, 0x10_0000, 0x20), (FDBZ, 0x8_0000, 0x10), (FUNF, 0x4_0000, 8), (FOVF, 0x2_0000, 4)];
        let mut trapped = false;
        for (exception, bit, enable) in sticky {
            if either & exception != 0 {
                spefscr |= bit;
                trapped |= spefscr & enable != 0;
            }
        }
        let cut = either & (FG | FX) != 0;
        let inexact = cut || either & (FUNF | FOVF) != 0;
        if inexact && !trapped {
            spefscr |= FINXS;
        }
        self.expected.after.reg[reg::SPEFSCR] = spefscr;
        if trapped {
            self.expected.ending = Ending::FloatEnabled;
            self.expected.at = 0;
        } else if inexact && spefscr & FINXE != 0 || cut && spefscr & 2 != 0 && !truncates {
            // The round interrupt: the truncated result is in place, and the next instruction is up.
            self.expected.ending = Ending::FloatEnabled;
            self.expected.at = 1;
        }
        !trapped
    }
}

/// What `op` does.
pub fn execute(op: Float, work: &mut Work) {
    let format = if op.shape == Shape::Double { Format::Double } else { Format::Single };
    let vector = op.shape == Shape::Vector;
    let [a, b] = ["RA", "RB"].map(|name| work.words(name));
    let whole = |words: [u128; 2]| words[0] << 32 | words[1];
    let wide = match op.operation {
        Operation::FromInteger(integer) => integer.double,
        Operation::FromSingle => false,
        Operation::FromDouble => true,
        _ => op.shape == Shape::Double,
    };
    let low = if wide { [whole(a), whole(b)] } else { [a[1], b[1]] };
    let high = vector.then_some([a[0], b[0]]);

    if let Operation::Compare { relation, test } = op.operation {
        let [cl, ch] = [Some(low), high].map(|x| x.map(|[a, b]| holds(relation, a, b, format)));
        let ((cl, low), high) = (cl.unwrap_or_default(), ch.map(|ch| ch.1));
        if test || work.embedded(low, high, true) {
            let ch = ch.map(|ch| ch.0);
            let field = match ch {
                Some(ch) => u8::from(ch) << 3 | u8::from(cl) << 2 | u8::from(ch | cl) << 1 | u8::from(ch & cl),
                None => u8::from(cl) << 2,
            };
            work.set_cr(work.field("BF"), field);
            if !vector {
                // "undefined || cl || undefined || undefined"
                work.expected.ignore.reg[reg::CR] |= 0xb << (28 - 4 * work.field("BF"));
            }
        }
        return;
    }

    let rules = Embedded { format, spefscr: work.spefscr() };
    let low = rules.compute(op, low);
    let high = high.map(|high| rules.compute(op, high));
    let signs = matches!(op.operation, Operation::Absolute | Operation::NegativeAbsolute | Operation::Negate);
    let truncates = matches!(op.operation, Operation::ToInteger { truncate: true, .. });
    if !signs && !work.embedded(low.1, high.map(|high| high.1), truncates) {
        return;
    }
    work.set_low(low.0);
    let doubled = match op.operation {
        Operation::ToInteger { integer, .. } => integer.double,
        _ => op.shape == Shape::Double,
    };
    if let Some(high) = high {
        work.set_high(high.0);
    } else if doubled {
        work.set_high(low.0 >> 32);
    }
}

/// Infinities, NaNs and denormal numbers compare by their exponents and fractions "directly", with FINV.
fn holds(relation: Relation, a: u128, b: u128, format: Format) -> (bool, u64) {
    let sign = 1 << (format.fields().1 - 1);
    let signed = |x: u128| if x & sign != 0 { -((x ^ sign) as i128) } else { x as i128 };
    let wanted = match relation {
        Relation::Greater => Ordering::Greater,
        Relation::Less => Ordering::Less,
        Relation::Equal => Ordering::Equal,
    };
    (signed(a).cmp(&signed(b)) == wanted, input(a, format).1 | input(b, format).1)
}

/// What the result tables know of an operand, with the sign that it has.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    /// Infinity or NaN.
    Beyond,
    /// Denormal or zero.
    Zero,
    Normal,
}

/// Class and FINV.
fn input(bits: u128, format: Format) -> (Class, u64) {
    let x = Number::decode(bits, format);
    match x.value {
        Value::Nan(_) | Value::Infinity => (Class::Beyond, FINV),
        Value::Zero => (Class::Zero, 0),
        Value::Finite(..) if x.is_denormal(format) => (Class::Zero, FINV),
        Value::Finite(..) => (Class::Normal, 0),
    }
}

struct Embedded {
    format: Format,
    spefscr: u64,
}

impl Embedded {
    /// Toward minus infinity, where sums that cancel and sums that underflow are -0.
    fn down(&self) -> bool {
        self.spefscr & 3 == 3
    }

    fn nearest(&self) -> bool {
        self.spefscr & 3 == 0 && self.spefscr & FINXE == 0
    }

    fn zero(&self, negative: bool) -> u128 {
        u128::from(negative) << (self.format.fields().1 - 1)
    }

    /// pmax or nmax.
    fn max(&self, negative: bool) -> u128 {
        let infinity = Number::infinity(negative).encode(self.format).unwrap_or(0);
        infinity - 1
    }

    fn compute(&self, op: Float, [a, b]: [u128; 2]) -> (u128, u64) {
        let sign = 1 << (self.format.fields().1 - 1);
        match op.operation {
            Operation::Absolute => (a & !sign, 0),
            Operation::NegativeAbsolute => (a | sign, 0),
            Operation::Negate => (a ^ sign, 0),
            Operation::Add => self.sum(a, b),
            Operation::Sub => self.sum(a, b ^ sign),
            Operation::Mul => self.product(a, b),
            Operation::Div => self.quotient(a, b),
            Operation::FromSingle => self.from(b, Format::Single),
            Operation::FromDouble => self.from(b, Format::Double),
            Operation::FromInteger(integer) => {
                let bits = if integer.double { 64 } else { 32 };
                let negative = integer.signed && b >> (bits - 1) & 1 != 0;
                let magnitude = if negative { (1 << bits) - b } else { b };
                self.settle(Number::finite(negative, magnitude, -point(integer)), negative)
            }
            Operation::ToInteger { integer, truncate } => self.integer(b, integer, truncate),
            Operation::Compare { .. } => (0, 0),
        }
    }

    fn number(&self, bits: u128) -> Number {
        let x = Number::decode(bits, self.format);
        if input(bits, self.format).0 == Class::Zero { Number::zero(x.negative) } else { x }
    }

    fn sum(&self, a: u128, b: u128) -> (u128, u64) {
        let ((ca, ia), (cb, ib)) = (input(a, self.format), input(b, self.format));
        let (na, nb) = (self.number(a), self.number(b));
        let mode = if self.down() { Mode::Floor } else { Mode::Zero };
        let (bits, status) = match (ca, cb) {
            (Class::Beyond, _) => (self.max(na.negative), 0),
            (_, Class::Beyond) => (self.max(nb.negative), 0),
            _ => self.settle(na.plus(nb, mode).unwrap_or(na), self.down()),
        };
        (bits, status | ia | ib)
    }

    fn product(&self, a: u128, b: u128) -> (u128, u64) {
        let ((ca, ia), (cb, ib)) = (input(a, self.format), input(b, self.format));
        let (na, nb) = (self.number(a), self.number(b));
        let negative = na.negative != nb.negative;
        let (bits, status) = match (ca, cb) {
            (Class::Zero, _) | (_, Class::Zero) => (self.zero(negative), 0),
            (Class::Beyond, _) | (_, Class::Beyond) => (self.max(negative), 0),
            _ => self.settle(na.times(nb).unwrap_or(na), negative),
        };
        (bits, status | ia | ib)
    }

    fn quotient(&self, a: u128, b: u128) -> (u128, u64) {
        let ((ca, ia), (cb, ib)) = (input(a, self.format), input(b, self.format));
        let (na, nb) = (self.number(a), self.number(b));
        let negative = na.negative != nb.negative;
        match (ca, cb) {
            (Class::Normal, Class::Zero) if ib == 0 => (self.max(negative), FDBZ),
            (_, Class::Zero) => (self.max(negative), FINV),
            (_, Class::Beyond) => (self.zero(negative), FINV),
            (Class::Zero, Class::Normal) => (self.zero(negative), ia),
            (Class::Beyond, Class::Normal) => (self.max(negative), FINV),
            (Class::Normal, Class::Normal) => self.settle(na.over(nb).unwrap_or(na), negative),
        }
    }

    /// A conversion of the other format.
    fn from(&self, bits: u128, format: Format) -> (u128, u64) {
        let x = Number::decode(bits, format);
        match input(bits, format) {
            (Class::Beyond, finv) => (self.max(x.negative), finv),
            (Class::Zero, finv) => (self.zero(x.negative), finv),
            (Class::Normal, _) => self.settle(x, x.negative),
        }
    }

    /// An exact result rounded, and its guard and sticky bits. Underflow gives zero of sign `zero`.
    fn settle(&self, exact: Number, zero: bool) -> (u128, u64) {
        let Some(exponent) = exact.exponent() else { return (self.zero(exact.negative), 0) };
        if exponent < self.format.min_exponent() {
            return (self.zero(zero), FUNF);
        }
        let max = Number::decode(self.max(false), self.format);
        if (Number { negative: false, ..exact }).order(max) == Some(Ordering::Greater) {
            return (self.max(exact.negative), FOVF);
        }
        let unit = exponent + 1 - self.format.precision() as i32;
        let mode = if self.nearest() { Mode::NearEven } else { Mode::Zero };
        let rounded = exact.to_precision(self.format, mode).number;
        let truncated = exact.to_precision(self.format, Mode::Zero).number;
        (rounded.encode(self.format).unwrap_or(0), rest(exact, truncated, unit))
    }

    fn integer(&self, bits: u128, integer: Integer, truncate: bool) -> (u128, u64) {
        let width = if integer.double { 64 } else { 32 };
        let x = Number::decode(bits, self.format);
        let (least, most) =
            if integer.signed { (1 << (width - 1), (1 << (width - 1)) - 1) } else { (0, (1u128 << width) - 1) };
        let saturated = (if x.negative { least } else { most }, FINV);
        match input(bits, self.format) {
            _ if x.is_nan() => return (0, FINV),
            (Class::Beyond, _) => return saturated,
            (Class::Zero, FINV) => return (0, FINV),
            // -0, too: the pseudocode of CnvtFP32ToI32Sat looks at the sign before it looks for zero.
            _ if x.negative && !integer.signed => return saturated,
            (Class::Zero, _) => return (0, 0),
            (Class::Normal, _) => {}
        }
        let scaled = x.scaled(point(integer));
        let mode = if self.nearest() && !truncate { Mode::NearEven } else { Mode::Zero };
        let (rounded, cut) = (scaled.to_integral(mode).number, scaled.to_integral(Mode::Zero).number);
        let magnitude = match rounded.value {
            Value::Zero => Some(0),
            Value::Finite(m, e) if m.ilog2() as i32 + e < 100 => Some(m << e),
            _ => None,
        };
        // The fraction -1 is out of range.
        let limit = if x.negative && !integer.fraction { least } else { most };
        match magnitude {
            Some(m) if m <= limit || x.negative && m == least && scaled.exponent() < Some(width - 1) => {
                let value = if x.negative { m.wrapping_neg() } else { m };
                (value & ((1 << width) - 1), rest(scaled, cut, 0))
            }
            _ => saturated,
        }
    }
}

/// Places of a fraction right of the binary point.
fn point(integer: Integer) -> i32 {
    match (integer.fraction, integer.signed) {
        (false, _) => 0,
        (true, false) => 32,
        (true, true) => 31,
    }
}

/// FG and FX of what was cut off, where a unit in the last place is 2^`unit`.
fn rest(exact: Number, truncated: Number, unit: i32) -> u64 {
    let Ok(rest) = exact.plus(truncated.negated(), Mode::Zero) else { return 0 };
    match (Number { negative: false, ..rest }).order(Number::finite(false, 1, unit - 1)) {
        _ if rest.is_zero() => 0,
        Some(Ordering::Less) => FX,
        Some(Ordering::Equal) => FG,
        _ => FG | FX,
    }
}
