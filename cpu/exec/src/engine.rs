//! The interface of an engine.

use crate::context::{Context, Privileged};
use crate::exit::{Exit, Instruction};
use crate::interrupt::{Interrupt, program};
use crate::state::VcpuState;
use crate::vcpu::Vcpu;
use crate::{request, supervisor};

/// Runs guest instructions.
///
/// Interrupts are taken, budgets end and requests are seen only at *event points*, the same in every engine: after a
/// taken backward or indirect branch, after a privileged or context-synchronising instruction, and on crossing into
/// another 4 KiB page.
///
/// A `sync` that waits for invalidations (L=0, `ptesync`) leaves with [`Exit::Event`] behind itself while
/// [`crate::Requests::unsettled`] says so: other vCPUs are waited for outside of engines.
///
/// Each vCPU has an engine of its own, which may run in a thread of its own.
pub trait Engine: Send {
    /// Runs from `vcpu.state.cia` until an exit. `budget` is the number of instructions after which the next event
    /// point ends the run.
    fn run(&mut self, vcpu: &mut Vcpu, context: &Context, budget: u64) -> Exit;

    /// Forgets everything it has learnt about guest code and translations, as after a reset.
    fn reset(&mut self);
}

/// What an engine does between privileged instructions; [`run`] does the rest.
pub trait Turns {
    /// Takes the invalidations that were asked for, and makes translations answer for the state's mode.
    fn prepare(&mut self, state: &mut VcpuState, context: &Context);

    /// Runs until an exit, or the first event point at which `limit` instructions are retired or a request is pending.
    /// Every privileged instruction is an exit.
    fn turns(&mut self, vcpu: &mut Vcpu, context: &Context, limit: u64) -> Exit;
}

/// [`Engine::run`] of an engine: carries out privileged instructions where the context says so.
pub fn run(engine: &mut impl Turns, vcpu: &mut Vcpu, context: &Context, budget: u64) -> Exit {
    vcpu.state.prefix_status = 0;
    let limit = vcpu.state.retired.saturating_add(budget);
    let inline = context.privileged == Privileged::Inline;
    loop {
        if let Some(exit) = fp_exception(&vcpu.state) {
            return exit;
        }
        engine.prepare(&mut vcpu.state, context);
        match engine.turns(vcpu, context, limit) {
            Exit::Privileged(insn) if inline && !vcpu.state.mode.problem() => {
                if let Err(interrupt) = supervisor::execute(vcpu, context, &insn) {
                    return Exit::Interrupt(interrupt);
                }
                if is_event(vcpu, context, &insn, limit) {
                    return Exit::Event;
                }
            }
            exit => return exit,
        }
    }
}

/// What a write to the MSR may have let in: arithmetic interrupts at once (Power ISA Book III, section 6.5.9).
pub fn fp_exception(state: &VcpuState) -> Option<Exit> {
    let interrupt = Interrupt::Program(program::FP_ENABLED | program::SUBSEQUENT);
    state.fp_exception().then_some(Exit::Interrupt(interrupt))
}

/// Whether the run ends behind the privileged instruction `insn`, which was carried out: at the limit, for a request, or
/// because of what the instruction has changed.
pub fn is_event(vcpu: &Vcpu, context: &Context, insn: &Instruction, limit: u64) -> bool {
    let state = &vcpu.state;
    let event = state.retired >= limit || context.requests.pending() & !request::INVALIDATE != 0;
    let let_in = state.held & vcpu.shared.msr() != 0;
    event || supervisor::concerns_pending(insn) || let_in || state.waiting
}
