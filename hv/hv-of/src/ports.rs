//! What the services need from the machine.

use std::ops::Range;

use crate::client_architecture::Architecture;

/// The terminal that is standard input and output.
pub trait Console: Send + Sync {
    /// Writes all of `data` or nothing; `false` when there is no room now.
    fn put(&self, data: &[u8]) -> bool;
    /// Reads up to `out.len()` bytes that have arrived; returns how many.
    fn get(&self, out: &mut [u8]) -> usize;
}

/// A disk that firmware can read.
pub trait Disk: Send + Sync {
    /// Bytes of a block.
    fn block_size(&self) -> u32;
    /// Bytes of the whole disk.
    fn size(&self) -> u64;
    /// Reads bytes from `offset` on; `false` when the medium gives them not all.
    fn read(&self, offset: u64, out: &mut [u8]) -> bool;
    /// Bytes of partition `number`, counted from 1. `None` when there is none.
    fn partition(&self, number: u32) -> Option<Range<u64>>;
}

/// Everything that the services need.
pub struct Ports {
    /// The terminal.
    pub console: Box<dyn Console>,
    /// The disk at [`crate::path::DISK`], if there is one.
    pub disk: Option<Box<dyn Disk>>,
    /// What the processors are, and the options that the machine was made with.
    pub architecture: Architecture,
    /// The code of the RTAS entry, big-endian instructions.
    pub rtas: &'static [u32],
}
