//! A pseries with an entropy device, driven by hand: its node, its messages through the interrupt controller, and slots whose
//! devices come and go.

mod fixture;

use std::thread;

use exec::{MmioPort, Width};
use fixture::Fixture;
use guest_mem::Order;
use image::fdt::Fdt;
use machine::{Device, HotPlugError, Kind, PlanError, Spec};
use papr_abi::hcall::{H_CPPR, H_EOI, H_PUT_TCE, H_XIRR};
use papr_abi::rtas::{
    CHANGE_MSI, CHECK_EXCEPTION, CONFIGURE_CONNECTOR, GET_SENSOR_STATE, INT_ON, QUERY_INTERRUPT_SOURCE_NUMBER,
    READ_PCI_CONFIG, SET_INDICATOR, SET_XIVE, WRITE_PCI_CONFIG,
};
use ppc_isa::Cpu;

const LIOBN: u64 = 0x8000_0000;
const BRIDGE: [u32; 2] = [0x0800_0000, 0x2000_0000];
/// Where the guest has put the structures and the table of messages: guest real and bus addresses.
const STRUCTURES: (u64, u64) = (0x2100_0000_0000, 0x2100_0000_0000);
const TABLE: (u64, u32) = (0x2000_8000_0000, 0x8000_0000);
/// Bus addresses of the queue and of a buffer, and memory behind them.
const DESCRIPTORS: u64 = 0x1000;
const AVAILABLE: u64 = 0x2000;
const USED: u64 = 0x3000;
const BUFFER: u64 = 0x4000;
const OPEN: u64 = 0x40_0000;
const AREA: u32 = 0x30_0000;

const ISOLATION: u32 = 9001;

struct Guest(Fixture);

impl Guest {
    fn new() -> Guest {
        let mut guest = Guest(Fixture::with_devices(&[Device::VirtioRng]));
        assert_eq!(guest.0.status(H_CPPR, &[0xff]), 0);
        guest
    }

    fn config(&mut self, offset: u32, bytes: u32) -> u32 {
        let [status, value] = self.0.rtas(READ_PCI_CONFIG, &[offset, BRIDGE[0], BRIDGE[1], bytes])[..] else {
            panic!()
        };
        assert_eq!(status, 0);
        value as u32
    }

    fn configure(&mut self, offset: u32, bytes: u32, value: u32) {
        assert_eq!(self.0.rtas(WRITE_PCI_CONFIG, &[offset, BRIDGE[0], BRIDGE[1], bytes, value]), [0]);
    }

    /// Stores a little-endian number.
    fn store(&self, address: u64, bytes: u64, value: u64) {
        let width = [Width::B1, Width::B2, Width::B4, Width::B8][bytes.trailing_zeros() as usize];
        let stored = self.0.machine.bus(0).unwrap().write(address, width, value.swap_bytes() >> (64 - 8 * bytes));
        assert!(stored);
    }

    fn load(&self, address: u64) -> u32 {
        (self.0.machine.bus(0).unwrap().read(address, Width::B4).unwrap() as u32).swap_bytes()
    }

    fn put<T: guest_mem::Word>(&self, at: u64, value: T) {
        self.0.machine.mem.store(OPEN + at, Order::Little, value);
    }

    /// Finds the device, sets up its queue with message 1, and opens pages for it.
    fn start(&mut self) {
        assert_eq!(self.config(0, 4), 0x1044_1af4);
        for (offset, value) in
            [(0x14, TABLE.1), (0x20, STRUCTURES.1 as u32), (0x24, (STRUCTURES.1 >> 32) as u32), (4, 6)]
        {
            self.configure(offset, 4, value);
        }
        for page in [DESCRIPTORS, AVAILABLE, USED, BUFFER] {
            assert_eq!(self.0.status(H_PUT_TCE, &[LIOBN, page, (OPEN + page) | 3]), 0);
        }
        let common: [(u64, u64, u64); 9] = [
            (0x14, 1, 3),
            (0x08, 4, 1),
            (0x0c, 4, 3),
            (0x14, 1, 0xb),
            (0x20, 8, DESCRIPTORS),
            (0x28, 8, AVAILABLE),
            (0x30, 8, USED),
            (0x1a, 2, 1),
            (0x1c, 2, 1),
        ];
        common.iter().for_each(|(offset, bytes, value)| self.store(STRUCTURES.0 + offset, *bytes, *value));
        self.store(STRUCTURES.0 + 0x14, 1, 0xf);
        self.put(DESCRIPTORS, BUFFER);
        self.put(DESCRIPTORS + 8, 8_u32);
        self.put(DESCRIPTORS + 12, 2_u16);
    }

    /// Has buffer `number` filled.
    fn fill(&self, number: u16) {
        self.put(AVAILABLE + 2, number + 1);
        self.store(STRUCTURES.0 + 0x1000, 2, 0);
        assert_eq!(self.0.machine.mem.load(OPEN + USED + 2, Order::Little), Some(number + 1));
    }

    /// What interrupts now.
    fn interrupt(&mut self) -> u32 {
        self.0.hcall(H_XIRR, &[]).out[0] as u32
    }

    fn msix(&mut self) -> u32 {
        let mut at = self.config(0x34, 1);
        while self.config(at, 1) != 0x11 {
            at = self.config(at + 1, 1);
            assert_ne!(at, 0);
        }
        at
    }
}

#[test]
fn a_function_has_a_node_with_what_guests_need_to_find_it() {
    let fixture = Fixture::with_devices(&[Device::VirtioRng, Device::VirtioRng]);
    let tree = Fdt::read(&fixture.tree).unwrap();
    let node = tree.find("/pci@800000020000000/pci1af4,1044@1").unwrap();
    let cells = |name: &str| node.property(name).unwrap().cells().collect::<Vec<_>>();
    assert_eq!(
        (cells("vendor-id"), cells("device-id"), cells("class-code")),
        (vec![0x1af4], vec![0x1044], vec![0xff00])
    );
    assert_eq!(
        (cells("interrupts"), cells("ibm,req#msi-x"), cells("ibm,my-drc-index")),
        (vec![1], vec![2], vec![0x4000_0008])
    );
    let registers = [[0x0800, 0, 0, 0, 0], [0x0300_0820, 0, 0, 0, 0x4000], [0x0200_0814, 0, 0, 0, 0x1000]];
    assert_eq!(cells("reg"), registers.concat());
    let bridge = tree.find("/pci@800000020000000").unwrap();
    let cells = |name: &str| bridge.property(name).unwrap().cells().collect::<Vec<_>>();
    assert_eq!(cells("ibm,drc-indexes")[..3], [32, 0x4000_0000, 0x4000_0008]);
    assert_eq!(
        (cells("ibm,ddw-applicable"), cells("ibm,ddw-extensions")),
        (vec![0x2026, 0x2027, 0x2028], vec![2, 0x2029, 1])
    );
    let plan = |kind, cpu, count| {
        let spec = Spec { devices: (0..count).map(|slot| (slot, Device::VirtioRng)).collect(), ..Spec::new(kind, cpu) };
        machine::plan(&spec, &fixture::kernel(cpu), None).map(|_| ())
    };
    assert_eq!(plan(Kind::Pseries, Cpu::Power9, 33), Err(PlanError::Slots { count: 33 }));
    assert_eq!(plan(Kind::Bare, Cpu::Power9, 1), Err(PlanError::Pseries { flag: "--device" }));
    assert_eq!(plan(Kind::E500, Cpu::E500v2, 1), Err(PlanError::Pseries { flag: "--device" }));
}

#[test]
fn messages_interrupt_where_the_guest_routes_them_and_wait_while_masked() {
    let mut guest = Guest::new();
    guest.start();
    let [high, low] = BRIDGE;
    assert_eq!(guest.0.rtas(CHANGE_MSI, &[0, high, low, 4, 4, 1]), [0, 2, 2, 2], "two of the four");
    let sources: Vec<_> = (0..2).map(|n| guest.0.rtas(QUERY_INTERRUPT_SOURCE_NUMBER, &[0, high, low, n])).collect();
    assert_eq!(sources, [[0, 0x1300, 1], [0, 0x1301, 1]]);
    assert_eq!((guest.load(TABLE.0 + 0x10), guest.load(TABLE.0 + 0x18)), (0x4000_0000, 0x1301));
    assert_eq!(guest.0.rtas(SET_XIVE, &[0x1301, 0, 5]), [0]);
    assert_eq!(guest.0.rtas(INT_ON, &[0x1301]), [0]);
    let msix = guest.msix();
    guest.configure(msix + 2, 2, 0x8000);
    // Masked since its reset.
    guest.fill(0);
    assert_eq!((guest.interrupt(), guest.load(TABLE.0 + 0x800)), (0xff00_0000, 2));
    guest.store(TABLE.0 + 0x1c, 4, 0);
    assert_eq!((guest.interrupt(), guest.load(TABLE.0 + 0x800)), (0xff00_1301, 0));
    guest.0.status(H_EOI, &[0xff00_1301]);
    // The whole function.
    guest.configure(msix + 2, 2, 0xc000);
    guest.fill(1);
    guest.fill(2);
    assert_eq!(guest.interrupt(), 0xff00_0000);
    guest.configure(msix + 2, 2, 0x8000);
    assert_eq!(guest.interrupt(), 0xff00_1301);
    guest.0.status(H_EOI, &[0xff00_1301]);
    assert_eq!(guest.interrupt(), 0xff00_0000, "once for both");
    // Masked at the controller.
    assert_eq!(guest.0.rtas(SET_XIVE, &[0x1301, 0, 0xff]), [0]);
    guest.fill(3);
    assert_eq!(guest.interrupt(), 0xff00_0000);
    assert_eq!(guest.0.rtas(SET_XIVE, &[0x1301, 0, 5]), [0]);
    assert_eq!(guest.interrupt(), 0xff00_1301);
    guest.0.status(H_EOI, &[0xff00_1301]);
    // Without messages it is the pin, until the interrupt is taken at the device.
    assert_eq!(guest.0.rtas(CHANGE_MSI, &[0, high, low, 1, 0, 1]), [0, 0, 2, 2]);
    assert_eq!(guest.config(msix + 2, 2), 1, "off");
    assert_eq!(guest.0.rtas(SET_XIVE, &[0x1200, 0, 5]), [0]);
    guest.fill(4);
    assert_eq!(guest.interrupt(), 0xff00_1200);
    guest.0.status(H_EOI, &[0xff00_1200]);
    assert_eq!(guest.interrupt(), 0xff00_1200, "a level");
    assert_eq!(guest.load(STRUCTURES.0 + 0x2000) & 0xff, 1);
    guest.0.status(H_EOI, &[0xff00_1200]);
    assert_eq!(guest.interrupt(), 0xff00_0000);
}

impl Guest {
    /// Waits for a hot-plug event: action and connector.
    fn event(&mut self) -> (u8, u32) {
        loop {
            let status = self.0.rtas(CHECK_EXCEPTION, &[0x500, 0x1001, 0x1000_0000, 0, AREA, 0x1000])[0];
            if status == 0 {
                break;
            }
            thread::yield_now();
        }
        let len = self.0.word(u64::from(AREA) + 4) + 8;
        let mut log = vec![0; len as usize];
        assert!(self.0.machine.mem.read(AREA.into(), &mut log));
        let end = &log[log.len() - 8..];
        assert_eq!((end[0], end[2]), (5, 2), "PCI, by index");
        (end[1], u32::from_be_bytes(end[4..].try_into().unwrap()))
    }

    /// The names that configure-connector tells, with the statuses.
    fn describe(&mut self, connector: u32) -> Vec<(i32, String)> {
        let mut told = Vec::new();
        self.0.set_word(AREA.into(), connector);
        loop {
            let status = self.0.rtas(CONFIGURE_CONNECTOR, &[AREA, 0])[0];
            let name = u64::from(AREA + self.0.word(u64::from(AREA) + 8));
            let bytes =
                (name..name + 64).map_while(|at| self.0.machine.mem.load::<u8>(at, Order::Big).filter(|b| *b != 0));
            told.push((status, String::from_utf8(bytes.collect()).unwrap()));
            if status <= 0 {
                return told;
            }
        }
    }

    fn indicate(&mut self, connector: u32, value: u32) -> i32 {
        self.0.rtas(SET_INDICATOR, &[ISOLATION, connector, value])[0]
    }

    fn sense(&mut self, connector: u32) -> i32 {
        self.0.rtas(GET_SENSOR_STATE, &[9003, connector])[1]
    }
}

#[test]
fn a_device_comes_and_goes_as_the_guest_takes_it_and_gives_it_back() {
    const SLOT: u32 = 0x4000_0008;
    let mut guest = Guest::new();
    let hot_plug = guest.0.machine.controls().hot_plug().unwrap();
    let other = std::sync::Arc::clone(&hot_plug);
    let adding = thread::spawn(move || other.add_device(Device::VirtioRng));
    assert_eq!(guest.event(), (1, SLOT));
    assert_eq!((guest.sense(SLOT), guest.config(0x800, 4)), (1, u32::MAX), "isolated");
    assert_eq!(guest.indicate(SLOT, 1), 0);
    assert_eq!(guest.config(0x800, 4), 0x1044_1af4);
    let told = guest.describe(SLOT);
    assert_eq!((told[0].clone(), told.last().unwrap().0), ((2, "pci1af4,1044@1".to_owned()), 0));
    assert!(told.iter().any(|item| *item == (3, "ibm,req#msi-x".to_owned())));
    assert_eq!(adding.join().unwrap(), Ok(1));
    guest.configure(0x804, 2, 7);
    let other = std::sync::Arc::clone(&hot_plug);
    let removing = thread::spawn(move || other.remove_device(1));
    assert_eq!(guest.event(), (2, SLOT));
    assert_eq!(guest.indicate(SLOT, 0), 0);
    assert_eq!(removing.join().unwrap(), Ok(()));
    assert_eq!((guest.sense(SLOT), guest.config(0x800, 4), guest.indicate(SLOT, 1)), (0, u32::MAX, -3));
    // What was there from the start goes, too.
    let other = std::sync::Arc::clone(&hot_plug);
    let removing = thread::spawn(move || other.remove_device(0));
    assert_eq!((guest.event(), guest.indicate(0x4000_0000, 0)), ((2, 0x4000_0000), 0));
    assert_eq!((removing.join().unwrap(), guest.config(0, 4)), (Ok(()), u32::MAX));
    assert_eq!([0, 1, 32, 255].map(|slot| hot_plug.remove_device(slot)), [(); 4].map(|()| Err(HotPlugError::Unknown)));
}
