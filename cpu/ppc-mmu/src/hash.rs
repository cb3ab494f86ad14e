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
/// R word: write through required, caching inhibited.
const R_UNCACHED: u64 = 0x60;
/// R word: guarded.
pub const R_GUARDED: u64 = 8;
/// R word: real page number with the size code in its low bits.
pub const R_RPN: u64 = 0x0fff_ffff_ffff_f000;

/// A base page size, how the SLB names it, and how an entry names an actual size.
struct Size {
    shift: u32,
    /// L and LP in the VSID word.
    slb: u64,
    /// Low RPN bits of the R word (value and mask) for an actual page of the same size.
    code: u64,
    mask: u64,
}

/// Sizes published in `ibm,segment-page-sizes`: 4 KiB, 64 KiB (code 1) and 16 MiB (code 0).
const SIZES: [Size; 3] = [
    Size { shift: 12, slb: 0x000, code: 0, mask: 0 },
    Size { shift: 16, slb: 0x110, code: 0x1000, mask: 0xf000 },
    Size { shift: 24, slb: 0x100, code: 0, mask: 0xf000 },
];

/// Actual page sizes allowed in a segment with a smaller base page size: base shift, actual shift, code, mask.
const MIXED: [(u32, u32, u64, u64); 3] =
    [(12, 16, 0x7000, 0xf000), (12, 24, 0x38000, 0xff000), (16, 24, 0x8000, 0xf000)];

/// log2 of the actual page size of an entry in a segment of base size `base`, if the encoding is one of ours.
pub fn actual_shift(base: u32, v: u64, r: u64) -> Option<u32> {
    if v & V_LARGE == 0 {
        return (base == 12).then_some(12);
    }
    if let Some(&(_, actual, ..)) = MIXED.iter().find(|m| m.0 == base && r & m.3 == m.2) {
        return Some(actual);
    }
    SIZES.iter().find(|s| s.shift == base && base > 12 && r & s.mask == s.code).map(|s| s.shift)
}

/// The largest actual page size that an entry may have whatever its segment's base size is; for invalidations.
pub fn largest_shift(v: u64, r: u64) -> u32 {
    [24, 16, 12].into_iter().filter_map(|base| actual_shift(base, v, r)).max().unwrap_or(12)
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
        let base_shift = SIZES.iter().find(|s| s.slb == entry.base_size())?.shift;
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
