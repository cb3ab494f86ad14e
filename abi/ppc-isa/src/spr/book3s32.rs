//! Special purpose registers of Book3S-32 (MPC750, MPC7400 and MPC7450 user's manuals, chapter 2). The table is that of
//! the family: a model may lack some.

use crate::cpu::{Cpu, G4, Models};

sprs! {
    /// Fixed-point exception register.
    XER = 1, "xer", User, User;
    /// Link register.
    LR = 8, "lr", User, User;
    /// Count register.
    CTR = 9, "ctr", User, User;
    /// Data storage interrupt status register.
    DSISR = 18, "dsisr", Privileged, Privileged;
    /// Data address register.
    DAR = 19, "dar", Privileged, Privileged;
    /// Decrementer.
    DEC = 22, "dec", Privileged, Privileged;
    /// Storage description register 1: place and size of the page table.
    SDR1 = 25, "sdr1", Privileged, Privileged;
    /// Save/restore register 0.
    SRR0 = 26, "srr0", Privileged, Privileged;
    /// Save/restore register 1.
    SRR1 = 27, "srr1", Privileged, Privileged;
    /// Vector save register.
    VRSAVE = 256, "vrsave", User, User;
    /// Time base, read.
    TB = 268, "tb", User, None;
    /// Time base upper, read.
    TBU = 269, "tbu", User, None;
    /// Software register 0.
    SPRG0 = 272, "sprg0", Privileged, Privileged;
    /// Software register 1.
    SPRG1 = 273, "sprg1", Privileged, Privileged;
    /// Software register 2.
    SPRG2 = 274, "sprg2", Privileged, Privileged;
    /// Software register 3.
    SPRG3 = 275, "sprg3", Privileged, Privileged;
    /// Software register 4.
    SPRG4 = 276, "sprg4", Privileged, Privileged;
    /// Software register 5.
    SPRG5 = 277, "sprg5", Privileged, Privileged;
    /// Software register 6.
    SPRG6 = 278, "sprg6", Privileged, Privileged;
    /// Software register 7.
    SPRG7 = 279, "sprg7", Privileged, Privileged;
    /// External access register.
    EAR = 282, "ear", Privileged, Privileged;
    /// Time base lower, write.
    TBLW = 284, "tbl", Privileged, Privileged;
    /// Time base upper, write.
    TBUW = 285, "tbu", Privileged, Privileged;
    /// Processor version register.
    PVR = 287, "pvr", Privileged, None;
    /// Instruction BAT 0, upper word.
    IBAT0U = 528, "ibat0u", Privileged, Privileged;
    /// Instruction BAT 0, lower word.
    IBAT0L = 529, "ibat0l", Privileged, Privileged;
    /// Instruction BAT 1, upper word.
    IBAT1U = 530, "ibat1u", Privileged, Privileged;
    /// Instruction BAT 1, lower word.
    IBAT1L = 531, "ibat1l", Privileged, Privileged;
    /// Instruction BAT 2, upper word.
    IBAT2U = 532, "ibat2u", Privileged, Privileged;
    /// Instruction BAT 2, lower word.
    IBAT2L = 533, "ibat2l", Privileged, Privileged;
    /// Instruction BAT 3, upper word.
    IBAT3U = 534, "ibat3u", Privileged, Privileged;
    /// Instruction BAT 3, lower word.
    IBAT3L = 535, "ibat3l", Privileged, Privileged;
    /// Data BAT 0, upper word.
    DBAT0U = 536, "dbat0u", Privileged, Privileged;
    /// Data BAT 0, lower word.
    DBAT0L = 537, "dbat0l", Privileged, Privileged;
    /// Data BAT 1, upper word.
    DBAT1U = 538, "dbat1u", Privileged, Privileged;
    /// Data BAT 1, lower word.
    DBAT1L = 539, "dbat1l", Privileged, Privileged;
    /// Data BAT 2, upper word.
    DBAT2U = 540, "dbat2u", Privileged, Privileged;
    /// Data BAT 2, lower word.
    DBAT2L = 541, "dbat2l", Privileged, Privileged;
    /// Data BAT 3, upper word.
    DBAT3U = 542, "dbat3u", Privileged, Privileged;
    /// Data BAT 3, lower word.
    DBAT3L = 543, "dbat3l", Privileged, Privileged;
    /// Instruction BAT 4, upper word.
    IBAT4U = 560, "ibat4u", Privileged, Privileged;
    /// Instruction BAT 4, lower word.
    IBAT4L = 561, "ibat4l", Privileged, Privileged;
    /// Instruction BAT 5, upper word.
    IBAT5U = 562, "ibat5u", Privileged, Privileged;
    /// Instruction BAT 5, lower word.
    IBAT5L = 563, "ibat5l", Privileged, Privileged;
    /// Instruction BAT 6, upper word.
    IBAT6U = 564, "ibat6u", Privileged, Privileged;
    /// Instruction BAT 6, lower word.
    IBAT6L = 565, "ibat6l", Privileged, Privileged;
    /// Instruction BAT 7, upper word.
    IBAT7U = 566, "ibat7u", Privileged, Privileged;
    /// Instruction BAT 7, lower word.
    IBAT7L = 567, "ibat7l", Privileged, Privileged;
    /// Data BAT 4, upper word.
    DBAT4U = 568, "dbat4u", Privileged, Privileged;
    /// Data BAT 4, lower word.
    DBAT4L = 569, "dbat4l", Privileged, Privileged;
    /// Data BAT 5, upper word.
    DBAT5U = 570, "dbat5u", Privileged, Privileged;
    /// Data BAT 5, lower word.
    DBAT5L = 571, "dbat5l", Privileged, Privileged;
    /// Data BAT 6, upper word.
    DBAT6U = 572, "dbat6u", Privileged, Privileged;
    /// Data BAT 6, lower word.
    DBAT6L = 573, "dbat6l", Privileged, Privileged;
    /// Data BAT 7, upper word.
    DBAT7U = 574, "dbat7u", Privileged, Privileged;
    /// Data BAT 7, lower word.
    DBAT7L = 575, "dbat7l", Privileged, Privileged;
    /// Monitor mode control 2 (7400, 7450), from problem state.
    UMMCR2 = 928, "ummcr2", User, None;
    /// Performance monitor counter 5 (7450), from problem state.
    UPMC5 = 929, "upmc5", User, None;
    /// Performance monitor counter 6 (7450), from problem state.
    UPMC6 = 930, "upmc6", User, None;
    /// Monitor mode control 0, from problem state.
    UMMCR0 = 936, "ummcr0", User, None;
    /// Performance monitor counter 1, from problem state.
    UPMC1 = 937, "upmc1", User, None;
    /// Performance monitor counter 2, from problem state.
    UPMC2 = 938, "upmc2", User, None;
    /// Sampled instruction address, from problem state.
    USIAR = 939, "usiar", User, None;
    /// Monitor mode control 1, from problem state.
    UMMCR1 = 940, "ummcr1", User, None;
    /// Performance monitor counter 3, from problem state.
    UPMC3 = 941, "upmc3", User, None;
    /// Performance monitor counter 4, from problem state.
    UPMC4 = 942, "upmc4", User, None;
    /// Sampled data address, from problem state.
    USDAR = 943, "usdar", User, None;
    /// Monitor mode control 2 (7400, 7450).
    MMCR2 = 944, "mmcr2", Privileged, Privileged;
    /// Performance monitor counter 5 (7450).
    PMC5 = 945, "pmc5", Privileged, Privileged;
    /// Performance monitor counter 6 (7450).
    PMC6 = 946, "pmc6", Privileged, Privileged;
    /// Breakpoint address mask (7400, 7450).
    BAMR = 951, "bamr", Privileged, Privileged;
    /// Monitor mode control 0.
    MMCR0 = 952, "mmcr0", Privileged, Privileged;
    /// Performance monitor counter 1.
    PMC1 = 953, "pmc1", Privileged, Privileged;
    /// Performance monitor counter 2.
    PMC2 = 954, "pmc2", Privileged, Privileged;
    /// Sampled instruction address.
    SIAR = 955, "siar", Privileged, Privileged;
    /// Monitor mode control 1.
    MMCR1 = 956, "mmcr1", Privileged, Privileged;
    /// Performance monitor counter 3.
    PMC3 = 957, "pmc3", Privileged, Privileged;
    /// Performance monitor counter 4.
    PMC4 = 958, "pmc4", Privileged, Privileged;
    /// Sampled data address.
    SDAR = 959, "sdar", Privileged, Privileged;
    /// Software table search: address that missed (7450).
    TLBMISS = 980, "tlbmiss", Privileged, Privileged;
    /// Software table search: first word of the entry (7450).
    PTEHI = 981, "ptehi", Privileged, Privileged;
    /// Software table search: second word of the entry (7450).
    PTELO = 982, "ptelo", Privileged, Privileged;
    /// Hardware implementation 0.
    HID0 = 1008, "hid0", Privileged, Privileged;
    /// Hardware implementation 1.
    HID1 = 1009, "hid1", Privileged, Privileged;
    /// Instruction address breakpoint.
    IABR = 1010, "iabr", Privileged, Privileged;
    /// Instruction cache and interrupt control (7450).
    ICTRL = 1011, "ictrl", Privileged, Privileged;
    /// Data address breakpoint.
    DABR = 1013, "dabr", Privileged, Privileged;
    /// Memory subsystem control (7400, 7450).
    MSSCR0 = 1014, "msscr0", Privileged, Privileged;
    /// Memory subsystem status (7400, 7450).
    MSSSR0 = 1015, "msssr0", Privileged, Privileged;
    /// Load and store control (7450).
    LDSTCR = 1016, "ldstcr", Privileged, Privileged;
    /// Level 2 cache control.
    L2CR = 1017, "l2cr", Privileged, Privileged;
    /// Level 3 cache control (7450).
    L3CR = 1018, "l3cr", Privileged, Privileged;
    /// Instruction cache throttling.
    ICTC = 1019, "ictc", Privileged, Privileged;
    /// Thermal management 1 (750, 7400).
    THRM1 = 1020, "thrm1", Privileged, Privileged;
    /// Thermal management 2 (750, 7400).
    THRM2 = 1021, "thrm2", Privileged, Privileged;
    /// Thermal management 3 (750, 7400).
    THRM3 = 1022, "thrm3", Privileged, Privileged;
    /// Processor identification.
    PIR = 1023, "pir", Privileged, Privileged;
}

const LATE: Models = Models::of(&[Cpu::Ppc7450]);

/// Whether `cpu`, one of this family, has register `number` of the table as far as that differs here: AltiVec's and
/// the performance monitor's. The supervisor knows of the others.
pub fn has(cpu: Cpu, number: u16) -> bool {
    match number {
        VRSAVE | MMCR2 | UMMCR2 => G4.contains(cpu),
        PMC5 | PMC6 | UPMC5 | UPMC6 => LATE.contains(cpu),
        _ => true,
    }
}
