//! Bits of the machine state register (Power ISA Book III-S and Book III-E, section 3.2.1).

use crate::cpu::{ALTIVEC, Cpu};

/// Sixty-four-bit mode.
pub const SF: u64 = 1 << 63;
/// Hypervisor state.
pub const HV: u64 = 1 << 60;
/// Transactional memory available, and the transaction state.
pub const TM: u64 = 1 << 32;
/// Transaction state.
pub const TS: u64 = 3 << 33;
/// AltiVec available.
pub const VEC: u64 = 1 << 25;
/// VSX available.
pub const VSX: u64 = 1 << 23;
/// Power management (Book3S before 2.07).
pub const POW: u64 = 1 << 18;
/// r0 to r3 are those of TLB miss handlers (603).
pub const TGPR: u64 = 1 << 17;
/// External interrupt enable.
pub const EE: u64 = 1 << 15;
/// Problem state.
pub const PR: u64 = 1 << 14;
/// Floating point available.
pub const FP: u64 = 1 << 13;
/// Machine check enable.
pub const ME: u64 = 1 << 12;
/// Floating-point exception mode 0.
pub const FE0: u64 = 1 << 11;
/// Single step (TE, first bit).
pub const SE: u64 = 1 << 10;
/// Branch trace (TE, second bit).
pub const BE: u64 = 1 << 9;
/// Floating-point exception mode 1.
pub const FE1: u64 = 1 << 8;
/// Interrupt vectors stand at 0xfff0_0000 (Book3S-32).
pub const IP: u64 = 1 << 6;
/// Instruction relocate.
pub const IR: u64 = 1 << 5;
/// Data relocate.
pub const DR: u64 = 1 << 4;
/// Performance monitor mark.
pub const PMM: u64 = 1 << 2;
/// Recoverable interrupt.
pub const RI: u64 = 1 << 1;
/// Little-endian.
pub const LE: u64 = 1;

/// BookE: 64-bit mode ("computation mode").
pub const CM: u64 = 1 << 31;
/// BookE: user cache locking enable.
pub const UCLE: u64 = 1 << 26;
/// BookE: signal processing engine available.
pub const SPE: u64 = 1 << 25;
/// BookE: wait state enable.
pub const WE: u64 = 1 << 18;
/// BookE: critical interrupt enable.
pub const CE: u64 = 1 << 17;
/// BookE: debug interrupt enable.
pub const DE: u64 = 1 << 9;
/// BookE: address space of instruction fetches.
pub const IS: u64 = IR;
/// BookE: address space of data accesses.
pub const DS: u64 = DR;
/// BookE: user BTB lock enable (e500v2).
pub const UBLE: u64 = 1 << 10;

/// The MSR bits of a BookE model, but for WE, which no read shows set.
pub const fn booke(cpu: Cpu) -> u64 {
    let common = UCLE | CE | EE | PR | ME | DE | IS | DS | PMM | RI;
    let vector = if ALTIVEC.contains(cpu) { VEC } else { 0 };
    common | vector | if cpu.sixty_four() { CM | FP | FE0 | FE1 } else { SPE | UBLE }
}
