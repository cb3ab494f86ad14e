//! Requests to forget translations, as values that can be posted to a vCPU.

/// A request to forget translations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Invalidation {
    /// One page of `1 << shift` bytes at this effective or virtual address, in every context.
    Page {
        /// Address; only bits inside the segment matter.
        address: u64,
        /// log2 of the page size.
        shift: u32,
    },
    /// Everything translated for one PID. With radix trees that of PID 0 is in every address space.
    Process(u32),
    /// What another processor invalidates in the software-managed TLB of this one (BookE): the entries themselves, of
    /// which [`crate::SoftTlb`] knows nothing, and everything derived from them.
    Tlb(Flush),
    /// Everything.
    All,
}

/// What an invalidation of BookE's TLB names. Protected entries of TLB1 stay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flush {
    /// One array: MMUCSR0, tlbivax with INV_ALL.
    Array {
        /// TLB1.
        one: bool,
    },
    /// Whatever one array has for an address, in every context: tlbivax.
    Address {
        /// TLB1.
        one: bool,
        /// Effective address.
        ea: u64,
    },
    /// Both arrays: tlbilx, T=0.
    All,
    /// Entries of one process, in both arrays: tlbilx, T=1.
    Process {
        /// Its PID.
        tid: u32,
    },
    /// The entry for one virtual address: tlbilx, T=3.
    Virtual {
        /// PID.
        tid: u32,
        /// Address space.
        space: bool,
        /// Effective address.
        ea: u64,
    },
}
