//! Delivery on BookE (Power ISA Book III-E, chapter 7).

use ppc_isa::cpu::Unit;
use ppc_isa::row::fact;
use ppc_isa::{Cpu, Row, msr};
use ppc_mmu::fault;

use crate::context::{Context, Lines};
use crate::interrupt::{Interrupt, Pending, program};
use crate::request;
use crate::state::booke::INSTRUCTION_COMPLETE;
use crate::timebase;
use crate::timer::booke::tsr;
use crate::vcpu::Vcpu;

/// Exception syndrome register bits.
pub mod esr {
    /// Illegal instruction.
    pub const PIL: u32 = 0x0800_0000;
    /// Privileged instruction.
    pub const PPR: u32 = 0x0400_0000;
    /// Trap.
    pub const PTR: u32 = 0x0200_0000;
    /// Floating-point operation.
    pub const FP: u32 = 0x0100_0000;
    /// Imprecise: SRR0 is behind the cause.
    pub const PIE: u32 = 0x0001_0000;
    /// Store.
    pub const ST: u32 = 0x0080_0000;
    /// Data cache locking.
    pub const DLK: u32 = 0x0020_0000;
    /// Instruction cache locking.
    pub const ILK: u32 = 0x0010_0000;
    /// Byte order.
    pub const BO: u32 = ppc_mmu::fault::BYTE_ORDER;
    /// Signal processing engine or AltiVec.
    pub const SPV: u32 = 0x80;
    /// External process ID.
    pub const EPID: u32 = 0x40;
}

/// What a storage or alignment interrupt tells of the instruction besides the access.
const ATTRIBUTES: u32 = esr::FP | esr::DLK | esr::ILK | esr::BO | esr::SPV | esr::EPID;

/// DBSR bits of debug events.
const DEBUG_EVENTS: u64 = 0x0fff_8060;

/// Machine check: the address was saved.
const MCSR_MAV: u64 = 0x8_0000;
/// Machine check: it is an effective address.
const MCSR_MEA: u64 = 0x4_0000;
/// Machine check: error of a load or store.
const MCSR_LD: u64 = 0x8000;
/// Machine check of e500v2: nothing answered on the bus.
const MCSR_BUS_RAERR: u64 = 0x40;

/// The pairs of save and restore registers.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Level {
    Base,
    Critical,
    Debug,
    MachineCheck,
}

/// Level and number of the vector; interrupts of other families count as machine checks.
fn vector(cpu: Cpu, interrupt: Interrupt) -> (Level, u16) {
    match interrupt {
        Interrupt::CriticalInput => (Level::Critical, 0),
        Interrupt::DataStorage { .. } => (Level::Base, 2),
        Interrupt::InstructionStorage { .. } => (Level::Base, 3),
        Interrupt::External => (Level::Base, 4),
        Interrupt::Alignment { .. } => (Level::Base, 5),
        Interrupt::Program(_) => (Level::Base, 6),
        Interrupt::FpUnavailable => (Level::Base, 7),
        Interrupt::SystemCall => (Level::Base, 8),
        Interrupt::Decrementer => (Level::Base, 10),
        Interrupt::FixedInterval => (Level::Base, 11),
        Interrupt::Watchdog => (Level::Critical, 12),
        Interrupt::DataTlbMiss { .. } => (Level::Base, 13),
        Interrupt::InstructionTlbMiss => (Level::Base, 14),
        // e500v2 has no registers of its own for debug interrupts.
        Interrupt::Debug | Interrupt::Trace if cpu == Cpu::E500v2 => (Level::Critical, 15),
        Interrupt::Debug | Interrupt::Trace => (Level::Debug, 15),
        Interrupt::SpeUnavailable | Interrupt::VectorUnavailable => (Level::Base, 32),
        Interrupt::EmbeddedFpData => (Level::Base, 33),
        Interrupt::EmbeddedFpRound => (Level::Base, 34),
        Interrupt::PerformanceMonitor => (Level::Base, 35),
        Interrupt::Doorbell => (Level::Base, 36),
        Interrupt::CriticalDoorbell => (Level::Critical, 37),
        _ => (Level::MachineCheck, 1),
    }
}

/// `interrupt`, caused by an instruction of `row`: a storage or alignment interrupt tells whether that is of floating
/// point or a vector instruction, and if it wants an alignment, whether it stores (Power ISA Book III-E, section 7.2.13).
pub fn attributed(interrupt: Interrupt, row: &Row) -> Interrupt {
    let unit = match row.unit {
        Unit::Fp => esr::FP,
        Unit::Spe | Unit::Vmx => esr::SPV,
        _ => 0,
    };
    let store = if row.is(fact::STORE) { fault::STORE } else { 0 };
    match interrupt {
        Interrupt::DataStorage { dar, dsisr } => Interrupt::DataStorage { dar, dsisr: dsisr | unit },
        Interrupt::DataTlbMiss { dar, dsisr } => Interrupt::DataTlbMiss { dar, dsisr: dsisr | unit },
        Interrupt::Alignment { dar, dsisr } => Interrupt::Alignment { dar, dsisr: dsisr | unit | store },
        other => other,
    }
}

/// An enabled exception that a write to the MSR let in.
const LATE: u64 = program::FP_ENABLED | program::SUBSEQUENT;

/// What the interrupt leaves in ESR, if it writes it.
fn syndrome(interrupt: Interrupt) -> Option<u32> {
    let stored = |store: bool| if store { esr::ST } else { 0 };
    Some(match interrupt {
        Interrupt::DataStorage { dsisr, .. }
        | Interrupt::Alignment { dsisr, .. }
        | Interrupt::DataTlbMiss { dsisr, .. } => stored(dsisr & fault::STORE != 0) | dsisr & ATTRIBUTES,
        Interrupt::InstructionStorage { .. } => 0,
        Interrupt::Program(program::FP_ENABLED) => esr::FP,
        Interrupt::Program(LATE) => esr::FP | esr::PIE,
        Interrupt::Program(program::PRIVILEGED) => esr::PPR,
        Interrupt::Program(program::TRAP) => esr::PTR,
        Interrupt::Program(_) => esr::PIL,
        Interrupt::SpeUnavailable
        | Interrupt::VectorUnavailable
        | Interrupt::EmbeddedFpData
        | Interrupt::EmbeddedFpRound => esr::SPV,
        _ => return None,
    })
}

/// Delivers `interrupt`.
pub fn deliver(vcpu: &mut Vcpu, interrupt: Interrupt) {
    let old = vcpu.shared.msr();
    let critical = vcpu.critical();
    if let Some(value) = syndrome(interrupt) {
        vcpu.shared.set_esr(value);
    }
    match interrupt {
        Interrupt::DataStorage { dar, .. } | Interrupt::Alignment { dar, .. } => vcpu.shared.set_dar(dar),
        Interrupt::DataTlbMiss { dar, dsisr } if dsisr & esr::EPID != 0 => {
            vcpu.shared.set_dar(dar);
            let other = vcpu.state.booke.external(dsisr & fault::STORE != 0);
            assist(vcpu, [other.pid; 3], other.space, dar);
        }
        Interrupt::DataTlbMiss { dar, .. } => {
            vcpu.shared.set_dar(dar);
            assist(vcpu, pids(vcpu), old & msr::DS != 0, dar);
        }
        Interrupt::InstructionTlbMiss => assist(vcpu, pids(vcpu), old & msr::IS != 0, vcpu.state.cia),
        Interrupt::MachineCheck { dar } => {
            let booke = &mut vcpu.state.booke;
            let status = if vcpu.state.cpu == Cpu::E500v2 { MCSR_BUS_RAERR } else { MCSR_MAV | MCSR_MEA | MCSR_LD };
            booke.set_mcsr(booke.mcsr() | status);
            booke.set_mcar(dar);
            booke.machine_check = old & msr::ME == 0 || critical;
            if booke.machine_check {
                // A bus error is not precise: the access is done with, the interrupt comes when it is let in.
                vcpu.state.cia = vcpu.state.effective(vcpu.state.cia.wrapping_add(4));
                return;
            }
        }
        Interrupt::Trace => {
            let booke = &mut vcpu.state.booke;
            booke.set_dbsr(booke.dbsr() | INSTRUCTION_COMPLETE);
            if old & msr::DE == 0 || critical {
                return;
            }
        }
        Interrupt::Doorbell => vcpu.state.booke.doorbells &= !request::DOORBELL,
        Interrupt::CriticalDoorbell => vcpu.state.booke.doorbells &= !request::CRITICAL_DOORBELL,
        _ => {}
    }

    let (level, number) = vector(vcpu.state.cpu, interrupt);
    let cia = vcpu.state.cia;
    let booke = &mut vcpu.state.booke;
    let kept = match level {
        Level::Base => {
            vcpu.shared.set_srr0(cia);
            vcpu.shared.set_srr1(old);
            msr::CE | msr::ME | msr::DE
        }
        Level::Critical => {
            booke.set_csrr0(cia);
            booke.set_csrr1(old);
            msr::ME
        }
        Level::Debug => {
            booke.set_dsrr0(cia);
            booke.set_dsrr1(old);
            msr::ME
        }
        Level::MachineCheck => {
            booke.set_mcsrr0(cia);
            booke.set_mcsrr1(old);
            0
        }
    };
    let new = old & kept | booke.interrupt_msr();
    let target = booke.vector(number);
    vcpu.set_msr(new);
    vcpu.state.cia = vcpu.state.effective(target);
}

fn pids(vcpu: &Vcpu) -> [u32; 3] {
    let [pid1, pid2] = vcpu.state.booke.pids;
    [vcpu.state.pid, pid1, pid2]
}

/// Prepares the assist registers for writing the entry that was missing.
fn assist(vcpu: &mut Vcpu, pids: [u32; 3], space: bool, address: u64) {
    let mut assist = vcpu.shared.assist();
    vcpu.state.booke.tlb.missed(&mut assist, pids, space, address);
    vcpu.shared.set_assist(&assist);
}

/// Looks at external inputs, timers and what waits inside the processor, the most urgent first (spec ppc-pv 5.4).
pub fn pending(vcpu: &mut Vcpu, context: &Context, lines: &dyn Lines) -> Pending {
    let rang = context.requests.take(request::DOORBELL | request::CRITICAL_DOORBELL);
    vcpu.state.booke.doorbells |= rang;
    let state = &vcpu.state;
    let booke = &state.booke;
    let timers = booke.timers.at(timebase::timebase(state, context)).pending();
    let debug = booke.debugs() && booke.dbsr() & DEBUG_EVENTS != 0;
    let sources = [
        (booke.machine_check, msr::ME, Interrupt::MachineCheck { dar: booke.mcar() }),
        (debug, msr::DE, Interrupt::Debug),
        (lines.critical(state.pir), msr::CE, Interrupt::CriticalInput),
        (timers & tsr::WIS != 0, msr::CE, Interrupt::Watchdog),
        (lines.external(state.pir), msr::EE, Interrupt::External),
        (timers & tsr::FIS != 0, msr::EE, Interrupt::FixedInterval),
        (timers & tsr::DIS != 0, msr::EE, Interrupt::Decrementer),
        (booke.doorbells & request::DOORBELL != 0, msr::EE, Interrupt::Doorbell),
        (booke.doorbells & request::CRITICAL_DOORBELL != 0, msr::CE, Interrupt::CriticalDoorbell),
    ];
    let open = if vcpu.critical() { 0 } else { vcpu.shared.msr() };
    let now = sources.iter().find(|(up, gate, _)| *up && open & gate != 0).map(|source| source.2);
    Pending { now, gates: sources.iter().filter(|source| source.0).fold(0, |gates, source| gates | source.1) }
}
