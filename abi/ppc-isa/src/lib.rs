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
pub mod msr;
pub mod op;
pub mod operand;
pub mod row;
pub mod spe;
pub mod spr;
pub mod system;
pub mod vector;
pub mod vsx;

pub use cpu::Cpu;
pub use decode::Decoder;
pub use disasm::disassemble;
pub use op::Op;
pub use row::Row;

/// Every row of the table, grouped by the file that holds it.
pub const TABLES: [&[Row]; 19] = [
    branch::ROWS,
    integer::ROWS,
    loadstore::ROWS,
    float::ROWS,
    dfp::ROWS,
    vector::ROWS,
    vsx::memory::ROWS,
    vsx::permute::ROWS,
    vsx::arithmetic::ROWS,
    vsx::compare::ROWS,
    vsx::convert::ROWS,
    vsx::quad::ROWS,
    spe::integer::ROWS,
    spe::loadstore::ROWS,
    spe::multiply::ROWS,
    spe::float::ROWS,
    system::ROWS,
    system::book3s32::ROWS,
    system::booke::ROWS,
];

/// All rows, in table order.
pub fn rows() -> impl Iterator<Item = &'static Row> {
    TABLES.iter().flat_map(|t| t.iter())
}

/// The row named `name` (without suffixes such as `o` and `.`), if there is exactly that one.
pub fn row(name: &str) -> Option<&'static Row> {
    rows().find(|r| r.name == name)
}
