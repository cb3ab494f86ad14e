//! Machines: from a description to something that runs.
//!
//! [`plan()`] is pure: it decides where everything goes and can be printed. [`Machine::build`] allocates. This is the
//! only crate that names concrete devices and hypercall interfaces; it knows no engine, no thread, no command line.
#![forbid(unsafe_code)]
#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing))]

mod blocks;
pub mod board;
pub mod bus;
pub mod clock;
pub mod plan;
pub mod spec;

mod connectors;
mod fdt;
mod firmware;
pub mod hotplug;
mod options;
mod paravirt;
mod pci;
pub mod persistent;
mod ports;
mod sources;
mod tree;
mod xive;

pub use blocks::MEMORY_BLOCK;
pub use board::{Backends, BuildError, Controls, Keyboard, Machine, Power};
pub use hotplug::{HotPlug, HotPlugError, Kept};
pub use plan::{Layout, PlanError, plan};
pub use platform::{ClockOffset, DiskImage, Nvram, Outlet};
pub use spec::{Boot, Calls, Device, Interrupts, Kind, Mmu, Spec};
