//! Finds the call that a guest makes, runs it, stores what it returns.

use exec::interrupt::program;
use exec::{Instruction, Interrupt};
use hv_core::{Interface, Next, Visit};
use papr_abi::hcall;
use papr_abi::status::H_FUNCTION;

use crate::answer::Answer;
use crate::papr::{Arguments, Call, Papr};
use crate::{console, dma, hash, interrupts, memory, mode, processor, radix, rtas, scm};

/// The calls, by family.
const FAMILIES: [&[Call]; 10] = [
    console::CALLS,
    dma::CALLS,
    hash::CALLS,
    interrupts::CALLS,
    memory::CALLS,
    mode::CALLS,
    processor::CALLS,
    radix::CALLS,
    rtas::CALLS,
    scm::CALLS,
];

impl Interface for Papr {
    /// `sc 1`. From problem state it is a system call on a hash partition and a privileged instruction on a radix
    /// one (spec papr 1.2).
    fn system_call(&self, visit: &mut Visit, insn: &Instruction) -> Option<Next> {
        const SC_1: u64 = 0x4400_0022;
        if insn.word != SC_1 {
            return None;
        }
        if visit.vcpu.state.mode.problem() {
            if !visit.context.partition.radix() {
                return None;
            }
            visit.deliver(Interrupt::Program(program::PRIVILEGED));
            return Some(Next::Run);
        }
        self.hypercall(visit)
    }

    /// A reserved word that stands for `sc 1` where that can not trap (spec ppc-pv 1.4).
    fn illegal(&self, visit: &mut Visit, word: u32) -> Option<Next> {
        const INSTEAD_OF_SC_1: u32 = 0x7c00_0268;
        if word != INSTEAD_OF_SC_1 || visit.vcpu.state.mode.problem() { None } else { self.hypercall(visit) }
    }
}

impl Papr {
    /// Answers the call in the registers and moves past the instruction.
    fn hypercall(&self, visit: &mut Visit) -> Option<Next> {
        visit.vcpu.state.cia = visit.vcpu.state.effective(visit.vcpu.state.cia.wrapping_add(4));
        // A processor with registers of 32 bits has nothing above them that counts.
        let width = if visit.vcpu.state.cpu.sixty_four() { u64::MAX } else { 0xffff_ffff };
        let number = visit.vcpu.state.gpr[3] & width;
        let mut arguments = Arguments::default();
        for (argument, register) in arguments.iter_mut().zip(visit.vcpu.state.gpr.iter().skip(4)) {
            *argument = register & width;
        }
        match hcall::name(number) {
            Some(name) => visit.counts.hypercall("papr", name),
            None => visit.counts.hypercall("papr", "unknown"),
        }
        let answer = match FAMILIES.iter().flat_map(|family| family.iter()).find(|call| call.number == number) {
            Some(call) => (call.handler)(self, visit, &arguments).unwrap_or_else(Answer::status),
            None => Answer::status(H_FUNCTION),
        };
        let gpr = &mut visit.vcpu.state.gpr;
        gpr[3] = answer.status as u64;
        for (register, output) in gpr.iter_mut().skip(4).zip(answer.outputs) {
            *register = output;
        }
        Some(answer.next)
    }
}
