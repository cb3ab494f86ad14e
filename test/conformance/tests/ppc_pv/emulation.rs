//! Privileged instructions, their registers, and instructions of units that are off.

use conformance::{CODE, DATA, Rig, TOP, program};
use exec::Vcpu;
use ppc_isa::cpu::{ALTIVEC, Family};
use ppc_isa::operand::operands;
use ppc_isa::row::fact;
use ppc_isa::{Cpu, Row, msr, rows, spr};

use crate::interrupts::{back, kernels, quiet, timer};

/// Status of program interrupts: SRR1 on Book3S, ESR on BookE.
const ILLEGAL: (u64, u64) = (0x8_0000, 0x800_0000);
const PRIVILEGED: (u64, u64) = (0x4_0000, 0x400_0000);
const TRAPPED: (u64, u64) = (0x2_0000, 0x200_0000);

/// What the last program interrupt says of its cause.
fn reported(rig: &Rig) -> u64 {
    if rig.family() == Family::BookE { rig.field("esr") } else { rig.field("srr1") & 0x783f_0000 }
}

/// How `rig` reports a cause.
fn says(rig: &Rig, (srr1, esr): (u64, u64)) -> u64 {
    if rig.family() == Family::BookE { esr } else { srr1 }
}

/// Runs the instruction `word` alone; returns where that ended.
fn word(rig: &mut Rig, word: u32) -> u64 {
    let end = rig.place(CODE, &[word]);
    rig.start(end)
}

#[test]
fn case_63_only_ee_and_ri_change() {
    let safe = msr::EE | msr::RI;
    for mut rig in kernels().filter(|rig| rig.family() == Family::Book3s64) {
        let (long, short) = (program::words("mtmsrd 5,1", true)[0], program::words("mtmsr 5", true)[0] | 1 << 16);
        for instruction in [long, short] {
            for bits in [0, safe, msr::EE, msr::RI, msr::FP | msr::FE0, rig.relocation() | safe] {
                for rs in [0, u64::MAX, msr::EE, msr::RI, !safe] {
                    rig.msr_off(safe | msr::FP | msr::FE0 | rig.relocation());
                    rig.msr_on(bits);
                    let old = rig.msr();
                    rig.set(5, rs);
                    assert_eq!(word(&mut rig, instruction), CODE + 4);
                    assert_eq!(rig.msr(), old & !safe | rs & safe, "{}: {rs:#x}", rig.name());
                }
            }
        }
    }
    // BookE has instructions for EE alone. Book3S-32 has nothing of the kind.
    for mut rig in kernels().filter(|rig| rig.family() == Family::BookE) {
        for bits in [0, safe, msr::CE | msr::ME] {
            for (program, rs, on) in
                [("wrtee 5", !0, true), ("wrtee 5", !msr::EE, false), ("wrteei 1", 0, true), ("wrteei 0", !0, false)]
            {
                rig.set_msr(bits);
                rig.set(5, rs);
                rig.run(program);
                assert_eq!(rig.msr(), bits & !msr::EE | if on { msr::EE } else { 0 }, "{}: {program}", rig.name());
            }
        }
    }
}

/// Ticks of virtual time.
const SOON: u64 = 100_000;

/// Instructions that switch the processor off by r5.
fn naps(rig: &Rig) -> &'static [&'static str] {
    if rig.family() == Family::Book3s64 { &["mtmsr 5", "mtmsrd 5,0"] } else { &["mtmsr 5"] }
}

/// POW, which is WE on BookE: the time until the decrementer's interrupt is slept away.
#[test]
fn case_64_pow_blocks_and_is_gone_afterwards() {
    for (enabled, which) in [(0, 0), (msr::EE, 0), (0, 1), (msr::EE, 1)] {
        for mut rig in kernels() {
            let Some(nap) = naps(&rig).get(which) else { continue };
            let (quiet, back) = (quiet(&mut rig), back(&rig));
            rig.put(0x900, &format!("load 16,@srr0; load 17,@srr1; {quiet}; {back}"));
            let timer = timer(&mut rig, SOON);
            let after = CODE + 4 * (timer.split(';').count() as u64 + 1);
            let msr = rig.msr() | enabled;
            rig.sets(&[(5, msr | msr::POW), (16, 0), (17, 0)]);
            let before = rig.vcpu().state.timebase_offset;
            rig.run(&format!("{timer}; {nap}; mfmsr 6; load 7,@msr"));
            let slept = rig.vcpu().state.timebase_offset - before;
            assert!((SOON - 100..=SOON).contains(&slept), "{}: {slept} ticks", rig.name());
            assert_eq!((rig.r(6), rig.r(7)), (msr, msr), "{}", rig.name());
            let saved = if enabled == 0 { (0, 0) } else { (after, msr) };
            assert_eq!((rig.r(16), rig.r(17)), saved, "{}", rig.name());
        }
    }
}

#[test]
fn case_65_pow_does_not_block_while_something_is_pending() {
    for mut rig in kernels() {
        rig.line.set(true);
        for nap in naps(&rig) {
            for enabled in [0, msr::EE] {
                rig.msr_off(msr::EE);
                let msr = rig.msr() | enabled;
                rig.set(5, msr | msr::POW);
                let before = rig.vcpu().state.timebase_offset;
                let at = rig.ends(&format!("{nap}; mfmsr 6"));
                assert_eq!(rig.vcpu().state.timebase_offset, before, "{}", rig.name());
                if enabled == 0 {
                    assert_eq!((at, rig.r(6)), (CODE + 8, msr), "{}", rig.name());
                } else {
                    let saved = (rig.field("srr0"), rig.field("srr1"));
                    assert_eq!((at, saved), (0x500, (CODE + 4, msr)), "{}", rig.name());
                }
            }
        }
    }
}

/// The page is read with relocation on, then from problem state at once; the handler sees it again.
#[test]
fn case_66_the_return_to_problem_state_hides_the_page() {
    for mut rig in kernels() {
        let vectors: &[u64] = if rig.family() == Family::BookE { &[0x1300] } else { &[0x300, 0x380] };
        vectors.iter().for_each(|vector| _ = rig.put(*vector, "load 9,@sprg0; tw 31,0,0"));
        rig.msr_on(rig.relocation());
        rig.set_field("sprg0", 0x1234_5678);
        rig.sets(&[(5, CODE + 20), (6, rig.msr() | msr::PR), (8, 0), (9, 0)]);
        let back = back(&rig);
        let at =
            rig.ends(&format!("load 7,@sprg0; load 4,@sprg0; store 5,@srr0; store 6,@srr1; {back}; load 8,@sprg0"));
        assert!(vectors.contains(&(at - 4)), "{}: {at:#x}", rig.name());
        let ea = if rig.family() == Family::Book3s64 { TOP + 0x20 } else { 0xffff_f020 };
        assert_eq!([4, 7, 8, 9].map(|n| rig.r(n)), [0x1234_5678, 0x1234_5678, 0, 0x1234_5678], "{}", rig.name());
        assert_eq!((rig.field("srr0"), rig.field("dar") & !7), (CODE + 20, ea), "{}", rig.name());
        assert_ne!(rig.field("srr1") & msr::PR, 0);
    }
}

/// `row` with different registers for its operands.
fn instruction(row: &'static Row) -> u32 {
    let word = (3..).zip(operands(row)).fold(row.value, |word, (n, operand)| {
        let value = if operand.is_register() { n } else { 0 };
        operand.set(word, value).unwrap_or(word)
    });
    // No privileged instruction has a prefix.
    word.try_into().unwrap()
}

/// Checks that the instruction at `CODE`, which has just ended in a program interrupt, had no effect since `before`.
fn only_refused(rig: &Rig, before: &Vcpu, what: &str) {
    let quiet = |vcpu: &Vcpu| {
        let mut vcpu = vcpu.clone();
        vcpu.set_msr(before.shared.msr());
        vcpu.shared.set_srr0(0);
        vcpu.shared.set_srr1(0);
        vcpu.shared.set_esr(0);
        vcpu.state.cia = 0;
        vcpu
    };
    assert!(quiet(rig.vcpu()) == quiet(before), "{}: {what} had an effect", rig.name());
    assert_eq!(rig.field("srr0"), CODE, "{}: {what}", rig.name());
}

/// Those of the hypervisor too, which are privileged for problem state. What is privileged by the number of a register:
/// case 68 and 69.
#[test]
fn case_67_problem_state_has_no_privileged_instructions() {
    for mut rig in kernels() {
        rig.msr_on(msr::PR);
        let start = rig.msr();
        let cpu = rig.cpu;
        let own = rows().filter(|row| row.models.contains(cpu) && row.is(fact::PRIV | fact::HV));
        let mut count = 0;
        for row in own {
            rig.set_msr(start);
            let before = rig.vcpu().clone();
            assert_eq!(word(&mut rig, instruction(row)), 0x700, "{}: {}", rig.name(), row.name);
            assert_eq!(reported(&rig), says(&rig, PRIVILEGED), "{}: {}", rig.name(), row.name);
            only_refused(&rig, &before, row.name);
            count += 1;
        }
        // rfi, mtmsr, mfmsr, tlbie or tlbwe and more.
        assert!(count >= 10, "{}: {count}", rig.name());
        if rig.family() == Family::BookE {
            // Each monitor register has a privileged name, and another one for problem state.
            rig.set_msr(start);
            assert_eq!((rig.ends("mfpmr 3,16"), reported(&rig)), (0x700, says(&rig, PRIVILEGED)), "{}", rig.name());
            rig.set_msr(start);
            rig.run("mfpmr 3,0");
        }
    }
}

/// `mfspr 5,number` and `mtspr number,5`.
fn moves(number: u16) -> [u32; 2] {
    let n = i64::from(number);
    [format!("mfspr 5,{n}"), format!("mtspr {n},5")].map(|text| program::words(&text, false)[0])
}

/// SPR numbers that mean nothing on `rig`.
fn unknown(rig: &Rig) -> Vec<u16> {
    let known = |number: u16| match rig.family() {
        // Power ISA reserves these for no operation, in problem state too.
        Family::Book3s64 => (808..=811).contains(&number),
        Family::Book3s32 => false,
        // IVOR0 to IVOR15, IVOR32 to IVOR35.
        Family::BookE => (400..=415).contains(&number) || (528..=531).contains(&number),
    };
    (0..1024).filter(|number| spr::of(rig.cpu, *number).is_none() && !known(*number)).collect()
}

/// A number with bit 4 set is of a privileged register, whether there is such a one or not.
fn refused_to_problem_state(rig: &mut Rig, number: u16) {
    let cause = if number & 0x10 != 0 { PRIVILEGED } else { ILLEGAL };
    rig.msr_on(msr::PR);
    let start = rig.msr();
    for instruction in moves(number) {
        rig.set_msr(start);
        let before = rig.vcpu().clone();
        let what = format!("SPR {number}, {instruction:#x}");
        assert_eq!(word(rig, instruction), 0x700, "{}: {what}", rig.name());
        assert_eq!(reported(rig), says(rig, cause), "{}: {what}", rig.name());
        only_refused(rig, &before, &what);
    }
    rig.msr_off(msr::PR);
}

#[test]
fn case_68_unknown_registers_of_book3s_read_as_zero() {
    for mut rig in kernels().filter(|rig| rig.family() != Family::BookE) {
        let numbers = unknown(&rig);
        // What no model has ever had: 2, 7, 600; and what BookE has: TCR.
        assert!([0, 2, 4, 5, 6, 7, 340, 600].iter().all(|number| numbers.contains(number)), "{}", rig.name());
        for number in numbers {
            let [reads, writes] = moves(number);
            let what = format!("{}: SPR {number}", rig.name());
            let start = rig.msr();
            rig.set(5, 0x5a5a);
            if [0, 4, 5, 6].contains(&number) {
                assert_eq!((word(&mut rig, reads), rig.r(5)), (0x700, 0x5a5a), "{what}");
                assert_eq!((reported(&rig), rig.field("srr0")), (ILLEGAL.0, CODE), "{what}");
                rig.set_msr(start);
            } else {
                assert_eq!((word(&mut rig, reads), rig.r(5)), (CODE + 4, 0), "{what}");
            }
            rig.set(5, 0x5a5a);
            if number == 0 {
                assert_eq!((word(&mut rig, writes), reported(&rig)), (0x700, ILLEGAL.0), "{what}");
                rig.set_msr(start);
            } else {
                let mut before = rig.vcpu().clone();
                assert_eq!(word(&mut rig, writes), CODE + 4, "{what}");
                (before.state.cia, before.state.retired) = (CODE + 4, rig.vcpu().state.retired);
                assert!(*rig.vcpu() == before, "{what}: the write had an effect");
            }
            refused_to_problem_state(&mut rig, number);
        }
        // Known registers that are privileged: SRR0, SPRG0, PVR, PIR.
        [26, 272, 287, 1023].iter().for_each(|number| refused_to_problem_state(&mut rig, *number));
    }
}

#[test]
fn case_69_unknown_registers_of_booke_are_illegal() {
    for mut rig in kernels().filter(|rig| rig.family() == Family::BookE) {
        let numbers = unknown(&rig);
        assert!([0, 2, 18, 19, 25, 150, 344, 345, 350, 1000].iter().all(|number| numbers.contains(number)));
        for number in numbers {
            let start = rig.msr();
            for instruction in moves(number) {
                rig.set_msr(start);
                let before = rig.vcpu().clone();
                let what = format!("SPR {number}, {instruction:#x}");
                assert_eq!(word(&mut rig, instruction), 0x700, "{}: {what}", rig.name());
                assert_eq!(rig.field("esr"), ILLEGAL.1, "{}: {what}", rig.name());
                only_refused(&rig, &before, &what);
            }
            rig.set_msr(start);
            refused_to_problem_state(&mut rig, number);
        }
        [26, 272, 287, 340].iter().for_each(|number| refused_to_problem_state(&mut rig, *number));
    }
}

/// r3 is -1, r4 is 1: less as signed numbers, greater as unsigned ones.
#[test]
fn case_70_a_trap_stays_where_it_is() {
    let traps = [
        ("tw 31,0,0", "", true),
        ("tw 16,3,4", "td 16,3,4", true),
        ("tw 8,3,4", "td 8,3,4", false),
        ("tw 1,3,4", "td 1,3,4", true),
        ("tw 2,3,4", "td 2,3,4", false),
        ("tw 4,3,4", "td 4,3,4", false),
        ("tw 4,4,4", "td 4,4,4", true),
        ("twi 4,3,-1", "tdi 4,3,-1", true),
        ("twi 8,4,0", "tdi 8,4,0", true),
        ("twi 16,4,1", "tdi 16,4,1", false),
        ("tw 0,0,0", "", false),
    ];
    for mut rig in kernels() {
        let start = rig.msr();
        for (narrow, wide, taken) in traps {
            for problem in [0, msr::PR] {
                for trap in [narrow, wide].into_iter().filter(|trap| !trap.is_empty()) {
                    if trap == wide && !rig.wide() {
                        continue;
                    }
                    rig.set_msr(start | problem);
                    rig.sets(&[(3, u64::MAX), (4, 1)]);
                    let at = rig.ends(&format!("nop; {trap}; nop"));
                    let what = format!("{}: {trap}", rig.name());
                    if taken {
                        let saved = (rig.field("srr0"), reported(&rig));
                        assert_eq!((at, saved), (0x700, (CODE + 4, says(&rig, TRAPPED))), "{what}");
                    } else {
                        assert_eq!(at, CODE + 12, "{what}");
                    }
                }
            }
        }
    }
}

/// A page that only this test maps, in the first segment.
const EA: u64 = 0x50_0000;
const FIRST: u64 = DATA;
const SECOND: u64 = DATA + 0x1000;

/// The instruction that takes the translation of `EA` from all processors. r7 and r8 are its operands.
fn shootdown(rig: &mut Rig) -> &'static str {
    match rig.cpu {
        // PID 0 and IS, AP of 4 KiB; RIC of the TLB alone, PRS and R of a process by radix.
        Cpu::Power9 | Cpu::Power10 | Cpu::Power10Mma => {
            rig.sets(&[(7, EA), (8, 0)]);
            "tlbie 7,8,0,1,1"
        }
        // The virtual page: the segment's VSID is 0x100.
        Cpu::Power8 => {
            rig.sets(&[(7, 0x100 << 28 | EA), (8, 0)]);
            "tlbie 7,8,0,0,0"
        }
        _ if rig.family() == Family::Book3s32 => {
            rig.set(7, EA);
            "tlbie 7,0,0,0,0"
        }
        // TLB0, one address.
        _ => {
            rig.set(7, 0x5000_0000);
            "tlbivax 0,7"
        }
    }
}

/// The processor whose translation is stale is not the one that says so.
#[test]
fn case_71_tlbie_reaches_every_processor() {
    for mut rig in kernels() {
        let booke = rig.family() == Family::BookE;
        // BookE has the first 16 MiB in one entry.
        let ea = if booke { 0x5000_0000 } else { EA };
        rig.poke(FIRST, 1);
        rig.poke(SECOND, 2);
        rig.translate(ea, FIRST);
        rig.msr_on(rig.relocation());
        rig.set(9, ea);
        let mut other = rig.another();
        rig.swap(&mut other);
        assert_eq!((rig.run("lwz 3,0(9)").r(3), rig.vcpu().state.pir), (1, 1), "{}", rig.name());
        rig.swap(&mut other);
        assert_eq!(rig.run("lwz 3,0(9)").r(3), 1, "{}", rig.name());
        if !booke {
            rig.translate(ea, SECOND);
        }
        let program = shootdown(&mut rig);
        rig.run(&format!("{program}; sync 0"));
        for _ in 0..2 {
            rig.set(3, 0);
            // On BookE the entry itself is gone.
            let expected = if booke { (0x1300, 0) } else { (CODE + 4, 2) };
            assert_eq!((rig.ends("lwz 3,0(9)"), rig.r(3)), expected, "{}: {}", rig.name(), rig.vcpu().state.pir);
            rig.swap(&mut other);
        }
    }
}

/// Clears bits of a status register in two steps: first none of those that are up. Returns what it reads as before,
/// between and after.
fn cleared(rig: &mut Rig, number: u16, bit: u64) -> [u64; 3] {
    rig.sets(&[(10, !bit & 0xffff_ffff), (11, bit)]);
    let n = number;
    rig.run(&format!("mfspr 3,{n}; mtspr {n},10; mfspr 4,{n}; mtspr {n},11; mfspr 5,{n}"));
    [3, 4, 5].map(|n| rig.r(n) & bit)
}

/// BookE alone has these.
#[test]
fn case_72_status_is_cleared_by_ones_and_wrc_stays() {
    /// `TSR[DIS]`; `DBSR[ICMP]`, which has the place of `DBCR0[ICMP]`; `DBCR0[IDM]`.
    const DIS: u64 = 0x800_0000;
    const ICMP: u64 = 0x800_0000;
    const IDM: u64 = 0x4000_0000;
    for mut rig in kernels().filter(|rig| rig.family() == Family::BookE) {
        let what = rig.name();
        let timer = timer(&mut rig, 5);
        rig.set(31, 50);
        rig.run(&format!("{timer}; mtspr 9,31; bc 16,0,0"));
        assert_eq!(cleared(&mut rig, 336, DIS), [DIS, DIS, 0], "{what}: TSR");

        // An instruction completes with debug events on; the interrupt ends that.
        rig.set(8, ICMP | IDM);
        rig.run("mtspr 308,8");
        rig.msr_on(msr::DE);
        assert_eq!(rig.ends("nop; nop"), 0xd00, "{what}");
        assert_eq!(cleared(&mut rig, 304, ICMP), [ICMP, ICMP, 0], "{what}: DBSR");

        // A load from where nothing answers. e500v2: bus read address error; e5500: error report of a load.
        rig.translate(0x5000_0000, 0x4000_0000);
        rig.set_msr(msr::ME);
        rig.set(9, 0x5000_0000);
        assert_eq!(rig.ends("lwz 3,0(9)"), 0x200, "{what}");
        let bit = if rig.cpu == Cpu::E500v2 { 0x40 } else { 0x8000 };
        assert_eq!(cleared(&mut rig, 572, bit), [bit, bit, 0], "{what}: MCSR");

        // WRC keeps its first value that is not zero.
        for (value, reads) in
            [(0x400_0000, 0x400_0000), (0x1000_0000, 0x1000_0000), (0x2400_0000, 0x1400_0000), (0, 0x1000_0000)]
        {
            rig.set(6, value);
            assert_eq!(rig.run("mtspr 340,6; mfspr 7,340").r(7), reads, "{what}: TCR {value:#x}");
        }
    }
}

/// An instruction, the MSR bits that it needs, the vector without them, ESR. `None`: the model does not have it.
fn units(rig: &Rig) -> [(&'static str, u64, Option<u64>, u64); 5] {
    let float = (rig.cpu != Cpu::E500v2).then_some(0x800);
    let vector = ALTIVEC.contains(rig.cpu).then_some(0xf20);
    let vsx = (rig.family() == Family::Book3s64).then_some(0xf40);
    let spe = (rig.cpu == Cpu::E500v2).then_some(0xf20);
    [
        ("fadd 1,2,3", msr::FP, float, 0),
        ("lfd 1,0(9)", msr::FP, float, 0),
        ("vaddubm 1,2,3", msr::VEC, vector, 0x80),
        ("xxlor 1,2,3", msr::VSX, vsx, 0),
        ("evaddw 3,4,5", msr::SPE, spe, 0x80),
    ]
}

#[test]
fn case_73_units_that_are_off() {
    for mut rig in kernels() {
        let start = rig.msr();
        rig.set(9, DATA);
        for (instruction, bit, vector, esr) in units(&rig) {
            for problem in [0, msr::PR] {
                let what = format!("{}: {instruction}", rig.name());
                rig.set_field("esr", 0);
                rig.set_msr(start | problem);
                let at = rig.ends(instruction);
                let Some(vector) = vector else {
                    // AltiVec has other instructions where SPE has its own.
                    if bit != msr::SPE || !ALTIVEC.contains(rig.cpu) {
                        assert_eq!((at, reported(&rig)), (0x700, says(&rig, ILLEGAL)), "{what}");
                    }
                    continue;
                };
                assert_eq!((at, rig.field("srr0")), (vector, CODE), "{what}");
                if rig.family() == Family::BookE {
                    assert_eq!(rig.field("esr"), esr, "{what}");
                }
                rig.set_msr(start | problem | bit);
                rig.run(instruction);
                assert!(rig.exits.is_empty(), "{what}: {:x?}", rig.exits);
            }
        }
    }
}

#[test]
fn case_74_pir_is_the_number_of_the_processor() {
    for mut rig in kernels() {
        let number = if rig.family() == Family::BookE { 286 } else { 1023 };
        let mut other = rig.another();
        for pir in 0..2 {
            // It is not changed by writing.
            rig.set(5, 99);
            rig.run(&format!("mtspr {number},5; mfspr 20,{number}"));
            rig.map(TOP, TOP | 1);
            rig.run("lwz 4,@pir");
            assert_eq!((rig.r(20), rig.r(4)), (pir, pir), "{}", rig.name());
            rig.swap(&mut other);
        }
    }
}
