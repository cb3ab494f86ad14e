//! The PCI host bridge in the device tree and its place among the addresses (spec papr 7.3).

use std::ops::Range;

use crate::fdt::Writer;
use crate::sources::{PCI_LINE_COUNT, PCI_LINES};

/// Bus unit identifier.
pub const UNIT: u64 = 0x0800_0000_2000_0000;
/// Logical I/O bus number of the DMA window.
pub const LIOBN: u32 = 0x8000_0000;
/// Pages of the DMA window, 4 KiB each: 1 GiB.
pub const WINDOW_PAGES: usize = 1 << 18;

const SLOTS: u32 = 32;
const PINS: u32 = 4;
/// Sources set aside for message interrupts, all functions together.
const MESSAGES: u32 = 0xd00;

/// Space code, bus address, CPU address, size: I/O, 32-bit memory, 64-bit memory.
#[rustfmt::skip]
const RANGES: [(u32, u64, u64, u64); 3] = [
    (0x0100_0000, 0,                0x2000_0000_0000, 0x1_0000),
    (0x0200_0000, 0x8000_0000,      0x2000_8000_0000, 0x8000_0000),
    (0x0300_0000, 0x2100_0000_0000, 0x2100_0000_0000, 0x100_0000_0000),
];

/// Guest real addresses that lead to the bus.
pub fn addresses() -> impl Iterator<Item = Range<u64>> {
    RANGES.iter().map(|&(_, _, cpu, size)| cpu..cpu + size)
}

fn split(number: u64) -> [u32; 2] {
    [(number >> 32) as u32, number as u32]
}

/// Writes the bridge; its interrupt lines lead to the controller `pic`.
pub fn write(root: &mut Writer, pic: u32) {
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
        let [size_high, size_low] = split((WINDOW_PAGES as u64) << 12);
        node.cell("ibm,#dma-address-cells", 2);
        node.cell("ibm,#dma-size-cells", 2);
        node.cells("ibm,dma-window", &[LIOBN, 0, 0, size_high, size_low]);
        node.cell("ibm,pci-config-space-type", 1);
        node.cell("ibm,pe-total-#msi", MESSAGES);
        node.flag("used-by-rtas");
    });
}

/// Slot and pin (as a unit address and an interrupt), then controller, source, level: neighbouring slots begin at
/// different lines.
fn interrupt_map(pic: u32) -> Vec<u32> {
    const LEVEL: u32 = 1;
    let pins = (0..SLOTS).flat_map(|slot| (0..PINS).map(move |pin| (slot, pin)));
    pins.flat_map(|(slot, pin)| [slot << 11, 0, 0, pin + 1, pic, PCI_LINES + (slot + pin) % PCI_LINE_COUNT, LEVEL])
        .collect()
}
