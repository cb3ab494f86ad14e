//! The conformance cases of the PPC KVM paravirtual interface (spec ppc-pv 10), by small programs that the run loop runs.
//!
//! A [`Rig`] is a bare machine of one processor model, byte order and way of privileged instructions, with memory that
//! is translated one to one and a program's end behind every interrupt vector. [`rigs`] makes one of each for each
//! engine. The cases stand in `tests/ppc_pv`, one file a heading of the list, with their numbers in their names. Not the
//! job of this crate: what one floor can show alone, and Linux.
#![forbid(unsafe_code)]

pub mod program;
pub mod rig;
pub mod translation;

pub use rig::{CODE, DATA, Exits, Line, Other, Printed, Rig, Runner, TOP, layout, partitions, rigs};
