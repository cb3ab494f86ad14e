//! Freestanding runtime of 32-bit kernels: entry, interrupts, probes, report, hypercalls. The family is a feature.
//!
//! Contract: the kernel defines `extern "C" fn start(r3: *const u8) -> !`, calls [`probe::install`] and
//! [`console::set`], and runs with the memory that it was entered with. Not its job: devices, translation.
#![no_std]
#![feature(asm_experimental_arch)]

pub mod console;
pub mod patch;
pub mod probe;
pub mod report;
pub mod special;

#[cfg(feature = "book3s32")]
#[path = "book3s32.rs"]
pub mod family;
#[cfg(feature = "booke")]
#[path = "booke.rs"]
pub mod family;

/// The reader of device trees that all kernels share, of which these use a part.
#[allow(dead_code, reason = "shared with guest-rt")]
#[path = "../../guest-rt/src/fdt.rs"]
pub mod fdt;

use fdt::Fdt;

unsafe extern "C" {
    fn call_words(words: *mut [u32; 10], instruction: u32);
}

/// r0 of a KVM hypercall.
const KVM: u32 = 0x4b56_4d21;

/// A system call with r3 to r11 and r0 as given: `sc`, or `sc 1` when `level` is not 0. The words become r3 to r11.
pub fn call(words: &mut [u32; 10], level: u32) {
    // SAFETY: the routine touches these words and nothing else.
    unsafe { call_words(words, level) };
}

/// A KVM hypercall: status and first output.
pub fn kvm(token: u32, r3: u32, r4: u32) -> (u32, u32) {
    let mut words = [r3, r4, 0, 0, 0, 0, 0, 0, token, KVM];
    call(&mut words, 0);
    (words[0], words[1])
}

/// The device tree, if r3 at entry is one; firmware passes something else.
pub fn open_tree(r3: *const u8) -> Option<Fdt<'static>> {
    if r3.is_null() || !r3.cast::<u32>().is_aligned() {
        return None;
    }
    // SAFETY: r3 at entry is a device tree that nobody writes while the kernel runs, or points to other memory.
    let size = Fdt::total_size(unsafe { core::slice::from_raw_parts(r3, 8) })?;
    // SAFETY: as above; the header gives the length.
    Fdt::new(unsafe { core::slice::from_raw_parts(r3, size) })
}
