//! VSX loads and stores (Power ISA Book I, section 7.6.2).

use super::Vsx;
use crate::cpu::{Models, SERVER, Unit, V207, V300, V310};
use crate::op::Op;
use crate::row::{Row, fact::*};

/// Loads and stores of vector-scalar registers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Memory {
    /// Load a quadword.
    Load(Vector),
    /// Store a quadword.
    Store(Vector),
    /// Load one element into every place of the register.
    LoadSplat {
        /// Bytes of the element: 4 or 8.
        bytes: u8,
    },
    /// Load as many bytes as the top byte of RB says, at most 16.
    LoadLength {
        /// The first byte always goes to the leftmost place (`lxvll`); else big-endian mode only.
        left: bool,
    },
    /// Store as many bytes as the top byte of RB says, at most 16.
    StoreLength {
        /// The first byte always comes from the leftmost place (`stxvll`); else in big-endian mode only.
        left: bool,
    },
    /// Load two quadwords, which together are one number, into a pair of registers.
    LoadPair(Form),
    /// Store two quadwords from a pair of registers.
    StorePair(Form),
    /// Load the rightmost element, zero-extended to a quadword.
    LoadRightmost {
        /// Bytes of the element: 1, 2, 4 or 8.
        bytes: u8,
    },
    /// Store the rightmost element.
    StoreRightmost {
        /// Bytes of the element: 1, 2, 4 or 8.
        bytes: u8,
    },
    /// Load doubleword 0; doubleword 1 becomes 0.
    LoadScalar(Scalar),
    /// Store from doubleword 0.
    StoreScalar(Scalar),
}

/// A quadword in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Vector {
    /// Bytes of an element: each element is in the guest's byte order, and element 0 is at the lowest address.
    /// 16: the quadword as a whole is one number.
    pub element: u8,
    /// Address form.
    pub form: Form,
}

/// A scalar in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scalar {
    /// What it is.
    pub format: Format,
    /// Address form.
    pub form: Form,
}

/// What a scalar in memory is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Byte, zero-extended.
    Byte,
    /// Halfword, zero-extended.
    Half,
    /// Word, zero-extended.
    Word,
    /// Word, sign-extended.
    SignedWord,
    /// Doubleword.
    Double,
    /// Single-precision number, in double-precision format in the register.
    Single,
}

/// How the address is formed and which register is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// (RA|0) + RB; any VSR.
    X,
    /// (RA|0) + 16 times DQ; any VSR.
    Dq,
    /// (RA|0) + 4 times DS; VSR 32 + VRT.
    Ds,
    /// (RA|0) or, with R=1, the address of the instruction, + 34-bit displacement; scalars are in VSR 32 + VRT, vectors
    /// in any VSR.
    Prefixed,
}

const fn row(
    name: &'static str,
    picture: &'static str,
    asm: &'static str,
    models: Models,
    unit: Unit,
    facts: u32,
    op: Memory,
) -> Row {
    Row::new(name, picture, asm, models, unit, facts, Op::Vsx(Vsx::Memory(op)))
}

const fn load(element: u8, form: Form) -> Memory {
    Memory::Load(Vector { element, form })
}

const fn store(element: u8, form: Form) -> Memory {
    Memory::Store(Vector { element, form })
}

const fn load_rightmost(bytes: u8) -> Memory {
    Memory::LoadRightmost { bytes }
}

const fn store_rightmost(bytes: u8) -> Memory {
    Memory::StoreRightmost { bytes }
}

const fn load_scalar(format: Format, form: Form) -> Memory {
    Memory::LoadScalar(Scalar { format, form })
}

const fn store_scalar(format: Format, form: Form) -> Memory {
    Memory::StoreScalar(Scalar { format, form })
}

use Form::{Dq, Ds, Prefixed, X};
use Format::{Byte, Double, Half, SignedWord, Single, Word};
use Unit::{Vmx, Vsx as VSX, VsxOrVmx as EITHER};

/// The rows.
#[rustfmt::skip]
pub const ROWS: &[Row] = &[
    row("lxvd2x",   "31 T RA RB 844 TX",       "=XT,RA0,RB",   SERVER, VSX,    LOAD,  load(8, X)),
    row("lxvw4x",   "31 T RA RB 780 TX",       "=XT,RA0,RB",   SERVER, VSX,    LOAD,  load(4, X)),
    row("lxvh8x",   "31 T RA RB 812 TX",       "=XT,RA0,RB",   V300, EITHER, LOAD,  load(2, X)),
    row("lxvb16x",  "31 T RA RB 876 TX",       "=XT,RA0,RB",   V300, EITHER, LOAD,  load(1, X)),
    row("lxvx",     "31 T RA RB 4:4 /1 12 TX", "=XT,RA0,RB",   V300, EITHER, LOAD,  load(16, X)),
    row("lxv",      "61 T RA DQ TX 1",         "=XT,DQ(RA0)",  V300, EITHER, LOAD,  load(16, Dq)),
    row("stxvd2x",  "31 S RA RB 972 SX",       "XS,RA0,RB",    SERVER, VSX,    STORE, store(8, X)),
    row("stxvw4x",  "31 S RA RB 908 SX",       "XS,RA0,RB",    SERVER, VSX,    STORE, store(4, X)),
    row("stxvh8x",  "31 S RA RB 940 SX",       "XS,RA0,RB",    V300, EITHER, STORE, store(2, X)),
    row("stxvb16x", "31 S RA RB 1004 SX",      "XS,RA0,RB",    V300, EITHER, STORE, store(1, X)),
    row("stxvx",    "31 S RA RB 396 SX",       "XS,RA0,RB",    V300, EITHER, STORE, store(16, X)),
    row("stxv",     "61 S RA DQ SX 5",         "XS,DQ(RA0)",   V300, EITHER, STORE, store(16, Dq)),
    row("lxvdsx",   "31 T RA RB 332 TX",       "=XT,RA0,RB",   SERVER, VSX,    LOAD,  Memory::LoadSplat { bytes: 8 }),
    row("lxvwsx",   "31 T RA RB 364 TX",       "=XT,RA0,RB",   V300, EITHER, LOAD,  Memory::LoadSplat { bytes: 4 }),
    row("lxvl",     "31 T RA RB 269 TX",       "=XT,RA0,RB",   V300, EITHER, LOAD,  Memory::LoadLength { left: false }),
    row("lxvll",    "31 T RA RB 301 TX",       "=XT,RA0,RB",   V300, EITHER, LOAD,  Memory::LoadLength { left: true }),
    row("stxvl",    "31 S RA RB 397 SX",       "XS,RA0,RB",    V300, EITHER, STORE, Memory::StoreLength { left: false }),
    row("stxvll",   "31 S RA RB 429 SX",       "XS,RA0,RB",    V300, EITHER, STORE, Memory::StoreLength { left: true }),
    row("lxsdx",    "31 T RA RB 588 TX",       "=XT,RA0,RB",   SERVER, VSX,    LOAD,  load_scalar(Double, X)),
    row("lxsspx",   "31 T RA RB 524 TX",       "=XT,RA0,RB",   V207, VSX,    LOAD,  load_scalar(Single, X)),
    row("lxsiwax",  "31 T RA RB 76 TX",        "=XT,RA0,RB",   V207, VSX,    LOAD,  load_scalar(SignedWord, X)),
    row("lxsiwzx",  "31 T RA RB 12 TX",        "=XT,RA0,RB",   V207, VSX,    LOAD,  load_scalar(Word, X)),
    row("lxsihzx",  "31 T RA RB 813 TX",       "=XT,RA0,RB",   V300, EITHER, LOAD,  load_scalar(Half, X)),
    row("lxsibzx",  "31 T RA RB 781 TX",       "=XT,RA0,RB",   V300, EITHER, LOAD,  load_scalar(Byte, X)),
    row("lxsd",     "57 VRT RA DS 2",          "=VRT,DS(RA0)", V300, Vmx,    LOAD,  load_scalar(Double, Ds)),
    row("lxssp",    "57 VRT RA DS 3",          "=VRT,DS(RA0)", V300, Vmx,    LOAD,  load_scalar(Single, Ds)),
    row("stxsdx",   "31 S RA RB 716 SX",       "XS,RA0,RB",    SERVER, VSX,    STORE, store_scalar(Double, X)),
    row("stxsspx",  "31 S RA RB 652 SX",       "XS,RA0,RB",    V207, VSX,    STORE, store_scalar(Single, X)),
    row("stxsiwx",  "31 S RA RB 140 SX",       "XS,RA0,RB",    V207, VSX,    STORE, store_scalar(Word, X)),
    row("stxsihx",  "31 S RA RB 941 SX",       "XS,RA0,RB",    V300, EITHER, STORE, store_scalar(Half, X)),
    row("stxsibx",  "31 S RA RB 909 SX",       "XS,RA0,RB",    V300, EITHER, STORE, store_scalar(Byte, X)),
    row("stxsd",    "61 VRS RA DS 2",          "VRS,DS(RA0)",  V300, Vmx,    STORE, store_scalar(Double, Ds)),
    row("stxssp",   "61 VRS RA DS 3",          "VRS,DS(RA0)",  V300, Vmx,    STORE, store_scalar(Single, Ds)),
    // Power ISA 3.1 has no choice of units any more: they all belong to VSX.
    row("plxv",   "1 0:2 0:1 /2 R /2 dh | 25:5 TX T RA dl", "=XT,D34(RA0),R",  V310, VSX, LOAD,  load(16, Prefixed)),
    row("pstxv",  "1 0:2 0:1 /2 R /2 dh | 27:5 SX S RA dl", "XS,D34(RA0),R",   V310, VSX, STORE, store(16, Prefixed)),
    row("lxvp",   "6 Tp TX RA DQ 0:4",           "=XTp,DQ(RA0)",  V310, VSX, LOAD|MULTI,  Memory::LoadPair(Dq)),
    row("stxvp",  "6 Sp SX RA DQ 1:4",           "XSp,DQ(RA0)",   V310, VSX, STORE|MULTI, Memory::StorePair(Dq)),
    row("lxvpx",  "31 Tp TX RA RB 333 /1",       "=XTp,RA0,RB",   V310, VSX, LOAD|MULTI,  Memory::LoadPair(X)),
    row("stxvpx", "31 Sp SX RA RB 461 /1",       "XSp,RA0,RB",    V310, VSX, STORE|MULTI, Memory::StorePair(X)),
    row("plxvp",  "1 0:2 0:1 /2 R /2 dh | 58 Tp TX RA dl",  "=XTp,D34(RA0),R", V310, VSX, LOAD|MULTI,  Memory::LoadPair(Prefixed)),
    row("pstxvp", "1 0:2 0:1 /2 R /2 dh | 62 Sp SX RA dl",  "XSp,D34(RA0),R",  V310, VSX, STORE|MULTI, Memory::StorePair(Prefixed)),
    row("plxsd",   "1 0:2 0:1 /2 R /2 dh | 42 VRT RA dl", "=VRT,D34(RA0),R", V310, VSX, LOAD,  load_scalar(Double, Prefixed)),
    row("plxssp",  "1 0:2 0:1 /2 R /2 dh | 43 VRT RA dl", "=VRT,D34(RA0),R", V310, VSX, LOAD,  load_scalar(Single, Prefixed)),
    row("pstxsd",  "1 0:2 0:1 /2 R /2 dh | 46 VRS RA dl", "VRS,D34(RA0),R",  V310, VSX, STORE, store_scalar(Double, Prefixed)),
    row("pstxssp", "1 0:2 0:1 /2 R /2 dh | 47 VRS RA dl", "VRS,D34(RA0),R",  V310, VSX, STORE, store_scalar(Single, Prefixed)),
    row("lxvrbx",  "31 T RA RB 13 TX",  "=XT,RA0,RB", V310, VSX, LOAD,  load_rightmost(1)),
    row("lxvrhx",  "31 T RA RB 45 TX",  "=XT,RA0,RB", V310, VSX, LOAD,  load_rightmost(2)),
    row("lxvrwx",  "31 T RA RB 77 TX",  "=XT,RA0,RB", V310, VSX, LOAD,  load_rightmost(4)),
    row("lxvrdx",  "31 T RA RB 109 TX", "=XT,RA0,RB", V310, VSX, LOAD,  load_rightmost(8)),
    row("stxvrbx", "31 S RA RB 141 SX", "XS,RA0,RB",  V310, VSX, STORE, store_rightmost(1)),
    row("stxvrhx", "31 S RA RB 173 SX", "XS,RA0,RB",  V310, VSX, STORE, store_rightmost(2)),
    row("stxvrwx", "31 S RA RB 205 SX", "XS,RA0,RB",  V310, VSX, STORE, store_rightmost(4)),
    row("stxvrdx", "31 S RA RB 237 SX", "XS,RA0,RB",  V310, VSX, STORE, store_rightmost(8)),
];
