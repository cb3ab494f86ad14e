//! Interrupt vectors, and probes: code run with a chosen full register state until the interrupt that ends it.
//!
//! Contract: `install` fills the vectors once, before `main`. Every interrupt makes a `Frame` on a stack of its own and
//! asks the handler set by `set_handler`; what that declines ends the running probe, or, with none running, the guest
//! (a decrementer nobody asked for is put off).
//! Not its job: nested probes, or floating point and vector registers.

use core::sync::atomic::{AtomicPtr, AtomicUsize, Ordering};

use crate::{
    fail, println,
    spr::{mfmsr, msr, mtspr, spr, sync_code},
};

/// The interrupted state. The assembly knows this layout.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Frame {
    /// r0..r31.
    pub gpr: [u64; 32],
    /// Where the interrupted program would continue; where a probe begins.
    pub srr0: u64,
    /// Its MSR, with the reason bits of the interrupt.
    pub srr1: u64,
    pub cr: u64,
    pub lr: u64,
    pub ctr: u64,
    pub xer: u64,
    /// Offset of the vector, for example 0x300.
    pub vector: u64,
    pub dar: u64,
    pub dsisr: u64,
    /// The MSR on arrival at the vector.
    pub handler_msr: u64,
}

/// SRR1 bits that say why (33:36 and 42:47); all others are the interrupted MSR.
pub const REASON: u64 = 0x783f_0000;
/// Program interrupt: illegal instruction.
pub const ILLEGAL: u64 = 0x8_0000;
/// Program interrupt: privileged instruction in problem state.
pub const PRIVILEGED: u64 = 0x4_0000;
/// Program interrupt: trap.
pub const TRAP: u64 = 0x2_0000;

unsafe extern "C" {
    fn probe_enter(frame: *const Frame);
    static exception_entry: u32;
    static probe_exit: u32;
    static exception_stack_top: u32;
}

/// The low-memory word that holds the top of the frame stack.
const FRAME_STACK: *mut u64 = 0x90 as *mut u64;

#[rustfmt::skip]
const VECTORS: [u32; 27] = [
    0x100, 0x200, 0x300, 0x380, 0x400, 0x480, 0x500, 0x600, 0x700, 0x800, 0x900, 0x980, 0xa00, 0xc00,
    0xd00, 0xe00, 0xe20, 0xe40, 0xe60, 0xe80, 0xea0, 0xf00, 0xf20, 0xf40, 0xf60, 0xf80, 0x1500,
];

const DECREMENTER: u64 = 0x900;
/// The longest time a 32-bit decrementer can wait.
pub const NEVER: u64 = 0x7fff_ffff;

/// `mtdec`. A handler is always there, so this is safe at any time.
pub fn set_decrementer(ticks: u64) {
    // SAFETY: as above.
    unsafe { mtspr::<{ spr::DEC }>(ticks) };
}

/// Decides about an interrupt: true = handled, continue with the (changed) frame.
pub type Handler = fn(&mut Frame) -> bool;

static HANDLER: AtomicUsize = AtomicUsize::new(0);
static PROBE: AtomicPtr<Frame> = AtomicPtr::new(core::ptr::null_mut());

/// Sets or removes the handler that sees every interrupt first.
pub fn set_handler(handler: Option<Handler>) {
    HANDLER.store(handler.map_or(0, |handler| handler as usize), Ordering::Relaxed);
}

/// The vector number that `scv 0` is given here: its offset when it is delivered translated.
pub const SCV: u32 = 0x3000;
/// Where an untranslated `scv 0` goes (Power ISA 3.0 Book III, 6.4.1).
const SCV_AT: u64 = 0x1_7000;

/// Writes one vector's three words.
fn install_vector(at: u64, vector: u32) {
    let branch = 0x4800_0000 | ((&raw const exception_entry as u64).wrapping_sub(at + 8) as u32 & 0x03ff_fffc);
    for (index, word) in [0xf820_0080, 0x3820_0000 | vector, branch].into_iter().enumerate() {
        let slot = (at as *mut u32).wrapping_add(index);
        // SAFETY: the vectors are below the image and belong to the runtime.
        unsafe { slot.write_volatile(word) };
        sync_code(slot);
    }
}

/// Writes all vectors from real address `base` on: 0, or 0x4000 for interrupts that arrive translated (AIL 3).
pub fn install_at(base: u64) {
    VECTORS.into_iter().for_each(|vector| install_vector(base + u64::from(vector), vector));
}

pub(crate) fn install() {
    // SAFETY: low memory is the runtime's.
    unsafe { FRAME_STACK.write_volatile(&raw const exception_stack_top as u64) };
    install_at(0);
    install_vector(SCV_AT, SCV);
    set_decrementer(NEVER);
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
    if frame.vector == DECREMENTER {
        set_decrementer(NEVER);
        return;
    }
    let probe = PROBE.swap(core::ptr::null_mut(), Ordering::Relaxed);
    if probe.is_null() {
        println!("unexpected interrupt {:#x} at {:#x}", frame.vector, frame.srr0);
        println!("srr1 {:#x} dar {:#x} dsisr {:#x} lr {:#x}", frame.srr1, frame.dar, frame.dsisr, frame.lr);
        fail("unexpected interrupt");
    }
    // SAFETY: `run` below waits for exactly this write.
    unsafe { probe.write(*frame) };
    frame.srr0 = &raw const probe_exit as u64;
    frame.srr1 = mfmsr() & !(msr::EE | msr::IR | msr::DR) | msr::RI;
}

impl Frame {
    /// A probe of this code in the kernel's own mode, every register holding a value of its own.
    pub fn new(code: *const u32) -> Self {
        Self {
            gpr: core::array::from_fn(|n| 0x0101_0101_0101_0101 * n as u64 ^ 0xa5a5_0000_0000_0000),
            srr0: code as u64,
            srr1: mfmsr(),
            cr: 0x1234_5678,
            lr: 0x5555_0000_aaaa_0004,
            ctr: 0x7777_1111_2222_3334,
            xer: 0x2000_0000,
            vector: 0,
            dar: 0,
            dsisr: 0,
            handler_msr: 0,
        }
    }

    /// The same with one register changed.
    pub fn reg(mut self, n: usize, value: u64) -> Self {
        self.gpr[n] = value;
        self
    }

    /// The same with these MSR bits set.
    pub fn with(mut self, bits: u64) -> Self {
        self.srr1 |= bits;
        self
    }

    /// The same from another place on.
    pub fn at(mut self, address: u64) -> Self {
        self.srr0 = address;
        self
    }

    /// Runs it; the answer is the state at the interrupt that ended it.
    pub fn run(&self) -> Self {
        let mut after = *self;
        PROBE.store(&mut after, Ordering::Relaxed);
        // SAFETY: the code ends in an interrupt, which comes back here with all our registers restored.
        unsafe { probe_enter(self) };
        // SAFETY: a plain read of a local that the interrupt has written behind the compiler's back.
        unsafe { core::ptr::read_volatile(&after) }
    }

    /// True if the code reached the `trap` that `code!` puts at its end.
    pub fn finished(&self) -> bool {
        self.vector == 0x700 && self.srr1 & REASON == TRAP
    }

    /// The reason bits of SRR1.
    pub fn reason(&self) -> u64 {
        self.srr1 & REASON
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
