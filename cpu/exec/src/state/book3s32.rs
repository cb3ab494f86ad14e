//! Registers that only Book3S-32 has.

use ppc_isa::Cpu;
use ppc_isa::cpu::{CLASSIC, Models};
use ppc_isa::spr::book3s32 as spr;
use ppc_mmu::book3s32::{Bats, Segments};

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
    /// The decrementer passed below zero and its interrupt was not taken yet.
    pub decrementer_latched: bool,
    /// Implementation registers that are kept and do nothing, in the order of [`KEPT`].
    kept: [u32; KEPT.len()],
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
    kept(spr::PTELO, LATE, 0),
];

fn position(cpu: Cpu, number: u16) -> Option<usize> {
    KEPT.iter().position(|row| row.number == number && row.models.contains(cpu))
}

impl Book3s32 {
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
