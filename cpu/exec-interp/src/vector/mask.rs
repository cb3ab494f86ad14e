//! Masks: elements of ones or zeros and their bits in a GPR, doublewords under a mask, every Nth bit.

use std::array;

use exec::VcpuState;
use ppc_isa::integer::UnderMask;
use ppc_isa::vector::Lane;

use crate::bits;
use crate::env::{Env, Flow, Handler, Step};
use crate::vector::{Element, Elements, binary, field, set, unary, vrb};

/// Writes RT.
#[inline(always)]
fn set_gpr(s: &mut VcpuState, w: u32, value: u64) -> Step {
    s.gpr[field(w, 21)] = value;
    Ok(Flow::Next)
}

pub fn expand(lane: Lane) -> Handler {
    unsigned!(lane, T => |s, _, w| unary(s, w, |b: T| T::mask(b >> (T::BITS - 1) != 0)))
}

/// The first bits of `value`'s elements.
#[inline(always)]
fn first_bits<T, const N: usize>(value: u128, begins_with_one: impl Fn(T) -> bool) -> u64
where
    u128: Elements<T, N>,
{
    value.split().into_iter().fold(0, |bits, element| bits << 1 | u64::from(begins_with_one(element)))
}

pub fn extract(lane: Lane) -> Handler {
    unsigned!(lane, T => |s, _, w| {
        set_gpr(s, w, first_bits(vrb(s, w), |element: T| element >> (T::BITS - 1) != 0))
    })
}

/// Counts stand as far left as the largest of them allows.
pub fn count(lane: Lane) -> Handler {
    unsigned!(lane, T => |s, _, w| {
        let wanted = w >> 16 & 1 != 0;
        let count = first_bits(vrb(s, w), |element: T| (element >> (T::BITS - 1) != 0) == wanted).count_ones();
        set_gpr(s, w, u64::from(count) << (53 + T::BITS.trailing_zeros()))
    })
}

/// Elements of ones where the last bits of `bits` have a 1.
#[inline(always)]
fn elements<T: Element, const N: usize>(bits: u64) -> [T; N] {
    array::from_fn(|i| T::mask(bits >> (N - 1 - i) & 1 != 0))
}

pub fn from_gpr(lane: Lane) -> Handler {
    unsigned!(lane, T => |s, _, w| {
        let value: [T; 128 / T::BITS as usize] = elements(s.gpr[field(w, 11)]);
        set(s, w, u128::join(value))
    })
}

pub fn from_immediate(s: &mut VcpuState, _: &mut Env, w: u32) -> Step {
    let bits = w & 0xffc0 | (w >> 16 & 31) << 1 | w & 1;
    set(s, w, u128::from_be_bytes(elements(bits.into())))
}

pub fn under_mask(op: UnderMask) -> Handler {
    match op {
        UnderMask::Centrifuge => |s, _, w| binary(s, w, bits::centrifuge),
        UnderMask::Leading => |s, _, w| binary(s, w, bits::leading),
        UnderMask::Trailing => |s, _, w| binary(s, w, bits::trailing),
        UnderMask::Deposit => |s, _, w| binary(s, w, bits::deposit),
        UnderMask::Extract => |s, _, w| binary(s, w, bits::extract),
    }
}

/// N = 0 and N = 1, which the ISA leaves undefined, give 0.
pub fn gather_every_nth(s: &mut VcpuState, _: &mut Env, w: u32) -> Step {
    let (n, value) = ((w >> 16 & 7) as usize, vrb(s, w));
    let places = (0..u128::BITS).step_by(n.max(2)).zip(0..);
    let gathered = places.fold(0, |bits, (from, to)| bits | (value >> (127 - from) & 1) << (127 - to));
    set_gpr(s, w, if n < 2 { 0 } else { (gathered >> 64) as u64 })
}
