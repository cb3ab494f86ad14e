//! Checks of a BookE processor in 32-bit mode: interrupts of two levels, the software-managed TLB, timers, the KVM magic
//! page. Numbers are those of the conformance cases of the paravirtual interface. Expected values come from the e500
//! Core Family Reference Manual and Power ISA Book III-E.
//!
//! Runs on an e500 board, PowerVisor's or QEMU's; see `machine`.
#![no_std]
#![no_main]
#![feature(asm_experimental_arch)]

#[allow(dead_code, reason = "the reader of guest-rt, of which this kernel uses a part")]
#[path = "../../guest-rt/src/fdt.rs"]
mod fdt;
mod interrupts;
mod machine;
mod page;
mod probe;
mod report;
mod special;
mod tlb;
mod translation;

use core::arch::global_asm;

use fdt::Fdt;
use report::Report;

global_asm!(include_str!("entry.s"));

/// Called by the entry code.
#[unsafe(no_mangle)]
extern "C" fn start(r3: *const u8) -> ! {
    probe::install();
    machine::map();
    let tree = open_tree(r3);
    machine::println!("booke: PVR {:#x}", special::mfspr::<287>());
    let mut report = Report::default();
    interrupts::run(&mut report);
    translation::run(&mut report);
    page::run(&mut report, tree);
    report.finish();
    machine::reset()
}

/// The device tree.
fn open_tree(r3: *const u8) -> Option<Fdt<'static>> {
    // SAFETY: r3 at entry is a device tree that nobody writes while the kernel runs.
    let size = Fdt::total_size(unsafe { core::slice::from_raw_parts(r3, 8) })?;
    // SAFETY: as above; the header gives the length.
    Fdt::new(unsafe { core::slice::from_raw_parts(r3, size) })
}
