//! Dynamic reconfiguration connectors: processors, memory and devices that the partition acquires and releases while it
//! runs (PAPR 13; spec papr 3.11).
//!
//! The machine puts a device behind a connector and takes it away; the guest takes it into use, and gives it back, in
//! steps. Most connectors are logical ones: what they stand for is first allocated to the partition. Those of PCI slots are
//! physical ones, which are empty or not; a slot's power is always on.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// What a connector is for, with the code in the top four bits of its index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Resource {
    /// The vCPU with this number.
    Processor(u32),
    /// A block of memory, by guest real addresses.
    Memory(Range<u64>),
    /// A persistent-memory device.
    Persistent,
    /// A slot of the PCI host bridge with this unit, by device number.
    Slot {
        /// Bus unit identifier.
        unit: u64,
        /// Device number.
        slot: u8,
    },
}

impl Resource {
    /// Type as the device tree has it.
    pub fn kind(&self) -> &'static str {
        match self {
            Resource::Processor(_) => "CPU",
            Resource::Memory(_) => "MEM",
            Resource::Persistent => "PMEM",
            Resource::Slot { .. } => "28",
        }
    }

    /// Whether its connector is a physical one.
    pub fn is_physical(&self) -> bool {
        matches!(self, Resource::Slot { .. })
    }

    /// As far from use as its connector gets.
    fn idle(&self) -> State {
        if self.is_physical() { State::Available } else { State::Unusable }
    }
}

/// How far the guest has taken a connector into use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// Not allocated to the partition (logical connectors only).
    Unusable,
    /// Allocated or physical, and isolated.
    Available,
    /// Not isolated any more, its description not yet read to the end.
    Unisolated,
    /// In use.
    Configured,
}

/// A part of a device's description, in the order of the device tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Item {
    /// A node begins.
    Node(String),
    /// A property of the node.
    Property(String, Vec<u8>),
    /// The node ends.
    End,
}

/// What is wrong with a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// There is no such connector.
    Unknown,
    /// Not from this state.
    State,
    /// The resource is in use by the guest itself.
    Busy,
}

#[derive(Debug)]
struct Connector {
    resource: Resource,
    name: String,
    state: State,
    /// The device's description, if one is there.
    device: Option<Vec<Item>>,
    /// The guest was asked to give it back.
    leaving: bool,
    /// Items that configure-connector has returned.
    told: usize,
}

impl Connector {
    /// A device is there to be used.
    fn ready(&self) -> bool {
        self.device.is_some() && !self.leaving
    }
}

/// What a sensor says of a connector (PAPR 13.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sense {
    /// Nothing is in the slot.
    Empty = 0,
    /// There, and the partition's.
    Present = 1,
    /// Not allocated to the partition.
    Unusable = 2,
}

/// The connectors of a machine by index.
#[derive(Debug, Default)]
pub struct Connectors {
    table: Mutex<Table>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Table {
    by_index: BTreeMap<u32, Connector>,
    /// The partition is gone: nothing comes or goes any more.
    closed: bool,
}

/// A connector as lists show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Its index.
    pub index: u32,
    /// What it is for.
    pub resource: Resource,
    /// Its name.
    pub name: String,
    /// How far it is in use.
    pub state: State,
    /// A device is there.
    pub present: bool,
}

impl Connectors {
    fn lock(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a connector; with a device it is in use from the start.
    pub fn add(&self, index: u32, resource: Resource, name: String, device: Option<Vec<Item>>) {
        let state = if device.is_some() { State::Configured } else { resource.idle() };
        self.lock().by_index.insert(index, Connector { resource, name, state, device, leaving: false, told: 0 });
    }

    /// All of them, by index.
    pub fn list(&self) -> Vec<Listed> {
        let listed = |(index, connector): (&u32, &Connector)| Listed {
            index: *index,
            resource: connector.resource.clone(),
            name: connector.name.clone(),
            state: connector.state,
            present: connector.device.is_some(),
        };
        self.lock().by_index.iter().map(listed).collect()
    }

    /// Puts a device behind an empty connector; the guest is to be told.
    ///
    /// # Errors
    /// Connectors that do not exist or are not empty, or when the partition is gone.
    pub fn plug(&self, index: u32, device: Vec<Item>) -> Result<(), Refusal> {
        let mut table = self.lock();
        let closed = table.closed;
        let connector = table.by_index.get_mut(&index).ok_or(Refusal::Unknown)?;
        if closed || connector.device.is_some() {
            return Err(Refusal::State);
        }
        (connector.device, connector.leaving) = (Some(device), false);
        Ok(())
    }

    /// Marks the device to be taken away once the guest has given it back; the guest is to be told. One that the guest has
    /// not taken is gone at once: then this returns `true`.
    ///
    /// # Errors
    /// Connectors that do not exist or are empty, or when the partition is gone.
    pub fn ask_back(&self, index: u32) -> Result<bool, Refusal> {
        let mut table = self.lock();
        let closed = table.closed;
        let connector = table.by_index.get_mut(&index).ok_or(Refusal::Unknown)?;
        if closed || connector.device.is_none() {
            return Err(Refusal::State);
        }
        connector.leaving = true;
        let gone = connector.state == connector.resource.idle();
        if gone {
            connector.device = None;
        }
        Ok(gone)
    }

    /// The partition is reset, and ends. What was asked back is gone; whatever else is there will be in use from the next
    /// one's start, and is so for who waits.
    pub fn close(&self) {
        let mut table = self.lock();
        table.closed = true;
        for connector in table.by_index.values_mut() {
            connector.device = connector.device.take().filter(|_| !connector.leaving);
            connector.state = if connector.device.is_some() { State::Configured } else { connector.resource.idle() };
        }
        self.changed.notify_all();
    }

    /// Waits until `until` holds for the state of connector `index` and whether a device is there; `false` when it did not
    /// within `patience`, or before the partition was gone.
    pub fn wait(&self, index: u32, patience: Duration, until: impl Fn(State, bool) -> bool) -> bool {
        let deadline = Instant::now() + patience;
        let mut table = self.lock();
        loop {
            let Some(connector) = table.by_index.get(&index) else { return false };
            if until(connector.state, connector.device.is_some()) {
                return true;
            }
            let left = deadline.checked_duration_since(Instant::now()).filter(|_| !table.closed);
            let Some(left) = left else { return false };
            table = self.changed.wait_timeout(table, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// What connector `index` is for.
    pub(crate) fn resource(&self, index: u32) -> Option<Resource> {
        self.lock().by_index.get(&index).map(|connector| connector.resource.clone())
    }

    /// Whether connector `index` is allocated to the partition; `None` when there is none.
    pub(crate) fn is_usable(&self, index: u32) -> Option<bool> {
        self.lock().by_index.get(&index).map(|connector| connector.state != State::Unusable)
    }

    /// What the sensor of connector `index` says.
    pub(crate) fn sense(&self, index: u32) -> Option<Sense> {
        let table = self.lock();
        let connector = table.by_index.get(&index)?;
        Some(match connector.state {
            State::Unusable => Sense::Unusable,
            _ if connector.device.is_none() => Sense::Empty,
            _ => Sense::Present,
        })
    }

    /// Whether connector `index` is in use, or there is none.
    pub(crate) fn is_configured(&self, index: u32) -> bool {
        self.lock().by_index.get(&index).is_none_or(|connector| connector.state == State::Configured)
    }

    /// Whether vCPU `number` belongs to the partition: those without a connector do.
    pub(crate) fn has_processor(&self, number: u32) -> bool {
        let table = self.lock();
        let mut own = table.by_index.values().filter(|connector| connector.resource == Resource::Processor(number));
        own.next().is_none_or(|connector| connector.state == State::Configured)
    }

    /// vCPUs with a connector that do not belong to the partition.
    pub(crate) fn missing_processors(&self) -> u64 {
        let missing = |connector: &&Connector| {
            matches!(connector.resource, Resource::Processor(_)) && connector.state != State::Configured
        };
        self.lock().by_index.values().filter(missing).count() as u64
    }

    /// Bytes of memory behind connectors, whether the guest has taken them or not.
    pub(crate) fn memory(&self) -> u64 {
        let bytes = |connector: &Connector| match &connector.resource {
            Resource::Memory(range) if connector.device.is_some() => range.end - range.start,
            _ => 0,
        };
        self.lock().by_index.values().map(bytes).sum()
    }

    /// Goes on from a state to the one that `step` returns. Returns the state before.
    fn step(&self, index: u32, step: impl FnOnce(&Connector) -> Result<State, Refusal>) -> Result<State, Refusal> {
        let mut table = self.lock();
        let connector = table.by_index.get_mut(&index).ok_or(Refusal::Unknown)?;
        let before = connector.state;
        connector.state = step(connector)?;
        if connector.state < before {
            connector.told = 0;
        }
        if connector.state == connector.resource.idle() && connector.leaving {
            (connector.device, connector.leaving) = (None, false);
        }
        self.changed.notify_all();
        Ok(before)
    }

    /// Allocates the resource to the partition; `true` when it was not.
    pub(crate) fn use_it(&self, index: u32) -> Result<bool, Refusal> {
        let before = self.step(index, |connector| match connector.state {
            _ if connector.resource.is_physical() => Err(Refusal::State),
            State::Unusable if !connector.ready() => Err(Refusal::State),
            State::Unusable => Ok(State::Available),
            state => Ok(state),
        })?;
        Ok(before == State::Unusable)
    }

    /// Takes the resource from the partition.
    pub(crate) fn drop_it(&self, index: u32) -> Result<(), Refusal> {
        self.step(index, |connector| match connector.state {
            State::Unusable | State::Available if !connector.resource.is_physical() => Ok(State::Unusable),
            _ => Err(Refusal::State),
        })?;
        Ok(())
    }

    /// Ends its isolation.
    pub(crate) fn unisolate(&self, index: u32) -> Result<(), Refusal> {
        self.step(index, |connector| match connector.state {
            State::Unusable => Err(Refusal::State),
            State::Available if connector.resource.is_physical() && !connector.ready() => Err(Refusal::State),
            State::Available => Ok(State::Unisolated),
            state => Ok(state),
        })?;
        Ok(())
    }

    /// Isolates it; `busy` says that the guest still uses it.
    pub(crate) fn isolate(&self, index: u32, busy: bool) -> Result<(), Refusal> {
        self.step(index, |connector| match connector.state {
            State::Unisolated => Err(Refusal::State),
            State::Configured if busy => Err(Refusal::Busy),
            State::Configured => Ok(State::Available),
            state => Ok(state),
        })?;
        Ok(())
    }

    /// The next item of its description, and whether it is the last: then the connector is configured, and the next round
    /// begins.
    pub(crate) fn configure(&self, index: u32) -> Result<(Item, bool), Refusal> {
        let mut table = self.lock();
        let connector = table.by_index.get_mut(&index).ok_or(Refusal::Unknown)?;
        let device =
            connector.device.as_ref().filter(|_| connector.state >= State::Unisolated).ok_or(Refusal::State)?;
        let item = device.get(connector.told).cloned().ok_or(Refusal::State)?;
        connector.told += 1;
        let last = connector.told == device.len();
        if last {
            (connector.told, connector.state) = (0, State::Configured);
            self.changed.notify_all();
        }
        Ok((item, last))
    }
}
