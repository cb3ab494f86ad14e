//! The table against the interface's description, word by word.

extern crate std;

use std::collections::BTreeSet;
use std::vec::Vec;

use super::*;
use crate::magic::{FEATURE_MAS0_TO_SPRG7, FEATURE_SR};

const EVERY: u64 = FEATURE_SR | FEATURE_MAS0_TO_SPRG7;
const S32: &[Build] = &[Build::Book3s32];
const S: &[Build] = &[Build::Book3s32, Build::Book3s64];
const E: &[Build] = &[Build::BookE32, Build::BookE64];
const ALL: &[Build] = &Build::ALL;

/// Name, mfspr word, mtspr word (0: none), builds, feature, replacements' displacement for 64-bit and for 32-bit
/// kernels, and whether 64-bit kernels access a doubleword.
type Line = (&'static str, u32, u32, &'static [Build], u64, u32, u32, bool);

/// As the description has them (interface, table "From -> To", and the page's layout).
#[rustfmt::skip]
const DOCUMENTED: &[Line] = &[
    ("msr",    0x7c0000a6, 0,          ALL, 0, 0xf058, 0xf05c, true),
    ("sprg0",  0x7c1042a6, 0x7c1043a6, ALL, 0, 0xf020, 0xf024, true),
    ("sprg1",  0x7c1142a6, 0x7c1143a6, ALL, 0, 0xf028, 0xf02c, true),
    ("sprg2",  0x7c1242a6, 0x7c1243a6, ALL, 0, 0xf030, 0xf034, true),
    ("sprg3",  0x7c1342a6, 0x7c1343a6, ALL, 0, 0xf038, 0xf03c, true),
    ("srr0",   0x7c1a02a6, 0x7c1a03a6, ALL, 0, 0xf040, 0xf044, true),
    ("srr1",   0x7c1b02a6, 0x7c1b03a6, ALL, 0, 0xf048, 0xf04c, true),
    ("dar",    0x7c1302a6, 0x7c1303a6, S,   0, 0xf050, 0xf054, true),
    ("dear",   0x7c1d0aa6, 0x7c1d0ba6, E,   0, 0xf050, 0xf054, true),
    ("dsisr",  0x7c1202a6, 0x7c1203a6, ALL, 0, 0xf060, 0xf060, false),
    ("mas0",   0x7c109aa6, 0x7c109ba6, E,   2, 0xf0a8, 0xf0a8, false),
    ("mas1",   0x7c119aa6, 0x7c119ba6, E,   2, 0xf0ac, 0xf0ac, false),
    ("mas2",   0x7c129aa6, 0x7c129ba6, E,   2, 0xf0b8, 0xf0bc, true),
    ("mas3",   0x7c139aa6, 0x7c139ba6, E,   2, 0xf0b4, 0xf0b4, false),
    ("mas4",   0x7c149aa6, 0x7c149ba6, E,   2, 0xf0c0, 0xf0c0, false),
    ("mas6",   0x7c169aa6, 0x7c169ba6, E,   2, 0xf0c4, 0xf0c4, false),
    ("mas7",   0x7c10eaa6, 0x7c10eba6, E,   2, 0xf0b0, 0xf0b0, false),
    ("sprg4",  0x7c1442a6, 0x7c1443a6, ALL, 2, 0xf0d0, 0xf0d4, true),
    ("sprg5",  0x7c1542a6, 0x7c1543a6, ALL, 2, 0xf0d8, 0xf0dc, true),
    ("sprg6",  0x7c1642a6, 0x7c1643a6, ALL, 2, 0xf0e0, 0xf0e4, true),
    ("sprg7",  0x7c1742a6, 0x7c1743a6, ALL, 2, 0xf0e8, 0xf0ec, true),
    ("sprg4r", 0x7c0442a6, 0,          E,   2, 0xf0d0, 0xf0d4, true),
    ("sprg5r", 0x7c0542a6, 0,          E,   2, 0xf0d8, 0xf0dc, true),
    ("sprg6r", 0x7c0642a6, 0,          E,   2, 0xf0e0, 0xf0e4, true),
    ("sprg7r", 0x7c0742a6, 0,          E,   2, 0xf0e8, 0xf0ec, true),
    ("esr",    0x7c1e0aa6, 0x7c1e0ba6, E,   2, 0xf0c8, 0xf0c8, false),
    ("pir",    0x7c1ffaa6, 0,          S,   2, 0xf0cc, 0xf0cc, false),
    ("pir",    0x7c1e42a6, 0,          E,   2, 0xf0cc, 0xf0cc, false),
];

/// Word, builds, feature, section.
#[rustfmt::skip]
const SECTIONS: &[(u32, &[Build], u64, char)] = &[
    (0x7c010164, ALL, 0, 'A'),
    (0x7c000124, ALL, 0, 'B'),
    (0x7c000164, ALL, 0, 'B'),
    (0x7c000106, E,   0, 'C'),
    (0x7c0001e4, S32, 1, 'E'),
];

fn register(word: u32, register: u32) -> u32 {
    word | register << 21
}

#[test]
fn case_75_every_row_becomes_the_documented_word() {
    let mut seen = 0;
    for &(name, load, store, builds, _, wide, narrow, doubleword) in DOCUMENTED {
        seen += 1 + usize::from(store != 0);
        for build in Build::ALL {
            for r in [0, 5, 30, 31] {
                let (ld, st, at) = match build.wide() {
                    true if doubleword => (0xe800_0000, 0xf800_0000, wide),
                    true => (0x8000_0000, 0x9000_0000, wide),
                    false => (0x8000_0000, 0x9000_0000, narrow),
                };
                let expected = |op: u32| builds.contains(&build).then_some(Replacement::Word(register(op | at, r)));
                assert_eq!(rewrite(register(load, r), build, EVERY), expected(ld), "mf{name} {build:?}");
                if store != 0 {
                    assert_eq!(rewrite(register(store, r), build, EVERY), expected(st), "mt{name} {build:?}");
                }
            }
        }
    }
    let sections: Vec<_> = SECTIONS.iter().map(|line| (line.0, line.1, line.3)).collect();
    let exact = [(0x7c00_8146, E, 'C'), (0x7c00_0146, E, 'D')];
    for build in Build::ALL {
        for (word, builds, letter) in sections.iter().copied().chain(exact) {
            for r in if word & 0xfff == 0x146 { &[0][..] } else { &[0, 5, 30, 31] } {
                let found = match rewrite(register(word, *r), build, EVERY) {
                    Some(Replacement::Section(section)) => Some(section.letter),
                    Some(Replacement::Word(word)) => panic!("{word:08x} in place of a section"),
                    None => None,
                };
                assert_eq!(found, builds.contains(&build).then_some(letter), "{word:08x} {build:?}");
            }
        }
        assert_eq!(rewrite(0x7c00_046c, build, EVERY), Some(Replacement::Word(0x6000_0000)), "tlbsync");
    }
    assert_eq!(seen + SECTIONS.len() + exact.len() + 1, ROWS.len(), "the table has no row more");
}

#[test]
fn case_76_a_word_with_any_other_bit_changed_is_left() {
    for build in Build::ALL {
        let matched: BTreeSet<u32> = ROWS.iter().filter(|row| row.builds.has(build)).map(|row| row.value).collect();
        for row in ROWS.iter().filter(|row| row.builds.has(build)) {
            for bit in (0..32).map(|n| 1 << n) {
                let word = row.value ^ bit;
                let free = row.mask & bit == 0;
                // Some rows are one bit away from another: mtspr from mfspr, wrteei 0 from wrteei 1.
                assert_eq!(find(word, build).is_some(), free || matched.contains(&word), "{} {word:08x}", row.name);
                if free {
                    assert_eq!(find(word, build), Some(row));
                }
            }
        }
    }
    let free = |name: &str| ROWS.iter().find(|row| row.name == name).map(|row| !row.mask);
    assert_eq!(free("mfmsr"), Some(0x03e0_0000));
    assert_eq!(free("wrteei 1"), Some(0));
    assert_eq!(free("mtsrin"), Some(0x03e0_f800));
}

#[test]
fn case_77_rows_wait_for_their_feature() {
    for build in Build::ALL {
        for &(name, load, _, builds, feature, ..) in DOCUMENTED.iter().filter(|line| line.3.contains(&build)) {
            assert_eq!(rewrite(load, build, 0).is_some(), feature == 0, "{name} {builds:?}");
            assert_eq!(rewrite(load, build, FEATURE_SR).is_some(), feature == 0, "{name}");
            assert!(rewrite(load, build, feature).is_some(), "{name}");
        }
        assert_eq!(rewrite(0x7c00_01e4, build, FEATURE_MAS0_TO_SPRG7), None, "mtsrin without the sr array");
    }
    // The 64-bit kernel's mfpir shows as one of those with a feature.
    assert_eq!(rewrite(0x7c1f_faa6, Build::Book3s64, 0), None);
}

#[test]
fn what_stays_as_it_is() {
    // mtsr, mfsr, mfsrin, rfi, rfid, mtspr PIR, mfmas5, mfdec, tlbie, slbmte
    let words = [
        0x7c00_01a4,
        0x7c00_04a6,
        0x7c00_0526,
        0x4c00_0064,
        0x4c00_0024,
        0x7c1f_fba6,
        0x7c1e_43a6,
        0x7c15_9aa6,
        0x7c16_02a6,
        0x7c00_0264,
        0x7c00_0324,
    ];
    for build in Build::ALL {
        for word in words {
            assert_eq!(rewrite(word, build, EVERY), None, "{word:08x}");
        }
    }
}

#[test]
fn homes_and_patched_words_are_the_inverse() {
    assert_eq!(home(272, Build::Book3s32).map(|place| place.displacement(Build::Book3s32) as u16), Some(0xf024));
    assert_eq!(home(19, Build::BookE32), None);
    assert_eq!(home(22, Build::Book3s64), None, "the decrementer is not in the page");
    for build in Build::ALL {
        for row in ROWS.iter().filter(|row| row.builds.has(build)) {
            // mfspr has the halves of the number exchanged.
            let number = (row.value >> 16 & 0x1f | row.value >> 6 & 0x3e0) as u16;
            if let (Action::Load(place), true) = (row.action, row.value & 0x7ff == 0x2a6) {
                assert_eq!(home(number, build), Some(place), "{}", row.name);
            }
            let Some(Replacement::Word(word)) = rewrite(register(row.value, 7), build, EVERY) else { continue };
            let expected = (word != NOP).then_some(row.action);
            assert_eq!(patched(word, build).map(|row| row.action), expected, "{}", row.name);
        }
        assert_eq!(patched(0x3860_0000, build), None);
        assert_eq!(patched(0x8000_f064, build), None, "int_pending belongs to no instruction");
    }
}

#[test]
fn case_86_branches_reach_32_mib() {
    for build in Build::ALL {
        let b = |from: u64, to: u64| branch(from, to, build);
        assert_eq!(b(0x1000, 0x1000), Some(0x4800_0000));
        assert_eq!(b(0x1000, 0x1000 + 0x01ff_fffc), Some(0x49ff_fffc));
        assert_eq!(b(0x1000, 0x1000 + 0x0200_0000), None);
        assert_eq!(b(0x8000_0000, 0x8000_0000 - 0x0200_0000), Some(0x4a00_0000));
        assert_eq!(b(0x8000_0000, 0x8000_0000 - 0x0200_0004), None);
        assert_eq!(b(0x1000, 0x1002), None);
    }
    // Addresses wrap at the width of the machine.
    assert_eq!(branch(0xffff_fff0, 0x10, Build::Book3s32), Some(0x4800_0020));
    assert_eq!(branch(0xffff_fff0, 0x10, Build::Book3s64), None);
}

#[test]
fn sections_are_as_long_as_they_say_and_return_to_the_next_instruction() {
    for row in ROWS {
        let Action::Section(section) = row.action else { continue };
        for build in Build::ALL.into_iter().filter(|&build| row.builds.has(build)) {
            let (site, at) = (0x10_0000, 0x20_0000);
            let words: Vec<_> = section.words(row.value, site, at, build).map(Option::unwrap).collect();
            assert_eq!(words.len(), section.word_count());
            let returns = words.iter().enumerate().filter(|(_, word)| **word >> 26 == 18);
            for (index, word) in returns.clone() {
                let distance = ((word & 0x03ff_fffc) as i32) << 6 >> 6;
                assert_eq!(at as i32 + 4 * index as i32 + distance, site as i32 + 4);
            }
            assert_eq!(returns.count(), if section.letter == 'D' { 1 } else { 2 });
            let originals = words.iter().filter(|word| **word == row.value).count();
            assert_eq!(originals, usize::from(section.letter != 'D'), "{}", row.name);
        }
        assert_eq!(section.words(row.value, 0, 0x0400_0000, Build::BookE32).last(), Some(None), "out of reach");
    }
}
