//! What is not compared of the matrix-multiply assist.

use ppc_isa::mma::{Factors, Mma, Update};
use ppc_isa::{Op, Row};

use super::Ignore::{Operand, Register};
use super::{ALL, Entry, FX, View, reg, that};

/// `FPSCR[UX]`.
const UX: u64 = 0x0800_0000;

/// FPSCR bits in which cases of a row begin with 0.
pub const CLEARED: &[(fn(&Row) -> bool, u64)] = &[
    // Results are as if no exception were enabled (bfp_ROUND_TO_BFP32_DEFAULT); QEMU adjusts exponents by OE and UE.
    (float, 0x60),
    // Whether an enabled exception occurs depends on how the sum of two products is rounded, see `QUIRKS`.
    (|r| factors(r) == Some(Factors::Bfloat), 0xf8),
    // The ISA rounds the sum and then negates it; QEMU negates first, which differs in directed rounding.
    (|r| negated(r) && !halves(r), 2),
];

/// What QEMU 7.2 does otherwise than the Power ISA says.
pub const QUIRKS: &[Entry] = &[
    // The sum of two products keeps an exponent without bounds until the accumulator is added
    // (bfp_ROUND_TO_BFP32_SIGNIFICAND); QEMU rounds it to single precision.
    that(|r| factors(r) == Some(Factors::Bfloat), extreme, &[Operand("AT", ALL), Register(reg::FPSCR, ALL)]),
    // Underflow in one element is lost in QEMU if another overflows.
    that(
        |r| matches!(factors(r), Some(Factors::Single | Factors::Double)),
        overflow_and_underflow,
        &[Register(reg::FPSCR, FX | UX)],
    ),
];

fn outer(row: &Row) -> Option<(Factors, Update)> {
    match row.op {
        Op::Mma(Mma::Outer { factors, update, .. }) => Some((factors, update)),
        _ => None,
    }
}

fn factors(row: &Row) -> Option<Factors> {
    outer(row).map(|outer| outer.0)
}

fn float(row: &Row) -> bool {
    halves(row) || matches!(factors(row), Some(Factors::Single | Factors::Double))
}

fn halves(row: &Row) -> bool {
    matches!(factors(row), Some(Factors::Half | Factors::Bfloat))
}

fn negated(row: &Row) -> bool {
    outer(row).is_some_and(|(_, update)| matches!(update, Update::SubtractProducts | Update::SubtractBoth))
}

/// The exponents, without bias, of the finite numbers other than zero in `registers`; of denormals, the least.
fn exponents(registers: &[u64], factors: Factors) -> Vec<i64> {
    let (width, fraction, bias) = match factors {
        Factors::Double => (64, 52, 1023),
        Factors::Single => (32, 23, 127),
        _ => (16, 7, 127),
    };
    let places = || (0..64 / width).map(|n| width * n);
    let all =
        registers.iter().flat_map(|register| places().map(move |at| register >> at << (64 - width) >> (64 - width)));
    let magnitudes = all.map(|bits| bits & !(1 << (width - 1))).filter(|bits| *bits != 0);
    magnitudes.map(|bits| (bits >> fraction) as i64 - bias).filter(|exponent| *exponent <= bias).collect()
}

/// The least and the largest exponent of a product, in effect.
fn products(view: &View, factors: Factors) -> Option<(i64, i64)> {
    let a: Vec<u64> = if factors == Factors::Double { view.pair("AX", "A") } else { view.xa().to_vec() };
    let (a, b) = (exponents(&a, factors), exponents(&view.xb(), factors));
    Some((a.iter().min()? + b.iter().min()?, a.iter().max()? + b.iter().max()?))
}

/// A product of two bfloat16 numbers, or the sum of two, may be out of the range of single precision, or denormal.
fn extreme(view: &View) -> bool {
    products(view, Factors::Bfloat).is_some_and(|(least, largest)| least < -100 || largest > 125)
}

/// One element may overflow while another underflows.
fn overflow_and_underflow(view: &View) -> bool {
    let Some(factors) = factors(view.row) else { return false };
    let range = if factors == Factors::Double { 1022 } else { 126 };
    let accumulator = exponents(view.accumulator(), factors);
    let products = products(view, factors);
    let reaches =
        |limit: i64| products.is_some_and(|(_, largest)| largest >= limit) || accumulator.iter().any(|x| *x >= limit);
    reaches(range) && products.is_some_and(|(least, _)| least <= 60 - range)
}
