//! Addresses that are no multiple of what a model wants: alignment interrupts by model, and accesses that work.
//!
//! Sources: Power ISA Book I, section 1.11.1 and Book III, section 6.5.8; MPC603e and MPC750 RISC Microprocessor Family
//! User's Manual, section 4.5.6; e500 Core Family Reference Manual, section 5.7.6; EREF, section 7.8.6.

use conformance::translation::Page;
use conformance::{CODE, DATA, Rig, rigs};
use guest_mem::Order;
use ppc_isa::cpu::{FLOAT, Family};
use ppc_isa::loadstore::LoadStore;
use ppc_isa::op::Op;
use ppc_isa::row::fact;
use ppc_isa::{Row, msr};

use super::{Case, accesses, multiple};

const ALIGNMENT: u64 = 0x600;
const EA: u64 = DATA + 0x100;
/// `ESR[ST]`.
const STORE: u32 = 0x80_0000;

/// What the address of `row` must be a multiple of, or else there is an alignment interrupt.
fn wanted(rig: &Rig, row: &Row) -> u64 {
    let family = rig.family();
    let float = FLOAT.contains(rig.cpu) && matches!(row.op, Op::Float(_));
    match row.op {
        Op::LoadStore(LoadStore::LoadReserve { bytes } | LoadStore::StoreConditional { bytes }) => bytes.into(),
        Op::LoadStore(LoadStore::LoadAtomic { bytes } | LoadStore::StoreAtomic { bytes }) => bytes.into(),
        Op::LoadStore(LoadStore::LoadMultiple | LoadStore::StoreMultiple) if family != Family::Book3s64 => 4,
        Op::LoadStore(
            LoadStore::LoadQuad | LoadStore::StoreQuad | LoadStore::LoadQuadPrefixed | LoadStore::StoreQuadPrefixed,
        ) => 16,
        Op::LoadStore(LoadStore::CopyPaste(_)) => 128,
        _ if float && family == Family::Book3s32 => 4,
        Op::Spe(_) => match row.name {
            name if name.starts_with("evld") || name.starts_with("evstd") => 8,
            name if name.starts_with("evlhh") => 2,
            _ => 4,
        },
        _ => 1,
    }
}

/// DSISR of an alignment interrupt on Book3S-32, bit by bit from the instruction (The Programming Environments for 32-Bit
/// Microprocessors, section 6.4.6.1): bits are numbered from the left.
fn dsisr(word: u32) -> u32 {
    let bit = |from: u32, to: u32| (word >> (31 - from) & 1) << (31 - to);
    let bits = |from: std::ops::RangeInclusive<u32>, to: u32| {
        let first = *from.start();
        from.fold(0, |all, n| all | bit(n, to + n - first))
    };
    let operands = bits(6..=15, 22);
    if word >> 26 == 31 {
        bits(29..=30, 15) | bit(25, 17) | bits(21..=24, 18) | operands
    } else {
        bit(5, 17) | bits(1..=4, 18) | operands
    }
}

/// Every load and store at every offset of 16 bytes.
#[test]
fn every_offset() {
    for mut rig in rigs() {
        let fresh = rig.vcpu().clone();
        let mut refused = 0;
        for row in accesses(rig.cpu) {
            // Not allowed by EAR, whatever the address.
            if matches!(row.op, Op::LoadStore(LoadStore::External { .. })) {
                continue;
            }
            let refused_little = rig.order == Order::Little && multiple(row);
            for offset in 0..16 {
                *rig.vcpu_mut() = fresh.clone();
                let case = Case { row, ea: EA + offset, length: 9 };
                let wanted = wanted(&rig, row);
                let end = case.run(&mut rig);
                let what = format!("{} {} at {offset}", rig.name(), row.name);
                if offset % wanted == 0 && !refused_little {
                    assert_eq!(end.at, 0, "{what}");
                    continue;
                }
                refused += 1;
                assert_eq!(end.at, ALIGNMENT, "{what}");
                assert_eq!(end.after, end.before, "{what}");
                let shared = &rig.vcpu().shared;
                assert_eq!((shared.dar(), shared.srr0()), (EA + offset, CODE), "{what}");
                match rig.family() {
                    Family::Book3s64 => {}
                    Family::Book3s32 => assert_eq!(shared.dsisr(), dsisr(case.word() as u32), "{what}"),
                    Family::BookE => {
                        let store = if row.is(fact::STORE) { STORE } else { 0 };
                        assert_eq!(shared.esr() & STORE, store, "{what}");
                    }
                }
            }
        }
        assert!(refused > 30, "{}: only {refused} refused", rig.name());
    }
}

/// Nor can one in memory that is not to be cached; other stores can.
#[test]
fn zeroing_what_is_not_cached() {
    for mut rig in rigs() {
        let ea = 0x3000_0000;
        rig.map_page(Page { ea, real: DATA, large: false, execute: true, inhibited: true });
        rig.msr_on(rig.relocation());
        rig.poke(DATA + 0x100, 0x1234_5678);
        rig.sets(&[(5, ea + 0x100), (6, 0), (8, 0x600d_600d)]);
        rig.run("stw 8,4(5); lwz 9,4(5); dcbst 5,6");
        assert_eq!((rig.r(9), rig.peek(DATA + 0x104)), (0x600d_600d, 0x600d_600d), "{}", rig.name());
        for _ in 0..2 {
            assert_eq!(rig.ends("dcbz 5,6"), ALIGNMENT, "{}", rig.name());
            assert_eq!((rig.vcpu().shared.dar(), rig.peek(DATA + 0x100)), (ea + 0x100, 0x1234_5678), "{}", rig.name());
            rig.msr_on(rig.relocation());
        }
        // The same block by a page that is cached.
        rig.translate(ea + 0x4_0000, DATA);
        rig.set(5, ea + 0x4_0100);
        rig.run("dcbz 5,6");
        assert_eq!((rig.peek(DATA + 0x100), rig.peek(DATA + 0x104)), (0, 0), "{}", rig.name());
    }
}

/// A block that is not in memory can not be cached, nor set to zero: an alignment interrupt on every model.
#[test]
fn zeroing_what_is_not_memory() {
    const ABSENT: u64 = 16 << 20;
    for mut rig in rigs() {
        rig.translate(0x3000_0000, ABSENT);
        rig.msr_on(rig.relocation() | msr::ME);
        rig.sets(&[(5, 0x3000_0100), (6, 0)]);
        assert_eq!(rig.ends("dcbz 5,6"), ALIGNMENT, "{}", rig.name());
        assert_eq!(rig.vcpu().shared.dar(), 0x3000_0100, "{}", rig.name());
    }
}
