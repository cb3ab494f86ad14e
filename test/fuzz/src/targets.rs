//! The targets, one file each.

pub mod client;
pub mod decoder;
pub mod disk;
pub mod elf;
pub mod fdt;
pub mod hash;
pub mod hostile;
pub mod hypercalls;
pub mod instructions;
pub mod patcher;
pub mod pci;
pub mod rewriting;
pub mod rtas;
pub mod scm;

mod partition;
mod tables;
mod vm;

pub use vm::EXECUTED;
