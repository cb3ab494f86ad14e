//! AES rounds, polynomial products and SHA-2 sigma functions of vectors (Power ISA Book I, section 6.11).

use exec::VcpuState;
use ppc_isa::vector::Lane;

use crate::env::{Env, Handler, Step};
use crate::vector::{Elements, map1, set, vra, vrb};

/// The product of two polynomials over GF(2) modulo the AES polynomial.
const fn multiply(mut a: u8, mut b: u8) -> u8 {
    let mut product = 0;
    while b != 0 {
        if b & 1 != 0 {
            product ^= a;
        }
        a = a << 1 ^ if a & 0x80 != 0 { 0x1b } else { 0 };
        b >>= 1;
    }
    product
}

/// The S-box (FIPS 197, section 5.1.1) and its inverse.
const BOXES: [[u8; 256]; 2] = {
    let mut boxes = [[0; 256]; 2];
    // `p` runs through the powers of a generator, `q` through those of its inverse.
    let (mut p, mut q) = (1u8, 1u8);
    loop {
        let value = 0x63 ^ q ^ q.rotate_left(1) ^ q.rotate_left(2) ^ q.rotate_left(3) ^ q.rotate_left(4);
        boxes[0][p as usize] = value;
        boxes[1][value as usize] = p;
        p = multiply(p, 3);
        q = multiply(q, 0xf6);
        if p == 1 {
            break;
        }
    }
    boxes[0][0] = 0x63;
    boxes[1][0x63] = 0;
    boxes
};

fn substitute(state: u128, inverse: bool) -> u128 {
    let table = &BOXES[usize::from(inverse)];
    u128::from_be_bytes(state.to_be_bytes().map(|byte| table[usize::from(byte)]))
}

/// Row `r` of the state moves left by `r` columns, to the right if `inverse`. Columns are words.
fn shift_rows(state: u128, inverse: bool) -> u128 {
    let bytes = state.to_be_bytes();
    let columns = if inverse { 3 } else { 1 };
    u128::from_be_bytes(std::array::from_fn(|i| bytes[(i + 4 * columns * (i % 4)) % 16]))
}

fn mix_columns(state: u128, inverse: bool) -> u128 {
    let row: [u8; 4] = if inverse { [14, 11, 13, 9] } else { [2, 3, 1, 1] };
    let bytes = state.to_be_bytes();
    u128::from_be_bytes(std::array::from_fn(|i| {
        (0..4).fold(0, |sum, k| sum ^ multiply(bytes[i / 4 * 4 + k], row[(k + 4 - i % 4) % 4]))
    }))
}

pub fn cipher(inverse: bool, last: bool) -> Handler {
    match (inverse, last) {
        (false, false) => |s, _, w| {
            let state = shift_rows(substitute(vra(s, w), false), false);
            set(s, w, mix_columns(state, false) ^ vrb(s, w))
        },
        (false, true) => |s, _, w| set(s, w, shift_rows(substitute(vra(s, w), false), false) ^ vrb(s, w)),
        (true, false) => |s, _, w| {
            let state = shift_rows(substitute(vra(s, w), true), true);
            set(s, w, mix_columns(state ^ vrb(s, w), true))
        },
        (true, true) => |s, _, w| set(s, w, shift_rows(substitute(vra(s, w), true), true) ^ vrb(s, w)),
    }
}

pub fn sub_bytes(s: &mut VcpuState, _: &mut Env, w: u32) -> Step {
    set(s, w, substitute(vra(s, w), false))
}

pub fn polynomial_multiply_sum(lane: Lane) -> Handler {
    match lane {
        Lane::Byte => product_sums::<u8, 16>,
        Lane::Half => product_sums::<u16, 8>,
        Lane::Word => product_sums::<u32, 4>,
        _ => product_sums::<u64, 2>,
    }
}

/// The sum of the products of two neighbouring elements takes the place of both.
fn product_sums<T: Copy + Into<u128>, const N: usize>(s: &mut VcpuState, _: &mut Env, w: u32) -> Step
where
    u128: Elements<T, N>,
{
    let (a, b): ([T; N], [T; N]) = (vra(s, w).split(), vrb(s, w).split());
    let width = 128 / N;
    let product = |i: usize| {
        let (a, b): (u128, u128) = (a[i].into(), b[i].into());
        (0..width).filter(|bit| b >> bit & 1 != 0).fold(0, |product, bit| product ^ a << bit)
    };
    let value = (0..N).fold(0, |value, i| value ^ product(i) << (128 - 2 * width * (i / 2 + 1)));
    set(s, w, value)
}

/// ST selects upper case sigma, the bits of SIX select sigma one for each element.
pub fn sha_sigma(lane: Lane) -> Handler {
    fn choice(w: u32, bit: u32) -> (bool, bool) {
        (w >> 15 & 1 != 0, w >> (11 + bit) & 1 != 0)
    }
    if lane == Lane::Word {
        |s, _, w| {
            let mut element = 4;
            let value = map1(vra(s, w), |x: u32| {
                element -= 1;
                match choice(w, element) {
                    (false, false) => x.rotate_right(7) ^ x.rotate_right(18) ^ x >> 3,
                    (false, true) => x.rotate_right(17) ^ x.rotate_right(19) ^ x >> 10,
                    (true, false) => x.rotate_right(2) ^ x.rotate_right(13) ^ x.rotate_right(22),
                    (true, true) => x.rotate_right(6) ^ x.rotate_right(11) ^ x.rotate_right(25),
                }
            });
            set(s, w, value)
        }
    } else {
        |s, _, w| {
            let mut element = 5;
            let value = map1(vra(s, w), |x: u64| {
                element -= 2;
                match choice(w, element) {
                    (false, false) => x.rotate_right(1) ^ x.rotate_right(8) ^ x >> 7,
                    (false, true) => x.rotate_right(19) ^ x.rotate_right(61) ^ x >> 6,
                    (true, false) => x.rotate_right(28) ^ x.rotate_right(34) ^ x.rotate_right(39),
                    (true, true) => x.rotate_right(14) ^ x.rotate_right(18) ^ x.rotate_right(41),
                }
            });
            set(s, w, value)
        }
    }
}
