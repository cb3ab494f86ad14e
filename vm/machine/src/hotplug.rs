//! Adding and removing processors, memory, persistent memory and PCI devices while the guest runs (spec papr 3.11): the
//! connectors of a pseries machine in its device tree, and the other side of them.

use std::collections::BTreeMap;
use std::ops::Range;
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

use crate::fdt::Writer;
use crate::persistent::{self, FIRST_CONNECTOR};
use crate::plan::Layout;
use crate::spec::{Device, Kind as Board, Spec};
use crate::{pci as bridge, tree};

/// Memory comes in blocks of so many bytes.
pub const MEMORY_BLOCK: u64 = 0x1000_0000;
/// Connectors of processors and of memory are numbered from here on, by processor and by block.
const FIRST_PROCESSOR: u32 = 0x1000_0000;
const FIRST_MEMORY: u32 = 0x8000_0000;
/// Persistent-memory devices that can be added.
const NVDIMMS: u32 = 8;
/// Flags of blocks in `ibm,dynamic-memory-v2` (PAPR C.6.6.2): the guest's, and may be asked back.
const ASSIGNED: u32 = 1 << 3;
const REMOVABLE: u32 = 1 << 8;
/// How long a guest may take for each of what it is to take or to give back: it may do all of a step before the next one.
const PATIENCE: Duration = Duration::from_secs(20);
/// Everything that can be inserted while it has power.
const LIVE: u32 = u32::MAX;

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

/// A connector of the machine.
struct Place {
    index: u32,
    resource: Resource,
    /// What its name begins with, and ends with.
    prefix: &'static str,
    number: u32,
    /// It has its device from the start.
    used: bool,
}

impl Place {
    fn name(&self) -> String {
        format!("{}{}", self.prefix, self.number)
    }
}

/// Whether processor `number` is there when the guest starts.
pub fn has_processor(layout: &Layout, number: u32) -> bool {
    number < layout.spec.cpus || layout.spec.added.contains(&(FIRST_PROCESSOR + number))
}

/// Connectors of processors.
fn processors(layout: &Layout) -> Vec<Place> {
    let spec = &layout.spec;
    let place = |number: u32| Place {
        index: FIRST_PROCESSOR + number,
        resource: Resource::Processor(number),
        prefix: "CPU ",
        number,
        used: has_processor(layout, number),
    };
    if spec.vcpus() > spec.cpus { (0..spec.vcpus()).map(place).collect() } else { Vec::new() }
}

fn blocks(range: &Range<u64>) -> impl Iterator<Item = u64> + use<> {
    range.clone().step_by(MEMORY_BLOCK as usize)
}

fn has_memory(spec: &Spec, address: u64) -> bool {
    spec.added.contains(&memory_index(address))
}

/// Blocks of the room behind RAM that are memory when the guest starts.
pub fn memory(spec: &Spec, room: &Range<u64>) -> impl Iterator<Item = Range<u64>> {
    let present = blocks(room).filter(|address| has_memory(spec, *address));
    present.map(|address| address..address + MEMORY_BLOCK)
}

fn memory_index(address: u64) -> u32 {
    FIRST_MEMORY + (address / MEMORY_BLOCK) as u32
}

/// Connectors of memory and of persistent memory.
fn others(layout: &Layout) -> Vec<Place> {
    let memory = blocks(&layout.hot_memory).map(|address| Place {
        index: memory_index(address),
        resource: Resource::Memory(address..address + MEMORY_BLOCK),
        prefix: "LMB ",
        number: (address / MEMORY_BLOCK) as u32,
        used: has_memory(&layout.spec, address),
    });
    let count = layout.spec.nvdimms.len() as u32;
    let slots = if layout.spec.nvdimm_room > 0 { count + NVDIMMS } else { count };
    let slots = (0..slots).map(|slot| Place {
        index: FIRST_CONNECTOR + slot,
        resource: Resource::Persistent,
        prefix: "PMEM ",
        number: slot,
        used: slot < count,
    });
    memory.chain(slots).collect()
}

/// What the names of slots begin with.
const SLOT: &str = "C";

fn slot_number(slot: u8) -> u32 {
    u32::from(slot) << 3
}

/// The name of a PCI slot's connector, which is what guests call the slot.
pub fn slot_name(slot: u8) -> String {
    format!("{SLOT}{}", slot_number(slot))
}

/// Connectors of PCI slots.
fn slots(layout: &Layout) -> Vec<Place> {
    let place = |slot: u8| Place {
        index: bridge::connector(slot),
        resource: Resource::Slot { unit: bridge::UNIT, slot },
        prefix: SLOT,
        number: slot_number(slot),
        used: layout.spec.devices.contains_key(&slot),
    };
    if layout.spec.kind == Board::Pseries { (0..SLOTS).map(place).collect() } else { Vec::new() }
}

/// Writes into the PCI host bridge what can be added there.
pub fn write_slots(node: &mut Writer, layout: &Layout) {
    write(node, &slots(layout));
}

/// Writes the connectors of a parent node, in both formats: four lists of the same order, and `ibm,drc-info`.
fn write(parent: &mut Writer, places: &[Place]) {
    if places.is_empty() {
        return;
    }
    let count = places.len() as u32;
    let texts = |text: &dyn Fn(&Place) -> String| {
        let ended = places.iter().flat_map(|place| text(place).into_bytes().into_iter().chain([0]));
        count.to_be_bytes().into_iter().chain(ended).collect::<Vec<u8>>()
    };
    let cells = |cell: &dyn Fn(&Place) -> u32| [&[count], &places.iter().map(cell).collect::<Vec<u32>>()[..]].concat();
    parent.cells("ibm,drc-indexes", &cells(&|place| place.index));
    parent.cells("ibm,drc-power-domains", &cells(&|_| LIVE));
    parent.bytes("ibm,drc-names", &texts(&Place::name));
    parent.bytes("ibm,drc-types", &texts(&|place| place.resource.kind().to_owned()));
    parent.bytes("ibm,drc-info", &information(places));
}

/// `ibm,drc-info` (spec papr 3.11): a set for connectors whose numbers and names follow each other in equal steps: type, what
/// names begin with, first index, what the first name ends with, how many, the step, power domain.
fn information(places: &[Place]) -> Vec<u8> {
    let step = |one: &Place, next: &Place| {
        let step = next.index.wrapping_sub(one.index);
        let alike = (one.resource.kind(), one.prefix) == (next.resource.kind(), next.prefix);
        (alike && one.number.wrapping_add(step) == next.number).then_some(step)
    };
    let mut sets: Vec<(&Place, u32, u32)> = Vec::new();
    let mut last = None;
    for place in places {
        let step = last.and_then(|last| step(last, place));
        match (sets.last_mut(), step) {
            (Some((_, count, own)), Some(step)) if *count == 1 || *own == step => (*count, *own) = (*count + 1, step),
            _ => sets.push((place, 1, 1)),
        }
        last = Some(place);
    }
    let set = |(first, count, step): &(&Place, u32, u32)| {
        let numbers = [first.index, first.number, *count, *step, LIVE].map(u32::to_be_bytes).concat();
        [first.resource.kind().as_bytes(), b"\0", first.prefix.as_bytes(), b"\0", &numbers].concat()
    };
    (sets.len() as u32).to_be_bytes().into_iter().chain(sets.iter().flat_map(set)).collect()
}

/// Writes into `/cpus` what can be added there.
pub fn write_processors(cpus: &mut Writer, layout: &Layout) {
    write(cpus, &processors(layout));
}

/// The connector of processor `number`, if it has one.
pub fn processor_index(layout: &Layout, number: u32) -> Option<u32> {
    (layout.spec.vcpus() > layout.spec.cpus).then_some(FIRST_PROCESSOR + number)
}

/// Writes into the root what can be added there, and the memory that can.
pub fn write_root(root: &mut Writer, layout: &Layout) {
    write(root, &others(layout));
    if layout.hot_memory.is_empty() {
        return;
    }
    root.node("ibm,dynamic-reconfiguration-memory", |node| {
        node.doubles("ibm,lmb-size", &[MEMORY_BLOCK]);
        node.cell("ibm,memory-flags-mask", 0xff);
        node.cell("ibm,memory-preservation-time", 0);
        let all: Vec<u64> = blocks(&layout.hot_memory).collect();
        let has = |address: &u64| has_memory(&layout.spec, *address);
        let rows: Vec<_> = all.chunk_by(|one, next| has(one) == has(next)).collect();
        let row = |row: &&[u64]| {
            let first = row.first().copied().unwrap_or_default();
            let flags = if has(&first) { ASSIGNED | REMOVABLE } else { 0 };
            // Blocks, address, connector, associativity, flags.
            [row.len() as u32, (first >> 32) as u32, first as u32, memory_index(first), 0, flags]
        };
        let cells = rows.iter().flat_map(row);
        node.cells("ibm,dynamic-memory-v2", &[rows.len() as u32].into_iter().chain(cells).collect::<Vec<u32>>());
        // One list of four numbers.
        node.cells("ibm,associativity-lookup-arrays", &[1, 4, 0, 0, 0, 0]);
    });
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
        for place in [processors(layout), others(layout), slots(layout)].into_iter().flatten() {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn place(index: u32, resource: Resource, prefix: &'static str, number: u32) -> Place {
        Place { index, resource, prefix, number, used: false }
    }

    #[test]
    fn connectors_in_equal_steps_are_one_set() {
        let slot = |slot: u8| {
            let number = 8 * u32::from(slot);
            place(0x4000_0000 + number, Resource::Slot { unit: 0, slot }, "C", number)
        };
        let slots: Vec<Place> = (0..4).map(slot).collect();
        let set = |kind: &str, prefix: &str, numbers: [u32; 5]| {
            [kind.as_bytes(), b"\0", prefix.as_bytes(), b"\0", &numbers.map(u32::to_be_bytes).concat()].concat()
        };
        assert_eq!(
            information(&slots),
            [&1_u32.to_be_bytes()[..], &set("28", "C", [0x4000_0000, 0, 4, 8, LIVE])].concat()
        );
        let others = [
            place(0x8000_0004, Resource::Memory(0..1), "LMB ", 4),
            place(0x8000_0005, Resource::Memory(0..1), "LMB ", 5),
            place(0x8000_0007, Resource::Memory(0..1), "LMB ", 7),
            place(0x9000_0000, Resource::Persistent, "PMEM ", 0),
        ];
        let sets = [
            set("MEM", "LMB ", [0x8000_0004, 4, 2, 1, LIVE]),
            set("MEM", "LMB ", [0x8000_0007, 7, 1, 1, LIVE]),
            set("PMEM", "PMEM ", [0x9000_0000, 0, 1, 1, LIVE]),
        ];
        assert_eq!(information(&others), [&3_u32.to_be_bytes()[..], &sets.concat()].concat());
    }
}
