//! TLB0 and TLB1, misses and protection, searching and invalidating, a handler that refills.

use core::sync::atomic::{AtomicU32, Ordering};

use rt32::code;
use rt32::family::{DATA_MISS, DATA_STORAGE, STORE};
use rt32::probe::{Frame, set_handler};
use rt32::report::Report;
use rt32::special::{PR, mfspr, mtspr};

use crate::special::SPACE_ONE;
use crate::tlb::{self, EVERYTHING, page};

code! {
    load: "lwz 3, 0(4)";
    store: "stw 3, 0(4)";
    load_relocated: "lwz 3, 0(4)", "lwz 5, 0(4)";
}

/// Where nothing is mapped.
const AWAY: u32 = 0x6000_0000;
/// Frames: two pages of memory that nobody uses.
const FRAME: u32 = 0x0200_0000;

fn poke(address: u32, value: u32) {
    // SAFETY: memory behind the image, mapped one to one.
    unsafe { (address as *mut u32).write_volatile(value) };
}

/// Ends of a probe that loads or stores at `AWAY` + 0x10.
fn end(code: *const u32, bits: u32) -> ([u32; 3], Frame) {
    let before = Frame::new(code).reg(4, AWAY + 0x10).with(bits);
    let after = before.run();
    (after.end(&before), after)
}

/// All checks.
pub fn run(report: &mut Report) {
    misses(report);
    rights(report);
    processes(report);
    searches(report);
    invalidations(report);
    refills(report);
}

fn misses(report: &mut Report) {
    // SAFETY: MAS4: TLB0, 4 KiB, coherent; MAS6 a mark; PID 5.
    unsafe {
        mtspr::<628>(0x104);
        mtspr::<48>(5);
    }
    let (ended, after) = end(&raw const load, 0);
    report.check("a load misses", ended, [DATA_MISS, 0, 0]);
    report.check("DEAR", after.dar, AWAY + 0x10);
    let mas = [mfspr::<625>(), mfspr::<626>(), mfspr::<630>() & 0xff_0001];
    report.check("MAS1, MAS2 and MAS6 name the page", mas, [0x8005_0100, AWAY | 4, 0x5_0000]);
    let select = mfspr::<624>();
    report.check("MAS0: TLB0, next victim one further", [select >> 28, (select >> 16) + 1 & 3], [0, select & 3]);
    report.check("a store misses", end(&raw const store, 0).0, [DATA_MISS, STORE, 0]);
    let (ended, _) = end(&raw const store, SPACE_ONE);
    report.check("a store misses in address space 1", ended, [DATA_MISS, STORE, 0]);
    report.check("MAS1 has TS", mfspr::<625>(), 0x8005_1100);
    // SAFETY: no process.
    unsafe { mtspr::<48>(0) };
}

fn rights(report: &mut Report) {
    poke(FRAME + 0x10, 0x600d);
    // SR, SW, UR, UW.
    for (bit, problem, code, fault) in [
        (1, 0, &raw const load, 0),
        (4, 0, &raw const store, STORE),
        (2, PR, &raw const load, 0),
        (8, PR, &raw const store, STORE),
    ] {
        let bits = if problem != 0 { PR | SPACE_ONE } else { 0 };
        let mapped = |rights| {
            let page = page(AWAY, FRAME, rights);
            if problem != 0 { page.space_one() } else { page }
        };
        mapped(bit).write_zero(1);
        let (_, after) = end(code, bits);
        report.check("the right that is needed", after.finished(), true);
        mapped(EVERYTHING & !bit).write_zero(1);
        report.check("every right but that", end(code, bits).0, [DATA_STORAGE, fault, 0]);
    }
    page(AWAY, FRAME, EVERYTHING).clear_zero(1);
}

fn processes(report: &mut Report) {
    for pid in [1, 2] {
        poke(FRAME + 0x1000 * pid + 0x10, pid);
        page(AWAY, FRAME + 0x1000 * pid, EVERYTHING).process(pid).write_zero(pid);
    }
    for pid in [1, 2, 1] {
        // SAFETY: the image is mapped for every process.
        unsafe { mtspr::<48>(pid) };
        report.check("the entry of this process", end(&raw const load, 0).1.gpr[3], pid);
    }
    // SAFETY: as above.
    unsafe { mtspr::<48>(3) };
    report.check("no entry of this process", end(&raw const load, 0).0, [DATA_MISS, 0, 0]);
    // SAFETY: as above.
    unsafe { mtspr::<48>(1) };
    poke(FRAME + 0x3010, 33);
    page(AWAY, FRAME + 0x3000, EVERYTHING).process(1).write_zero(1);
    report.check("a changed entry", end(&raw const load_relocated, 0).1.gpr[5], 33);
    // SAFETY: as above.
    unsafe { mtspr::<48>(0) };
}

fn searches(report: &mut Report) {
    let found = tlb::search(AWAY + 0xabc, 2 << 16);
    report.check("tlbsx finds", (found[0] >> 16, found[1]), (2, 0x8002_0100));
    report.check("tlbsx reads", (found[2], found[3]), (AWAY | 4, FRAME + 0x2000 | EVERYTHING));
    let missing = tlb::search(AWAY + 0xabc, 7 << 16);
    report.check("tlbsx does not find", missing[1] >> 31, 0);
    let code = tlb::search(0x40_0000, 0);
    report.check("tlbsx finds the image in TLB1", (code[0] >> 28, code[1] >> 30), (1, 3));
}

fn invalidations(report: &mut Report) {
    tlb::invalidate(AWAY);
    report.check("tlbivax in TLB0, whatever the process", tlb::search(AWAY, 2 << 16)[1] >> 31, 0);
    page(AWAY, FRAME, EVERYTHING).write_zero(0);
    report.check("mapped again", end(&raw const load, 0).1.finished(), true);
    // SAFETY: MMUCSR0: all of TLB0, then TLB1, which has protected entries only.
    unsafe {
        mtspr::<1012>(4);
        mtspr::<1012>(2);
    }
    report.check("MMUCSR0", end(&raw const load, 0).0, [DATA_MISS, 0, 0]);
}

static REFILLS: AtomicU32 = AtomicU32::new(0);

/// Completes what the processor has prepared: page n of `AWAY` is frame n.
fn refill(frame: &mut Frame) -> bool {
    if frame.vector != DATA_MISS || frame.dar & 0xff00_0000 != AWAY {
        return false;
    }
    // SAFETY: MAS0 to MAS2 are from the miss.
    unsafe { mtspr::<627>((frame.dar & 0xff_f000) + FRAME | EVERYTHING) };
    tlb::commit();
    REFILLS.store(REFILLS.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
    true
}

fn refills(report: &mut Report) {
    // Six pages of one set, which has four ways: the round robin misses each time.
    const STRIDE: u32 = 0x8_0000;
    set_handler(Some(refill));
    let mut sum = 0;
    for round in 0..200 {
        for n in 0..6 {
            poke(FRAME + n * STRIDE, n + round);
            // SAFETY: mapped by the handler to a page of memory that nobody uses.
            sum += unsafe { ((AWAY + n * STRIDE) as *const u32).read_volatile() };
        }
    }
    set_handler(None);
    report.check("what refilled pages hold", sum, 6 * 199 * 200 / 2 + 200 * 15);
    report.check("as many refills as a round robin needs", REFILLS.load(Ordering::Relaxed), 1200);
}
