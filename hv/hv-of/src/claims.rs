//! Which memory is taken: ranges of real addresses, in order, touching ones joined.

use std::ops::Range;

/// Ranges that there may be; what would make more fails.
pub const MOST: usize = 1024;
/// Memory that cells of 32 bits reach.
const REACH: u64 = 1 << 32;

/// What is taken of memory from address 0 on.
#[derive(Clone, Debug)]
pub struct Claims {
    memory: u64,
    taken: Vec<Range<u64>>,
}

impl Claims {
    /// Nothing is taken of `memory` bytes.
    pub fn new(memory: u64) -> Claims {
        Claims { memory, taken: Vec::new() }
    }

    /// Takes `range`, whether others have parts of it or not. Empty ranges are nothing.
    pub fn reserve(&mut self, range: Range<u64>) {
        if range.is_empty() {
            return;
        }
        let touching = |other: &Range<u64>| other.start <= range.end && range.start <= other.end;
        let joined = self.taken.iter().filter(|other| touching(other));
        let joined = joined.fold(range.clone(), |a, b| a.start.min(b.start)..a.end.max(b.end));
        self.taken.retain(|other| !touching(other));
        let at = self.taken.partition_point(|other| other.start < joined.start);
        self.taken.insert(at, joined);
    }

    /// Takes `size` bytes at `address`; `false` when they are not all free memory.
    pub fn take(&mut self, address: u64, size: u64) -> bool {
        let Some(end) = address.checked_add(size).filter(|end| size > 0 && *end <= self.memory.min(REACH)) else {
            return false;
        };
        let free = self.is_free(address, end) && self.taken.len() < MOST;
        if free {
            self.reserve(address..end);
        }
        free
    }

    /// Takes `size` bytes at the lowest address that is a multiple of `align`, a power of two; `None` when there is none.
    pub fn find(&mut self, size: u64, align: u64) -> Option<u64> {
        let starts = self.free().filter_map(|free| free.start.checked_next_multiple_of(align.max(1)));
        let ends = |start: &u64| start.checked_add(size).filter(|end| *end <= self.memory);
        let start = starts.into_iter().find(|start| ends(start).is_some_and(|end| self.is_free(*start, end)))?;
        self.take(start, size).then_some(start)
    }

    fn is_free(&self, start: u64, end: u64) -> bool {
        self.taken.iter().all(|other| other.end <= start || end <= other.start)
    }

    /// Gives back what is taken of `size` bytes at `address`.
    pub fn release(&mut self, address: u64, size: u64) {
        let end = address.saturating_add(size);
        let keep = |range: &Range<u64>| [range.start..range.end.min(address), range.start.max(end)..range.end];
        let kept: Vec<_> = self.taken.iter().flat_map(keep).filter(|range| !range.is_empty()).collect();
        if kept.len() <= MOST {
            self.taken = kept;
        }
    }

    /// What is free, in order.
    pub fn free(&self) -> impl Iterator<Item = Range<u64>> {
        let starts = std::iter::once(0).chain(self.taken.iter().map(|range| range.end));
        let ends = self.taken.iter().map(|range| range.start).chain(std::iter::once(self.memory));
        starts.zip(ends).map(|(start, end)| start..end).filter(|range| !range.is_empty())
    }
}
