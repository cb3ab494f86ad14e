//! Forms that no assembler makes: reserved bits that are set, update forms without a base or with one that is loaded.
//!
//! The architecture leaves invalid forms undefined or ignores them (Power ISA Book I, sections 1.3.3, 1.8.2 and 3.3.2);
//! what is done here is what the rows and handlers say: reserved bits are ignored, RA = 0 in an update form is r0, and
//! RT = RA ends with what was loaded.

use conformance::{CODE, DATA, Rig, rigs};
use guest_mem::Order;
use ppc_isa::loadstore::LoadStore;
use ppc_isa::op::Op;
use ppc_isa::row::fact;
use ppc_isa::{Decoder, Row, msr, rows};

use super::{Random, accesses, pattern, ram, registers};

const EA: u64 = DATA + 0x100;

/// Places of registers and memory that any instruction can work on.
fn prepare(rig: &mut Rig) {
    rig.msr_on(msr::FP | msr::VEC | msr::VSX | msr::SPE);
    let bytes: Vec<u8> = (0..0x400).map(pattern).collect();
    assert!(rig.machine.mem.write(DATA, &bytes));
    assert!(rig.machine.mem.write(2 * DATA, &bytes));
    (0..32).for_each(|n| rig.set(n, EA + 16 * n as u64));
    let state = &mut rig.vcpu_mut().state;
    state.xer_low = 9;
    for (n, register) in state.vsr.iter_mut().enumerate() {
        *register = [0x3ff1_2345_6789_abcd + ((n as u64) << 40), 0x0f1e_2d3c_4b5a_6978 ^ n as u64];
    }
}

/// Runs one instruction; returns where it ended, and 0 for its own end.
fn run(rig: &mut Rig, word: u64) -> u64 {
    let words = [(word >> 32) as u32, word as u32];
    let end = rig.place(CODE, &words[usize::from(word >> 32 == 0)..]);
    let at = rig.start(end);
    if at == end { 0 } else { at }
}

/// Every instruction that goes on to the next one does the same with random reserved bits as without any.
#[test]
fn reserved_bits_are_ignored() {
    let mut random = Random(0x0ddb_a115);
    for mut rig in rigs() {
        let decoder = Decoder::new(rig.cpu);
        let fresh = rig.vcpu().clone();
        let mut tried = 0;
        let straight = |row: &&Row| !row.is(fact::END | fact::VOLATILE | fact::PRIV | fact::HV | fact::BY_SPR);
        for row in rows().filter(straight).filter(|row| row.models.contains(fresh.state.cpu) && row.reserved != 0) {
            if matches!(row.op, Op::Branch(_) | Op::System(_)) {
                continue;
            }
            for _ in 0..4 {
                let fields: u64 = row.fields().iter().map(|field| field.mask()).fold(0, |all, mask| all | mask);
                let mut word = row.value | random.next() & fields;
                // An address of its own, not one of the vectors.
                if let Some(base) = row.field("RA").filter(|base| base.get(word) == 0 && !row.prefixed()) {
                    word = base.set(word, 5);
                }
                let set = word | random.next() & row.reserved | row.reserved & row.reserved.wrapping_neg();
                let same = |word| decoder.decode(word).is_some_and(|found| found.name == row.name);
                if !same(word) || !same(set) {
                    continue;
                }
                let [plain, odd] = [word, set].map(|word| {
                    *rig.vcpu_mut() = fresh.clone();
                    prepare(&mut rig);
                    let at = run(&mut rig, word);
                    let shared = &rig.vcpu().shared;
                    (at, registers(&rig), shared.dar(), ram(&rig, DATA, 0x1000), ram(&rig, 2 * DATA, 0x1000))
                });
                let what = format!("{} {} {word:08x} {set:08x}", rig.name(), row.name);
                assert!(plain == odd, "{what}: {:x?} {:x?}", (plain.0, plain.1), (odd.0, odd.1));
                tried += 1;
            }
        }
        assert!(tried > 300, "{}: only {tried}", rig.name());
    }
}

/// The word of an update form with `ra` as base and register 8, or what `rt` says, as target or source.
fn update(row: &Row, ra: u32, rt: u32) -> u64 {
    row.fields().iter().fold(row.value, |word, field| match field.name() {
        "RA" => field.set(word, ra),
        "RB" => field.set(word, 6),
        "RT" | "RS" | "FRT" | "FRS" => field.set(word, rt),
        "D" => field.set(word, 0x20),
        "DS" => field.set(word, 8),
        _ => word,
    })
}

#[test]
fn update_forms() {
    for mut rig in rigs() {
        let fresh = rig.vcpu().clone();
        let mut forms = 0;
        for row in accesses(rig.cpu).filter(|row| row.asm.contains("+RA")) {
            forms += 1;
            let what = format!("{} {}", rig.name(), row.name);
            let [valid, zero, equal] = [(5, 8), (0, 8), (5, 5)].map(|(ra, rt)| {
                *rig.vcpu_mut() = fresh.clone();
                prepare(&mut rig);
                rig.sets(&[(0, EA), (5, EA), (6, 0x20)]);
                assert_eq!(run(&mut rig, update(row, ra, rt)), 0, "{what}");
                (registers(&rig), ram(&rig, DATA, 0x400))
            });
            let target = rig.seen(valid.0.gpr[5]);
            assert_eq!(target, EA + 0x20, "{what}");
            // r0 as base: what r5 was otherwise.
            let mut expected = valid.0.clone();
            expected.gpr.swap(0, 5);
            let seen = |gpr: [u64; 32]| gpr.map(|value| rig.seen(value));
            assert_eq!(seen(zero.0.gpr), seen(expected.gpr), "{what}: RA = 0");
            assert!(zero.1 == valid.1 && zero.0.vsr == valid.0.vsr, "{what}: RA = 0");
            if let Op::LoadStore(LoadStore::Load(_)) = row.op {
                assert_eq!(rig.seen(equal.0.gpr[5]), rig.seen(valid.0.gpr[8]), "{what}: RT = RA");
            } else if row.field("RS").is_some() {
                // What is stored is RS as it was; then it is updated.
                assert_eq!(rig.seen(equal.0.gpr[5]), target, "{what}: RS = RA");
                let Op::LoadStore(LoadStore::Store(access)) = row.op else { continue };
                let bytes = usize::from(access.bytes);
                let (little, big) = (EA.to_le_bytes(), EA.to_be_bytes());
                let stored = if rig.order == Order::Little { &little[..bytes] } else { &big[8 - bytes..] };
                assert_eq!(&equal.1[0x120..0x120 + bytes], stored, "{what}: RS = RA");
            }
        }
        assert!(forms >= 12, "{}: {forms} update forms", rig.name());
    }
}
