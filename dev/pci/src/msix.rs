//! MSI-X: a table of messages, and which of them wait (PCI 3.0, 6.8.2).

use crate::capability::Capability;
use crate::space::Space;

/// Capability ID.
const ID: u8 = 0x11;
/// The control register's offset from the capability, and its bits.
const CONTROL: u16 = 2;
const ENABLE: u32 = 1 << 15;
const FUNCTION_MASK: u32 = 1 << 14;

/// Bytes of the region with table and pending bits.
pub const SIZE: u64 = 0x1000;
/// Where the pending bits begin.
const PENDING: u64 = 0x800;
/// Bytes of an entry: address, data, control.
const ENTRY: u64 = 16;
/// Most messages that a function can have.
pub const MOST: u16 = (PENDING / ENTRY) as u16;

/// The only bit of an entry's control that is there.
const MASKED: u32 = 1;

/// The capability of a function with `count` messages and their table behind base address register `bar`.
pub(crate) fn capability(count: u16, bar: u8) -> Capability {
    let control = count.clamp(1, MOST) - 1;
    let table = u32::from(bar);
    let body = [&control.to_le_bytes()[..], &table.to_le_bytes(), &(PENDING as u32 | table).to_le_bytes()].concat();
    Capability { id: ID, body, writable: ((ENABLE | FUNCTION_MASK) as u16).to_le_bytes().to_vec() }
}

/// Whether it is on.
pub(crate) fn enabled(space: &Space, capability: u16) -> bool {
    space.read(capability + CONTROL, 2) & ENABLE != 0
}

/// Whether all messages are masked.
pub(crate) fn masked(space: &Space, capability: u16) -> bool {
    space.read(capability + CONTROL, 2) & FUNCTION_MASK != 0
}

/// Switches it off.
pub(crate) fn disable(space: &mut Space, capability: u16) {
    let control = space.read(capability + CONTROL, 2);
    space.set(capability + CONTROL, 2, control & !ENABLE);
}

#[derive(Clone, Copy, Debug)]
struct Vector {
    /// Address in two halves, data, control.
    words: [u32; 4],
    pending: bool,
}

/// The table.
#[derive(Clone, Debug)]
pub(crate) struct Table(Vec<Vector>);

impl Table {
    /// `count` messages, all masked, as after a reset.
    pub fn new(count: u16) -> Table {
        Table(vec![Vector { words: [0, 0, 0, MASKED], pending: false }; usize::from(count.min(MOST))])
    }

    /// Notes message `number`, if there is one.
    pub fn note(&mut self, number: u16) {
        if let Some(vector) = self.0.get_mut(usize::from(number)) {
            vector.pending = true;
        }
    }

    /// Takes the messages that are noted and not masked: address and data.
    pub fn take(&mut self) -> Vec<(u64, u32)> {
        let mut taken = Vec::new();
        for vector in self.0.iter_mut().filter(|vector| vector.pending) {
            let [low, high, data, control] = vector.words;
            if control & MASKED == 0 {
                vector.pending = false;
                taken.push((u64::from(high) << 32 | u64::from(low), data));
            }
        }
        taken
    }

    /// Nothing is noted any more.
    pub fn forget(&mut self) {
        self.0.iter_mut().for_each(|vector| vector.pending = false);
    }

    /// Sets the first `count` messages to `address` with data from `first` on, the others to nothing. Masks stay.
    pub fn program(&mut self, address: u64, first: u32, count: u32) {
        for (number, vector) in (0..).zip(&mut self.0) {
            let [.., control] = vector.words;
            vector.words = match number < count {
                true => [address as u32, (address >> 32) as u32, first + number, control],
                false => [0, 0, 0, control],
            };
        }
    }

    /// Reads `bytes` bytes at `offset` of the region.
    pub fn read(&self, offset: u64, bytes: u8) -> u32 {
        let word = if offset < PENDING { self.word(offset / 4) } else { self.pending((offset - PENDING) / 4) };
        let shifted = word >> (8 * (offset & 3));
        if bytes >= 4 { shifted } else { shifted & ((1 << (8 * bytes)) - 1) }
    }

    fn word(&self, number: u64) -> u32 {
        let vector = self.0.get((number / 4) as usize);
        vector.and_then(|vector| vector.words.get((number % 4) as usize)).copied().unwrap_or(0)
    }

    /// Bits of 32 messages.
    fn pending(&self, group: u64) -> u32 {
        let vectors = self.0.iter().skip((group as usize).saturating_mul(32)).take(32);
        (0..).zip(vectors).fold(0, |bits, (number, vector)| bits | u32::from(vector.pending) << number)
    }

    /// Writes words of the table; smaller writes are not for it, and the pending bits are read only.
    pub fn write(&mut self, offset: u64, bytes: u8, value: u32) {
        let vector = self.0.get_mut((offset / ENTRY) as usize).filter(|_| bytes == 4 && offset < PENDING);
        let number = (offset % ENTRY / 4) as usize;
        if let Some(word) = vector.and_then(|vector| vector.words.get_mut(number)) {
            *word = match number {
                0 => value & !3,
                3 => value & MASKED,
                _ => value,
            };
        }
    }
}
