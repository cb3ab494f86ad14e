//! The hashed page table behind H_ENTER and its family, the SLB, and every storage fault
//! (PAPR 14.5.4.1; Power ISA 2.07 Book III-S, 5.7).
#![no_std]
#![no_main]
#![feature(asm_experimental_arch)]

use core::arch::asm;

use guest_rt::{
    code,
    exception::{Frame, TRAP},
    fdt::Fdt,
    papr::{hcall, opcode::*, status::*},
    spr::{mfspr, msr, mtspr, spr},
};
use kernels::{
    Mmu, Report,
    hash::{COHERENT, Table, VALID, pp},
    memory::{SCRATCH, peek, poke, probes},
    offers, skips,
    translation::{self, Space, VSID, slbmte},
};

guest_rt::guest_main!(main);

code! {
    LOAD: "ld 3, 0(4)", "nop";
    STORE: "nop", "std 3, 0(4)";
    JUMP: "mtctr 4", "bctr";
}

/// DSISR and SRR1 bits of the storage interrupts (Book III-S 6.5.3, 6.5.5).
const NO_PAGE: u64 = 0x4000_0000;
const PROTECTION: u64 = 0x0800_0000;
const STORED: u64 = 0x0200_0000;
const KEY: u64 = 0x0020_0000;
const NO_EXECUTE: u64 = 0x1000_0000;

/// Flags of H_ENTER, H_REMOVE, H_PROTECT and H_READ.
const EXACT: u64 = 0x80_0000_0000;
const AVPN: u64 = 0x8000_0000;
const READ_4: u64 = 0x20_0000_0000;
/// Software bits of the first word that a hypervisor may use itself.
const SPARE: u64 = 0x60;
/// Reference and change in the second word of an entry.
const R: u64 = 0x100;
const C: u64 = 0x080;

/// Test pages in the segment of the probes, a segment without an SLB entry, and frames.
const TEST: u64 = 0x0800_0000;
const NO_SEGMENT: u64 = 0x7000_0000;
const OTHER_SEGMENT: u64 = 0x2000_0000;
const OTHER_VSID: u64 = 0x65_4321;
const FRAMES: [u64; 2] = [SCRATCH + 0x8000, SCRATCH + 0x9000];
const VALUES: [u64; 2] = [0x1111_2222_3333_4444, 0x5555_6666_7777_8888];

const ON: u64 = msr::IR | msr::DR;
const USER: u64 = ON | msr::PR;

fn main(tree: Option<Fdt<'static>>) {
    let mut report = Report::default();
    let t = &mut report;
    if tree.is_some_and(|tree| Mmu::of(tree) == Mmu::Radix) {
        t.skip("hashed translation", "this partition uses radix");
        return report.finish();
    }
    match translation::identity(tree) {
        Some(Space::Hash(table)) => {
            FRAMES.into_iter().zip(VALUES).for_each(|(frame, value)| poke(frame, value));
            entries(t, table, skips(tree, "guarded"));
            rights(t, table);
            fetches(t, table);
            segments(t, table);
            reference_and_change(t, table);
            groups(t, table);
            keys(t, table);
            blocks(t, table, tree);
            resizing(t, table, tree);
        }
        _ => t.check("a hashed table can be used", false, true),
    }
    report.finish();
}

fn access(code: *const u32, ea: u64, bits: u64) -> Frame {
    Frame::new(code).with(bits).reg(4, ea).reg(3, VALUES[1]).run()
}

/// H_ENTER that must work; the slot.
fn enter(t: &mut Report, table: Table, ea: u64, ra: u64, rights: u64) -> u64 {
    let reply = table.enter(VSID, ea, ra, rights);
    t.holds("H_ENTER", reply.status == 0 && reply.out[0] & !7 == table.group(VSID, ea), (reply.status, reply.out[0]));
    reply.out[0]
}

fn remove(slot: u64, ea: u64) -> i64 {
    hcall(H_REMOVE, &[AVPN, slot, Table::avpn(VSID, ea)]).status
}

/// `unguarded` leaves out the entry that maps RAM as a device: a hypervisor that takes it may not survive its use.
fn entries(t: &mut Report, table: Table, unguarded: bool) {
    let ea = TEST;
    let first = Table::avpn(VSID, ea) | VALID;
    let second = FRAMES[0] | COHERENT | pp::USER;
    let beyond = 1 << (table.log2_bytes - 4);
    t.check("26: H_ENTER beyond the table", hcall(H_ENTER, &[0, beyond, first, second]).status, H_PARAMETER);
    t.check("26: H_READ beyond the table", hcall(H_READ, &[0, beyond]).status, H_PARAMETER);
    const GUARDED: &str = "26: H_ENTER of RAM as guarded device memory";
    if unguarded {
        t.skip(GUARDED, "the command line says so");
    } else {
        let inhibited = second & !COHERENT | 0x28;
        t.check(GUARDED, hcall(H_ENTER, &[0, table.group(VSID, ea), first, inhibited]).status, H_PARAMETER);
    }
    t.check(
        "before: no page",
        [access(&raw const LOAD, ea, ON).vector, access(&raw const LOAD, ea, ON).dsisr],
        [0x300, NO_PAGE],
    );
    let slot = enter(t, table, ea, FRAMES[0], pp::USER);
    let after = access(&raw const LOAD, ea, ON);
    t.holds("the page is there", after.finished() && after.gpr[3] == VALUES[0], (after.vector, after.gpr[3]));
    let read = hcall(H_READ, &[0, slot]);
    t.check("H_READ: status and first word", [read.status as u64, read.out[0] & !SPARE], [0, first]);
    t.check("H_READ: second word, R set by the load", read.out[1], second | R);
    let four = hcall(H_READ, &[READ_4, slot]);
    let index = (slot & 3) as usize * 2;
    t.check(
        "30: H_READ of four: ours is among them",
        [four.out[index] & !SPARE, four.out[index + 1]],
        [first, second | R],
    );
    t.check("25: H_ENTER exactly there", hcall(H_ENTER, &[EXACT, slot, first, second]).status, H_PTEG_FULL);
    t.check("27: H_REMOVE with another AVPN", hcall(H_REMOVE, &[AVPN, slot, first ^ 0x80]).status, H_NOT_FOUND);
    t.check("27: the page is still there", access(&raw const LOAD, ea, ON).finished(), true);
    let removed = hcall(H_REMOVE, &[AVPN, slot, first & !0x7f]);
    t.check("27: H_REMOVE", [removed.status as u64, removed.out[0] & !SPARE, removed.out[1]], [0, first, second | R]);
    t.check("28: and the page is gone", access(&raw const LOAD, ea, ON).dsisr, NO_PAGE);
    t.check("H_REMOVE of nothing", remove(slot, ea), H_NOT_FOUND);
    t.check("H_PROTECT of nothing", hcall(H_PROTECT, &[AVPN, slot, first & !0x7f]).status, H_NOT_FOUND);
    let reply = hcall(H_ENTER, &[EXACT, slot | 7, first, second]);
    t.check("25: H_ENTER exactly into a free slot", [reply.status as u64, reply.out[0]], [0, slot | 7]);
    t.check("  H_REMOVE", remove(slot | 7, ea), 0);
}

fn rights(t: &mut Report, table: Table) {
    let (load, store) = (&raw const LOAD, &raw const STORE);
    // Rights, then for supervisor load, supervisor store, user load, user store: DSISR of the fault or 0.
    #[rustfmt::skip]
    let cases = [
        ("supervisor only", pp::KERNEL,    [0, 0,                   PROTECTION, PROTECTION | STORED]),
        ("user may read",   pp::USER_READ, [0, 0,                   0,          PROTECTION | STORED]),
        ("both",            pp::USER,      [0, 0,                   0,          0]),
        ("read only",       pp::READ_ONLY, [0, PROTECTION | STORED, 0,          PROTECTION | STORED]),
    ];
    for (name, bits, want) in cases {
        let slot = enter(t, table, TEST, FRAMES[1], bits);
        let got = [(load, ON), (store, ON), (load, USER), (store, USER)].map(|(code, mode)| {
            let after = access(code, TEST, mode);
            if after.finished() { 0 } else { after.dsisr }
        });
        t.check(name, got, want);
        t.check("  H_REMOVE", remove(slot, TEST), 0);
    }
    let slot = enter(t, table, TEST, FRAMES[1], pp::USER);
    t.check("before H_PROTECT a store works", access(store, TEST, USER).finished(), true);
    let avpn = Table::avpn(VSID, TEST);
    t.check(
        "H_PROTECT with another AVPN",
        hcall(H_PROTECT, &[AVPN | pp::READ_ONLY, slot, avpn ^ 0x80]).status,
        H_NOT_FOUND,
    );
    t.check("29: H_PROTECT to read only", hcall(H_PROTECT, &[AVPN | pp::READ_ONLY, slot, avpn]).status, 0);
    let after = access(store, TEST, USER);
    t.check("29: a store faults", [after.vector, after.dsisr, after.dar], [0x300, PROTECTION | STORED, TEST]);
    t.check("  a load works", access(load, TEST, USER).finished(), true);
    t.check("  H_REMOVE", remove(slot, TEST), 0);
    let after = access(store, TEST + 0x123, ON);
    t.check("no page, store", [after.vector, after.dsisr, after.dar], [0x300, NO_PAGE | STORED, TEST + 0x123]);
}

fn fetches(t: &mut Report, table: Table) {
    let trap = (&raw const JUMP as u64 & 0xfff) + 8;
    let ea = TEST + trap;
    let jump = |mode| {
        let after = access(&raw const JUMP, ea, mode);
        [after.vector, after.reason()]
    };
    t.check("fetch, no page", jump(ON), [0x400, NO_PAGE]);
    t.check("  SRR0", access(&raw const JUMP, ea, ON).srr0, ea);
    let cases = [
        ("fetch", pp::USER, ON, [0x700, TRAP]),
        ("user fetch", pp::USER, USER, [0x700, TRAP]),
        ("user fetch of a supervisor page", pp::KERNEL, USER, [0x400, PROTECTION]),
        ("fetch of a no-execute page", pp::USER | pp::NO_EXECUTE, ON, [0x400, NO_EXECUTE]),
    ];
    for (name, bits, mode, want) in cases {
        let slot = enter(t, table, TEST, probes(), bits);
        t.check(name, jump(mode), want);
        t.check("  H_REMOVE", remove(slot, TEST), 0);
    }
}

fn segments(t: &mut Report, table: Table) {
    let after = access(&raw const LOAD, NO_SEGMENT, ON);
    t.check("load without a segment", [after.vector, after.dar], [0x380, NO_SEGMENT]);
    let after = access(&raw const JUMP, NO_SEGMENT, ON);
    t.check("fetch without a segment", [after.vector, after.srr0], [0x480, NO_SEGMENT]);
    const KS: u64 = 0x800;
    const NO_EXECUTE_SEGMENT: u64 = 0x200;
    let entry = table.enter(OTHER_VSID, OTHER_SEGMENT, FRAMES[0], pp::KERNEL);
    t.check("H_ENTER for another segment", entry.status, 0);
    poke(FRAMES[0], VALUES[0]);
    // SAFETY: real mode; nothing but probes uses the SLB.
    let segment = |flags| unsafe { slbmte(2, OTHER_SEGMENT, OTHER_VSID, flags) };
    // SAFETY: as above.
    let erase = || unsafe { asm!("isync", "slbie {}", "isync", in(reg) OTHER_SEGMENT) };
    segment(0);
    let after = access(&raw const LOAD, OTHER_SEGMENT, ON);
    t.holds(
        "slbmte: the segment is there",
        after.finished() && after.gpr[3] == VALUES[0],
        (after.vector, after.gpr[3]),
    );
    let (vsid, esid): (u64, u64);
    // SAFETY: reads an SLB entry.
    unsafe { asm!("slbmfev {}, {index}", "slbmfee {}, {index}", out(reg) vsid, out(reg) esid, index = in(reg) 2_u64) };
    t.check("slbmfev and slbmfee", [vsid, esid], [OTHER_VSID << 12 | 0x400, OTHER_SEGMENT | 0x0800_0000]);
    erase();
    t.check("slbie: it is gone", access(&raw const LOAD, OTHER_SEGMENT, ON).vector, 0x380);
    segment(KS);
    let after = access(&raw const LOAD, OTHER_SEGMENT, ON);
    t.check("Ks = 1 takes the supervisor's rights", [after.vector, after.dsisr], [0x300, PROTECTION]);
    erase();
    segment(NO_EXECUTE_SEGMENT);
    let after = access(&raw const JUMP, OTHER_SEGMENT, ON);
    t.check("fetch from a no-execute segment", [after.vector, after.reason()], [0x400, NO_EXECUTE]);
    erase();
    let gone = hcall(H_REMOVE, &[AVPN, entry.out[0], Table::avpn(OTHER_VSID, OTHER_SEGMENT)]).status;
    t.check("  H_REMOVE", gone, 0);
}

fn reference_and_change(t: &mut Report, table: Table) {
    let slot = enter(t, table, TEST, FRAMES[0], pp::USER);
    let bits = || hcall(H_READ, &[0, slot]).out[1] & (R | C);
    t.check("a new entry has neither R nor C", bits(), 0);
    access(&raw const LOAD, TEST, ON);
    t.check("a load sets R", bits(), R);
    access(&raw const STORE, TEST, ON);
    t.check("a store sets C", bits(), R | C);
    t.check("  the frame has it", peek(FRAMES[0]), VALUES[1]);
    t.check("  H_REMOVE", remove(slot, TEST), 0);
}

fn groups(t: &mut Report, table: Table) {
    // Nine pages of one group: VSIDs that differ where the hash does not see it.
    let group = table.group(VSID, TEST);
    let vsid = |n: u64| VSID ^ (n + 1) << (table.log2_bytes - 7);
    let slots: [_; 8] = core::array::from_fn(|n| table.enter(vsid(n as u64), TEST, FRAMES[0], pp::USER));
    let mut got = slots.each_ref().map(|reply| reply.out[0]);
    got.sort_unstable();
    t.check("24: eight entries fill a group", got, core::array::from_fn(|n| group + n as u64));
    t.check("24: the ninth does not fit", table.enter(VSID, TEST, FRAMES[0], pp::USER).status, H_PTEG_FULL);
    // H_BULK_REMOVE: two of ours by AVPN, one that is not there, the end mark; each answer carries its own status.
    const REQUEST: u64 = 1 << 62;
    const BY_AVPN: u64 = 2 << 56;
    const END: u64 = 3 << 62;
    let ask = |n: usize| REQUEST | BY_AVPN | slots[n].out[0];
    let avpn = |n: u64| Table::avpn(vsid(n), TEST);
    let reply = hcall(H_BULK_REMOVE, &[ask(0), avpn(0), ask(1), avpn(2), ask(2), avpn(2), END, 0]);
    t.check("31: H_BULK_REMOVE", reply.status, 0);
    let codes = [0, 2, 4].map(|n| reply.out[n] >> 60);
    t.check("31: found, not found, found", codes, [8, 9, 8]);
    let rest = [1, 3, 4, 5, 6, 7].map(|n| hcall(H_REMOVE, &[AVPN, slots[n].out[0], avpn(n as u64)]).status);
    t.check("  H_REMOVE of the others", rest, [0; 6]);
}

fn keys(t: &mut Report, table: Table) {
    // Key 1 is bits 2 and 3 of the AMR; the entry's low key bit is 0x200.
    const KEY_1: u64 = 0x200;
    const NO_STORE: u64 = 1 << 61;
    let saved = mfspr::<{ spr::AMR }>();
    let slot = enter(t, table, TEST, FRAMES[0], pp::USER | KEY_1);
    // SAFETY: real mode; the probes' own pages have key 0.
    unsafe { mtspr::<{ spr::AMR }>(NO_STORE) };
    t.check("key 1 lets a load through", access(&raw const LOAD, TEST, ON).finished(), true);
    let after = access(&raw const STORE, TEST, ON);
    t.check("key 1 stops a store", [after.vector, after.dsisr], [0x300, KEY | STORED]);
    // SAFETY: as above.
    unsafe { mtspr::<{ spr::AMR }>(saved) };
    t.check("AMR restored: the store works", access(&raw const STORE, TEST, ON).finished(), true);
    t.check("  H_REMOVE", remove(slot, TEST), 0);
}

/// H_BLOCK_REMOVE: eight pages, as accessed, of one block.
fn blocks(t: &mut Report, table: Table, tree: Option<Fdt<'_>>) {
    if !offers(tree, "hcall-block-remove") {
        return t.skip("H_BLOCK_REMOVE", "not offered");
    }
    const BY_AVPN: u64 = 1 << 62 | 1 << 56;
    const END: u64 = 3 << 62;
    let page = |n: usize| TEST + 0x1000 * n as u64;
    let slots: [u64; 8] = core::array::from_fn(|n| table.enter(VSID, page(n), FRAMES[0], pp::USER).out[0]);
    access(&raw const LOAD, page(1), ON);
    access(&raw const STORE, page(2), ON);
    let avpn = Table::avpn(VSID, TEST);
    let ask = |n: usize| BY_AVPN | slots[n];
    let reply = hcall(H_BLOCK_REMOVE, &[avpn ^ 0x80, ask(0), END]);
    t.check("H_BLOCK_REMOVE of another block", [reply.status as u64, reply.out[0]], [5, 0x89 << 56 | slots[0]]);
    t.check("  the page is still there", access(&raw const LOAD, page(0), ON).finished(), true);
    let reply = hcall(H_BLOCK_REMOVE, &[avpn, ask(0), ask(1), ask(2), END, ask(3)]);
    let want: [u64; 3] = core::array::from_fn(|n| [0x85_u64, 0x85, 0x87][n] << 56 | slots[n]);
    t.check("H_BLOCK_REMOVE of three, with R and C", (reply.status, [0, 1, 2].map(|n| reply.out[n])), (0, want));
    let left: [bool; 4] = core::array::from_fn(|n| access(&raw const LOAD, page(n), ON).finished());
    t.check("  they are gone, and none behind the end", left, [false, false, false, true]);
    let all: [u64; 9] = core::array::from_fn(|n| if n == 0 { avpn } else { ask(n - 1) });
    let reply = hcall(H_BLOCK_REMOVE, &all);
    let codes: [u64; 8] = core::array::from_fn(|n| reply.out[n] >> 59);
    t.check("H_BLOCK_REMOVE of all eight", (reply.status, codes), (H_PARTIAL, [17, 17, 17, 16, 16, 16, 16, 16]));
    let reply = hcall(H_BLOCK_REMOVE, &[avpn, BY_AVPN | 1 << 50, END]);
    t.check("H_BLOCK_REMOVE beyond the table", (reply.status, reply.out[0] >> 59), (H_PARAMETER, 18));
}

fn prepare(shift: u64) -> i64 {
    loop {
        let status = hcall(H_RESIZE_HPT_PREPARE, &[0, shift]).status;
        if !(H_LONG_BUSY_ORDER_1_MSEC..=H_LONG_BUSY_ORDER_100_SEC).contains(&status) {
            return status;
        }
    }
}

/// The table grows and shrinks below the probes, which go on translated.
fn resizing(t: &mut Report, table: Table, tree: Option<Fdt<'_>>) {
    if !offers(tree, "hcall-hpt-resize") {
        return t.skip("H_RESIZE_HPT_PREPARE", "not offered");
    }
    const BOLTED: u64 = 0x10;
    let commit = |shift: u64| hcall(H_RESIZE_HPT_COMMIT, &[0, shift]).status;
    for (name, args, status) in [
        ("32: H_RESIZE_HPT_PREPARE: flags", [1, 20], H_PARAMETER),
        ("32: H_RESIZE_HPT_PREPARE: too small", [0, 17], H_PARAMETER),
        ("32: H_RESIZE_HPT_PREPARE: too large", [0, 47], H_PARAMETER),
        ("32: H_RESIZE_HPT_PREPARE: more than there may be", [0, 46], H_RESOURCE),
        ("32: H_RESIZE_HPT_PREPARE: nothing", [0, 0], 0),
    ] {
        t.check(name, hcall(H_RESIZE_HPT_PREPARE, &args).status, status);
    }
    let size = u64::from(table.log2_bytes);
    t.check("32: H_RESIZE_HPT_COMMIT of nothing", commit(size - 1), H_CLOSED);
    t.check("32: H_RESIZE_HPT_PREPARE", prepare(size + 1), 0);
    t.check("  taken back", [prepare(0), commit(size + 1)], [0, H_CLOSED]);
    let slot = enter(t, table, TEST, FRAMES[0], pp::USER);
    let first = Table::avpn(VSID, TEST) | VALID | BOLTED;
    t.check("  H_REMOVE", remove(slot, TEST), 0);
    let reply = hcall(H_ENTER, &[EXACT, slot | 5, first, FRAMES[0] | COHERENT | pp::USER]);
    t.check("H_ENTER, bolted", reply.status, 0);
    for shift in [size + 1, size - 1, 18, size] {
        poke(FRAMES[0], VALUES[0]);
        t.check("H_RESIZE_HPT_PREPARE of a size", prepare(shift), 0);
        t.check("H_RESIZE_HPT_COMMIT", commit(shift), 0);
        let table = table.resized(shift as u32);
        let after = access(&raw const LOAD, TEST, ON);
        t.holds("  the page is there", after.finished() && after.gpr[3] == VALUES[0], (after.vector, after.gpr[3]));
        let read = hcall(H_READ, &[0, table.group(VSID, TEST) | 5]);
        t.check("  in its slot", [read.out[0] & !SPARE, read.out[1]], [first, FRAMES[0] | COHERENT | pp::USER | R]);
        let beyond = hcall(H_READ, &[0, 1 << (shift - 4)]).status;
        t.check("  which is of a table of that size", beyond, H_PARAMETER);
    }
    t.check("H_RESIZE_HPT_COMMIT once more", commit(size), H_CLOSED);
    t.check("  H_REMOVE", remove(slot | 5, TEST), 0);
}
