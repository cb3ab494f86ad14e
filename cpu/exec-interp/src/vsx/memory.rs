//! VSX loads and stores.

use exec::VcpuState;
use exec::fp::{double_of_single, single_of_double};
use guest_mem::Word;
use ppc_isa::vsx::memory::{Form, Format, Memory, Scalar, Vector};

use super::{pair, quad};
use crate::env::{Env, Flow, Handler, Step};
use crate::fields::xt;
use crate::loadstore::{displaced, indexed, prefixed};

/// The handler of `op`.
pub fn handler(op: Memory) -> Handler {
    match op {
        Memory::Load(Vector { element: 1, .. }) => load::<1, X>,
        Memory::Load(Vector { element: 2, .. }) => load::<2, X>,
        Memory::Load(Vector { element: 4, .. }) => load::<4, X>,
        Memory::Load(Vector { element: 8, .. }) => load::<8, X>,
        Memory::Load(Vector { form: Form::X, .. }) => load::<16, X>,
        Memory::Load(Vector { form: Form::Prefixed, .. }) => load::<16, Prefixed>,
        Memory::Load(_) => load::<16, Dq>,
        Memory::Store(Vector { element: 1, .. }) => store::<1, X>,
        Memory::Store(Vector { element: 2, .. }) => store::<2, X>,
        Memory::Store(Vector { element: 4, .. }) => store::<4, X>,
        Memory::Store(Vector { element: 8, .. }) => store::<8, X>,
        Memory::Store(Vector { form: Form::X, .. }) => store::<16, X>,
        Memory::Store(Vector { form: Form::Prefixed, .. }) => store::<16, Prefixed>,
        Memory::Store(_) => store::<16, Dq>,
        Memory::LoadPair(Form::X) => load_pair::<X>,
        Memory::LoadPair(Form::Prefixed) => load_pair::<Prefixed>,
        Memory::LoadPair(_) => load_pair::<Dq>,
        Memory::StorePair(Form::X) => store_pair::<X>,
        Memory::StorePair(Form::Prefixed) => store_pair::<Prefixed>,
        Memory::StorePair(_) => store_pair::<Dq>,
        Memory::LoadRightmost { bytes: 1 } => load_rightmost::<u8>,
        Memory::LoadRightmost { bytes: 2 } => load_rightmost::<u16>,
        Memory::LoadRightmost { bytes: 4 } => load_rightmost::<u32>,
        Memory::LoadRightmost { .. } => load_rightmost::<u64>,
        Memory::StoreRightmost { bytes: 1 } => store_rightmost::<u8>,
        Memory::StoreRightmost { bytes: 2 } => store_rightmost::<u16>,
        Memory::StoreRightmost { bytes: 4 } => store_rightmost::<u32>,
        Memory::StoreRightmost { .. } => store_rightmost::<u64>,
        Memory::LoadSplat { bytes: 4 } => |s, env, w| {
            let value = u64::from(env.load::<u32>(s, indexed(s, w))?);
            s.vsr[xt(w)] = [value << 32 | value; 2];
            Ok(Flow::Next)
        },
        Memory::LoadSplat { .. } => |s, env, w| {
            s.vsr[xt(w)] = [env.load::<u64>(s, indexed(s, w))?; 2];
            Ok(Flow::Next)
        },
        Memory::LoadLength { left: false } => load_length::<false>,
        Memory::LoadLength { left: true } => load_length::<true>,
        Memory::StoreLength { left: false } => store_length::<false>,
        Memory::StoreLength { left: true } => store_length::<true>,
        Memory::LoadScalar(Scalar { format, form: Form::X }) => load_scalar_handler::<X>(format),
        Memory::LoadScalar(Scalar { format, form: Form::Prefixed }) => load_scalar_handler::<PrefixedScalar>(format),
        Memory::LoadScalar(Scalar { format, .. }) => load_scalar_handler::<Ds>(format),
        Memory::StoreScalar(Scalar { format, form: Form::X }) => store_scalar_handler::<X>(format),
        Memory::StoreScalar(Scalar { format, form: Form::Prefixed }) => store_scalar_handler::<PrefixedScalar>(format),
        Memory::StoreScalar(Scalar { format, .. }) => store_scalar_handler::<Ds>(format),
    }
}

/// How an instruction forms its address and names its register.
trait Place {
    fn address(s: &VcpuState, prefix: u32, w: u32) -> u64;
    fn register(w: u32) -> usize;
}

struct X;
struct Dq;
struct Ds;
struct Prefixed;
struct PrefixedScalar;

impl Place for X {
    fn address(s: &VcpuState, _: u32, w: u32) -> u64 {
        indexed(s, w)
    }
    fn register(w: u32) -> usize {
        xt(w)
    }
}

impl Place for Dq {
    fn address(s: &VcpuState, _: u32, w: u32) -> u64 {
        displaced::<-16>(s, w)
    }
    fn register(w: u32) -> usize {
        (w << 2 & 32 | w >> 21 & 31) as usize
    }
}

impl Place for Ds {
    fn address(s: &VcpuState, _: u32, w: u32) -> u64 {
        displaced::<-4>(s, w)
    }
    fn register(w: u32) -> usize {
        (32 | w >> 21 & 31) as usize
    }
}

impl Place for Prefixed {
    fn address(s: &VcpuState, prefix: u32, w: u32) -> u64 {
        prefixed(s, prefix, w)
    }
    fn register(w: u32) -> usize {
        (w >> 21 & 63) as usize
    }
}

impl Place for PrefixedScalar {
    fn address(s: &VcpuState, prefix: u32, w: u32) -> u64 {
        prefixed(s, prefix, w)
    }
    fn register(w: u32) -> usize {
        Ds::register(w)
    }
}

/// Turns two doublewords of memory, each in guest order, into a register whose elements of `ELEMENT` bytes are in
/// guest order, and back.
fn arranged<const ELEMENT: u8>(s: &VcpuState, [first, second]: [u64; 2]) -> [u64; 2] {
    if !s.mode.little() {
        return [first, second];
    }
    match ELEMENT {
        1 => [first.swap_bytes(), second.swap_bytes()],
        2 => [first, second].map(|d| {
            let halves = (d & 0xffff_0000_ffff) << 16 | d >> 16 & 0xffff_0000_ffff;
            halves.rotate_left(32)
        }),
        4 => [first.rotate_left(32), second.rotate_left(32)],
        8 => [first, second],
        _ => [second, first],
    }
}

fn load<const ELEMENT: u8, P: Place>(s: &mut VcpuState, env: &mut Env, w: u32) -> Step {
    let value = env.load_pair(s, P::address(s, env.prefix, w))?;
    s.vsr[P::register(w)] = arranged::<ELEMENT>(s, value);
    Ok(Flow::Next)
}

fn store<const ELEMENT: u8, P: Place>(s: &mut VcpuState, env: &mut Env, w: u32) -> Step {
    let value = arranged::<ELEMENT>(s, s.vsr[P::register(w)]);
    env.store_pair(s, P::address(s, env.prefix, w), value)?;
    Ok(Flow::Next)
}

/// The even register of the pair that XTp or XSp names.
fn even(w: u32) -> usize {
    (w >> 16 & 32 | w >> 21 & 30) as usize
}

/// Two quadwords, the one at the lower address first, as the pair that begins with the even register, and back: together
/// they are one number of 256 bits.
fn in_order(s: &VcpuState, [first, second]: [[u64; 2]; 2]) -> [[u64; 2]; 2] {
    let [first, second] = [arranged::<16>(s, first), arranged::<16>(s, second)];
    if s.mode.little() { [second, first] } else { [first, second] }
}

fn load_pair<P: Place>(s: &mut VcpuState, env: &mut Env, w: u32) -> Step {
    let ea = P::address(s, env.prefix, w);
    let first = env.load_pair(s, ea)?;
    let second = env.load_pair(s, s.effective(ea.wrapping_add(16)))?;
    [s.vsr[even(w)], s.vsr[even(w) | 1]] = in_order(s, [first, second]);
    Ok(Flow::Next)
}

fn store_pair<P: Place>(s: &mut VcpuState, env: &mut Env, w: u32) -> Step {
    let ea = P::address(s, env.prefix, w);
    env.storable(s, ea, 32)?;
    let [first, second] = in_order(s, [s.vsr[even(w)], s.vsr[even(w) | 1]]);
    env.store_pair(s, ea, first)?;
    env.store_pair(s, s.effective(ea.wrapping_add(16)), second)?;
    Ok(Flow::Next)
}

fn load_rightmost<T: Word>(s: &mut VcpuState, env: &mut Env, w: u32) -> Step {
    s.vsr[xt(w)] = [0, env.load::<T>(s, indexed(s, w))?.into()];
    Ok(Flow::Next)
}

fn store_rightmost<T: Word>(s: &mut VcpuState, env: &mut Env, w: u32) -> Step {
    env.store(s, indexed(s, w), T::truncate(s.vsr[xt(w)][1]))?;
    Ok(Flow::Next)
}

/// Address and number of bytes of an access with length.
fn extent(s: &VcpuState, w: u32) -> (u64, u64) {
    let ea = displaced::<0>(s, w);
    (ea, (s.gpr[(w >> 11 & 31) as usize] >> 56).min(16))
}

/// Left shift that brings byte `i` of the access to its place in the register.
fn byte_shift<const LEFT: bool>(s: &VcpuState, i: u64) -> u64 {
    if LEFT || !s.mode.little() { 120 - 8 * i } else { 8 * i }
}

fn load_length<const LEFT: bool>(s: &mut VcpuState, env: &mut Env, w: u32) -> Step {
    let (ea, count) = extent(s, w);
    let mut value = 0;
    for i in 0..count {
        let byte = env.load::<u8>(s, s.effective(ea.wrapping_add(i)))?;
        value |= u128::from(byte) << byte_shift::<LEFT>(s, i);
    }
    s.vsr[xt(w)] = pair(value);
    Ok(Flow::Next)
}

fn store_length<const LEFT: bool>(s: &mut VcpuState, env: &mut Env, w: u32) -> Step {
    let (ea, count) = extent(s, w);
    if count > 0 {
        env.storable(s, ea, count)?;
    }
    let value = quad(s.vsr[xt(w)]);
    for i in 0..count {
        let byte = (value >> byte_shift::<LEFT>(s, i)) as u8;
        env.store(s, s.effective(ea.wrapping_add(i)), byte)?;
    }
    Ok(Flow::Next)
}

fn load_scalar_handler<P: Place>(format: Format) -> Handler {
    match format {
        Format::Byte => load_scalar::<u8, P, false>,
        Format::Half => load_scalar::<u16, P, false>,
        Format::Word => load_scalar::<u32, P, false>,
        Format::SignedWord => load_scalar::<u32, P, true>,
        Format::Double => load_scalar::<u64, P, false>,
        Format::Single => |s, env, w| {
            let single = env.load::<u32>(s, P::address(s, env.prefix, w))?;
            s.vsr[P::register(w)] = [double_of_single(single), 0];
            Ok(Flow::Next)
        },
    }
}

fn load_scalar<T: Word, P: Place, const SIGNED: bool>(s: &mut VcpuState, env: &mut Env, w: u32) -> Step {
    let value = env.load::<T>(s, P::address(s, env.prefix, w))?;
    s.vsr[P::register(w)] = [if SIGNED { value.extend() } else { value.into() }, 0];
    Ok(Flow::Next)
}

fn store_scalar_handler<P: Place>(format: Format) -> Handler {
    match format {
        Format::Byte => store_scalar::<u8, P>,
        Format::Half => store_scalar::<u16, P>,
        Format::Word | Format::SignedWord => store_scalar::<u32, P>,
        Format::Double => store_scalar::<u64, P>,
        Format::Single => |s, env, w| {
            let single = single_of_double(s.vsr[P::register(w)][0]);
            env.store(s, P::address(s, env.prefix, w), single)?;
            Ok(Flow::Next)
        },
    }
}

fn store_scalar<T: Word, P: Place>(s: &mut VcpuState, env: &mut Env, w: u32) -> Step {
    env.store(s, P::address(s, env.prefix, w), T::truncate(s.vsr[P::register(w)][0]))?;
    Ok(Flow::Next)
}
