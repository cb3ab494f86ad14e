//! Platform devices: virtual terminal, interrupt controller, clock, random numbers, non-volatile memory, DMA
//! windows.
//!
//! Devices know neither vCPUs nor hypercalls. They are built from what they need (a writer, a wake-up function) and
//! attached by the machine.
#![forbid(unsafe_code)]
#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing))]

pub mod dma;
pub mod nvram;
pub mod openpic;
pub mod random;
pub mod registers;
pub mod rtc;
pub mod vty;
pub mod xics;

pub use dma::DmaWindow;
pub use nvram::Nvram;
pub use openpic::Openpic;
pub use random::{HostRandom, SeededRandom};
pub use registers::Registers;
pub use rtc::Rtc;
pub use vty::Vty;
pub use xics::Xics;
