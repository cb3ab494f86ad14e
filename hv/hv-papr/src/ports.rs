//! What the calls need from the machine.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use crate::connectors::Connectors;
use crate::events::Events;

use hv_core::Halt;

/// The virtual terminal.
pub trait Console: Send + Sync {
    /// Whether `unit` is a terminal of this machine.
    fn has_unit(&self, unit: u64) -> bool;
    /// Writes all of `data` or nothing; `false` when there is no room now.
    fn put(&self, data: &[u8]) -> bool;
    /// Reads up to `out.len()` bytes that have arrived; returns how many.
    fn get(&self, out: &mut [u8]) -> usize;
}

/// The interrupt controller in XICS terms: servers present, sources are routed (PAPR 14.5.4.6).
pub trait InterruptController: Send + Sync {
    /// Sets the current processor priority of a server.
    fn set_cppr(&self, server: u32, cppr: u8);
    /// Accepts the pending interrupt: CPPR in the top byte, source below.
    fn accept(&self, server: u32) -> u32;
    /// Ends the interrupt in `xirr` and sets CPPR from its top byte.
    fn end(&self, server: u32, xirr: u32);
    /// Sets the inter-processor priority of a server; `false` when there is no such server.
    fn set_mfrr(&self, server: u32, mfrr: u8) -> bool;
    /// XIRR without accepting, and MFRR. `None` when there is no such server.
    fn poll(&self, server: u32) -> Option<(u32, u8)>;
    /// Routes a source; `false` when source or server do not exist.
    fn set_source(&self, irq: u32, server: u32, priority: u8) -> bool;
    /// Server and priority of a source.
    fn source(&self, irq: u32) -> Option<(u32, u8)>;
    /// Masks or unmasks a source; `false` when it does not exist.
    fn set_enabled(&self, irq: u32, enabled: bool) -> bool;
}

/// The event queues that XIVE's guests may have: log2 of their bytes.
pub const QUEUE_SHIFTS: [u32; 4] = [12, 16, 21, 24];
/// Priorities that are the guest's, 0 and those below this; the others are reserved.
pub const GUEST_PRIORITIES: u8 = 7;

/// A source of XIVE.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct XiveSource {
    /// Level-triggered: reached by calls, not by its pages.
    pub level: bool,
    /// Guest real address of the page that manages it.
    pub management: u64,
    /// Guest real address of the page that triggers it.
    pub trigger: u64,
}

/// Where the events of a source go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct XiveRoute {
    /// Server.
    pub target: u32,
    /// One of its priorities.
    pub priority: u8,
    /// What the guest calls the event.
    pub eisn: u32,
    /// Events are lost.
    pub masked: bool,
}

/// An event queue in guest memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct XiveQueue {
    /// Guest real address.
    pub address: u64,
    /// log2 of its bytes, one of [`QUEUE_SHIFTS`].
    pub shift: u32,
    /// Every event notifies.
    pub always: bool,
    /// Top bit of the next word.
    pub generation: bool,
    /// Number of the next word.
    pub index: u32,
}

/// The interrupt controller in XIVE terms: sources lead to event queues of a server's priorities.
pub trait Xive: Send + Sync {
    /// Number of servers.
    fn servers(&self) -> u32;
    /// The source `lisn`, if it exists.
    fn source(&self, lisn: u32) -> Option<XiveSource>;
    /// Where its events go. `None` when it does not exist.
    fn route(&self, lisn: u32) -> Option<XiveRoute>;
    /// Sends them elsewhere; `None` stands for nowhere, as in the beginning.
    fn set_route(&self, lisn: u32, route: Option<XiveRoute>);
    /// The queue of a priority, if it has one.
    fn queue(&self, server: u32, priority: u8) -> Option<XiveQueue>;
    /// Sets it, to be filled from its first word on, or takes it away.
    fn set_queue(&self, server: u32, priority: u8, queue: Option<XiveQueue>);
    /// Guest real address of the page by which notifications of a queue are held back.
    fn queue_page(&self, server: u32, priority: u8) -> u64;
    /// log2 of the bytes of pages.
    fn page_shift(&self) -> u32;
    /// A load at `offset` of the management page of a source. `None` when it does not exist.
    fn load(&self, lisn: u32, offset: u64) -> Option<u64>;
    /// A store there.
    fn store(&self, lisn: u32, offset: u64);
    /// Forgets everything that the guest has set.
    fn reset(&self);
}

/// The interrupt controller that a machine has. The calls of the other kind do not exist in it.
pub enum Interrupts {
    /// Reached by calls.
    Xics(Box<dyn InterruptController>),
    /// Set up by calls, reached by loads and stores.
    Xive(Box<dyn Xive>),
}

/// Date and time.
pub trait TimeOfDay: Send + Sync {
    /// Seconds since 1970 (UTC) and nanoseconds, when the guest has run for `elapsed` of its own time.
    fn now(&self, elapsed: Duration) -> (i64, u32);
    /// Sets the clock to seconds since 1970.
    fn set(&self, elapsed: Duration, seconds: i64);
}

/// Random numbers good enough for keys.
pub trait Random: Send + Sync {
    /// Sixty-four random bits, or `None` when the host has none.
    fn next(&self) -> Option<u64>;
}

/// Non-volatile memory.
pub trait Nvram: Send + Sync {
    /// Bytes of the store.
    fn size(&self) -> u32;
    /// Copies bytes from `offset` on; `false` when they are not all in the store.
    fn read(&self, offset: u32, out: &mut [u8]) -> bool;
    /// Replaces bytes from `offset` on, all or none; `false` when they are not all in the store, or it can not keep them.
    fn write(&self, offset: u32, data: &[u8]) -> bool;
}

/// A register in a PCI function's configuration space.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConfigRegister {
    /// Bus number.
    pub bus: u8,
    /// Device (5 bits) and function (3 bits).
    pub function: u8,
    /// Byte offset, below 4096; a multiple of `width`.
    pub offset: u16,
    /// Bytes: 1, 2 or 4.
    pub width: u8,
}

/// A PCI function by its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PciFunction {
    /// Bus number.
    pub bus: u8,
    /// Device (5 bits) and function (3 bits).
    pub function: u8,
}

/// The ways in which functions send messages, by PAPR's numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MessageKind {
    /// MSI.
    Msi = 1,
    /// MSI-X.
    Msix = 2,
}

/// A PCI host bridge, as far as RTAS reaches it. All its functions share its DMA windows.
pub trait PciBridge: Send + Sync {
    /// Bus unit identifier: the unit address of its node.
    fn unit(&self) -> u64;
    /// Reads a register, zero-extended; `None` when no function is there.
    fn read_config(&self, register: ConfigRegister) -> Option<u32>;
    /// Writes a register; without a function nothing happens.
    fn write_config(&self, register: ConfigRegister, value: u32);
    /// Messages that a function can have; `None` when it is not there.
    fn most_messages(&self, function: PciFunction, kind: MessageKind) -> Option<u32>;
    /// Lets a function have up to `count` messages in place of those that it has; returns how many it got. `None` when no
    /// more sources are left, or it is not there.
    fn set_messages(&self, function: PciFunction, kind: MessageKind, count: u32) -> Option<u32>;
    /// The messages that a function has, by interrupt source.
    fn messages(&self, function: PciFunction) -> Option<(MessageKind, Range<u32>)>;
    /// The function behind device number `slot` can be reached from now on, or not any more; then it is reset.
    fn connect(&self, slot: u8, connected: bool);
    /// The DMA window with this logical I/O bus number.
    fn window(&self, liobn: u32) -> Option<Box<dyn DmaWindow>>;
    /// What windows can be added.
    fn window_room(&self) -> WindowRoom;
    /// Adds a window of so many bytes, with pages of so many, as powers of two; returns its logical I/O bus number and first
    /// bus address.
    fn add_window(&self, page_shift: u32, window_shift: u32) -> Option<(u32, u64)>;
    /// Removes a window; `false` when there is none of this number.
    fn remove_window(&self, liobn: u32) -> bool;
    /// The window of the beginning alone again.
    fn reset_windows(&self);
}

/// What DMA windows can be added.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WindowRoom {
    /// How many.
    pub windows: u32,
    /// Pages of the largest one.
    pub pages: u64,
    /// log2 of the bytes of their pages, in increasing order.
    pub page_shifts: &'static [u32],
}

/// A DMA window: pages of bus addresses with entries of 64 bits (PAPR 14.5.4.2).
pub trait DmaWindow: Send + Sync {
    /// The page that begins at a bus address. Whether it is in the window says [`DmaWindow::entry`].
    fn page(&self, address: u64) -> Option<u64>;
    /// The entry of a page; `None` outside the window.
    fn entry(&self, page: u64) -> Option<u64>;
    /// Sets entries from page `first` on, all or none; `false` when they are not all in the window.
    fn set(&self, first: u64, entries: &[u64]) -> bool;
    /// Gives `count` pages from `first` on the same entry, all or none.
    fn fill(&self, first: u64, count: u64, entry: u64) -> bool;
}

/// Sizes of a persistent-memory device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ScmGeometry {
    /// Bytes of a block, a power of two.
    pub block_size: u64,
    /// Blocks of data.
    pub blocks: u64,
    /// Bytes of the label area.
    pub labels: u64,
}

/// The answer to a flush.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flushed {
    /// Everything stored before its first call persists.
    Done,
    /// It does not.
    Failed,
    /// Not yet: to be asked again with this token.
    Busy(u64),
    /// There is no such token.
    Unknown,
}

/// A persistent-memory device (spec papr 3.1). Its blocks are guest memory where it is told to map them.
pub trait PersistentMemory: Send + Sync {
    /// Its sizes.
    fn geometry(&self) -> ScmGeometry;
    /// Copies bytes of the label area; `false` when they are not all in it.
    fn read_label(&self, offset: u64, out: &mut [u8]) -> bool;
    /// Replaces bytes of the label area, durably and in order; `false` when the medium refuses.
    fn write_label(&self, offset: u64, data: &[u8]) -> bool;
    /// Makes `count` blocks from `first` on guest memory from `address` on; `false` when the host refuses.
    fn map(&self, address: u64, first: u64, count: u64) -> bool;
    /// Readies `blocks` for being taken out of guest memory, which the caller does; `false` when the host refuses.
    fn unmap(&self, blocks: Range<u64>) -> bool;
    /// States of health, and which bits mean something (spec papr 3.7).
    fn health(&self) -> (u64, u64);
    /// Statistics by name.
    fn statistics(&self) -> Vec<([u8; 8], u64)>;
    /// Begins a flush if `token` is 0, else asks how it goes on.
    fn flush(&self, token: u64) -> Flushed;
}

/// The persistent memory of a machine.
#[derive(Default)]
pub struct Persistent {
    /// Guest real addresses at which blocks may be bound.
    pub window: Range<u64>,
    devices: RwLock<BTreeMap<u32, Arc<dyn PersistentMemory>>>,
}

impl Persistent {
    /// These devices by connector, bound at addresses in `window`.
    pub fn new(window: Range<u64>, devices: impl IntoIterator<Item = (u32, Arc<dyn PersistentMemory>)>) -> Persistent {
        Persistent { window, devices: RwLock::new(devices.into_iter().collect()) }
    }

    /// The device of connector `drc`.
    pub fn device(&self, drc: u32) -> Option<Arc<dyn PersistentMemory>> {
        self.devices.read().unwrap_or_else(PoisonError::into_inner).get(&drc).cloned()
    }

    /// Puts a device behind connector `drc`, or takes it away, when nothing of it is bound.
    pub fn set(&self, drc: u32, device: Option<Arc<dyn PersistentMemory>>) {
        let mut devices = self.devices.write().unwrap_or_else(PoisonError::into_inner);
        match device {
            Some(device) => devices.insert(drc, device),
            None => devices.remove(&drc),
        };
    }
}

/// Timers that halt the machine, numbered from 0.
pub trait Watchdogs: Send + Sync {
    /// How many there are.
    fn count(&self) -> u64;
    /// Starts one, anew if it runs: at timebase `due` the machine halts for `halt`.
    fn start(&self, number: u64, due: u64, halt: Halt);
    /// Stops one; `false` when it did not run.
    fn stop(&self, number: u64) -> bool;
}

/// Everything that the calls need.
pub struct Ports {
    /// The virtual terminal.
    pub console: Box<dyn Console>,
    /// The interrupt controller.
    pub interrupts: Interrupts,
    /// The clock.
    pub time: Box<dyn TimeOfDay>,
    /// Random numbers.
    pub random: Box<dyn Random>,
    /// Non-volatile memory.
    pub nvram: Box<dyn Nvram>,
    /// PCI host bridges.
    pub bridges: Vec<Box<dyn PciBridge>>,
    /// Persistent memory.
    pub persistent: Arc<Persistent>,
    /// What can be acquired and released while the guest runs.
    pub connectors: Arc<Connectors>,
    /// Events that the guest is to hear of.
    pub events: Arc<Events>,
    /// Guest real addresses that lead to devices: pages there may be mapped.
    pub devices: Vec<Range<u64>>,
    /// Watchdogs.
    pub watchdogs: Box<dyn Watchdogs>,
}
