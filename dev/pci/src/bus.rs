//! The bus behind a host bridge: functions by slot, each function 0 of its device.

use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use platform::Registers;

use crate::dma::Dma;
use crate::endpoint::Endpoint;
use crate::function::{Description, Function};
use crate::messages::{MessageKind, Messages};
use crate::port::Port;
use crate::space::SIZE;
use crate::upstream::Upstream;

/// Slots of a bus.
pub const SLOTS: u8 = 32;

#[derive(Clone)]
struct Place {
    endpoint: Arc<Endpoint>,
    /// It can be reached; it can not while its connector isolates it.
    connected: bool,
}

/// The bus.
pub struct Bus {
    upstream: Arc<Upstream>,
    slots: RwLock<[Option<Place>; SLOTS as usize]>,
    messages: Mutex<Messages>,
}

impl Bus {
    /// An empty bus.
    pub fn new(upstream: Upstream) -> Bus {
        let messages = Mutex::new(Messages::new(upstream.messages()));
        Bus { upstream: Arc::new(upstream), slots: RwLock::default(), messages }
    }

    /// The bridge's DMA windows.
    pub fn dma(&self) -> &Dma {
        &self.upstream.dma
    }

    fn lock(&self) -> MutexGuard<'_, Messages> {
        self.messages.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes what is in `slot`, while nobody reaches it.
    fn change(&self, slot: u8, change: impl FnOnce(&mut Option<Place>)) {
        let mut slots = self.slots.write().unwrap_or_else(PoisonError::into_inner);
        slots.get_mut(usize::from(slot)).map(change);
    }

    fn place(&self, slot: u8) -> Option<Place> {
        let slots = self.slots.read().unwrap_or_else(PoisonError::into_inner);
        slots.get(usize::from(slot)).cloned().flatten()
    }

    /// The function in `slot` if it can be reached.
    fn endpoint(&self, slot: u8) -> Option<Arc<Endpoint>> {
        self.place(slot).filter(|place| place.connected).map(|place| place.endpoint)
    }

    /// Puts a function into `slot`, below [`SLOTS`]; `make` gives it what it uses of the bus. What was there before is gone.
    pub fn plug(
        &self,
        slot: u8,
        connected: bool,
        description: Description,
        make: impl FnOnce(Arc<Port>) -> Box<dyn Function>,
    ) {
        self.unplug(slot);
        let endpoint = Endpoint::new(slot, Arc::clone(&self.upstream), description, make);
        self.change(slot, |place| *place = Some(Place { endpoint: Arc::new(endpoint), connected }));
    }

    /// Takes a function away.
    pub fn unplug(&self, slot: u8) {
        self.isolate(slot);
        self.change(slot, |place| *place = None);
    }

    /// Takes the function in `slot` out of reach and resets it.
    pub fn isolate(&self, slot: u8) {
        self.change(slot, |place| {
            if let Some(place) = place {
                place.connected = false;
                place.endpoint.reset();
                self.lock().release(slot);
            }
        });
    }

    /// Puts it within reach.
    pub fn connect(&self, slot: u8) {
        self.change(slot, |place| {
            if let Some(place) = place {
                place.connected = true;
            }
        });
    }

    /// What is in `slot`, in reach or not.
    pub fn description(&self, slot: u8) -> Option<Description> {
        self.place(slot).map(|place| place.endpoint.description().clone())
    }

    /// The slot of a function by bus number, and device (5 bits) and function (3 bits).
    fn slot(bus: u8, function: u8) -> Option<u8> {
        (bus == 0 && function & 7 == 0).then_some(function >> 3)
    }

    fn function(&self, bus: u8, function: u8) -> Option<(u8, Arc<Endpoint>)> {
        let slot = Bus::slot(bus, function)?;
        Some((slot, self.endpoint(slot)?))
    }

    /// Reads a register of `bytes` (1, 2 or 4) bytes at the aligned `offset`; `None` when there is no such function, or its
    /// configuration space is shorter.
    pub fn read_config(&self, bus: u8, function: u8, offset: u16, bytes: u8) -> Option<u32> {
        let (_, endpoint) = self.function(bus, function).filter(|_| usize::from(offset) < SIZE)?;
        Some(endpoint.read_config(offset, bytes))
    }

    /// Writes it; without a function nothing happens.
    pub fn write_config(&self, bus: u8, function: u8, offset: u16, bytes: u8, value: u32) {
        if let Some((_, endpoint)) = self.function(bus, function).filter(|_| usize::from(offset) < SIZE) {
            endpoint.write_config(offset, bytes, value);
        }
    }

    /// Messages that a function can have by `kind`; `None` when there is no such function.
    pub fn most_messages(&self, bus: u8, function: u8, kind: MessageKind) -> Option<u32> {
        Some(self.function(bus, function)?.1.description().messages(kind))
    }

    /// Gives a function `count` messages of a kind in place of those that it has, or fewer; returns how many. Its registers
    /// then name them.
    pub fn assign(&self, bus: u8, function: u8, kind: MessageKind, count: u32) -> Option<u32> {
        let (slot, endpoint) = self.function(bus, function)?;
        // MSI comes in powers of two.
        let count = count.min(endpoint.description().messages(kind));
        let count = if kind == MessageKind::Msi { count.checked_ilog2().map_or(0, |log| 1 << log) } else { count };
        let mut messages = self.lock();
        messages.release(slot);
        let first =
            if count > 0 { messages.assign(slot, kind, count).map(|assigned| assigned.sources.start) } else { None };
        // Guests may have switched messages on before they ask for some.
        for each in [MessageKind::Msi, MessageKind::Msix] {
            let (first, count) = first.filter(|_| each == kind).map_or((0, 0), |first| (first, count));
            endpoint.program(each, first, count);
        }
        (first.is_some() || count == 0).then_some(count)
    }

    /// Kind and sources of the messages that a function has.
    pub fn assigned(&self, bus: u8, function: u8) -> Option<(MessageKind, Range<u32>)> {
        let (slot, _) = self.function(bus, function)?;
        self.lock().of(slot).map(|assigned| (assigned.kind, assigned.sources.clone()))
    }

    /// What the first function within reach answers. Functions do not change slots.
    fn first<T>(&self, answer: impl FnMut(&Endpoint) -> Option<T>) -> Option<T> {
        let slots = self.slots.read().unwrap_or_else(PoisonError::into_inner);
        slots.iter().flatten().filter(|place| place.connected).map(|place| &*place.endpoint).find_map(answer)
    }
}

/// Addresses of the host that lead to I/O or memory space of a bus.
pub struct Aperture {
    /// The bus.
    pub bus: Arc<Bus>,
    /// I/O space, or else memory space.
    pub io: bool,
    /// Bus address at its beginning.
    pub base: u64,
}

/// The parts of an access that functions see: aligned, of at most four bytes.
fn parts(address: u64, bytes: u64) -> impl Iterator<Item = (u64, u8)> {
    let width = if address.is_multiple_of(bytes.clamp(1, 4)) { bytes.clamp(1, 4) } else { 1 };
    (0..bytes.min(8)).step_by(width as usize).map(move |at| (at, width as u8))
}

impl Registers for Aperture {
    /// Where no function answers, all bits are ones.
    fn read(&self, offset: u64, bytes: u64) -> u64 {
        let address = self.base.wrapping_add(offset);
        let part = |(at, width): (u64, u8)| {
            let found = self.bus.first(|function| function.read(self.io, address.wrapping_add(at), width));
            let ones = u32::MAX >> (32 - 8 * u32::from(width));
            u64::from(found.unwrap_or(ones)) << (8 * at)
        };
        let little: u64 = parts(address, bytes).map(part).fold(0, |value, part| value | part);
        little.swap_bytes() >> (64 - 8 * bytes.clamp(1, 8))
    }

    fn write(&self, offset: u64, bytes: u64, value: u64) {
        let address = self.base.wrapping_add(offset);
        let little = (value << (64 - 8 * bytes.clamp(1, 8))).swap_bytes();
        for (at, width) in parts(address, bytes) {
            let part = (little >> (8 * at)) as u32 & u32::MAX >> (32 - 8 * u32::from(width));
            self.bus.first(|function| function.write(self.io, address.wrapping_add(at), width, part).then_some(()));
        }
    }
}
