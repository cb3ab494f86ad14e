//! Configuration space: bytes, of which some bits are the guest's to write (PCI 3.0, chapter 6).

/// Bytes of the configuration space of a conventional function.
pub const SIZE: usize = 256;

/// Registers of the header of type 0.
pub mod register {
    /// Vendor ID, device ID.
    pub const IDENTITY: u16 = 0x00;
    /// Command.
    pub const COMMAND: u16 = 0x04;
    /// Status.
    pub const STATUS: u16 = 0x06;
    /// Revision, then three bytes of class code.
    pub const REVISION: u16 = 0x08;
    /// Cache line size and latency timer, which the guest may keep there.
    pub const CACHE_LINE: u16 = 0x0c;
    /// The first of six base address registers.
    pub const BASE_ADDRESS: u16 = 0x10;
    /// Subsystem vendor ID, subsystem ID.
    pub const SUBSYSTEM: u16 = 0x2c;
    /// Offset of the first capability.
    pub const CAPABILITIES: u16 = 0x34;
    /// Interrupt line, which is the guest's, and pin.
    pub const INTERRUPT: u16 = 0x3c;
    /// Where capabilities begin.
    pub const FIRST_CAPABILITY: u16 = 0x40;
}

/// Bits of the command register.
pub mod command {
    /// Answers in I/O space.
    pub const IO: u32 = 1 << 0;
    /// Answers in memory space.
    pub const MEMORY: u32 = 1 << 1;
    /// May begin transactions: DMA and messages.
    pub const MASTER: u32 = 1 << 2;
    /// Parity error response, SERR#: kept, without an effect.
    pub const ERRORS: u32 = 1 << 6 | 1 << 8;
    /// Does not assert its interrupt pin.
    pub const INTERRUPT_DISABLE: u32 = 1 << 10;
}

/// Bits of the status register.
pub mod status {
    /// The pin is asserted, or would be.
    pub const INTERRUPT: u32 = 1 << 3;
    /// There are capabilities.
    pub const CAPABILITIES: u32 = 1 << 4;
}

/// The registers of a function.
#[derive(Clone, Debug)]
pub struct Space {
    bytes: [u8; SIZE],
    writable: [u8; SIZE],
}

impl Default for Space {
    fn default() -> Space {
        Space { bytes: [0; SIZE], writable: [0; SIZE] }
    }
}

impl Space {
    /// Sets registers from `offset` on, and which of their bits the guest may write.
    pub fn define(&mut self, offset: u16, value: &[u8], writable: &[u8]) {
        let start = usize::from(offset);
        for (place, byte) in self.bytes.iter_mut().skip(start).zip(value) {
            *place = *byte;
        }
        for (place, byte) in self.writable.iter_mut().skip(start).zip(writable) {
            *place = *byte;
        }
    }

    /// The register of `bytes` bytes (1, 2 or 4) at `offset`; what is outside reads as zero.
    pub fn read(&self, offset: u16, bytes: u8) -> u32 {
        let places = self.bytes.iter().skip(usize::from(offset)).take(usize::from(bytes));
        places.rev().fold(0, |value, byte| value << 8 | u32::from(*byte))
    }

    /// Writes what the guest may.
    pub fn write(&mut self, offset: u16, bytes: u8, value: u32) {
        let places = self.bytes.iter_mut().zip(&self.writable).skip(usize::from(offset));
        for ((place, writable), byte) in places.take(usize::from(bytes)).zip(value.to_le_bytes()) {
            *place = *place & !writable | byte & writable;
        }
    }

    /// Sets a register of `bytes` bytes, whoever may write it.
    pub fn set(&mut self, offset: u16, bytes: u8, value: u32) {
        let places = self.bytes.iter_mut().skip(usize::from(offset)).take(usize::from(bytes));
        places.zip(value.to_le_bytes()).for_each(|(place, byte)| *place = byte);
    }
}
