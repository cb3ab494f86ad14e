//! SPE multiplication and the accumulator, a register of 64 bits.
//!
//! The letters after `evm` say which factors (`h`alfwords `e`ven or `o`dd, `w`ords with their product's `h`igh or `l`ow
//! word), whether `g`uarded, `s`igned or `u`nsigned, `s`aturating or `m`odulo, `f`raction or `i`nteger, and what becomes
//! of the accumulator: `a` a copy, `aa` and `an` the sum and the difference, `aaw` and `anw` of each word.

use super::Spe;
use crate::cpu::{SPE, Unit};
use crate::op::Op;
use crate::row::Row;

/// Semantic operations of this file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Multiply {
    /// RT = products of RA and RB, perhaps accumulated.
    Product(Product),
    /// RT = ACC = RA.
    Move,
    /// RT = ACC = each word of ACC plus or minus the same word of RA.
    Sum {
        /// Minus.
        subtract: bool,
        /// Two's complement.
        signed: bool,
        /// Saturate and set OV and OVH; else modulo 2^32.
        saturate: bool,
    },
}

/// A multiplication.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Product {
    /// What is multiplied.
    pub factors: Factors,
    /// As what.
    pub number: Number,
    /// What becomes of the accumulator.
    pub accumulate: Accumulate,
}

/// What is multiplied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Factors {
    /// A halfword of each word: products of 32 bits.
    Halves {
        /// The right one.
        odd: bool,
    },
    /// A halfword of the low word: one product, extended to 64 bits.
    Guarded {
        /// The right one.
        odd: bool,
    },
    /// Each word: the high words of the products.
    WordsHigh,
    /// Each word: the low words of the products.
    WordsLow,
    /// The low word: one product of 64 bits.
    Word,
}

/// How factors are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Number {
    /// Unsigned integers.
    Unsigned,
    /// Signed integers.
    Signed,
    /// Signed fractions: the product is doubled.
    Fraction {
        /// -1 x -1 gives the largest fraction and sets OV (OVH); else it wraps to -1 (guarded: is +1).
        saturate: bool,
    },
}

/// What becomes of the accumulator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Accumulate {
    /// It stays.
    Keep,
    /// It becomes the product.
    Set,
    /// It and RT become it plus the product.
    Add {
        /// Words saturate and set OV and OVH; a doubleword sets OV only. Else modulo.
        saturate: bool,
    },
    /// It and RT become it minus the product.
    Subtract {
        /// As for [`Accumulate::Add`].
        saturate: bool,
    },
}

const fn row(name: &'static str, picture: &'static str, asm: &'static str, op: Multiply) -> Row {
    Row::new(name, picture, asm, SPE, Unit::Spe, 0, Op::Spe(Spe::Multiply(op)))
}

const fn mul(
    name: &'static str,
    picture: &'static str,
    factors: Factors,
    number: Number,
    accumulate: Accumulate,
) -> Row {
    row(name, picture, "=RT,RA,RB", Multiply::Product(Product { factors, number, accumulate }))
}

const fn sum(name: &'static str, picture: &'static str, subtract: bool, signed: bool, saturate: bool) -> Row {
    row(name, picture, "=RT,RA", Multiply::Sum { subtract, signed, saturate })
}

use Accumulate::{Keep, Set};
use Factors::{Word, WordsHigh, WordsLow};
use Number::{Signed, Unsigned};

const EVEN: Factors = Factors::Halves { odd: false };
const ODD: Factors = Factors::Halves { odd: true };
const GUARDED_EVEN: Factors = Factors::Guarded { odd: false };
const GUARDED_ODD: Factors = Factors::Guarded { odd: true };
const FRACTION: Number = Number::Fraction { saturate: false };
const SATURATED: Number = Number::Fraction { saturate: true };
const ADD: Accumulate = Accumulate::Add { saturate: false };
const ADD_SATURATE: Accumulate = Accumulate::Add { saturate: true };
const SUB: Accumulate = Accumulate::Subtract { saturate: false };
const SUB_SATURATE: Accumulate = Accumulate::Subtract { saturate: true };

/// The rows.
#[rustfmt::skip]
pub const ROWS: &[Row] = &[
    mul("evmhessf",    "4 RT RA RB 1027", EVEN,      SATURATED, Keep),
    mul("evmhossf",    "4 RT RA RB 1031", ODD,       SATURATED, Keep),
    mul("evmheumi",    "4 RT RA RB 1032", EVEN,      Unsigned,  Keep),
    mul("evmhesmi",    "4 RT RA RB 1033", EVEN,      Signed,    Keep),
    mul("evmhesmf",    "4 RT RA RB 1035", EVEN,      FRACTION,  Keep),
    mul("evmhoumi",    "4 RT RA RB 1036", ODD,       Unsigned,  Keep),
    mul("evmhosmi",    "4 RT RA RB 1037", ODD,       Signed,    Keep),
    mul("evmhosmf",    "4 RT RA RB 1039", ODD,       FRACTION,  Keep),
    mul("evmhessfa",   "4 RT RA RB 1059", EVEN,      SATURATED, Set),
    mul("evmhossfa",   "4 RT RA RB 1063", ODD,       SATURATED, Set),
    mul("evmheumia",   "4 RT RA RB 1064", EVEN,      Unsigned,  Set),
    mul("evmhesmia",   "4 RT RA RB 1065", EVEN,      Signed,    Set),
    mul("evmhesmfa",   "4 RT RA RB 1067", EVEN,      FRACTION,  Set),
    mul("evmhoumia",   "4 RT RA RB 1068", ODD,       Unsigned,  Set),
    mul("evmhosmia",   "4 RT RA RB 1069", ODD,       Signed,    Set),
    mul("evmhosmfa",   "4 RT RA RB 1071", ODD,       FRACTION,  Set),
    mul("evmwhssf",    "4 RT RA RB 1095", WordsHigh, SATURATED, Keep),
    mul("evmwlumi",    "4 RT RA RB 1096", WordsLow,  Unsigned,  Keep),
    mul("evmwhumi",    "4 RT RA RB 1100", WordsHigh, Unsigned,  Keep),
    mul("evmwhsmi",    "4 RT RA RB 1101", WordsHigh, Signed,    Keep),
    mul("evmwhsmf",    "4 RT RA RB 1103", WordsHigh, FRACTION,  Keep),
    mul("evmwssf",     "4 RT RA RB 1107", Word,      SATURATED, Keep),
    mul("evmwumi",     "4 RT RA RB 1112", Word,      Unsigned,  Keep),
    mul("evmwsmi",     "4 RT RA RB 1113", Word,      Signed,    Keep),
    mul("evmwsmf",     "4 RT RA RB 1115", Word,      FRACTION,  Keep),
    mul("evmwhssfa",   "4 RT RA RB 1127", WordsHigh, SATURATED, Set),
    mul("evmwlumia",   "4 RT RA RB 1128", WordsLow,  Unsigned,  Set),
    mul("evmwhumia",   "4 RT RA RB 1132", WordsHigh, Unsigned,  Set),
    mul("evmwhsmia",   "4 RT RA RB 1133", WordsHigh, Signed,    Set),
    mul("evmwhsmfa",   "4 RT RA RB 1135", WordsHigh, FRACTION,  Set),
    mul("evmwssfa",    "4 RT RA RB 1139", Word,      SATURATED, Set),
    mul("evmwumia",    "4 RT RA RB 1144", Word,      Unsigned,  Set),
    mul("evmwsmia",    "4 RT RA RB 1145", Word,      Signed,    Set),
    mul("evmwsmfa",    "4 RT RA RB 1147", Word,      FRACTION,  Set),

    sum("evaddusiaaw",  "4 RT RA /5 1216", false, false, true),
    sum("evaddssiaaw",  "4 RT RA /5 1217", false, true,  true),
    sum("evsubfusiaaw", "4 RT RA /5 1218", true,  false, true),
    sum("evsubfssiaaw", "4 RT RA /5 1219", true,  true,  true),
    row("evmra",        "4 RT RA /5 1220", "=RT,RA", Multiply::Move),
    sum("evaddumiaaw",  "4 RT RA /5 1224", false, false, false),
    sum("evaddsmiaaw",  "4 RT RA /5 1225", false, true,  false),
    sum("evsubfumiaaw", "4 RT RA /5 1226", true,  false, false),
    sum("evsubfsmiaaw", "4 RT RA /5 1227", true,  true,  false),

    mul("evmheusiaaw", "4 RT RA RB 1280", EVEN,         Unsigned,  ADD_SATURATE),
    mul("evmhessiaaw", "4 RT RA RB 1281", EVEN,         Signed,    ADD_SATURATE),
    mul("evmhessfaaw", "4 RT RA RB 1283", EVEN,         SATURATED, ADD_SATURATE),
    mul("evmhousiaaw", "4 RT RA RB 1284", ODD,          Unsigned,  ADD_SATURATE),
    mul("evmhossiaaw", "4 RT RA RB 1285", ODD,          Signed,    ADD_SATURATE),
    mul("evmhossfaaw", "4 RT RA RB 1287", ODD,          SATURATED, ADD_SATURATE),
    mul("evmheumiaaw", "4 RT RA RB 1288", EVEN,         Unsigned,  ADD),
    mul("evmhesmiaaw", "4 RT RA RB 1289", EVEN,         Signed,    ADD),
    mul("evmhesmfaaw", "4 RT RA RB 1291", EVEN,         FRACTION,  ADD),
    mul("evmhoumiaaw", "4 RT RA RB 1292", ODD,          Unsigned,  ADD),
    mul("evmhosmiaaw", "4 RT RA RB 1293", ODD,          Signed,    ADD),
    mul("evmhosmfaaw", "4 RT RA RB 1295", ODD,          FRACTION,  ADD),
    mul("evmhegumiaa", "4 RT RA RB 1320", GUARDED_EVEN, Unsigned,  ADD),
    mul("evmhegsmiaa", "4 RT RA RB 1321", GUARDED_EVEN, Signed,    ADD),
    mul("evmhegsmfaa", "4 RT RA RB 1323", GUARDED_EVEN, FRACTION,  ADD),
    mul("evmhogumiaa", "4 RT RA RB 1324", GUARDED_ODD,  Unsigned,  ADD),
    mul("evmhogsmiaa", "4 RT RA RB 1325", GUARDED_ODD,  Signed,    ADD),
    mul("evmhogsmfaa", "4 RT RA RB 1327", GUARDED_ODD,  FRACTION,  ADD),
    mul("evmwlusiaaw", "4 RT RA RB 1344", WordsLow,     Unsigned,  ADD_SATURATE),
    mul("evmwlssiaaw", "4 RT RA RB 1345", WordsLow,     Signed,    ADD_SATURATE),
    mul("evmwlumiaaw", "4 RT RA RB 1352", WordsLow,     Unsigned,  ADD),
    mul("evmwlsmiaaw", "4 RT RA RB 1353", WordsLow,     Signed,    ADD),
    mul("evmwssfaa",   "4 RT RA RB 1363", Word,         SATURATED, ADD_SATURATE),
    mul("evmwumiaa",   "4 RT RA RB 1368", Word,         Unsigned,  ADD),
    mul("evmwsmiaa",   "4 RT RA RB 1369", Word,         Signed,    ADD),
    mul("evmwsmfaa",   "4 RT RA RB 1371", Word,         FRACTION,  ADD),
    mul("evmheusianw", "4 RT RA RB 1408", EVEN,         Unsigned,  SUB_SATURATE),
    mul("evmhessianw", "4 RT RA RB 1409", EVEN,         Signed,    SUB_SATURATE),
    mul("evmhessfanw", "4 RT RA RB 1411", EVEN,         SATURATED, SUB_SATURATE),
    mul("evmhousianw", "4 RT RA RB 1412", ODD,          Unsigned,  SUB_SATURATE),
    mul("evmhossianw", "4 RT RA RB 1413", ODD,          Signed,    SUB_SATURATE),
    mul("evmhossfanw", "4 RT RA RB 1415", ODD,          SATURATED, SUB_SATURATE),
    mul("evmheumianw", "4 RT RA RB 1416", EVEN,         Unsigned,  SUB),
    mul("evmhesmianw", "4 RT RA RB 1417", EVEN,         Signed,    SUB),
    mul("evmhesmfanw", "4 RT RA RB 1419", EVEN,         FRACTION,  SUB),
    mul("evmhoumianw", "4 RT RA RB 1420", ODD,          Unsigned,  SUB),
    mul("evmhosmianw", "4 RT RA RB 1421", ODD,          Signed,    SUB),
    mul("evmhosmfanw", "4 RT RA RB 1423", ODD,          FRACTION,  SUB),
    mul("evmhegumian", "4 RT RA RB 1448", GUARDED_EVEN, Unsigned,  SUB),
    mul("evmhegsmian", "4 RT RA RB 1449", GUARDED_EVEN, Signed,    SUB),
    mul("evmhegsmfan", "4 RT RA RB 1451", GUARDED_EVEN, FRACTION,  SUB),
    mul("evmhogumian", "4 RT RA RB 1452", GUARDED_ODD,  Unsigned,  SUB),
    mul("evmhogsmian", "4 RT RA RB 1453", GUARDED_ODD,  Signed,    SUB),
    mul("evmhogsmfan", "4 RT RA RB 1455", GUARDED_ODD,  FRACTION,  SUB),
    mul("evmwlusianw", "4 RT RA RB 1472", WordsLow,     Unsigned,  SUB_SATURATE),
    mul("evmwlssianw", "4 RT RA RB 1473", WordsLow,     Signed,    SUB_SATURATE),
    mul("evmwlumianw", "4 RT RA RB 1480", WordsLow,     Unsigned,  SUB),
    mul("evmwlsmianw", "4 RT RA RB 1481", WordsLow,     Signed,    SUB),
    mul("evmwssfan",   "4 RT RA RB 1491", Word,         SATURATED, SUB_SATURATE),
    mul("evmwumian",   "4 RT RA RB 1496", Word,         Unsigned,  SUB),
    mul("evmwsmian",   "4 RT RA RB 1497", Word,         Signed,    SUB),
    mul("evmwsmfan",   "4 RT RA RB 1499", Word,         FRACTION,  SUB),
];
