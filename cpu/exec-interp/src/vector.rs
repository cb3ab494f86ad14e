//! AltiVec instructions.
//!
//! Here is what all of them share: registers as 128-bit numbers, whose most significant bits are element 0, and their
//! elements as arrays. Byte order concerns loads and stores only.

/// `$body` with `$t` standing for one of the types, by the lane.
macro_rules! by_lane {
    ($lane:expr, $t:ident => $body:expr, $byte:ident $half:ident $word:ident $double:ident $quad:ident) => {
        match $lane {
            Lane::Byte => {
                type $t = $byte;
                let handler: Handler = $body;
                handler
            }
            Lane::Half => {
                type $t = $half;
                let handler: Handler = $body;
                handler
            }
            Lane::Word => {
                type $t = $word;
                let handler: Handler = $body;
                handler
            }
            Lane::Double => {
                type $t = $double;
                let handler: Handler = $body;
                handler
            }
            Lane::Quad => {
                type $t = $quad;
                let handler: Handler = $body;
                handler
            }
        }
    };
}

/// `$body` with `$t` standing for the unsigned type of the lane.
macro_rules! unsigned {
    ($lane:expr, $t:ident => $body:expr) => {
        by_lane!($lane, $t => $body, u8 u16 u32 u64 u128)
    };
}

/// `$body` with `$t` standing for the lane's type.
macro_rules! integer {
    ($lane:expr, $signed:expr, $t:ident => $body:expr) => {
        if $signed {
            by_lane!($lane, $t => $body, i8 i16 i32 i64 i128)
        } else {
            by_lane!($lane, $t => $body, u8 u16 u32 u64 u128)
        }
    };
}

mod crypto;
mod decimal;
mod divide;
mod float;
#[allow(clippy::unnecessary_cast, reason = "a lane's type may be the one that is cast to")]
mod integer;
mod loadstore;
mod mask;
#[allow(clippy::unnecessary_cast, reason = "as above")]
mod permute;

use std::array;

use exec::VcpuState;
use ppc_isa::vector::Vector;

use crate::env::{Flow, Handler, Step};

/// The handler of `op`.
pub fn handler(op: Vector) -> Handler {
    match op {
        Vector::Load(lane) => loadstore::load(lane),
        Vector::Store(lane) => loadstore::store(lane),
        Vector::AlignControl { right } => loadstore::align_control(right),
        Vector::FromVscr => |s, _, w| set(s, w, s.vscr.into()),
        Vector::ToVscr => |s, _, w| {
            s.vscr = vrb(s, w) as u32 & (VSCR_NJ | VSCR_SAT);
            Ok(Flow::Next)
        },
        Vector::Logic(op) => integer::logic(op),
        Vector::Binary { op, lane, signed } => integer::binary_handler(op, lane, signed),
        Vector::Unary { op, lane } => integer::unary_handler(op, lane),
        Vector::Compare { relation, lane, signed } => integer::compare_handler(relation, lane, signed),
        Vector::CompareQuad { signed } => integer::compare_quad(signed),
        Vector::UnderMask(op) => mask::under_mask(op),
        Vector::Extended { subtract, carry } => integer::extended(subtract, carry),
        Vector::MultiplyTen { extended, carry } => integer::multiply_ten(extended, carry),
        Vector::Multiply { odd, lane, signed } => integer::multiply(odd, lane, signed),
        Vector::MultiplyAdd(op) => integer::multiply_add(op),
        Vector::MultiplySum(op) => integer::multiply_sum(op),
        Vector::Sum { lane, signed, group } => integer::sum(lane, signed, group),
        Vector::ExtendSign { from, to } => integer::extend_sign(from, to),
        Vector::RotateMask { lane, insert } => integer::rotate_mask(lane, insert),
        Vector::Select => permute::select,
        Vector::ShiftBits { right } => permute::shift_bits(right),
        Vector::ShiftOctets { right } => permute::shift_octets(right),
        Vector::ShiftVariable { right } => permute::shift_variable(right),
        Vector::ShiftDouble => permute::shift_double,
        Vector::ShiftDoubleBits { right } => permute::shift_double_bits(right),
        Vector::ClearBytes { right } => permute::clear_bytes(right),
        Vector::IsolateString { lane, right } => permute::isolate_string(lane, right),
        Vector::Permute { reversed } => permute::permute(reversed),
        Vector::PermuteXor => permute::permute_xor,
        Vector::PermuteBits(lane) => permute::permute_bits(lane),
        Vector::GatherBits => permute::gather_bits,
        Vector::GatherEveryNth => mask::gather_every_nth,
        Vector::Merge { lane, low } => permute::merge(lane, low),
        Vector::MergeWords { odd } => permute::merge_words(odd),
        Vector::Splat(lane) => permute::splat(lane),
        Vector::SplatImmediate(lane) => permute::splat_immediate(lane),
        Vector::Pack { lane, how } => permute::pack(lane, how),
        Vector::PackPixel => permute::pack_pixel,
        Vector::Unpack { lane, low } => permute::unpack(lane, low),
        Vector::UnpackPixel { low } => permute::unpack_pixel(low),
        Vector::Extract(lane) => permute::extract(lane),
        Vector::Insert(lane) => permute::insert(lane),
        Vector::InsertFromGpr(lane) => permute::insert_from_gpr(lane),
        Vector::InsertIndexed { lane, from_vector, right } => permute::insert_indexed(lane, from_vector, right),
        Vector::ExtractDouble { lane, right } => permute::extract_double(lane, right),
        Vector::ExpandMask(lane) => mask::expand(lane),
        Vector::ExtractMask(lane) => mask::extract(lane),
        Vector::MaskFromGpr(lane) => mask::from_gpr(lane),
        Vector::MaskFromImmediate => mask::from_immediate,
        Vector::CountMask(lane) => mask::count(lane),
        Vector::ExtractToGpr { lane, right } => permute::extract_to_gpr(lane, right),
        Vector::CountBytes { trailing } => permute::count_bytes(trailing),
        Vector::Cipher { inverse, last } => crypto::cipher(inverse, last),
        Vector::SubBytes => crypto::sub_bytes,
        Vector::PolynomialMultiplySum(lane) => crypto::polynomial_multiply_sum(lane),
        Vector::ShaSigma(lane) => crypto::sha_sigma(lane),
        Vector::Float(op) => float::handler(op),
        Vector::Decimal(op) => decimal::handler(op),
    }
}

/// VSCR: denormalised numbers are zeros.
const VSCR_NJ: u32 = 0x1_0000;
/// VSCR: some result has been saturated.
const VSCR_SAT: u32 = 1;

/// A register as `N` elements of type `T`, element 0 first.
trait Elements<T, const N: usize> {
    fn split(self) -> [T; N];
    fn join(elements: [T; N]) -> Self;
}

/// An element of a register.
trait Element: Copy {
    /// All ones or all zeros.
    fn mask(ones: bool) -> Self;
    /// As the low bits of a number, with zeros or copies of the sign above.
    fn bits(self) -> u128;
    /// The count of a shift: its last bits, of a quadword those of doubleword 0.
    fn amount(self) -> u32;
}

macro_rules! elements {
    ($($type:ident $bits:ident $count:literal,)*) => {$(
        impl Elements<$type, $count> for u128 {
            #[inline(always)]
            fn split(self) -> [$type; $count] {
                array::from_fn(|i| (self >> (128 - $type::BITS as usize * (i + 1))) as $type)
            }

            #[inline(always)]
            fn join(elements: [$type; $count]) -> u128 {
                elements.into_iter().fold(0u128, |v, e| v.wrapping_shl($type::BITS) | u128::from(e as $bits))
            }
        }

        impl Element for $type {
            #[inline(always)]
            fn mask(ones: bool) -> $type {
                if ones { !0 } else { 0 }
            }

            #[inline(always)]
            fn bits(self) -> u128 {
                self as u128
            }

            #[inline(always)]
            fn amount(self) -> u32 {
                (self >> ($type::BITS / 128 * 64)) as u32
            }
        }
    )*};
}

elements! {
    u8 u8 16, u16 u16 8, u32 u32 4, u64 u64 2, u128 u128 1,
    i8 u8 16, i16 u16 8, i32 u32 4, i64 u64 2, i128 u128 1,
}

/// Element by element.
#[inline(always)]
fn map1<T, const N: usize>(a: u128, f: impl FnMut(T) -> T) -> u128
where
    u128: Elements<T, N>,
{
    u128::join(a.split().map(f))
}

/// Element by element.
#[inline(always)]
fn map2<T: Copy, const N: usize>(a: u128, b: u128, mut f: impl FnMut(T, T) -> T) -> u128
where
    u128: Elements<T, N>,
{
    let (a, b) = (a.split(), b.split());
    u128::join(array::from_fn(|i| f(a[i], b[i])))
}

/// Element by element.
#[inline(always)]
fn map3<T: Copy, const N: usize>(a: u128, b: u128, c: u128, mut f: impl FnMut(T, T, T) -> T) -> u128
where
    u128: Elements<T, N>,
{
    let (a, b, c) = (a.split(), b.split(), c.split());
    u128::join(array::from_fn(|i| f(a[i], b[i], c[i])))
}

#[inline(always)]
fn field(w: u32, shift: u32) -> usize {
    (w >> shift & 31) as usize
}

#[inline(always)]
fn vr(s: &VcpuState, n: usize) -> u128 {
    let [high, low] = s.vsr[32 + n];
    u128::from(high) << 64 | u128::from(low)
}

#[inline(always)]
fn vrt(s: &VcpuState, w: u32) -> u128 {
    vr(s, field(w, 21))
}

#[inline(always)]
fn vra(s: &VcpuState, w: u32) -> u128 {
    vr(s, field(w, 16))
}

#[inline(always)]
fn vrb(s: &VcpuState, w: u32) -> u128 {
    vr(s, field(w, 11))
}

#[inline(always)]
fn vrc(s: &VcpuState, w: u32) -> u128 {
    vr(s, field(w, 6))
}

/// Writes VRT.
#[inline(always)]
fn set(s: &mut VcpuState, w: u32, value: u128) -> Step {
    s.vsr[32 + field(w, 21)] = [(value >> 64) as u64, value as u64];
    Ok(Flow::Next)
}

/// VRT = `f` of the elements of VRB.
#[inline(always)]
fn unary<T, const N: usize>(s: &mut VcpuState, w: u32, f: impl FnMut(T) -> T) -> Step
where
    u128: Elements<T, N>,
{
    set(s, w, map1(vrb(s, w), f))
}

/// VRT = `f` of the elements of VRA and VRB.
#[inline(always)]
fn binary<T: Copy, const N: usize>(s: &mut VcpuState, w: u32, f: impl FnMut(T, T) -> T) -> Step
where
    u128: Elements<T, N>,
{
    set(s, w, map2(vra(s, w), vrb(s, w), f))
}

/// Writes VRT and notes whether an element of it has been saturated.
#[inline(always)]
fn set_saturated(s: &mut VcpuState, w: u32, value: u128, saturated: bool) -> Step {
    s.vscr |= u32::from(saturated);
    set(s, w, value)
}

/// Writes the result of a comparison; with RcV, CR field 6 says whether all and whether no elements are true.
#[inline(always)]
fn set_compared(s: &mut VcpuState, w: u32, value: u128) -> Step {
    if w & 0x400 != 0 {
        s.cr[6] = u8::from(value == u128::MAX) << 3 | u8::from(value == 0) << 1;
    }
    set(s, w, value)
}
