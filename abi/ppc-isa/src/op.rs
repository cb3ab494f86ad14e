//! Semantic operations: what an instruction does, with parameters instead of near-copies.

pub use crate::branch::Branch;
pub use crate::dfp::Dfp;
pub use crate::float::Float;
pub use crate::integer::Integer;
pub use crate::loadstore::LoadStore;
pub use crate::mma::Mma;
pub use crate::spe::Spe;
pub use crate::system::System;
pub use crate::vector::Vector;
pub use crate::vsx::Vsx;

/// The operation of a row, by the file (in the table and in every engine) that holds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op {
    /// Branches, condition register, system calls and traps.
    Branch(Branch),
    /// Fixed-point arithmetic, logic, rotates, compares and moves to and from user registers.
    Integer(Integer),
    /// Fixed-point loads and stores, reservations, cache management and barriers.
    LoadStore(LoadStore),
    /// Scalar floating point with its loads and stores.
    Float(Float),
    /// Decimal floating point.
    Dfp(Dfp),
    /// AltiVec (VMX).
    Vector(Vector),
    /// VSX.
    Vsx(Vsx),
    /// Matrix-multiply assist.
    Mma(Mma),
    /// Signal processing engine.
    Spe(Spe),
    /// Book III: privileged instructions.
    System(System),
}
