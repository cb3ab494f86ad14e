//! Hypercalls and live patching on PowerPC.
//!
//! Why `unsafe` stands here: the hypercall is an instruction sequence that the device tree gives, run in place; code
//! of the running kernel is overwritten.
#![expect(unsafe_code, reason = "hypercall instructions; stores to running code")]

use core::arch::{asm, global_asm};
use core::sync::atomic::{AtomicU32, Ordering};

use crate::code::{Code, Region};
use crate::discovery::{Instructions, stub};
use crate::hypercall::{ARGUMENTS, Hypercall, Reply};

// `li r3,-1` and a return, until `install` knows better.
global_asm!(
    ".pushsection .text.pv_guest_stub, \"ax\"",
    ".balign 4",
    "pv_guest_stub: li 3, -1; nop; nop; nop; blr",
    ".popsection",
);

unsafe extern "C" {
    static pv_guest_stub: [AtomicU32; crate::discovery::STUB_WORDS];
}

/// Code of the running kernel.
#[derive(Debug)]
pub struct Live {
    start: *mut u32,
    count: usize,
}

impl Live {
    /// The `count` words of code from `start` on, with their address.
    ///
    /// # Safety
    /// They are mapped readable and writable at `start`, which is also where they run, and nobody else stores to them
    /// meanwhile. What is written with [`Code::replace`] must be code that may run there.
    pub unsafe fn new(start: *mut u32, count: usize) -> Region<Live> {
        Region { address: start as usize as u64, code: Live { start, count } }
    }

    fn slot(&self, index: usize) -> Option<&AtomicU32> {
        // SAFETY: inside the words that the maker of this value promised.
        (index < self.count).then(|| unsafe { AtomicU32::from_ptr(self.start.wrapping_add(index)) })
    }
}

impl Code for Live {
    fn word_count(&self) -> usize {
        self.count
    }

    fn word(&self, index: usize) -> Option<u32> {
        self.slot(index).map(|slot| slot.load(Ordering::Relaxed))
    }

    fn replace(&mut self, index: usize, word: u32) {
        if let Some(slot) = self.slot(index) {
            slot.store(word, Ordering::Relaxed);
            // SAFETY: makes the store visible to instruction fetch (Power ISA Book II, section 1.8).
            unsafe {
                asm!("dcbst 0, {0}", "sync", "icbi 0, {0}", "sync", "isync", in(reg) slot, options(nostack));
            }
        }
    }
}

/// The hypercall by the stub.
#[derive(Clone, Copy, Debug)]
pub struct Stub {
    code: *const u32,
}

/// The stub's own code, for kernels that map their text read-only: write [`stub`]'s words there by a mapping of your
/// own, then use [`Stub::in_place`].
pub fn stub_address() -> *mut u32 {
    (&raw const pv_guest_stub).cast_mut().cast()
}

impl Stub {
    /// Puts the device tree's instructions into the stub.
    ///
    /// # Safety
    /// The stub, which is in the section `.text.pv_guest_stub`, is writable, no other processor calls it meanwhile,
    /// and the instructions are those of the machine's own device tree.
    pub unsafe fn install(instructions: &Instructions) -> Stub {
        let stub_code = stub(Some(instructions));
        // SAFETY: the caller's promise.
        let mut region = unsafe { Live::new(stub_address(), stub_code.len()) };
        for (index, word) in stub_code.into_iter().enumerate() {
            region.code.replace(index, word);
        }
        Stub::in_place()
    }

    /// The stub as it is; every call fails with -1 until somebody puts instructions there.
    pub fn in_place() -> Stub {
        Stub { code: stub_address() }
    }
}

impl Hypercall for Stub {
    const ARGUMENTS: usize = ARGUMENTS;

    fn call(&self, number: u32, arguments: &[u64]) -> Reply {
        let mut r = [0_usize; ARGUMENTS];
        for (register, &argument) in r.iter_mut().zip(arguments) {
            *register = argument as usize;
        }
        let [mut r3, mut r4, mut r5, mut r6, mut r7, mut r8, mut r9, mut r10] = r;
        let mut r11 = number as usize;
        // SAFETY: the stub follows the calling convention of hypercalls (ePAPR 1.1, section 7.3): r3 to r11 carry
        // values, r0, r12, CR, XER, CTR and LR are lost, memory may change. LR and CTR, which cannot be named as
        // lost, are kept in registers that stay.
        unsafe {
            asm!(
                "mflr {lr}",
                "mfctr {ctr}",
                "mtctr 12",
                "bctrl",
                "mtctr {ctr}",
                "mtlr {lr}",
                lr = out(reg) _, ctr = out(reg) _,
                inout("r3") r3, inout("r4") r4, inout("r5") r5, inout("r6") r6, inout("r7") r7,
                inout("r8") r8, inout("r9") r9, inout("r10") r10, inout("r11") r11, inout("r12") self.code => _,
                out("r0") _, out("xer") _, out("cr") _,
            );
        }
        let outputs = [r4, r5, r6, r7, r8, r9, r10, r11].map(|register| register as u64);
        Reply { status: r3 as isize as i64, outputs }
    }
}
