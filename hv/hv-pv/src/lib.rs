//! Host side of the KVM paravirtual interface: KVM, ePAPR and OSI hypercalls, the magic page.
//!
//! Does not know PAPR, devices or machines: what a call needs of them is a port ([`epapr::Ports`]) or a handler
//! ([`osi::Osi::register`]) that the machine hands in.
#![forbid(unsafe_code)]
#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing))]

pub mod epapr;
pub mod kvm;
pub mod osi;
pub mod patched;

mod answer;

pub use kvm::Kvm;
pub use osi::Osi;
