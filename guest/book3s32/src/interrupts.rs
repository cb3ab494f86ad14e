//! Interrupts and what they leave, registers, single instructions, the decrementer.

use core::sync::atomic::{AtomicU32, Ordering};

use rt32::code;
use rt32::family::{ILLEGAL, NEVER, PRIVILEGED, TRAP, set_decrementer};
use rt32::probe::{Frame, set_handler};
use rt32::report::Report;
use rt32::special::{mfmsr, mfspr, mtmsr, mtspr, timebase};

use crate::machine;
use crate::special::msr;

code! {
    nothing: "nop";
    undefined: ".long 0";
    system_call: "sc";
    read_msr: "mfmsr 3";
    read_spr_0: ".long 0x7c6002a6";
    read_spr_26: "mfsrr0 3";
    read_unknown_spr: ".long 0x7c7f72a6";
    float: ".long 0xfc21082a";
    vector_unit: ".long 0x1025038c";
    load_multiple: "lmw 29, 2(4)";
    load_double: ".long 0xc8e40002";
    load_word: "lwz 5, 0(4)";
    clear_block: "dcbz 0, 4";
    xer_to_cr: ".long 0x7e800400";
    reserve: "lwarx 5, 0, 4", "addi 5, 5, 1", "stwcx. 5, 0, 4", "stwcx. 5, 0, 4";
    string: "lswi 5, 4, 7", "addi 4, 4, 8", "stswi 5, 4, 7";
}

/// An area for the probes' data, aligned to a cache block.
#[repr(C, align(64))]
struct Area([u32; 32]);

/// Ticks of any timebase that are more than a handler needs.
const SOON: u32 = 500_000;
/// How long an interrupt that is due may take, on a host that is busy elsewhere.
const LATEST: u32 = 400 * SOON;

static TICKS: AtomicU32 = AtomicU32::new(0);

/// Counts decrementer interrupts and leaves the decrementer alone.
fn count(frame: &mut Frame) -> bool {
    if frame.vector == 0x900 {
        TICKS.fetch_add(1, Ordering::Relaxed);
    }
    frame.vector == 0x900
}

/// Waits for a decrementer interrupt and for another one; returns how many came.
fn taken() -> u32 {
    let start = timebase();
    while TICKS.load(Ordering::Relaxed) == 0 && timebase().wrapping_sub(start) < LATEST {}
    wait(SOON);
    TICKS.swap(0, Ordering::Relaxed)
}

fn wait(ticks: u32) {
    let start = timebase();
    while timebase().wrapping_sub(start) < ticks {}
}

/// All checks of this file.
pub fn run(report: &mut Report) {
    program(report);
    units(report);
    alignment(report);
    instructions(report);
    registers(report);
    decrementer(report);
}

fn program(report: &mut Report) {
    let mut probe = |name: &str, before: Frame, vector: u32, reason: u32, distance: u32| {
        report.check(name, before.run().end(&before), [vector, reason, distance]);
    };
    probe("case 70: trap", Frame::new(&raw const nothing), 0x700, TRAP, 4);
    probe("trap in problem state", Frame::new(&raw const nothing).with(msr::PR), 0x700, TRAP, 4);
    probe("an illegal instruction", Frame::new(&raw const undefined), 0x700, ILLEGAL, 0);
    let before = Frame::new(&raw const read_msr).with(msr::PR);
    probe("case 67: mfmsr in problem state", before, 0x700, PRIVILEGED, 0);
    let before = Frame::new(&raw const read_spr_26).with(msr::PR);
    probe("case 67: mfspr of a privileged SPR", before, 0x700, PRIVILEGED, 0);
    if machine::is_mac() {
        report.skip("case 68: unknown SPRs", "a processor may do as it likes with them");
    } else {
        probe("case 68: SPR 0", Frame::new(&raw const read_spr_0), 0x700, ILLEGAL, 0);
        let after = Frame::new(&raw const read_unknown_spr).run();
        report.check("case 68: an unknown SPR reads as zero", (after.finished(), after.gpr[3]), (true, 0));
    }
    let before = Frame::new(&raw const system_call).with(msr::PR | msr::FP | msr::SE);
    let after = before.run();
    report.check("a system call", after.end(&before), [0xc00, 0, 4]);
    report.check("case 59: SRR1 is the MSR", after.srr1, before.srr1);
    report.check("case 60: ME alone is left", after.handler_msr, msr::ME);
    let before = Frame::new(&raw const nothing).with(msr::SE);
    let after = before.run();
    report.check("trace", [after.vector, after.srr0 - before.srr0], [0xd00, 4]);
    report.check("all registers survive", (after.gpr, after.cr, after.ctr), (before.gpr, before.cr, before.ctr));
}

fn units(report: &mut Report) {
    let before = Frame::new(&raw const float);
    report.check("case 73: FP unavailable", before.run().end(&before), [0x800, 0, 0]);
    report.check("case 73: FP available", before.with(msr::FP).run().finished(), true);
    let before = Frame::new(&raw const vector_unit);
    let after = before.run();
    match mfspr::<287>() >> 16 {
        8 => report.check("no AltiVec", after.end(&before), [0x700, ILLEGAL, 0]),
        _ => report.check("AltiVec unavailable", after.end(&before), [0xf20, 0, 0]),
    }
}

fn alignment(report: &mut Report) {
    let area = Area([0; 32]);
    let at = area.0.as_ptr() as u32;
    let after = Frame::new(&raw const load_word).reg(4, at + 1).run();
    report.check("words may be anywhere", after.finished(), true);
    let after = Frame::new(&raw const load_multiple).reg(4, at).run();
    let dsisr = 0b000_0111 << 10 | 29 << 5 | 4;
    report.check("lmw: vector, DAR, DSISR", [after.vector, after.dar, after.status], [0x600, at + 2, dsisr]);
    let after = Frame::new(&raw const load_double).reg(4, at).with(msr::FP).run();
    let dsisr = 0b000_1001 << 10 | 7 << 5 | 4;
    report.check("lfd: vector, DAR, DSISR", [after.vector, after.dar, after.status], [0x600, at + 2, dsisr]);
}

fn instructions(report: &mut Report) {
    let mut area = Area([0xffff_ffff; 32]);
    let at = area.0.as_mut_ptr();
    // SAFETY: a word of the area, which probes change behind the compiler's back.
    let word = |n: usize| unsafe { at.add(n).read_volatile() };
    Frame::new(&raw const clear_block).reg(4, at as u32 + 45).run();
    report.check("dcbz clears 32 bytes", [7, 8, 15, 16].map(word), [0xffff_ffff, 0, 0, 0xffff_ffff]);

    let mut before = Frame::new(&raw const xer_to_cr);
    before.xer = 0xe000_0041;
    let after = before.run();
    report.check("mcrxr", [after.xer, after.cr], [0x41, 0x1234_5e78]);

    let after = Frame::new(&raw const reserve).reg(4, at as u32 + 32).run();
    report.check("one store conditional of two", [word(8), after.cr >> 28], [1, 0]);

    // SAFETY: as above.
    unsafe { at.write_volatile(0x0102_0304) };
    // SAFETY: as above.
    unsafe { at.add(1).write_volatile(0x0506_0708) };
    let after = Frame::new(&raw const string).reg(4, at as u32).run();
    report.check("lswi", [after.gpr[5], after.gpr[6]], [0x0102_0304, 0x0506_0700]);
    report.check("stswi", [word(2), word(3)], [0x0102_0304, 0x0506_07ff]);
}

fn registers(report: &mut Report) {
    // SAFETY: registers that nothing here depends on.
    unsafe {
        mtspr::<272>(0x1111_1111);
        mtspr::<273>(0x2222_2222);
        mtspr::<274>(0x3333_3333);
        mtspr::<275>(0xffff_ffff);
        mtspr::<19>(0x4444_4444);
        mtspr::<18>(0x5555_5555);
    }
    let got = [mfspr::<272>(), mfspr::<273>(), mfspr::<274>(), mfspr::<275>(), mfspr::<19>(), mfspr::<18>()];
    report.check("registers keep", got, [0x1111_1111, 0x2222_2222, 0x3333_3333, 0xffff_ffff, 0x4444_4444, 0x5555_5555]);
    // SAFETY: nothing is mapped by it.
    unsafe { mtspr::<543>(0x0123_0052) };
    report.check("a BAT keeps", mfspr::<543>(), 0x0123_0052);
    let (first, second) = (timebase(), timebase());
    report.check("time passes", second != first, true);
}

fn decrementer(report: &mut Report) {
    let open = mfmsr() | msr::EE;
    set_handler(Some(count));
    set_decrementer(SOON);
    wait(2 * SOON);
    report.check("held while EE is off", TICKS.load(Ordering::Relaxed), 0);
    mtmsr(open);
    report.check("taken when it is on, and once", taken(), 1);
    set_decrementer(SOON);
    report.check("taken once", taken(), 1);
    report.check("it counts on below zero", mfspr::<22>() >> 31, 1);
    set_decrementer(NEVER);
    wait(SOON);
    report.check("none at a positive value", TICKS.load(Ordering::Relaxed), 0);
    set_decrementer(0xffff_0000);
    report.check("one when the top bit is set", taken(), 1);

    // Asleep until the decrementer: hardware wants HID0[DOZE] too.
    // SAFETY: the bit changes what MSR[POW] does.
    unsafe { mtspr::<1008>(mfspr::<1008>() | 0x0080_0000 * u32::from(mfspr::<287>() >> 16 != 0x8000) | 0x0040_0000) };
    set_decrementer(10 * SOON);
    mtmsr(open | msr::POW);
    while TICKS.load(Ordering::Relaxed) == 0 {}
    report.check("case 64: asleep until an interrupt", [taken(), mfmsr()], [1, open]);
    mtmsr(open & !msr::EE);
    set_decrementer(NEVER);
    set_handler(None);
}
