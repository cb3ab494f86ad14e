//! The rewrites: which privileged instruction becomes which access to the magic page.
//!
//! One table, [`ROWS`], used by the guest that patches its code, by the host that recognises and counts patched code,
//! and by whoever must know which register lives where in the page. Contract: data and pure functions on instruction
//! words in the processor's order; nothing here reads or writes code. Most rows are one word in place of one word; the
//! others are a branch to a copy of a [`Section`].
//!
//! The page must be mapped at [`PAGE`], so that a displacement from "register 0" reaches it.

mod section;
mod table;

pub use section::{Operand, Part, Section, Slot};
pub use table::ROWS;

use crate::magic::offset;

/// Effective address of the page, as a displacement from zero: -4096.
pub const PAGE: i16 = -4096;

/// `nop`.
pub const NOP: u32 = 0x6000_0000;
/// The RT or RS field of an instruction word.
const RT: u32 = 0x03e0_0000;
/// The RB field.
const RB: u32 = 0x0000_f800;

/// What a kernel is built for; decides which rows apply and how wide a register is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Build {
    /// 32-bit Book3S (G3, G4).
    Book3s32,
    /// 64-bit Book3S (POWER).
    Book3s64,
    /// 32-bit BookE (e500v2).
    BookE32,
    /// 64-bit BookE (e5500).
    BookE64,
}

impl Build {
    /// All.
    pub const ALL: [Build; 4] = [Build::Book3s32, Build::Book3s64, Build::BookE32, Build::BookE64];

    /// Whether registers have 64 bits.
    pub const fn wide(self) -> bool {
        matches!(self, Build::Book3s64 | Build::BookE64)
    }

    const fn bit(self) -> u8 {
        1 << self as u8
    }
}

/// A set of builds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Builds(u8);

impl Builds {
    /// Every build.
    pub const ALL: Builds = Builds(0xf);
    /// Those of Book3S.
    pub const BOOK3S: Builds = Builds(Build::Book3s32.bit() | Build::Book3s64.bit());
    /// 32-bit Book3S alone.
    pub const BOOK3S_32: Builds = Builds(Build::Book3s32.bit());
    /// Those of BookE.
    pub const BOOKE: Builds = Builds(Build::BookE32.bit() | Build::BookE64.bit());

    /// Whether `build` is in the set.
    pub const fn has(self, build: Build) -> bool {
        self.0 & build.bit() != 0
    }
}

/// How a place of the page is accessed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Width {
    /// A register of 64 bits in memory. 32-bit kernels, which are big-endian, access its low word, 4 bytes further.
    Register,
    /// A word.
    Word,
    /// As wide as a register, at the same offset whatever the width: fields that only the guest uses.
    Scratch,
}

/// Where something lives in the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Byte offset of the field.
    pub offset: u16,
    /// How it is accessed.
    pub width: Width,
}

impl Place {
    const fn new(offset: usize, width: Width) -> Place {
        assert!(offset < 4096);
        Place { offset: offset as u16, width }
    }

    /// The displacement that reaches it.
    pub const fn displacement(self, build: Build) -> i16 {
        let low = if matches!(self.width, Width::Register) && !build.wide() { 4 } else { 0 };
        PAGE + self.offset as i16 + low
    }

    /// The word that loads it into register `rt`: `lwz` or `ld`.
    pub const fn load(self, rt: u32, build: Build) -> u32 {
        self.access(if self.doubleword(build) { 0xe800_0000 } else { 0x8000_0000 }, rt, build)
    }

    /// The word that stores register `rs` to it: `stw` or `std`.
    pub const fn store(self, rs: u32, build: Build) -> u32 {
        self.access(if self.doubleword(build) { 0xf800_0000 } else { 0x9000_0000 }, rs, build)
    }

    const fn doubleword(self, build: Build) -> bool {
        build.wide() && !matches!(self.width, Width::Word)
    }

    const fn access(self, opcode: u32, register: u32, build: Build) -> u32 {
        opcode | register << 21 | self.displacement(build) as u16 as u32
    }
}

/// What becomes of an instruction.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Action {
    /// A load into RT.
    Load(Place),
    /// A store from RS.
    Store(Place),
    /// Nothing at all.
    Nop,
    /// A branch to a copy of a section.
    Section(&'static Section),
}

/// One row of the table.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Row {
    /// Assembler's name of the instruction.
    pub name: &'static str,
    /// Builds that it applies to.
    pub builds: Builds,
    /// Page feature that it needs (`magic::FEATURE_*`), 0 for none.
    pub feature: u64,
    /// The word, operands zero.
    pub value: u32,
    /// Bits of a word that must be equal to `value`.
    pub mask: u32,
    /// What becomes of it.
    pub action: Action,
}

impl Row {
    /// Whether `word` is an instruction of this row.
    pub const fn matches(&self, word: u32) -> bool {
        word & self.mask == self.value
    }
}

/// What to put in place of an instruction.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Replacement {
    /// This word.
    Word(u32),
    /// A branch to a copy of this section.
    Section(&'static Section),
}

/// The row of `word` for `build`, whatever features it needs.
pub fn find(word: u32, build: Build) -> Option<&'static Row> {
    // All of them are primary opcode 31, but the table need not know.
    ROWS.iter().find(|row| row.matches(word) && row.builds.has(build))
}

/// What `word` becomes for `build` when the page has `features` (`magic::FEATURE_*`).
pub fn rewrite(word: u32, build: Build, features: u64) -> Option<Replacement> {
    let row = find(word, build).filter(|row| row.feature & !features == 0)?;
    let register = (word & RT) >> 21;
    Some(match row.action {
        Action::Load(place) => Replacement::Word(place.load(register, build)),
        Action::Store(place) => Replacement::Word(place.store(register, build)),
        Action::Nop => Replacement::Word(NOP),
        Action::Section(section) => Replacement::Section(section),
    })
}

/// Where special-purpose register `spr` lives in the page of `build`; `None` if it has no place there.
pub fn home(spr: u16, build: Build) -> Option<Place> {
    match find(table::mfspr(spr), build)?.action {
        Action::Load(place) => Some(place),
        _ => None,
    }
}

/// The row whose replacement `word` is, so that a host can count what patched code saves. A guest's own accesses to
/// the page look the same. Sections are no single word and not recognised, nor is `nop`.
pub fn patched(word: u32, build: Build) -> Option<&'static Row> {
    ROWS.iter().find(|row| {
        row.builds.has(build)
            && match row.action {
                Action::Load(place) => word & !RT == place.load(0, build),
                Action::Store(place) => word & !RT == place.store(0, build),
                Action::Nop | Action::Section(_) => false,
            }
    })
}

/// `b` from the instruction at `from` to `to`, both multiples of four; `None` beyond its reach of 32 MiB.
pub fn branch(from: u64, to: u64, build: Build) -> Option<u32> {
    let distance = to.wrapping_sub(from);
    let distance = if build.wide() { distance as i64 } else { i64::from(distance as i32) };
    let reach = -0x0200_0000..0x0200_0000;
    (reach.contains(&distance) && distance & 3 == 0).then_some(0x4800_0000 | distance as u32 & 0x03ff_fffc)
}

/// Places that sections use and no instruction names.
mod place {
    use super::{Place, Width, offset};

    pub const SCRATCH1: Place = Place::new(0x00, Width::Scratch);
    pub const SCRATCH2: Place = Place::new(0x08, Width::Scratch);
    pub const SCRATCH3: Place = Place::new(0x10, Width::Word);
    pub const CRITICAL: Place = Place::new(offset::CRITICAL, Width::Register);
    pub const MSR: Place = Place::new(offset::MSR, Width::Register);
    pub const INT_PENDING: Place = Place::new(offset::INT_PENDING, Width::Word);
}

#[cfg(test)]
mod tests;
