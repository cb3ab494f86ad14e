//! MSR bits and the few privileged or synchronising instructions, as functions.

use core::arch::asm;

/// MSR bits.
#[rustfmt::skip]
pub mod msr {
    pub const POW: u32 = 0x4_0000;
    pub const EE:  u32 = 0x8000;
    pub const PR:  u32 = 0x4000;
    pub const FP:  u32 = 0x2000;
    pub const ME:  u32 = 0x1000;
    pub const SE:  u32 = 0x0400;
    pub const IR:  u32 = 0x0020;
    pub const DR:  u32 = 0x0010;
}

/// mfspr.
#[inline(always)]
pub fn mfspr<const N: u32>() -> u32 {
    let value;
    // SAFETY: reading a register changes no memory.
    unsafe { asm!("mfspr {}, {}", out(reg) value, const N, options(nostack, preserves_flags)) };
    value
}

/// mtspr.
///
/// # Safety
/// The register must not be one the running translation depends on.
#[inline(always)]
pub unsafe fn mtspr<const N: u32>(value: u32) {
    // SAFETY: the caller's promise.
    unsafe { asm!("mtspr {}, {}", "isync", const N, in(reg) value, options(nostack, preserves_flags)) };
}

/// mfmsr.
#[inline(always)]
pub fn mfmsr() -> u32 {
    let value;
    // SAFETY: reads the MSR only.
    unsafe { asm!("mfmsr {}", out(reg) value, options(nostack, preserves_flags)) };
    value
}

/// mtmsr of a value that leaves translation off.
#[inline(always)]
pub fn mtmsr(value: u32) {
    // SAFETY: interrupts have a handler from before the checks on.
    unsafe { asm!("mtmsr {}", "isync", in(reg) value, options(nostack, preserves_flags)) };
}

/// mtsrin: the segment register of the addresses around `address`.
pub fn mtsrin(value: u32, address: u32) {
    // SAFETY: translation is off.
    unsafe { asm!("mtsrin {}, {}", "isync", in(reg) value, in(reg) address, options(nostack, preserves_flags)) };
}

/// mfsrin.
pub fn mfsrin(address: u32) -> u32 {
    let value;
    // SAFETY: reads a register.
    unsafe { asm!("mfsrin {}, {}", out(reg) value, in(reg) address, options(nostack, preserves_flags)) };
    value
}

/// Forgets the translation of one page.
pub fn tlbie(address: u32) {
    // SAFETY: translation is off.
    unsafe { asm!("sync", "tlbie {}", "sync", in(reg) address, options(nostack)) };
}

/// The low word of the timebase.
#[inline(always)]
pub fn timebase() -> u32 {
    let value;
    // SAFETY: reads a register.
    unsafe { asm!("mftb {}", out(reg) value, options(nostack, preserves_flags)) };
    value
}

/// Makes a store to one word of code visible to instruction fetch.
pub fn sync_code(address: *const u32) {
    // SAFETY: cache management of an address the caller has just written.
    unsafe { asm!("dcbst 0, {0}", "sync", "icbi 0, {0}", "sync", "isync", in(reg) address, options(nostack)) };
}
