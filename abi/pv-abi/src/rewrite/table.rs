//! The rows. The words follow from the instruction formats of the Power ISA; the tests have them spelt out.

use super::section::{EE, EE_RI, MSR, NO_EE, SEGMENT};
use super::{Action, Builds, Place, RB, RT, Row, Width, place};
use crate::magic::{FEATURE_MAS0_TO_SPRG7, FEATURE_SR, offset};

const NONE: u64 = 0;
const EXTRA: u64 = FEATURE_MAS0_TO_SPRG7;

/// Every rewrite.
#[rustfmt::skip]
pub static ROWS: &[Row] = &[
    Row { name: "mfmsr", builds: Builds::ALL, feature: NONE, value: 0x7c00_00a6, mask: !RT, action: Action::Load(place::MSR) },
    mf("mfsprg0", 272, Builds::ALL, NONE, register(offset::SPRG0)),        mt("mtsprg0", 272, Builds::ALL, NONE, register(offset::SPRG0)),
    mf("mfsprg1", 273, Builds::ALL, NONE, register(offset::SPRG0 + 8)),    mt("mtsprg1", 273, Builds::ALL, NONE, register(offset::SPRG0 + 8)),
    mf("mfsprg2", 274, Builds::ALL, NONE, register(offset::SPRG0 + 16)),   mt("mtsprg2", 274, Builds::ALL, NONE, register(offset::SPRG0 + 16)),
    mf("mfsprg3", 275, Builds::ALL, NONE, register(offset::SPRG0 + 24)),   mt("mtsprg3", 275, Builds::ALL, NONE, register(offset::SPRG0 + 24)),
    mf("mfsrr0",   26, Builds::ALL, NONE, register(offset::SRR0)),         mt("mtsrr0",   26, Builds::ALL, NONE, register(offset::SRR0)),
    mf("mfsrr1",   27, Builds::ALL, NONE, register(offset::SRR1)),         mt("mtsrr1",   27, Builds::ALL, NONE, register(offset::SRR1)),
    mf("mfdar",    19, Builds::BOOK3S, NONE, register(offset::DAR)),       mt("mtdar",    19, Builds::BOOK3S, NONE, register(offset::DAR)),
    mf("mfdear",   61, Builds::BOOKE, NONE, register(offset::DAR)),        mt("mtdear",   61, Builds::BOOKE, NONE, register(offset::DAR)),
    mf("mfdsisr",  18, Builds::ALL, NONE, word(offset::DSISR)),            mt("mtdsisr",  18, Builds::ALL, NONE, word(offset::DSISR)),
    mf("mfmas0",  624, Builds::BOOKE, EXTRA, word(0xa8)),                  mt("mtmas0",  624, Builds::BOOKE, EXTRA, word(0xa8)),
    mf("mfmas1",  625, Builds::BOOKE, EXTRA, word(0xac)),                  mt("mtmas1",  625, Builds::BOOKE, EXTRA, word(0xac)),
    mf("mfmas2",  626, Builds::BOOKE, EXTRA, register(0xb8)),              mt("mtmas2",  626, Builds::BOOKE, EXTRA, register(0xb8)),
    mf("mfmas3",  627, Builds::BOOKE, EXTRA, word(0xb4)),                  mt("mtmas3",  627, Builds::BOOKE, EXTRA, word(0xb4)),
    mf("mfmas4",  628, Builds::BOOKE, EXTRA, word(0xc0)),                  mt("mtmas4",  628, Builds::BOOKE, EXTRA, word(0xc0)),
    mf("mfmas6",  630, Builds::BOOKE, EXTRA, word(0xc4)),                  mt("mtmas6",  630, Builds::BOOKE, EXTRA, word(0xc4)),
    mf("mfmas7",  944, Builds::BOOKE, EXTRA, word(0xb0)),                  mt("mtmas7",  944, Builds::BOOKE, EXTRA, word(0xb0)),
    mf("mfsprg4", 276, Builds::ALL, EXTRA, register(offset::SPRG4)),       mt("mtsprg4", 276, Builds::ALL, EXTRA, register(offset::SPRG4)),
    mf("mfsprg5", 277, Builds::ALL, EXTRA, register(offset::SPRG4 + 8)),   mt("mtsprg5", 277, Builds::ALL, EXTRA, register(offset::SPRG4 + 8)),
    mf("mfsprg6", 278, Builds::ALL, EXTRA, register(offset::SPRG4 + 16)),  mt("mtsprg6", 278, Builds::ALL, EXTRA, register(offset::SPRG4 + 16)),
    mf("mfsprg7", 279, Builds::ALL, EXTRA, register(offset::SPRG4 + 24)),  mt("mtsprg7", 279, Builds::ALL, EXTRA, register(offset::SPRG4 + 24)),
    mf("mfsprg4r", 260, Builds::BOOKE, EXTRA, register(offset::SPRG4)),
    mf("mfsprg5r", 261, Builds::BOOKE, EXTRA, register(offset::SPRG4 + 8)),
    mf("mfsprg6r", 262, Builds::BOOKE, EXTRA, register(offset::SPRG4 + 16)),
    mf("mfsprg7r", 263, Builds::BOOKE, EXTRA, register(offset::SPRG4 + 24)),
    mf("mfesr",    62, Builds::BOOKE, EXTRA, word(0xc8)),                  mt("mtesr",    62, Builds::BOOKE, EXTRA, word(0xc8)),
    mf("mfpir",  1023, Builds::BOOK3S, EXTRA, word(offset::PIR)),
    mf("mfpir",   286, Builds::BOOKE, EXTRA, word(offset::PIR)),
    Row { name: "tlbsync", builds: Builds::ALL, feature: NONE, value: 0x7c00_046c, mask: !RT, action: Action::Nop },
    section("mtmsrd L=1", 0x7c01_0164, !RT, Builds::ALL, NONE, &EE_RI),
    section("mtmsrd L=0", 0x7c00_0164, !RT, Builds::ALL, NONE, &MSR),
    section("mtmsr",      0x7c00_0124, !RT, Builds::ALL, NONE, &MSR),
    section("wrtee",      0x7c00_0106, !RT, Builds::BOOKE, NONE, &EE),
    section("wrteei 1",   0x7c00_8146, !0,  Builds::BOOKE, NONE, &EE),
    section("wrteei 0",   0x7c00_0146, !0,  Builds::BOOKE, NONE, &NO_EE),
    section("mtsrin",     0x7c00_01e4, !(RT | RB), Builds::BOOK3S_32, FEATURE_SR, &SEGMENT),
];

const fn register(offset: usize) -> Place {
    Place::new(offset, Width::Register)
}

const fn word(offset: usize) -> Place {
    Place::new(offset, Width::Word)
}

/// `mfspr r0,spr`: the number's halves stand exchanged in the word.
pub const fn mfspr(spr: u16) -> u32 {
    0x7c00_02a6 | (spr as u32 & 0x1f) << 16 | (spr as u32 & 0x3e0) << 6
}

const fn mtspr(spr: u16) -> u32 {
    mfspr(spr) | 0x100
}

const fn mf(name: &'static str, spr: u16, builds: Builds, feature: u64, place: Place) -> Row {
    Row { name, builds, feature, value: mfspr(spr), mask: !RT, action: Action::Load(place) }
}

const fn mt(name: &'static str, spr: u16, builds: Builds, feature: u64, place: Place) -> Row {
    Row { name, builds, feature, value: mtspr(spr), mask: !RT, action: Action::Store(place) }
}

const fn section(
    name: &'static str,
    value: u32,
    mask: u32,
    builds: Builds,
    feature: u64,
    section: &'static super::Section,
) -> Row {
    Row { name, builds, feature, value, mask, action: Action::Section(section) }
}
