//! What a segment lookaside buffer translates, as numbers that come back with its entries.
//!
//! A kernel fills the buffer anew for each process that it switches to, in whatever order and places, and changes nothing
//! of what it maps for itself. So what is remembered of addresses goes by what the buffer holds, not by how often it was
//! written.

use std::hash::BuildHasher;

use ppc_mmu::slb::{Entry, Slb};

use crate::cache::Mixing;

/// Sums of hashes of the valid entries. A guest that makes different ones alike confuses itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Segments {
    /// Of quadrant 3, where kernels are.
    pub kernel: u64,
    /// Of the other quadrants.
    pub others: u64,
}

impl Segments {
    /// Those of `slb`.
    pub fn of(slb: &Slb) -> Segments {
        let mut sums = Segments::default();
        let valid = || slb.entries.iter().filter(|entry| entry.valid());
        for (number, entry) in valid().enumerate() {
            // Of several entries for an address the first one counts: then places matter.
            if valid().take(number).any(|other| overlap(entry, other)) {
                return Segments { kernel: !slb.generation, others: !slb.generation };
            }
            let sum = if entry.esid >> 62 == 3 { &mut sums.kernel } else { &mut sums.others };
            *sum = sum.wrapping_add(Mixing::default().hash_one((entry.esid, entry.vsid)));
        }
        sums
    }
}

fn overlap(one: &Entry, other: &Entry) -> bool {
    (one.esid ^ other.esid) >> one.segment_shift().max(other.segment_shift()) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    /// ESID word without an index, VSID word.
    const KERNEL: (u64, u64) = (0xc000_0000_0800_0000, 0x1234_5000);
    const PROGRAM: (u64, u64) = (0x1000_0000 | 1 << 27, 0x6789_a000);
    const STACK: (u64, u64) = (0x7fff_f000_0800_0000, 0x5555_5000);

    fn segments(entries: &[(u64, (u64, u64))]) -> Segments {
        let mut slb = Slb::default();
        for (index, (esid, vsid)) in entries {
            slb.write(esid | index, *vsid);
        }
        Segments::of(&slb)
    }

    #[test]
    fn order_and_places_do_not_matter_and_quadrants_are_apart() {
        let one = segments(&[(0, KERNEL), (1, PROGRAM), (2, STACK)]);
        assert_eq!(one, segments(&[(3, STACK), (0, KERNEL), (7, PROGRAM)]));
        let other = segments(&[(0, KERNEL), (1, STACK)]);
        assert_eq!(one.kernel, other.kernel);
        assert_ne!(one.others, other.others);
        assert_ne!(one, segments(&[(0, KERNEL), (1, (PROGRAM.0, PROGRAM.1 ^ 0x1000)), (2, STACK)]));
    }

    #[test]
    fn what_was_invalidated_is_not_there() {
        let mut slb = Slb::default();
        slb.write(KERNEL.0, KERNEL.1);
        let before = Segments::of(&slb);
        slb.write(PROGRAM.0 | 1, PROGRAM.1);
        assert_ne!(Segments::of(&slb), before);
        slb.invalidate(PROGRAM.0);
        assert_eq!(Segments::of(&slb), before);
    }

    #[test]
    fn places_matter_where_entries_overlap() {
        let other = (PROGRAM.0, PROGRAM.1 ^ 0x1000);
        assert_ne!(segments(&[(1, PROGRAM), (2, other)]), segments(&[(2, other), (1, PROGRAM), (1, PROGRAM)]));
    }
}
