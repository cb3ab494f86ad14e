//! Interrupts as values, and their delivery to the guest (Power ISA Book III, chapter 6).

use guest_mem::Order;
use ppc_isa::msr;

use crate::partition::{Ail, PartitionState};
use crate::vcpu::Vcpu;

/// SRR1 bits of a program interrupt.
pub mod program {
    /// Floating-point enabled exception.
    pub const FP_ENABLED: u64 = 0x10_0000;
    /// Illegal instruction.
    pub const ILLEGAL: u64 = 0x8_0000;
    /// Privileged instruction.
    pub const PRIVILEGED: u64 = 0x4_0000;
    /// Trap.
    pub const TRAP: u64 = 0x2_0000;
}

/// An interrupt with the status it reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interrupt {
    /// System reset.
    SystemReset,
    /// Machine check: nothing answered at a real address.
    MachineCheck {
        /// Address of the access.
        dar: u64,
    },
    /// Data storage.
    DataStorage {
        /// Faulting address.
        dar: u64,
        /// Status.
        dsisr: u32,
    },
    /// Data segment.
    DataSegment {
        /// Faulting address.
        dar: u64,
    },
    /// Instruction storage, with its SRR1 bits.
    InstructionStorage {
        /// Status bits for SRR1.
        status: u32,
    },
    /// Instruction segment.
    InstructionSegment,
    /// External.
    External,
    /// Alignment.
    Alignment {
        /// Address of the access.
        dar: u64,
        /// Status.
        dsisr: u32,
    },
    /// Program, with its SRR1 bit, see [`program`].
    Program(u64),
    /// Floating point unavailable.
    FpUnavailable,
    /// Decrementer.
    Decrementer,
    /// System call.
    SystemCall,
    /// Trace.
    Trace,
    /// AltiVec unavailable.
    VectorUnavailable,
    /// VSX unavailable.
    VsxUnavailable,
    /// Facility unavailable; the facility's number goes to `FSCR[0:7]`.
    FacilityUnavailable(u8),
    /// System call vectored, level 0 to 127.
    SystemCallVectored(u8),
    /// Directed privileged doorbell.
    Doorbell,
}

/// Facility numbers of a facility unavailable interrupt.
pub mod facility {
    /// DSCR access from problem state.
    pub const DSCR: u8 = 2;
    /// Branch history.
    pub const BHRB: u8 = 4;
    /// Event-based branches.
    pub const EBB: u8 = 7;
    /// TAR.
    pub const TAR: u8 = 8;
    /// System call vectored.
    pub const SCV: u8 = 12;
}

/// SRR1 bits that carry status instead of MSR bits.
const SRR1_STATUS: u64 = 0x783f_0000;

impl Interrupt {
    /// Vector offset.
    pub fn vector(self) -> u64 {
        match self {
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
            Interrupt::SystemCallVectored(level) => 0x17000 + 0x20 * u64::from(level),
        }
    }

    fn srr1_status(self) -> u64 {
        match self {
            Interrupt::InstructionStorage { status } => u64::from(status),
            // Reported as a load or store error in the processor's own terms; DAR holds the address.
            Interrupt::MachineCheck { .. } => 0x20_0000,
            Interrupt::Program(bit) => bit,
            _ => 0,
        }
    }
}

/// Delivers `interrupt`: `vcpu.state.cia` is what SRR0 (or LR for `scv`) shall hold, and the vector afterwards.
pub fn deliver(vcpu: &mut Vcpu, partition: &PartitionState, interrupt: Interrupt) {
    let old = vcpu.shared.msr();
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
    let mut vector = interrupt.vector();
    let state = &mut vcpu.state;
    if let Interrupt::SystemCallVectored(level) = interrupt {
        state.lr = state.cia;
        state.ctr = old & !SRR1_STATUS;
        new |= old & (msr::EE | msr::RI);
        if high {
            vector = 0xc000_0000_0000_3000 + 0x20 * u64::from(level);
        }
    } else {
        vcpu.shared.set_srr0(state.cia);
        vcpu.shared.set_srr1((old & !SRR1_STATUS) | interrupt.srr1_status());
        if high {
            vector += 0xc000_0000_0000_4000;
        }
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
