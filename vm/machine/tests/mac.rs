//! The Power Macintosh as a guest sees it: entry, device tree, and the devices at their addresses.

mod fixture;

use std::ops::Range;

use exec::{MmioPort, Privileged, Width};
use fixture::Printed;
use guest_mem::Order;
use hv_core::Halt;
use image::elf::{self, Abi, Class, Kernel, Segment};
use image::fdt::Fdt;
use machine::clock::VirtualClock;
use machine::{Calls, Kind, Layout, Machine, Mmu, PlanError, Spec};
use ppc_isa::{Cpu, msr};

const MODELS: [Cpu; 3] = [Cpu::Ppc750, Cpu::Ppc7400, Cpu::Ppc7450];
/// Seconds since 1970 when the guest starts: 1 January 2030.
const START: i64 = 1_893_456_000;

/// Where the devices of a PowerMac3,1 are.
const ESCC_A: u64 = 0x8001_3020;
const VIA: u64 = 0x8001_6000;
const OPENPIC: u64 = 0x8004_0000;

fn spec(cpu: Cpu) -> Spec {
    Spec {
        kind: Kind::Mac,
        cpu,
        cpus: 1,
        memory: 256 << 20,
        mmu: Mmu::Hash,
        calls: Calls::with_pv(true),
        append: "console=ttyPZ0".into(),
        seed: [7; 32],
        fixed_start: Some(START),
        ..Spec::new(Kind::Mac, cpu)
    }
}

/// Linux's shape: linked at 3 GiB, loaded at 0, entered at its first byte.
fn kernel(size: u64) -> Kernel {
    let segment = Segment { physical: 0, virtual_: 0xc000_0000, file: Range::default(), memory_size: size };
    let order = elf::Order::Big;
    Kernel { class: Class::Elf32, order, entry: 0xc000_0000, abi: Abi::SysV32, segments: vec![segment] }
}

fn plan(spec: &Spec, size: u64, initrd: Option<u64>) -> Result<Layout, PlanError> {
    machine::plan(spec, &kernel(size), initrd)
}

struct Mac {
    machine: Machine,
    printed: Printed,
}

impl Mac {
    fn new() -> Mac {
        let layout = plan(&spec(Cpu::Ppc7400), 6 << 20, None).unwrap();
        let printed = Printed::default();
        Mac { machine: Machine::build(&layout, &[], None, Box::new(printed.clone())).unwrap(), printed }
    }

    fn bus<T>(&self, work: impl FnOnce(&dyn MmioPort) -> T) -> T {
        work(self.machine.context(0, &VirtualClock, Privileged::Inline).unwrap().mmio)
    }

    fn byte(&self, real: u64) -> u8 {
        self.bus(|bus| bus.read(real, Width::B1)).unwrap() as u8
    }

    fn set_byte(&self, real: u64, value: u8) {
        assert!(self.bus(|bus| bus.write(real, Width::B1, value.into())), "{real:#x}");
    }

    /// A word of the little-endian interrupt controller.
    fn pic(&self, offset: u64) -> u32 {
        (self.bus(|bus| bus.read(OPENPIC + offset, Width::B4)).unwrap() as u32).swap_bytes()
    }

    fn set_pic(&self, offset: u64, value: u32) {
        assert!(self.bus(|bus| bus.write(OPENPIC + offset, Width::B4, value.swap_bytes().into())));
    }

    /// Lets level source `number` interrupt the processor with its number as vector.
    fn unmask(&self, number: u64) {
        self.set_pic(0x1_0000 + 0x20 * number, 0x0048_0000 | number as u32);
        self.set_pic(0x1_0010 + 0x20 * number, 1);
        self.set_pic(0x2_0080, 0);
    }

    fn external(&self) -> bool {
        self.machine.lines.external(0)
    }

    /// Sends a message to the power management unit by the VIA's shift register, and reads `count` bytes back.
    fn pmu(&self, message: &[u8], count: usize) -> Vec<u8> {
        let (port, direction, shift, control) = (VIA, VIA + 0x400, VIA + 0x1400, VIA + 0x1600);
        self.set_byte(port, 0x10);
        self.set_byte(direction, 0x10);
        let strobe = || {
            self.set_byte(port, 0);
            assert_eq!(self.byte(port) & 0x08, 0, "acknowledged");
        };
        for &byte in message {
            self.set_byte(control, 0x1c);
            self.set_byte(shift, byte);
            strobe();
            self.set_byte(port, 0x10);
        }
        let receive = |_| {
            self.set_byte(control, 0x0c);
            strobe();
            let byte = self.byte(shift);
            self.set_byte(port, 0x10);
            byte
        };
        (0..count).map(receive).collect()
    }
}

#[test]
fn the_kernel_is_entered_with_tree_and_stack() {
    for cpu in MODELS {
        let layout = plan(&spec(cpu), 6 << 20, Some(0x12345)).unwrap();
        let machine = Machine::build(&layout, &[], Some(&[0; 0x12345]), Box::new(std::io::sink())).unwrap();
        let vcpu = &machine.vcpus[0];
        assert_eq!((vcpu.state.cia, layout.entry), (0, 0));
        assert_eq!(vcpu.shared.msr() & (msr::EE | msr::IR | msr::DR | msr::PR | msr::LE | 0x40), 0);
        let [r1, r3, r5] = [1, 3, 5].map(|n| vcpu.state.gpr[n]);
        assert_eq!((machine.mem.load(r3, Order::Big), r5), (Some(0xd00d_feed_u32), 0));
        let initrd = layout.initrd.unwrap();
        for taken in [layout.kernel, layout.tree, initrd] {
            assert!(r1 <= taken.start || r1 - 0x4000 >= taken.end, "{r1:#x} {taken:x?}");
        }
        assert_eq!(r1 % 16, 0);
    }
}

#[test]
fn tree_and_stack_lie_in_the_first_mapping_whatever_the_memory() {
    for memory in [16 << 20, 2 << 30] {
        let layout = plan(&Spec { memory, ..spec(Cpu::Ppc750) }, 6 << 20, Some(1 << 20)).unwrap();
        assert!(layout.tree.end <= 256 << 20 && layout.stack.end <= 256 << 20);
        assert!(layout.initrd.unwrap().end <= memory.min(768 << 20));
    }
}

#[test]
fn what_does_not_fit_is_refused() {
    let refusal = |change: fn(&mut Spec), size: u64, initrd: Option<u64>| {
        let mut spec = spec(Cpu::Ppc7450);
        change(&mut spec);
        plan(&spec, size, initrd).unwrap_err().to_string()
    };
    assert!(refusal(|s| s.memory = 3 << 30, 1 << 20, None).contains("16M to 2G"));
    assert!(refusal(|s| s.mmu = Mmu::Radix, 1 << 20, None).contains("7450 has no radix translation"));
    assert!(refusal(|s| s.cpu = Cpu::Power9, 1 << 20, None).contains("a 32-bit kernel"));
    assert!(refusal(|_| (), 1 << 20, Some(300 << 20)).contains("--memory"));
    assert!(refusal(|s| s.memory = 2 << 30, 1 << 20, Some(900 << 20)).contains("initrd"));
    assert!(refusal(|_| (), 200 << 20, None).contains("first mapping"));
}

#[test]
fn the_tree_says_what_linux_asks() {
    let layout = plan(&spec(Cpu::Ppc750), 6 << 20, Some(0x12345)).unwrap();
    let blob = Machine::tree(&layout).unwrap();
    let tree = Fdt::read(&blob).unwrap();
    let cells = |path: &str, name: &str| -> Vec<u32> {
        tree.find(path).unwrap_or_else(|| panic!("{path}")).property(name).unwrap().cells().collect()
    };
    let initrd = layout.initrd.clone().unwrap();
    assert_eq!(cells("/chosen", "linux,initrd-start"), [initrd.start as u32]);
    assert_eq!(cells("/chosen", "linux,initrd-end"), [initrd.end as u32]);
    assert_eq!(cells("/memory@0", "reg"), [0, 256 << 20]);
    let cpu = tree.find("/cpus/PowerPC,750@0").unwrap();
    assert_eq!(cpu.property("timebase-frequency").unwrap().u32(), Some(512_000_000));
    assert_eq!(cpu.property("cpu-version").unwrap().u32(), Some(0x0008_0301));
    let compatible = tree.root().unwrap().property("compatible").unwrap().strings().unwrap();
    assert!(compatible.contains(&"MacRISC2"));
    let console = tree.find("/chosen").unwrap().property("linux,stdout-path").unwrap().strings().unwrap()[0];
    assert_eq!(cells(console, "reg"), [0x1_3020, 1, 0x1_3030, 1]);
    let pic = tree.find("/pci@f2000000/mac-io@c/interrupt-controller@40000").unwrap();
    let phandle = pic.property("phandle").unwrap().u32();
    for node in tree.nodes().filter(|node| node.property("interrupts").is_some()) {
        assert_eq!(node.property("interrupt-parent").unwrap().u32(), phandle, "{}", node.path());
    }
    assert!(tree.find("/hypervisor").unwrap().property("hcall-instructions").is_some());
    let off = Spec { calls: Calls::with_pv(false), ..spec(Cpu::Ppc750) };
    let blob = Machine::tree(&plan(&off, 6 << 20, None).unwrap()).unwrap();
    assert!(Fdt::read(&blob).unwrap().find("/hypervisor").is_none());
}

#[test]
fn the_serial_port_prints_and_interrupts() {
    let mac = Mac::new();
    for byte in *b"Hi" {
        mac.set_byte(ESCC_A + 0x10, byte);
    }
    assert_eq!(mac.printed.bytes(), b"Hi");
    for (register, value) in [(3, 0xc1), (1, 0x10), (9, 0x08)] {
        mac.set_byte(ESCC_A, register);
        mac.set_byte(ESCC_A, value);
    }
    mac.unmask(0x25);
    assert!(!mac.external());
    assert_eq!(mac.machine.controls().type_in(b"k"), 1);
    assert!(mac.external());
    assert_eq!(mac.pic(0x2_00a0), 0x25);
    assert_eq!((mac.byte(ESCC_A) & 1, mac.byte(ESCC_A + 0x10)), (1, b'k'));
    mac.set_pic(0x2_00b0, 0);
    assert!(!mac.external());
}

#[test]
fn the_power_management_unit_keeps_guest_time() {
    let mac = Mac::new();
    mac.machine.time.set(std::time::Duration::from_secs(90));
    let seconds = u32::from_be_bytes(mac.pmu(&[0x38], 4).try_into().unwrap());
    assert_eq!(i64::from(seconds) - 2_082_844_800, START + 90);
}

#[test]
fn the_power_management_unit_interrupts_by_a_pin() {
    let mac = Mac::new();
    mac.unmask(0x2f);
    mac.pmu(&[0x70, 0xff], 0);
    assert_eq!((mac.byte(0x8000_0059) & 2, mac.external()), (2, false));
    mac.pmu(&[0x20, 3, 0, 0, 0], 0);
    assert_eq!((mac.byte(0x8000_0059) & 2, mac.external()), (0, true));
    assert_eq!(mac.pmu(&[0x78], 2), [1, 0x10]);
    assert_eq!((mac.byte(0x8000_0059) & 2, mac.external()), (2, false));
}

#[test]
fn power_off_and_reset() {
    let off = Mac::new();
    assert_eq!(off.machine.halted(), None);
    off.pmu(b"\x7eMATT", 0);
    assert_eq!(off.machine.halted(), Some(Halt::PowerOff));
    let reset = Mac::new();
    reset.pmu(&[0xd0], 0);
    assert_eq!(reset.machine.halted(), Some(Halt::Reset));
}

#[test]
fn firmware_left_partitions_and_key_largo_on_the_bus() {
    let mac = Mac::new();
    let name = mac.bus(|bus| bus.read(0xfff0_5004, Width::B8)).unwrap();
    assert_eq!(name.to_be_bytes(), *b"APL,MacO");
    mac.set_byte(0xfff0_5010, 0x5a);
    assert_eq!(mac.byte(0xfff0_5010), 0x5a);
    // Device 12, register 0, then its first base address register.
    for (register, expected) in [(0_u64, 0x6b10_2200_u64), (0x10, 0x0000_0080)] {
        let address = 0x1000 | register;
        assert!(mac.bus(|bus| bus.write(0xf280_0000, Width::B4, u64::from((address as u32).swap_bytes()))));
        assert_eq!(mac.bus(|bus| bus.read(0xf2c0_0000, Width::B4)), Some(expected));
    }
    assert_eq!(mac.bus(|bus| bus.read(0xf800_0000, Width::B4)), Some(7));
    assert_eq!(mac.bus(|bus| bus.read(0x9000_0000, Width::B4)), None);
}

/// Whatever a guest reads and writes, at whatever address and width.
#[test]
fn no_access_harms_a_device() {
    let mac = Mac::new();
    let bases = [0x8000_0000, ESCC_A - 0x20, VIA, OPENPIC, OPENPIC + 0x1_0000, OPENPIC + 0x2_0000, 0xf200_0000];
    let bases = [&bases[..], &[0xf280_0000, 0xf2c0_0000, 0xf800_0000, 0xfff0_4000]].concat();
    let mut random = 1_u64;
    for _ in 0..200_000 {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let [choice, width, high] = [60, 58, 56].map(|shift| random >> shift);
        let real = bases[choice as usize % bases.len()] + (random >> 20 & if high & 1 == 0 { 0x3f } else { 0x3fff });
        let width = [Width::B1, Width::B2, Width::B4, Width::B8][width as usize & 3];
        mac.bus(|bus| if high & 2 == 0 { bus.read(real, width).is_some() } else { bus.write(real, width, random) });
    }
}
