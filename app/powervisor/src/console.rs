//! The user's terminal as the guest's console: raw mode, escape keys, restored on every way out.

use std::io::{IsTerminal, Read, Write};
use std::thread;

use rustix::termios::{OptionalActions, Termios, tcgetattr, tcsetattr};

use crate::current::Current;

/// Ctrl-A starts an escape.
const ESCAPE: u8 = 1;

const HELP: &str = "\r\nCtrl-A X  quit\r\nCtrl-A A  send Ctrl-A\r\nCtrl-A H  this help\r\n";

/// Raw mode for as long as it lives.
pub struct RawTerminal {
    saved: Option<Termios>,
}

impl RawTerminal {
    /// Makes standard input raw if it is a terminal.
    pub fn new() -> RawTerminal {
        let stdin = std::io::stdin();
        let saved = if stdin.is_terminal() { tcgetattr(&stdin).ok() } else { None };
        if let Some(saved) = &saved {
            let mut raw = saved.clone();
            raw.make_raw();
            let _ = tcsetattr(&stdin, OptionalActions::Now, &raw);
        }
        RawTerminal { saved }
    }

    /// Whether there is a terminal.
    pub fn is_terminal(&self) -> bool {
        self.saved.is_some()
    }
}

impl Drop for RawTerminal {
    fn drop(&mut self) {
        if let Some(saved) = &self.saved {
            let _ = tcsetattr(std::io::stdin(), OptionalActions::Now, saved);
        }
    }
}

/// What a typed byte means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Key {
    Byte(u8),
    Quit,
    Help,
    Nothing,
}

/// Finds escapes in typed bytes.
#[derive(Default)]
struct Keys {
    escaped: bool,
}

impl Keys {
    fn key(&mut self, byte: u8) -> Key {
        if !std::mem::replace(&mut self.escaped, false) {
            self.escaped = byte == ESCAPE;
            return if self.escaped { Key::Nothing } else { Key::Byte(byte) };
        }
        match byte.to_ascii_lowercase() {
            b'x' => Key::Quit,
            b'h' | b'?' => Key::Help,
            b'a' | ESCAPE => Key::Byte(ESCAPE),
            _ => Key::Nothing,
        }
    }
}

/// Feeds standard input to the guest until it ends. Escapes are looked for on a terminal only.
pub fn feed(current: Current, is_terminal: bool) {
    thread::spawn(move || {
        let mut keys = Keys::default();
        let mut buffer = [0; 256];
        let mut stdin = std::io::stdin().lock();
        while let Ok(count @ 1..) = stdin.read(&mut buffer) {
            for &byte in buffer.iter().take(count) {
                match if is_terminal { keys.key(byte) } else { Key::Byte(byte) } {
                    Key::Byte(byte) => type_in(&current, byte),
                    Key::Quit => current.quit(),
                    Key::Help => {
                        let _ = std::io::stderr().write_all(HELP.as_bytes());
                    }
                    Key::Nothing => {}
                }
            }
        }
    });
}

/// Waits for room: piped input may come faster than the guest reads.
fn type_in(current: &Current, byte: u8) {
    while !current.type_in(byte) {
        thread::sleep(std::time::Duration::from_millis(5));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes() {
        let mut keys = Keys::default();
        let typed: Vec<Key> = b"a\x01a\x01x\x01h\x01\x01\x01qb".iter().map(|b| keys.key(*b)).collect();
        let meant: Vec<Key> = typed.into_iter().filter(|k| *k != Key::Nothing).collect();
        let expected = [Key::Byte(b'a'), Key::Byte(1), Key::Quit, Key::Help, Key::Byte(1), Key::Byte(b'b')];
        assert_eq!(meant, expected);
    }
}
