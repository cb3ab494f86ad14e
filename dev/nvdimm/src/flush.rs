//! Flushes: a thread that syncs, and tokens for those who wait (spec papr 3.9).
//!
//! Syncs are numbered in the order in which they begin. A flush that arrives while one runs is served by the next, which
//! begins after it; all that arrive meanwhile share that one.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// Flushes of a device that may be open at a time.
const MOST: usize = 64;
/// How long a call waits before it is told to come again: most syncs are done by then.
const PATIENCE: Duration = Duration::from_micros(500);
/// Odd, so that multiplying by it loses nothing: tokens do not count up.
const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;

/// The answer to a flush.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flush {
    /// Everything stored before its first call is on the medium.
    Done,
    /// It is not, and stores may be lost.
    Failed,
    /// Not yet: to be asked again with this token. 0 if it could not begin, since too many are open.
    Busy(u64),
    /// No open flush has this token.
    Unknown,
}

/// One flush that was told to come again.
#[derive(Debug)]
struct Open {
    token: u64,
    /// Number of the sync that serves it.
    needs: u64,
}

#[derive(Debug, Default)]
struct State {
    /// Syncs wanted, begun and finished so far.
    wanted: u64,
    begun: u64,
    finished: u64,
    /// One has failed: what it was to save may be gone from the host's memory as well.
    failed: bool,
    open: Vec<Open>,
    tokens: u64,
    closing: bool,
}

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

/// The flushes of one device.
#[derive(Debug)]
pub struct Flushes {
    shared: Arc<Shared>,
    worker: Option<thread::JoinHandle<()>>,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'a>(&self, state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
        self.changed.wait(state).unwrap_or_else(PoisonError::into_inner)
    }

    /// Syncs whenever one is wanted.
    fn work(&self, sync: &dyn Fn() -> bool) {
        loop {
            let mut state = self.lock();
            while state.begun >= state.wanted && !state.closing {
                state = self.wait(state);
            }
            if state.begun >= state.wanted {
                return;
            }
            state.begun += 1;
            drop(state);
            let done = sync();
            let mut state = self.lock();
            state.finished = state.begun;
            state.failed |= !done;
            self.changed.notify_all();
        }
    }
}

impl Flushes {
    /// Flushes by `sync`, which returns whether it succeeded.
    ///
    /// # Errors
    /// When the host gives no thread.
    pub fn new(sync: impl Fn() -> bool + Send + 'static) -> std::io::Result<Flushes> {
        let shared = Arc::new(Shared::default());
        let theirs = Arc::clone(&shared);
        let worker = thread::Builder::new().name("nvdimm".to_owned()).spawn(move || theirs.work(&sync))?;
        Ok(Flushes { shared, worker: Some(worker) })
    }

    /// Begins a flush if `token` is 0, else asks how the one with this token goes on.
    pub fn flush(&self, token: u64) -> Flush {
        let mut state = self.shared.lock();
        let needs = if token == 0 {
            if state.failed {
                return Flush::Failed;
            }
            state.wanted = state.begun + 1;
            self.shared.changed.notify_all();
            state.wanted
        } else {
            let Some(open) = state.open.iter().find(|open| open.token == token) else { return Flush::Unknown };
            open.needs
        };
        let deadline = Instant::now() + PATIENCE;
        while state.finished < needs {
            let Some(left) = deadline.checked_duration_since(Instant::now()).filter(|left| !left.is_zero()) else {
                return Flush::Busy(if token == 0 { state.open(needs) } else { token });
            };
            state = self.shared.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        state.open.retain(|open| open.token != token);
        if state.failed { Flush::Failed } else { Flush::Done }
    }

    /// Waits until everything stored so far is on the medium; `false` when it is not, or a flush has failed before.
    pub fn finish(&self) -> bool {
        let mut state = self.shared.lock();
        state.wanted = state.begun + 1;
        let needs = state.wanted;
        self.shared.changed.notify_all();
        while state.finished < needs {
            state = self.shared.wait(state);
        }
        !state.failed
    }

    /// Forgets all open flushes: the machine was reset.
    pub fn forget(&self) {
        self.shared.lock().open.clear();
    }

    /// Whether one has failed.
    pub fn failed(&self) -> bool {
        self.shared.lock().failed
    }
}

impl State {
    /// A token for a flush served by sync `needs`. Flushes whose end nobody asked for make room.
    fn open(&mut self, needs: u64) -> u64 {
        if self.open.len() >= MOST {
            let Some(over) = self.open.iter().position(|open| open.needs <= self.finished) else { return 0 };
            self.open.remove(over);
        }
        self.tokens += 1;
        let token = self.tokens.wrapping_mul(SPREAD);
        self.open.push(Open { token, needs });
        token
    }
}

impl Drop for Flushes {
    fn drop(&mut self) {
        self.shared.lock().closing = true;
        self.shared.changed.notify_all();
        if let Some(worker) = self.worker.take() {
            let _ = worker.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::sync::mpsc;

    use super::*;

    /// Flushes whose syncs wait for a word each, and how many have begun.
    fn slow() -> (Flushes, mpsc::Sender<bool>, Arc<AtomicU64>) {
        let (say, hear) = mpsc::channel();
        let begun = Arc::new(AtomicU64::new(0));
        let count = Arc::clone(&begun);
        let sync = move || {
            count.fetch_add(1, Ordering::SeqCst);
            hear.recv().unwrap_or(true)
        };
        (Flushes::new(sync).unwrap(), say, begun)
    }

    fn token(flush: Flush) -> u64 {
        let Flush::Busy(token) = flush else { panic!("{flush:?}") };
        assert_ne!(token, 0);
        token
    }

    fn until_over(flushes: &Flushes, token: u64) -> Flush {
        loop {
            match flushes.flush(token) {
                Flush::Busy(same) => assert_eq!(same, token),
                over => return over,
            }
        }
    }

    #[test]
    fn a_flush_ends_once_with_a_sync_that_began_after_it() {
        let (flushes, say, begun) = slow();
        let first = token(flushes.flush(0));
        while begun.load(Ordering::SeqCst) == 0 {
            thread::yield_now();
        }
        let second = token(flushes.flush(0));
        let third = token(flushes.flush(0));
        assert_eq!(flushes.flush(first), Flush::Busy(first));
        say.send(true).unwrap();
        assert_eq!(until_over(&flushes, first), Flush::Done);
        assert_eq!(flushes.flush(first), Flush::Unknown);
        assert_eq!(flushes.flush(second), Flush::Busy(second));
        say.send(true).unwrap();
        assert_eq!((until_over(&flushes, second), until_over(&flushes, third)), (Flush::Done, Flush::Done));
        assert_eq!(begun.load(Ordering::SeqCst), 2);
        for wrong in [1, 2, third, u64::MAX] {
            assert_eq!(flushes.flush(wrong), Flush::Unknown);
        }
    }

    #[test]
    fn a_failure_stays() {
        let (flushes, say, _) = slow();
        let first = token(flushes.flush(0));
        say.send(false).unwrap();
        assert_eq!(until_over(&flushes, first), Flush::Failed);
        assert_eq!(flushes.flush(0), Flush::Failed);
        say.send(true).unwrap();
        assert!(flushes.failed() && !flushes.finish());
    }

    #[test]
    fn abandoned_flushes_make_room_and_no_more_than_so_many_are_open() {
        let (flushes, say, _) = slow();
        let tokens: Vec<u64> = (0..MOST).map(|_| token(flushes.flush(0))).collect();
        assert_eq!(flushes.flush(0), Flush::Busy(0));
        (0..2).for_each(|_| say.send(true).unwrap());
        assert_eq!(until_over(&flushes, tokens[1]), Flush::Done);
        drop(say);
        assert!(flushes.finish());
        let state = flushes.shared.lock();
        assert!(state.open.len() < MOST);
        drop(state);
        flushes.forget();
        assert_eq!(flushes.flush(tokens[2]), Flush::Unknown);
    }
}
