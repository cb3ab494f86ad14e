//! Hypercalls on x86: number in rax, arguments in rbx, rcx, rdx, rsi, result in rax; nothing else changes.
//!
//! Why `unsafe` stands here: `vmcall` and `vmmcall` are instructions that only assembler names.
#![expect(unsafe_code, reason = "hypercall instructions")]

use core::arch::asm;

use crate::hypercall::{ARGUMENTS, Hypercall, Reply};

/// The instruction that makes the call. Without a hypervisor it is an invalid opcode: look for KVM's CPUID leaf first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Instruction {
    /// Intel's.
    Vmcall,
    /// AMD's.
    Vmmcall,
}

/// rbx cannot be named as an operand: the compiler keeps it for itself.
macro_rules! call {
    ($instruction:literal, $rax:ident, $rbx:ident, $rcx:ident, $rdx:ident, $rsi:ident) => {
        asm!(
            "xchg {rbx}, rbx",
            $instruction,
            "xchg {rbx}, rbx",
            rbx = inout(reg) $rbx => _,
            inout("rax") $rax, in("rcx") $rcx, in("rdx") $rdx, in("rsi") $rsi,
        )
    };
}

impl Hypercall for Instruction {
    const ARGUMENTS: usize = 4;

    fn call(&self, number: u32, arguments: &[u64]) -> Reply {
        let argument = |index: usize| arguments.get(index).copied().unwrap_or(0);
        let mut rax = u64::from(number);
        let (rbx, rcx, rdx, rsi) = (argument(0), argument(1), argument(2), argument(3));
        match self {
            // SAFETY: KVM changes rax and memory that the call names.
            Instruction::Vmcall => unsafe { call!("vmcall", rax, rbx, rcx, rdx, rsi) },
            // SAFETY: as above.
            Instruction::Vmmcall => unsafe { call!("vmmcall", rax, rbx, rcx, rdx, rsi) },
        }
        Reply { status: rax as i64, outputs: [0; ARGUMENTS] }
    }
}
