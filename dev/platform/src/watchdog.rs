//! Watchdogs: timers that do something to the machine unless they are started again.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Watchdogs of a machine.
pub const COUNT: usize = 4;
/// When a watchdog expires that was not started.
pub const NEVER: u64 = u64::MAX;

/// The watchdogs, whose expiry means an `A`. Time is a number that grows.
#[derive(Debug)]
pub struct Watchdogs<A> {
    timers: Mutex<[Option<(u64, A)>; COUNT]>,
    /// The first expiry, to be looked at often.
    next: AtomicU64,
}

impl<A> Default for Watchdogs<A> {
    fn default() -> Watchdogs<A> {
        Watchdogs { timers: Mutex::default(), next: AtomicU64::new(NEVER) }
    }
}

impl<A: Clone> Watchdogs<A> {
    fn timers(&self) -> MutexGuard<'_, [Option<(u64, A)>; COUNT]> {
        self.timers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(&self, number: usize, timer: Option<(u64, A)>) -> Option<(u64, A)> {
        let mut timers = self.timers();
        let old = timers.get_mut(number).and_then(|slot| std::mem::replace(slot, timer));
        let next = timers.iter().flatten().map(|(due, _)| *due).min();
        self.next.store(next.unwrap_or(NEVER), Ordering::Release);
        old
    }

    /// Starts watchdog `number`, anew if it runs: it expires at `due`.
    pub fn start(&self, number: usize, due: u64, action: A) {
        self.set(number, Some((due, action)));
    }

    /// Stops it; `false` when it did not run.
    pub fn stop(&self, number: usize) -> bool {
        self.set(number, None).is_some()
    }

    /// When the first expires; [`NEVER`] when none runs.
    #[inline]
    pub fn next(&self) -> u64 {
        self.next.load(Ordering::Acquire)
    }

    /// What the watchdog does that has expired first, if one has.
    pub fn expired(&self, now: u64) -> Option<A> {
        let timers = self.timers();
        let first = timers.iter().flatten().filter(|(due, _)| *due <= now).min_by_key(|(due, _)| *due);
        first.map(|(_, action)| action.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_counts() {
        let dogs = Watchdogs::default();
        assert_eq!((dogs.next(), dogs.expired(u64::MAX - 1)), (NEVER, None));
        dogs.start(0, 100, 'a');
        dogs.start(3, 50, 'b');
        assert_eq!((dogs.next(), dogs.expired(49), dogs.expired(200)), (50, None, Some('b')));
        dogs.start(3, 150, 'c');
        assert_eq!((dogs.next(), dogs.expired(200)), (100, Some('a')));
        assert!(dogs.stop(0) && !dogs.stop(0) && !dogs.stop(COUNT));
        assert_eq!((dogs.next(), dogs.expired(149), dogs.expired(150)), (150, None, Some('c')));
    }
}
