//! Fixed-point loads and stores, reservations, cache management and barriers (Power ISA Book I, section 3.3;
//! Book II, chapter 4).

use crate::cpu::{
    ALL, ALTIVEC, BOOKE, CLASSIC, Cpu, E5500, E6500, G4, Models, SERVER, SIXTY_FOUR, SPE, STRING, THIRTY_TWO, TO_300,
    Unit, V207, V300, V310,
};
use crate::op::Op;
use crate::row::{Row, fact::*};

/// Semantic operations of this file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LoadStore {
    /// Load into a GPR.
    Load(Access),
    /// Store from a GPR.
    Store(Access),
    /// Load consecutive registers up to r31.
    LoadMultiple,
    /// Store consecutive registers up to r31.
    StoreMultiple,
    /// Load a string; the count is NB or `XER[57:63]`.
    LoadString {
        /// Count in XER.
        indexed: bool,
    },
    /// Store a string.
    StoreString {
        /// Count in XER.
        indexed: bool,
    },
    /// Load a quadword into an even/odd pair.
    LoadQuad,
    /// Store a quadword from an even/odd pair.
    StoreQuad,
    /// Load a quadword into an even/odd pair, the doubleword at the lower address into the even register in either
    /// byte order.
    LoadQuadPrefixed,
    /// Store such a quadword.
    StoreQuadPrefixed,
    /// Load and reserve 1, 2, 4, 8 or 16 bytes.
    LoadReserve {
        /// Bytes.
        bytes: u8,
    },
    /// Store conditional of 1, 2, 4, 8 or 16 bytes.
    StoreConditional {
        /// Bytes.
        bytes: u8,
    },
    /// Atomic load: read, modify, return the old value; the function is FC.
    LoadAtomic {
        /// Bytes.
        bytes: u8,
    },
    /// Atomic store: read, modify; the function is FC.
    StoreAtomic {
        /// Bytes.
        bytes: u8,
    },
    /// Set a data cache block to zero.
    BlockZero,
    /// Cache and prefetch hints without an effect on the guest's state.
    Hint,
    /// Reserved: does nothing (Power ISA Book I, section 1.8.3).
    ReservedNoOp,
    /// Store or check a hash of two registers (Power ISA 3.1B Book I, section 3.3.17.2).
    Hash {
        /// Compare with what is stored, and trap if it differs.
        check: bool,
        /// With the key of privileged software.
        privileged: bool,
    },
    /// Cache operations that translate their address (dcbf, dcbst, icbi) but change nothing else.
    Touch {
        /// For instruction fetching.
        instruction: bool,
    },
    /// Barriers that order loads and stores: sync by L and SC, msync, mbar.
    Sync,
    /// Barrier that orders stores to memory, and loads and stores to devices.
    Eieio,
    /// Instruction synchronise.
    Isync,
    /// Copy, paste: memory to memory on POWER10; POWER9 pastes to accelerators only, and paste. reports failure.
    CopyPaste(CopyPaste),
    /// Lock or unlock a cache block (BookE).
    Lock {
        /// In the instruction cache.
        instruction: bool,
        /// For stores.
        store: bool,
        /// Unlock.
        clear: bool,
    },
    /// Wait for an interrupt. Book3S returns at once, which the architecture allows.
    Wait,
    /// Load or store a word through the external access facility, which `EAR[E]` does not let happen.
    External {
        /// Store.
        store: bool,
    },
}

/// The copy-paste facility.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CopyPaste {
    /// copy.
    Copy,
    /// paste.
    Paste,
    /// cpabort.
    Abort,
}

/// How a plain load or store forms its address and its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Access {
    /// 1, 2, 4 or 8.
    pub bytes: u8,
    /// Address form.
    pub form: Form,
    /// Write the address back to RA.
    pub update: bool,
    /// Sign-extend (loads).
    pub signed: bool,
    /// Byte-reversed.
    pub reversed: bool,
}

/// Address forms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Base and 16-bit displacement.
    D,
    /// Base and 14-bit displacement times 4.
    Ds,
    /// Base and index.
    X,
    /// Base and 34-bit displacement, or with R=1 the address of the instruction in place of the base.
    Prefixed,
}

const fn row(
    name: &'static str,
    picture: &'static str,
    asm: &'static str,
    models: Models,
    facts: u32,
    op: LoadStore,
) -> Row {
    Row::new(name, picture, asm, models, Unit::None, facts, Op::LoadStore(op))
}

const fn access(bytes: u8, form: Form, update: bool, signed: bool, reversed: bool) -> Access {
    Access { bytes, form, update, signed, reversed }
}

const fn ld(bytes: u8, form: Form) -> LoadStore {
    LoadStore::Load(access(bytes, form, false, false, false))
}

const fn ldu(bytes: u8, form: Form) -> LoadStore {
    LoadStore::Load(access(bytes, form, true, false, false))
}

const fn lda(bytes: u8, form: Form, update: bool) -> LoadStore {
    LoadStore::Load(access(bytes, form, update, true, false))
}

const fn st(bytes: u8, form: Form) -> LoadStore {
    LoadStore::Store(access(bytes, form, false, false, false))
}

const fn stu(bytes: u8, form: Form) -> LoadStore {
    LoadStore::Store(access(bytes, form, true, false, false))
}

const fn ldr(bytes: u8) -> LoadStore {
    LoadStore::Load(access(bytes, Form::X, false, false, true))
}

const fn str(bytes: u8) -> LoadStore {
    LoadStore::Store(access(bytes, Form::X, false, false, true))
}

use Form::{D, Ds, Prefixed, X};
use LoadStore::{LoadReserve, StoreConditional};

const fn lock(instruction: bool, store: bool, clear: bool) -> LoadStore {
    LoadStore::Lock { instruction, store, clear }
}

/// The rows.
#[rustfmt::skip]
pub const ROWS: &[Row] = &[
    row("lbz",   "34 RT RA D",            "=RT,D(RA0)",   ALL, LOAD, ld(1, D)),
    row("lbzu",  "35 RT RA D",            "=RT,D(+RA)",   ALL, LOAD, ldu(1, D)),
    row("lbzx",  "31 RT RA RB 87 /1",     "=RT,RA0,RB",   ALL, LOAD, ld(1, X)),
    row("lbzux", "31 RT RA RB 119 /1",    "=RT,+RA,RB",   ALL, LOAD, ldu(1, X)),
    row("lhz",   "40 RT RA D",            "=RT,D(RA0)",   ALL, LOAD, ld(2, D)),
    row("lhzu",  "41 RT RA D",            "=RT,D(+RA)",   ALL, LOAD, ldu(2, D)),
    row("lhzx",  "31 RT RA RB 279 /1",    "=RT,RA0,RB",   ALL, LOAD, ld(2, X)),
    row("lhzux", "31 RT RA RB 311 /1",    "=RT,+RA,RB",   ALL, LOAD, ldu(2, X)),
    row("lha",   "42 RT RA D",            "=RT,D(RA0)",   ALL, LOAD, lda(2, D, false)),
    row("lhau",  "43 RT RA D",            "=RT,D(+RA)",   ALL, LOAD, lda(2, D, true)),
    row("lhax",  "31 RT RA RB 343 /1",    "=RT,RA0,RB",   ALL, LOAD, lda(2, X, false)),
    row("lhaux", "31 RT RA RB 375 /1",    "=RT,+RA,RB",   ALL, LOAD, lda(2, X, true)),
    row("lwz",   "32 RT RA D",            "=RT,D(RA0)",   ALL, LOAD, ld(4, D)),
    row("lwzu",  "33 RT RA D",            "=RT,D(+RA)",   ALL, LOAD, ldu(4, D)),
    row("lwzx",  "31 RT RA RB 23 /1",     "=RT,RA0,RB",   ALL, LOAD, ld(4, X)),
    row("lwzux", "31 RT RA RB 55 /1",     "=RT,+RA,RB",   ALL, LOAD, ldu(4, X)),
    row("lwa",   "58 RT RA DS 2:2",       "=RT,DS(RA0)",  SIXTY_FOUR, LOAD, lda(4, Ds, false)),
    row("lwax",  "31 RT RA RB 341 /1",    "=RT,RA0,RB",   SIXTY_FOUR, LOAD, lda(4, X, false)),
    row("lwaux", "31 RT RA RB 373 /1",    "=RT,+RA,RB",   SIXTY_FOUR, LOAD, lda(4, X, true)),
    row("ld",    "58 RT RA DS 0:2",       "=RT,DS(RA0)",  SIXTY_FOUR, LOAD, ld(8, Ds)),
    row("ldu",   "58 RT RA DS 1:2",       "=RT,DS(+RA)",  SIXTY_FOUR, LOAD, ldu(8, Ds)),
    row("ldx",   "31 RT RA RB 21 /1",     "=RT,RA0,RB",   SIXTY_FOUR, LOAD, ld(8, X)),
    row("ldux",  "31 RT RA RB 53 /1",     "=RT,+RA,RB",   SIXTY_FOUR, LOAD, ldu(8, X)),
    row("stb",   "38 RS RA D",            "RS,D(RA0)",    ALL, STORE, st(1, D)),
    row("stbu",  "39 RS RA D",            "RS,D(+RA)",    ALL, STORE, stu(1, D)),
    row("stbx",  "31 RS RA RB 215 /1",    "RS,RA0,RB",    ALL, STORE, st(1, X)),
    row("stbux", "31 RS RA RB 247 /1",    "RS,+RA,RB",    ALL, STORE, stu(1, X)),
    row("sth",   "44 RS RA D",            "RS,D(RA0)",    ALL, STORE, st(2, D)),
    row("sthu",  "45 RS RA D",            "RS,D(+RA)",    ALL, STORE, stu(2, D)),
    row("sthx",  "31 RS RA RB 407 /1",    "RS,RA0,RB",    ALL, STORE, st(2, X)),
    row("sthux", "31 RS RA RB 439 /1",    "RS,+RA,RB",    ALL, STORE, stu(2, X)),
    row("stw",   "36 RS RA D",            "RS,D(RA0)",    ALL, STORE, st(4, D)),
    row("stwu",  "37 RS RA D",            "RS,D(+RA)",    ALL, STORE, stu(4, D)),
    row("stwx",  "31 RS RA RB 151 /1",    "RS,RA0,RB",    ALL, STORE, st(4, X)),
    row("stwux", "31 RS RA RB 183 /1",    "RS,+RA,RB",    ALL, STORE, stu(4, X)),
    row("std",   "62 RS RA DS 0:2",       "RS,DS(RA0)",   SIXTY_FOUR, STORE, st(8, Ds)),
    row("stdu",  "62 RS RA DS 1:2",       "RS,DS(+RA)",   SIXTY_FOUR, STORE, stu(8, Ds)),
    row("stdx",  "31 RS RA RB 149 /1",    "RS,RA0,RB",    SIXTY_FOUR, STORE, st(8, X)),
    row("stdux", "31 RS RA RB 181 /1",    "RS,+RA,RB",    SIXTY_FOUR, STORE, stu(8, X)),
    row("plbz",  "1 2:2 0:1 /2 R /2 dh | 34 RT RA dl", "=RT,D34(RA0),R", V310, LOAD, ld(1, Prefixed)),
    row("plhz",  "1 2:2 0:1 /2 R /2 dh | 40 RT RA dl", "=RT,D34(RA0),R", V310, LOAD, ld(2, Prefixed)),
    row("plha",  "1 2:2 0:1 /2 R /2 dh | 42 RT RA dl", "=RT,D34(RA0),R", V310, LOAD, lda(2, Prefixed, false)),
    row("plwz",  "1 2:2 0:1 /2 R /2 dh | 32 RT RA dl", "=RT,D34(RA0),R", V310, LOAD, ld(4, Prefixed)),
    row("plwa",  "1 0:2 0:1 /2 R /2 dh | 41 RT RA dl", "=RT,D34(RA0),R", V310, LOAD, lda(4, Prefixed, false)),
    row("pld",   "1 0:2 0:1 /2 R /2 dh | 57 RT RA dl", "=RT,D34(RA0),R", V310, LOAD, ld(8, Prefixed)),
    row("pstb",  "1 2:2 0:1 /2 R /2 dh | 38 RS RA dl", "RS,D34(RA0),R",  V310, STORE, st(1, Prefixed)),
    row("psth",  "1 2:2 0:1 /2 R /2 dh | 44 RS RA dl", "RS,D34(RA0),R",  V310, STORE, st(2, Prefixed)),
    row("pstw",  "1 2:2 0:1 /2 R /2 dh | 36 RS RA dl", "RS,D34(RA0),R",  V310, STORE, st(4, Prefixed)),
    row("pstd",  "1 0:2 0:1 /2 R /2 dh | 61 RS RA dl", "RS,D34(RA0),R",  V310, STORE, st(8, Prefixed)),
    row("lhbrx", "31 RT RA RB 790 /1",    "=RT,RA0,RB",   ALL, LOAD, ldr(2)),
    row("lwbrx", "31 RT RA RB 534 /1",    "=RT,RA0,RB",   ALL, LOAD, ldr(4)),
    row("ldbrx", "31 RT RA RB 532 /1",    "=RT,RA0,RB",   SIXTY_FOUR, LOAD, ldr(8)),
    row("sthbrx", "31 RS RA RB 918 /1",   "RS,RA0,RB",    ALL, STORE, str(2)),
    row("stwbrx", "31 RS RA RB 662 /1",   "RS,RA0,RB",    ALL, STORE, str(4)),
    row("stdbrx", "31 RS RA RB 660 /1",   "RS,RA0,RB",    SIXTY_FOUR, STORE, str(8)),
    row("lmw",   "46 RT RA D",            "=RT,D(RA0)",   ALL, LOAD|MULTI,  LoadStore::LoadMultiple),
    row("stmw",  "47 RS RA D",            "RS,D(RA0)",    ALL, STORE|MULTI, LoadStore::StoreMultiple),
    row("lswi",  "31 RT RA NB 597 /1",    "=RT,RA0,NB",   STRING, LOAD|MULTI,  LoadStore::LoadString { indexed: false }),
    row("lswx",  "31 RT RA RB 533 /1",    "=RT,RA0,RB",   STRING, LOAD|MULTI|R_XER, LoadStore::LoadString { indexed: true }),
    row("stswi", "31 RS RA NB 725 /1",    "RS,RA0,NB",    STRING, STORE|MULTI, LoadStore::StoreString { indexed: false }),
    row("stswx", "31 RS RA RB 661 /1",    "RS,RA0,RB",    STRING, STORE|MULTI|R_XER, LoadStore::StoreString { indexed: true }),
    row("lq",    "56 RT RA DQ /4",        "=RTp,DQ(RA0)", V207, LOAD|MULTI,  LoadStore::LoadQuad),
    row("stq",   "62 RS RA DS 2:2",       "RSp,DS(RA0)",  V207, STORE|MULTI, LoadStore::StoreQuad),
    row("plq",   "1 0:2 0:1 /2 R /2 dh | 56 RT RA dl", "=RTp,D34(RA0),R", V310, LOAD|MULTI, LoadStore::LoadQuadPrefixed),
    row("pstq",  "1 0:2 0:1 /2 R /2 dh | 60 RS RA dl", "RSp,D34(RA0),R",  V310, STORE|MULTI, LoadStore::StoreQuadPrefixed),
    row("lbarx", "31 RT RA RB 52 EH",     "=RT,RA0,RB,EH", V207.or(E6500), LOAD|RESERVE, LoadReserve { bytes: 1 }),
    row("lharx", "31 RT RA RB 116 EH",    "=RT,RA0,RB,EH", V207.or(E6500), LOAD|RESERVE, LoadReserve { bytes: 2 }),
    row("lwarx", "31 RT RA RB 20 EH",     "=RT,RA0,RB,EH", SIXTY_FOUR, LOAD|RESERVE, LoadReserve { bytes: 4 }),
    row("lwarx", "31 RT RA RB 20 /1",     "=RT,RA0,RB",   THIRTY_TWO, LOAD|RESERVE, LoadReserve { bytes: 4 }),
    row("ldarx", "31 RT RA RB 84 EH",     "=RT,RA0,RB,EH", SIXTY_FOUR, LOAD|RESERVE, LoadReserve { bytes: 8 }),
    row("lqarx", "31 RT RA RB 276 EH",    "=RTp,RA0,RB,EH", V207, LOAD|RESERVE|MULTI, LoadReserve { bytes: 16 }),
    row("stbcx.", "31 RS RA RB 694 1:1",  "RS,RA0,RB",    V207.or(E6500), STORE|RESERVE|W_CR0, StoreConditional { bytes: 1 }),
    row("sthcx.", "31 RS RA RB 726 1:1",  "RS,RA0,RB",    V207.or(E6500), STORE|RESERVE|W_CR0, StoreConditional { bytes: 2 }),
    row("stwcx.", "31 RS RA RB 150 1:1",  "RS,RA0,RB",    ALL, STORE|RESERVE|W_CR0, StoreConditional { bytes: 4 }),
    row("stdcx.", "31 RS RA RB 214 1:1",  "RS,RA0,RB",    SIXTY_FOUR, STORE|RESERVE|W_CR0, StoreConditional { bytes: 8 }),
    row("stqcx.", "31 RS RA RB 182 1:1",  "RSp,RA0,RB",   V207, STORE|RESERVE|W_CR0|MULTI, StoreConditional { bytes: 16 }),
    row("lwat",  "31 RT RA FC 582 /1",    "=RT,RA0,FC",   V300, LOAD|STORE|MULTI, LoadStore::LoadAtomic { bytes: 4 }),
    row("ldat",  "31 RT RA FC 614 /1",    "=RT,RA0,FC",   V300, LOAD|STORE|MULTI, LoadStore::LoadAtomic { bytes: 8 }),
    row("stwat", "31 RS RA FC 710 /1",    "RS,RA0,FC",    V300, LOAD|STORE|MULTI, LoadStore::StoreAtomic { bytes: 4 }),
    row("stdat", "31 RS RA FC 742 /1",    "RS,RA0,FC",    V300, LOAD|STORE|MULTI, LoadStore::StoreAtomic { bytes: 8 }),
    row("dcbz",  "31 /5 RA RB 1014 /1",   "RA0,RB",       SERVER.or(THIRTY_TWO), STORE, LoadStore::BlockZero),
    row("dcbz",  "31 /4 0:1 RA RB 1014 /1", "RA0,RB",     E5500, STORE, LoadStore::BlockZero),
    row("dcbzl", "31 /4 1:1 RA RB 1014 /1", "RA0,RB",     E5500, STORE, LoadStore::BlockZero),
    row("dcbt",  "31 TH RA RB 278 /1",    "RA0,RB,TH",    SERVER.or(BOOKE), 0, LoadStore::Hint),
    row("dcbt",  "31 /5 RA RB 278 /1",    "RA0,RB",       CLASSIC, 0, LoadStore::Hint),
    row("dcbtst", "31 TH RA RB 246 /1",   "RA0,RB,TH",    SERVER.or(BOOKE), 0, LoadStore::Hint),
    row("dcbtst", "31 /5 RA RB 246 /1",   "RA0,RB",       CLASSIC, 0, LoadStore::Hint),
    row("icbt",  "31 /1 CT RA RB 22 /1",  "CT,RA0,RB",    V207.or(BOOKE), 0, LoadStore::Hint),
    row("dcba",  "31 /5 RA RB 758 /1",    "RA0,RB",       G4.or(BOOKE), 0, LoadStore::Hint),
    row("dcbtstls", "31 /1 CT RA RB 134 /1", "CT,RA0,RB", BOOKE, STORE, lock(false, true, false)),
    row("dcbtls", "31 /1 CT RA RB 166 /1", "CT,RA0,RB",   BOOKE, LOAD,  lock(false, false, false)),
    row("icblc", "31 /1 CT RA RB 230 /1", "CT,RA0,RB",    BOOKE, LOAD,  lock(true, false, true)),
    row("dcblc", "31 /1 CT RA RB 390 /1", "CT,RA0,RB",    BOOKE, LOAD,  lock(false, false, true)),
    row("icbtls", "31 /1 CT RA RB 486 /1", "CT,RA0,RB",   BOOKE, LOAD,  lock(true, false, false)),
    row("dst",   "31 0:1 /2 STRM RA RB 342 /1", "RA0,RB,STRM", ALTIVEC, 0, LoadStore::Hint),
    row("dstt",  "31 1:1 /2 STRM RA RB 342 /1", "RA0,RB,STRM", ALTIVEC, 0, LoadStore::Hint),
    row("dstst", "31 0:1 /2 STRM RA RB 374 /1", "RA0,RB,STRM", ALTIVEC, 0, LoadStore::Hint),
    row("dststt", "31 1:1 /2 STRM RA RB 374 /1", "RA0,RB,STRM", ALTIVEC, 0, LoadStore::Hint),
    row("dss",   "31 0:1 /2 STRM /5 /5 822 /1", "STRM",       ALTIVEC, 0, LoadStore::Hint),
    row("dssall", "31 1:1 /2 /2 /5 /5 822 /1", "",            ALTIVEC, 0, LoadStore::Hint),
    row("dcbst", "31 /5 RA RB 54 /1",     "RA0,RB",       ALL, LOAD, LoadStore::Touch { instruction: false }),
    row("dcbf",  "31 /3 L2 RA RB 86 /1",  "RA0,RB,L2",    TO_300, LOAD, LoadStore::Touch { instruction: false }),
    row("dcbf",  "31 /2 L3 RA RB 86 /1",  "RA0,RB,L3",    V310, LOAD, LoadStore::Touch { instruction: false }),
    row("dcbf",  "31 /5 RA RB 86 /1",     "RA0,RB",       CLASSIC.or(BOOKE), LOAD, LoadStore::Touch { instruction: false }),
    row("icbi",  "31 /5 RA RB 982 /1",    "RA0,RB",       ALL, LOAD, LoadStore::Touch { instruction: true }),
    row("sync",  "31 /3 L2 /2 /3 /5 598 /1", "L2",        TO_300.or(E5500), SYNC, LoadStore::Sync),
    row("sync",  "31 /2 L3 /3 SC /5 598 /1", "L3,SC",     V310, SYNC, LoadStore::Sync),
    row("sync",  "31 /5 /5 /5 598 /1",    "",             CLASSIC, SYNC, LoadStore::Sync),
    row("msync", "31 /3 0:2 /5 /5 598 /1", "",            SPE, SYNC, LoadStore::Sync),
    row("eieio", "31 /5 /5 /5 854 /1",    "",             SERVER.or(CLASSIC), 0, LoadStore::Eieio),
    row("mbar",  "31 MO /5 /5 854 /1",    "MO",           BOOKE, 0, LoadStore::Sync),
    row("isync", "19 /5 /5 /5 150 /1",    "",             ALL, SYNC|END, LoadStore::Isync),
    row("copy",  "31 /4 1:1 RA RB 774 /1", "RA0,RB",      V300, LOAD, LoadStore::CopyPaste(CopyPaste::Copy)),
    row("paste.", "31 /4 1:1 RA RB 902 1:1", "RA0,RB",    V300, STORE|W_CR0, LoadStore::CopyPaste(CopyPaste::Paste)),
    row("cpabort", "31 /5 /5 /5 838 /1", "",             V300, 0, LoadStore::CopyPaste(CopyPaste::Abort)),
    row("wait",  "31 /3 WC /5 /5 30 /1",  "WC",           Models::of(&[Cpu::Power9]), 0, LoadStore::Wait),
    row("wait",  "31 /3 WC /3 PL /5 30 /1", "WC,PL",      V310, 0, LoadStore::Wait),
    row("wait",  "31 /3 WC /5 /5 62 /1",  "WC",           E5500, END, LoadStore::Wait),
    row("eciwx", "31 RT RA RB 310 /1",    "=RT,RA0,RB",   CLASSIC, LOAD, LoadStore::External { store: false }),
    row("ecowx", "31 RS RA RB 438 /1",    "RS,RA0,RB",    CLASSIC, STORE, LoadStore::External { store: true }),
    // Return-oriented programming protection. Before Power ISA 3.1B these words are reserved no-operations, which objdump
    // shows by the names they have now.
    row("hashst", "31 hd RA RB 722 hx", "RB,HD(RA0)", V310, STORE, LoadStore::Hash { check: false, privileged: false }),
    row("hashst", "31 hd RA RB 722 hx", "RB,HD(RA0)", TO_300, 0, LoadStore::ReservedNoOp),
    row("hashchk", "31 hd RA RB 754 hx", "RB,HD(RA0)", V310, LOAD|PROGRAM, LoadStore::Hash { check: true, privileged: false }),
    row("hashchk", "31 hd RA RB 754 hx", "RB,HD(RA0)", TO_300, 0, LoadStore::ReservedNoOp),
    row("hashstp", "31 hd RA RB 658 hx", "RB,HD(RA0)", V310, PRIV|STORE, LoadStore::Hash { check: false, privileged: true }),
    row("hashstp", "31 hd RA RB 658 hx", "RB,HD(RA0)", TO_300, 0, LoadStore::ReservedNoOp),
    row("hashchkp", "31 hd RA RB 690 hx", "RB,HD(RA0)", V310, PRIV|LOAD|PROGRAM, LoadStore::Hash { check: true, privileged: true }),
    row("hashchkp", "31 hd RA RB 690 hx", "RB,HD(RA0)", TO_300, 0, LoadStore::ReservedNoOp),
    row("nop530", "31 /5 /5 /5 530 /1", "", V207, 0, LoadStore::ReservedNoOp),
    row("nop562", "31 /5 /5 /5 562 /1", "", V207, 0, LoadStore::ReservedNoOp),
    row("nop594", "31 /5 /5 /5 594 /1", "", V207, 0, LoadStore::ReservedNoOp),
    row("nop626", "31 /5 /5 /5 626 /1", "", V207, 0, LoadStore::ReservedNoOp),
];
