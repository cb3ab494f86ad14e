//! Sections under a storm of interrupts.

use conformance::{CODE, Rig};
use exec::Privileged;
use ppc_isa::cpu::Family;
use ppc_isa::{Cpu, msr};
use pv_guest::patch::Trampoline;

use super::{ROOM, kernels, patcher, region};

/// Marsaglia's xorshift, so that a failure repeats.
pub struct Random(pub u64);

impl Random {
    /// A number below `limit`.
    pub fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 20) as usize % limit
    }
}

/// The vector of decrementer interrupts.
const DECREMENTER: u64 = 0x900;
/// `TCR[DIE]` and `TSR[DIS]` of BookE.
const DIE: u64 = 0x0400_0000;
const DIS: u64 = 0x0800_0000;

/// Sections one after the other. r5, r7 and r30 hold EE and RI, r6, r8 and r31 RI alone; r7, r8, r30 and r31 whole MSRs.
fn sections(rig: &Rig) -> &'static [&'static str] {
    match rig.family() {
        Family::Book3s64 => &[
            "mtmsrd 5,1",
            "mtmsrd 6,1",
            "mtmsr 7",
            "mtmsrd 31,1",
            "mtmsrd 30,0",
            "mtmsrd 8,0",
            "mtmsrd 30,1",
            "mtmsr 31",
            "mtmsr 30",
            "mtmsrd 5,1",
        ],
        Family::Book3s32 => {
            &["mtmsr 7", "mtsrin 9,10", "mtmsr 8", "mtmsr 30", "mtmsr 31", "mtmsr 7", "mtsrin 31,11", "mtmsr 30"]
        }
        Family::BookE => &[
            "wrtee 5", "wrtee 12", "wrteei 1", "wrteei 0", "mtmsr 7", "mtmsr 8", "wrtee 30", "wrtee 13", "mtmsr 30",
            "mtmsr 31", "wrteei 1",
        ],
    }
}

/// Handler: sets the decrementer to a random number, counts itself in r23, and uses a section too. r22 is the random
/// number, r24 the MSR in a handler with RI, r25 `TSR[DIS]`.
fn handler(family: Family) -> String {
    let (quiet, section, back) = match family {
        Family::Book3s64 => ("", "mtmsrd 24,1", "rfid"),
        Family::Book3s32 => ("", "mtmsr 24", "rfi"),
        Family::BookE => ("mtspr 336,25;", "mtmsr 24", "rfi"),
    };
    format!(
        "mtspr 274,20; mulli 22,22,25173; addi 22,22,13849; rlwinm 20,22,16,25,31; addi 20,20,30; mtspr 22,20; \
         {quiet} addi 23,23,1; {section}; mfspr 20,274; {back}"
    )
}

/// Patches each word from `at` to `end` with a section of its own, which crosses into another page before its word
/// number `split`: interrupts are taken there, and not within a page.
fn patch_apart(rig: &Rig, (at, end): (u64, u64), rooms: &mut u64, split: u64) {
    let mem = &rig.machine.mem;
    for at in (at..end).step_by(4) {
        *rooms += 0x1000;
        let mut room = Trampoline::new(region(mem, rig.order, *rooms - 4 * split, 64));
        assert!(patcher(rig.cpu).run(&mut region(mem, rig.order, at, 1), &mut room, |_| ()).complete());
    }
}

/// Runs `loops` turns of sections; returns how many interrupts came.
fn storm(rig: &mut Rig, loops: u64, split: u64) -> u64 {
    let what = rig.name();
    let rest = rig.msr() & !(msr::EE | msr::RI);
    let (on, off) = (rest | msr::EE | msr::RI, rest | msr::RI);
    // The first interrupt; its handler sees to the next.
    rig.sets(&[(3, DIE), (4, 10)]);
    rig.run(if rig.family() == Family::BookE { "mtspr 340,3; mtspr 22,4" } else { "mtspr 22,4" });
    (0..32).filter(|n| ![1, 2].contains(n)).for_each(|n| rig.set(n, 0x0123_4567_89ab_cdef * (n as u64 | 1)));
    rig.sets(&[(5, msr::EE | msr::RI), (6, msr::RI), (7, on), (8, off), (12, !msr::EE), (13, 0), (30, on), (31, off)]);
    rig.sets(&[(9, 0x20a5_5a5a), (10, 5 << 28), (11, 6 << 28), (22, 1), (23, 0), (24, off), (25, DIS)]);
    let body = sections(rig).join("; ");
    let words = 4 * sections(rig).len() as i64;
    let end = rig.put(CODE, &format!("{body}; bc 16,0,{}", -words));
    let vector = rig.put(DECREMENTER, &handler(rig.family()));
    let mut rooms = ROOM;
    patch_apart(rig, (CODE, end), &mut rooms, split);
    patch_apart(rig, (DECREMENTER, vector), &mut rooms, split);
    let state = &mut rig.vcpu_mut().state;
    (state.lr, state.ctr, state.cr) = (0x1eaf_0000, loops, [1, 2, 3, 4, 5, 6, 7, 8]);
    state.set_xer(0x2000_0007);
    let (cr, lr, xer) = (state.cr, state.lr, state.xer());
    let before: Vec<u64> = (0..32).map(|n| rig.r(n)).collect();
    assert_eq!(rig.start(end), end, "{what}");
    let mut after: Vec<u64> = (0..32).map(|n| rig.r(n)).collect();
    let interrupts = after[23];
    (after[22], after[23]) = (before[22], before[23]);
    assert_eq!(after, before, "{what}");
    let state = &rig.vcpu().state;
    assert_eq!((state.cr, state.lr, state.ctr, state.xer()), (cr, lr, 0, xer), "{what}");
    assert_eq!(rig.msr(), on, "{what}");
    if rig.family() == Family::Book3s32 {
        assert_eq!((rig.field("sr5"), rig.field("sr6")), (0x20a5_5a5a, off), "{what}");
    }
    interrupts
}

/// A million sections of each family where privileged instructions are trapped, and some where they are not; crossing
/// into another page at each of their words.
#[test]
fn case_88_no_interrupt_corrupts_a_register() {
    const LONGEST: u64 = 32;
    for mut rig in kernels() {
        // One model of each family, byte order and width.
        let many = matches!(rig.cpu, Cpu::Power8 | Cpu::Ppc7400 | Cpu::E500v2 | Cpu::E5500);
        let enough: u64 = if many && rig.privileged == Privileged::Trap { 1_000_000 } else { 20_000 };
        let loops = enough.div_ceil(LONGEST * sections(&rig).len() as u64);
        let interrupts: u64 = (1..=LONGEST).map(|split| storm(&mut rig, loops, split)).sum();
        assert!(interrupts > enough / 20, "{}: {interrupts} interrupts", rig.name());
    }
}
