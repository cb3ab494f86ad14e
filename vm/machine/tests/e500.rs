//! The e500 board: where things go, the state at entry, the tree, and the devices as a guest finds them on the bus.
//! Expected values are those of ePAPR 1.1, the MPC8548E reference manual, and QEMU's `ppce500` tree.

mod fixture;

use std::sync::Arc;

use exec::{MmioPort, Privileged, Width};
use fixture::Printed;
use guest_mem::Order;
use hv_core::Halt;
use image::elf::{self, Abi, Class, Kernel, Segment};
use image::fdt::Fdt;
use machine::clock::VirtualClock;
use machine::{Calls, Kind, Layout, Machine, Mmu, PlanError, Spec};
use ppc_isa::Cpu;
use ppc_mmu::{Access, Fault};

const MODELS: [Cpu; 2] = [Cpu::E500v2, Cpu::E5500];
const MEMORY: u64 = 256 << 20;
const CCSR: u64 = 0xf_e000_0000;
const SERIAL: u64 = CCSR + 0x4500;
const MPIC: u64 = CCSR + 0x4_0000;
const IACK: u64 = MPIC + 0x2_00a0;

fn spec(cpu: Cpu, pv: bool) -> Spec {
    let (kind, mmu, calls, append) = (Kind::E500, Mmu::Hash, Calls::with_pv(pv), "console=ttyS0".to_owned());
    Spec {
        kind,
        cpu,
        cpus: 1,
        memory: MEMORY,
        mmu,
        calls,
        append,
        seed: [0x5a; 32],
        fixed_start: Some(0),
        ..Spec::new(kind, cpu)
    }
}

/// Linux for e500: linked at 0xc0000000 (or with 16 digits), loaded at 0.
fn kernel(cpu: Cpu, memory_size: u64) -> Kernel {
    let (class, base) =
        if cpu.sixty_four() { (Class::Elf64, 0xc000_0000_0000_0000) } else { (Class::Elf32, 0xc000_0000) };
    let segment = Segment { physical: 0, virtual_: base, file: 0..0, memory_size };
    Kernel { class, order: elf::Order::Big, entry: base, abi: Abi::SysV32, segments: vec![segment] }
}

fn layout(cpu: Cpu, pv: bool) -> Layout {
    machine::plan(&spec(cpu, pv), &kernel(cpu, 0x56_c770), Some(0x1234)).unwrap()
}

struct Bench {
    machine: Machine,
    printed: Printed,
}

impl Bench {
    fn new(cpu: Cpu) -> Bench {
        let printed = Printed::default();
        let console = Box::new(printed.clone());
        Bench { machine: Machine::build(&layout(cpu, true), &[], Some(&[7; 0x1234]), console).unwrap(), printed }
    }

    fn bus<T>(&self, work: impl FnOnce(&dyn MmioPort) -> T) -> T {
        work(self.machine.context(0, &VirtualClock, Privileged::Trap).unwrap().mmio)
    }

    fn get(&self, real: u64, width: Width) -> Option<u64> {
        self.bus(|bus| bus.read(real, width))
    }

    fn set(&self, real: u64, width: Width, value: u64) {
        assert!(self.bus(|bus| bus.write(real, width, value)), "nothing at {real:#x}");
    }
}

#[test]
fn the_layout() {
    for cpu in MODELS {
        let layout = layout(cpu, true);
        assert_eq!((layout.entry, layout.kernel.clone()), (0, 0..0x56_c770));
        assert!(layout.tree.start >= layout.kernel.end && layout.tree.end <= 64 << 20);
        let initrd = layout.initrd.clone().unwrap();
        assert!(initrd.start >= layout.tree.end && initrd.start.is_multiple_of(4096) && initrd.end <= MEMORY);
        assert_eq!(initrd.end - initrd.start, 0x1234);
        assert!(layout.rtas.is_empty());
        let text = layout.to_string();
        assert!(!text.contains("rtas") && !text.contains("Hash"), "{text}");
    }
}

#[test]
fn what_cannot_be_laid_out() {
    let plan = |spec: &Spec, kernel: &Kernel, initrd| machine::plan(spec, kernel, initrd).unwrap_err();
    let small = kernel(Cpu::E500v2, 0x1000);
    for memory in [32 << 20, 64 << 30, (64 << 20) + 4096] {
        let error = plan(&Spec { memory, ..spec(Cpu::E500v2, true) }, &small, None);
        assert_eq!(error, PlanError::MemorySize { memory, range: "64M to 32G" });
    }
    let error = plan(&spec(Cpu::E500v2, true), &kernel(Cpu::E5500, 0x1000), None);
    assert_eq!(error, PlanError::Width { bits: 64, cpu: "e500v2" });
    assert_eq!(plan(&spec(Cpu::E5500, true), &small, None), PlanError::Width { bits: 32, cpu: "e5500" });
    let little = Kernel { order: elf::Order::Little, ..small.clone() };
    assert_eq!(plan(&spec(Cpu::E500v2, true), &little, None), PlanError::LittleEndian { cpu: "e500v2" });
    let error = plan(&spec(Cpu::E500v2, true), &kernel(Cpu::E500v2, 64 << 20), None);
    assert!(matches!(error, PlanError::OutOfReach { limit: 64, .. }), "{error}");
    for len in [256 << 20, u64::MAX] {
        let error = plan(&spec(Cpu::E500v2, true), &small, Some(len));
        assert!(matches!(error, PlanError::MemoryTooSmall { have: 256, .. }), "{error}");
    }
}

/// ePAPR 1.1, section 5.4.1.
#[test]
fn the_boot_cpu() {
    for cpu in MODELS {
        let (layout, bench) = (layout(cpu, true), Bench::new(cpu));
        let vcpu = &bench.machine.vcpus[0];
        assert_eq!(vcpu.state.gpr[3..10], [layout.tree.start, 0, 0, 0x4550_4150, 64 << 20, 0, 0]);
        assert_eq!((vcpu.state.cia, vcpu.shared.msr()), (0, 0));
        let space = vcpu.state.space(&bench.machine.mem, &bench.machine.partition, false);
        for access in [Access::Fetch, Access::Load, Access::Store] {
            for ea in [0, layout.tree.start, (64 << 20) - 1] {
                assert_eq!(space.translate(ea, access).map(|mapping| mapping.real), Ok(ea));
            }
            assert_eq!(space.translate(64 << 20, access).err(), Some(Fault::TlbMiss));
        }
    }
}

/// ePAPR 1.1, sections 5.5.2.1 and 5.5.2.2, with an address in the second 64 MiB.
#[test]
fn a_second_cpu_starts_by_the_spin_table() {
    for cpu in MODELS {
        let spec = Spec { cpus: 3, ..spec(cpu, true) };
        let layout = machine::plan(&spec, &kernel(cpu, 0x1000), None).unwrap();
        let mut machine = Machine::build(&layout, &[0; 0x1000], None, Box::new(std::io::sink())).unwrap();
        let tree = Machine::tree(&layout).unwrap();
        let tree = Fdt::read(&tree).unwrap();
        let node = tree.find(&format!("/cpus/PowerPC,{}@2", cpu.name())).unwrap();
        let property = |name: &str| node.properties().find(|p| p.name == name).unwrap().value.to_vec();
        assert_eq!(property("status"), b"disabled\0");
        assert_eq!(property("enable-method"), b"spin-table\0");
        let at = u64::from_be_bytes(property("cpu-release-addr").try_into().unwrap());
        let mailbox = Arc::clone(&machine.mailboxes.0[2]);
        assert!(mailbox.stopped());
        assert_eq!(machine.bus(0).unwrap().read(at, Width::B8), Some(1));
        for (offset, word) in [(12, 0x55), (20, 2), (0, 0), (4, 0x0400_2000)] {
            assert!(mailbox.stopped());
            assert!(machine.bus(0).unwrap().write(at + offset, Width::B4, word));
        }
        let start = mailbox.take_start().unwrap();
        let mut vcpu = machine.vcpus.remove(2);
        machine.start(&mut vcpu, start);
        assert_eq!((vcpu.state.cia, vcpu.state.pir, vcpu.shared.msr()), (0x2000, 2, 0));
        assert_eq!(vcpu.state.gpr[3..10], [0x55, 0, 0, 0, 64 << 20, 0, 0]);
        let space = vcpu.state.space(&machine.mem, &machine.partition, true);
        assert_eq!(space.translate(0x2000, Access::Fetch).map(|mapping| mapping.real), Ok(0x0400_2000));
    }
}

#[test]
fn the_tree() {
    for cpu in MODELS {
        let (layout, bench) = (layout(cpu, true), Bench::new(cpu));
        let mut blob = vec![0; (layout.tree.end - layout.tree.start) as usize];
        assert!(bench.machine.mem.read(layout.tree.start, &mut blob));
        let tree = Fdt::read(&blob).unwrap();
        let property = |path: &str, name: &str| {
            let node = tree.find(path).unwrap_or_else(|| panic!("no {path}"));
            node.property(name).unwrap_or_else(|| panic!("no {name} in {path}"))
        };
        let cells = |path: &str, name: &str| property(path, name).cells().collect::<Vec<u32>>();
        let text = |path: &str, name: &str| property(path, name).strings().unwrap().join(" ");

        // What QEMU's tree has, too.
        assert!(text("/", "compatible").ends_with("fsl,qemu-e500"));
        assert_eq!(cells("/soc@fe0000000", "ranges"), [0, 0xf, 0xe000_0000, 0x10_0000]);
        assert_eq!(text("/soc@fe0000000", "device_type"), "soc");
        assert_eq!(text("/soc@fe0000000/serial@4500", "compatible"), "ns16550");
        assert_eq!(cells("/soc@fe0000000/serial@4500", "reg"), [0x4500, 0x100]);
        assert_eq!(cells("/soc@fe0000000/serial@4500", "interrupts"), [42, 2]);
        assert_eq!(text("/soc@fe0000000/pic@40000", "compatible"), "fsl,mpic");
        assert_eq!(text("/soc@fe0000000/pic@40000", "device_type"), "open-pic");
        assert_eq!(cells("/soc@fe0000000/pic@40000", "reg"), [0x4_0000, 0x4_0000]);
        assert_eq!(cells("/soc@fe0000000/gpio@ff000", "interrupts"), [47, 2]);
        assert_eq!(text("/soc@fe0000000/gpio@ff000", "compatible"), "fsl,qoriq-gpio");
        let gpio = cells("/soc@fe0000000/gpio@ff000", "phandle")[0];
        assert_eq!(cells("/soc@fe0000000/power-off", "gpios"), [gpio, 0, 0]);
        let pic = cells("/soc@fe0000000/pic@40000", "phandle");
        assert_eq!(cells("/soc@fe0000000", "interrupt-parent"), pic);
        assert_eq!(text("/chosen", "stdout-path"), "/soc@fe0000000/serial@4500");
        assert_eq!(text("/aliases", "serial0"), "/soc@fe0000000/serial@4500");

        // What this machine is.
        let initrd = layout.initrd.clone().unwrap();
        assert_eq!(property("/chosen", "linux,initrd-start").u64(), Some(initrd.start));
        assert_eq!(property("/chosen", "linux,initrd-end").u64(), Some(initrd.end));
        assert_eq!(text("/chosen", "bootargs"), "console=ttyS0");
        assert_eq!(property("/chosen", "rng-seed").value, [0x5a; 32]);
        assert_eq!(cells("/memory@0", "reg"), [0, 0, 0, MEMORY as u32]);
        let processor = format!("/cpus/PowerPC,{}@0", cpu.name());
        assert_eq!(cells(&processor, "timebase-frequency"), [512_000_000]);
        assert_eq!(cells(&processor, "d-cache-line-size"), [if cpu == Cpu::E500v2 { 32 } else { 64 }]);
        assert_eq!(text(&processor, "status"), "okay");
        assert_eq!(text("/hypervisor", "compatible"), "linux,kvm");
        // lis r0,0x4b56; ori r0,r0,0x4d21; sc; nop
        assert_eq!(cells("/hypervisor", "hcall-instructions"), [0x3c00_4b56, 0x6000_4d21, 0x4400_0002, 0x6000_0000]);
        assert!(property("/hypervisor", "has-idle").value.is_empty());

        assert_eq!(tree.reserved, [(initrd.start, 0x1234)]);
    }
    let plain = Machine::tree(&self::layout(Cpu::E500v2, false)).unwrap();
    assert!(Fdt::read(&plain).unwrap().find("/hypervisor").is_none());
}

#[test]
fn typed_input_interrupts_and_output_is_printed() {
    for cpu in MODELS {
        let bench = Bench::new(cpu);
        let lines = Arc::clone(&bench.machine.lines);
        bench.set(SERIAL, Width::B1, b'!'.into());
        assert_eq!(bench.printed.bytes(), b"!");
        // RTS, receive interrupt; mixed mode, task priority 0; DUART: level, high, priority 8.
        bench.set(SERIAL + 4, Width::B1, 2);
        bench.set(SERIAL + 1, Width::B1, 1);
        bench.set(MPIC + 0x1020, Width::B4, 0x2000_0000);
        bench.set(MPIC + 0x2_0080, Width::B4, 0);
        bench.set(MPIC + 0x1_0000 + 42 * 0x20, Width::B4, 0x00c8_002a);
        assert!(!lines.external(0));
        assert_eq!(bench.machine.controls().type_in(b"k"), 1);
        assert!(lines.external(0));
        assert_eq!(lines.acknowledge(0), None);
        assert_eq!(bench.get(IACK, Width::B4), Some(42));
        assert_eq!(bench.get(SERIAL + 5, Width::B1), Some(0x61));
        assert_eq!(bench.get(SERIAL, Width::B1), Some(b'k'.into()));
        bench.set(MPIC + 0x2_00b0, Width::B4, 0);
        assert!(!lines.external(0));

        // The e5500's controller acknowledges by itself when it is told to.
        bench.set(MPIC + 0x1020, Width::B4, 0x6000_0000);
        bench.machine.controls().type_in(b"l");
        assert!(lines.external(0));
        assert_eq!(lines.acknowledge(0), (cpu == Cpu::E5500).then_some(42));
        assert_eq!(lines.external(0), cpu == Cpu::E500v2);
    }
}

#[test]
fn power_off_and_reset() {
    let bench = Bench::new(Cpu::E500v2);
    bench.set(CCSR + 0xf_f008, Width::B4, 0x7fff_ffff);
    bench.set(CCSR + 0xf_f000, Width::B4, 0xffff_ffff);
    assert_eq!(bench.machine.halted(), None, "other pins");
    bench.set(CCSR + 0xf_f008, Width::B4, 0x8000_0000);
    assert_eq!(bench.machine.halted(), Some(Halt::PowerOff));

    let bench = Bench::new(Cpu::E500v2);
    assert_eq!(bench.get(CCSR + 0xe_00a0, Width::B4), Some(0x8021_0022), "PVR");
    bench.set(CCSR + 0xe_00b0, Width::B4, 0);
    assert_eq!(bench.machine.halted(), None);
    bench.set(CCSR + 0xe_00b0, Width::B4, 2);
    assert_eq!(bench.machine.halted(), Some(Halt::Reset));
}

#[test]
fn where_nothing_is() {
    let bench = Bench::new(Cpu::E500v2);
    for real in [CCSR, CCSR + 0x4508, CCSR + 0x10_0000, MEMORY, u64::MAX] {
        assert_eq!(bench.get(real, Width::B4), None, "{real:#x}");
        assert!(!bench.bus(|bus| bus.write(real, Width::B4, 1)));
    }
    assert_eq!(bench.machine.mem.load::<u32>(0, Order::Big), Some(0));
}
