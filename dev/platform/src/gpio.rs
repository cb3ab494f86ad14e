//! General-purpose I/O of Freescale's QorIQ and MPC85xx chips (P5020 reference manual, chapter "General-purpose I/O"):
//! 32 pins, of which only outputs are connected. Pin 0 is the most significant bit of each register.

use std::sync::{Mutex, PoisonError};

use crate::registers::Registers;

/// Bytes of the register block.
pub const SIZE: u64 = 0x1000;

const DIRECTION: u64 = 0x00;
const OPEN_DRAIN: u64 = 0x04;
const DATA: u64 = 0x08;
const INTERRUPT_MASK: u64 = 0x10;
const INTERRUPT_CONTROL: u64 = 0x14;

#[derive(Clone, Copy, Default)]
struct State {
    direction: u32,
    open_drain: u32,
    data: u32,
    interrupt_mask: u32,
    interrupt_control: u32,
}

impl State {
    /// Pins that are driven high. An open drain only ever pulls low.
    fn high(&self) -> u32 {
        self.data & self.direction & !self.open_drain
    }
}

/// A block of pins.
pub struct QoriqGpio {
    state: Mutex<State>,
    rise: Box<dyn Fn(u32) + Send + Sync>,
}

impl QoriqGpio {
    /// A block after reset: all pins are inputs. `rise` is called with the number of each output that goes high.
    pub fn new(rise: Box<dyn Fn(u32) + Send + Sync>) -> QoriqGpio {
        QoriqGpio { state: Mutex::default(), rise }
    }
}

/// Registers of 32 bits; other widths read as zero and ignore writes. Inputs read as low and never interrupt.
impl Registers for QoriqGpio {
    fn read(&self, offset: u64, bytes: u64) -> u64 {
        let state = *self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let value = match offset {
            _ if bytes != 4 => 0,
            DIRECTION => state.direction,
            OPEN_DRAIN => state.open_drain,
            DATA => state.data & state.direction,
            INTERRUPT_MASK => state.interrupt_mask,
            INTERRUPT_CONTROL => state.interrupt_control,
            _ => 0,
        };
        value.into()
    }

    fn write(&self, offset: u64, bytes: u64, value: u64) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let before = state.high();
        let value = value as u32;
        match offset {
            _ if bytes != 4 => {}
            DIRECTION => state.direction = value,
            OPEN_DRAIN => state.open_drain = value,
            DATA => state.data = value,
            INTERRUPT_MASK => state.interrupt_mask = value,
            INTERRUPT_CONTROL => state.interrupt_control = value,
            _ => {}
        }
        let risen = state.high() & !before;
        drop(state);
        (0..u32::BITS).filter(|pin| risen << pin >> 31 != 0).for_each(&self.rise);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn outputs_that_rise() {
        let risen = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&risen);
        let gpio = QoriqGpio::new(Box::new(move |pin| log.lock().unwrap().push(pin)));
        let take = || std::mem::take(&mut *risen.lock().unwrap());
        gpio.write(DATA, 4, 0x8000_0001);
        assert_eq!((take(), gpio.read(DATA, 4)), (vec![], 0), "inputs");
        gpio.write(DIRECTION, 4, 0x8000_0000);
        assert_eq!((take(), gpio.read(DATA, 4)), (vec![0], 0x8000_0000));
        gpio.write(DATA, 4, 0x8000_0000);
        assert_eq!(take(), [], "already high");
        gpio.write(DATA, 4, 0);
        gpio.write(DIRECTION, 4, u32::MAX.into());
        gpio.write(OPEN_DRAIN, 4, 1);
        gpio.write(DATA, 4, 0x2000_0003);
        assert_eq!(take(), [2, 30]);
        assert_eq!(gpio.read(OPEN_DRAIN, 4), 1);
        assert_eq!((gpio.read(0x0c, 4), gpio.read(DIRECTION, 2)), (0, 0));
    }
}
