//! The oracle: our engines against an outside reference, instruction by instruction.
//!
//! For every row of the instruction table it makes legal cases with telling values, runs them on each of our engines
//! and on user-mode QEMU, and compares all user registers and the memory touched. What disagrees is shrunk and
//! becomes a file in the text format of [`mod@format`], which any engine can be run on without the reference.
//!
//! It knows nothing of privileged instructions, address translation or interrupts but that they end a case.

pub mod campaign;
pub mod case;
pub mod elsewhere;
pub mod format;
pub mod forms;
pub mod generate;
pub mod grid;
pub mod interpreter;
pub mod qemu;
pub mod reference;
pub mod softfloat;
pub mod testfloat;
pub mod undefined;
pub mod values;
mod vector;
