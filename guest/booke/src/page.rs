//! The KVM magic page, where the device tree offers it.

use rt32::family::{DATA_MISS, INSTRUCTION_MISS};
use rt32::fdt::Fdt;
use rt32::probe::Frame;
use rt32::report::Report;
use rt32::special::{PR, mfmsr, mfspr, mtspr};
use rt32::{code, kvm};

use crate::special::SPACE_ONE;

code! { peek: "lwz 3, 0(4)"; }

const PAGE: u32 = 0xffff_f000;

fn field(offset: u32) -> u32 {
    // SAFETY: the page is mapped for us.
    unsafe { ((PAGE + offset) as *const u32).read_volatile() }
}

/// All checks.
pub fn run(report: &mut Report, tree: Option<Fdt<'static>>) {
    let offered = tree.and_then(|tree| tree.node("/hypervisor")).is_some();
    if !offered {
        return report.skip("magic page", "not offered");
    }
    report.check("case 9: features", kvm(0x2a_0003, 0, 0), (0, 2));
    report.check("case 10: map", kvm(0x2a_0004, PAGE, PAGE | 1), (0, 3));
    report.check("case 74: PIR", field(0xcc), mfspr::<286>());
    report.check("MSR", field(0x5c), mfmsr());
    // SAFETY: registers that nobody else uses now.
    unsafe {
        mtspr::<276>(0x1111_4444);
        mtspr::<627>(0x0333_3003);
        mtspr::<944>(0x7);
        mtspr::<626>(0x2222_2004);
        mtspr::<62>(0x80_0000);
        mtspr::<61>(0xdea_d000);
    }
    let got = [field(0xd4), field(0xb4), field(0xb0), field(0xbc), field(0xc8), field(0x54)];
    let want = [0x1111_4444, 0x0333_3003, 7, 0x2222_2004, 0x80_0000, 0xdea_d000];
    report.check("cases 43 and 47: SPRG4, MAS3, MAS7, MAS2, ESR, DEAR", got, want);
    // SAFETY: the page is mapped for us.
    unsafe { ((PAGE + 0xac) as *mut u32).write_volatile(0x8007_1100) };
    report.check("case 44: MAS1", mfspr::<625>(), 0x8007_1100);
    let user = Frame::new(&raw const peek).reg(4, PAGE).with(PR | SPACE_ONE).run();
    report.check("case 29: not in problem state", user.vector, DATA_MISS);
    let fetch = Frame::new(PAGE as *const u32).run();
    report.check("case 35: not fetched from", fetch.vector, INSTRUCTION_MISS);
}
