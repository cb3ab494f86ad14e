//! The smallest translation user mode can run in: probe code and `SCRATCH`, effective = real, open to user mode.
//! (MSR[PR] = 1 forces IR and DR to 1: Power ISA Book III, 3.2.1.)
//!
//! Contract: `identity` follows the machine's choice of hash or radix. The kernel itself goes on in real mode.

use core::arch::asm;

use guest_rt::{
    fdt::Fdt,
    papr::{hcall, opcode},
    println,
    spr::{is_isa300, mtspr, spr},
};

use crate::{
    Mmu, hash,
    memory::{SCRATCH, image, probes},
    radix::{self, Page, Tables, Tree, pte},
};

/// The segment of address 0 under a hashed table.
pub const VSID: u64 = 0x12_3456;

/// What was set up.
pub enum Space {
    Hash(hash::Table),
    Radix { tables: Tables, tree: Tree },
}

/// `slbmte`: a 256 MiB segment of 4 KiB pages with Ks = 0, Kp = 1.
///
/// # Safety
/// Changes translation; the caller runs in real mode.
pub unsafe fn slbmte(index: u64, ea: u64, vsid: u64, flags: u64) {
    let (entry, segment) = (vsid << 12 | 0x400 | flags, (ea & !0x0fff_ffff) | 0x0800_0000 | index);
    // SAFETY: the caller's promise.
    unsafe { asm!("slbmte {}, {}", "isync", in(reg) entry, in(reg) segment, options(nostack)) };
}

/// Pages of the probe code, then those of `SCRATCH`.
fn pages() -> impl Iterator<Item = u64> {
    (probes()..image().1).step_by(0x1000).take(4).chain((SCRATCH..SCRATCH + 0x1_0000).step_by(0x1000))
}

/// Sets it up; `None`, with a line that says why, when the machine refuses.
pub fn identity(tree: Option<Fdt<'_>>) -> Option<Space> {
    let mmu = tree.map_or(Mmu::Hash, Mmu::of);
    println!("translation: {mmu:?}");
    if is_isa300() {
        // SAFETY: no translated code runs yet.
        unsafe {
            mtspr::<{ spr::IAMR }>(0);
            mtspr::<{ spr::PIDR }>(0);
        }
    }
    // SAFETY: as above.
    unsafe { mtspr::<{ spr::AMR }>(0) };
    let status = match mmu {
        Mmu::Radix => radix::register(),
        // An ISA 3.0 partition learns here that its segments are in the SLB.
        Mmu::Hash if is_isa300() => hcall(opcode::H_REGISTER_PROC_TBL, &[0x18, 0, 0, 0]).status,
        Mmu::Hash => 0,
    };
    if status != 0 {
        println!("H_REGISTER_PROC_TBL answered {status}");
        return None;
    }
    match mmu {
        Mmu::Radix => {
            let mut tables = Tables::default();
            let tree = tables.tree();
            pages().for_each(|page| _ = tree.map(&mut tables, page, page, Page::Size4K, pte::USER));
            tree.install(0);
            Some(Space::Radix { tables, tree })
        }
        Mmu::Hash => {
            let table = hash::Table::of(tree)?;
            for page in pages() {
                let reply = table.enter(VSID, page, page, hash::pp::USER);
                if reply.status != 0 {
                    println!("H_ENTER of {page:#x} answered {}", reply.status);
                    return None;
                }
            }
            // SAFETY: real mode.
            unsafe { slbmte(1, 0, VSID, 0) };
            Some(Space::Hash(table))
        }
    }
}
