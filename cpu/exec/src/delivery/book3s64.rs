//! Delivery on Book3S-64 (Power ISA Book III-S, chapter 6).

use guest_mem::Order;
use ppc_isa::msr;

use crate::interrupt::Interrupt;
use crate::partition::{Ail, PartitionState};
use crate::vcpu::Vcpu;

/// SRR1 bits that carry status instead of MSR bits.
pub const SRR1_STATUS: u64 = 0x783f_0000;

/// Vector offset of `interrupt`; those of other families count as machine checks.
fn vector(interrupt: Interrupt) -> u64 {
    match interrupt {
        Interrupt::SystemReset => 0x100,
        Interrupt::MachineCheck { .. } => 0x200,
        Interrupt::DataStorage { .. } => 0x300,
        Interrupt::DataSegment { .. } => 0x380,
        Interrupt::InstructionStorage { .. } => 0x400,
        Interrupt::InstructionSegment => 0x480,
        Interrupt::External => 0x500,
        Interrupt::Alignment { .. } => 0x600,
        Interrupt::Program(_) => 0x700,
        Interrupt::FpUnavailable => 0x800,
        Interrupt::Decrementer => 0x900,
        Interrupt::Doorbell => 0xa00,
        Interrupt::SystemCall => 0xc00,
        Interrupt::Trace => 0xd00,
        Interrupt::VectorUnavailable => 0xf20,
        Interrupt::VsxUnavailable => 0xf40,
        Interrupt::FacilityUnavailable(_) => 0xf60,
        _ => 0x200,
    }
}

fn srr1_status(interrupt: Interrupt) -> u64 {
    match interrupt {
        Interrupt::InstructionStorage { status } => u64::from(status),
        // Reported as a load or store error in the processor's own terms; DAR holds the address.
        Interrupt::MachineCheck { .. } => 0x20_0000,
        Interrupt::Program(bit) => bit,
        _ => 0,
    }
}

/// Where `interrupt` leads from a state with MSR `old`, and the MSR there.
pub fn landing(partition: &PartitionState, old: u64, interrupt: Interrupt) -> (u64, u64) {
    let relocated = old & (msr::IR | msr::DR) == msr::IR | msr::DR;
    let unconditional = matches!(interrupt, Interrupt::SystemReset | Interrupt::MachineCheck { .. });
    let high = partition.ail() == Ail::High && relocated && !unconditional;
    let mut new = msr::SF | msr::ME;
    if partition.interrupt_order() == Order::Little {
        new |= msr::LE;
    }
    if high {
        new |= msr::IR | msr::DR;
    }
    let vector = match interrupt {
        Interrupt::SystemCallVectored(level) => {
            new |= old & (msr::EE | msr::RI);
            0x20 * u64::from(level) + if high { 0xc000_0000_0000_3000 } else { 0x17000 }
        }
        _ => vector(interrupt) + if high { 0xc000_0000_0000_4000 } else { 0 },
    };
    (vector, new)
}

/// Delivers `interrupt`: `vcpu.state.cia` is what SRR0 (or LR for `scv`) shall hold, and the vector afterwards.
pub fn deliver(vcpu: &mut Vcpu, partition: &PartitionState, interrupt: Interrupt) {
    let old = vcpu.shared.msr();
    let (vector, new) = landing(partition, old, interrupt);
    let state = &mut vcpu.state;
    let prefix = u64::from(std::mem::take(&mut state.prefix_status));
    if matches!(interrupt, Interrupt::SystemCallVectored(_)) {
        state.lr = state.cia;
        state.ctr = old & !SRR1_STATUS;
    } else {
        vcpu.shared.set_srr0(state.cia);
        vcpu.shared.set_srr1((old & !SRR1_STATUS) | srr1_status(interrupt) | prefix);
    }
    match interrupt {
        Interrupt::DataStorage { dar, dsisr } | Interrupt::Alignment { dar, dsisr } => {
            vcpu.shared.set_dar(dar);
            vcpu.shared.set_dsisr(dsisr);
        }
        Interrupt::DataSegment { dar } => vcpu.shared.set_dar(dar),
        Interrupt::MachineCheck { dar } => {
            vcpu.shared.set_dar(dar);
            vcpu.shared.set_dsisr(0);
        }
        Interrupt::FacilityUnavailable(number) => {
            state.fscr = (state.fscr & (u64::MAX >> 8)) | u64::from(number) << 56;
        }
        _ => {}
    }
    state.cia = vector;
    vcpu.set_msr(new);
}
