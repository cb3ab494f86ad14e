//! The derived mode word: the parts of guest state that steer execution.
//!
//! It follows from the MSR at each full MSR write; a guest that stores to the MSR field of its shared page changes EE
//! and RI only, which are not part of it.

use ppc_isa::cpu::{Family, Unit};
use ppc_isa::row::{Row, fact};
use ppc_isa::{Cpu, Op, msr};

/// Mode bits, see the constants.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[repr(transparent)]
pub struct Mode(u32);

const PROBLEM: u32 = 1 << 0;
const FETCH_RELOCATED: u32 = 1 << 1;
const DATA_RELOCATED: u32 = 1 << 2;
const SIXTY_FOUR: u32 = 1 << 3;
const LITTLE: u32 = 1 << 4;
const FP_EXCEPTIONS: u32 = 1 << 5;
const TRACE_STEP: u32 = 1 << 6;
const TRACE_BRANCH: u32 = 1 << 7;

impl Mode {
    /// The mode that `msr` asks for on `cpu`.
    pub fn of(cpu: Cpu, msr: u64) -> Mode {
        let bit = |mask: u64, bit: u32| if msr & mask != 0 { bit } else { 0 };
        let shared = bit(msr::PR, PROBLEM)
            | bit(msr::IR, FETCH_RELOCATED)
            | bit(msr::DR, DATA_RELOCATED)
            | bit(msr::FE0 | msr::FE1, FP_EXCEPTIONS);
        Mode(match cpu.family() {
            Family::Book3s64 => {
                let traced = bit(msr::SE, TRACE_STEP) | bit(msr::BE, TRACE_BRANCH);
                shared | traced | bit(msr::SF, SIXTY_FOUR) | bit(msr::LE, LITTLE)
            }
            Family::Book3s32 => shared | bit(msr::SE, TRACE_STEP) | bit(msr::BE, TRACE_BRANCH),
            Family::BookE if cpu.sixty_four() => shared | bit(msr::CM, SIXTY_FOUR),
            Family::BookE => shared,
        })
    }

    /// Guest's problem state.
    pub fn problem(self) -> bool {
        self.0 & PROBLEM != 0
    }

    /// Instruction addresses are translated (Book3S); instructions come from address space 1 (BookE).
    pub fn fetch_relocated(self) -> bool {
        self.0 & FETCH_RELOCATED != 0
    }

    /// Data addresses are translated (Book3S); data are in address space 1 (BookE).
    pub fn data_relocated(self) -> bool {
        self.0 & DATA_RELOCATED != 0
    }

    /// 64-bit mode.
    #[inline(always)]
    pub fn sixty_four(self) -> bool {
        self.0 & SIXTY_FOUR != 0
    }

    /// Little-endian.
    #[inline(always)]
    pub fn little(self) -> bool {
        self.0 & LITTLE != 0
    }

    /// Enabled floating-point exceptions interrupt.
    #[inline(always)]
    pub fn fp_exceptions(self) -> bool {
        self.0 & FP_EXCEPTIONS != 0
    }

    /// This mode with byte order `little` or big.
    pub fn ordered(self, little: bool) -> Mode {
        Mode(self.0 & !LITTLE | if little { LITTLE } else { 0 })
    }

    /// This mode with single step `on` or off.
    pub fn stepping(self, on: bool) -> Mode {
        Mode(self.0 & !TRACE_STEP | if on { TRACE_STEP } else { 0 })
    }

    /// Single step or branch trace is on.
    #[inline(always)]
    pub fn traced(self) -> bool {
        self.0 & (TRACE_STEP | TRACE_BRANCH) != 0
    }

    /// Whether a trace interrupt follows an instruction, `branch` or not, that completed in this mode.
    pub fn traces(self, branch: bool) -> bool {
        self.0 & TRACE_STEP != 0 || branch && self.traced()
    }
}

/// What an instruction needs that may not be there, as bits. An engine tests `need & unavailable` once per
/// instruction; everything rare hides behind this one test.
pub mod need {
    /// Privileged: never available, the guest is deprivileged.
    pub const PRIVILEGED: u16 = 1 << 0;
    /// The word is no instruction of this CPU.
    pub const ILLEGAL: u16 = 1 << 1;
    /// Not decoded yet.
    pub const DECODING: u16 = 1 << 2;
    /// `MSR[FP]`.
    pub const FP: u16 = 1 << 3;
    /// `MSR[VEC]`.
    pub const VEC: u16 = 1 << 4;
    /// `MSR[VSX]`.
    pub const VSX: u16 = 1 << 5;
    /// `FSCR[TAR]`.
    pub const TAR: u16 = 1 << 6;
    /// `FSCR[SCV]`.
    pub const SCV: u16 = 1 << 7;
    /// `FSCR[DSCR]`.
    pub const DSCR: u16 = 1 << 8;
    /// `FSCR[EBB]`.
    pub const EBB: u16 = 1 << 9;
    /// Branch history, which problem state is not offered.
    pub const BHRB: u16 = 1 << 10;
    /// `MSR[SPE]`.
    pub const SPE: u16 = 1 << 11;
    /// The word after it: this one is a prefix.
    pub const SUFFIX: u16 = 1 << 12;
    /// `MSR[TM]`, which no machine offers.
    pub const TM: u16 = 1 << 13;
    /// Privileged, and carried out by engines: what accesses storage.
    pub const SUPERVISOR: u16 = 1 << 14;
    /// Never available, whatever the state.
    pub const NEVER: u16 = PRIVILEGED | ILLEGAL | DECODING | TM | SUFFIX;
}

/// FSCR bits (Power ISA Book III, section 6.2.10): they control facilities in problem state only.
pub mod fscr {
    /// Prefixed instructions.
    pub const PREFIX: u64 = 1 << 13;
    /// System call vectored.
    pub const SCV: u64 = 1 << 12;
    /// Target address register.
    pub const TAR: u64 = 1 << 8;
    /// Event-based branches.
    pub const EBB: u64 = 1 << 7;
    /// Data stream control register.
    pub const DSCR: u64 = 1 << 2;
}

/// Needs of `word`, an instruction of `row`; a prefix stands in the high half.
pub fn needs(row: &Row, word: u64) -> u16 {
    let upper = || row.field("TX").or(row.field("SX")).is_some_and(|f| f.get(word) != 0);
    let unit = match row.unit {
        Unit::FpOrVmx | Unit::VsxOrVmx if upper() => need::VEC,
        Unit::FpOrVmx => need::FP,
        Unit::VsxOrVmx => need::VSX,
        Unit::None => 0,
        Unit::Fp => need::FP,
        Unit::Vmx => need::VEC,
        Unit::Vsx => need::VSX,
        Unit::Tar => need::TAR,
        Unit::Scv => need::SCV,
        Unit::Ebb => need::EBB,
        Unit::Bhrb => need::BHRB,
        Unit::Tm => need::TM,
        Unit::Spe => need::SPE,
    };
    unit | match row.op {
        Op::LoadStore(_) if row.is(fact::PRIV) => need::SUPERVISOR,
        _ if row.is(fact::PRIV | fact::HV) => need::PRIVILEGED,
        _ => 0,
    }
}

fn lacking(have: bool, bit: u16) -> u16 {
    if have { 0 } else { bit }
}

/// Needs that are not met under this MSR and FSCR.
pub fn unavailable(msr: u64, fscr: u64) -> u16 {
    need::NEVER
        | lacking(msr & msr::FP != 0, need::FP)
        | lacking(msr & msr::VEC != 0, need::VEC)
        | lacking(msr & msr::SPE != 0, need::SPE)
        | lacking(msr & msr::VSX != 0, need::VSX)
        | of_problem_state(fscr, msr & msr::PR != 0)
}

/// Needs that only problem state may lack.
const OF_PROBLEM_STATE: u16 = need::TAR | need::SCV | need::DSCR | need::EBB | need::BHRB | need::SUPERVISOR;

/// Those of them that are not met, in problem state or not.
fn of_problem_state(fscr: u64, problem: bool) -> u16 {
    if !problem {
        return 0;
    }
    need::SUPERVISOR
        | need::BHRB
        | lacking(fscr & fscr::TAR != 0, need::TAR)
        | lacking(fscr & fscr::SCV != 0, need::SCV)
        | lacking(fscr & fscr::DSCR != 0, need::DSCR)
        | lacking(fscr & fscr::EBB != 0, need::EBB)
}

/// `unavailable` after a write to FSCR in `mode`.
pub fn refine(unavailable: u16, mode: Mode, fscr: u64) -> u16 {
    unavailable & !OF_PROBLEM_STATE | of_problem_state(fscr, mode.problem())
}
