//! Accesses that begin in one page and end in the next, which faults: DAR is the first byte that could not be accessed
//! (Power ISA Book III, section 6.5.3: a byte in the page that caused the exception), no register has changed, RA of
//! update forms neither, and a store has stored nothing. Multiple and string stores, which the architecture lets be
//! partial (Book II, section 1.7.1), may have stored in the first page what they would have stored there anyway.

use conformance::{DATA, Rig, rigs};
use ppc_isa::Row;
use ppc_isa::cpu::Family;
use ppc_isa::loadstore::LoadStore;
use ppc_isa::op::Op;
use ppc_isa::row::fact;

use super::{Case, accesses, multiple, pattern, ram};

/// Two pages in sequence; the second is mapped on one of two machines.
const FIRST: u64 = 0x3000_0000;
const SECOND: u64 = FIRST + PAGE as u64;
const PAGE: usize = 0x1000;

/// Where an access to a page that is not mapped ends.
fn fault(rig: &Rig) -> u64 {
    if rig.family() == Family::BookE { 0x1300 } else { 0x300 }
}

/// ESR of a data TLB error that `row` causes (Power ISA Book III-E, section 7.6.14): FP, ST, SPV.
fn syndrome(row: &Row) -> u32 {
    let kind = match row.op {
        Op::Float(_) => 0x100_0000,
        Op::Vector(_) | Op::Spe(_) => 0x80,
        _ => 0,
    };
    kind | if row.is(fact::STORE) { 0x80_0000 } else { 0 }
}

/// Fills both pages, the second with what `seed` makes of the pattern.
fn fill(rig: &Rig, seed: u8) {
    let bytes: Vec<u8> = (0..2 * PAGE).map(|n| pattern(n) ^ if n < PAGE { 0 } else { seed }).collect();
    assert!(rig.machine.mem.write(DATA, &bytes));
}

/// Whether an access reaches the second page is found out by what it loads and stores while that is mapped, not by what
/// the table says of its size.
#[test]
fn the_second_page_faults() {
    let mut crossed = 0;
    for (mut both, mut one) in rigs().zip(rigs()) {
        both.translate(FIRST, DATA);
        both.translate(SECOND, DATA + PAGE as u64);
        one.translate(FIRST, DATA);
        [&mut both, &mut one].into_iter().for_each(|rig| rig.msr_on(rig.relocation()));
        let fresh = (both.vcpu().clone(), one.vcpu().clone());
        // EAR refuses external access at any address.
        let refused = |row: &&Row| matches!(row.op, Op::LoadStore(LoadStore::External { .. }));
        for row in accesses(both.cpu).filter(|row| !refused(row)) {
            for before in [0, 1, 2, 3, 4, 7, 8, 12, 15] {
                let what = format!("{} {} {before} bytes before", both.name(), row.name);
                let case = Case { row, ea: SECOND - before, length: 13 };
                let [other, mapped] = [0x5a, 0xa5].map(|seed| {
                    *both.vcpu_mut() = fresh.0.clone();
                    fill(&both, seed);
                    let end = case.run(&mut both);
                    let second = ram(&both, DATA + PAGE as u64, 0x100);
                    let stored = second.iter().enumerate().any(|(n, byte)| *byte != pattern(n) ^ seed);
                    (end, stored)
                });
                let reaches = mapped.1 || mapped.0.after != other.0.after;
                let mapped = mapped.0;
                let whole = ram(&both, DATA, PAGE);

                *one.vcpu_mut() = fresh.1.clone();
                fill(&one, 0);
                let end = case.run(&mut one);
                let first = ram(&one, DATA, PAGE);
                if !reaches && end.at == fault(&one) {
                    // It only translates its address, or stores on condition.
                    assert_eq!((before, one.vcpu().shared.dar()), (0, SECOND), "{what}");
                    assert_eq!(end.after, end.before, "{what}");
                    continue;
                }
                if !reaches {
                    assert_eq!(end.at, mapped.at, "{what}");
                    assert_eq!(end.after, mapped.after, "{what}");
                    assert!(first == whole, "{what}: memory differs");
                    continue;
                }
                crossed += 1;
                assert_eq!(end.at, fault(&one), "{what}");
                assert_eq!(one.vcpu().shared.dar(), SECOND, "{what}");
                assert_eq!(end.after, end.before, "{what}");
                if one.family() == Family::BookE {
                    assert_eq!(one.vcpu().shared.esr(), syndrome(row), "{what}");
                }
                let changed: Vec<usize> = (0..PAGE).filter(|n| first[*n] != pattern(*n)).collect();
                if multiple(row) {
                    assert!(changed.iter().all(|n| first[*n] == whole[*n]), "{what}: {changed:x?}");
                } else {
                    assert!(changed.is_empty(), "{what}: stored at {changed:x?}");
                }
            }
        }
    }
    assert!(crossed > 5000, "only {crossed} accesses reached the second page");
}
