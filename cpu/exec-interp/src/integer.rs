//! Fixed-point arithmetic, logic, rotates, compares and moves.

use exec::{VcpuState, timebase};
use ppc_isa::cpu::{CLASSIC, Family};
use ppc_isa::integer::{
    Addend, Adder, CarryIn, Divide, Integer, Logic, Multiply, MultiplyAdd, RotateMask, Shift, Unary, UnderMask,
};
use ppc_isa::spr::{self, book3s32 as classic, booke};

use crate::bits;
use crate::branch::cr_bit;
use crate::env::{Env, Flow, Handler, Step, Trapped};
use crate::fields::{mask, mb6, ra, ra0, rb, rc, rt, sh6, si};
use crate::loadstore::immediate;

/// The handler of `op`.
pub fn handler(op: Integer) -> Handler {
    match op {
        Integer::AddImmediate { shifted: false } => addi,
        Integer::AddImmediate { shifted: true } => addis,
        Integer::AddImmediatePrefixed => |s, env, w| {
            let base = if env.prefix >> 20 & 1 != 0 { s.cia } else { ra0(s, w) };
            s.gpr[rt(w)] = base.wrapping_add_signed(immediate(env.prefix, w));
            Ok(Flow::Next)
        },
        Integer::PrefixedNop => |_, _, _| Ok(Flow::Next),
        Integer::AddPcis => addpcis,
        Integer::AddCarrying { subtract: false, record: false } => addic::<false, false>,
        Integer::AddCarrying { subtract: false, record: true } => addic::<false, true>,
        Integer::AddCarrying { subtract: true, .. } => addic::<true, false>,
        Integer::Adder(adder) => adder_handler(adder),
        Integer::AddExtendedOv => addex,
        Integer::MulImmediate => mulli,
        Integer::Multiply(op) => multiply_handler(op),
        Integer::MultiplyAdd(MultiplyAdd::Low) => |s, _, w| {
            let (a, b, c) = (s.gpr[ra(w)], s.gpr[rb(w)], s.gpr[rc(w)]);
            s.gpr[rt(w)] = a.wrapping_mul(b).wrapping_add(c);
            Ok(Flow::Next)
        },
        Integer::MultiplyAdd(MultiplyAdd::High) => |s, _, w| {
            let (a, b, c) = (s.gpr[ra(w)] as i64, s.gpr[rb(w)] as i64, s.gpr[rc(w)] as i64);
            s.gpr[rt(w)] = ((i128::from(a) * i128::from(b) + i128::from(c)) >> 64) as u64;
            Ok(Flow::Next)
        },
        Integer::MultiplyAdd(MultiplyAdd::HighUnsigned) => |s, _, w| {
            let (a, b, c) = (s.gpr[ra(w)], s.gpr[rb(w)], s.gpr[rc(w)]);
            s.gpr[rt(w)] = ((u128::from(a) * u128::from(b) + u128::from(c)) >> 64) as u64;
            Ok(Flow::Next)
        },
        Integer::Divide(op) => divide_handler(op),
        Integer::Darn => darn,
        Integer::Compare { signed: true, immediate: true } => compare::<true, true>,
        Integer::Compare { signed: true, immediate: false } => compare::<true, false>,
        Integer::Compare { signed: false, immediate: true } => compare::<false, true>,
        Integer::Compare { signed: false, immediate: false } => compare::<false, false>,
        Integer::CompareRangedByte => cmprb,
        Integer::CompareEqualByte => cmpeqb,
        Integer::SetBoolean => setb,
        Integer::SetBit { reverse: false, negative: false } => set_bit::<false, false>,
        Integer::SetBit { reverse: false, negative: true } => set_bit::<false, true>,
        Integer::SetBit { reverse: true, negative: false } => set_bit::<true, false>,
        Integer::SetBit { reverse: true, negative: true } => set_bit::<true, true>,
        Integer::UnderMask(op) => under_mask_handler(op),
        Integer::Logic(op) => logic_handler(op),
        Integer::LogicImmediate { logic, shifted } => logic_immediate_handler(logic, shifted),
        Integer::Unary(op) => unary_handler(op),
        Integer::CompareBytes => cmpb,
        Integer::BitPermute => bpermd,
        Integer::RotateWord { register: false, insert: false } => rotate_word::<false, false>,
        Integer::RotateWord { register: true, insert: false } => rotate_word::<true, false>,
        Integer::RotateWord { insert: true, .. } => rotate_word::<false, true>,
        Integer::RotateDouble { register, mask } => rotate_double_handler(register, mask),
        Integer::Shift(op) => shift_handler(op),
        Integer::ShiftAlgebraicImmediate { double: false } => srawi,
        Integer::ShiftAlgebraicImmediate { double: true } => sradi,
        Integer::ExtendShift => extswsli,
        Integer::Select => isel,
        Integer::DecletsToBcd => |s, _, w| words(s, w, |word| declet_to_bcd(word >> 10) << 12 | declet_to_bcd(word)),
        Integer::BcdToDeclets => |s, _, w| words(s, w, |word| bcd_to_declet(word >> 12) << 10 | bcd_to_declet(word)),
        Integer::AddSixes => addg6s,
        Integer::Mfspr => mfspr,
        Integer::Mtspr => mtspr,
        Integer::Mftb => mftb,
        Integer::Mtcrf => mtcrf,
        Integer::Mfcr => mfcr,
        Integer::Mcrxrx => mcrxrx,
        Integer::Mcrxr => mcrxr,
    }
}

/// CR field 0 from a comparison of `value` with zero.
fn record(s: &mut VcpuState, value: u64) {
    let value = if s.mode.sixty_four() { value as i64 } else { i64::from(value as i32) };
    let order = if value < 0 {
        8
    } else if value > 0 {
        4
    } else {
        2
    };
    s.cr[0] = order | u8::from(s.so);
}

/// Writes RT and, with Rc=1, CR field 0.
#[inline(always)]
fn finish_rt(s: &mut VcpuState, w: u32, value: u64) -> Step {
    s.gpr[rt(w)] = value;
    if w & 1 != 0 {
        record(s, value);
    }
    Ok(Flow::Next)
}

/// Writes RA and, with Rc=1, CR field 0.
#[inline(always)]
fn finish_ra(s: &mut VcpuState, w: u32, value: u64) -> Step {
    s.gpr[ra(w)] = value;
    if w & 1 != 0 {
        record(s, value);
    }
    Ok(Flow::Next)
}

fn set_overflow(s: &mut VcpuState, ov: bool, ov32: bool) {
    s.ov = ov;
    s.ov32 = ov32;
    s.so |= ov;
}

fn addi(s: &mut VcpuState, _: &mut Env, w: u32) -> Step {
    s.gpr[rt(w)] = ra0(s, w).wrapping_add(si(w) as u64);
    Ok(Flow::Next)
}

fn addis(s: &mut VcpuState, _: &mut Env, w: u32) -> Step {
    s.gpr[rt(w)] = ra0(s, w).wrapping_add((si(w) as u64) << 16);
    Ok(Flow::Next)
}

fn addpcis(s: &mut VcpuState, _: &mut Env, w: u32) -> Step {
    // d0 in bits 16..25, d1 in 11..15, d2 in 31.
    let d = (w & 0xffc0) | (w >> 15 & 0x3e) | (w & 1);
    s.gpr[rt(w)] = s.effective(s.cia.wrapping_add(4)).wrapping_add((si(d) as u64) << 16);
    Ok(Flow::Next)
}

/// The sum of two numbers and a carry, with the carries out of 64 and 32 bits in CA and CA32.
#[inline(always)]
fn add_carrying(s: &mut VcpuState, a: u64, b: u64, carry: bool) -> u64 {
    let wide = u128::from(a) + u128::from(b) + u128::from(carry);
    let low = (a & 0xffff_ffff) + (b & 0xffff_ffff) + u64::from(carry);
    s.ca32 = low >> 32 != 0;
    s.ca = if s.mode.sixty_four() { wide >> 64 != 0 } else { s.ca32 };
    wide as u64
}

fn addic<const SUBTRACT: bool, const RECORD: bool>(s: &mut VcpuState, _: &mut Env, w: u32) -> Step {
    let a = s.gpr[ra(w)];
    let value = add_carrying(s, if SUBTRACT { !a } else { a }, si(w) as u64, SUBTRACT);
    s.gpr[rt(w)] = value;
    if RECORD {
        record(s, value);
    }
    Ok(Flow::Next)
}

fn adder_handler(a: Adder) -> Handler {
    match (a.complement, a.addend, a.carry, a.set_ca) {
        (false, Addend::Rb, CarryIn::Zero, false) => add::<false, 0, 0, false>,
        (true, Addend::Rb, CarryIn::One, false) => add::<true, 0, 1, false>,
        (false, Addend::Rb, CarryIn::Zero, true) => add::<false, 0, 0, true>,
        (true, Addend::Rb, CarryIn::One, true) => add::<true, 0, 1, true>,
        (false, Addend::Rb, _, _) => add::<false, 0, 2, true>,
        (true, Addend::Rb, _, _) => add::<true, 0, 2, true>,
        (false, Addend::Zero, _, _) => add::<false, 1, 2, true>,
        (true, Addend::Zero, CarryIn::One, _) => add::<true, 1, 1, false>,
        (true, Addend::Zero, _, _) => add::<true, 1, 2, true>,
        (false, Addend::MinusOne, _, _) => add::<false, 2, 2, true>,
        (true, Addend::MinusOne, _, _) => add::<true, 2, 2, true>,
    }
}

/// The adder. `ADDEND`: 0 RB, 1 zero, 2 minus one; `CARRY`: 0, 1, or 2 for CA.
fn add<const COMPLEMENT: bool, const ADDEND: u8, const CARRY: u8, const SET_CA: bool>(
    s: &mut VcpuState,
    _: &mut Env,
    w: u32,
) -> Step {
    let a = if COMPLEMENT { !s.gpr[ra(w)] } else { s.gpr[ra(w)] };
    let b = match ADDEND {
        0 => s.gpr[rb(w)],
        1 => 0,
        _ => u64::MAX,
    };
    let carry = match CARRY {
        0 => false,
        1 => true,
        _ => s.ca,
    };
    let sum = if SET_CA { add_carrying(s, a, b, carry) } else { a.wrapping_add(b).wrapping_add(u64::from(carry)) };
    if w & 0x400 != 0 {
        let signs = !(a ^ b) & (a ^ sum);
        let ov32 = signs >> 31 & 1 != 0;
        let ov = if s.mode.sixty_four() { signs >> 63 != 0 } else { ov32 };
        set_overflow(s, ov, ov32);
    }
    finish_rt(s, w, sum)
}

fn addex(s: &mut VcpuState, _: &mut Env, w: u32) -> Step {
    let (a, b) = (s.gpr[ra(w)], s.gpr[rb(w)]);
    let (ca, ca32) = (s.ca, s.ca32);
    let sum = add_carrying(s, a, b, s.ov);
    (s.ov, s.ov32) = (s.ca, s.ca32);
    (s.ca, s.ca32) = (ca, ca32);
    s.gpr[rt(w)] = sum;
    Ok(Flow::Next)
}

fn mulli(s: &mut VcpuState, _: &mut Env, w: u32) -> Step {
    s.gpr[rt(w)] = s.gpr[ra(w)].wrapping_mul(si(w) as u64);
    Ok(Flow::Next)
}

/// Where the ISA leaves the high word of a word result undefined, it is zero, as on POWER9.
fn multiply_handler(op: Multiply) -> Handler {
    match op {
        Multiply::LowWord => |s, _, w| {
            let product = i64::from(s.gpr[ra(w)] as i32) * i64::from(s.gpr[rb(w)] as i32);
            if w & 0x400 != 0 {
                let ov = product != i64::from(product as i32);
                set_overflow(s, ov, ov);
            }
            finish_rt(s, w, product as u64)
        },
        Multiply::HighWord => |s, _, w| {
            let product = i64::from(s.gpr[ra(w)] as i32) * i64::from(s.gpr[rb(w)] as i32);
            finish_rt(s, w, twice(product as u64 >> 32))
        },
        Multiply::HighWordUnsigned => |s, _, w| {
            let product = u64::from(s.gpr[ra(w)] as u32) * u64::from(s.gpr[rb(w)] as u32);
            finish_rt(s, w, twice(product >> 32))
        },
        Multiply::LowDouble => |s, _, w| {
            let product = i128::from(s.gpr[ra(w)] as i64) * i128::from(s.gpr[rb(w)] as i64);
            if w & 0x400 != 0 {
                let ov = product != i128::from(product as i64);
                set_overflow(s, ov, ov);
            }
            finish_rt(s, w, product as u64)
        },
        Multiply::HighDouble => |s, _, w| {
            let product = i128::from(s.gpr[ra(w)] as i64) * i128::from(s.gpr[rb(w)] as i64);
            finish_rt(s, w, (product >> 64) as u64)
        },
        Multiply::HighDoubleUnsigned => |s, _, w| {
            let product = u128::from(s.gpr[ra(w)]) * u128::from(s.gpr[rb(w)]);
            finish_rt(s, w, (product >> 64) as u64)
        },
    }
}

/// A word in both halves, so that a doubleword compares as the word does. That is how POWER9 fills the undefined half.
fn twice(word: u64) -> u64 {
    word << 32 | word & 0xffff_ffff
}

fn divide_handler(op: Divide) -> Handler {
    match (op.double, op.signed, op.extended, op.modulo) {
        (false, true, false, false) => divide::<false, true, false>,
        (false, false, false, false) => divide::<false, false, false>,
        (false, true, true, _) => divide::<false, true, true>,
        (false, false, true, _) => divide::<false, false, true>,
        (true, true, false, false) => divide::<true, true, false>,
        (true, false, false, false) => divide::<true, false, false>,
        (true, true, true, _) => divide::<true, true, true>,
        (true, false, true, _) => divide::<true, false, true>,
        (false, true, false, true) => |s, _, w| {
            let (a, b) = (s.gpr[ra(w)] as i32, s.gpr[rb(w)] as i32);
            s.gpr[rt(w)] = i64::from(a.checked_rem(b).unwrap_or(0)) as u64;
            Ok(Flow::Next)
        },
        (false, false, false, true) => |s, _, w| {
            let (a, b) = (s.gpr[ra(w)] as u32, s.gpr[rb(w)] as u32);
            s.gpr[rt(w)] = u64::from(a.checked_rem(b).unwrap_or(0));
            Ok(Flow::Next)
        },
        (true, true, false, true) => |s, _, w| {
            let (a, b) = (s.gpr[ra(w)] as i64, s.gpr[rb(w)] as i64);
            s.gpr[rt(w)] = a.checked_rem(b).unwrap_or(0) as u64;
            Ok(Flow::Next)
        },
        (true, false, false, true) => |s, _, w| {
            s.gpr[rt(w)] = s.gpr[ra(w)].checked_rem(s.gpr[rb(w)]).unwrap_or(0);
            Ok(Flow::Next)
        },
    }
}

/// Quotients. One that does not exist or does not fit is undefined and sets OV; it is 0 here, but on Book3S-32 the sign of
/// the dividend.
fn divide<const DOUBLE: bool, const SIGNED: bool, const EXTENDED: bool>(
    s: &mut VcpuState,
    _: &mut Env,
    w: u32,
) -> Step {
    let (a, b) = (s.gpr[ra(w)], s.gpr[rb(w)]);
    let bits = if DOUBLE { 64 } else { 32 };
    let shift = if EXTENDED { bits } else { 0 };
    let quotient = if SIGNED {
        let (a, b) = if DOUBLE { (a as i64, b as i64) } else { (i64::from(a as i32), i64::from(b as i32)) };
        let limit = 1i128 << (bits - 1);
        (i128::from(a) << shift).checked_div(i128::from(b)).filter(|q| (-limit..limit).contains(q)).map(|q| q as u64)
    } else {
        let (a, b) = if DOUBLE { (a, b) } else { (a & 0xffff_ffff, b & 0xffff_ffff) };
        (u128::from(a) << shift).checked_div(u128::from(b)).filter(|q| q >> bits == 0).map(|q| q as u64)
    };
    if w & 0x400 != 0 {
        set_overflow(s, quotient.is_none(), quotient.is_none());
    }
    let undefined = if CLASSIC.contains(s.cpu) && SIGNED { (a as i32 >> 31) as u64 } else { 0 };
    let quotient = quotient.unwrap_or(undefined);
    finish_rt(s, w, if DOUBLE { quotient } else { quotient & 0xffff_ffff })
}

/// Random numbers by a generator over the count of instructions: runs repeat. L=3 is reserved and gives the error.
fn darn(s: &mut VcpuState, env: &mut Env, w: u32) -> Step {
    let mut x = s.retired ^ env.context.clock.ticks(s.retired).rotate_left(32) ^ 0x9e37_79b9_7f4a_7c15;
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^= x >> 31;
    s.gpr[rt(w)] = match w >> 16 & 3 {
        0 => x & 0xffff_ffff,
        1 | 2 => x,
        _ => u64::MAX,
    };
    Ok(Flow::Next)
}

fn compare<const SIGNED: bool, const IMMEDIATE: bool>(s: &mut VcpuState, _: &mut Env, w: u32) -> Step {
    let a = s.gpr[ra(w)];
    let b = match (IMMEDIATE, SIGNED) {
        (false, _) => s.gpr[rb(w)],
        (true, true) => si(w) as u64,
        (true, false) => u64::from(w & 0xffff),
    };
    // A 32-bit CPU has no use for L.
    let (a, b) = match (w & 0x20_0000 != 0 && s.cpu.sixty_four(), SIGNED) {
        (true, _) => (a, b),
        (false, true) => (i64::from(a as i32) as u64, i64::from(b as i32) as u64),
        (false, false) => (a & 0xffff_ffff, b & 0xffff_ffff),
    };
    let less = if SIGNED { (a as i64) < b as i64 } else { a < b };
    let order = if less {
        8
    } else if a == b {
        2
    } else {
        4
    };
    s.cr[rt(w) >> 2] = order | u8::from(s.so);
    Ok(Flow::Next)
}

fn cmprb(s: &mut VcpuState, _: &mut Env, w: u32) -> Step {
    let byte = s.gpr[ra(w)] as u8;
    let [low1, high1, low2, high2, ..] = s.gpr[rb(w)].to_le_bytes();
    let second = w & 0x20_0000 != 0 && (low2..=high2).contains(&byte);
    let inside = (low1..=high1).contains(&byte) || second;
    s.cr[rt(w) >> 2] = if inside { 4 } else { 0 };
    Ok(Flow::Next)
}

fn cmpeqb(s: &mut VcpuState, _: &mut Env, w: u32) -> Step {
    let byte = s.gpr[ra(w)] as u8;
    let found = s.gpr[rb(w)].to_le_bytes().contains(&byte);
    s.cr[rt(w) >> 2] = if found { 4 } else { 0 };
    Ok(Flow::Next)
}

fn setb(s: &mut VcpuState, _: &mut Env, w: u32) -> Step {
    let field = s.cr[ra(w) >> 2];
    s.gpr[rt(w)] = if field & 8 != 0 { u64::MAX } else { u64::from(field >> 2 & 1) };
    Ok(Flow::Next)
}

fn set_bit<const REVERSE: bool, const NEGATIVE: bool>(s: &mut VcpuState, _: &mut Env, w: u32) -> Step {
    let value = u64::from(cr_bit(s, w >> 16 & 31) != REVERSE);
    s.gpr[rt(w)] = if NEGATIVE { value.wrapping_neg() } else { value };
    Ok(Flow::Next)
}

fn under_mask_handler(op: UnderMask) -> Handler {
    fn apply(s: &mut VcpuState, w: u32, f: impl Fn(u64, u64) -> u64) -> Step {
        s.gpr[ra(w)] = f(s.gpr[rt(w)], s.gpr[rb(w)]);
        Ok(Flow::Next)
    }
    match op {
        UnderMask::Centrifuge => |s, _, w| apply(s, w, bits::centrifuge),
        UnderMask::Leading => |s, _, w| apply(s, w, bits::leading),
        UnderMask::Trailing => |s, _, w| apply(s, w, bits::trailing),
        UnderMask::Deposit => |s, _, w| apply(s, w, bits::deposit),
        UnderMask::Extract => |s, _, w| apply(s, w, bits::extract),
    }
}

fn logic_handler(op: Logic) -> Handler {
    match op {
        Logic::And => |s, _, w| finish_ra(s, w, s.gpr[rt(w)] & s.gpr[rb(w)]),
        Logic::Or => |s, _, w| finish_ra(s, w, s.gpr[rt(w)] | s.gpr[rb(w)]),
        Logic::Xor => |s, _, w| finish_ra(s, w, s.gpr[rt(w)] ^ s.gpr[rb(w)]),
        Logic::Nand => |s, _, w| finish_ra(s, w, !(s.gpr[rt(w)] & s.gpr[rb(w)])),
        Logic::Nor => |s, _, w| finish_ra(s, w, !(s.gpr[rt(w)] | s.gpr[rb(w)])),
        Logic::Eqv => |s, _, w| finish_ra(s, w, !(s.gpr[rt(w)] ^ s.gpr[rb(w)])),
        Logic::Andc => |s, _, w| finish_ra(s, w, s.gpr[rt(w)] & !s.gpr[rb(w)]),
        Logic::Orc => |s, _, w| finish_ra(s, w, s.gpr[rt(w)] | !s.gpr[rb(w)]),
    }
}

fn ui(w: u32, shifted: bool) -> u64 {
    u64::from(w & 0xffff) << if shifted { 16 } else { 0 }
}

fn logic_immediate_handler(logic: Logic, shifted: bool) -> Handler {
    fn and<const SHIFTED: bool>(s: &mut VcpuState, _: &mut Env, w: u32) -> Step {
        let value = s.gpr[rt(w)] & ui(w, SHIFTED);
        s.gpr[ra(w)] = value;
        record(s, value);
        Ok(Flow::Next)
    }
    fn or<const SHIFTED: bool>(s: &mut VcpuState, _: &mut Env, w: u32) -> Step {
        s.gpr[ra(w)] = s.gpr[rt(w)] | ui(w, SHIFTED);
        Ok(Flow::Next)
    }
    fn xor<const SHIFTED: bool>(s: &mut VcpuState, _: &mut Env, w: u32) -> Step {
        s.gpr[ra(w)] = s.gpr[rt(w)] ^ ui(w, SHIFTED);
        Ok(Flow::Next)
    }
    match (logic, shifted) {
        (Logic::And, false) => and::<false>,
        (Logic::And, true) => and::<true>,
        (Logic::Or, false) => or::<false>,
        (Logic::Or, true) => or::<true>,
        (_, false) => xor::<false>,
        (_, true) => xor::<true>,
    }
}

/// `f` of each word of RS, to RA.
fn words(s: &mut VcpuState, w: u32, f: impl Fn(u32) -> u32) -> Step {
    let value = s.gpr[rt(w)];
    s.gpr[ra(w)] = u64::from(f((value >> 32) as u32)) << 32 | u64::from(f(value as u32));
    Ok(Flow::Next)
}

fn unary_handler(op: Unary) -> Handler {
    match op {
        Unary::ExtendByte => |s, _, w| finish_ra(s, w, s.gpr[rt(w)] as i8 as u64),
        Unary::ExtendHalf => |s, _, w| finish_ra(s, w, s.gpr[rt(w)] as i16 as u64),
        Unary::ExtendWord => |s, _, w| finish_ra(s, w, s.gpr[rt(w)] as i32 as u64),
        Unary::LeadingWord => |s, _, w| finish_ra(s, w, u64::from((s.gpr[rt(w)] as u32).leading_zeros())),
        Unary::LeadingDouble => |s, _, w| finish_ra(s, w, u64::from(s.gpr[rt(w)].leading_zeros())),
        Unary::TrailingWord => |s, _, w| finish_ra(s, w, u64::from((s.gpr[rt(w)] as u32).trailing_zeros())),
        Unary::TrailingDouble => |s, _, w| finish_ra(s, w, u64::from(s.gpr[rt(w)].trailing_zeros())),
        Unary::PopulationByte => |s, _, w| {
            let counts = s.gpr[rt(w)].to_le_bytes().map(|b| b.count_ones() as u8);
            s.gpr[ra(w)] = u64::from_le_bytes(counts);
            Ok(Flow::Next)
        },
        Unary::PopulationWord => |s, _, w| words(s, w, u32::count_ones),
        Unary::PopulationDouble => |s, _, w| {
            s.gpr[ra(w)] = u64::from(s.gpr[rt(w)].count_ones());
            Ok(Flow::Next)
        },
        Unary::ParityWord => |s, _, w| words(s, w, |word| (word & 0x0101_0101).count_ones() & 1),
        Unary::ReverseHalfs => |s, _, w| words(s, w, |word| word.swap_bytes().rotate_left(16)),
        Unary::ReverseWords => |s, _, w| words(s, w, u32::swap_bytes),
        Unary::ReverseDouble => |s, _, w| {
            s.gpr[ra(w)] = s.gpr[rt(w)].swap_bytes();
            Ok(Flow::Next)
        },
        Unary::ParityDouble => |s, _, w| {
            s.gpr[ra(w)] = u64::from((s.gpr[rt(w)] & 0x0101_0101_0101_0101).count_ones() & 1);
            Ok(Flow::Next)
        },
    }
}

fn cmpb(s: &mut VcpuState, _: &mut Env, w: u32) -> Step {
    let (a, b) = (s.gpr[rt(w)].to_le_bytes(), s.gpr[rb(w)].to_le_bytes());
    let mut out = [0; 8];
    for (out, (a, b)) in out.iter_mut().zip(a.into_iter().zip(b)) {
        *out = if a == b { 0xff } else { 0 };
    }
    s.gpr[ra(w)] = u64::from_le_bytes(out);
    Ok(Flow::Next)
}

fn bpermd(s: &mut VcpuState, _: &mut Env, w: u32) -> Step {
    let bits = s.gpr[rb(w)];
    let select = |acc, index: u8| acc << 1 | if index < 64 { bits >> (63 - index) & 1 } else { 0 };
    s.gpr[ra(w)] = s.gpr[rt(w)].to_be_bytes().into_iter().fold(0, select);
    Ok(Flow::Next)
}

fn rotate_word<const REGISTER: bool, const INSERT: bool>(s: &mut VcpuState, _: &mut Env, w: u32) -> Step {
    let low = s.gpr[rt(w)] & 0xffff_ffff;
    let amount = if REGISTER { s.gpr[rb(w)] as u32 & 31 } else { w >> 11 & 31 };
    let mask = mask((w >> 6 & 31) + 32, (w >> 1 & 31) + 32);
    let rotated = (low << 32 | low).rotate_left(amount) & mask;
    let kept = if INSERT { s.gpr[ra(w)] & !mask } else { 0 };
    finish_ra(s, w, rotated | kept)
}

fn rotate_double_handler(register: bool, mask: RotateMask) -> Handler {
    match (register, mask) {
        (false, RotateMask::ClearLeft) => |s, _, w| rotate_double(s, w, sh6(w), mb6(w), 63, false),
        (false, RotateMask::ClearRight) => |s, _, w| rotate_double(s, w, sh6(w), 0, mb6(w), false),
        (true, RotateMask::ClearRight) => |s, _, w| rotate_double(s, w, s.gpr[rb(w)] as u32 & 63, 0, mb6(w), false),
        (true, _) => |s, _, w| rotate_double(s, w, s.gpr[rb(w)] as u32 & 63, mb6(w), 63, false),
        (false, RotateMask::Clear) => |s, _, w| rotate_double(s, w, sh6(w), mb6(w), 63 - sh6(w), false),
        (false, RotateMask::Insert) => |s, _, w| rotate_double(s, w, sh6(w), mb6(w), 63 - sh6(w), true),
    }
}

#[inline(always)]
fn rotate_double(s: &mut VcpuState, w: u32, amount: u32, mb: u32, me: u32, insert: bool) -> Step {
    let mask = mask(mb, me);
    let kept = if insert { s.gpr[ra(w)] & !mask } else { 0 };
    finish_ra(s, w, s.gpr[rt(w)].rotate_left(amount) & mask | kept)
}

fn shift_handler(op: Shift) -> Handler {
    match op {
        Shift::LeftWord => |s, _, w| {
            let n = s.gpr[rb(w)] & 63;
            finish_ra(s, w, if n < 32 { u64::from((s.gpr[rt(w)] as u32) << n) } else { 0 })
        },
        Shift::RightWord => |s, _, w| {
            let n = s.gpr[rb(w)] & 63;
            finish_ra(s, w, if n < 32 { u64::from(s.gpr[rt(w)] as u32 >> n) } else { 0 })
        },
        Shift::AlgebraicWord => {
            |s, _, w| shift_algebraic(s, w, i64::from(s.gpr[rt(w)] as i32), s.gpr[rb(w)] as u32 & 63)
        }
        Shift::LeftDouble => |s, _, w| {
            let n = s.gpr[rb(w)] & 127;
            finish_ra(s, w, if n < 64 { s.gpr[rt(w)] << n } else { 0 })
        },
        Shift::RightDouble => |s, _, w| {
            let n = s.gpr[rb(w)] & 127;
            finish_ra(s, w, if n < 64 { s.gpr[rt(w)] >> n } else { 0 })
        },
        Shift::AlgebraicDouble => |s, _, w| shift_algebraic(s, w, s.gpr[rt(w)] as i64, s.gpr[rb(w)] as u32 & 127),
    }
}

/// CA: the value is negative and ones were shifted out.
#[inline(always)]
fn shift_algebraic(s: &mut VcpuState, w: u32, value: i64, amount: u32) -> Step {
    let shifted = value >> amount.min(63);
    s.ca = value < 0 && (amount > 63 || shifted << amount != value);
    s.ca32 = s.ca;
    finish_ra(s, w, shifted as u64)
}

fn srawi(s: &mut VcpuState, _: &mut Env, w: u32) -> Step {
    shift_algebraic(s, w, i64::from(s.gpr[rt(w)] as i32), w >> 11 & 31)
}

fn sradi(s: &mut VcpuState, _: &mut Env, w: u32) -> Step {
    shift_algebraic(s, w, s.gpr[rt(w)] as i64, sh6(w))
}

fn extswsli(s: &mut VcpuState, _: &mut Env, w: u32) -> Step {
    finish_ra(s, w, (s.gpr[rt(w)] as i32 as u64) << sh6(w))
}

fn isel(s: &mut VcpuState, _: &mut Env, w: u32) -> Step {
    s.gpr[rt(w)] = if cr_bit(s, w >> 6 & 31) { ra0(s, w) } else { s.gpr[rb(w)] };
    Ok(Flow::Next)
}

/// Three decimal digits from a declet (Power ISA Book I, appendix B.2).
fn declet_to_bcd(declet: u32) -> u32 {
    let bit = |n: u32| declet >> n & 1;
    let (pq, r, st, u, y) = (declet >> 8 & 3, bit(7), declet >> 5 & 3, bit(4), bit(0));
    let (hundreds, tens, ones) = match (bit(3), declet >> 1 & 3, st) {
        (0, ..) => (pq << 1 | r, st << 1 | u, declet & 7),
        (1, 0, _) => (pq << 1 | r, st << 1 | u, 8 | y),
        (1, 1, _) => (pq << 1 | r, 8 | u, st << 1 | y),
        (1, 2, _) => (8 | r, st << 1 | u, pq << 1 | y),
        (_, _, 0) => (8 | r, 8 | u, pq << 1 | y),
        (_, _, 1) => (8 | r, pq << 1 | u, 8 | y),
        (_, _, 2) => (pq << 1 | r, 8 | u, 8 | y),
        _ => (8 | r, 8 | u, 8 | y),
    };
    hundreds << 8 | tens << 4 | ones
}

/// A declet from three decimal digits (Power ISA Book I, appendix B.1).
fn bcd_to_declet(bcd: u32) -> u32 {
    let (hundreds, tens, ones) = (bcd >> 8 & 15, bcd >> 4 & 15, bcd & 15);
    let (pqr, stu) = (hundreds & 7, tens & 7);
    let (r, u, y) = (hundreds & 1, tens & 1, ones & 1);
    let small_ones = ones >> 1 & 3;
    match (hundreds >> 3, tens >> 3, ones >> 3) {
        (0, 0, 0) => pqr << 7 | stu << 4 | ones & 7,
        (0, 0, _) => pqr << 7 | stu << 4 | 0b1000 | y,
        (0, _, 0) => pqr << 7 | small_ones << 5 | u << 4 | 0b1010 | y,
        (_, 0, 0) => small_ones << 8 | r << 7 | stu << 4 | 0b1100 | y,
        (_, _, 0) => small_ones << 8 | r << 7 | u << 4 | 0b1110 | y,
        (_, 0, _) => (tens >> 1 & 3) << 8 | r << 7 | 0b01 << 5 | u << 4 | 0b1110 | y,
        (0, _, _) => pqr << 7 | 0b10 << 5 | u << 4 | 0b1110 | y,
        _ => r << 7 | 0b11 << 5 | u << 4 | 0b1110 | y,
    }
}

fn addg6s(s: &mut VcpuState, _: &mut Env, w: u32) -> Step {
    let (a, b) = (s.gpr[ra(w)], s.gpr[rb(w)]);
    let sum = u128::from(a) + u128::from(b);
    // A carry into bit position n is visible as a sum bit that differs from the operands' exclusive or.
    let carries = sum ^ u128::from(a) ^ u128::from(b);
    s.gpr[rt(w)] = (0..16).filter(|n| carries >> (4 * n + 4) & 1 == 0).fold(0, |acc, n| acc | 6 << (4 * n));
    Ok(Flow::Next)
}

fn mfspr(s: &mut VcpuState, env: &mut Env, w: u32) -> Step {
    s.gpr[rt(w)] = match ppc_isa::spr::number(w) {
        spr::LR => s.lr,
        spr::CTR => s.ctr,
        spr::XER => s.xer(),
        spr::VRSAVE => u64::from(s.vrsave),
        spr::UDSCR => s.dscr,
        spr::UAMR => s.amr,
        spr::UDEXCR if s.cpu.family() == Family::Book3s64 => s.dexcr & 0xffff_ffff,
        spr::RESERVED0..=spr::RESERVED3 if s.cpu.family() == Family::Book3s64 => return Ok(Flow::Next),
        spr::TAR => s.tar,
        spr::USPRG3 => env.shared.sprg(3),
        number @ booke::USPRG4..=booke::USPRG7 => env.shared.sprg(usize::from(number - 256)),
        booke::SPEFSCR if !s.cpu.sixty_four() => u64::from(s.spefscr),
        number @ (booke::SPEFSCR | booke::L1CFG0 | booke::L1CFG1 | booke::L2CFG0 | booke::BBEAR | booke::BBTAR) => {
            s.booke.kept(s.cpu, number).ok_or(Trapped)?
        }
        spr::TB | booke::ATBL => timebase::timebase(s, &env.context),
        spr::TBU | booke::ATBU => timebase::timebase(s, &env.context) >> 32,
        spr::PPR => s.ppr,
        spr::PPR32 => s.ppr >> 32,
        spr::UCTRL => u64::from(s.ctrl),
        spr::BESCR | spr::BESCRS | spr::BESCRR => s.ebb[0],
        spr::EBBHR => s.ebb[1],
        spr::EBBRR => s.ebb[2],
        number @ (spr::USIER..=spr::UMMCR1 | classic::UMMCR2..=classic::USDAR) => {
            s.pmu[usize::from((number + 16) & 31)]
        }
        _ => 0,
    };
    Ok(Flow::Next)
}

fn mtspr(s: &mut VcpuState, _: &mut Env, w: u32) -> Step {
    let value = s.gpr[rt(w)];
    match ppc_isa::spr::number(w) {
        spr::LR => s.lr = value,
        spr::CTR => s.ctr = value,
        spr::XER => s.set_xer(value),
        spr::VRSAVE => s.vrsave = value as u32,
        spr::UDSCR => s.dscr = value & 0x1ff_ffff,
        spr::TAR => s.tar = value,
        spr::UAMR => {
            // Problem state changes only what UAMOR lets it (Book III, section 5.7.13.1).
            let limit = if s.mode.problem() { s.uamor } else { u64::MAX };
            s.amr = s.amr & !limit | value & limit;
            return Ok(Flow::Leave);
        }
        spr::PPR => s.ppr = value & 0x001c_0000_0000_0000,
        spr::PPR32 => s.ppr = value << 32 & 0x001c_0000_0000_0000,
        spr::BESCR => s.ebb[0] = value,
        spr::BESCRS => s.ebb[0] |= value,
        spr::BESCRR => s.ebb[0] &= !value,
        spr::EBBHR => s.ebb[1] = value,
        spr::EBBRR => s.ebb[2] = value,
        booke::SPEFSCR if !s.cpu.sixty_four() => s.spefscr = value as u32,
        number @ (booke::SPEFSCR | booke::BBEAR | booke::BBTAR) => {
            s.booke.keep(s.cpu, number, value & 0xffff_ffff).ok_or(Trapped)?;
        }
        _ => {}
    }
    Ok(Flow::Next)
}

fn mftb(s: &mut VcpuState, env: &mut Env, w: u32) -> Step {
    let timebase = timebase::timebase(s, &env.context);
    s.gpr[rt(w)] = if ppc_isa::spr::number(w) == spr::TBU { timebase >> 32 } else { timebase };
    Ok(Flow::Next)
}

fn mtcrf(s: &mut VcpuState, _: &mut Env, w: u32) -> Step {
    let value = s.gpr[rt(w)] as u32;
    for (field, slot) in s.cr.iter_mut().enumerate() {
        if w >> (19 - field) & 1 != 0 {
            *slot = (value >> (28 - 4 * field)) as u8 & 15;
        }
    }
    Ok(Flow::Next)
}

/// mfcr reads all fields; so does mfocrf here, since the bits of the other fields are undefined.
fn mfcr(s: &mut VcpuState, _: &mut Env, w: u32) -> Step {
    s.gpr[rt(w)] = u64::from(s.cr_word());
    Ok(Flow::Next)
}

fn mcrxr(s: &mut VcpuState, _: &mut Env, w: u32) -> Step {
    s.cr[rt(w) >> 2] = u8::from(s.so) << 3 | u8::from(s.ov) << 2 | u8::from(s.ca) << 1;
    (s.so, s.ov, s.ca) = (false, false, false);
    Ok(Flow::Next)
}

fn mcrxrx(s: &mut VcpuState, _: &mut Env, w: u32) -> Step {
    let bits = [s.ov, s.ov32, s.ca, s.ca32];
    s.cr[rt(w) >> 2] = bits.into_iter().fold(0, |acc, bit| acc << 1 | u8::from(bit));
    Ok(Flow::Next)
}
