//! Special purpose registers and the MSR.

use core::arch::asm;

/// Problem state.
pub const PR: u32 = 0x4000;
/// External interrupts, fixed-interval timer, decrementer.
pub const EE: u32 = 0x8000;
/// Critical interrupts.
pub const CE: u32 = 0x2_0000;
/// Address space 1 for instructions and data.
pub const SPACE_ONE: u32 = 0x30;

/// mfspr.
pub fn mfspr<const N: u32>() -> u32 {
    let value;
    // SAFETY: reading a register changes nothing.
    unsafe { asm!("mfspr {}, {}", out(reg) value, const N) };
    value
}

/// mtspr.
///
/// # Safety
/// The register may change what memory is where.
pub unsafe fn mtspr<const N: u32>(value: u32) {
    // SAFETY: the caller's.
    unsafe { asm!("mtspr {1}, {0}", "isync", in(reg) value, const N) };
}

/// mfmsr.
pub fn mfmsr() -> u32 {
    let value;
    // SAFETY: reading a register changes nothing.
    unsafe { asm!("mfmsr {}", out(reg) value) };
    value
}

/// mtmsr.
///
/// # Safety
/// As [`mtspr`].
pub unsafe fn mtmsr(value: u32) {
    // SAFETY: the caller's.
    unsafe { asm!("mtmsr {}", "isync", in(reg) value) };
}

/// Time base, lower word.
pub fn time() -> u32 {
    mfspr::<268>()
}
