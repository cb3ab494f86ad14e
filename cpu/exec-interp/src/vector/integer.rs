//! Integer arithmetic, comparison, logic and shifts of vectors.

use std::array;
use std::cmp::Ordering;

use exec::VcpuState;
use ppc_isa::integer::Logic;
use ppc_isa::vector::{Binary, Lane, MultiplyAdd, MultiplySum, Relation, Unary};

use crate::env::{Env, Flow, Handler, Step};
use crate::fields;
use crate::vector::{
    Element, Elements, binary, divide, map2, map3, set, set_compared, set_saturated, unary, vra, vrb, vrc, vrt,
};

pub fn logic(op: Logic) -> Handler {
    match op {
        Logic::And => |s, _, w| set(s, w, vra(s, w) & vrb(s, w)),
        Logic::Or => |s, _, w| set(s, w, vra(s, w) | vrb(s, w)),
        Logic::Xor => |s, _, w| set(s, w, vra(s, w) ^ vrb(s, w)),
        Logic::Nand => |s, _, w| set(s, w, !(vra(s, w) & vrb(s, w))),
        Logic::Nor => |s, _, w| set(s, w, !(vra(s, w) | vrb(s, w))),
        Logic::Eqv => |s, _, w| set(s, w, !(vra(s, w) ^ vrb(s, w))),
        Logic::Andc => |s, _, w| set(s, w, vra(s, w) & !vrb(s, w)),
        Logic::Orc => |s, _, w| set(s, w, vra(s, w) | !vrb(s, w)),
    }
}

pub fn binary_handler(op: Binary, lane: Lane, signed: bool) -> Handler {
    match op {
        Binary::Add => unsigned!(lane, T => |s, _, w| binary(s, w, T::wrapping_add)),
        Binary::Subtract => unsigned!(lane, T => |s, _, w| binary(s, w, T::wrapping_sub)),
        Binary::AddCarry => unsigned!(lane, T => |s, _, w| binary(s, w, |a: T, b| T::from(a.overflowing_add(b).1))),
        Binary::SubtractCarry => unsigned!(lane, T => |s, _, w| binary(s, w, |a: T, b| T::from(a >= b))),
        Binary::AddSaturate => integer!(lane, signed, T => |s, _, w| {
            saturating(s, w, T::saturating_add, T::wrapping_add)
        }),
        Binary::SubtractSaturate => integer!(lane, signed, T => |s, _, w| {
            saturating(s, w, T::saturating_sub, T::wrapping_sub)
        }),
        Binary::Average => integer!(lane, signed, T => |s, _, w| binary(s, w, |a: T, b| (a | b) - ((a ^ b) >> 1))),
        Binary::Maximum => integer!(lane, signed, T => |s, _, w| binary(s, w, T::max)),
        Binary::Minimum => integer!(lane, signed, T => |s, _, w| binary(s, w, T::min)),
        Binary::AbsoluteDifference => unsigned!(lane, T => |s, _, w| binary(s, w, T::abs_diff)),
        Binary::MultiplyLow => unsigned!(lane, T => |s, _, w| binary(s, w, T::wrapping_mul)),
        Binary::MultiplyHigh => divide::multiply_high(lane, signed),
        Binary::Divide => integer!(lane, signed, T => |s, _, w| {
            binary(s, w, |a: T, b| a.checked_div(b).unwrap_or(divide::UNDEFINED as T))
        }),
        Binary::DivideExtended => divide::extended(lane, signed),
        Binary::Modulo => integer!(lane, signed, T => |s, _, w| {
            binary(s, w, |a: T, b| a.checked_rem(b).unwrap_or(divide::UNDEFINED as T))
        }),
        Binary::Rotate => unsigned!(lane, T => |s, _, w| binary(s, w, |a: T, b: T| a.rotate_left(b.amount()))),
        Binary::ShiftLeft => unsigned!(lane, T => |s, _, w| binary(s, w, |a: T, b: T| a.wrapping_shl(b.amount()))),
        Binary::ShiftRight => integer!(lane, signed, T => |s, _, w| {
            binary(s, w, |a: T, b: T| a.wrapping_shr(b.amount()))
        }),
    }
}

/// The result is saturated wherever it differs from the `modulo` one.
#[inline(always)]
fn saturating<T: Copy, const N: usize>(
    s: &mut VcpuState,
    w: u32,
    saturated: impl Fn(T, T) -> T,
    modulo: impl Fn(T, T) -> T,
) -> Step
where
    u128: Elements<T, N>,
{
    let value = map2(vra(s, w), vrb(s, w), saturated);
    let differs = value != map2(vra(s, w), vrb(s, w), modulo);
    set_saturated(s, w, value, differs)
}

pub fn unary_handler(op: Unary, lane: Lane) -> Handler {
    match op {
        Unary::Negate => unsigned!(lane, T => |s, _, w| unary(s, w, T::wrapping_neg)),
        Unary::LeadingZeros => unsigned!(lane, T => |s, _, w| unary(s, w, |b: T| b.leading_zeros() as T)),
        Unary::TrailingZeros => unsigned!(lane, T => |s, _, w| unary(s, w, |b: T| b.trailing_zeros() as T)),
        Unary::Population => unsigned!(lane, T => |s, _, w| unary(s, w, |b: T| b.count_ones() as T)),
        Unary::Parity => unsigned!(lane, T => |s, _, w| {
            const LOW_BITS: T = T::MAX / 0xff;
            unary(s, w, |b: T| (b & LOW_BITS).count_ones() as T & 1)
        }),
    }
}

pub fn compare_handler(relation: Relation, lane: Lane, signed: bool) -> Handler {
    match relation {
        Relation::Equal => unsigned!(lane, T => |s, _, w| compare(s, w, |a: T, b| a == b)),
        Relation::NotEqual => unsigned!(lane, T => |s, _, w| compare(s, w, |a: T, b| a != b)),
        Relation::NotEqualOrZero => {
            unsigned!(lane, T => |s, _, w| compare(s, w, |a: T, b| a != b || a == 0 || b == 0))
        }
        Relation::Greater => integer!(lane, signed, T => |s, _, w| compare(s, w, |a: T, b| a > b)),
    }
}

#[inline(always)]
fn compare<T: Element, const N: usize>(s: &mut VcpuState, w: u32, f: impl Fn(T, T) -> bool) -> Step
where
    u128: Elements<T, N>,
{
    set_compared(s, w, map2(vra(s, w), vrb(s, w), |a, b| T::mask(f(a, b))))
}

pub fn compare_quad(signed: bool) -> Handler {
    fn finish(s: &mut VcpuState, w: u32, order: Ordering) -> Step {
        s.cr[fields::bf(w)] = match order {
            Ordering::Less => 8,
            Ordering::Greater => 4,
            Ordering::Equal => 2,
        };
        Ok(Flow::Next)
    }
    if signed {
        |s, _, w| finish(s, w, (vra(s, w) as i128).cmp(&(vrb(s, w) as i128)))
    } else {
        |s, _, w| finish(s, w, vra(s, w).cmp(&vrb(s, w)))
    }
}

pub fn extended(subtract: bool, carry: bool) -> Handler {
    /// The sum of two numbers and the last bit of `c`, and whether it carries.
    fn add(a: u128, b: u128, c: u128) -> (u128, bool) {
        let (sum, first) = a.overflowing_add(b);
        let (sum, second) = sum.overflowing_add(c & 1);
        (sum, first | second)
    }
    match (subtract, carry) {
        (false, false) => |s, _, w| set(s, w, add(vra(s, w), vrb(s, w), vrc(s, w)).0),
        (false, true) => |s, _, w| set(s, w, add(vra(s, w), vrb(s, w), vrc(s, w)).1.into()),
        (true, false) => |s, _, w| set(s, w, add(vra(s, w), !vrb(s, w), vrc(s, w)).0),
        (true, true) => |s, _, w| set(s, w, add(vra(s, w), !vrb(s, w), vrc(s, w)).1.into()),
    }
}

pub fn multiply_ten(extended: bool, carry: bool) -> Handler {
    /// Ten times `a` plus `digit`: the low 128 bits and the rest.
    fn ten(a: u128, digit: u128) -> (u128, u128) {
        let low = u128::from(a as u64) * 10 + digit;
        let high = (a >> 64) * 10 + (low >> 64);
        (high << 64 | u128::from(low as u64), high >> 64)
    }
    /// The digit of VRB. More than nine is undefined; POWER9 then takes no notice of the middle bits.
    fn digit(s: &VcpuState, w: u32) -> u128 {
        match vrb(s, w) & 15 {
            digit @ 0..=9 => digit,
            invalid => invalid & 9,
        }
    }
    match (extended, carry) {
        (false, false) => |s, _, w| set(s, w, ten(vra(s, w), 0).0),
        (false, true) => |s, _, w| set(s, w, ten(vra(s, w), 0).1),
        (true, false) => |s, _, w| set(s, w, ten(vra(s, w), digit(s, w)).0),
        (true, true) => |s, _, w| set(s, w, ten(vra(s, w), digit(s, w)).1),
    }
}

/// The factors are the high (even) or low (odd) halves of the products' elements.
pub fn multiply(odd: bool, lane: Lane, signed: bool) -> Handler {
    if odd {
        integer!(lane, signed, T => |s, _, w| binary(s, w, |a: T, b: T| {
            const HALF: u32 = T::BITS / 2;
            (a << HALF >> HALF).wrapping_mul(b << HALF >> HALF)
        }))
    } else {
        integer!(lane, signed, T => |s, _, w| binary(s, w, |a: T, b: T| {
            const HALF: u32 = T::BITS / 2;
            (a >> HALF).wrapping_mul(b >> HALF)
        }))
    }
}

pub fn multiply_add(op: MultiplyAdd) -> Handler {
    #[inline(always)]
    fn high(s: &mut VcpuState, w: u32, round: i32) -> Step {
        let mut saturated = false;
        let value = map3(vra(s, w), vrb(s, w), vrc(s, w), |a: i16, b: i16, c: i16| {
            let sum = ((i32::from(a) * i32::from(b) + round) >> 15) + i32::from(c);
            let value = sum.clamp(i16::MIN.into(), i16::MAX.into());
            saturated |= value != sum;
            value as i16
        });
        set_saturated(s, w, value, saturated)
    }
    match op {
        MultiplyAdd::Low => |s, _, w| {
            let value =
                map3(vra(s, w), vrb(s, w), vrc(s, w), |a: u16, b: u16, c: u16| a.wrapping_mul(b).wrapping_add(c));
            set(s, w, value)
        },
        MultiplyAdd::High => |s, _, w| high(s, w, 0),
        MultiplyAdd::HighRound => |s, _, w| high(s, w, 0x4000),
    }
}

pub fn multiply_sum(op: MultiplySum) -> Handler {
    match op {
        MultiplySum::Bytes => products::<u8, u8, 16, false, false>,
        MultiplySum::MixedBytes => products::<i8, u8, 16, true, false>,
        MultiplySum::Halves { signed: false, saturate: false } => products::<u16, u16, 8, false, false>,
        MultiplySum::Halves { signed: false, saturate: true } => products::<u16, u16, 8, false, true>,
        MultiplySum::Halves { signed: true, saturate: false } => products::<i16, i16, 8, true, false>,
        MultiplySum::Halves { signed: true, saturate: true } => products::<i16, i16, 8, true, true>,
        MultiplySum::Doubles => |s, _, w| set(s, w, doubles(s, w).0),
        MultiplySum::DoublesCarry => |s, _, w| set(s, w, doubles(s, w).1),
    }
}

/// The sum of VRC and of the products of doublewords: the low 128 bits and the rest.
fn doubles(s: &VcpuState, w: u32) -> (u128, u128) {
    let (a, b): ([u64; 2], [u64; 2]) = (vra(s, w).split(), vrb(s, w).split());
    let product = |i: usize| u128::from(a[i]) * u128::from(b[i]);
    let (sum, first) = vrc(s, w).overflowing_add(product(0));
    let (sum, second) = sum.overflowing_add(product(1));
    (sum, u128::from(first) + u128::from(second))
}

/// For each word, the sum of VRC and of the products of its elements.
fn products<A, B, const N: usize, const SIGNED: bool, const SATURATE: bool>(
    s: &mut VcpuState,
    _: &mut Env,
    w: u32,
) -> Step
where
    A: Copy + Into<i64>,
    B: Copy + Into<i64>,
    u128: Elements<A, N> + Elements<B, N> + Elements<u32, 4>,
{
    let (a, b, c): ([A; N], [B; N], [u32; 4]) = (vra(s, w).split(), vrb(s, w).split(), vrc(s, w).split());
    let mut saturated = false;
    let value = array::from_fn(|word| {
        let products = (word * N / 4..(word + 1) * N / 4).map(|i| a[i].into() * b[i].into());
        let sum = products.sum::<i64>() + widen(c[word], SIGNED);
        let (value, clamped) = narrow(sum, SIGNED);
        saturated |= clamped && SATURATE;
        if SATURATE { value } else { sum as u32 }
    });
    set_saturated(s, w, <u128 as Elements<u32, 4>>::join(value), saturated)
}

fn widen(word: u32, signed: bool) -> i64 {
    if signed { (word as i32).into() } else { word.into() }
}

/// `value` saturated to a word, and whether that changed it.
fn narrow(value: i64, signed: bool) -> (u32, bool) {
    let range = if signed { i32::MIN.into()..=i32::MAX.into() } else { 0..=i64::from(u32::MAX) };
    let clamped = value.clamp(*range.start(), *range.end());
    (clamped as u32, clamped != value)
}

pub fn sum(lane: Lane, signed: bool, group: Lane) -> Handler {
    match (lane, signed, group) {
        (Lane::Byte, false, _) => sums::<u8, 16, 1, false>,
        (Lane::Byte, true, _) => sums::<i8, 16, 1, true>,
        (Lane::Half, ..) => sums::<i16, 8, 1, true>,
        (_, _, Lane::Double) => sums::<i32, 4, 2, true>,
        _ => sums::<i32, 4, 4, true>,
    }
}

/// Sums of groups of `WORDS` words.
fn sums<T: Copy + Into<i64>, const N: usize, const WORDS: usize, const SIGNED: bool>(
    s: &mut VcpuState,
    _: &mut Env,
    w: u32,
) -> Step
where
    u128: Elements<T, N> + Elements<u32, 4>,
{
    let (a, b): ([T; N], [u32; 4]) = (vra(s, w).split(), vrb(s, w).split());
    let mut saturated = false;
    let value = array::from_fn(|word| {
        if word % WORDS != WORDS - 1 {
            return 0;
        }
        let group = (word + 1 - WORDS) * N / 4..(word + 1) * N / 4;
        let sum = group.map(|i| a[i].into()).sum::<i64>() + widen(b[word], SIGNED);
        let (value, clamped) = narrow(sum, SIGNED);
        saturated |= clamped;
        value
    });
    set_saturated(s, w, <u128 as Elements<u32, 4>>::join(value), saturated)
}

pub fn extend_sign(from: Lane, to: Lane) -> Handler {
    match (from, to) {
        (Lane::Byte, Lane::Word) => |s, _, w| unary(s, w, |b: i32| (b as i8).into()),
        (Lane::Byte, _) => |s, _, w| unary(s, w, |b: i64| (b as i8).into()),
        (Lane::Half, Lane::Word) => |s, _, w| unary(s, w, |b: i32| (b as i16).into()),
        (Lane::Half, _) => |s, _, w| unary(s, w, |b: i64| (b as i16).into()),
        (Lane::Double, _) => |s, _, w| unary(s, w, |b: i128| (b as i64).into()),
        _ => |s, _, w| unary(s, w, |b: i64| (b as i32).into()),
    }
}

pub fn rotate_mask(lane: Lane, insert: bool) -> Handler {
    /// VRA rotated, under a mask from bit `begin` to bit `end`, wrapping around; `$old` elsewhere.
    macro_rules! rotate {
        ($t:ident, $old:expr) => {
            |s, _, w| {
                let value = map3(vra(s, w), vrb(s, w), $old(s, w), |a: $t, b: $t, old: $t| {
                    let bit = |shift: u32| b.amount() >> shift & ($t::BITS - 1);
                    let (begin, end) = (bit(16), bit(8));
                    let (from, to) = ($t::MAX >> begin, $t::MAX << ($t::BITS - 1 - end));
                    let mask = if begin <= end { from & to } else { from | to };
                    a.rotate_left(bit(0)) & mask | old & !mask
                });
                set(s, w, value)
            }
        };
    }
    match (lane, insert) {
        (Lane::Word, false) => rotate!(u32, |_: &VcpuState, _| 0),
        (Lane::Word, true) => rotate!(u32, vrt),
        (Lane::Quad, false) => rotate!(u128, |_: &VcpuState, _| 0),
        (Lane::Quad, true) => rotate!(u128, vrt),
        (_, false) => rotate!(u64, |_: &VcpuState, _| 0),
        (_, true) => rotate!(u64, vrt),
    }
}
