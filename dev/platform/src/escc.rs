//! The serial controller of Power Macintoshes: a Zilog 85C30 with two asynchronous channels (Zilog SCC User's Manual,
//! chapter 5).
//!
//! Channel A is connected to a terminal, channel B to nothing. Bytes leave at once; there is no modem and no error, so
//! that only the receiver and the transmitter interrupt.
//!
//! A real line brings nothing while nobody is ready, the terminal here keeps what is typed ahead. Drivers reset errors
//! and then read the data register blindly to empty it before they set the line up: those reads get nothing, and
//! nothing is lost.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::{Registers, Vty};

/// Bytes of the register block.
pub const SIZE: u64 = 0x40;

/// Fields of the write registers.
mod write {
    /// WR0: commands.
    pub const POINT_HIGH: u8 = 1;
    pub const RESET_TX_INTERRUPT: u8 = 5;
    pub const RESET_ERRORS: u8 = 6;
    /// WR1.
    pub const TX_INTERRUPT: u8 = 0x02;
    pub const RX_INTERRUPT: u8 = 0x18;
    pub const RX_INTERRUPT_SPECIAL: u8 = 0x18;
    /// WR3.
    pub const RX_ENABLE: u8 = 0x01;
    /// WR9.
    pub const MASTER_INTERRUPT: u8 = 0x08;
    pub const RESET_A: u8 = 0x80;
    pub const RESET_B: u8 = 0x40;
}

/// Fields of the read registers.
mod read {
    /// RR0.
    pub const RX_AVAILABLE: u8 = 0x01;
    pub const TX_EMPTY: u8 = 0x04;
    pub const CARRIER: u8 = 0x08;
    pub const TX_UNDERRUN: u8 = 0x40;
    /// RR1: all sent, residue code of eight bits.
    pub const ALL_SENT: u8 = 0x07;
    /// RR3, of channel B; channel A's are three bits further up.
    pub const TX_PENDING: u8 = 0x02;
    pub const RX_PENDING: u8 = 0x04;
}

/// One of the two channels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Channel {
    /// With the terminal.
    A,
    /// Not connected.
    B,
}

/// What a channel keeps.
#[derive(Default)]
struct State {
    pointer: usize,
    written: [u8; 16],
    tx_pending: bool,
    /// Errors were reset, and nothing else was written since.
    emptying: bool,
}

#[derive(Default)]
struct Chip {
    a: State,
    b: State,
    /// WR2 and WR9, which the channels share.
    vector: u8,
    master: u8,
    /// The interrupt outputs, A and B, as they were told last.
    outputs: [bool; 2],
}

impl Chip {
    fn channel(&mut self, channel: Channel) -> &mut State {
        match channel {
            Channel::A => &mut self.a,
            Channel::B => &mut self.b,
        }
    }
}

/// What is told when a channel's interrupt output rises or falls. It must not call back.
pub type Interrupt = Box<dyn Fn(Channel, bool) + Send + Sync>;

/// A controller.
pub struct Escc {
    chip: Mutex<Chip>,
    terminal: Arc<Vty>,
    interrupt: Interrupt,
}

impl Escc {
    /// A controller whose channel A talks to `terminal`.
    pub fn new(terminal: Arc<Vty>, interrupt: Interrupt) -> Escc {
        Escc { chip: Mutex::default(), terminal, interrupt }
    }

    /// To be called when the terminal has new input.
    pub fn input_arrived(&self) {
        self.update(&mut self.lock());
    }

    fn lock(&self) -> MutexGuard<'_, Chip> {
        self.chip.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the receiver of a channel holds a byte.
    fn available(&self, channel: Channel, state: &State) -> bool {
        let ready = state.written[3] & write::RX_ENABLE != 0 && !state.emptying;
        channel == Channel::A && ready && self.terminal.has_input()
    }

    /// Interrupts that a channel asks for, as channel B has them in RR3.
    fn pending(&self, channel: Channel, state: &State) -> u8 {
        let rx = !matches!(state.written[1] & write::RX_INTERRUPT, 0 | write::RX_INTERRUPT_SPECIAL);
        let rx = if rx && self.available(channel, state) { read::RX_PENDING } else { 0 };
        if state.tx_pending { rx | read::TX_PENDING } else { rx }
    }

    /// Drives both interrupt outputs.
    fn update(&self, chip: &mut Chip) {
        let enabled = chip.master & write::MASTER_INTERRUPT != 0;
        let channels = [(Channel::A, &chip.a), (Channel::B, &chip.b)];
        let outputs = channels.map(|(channel, state)| enabled && self.pending(channel, state) != 0);
        for ((channel, _), (up, before)) in channels.into_iter().zip(outputs.into_iter().zip(chip.outputs)) {
            if up != before {
                (self.interrupt)(channel, up);
            }
        }
        chip.outputs = outputs;
    }

    fn control(&self, chip: &mut Chip, channel: Channel) -> u8 {
        let register = std::mem::take(&mut chip.channel(channel).pointer);
        let vector = chip.vector;
        let all_pending = self.pending(Channel::A, &chip.a) << 3 | self.pending(Channel::B, &chip.b);
        let state = chip.channel(channel);
        match register {
            0 | 4 => {
                let available = if self.available(channel, state) { read::RX_AVAILABLE } else { 0 };
                let carrier = if channel == Channel::A { read::CARRIER } else { 0 };
                read::TX_EMPTY | read::TX_UNDERRUN | carrier | available
            }
            1 | 5 => read::ALL_SENT,
            2 | 6 => vector,
            3 | 7 if channel == Channel::A => all_pending,
            8 => self.receive(channel, state),
            12 => state.written[12],
            9 | 13 => state.written[13],
            11 | 15 => state.written[15],
            _ => 0,
        }
    }

    /// Writes the register that the pointer selects; returns a byte that is to be sent.
    fn set_control(&self, chip: &mut Chip, channel: Channel, value: u8) -> Option<u8> {
        let state = chip.channel(channel);
        let register = std::mem::take(&mut state.pointer);
        let command = value >> 3 & 7;
        state.emptying = register == 0 && command == write::RESET_ERRORS;
        match register {
            0 => {
                state.pointer = usize::from(value & 7) + if command == write::POINT_HIGH { 8 } else { 0 };
                if command == write::RESET_TX_INTERRUPT {
                    state.tx_pending = false;
                }
            }
            2 => chip.vector = value,
            8 => return Some(value),
            9 => {
                chip.master = value;
                if value & write::RESET_A != 0 {
                    chip.a = State::default();
                }
                if value & write::RESET_B != 0 {
                    chip.b = State::default();
                }
            }
            _ => {
                if let Some(slot) = state.written.get_mut(register) {
                    *slot = value;
                }
                state.tx_pending &= state.written[1] & write::TX_INTERRUPT != 0;
            }
        }
        None
    }

    fn receive(&self, channel: Channel, state: &State) -> u8 {
        let mut byte = [0];
        if self.available(channel, state) {
            self.terminal.get(&mut byte);
        }
        byte[0]
    }
}

/// Channel and whether the data register is meant: bit 5 of the address is A/B, bit 4 is D/C.
fn decode(offset: u64) -> (Channel, bool) {
    (if offset & 0x20 != 0 { Channel::A } else { Channel::B }, offset & 0x10 != 0)
}

impl Registers for Escc {
    /// The registers are bytes; other accesses read as zero and ignore what is written.
    fn read(&self, offset: u64, bytes: u64) -> u64 {
        if bytes != 1 || offset & 0xf != 0 || offset >= SIZE {
            return 0;
        }
        let (channel, data) = decode(offset);
        let mut chip = self.lock();
        let value = if data { self.receive(channel, chip.channel(channel)) } else { self.control(&mut chip, channel) };
        self.update(&mut chip);
        u64::from(value)
    }

    fn write(&self, offset: u64, bytes: u64, value: u64) {
        if bytes != 1 || offset & 0xf != 0 || offset >= SIZE {
            return;
        }
        let (channel, data) = decode(offset);
        let sent = {
            let mut chip = self.lock();
            let sent = if data { Some(value as u8) } else { self.set_control(&mut chip, channel, value as u8) };
            if sent.is_some() {
                let state = chip.channel(channel);
                state.tx_pending = state.written[1] & write::TX_INTERRUPT != 0;
            }
            self.update(&mut chip);
            sent
        };
        // Whoever reads the terminal may type at once.
        if let (Some(byte), Channel::A) = (sent, channel) {
            self.terminal.put(&[byte]);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU8, Ordering};

    use super::*;

    const CONTROL: u64 = 0x20;
    const DATA: u64 = 0x30;

    struct Board {
        escc: Escc,
        lines: Arc<AtomicU8>,
        terminal: Arc<Vty>,
    }

    fn board() -> Board {
        board_with(Box::new(std::io::sink()))
    }

    fn board_with(output: Box<dyn std::io::Write + Send>) -> Board {
        let lines = Arc::new(AtomicU8::new(0));
        let terminal = Arc::new(Vty::new(output));
        let seen = Arc::clone(&lines);
        let interrupt = Box::new(move |channel, up| {
            let bit = if channel == Channel::A { 1 } else { 2 };
            if up {
                seen.fetch_or(bit, Ordering::Relaxed)
            } else {
                seen.fetch_and(!bit, Ordering::Relaxed)
            };
        });
        Board { escc: Escc::new(Arc::clone(&terminal), interrupt), lines, terminal }
    }

    impl Board {
        /// Writes a register of channel A, the pointer first.
        fn write(&self, register: u64, value: u64) {
            self.escc.write(CONTROL, 1, register);
            self.escc.write(CONTROL, 1, value);
        }

        fn read(&self, register: u64) -> u64 {
            self.escc.write(CONTROL, 1, register);
            self.escc.read(CONTROL, 1)
        }

        fn lines(&self) -> u8 {
            self.lines.load(Ordering::Relaxed)
        }

        fn type_in(&self, data: &[u8]) {
            self.terminal.type_in(data);
            self.escc.input_arrived();
        }
    }

    #[test]
    fn the_pointer_is_used_once() {
        let board = board();
        board.write(12, 0x5a);
        board.write(13, 0xa5);
        assert_eq!((board.read(12), board.read(13)), (0x5a, 0xa5));
        assert_eq!(board.escc.read(CONTROL, 1) & 0x04, 0x04);
    }

    #[test]
    fn received_bytes_wait_for_the_receiver() {
        let board = board();
        board.type_in(b"xy");
        assert_eq!(board.escc.read(CONTROL, 1) & 1, 0);
        board.write(3, 0xc1);
        assert_eq!(board.escc.read(CONTROL, 1) & 1, 1);
        assert_eq!(board.lines(), 0);
        board.write(9, 0x08);
        board.write(1, 0x10);
        assert_eq!(board.lines(), 1);
        assert_eq!(board.read(3), 0x20);
        assert_eq!(board.escc.read(DATA, 1), u64::from(b'x'));
        assert_eq!(board.read(8), u64::from(b'y'));
        assert_eq!((board.lines(), board.read(3)), (0, 0));
        board.type_in(b"z");
        assert_eq!(board.lines(), 1);
    }

    #[test]
    fn blind_reads_after_an_error_reset_lose_nothing() {
        let board = board();
        board.write(3, 0xc1);
        board.type_in(b"abc");
        board.escc.write(CONTROL, 1, 0x30);
        let control = board.escc.read(CONTROL, 1);
        assert_eq!((control & 1, [(); 3].map(|()| board.escc.read(DATA, 1))), (0, [0; 3]));
        board.write(15, 0);
        assert_eq!((board.escc.read(CONTROL, 1) & 1, board.escc.read(DATA, 1)), (1, u64::from(b'a')));
    }

    #[test]
    fn an_empty_transmitter_interrupts_until_told_not_to() {
        let board = board();
        board.write(9, 0x08);
        board.escc.write(DATA, 1, u64::from(b'a'));
        assert_eq!(board.lines(), 0, "not enabled when the byte left");
        board.write(1, 0x02);
        assert_eq!(board.lines(), 0);
        board.escc.write(DATA, 1, u64::from(b'b'));
        assert_eq!((board.lines(), board.read(3)), (1, 0x10));
        board.escc.write(CONTROL, 1, 0x28);
        assert_eq!((board.lines(), board.read(3)), (0, 0));
    }

    /// A reader that types whenever something is printed.
    struct Typist(Arc<Mutex<Option<Arc<Board>>>>);

    impl std::io::Write for Typist {
        fn write(&mut self, data: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().as_ref().unwrap().type_in(b"answer");
            Ok(data.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn an_answer_may_come_while_a_byte_is_sent() {
        let slot = Arc::default();
        let board = Arc::new(board_with(Box::new(Typist(Arc::clone(&slot)))));
        *slot.lock().unwrap() = Some(Arc::clone(&board));
        board.write(3, 0xc1);
        board.write(8, u64::from(b'?'));
        assert_eq!(board.escc.read(DATA, 1), u64::from(b'a'));
    }

    #[test]
    fn channel_b_is_not_connected() {
        let board = board();
        board.type_in(b"x");
        for (register, value) in [(3, 0xc1), (1, 0x12), (9, 0x08)] {
            board.escc.write(0, 1, register);
            board.escc.write(0, 1, value);
        }
        assert_eq!((board.escc.read(0, 1), board.lines()), (0x44, 0));
        board.escc.write(0x10, 1, 0x41);
        assert_eq!((board.read(3), board.lines()), (0x02, 2));
    }

    #[test]
    fn a_reset_of_a_channel_forgets_its_settings() {
        let board = board();
        board.write(1, 0x02);
        board.write(9, 0x08);
        board.escc.write(DATA, 1, 0);
        board.write(9, 0x88);
        assert_eq!((board.lines(), board.read(3)), (0, 0));
    }
}
