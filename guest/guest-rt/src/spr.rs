//! Special-purpose registers, MSR bits and the few privileged or synchronising instructions, as functions.
//!
//! Contract: each function is exactly one instruction (or one architected sequence). SPR numbers and MSR bits have
//! their Power ISA names. Not its job: deciding when it is safe to change translation or byte order.

use core::arch::asm;

/// MSR bits (Power ISA Book III, 3.2.1).
#[rustfmt::skip]
pub mod msr {
    pub const SF:  u64 = 1 << 63;
    pub const VEC: u64 = 1 << 25;
    pub const VSX: u64 = 1 << 23;
    pub const EE:  u64 = 0x8000;
    pub const PR:  u64 = 0x4000;
    pub const FP:  u64 = 0x2000;
    pub const ME:  u64 = 0x1000;
    pub const SE:  u64 = 0x0400;
    pub const IR:  u64 = 0x0020;
    pub const DR:  u64 = 0x0010;
    pub const RI:  u64 = 0x0002;
    pub const LE:  u64 = 0x0001;
}

/// SPR numbers (Power ISA Book III, 5.4.4).
#[rustfmt::skip]
pub mod spr {
    pub const DSISR: u32 = 18;
    pub const DAR:   u32 = 19;
    pub const DEC:   u32 = 22;
    pub const SRR0:  u32 = 26;
    pub const SRR1:  u32 = 27;
    pub const AMR:   u32 = 29;
    pub const PIDR:  u32 = 48;
    pub const IAMR:  u32 = 61;
    pub const FSCR:  u32 = 153;
    pub const UAMOR: u32 = 157;
    pub const TB:    u32 = 268;
    pub const SPRG0: u32 = 272;
    pub const SPRG1: u32 = 273;
    pub const SPRG2: u32 = 274;
    pub const SPRG3: u32 = 275;
    pub const PVR:   u32 = 287;
}

/// `mfspr`.
#[inline(always)]
pub fn mfspr<const N: u32>() -> u64 {
    let value;
    // SAFETY: reading a supervisor register changes no memory.
    unsafe { asm!("mfspr {}, {}", out(reg) value, const N, options(nostack, preserves_flags)) };
    value
}

/// `mtspr`.
///
/// # Safety
/// The register must not be one the runtime or the running translation depends on.
#[inline(always)]
pub unsafe fn mtspr<const N: u32>(value: u64) {
    // SAFETY: the caller's promise.
    unsafe { asm!("mtspr {}, {}", const N, in(reg) value, options(nostack, preserves_flags)) };
}

/// `mfmsr`.
#[inline(always)]
pub fn mfmsr() -> u64 {
    let value;
    // SAFETY: reads the MSR only.
    unsafe { asm!("mfmsr {}", out(reg) value, options(nostack, preserves_flags)) };
    value
}

/// `mtmsrd rS,1`: EE and RI only.
#[inline(always)]
pub fn mtmsrd_ee_ri(value: u64) {
    // SAFETY: interrupts have a handler from before `main` on.
    unsafe { asm!("mtmsrd {}, 1", in(reg) value, options(nostack, preserves_flags)) };
}

/// Processor generation, the upper half of the PVR.
pub fn pvr() -> u64 {
    mfspr::<{ spr::PVR }>()
}

/// True on an ISA 3.0 or later processor (radix translation exists).
pub fn is_isa300() -> bool {
    !matches!(pvr() >> 16, 0x4b..=0x4d | 0x3f | 0x39)
}

/// The timebase.
#[inline(always)]
pub fn timebase() -> u64 {
    mfspr::<{ spr::TB }>()
}

/// Makes stores to one aligned word of code visible to instruction fetch (Power ISA Book II, 1.8).
pub fn sync_code(address: *const u32) {
    // SAFETY: cache management of an address the caller has just written.
    unsafe { asm!("dcbst 0, {0}", "sync", "icbi 0, {0}", "sync", "isync", in(reg) address, options(nostack)) };
}

/// `ptesync`: orders stores to translation tables.
pub fn ptesync() {
    // SAFETY: a barrier.
    unsafe { asm!("ptesync", options(nostack)) };
}
