//! The PCI host bridge of a pseries machine: its place among the addresses, and its bus (spec papr 7.3).

use std::ops::Range;
use std::sync::Arc;

use guest_mem::GuestMem;
use pci::{Aperture, Bus, Dma, Upstream};
use platform::Registers;

use crate::sources::{Controller, PCI_LINES, PCI_MESSAGES};

mod bridge;
pub mod device;
mod tree;

pub use bridge::BridgePort;
pub use tree::{function, write};

/// Bus unit identifier.
pub const UNIT: u64 = 0x0800_0000_2000_0000;
/// Logical I/O bus number of the first DMA window; the others follow.
const LIOBN: u32 = 0x8000_0000;
/// Connectors of slots are numbered from here on, eight functions each.
const FIRST_CONNECTOR: u32 = 0x4000_0000;

/// Addresses that lead to the bus: space code, bus address, CPU address, size: I/O, 32-bit memory, 64-bit memory.
#[rustfmt::skip]
const RANGES: [(u32, u64, u64, u64); 3] = [
    (IO,       0,                0x2000_0000_0000, 0x1_0000),
    (MEMORY32, 0x8000_0000,      0x2000_8000_0000, 0x8000_0000),
    (MEMORY64, 0x2100_0000_0000, 0x2100_0000_0000, 0x100_0000_0000),
];
/// Space codes (PCI Bus Binding to IEEE 1275, 2.2.1.1).
const IO: u32 = 0x0100_0000;
const MEMORY32: u32 = 0x0200_0000;
const MEMORY64: u32 = 0x0300_0000;

/// Guest real addresses that lead to the bus.
pub fn addresses() -> impl Iterator<Item = Range<u64>> {
    RANGES.iter().map(|&(_, _, cpu, size)| cpu..cpu + size)
}

/// The connector of the slot with a device number.
pub fn connector(slot: u8) -> u32 {
    FIRST_CONNECTOR | u32::from(slot) << 3
}

/// An empty bus whose functions reach `mem` and interrupt by `controller`.
pub fn bus(mem: &Arc<GuestMem>, controller: &Arc<dyn Controller>) -> Arc<Bus> {
    let controller = Arc::clone(controller);
    let set = Box::new(move |source, asserted| controller.set_line(source, asserted));
    Arc::new(Bus::new(Upstream::new(Dma::new(Arc::clone(mem)), PCI_LINES, PCI_MESSAGES, set)))
}

/// The bus at the guest real addresses that lead to it.
pub fn apertures(bus: &Arc<Bus>) -> impl Iterator<Item = (Range<u64>, Arc<dyn Registers>)> {
    RANGES.iter().map(|&(space, base, cpu, size)| {
        let aperture = Aperture { bus: Arc::clone(bus), io: space == IO, base };
        (cpu..cpu + size, Arc::new(aperture) as _)
    })
}
