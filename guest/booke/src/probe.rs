//! Interrupt vectors, and probes: code run with a chosen full register state until the interrupt that ends it.

use core::ptr;
use core::sync::atomic::{AtomicPtr, AtomicUsize, Ordering};

use crate::machine::{fail, println};
use crate::special::mtspr;

/// The interrupted state. The assembly knows this layout.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Frame {
    /// r0..r31.
    pub gpr: [u32; 32],
    /// Where the interrupted program would continue; where a probe begins.
    pub srr0: u32,
    /// Its MSR.
    pub srr1: u32,
    pub cr: u32,
    pub lr: u32,
    pub ctr: u32,
    pub xer: u32,
    /// Number of the IVOR; 16 and up for IVOR32 and up.
    pub vector: u32,
    pub dear: u32,
    pub esr: u32,
    /// The MSR on arrival at the vector.
    pub handler_msr: u32,
}

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

unsafe extern "C" {
    fn probe_enter(frame: *const Frame);
    static vectors: u32;
    static probe_exit: u32;
}

/// Decides about an interrupt: true = handled, continue with the (changed) frame.
pub type Handler = fn(&mut Frame) -> bool;

static HANDLER: AtomicUsize = AtomicUsize::new(0);
static PROBE: AtomicPtr<Frame> = AtomicPtr::new(ptr::null_mut());

/// Sets or removes the handler that sees every interrupt first.
pub fn set_handler(handler: Option<Handler>) {
    HANDLER.store(handler.map_or(0, |handler| handler as usize), Ordering::Relaxed);
}

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

#[unsafe(no_mangle)]
extern "C" fn exception_dispatch(frame: &mut Frame) {
    let handler = HANDLER.load(Ordering::Relaxed);
    if handler != 0 {
        // SAFETY: the value came from a `Handler`.
        let handler: Handler = unsafe { core::mem::transmute(handler) };
        if handler(frame) {
            return;
        }
    }
    let probe = PROBE.swap(ptr::null_mut(), Ordering::Relaxed);
    if probe.is_null() {
        println!("unexpected interrupt {} at {:#x}, lr {:#x}", frame.vector, frame.srr0, frame.lr);
        println!("srr1 {:#x} dear {:#x} esr {:#x}", frame.srr1, frame.dear, frame.esr);
        fail("unexpected interrupt");
    }
    // SAFETY: `run` below waits for exactly this write.
    unsafe { probe.write(*frame) };
    frame.srr0 = &raw const probe_exit as u32;
    frame.srr1 = 0;
}

impl Frame {
    /// A probe of this code in address space 0, every register holding a value of its own.
    pub fn new(code: *const u32) -> Frame {
        Frame {
            gpr: core::array::from_fn(|n| 0x0101_0101 * n as u32 ^ 0xa5a5_0000),
            srr0: code as u32,
            srr1: 0,
            cr: 0x1234_5678,
            lr: 0xaaaa_0004,
            ctr: 0x1111_2224,
            xer: 0x2000_0000,
            vector: 0,
            dear: 0,
            esr: 0,
            handler_msr: 0,
        }
    }

    /// The same with one register changed.
    pub fn reg(mut self, n: usize, value: u32) -> Frame {
        self.gpr[n] = value;
        self
    }

    /// The same with these MSR bits set.
    pub fn with(mut self, bits: u32) -> Frame {
        self.srr1 |= bits;
        self
    }

    /// Runs it; the answer is the state at the interrupt that ended it.
    pub fn run(&self) -> Frame {
        let mut after = *self;
        PROBE.store(&mut after, Ordering::Relaxed);
        // SAFETY: the code ends in an interrupt, which comes back here with all our registers restored.
        unsafe { probe_enter(self) };
        // SAFETY: a plain read of a local that the interrupt has written behind the compiler's back.
        unsafe { ptr::read_volatile(&after) }
    }

    /// Vector, ESR, and how far the probe came.
    pub fn end(&self, before: &Frame) -> [u32; 3] {
        [self.vector, self.esr, self.srr0.wrapping_sub(before.srr0)]
    }

    /// True if the code reached the `trap` that `code!` puts at its end.
    pub fn finished(&self) -> bool {
        self.vector == PROGRAM && self.esr == TRAP
    }
}

/// Defines a piece of probe code with a `trap` at its end, and names its first word.
macro_rules! code {
    ($($name:ident: $($line:literal),+;)+) => { $(
        core::arch::global_asm!(
            ".pushsection .probe, \"ax\", @progbits",
            concat!(".globl ", stringify!($name)),
            concat!(stringify!($name), ":"),
            $($line,)+
            "trap",
            ".popsection",
        );
        unsafe extern "C" { static $name: u32; }
    )+ };
}

pub(crate) use code;
