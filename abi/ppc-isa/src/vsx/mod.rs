//! VSX: scalar and vector operations on 64 registers of 128 bits (Power ISA Book I, chapter 7).
//!
//! One file each for loads and stores, and for what moves and permutes bits without knowing numbers.
//!
//! Quad-precision arithmetic is not here.

pub mod memory;
pub mod permute;

pub use memory::Memory;
pub use permute::Permute;

/// Semantic operations of this folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Vsx {
    /// Loads and stores.
    Memory(Memory),
    /// Moves, logic, permutes.
    Permute(Permute),
}
