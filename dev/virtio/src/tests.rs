//! A driver by hand: rings in memory behind a DMA window.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use guest_mem::{GuestMem, Order};
use pci::{Aperture, Bus, Dma, MessageKind, Upstream};
use platform::Registers;

use crate::pci::VirtioPci;
use crate::rng::Rng;

const RAM: u64 = 1 << 20;
/// Where the structures are on the bus, and from which address of memory on its bus addresses are open.
const BASE: u64 = 0x21_0000_0000;
const OPEN: u64 = 0x4_0000;
/// The parts of the queue, as bus addresses.
const DESCRIPTORS: u64 = 0x1000;
const AVAILABLE: u64 = 0x2000;
const USED: u64 = 0x3000;
const BUFFER: u64 = 0x4000;
const LINE: u32 = 0x1200;
const MESSAGE: u32 = 0x1300;

struct Driver {
    bus: Arc<Bus>,
    mem: Arc<GuestMem>,
    structures: Aperture,
    raised: Arc<Mutex<Vec<(u32, bool)>>>,
}

impl Driver {
    /// A device that can be reached; nothing is set up.
    fn new() -> Driver {
        let mem = Arc::new(GuestMem::new(RAM).unwrap());
        let raised = Arc::<Mutex<Vec<_>>>::default();
        let set = Arc::clone(&raised);
        let set = Box::new(move |source, on| set.lock().unwrap().push((source, on)));
        let bus = Arc::new(Bus::new(Upstream::new(Dma::new(Arc::clone(&mem)), LINE, MESSAGE..MESSAGE + 8, set)));
        let count = AtomicU64::new(0x0101_0101_0101_0101);
        let device = Box::new(Rng(Box::new(move || Some(count.fetch_add(0x0101_0101_0101_0101, Ordering::Relaxed)))));
        bus.plug(0, true, VirtioPci::description(&*device), |port| Box::new(VirtioPci::new(device, port)));
        for (offset, value) in [(0x14, 0x8000_0000), (0x20, BASE as u32), (0x24, (BASE >> 32) as u32), (4, 6)] {
            bus.write_config(0, 0, offset, 4, value);
        }
        let entries: Vec<u64> = (0..64).map(|page| (OPEN + (page << 12)) | 3).collect();
        assert!(bus.dma().window(0).unwrap().set(0, &entries));
        let structures = Aperture { bus: Arc::clone(&bus), io: false, base: BASE };
        Driver { bus, mem, structures, raised }
    }

    fn read(&self, offset: u64, bytes: u64) -> u64 {
        self.structures.read(offset, bytes).swap_bytes() >> (64 - 8 * bytes)
    }

    fn write(&self, offset: u64, bytes: u64, value: u64) {
        self.structures.write(offset, bytes, value.swap_bytes() >> (64 - 8 * bytes));
    }

    fn status(&self, bits: u64) -> u64 {
        self.write(0x14, 1, bits);
        self.read(0x14, 1)
    }

    fn features(&self, low: u64, high: u64) -> u64 {
        assert_eq!((self.status(0), self.status(3)), (0, 3));
        for (select, value) in [(0, low), (1, high)] {
            self.write(0x08, 4, select);
            self.write(0x0c, 4, value);
        }
        self.status(0xb)
    }

    /// Sets everything up as a driver does.
    fn start() -> Driver {
        let driver = Driver::new();
        driver.restart();
        driver
    }

    fn restart(&self) {
        assert_eq!(self.features(0, 3), 0xb);
        for (offset, area) in [(0x20, DESCRIPTORS), (0x28, AVAILABLE), (0x30, USED)] {
            self.write(offset, 8, area);
        }
        self.write(0x1c, 2, 1);
        assert_eq!(self.status(0xf), 0xf);
        for at in (DESCRIPTORS..BUFFER).step_by(8) {
            self.mem.store(OPEN + at, Order::Little, 0_u64);
        }
    }

    fn put<T: guest_mem::Word>(&self, at: u64, value: T) {
        assert!(self.mem.store(OPEN + at, Order::Little, value));
    }

    fn get<T: guest_mem::Word>(&self, at: u64) -> T {
        self.mem.load(OPEN + at, Order::Little).unwrap()
    }

    fn descriptor(&self, number: u64, address: u64, len: u32, flags: u16, next: u16) {
        let at = DESCRIPTORS + 16 * number;
        self.put(at, address);
        self.put(at + 8, len);
        self.put(at + 12, flags);
        self.put(at + 14, next);
    }

    /// Makes descriptor `head` available as buffer `number`, and notifies.
    fn offer(&self, number: u16, head: u16) {
        self.put(AVAILABLE + 4 + 2 * u64::from(number % 8), head);
        self.put(AVAILABLE + 2, number.wrapping_add(1));
        self.write(0x1000, 2, 0);
    }

    /// The capability with this ID and, if it is one of virtio, kind.
    fn capability(&self, is: impl Fn(u32, u32) -> bool) -> u16 {
        let config = |offset| self.bus.read_config(0, 0, offset, 1).unwrap();
        let next = |at: u16| Some(config(at) as u16).filter(|at| *at != 0);
        let mut list = std::iter::successors(next(0x34), |at| next(at + 1)).take(16);
        list.find(|at| is(config(*at), config(at + 3))).unwrap()
    }

    fn raised(&self) -> Vec<(u32, bool)> {
        std::mem::take(&mut self.raised.lock().unwrap())
    }

    fn stopped(&self) -> bool {
        self.read(0x14, 1) & 0x40 != 0
    }
}

#[test]
fn features_are_confirmed_when_the_driver_takes_what_the_machine_needs() {
    let driver = Driver::new();
    assert_eq!(driver.read(0, 8), 0, "no feature of its own");
    driver.write(0, 4, 1);
    assert_eq!((driver.read(4, 4), driver.read(0x12, 2)), (3, 1));
    driver.write(0, 4, 2);
    assert_eq!(driver.read(4, 4), 0);
    for (low, high) in [(0, 0), (0, 1), (0, 2), (1, 3), (0, 7), (0xffff_ffff, 0xffff_ffff)] {
        assert_eq!(driver.features(low, high), 3, "{low:#x} {high:#x}");
    }
    assert_eq!(driver.features(0, 3), 0xb);
    driver.write(0x0c, 4, 0);
    assert_eq!(driver.read(0x0c, 4), 3, "settled");
}

#[test]
fn queues_are_set_up_by_fields_and_stay_as_they_are_once_enabled() {
    let driver = Driver::new();
    assert_eq!((driver.read(0x18, 2), driver.read(0x1a, 2), driver.read(0x1c, 2)), (8, 0xffff, 0));
    for (size, becomes) in [(4, 4), (3, 4), (0, 4), (16, 4), (8, 8)] {
        driver.write(0x18, 2, size);
        assert_eq!(driver.read(0x18, 2), becomes);
    }
    driver.write(0x1a, 2, 1);
    assert_eq!(driver.read(0x1a, 2), 1);
    driver.write(0x1a, 2, 2);
    assert_eq!(driver.read(0x1a, 2), 0xffff, "there are two");
    driver.write(0x20, 4, 0x1000);
    driver.write(0x24, 4, 7);
    assert_eq!(driver.read(0x20, 8), 0x7_0000_1000);
    driver.write(0x1c, 2, 1);
    driver.write(0x20, 4, 0x2000);
    driver.write(0x1c, 2, 0);
    assert_eq!((driver.read(0x20, 4), driver.read(0x1c, 2)), (0x1000, 1));
    driver.write(0x16, 2, 1);
    assert_eq!((driver.read(0x18, 2), driver.read(0x1c, 2)), (0, 0), "there is one");
    driver.write(0x14, 1, 0);
    assert_eq!((driver.read(0x16, 2), driver.read(0x1c, 2), driver.read(0x20, 8)), (0, 0, 0));
}

#[test]
fn buffers_are_filled_and_given_back_with_an_interrupt_on_the_pin() {
    let driver = Driver::start();
    // Two pieces, of which the second crosses a page.
    driver.descriptor(5, BUFFER, 4, 3, 2);
    driver.descriptor(2, BUFFER + 0xffe, 12, 2, 0);
    driver.offer(0, 5);
    assert_eq!((driver.get::<u16>(USED + 2), driver.get::<u32>(USED + 4), driver.get::<u32>(USED + 8)), (1, 5, 16));
    assert_eq!(driver.get::<u32>(BUFFER), 0x0101_0101);
    assert_eq!(driver.get::<u64>(BUFFER + 0xffe + 4), 0x0202_0202_0202_0202);
    assert_eq!(driver.raised(), [(LINE, true)]);
    assert_eq!((driver.read(0x2000, 1), driver.read(0x2000, 1)), (1, 0));
    assert_eq!(driver.raised(), [(LINE, false)]);
    // Nobody wants to hear of the next one.
    driver.put(AVAILABLE, 1_u16);
    driver.offer(1, 2);
    assert_eq!((driver.get::<u16>(USED + 2), driver.raised()), (2, vec![]));
    // Around the ring, several times.
    for number in 2..40 {
        driver.offer(number, 2);
    }
    assert_eq!((driver.get::<u16>(USED + 2), driver.stopped()), (40, false));
}

#[test]
fn messages_come_by_the_vectors_of_the_queue() {
    let driver = Driver::start();
    assert_eq!(driver.bus.assign(0, 0, MessageKind::Msix, 2), Some(2));
    driver.bus.write_config(0, 0, 4, 2, 6);
    let msix = driver.capability(|id, _| id == 0x11);
    driver.bus.write_config(0, 0, msix + 2, 2, 0x8000);
    let table = Aperture { bus: Arc::clone(&driver.bus), io: false, base: 0x8000_0000 };
    driver.descriptor(0, BUFFER, 64, 2, 0);
    driver.offer(0, 0);
    assert_eq!(driver.raised(), [], "the queue has no message");
    driver.write(0x1a, 2, 1);
    driver.offer(1, 0);
    assert_eq!((driver.raised(), table.read(0x800, 1)), (vec![], 2), "masked: pending");
    table.write(0x1c, 4, 0);
    assert_eq!(driver.raised(), [(MESSAGE + 1, true)]);
    driver.offer(2, 0);
    assert_eq!((driver.raised(), driver.read(0x2000, 1)), (vec![(MESSAGE + 1, true)], 0));
}

#[test]
fn rings_that_can_not_be_followed_stop_the_device_until_it_is_reset() {
    type Damage = fn(&Driver);
    let damages: [(&str, Damage); 11] = [
        ("a head outside of the table", |driver| driver.offer(0, 8)),
        ("a next one outside of the table", |driver| {
            driver.descriptor(0, BUFFER, 4, 3, 8);
            driver.offer(0, 0);
        }),
        ("a loop", |driver| {
            driver.descriptor(0, BUFFER, 4, 3, 1);
            driver.descriptor(1, BUFFER, 4, 3, 0);
            driver.offer(0, 0);
        }),
        ("more available than the ring holds", |driver| driver.offer(8, 0)),
        ("more than 4 GiB", |driver| {
            driver.descriptor(0, BUFFER, u32::MAX, 3, 1);
            driver.descriptor(1, BUFFER, 1, 2, 0);
            driver.offer(0, 0);
        }),
        ("to be read behind what is to be written", |driver| {
            driver.descriptor(0, BUFFER, 4, 3, 1);
            driver.descriptor(1, BUFFER, 4, 0, 0);
            driver.offer(0, 0);
        }),
        ("an indirect table, which was not offered", |driver| {
            driver.descriptor(0, BUFFER, 16, 4, 0);
            driver.offer(0, 0);
        }),
        ("a buffer outside of the window", |driver| {
            driver.descriptor(0, 0x4000_0000, 4, 2, 0);
            driver.offer(0, 0);
        }),
        ("a buffer that wraps around", |driver| {
            driver.descriptor(0, u64::MAX - 1, 4, 2, 0);
            driver.offer(0, 0);
        }),
        ("a page that can not be written", |driver| {
            driver.bus.dma().window(0).unwrap().set(BUFFER >> 12, &[(OPEN + BUFFER) | 1]);
            driver.descriptor(0, BUFFER, 4, 2, 0);
            driver.offer(0, 0);
        }),
        ("a ring that can not be written", |driver| {
            driver.bus.dma().window(0).unwrap().set(USED >> 12, &[(OPEN + USED) | 1]);
            driver.descriptor(0, BUFFER, 4, 2, 0);
            driver.offer(0, 0);
        }),
    ];
    for (what, damage) in damages {
        let driver = Driver::start();
        damage(&driver);
        assert!(driver.stopped(), "{what}");
        assert_eq!((driver.raised(), driver.read(0x2000, 1)), (vec![(LINE, true)], 2), "{what}");
        driver.descriptor(0, BUFFER, 4, 2, 0);
        let used: u16 = driver.get(USED + 2);
        driver.offer(0, 0);
        assert_eq!(driver.get::<u16>(USED + 2), used, "{what}: it serves nothing");
        let entries = [BUFFER, USED].map(|at| (at >> 12, (OPEN + at) | 3));
        entries.iter().for_each(|(page, entry)| _ = driver.bus.dma().window(0).unwrap().set(*page, &[*entry]));
        driver.restart();
        driver.descriptor(0, BUFFER, 4, 2, 0);
        driver.offer(0, 0);
        assert_eq!((driver.get::<u16>(USED + 2), driver.stopped()), (1, false), "{what}: as new after a reset");
    }
}

#[test]
fn a_device_that_may_not_master_the_bus_reaches_nothing() {
    let driver = Driver::start();
    driver.bus.write_config(0, 0, 4, 2, 2);
    driver.descriptor(0, BUFFER, 4, 2, 0);
    driver.offer(0, 0);
    assert_eq!((driver.get::<u16>(USED + 2), driver.stopped()), (0, true));
}

#[test]
fn the_window_in_configuration_space_shows_the_structures() {
    let driver = Driver::start();
    let config = |offset, bytes| driver.bus.read_config(0, 0, offset, bytes).unwrap();
    let at = driver.capability(|id, kind| (id, kind) == (9, 5));
    assert_eq!(config(at + 2, 1), 20, "its length");
    let set = |offset: u64, len: u32| {
        driver.bus.write_config(0, 0, at + 4, 1, 4);
        driver.bus.write_config(0, 0, at + 8, 4, offset as u32);
        driver.bus.write_config(0, 0, at + 12, 4, len);
    };
    set(0x14, 1);
    assert_eq!((config(at + 16, 1), config(at + 17, 1)), (0xf, 0));
    driver.bus.write_config(0, 0, at + 16, 1, 0);
    assert_eq!(driver.read(0x14, 1), 0, "it was reset");
    for (offset, len) in [(0x15, 2), (0x14, 3), (0x4000, 1), (u64::from(u32::MAX), 1)] {
        set(offset, len);
        driver.bus.write_config(0, 0, at + 16, 4, 0x5a);
        assert_eq!(config(at + 16, 4), 0x5a, "what was written, and nothing else");
    }
}
