//! Running machines: the loop between engine and hypervisor, time, waiting, stopping.
//!
//! Knows no command line, no concrete device, no concrete hypercall, no concrete engine.
#![forbid(unsafe_code)]
#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing))]

use std::sync::Mutex;
use std::time::Duration;

use exec::{Clock, Engine, Privileged};
use hv_core::{ExitCounts, Halt};
use machine::Machine;
use ppc_isa::cpu::Family;

pub mod observer;

mod delay;
mod desk;
mod parallel;
mod round_robin;
mod runner;

pub use observer::Observer;

use runner::Runner;

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
    /// Exits by reason, of all vCPUs together.
    pub counts: ExitCounts,
    /// Instructions that all vCPUs have executed.
    pub instructions: u64,
    /// Host time that vCPUs slept, added up.
    pub idle: Duration,
    /// Family of its processors.
    pub family: Family,
}

/// Runs `machine` until it halts or is stopped, watched by `observer` if there is one. Each vCPU has one of `engines`; one
/// for which there is none does not run.
///
/// On the host's time each vCPU of several has a thread; an observer sees one exit at a time, of whichever vCPU. On
/// virtual time this thread runs all of them in turn, so that a run repeats: see `round_robin.rs`.
pub fn run(
    machine: &mut Machine,
    engines: &mut [Box<dyn Engine + '_>],
    policy: &Policy,
    observer: Option<&mut dyn Observer>,
) -> Report {
    let mut vcpus = std::mem::take(&mut machine.vcpus);
    let family = vcpus.first().map_or(Family::Book3s64, |vcpu| vcpu.state.cpu.family());
    let observer = observer.map(Mutex::new);
    let mut runners: Vec<Runner> = vcpus
        .iter_mut()
        .zip(engines)
        .filter_map(|(vcpu, engine)| Runner::new(machine, vcpu, &mut **engine, policy, observer.as_ref()))
        .collect();
    let outcome = match runners.as_mut_slice() {
        [] => Outcome::Stopped,
        runners if policy.time.is_virtual => round_robin::run(runners),
        [only] => only.live(),
        runners => parallel::run(runners, machine),
    };
    let mut report = Report { outcome, counts: ExitCounts::default(), instructions: 0, idle: Duration::ZERO, family };
    for runner in runners {
        let (counts, instructions, idle) = runner.finish();
        report.counts.add(&counts);
        report.instructions += instructions;
        report.idle += idle;
    }
    machine.vcpus = vcpus;
    report
}
