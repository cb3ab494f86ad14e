//! The bridge in the shape in which the calls want it.

use std::ops::Range;
use std::sync::Arc;

use hv_papr::ports::{ConfigRegister, DmaWindow, MessageKind, PciBridge, PciFunction, WindowRoom};
use pci::{Bus, Window, dma};

use super::{LIOBN, UNIT};

/// The bridge.
pub struct BridgePort(pub Arc<Bus>);

fn kind(kind: MessageKind) -> pci::MessageKind {
    match kind {
        MessageKind::Msi => pci::MessageKind::Msi,
        MessageKind::Msix => pci::MessageKind::Msix,
    }
}

impl PciBridge for BridgePort {
    fn unit(&self) -> u64 {
        UNIT
    }

    fn read_config(&self, register: ConfigRegister) -> Option<u32> {
        let ConfigRegister { bus, function, offset, width } = register;
        self.0.read_config(bus, function, offset, width)
    }

    fn write_config(&self, register: ConfigRegister, value: u32) {
        let ConfigRegister { bus, function, offset, width } = register;
        self.0.write_config(bus, function, offset, width, value);
    }

    fn most_messages(&self, PciFunction { bus, function }: PciFunction, of: MessageKind) -> Option<u32> {
        self.0.most_messages(bus, function, kind(of))
    }

    fn set_messages(&self, PciFunction { bus, function }: PciFunction, of: MessageKind, count: u32) -> Option<u32> {
        self.0.assign(bus, function, kind(of), count)
    }

    fn messages(&self, PciFunction { bus, function }: PciFunction) -> Option<(MessageKind, Range<u32>)> {
        let (kind, sources) = self.0.assigned(bus, function)?;
        let kind = match kind {
            pci::MessageKind::Msi => MessageKind::Msi,
            pci::MessageKind::Msix => MessageKind::Msix,
        };
        Some((kind, sources))
    }

    fn connect(&self, slot: u8, connected: bool) {
        if connected { self.0.connect(slot) } else { self.0.isolate(slot) }
    }

    fn window(&self, liobn: u32) -> Option<Box<dyn DmaWindow>> {
        let window = self.0.dma().window(liobn.checked_sub(LIOBN)?)?;
        Some(Box::new(WindowPort(window)))
    }

    fn window_room(&self) -> WindowRoom {
        WindowRoom { windows: self.0.dma().room(), pages: dma::MOST_PAGES, page_shifts: &dma::PAGE_SHIFTS }
    }

    fn add_window(&self, page_shift: u32, window_shift: u32) -> Option<(u32, u64)> {
        let (number, start) = self.0.dma().add(page_shift, window_shift)?;
        Some((LIOBN + number, start))
    }

    fn remove_window(&self, liobn: u32) -> bool {
        liobn.checked_sub(LIOBN).is_some_and(|number| self.0.dma().remove(number))
    }

    fn reset_windows(&self) {
        self.0.dma().reset();
    }
}

struct WindowPort(Arc<Window>);

impl DmaWindow for WindowPort {
    fn page(&self, address: u64) -> Option<u64> {
        self.0.page(address).and_then(|(page, offset)| (offset == 0).then_some(page))
    }

    fn entry(&self, page: u64) -> Option<u64> {
        self.0.entry(page)
    }

    fn set(&self, first: u64, entries: &[u64]) -> bool {
        self.0.set(first, entries)
    }

    fn fill(&self, first: u64, count: u64, entry: u64) -> bool {
        self.0.fill(first, count, entry)
    }
}
