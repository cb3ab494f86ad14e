//! SPE integer arithmetic, logic, shifts, comparisons and moves.

use exec::VcpuState;
use ppc_isa::integer::Logic;
use ppc_isa::spe::Integer;
use ppc_isa::spe::integer::{Binary, Comparison, Immediate, Unary};

use super::{set_overflow, words, write};
use crate::fields::{bf, ra, rb, rt};

/// Executes `op`, the word `w`.
pub fn execute(op: Integer, s: &mut VcpuState, w: u32) {
    let (a, b) = (words(s, ra(w)), words(s, rb(w)));
    let result = match op {
        Integer::Binary(op, immediate) => {
            let a = if immediate == Immediate::A { [ra(w) as u32; 2] } else { a };
            let b = if immediate == Immediate::B { [rb(w) as u32; 2] } else { b };
            [binary(op, a[0], b[0]), binary(op, a[1], b[1])]
        }
        Integer::Unary(op) => a.map(|a| unary(op, a)),
        Integer::Merge { a_high, b_high } => [a[usize::from(!a_high)], b[usize::from(!b_high)]],
        Integer::Splat { fraction: true } => [w << 11 & 0xf800_0000; 2],
        Integer::Splat { fraction: false } => [((w << 11) as i32 >> 27) as u32; 2],
        Integer::Compare(op) => {
            s.cr[bf(w)] = condition(compare(op, a[0], b[0]), compare(op, a[1], b[1]));
            return;
        }
        Integer::Select => {
            let field = s.cr[(w & 7) as usize];
            [if field & 8 != 0 { a[0] } else { b[0] }, if field & 4 != 0 { a[1] } else { b[1] }]
        }
        Integer::BitReversedIncrement => {
            let (index, mask) = (a[1], b[1]);
            let next = (index | !mask).reverse_bits().wrapping_add(1).reverse_bits();
            s.gpr[rt(w)] = u64::from(next & mask);
            return;
        }
        Integer::Divide { signed } => {
            let [high, low] = [divide(signed, a[0], b[0]), divide(signed, a[1], b[1])];
            set_overflow(s, [high.1, low.1]);
            [high.0, low.0]
        }
    };
    write(s, w, result);
}

/// The CR field of a comparison of two elements.
pub fn condition(high: bool, low: bool) -> u8 {
    [high, low, high || low, high && low].into_iter().fold(0, |field, bit| field << 1 | u8::from(bit))
}

fn binary(op: Binary, a: u32, b: u32) -> u32 {
    match op {
        Binary::Add => b.wrapping_add(a),
        Binary::SubtractFrom => b.wrapping_sub(a),
        Binary::Logic(Logic::And) => a & b,
        Binary::Logic(Logic::Or) => a | b,
        Binary::Logic(Logic::Xor) => a ^ b,
        Binary::Logic(Logic::Nand) => !(a & b),
        Binary::Logic(Logic::Nor) => !(a | b),
        Binary::Logic(Logic::Eqv) => !(a ^ b),
        Binary::Logic(Logic::Andc) => a & !b,
        Binary::Logic(Logic::Orc) => a | !b,
        Binary::ShiftLeft => a.checked_shl(b & 63).unwrap_or(0),
        Binary::ShiftRight { signed: false } => a.checked_shr(b & 63).unwrap_or(0),
        Binary::ShiftRight { signed: true } => (a as i32 >> (b & 63).min(31)) as u32,
        Binary::RotateLeft => a.rotate_left(b & 31),
    }
}

fn unary(op: Unary, a: u32) -> u32 {
    match op {
        Unary::Absolute => (a as i32).wrapping_abs() as u32,
        Unary::Negate => a.wrapping_neg(),
        Unary::ExtendByte => i32::from(a as i8) as u32,
        Unary::ExtendHalf => i32::from(a as i16) as u32,
        Unary::Round => a.wrapping_add(0x8000) & 0xffff_0000,
        Unary::CountZeros => a.leading_zeros(),
        Unary::CountSigns => {
            if a >> 31 == 0 {
                a.leading_zeros()
            } else {
                a.leading_ones()
            }
        }
    }
}

fn compare(op: Comparison, a: u32, b: u32) -> bool {
    match op {
        Comparison::Equal => a == b,
        Comparison::Greater { signed: false } => a > b,
        Comparison::Greater { signed: true } => a as i32 > b as i32,
        Comparison::Less { signed: false } => a < b,
        Comparison::Less { signed: true } => (a as i32) < b as i32,
    }
}

/// The quotient, and whether it overflows.
fn divide(signed: bool, a: u32, b: u32) -> (u32, bool) {
    let quotient = if signed { (a as i32).checked_div(b as i32).map(|q| q as u32) } else { a.checked_div(b) };
    let limit = match signed {
        false => u32::MAX,
        true if b == 0 && (a as i32) < 0 => i32::MIN as u32,
        true => i32::MAX as u32,
    };
    (quotient.unwrap_or(limit), quotient.is_none())
}
