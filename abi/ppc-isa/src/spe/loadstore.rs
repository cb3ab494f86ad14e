//! SPE loads and stores: of a doubleword, two words or four halfwords, and of parts of a register.

use super::Spe;
use crate::cpu::{SPE, Unit};
use crate::op::Op;
use crate::row::{Row, fact::*};

/// A load or store. A displacement is unsigned and counts units of [`Pattern::bytes`]; the address must be a multiple
/// of that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LoadStore {
    /// Store.
    pub store: bool,
    /// Base and index, not displacement.
    pub indexed: bool,
    /// What moves where.
    pub pattern: Pattern,
}

/// Which parts of a register stand in memory, and where they go. Halfwords are numbered 0 to 3 from the left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pattern {
    /// A doubleword.
    Double,
    /// Two words.
    Words,
    /// Four halfwords.
    Halves,
    /// Halfwords 0 and 2 from (to) a word; the others become 0.
    HalvesEven,
    /// Halfwords 1 and 3 from (to) a word, extended to words.
    HalvesOdd {
        /// By the sign.
        signed: bool,
    },
    /// The high word.
    WordEven,
    /// The low word.
    WordOdd,
    /// One word into both.
    SplatWord,
    /// Two halfwords, each into both halves of its word.
    SplatHalves,
    /// One halfword into halfwords 0 and 2; the others become 0.
    SplatHalfEven,
    /// One halfword into both words, extended.
    SplatHalfOdd {
        /// By the sign.
        signed: bool,
    },
}

impl Pattern {
    /// Bytes in memory.
    pub const fn bytes(self) -> u64 {
        match self {
            Pattern::Double | Pattern::Words | Pattern::Halves => 8,
            Pattern::SplatHalfEven | Pattern::SplatHalfOdd { .. } => 2,
            _ => 4,
        }
    }
}

const fn row(name: &'static str, picture: &'static str, asm: &'static str, op: LoadStore) -> Row {
    let facts = if op.store { STORE } else { LOAD };
    Row::new(name, picture, asm, SPE, Unit::Spe, facts, Op::Spe(Spe::LoadStore(op)))
}

/// Load with displacement.
const fn ld(name: &'static str, picture: &'static str, pattern: Pattern) -> Row {
    let asm = match pattern.bytes() {
        8 => "=RT,UI8(RA0)",
        4 => "=RT,UI4(RA0)",
        _ => "=RT,UI2(RA0)",
    };
    row(name, picture, asm, LoadStore { store: false, indexed: false, pattern })
}

/// Load with index.
const fn ldx(name: &'static str, picture: &'static str, pattern: Pattern) -> Row {
    row(name, picture, "=RT,RA0,RB", LoadStore { store: false, indexed: true, pattern })
}

/// Store with displacement.
const fn st(name: &'static str, picture: &'static str, pattern: Pattern) -> Row {
    let asm = if pattern.bytes() == 8 { "RS,UI8(RA0)" } else { "RS,UI4(RA0)" };
    row(name, picture, asm, LoadStore { store: true, indexed: false, pattern })
}

/// Store with index.
const fn stx(name: &'static str, picture: &'static str, pattern: Pattern) -> Row {
    row(name, picture, "RS,RA0,RB", LoadStore { store: true, indexed: true, pattern })
}

use Pattern::{Double, Halves, HalvesEven, SplatHalfEven, SplatHalves, SplatWord, WordEven, WordOdd, Words};

const ODD_UNSIGNED: Pattern = Pattern::HalvesOdd { signed: false };
const ODD_SIGNED: Pattern = Pattern::HalvesOdd { signed: true };
const SPLAT_UNSIGNED: Pattern = Pattern::SplatHalfOdd { signed: false };
const SPLAT_SIGNED: Pattern = Pattern::SplatHalfOdd { signed: true };

/// The rows.
#[rustfmt::skip]
pub const ROWS: &[Row] = &[
    ldx("evlddx",        "4 RT RA RB 768",   Double),
    ld("evldd",          "4 RT RA UIM5 769", Double),
    ldx("evldwx",        "4 RT RA RB 770",   Words),
    ld("evldw",          "4 RT RA UIM5 771", Words),
    ldx("evldhx",        "4 RT RA RB 772",   Halves),
    ld("evldh",          "4 RT RA UIM5 773", Halves),
    ldx("evlhhesplatx",  "4 RT RA RB 776",   SplatHalfEven),
    ld("evlhhesplat",    "4 RT RA UIM5 777", SplatHalfEven),
    ldx("evlhhousplatx", "4 RT RA RB 780",   SPLAT_UNSIGNED),
    ld("evlhhousplat",   "4 RT RA UIM5 781", SPLAT_UNSIGNED),
    ldx("evlhhossplatx", "4 RT RA RB 782",   SPLAT_SIGNED),
    ld("evlhhossplat",   "4 RT RA UIM5 783", SPLAT_SIGNED),
    ldx("evlwhex",       "4 RT RA RB 784",   HalvesEven),
    ld("evlwhe",         "4 RT RA UIM5 785", HalvesEven),
    ldx("evlwhoux",      "4 RT RA RB 788",   ODD_UNSIGNED),
    ld("evlwhou",        "4 RT RA UIM5 789", ODD_UNSIGNED),
    ldx("evlwhosx",      "4 RT RA RB 790",   ODD_SIGNED),
    ld("evlwhos",        "4 RT RA UIM5 791", ODD_SIGNED),
    ldx("evlwwsplatx",   "4 RT RA RB 792",   SplatWord),
    ld("evlwwsplat",     "4 RT RA UIM5 793", SplatWord),
    ldx("evlwhsplatx",   "4 RT RA RB 796",   SplatHalves),
    ld("evlwhsplat",     "4 RT RA UIM5 797", SplatHalves),
    stx("evstddx",       "4 RS RA RB 800",   Double),
    st("evstdd",         "4 RS RA UIM5 801", Double),
    stx("evstdwx",       "4 RS RA RB 802",   Words),
    st("evstdw",         "4 RS RA UIM5 803", Words),
    stx("evstdhx",       "4 RS RA RB 804",   Halves),
    st("evstdh",         "4 RS RA UIM5 805", Halves),
    stx("evstwhex",      "4 RS RA RB 816",   HalvesEven),
    st("evstwhe",        "4 RS RA UIM5 817", HalvesEven),
    stx("evstwhox",      "4 RS RA RB 820",   ODD_UNSIGNED),
    st("evstwho",        "4 RS RA UIM5 821", ODD_UNSIGNED),
    stx("evstwwex",      "4 RS RA RB 824",   WordEven),
    st("evstwwe",        "4 RS RA UIM5 825", WordEven),
    stx("evstwwox",      "4 RS RA RB 828",   WordOdd),
    st("evstwwo",        "4 RS RA UIM5 829", WordOdd),
];
