//! The first sectors of an image file: what it is, how large, and whether it was put away in order.
//!
//! There are two copies, each in a sector of its own and written in turn, so that one that is torn leaves the other. All
//! numbers are big-endian.

use guest_mem::BLOCK;
use sha2::{Digest, Sha256};
use thiserror::Error;

use crate::uuid::Uuid;

/// Bytes of a copy: what a disk writes as a whole.
pub const SIZE: usize = 512;
/// Where the copies are in the file.
pub const COPIES: [u64; 2] = [0, 4096];
/// Where the label area begins.
pub const LABELS: u64 = 0x1_0000;
/// What the data is aligned to: the host's large pages.
const DATA_ALIGNMENT: u64 = 2 << 20;

const MAGIC: [u8; 8] = *b"PVNVDIMM";
const VERSION: u32 = 1;
const CHECKSUM: usize = 32;

/// Sizes that an image can have.
pub mod limits {
    use std::ops::RangeInclusive;

    /// Bytes of the label area: Linux wants two index blocks and some labels, and takes its size as 32 bits.
    pub const LABELS: RangeInclusive<u64> = 1 << 10..=16 << 20;
    /// Bytes of data.
    pub const DATA: RangeInclusive<u64> = super::BLOCK..=1 << 42;
    /// Bytes of a block at most: what pseries machines use.
    pub const LARGEST_BLOCK: u64 = 256 << 20;
}

/// Whether somebody may have left stores behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Made, and never mapped since.
    New,
    /// Put away in order.
    Clean,
    /// Mapped by a machine, or left so when that ended without a word.
    InUse,
}

/// What a copy says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// Identity of the contents; labels are bound to it.
    pub uuid: Uuid,
    /// Bytes of a block, a power of two.
    pub block_size: u64,
    /// Blocks of data.
    pub blocks: u64,
    /// Bytes of the label area.
    pub labels: u64,
    /// How it was left.
    pub state: State,
    /// How often it was left without being put away.
    pub dirty_shutdowns: u64,
    /// Seconds in machines.
    pub power_on_seconds: u64,
    /// Raised with each writing: the copy with the higher one counts.
    pub sequence: u64,
}

/// Why bytes are no header.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum HeaderError {
    /// The magic number is another's.
    #[error("it does not begin as an NVDIMM image")]
    Foreign,
    /// Magic, but not what was written.
    #[error("its checksum is wrong: it is torn or was changed")]
    Damaged,
    /// A later format.
    #[error("it is of version {0}, and this program knows {VERSION}")]
    Version(u32),
    /// Sizes that do not fit together.
    #[error("its sizes make no sense")]
    Sizes,
}

impl Header {
    /// The header of a new image of `data` bytes.
    ///
    /// # Errors
    /// What is wrong with the sizes.
    pub fn new(uuid: Uuid, data: u64, labels: u64) -> Result<Header, String> {
        if !limits::DATA.contains(&data) || !data.is_multiple_of(BLOCK) {
            return Err(format!("a size of {data} bytes; it must be 16M to 4T, in steps of 16M"));
        }
        if !limits::LABELS.contains(&labels) || !labels.is_multiple_of(1 << 10) {
            return Err(format!("a label area of {labels} bytes; it must be 1K to 16M, in steps of 1K"));
        }
        let block_size = limits::LARGEST_BLOCK.min(1 << data.trailing_zeros());
        let blocks = data / block_size;
        let (state, dirty_shutdowns, power_on_seconds, sequence) = (State::New, 0, 0, 1);
        Ok(Header { uuid, block_size, blocks, labels, state, dirty_shutdowns, power_on_seconds, sequence })
    }

    /// Bytes of data.
    pub fn data(&self) -> u64 {
        self.block_size * self.blocks
    }

    /// Where the data begins in the file.
    pub fn data_offset(&self) -> u64 {
        (LABELS + self.labels).next_multiple_of(DATA_ALIGNMENT)
    }

    /// Bytes of the whole file.
    pub fn file(&self) -> u64 {
        self.data_offset() + self.data()
    }

    /// As bytes of the file.
    pub fn encode(&self) -> [u8; SIZE] {
        let state = match self.state {
            State::New => 0,
            State::Clean => 1,
            State::InUse => 2,
        };
        let Header { uuid, block_size, blocks, labels, dirty_shutdowns, power_on_seconds, sequence, .. } = *self;
        let numbers = [block_size, blocks, labels, state, dirty_shutdowns, power_on_seconds, sequence];
        let mut fields = [&MAGIC[..], &VERSION.to_be_bytes(), &(SIZE as u32).to_be_bytes(), &uuid.0].concat();
        fields.extend(numbers.into_iter().flat_map(u64::to_be_bytes));
        fields.resize(SIZE - CHECKSUM, 0);
        let mut bytes = [0; SIZE];
        let sum = Sha256::digest(&fields);
        bytes.iter_mut().zip(fields.into_iter().chain(sum)).for_each(|(byte, field)| *byte = field);
        bytes
    }

    /// From bytes of the file.
    ///
    /// # Errors
    /// Why they are no header.
    pub fn decode(bytes: &[u8; SIZE]) -> Result<Header, HeaderError> {
        let (fields, sum) = bytes.split_at(SIZE - CHECKSUM);
        let field = |at: usize, len: usize| fields.get(at..at + len).unwrap_or_default();
        let number = |at: usize| field(at, 8).iter().fold(0, |number, byte| number << 8 | u64::from(*byte));
        if field(0, 8) != MAGIC {
            return Err(HeaderError::Foreign);
        }
        if Sha256::digest(fields).as_slice() != sum {
            return Err(HeaderError::Damaged);
        }
        let version = (number(8) >> 32) as u32;
        if version != VERSION {
            return Err(HeaderError::Version(version));
        }
        let mut uuid = Uuid([0; 16]);
        uuid.0.copy_from_slice(field(16, 16));
        let [block_size, blocks, labels, state, dirty_shutdowns, power_on_seconds, sequence] =
            [0, 1, 2, 3, 4, 5, 6].map(|n| number(32 + 8 * n));
        let state = match state {
            0 => State::New,
            1 => State::Clean,
            2 => State::InUse,
            _ => return Err(HeaderError::Sizes),
        };
        let made = block_size.checked_mul(blocks).and_then(|data| Header::new(uuid, data, labels).ok());
        let header = made.ok_or(HeaderError::Sizes)?;
        if (header.block_size, header.blocks) != (block_size, blocks) {
            return Err(HeaderError::Sizes);
        }
        Ok(Header { state, dirty_shutdowns, power_on_seconds, sequence, ..header })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header() -> Header {
        let made = Header::new(Uuid([7; 16]), 512 << 20, 128 << 10).unwrap();
        Header { state: State::InUse, dirty_shutdowns: 3, power_on_seconds: 99, sequence: 12, ..made }
    }

    #[test]
    fn bytes_and_back() {
        let header = header();
        assert_eq!(Header::decode(&header.encode()), Ok(header));
        assert_eq!((header.block_size, header.blocks, header.data_offset()), (256 << 20, 2, 2 << 20));
        assert_eq!(Header::new(Uuid([7; 16]), 48 << 20, 1 << 10).unwrap().block_size, 16 << 20);
    }

    #[test]
    fn every_changed_bit_is_noticed() {
        let bytes = header().encode();
        for bit in 0..SIZE * 8 {
            let mut changed = bytes;
            changed[bit / 8] ^= 1 << (bit % 8);
            let want = if bit < 64 { HeaderError::Foreign } else { HeaderError::Damaged };
            assert_eq!(Header::decode(&changed), Err(want), "bit {bit}");
        }
    }

    #[test]
    fn sizes_are_whole_blocks() {
        for (data, labels) in [(0, 1 << 17), (BLOCK - 1, 1 << 17), (BLOCK + 1, 1 << 17), (1 << 43, 1 << 17), (BLOCK, 0)]
        {
            assert!(Header::new(Uuid([0; 16]), data, labels).is_err(), "{data:#x} {labels:#x}");
        }
    }
}
