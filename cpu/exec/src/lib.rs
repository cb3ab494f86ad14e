//! What every engine shares: a vCPU's state, the partition's state, exits, supervisor operations, interrupts, time.
//!
//! An engine runs guest instructions until something happens *between* instructions and returns it as an [`Exit`].
//! Loads and stores to devices go through the [`MmioPort`] handed in and never leave the engine. This crate knows no
//! hypercall, no device, no concrete engine and no host clock.
#![forbid(unsafe_code)]
#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

pub mod context;
pub mod delivery;
pub mod dfp;
pub mod engine;
pub mod exit;
pub mod fp;
pub mod interrupt;
pub mod mode;
pub mod partition;
pub mod request;
pub mod shared;
pub mod state;
pub mod supervisor;
pub mod timebase;
pub mod timer;
pub mod vcpu;

pub use context::{Answers, Clock, Context, Lines, MmioPort, NoMmio, Peers, Privileged, VirtualClock, Width};
pub use engine::Engine;
pub use exit::{Exit, Instruction};
pub use interrupt::Interrupt;
pub use mode::Mode;
pub use partition::PartitionState;
pub use request::{Requests, Start};
pub use shared::SharedPage;
pub use state::VcpuState;
pub use vcpu::Vcpu;
