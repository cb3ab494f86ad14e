//! Sections: instruction sequences that stand for one privileged instruction, as data.
//!
//! Every section runs with `critical` equal to r1, so that the host holds interrupts off, and leaves with `critical`
//! equal to r2, which a kernel keeps different from r1. It uses r30, r31 and, where it decides something, CR; it saves
//! them in the scratch fields and restores them before the last store. LR, CTR and XER are never touched. The slow
//! path restores everything and then executes the instruction itself, which traps.

use super::place::{CRITICAL, INT_PENDING, MSR as PAGE_MSR, SCRATCH1, SCRATCH2, SCRATCH3};
use super::{Build, Place, branch};

/// A register operand of the instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operand {
    /// RS. For `wrteei 1`, the constant that it stands for.
    Rs,
    /// RB.
    Rb,
}

/// One word of a section.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Slot {
    /// This word.
    Word(u32),
    /// A load of a register from the page.
    Load(u32, Place),
    /// A store of a register to the page.
    Store(u32, Place),
    /// A comparison of two whole registers into CR0.
    Compare(u32, u32),
    /// A copy of an operand of the instruction into a register. r30 and r31 are found where they were saved.
    Copy(u32, Operand),
    /// The instruction itself.
    Original,
    /// A branch to what follows the instruction.
    Return,
}

/// A run of words.
pub type Part = &'static [Slot];

/// A section: runs of words, one after the other.
#[derive(Debug, PartialEq)]
pub struct Section {
    /// Letter in the interface's description.
    pub letter: char,
    /// Its runs.
    pub parts: &'static [Part],
}

impl Section {
    /// Number of words.
    pub fn word_count(&self) -> usize {
        self.parts.iter().map(|part| part.len()).sum()
    }

    /// The words of a copy at `at` for the instruction `word` at `site`; `None` for one whose branch back does not
    /// reach.
    pub fn words(&self, word: u32, site: u64, at: u64, build: Build) -> impl Iterator<Item = Option<u32>> + use<'_> {
        let slots = self.parts.iter().flat_map(|part| part.iter());
        slots.enumerate().map(move |(index, slot)| {
            Some(match *slot {
                Slot::Word(word) => word,
                Slot::Load(rt, place) => place.load(rt, build),
                Slot::Store(rs, place) => place.store(rs, build),
                Slot::Compare(a, b) => 0x7c00_0000 | (build.wide() as u32) << 21 | a << 16 | b << 11,
                Slot::Copy(into, operand) => copy(into, operand, word, build),
                Slot::Original => word,
                Slot::Return => branch(at.wrapping_add(4 * index as u64), site.wrapping_add(4), build)?,
            })
        })
    }
}

/// The word that brings an operand of the instruction `word` into register `into`.
fn copy(into: u32, operand: Operand, word: u32, build: Build) -> u32 {
    const WRTEEI: u32 = 0x7c00_0146;
    let from = match operand {
        Operand::Rs if word & !EE_BIT == WRTEEI => return li(into, word & EE_BIT),
        Operand::Rs => word >> 21 & 31,
        Operand::Rb => word >> 11 & 31,
    };
    match from {
        30 => SCRATCH2.load(into, build),
        31 => SCRATCH1.load(into, build),
        _ => ori(into, from, 0),
    }
}

/// `MSR[EE]`, which is also the E field of `wrteei`.
const EE_BIT: u32 = 0x8000;
/// `MSR[EE]` and `MSR[RI]`.
const EE_RI_BITS: u32 = 0x8002;
/// `MSR[IR]` and `MSR[DR]`.
const IR_DR_BITS: u32 = 0x30;

const fn d_form(opcode: u32, rs: u32, ra: u32, immediate: u32) -> u32 {
    opcode << 26 | rs << 21 | ra << 16 | immediate
}

const fn li(rt: u32, immediate: u32) -> u32 {
    d_form(14, rt, 0, immediate)
}

const fn ori(ra: u32, rs: u32, immediate: u32) -> u32 {
    d_form(24, rs, ra, immediate)
}

const fn xori(ra: u32, rs: u32, immediate: u32) -> u32 {
    d_form(26, rs, ra, immediate)
}

/// `andi.`
const fn andi(ra: u32, rs: u32, immediate: u32) -> u32 {
    d_form(28, rs, ra, immediate)
}

const fn xor(ra: u32, rs: u32, rb: u32) -> u32 {
    d_form(31, rs, ra, rb << 11 | 316 << 1)
}

/// `rlwimi ra,rs,0,bit,bit`: copies one bit of the low word and leaves all others.
const fn insert(ra: u32, rs: u32, bit: u32) -> u32 {
    d_form(20, rs, ra, bit << 6 | bit << 1)
}

/// `rlwinm`.
const fn rlwinm(ra: u32, rs: u32, shift: u32, first: u32, last: u32) -> u32 {
    d_form(21, rs, ra, shift << 11 | first << 6 | last << 1)
}

/// `beq` over `words` words.
const fn beq(words: u32) -> u32 {
    d_form(16, 12, 2, (words + 1) * 4)
}

/// `bne` over `words` words.
const fn bne(words: u32) -> u32 {
    d_form(16, 4, 2, (words + 1) * 4)
}

const SAVE: Part = &[
    Slot::Store(1, CRITICAL),
    Slot::Store(31, SCRATCH1),
    Slot::Store(30, SCRATCH2),
    Slot::Word(0x7fe0_0026), // mfcr r31
    Slot::Store(31, SCRATCH3),
];

const RESTORE: Part = &[
    Slot::Load(31, SCRATCH1),
    Slot::Load(30, SCRATCH3),
    Slot::Word(0x7fcf_f120), // mtcr r30
    Slot::Load(30, SCRATCH2),
    Slot::Store(2, CRITICAL),
];

const SLOW: Part = &[Slot::Original, Slot::Return];
const FAST: Part = &[Slot::Return];
/// Words from RESTORE of the slow path to that of the fast path.
const SLOW_WORDS: u32 = (RESTORE.len() + SLOW.len()) as u32;

/// Goes the slow way if EE in r30 is one and an interrupt waits: the trap lets it in.
const LOOK: Part = &[
    Slot::Load(31, INT_PENDING),
    Slot::Word(0x2c1f_0000), // cmpwi r31,0
    Slot::Word(beq(2 + SLOW_WORDS)),
    Slot::Word(andi(30, 30, EE_BIT)),
    Slot::Word(beq(SLOW_WORDS)),
];

/// `mtmsrd rS,1`: EE and RI from rS.
pub static EE_RI: Section = Section {
    letter: 'A',
    parts: &[
        SAVE,
        &[
            Slot::Copy(30, Operand::Rs),
            Slot::Load(31, PAGE_MSR),
            Slot::Word(insert(31, 30, 16)),
            Slot::Word(insert(31, 30, 30)),
            Slot::Store(31, PAGE_MSR),
        ],
        LOOK,
        RESTORE,
        SLOW,
        RESTORE,
        FAST,
    ],
};

/// `mtmsr rS`, `mtmsrd rS,0`: fast if EE and RI are all that changes. For `mtmsr` too the whole register counts: a
/// caller whose upper half differs goes the slow way, which leaves that half alone.
pub static MSR: Section = Section {
    letter: 'B',
    parts: &[
        SAVE,
        &[
            Slot::Copy(30, Operand::Rs),
            Slot::Load(31, PAGE_MSR),
            Slot::Word(xor(31, 31, 30)),
            Slot::Word(andi(30, 31, EE_RI_BITS)),
            Slot::Compare(31, 30),
            Slot::Word(bne(3 + LOOK.len() as u32)),
            Slot::Load(30, PAGE_MSR),
            Slot::Word(xor(30, 30, 31)),
            Slot::Store(30, PAGE_MSR),
        ],
        LOOK,
        RESTORE,
        SLOW,
        RESTORE,
        FAST,
    ],
};

/// `wrtee rS`, `wrteei 1`: EE.
pub static EE: Section = Section {
    letter: 'C',
    parts: &[
        SAVE,
        &[
            Slot::Copy(30, Operand::Rs),
            Slot::Load(31, PAGE_MSR),
            Slot::Word(insert(31, 30, 16)),
            Slot::Store(31, PAGE_MSR),
        ],
        LOOK,
        RESTORE,
        SLOW,
        RESTORE,
        FAST,
    ],
};

/// `wrteei 0`: EE cleared, which no interrupt can wait for. One register does, and no comparison.
pub static NO_EE: Section = Section {
    letter: 'D',
    parts: &[&[
        Slot::Store(1, CRITICAL),
        Slot::Store(31, SCRATCH1),
        Slot::Load(31, PAGE_MSR),
        Slot::Word(ori(31, 31, EE_BIT)),
        Slot::Word(xori(31, 31, EE_BIT)),
        Slot::Store(31, PAGE_MSR),
        Slot::Load(31, SCRATCH1),
        Slot::Store(2, CRITICAL),
        Slot::Return,
    ]],
};

/// `mtsrin rS,rB`: a segment register, in the page while relocation is off; with relocation on the host must see it.
pub static SEGMENT: Section = Section {
    letter: 'E',
    parts: &[
        SAVE,
        &[
            Slot::Load(31, PAGE_MSR),
            Slot::Word(andi(31, 31, IR_DR_BITS)),
            Slot::Word(bne(4 + RESTORE.len() as u32 + FAST.len() as u32)),
            Slot::Copy(30, Operand::Rb),
            Slot::Word(rlwinm(30, 30, 6, 26, 29)),
            Slot::Copy(31, Operand::Rs),
            Slot::Word(d_form(36, 31, 30, 0xf068)), // stw r31,sr(r30)
        ],
        RESTORE,
        FAST,
        RESTORE,
        SLOW,
    ],
};
