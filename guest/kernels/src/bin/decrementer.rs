//! Timebase and decrementer: rate, level semantics, re-arming, both widths (Power ISA Book III, 8.4 and 7.5.11).
#![no_std]
#![no_main]
#![feature(asm_experimental_arch)]

use core::sync::atomic::{AtomicU64, Ordering::Relaxed};

use guest_rt::{
    code,
    exception::{Frame, NEVER, set_decrementer, set_handler},
    fdt::Fdt,
    papr::{hcall, opcode},
    spr::{mfmsr, mfspr, msr, mtmsrd_ee_ri, spr, timebase},
};
use kernels::{Report, translation};

guest_rt::guest_main!(main);

code! {
    ENABLE: "nop", "mtmsrd 3, 1", "nop", "nop";
    ENABLE_FULL: "nop", "mtmsrd 3, 0", "nop", "nop";
    SPIN: "li 20, 0", "1: addi 20, 20, 1", "b 1b", "nop";
    NOTHING: "nop", "nop";
}

/// Ticks within which a due interrupt has come, on an emulator with a late timer too.
const PATIENCE: u64 = 4_000_000;

/// Interrupts seen, and the last one's SRR0 and SRR1.
static FIRED: AtomicU64 = AtomicU64::new(0);
static SRR0: AtomicU64 = AtomicU64::new(0);
static SRR1: AtomicU64 = AtomicU64::new(0);
/// The interrupt that re-arms the decrementer.
static LIMIT: AtomicU64 = AtomicU64::new(1);
/// Bytes to step over on return, to leave `SPIN`.
static STEP: AtomicU64 = AtomicU64::new(0);

fn on_interrupt(frame: &mut Frame) -> bool {
    if frame.vector != 0x900 {
        return false;
    }
    SRR0.store(frame.srr0, Relaxed);
    SRR1.store(frame.srr1, Relaxed);
    if FIRED.fetch_add(1, Relaxed) + 1 >= LIMIT.load(Relaxed) {
        set_decrementer(NEVER);
        if STEP.load(Relaxed) != 0 {
            frame.srr0 = STEP.load(Relaxed);
        }
    }
    true
}

/// A fresh count that re-arms at its `limit`th interrupt.
fn expect(limit: u64) {
    FIRED.store(0, Relaxed);
    LIMIT.store(limit, Relaxed);
}

fn fired() -> u64 {
    FIRED.load(Relaxed)
}

fn wait(ticks: u64) {
    let start = timebase();
    while timebase() - start < ticks {}
}

/// EE on until the expected interrupts have come, or for a good while; then for a moment, in which none may come.
fn pulse() {
    let start = timebase();
    mtmsrd_ee_ri(msr::EE | msr::RI);
    while fired() < LIMIT.load(Relaxed) && timebase() - start < PATIENCE {}
    wait(2000);
    mtmsrd_ee_ri(msr::RI);
}

/// Whether this value of the decrementer is an exception.
fn pends(value: u64) -> bool {
    expect(1);
    set_decrementer(value);
    pulse();
    set_decrementer(NEVER);
    fired() > 0
}

fn main(tree: Option<Fdt<'static>>) {
    let mut report = Report::default();
    let t = &mut report;
    set_handler(Some(on_interrupt));
    time(t);
    level(t);
    precise(t);
    width(t, tree);
    expect(1);
    set_decrementer(5000);
    let cede = hcall(opcode::H_CEDE, &[]).status;
    t.check("21: H_CEDE: status, interrupts taken, EE", [cede as u64, fired(), mfmsr() & msr::EE], [0, 1, msr::EE]);
    mtmsrd_ee_ri(msr::RI);
    if translation::identity(tree).is_some() {
        user(t);
    } else {
        t.skip("decrementer in user mode", "no translation");
    }
    report.finish();
}

fn time(t: &mut Report) {
    let (first, upper, second) = (timebase(), mfspr::<269>(), timebase());
    t.holds("TBU is the upper half of TB", (first >> 32..=second >> 32).contains(&upper), (first, upper, second));
    let start = timebase();
    wait(1000);
    t.holds("TB counts", timebase() - start >= 1000, start);
    set_decrementer(NEVER);
    let before = [timebase(), mfspr::<{ spr::DEC }>(), timebase()];
    wait(20_000);
    let after = [timebase(), mfspr::<{ spr::DEC }>(), timebase()];
    let fell = before[1] - after[1];
    let bounds = after[0] - before[2]..=after[2] - before[0];
    t.holds("DEC falls as TB rises", bounds.contains(&fell), (fell, bounds));
}

fn level(t: &mut Report) {
    expect(1);
    set_decrementer(100);
    wait(PATIENCE);
    t.check("expired with EE = 0: nothing", fired(), 0);
    pulse();
    t.check("still negative at EE = 1: one interrupt", fired(), 1);
    expect(3);
    set_decrementer(0xffff_ffff_ffff_ffff);
    pulse();
    t.check("level: again and again until re-armed", fired(), 3);
    expect(1);
    set_decrementer(0xffff_ffff_ffff_ffff);
    set_decrementer(NEVER);
    pulse();
    t.check("a positive value withdraws the exception", fired(), 0);
    let start = timebase();
    set_decrementer(20_000);
    mtmsrd_ee_ri(msr::EE | msr::RI);
    while fired() == 0 && timebase() - start < 1 << 32 {}
    mtmsrd_ee_ri(msr::RI);
    let elapsed = timebase() - start;
    t.holds("fires after its time, not before", fired() == 1 && elapsed >= 20_000, (fired(), elapsed));
}

fn precise(t: &mut Report) {
    let on = msr::EE | msr::RI;
    for (name, code) in [("mtmsrd L=1", &raw const ENABLE), ("mtmsrd L=0", &raw const ENABLE_FULL)] {
        expect(1);
        set_decrementer(0xffff_ffff_ffff_ffff);
        let before = Frame::new(code).reg(3, mfmsr() | on);
        let after = before.run();
        t.check(name, [fired(), SRR0.load(Relaxed) - before.srr0], [1, 8]);
        t.check("  SRR1 has the new EE", SRR1.load(Relaxed) & on, on);
        t.holds("  the code goes on", after.finished() && after.srr0 == before.srr0 + 16, after.srr0);
    }
    expect(1);
    set_decrementer(0xffff_ffff_ffff_ffff);
    let before = Frame::new(&raw const NOTHING).with(msr::EE);
    before.run();
    t.check("rfid to EE = 1: before the first instruction", [fired(), SRR0.load(Relaxed)], [1, before.srr0]);
    spin(t, "a loop without exits is interrupted", 0);
}

/// Runs an endless loop until the decrementer comes.
fn spin(t: &mut Report, name: &str, bits: u64) {
    expect(1);
    let before = Frame::new(&raw const SPIN).with(bits | msr::EE);
    STEP.store(before.srr0 + 12, Relaxed);
    set_decrementer(50_000);
    let after = before.run();
    STEP.store(0, Relaxed);
    let distance = SRR0.load(Relaxed) - before.srr0;
    t.holds(name, after.finished() && fired() == 1 && distance <= 8, (fired(), distance, after.vector));
    t.check("  SRR1 is the loop's MSR", SRR1.load(Relaxed), after.srr1 & !guest_rt::exception::REASON);
}

fn user(t: &mut Report) {
    spin(t, "user mode is interrupted", msr::PR);
    t.check("  it had PR = 1", SRR1.load(Relaxed) & msr::PR, msr::PR);
}

fn width(t: &mut Report, tree: Option<Fdt<'static>>) {
    let bits = tree.and_then(|tree| tree.nodes().find_map(|node| node.number("ibm,dec-bits"))).unwrap_or(32);
    guest_rt::println!("decrementer: {bits} bits");
    t.check("bit 31 alone is an exception in a 32-bit DEC only", pends(0x8000_0000), bits == 32);
    t.check("0x7fffffff is no exception", pends(0x7fff_ffff), false);
    set_decrementer(0xffff_ffff_ffff_0000);
    let value = mfspr::<{ spr::DEC }>();
    set_decrementer(NEVER);
    t.check("mfdec of a negative value: upper half", value >> 32, if bits == 32 { 0 } else { 0xffff_ffff });
    if bits > 32 {
        t.check("the top bit is an exception", pends(1 << (bits - 1)), true);
        t.check("all bits but the top are none", pends((1 << (bits - 1)) - 1), false);
    } else {
        t.skip("the top bit of a large decrementer", "ibm,dec-bits is absent");
    }
}
