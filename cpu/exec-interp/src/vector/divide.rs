//! Quotients of dividends that are wider than an element, and high halves of products (Power ISA 3.1 Book I, chapter 6).

use ppc_isa::vector::Lane;

use crate::env::Handler;
use crate::vector::binary;

/// The quotient and the remainder where the ISA leaves them undefined: a division by zero, or a quotient that does not
/// fit its element. POWER10 has been seen to give 0 for the latter.
pub const UNDEFINED: u8 = 0;

/// `$body` with `$t` standing for the type of the lane, word or doubleword, and `$wide` for the one twice as wide.
macro_rules! wide {
    ($lane:expr, $signed:expr, $t:ident $wide:ident => $body:expr) => {
        match ($lane, $signed) {
            (Lane::Double, false) => wide!(u64 u128, $t $wide => $body),
            (Lane::Double, true) => wide!(i64 i128, $t $wide => $body),
            (_, false) => wide!(u32 u64, $t $wide => $body),
            (_, true) => wide!(i32 i64, $t $wide => $body),
        }
    };
    ($narrow:ident $double:ident, $t:ident $wide:ident => $body:expr) => {{
        type $t = $narrow;
        type $wide = $double;
        let handler: Handler = $body;
        handler
    }};
}

pub fn multiply_high(lane: Lane, signed: bool) -> Handler {
    wide!(lane, signed, T W => |s, _, w| {
        binary(s, w, |a: T, b: T| ((W::from(a) * W::from(b)) >> T::BITS) as T)
    })
}

pub fn extended(lane: Lane, signed: bool) -> Handler {
    match (lane, signed) {
        (Lane::Quad, false) => |s, _, w| binary(s, w, |a: u128, b| unsigned_quotient(a, b).unwrap_or(UNDEFINED.into())),
        (Lane::Quad, true) => |s, _, w| binary(s, w, |a: i128, b| signed_quotient(a, b).unwrap_or(UNDEFINED.into())),
        _ => wide!(lane, signed, T W => |s, _, w| {
            binary(s, w, |a: T, b: T| {
                let quotient = (W::from(a) << T::BITS).checked_div(b.into());
                quotient.and_then(|quotient| quotient.try_into().ok()).unwrap_or(UNDEFINED.into())
            })
        }),
    }
}

/// The quotient of `a` times 2^128 and `b`, a bit at a time.
fn unsigned_quotient(a: u128, b: u128) -> Option<u128> {
    if a >= b {
        return None;
    }
    let (mut quotient, mut rest) = (0, a);
    for _ in 0..u128::BITS {
        let carry = rest >> 127 != 0;
        (quotient, rest) = (quotient << 1, rest << 1);
        if carry || rest >= b {
            rest = rest.wrapping_sub(b);
            quotient |= 1;
        }
    }
    Some(quotient)
}

/// The same for signed numbers.
fn signed_quotient(a: i128, b: i128) -> Option<i128> {
    let magnitude = unsigned_quotient(a.unsigned_abs(), b.unsigned_abs())?;
    if (a < 0) != (b < 0) { 0i128.checked_sub_unsigned(magnitude) } else { magnitude.try_into().ok() }
}
