//! What H_SCM_PERFORMANCE_STATS tells of a device (spec papr 3.8): counters that are kept, and no others.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Name of a statistic, padded with spaces.
pub type Name = [u8; 8];

/// Counters of one device.
#[derive(Debug)]
pub struct Statistics {
    on_since: Instant,
    on_before: u64,
    resets: AtomicU64,
    /// Seconds of this power-on at the last reset.
    reset_at: AtomicU64,
    writes: AtomicU64,
    write_nanoseconds: AtomicU64,
    life: AtomicU64,
}

impl Statistics {
    /// Of a device that was on for `on_before` seconds, with `life` percent left.
    pub fn new(on_before: u64, life: u64) -> Statistics {
        let [resets, reset_at, writes, write_nanoseconds] = [(); 4].map(|()| AtomicU64::new(0));
        let (on_since, life) = (Instant::now(), AtomicU64::new(life));
        Statistics { on_since, on_before, resets, reset_at, writes, write_nanoseconds, life }
    }

    /// Seconds that the device was on, in all machines.
    pub fn power_on_seconds(&self) -> u64 {
        self.on_before.saturating_add(self.on_since.elapsed().as_secs())
    }

    /// Counts a reset of the controller: a machine starts with it.
    pub fn reset(&self) {
        self.resets.fetch_add(1, Ordering::Relaxed);
        self.reset_at.store(self.on_since.elapsed().as_secs(), Ordering::Relaxed);
    }

    /// Counts a write to the medium that took this long.
    pub fn wrote(&self, took: Duration) {
        self.writes.fetch_add(1, Ordering::Relaxed);
        self.write_nanoseconds.fetch_add(took.as_nanos() as u64, Ordering::Relaxed);
    }

    /// Sets how many percent of its life are left.
    pub fn set_life(&self, percent: u64) {
        self.life.store(percent.min(100), Ordering::Relaxed);
    }

    /// All statistics by name: resets and seconds since the last, seconds in machines, percent of life, writes to the medium
    /// (labels, and flushes as one each) and nanoseconds that they took.
    pub fn all(&self) -> [(Name, u64); 6] {
        let now = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        [
            (*b"CtlResCt", now(&self.resets)),
            (*b"CtlResTm", self.on_since.elapsed().as_secs().saturating_sub(now(&self.reset_at))),
            (*b"PonSecs ", self.power_on_seconds()),
            (*b"MemLife ", now(&self.life)),
            (*b"MedWCnt ", now(&self.writes)),
            (*b"MedWDur ", now(&self.write_nanoseconds)),
        ]
    }
}
