//! Book3S-32: vectors in low memory, reasons in SRR1.

use core::arch::global_asm;

use crate::probe::Frame;
use crate::special::{mtspr, sync_code};

global_asm!(include_str!("book3s32.s"), include_str!("context.s"));

unsafe extern "C" {
    static exception_entry: u32;
}

/// How [`pv_guest`] calls kernels of this family.
pub const BUILD: pv_guest::pv_abi::rewrite::Build = pv_guest::pv_abi::rewrite::Build::Book3s32;
/// MSR after a probe: ME and RI.
pub const RETURN_MSR: u32 = 0x1002;

/// SRR1 bits that say why (1 to 4 and 10 to 15).
pub const REASON: u32 = 0x783f_0000;
/// Illegal instruction.
pub const ILLEGAL: u32 = 0x8_0000;
/// Privileged instruction.
pub const PRIVILEGED: u32 = 0x4_0000;
/// Trap.
pub const TRAP: u32 = 0x2_0000;

/// Vector of the decrementer.
pub const DECREMENTER: u32 = 0x900;
/// The longest time that it can wait.
pub const NEVER: u32 = 0x7fff_ffff;

#[rustfmt::skip]
const VECTORS: [u32; 17] = [
    0x100, 0x200, 0x300, 0x400, 0x500, 0x600, 0x700, 0x800, 0x900, 0xc00, 0xd00, 0xf00, 0xf20, 0x1300, 0x1400, 0x1600,
    0x1700,
];

/// Writes the vectors.
pub fn install() {
    for vector in VECTORS {
        let branch = 0x4800_0000 | ((&raw const exception_entry as u32).wrapping_sub(vector + 8) & 0x03ff_fffc);
        for (index, word) in [0x9020_0080, 0x3820_0000 | vector, branch].into_iter().enumerate() {
            let slot = (vector as *mut u32).wrapping_add(index);
            // SAFETY: the vectors are below the image and belong to the kernel.
            unsafe { slot.write_volatile(word) };
            sync_code(slot);
        }
    }
    set_decrementer(NEVER);
}

/// Interrupts that concern nobody: the decrementer, which is set up again.
pub fn handles(frame: &Frame) -> bool {
    if frame.vector == DECREMENTER {
        set_decrementer(NEVER);
    }
    frame.vector == DECREMENTER
}

/// Whether a `trap` caused the interrupt.
pub fn is_trap(frame: &Frame) -> bool {
    frame.vector == 0x700 && frame.reason() == TRAP
}

/// mtdec.
pub fn set_decrementer(ticks: u32) {
    // SAFETY: a handler is always there.
    unsafe { mtspr::<22>(ticks) };
}

/// The next decrementer interrupt comes in `ticks`.
pub fn interrupt_after(ticks: u32) {
    set_decrementer(ticks);
}

/// No decrementer interrupt comes.
pub fn no_interrupts() {
    set_decrementer(NEVER);
}

impl Frame {
    /// The reason bits of SRR1.
    pub fn reason(&self) -> u32 {
        self.srr1 & REASON
    }

    /// Vector, reason bits, and how far the probe came.
    pub fn end(&self, before: &Frame) -> [u32; 3] {
        [self.vector, self.reason(), self.srr0.wrapping_sub(before.srr0)]
    }
}
