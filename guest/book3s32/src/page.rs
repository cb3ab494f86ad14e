//! KVM's magic page as a 32-bit guest uses it.

use rt32::family::set_decrementer;
use rt32::fdt::{Fdt, lists};
use rt32::probe::Frame;
use rt32::report::Report;
use rt32::special::{mfspr, mtspr};
use rt32::{code, kvm};

use crate::special::{msr, mtsrin};
use crate::translation;

const FEATURES: u32 = 0x2a_0003;
const MAP_MAGIC_PAGE: u32 = 0x2a_0004;
/// Where Linux puts the page.
const PAGE: u32 = 0xffff_f000;

code! {
    page_load: "lwz 5, 0x24 - 4096(0)";
    page_segment: "stw 6, 0x68 + 4 * 7 - 4096(0)", "mtmsr 8", "isync", "lwz 5, 0(4)";
    page_pending: "lwz 5, 0x64 - 4096(0)";
    page_sprg: "mtsprg 1, 6", "lwz 5, 0x2c - 4096(0)", "stw 7, 0x2c - 4096(0)", "mfsprg 8, 1";
    page_status: "mtsrr1 6", "lwz 5, 0x4c - 4096(0)", "stw 7, 0x4c - 4096(0)", "mfsrr1 8";
    page_msr: "mfmsr 6", "lwz 5, 0x5c - 4096(0)";
}

fn pending() -> u32 {
    Frame::new(&raw const page_pending).run().gpr[5]
}

/// All checks of this file.
pub fn run(report: &mut Report, tree: Option<Fdt<'static>>) {
    let compatible = tree.and_then(|tree| tree.node("/hypervisor")).and_then(|node| node.prop("compatible"));
    if !compatible.is_some_and(|list| lists(list, b"linux,kvm")) {
        report.skip("the magic page", "no KVM in the device tree");
        return;
    }
    report.check("case 9: features", kvm(FEATURES, 0, 0), (0, 2));
    report.check("case 11: an unknown call", kvm(0x2a_0005, 0, 0), (12, 0));
    report.check("case 10: map", kvm(MAP_MAGIC_PAGE, PAGE, PAGE | 1), (0, 3));
    translation::set_up();
    let on = msr::IR | msr::DR;

    // SAFETY: a register that nothing here depends on.
    unsafe { mtspr::<272>(0x1234_5678) };
    report.check("case 30: in real mode", Frame::new(&raw const page_load).run().gpr[5], 0x1234_5678);
    let after = Frame::new(&raw const page_load).with(on).run();
    report.check("translated, though nothing maps it", (after.finished(), after.gpr[5]), (true, 0x1234_5678));
    let after = Frame::new(&raw const page_load).with(on | msr::PR).run();
    report.check("case 29: hidden from problem state", [after.vector, after.status], [0x300, 0x4000_0000]);
    translation::map(PAGE, 0x90_0000 | 2, false);
    report.check("case 32: no entry wins", Frame::new(&raw const page_load).with(on).run().gpr[5], 0x1234_5678);
    let after = Frame::new(&raw const page_load).with(on | msr::PR).run();
    report.check("case 29: but problem state has it", (after.finished(), after.gpr[5] != 0x1234_5678), (true, true));

    for (name, code) in
        [("cases 43 and 44: SPRG1", &raw const page_sprg), ("cases 43 and 44: SRR1", &raw const page_status)]
    {
        let after = Frame::new(code).reg(6, 0x89ab_cdef).reg(7, 0x7654_3210).run();
        report.check(name, [after.gpr[5], after.gpr[8]], [0x89ab_cdef, 0x7654_3210]);
    }
    let after = Frame::new(&raw const page_msr).run();
    report.check("the MSR", after.gpr[5], after.gpr[6]);

    // Page 0x70000000 by VSID 0x42, which only the store to the page says.
    let table = 0x80_0000 + ((0x42 ^ 0) & 0x3ff) * 64;
    // SAFETY: the page table and a free page, which only the checks use.
    unsafe {
        ((table + 4) as *mut u32).write_volatile(0x91_0002);
        (table as *mut u32).write_volatile(0x8000_0000 | 0x42 << 7);
        (0x91_0000 as *mut u32).write_volatile(0x600d_da7a);
    }
    mtsrin(7, 0x7000_0000);
    let before = Frame::new(&raw const page_segment).reg(4, 0x7000_0000).reg(6, 0x42);
    let after = before.reg(8, before.srr1 | on).run();
    report.check("case 45: a segment stored in real mode", (after.finished(), after.gpr[5]), (true, 0x600d_da7a));
    mtsrin(0x2077_7777, 0x9000_0000);
    // SAFETY: the page is mapped, at its real address too.
    let shown = unsafe { ((PAGE + 0x68 + 4 * 9) as *const u32).read_volatile() };
    report.check("case 46: mtsrin shows in the page", shown, 0x2077_7777);

    report.check("int_pending is clear", pending(), 0);
    set_decrementer(0xffff_fff0);
    // A call is an exit, after which the page is up to date.
    kvm(FEATURES, 0, 0);
    report.check("a held decrementer shows", pending(), 1);
    report.check("case 74: PIR", mfspr::<1023>(), 0);
    report.check("case 38: unmap", kvm(MAP_MAGIC_PAGE, 0, 0), (0, 3));
}
