//! SPE multiplication and the accumulator.

use exec::VcpuState;
use ppc_isa::spe::Multiply;
use ppc_isa::spe::multiply::{Accumulate, Factors, Number, Product};

use super::{set_overflow, split, wide, words, write};
use crate::fields::{ra, rb};

/// Executes `op`, the word `w`.
pub fn execute(op: Multiply, s: &mut VcpuState, w: u32) {
    match op {
        Multiply::Product(op) if matches!(op.factors, Factors::Guarded { .. } | Factors::Word) => single(op, s, w),
        Multiply::Product(op) => pair(op, s, w),
        Multiply::Move => {
            s.acc = wide(s, ra(w));
            write(s, w, split(s.acc));
        }
        Multiply::Sum { subtract, signed, saturate } => {
            let sums = sums(split(s.acc), words(s, ra(w)), subtract, signed, saturate);
            if saturate {
                set_overflow(s, sums.map(|sum| sum.1));
            }
            finish(s, w, sums.map(|sum| sum.0));
        }
    }
}

/// Writes RT and the accumulator.
fn finish(s: &mut VcpuState, w: u32, value: [u32; 2]) {
    s.acc = super::joined(value);
    write(s, w, value);
}

/// The product of two factors of `bits`, which stand in the low bits, and whether it saturated. The product of
/// fractions of n bits is 2n bits wide but for +1.
fn product(number: Number, bits: u32, a: u32, b: u32) -> (i128, bool) {
    let unused = 32 - bits;
    let signed = |x: u32| i128::from((x << unused) as i32 >> unused);
    let unsigned = |x: u32| i128::from(x << unused >> unused);
    match number {
        Number::Unsigned => (unsigned(a) * unsigned(b), false),
        Number::Signed => (signed(a) * signed(b), false),
        Number::Fraction { saturate } => {
            let (product, one) = (2 * signed(a) * signed(b), 1 << (2 * bits - 1));
            if saturate && product == one { (one - 1, true) } else { (product, false) }
        }
    }
}

/// A product for each word.
fn pair(op: Product, s: &mut VcpuState, w: u32) {
    let (bits, right, drop) = match op.factors {
        Factors::Halves { odd: false } => (16, 16, 0),
        Factors::Halves { odd: true } => (16, 0, 0),
        Factors::WordsHigh => (32, 0, 32),
        _ => (32, 0, 0),
    };
    let (a, b) = (words(s, ra(w)), words(s, rb(w)));
    let products = [0, 1].map(|i| product(op.number, bits, a[i] >> right, b[i] >> right));
    let values = products.map(|(product, _)| (product >> drop) as u32);
    let mut overflow = products.map(|(_, overflow)| overflow);
    let mut flags = op.number == Number::Fraction { saturate: true };
    match op.accumulate {
        Accumulate::Keep => write(s, w, values),
        Accumulate::Set => finish(s, w, values),
        Accumulate::Add { saturate } | Accumulate::Subtract { saturate } => {
            let subtract = matches!(op.accumulate, Accumulate::Subtract { .. });
            let sums = sums(split(s.acc), values, subtract, op.number != Number::Unsigned, saturate);
            flags |= saturate;
            for (overflow, sum) in overflow.iter_mut().zip(sums) {
                *overflow |= sum.1;
            }
            finish(s, w, sums.map(|sum| sum.0));
        }
    }
    if flags {
        set_overflow(s, overflow);
    }
}

/// The words of `a` plus or minus those of `b`, and whether each overflows, which saturates it if so asked.
fn sums(a: [u32; 2], b: [u32; 2], subtract: bool, signed: bool, saturate: bool) -> [(u32, bool); 2] {
    [0, 1].map(|i| {
        let value = |x: u32| if signed { i64::from(x as i32) } else { i64::from(x) };
        let sum = if subtract { value(a[i]) - value(b[i]) } else { value(a[i]) + value(b[i]) };
        let (least, most) = if signed { (i32::MIN.into(), i32::MAX.into()) } else { (0, i64::from(u32::MAX)) };
        let overflow = saturate && !(least..=most).contains(&sum);
        (if overflow { sum.clamp(least, most) } else { sum } as u32, overflow)
    })
}

/// One product of 64 bits. A saturating sum sets OV, but wraps.
fn single(op: Product, s: &mut VcpuState, w: u32) {
    let (bits, right) = match op.factors {
        Factors::Guarded { odd: false } => (16, 16),
        Factors::Guarded { odd: true } => (16, 0),
        _ => (32, 0),
    };
    let (a, b) = (words(s, ra(w))[1], words(s, rb(w))[1]);
    let (product, mut overflow) = product(op.number, bits, a >> right, b >> right);
    let product = product as u64;
    match op.accumulate {
        Accumulate::Keep => write(s, w, split(product)),
        Accumulate::Set => finish(s, w, split(product)),
        Accumulate::Add { .. } => {
            overflow |= (s.acc as i64).checked_add(product as i64).is_none();
            finish(s, w, split(s.acc.wrapping_add(product)));
        }
        Accumulate::Subtract { .. } => {
            overflow |= (s.acc as i64).checked_sub(product as i64).is_none();
            finish(s, w, split(s.acc.wrapping_sub(product)));
        }
    }
    if op.number == (Number::Fraction { saturate: true }) {
        set_overflow(s, [false, overflow]);
    }
}
