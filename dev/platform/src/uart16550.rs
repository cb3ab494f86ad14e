//! The 16550A serial port (National Semiconductor PC16550D data sheet, section 8).
//!
//! Output goes to a writer at once, so that the transmitter is always empty. Input waits on the line while RTS is down,
//! as with a terminal that heeds it, and until the guest cares: it looks at IIR or LSR with the interrupt for received
//! data enabled, or at LSR alone again and again, as one who polls. So what was typed early is not lost when a driver probes
//! the port and clears its FIFOs. Input below the trigger level counts as timed out, since time does not pass here.

use std::collections::VecDeque;
use std::io::Write;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::registers::Registers;

/// Bytes that wait on the line; more is refused.
const LINE_LIMIT: usize = 4096;
/// Looks at LSR in a row after which the guest polls for input. Drivers that wait for the transmitter look up to twice.
const POLLING: u8 = 3;
/// Bytes of the receiver's FIFO.
const FIFO: usize = 16;

/// Bytes of the register block.
pub const SIZE: u64 = 8;

mod ier {
    pub const RECEIVED: u8 = 1 << 0;
    pub const TRANSMITTED: u8 = 1 << 1;
    pub const LINE_STATUS: u8 = 1 << 2;
    pub const MODEM_STATUS: u8 = 1 << 3;
    pub const ALL: u8 = 0x0f;
}

mod iir {
    pub const NONE: u8 = 0x01;
    pub const LINE_STATUS: u8 = 0x06;
    pub const RECEIVED: u8 = 0x04;
    pub const TIMEOUT: u8 = 0x0c;
    pub const TRANSMITTED: u8 = 0x02;
    pub const MODEM_STATUS: u8 = 0x00;
    pub const FIFOS: u8 = 0xc0;
}

mod fcr {
    pub const ENABLE: u8 = 1 << 0;
    pub const CLEAR_RECEIVER: u8 = 1 << 1;
    /// Bytes at which received data interrupt, by the two top bits.
    pub const TRIGGERS: [usize; 4] = [1, 4, 8, 14];
}

mod lcr {
    /// Divisor latch access.
    pub const DLAB: u8 = 1 << 7;
}

mod mcr {
    pub const DTR: u8 = 1 << 0;
    pub const RTS: u8 = 1 << 1;
    pub const OUT1: u8 = 1 << 2;
    pub const OUT2: u8 = 1 << 3;
    pub const LOOP: u8 = 1 << 4;
    pub const ALL: u8 = 0x1f;
}

mod lsr {
    pub const READY: u8 = 1 << 0;
    pub const OVERRUN: u8 = 1 << 1;
    /// Transmitter and its holding register are empty.
    pub const EMPTY: u8 = 3 << 5;
}

mod msr {
    /// The ring indicator went off: its change bit marks that edge only.
    pub const RING_ENDED: u8 = 1 << 2;
    pub const CHANGES: u8 = 0x0f;
    pub const CTS: u8 = 1 << 4;
    pub const DSR: u8 = 1 << 5;
    pub const RING: u8 = 1 << 6;
    pub const DCD: u8 = 1 << 7;
}

struct State {
    line: VecDeque<u8>,
    fifo: VecDeque<u8>,
    ier: u8,
    fcr: u8,
    lcr: u8,
    mcr: u8,
    msr: u8,
    scratch: u8,
    divisor: [u8; 2],
    overrun: bool,
    /// The transmitter became empty, and the guest has not been told.
    transmitted: bool,
    /// Accesses since the last one to another register than LSR.
    looks: u8,
    /// The interrupt output.
    raised: bool,
}

/// A serial port.
pub struct Uart16550 {
    output: Mutex<Box<dyn Write + Send>>,
    state: Mutex<State>,
    interrupt: Box<dyn Fn(bool) + Send + Sync>,
}

impl Uart16550 {
    /// A port that prints to `output`. `interrupt` is called whenever the interrupt output changes; it must not call
    /// back.
    pub fn new(output: Box<dyn Write + Send>, interrupt: Box<dyn Fn(bool) + Send + Sync>) -> Uart16550 {
        let state = State {
            line: VecDeque::new(),
            fifo: VecDeque::new(),
            ier: 0,
            fcr: 0,
            lcr: 0,
            mcr: 0,
            msr: msr::CTS | msr::DSR | msr::DCD,
            scratch: 0,
            divisor: [0; 2],
            overrun: false,
            transmitted: false,
            looks: 0,
            raised: false,
        };
        Uart16550 { output: Mutex::new(output), state: Mutex::new(state), interrupt }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sets the interrupt output. The lock is held while telling of it, so that two changes are told in their order.
    fn settle(&self, mut state: MutexGuard<'_, State>) {
        let raised = state.interrupt() != iir::NONE;
        if raised != state.raised {
            state.raised = raised;
            (self.interrupt)(raised);
        }
    }

    /// Types bytes; returns how many the line took.
    pub fn type_in(&self, data: &[u8]) -> usize {
        let mut state = self.state();
        let taken = data.len().min(LINE_LIMIT.saturating_sub(state.line.len()));
        state.line.extend(data.iter().take(taken));
        self.settle(state);
        taken
    }

    /// Sends a byte. The writer may type in return: no lock of the state is held meanwhile. What the host can not take
    /// is lost, as on a line that nobody reads.
    fn send(&self, byte: u8) {
        if self.state().mcr & mcr::LOOP != 0 {
            self.state().arrived(byte);
        } else {
            let mut output = self.output.lock().unwrap_or_else(PoisonError::into_inner);
            let _ = output.write_all(&[byte]).and_then(|()| output.flush());
        }
        let mut state = self.state();
        (state.transmitted, state.looks) = (true, 0);
    }
}

impl State {
    fn depth(&self) -> usize {
        if self.fcr & fcr::ENABLE != 0 { FIFO } else { 1 }
    }

    /// The guest raised RTS.
    fn listens(&self) -> bool {
        self.mcr & (mcr::RTS | mcr::LOOP) == mcr::RTS
    }

    /// Bytes that wait at the line for a guest that is interrupted for them.
    fn offered(&self) -> usize {
        if self.listens() && self.ier & ier::RECEIVED != 0 { self.line.len() } else { 0 }
    }

    /// The guest looks what there is: takes from the line what there is room for. One who polls gets one byte.
    fn receive(&mut self, polls: bool) {
        let room = self.depth().saturating_sub(self.fifo.len());
        let polled = usize::from(polls && self.listens() && self.fifo.is_empty());
        let count = self.offered().max(polled).min(room).min(self.line.len());
        self.fifo.extend(self.line.drain(..count));
    }

    /// A byte arrives whether there is room for it or not.
    fn arrived(&mut self, byte: u8) {
        if self.fifo.len() < self.depth() { self.fifo.push_back(byte) } else { self.overrun = true }
    }

    /// The most urgent enabled interrupt, as IIR names it.
    fn interrupt(&self) -> u8 {
        let trigger = fcr::TRIGGERS.get(usize::from(self.fcr >> 6)).copied().unwrap_or(1);
        let received = self.fifo.len() + self.offered();
        let enabled = |bit: u8, condition: bool| self.ier & bit != 0 && condition;
        if enabled(ier::LINE_STATUS, self.overrun) {
            iir::LINE_STATUS
        } else if enabled(ier::RECEIVED, received >= trigger.min(self.depth())) {
            iir::RECEIVED
        } else if enabled(ier::RECEIVED, received != 0) {
            iir::TIMEOUT
        } else if enabled(ier::TRANSMITTED, self.transmitted) {
            iir::TRANSMITTED
        } else if enabled(ier::MODEM_STATUS, self.msr & msr::CHANGES != 0) {
            iir::MODEM_STATUS
        } else {
            iir::NONE
        }
    }

    fn identify(&mut self) -> u8 {
        let interrupt = self.interrupt();
        if interrupt == iir::TRANSMITTED {
            self.transmitted = false;
        }
        interrupt | if self.fcr & fcr::ENABLE != 0 { iir::FIFOS } else { 0 }
    }

    /// Modem inputs: the other end's, which is always ready, or looped back from the outputs.
    fn set_modem_control(&mut self, value: u8) {
        self.mcr = value & mcr::ALL;
        let looped = |output: u8, input: u8| if self.mcr & output != 0 { input } else { 0 };
        let inputs = if self.mcr & mcr::LOOP == 0 {
            msr::CTS | msr::DSR | msr::DCD
        } else {
            looped(mcr::RTS, msr::CTS)
                | looped(mcr::DTR, msr::DSR)
                | looped(mcr::OUT1, msr::RING)
                | looped(mcr::OUT2, msr::DCD)
        };
        let mut changes = (self.msr ^ inputs) >> 4;
        if inputs & msr::RING != 0 {
            changes &= !msr::RING_ENDED;
        }
        self.msr = inputs | self.msr & msr::CHANGES | changes;
    }

    fn read(&mut self, offset: u64) -> u8 {
        if offset == 2 || offset == 5 {
            self.receive(offset == 5 && self.looks >= POLLING);
        }
        self.looks = if offset == 5 { self.looks.saturating_add(1) } else { 0 };
        let [low, high] = self.divisor;
        let latch = self.lcr & lcr::DLAB != 0;
        match offset {
            0 if latch => low,
            0 => self.fifo.pop_front().unwrap_or(0),
            1 if latch => high,
            1 => self.ier,
            2 => self.identify(),
            3 => self.lcr,
            4 => self.mcr,
            5 => {
                let ready = if self.fifo.is_empty() { 0 } else { lsr::READY };
                let overrun = if std::mem::take(&mut self.overrun) { lsr::OVERRUN } else { 0 };
                lsr::EMPTY | ready | overrun
            }
            6 => {
                let value = self.msr;
                self.msr &= !msr::CHANGES;
                value
            }
            7 => self.scratch,
            _ => 0,
        }
    }

    /// Any register but the transmitter's.
    fn write(&mut self, offset: u64, value: u8) {
        self.looks = 0;
        let latch = self.lcr & lcr::DLAB != 0;
        let [low, high] = &mut self.divisor;
        match offset {
            0 if latch => *low = value,
            1 if latch => *high = value,
            1 => {
                // Enabling it tells of a transmitter that is empty already.
                self.transmitted |= value & !self.ier & ier::TRANSMITTED != 0;
                self.ier = value & ier::ALL;
            }
            2 => {
                let toggled = (value ^ self.fcr) & fcr::ENABLE != 0;
                if toggled || value & fcr::CLEAR_RECEIVER != 0 {
                    self.fifo.clear();
                }
                // The other bits are taken only together with this one.
                self.fcr = if value & fcr::ENABLE != 0 { value } else { 0 };
            }
            3 => self.lcr = value,
            4 => self.set_modem_control(value),
            7 => self.scratch = value,
            _ => {}
        }
    }
}

/// Registers of 8 bits; other widths read as zero and ignore writes.
impl Registers for Uart16550 {
    fn read(&self, offset: u64, bytes: u64) -> u64 {
        if bytes != 1 {
            return 0;
        }
        let mut state = self.state();
        let value = state.read(offset);
        self.settle(state);
        value.into()
    }

    fn write(&self, offset: u64, bytes: u64, value: u64) {
        if bytes != 1 {
            return;
        }
        let latch = self.state().lcr & lcr::DLAB != 0;
        if offset == 0 && !latch {
            self.send(value as u8);
        } else {
            self.state().write(offset, value as u8);
        }
        self.settle(self.state());
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;

    #[derive(Clone, Default)]
    struct Printed(Arc<Mutex<Vec<u8>>>);

    impl Write for Printed {
        fn write(&mut self, data: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend(data);
            Ok(data.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    struct Bench {
        uart: Uart16550,
        printed: Printed,
        up: Arc<AtomicBool>,
    }

    impl Bench {
        fn new() -> Bench {
            let (printed, up) = (Printed::default(), Arc::new(AtomicBool::new(false)));
            let line = Arc::clone(&up);
            let raise = Box::new(move |raised| line.store(raised, Ordering::Relaxed));
            Bench { uart: Uart16550::new(Box::new(printed.clone()), raise), printed, up }
        }

        fn get(&self, offset: u64) -> u8 {
            self.uart.read(offset, 1) as u8
        }

        fn set(&self, offset: u64, value: u8) {
            self.uart.write(offset, 1, value.into());
        }

        fn up(&self) -> bool {
            self.up.load(Ordering::Relaxed)
        }

        /// Polls as a guest that does not wait for ever, and reads: the LSR that says so, and the byte.
        fn poll(&self) -> (Option<u8>, u8) {
            (std::iter::repeat_with(|| self.get(5)).take(10).find(|lsr| lsr & 1 != 0), self.get(0))
        }

        /// FIFOs on with trigger level 8, RTS and DTR up, as a driver leaves it.
        fn open() -> Bench {
            let bench = Bench::new();
            bench.set(2, 0x87);
            bench.set(4, 0x03);
            bench.get(6);
            bench
        }
    }

    /// The data sheet's table III, and reserved bits that a driver looks at.
    #[test]
    fn after_reset() {
        let bench = Bench::new();
        let values: Vec<u8> = (1..8).map(|offset| bench.get(offset)).collect();
        assert_eq!(values, [0, 0x01, 0, 0, 0x60, 0xb0, 0]);
        bench.set(1, 0xff);
        bench.set(4, 0xff);
        assert_eq!((bench.get(1), bench.get(4)), (0x0f, 0x1f));
        assert_eq!((bench.uart.read(8, 1), bench.uart.read(5, 4)), (0, 0));
    }

    #[test]
    fn output_and_its_interrupt() {
        let bench = Bench::open();
        bench.set(0, b'a');
        assert!(!bench.up());
        bench.set(1, 0x02);
        assert!(bench.up());
        assert_eq!(bench.get(2), 0xc2);
        assert!(!bench.up(), "reading IIR quiets it");
        assert_eq!(bench.get(2), 0xc1);
        bench.set(0, b'b');
        assert_eq!((bench.up(), bench.get(2), bench.get(5)), (true, 0xc2, 0x60));
        bench.set(1, 0);
        bench.set(1, 0x02);
        assert_eq!(bench.get(2), 0xc2, "enabled with the transmitter empty");
        assert_eq!(*bench.printed.0.lock().unwrap(), b"ab");
    }

    #[test]
    fn divisor_latch() {
        let bench = Bench::open();
        bench.set(3, 0x83);
        bench.set(0, 0x0d);
        bench.set(1, 0x01);
        assert_eq!((bench.get(0), bench.get(1), bench.get(3)), (0x0d, 0x01, 0x83));
        bench.set(3, 0x03);
        assert_eq!((bench.get(0), bench.get(1)), (0, 0));
        assert!(bench.printed.0.lock().unwrap().is_empty());
    }

    #[test]
    fn input_and_its_interrupts() {
        let bench = Bench::open();
        bench.set(1, 0x05);
        assert_eq!(bench.uart.type_in(b"1234567"), 7);
        assert_eq!((bench.up(), bench.get(2), bench.get(5)), (true, 0xcc, 0x61), "below the trigger level");
        bench.uart.type_in(b"8");
        assert_eq!(bench.get(2), 0xc4);
        let text: Vec<u8> = (0..8).map(|_| bench.get(0)).collect();
        assert_eq!((text.as_slice(), bench.up(), bench.get(5)), (b"12345678".as_slice(), false, 0x60));
        // More than the FIFO holds waits on the line, and more than the line holds is refused.
        assert_eq!(bench.uart.type_in(&[b'x'; 5000]), 4096);
        assert_eq!(bench.get(5), 0x61);
        assert_eq!(bench.uart.type_in(&[b'y'; 5000]), 16);
        let text: Vec<u8> = std::iter::from_fn(|| (bench.get(5) & 1 != 0).then(|| bench.get(0))).collect();
        assert_eq!(text, [[b'x'; 4096].as_slice(), &[b'y'; 16]].concat());
    }

    /// As Linux opens a port: its FIFOs are cleared and a byte is read, before RTS goes up.
    #[test]
    fn early_input_survives_the_opening() {
        let bench = Bench::new();
        bench.uart.type_in(b"early");
        bench.set(4, 0x03);
        bench.set(1, 0x0f);
        assert_eq!(bench.get(1), 0x0f);
        bench.set(1, 0);
        bench.set(2, 0x07);
        assert_eq!((bench.get(5), bench.get(0), bench.get(2), bench.get(6)), (0x60, 0, 0xc1, 0xb0));
        bench.set(4, 0x01);
        bench.set(1, 0x05);
        assert!(!bench.up(), "RTS is down");
        bench.set(2, 0x07);
        bench.set(4, 0x03);
        assert_eq!((bench.up(), bench.get(5), bench.get(0)), (true, 0x61, b'e'));
        bench.set(2, 0x03);
        assert_eq!(bench.get(5), 0x60, "cleared with what it held");
    }

    #[test]
    fn input_of_one_who_polls() {
        let bench = Bench::new();
        bench.set(4, 0x03);
        bench.uart.type_in(b"ab");
        for byte in *b"ab" {
            bench.set(0, b'.');
            assert_eq!(bench.poll(), (Some(0x61), byte));
        }
        assert_eq!(bench.poll(), (None, 0));
    }

    #[test]
    fn loopback() {
        let bench = Bench::open();
        bench.set(1, 0x0c);
        bench.set(4, 0x1a);
        // RTS and OUT2 come back as CTS and DCD; DSR went off.
        assert_eq!((bench.up(), bench.get(2)), (true, 0xc0));
        assert_eq!(bench.get(6), 0x92);
        assert_eq!((bench.get(6), bench.up()), (0x90, false));
        bench.set(4, 0x14);
        assert_eq!(bench.get(6), 0x49, "a ring that begins is no change");
        bench.set(4, 0x10);
        assert_eq!(bench.get(6), 0x04);
        bench.uart.type_in(b"z");
        (0..17).for_each(|n| bench.set(0, n));
        assert_eq!((bench.get(2), bench.get(5), bench.get(5)), (0xc6, 0x63, 0x61), "overrun");
        assert_eq!((0..16).map(|_| bench.get(0)).collect::<Vec<_>>(), (0..16).collect::<Vec<_>>());
        bench.set(4, 0x03);
        assert_eq!(bench.poll(), (Some(0x61), b'z'));
        assert!(bench.printed.0.lock().unwrap().is_empty());
    }

    #[test]
    fn one_byte_without_fifos() {
        let bench = Bench::new();
        bench.set(4, 0x02);
        bench.set(1, 0x01);
        bench.uart.type_in(b"ab");
        assert_eq!(bench.get(2), 0x04);
        assert_eq!((bench.get(0), bench.up()), (b'a', true));
        assert_eq!((bench.get(5), bench.get(0), bench.up()), (0x61, b'b', false));
    }
}
