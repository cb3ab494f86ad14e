//! vCPUs on virtual time: one thread runs them in turn, so that the same run takes the same instructions.
//!
//! Time is one for all: it is made of the instructions of every vCPU, one after the other. A vCPU whose turn it is
//! finds its timebase where the last one left it, so time never runs backwards from one to the next. A turn has
//! [`TURN`] instructions, or ends when the vCPU waits or yields; if all wait, time jumps to the first timer.

use std::time::{Duration, Instant};

use exec::timer;
use hv_core::Rest;

use crate::Outcome;
use crate::runner::{FOREVER, Runner, Turn};

/// Instructions that one vCPU executes before it is the next one's turn; also its exits, which may retire none.
const TURN: u64 = 5_000;
/// How often the others are looked at while all wait for something from outside.
const LOOK: Duration = Duration::from_millis(5);

/// What a vCPU does while others have their turn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Place {
    /// It is the next one's turn, or the machine has just begun.
    #[default]
    Ready,
    /// It waits; something to do came at this time.
    Waits(Option<u64>),
    /// It sleeps until it is prodded.
    Sleeps,
}

/// Runs all until the machine stops.
pub fn run(runners: &mut [Runner]) -> Outcome {
    let alone = runners.len() == 1;
    let length = if alone { u64::MAX } else { TURN };
    let mut places = vec![Place::default(); runners.len()];
    let mut now = runners.first().map_or(0, Runner::time);
    loop {
        let mut idle = true;
        let mut retired = runners.iter().fold(0u64, |sum, runner| sum.wrapping_add(runner.vcpu.state.retired));
        for number in 0..places.len() {
            let (Some(runner), Some(place)) = (runners.get_mut(number), places.get_mut(number)) else { continue };
            runner.skip(now.wrapping_sub(runner.time()));
            if let Some(outcome) = runner.expired() {
                return outcome;
            }
            if runner.requests().stopped_or_starting() {
                match runner.start_or_stop() {
                    None => continue,
                    Some(Ok(())) => *place = Place::Ready,
                    Some(Err(outcome)) => return outcome,
                }
            }
            let late = match *place {
                Place::Waits(_) if !runner.awake() => continue,
                Place::Sleeps if !runner.prodded() => continue,
                Place::Waits(Some(since)) => now.wrapping_sub(since),
                _ => 0,
            };
            runner.enters(late);
            idle = false;
            let elsewhere = retired.wrapping_sub(runner.vcpu.state.retired);
            *place = match turns(runner, length, elsewhere) {
                Turn::Ends(outcome) => return outcome,
                Turn::Stops => {
                    runner.leaves(Rest::Stops);
                    runner.requests().stop();
                    Place::Ready
                }
                Turn::Waits => {
                    runner.leaves(Rest::Waits);
                    Place::Waits(None)
                }
                Turn::Sleeps => {
                    runner.leaves(Rest::Waits);
                    Place::Sleeps
                }
                last => {
                    runner.leaves(if last == Turn::Yields { Rest::Yields } else { Rest::Preempted });
                    Place::Ready
                }
            };
            retired = elsewhere.wrapping_add(runner.vcpu.state.retired);
            now = runner.time();
            for (runner, place) in runners.iter().zip(&mut places) {
                if *place == Place::Waits(None) && runner.requests().awakening() != 0 {
                    *place = Place::Waits(Some(now));
                }
            }
        }
        if idle {
            match to_first_timer(runners, &places) {
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

/// Ticks until a timer of one of them interrupts, or a watchdog expires.
fn to_first_timer(runners: &[Runner], places: &[Place]) -> Option<u64> {
    // A timer wakes nobody who sleeps.
    let waiting = |(runner, place): &(&Runner, &Place)| !runner.requests().stopped() && **place != Place::Sleeps;
    let timers = runners.iter().zip(places).filter(waiting);
    let ticks = timers.map(|(runner, _)| timer::ticks_left(&runner.vcpu.state, &runner.context())).min();
    let ticks = ticks.unwrap_or(u64::MAX).min(runners.first().map_or(u64::MAX, Runner::to_expiry));
    (ticks < FOREVER).then_some(ticks)
}
