//! The hashed page table: entries one by one, several at once, and a table of another size.

use papr_abi::hcall::*;
use papr_abi::status::*;
use ppc_mmu::hash::Place;
use ppc_mmu::table::GROUP;

use crate::stage::{DEVICES, RAM, Stage};

const EXACT: u64 = 1 << 39;
const READ_4: u64 = 1 << 37;
const AVPN: u64 = 1 << 31;
const ANDCOND: u64 = 1 << 30;
const VALID: u64 = 1;
const SECONDARY: u64 = 2;
const LARGE: u64 = 4;
const BOLTED: u64 = 0x10;
/// Memory coherence required, both states may read and write.
const R: u64 = 0x1000 | 0x12;
const NOTED: u64 = 0x180;
/// H_REMOVE that must work: the old words.
fn removed(stage: &mut Stage, index: u64) -> [u64; 2] {
    let (status, words) = stage.outputs(H_REMOVE, &[0, index, 0]);
    assert_eq!(status, H_SUCCESS);
    words
}

/// V word and hash of a page of `1 << shift` bytes at `address` in segment `vsid`.
fn page(vsid: u64, address: u64, shift: u32, wide: bool) -> (u64, u64) {
    let large = if shift == 12 { 0 } else { LARGE };
    if wide {
        let v = 1 << 62 | (vsid << 17 | address >> 23) << 7 | VALID | large;
        return (v, vsid ^ vsid << 25 ^ address >> shift);
    }
    ((vsid << 5 | address >> 23) << 7 | VALID | large, vsid ^ address >> shift)
}

fn enter(stage: &mut Stage, index: u64, v: u64, r: u64) -> u64 {
    assert_eq!(stage.call(H_ENTER, &[EXACT, index, v, r]), H_SUCCESS, "{index:#x} {v:#x} {r:#x}");
    stage.r4()
}

#[test]
fn case_24_25_full_groups_and_exact_slots() {
    let stage = &mut Stage::new();
    let flags = 0xc000 | 1 << 33; // zero and copy the page, coalesce: nothing that counts
    for n in 0..8 {
        assert_eq!(stage.outputs(H_ENTER, &[flags, 19, VALID, R]), (H_SUCCESS, [16 + n]));
    }
    assert_eq!(stage.call(H_ENTER, &[0, 16, VALID, R]), H_PTEG_FULL);
    assert_eq!(stage.call(H_ENTER, &[EXACT, 17, VALID, R]), H_PTEG_FULL);
    removed(stage, 17);
    assert_eq!(stage.outputs(H_ENTER, &[EXACT, 17, VALID, R]), (H_SUCCESS, [17]));
}

#[test]
fn case_26_what_may_be_entered() {
    let stage = &mut Stage::new();
    let large = DEVICES.start;
    #[rustfmt::skip]
    let cases = [
        // RAM is coherent memory and nothing else.
        (0, 0x10, H_SUCCESS), (0, 0, H_PARAMETER), (0, 0x18, H_PARAMETER), (0, 0x30, H_PARAMETER),
        (0, 0x50, H_PARAMETER), (0, 0x20, H_PARAMETER), (0, (RAM - 0x1000) | 0x10, H_SUCCESS),
        (0, RAM | 0x10, H_PARAMETER),
        // Devices are inhibited, coherent or guarded as one likes, and never written through.
        (0, DEVICES.start | 0x20, H_SUCCESS), (0, DEVICES.start | 0x38, H_SUCCESS),
        (0, DEVICES.start | 0x28, H_SUCCESS),
        (0, DEVICES.start | 0x10, H_PARAMETER), (0, DEVICES.start | 0x60, H_PARAMETER),
        (0, (DEVICES.end - 0x1000) | 0x28, H_SUCCESS), (0, DEVICES.end | 0x28, H_PARAMETER),
        (0, (DEVICES.start - 0x1000) | 0x28, H_PARAMETER),
        // Sizes: 64 KiB and 16 MiB in segments of their own, and no other.
        (LARGE, 0x1_1010, H_SUCCESS), (LARGE, large | 0x28, H_SUCCESS), (LARGE, 0x10, H_SUCCESS),
        (LARGE, 0x7010, H_PARAMETER), (LARGE, 0x8010, H_PARAMETER), (LARGE, 0x3_8010, H_PARAMETER),
        (LARGE, 0x2010, H_PARAMETER), (LARGE, 0x1_0010, H_PARAMETER),
        // Segments have 256 MiB or 1 TiB.
        (1 << 62, 0x10, H_SUCCESS), (2 << 62, 0x10, H_PARAMETER), (3 << 62, 0x10, H_PARAMETER),
    ];
    for (v, r, want) in cases {
        assert_eq!(stage.call(H_ENTER, &[0, 0, v | VALID, r]), want, "{v:#x} {r:#x}");
        if want == H_SUCCESS {
            let index = stage.r4();
            removed(stage, index);
        }
    }
    let beyond = stage.partition.hash().unwrap().len();
    for index in [beyond, u64::MAX] {
        assert_eq!(stage.call(H_ENTER, &[EXACT, index, VALID, R]), H_PARAMETER);
        for call in [H_REMOVE, H_READ, H_PROTECT, H_CLEAR_MOD, H_CLEAR_REF] {
            assert_eq!(stage.call(call, &[0, index, 0]), H_PARAMETER);
        }
    }
    enter(stage, 5, VALID | 0x78, R);
    assert_eq!(removed(stage, 5), [VALID | 0x18, R], "the hypervisor's software bits are not the guest's");
}

#[test]
fn case_27_removal_under_conditions() {
    let stage = &mut Stage::new();
    let (v, hash) = page(0x123, 0x80_0000, 12, false);
    let index = (hash & 0x1fff) * GROUP;
    enter(stage, index, v, R | NOTED);
    let avpn = v & !0x7f;
    for (flags, operand) in [(AVPN, avpn ^ 0x80), (AVPN, v), (ANDCOND, avpn), (AVPN | ANDCOND, avpn)] {
        assert_eq!(stage.call(H_REMOVE, &[flags, index, operand]), H_NOT_FOUND);
    }
    stage.forgotten();
    assert_eq!(stage.outputs(H_REMOVE, &[AVPN, index, avpn]), (H_SUCCESS, [v, R | NOTED]));
    assert_eq!(stage.forgotten(), [ppc_mmu::Invalidation::Page { address: 0x80_0000, shift: 12 }]);
    assert_eq!(stage.call(H_REMOVE, &[0, index, 0]), H_NOT_FOUND);
    assert_eq!(stage.outputs(H_READ, &[0, index]), (H_SUCCESS, [0, 0]));
}

#[test]
fn case_29_protection_and_reference_and_change() {
    let stage = &mut Stage::new();
    enter(stage, 8, VALID | BOLTED, R | NOTED);
    assert_eq!(stage.call(H_PROTECT, &[AVPN | 3, 8, 0x80]), H_NOT_FOUND);
    // PP0, both halves of the key, no-execute, PP; the condition is none of this call's.
    assert_eq!(stage.call(H_PROTECT, &[AVPN | ANDCOND | 0x100 | 0x3000 | 0xe00 | 4 | 1, 8, 0]), H_SUCCESS);
    let r = 0xb000_0000_0000_1e15 | NOTED;
    assert_eq!(stage.outputs(H_READ, &[0, 8]), (H_SUCCESS, [VALID | BOLTED, r]));
    assert_eq!(stage.outputs(H_CLEAR_REF, &[0, 8]), (H_SUCCESS, [r]));
    assert_eq!(stage.outputs(H_CLEAR_MOD, &[0, 8]), (H_SUCCESS, [r & !0x100]));
    assert_eq!(removed(stage, 8)[1], r & !NOTED);
    for call in [H_PROTECT, H_CLEAR_REF, H_CLEAR_MOD] {
        assert_eq!(stage.call(call, &[0, 8, 0]), H_NOT_FOUND);
    }
}

#[test]
fn case_30_reading_four() {
    let stage = &mut Stage::new();
    let want: Vec<u64> = (0..4).flat_map(|n| [VALID | n << 12, R]).collect();
    (0..4).for_each(|n| _ = enter(stage, 12 + n, VALID | n << 12, R));
    let (status, words) = stage.outputs::<8>(H_READ, &[READ_4, 14]);
    assert_eq!((status, &words[..]), (H_SUCCESS, &want[..]));
}

#[test]
fn case_31_removal_in_bulk() {
    const REQUEST: u64 = 1 << 62;
    const END: u64 = 3 << 62;
    let stage = &mut Stage::new();
    (0..4).for_each(|n| _ = enter(stage, 8 + n, VALID | n << 12, R | NOTED));
    let words = [REQUEST | 8, 0, REQUEST | 2 << 56 | 9, 2 << 12, REQUEST | 1 << 56 | 10, 2 << 12, REQUEST | 8, 0];
    let (status, out) = stage.outputs::<8>(H_BULK_REMOVE, &words);
    assert_eq!(status, H_SUCCESS);
    assert_eq!([0, 2, 4, 6].map(|n| out[n]), [0x8c << 56 | 8, 0x92 << 56 | 9, 0x91 << 56 | 10, 0x90 << 56 | 8]);
    assert_eq!(stage.call(H_BULK_REMOVE, &[END, 0, REQUEST | 9, 0]), H_SUCCESS);
    // What is wrong ends the call; what came before it is done.
    let (status, out) =
        stage.outputs::<6>(H_BULK_REMOVE, &[REQUEST | 9, 0, REQUEST | 3 << 56 | 10, 0, REQUEST | 11, 0]);
    assert_eq!((status, [out[0], out[2], out[4]]), (H_PARAMETER, [0x8c << 56 | 9, 0xa3 << 56 | 10, REQUEST | 11]));
    let (status, out) = stage.outputs::<4>(H_BULK_REMOVE, &[REQUEST | 10, 0, REQUEST | 1 << 50, 0]);
    assert_eq!((status, [out[0], out[2]]), (H_PARAMETER, [0x8c << 56 | 10, 0xa0 << 56 | 1 << 50]));
    assert_eq!(stage.call(H_BULK_REMOVE, &[2 << 62, 0]), H_PARAMETER);
    assert_eq!(removed(stage, 11)[0], VALID | 3 << 12);
}

#[test]
fn removal_of_a_block() {
    const REQUEST: u64 = 1 << 62;
    const BY_AVPN: u64 = REQUEST | 1 << 56;
    const END: u64 = 3 << 62;
    let stage = &mut Stage::new();
    (0..8).for_each(|n| _ = enter(stage, 8 + n, VALID | 5 << 12, R | n << 7 & NOTED));
    let all: Vec<u64> = [5 << 12].into_iter().chain((8..16).map(|index| BY_AVPN | index)).collect();
    let (status, out) = stage.outputs::<8>(H_BLOCK_REMOVE, &all);
    assert_eq!((status, out), (H_SUCCESS, std::array::from_fn(|n| (0x81 + 2 * (n as u64 & 3)) << 56 | (8 + n as u64))));
    // Some are not there, or are of another block, or of any; nothing is looked at behind the end.
    enter(stage, 8, VALID | 5 << 12, R);
    enter(stage, 9, VALID | 6 << 12, R);
    enter(stage, 10, VALID | 6 << 12, R);
    let words = [5 << 12, BY_AVPN | 8, BY_AVPN | 9, REQUEST | 9, REQUEST | 11, END, BY_AVPN | 10];
    let (status, out) = stage.outputs::<5>(H_BLOCK_REMOVE, &words);
    let want = [0x81 << 56 | 8, 0x89 << 56 | 9, 0x80 << 56 | 9, 0x88 << 56 | 11, END];
    assert_eq!((status, &out[..4], out[4]), (H_PARTIAL, &want[..4], REQUEST | 11));
    assert_eq!(removed(stage, 10)[0], VALID | 6 << 12);
    // What is wrong ends the call.
    enter(stage, 8, VALID, R);
    let (status, out) = stage.outputs::<2>(H_BLOCK_REMOVE, &[0, REQUEST | 1 << 50, REQUEST | 8]);
    assert_eq!((status, out[0]), (H_PARAMETER, 0x90 << 56 | 1 << 50));
    let (status, out) = stage.outputs::<2>(H_BLOCK_REMOVE, &[0, REQUEST | 2 << 56 | 8, END]);
    assert_eq!((status, out[0]), (H_PARAMETER, 0x90 << 56 | 8));
    assert_eq!(stage.call(H_BLOCK_REMOVE, &[0, 8, END]), H_PARAMETER);
    assert_eq!(stage.call(H_BLOCK_REMOVE, &[0, END]), H_SUCCESS);
    assert_eq!(removed(stage, 8)[0], VALID);
    // Pages of 16 MiB: a block has 128 MiB, whose page numbers differ in bits of the AVPN.
    let at = DEVICES.start | 0x20;
    for (n, want) in [(0, H_SUCCESS), (7, H_SUCCESS), (8, H_PARTIAL)] {
        enter(stage, 8, page(0x77, n << 24, 24, false).0, at);
        let avpn = page(0x77, 3 << 24, 24, false).0 & !0x7f;
        assert_eq!(stage.call(H_BLOCK_REMOVE, &[avpn, BY_AVPN | 8, END]), want, "{n}");
        let _ = stage.call(H_REMOVE, &[0, 8, 0]);
    }
}

/// Prepares a table; how often that was busy.
fn prepare(stage: &mut Stage, shift: u64) -> u32 {
    (0..)
        .find(|_| match stage.call(H_RESIZE_HPT_PREPARE, &[0, shift]) {
            H_SUCCESS => true,
            status => {
                assert_eq!(status, H_LONG_BUSY_ORDER_1_MSEC);
                false
            }
        })
        .unwrap()
}

fn resize(stage: &mut Stage, shift: u64) {
    prepare(stage, shift);
    assert_eq!(stage.call(H_RESIZE_HPT_COMMIT, &[0, shift]), H_SUCCESS);
    assert_eq!(stage.partition.hash().unwrap().shift(), shift as u32);
}

/// Of the stage's RAM no more than 2^19 bytes follow, but its table may be larger: 2^20.
#[test]
fn case_32_who_may_resize() {
    let stage = &mut Stage::new();
    for call in [H_RESIZE_HPT_PREPARE, H_RESIZE_HPT_COMMIT] {
        for (flags, shift) in [(1, 18), (0, 17), (0, 47), (0, u64::MAX), (0, 1 << 32 | 18), (1 << 63, 0)] {
            assert_eq!(stage.call(call, &[flags, shift]), H_PARAMETER, "{flags:#x} {shift}");
        }
    }
    for shift in 20..=46 {
        assert_eq!(stage.call(H_RESIZE_HPT_PREPARE, &[0, shift]), H_RESOURCE);
    }
    for shift in [0, 18, 20] {
        assert_eq!(stage.call(H_RESIZE_HPT_COMMIT, &[0, shift]), H_CLOSED);
    }
    stage.partition.set_process_table(true, 0, 0x1000);
    for call in [H_RESIZE_HPT_PREPARE, H_RESIZE_HPT_COMMIT] {
        assert_eq!(stage.call(call, &[1, 1]), H_NOT_AVAILABLE);
    }
    for call in [H_ENTER, H_REMOVE, H_READ, H_BULK_REMOVE, H_BLOCK_REMOVE, H_CLEAR_HPT, H_PROTECT, H_CLEAR_MOD] {
        assert_eq!(stage.call(call, &[0, 0, VALID, R]), H_FUNCTION);
    }
    stage.partition = exec::PartitionState::new(None, true);
    assert_eq!(stage.call(H_RESIZE_HPT_PREPARE, &[0, 18]), H_AUTHORITY);
}

#[test]
fn a_prepared_table_is_committed_once_or_taken_back() {
    let stage = &mut Stage::new();
    assert_eq!(prepare(stage, 19), 0);
    assert_eq!(stage.call(H_RESIZE_HPT_COMMIT, &[0, 18]), H_CLOSED);
    assert_eq!(stage.call(H_RESIZE_HPT_PREPARE, &[0, 0]), H_SUCCESS);
    assert_eq!(stage.call(H_RESIZE_HPT_COMMIT, &[0, 19]), H_CLOSED);
    prepare(stage, 19);
    prepare(stage, 18);
    assert_eq!(stage.call(H_RESIZE_HPT_COMMIT, &[0, 19]), H_CLOSED);
    assert_eq!(stage.call(H_RESIZE_HPT_COMMIT, &[0, 18]), H_SUCCESS);
    assert_eq!(stage.call(H_RESIZE_HPT_COMMIT, &[0, 18]), H_CLOSED);
    // That in force needs nothing, and stays.
    enter(stage, 9, VALID, R);
    resize(stage, 18);
    assert_eq!(removed(stage, 9), [VALID, R]);
}

#[test]
fn a_large_table_takes_several_calls() {
    let mem = guest_mem::GuestMem::new(1 << 28).unwrap();
    let stage = &mut Stage::with(mem.into(), Default::default());
    assert_eq!(stage.call(H_RESIZE_HPT_PREPARE, &[0, 22]), H_LONG_BUSY_ORDER_1_MSEC);
    assert_eq!(stage.call(H_RESIZE_HPT_COMMIT, &[0, 22]), H_BUSY);
    assert_eq!(prepare(stage, 22), 0);
    assert_eq!(stage.call(H_RESIZE_HPT_COMMIT, &[0, 22]), H_SUCCESS);
    assert_eq!(stage.partition.hash().unwrap().len(), 1 << 18);
    resize(stage, 18);
    // Its memory is there still, and must be emptied.
    assert_eq!(prepare(stage, 22), 1);
}

#[test]
fn entries_keep_their_words_and_slots_in_tables_of_all_sizes() {
    let stage = &mut Stage::new();
    let device = DEVICES.start | 0x28;
    let mut pages = Vec::new();
    for (n, shift, r) in [(1, 12, R), (2, 16, 0x1010), (3, 24, device)] {
        for (wide, secondary) in [(false, false), (false, true), (true, false), (true, true)] {
            let (v, hash) = page(0x54_3210 + 2 * n + u64::from(wide), (0x321_0000 * n) >> shift << shift, shift, wide);
            let (v, hash) = if secondary { (v | SECONDARY, !hash) } else { (v, hash) };
            let slot = 2 * n % 8 + u64::from(secondary);
            let words = [v | (BOLTED * u64::from(wide)) | 0x08, r | 0x80 << u64::from(secondary)];
            enter(stage, (hash & 0x1fff) * GROUP + slot, words[0], words[1]);
            pages.push((hash, slot, words));
        }
    }
    for shift in [19, 18, 19] {
        resize(stage, shift);
        let table = stage.partition.hash().unwrap();
        let valid = (0..table.len()).filter(|index| table.read(*index).unwrap().0 != 0).count();
        assert_eq!(valid, pages.len());
        for (hash, slot, words) in &pages {
            let index = (hash & (table.groups() - 1)) * GROUP + slot;
            assert_eq!(table.read(index), Some((words[0], words[1])), "{shift} {hash:#x}");
            let place = Place::of(words[0], words[1], index / GROUP, table.groups()).unwrap();
            assert_eq!(place.hash, *hash);
        }
    }
}

/// Pages of two groups of the table of 512 KiB that are one in the table of 256 KiB.
#[test]
fn groups_that_become_one() {
    const GROUPS: u64 = 1 << 11;
    let fill = |bolted: [u64; 2]| {
        let mut stage = Stage::new();
        resize(&mut stage, 19);
        for (half, bolted) in (0..2).zip(bolted) {
            for slot in 0..8 {
                let (v, hash) = page(7 + half * GROUPS, 0, 12, false);
                let v = if slot < bolted { v | BOLTED } else { v };
                enter(&mut stage, (hash & (2 * GROUPS - 1)) * GROUP + slot, v, R + (slot << 12));
            }
        }
        prepare(&mut stage, 18);
        stage
    };
    // What is not bolted goes where it must, or where its slot is taken.
    for bolted in [[0, 0], [3, 0], [0, 3], [4, 4], [8, 0], [1, 7]] {
        let stage = &mut fill(bolted);
        assert_eq!(stage.call(H_RESIZE_HPT_COMMIT, &[0, 18]), H_SUCCESS, "{bolted:?}");
        let table = stage.partition.hash().unwrap();
        let group: Vec<(u64, u64)> = (0..8).map(|slot| table.read(7 * GROUP + slot).unwrap()).collect();
        let [mut first, mut second] = [0, 0];
        for (slot, (v, r)) in group.iter().enumerate() {
            match v & BOLTED {
                0 => assert_eq!((r - R) >> 12, slot as u64, "{bolted:?}: moved"),
                _ if v & !0x7f == page(7, 0, 12, false).0 & !0x7f => first += 1,
                _ => second += 1,
            }
        }
        assert_eq!([first, second], bolted);
    }
    // Nine that must stay do not fit, and nothing has happened.
    let stage = &mut fill([5, 4]);
    assert_eq!(stage.call(H_RESIZE_HPT_COMMIT, &[0, 18]), H_PTEG_FULL);
    assert_eq!(stage.partition.hash().unwrap().shift(), 19);
    assert_eq!(stage.call(H_RESIZE_HPT_COMMIT, &[0, 18]), H_CLOSED);
    assert_eq!(removed(stage, 7 * GROUP)[0], page(7, 0, 12, false).0 | BOLTED);
    resize(stage, 18);
}

#[test]
fn clearing_begins_anew_in_another_table() {
    let stage = &mut Stage::new();
    assert_eq!(stage.call(H_CLEAR_HPT, &[]), H_CONTINUE);
    resize(stage, 18);
    enter(stage, 0, VALID, R);
    while stage.call(H_CLEAR_HPT, &[]) == H_CONTINUE {}
    assert_eq!(stage.outputs(H_READ, &[0, 0]), (H_SUCCESS, [0, 0]));
}
