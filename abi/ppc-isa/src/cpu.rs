//! CPU models: sets of them by what they implement, and how they name themselves.

/// A set of CPU models.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Models(u16);

impl Models {
    /// The set of `cpus`.
    pub const fn of(cpus: &[Cpu]) -> Models {
        let mut bits = 0;
        let mut i = 0;
        while i < cpus.len() {
            bits |= 1 << cpus[i] as u16;
            i += 1;
        }
        Models(bits)
    }

    /// The models of either set.
    pub const fn or(self, other: Models) -> Models {
        Models(self.0 | other.0)
    }

    /// Whether `cpu` is one of them.
    pub const fn contains(self, cpu: Cpu) -> bool {
        self.0 >> cpu as u16 & 1 != 0
    }
}

/// Every model.
pub const ALL: Models = Models::of(&Cpu::ALL);
/// Book3S-64.
pub const SERVER: Models = Models::of(&Cpu::BOOK3S_64);
/// From Power ISA 2.07 (POWER8).
pub const V207: Models = SERVER;
/// From Power ISA 3.0 (POWER9).
pub const V300: Models = V310.or(Models::of(&[Cpu::Power9]));
/// From Power ISA 3.1 (POWER10).
pub const V310: Models = MMA.or(Models::of(&[Cpu::Power10]));
/// With the matrix-multiply assist, which Power ISA 3.1 leaves optional.
pub const MMA: Models = Models::of(&[Cpu::Power10Mma]);
/// Up to Power ISA 2.07 only.
pub const TO_207: Models = Models::of(&[Cpu::Power8]);
/// Up to Power ISA 3.0 only.
pub const TO_300: Models = Models::of(&[Cpu::Power8, Cpu::Power9]);
/// Book3S-32.
pub const CLASSIC: Models = Models::of(&[Cpu::Ppc603, Cpu::Ppc750, Cpu::Ppc7400, Cpu::Ppc7450]);
/// BookE.
pub const BOOKE: Models = SPE.or(E5500);
/// 64-bit implementations; all of them have what Power ISA 2.06 added to the base.
pub const SIXTY_FOUR: Models = SERVER.or(E5500);
/// 32-bit implementations.
pub const THIRTY_TWO: Models = CLASSIC.or(SPE);
/// e5500 and e6500, which have what is [`BOOKE`] and came after Power ISA 2.03.
pub const E5500: Models = Models::of(&[Cpu::E5500, Cpu::E6500]);
/// e6500, which has AltiVec and some instructions of its own there.
pub const E6500: Models = Models::of(&[Cpu::E6500]);
/// With floating-point registers.
pub const FLOAT: Models = SIXTY_FOUR.or(CLASSIC);
/// 7400 and 7450.
pub const G4: Models = Models::of(&[Cpu::Ppc7400, Cpu::Ppc7450]);
/// With AltiVec.
pub const ALTIVEC: Models = SERVER.or(G4).or(E6500);
/// With load and store string instructions.
pub const STRING: Models = SERVER.or(CLASSIC);
/// With the signal processing engine (SPE) and its embedded floating point.
pub const SPE: Models = Models::of(&[Cpu::E500v2]);

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
    /// Event-based branches, `FSCR[EBB]`.
    Ebb,
    /// Branch history, not offered to problem state.
    Bhrb,
    /// Transactional memory, `MSR[TM]`; not offered.
    Tm,
    /// Signal processing engine, `MSR[SPE]`.
    Spe,
}

/// The three programming models of Book III: what privileged software sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Family {
    /// Book3S-64: hashed or radix page tables, segment lookaside buffer.
    Book3s64,
    /// Book3S-32: BATs, segment registers, hashed page table.
    Book3s32,
    /// BookE: software-managed TLBs, IVORs.
    BookE,
}

/// A CPU model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Cpu {
    /// POWER8, Power ISA 2.07B, without transactional memory.
    Power8,
    /// POWER9, Power ISA 3.0B, without transactional memory.
    Power9,
    /// POWER10, Power ISA 3.1B, without the matrix-multiply assist.
    Power10,
    /// POWER10 with the matrix-multiply assist.
    Power10Mma,
    /// e5500: 64-bit BookE, Power ISA 2.06.
    E5500,
    /// e6500: e5500 with AltiVec.
    E6500,
    /// e500v2: 32-bit BookE with SPE and embedded floating point, no floating-point registers.
    E500v2,
    /// 603e.
    Ppc603,
    /// 750 ("G3").
    Ppc750,
    /// 7400 ("G4"), AltiVec.
    Ppc7400,
    /// 7450 ("G4"), AltiVec.
    Ppc7450,
}

/// What is to be known of a model, a row each.
struct Facts {
    name: &'static str,
    family: Family,
    level: u16,
    sixty_four: bool,
    pvr: u32,
}

const fn facts(name: &'static str, family: Family, level: u16, sixty_four: bool, pvr: u32) -> Facts {
    Facts { name, family, level, sixty_four, pvr }
}

impl Cpu {
    /// All models.
    pub const ALL: [Cpu; 11] = [
        Cpu::Power8,
        Cpu::Power9,
        Cpu::Power10,
        Cpu::Power10Mma,
        Cpu::E5500,
        Cpu::E6500,
        Cpu::E500v2,
        Cpu::Ppc603,
        Cpu::Ppc750,
        Cpu::Ppc7400,
        Cpu::Ppc7450,
    ];
    /// Those of Book3S-64.
    pub const BOOK3S_64: [Cpu; 4] = [Cpu::Power8, Cpu::Power9, Cpu::Power10, Cpu::Power10Mma];

    const fn facts(self) -> Facts {
        match self {
            Cpu::Power8 => facts("power8", Family::Book3s64, 207, true, 0x004d_0200),
            Cpu::Power9 => facts("power9", Family::Book3s64, 300, true, 0x004e_1202),
            Cpu::Power10 => facts("power10", Family::Book3s64, 310, true, 0x0080_0200),
            Cpu::Power10Mma => facts("power10-mma", Family::Book3s64, 310, true, 0x0080_0200),
            Cpu::E5500 => facts("e5500", Family::BookE, 206, true, 0x8024_0020),
            Cpu::E6500 => facts("e6500", Family::BookE, 206, true, 0x8040_0020),
            Cpu::E500v2 => facts("e500v2", Family::BookE, 203, false, 0x8021_0022),
            Cpu::Ppc603 => facts("603", Family::Book3s32, 110, false, 0x0006_0101),
            Cpu::Ppc750 => facts("750", Family::Book3s32, 110, false, 0x0008_0301),
            Cpu::Ppc7400 => facts("7400", Family::Book3s32, 110, false, 0x000c_0209),
            Cpu::Ppc7450 => facts("7450", Family::Book3s32, 110, false, 0x8000_0201),
        }
    }

    /// Name as on the command line.
    pub fn name(self) -> &'static str {
        self.facts().name
    }

    /// The model called `name`.
    pub fn from_name(name: &str) -> Option<Cpu> {
        Cpu::ALL.into_iter().find(|c| c.name() == name)
    }

    /// Whether it is another model with an optional facility added: what concerns whole machines is tried without it.
    pub const fn is_variant(self) -> bool {
        matches!(self, Cpu::Power10Mma)
    }

    /// Programming model of privileged software.
    #[inline(always)]
    pub const fn family(self) -> Family {
        self.facts().family
    }

    /// ISA level in hundredths: 207 is Power ISA 2.07, 110 PowerPC 1.10.
    pub const fn level(self) -> u16 {
        self.facts().level
    }

    /// Bytes of a cache block, which dcbz clears.
    #[inline(always)]
    pub const fn cache_block(self) -> u64 {
        match self {
            Cpu::Power8 | Cpu::Power9 | Cpu::Power10 | Cpu::Power10Mma => 128,
            Cpu::E5500 | Cpu::E6500 => 64,
            Cpu::E500v2 | Cpu::Ppc603 | Cpu::Ppc750 | Cpu::Ppc7400 | Cpu::Ppc7450 => 32,
        }
    }

    /// Whether registers have 64 bits.
    #[inline(always)]
    pub const fn sixty_four(self) -> bool {
        self.facts().sixty_four
    }

    /// Processor version register.
    pub fn pvr(self) -> u32 {
        self.facts().pvr
    }

    /// The architected PVR value that PAPR publishes as `cpu-version`; models without one publish their own.
    pub fn architected_pvr(self) -> u32 {
        match self {
            Cpu::Power8 => 0x0f00_0004,
            Cpu::Power9 => 0x0f00_0005,
            Cpu::Power10 | Cpu::Power10Mma => 0x0f00_0006,
            _ => self.pvr(),
        }
    }
}
