//! A pseries machine with a XIVE.

mod fixture;

use std::sync::Arc;

use exec::{Privileged, Width, request};
use fixture::Fixture;
use image::elf::{self, Abi, Class, Kernel, Segment};
use image::fdt::Fdt;
use machine::clock::VirtualClock;
use machine::{Interrupts, Kind, Mmu, PlanError, Spec};
use papr_abi::hcall::{
    H_ENTER, H_INT_ESB, H_INT_GET_QUEUE_CONFIG, H_INT_GET_QUEUE_INFO, H_INT_GET_SOURCE_CONFIG, H_INT_GET_SOURCE_INFO,
    H_INT_RESET, H_INT_SET_QUEUE_CONFIG, H_INT_SET_SOURCE_CONFIG, H_XIRR,
};
use papr_abi::rtas::{PARAMETER, SET_XIVE};
use papr_abi::status::{H_FUNCTION, H_P4, H_PARAMETER, H_SUCCESS};
use ppc_isa::Cpu;

const CPUS: u32 = 2;
const VTY: u64 = 0x1100;
const LSI: u64 = 0x1200;
/// Pages of the management area: the operating system's, and that of user programs.
const OS_VIEW: u64 = 0x6_0302_031a_0000;
const USER_VIEW: u64 = 0x6_0302_031b_0000;
const QUEUE: u64 = 0x10_0000;

impl Fixture {
    /// A load by vCPU `server`.
    fn load(&self, server: u32, real: u64, width: Width) -> Option<u64> {
        self.machine.context(server, &VirtualClock, Privileged::Trap).unwrap().mmio.read(real, width)
    }

    /// A store by vCPU `server`.
    fn store(&self, server: u32, real: u64, width: Width, value: u64) {
        assert!(self.machine.context(server, &VirtualClock, Privileged::Trap).unwrap().mmio.write(real, width, value));
    }

    /// Lets interrupts of priority 6 into `server`, and `lisn` lead there; returns its management and trigger pages.
    fn connect(&mut self, lisn: u64, server: u32) -> [u64; 2] {
        let queue = QUEUE + 0x1000 * u64::from(server);
        assert_eq!(self.status(H_INT_SET_QUEUE_CONFIG, &[1, server.into(), 6, queue, 12]), H_SUCCESS);
        assert_eq!(self.status(H_INT_SET_SOURCE_CONFIG, &[2, lisn, server.into(), 6, lisn]), H_SUCCESS);
        self.store(server, OS_VIEW + 0x11, Width::B1, 0xff);
        assert_eq!(self.status(H_INT_ESB, &[0, lisn, 0xc00]), H_SUCCESS);
        let info = self.hcall(H_INT_GET_SOURCE_INFO, &[0, lisn]);
        [info.out[1], info.out[2]]
    }
}

#[test]
fn typed_input_interrupts_the_vcpu_of_its_route() {
    let mut fixture = Fixture::xive(CPUS, Mmu::Radix);
    let [management, _] = fixture.connect(VTY, 1);
    let lines = Arc::clone(&fixture.machine.lines);
    let up = || [0, 1].map(|server| lines.external(server));
    assert_eq!(up(), [false; 2]);
    fixture.machine.controls().type_in(b"x");
    assert_eq!(up(), [false, true]);
    assert_eq!(fixture.machine.mailboxes.0[1].take(!0), request::INTERRUPT);
    assert_eq!(fixture.word(QUEUE + 0x1000), 0x8000_1100);
    assert_eq!([0, 1].map(|server| fixture.load(server, OS_VIEW + 0x810, Width::B2)), [Some(0), Some(0x8006)]);
    assert_eq!(up(), [false; 2]);
    assert_eq!(fixture.load(0, management + 0x800, Width::B8), Some(2));
    assert_eq!(fixture.load(0, management + 0xc00, Width::B8), Some(2));
    assert_eq!(fixture.load(0, management + 0x800, Width::B8), Some(0));
}

#[test]
fn every_vcpu_sees_its_own_context_at_one_address() {
    let mut fixture = Fixture::xive(CPUS, Mmu::Radix);
    fixture.store(1, OS_VIEW + 0x11, Width::B1, 5);
    assert_eq!([0, 1].map(|server| fixture.load(server, OS_VIEW + 0x11, Width::B1)), [Some(0), Some(5)]);
    assert_eq!(fixture.load(1, USER_VIEW + 0x11, Width::B1), Some(0));
    assert_eq!([OS_VIEW - 1, USER_VIEW + 0x1_0000].map(|at| fixture.load(0, at, Width::B1)), [None, None]);
    // An interrupt from one to the other.
    let [_, trigger] = fixture.connect(1, 1);
    fixture.store(0, trigger, Width::B8, 0);
    assert_eq!([0, 1].map(|server| fixture.machine.lines.external(server)), [false, true]);
    assert_eq!(fixture.load(1, OS_VIEW + 0x10, Width::B8), Some(0x80ff_02ff_ff00_0006));
}

#[test]
fn pages_are_where_the_calls_say() {
    let mut fixture = Fixture::xive(CPUS, Mmu::Radix);
    let info = fixture.hcall(H_INT_GET_SOURCE_INFO, &[0, VTY]).out;
    assert_eq!(info[..4], [1, 0x6_0100_2201_0000, 0x6_0100_2200_0000, 16]);
    let info = fixture.hcall(H_INT_GET_SOURCE_INFO, &[0, LSI]).out;
    assert_eq!(info[..4], [0xd, u64::MAX, u64::MAX, 16]);
    assert_eq!(fixture.hcall(H_INT_GET_SOURCE_CONFIG, &[0, VTY]).out[..3], [0, 0xff, 0]);
    let page = fixture.hcall(H_INT_GET_QUEUE_INFO, &[0, 1, 6]).out;
    assert_eq!(page[..2], [0x6_0100_400e_0000, 16]);
    assert_eq!(fixture.load(0, page[0] + 0x800, Width::B8), Some(1), "off without a queue");
    fixture.connect(VTY, 1);
    assert_eq!(fixture.load(0, page[0] + 0x800, Width::B8), Some(0));
    fixture.machine.controls().type_in(b"x");
    assert_eq!(fixture.hcall(H_INT_GET_QUEUE_CONFIG, &[1, 1, 6]).out[..4], [1 << 62 | 1, QUEUE + 0x1000, 12, 1]);
    assert_eq!(fixture.status(H_INT_RESET, &[0]), H_SUCCESS);
    assert_eq!(fixture.hcall(H_INT_GET_QUEUE_CONFIG, &[1, 1, 6]).out[..4], [0; 4]);
    assert!(!fixture.machine.lines.external(1));
}

#[test]
fn queues_are_in_memory() {
    let mut fixture = Fixture::xive(CPUS, Mmu::Radix);
    for (address, size) in [(fixture::RAM, 12), (fixture::RAM - 0x1000, 16), (0, 24 + 1), (u64::MAX - 0xfff, 12)] {
        assert_ne!(fixture.status(H_INT_SET_QUEUE_CONFIG, &[1, 0, 6, address, size]), H_SUCCESS);
    }
    assert_eq!(fixture.status(H_INT_SET_QUEUE_CONFIG, &[1, 0, 6, fixture::RAM, 24]), H_P4);
    assert_eq!(fixture.status(H_INT_SET_QUEUE_CONFIG, &[1, 0, 6, 0, 24]), H_SUCCESS);
}

#[test]
fn the_other_controller_does_not_exist() {
    let mut fixture = Fixture::xive(CPUS, Mmu::Radix);
    assert_eq!(fixture.status(H_XIRR, &[]), H_FUNCTION);
    assert_eq!(fixture.rtas(SET_XIVE, &[VTY as u32, 0, 5]), [PARAMETER]);
    let mut fixture = Fixture::radix();
    assert_eq!(fixture.status(H_INT_GET_SOURCE_INFO, &[0, VTY]), H_FUNCTION);
    assert_eq!(fixture.load(0, OS_VIEW + 0x10, Width::B8), None);
}

#[test]
fn the_tree_has_one_controller() {
    let tree = |fixture: &Fixture| {
        let tree = Fdt::read(&fixture.tree).unwrap();
        let value = |path: &str, name: &str| {
            tree.find(path).and_then(|node| node.property(name)).map(|property| property.value.to_vec())
        };
        (
            ["/interrupt-controller", "/interrupt-controller@60302031b0000"].map(|path| tree.find(path).is_some()),
            value("/", "ibm,plat-res-int-priorities"),
            value("/chosen", "ibm,architecture-vec-5").unwrap()[23],
            value("/rtas", "ibm,int-on").is_some(),
            value("/interrupt-controller@60302031b0000", "reg"),
            value("/interrupt-controller@60302031b0000", "ibm,xive-lisn-ranges"),
        )
    };
    let (nodes, priorities, vec_5, int_on, reg, lisns) = tree(&Fixture::xive(CPUS, Mmu::Radix));
    assert_eq!((nodes, vec_5, int_on), ([false, true], 0x40, false));
    assert_eq!(priorities.unwrap(), [0, 0, 0, 7, 0, 0, 0, 0xf8]);
    let ranges = [USER_VIEW, 0x1_0000, OS_VIEW, 0x1_0000].map(u64::to_be_bytes);
    assert_eq!(reg.unwrap(), ranges.concat());
    assert_eq!(lisns.unwrap(), [0, 0, 0, 0, 0, 0, 0, CPUS as u8]);
    assert_eq!(tree(&Fixture::radix()), ([true, false], None, 0, true, None, None));
}

/// Pages of sources and of the management area go into a hashed table with the attributes of devices, and only where there
/// is such a controller.
#[test]
fn a_hashed_table_maps_its_pages() {
    const V: u64 = 0x123 << 12 | 1;
    const ESB: u64 = 0x6_0100_0000_0000;
    let enter = |fixture: &mut Fixture, real: u64, wimg: u64| fixture.status(H_ENTER, &[0, 0, V, real | wimg | 2]);
    let mut fixture = Fixture::xive(CPUS, Mmu::Hash);
    let info = fixture.hcall(H_INT_GET_SOURCE_INFO, &[0, VTY]).out;
    for real in [ESB, info[1], OS_VIEW, USER_VIEW] {
        for (wimg, status) in [(0x28, H_SUCCESS), (0x20, H_SUCCESS), (0x10, H_PARAMETER), (0x68, H_PARAMETER)] {
            assert_eq!(enter(&mut fixture, real, wimg), status, "{real:#x} {wimg:#x}");
        }
        assert_eq!(enter(&mut Fixture::hash(), real, 0x28), H_PARAMETER, "{real:#x}");
    }
    for real in [ESB - 0x1000, OS_VIEW - 0x1000, USER_VIEW + 0x1_0000] {
        assert_eq!(enter(&mut fixture, real, 0x28), H_PARAMETER, "{real:#x}");
    }
}

#[test]
fn machines_without_one_say_so() {
    let segment = Segment { physical: 0, virtual_: 0, file: 0..0, memory_size: 0x1000 };
    let (order, abi) = (elf::Order::Big, Abi::ElfV2);
    let plan = |kind, cpu, mmu| {
        let spec = Spec { mmu, interrupts: Interrupts::Xive, ..Spec::new(kind, cpu) };
        let class = if cpu.sixty_four() { Class::Elf64 } else { Class::Elf32 };
        let segments = vec![segment.clone()];
        machine::plan(&spec, &Kernel { class, order, abi, entry: 0, segments }, None).err()
    };
    for cpu in [Cpu::Power9, Cpu::Power10] {
        for mmu in [Mmu::Hash, Mmu::Radix] {
            assert_eq!(plan(Kind::Pseries, cpu, mmu), None);
        }
    }
    for (kind, cpu, mmu) in [
        (Kind::Pseries, Cpu::Power8, Mmu::Hash),
        (Kind::Bare, Cpu::Power9, Mmu::Radix),
        (Kind::E500, Cpu::E5500, Mmu::Hash),
        (Kind::Mac, Cpu::Ppc750, Mmu::Hash),
    ] {
        let error = plan(kind, cpu, mmu);
        assert_eq!(error, Some(PlanError::NoXive), "{kind:?} {cpu:?} {mmu:?}");
        assert!(error.unwrap().to_string().starts_with("--interrupts xive goes with --machine pseries"));
    }
}
