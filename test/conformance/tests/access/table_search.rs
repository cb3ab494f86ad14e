//! Table searches by software: what a 603 without a page table does when its TLBs miss, and what `tlbld` and `tlbli` put
//! there (MPC603e RISC Microprocessor User's Manual, sections 4.5.13 to 4.5.15 and 5.5.2; MPC7450 RISC Microprocessor Family
//! User's Manual, section 5.5.5).

use conformance::program::words;
use conformance::{CODE, DATA, Rig, rigs};
use ppc_isa::{Cpu, msr};

use super::illegal;

/// A page that the tests look for, and another one of the same sets.
const EA: u64 = 0x3000_4000;
const SAME_SETS: u64 = EA + 0x2_0000;
/// Its segment register: both keys are 0 but that of problem state.
const SEGMENT: u32 = 0x2000_0abc;
const VSID: u64 = 0xabc;
/// Where the handlers find the second word of the entry, and count.
const ENTRY: u64 = 0x7f00;
const COUNT: u64 = 0x7f04;
/// Misses: of a fetch, of a load, of a store.
const FETCH: u64 = 0x1000;
const LOAD: u64 = 0x1100;
const STORE: u64 = 0x1200;

/// A 603 whose operating system has no page table, with relocation on.
fn machines() -> impl Iterator<Item = Rig> {
    rigs().filter(|rig| rig.cpu == Cpu::Ppc603).map(|mut rig| {
        rig.vcpu_mut().state.book3s32.sdr1 = 0;
        rig.vcpu_mut().set_segment(3, SEGMENT);
        rig.msr_on(rig.relocation());
        rig
    })
}

/// Handlers of all misses that load `entry` for any page and count how often.
fn handlers(rig: &mut Rig, entry: u64) {
    rig.poke(ENTRY, entry as u32);
    rig.poke(COUNT, 0);
    let count = format!("lwz 1,{COUNT}(0); addi 1,1,1; stw 1,{COUNT}(0)");
    for (vector, miss, load) in [(FETCH, 980, "tlbli"), (LOAD, 976, "tlbld"), (STORE, 976, "tlbld")] {
        rig.put(vector, &format!("{count}; lwz 2,{ENTRY}(0); mtspr 982,2; mfspr 3,{miss}; {load} 3; rfi"));
    }
}

/// Runs `tlbie 7` and `program`; returns where that ended, 0 for its own end.
fn without_entry(rig: &mut Rig, program: &str) -> u64 {
    let all: Vec<u32> = [0x7c00_3a64].into_iter().chain(words(program, false)).collect();
    let end = rig.place(CODE, &all);
    let at = rig.start(end);
    if at == end { 0 } else { at }
}

/// The registers that a handler has to go by.
#[test]
fn what_a_miss_tells() {
    for mut rig in machines() {
        let fresh = rig.vcpu().clone();
        for (name, problem, vector, status) in [
            ("lwz 8,0x678(5)", false, LOAD, 0),
            ("stw 8,0x678(5)", false, STORE, 0x1_0000),
            ("lwz 8,0x678(5)", true, LOAD, 0x8_0000),
            ("stb 8,0x678(5)", true, STORE, 0x9_0000),
        ] {
            *rig.vcpu_mut() = fresh.clone();
            rig.sets(&[(0, 10), (1, 11), (2, 12), (3, 13), (4, 14), (5, EA)]);
            rig.vcpu_mut().state.set_cr_word(0x9123_4567);
            if problem {
                rig.msr_on(msr::PR);
            }
            let before = rig.msr();
            let what = format!("{} {name}", rig.name());
            assert_eq!(rig.ends(name), vector, "{what}");
            assert_eq!(rig.vcpu().shared.srr0(), CODE, "{what}");
            // CR field 0, KEY, store; the way is the first.
            assert_eq!(rig.vcpu().shared.srr1(), 0x9000_0000 | status | before & 0xffff, "{what}");
            assert_eq!(rig.msr(), before & msr::ME | msr::TGPR, "{what}");
            // The handler's own r0 to r3.
            assert_eq!(rig.r(4), 14, "{what}");
            assert_ne!(rig.r(3), 13, "{what}");
            rig.run("mfspr 10,976; mfspr 11,977; mfspr 12,978; mfspr 13,979; mtmsr 9");
            let hash = VSID ^ EA >> 12 & 0xffff;
            let group = |hash: u64| (hash & 0x3ff) << 6;
            assert_eq!(rig.r(10), EA + 0x678, "{what}");
            assert_eq!(rig.r(11), 0x8000_0000 | VSID << 7 | EA >> 22 & 0x3f, "{what}");
            assert_eq!((rig.r(12), rig.r(13)), (group(hash), group(!hash)), "{what}");
            // Out of the handler's mode, they are back.
            rig.msr_off(msr::TGPR);
            assert_eq!([0, 1, 2, 3].map(|n| rig.r(n)), [10, 11, 12, 13], "{what}");
        }
        *rig.vcpu_mut() = fresh.clone();
        rig.sets(&[(5, EA)]);
        let at = rig.ends("mtspr 9,5; bcctr 20,0,0");
        assert_eq!((at, rig.vcpu().shared.srr0()), (FETCH, EA), "{}", rig.name());
        assert_eq!(rig.vcpu().shared.srr1() & 0x000f_0000, 0x4_0000, "{}", rig.name());
        rig.run("mfspr 10,980; mfspr 11,981");
        assert_eq!((rig.r(10), rig.r(11)), (EA, 0x8000_0000 | VSID << 7 | EA >> 22 & 0x3f), "{}", rig.name());
    }
}

/// A handler loads the entry once for many accesses; its registers are its own.
#[test]
fn handlers_fill_the_tlbs() {
    for mut rig in machines() {
        handlers(&mut rig, DATA | 0x182);
        rig.poke(DATA + 0x10, 0x600d_600d);
        rig.poke(DATA + 0x80, 0x3920_0005); // addi 9,0,5
        rig.poke(DATA + 0x84, 0x4e80_0020); // blr
        rig.sets(&[(0, 10), (1, 11), (2, 12), (3, 13), (5, EA), (6, EA + 0x80)]);
        rig.run("lwz 8,0x10(5); stw 8,0x20(5); lwz 10,0x20(5); mtspr 9,6; bcctrl 20,0,0; nop");
        assert_eq!((rig.r(8), rig.r(9), rig.r(10)), (0x600d_600d, 5, 0x600d_600d), "{}", rig.name());
        assert_eq!([0, 1, 2, 3].map(|n| rig.r(n)), [10, 11, 12, 13], "{}", rig.name());
        assert_eq!((rig.peek(DATA + 0x20), rig.peek(COUNT)), (0x600d_600d, 2), "{}", rig.name());
        // tlbie empties the sets of both: of this page, by an address of another one.
        rig.set(7, SAME_SETS);
        assert_eq!(without_entry(&mut rig, "lwz 8,0x10(5); mtspr 9,6; bcctrl 20,0,0; nop"), 0, "{}", rig.name());
        assert_eq!(rig.peek(COUNT), 4, "{}", rig.name());
        // Two pages of a set, and a third that takes a place.
        rig.set(7, SAME_SETS + 0x2_0000);
        rig.set(4, SAME_SETS);
        rig.run("lwz 8,0(4); lwz 8,0(5); lwz 8,0(4)");
        assert_eq!(rig.peek(COUNT), 5, "{}", rig.name());
        rig.run("lwz 8,0(7)");
        assert_eq!(rig.peek(COUNT), 6, "{}", rig.name());
    }
}

/// The first store to a page whose entry says that it was not changed is a miss, and names the entry's way; what an entry
/// forbids is a data storage interrupt.
#[test]
fn changed_and_protected() {
    for mut rig in machines() {
        handlers(&mut rig, DATA | 0x102);
        rig.set(5, EA);
        rig.run("lwz 8,0x10(5)");
        rig.poke(STORE, 0x7fe0_0008);
        for _ in 0..2 {
            assert_eq!(rig.ends("stw 8,0x10(5)"), STORE, "{}", rig.name());
            assert_eq!(rig.vcpu().shared.srr1() & 0x3_0000, 0x1_0000, "{}", rig.name());
            rig.msr_off(msr::TGPR);
            rig.msr_on(rig.relocation());
        }
        handlers(&mut rig, DATA | 0x182);
        rig.run("stw 5,0x10(5)");
        assert_eq!((u64::from(rig.peek(DATA + 0x10)), rig.peek(COUNT)), (EA, 1), "{}", rig.name());
        // Read only.
        handlers(&mut rig, DATA | 0x183);
        rig.set(7, EA);
        assert_eq!(without_entry(&mut rig, "stw 8,0x10(5)"), 0x300, "{}", rig.name());
        assert_eq!(rig.vcpu().shared.dsisr(), 0x0a00_0000, "{}", rig.name());
        assert_eq!((rig.vcpu().shared.dar(), rig.msr() & msr::TGPR), (EA + 0x10, 0), "{}", rig.name());
    }
}

/// Where there is a page table it is searched at once: no handler has to.
#[test]
fn a_table_is_searched() {
    for mut rig in rigs().filter(|rig| rig.has("tlbld") && [Cpu::Ppc603, Cpu::Ppc7450].contains(&rig.cpu)) {
        rig.translate(0x3000_0000, DATA);
        rig.msr_on(rig.relocation());
        rig.poke(DATA, 0x1234);
        rig.set(5, 0x3000_0000);
        rig.run("lwz 8,0(5)");
        assert_eq!(rig.r(8), 0x1234, "{}", rig.name());
        assert_eq!(rig.ends("lwz 8,0x1000(5)"), 0x300, "{}", rig.name());
    }
}

/// 7450: the entry is PTEHI and PTELO. Models without the instructions take them for illegal, problem state has none.
#[test]
fn other_models() {
    for mut rig in rigs().filter(|rig| rig.family() == ppc_isa::cpu::Family::Book3s32) {
        let fresh = rig.vcpu().clone();
        rig.poke(DATA, 0x1234);
        rig.vcpu_mut().set_segment(3, SEGMENT);
        rig.msr_on(rig.relocation());
        rig.sets(&[(5, EA), (6, 0x8000_0000 | VSID << 7 | EA >> 22 & 0x3f), (7, DATA | 0x182)]);
        let program = "mtspr 981,6; mtspr 982,7; tlbld 5; lwz 8,0(5)";
        match rig.cpu {
            Cpu::Ppc7450 => {
                rig.run(program);
                assert_eq!(rig.r(8), 0x1234, "{}", rig.name());
            }
            Cpu::Ppc603 => {}
            _ => {
                let at = rig.ends(program);
                assert!(illegal(&rig, at), "{} {at:#x}", rig.name());
            }
        }
        *rig.vcpu_mut() = fresh;
        if rig.cpu == Cpu::Ppc603 || rig.cpu == Cpu::Ppc7450 {
            for name in ["tlbld 5", "tlbli 5"] {
                rig.msr_on(msr::PR);
                assert_eq!(rig.ends(name), 0x700, "{}", rig.name());
                assert_eq!(rig.vcpu().shared.srr1() & 0x783f_0000, 0x4_0000, "{}", rig.name());
            }
        }
    }
}
