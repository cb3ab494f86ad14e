//! The least driver of a virtio device with one queue (Virtual I/O Device Version 1.2): its structures on PCI, and a split
//! ring through which one buffer at a time goes to the device and comes back.
//!
//! Contract: the page of the ring, [`RINGS`], is open for the device at [`BUS_RINGS`].

use core::sync::atomic::{Ordering::SeqCst, fence};

use crate::{
    memory::{SCRATCH, clear, peek, poke},
    pci::{CAPABILITIES, Function, MSIX, PAGE, Region},
    wait,
};

/// The page of the ring, and its bus address.
pub const RINGS: u64 = SCRATCH;
pub const BUS_RINGS: u64 = 0x3000;

/// The capability ID of a structure.
const STRUCTURE: u32 = 0x09;
/// Offsets in the common configuration (4.1.4.3).
pub const FEATURE_SELECT: u64 = 0x00;
pub const FEATURES: u64 = 0x04;
const DRIVER_FEATURE_SELECT: u64 = 0x08;
const DRIVER_FEATURES: u64 = 0x0c;
pub const QUEUES: u64 = 0x12;
const DEVICE_STATUS: u64 = 0x14;
const QUEUE_SELECT: u64 = 0x16;
const QUEUE_SIZE: u64 = 0x18;
const QUEUE_VECTOR: u64 = 0x1a;
const QUEUE_ENABLE: u64 = 0x1c;
const QUEUE_NOTIFY: u64 = 0x1e;
const QUEUE_AREAS: [u64; 3] = [0x20, 0x28, 0x30];
/// Bits of the device status; the driver's come one after the other.
const FOUND: u8 = 1 | 2;
const FEATURES_OK: u8 = 8;
const DRIVER_OK: u8 = 4;
pub const NEEDS_RESET: u8 = 0x40;
/// Features 32 and 33: version 1, and memory as the bus shows it.
pub const REQUIRED: u32 = 0b11;
/// A queue without a message.
pub const NO_VECTOR: u16 = 0xffff;
/// A descriptor of what the device writes.
const WRITES: u16 = 2;
/// The device has used a buffer.
pub const USED_BUFFER: u8 = 1;

/// Descriptors of the queue, and where its parts are in their page.
const SIZE: u16 = 4;
const AVAILABLE: u64 = 0x100;
pub const USED: u64 = 0x200;

/// Registers and rings are little-endian.
pub fn get16(at: u64) -> u16 {
    u16::from_le(peek(at))
}

pub fn get32(at: u64) -> u32 {
    u32::from_le(peek(at))
}

pub fn put16(at: u64, value: u16) {
    poke(at, value.to_le());
}

pub fn put32(at: u64, value: u32) {
    poke(at, value.to_le());
}

/// A device: addresses of its structures.
#[derive(Clone, Copy)]
pub struct Device {
    pub function: Function,
    pub common: u64,
    /// Where queues are notified, and how far apart.
    notify: u64,
    step: u32,
    /// The interrupt status.
    pub why: u64,
    /// The capability of MSI-X, and the table.
    msix: u32,
    table: u64,
}

impl Device {
    /// By its capabilities.
    pub fn find(function: Function, regions: &[Option<Region>; 6]) -> Option<Device> {
        let place = |bar: u32, offset: u32| Some((*regions.get(bar as usize)?)?.at + u64::from(offset));
        let (mut common, mut notify, mut why, mut messages) = (None, None, None, None);
        let mut at = function.get(CAPABILITIES, 1);
        // As many as have room.
        for _ in 0..48 {
            let [id, next, kind, bar] = [0, 1, 3, 4].map(|n| function.get(at + n, 1));
            let structure = || place(bar, function.get(at + 8, 4));
            match (id, kind) {
                (STRUCTURE, 1) => common = structure(),
                (STRUCTURE, 2) => notify = Some((structure()?, function.get(at + 16, 4))),
                (STRUCTURE, 3) => why = structure(),
                (MSIX, _) => {
                    let table = function.get(at + 4, 4);
                    messages = Some((at, place(table & 7, table & !7)?));
                }
                _ => {}
            }
            if next == 0 {
                break;
            }
            at = next;
        }
        let ((notify, step), (msix, table)) = (notify?, messages?);
        Some(Device { function, common: common?, notify, step, why: why?, msix, table })
    }

    /// The device status.
    pub fn status(self) -> u8 {
        peek(self.common + DEVICE_STATUS)
    }

    /// Sets bits of it; whether they stay.
    fn advance(self, bits: u8) -> bool {
        poke(self.common + DEVICE_STATUS, self.status() | bits);
        self.status() & bits == bits
    }

    /// Whether it is as in the beginning then.
    pub fn reset(self) -> bool {
        poke(self.common + DEVICE_STATUS, 0_u8);
        wait(|| self.status() == 0)
    }

    /// From a reset to a queue with this message; whether the device agrees to everything.
    pub fn start(self, vector: u16) -> bool {
        clear(RINGS, PAGE);
        let found = self.reset() && self.advance(FOUND);
        for (half, features) in [(0, 0), (1, REQUIRED)] {
            put32(self.common + DRIVER_FEATURE_SELECT, half);
            put32(self.common + DRIVER_FEATURES, features);
        }
        let agreed = found && self.advance(FEATURES_OK);
        for (offset, value) in [(QUEUE_SELECT, 0), (QUEUE_SIZE, SIZE), (QUEUE_VECTOR, vector)] {
            put16(self.common + offset, value);
        }
        for (offset, part) in QUEUE_AREAS.into_iter().zip([0, AVAILABLE, USED]) {
            put32(self.common + offset, (BUS_RINGS + part) as u32);
            put32(self.common + offset + 4, 0);
        }
        put16(self.common + QUEUE_ENABLE, 1);
        agreed && get16(self.common + QUEUE_VECTOR) == vector && self.advance(DRIVER_OK)
    }

    /// Gives it a buffer.
    pub fn give(self, address: u64, len: u32) {
        poke(RINGS, address.to_le());
        put32(RINGS + 8, len);
        put16(RINGS + 12, WRITES);
        let index = get16(RINGS + AVAILABLE + 2);
        // What is available is always descriptor 0.
        fence(SeqCst);
        put16(RINGS + AVAILABLE + 2, index.wrapping_add(1));
        fence(SeqCst);
        let number = get16(self.common + QUEUE_NOTIFY);
        put16(self.notify + u64::from(number) * u64::from(self.step), 0);
    }

    /// Waits for it to come back: the bytes that the device says it wrote.
    pub fn fill(self, address: u64, len: u32) -> Option<u32> {
        self.give(address, len);
        let index = || get16(RINGS + USED + 2);
        let done = wait(|| index() == get16(RINGS + AVAILABLE + 2));
        let last = u64::from(index().wrapping_sub(1) % SIZE);
        done.then(|| get32(RINGS + USED + 4 + 8 * last + 4))
    }

    /// Reads why it interrupts, which quiets its pin.
    pub fn why(self) -> u8 {
        peek(self.why)
    }

    /// The control of MSI-X.
    pub fn set_messages(self, control: u32) {
        self.function.set(self.msix + 2, 2, control);
    }

    /// The bit in the table that masks a message.
    pub fn mask(self, vector: u16, masked: bool) {
        put32(self.table + 16 * u64::from(vector) + 12, masked.into());
    }
}
