//! Where everything goes: a pure function from description and kernel to a layout.

use std::fmt;
use std::ops::{Range, RangeInclusive};

use guest_mem::{Order, VCPUS};
use image::elf::{Class, Kernel, Order as ElfOrder, Segment};
use nvdimm::header::limits::LARGEST_BLOCK;
use pci::bus::SLOTS;
use ppc_isa::cpu::{Family, V300};
use thiserror::Error;

use crate::blocks::{self, MEMORY_BLOCK};
use crate::spec::{Boot, Interrupts, Kind, Mmu, Spec};

/// Granularity of the layout.
const UNIT: u64 = 0x1_0000;
/// Initrd and, on pseries, tree and RTAS lie below this: 32-bit cells, real-mode limits and a 32-bit kernel's linear
/// mapping reach them.
const REACH: u64 = 0x3000_0000;
/// 32-bit kernels and ePAPR's: what their first mapping covers holds kernel and tree.
pub const FIRST_MAPPING: u64 = 64 << 20;
/// Room for RTAS.
pub const RTAS_SIZE: u64 = UNIT;
/// What can be added lies below the windows of devices.
const LARGEST_ROOM: u64 = 1 << 42;
/// Room for the device tree.
const TREE_SIZE: u64 = 0x4_0000;
const STACK_SIZE: u64 = UNIT;
/// The entry of Open Firmware.
const CLIENT_SIZE: u64 = UNIT;

/// Why a machine can not be planned.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum PlanError {
    /// The model has no such translation.
    #[error("{cpu} has no radix translation; use --mmu hash, or --cpu power9")]
    NoRadix {
        /// CPU name.
        cpu: &'static str,
    },
    /// The processor or the machine has none.
    #[error(
        "--interrupts xive goes with --machine pseries and --cpu power9 or power10; elsewhere use --interrupts xics"
    )]
    NoXive,
    /// The processor runs kernels of the other width.
    #[error("a {bits}-bit kernel, and --cpu {cpu} is not; choose another --machine or --cpu")]
    Width {
        /// The kernel's.
        bits: u32,
        /// CPU name.
        cpu: &'static str,
    },
    /// The processor does not run little-endian kernels.
    #[error("a little-endian kernel, and --cpu {cpu} is big-endian; give a big-endian one, or use --machine pseries")]
    LittleEndian {
        /// CPU name.
        cpu: &'static str,
    },
    /// More or fewer processors than a machine can have.
    #[error("--cpus {cpus}: this machine takes {range}")]
    Cpus {
        /// Asked for.
        cpus: u32,
        /// What it takes.
        range: &'static str,
    },
    /// Outside what a machine can have.
    #[error("--memory: {memory} bytes; this machine takes {range}, in steps of 64K")]
    MemorySize {
        /// Bytes asked for.
        memory: u64,
        /// What it takes.
        range: &'static str,
    },
    /// The machine has nothing of this kind.
    #[error("{flag}: only --machine pseries and its POWER processors have this")]
    Pseries {
        /// What was asked for.
        flag: &'static str,
    },
    /// More devices than slots.
    #[error("--device: {count} devices, and the PCI bus has {SLOTS} slots")]
    Slots {
        /// Asked for.
        count: usize,
    },
    /// It does not fit.
    #[error("{what} needs {needed} MiB of memory and the machine has {have} MiB; give it more with --memory")]
    MemoryTooSmall {
        /// What does not fit.
        what: &'static str,
        /// MiB needed.
        needed: u64,
        /// MiB there.
        have: u64,
    },
    /// It does not fit, whatever the memory.
    #[error("{what} needs {needed} MiB from address 0 on, and the kernel's first mapping covers {limit} MiB")]
    OutOfReach {
        /// What does not fit.
        what: &'static str,
        /// MiB needed.
        needed: u64,
        /// MiB mapped.
        limit: u64,
    },
    /// The entry lies in no segment.
    #[error("the kernel's entry {entry:#x} is in none of its loaded segments")]
    NoEntry {
        /// e_entry.
        entry: u64,
    },
}

/// A kernel segment at its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placed {
    /// Guest real address.
    pub address: u64,
    /// Bytes in the kernel file.
    pub file: Range<usize>,
}

/// Where everything goes. Addresses are guest real addresses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    /// The description.
    pub spec: Spec,
    /// First instruction.
    pub entry: u64,
    /// Byte order at entry.
    pub entry_order: Order,
    /// A kernel of 32 bits on a processor of 64.
    pub narrow: bool,
    /// From the lowest to the highest kernel byte.
    pub kernel: Range<u64>,
    /// What is loaded; memory behind it is zero.
    pub segments: Vec<Placed>,
    /// Initial RAM file system.
    pub initrd: Option<Range<u64>>,
    /// Room for the device tree, empty where Open Firmware keeps it.
    pub tree: Range<u64>,
    /// Entry of Open Firmware, empty where there is none.
    pub client: Range<u64>,
    /// RTAS code, empty where there is no RTAS, or the kernel makes room for it.
    pub rtas: Range<u64>,
    /// A stack for the kernel's first instructions, empty where it needs none.
    pub stack: Range<u64>,
    /// log2 of the hashed page table's size.
    pub hash_shift: u32,
    /// Where memory may be added, empty where none can.
    pub hot_memory: Range<u64>,
    /// Where the guest may have persistent memory, empty where it has none.
    pub persistent: Range<u64>,
}

/// RAM that a kind of machine can have, and the same in words.
fn memory(kind: Kind) -> (RangeInclusive<u64>, &'static str) {
    match kind {
        Kind::Pseries | Kind::Bare => (16 << 20..=1 << 42, "16M to 4T"),
        // The I/O space begins at 60 GiB.
        Kind::E500 => (64 << 20..=32 << 30, "64M to 32G"),
        // The I/O space begins at 2 GiB.
        Kind::Mac => (16 << 20..=2 << 30, "16M to 2G"),
    }
}

/// vCPUs that a machine can have, and the same in words.
fn cpus(spec: &Spec) -> (RangeInclusive<u32>, &'static str) {
    match spec.kind {
        // As many as reservations are kept for.
        Kind::Pseries => (1..=VCPUS, "1 to 62 processors"),
        Kind::Bare if spec.cpu.family() == Family::Book3s64 => (1..=VCPUS, "1 to 62 processors"),
        Kind::Bare => (1..=1, "one processor, unless --cpu is one of POWER's: others have no call to start a second"),
        // As many as the interrupt controller has.
        Kind::E500 => (1..=32, "1 to 32 processors"),
        Kind::Mac => (1..=1, "one processor: a Power Macintosh's board starts no second one here"),
    }
}

/// Lays out a machine.
///
/// # Errors
/// What does not fit or fit together.
pub fn plan(spec: &Spec, kernel: &Kernel, initrd_len: Option<u64>) -> Result<Layout, PlanError> {
    let cpu = spec.cpu.name();
    let (hot_memory, persistent) = behind_ram(spec)?;
    if !spec.devices.is_empty() && spec.kind != Kind::Pseries {
        return Err(PlanError::Pseries { flag: "--device" });
    }
    if spec.devices.keys().any(|slot| *slot >= SLOTS) {
        return Err(PlanError::Slots { count: spec.devices.len() });
    }
    if spec.mmu == Mmu::Radix && !V300.contains(spec.cpu) {
        return Err(PlanError::NoRadix { cpu });
    }
    if spec.interrupts == Interrupts::Xive && (spec.kind != Kind::Pseries || !V300.contains(spec.cpu)) {
        return Err(PlanError::NoXive);
    }
    if spec.boot == Boot::OpenFirmware && spec.kind != Kind::Pseries {
        return Err(PlanError::Pseries { flag: "--boot of" });
    }
    // Boot programs are clients of 32 bits, on every processor.
    let narrow = spec.boot == Boot::OpenFirmware && (kernel.class, kernel.order) == (Class::Elf32, ElfOrder::Big);
    if (kernel.class == Class::Elf64) != spec.cpu.sixty_four() && !narrow {
        return Err(PlanError::Width { bits: if kernel.class == Class::Elf64 { 64 } else { 32 }, cpu });
    }
    let little = kernel.order == ElfOrder::Little;
    if little && spec.cpu.family() != Family::Book3s64 {
        return Err(PlanError::LittleEndian { cpu });
    }
    let (sizes, range) = memory(spec.kind);
    if !sizes.contains(&spec.memory) || !spec.memory.is_multiple_of(UNIT) {
        return Err(PlanError::MemorySize { memory: spec.memory, range });
    }
    let (counts, range) = cpus(spec);
    if let Some(cpus) = [spec.cpus, spec.vcpus()].into_iter().find(|cpus| !counts.contains(cpus)) {
        return Err(PlanError::Cpus { cpus, range });
    }
    let inside = |s: &&Segment| kernel.entry.wrapping_sub(s.virtual_) < s.memory_size;
    let no_entry = PlanError::NoEntry { entry: kernel.entry };
    let segment = kernel.segments.iter().find(inside).ok_or(no_entry)?;
    let entry = kernel.entry.wrapping_sub(segment.virtual_).wrapping_add(segment.physical);
    let start = kernel.segments.iter().map(|s| s.physical).min().unwrap_or(0);
    let end = kernel.segments.iter().map(|s| s.physical.saturating_add(s.memory_size)).max().unwrap_or(0);
    let places = match spec.kind {
        Kind::Pseries | Kind::Bare => high(spec, end, initrd_len)?,
        Kind::E500 => low(spec, end, initrd_len, 0)?,
        Kind::Mac => low(spec, end, initrd_len, STACK_SIZE)?,
    };
    let little_entry = spec.kind == Kind::Bare && little;
    // One 128th of memory, as PAPR recommends, at least 256 KiB.
    let memory = spec.memory + blocks::present(spec, &hot_memory).count() as u64 * MEMORY_BLOCK;
    Ok(Layout {
        spec: spec.clone(),
        entry,
        entry_order: if little_entry { Order::Little } else { Order::Big },
        narrow,
        kernel: start..end,
        segments: kernel.segments.iter().map(|s| Placed { address: s.physical, file: s.file.clone() }).collect(),
        initrd: initrd_len.map(|len| places.initrd..places.initrd + len),
        tree: places.tree,
        client: places.client,
        rtas: places.rtas,
        stack: places.stack,
        hash_shift: 18.max(memory.next_power_of_two().ilog2() - 7),
        hot_memory,
        persistent,
    })
}

/// Memory that may be added begins behind RAM, persistent memory behind that; both on borders of the largest blocks. There
/// is room to bind each device twice.
fn behind_ram(spec: &Spec) -> Result<(Range<u64>, Range<u64>), PlanError> {
    let asked = [
        ("--nvdimm", !spec.nvdimms.is_empty()),
        ("--max-cpus", spec.max_cpus > spec.cpus),
        ("--max-memory", spec.max_memory > spec.memory),
        ("--nvdimm-room", spec.nvdimm_room > 0),
    ];
    let has = matches!(spec.kind, Kind::Pseries | Kind::Bare) && spec.cpu.family() == Family::Book3s64;
    if let Some((flag, _)) = asked.into_iter().find(|(_, asked)| *asked && !has) {
        return Err(PlanError::Pseries { flag });
    }
    let (_, range) = memory(spec.kind);
    if let Some(memory) = [spec.max_memory, spec.nvdimm_room].into_iter().find(|bytes| *bytes > LARGEST_ROOM) {
        return Err(PlanError::MemorySize { memory, range });
    }
    let whole = |bytes: u64| bytes.next_multiple_of(LARGEST_BLOCK);
    let start = whole(spec.memory.min(LARGEST_ROOM));
    let end = spec.max_memory / MEMORY_BLOCK * MEMORY_BLOCK;
    let memory = if end > start { start..end } else { 0..0 };
    let sizes = spec.nvdimms.iter().map(|nvdimm| whole(nvdimm.block_size * nvdimm.blocks));
    let bytes = 2 * (sizes.sum::<u64>() + whole(spec.nvdimm_room));
    let start = start.max(end);
    Ok((memory, if bytes > 0 { start..start + bytes } else { 0..0 }))
}

/// What is placed around the kernel.
#[derive(Default)]
struct Places {
    initrd: u64,
    tree: Range<u64>,
    client: Range<u64>,
    rtas: Range<u64>,
    stack: Range<u64>,
}

/// `bytes` in whole units; what overflows is more than any machine has.
fn units(bytes: u64) -> u64 {
    bytes.checked_next_multiple_of(UNIT).unwrap_or(u64::MAX)
}

/// pseries: RTAS, below it the tree, below it the initrd, all as high as they are reached; with Open Firmware its entry and a
/// stack in the place of RTAS and tree, and the initrd behind the kernel: Linux then takes memory from above it only.
fn high(spec: &Spec, kernel_end: u64, initrd_len: Option<u64>) -> Result<Places, PlanError> {
    let top = spec.memory.min(REACH);
    let [first, second] = match spec.boot {
        Boot::Fdt => [RTAS_SIZE, TREE_SIZE],
        Boot::OpenFirmware => [CLIENT_SIZE, STACK_SIZE],
    };
    let fixed = first + second;
    let (kernel_end, initrd_size) = (units(kernel_end), units(initrd_len.unwrap_or(0)));
    if kernel_end > top - fixed {
        return Err(too_small(spec, "the kernel", kernel_end.saturating_add(fixed)));
    }
    if initrd_size > top - fixed - kernel_end {
        let needed = kernel_end.saturating_add(initrd_size).saturating_add(fixed);
        return Err(too_small(spec, "the kernel with its initrd", needed));
    }
    let (first, second) = (top - first..top, top - fixed..top - first);
    Ok(match spec.boot {
        Boot::Fdt => Places { rtas: first, initrd: second.start - initrd_size, tree: second, ..Places::default() },
        Boot::OpenFirmware => Places { client: first, stack: second, initrd: kernel_end, ..Places::default() },
    })
}

/// e500 and Mac: tree, `stack` bytes of stack, and initrd follow the kernel, so that the kernel's first mapping reaches the
/// tree.
fn low(spec: &Spec, kernel_end: u64, initrd_len: Option<u64>, stack: u64) -> Result<Places, PlanError> {
    let tree_start = units(kernel_end);
    let tree_end = tree_start.saturating_add(TREE_SIZE);
    if tree_end > FIRST_MAPPING {
        let (needed, limit) = (tree_end.div_ceil(1 << 20), FIRST_MAPPING >> 20);
        return Err(PlanError::OutOfReach { what: "the kernel with its device tree", needed, limit });
    }
    let tree = tree_start..tree_end;
    let stack = tree.end..tree.end + stack;
    let initrd = stack.end;
    let end = initrd.saturating_add(units(initrd_len.unwrap_or(0)));
    if end > spec.memory.min(REACH) {
        return Err(too_small(spec, "the kernel with its initrd", end));
    }
    Ok(Places { initrd, tree, stack, ..Places::default() })
}

fn too_small(spec: &Spec, what: &'static str, needed: u64) -> PlanError {
    PlanError::MemoryTooSmall { what, needed: needed.div_ceil(1 << 20), have: spec.memory >> 20 }
}

impl fmt::Display for Layout {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let spec = &self.spec;
        let ranges = [
            ("ram", Some(&(0..spec.memory))),
            ("hotplug", Some(&self.hot_memory).filter(|range| !range.is_empty())),
            ("nvdimm", Some(&self.persistent).filter(|range| !range.is_empty())),
            ("kernel", Some(&self.kernel)),
            ("initrd", self.initrd.as_ref()),
            ("tree", Some(&self.tree).filter(|range| !range.is_empty())),
            ("client", Some(&self.client).filter(|range| !range.is_empty())),
            ("rtas", Some(&self.rtas).filter(|range| !range.is_empty())),
            ("stack", Some(&self.stack).filter(|range| !range.is_empty())),
        ];
        for (name, range) in ranges.into_iter().filter_map(|(name, range)| Some((name, range?))) {
            writeln!(f, "{name:8} {:#012x}..{:#012x}", range.start, range.end)?;
        }
        writeln!(f, "entry    {:#012x} ({:?}-endian)", self.entry, self.entry_order)?;
        let pv = if spec.calls.pv() { "on" } else { "off" };
        let mmu = if spec.cpu.family() == Family::Book3s64 { format!("{:?}, ", spec.mmu) } else { String::new() };
        let cpus = if spec.cpus == 1 { String::new() } else { format!("{} ", spec.cpus) };
        let xive = if spec.interrupts == Interrupts::Xive { "Xive, " } else { "" };
        writeln!(f, "machine  {:?}, {cpus}{}, {mmu}{xive}pv {pv}", spec.kind, spec.cpu.name())?;
        if !spec.devices.is_empty() {
            let names = spec.devices.values().map(|device| device.name());
            writeln!(f, "devices  {}", names.collect::<Vec<_>>().join(", "))?;
        }
        writeln!(f, "append   {}", spec.append)
    }
}
