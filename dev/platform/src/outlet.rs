//! Where a terminal's output goes: at once, or by a thread that writes while the machine runs on.

use std::collections::VecDeque;
use std::io::{self, Write};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

/// Bytes that wait for the host at most.
pub const LIMIT: usize = 1 << 16;
/// Bytes that are written at a time.
const CHUNK: usize = 4096;

/// An outlet; clones are the same one. What the host refuses is lost, as on a serial line that nobody reads.
#[derive(Clone)]
pub struct Outlet(Arc<Way>);

enum Way {
    Direct(Mutex<Box<dyn Write + Send>>),
    Queued(Feed),
}

#[derive(Default)]
struct Queue {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<u8>,
    /// Bytes that the thread is writing.
    writing: usize,
    /// Nobody will print any more.
    closed: bool,
}

impl State {
    fn held(&self) -> usize {
        self.waiting.len() + self.writing
    }
}

/// The end into which is printed. Without it the thread writes what it has, and ends.
struct Feed(Arc<Queue>);

impl Drop for Feed {
    fn drop(&mut self) {
        self.0.state().closed = true;
        self.0.changed.notify_all();
    }
}

impl Queue {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'a>(&self, state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
        self.changed.wait(state).unwrap_or_else(PoisonError::into_inner)
    }

    /// What is to be written next, once there is something; `None` at the end.
    fn next(&self, chunk: &mut Vec<u8>) -> Option<()> {
        let mut state = self.state();
        state.writing = 0;
        self.changed.notify_all();
        while state.waiting.is_empty() {
            if state.closed {
                return None;
            }
            state = self.wait(state);
        }
        let count = state.waiting.len().min(CHUNK);
        chunk.clear();
        chunk.extend(state.waiting.drain(..count));
        state.writing = count;
        Some(())
    }

    fn write_all(&self, output: &mut dyn Write) {
        let mut chunk = Vec::new();
        while self.next(&mut chunk).is_some() {
            let _ = output.write_all(&chunk).and_then(|()| output.flush());
        }
    }
}

impl Outlet {
    /// Each print ends when the host has taken it.
    pub fn direct(output: Box<dyn Write + Send>) -> Outlet {
        Outlet(Arc::new(Way::Direct(Mutex::new(output))))
    }

    /// A thread writes to `output`, and at most [`LIMIT`] bytes wait for it.
    ///
    /// # Errors
    /// When the host gives no thread.
    pub fn queued(mut output: Box<dyn Write + Send>) -> io::Result<Outlet> {
        let queue = Arc::new(Queue::default());
        let writer = Arc::clone(&queue);
        thread::Builder::new().name("console".to_owned()).spawn(move || writer.write_all(&mut *output))?;
        Ok(Outlet(Arc::new(Way::Queued(Feed(queue)))))
    }

    /// Prints all of `data`, or nothing and returns `false` when there is no room now.
    pub fn offer(&self, data: &[u8]) -> bool {
        match &*self.0 {
            Way::Direct(output) => {
                let mut output = output.lock().unwrap_or_else(PoisonError::into_inner);
                let _ = output.write_all(data).and_then(|()| output.flush());
                true
            }
            Way::Queued(Feed(queue)) => {
                let mut state = queue.state();
                let fits = data.len() <= LIMIT.saturating_sub(state.held());
                if fits {
                    state.waiting.extend(data);
                    drop(state);
                    queue.changed.notify_all();
                }
                fits
            }
        }
    }

    /// Prints `data`, and waits for room if there is none.
    pub fn put(&self, data: &[u8]) {
        for part in data.chunks(LIMIT) {
            while !self.offer(part) {
                let Way::Queued(Feed(queue)) = &*self.0 else { break };
                let state = queue.state();
                if part.len() > LIMIT.saturating_sub(state.held()) {
                    drop(queue.wait(state));
                }
            }
        }
    }

    /// Bytes that [`Outlet::offer`] takes now.
    pub fn room(&self) -> usize {
        match &*self.0 {
            Way::Direct(_) => LIMIT,
            Way::Queued(Feed(queue)) => LIMIT.saturating_sub(queue.state().held()),
        }
    }

    /// Waits until the host has everything; `false` when it takes nothing for as long as `patience`.
    pub fn drain(&self, patience: Duration) -> bool {
        let Way::Queued(Feed(queue)) = &*self.0 else { return true };
        let mut state = queue.state();
        loop {
            let held = state.held();
            if held == 0 {
                return true;
            }
            let same = |now: &mut State| now.held() == held;
            let waited = queue.changed.wait_timeout_while(state, patience, same);
            let (now, timeout) = waited.unwrap_or_else(PoisonError::into_inner);
            if timeout.timed_out() {
                return false;
            }
            state = now;
        }
    }
}

impl Write for Outlet {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        self.put(data);
        Ok(data.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Receiver, Sender, channel};

    use super::*;

    /// A reader that takes a chunk when it is told to.
    struct Slow(Receiver<()>, Sender<Vec<u8>>);

    impl Write for Slow {
        fn write(&mut self, data: &[u8]) -> io::Result<usize> {
            let _ = self.0.recv();
            let _ = self.1.send(data.to_vec());
            Ok(data.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_full_queue_refuses_and_loses_nothing() {
        let ((take, told), (written, taken)) = (channel(), channel());
        let outlet = Outlet::queued(Box::new(Slow(told, written))).unwrap();
        let mut sent = Vec::new();
        for n in 0.. {
            let data = [n as u8; 16];
            if !outlet.offer(&data) {
                break;
            }
            sent.extend(data);
        }
        assert_eq!((sent.len(), outlet.room()), (LIMIT, 0));
        assert!(!outlet.offer(b"x") && outlet.offer(b""));
        assert!(!outlet.drain(Duration::from_millis(1)), "nobody reads");
        take.send(()).unwrap();
        let mut seen = taken.recv().unwrap();
        let waiting = outlet.clone();
        let late = thread::spawn(move || waiting.put(&[b'!'; CHUNK + 1]));
        for _ in 0..LIMIT / CHUNK + 1 {
            take.send(()).unwrap();
            seen.extend(taken.recv().unwrap());
        }
        late.join().unwrap();
        assert!(outlet.drain(Duration::from_secs(60)));
        assert_eq!(outlet.room(), LIMIT);
        sent.extend([b'!'; CHUNK + 1]);
        assert!(seen == sent, "in order and complete");
    }

    #[test]
    fn what_was_printed_is_written_after_the_last_handle_is_gone() {
        let ((take, told), (written, taken)) = (channel(), channel());
        let outlet = Outlet::queued(Box::new(Slow(told, written))).unwrap();
        assert!(outlet.offer(b"last words"));
        drop(outlet);
        take.send(()).unwrap();
        assert_eq!(taken.recv().unwrap(), b"last words");
        assert!(taken.recv().is_err(), "the thread has ended");
    }
}
