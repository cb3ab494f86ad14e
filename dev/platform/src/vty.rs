//! The virtual terminal: bytes out to an outlet, bytes in from a bounded queue.

use std::collections::VecDeque;
use std::io::Write;
use std::sync::{Mutex, PoisonError};

use crate::Outlet;

/// Input that waits for the guest; more is refused.
const INPUT_LIMIT: usize = 4096;

/// A terminal.
pub struct Vty {
    output: Outlet,
    input: Mutex<VecDeque<u8>>,
}

impl Vty {
    /// A terminal that prints to `output`.
    pub fn new(output: Box<dyn Write + Send>) -> Vty {
        Vty::on(Outlet::direct(output))
    }

    /// The same at an outlet.
    pub fn on(output: Outlet) -> Vty {
        Vty { output, input: Mutex::new(VecDeque::new()) }
    }

    /// Prints `data`, however long the host takes.
    pub fn put(&self, data: &[u8]) {
        self.output.put(data);
    }

    /// Prints all of `data`, or nothing and returns `false` when there is no room now.
    pub fn offer(&self, data: &[u8]) -> bool {
        self.output.offer(data)
    }

    /// Bytes that [`Vty::offer`] takes now.
    pub fn room(&self) -> usize {
        self.output.room()
    }

    /// Queues typed bytes; returns how many fitted.
    pub fn type_in(&self, data: &[u8]) -> usize {
        let mut input = self.input.lock().unwrap_or_else(PoisonError::into_inner);
        let room = INPUT_LIMIT.saturating_sub(input.len());
        let taken = data.len().min(room);
        input.extend(data.iter().take(taken));
        taken
    }

    /// Whether typed bytes wait.
    pub fn has_input(&self) -> bool {
        self.waiting() != 0
    }

    /// Number of typed bytes that wait.
    pub fn waiting(&self) -> usize {
        self.input.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Reads queued bytes into `out`; returns how many.
    pub fn get(&self, out: &mut [u8]) -> usize {
        let mut input = self.input.lock().unwrap_or_else(PoisonError::into_inner);
        let mut count = 0;
        for (slot, byte) in out.iter_mut().zip(std::iter::from_fn(|| input.pop_front())) {
            *slot = byte;
            count += 1;
        }
        count
    }
}
