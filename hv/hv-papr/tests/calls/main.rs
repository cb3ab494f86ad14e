//! Calls of one vCPU against small stand-ins for the devices. Test names begin with the number of their case in the
//! conformance list (spec papr 12) where there is one.

mod connector;
mod contract;
mod dma;
mod hash;
mod memory;
mod nvram;
mod parameter;
mod partition;
mod pci;
mod processor;
mod radix;
mod rtas;
mod scm;
mod stage;
mod vpa;
mod watchdog;
mod xive;
