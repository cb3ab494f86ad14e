//! The interface of an engine.

use crate::context::Context;
use crate::exit::Exit;
use crate::vcpu::Vcpu;

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
