//! Hashed page table translation (Power ISA Book III, section 5.7.9), with the table owned by the machine.
//!
//! Entries have the layout of Power ISA 2.07, which the PAPR calls use on every CPU. The table is not guest memory.

use crate::access::{Access, Mapping};
use crate::fault::{Fault, KEY, NO_EXECUTE, NO_PTE, PROTECTION};
use crate::slb::{Entry, Slb};
use crate::space::Space;
use crate::table::{GROUP, HashTable};

/// V word: valid.
pub const V_VALID: u64 = 1;
/// V word: found by the secondary hash.
pub const V_SECONDARY: u64 = 2;
/// V word: large page.
pub const V_LARGE: u64 = 4;
/// V word: abbreviated virtual page number with the segment size.
pub const V_AVPN: u64 = 0xffff_ffff_ffff_ff80;
/// R word: reference.
pub const R_REFERENCE: u64 = 0x100;
/// R word: change.
pub const R_CHANGE: u64 = 0x80;
/// R word: no-execute.
pub const R_NO_EXECUTE: u64 = 4;
/// V word: the guest wants the entry to stay. A bit of its own that hypervisors know.
pub const V_BOLTED: u64 = 0x10;
/// R word: write through required, caching inhibited.
const R_UNCACHED: u64 = 0x60;
/// R word: guarded.
pub const R_GUARDED: u64 = 8;
/// R word: real page number with the size code in its low bits.
pub const R_RPN: u64 = 0x0fff_ffff_ffff_f000;

/// A page size as an entry names it: for a segment with pages of `1 << base` bytes, one of `1 << actual`.
struct Size {
    base: u32,
    actual: u32,
    /// L in the V word.
    large: bool,
    /// Low RPN bits of the R word: value and mask. All of them are the code's where the page has that many.
    code: u64,
    mask: u64,
}

/// The sizes published in `ibm,segment-page-sizes`, and larger pages in segments of smaller ones. No two are alike.
#[rustfmt::skip]
const SIZES: [Size; 6] = [
    Size { base: 12, actual: 12, large: false, code: 0,       mask: 0 },
    Size { base: 16, actual: 16, large: true,  code: 0x1000,  mask: 0xf000 },
    Size { base: 24, actual: 24, large: true,  code: 0,       mask: 0xf_f000 },
    Size { base: 12, actual: 16, large: true,  code: 0x7000,  mask: 0xf000 },
    Size { base: 12, actual: 24, large: true,  code: 0x3_8000, mask: 0xf_f000 },
    Size { base: 16, actual: 24, large: true,  code: 0x8000,  mask: 0xf_f000 },
];

/// L and LP in the VSID word of a segment, and log2 of its page size.
const SEGMENT_SIZES: [(u64, u32); 3] = [(0x000, 12), (0x110, 16), (0x100, 24)];

/// log2 of base and actual page size of an entry, if the encoding is one of ours.
pub fn sizes(v: u64, r: u64) -> Option<(u32, u32)> {
    let large = v & V_LARGE != 0;
    let size = SIZES.iter().find(|size| size.large == large && r & size.mask == size.code)?;
    Some((size.base, size.actual))
}

/// log2 of the actual page size of an entry in a segment of base size `base`, if the encoding is one of ours.
fn actual_shift(base: u32, v: u64, r: u64) -> Option<u32> {
    sizes(v, r).filter(|sizes| sizes.0 == base).map(|sizes| sizes.1)
}

/// What an entry and its place tell of the page that it maps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Where it begins in its segment.
    pub address: u64,
    /// What its group follows from; the group of the secondary hash, if the entry says so.
    pub hash: u64,
    /// log2 of its bytes.
    pub shift: u32,
}

impl Place {
    /// That of an entry with these words in group `group` of so many, a power of two from 2^11 on: AVPN holds the
    /// virtual address from bit 23 on, the hash the bits below that pages of the base size differ in (spec papr 4.2).
    /// `None` if it has a page size that is not ours.
    pub fn of(v: u64, r: u64, group: u64, groups: u64) -> Option<Place> {
        let (base, shift) = sizes(v, r)?;
        let avpn = (v & V_AVPN & (u64::MAX >> 2)) >> 7;
        let wide = v >> 62 == 1;
        let (vsid, offset) = if wide { (avpn >> 17, avpn & 0x1_ffff) } else { (avpn >> 5, avpn & 0x1f) };
        let vsid_hash = if wide { vsid ^ vsid << 25 } else { vsid };
        let secondary = v & V_SECONDARY != 0;
        let group = if secondary { !group } else { group };
        let low = if base < 23 { ((group ^ vsid_hash) & (groups - 1)) << base & 0x7f_ffff } else { 0 };
        let address = offset << 23 | low;
        let hash = vsid_hash ^ address >> base;
        Some(Place { address, hash: if secondary { !hash } else { hash }, shift })
    }
}

/// A virtual page within its segment.
struct Virtual {
    vsid: u64,
    segment_shift: u32,
    base_shift: u32,
    /// Page index within the segment in units of the base size.
    page: u64,
    /// What the AVPN field of an entry must hold, with B.
    avpn: u64,
}

impl Virtual {
    fn new(entry: Entry, ea: u64) -> Option<Virtual> {
        let (_, base_shift) = *SEGMENT_SIZES.iter().find(|size| size.0 == entry.base_size())?;
        let segment_shift = entry.segment_shift();
        let vsid = entry.vsid_number();
        let offset = ea & ((1 << segment_shift) - 1);
        // AVPN is the virtual address above its low 23 bits; B above it.
        let b = u64::from(segment_shift == 40) << 62;
        let avpn = b | (((vsid << (segment_shift - 23)) | (offset >> 23)) << 7);
        Some(Virtual { vsid, segment_shift, base_shift, page: offset >> base_shift, avpn })
    }

    fn hash(&self) -> u64 {
        match self.segment_shift {
            40 => self.vsid ^ (self.vsid << 25) ^ self.page,
            _ => self.vsid ^ self.page,
        }
    }

    /// AVPN bits that an entry with a page of `1 << actual` bytes compares.
    fn compared(actual: u32) -> u64 {
        V_AVPN & !((1u64 << (actual.max(23) - 23 + 7)) - 1)
    }
}

/// `no_execute` says whether the no-execute bits of segment and entry count.
pub(crate) fn translate(
    space: &Space,
    table: &HashTable,
    slb: &Slb,
    no_execute: bool,
    ea: u64,
    access: Access,
) -> Result<Mapping, Fault> {
    let segment = slb.find(ea).ok_or(Fault::Segment)?;
    let segment_no_execute = no_execute && segment.no_execute();
    if access == Access::Fetch && segment_no_execute {
        return Err(Fault::Storage(NO_EXECUTE));
    }
    let page = Virtual::new(segment, ea).ok_or(Fault::Storage(NO_PTE))?;
    let (index, r, shift) = find(table, &page).ok_or(Fault::Storage(NO_PTE))?;

    let pp = (r >> 61) & 4 | r & 3;
    let key = segment.key(space.problem);
    // Power ISA Book III, figure 32: storage protection by key and PP.
    let (read, write) = match (key, pp) {
        (false, 0..=2) => (true, true),
        (false, 3 | 6) | (true, 1 | 3) => (true, false),
        (true, 2) => (true, true),
        _ => (false, false),
    };
    let class = ((r >> 57) & 0x18 | (r >> 9) & 7) as u32;
    let forbidding = if no_execute { R_NO_EXECUTE | R_GUARDED } else { R_GUARDED };
    let execute = r & forbidding == 0 && !segment_no_execute;
    let allows = |access| match access {
        Access::Fetch => execute && read,
        Access::Load => read,
        Access::Store => write,
    };
    if access == Access::Fetch && !execute {
        return Err(Fault::Storage(NO_EXECUTE));
    }
    if !allows(access) {
        return Err(Fault::Storage(PROTECTION));
    }
    if space.keys.forbids(class, access) {
        return Err(Fault::Storage(KEY));
    }
    let bits = if access == Access::Store { R_REFERENCE | R_CHANGE } else { R_REFERENCE };
    if r & bits != bits {
        table.note(index, bits);
    }
    let offset = (1u64 << shift) - 1;
    let changed = (r | bits) & R_CHANGE != 0;
    Ok(Mapping {
        real: (r & R_RPN & !offset) | (ea & offset),
        // Protection and keys are per page, but the no-execute bit of the segment is not: a page never leaves it.
        shift: shift.min(page.segment_shift),
        read: read && !space.keys.forbids(class, Access::Load),
        write: write && changed && !space.keys.forbids(class, Access::Store),
        execute: execute && read && !space.keys.forbids(class, Access::Fetch),
        uncached: r & R_UNCACHED != 0,
    })
}

/// Index, R word and log2 of the actual size of the entry that maps `page`.
fn find(table: &HashTable, page: &Virtual) -> Option<(u64, u64, u32)> {
    let hash = page.hash();
    for (hash, secondary) in [(hash, 0), (!hash, V_SECONDARY)] {
        let group = (hash & table.group_mask()) * GROUP;
        for index in group..group + GROUP {
            let (v, r) = table.read(index)?;
            if v & (V_VALID | V_SECONDARY) != V_VALID | secondary {
                continue;
            }
            let Some(shift) = actual_shift(page.base_shift, v, r) else { continue };
            if (v ^ page.avpn) & Virtual::compared(shift) == 0 {
                return Some((index, r, shift));
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_tells_the_hash_for_tables_of_any_size() {
        // Segment word, address in the segment, V and R bits of its page size.
        let cases = [
            (0x12_3456 << 12, 0x0abc_d000, 0, 0),
            (0x12_3456 << 12 | 0x110, 0x0abc_0000, V_LARGE, 0x1000),
            (0x12_3456 << 12 | 0x100, 0x0b00_0000, V_LARGE, 0),
            (1 << 62 | 0x12_3456 << 24, 0x9a_0abc_d000, 0, 0),
            (1 << 62 | 0x12_3456 << 24 | 0x110, 0x9a_0abc_0000, V_LARGE, 0x1000),
            (1 << 62 | 0x12_3456 << 24 | 0x100, 0x9a_0b00_0000, V_LARGE, 0),
        ];
        for (vsid, address, v, r) in cases {
            let page = Virtual::new(Entry { esid: 0, vsid }, address).unwrap();
            for (hash, secondary) in [(page.hash(), 0), (!page.hash(), V_SECONDARY)] {
                for groups in [1 << 11, 1 << 18, 1 << 30] {
                    let place = Place::of(page.avpn | v | secondary, r, hash & (groups - 1), groups).unwrap();
                    assert_eq!((place.address, place.hash), (address, hash), "{vsid:#x} {groups:#x}");
                }
            }
        }
    }

    #[test]
    fn page_sizes_are_told_by_both_words() {
        assert_eq!(sizes(0, 0x1_0000_7000), Some((12, 12)));
        assert_eq!(sizes(V_LARGE, 0x1_0000_1000), Some((16, 16)));
        assert_eq!(sizes(V_LARGE, 0x1_0003_8000), Some((12, 24)));
        assert_eq!(sizes(V_LARGE, 0x1_0000_8000), Some((16, 24)));
        assert_eq!(sizes(V_LARGE, 0x1_0000_0000), Some((24, 24)));
        for r in [0x2000, 0x1_0000, 0xf_f000, 0x9000] {
            assert_eq!(sizes(V_LARGE, r), None, "{r:#x}");
        }
    }
}
