//! TLB entries.

use core::arch::asm;

use rt32::special::{mfspr, mtspr};

/// SR, SW.
pub const SUPERVISOR_DATA: u32 = 0b00_0101;
/// SR, SW, SX.
pub const SUPERVISOR: u32 = 0b01_0101;
/// All six rights.
pub const EVERYTHING: u32 = 0x3f;
/// Coherent.
pub const ATTRIBUTES_MEMORY: u32 = 4;
/// Inhibited, guarded.
pub const ATTRIBUTES_DEVICE: u32 = 0xa;
const VALID: u32 = 0x8000_0000;
const PROTECTED: u32 = 0x4000_0000;

/// A page to be mapped.
#[derive(Clone, Copy)]
pub struct Page {
    effective: u32,
    /// Real address, lower 32 bits and upper four.
    real: u32,
    real_high: u32,
    rights: u32,
    attributes: u32,
    context: u32,
}

/// A page of 4 KiB in address space 0 for every process.
pub fn page(effective: u32, real: u32, rights: u32) -> Page {
    Page { effective, real, real_high: 0, rights, attributes: ATTRIBUTES_MEMORY, context: 1 << 8 }
}

impl Page {
    /// log4 of the size in KiB.
    pub fn size(mut self, log4: u32) -> Page {
        self.context = self.context & !0xf00 | log4 << 8;
        self
    }

    /// Of one process.
    pub fn process(mut self, pid: u32) -> Page {
        self.context |= pid << 16;
        self
    }

    /// In address space 1.
    pub fn space_one(mut self) -> Page {
        self.context |= 0x1000;
        self
    }

    /// The upper four bits of the real address.
    pub fn high(mut self, real_high: u32) -> Page {
        self.real_high = real_high;
        self
    }

    /// WIMGE.
    pub fn attributes(mut self, attributes: u32) -> Page {
        self.attributes = attributes;
        self
    }

    /// Into TLB1, protected from invalidations.
    pub fn write_one(self, entry: u32) {
        self.write(0x1000_0000 | entry << 16, VALID | PROTECTED | self.context);
    }

    /// Into a way of TLB0.
    pub fn write_zero(self, way: u32) {
        self.write(way << 16, VALID | self.context);
    }

    /// Takes it out of a way of TLB0.
    pub fn clear_zero(self, way: u32) {
        self.write(way << 16, self.context);
    }

    fn write(self, mas0: u32, mas1: u32) {
        // SAFETY: pages of the tests; none covers the image but for the same place.
        unsafe {
            mtspr::<624>(mas0);
            mtspr::<625>(mas1);
            mtspr::<626>(self.effective | self.attributes);
            mtspr::<627>(self.real | self.rights);
            mtspr::<944>(self.real_high);
        }
        commit();
    }
}

/// tlbwe.
pub fn commit() {
    // SAFETY: what the registers say has been looked at by the caller.
    unsafe { asm!("isync", ".long 0x7c0007a4", "isync") };
}

/// tlbsx in the context of MAS6: MAS0, MAS1, MAS2, MAS3.
pub fn search(effective: u32, mas6: u32) -> [u32; 4] {
    // SAFETY: changes these registers only.
    unsafe {
        mtspr::<630>(mas6);
        asm!("mr %r4, {}", ".long 0x7c002724", in(reg) effective, out("r4") _);
    }
    [mfspr::<624>(), mfspr::<625>(), mfspr::<626>(), mfspr::<627>()]
}

/// tlbivax.
pub fn invalidate(operand: u32) {
    // SAFETY: entries that are protected stay.
    unsafe { asm!("mr %r4, {}", ".long 0x7c002624", "isync", in(reg) operand, out("r4") _) };
}
