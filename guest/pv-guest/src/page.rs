//! The magic page as a structure.
//!
//! Why `unsafe` stands here: the hypervisor changes the page behind the compiler's back, and code that this crate has
//! patched does, so every access is volatile, through the raw pointer of a cell.
#![expect(unsafe_code, reason = "volatile access to memory shared with the hypervisor")]

use core::cell::UnsafeCell;

/// A word of the page.
#[repr(transparent)]
pub struct Word(UnsafeCell<u32>);

impl Word {
    /// Its value.
    pub fn get(&self) -> u32 {
        // SAFETY: the pointer is that of a live, aligned field.
        unsafe { self.0.get().read_volatile() }
    }

    /// Changes it.
    pub fn set(&self, value: u32) {
        // SAFETY: as above; nobody holds a reference to what is in the cell.
        unsafe { self.0.get().write_volatile(value) }
    }
}

/// A register of the page: 64 bits, of which a 32-bit kernel uses the low word.
#[repr(C, align(8))]
pub struct Register([Word; 2]);

impl Register {
    #[cfg(not(target_pointer_width = "32"))]
    fn doubleword(&self) -> *mut u64 {
        (&raw const *self).cast_mut().cast()
    }

    /// Its value.
    #[cfg(not(target_pointer_width = "32"))]
    pub fn get(&self) -> u64 {
        // SAFETY: two cells of 32 bits, aligned for one of 64.
        unsafe { self.doubleword().read_volatile() }
    }

    /// Changes it.
    #[cfg(not(target_pointer_width = "32"))]
    pub fn set(&self, value: u64) {
        // SAFETY: as above; nobody holds a reference to what is in the cells.
        unsafe { self.doubleword().write_volatile(value) }
    }

    #[cfg(target_pointer_width = "32")]
    fn low(&self) -> &Word {
        let Register([first, second]) = self;
        if cfg!(target_endian = "big") { second } else { first }
    }

    /// Its value.
    #[cfg(target_pointer_width = "32")]
    pub fn get(&self) -> u64 {
        self.low().get().into()
    }

    /// Changes its low word.
    #[cfg(target_pointer_width = "32")]
    pub fn set(&self, value: u64) {
        self.low().set(value as u32);
    }
}

/// The page of the processor that looks at it. Every field is the register of its name: a trapped access and a patched
/// one meet the same storage.
#[repr(C)]
pub struct MagicPage {
    /// For patched code: r31, r30 and CR while a section runs.
    pub scratch: [Register; 3],
    /// Equal to r1 while a section runs.
    pub critical: Register,
    /// SPRG0 to SPRG3.
    pub sprg: [Register; 4],
    /// SRR0.
    pub srr0: Register,
    /// SRR1.
    pub srr1: Register,
    /// DAR, DEAR on BookE.
    pub dar: Register,
    /// MSR. Store EE and RI only, and trap with the instruction when EE becomes one while an interrupt waits.
    pub msr: Register,
    /// DSISR.
    pub dsisr: Word,
    /// Not zero while an interrupt waits. The hypervisor's.
    pub int_pending: Word,
    /// Segment registers, with relocation off (`magic::FEATURE_SR`).
    pub sr: [Word; 16],
    /// MAS0 (`magic::FEATURE_MAS0_TO_SPRG7`, as everything that follows).
    pub mas0: Word,
    /// MAS1.
    pub mas1: Word,
    /// MAS7.
    pub mas7: Word,
    /// MAS3.
    pub mas3: Word,
    /// MAS2.
    pub mas2: Register,
    /// MAS4.
    pub mas4: Word,
    /// MAS6.
    pub mas6: Word,
    /// ESR.
    pub esr: Word,
    /// PIR.
    pub pir: Word,
    /// SPRG4 to SPRG7.
    pub sprg4: [Register; 4],
}

impl MagicPage {
    /// The page at `address`, usually [`crate::PAGE`].
    ///
    /// # Safety
    /// This processor has mapped the page there and keeps it there as long as the reference lives, and the reference is
    /// used in privileged state only, on this processor only.
    pub unsafe fn at<'a>(address: usize) -> &'a MagicPage {
        // SAFETY: the caller's promise; the page is larger than the structure, and aligned.
        unsafe { &*(address as *const MagicPage) }
    }
}
