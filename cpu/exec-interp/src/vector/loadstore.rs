//! Vector loads and stores. The low bits of an address are ignored: no access is misaligned.

use exec::VcpuState;
use guest_mem::Word;
use ppc_isa::vector::Lane;

use crate::env::{Env, Flow, Handler, Step};
use crate::loadstore::indexed;
use crate::vector::{field, set, vrt};

/// The handler of `lvx` and of loads of one element.
pub fn load(lane: Lane) -> Handler {
    match lane {
        Lane::Byte => load_element::<u8>,
        Lane::Half => load_element::<u16>,
        Lane::Word => load_element::<u32>,
        Lane::Double => load_element::<u64>,
        Lane::Quad => lvx,
    }
}

/// The handler of `stvx` and of stores of one element.
pub fn store(lane: Lane) -> Handler {
    match lane {
        Lane::Byte => store_element::<u8>,
        Lane::Half => store_element::<u16>,
        Lane::Word => store_element::<u32>,
        Lane::Double => store_element::<u64>,
        Lane::Quad => stvx,
    }
}

/// The handler of `lvsl` and `lvsr`.
pub fn align_control(right: bool) -> Handler {
    const FIRST: u128 = 0x00010203_04050607_08090a0b_0c0d0e0f;
    const STEP: u128 = 0x01010101_01010101_01010101_01010101;
    if right {
        |s, _, w| set(s, w, FIRST + STEP * (16 - (indexed(s, w) as u128 & 15)))
    } else {
        |s, _, w| set(s, w, FIRST + STEP * (indexed(s, w) as u128 & 15))
    }
}

/// Two doublewords in memory order, as a register's halves and back.
fn halves(s: &VcpuState, [first, second]: [u64; 2]) -> [u64; 2] {
    if s.mode.little() { [second, first] } else { [first, second] }
}

fn lvx(s: &mut VcpuState, env: &mut Env, w: u32) -> Step {
    let value = env.load_pair(s, indexed(s, w) & !15)?;
    s.vsr[32 + field(w, 21)] = halves(s, value);
    Ok(Flow::Next)
}

fn stvx(s: &mut VcpuState, env: &mut Env, w: u32) -> Step {
    env.store_pair(s, indexed(s, w) & !15, halves(s, s.vsr[32 + field(w, 21)]))?;
    Ok(Flow::Next)
}

/// The address of an element, and how far left of the register's right end the element is.
fn element<T: Word>(s: &VcpuState, w: u32) -> (u64, u64) {
    let ea = indexed(s, w) & !(T::BYTES - 1);
    let offset = ea & 15;
    (ea, 8 * if s.mode.little() { offset } else { 16 - T::BYTES - offset })
}

fn load_element<T: Word>(s: &mut VcpuState, env: &mut Env, w: u32) -> Step {
    let (ea, shift) = element::<T>(s, w);
    let value: u64 = env.load::<T>(s, ea)?.into();
    let ones = u128::from(u64::MAX >> (64 - 8 * T::BYTES));
    set(s, w, vrt(s, w) & !(ones << shift) | u128::from(value) << shift)
}

fn store_element<T: Word>(s: &mut VcpuState, env: &mut Env, w: u32) -> Step {
    let (ea, shift) = element::<T>(s, w);
    env.store(s, ea, T::truncate((vrt(s, w) >> shift) as u64))?;
    Ok(Flow::Next)
}
