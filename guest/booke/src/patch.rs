//! This kernel patched with `pv-guest`: it runs on as before, and its sections stand a storm of interrupts.

use rt32::fdt::Fdt;
use rt32::probe::Frame;
use rt32::report::Report;
use rt32::special::RI;
use rt32::{code, patch};

/// Sections in one round of the storm.
const SECTIONS: u32 = 6;
const ROUNDS: u32 = 170_000;
const STORM_WORDS: usize = 23;

code! {
    // r29: MSR with EE, r28: without; r25 collects what differs from what was written.
    patch_storm: "1: mtmsr 29", "mfmsr 27", "mtmsr 28", "xor 27, 27, 29", "or 25, 25, 27",
        "mtspr 276, 29", "mfspr 26, 276", "xor 26, 26, 29", "or 25, 25, 26",
        "mtsrr0 29", "mfsrr0 26", "xor 26, 26, 29", "or 25, 25, 26",
        "wrteei 1", "wrteei 0", "wrtee 30", "mtspr 625, 30", "wrtee 31", "mfspr 26, 625", "xor 26, 26, 30",
        "or 25, 25, 26", "nop", "bdnz 1b";
    patch_mas: "mtspr 624, 3", "mtspr 625, 4", "mtspr 626, 5", "mtspr 627, 6", "mtspr 628, 7", "mtspr 630, 8",
        "mfspr 9, 624", "mfspr 10, 625", "mfspr 11, 626", "mfspr 12, 627", "mfspr 13, 628", "mfspr 14, 630",
        "mtspr 61, 3", "mfspr 15, 61", "mtspr 62, 4", "mfspr 16, 62", "mfspr 17, 286";
}

/// All checks of this file; from here on the kernel is patched.
pub fn run(t: &mut Report, tree: Option<Fdt<'static>>) {
    match patch::adopt(tree, &raw const patch_storm, STORM_WORDS) {
        Err(reason) => return t.skip("patching", reason),
        Ok(report) => t.check("every place is patched", (report.complete(), report.rewritten() > 20), (true, true)),
    }
    let mut before = Frame::new(&raw const patch_mas);
    for n in 3..9 {
        before = before.reg(n, 0x1001_0000 * n as u32);
    }
    let after = before.run();
    t.check("MAS0 to MAS6", &after.gpr[9..15], &before.gpr[3..9]);
    t.check("DEAR, ESR, PIR", &after.gpr[15..18], &[before.gpr[3], before.gpr[4], 0][..]);

    let (on, off) = patch::on_and_off();
    let mut before = Frame::new(&raw const patch_storm).reg(25, 0).counting(ROUNDS);
    for (n, value) in [(28, off | RI), (29, on | RI), (30, on | RI), (31, off | RI)] {
        before = before.reg(n, value);
    }
    patch::storm(t, &before, ROUNDS * SECTIONS);
}
