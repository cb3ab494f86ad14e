//! The patcher on bytes: limits, what it leaves alone, and its report.

use pv_guest::code::{Bytes, Code, Region};
use pv_guest::patch::{Outcome, Patcher, Reason, Report, Trampoline};
use pv_guest::pv_abi::magic::{FEATURE_MAS0_TO_SPRG7, FEATURE_SR};
use pv_guest::pv_abi::rewrite::{Build, ROWS};

const EVERY: u64 = FEATURE_SR | FEATURE_MAS0_TO_SPRG7;
const MFMSR_R3: u32 = 0x7c60_00a6;
const MTMSRD_R3_1: u32 = 0x7c61_0164;
const WRTEEI_0: u32 = 0x7c00_0146;
const NOP: u32 = 0x6000_0000;

type Text = Region<Bytes<Vec<u8>>>;

fn text(address: u64, words: &[u32]) -> Text {
    Region { code: Bytes::big_endian(words.iter().flat_map(|word| word.to_be_bytes()).collect()), address }
}

fn words(text: &Text) -> Vec<u32> {
    (0..text.code.word_count()).map_while(|index| text.code.word(index)).collect()
}

fn room(address: u64, count: usize) -> Trampoline<Bytes<Vec<u8>>> {
    Trampoline::new(text(address, &vec![0; count]))
}

fn patcher(build: Build, features: u64) -> Patcher<'static> {
    Patcher { build, features, exclude: &[], copied: &[] }
}

fn rewritten(report: &Report, name: &str) -> u32 {
    report.rows().filter(|(row, _)| row.name == name).map(|(_, count)| count.rewritten).sum()
}

#[test]
fn case_75_every_row_in_both_orders() {
    for build in Build::ALL {
        let rows: Vec<_> = ROWS.iter().filter(|row| row.builds.has(build)).collect();
        let code: Vec<u32> = rows.iter().map(|row| row.value).collect();
        let mut big = text(0x1000, &code);
        let bytes = code.iter().flat_map(|word| word.to_le_bytes()).collect::<Vec<_>>();
        let mut little = Region { code: Bytes::little_endian(bytes), address: 0x1000 };
        let mut sites = 0;
        let report = patcher(build, EVERY).run(&mut big, &mut room(0x2000, 1000), |_| sites += 1);
        assert_eq!(patcher(build, EVERY).run(&mut little, &mut room(0x2000, 1000), |_| ()), report);
        assert_eq!((report.words, report.rewritten(), sites), (rows.len(), rows.len() as u32, rows.len()));
        assert!(report.complete());
        assert!(rows.iter().all(|row| rewritten(&report, row.name) == 1));
        for index in 0..rows.len() {
            assert_ne!(big.code.word(index), Some(code[index]));
            assert_eq!(big.code.word(index), little.code.word(index), "{}", rows[index].name);
        }
        // What is patched is not patched again.
        assert_eq!(patcher(build, EVERY).run(&mut big, &mut room(0x2000, 1000), |_| ()).rewritten(), 0);
    }
}

#[test]
fn case_77_a_missing_feature_is_a_reason() {
    let code = [0x7c74_42a6, 0x7c7f_faa6, 0x7c60_21e4, MFMSR_R3]; // mfsprg4, mfpir, mtsrin, mfmsr
    let mut patched = text(0x1000, &code);
    let report = patcher(Build::Book3s32, 0).run(&mut patched, &mut room(0x2000, 100), |_| ());
    assert_eq!((report.rewritten(), report.skipped(Reason::Feature)), (1, 3));
    assert_eq!(words(&patched)[..3], code[..3]);
    assert!(report.complete(), "that is no failure");
}

#[test]
fn case_85_a_full_trampoline_leaves_the_rest_untouched() {
    let code = [WRTEEI_0, MFMSR_R3, WRTEEI_0, NOP, WRTEEI_0, MFMSR_R3];
    let mut patched = text(0x1000, &code);
    // Room for two sections and a part of the third.
    let mut trampoline = room(0x2000, 0);
    let mut sizes = Vec::new();
    while sizes.len() < 3 {
        // Grow the room until the first is let in: that is what a section takes.
        let count = trampoline.addresses().end as usize / 4 - 0x2000 / 4 + 1;
        trampoline = room(0x2000, count);
        let report = patcher(Build::BookE32, 0).run(&mut text(0x1000, &code), &mut trampoline, |_| ());
        if rewritten(&report, "wrteei 0") as usize > sizes.len() {
            sizes.push(count);
        }
    }
    assert_eq!(sizes[1], 2 * sizes[0]);
    let mut trampoline = room(0x2000, sizes[2] - 1);
    let mut outcomes = Vec::new();
    let report = patcher(Build::BookE32, 0)
        .run(&mut patched, &mut trampoline, |site| outcomes.push((site.address, site.outcome)));
    assert!(!report.complete());
    assert_eq!((report.rewritten(), report.skipped(Reason::NoSpace)), (4, 1));
    assert_eq!(outcomes[3], (0x1010, Outcome::Skipped(Reason::NoSpace)));
    assert_eq!(words(&patched)[4], WRTEEI_0);
    assert_eq!(words(&patched)[5], 0x8060_f05c, "single words need no room");
    assert_eq!(trampoline.used(), sizes[1], "the words that remain stay free");
}

#[test]
fn case_86_a_trampoline_out_of_reach_is_refused_there_and_back() {
    let section = {
        let mut trampoline = room(0x1100, 100);
        patcher(Build::Book3s64, 0).run(&mut text(0x1000, &[MTMSRD_R3_1]), &mut trampoline, |_| ());
        trampoline.used() as u64 * 4
    };
    let base = 0x1000_0000_u64;
    // With the trampoline ahead, the way back from the section's last word is the longer one.
    let furthest = base + 0x0200_0000 - (section - 4) + 4;
    for (at, reached) in [
        (furthest, true),
        (furthest + 4, false),
        (base + 0x01ff_fffc, false),
        (base + 0x0200_0000, false),
        (base - 0x0200_0000, true),
        (base - 0x0200_0004, false),
    ] {
        let mut patched = text(base, &[MTMSRD_R3_1]);
        let mut trampoline = room(at, 100);
        let report = patcher(Build::Book3s64, 0).run(&mut patched, &mut trampoline, |_| ());
        assert_eq!(report.rewritten() == 1, reached, "at {at:x}");
        assert_eq!(report.skipped(Reason::TooFar) == 0, reached);
        assert_eq!(report.complete(), reached);
        if !reached {
            assert_eq!(words(&patched), [MTMSRD_R3_1]);
            assert_eq!(trampoline.used(), 0, "nothing leaks");
        }
    }
}

#[test]
fn case_87_trampoline_and_excluded_code_are_left_alone() {
    let code = [MFMSR_R3; 16];
    let mut patched = text(0x1000, &code);
    let patcher =
        Patcher { build: Build::Book3s64, features: 0, exclude: &[0x1008..0x100c, 0x103c..0x1040], copied: &[] };
    // The trampoline covers words 8 to 11 of the text.
    let report = patcher.run(&mut patched, &mut room(0x1020, 4), |_| ());
    assert_eq!((report.rewritten(), report.skipped(Reason::Excluded)), (10, 6));
    for (index, word) in words(&patched).into_iter().enumerate() {
        let expected = if matches!(index, 2 | 15 | 8..=11) { MFMSR_R3 } else { 0xe860_f058 };
        assert_eq!(word, expected, "word {index}");
    }
}

#[test]
fn code_that_is_copied_gets_no_branches() {
    let mut patched = text(0x1000, &[MTMSRD_R3_1, MFMSR_R3, MTMSRD_R3_1]);
    let patcher = Patcher { build: Build::Book3s64, features: 0, exclude: &[], copied: &[0x1000..0x1008, 0..0] };
    let report = patcher.run(&mut patched, &mut room(0x2000, 100), |_| ());
    assert_eq!(report.skipped(Reason::Copied), 1);
    assert_eq!(words(&patched), [MTMSRD_R3_1, 0xe860_f058, 0x4800_0ff8]);
}

#[test]
fn odd_bytes_at_the_end_are_no_word() {
    let mut patched = Region { code: Bytes::big_endian(vec![0x7c, 0x60, 0x00, 0xa6, 0x7c, 0x60]), address: 0 };
    let report = patcher(Build::Book3s32, 0).run(&mut patched, &mut room(0x2000, 0), |_| ());
    assert_eq!((report.words, report.rewritten()), (1, 1));
}

#[test]
fn reasons_stand_in_their_order() {
    for (index, reason) in Reason::ALL.into_iter().enumerate() {
        assert_eq!(reason as usize, index);
    }
}
