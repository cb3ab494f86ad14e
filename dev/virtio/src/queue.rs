//! Split virtqueues (section 2.7): a table of descriptors, a ring of what is available and one of what was used.
//!
//! Everything in them is the guest's and may change at any time, so each number is loaded once and checked. Rings are
//! little-endian.

use std::num::NonZeroU16;
use std::sync::atomic::{Ordering, fence};

use pci::Port;

/// The ring can not be followed: an index outside of it, a chain that does not end, memory that can not be reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault;

/// Bits of a descriptor.
const NEXT: u16 = 1;
const WRITE: u16 = 2;
const INDIRECT: u16 = 4;
/// The driver wants no interrupt for what was used.
const NO_INTERRUPT: u16 = 1;

/// Bytes of a descriptor, and of entries of the rings, whose indices stand behind their flags.
const DESCRIPTOR: u64 = 16;
const AVAILABLE: u64 = 2;
const USED: u64 = 8;
const INDEX: u64 = 2;
const RING: u64 = 4;

/// Where the parts of a queue are, as bus addresses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Areas {
    /// Descriptor table.
    pub descriptors: u64,
    /// Available ring.
    pub driver: u64,
    /// Used ring.
    pub device: u64,
}

/// A piece of a buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segment {
    /// Bus address.
    pub address: u64,
    /// Bytes.
    pub len: u32,
    /// For the device to write, or else to read.
    pub writable: bool,
}

/// A buffer: pieces to read, then pieces to write, 4 GiB at most.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chain {
    head: u16,
    segments: Vec<Segment>,
}

impl Chain {
    fn writable(&self) -> impl Iterator<Item = &Segment> {
        self.segments.iter().filter(|segment| segment.writable)
    }

    /// Bytes that the device may write.
    pub fn room(&self) -> u64 {
        self.writable().map(|segment| u64::from(segment.len)).sum()
    }

    /// Writes `data` to the beginning of what may be written; returns how much of it had room.
    ///
    /// # Errors
    /// Memory that can not be written.
    pub fn write(&self, port: &Port, data: &[u8]) -> Result<u32, Fault> {
        let mut rest = data;
        for segment in self.writable() {
            let (part, behind) = rest.split_at(rest.len().min(segment.len as usize));
            if !port.write(segment.address, part) {
                return Err(Fault);
            }
            rest = behind;
        }
        Ok((data.len() - rest.len()) as u32)
    }
}

/// A queue: what the driver has set up, and how far the device is.
#[derive(Clone, Debug)]
pub struct Queue {
    most: u16,
    /// Descriptors, a power of two.
    size: u16,
    enabled: bool,
    /// Where it is; changes while it is not enabled only.
    pub(crate) areas: Areas,
    /// Buffers taken.
    taken: u16,
    /// Buffers given back.
    used: u16,
}

impl Queue {
    /// A queue of up to `most` descriptors, a power of two.
    pub fn new(most: u16) -> Queue {
        Queue { most, size: most, enabled: false, areas: Areas::default(), taken: 0, used: 0 }
    }

    /// Its descriptors.
    pub fn size(&self) -> u16 {
        self.size
    }

    /// Sets how many descriptors it has, if that is possible.
    pub(crate) fn resize(&mut self, size: u16) {
        if size.is_power_of_two() && size <= self.most {
            self.size = size;
        }
    }

    /// Whether the driver has set it up.
    pub fn enabled(&self) -> bool {
        self.enabled
    }

    /// The driver has set it up.
    pub(crate) fn enable(&mut self) {
        self.enabled = true;
    }

    /// How many buffers were ever given back, modulo 2^16.
    pub(crate) fn used(&self) -> u16 {
        self.used
    }

    /// The place of buffer `number` in rings.
    fn place(&self, number: u16) -> Result<u64, Fault> {
        let size = NonZeroU16::new(self.size).ok_or(Fault)?;
        Ok((number % size).into())
    }

    /// Takes the next available buffer.
    ///
    /// # Errors
    /// What can not be followed.
    pub fn take(&mut self, port: &Port) -> Result<Option<Chain>, Fault> {
        let ring = self.areas.driver;
        let index: u16 = port.load(ring.wrapping_add(INDEX)).ok_or(Fault)?;
        let waiting = index.wrapping_sub(self.taken);
        if !self.enabled || waiting > self.size {
            return Err(Fault);
        }
        if waiting == 0 {
            return Ok(None);
        }
        // What the driver stored before the index is seen behind it.
        fence(Ordering::Acquire);
        let entry = ring.wrapping_add(RING + AVAILABLE * self.place(self.taken)?);
        let head = port.load(entry).ok_or(Fault)?;
        let chain = self.chain(port, head)?;
        self.taken = self.taken.wrapping_add(1);
        Ok(Some(chain))
    }

    fn chain(&self, port: &Port, head: u16) -> Result<Chain, Fault> {
        let (mut segments, mut number, mut bytes) = (Vec::<Segment>::new(), head, 0_u32);
        // As many as there are; a longer chain is a loop.
        for _ in 0..self.size {
            if number >= self.size {
                return Err(Fault);
            }
            let at = self.areas.descriptors.wrapping_add(DESCRIPTOR * u64::from(number));
            let address = port.load(at).ok_or(Fault)?;
            let len = port.load(at.wrapping_add(8)).ok_or(Fault)?;
            let flags: u16 = port.load(at.wrapping_add(12)).ok_or(Fault)?;
            let next = port.load(at.wrapping_add(14)).ok_or(Fault)?;
            let writable = flags & WRITE != 0;
            bytes = bytes.checked_add(len).ok_or(Fault)?;
            let late = !writable && segments.last().is_some_and(|last| last.writable);
            if late || flags & INDIRECT != 0 {
                return Err(Fault);
            }
            segments.push(Segment { address, len, writable });
            if flags & NEXT == 0 {
                return Ok(Chain { head, segments });
            }
            number = next;
        }
        Err(Fault)
    }

    /// Gives a buffer back, of which the device has written the first `written` bytes of what it may.
    ///
    /// # Errors
    /// Memory that can not be written.
    pub fn give_back(&mut self, port: &Port, chain: &Chain, written: u32) -> Result<(), Fault> {
        let ring = self.areas.device;
        let entry = ring.wrapping_add(RING + USED * self.place(self.used)?);
        if !port.store(entry, u32::from(chain.head)) || !port.store(entry.wrapping_add(4), written) {
            return Err(Fault);
        }
        self.used = self.used.wrapping_add(1);
        // The driver sees the index last.
        fence(Ordering::Release);
        if port.store(ring.wrapping_add(INDEX), self.used) { Ok(()) } else { Err(Fault) }
    }

    /// Whether the driver wants an interrupt for what was given back.
    ///
    /// # Errors
    /// Memory that can not be read.
    pub(crate) fn wants_interrupt(&self, port: &Port) -> Result<bool, Fault> {
        // Either the driver sees the index that was stored, or what it asks for now is seen here.
        fence(Ordering::SeqCst);
        let flags: u16 = port.load(self.areas.driver).ok_or(Fault)?;
        Ok(flags & NO_INTERRUPT == 0)
    }
}
