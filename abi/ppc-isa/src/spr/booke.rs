//! Special purpose registers of BookE.

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
    /// Data exception address register.
    DEAR = 61, "dear", Privileged, Privileged;
    /// Exception syndrome register.
    ESR = 62, "esr", Privileged, Privileged;
    /// User software register 0.
    USPRG0 = 256, "usprg0", User, User;
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
    TBLW = 284, "tbl", None, Privileged;
    /// Time base upper, write.
    TBUW = 285, "tbu", None, Privileged;
    /// Processor version register.
    PVR = 287, "pvr", Privileged, None;
    /// Timer status register.
    TSR = 336, "tsr", Privileged, Privileged;
    /// Timer control register.
    TCR = 340, "tcr", Privileged, Privileged;
}
