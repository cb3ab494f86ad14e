//! Open Firmware's client interface (IEEE 1275-1994, 6.3, with the bindings for PowerPC and for PAPR partitions): what a
//! client program asks of firmware before it stands on its own feet.
//!
//! The client calls a few instructions in its memory, which make one hypercall ([`CALL`]) with the address of an argument
//! array; everything behind it is here. The device tree is live and belongs to the client, so what it may store is bounded
//! ([`tree::LARGEST`]), as are open instances and claims. Memory is real memory: addresses are the same everywhere.
//! Not here: what stands in the tree, and which devices there are; the machine hands in both.
#![forbid(unsafe_code)]
#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing))]

pub mod arguments;
pub mod claims;
pub mod client_architecture;
pub mod firmware;
pub mod instances;
pub mod interface;
pub mod path;
pub mod ports;
pub mod tree;

mod methods;
mod services;

pub use client_architecture::Architecture;
pub use firmware::OpenFirmware;
pub use interface::CALL;
pub use ports::{Console, Disk, Ports};
pub use tree::{Phandle, Tree};
