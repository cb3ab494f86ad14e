//! What is asked of a translation, and what it yields.

/// The top four bits of a real address are ignored (Power ISA Book III, section 5.7.3: real mode).
pub const REAL_MASK: u64 = 0x0fff_ffff_ffff_ffff;

/// Kind of access.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Instruction fetch.
    Fetch,
    /// Load.
    Load,
    /// Store.
    Store,
}

/// Authority masks: AMR for data, IAMR for fetches; key n is bits 2n and 2n+1 (IBM numbering).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Keys {
    /// Authority mask register.
    pub amr: u64,
    /// Instruction authority mask register.
    pub iamr: u64,
}

impl Keys {
    /// Whether virtual page class key `key` forbids the access.
    pub fn forbids(self, key: u32, access: Access) -> bool {
        let pair = |mask: u64| (mask >> (62 - 2 * (key & 31))) & 3;
        match access {
            Access::Store => pair(self.amr) & 2 != 0,
            Access::Load => pair(self.amr) & 1 != 0,
            Access::Fetch => pair(self.iamr) & 1 != 0,
        }
    }
}

/// A translation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mapping {
    /// Guest real address of the byte asked for.
    pub real: u64,
    /// log2 of the page size.
    pub shift: u32,
    /// Loads allowed.
    pub read: bool,
    /// Stores allowed (and changed bit already set).
    pub write: bool,
    /// Fetches allowed.
    pub execute: bool,
    /// Write through required or caching inhibited: blocks can not be set to zero in a cache.
    pub uncached: bool,
}
