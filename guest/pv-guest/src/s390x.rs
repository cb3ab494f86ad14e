//! Hypercalls on s390x: `diag 2,4,0x500` with the number in r1, arguments in r2 to r7, result in r2.
//!
//! Why `unsafe` stands here: `diag` is an instruction that only assembler names.
#![expect(unsafe_code, reason = "hypercall instruction")]

use core::arch::asm;

use crate::hypercall::{ARGUMENTS, Hypercall, Reply};

/// `diag` with function code 0x500. In problem state it is a privileged-operation exception.
#[derive(Clone, Copy, Debug)]
pub struct Diag500;

impl Hypercall for Diag500 {
    const ARGUMENTS: usize = 6;

    fn call(&self, number: u32, arguments: &[u64]) -> Reply {
        let argument = |index: usize| arguments.get(index).copied().unwrap_or(0);
        let mut r2 = argument(0);
        // SAFETY: KVM changes r2 and memory that the call names.
        unsafe {
            asm!(
                "diag %r2, %r4, 0x500",
                in("r1") u64::from(number),
                inout("r2") r2, in("r3") argument(1), in("r4") argument(2), in("r5") argument(3), in("r6") argument(4),
                in("r7") argument(5),
            );
        }
        Reply { status: r2 as i64, outputs: [0; ARGUMENTS] }
    }
}
