//! The virtual terminal: bytes out to a writer, bytes in from a bounded queue.

use std::collections::VecDeque;
use std::io::Write;
use std::sync::{Mutex, PoisonError};

/// Input that waits for the guest; more is refused.
const INPUT_LIMIT: usize = 4096;

/// A terminal.
pub struct Vty {
    output: Mutex<Box<dyn Write + Send>>,
    input: Mutex<VecDeque<u8>>,
}

impl Vty {
    /// A terminal that prints to `output`.
    pub fn new(output: Box<dyn Write + Send>) -> Vty {
        Vty { output: Mutex::new(output), input: Mutex::new(VecDeque::new()) }
    }

    /// Prints `data`. What the host can not take is lost, as on a serial line that nobody reads.
    pub fn put(&self, data: &[u8]) {
        let mut output = self.output.lock().unwrap_or_else(PoisonError::into_inner);
        let _ = output.write_all(data).and_then(|()| output.flush());
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
