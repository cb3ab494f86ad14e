//! BookE: the software-managed TLB of Freescale cores: TLB0 (4 KiB pages, set-associative), TLB1 (variable pages).
//!
//! MMU architecture version 1 of the e500 core complex (e500 Core Family Reference Manual, chapter 12) and the e5500:
//! entries go in and out through the MMU assist registers, whose layouts the entries keep. Real addresses have 36 bits.
//! A page is of one byte order (the E attribute): an access in the other is a byte-ordering fault, upon which engines try
//! again in the page's order.

use ppc_isa::Cpu;

use crate::access::{Access, Mapping};
use crate::fault::{BYTE_ORDER, Fault, PROTECTION};
use crate::invalidation::{Flush, Invalidation};

/// Fields of the MMU assist registers (e500 Core Family Reference Manual, section 12.7.1).
pub mod mas {
    /// MAS0: array, 1 = TLB1.
    pub const TLBSEL: u32 = 1 << 28;
    /// MAS1: the entry is valid.
    pub const VALID: u32 = 1 << 31;
    /// MAS1: invalidations leave the entry alone (TLB1).
    pub const IPROT: u32 = 1 << 30;
    /// MAS1: address space.
    pub const TS: u32 = 1 << 12;
    /// MAS1, MAS4: log4 of the page size in KiB.
    pub const TSIZE: u32 = 0xf00;
    /// MAS2: the page is little-endian.
    pub const LITTLE: u64 = 0x01;
    /// MAS2: storage attributes; MAS4 has their defaults in the same bits.
    pub const ATTRIBUTES: u64 = 0x7f;
    /// MAS2: write through required, caching inhibited.
    pub const UNCACHED: u64 = 0x18;
    /// MAS3: bits for software.
    pub const USER_BITS: u32 = 0x3c0;
    /// MAS4: which PID new entries are for; 3 = none.
    pub const TIDSELD: u32 = 3 << 16;
    /// MAS6: address space to search.
    pub const SAS: u32 = 1;
    /// MAS6: the second PID to search for, of which no model makes use.
    pub const SPID1: u32 = 0x7ffe;
    /// MAS7: upper bits of the real page number.
    pub const RPN_HIGH: u32 = 0xf;
}

#[cfg(test)]
mod tests;

const WAYS: usize = 4;
const SETS: usize = 128;
/// Entries of the largest TLB1.
const ONE_MAX: usize = 64;

/// The MMU assist registers as numbers; they live in the shared page.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Assist {
    /// Entry select and replacement.
    pub mas0: u32,
    /// Context and size.
    pub mas1: u32,
    /// Effective page number and attributes.
    pub mas2: u64,
    /// Lower real page number and permissions.
    pub mas3: u32,
    /// Defaults for misses.
    pub mas4: u32,
    /// What a search looks for.
    pub mas6: u32,
    /// Upper real page number.
    pub mas7: u32,
}

/// One TLB entry, in the layout of the assist registers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
struct Entry {
    mas1: u32,
    mas3: u32,
    mas2: u64,
    mas7: u32,
}

impl Entry {
    fn valid(&self) -> bool {
        self.mas1 & mas::VALID != 0
    }

    /// log2 of the page size: 4 KiB to 4 GiB, in steps of four.
    fn shift(&self) -> u32 {
        10 + 2 * ((self.mas1 & mas::TSIZE) >> 8).clamp(1, 11)
    }

    fn tid(&self) -> u32 {
        self.mas1 >> 16 & 0x3fff
    }

    fn space(&self) -> bool {
        self.mas1 & mas::TS != 0
    }

    fn covers(&self, ea: u64) -> bool {
        self.valid() && (self.mas2 ^ ea) >> self.shift() == 0
    }

    fn matches(&self, ea: u64, space: bool, pids: &[u32]) -> bool {
        self.covers(ea) && self.space() == space && (self.tid() == 0 || pids.contains(&self.tid()))
    }

    fn mapping(&self, ea: u64, problem: bool) -> Mapping {
        let offset = (1u64 << self.shift()) - 1;
        let page = u64::from(self.mas7) << 32 | u64::from(self.mas3 & !0xfff);
        // UX SX UW SW UR SR, from bit 5 down.
        let may = |bit: u32| self.mas3 >> (bit + u32::from(problem)) & 1 != 0;
        Mapping {
            real: page & !offset | ea & offset,
            shift: self.shift(),
            read: may(0),
            write: may(2),
            execute: may(4),
            uncached: self.mas2 & mas::UNCACHED != 0,
        }
    }

    fn page(&self) -> Invalidation {
        Invalidation::Page { address: self.mas2 & !0xfff, shift: self.shift() }
    }
}

/// The TLB arrays of a core.
#[derive(Clone, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct Tlb {
    zero: [Entry; WAYS * SETS],
    one: [Entry; ONE_MAX],
    one_len: u8,
    /// The way of TLB0 to be replaced next.
    next_victim: u8,
    sixty_four: bool,
}

impl Tlb {
    /// Empty arrays of `cpu`.
    pub fn new(cpu: Cpu) -> Tlb {
        Tlb {
            zero: [Entry::default(); WAYS * SETS],
            one: [Entry::default(); ONE_MAX],
            one_len: if cpu == Cpu::E500v2 { 16 } else { 64 },
            next_victim: 0,
            sixty_four: cpu.sixty_four(),
        }
    }

    /// Widest PID.
    pub fn pid_mask(&self) -> u32 {
        if self.sixty_four { 0x3fff } else { 0xff }
    }

    /// The configuration registers MMUCFG, TLB0CFG and TLB1CFG (EREF, section 6.5): no hypervisor, version 1.
    pub fn configuration(&self) -> [u32; 3] {
        // MMUCFG: bits of a real address, number of PIDs, width of a PID less one, arrays less one.
        let common = 1 << 2;
        let mmucfg = if self.sixty_four { 36 << 17 | 1 << 11 | 13 << 6 } else { 3 << 11 | 7 << 6 };
        // Ways, smallest and largest page, protection, variable size, entries.
        let array =
            |ways: u32, largest: u32, flags: u32, entries: u32| ways << 24 | 1 << 20 | largest << 16 | flags | entries;
        let one = u32::from(self.one_len);
        [common | mmucfg, array(WAYS as u32, 1, 0, (WAYS * SETS) as u32), array(one, 11, 0xc000, one)]
    }

    fn set_of(ea: u64) -> usize {
        (ea >> 12) as usize & (SETS - 1)
    }

    fn ways(&self, ea: u64) -> &[Entry] {
        let first = Tlb::set_of(ea) * WAYS;
        self.zero.get(first..first + WAYS).unwrap_or(&[])
    }

    fn first_array(&self) -> &[Entry] {
        self.one.get(..usize::from(self.one_len)).unwrap_or(&[])
    }

    fn entry(&self, assist: &Assist) -> Option<&Entry> {
        let select = (assist.mas0 >> 16) as usize;
        if assist.mas0 & mas::TLBSEL != 0 {
            self.first_array().get(select & (usize::from(self.one_len) - 1))
        } else {
            self.ways(assist.mas2).get(select & (WAYS - 1))
        }
    }

    /// Array (TLB1?), index in MAS0 and contents of the entry for an address.
    fn find(&self, ea: u64, space: bool, pids: &[u32]) -> Option<(bool, usize, Entry)> {
        let search = |entries: &[Entry], one: bool| {
            let mut indexed = entries.iter().enumerate();
            indexed.find(|(_, entry)| entry.matches(ea, space, pids)).map(|(index, entry)| (one, index, *entry))
        };
        search(self.ways(ea), false).or_else(|| search(self.first_array(), true))
    }

    /// tlbwe: writes the entry that MAS0 and MAS2 name, and returns what was mapped by it before.
    pub fn write(&mut self, assist: &Assist) -> Option<Invalidation> {
        let one = assist.mas0 & mas::TLBSEL != 0;
        let width = if self.sixty_four { u64::MAX } else { 0xffff_ffff };
        let tid = assist.mas1 & self.pid_mask() << 16;
        let context = assist.mas1 & (mas::VALID | mas::TS) | tid;
        let entry = Entry {
            // TLB0 has neither protection nor page sizes.
            mas1: if one { context | assist.mas1 & (mas::IPROT | mas::TSIZE) } else { context | 1 << 8 },
            mas3: assist.mas3 & !0xc00,
            mas2: assist.mas2 & width & (!0xfff | mas::ATTRIBUTES),
            mas7: assist.mas7 & mas::RPN_HIGH,
        };
        let select = (assist.mas0 >> 16) as usize;
        let slot = if one {
            self.one.get_mut(select & (usize::from(self.one_len) - 1))?
        } else {
            self.next_victim = (assist.mas0 & 3) as u8;
            self.zero.get_mut(Tlb::set_of(entry.mas2) * WAYS + (select & (WAYS - 1)))?
        };
        let old = std::mem::replace(slot, entry);
        old.valid().then(|| old.page())
    }

    /// tlbre: reads the entry that MAS0 and MAS2 name.
    pub fn read(&self, assist: &mut Assist) {
        if let Some(&entry) = self.entry(assist) {
            let nv = self.nv(0);
            assist.mas0 = assist.mas0 & !3 | nv;
            entry.load(assist);
        }
    }

    /// tlbsx: looks `ea` up as MAS6 says; MAS1 tells whether it was found.
    pub fn search(&self, assist: &mut Assist, ea: u64) {
        let tid = assist.mas6 >> 16 & self.pid_mask();
        let space = assist.mas6 & mas::SAS != 0;
        match self.find(ea, space, &[tid]) {
            Some((one, index, entry)) => {
                let array = if one { mas::TLBSEL } else { 0 };
                assist.mas0 = array | (index as u32) << 16 | self.nv(0);
                entry.load(assist);
            }
            None => {
                self.defaults(assist, ea);
                assist.mas1 = tid << 16 | assist.mas4 & mas::TSIZE | if space { mas::TS } else { 0 };
            }
        }
    }

    /// What a TLB error interrupt leaves in the assist registers: an entry to be completed and written.
    pub fn missed(&self, assist: &mut Assist, pids: [u32; 3], space: bool, ea: u64) {
        self.defaults(assist, ea);
        let chosen = (assist.mas4 & mas::TIDSELD) >> 16;
        let tid = pids.get(chosen as usize).copied().unwrap_or(0);
        let ts = if space { mas::TS } else { 0 };
        assist.mas1 = mas::VALID | tid << 16 | assist.mas4 & mas::TSIZE | ts;
        assist.mas6 = assist.mas6 & mas::SPID1 | pids[0] << 16 | if space { mas::SAS } else { 0 };
    }

    /// MAS0, MAS2, MAS3 and MAS7 for an address that was not found.
    fn defaults(&self, assist: &mut Assist, ea: u64) {
        let array = assist.mas4 & mas::TLBSEL;
        let victim = if array == 0 { u32::from(self.next_victim) << 16 | self.nv(1) } else { 0 };
        assist.mas0 = array | victim;
        assist.mas2 = ea & !0xfff | u64::from(assist.mas4) & mas::ATTRIBUTES;
        assist.mas3 &= mas::USER_BITS;
        assist.mas7 = 0;
    }

    fn nv(&self, ahead: u32) -> u32 {
        (u32::from(self.next_victim) + ahead) & (WAYS as u32 - 1)
    }

    /// Invalidates what `what` names but for protected entries, and returns what was mapped by it.
    pub fn flush(&mut self, what: Flush) -> Option<Invalidation> {
        let arrays = [(false, self.zero.as_mut_slice()), (true, self.one.as_mut_slice())];
        let mut gone = None;
        for (one, array) in arrays {
            let named = |entry: &Entry| match what {
                Flush::Array { one: wanted } => wanted == one,
                Flush::Address { one: wanted, ea } => wanted == one && entry.covers(ea),
                Flush::All => true,
                Flush::Process { tid } => entry.tid() == tid,
                Flush::Virtual { tid, space, ea } => entry.tid() == tid && entry.space() == space && entry.covers(ea),
            };
            let open = |entry: &Entry| entry.valid() && entry.mas1 & mas::IPROT == 0;
            for entry in array.iter_mut().filter(|entry| open(entry) && named(entry)) {
                entry.mas1 &= !mas::VALID;
                let page = entry.page();
                gone = Some(if gone.is_none_or(|gone| gone == page) { page } else { Invalidation::All });
            }
        }
        gone
    }
}

impl Entry {
    fn load(&self, assist: &mut Assist) {
        assist.mas1 = self.mas1;
        assist.mas2 = self.mas2;
        assist.mas3 = self.mas3;
        assist.mas7 = self.mas7;
    }
}

/// Translates `ea` in address space `as_one` for one of the process identifiers `pids`, on a page of that byte order.
///
/// # Errors
/// A miss, or the storage fault of an entry that forbids the access.
pub fn translate(
    problem: bool,
    tlb: &Tlb,
    pids: [u32; 3],
    as_one: bool,
    little: bool,
    ea: u64,
    access: Access,
) -> Result<Mapping, Fault> {
    let (_, _, entry) = tlb.find(ea, as_one, &pids).ok_or(Fault::TlbMiss)?;
    if (entry.mas2 & mas::LITTLE != 0) != little {
        return Err(Fault::Storage(BYTE_ORDER));
    }
    let mapping = entry.mapping(ea, problem);
    let allowed = match access {
        Access::Fetch => mapping.execute,
        Access::Load => mapping.read,
        Access::Store => mapping.write,
    };
    if allowed { Ok(mapping) } else { Err(Fault::Storage(PROTECTION)) }
}
