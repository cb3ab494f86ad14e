//! vCPUs, mostly one, with 1 MiB of RAM, a hashed page table, and devices that do what their ports say.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use exec::{Context, PartitionState, Peers, Privileged, Requests, Vcpu};
use guest_mem::{GuestMem, Order};
use hv_core::{Dispatch, ExitCounts, Halt, Interface, Next, Visit};
use hv_papr::Papr;
use hv_papr::connectors::Connectors;
use hv_papr::events::Events;
use hv_papr::ports::{
    ConfigRegister, Console, DmaWindow, InterruptController, Interrupts, MessageKind, Nvram, PciBridge, PciFunction,
    Persistent, Ports, Random, TimeOfDay, Watchdogs, WindowRoom,
};
use papr_abi::hcall::H_RTAS;
use papr_abi::rtas;
use ppc_isa::Cpu;
use ppc_mmu::{HashTable, Invalidation};

pub const RAM: u64 = 1 << 20;
pub const LIOBN: u64 = 0x8000_0000;
/// Pages of the DMA window.
pub const PAGES: usize = 2048;
/// Addresses of devices.
pub const DEVICES: Range<u64> = 0x2000_8000_0000..0x2001_0000_0000;
pub const BRIDGE: u64 = 0x0800_0000_2000_0000;
/// The terminal: it has always the same to say, and takes what it is told.
pub const UNIT: u64 = 0x7100_0000;

/// The word that stands for `sc 1`.
const CALL: u32 = 0x7c00_0268;
/// Where RTAS arguments are put.
const CELLS: u64 = 0x8_0000;

struct Silent;

impl Console for Silent {
    fn has_unit(&self, unit: u64) -> bool {
        unit == UNIT
    }
    fn put(&self, data: &[u8]) -> bool {
        data.len() < 16
    }
    fn get(&self, out: &mut [u8]) -> usize {
        out.fill(b'a');
        out.len()
    }
}

impl InterruptController for Silent {
    fn set_cppr(&self, _: u32, _: u8) {}
    fn accept(&self, _: u32) -> u32 {
        0
    }
    fn end(&self, _: u32, _: u32) {}
    fn set_mfrr(&self, server: u32, _: u8) -> bool {
        server == 0
    }
    fn poll(&self, server: u32) -> Option<(u32, u8)> {
        (server == 0).then_some((0, 0xff))
    }
    fn set_source(&self, _: u32, _: u32, _: u8) -> bool {
        false
    }
    fn source(&self, _: u32) -> Option<(u32, u8)> {
        None
    }
    fn set_enabled(&self, _: u32, _: bool) -> bool {
        false
    }
}

impl TimeOfDay for Silent {
    fn now(&self, _: Duration) -> (i64, u32) {
        (0, 0)
    }
    fn set(&self, _: Duration, _: i64) {}
}

impl Random for Silent {
    fn next(&self) -> Option<u64> {
        None
    }
}

/// A row of values behind a lock.
struct Row<T>(Mutex<Vec<T>>);

impl<T: Copy> Row<T> {
    fn new(value: T, len: usize) -> Row<T> {
        Row(Mutex::new(vec![value; len]))
    }

    fn values(&self) -> MutexGuard<'_, Vec<T>> {
        self.0.lock().unwrap()
    }

    fn set(&self, first: u64, values: &[T]) -> bool {
        let mut row = self.values();
        let places = row.get_mut(first as usize..).and_then(|rest| rest.get_mut(..values.len()));
        places.map(|places| places.copy_from_slice(values)).is_some()
    }
}

impl Nvram for Row<u8> {
    fn size(&self) -> u32 {
        self.values().len() as u32
    }
    fn read(&self, offset: u32, out: &mut [u8]) -> bool {
        let row = self.values();
        let found = row.get(offset as usize..).and_then(|rest| rest.get(..out.len()));
        found.map(|found| out.copy_from_slice(found)).is_some()
    }
    fn write(&self, offset: u32, data: &[u8]) -> bool {
        self.set(offset.into(), data)
    }
}

/// A window from `start` on.
#[derive(Clone)]
struct Window {
    start: u64,
    page_shift: u32,
    entries: Arc<Row<u64>>,
}

impl DmaWindow for Window {
    fn page(&self, address: u64) -> Option<u64> {
        let offset = address.checked_sub(self.start)?;
        offset.is_multiple_of(1 << self.page_shift).then_some(offset >> self.page_shift)
    }
    fn entry(&self, page: u64) -> Option<u64> {
        self.entries.values().get(usize::try_from(page).ok()?).copied()
    }
    fn set(&self, first: u64, entries: &[u64]) -> bool {
        self.entries.set(first, entries)
    }
    fn fill(&self, first: u64, count: u64, entry: u64) -> bool {
        let mut row = self.entries.values();
        let places = row.get_mut(first as usize..).and_then(|rest| rest.get_mut(..count as usize));
        places.map(|places| places.fill(entry)).is_some()
    }
}

/// Watchdogs that note what is asked of them.
#[derive(Clone, Default)]
struct Kennel(Arc<Mutex<[Option<(u64, Halt)>; 4]>>);

impl Watchdogs for Kennel {
    fn count(&self) -> u64 {
        4
    }
    fn start(&self, number: u64, due: u64, halt: Halt) {
        self.0.lock().unwrap()[number as usize] = Some((due, halt));
    }
    fn stop(&self, number: u64) -> bool {
        self.0.lock().unwrap()[number as usize].take().is_some()
    }
}

/// A bridge with one register, at 0x10 of function 3 on bus 2, that sizes like a base address register of 4 KiB, and
/// one at 0x104. That function has up to 4 messages by MSI, and up to 6 by MSI-X, of which 5 can be had. A second window may
/// be added.
struct Bridge {
    register: Row<u32>,
    messages: Mutex<Option<(MessageKind, Range<u32>)>>,
    windows: Mutex<BTreeMap<u32, Window>>,
    reached: Arc<Mutex<Vec<(u8, bool)>>>,
}

/// The first source of messages.
pub const MESSAGE: u32 = 0x1300;
/// The first bus address of the second window.
pub const SECOND: u64 = 1 << 59;

impl Bridge {
    fn new(reached: &Arc<Mutex<Vec<(u8, bool)>>>) -> Bridge {
        let bridge = Bridge {
            register: Row::new(0, 1),
            messages: Mutex::default(),
            windows: Mutex::default(),
            reached: Arc::clone(reached),
        };
        bridge.reset_windows();
        bridge
    }
}

const BAR: ConfigRegister = ConfigRegister { bus: 2, function: 3, offset: 0x10, width: 4 };
const EXTENDED: ConfigRegister = ConfigRegister { offset: 0x104, ..BAR };

impl PciBridge for Bridge {
    fn unit(&self) -> u64 {
        BRIDGE
    }
    fn read_config(&self, register: ConfigRegister) -> Option<u32> {
        match register {
            BAR => Some(self.register.values()[0]),
            EXTENDED => Some(0xe0e0),
            _ => None,
        }
    }
    fn write_config(&self, register: ConfigRegister, value: u32) {
        if register == BAR {
            self.register.values()[0] = value & !0xfff;
        }
    }
    fn most_messages(&self, function: PciFunction, kind: MessageKind) -> Option<u32> {
        let most = if kind == MessageKind::Msi { 4 } else { 6 };
        (function == PciFunction { bus: 2, function: 3 }).then_some(most)
    }
    fn set_messages(&self, function: PciFunction, kind: MessageKind, count: u32) -> Option<u32> {
        let count = count.min(self.most_messages(function, kind)?);
        *self.messages.lock().unwrap() = None;
        if count > 5 {
            return None;
        }
        *self.messages.lock().unwrap() = (count > 0).then_some((kind, MESSAGE..MESSAGE + count));
        Some(count)
    }
    fn messages(&self, _: PciFunction) -> Option<(MessageKind, Range<u32>)> {
        self.messages.lock().unwrap().clone()
    }
    fn connect(&self, slot: u8, connected: bool) {
        self.reached.lock().unwrap().push((slot, connected));
    }
    fn window(&self, liobn: u32) -> Option<Box<dyn DmaWindow>> {
        let window = self.windows.lock().unwrap().get(&liobn).cloned()?;
        Some(Box::new(window))
    }
    fn window_room(&self) -> WindowRoom {
        let windows = 2 - self.windows.lock().unwrap().len() as u32;
        WindowRoom { windows, pages: 0x1_0000_0004, page_shifts: &[12, 16, 24] }
    }
    fn add_window(&self, page_shift: u32, window_shift: u32) -> Option<(u32, u64)> {
        let (liobn, entries) = (LIOBN as u32 + 1, Arc::new(Row::new(0, 1 << (window_shift - page_shift))));
        let room = self.window_room().windows > 0;
        let window = Window { start: SECOND, page_shift, entries };
        room.then(|| _ = self.windows.lock().unwrap().insert(liobn, window)).map(|()| (liobn, SECOND))
    }
    fn remove_window(&self, liobn: u32) -> bool {
        self.windows.lock().unwrap().remove(&liobn).is_some()
    }
    fn reset_windows(&self) {
        let entries = Arc::new(Row::new(0, PAGES));
        let first = Window { start: 0, page_shift: 12, entries };
        *self.windows.lock().unwrap() = BTreeMap::from([(LIOBN as u32, first)]);
    }
}

pub struct Stage {
    pub mem: Arc<GuestMem>,
    pub partition: PartitionState,
    /// The one whose turn it is.
    pub vcpu: Vcpu,
    pub connectors: Arc<Connectors>,
    others: Vec<Vcpu>,
    mailboxes: Mailboxes,
    kennel: Kennel,
    papr: Papr,
    reached: Arc<Mutex<Vec<(u8, bool)>>>,
}

struct Mailboxes(Vec<Arc<Requests>>);

impl Peers for Mailboxes {
    fn invalidate(&self, what: Invalidation) {
        self.0.iter().for_each(|mailbox| mailbox.invalidate(what));
    }
    fn post(&self, server: Option<u32>, bits: u32) {
        let named = self.0.iter().enumerate().filter(|(n, _)| server.is_none_or(|server| server as usize == *n));
        named.for_each(|(_, mailbox)| mailbox.post(bits));
    }
    fn mailboxes(&self) -> &[Arc<Requests>] {
        &self.0
    }
}

impl Stage {
    /// A machine whose interrupt controller answers nothing.
    pub fn new() -> Stage {
        Stage::with(GuestMem::new(RAM).unwrap().into(), Persistent::default())
    }

    /// The same with this memory, and with persistent memory.
    pub fn with(mem: Arc<GuestMem>, persistent: Persistent) -> Stage {
        Stage::of(1, mem, persistent, Interrupts::Xics(Box::new(Silent)))
    }

    /// Several vCPUs, of which all but the first are stopped.
    pub fn several(cpus: u32) -> Stage {
        let interrupts = Interrupts::Xics(Box::new(Silent));
        Stage::of(cpus, GuestMem::new(RAM).unwrap().into(), Persistent::default(), interrupts)
    }

    /// A machine with this interrupt controller.
    pub fn with_interrupts(interrupts: Interrupts) -> Stage {
        Stage::of(1, GuestMem::new(RAM).unwrap().into(), Persistent::default(), interrupts)
    }

    fn of(cpus: u32, mem: Arc<GuestMem>, persistent: Persistent, interrupts: Interrupts) -> Stage {
        let connectors = Arc::<Connectors>::default();
        let (kennel, reached) = (Kennel::default(), Arc::default());
        let mailboxes: Vec<_> = (0..cpus).map(|_| Arc::new(Requests::default())).collect();
        mailboxes.iter().skip(1).for_each(|mailbox| mailbox.stop());
        let ports = Ports {
            console: Box::new(Silent),
            interrupts,
            time: Box::new(Silent),
            random: Box::new(Silent),
            nvram: Box::new(Row::new(0_u8, 0x1_0000)),
            bridges: vec![Box::new(Bridge::new(&reached))],
            persistent: Arc::new(persistent),
            connectors: Arc::clone(&connectors),
            events: Arc::new(Events::new(Box::new(|| ()))),
            devices: vec![DEVICES],
            watchdogs: Box::new(kennel.clone()),
        };
        Stage {
            mem,
            partition: PartitionState::new(Some(HashTable::new(20)), true),
            vcpu: Vcpu::new(Cpu::Power9, 0),
            others: (1..cpus).map(|number| Vcpu::new(Cpu::Power9, number)).collect(),
            mailboxes: Mailboxes(mailboxes),
            kennel,
            papr: Papr::new(cpus, ports),
            connectors,
            reached,
        }
    }

    /// Slots that were put within reach or out of it since the last time.
    pub fn reached(&self) -> Vec<(u8, bool)> {
        std::mem::take(&mut self.reached.lock().unwrap())
    }

    /// What is asked of the vCPU whose turn it is.
    pub fn requests(&self) -> &Requests {
        &self.mailboxes.0[self.vcpu.state.pir as usize]
    }

    /// What watchdog `number` was told.
    pub fn watchdog(&self, number: usize) -> Option<(u64, Halt)> {
        self.kennel.0.lock().unwrap()[number].clone()
    }

    /// Makes it the turn of vCPU `server`.
    pub fn turn_to(&mut self, server: u32) -> &mut Stage {
        if let Some(other) = self.others.iter_mut().find(|other| other.state.pir == server) {
            std::mem::swap(&mut self.vcpu, other);
        }
        self
    }

    fn context(&self) -> Context<'_> {
        let context = Context::alone(&self.mem, &self.partition, self.requests(), Privileged::Trap);
        Context { peers: &self.mailboxes, ..context }
    }

    /// The vCPU whose turn it is leaves the host's processors or comes back after so many ticks.
    pub fn dispatched(&mut self, after: u64, change: Dispatch) {
        self.vcpu.state.retired += after;
        self.papr.dispatched(&self.vcpu, &self.context(), change);
    }

    /// A stopped vCPU, which has been started, begins; it is its turn.
    pub fn begins(&mut self, server: u32) -> &mut Stage {
        self.turn_to(server);
        assert!(self.requests().take_start().is_some());
        self.dispatched(0, Dispatch::Enters(0));
        self
    }

    /// Makes a call; returns r3 and how the vCPU goes on.
    pub fn answer(&mut self, number: u64, arguments: &[u64]) -> (i64, Next) {
        let gpr = &mut self.vcpu.state.gpr;
        gpr[3] = number;
        gpr[4..13].fill(0xdead);
        gpr[4..4 + arguments.len()].copy_from_slice(arguments);
        let requests = &self.mailboxes.0[self.vcpu.state.pir as usize];
        let context = Context::alone(&self.mem, &self.partition, requests, Privileged::Trap);
        let context = Context { peers: &self.mailboxes, ..context };
        let counts = &mut ExitCounts::default();
        let mut visit = Visit { vcpu: &mut self.vcpu, context: &context, counts };
        let next = self.papr.illegal(&mut visit, CALL).unwrap();
        (self.vcpu.state.gpr[3] as i64, next)
    }

    /// Makes a call; returns r3.
    pub fn call(&mut self, number: u64, arguments: &[u64]) -> i64 {
        self.answer(number, arguments).0
    }

    /// Makes a call; returns r3 and as many registers from r4 on.
    pub fn outputs<const N: usize>(&mut self, number: u64, arguments: &[u64]) -> (i64, [u64; N]) {
        (self.call(number, arguments), self.left())
    }

    /// Registers from r4 on after a call.
    pub fn left<const N: usize>(&self) -> [u64; N] {
        std::array::from_fn(|n| self.vcpu.state.gpr[4 + n])
    }

    /// r4 after a call.
    pub fn r4(&self) -> u64 {
        self.vcpu.state.gpr[4]
    }

    /// What the vCPU was asked to forget since the last time.
    pub fn forgotten(&self) -> Vec<Invalidation> {
        let mut forgotten = Vec::new();
        self.requests().take_invalidations(|what| forgotten.push(what));
        forgotten
    }

    /// Calls a service; returns status, further outputs, and how the vCPU goes on.
    pub fn service(&mut self, form: rtas::Call, inputs: &[u32]) -> (i32, Vec<u32>, Next) {
        assert_eq!(inputs.len(), form.inputs as usize);
        let cells = [&[form.token, form.inputs, form.outputs], inputs].concat();
        for (at, cell) in (CELLS..).step_by(4).zip(&cells) {
            self.mem.store(at, Order::Big, *cell);
        }
        let (status, next) = self.answer(H_RTAS, &[CELLS]);
        assert_eq!(status, 0);
        let first = CELLS + 4 * cells.len() as u64;
        let mut outputs = (first..).step_by(4).map(|at| self.mem.load::<u32>(at, Order::Big).unwrap());
        (outputs.next().unwrap() as i32, outputs.take(form.outputs as usize - 1).collect(), next)
    }

    /// Bytes of RAM.
    pub fn bytes(&self, address: u64, len: usize) -> Vec<u8> {
        let mut out = vec![0; len];
        assert!(self.mem.read(address, &mut out));
        out
    }
}
