//! The magic page: where it is visible, what it holds, and that it and the trapped registers are one storage
//! (rules of the KVM interface; in `kvm::page` the layout).
#![no_std]
#![no_main]
#![feature(asm_experimental_arch)]

use core::sync::atomic::{AtomicU64, Ordering::Relaxed};

use guest_rt::{
    code,
    exception::{Frame, NEVER, TRAP, set_decrementer, set_handler},
    fdt::Fdt,
    kvm::{self, Kvm, PAGE_EA, PAGE_RA, page},
    papr::{hcall, opcode},
    spr::{mfmsr, mfspr, msr, mtmsrd_ee_ri, mtspr, spr, timebase},
};
use kernels::{
    Report,
    memory::{COVERED, SCRATCH, peek, poke},
    translation,
};

guest_rt::guest_main!(main);

code! {
    LOAD: "ld 3, 0(4)", "nop";
    STORE: "std 3, 0(4)", "nop";
    TRAPPING: "nop";
    UNALIGNED: "ldarx 3, 0, 4";
    // r1 = critical: an interrupt that is due waits until the page says otherwise; r20 counts the way.
    CRITICAL: "std 1, -4096 + 0x18(0)", "mtmsrd 3, 1", "nop", "nop", "li 20, 1", "std 5, -4096 + 0x18(0)", "1: li 20, 2", "b 1b";
    // Position-independent code for the page itself.
    LI_42: "li 3, 42";
}

/// What RAM under the page holds.
const RAM: u64 = 0x5a5a_0000_1111_2222;
const VALUE: u64 = 0x0123_4567_89ab_cdef;

fn map(kvm: &Kvm, ra: u64, ea: u64) -> [u64; 2] {
    let reply = kvm.call(kvm::MAP_MAGIC_PAGE, &[ra, ea | kvm::NOT_MAPPED_NX]);
    [reply.status as u64, reply.out[0]]
}

fn field(offset: u64) -> u64 {
    peek(PAGE_RA + offset)
}

fn main(tree: Option<Fdt<'static>>) {
    let mut report = Report::default();
    match tree.and_then(Kvm::find) {
        Some(kvm) if kvm.call(kvm::FEATURES, &[]).out[0] & 2 != 0 => rules(&mut report, &kvm, tree),
        _ => report.skip("magic page", "this hypervisor does not offer it"),
    }
    report.finish();
}

fn rules(t: &mut Report, kvm: &Kvm, tree: Option<Fdt<'static>>) {
    // SAFETY: SPRGs are free in these kernels.
    unsafe { mtspr::<{ spr::SPRG2 }>(VALUE) };
    t.check("MAP_MAGIC_PAGE", map(kvm, PAGE_RA, PAGE_EA), [0, 3]);
    t.check("a register written before the map is in the page", field(0x30), VALUE);
    coherence(t);
    interrupts(t);
    window(t, kvm);
    byte_order(t, kvm);
    if translation::identity(tree).is_some() {
        translated(t);
    } else {
        t.skip("the page under translation", "no translation");
    }
    t.check("bytes from 0xf0 on are zero", (0xf0..0x1000).step_by(8).fold(0, |all, at| all | field(at)), 0);
}

fn coherence(t: &mut Report) {
    macro_rules! one_storage {
        ($t:expr, $($name:literal, $spr:ident, $offset:expr, $word:ty;)+) => { $(
            // SAFETY: registers that only an interrupt writes; none is enabled.
            unsafe { mtspr::<{ spr::$spr }>(VALUE) };
            $t.check(concat!("mtspr ", $name, " is in the page"), peek::<$word>(PAGE_RA + $offset), VALUE as $word);
            poke(PAGE_RA + $offset, !VALUE as $word);
            let got = mfspr::<{ spr::$spr }>() as $word;
            $t.check(concat!("mfspr ", $name, " sees a store to the page"), got, !VALUE as $word);
        )+ };
    }
    one_storage! { t,
        "SPRG0", SPRG0, page::SPRG0, u64;
        "SPRG1", SPRG1, page::SPRG0 + 8, u64;
        "SPRG2", SPRG2, page::SPRG0 + 16, u64;
        "SPRG3", SPRG3, page::SPRG3, u64;
        "SRR0", SRR0, page::SRR0, u64;
        "SRR1", SRR1, page::SRR1, u64;
        "DAR", DAR, page::DAR, u64;
        "DSISR", DSISR, page::DSISR, u32;
    }
    t.check("msr field = mfmsr", field(page::MSR), mfmsr());
    mtmsrd_ee_ri(0);
    t.check("mtmsrd clears RI in the page", field(page::MSR) & msr::RI, 0);
    poke(PAGE_RA + page::MSR, field(page::MSR) | msr::RI | msr::EE);
    t.check("EE and RI stored to the page are in mfmsr", mfmsr() & (msr::EE | msr::RI), msr::EE | msr::RI);
    poke(PAGE_RA + page::MSR, field(page::MSR) & !msr::EE);
    t.check("pir is the processor's number", peek::<u32>(PAGE_RA + 0xcc), 0);
}

/// The page as the interrupt handler found it, and r20 of the interrupted code.
static SEEN: [AtomicU64; 4] = [const { AtomicU64::new(0) }; 4];
static R20: AtomicU64 = AtomicU64::new(0);
static LEAVE: AtomicU64 = AtomicU64::new(0);

fn on_interrupt(frame: &mut Frame) -> bool {
    let values = [field(page::SRR0), field(page::SRR1), field(page::DAR), field(page::MSR)];
    SEEN.iter().zip(values).for_each(|(seen, value)| seen.store(value, Relaxed));
    if frame.vector != 0x900 {
        return false;
    }
    set_decrementer(NEVER);
    R20.store(frame.gpr[20], Relaxed);
    if LEAVE.load(Relaxed) != 0 {
        frame.srr0 = LEAVE.load(Relaxed);
    }
    true
}

fn interrupts(t: &mut Report) {
    set_handler(Some(on_interrupt));
    let seen = || SEEN.each_ref().map(|seen| seen.load(Relaxed));
    let after = Frame::new(&raw const TRAPPING).run();
    t.check("after an interrupt: srr0, srr1", [seen()[0], seen()[1]], [after.srr0, after.srr1]);
    t.check("  msr is the handler's", seen()[3], after.handler_msr);
    let after = Frame::new(&raw const UNALIGNED).reg(4, SCRATCH + 4).run();
    t.check("after an alignment interrupt: dar", [after.vector, seen()[2]], [0x600, SCRATCH + 4]);

    t.check("int_pending is 0 with nothing pending", peek::<u32>(PAGE_RA + page::INT_PENDING), 0);
    set_decrementer(u64::MAX);
    mfmsr();
    t.check("int_pending is 1 while the decrementer waits for EE", peek::<u32>(PAGE_RA + page::INT_PENDING), 1);
    set_decrementer(NEVER);
    mfmsr();
    t.check("int_pending falls when it is re-armed", peek::<u32>(PAGE_RA + page::INT_PENDING), 0);

    // EE by a plain store, the exception later: delivered without any trap of the guest.
    set_decrementer(50_000);
    let (start, mut spins) = (timebase(), 0_u64);
    poke(PAGE_RA + page::MSR, field(page::MSR) | msr::EE);
    SEEN[0].store(0, Relaxed);
    while SEEN[0].load(Relaxed) == 0 && timebase() - start < 1 << 31 {
        spins += 1;
    }
    poke(PAGE_RA + page::MSR, field(page::MSR) & !msr::EE);
    t.holds("EE stored to the page enables a later decrementer", SEEN[0].load(Relaxed) != 0, spins);

    set_decrementer(u64::MAX);
    let before = Frame::new(&raw const CRITICAL).reg(1, SCRATCH).reg(3, msr::EE | msr::RI).reg(5, 0).reg(20, 0);
    LEAVE.store(before.srr0 + 32, Relaxed);
    let after = before.run();
    LEAVE.store(0, Relaxed);
    t.holds("critical = r1 holds the decrementer, later it comes", R20.load(Relaxed) >= 1, R20.load(Relaxed));
    t.holds("  and the code ended", after.finished(), after.vector);
    set_handler(None);
}

fn window(t: &mut Report, kvm: &Kvm) {
    (COVERED - 0x1000..COVERED + 0x2000).step_by(8).for_each(|at| poke(at, RAM));
    // SAFETY: as above.
    unsafe { mtspr::<{ spr::SPRG1 }>(VALUE) };
    let sprg1 = page::SPRG0 + 8;
    t.check("re-map, low bits of the real address ignored", map(kvm, COVERED + 0x123, PAGE_EA), [0, 3]);
    t.check("the page hides RAM, contents kept", peek(COVERED + sprg1), VALUE);
    t.check("also with other bits at the top of the address", peek(COVERED + sprg1 | 0xf << 60), VALUE);
    t.check("RAM below and above stays", [peek(COVERED - 8), peek(COVERED + 0x1000)], [RAM, RAM]);
    poke(COVERED + sprg1, !VALUE);
    t.check("re-map back", map(kvm, PAGE_RA, PAGE_EA), [0, 3]);
    t.check("RAM was not written", peek(COVERED + sprg1), RAM);
    t.check("the store went to the page", field(sprg1), !VALUE);
    map(kvm, COVERED, PAGE_EA);
    map(kvm, 0, 0);
    t.check("mapping 0 at 0 unmaps", [peek(COVERED + sprg1), mfspr::<{ spr::SPRG1 }>()], [RAM, !VALUE]);
    map(kvm, PAGE_RA, PAGE_EA);
}

fn byte_order(t: &mut Report, kvm: &Kvm) {
    let own = u64::from(cfg!(target_endian = "little"));
    // SAFETY: as above.
    unsafe { mtspr::<{ spr::SPRG0 }>(VALUE) };
    if hcall(opcode::H_SET_MODE, &[1 - own, 4, 0, 0]).status != 0 {
        return t.skip("byte order of the page", "H_SET_MODE refused");
    }
    t.check("H_SET_MODE alone does not swap", field(page::SPRG0), VALUE);
    map(kvm, PAGE_RA, PAGE_EA);
    t.check("a map in the other order swaps", field(page::SPRG0), VALUE.swap_bytes());
    t.check("  the register keeps its value", mfspr::<{ spr::SPRG0 }>(), VALUE);
    hcall(opcode::H_SET_MODE, &[own, 4, 0, 0]);
    t.check("still swapped until the next map", field(page::SPRG0), VALUE.swap_bytes());
    map(kvm, PAGE_RA, PAGE_EA);
    t.check("a map in our order swaps back", field(page::SPRG0), VALUE);
}

fn translated(t: &mut Report) {
    let on = msr::IR | msr::DR;
    let at = |code: *const u32, bits: u64, address: u64| Frame::new(code).with(bits).reg(3, !VALUE).reg(4, address);
    let fault = |frame: &Frame| matches!(frame.vector, 0x300 | 0x380);
    let sprg0 = PAGE_EA + page::SPRG0;
    let after = at(&raw const LOAD, on, sprg0).run();
    t.holds(
        "load at -4096 with DR = 1 and nothing mapped there",
        after.finished() && after.gpr[3] == VALUE,
        (after.vector, after.gpr[3]),
    );
    let after = at(&raw const STORE, on, sprg0).run();
    t.holds("store there", after.finished() && mfspr::<{ spr::SPRG0 }>() == !VALUE, after.vector);
    let after = at(&raw const LOAD, on | msr::PR, sprg0).run();
    t.holds("user mode does not see it", fault(&after), (after.vector, after.gpr[3]));
    let after = at(&raw const STORE, on | msr::PR, sprg0).run();
    t.holds("user mode can not write it", fault(&after) && mfspr::<{ spr::SPRG0 }>() == !VALUE, after.vector);
    let after = at(&raw const LOAD, on, PAGE_EA - 8).run();
    t.holds("the doubleword below is not the page", fault(&after), after.vector);
    // Two instructions into scratch1, run there.
    poke(PAGE_RA, peek::<[u32; 2]>(&raw const LI_42 as u64));
    for (name, bits) in [("instructions can be fetched from the page, translated", on), ("  in real mode", 0)] {
        let before = at(PAGE_EA as *const u32, bits, 0);
        let after = before.run();
        t.interrupt(name, &before, &after, 0x700, TRAP, 4);
        t.check("  and run", after.gpr[3], 42);
    }
}
