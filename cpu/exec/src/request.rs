//! How another thread reaches a vCPU: an atomic request word and a kick, nothing else.
//!
//! The engine looks at the word at its event points; the vCPU's thread serves it between runs. A poster never
//! touches a vCPU's state.
//!
//! Whoever asks others to forget translations waits until they have: docs/memory-ordering.md, "Invalidations".

use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

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
/// A stopped vCPU shall start, see [`Requests::start`].
pub const START: u32 = 1 << 6;
/// A system reset interrupt is due, whatever the vCPU lets in (H_SIGNAL_SYS_RESET).
pub const SYSTEM_RESET: u32 = 1 << 7;

/// Invalidations that are kept one by one; more of them become one of everything.
const QUEUE: usize = 64;
/// Turns to wait for another vCPU before the host is asked to run somebody else.
const SPINS: u32 = 200;

/// How long who waits leaves its processor to others then, and those who give way. Yielding alone does not: the host's
/// scheduler is free to choose the same thread again, and does.
const PAUSE: Duration = Duration::from_micros(20);
const GIVE_WAY: Duration = Duration::from_micros(100);

/// Where a stopped vCPU starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Start {
    /// Guest real address of its first instruction.
    pub address: u64,
    /// What it finds in r3.
    pub argument: u64,
}

/// Whether a vCPU takes part.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Life {
    #[default]
    Running,
    Stopped,
    Starting(Start),
}

/// The mailbox of one vCPU.
#[derive(Default)]
pub struct Requests {
    word: AtomicU32,
    invalidations: Mutex<Vec<Invalidation>>,
    /// Invalidations that were posted so far, and those that were carried out.
    posted: AtomicU64,
    taken: AtomicU64,
    /// The vCPU executes guest code: it may use translations.
    inside: AtomicBool,
    /// Somebody waits for this vCPU or for another one, which may need the processor of the host that this one has.
    give_way: AtomicBool,
    /// The vCPU has posted invalidations to others and not waited for them. Its own thread's alone.
    unsettled: AtomicBool,
    life: Mutex<Life>,
    wake: Condvar,
    asleep: Mutex<()>,
}

/// A vCPU executes guest code for as long as this lives.
pub struct Inside<'a>(&'a Requests);

impl Drop for Inside<'_> {
    fn drop(&mut self) {
        // All that it did through its translations comes before.
        self.0.inside.store(false, Ordering::Release);
    }
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
        self.posted.fetch_add(1, Ordering::Relaxed);
        self.word.fetch_or(INVALIDATE, Ordering::SeqCst);
    }

    /// The posted bits.
    #[inline(always)]
    pub fn pending(&self) -> u32 {
        self.word.load(Ordering::Relaxed)
    }

    /// Host address of the word of posted bits, for code that looks at it without calling [`Requests::pending`].
    pub fn address(&self) -> u64 {
        self.word.as_ptr() as u64
    }

    /// Takes the given bits: returns those that were set, and clears them.
    pub fn take(&self, bits: u32) -> u32 {
        self.word.fetch_and(!bits, Ordering::AcqRel) & bits
    }

    /// Hands the queued invalidations to `apply`. What the vCPU accessed before it did through what it now forgets. Lets
    /// other threads run if somebody waits longer than that takes: in the middle of guest code, between two accesses.
    pub fn take_invalidations(&self, mut apply: impl FnMut(Invalidation)) {
        if self.word.load(Ordering::SeqCst) & INVALIDATE == 0 {
            return;
        }
        self.take_queue(&mut apply);
        if self.give_way.swap(false, Ordering::Relaxed) && self.inside.load(Ordering::Relaxed) {
            self.outside(|| std::thread::sleep(GIVE_WAY));
            self.take_queue(&mut apply);
        }
    }

    fn take_queue(&self, apply: &mut impl FnMut(Invalidation)) {
        self.take(INVALIDATE);
        let mut queue = self.invalidations.lock().unwrap_or_else(PoisonError::into_inner);
        queue.drain(..).for_each(apply);
        self.taken.store(self.posted.load(Ordering::Relaxed), Ordering::Release);
    }

    /// The vCPU executes guest code from now on. The engine must take invalidations before its first access.
    pub fn enter(&self) -> Inside<'_> {
        // Before the look for invalidations, in the one order of all such operations: whoever posts one and then finds
        // this still false has posted it early enough to be seen.
        self.inside.swap(true, Ordering::SeqCst);
        Inside(self)
    }

    /// Does `work` as if the vCPU were outside guest code, in the middle of which it is. The engine must take invalidations
    /// before its next access.
    pub fn outside<T>(&self, work: impl FnOnce() -> T) -> T {
        self.inside.store(false, Ordering::Release);
        let result = work();
        self.inside.swap(true, Ordering::SeqCst);
        result
    }

    /// Whether the vCPU has asked others to forget translations and not waited until they have. Engines look at it in
    /// `sync` and leave, see [`crate::Engine`].
    #[inline(always)]
    pub fn unsettled(&self) -> bool {
        self.unsettled.load(Ordering::Relaxed)
    }

    /// Host address of the byte that says so, for code that looks at it without calling [`Requests::unsettled`].
    pub fn unsettled_address(&self) -> u64 {
        self.unsettled.as_ptr() as u64
    }

    /// Notes that others were asked, or that they were waited for; to be called by the vCPU's own thread.
    pub(crate) fn set_unsettled(&self, unsettled: bool) {
        self.unsettled.store(unsettled, Ordering::Relaxed);
    }

    /// Waits until the vCPU has taken all invalidations that were posted to it before, or is not executing guest code:
    /// then it takes them when it goes on. Only for vCPUs that are not executing guest code themselves. `hurry` is called
    /// again and again if that takes long.
    pub fn wait_for_invalidations(&self, hurry: impl Fn()) {
        let posted = self.posted.load(Ordering::SeqCst);
        let mut spins: u32 = 0;
        while self.inside.load(Ordering::SeqCst) && self.taken.load(Ordering::Acquire) < posted {
            spins = spins.wrapping_add(1);
            match (spins % SPINS, spins / SPINS) {
                (0, 1) => std::thread::yield_now(),
                (0, _) => {
                    hurry();
                    std::thread::sleep(PAUSE);
                }
                _ => std::hint::spin_loop(),
            }
        }
    }

    /// Asks the vCPU to let other threads run: where the host has fewer processors than there are vCPUs, one that is waited
    /// for may have none, and the others would keep theirs for as long as the host lets them.
    pub fn give_way(&self) {
        if self.inside.load(Ordering::Relaxed) {
            self.give_way.store(true, Ordering::Relaxed);
            self.word.fetch_or(INVALIDATE, Ordering::SeqCst);
        }
    }

    /// Starts the vCPU; `false` when it is not stopped.
    pub fn start(&self, start: Start) -> bool {
        let mut life = self.life.lock().unwrap_or_else(PoisonError::into_inner);
        let stopped = *life == Life::Stopped;
        if stopped {
            *life = Life::Starting(start);
            self.post(START);
        }
        stopped
    }

    /// What the vCPU was told to start with, once.
    pub fn take_start(&self) -> Option<Start> {
        let mut life = self.life.lock().unwrap_or_else(PoisonError::into_inner);
        let Life::Starting(start) = *life else { return None };
        *life = Life::Running;
        // Under the lock, behind which it was posted: nothing may stay that ends each of its runs.
        self.take(START);
        Some(start)
    }

    /// Marks the vCPU as stopped: only [`Requests::start`] makes it run again.
    pub fn stop(&self) {
        *self.life.lock().unwrap_or_else(PoisonError::into_inner) = Life::Stopped;
    }

    /// Whether it does not run: it is stopped, or was told to start and has not begun.
    pub fn stopped_or_starting(&self) -> bool {
        *self.life.lock().unwrap_or_else(PoisonError::into_inner) != Life::Running
    }

    /// Whether it is stopped.
    pub fn stopped(&self) -> bool {
        *self.life.lock().unwrap_or_else(PoisonError::into_inner) == Life::Stopped
    }

    /// What wakes a sleeping vCPU: all requests but invalidations, which it takes when it goes on.
    pub fn awakening(&self) -> u32 {
        self.pending() & !INVALIDATE
    }

    /// Sleeps until a request is posted that wakes it, or `deadline` has passed.
    pub fn sleep(&self, deadline: Option<Instant>) {
        let mut guard = self.asleep.lock().unwrap_or_else(PoisonError::into_inner);
        while self.awakening() == 0 {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_start_is_taken_with_its_request() {
        let requests = Requests::default();
        let start = Start { address: 0x100, argument: 7 };
        assert!(!requests.start(start));
        requests.stop();
        assert_eq!(requests.take_start(), None);
        // Whoever looks for a start between its two halves finds both or neither.
        assert!(requests.start(start));
        assert!(!requests.start(start));
        assert_eq!(requests.pending(), START);
        assert_eq!((requests.take_start(), requests.pending()), (Some(start), 0));
    }

    #[test]
    fn invalidations_wake_nobody_and_are_waited_for_inside_only() {
        let requests = Requests::default();
        requests.invalidate(Invalidation::All);
        assert_eq!((requests.pending(), requests.awakening()), (INVALIDATE, 0));
        requests.sleep(Some(Instant::now()));
        requests.wait_for_invalidations(|| ());
        let inside = requests.enter();
        let mut taken = Vec::new();
        requests.take_invalidations(|what| taken.push(what));
        assert_eq!(taken, [Invalidation::All]);
        requests.wait_for_invalidations(|| ());
        requests.outside(|| {
            requests.invalidate(Invalidation::All);
            requests.wait_for_invalidations(|| ());
        });
        requests.take_invalidations(|_| ());
        // Asked to give way, it is outside for a moment.
        requests.give_way();
        assert_eq!(requests.pending(), INVALIDATE);
        requests.take_invalidations(|_| ());
        assert_eq!(requests.pending(), 0);
        drop(inside);
        requests.give_way();
        assert_eq!(requests.pending(), 0, "it is not inside");
        requests.invalidate(Invalidation::All);
        requests.wait_for_invalidations(|| ());
    }
}
