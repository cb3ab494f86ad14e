//! Moving elements, bytes and bits of vectors about: permute, shift, merge, splat, pack, unpack, insert, extract.

use std::array;

use exec::VcpuState;
use ppc_isa::vector::{Lane, Pack};

use crate::env::{Env, Flow, Handler, Step};
use crate::vector::{Element, Elements, binary, field, set, set_saturated, unary, vra, vrb, vrc, vrt};

pub fn select(s: &mut VcpuState, _: &mut Env, w: u32) -> Step {
    let mask = vrc(s, w);
    set(s, w, vra(s, w) & !mask | vrb(s, w) & mask)
}

/// The bytes of VRA, then those of VRB.
fn both(s: &VcpuState, w: u32) -> [u8; 32] {
    let (a, b) = (vra(s, w).to_be_bytes(), vrb(s, w).to_be_bytes());
    array::from_fn(|i| if i < 16 { a[i] } else { b[i - 16] })
}

pub fn permute(reversed: bool) -> Handler {
    #[inline(always)]
    fn chosen(s: &mut VcpuState, w: u32, flip: u8) -> Step {
        let bytes = both(s, w);
        let value = vrc(s, w).to_be_bytes().map(|index| bytes[usize::from((index ^ flip) & 31)]);
        set(s, w, u128::from_be_bytes(value))
    }
    if reversed { |s, _, w| chosen(s, w, 31) } else { |s, _, w| chosen(s, w, 0) }
}

pub fn permute_xor(s: &mut VcpuState, _: &mut Env, w: u32) -> Step {
    let (a, b) = (vra(s, w).to_be_bytes(), vrb(s, w).to_be_bytes());
    let value = vrc(s, w).to_be_bytes().map(|index| a[usize::from(index >> 4)] ^ b[usize::from(index & 15)]);
    set(s, w, u128::from_be_bytes(value))
}

pub fn permute_bits(lane: Lane) -> Handler {
    if lane == Lane::Double {
        |s, _, w| {
            binary(s, w, |a: u64, b: u64| {
                let bit = |index: u8| if index < 64 { a >> (63 - index) & 1 } else { 0 };
                b.to_be_bytes().into_iter().fold(0, |bits, index| bits << 1 | bit(index))
            })
        }
    } else {
        |s, _, w| {
            let a = vra(s, w);
            let bit = |index: u8| if index < 128 { a >> (127 - index) & 1 } else { 0 };
            let bits = vrb(s, w).to_be_bytes().into_iter().fold(0, |bits, index| bits << 1 | bit(index));
            set(s, w, bits << 64)
        }
    }
}

pub fn gather_bits(s: &mut VcpuState, _: &mut Env, w: u32) -> Step {
    unary(s, w, |b: u64| {
        // Column `i` of the matrix whose rows are bytes.
        let column = |i: u32| (0..8).fold(0, |byte, row| byte << 1 | b >> (63 - 8 * row - i) & 1);
        (0..8).fold(0, |value, i| value << 8 | column(i))
    })
}

pub fn shift_bits(right: bool) -> Handler {
    if right {
        |s, _, w| set(s, w, vra(s, w) >> (vrb(s, w) & 7))
    } else {
        |s, _, w| set(s, w, vra(s, w) << (vrb(s, w) & 7))
    }
}

pub fn shift_octets(right: bool) -> Handler {
    if right {
        |s, _, w| set(s, w, vra(s, w) >> (vrb(s, w) & 0x78))
    } else {
        |s, _, w| set(s, w, vra(s, w) << (vrb(s, w) & 0x78))
    }
}

pub fn shift_variable(right: bool) -> Handler {
    if right {
        |s, _, w| {
            let left_neighbour = vra(s, w) >> 8;
            shift_pairs(s, w, left_neighbour, vra(s, w), |pair, amount| pair >> amount)
        }
    } else {
        |s, _, w| {
            let right_neighbour = vra(s, w) << 8;
            shift_pairs(s, w, vra(s, w), right_neighbour, |pair, amount| pair << amount >> 8)
        }
    }
}

/// Each byte from the pair of bytes of `high` and `low`, shifted by the low bits of VRB's byte.
#[inline(always)]
fn shift_pairs(s: &mut VcpuState, w: u32, high: u128, low: u128, shift: impl Fn(u32, u32) -> u32) -> Step {
    let (high, low, amount) = (high.to_be_bytes(), low.to_be_bytes(), vrb(s, w).to_be_bytes());
    let value = array::from_fn(|i| shift(u32::from(high[i]) << 8 | u32::from(low[i]), u32::from(amount[i] & 7)) as u8);
    set(s, w, u128::from_be_bytes(value))
}

pub fn shift_double(s: &mut VcpuState, _: &mut Env, w: u32) -> Step {
    let bytes = both(s, w);
    let first = (w >> 6 & 15) as usize;
    set(s, w, u128::from_be_bytes(array::from_fn(|i| bytes[first + i])))
}

pub fn shift_double_bits(right: bool) -> Handler {
    fn amount(w: u32) -> u32 {
        w >> 6 & 7
    }
    if right {
        |s, _, w| set(s, w, vra(s, w) << 1 << (127 - amount(w)) | vrb(s, w) >> amount(w))
    } else {
        |s, _, w| set(s, w, vra(s, w) << amount(w) | vrb(s, w) >> 1 >> (127 - amount(w)))
    }
}

pub fn clear_bytes(right: bool) -> Handler {
    /// Bits of the bytes to keep.
    fn kept(s: &VcpuState, w: u32) -> u32 {
        8 * s.gpr[field(w, 11)].min(16) as u32
    }
    if right {
        |s, _, w| set(s, w, vra(s, w) & !u128::MAX.checked_shr(kept(s, w)).unwrap_or(0))
    } else {
        |s, _, w| set(s, w, vra(s, w) & !u128::MAX.checked_shl(kept(s, w)).unwrap_or(0))
    }
}

pub fn isolate_string(lane: Lane, right: bool) -> Handler {
    /// With RcV, CR field 6 says whether there is an end. The string begins at the left, after `f` and before it.
    #[inline(always)]
    fn isolate<T: Element + Default + Eq, const N: usize>(s: &mut VcpuState, w: u32, f: impl Fn(&mut [T; N])) -> Step
    where
        u128: Elements<T, N>,
    {
        let mut elements: [T; N] = vrb(s, w).split();
        f(&mut elements);
        let end = elements.iter().position(|&element| element == T::default());
        elements.iter_mut().skip(end.unwrap_or(N)).for_each(|element| *element = T::default());
        f(&mut elements);
        if w & 0x400 != 0 {
            s.cr[6] = u8::from(end.is_some()) << 1;
        }
        set(s, w, u128::join(elements))
    }
    if right {
        unsigned!(lane, T => |s, _, w| isolate(s, w, |elements: &mut [T; 128 / T::BITS as usize]| elements.reverse()))
    } else {
        unsigned!(lane, T => |s, _, w| isolate(s, w, |_: &mut [T; 128 / T::BITS as usize]| {}))
    }
}

pub fn merge(lane: Lane, low: bool) -> Handler {
    #[inline(always)]
    fn interleave<T: Copy, const N: usize>(s: &mut VcpuState, w: u32, first: usize) -> Step
    where
        u128: Elements<T, N>,
    {
        let (a, b): ([T; N], [T; N]) = (vra(s, w).split(), vrb(s, w).split());
        let value = array::from_fn(|i| if i % 2 == 0 { a[first + i / 2] } else { b[first + i / 2] });
        set(s, w, u128::join(value))
    }
    match (lane, low) {
        (Lane::Byte, false) => |s, _, w| interleave::<u8, 16>(s, w, 0),
        (Lane::Byte, true) => |s, _, w| interleave::<u8, 16>(s, w, 8),
        (Lane::Half, false) => |s, _, w| interleave::<u16, 8>(s, w, 0),
        (Lane::Half, true) => |s, _, w| interleave::<u16, 8>(s, w, 4),
        (_, false) => |s, _, w| interleave::<u32, 4>(s, w, 0),
        (_, true) => |s, _, w| interleave::<u32, 4>(s, w, 2),
    }
}

pub fn merge_words(odd: bool) -> Handler {
    const EVEN: u128 = 0xffffffff_00000000_ffffffff_00000000;
    if odd {
        |s, _, w| set(s, w, vra(s, w) << 32 & EVEN | vrb(s, w) & !EVEN)
    } else {
        |s, _, w| set(s, w, vra(s, w) & EVEN | vrb(s, w) >> 32 & !EVEN)
    }
}

pub fn splat(lane: Lane) -> Handler {
    unsigned!(lane, T => |s, _, w| {
        const COUNT: usize = 128 / T::BITS as usize;
        let elements: [T; COUNT] = vrb(s, w).split();
        set(s, w, u128::join([elements[field(w, 16) & (COUNT - 1)]; COUNT]))
    })
}

pub fn splat_immediate(lane: Lane) -> Handler {
    unsigned!(lane, T => |s, _, w| {
        let value = (w << 11) as i32 >> 27;
        set(s, w, u128::join([value as T; 128 / T::BITS as usize]))
    })
}

pub fn pack(lane: Lane, how: Pack) -> Handler {
    match how {
        Pack::Modulo => unsigned!(lane, T => |s, _, w| narrow(s, w, T::MIN, T::MAX)),
        Pack::Unsigned => unsigned!(lane, T => |s, _, w| {
            narrow(s, w, 0, T::MAX >> (T::BITS / 2))
        }),
        Pack::Signed => integer!(lane, true, T => |s, _, w| {
            const HALF: u32 = T::BITS / 2;
            narrow(s, w, T::MIN >> HALF, T::MAX >> HALF)
        }),
        Pack::SignedToUnsigned => integer!(lane, true, T => |s, _, w| {
            narrow(s, w, 0, !(T::MIN >> (T::BITS / 2 - 1)))
        }),
    }
}

/// The elements of VRA and VRB, clamped to `low..=high`, at half the width.
#[inline(always)]
fn narrow<T: Element + Ord, const N: usize>(s: &mut VcpuState, w: u32, low: T, high: T) -> Step
where
    u128: Elements<T, N>,
{
    let (a, b): ([T; N], [T; N]) = (vra(s, w).split(), vrb(s, w).split());
    let width = 64 / N;
    let mut saturated = false;
    let value = a.into_iter().chain(b).fold(0, |value, element| {
        let clamped = element.clamp(low, high);
        saturated |= clamped != element;
        value << width | clamped.bits() & ((1 << width) - 1)
    });
    set_saturated(s, w, value, saturated)
}

pub fn pack_pixel(s: &mut VcpuState, _: &mut Env, w: u32) -> Step {
    let pixel = |word: u32| u128::from(word >> 9 & 0xfc00 | word >> 6 & 0x3e0 | word >> 3 & 0x1f);
    let (a, b): ([u32; 4], [u32; 4]) = (vra(s, w).split(), vrb(s, w).split());
    set(s, w, a.into_iter().chain(b).fold(0, |value, word| value << 16 | pixel(word)))
}

pub fn unpack(lane: Lane, low: bool) -> Handler {
    /// Each element of one half of VRB, made wider by `f`.
    macro_rules! unpack {
        ($from:ident $to:ident) => {
            if low {
                |s, _, w| widen(s, w, true, |b: $from| $to::from(b))
            } else {
                |s, _, w| widen(s, w, false, |b: $from| $to::from(b))
            }
        };
    }
    match lane {
        Lane::Byte => unpack!(i8 i16),
        Lane::Half => unpack!(i16 i32),
        _ => unpack!(i32 i64),
    }
}

pub fn unpack_pixel(low: bool) -> Handler {
    fn pixel(half: u16) -> u32 {
        let part = |shift: u32| u32::from(half) >> shift & 31;
        let alpha = if half >> 15 != 0 { 0xff } else { 0 };
        alpha << 24 | part(10) << 16 | part(5) << 8 | part(0)
    }
    if low { |s, _, w| widen(s, w, true, pixel) } else { |s, _, w| widen(s, w, false, pixel) }
}

/// `f` of each element of the low or the high half of VRB.
#[inline(always)]
fn widen<T: Copy, U, const N: usize, const M: usize>(s: &mut VcpuState, w: u32, low: bool, f: impl Fn(T) -> U) -> Step
where
    u128: Elements<T, N> + Elements<U, M>,
{
    let b: [T; N] = vrb(s, w).split();
    let first = if low { M } else { 0 };
    set(s, w, <u128 as Elements<U, M>>::join(array::from_fn(|i| f(b[first + i]))))
}

/// Bytes that would lie beyond the register are zero where the ISA leaves them undefined.
pub fn extract(lane: Lane) -> Handler {
    unsigned!(lane, T => |s, _, w| {
        let element = (vrb(s, w) << (8 * (field(w, 16) & 15))) >> (128 - T::BITS);
        set(s, w, element << 64)
    })
}

fn doubleword0(s: &VcpuState, w: u32) -> u64 {
    (vrb(s, w) >> 64) as u64
}

/// VRT with the low `bits` of `element` from byte `index` on. Bytes that would lie beyond the register are lost where
/// the ISA leaves the result undefined.
#[inline(always)]
fn place(s: &mut VcpuState, w: u32, index: usize, right: bool, bits: u32, element: u64) -> Step {
    let shift = 8 * (index & 15);
    let at = |value: u128| if right { value << shift } else { value << (128 - bits) >> shift };
    let ones = at(u128::MAX >> (128 - bits));
    set(s, w, vrt(s, w) & !ones | at(element.into()) & ones)
}

pub fn insert(lane: Lane) -> Handler {
    unsigned!(lane, T => |s, _, w| place(s, w, field(w, 16), false, T::BITS, doubleword0(s, w)))
}

pub fn insert_from_gpr(lane: Lane) -> Handler {
    unsigned!(lane, T => |s, _, w| place(s, w, field(w, 16), false, T::BITS, s.gpr[field(w, 11)]))
}

pub fn insert_indexed(lane: Lane, from_vector: bool, right: bool) -> Handler {
    fn index(s: &VcpuState, w: u32) -> usize {
        s.gpr[field(w, 16)] as usize
    }
    match (from_vector, right) {
        (false, false) => {
            unsigned!(lane, T => |s, _, w| place(s, w, index(s, w), false, T::BITS, s.gpr[field(w, 11)]))
        }
        (false, true) => unsigned!(lane, T => |s, _, w| place(s, w, index(s, w), true, T::BITS, s.gpr[field(w, 11)])),
        (true, false) => unsigned!(lane, T => |s, _, w| place(s, w, index(s, w), false, T::BITS, doubleword0(s, w))),
        (true, true) => unsigned!(lane, T => |s, _, w| place(s, w, index(s, w), true, T::BITS, doubleword0(s, w))),
    }
}

/// Bytes that would lie beyond the registers are zero where the ISA leaves them undefined.
pub fn extract_double(lane: Lane, right: bool) -> Handler {
    #[inline(always)]
    fn chosen(s: &mut VcpuState, w: u32, right: bool, width: usize) -> Step {
        let (bytes, index) = (both(s, w), (s.gpr[field(w, 6)] & 31) as usize);
        let first = if right { (32 - width).wrapping_sub(index) } else { index };
        let byte = |i: usize| bytes.get(first.wrapping_add(i)).copied().unwrap_or(0);
        let element = (0..width).fold(0, |element, i| element << 8 | u128::from(byte(i)));
        set(s, w, element << 64)
    }
    if right {
        unsigned!(lane, T => |s, _, w| chosen(s, w, true, size_of::<T>()))
    } else {
        unsigned!(lane, T => |s, _, w| chosen(s, w, false, size_of::<T>()))
    }
}

pub fn extract_to_gpr(lane: Lane, right: bool) -> Handler {
    #[inline(always)]
    fn finish(s: &mut VcpuState, w: u32, element: u64) -> Step {
        s.gpr[field(w, 21)] = element;
        Ok(Flow::Next)
    }
    fn shift(s: &VcpuState, w: u32) -> u64 {
        8 * (s.gpr[field(w, 16)] & 15)
    }
    if right {
        unsigned!(lane, T => |s, _, w| finish(s, w, (vrb(s, w) >> shift(s, w)) as T as u64))
    } else {
        unsigned!(lane, T => |s, _, w| finish(s, w, (vrb(s, w) << shift(s, w) >> (128 - T::BITS)) as u64))
    }
}

pub fn count_bytes(trailing: bool) -> Handler {
    const LOW_BITS: u128 = u128::MAX / 0xff;
    if trailing {
        |s, _, w| {
            s.gpr[field(w, 21)] = u64::from((vrb(s, w) & LOW_BITS).trailing_zeros() / 8);
            Ok(Flow::Next)
        }
    } else {
        |s, _, w| {
            s.gpr[field(w, 21)] = u64::from((vrb(s, w) & LOW_BITS).leading_zeros() / 8);
            Ok(Flow::Next)
        }
    }
}
