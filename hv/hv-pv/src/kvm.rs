//! KVM's own hypercalls, and the way in for all that use its convention.

use exec::Instruction;
use hv_core::{Interface, Next, Visit};
use ppc_mmu::Invalidation;
use pv_abi::epapr::Status;
use pv_abi::{kvm, magic};

use crate::answer::{Answer, Checked, Parameters};
use crate::epapr;

/// KVM's hypercalls: `sc` from privileged state with "KVM!" in r0.
///
/// r3 and r4 are written by every call, r4 = 0 unless it returns something; SRR0, SRR1 and MSR stay as they are
/// (spec ppc-pv 1.4, 2).
pub struct Kvm {
    /// Answers KVM's own calls.
    pub kvm: bool,
    /// Answers ePAPR's calls, with these devices.
    pub epapr: Option<epapr::Ports>,
}

impl Kvm {
    fn answer(&self, visit: &mut Visit, token: u32, parameters: &Parameters) -> (&'static str, Checked) {
        match token {
            kvm::FEATURES if self.kvm => {
                let answer = Answer { next: Next::Resume, ..Answer::outputs([kvm::FEATURE_MAGIC_PAGE]) };
                ("FEATURES", Ok(answer))
            }
            kvm::MAP_MAGIC_PAGE if self.kvm => ("MAP_MAGIC_PAGE", Ok(map_magic_page(visit, parameters))),
            _ => {
                let call = self.epapr.as_ref().and_then(|ports| Some((ports, epapr::find(token)?)));
                let Some((ports, call)) = call else { return ("unknown", Err(Status::Unimplemented)) };
                (call.name, (call.handler)(ports, visit, parameters))
            }
        }
    }
}

impl Interface for Kvm {
    fn system_call(&self, visit: &mut Visit, insn: &Instruction) -> Option<Next> {
        let state = &mut visit.vcpu.state;
        if state.gpr[0] as u32 != kvm::MAGIC || state.mode.problem() {
            return None;
        }
        state.cia = state.effective(insn.address.wrapping_add(u64::from(insn.len)));
        let mut parameters = Parameters::default();
        for (parameter, &register) in parameters.iter_mut().zip(state.gpr.iter().skip(3)) {
            *parameter = state.effective(register);
        }
        let token = state.gpr[11] as u32;
        let (name, answer) = self.answer(visit, token, &parameters);
        visit.counts.hypercall("kvm", name);
        let answer = answer.unwrap_or_else(Answer::status);
        let gpr = &mut visit.vcpu.state.gpr;
        gpr[3] = answer.status as u64;
        gpr[4] = 0;
        for (register, output) in gpr.iter_mut().skip(4).zip(answer.outputs) {
            *register = output;
        }
        Some(answer.next)
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
        state.gpr[3] = Status::Unimplemented as u64;
        state.cia = state.effective(state.cia.wrapping_add(8));
        Some(Next::Run)
    }
}

/// Maps the page of the calling vCPU and fixes its byte order: that of interrupt handlers. Translations of the old
/// and the new place are forgotten. Returns the page features.
///
/// A guest that does not say that its trampolines are executable gets rid of no-execute protection for its privileged
/// state, for good (spec ppc-pv 2.4).
fn map_magic_page(visit: &mut Visit, &[real, effective, ..]: &Parameters) -> Answer {
    let order = visit.context.partition.interrupt_order();
    visit.vcpu.shared.map(real, effective, order);
    if effective & magic::FLAG_NOT_MAPPED_NX == 0 {
        visit.vcpu.state.ignore_no_execute = true;
    }
    visit.context.requests.invalidate(Invalidation::All);
    Answer::outputs([magic::FEATURE_SR | magic::FEATURE_MAS0_TO_SPRG7])
}
