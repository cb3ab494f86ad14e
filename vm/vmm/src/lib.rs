//! Running machines: the loop between engine and hypervisor, time, waiting, stopping.
//!
//! Knows no command line, no concrete device, no concrete hypercall, no concrete engine.
#![forbid(unsafe_code)]
#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing))]

use std::time::{Duration, Instant};

use exec::interrupt;
use exec::{Clock, Context, Engine, Privileged, Requests, Vcpu, request, timer};
use hv_core::{ExitCounts, Halt, Next, Visit, hypervisor};
use machine::Machine;

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
}

/// Instructions between looks at the host's clock.
const SLICE: u64 = 20_000;
/// Instructions between looks while the guest holds interrupts off in a critical section, which ends without an exit.
const CRITICAL_SLICE: u64 = 64;
/// A decrementer further away than this is as good as off.
const FOREVER: u64 = timer::TIMEBASE_HZ << 20;

/// Runs `machine` on `engine` until it halts or is stopped.
pub fn run(machine: &mut Machine, engine: &mut dyn Engine, policy: &Policy) -> Report {
    let mut vcpus = std::mem::take(&mut machine.vcpus);
    let mut report =
        Report { outcome: Outcome::Stopped, counts: ExitCounts::default(), instructions: 0, idle: Duration::ZERO };
    if let Some(vcpu) = vcpus.first_mut() {
        report.outcome = run_vcpu(machine, vcpu, engine, policy, &mut report.counts, &mut report.idle);
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
    counts: &mut ExitCounts,
    idle: &mut Duration,
) -> Outcome {
    let server = vcpu.state.pir;
    let time = &policy.time;
    let Some(context) = machine.context(server, &*time.clock, policy.privileged) else { return Outcome::Stopped };
    let requests = context.requests;
    loop {
        if requests.take(request::STOP) != 0 {
            return machine.halted().map_or(Outcome::Stopped, Outcome::Halted);
        }
        requests.take(request::INTERRUPT | request::PROD);
        let mut visit = Visit { vcpu: &mut *vcpu, context: &context, counts: &mut *counts };
        hypervisor::poll(&mut visit, &*machine.lines);
        if visit.vcpu.state.waiting {
            let since = Instant::now();
            wait(machine, visit.vcpu, &context, time.is_virtual);
            *idle += since.elapsed();
            continue;
        }
        let budget = if visit.vcpu.state.held && visit.vcpu.critical() {
            CRITICAL_SLICE
        } else if time.is_virtual {
            timer::ticks_left(&visit.vcpu.state, &context).clamp(1, FOREVER)
        } else {
            SLICE
        };
        let exit = engine.run(visit.vcpu, &context, budget);
        match machine.hypervisor.handle(exit, &mut visit) {
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

/// Sleeps until an interrupt is pending or a request arrives; virtual time does not sleep but jumps.
fn wait(machine: &Machine, vcpu: &mut Vcpu, context: &Context, is_virtual: bool) {
    if interrupt::pending(vcpu, context, &*machine.lines).any {
        return;
    }
    let ticks = timer::ticks_left(&vcpu.state, context);
    if is_virtual && ticks < FOREVER {
        vcpu.state.timebase_offset = vcpu.state.timebase_offset.wrapping_add(ticks);
        return;
    }
    let deadline = if ticks < FOREVER { Instant::now().checked_add(timer::duration(ticks)) } else { None };
    context.requests.sleep(deadline);
}

/// Sleeps until the machine is told to stop running. Nothing that waits for the vCPU concerns it any more.
fn stay_stopped(requests: &Requests) {
    while requests.pending() & request::STOP == 0 {
        requests.take(!request::STOP);
        requests.sleep(None);
    }
}
