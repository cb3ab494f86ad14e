//! Platform devices: terminals, interrupt controllers, clocks, random numbers, non-volatile memory, and what
//! boards are made of besides.
//!
//! Devices know neither vCPUs nor hypercalls. They are built from what they need (a writer, a wake-up function) and
//! attached by the machine.
#![forbid(unsafe_code)]
#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing))]

pub mod disk;
pub mod escc;
pub mod gpio;
pub mod guts;
pub mod latches;
pub mod nvram;
pub mod openpic;
pub mod outlet;
pub mod pci_host;
pub mod pmu;
pub mod random;
pub mod registers;
pub mod rtc;
pub mod spin_table;
pub mod uart16550;
pub mod via;
pub mod vty;
pub mod watchdog;
pub mod xics;
pub mod xive;

pub use disk::DiskImage;
pub use escc::Escc;
pub use gpio::QoriqGpio;
pub use guts::Guts;
pub use latches::Latches;
pub use nvram::Nvram;
pub use openpic::Openpic;
pub use outlet::Outlet;
pub use pci_host::PciHost;
pub use pmu::Pmu;
pub use random::{HostRandom, SeededRandom};
pub use registers::Registers;
pub use rtc::{ClockOffset, GuestTime, Rtc};
pub use spin_table::SpinTable;
pub use uart16550::Uart16550;
pub use via::Via;
pub use vty::Vty;
pub use watchdog::Watchdogs;
pub use xics::Xics;
pub use xive::Xive;
