//! Synchronous interrupts: the vector, SRR0 and SRR1 of each cause (Power ISA Book III, 7.5).
#![no_std]
#![no_main]
#![feature(asm_experimental_arch)]

use guest_rt::{
    code,
    exception::{Frame, ILLEGAL, PRIVILEGED, REASON, SCV, TRAP},
    fdt::Fdt,
    spr::{is_isa300, mfmsr, mfspr, msr, mtspr, spr},
};
use kernels::{Report, memory::SCRATCH, translation};

guest_rt::guest_main!(main);

code! {
    NOTHING: "nop", "nop";
    TWUI: "nop", "nop", "twui 3, 0";
    TWEQ_NOT_TAKEN: "tweqi 3, 0";
    TDEQ_TAKEN: "tdeqi 3, 0x77";
    ILLEGAL_ZERO: "nop", ".long 0";
    ILLEGAL_EXTENDED: ".long 0x7c0007fe";
    MFMSR: "mfmsr 3";
    MTMSRD: "mtmsrd 3, 1";
    MFSPRG: "mfspr 3, 272";
    MTSRR0: "mtspr 26, 3";
    MFDEC: "mfspr 3, 22";
    MTDEC: "mtspr 22, 3";
    RFID: "rfid";
    SLBIA: "slbia";
    TLBSYNC: "tlbsync";
    MF_UNKNOWN_PRIVILEGED: "mfspr 3, 881";
    MF_UNKNOWN_OPEN: "mfspr 3, 992";
    MT_UNKNOWN_PRIVILEGED: "mtspr 882, 3";
    MF_SPR0: "mfspr 3, 0";
    SYSTEM_CALL: "nop", "sc";
    SCV_0: ".long 0x44000001";
    FADD: "fadd 1, 2, 3";
    LFD: "lfd 1, 0(4)";
    VADDUBM: "vaddubm 1, 2, 3";
    XXLOR: "xxlor 1, 2, 3";
    LXVD2X: "lxvd2x 40, 0, 4";
    MFTAR: "mfspr 3, 815";
    LWARX: "lwarx 3, 0, 4";
    LDARX: "ldarx 3, 0, 4";
    STWCX: "lwarx 3, 0, 5", "stwcx. 3, 0, 4";
    LMW: "lmw 28, 0(4)";
    LWZ: "lwz 3, 0(4)";
    RETURN: "mtspr 26, 3", "mtspr 27, 5", "rfid";
}

/// What MSR[PR] = 1 forces on.
const USER: u64 = msr::EE | msr::IR | msr::DR;
/// ISA 2.07: the number of the facility in FSCR that TAR belongs to.
const FSCR_TAR: u64 = 8;
/// ISA 3.0: that of `scv`.
const FSCR_SCV: u64 = 12;

fn main(tree: Option<Fdt<'static>>) {
    if translation::identity(tree).is_none() {
        guest_rt::fail("no translation for user mode");
    }
    let mut report = Report::default();
    let t = &mut report;
    program(t);
    privileged(t);
    system_call(t);
    unavailable(t);
    alignment(t);
    vectored_call(t);
    state(t);
    report.finish();
}

fn probe(code: *const u32, bits: u64) -> (Frame, Frame) {
    let before = Frame::new(code).with(bits).reg(4, SCRATCH);
    let after = before.run();
    (before, after)
}

fn program(t: &mut Report) {
    let (before, after) = probe(&raw const TWUI, 0);
    t.interrupt("twui: 0x700 trap, SRR0 at the trap", &before, &after, 0x700, TRAP, 8);
    t.check("trap: the rest of SRR1 is the MSR", after.srr1 & !REASON, before.srr1 & !REASON);
    let (before, after) = probe(&raw const TWEQ_NOT_TAKEN, 0);
    t.interrupt("tweqi with a false condition goes on", &before, &after, 0x700, TRAP, 4);
    let before = Frame::new(&raw const TDEQ_TAKEN).reg(3, 0x77);
    t.interrupt("tdeqi with a true condition traps", &before, &before.run(), 0x700, TRAP, 0);
    for bits in [0, msr::PR] {
        let (before, after) = probe(&raw const ILLEGAL_ZERO, bits);
        t.interrupt("the word 0 is illegal", &before, &after, 0x700, ILLEGAL, 4);
        let (before, after) = probe(&raw const ILLEGAL_EXTENDED, bits);
        t.interrupt("an unassigned extended opcode is illegal", &before, &after, 0x700, ILLEGAL, 0);
    }
}

fn privileged(t: &mut Report) {
    #[rustfmt::skip]
    let cases = [
        ("mfmsr", &raw const MFMSR), ("mtmsrd", &raw const MTMSRD), ("mfsprg0", &raw const MFSPRG),
        ("mtsrr0", &raw const MTSRR0), ("mfdec", &raw const MFDEC), ("mtdec", &raw const MTDEC), ("rfid", &raw const RFID),
        ("slbia", &raw const SLBIA), ("tlbsync", &raw const TLBSYNC),
        ("mfspr of an unknown privileged SPR", &raw const MF_UNKNOWN_PRIVILEGED),
        ("mtspr of an unknown privileged SPR", &raw const MT_UNKNOWN_PRIVILEGED),
    ];
    for (name, code) in cases {
        let (before, after) = probe(code, msr::PR);
        t.interrupt(name, &before, &after, 0x700, PRIVILEGED, 0);
        t.check("  r3 unchanged", after.gpr[3], before.gpr[3]);
    }
    let (before, after) = probe(&raw const MF_UNKNOWN_OPEN, msr::PR);
    t.interrupt("mfspr of an unknown open SPR from user mode is illegal", &before, &after, 0x700, ILLEGAL, 0);
    let (before, after) = probe(&raw const MT_UNKNOWN_PRIVILEGED, 0);
    t.interrupt("mtspr of an unknown SPR in supervisor mode does nothing", &before, &after, 0x700, TRAP, 4);
    let (before, after) = probe(&raw const MF_SPR0, 0);
    t.interrupt("mfspr 0 in supervisor mode is illegal", &before, &after, 0x700, ILLEGAL, 0);
}

fn system_call(t: &mut Report) {
    for (name, bits) in [("sc from supervisor mode", 0), ("sc from user mode", msr::PR)] {
        let (before, after) = probe(&raw const SYSTEM_CALL, bits);
        t.interrupt(name, &before, &after, 0xc00, 0, 8);
        t.check("  the rest of SRR1 is the MSR", after.srr1, before.srr1 | bits / msr::PR * USER);
        t.gprs("  GPRs unchanged", &after, &before);
    }
}

/// `scv`: LR and CTR take the place of SRR0 and SRR1 (Power ISA 3.0 Book III, 4.3.1).
fn vectored_call(t: &mut Report) {
    if !is_isa300() {
        return t.skip("scv", "ISA 3.0 only");
    }
    let saved = mfspr::<{ spr::FSCR }>();
    // SAFETY: a facility of user mode.
    let fscr = |value| unsafe { mtspr::<{ spr::FSCR }>(value) };
    fscr(saved & !(1 << FSCR_SCV));
    let (before, after) = probe(&raw const SCV_0, msr::PR);
    t.interrupt("scv with FSCR[SCV] = 0", &before, &after, 0xf60, 0, 0);
    t.check("  FSCR names the facility", mfspr::<{ spr::FSCR }>() >> 56, FSCR_SCV);
    fscr(saved | 1 << FSCR_SCV);
    for (name, bits) in [("scv 0 from supervisor mode", 0), ("scv 0 from user mode", msr::PR)] {
        let (before, after) = probe(&raw const SCV_0, bits);
        t.check(name, [after.vector, after.lr - before.srr0], [SCV.into(), 4]);
        let state = before.srr1 | bits / msr::PR * USER;
        t.check("  CTR is the MSR", after.ctr & !REASON, state);
        let kept = state & (msr::SF | msr::EE | msr::ME | msr::RI | msr::LE);
        t.check("  EE and RI are kept, PR, IR and DR fall", after.handler_msr, kept);
    }
    fscr(saved);
}

fn unavailable(t: &mut Report) {
    #[rustfmt::skip]
    let cases = [
        ("fadd without FP", &raw const FADD, 0, 0x800),
        ("lfd without FP", &raw const LFD, msr::PR, 0x800),
        ("vaddubm without VEC", &raw const VADDUBM, msr::FP, 0xf20),
        ("xxlor without VSX", &raw const XXLOR, msr::FP | msr::VEC, 0xf40),
        ("lxvd2x without VSX", &raw const LXVD2X, msr::PR, 0xf40),
    ];
    for (name, code, bits, vector) in cases {
        let (before, after) = probe(code, bits);
        t.interrupt(name, &before, &after, vector, 0, 0);
    }
    #[rustfmt::skip]
    let enabled = [
        ("fadd with FP", &raw const FADD, msr::FP), ("vaddubm with VEC", &raw const VADDUBM, msr::VEC),
        ("xxlor with VSX", &raw const XXLOR, msr::VSX | msr::FP | msr::VEC),
    ];
    for (name, code, bits) in enabled {
        let (before, after) = probe(code, bits);
        t.interrupt(name, &before, &after, 0x700, TRAP, 4);
    }
    let saved = mfspr::<{ spr::FSCR }>();
    // SAFETY: facilities of user mode; this kernel has none but the probes.
    unsafe { mtspr::<{ spr::FSCR }>(saved & !(1 << FSCR_TAR)) };
    let (before, after) = probe(&raw const MFTAR, msr::PR);
    t.interrupt("mftar from user mode with FSCR[TAR] = 0", &before, &after, 0xf60, 0, 0);
    t.check("  FSCR names the facility", mfspr::<{ spr::FSCR }>() >> 56, FSCR_TAR);
    // SAFETY: as above.
    unsafe { mtspr::<{ spr::FSCR }>(saved | 1 << FSCR_TAR) };
    let (before, after) = probe(&raw const MFTAR, msr::PR);
    t.interrupt("mftar from user mode with FSCR[TAR] = 1", &before, &after, 0x700, TRAP, 4);
}

fn alignment(t: &mut Report) {
    #[rustfmt::skip]
    let cases = [
        ("lwarx at 4n+2", &raw const LWARX, SCRATCH + 2, 0), ("ldarx at 8n+4", &raw const LDARX, SCRATCH + 4, 0),
        ("stwcx. at 4n+1", &raw const STWCX, SCRATCH + 1, 4),
    ];
    for (name, code, address, distance) in cases {
        let before = Frame::new(code).reg(4, address).reg(5, SCRATCH);
        let after = before.run();
        t.interrupt(name, &before, &after, 0x600, 0, distance);
        t.check("  DAR", after.dar, address);
    }
    let before = Frame::new(&raw const LWZ).reg(4, SCRATCH + 1);
    t.interrupt("lwz at 4n+1 is no alignment interrupt", &before, &before.run(), 0x700, TRAP, 4);
    let (before, after) = probe(&raw const LMW, 0);
    if cfg!(target_endian = "little") {
        t.interrupt("lmw in little-endian mode", &before, &after, 0x600, 0, 0);
    } else {
        t.interrupt("lmw in big-endian mode", &before, &after, 0x700, TRAP, 4);
    }
}

fn state(t: &mut Report) {
    let (_, after) = probe(&raw const NOTHING, msr::EE | msr::PR | msr::FP | msr::VEC | msr::VSX);
    let kept = msr::SF | (mfmsr() & (msr::ME | msr::LE));
    t.check("MSR at the vector: SF, ME and LE only", after.handler_msr, kept);
    let (before, after) = probe(&raw const NOTHING, msr::SE);
    t.check("MSR[SE]: 0xd00 after one instruction", [after.vector, after.srr0 - before.srr0], [0xd00, 4]);
    let target = &raw const NOTHING as u64;
    let before = Frame::new(&raw const RETURN).reg(3, target | 3).reg(5, mfmsr() | msr::PR);
    let after = before.run();
    t.check("rfid ignores the low two bits of SRR0", after.srr0, target + 8);
    t.check("rfid to user mode sets EE, IR and DR", after.srr1 & (msr::PR | USER), msr::PR | USER);
    let (before, after) = probe(&raw const NOTHING, 0);
    let want = [before.cr, before.lr, before.ctr, before.xer];
    t.check("CR, LR, CTR and XER survive the trampoline", [after.cr, after.lr, after.ctr, after.xer], want);
    let before = Frame::new(&raw const NOTHING);
    t.gprs("all GPRs survive the trampoline", &before.run(), &before);
    let mut narrow = Frame::new(&raw const NOTHING);
    narrow.srr1 &= !msr::SF;
    let after = narrow.run();
    t.check("an interrupt in 32-bit mode records SF = 0", after.srr1 & msr::SF, 0);
}
