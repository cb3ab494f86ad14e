//! Runs a target on inputs made from a seed, for a time or a number of cases, and watches it.

use std::io::Write;
use std::panic::{self, AssertUnwindSafe};
use std::process;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::Target;
use crate::random::Random;
use crate::targets::EXECUTED;

/// No case may take longer, on the busiest host.
const HANGS: Duration = Duration::from_secs(60);

/// When to stop.
#[derive(Clone, Copy, Debug)]
pub struct Bound {
    /// After this time.
    pub time: Duration,
    /// After this many cases.
    pub cases: u64,
    /// After so many guest instructions ([`EXECUTED`]).
    pub instructions: u64,
}

/// A case that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Its number.
    pub case: u64,
}

/// An input for `target`: random bytes, or a damaged example.
pub fn made(target: &Target, examples: &[Vec<u8>], random: &mut Random) -> Vec<u8> {
    if examples.is_empty() || random.below(8) == 0 {
        let len = random.below(target.longest + 1);
        return random.bytes(len);
    }
    let example = random.below(examples.len());
    random.damaged(&examples[example])
}

/// Runs cases from number `first` on; returns how many passed.
///
/// # Errors
/// The first case that panicked.
pub fn run(target: &Target, seed: u64, first: u64, bound: Bound) -> Result<u64, Failure> {
    run_on(target, seed, first, bound, |random, examples| (target.run)(&made(target, examples, random)))
}

/// The same, with something else to be done with each case's random numbers and the examples, which are kept.
///
/// # Errors
/// The first case that panicked.
pub fn run_on(
    target: &Target,
    seed: u64,
    first: u64,
    bound: Bound,
    mut run: impl FnMut(&mut Random, &mut Vec<Vec<u8>>),
) -> Result<u64, Failure> {
    let mut examples = (target.examples)();
    let start = Instant::now();
    let current = Arc::new(AtomicU64::new(first));
    let watch = watch(target.name, seed, Arc::clone(&current));
    let mut case = first;
    let mut result = Ok(());
    let before = EXECUTED.load(Ordering::Relaxed);
    let on = |cases: u64| {
        let executed = EXECUTED.load(Ordering::Relaxed) - before;
        cases < bound.cases && executed < bound.instructions && start.elapsed() < bound.time
    };
    while result.is_ok() && on(case - first) {
        current.store(case, Ordering::Relaxed);
        let mut random = Random::new(seed, case);
        let outcome = panic::catch_unwind(AssertUnwindSafe(|| run(&mut random, &mut examples)));
        result = outcome.map_err(|_| Failure { case });
        case += 1;
    }
    current.store(u64::MAX, Ordering::Relaxed);
    watch.thread().unpark();
    result.map(|()| case - first)
}

/// Ends the process when a case hangs: nothing else could.
fn watch(name: &'static str, seed: u64, current: Arc<AtomicU64>) -> thread::JoinHandle<()> {
    thread::spawn(move || {
        let (mut last, mut since) = (u64::MAX - 1, Instant::now());
        loop {
            let case = current.load(Ordering::Relaxed);
            match case {
                u64::MAX => return,
                case if case != last => (last, since) = (case, Instant::now()),
                case if since.elapsed() > HANGS => {
                    let _ = writeln!(std::io::stderr(), "{name}: seed {seed} case {case} hangs");
                    process::abort();
                }
                _ => {}
            }
            thread::park_timeout(Duration::from_secs(1));
        }
    })
}
