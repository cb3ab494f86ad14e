//! PAPR hypercalls and RTAS: one file a family, one method a call.
//!
//! Calls reach the machine's devices through the small ports of [`ports`]. Every length and address comes from the
//! guest: each is checked before use, and the work of a call is bounded.
#![forbid(unsafe_code)]
#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing))]

pub mod answer;
pub mod connectors;
pub mod events;
pub mod papr;
pub mod ports;

mod areas;
mod console;
mod dispatch;
mod dma;
mod entries;
mod hash;
mod interrupts;
mod memory;
mod mode;
mod partition;
mod processor;
mod radix;
mod removal;
mod resize;
/// RTAS, and which of its services exist.
pub mod rtas;
mod scm;
mod turns;
mod unfinished;
mod vpa;
mod watchdog;
mod xive;

pub use dispatch::calls;
pub use papr::Papr;
