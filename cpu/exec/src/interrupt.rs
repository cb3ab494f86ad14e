//! Interrupts as values (Power ISA Book III-S and III-E, chapters 6 and 7).

use ppc_mmu::{Access, Fault, fault};

/// SRR1 bits of a program interrupt.
pub mod program {
    /// Floating-point enabled exception.
    pub const FP_ENABLED: u64 = 0x10_0000;
    /// With [`FP_ENABLED`]: SRR0 is the address of the instruction behind the one that caused it.
    pub const SUBSEQUENT: u64 = 0x1_0000;
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
    /// Directed privileged doorbell; processor doorbell of BookE.
    Doorbell,
    /// BookE: critical doorbell.
    CriticalDoorbell,
    /// BookE: critical input.
    CriticalInput,
    /// BookE: fixed-interval timer.
    FixedInterval,
    /// BookE: watchdog timer.
    Watchdog,
    /// BookE: debug.
    Debug,
    /// BookE: no TLB entry for a data access.
    DataTlbMiss {
        /// Address of the access.
        dar: u64,
        /// Status.
        dsisr: u32,
    },
    /// BookE: no TLB entry for an instruction fetch.
    InstructionTlbMiss,
    /// Signal processing engine unavailable.
    SpeUnavailable,
    /// Embedded floating-point data.
    EmbeddedFpData,
    /// Embedded floating-point round.
    EmbeddedFpRound,
    /// Performance monitor.
    PerformanceMonitor,
}

impl Interrupt {
    /// The interrupt that `fault` causes for an access at `address`.
    pub fn of(fault: Fault, access: Access, address: u64) -> Interrupt {
        let store = if access == Access::Store { fault::STORE } else { 0 };
        match (fault, access) {
            (Fault::Segment, Access::Fetch) => Interrupt::InstructionSegment,
            (Fault::Segment, _) => Interrupt::DataSegment { dar: address },
            (Fault::Storage(status), Access::Fetch) => Interrupt::InstructionStorage { status },
            (Fault::Storage(bits), _) => Interrupt::DataStorage { dar: address, dsisr: bits | store },
            (Fault::TlbMiss, Access::Fetch) => Interrupt::InstructionTlbMiss,
            (Fault::TlbMiss, _) => Interrupt::DataTlbMiss { dar: address, dsisr: store },
        }
    }
}

/// Facility numbers of a facility unavailable interrupt.
pub mod facility {
    /// DSCR access from problem state.
    pub const DSCR: u8 = 2;
    /// Branch history.
    pub const BHRB: u8 = 4;
    /// Transactional memory.
    pub const TM: u8 = 5;
    /// Event-based branches.
    pub const EBB: u8 = 7;
    /// TAR.
    pub const TAR: u8 = 8;
    /// System call vectored.
    pub const SCV: u8 = 12;
    /// Prefixed instructions.
    pub const PREFIX: u8 = 13;
}

/// What the asynchronous sources ask for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pending {
    /// The interrupt to deliver now: the most urgent one that the guest lets in.
    pub now: Option<Interrupt>,
    /// MSR bits each of which lets in a source that is up.
    pub gates: u64,
}

impl Pending {
    /// Whether some source is up, let in or not.
    pub fn any(&self) -> bool {
        self.gates != 0
    }
}
