//! What a user asks for.

use ppc_isa::Cpu;

/// Machine types.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A PAPR partition: boots ppc64 Linux by direct entry with a flattened device tree.
    Pseries,
    /// RAM, a console and hypercalls, for test kernels; entered in the byte order of the ELF file.
    Bare,
}

/// Translation that the guest shall use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mmu {
    /// Hashed page table.
    Hash,
    /// Radix trees.
    Radix,
}

/// A machine as described by the user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spec {
    /// Type.
    pub kind: Kind,
    /// CPU model.
    pub cpu: Cpu,
    /// Bytes of RAM.
    pub memory: u64,
    /// Translation.
    pub mmu: Mmu,
    /// Whether the guest is offered the KVM paravirtual interface.
    pub pv: bool,
    /// Kernel command line.
    pub append: String,
    /// Random bytes for the guest's random number generator.
    pub seed: [u8; 32],
}
