//! The signal processing engine of e500v2 and its embedded floating point (Freescale SPEPEM, chapter 5).
//!
//! Registers are GPRs of 64 bits, of which other instructions see and change the low word only; two words or four
//! halfwords share a register. One file each for loads and stores, for integers and bits, for multiplication with the
//! accumulator, and for floating point. The encodings share opcode 4 with AltiVec: no processor has both.

pub mod float;
pub mod integer;
pub mod loadstore;
pub mod multiply;

pub use float::Float;
pub use integer::Integer;
pub use loadstore::LoadStore;
pub use multiply::Multiply;

/// Semantic operations of this folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spe {
    /// Integers and bits.
    Integer(Integer),
    /// Loads and stores.
    LoadStore(LoadStore),
    /// Multiplication and the accumulator.
    Multiply(Multiply),
    /// Embedded floating point.
    Float(Float),
}
