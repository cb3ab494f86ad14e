//! vCPUs on virtual time: one thread runs them in turn, so that the same run takes the same instructions.
//!
//! Time is one for all: it is made of the instructions of every vCPU, one after the other. A vCPU whose turn it is
//! finds its timebase where the last one left it, so time never runs backwards from one to the next. A turn has
//! [`TURN`] instructions, or ends when the vCPU waits or yields; if all wait, time jumps to the first timer.

use std::time::{Duration, Instant};

use exec::timer;

use crate::Outcome;
use crate::runner::{FOREVER, Runner, Turn};

/// Instructions that one vCPU executes before it is the next one's turn; also its exits, which may retire none.
const TURN: u64 = 5_000;
/// How often the others are looked at while all wait for something from outside.
const LOOK: Duration = Duration::from_millis(5);

/// Runs all until the machine stops.
pub fn run(runners: &mut [Runner]) -> Outcome {
    let alone = runners.len() == 1;
    let length = if alone { u64::MAX } else { TURN };
    let mut waiting = vec![false; runners.len()];
    let mut now = runners.first().map_or(0, Runner::time);
    loop {
        let mut idle = true;
        let mut retired = runners.iter().fold(0u64, |sum, runner| sum.wrapping_add(runner.vcpu.state.retired));
        for (runner, waiting) in runners.iter_mut().zip(&mut waiting) {
            runner.skip(now.wrapping_sub(runner.time()));
            if runner.requests().stopped_or_starting() {
                match runner.start_or_stop() {
                    None => continue,
                    Some(Ok(())) => *waiting = false,
                    Some(Err(outcome)) => return outcome,
                }
            } else if *waiting && !runner.awake() {
                continue;
            }
            idle = false;
            let elsewhere = retired.wrapping_sub(runner.vcpu.state.retired);
            match turns(runner, length, elsewhere) {
                Turn::Ends(outcome) => return outcome,
                Turn::Stops => runner.requests().stop(),
                last => *waiting = last == Turn::Waits,
            }
            retired = elsewhere.wrapping_add(runner.vcpu.state.retired);
            now = runner.time();
        }
        if idle {
            match to_first_timer(runners) {
                Some(ticks) => now = now.wrapping_add(ticks),
                None => {
                    let deadline = if alone { None } else { Instant::now().checked_add(LOOK) };
                    runners.iter_mut().take(1).for_each(|runner| runner.wait_for_input(deadline));
                }
            }
        }
    }
}

/// Lets one vCPU run for `length` instructions or exits. Returns why it did not go on.
fn turns(runner: &mut Runner, length: u64, elsewhere: u64) -> Turn {
    let end = runner.vcpu.state.retired.saturating_add(length);
    for _ in 0..length {
        let left = end.saturating_sub(runner.vcpu.state.retired);
        match runner.turn(left, elsewhere) {
            Turn::Runs if left > 0 => {}
            last => return last,
        }
    }
    Turn::Runs
}

/// Ticks until a timer of one of them interrupts.
fn to_first_timer(runners: &[Runner]) -> Option<u64> {
    let running = runners.iter().filter(|runner| !runner.requests().stopped());
    let ticks = running.map(|runner| timer::ticks_left(&runner.vcpu.state, &runner.context())).min()?;
    (ticks < FOREVER).then_some(ticks)
}
