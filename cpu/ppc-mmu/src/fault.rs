//! Translation faults as values.

/// Why an access did not translate. Status bits stand where DSISR (data) and the low word of SRR1 (instruction
/// fetch) have them, Power ISA Book III, sections 7.5.3 and 7.5.5.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// No segment: data segment (0x380) or instruction segment (0x480) interrupt.
    Segment,
    /// Data storage (0x300) or instruction storage (0x400) interrupt with these status bits.
    Storage(u32),
    /// BookE: no entry, data or instruction TLB error interrupt.
    TlbMiss,
}

/// No translation found.
pub const NO_PTE: u32 = 0x4000_0000;
/// Instruction fetch from no-execute or guarded storage (SRR1 only).
pub const NO_EXECUTE: u32 = 0x1000_0000;
/// Protection violation.
pub const PROTECTION: u32 = 0x0800_0000;
/// Access to a direct-store segment (Book3S-32; DSISR only).
pub const DIRECT_STORE: u32 = 0x0400_0000;
/// The access was a store (DSISR only).
pub const STORE: u32 = 0x0200_0000;
/// BookE: the page has the other byte order (`ESR[BO]`).
pub const BYTE_ORDER: u32 = 0x0002_0000;
/// Refused by the authority mask register.
pub const KEY: u32 = 0x0020_0000;
/// The radix tree has an unsupported shape.
pub const BAD_TREE: u32 = 0x0008_0000;
