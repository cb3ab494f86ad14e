//! Events for the guest, as check-exception reports them: error logs of version 6 (PAPR 10.3; spec papr 3.11).

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

/// Class of hot-plug events in the mask of check-exception.
pub const HOT_PLUG: u32 = 0x1000_0000;
/// Events that wait for the guest; older ones are dropped for more.
const MOST: usize = 64;

/// What is to be done with a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Take it into use.
    Add = 1,
    /// Give it back.
    Remove = 2,
}

/// Which resources.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// That of one connector.
    Index(u32),
    /// So many from this connector on.
    Several {
        /// How many.
        count: u32,
        /// The first.
        first: u32,
    },
}

/// Kinds of resources, by PAPR's numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A processor.
    Processor = 1,
    /// Blocks of memory.
    Memory = 2,
    /// A PCI function.
    Pci = 5,
    /// Persistent memory.
    Persistent = 6,
}

/// Something that the guest is to add or remove.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HotPlug {
    /// What.
    pub kind: Kind,
    /// Which.
    pub which: Which,
    /// Add or remove.
    pub action: Action,
}

/// The events that wait.
pub struct Events {
    queue: Mutex<VecDeque<HotPlug>>,
    /// Raises the interrupt.
    alert: Box<dyn Fn() + Send + Sync>,
}

impl Events {
    /// No events; `alert` is to raise the interrupt that tells of one.
    pub fn new(alert: Box<dyn Fn() + Send + Sync>) -> Events {
        Events { queue: Mutex::default(), alert }
    }

    /// Adds an event and tells the guest.
    pub fn post(&self, event: HotPlug) {
        let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        if queue.len() >= MOST {
            queue.pop_front();
        }
        queue.push_back(event);
        drop(queue);
        (self.alert)();
    }

    /// Takes the oldest event. Guests take one for each interrupt: if there are more, another one is raised.
    pub(crate) fn take(&self) -> Option<HotPlug> {
        let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        let event = queue.pop_front()?;
        let more = !queue.is_empty();
        drop(queue);
        if more {
            (self.alert)();
        }
        Some(event)
    }
}

/// A section of a log: its letters, and what stands behind its header.
fn section(id: [u8; 2], body: &[u8]) -> Vec<u8> {
    const VERSION: u8 = 1;
    let [high, low] = (8 + body.len() as u16).to_be_bytes();
    [&[id[0], id[1], high, low, VERSION, 0, 0, 0], body].concat()
}

impl HotPlug {
    /// Its error log, big-endian.
    pub(crate) fn log(&self) -> Vec<u8> {
        /// Version 6, event, not recovered, with an extended part; from and to hot plug; a hot-plug event.
        const SUMMARY: u32 = 0x0600_0000 | 0x0020_0000 | 0x0010_0000 | 0x0004_0000 | 0x6000 | 0x0600 | 0xe5;
        /// A valid new log; a platform event in PowerPC's format.
        const EXTENDED: [u8; 4] = [0x90, 0, 0x8e, 0];
        const SECTIONS: u8 = 3;
        /// Created by the hypervisor.
        const CREATOR: u8 = b'H';
        const BY_INDEX: u8 = 2;
        const BY_COUNT_AND_INDEX: u8 = 4;

        let mut main_a = [0; 40];
        main_a[16] = CREATOR;
        main_a[19] = SECTIONS;
        // Hot plug, of the whole platform, as information.
        let main_b = [0x60, 0, 0x01, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        let (how, which) = match self.which {
            Which::Index(index) => (BY_INDEX, index.to_be_bytes().to_vec()),
            Which::Several { count, first } => {
                (BY_COUNT_AND_INDEX, [count.to_be_bytes(), first.to_be_bytes()].concat())
            }
        };
        let hot_plug = [&[self.kind as u8, self.action as u8, how, 0], which.as_slice()].concat();
        let sections = [section(*b"PH", &main_a), section(*b"UH", &main_b), section(*b"HP", &hot_plug)].concat();
        let extended = [&EXTENDED[..], &[0; 8], b"IBM\0", &sections].concat();
        [&SUMMARY.to_be_bytes()[..], &(extended.len() as u32).to_be_bytes(), &extended].concat()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[test]
    fn a_log_has_its_sections_where_guests_look() {
        let event = HotPlug { kind: Kind::Persistent, which: Which::Index(0x9000_0001), action: Action::Add };
        let log = event.log();
        assert_eq!((log[0], log[3], log.len()), (6, 0xe5, 8 + 16 + 48 + 24 + 16));
        assert_eq!(u32::from_be_bytes(log[4..8].try_into().unwrap()) as usize, log.len() - 8);
        assert_eq!(&log[8 + 12..8 + 16], b"IBM\0");
        // As Linux walks them.
        let (mut at, mut found) = (8 + 16, Vec::new());
        while at < log.len() {
            found.push((log[at], log[at + 1]));
            at += usize::from(u16::from_be_bytes([log[at + 2], log[at + 3]]));
        }
        assert_eq!(found, [(b'P', b'H'), (b'U', b'H'), (b'H', b'P')]);
        assert_eq!(&log[log.len() - 8..], [6, 1, 2, 0, 0x90, 0, 0, 1]);
        let event = HotPlug {
            kind: Kind::Memory,
            which: Which::Several { count: 3, first: 0x8000_0004 },
            action: Action::Remove,
        };
        let log = event.log();
        assert_eq!(&log[log.len() - 12..], [2, 2, 4, 0, 0, 0, 0, 3, 0x80, 0, 0, 4]);
    }

    #[test]
    fn the_oldest_event_gives_way() {
        let alerts = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&alerts);
        let events = Events::new(Box::new(move || _ = counter.fetch_add(1, Ordering::Relaxed)));
        let event = |index| HotPlug { kind: Kind::Processor, which: Which::Index(index), action: Action::Add };
        (0..=MOST as u32).for_each(|index| events.post(event(index)));
        assert_eq!(alerts.swap(0, Ordering::Relaxed), MOST + 1);
        assert_eq!(events.take(), Some(event(1)));
        while events.take().is_some() {}
        assert_eq!(alerts.load(Ordering::Relaxed), MOST - 1);
    }
}
