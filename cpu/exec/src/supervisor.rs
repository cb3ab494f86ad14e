//! Supervisor operations: one function per privileged instruction, written once.
//!
//! The hypervisor calls them when such an instruction trapped; an engine that runs privileged instructions inline
//! calls the same functions. Each leaves `state.cia` at the next instruction, or returns the interrupt that the
//! instruction causes with `state.cia` untouched.

use ppc_isa::cpu::Family;
use ppc_isa::op::{Integer, Op, System};
use ppc_isa::spr;
use ppc_isa::system::BookE;

use crate::context::Context;
use crate::delivery;
use crate::exit::Instruction;
use crate::interrupt::{Interrupt, program};
use crate::timer;
use crate::vcpu::Vcpu;

pub mod book3s32;
pub mod book3s64;
pub mod booke;
mod external;

/// Executes the privileged instruction `insn` and counts it as retired.
///
/// # Errors
/// The interrupt it causes instead: illegal for what this processor does not have. A trace interrupt comes after it:
/// then `state.cia` is the next instruction.
pub fn execute(vcpu: &mut Vcpu, context: &Context, insn: &Instruction) -> Result<(), Interrupt> {
    let word = insn.word as u32;
    let rt = (word >> 21 & 31) as usize;
    let traced = vcpu.state.mode.traces(false);
    let jumped = match insn.row.op {
        Op::System(System::Mfmsr) => {
            vcpu.state.gpr[rt] = vcpu.shared.msr();
            false
        }
        Op::System(op) => match vcpu.state.cpu.family() {
            Family::Book3s64 => book3s64::execute(vcpu, context, op, word)?,
            Family::Book3s32 => book3s32::execute(vcpu, context, op, word)?,
            Family::BookE => booke::execute(vcpu, context, op, word)
                .map_err(|interrupt| delivery::booke::attributed(interrupt, insn.row))?,
        },
        Op::Integer(Integer::Mfspr) => {
            let value = mfspr(vcpu, context, spr::number(word))?;
            vcpu.state.gpr[rt] = value;
            false
        }
        Op::Integer(Integer::Mtspr) => {
            let value = vcpu.state.gpr[rt];
            mtspr(vcpu, context, spr::number(word), value)?;
            false
        }
        _ => return Err(Interrupt::Program(program::ILLEGAL)),
    };
    if !jumped {
        vcpu.state.cia = vcpu.state.effective(insn.address.wrapping_add(u64::from(insn.len)));
    }
    vcpu.state.retired += 1;
    // Returns from interrupts and what switches the processor off are not traced (Book III-S, section 6.5.15).
    if traced && !jumped && !vcpu.state.waiting { Err(Interrupt::Trace) } else { Ok(()) }
}

/// Whether problem state may execute `insn`, which is not carried out by engines: some performance monitor registers.
pub fn open_to_problem(insn: &Instruction) -> bool {
    insn.row.op == Op::System(System::BookE(BookE::Mfpmr)) && spr::number(insn.word as u32) & 0x10 == 0
}

/// Whether `insn` may have changed what is pending without a request: when a timer interrupts next, whether debug
/// events or doorbells do, or that the processor is to be reset.
pub fn concerns_pending(insn: &Instruction) -> bool {
    use spr::booke::{DBCR0, DBSR, TCR, TSR};
    let registers = [spr::DEC, spr::TBLW, spr::TBUW, TSR, TCR, DBCR0, DBSR];
    match insn.row.op {
        Op::Integer(Integer::Mtspr) => registers.contains(&spr::number(insn.word as u32)),
        Op::System(System::BookE(BookE::Message { clear })) => clear,
        _ => false,
    }
}

/// Reads an SPR in privileged state.
///
/// # Errors
/// Illegal instruction for numbers that even privileged software may not read.
pub fn mfspr(vcpu: &Vcpu, context: &Context, number: u16) -> Result<u64, Interrupt> {
    let state = &vcpu.state;
    Ok(match number {
        spr::SRR0 => vcpu.shared.srr0(),
        spr::SRR1 => vcpu.shared.srr1(),
        spr::SPRG0..=spr::SPRG7 => vcpu.shared.sprg(usize::from(number - spr::SPRG0)),
        spr::DEC => timer::decrementer(state, context),
        spr::PVR => u64::from(state.cpu.pvr()),
        _ => match state.cpu.family() {
            Family::Book3s64 => book3s64::mfspr(vcpu, context, number)?,
            Family::Book3s32 => book3s32::mfspr(vcpu, context, number)?,
            Family::BookE => booke::mfspr(vcpu, context, number)?,
        },
    })
}

/// Writes an SPR in privileged state.
///
/// # Errors
/// Illegal instruction for numbers that even privileged software may not write.
pub fn mtspr(vcpu: &mut Vcpu, context: &Context, number: u16, value: u64) -> Result<(), Interrupt> {
    let value = if vcpu.state.cpu.sixty_four() { value } else { value & 0xffff_ffff };
    match number {
        spr::SRR0 => vcpu.shared.set_srr0(value),
        spr::SRR1 => vcpu.shared.set_srr1(value),
        spr::SPRG0..=spr::SPRG7 => vcpu.shared.set_sprg(usize::from(number - spr::SPRG0), value),
        spr::DEC => timer::set_decrementer(&mut vcpu.state, context, value),
        _ => match vcpu.state.cpu.family() {
            Family::Book3s64 => book3s64::mtspr(vcpu, number, value)?,
            Family::Book3s32 => book3s32::mtspr(vcpu, context, number, value)?,
            Family::BookE => booke::mtspr(vcpu, context, number, value)?,
        },
    }
    Ok(())
}
