//! When results of vector instructions are undefined, from the registers before them.

use ppc_isa::vector::{Binary, Decimal, Lane, Vector};
use ppc_isa::{Op, Row};

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
        Op::Vector(Vector::InsertFromGpr(lane)) => (lane, v.field("UIM4")),
        Op::Vector(Vector::ExtractToGpr { lane, .. } | Vector::InsertIndexed { lane, .. }) => {
            (lane, v.gpr("RA") as u32 & 15)
        }
        Op::Vector(Vector::ExtractDouble { lane, .. }) => return (v.gpr("RC") as u32 & 31) + bits(lane) / 8 > 32,
        _ => return false,
    };
    first + bits(lane) / 8 > 16
}

/// Of an element.
fn bits(lane: Lane) -> u32 {
    match lane {
        Lane::Byte => 8,
        Lane::Half => 16,
        Lane::Word => 32,
        Lane::Double => 64,
        Lane::Quad => 128,
    }
}

/// Inserts or extracts what an index of Power ISA 3.1 names.
pub fn indexes(row: &Row) -> bool {
    use Vector::{ExtractDouble, InsertFromGpr, InsertIndexed};
    matches!(row.op, Op::Vector(InsertFromGpr(_) | InsertIndexed { .. } | ExtractDouble { .. }))
}

/// Divides integers.
pub fn divides(row: &Row) -> bool {
    use Binary::{Divide, DivideExtended, Modulo};
    matches!(row.op, Op::Vector(Vector::Binary { op: Divide | DivideExtended | Modulo, .. }))
}

/// Ones in the elements that divide by zero or have a quotient that does not fit.
pub fn no_quotients(v: &View) -> u128 {
    let Op::Vector(Vector::Binary { op, lane, signed }) = v.row.op else { return 0 };
    let (width, a, b) = (bits(lane), vr(v, "VRA"), vr(v, "VRB"));
    let undefined = |left: u32| {
        // Sign and magnitude of the element that begins at bit `left`.
        let element = |n: u128| match signed {
            true => ((n << left).cast_signed() < 0, ((n << left).cast_signed() >> (128 - width)).unsigned_abs()),
            false => (false, n << left >> (128 - width)),
        };
        let ((minus_a, a), (minus_b, b)) = (element(a), element(b));
        let extended = op == Binary::DivideExtended;
        b == 0
            || match (extended, signed, minus_a == minus_b) {
                (false, _, same) => signed && same && minus_a && b == 1 && a == 1 << (width - 1),
                (true, false, _) => a >= b,
                // A quotient of a * 2^width and b that is at least 2^(width - 1), or more than that.
                (true, true, true) => a.checked_mul(2).is_none_or(|double| double >= b),
                (true, true, false) => a.checked_mul(2).is_none_or(|double| double > b),
            }
    };
    let ones = |left: u32| u128::MAX << (128 - width) >> left;
    (0..128).step_by(width as usize).filter(|&left| undefined(left)).fold(0, |mask, left| mask | ones(left))
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

/// The last four bits of VRB are no digit.
pub fn beyond_nine(v: &View) -> bool {
    vr(v, "VRB") & 15 > 9
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

/// `VSCR[NJ]=1`, and an element of VRA times VRC plus or minus VRB, denormal operands taken for zero, is rounded to the
/// smallest normal number.
pub fn rounds_to_normal(v: &View) -> bool {
    let elements = |name| {
        let index = reg::VSR + 2 * (32 + v.field(name) as usize);
        let doublewords = [v.before.reg[index], v.before.reg[index + 1]];
        doublewords.into_iter().flat_map(|d| [d >> 32, d & 0xffff_ffff]).map(|bits| {
            let value = f32::from_bits(bits as u32);
            f64::from(if value.is_subnormal() { 0.0 } else { value })
        })
    };
    let smallest = |x: f64| x as f32 == f32::MIN_POSITIVE || x as f32 == -f32::MIN_POSITIVE;
    let mut all = elements("VRA").zip(elements("VRC")).zip(elements("VRB"));
    v.before.reg[reg::VSCR] & 0x1_0000 != 0 && all.any(|((a, c), b)| smallest(a * c + b) || smallest(a * c - b))
}
