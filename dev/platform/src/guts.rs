//! Global utilities of MPC85xx chips (MPC8548E reference manual, chapter 20): processor version, and the register that
//! asks for a reset. The system version reads as zero, no chip of Freescale's.

use crate::registers::Registers;

/// Bytes of the register block.
pub const SIZE: u64 = 0x1000;

const PROCESSOR_VERSION: u64 = 0xa0;
const RESET_CONTROL: u64 = 0xb0;
/// Hard reset request.
const HRESET_REQ: u64 = 1 << 1;

/// The block.
pub struct Guts {
    processor: u32,
    reset: Box<dyn Fn() + Send + Sync>,
}

impl Guts {
    /// A block that reads as the given processor version; `reset` is called when the guest asks for one.
    pub fn new(processor: u32, reset: Box<dyn Fn() + Send + Sync>) -> Guts {
        Guts { processor, reset }
    }
}

/// Registers of 32 bits; other widths read as zero and ignore writes, as do registers that are not here.
impl Registers for Guts {
    fn read(&self, offset: u64, bytes: u64) -> u64 {
        match offset {
            PROCESSOR_VERSION if bytes == 4 => self.processor.into(),
            _ => 0,
        }
    }

    fn write(&self, offset: u64, bytes: u64, value: u64) {
        if offset == RESET_CONTROL && bytes == 4 && value & HRESET_REQ != 0 {
            (self.reset)();
        }
    }
}
