//! The hypervisor console: H_PUT_TERM_CHAR and H_GET_TERM_CHAR, sixteen bytes a call.
//!
//! Contract: `print!`/`println!` write every byte, waiting while the console is busy; a line ends with CR LF, as a
//! raw terminal needs. Input is what has come, nobody waits for it.

use core::{
    fmt::{self, Write},
    sync::atomic::{AtomicU64, Ordering},
};

use crate::papr::{hcall, opcode, status};

/// Unit address of the first vty of a pseries machine, used until the device tree names another.
pub const DEFAULT_UNIT: u64 = 0x7100_0000;

static UNIT: AtomicU64 = AtomicU64::new(DEFAULT_UNIT);

/// The vty in use.
pub fn unit() -> u64 {
    UNIT.load(Ordering::Relaxed)
}

pub(crate) fn set_unit(unit: u64) {
    UNIT.store(unit, Ordering::Relaxed);
}

/// What was typed: at most sixteen bytes, and how many.
pub fn typed() -> ([u8; 16], usize) {
    let reply = hcall(opcode::H_GET_TERM_CHAR, &[unit()]);
    let bytes = (u128::from(reply.out[1]) << 64 | u128::from(reply.out[2])).to_be_bytes();
    (bytes, (reply.out[0] as usize).min(bytes.len()))
}

/// Collects bytes and sends them sixteen at a time.
#[derive(Default)]
struct Packet {
    bytes: [u8; 16],
    used: usize,
}

impl Packet {
    fn push(&mut self, byte: u8) {
        self.bytes[self.used] = byte;
        self.used += 1;
        if self.used == self.bytes.len() {
            self.send();
        }
    }

    fn send(&mut self) {
        let chars = u128::from_be_bytes(self.bytes);
        let args = [unit(), self.used as u64, (chars >> 64) as u64, chars as u64];
        while matches!(hcall(opcode::H_PUT_TERM_CHAR, &args).status, status::H_BUSY | 9900..=9905) {}
        self.used = 0;
    }
}

impl Write for Packet {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for byte in text.bytes() {
            if byte == b'\n' {
                self.push(b'\r');
            }
            self.push(byte);
        }
        Ok(())
    }
}

/// Target of the macros.
pub fn write(args: fmt::Arguments<'_>) {
    let mut packet = Packet::default();
    // A packet accepts everything.
    let _ = packet.write_fmt(args);
    if packet.used > 0 {
        packet.send();
    }
}

/// Prints to the hypervisor console.
#[macro_export]
macro_rules! print {
    ($($arg:tt)*) => { $crate::console::write(format_args!($($arg)*)) };
}

/// Prints a line to the hypervisor console.
#[macro_export]
macro_rules! println {
    () => { $crate::console::write(format_args!("\n")) };
    ($($arg:tt)*) => { $crate::console::write(format_args!("{}\n", format_args!($($arg)*))) };
}
