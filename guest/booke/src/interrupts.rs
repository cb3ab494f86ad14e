//! Program interrupts, system calls, timers.

use core::sync::atomic::{AtomicU32, Ordering};

use rt32::code;
use rt32::family::{DECREMENTER, FIXED_INTERVAL, ILLEGAL, INSTRUCTION_STORAGE, PRIVILEGED, PROGRAM, SYSTEM_CALL, TRAP};
use rt32::probe::{Frame, set_handler};
use rt32::report::Report;
use rt32::special::{EE, PR, mfmsr, mfspr, mtmsr, mtspr, timebase};

use crate::special::{CE, SPACE_ONE};
use crate::tlb;

code! {
    system_call: "nop", "sc";
    undefined: ".long 0";
    unknown_spr: "mfspr 3, 150";
    move_from_msr: "mfmsr 3";
    privileged_spr: "mfspr 3, 26";
    user_spr: "mfspr 3, 263";
    one_trap: "nop";
    spin: "1: b 1b";
}

/// Problem state, in address space 1, which maps everything for everybody.
const USER: u32 = PR | SPACE_ONE;

static TICKS: AtomicU32 = AtomicU32::new(0);
static INTERVALS: AtomicU32 = AtomicU32::new(0);

/// All checks.
pub fn run(report: &mut Report) {
    tlb::page(0, 0, tlb::EVERYTHING).size(8).space_one().write_one(1);
    program(report);
    timers(report);
    watchdog(report);
}

fn program(report: &mut Report) {
    let codes = [
        ("case 70: trap", &raw const one_trap, 0, [PROGRAM, TRAP, 4]),
        ("illegal instruction", &raw const undefined, 0, [PROGRAM, ILLEGAL, 0]),
        ("illegal instruction in problem state", &raw const undefined, USER, [PROGRAM, ILLEGAL, 0]),
        ("case 69: unknown SPR", &raw const unknown_spr, 0, [PROGRAM, ILLEGAL, 0]),
        ("case 67: mfmsr in problem state", &raw const move_from_msr, USER, [PROGRAM, PRIVILEGED, 0]),
        ("case 67: mfsrr0 in problem state", &raw const privileged_spr, USER, [PROGRAM, PRIVILEGED, 0]),
        ("fetch without UX", &raw const one_trap, PR, [INSTRUCTION_STORAGE, 0, 0]),
    ];
    for (name, code, bits, want) in codes {
        let before = Frame::new(code).with(bits);
        let after = before.run();
        report.check(name, after.end(&before), want);
        report.check("MSR saved, and cleared", [after.srr1, after.handler_msr], [bits, 0]);
    }
    let before = Frame::new(&raw const system_call).with(USER | CE);
    let after = before.run();
    report.check("sc in problem state", [after.vector, after.srr0 - before.srr0], [SYSTEM_CALL, 8]);
    report.check("CE is kept", after.handler_msr, CE);
    report.check("registers survive an interrupt", (after.gpr, after.ctr), (before.gpr, before.ctr));
    // SAFETY: nobody else uses SPRG7.
    unsafe { mtspr::<279>(0x5bad_cafe) };
    let after = Frame::new(&raw const user_spr).with(USER).run();
    report.check("case 48: SPRG7 by its user name", after.gpr[3], 0x5bad_cafe);
}

/// Counts and clears timer interrupts; the fourth decrementer interrupt ends the probe.
fn count(frame: &mut Frame) -> bool {
    let (counter, status) = match frame.vector {
        DECREMENTER => (&TICKS, 0x800_0000),
        FIXED_INTERVAL => (&INTERVALS, 0x400_0000),
        _ => return false,
    };
    // SAFETY: clears the status.
    unsafe { mtspr::<336>(status) };
    let seen = counter.load(Ordering::Relaxed) + 1;
    counter.store(seen, Ordering::Relaxed);
    if frame.vector == DECREMENTER && seen == 4 {
        // SAFETY: timers off.
        unsafe { mtspr::<340>(0) };
        return false;
    }
    true
}

fn timers(report: &mut Report) {
    const PERIOD: u32 = 0x10_0000;
    // SAFETY: DECAR, DEC, TSR, TCR: auto-reload; fixed interval at timebase bit 16 from below.
    unsafe {
        mtspr::<340>(0);
        mtspr::<22>(0);
        mtspr::<336>(0xffff_ffff);
        mtspr::<54>(PERIOD);
        mtspr::<22>(PERIOD);
        mtspr::<340>(0x04c0_0000 | (63 - 16 & 3) << 24 | (63 - 16 >> 2) << 13);
    }
    report.check("no interrupt with EE off", TICKS.load(Ordering::Relaxed), 0);
    set_handler(Some(count));
    let start = timebase();
    let after = Frame::new(&raw const spin).with(EE).run();
    let passed = timebase().wrapping_sub(start);
    set_handler(None);
    report.check("decrementer with auto-reload", (after.vector, after.handler_msr), (DECREMENTER, 0));
    // The first may have passed before `start`, and the second in part.
    report.check("periods went by", passed >> 20 >= 2, true);
    // A rise each 0x2_0000 ticks: about 32 in the time; some may have come at once.
    report.check("fixed-interval interrupts came", INTERVALS.load(Ordering::Relaxed) > 3, true);
    // SAFETY: timers off.
    unsafe { mtspr::<336>(0xffff_ffff) };
}

/// The watchdog interrupt is critical: EE does not concern it, and the base level's registers stay.
fn watchdog(report: &mut Report) {
    // SAFETY: SPRG2 counts; SRR0 is a mark; WIE at timebase bit 14 from below, no reset.
    unsafe {
        mtspr::<274>(0);
        mtspr::<26>(0x1234_5678);
        mtspr::<340>(0x0800_0000 | (63 - 14 & 3) << 30 | (63 - 14 >> 2) << 17);
        mtmsr(mfmsr() | CE);
    }
    let start = timebase();
    while mfspr::<274>() < 3 && timebase().wrapping_sub(start) < 0x1000_0000 {}
    // SAFETY: off again.
    unsafe {
        mtmsr(mfmsr() & !CE);
        mtspr::<340>(0);
        mtspr::<336>(0xffff_ffff);
    }
    report.check("watchdog interrupts at the critical level", mfspr::<274>() >= 3, true);
    report.check("SRR0 is not theirs", mfspr::<26>(), 0x1234_5678);
}
