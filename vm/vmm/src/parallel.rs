//! Several vCPUs on the host's time: a thread each.

use std::panic;
use std::sync::{Mutex, PoisonError};
use std::thread;

use exec::request;
use machine::{Controls, Machine};

use crate::Outcome;
use crate::runner::Runner;

/// Makes the other vCPUs stop when one has ended, also when it panics.
struct StopOthers(Controls);

impl Drop for StopOthers {
    fn drop(&mut self) {
        self.0.stop();
    }
}

/// Runs each until the machine stops; the first that ends says why.
pub fn run(runners: &mut [Runner], machine: &Machine) -> Outcome {
    let first = Mutex::new(None);
    thread::scope(|scope| {
        let threads: Vec<_> = runners
            .iter_mut()
            .map(|runner| {
                let (stop, first) = (StopOthers(machine.controls()), &first);
                scope.spawn(move || {
                    let _stop = stop;
                    let outcome = runner.live();
                    first.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(outcome);
                })
            })
            .collect();
        for thread in threads {
            if let Err(cause) = thread.join() {
                panic::resume_unwind(cause);
            }
        }
    });
    // What made the others stop is no request for the next run.
    for mailbox in &machine.mailboxes.0 {
        mailbox.take(request::STOP);
    }
    first.into_inner().unwrap_or_else(PoisonError::into_inner).unwrap_or(Outcome::Stopped)
}
