//! VSX: scalar and vector operations on 64 registers of 128 bits (Power ISA Book I, chapter 7).
//!
//! One file each for loads and stores, for what moves bits without knowing numbers, for floating-point arithmetic,
//! comparisons and conversions, and for all of quad precision.

pub mod arithmetic;
pub mod compare;
pub mod convert;
pub mod memory;
pub mod permute;
pub mod quad;

pub use arithmetic::Arithmetic;
pub use compare::Compare;
pub use convert::Convert;
pub use memory::Memory;
pub use permute::Permute;
pub use quad::Quad;

/// Semantic operations of this folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Vsx {
    /// Loads and stores.
    Memory(Memory),
    /// Moves, logic, permutes.
    Permute(Permute),
    /// Floating-point arithmetic.
    Arithmetic(Arithmetic),
    /// Comparisons and tests.
    Compare(Compare),
    /// Conversions.
    Convert(Convert),
    /// Quad precision.
    Quad(Quad),
}
