//! What a user asks for.

use std::collections::BTreeMap;

use nvdimm::Geometry;
use ppc_isa::Cpu;
use ppc_isa::cpu::V300;

/// Machine types.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A PAPR partition: boots ppc64 Linux by direct entry with a flattened device tree.
    Pseries,
    /// RAM, a console and hypercalls, for test kernels; entered in the byte order of the ELF file.
    Bare,
    /// An e500 board: boots BookE Linux by ePAPR.
    E500,
    /// A Power Macintosh: boots Book3S-32 Linux by direct entry with a flattened device tree.
    Mac,
}

/// Translation that the guest shall use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mmu {
    /// Hashed page table.
    Hash,
    /// Radix trees.
    Radix,
}

/// The interrupt controller of a PAPR partition.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Interrupts {
    /// XICS: the guest makes calls, on any processor.
    #[default]
    Xics,
    /// XIVE: the guest loads and stores, on POWER9 and later.
    Xive,
}

/// How a kernel is entered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Boot {
    /// With a flattened device tree.
    #[default]
    Fdt,
    /// As a client of Open Firmware (pseries).
    OpenFirmware,
}

/// Hypercall interfaces that a machine answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Calls {
    /// `sc 1`: PAPR and RTAS, with the console.
    pub papr: bool,
    /// OSI, with two magic numbers.
    pub osi: bool,
    /// KVM's own: features, magic page.
    pub kvm: bool,
    /// ePAPR's, by KVM's convention.
    pub epapr: bool,
}

impl Calls {
    /// Everything but the paravirtual interface, or that too.
    pub fn with_pv(pv: bool) -> Calls {
        Calls { papr: true, osi: true, kvm: pv, epapr: pv }
    }

    /// Whether the paravirtual interface is offered, in part or whole.
    pub fn pv(self) -> bool {
        self.kvm || self.epapr
    }
}

/// Devices that can be put on the bus of a pseries machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Device {
    /// Entropy from the host.
    VirtioRng,
}

impl Device {
    /// All of them.
    pub const ALL: [Device; 1] = [Device::VirtioRng];

    /// Its name for the user.
    pub fn name(self) -> &'static str {
        match self {
            Device::VirtioRng => "virtio-rng",
        }
    }
}

/// A machine as described by the user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spec {
    /// Type.
    pub kind: Kind,
    /// CPU model.
    pub cpu: Cpu,
    /// Number of vCPUs. All but the first wait until the guest starts them.
    pub cpus: u32,
    /// Bytes of RAM.
    pub memory: u64,
    /// Translation, where the machine leaves a choice (Book3S-64).
    pub mmu: Mmu,
    /// A client of Open Firmware may choose the other translation, if the processor has both.
    pub either_mmu: bool,
    /// Interrupt controller, where the machine leaves a choice (pseries).
    pub interrupts: Interrupts,
    /// How the kernel is entered, where the machine leaves a choice (pseries).
    pub boot: Boot,
    /// Open Firmware has a disk: the number of the partition from which the kernel is, 0 when it is from elsewhere.
    pub disk: Option<u32>,
    /// Hypercalls that are answered.
    pub calls: Calls,
    /// Kernel command line.
    pub append: String,
    /// Random bytes for the guest's random number generator.
    pub seed: [u8; 32],
    /// Lets runs repeat: the time of day at the start, in seconds since 1970 (UTC). It then follows guest time, and the
    /// guest's random numbers all come from `seed`. Without it, time of day and random numbers are the host's.
    pub fixed_start: Option<i64>,
    /// Persistent memory (pseries).
    pub nvdimms: Vec<Geometry>,
    /// vCPUs that there can be while it runs (pseries); none more if that is not above `cpus`.
    pub max_cpus: u32,
    /// Bytes of RAM that there can be while it runs (pseries); none more if that is not above `memory`.
    pub max_memory: u64,
    /// Addresses for persistent memory that is added while it runs (pseries), in bytes.
    pub nvdimm_room: u64,
    /// Devices on its PCI bus by slot (pseries).
    pub devices: BTreeMap<u8, Device>,
    /// Connectors behind which there is something because it was added before a reset (pseries): it stays, and can be
    /// removed.
    pub added: Vec<u32>,
}

impl Spec {
    /// A machine with one processor and 512 MiB, the translation that its processor does best, and all hypercalls.
    pub fn new(kind: Kind, cpu: Cpu) -> Spec {
        Spec {
            kind,
            cpu,
            cpus: 1,
            memory: 512 << 20,
            mmu: if V300.contains(cpu) { Mmu::Radix } else { Mmu::Hash },
            either_mmu: false,
            interrupts: Interrupts::Xics,
            boot: Boot::Fdt,
            disk: None,
            calls: Calls::with_pv(true),
            append: String::new(),
            seed: [0; 32],
            fixed_start: None,
            nvdimms: Vec::new(),
            max_cpus: 0,
            max_memory: 0,
            nvdimm_room: 0,
            devices: BTreeMap::new(),
            added: Vec::new(),
        }
    }

    /// Whether the guest has a choice of translation.
    pub fn chooses_mmu(&self) -> bool {
        self.boot == Boot::OpenFirmware && self.either_mmu && V300.contains(self.cpu)
    }

    /// vCPUs that there can be.
    pub fn vcpus(&self) -> u32 {
        self.cpus.max(self.max_cpus)
    }
}
