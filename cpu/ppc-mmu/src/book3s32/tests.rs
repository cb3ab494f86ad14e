use guest_mem::{GuestMem, Order};

use super::{Bats, PTE_C, PTE_R, Pages, Segments, Tlb, block, group};
use crate::access::{Access, Keys, Mapping};
use crate::fault::{DIRECT_STORE, Fault, NO_EXECUTE, NO_PTE, PROTECTION};
use crate::space::{Space, Tables};

use Access::{Fetch, Load, Store};

/// The worked example of The Programming Environments for 32-Bit Microprocessors, section 7.6.1.5: the table stands at
/// 0x0f98_0000 and has 512 KiB, segment 0 has VSID 0xc_701c.
const SDR1: u32 = 0x0f98_0007;
const VSID: u32 = 0x000c_701c;
const EA: u32 = 0x00ff_a01b;
const PRIMARY: u64 = 0x0f9f_f980;
const SECONDARY: u64 = 0x0f98_0640;
/// V, the VSID, and the top six bits of page index 0xffa.
const FIRST_WORD: u32 = 0x8638_0e03;

struct Table {
    mem: GuestMem,
    bats: Bats,
    segments: Segments,
}

impl Table {
    fn new() -> Table {
        let mut segments = [0; 16];
        segments[0] = VSID;
        Table { mem: GuestMem::new(0x1000_0000).unwrap(), bats: Bats::default(), segments }
    }

    /// With an entry in place `n` of a group.
    fn with(group: u64, n: u64, words: [u32; 2]) -> Table {
        let table = Table::new();
        table.set(group + 8 * n, words);
        table
    }

    fn set(&self, at: u64, words: [u32; 2]) {
        assert!(self.mem.store(at, Order::Big, words[0]) && self.mem.store(at + 4, Order::Big, words[1]));
    }

    fn word(&self, at: u64) -> u32 {
        self.mem.load(at, Order::Big).unwrap()
    }

    fn go(&self, problem: bool, ea: u32, access: Access) -> Result<Mapping, Fault> {
        let pages = Pages { segments: &self.segments, tlb: &Tlb::default(), sdr1: Some(SDR1) };
        let tables = Tables::Book3s32 { bats: &self.bats, pages };
        Space { mem: &self.mem, tables, problem, keys: Keys::default() }.translate(ea.into(), access)
    }

    fn real(&self, problem: bool, ea: u32, access: Access) -> Result<u64, Fault> {
        self.go(problem, ea, access).map(|mapping| mapping.real)
    }
}

#[test]
fn groups_are_where_the_manual_says() {
    let hash = (VSID & 0x7_ffff) ^ 0xffa;
    assert_eq!(group(SDR1, hash), PRIMARY);
    assert_eq!(group(SDR1, !hash), SECONDARY);
    // The whole mask: 32 MiB.
    assert_eq!(group(0x0200_01ff, 0x7_ffff), 0x03ff_ffc0);
}

#[test]
fn entries_are_found_in_every_place_of_both_groups() {
    for n in [0, 3, 7] {
        assert_eq!(Table::with(PRIMARY, n, [FIRST_WORD, 0x0123_4002]).real(false, EA, Load), Ok(0x0123_401b));
        assert_eq!(Table::with(SECONDARY, n, [FIRST_WORD | 0x40, 0x0123_4002]).real(false, EA, Load), Ok(0x0123_401b));
    }
    assert_eq!(Table::new().real(false, EA, Load), Err(Fault::Storage(NO_PTE)));
    // Invalid; the wrong H bit; another API, VSID.
    for word in [FIRST_WORD & 0x7fff_ffff, FIRST_WORD | 0x40, FIRST_WORD ^ 1, FIRST_WORD ^ 0x80] {
        let table = Table::with(PRIMARY, 0, [word, 0x0123_4002]);
        assert_eq!(table.real(false, EA, Load), Err(Fault::Storage(NO_PTE)), "{word:#x}");
    }
    assert_eq!(Table::with(SECONDARY, 0, [FIRST_WORD, 2]).real(false, EA, Load), Err(Fault::Storage(NO_PTE)));
    assert_eq!(Table::with(PRIMARY, 8, [FIRST_WORD, 2]).real(false, EA, Load), Err(Fault::Storage(NO_PTE)));
}

/// Figure 7-8: page protection by key and PP.
#[test]
fn pages_are_protected_by_key_and_pp() {
    #[rustfmt::skip]
    let cases = [
        (0, [(true, true), (true, true), (true, true), (true, false)]),
        (1, [(false, false), (true, false), (true, true), (true, false)]),
    ];
    for (key, rights) in cases {
        for (pp, (read, write)) in (0..).zip(rights) {
            for problem in [false, true] {
                let mut table = Table::with(PRIMARY, 0, [FIRST_WORD, 0x5000 | pp]);
                table.segments[0] |= key << if problem { 29 } else { 30 };
                let refused = |allowed: bool| if allowed { Ok(0x501b) } else { Err(Fault::Storage(PROTECTION)) };
                let name = format!("key {key} pp {pp} problem {problem}");
                assert_eq!(table.real(problem, EA, Load), refused(read), "load {name}");
                assert_eq!(table.real(problem, EA, Fetch), refused(read), "fetch {name}");
                assert_eq!(table.real(problem, EA, Store), refused(write), "store {name}");
                let other = table.real(!problem, EA, Store);
                assert_eq!(other.is_ok(), pp != 3, "the key of the other state: {name}");
            }
        }
    }
}

#[test]
fn reference_and_change_bits() {
    let table = Table::with(PRIMARY, 2, [FIRST_WORD, 0x0123_4002]);
    let at = PRIMARY + 20;
    let mapping = table.go(false, EA, Load).unwrap();
    assert_eq!(table.word(at), 0x0123_4002 | PTE_R);
    assert!(mapping.read && !mapping.write, "a store has to come back for C");
    assert!(table.go(false, EA, Store).unwrap().write);
    assert_eq!(table.word(at), 0x0123_4002 | PTE_R | PTE_C);
    assert!(table.go(false, EA, Load).unwrap().write);

    // The search sets R, whatever protection says after it; C only for a store that is allowed.
    let mut table = Table::with(PRIMARY, 0, [FIRST_WORD, 0x0123_4001]);
    table.segments[0] |= 0x2000_0000;
    assert_eq!(table.real(true, EA, Store), Err(Fault::Storage(PROTECTION)));
    assert_eq!(table.word(PRIMARY + 4), 0x0123_4001 | PTE_R);
}

#[test]
fn no_execute_guarded_and_direct_store() {
    let mut table = Table::with(PRIMARY, 0, [FIRST_WORD, 0x0123_4002]);
    table.segments[0] |= 0x1000_0000;
    assert_eq!(table.real(false, EA, Fetch), Err(Fault::Storage(NO_EXECUTE)));
    assert!(!table.go(false, EA, Load).unwrap().execute);

    let table = Table::with(PRIMARY, 0, [FIRST_WORD, 0x0123_400a]);
    assert_eq!(table.real(false, EA, Fetch), Err(Fault::Storage(NO_EXECUTE)));
    assert_eq!(table.real(false, EA, Store), Ok(0x0123_401b));

    // MPC750 user's manual, table 5-3: SRR1[3] and DSISR[5].
    let mut table = Table::new();
    table.segments[0] = 0x8000_0000;
    assert_eq!(table.real(false, EA, Fetch), Err(Fault::Storage(0x1000_0000)));
    assert_eq!(table.real(false, EA, Load), Err(Fault::Storage(DIRECT_STORE)));
    assert_eq!(DIRECT_STORE, 0x0400_0000);
}

#[test]
fn bats_match_by_length_state_and_kind() {
    let mut bats = Bats::default();
    // 8 MiB at 0xc000_0000 to 0x0080_0000, privileged only, read and write.
    bats.data[2] = [0xc000_00fe, 0x0080_0012];
    let at = |problem, ea, access| block(&bats, problem, ea, access).map(|found| found.map(|m| m.real));
    assert_eq!(at(false, 0xc000_0000, Load), Some(Ok(0x0080_0000)));
    assert_eq!(at(false, 0xc07f_ffff, Store), Some(Ok(0x00ff_ffff)));
    assert_eq!(at(false, 0xc080_0000, Load), None);
    assert_eq!(at(false, 0xbfff_ffff, Load), None);
    assert_eq!(at(true, 0xc000_0000, Load), None);
    assert_eq!(at(false, 0xc000_0000, Fetch), None);

    // 128 KiB in problem state only, read-only, by the instruction side; pair 0 wins over pair 1.
    bats.instruction[1] = [0x1002_0001, 0x0300_0002];
    bats.instruction[0] = [0x1002_0001, 0x0200_0001];
    let at = |problem, ea, access| block(&bats, problem, ea, access).map(|found| found.map(|m| m.real));
    assert_eq!(at(true, 0x1003_fffc, Fetch), Some(Ok(0x0201_fffc)));
    assert_eq!(at(true, 0x1004_0000, Fetch), None);
    assert_eq!(at(false, 0x1003_fffc, Fetch), None);
}

#[test]
fn bats_protect_and_come_before_segments() {
    let mut table = Table::with(PRIMARY, 0, [FIRST_WORD, 0x0123_4002]);
    let rights = |table: &Table, access| table.real(true, EA, access);
    for (pp, load, store) in [(0, false, false), (1, true, false), (2, true, true), (3, true, false)] {
        table.bats.data[0] = [3, 0x0400_0000 | pp];
        table.bats.instruction[0] = [3, 0x0400_0000 | pp];
        let outside = rights(&table, Load);
        assert_eq!(outside, Ok(0x0123_401b), "128 KiB do not reach so far");
        table.bats.data[0][0] |= 0x1ffc;
        table.bats.instruction[0][0] |= 0x1ffc;
        let expected = |allowed: bool| if allowed { Ok(0x04ff_a01b) } else { Err(Fault::Storage(PROTECTION)) };
        assert_eq!(rights(&table, Load), expected(load), "pp {pp}");
        assert_eq!(rights(&table, Fetch), expected(load), "pp {pp}");
        assert_eq!(rights(&table, Store), expected(store), "pp {pp}");
    }
    // MPC750 user's manual, table 5-3: a matching BAT with G.
    table.bats.instruction[0][1] = 0x0400_000a;
    assert_eq!(rights(&table, Fetch), Err(Fault::Storage(NO_EXECUTE)));
    // A direct-store segment does not matter where a BAT matches.
    table.segments[0] = 0x8000_0000;
    table.bats.data[0][1] = 0x0400_0002;
    assert_eq!(rights(&table, Store), Ok(0x04ff_a01b));
}

#[test]
fn the_second_set_of_bats_is_switched_on() {
    let mut bats = Bats::default();
    bats.data[7] = [0xd000_0002, 0x0100_0002];
    assert_eq!(block(&bats, false, 0xd000_0004, Load), None);
    bats.extended = true;
    assert_eq!(block(&bats, false, 0xd000_0004, Load).unwrap().unwrap().real, 0x0100_0004);
}

#[test]
fn a_table_outside_memory_has_no_entries() {
    let table = Table::new();
    let pages = Pages { segments: &table.segments, tlb: &Tlb::default(), sdr1: Some(0xffff_01ff) };
    let tables = Tables::Book3s32 { bats: &table.bats, pages };
    let space = Space { mem: &table.mem, tables, problem: false, keys: Keys::default() };
    assert_eq!(space.translate(0x1000, Store), Err(Fault::Storage(NO_PTE)));
}
