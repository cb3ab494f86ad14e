//! Privileged instructions and SPRs of BookE (Power ISA Book III-E).

use ppc_isa::op::System;

use crate::engine::Context;
use crate::interrupt::{Interrupt, program};
use crate::vcpu::Vcpu;

/// Executes `op`, the privileged instruction `word`. Returns whether `state.cia` was set.
///
/// # Errors
/// The interrupt it causes instead.
pub fn execute(vcpu: &mut Vcpu, context: &Context, op: System, word: u32) -> Result<bool, Interrupt> {
    let _ = (vcpu, context, op, word);
    Err(Interrupt::Program(program::ILLEGAL))
}

/// Reads an SPR that is BookE's own.
///
/// # Errors
/// Illegal instruction for numbers that even privileged software may not read.
pub fn mfspr(vcpu: &Vcpu, context: &Context, number: u16) -> Result<u64, Interrupt> {
    let _ = (vcpu, context, number);
    Err(Interrupt::Program(program::ILLEGAL))
}

/// Writes an SPR that is BookE's own.
///
/// # Errors
/// Illegal instruction for numbers that even privileged software may not write.
pub fn mtspr(vcpu: &mut Vcpu, context: &Context, number: u16, value: u64) -> Result<(), Interrupt> {
    let _ = (vcpu, context, number, value);
    Err(Interrupt::Program(program::ILLEGAL))
}
