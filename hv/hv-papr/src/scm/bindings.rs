//! Which block is bound where.

use std::collections::BTreeMap;
use std::ops::Range;

use super::operations::Operations;

/// A bound block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Bound {
    /// Guest real address.
    pub(super) address: u64,
    /// Connector of its device.
    pub(super) drc: u32,
    /// Its number.
    pub(super) block: u64,
    /// Its bytes.
    pub(super) size: u64,
}

impl Bound {
    /// Its addresses.
    pub(super) fn range(&self) -> Range<u64> {
        self.address..self.address + self.size
    }
}

/// The bindings of a machine, and the calls that are not finished.
#[derive(Debug, Default)]
pub(crate) struct Bindings {
    by_address: BTreeMap<u64, Bound>,
    by_block: BTreeMap<(u32, u64), u64>,
    pub(super) operations: Operations,
}

impl Bindings {
    /// Notes that `blocks` of a device are bound from `address` on.
    pub(super) fn bind(&mut self, drc: u32, blocks: Range<u64>, address: u64, size: u64) {
        for (block, address) in blocks.zip((address..).step_by(size as usize)) {
            self.by_address.insert(address, Bound { address, drc, block, size });
            self.by_block.insert((drc, block), address);
        }
    }

    /// Forgets the block at `address`.
    pub(super) fn unbind(&mut self, address: u64) {
        if let Some(Bound { drc, block, .. }) = self.by_address.remove(&address) {
            self.by_block.remove(&(drc, block));
        }
    }

    /// Where a block is bound.
    pub(super) fn address(&self, drc: u32, block: u64) -> Option<u64> {
        self.by_block.get(&(drc, block)).copied()
    }

    /// Whether any of `blocks` is bound.
    pub(super) fn any_bound(&self, drc: u32, blocks: Range<u64>) -> bool {
        self.by_block.range((drc, blocks.start)..(drc, blocks.end)).next().is_some()
    }

    /// Whether any block is bound in `range` of addresses.
    pub(super) fn meets(&self, range: Range<u64>) -> bool {
        self.by_address.range(..range.end).next_back().is_some_and(|(_, bound)| bound.range().end > range.start)
    }

    /// The block that begins at `address`.
    pub(super) fn at(&self, address: u64) -> Option<Bound> {
        self.by_address.get(&address).copied()
    }

    /// The block in which `address` lies.
    pub(super) fn around(&self, address: u64) -> Option<Bound> {
        let (_, bound) = self.by_address.range(..=address).next_back()?;
        bound.range().contains(&address).then_some(*bound)
    }

    /// All bound blocks, or those of one device, by address.
    pub(super) fn of(&self, only: Option<u32>) -> impl Iterator<Item = Bound> {
        self.by_address.values().copied().filter(move |bound| only.is_none_or(|only| only == bound.drc))
    }

    /// The lowest free place for `bytes` in `window`, a multiple of `alignment`.
    pub(super) fn choose(&self, window: &Range<u64>, alignment: u64, bytes: u64) -> Option<u64> {
        let mut free = window.start.checked_next_multiple_of(alignment)?;
        for bound in self.by_address.values() {
            if free.checked_add(bytes)? <= bound.address {
                break;
            }
            free = free.max(bound.range().end.checked_next_multiple_of(alignment)?);
        }
        (free.checked_add(bytes)? <= window.end).then_some(free)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lowest_gap_is_chosen() {
        let mut bindings = Bindings::default();
        let window = 0x1000..0x9000;
        assert_eq!(bindings.choose(&window, 0x1000, 0x8000), Some(0x1000));
        assert_eq!(bindings.choose(&window, 0x1000, 0x9000), None);
        bindings.bind(1, 0..2, 0x2000, 0x1000);
        bindings.bind(2, 0..1, 0x6000, 0x1000);
        assert_eq!(
            [0x1000, 0x2000, 0x3000].map(|bytes| bindings.choose(&window, 0x1000, bytes)),
            [Some(0x1000), Some(0x4000), None]
        );
        assert_eq!(bindings.choose(&window, 0x2000, 0x1000), Some(0x4000));
        assert!(bindings.meets(0x3fff..0x4000) && !bindings.meets(0x4000..0x6000) && bindings.meets(0..u64::MAX));
        let bound = Bound { address: 0x3000, drc: 1, block: 1, size: 0x1000 };
        assert_eq!((bindings.around(0x3fff), bindings.around(0x4000)), (Some(bound), None));
        bindings.unbind(0x2000);
        assert_eq!((bindings.address(1, 0), bindings.address(1, 1)), (None, Some(0x3000)));
        assert!(!bindings.any_bound(1, 0..1) && bindings.any_bound(1, 0..2));
    }
}
