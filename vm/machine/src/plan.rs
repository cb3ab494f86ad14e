//! Where everything goes: a pure function from description and kernel to a layout.

use std::fmt;
use std::ops::Range;

use guest_mem::Order;
use image::elf::{Kernel, Order as ElfOrder, Segment};
use ppc_isa::Cpu;
use thiserror::Error;

use crate::spec::{Kind, Mmu, Spec};

/// Granularity of the layout.
const UNIT: u64 = 0x1_0000;
/// RTAS, tree and initrd lie below this, so that 32-bit cells and real-mode limits can reach them.
const REACH: u64 = 0x3000_0000;
const RTAS_SIZE: u64 = UNIT;
/// Room for the device tree.
const TREE_SIZE: u64 = 0x4_0000;
const SMALLEST: u64 = 16 << 20;
const LARGEST: u64 = 1 << 42;

/// Why a machine can not be planned.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum PlanError {
    /// The model has no such translation.
    #[error("{cpu} has no radix translation; use --mmu hash, or --cpu power9")]
    NoRadix {
        /// CPU name.
        cpu: &'static str,
    },
    /// Outside what a machine can have.
    #[error("--memory: {memory} bytes; this machine takes 16M to 4T, in steps of 64K")]
    MemorySize {
        /// Bytes asked for.
        memory: u64,
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
    /// From the lowest to the highest kernel byte.
    pub kernel: Range<u64>,
    /// What is loaded; memory behind it is zero.
    pub segments: Vec<Placed>,
    /// Initial RAM file system.
    pub initrd: Option<Range<u64>>,
    /// Room for the device tree.
    pub tree: Range<u64>,
    /// RTAS code.
    pub rtas: Range<u64>,
    /// log2 of the hashed page table's size.
    pub hash_shift: u32,
}

/// Lays out a machine.
///
/// # Errors
/// What does not fit or fit together.
pub fn plan(spec: &Spec, kernel: &Kernel, initrd_len: Option<u64>) -> Result<Layout, PlanError> {
    if spec.mmu == Mmu::Radix && spec.cpu == Cpu::Power8 {
        return Err(PlanError::NoRadix { cpu: spec.cpu.name() });
    }
    if !(SMALLEST..=LARGEST).contains(&spec.memory) || !spec.memory.is_multiple_of(UNIT) {
        return Err(PlanError::MemorySize { memory: spec.memory });
    }
    let inside = |s: &&Segment| kernel.entry.wrapping_sub(s.virtual_) < s.memory_size;
    let no_entry = PlanError::NoEntry { entry: kernel.entry };
    let segment = kernel.segments.iter().find(inside).ok_or(no_entry)?;
    let entry = kernel.entry.wrapping_sub(segment.virtual_).wrapping_add(segment.physical);
    let start = kernel.segments.iter().map(|s| s.physical).min().unwrap_or(0);
    let end = kernel.segments.iter().map(|s| s.physical.saturating_add(s.memory_size)).max().unwrap_or(0);

    let top = spec.memory.min(REACH);
    let fixed = RTAS_SIZE + TREE_SIZE;
    let kernel_end = end.checked_next_multiple_of(UNIT).unwrap_or(u64::MAX);
    let initrd_size = initrd_len.unwrap_or(0).checked_next_multiple_of(UNIT).unwrap_or(u64::MAX);
    let too_small = |what, needed: u64| PlanError::MemoryTooSmall {
        what,
        needed: needed.saturating_add(fixed).div_ceil(1 << 20),
        have: spec.memory >> 20,
    };
    if kernel_end > top - fixed {
        return Err(too_small("the kernel", kernel_end));
    }
    if initrd_size > top - fixed - kernel_end {
        return Err(too_small("the kernel with its initrd", kernel_end.saturating_add(initrd_size)));
    }
    let rtas = top - RTAS_SIZE..top;
    let tree = rtas.start - TREE_SIZE..rtas.start;
    let initrd_start = tree.start - initrd_size;
    let little_entry = spec.kind == Kind::Bare && kernel.order == ElfOrder::Little;
    Ok(Layout {
        spec: spec.clone(),
        entry,
        entry_order: if little_entry { Order::Little } else { Order::Big },
        kernel: start..end,
        segments: kernel.segments.iter().map(|s| Placed { address: s.physical, file: s.file.clone() }).collect(),
        initrd: initrd_len.map(|len| initrd_start..initrd_start + len),
        tree,
        rtas,
        // One 128th of RAM, as PAPR recommends, at least 256 KiB.
        hash_shift: (spec.memory.next_power_of_two().ilog2() - 7).max(18),
    })
}

impl fmt::Display for Layout {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let spec = &self.spec;
        let mut line =
            |name: &str, range: &Range<u64>| writeln!(f, "{name:8} {:#012x}..{:#012x}", range.start, range.end);
        line("ram", &(0..spec.memory))?;
        line("kernel", &self.kernel)?;
        if let Some(initrd) = &self.initrd {
            line("initrd", initrd)?;
        }
        line("tree", &self.tree)?;
        line("rtas", &self.rtas)?;
        writeln!(f, "entry    {:#012x} ({:?}-endian)", self.entry, self.entry_order)?;
        let pv = if spec.calls.pv() { "on" } else { "off" };
        writeln!(f, "machine  {:?}, {}, {:?}, pv {pv}", spec.kind, spec.cpu.name(), spec.mmu)?;
        writeln!(f, "append   {}", spec.append)
    }
}
