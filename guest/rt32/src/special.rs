//! The instructions that every 32-bit kernel needs, as functions.

use core::arch::asm;

/// `MSR[EE]`.
pub const EE: u32 = 0x8000;
/// `MSR[PR]`.
pub const PR: u32 = 0x4000;
/// `MSR[RI]`.
pub const RI: u32 = 2;

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

/// mtmsr of a value that leaves translation as it is.
#[inline(always)]
pub fn mtmsr(value: u32) {
    // SAFETY: interrupts have a handler from before the checks on.
    unsafe { asm!("mtmsr {}", "isync", in(reg) value, options(nostack, preserves_flags)) };
}

/// The low word of the timebase.
#[inline(always)]
pub fn timebase() -> u32 {
    let value;
    // SAFETY: reads a register.
    unsafe { asm!("mfspr {}, 268", out(reg) value, options(nostack, preserves_flags)) };
    value
}

/// Makes a store to one word of code visible to instruction fetch.
pub fn sync_code(address: *const u32) {
    // SAFETY: cache management of an address the caller has just written.
    unsafe { asm!("dcbst 0, {0}", "sync", "icbi 0, {0}", "sync", "isync", in(reg) address, options(nostack)) };
}
