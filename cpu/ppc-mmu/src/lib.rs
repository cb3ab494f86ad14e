//! Address translation: real mode, Book3S-64 hash and radix, Book3S-32, BookE, from an effective address to a real one or to a fault.
//!
//! Translation is a function of values: [`Space`] says which tables and registers apply, the result is a
//! [`Mapping`] or a [`Fault`] with exact status bits. Who delivers the fault, and when, is not known here.
//! [`SoftTlb`] remembers results, tagged by address space and mode so that neither a context switch nor a change of
//! privilege flushes anything.
#![forbid(unsafe_code)]
#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing))]

pub mod access;
pub mod book3s32;
pub mod booke;
pub mod fault;
pub mod hash;
pub mod invalidation;
pub mod radix;
pub mod resizable;
pub mod slb;
pub mod space;
pub mod table;
pub mod tlb;

mod translate;

pub use access::{Access, Keys, Mapping};
pub use fault::Fault;
pub use invalidation::Invalidation;
pub use slb::Slb;
pub use space::{Space, Tables};
pub use table::HashTable;
pub use tlb::SoftTlb;
