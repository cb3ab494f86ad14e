//! The two clocks: host time, and virtual time made of retired instructions.

use std::time::Instant;

use exec::Clock;
pub use exec::VirtualClock;
use exec::timebase::TIMEBASE_HZ;

/// Ticks follow the host's monotonic clock.
#[derive(Debug)]
pub struct HostClock {
    start: Instant,
}

impl Default for HostClock {
    fn default() -> HostClock {
        HostClock { start: Instant::now() }
    }
}

impl Clock for HostClock {
    fn ticks(&self, _retired: u64) -> u64 {
        let elapsed = self.start.elapsed();
        // Less than a second in the second part: no overflow.
        let part = u64::from(elapsed.subsec_nanos()) * TIMEBASE_HZ / 1_000_000_000;
        elapsed.as_secs().wrapping_mul(TIMEBASE_HZ).wrapping_add(part)
    }
}
