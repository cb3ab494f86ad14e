//! Sections, executed: exits are exactly those that the interface allows (spec ppc-pv 4.4 to 4.8).

use conformance::{CODE, Rig};
use exec::Privileged;
use ppc_isa::cpu::Family;
use ppc_isa::{Cpu, msr};

use super::{Bench, Done, GLOBALS, STACK, kernels, with_rs};

const MTMSRD_1: u32 = 0x7c01_0164;
const MTMSR: u32 = 0x7c00_0124;
const MTMSRD_0: u32 = 0x7c00_0164;
const WRTEE: u32 = 0x7c00_0106;
const WRTEEI_1: u32 = 0x7c00_8146;
const WRTEEI_0: u32 = 0x7c00_0146;
const MTSRIN: u32 = 0x7c00_01e4;
const EE_RI: u64 = msr::EE | msr::RI;

/// RS of every kind: plain ones, those that sections use.
const SOURCES: [usize; 6] = [0, 3, 5, 29, 30, 31];

/// The processor's registers but the page's, as the guest sees them.
fn registers(rig: &Rig) -> (Vec<u64>, [u8; 8], u64, u64, u64) {
    let state = &rig.vcpu().state;
    ((0..32).map(|n| rig.r(n)).collect(), state.cr, state.lr, state.ctr, state.xer())
}

/// Runs `word` patched from a fresh state with the given MSR bits among EE and RI, and registers; an interrupt may wait,
/// whose handler counts itself in r20. Checks what every section leaves behind: registers, `critical`.
#[track_caller]
fn run(bench: &mut Bench, word: u32, bits: u64, waiting: bool, set: &[(usize, u64)]) -> Done {
    let rig = bench.reset();
    rig.msr_off(EE_RI);
    rig.msr_on(bits);
    rig.line.one_shot.store(true, std::sync::atomic::Ordering::Release);
    rig.line.set(waiting);
    rig.set(20, 0);
    rig.sets(set);
    let state = &mut rig.vcpu_mut().state;
    (state.lr, state.ctr, state.cr) = (0x1eaf_0000, 0xc0de_0000, [1, 2, 3, 4, 5, 6, 7, 8]);
    state.set_xer(0x2000_0007);
    let mut before = registers(rig);
    let done = bench.patched(word);
    let rig = &bench.rig;
    let what = format!("{} {word:08x} {bits:x} {waiting} {set:x?}", rig.name());
    if done.at == CODE + 4 {
        before.0[20] = rig.r(20);
        assert_eq!(registers(rig), before, "{what}");
    }
    if rig.r(20) != 0 {
        assert_eq!(rig.peek(rig.field("srr0") - 4), word, "{what}: interrupted behind the instruction");
    }
    assert_eq!(rig.seen(rig.field("critical")), GLOBALS, "{what}");
    assert_ne!(GLOBALS, STACK);
    done
}

/// Old and new EE and RI, and whether an interrupt waits, which it does only while EE is off.
fn changes() -> impl Iterator<Item = (u64, u64, bool)> {
    let bits = [0, msr::EE, msr::RI, EE_RI];
    bits.into_iter().flat_map(move |old| {
        bits.into_iter().flat_map(move |new| {
            [false, true].into_iter().filter(move |waits| !waits || old & msr::EE == 0).map(move |w| (old, new, w))
        })
    })
}

/// Benches with a handler of external interrupts, which returns.
fn benches(wanted: impl Fn(&Rig) -> bool) -> impl Iterator<Item = Bench> {
    kernels().filter(wanted).map(|mut rig| {
        let back = if rig.family() == Family::Book3s64 { "rfid" } else { "rfi" };
        rig.put(0x500, &format!("addi 20,20,1; {back}"));
        Bench::new(rig)
    })
}

/// What is allowed: one exit to let an interrupt in, and the handler's return.
#[track_caller]
fn lets_in(bench: &Bench, done: &Done, taken: bool, what: &str) {
    let taken = u32::from(taken);
    let expected = Done { at: CODE + 4, exits: bench.trapped(taken), others: bench.trapped(taken) };
    assert_eq!((done, bench.rig.r(20)), (&expected, taken.into()), "{what}");
}

#[test]
fn case_79_80_section_a_changes_ee_and_ri_and_lets_interrupts_in() {
    for mut bench in benches(|rig| rig.has("mtmsrd")) {
        for (old, new, waiting) in changes() {
            for rs in SOURCES {
                // Other bits of rS do not count.
                for value in [new, !new & !EE_RI | new] {
                    let what = format!("{} r{rs} {old:x} -> {value:x} {waiting}", bench.rig.name());
                    let done = run(&mut bench, with_rs(MTMSRD_1, rs), old, waiting, &[(rs, value)]);
                    lets_in(&bench, &done, waiting && new & msr::EE != 0, &what);
                    assert_eq!(bench.rig.msr() & EE_RI, new, "{what}");
                    assert_eq!((bench.rig.msr() ^ bench.fresh.shared.msr()) & !EE_RI, 0, "{what}");
                }
            }
        }
    }
}

#[test]
fn case_78_80_section_b_exits_for_no_change_of_ee_and_ri() {
    for mut bench in benches(|_| true) {
        let rest = bench.fresh.shared.msr() & !EE_RI;
        let words = [Some(MTMSR), bench.rig.has("mtmsrd").then_some(MTMSRD_0)];
        for (old, new, waiting) in changes() {
            for (rs, word) in SOURCES.into_iter().flat_map(|rs| words.iter().flatten().map(move |word| (rs, *word))) {
                let what = format!("{} {word:x} r{rs} {old:x} -> {new:x} {waiting}", bench.rig.name());
                let done = run(&mut bench, with_rs(word, rs), old, waiting, &[(rs, rest | new)]);
                lets_in(&bench, &done, waiting && new & msr::EE != 0, &what);
                assert_eq!(bench.rig.msr(), rest | new, "{what}");
            }
        }
    }
}

/// Any other bit is for the instruction itself, which does then what it does unpatched.
#[test]
fn case_78_section_b_exits_once_for_any_other_bit() {
    for mut bench in benches(|rig| rig.privileged == Privileged::Trap) {
        let words = [Some(MTMSR), bench.rig.has("mtmsrd").then_some(MTMSRD_0)];
        for word in words.into_iter().flatten() {
            let width = if bench.rig.wide() { 64 } else { 32 };
            // TGPR exchanges r0 to r3, which is to be seen.
            let exchanges = if bench.rig.cpu == Cpu::Ppc603 { msr::TGPR } else { 0 };
            for bit in (0..width).map(|n| 1 << n).filter(|bit| (EE_RI | exchanges) & bit == 0) {
                for rs in [5, 30, 31] {
                    let word = with_rs(word, rs);
                    let what = format!("{} {word:08x} {bit:x}", bench.rig.name());
                    // Something is pending when the processor is switched off; EE keeps it out.
                    let (waiting, value) = (bit == msr::POW, bench.fresh.shared.msr() & !EE_RI ^ bit);
                    let done = run(&mut bench, word, msr::RI, waiting, &[(rs, value)]);
                    let patched = (done.at, bench.rig.msr(), registers(&bench.rig));
                    assert_eq!(done.exits, 1, "{what}");
                    // The branch back is traced, and unpatched there is none.
                    if bit & (msr::SE | msr::BE) != 0 && bench.rig.family() != Family::BookE {
                        continue;
                    }
                    let rig = bench.reset();
                    rig.msr_off(EE_RI);
                    rig.msr_on(msr::RI);
                    rig.line.set(waiting);
                    rig.sets(&[(20, 0), (rs, value)]);
                    let state = &mut rig.vcpu_mut().state;
                    (state.lr, state.ctr, state.cr) = (0x1eaf_0000, 0xc0de_0000, [1, 2, 3, 4, 5, 6, 7, 8]);
                    state.set_xer(0x2000_0007);
                    let done = bench.unpatched(word);
                    assert_eq!((done.at, bench.rig.msr(), registers(&bench.rig)), patched, "{what}");
                }
            }
        }
    }
}

#[test]
fn case_79_80_82_section_c_changes_ee_and_lets_interrupts_in() {
    for mut bench in benches(|rig| rig.family() == Family::BookE) {
        let rest = bench.fresh.shared.msr() & !EE_RI;
        for (old, new, waiting) in changes() {
            let expected = rest | old & msr::RI | new & msr::EE;
            for rs in SOURCES {
                for value in [new, !new & !msr::EE | new & msr::EE] {
                    let what = format!("{} wrtee r{rs} {old:x} -> {value:x} {waiting}", bench.rig.name());
                    let done = run(&mut bench, with_rs(WRTEE, rs), old, waiting, &[(rs, value)]);
                    lets_in(&bench, &done, waiting && new & msr::EE != 0, &what);
                    assert_eq!(bench.rig.msr(), expected, "{what}");
                }
            }
            // The constant is the same as a register that holds it.
            let what = format!("{} wrteei 1 {old:x} {waiting}", bench.rig.name());
            let done = run(&mut bench, WRTEEI_1, old, waiting, &[]);
            lets_in(&bench, &done, waiting, &what);
            assert_eq!(bench.rig.msr(), rest | old & msr::RI | msr::EE, "{what}");
        }
    }
}

#[test]
fn case_81_section_d_never_exits() {
    for mut bench in benches(|rig| rig.family() == Family::BookE) {
        for (old, _, waiting) in changes() {
            let done = run(&mut bench, WRTEEI_0, old, waiting, &[]);
            lets_in(&bench, &done, false, &bench.rig.name());
            let msr = bench.fresh.shared.msr() & !EE_RI | old & msr::RI;
            assert_eq!(bench.rig.msr(), msr, "{} {old:x}", bench.rig.name());
        }
    }
}

#[test]
fn case_80_83_section_e_stores_segment_registers_in_real_mode() {
    for mut bench in benches(|rig| rig.family() == Family::Book3s32) {
        for (rs, rb) in SOURCES.into_iter().flat_map(|rs| SOURCES.map(|rb| (rs, rb))) {
            for n in 0..16_usize {
                for relocation in [0, msr::IR, msr::DR, msr::IR | msr::DR] {
                    let word = with_rs(MTSRIN, rs) | (rb as u32) << 11;
                    let what = format!("{} r{rs},r{rb} {n} {relocation:x}", bench.rig.name());
                    let index = (n as u64) << 28 | 0x0fed_cba9;
                    // With one register for both, the index is the value.
                    let value = if rs == rb { index } else { 0x20a5_0000 + n as u64 };
                    let before = segments(&bench.fresh.shared);
                    let done = run(&mut bench, word, relocation, true, &[(rs, value), (rb, index)]);
                    let exits = bench.trapped(u32::from(relocation != 0));
                    assert_eq!(done, Done { at: CODE + 4, exits, others: 0 }, "{what}");
                    let expected: [u64; 16] = std::array::from_fn(|m| if m == n { value } else { before[m] });
                    assert_eq!(segments(&bench.rig.vcpu().shared), expected, "{what}");
                    // What the page holds is in force with relocation on.
                    bench.rig.msr_on(bench.rig.relocation());
                    let inforce = bench.rig.vcpu().state.book3s32.segments;
                    assert_eq!(inforce.map(u64::from), expected, "{what}");
                }
            }
        }
    }
}

fn segments(page: &exec::SharedPage) -> [u64; 16] {
    std::array::from_fn(|n| page.segment(n).into())
}

/// `run` looks at `critical` after each; here every section with every word that leads to it.
#[test]
fn case_84_a_section_leaves_critical_and_msr_behind() {
    for mut bench in benches(|_| true) {
        let rest = bench.fresh.shared.msr() & !EE_RI;
        let booke = bench.rig.family() == Family::BookE;
        let server = bench.rig.has("mtmsrd");
        for (old, new, waiting) in changes() {
            let ee = rest | old & msr::RI | new & msr::EE;
            let all = [
                (MTMSR, rest | new, true),
                (MTMSRD_0, rest | new, server),
                (MTMSRD_1, rest | new, server),
                (WRTEE, ee, booke),
                (WRTEEI_1, rest | old | msr::EE, booke),
                (WRTEEI_0, rest | old & msr::RI, booke),
                (MTSRIN, rest | old, bench.rig.family() == Family::Book3s32),
            ];
            for (word, msr, _) in all.into_iter().filter(|(.., there)| *there) {
                let with = if word & 0xfff == 0x146 { word } else { with_rs(word, 7) };
                let done = run(&mut bench, with, old, waiting, &[(7, rest | new)]);
                assert_eq!((done.at, bench.rig.msr()), (CODE + 4, msr), "{} {word:x}", bench.rig.name());
            }
        }
    }
}
