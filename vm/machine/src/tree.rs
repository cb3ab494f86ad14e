//! The flattened device tree of a PAPR machine (spec papr 8), made from the layout alone.

use exec::timer::TIMEBASE_HZ;
use hv_papr::rtas;
use ppc_isa::Cpu;
use pv_abi::kvm;
use vm_fdt::{Error, FdtReserveEntry, FdtWriter};

use crate::plan::Layout;
use crate::ports::VTY_UNIT;
use crate::spec::Mmu;

/// Interrupt source of the terminal.
pub const VTY_IRQ: u32 = 0x1100;
const VTY_PATH: &str = "/vdevice/vty@71000000";
const PIC_PHANDLE: u32 = 1;
const CACHE_LINE: u32 = 128;

/// Hypercall groups that exist here; Linux uses a group only when its name is listed.
const FUNCTIONS: [&str; 8] = [
    "hcall-pft",
    "hcall-term",
    "hcall-interrupt",
    "hcall-splpar",
    "hcall-bulk",
    "hcall-set-mode",
    "hcall-join",
    "hcall-vphn",
];

/// `ibm,pa-features` as count, type and bytes: what the CPU can do, one bit each (spec papr 8.3). No transactional
/// memory (byte 22).
fn pa_features(cpu: Cpu) -> Vec<u8> {
    let mut bytes = vec![0xf6, 0x1f, 0xc7, 0xc0, 0x80, 0xf0, 0x80];
    bytes.resize(if cpu == Cpu::Power8 { 24 } else { 66 }, 0);
    for (index, byte) in bytes.iter_mut().enumerate() {
        match index {
            22 => {}
            34 => *byte = 0xc0,
            16..64 if index % 2 == 0 => *byte = 0x80,
            _ => {}
        }
    }
    [&[bytes.len() as u8, 0], bytes.as_slice()].concat()
}

/// `ibm,architecture-vec-5`: what client-architecture-support would have agreed on (spec papr 4.4).
fn architecture_vec_5(mmu: Mmu) -> [u8; 27] {
    let radix = if mmu == Mmu::Radix { 0x40 } else { 0 };
    let mut vec = [0; 27];
    vec[0] = 25; // bytes that follow, minus one
    vec[2] = 0x20; // dynamic reconfiguration
    vec[5] = 0x80; // form 1 affinity
    vec[22] = 0x80; // second version of dynamic memory
    vec[24] = radix; // radix only, or hash only
    vec[26] = radix; // the guest executes tlbie itself
    vec
}

/// Writes the tree.
pub fn write(layout: &Layout) -> Result<Vec<u8>, Error> {
    let spec = &layout.spec;
    let mut reserved = vec![FdtReserveEntry::new(layout.rtas.start, layout.rtas.end - layout.rtas.start)?];
    if let Some(initrd) = &layout.initrd {
        reserved.push(FdtReserveEntry::new(initrd.start, initrd.end - initrd.start)?);
    }
    let mut t = FdtWriter::new_with_mem_reserv(&reserved)?;

    let root = t.begin_node("")?;
    t.property_u32("#address-cells", 2)?;
    t.property_u32("#size-cells", 2)?;
    t.property_string("device_type", "chrp")?;
    t.property_string("model", "PowerVisor pseries")?;
    t.property_string_list("compatible", vec!["powervisor,pseries".into(), "IBM,pSeries".into()])?;
    t.property_u32("interrupt-parent", PIC_PHANDLE)?;

    let chosen = t.begin_node("chosen")?;
    t.property_string("bootargs", &spec.append)?;
    t.property_string("stdout-path", VTY_PATH)?;
    t.property_string("linux,stdout-path", VTY_PATH)?;
    if let Some(initrd) = &layout.initrd {
        t.property_u64("linux,initrd-start", initrd.start)?;
        t.property_u64("linux,initrd-end", initrd.end)?;
    }
    t.property("rng-seed", &spec.seed)?;
    t.property_u32("linux,pci-probe-only", 0)?;
    t.property("ibm,architecture-vec-5", &architecture_vec_5(spec.mmu))?;
    t.end_node(chosen)?;

    if spec.pv {
        let hypervisor = t.begin_node("hypervisor")?;
        t.property_string("compatible", "linux,kvm")?;
        t.property_array_u32("hcall-instructions", &kvm::HCALL_INSTRUCTIONS)?;
        t.end_node(hypervisor)?;
    }
    write_rtas(&mut t, layout)?;
    write_cpus(&mut t, layout)?;

    let memory = t.begin_node("memory@0")?;
    t.property_string("device_type", "memory")?;
    t.property_array_u64("reg", &[0, spec.memory])?;
    t.property_array_u32("ibm,associativity", &[4, 0, 0, 0, 0])?;
    t.end_node(memory)?;

    let pic = t.begin_node("interrupt-controller")?;
    t.property_string("compatible", "IBM,ppc-xicp")?;
    t.property_string("device_type", "PowerPC-External-Interrupt-Presentation")?;
    t.property_null("interrupt-controller")?;
    t.property_u32("#interrupt-cells", 2)?;
    t.property_array_u32("ibm,interrupt-server-ranges", &[0, 1])?;
    t.property_phandle(PIC_PHANDLE)?;
    t.end_node(pic)?;

    let vdevice = t.begin_node("vdevice")?;
    t.property_string("compatible", "IBM,vdevice")?;
    t.property_string("device_type", "vdevice")?;
    t.property_u32("#address-cells", 1)?;
    t.property_u32("#size-cells", 0)?;
    t.property_null("interrupt-controller")?;
    t.property_u32("#interrupt-cells", 2)?;
    let vty = t.begin_node("vty@71000000")?;
    t.property_string("compatible", "hvterm1")?;
    t.property_string("device_type", "serial")?;
    t.property_u32("reg", VTY_UNIT as u32)?;
    t.property_array_u32("interrupts", &[VTY_IRQ, 0])?;
    t.end_node(vty)?;
    t.end_node(vdevice)?;

    t.end_node(root)?;
    t.finish()
}

fn write_rtas(t: &mut FdtWriter, layout: &Layout) -> Result<(), Error> {
    let node = t.begin_node("rtas")?;
    for service in rtas::services() {
        t.property_u32(service.name, service.token)?;
    }
    t.property_string_list("ibm,hypertas-functions", FUNCTIONS.map(String::from).to_vec())?;
    t.property_u32("linux,rtas-base", layout.rtas.start as u32)?;
    t.property_u32("linux,rtas-entry", layout.rtas.start as u32)?;
    t.property_u32("rtas-size", (layout.rtas.end - layout.rtas.start) as u32)?;
    t.property_u32("rtas-error-log-max", 0x800)?;
    t.property_u32("rtas-event-scan-rate", 1)?;
    t.property_null("ibm,extended-os-term")?;
    t.property_array_u32("ibm,associativity-reference-points", &[4, 4, 2])?;
    t.property_array_u32("ibm,max-associativity-domains", &[4, 0, 0, 0, 1])?;
    t.end_node(node)
}

fn write_cpus(t: &mut FdtWriter, layout: &Layout) -> Result<(), Error> {
    let spec = &layout.spec;
    let cpus = t.begin_node("cpus")?;
    t.property_u32("#address-cells", 1)?;
    t.property_u32("#size-cells", 0)?;
    let cpu = t.begin_node(match spec.cpu {
        Cpu::Power8 => "PowerPC,POWER8@0",
        Cpu::Power9 => "PowerPC,POWER9@0",
    })?;
    t.property_string("device_type", "cpu")?;
    t.property_u32("reg", 0)?;
    t.property_string("status", "okay")?;
    t.property_u32("cpu-version", spec.cpu.architected_pvr())?;
    t.property_u32("ibm,ppc-interrupt-server#s", 0)?;
    t.property_array_u32("ibm,ppc-interrupt-gserver#s", &[0, 0])?;
    t.property_u32("timebase-frequency", TIMEBASE_HZ as u32)?;
    t.property_u32("clock-frequency", 1_000_000_000)?;
    for cache in ["d-cache", "i-cache"] {
        t.property_u32(&format!("{cache}-line-size"), CACHE_LINE)?;
        t.property_u32(&format!("{cache}-block-size"), CACHE_LINE)?;
        t.property_u32(&format!("{cache}-size"), 0x8000)?;
    }
    t.property_null("64-bit")?;
    t.property_u32("ibm,vmx", 2)?;
    t.property_u32("slb-size", ppc_mmu::slb::ENTRIES as u32)?;
    t.property_u32("ibm,slb-size", ppc_mmu::slb::ENTRIES as u32)?;
    t.property_array_u32("ibm,pft-size", &[0, layout.hash_shift])?;
    t.property_array_u32("ibm,segment-page-sizes", &[12, 0, 1, 12, 0, 16, 0x110, 1, 16, 1])?;
    t.property_array_u32("ibm,processor-segment-sizes", &[28, 40, u32::MAX, u32::MAX])?;
    if spec.cpu == Cpu::Power9 {
        t.property_u32("ibm,dec-bits", 56)?;
        t.property_array_u32("ibm,processor-radix-AP-encodings", &[0xc, 0xa000_0010, 0x2000_0015, 0x4000_001e])?;
    }
    t.property("ibm,pa-features", &pa_features(spec.cpu))?;
    t.property_u32("ibm,purr", 1)?;
    t.property_u32("ibm,spurr", 1)?;
    t.property_u32("ibm,chip-id", 0)?;
    t.property_array_u32("ibm,associativity", &[5, 0, 0, 0, 0, 0])?;
    t.end_node(cpu)?;
    t.end_node(cpus)
}
