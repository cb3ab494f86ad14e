//! Memory that comes and goes in blocks: their connectors' numbers, and which are there when the guest starts.

use std::ops::Range;

use crate::spec::Spec;

/// Bytes of a block.
pub const MEMORY_BLOCK: u64 = 0x1000_0000;
/// Connectors are numbered from here on, by block.
const FIRST_CONNECTOR: u32 = 0x8000_0000;

/// The connector of the block at `address`.
pub fn connector(address: u64) -> u32 {
    FIRST_CONNECTOR + (address / MEMORY_BLOCK) as u32
}

/// Addresses of the blocks of a range.
pub fn addresses(range: &Range<u64>) -> impl Iterator<Item = u64> + use<> {
    range.clone().step_by(MEMORY_BLOCK as usize)
}

/// Whether the block at `address`, behind RAM, is memory when the guest starts.
pub fn is_present(spec: &Spec, address: u64) -> bool {
    spec.added.contains(&connector(address))
}

/// Blocks of the room behind RAM that are memory when the guest starts.
pub fn present(spec: &Spec, room: &Range<u64>) -> impl Iterator<Item = Range<u64>> {
    let present = addresses(room).filter(|address| is_present(spec, *address));
    present.map(|address| address..address + MEMORY_BLOCK)
}
