//! The flattened device tree of a PAPR machine (spec papr 8), made from the layout alone.

use exec::timebase::TIMEBASE_HZ;
use hv_papr::rtas::services;
use ppc_isa::Cpu;
use ppc_isa::cpu::{Family, V300};

use crate::blocks::MEMORY_BLOCK;
use crate::fdt::Writer;
use crate::plan::{Layout, RTAS_SIZE};
use crate::ports::VTY_UNIT;
use crate::spec::{Boot, Interrupts, Kind, Mmu};
use crate::{connectors, firmware, options, paravirt, pci, persistent, sources, xive};

const VTY_PATH: &str = "/vdevice/vty@71000000";
const NVRAM_UNIT: u32 = 0x7100_0001;
const PIC_PHANDLE: u32 = 1;
const HV_PIC_PHANDLE: u32 = 2;
const CACHE_LINE: u32 = 128;

/// Hypercall groups that exist here; Linux uses a group only when its name is listed.
const FUNCTIONS: [&str; 14] = [
    "hcall-pft",
    "hcall-term",
    "hcall-tce",
    "hcall-multi-tce",
    "hcall-sprg0",
    "hcall-copy",
    "hcall-debug",
    "hcall-splpar",
    "hcall-bulk",
    "hcall-set-mode",
    "hcall-vphn",
    "hcall-scm",
    "hcall-join",
    "hcall-watchdog",
];
/// More where a hashed page table is used.
const HASH: [&str; 2] = ["hcall-block-remove", "hcall-hpt-resize"];
/// One more with radix trees, for guests that agree to leave `tlbie` to it.
const RADIX: &str = "hcall-rpt-invalidate";
/// One more on machines with a XICS.
const INTERRUPT: &str = "hcall-interrupt";

/// `ibm,pa-features` as count, type and bytes: what the CPU can do, one bit each (spec papr 8.3). No transactional
/// memory (byte 22). Power ISA 3.1 took away strong access ordering (byte 4) and added the aspects of DEXCR (byte 68) and
/// the hash instructions (byte 72); a second watchpoint (byte 64) is not offered. The
/// matrix-multiply assist has no bit: guests tell it by the PVR.
fn pa_features(cpu: Cpu) -> Vec<u8> {
    let mut bytes = vec![0xf6, 0x1f, 0xc7, 0xc0, 0x80, 0xf0, 0x80];
    let count = match cpu {
        Cpu::Power8 => 24,
        Cpu::Power9 => 66,
        _ => 74,
    };
    bytes.resize(count, 0);
    for (index, byte) in bytes.iter_mut().enumerate() {
        match index {
            4 if count == 74 => *byte = 0,
            22 => {}
            34 => *byte = 0xc0,
            68 => *byte = 0xce,
            72 => *byte = 0x80,
            16..64 if index % 2 == 0 => *byte = 0x80,
            _ => {}
        }
    }
    [&[bytes.len() as u8, 0], bytes.as_slice()].concat()
}

/// The tree as a blob.
pub fn write(layout: &Layout) -> Vec<u8> {
    whole(layout).finish(0)
}

/// Writes the tree.
pub fn whole(layout: &Layout) -> Writer {
    let mut tree = Writer::default();
    if !layout.rtas.is_empty() {
        tree.reserve(layout.rtas.start, layout.rtas.end - layout.rtas.start);
    }
    if let Some(initrd) = &layout.initrd {
        tree.reserve(initrd.start, initrd.end - initrd.start);
    }
    tree.node("", |root| {
        root.cell("#address-cells", 2);
        root.cell("#size-cells", 2);
        root.text("device_type", "chrp");
        root.text("model", "PowerVisor pseries");
        root.strings("compatible", &["powervisor,pseries", "IBM,pSeries"]);
        root.cell("interrupt-parent", PIC_PHANDLE);
        if layout.spec.interrupts == Interrupts::Xive {
            xive::priorities(root);
        }
        // There is one partition; H_GET_PPP says what the platform has, too.
        root.flag("ibm,lpar-capable");
        root.cell("ibm,partition-no", 1);
        root.text("ibm,partition-name", "PowerVisor");
        root.cell("ibm,partition-performance-parameters-level", 1);
        // It has properties, which stand before nodes.
        connectors::write_root(root, layout);
        root.node("chosen", |node| chosen(node, layout));
        hypervisor(layout).write(root, layout.spec.calls);
        root.node("rtas", |node| rtas(node, layout));
        root.node("cpus", |cpus| {
            cpus.cell("#address-cells", 1);
            cpus.cell("#size-cells", 0);
            connectors::write_processors(cpus, layout);
            let present = (0..layout.spec.vcpus()).filter(|number| connectors::has_processor(layout, *number));
            present.for_each(|number| processor(cpus, layout, number));
        });
        root.node("memory@0", |memory| {
            memory.text("device_type", "memory");
            memory.doubles("reg", &[0, layout.spec.memory]);
            memory.cells("ibm,associativity", &[4, 0, 0, 0, 0]);
        });
        match layout.spec.interrupts {
            Interrupts::Xics => root.node("interrupt-controller", |pic| xics(pic, layout.spec.vcpus())),
            Interrupts::Xive => xive::write(root, layout.spec.vcpus(), PIC_PHANDLE),
        }
        root.node("event-sources", event_sources);
        root.node("ibm,platform-facilities", |facilities| {
            facilities.text("device_type", "ibm,platform-facilities");
            facilities.cell("#address-cells", 1);
            facilities.cell("#size-cells", 0);
            facilities.node("ibm,random-v1", |random| random.text("compatible", "ibm,random"));
        });
        pci::write(root, layout, PIC_PHANDLE);
        persistent::write(root, layout);
        root.node("vdevice", vdevice);
        if layout.spec.boot == Boot::OpenFirmware {
            firmware::write(root, &layout.spec);
        }
    });
    tree
}

/// Writes the node of a processor.
pub fn processor(cpus: &mut Writer, layout: &Layout, number: u32) {
    let model = match layout.spec.cpu {
        Cpu::Power8 => "POWER8",
        Cpu::Power9 => "POWER9",
        _ => "POWER10",
    };
    cpus.node(&format!("PowerPC,{model}@{number:x}"), |node| cpu(node, layout, number));
}

/// Devices behind ePAPR's calls are for test kernels; PAPR has its own.
fn hypervisor(layout: &Layout) -> paravirt::Node<'static> {
    match layout.spec.kind {
        Kind::Bare => paravirt::Node {
            idle: layout.spec.cpu.family() != Family::Book3s64,
            channel: Some(&[sources::VTY, 0, sources::CHANNEL_ROOM, 0]),
            doorbell: Some(&[sources::DOORBELL, 0]),
            pic: Some(HV_PIC_PHANDLE),
            parent: Some(HV_PIC_PHANDLE),
        },
        _ => paravirt::Node::default(),
    }
}

fn xics(pic: &mut Writer, cpus: u32) {
    pic.text("compatible", "IBM,ppc-xicp");
    pic.text("device_type", "PowerPC-External-Interrupt-Presentation");
    pic.flag("interrupt-controller");
    pic.cell("#interrupt-cells", 2);
    pic.cells("ibm,interrupt-server-ranges", &[0, cpus]);
    pic.cell("phandle", PIC_PHANDLE);
}

fn chosen(node: &mut Writer, layout: &Layout) {
    node.text("bootargs", &layout.spec.append);
    node.text("stdout-path", VTY_PATH);
    node.text("linux,stdout-path", VTY_PATH);
    if let Some(initrd) = &layout.initrd {
        node.doubles("linux,initrd-start", &[initrd.start]);
        node.doubles("linux,initrd-end", &[initrd.end]);
    }
    node.bytes("rng-seed", &layout.spec.seed);
    node.cell("linux,pci-probe-only", 0);
    node.bytes("ibm,architecture-vec-5", &options::architecture_vec_5(&layout.spec));
    if layout.spec.boot == Boot::OpenFirmware {
        firmware::platform_support(node, &layout.spec);
    }
}

fn rtas(node: &mut Writer, layout: &Layout) {
    let xics = layout.spec.interrupts == Interrupts::Xics;
    for (name, token) in services(xics) {
        node.cell(name, token);
    }
    let either = layout.spec.chooses_mmu();
    let hash = if either || layout.spec.mmu == Mmu::Hash { &HASH[..] } else { &[] };
    let radix: &[&str] = if layout.spec.mmu == Mmu::Radix { &[RADIX] } else { &[] };
    let interrupt: &[&str] = if xics { &[INTERRUPT] } else { &[] };
    node.strings("ibm,hypertas-functions", &[&FUNCTIONS, hash, radix, interrupt].concat());
    if layout.spec.boot == Boot::Fdt {
        node.cell("linux,rtas-base", layout.rtas.start as u32);
        node.cell("linux,rtas-entry", layout.rtas.start as u32);
    }
    node.cell("rtas-size", RTAS_SIZE as u32);
    node.cell("rtas-error-log-max", 0x800);
    node.cell("rtas-event-scan-rate", 1);
    node.flag("ibm,extended-os-term");
    node.flag("ibm,change-msix-capable");
    // End of memory, memory block, processors: as many as there can be.
    let end = layout.spec.memory.max(layout.hot_memory.end);
    let [end_high, end_low] = [end >> 32, end].map(|half| half as u32);
    node.cells("ibm,lrdr-capacity", &[end_high, end_low, 0, MEMORY_BLOCK as u32, layout.spec.vcpus()]);
    node.cells("ibm,associativity-reference-points", &[4, 4, 2]);
    node.cells("ibm,max-associativity-domains", &[4, 0, 0, 0, 1]);
}

fn cpu(node: &mut Writer, layout: &Layout, number: u32) {
    let cpu = layout.spec.cpu;
    node.text("device_type", "cpu");
    node.cell("reg", number);
    node.text("status", "okay");
    node.cell("cpu-version", cpu.architected_pvr());
    node.cell("ibm,ppc-interrupt-server#s", number);
    node.cells("ibm,ppc-interrupt-gserver#s", &[number, 0]);
    node.cell("timebase-frequency", TIMEBASE_HZ as u32);
    node.cell("clock-frequency", 1_000_000_000);
    for cache in ["d-cache", "i-cache"] {
        node.cell(&format!("{cache}-line-size"), CACHE_LINE);
        node.cell(&format!("{cache}-block-size"), CACHE_LINE);
        node.cell(&format!("{cache}-size"), 0x8000);
    }
    node.flag("64-bit");
    node.cell("ibm,vmx", 2);
    node.cell("ibm,dfp", 1);
    node.cell("slb-size", ppc_mmu::slb::ENTRIES as u32);
    node.cell("ibm,slb-size", ppc_mmu::slb::ENTRIES as u32);
    node.cells("ibm,pft-size", &[0, layout.hash_shift]);
    // Base page shift, SLB encoding, number of page sizes, page shift, entry encoding; again for each base size.
    node.cells("ibm,segment-page-sizes", &[12, 0, 1, 12, 0, 16, 0x110, 1, 16, 1, 24, 0x100, 1, 24, 0]);
    node.cells("ibm,processor-segment-sizes", &[28, 40, u32::MAX, u32::MAX]);
    if V300.contains(cpu) {
        node.cell("ibm,dec-bits", 56);
        node.cells("ibm,processor-radix-AP-encodings", &[0xc, 0xa000_0010, 0x2000_0015, 0x4000_001e]);
    }
    node.bytes("ibm,pa-features", &pa_features(cpu));
    node.cell("ibm,purr", 1);
    node.cell("ibm,spurr", 1);
    node.cell("ibm,chip-id", 0);
    node.cells("ibm,associativity", &[5, 0, 0, 0, 0, number]);
    if let Some(index) = connectors::processor_index(layout, number) {
        node.cell("ibm,my-drc-index", index);
    }
}

fn event_sources(node: &mut Writer) {
    node.flag("interrupt-controller");
    node.cell("#interrupt-cells", 2);
    node.cells("interrupt-ranges", &[sources::EPOW, 1, sources::HOT_PLUG, 1]);
    node.node("epow-events", |events| events.cells("interrupts", &[sources::EPOW, 0]));
    node.node("hot-plug-events", |events| events.cells("interrupts", &[sources::HOT_PLUG, 0]));
}

fn vdevice(node: &mut Writer) {
    node.text("compatible", "IBM,vdevice");
    node.text("device_type", "vdevice");
    node.cell("#address-cells", 1);
    node.cell("#size-cells", 0);
    node.flag("interrupt-controller");
    node.cell("#interrupt-cells", 2);
    node.node("vty@71000000", |vty| {
        vty.text("compatible", "hvterm1");
        vty.text("device_type", "serial");
        vty.cell("reg", VTY_UNIT as u32);
        vty.cells("interrupts", &[sources::VTY, 0]);
    });
    node.node("nvram@71000001", |nvram| {
        nvram.text("compatible", "powervisor,nvram");
        nvram.text("device_type", "nvram");
        nvram.cell("reg", NVRAM_UNIT);
        nvram.cell("#bytes", platform::nvram::SIZE);
    });
}
