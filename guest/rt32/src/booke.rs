//! BookE: vectors by IVPR and IVORs, reasons in ESR.

use core::arch::global_asm;

use crate::probe::Frame;
use crate::special::mtspr;

global_asm!(include_str!("booke.s"), include_str!("context.s"));

unsafe extern "C" {
    static vectors: u32;
}

/// How [`pv_guest`] calls kernels of this family.
pub const BUILD: pv_guest::pv_abi::rewrite::Build = pv_guest::pv_abi::rewrite::Build::BookE32;
/// MSR after a probe.
pub const RETURN_MSR: u32 = 0;

pub const DATA_STORAGE: u32 = 2;
pub const INSTRUCTION_STORAGE: u32 = 3;
pub const PROGRAM: u32 = 6;
pub const SYSTEM_CALL: u32 = 8;
pub const DECREMENTER: u32 = 10;
pub const FIXED_INTERVAL: u32 = 11;
pub const DATA_MISS: u32 = 13;
pub const INSTRUCTION_MISS: u32 = 14;

/// ESR bits.
pub const ILLEGAL: u32 = 0x800_0000;
pub const PRIVILEGED: u32 = 0x400_0000;
pub const TRAP: u32 = 0x200_0000;
pub const STORE: u32 = 0x80_0000;

/// Sets IVPR and the IVORs.
pub fn install() {
    let base = &raw const vectors as u32;
    macro_rules! ivor {
        ($($spr:literal = $n:literal),*) => {
            // SAFETY: the vectors lie within 64 KiB at a multiple of 512.
            unsafe {
                mtspr::<63>(base & 0xffff_0000);
                $(mtspr::<$spr>(base & 0xffff | 16 * $n);)*
            }
        };
    }
    ivor!(
        400 = 0,
        401 = 1,
        402 = 2,
        403 = 3,
        404 = 4,
        405 = 5,
        406 = 6,
        407 = 7,
        408 = 8,
        409 = 9,
        410 = 10,
        411 = 11,
        412 = 12,
        413 = 13,
        414 = 14,
        415 = 15,
        528 = 16,
        529 = 17,
        530 = 18,
        531 = 19
    );
}

/// Interrupts that concern nobody: none.
pub fn handles(_: &Frame) -> bool {
    false
}

/// Whether a `trap` caused the interrupt.
pub fn is_trap(frame: &Frame) -> bool {
    frame.vector == PROGRAM && frame.status == TRAP
}

/// The next decrementer interrupt comes in `ticks`, the last one is over.
pub fn interrupt_after(ticks: u32) {
    // SAFETY: TSR[DIS], TCR[DIE], DEC; a handler is there. The status is cleared before the time runs.
    unsafe {
        mtspr::<336>(0x800_0000);
        mtspr::<340>(0x400_0000);
        mtspr::<22>(ticks);
    }
}

/// No decrementer interrupt comes.
pub fn no_interrupts() {
    // SAFETY: TCR, TSR.
    unsafe {
        mtspr::<340>(0);
        mtspr::<336>(0x800_0000);
    }
}

impl Frame {
    /// Vector, ESR, and how far the probe came.
    pub fn end(&self, before: &Frame) -> [u32; 3] {
        [self.vector, self.status, self.srr0.wrapping_sub(before.srr0)]
    }
}
