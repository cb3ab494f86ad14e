//! The reference processor: the meaning of every instruction, in safe Rust, slow on purpose.
//!
//! Instructions are decoded once per page of guest memory and executed by handlers, one per semantic operation; the
//! files are named as in the instruction table. What an instruction may lack (privilege, a unit, being decoded) is
//! tested once per step as a bit set, see [`exec::mode::need`].
#![forbid(unsafe_code)]
#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod bits;
mod branch;
mod code;
mod dfp;
mod engine;
mod env;
pub mod fields;
mod float;
mod integer;
mod loadstore;
mod mma;
mod spe;
mod vector;
mod vsx;

pub use code::{Decoded, Dispatch};
pub use engine::Interpreter;
