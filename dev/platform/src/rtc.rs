//! The real-time clock: the host's time plus what the guest set.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// A clock.
#[derive(Debug, Default)]
pub struct Rtc {
    offset: AtomicI64,
}

impl Rtc {
    /// Seconds since 1970 (UTC) and nanoseconds.
    pub fn now(&self) -> (i64, u32) {
        let host = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let seconds = i64::try_from(host.as_secs()).unwrap_or(i64::MAX);
        (seconds.saturating_add(self.offset.load(Ordering::Relaxed)), host.subsec_nanos())
    }

    /// Makes the clock read `seconds` now.
    pub fn set(&self, seconds: i64) {
        let host = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        self.offset.store(seconds.saturating_sub(i64::try_from(host).unwrap_or(i64::MAX)), Ordering::Relaxed);
    }
}
