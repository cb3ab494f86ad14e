//! A guest that does to PCI functions what it likes: registers in configuration space, regions wherever they are, rings in
//! memory, windows, connectors. Devices then never reach memory that was not opened for them, and interrupts are those of
//! the bus.

use std::ops::Range;
use std::sync::{Arc, Mutex};

use guest_mem::{GuestMem, Order};
use pci::{Aperture, Bus, Dma, MessageKind, Upstream, dma};
use platform::Registers;
use virtio::{Rng, VirtioPci};

use crate::input::Input;

const RAM: u64 = 1 << 20;
/// Memory from here on is never opened for writing.
const CLOSED: u64 = RAM / 2;
const LINES: Range<u32> = 0x1200..0x1204;
const MESSAGES: Range<u32> = 0x1300..0x1306;
const SLOTS: [u8; 2] = [0, 9];
/// Where the structures are, by slot, unless the guest moves them, and the tables of messages.
const STRUCTURES: u64 = 0x21_0000_0000;
const TABLES: u64 = 0x8000_0000;
/// Bus addresses of a queue that is set up, and the memory behind them.
const AREAS: [u64; 3] = [0x1000, 0x2000, 0x3000];
const OPEN: u64 = 0x4_0000;

fn plug(bus: &Bus, slot: u8, connected: bool) {
    let device = Box::new(Rng(Box::new(|| Some(u64::MAX))));
    bus.plug(slot, connected, VirtioPci::description(&*device), |port| Box::new(VirtioPci::new(device, port)));
}

struct Guest {
    bus: Arc<Bus>,
    mem: Arc<GuestMem>,
    spaces: [Aperture; 2],
}

impl Guest {
    fn new(raised: &Arc<Mutex<Vec<u32>>>) -> Guest {
        let mem = Arc::new(GuestMem::new(RAM).unwrap());
        let raised = Arc::clone(raised);
        let set = Box::new(move |source, _| raised.lock().unwrap().push(source));
        let bus = Arc::new(Bus::new(Upstream::new(Dma::new(Arc::clone(&mem)), LINES.start, MESSAGES, set)));
        SLOTS.iter().for_each(|slot| plug(&bus, *slot, true));
        let space = |io| Aperture { bus: Arc::clone(&bus), io, base: 0 };
        Guest { spaces: [space(false), space(true)], bus, mem }
    }

    fn structures(slot: u8) -> u64 {
        STRUCTURES + u64::from(slot) * 0x1_0000
    }

    fn write(&self, address: u64, bytes: u64, value: u64) {
        self.spaces[0].write(address, bytes, value.swap_bytes() >> (64 - 8 * bytes));
    }

    /// As a driver does it.
    fn set_up(&self, slot: u8) {
        let base = Guest::structures(slot);
        let table = TABLES as u32 + u32::from(slot) * 0x1000;
        for (offset, value) in [(0x14, table), (0x20, base as u32), (0x24, (base >> 32) as u32), (4, 6)] {
            self.bus.write_config(0, slot << 3, offset, 4, value);
        }
        if let Some(window) = self.bus.dma().window(0) {
            let entries: Vec<u64> = (0..64).map(|page| (OPEN + (page << 12)) | 3).collect();
            window.set(0, &entries);
        }
        let common: [(u64, u64, u64); 9] = [
            (0x14, 1, 0),
            (0x14, 1, 3),
            (0x08, 4, 1),
            (0x0c, 4, 3),
            (0x14, 1, 0xb),
            (0x20, 8, AREAS[0]),
            (0x28, 8, AREAS[1]),
            (0x30, 8, AREAS[2]),
            (0x1c, 2, 1),
        ];
        common.iter().for_each(|(offset, bytes, value)| self.write(base + offset, *bytes, *value));
        self.write(base + 0x14, 1, 0xf);
    }
}

/// An address where something may be.
fn address(input: &mut Input, slot: u8) -> u64 {
    match input.byte() & 7 {
        0 => input.number(RAM),
        1 => TABLES + u64::from(slot) * 0x1000 + u64::from(input.word() & 0xfff),
        2 => Guest::structures(slot) + u64::from(input.word() & 0x3fff),
        3 => Guest::structures(slot) + 0x1000,
        _ => Guest::structures(slot) + u64::from(input.byte() & 0x3f),
    }
}

/// Something in the rings or the table, as the guest's drivers write it or not.
fn damage(input: &mut Input, mem: &GuestMem) {
    let at = OPEN + input.pick(&AREAS) + u64::from(input.byte());
    match input.byte() & 3 {
        0 => mem.store(at, Order::Little, input.byte()),
        1 => mem.store(at & !1, Order::Little, u16::from(input.byte() & 15)),
        2 => mem.store(at & !3, Order::Little, input.number(RAM) as u32),
        _ => mem.store(at & !7, Order::Little, input.number(RAM)),
    };
}

fn window(input: &mut Input, dma: &Dma) {
    let number = u32::from(input.byte() & 3);
    match input.byte() & 7 {
        0 => _ = dma.add(input.pick(&dma::PAGE_SHIFTS), 12 + u32::from(input.byte() & 31)),
        1 => _ = dma.add(input.word(), input.word()),
        2 => _ = dma.remove(number),
        3 => dma.reset(),
        4 => {
            if let Some(window) = dma.window(number) {
                window.fill(input.number(RAM), input.number(RAM).min(1 << 18), 0);
            }
        }
        _ => {
            let Some(window) = dma.window(number) else { return };
            // A large page would reach all of memory.
            let ways = if window.page_shift() == 24 { 1 } else { 3 };
            let entry = (input.number(CLOSED) % CLOSED) & !0xfff | u64::from(input.byte()) & ways;
            let outside = (input.number(RAM) | RAM) & !0xfff | 3;
            window.set(input.number(64), &[if input.flag() { entry } else { outside }]);
        }
    }
}

/// Does things until the input is used up.
pub fn run(data: &[u8]) {
    let mut input = Input::new(data);
    let raised = Arc::default();
    let guest = Guest::new(&raised);
    if input.flag() {
        SLOTS.iter().for_each(|slot| guest.set_up(*slot));
    }
    while !input.is_empty() {
        let slot = input.pick(&SLOTS);
        let (bus, function) = (&guest.bus, slot << 3);
        let bytes = 1 << (input.byte() & 3);
        match input.byte() & 15 {
            0 => guest.set_up(slot),
            1 | 2 => {
                let offset = u16::from(input.byte()) & !(bytes.min(4) - 1);
                bus.write_config(0, function, offset, bytes.min(4) as u8, input.number(RAM) as u32);
            }
            3 => {
                let offset = input.word() as u16 & 0xfff & !(bytes.min(4) - 1);
                _ = bus.read_config(input.byte() & 1, input.byte(), offset, bytes.min(4) as u8);
            }
            4 => _ = guest.spaces[usize::from(input.byte() & 1)].read(address(&mut input, slot), bytes.into()),
            5 | 6 => {
                let at = address(&mut input, slot);
                guest.write(at, bytes.into(), input.number(RAM));
            }
            7 => {
                let kind = input.pick(&[MessageKind::Msi, MessageKind::Msix]);
                let given = bus.assign(0, function, kind, input.number(RAM) as u32);
                assert!(given.is_none_or(|count| count <= 2));
            }
            8 => window(&mut input, bus.dma()),
            9 => match input.byte() & 3 {
                0 => bus.isolate(slot),
                1 => plug(bus, slot, input.flag()),
                _ => bus.connect(slot),
            },
            10 | 11 => guest.write(Guest::structures(slot) + 0x1000, 2, 0),
            _ => damage(&mut input, &guest.mem),
        }
    }
    let mut closed = vec![0; CLOSED as usize];
    assert!(guest.mem.read(CLOSED, &mut closed) && closed.iter().all(|byte| *byte == 0));
    assert!(raised.lock().unwrap().iter().all(|source| LINES.contains(source) || MESSAGES.contains(source)));
}
