//! MSR bits of BookE.

/// Critical interrupts.
pub const CE: u32 = 0x2_0000;
/// Address space 1 for instructions and data.
pub const SPACE_ONE: u32 = 0x30;
