//! Privileged instructions: those of all families and of Book III-S here, the other families' in a file each.

use crate::cpu::{ALL, BOOKE, CLASSIC, Models, SERVER, TO_207, TO_300, Unit, V207, V300};
use crate::op::Op;
use crate::row::{Row, fact::*};

pub mod book3s32;
pub mod booke;

pub use book3s32::Book3s32;
pub use booke::{BookE, External};

/// Semantic operations of Book III.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum System {
    /// Return from interrupt, 32 bits.
    Rfi,
    /// Return from interrupt doubleword.
    Rfid,
    /// Return from system call vectored.
    Rfscv,
    /// Move to MSR, low word.
    Mtmsr,
    /// Move to MSR; L=1 changes only EE and RI.
    Mtmsrd,
    /// Move from MSR.
    Mfmsr,
    /// TLB invalidate, on all threads (`local` for this one only).
    Tlbie {
        /// Only this thread.
        local: bool,
    },
    /// TLB synchronise.
    Tlbsync,
    /// SLB invalidate entry.
    Slbie,
    /// SLB invalidate all but entry 0, as IH says.
    Slbia,
    /// SLB move to entry.
    Slbmte,
    /// SLB move from entry, VSID word.
    Slbmfev,
    /// SLB move from entry, ESID word.
    Slbmfee,
    /// SLB find entry.
    Slbfee,
    /// Synchronise SLB invalidations.
    Slbsync,
    /// Message send or clear to a thread of this core.
    MessagePrivileged {
        /// Clear instead of send.
        clear: bool,
    },
    /// Transactional memory: a facility that is never available.
    Transaction,
    /// Hypervisor resources: the guest has none of them.
    Hypervisor,
    /// Of Book3S-32 only.
    Book3s32(Book3s32),
    /// Of BookE only.
    BookE(BookE),
}

const fn row(
    name: &'static str,
    picture: &'static str,
    asm: &'static str,
    models: Models,
    facts: u32,
    op: System,
) -> Row {
    Row::new(name, picture, asm, models, Unit::None, facts, Op::System(op))
}

/// The rows.
#[rustfmt::skip]
pub const ROWS: &[Row] = &[
    row("rfi",     "19 /5 /5 /5 50 /1",       "",          CLASSIC.or(BOOKE), PRIV|SYNC|END, System::Rfi),
    row("rfid",    "19 /5 /5 /5 18 /1",       "",          SERVER, PRIV|SYNC|END, System::Rfid),
    row("rfscv",   "19 /5 /5 /5 82 /1",       "",          V300, PRIV|SYNC|END|R_LR|R_CTR, System::Rfscv),
    row("hrfid",   "19 /5 /5 /5 274 /1",      "",          SERVER, HV|SYNC|END,   System::Hypervisor),
    row("mtmsr",   "31 RS /5 /5 146 /1",      "RS",        CLASSIC.or(BOOKE), PRIV|SYNC|END, System::Mtmsr),
    row("mtmsr",   "31 RS /4 L /5 146 /1",    "RS,L",      SERVER, PRIV|SYNC|END, System::Mtmsr),
    row("mtmsrd",  "31 RS /4 L /5 178 /1",    "RS,L",      SERVER, PRIV|SYNC|END, System::Mtmsrd),
    row("mfmsr",   "31 RT /5 /5 83 /1",       "=RT",       ALL, PRIV, System::Mfmsr),
    row("tlbie",   "31 RS /1 RIC PRS R RB 306 /1", "RB,RS,RIC,PRS,R", V300, PRIV, System::Tlbie { local: false }),
    row("tlbiel",  "31 RS /1 RIC PRS R RB 274 /1", "RB,RS,RIC,PRS,R", V300, PRIV, System::Tlbie { local: true }),
    row("tlbie",   "31 RS /5 RB 306 /1",      "RB,RS",     TO_207, PRIV, System::Tlbie { local: false }),
    row("tlbiel",  "31 /5 /5 RB 274 /1",      "RB",        TO_207, PRIV, System::Tlbie { local: true }),
    row("tlbsync", "31 /5 /5 /5 566 /1",      "",          SERVER, PRIV, System::Tlbsync),
    row("slbie",   "31 /5 /5 RB 434 /1",      "RB",        SERVER, PRIV, System::Slbie),
    row("slbieg",  "31 RS /5 RB 466 /1",      "RS,RB",     V300, PRIV, System::Slbie),
    row("slbia",   "31 /2 IH /5 /5 498 /1",   "IH",        SERVER, PRIV, System::Slbia),
    row("slbmte",  "31 RS /5 RB 402 /1",      "RS,RB",     SERVER, PRIV, System::Slbmte),
    row("slbmfev", "31 RT /5 RB 851 /1",      "=RT,RB",    SERVER, PRIV, System::Slbmfev),
    row("slbmfee", "31 RT /5 RB 915 /1",      "=RT,RB",    SERVER, PRIV, System::Slbmfee),
    row("slbfee.", "31 RT /5 RB 979 1:1",     "=RT,RB",    SERVER, PRIV|W_CR0, System::Slbfee),
    row("slbsync", "31 /5 /5 /5 338 /1",      "",          V300, PRIV, System::Slbsync),
    row("msgsndp", "31 /5 /5 RB 142 /1",      "RB",        V207, PRIV, System::MessagePrivileged { clear: false }),
    row("msgclrp", "31 /5 /5 RB 174 /1",      "RB",        V207, PRIV, System::MessagePrivileged { clear: true }),
    row("treclaim.", "31 /5 RA /5 942 1:1",   "RA",        TO_300, PRIV, System::Transaction),
    row("trechkpt.", "31 /5 /5 /5 1006 1:1",  "",          TO_300, PRIV, System::Transaction),
    row("msgsnd",  "31 /5 /5 RB 206 /1",      "RB",        V207, HV, System::Hypervisor),
    row("msgclr",  "31 /5 /5 RB 238 /1",      "RB",        V207, HV, System::Hypervisor),
    row("msgsync", "31 /5 /5 /5 886 /1",      "",          V300, HV, System::Hypervisor),
    row("stop",    "19 /5 /5 /5 370 /1",      "",          V300, HV, System::Hypervisor),
    row("doze",    "19 /5 /5 /5 402 /1",      "",          TO_207, HV, System::Hypervisor),
    row("nap",     "19 /5 /5 /5 434 /1",      "",          TO_207, HV, System::Hypervisor),
    row("sleep",   "19 /5 /5 /5 466 /1",      "",          TO_207, HV, System::Hypervisor),
    row("rvwinkle", "19 /5 /5 /5 498 /1",     "",          TO_207, HV, System::Hypervisor),
    row("lbzcix",  "31 RT RA RB 853 /1",      "=RT,RA0,RB", SERVER, HV, System::Hypervisor),
    row("lhzcix",  "31 RT RA RB 821 /1",      "=RT,RA0,RB", SERVER, HV, System::Hypervisor),
    row("lwzcix",  "31 RT RA RB 789 /1",      "=RT,RA0,RB", SERVER, HV, System::Hypervisor),
    row("ldcix",   "31 RT RA RB 885 /1",      "=RT,RA0,RB", SERVER, HV, System::Hypervisor),
    row("stbcix",  "31 RS RA RB 981 /1",      "RS,RA0,RB", SERVER, HV, System::Hypervisor),
    row("sthcix",  "31 RS RA RB 949 /1",      "RS,RA0,RB", SERVER, HV, System::Hypervisor),
    row("stwcix",  "31 RS RA RB 917 /1",      "RS,RA0,RB", SERVER, HV, System::Hypervisor),
    row("stdcix",  "31 RS RA RB 1013 /1",     "RS,RA0,RB", SERVER, HV, System::Hypervisor),
];
