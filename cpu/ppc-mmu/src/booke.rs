//! BookE: the software-managed TLB of Freescale cores: TLB0 (4 KiB pages, set-associative), TLB1 (variable pages).

use crate::fault::Fault;
use crate::space::{Access, Mapping, Space};

/// The TLB arrays of a core.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tlb {
    /// Counts writes, so that caches of translations notice.
    pub generation: u64,
}

/// Translates `ea` in address space `as_one` for one of the process identifiers `pids`.
///
/// # Errors
/// A miss, or the storage fault of an entry that forbids the access.
pub fn translate(
    space: &Space,
    tlb: &Tlb,
    pids: [u32; 3],
    as_one: bool,
    ea: u64,
    access: Access,
) -> Result<Mapping, Fault> {
    let _ = (space, tlb, pids, as_one, ea, access);
    Err(Fault::TlbMiss)
}
