//! What is not compared of decimal floating point.

use exec::dfp::{EXTENDED, Format, Kind, LONG, Number, Rounding, from_packed, to_integer};
use ppc_isa::dfp::{Decimal, Dfp};
use ppc_isa::{Op, Row};

use super::Ignore::{Operand, Register};
use super::{ALL, CR1, Entry, FI, FPRF, FX, NI, View, always, reg, that};

/// FPSCR bits in which cases of a row begin with 0.
pub const CLEARED: &[(fn(&Row) -> bool, u64)] = &[
    // QEMU does not interrupt for enabled exceptions, writes the target in spite of them, and adjusts no exponent.
    (|r| decimal(r).is_some(), ENABLES),
    // QEMU does not clear FI.
    (rounds, FI),
    // QEMU takes NI and RN for VE here, and sets FEX.
    (|r| is(r, &[Decimal::Reround, Decimal::FromPacked]), NI | RN),
];

/// `FPSCR[VE, OE, UE, ZE, XE]`.
const ENABLES: u64 = 0xf8;
/// `FPSCR[RN]`.
const RN: u64 = 3;
/// `FPSCR[XX]`.
const XX: u64 = 0x0200_0000;
/// The sign of a number.
const SIGN: u64 = 1 << 63;
/// `FPSCR[FX, VX, VXCVI]`.
const INVALID_CONVERSION: u64 = FX | 0x2000_0100;
/// `FPSCR[FX, VX, VXSNAN]`.
const INVALID_NAN: u64 = FX | 0x2100_0000;

/// What QEMU 7.2 or 10.0 does otherwise than the Power ISA says; `since` and `until` name the version where one does not.
pub const QUIRKS: &[Entry] = &[
    // Book I, 5.6.5.1: a signalling NaN stays one in DFP Short. QEMU makes it quiet if its payload has more digits than
    // fit, and forgets the payload if the first digit that does not fit is not 0.
    that(|r| r.name == "drsp", |v| payload_lost(v, 7), &[Operand("FRT", ALL), Register(reg::FPSCR, FPRF)]),
    // The result is in the first register of the pair (so compilers have it, too), QEMU puts it into the second.
    that(|r| r.name == "drdpq", always, &[Operand("FRTp", ALL)]),
    // Book I, 5.5.10.1: the default NaN is positive. QEMU keeps the sign where rounding makes the exponent too large.
    that(|r| is(r, &[Decimal::Reround]), negative_carry, &[Operand("FRT", SIGN), Operand("FRTp", SIGN)]),
    // What does not fit 128 signed bits is invalid. QEMU takes what fits 128 bits without a sign.
    that(|r| r.name == "dctfixqq", wraps, &[Operand("VRT", ALL), Register(reg::FPSCR, INVALID_CONVERSION | XX | FI)]),
    // -2^63 fits a doubleword. In QEMU it does not.
    that(
        |r| is(r, &[Decimal::ToDoubleword]),
        least_doubleword,
        &[Register(reg::FPSCR, INVALID_CONVERSION | XX | FI), Register(reg::CR, CR1)],
    ),
    // A signalling NaN is invalid. QEMU does not say so if its payload has more digits than fit.
    that(|r| r.name == "drdpq", |v| payload_lost(v, 16), &[Register(reg::FPSCR, INVALID_NAN), Register(reg::CR, CR1)]),
    // Book I, 5.6.6: the digits of infinities and NaNs are those of the trailing significand field; infinity has none in
    // QEMU.
    that(|r| is(r, DIGITS), digits_of_infinity, &[Operand("FRT", ALL), Operand("FRTp", ALL)]),
    // A shift by more than all digits leaves reserved bits of the combination field in QEMU.
    that(shifts, reserved_bits, &[Operand("FRT", ALL), Operand("FRTp", ALL)]),
    // Book I, 5.6.6: the trailing significand is encoded again with preferred declets; QEMU copies it into infinities
    // and NaNs.
    that(|r| is(r, &[Decimal::InsertExponent]), copied_declets, &[Operand("FRT", ALL), Operand("FRTp", ALL)]),
    // Book I, 5.5.10.1: with VE=0 the result is the default NaN, and FPRF says so. QEMU writes neither, and takes 10
    // for a digit.
    that(
        |r| is(r, &[Decimal::FromPacked]),
        |v| invalid_packed(v, 9),
        &[Operand("FRT", ALL), Operand("FRTp", ALL), Register(reg::FPSCR, FPRF)],
    ),
    that(
        |r| is(r, &[Decimal::FromPacked]),
        |v| invalid_packed(v, 9) && !invalid_packed(v, 10),
        &[Register(reg::FPSCR, INVALID_CONVERSION), Register(reg::CR, CR1)],
    ),
];

/// Instructions on the digits of what need not be a number.
const DIGITS: &[Decimal] =
    &[Decimal::ToPacked, Decimal::InsertExponent, Decimal::Shift { left: false }, Decimal::Shift { left: true }];

fn decimal(row: &Row) -> Option<Decimal> {
    match row.op {
        Op::Dfp(op) => Some(op.operation),
        _ => None,
    }
}

fn is(row: &Row, operations: &[Decimal]) -> bool {
    decimal(row).is_some_and(|operation| operations.contains(&operation))
}

/// Writes FI.
fn rounds(row: &Row) -> bool {
    use Decimal::{Compare, ExtractExponent, TestClass, TestExponent, TestGroup, TestSignificance};
    !is(row, DIGITS)
        && !matches!(
            decimal(row),
            None | Some(
                Compare { .. } | TestClass | TestGroup | TestExponent | TestSignificance { .. } | ExtractExponent
            )
        )
}

fn shifts(row: &Row) -> bool {
    matches!(decimal(row), Some(Decimal::Shift { .. }))
}

/// The bits and the number in the FPR, or pair, that a shift or another instruction on digits takes its digits from.
fn source(v: &View) -> (u128, Number, Format) {
    let (quad, field) = match v.row.op {
        Op::Dfp(Dfp { operation: Decimal::Shift { .. }, quad }) => (quad, "FRA"),
        Op::Dfp(Dfp { quad, .. }) => (quad, "FRB"),
        _ => (false, "FRB"),
    };
    let fpr = |n: u32| u128::from(v.before.reg[reg::VSR + 2 * n as usize]);
    let n = v.field(field);
    let (bits, format) = if quad { (fpr(n) << 64 | fpr(n + 1), EXTENDED) } else { (fpr(n), LONG) };
    (bits, Number::unpack(bits, format), format)
}

/// FRB is a NaN whose payload is too long for a format of `precision` digits, in a way that QEMU does not expect.
fn payload_lost(v: &View, precision: u32) -> bool {
    let number = source(v).1;
    let leading = number.coefficient / 10u128.pow(precision - 1);
    number.is_nan() && (!leading.is_multiple_of(10) || (number.kind == Kind::SignallingNan && leading > 9))
}

/// FRB is negative and, but for a carry in rounding, rounds to the largest exponent.
fn negative_carry(v: &View) -> bool {
    let (_, number, format) = source(v);
    let count = v.before.reg[reg::VSR + 2 * v.field("FRA") as usize] & 63;
    let length = number.coefficient.checked_ilog10().map_or(0, |log| log + 1);
    let dropped = i64::from(length) - count as i64;
    number.negative && i64::from(number.exponent) + dropped == i64::from(format.max_exponent())
}

/// FRB rounds to -2^63.
fn least_doubleword(v: &View) -> bool {
    to_integer(source(v).1, 64, Rounding::of(v.before.reg[reg::FPSCR])).0 == i64::MIN.into()
}

/// The magnitude of FRB, a whole number, is at least 2^127, which no 34 digits are.
fn wraps(v: &View) -> bool {
    let number = source(v).1;
    let unit = u32::try_from(number.exponent).ok().and_then(|exponent| 10u128.checked_pow(exponent));
    let magnitude = unit.and_then(|unit| number.coefficient.checked_mul(unit));
    number.kind == Kind::Finite && magnitude.is_some_and(|m| m >= 1 << 127)
}

fn digits_of_infinity(v: &View) -> bool {
    let number = source(v).1;
    number.kind == Kind::Infinity && number.coefficient != 0
}

fn reserved_bits(v: &View) -> bool {
    let (bits, number, format) = source(v);
    let digits = 10 * (format.precision - 1) / 3;
    number.kind != Kind::Finite
        && v.field("SH16") > format.precision
        && (bits ^ number.pack(format)) >> digits & 0x7ff != 0
}

/// Infinity or a NaN comes from declets that are not preferred.
fn copied_declets(v: &View) -> bool {
    let (bits, number, format) = source(v);
    let digits = 10 * (format.precision - 1) / 3;
    (bits ^ number.pack(format)) << (128 - digits) != 0
}

/// FRB is not packed decimal, digits up to `largest` taken for valid.
fn invalid_packed(v: &View, largest: u128) -> bool {
    let bits = source(v).0;
    let signed = v.field("S1") == 1;
    let digits = (u32::from(signed)..32).all(|i| bits >> (4 * i) & 15 <= largest);
    !digits || (signed && from_packed(bits & 15, true).is_none())
}
