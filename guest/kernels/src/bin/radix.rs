//! Radix translation: process table, every fault, page sizes, invalidation, AMR and IAMR (Power ISA 3.0 Book III, 6.7).
#![no_std]
#![no_main]
#![feature(asm_experimental_arch)]

use core::arch::asm;

use guest_rt::{
    code,
    exception::{Frame, PRIVILEGED, TRAP, install_at},
    fdt::Fdt,
    papr::{hcall, opcode::*, status::*},
    spr::{msr, mtspr, ptesync, spr},
};
use kernels::{
    Mmu, Report,
    memory::{PROCESS_TABLE, SCRATCH, image, peek, poke, probes},
    offers,
    radix::{Page, Tables, Tree, pte},
    translation::{self, Space},
};

guest_rt::guest_main!(main);

code! {
    LOAD: "ld 3, 0(4)", "nop";
    STORE: "nop", "std 3, 0(4)";
    // To where r4 points, with a `trap` waiting there.
    JUMP: "mtctr 4", "bctr";
    SC1: "sc 1";
    // One 4 KiB page of process 0; the assembler knows the old form only.
    TLBIE: ".long 0x7ca32264";
}

/// DSISR and SRR1 bits of the storage interrupts (Book III 7.5.3, 7.5.5).
const NO_PAGE: u64 = 0x4000_0000;
const PROTECTION: u64 = 0x0800_0000;
const STORED: u64 = 0x0200_0000;
const KEY: u64 = 0x0020_0000;
const NO_EXECUTE: u64 = 0x1000_0000;

/// Effective addresses of the test pages, and the frames behind them.
const TEST: u64 = 0x1_0000_0000;
const FRAMES: [u64; 2] = [SCRATCH + 0x8000, SCRATCH + 0x9000];
const VALUES: [u64; 2] = [0x1111_2222_3333_4444, 0x5555_6666_7777_8888];

const ON: u64 = msr::IR | msr::DR;
const USER: u64 = ON | msr::PR;

fn main(tree: Option<Fdt<'static>>) {
    let mut report = Report::default();
    let t = &mut report;
    if tree.is_none_or(|tree| Mmu::of(tree) != Mmu::Radix) {
        t.skip("radix translation", "this partition uses the hashed page table");
        return report.finish();
    }
    registration(t);
    let offered = offers(tree, "hcall-rpt-invalidate");
    match translation::identity(tree) {
        Some(Space::Radix { mut tables, tree }) => {
            FRAMES.into_iter().zip(VALUES).for_each(|(frame, value)| poke(frame, value));
            rights(t, &mut tables, &tree);
            fetches(t, &mut tables, &tree);
            quadrants(t);
            sizes(t, &mut tables, &tree);
            changes(t, &mut tables, &tree);
            processes(t, &mut tables);
            keys(t, &mut tables, &tree);
            by_hypercall(t, &mut tables, &tree, offered);
            alternate_location(t, &mut tables, &tree);
            let before = Frame::new(&raw const SC1).with(USER).reg(3, 0x7c);
            t.interrupt("1: sc 1 in user mode is privileged", &before, &before.run(), 0x700, PRIVILEGED, 0);
        }
        _ => t.check("H_REGISTER_PROC_TBL accepts a radix table", false, true),
    }
    report.finish();
}

fn registration(t: &mut Report) {
    #[rustfmt::skip]
    let cases = [
        ("33: H_REGISTER_PROC_TBL: reserved flag",    [0x3d, PROCESS_TABLE, 0, 0],      H_PARAMETER),
        ("33: H_REGISTER_PROC_TBL: not aligned",      [0x1d, PROCESS_TABLE + 16, 0, 0], H_P2),
        ("33: H_REGISTER_PROC_TBL: page size not 0",  [0x1d, PROCESS_TABLE, 1, 0],      H_P3),
        ("33: H_REGISTER_PROC_TBL: size code 25",     [0x1d, PROCESS_TABLE, 0, 25],     H_P4),
    ];
    for (name, args, status) in cases {
        t.check(name, hcall(H_REGISTER_PROC_TBL, &args).status, status);
    }
    for (name, call) in [("H_CLEAN_SLB", H_CLEAN_SLB), ("H_INVALIDATE_PID", H_INVALIDATE_PID)] {
        t.check(name, hcall(call, &[0, 1]).status, H_FUNCTION);
    }
}

fn access(code: *const u32, ea: u64, bits: u64) -> (Frame, Frame) {
    let before = Frame::new(code).with(bits).reg(4, ea).reg(3, VALUES[1]);
    let after = before.run();
    (before, after)
}

/// A data storage interrupt with these DSISR bits, its DAR, and SRR0 at the access.
fn faults(t: &mut Report, name: &str, code: *const u32, ea: u64, bits: u64, dsisr: u64) {
    let (before, after) = access(code, ea, bits);
    let distance = if dsisr & STORED != 0 { 4 } else { 0 };
    let got = [after.vector, after.dsisr, after.dar, after.srr0 - before.srr0];
    t.check(name, got, [0x300, dsisr, ea, distance]);
}

/// The access ends at the probe's trap.
fn works(t: &mut Report, name: &str, code: *const u32, ea: u64, bits: u64) {
    let (before, after) = access(code, ea, bits);
    t.interrupt(name, &before, &after, 0x700, TRAP, 8);
}

fn rights(t: &mut Report, tables: &mut Tables, tree: &Tree) {
    let (load, store) = (&raw const LOAD, &raw const STORE);
    faults(t, "load, nothing mapped", load, TEST, ON, NO_PAGE);
    faults(t, "store, nothing mapped", store, TEST, ON, NO_PAGE | STORED);
    faults(t, "user load, nothing mapped", load, TEST + 0xff8, USER, NO_PAGE);
    let mut page = TEST + 0x1_0000;
    let mut map = |bits: u64| {
        page += 0x1000;
        tree.map(tables, page, FRAMES[0], Page::Size4K, pte::R | pte::C | bits);
        page
    };
    let ea = map(pte::PRIVILEGED | pte::READ);
    works(t, "load, read-only", load, ea, ON);
    faults(t, "store, read-only", store, ea, ON, PROTECTION | STORED);
    faults(t, "user load, privileged page", load, ea, USER, PROTECTION);
    let ea = map(pte::PRIVILEGED | pte::READ | pte::WRITE);
    works(t, "store, read-write", store, ea, ON);
    t.check("  the frame has it", peek(FRAMES[0]), VALUES[1]);
    faults(t, "user store, privileged page", store, ea, USER, PROTECTION | STORED);
    let ea = map(pte::READ);
    works(t, "user load, read-only", load, ea, USER);
    faults(t, "user store, read-only", store, ea, USER, PROTECTION | STORED);
    let ea = map(pte::PRIVILEGED | pte::EXECUTE);
    faults(t, "load, execute-only", load, ea, ON, PROTECTION);
    poke(FRAMES[0], VALUES[0]);
    let after = access(load, TEST + 0x1_1000, ON).1;
    t.check("34: a load reads the frame", after.gpr[3], VALUES[0]);
}

fn fetches(t: &mut Report, tables: &mut Tables, tree: &Tree) {
    let jump = |ea: u64, bits: u64| access(&raw const JUMP, ea, bits).1;
    let after = jump(TEST, ON);
    t.check("34: fetch, nothing mapped", [after.vector, after.reason(), after.srr0], [0x400, NO_PAGE, TEST]);
    // The probes' first page once more, with other rights.
    let trap = (&raw const JUMP as u64 & 0xfff) + 8;
    let cases = [
        ("fetch, privileged executable", pte::PRIVILEGED | pte::EXECUTE, ON, [0x700, TRAP]),
        ("fetch, no execute right", pte::PRIVILEGED | pte::READ | pte::WRITE, ON, [0x400, NO_EXECUTE]),
        ("user fetch, no execute right", pte::READ, USER, [0x400, NO_EXECUTE]),
        ("user fetch, executable", pte::EXECUTE, USER, [0x700, TRAP]),
        ("fetch of a user page by the supervisor", pte::EXECUTE, ON, [0x700, TRAP]),
    ];
    for (index, (name, bits, mode, want)) in cases.into_iter().enumerate() {
        let page = TEST + 0x2_0000 + index as u64 * 0x1000;
        tree.map(tables, page, probes(), Page::Size4K, pte::R | pte::C | bits);
        let after = jump(page + trap, mode);
        t.check(name, [after.vector, after.reason()], want);
        t.check("  SRR0", after.srr0, page + trap);
    }
    let page = TEST + 0x2_0000;
    let after = jump(page + trap, USER);
    t.holds(
        "user fetch of a privileged page",
        after.vector == 0x400 && after.srr0 == page + trap,
        (after.vector, after.reason()),
    );
}

fn quadrants(t: &mut Report) {
    for (name, ea) in [("quadrant 1", 1_u64 << 62), ("quadrant 2", 2 << 62), ("beyond 52 bits", 1 << 52)] {
        let after = access(&raw const LOAD, ea, ON).1;
        t.check(name, [after.vector, after.dar], [0x380, ea]);
    }
    let after = access(&raw const JUMP, 1 << 62, ON).1;
    t.check("fetch from quadrant 1", [after.vector, after.srr0], [0x480, 1 << 62]);
    faults(t, "quadrant 3 is process 0", &raw const LOAD, 3 << 62, ON, NO_PAGE);
}

fn sizes(t: &mut Report, tables: &mut Tables, tree: &Tree) {
    let cases = [
        ("64 KiB page", TEST + 0x60_0000, Page::Size64K),
        ("2 MiB page", TEST + 0x20_0000, Page::Size2M),
        ("1 GiB page", TEST + 0x4000_0000, Page::Size1G),
    ];
    for (name, ea, page) in cases {
        let mask = (1_u64 << page as u32) - 1;
        tree.map(tables, ea, FRAMES[1] & !mask, page, pte::KERNEL);
        poke(FRAMES[1], VALUES[1]);
        let after = access(&raw const LOAD, ea | FRAMES[1] & mask, ON).1;
        t.holds(name, after.finished() && after.gpr[3] == VALUES[1], (after.vector, after.gpr[3]));
    }
}

/// LPCR[AIL] = 3: an interrupt of translated code arrives translated at 0xc000_0000_0000_4000, others as ever.
fn alternate_location(t: &mut Report, tables: &mut Tables, tree: &Tree) {
    // Quadrant 3 is the same tree: page 0, the second set of vectors, and the image.
    let (start, end) = image();
    for page in [0, 0x4000, 0x5000].into_iter().chain((start..end).step_by(0x1000)) {
        if leaf_is_free(tables, tree, page) {
            tree.map(tables, page, page, Page::Size4K, pte::KERNEL);
        }
    }
    install_at(0x4000);
    let mode = |ail: u64| hcall(H_SET_MODE, &[ail, 3, 0, 0]).status;
    let arrives = |bits: u64| {
        let after = access(&raw const LOAD, SCRATCH, bits).1;
        [after.vector, after.handler_msr & ON]
    };
    t.check("AIL 3", mode(3), H_SUCCESS);
    t.check("an interrupt of translated code arrives translated", arrives(ON), [0x700, ON]);
    t.check("  of user mode", arrives(USER), [0x700, ON]);
    t.check("  of real mode: not", arrives(0), [0x700, 0]);
    let after = access(&raw const LOAD, TEST, ON).1;
    t.check("  a storage interrupt", [after.vector, after.handler_msr & ON, after.dar], [0x300, ON, TEST]);
    t.check("AIL 0", mode(0), H_SUCCESS);
    t.check("interrupts arrive in real mode again", arrives(ON), [0x700, 0]);
}

fn leaf_is_free(tables: &mut Tables, tree: &Tree, page: u64) -> bool {
    peek::<u64>(tree.leaf(tables, page, Page::Size4K)) == 0
}

/// `tlbie` of one 4 KiB page of process 0 (RIC 0, PRS 1, R 1, IS 0), complete.
fn tlbie(ea: u64) {
    const TLBIE_R4_R5_0_1_1: u32 = 0x7ca3_2264;
    // SAFETY: real mode; only translations of the test pages are stale. The assembler knows the old form only.
    unsafe {
        asm!("ptesync", ".long {tlbie}", "eieio", "tlbsync", "ptesync", tlbie = const TLBIE_R4_R5_0_1_1,
            in("r4") ea & !0xfff, in("r5") 0_u64, options(nostack))
    };
}

/// The same for this processor alone.
fn tlbiel(ea: u64) {
    const TLBIEL_R4_R5_0_1_1: u32 = 0x7ca3_2224;
    // SAFETY: as above.
    unsafe {
        asm!("ptesync", ".long {tlbiel}", "ptesync", tlbiel = const TLBIEL_R4_R5_0_1_1,
            in("r4") ea & !0xfff, in("r5") 0_u64, options(nostack))
    };
}

fn changes(t: &mut Report, tables: &mut Tables, tree: &Tree) {
    let resized = [H_RESIZE_HPT_PREPARE, H_RESIZE_HPT_COMMIT].map(|call| hcall(call, &[0, 20]).status);
    t.check("32: no hashed table to be resized", resized, [H_NOT_AVAILABLE; 2]);
    let ea = TEST + 0x3_0000;
    let load = || access(&raw const LOAD, ea, ON).1;
    poke(FRAMES[0], VALUES[0]);
    let leaf = tree.map(tables, ea, FRAMES[0], Page::Size4K, pte::KERNEL);
    t.check("before: first frame", load().gpr[3], VALUES[0]);
    tree.map(tables, ea, FRAMES[1], Page::Size4K, pte::KERNEL);
    tlbie(ea);
    t.check("35: tlbie: second frame", load().gpr[3], VALUES[1]);
    tree.map(tables, ea, FRAMES[0], Page::Size4K, pte::KERNEL);
    tlbiel(ea);
    t.check("36: tlbiel: first frame", load().gpr[3], VALUES[0]);
    poke(leaf, 0_u64);
    tlbie(ea);
    t.check("35: tlbie: no page", load().vector, 0x300);

    // Reference and change: set by the walk, or a fault that asks software to set them (DSISR 0x00040000).
    let attempt = |t: &mut Report, name: &str, code: *const u32, want: u64| {
        let after = access(code, ea, ON).1;
        let recorded = u64::from_be(peek(leaf)) & (pte::R | pte::C);
        let fine =
            if after.finished() { recorded == want } else { after.vector == 0x300 && after.dsisr & 0x4_0000 != 0 };
        t.holds(name, fine, (after.vector, after.dsisr, recorded));
    };
    tree.map(tables, ea, FRAMES[0], Page::Size4K, pte::KERNEL & !(pte::R | pte::C));
    attempt(t, "a load sets R only", &raw const LOAD, pte::R);
    attempt(t, "a store sets C", &raw const STORE, pte::R | pte::C);
}

fn processes(t: &mut Report, tables: &mut Tables) {
    let other = tables.tree();
    for page in [probes(), probes() + 0x1000] {
        other.map(tables, page, page, Page::Size4K, pte::USER);
    }
    other.map(tables, TEST, FRAMES[1], Page::Size4K, pte::USER);
    other.install(1);
    // SAFETY: the kernel runs in real mode.
    unsafe { mtspr::<{ spr::PIDR }>(1) };
    let after = access(&raw const LOAD, TEST, USER).1;
    t.holds("process 1 has its own page", after.finished() && after.gpr[3] == VALUES[1], (after.vector, after.gpr[3]));
    // SAFETY: as above.
    unsafe { mtspr::<{ spr::PIDR }>(0) };
    faults(t, "process 0 does not", &raw const LOAD, TEST, USER, NO_PAGE);
    // SAFETY: as above.
    unsafe { mtspr::<{ spr::PIDR }>(2) };
    let after = access(&raw const LOAD, TEST, ON).1;
    t.holds("a process without a tree can not run", matches!(after.vector, 0x400 | 0x480), (after.vector, after.srr1));
    // SAFETY: as above.
    unsafe { mtspr::<{ spr::PIDR }>(0) };
    ptesync();
}

fn keys(t: &mut Report, tables: &mut Tables, tree: &Tree) {
    const NO_STORE: u64 = 1 << 63;
    const NO_LOAD: u64 = 1 << 62;
    let (user, kernel) = (TEST + 0x4_0000, TEST + 0x4_1000);
    tree.map(tables, user, FRAMES[0], Page::Size4K, pte::USER);
    tree.map(tables, kernel, FRAMES[0], Page::Size4K, pte::KERNEL);
    let (load, store) = (&raw const LOAD, &raw const STORE);
    let refused = |t: &mut Report, name: &str, code: *const u32| {
        let after = access(code, user, ON).1;
        let why = after.dsisr & (PROTECTION | KEY) != 0;
        t.holds(name, after.vector == 0x300 && why && after.dar == user, (after.vector, after.dsisr));
    };
    // The fetch of the probes is not the AMR's business; IAMR is still 0.
    // SAFETY: real mode; only probes are translated.
    let amr = |value| unsafe { mtspr::<{ spr::AMR }>(value) };
    amr(NO_STORE);
    works(t, "37: AMR forbids stores: a load of a user page", load, user, ON);
    refused(t, "  a store to a user page", store);
    works(t, "  a store to a privileged page", store, kernel, ON);
    works(t, "  a user's store", store, user, USER);
    amr(NO_LOAD);
    refused(t, "37: AMR forbids loads: a load of a user page", load);
    works(t, "  a store to a user page", store, user, ON);
    amr(0);
    works(t, "AMR 0: a store to a user page", store, user, ON);
    // SAFETY: as above.
    unsafe { mtspr::<{ spr::IAMR }>(NO_LOAD) };
    let after = access(load, user, ON).1;
    t.check(
        "37: IAMR: the supervisor may not fetch from a user page",
        [after.vector, after.srr0],
        [0x400, load as u64],
    );
    works(t, "  the user may", load, user, USER);
    // SAFETY: as above.
    unsafe { mtspr::<{ spr::IAMR }>(0) };
}

/// A partition that leaves `tlbie` to the hypervisor (flag GTSE of H_REGISTER_PROC_TBL is 0), and asks it instead.
fn by_hypercall(t: &mut Report, tables: &mut Tables, tree: &Tree, offered: bool) {
    if !offered {
        return t.skip("H_RPT_INVALIDATE", "not offered");
    }
    const ALL: u64 = 1;
    const LOCAL: u64 = 2;
    const TLB: u64 = 2;
    const EVERYTHING: u64 = TLB | 4 | 8;
    const SMALL: u64 = 1;
    for (name, args, status) in [
        ("H_RPT_INVALIDATE: no such process", [1 << 20, ALL, TLB, SMALL, 0, !0], H_PARAMETER),
        ("H_RPT_INVALIDATE: nobody", [0, 0, TLB, SMALL, 0, !0], H_P2),
        ("H_RPT_INVALIDATE: nothing", [0, ALL, 0, SMALL, 0, !0], H_P3),
        ("H_RPT_INVALIDATE: no page size", [0, ALL, TLB, 0, 0, !0], H_P4),
        ("H_RPT_INVALIDATE: it ends before it begins", [0, ALL, TLB, SMALL, 0x2000, 0x1000], H_P5),
    ] {
        t.check(name, hcall(H_RPT_INVALIDATE, &args).status, status);
    }
    let register = |flags| hcall(H_REGISTER_PROC_TBL, &[flags, PROCESS_TABLE, 0, 0]).status;
    t.check("H_REGISTER_PROC_TBL without GTSE", register(0x1c), 0);
    let (ea, large) = (TEST + 0x8_0000, TEST + 0xc0_0000);
    let before = Frame::new(&raw const TLBIE).reg(4, ea).reg(5, 0);
    t.interrupt("tlbie is the hypervisor's", &before, &before.run(), 0x700, PRIVILEGED, 0);
    for (name, ea, page, target, kind, sizes, range) in [
        ("a page", ea, Page::Size4K, ALL, TLB, SMALL, 0x1000),
        ("a page of this processor", ea, Page::Size4K, LOCAL, TLB, SMALL, 0x1000),
        ("many pages", ea, Page::Size4K, ALL, TLB, SMALL, 0x100_0000),
        ("pages of any size", ea, Page::Size4K, ALL, TLB, !0, 0x1000),
        ("a large page by a part of it", large, Page::Size2M, ALL, TLB, 5, 0x1000),
        ("everything", ea, Page::Size4K, ALL, EVERYTHING, SMALL, 0x1000),
    ] {
        FRAMES.into_iter().zip(VALUES).for_each(|(frame, value)| poke(frame, value));
        let mask = (1_u64 << page as u32) - 1;
        let at = if page as u32 == 12 { ea } else { ea | FRAMES[0] & mask };
        let load = |ea| access(&raw const LOAD, ea, ON).1;
        let leaf = tree.map(tables, ea, FRAMES[0] & !mask, page, pte::KERNEL);
        t.check("before: first frame", load(at).gpr[3], VALUES[0]);
        poke(leaf, 0_u64);
        ptesync();
        let start = at & !0xfff;
        let status = hcall(H_RPT_INVALIDATE, &[0, target, kind, sizes, start, start + range]).status;
        t.check("H_RPT_INVALIDATE", status, 0);
        t.check(name, load(at).vector, 0x300);
    }
    t.check("H_REGISTER_PROC_TBL with GTSE", register(0x1d), 0);
    t.interrupt("  tlbie is the guest's again", &before, &before.run(), 0x700, TRAP, 4);
    t.check("  translations are there again", access(&raw const LOAD, SCRATCH, ON).1.finished(), true);
}
