//! The real-time clock: the host's time, or guest time from a given start; plus what the guest set.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// How long the guest has run, in time of its own: told by who runs it, for devices that no call tells it.
#[derive(Debug, Default)]
pub struct GuestTime {
    nanoseconds: AtomicU64,
}

impl GuestTime {
    /// Sets it.
    pub fn set(&self, elapsed: Duration) {
        self.nanoseconds.store(u64::try_from(elapsed.as_nanos()).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    /// What was set last.
    pub fn get(&self) -> Duration {
        Duration::from_nanos(self.nanoseconds.load(Ordering::Relaxed))
    }
}

/// By how much a clock was set, in seconds; clones are the same one. It outlives a machine that is reset.
#[derive(Clone, Debug, Default)]
pub struct ClockOffset(Arc<AtomicI64>);

/// A clock.
#[derive(Debug, Default)]
pub struct Rtc {
    start: Option<i64>,
    offset: ClockOffset,
}

impl Rtc {
    /// A clock that reads `start` (seconds since 1970, UTC) when the guest starts and then follows guest time, or the
    /// host's clock without a start.
    pub fn new(start: Option<i64>) -> Rtc {
        Rtc::set_before(start, ClockOffset::default())
    }

    /// The same clock, as it was set before.
    pub fn set_before(start: Option<i64>, offset: ClockOffset) -> Rtc {
        Rtc { start, offset }
    }

    /// Time before what the guest set, when it has run for `elapsed`.
    fn unset(&self, elapsed: Duration) -> (i64, u32) {
        let (start, since) = match self.start {
            Some(start) => (start, elapsed),
            None => (0, SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()),
        };
        (start.saturating_add_unsigned(since.as_secs()), since.subsec_nanos())
    }

    /// Seconds since 1970 (UTC) and nanoseconds, when the guest has run for `elapsed` of its own time.
    pub fn now(&self, elapsed: Duration) -> (i64, u32) {
        let (seconds, nanoseconds) = self.unset(elapsed);
        (seconds.saturating_add(self.offset.0.load(Ordering::Relaxed)), nanoseconds)
    }

    /// Makes the clock read `seconds` now.
    pub fn set(&self, elapsed: Duration, seconds: i64) {
        self.offset.0.store(seconds.saturating_sub(self.unset(elapsed).0), Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn guest_time_from_a_start() {
        let rtc = Rtc::new(Some(1_000_000));
        assert_eq!(rtc.now(Duration::from_millis(2500)), (1_000_002, 500_000_000));
        rtc.set(Duration::from_secs(10), 77);
        assert_eq!(rtc.now(Duration::from_secs(13)), (80, 0));
    }

    #[test]
    fn what_was_set_outlives_the_clock() {
        let offset = ClockOffset::default();
        Rtc::set_before(Some(1000), offset.clone()).set(Duration::from_secs(10), 5000);
        assert_eq!(Rtc::set_before(Some(2000), offset).now(Duration::ZERO), (5990, 0));
    }

    #[test]
    fn host_time() {
        let rtc = Rtc::new(None);
        assert!(rtc.now(Duration::ZERO).0 > 1_700_000_000);
        rtc.set(Duration::ZERO, 1000);
        assert!((1000..1100).contains(&rtc.now(Duration::MAX).0));
    }
}
