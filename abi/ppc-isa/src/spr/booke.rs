//! Special purpose registers of BookE (Power ISA Book III-E, section 5.4.1; e500 Core Family Reference Manual, 2.2).
//!
//! What of this only one of the models has is said where the registers are kept.

sprs! {
    /// Fixed-point exception register.
    XER = 1, "xer", User, User;
    /// Link register.
    LR = 8, "lr", User, User;
    /// Count register.
    CTR = 9, "ctr", User, User;
    /// Decrementer.
    DEC = 22, "dec", Privileged, Privileged;
    /// Save/restore register 0.
    SRR0 = 26, "srr0", Privileged, Privileged;
    /// Save/restore register 1.
    SRR1 = 27, "srr1", Privileged, Privileged;
    /// Process ID.
    PID = 48, "pid", Privileged, Privileged;
    /// Decrementer auto-reload.
    DECAR = 54, "decar", Privileged, Privileged;
    /// Critical save/restore register 0.
    CSRR0 = 58, "csrr0", Privileged, Privileged;
    /// Critical save/restore register 1.
    CSRR1 = 59, "csrr1", Privileged, Privileged;
    /// Data exception address register.
    DEAR = 61, "dear", Privileged, Privileged;
    /// Exception syndrome register.
    ESR = 62, "esr", Privileged, Privileged;
    /// Interrupt vector prefix.
    IVPR = 63, "ivpr", Privileged, Privileged;
    /// User software register 0.
    USPRG0 = 256, "usprg0", User, User;
    /// Software register 3, user read.
    USPRG3 = 259, "usprg3", User, None;
    /// Software register 4, user read.
    USPRG4 = 260, "usprg4", User, None;
    /// Software register 5, user read.
    USPRG5 = 261, "usprg5", User, None;
    /// Software register 6, user read.
    USPRG6 = 262, "usprg6", User, None;
    /// Software register 7, user read.
    USPRG7 = 263, "usprg7", User, None;
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
    /// Time base lower, write.
    TBLW = 284, "tbl", Privileged, Privileged;
    /// Time base upper, write.
    TBUW = 285, "tbu", Privileged, Privileged;
    /// Processor identification.
    PIR = 286, "pir", Privileged, Privileged;
    /// Processor version register.
    PVR = 287, "pvr", Privileged, None;
    /// Debug status.
    DBSR = 304, "dbsr", Privileged, Privileged;
    /// Embedded processor control.
    EPCR = 307, "epcr", Privileged, Privileged;
    /// Debug control 0.
    DBCR0 = 308, "dbcr0", Privileged, Privileged;
    /// Debug control 1.
    DBCR1 = 309, "dbcr1", Privileged, Privileged;
    /// Debug control 2.
    DBCR2 = 310, "dbcr2", Privileged, Privileged;
    /// Instruction address compare 1.
    IAC1 = 312, "iac1", Privileged, Privileged;
    /// Instruction address compare 2.
    IAC2 = 313, "iac2", Privileged, Privileged;
    /// Instruction address compare 3.
    IAC3 = 314, "iac3", Privileged, Privileged;
    /// Instruction address compare 4.
    IAC4 = 315, "iac4", Privileged, Privileged;
    /// Data address compare 1.
    DAC1 = 316, "dac1", Privileged, Privileged;
    /// Data address compare 2.
    DAC2 = 317, "dac2", Privileged, Privileged;
    /// Timer status register.
    TSR = 336, "tsr", Privileged, Privileged;
    /// Timer control register.
    TCR = 340, "tcr", Privileged, Privileged;
    /// MAS7 and MAS3 as one.
    MAS7_MAS3 = 372, "mas7_mas3", Privileged, Privileged;
    /// MAS0 and MAS1 as one.
    MAS0_MAS1 = 373, "mas0_mas1", Privileged, Privileged;
    /// Interrupt vector offset 0; 1 to 15 follow.
    IVOR0 = 400, "ivor0", Privileged, Privileged;
    /// Interrupt vector offset 15.
    IVOR15 = 415, "ivor15", Privileged, Privileged;
    /// Status and control of the signal processing engine.
    SPEFSCR = 512, "spefscr", User, User;
    /// Branch buffer entry address.
    BBEAR = 513, "bbear", User, User;
    /// Branch buffer target address.
    BBTAR = 514, "bbtar", User, User;
    /// Level 1 data cache configuration.
    L1CFG0 = 515, "l1cfg0", User, None;
    /// Level 1 instruction cache configuration.
    L1CFG1 = 516, "l1cfg1", User, None;
    /// Level 2 cache configuration.
    L2CFG0 = 519, "l2cfg0", User, None;
    /// Alternate time base, lower.
    ATBL = 526, "atbl", User, None;
    /// Alternate time base, upper.
    ATBU = 527, "atbu", User, None;
    /// Interrupt vector offset 32; 33 to 37 follow.
    IVOR32 = 528, "ivor32", Privileged, Privileged;
    /// Interrupt vector offset 35.
    IVOR35 = 531, "ivor35", Privileged, Privileged;
    /// Interrupt vector offset 36.
    IVOR36 = 532, "ivor36", Privileged, Privileged;
    /// Interrupt vector offset 37.
    IVOR37 = 533, "ivor37", Privileged, Privileged;
    /// Debug control 3.
    DBCR3 = 561, "dbcr3", Privileged, Privileged;
    /// Debug control 4.
    DBCR4 = 563, "dbcr4", Privileged, Privileged;
    /// Machine check address, upper word.
    MCARU = 569, "mcaru", Privileged, None;
    /// Machine check save/restore register 0.
    MCSRR0 = 570, "mcsrr0", Privileged, Privileged;
    /// Machine check save/restore register 1.
    MCSRR1 = 571, "mcsrr1", Privileged, Privileged;
    /// Machine check syndrome.
    MCSR = 572, "mcsr", Privileged, Privileged;
    /// Machine check address.
    MCAR = 573, "mcar", Privileged, None;
    /// Debug save/restore register 0.
    DSRR0 = 574, "dsrr0", Privileged, Privileged;
    /// Debug save/restore register 1.
    DSRR1 = 575, "dsrr1", Privileged, Privileged;
    /// Software register 8.
    SPRG8 = 604, "sprg8", Privileged, Privileged;
    /// Software register 9.
    SPRG9 = 605, "sprg9", Privileged, Privileged;
    /// Level 1 cache control and status 2.
    L1CSR2 = 606, "l1csr2", Privileged, Privileged;
    /// MMU assist: entry select.
    MAS0 = 624, "mas0", Privileged, Privileged;
    /// MMU assist: context.
    MAS1 = 625, "mas1", Privileged, Privileged;
    /// MMU assist: effective page.
    MAS2 = 626, "mas2", Privileged, Privileged;
    /// MMU assist: real page and permissions.
    MAS3 = 627, "mas3", Privileged, Privileged;
    /// MMU assist: defaults.
    MAS4 = 628, "mas4", Privileged, Privileged;
    /// MMU assist: search.
    MAS6 = 630, "mas6", Privileged, Privileged;
    /// Process ID 1.
    PID1 = 633, "pid1", Privileged, Privileged;
    /// Process ID 2.
    PID2 = 634, "pid2", Privileged, Privileged;
    /// Configuration of TLB0.
    TLB0CFG = 688, "tlb0cfg", Privileged, None;
    /// Configuration of TLB1.
    TLB1CFG = 689, "tlb1cfg", Privileged, None;
    /// External proxy: vector of the interrupt that was acknowledged on delivery.
    EPR = 702, "epr", Privileged, None;
    /// MMU assist: upper real page.
    MAS7 = 944, "mas7", Privileged, Privileged;
    /// External process ID of loads.
    EPLC = 947, "eplc", Privileged, Privileged;
    /// External process ID of stores.
    EPSC = 948, "epsc", Privileged, Privileged;
    /// Hardware implementation 0.
    HID0 = 1008, "hid0", Privileged, Privileged;
    /// Hardware implementation 1.
    HID1 = 1009, "hid1", Privileged, Privileged;
    /// Level 1 data cache control and status.
    L1CSR0 = 1010, "l1csr0", Privileged, Privileged;
    /// Level 1 instruction cache control and status.
    L1CSR1 = 1011, "l1csr1", Privileged, Privileged;
    /// MMU control: invalidates whole arrays.
    MMUCSR0 = 1012, "mmucsr0", Privileged, Privileged;
    /// Branch unit control.
    BUCSR = 1013, "bucsr", Privileged, Privileged;
    /// Configuration of the MMU.
    MMUCFG = 1015, "mmucfg", Privileged, None;
    /// Level 2 cache control and status 0.
    L2CSR0 = 1017, "l2csr0", Privileged, Privileged;
    /// Level 2 cache control and status 1.
    L2CSR1 = 1018, "l2csr1", Privileged, Privileged;
    /// Power management control 0.
    PWRMGTCR0 = 1019, "pwrmgtcr0", Privileged, Privileged;
    /// System version.
    SVR = 1023, "svr", Privileged, None;
}
