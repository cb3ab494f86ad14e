//! The areas that a vCPU has registered, and what they say of its turns: yield count, times, dispatch log (PAPR 14.11.2; spec
//! papr 9).
//!
//! An area is the guest's memory: it may change, move or go away at any time. Nothing that is read there is believed, and
//! a store that finds no memory is dropped.

use std::sync::atomic::{Ordering, fence};

use guest_mem::{GuestMem, Order};
use hv_core::Rest;

/// Offsets in the virtual processor area.
pub(crate) mod field {
    pub const STATUS: u64 = 0x09;
    pub const LOG_MASK: u64 = 0xb8;
    pub const YIELD_COUNT: u64 = 0x100;
    pub const ENQUEUE_TO_DISPATCH: u64 = 0x158;
    pub const WAIT_TO_READY: u64 = 0x168;
    pub const LOG_INDEX: u64 = 0x218;
}

/// An entry of the dispatch log.
pub(crate) const ENTRY: u64 = 48;

/// Which dispatches are logged: behind a wait, behind a preemption.
mod mask {
    pub const CEDE: u8 = 1;
    pub const PREEMPT: u8 = 2;
}

/// Why a vCPU was dispatched, as the log says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Reason {
    External = 0,
    Prod = 2,
    Decrementer = 3,
    SystemReset = 4,
    TimeSlice = 7,
}

/// Why it had left, as the log says it.
fn preempt_reason(rest: Rest) -> u8 {
    match rest {
        Rest::Waits | Rest::Stops => 2,
        Rest::Yields => 3,
        Rest::Preempted => 4,
    }
}

/// The ring of the dispatch log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Log {
    pub start: u64,
    pub entries: u64,
    pub written: u64,
}

/// Areas that a vCPU has registered: guest real addresses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Areas {
    pub vpa: Option<u64>,
    pub slb_shadow: Option<u64>,
    pub log: Option<Log>,
}

/// Ticks that a vCPU did not run, since the machine started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Times {
    /// Waiting for something to do.
    pub waited: u64,
    /// Ready, and not dispatched. Nothing caps a vCPU, so it is enqueued when it is ready.
    pub enqueued: u64,
}

/// A vCPU comes back.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entry {
    pub server: u32,
    pub rest: Rest,
    pub reason: Reason,
    /// Ticks of this rest.
    pub times: Times,
    /// Timebase, next instruction, MSR.
    pub now: u64,
    pub address: u64,
    pub msr: u64,
}

impl Areas {
    /// The yield count that the guest sees: odd while the vCPU does not run. `None` without an area.
    pub fn yield_count(&self, mem: &GuestMem) -> Option<u32> {
        mem.load::<u32>(self.vpa? + field::YIELD_COUNT, Order::Big)
    }

    /// Makes the yield count that of a vCPU which runs, or which does not.
    pub fn step_yield_count(&self, mem: &GuestMem, running: bool) {
        if let (Some(vpa), Some(count)) = (self.vpa, self.yield_count(mem)) {
            // Its parity is ours to say, whatever the guest has put there.
            let step = if count & 1 == u32::from(running) { 1 } else { 2 };
            mem.store(vpa + field::YIELD_COUNT, Order::Big, count.wrapping_add(step));
        }
    }

    /// The vCPU does not run from now on.
    pub fn leave(&self, mem: &GuestMem) {
        self.step_yield_count(mem, false);
    }

    /// The vCPU runs again, which has rested for `times` in all.
    pub fn enter(&mut self, mem: &GuestMem, entry: &Entry, times: Times) {
        let Some(vpa) = self.vpa else { return };
        mem.store(vpa + field::ENQUEUE_TO_DISPATCH, Order::Big, times.enqueued);
        mem.store(vpa + field::WAIT_TO_READY, Order::Big, times.waited);
        let wanted = match entry.rest {
            Rest::Preempted => mask::PREEMPT,
            _ => mask::CEDE,
        };
        if let Some(log) = &mut self.log
            && mem.load::<u8>(vpa + field::LOG_MASK, Order::Big).is_some_and(|mask| mask & wanted != 0)
        {
            let at = log.start + log.written % log.entries * ENTRY;
            log.written += 1;
            mem.write(at, &entry.encode());
            // The entry is whole before the index says that it is there.
            fence(Ordering::Release);
            mem.store(vpa + field::LOG_INDEX, Order::Big, log.written);
        }
        self.step_yield_count(mem, true);
    }
}

impl Entry {
    /// Big-endian: reasons, processor that ran it (each vCPU has one for itself, as far as is known), times, timebase,
    /// address of a fault, SRR0 and SRR1 with which it goes on.
    fn encode(&self) -> [u8; ENTRY as usize] {
        let short = |ticks: u64| u32::try_from(ticks).unwrap_or(u32::MAX);
        let [high, low] = (self.server as u16).to_be_bytes();
        let reasons = u32::from_be_bytes([self.reason as u8, preempt_reason(self.rest), high, low]);
        let words = [reasons, short(self.times.enqueued), 0, short(self.times.waited)];
        let doubles = [self.now, 0, self.address, self.msr];
        let bytes = words.into_iter().flat_map(u32::to_be_bytes).chain(doubles.into_iter().flat_map(u64::to_be_bytes));
        let mut entry = [0; ENTRY as usize];
        entry.iter_mut().zip(bytes).for_each(|(slot, byte)| *slot = byte);
        entry
    }
}
