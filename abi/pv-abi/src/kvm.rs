//! KVM hypercalls of PowerPC: the magic in r0, tokens, features.

use crate::epapr::token;

/// Low word of r0 that makes `sc` a KVM hypercall: "KVM!".
pub const MAGIC: u32 = 0x4b56_4d21;
/// KVM's vendor number.
pub const VENDOR: u32 = 42;
/// Which features the hypervisor has: r4 = bit map.
pub const FEATURES: u32 = token(VENDOR, 3);
/// Map the magic page: r3 = guest real address, r4 = effective address and flags; returns r4 = page features.
pub const MAP_MAGIC_PAGE: u32 = token(VENDOR, 4);

/// Feature bit: the magic page.
pub const FEATURE_MAGIC_PAGE: u64 = 1 << 1;

/// The instruction words that the device tree hands out: load "KVM!" into r0, `sc`, `nop`.
pub const HCALL_INSTRUCTIONS: [u32; 4] = [0x3c00_4b56, 0x6000_4d21, 0x4400_0002, 0x6000_0000];
