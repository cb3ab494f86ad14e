//! Who gets an `sc`: the KVM hypercall, the PAPR hypercall, or the guest's own kernel (order of the interface: PAPR,
//! OSI, KVM, guest; PAPR 14.5 for `sc 1` in problem state as KVM-HV does it).
#![no_std]
#![no_main]
#![feature(asm_experimental_arch)]

use guest_rt::{
    code,
    exception::{Frame, ILLEGAL, PRIVILEGED, TRAP},
    fdt::Fdt,
    kvm::{self, Kvm},
    papr::status::H_FUNCTION,
    spr::{mfmsr, msr},
};
use kernels::{Mmu, Report, translation};

guest_rt::guest_main!(main);

code! {
    SC: "sc", "nop";
    SC1: "sc 1", "nop";
    KEEPING: "mtspr 26, 14", "mtspr 27, 15", "sc", "mfspr 14, 26", "mfspr 15, 27", "mfmsr 16";
    FAKE_SC1: ".long 0x7c000268", "nop";
    SWAPPED_SC: ".long 0x02000044", ".long 0x00000060", "nop";
}

/// "KVM!" in r0.
const MAGIC: u64 = 0x4b56_4d21;
/// An hcall number nobody has.
const UNKNOWN: u64 = 0x7c;

fn main(tree: Option<Fdt<'static>>) {
    let mut report = Report::default();
    let t = &mut report;
    let kvm = tree.and_then(Kvm::find);
    let user = translation::identity(tree).is_some();
    let radix = user && tree.is_some_and(|tree| Mmu::of(tree) == Mmu::Radix);

    let before = Frame::new(&raw const SC).reg(0, 1);
    t.interrupt("sc in supervisor mode goes to 0xc00", &before, &before.run(), 0xc00, 0, 4);
    papr(t);
    if user {
        problem_state(t, radix);
    } else {
        t.skip("sc in user mode", "no translation");
    }
    match kvm {
        Some(_) => {
            kvm_calls(t);
            other_words(t, user);
        }
        None => t.skip("KVM hypercalls", "no hcall-instructions in the device tree"),
    }
    report.finish();
}

fn papr(t: &mut Report) {
    for (name, r0) in [("sc 1 is a PAPR call", 0), ("sc 1 with KVM's magic in r0 is a PAPR call", MAGIC)] {
        let before = Frame::new(&raw const SC1).reg(0, r0).reg(3, UNKNOWN).reg(11, kvm::FEATURES);
        let after = before.run();
        t.interrupt(name, &before, &after, 0x700, TRAP, 8);
        t.check("  answered H_FUNCTION", after.gpr[3] as i64, H_FUNCTION);
    }
}

fn problem_state(t: &mut Report, radix: bool) {
    let before = Frame::new(&raw const SC).with(msr::PR).reg(0, MAGIC).reg(11, kvm::FEATURES);
    let after = before.run();
    t.interrupt("user sc with KVM's magic goes to 0xc00", &before, &after, 0xc00, 0, 4);
    t.gprs("  GPRs unchanged", &after, &before);
    let before = Frame::new(&raw const SC1).with(msr::PR).reg(3, UNKNOWN);
    let after = before.run();
    let (vector, reason, distance) = if radix { (0x700, PRIVILEGED, 0) } else { (0xc00, 0, 4) };
    t.interrupt("1: user sc 1: 0xc00 on hash, privileged on radix", &before, &after, vector, reason, distance);
    t.check("1: r3 unchanged", after.gpr[3], UNKNOWN);
}

fn kvm_calls(t: &mut Report) {
    let upper = 0xffff_ffff_0000_0000;
    #[rustfmt::skip]
    let cases = [
        ("FEATURES",                             MAGIC,                    kvm::FEATURES,         0,  2),
        ("r0 counts with its low half only",     0xdead_beef_0000_0000 | MAGIC, kvm::FEATURES,    0,  2),
        ("the token too",                        MAGIC,                    upper | kvm::FEATURES, 0,  2),
        ("unknown KVM token",                    MAGIC,                    0x2a_0005,             12, 0),
        ("unknown ePAPR token",                  MAGIC,                    0x1_0011,              12, 0),
        ("token 3 of vendor 0",                  MAGIC,                    3,                     12, 0),
    ];
    for (name, r0, token, status, out) in cases {
        let before = Frame::new(&raw const KEEPING).reg(0, r0).reg(11, token);
        let after = before.run();
        let want = before.reg(3, status).reg(4, out).reg(16, mfmsr());
        t.gprs(name, &after, &want);
        t.check(
            "  CR, LR, CTR, XER",
            [after.cr, after.lr, after.ctr, after.xer],
            [want.cr, want.lr, want.ctr, want.xer],
        );
        t.interrupt("  goes on behind the sc", &before, &after, 0x700, TRAP, 24);
    }
    let mut narrow = Frame::new(&raw const SC).reg(0, MAGIC).reg(11, kvm::FEATURES);
    narrow.srr1 &= !msr::SF;
    let after = narrow.run();
    t.check("FEATURES in 32-bit mode", [after.gpr[3], after.gpr[4]], [0, 2]);
}

fn other_words(t: &mut Report, user: bool) {
    let before = Frame::new(&raw const FAKE_SC1).reg(3, UNKNOWN);
    let after = before.run();
    t.interrupt("0x7c000268 is `sc 1` in supervisor mode", &before, &after, 0x700, TRAP, 8);
    t.check("  answered H_FUNCTION", after.gpr[3] as i64, H_FUNCTION);
    if user {
        let before = before.with(msr::PR);
        t.interrupt("0x7c000268 is illegal in user mode", &before, &before.run(), 0x700, ILLEGAL, 0);
    }
    let before = Frame::new(&raw const SWAPPED_SC).reg(0, MAGIC).reg(11, kvm::FEATURES);
    let after = before.run();
    if cfg!(target_endian = "little") {
        t.interrupt("byte-swapped sc and nop are skipped", &before, &after, 0x700, TRAP, 12);
        t.check("  answered 12", after.gpr[3], 12);
    } else {
        t.interrupt("byte-swapped sc is illegal in big-endian mode", &before, &after, 0x700, ILLEGAL, 0);
    }
}
