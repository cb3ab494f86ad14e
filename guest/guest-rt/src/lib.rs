//! A runtime for freestanding PowerPC guests: entry, console, interrupts, hypercalls.
//!
//! Contract: an image built with `link.ld` is entered in real mode in either byte order with r3 = device tree; the
//! runtime switches to 64-bit mode and its own byte order, asks for interrupts in that order, finds the console and
//! power-off in the tree, and calls the function named by `guest_main!`. When that returns, or panics, the guest
//! powers off. Not its job: translation, more than two processors, floating point.
#![no_std]
#![feature(asm_experimental_arch)]

pub mod console;
pub mod exception;
pub mod fdt;
pub mod kvm;
pub mod papr;
pub mod second;
pub mod spr;

use core::{
    arch::global_asm,
    panic::PanicInfo,
    sync::atomic::{AtomicU32, Ordering},
};

use fdt::Fdt;
use papr::{hcall, opcode, rtas};

#[cfg(target_endian = "big")]
global_asm!(
    include_str!("asm/abi-v1.s"),
    include_str!("asm/entry.s"),
    include_str!("asm/call.s"),
    include_str!("asm/exception.s")
);
#[cfg(target_endian = "little")]
global_asm!(
    include_str!("asm/abi-v2.s"),
    include_str!("asm/entry.s"),
    include_str!("asm/call.s"),
    include_str!("asm/exception.s")
);

/// RTAS token of `power-off`, 0 when the tree has none.
static POWER_OFF: AtomicU32 = AtomicU32::new(0);

unsafe extern "Rust" {
    safe fn guest_main(tree: Option<Fdt<'static>>);
}

/// Names the function the runtime calls with the device tree, if there is one.
#[macro_export]
macro_rules! guest_main {
    ($main:path) => {
        #[unsafe(no_mangle)]
        fn guest_main(tree: Option<$crate::fdt::Fdt<'static>>) {
            $main(tree)
        }
    };
}

/// Called by the entry code.
#[unsafe(no_mangle)]
extern "C" fn start(fdt: *const u8) -> ! {
    exception::install();
    // Interrupts in our byte order (H_SET_MODE resource 4). A machine without the call delivers in the entry's order.
    hcall(opcode::H_SET_MODE, &[cfg!(target_endian = "little").into(), 4, 0, 0]);
    let tree = open_tree(fdt);
    if let Some(tree) = tree {
        let vty = tree.nodes().find(|node| node.prop("compatible").is_some_and(|list| fdt::lists(list, b"hvterm1")));
        if let Some(unit) = vty.and_then(|node| node.number("reg")) {
            console::set_unit(unit);
        }
        let token = tree.node("/rtas").and_then(|node| node.number("power-off"));
        POWER_OFF.store(token.unwrap_or(0) as u32, Ordering::Relaxed);
    }
    guest_main(tree);
    power_off()
}

fn open_tree(fdt: *const u8) -> Option<Fdt<'static>> {
    if fdt.is_null() {
        return None;
    }
    // SAFETY: r3 at entry is a device tree in memory that nobody writes while the guest runs.
    let size = Fdt::total_size(unsafe { core::slice::from_raw_parts(fdt, 8) })?;
    // SAFETY: as above; the header gives the length.
    Fdt::new(unsafe { core::slice::from_raw_parts(fdt, size) })
}

/// Powers the machine off; without that service, sleeps for ever.
pub fn power_off() -> ! {
    let token = POWER_OFF.load(Ordering::Relaxed);
    if token == 0 {
        println!("no power-off in the device tree: sleeping");
    } else {
        rtas(token, &[u32::MAX, u32::MAX], 1);
        println!("power-off came back: sleeping");
    }
    loop {
        hcall(opcode::H_CEDE, &[]);
    }
}

/// Ends a failed run: prints the last line and powers off.
pub fn fail(reason: &str) -> ! {
    println!("FAIL: {reason}");
    power_off()
}

#[panic_handler]
fn panic(info: &PanicInfo<'_>) -> ! {
    println!("{info}");
    fail("panic")
}
