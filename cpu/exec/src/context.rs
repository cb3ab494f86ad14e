//! What an engine works with besides the vCPU: memory, time, devices, interrupt inputs, the other vCPUs.

use std::fmt::Debug;
use std::sync::Arc;

use guest_mem::GuestMem;
use ppc_mmu::Invalidation;

use crate::exit::Exit;
use crate::partition::PartitionState;
use crate::request::{Requests, Start};
use crate::vcpu::Vcpu;

/// Size of a device access.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Width {
    /// One byte.
    B1,
    /// Two bytes.
    B2,
    /// Four bytes.
    B4,
    /// Eight bytes.
    B8,
}

/// Loads and stores that do not go to RAM. Values are numbers: the port never sees the guest's byte order but as the
/// order in which bytes stand on the bus, most significant first in `value`.
pub trait MmioPort: Sync {
    /// The value at guest real address `real`, or `None` when nothing answers there.
    fn read(&self, real: u64, width: Width) -> Option<u64>;
    /// Stores `value`; `false` when nothing answers there.
    fn write(&self, real: u64, width: Width, value: u64) -> bool;
}

/// A bus without devices.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoMmio;

impl MmioPort for NoMmio {
    fn read(&self, _real: u64, _width: Width) -> Option<u64> {
        None
    }

    fn write(&self, _real: u64, _width: Width, _value: u64) -> bool {
        false
    }
}

/// Where time comes from: the host's clock, or the count of retired instructions.
pub trait Clock: Sync + Debug {
    /// Ticks since the machine started, given the vCPU's count of retired instructions.
    fn ticks(&self, retired: u64) -> u64;
}

/// Ticks are retired instructions: the same run has the same time, whatever the host does.
#[derive(Clone, Copy, Debug, Default)]
pub struct VirtualClock;

impl Clock for VirtualClock {
    fn ticks(&self, retired: u64) -> u64 {
        retired
    }
}

/// The interrupt inputs of the vCPUs, by processor number.
pub trait Lines: Sync {
    /// The external input is up.
    fn external(&self, server: u32) -> bool;
    /// The critical input is up (BookE).
    fn critical(&self, _server: u32) -> bool {
        false
    }
    /// Acknowledges the external interrupt that was just delivered and returns its vector, where the interrupt
    /// controller does this by itself (BookE's external proxy).
    fn acknowledge(&self, _server: u32) -> Option<u32> {
        None
    }
}

/// What happens to a privileged instruction in the guest's privileged state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Privileged {
    /// The engine carries it out.
    #[default]
    Inline,
    /// It is an exit, and the hypervisor's to carry out.
    Trap,
}

/// Reaches the vCPUs of the machine through their mailboxes.
pub trait Peers: Sync {
    /// Posts `what` to all vCPUs, this one included. [`Context::invalidate`] is what vCPUs call.
    fn invalidate(&self, what: Invalidation);
    /// Posts request bits to vCPU `server`, or to all.
    fn post(&self, server: Option<u32>, bits: u32);
    /// The mailboxes in the order of processor numbers, where there are several.
    fn mailboxes(&self) -> &[Arc<Requests>] {
        &[]
    }
}

/// A machine with one vCPU.
impl Peers for Requests {
    fn invalidate(&self, what: Invalidation) {
        Requests::invalidate(self, what);
    }

    fn post(&self, server: Option<u32>, bits: u32) {
        if server.is_none_or(|server| server == 0) {
            Requests::post(self, bits);
        }
    }
}

/// The hypervisor, as an engine finds it that does not leave guest code for each exit.
pub trait Answers {
    /// Answers `exit`. Returns whether the guest goes on as if nothing had happened beside it: nothing is to be waited for,
    /// and what is pending has changed by no more than a request or `supervisor::concerns_pending` says. If not, the run
    /// ends with [`Exit::Event`].
    fn answer(&self, vcpu: &mut Vcpu, context: &Context, exit: &Exit) -> bool;
}

/// What an engine works with besides the vCPU.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    /// RAM.
    pub mem: &'a GuestMem,
    /// The partition.
    pub partition: &'a PartitionState,
    /// The vCPU's mailbox.
    pub requests: &'a Requests,
    /// The clock.
    pub clock: &'a dyn Clock,
    /// Devices.
    pub mmio: &'a dyn MmioPort,
    /// All vCPUs of the machine.
    pub peers: &'a dyn Peers,
    /// Where privileged instructions are carried out.
    pub privileged: Privileged,
    /// The engine delivers the interrupts that instructions cause, and goes on; else they are exits.
    pub delivers: bool,
    /// Who answers exits where they occur; without, all of them end the run.
    pub answers: Option<&'a dyn Answers>,
}

impl<'a> Context<'a> {
    /// What the only vCPU of a machine without devices works with; its time is made of retired instructions, its
    /// interrupts are exits.
    pub fn alone(
        mem: &'a GuestMem,
        partition: &'a PartitionState,
        requests: &'a Requests,
        privileged: Privileged,
    ) -> Context<'a> {
        let (clock, mmio, peers, delivers) = (&VirtualClock, &NoMmio, requests, false);
        Context { mem, partition, requests, clock, mmio, peers, privileged, delivers, answers: None }
    }

    /// Asks all vCPUs to forget translations, this one included. It must wait for the others before it goes on behind a
    /// `sync`: [`Context::settle`].
    pub fn invalidate(&self, what: Invalidation) {
        self.peers.invalidate(what);
        self.requests.set_unsettled(self.peers.mailboxes().len() > 1);
    }

    /// Waits until the other vCPUs have forgotten what they were asked to. Only outside guest code, where nobody waits
    /// for this vCPU.
    pub fn settle(&self) {
        if self.requests.unsettled() {
            let others = || self.peers.mailboxes().iter().filter(|other| !std::ptr::eq(&***other, self.requests));
            let hurry = || others().for_each(|other| other.give_way());
            others().for_each(|other| other.wait_for_invalidations(hurry));
            self.requests.set_unsettled(false);
        }
    }

    /// Starts vCPU `server`; `None` when there is none, `false` when it is not stopped.
    pub fn start(&self, server: u32, start: Start) -> Option<bool> {
        self.mailbox(server).map(|mailbox| mailbox.start(start))
    }

    /// The mailbox of vCPU `server`.
    pub fn mailbox(&self, server: u32) -> Option<&Requests> {
        match self.peers.mailboxes() {
            [] if server == 0 => Some(self.requests),
            several => several.get(server as usize).map(|mailbox| &**mailbox),
        }
    }
}
