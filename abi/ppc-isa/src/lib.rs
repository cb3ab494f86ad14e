//! The instruction table of the Power ISA, and everything that can be said about an instruction without running it.
//!
//! One [`Row`] is one instruction. A row is made of a picture of its 32 bits, its operands in assembler order, the
//! CPUs that have it, its facts, and its semantic operation ([`Op`]). Decoder, encoder, disassembler, interpreter
//! dispatch and test generators are derived from the rows; nothing about an instruction is written down twice.
//!
//! This crate knows no state, no memory and no machine.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

pub mod absent;
pub mod branch;
pub mod cpu;
pub mod decode;
pub mod dfp;
pub mod disasm;
pub mod encode;
pub mod field;
pub mod float;
pub mod integer;
pub mod loadstore;
pub mod mma;
pub mod msr;
pub mod op;
pub mod operand;
pub mod row;
pub mod spe;
pub mod spr;
pub mod system;
pub mod undefined;
pub mod vector;
pub mod vsx;

pub use cpu::Cpu;
pub use decode::Decoder;
pub use disasm::disassemble;
pub use op::Op;
pub use row::Row;

/// Every row of the table, grouped by the file that holds it: its path below `src`, without `.rs`.
pub const TABLES: [(&str, &[Row]); 20] = [
    ("branch", branch::ROWS),
    ("integer", integer::ROWS),
    ("loadstore", loadstore::ROWS),
    ("float", float::ROWS),
    ("dfp", dfp::ROWS),
    ("vector", vector::ROWS),
    ("vsx/memory", vsx::memory::ROWS),
    ("vsx/permute", vsx::permute::ROWS),
    ("vsx/arithmetic", vsx::arithmetic::ROWS),
    ("vsx/compare", vsx::compare::ROWS),
    ("vsx/convert", vsx::convert::ROWS),
    ("vsx/quad", vsx::quad::ROWS),
    ("mma", mma::ROWS),
    ("spe/integer", spe::integer::ROWS),
    ("spe/loadstore", spe::loadstore::ROWS),
    ("spe/multiply", spe::multiply::ROWS),
    ("spe/float", spe::float::ROWS),
    ("system", system::ROWS),
    ("system/book3s32", system::book3s32::ROWS),
    ("system/booke", system::booke::ROWS),
];

/// All rows, in table order.
pub fn rows() -> impl Iterator<Item = &'static Row> {
    TABLES.iter().flat_map(|(_, rows)| rows.iter())
}

/// The row named `name` (without suffixes such as `o` and `.`), if there is exactly that one.
pub fn row(name: &str) -> Option<&'static Row> {
    rows().find(|r| r.name == name)
}
