//! Checks of a Book3S-32 processor: interrupts, registers, translation, decrementer, the KVM magic page. Numbers are
//! those of the conformance cases of the paravirtual interface. Expected values come from The Programming Environments
//! for 32-Bit Microprocessors and the MPC750, MPC7400 and MPC7450 user's manuals.
//!
//! Runs on PowerVisor's bare machine and on a Power Macintosh; see `machine`.
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
mod translation;

use core::arch::global_asm;

use fdt::Fdt;
use report::Report;

global_asm!(include_str!("entry.s"));

/// Called by the entry code.
#[unsafe(no_mangle)]
extern "C" fn start(r3: *const u8) -> ! {
    probe::install();
    let tree = open_tree(r3);
    machine::find(tree);
    machine::println!("classic: PVR {:#x}", special::mfspr::<287>());
    let mut report = Report::default();
    interrupts::run(&mut report);
    translation::run(&mut report);
    page::run(&mut report, tree);
    report.finish();
    machine::power_off()
}

/// The device tree, if r3 is one; firmware passes something else.
fn open_tree(r3: *const u8) -> Option<Fdt<'static>> {
    if r3.is_null() || !r3.cast::<u32>().is_aligned() {
        return None;
    }
    // SAFETY: r3 at entry is a device tree that nobody writes while the kernel runs, or points to other memory.
    let size = Fdt::total_size(unsafe { core::slice::from_raw_parts(r3, 8) })?;
    // SAFETY: as above; the header gives the length.
    Fdt::new(unsafe { core::slice::from_raw_parts(r3, size) })
}
