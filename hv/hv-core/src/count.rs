//! Exits counted by reason, with the names that KVM gives them (spec ppc-pv 5.9).

use std::collections::BTreeMap;

use exec::{Exit, Instruction, Interrupt};
use ppc_isa::cpu::Family;
use ppc_isa::op::{Integer, Op};
use ppc_isa::spr;

/// A privileged instruction as it is counted: by mnemonic, and by register where it moves one.
#[derive(Clone, Copy, Debug, Eq, PartialOrd, Ord)]
pub struct Emulated {
    /// Mnemonic.
    pub row: &'static str,
    /// Number of the special purpose register.
    pub spr: Option<u16>,
}

/// Whether two names are the same: most that are stand at one address.
fn same(one: &'static str, other: &'static str) -> bool {
    std::ptr::eq(one, other) || one == other
}

/// A reason by KVM's statistics name.
#[derive(Clone, Copy, Debug, Eq)]
struct Reason(&'static str);

impl PartialEq for Reason {
    fn eq(&self, other: &Reason) -> bool {
        same(self.0, other.0)
    }
}

impl PartialEq for Emulated {
    fn eq(&self, other: &Emulated) -> bool {
        self.spr == other.spr && same(self.row, other.row)
    }
}

impl PartialEq for Call {
    fn eq(&self, other: &Call) -> bool {
        same(self.name, other.name) && same(self.interface, other.interface)
    }
}

impl Emulated {
    /// How `insn` is counted.
    pub fn of(insn: &Instruction) -> Emulated {
        let moves = matches!(insn.row.op, Op::Integer(Integer::Mfspr | Integer::Mtspr));
        Emulated { row: insn.row.name, spr: moves.then(|| spr::number(insn.word as u32)) }
    }

    /// Text such as `mfmsr`, `mtspr srr0`, or `mfspr 1013` for a register without a name.
    pub fn name(self, family: Family) -> String {
        match self.spr {
            None => self.row.to_owned(),
            Some(number) => match spr::spr(family, number) {
                Some(spr) => format!("{} {}", self.row, spr.name),
                None => format!("{} {number}", self.row),
            },
        }
    }
}

/// A hypercall by interface and name.
#[derive(Clone, Copy, Debug, Eq, PartialOrd, Ord)]
pub struct Call {
    /// `kvm`, `papr`, `rtas`, ...
    pub interface: &'static str,
    /// Its name there.
    pub name: &'static str,
}

/// Counters of one vCPU. Passed in, never static.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExitCounts {
    exits: u64,
    emulated: u64,
    reasons: Vec<(Reason, u64)>,
    instructions: Vec<(Emulated, u64)>,
    /// The hypercall that the last exit was, the innermost one where calls carry others.
    pub last_call: Option<Call>,
    hypercalls: Vec<(Call, u64)>,
}

/// Adds to the count of `key`. Those that are counted often are found soon: each comes forward when it is counted.
fn count<K: Copy + PartialEq>(counts: &mut Vec<(K, u64)>, key: K, times: u64) {
    let at = counts.iter().position(|(known, _)| *known == key).unwrap_or_else(|| {
        counts.push((key, 0));
        counts.len() - 1
    });
    if at != 0 {
        counts.swap(at, at / 2);
    }
    if let Some((_, count)) = counts.get_mut(at / 2) {
        *count += times;
    }
}

impl ExitCounts {
    /// Counts one exit for `reason`.
    pub fn reason(&mut self, reason: &'static str) {
        count(&mut self.reasons, Reason(reason), 1);
    }

    /// What was counted by KVM's statistics name.
    pub fn reasons(&self) -> BTreeMap<&'static str, u64> {
        let sums = [("sum_exits", self.exits), ("emulated_inst_exits", self.emulated)];
        let others = self.reasons.iter().map(|(reason, n)| (reason.0, *n));
        sums.into_iter().filter(|(_, n)| *n != 0).chain(others).collect()
    }

    /// Counts a hypercall. `interface` and `name` together name it.
    pub fn hypercall(&mut self, interface: &'static str, name: &'static str) {
        let call = Call { interface, name };
        self.last_call = Some(call);
        count(&mut self.hypercalls, call, 1);
    }

    /// Hypercalls by `interface:name`.
    pub fn hypercalls(&self) -> BTreeMap<String, u64> {
        self.hypercalls.iter().map(|(call, n)| (format!("{}:{}", call.interface, call.name), *n)).collect()
    }

    /// Emulated privileged instructions.
    pub fn instructions(&self) -> BTreeMap<Emulated, u64> {
        self.instructions.iter().copied().collect()
    }

    /// Counts `exit` in the sum and by its own reason.
    pub fn exit(&mut self, exit: &Exit) {
        self.last_call = None;
        self.exits += 1;
        match exit {
            Exit::Privileged(insn) => {
                self.emulated += 1;
                count(&mut self.instructions, Emulated::of(insn), 1);
            }
            // Counted as a system call only when no hypercall interface takes it.
            Exit::SystemCall(_) => {}
            Exit::Illegal { .. } => self.reason("program_exits"),
            Exit::Interrupt(interrupt) => self.reason(reason_of(*interrupt)),
            Exit::Event => self.reason("signal_exits"),
        }
    }

    /// Adds what another vCPU has counted.
    pub fn add(&mut self, other: &ExitCounts) {
        self.exits += other.exits;
        self.emulated += other.emulated;
        other.reasons.iter().for_each(|(reason, n)| count(&mut self.reasons, *reason, *n));
        other.instructions.iter().for_each(|(which, n)| count(&mut self.instructions, *which, *n));
        other.hypercalls.iter().for_each(|(call, n)| count(&mut self.hypercalls, *call, *n));
    }

    /// The number counted for a reason.
    pub fn count(&self, reason: &str) -> u64 {
        self.reasons().get(reason).copied().unwrap_or(0)
    }
}

/// The name under which an exit with `interrupt` is counted.
pub fn reason_of(interrupt: Interrupt) -> &'static str {
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
        Interrupt::Doorbell | Interrupt::CriticalDoorbell => "dbell_exits",
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
