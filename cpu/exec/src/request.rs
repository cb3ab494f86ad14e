//! How another thread reaches a vCPU: an atomic request word and a kick, nothing else.
//!
//! The engine looks at the word at its event points; the vCPU's thread serves it between runs. A poster never
//! touches a vCPU's state.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Instant;

use ppc_mmu::Invalidation;
use ppc_mmu::invalidation::Flush;

/// Translations must be forgotten, see [`Requests::take_invalidations`].
pub const INVALIDATE: u32 = 1 << 0;
/// An interrupt source changed: look at external, decrementer and doorbell again.
pub const INTERRUPT: u32 = 1 << 1;
/// Stop running: the machine powers off, resets, pauses or was told to quit.
pub const STOP: u32 = 1 << 2;
/// A prod (H_PROD) arrived.
pub const PROD: u32 = 1 << 3;
/// A doorbell of another processor rings (BookE).
pub const DOORBELL: u32 = 1 << 4;
/// A critical doorbell of another processor rings (BookE).
pub const CRITICAL_DOORBELL: u32 = 1 << 5;

/// Invalidations that are kept one by one; more of them become one of everything.
const QUEUE: usize = 64;

/// The mailbox of one vCPU.
#[derive(Default)]
pub struct Requests {
    word: AtomicU32,
    invalidations: Mutex<Vec<Invalidation>>,
    wake: Condvar,
    asleep: Mutex<()>,
}

impl Requests {
    /// Posts request bits and wakes the vCPU if it sleeps.
    pub fn post(&self, bits: u32) {
        self.word.fetch_or(bits, Ordering::AcqRel);
        drop(self.asleep.lock().unwrap_or_else(PoisonError::into_inner));
        self.wake.notify_all();
    }

    /// Asks the vCPU to forget translations before its next access.
    pub fn invalidate(&self, what: Invalidation) {
        let mut queue = self.invalidations.lock().unwrap_or_else(PoisonError::into_inner);
        let everything = what == Invalidation::All;
        if everything || queue.len() >= QUEUE {
            // What concerns the guest's own TLB is not dropped: it may lose more entries than it was told to.
            let guest = queue.iter().chain([&what]).any(|what| matches!(what, Invalidation::Tlb(_)));
            queue.clear();
            queue.push(if guest { Invalidation::Tlb(Flush::All) } else { Invalidation::All });
        } else {
            queue.push(what);
        }
        self.word.fetch_or(INVALIDATE, Ordering::AcqRel);
    }

    /// The posted bits.
    #[inline(always)]
    pub fn pending(&self) -> u32 {
        self.word.load(Ordering::Relaxed)
    }

    /// Takes the given bits: returns those that were set, and clears them.
    pub fn take(&self, bits: u32) -> u32 {
        self.word.fetch_and(!bits, Ordering::AcqRel) & bits
    }

    /// Hands the queued invalidations to `apply`.
    pub fn take_invalidations(&self, mut apply: impl FnMut(Invalidation)) {
        if self.take(INVALIDATE) != 0 {
            let mut queue = self.invalidations.lock().unwrap_or_else(PoisonError::into_inner);
            queue.drain(..).for_each(&mut apply);
        }
    }

    /// Sleeps until a request is posted or `deadline` has passed.
    pub fn sleep(&self, deadline: Option<Instant>) {
        let mut guard = self.asleep.lock().unwrap_or_else(PoisonError::into_inner);
        while self.pending() == 0 {
            guard = match deadline {
                None => self.wake.wait(guard).unwrap_or_else(PoisonError::into_inner),
                Some(deadline) => {
                    let Some(left) = deadline.checked_duration_since(Instant::now()) else { return };
                    self.wake.wait_timeout(guard, left).unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
    }
}
