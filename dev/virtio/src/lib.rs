//! Virtio devices behind PCI (Virtual I/O Device Version 1.2): split rings in guest memory, the transport, and what each
//! device does with its queues.
//!
//! Only the modern interface exists, and devices reach memory as the bus lets them: drivers must accept VERSION_1 and
//! ACCESS_PLATFORM.
#![forbid(unsafe_code)]
#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing))]

pub mod device;
pub mod pci;
pub mod queue;
pub mod rng;

pub use device::Device;
pub use pci::VirtioPci;
pub use queue::{Chain, Fault, Queue};
pub use rng::Rng;

#[cfg(test)]
mod tests;
