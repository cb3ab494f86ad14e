//! The state of an event, and the pages by which guests reach it (spec papr 6.3, "ESB").
//!
//! Each source has two pages: a store to the first triggers, the second is for its management. Behind all of them each
//! queue has one for management.

use std::sync::Arc;

use super::{PRIORITIES, Xive};
use crate::registers::Registers;

/// log2 of the bytes of a page.
pub const PAGE: u32 = 16;
/// Sources that there is room for before the pages of queues.
const SOURCES: u64 = 0x2000;

/// Where pages are among the others.
pub mod page {
    use super::{PAGE, PRIORITIES, SOURCES};

    /// The page whose stores trigger source `lisn`.
    pub fn trigger(lisn: u32) -> u64 {
        u64::from(lisn) << (PAGE + 1)
    }

    /// The page by which it is managed.
    pub fn management(lisn: u32) -> u64 {
        trigger(lisn) + (1 << PAGE)
    }

    /// The page of a queue.
    pub fn queue(server: u32, priority: u8) -> u64 {
        (SOURCES << (PAGE + 1)) + ((u64::from(server) * u64::from(PRIORITIES) + u64::from(priority)) << PAGE)
    }

    /// The end of the pages of a controller of so many servers.
    pub fn end(servers: u32) -> u64 {
        queue(servers, 0)
    }
}

/// The bits P and Q: an event is with the guest; another one waits behind it. A state with Q alone is off.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Pq {
    Ready = 0b00,
    #[default]
    Off = 0b01,
    Pending = 0b10,
    Queued = 0b11,
}

/// What a load of a management page does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Load {
    End,
    Get,
    Set(Pq),
}

impl Load {
    /// At `offset`; each operation has a range of them, lower bits only order accesses.
    pub fn at(offset: u64) -> Load {
        match offset & 0xf00 {
            0x800..=0xb00 => Load::Get,
            0xc00 => Load::Set(Pq::Ready),
            0xd00 => Load::Set(Pq::Off),
            0xe00 => Load::Set(Pq::Pending),
            0xf00 => Load::Set(Pq::Queued),
            _ => Load::End,
        }
    }
}

/// What a store to a management page does; the value does not matter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Store {
    Trigger,
    End,
    Set(Pq),
    Nothing,
}

impl Store {
    /// At `offset`.
    pub fn at(offset: u64) -> Store {
        match (offset & 0xf00, Load::at(offset)) {
            (..=0x300, _) => Store::Trigger,
            (0x400..=0x700, _) => Store::End,
            (_, Load::Set(pq)) => Store::Set(pq),
            _ => Store::Nothing,
        }
    }
}

impl Pq {
    /// Something happens; whether the event goes on.
    pub fn trigger(&mut self) -> bool {
        let (next, event) = match self {
            Pq::Ready => (Pq::Pending, true),
            Pq::Pending | Pq::Queued => (Pq::Queued, false),
            Pq::Off => (Pq::Off, false),
        };
        *self = next;
        event
    }

    /// The guest has handled an event; whether the one behind it goes on.
    pub fn end(&mut self) -> bool {
        let (next, event) = match self {
            Pq::Ready | Pq::Pending => (Pq::Ready, false),
            Pq::Queued => (Pq::Pending, true),
            Pq::Off => (Pq::Off, false),
        };
        *self = next;
        event
    }

    /// A load: its value, and whether an event goes on. The value of an end is whether one does.
    pub fn load(&mut self, load: Load) -> (u64, bool) {
        let old = *self as u64;
        match load {
            Load::End => {
                let event = self.end();
                (event.into(), event)
            }
            Load::Get => (old, false),
            Load::Set(pq) => {
                *self = pq;
                (old, false)
            }
        }
    }
}

/// The pages of all sources and queues.
pub struct Esb(pub Arc<Xive>);

impl Esb {
    /// Source and offset in its two pages, if it is a page of a source.
    fn source(at: u64) -> Option<(u32, u64)> {
        let lisn = at >> (PAGE + 1);
        (lisn < SOURCES).then_some((lisn as u32, at & ((1 << (PAGE + 1)) - 1)))
    }

    /// Server, priority and offset in a queue's page.
    fn queue(at: u64) -> Option<(u32, u8, u64)> {
        let number = (at >> PAGE).checked_sub(2 * SOURCES)?;
        let server = u32::try_from(number / u64::from(PRIORITIES)).ok()?;
        Some((server, (number % u64::from(PRIORITIES)) as u8, at & ((1 << PAGE) - 1)))
    }
}

/// What is not there, or can not be loaded, reads as all ones.
impl Registers for Esb {
    fn read(&self, offset: u64, _: u64) -> u64 {
        let value = match (Esb::source(offset), Esb::queue(offset)) {
            (Some((lisn, at)), _) if at >> PAGE != 0 => self.0.load(lisn, at),
            (None, Some((server, priority, at))) => self.0.load_queue(server, priority, at),
            _ => None,
        };
        value.unwrap_or(u64::MAX)
    }

    fn write(&self, offset: u64, _: u64, _: u64) {
        if let Some((lisn, at)) = Esb::source(offset) {
            // All of the first page triggers.
            self.0.store(lisn, if at >> PAGE == 0 { 0 } else { at });
        }
    }
}
