//! Timebase and decrementer of Book3S-64: a level that is up while the decrementer is negative.

use std::time::Duration;

use crate::engine::Context;
use crate::state::VcpuState;

/// Timebase ticks a second on every Book3S-64 machine.
pub const TIMEBASE_HZ: u64 = 512_000_000;

/// Time that `ticks` last.
pub fn duration(ticks: u64) -> Duration {
    let nanoseconds = u128::from(ticks) * 1_000_000_000 / u128::from(TIMEBASE_HZ);
    Duration::from_nanos(u64::try_from(nanoseconds).unwrap_or(u64::MAX))
}

/// Ticks in `time`.
pub fn ticks(time: Duration) -> u64 {
    let ticks = time.as_nanos() * u128::from(TIMEBASE_HZ) / 1_000_000_000;
    u64::try_from(ticks).unwrap_or(u64::MAX)
}

/// The timebase now.
pub fn timebase(state: &VcpuState, context: &Context) -> u64 {
    context.clock.ticks(state.retired).wrapping_add(state.timebase_offset)
}

/// Width of the decrementer in bits.
fn width(context: &Context) -> u32 {
    if context.partition.large_decrementer() { 56 } else { 32 }
}

/// Writes the decrementer: `value` counts down from now on, its top bit is its sign.
pub fn set_decrementer(state: &mut VcpuState, context: &Context, value: u64) {
    let unused = 64 - width(context);
    let signed = ((value << unused) as i64) >> unused;
    state.decrementer = timebase(state, context).wrapping_add_signed(signed).wrapping_add(1);
}

/// Reads the decrementer, sign-extended from its width; a 32-bit one reads as an unsigned word.
pub fn decrementer(state: &VcpuState, context: &Context) -> u64 {
    let left = state.decrementer.wrapping_sub(timebase(state, context)).wrapping_sub(1);
    if width(context) == 32 { left & 0xffff_ffff } else { left }
}

/// Whether the decrementer interrupt is pending.
pub fn decrementer_pending(state: &VcpuState, context: &Context) -> bool {
    ticks_left(state, context) == 0
}

/// Ticks until the decrementer interrupt becomes pending, 0 if it is.
pub fn ticks_left(state: &VcpuState, context: &Context) -> u64 {
    u64::try_from(state.decrementer.wrapping_sub(timebase(state, context)) as i64).unwrap_or(0)
}
