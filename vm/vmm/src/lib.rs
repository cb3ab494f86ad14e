//! Running machines: the loop between engine and hypervisor, time, waiting, stopping.
//!
//! Knows no command line, no concrete device, no concrete hypercall, no concrete engine.
#![forbid(unsafe_code)]
#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing))]

use std::time::{Duration, Instant};

use exec::delivery;
use exec::{Clock, Context, Engine, Exit, Privileged, Requests, Vcpu, request, timebase, timer};
use hv_core::{ExitCounts, Halt, Next, Visit, hypervisor};
use machine::Machine;
use ppc_isa::cpu::Family;

pub mod observer;

pub use observer::Observer;

/// How time passes for a machine.
pub struct Time {
    /// The clock that guests read.
    pub clock: Box<dyn Clock>,
    /// Whether time is made of instructions: waiting then skips ahead, and interrupts come at exact counts.
    pub is_virtual: bool,
}

/// How a machine is run.
pub struct Policy {
    /// Time.
    pub time: Time,
    /// Where privileged instructions are carried out.
    pub privileged: Privileged,
    /// What each exit costs beyond its own work, as on a machine where entering the hypervisor is dear. With virtual
    /// time the guest's clock jumps, else the host waits.
    pub exit_cost: Duration,
}

/// Why a run ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The guest stopped the machine.
    Halted(Halt),
    /// It was stopped from outside.
    Stopped,
}

/// What a run did.
#[derive(Clone, Debug)]
pub struct Report {
    /// Why it ended.
    pub outcome: Outcome,
    /// Exits by reason.
    pub counts: ExitCounts,
    /// Instructions executed.
    pub instructions: u64,
    /// Host time that the machine slept.
    pub idle: Duration,
    /// Family of its processors.
    pub family: Family,
}

/// Instructions between looks at the host's clock, and at an interrupt that the guest holds off: what lets it in ends
/// the run anyway.
const SLICE: u64 = 20_000;
/// Instructions between looks while the guest holds interrupts off in a critical section, which ends without an exit.
const CRITICAL_SLICE: u64 = 64;
/// A decrementer further away than this is as good as off.
const FOREVER: u64 = timebase::TIMEBASE_HZ << 20;

/// Runs `machine` on `engine` until it halts or is stopped, watched by `observer` if there is one.
pub fn run(
    machine: &mut Machine,
    engine: &mut dyn Engine,
    policy: &Policy,
    observer: Option<&mut dyn Observer>,
) -> Report {
    let mut vcpus = std::mem::take(&mut machine.vcpus);
    let mut report = Report {
        outcome: Outcome::Stopped,
        counts: ExitCounts::default(),
        instructions: 0,
        idle: Duration::ZERO,
        family: Family::Book3s64,
    };
    if let Some(vcpu) = vcpus.first_mut() {
        report.family = vcpu.state.cpu.family();
        report.outcome = run_vcpu(machine, vcpu, engine, policy, observer, &mut report);
        report.instructions = vcpu.state.retired;
    }
    machine.vcpus = vcpus;
    report
}

fn run_vcpu(
    machine: &Machine,
    vcpu: &mut Vcpu,
    engine: &mut dyn Engine,
    policy: &Policy,
    mut observer: Option<&mut dyn Observer>,
    report: &mut Report,
) -> Outcome {
    let Report { counts, idle, .. } = report;
    let server = vcpu.state.pir;
    let time = &policy.time;
    let Some(context) = machine.context(server, &*time.clock, policy.privileged) else { return Outcome::Stopped };
    let requests = context.requests;
    loop {
        if requests.take(request::STOP) != 0 {
            return machine.halted().map_or(Outcome::Stopped, Outcome::Halted);
        }
        requests.take(request::INTERRUPT | request::PROD);
        if time.is_virtual {
            machine.time.set(timebase::duration(time.clock.ticks(vcpu.state.retired)));
        }
        let mut visit = Visit { vcpu: &mut *vcpu, context: &context, counts: &mut *counts };
        hypervisor::poll(&mut visit, &*machine.lines);
        if timer::reset_requested(&visit.vcpu.state, &context) {
            return Outcome::Halted(Halt::Reset);
        }
        if visit.vcpu.state.waiting {
            let since = Instant::now();
            wait(machine, visit.vcpu, &context, time.is_virtual);
            *idle += since.elapsed();
            continue;
        }
        let budget = budget(visit.vcpu, &context, time.is_virtual);
        let watched = observer.is_some();
        let (exit, guest) = timed(watched, || engine.run(visit.vcpu, &context, budget));
        if let Some(observer) = &mut observer {
            observer.exit(visit.vcpu, &exit, guest);
        }
        let (next, host) = timed(watched, || {
            let next = machine.hypervisor.handle(exit, &mut visit);
            charge(policy, &exit, visit.vcpu);
            next
        });
        if let Some(observer) = &mut observer {
            observer.answer(visit.vcpu, visit.counts.last_call, host);
            if observer.done() {
                return Outcome::Stopped;
            }
        }
        match next {
            Next::Run => {}
            Next::Wait => {
                visit.counts.reason("halt_wakeup");
                let since = Instant::now();
                wait(machine, visit.vcpu, &context, time.is_virtual);
                *idle += since.elapsed();
            }
            Next::Stop => {
                let since = Instant::now();
                stay_stopped(requests);
                *idle += since.elapsed();
            }
            Next::Halt(why) => return Outcome::Halted(why),
        }
    }
}

/// Instructions to the next look at what is pending. Slices end at the same instructions, whatever exits lie between.
fn budget(vcpu: &Vcpu, context: &Context, is_virtual: bool) -> u64 {
    let rest = |slice: u64| slice - vcpu.state.retired % slice;
    let slice = match vcpu.state.held {
        0 if is_virtual => FOREVER,
        0 => SLICE,
        _ if vcpu.critical() => rest(CRITICAL_SLICE),
        _ => rest(SLICE),
    };
    // A timer that is up already is held, and does not count.
    match timer::ticks_left(&vcpu.state, context) {
        0 => slice,
        left if is_virtual => slice.min(left),
        _ => slice,
    }
}

/// Does `work`, and says how long it took if it is watched: the clock has its price.
fn timed<T>(watched: bool, work: impl FnOnce() -> T) -> (T, Duration) {
    let start = watched.then(Instant::now);
    let result = work();
    (result, start.map_or(Duration::ZERO, |start| start.elapsed()))
}

/// Lets `exit` cost what the policy says. Events are no exits of the guest's doing.
fn charge(policy: &Policy, exit: &Exit, vcpu: &mut Vcpu) {
    if policy.exit_cost.is_zero() || matches!(exit, Exit::Event) {
        return;
    }
    if policy.time.is_virtual {
        let ticks = timebase::ticks(policy.exit_cost);
        vcpu.state.timebase_offset = vcpu.state.timebase_offset.wrapping_add(ticks);
    } else {
        let start = Instant::now();
        while start.elapsed() < policy.exit_cost {
            std::hint::spin_loop();
        }
    }
}

/// Sleeps until an interrupt is pending or a request arrives; virtual time does not sleep but jumps.
fn wait(machine: &Machine, vcpu: &mut Vcpu, context: &Context, is_virtual: bool) {
    if delivery::pending(vcpu, context, &*machine.lines).any() {
        return;
    }
    let ticks = timer::ticks_left(&vcpu.state, context);
    if is_virtual && ticks < FOREVER {
        vcpu.state.timebase_offset = vcpu.state.timebase_offset.wrapping_add(ticks);
        return;
    }
    let deadline = if ticks < FOREVER { Instant::now().checked_add(timebase::duration(ticks)) } else { None };
    context.requests.sleep(deadline);
}

/// Sleeps until the machine is told to stop running. Nothing that waits for the vCPU concerns it any more.
fn stay_stopped(requests: &Requests) {
    while requests.pending() & request::STOP == 0 {
        requests.take(!request::STOP);
        requests.sleep(None);
    }
}
