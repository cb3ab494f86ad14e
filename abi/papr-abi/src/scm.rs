//! Persistent memory: what its calls and its statistics buffer contain (spec papr 3).

/// H_SCM_BIND_MEM: the hypervisor chooses the address.
pub const CHOOSE_ADDRESS: u64 = u64::MAX;
/// H_SCM_UNBIND_ALL: every device.
pub const SCOPE_ALL: u64 = 1;
/// H_SCM_UNBIND_ALL: the device of a connector.
pub const SCOPE_ONE: u64 = 2;

/// The buffer of H_SCM_PERFORMANCE_STATS: big-endian, a header and rows of name and value.
pub mod statistics {
    /// At offset 0: `SCMSTATS`.
    pub const EYE_CATCHER: u64 = u64::from_be_bytes(*b"SCMSTATS");
    /// Offset of the version, 32 bits.
    pub const VERSION_AT: u64 = 8;
    /// The version.
    pub const VERSION: u32 = 1;
    /// Offset of the number of rows, 32 bits.
    pub const COUNT: u64 = 12;
    /// Offset of the first row.
    pub const FIRST: u64 = 16;
    /// Bytes of a row: a name of eight characters, a value of 64 bits.
    pub const ROW: u64 = 16;
}
