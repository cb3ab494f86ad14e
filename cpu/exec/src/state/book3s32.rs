//! Registers that only Book3S-32 has.

use ppc_mmu::book3s32::{Bats, Segments};

/// Registers of Book3S-32 besides those of every family. The segment registers live in the shared page; `segments`
/// is what translation uses, taken from there when relocation changes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Book3s32 {
    /// Block address translation.
    pub bats: Bats,
    /// Segment registers in force.
    pub segments: Segments,
    /// SDR1: where the hashed page table is.
    pub sdr1: u32,
    /// The decrementer passed below zero and its interrupt was not taken yet.
    pub decrementer_latched: bool,
}
