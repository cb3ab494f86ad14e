//! This kernel patched with `pv-guest`: it runs on as before, and its sections stand a storm of interrupts.

use rt32::fdt::Fdt;
use rt32::probe::Frame;
use rt32::report::Report;
use rt32::special::RI;
use rt32::{code, patch};

/// Sections in one round of the storm.
const SECTIONS: u32 = 5;
const ROUNDS: u32 = 200_000;
const STORM_WORDS: usize = 18;

code! {
    // r29: MSR with EE, r28: without; r25 collects what differs from what was written.
    patch_storm: "1: mtmsr 29", "mfmsr 27", "mtmsr 28", "xor 27, 27, 29", "or 25, 25, 27",
        "mtsprg 0, 29", "mfsprg 26, 0", "xor 26, 26, 29", "or 25, 25, 26",
        "mtsrr0 29", "mfsrr0 26", "xor 26, 26, 29", "or 25, 25, 26",
        "mtmsr 30", "mtmsr 31", "mtsrin 24, 23", "nop", "bdnz 1b";
    // r30 and r31 are also what sections work with.
    patch_segments: "mtsrin 30, 31", "mfsrin 5, 31", "mtsrin 31, 30", "mfsrin 6, 30", "mtsrin 7, 8", "mfsrin 9, 8";
}

/// All checks of this file; from here on the kernel is patched.
pub fn run(t: &mut Report, tree: Option<Fdt<'static>>) {
    match patch::adopt(tree, &raw const patch_storm, STORM_WORDS) {
        Err(reason) => return t.skip("patching", reason),
        Ok(report) => t.check("every place is patched", (report.complete(), report.rewritten() > 20), (true, true)),
    }
    let segments = Frame::new(&raw const patch_segments).reg(30, 0xd123_4567).reg(31, 0xe123_4568);
    let segments = segments.reg(7, 0x0012_3456).reg(8, 0xc000_0000);
    let after = segments.run();
    let got = [after.gpr[5], after.gpr[6], after.gpr[9]];
    t.check("case 83: mtsrin of r30 and r31", got, [0xd123_4567, 0xe123_4568, 0x0012_3456]);
    let kept = [after.gpr[30], after.gpr[31], after.cr];
    t.check("  keeps both, and CR", kept, [segments.gpr[30], segments.gpr[31], segments.cr]);

    let (on, off) = patch::on_and_off();
    let mut before = Frame::new(&raw const patch_storm).reg(25, 0).counting(ROUNDS);
    for (n, value) in [(28, off | RI), (29, on | RI), (30, on), (31, off | RI), (23, 0xd000_0000)] {
        before = before.reg(n, value);
    }
    patch::storm(t, &before, ROUNDS * SECTIONS);
}
