//! The entry of Open Firmware's client interface, as the client calls it with the address of its argument array in r3.

/// Its code, big-endian: moves the address to r4, loads H_VOF_CLIENT, `sc 1`, returns with the status in r3.
pub const ENTRY: [u32; 5] = [0x7c64_1b78, 0x3c60_0000, 0x6063_f005, 0x4400_0022, 0x4e80_0020];
