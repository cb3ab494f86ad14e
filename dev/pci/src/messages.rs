//! Which function has which of the interrupt sources that are set aside for messages.

use std::collections::BTreeMap;
use std::ops::Range;

/// The two ways to send messages (PCI 3.0, 6.8).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MessageKind {
    /// Message signalled interrupts: an address, and data that count up.
    Msi,
    /// A table of addresses and data.
    Msix,
}

/// Messages of a function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assigned {
    /// How they are sent.
    pub kind: MessageKind,
    /// Their sources.
    pub sources: Range<u32>,
}

/// All sources for messages.
#[derive(Debug)]
pub struct Messages {
    all: Range<u32>,
    /// By slot.
    assigned: BTreeMap<u8, Assigned>,
}

impl Messages {
    /// Sources `all`, of nobody.
    pub fn new(all: Range<u32>) -> Messages {
        Messages { all, assigned: BTreeMap::new() }
    }

    /// What `slot` has.
    pub fn of(&self, slot: u8) -> Option<&Assigned> {
        self.assigned.get(&slot)
    }

    /// Takes from `slot` what it has.
    pub fn release(&mut self, slot: u8) {
        self.assigned.remove(&slot);
    }

    /// Gives `slot` `count` sources in a row in place of what it had. Those of MSI begin at a multiple of their number, since
    /// the function sets the low bits. `None` when there are not so many; then it has none.
    pub fn assign(&mut self, slot: u8, kind: MessageKind, count: u32) -> Option<&Assigned> {
        self.release(slot);
        let step = if kind == MessageKind::Msi { count.checked_next_power_of_two()? } else { 1 };
        // A free place begins at the first source or behind what somebody has.
        let ends = self.assigned.values().map(|assigned| assigned.sources.end);
        let starts = [self.all.start].into_iter().chain(ends).filter_map(|at| at.checked_next_multiple_of(step.max(1)));
        let fits = |start: &u32| {
            let Some(end) = start.checked_add(count) else { return false };
            let meets = |assigned: &Assigned| *start < assigned.sources.end && assigned.sources.start < end;
            end <= self.all.end && !self.assigned.values().any(meets)
        };
        let start = starts.filter(fits).min()?;
        self.assigned.insert(slot, Assigned { kind, sources: start..start + count });
        self.of(slot)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_gets_what_another_one_has() {
        let mut messages = Messages::new(0x1300..0x1310);
        let mut assign =
            |slot, kind, count| messages.assign(slot, kind, count).map(|assigned| assigned.sources.clone());
        assert_eq!(assign(1, MessageKind::Msix, 3), Some(0x1300..0x1303));
        assert_eq!(assign(2, MessageKind::Msi, 4), Some(0x1304..0x1308));
        assert_eq!(assign(3, MessageKind::Msix, 1), Some(0x1303..0x1304));
        assert_eq!(assign(4, MessageKind::Msix, 9), None);
        assert_eq!(assign(4, MessageKind::Msix, u32::MAX), None);
        assert_eq!(assign(4, MessageKind::Msi, u32::MAX), None);
        assert_eq!(assign(4, MessageKind::Msix, 8), Some(0x1308..0x1310));
        assert_eq!(assign(1, MessageKind::Msix, 4), None);
        assert_eq!(assign(5, MessageKind::Msix, 3), Some(0x1300..0x1303), "what slot 1 had is free");
    }
}
