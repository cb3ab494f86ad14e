//! The timebase: what time is for a guest.

use std::time::Duration;

use crate::context::Context;
use crate::state::VcpuState;

/// Timebase ticks a second on every machine.
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
