//! Where in real memory the kernels keep things, above the image. A kernel needs 128 MiB.

/// A frame of 64 KiB for loads, stores and copied code.
pub const SCRATCH: u64 = 0x100_0000;
/// Process table, 4 KiB.
pub const PROCESS_TABLE: u64 = 0x110_0000;
/// Radix tables, given out upward.
pub const TABLES: u64 = 0x120_0000;
/// RAM that lies under the magic page in one test.
pub const COVERED: u64 = 0x130_0000;

unsafe extern "C" {
    static __image_start: u8;
    static __probe_start: u8;
    static __image_end: u8;
}

/// First and last + 1 byte of the image.
pub fn image() -> (u64, u64) {
    (&raw const __image_start as u64, &raw const __image_end as u64)
}

/// Start of the page-aligned probe code.
pub fn probes() -> u64 {
    &raw const __probe_start as u64
}

/// Reads a naturally aligned value at a real address.
pub fn peek<T>(address: u64) -> T {
    // SAFETY: real mode, an address of this module, of the magic page or of a device.
    unsafe { (address as *const T).read_volatile() }
}

/// Writes a naturally aligned value at a real address.
pub fn poke<T>(address: u64, value: T) {
    // SAFETY: as for `peek`; nothing the compiler knows of lives there.
    unsafe { (address as *mut T).write_volatile(value) }
}

/// Fills a range with zero doublewords.
pub fn clear(address: u64, bytes: u64) {
    (address..address + bytes).step_by(8).for_each(|at| poke(at, 0_u64));
}
