//! CPU models: which levels of the ISA they implement and how they name themselves.

/// The ISA levels at which an instruction exists: `from..=to`, as hundredths (207 = Power ISA 2.07).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Level {
    /// First level that has it.
    pub from: u16,
    /// Last level that has it.
    pub to: u16,
}

/// Every Book3S-64 CPU that we model.
pub const BASE: Level = Level { from: 200, to: 999 };
/// From Power ISA 2.07 (POWER8).
pub const V207: Level = Level { from: 207, to: 999 };
/// From Power ISA 3.0 (POWER9).
pub const V300: Level = Level { from: 300, to: 999 };
/// Up to Power ISA 2.07 only.
pub const TO_207: Level = Level { from: 200, to: 207 };

/// The unit an instruction needs, switched on by a bit of the MSR or of FSCR.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Always on.
    None,
    /// Floating point, `MSR[FP]`.
    Fp,
    /// AltiVec, `MSR[VEC]`.
    Vmx,
    /// VSX, `MSR[VSX]`.
    Vsx,
    /// By the VSR that XT or XS names: floating point for VSR 0-31, AltiVec for VSR 32-63.
    FpOrVmx,
    /// By the VSR that XT or XS names: VSX for VSR 0-31, AltiVec for VSR 32-63.
    VsxOrVmx,
    /// Target address register, `FSCR[TAR]`.
    Tar,
    /// `scv`, `FSCR[SCV]`.
    Scv,
    /// Event-based branches, `FSCR[EBB]`; not offered.
    Ebb,
    /// Branch history, `FSCR[BHRB]`; not offered.
    Bhrb,
}

/// A CPU model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Cpu {
    /// POWER8, Power ISA 2.07B, without transactional memory.
    Power8,
    /// POWER9, Power ISA 3.0B, without transactional memory.
    Power9,
}

impl Cpu {
    /// All models.
    pub const ALL: [Cpu; 2] = [Cpu::Power8, Cpu::Power9];

    /// Name as on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Cpu::Power8 => "power8",
            Cpu::Power9 => "power9",
        }
    }

    /// The model called `name`.
    pub fn from_name(name: &str) -> Option<Cpu> {
        Cpu::ALL.into_iter().find(|c| c.name() == name)
    }

    /// ISA level in hundredths.
    pub fn level(self) -> u16 {
        match self {
            Cpu::Power8 => 207,
            Cpu::Power9 => 300,
        }
    }

    /// Whether the model has rows of `level`.
    pub fn has(self, level: Level) -> bool {
        (level.from..=level.to).contains(&self.level())
    }

    /// Processor version register.
    pub fn pvr(self) -> u32 {
        match self {
            Cpu::Power8 => 0x004d_0200,
            Cpu::Power9 => 0x004e_1202,
        }
    }

    /// The architected PVR value that PAPR publishes as `cpu-version`.
    pub fn architected_pvr(self) -> u32 {
        match self {
            Cpu::Power8 => 0x0f00_0004,
            Cpu::Power9 => 0x0f00_0005,
        }
    }
}
