//! Expected register contents are worked out from the e500 Core Family Reference Manual, chapter 12.

use guest_mem::GuestMem;

use super::*;
use crate::access::Keys;
use crate::space::{Space, Tables};

const V: u32 = 0x8000_0000;
const RIGHTS_ALL: u32 = 0x3f;

fn look(tlb: &Tlb, problem: bool, pids: [u32; 3], as_one: bool, ea: u64, access: Access) -> Result<Mapping, Fault> {
    let mem = GuestMem::new(1 << 16).unwrap();
    let tables = Tables::BookE { tlb, pids, space: as_one, little: false };
    Space { mem: &mem, tables, problem, keys: Keys::default() }.translate(ea, access)
}

fn one(index: u32, mas1: u32, mas2: u64, mas3: u32, mas7: u32) -> Assist {
    Assist { mas0: 0x1000_0000 | index << 16, mas1, mas2, mas3, mas7, ..Assist::default() }
}

fn zero(way: u32, nv: u32, mas1: u32, mas2: u64, mas3: u32) -> Assist {
    Assist { mas0: way << 16 | nv, mas1, mas2, mas3, ..Assist::default() }
}

#[test]
fn pages_of_every_size_translate_to_36_bits() {
    for (size, bytes) in [(1u32, 1u64 << 12), (2, 1 << 14), (5, 1 << 20), (7, 16 << 20), (9, 256 << 20), (11, 1 << 32)]
    {
        let mut tlb = Tlb::new(Cpu::E500v2);
        assert_eq!(tlb.write(&one(3, V | size << 8, 0, RIGHTS_ALL, 0xe)), None);
        let last = bytes - 4;
        let mapping = look(&tlb, false, [0; 3], false, last, Access::Store).unwrap();
        assert_eq!((mapping.real, mapping.shift), (0xe_0000_0000 | last, bytes.ilog2()));
        if bytes < 1 << 32 {
            assert_eq!(look(&tlb, false, [0; 3], false, bytes, Access::Load), Err(Fault::TlbMiss));
        }
    }
}

#[test]
fn entries_match_by_space_and_by_any_pid() {
    let mut tlb = Tlb::new(Cpu::E500v2);
    // TID 7, TS 1, 4 KiB, in TLB0.
    tlb.write(&zero(2, 0, V | 7 << 16 | 0x1000, 0x1234_5000, 0x0040_0000 | RIGHTS_ALL));
    let at = |pids, space| look(&tlb, true, pids, space, 0x1234_5678, Access::Load).map(|m| m.real);
    assert_eq!(at([7, 0, 0], true), Ok(0x0040_0678));
    assert_eq!(at([1, 7, 0], true), Ok(0x0040_0678));
    assert_eq!(at([1, 0, 7], true), Ok(0x0040_0678));
    assert_eq!(at([1, 0, 0], true), Err(Fault::TlbMiss));
    assert_eq!(at([7, 0, 0], false), Err(Fault::TlbMiss));
}

#[test]
fn each_permission_bit_is_for_its_access() {
    // UX SX UW SW UR SR from bit 5 down (MAS3, table 2-27).
    let bits = [
        (0x20, true, Access::Fetch),
        (0x10, false, Access::Fetch),
        (0x08, true, Access::Store),
        (0x04, false, Access::Store),
        (0x02, true, Access::Load),
        (0x01, false, Access::Load),
    ];
    for (bit, ..) in bits {
        let mut tlb = Tlb::new(Cpu::E5500);
        tlb.write(&one(0, V | 1 << 8, 0, bit, 0));
        for (own, problem, access) in bits {
            let expected = if own == bit { Ok(0) } else { Err(Fault::Storage(PROTECTION)) };
            assert_eq!(look(&tlb, problem, [0; 3], false, 0, access).map(|m| m.real), expected, "{bit:#x} {access:?}");
        }
    }
}

#[test]
fn a_64_bit_page_number_counts_on_e5500_only() {
    let page = 0xc000_0000_0000_1000;
    let mut tlb = Tlb::new(Cpu::E5500);
    tlb.write(&one(63, V | 1 << 8, page, RIGHTS_ALL, 0));
    assert!(look(&tlb, false, [0; 3], false, page, Access::Load).is_ok());
    assert_eq!(look(&tlb, false, [0; 3], false, 0x1000, Access::Load), Err(Fault::TlbMiss));
    let mut tlb = Tlb::new(Cpu::E500v2);
    tlb.write(&one(15, V | 1 << 8, page, RIGHTS_ALL, 0));
    assert!(look(&tlb, false, [0; 3], false, 0x1000, Access::Load).is_ok());
}

#[test]
fn misses_prepare_the_next_entry_round_robin() {
    let mut tlb = Tlb::new(Cpu::E500v2);
    // TLBSELD 0, TIDSELD = PID1, TSIZED 1, defaults M and G.
    let mut assist = Assist { mas4: 0x0001_0106, mas3: 0x1234_53ff, mas7: 5, mas6: 0x2, ..Assist::default() };
    for way in 0..6 {
        let way = way & 3;
        tlb.missed(&mut assist, [9, 4, 0], true, 0xc012_3456);
        assert_eq!(assist.mas0, way << 16 | (way + 1) & 3);
        assert_eq!(assist.mas1, 0x8000_0000 | 4 << 16 | 0x1000 | 0x100);
        assert_eq!(assist.mas2, 0xc012_3006);
        assert_eq!(assist.mas3 & !0x3c0, 0);
        assert_eq!(assist.mas7, 0);
        assert_eq!(assist.mas6, 9 << 16 | 2 | 1);
        tlb.write(&assist);
    }
    // TLB1 by default: software chooses the entry. TIDSELD 3 stands for no PID.
    assist.mas4 = 0x1003_0700;
    tlb.missed(&mut assist, [9, 4, 0], false, 0xc012_3456);
    assert_eq!((assist.mas0, assist.mas1), (0x1000_0000, 0x8000_0700));
}

#[test]
fn searches_say_where_and_what() {
    let mut tlb = Tlb::new(Cpu::E500v2);
    tlb.write(&zero(1, 2, V | 3 << 16, 0x8000_5004, 0x0012_3015));
    tlb.write(&one(13, V | 0x4000_0000 | 0x1000 | 7 << 8, 0x4000_0000, 0x0200_003f, 0xf));
    // Searched for as PID 3 in space 0.
    let mut assist = Assist { mas6: 3 << 16, ..Assist::default() };
    tlb.search(&mut assist, 0x8000_5abc);
    assert_eq!((assist.mas0, assist.mas1), (1 << 16 | 2, V | 3 << 16 | 0x100));
    assert_eq!((assist.mas2, assist.mas3, assist.mas7), (0x8000_5004, 0x0012_3015, 0));
    // A protected 16 MiB page of TLB1 in space 1.
    assist.mas6 = 5 << 16 | 1;
    tlb.search(&mut assist, 0x40ff_ffff);
    assert_eq!(assist.mas0 & !3, 0x1000_0000 | 13 << 16);
    assert_eq!((assist.mas1, assist.mas7), (V | 0x4000_0000 | 0x1000 | 0x700, 0xf));
    // tlbre reads the same back by its number.
    let mut again = Assist { mas0: assist.mas0, ..Assist::default() };
    tlb.read(&mut again);
    assert_eq!((again.mas1, again.mas2, again.mas3), (assist.mas1, assist.mas2, assist.mas3));
    // Not found: V is 0, TID and TS are those of the search, the rest as MAS4 says.
    assist.mas4 = 0x0000_0104;
    tlb.search(&mut assist, 0x9000_0000);
    assert_eq!(assist.mas1, 5 << 16 | 0x1000 | 0x100);
    assert_eq!(assist.mas0, 2 << 16 | 3);
}

#[test]
fn writing_an_entry_names_what_it_replaces() {
    let mut tlb = Tlb::new(Cpu::E500v2);
    assert_eq!(tlb.write(&zero(0, 1, V, 0x5000, RIGHTS_ALL)), None);
    // The same set: addresses that differ above the seven index bits only.
    let old = tlb.write(&zero(0, 1, V, 0x8_5000, RIGHTS_ALL));
    assert_eq!(old, Some(Invalidation::Page { address: 0x5000, shift: 12 }));
    assert_eq!(look(&tlb, false, [0; 3], false, 0x5000, Access::Load), Err(Fault::TlbMiss));
    assert_eq!(tlb.write(&zero(0, 1, 0, 0x8_5000, 0)), Some(Invalidation::Page { address: 0x8_5000, shift: 12 }));
    assert_eq!(look(&tlb, false, [0; 3], false, 0x8_5000, Access::Load), Err(Fault::TlbMiss));
    tlb.write(&one(0, V | 9 << 8, 0xc000_0000, RIGHTS_ALL, 0));
    let old = tlb.write(&one(0, 0, 0, 0, 0));
    assert_eq!(old, Some(Invalidation::Page { address: 0xc000_0000, shift: 28 }));
}

#[test]
fn invalidations_spare_protected_entries_and_the_other_array() {
    let filled = || {
        let mut tlb = Tlb::new(Cpu::E5500);
        tlb.write(&zero(0, 0, V | 1 << 16, 0x5000, RIGHTS_ALL));
        tlb.write(&zero(1, 0, V | 2 << 16, 0x5000, RIGHTS_ALL));
        tlb.write(&one(0, V | 5 << 8, 0x10_0000, RIGHTS_ALL, 0));
        tlb.write(&one(1, V | 0x4000_0000 | 5 << 8, 0x20_0000, RIGHTS_ALL, 0));
        tlb
    };
    let left = |tlb: &Tlb| {
        let there = |pid, ea| look(tlb, false, [pid, 0, 0], false, ea, Access::Load).is_ok();
        [there(1, 0x5000), there(2, 0x5000), there(1, 0x10_0000), there(1, 0x20_0000)]
    };
    let page = |address, shift| Some(Invalidation::Page { address, shift });
    let cases = [
        (Flush::Array { one: false }, page(0x5000, 12), [false, false, true, true]),
        (Flush::Array { one: true }, page(0x10_0000, 20), [true, true, false, true]),
        (Flush::All, Some(Invalidation::All), [false, false, false, true]),
        (Flush::Process { tid: 2 }, page(0x5000, 12), [true, false, true, true]),
        (Flush::Virtual { tid: 1, space: false, ea: 0x5ff0 }, page(0x5000, 12), [false, true, true, true]),
        (Flush::Virtual { tid: 1, space: true, ea: 0x5ff0 }, None, [true; 4]),
        (Flush::Address { one: false, ea: 0x5000 }, page(0x5000, 12), [false, false, true, true]),
        (Flush::Address { one: true, ea: 0x1f_0000 }, page(0x10_0000, 20), [true, true, false, true]),
        (Flush::Address { one: true, ea: 0x20_0000 }, None, [true; 4]),
    ];
    for (what, gone, expected) in cases {
        let mut tlb = filled();
        assert_eq!(tlb.flush(what), gone, "{what:?}");
        assert_eq!(left(&tlb), expected, "{what:?}");
    }
}

#[test]
fn configuration_registers_describe_the_arrays() {
    // e500v2: 3 PIDs of 8 bits, 2 arrays, version 1; TLB0 4 x 128 of 4 KiB; TLB1 16 of 4 KiB to 4 GiB, IPROT, AVAIL.
    assert_eq!(Tlb::new(Cpu::E500v2).configuration(), [0x0000_19c4, 0x0411_0200, 0x101b_c010]);
    // e5500: 36-bit real addresses, one PID of 14 bits; TLB1 has 64 entries.
    assert_eq!(Tlb::new(Cpu::E5500).configuration(), [0x0048_0b44, 0x0411_0200, 0x401b_c040]);
}
