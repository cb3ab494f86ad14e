//! Exits counted by reason, with the names that KVM gives them (spec ppc-pv 5.9).

use std::collections::BTreeMap;

use exec::{Exit, Interrupt};

/// Counters of one vCPU. Passed in, never static.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExitCounts {
    /// By KVM's statistics name.
    pub reasons: BTreeMap<&'static str, u64>,
    /// Emulated privileged instructions by mnemonic.
    pub instructions: BTreeMap<&'static str, u64>,
    hypercalls: BTreeMap<(&'static str, &'static str), u64>,
}

impl ExitCounts {
    /// Counts one exit for `reason`.
    pub fn reason(&mut self, reason: &'static str) {
        *self.reasons.entry(reason).or_default() += 1;
    }

    /// Counts a hypercall. `interface` and `name` together name it.
    pub fn hypercall(&mut self, interface: &'static str, name: &'static str) {
        *self.hypercalls.entry((interface, name)).or_default() += 1;
    }

    /// Hypercalls by `interface:name`.
    pub fn hypercalls(&self) -> BTreeMap<String, u64> {
        self.hypercalls.iter().map(|((interface, name), n)| (format!("{interface}:{name}"), *n)).collect()
    }

    /// Counts `exit` in the sum and by its own reason.
    pub fn exit(&mut self, exit: &Exit) {
        self.reason("sum_exits");
        match exit {
            Exit::Privileged(insn) => {
                self.reason("emulated_inst_exits");
                *self.instructions.entry(insn.row.name).or_default() += 1;
            }
            // Counted as a system call only when no hypercall interface takes it.
            Exit::SystemCall(_) => {}
            Exit::Illegal { .. } => self.reason("program_exits"),
            Exit::Interrupt(interrupt) => self.reason(reason_of(*interrupt)),
            Exit::Event => self.reason("signal_exits"),
        }
    }

    /// The number counted for a reason.
    pub fn count(&self, reason: &str) -> u64 {
        self.reasons.get(reason).copied().unwrap_or(0)
    }
}

fn reason_of(interrupt: Interrupt) -> &'static str {
    match interrupt {
        Interrupt::DataStorage { .. } => "dsi_exits",
        Interrupt::InstructionStorage { .. } => "isi_exits",
        Interrupt::DataSegment { .. } => "data_segment_exits",
        Interrupt::InstructionSegment => "inst_segment_exits",
        Interrupt::External => "ext_intr_exits",
        Interrupt::Decrementer => "dec_exits",
        Interrupt::SystemCall | Interrupt::SystemCallVectored(_) => "syscall_exits",
        Interrupt::Program(_) => "program_exits",
        Interrupt::FpUnavailable => "fp_unavail_exits",
        Interrupt::VectorUnavailable => "altivec_unavail_exits",
        Interrupt::VsxUnavailable => "vsx_unavail_exits",
        Interrupt::FacilityUnavailable(_) => "facility_unavail_exits",
        Interrupt::Alignment { .. } => "alignment_exits",
        Interrupt::MachineCheck { .. } => "machine_check_exits",
        Interrupt::SystemReset => "system_reset_exits",
        Interrupt::Trace => "trace_exits",
        Interrupt::Doorbell => "gdbell_exits",
        Interrupt::CriticalInput => "critical_exits",
        Interrupt::FixedInterval => "fit_exits",
        Interrupt::Watchdog => "watchdog_exits",
        Interrupt::Debug => "debug_exits",
        Interrupt::DataTlbMiss { .. } => "dtlb_miss_exits",
        Interrupt::InstructionTlbMiss => "itlb_miss_exits",
        Interrupt::SpeUnavailable => "spe_unavail_exits",
        Interrupt::EmbeddedFpData => "spe_fp_data_exits",
        Interrupt::EmbeddedFpRound => "spe_fp_round_exits",
        Interrupt::PerformanceMonitor => "perfmon_exits",
    }
}
