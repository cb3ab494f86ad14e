//! OSI calls (Mac-on-Linux): `sc` with two magic numbers, from any privilege.

/// Low word of r3.
pub const MAGIC_R3: u32 = 0x1137_24fa;
/// Low word of r4.
pub const MAGIC_R4: u32 = 0x7781_0f9b;
