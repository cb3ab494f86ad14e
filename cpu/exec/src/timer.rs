//! The decrementer and other timers. On Book3S-64 the interrupt is a level that is up while the decrementer is negative; the
//! other families differ, each in its file.

use ppc_isa::cpu::Family;

use crate::context::Context;
use crate::state::VcpuState;
use crate::timebase::timebase;

pub mod book3s32;
pub mod booke;

/// Writes the timebase. The decrementer goes on as it was.
pub fn set_timebase(state: &mut VcpuState, context: &Context, value: u64) {
    let change = value.wrapping_sub(timebase(state, context));
    state.timebase_offset = state.timebase_offset.wrapping_add(change);
    state.decrementer = state.decrementer.wrapping_add(change);
}

/// Width of the decrementer in bits.
fn width(context: &Context) -> u32 {
    if context.partition.large_decrementer() { 56 } else { 32 }
}

/// Writes the decrementer: `value` counts down from now on, its top bit is its sign.
pub fn set_decrementer(state: &mut VcpuState, context: &Context, value: u64) {
    if state.cpu.family() == Family::Book3s32 {
        return book3s32::set_decrementer(state, context, value);
    }
    if state.cpu.family() == Family::BookE {
        state.booke.timers = state.booke.timers.at(timebase(state, context));
        return state.booke.timers.set_decrementer(value as u32);
    }
    let unused = 64 - width(context);
    let signed = ((value << unused) as i64) >> unused;
    state.decrementer = timebase(state, context).wrapping_add_signed(signed).wrapping_add(1);
}

/// Reads the decrementer, sign-extended from its width; a 32-bit one reads as an unsigned word.
pub fn decrementer(state: &VcpuState, context: &Context) -> u64 {
    if state.cpu.family() == Family::BookE {
        return state.booke.timers.at(timebase(state, context)).decrementer().into();
    }
    let left = state.decrementer.wrapping_sub(timebase(state, context)).wrapping_sub(1);
    if width(context) == 32 { left & 0xffff_ffff } else { left }
}

/// Whether the decrementer interrupt is pending.
pub fn decrementer_pending(state: &VcpuState, context: &Context) -> bool {
    ticks_left(state, context) == 0
}

/// Ticks until a timer interrupt becomes pending. On Book3S 0 if it is; on BookE only what comes next counts.
pub fn ticks_left(state: &VcpuState, context: &Context) -> u64 {
    if state.book3s32.decrementer_latched {
        return 0;
    }
    if state.cpu.family() == Family::BookE {
        return state.booke.timers.at(timebase(state, context)).ticks_left();
    }
    u64::try_from(state.decrementer.wrapping_sub(timebase(state, context)) as i64).unwrap_or(0)
}

/// Whether the guest asked for a reset of its processor, by a debug register or by leaving the watchdog alone (BookE).
pub fn reset_requested(state: &VcpuState, context: &Context) -> bool {
    if state.cpu.family() != Family::BookE {
        return false;
    }
    state.booke.reset || state.booke.timers.at(timebase(state, context)).tsr() & booke::tsr::WRS != 0
}
