//! The versatile interface adapter of Power Macintoshes, a 6522 inside the I/O controller, and the handshake by which
//! its shift register carries bytes to and from the power management unit.
//!
//! The host loads the shift register (or means to read it) and pulls TREQ low; the unit takes (or gives) the byte,
//! pulls TACK low and so completes the shift; the host lets TREQ go, and the unit TACK. The unit here is never busy:
//! each byte passes at once. Ports but for these two pins, and the timers, keep what is written and do nothing; no
//! guest calibrates by a timer whose device tree has a timebase frequency that it believes.

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::{Pmu, Registers};

/// Bytes of the register block: sixteen registers, 512 bytes apart.
pub const SIZE: u64 = 0x2000;
const SPACING: u64 = 0x200;

const PORT_B: usize = 0;
const DIRECTION_B: usize = 2;
const SHIFT: usize = 10;
const AUXILIARY: usize = 11;
const FLAGS: usize = 13;
const ENABLED: usize = 14;

/// Port B: transfer acknowledge, from the unit, low when active.
const TACK: u8 = 0x08;
/// Port B: transfer request, to the unit, low when active.
const TREQ: u8 = 0x10;
/// Auxiliary control: the shift register shifts out.
const SHIFT_OUT: u8 = 0x10;
/// Interrupt flag: the shift is complete.
const SHIFTED: u8 = 0x04;
/// In the flags: some enabled interrupt; in the enables: set, not clear.
const ANY: u8 = 0x80;

/// An interrupt output of adapter and unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Output {
    /// The adapter's own.
    Via,
    /// The unit's, which asks to be asked for its reasons.
    Pmu,
}

struct State {
    registers: [u8; 16],
    pmu: Pmu,
    /// The interrupt outputs as they were told last.
    outputs: [bool; 2],
}

impl State {
    /// The level of TREQ: a pin that is no output is pulled up.
    fn request(&self) -> bool {
        self.registers[DIRECTION_B] & TREQ != 0 && self.registers[PORT_B] & TREQ == 0
    }

    fn interrupts(&self) -> bool {
        self.registers[FLAGS] & self.registers[ENABLED] != 0
    }

    fn write(&mut self, register: usize, value: u8) {
        let requested = self.request();
        match register {
            FLAGS => self.registers[FLAGS] &= !value,
            ENABLED if value & ANY != 0 => self.registers[ENABLED] |= value & !ANY,
            ENABLED => self.registers[ENABLED] &= !value,
            _ => {
                if let Some(slot) = self.registers.get_mut(register) {
                    *slot = value;
                }
                if register == SHIFT {
                    self.registers[FLAGS] &= !SHIFTED;
                }
            }
        }
        if self.request() && !requested {
            if self.registers[AUXILIARY] & SHIFT_OUT != 0 {
                self.pmu.send(self.registers[SHIFT]);
            } else {
                self.registers[SHIFT] = self.pmu.receive();
            }
            self.registers[FLAGS] |= SHIFTED;
        }
    }

    fn read(&mut self, register: usize) -> u8 {
        match register {
            PORT_B => {
                let outputs = self.registers[DIRECTION_B];
                let inputs = if self.request() { !TACK } else { 0xff };
                (self.registers[PORT_B] & outputs) | (inputs & !outputs)
            }
            SHIFT => {
                self.registers[FLAGS] &= !SHIFTED;
                self.registers[SHIFT]
            }
            FLAGS if self.interrupts() => self.registers[FLAGS] | ANY,
            ENABLED => self.registers[ENABLED] | ANY,
            _ => self.registers.get(register).copied().unwrap_or(0),
        }
    }
}

/// An adapter with its unit.
pub struct Via {
    state: Mutex<State>,
    interrupt: Box<dyn Fn(Output, bool) + Send + Sync>,
}

impl Via {
    /// An adapter that carries bytes to `pmu`; `interrupt` is told when an output rises or falls, and must not
    /// call back.
    pub fn new(pmu: Pmu, interrupt: Box<dyn Fn(Output, bool) + Send + Sync>) -> Via {
        Via { state: Mutex::new(State { registers: [0; 16], pmu, outputs: [false; 2] }), interrupt }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn update(&self, state: &mut State) {
        let outputs = [state.interrupts(), state.pmu.interrupts()];
        for (output, (up, before)) in [Output::Via, Output::Pmu].into_iter().zip(outputs.into_iter().zip(state.outputs))
        {
            if up != before {
                (self.interrupt)(output, up);
            }
        }
        state.outputs = outputs;
    }
}

impl Registers for Via {
    /// The registers are bytes; other accesses read as zero and ignore what is written.
    fn read(&self, offset: u64, bytes: u64) -> u64 {
        if bytes != 1 || !offset.is_multiple_of(SPACING) {
            return 0;
        }
        let mut state = self.lock();
        let value = state.read((offset / SPACING) as usize);
        self.update(&mut state);
        u64::from(value)
    }

    fn write(&self, offset: u64, bytes: u64, value: u64) {
        if bytes == 1 && offset.is_multiple_of(SPACING) {
            let mut state = self.lock();
            state.write((offset / SPACING) as usize, value as u8);
            self.update(&mut state);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;
    use crate::{GuestTime, Rtc};

    fn at(register: usize) -> u64 {
        register as u64 * SPACING
    }

    struct Host {
        via: Via,
        line: Arc<AtomicBool>,
    }

    fn host() -> Host {
        let line = Arc::new(AtomicBool::new(false));
        let seen = Arc::clone(&line);
        let pmu = Pmu::new(Arc::new(Rtc::new(Some(0))), Arc::new(GuestTime::default()), Box::new(|_| ()));
        let interrupt = Box::new(move |output, up| {
            if output == Output::Via {
                seen.store(up, Ordering::Relaxed);
            }
        });
        let host = Host { via: Via::new(pmu, interrupt), line };
        host.write(PORT_B, TREQ);
        host.write(DIRECTION_B, TREQ);
        host
    }

    impl Host {
        fn read(&self, register: usize) -> u8 {
            self.via.read(at(register), 1) as u8
        }

        fn write(&self, register: usize, value: u8) {
            self.via.write(at(register), 1, u64::from(value));
        }

        /// The handshake of one byte, each step checked.
        fn exchange(&self) {
            assert_eq!(self.read(PORT_B) & (TREQ | TACK), TREQ | TACK);
            self.write(PORT_B, 0);
            assert_eq!(self.read(FLAGS) & SHIFTED, SHIFTED);
            assert_eq!(self.read(PORT_B) & TACK, 0);
        }

        fn send(&self, byte: u8) {
            self.write(AUXILIARY, 0x1c);
            self.write(SHIFT, byte);
            self.exchange();
            self.write(PORT_B, TREQ);
            self.write(FLAGS, SHIFTED);
        }

        fn receive(&self) -> u8 {
            self.write(AUXILIARY, 0x0c);
            self.read(SHIFT);
            self.exchange();
            let byte = self.read(SHIFT);
            assert_eq!(self.read(FLAGS), 0, "read out");
            self.write(PORT_B, TREQ);
            byte
        }
    }

    #[test]
    fn bytes_pass_both_ways() {
        let host = host();
        host.send(0x38);
        let time = [(); 4].map(|()| host.receive());
        assert_eq!(u32::from_be_bytes(time), 2_082_844_800);
    }

    #[test]
    fn the_interrupt_is_the_enabled_flags() {
        let host = host();
        host.send(0xea);
        host.write(AUXILIARY, 0x0c);
        host.write(PORT_B, 0);
        assert!(!host.line.load(Ordering::Relaxed));
        host.write(ENABLED, ANY | SHIFTED);
        assert!(host.line.load(Ordering::Relaxed));
        assert_eq!((host.read(FLAGS), host.read(ENABLED)), (ANY | SHIFTED, ANY | SHIFTED));
        host.write(ENABLED, 0x7f);
        assert!(!host.line.load(Ordering::Relaxed));
        host.write(ENABLED, ANY | SHIFTED);
        host.write(FLAGS, 0x7f);
        assert!(!host.line.load(Ordering::Relaxed));
    }

    #[test]
    fn a_pin_that_is_no_output_requests_nothing() {
        let host = host();
        host.write(DIRECTION_B, 0);
        host.write(PORT_B, 0);
        assert_eq!((host.read(FLAGS), host.read(PORT_B)), (0, 0xff));
    }
}
