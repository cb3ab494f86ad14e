//! The decrementer of Book3S-32: the change of its top bit from 0 to 1 is latched until the interrupt is taken (The
//! Programming Environments for 32-Bit Microprocessors, section 2.3.14; section 6.4.8).
//!
//! `VcpuState::decrementer` is the timebase value of the next such change. It counts on below zero, so that the same
//! comes again after 2^32 ticks.

use crate::context::Context;
use crate::state::VcpuState;
use crate::timebase::timebase;

const PERIOD: u64 = 1 << 32;
const SIGN: u64 = 1 << 31;

/// Latches a change of the top bit that has happened.
pub fn latch(state: &mut VcpuState, context: &Context) {
    let past = timebase(state, context).wrapping_sub(state.decrementer);
    if past as i64 >= 0 {
        state.book3s32.decrementer_latched = true;
        state.decrementer = state.decrementer.wrapping_add((past / PERIOD + 1) * PERIOD);
    }
}

/// Writes the decrementer. Setting the top bit is a change of it like any other.
pub(super) fn set_decrementer(state: &mut VcpuState, context: &Context, value: u64) {
    latch(state, context);
    let before = state.decrementer.wrapping_sub(timebase(state, context)).wrapping_sub(1);
    state.book3s32.decrementer_latched |= value & !before & SIGN != 0;
    state.decrementer = timebase(state, context).wrapping_add(value & 0xffff_ffff).wrapping_add(1);
}
