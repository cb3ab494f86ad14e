//! Which interrupt is due, and its delivery to the guest, by family.

use ppc_isa::cpu::Family;
use ppc_isa::msr;

use crate::context::{Context, Lines};
use crate::interrupt::{Interrupt, Pending};
use crate::partition::PartitionState;
use crate::timer;
use crate::vcpu::Vcpu;

pub mod book3s32;
pub mod book3s64;
pub mod booke;

/// Delivers `interrupt`: `vcpu.state.cia` is what SRR0 (or LR for `scv`) shall hold, and the vector afterwards.
pub fn deliver(vcpu: &mut Vcpu, partition: &PartitionState, interrupt: Interrupt) {
    match vcpu.state.cpu.family() {
        Family::Book3s64 => book3s64::deliver(vcpu, partition, interrupt),
        Family::Book3s32 => book3s32::deliver(vcpu, interrupt),
        Family::BookE => booke::deliver(vcpu, interrupt),
    }
}

/// Looks at external inputs and timers.
pub fn pending(vcpu: &mut Vcpu, context: &Context, lines: &dyn Lines) -> Pending {
    let family = vcpu.state.cpu.family();
    if family == Family::Book3s32 {
        timer::book3s32::latch(&mut vcpu.state, context);
    }
    match family {
        Family::BookE => booke::pending(vcpu, context, lines),
        Family::Book3s64 | Family::Book3s32 => {
            let external = lines.external(vcpu.state.pir);
            let any = external || timer::decrementer_pending(&vcpu.state, context);
            let gates = if any { msr::EE } else { 0 };
            let open = vcpu.shared.msr() & gates != 0 && !vcpu.critical();
            let interrupt = if external { Interrupt::External } else { Interrupt::Decrementer };
            Pending { now: open.then_some(interrupt), gates }
        }
    }
}
