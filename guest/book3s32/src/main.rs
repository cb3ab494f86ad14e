//! Checks of a Book3S-32 processor: interrupts, registers, translation, decrementer, the KVM magic page. Numbers are
//! those of the conformance cases of the paravirtual interface. Expected values come from The Programming Environments
//! for 32-Bit Microprocessors and the MPC750, MPC7400 and MPC7450 user's manuals.
//!
//! Runs on PowerVisor's bare machine and on a Power Macintosh; see `machine`.
#![no_std]
#![no_main]
#![feature(asm_experimental_arch)]

mod interrupts;
mod machine;
mod page;
mod patch;
mod special;
mod translation;

use rt32::report::Report;
use rt32::special::mfspr;
use rt32::{open_tree, println, probe};

/// Called by the entry code.
#[unsafe(no_mangle)]
extern "C" fn start(r3: *const u8) -> ! {
    probe::install();
    let tree = open_tree(r3);
    machine::find(tree);
    println!("book3s32: PVR {:#x}", mfspr::<287>());
    let mut report = Report::default();
    interrupts::run(&mut report);
    translation::run(&mut report);
    page::run(&mut report, tree);
    patch::run(&mut report, tree);
    report.finish();
    machine::power_off()
}
