//! What a handler is given, and what it answers.

use std::fmt;
use std::time::Duration;

use exec::delivery;
use exec::interrupt::Interrupt;
use exec::{Context, Vcpu};

use crate::count::ExitCounts;

/// A vCPU visiting the hypervisor.
pub struct Visit<'a> {
    /// The vCPU; its thread is in the hypervisor, nobody else touches it.
    pub vcpu: &'a mut Vcpu,
    /// Memory, partition, clock, own mailbox, the other vCPUs.
    pub context: &'a Context<'a>,
    /// What is counted.
    pub counts: &'a mut ExitCounts,
}

impl Visit<'_> {
    /// Delivers an interrupt to the guest.
    pub fn deliver(&mut self, interrupt: Interrupt) {
        delivery::deliver(self.vcpu, self.context.partition, interrupt);
    }
}

/// How to go on after an exit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// Run on.
    Run,
    /// Run on, with nothing changed but registers.
    Resume,
    /// Run on, after others had a chance to.
    Yield,
    /// Wait until a request or an interrupt arrives, then run on.
    Wait,
    /// Wait until a prod or a system reset arrives, whatever interrupt is pending, then run on.
    Sleep,
    /// The vCPU stops; interrupts do not start it again, another vCPU may.
    Stop,
    /// The machine stops.
    Halt(Halt),
}

/// Why a machine stops.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Halt {
    /// The guest switched itself off.
    PowerOff,
    /// The guest asked for a restart.
    Reset,
    /// The guest's kernel says that it panicked.
    Panic(Box<Panic>),
}

/// Last words of a kernel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Panic {
    /// What it said.
    pub words: String,
    /// How long it had run.
    pub uptime: Duration,
}

impl fmt::Display for Panic {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{} ({} s after start)", self.words, self.uptime.as_secs())
    }
}
