//! Checks of a BookE processor in 32-bit mode: interrupts of two levels, the software-managed TLB, timers, the KVM magic
//! page. Numbers are those of the conformance cases of the paravirtual interface. Expected values come from the e500
//! Core Family Reference Manual and Power ISA Book III-E.
//!
//! Runs on an e500 board, PowerVisor's or QEMU's; see `machine`.
#![no_std]
#![no_main]
#![feature(asm_experimental_arch)]

mod interrupts;
mod machine;
mod page;
mod patch;
mod special;
mod tlb;
mod translation;

use rt32::report::Report;
use rt32::special::mfspr;
use rt32::{open_tree, println, probe};

/// Called by the entry code.
#[unsafe(no_mangle)]
extern "C" fn start(r3: *const u8) -> ! {
    probe::install();
    machine::map();
    let tree = open_tree(r3);
    println!("booke: PVR {:#x}", mfspr::<287>());
    let mut report = Report::default();
    interrupts::run(&mut report);
    translation::run(&mut report);
    page::run(&mut report, tree);
    patch::run(&mut report, tree);
    report.finish();
    machine::reset()
}
