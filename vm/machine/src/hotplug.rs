//! Adding and removing processors, memory, persistent memory and PCI devices while the guest runs (spec papr 3.11): the
//! other side of the connectors of a pseries machine.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use guest_mem::GuestMem;
use hv_papr::connectors::{Connectors, Item, Listed, Resource, State};
use hv_papr::events::{Action, Events, HotPlug as Event, Kind, Which};
use hv_papr::ports::Persistent;
use nvdimm::Nvdimm;
use pci::Bus;
use pci::bus::SLOTS;
use thiserror::Error;

use crate::blocks::MEMORY_BLOCK;
use crate::fdt::Writer;
use crate::persistent::{self, FIRST_CONNECTOR};
use crate::plan::Layout;
use crate::spec::Device;
use crate::{connectors, pci as bridge, tree};

/// How long a guest may take for each of what it is to take or to give back: it may do all of a step before the next one.
const PATIENCE: Duration = Duration::from_secs(20);

/// Why nothing was added or removed, or not all.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum HotPlugError {
    /// Not a multiple of a block.
    #[error("memory comes and goes in steps of {} MiB", MEMORY_BLOCK >> 20)]
    Step,
    /// No connector is free.
    #[error("there is no room for more {what}: start the machine with a larger {flag}")]
    Full {
        /// What was to be added.
        what: &'static str,
        /// The flag that makes room.
        flag: &'static str,
    },
    /// Every slot has a device.
    #[error("no PCI slot is free")]
    Slots,
    /// What is there from the start stays.
    #[error("no more {0} can be removed: what the machine started with stays, and nothing else was added")]
    Nothing(&'static str),
    /// The guest did not do its part.
    #[error("the guest did not {0}; does its kernel support hot plug, and can it spare what it has?")]
    Guest(&'static str),
    /// No such device.
    #[error("there is no device with this number that was added while the machine ran")]
    Unknown,
}

/// The other side of a machine's connectors.
pub struct HotPlug {
    layout: Layout,
    connectors: Arc<Connectors>,
    events: Arc<Events>,
    persistent: Arc<Persistent>,
    mem: Arc<GuestMem>,
    functions: Arc<Bus>,
    /// What was last put into the slots of the bus.
    devices: Mutex<BTreeMap<u8, Device>>,
}

/// What a machine has that its flags do not say, when its guest is reset: the next one begins with it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Kept {
    /// Connectors of processors and memory that were added.
    pub added: Vec<u32>,
    /// Devices on its PCI bus by slot.
    pub devices: BTreeMap<u8, Device>,
}

impl HotPlug {
    /// The connectors of a machine; those that are in use from the start are.
    pub fn new(
        layout: &Layout,
        mem: &Arc<GuestMem>,
        events: Arc<Events>,
        persistent: Arc<Persistent>,
        functions: Arc<Bus>,
    ) -> HotPlug {
        let connectors = Arc::<Connectors>::default();
        let (layout, mem) = (layout.clone(), Arc::clone(mem));
        let devices = Mutex::new(layout.spec.devices.clone());
        let hot_plug = HotPlug { layout, connectors, events, persistent, mem, functions, devices };
        let layout = &hot_plug.layout;
        for place in connectors::all(layout) {
            let device = place.used.then(|| hot_plug.description(&place.resource, place.index, None));
            let name = place.name();
            hot_plug.connectors.add(place.index, place.resource, name, device);
        }
        hot_plug
    }

    /// The connectors as hypercalls reach them.
    pub fn connectors(&self) -> Arc<Connectors> {
        Arc::clone(&self.connectors)
    }

    /// All connectors.
    pub fn list(&self) -> Vec<Listed> {
        self.connectors.list()
    }

    /// The guest is reset, and the machine with it: what was added is the next guest's from its start, what was asked back
    /// is gone.
    pub fn close(&self) -> Kept {
        self.connectors.close();
        let own = |resource: &Resource| matches!(resource, Resource::Processor(_) | Resource::Memory(_));
        let slots = self.found(Resource::is_physical, true);
        let mut devices = self.devices().clone();
        devices.retain(|slot, _| slots.contains(&bridge::connector(*slot)));
        Kept { added: self.found(own, true), devices }
    }

    fn devices(&self) -> MutexGuard<'_, BTreeMap<u8, Device>> {
        self.devices.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn description(&self, resource: &Resource, index: u32, nvdimm: Option<&Nvdimm>) -> Vec<Item> {
        let mut writer = Writer::default();
        match resource {
            Resource::Processor(number) => tree::processor(&mut writer, &self.layout, *number),
            Resource::Memory(range) => writer.node(&format!("memory@{:x}", range.start), |node| {
                node.text("device_type", "memory");
                node.doubles("reg", &[range.start, range.end - range.start]);
                node.cells("ibm,associativity", &[4, 0, 0, 0, 0]);
                node.cell("ibm,my-drc-index", index);
            }),
            Resource::Persistent => {
                let slot = (index - FIRST_CONNECTOR) as usize;
                let known = self.layout.spec.nvdimms.get(slot).copied();
                if let Some(geometry) = nvdimm.map(Nvdimm::geometry).or(known) {
                    persistent::node(&mut writer, index, &geometry);
                }
            }
            Resource::Slot { slot, .. } => {
                if let Some(description) = self.functions.description(*slot) {
                    bridge::function(&mut writer, *slot, &description);
                }
            }
        }
        writer.items()
    }

    /// Puts devices behind connectors, tells the guest, and waits until it has all of them in use.
    fn add(&self, kind: Kind, indexes: &[u32], nvdimm: Option<&Nvdimm>) -> Result<(), HotPlugError> {
        for listed in self.list().iter().filter(|listed| indexes.contains(&listed.index)) {
            // It was free when it was chosen; who else is here waits for us.
            let _ = self.connectors.plug(listed.index, self.description(&listed.resource, listed.index, nvdimm));
        }
        self.tell(kind, indexes, Action::Add);
        if self.wait(indexes, |state, _| state == State::Configured) {
            return Ok(());
        }
        // What it did not take is nobody's.
        for index in indexes {
            let _ = self.connectors.ask_back(*index);
        }
        Err(HotPlugError::Guest("take what was added"))
    }

    /// Asks the guest for what is behind connectors, and waits until it has given all of it back.
    fn remove(&self, kind: Kind, indexes: &[u32]) -> Result<(), HotPlugError> {
        let mut asked = indexes.to_vec();
        asked.retain(|index| self.connectors.ask_back(*index) == Ok(false));
        if asked.is_empty() {
            return Ok(());
        }
        self.tell(kind, &asked, Action::Remove);
        if self.wait(&asked, |_, present| !present) {
            Ok(())
        } else {
            Err(HotPlugError::Guest("give back what is to be removed"))
        }
    }

    /// Waits until `until` holds for the state of each connector and whether a device is there.
    fn wait(&self, indexes: &[u32], until: impl Fn(State, bool) -> bool + Copy) -> bool {
        let patience = PATIENCE * indexes.len() as u32;
        indexes.iter().all(|index| self.connectors.wait(*index, patience, until))
    }

    fn tell(&self, kind: Kind, indexes: &[u32], action: Action) {
        let in_a_row = indexes.windows(2).all(|pair| matches!(pair, [one, next] if *next == one + 1));
        match indexes {
            [first, _, ..] if in_a_row && kind == Kind::Memory => {
                let which = Which::Several { count: indexes.len() as u32, first: *first };
                self.events.post(Event { kind, which, action });
            }
            _ => indexes.iter().for_each(|index| self.events.post(Event { kind, which: Which::Index(*index), action })),
        }
    }

    /// Indexes of a kind of resource that are free, or that were filled while the machine ran.
    fn found(&self, of: impl Fn(&Resource) -> bool, present: bool) -> Vec<u32> {
        let spec = &self.layout.spec;
        let first = |listed: &Listed| match listed.resource {
            _ if spec.added.contains(&listed.index) => false,
            Resource::Processor(number) => number < spec.cpus,
            Resource::Memory(_) => false,
            Resource::Persistent => (listed.index - FIRST_CONNECTOR) < spec.nvdimms.len() as u32,
            // What guests started with in a slot they can do without, too.
            Resource::Slot { .. } => false,
        };
        let list = self.list().into_iter();
        list.filter(|listed| of(&listed.resource) && listed.present == present && !first(listed))
            .map(|listed| listed.index)
            .collect()
    }

    fn memory_blocks(bytes: u64) -> Result<usize, HotPlugError> {
        if bytes == 0 || !bytes.is_multiple_of(MEMORY_BLOCK) {
            Err(HotPlugError::Step)
        } else {
            Ok((bytes / MEMORY_BLOCK) as usize)
        }
    }

    /// Adds so many bytes of memory.
    ///
    /// # Errors
    /// What keeps it from being added; then none of it is, as far as the guest lets go again.
    pub fn add_memory(&self, bytes: u64) -> Result<(), HotPlugError> {
        let count = HotPlug::memory_blocks(bytes)?;
        let free = self.found(|resource| matches!(resource, Resource::Memory(_)), false);
        let full = HotPlugError::Full { what: "memory", flag: "--max-memory" };
        self.add(Kind::Memory, free.get(..count).ok_or(full)?, None)
    }

    /// Removes so many bytes of the memory that was added last.
    ///
    /// # Errors
    /// What the guest keeps.
    pub fn remove_memory(&self, bytes: u64) -> Result<(), HotPlugError> {
        let count = HotPlug::memory_blocks(bytes)?;
        let used = self.found(|resource| matches!(resource, Resource::Memory(_)), true);
        let start = used.len().checked_sub(count).ok_or(HotPlugError::Nothing("memory"))?;
        self.remove(Kind::Memory, used.get(start..).unwrap_or_default())
    }

    /// Adds so many processors.
    ///
    /// # Errors
    /// As [`HotPlug::add_memory`].
    pub fn add_processors(&self, count: u32) -> Result<(), HotPlugError> {
        let free = self.found(|resource| matches!(resource, Resource::Processor(_)), false);
        let full = HotPlugError::Full { what: "processors", flag: "--max-cpus" };
        self.add(Kind::Processor, free.get(..count as usize).ok_or(full)?, None)
    }

    /// Removes so many processors of those added last.
    ///
    /// # Errors
    /// What the guest keeps.
    pub fn remove_processors(&self, count: u32) -> Result<(), HotPlugError> {
        let used = self.found(|resource| matches!(resource, Resource::Processor(_)), true);
        let start = used.len().checked_sub(count as usize).ok_or(HotPlugError::Nothing("processors"))?;
        self.remove(Kind::Processor, used.get(start..).unwrap_or_default())
    }

    /// The connector of persistent memory in `slot`.
    pub fn nvdimm_connector(slot: u32) -> u32 {
        FIRST_CONNECTOR + slot
    }

    /// Adds persistent memory; returns its slot.
    ///
    /// # Errors
    /// As [`HotPlug::add_memory`].
    pub fn add_nvdimm(&self, nvdimm: &Arc<Nvdimm>) -> Result<u32, HotPlugError> {
        let full = HotPlugError::Full { what: "persistent memory", flag: "--nvdimm-room" };
        let free = self.found(|resource| *resource == Resource::Persistent, false);
        let index = *free.first().ok_or(full)?;
        nvdimm.attach(Arc::clone(&self.mem));
        self.persistent.set(index, Some(persistent::port(nvdimm)));
        let added = self.add(Kind::Persistent, &[index], Some(nvdimm));
        if added.is_err() {
            self.persistent.set(index, None);
        }
        added.map(|()| index - FIRST_CONNECTOR)
    }

    /// Removes the persistent memory in `slot`, which was added.
    ///
    /// # Errors
    /// What the guest keeps.
    pub fn remove_nvdimm(&self, slot: u32) -> Result<(), HotPlugError> {
        let index = FIRST_CONNECTOR.checked_add(slot).ok_or(HotPlugError::Unknown)?;
        if !self.found(|resource| *resource == Resource::Persistent, true).contains(&index) {
            return Err(HotPlugError::Unknown);
        }
        self.remove(Kind::Persistent, &[index])?;
        self.persistent.set(index, None);
        Ok(())
    }

    /// Adds a PCI device; returns its slot.
    ///
    /// # Errors
    /// As [`HotPlug::add_memory`].
    pub fn add_device(&self, device: Device) -> Result<u8, HotPlugError> {
        let free = self.found(Resource::is_physical, false);
        let slot = (0..SLOTS).find(|slot| free.contains(&bridge::connector(*slot))).ok_or(HotPlugError::Slots)?;
        bridge::device::plug(&self.functions, slot, device, &self.layout.spec, false);
        self.devices().insert(slot, device);
        let added = self.add(Kind::Pci, &[bridge::connector(slot)], None);
        if added.is_err() {
            self.functions.unplug(slot);
        }
        added.map(|()| slot)
    }

    /// Removes the PCI device in `slot`.
    ///
    /// # Errors
    /// What the guest keeps.
    pub fn remove_device(&self, slot: u8) -> Result<(), HotPlugError> {
        let index = bridge::connector(slot);
        if slot >= SLOTS || !self.found(Resource::is_physical, true).contains(&index) {
            return Err(HotPlugError::Unknown);
        }
        self.remove(Kind::Pci, &[index])?;
        self.functions.unplug(slot);
        Ok(())
    }
}
