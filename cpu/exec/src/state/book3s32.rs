//! Registers that only Book3S-32 has.

use ppc_isa::Cpu;
use ppc_isa::cpu::{CLASSIC, Models};
use ppc_isa::spr::book3s32 as spr;
use ppc_mmu::book3s32::{Bats, PTE_V, SR_VSID, Segments, Tlb, groups};

/// Registers of Book3S-32 besides those of every family. The segment registers live in the shared page; `segments`
/// is what translation uses, taken from there when relocation changes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Book3s32 {
    /// Block address translation.
    pub bats: Bats,
    /// Segment registers in force.
    pub segments: Segments,
    /// SDR1: where the hashed page table is.
    pub sdr1: u32,
    /// What software put into the TLBs (603, 7450).
    pub tlb: Tlb,
    /// What the last data access and the last fetch that missed in the TLBs looked for (603).
    pub misses: [Miss; 2],
    /// `HASH1` and `HASH2` of the last of both (603).
    pub hashes: [u32; 2],
    /// r0 to r3 that are not in use: with `MSR[TGPR]` those of other programs, else those of TLB miss handlers (603).
    temporary: [u64; 4],
    /// `MSR[TGPR]` in effect.
    temporary_in_use: bool,
    /// The decrementer passed below zero and its interrupt was not taken yet.
    pub decrementer_latched: bool,
    /// Implementation registers that are kept and do nothing, in the order of [`KEPT`].
    kept: [u32; KEPT.len()],
}

/// What an access that missed looked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Miss {
    /// `DMISS` or `IMISS`: its address.
    pub address: u32,
    /// `DCMP` or `ICMP`: the first word of the page table entry.
    pub compare: u32,
}

/// Registers of a software table search on 603, by the names of its manual (section 2.1.2).
pub mod search {
    /// Data TLB miss address.
    pub const DMISS: u16 = 976;
    /// Data TLB compare.
    pub const DCMP: u16 = 977;
    /// Primary hash address.
    pub const HASH1: u16 = 978;
    /// Secondary hash address.
    pub const HASH2: u16 = 979;
    /// Instruction TLB miss address; another register on 7450.
    pub const IMISS: u16 = 980;
    /// Instruction TLB compare; another register on 7450.
    pub const ICMP: u16 = 981;
    /// Required physical address, the second word of an entry; `PTELO` on 7450.
    pub const RPA: u16 = 982;
}

/// An implementation register that keeps what is written to it.
struct Kept {
    number: u16,
    models: Models,
    /// Bits that read as zero: commands that are done at once, and status that never comes.
    zero: u32,
}

const fn kept(number: u16, models: Models, zero: u32) -> Kept {
    Kept { number, models, zero }
}

const G4: Models = Models::of(&[Cpu::Ppc7400, Cpu::Ppc7450]);
const THERMAL: Models = Models::of(&[Cpu::Ppc750, Cpu::Ppc7400]);
const LATE: Models = Models::of(&[Cpu::Ppc7450]);
const SEARCHING: Models = Models::of(&[Cpu::Ppc603, Cpu::Ppc7450]);

/// Flash invalidation of both caches is over at once.
const HID0_INVALIDATE: u32 = 0x0c00;
/// Global invalidation is over at once (the command bit of 7450 says so itself), and none is in progress.
const L2CR_INVALIDATE: u32 = 0x0020_0001;
/// The same for the level 3 cache.
const L3CR_INVALIDATE: u32 = 0x0000_0400;
/// The thermal sensor never reports.
const THRM_STATUS: u32 = 0xc000_0000;

/// HID0 bit of later 745x processors: BATs 4 to 7 translate.
const HID0_HIGH_BAT_EN: u32 = 0x0080_0000;

const KEPT: [Kept; 19] = [
    kept(spr::HID0, CLASSIC, HID0_INVALIDATE),
    kept(spr::HID1, CLASSIC, 0),
    kept(spr::EAR, CLASSIC, 0),
    kept(spr::IABR, CLASSIC, 0),
    kept(spr::DABR, CLASSIC, 0),
    kept(spr::L2CR, CLASSIC, L2CR_INVALIDATE),
    kept(spr::ICTC, CLASSIC, 0),
    kept(spr::MSSCR0, G4, 0),
    kept(spr::MSSSR0, G4, 0),
    kept(spr::BAMR, G4, 0),
    kept(spr::THRM1, THERMAL, THRM_STATUS),
    kept(spr::THRM2, THERMAL, THRM_STATUS),
    kept(spr::THRM3, THERMAL, 0),
    kept(spr::ICTRL, LATE, 0),
    kept(spr::LDSTCR, LATE, 0),
    kept(spr::L3CR, LATE, L3CR_INVALIDATE),
    kept(spr::TLBMISS, LATE, 0),
    kept(spr::PTEHI, LATE, 0),
    kept(spr::PTELO, SEARCHING, 0),
];

fn position(cpu: Cpu, number: u16) -> Option<usize> {
    KEPT.iter().position(|row| row.number == number && row.models.contains(cpu))
}

impl Book3s32 {
    /// SDR1, if the processor searches the page table: a 603 leaves that to software where there is none, as with Linux;
    /// where there is one it finds at once what handlers of misses would find.
    pub fn table(&self, cpu: Cpu) -> Option<u32> {
        (cpu != Cpu::Ppc603 || self.sdr1 != 0).then_some(self.sdr1)
    }

    /// Notes that nothing was found for `ea`, and returns the segment register of that.
    pub fn missed(&mut self, fetch: bool, ea: u32) -> u32 {
        let segment = self.segments.get(ea as usize >> 28).copied().unwrap_or(0);
        let vsid = segment & SR_VSID;
        if let Some(miss) = self.misses.get_mut(usize::from(fetch)) {
            *miss = Miss { address: ea, compare: PTE_V | vsid << 7 | ea >> 22 & 0x3f };
        }
        self.hashes = groups(self.sdr1, vsid, ea).map(|group| group as u32);
        segment
    }

    /// A register of the software table search that cannot be written (603).
    pub fn searched(&self, number: u16) -> Option<u32> {
        let ([data, instruction], [primary, secondary]) = (self.misses, self.hashes);
        Some(match number {
            search::DMISS => data.address,
            search::DCMP => data.compare,
            search::HASH1 => primary,
            search::HASH2 => secondary,
            search::IMISS => instruction.address,
            search::ICMP => instruction.compare,
            _ => return None,
        })
    }

    /// Puts `MSR[TGPR]` into effect: r0 to r3 are those of TLB miss handlers, or not.
    pub fn use_temporary(&mut self, on: bool, gpr: &mut [u64; 32]) {
        if self.temporary_in_use != on {
            self.temporary_in_use = on;
            gpr.iter_mut().zip(&mut self.temporary).for_each(|(register, other)| std::mem::swap(register, other));
        }
    }

    /// What an implementation register of `cpu` holds; `None` when it has no such register.
    pub fn kept(&self, cpu: Cpu, number: u16) -> Option<u32> {
        self.kept.get(position(cpu, number)?).copied()
    }

    /// Writes an implementation register; one that `cpu` does not have takes nothing.
    pub fn keep(&mut self, cpu: Cpu, number: u16, value: u32) {
        if let Some(index) = position(cpu, number)
            && let (Some(slot), Some(row)) = (self.kept.get_mut(index), KEPT.get(index))
        {
            *slot = value & !row.zero;
        }
        if number == spr::HID0 {
            self.bats.extended = LATE.contains(cpu) && value & HID0_HIGH_BAT_EN != 0;
        }
    }

    /// Where BAT register `number` of `cpu` is: whether of data, pair, word. Pairs 4 to 7 have numbers of their own.
    fn place(cpu: Cpu, number: u16) -> Option<(bool, usize, usize)> {
        let (index, first) = match number {
            spr::IBAT0U..=spr::DBAT3L => (usize::from(number - spr::IBAT0U), 0),
            spr::IBAT4U..=spr::DBAT7L if LATE.contains(cpu) => (usize::from(number - spr::IBAT4U), 4),
            _ => return None,
        };
        Some((index >= 8, first + (index >> 1 & 3), index & 1))
    }

    /// BAT register `number`, if `cpu` has it.
    pub fn bat(&self, cpu: Cpu, number: u16) -> Option<u32> {
        let (data, pair, word) = Self::place(cpu, number)?;
        let pairs = if data { &self.bats.data } else { &self.bats.instruction };
        pairs.get(pair)?.get(word).copied()
    }

    /// Writes BAT register `number`; `false` if `cpu` does not have it.
    pub fn set_bat(&mut self, cpu: Cpu, number: u16, value: u32) -> bool {
        let Some((data, pair, word)) = Self::place(cpu, number) else { return false };
        let pairs = if data { &mut self.bats.data } else { &mut self.bats.instruction };
        if let Some(slot) = pairs.get_mut(pair).and_then(|pair| pair.get_mut(word)) {
            *slot = value;
        }
        true
    }
}
