//! Delivery on Book3S-32 (The Programming Environments for 32-Bit Microprocessors, chapter 6).

use ppc_isa::msr;
use ppc_mmu::book3s32::{SR_KP, SR_KS, SR_VSID};
use ppc_mmu::{Access, fault};

use crate::interrupt::Interrupt;
use crate::vcpu::Vcpu;

/// SRR1 bits that carry status instead of MSR bits.
const SRR1_STATUS: u64 = 0x783f_0000;
/// All of them that a TLB miss sets or clears.
const UPPER: u64 = 0xffff_0000;
/// MSR bits that an interrupt leaves alone. Everything else is cleared.
const KEPT: u64 = msr::ME | msr::IP;
/// Base of the vectors with `MSR[IP]` set.
const HIGH_VECTORS: u64 = 0xfff0_0000;
/// SRR1 bit of a machine check: the bus answered with an error (MPC750 user's manual, section 4.5.2).
const TRANSFER_ERROR: u64 = 0x4_0000;
/// SRR1 bits that an instruction storage interrupt may set.
const ISI_STATUS: u32 = 0x5800_0000;

/// Vector offset of `interrupt`; those of other families count as machine checks.
fn vector(interrupt: Interrupt) -> u64 {
    match interrupt {
        Interrupt::SystemReset => 0x100,
        Interrupt::DataStorage { .. } => 0x300,
        Interrupt::InstructionStorage { .. } => 0x400,
        Interrupt::External => 0x500,
        Interrupt::Alignment { .. } => 0x600,
        Interrupt::Program(_) => 0x700,
        Interrupt::FpUnavailable => 0x800,
        Interrupt::Decrementer => 0x900,
        Interrupt::SystemCall => 0xc00,
        Interrupt::Trace => 0xd00,
        Interrupt::PerformanceMonitor => 0xf00,
        Interrupt::VectorUnavailable => 0xf20,
        Interrupt::InstructionTlbMiss => 0x1000,
        Interrupt::DataTlbMiss { dsisr, .. } if dsisr & fault::STORE == 0 => 0x1100,
        Interrupt::DataTlbMiss { .. } => 0x1200,
        _ => 0x200,
    }
}

/// DSISR of an alignment interrupt: what a handler needs to know of the instruction `word` to carry it out (section
/// 6.4.6.1, table 6-11).
pub fn alignment_status(word: u32) -> u32 {
    let opcode = match word >> 26 {
        31 => (word & 0x6) << 14 | (word & 0x40) << 8 | (word & 0x780) << 3,
        _ => (word & 0x0400_0000) >> 12 | (word & 0x7800_0000) >> 17,
    };
    opcode | word >> 16 & 0x3ff
}

/// Delivers `interrupt`: `vcpu.state.cia` is what SRR0 shall hold, and the vector afterwards.
pub fn deliver(vcpu: &mut Vcpu, interrupt: Interrupt) {
    let old = vcpu.shared.msr();
    let (mut status, mut kept, mut upper, mut set) = (0, KEPT, SRR1_STATUS, 0);
    match interrupt {
        Interrupt::InstructionStorage { status: bits } => status = u64::from(bits & ISI_STATUS),
        Interrupt::Program(bit) => status = bit,
        Interrupt::MachineCheck { .. } => {
            status = TRANSFER_ERROR;
            kept &= !msr::ME;
        }
        Interrupt::DataStorage { dar, dsisr } | Interrupt::Alignment { dar, dsisr } => {
            vcpu.shared.set_dar(dar);
            vcpu.shared.set_dsisr(dsisr);
        }
        Interrupt::InstructionTlbMiss => {
            (status, upper, set) = (missed(vcpu, Access::Fetch, vcpu.state.cia), UPPER, msr::TGPR);
        }
        Interrupt::DataTlbMiss { dar, dsisr } => {
            let access = if dsisr & fault::STORE == 0 { Access::Load } else { Access::Store };
            (status, upper, set) = (missed(vcpu, access, dar), UPPER, msr::TGPR);
        }
        Interrupt::Decrementer => vcpu.state.book3s32.decrementer_latched = false,
        _ => {}
    }
    vcpu.shared.set_srr0(vcpu.state.cia);
    vcpu.shared.set_srr1(old & !upper | status);
    let base = if old & msr::IP != 0 { HIGH_VECTORS } else { 0 };
    vcpu.state.cia = base + vector(interrupt);
    vcpu.set_msr(old & kept | set);
}

/// What SRR1 says of an access at `ea` that software is to search for: CR field 0, the key, whether it was a fetch, the
/// way to be replaced, whether it was a store (MPC603e RISC Microprocessor User's Manual, section 4.5.13).
fn missed(vcpu: &mut Vcpu, access: Access, ea: u64) -> u64 {
    let (fetch, ea) = (access == Access::Fetch, ea as u32);
    let problem = vcpu.shared.msr() & msr::PR != 0;
    let field = vcpu.state.cr.first().copied().unwrap_or(0);
    let own = &mut vcpu.state.book3s32;
    let segment = own.missed(fetch, ea);
    let key = segment & if problem { SR_KP } else { SR_KS } != 0;
    // The entry of a page that was not stored to before is there, and to be replaced.
    let there = own.tlb.find(access, segment & SR_VSID, ea).map(|(way, _)| way);
    let way = there.unwrap_or_else(|| own.tlb.next(fetch, ea)) as u64;
    let bit = |value: bool, shift: u32| u64::from(value) << shift;
    u64::from(field & 15) << 28 | bit(key, 19) | bit(fetch, 18) | way << 17 | bit(access == Access::Store, 16)
}
