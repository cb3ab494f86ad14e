//! The connectors of a pseries machine, by which processors, memory, persistent memory and PCI devices come and go, and what
//! its device tree says of them (spec papr 3.11).

use hv_papr::connectors::Resource;
use pci::bus::SLOTS;

use crate::blocks::{self, MEMORY_BLOCK};
use crate::fdt::Writer;
use crate::pci as bridge;
use crate::persistent::FIRST_CONNECTOR;
use crate::plan::Layout;
use crate::spec::Kind;

/// Connectors of processors are numbered from here on.
const FIRST_PROCESSOR: u32 = 0x1000_0000;
/// Persistent-memory devices that can be added.
const NVDIMMS: u32 = 8;
/// Flags of blocks in `ibm,dynamic-memory-v2` (PAPR C.6.6.2): the guest's, and may be asked back.
const ASSIGNED: u32 = 1 << 3;
const REMOVABLE: u32 = 1 << 8;
/// Everything that can be inserted while it has power.
const LIVE: u32 = u32::MAX;

/// A connector of the machine.
pub struct Place {
    /// Its number.
    pub index: u32,
    /// What it is for.
    pub resource: Resource,
    /// What its name begins with, and ends with.
    prefix: &'static str,
    number: u32,
    /// It has its device from the start.
    pub used: bool,
}

impl Place {
    /// Its name.
    pub fn name(&self) -> String {
        format!("{}{}", self.prefix, self.number)
    }
}

/// Whether processor `number` is there when the guest starts.
pub fn has_processor(layout: &Layout, number: u32) -> bool {
    number < layout.spec.cpus || layout.spec.added.contains(&(FIRST_PROCESSOR + number))
}

/// All connectors.
pub fn all(layout: &Layout) -> impl Iterator<Item = Place> {
    processors(layout).into_iter().chain(others(layout)).chain(slots(layout))
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

/// Connectors of memory and of persistent memory.
fn others(layout: &Layout) -> Vec<Place> {
    let memory = blocks::addresses(&layout.hot_memory).map(|address| Place {
        index: blocks::connector(address),
        resource: Resource::Memory(address..address + MEMORY_BLOCK),
        prefix: "LMB ",
        number: (address / MEMORY_BLOCK) as u32,
        used: blocks::is_present(&layout.spec, address),
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
    if layout.spec.kind == Kind::Pseries { (0..SLOTS).map(place).collect() } else { Vec::new() }
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
        let all: Vec<u64> = blocks::addresses(&layout.hot_memory).collect();
        let has = |address: &u64| blocks::is_present(&layout.spec, *address);
        let rows: Vec<_> = all.chunk_by(|one, next| has(one) == has(next)).collect();
        let row = |row: &&[u64]| {
            let first = row.first().copied().unwrap_or_default();
            let flags = if has(&first) { ASSIGNED | REMOVABLE } else { 0 };
            // Blocks, address, connector, associativity, flags.
            [row.len() as u32, (first >> 32) as u32, first as u32, blocks::connector(first), 0, flags]
        };
        let cells = rows.iter().flat_map(row);
        node.cells("ibm,dynamic-memory-v2", &[rows.len() as u32].into_iter().chain(cells).collect::<Vec<u32>>());
        // One list of four numbers.
        node.cells("ibm,associativity-lookup-arrays", &[1, 4, 0, 0, 0, 0]);
    });
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
