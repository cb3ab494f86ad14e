//! What functions see of the host bridge: memory, interrupt lines, and the address where messages are interrupts.

use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use crate::dma::Dma;

/// Interrupt lines of a bridge. Slots share them; neighbours begin at different ones.
pub const LINES: u32 = 4;
/// A store of a source's number here is its interrupt. It is behind the first DMA window, and below 4 GiB for functions
/// with short addresses.
pub const MESSAGE_ADDRESS: u64 = 0x4000_0000;

/// Sets the line of an interrupt source, or signals an edge with `true`. It must not call back.
pub type SetLine = Box<dyn Fn(u32, bool) + Send + Sync>;

/// The bridge as seen from its bus.
pub struct Upstream {
    pub(crate) dma: Dma,
    first_line: u32,
    messages: Range<u32>,
    set: SetLine,
    /// For each line the slots that assert it.
    asserting: Mutex<[u32; LINES as usize]>,
}

impl Upstream {
    /// A bridge whose lines are the level-triggered sources from `first_line` on, and whose messages are the sources
    /// `messages`.
    pub fn new(dma: Dma, first_line: u32, messages: Range<u32>, set: SetLine) -> Upstream {
        Upstream { dma, first_line, messages, set, asserting: Mutex::default() }
    }

    /// Sources of messages.
    pub(crate) fn messages(&self) -> Range<u32> {
        self.messages.clone()
    }

    /// A function sends a message: a store of 32 bits.
    pub(crate) fn message(&self, address: u64, data: u32) {
        if address != MESSAGE_ADDRESS {
            // Where nothing is, a store is lost.
            let _ = self.dma.write(address, &data.to_le_bytes());
        } else if self.messages.contains(&data) {
            (self.set)(data, true);
        }
    }

    /// The function in `slot` asserts its pin INTA# or not.
    pub(crate) fn set_pin(&self, slot: u8, asserted: bool) {
        let line = u32::from(slot) % LINES;
        let mut asserting = self.asserting.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(slots) = asserting.get_mut(line as usize) else { return };
        let before = *slots != 0;
        let bit = 1_u32 << (slot & 31);
        *slots = if asserted { *slots | bit } else { *slots & !bit };
        let now = *slots != 0;
        if before != now {
            (self.set)(self.first_line + line, now);
        }
    }
}
