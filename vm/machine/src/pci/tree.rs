//! The bridge and its functions in the device tree.

use pci::bus::SLOTS;
use pci::{Description, Dma, MessageKind, RegionKind};

use super::{IO, LIOBN, MEMORY32, MEMORY64, RANGES, UNIT, connector, device};
use crate::connectors;
use crate::fdt::Writer;
use crate::plan::Layout;
use crate::sources::{PCI_LINE_COUNT, PCI_LINES, PCI_MESSAGES};

const PINS: u32 = 4;

fn split(number: u64) -> [u32; 2] {
    [(number >> 32) as u32, number as u32]
}

/// Writes the bridge with the functions that are there from the start; its interrupt lines lead to the controller `pic`.
pub fn write(root: &mut Writer, layout: &Layout, pic: u32) {
    use papr_abi::rtas::{CREATE_PE_DMA_WINDOW, QUERY_PE_DMA_WINDOW, REMOVE_PE_DMA_WINDOW, RESET_PE_DMA_WINDOW};
    root.node("pci@800000020000000", |node| {
        node.text("device_type", "pci");
        node.text("compatible", "IBM,Logical_PHB");
        node.cell("#address-cells", 3);
        node.cell("#size-cells", 2);
        node.cell("#interrupt-cells", 1);
        node.doubles("reg", &[UNIT, 0]);
        node.cells("bus-range", &[0, 0xff]);
        let range = |&(space, bus, cpu, size): &(u32, u64, u64, u64)| {
            [&[space][..], &split(bus), &split(cpu), &split(size)].concat()
        };
        node.cells("ranges", &RANGES.iter().flat_map(range).collect::<Vec<u32>>());
        node.cells("interrupt-map-mask", &[0xf800, 0, 0, u32::MAX]);
        node.cells("interrupt-map", &interrupt_map(pic));
        let [size_high, size_low] = split(Dma::first_bytes());
        node.cell("ibm,#dma-address-cells", 2);
        node.cell("ibm,#dma-size-cells", 2);
        node.cells("ibm,dma-window", &[LIOBN, 0, 0, size_high, size_low]);
        let ddw = [QUERY_PE_DMA_WINDOW, CREATE_PE_DMA_WINDOW, REMOVE_PE_DMA_WINDOW].map(|call| call.token);
        node.cells("ibm,ddw-applicable", &ddw);
        // Two extensions: resetting all windows, and the long form of the query.
        node.cells("ibm,ddw-extensions", &[2, RESET_PE_DMA_WINDOW.token, 1]);
        node.cell("ibm,pci-config-space-type", 1);
        node.cell("ibm,pe-total-#msi", PCI_MESSAGES.end - PCI_MESSAGES.start);
        node.flag("used-by-rtas");
        connectors::write_slots(node, layout);
        for (slot, device) in &layout.spec.devices {
            function(node, *slot, &device::description(*device));
        }
    });
}

/// Slot and pin (as a unit address and an interrupt), then controller, source, level: neighbouring slots begin at
/// different lines.
fn interrupt_map(pic: u32) -> Vec<u32> {
    const LEVEL: u32 = 1;
    let pins = (0..u32::from(SLOTS)).flat_map(|slot| (0..PINS).map(move |pin| (slot, pin)));
    pins.flat_map(|(slot, pin)| [slot << 11, 0, 0, pin + 1, pic, PCI_LINES + (slot + pin) % PCI_LINE_COUNT, LEVEL])
        .collect()
}

/// Writes the function in `slot` (PCI Bus Binding to IEEE 1275, 4.1).
pub fn function(bridge: &mut Writer, slot: u8, description: &Description) {
    let identity = &description.identity;
    let name = format!("pci{:x},{:x}", identity.vendor, identity.device);
    bridge.node(&format!("{name}@{slot:x}"), |node| {
        node.text("compatible", &name);
        node.cell("vendor-id", identity.vendor.into());
        node.cell("device-id", identity.device.into());
        node.cell("revision-id", identity.revision.into());
        node.cell("class-code", identity.class);
        node.cell("subsystem-vendor-id", identity.subsystem_vendor.into());
        node.cell("subsystem-id", identity.subsystem.into());
        for zero in ["min-grant", "max-latency", "devsel-speed"] {
            node.cell(zero, 0);
        }
        let here = u32::from(slot) << 11;
        // Configuration space has no size; guests choose the addresses of the others.
        let mut registers = vec![here, 0, 0, 0, 0];
        for region in description.all_regions() {
            let space = match region.kind {
                RegionKind::Io => IO,
                RegionKind::Memory32 => MEMORY32,
                RegionKind::Memory64 => MEMORY64,
            };
            let [size_high, size_low] = split(region.size);
            registers.extend([space | here | u32::from(region.register()), 0, 0, size_high, size_low]);
        }
        node.cells("reg", &registers);
        if description.pin {
            node.cell("interrupts", 1);
        }
        for (property, kind) in [("ibm,req#msi", MessageKind::Msi), ("ibm,req#msi-x", MessageKind::Msix)] {
            let most = description.messages(kind);
            if most > 0 {
                node.cell(property, most);
            }
        }
        node.cell("#address-cells", 3);
        node.cell("#size-cells", 2);
        node.cell("ibm,my-drc-index", connector(slot));
        node.text("ibm,loc-code", &connectors::slot_name(slot));
    });
}
