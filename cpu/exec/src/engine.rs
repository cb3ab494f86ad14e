//! The interface of an engine.

use pv_abi::osi;

use crate::context::{Context, Privileged};
use crate::exit::{Exit, Instruction};
use crate::interrupt::{Interrupt, program};
use crate::state::VcpuState;
use crate::vcpu::Vcpu;
use crate::{delivery, request, supervisor};

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

/// [`Engine::run`] of an engine: carries out privileged instructions and delivers interrupts where the context says so.
pub fn run(engine: &mut impl Turns, vcpu: &mut Vcpu, context: &Context, budget: u64) -> Exit {
    vcpu.state.prefix_status = 0;
    let limit = vcpu.state.retired.saturating_add(budget);
    let inline = context.privileged == Privileged::Inline;
    loop {
        let exit = match fp_exception(&vcpu.state) {
            Some(exit) => exit,
            None => {
                engine.prepare(&mut vcpu.state, context);
                engine.turns(vcpu, context, limit)
            }
        };
        let exit = match exit {
            Exit::Event => return exit,
            Exit::Privileged(insn) if inline && !vcpu.state.mode.problem() => {
                match supervisor::execute(vcpu, context, &insn) {
                    Err(interrupt) => Exit::Interrupt(interrupt),
                    Ok(()) if is_event(vcpu, context, &insn, limit) => return Exit::Event,
                    Ok(()) => continue,
                }
            }
            exit => exit,
        };
        if let Some(exit) = answer(vcpu, context, &exit, limit) {
            return exit;
        }
    }
}

/// Delivers the interrupt of `exit` if that is for the engine to do, or has the hypervisor answer it here. What comes next
/// is then an event point. Returns the exit with which the run ends, if it does.
pub fn answer(vcpu: &mut Vcpu, context: &Context, exit: &Exit, limit: u64) -> Option<Exit> {
    // Handlers that interrupt at their first instruction may do so forever, and nothing is ever retired.
    let first = vcpu.state.cia & 15 == 0 || matches!(exit, Exit::Interrupt(Interrupt::SystemCallVectored(_)));
    let (first, retired) = (first && !vcpu.state.mode.problem(), vcpu.state.retired);
    let interrupt = match *exit {
        Exit::Interrupt(interrupt) => Some((interrupt, vcpu.state.cia)),
        Exit::SystemCall(insn) if is_system_call(&vcpu.state, &insn) => {
            Some((Interrupt::SystemCall, insn.address.wrapping_add(u64::from(insn.len))))
        }
        _ => None,
    };
    let goes_on = match interrupt.filter(|_| context.delivers) {
        Some((interrupt, next)) => {
            vcpu.state.cia = next;
            delivery::deliver(vcpu, context.partition, interrupt);
            true
        }
        None => match context.answers {
            Some(hypervisor) => hypervisor.answer(vcpu, context, exit),
            None => return Some(*exit),
        },
    };
    let ends = match exit {
        Exit::Privileged(insn) => is_event(vcpu, context, insn, limit),
        _ => is_limit(vcpu, context, limit),
    };
    (ends || !goes_on || first && vcpu.state.retired == retired).then_some(Exit::Event)
}

/// Whether `insn` is a system call for certain, and no hypercall: OSI's are open to problem state.
fn is_system_call(state: &VcpuState, insn: &Instruction) -> bool {
    const SC_0: u64 = 0x4400_0002;
    insn.word == SC_0 && state.mode.problem() && state.gpr[3] as u32 != osi::MAGIC_R3
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
    let let_in = state.held & vcpu.shared.msr() != 0;
    is_limit(vcpu, context, limit) || supervisor::concerns_pending(insn) || let_in || state.waiting
}

/// Whether the run ends at an event point, since `limit` instructions are retired, or something was requested.
pub fn is_limit(vcpu: &Vcpu, context: &Context, limit: u64) -> bool {
    vcpu.state.retired >= limit || context.requests.pending() & !request::INVALIDATE != 0
}

#[cfg(test)]
mod tests {
    use guest_mem::GuestMem;
    use ppc_isa::{Cpu, msr};

    use super::*;
    use crate::{PartitionState, Requests};

    /// An engine whose every instruction is a trap.
    struct Traps {
        turns: u32,
    }

    impl Turns for Traps {
        fn prepare(&mut self, _: &mut VcpuState, _: &Context) {}

        fn turns(&mut self, _: &mut Vcpu, _: &Context, _: u64) -> Exit {
            self.turns += 1;
            Exit::Interrupt(Interrupt::Program(program::TRAP))
        }
    }

    #[test]
    fn handlers_that_interrupt_at_once_end_the_run() {
        let (mem, requests, partition) =
            (GuestMem::new(4096).unwrap(), Requests::default(), PartitionState::new(None, false));
        let context = Context { delivers: true, ..Context::alone(&mem, &partition, &requests, Privileged::Inline) };
        let mut vcpu = Vcpu::new(Cpu::Power9, 0);
        vcpu.set_msr(msr::SF | msr::PR);
        vcpu.state.cia = 0x1234;
        let mut traps = Traps { turns: 0 };
        // From problem state to the handler, and from there once.
        assert!(matches!(run(&mut traps, &mut vcpu, &context, u64::MAX), Exit::Event));
        assert_eq!((traps.turns, vcpu.state.cia, vcpu.shared.srr0()), (2, 0x700, 0x700));
        let exits = Context { delivers: false, ..context };
        assert!(matches!(run(&mut traps, &mut vcpu, &exits, u64::MAX), Exit::Interrupt(_)));
    }
}
