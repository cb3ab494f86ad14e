//! What an engine works with besides the vCPU: memory, time, devices, interrupt inputs, the other vCPUs.

use std::fmt::Debug;

use guest_mem::GuestMem;
use ppc_mmu::Invalidation;

use crate::partition::PartitionState;
use crate::request::Requests;

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

/// Reaches every vCPU of the machine with an invalidation.
pub trait Peers: Sync {
    /// Posts `what` to all vCPUs, this one included.
    fn invalidate(&self, what: Invalidation);
    /// Posts request bits to vCPU `server`, or to all.
    fn post(&self, server: Option<u32>, bits: u32);
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
}

impl<'a> Context<'a> {
    /// What the only vCPU of a machine without devices works with; its time is made of retired instructions.
    pub fn alone(
        mem: &'a GuestMem,
        partition: &'a PartitionState,
        requests: &'a Requests,
        privileged: Privileged,
    ) -> Context<'a> {
        Context { mem, partition, requests, clock: &VirtualClock, mmio: &NoMmio, peers: requests, privileged }
    }
}
