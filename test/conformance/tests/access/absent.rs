//! Instructions of other models are illegal: the Power ISA's illegal instruction type program interrupt (Book III-S,
//! section 6.5.9; III-E, section 7.6.7).

use conformance::{CODE, Rig, rigs};
use exec::mode::fscr;
use ppc_isa::{Row, msr, rows};

use super::{PREFIXED, Random, illegal};

/// Words tried of each row.
const WORDS: usize = 3;
/// Words that a hypervisor gives a meaning of its own where privileged code runs them: PAPR's substitute for `sc 1`,
/// KVM's for a swapped `sc`.
const TAKEN: [u64; 2] = [0x7c00_0268, 0x0200_0044];

/// A word of `row` with random fields and random reserved bits; a prefix stands in the high half.
fn word_of(row: &Row, random: &mut Random) -> u64 {
    let all = if row.prefixed() { u64::MAX } else { 0xffff_ffff };
    row.value | random.next() & all & !row.mask
}

/// Runs the words at `CODE`, and holds the processor against what it was before.
fn is_illegal_here(rig: &mut Rig, word: u64, what: &str) {
    let before = rig.vcpu().state.clone();
    let words = [(word >> 32) as u32, word as u32];
    let words = if word >> 32 == 0 { &words[1..] } else { &words };
    let end = rig.place(CODE, words);
    let at = rig.start(end);
    let what = format!("{} {what} {word:08x}", rig.name());
    assert!(illegal(rig, at), "{what}: {at:#x}, SRR1 {:#x}", rig.vcpu().shared.srr1());
    assert_eq!(rig.vcpu().shared.srr0(), CODE, "{what}");
    if rig.cpu.level() >= 310 {
        assert_eq!(rig.vcpu().shared.srr1() & PREFIXED != 0, word >> 58 == 1, "{what}");
    }
    let after = &rig.vcpu().state;
    assert_eq!(after.gpr, before.gpr, "{what}");
    assert_eq!(after.vsr, before.vsr, "{what}");
    assert_eq!(
        (after.cr, after.lr, after.ctr, after.xer()),
        (before.cr, before.lr, before.ctr, before.xer()),
        "{what}"
    );
    assert_eq!((after.fpscr, after.vscr, after.retired), (before.fpscr, before.vscr, before.retired), "{what}");
}

/// Every row that a model lacks, with all units on and all off, privileged and not.
#[test]
fn instructions_of_other_models() {
    let units = msr::FP | msr::VEC | msr::VSX | msr::SPE;
    let mut random = Random(0x1234_5678_9abc_def1);
    for mut rig in rigs() {
        let cpu = rig.cpu;
        let own: Vec<&Row> = rows().filter(|row| row.models.contains(cpu)).collect();
        let mut tried = 0;
        for row in rows().filter(|row| !row.models.contains(cpu)) {
            for turn in 0..WORDS {
                let word = word_of(row, &mut random);
                // Of a word that is another instruction here, that one's tests tell.
                if TAKEN.contains(&word) || own.iter().any(|own| own.matches(word)) {
                    continue;
                }
                let fresh = rig.vcpu().clone();
                rig.msr_off(units | msr::EE);
                rig.msr_on(if turn == 0 { units } else { random.next() & units });
                if turn == 2 {
                    rig.msr_on(msr::PR);
                    rig.vcpu_mut().state.fscr |= fscr::PREFIX;
                }
                is_illegal_here(&mut rig, word, row.name);
                *rig.vcpu_mut() = fresh;
                tried += 1;
            }
        }
        assert!(tried > 200, "{}: only {tried} words", rig.name());
    }
}

/// Words that no model has: primary opcode 0, of which the word 0 is reserved for ever (Book I, section 1.8.2), and holes
/// of opcodes 19, 31 and 63.
#[test]
fn words_of_no_model() {
    for mut rig in rigs() {
        for word in [0, 1, 0x0000_ffff, 0x4c00_07fe, 0x7c00_07fa, 0x7c00_0002, 0xfc00_0002] {
            let fresh = rig.vcpu().clone();
            rig.msr_on(msr::FP);
            is_illegal_here(&mut rig, word, "none");
            *rig.vcpu_mut() = fresh;
        }
    }
}

/// A prefix without a suffix that the model knows is illegal as a whole: SRR0 is the prefix, and SRR1 says that it was
/// one (Power ISA 3.1 Book III, section 7.5). A branch into the suffix finds an ordinary word.
#[test]
fn prefixes_with_foreign_suffixes() {
    for mut rig in rigs().filter(|rig| rig.cpu == ppc_isa::Cpu::Power10) {
        // Type 0 with suffix opcode 0; type 1 with `li`; type 3 of a reserved subtype; type 2 with `sc`; reserved type bits.
        for word in [0x0400_0000_0000_0000_u64, 0x0500_0000_3860_0001, 0x07f0_0000_8000_0000, 0x0600_0000_4400_0002] {
            let fresh = rig.vcpu().clone();
            let end = rig.place(CODE, &[(word >> 32) as u32, word as u32]);
            let at = rig.start(end);
            let srr1 = rig.vcpu().shared.srr1();
            assert_eq!((at, srr1 & 0x783f_0000), (super::PROGRAM, 0x8_0000 | PREFIXED), "{} {word:x}", rig.name());
            assert_eq!(rig.vcpu().shared.srr0(), CODE, "{} {word:x}", rig.name());
            *rig.vcpu_mut() = fresh;
        }
    }
}
