//! Decimal integers in vectors (Power ISA Book I, section 6.17): 31 digits, then a sign code.
//!
//! CR field 6 compares the source (of additions the unbounded sum) with zero; its last bit says overflow, or that an
//! operand is invalid. The result of an invalid operand is undefined: here VRT keeps its value. Only sums take a sign code
//! below 0xA for plus, as POWER8 and POWER9 do.

use exec::VcpuState;
use ppc_isa::vector::Decimal;

use crate::env::{Env, Flow, Handler, Step};
use crate::vector::{Elements, set, vra, vrb};

/// 10^31: the first magnitude that does not fit.
const LIMIT: u128 = 10u128.pow(31);

/// A valid operand: its digits, the last one in the low four bits.
#[derive(Clone, Copy)]
struct Packed {
    negative: bool,
    digits: u128,
}

pub fn handler(op: Decimal) -> Handler {
    match op {
        Decimal::Add { subtract: false } => |s, _, w| add(s, w, false),
        Decimal::Add { subtract: true } => |s, _, w| add(s, w, true),
        Decimal::CopySign => |s, _, w| {
            let operands = packed(vra(s, w)).zip(packed(vrb(s, w)));
            let sign = vrb(s, w) & 15;
            finish(s, w, operands.map(|(a, b)| Answer::new(a.digits << 4 | sign, b.negative, a.digits)))
        },
        Decimal::SetSign => |s, _, w| signed(s, w, |b, _| (b.digits, false)),
        Decimal::Shift { round: false } => |s, _, w| signed(s, w, |b, a| shift(b.digits, 31, a, false)),
        Decimal::Shift { round: true } => |s, _, w| signed(s, w, |b, a| shift(b.digits, 31, a, true)),
        Decimal::ShiftUnsigned => |s, _, w| unsigned(s, w, |b, a| shift(b, 32, a, false)),
        Decimal::Truncate => |s, _, w| signed(s, w, |b, a| truncate(b.digits, 31, a)),
        Decimal::TruncateUnsigned => |s, _, w| unsigned(s, w, |b, a| truncate(b, 32, a)),
        Decimal::FromNational => from_national,
        Decimal::ToNational => to_national,
        Decimal::FromZoned => from_zoned,
        Decimal::ToZoned => to_zoned,
        Decimal::FromQuad => from_quad,
        Decimal::ToQuad => to_quad,
    }
}

fn all_decimal(digits: u128) -> bool {
    (0..32).all(|i| digits >> (4 * i) & 15 <= 9)
}

fn packed(value: u128) -> Option<Packed> {
    (value & 15 >= 0xa).then(|| of_any_sign(value)).flatten()
}

/// An operand whose sign code may be invalid.
fn of_any_sign(value: u128) -> Option<Packed> {
    let digits = value >> 4;
    all_decimal(digits).then_some(Packed { negative: matches!(value & 15, 0xb | 0xd), digits })
}

/// The number that the digits write.
fn number(digits: u128) -> u128 {
    (0..32).rev().fold(0, |n, i| n * 10 + (digits >> (4 * i) & 15))
}

/// The digits of `number`, as many as fit.
fn digits(mut number: u128) -> u128 {
    let mut digits = 0;
    for i in 0..32 {
        digits |= (number % 10) << (4 * i);
        number /= 10;
    }
    digits
}

/// The sign code, by the preferred sign that the PS bit selects for plus.
fn sign(w: u32, negative: bool) -> u128 {
    match (negative, w & 0x200 != 0) {
        (true, _) => 0xd,
        (false, false) => 0xc,
        (false, true) => 0xf,
    }
}

/// What a valid operation gives.
struct Answer {
    value: u128,
    /// LT, GT and EQ.
    order: u8,
    overflow: bool,
}

impl Answer {
    /// Compares the number of this sign and `magnitude` with zero.
    fn new(value: u128, negative: bool, magnitude: u128) -> Answer {
        let order = match (magnitude, negative) {
            (0, _) => 2,
            (_, false) => 4,
            (_, true) => 8,
        };
        Answer { value, order, overflow: false }
    }
}

fn finish(s: &mut VcpuState, w: u32, answer: Option<Answer>) -> Step {
    let Some(Answer { value, order, overflow }) = answer else {
        s.cr[6] = 1;
        return Ok(Flow::Next);
    };
    s.cr[6] = order | u8::from(overflow);
    set(s, w, value)
}

fn add(s: &mut VcpuState, w: u32, subtract: bool) -> Step {
    let operands = [vra(s, w), vrb(s, w)];
    let [a, b] = operands.map(of_any_sign);
    let answer = a.zip(b).map(|(a, b)| {
        let (x, y) = (number(a.digits), number(b.digits));
        let (negative, magnitude) = match a.negative == (b.negative != subtract) {
            true => (a.negative, x + y),
            false if x >= y => (a.negative, x - y),
            false => (!a.negative, y - x),
        };
        let negative = negative && magnitude != 0;
        let value = digits(magnitude % LIMIT) << 4 | sign(w, negative);
        Answer { overflow: magnitude >= LIMIT, ..Answer::new(value, negative, magnitude) }
    });
    let step = finish(s, w, answer);
    if operands.into_iter().any(|operand| packed(operand).is_none()) {
        s.cr[6] = 1;
    }
    step
}

/// VRT = `f`'s digits of VRB and VRA with VRB's sign in its preferred code; `f` also says whether they overflow.
fn signed(s: &mut VcpuState, w: u32, f: impl Fn(Packed, u128) -> (u128, bool)) -> Step {
    let answer = packed(vrb(s, w)).map(|b| {
        let (digits, overflow) = f(b, vra(s, w));
        let value = digits << 4 | sign(w, b.negative);
        Answer { overflow, ..Answer::new(value, b.negative, b.digits) }
    });
    finish(s, w, answer)
}

/// The same for 32 digits without a sign.
fn unsigned(s: &mut VcpuState, w: u32, f: impl Fn(u128, u128) -> (u128, bool)) -> Step {
    let b = vrb(s, w);
    let answer = all_decimal(b).then(|| {
        let (value, overflow) = f(b, vra(s, w));
        Answer { overflow, ..Answer::new(value, false, b) }
    });
    finish(s, w, answer)
}

/// The low `count` of the digits, and whether others are lost.
fn keep(digits: u128, count: u32) -> (u128, bool) {
    let lost = digits.checked_shr(4 * count).unwrap_or(0);
    (digits & !lost.checked_shl(4 * count).unwrap_or(0), lost != 0)
}

/// Digits of a number of `length` digits, shifted left as byte 7 of `amount` says, right if it is negative.
fn shift(value: u128, length: u32, amount: u128, round: bool) -> (u128, bool) {
    let amount = i32::from((amount >> 64) as i8);
    let count = amount.unsigned_abs().min(length);
    if amount > 0 {
        let (kept, lost) = keep(value, length - count);
        return (kept.checked_shl(4 * count).unwrap_or(0), lost);
    }
    let shifted = value.checked_shr(4 * count).unwrap_or(0);
    let round = round && count > 0 && value >> (4 * (count - 1)) & 15 >= 5;
    (if round { digits(number(shifted) + 1) } else { shifted }, false)
}

fn truncate(value: u128, length: u32, wanted: u128) -> (u128, bool) {
    keep(value, u32::from((wanted >> 64) as u16).min(length))
}

const PLUS: u16 = b'+' as u16;
const MINUS: u16 = b'-' as u16;

fn from_national(s: &mut VcpuState, _: &mut Env, w: u32) -> Step {
    let halves: [u16; 8] = vrb(s, w).split();
    let [text @ .., code] = halves;
    let valid = text.iter().all(|digit| (0x30..=0x39).contains(digit)) && matches!(code, PLUS | MINUS);
    let answer = valid.then(|| {
        let digits = text.iter().fold(0, |digits, &digit| digits << 4 | u128::from(digit & 15));
        let negative = code == MINUS;
        Answer::new(digits << 4 | sign(w, negative), negative, digits)
    });
    finish(s, w, answer)
}

fn to_national(s: &mut VcpuState, _: &mut Env, w: u32) -> Step {
    let answer = packed(vrb(s, w)).map(|b| {
        let text = (0..7).rev().fold(0, |text, i| text << 16 | 0x30 | b.digits >> (4 * i) & 15);
        let value = text << 16 | u128::from(if b.negative { MINUS } else { PLUS });
        Answer { overflow: keep(b.digits, 7).1, ..Answer::new(value, b.negative, b.digits) }
    });
    finish(s, w, answer)
}

/// The zone of every byte but the last: ASCII with PS=0, EBCDIC with PS=1.
fn zone(w: u32) -> u8 {
    if w & 0x200 == 0 { 3 } else { 0xf }
}

fn from_zoned(s: &mut VcpuState, _: &mut Env, w: u32) -> Step {
    let text = vrb(s, w).to_be_bytes();
    let [leading @ .., last] = text;
    let code = last >> 4;
    // The sign is a bit of the ASCII zone, or a sign code.
    let (signed, negative) = match zone(w) {
        3 => (true, code & 4 != 0),
        _ => (code >= 0xa, matches!(code, 0xb | 0xd)),
    };
    let valid = signed && leading.iter().all(|byte| byte >> 4 == zone(w)) && text.iter().all(|byte| byte & 15 <= 9);
    let answer = valid.then(|| {
        let digits = text.iter().fold(0, |digits, byte| digits << 4 | u128::from(byte & 15));
        Answer::new(digits << 4 | if negative { 0xd } else { 0xc }, negative, digits)
    });
    finish(s, w, answer)
}

fn to_zoned(s: &mut VcpuState, _: &mut Env, w: u32) -> Step {
    let answer = packed(vrb(s, w)).map(|b| {
        let last = match (zone(w), b.negative) {
            (3, false) => 3,
            (3, true) => 7,
            (_, false) => 0xc,
            (_, true) => 0xd,
        };
        let byte = |i: u32| u128::from(if i == 0 { last } else { zone(w) }) << 4 | b.digits >> (4 * i) & 15;
        let value = (0..16).rev().fold(0, |text, i| text << 8 | byte(i));
        Answer { overflow: keep(b.digits, 16).1, ..Answer::new(value, b.negative, b.digits) }
    });
    finish(s, w, answer)
}

/// The result of an overflow is undefined: here the low digits.
fn from_quad(s: &mut VcpuState, _: &mut Env, w: u32) -> Step {
    let b = vrb(s, w) as i128;
    let magnitude = b.unsigned_abs();
    let value = digits(magnitude % LIMIT) << 4 | sign(w, b < 0);
    finish(s, w, Some(Answer { overflow: magnitude >= LIMIT, ..Answer::new(value, b < 0, magnitude) }))
}

fn to_quad(s: &mut VcpuState, _: &mut Env, w: u32) -> Step {
    let answer = packed(vrb(s, w)).map(|b| {
        let magnitude = number(b.digits);
        Answer::new(if b.negative { magnitude.wrapping_neg() } else { magnitude }, b.negative, magnitude)
    });
    finish(s, w, answer)
}
