//! What the calls need from the machine.

use hv_core::Next;
use pv_abi::epapr::Status;

/// Byte channels: streams of bytes in both directions, each named by a handle.
pub trait ByteChannels: Send + Sync {
    /// Sends as much of `data` as there is room for and returns how much that is; `None` when nothing has this handle.
    fn send(&self, handle: u32, data: &[u8]) -> Option<usize>;
    /// Reads up to `out.len()` bytes that have arrived; returns how many.
    fn receive(&self, handle: u32, out: &mut [u8]) -> Option<usize>;
    /// Bytes that have arrived, and bytes that there is room for.
    fn poll(&self, handle: u32) -> Option<(usize, usize)>;
}

/// How an interrupt is sensed and where it goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Config {
    /// Bits as `pv_abi::epapr::CONFIG_LEVEL` and `CONFIG_HIGH` name them.
    pub sense: u32,
    /// From 0 (never) to 15 (most urgent).
    pub priority: u32,
    /// Number of the CPU that gets it.
    pub cpu: u32,
}

/// The interrupt controller. CPUs are named by number.
pub trait InterruptController: Send + Sync {
    /// Configures an interrupt; `false` when there is no such interrupt, or it can not be had so.
    fn set_config(&self, interrupt: u32, config: Config) -> bool;
    /// An interrupt's configuration.
    fn config(&self, interrupt: u32) -> Option<Config>;
    /// Masks an interrupt, or lets it in; `false` when there is no such interrupt.
    fn set_masked(&self, interrupt: u32, masked: bool) -> bool;
    /// Whether an interrupt is masked.
    fn masked(&self, interrupt: u32) -> Option<bool>;
    /// Whether `handle` names this controller.
    fn has_handle(&self, handle: u32) -> bool;
    /// Acknowledges the most urgent interrupt of a CPU.
    fn acknowledge(&self, cpu: u32) -> Option<u32>;
    /// Ends the interrupt that a CPU has in service; `false` when it is not this one.
    fn end(&self, cpu: u32, interrupt: u32) -> bool;
    /// Sends an inter-processor interrupt to the CPUs whose bits are set; `false` when there is no such channel or CPU.
    fn send_ipi(&self, channel: u32, cpus: u32) -> bool;
    /// Sets the priority, from 0 to 15, that an interrupt must exceed to come in.
    fn set_task_priority(&self, cpu: u32, priority: u32);
    /// That priority.
    fn task_priority(&self, cpu: u32) -> u32;
}

/// Doorbells: interrupts that one partition, or one part of it, raises at another.
pub trait Doorbells: Send + Sync {
    /// Rings; `false` when nothing has this handle.
    fn ring(&self, handle: u32) -> bool;
}

/// The state of this partition's cores.
pub trait Cores: Send + Sync {
    /// What a core does; `None` when there is no such core.
    fn state(&self, cpu: u32) -> Option<u64>;
    /// Puts `cpu`, which is the caller, to sleep until [`Cores::wake`], and says how it goes on.
    ///
    /// # Errors
    /// Why it may not sleep.
    fn nap(&self, cpu: u32) -> Result<Next, Status>;
    /// Wakes a core that naps; `false` when there is no such core.
    fn wake(&self, cpu: u32) -> bool;
}

/// The machine's devices as far as it has them.
#[derive(Default)]
pub struct Ports {
    /// Byte channels.
    pub channels: Option<Box<dyn ByteChannels>>,
    /// The interrupt controller.
    pub interrupts: Option<Box<dyn InterruptController>>,
    /// Doorbells.
    pub doorbells: Option<Box<dyn Doorbells>>,
    /// Cores.
    pub cores: Option<Box<dyn Cores>>,
}
