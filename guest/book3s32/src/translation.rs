//! BATs, segment registers and the hashed page table.

use rt32::code;
use rt32::probe::Frame;
use rt32::report::Report;
use rt32::special::mtspr;

use crate::special::{mfsrin, msr, mtsrin, tlbie};

code! {
    load: "lwz 5, 0(4)";
    store: "stw 5, 0(4)";
}

/// The page table: 64 KiB.
const TABLE: u32 = 0x80_0000;
/// Free pages.
const DATA: u32 = 0x90_0000;
const ON: u32 = msr::IR | msr::DR;

const NO_PTE: u32 = 0x4000_0000;
const NO_EXECUTE: u32 = 0x1000_0000;
const PROTECTION: u32 = 0x0800_0000;
const STORE: u32 = 0x0200_0000;

/// Second word of an entry.
mod pte {
    pub const R: u32 = 0x100;
    pub const C: u32 = 0x80;
    pub const GUARDED: u32 = 8;
}

fn write(at: u32, value: u32) {
    // SAFETY: memory behind the image, which only the checks use.
    unsafe { (at as *mut u32).write_volatile(value) };
}

fn read(at: u32) -> u32 {
    // SAFETY: as above.
    unsafe { (at as *const u32).read_volatile() }
}

/// Where the entry of the page at `ea` goes, by the primary or the secondary hash; VSID n is segment n's.
fn slot(ea: u32, secondary: bool) -> u32 {
    let hash = (ea >> 28) ^ (ea >> 12 & 0xffff);
    TABLE + ((if secondary { !hash } else { hash }) & 0x3ff) * 64
}

/// Maps the page at `ea`.
pub fn map(ea: u32, second: u32, secondary: bool) -> u32 {
    let at = slot(ea, secondary);
    write(at + 4, second);
    write(at, 0x8000_0000 | (ea >> 28) << 7 | u32::from(secondary) << 6 | ea >> 22 & 0x3f);
    tlbie(ea);
    at + 4
}

/// BATs for the first 32 MiB and an empty page table.
pub fn set_up() {
    for at in (TABLE..TABLE + 0x1_0000).step_by(4) {
        write(at, 0);
    }
    // SAFETY: translation is off; 32 MiB at 0 are mapped to themselves for both states, nothing else is.
    unsafe {
        mtspr::<528>(0);
        mtspr::<530>(0);
        mtspr::<532>(0);
        mtspr::<534>(0);
        mtspr::<536>(0);
        mtspr::<538>(0);
        mtspr::<540>(0);
        mtspr::<542>(0);
        mtspr::<529>(0x12);
        mtspr::<537>(0x12);
        mtspr::<528>(0x3ff);
        mtspr::<536>(0x3ff);
        mtspr::<25>(TABLE);
    }
    (0..16).for_each(|n| mtsrin(n, n << 28));
    (0..64).for_each(|n| tlbie(n << 12));
}

/// Loads from or stores to `ea` with translation on.
fn access(is_store: bool, ea: u32, bits: u32) -> Frame {
    let code = if is_store { &raw const store } else { &raw const load };
    Frame::new(code).reg(4, ea).reg(5, 0x1122_3344).with(ON | bits).run()
}

fn fetch(ea: u32) -> [u32; 3] {
    let after = Frame::new(ea as *const u32).with(ON).run();
    [after.vector, after.reason(), after.srr0 - ea]
}

/// All checks of this file.
pub fn run(report: &mut Report) {
    set_up();
    pages(report);
    protection(report);
    fetches(report);
    bats(report);
}

fn pages(report: &mut Report) {
    let ea = 0x3012_3000;
    let fault = |after: Frame| [after.vector, after.dar, after.status];
    report.check("no entry, load", fault(access(false, ea + 8, 0)), [0x300, ea + 8, NO_PTE]);
    report.check("no entry, store", fault(access(true, ea + 8, 0)), [0x300, ea + 8, NO_PTE | STORE]);
    write(DATA + 8, 0xaabb_ccdd);
    let second = map(ea, DATA | 2, false);
    let after = access(false, ea + 8, 0);
    report.check("primary hash", (after.finished(), after.gpr[5]), (true, 0xaabb_ccdd));
    report.check("a load sets R", read(second), DATA | 2 | pte::R);
    report.check("a store completes", access(true, ea + 8, 0).finished(), true);
    report.check("a store sets C", (read(DATA + 8), read(second)), (0x1122_3344, DATA | 2 | pte::R | pte::C));
    write(second - 4, 0);
    tlbie(ea);
    report.check("gone with tlbie", access(false, ea, 0).vector, 0x300);
    map(ea, DATA | 2, true);
    report.check("secondary hash", access(false, ea + 8, 0).gpr[5], 0x1122_3344);
    mtsrin(0x7fff, ea);
    report.check("another segment", access(false, ea, 0).status, NO_PTE);
    report.check("mfsrin", mfsrin(ea), 0x7fff);
    mtsrin(3, ea);
    report.check("the first again", access(false, ea + 8, 0).gpr[5], 0x1122_3344);
}

fn protection(report: &mut Report) {
    let ea = 0x4000_5000;
    for (key, pp, may_load, may_store) in [
        (false, 0, true, true),
        (false, 1, true, true),
        (false, 2, true, true),
        (false, 3, true, false),
        (true, 0, false, false),
        (true, 1, true, false),
        (true, 2, true, true),
        (true, 3, true, false),
    ] {
        map(ea, DATA | pp, false);
        for (bits, register) in [(0, 0x4000_0000), (msr::PR, 0x2000_0000)] {
            mtsrin(4 | if key { register } else { 0 }, ea);
            let got = [access(false, ea, bits), access(true, ea, bits)].map(|after| match after.finished() {
                true => 0,
                false => after.status,
            });
            let want = [if may_load { 0 } else { PROTECTION }, if may_store { 0 } else { PROTECTION | STORE }];
            report.check("key, PP and state", got, want);
        }
    }
    mtsrin(4, ea);
}

fn fetches(report: &mut Report) {
    const DONE: [u32; 3] = [0x700, 0x2_0000, 0];
    let ea = 0x5000_6000;
    write(DATA, 0x7fe0_0008);
    rt32::special::sync_code(DATA as *const u32);
    report.check("fetch without an entry", fetch(ea), [0x400, NO_PTE, 0]);
    map(ea, DATA | 2, false);
    report.check("fetch", fetch(ea), DONE);
    map(ea, DATA | pte::GUARDED | 2, false);
    report.check("fetch from guarded storage", fetch(ea), [0x400, NO_EXECUTE, 0]);
    map(ea, DATA | 2, false);
    mtsrin(5 | 0x1000_0000, ea);
    report.check("fetch from a no-execute segment", fetch(ea), [0x400, NO_EXECUTE, 0]);
    mtsrin(5 | 0x4000_0000, ea);
    map(ea, DATA, false);
    report.check("fetch without the right to read", fetch(ea), [0x400, PROTECTION, 0]);
    mtsrin(0x8000_0000, ea);
    report.check("fetch from a direct-store segment", fetch(ea), [0x400, NO_EXECUTE, 0]);
    let after = access(true, ea, 0);
    report.check("store to a direct-store segment", [after.vector, after.status], [0x300, 0x0600_0000]);
    mtsrin(5, ea);
}

fn bats(report: &mut Report) {
    let ea = 0x6000_0000;
    write(DATA, 0x1234_5678);
    let set = |upper: u32, lower: u32| {
        // SAFETY: translation is off.
        unsafe {
            mtspr::<538>(0);
            mtspr::<539>(lower);
            mtspr::<538>(upper);
        }
    };
    let place = DATA & 0xfffe_0000;
    let outcome = |ea: u32, is_store: bool, bits: u32| {
        let after = access(is_store, ea, bits);
        if after.finished() { after.gpr[5] } else { after.status }
    };
    set(ea | 2, place | 0x12);
    report.check("a BAT", outcome(ea | DATA & 0x1_ffff, false, 0), 0x1234_5678);
    report.check("its end", outcome(ea + 0x2_0000, false, 0), NO_PTE);
    report.check("not for problem state", outcome(ea, false, msr::PR), NO_PTE);
    set(ea | 1, place | 0x12);
    report.check("for problem state alone", outcome(ea, false, 0), NO_PTE);
    report.check("in problem state", outcome(ea | DATA & 0x1_ffff, false, msr::PR), 0x1234_5678);
    set(ea | 2, place | 0x11);
    report.check("a read-only BAT, load", outcome(ea | DATA & 0x1_ffff, false, 0), 0x1234_5678);
    report.check("a read-only BAT, store", outcome(ea, true, 0), PROTECTION | STORE);
    set(ea | 2, place | 0x10);
    report.check("a BAT without access", outcome(ea, false, 0), PROTECTION);
    set(0, 0);
}
