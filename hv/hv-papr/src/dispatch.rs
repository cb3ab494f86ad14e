//! Finds the call that a guest makes, runs it, stores what it returns.

use exec::interrupt::program;
use exec::{Context, Instruction, Interrupt, Vcpu};
use hv_core::{Dispatch, Interface, Next, Visit};
use papr_abi::hcall::{self, CALLS, SC_1};
use papr_abi::status::H_FUNCTION;

use crate::answer::Answer;
use crate::papr::{Arguments, Call, Papr};
use crate::{
    console, dma, hash, interrupts, memory, mode, partition, processor, radix, removal, resize, rtas, scm, vpa,
    watchdog, xive,
};

/// The calls, by family.
const FAMILIES: [&[Call]; 16] = [
    console::CALLS,
    dma::CALLS,
    hash::CALLS,
    interrupts::CALLS,
    memory::CALLS,
    mode::CALLS,
    partition::CALLS,
    processor::CALLS,
    radix::CALLS,
    removal::CALLS,
    resize::CALLS,
    rtas::CALLS,
    scm::CALLS,
    vpa::CALLS,
    watchdog::CALLS,
    xive::CALLS,
];

impl Interface for Papr {
    /// `sc 1`. From problem state it is a system call on a hash partition and a privileged instruction on a radix
    /// one (spec papr 1.2).
    fn system_call(&self, visit: &mut Visit, insn: &Instruction) -> Option<Next> {
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

    fn dispatched(&self, vcpu: &Vcpu, context: &Context, change: Dispatch) {
        self.dispatch(vcpu, context, change);
    }
}

/// Numbers of the calls that are implemented.
pub fn calls() -> impl Iterator<Item = u64> {
    FAMILIES.into_iter().flatten().map(|call| call.number)
}

/// What implements each row of the table of calls, if anything.
static HANDLERS: [Option<crate::papr::Handler>; CALLS.len()] = handlers();

/// Done while compiling: there, a call without a row or with two handlers is an error.
#[expect(clippy::indexing_slicing, clippy::panic, reason = "not at run time")]
const fn handlers() -> [Option<crate::papr::Handler>; CALLS.len()] {
    let mut handlers: [Option<crate::papr::Handler>; CALLS.len()] = [None; CALLS.len()];
    let mut family = 0;
    while family < FAMILIES.len() {
        let mut n = 0;
        while n < FAMILIES[family].len() {
            let Call { number, handler } = FAMILIES[family][n];
            let Some(row) = hcall::row(number) else {
                panic!("a handler for a call that papr_abi::hcall has no row of")
            };
            assert!(handlers[row].is_none(), "two handlers for one call");
            handlers[row] = Some(handler);
            n += 1;
        }
        family += 1;
    }
    handlers
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
        let row = hcall::row(number);
        let call = row.and_then(|row| CALLS.get(row));
        visit.counts.hypercall("papr", call.map_or("unknown", |call| call.name));
        let answer = match row.and_then(|row| *HANDLERS.get(row)?) {
            Some(handler) => handler(self, visit, &arguments).unwrap_or_else(Answer::status),
            None => Answer::status(call.map_or(H_FUNCTION, |call| call.absent)),
        };
        let gpr = &mut visit.vcpu.state.gpr;
        gpr[3] = answer.status as u64;
        for (register, output) in gpr.iter_mut().skip(4).zip(answer.outputs) {
            *register = output;
        }
        Some(answer.next)
    }
}
