//! VSX moves to and from GPRs, logic and permutes.

use exec::VcpuState;
use exec::fp::double_of_single;
use ppc_isa::integer::Logic;
use ppc_isa::vsx::permute::{Part, Permute};

use super::{from_words, pair, quad, words};
use crate::env::{Env, Flow, Handler, Step};
use crate::fields::{ra, rb, xa, xb, xc, xt};

/// The handler of `op`.
pub fn handler(op: Permute) -> Handler {
    match op {
        Permute::MoveFrom(Part::Double) => |s, _, w| move_from(s, w, s.vsr[xt(w)][0]),
        Permute::MoveFrom(Part::LowDouble) => |s, _, w| move_from(s, w, s.vsr[xt(w)][1]),
        Permute::MoveFrom(Part::Word) => |s, _, w| move_from(s, w, s.vsr[xt(w)][0] & 0xffff_ffff),
        Permute::MoveFrom(Part::SignedWord) => |s, _, w| move_from(s, w, sign_extended(s.vsr[xt(w)][0])),
        Permute::MoveTo(Part::Double) => |s, _, w| finish(s, w, [s.gpr[ra(w)], 0]),
        Permute::MoveTo(Part::LowDouble) => |s, _, w| finish(s, w, [0, s.gpr[ra(w)]]),
        Permute::MoveTo(Part::Word) => |s, _, w| finish(s, w, [s.gpr[ra(w)] & 0xffff_ffff, 0]),
        Permute::MoveTo(Part::SignedWord) => |s, _, w| finish(s, w, [sign_extended(s.gpr[ra(w)]), 0]),
        Permute::MoveToPair => |s, _, w| {
            let high = if ra(w) == 0 { 0 } else { s.gpr[ra(w)] };
            finish(s, w, [high, s.gpr[rb(w)]])
        },
        Permute::MoveToWords => |s, _, w| finish(s, w, from_words([s.gpr[ra(w)] as u32; 4])),
        Permute::Logic(op) => logic_handler(op),
        Permute::Select => |s, _, w| {
            let (a, b, c) = (quad(s.vsr[xa(w)]), quad(s.vsr[xb(w)]), quad(s.vsr[xc(w)]));
            finish(s, w, pair(a & !c | b & c))
        },
        Permute::Doublewords => |s, _, w| {
            let (a, b) = (s.vsr[xa(w)], s.vsr[xb(w)]);
            finish(s, w, [a[(w >> 9 & 1) as usize], b[(w >> 8 & 1) as usize]])
        },
        Permute::MergeWords { low: false } => merge_words::<0>,
        Permute::MergeWords { low: true } => merge_words::<2>,
        Permute::ShiftWords => |s, _, w| {
            let (a, b) = (words(s.vsr[xa(w)]), words(s.vsr[xb(w)]));
            let from = (w >> 8 & 3) as usize;
            let word = |i: usize| if from + i < 4 { a[from + i] } else { b[from + i - 4] };
            finish(s, w, from_words([word(0), word(1), word(2), word(3)]))
        },
        Permute::SplatWord => |s, _, w| {
            let word = words(s.vsr[xb(w)])[(w >> 16 & 3) as usize];
            finish(s, w, from_words([word; 4]))
        },
        Permute::SplatByte => |s, _, w| {
            let byte = u64::from(w >> 11 & 0xff);
            finish(s, w, [byte * 0x0101_0101_0101_0101; 2])
        },
        Permute::ExtractWord => extract_word,
        Permute::InsertWord => insert_word,
        Permute::Bytes { reversed: false } => permute_bytes::<false>,
        Permute::Bytes { reversed: true } => permute_bytes::<true>,
        Permute::ReverseBytes { element: 2 } => |s, _, w| {
            let swap = |d: u64| d << 8 & 0xff00_ff00_ff00_ff00 | d >> 8 & 0x00ff_00ff_00ff_00ff;
            finish(s, w, s.vsr[xb(w)].map(swap))
        },
        Permute::ReverseBytes { element: 4 } => {
            |s, _, w| finish(s, w, from_words(words(s.vsr[xb(w)]).map(u32::swap_bytes)))
        }
        Permute::ReverseBytes { element: 8 } => |s, _, w| finish(s, w, s.vsr[xb(w)].map(u64::swap_bytes)),
        Permute::ReverseBytes { .. } => |s, _, w| finish(s, w, pair(quad(s.vsr[xb(w)]).swap_bytes())),
        Permute::QuadConstant => |s, _, w| finish(s, w, [quad_constant(w >> 11 & 31).unwrap_or(0), 0]),
        Permute::Blend { element: 1 } => |s, _, w| blend(s, w, 0x8080_8080_8080_8080, 8),
        Permute::Blend { element: 2 } => |s, _, w| blend(s, w, 0x8000_8000_8000_8000, 16),
        Permute::Blend { element: 4 } => |s, _, w| blend(s, w, 0x8000_0000_8000_0000, 32),
        Permute::Blend { .. } => |s, _, w| blend(s, w, 1 << 63, 64),
        Permute::Evaluate => evaluate,
        Permute::BytesOfSection => bytes_of_section,
        Permute::SplatDouble => |s, env, w| splat(s, w, [double_of_single(immediate(env, w)); 2]),
        Permute::SplatWordImmediate => |s, env, w| splat(s, w, from_words([immediate(env, w); 4])),
        Permute::SplatWordOfDoubles => |s, env, w| {
            let shift = if w >> 17 & 1 == 0 { 32 } else { 0 };
            let word = u64::from(immediate(env, w)) << shift;
            let place = 0xffff_ffff << shift;
            let old = s.vsr[prefixed_xt(w)];
            s.vsr[prefixed_xt(w)] = old.map(|d| d & !place | word);
            Ok(Flow::Next)
        },
        Permute::GenerateControl { element: 1 } => generate_control::<1>,
        Permute::GenerateControl { element: 2 } => generate_control::<2>,
        Permute::GenerateControl { element: 4 } => generate_control::<4>,
        Permute::GenerateControl { .. } => generate_control::<8>,
    }
}

fn sign_extended(value: u64) -> u64 {
    i64::from(value as i32) as u64
}

fn move_from(s: &mut VcpuState, w: u32, value: u64) -> Step {
    s.gpr[ra(w)] = value;
    Ok(Flow::Next)
}

/// Writes XT.
fn finish(s: &mut VcpuState, w: u32, value: [u64; 2]) -> Step {
    s.vsr[xt(w)] = value;
    Ok(Flow::Next)
}

fn logic_handler(op: Logic) -> Handler {
    fn by(s: &mut VcpuState, w: u32, f: fn(u64, u64) -> u64) -> Step {
        let (a, b) = (s.vsr[xa(w)], s.vsr[xb(w)]);
        finish(s, w, [f(a[0], b[0]), f(a[1], b[1])])
    }
    match op {
        Logic::And => |s, _, w| by(s, w, |a, b| a & b),
        Logic::Or => |s, _, w| by(s, w, |a, b| a | b),
        Logic::Xor => |s, _, w| by(s, w, |a, b| a ^ b),
        Logic::Nand => |s, _, w| by(s, w, |a, b| !(a & b)),
        Logic::Nor => |s, _, w| by(s, w, |a, b| !(a | b)),
        Logic::Eqv => |s, _, w| by(s, w, |a, b| !(a ^ b)),
        Logic::Andc => |s, _, w| by(s, w, |a, b| a & !b),
        Logic::Orc => |s, _, w| by(s, w, |a, b| a | !b),
    }
}

fn merge_words<const FROM: usize>(s: &mut VcpuState, _: &mut Env, w: u32) -> Step {
    let (a, b) = (words(s.vsr[xa(w)]), words(s.vsr[xb(w)]));
    finish(s, w, from_words([a[FROM], b[FROM], a[FROM + 1], b[FROM + 1]]))
}

fn uim(w: u32) -> usize {
    (w >> 16 & 15) as usize
}

/// Past byte 12 the result is undefined; bytes are taken around the end, as on POWER9.
fn extract_word(s: &mut VcpuState, _: &mut Env, w: u32) -> Step {
    let value = quad(s.vsr[xb(w)]).rotate_left(8 * uim(w) as u32);
    finish(s, w, [(value >> 96) as u64, 0])
}

/// Past byte 12 the result is undefined; the word is cut off at the end, as on POWER9.
fn insert_word(s: &mut VcpuState, _: &mut Env, w: u32) -> Step {
    let shift = 8 * uim(w);
    let word = s.vsr[xb(w)][0] << 32;
    let kept = quad(s.vsr[xt(w)]) & !(0xffff_ffff << 96 >> shift);
    finish(s, w, pair(kept | u128::from(word) << 64 >> shift))
}

fn permute_bytes<const REVERSED: bool>(s: &mut VcpuState, _: &mut Env, w: u32) -> Step {
    let mut source = [0; 32];
    source[..16].copy_from_slice(&quad(s.vsr[xa(w)]).to_be_bytes());
    source[16..].copy_from_slice(&quad(s.vsr[xt(w)]).to_be_bytes());
    let control = quad(s.vsr[xb(w)]).to_be_bytes();
    let chosen = control.map(|c| source[usize::from(if REVERSED { !c } else { c } & 31)]);
    finish(s, w, pair(u128::from_be_bytes(chosen)))
}

/// The high doubleword of the quad-precision number that `uim` stands for in lxvkq; `None` for the reserved values.
pub fn quad_constant(uim: u32) -> Option<u64> {
    const POSITIVE: [u64; 10] = [
        0,                     // reserved
        0x3fff_0000_0000_0000, // 1
        0x4000_0000_0000_0000, // 2
        0x4000_8000_0000_0000, // 3
        0x4001_0000_0000_0000, // 4
        0x4001_4000_0000_0000, // 5
        0x4001_8000_0000_0000, // 6
        0x4001_c000_0000_0000, // 7
        0x7fff_0000_0000_0000, // infinity
        0x7fff_8000_0000_0000, // default quiet NaN
    ];
    match uim {
        0 | 0b11001 => None,
        _ => POSITIVE.get(uim as usize & 15).map(|value| value | u64::from(uim >> 4) << 63),
    }
}

/// Number of the VSR that XT names in the suffix of a splat, which has an immediate where others have TX.
fn prefixed_xt(w: u32) -> usize {
    (w >> 11 & 32 | w >> 21 & 31) as usize
}

/// The immediate in the low halves of prefix and suffix.
fn immediate(env: &Env, w: u32) -> u32 {
    env.prefix << 16 | w & 0xffff
}

fn splat(s: &mut VcpuState, w: u32, value: [u64; 2]) -> Step {
    s.vsr[prefixed_xt(w)] = value;
    Ok(Flow::Next)
}

/// `first` has the first bits of elements of `bits` bits.
fn blend(s: &mut VcpuState, w: u32, first: u64, bits: u32) -> Step {
    let (a, b, c) = (s.vsr[xa(w)], s.vsr[xb(w)], s.vsr[xc(w)]);
    let chosen = c.map(|c| (c & first) >> (bits - 1)).map(|lasts| lasts.wrapping_mul(u64::MAX >> (64 - bits)));
    finish(s, w, [0, 1].map(|i| a[i] & !chosen[i] | b[i] & chosen[i]))
}

/// The bits of XA, XB and XC at a place, in this order, are the number of a bit of IMM, counted from the left.
fn evaluate(s: &mut VcpuState, env: &mut Env, w: u32) -> Step {
    let (a, b, c) = (quad(s.vsr[xa(w)]), quad(s.vsr[xb(w)]), quad(s.vsr[xc(w)]));
    let wanted = |x: u128, one: bool| if one { x } else { !x };
    let result = (0..8)
        .filter(|i| env.prefix & 0x80 >> i != 0)
        .fold(0, |result, i| result | wanted(a, i & 4 != 0) & wanted(b, i & 2 != 0) & wanted(c, i & 1 != 0));
    finish(s, w, pair(result))
}

fn bytes_of_section(s: &mut VcpuState, env: &mut Env, w: u32) -> Step {
    let section = env.prefix as u8 & 7;
    let mut source = [0; 32];
    source[..16].copy_from_slice(&quad(s.vsr[xa(w)]).to_be_bytes());
    source[16..].copy_from_slice(&quad(s.vsr[xb(w)]).to_be_bytes());
    let control = quad(s.vsr[xc(w)]).to_be_bytes();
    let chosen = control.map(|c| if c >> 5 == section { source[usize::from(c & 31)] } else { 0 });
    finish(s, w, pair(u128::from_be_bytes(chosen)))
}

/// What compression leaves undefined is 0.
fn generate_control<const ELEMENT: usize>(s: &mut VcpuState, _: &mut Env, w: u32) -> Step {
    let mask = quad(s.vsr[(w >> 11 & 31 | 32) as usize]);
    let mode = w >> 16 & 31;
    let (compress, right) = (mode & 1 != 0, mode & 2 != 0);
    // Counted from the end at which the mode begins, as are the numbers of bytes that it makes.
    let chosen =
        |i: usize| mask >> (8 * if right { ELEMENT * i + ELEMENT - 1 } else { 15 - ELEMENT * i }) >> 7 & 1 != 0;
    let mut control = [0; 16];
    let mut put = |to: usize, from: usize| {
        for byte in 0..ELEMENT {
            control[ELEMENT * to + byte] = (ELEMENT * from + byte) as u8;
        }
    };
    let mut found = 0;
    for i in 0..16 / ELEMENT {
        match (compress, chosen(i)) {
            (true, false) => continue,
            (false, false) => {
                put(i, i + 16 / ELEMENT);
                continue;
            }
            (true, true) => put(found, i),
            (false, true) => put(i, found),
        }
        found += 1;
    }
    let value = if right { u128::from_le_bytes(control) } else { u128::from_be_bytes(control) };
    finish(s, w, pair(value))
}
