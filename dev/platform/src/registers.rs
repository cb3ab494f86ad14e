//! What a device on a bus looks like: registers at offsets.

/// A device's registers. Values are numbers as they stand on the bus: the byte at the lowest address is the most
/// significant one of `bytes` bytes.
pub trait Registers: Send + Sync {
    /// Reads `bytes` (1, 2, 4 or 8) at `offset`. Offsets without a register read as zero.
    fn read(&self, offset: u64, bytes: u64) -> u64;
    /// Writes them. Offsets without a register ignore it.
    fn write(&self, offset: u64, bytes: u64, value: u64);
}
