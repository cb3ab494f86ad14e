//! Book3S-32: block address translation, segment registers, hashed page table in guest memory (PowerPC Microprocessor
//! Family: The Programming Environments for 32-Bit Microprocessors, chapter 7).

mod tlb;

use guest_mem::{GuestMem, Order};

use crate::access::{Access, Mapping};
use crate::fault::{DIRECT_STORE, Fault, NO_EXECUTE, NO_PTE, PROTECTION};

pub use tlb::Tlb;

/// Block address translation registers: four pairs for each kind of access, eight with the second set switched on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Bats {
    /// Instruction BATs: upper and lower word.
    pub instruction: [[u32; 2]; 8],
    /// Data BATs.
    pub data: [[u32; 2]; 8],
    /// Pairs 4 to 7 translate too (`HID0[HIGH_BAT_EN]` of later 745x processors).
    pub extended: bool,
}

/// The sixteen segment registers.
pub type Segments = [u32; 16];

/// Upper BAT word: valid in privileged state.
const BAT_VS: u32 = 2;
/// Upper BAT word: valid in problem state.
const BAT_VP: u32 = 1;
/// Upper BAT word: block length, a mask for address bits 4 to 14.
const BAT_BL: u32 = 0x1ffc;
/// Block number in both BAT words.
const BAT_BLOCK: u32 = 0xfffe_0000;

/// Segment register: direct-store segment.
const SR_T: u32 = 0x8000_0000;
/// Segment register: key of privileged accesses.
pub const SR_KS: u32 = 0x4000_0000;
/// Segment register: key of problem state accesses.
pub const SR_KP: u32 = 0x2000_0000;
/// Segment register: no execute.
const SR_N: u32 = 0x1000_0000;
/// Segment register: virtual segment identifier.
pub const SR_VSID: u32 = 0x00ff_ffff;

/// First word of a page table entry: valid.
pub const PTE_V: u32 = 0x8000_0000;
/// First word: found by the secondary hash.
const PTE_H: u32 = 0x40;
/// Second word: referenced.
const PTE_R: u32 = 0x100;
/// Second word: changed.
const PTE_C: u32 = 0x80;
/// Write through required or caching inhibited, in the second word of a page table entry and of a BAT.
const UNCACHED: u32 = 0x60;
/// Guarded, in the second word of a page table entry and of a BAT.
const GUARDED: u32 = 0x08;

/// Entries of a group.
const GROUP: u64 = 8;

/// What key and PP bits allow: loads, stores.
fn page_protection(key: bool, pp: u32) -> (bool, bool) {
    match (key, pp & 3) {
        (false, 3) | (true, 1 | 3) => (true, false),
        (true, 0) => (false, false),
        _ => (true, true),
    }
}

/// A mapping with these rights, or the fault of an access that they forbid.
fn allowed(mapping: Mapping, guarded_or_no_execute: bool, access: Access) -> Result<Mapping, Fault> {
    let right = match access {
        Access::Fetch if guarded_or_no_execute => return Err(Fault::Storage(NO_EXECUTE)),
        Access::Fetch | Access::Load => mapping.read,
        Access::Store => mapping.write,
    };
    if right { Ok(mapping) } else { Err(Fault::Storage(PROTECTION)) }
}

/// How pages are found.
#[derive(Clone, Copy)]
pub struct Pages<'a> {
    /// The segment registers.
    pub segments: &'a Segments,
    /// What software put there is found first.
    pub tlb: &'a Tlb,
    /// Place and size of the page table; `None` when software searches it.
    pub sdr1: Option<u32>,
}

/// Translates `ea` in problem state or not, by the BATs, then by segment and page table.
///
/// # Errors
/// The storage fault that the access causes, or a miss that software is to search for.
pub fn translate(
    mem: &GuestMem,
    problem: bool,
    bats: &Bats,
    pages: Pages,
    ea: u64,
    access: Access,
) -> Result<Mapping, Fault> {
    let ea = ea as u32;
    match block(bats, problem, ea, access) {
        Some(block) => block,
        None => page(mem, problem, pages, ea, access),
    }
}

/// Block address translation: the first pair that matches decides (chapter 7.4).
fn block(bats: &Bats, problem: bool, ea: u32, access: Access) -> Option<Result<Mapping, Fault>> {
    let pairs = if access == Access::Fetch { &bats.instruction } else { &bats.data };
    let valid = if problem { BAT_VP } else { BAT_VS };
    let in_use = if bats.extended { 8 } else { 4 };
    pairs.iter().take(in_use).find_map(|&[upper, lower]| {
        let length = (upper & BAT_BL) << 15;
        let matches = upper & valid != 0 && (upper ^ ea) & BAT_BLOCK & !length == 0;
        matches.then(|| {
            let real = lower & BAT_BLOCK | ea & (length | !BAT_BLOCK);
            let pp = lower & 3;
            let execute = pp != 0 && lower & GUARDED == 0;
            let uncached = lower & UNCACHED != 0;
            let mapping = Mapping { real: real.into(), shift: 17, read: pp != 0, write: pp == 2, execute, uncached };
            allowed(mapping, lower & GUARDED != 0, access)
        })
    })
}

/// Segment and page address translation (chapters 7.5 and 7.6).
fn page(mem: &GuestMem, problem: bool, pages: Pages, ea: u32, access: Access) -> Result<Mapping, Fault> {
    let segment = pages.segments.get(ea as usize >> 28).copied().unwrap_or(0);
    if access == Access::Fetch && segment & (SR_T | SR_N) != 0 {
        return Err(Fault::Storage(NO_EXECUTE));
    }
    if segment & SR_T != 0 {
        return Err(Fault::Storage(DIRECT_STORE));
    }
    let vsid = segment & SR_VSID;
    let (address, mut entry) = match (pages.tlb.find(access, vsid, ea), pages.sdr1) {
        (Some((_, entry)), _) => (None, entry),
        (None, None) => return Err(Fault::TlbMiss),
        (None, Some(sdr1)) => {
            let (address, entry) = find(mem, vsid, sdr1, ea).ok_or(Fault::Storage(NO_PTE))?;
            (Some(address), entry)
        }
    };

    // The search sets R before protection is looked at. Hardware writes single bytes of the entry.
    if let Some(address) = address
        && entry & PTE_R == 0
    {
        entry |= PTE_R;
        mem.store(address + 6, Order::Big, (entry >> 8) as u8);
    }
    let key = segment & if problem { SR_KP } else { SR_KS } != 0;
    let (read, write) = page_protection(key, entry);
    let no_execute = entry & GUARDED != 0 || segment & SR_N != 0;
    let real = u64::from(entry & 0xffff_f000 | ea & 0xfff);
    let (execute, uncached) = (read && !no_execute, entry & UNCACHED != 0);
    let mapping = Mapping { real, shift: 12, read, write, execute, uncached };
    let mut mapping = allowed(mapping, no_execute, access)?;
    if access == Access::Store && entry & PTE_C == 0 {
        let address = address.ok_or(Fault::TlbMiss)?;
        entry |= PTE_C;
        mem.store(address + 7, Order::Big, entry as u8);
    }
    // Stores go through the table until C is set.
    mapping.write = write && entry & PTE_C != 0;
    Ok(mapping)
}

/// Real addresses of the two groups where the entry for `ea` in segment `vsid` may be.
pub fn groups(sdr1: u32, vsid: u32, ea: u32) -> [u64; 2] {
    let hash = vsid & 0x7_ffff ^ ea >> 12 & 0xffff;
    [group(sdr1, hash), group(sdr1, !hash)]
}

/// Real address and second word of the entry that maps `ea` in segment `vsid`.
fn find(mem: &GuestMem, vsid: u32, sdr1: u32, ea: u32) -> Option<(u64, u32)> {
    let wanted = PTE_V | vsid << 7 | ea >> 22 & 0x3f;
    groups(sdr1, vsid, ea).into_iter().zip([wanted, wanted | PTE_H]).find_map(|(first, wanted)| {
        let address = (0..GROUP).map(|n| first + 8 * n).find(|&at| mem.load(at, Order::Big) == Some(wanted))?;
        Some((address, mem.load(address + 4, Order::Big)?))
    })
}

/// Real address of the group that `hash` selects: the top bits of the table's address stay, the middle ones may be
/// lengthened by the mask, the low ten bits of the hash always count (chapter 7.6.1.2).
fn group(sdr1: u32, hash: u32) -> u64 {
    let middle = (hash >> 10 & sdr1 & 0x1ff) << 16;
    u64::from(sdr1 & 0xffff_0000 | middle | (hash & 0x3ff) << 6)
}

#[cfg(test)]
mod tests;
