//! Interrupts, and probes: code run with a chosen full register state until the interrupt that ends it. The 32-bit
//! sibling of `guest_rt::exception`.

use core::ptr;
use core::sync::atomic::{AtomicPtr, AtomicUsize, Ordering};

use crate::console::fail;
use crate::family::{self, RETURN_MSR};
use crate::println;
use crate::special::{EE, mfmsr};

/// The interrupted state. The assembly knows this layout.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Frame {
    /// r0..r31.
    pub gpr: [u32; 32],
    /// Where the interrupted program would continue; where a probe begins.
    pub srr0: u32,
    /// Its MSR, on Book3S with the reason bits of the interrupt.
    pub srr1: u32,
    pub cr: u32,
    pub lr: u32,
    pub ctr: u32,
    pub xer: u32,
    /// Offset of the vector; on BookE the number of the IVOR, 16 and up for IVOR32 and up.
    pub vector: u32,
    /// DAR, DEAR on BookE.
    pub dar: u32,
    /// DSISR, ESR on BookE.
    pub status: u32,
    /// The MSR on arrival at the vector.
    pub handler_msr: u32,
}

unsafe extern "C" {
    fn probe_enter(frame: *const Frame);
    static probe_exit: u32;
    static exception_stack_top: u32;
}

/// Decides about an interrupt: true = handled, continue with the (changed) frame.
pub type Handler = fn(&mut Frame) -> bool;

static HANDLER: AtomicUsize = AtomicUsize::new(0);
static PROBE: AtomicPtr<Frame> = AtomicPtr::new(ptr::null_mut());

/// Sets or removes the handler that sees every interrupt first.
pub fn set_handler(handler: Option<Handler>) {
    HANDLER.store(handler.map_or(0, |handler| handler as usize), Ordering::Relaxed);
}

/// Makes interrupts arrive at handlers; to be called first.
pub fn install() {
    // SAFETY: low memory is ours.
    unsafe { (0x88 as *mut u32).write_volatile(&raw const exception_stack_top as u32) };
    family::install();
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
    if family::handles(frame) {
        return;
    }
    let probe = PROBE.swap(ptr::null_mut(), Ordering::Relaxed);
    if probe.is_null() {
        println!("unexpected interrupt {:#x} at {:#x}", frame.vector, frame.srr0);
        println!("srr1 {:#x} dar {:#x} status {:#x} lr {:#x}", frame.srr1, frame.dar, frame.status, frame.lr);
        fail("unexpected interrupt");
    }
    // SAFETY: `run` below waits for exactly this write.
    unsafe { probe.write(*frame) };
    frame.srr0 = &raw const probe_exit as u32;
    frame.srr1 = RETURN_MSR;
}

impl Frame {
    /// A probe of this code in our own state, every register holding a value of its own.
    pub fn new(code: *const u32) -> Frame {
        Frame {
            gpr: core::array::from_fn(|n| 0x0101_0101 * n as u32 ^ 0xa5a5_0000),
            srr0: code as u32,
            srr1: mfmsr() & !EE,
            cr: 0x1234_5678,
            lr: 0xaaaa_0004,
            ctr: 0x1111_2224,
            xer: 0x2000_0000,
            vector: 0,
            dar: 0,
            status: 0,
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

    /// The same with this counter.
    pub fn counting(mut self, ctr: u32) -> Frame {
        self.ctr = ctr;
        self
    }

    /// True if the code reached the `trap` that `code!` puts at its end.
    pub fn finished(&self) -> bool {
        family::is_trap(self)
    }
}

/// Defines a piece of probe code with a `trap` at its end, and names its first word.
#[macro_export]
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
