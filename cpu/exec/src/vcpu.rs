//! A vCPU as engines and hypervisor see it.

use ppc_isa::{Cpu, msr};

use crate::mode::{self, Mode};
use crate::shared::SharedPage;
use crate::state::VcpuState;

/// Registers and shared page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vcpu {
    /// Registers outside the page.
    pub state: VcpuState,
    /// Registers inside it.
    pub shared: SharedPage,
}

impl Vcpu {
    /// A vCPU after reset: real mode, 64-bit, big-endian, at address 0.
    pub fn new(cpu: Cpu, pir: u32) -> Vcpu {
        let mut vcpu = Vcpu { state: VcpuState::new(cpu, pir), shared: SharedPage::default() };
        vcpu.shared.set_pir(pir);
        vcpu.set_msr(msr::SF | msr::ME);
        vcpu
    }

    /// The full effect of a write to the MSR: HV hidden, ME forced, transactions absent, mode derived again.
    pub fn set_msr(&mut self, value: u64) {
        let value = (value & !(msr::HV | msr::TM | msr::TS | msr::POW)) | msr::ME;
        // Problem state implies external interrupts and relocation (Power ISA Book III, section 3.2.1).
        let value = if value & msr::PR != 0 { value | msr::EE | msr::IR | msr::DR } else { value };
        self.shared.set_msr(value);
        self.derive_mode();
    }

    /// Replaces EE and RI only.
    pub fn set_msr_ee_ri(&mut self, value: u64) {
        let safe = msr::EE | msr::RI;
        let msr = self.shared.msr();
        self.shared.set_msr((msr & !safe) | (value & safe));
    }

    /// Derives the mode word and the available units from MSR and FSCR.
    pub fn derive_mode(&mut self) {
        let msr = self.shared.msr();
        self.state.mode = Mode::of(msr);
        self.state.unavailable = mode::unavailable(msr, self.state.fscr);
    }

    /// Whether the guest is inside a critical section of the paravirtual interface.
    pub fn critical(&self) -> bool {
        let mask = if self.state.mode.sixty_four() { u64::MAX } else { 0xffff_ffff };
        let r1 = self.state.gpr[1];
        self.shared.mapped().is_some() && !self.state.mode.problem() && (self.shared.critical() ^ r1) & mask == 0
    }
}
