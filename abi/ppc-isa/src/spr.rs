//! Special purpose registers: numbers, names, who may touch them (Power ISA Book III-S, section 5.4.4).
//!
//! Here those of Book3S-64, whose numbers the other families share where they have the register at all.

use crate::cpu::{Cpu, Family};

/// Who may read or write an SPR.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Right {
    /// Nobody.
    None,
    /// Problem state.
    User,
    /// Privileged state.
    Privileged,
    /// Hypervisor state: for a guest the register is not there.
    Hypervisor,
}

/// One SPR.
#[derive(Clone, Copy, Debug)]
pub struct Spr {
    /// Number as in mtspr and mfspr.
    pub number: u16,
    /// Name in lower case.
    pub name: &'static str,
    /// Who may read it.
    pub read: Right,
    /// Who may write it.
    pub write: Right,
}

macro_rules! sprs {
    ($($(#[$doc:meta])* $const:ident = $number:literal, $name:literal, $read:ident, $write:ident;)*) => {
        $($(#[$doc])* pub const $const: u16 = $number;)*
        /// The table.
        pub const SPRS: &[$crate::spr::Spr] = &[$($crate::spr::Spr {
            number: $number,
            name: $name,
            read: $crate::spr::Right::$read,
            write: $crate::spr::Right::$write,
        }),*];
    };
}

pub mod book3s32;
pub mod booke;

sprs! {
    /// Fixed-point exception register.
    XER = 1, "xer", User, User;
    /// Data stream control register, user access.
    UDSCR = 3, "dscr", User, User;
    /// Link register.
    LR = 8, "lr", User, User;
    /// Count register.
    CTR = 9, "ctr", User, User;
    /// Authority mask register, user access (limited by UAMOR).
    UAMR = 13, "uamr", User, User;
    /// Data stream control register.
    DSCR = 17, "dscr", Privileged, Privileged;
    /// Data storage interrupt status register.
    DSISR = 18, "dsisr", Privileged, Privileged;
    /// Data address register.
    DAR = 19, "dar", Privileged, Privileged;
    /// Decrementer.
    DEC = 22, "dec", Privileged, Privileged;
    /// Storage description register 1.
    SDR1 = 25, "sdr1", Hypervisor, Hypervisor;
    /// Save/restore register 0.
    SRR0 = 26, "srr0", Privileged, Privileged;
    /// Save/restore register 1.
    SRR1 = 27, "srr1", Privileged, Privileged;
    /// Come-from address register.
    CFAR = 28, "cfar", Privileged, Privileged;
    /// Authority mask register.
    AMR = 29, "amr", Privileged, Privileged;
    /// Process identifier.
    PIDR = 48, "pid", Privileged, Privileged;
    /// Instruction authority mask register.
    IAMR = 61, "iamr", Privileged, Privileged;
    /// Transactional: failure handler address.
    TFHAR = 128, "tfhar", User, User;
    /// Transactional: failure instruction address.
    TFIAR = 129, "tfiar", User, User;
    /// Transactional: exception and status.
    TEXASR = 130, "texasr", User, User;
    /// Transactional: upper half of TEXASR.
    TEXASRU = 131, "texasru", User, User;
    /// Control register, read.
    UCTRL = 136, "ctrlf", User, None;
    /// Thread identifier.
    TIDR = 144, "tidr", Privileged, Privileged;
    /// Control register, write.
    CTRL = 152, "ctrlt", Privileged, Privileged;
    /// Facility status and control register.
    FSCR = 153, "fscr", Privileged, Privileged;
    /// User authority mask override register.
    UAMOR = 157, "uamor", Privileged, Privileged;
    /// Processor state priority buffer.
    PSPB = 159, "pspb", Privileged, Privileged;
    /// Data address watchpoint.
    DAWR0 = 180, "dawr0", Hypervisor, Hypervisor;
    /// Relative priority.
    RPR = 186, "rpr", Hypervisor, Hypervisor;
    /// Completed instruction address breakpoint.
    CIABR = 187, "ciabr", Hypervisor, Hypervisor;
    /// Data address watchpoint extension.
    DAWRX0 = 188, "dawrx0", Hypervisor, Hypervisor;
    /// Hypervisor facility status and control.
    HFSCR = 190, "hfscr", Hypervisor, Hypervisor;
    /// Vector save register.
    VRSAVE = 256, "vrsave", User, User;
    /// SPR general 3, user read.
    USPRG3 = 259, "usprg3", User, None;
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
    /// Software register 4 (BookE; shared page only on Book3S).
    SPRG4 = 276, "sprg4", Privileged, Privileged;
    /// Software register 5.
    SPRG5 = 277, "sprg5", Privileged, Privileged;
    /// Software register 6.
    SPRG6 = 278, "sprg6", Privileged, Privileged;
    /// Software register 7.
    SPRG7 = 279, "sprg7", Privileged, Privileged;
    /// Time base lower, write.
    TBLW = 284, "tbl", Hypervisor, Hypervisor;
    /// Time base upper, write.
    TBUW = 285, "tbu", Hypervisor, Hypervisor;
    /// Time base bits 0 to 39, write.
    TBU40 = 286, "tbu40", None, Hypervisor;
    /// Processor version register.
    PVR = 287, "pvr", Privileged, None;
    /// Hypervisor software register 0.
    HSPRG0 = 304, "hsprg0", Hypervisor, Hypervisor;
    /// Hypervisor software register 1.
    HSPRG1 = 305, "hsprg1", Hypervisor, Hypervisor;
    /// Hypervisor data storage interrupt status.
    HDSISR = 306, "hdsisr", Hypervisor, Hypervisor;
    /// Hypervisor data address.
    HDAR = 307, "hdar", Hypervisor, Hypervisor;
    /// Scaled processor utilisation of resources.
    SPURR = 308, "spurr", Privileged, Hypervisor;
    /// Processor utilisation of resources.
    PURR = 309, "purr", Privileged, Hypervisor;
    /// Hypervisor decrementer.
    HDEC = 310, "hdec", Hypervisor, Hypervisor;
    /// Hypervisor real mode offset.
    HRMOR = 313, "hrmor", Hypervisor, Hypervisor;
    /// Hypervisor save/restore 0.
    HSRR0 = 314, "hsrr0", Hypervisor, Hypervisor;
    /// Hypervisor save/restore 1.
    HSRR1 = 315, "hsrr1", Hypervisor, Hypervisor;
    /// Logical partitioning control.
    LPCR = 318, "lpcr", Hypervisor, Hypervisor;
    /// Logical partition identification.
    LPIDR = 319, "lpidr", Hypervisor, Hypervisor;
    /// Hypervisor maintenance exception.
    HMER = 336, "hmer", Hypervisor, Hypervisor;
    /// Hypervisor maintenance exception enable.
    HMEER = 337, "hmeer", Hypervisor, Hypervisor;
    /// Processor compatibility.
    PCR = 338, "pcr", Hypervisor, Hypervisor;
    /// Hypervisor emulation instruction.
    HEIR = 339, "heir", Hypervisor, Hypervisor;
    /// Authority mask override.
    AMOR = 349, "amor", Hypervisor, Hypervisor;
    /// Thread identification.
    TIR = 446, "tir", Privileged, None;
    /// Hypervisor dynamic execution control, user read of the aspects of problem state.
    UHDEXCR = 455, "uhdexcr", User, None;
    /// Partition table control.
    PTCR = 464, "ptcr", Hypervisor, Hypervisor;
    /// Key of hashst and hashchk.
    HASHKEYR = 468, "hashkeyr", Privileged, Privileged;
    /// Key of hashstp and hashchkp.
    HASHPKEYR = 469, "hashpkeyr", Hypervisor, Hypervisor;
    /// Hypervisor dynamic execution control.
    HDEXCR = 471, "hdexcr", Hypervisor, Hypervisor;
    /// Virtual accelerator: user mode IAMR and friends end here.
    USIER2 = 736, "usier2", User, None;
    /// Performance monitor, user read of SIER.
    USIER = 768, "usier", User, User;
    /// User MMCR2.
    UMMCR2 = 769, "ummcr2", User, User;
    /// User MMCRA.
    UMMCRA = 770, "ummcra", User, User;
    /// User PMC1.
    UPMC1 = 771, "upmc1", User, User;
    /// User PMC2.
    UPMC2 = 772, "upmc2", User, User;
    /// User PMC3.
    UPMC3 = 773, "upmc3", User, User;
    /// User PMC4.
    UPMC4 = 774, "upmc4", User, User;
    /// User PMC5.
    UPMC5 = 775, "upmc5", User, User;
    /// User PMC6.
    UPMC6 = 776, "upmc6", User, User;
    /// User MMCR0.
    UMMCR0 = 779, "ummcr0", User, User;
    /// User SIAR.
    USIAR = 780, "usiar", User, User;
    /// User SDAR.
    USDAR = 781, "usdar", User, User;
    /// User MMCR1.
    UMMCR1 = 782, "ummcr1", User, None;
    /// Sampled instruction event register.
    SIER = 784, "sier", Privileged, Privileged;
    /// Monitor mode control 2.
    MMCR2 = 785, "mmcr2", Privileged, Privileged;
    /// Monitor mode control A.
    MMCRA = 786, "mmcra", Privileged, Privileged;
    /// Performance monitor counter 1.
    PMC1 = 787, "pmc1", Privileged, Privileged;
    /// Performance monitor counter 2.
    PMC2 = 788, "pmc2", Privileged, Privileged;
    /// Performance monitor counter 3.
    PMC3 = 789, "pmc3", Privileged, Privileged;
    /// Performance monitor counter 4.
    PMC4 = 790, "pmc4", Privileged, Privileged;
    /// Performance monitor counter 5.
    PMC5 = 791, "pmc5", Privileged, Privileged;
    /// Performance monitor counter 6.
    PMC6 = 792, "pmc6", Privileged, Privileged;
    /// Monitor mode control 0.
    MMCR0 = 795, "mmcr0", Privileged, Privileged;
    /// Sampled instruction address.
    SIAR = 796, "siar", Privileged, Privileged;
    /// Sampled data address.
    SDAR = 797, "sdar", Privileged, Privileged;
    /// Monitor mode control 1.
    MMCR1 = 798, "mmcr1", Privileged, Privileged;
    /// Branch event status and control, set.
    BESCRS = 800, "bescrs", User, User;
    /// Branch event status and control, set upper.
    BESCRSU = 801, "bescrsu", User, User;
    /// Branch event status and control, reset.
    BESCRR = 802, "bescrr", User, User;
    /// Branch event status and control, reset upper.
    BESCRRU = 803, "bescrru", User, User;
    /// Event-based branch handler.
    EBBHR = 804, "ebbhr", User, User;
    /// Event-based branch return.
    EBBRR = 805, "ebbrr", User, User;
    /// Branch event status and control.
    BESCR = 806, "bescr", User, User;
    /// Reserved for future use: moves to and from it do nothing.
    RESERVED0 = 808, "reserved", User, User;
    /// The same.
    RESERVED1 = 809, "reserved", User, User;
    /// The same.
    RESERVED2 = 810, "reserved", User, User;
    /// The same.
    RESERVED3 = 811, "reserved", User, User;
    /// Dynamic execution control, user read of the aspects of problem state.
    UDEXCR = 812, "udexcr", User, None;
    /// Target address register.
    TAR = 815, "tar", User, User;
    /// Address space and processor control.
    ASDR = 816, "asdr", Hypervisor, Hypervisor;
    /// Processor stop status and control.
    PSSCR_PR = 823, "psscr", Privileged, Privileged;
    /// Dynamic execution control.
    DEXCR = 828, "dexcr", Privileged, Privileged;
    /// Instruction counter.
    IC = 848, "ic", Privileged, Hypervisor;
    /// Virtual time base.
    VTB = 849, "vtb", Privileged, Hypervisor;
    /// Processor stop status and control, hypervisor.
    PSSCR = 855, "psscr", Hypervisor, Hypervisor;
    /// Flush triggers and scratch.
    TRIG0 = 880, "trig0", Privileged, Privileged;
    /// Flush triggers and scratch.
    TRIG1 = 881, "trig1", Privileged, Privileged;
    /// Flush triggers and scratch.
    TRIG2 = 882, "trig2", Privileged, Privileged;
    /// Program priority register.
    PPR = 896, "ppr", User, User;
    /// Program priority register, upper word.
    PPR32 = 898, "ppr32", User, User;
    /// Hardware implementation 0.
    HID0 = 1008, "hid0", Hypervisor, Hypervisor;
    /// Processor identification.
    PIR = 1023, "pir", Privileged, None;
}

/// The SPR with this number, if `cpu` has one.
pub fn of(cpu: Cpu, number: u16) -> Option<&'static Spr> {
    let has = match cpu.family() {
        Family::Book3s64 => has(cpu, number),
        Family::Book3s32 => book3s32::has(cpu, number),
        Family::BookE => true,
    };
    spr(cpu.family(), number).filter(|_| has)
}

/// Whether the Book3S-64 model has an SPR of this number, if any model has one.
fn has(cpu: Cpu, number: u16) -> bool {
    match number {
        TFHAR..=TEXASRU => cpu.level() < 310,
        UHDEXCR | HASHKEYR | HASHPKEYR | HDEXCR | UDEXCR | DEXCR => cpu.level() >= 310,
        _ => true,
    }
}

/// The SPR number in an `mfspr` or `mtspr` word, whose halves stand exchanged.
pub fn number(word: u32) -> u16 {
    ((word >> 16 & 31) | (word >> 6 & 0x3e0)) as u16
}

/// The SPR with this number, if the family has one.
pub fn spr(family: Family, number: u16) -> Option<&'static Spr> {
    let table = match family {
        Family::Book3s64 => SPRS,
        Family::Book3s32 => book3s32::SPRS,
        Family::BookE => booke::SPRS,
    };
    table.iter().find(|s| s.number == number)
}
