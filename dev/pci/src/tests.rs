//! A function with everything: regions of all kinds, both kinds of messages, a pin.

use std::sync::{Arc, Mutex};

use guest_mem::{GuestMem, Order};
use platform::Registers;

use crate::bus::{Aperture, Bus};
use crate::dma::Dma;
use crate::function::{Description, Function, Identity, Region, RegionKind};
use crate::messages::MessageKind;
use crate::port::Port;
use crate::upstream::{MESSAGE_ADDRESS, Upstream};

const SLOT: u8 = 3;
const FUNCTION: u8 = SLOT << 3;
const LINE: u32 = 0x1200;
const MESSAGE: u32 = 0x1300;

/// Where the capabilities are.
const MSI: u16 = 0x40;
const MSIX: u16 = 0x58;

/// Remembers its last write; reads as where it was read.
#[derive(Clone, Default)]
struct Probe(Arc<Mutex<Vec<(u8, u64, u8, u32)>>>);

impl Function for Probe {
    fn read(&self, bar: u8, offset: u64, bytes: u8) -> u32 {
        let value = u32::from(bar) << 24 | 0x0001_0203 ^ (offset as u32 & 0xff);
        if bytes == 4 { value } else { value & ((1 << (8 * bytes)) - 1) }
    }
    fn write(&self, bar: u8, offset: u64, bytes: u8, value: u32) {
        self.0.lock().unwrap().push((bar, offset, bytes, value));
    }
    fn reset(&self) {
        self.0.lock().unwrap().clear();
    }
}

struct Stage {
    bus: Arc<Bus>,
    mem: Arc<GuestMem>,
    probe: Probe,
    port: Arc<Port>,
    /// What interrupts were set.
    raised: Arc<Mutex<Vec<(u32, bool)>>>,
}

fn description() -> Description {
    let identity = Identity {
        vendor: 0x1af4,
        device: 0x1044,
        revision: 1,
        class: 0x00ff00,
        subsystem_vendor: 0x1234,
        subsystem: 0x5678,
    };
    Description {
        identity,
        regions: vec![
            Region { bar: 0, kind: RegionKind::Io, size: 0x20 },
            Region { bar: 1, kind: RegionKind::Memory32, size: 0x1000 },
            Region { bar: 4, kind: RegionKind::Memory64, size: 0x4000 },
        ],
        capabilities: vec![],
        pin: true,
        msi: 4,
        msix: Some((3, 2)),
    }
}

fn plug(bus: &Bus, slot: u8) -> (Probe, Arc<Port>) {
    let (probe, mut kept) = (Probe::default(), None);
    let function = probe.clone();
    bus.plug(slot, true, description(), |port| {
        kept = Some(port);
        Box::new(function)
    });
    (probe, kept.unwrap())
}

impl Stage {
    fn new() -> Stage {
        let mem = Arc::new(GuestMem::new(1 << 20).unwrap());
        let raised = Arc::<Mutex<Vec<_>>>::default();
        let set = Arc::clone(&raised);
        let set = Box::new(move |source, on| set.lock().unwrap().push((source, on)));
        let upstream = Upstream::new(Dma::new(Arc::clone(&mem)), LINE, MESSAGE..MESSAGE + 8, set);
        let bus = Arc::new(Bus::new(upstream));
        let (probe, port) = plug(&bus, SLOT);
        Stage { bus, mem, probe, port, raised }
    }

    fn read(&self, offset: u16, bytes: u8) -> u32 {
        self.bus.read_config(0, FUNCTION, offset, bytes).unwrap()
    }

    fn write(&self, offset: u16, bytes: u8, value: u32) {
        self.bus.write_config(0, FUNCTION, offset, bytes, value);
    }

    fn raised(&self) -> Vec<(u32, bool)> {
        std::mem::take(&mut self.raised.lock().unwrap())
    }

    fn aperture(&self, io: bool, base: u64) -> Aperture {
        Aperture { bus: Arc::clone(&self.bus), io, base }
    }
}

#[test]
fn the_header_says_who_it_is_and_nothing_of_that_can_be_written() {
    let stage = Stage::new();
    for (offset, value) in [(0, 0x1044_1af4), (8, 0x00ff_0001), (0x2c, 0x5678_1234), (0x30, 0)] {
        stage.write(offset, 4, u32::MAX);
        assert_eq!(stage.read(offset, 4), value, "{offset:#x}");
    }
    assert_eq!((stage.read(2, 2), stage.read(0xb, 1), stage.read(0xe, 1)), (0x1044, 0, 0));
    stage.write(0x3c, 4, u32::MAX);
    assert_eq!(stage.read(0x3c, 4), 0x01ff);
    stage.write(4, 4, u32::MAX);
    assert_eq!(stage.read(4, 4), 0x0010_0547);
    // The list: MSI, then MSI-X, then nothing.
    assert_eq!((stage.read(0x34, 1), stage.read(MSI, 2), stage.read(MSIX, 2)), (MSI.into(), 0x5805, 0x0011));
    for (bus, function) in [(1, FUNCTION), (0, FUNCTION + 1), (0, FUNCTION + 8)] {
        assert_eq!(stage.bus.read_config(bus, function, 0, 4), None);
    }
    assert_eq!(stage.bus.read_config(0, FUNCTION, 0x100, 4), None);
}

#[test]
fn base_address_registers_show_their_sizes_and_kinds() {
    let stage = Stage::new();
    for (offset, size) in
        [(0x10, 0xffff_ffe1), (0x14, 0xffff_f000), (0x18, 0xffff_f000), (0x1c, 0), (0x20, 0xffff_c004)]
    {
        stage.write(offset, 4, u32::MAX);
        assert_eq!(stage.read(offset, 4), size, "{offset:#x}");
    }
    stage.write(0x24, 4, u32::MAX);
    assert_eq!(stage.read(0x24, 4), u32::MAX, "the upper half");
    stage.write(0x14, 2, 0xffff);
    stage.write(0x16, 2, 0x8765);
    assert_eq!(stage.read(0x14, 4), 0x8765_f000);
}

#[test]
fn accesses_go_where_the_registers_say_and_nowhere_while_they_are_disabled() {
    let stage = Stage::new();
    let memory = stage.aperture(false, 0x8000_0000);
    stage.write(0x14, 4, 0x8000_2000);
    stage.write(0x20, 4, 0);
    stage.write(0x24, 4, 0x21);
    assert_eq!(memory.read(0x2000, 4), 0xffff_ffff);
    stage.write(4, 2, 2);
    // Little-endian: the lowest byte comes first.
    assert_eq!(memory.read(0x2000, 4), 0x0302_0101);
    assert_eq!((memory.read(0x2004, 1), memory.read(0x2ffe, 4)), (0x07, 0xfdfc_ffff));
    assert_eq!(memory.read(0x2008, 8), 0x0b02_0101_0f02_0101);
    assert_eq!((memory.read(0x1ffc, 8), memory.read(0x3000, 2)), (0xffff_ffff_0302_0101, 0xffff));
    memory.write(0x2010, 8, 0x0102_0304_0506_0708);
    memory.write(0x2021, 2, 0x0102);
    let wide = stage.aperture(false, 0x21_0000_0000);
    wide.write(0x3ffc, 4, 0xa0b0_c0d0);
    wide.write(0x4000, 4, 1);
    assert_eq!(
        *stage.probe.0.lock().unwrap(),
        [
            (1, 0x10, 4, 0x0403_0201),
            (1, 0x14, 4, 0x0807_0605),
            (1, 0x21, 1, 1),
            (1, 0x22, 1, 2),
            (4, 0x3ffc, 4, 0xd0c0_b0a0)
        ]
    );
    // I/O space is another one.
    stage.write(0x10, 4, 0x2000);
    let io = stage.aperture(true, 0);
    assert_eq!(io.read(0x2000, 1), 0xff);
    stage.write(4, 2, 1);
    assert_eq!((io.read(0x2000, 1), io.read(0x2020, 1), memory.read(0x2000, 1)), (3, 0xff, 0xff));
}

/// The table behind its register, at bus address 0x9000_0000.
fn with_table(stage: &Stage) -> Aperture {
    stage.write(0x18, 4, 0x9000_0000);
    stage.write(4, 2, 0x0006);
    stage.aperture(false, 0x9000_0000)
}

fn little(value: u32) -> u64 {
    value.swap_bytes().into()
}

#[test]
fn msix_is_masked_by_vector_and_by_function_and_what_came_meanwhile_waits() {
    let stage = Stage::new();
    let table = with_table(&stage);
    assert_eq!(stage.bus.assign(0, FUNCTION, MessageKind::Msix, 8), Some(3), "not more than there are");
    assert_eq!(stage.bus.assigned(0, FUNCTION), Some((MessageKind::Msix, MESSAGE..MESSAGE + 3)));
    assert_eq!(stage.read(MSIX + 2, 2), 2, "three of them");
    assert_eq!((table.read(0x10, 4), table.read(0x18, 4)), (little(MESSAGE_ADDRESS as u32), little(MESSAGE + 1)));
    stage.port.signal(1);
    assert_eq!(table.read(0x800, 4), 0, "off");
    // On, all masked as after a reset.
    stage.write(MSIX + 2, 2, 0x8000);
    assert!(stage.port.sends_messages());
    stage.port.signal(1);
    stage.port.signal(1);
    stage.port.signal(3);
    assert_eq!((stage.raised(), table.read(0x800, 8)), (vec![], 0x0200_0000_0000_0000));
    table.write(0x1c, 4, little(0));
    assert_eq!((stage.raised(), table.read(0x800, 4)), (vec![(MESSAGE + 1, true)], 0), "once");
    stage.port.signal(1);
    assert_eq!(stage.raised(), [(MESSAGE + 1, true)]);
    // As Linux does it: switched on, then asked for.
    assert_eq!(stage.bus.assign(0, FUNCTION, MessageKind::Msix, 3), Some(3));
    assert!(stage.port.sends_messages());
    // The whole function.
    stage.write(MSIX + 2, 2, 0xc000);
    stage.port.signal(1);
    stage.port.signal(0);
    assert_eq!((stage.raised(), table.read(0x800, 1)), (vec![], 3));
    stage.write(MSIX + 2, 2, 0x8000);
    assert_eq!((stage.raised(), table.read(0x800, 1)), (vec![(MESSAGE + 1, true)], 1), "the other one is masked");
    // A function that is no bus master keeps its messages.
    stage.write(4, 2, 0x0002);
    stage.port.signal(1);
    assert_eq!((stage.raised(), table.read(0x800, 1)), (vec![], 3));
    stage.write(4, 2, 0x0006);
    assert_eq!(stage.raised(), [(MESSAGE + 1, true)]);
    // Pending bits are not the guest's, bytes of the table are not written.
    table.write(0x800, 4, little(0xff));
    table.write(0x18, 1, 0xff);
    assert_eq!((table.read(0x800, 1), table.read(0x18, 4)), (1, little(MESSAGE + 1)));
    // What is switched off forgets.
    stage.write(MSIX + 2, 2, 0);
    assert_eq!(table.read(0x800, 1), 0);
    assert_eq!(stage.bus.assign(0, FUNCTION, MessageKind::Msix, 0), Some(0));
    assert_eq!((stage.bus.assigned(0, FUNCTION), table.read(0x18, 4)), (None, 0));
}

#[test]
fn messages_of_the_guests_own_go_to_memory_if_it_opened_a_page_for_them() {
    let stage = Stage::new();
    let table = with_table(&stage);
    stage.write(MSIX + 2, 2, 0x8000);
    for (at, word) in [(0, 0x1008), (4, 0), (8, 0x1234_5678), (12, 0)] {
        table.write(at, 4, little(word));
    }
    stage.port.signal(0);
    stage.bus.dma().window(0).unwrap().set(1, &[0x5000 | 2]);
    assert_eq!(stage.mem.load::<u32>(0x5008, Order::Little), Some(0));
    stage.port.signal(0);
    assert_eq!(stage.mem.load::<u32>(0x5008, Order::Little), Some(0x1234_5678));
    // Sources that are not for messages can not be reached.
    for (at, word) in [(0, MESSAGE_ADDRESS as u32), (8, LINE)] {
        table.write(at, 4, little(word));
    }
    stage.port.signal(0);
    assert_eq!(stage.raised(), []);
}

#[test]
fn msi_counts_up_from_its_data_and_has_masks() {
    let stage = Stage::new();
    stage.write(4, 2, 0x0004);
    assert_eq!(stage.bus.assign(0, FUNCTION, MessageKind::Msi, 3), Some(2), "a power of two");
    assert_eq!(stage.bus.assigned(0, FUNCTION), Some((MessageKind::Msi, MESSAGE..MESSAGE + 2)));
    assert_eq!((stage.read(MSI + 4, 4), stage.read(MSI + 12, 2)), (MESSAGE_ADDRESS as u32, MESSAGE));
    assert_eq!(stage.read(MSI + 2, 2), 0x0194, "four that it could, two in use");
    stage.write(MSI + 2, 2, 0x0011);
    stage.port.signal(1);
    stage.port.signal(2);
    assert_eq!(stage.raised(), [(MESSAGE + 1, true), (MESSAGE, true)]);
    stage.write(MSI + 16, 4, 2);
    stage.port.signal(1);
    assert_eq!((stage.raised(), stage.read(MSI + 20, 4)), (vec![], 2));
    stage.write(MSI + 20, 4, 0);
    stage.write(MSI + 16, 4, 0);
    assert_eq!((stage.raised(), stage.read(MSI + 20, 4)), (vec![(MESSAGE + 1, true)], 0));
    assert_eq!(stage.bus.assign(0, FUNCTION, MessageKind::Msi, 0), Some(0));
    assert_eq!(stage.read(MSI + 2, 2) & 1, 0, "switched off");
}

#[test]
fn a_pin_is_shared_and_quiet_while_disabled_or_while_messages_are_sent() {
    let stage = Stage::new();
    let line = LINE + 3;
    // Slot 7 has the same line.
    let (_, other) = plug(&stage.bus, SLOT + 4);
    stage.port.set_pin(true);
    other.set_pin(true);
    assert_eq!((stage.raised(), stage.read(6, 2)), (vec![(line, true)], 0x18));
    stage.port.set_pin(false);
    assert_eq!((stage.raised(), stage.read(4, 4)), (vec![], 0x0010_0000));
    other.set_pin(false);
    assert_eq!(stage.raised(), [(line, false)]);
    stage.port.set_pin(true);
    stage.write(4, 2, 0x0400);
    assert_eq!((stage.raised(), stage.read(4, 4)), (vec![(line, true), (line, false)], 0x0018_0400));
    stage.write(4, 2, 0);
    stage.write(MSIX + 2, 2, 0x8000);
    assert_eq!(stage.raised(), [(line, true), (line, false)]);
    stage.write(MSIX + 2, 2, 0);
    stage.bus.unplug(SLOT);
    assert_eq!(stage.raised(), [(line, true), (line, false)], "gone with the function");
}

#[test]
fn what_is_isolated_is_reset_and_out_of_reach() {
    let stage = Stage::new();
    let table = with_table(&stage);
    stage.bus.dma().window(0).unwrap().set(0, &[0x5000 | 3]);
    assert!(stage.port.write(0, &[1; 4]) && stage.port.store(8, 7_u16) && stage.port.load::<u16>(8) == Some(7));
    assert_eq!(stage.bus.assign(0, FUNCTION, MessageKind::Msix, 3), Some(3));
    stage.bus.isolate(SLOT);
    assert_eq!((stage.bus.read_config(0, FUNCTION, 0, 4), table.read(0, 4)), (None, 0xffff_ffff));
    assert!(!stage.port.write(0, &[1; 4]) && stage.port.load::<u16>(8).is_none(), "no bus master");
    assert_eq!(stage.bus.assign(0, FUNCTION, MessageKind::Msix, 3), None);
    let (_, _) = plug(&stage.bus, 9);
    assert_eq!(stage.bus.assign(0, 9 << 3, MessageKind::Msix, 3), Some(3));
    assert_eq!(stage.bus.assigned(0, 9 << 3).unwrap().1.start, MESSAGE, "its sources are free");
    stage.bus.connect(SLOT);
    assert_eq!((stage.read(0x18, 4), stage.read(4, 2), stage.bus.assigned(0, FUNCTION)), (0, 0, None));
}
