//! The flattened device tree of a Power Macintosh: Open Firmware's of a PowerMac3,1, as far as there are devices.

use exec::timebase::TIMEBASE_HZ;
use ppc_isa::Cpu;

use super::{ESCC, KEY_LARGO, KEY_LARGO_SIZE, NVRAM, NVRAM_SIZE, OPENPIC, PCI, PCI_SIZE, UNI_NORTH, VIA, source};
use crate::fdt::Writer;
use crate::paravirt;
use crate::plan::Layout;

const CONSOLE: &str = "/pci@f2000000/mac-io@c/escc@13000/ch-a@13020";
const PIC_PHANDLE: u32 = 1;
const CACHE_LINE: u32 = 32;
const BUS_HZ: u32 = 100_000_000;
/// How a PCI address says that it is in the memory behind the first base address register of device 12.
const MAC_IO_MEMORY: u32 = 0x0200_6010;
/// Sense of an interrupt line: level, active low.
const LEVEL: u32 = 1;

/// Writes the tree.
pub fn write(layout: &Layout) -> Vec<u8> {
    let mut tree = Writer::default();
    if let Some(initrd) = &layout.initrd {
        tree.reserve(initrd.start, initrd.end - initrd.start);
    }
    tree.node("", |root| {
        root.cell("#address-cells", 1);
        root.cell("#size-cells", 1);
        root.text("device_type", "bootrom");
        root.text("model", "PowerMac3,1");
        root.strings("compatible", &["PowerMac3,1", "MacRISC", "MacRISC2", "Power Macintosh"]);
        root.cell("clock-frequency", BUS_HZ);
        root.node("chosen", |node| chosen(node, layout));
        paravirt::Node::default().write(root, layout.spec.calls);
        root.node("cpus", |cpus| {
            cpus.cell("#address-cells", 1);
            cpus.cell("#size-cells", 0);
            let name = if layout.spec.cpu == Cpu::Ppc750 { "PowerPC,750@0" } else { "PowerPC,G4@0" };
            cpus.node(name, |node| cpu(node, layout.spec.cpu));
        });
        root.node("memory@0", |memory| {
            memory.text("device_type", "memory");
            memory.cells("reg", &[0, layout.spec.memory as u32]);
        });
        root.node("uni-n@f8000000", |node| {
            node.text("compatible", "uni-north");
            node.text("device_type", "memory-controller");
            node.cells("reg", &[UNI_NORTH as u32, 0x100_0000]);
            node.cell("device-rev", 7);
        });
        root.node("nvram@fff04000", |node| {
            node.text("compatible", "nvram");
            node.text("device_type", "nvram");
            node.cells("reg", &[NVRAM as u32, NVRAM_SIZE]);
            node.cell("#bytes", NVRAM_SIZE);
        });
        root.node("pci@f2000000", pci);
    });
    tree.finish(0)
}

fn chosen(node: &mut Writer, layout: &Layout) {
    node.text("bootargs", &layout.spec.append);
    node.text("stdout-path", CONSOLE);
    node.text("linux,stdout-path", CONSOLE);
    if let Some(initrd) = &layout.initrd {
        node.cell("linux,initrd-start", initrd.start as u32);
        node.cell("linux,initrd-end", initrd.end as u32);
    }
    node.bytes("rng-seed", &layout.spec.seed);
}

fn cpu(node: &mut Writer, cpu: Cpu) {
    node.text("device_type", "cpu");
    node.cell("reg", 0);
    node.text("state", "running");
    node.cell("cpu-version", cpu.pvr());
    node.cell("timebase-frequency", TIMEBASE_HZ as u32);
    node.cell("clock-frequency", 1_000_000_000);
    node.cell("bus-frequency", BUS_HZ);
    node.cell("reservation-granule-size", CACHE_LINE);
    for cache in ["d-cache", "i-cache"] {
        node.cell(&format!("{cache}-block-size"), CACHE_LINE);
        node.cell(&format!("{cache}-size"), 0x8000);
        node.cell(&format!("{cache}-sets"), 128);
    }
    node.cell("tlb-size", 128);
    node.cell("tlb-sets", 64);
}

fn pci(node: &mut Writer) {
    node.text("compatible", "uni-north");
    node.text("device_type", "pci");
    node.text("model", "AAPL,UniNorth");
    node.cell("#address-cells", 3);
    node.cell("#size-cells", 2);
    node.cell("#interrupt-cells", 1);
    node.cell("interrupt-parent", PIC_PHANDLE);
    node.cells("reg", &[PCI as u32, PCI_SIZE as u32]);
    node.cells("bus-range", &[0, 0]);
    // Input/output space, then memory: kind, PCI address, address here, size.
    let (memory, ports) = (KEY_LARGO as u32, PCI as u32);
    node.cells("ranges", &[0x0100_0000, 0, 0, ports, 0, 0x80_0000, 0x0200_0000, 0, memory, memory, 0, 0x1000_0000]);
    node.node("mac-io@c", mac_io);
}

fn mac_io(node: &mut Writer) {
    node.text("compatible", "Keylargo");
    node.text("device_type", "mac-io");
    node.text("model", "AAPL,Keylargo");
    node.cell("vendor-id", 0x106b);
    node.cell("device-id", 0x22);
    node.cell("revision-id", 0);
    node.cell("class-code", 0xff_0000);
    node.cell("#address-cells", 1);
    node.cell("#size-cells", 1);
    node.cell("interrupt-parent", PIC_PHANDLE);
    node.cells("reg", &[0x6000, 0, 0, 0, 0, MAC_IO_MEMORY, 0, 0, 0, KEY_LARGO_SIZE]);
    node.cells("assigned-addresses", &[MAC_IO_MEMORY, 0, KEY_LARGO as u32, 0, KEY_LARGO_SIZE]);
    node.cells("ranges", &[0, MAC_IO_MEMORY, 0, KEY_LARGO as u32, KEY_LARGO_SIZE]);
    node.node("interrupt-controller@40000", |pic| {
        pic.text("compatible", "chrp,open-pic");
        pic.text("device_type", "open-pic");
        pic.flag("interrupt-controller");
        pic.flag("built-in");
        pic.cell("#address-cells", 0);
        pic.cell("#interrupt-cells", 2);
        pic.cells("reg", &[OPENPIC as u32, platform::openpic::SIZE as u32]);
        pic.cell("phandle", PIC_PHANDLE);
    });
    node.node("gpio@50", gpio);
    node.node("escc@13000", escc);
    node.node("via-pmu@16000", via_pmu);
}

fn gpio(node: &mut Writer) {
    node.text("compatible", "mac-io-gpio");
    node.text("device_type", "gpio");
    node.cell("#address-cells", 1);
    node.cell("#size-cells", 0);
    node.cells("reg", &[0x50, 0x30]);
    node.node("extint-gpio1@9", |pin| {
        pin.strings("compatible", &["keywest-gpio1", "gpio"]);
        pin.cell("reg", 9);
        pin.cell("interrupt-parent", PIC_PHANDLE);
        pin.cells("interrupts", &[source::PMU.into(), LEVEL]);
    });
}

fn escc(node: &mut Writer) {
    node.strings("compatible", &["escc", "CHRP,es0"]);
    node.text("device_type", "escc");
    node.cell("#address-cells", 1);
    node.cell("#size-cells", 1);
    node.cells("reg", &[ESCC as u32, 0x1000]);
    node.flag("ranges");
    // Control and data registers; Open Firmware's tree also has those of DMA, which is not here.
    let channels = [("ch-a", "chrp,es2", 0x20, source::ESCC_A), ("ch-b", "chrp,es3", 0, source::ESCC_B)];
    for (name, compatible, offset, source) in channels {
        let control = ESCC as u32 + offset;
        node.node(&format!("{name}@{control:x}"), |channel| {
            channel.text("compatible", compatible);
            channel.text("device_type", "serial");
            channel.cells("reg", &[control, 1, control + 0x10, 1]);
            channel.cell("interrupt-parent", PIC_PHANDLE);
            channel.cells("interrupts", &[source.into(), LEVEL]);
        });
    }
}

fn via_pmu(node: &mut Writer) {
    node.text("compatible", "pmu");
    node.text("device_type", "via-pmu");
    node.cell("#address-cells", 1);
    node.cell("#size-cells", 0);
    node.cells("reg", &[VIA as u32, platform::via::SIZE as u32]);
    node.cell("interrupt-parent", PIC_PHANDLE);
    node.cells("interrupts", &[source::VIA.into(), LEVEL]);
    node.cell("pmu-version", 0xd0_330c);
    node.node("rtc", |rtc| {
        rtc.text("compatible", "rtc,via-pmu");
        rtc.text("device_type", "rtc");
    });
    node.node("power-mgt", |power| {
        power.text("compatible", "via-pmu-99");
        power.text("device_type", "power-mgt");
        power.text("registry-name", "extint-gpio1");
    });
}
