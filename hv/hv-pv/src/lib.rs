//! Host side of the KVM paravirtual interface: KVM and ePAPR hypercalls, the magic page.
//!
//! Does not know PAPR, devices or machines.
#![forbid(unsafe_code)]
#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing))]

use exec::Instruction;
use hv_core::{Interface, Next, Visit};
use ppc_mmu::Invalidation;
use pv_abi::{epapr, kvm, magic};

/// KVM's hypercalls: `sc` from privileged state with "KVM!" in r0.
///
/// r3 and r4 are written by every call, r4 = 0 unless it returns something; SRR0, SRR1 and MSR stay as they are
/// (spec ppc-pv 1.4, 2).
#[derive(Clone, Copy, Debug)]
pub struct Kvm {
    /// Answers KVM's own calls.
    pub kvm: bool,
    /// Answers ePAPR's calls.
    pub epapr: bool,
}

impl Interface for Kvm {
    fn system_call(&self, visit: &mut Visit, insn: &Instruction) -> Option<Next> {
        let state = &mut visit.vcpu.state;
        if state.gpr[0] as u32 != kvm::MAGIC || state.mode.problem() {
            return None;
        }
        state.cia = insn.address.wrapping_add(u64::from(insn.len));
        let token = state.gpr[11] as u32;
        let (param1, param2) = (state.effective(state.gpr[3]), state.effective(state.gpr[4]));
        let (name, status, output, next) = match token {
            kvm::FEATURES if self.kvm => ("FEATURES", epapr::EV_SUCCESS, kvm::FEATURE_MAGIC_PAGE, Next::Run),
            kvm::MAP_MAGIC_PAGE if self.kvm => {
                ("MAP_MAGIC_PAGE", epapr::EV_SUCCESS, map_magic_page(visit, param1, param2), Next::Run)
            }
            epapr::IDLE if self.epapr => ("EV_IDLE", epapr::EV_SUCCESS, 0, Next::Wait),
            _ => ("unknown", epapr::EV_UNIMPLEMENTED, 0, Next::Run),
        };
        visit.counts.hypercall("kvm", name);
        let state = &mut visit.vcpu.state;
        state.gpr[3] = status;
        state.gpr[4] = output;
        Some(next)
    }

    /// Old little-endian kernels wrote the device tree's words unswapped; their `sc` is then an illegal word
    /// (spec ppc-pv 1.5). Answered with "unimplemented", and the equally swapped `nop` behind it is skipped.
    fn illegal(&self, visit: &mut Visit, word: u32) -> Option<Next> {
        const SWAPPED_SC: u32 = 0x0200_0044;
        let mode = visit.vcpu.state.mode;
        if word != SWAPPED_SC || !mode.little() || mode.problem() {
            return None;
        }
        visit.counts.hypercall("kvm", "early little-endian");
        let state = &mut visit.vcpu.state;
        state.gpr[3] = epapr::EV_UNIMPLEMENTED;
        state.cia = state.effective(state.cia.wrapping_add(8));
        Some(Next::Run)
    }
}

/// Maps the page of the calling vCPU and fixes its byte order: that of interrupt handlers. Translations of the old
/// and the new place are forgotten. Returns the page features.
fn map_magic_page(visit: &mut Visit, real: u64, effective: u64) -> u64 {
    let order = visit.context.partition.interrupt_order();
    visit.vcpu.shared.map(real, effective, order);
    visit.context.requests.invalidate(Invalidation::All);
    magic::FEATURE_SR | magic::FEATURE_MAS0_TO_SPRG7
}
