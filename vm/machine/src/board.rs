//! A machine that was built: memory, partition, devices, hypervisor and vCPUs.

use std::io::Write;
use std::iter;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use exec::Peers;
use exec::{Clock, Context, Lines, PartitionState, Privileged, Requests, Start, Vcpu, request};
use guest_mem::GuestMem;
use hv_core::{Halt, Hypervisor, Interface};
use nvdimm::Nvdimm;
use platform::{ClockOffset, DiskImage, GuestTime, Nvram, Outlet, Registers, Watchdogs};
use ppc_mmu::Invalidation;
use thiserror::Error;

use crate::blocks;
use crate::bus::Bus;
use crate::hotplug::HotPlug;
use crate::plan::Layout;
use crate::spec::Kind;

mod e500;
mod mac;
mod pseries;

/// Why a planned machine could not be built.
#[derive(Debug, Error)]
pub enum BuildError {
    /// The host gives no address space.
    #[error("the host has no room for {memory:#x} bytes of guest memory: {source}")]
    Memory {
        /// Bytes asked for.
        memory: u64,
        /// The host's reason.
        source: std::io::Error,
    },
    /// The host's kernel has no barriers across threads, as Linux has since 4.14.
    #[error(
        "--cpus {cpus}: the host's kernel refuses membarrier(2), without which only one processor can be had: {source}"
    )]
    Threads {
        /// Asked for.
        cpus: u32,
        /// The host's reason.
        source: std::io::Error,
    },
    /// The tree is larger than its place.
    #[error("the device tree has {len} bytes, its place {room}; shorten --append")]
    TreeTooLarge {
        /// Bytes of the tree.
        len: u64,
        /// Bytes there.
        room: u64,
    },
    /// A planned range is not in the file or not in RAM.
    #[error("the kernel or initrd is not the one that was planned for")]
    Files,
}

/// All vCPUs' mailboxes.
pub struct Mailboxes(pub Vec<Arc<Requests>>);

impl Peers for Mailboxes {
    fn invalidate(&self, what: Invalidation) {
        self.0.iter().for_each(|requests| requests.invalidate(what));
    }

    fn mailboxes(&self) -> &[Arc<Requests>] {
        &self.0
    }

    fn post(&self, server: Option<u32>, bits: u32) {
        let named = |number: usize| server.is_none_or(|server| server as usize == number);
        let peers = self.0.iter().enumerate().filter(|(number, _)| named(*number));
        peers.for_each(|(_, requests)| requests.post(bits));
    }
}

/// Where typed input goes.
pub trait Keyboard: Send + Sync {
    /// Types bytes; returns how many were taken.
    fn type_in(&self, data: &[u8]) -> usize;
}

/// Requests that concern the whole machine, from devices and from outside.
#[derive(Clone)]
pub struct Power {
    requests: Vec<Arc<Requests>>,
    halt: Arc<Mutex<Option<Halt>>>,
}

impl Power {
    /// Halts the machine at the next event point of each vCPU; the first reason counts.
    pub fn halt(&self, why: Halt) {
        self.halt.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(why);
        self.stop();
    }

    /// Makes the machine stop running.
    pub fn stop(&self) {
        self.requests.iter().for_each(|requests| requests.post(request::STOP));
    }

    /// Starts vCPU `server`; `false` when there is none, or it runs.
    pub fn start(&self, server: u32, start: Start) -> bool {
        self.requests.get(server as usize).is_some_and(|requests| requests.start(start))
    }

    /// Looks at the interrupt inputs of vCPU `server` again.
    pub fn interrupt(&self, server: u32) {
        if let Some(requests) = self.requests.get(server as usize) {
            requests.post(request::INTERRUPT);
        }
    }
}

/// Typed input and requests from outside, for other threads.
#[derive(Clone)]
pub struct Controls {
    keyboard: Arc<dyn Keyboard>,
    power: Power,
    /// Who keeps these does not keep the machine's memory.
    hot_plug: Weak<HotPlug>,
}

impl Controls {
    /// Types bytes at the console; returns how many were taken.
    pub fn type_in(&self, data: &[u8]) -> usize {
        self.keyboard.type_in(data)
    }

    /// Makes the machine stop running.
    pub fn stop(&self) {
        self.power.stop();
    }

    /// What can be added and removed, where anything can, for as long as the machine is there.
    pub fn hot_plug(&self) -> Option<Arc<HotPlug>> {
        self.hot_plug.upgrade()
    }
}

/// What a board adds to memory and mailboxes.
struct Board {
    partition: PartitionState,
    interfaces: Vec<Box<dyn Interface>>,
    bus: Bus,
    /// For each vCPU, a device that is there for it alone.
    own: Vec<(Range<u64>, Arc<dyn Registers>)>,
    hot_plug: Option<Arc<HotPlug>>,
    lines: Arc<dyn Lines + Send>,
    keyboard: Arc<dyn Keyboard>,
    time: Arc<GuestTime>,
    watchdogs: Arc<Watchdogs<Halt>>,
    /// The boot CPU.
    vcpu: Vcpu,
    /// Sets up the registers of another one after its reset.
    start: fn(&mut Vcpu, Start),
}

/// What a machine is connected to outside of it.
pub struct Backends {
    /// Where console output goes.
    pub console: Outlet,
    /// Persistent memory, in the order of the description.
    pub nvdimms: Vec<Arc<Nvdimm>>,
    /// Non-volatile memory (pseries); a new one of its own without.
    pub nvram: Option<Arc<Nvram>>,
    /// By how much its clock was set before (pseries).
    pub clock: ClockOffset,
    /// The disk of Open Firmware, if it has one (pseries).
    pub disk: Option<Arc<DiskImage>>,
}

impl Backends {
    /// A console alone.
    pub fn new(console: Outlet) -> Backends {
        Backends { console, nvdimms: Vec::new(), nvram: None, clock: ClockOffset::default(), disk: None }
    }
}

/// A console alone.
impl<W: Write + Send + 'static> From<Box<W>> for Backends {
    fn from(console: Box<W>) -> Backends {
        Backends::new(Outlet::direct(console))
    }
}

/// A console alone.
impl From<Box<dyn Write + Send>> for Backends {
    fn from(console: Box<dyn Write + Send>) -> Backends {
        Backends::new(Outlet::direct(console))
    }
}

/// A machine.
pub struct Machine {
    /// Memory.
    pub mem: Arc<GuestMem>,
    /// Partition-wide state.
    pub partition: PartitionState,
    /// What answers exits.
    pub hypervisor: Hypervisor,
    /// vCPUs by server number.
    pub vcpus: Vec<Vcpu>,
    /// Their mailboxes.
    pub mailboxes: Mailboxes,
    /// Interrupt inputs of the vCPUs.
    pub lines: Arc<dyn Lines + Send>,
    /// How long it has run, for devices that keep the time; to be told where that is not the host's matter.
    pub time: Arc<GuestTime>,
    /// What halts it if it is not looked after.
    pub watchdogs: Arc<Watchdogs<Halt>>,
    /// Devices by guest real address, for each vCPU: at some addresses each has its own.
    buses: Vec<Bus>,
    keyboard: Arc<dyn Keyboard>,
    power: Power,
    hot_plug: Option<Arc<HotPlug>>,
    start: fn(&mut Vcpu, Start),
}

impl Machine {
    /// Builds what was planned. `kernel` is the whole ELF file.
    ///
    /// # Errors
    /// What the host refuses, and files that are not those of the plan.
    pub fn build(
        layout: &Layout,
        kernel: &[u8],
        initrd: Option<&[u8]>,
        backends: impl Into<Backends>,
    ) -> Result<Machine, BuildError> {
        let backends = backends.into();
        let spec = &layout.spec;
        let mem =
            GuestMem::with_room(spec.memory, layout.persistent.end.max(layout.hot_memory.end), spec.cpu.cache_block())
                .map_err(|source| BuildError::Memory { memory: spec.memory, source })?;
        for block in blocks::present(spec, &layout.hot_memory) {
            mem.add(block).map_err(|source| BuildError::Memory { memory: spec.memory, source })?;
        }
        let mem = Arc::new(mem);
        backends.nvdimms.iter().for_each(|nvdimm| nvdimm.attach(Arc::clone(&mem)));
        if spec.vcpus() > 1 {
            mem.share().map_err(|source| BuildError::Threads { cpus: spec.vcpus(), source })?;
        }
        load(layout, kernel, initrd, &mem)?;
        let requests: Vec<_> = (0..spec.vcpus()).map(|_| Arc::new(Requests::default())).collect();
        requests.iter().skip(1).for_each(|mailbox| mailbox.stop());
        let power = Power { requests: requests.clone(), halt: Arc::default() };
        let board = match spec.kind {
            Kind::Pseries | Kind::Bare => pseries::board(layout, &mem, &power, backends),
            Kind::E500 => e500::board(layout, &power, backends.console),
            Kind::Mac => mac::board(layout, &mem, &power, backends.console),
        };
        let mut buses = vec![board.bus; requests.len()];
        for (bus, (range, device)) in buses.iter_mut().zip(board.own) {
            bus.attach(range, device);
        }
        let others = (1..spec.vcpus()).map(|number| Vcpu::new(spec.cpu, number));
        Ok(Machine {
            mem,
            partition: board.partition,
            hypervisor: Hypervisor::new(board.interfaces),
            vcpus: iter::once(board.vcpu).chain(others).collect(),
            mailboxes: Mailboxes(requests),
            lines: board.lines,
            time: board.time,
            watchdogs: board.watchdogs,
            buses,
            keyboard: board.keyboard,
            power,
            hot_plug: board.hot_plug,
            start: board.start,
        })
    }

    /// The device tree that a machine of this layout gets.
    ///
    /// # Errors
    /// When it is too large for its place.
    pub fn tree(layout: &Layout) -> Result<Vec<u8>, BuildError> {
        let tree = match layout.spec.kind {
            Kind::Pseries | Kind::Bare => pseries::tree(layout),
            Kind::E500 => e500::tree(layout),
            Kind::Mac => mac::tree(layout),
        };
        let (len, room) = (tree.len() as u64, layout.tree.end - layout.tree.start);
        if len > room && !layout.tree.is_empty() { Err(BuildError::TreeTooLarge { len, room }) } else { Ok(tree) }
    }

    /// What an engine runs vCPU `server` in. `None` when there is no such vCPU.
    pub fn context<'a>(&'a self, server: u32, clock: &'a dyn Clock, privileged: Privileged) -> Option<Context<'a>> {
        Some(self.context_of(self.mailboxes.0.get(server as usize)?, self.bus(server)?, clock, privileged))
    }

    /// The same for the vCPU whose mailbox is `requests` and which sees the devices of `bus`.
    pub fn context_of<'a>(
        &'a self,
        requests: &'a Requests,
        bus: &'a Bus,
        clock: &'a dyn Clock,
        privileged: Privileged,
    ) -> Context<'a> {
        Context {
            mem: &self.mem,
            partition: &self.partition,
            requests,
            clock,
            mmio: bus,
            peers: &self.mailboxes,
            privileged,
            delivers: false,
            answers: None,
        }
    }

    /// The devices that vCPU `server` sees. `None` when there is no such vCPU.
    pub fn bus(&self, server: u32) -> Option<&Bus> {
        self.buses.get(server as usize)
    }

    /// Puts a device at `range`, for all vCPUs.
    pub fn attach(&mut self, range: Range<u64>, device: &Arc<impl Registers + 'static>) {
        self.buses.iter_mut().for_each(|bus| bus.attach(range.clone(), Arc::clone(device) as _));
    }

    /// Adds a mailbox for another vCPU, which is the caller's, with the devices that all have; returns its number.
    pub fn extend(&mut self) -> u32 {
        self.buses.extend(self.buses.first().cloned());
        self.mailboxes.0.push(Arc::default());
        self.mailboxes.0.len() as u32 - 1
    }

    /// Resets `vcpu`, which was stopped, and sets its registers to those with which it starts. Its time goes on.
    pub fn start(&self, vcpu: &mut Vcpu, start: Start) {
        let old = &vcpu.state;
        let mut fresh = Vcpu::new(old.cpu, old.pir);
        (fresh.state.retired, fresh.state.timebase_offset) = (old.retired, old.timebase_offset);
        (self.start)(&mut fresh, start);
        *vcpu = fresh;
    }

    /// Why the machine halts, when a device asked for it.
    pub fn halted(&self) -> Option<Halt> {
        self.power.halt.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Handles for other threads.
    pub fn controls(&self) -> Controls {
        let hot_plug = self.hot_plug.as_ref().map(Arc::downgrade).unwrap_or_default();
        Controls { keyboard: Arc::clone(&self.keyboard), power: self.power.clone(), hot_plug }
    }
}

/// Puts kernel, initrd and tree into RAM; Open Firmware keeps the tree for itself.
fn load(layout: &Layout, kernel: &[u8], initrd: Option<&[u8]>, mem: &GuestMem) -> Result<(), BuildError> {
    let write = |address: u64, data: &[u8]| mem.write(address, data).then_some(()).ok_or(BuildError::Files);
    for segment in &layout.segments {
        write(segment.address, kernel.get(segment.file.clone()).ok_or(BuildError::Files)?)?;
    }
    if let Some(range) = &layout.initrd {
        let data = initrd.filter(|data| data.len() as u64 == range.end - range.start).ok_or(BuildError::Files)?;
        write(range.start, data)?;
    }
    if layout.tree.is_empty() {
        return Ok(());
    }
    write(layout.tree.start, &Machine::tree(layout)?)
}
