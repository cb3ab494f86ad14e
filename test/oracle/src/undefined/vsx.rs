//! What is not compared of VSX floating point. All of it is compared with the model in `softfloat`, which has none of
//! QEMU's faults.

use ppc_isa::op::Vsx;
use ppc_isa::row::fact;
use ppc_isa::vsx::Convert;
use ppc_isa::vsx::arithmetic::{Arithmetic, Operation, Shape};
use ppc_isa::vsx::convert::Number;
use ppc_isa::vsx::quad::Quad;
use ppc_isa::{Op, Row};

use super::Ignore::{Doubleword1, Operand, Register};
use super::{ALL, CLASS, Entry, FI, FPRF, FX, STATUS, View, always, enabled, reg, that};

/// `FPSCR[VE, OE, UE, ZE, XE]`.
const ENABLES: u64 = 0xf8;
/// `FPSCR[VE]`.
const VE: u64 = 0x80;
/// `FPSCR[ZX]`.
const ZX: u64 = 0x0400_0000;
/// `FPSCR[VX]`.
const VX: u64 = 0x2000_0000;
/// `FPSCR[VXSNAN]`.
const VXSNAN: u64 = 0x0100_0000;
/// `FPSCR[UX]`.
const UX: u64 = 0x0800_0000;

/// FPSCR bits in which cases of a row begin with 0.
pub const CLEARED: &[(fn(&Row) -> bool, u64)] = &[
    // Whether an enabled exception occurs follows from the estimate.
    (estimate, ENABLES),
    // The ISA rounds the sum and then negates it; QEMU negates first, which differs in directed rounding.
    (negated, 2),
    // With VE=1 a comparison that is invalid writes nothing; QEMU writes the target, and vectors do not even interrupt.
    (masks, VE),
    // QEMU forgets that XB is a signalling NaN when XA is a NaN, too, and so does not interrupt.
    (|r| ["xsmaxjdp", "xsminjdp"].contains(&r.name), VE),
    // QEMU looks at the exceptions of whatever ran before.
    (extreme, 0x78),
    // With OE=1 or UE=1 QEMU adjusts the exponent of narrow results by what is right for a double.
    (single, 0x60),
    // Underflow in one element is lost in QEMU if another overflows.
    (vector, 0x20),
    // By RN QEMU rounds down for toward zero, and the other way round.
    (|r| matches!(quad(r), Some(Quad::RoundToInteger | Quad::RoundToExtended)), 1),
];

/// What the Power ISA leaves undefined.
pub const UNDEFINED: &[Entry] = &[
    // Book I, 7.6.3: a conversion to an integer leaves FPRF undefined.
    that(|r| to_integer(r) && !vector(r), always, &[Register(reg::FPSCR, FPRF)]),
    // Book I, 7.6.3: up to ISA 3.0 doubleword 1 of a scalar result is undefined; we write 0, QEMU here does not.
    that(|r| r.name == "xsrsp", always, &[Doubleword1("XT")]),
    // Book I, 7.6.3: the estimate is the implementation's, and with it all status that follows from its value.
    that(estimate, always, &[Operand("XT", ALL), Register(reg::FPSCR, STATUS)]),
    // Book I, 7.4.3 and 7.4.4: the exponent is adjusted by 1536. The ISA does not say what becomes of a quad-precision
    // number for which that is not enough.
    that(|r| quad(r) == Some(Quad::ToDouble), beyond_adjusted, &[Operand("VRT", ALL), Register(reg::FPSCR, STATUS)]),
];

/// What QEMU 7.2 or 10.0 does otherwise than the Power ISA says; `since` and `until` name the version where one does not.
pub const QUIRKS: &[Entry] = &[
    // An enabled exception in one element keeps the target and takes in the exceptions of the others (Book I, 7.4);
    // QEMU stops at an invalid element, and writes the target in spite of the other exceptions.
    that(vector, |v| v.fpscr() & ENABLES != 0, &[Register(reg::FPSCR, ALL)]),
    that(vector, |v| v.fpscr() & ENABLES & !VE != 0, &[Operand("XT", ALL)]),
    // Vectors leave FI alone, and report underflow beside overflow.
    that(vector, always, &[Register(reg::FPSCR, FI | UX)]),
    // After an element that is invalid QEMU takes the following ones for invalid, too.
    that(|r| vector(r) && to_integer(r), out_of_range, &[Operand("XT", ALL), Register(reg::FPSCR, ALL)]).until(10, 0),
    // The reciprocal of zero is a zero divide.
    that(estimate, always, &[Register(reg::FPSCR, ZX)]),
    // A result that is denormalized as a single is "normalized" in QEMU's FPRF.
    that(single, always, &[Register(reg::FPSCR, CLASS)]),
    // Tininess is detected before rounding (Book I, 4.4.4); QEMU detects it after rounding to a single.
    that(single, always, &[Register(reg::FPSCR, FX | UX)]),
    // A result is rounded once; QEMU rounds to double precision first, which shows where singles are denormalized, and
    // where the double lies halfway between two singles.
    that(single, |v| rounded(v).any(|x| tiny(x) || halfway(x)), &[Operand("XT", ALL)]),
    // With XE=1 QEMU does not write the result.
    that(|r| r.name == "xsrsp", enabled, &[Operand("XT", ALL), Register(reg::FPSCR, FPRF)]),
    // Only a signalling NaN is reported; QEMU adds the exceptions of whatever ran before.
    that(extreme, always, &[Register(reg::FPSCR, STATUS)]),
    // Infinity times zero plus a signalling NaN is invalid for both reasons; QEMU reports the first.
    that(fused, infinity_and_zero, &[Register(reg::FPSCR, FX | VXSNAN)]),
    // A doubleword is rounded once to single precision; QEMU rounds it to double precision first.
    that(|r| ["xscvsxdsp", "xscvuxdsp"].contains(&r.name), inexact_double, &[Operand("XT", ALL)]),
    // A signalling NaN in either operand is invalid; QEMU forgets XB when XA is a NaN, too.
    that(|r| ["xsmaxjdp", "xsminjdp"].contains(&r.name), always, &[Register(reg::FPSCR, FX | VX | VXSNAN)]),
    // Of two zeros neither is greater, so that the result is XB; QEMU returns XA.
    that(|r| r.name == "xsmaxcdp", two_zeros, &[Operand("XT", ALL)]),
    that(|r| r.name == "xsmaxcqp", two_quad_zeros, &[Operand("VRT", ALL)]),
    // Numbers that are denormal as a single match DCMX whatever it says.
    that(|r| r.name == "xststdcsp", denormal_single, &[Register(reg::CR, ALL), Register(reg::FPSCR, FPRF)]),
    // With XE=1 QEMU does not write an inexact result.
    that(
        |r| quad(r) == Some(Quad::RoundToInteger),
        |v| enabled(v) && v.field("EX") == 1,
        &[Operand("VRT", ALL), Register(reg::FPSCR, FPRF)],
    ),
    // With VE=1 QEMU writes the target of a comparison that is invalid.
    that(|r| ["xscmpgeqp", "xscmpgtqp"].contains(&r.name), |v| v.fpscr() & VE != 0, &[Operand("VRT", ALL)]),
    // QEMU does not round this one to odd.
    that(|r| r.name == "xsnmsubqp", |v| v.field("RO") == 1, &[Operand("VRT", ALL), Register(reg::FPSCR, STATUS)]),
];

impl View<'_> {
    fn fpscr(&self) -> u64 {
        self.before.reg[reg::FPSCR]
    }

    /// The doublewords of the register whose number is in two fields.
    fn vsr(&self, high: &str, low: &str) -> [u64; 2] {
        let index = reg::VSR + 2 * (self.field(high) << 5 | self.field(low)) as usize;
        [self.before.reg[index], self.before.reg[index + 1]]
    }

    /// The doublewords of that register and the next one.
    pub(super) fn pair(&self, high: &str, low: &str) -> Vec<u64> {
        let index = reg::VSR + 2 * (self.field(high) << 5 | self.field(low)) as usize;
        self.before.reg[index..].iter().take(4).copied().collect()
    }

    /// The doublewords of the accumulator.
    pub(super) fn accumulator(&self) -> &[u64] {
        let index = reg::VSR + 8 * self.field("AT") as usize;
        &self.before.reg[index..index + 8]
    }

    pub(super) fn xa(&self) -> [u64; 2] {
        self.vsr("AX", "A")
    }

    pub(super) fn xb(&self) -> [u64; 2] {
        self.vsr("BX", "B")
    }
}

fn arithmetic(row: &Row) -> Option<Arithmetic> {
    match row.op {
        Op::Vsx(Vsx::Arithmetic(op)) => Some(op),
        _ => None,
    }
}

fn two_zeros(v: &View) -> bool {
    v.xa()[0] << 1 == 0 && v.xb()[0] << 1 == 0
}

fn two_quad_zeros(v: &View) -> bool {
    ["VRA", "VRB"].iter().all(|name| v.before.vsr(32 + v.field(name) as usize) << 1 == 0)
}

fn estimate(row: &Row) -> bool {
    arithmetic(row).is_some_and(|a| matches!(a.operation, Operation::Reciprocal | Operation::ReciprocalSqrt))
}

fn fused(row: &Row) -> bool {
    arithmetic(row).is_some_and(|a| matches!(a.operation, Operation::Fused(_)))
}

fn quad(row: &Row) -> Option<Quad> {
    match row.op {
        Op::Vsx(Vsx::Quad(op)) => Some(op),
        _ => None,
    }
}

fn negated(row: &Row) -> bool {
    arithmetic(row).is_some_and(|a| matches!(a.operation, Operation::Fused(fused) if fused.negate))
        || matches!(quad(row), Some(Quad::Fused { negate: true, .. }))
}

fn extreme(row: &Row) -> bool {
    arithmetic(row).is_some_and(|a| matches!(a.operation, Operation::Maximum(_) | Operation::Minimum(_)))
}

fn masks(row: &Row) -> bool {
    matches!(row.op, Op::Vsx(Vsx::Compare(ppc_isa::vsx::Compare::Mask(..))))
}

/// Scalars that are rounded to less than double precision.
fn single(row: &Row) -> bool {
    arithmetic(row).is_some_and(|a| a.shape == Shape::ScalarSingle)
        || matches!(
            row.op,
            Op::Vsx(Vsx::Convert(Convert::Scalar(_, Number::Single | Number::SingleAsDouble | Number::Half)))
        )
}

fn vector(row: &Row) -> bool {
    matches!(row.op, Op::Vsx(_)) && row.name.starts_with("xv") && row.is(fact::FPSCR)
}

fn to_integer(row: &Row) -> bool {
    use Number::{SignedDouble, SignedWord, UnsignedDouble, UnsignedWord};
    match row.op {
        Op::Vsx(Vsx::Convert(Convert::Scalar(_, to) | Convert::Vector(_, to))) => {
            matches!(to, SignedDouble | SignedWord | UnsignedDouble | UnsignedWord)
        }
        Op::Vsx(Vsx::Quad(Quad::ToInteger { .. })) => true,
        _ => false,
    }
}

/// An element of XB is too large for a word, or negative and the result unsigned.
fn out_of_range(v: &View) -> bool {
    let negative_fits = v.row.name.contains("sx");
    let double = v.row.name.starts_with("xvcvdp");
    let out = |sign: u64, exponent: u64, bias: u64| exponent >= bias + 31 || (sign != 0 && !negative_fits);
    v.xb().into_iter().any(|d| {
        if double {
            return out(d >> 63, d >> 52 & 0x7ff, 1023);
        }
        [d >> 32, d & 0xffff_ffff].into_iter().any(|s| out(s >> 31, s >> 23 & 0xff, 127))
    })
}

/// Doubleword 0 of XB has more bits than a double.
fn inexact_double(v: &View) -> bool {
    let value = v.xb()[0];
    value >> 53 != 0 && !(v.row.name == "xscvsxdsp" && value >> 53 == 0x7ff)
}

/// Among the elements are an infinity and a zero.
fn infinity_and_zero(v: &View) -> bool {
    let registers = [v.vsr("TX", "T"), v.vsr("AX", "A"), v.xb()];
    let words = arithmetic(v.row).is_some_and(|a| a.shape == Shape::VectorSingle);
    let any = |magnitude: [u64; 2]| {
        registers.into_iter().flatten().any(|d| match words {
            true => [d >> 32, d & 0xffff_ffff].into_iter().any(|s| s & 0x7fff_ffff == magnitude[0]),
            false => d << 1 >> 1 == magnitude[1],
        })
    };
    any([0x7f80_0000, 0x7ff0 << 48]) && any([0, 0])
}

/// The exponent of VRB, adjusted by 1536 as `FPSCR[OE]` and `FPSCR[UE]` say, is out of the range of double precision.
fn beyond_adjusted(v: &View) -> bool {
    let biased = v.before.reg[reg::VSR + 2 * (32 + v.field("VRB") as usize)] >> 48 & 0x7fff;
    let exponent = biased as i64 - 16383;
    (v.fpscr() & 0x40 != 0 && exponent >= 1023 + 1536) || (v.fpscr() & 0x20 != 0 && exponent < -1022 - 1536)
}

/// The sums, products and quotients of the operands that a single-precision instruction may round, as doubles.
fn rounded(v: &View) -> impl Iterator<Item = f64> {
    let [t, a, b] = [v.vsr("TX", "T"), v.vsr("AX", "A"), v.xb()].map(|register| f64::from_bits(register[0]));
    let fused = [a.mul_add(b, t), a.mul_add(b, -t), a.mul_add(t, b), a.mul_add(t, -b)];
    [a + b, a - b, a * b, a / b, b.sqrt()].into_iter().chain(fused)
}

/// Below the normal range of single precision, or hardly above.
fn tiny(x: f64) -> bool {
    x != 0.0 && x.abs() < 2.0 * f64::from(f32::MIN_POSITIVE)
}

/// Halfway between two singles.
fn halfway(x: f64) -> bool {
    x.to_bits() & 0x1fff_ffff == 0x1000_0000
}

fn denormal_single(v: &View) -> bool {
    (1..0x381).contains(&(v.xb()[0] >> 52 & 0x7ff))
}
