//! The interrupt context of a vCPU, and the pages by which its guest reaches it: the thread interrupt management area
//! (TIMA; spec papr 6.3).
//!
//! Its address is the same for all vCPUs; each has a device of its own there. The page of the operating system comes
//! first, that of user programs, which have no context here, behind it.

use std::sync::Arc;

use super::{LEAST, PRIORITIES, Xive};
use crate::registers::Registers;

/// Offset and bytes of the operating system's ring.
const RING: u64 = 0x10;
const RING_LEN: u64 = 0x10;
/// Stored here: the thread's own priority (CPPR).
const CPPR: u64 = 0x11;
/// A load here acknowledges.
const ACKNOWLEDGE: u64 = 0x810;
/// Stored here: a priority that becomes pending.
const SET_PENDING: u64 = 0x812;
/// NSR: an interrupt for the operating system.
const NSR_EO: u8 = 0x80;
/// Word 2: the context is a vCPU's, whose number follows.
const VALID: u32 = 1 << 31;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Thread {
    cppr: u8,
    /// Pending priorities (IPB), the most favoured one in the highest bit.
    ipb: u8,
}

impl Thread {
    /// The most favoured pending priority.
    fn first(&self) -> u8 {
        if self.ipb == 0 { LEAST } else { self.ipb.leading_zeros() as u8 }
    }

    /// The same as the guest sees it (PIPR): never less favoured than the thread.
    fn pipr(&self) -> u8 {
        self.first().min(self.cppr)
    }

    /// Whether the external input is up.
    pub fn interrupted(&self) -> bool {
        self.first() < self.cppr
    }

    fn nsr(&self) -> u8 {
        if self.interrupted() { NSR_EO } else { 0 }
    }

    pub fn post(&mut self, priority: u8) {
        if priority < PRIORITIES {
            self.ipb |= 0x80 >> priority;
        }
    }

    /// Sets the thread's priority; what is no priority lets everything in.
    fn set_cppr(&mut self, cppr: u8) {
        self.cppr = if cppr < PRIORITIES { cppr } else { LEAST };
    }

    /// Takes the most favoured pending priority, which becomes the thread's: NSR as it was, and CPPR.
    fn accept(&mut self) -> u16 {
        let nsr = self.nsr();
        if nsr != 0 {
            self.cppr = self.first();
            self.ipb &= !(0x80 >> self.cppr);
        }
        u16::from_be_bytes([nsr, self.cppr])
    }

    /// The ring: NSR, CPPR, IPB, three counters that stand still, PIPR, then word 2.
    fn ring(&self, server: u32) -> [u8; RING_LEN as usize] {
        let [w0, w1, w2, w3] = (VALID | server).to_be_bytes();
        [self.nsr(), self.cppr, self.ipb, 0xff, 0xff, 0, 0, self.pipr(), w0, w1, w2, w3, 0, 0, 0, 0]
    }
}

/// The pages as one vCPU sees them.
pub struct Tima {
    /// The controller.
    pub xive: Arc<Xive>,
    /// The vCPU.
    pub server: u32,
}

impl Tima {
    fn thread<T>(&self, change: impl FnOnce(&mut Thread) -> T) -> Option<T> {
        self.xive.with(|state| state.thread(self.server, change))
    }
}

/// Accesses of another width than a register's do nothing; the bytes of the ring can be loaded in any.
impl Registers for Tima {
    fn read(&self, offset: u64, bytes: u64) -> u64 {
        if (offset, bytes) == (ACKNOWLEDGE, 2) {
            return self.thread(Thread::accept).map_or(0, u64::from);
        }
        let Some(at) = offset.checked_sub(RING).filter(|at| bytes != 0 && at.is_multiple_of(bytes)) else { return 0 };
        let Some(ring) = self.thread(|thread| thread.ring(self.server)) else { return 0 };
        let range = at as usize..at.saturating_add(bytes) as usize;
        ring.get(range).unwrap_or_default().iter().fold(0, |value, byte| value << 8 | u64::from(*byte))
    }

    fn write(&self, offset: u64, bytes: u64, value: u64) {
        match (offset, bytes) {
            (CPPR, 1) => self.thread(|thread| thread.set_cppr(value as u8)),
            (SET_PENDING, 1) => self.thread(|thread| thread.post(value as u8)),
            _ => None,
        };
    }
}
