//! Scalar floating point with its loads, stores and FPSCR. The arithmetic itself is [`exec::fp`].
//!
//! An instruction that raises an enabled exception completes, as far as the exception lets it, and then traps: of all
//! traps this is the one that leaves changed registers behind. Writing an FPR clears doubleword 1 of its VSR, which
//! the architecture leaves undefined before ISA 3.1.

use core::cmp::Ordering;

use exec::fp::{self, Context, DOUBLE, Float as Value, Integer, Outcome, Rounding, SINGLE, fpscr};
use exec::interrupt::program;
use exec::{Interrupt, VcpuState};
use ppc_isa::Cpu;
use ppc_isa::cpu::CLASSIC;
use ppc_isa::float::{Access, Arithmetic, Direction, Float, Move, MoveFrom};

use crate::env::{Env, Flow, Handler, Step};
use crate::fields::{bf, ra as fra, rb as frb, rc as frc, rt as frt};
use crate::loadstore::{aligned_float, displaced, indexed, prefixed};

/// The handler of `op`.
pub fn handler(op: Float) -> Handler {
    match op {
        Float::Load(access) => load_handler(access),
        Float::Store(access) => store_handler(access),
        Float::LoadPrefixed { single: true } => |s, env, w| load_at::<true>(s, env, w, prefixed(s, env.prefix, w)),
        Float::LoadPrefixed { single: false } => |s, env, w| load_at::<false>(s, env, w, prefixed(s, env.prefix, w)),
        Float::StorePrefixed { single: true } => |s, env, w| store_at::<true>(s, env, w, prefixed(s, env.prefix, w)),
        Float::StorePrefixed { single: false } => |s, env, w| store_at::<false>(s, env, w, prefixed(s, env.prefix, w)),
        Float::LoadWord { signed: true } => |s, env, w| load_word(s, env, w, |word| i64::from(word as i32) as u64),
        Float::LoadWord { signed: false } => |s, env, w| load_word(s, env, w, u64::from),
        Float::StoreWord => stfiwx,
        Float::LoadPair { indexed: false } => |s, env, w| load_pair(s, env, w, displaced::<-4>(s, w)),
        Float::LoadPair { indexed: true } => |s, env, w| load_pair(s, env, w, indexed(s, w)),
        Float::StorePair { indexed: false } => |s, env, w| store_pair(s, env, w, displaced::<-4>(s, w)),
        Float::StorePair { indexed: true } => |s, env, w| store_pair(s, env, w, indexed(s, w)),
        Float::Move(Move::Plain) => |s, _, w| move_sign(s, w, |b| b),
        Float::Move(Move::Negate) => |s, _, w| move_sign(s, w, |b| b ^ SIGN),
        Float::Move(Move::Absolute) => |s, _, w| move_sign(s, w, |b| b & !SIGN),
        Float::Move(Move::NegativeAbsolute) => |s, _, w| move_sign(s, w, |b| b | SIGN),
        Float::CopySign => |s, _, w| {
            let sign = fpr(s, fra(w)) & SIGN;
            move_sign(s, w, |b| b & !SIGN | sign)
        },
        Float::MergeWord { odd: false } => |s, _, w| {
            let (a, b) = (fpr(s, fra(w)), fpr(s, frb(w)));
            set_fpr(s, frt(w), a & 0xffff_ffff_0000_0000 | b >> 32);
            Ok(Flow::Next)
        },
        Float::MergeWord { odd: true } => |s, _, w| {
            let (a, b) = (fpr(s, fra(w)), fpr(s, frb(w)));
            set_fpr(s, frt(w), a << 32 | b & 0xffff_ffff);
            Ok(Flow::Next)
        },
        Float::Arithmetic { operation, single: false } => arithmetic_handler::<false>(operation),
        Float::Arithmetic { operation, single: true } => arithmetic_handler::<true>(operation),
        Float::MultiplyAdd { subtract, negate, single: false } => multiply_add_handler::<false>(subtract, negate),
        Float::MultiplyAdd { subtract, negate, single: true } => multiply_add_handler::<true>(subtract, negate),
        Float::RoundToSingle => |s, env, w| operate::<true>(s, env, w, |x, _, b, _| x.round(b)),
        Float::RoundToIntegral(direction) => integral_handler(direction),
        Float::ToInteger { double, signed, truncate } => to_integer_handler(double, signed, truncate),
        Float::FromInteger { signed: true, single: false } => from_integer::<true, false>,
        Float::FromInteger { signed: true, single: true } => from_integer::<true, true>,
        Float::FromInteger { signed: false, single: false } => from_integer::<false, false>,
        Float::FromInteger { signed: false, single: true } => from_integer::<false, true>,
        Float::Compare { ordered: false } => compare::<false>,
        Float::Compare { ordered: true } => compare::<true>,
        Float::Select => fsel,
        Float::TestDivide => |s, _, w| {
            s.cr[bf(w)] = fp::divide_test(value(s, fra(w)), value(s, frb(w)), DOUBLE);
            Ok(Flow::Next)
        },
        Float::TestSquareRoot => |s, _, w| {
            s.cr[bf(w)] = fp::square_root_test(value(s, frb(w)), DOUBLE);
            Ok(Flow::Next)
        },
        Float::MoveFrom(from) => move_from_handler(from),
        Float::MoveToFields { wide: false } => |s, env, w| mtfsf(s, env, w & !(L | W)),
        Float::MoveToFields { wide: true } => mtfsf,
        Float::MoveToFieldImmediate { wide: false } => |s, env, w| mtfsfi(s, env, w & !W),
        Float::MoveToFieldImmediate { wide: true } => mtfsfi,
        Float::MoveToBit { set: false } => |s, env, w| {
            s.fpscr = fpscr::written(s.fpscr, fpscr_bit(w), 0);
            conclude(s, env, w)
        },
        Float::MoveToBit { set: true } => |s, env, w| {
            s.fpscr = fpscr::written(fpscr::raise(s.fpscr, fpscr_bit(w)), fpscr_bit(w), fpscr_bit(w));
            conclude(s, env, w)
        },
        Float::MoveToCr => mcrfs,
    }
}

const SIGN: u64 = 1 << 63;

pub(crate) fn fpr(s: &VcpuState, n: usize) -> u64 {
    s.vsr[n][0]
}

pub(crate) fn set_fpr(s: &mut VcpuState, n: usize, value: u64) {
    s.vsr[n] = [value, 0];
}

fn value(s: &VcpuState, n: usize) -> Value {
    Value::of_double(fpr(s, n))
}

pub(crate) fn record(s: &mut VcpuState, w: u32) {
    if w & 1 != 0 {
        s.cr[1] = fpscr::cr1(s.fpscr);
    }
}

/// The end of an instruction that wrote FPSCR: CR field 1, and the interrupt of an enabled exception.
pub(crate) fn conclude(s: &mut VcpuState, env: &mut Env, w: u32) -> Step {
    record(s, w);
    interrupt_if_enabled(s, env)
}

/// The interrupt of an enabled exception, if MSR lets it happen.
pub fn interrupt_if_enabled(s: &VcpuState, env: &mut Env) -> Step {
    if s.fp_exception() {
        return Err(env.interrupt(Interrupt::Program(program::FP_ENABLED)));
    }
    Ok(Flow::Next)
}

/// Computes from FRA, FRB and FRC in the format of the instruction, writes FRT and FPSCR.
#[inline(always)]
fn operate<const IS_SINGLE: bool>(
    s: &mut VcpuState,
    env: &mut Env,
    w: u32,
    operation: impl Fn(Context, Value, Value, Value) -> Outcome,
) -> Step {
    let context = Context::scalar(if IS_SINGLE { SINGLE } else { DOUBLE }, s.fpscr);
    let outcome = operation(context, value(s, fra(w)), value(s, frb(w)), value(s, frc(w)));
    finish(s, env, w, outcome)
}

fn finish(s: &mut VcpuState, env: &mut Env, w: u32, outcome: Outcome) -> Step {
    if !fpscr::suppresses(s.fpscr, outcome.raised) {
        set_fpr(s, frt(w), outcome.value.to_double());
    }
    s.fpscr = fpscr::merge(s.fpscr, outcome.raised, Some(outcome.fprf));
    conclude(s, env, w)
}

fn arithmetic_handler<const IS_SINGLE: bool>(operation: Arithmetic) -> Handler {
    match operation {
        Arithmetic::Add => |s, env, w| operate::<IS_SINGLE>(s, env, w, |x, a, b, _| x.add(a, b)),
        Arithmetic::Subtract => |s, env, w| operate::<IS_SINGLE>(s, env, w, |x, a, b, _| x.sub(a, b)),
        Arithmetic::Multiply => |s, env, w| operate::<IS_SINGLE>(s, env, w, |x, a, _, c| x.mul(a, c)),
        Arithmetic::Divide => |s, env, w| operate::<IS_SINGLE>(s, env, w, |x, a, b, _| x.div(a, b)),
        Arithmetic::SquareRoot => |s, env, w| operate::<IS_SINGLE>(s, env, w, |x, _, b, _| x.sqrt(b)),
        Arithmetic::Reciprocal => |s, env, w| {
            let of_750 = s.cpu == Cpu::Ppc750;
            operate::<IS_SINGLE>(s, env, w, |x, _, b, _| if of_750 { x.reciprocal_750(b) } else { x.reciprocal(b) })
        },
        Arithmetic::ReciprocalSquareRoot => |s, env, w| {
            let of_750 = s.cpu == Cpu::Ppc750;
            operate::<IS_SINGLE>(s, env, w, |x, _, b, _| {
                if of_750 { x.reciprocal_square_root_750(b) } else { x.reciprocal_square_root(b) }
            })
        },
    }
}

fn multiply_add_handler<const IS_SINGLE: bool>(subtract: bool, negate: bool) -> Handler {
    match (subtract, negate) {
        (false, false) => |s, env, w| operate::<IS_SINGLE>(s, env, w, |x, a, b, c| x.multiply_add(a, c, b)),
        (true, false) => |s, env, w| operate::<IS_SINGLE>(s, env, w, |x, a, b, c| x.multiply_sub(a, c, b)),
        (false, true) => {
            |s, env, w| operate::<IS_SINGLE>(s, env, w, |x, a, b, c| x.multiply_add(a, c, b).negated(x.format))
        }
        (true, true) => {
            |s, env, w| operate::<IS_SINGLE>(s, env, w, |x, a, b, c| x.multiply_sub(a, c, b).negated(x.format))
        }
    }
}

fn integral_handler(direction: Direction) -> Handler {
    fn integral(s: &mut VcpuState, env: &mut Env, w: u32, mode: Rounding) -> Step {
        operate::<false>(s, env, w, |x, _, b, _| x.with_rounding(mode).round_to_integral(b, false))
    }
    match direction {
        Direction::Nearest => |s, env, w| integral(s, env, w, Rounding::NearestAway),
        Direction::Zero => |s, env, w| integral(s, env, w, Rounding::TowardZero),
        Direction::Plus => |s, env, w| integral(s, env, w, Rounding::Up),
        Direction::Minus => |s, env, w| integral(s, env, w, Rounding::Down),
    }
}

fn to_integer_handler(double: bool, signed: bool, truncate: bool) -> Handler {
    fn by_rounding<const BITS: u32, const SIGNED: bool>(truncate: bool) -> Handler {
        if truncate { to_integer::<BITS, SIGNED, true> } else { to_integer::<BITS, SIGNED, false> }
    }
    match (double, signed) {
        (false, false) => by_rounding::<32, false>(truncate),
        (false, true) => by_rounding::<32, true>(truncate),
        (true, false) => by_rounding::<64, false>(truncate),
        (true, true) => by_rounding::<64, true>(truncate),
    }
}

/// The high word of a word result is undefined. It is the sign extension here; of Book3S-32 it is known as 0xfff8_0000, or
/// 0xfff8_0001 for a negative number that becomes 0. FPRF is undefined, too, and stays.
fn to_integer<const BITS: u32, const SIGNED: bool, const TRUNCATE: bool>(
    s: &mut VcpuState,
    env: &mut Env,
    w: u32,
) -> Step {
    let rounding = if TRUNCATE { Rounding::TowardZero } else { Rounding::of(s.fpscr) };
    let (integer, raised) = Integer { bits: BITS, signed: SIGNED }.from_float(value(s, frb(w)), rounding);
    if !fpscr::suppresses(s.fpscr, raised) {
        let integer = integer as u64;
        let result = match BITS {
            32 if CLASSIC.contains(s.cpu) => {
                let lost_sign = integer as u32 == 0 && fpr(s, frb(w)) >> 63 != 0;
                0xfff8 << 48 | u64::from(lost_sign) << 32 | integer & 0xffff_ffff
            }
            32 if SIGNED => i64::from(integer as i32) as u64,
            _ => integer,
        };
        set_fpr(s, frt(w), result);
    }
    s.fpscr = fpscr::merge(s.fpscr, raised, None);
    conclude(s, env, w)
}

fn from_integer<const SIGNED: bool, const IS_SINGLE: bool>(s: &mut VcpuState, env: &mut Env, w: u32) -> Step {
    let integer = Integer { bits: 64, signed: SIGNED }.value(fpr(s, frb(w)).into());
    operate::<IS_SINGLE>(s, env, w, |x, _, _, _| x.round(integer))
}

fn compare<const ORDERED: bool>(s: &mut VcpuState, env: &mut Env, w: u32) -> Step {
    let (order, raised) = fp::compare(value(s, fra(w)), value(s, frb(w)), ORDERED, s.fpscr);
    let field = match order {
        Some(Ordering::Less) => 8,
        Some(Ordering::Greater) => 4,
        Some(Ordering::Equal) => 2,
        None => 1,
    };
    s.cr[bf(w)] = field;
    s.fpscr = fpscr::raise(s.fpscr & !fpscr::FPCC | u64::from(field) << 12, raised);
    interrupt_if_enabled(s, env)
}

fn fsel(s: &mut VcpuState, _: &mut Env, w: u32) -> Step {
    let a = value(s, fra(w));
    let not_less = !a.is_nan() && (!a.negative || a.kind == fp::Kind::Zero);
    set_fpr(s, frt(w), fpr(s, if not_less { frc(w) } else { frb(w) }));
    record(s, w);
    Ok(Flow::Next)
}

fn move_sign(s: &mut VcpuState, w: u32, change: impl Fn(u64) -> u64) -> Step {
    set_fpr(s, frt(w), change(fpr(s, frb(w))));
    record(s, w);
    Ok(Flow::Next)
}

/// Control bits, which the `mffs` family of ISA 3.0 returns.
const CONTROL: u64 = fpscr::DRN | fpscr::ENABLES | fpscr::NI | fpscr::RN;
/// Status bits that are not sticky.
const STATUS: u64 = fpscr::FR | fpscr::FI | fpscr::FPRF;

fn move_from_handler(from: MoveFrom) -> Handler {
    /// FRT = FPSCR under `shown`; then the bits of FPSCR under `mask` are replaced.
    fn exchange(s: &mut VcpuState, w: u32, shown: u64, mask: u64, new: u64) -> Step {
        set_fpr(s, frt(w), s.fpscr & shown);
        s.fpscr = fpscr::written(s.fpscr, mask, new);
        Ok(Flow::Next)
    }
    match from {
        MoveFrom::All => |s, _, w| {
            set_fpr(s, frt(w), s.fpscr);
            record(s, w);
            Ok(Flow::Next)
        },
        MoveFrom::ClearEnables => |s, _, w| exchange(s, w, u64::MAX, fpscr::ENABLES, 0),
        MoveFrom::DecimalRounding { immediate: false } => |s, _, w| {
            let new = fpr(s, frb(w));
            exchange(s, w, CONTROL, fpscr::DRN, new)
        },
        MoveFrom::DecimalRounding { immediate: true } => {
            |s, _, w| exchange(s, w, CONTROL, fpscr::DRN, u64::from(w >> 11 & 7) << 32)
        }
        MoveFrom::Rounding { immediate: false } => |s, _, w| {
            let new = fpr(s, frb(w));
            exchange(s, w, CONTROL, fpscr::RN, new)
        },
        MoveFrom::Rounding { immediate: true } => |s, _, w| exchange(s, w, CONTROL, fpscr::RN, u64::from(w >> 11 & 3)),
        MoveFrom::Lightweight => |s, _, w| exchange(s, w, CONTROL | STATUS, 0, 0),
    }
}

/// The L field of mtfsf: all of FPSCR.
const L: u32 = 1 << 25;
/// The W field of mtfsf and mtfsfi: the half of FPSCR without the exceptions.
const W: u32 = 1 << 16;

/// The first FPSCR field of the half that W selects.
fn first_field(w: u32) -> u32 {
    if w & W == 0 { 8 } else { 0 }
}

fn mtfsf(s: &mut VcpuState, env: &mut Env, w: u32) -> Step {
    let everything = w & L != 0;
    let selected = |i: &u32| w >> (24 - i) & 1 != 0;
    let mask =
        if everything { u64::MAX } else { (0..8).filter(selected).map(|i| fpscr::field(first_field(w) + i)).sum() };
    s.fpscr = fpscr::written(s.fpscr, mask, fpr(s, frb(w)));
    conclude(s, env, w)
}

fn mtfsfi(s: &mut VcpuState, env: &mut Env, w: u32) -> Step {
    let mask = fpscr::field(first_field(w) + bf(w) as u32);
    let repeated = u64::from(w >> 12 & 15) * 0x1111_1111_1111_1111;
    s.fpscr = fpscr::written(s.fpscr, mask, repeated);
    conclude(s, env, w)
}

/// The FPSCR bit that BT names.
fn fpscr_bit(w: u32) -> u64 {
    1 << (31 - (w >> 21 & 31))
}

fn mcrfs(s: &mut VcpuState, _: &mut Env, w: u32) -> Step {
    let number = w >> 18 & 7;
    s.cr[bf(w)] = (s.fpscr >> (4 * (7 - number)) & 15) as u8;
    s.fpscr = fpscr::written(s.fpscr, fpscr::field(8 + number) & (fpscr::FX | fpscr::EXCEPTIONS), 0);
    Ok(Flow::Next)
}

/// D- and X-form addresses; with update the base is RA even when it is r0, an invalid form.
#[inline(always)]
fn address<const INDEXED: bool, const UPDATE: bool>(s: &VcpuState, w: u32) -> u64 {
    let ea = if INDEXED { indexed(s, w) } else { displaced::<-1>(s, w) };
    if UPDATE && fra(w) == 0 { s.effective(ea.wrapping_add(s.gpr[0])) } else { ea }
}

fn load<const IS_SINGLE: bool, const INDEXED: bool, const UPDATE: bool>(
    s: &mut VcpuState,
    env: &mut Env,
    w: u32,
) -> Step {
    let ea = aligned_float(s, env, address::<INDEXED, UPDATE>(s, w))?;
    load_at::<IS_SINGLE>(s, env, w, ea)?;
    if UPDATE {
        s.gpr[fra(w)] = ea;
    }
    Ok(Flow::Next)
}

#[inline(always)]
fn load_at<const IS_SINGLE: bool>(s: &mut VcpuState, env: &mut Env, w: u32, ea: u64) -> Step {
    let value = if IS_SINGLE { fp::double_of_single(env.load(s, ea)?) } else { env.load(s, ea)? };
    set_fpr(s, frt(w), value);
    Ok(Flow::Next)
}

fn store<const IS_SINGLE: bool, const INDEXED: bool, const UPDATE: bool>(
    s: &mut VcpuState,
    env: &mut Env,
    w: u32,
) -> Step {
    let ea = aligned_float(s, env, address::<INDEXED, UPDATE>(s, w))?;
    store_at::<IS_SINGLE>(s, env, w, ea)?;
    if UPDATE {
        s.gpr[fra(w)] = ea;
    }
    Ok(Flow::Next)
}

#[inline(always)]
fn store_at<const IS_SINGLE: bool>(s: &mut VcpuState, env: &mut Env, w: u32, ea: u64) -> Step {
    let value = fpr(s, frt(w));
    if IS_SINGLE {
        env.store(s, ea, fp::single_of_double(value))?;
    } else {
        env.store(s, ea, value)?;
    }
    Ok(Flow::Next)
}

fn load_handler(access: Access) -> Handler {
    match (access.single, access.indexed, access.update) {
        (false, false, false) => load::<false, false, false>,
        (false, false, true) => load::<false, false, true>,
        (false, true, false) => load::<false, true, false>,
        (false, true, true) => load::<false, true, true>,
        (true, false, false) => load::<true, false, false>,
        (true, false, true) => load::<true, false, true>,
        (true, true, false) => load::<true, true, false>,
        (true, true, true) => load::<true, true, true>,
    }
}

fn store_handler(access: Access) -> Handler {
    match (access.single, access.indexed, access.update) {
        (false, false, false) => store::<false, false, false>,
        (false, false, true) => store::<false, false, true>,
        (false, true, false) => store::<false, true, false>,
        (false, true, true) => store::<false, true, true>,
        (true, false, false) => store::<true, false, false>,
        (true, false, true) => store::<true, false, true>,
        (true, true, false) => store::<true, true, false>,
        (true, true, true) => store::<true, true, true>,
    }
}

fn load_word(s: &mut VcpuState, env: &mut Env, w: u32, extend: impl Fn(u32) -> u64) -> Step {
    let word = env.load(s, indexed(s, w))?;
    set_fpr(s, frt(w), extend(word));
    Ok(Flow::Next)
}

fn stfiwx(s: &mut VcpuState, env: &mut Env, w: u32) -> Step {
    let ea = aligned_float(s, env, indexed(s, w))?;
    env.store(s, ea, fpr(s, frt(w)) as u32)?;
    Ok(Flow::Next)
}

/// The even register is at the lower address in both byte orders; each doubleword is in guest byte order.
fn load_pair(s: &mut VcpuState, env: &mut Env, w: u32, ea: u64) -> Step {
    let [even, odd] = env.load_pair(s, ea)?;
    set_fpr(s, frt(w) & 30, even);
    set_fpr(s, frt(w) | 1, odd);
    Ok(Flow::Next)
}

fn store_pair(s: &mut VcpuState, env: &mut Env, w: u32, ea: u64) -> Step {
    env.store_pair(s, ea, [fpr(s, frt(w) & 30), fpr(s, frt(w) | 1)])?;
    Ok(Flow::Next)
}
