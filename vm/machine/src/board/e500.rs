//! An e500 board: BookE processor, MPIC, 16550 serial port, GPIO and global utilities, entered as ePAPR 1.1 says.
//!
//! The devices stand where Freescale's chips and QEMU's `ppce500` have them, in a block of 1 MiB ("CCSR") at
//! 0xf_e000_0000. Linux runs its `qemu_e500` platform on it, a board without fixed hardware.

use std::sync::Arc;

use exec::timebase::TIMEBASE_HZ;
use exec::{Lines, PartitionState, Start, Vcpu};
use hv_core::Halt;
use hv_pv::epapr;
use platform::openpic::{self, Model};
use platform::{Guts, Openpic, Outlet, QoriqGpio, SpinTable, Uart16550, Vty, gpio, guts, spin_table, uart16550};
use ppc_isa::Cpu;
use ppc_mmu::booke::{Assist, mas};

use super::{Board, Keyboard, Power};
use crate::bus::Bus;
use crate::fdt::Writer;
use crate::paravirt::{self, ConsoleChannel};
use crate::plan::{FIRST_MAPPING, Layout};
use crate::spec::Spec;

/// Configuration, control and status registers: the chip's devices.
const CCSR: u64 = 0xf_e000_0000;
const CCSR_SIZE: u64 = 0x10_0000;
/// Offsets in the block.
const SERIAL: u64 = 0x4500;
const PIC: u64 = 0x4_0000;
const GUTS: u64 = 0xe_0000;
const GPIO: u64 = 0xf_f000;

/// The spin table, where no RAM can be.
const SPIN_TABLE: u64 = 0xf_f000_0000;

/// Sources of the MPIC: the chip's DUART and GPIO.
const SERIAL_SOURCE: u16 = 42;
const GPIO_SOURCE: u16 = 47;
/// Sources of the byte channel: bytes have come, and there is room, as there always is.
const CHANNEL_SOURCE: u16 = 48;
const CHANNEL_ROOM_SOURCE: u16 = 49;
/// Sense of an interrupt specifier: active high level.
const LEVEL_HIGH: u32 = 2;
/// The same: rising edge.
const RISING_EDGE: u32 = 0;

/// The GPIO pin that switches the machine off.
const POWER_OFF_PIN: u32 = 0;

const PIC_PHANDLE: u32 = 1;
const GPIO_PHANDLE: u32 = 2;
const SERIAL_PATH: &str = "/soc@fe0000000/serial@4500";
/// Clock of the serial port.
const SERIAL_HZ: u32 = 400_000_000;

/// r6 at entry: a BookE processor, booted as ePAPR says (ePAPR 1.1, section 5.4.1).
const EPAPR_MAGIC: u64 = 0x4550_4150;
/// `MAS2[M]`: memory coherence required.
const COHERENT: u64 = 1 << 2;
/// MAS3: supervisor may execute, write and read.
const SUPERVISOR: u32 = 0b01_0101;

struct MpicLines(Arc<Openpic>);

impl Lines for MpicLines {
    fn external(&self, server: u32) -> bool {
        self.0.external(server)
    }

    fn critical(&self, server: u32) -> bool {
        self.0.critical(server)
    }

    fn acknowledge(&self, server: u32) -> Option<u32> {
        self.0.acknowledge(server)
    }
}

/// Whichever of them the guest listens to: the serial port, or the byte channel of ePAPR's calls.
struct Inputs {
    uart: Arc<Uart16550>,
    channel: Arc<Vty>,
    pic: Arc<Openpic>,
}

impl Keyboard for Inputs {
    fn type_in(&self, data: &[u8]) -> usize {
        let taken = self.channel.type_in(data);
        for raised in [true, false] {
            self.pic.set_line(CHANNEL_SOURCE, raised);
        }
        self.uart.type_in(data).max(taken)
    }
}

/// Builds it.
pub fn board(layout: &Layout, power: &Power, console: Outlet) -> Board {
    let Spec { cpu, cpus, .. } = layout.spec;
    let wake = power.clone();
    // The external proxy came with the e500mc.
    let model = if cpu == Cpu::E500v2 { Model::MPIC_2_0 } else { Model::MPIC_4_2 };
    let pic = Arc::new(Openpic::new(model, cpus, Box::new(move |server| wake.interrupt(server))));
    let line = Arc::clone(&pic);
    let channel = Arc::new(Vty::on(console.clone()));
    let uart = Uart16550::new(Box::new(console), Box::new(move |raised| line.set_line(SERIAL_SOURCE, raised)));
    let uart = Arc::new(uart);
    let off = power.clone();
    let gpio = QoriqGpio::new(Box::new(move |pin| {
        if pin == POWER_OFF_PIN {
            off.halt(Halt::PowerOff);
        }
    }));
    let reset = power.clone();
    let guts = Guts::new(cpu.pvr(), Box::new(move || reset.halt(Halt::Reset)));

    let mut bus = Bus::default();
    let mut attach = |at: u64, size: u64, device| bus.attach(CCSR + at..CCSR + at + size, device);
    attach(SERIAL, uart16550::SIZE, Arc::<Uart16550>::clone(&uart));
    attach(PIC, openpic::SIZE, Arc::<Openpic>::clone(&pic));
    attach(GUTS, guts::SIZE, Arc::new(guts));
    attach(GPIO, gpio::SIZE, Arc::new(gpio));

    let starter = power.clone();
    let release = move |server, address, argument| starter.start(server, Start { address, argument });
    let spin_table = SpinTable::new(cpus, Box::new(release));
    bus.attach(SPIN_TABLE..SPIN_TABLE + SpinTable::size(cpus), Arc::new(spin_table));

    let channels = Some(Box::new(ConsoleChannel(Arc::clone(&channel))) as _);
    let kvm = paravirt::kvm(layout.spec.calls, epapr::Ports { channels, ..Default::default() });
    Board {
        partition: PartitionState::new(None, false),
        interfaces: kvm.into_iter().collect(),
        bus,
        own: Vec::new(),
        hot_plug: None,
        lines: Arc::new(MpicLines(Arc::clone(&pic))),
        keyboard: Arc::new(Inputs { uart, channel, pic }),
        time: Arc::default(),
        watchdogs: Arc::default(),
        vcpu: boot_cpu(layout),
        start,
    }
}

/// The boot CPU at the kernel's entry.
fn boot_cpu(layout: &Layout) -> Vcpu {
    let mut vcpu = Vcpu::new(layout.spec.cpu, 0);
    vcpu.state.cia = layout.entry;
    epapr_entry(&mut vcpu, layout.tree.start, FIRST_MAPPING);
    vcpu
}

/// The state in which ePAPR has a boot CPU entered (ePAPR 1.1, section 5.4.1): r3 = tree, r6 = magic number, r7 = size
/// of the first mapping, a power of four KiB; address space 0, where TLB1 maps that much from 0 for the supervisor.
pub fn epapr_entry(vcpu: &mut Vcpu, tree: u64, mapping: u64) {
    vcpu.state.gpr[3] = tree;
    vcpu.state.gpr[6] = EPAPR_MAGIC;
    map_first(vcpu, 0, mapping);
}

/// Another CPU as the spin table has it begin (ePAPR 1.1, section 5.5.2.2): r3 from the table, r7 = size of the first
/// mapping, which begins at a multiple of that size and has its first instruction in it.
fn start(vcpu: &mut Vcpu, start: Start) {
    vcpu.state.gpr[3] = start.argument;
    vcpu.state.cia = start.address & (FIRST_MAPPING - 1);
    map_first(vcpu, start.address & !(FIRST_MAPPING - 1), FIRST_MAPPING);
}

/// Maps `size` bytes, a power of four KiB, at effective address 0 to `real`, and says so in r7.
fn map_first(vcpu: &mut Vcpu, real: u64, size: u64) {
    vcpu.state.gpr[7] = size;
    let code = (size.ilog2() - 10) / 2;
    vcpu.state.booke.tlb.write(&Assist {
        mas0: mas::TLBSEL,
        mas1: mas::VALID | mas::IPROT | code << 8,
        mas2: COHERENT,
        mas3: real as u32 | SUPERVISOR,
        mas7: (real >> 32) as u32,
        ..Assist::default()
    });
}

/// The device tree.
pub fn tree(layout: &Layout) -> Vec<u8> {
    let mut tree = Writer::default();
    if let Some(initrd) = &layout.initrd {
        tree.reserve(initrd.start, initrd.end - initrd.start);
    }
    tree.node("", |root| {
        root.cell("#address-cells", 2);
        root.cell("#size-cells", 2);
        root.text("model", "PowerVisor e500");
        // Linux looks for the second name.
        root.strings("compatible", &["powervisor,e500", "fsl,qemu-e500"]);
        root.node("aliases", |aliases| aliases.text("serial0", SERIAL_PATH));
        root.node("chosen", |node| chosen(node, layout));
        hypervisor().write(root, layout.spec.calls);
        root.node("cpus", |cpus| {
            cpus.cell("#address-cells", 1);
            cpus.cell("#size-cells", 0);
            for number in 0..layout.spec.cpus {
                let name = format!("PowerPC,{}@{number}", layout.spec.cpu.name());
                cpus.node(&name, |node| cpu(node, layout, number));
            }
        });
        root.node("memory@0", |memory| {
            memory.text("device_type", "memory");
            memory.doubles("reg", &[0, layout.spec.memory]);
        });
        root.node("soc@fe0000000", soc);
    });
    tree.finish(0)
}

fn hypervisor() -> paravirt::Node<'static> {
    const INTERRUPTS: &[u32] = &[CHANNEL_SOURCE as u32, RISING_EDGE, CHANNEL_ROOM_SOURCE as u32, RISING_EDGE];
    paravirt::Node { idle: true, parent: Some(PIC_PHANDLE), channel: Some(INTERRUPTS), ..Default::default() }
}

fn chosen(node: &mut Writer, layout: &Layout) {
    node.text("bootargs", &layout.spec.append);
    node.text("stdout-path", SERIAL_PATH);
    node.text("linux,stdout-path", SERIAL_PATH);
    if let Some(initrd) = &layout.initrd {
        node.doubles("linux,initrd-start", &[initrd.start]);
        node.doubles("linux,initrd-end", &[initrd.end]);
    }
    node.bytes("rng-seed", &layout.spec.seed);
}

/// A processor; all but the first wait in the spin table.
fn cpu(node: &mut Writer, layout: &Layout, number: u32) {
    let cpu = layout.spec.cpu;
    node.text("device_type", "cpu");
    node.cell("reg", number);
    node.text("mmu-type", "power-embedded");
    node.text("power-isa-version", if cpu == Cpu::E500v2 { "2.03" } else { "2.06" });
    if cpu.sixty_four() {
        node.flag("power-isa-64");
    }
    node.cell("timebase-frequency", TIMEBASE_HZ as u32);
    node.cell("clock-frequency", 1_000_000_000);
    node.cell("bus-frequency", SERIAL_HZ);
    let line = if cpu == Cpu::E500v2 { 32 } else { 64 };
    for cache in ["d-cache", "i-cache"] {
        node.cell(&format!("{cache}-line-size"), line);
        node.cell(&format!("{cache}-block-size"), line);
        node.cell(&format!("{cache}-size"), 0x8000);
    }
    if number == 0 {
        node.text("status", "okay");
    } else {
        node.text("status", "disabled");
        node.text("enable-method", "spin-table");
        node.doubles("cpu-release-addr", &[SPIN_TABLE + u64::from(number) * spin_table::STRIDE]);
    }
}

/// The devices of the chip.
fn soc(soc: &mut Writer) {
    soc.text("device_type", "soc");
    soc.strings("compatible", &["fsl,mpc8544-immr", "simple-bus"]);
    soc.cell("#address-cells", 1);
    soc.cell("#size-cells", 1);
    soc.cells("ranges", &[0, (CCSR >> 32) as u32, CCSR as u32, CCSR_SIZE as u32]);
    soc.cell("bus-frequency", SERIAL_HZ);
    soc.cell("interrupt-parent", PIC_PHANDLE);
    soc.node("pic@40000", |pic| {
        pic.text("device_type", "open-pic");
        pic.text("compatible", "fsl,mpic");
        pic.cells("reg", &[PIC as u32, openpic::SIZE as u32]);
        pic.flag("interrupt-controller");
        pic.cell("#interrupt-cells", 2);
        pic.cell("#address-cells", 0);
        pic.cell("phandle", PIC_PHANDLE);
    });
    soc.node("serial@4500", |serial| {
        serial.text("device_type", "serial");
        serial.text("compatible", "ns16550");
        serial.cells("reg", &[SERIAL as u32, 0x100]);
        serial.cell("clock-frequency", SERIAL_HZ);
        serial.cells("interrupts", &[SERIAL_SOURCE.into(), LEVEL_HIGH]);
    });
    soc.node("global-utilities@e0000", |guts| {
        guts.text("compatible", "fsl,mpc8544-guts");
        guts.cells("reg", &[GUTS as u32, guts::SIZE as u32]);
        guts.flag("fsl,has-rstcr");
    });
    soc.node("gpio@ff000", |gpio| {
        gpio.text("compatible", "fsl,qoriq-gpio");
        gpio.cells("reg", &[GPIO as u32, gpio::SIZE as u32]);
        gpio.cells("interrupts", &[GPIO_SOURCE.into(), LEVEL_HIGH]);
        gpio.flag("gpio-controller");
        gpio.cell("#gpio-cells", 2);
        gpio.cell("phandle", GPIO_PHANDLE);
    });
    soc.node("power-off", |off| {
        off.text("compatible", "gpio-poweroff");
        off.cells("gpios", &[GPIO_PHANDLE, POWER_OFF_PIN, 0]);
    });
}
