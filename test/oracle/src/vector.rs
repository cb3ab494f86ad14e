//! When results of vector instructions are undefined, from the registers before them.

use ppc_isa::Op;
use ppc_isa::vector::{Decimal, Lane, Vector};

use crate::case::reg;
use crate::undefined::View;

/// The vector register that the field called `name` chooses.
fn vr(v: &View, name: &str) -> u128 {
    let n = reg::VSR + 2 * (32 + v.field(name) as usize);
    u128::from(v.before.reg[n]) << 64 | u128::from(v.before.reg[n + 1])
}

/// The element to extract or insert lies partly beyond the register.
pub fn beyond_register(v: &View) -> bool {
    let (lane, first) = match v.row.op {
        Op::Vector(Vector::Extract(lane) | Vector::Insert(lane)) => (lane, v.field("UIM4")),
        Op::Vector(Vector::ExtractToGpr { lane, .. }) => (lane, v.gpr("RA") as u32 & 15),
        _ => return false,
    };
    let bytes = match lane {
        Lane::Byte => 1,
        Lane::Half => 2,
        Lane::Word => 4,
        Lane::Double => 8,
        Lane::Quad => 16,
    };
    first + bytes > 16
}

fn digits(n: u128) -> impl Iterator<Item = u128> {
    (0..32).map(move |i| n >> (4 * i) & 15)
}

fn decimal(n: u128) -> bool {
    digits(n).all(|digit| digit <= 9)
}

fn packed(n: u128) -> bool {
    n & 15 > 9 && decimal(n >> 4)
}

fn national(n: u128) -> bool {
    (1..8).all(|i| (0x30..=0x39).contains(&(n >> (16 * i) & 0xffff))) && [0x2b, 0x2d].contains(&(n & 0xffff))
}

fn zoned(n: u128, ebcdic: bool) -> bool {
    let zone = if ebcdic { 0xf } else { 3 };
    let zones = (1..16).all(|i| n >> (8 * i + 4) & 15 == zone);
    zones && (0..16).all(|i| n >> (8 * i) & 15 <= 9) && (!ebcdic || n >> 4 & 15 > 9)
}

/// The decimal source is not valid, or too large.
pub fn no_decimal(v: &View) -> bool {
    let Op::Vector(Vector::Decimal(op)) = v.row.op else { return false };
    let b = vr(v, "VRB");
    match op {
        Decimal::Add { .. } | Decimal::CopySign => !packed(vr(v, "VRA")) || !packed(b),
        Decimal::ShiftUnsigned | Decimal::TruncateUnsigned => !decimal(b),
        Decimal::FromNational => !national(b),
        Decimal::FromZoned => !zoned(b, v.field("PS") == 1),
        Decimal::FromQuad => b.cast_signed().unsigned_abs() >= 10u128.pow(31),
        _ => !packed(b),
    }
}

/// VRB is zero.
pub fn zero(v: &View) -> bool {
    vr(v, "VRB") == 0
}

/// A shift or truncation leaves no digit of a number that is not zero.
pub fn all_digits_lost(v: &View) -> bool {
    let Op::Vector(Vector::Decimal(op)) = v.row.op else { return false };
    let control = (vr(v, "VRA") >> 64) as u16;
    let (kept, amount) = match op {
        Decimal::Truncate | Decimal::TruncateUnsigned => (0..u32::from(control), 0),
        _ => (0..32, i32::from(control as i8)),
    };
    let (source, length) = match op {
        Decimal::ShiftUnsigned | Decimal::TruncateUnsigned => (vr(v, "VRB"), 32),
        _ => (vr(v, "VRB") >> 4, 31),
    };
    let stays = |i: i32| (0..length).contains(&(i + amount)) && kept.contains(&(i.unsigned_abs()));
    source != 0 && digits(source).zip(0..).all(|(digit, i)| digit == 0 || !stays(i))
}

/// The length of a truncation is all ones.
pub fn length_65535(v: &View) -> bool {
    (vr(v, "VRA") >> 64) as u16 == u16::MAX
}
