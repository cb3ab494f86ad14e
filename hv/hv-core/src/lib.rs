//! The answer to each exit: privileged instructions, hypercalls, guest interrupts, time.
//!
//! [`Hypervisor::handle`] is a function of values: it takes an exit and a vCPU and says how to go on. Hypercall
//! interfaces are handed in as [`Interface`]s, asked in order; which of them a guest is offered is not known here,
//! nor what they talk to.
#![forbid(unsafe_code)]
#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing))]

pub mod count;
pub mod dispatch;
pub mod hypervisor;
pub mod visit;

pub use count::{Call, Emulated, ExitCounts};
pub use dispatch::{Dispatch, Rest};
pub use hypervisor::{Hypervisor, Interface};
pub use visit::{Halt, Next, Panic, Visit};
