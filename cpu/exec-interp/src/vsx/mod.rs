//! VSX instructions: one file for each file of the instruction table's folder, and `shape` for what the
//! floating-point ones share.

mod arithmetic;
mod compare;
mod convert;
mod memory;
mod permute;
mod quad;
mod shape;

pub use permute::quad_constant;
use ppc_isa::vsx::Vsx;

use crate::env::Handler;

/// The handler of `op`.
pub fn handler(op: Vsx) -> Handler {
    match op {
        Vsx::Memory(op) => memory::handler(op),
        Vsx::Permute(op) => permute::handler(op),
        Vsx::Arithmetic(op) => arithmetic::handler(op),
        Vsx::Compare(op) => compare::handler(op),
        Vsx::Convert(op) => convert::handler(op),
        Vsx::Quad(op) => quad::handler(op),
    }
}

/// A register as one number: doubleword 0 is the high half.
fn quad(value: [u64; 2]) -> u128 {
    u128::from(value[0]) << 64 | u128::from(value[1])
}

/// A number as a register.
fn pair(value: u128) -> [u64; 2] {
    [(value >> 64) as u64, value as u64]
}

/// A register as its four words, word 0 first.
pub fn words(value: [u64; 2]) -> [u32; 4] {
    [(value[0] >> 32) as u32, value[0] as u32, (value[1] >> 32) as u32, value[1] as u32]
}

/// Four words as a register.
pub fn from_words(words: [u32; 4]) -> [u64; 2] {
    let double = |high: u32, low: u32| u64::from(high) << 32 | u64::from(low);
    [double(words[0], words[1]), double(words[2], words[3])]
}
