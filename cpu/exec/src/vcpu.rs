//! A vCPU as engines and hypervisor see it.

use ppc_isa::cpu::{ALTIVEC, Family};
use ppc_isa::{Cpu, msr};

use crate::mode::{self, Mode};
use crate::shared::SharedPage;
use crate::state::VcpuState;

/// MSR bits of Book3S-32 without AltiVec; POW is never seen.
const CLASSIC_MSR: u64 = msr::EE
    | msr::PR
    | msr::FP
    | msr::ME
    | msr::FE0
    | msr::SE
    | msr::BE
    | msr::FE1
    | msr::IP
    | msr::IR
    | msr::DR
    | msr::PMM
    | msr::RI;

/// Bits of the MSR that a write keeps; on Book3S-64 it does more than that.
pub fn kept_msr(cpu: Cpu) -> u64 {
    match cpu.family() {
        Family::Book3s64 => !msr::POW,
        Family::Book3s32 if ALTIVEC.contains(cpu) => CLASSIC_MSR | msr::VEC,
        Family::Book3s32 if cpu == Cpu::Ppc603 => CLASSIC_MSR | msr::TGPR,
        Family::Book3s32 => CLASSIC_MSR,
        Family::BookE => msr::booke(cpu),
    }
}

/// Registers and shared page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vcpu {
    /// Registers outside the page.
    pub state: VcpuState,
    /// Registers inside it.
    pub shared: SharedPage,
}

impl Vcpu {
    /// A vCPU after reset: relocation off, big-endian, in the widest mode, at address 0.
    pub fn new(cpu: Cpu, pir: u32) -> Vcpu {
        let mut vcpu = Vcpu { state: VcpuState::new(cpu, pir), shared: SharedPage::default() };
        vcpu.shared.set_pir(pir);
        if cpu.family() == Family::Book3s32 {
            vcpu.state.decrementer = 1 << 32;
        }
        vcpu.set_msr(match cpu.family() {
            Family::Book3s64 => msr::SF | msr::ME,
            Family::Book3s32 => msr::ME,
            Family::BookE => 0,
        });
        vcpu
    }

    /// The full effect of a write to the MSR: what the model has no bit for is dropped, the mode is derived again.
    ///
    /// Book3S-64: HV hidden, ME forced, transactions absent; problem state implies external interrupts and relocation
    /// (Power ISA Book III-S, section 3.2.1). Book3S-32: little-endian mode, which changes addresses and not the order
    /// of bytes, is not offered. BookE: 32 bits.
    ///
    /// POW (WE on BookE) stops the processor until something is pending, and is never seen set.
    pub fn set_msr(&mut self, value: u64) {
        self.state.waiting = value & msr::POW != 0;
        let value = match self.state.cpu.family() {
            Family::Book3s64 => {
                let implied = if value & msr::PR != 0 { msr::EE | msr::IR | msr::DR } else { 0 };
                (value & !(msr::HV | msr::TM | msr::TS | msr::POW)) | msr::ME | implied
            }
            Family::Book3s32 | Family::BookE => {
                let VcpuState { gpr, book3s32, cpu, .. } = &mut self.state;
                if *cpu == Cpu::Ppc603 {
                    book3s32.use_temporary(value & msr::TGPR != 0, gpr);
                }
                value & kept_msr(*cpu)
            }
        };
        self.shared.set_msr(value);
        self.derive_mode();
    }

    /// Returns from an interrupt: to `target`, which loses its low two bits, with `msr`.
    pub fn return_to(&mut self, target: u64, msr: u64) {
        self.set_msr(msr);
        self.state.cia = self.state.effective(target & !3);
    }

    /// Replaces EE and RI only.
    pub fn set_msr_ee_ri(&mut self, value: u64) {
        let safe = msr::EE | msr::RI;
        let msr = self.shared.msr();
        self.shared.set_msr((msr & !safe) | (value & safe));
    }

    /// Sets segment register `n` of 0 to 15 (Book3S-32).
    pub fn set_segment(&mut self, n: usize, value: u32) {
        self.shared.set_segment(n, value);
        if let Some(segment) = self.state.book3s32.segments.get_mut(n & 15) {
            *segment = value;
        }
    }

    /// Derives the mode word and the available units from MSR and FSCR, and on Book3S-32 the segment registers in force
    /// from those of the page, where the guest may store to them in real mode.
    pub fn derive_mode(&mut self) {
        let msr = self.shared.msr();
        if self.state.cpu.family() == Family::Book3s32 {
            self.state.book3s32.segments = std::array::from_fn(|n| self.shared.segment(n));
        }
        self.state.mode = Mode::of(self.state.cpu, msr);
        if self.state.cpu.family() == Family::BookE {
            self.derive_stepping();
        }
        self.state.unavailable = mode::unavailable(msr, self.state.fscr);
    }

    /// Derives from `MSR[DE]` and the debug registers whether single step is on (BookE).
    ///
    /// No other mode bit may follow a write to a register that is not the MSR: the guest may have stored anything to the
    /// MSR's field of the page.
    pub fn derive_stepping(&mut self) {
        let on = self.shared.msr() & msr::DE != 0 && self.state.booke.steps();
        self.state.mode = self.state.mode.stepping(on);
    }

    /// Writes FSCR, which decides on units beside the MSR (Book3S-64).
    pub fn set_fscr(&mut self, value: u64) {
        self.state.fscr = value;
        self.state.unavailable = mode::refine(self.state.unavailable, self.state.mode, value);
    }

    /// Whether the guest is inside a critical section of the paravirtual interface.
    pub fn critical(&self) -> bool {
        let mask = if self.state.mode.sixty_four() { u64::MAX } else { 0xffff_ffff };
        let r1 = self.state.gpr[1];
        self.shared.mapped().is_some() && !self.state.mode.problem() && (self.shared.critical() ^ r1) & mask == 0
    }
}
