//! Code that changes: by stores from outside, by itself, through another mapping, by remapping, by the hypervisor
//! (Power ISA Book II, 1.8: store, dcbst, sync, icbi, isync).
#![no_std]
#![no_main]
#![feature(asm_experimental_arch)]

use core::arch::asm;

use guest_rt::{
    code,
    exception::{Frame, ILLEGAL},
    fdt::Fdt,
    papr::{
        hcall,
        opcode::{H_REMOVE, H_RTAS},
    },
    spr::{msr, sync_code},
};
use kernels::{
    Report, hash,
    memory::{SCRATCH, peek, poke},
    radix::{Page, pte},
    translation::{self, Space, VSID},
};

guest_rt::guest_main!(main);

code! {
    // Stores r5 over the word at r4, which it runs into.
    PATCH_NEXT: "stw 5, 0(4)", "dcbst 0, 4", "sync", "icbi 0, 4", "sync", "isync", "li 3, 1";
    // r7 rounds of: run `li 3, N` and add r3 to r8; then put N + 1 there.
    PATCH_LOOP: "mtctr 7", "1: li 3, 0", "add 8, 8, 3", "addi 5, 5, 1", "stw 5, 0(4)",
        "dcbst 0, 4", "sync", "icbi 0, 4", "sync", "isync", "bdnz 1b";
    // Stores r5 at r4, makes it visible at r6, and goes there.
    PATCH_AND_GO: "mtctr 6", "stw 5, 0(4)", "dcbst 0, 4", "sync", "icbi 0, 6", "sync", "isync", "bctr";
    GO: "mtctr 6", "bctr";
    // Writes data next to code it goes on running, r7 times.
    DATA: "mtctr 7", "1: std 7, 0(4)", "addi 7, 7, -1", "bdnz 1b";
}

const TRAP: u32 = 0x7fe0_0008;

/// `li r3, value`.
fn li(value: u16) -> u32 {
    0x3860_0000 | u32::from(value)
}

/// Writes words at a real address and makes them code.
fn write_code(at: u64, words: &[u32]) {
    for (index, &word) in words.iter().enumerate() {
        let slot = at + index as u64 * 4;
        poke(slot, word);
        sync_code(slot as *const u32);
    }
}

fn main(tree: Option<Fdt<'static>>) {
    let mut report = Report::default();
    let t = &mut report;
    outside(t);
    inside(t);
    hypervisor(t, tree);
    match translation::identity(tree) {
        Some(space) => mapped(t, space),
        None => t.skip("code through translation", "no translation"),
    }
    report.finish();
}

fn outside(t: &mut Report) {
    let run = || Frame::new(SCRATCH as *const u32).run();
    for value in [1, 2, 3] {
        write_code(SCRATCH, &[li(value), TRAP]);
        let after = run();
        t.check("code written and run", [after.gpr[3], after.srr0], [value.into(), SCRATCH + 4]);
    }
    let right = (0..1000).filter(|&value| {
        write_code(SCRATCH, &[li(value)]);
        run().gpr[3] == value.into()
    });
    t.check("a thousand times the same word", right.count(), 1000);
    // A block that crosses into the next page, changed on the far side.
    let edge = SCRATCH + 0x0ffc;
    for value in [7, 8] {
        write_code(edge, &[0x6000_0000, li(value), TRAP]);
        t.check("code across a page border", Frame::new(edge as *const u32).run().gpr[3], value.into());
        write_code(edge + 4, &[li(value + 10)]);
        t.check("  changed behind the border", Frame::new(edge as *const u32).run().gpr[3], u64::from(value) + 10);
    }
    poke(SCRATCH, 0_u32);
    sync_code(SCRATCH as *const u32);
    let after = run();
    t.check("an instruction made illegal", [after.vector, after.reason()], [0x700, ILLEGAL]);
}

fn inside(t: &mut Report) {
    let start = &raw const PATCH_NEXT as u64;
    let after = Frame::new(&raw const PATCH_NEXT).reg(4, start + 24).reg(5, li(9).into()).run();
    t.check("code that patches its next instruction", after.gpr[3], 9);
    let start = &raw const PATCH_LOOP as u64;
    let rounds = 500;
    let after = Frame::new(&raw const PATCH_LOOP).reg(4, start + 4).reg(5, li(0).into()).reg(7, rounds).reg(8, 0).run();
    t.check("a loop that patches its own body", after.gpr[8], rounds * (rounds - 1) / 2);
    let spare = (start & !0xfff) + 0xff8;
    let after = Frame::new(&raw const DATA).reg(4, spare).reg(7, 1000).run();
    t.holds(
        "data in a page of running code",
        after.finished() && peek::<u64>(spare) == 1,
        (after.vector, peek::<u64>(spare)),
    );
}

/// A hypercall that writes memory overwrites code: RTAS puts a status of 0 (no instruction) over `li`.
fn hypervisor(t: &mut Report, tree: Option<Fdt<'static>>) {
    let token = tree.and_then(|tree| tree.node("/rtas")?.number("get-time-of-day"));
    let Some(token) = token else {
        return t.skip("code overwritten by RTAS", "no get-time-of-day");
    };
    let buffer = SCRATCH + 0x2000;
    let status = buffer + 12;
    write_code(status, &[li(5), TRAP]);
    t.check("before RTAS", Frame::new(status as *const u32).run().gpr[3], 5);
    [token as u32, 0, 8]
        .into_iter()
        .enumerate()
        .for_each(|(index, cell)| poke(buffer + index as u64 * 4, cell.to_be()));
    t.check("RTAS", [hcall(H_RTAS, &[buffer]).status as u64, peek::<u32>(status).into()], [0, 0]);
    sync_code(status as *const u32);
    let after = Frame::new(status as *const u32).run();
    t.check("code overwritten by RTAS", [after.vector, after.reason(), after.srr0], [0x700, ILLEGAL, status]);
}

/// A second address of `SCRATCH`'s pages 4 and 5, in the segment of the probes.
const ALIAS: u64 = 0x0900_0000;
const HOME: u64 = SCRATCH + 0x4000;

fn mapped(t: &mut Report, mut space: Space) {
    let hashed = matches!(space, Space::Hash(_));
    let on = msr::IR | msr::DR;
    let mut map = |ea: u64, ra: u64| match &mut space {
        Space::Radix { tables, tree } => {
            tree.map(tables, ea, ra, Page::Size4K, pte::USER);
            (0, 0)
        }
        Space::Hash(table) => {
            let reply = table.enter(VSID, ea, ra, hash::pp::USER);
            (reply.status, reply.out[0])
        }
    };
    let (status, slot) = map(ALIAS, HOME);
    t.check("a second mapping", status, 0);
    for (mode, bits) in [("supervisor", on), ("user", on | msr::PR)] {
        for (name, written, run) in
            [("store at the alias, run at home", ALIAS, HOME), ("store at home, run at the alias", HOME, ALIAS)]
        {
            for value in [11, 12] {
                poke(HOME + 4, TRAP);
                let after = Frame::new(&raw const PATCH_AND_GO)
                    .with(bits)
                    .reg(4, written)
                    .reg(5, li(value).into())
                    .reg(6, run)
                    .run();
                t.check(name, [after.gpr[3], after.srr0], [value.into(), run + 4]);
            }
        }
        guest_rt::println!("  ({mode})");
    }
    // Real-mode store, translated run: nothing but the physical page is common.
    for value in [21, 22] {
        write_code(HOME, &[li(value), TRAP]);
        let after = Frame::new(&raw const GO).with(on).reg(6, ALIAS).run();
        t.check("store in real mode, run at the alias", after.gpr[3], value.into());
    }
    // The same effective address, another frame.
    write_code(HOME + 0x1000, &[li(31), TRAP]);
    let go = || Frame::new(&raw const GO).with(on).reg(6, ALIAS).run().gpr[3];
    t.check("before the remap", go(), 22);
    if hashed {
        hcall(H_REMOVE, &[0, slot, 0]);
    }
    map(ALIAS, HOME + 0x1000);
    if !hashed {
        // SAFETY: only the alias is stale. tlbie r4,r5,0,1,1, which this assembler can not write.
        unsafe {
            asm!("ptesync", ".long 0x7ca32264", "eieio", "tlbsync", "ptesync", in("r4") ALIAS, in("r5") 0_u64, options(nostack))
        };
    }
    t.check("run after a remap", go(), 31);
}
