//! What is not compared of the signal processing engine: QEMU has a part of it, and another floating point. The latter
//! is compared with the model in `softfloat` instead.

use ppc_isa::op::{Op, Spe};
use ppc_isa::spe::float::{Float, Integer, Operation, Shape};
use ppc_isa::{Row, operand};

use super::Ignore::{Register, Wide};
use super::{ALL, Entry, View, always, entry, reg, that};

/// Multiplications that QEMU has.
const PRODUCTS: [&str; 7] = ["evmwumi", "evmwsmi", "evmwumia", "evmwsmia", "evmwumiaa", "evmwsmiaa", "evmra"];

/// Whether `row` is illegal in QEMU.
pub fn absent(row: &Row) -> bool {
    match row.op {
        Op::Spe(Spe::Multiply(_)) => !PRODUCTS.contains(&row.name),
        Op::Spe(Spe::Integer(ppc_isa::spe::Integer::Divide { .. })) => true,
        _ => false,
    }
}

/// Whether `row` compares pairs of singles, of which QEMU merges the results at the wrong bits.
pub fn merged_wrongly(row: &Row) -> bool {
    matches!(float(row), Some(Float { operation: Operation::Compare { .. }, shape: Shape::Vector }))
}

/// What QEMU 7.2 and 10.0 do otherwise than SPEPEM says.
pub const QUIRKS: &[Entry] = &[
    // QEMU sets few bits of SPEFSCR, conversions none.
    that(|r| float(r).is_some(), always, &[Register(reg::SPEFSCR, ALL)]),
    // QEMU computes as IEEE 754 has it: with denormal numbers, infinities and NaNs.
    that(|r| float(r).is_some(), outside, &[Wide("RT"), Register(reg::CR, ALL)]),
    // The binary point of a signed fraction stands right of its sign; QEMU takes it for unsigned.
    that(signed_fraction, always, &[Wide("RT")]),
    // Rounds to the high halfword (evrndw: "& 0xFFFF_0000"); QEMU keeps the low one.
    entry(&["evrndw"], always, &[Wide("RT")]),
    // QEMU loses a temporary at a branch of its own, and shifts no sign in by 32 bits or more.
    entry(&["evslw", "evsrwu", "evsrws"], always, &[Wide("RT")]),
    // QEMU mixes the halfwords up.
    entry(&["evldh", "evldhx", "evlwhsplat", "evlwhsplatx"], always, &[Wide("RT")]),
    // The width of the mask is the implementation's, 32 bits at most; QEMU has 16.
    entry(&["brinc"], |v| v.gpr("RA") | v.gpr("RB") > 0xffff, &[Wide("RT")]),
    // QEMU extends the low word of a pair into the high one.
    entry(&["evfsctsi", "evfsctsiz"], |v| v.gpr("RB") >> 31 != 0, &[Wide("RT")]),
];

fn float(row: &Row) -> Option<Float> {
    if let Op::Spe(Spe::Float(float)) = row.op { Some(float) } else { None }
}

fn signed_fraction(row: &Row) -> bool {
    let is = |integer: Integer| integer.signed && integer.fraction;
    match float(row).map(|float| float.operation) {
        Some(Operation::FromInteger(integer) | Operation::ToInteger { integer, .. }) => is(integer),
        _ => false,
    }
}

/// An operand or the result is neither a normal number nor zero, or the result is so small that it may have underflowed
/// before it was rounded.
fn outside(v: &View) -> bool {
    let Some(Float { operation, shape }) = float(v.row) else { return false };
    let n = |name| operand::named(v.row, name).get(v.word) as usize;
    let (a, b) = (n("RA"), n("RB"));
    let (high, low) = (|n: usize| v.before.reg[reg::HIGH + n], |n: usize| v.before.reg[n]);
    let whole = |n: usize| f64::from_bits(high(n) << 32 | low(n));
    let single = |n: usize| f32::from_bits(low(n) as u32);
    let lanes = |operation: fn(f32, f32) -> f32| {
        let highs = [a, b].map(|n| f32::from_bits(high(n) as u32));
        let of = |[a, b]: [f32; 2]| bad_single(a) || bad_single(b) || bad_single(operation(a, b));
        of([single(a), single(b)]) || shape == Shape::Vector && of(highs)
    };
    let doubles = |operation: fn(f64, f64) -> f64| {
        bad_double(whole(a)) || bad_double(whole(b)) || bad_double(operation(whole(a), whole(b)))
    };
    let double = shape == Shape::Double;
    match operation {
        Operation::Add if double => doubles(|a, b| a + b),
        Operation::Sub if double => doubles(|a, b| a - b),
        Operation::Mul if double => doubles(|a, b| a * b),
        Operation::Div if double => doubles(|a, b| a / b),
        Operation::Compare { .. } if double => doubles(|_, _| 1.0),
        Operation::ToInteger { .. } if double => bad_double(whole(b)),
        Operation::Add => lanes(|a, b| a + b),
        Operation::Sub => lanes(|a, b| a - b),
        Operation::Mul => lanes(|a, b| a * b),
        Operation::Div => lanes(|a, b| a / b),
        Operation::Compare { .. } => lanes(|_, _| 1.0),
        Operation::ToInteger { .. } => {
            bad_single(single(b)) || shape == Shape::Vector && bad_single(f32::from_bits(high(b) as u32))
        }
        Operation::FromSingle => bad_single(single(b)),
        Operation::FromDouble => bad_double(whole(b)) || bad_single(whole(b) as f32),
        Operation::FromInteger(_) | Operation::Absolute | Operation::NegativeAbsolute | Operation::Negate => false,
    }
}

fn bad_single(x: f32) -> bool {
    !(x == 0.0 || x.is_normal()) || x.abs() == f32::MIN_POSITIVE
}

fn bad_double(x: f64) -> bool {
    !(x == 0.0 || x.is_normal()) || x.abs() == f64::MIN_POSITIVE
}
