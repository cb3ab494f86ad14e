//! What Book3S-32 alone has: MSR bits, segment registers, TLB.

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
