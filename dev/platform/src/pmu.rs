//! The power management unit of newer Power Macintoshes: a microcontroller that keeps the time and switches the power.
//!
//! This file is the conversation, byte by byte; [`crate::via`] carries it. A message is a command, a count of bytes
//! where the command has no fixed one, and the bytes; so is the answer, without a command. There is no public manual:
//! commands and counts are those that Linux's driver uses (drivers/macintosh/via-pmu.c, include/uapi/linux/pmu.h).

use std::collections::VecDeque;
use std::sync::Arc;

use crate::{GuestTime, Rtc};

/// Commands that do something here. All others are taken, and answered with zeros where an answer is due.
mod command {
    pub const ADB: u8 = 0x20;
    pub const SET_TIME: u8 = 0x30;
    pub const TIME: u8 = 0x38;
    pub const SMART_BATTERY: u8 = 0x6f;
    pub const SET_INTERRUPT_MASK: u8 = 0x70;
    pub const INTERRUPT_ACKNOWLEDGE: u8 = 0x78;
    pub const SHUT_DOWN: u8 = 0x7e;
    pub const POWER_EVENTS: u8 = 0x8f;
    pub const RESET: u8 = 0xd0;
    pub const VERSION: u8 = 0xea;
}

/// Commands with fixed sizes: bytes that follow the command, bytes of its answer; -1 when the first byte counts them.
/// Of the others, those below 8 in each sixteen are (-1, 0), the rest (-1, -1).
const SIZES: [(u8, i8, i8); 22] = [
    (0x10, 1, 0), // power of some devices
    (0x11, 1, 0), // power of more devices
    (0x21, 0, 0), // no ADB polling
    (command::SET_TIME, 4, 0),
    (0x33, 3, 0), // write a byte of non-volatile memory
    (command::TIME, 0, 4),
    (0x3a, 2, -1), // read parameter memory
    (0x3b, 2, 1),  // read a byte of non-volatile memory
    (0x40, 1, 0),  // volume
    (0x41, 1, 0),  // brightness
    (0x48, 0, 1),  // volume buttons
    (0x4c, 1, 0),  // eject a card
    (0x6b, 0, 8),  // battery
    (command::SET_INTERRUPT_MASK, 1, 0),
    (command::INTERRUPT_ACKNOWLEDGE, 0, -1),
    (0x7d, 5, 1), // processor speed
    (command::SHUT_DOWN, 4, 1),
    (0x7f, 4, 1), // sleep
    (command::RESET, 0, 0),
    (0xd9, 1, 1), // brightness buttons
    (0xdc, 0, 1), // cover
    (command::VERSION, 0, 1),
];

/// How many bytes follow `command` and how many answer it.
fn sizes_of(command: u8) -> (i8, i8) {
    let row = SIZES.iter().find(|(number, ..)| *number == command);
    row.map_or((-1, if command & 8 == 0 { 0 } else { -1 }), |&(_, sent, answered)| (sent, answered))
}

/// What must follow [`command::SHUT_DOWN`].
const PASSWORD: &[u8] = b"MATT";
/// Seconds from 1904, where the unit's time begins, to 1970.
const EPOCH: i64 = 2_082_844_800;
/// Interrupt reason: an ADB command is done.
const ADB_DONE: u8 = 0x10;
/// Firmware version, as in the device tree's `pmu-version`.
const VERSION: u8 = 0x0c;
/// A battery of kind 4 that is not there, on mains power.
const NO_BATTERY: [u8; 6] = [4, 1, 0, 0, 0, 0];

/// What the unit does to the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Switch {
    /// Power off.
    Off,
    /// Restart.
    Reset,
}

/// A unit.
pub struct Pmu {
    clock: Arc<Rtc>,
    time: Arc<GuestTime>,
    switch: Box<dyn Fn(Switch) + Send + Sync>,
    message: Vec<u8>,
    answer: VecDeque<u8>,
    mask: u8,
    reasons: u8,
}

impl Pmu {
    /// A unit that shows the time of `clock` and switches the machine by `switch`.
    pub fn new(clock: Arc<Rtc>, time: Arc<GuestTime>, switch: Box<dyn Fn(Switch) + Send + Sync>) -> Pmu {
        Pmu { clock, time, switch, message: Vec::new(), answer: VecDeque::new(), mask: 0, reasons: 0 }
    }

    /// Whether it wants to be asked why it interrupts.
    pub fn interrupts(&self) -> bool {
        self.reasons & self.mask != 0
    }

    /// Takes a byte from the host.
    pub fn send(&mut self, byte: u8) {
        self.message.push(byte);
        let (first, second) = (self.message.first().copied(), self.message.get(1).copied());
        let Some(command) = first else { return };
        let (sent, answered) = sizes_of(command);
        let (head, body) = match (u8::try_from(sent), second) {
            (Ok(count), _) => (1, usize::from(count)),
            (Err(_), Some(count)) => (2, usize::from(count)),
            (Err(_), None) => return,
        };
        if self.message.len() < head + body {
            return;
        }
        let message = std::mem::take(&mut self.message);
        let mut answer = self.obey(command, message.get(head..).unwrap_or_default());
        match u8::try_from(answered) {
            Ok(count) => answer.resize(usize::from(count), 0),
            Err(_) => answer.insert(0, answer.len() as u8),
        }
        self.answer = answer.into();
    }

    /// Gives the host the next byte of the answer; zeros when there is none.
    pub fn receive(&mut self) -> u8 {
        self.answer.pop_front().unwrap_or(0)
    }

    fn obey(&mut self, command: u8, body: &[u8]) -> Vec<u8> {
        match (command, body) {
            // No device answers on the bus: the command is done, with nothing to report.
            (command::ADB, _) => self.reasons |= ADB_DONE,
            (command::SET_TIME, &[a, b, c, d]) => {
                self.clock.set(self.time.get(), i64::from(u32::from_be_bytes([a, b, c, d])) - EPOCH);
            }
            (command::TIME, _) => {
                let (seconds, _) = self.clock.now(self.time.get());
                return (seconds.wrapping_add(EPOCH) as u32).to_be_bytes().into();
            }
            (command::SMART_BATTERY, _) => return NO_BATTERY.into(),
            (command::SET_INTERRUPT_MASK, &[mask]) => self.mask = mask,
            (command::INTERRUPT_ACKNOWLEDGE, _) => return vec![std::mem::take(&mut self.reasons)],
            (command::SHUT_DOWN, PASSWORD) => (self.switch)(Switch::Off),
            // The events that switch the machine on: none is set, none can be.
            (command::POWER_EVENTS, &[0, ..]) => return vec![0, 0],
            (command::RESET, _) => (self.switch)(Switch::Reset),
            (command::VERSION, _) => return vec![VERSION],
            _ => {}
        }
        Vec::new()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::time::Duration;

    use super::*;

    fn unit() -> (Pmu, Arc<GuestTime>, Arc<Mutex<Vec<Switch>>>) {
        let (time, switched) = (Arc::new(GuestTime::default()), Arc::new(Mutex::new(Vec::new())));
        let log = Arc::clone(&switched);
        let switch = Box::new(move |what| log.lock().unwrap().push(what));
        (Pmu::new(Arc::new(Rtc::new(Some(1_000_000))), Arc::clone(&time), switch), time, switched)
    }

    /// Sends a message and reads `count` bytes of the answer.
    fn talk(pmu: &mut Pmu, message: &[u8], count: usize) -> Vec<u8> {
        message.iter().for_each(|&byte| pmu.send(byte));
        (0..count).map(|_| pmu.receive()).collect()
    }

    #[test]
    fn the_time_counts_from_1904() {
        let (mut pmu, time, _) = unit();
        time.set(Duration::from_secs(5));
        assert_eq!(talk(&mut pmu, &[0x38], 4), (2_082_844_800_u32 + 1_000_005).to_be_bytes());
        talk(&mut pmu, &[0x30, 0x7c, 0x25, 0xb0, 0x80], 0);
        time.set(Duration::from_secs(7));
        assert_eq!(talk(&mut pmu, &[0x38], 4), [0x7c, 0x25, 0xb0, 0x82]);
    }

    #[test]
    fn counted_messages_and_answers() {
        let (mut pmu, ..) = unit();
        assert_eq!(talk(&mut pmu, &[0x8f, 1, 0], 4), [2, 0, 0, 0]);
        assert_eq!(talk(&mut pmu, &[0x8f, 3, 2, 0, 2], 1), [0]);
        assert_eq!(talk(&mut pmu, &[0xdf, 1, 2], 1), [0]);
        assert_eq!(talk(&mut pmu, &[0x78], 2), [1, 0]);
        assert_eq!(talk(&mut pmu, &[0x9a, 0], 1), [0]);
        assert_eq!(talk(&mut pmu, &[0xea], 1), [0x0c]);
    }

    #[test]
    fn an_adb_command_is_done_without_a_reply() {
        let (mut pmu, ..) = unit();
        talk(&mut pmu, &[0x20, 3, 0x2f, 0, 0], 0);
        assert!(!pmu.interrupts());
        talk(&mut pmu, &[0x70, 0x9c], 0);
        assert!(pmu.interrupts());
        assert_eq!(talk(&mut pmu, &[0x78], 2), [1, 0x10]);
        assert!(!pmu.interrupts());
    }

    #[test]
    fn the_switch_needs_its_letters() {
        let (mut pmu, _, switched) = unit();
        talk(&mut pmu, b"\x7eNOPE", 1);
        assert_eq!(*switched.lock().unwrap(), []);
        talk(&mut pmu, b"\x7eMATT", 1);
        talk(&mut pmu, &[0xd0], 0);
        assert_eq!(*switched.lock().unwrap(), [Switch::Off, Switch::Reset]);
    }
}
