//! Memory of where branches went: by address for indirect ones, by site for those to other pages.
//!
//! Each remembers the key under which it holds, the number of the space and mode in which instructions are fetched.

/// Entries of the table of indirect branches; a power of two.
pub const JUMPS: usize = 4096;
/// log2 of the bytes of a [`Jump`].
pub const JUMP_SHIFT: u32 = 5;
/// Branches to other pages that can be remembered; then all code is dropped.
pub const LINKS: usize = 1 << 17;

/// The code for an effective address.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct Jump {
    /// Effective address.
    pub ea: u64,
    /// Key; 0 = none.
    pub key: u64,
    /// Host address.
    pub host: u64,
    _pad: u64,
}

impl Jump {
    /// A remembered jump.
    pub fn new(ea: u64, key: u64, host: u64) -> Jump {
        Jump { ea, key, host, _pad: 0 }
    }
}

/// The code for the one target of a site.
#[derive(Clone, Copy, Default)]
#[repr(C)]
pub struct Link {
    /// Key; 0 = none.
    pub key: u64,
    /// Host address.
    pub host: u64,
}

/// Index of the entry for `ea`.
pub fn index(ea: u64) -> usize {
    (ea >> 2) as usize & (JUMPS - 1)
}
