//! PCI behind a host bridge: functions with their configuration space, base address registers and interrupts, a bus of
//! them, and the windows through which they reach guest memory (PCI Local Bus Specification 3.0; PAPR 14.5.4.2).
//!
//! PCI is little-endian: all numbers here are, the bytes of the bus's [`platform::Registers`] are turned at its edge.
//! What a function does with its registers is a [`Function`]; everything that any function has is an [`Endpoint`].
#![forbid(unsafe_code)]
#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing))]

pub mod bus;
pub mod capability;
pub mod dma;
pub mod endpoint;
pub mod function;
pub mod messages;
pub mod msi;
pub mod msix;
pub mod port;
pub mod space;
pub mod upstream;
pub mod window;

pub use bus::{Aperture, Bus};
pub use capability::Capability;
pub use dma::Dma;
pub use endpoint::Endpoint;
pub use function::{Description, Function, Identity, Region, RegionKind};
pub use messages::MessageKind;
pub use port::Port;
pub use upstream::Upstream;
pub use window::Window;

#[cfg(test)]
mod tests;
