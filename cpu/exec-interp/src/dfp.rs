//! Decimal floating point. The arithmetic itself is [`exec::dfp`].
//!
//! As in binary, an instruction that raises an enabled exception completes and then traps. Writing an FPR clears
//! doubleword 1 of its VSR, which the architecture leaves undefined before ISA 3.1.

use core::cmp::Ordering;

use exec::VcpuState;
use exec::dfp::{self, Context, EXTENDED, Format, LONG, Number, Outcome, Rounding, SHORT};
use exec::fp::fpscr;
use ppc_isa::dfp::{Decimal, Dfp};

use crate::env::{Env, Flow, Handler, Step};
use crate::fields::{bf, ra as fra, rb as frb, rt as frt};
use crate::float::{conclude, fpr, interrupt_if_enabled, record, set_fpr};

/// The handler of `op`.
pub fn handler(op: Dfp) -> Handler {
    if op.quad { of::<true>(op.operation) } else { of::<false>(op.operation) }
}

fn of<const Q: bool>(operation: Decimal) -> Handler {
    match operation {
        Decimal::Add => |s, env, w| arithmetic::<Q>(s, env, w, |x, a, b| x.add(a, b)),
        Decimal::Subtract => |s, env, w| arithmetic::<Q>(s, env, w, |x, a, b| x.sub(a, b)),
        Decimal::Multiply => |s, env, w| arithmetic::<Q>(s, env, w, |x, a, b| x.mul(a, b)),
        Decimal::Divide => |s, env, w| arithmetic::<Q>(s, env, w, |x, a, b| x.div(a, b)),
        Decimal::Compare { ordered: false } => compare::<Q, false>,
        Decimal::Compare { ordered: true } => compare::<Q, true>,
        Decimal::TestClass => |s, _, w| test_mask(s, w, operand::<Q>(s, fra(w)), dfp::class_mask, format(Q)),
        Decimal::TestGroup => |s, _, w| test_mask(s, w, operand::<Q>(s, fra(w)), dfp::group_mask, format(Q)),
        Decimal::TestExponent => |s, _, w| {
            let order = dfp::compare_exponents(operand::<Q>(s, fra(w)), operand::<Q>(s, frb(w)));
            report(s, w, relation(order))
        },
        Decimal::TestSignificance { immediate: false } => |s, _, w| test_significance::<Q>(s, w, fpr(s, fra(w)) as u32),
        Decimal::TestSignificance { immediate: true } => |s, _, w| test_significance::<Q>(s, w, w >> 16),
        Decimal::Quantize { immediate: false } => |s, env, w| {
            let like = operand::<Q>(s, fra(w));
            controlled::<Q>(s, env, w, 0, |x, b| x.quantize(like, b))
        },
        Decimal::Quantize { immediate: true } => |s, env, w| {
            // TE is signed.
            let exponent = (w << 11).cast_signed() >> 27;
            controlled::<Q>(s, env, w, 0, |x, b| x.quantize(Number::finite(false, 1, exponent), b))
        },
        Decimal::Reround => |s, env, w| {
            let count = fpr(s, fra(w)) as u32 & 63;
            controlled::<Q>(s, env, w, 0, |x, b| x.reround(count, b))
        },
        Decimal::RoundToIntegral { inexact: false } => {
            |s, env, w| controlled::<Q>(s, env, w, r(w), |x, b| x.round_to_integral(b, false))
        }
        Decimal::RoundToIntegral { inexact: true } => {
            |s, env, w| controlled::<Q>(s, env, w, r(w), |x, b| x.round_to_integral(b, true))
        }
        Decimal::Lengthen => lengthen::<Q>,
        Decimal::Shorten => shorten::<Q>,
        Decimal::FromDoubleword => |s, env, w| {
            let integer = i128::from(fpr(s, frb(w)).cast_signed());
            let outcome = Context::new(format(Q), s.fpscr).from_integer(integer);
            finish::<Q>(s, env, w, outcome)
        },
        Decimal::ToDoubleword => to_doubleword::<Q>,
        Decimal::FromQuadword => from_quadword,
        Decimal::ToQuadword => to_quadword,
        Decimal::ToPacked => to_packed::<Q>,
        Decimal::FromPacked => |s, env, w| {
            let outcome = Context::new(format(Q), s.fpscr).from_packed(bits::<Q>(s, frb(w)), w >> 20 & 1 != 0);
            finish::<Q>(s, env, w, outcome)
        },
        Decimal::ExtractExponent => |s, _, w| {
            let exponent = dfp::extracted_exponent(operand::<Q>(s, frb(w)), format(Q));
            set_fpr(s, frt(w), exponent.cast_unsigned());
            record(s, w);
            Ok(Flow::Next)
        },
        Decimal::InsertExponent => |s, _, w| {
            let exponent = fpr(s, fra(w)).cast_signed();
            let number = dfp::inserted_exponent(operand::<Q>(s, frb(w)), exponent, format(Q));
            place::<Q>(s, w, number.pack(format(Q)))
        },
        Decimal::Shift { left: false } => shift::<Q, false>,
        Decimal::Shift { left: true } => shift::<Q, true>,
    }
}

/// The format of most operands.
const fn format(quad: bool) -> Format {
    if quad { EXTENDED } else { LONG }
}

/// The R field in front of RMC.
fn r(w: u32) -> u32 {
    w >> 14 & 4
}

/// FPR `n`, or the pair that begins with it.
fn bits<const Q: bool>(s: &VcpuState, n: usize) -> u128 {
    let first = u128::from(fpr(s, n));
    if Q { first << 64 | u128::from(fpr(s, n | 1)) } else { first }
}

fn operand<const Q: bool>(s: &VcpuState, n: usize) -> Number {
    Number::unpack(bits::<Q>(s, n), format(Q))
}

fn set<const Q: bool>(s: &mut VcpuState, n: usize, value: u128) {
    if Q {
        set_fpr(s, n, (value >> 64) as u64);
        set_fpr(s, n | 1, value as u64);
    } else {
        set_fpr(s, n, value as u64);
    }
}

/// Writes FRT without FPSCR.
fn place<const Q: bool>(s: &mut VcpuState, w: u32, value: u128) -> Step {
    set::<Q>(s, frt(w), value);
    record(s, w);
    Ok(Flow::Next)
}

/// Writes FPSCR, and FRT unless an enabled exception forbids it. What is narrower than the pair stands in its first
/// register, and DFP Short at the right end of its own.
fn finish<const Q: bool>(s: &mut VcpuState, env: &mut Env, w: u32, outcome: Outcome) -> Step {
    if !fpscr::suppresses(s.fpscr, outcome.raised) {
        let value = outcome.value.pack(outcome.format);
        set::<Q>(s, frt(w), if Q && outcome.format == LONG { value << 64 } else { value });
    }
    s.fpscr = fpscr::merge(s.fpscr, outcome.raised, Some(outcome.fprf));
    conclude(s, env, w)
}

fn arithmetic<const Q: bool>(
    s: &mut VcpuState,
    env: &mut Env,
    w: u32,
    operation: impl Fn(Context, Number, Number) -> Outcome,
) -> Step {
    let outcome = operation(Context::new(format(Q), s.fpscr), operand::<Q>(s, fra(w)), operand::<Q>(s, frb(w)));
    finish::<Q>(s, env, w, outcome)
}

/// Computes from FRB in the rounding mode of RMC, with `r` in front.
fn controlled<const Q: bool>(
    s: &mut VcpuState,
    env: &mut Env,
    w: u32,
    r: u32,
    operation: impl Fn(Context, Number) -> Outcome,
) -> Step {
    let rounding = Rounding::controlled(r | w >> 9 & 3, s.fpscr);
    let context = Context::new(format(Q), s.fpscr).with_rounding(rounding);
    let outcome = operation(context, operand::<Q>(s, frb(w)));
    finish::<Q>(s, env, w, outcome)
}

fn relation(order: Option<Ordering>) -> u8 {
    match order {
        Some(Ordering::Less) => 8,
        Some(Ordering::Greater) => 4,
        Some(Ordering::Equal) => 2,
        None => 1,
    }
}

/// A result in a CR field and FPCC.
fn report(s: &mut VcpuState, w: u32, field: u8) -> Step {
    s.cr[bf(w)] = field;
    s.fpscr = s.fpscr & !fpscr::FPCC | u64::from(field) << 12;
    Ok(Flow::Next)
}

fn compare<const Q: bool, const ORDERED: bool>(s: &mut VcpuState, env: &mut Env, w: u32) -> Step {
    let (order, raised) = dfp::compare(operand::<Q>(s, fra(w)), operand::<Q>(s, frb(w)), ORDERED, s.fpscr);
    report(s, w, relation(order))?;
    s.fpscr = fpscr::raise(s.fpscr, raised);
    interrupt_if_enabled(s, env)
}

/// Reports the sign, and whether the mask in the word has a bit of `number`.
fn test_mask(s: &mut VcpuState, w: u32, number: Number, mask: fn(Number, Format) -> u32, format: Format) -> Step {
    let matches = w >> 10 & mask(number, format) != 0;
    report(s, w, u8::from(number.negative) << 3 | u8::from(matches) << 1)
}

fn test_significance<const Q: bool>(s: &mut VcpuState, w: u32, count: u32) -> Step {
    // No digits asked for are more than any number has.
    let asked = match count & 63 {
        0 => u32::MAX,
        count => count,
    };
    let order = dfp::significant_digits(operand::<Q>(s, frb(w))).map(|digits| asked.cmp(&digits));
    report(s, w, relation(order))
}

/// `dctdp` and `dctqpq`.
fn lengthen<const Q: bool>(s: &mut VcpuState, env: &mut Env, w: u32) -> Step {
    let (context, bits) = (Context::new(format(Q), s.fpscr), u128::from(fpr(s, frb(w))));
    let outcome = match Q {
        true => context.lengthen(Number::unpack(bits, LONG)),
        false => context.load(Number::unpack(bits & 0xffff_ffff, SHORT)),
    };
    finish::<Q>(s, env, w, outcome)
}

/// `drsp` and `drdpq`. FRT, or the pair, is filled up with zeros.
fn shorten<const Q: bool>(s: &mut VcpuState, env: &mut Env, w: u32) -> Step {
    let number = operand::<Q>(s, frb(w));
    let outcome = match Q {
        true => Context::new(LONG, s.fpscr).shorten(number, EXTENDED),
        false => Context::new(SHORT, s.fpscr).store(number, LONG),
    };
    finish::<Q>(s, env, w, outcome)
}

/// FPRF, which is undefined after it, stays.
fn to_doubleword<const Q: bool>(s: &mut VcpuState, env: &mut Env, w: u32) -> Step {
    let (integer, raised) = dfp::to_integer(operand::<Q>(s, frb(w)), 64, Rounding::of(s.fpscr));
    if !fpscr::suppresses(s.fpscr, raised) {
        set_fpr(s, frt(w), integer as u64);
    }
    s.fpscr = fpscr::merge(s.fpscr, raised, None);
    conclude(s, env, w)
}

/// FRTp = VRB.
fn from_quadword(s: &mut VcpuState, env: &mut Env, w: u32) -> Step {
    let [high, low] = s.vsr[32 | frb(w)];
    let integer = (u128::from(high) << 64 | u128::from(low)).cast_signed();
    let outcome = Context::new(EXTENDED, s.fpscr).from_integer(integer);
    // There is no record form: the last bit of the word is reserved.
    finish::<true>(s, env, w & !1, outcome)
}

/// VRT = FRBp; FPRF, which is undefined after it, stays.
fn to_quadword(s: &mut VcpuState, env: &mut Env, w: u32) -> Step {
    let (integer, raised) = dfp::to_integer(operand::<true>(s, frb(w)), 128, Rounding::of(s.fpscr));
    if !fpscr::suppresses(s.fpscr, raised) {
        s.vsr[32 | frt(w)] = [(integer >> 64) as u64, integer as u64];
    }
    s.fpscr = fpscr::merge(s.fpscr, raised, None);
    interrupt_if_enabled(s, env)
}

/// SP: whether there is a sign, and whether that of a positive number is 0xf instead of 0xc.
fn to_packed<const Q: bool>(s: &mut VcpuState, _: &mut Env, w: u32) -> Step {
    let plus = if w >> 19 & 1 != 0 { 0xf } else { 0xc };
    let sign = (w >> 20 & 1 != 0).then_some(plus);
    let packed = dfp::to_packed(operand::<Q>(s, frb(w)), format(Q), sign);
    place::<Q>(s, w, packed)
}

fn shift<const Q: bool, const LEFT: bool>(s: &mut VcpuState, _: &mut Env, w: u32) -> Step {
    let number = dfp::shifted(operand::<Q>(s, fra(w)), w >> 10 & 63, LEFT, format(Q));
    place::<Q>(s, w, number.pack(format(Q)))
}
