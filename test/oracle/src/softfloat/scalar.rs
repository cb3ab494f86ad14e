//! The floating-point facility: 32 registers with doubles (Power ISA Book I, chapter 4).

use std::cmp::Ordering;

use exec::fp::fpscr::{self, FI, FPCC, FPRF, FR, FX, XX};
use ppc_isa::float::{Arithmetic, Direction, Float, Move, MoveFrom};

use super::Work;
use super::number::{Exact, Format, Mode, Number};
use super::result::{Delivered, Rules, summarised, to_integer, with_exceptions};
use crate::case::reg;

const SIGN: u64 = 1 << 63;

impl Work<'_> {
    fn fpr(&self, name: &str) -> u64 {
        self.double(self.field(name))
    }

    fn operand(&self, name: &str) -> Number {
        Number::decode(self.fpr(name).into(), Format::Double)
    }

    /// FRT; what the ISA leaves undefined in doubleword 1 is zero here.
    fn set_frt(&mut self, value: u64) {
        self.set_vsr(self.field("FRT"), [value, 0]);
    }

    fn deliver(&mut self, delivered: Delivered) {
        if self.report(&delivered) {
            match delivered.number.encode(Format::Double) {
                Some(bits) => self.set_frt(bits as u64),
                // Operands were no singles, which leaves the result undefined, and it was too large even so.
                None => {
                    self.set_frt(0);
                    self.expected.ignore.reg[reg::VSR + 2 * self.field("FRT") as usize] = u64::MAX;
                }
            }
        }
        self.record();
    }
}

/// What `op` does; `None` for loads and stores.
pub fn execute(op: Float, work: &mut Work) -> Option<()> {
    let fpscr = work.fpscr();
    let rules = |single| Rules::new(if single { Format::Single } else { Format::Double }, fpscr);
    let [a, b, c] = ["FRA", "FRB", "FRC"].map(|name| work.operand(name));
    match op {
        Float::Move(change) => {
            let b = work.fpr("FRB");
            let value = match change {
                Move::Plain => b,
                Move::Negate => b ^ SIGN,
                Move::Absolute => b & !SIGN,
                Move::NegativeAbsolute => b | SIGN,
            };
            work.set_frt(value);
            work.record();
        }
        Float::CopySign => {
            let (a, b) = (work.fpr("FRA"), work.fpr("FRB"));
            work.set_frt(a & SIGN | b & !SIGN);
            work.record();
        }
        Float::MergeWord { odd } => {
            let [a, b] = ["FRA", "FRB"].map(|name| work.fpr(name) >> if odd { 0 } else { 32 } & 0xffff_ffff);
            work.set_frt(a << 32 | b);
        }
        Float::Arithmetic { operation, single } => {
            let rules = rules(single);
            let delivered = match operation {
                Arithmetic::Add => rules.operate(&[a, b], || a.plus(b, rules.mode)),
                Arithmetic::Subtract => rules.operate(&[a, b], || a.plus(b.negated(), rules.mode)),
                Arithmetic::Multiply => rules.operate(&[a, c], || a.times(c)),
                Arithmetic::Divide => rules.operate(&[a, b], || a.over(b)),
                Arithmetic::SquareRoot => rules.operate(&[b], || b.root()),
                Arithmetic::Reciprocal => estimate(work, &rules, b, reciprocal, 256),
                Arithmetic::ReciprocalSquareRoot => estimate(work, &rules, b, reciprocal_root, 32),
            };
            work.deliver(delivered);
        }
        Float::MultiplyAdd { subtract, negate, single } => {
            let delivered = rules(single).fused(a, c, b, subtract);
            work.deliver(if negate { delivered.negated() } else { delivered });
        }
        Float::RoundToSingle => work.deliver(rules(true).operate(&[b], || Ok(b))),
        Float::RoundToIntegral(direction) => {
            let mode = match direction {
                Direction::Nearest => Mode::NearAway,
                Direction::Zero => Mode::Zero,
                Direction::Plus => Mode::Ceiling,
                Direction::Minus => Mode::Floor,
            };
            work.deliver(rules(false).with_mode(mode).integral(b, false));
        }
        Float::ToInteger { double, signed, truncate } => {
            let mode = if truncate { Mode::Zero } else { Mode::of(fpscr) };
            let bits = if double { 64 } else { 32 };
            let (integer, exceptions, fr, fi) = to_integer(b, bits, signed, mode);
            // FPRF is undefined, and so is the high word of a word.
            let delivered = Delivered {
                exceptions,
                fr,
                fi,
                undefined: FPRF,
                ..Delivered::exactly(Number::zero(false), Format::Double, 0)
            };
            if work.report(&delivered) {
                work.set_frt(integer as u64);
                if !double {
                    work.expected.ignore.reg[reg::VSR + 2 * work.field("FRT") as usize] = 0xffff_ffff << 32;
                }
            }
            work.record();
        }
        Float::FromInteger { signed, single } => {
            let bits = work.fpr("FRB");
            let negative = signed && bits >> 63 != 0;
            let magnitude = if negative { bits.wrapping_neg() } else { bits };
            work.deliver(rules(single).round(Number::finite(negative, magnitude.into(), 0)));
        }
        Float::Compare { ordered } => {
            let (field, exceptions) = compare(a, b, ordered, fpscr);
            work.set_cr(work.field("BF"), field);
            work.set_fpscr(with_exceptions(fpscr & !FPCC | u64::from(field) << 12, exceptions));
        }
        Float::Select => {
            let chosen = if a.order(Number::zero(false)).is_some_and(Ordering::is_ge) { "FRC" } else { "FRB" };
            let value = work.fpr(chosen);
            work.set_frt(value);
            work.record();
        }
        Float::TestDivide => work.set_cr(work.field("BF"), divide_test(a, b, Format::Double)),
        Float::TestSquareRoot => work.set_cr(work.field("BF"), root_test(b, Format::Double)),
        Float::MoveFrom(from) => move_from(work, from),
        Float::MoveToFields { wide } => {
            let mut mask = 0;
            let low = !wide || work.field("W") == 0;
            for i in 0..8 {
                if work.field("FLM") >> (7 - i) & 1 != 0 {
                    mask |= 0xf << (4 * (7 - i)) << if low { 0 } else { 32 };
                }
            }
            if wide && work.field("L") == 1 {
                mask = u64::MAX;
            }
            let value = work.fpr("FRB");
            copy_fields(work, mask, value);
        }
        Float::MoveToFieldImmediate { wide } => {
            let high = wide && work.field("W") == 1;
            let shift = 4 * (7 - work.field("BF")) + if high { 32 } else { 0 };
            copy_fields(work, 0xf << shift, u64::from(work.field("U")) << shift);
        }
        Float::MoveToBit { set } => {
            let bit = 0x8000_0000 >> work.field("BT") & fpscr::DEFINED & !(fpscr::FEX | fpscr::VX);
            let fpscr = match set {
                true if bit & fpscr::EXCEPTIONS != 0 => with_exceptions(fpscr, bit),
                true => summarised(fpscr | bit),
                false => summarised(fpscr & !bit),
            };
            work.set_fpscr(fpscr);
            work.record();
        }
        Float::MoveToCr => {
            let shift = 4 * (7 - work.field("BFA"));
            work.set_cr(work.field("BF"), (fpscr >> shift & 0xf) as u8);
            work.set_fpscr(summarised(fpscr & !(0xf << shift & (FX | fpscr::EXCEPTIONS))));
        }
        _ => return None,
    }
    Some(())
}

/// `mtfsf` and `mtfsfi`: FX is copied, FEX and VX follow from the other bits, reserved bits stay zero.
fn copy_fields(work: &mut Work, mask: u64, value: u64) {
    let fpscr = work.fpscr() & !mask | value & mask;
    work.set_fpscr(summarised(fpscr & fpscr::DEFINED));
    work.record();
}

fn move_from(work: &mut Work, from: MoveFrom) {
    let fpscr = work.fpscr();
    // DRN, the enables, NI and RN.
    const CONTROL: u64 = 0x7_0000_00ff;
    let (shown, replaced, value) = match from {
        MoveFrom::All => (u64::MAX, 0, 0),
        MoveFrom::ClearEnables => (u64::MAX, 0xf8, 0),
        MoveFrom::DecimalRounding { immediate: false } => (CONTROL, 7 << 32, work.fpr("FRB")),
        MoveFrom::DecimalRounding { immediate: true } => (CONTROL, 7 << 32, u64::from(work.field("DRM")) << 32),
        MoveFrom::Rounding { immediate: false } => (CONTROL, 3, work.fpr("FRB")),
        MoveFrom::Rounding { immediate: true } => (CONTROL, 3, work.field("RM").into()),
        MoveFrom::Lightweight => (CONTROL | FR | FI | FPRF, 0, 0),
    };
    work.set_frt(fpscr & shown);
    work.set_fpscr(summarised(fpscr & !replaced | value & replaced));
    work.record();
}

/// The CR field of a comparison, and its exceptions (Book I, 4.6.8).
pub fn compare(a: Number, b: Number, ordered: bool, fpscr: u64) -> (u8, u64) {
    let signalling = a.is_signalling() || b.is_signalling();
    match a.order(b) {
        Some(Ordering::Less) => (8, 0),
        Some(Ordering::Greater) => (4, 0),
        Some(Ordering::Equal) => (2, 0),
        None if signalling && ordered && fpscr & fpscr::VE == 0 => (1, fpscr::VXSNAN | fpscr::VXVC),
        None if signalling => (1, fpscr::VXSNAN),
        None if ordered => (1, fpscr::VXVC),
        None => (1, 0),
    }
}

/// The unbiased exponent as it stands in the exponent field.
fn field_exponent(x: Number, format: Format) -> i32 {
    match x.exponent() {
        Some(e) => e.max(format.min_exponent() - 1),
        None if x.is_zero() => format.min_exponent() - 1,
        None => format.max_exponent() + 1,
    }
}

/// `ftdiv`, `xstdivdp`, `xvtdivsp`: a CR field with FG and FE.
pub fn divide_test(a: Number, b: Number, format: Format) -> u8 {
    let single = format == Format::Single;
    // The bounds as the ISA prints them.
    let [low, high, most, least, small] =
        if single { [-126, 125, 127, -125, -103] } else { [-1022, 1021, 1023, -1021, -970] };
    let (ea, eb) = (field_exponent(a, format), field_exponent(b, format));
    let mut fe = a.is_nan() || a.is_infinite() || b.is_zero() || b.is_nan() || b.is_infinite();
    fe |= eb <= low || eb >= high;
    fe |= !a.is_zero() && (ea - eb >= most || ea - eb <= least || ea <= small);
    let fg = a.is_infinite() || b.is_zero() || b.is_infinite() || b.is_denormal(format);
    8 | u8::from(fg) << 2 | u8::from(fe) << 1
}

/// `ftsqrt` and its like.
pub fn root_test(b: Number, format: Format) -> u8 {
    let small = if format == Format::Single { -103 } else { -970 };
    let fe = b.is_zero() || b.is_nan() || b.is_infinite() || b.negative || field_exponent(b, format) <= small;
    let fg = b.is_zero() || b.is_infinite() || b.is_denormal(format);
    8 | u8::from(fg) << 2 | u8::from(fe) << 1
}

pub fn reciprocal(x: Number) -> Exact {
    Number::finite(false, 1, 0).over(x)
}

pub fn reciprocal_root(x: Number) -> Exact {
    x.root().and_then(reciprocal)
}

/// An estimate with a relative error of at most 1 / `bound`: FR, FI and XX are undefined, and all else follows from the
/// value that our engine chose.
fn estimate(work: &mut Work, rules: &Rules, x: Number, exactly: fn(Number) -> Exact, bound: u32) -> Delivered {
    let target = reg::VSR + 2 * work.field("FRT") as usize;
    let found = Number::decode(work.found.reg[target].into(), Format::Double);
    judged(work, rules, x, exactly, bound, found)
}

/// What an estimate must deliver, where `found` is what our engine delivers.
pub fn judged(
    work: &mut Work,
    rules: &Rules,
    x: Number,
    exactly: fn(Number) -> Exact,
    bound: u32,
    found: Number,
) -> Delivered {
    let mut delivered = rules.operate(&[x], || exactly(x));
    if delivered.number.exponent().is_some() && within(found, delivered.number, bound) {
        delivered.number = found;
    }
    // Whether the estimate is exact is up to the implementation.
    delivered.exceptions = delivered.exceptions & !XX | work.found.reg[reg::FPSCR] & XX & !work.fpscr();
    if delivered.exceptions & (fpscr::VX_ALL | fpscr::ZX) == 0 {
        delivered.undefined |= FR | FI;
    }
    delivered
}

/// Whether two numbers differ by no more than one part in `bound` of the second.
pub fn within(found: Number, exact: Number, bound: u32) -> bool {
    let near = |x: Number| x.plus(exact.negated(), Mode::NearEven).ok();
    let Some(error) = near(found) else { return false };
    let scaled = error.times(Number::finite(false, bound.into(), 0)).ok();
    let magnitude = |x: Number| Number { negative: false, ..x };
    scaled.and_then(|s| magnitude(s).order(magnitude(exact))).is_some_and(Ordering::is_le)
}
