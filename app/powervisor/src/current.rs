//! The machine that runs now, as the threads of terminal, signals and time limit reach it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use machine::Controls;

/// How a run is stopped from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// By a key in the console.
    Key,
    /// By `--timeout`.
    Timeout,
    /// By this signal.
    Signal(u8),
}

/// The machine that runs now, for threads that outlive a reset.
#[derive(Clone, Default)]
pub struct Current(Arc<Mutex<Shared>>);

#[derive(Default)]
struct Shared {
    controls: Option<Controls>,
    why: Option<Stop>,
}

impl Current {
    fn lock(&self) -> MutexGuard<'_, Shared> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes `controls` the running machine's; it stops at once if a stop is wanted already.
    pub fn set(&self, controls: Controls) {
        let mut shared = self.lock();
        if shared.why.is_some() {
            controls.stop();
        }
        shared.controls = Some(controls);
    }

    /// The running machine's.
    pub fn controls(&self) -> Option<Controls> {
        self.lock().controls.clone()
    }

    /// Why it was stopped, if it was.
    pub fn why(&self) -> Option<Stop> {
        self.lock().why
    }

    /// Stops the machine; the first reason counts.
    pub fn stop(&self, why: Stop) {
        let mut shared = self.lock();
        shared.why.get_or_insert(why);
        if let Some(controls) = &shared.controls {
            controls.stop();
        }
    }

    /// Stops the machine because the user asked for it.
    pub fn quit(&self) {
        self.stop(Stop::Key);
    }

    /// Types a byte at the console; `false` while there is no room.
    pub fn type_in(&self, byte: u8) -> bool {
        let controls = self.lock().controls.clone();
        controls.is_none_or(|controls| controls.type_in(&[byte]) == 1)
    }
}
