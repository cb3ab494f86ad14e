//! Reservations, atomic memory operations and quadwords: what has a granule for itself while it works.

use exec::state::Reservation;
use exec::{Interrupt, VcpuState};
use guest_mem::{Exclusive, Word};
use ppc_isa::loadstore::LoadStore;
use ppc_mmu::{Access, fault};

use super::{aligned, displaced, indexed, prefixed};
use crate::env::{Env, Flow, Handler, Step, Trapped, writer};
use crate::fields::{ra0, rt};

/// DSISR: the storage is not of the kind that the access works with.
const UNSUITABLE: u32 = 0x0400_0000;
/// DSISR: an atomic memory operation with an invalid function code.
const BAD_FUNCTION: u32 = 0x0000_0004;
/// The operands of an atomic memory operation lie in one aligned block of so many bytes (Book II, section 4.5).
const BLOCK: u64 = 32;

/// The handler of `op`, one of this file's.
pub fn handler(op: LoadStore) -> Handler {
    match op {
        LoadStore::LoadQuad => |s, env, w| {
            let value = load_quad(s, env, displaced::<-16>(s, w))?;
            set_pair(s, w, value);
            Ok(Flow::Next)
        },
        LoadStore::StoreQuad => |s, env, w| store_quad(s, env, displaced::<-4>(s, w), get_pair(s, w)),
        LoadStore::LoadQuadPrefixed => |s, env, w| {
            [s.gpr[rt(w) & 30], s.gpr[rt(w) | 1]] = load_quad(s, env, prefixed(s, env.prefix, w))?;
            Ok(Flow::Next)
        },
        LoadStore::StoreQuadPrefixed => {
            |s, env, w| store_quad(s, env, prefixed(s, env.prefix, w), [s.gpr[rt(w) & 30], s.gpr[rt(w) | 1]])
        }
        LoadStore::LoadReserve { bytes: 1 } => load_reserve::<u8>,
        LoadStore::LoadReserve { bytes: 2 } => load_reserve::<u16>,
        LoadStore::LoadReserve { bytes: 4 } => load_reserve::<u32>,
        LoadStore::LoadReserve { bytes: 8 } => load_reserve::<u64>,
        LoadStore::LoadReserve { .. } => lqarx,
        LoadStore::StoreConditional { bytes: 1 } => store_conditional::<u8>,
        LoadStore::StoreConditional { bytes: 2 } => store_conditional::<u16>,
        LoadStore::StoreConditional { bytes: 4 } => store_conditional::<u32>,
        LoadStore::StoreConditional { bytes: 8 } => store_conditional::<u64>,
        LoadStore::StoreConditional { .. } => stqcx,
        LoadStore::LoadAtomic { bytes: 4 } => load_atomic::<u32>,
        LoadStore::LoadAtomic { .. } => load_atomic::<u64>,
        LoadStore::StoreAtomic { bytes: 4 } => store_atomic::<u32>,
        _ => store_atomic::<u64>,
    }
}

/// The even register of a pair holds the doubleword that is more significant in the quadword's value.
fn pair(s: &VcpuState, value: [u64; 2]) -> [u64; 2] {
    if s.mode.little() { [value[1], value[0]] } else { value }
}

fn set_pair(s: &mut VcpuState, w: u32, value: [u64; 2]) {
    let [high, low] = pair(s, value);
    s.gpr[rt(w) & 30] = high;
    s.gpr[rt(w) | 1] = low;
}

fn get_pair(s: &VcpuState, w: u32) -> [u64; 2] {
    pair(s, [s.gpr[rt(w) & 30], s.gpr[rt(w) | 1]])
}

/// Exclusive access to `len` bytes at `real`; `None` outside RAM and in the shared page.
fn exclusive<R>(
    s: &VcpuState,
    env: &Env,
    real: Option<u64>,
    len: u64,
    work: impl FnOnce(&mut Exclusive, u64) -> R,
) -> Option<R> {
    real.and_then(|real| env.context.mem.exclusive(writer(s), real, len, |granule| work(granule, real)))
}

fn quad(s: &VcpuState, granule: &Exclusive, real: u64) -> [u64; 2] {
    [granule.load(real, s.order()), granule.load(real + 8, s.order())]
}

fn set_quad(s: &VcpuState, granule: &mut Exclusive, real: u64, [first, second]: [u64; 2]) {
    granule.store(real, s.order(), first);
    granule.store(real + 8, s.order(), second);
}

/// A quadword, single-copy atomic in memory (Book II, section 1.4).
fn load_quad(s: &VcpuState, env: &mut Env, ea: u64) -> Result<[u64; 2], Trapped> {
    let ea = aligned(env, ea, 16)?;
    let real = env.real(s, ea, Access::Load)?;
    match exclusive(s, env, real, 16, |granule, real| quad(s, granule, real)) {
        Some(value) => Ok(value),
        None => env.load_pair(s, ea),
    }
}

fn store_quad(s: &VcpuState, env: &mut Env, ea: u64, value: [u64; 2]) -> Step {
    let ea = aligned(env, ea, 16)?;
    let real = env.real(s, ea, Access::Store)?;
    if exclusive(s, env, real, 16, |granule, real| set_quad(s, granule, real, value)).is_none() {
        env.store_pair(s, ea, value)?;
    }
    Ok(Flow::Next)
}

/// What is loaded from where no reservation can be had: the shared page and devices.
fn reserved(s: &mut VcpuState, bytes: u8, real: Option<u64>, value: [u64; 2], held: bool) {
    s.reservation = Reservation { bytes: if held { bytes } else { 0 }, real: real.unwrap_or(0), value };
}

fn load_reserve<T: Word>(s: &mut VcpuState, env: &mut Env, w: u32) -> Step {
    let ea = aligned(env, indexed(s, w), T::BYTES)?;
    let real = env.real(s, ea, Access::Load)?;
    let loaded = exclusive(s, env, real, T::BYTES, |granule, real| {
        granule.reserve();
        granule.load::<T>(real, s.order())
    });
    let value = match loaded {
        Some(value) => value,
        None => env.load::<T>(s, ea)?,
    };
    reserved(s, T::BYTES as u8, real, [value.into(), 0], loaded.is_some());
    s.gpr[rt(w)] = value.into();
    Ok(Flow::Next)
}

fn lqarx(s: &mut VcpuState, env: &mut Env, w: u32) -> Step {
    let ea = aligned(env, indexed(s, w), 16)?;
    let real = env.real(s, ea, Access::Load)?;
    let loaded = exclusive(s, env, real, 16, |granule, real| {
        granule.reserve();
        quad(s, granule, real)
    });
    let value = match loaded {
        Some(value) => value,
        None => env.load_pair(s, ea)?,
    };
    reserved(s, 16, real, value, loaded.is_some());
    set_pair(s, w, value);
    Ok(Flow::Next)
}

/// Ends the reservation; the result is where to store if it was for these bytes at `real`.
///
/// With a reservation of another size, or elsewhere in the granule, it is undefined whether the store happens (Book II,
/// section 4.6.2): here it does not, on any model.
fn reservation(s: &mut VcpuState, real: Option<u64>, bytes: u64) -> (Option<u64>, [u64; 2]) {
    let held = s.reservation;
    s.reservation.bytes = 0;
    (real.filter(|&real| u64::from(held.bytes) == bytes && real == held.real), held.value)
}

fn finish_conditional(s: &mut VcpuState, stored: Option<bool>) -> Step {
    s.cr[0] = u8::from(stored == Some(true)) << 1 | u8::from(s.so);
    Ok(Flow::Next)
}

fn store_conditional<T: Word>(s: &mut VcpuState, env: &mut Env, w: u32) -> Step {
    let ea = aligned(env, indexed(s, w), T::BYTES)?;
    let real = env.real(s, ea, Access::Store)?;
    let (real, [old, _]) = reservation(s, real, T::BYTES);
    let (old, new) = (T::truncate(old), T::truncate(s.gpr[rt(w)]));
    let stored = exclusive(s, env, real, T::BYTES, |granule, real| {
        granule.release() && granule.exchange(real, s.order(), old, new)
    });
    finish_conditional(s, stored)
}

fn stqcx(s: &mut VcpuState, env: &mut Env, w: u32) -> Step {
    let ea = aligned(env, indexed(s, w), 16)?;
    let real = env.real(s, ea, Access::Store)?;
    let (real, old) = reservation(s, real, 16);
    let stored = exclusive(s, env, real, 16, |granule, real| {
        let held = granule.release() && quad(s, granule, real) == old;
        if held {
            set_quad(s, granule, real, get_pair(s, w));
        }
        held
    });
    finish_conditional(s, stored)
}

/// What an atomic memory operation of one operand in memory stores, given the old value and the register operands (Book
/// II, section 4.5).
fn result<T: Word>(function: u32, old: T, operand: T, second: T) -> T {
    let (a, b) = (old.into(), operand.into());
    let greater = (old.extend() as i64) > operand.extend() as i64;
    T::truncate(match function {
        0 => a.wrapping_add(b),
        1 => a ^ b,
        2 => a | b,
        3 => a & b,
        4 => a.max(b),
        5 => {
            if greater {
                a
            } else {
                b
            }
        }
        6 => a.min(b),
        7 => {
            if greater {
                b
            } else {
                a
            }
        }
        8 => b,
        _ => {
            if a == b {
                a
            } else {
                second.into()
            }
        }
    })
}

/// Replaces the value at `real` by what `change` makes of it, or leaves it if that is `None`. Returns the old one.
fn update<T: Word>(s: &VcpuState, granule: &mut Exclusive, real: u64, change: impl Fn(T) -> Option<T>) -> T {
    loop {
        let old = granule.load(real, s.order());
        let Some(new) = change(old) else { return old };
        if granule.exchange(real, s.order(), old, new) {
            return old;
        }
    }
}

/// Does `work` on the `len` bytes of an atomic memory operation that begin at `ea`, which is a multiple of the operand's
/// size. Whether its own reservation outlives an operation in the granule is undefined: it does.
fn on_block<R>(
    s: &VcpuState,
    env: &mut Env,
    ea: u64,
    len: u64,
    work: impl FnOnce(&mut Exclusive, u64) -> R,
) -> Result<R, Trapped> {
    if (ea & (BLOCK - 1)) + len > BLOCK {
        return Err(env.interrupt(Interrupt::Alignment { dar: ea, dsisr: 0 }));
    }
    let real = env.real(s, ea, Access::Store)?;
    exclusive(s, env, real, len, work)
        .ok_or_else(|| env.interrupt(Interrupt::DataStorage { dar: ea, dsisr: UNSUITABLE | fault::STORE }))
}

/// Power ISA 3.0B Book III, section 6.5.3.
fn invalid_function(env: &mut Env, ea: u64) -> Trapped {
    env.interrupt(Interrupt::DataStorage { dar: ea, dsisr: BAD_FUNCTION | fault::STORE })
}

fn load_atomic<T: Word>(s: &mut VcpuState, env: &mut Env, w: u32) -> Step {
    let ea = aligned(env, s.effective(ra0(s, w)), T::BYTES)?;
    let function = w >> 11 & 31;
    let operand = |n: usize| T::truncate(s.gpr[(rt(w) + n) & 31]);
    let (first, second) = (operand(1), operand(2));
    let old = match function {
        0..=8 | 16 => on_block(s, env, ea, T::BYTES, |granule, real| {
            update(s, granule, real, |old| Some(result(function, old, first, second)))
        })?,
        // Bounded increment and decrement look at the neighbour behind or before.
        24 | 25 | 28 => {
            let down = function == 28;
            let lower = if down { s.effective(ea.wrapping_sub(T::BYTES)) } else { ea };
            let crosses = down && ea & (BLOCK - 1) == 0;
            if crosses {
                return Err(env.interrupt(Interrupt::Alignment { dar: ea, dsisr: 0 }));
            }
            on_block(s, env, lower, 2 * T::BYTES, |granule, lower| {
                let upper = lower + T::BYTES;
                let (real, bound) = if down { (upper, lower) } else { (lower, upper) };
                let bound = granule.load::<T>(bound, s.order()).into();
                let may = |old: T| (old.into() == bound) == (function == 25);
                let step = if down { u64::MAX } else { 1 };
                let old = update(s, granule, real, |old| may(old).then(|| T::truncate(old.into().wrapping_add(step))));
                if may(old) { old } else { T::truncate(1 << (8 * T::BYTES - 1)) }
            })?
        }
        _ => return Err(invalid_function(env, ea)),
    };
    s.gpr[rt(w)] = old.into();
    Ok(Flow::Next)
}

fn store_atomic<T: Word>(s: &mut VcpuState, env: &mut Env, w: u32) -> Step {
    let ea = aligned(env, s.effective(ra0(s, w)), T::BYTES)?;
    let operand = T::truncate(s.gpr[rt(w)]);
    match w >> 11 & 31 {
        function @ 0..=7 => {
            on_block(s, env, ea, T::BYTES, |granule, real| {
                update(s, granule, real, |old| Some(result(function, old, operand, operand)))
            })?;
        }
        // Store twin: both neighbours are written when they are equal.
        24 => on_block(s, env, ea, 2 * T::BYTES, |granule, real| {
            let twin = granule.load::<T>(real + T::BYTES, s.order()).into();
            let old = update(s, granule, real, |old: T| (old.into() == twin).then_some(operand));
            if old.into() == twin {
                granule.store(real + T::BYTES, s.order(), operand);
            }
        })?,
        _ => return Err(invalid_function(env, ea)),
    }
    Ok(Flow::Next)
}
