//! What the patcher leaves alone still works, and what it does at its limits is reached there and back.

use conformance::{CODE, Rig};
use exec::Privileged;
use ppc_isa::msr;
use pv_guest::patch::{Patcher, Reason, Trampoline};

use super::{ROOM, ROOM_WORDS, kernels, patch, patcher, region};

const MTMSR_R5: u32 = 0x7ca0_0124;
const MTMSR_R6: u32 = 0x7cc0_0124;
const MFMSR_R8: u32 = 0x7d00_00a6;

/// Words of one section for `mtmsr`.
fn section(rig: &Rig) -> usize {
    let mem = &rig.machine.mem;
    assert!(mem.store(CODE, rig.order, MTMSR_R5));
    let mut room = Trampoline::new(region(mem, rig.order, ROOM, ROOM_WORDS));
    patcher(rig.cpu).run(&mut region(mem, rig.order, CODE, 1), &mut room, |_| ());
    room.used()
}

/// MSR values for r5 and r6.
fn values(rig: &mut Rig) -> [u64; 2] {
    let rest = rig.msr() & !(msr::EE | msr::RI);
    let values = [rest | msr::RI, rest];
    rig.sets(&[(5, values[0]), (6, values[1])]);
    values
}

#[test]
fn case_85_a_full_trampoline_leaves_instructions_that_trap() {
    const SECTIONS: usize = 3;
    for mut rig in kernels() {
        let size = section(&rig);
        let [on, off] = values(&mut rig);
        // The second register read is that of the next in turn.
        let program = [MTMSR_R5, MFMSR_R8, MTMSR_R6, MFMSR_R8 | 1 << 21, MTMSR_R5, MFMSR_R8 | 2 << 21];
        for words in 0..=SECTIONS * size + 1 {
            let end = rig.place(CODE, &program);
            let mem = &rig.machine.mem;
            let mut room = Trampoline::new(region(mem, rig.order, ROOM, words));
            let mut text = region(mem, rig.order, CODE, program.len());
            let report = patcher(rig.cpu).run(&mut text, &mut room, |_| ());
            let made = (words / size).min(SECTIONS);
            let what = format!("{} {words} words", rig.name());
            assert_eq!(report.rewritten() as usize, SECTIONS + made, "{what}");
            assert_eq!(report.skipped(Reason::NoSpace) as usize, SECTIONS - made, "{what}");
            assert_eq!((report.complete(), room.used()), (made == SECTIONS, made * size), "{what}");
            rig.sets(&[(8, 0), (9, 0), (10, 0)]);
            assert_eq!(rig.start(end), end, "{what}");
            assert_eq!([8, 9, 10].map(|n| rig.r(n)), [on, off, on], "{what}");
            let left = (made..SECTIONS).map(|n| (CODE + 8 * n as u64, 1));
            let trap = rig.privileged == Privileged::Trap;
            assert_eq!(rig.exits, left.filter(|_| trap).collect(), "{what}");
        }
    }
}

/// At the ends of a branch's reach, there and back; and just beyond.
#[test]
fn case_86_branches_reach_as_far_as_they_are_made() {
    const SITE: u64 = 0x0a00_0800;
    const REACH: u64 = 0x0200_0000;
    for mut rig in kernels() {
        // The last word of a section returns to what follows the instruction.
        let back = 4 * (section(&rig) as u64 - 2);
        rig.translate(SITE & !0xfff, CODE & !0xfff);
        rig.msr_on(rig.relocation());
        let [on, _] = values(&mut rig);
        for (at, reached) in [
            (SITE + REACH - back, true),
            (SITE + REACH - back + 4, false),
            (SITE + REACH - 4, false),
            (SITE - REACH, true),
            (SITE - REACH - 4, false),
        ] {
            // The section may cross into another page.
            let (ea, real) = (at & !0xfff, ROOM & !0xfff);
            [0, 0x1000].into_iter().for_each(|page| rig.translate(ea + page, real + page));
            let end = rig.place(CODE + (SITE & 0xfff), &[MTMSR_R5, 0x7fe0_0008]);
            let mem = &rig.machine.mem;
            let mut room = region(mem, rig.order, real + (at & 0xfff), 100);
            let mut text = region(mem, rig.order, end - 8, 1);
            // Where they run.
            (text.address, room.address) = (SITE, at);
            let mut room = Trampoline::new(room);
            let report = patcher(rig.cpu).run(&mut text, &mut room, |_| ());
            let what = format!("{} at {at:#x}", rig.name());
            assert_eq!((report.rewritten() == 1, report.complete()), (reached, reached), "{what}");
            assert_eq!(report.skipped(Reason::TooFar), u32::from(!reached), "{what}");
            rig.msr_off(msr::RI);
            rig.vcpu_mut().state.cia = SITE;
            assert_eq!((rig.resume(SITE + 4), rig.msr()), (SITE + 4, on), "{what}");
            let exits = usize::from(!reached && rig.privileged == Privileged::Trap);
            assert_eq!(rig.exits.len(), exits, "{what}");
        }
    }
}

/// The patcher walks over its own sections, and over text that holds data.
#[test]
fn case_87_sections_and_excluded_words_are_left_alone() {
    const WORDS: usize = 0x200;
    let within = CODE + 0x400;
    for mut rig in kernels() {
        let [on, off] = values(&mut rig);
        // The fourth word is data; the room stands in the text, and holds a word that looks like an instruction.
        let program = [MTMSR_R5, MTMSR_R6, MTMSR_R5, 0x4800_0008, MFMSR_R8, MFMSR_R8];
        let data = CODE + 4 * 4;
        (CODE..CODE + 4 * WORDS as u64).step_by(4).for_each(|at| rig.poke(at, 0));
        let end = rig.place(CODE, &program);
        let last = within + 0x3fc;
        rig.poke(last, MFMSR_R8);
        let exclude = [data..data + 4, end..end];
        let patcher = Patcher { exclude: &exclude, ..patcher(rig.cpu) };
        let mem = &rig.machine.mem;
        let mut room = Trampoline::new(region(mem, rig.order, within, 0x100));
        let reports = [(); 2].map(|()| {
            let report = patcher.run(&mut region(mem, rig.order, CODE, WORDS), &mut room, |_| ());
            (report.rewritten(), report.skipped(Reason::Excluded))
        });
        // The data, the word at the end, and each section's own instruction.
        assert_eq!(reports, [(4, 5), (0, 5)], "{}", rig.name());
        assert_eq!((rig.peek(data), rig.peek(last)), (MFMSR_R8, MFMSR_R8), "{}", rig.name());
        assert_eq!((rig.start(end), rig.msr(), rig.r(8)), (end, on, on), "{}", rig.name());
        assert!(rig.exits.is_empty() && on != off, "{}", rig.name());
        assert_eq!(patch(&rig, program.len()).rewritten(), 1, "only what was excluded");
    }
}
