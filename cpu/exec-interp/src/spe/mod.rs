//! The signal processing engine: GPRs of 64 bits, the accumulator, SPEFSCR (Freescale SPEPEM, chapters 2 and 5).

mod float;
mod integer;
mod loadstore;
mod multiply;

use exec::VcpuState;
use ppc_isa::op::Op;
use ppc_isa::row::Row;
use ppc_isa::spe::Spe;

use crate::env::{Env, Flow, Step};
use crate::fields::rt;

/// Operations by bits 21 to 31, which tell all rows of the engine apart.
static OPERATIONS: [Option<Spe>; 2048] = by_opcode();

const fn by_opcode() -> [Option<Spe>; 2048] {
    use ppc_isa::spe;
    let tables: [&[Row]; 4] = [spe::integer::ROWS, spe::loadstore::ROWS, spe::multiply::ROWS, spe::float::ROWS];
    let mut operations = [None; 2048];
    let mut t = 0;
    while t < tables.len() {
        let mut r = 0;
        while r < tables[t].len() {
            let row = &tables[t][r];
            if let Op::Spe(operation) = row.op {
                // A field at the right end takes the place of opcode bits.
                let mut field = 0;
                while field <= !row.mask & 0x7ff {
                    operations[(row.value & 0x7ff | field) as usize] = Some(operation);
                    field += 1;
                }
            }
            r += 1;
        }
        t += 1;
    }
    operations
}

/// Executes a word of the engine.
pub fn execute(s: &mut VcpuState, env: &mut Env, w: u32) -> Step {
    match OPERATIONS[(w & 0x7ff) as usize] {
        Some(Spe::Integer(op)) => integer::execute(op, s, w),
        Some(Spe::LoadStore(op)) => return loadstore::execute(op, s, env, w),
        Some(Spe::Multiply(op)) => multiply::execute(op, s, w),
        Some(Spe::Float(op)) => return float::execute(op, s, env, w),
        None => return Err(crate::env::Trapped),
    }
    Ok(Flow::Next)
}

/// The words of register `n`, the high one first.
fn words(s: &VcpuState, n: usize) -> [u32; 2] {
    [s.gpr_high[n], s.gpr[n] as u32]
}

/// All 64 bits of register `n`.
fn wide(s: &VcpuState, n: usize) -> u64 {
    joined(words(s, n))
}

/// Writes RT.
fn write(s: &mut VcpuState, w: u32, [high, low]: [u32; 2]) {
    s.gpr_high[rt(w)] = high;
    s.gpr[rt(w)] = low.into();
}

fn joined([high, low]: [u32; 2]) -> u64 {
    u64::from(high) << 32 | u64::from(low)
}

fn split(value: u64) -> [u32; 2] {
    [(value >> 32) as u32, value as u32]
}

/// Bits of SPEFSCR (SPEPEM, section 2.2.3).
mod spefscr {
    /// Integer overflow of the last instruction, in the high and in the low word.
    pub const OVERFLOW: [u32; 2] = [0x4000_0000, 0x4000];
    /// The same, sticky.
    pub const SUMMARY: [u32; 2] = [0x8000_0000, 0x8000];

    /// FG: the bit right of the result. This bit and those after it concern the low word; each has a twin
    /// [`HIGH`] bits to the left.
    pub const GUARD: u32 = 0x2000;
    /// FX: some bit right of that.
    pub const STICKY: u32 = 0x1000;
    /// FINV: an operand that is no number or denormal, or an invalid operation.
    pub const INVALID: u32 = 0x800;
    /// FDBZ: a normal number was divided by zero.
    pub const DIVIDE: u32 = 0x400;
    /// FUNF: underflow.
    pub const UNDERFLOW: u32 = 0x200;
    /// FOVF: overflow.
    pub const OVERFLOW_FLOAT: u32 = 0x100;
    /// All of these.
    pub const STATUS: u32 = 0x3f00;
    /// The exceptions among them, in the order of their sticky bits and their enables.
    pub const EXCEPTIONS: u32 = 0xf00;
    /// How far the twins of the high word are to the left.
    pub const HIGH: u32 = 16;
    /// How far the sticky bits are to the left of the exceptions.
    pub const TO_STICKY: u32 = 9;
    /// How far the enables are to the right of the exceptions.
    pub const TO_ENABLE: u32 = 6;
    /// FINXS: an inexact result, sticky.
    pub const INEXACT_STICKY: u32 = 0x20_0000;
    /// FINXE: inexact results interrupt.
    pub const INEXACT_ENABLE: u32 = 0x40;
    /// FRMC: rounding mode.
    pub const ROUNDING: u32 = 3;
    /// FRMC: to nearest.
    pub const NEAREST: u32 = 0;
    /// FRMC: toward plus infinity. From here on software rounds.
    pub const UP: u32 = 2;
    /// FRMC: toward minus infinity.
    pub const DOWN: u32 = 3;
}

/// Sets OVH and OV, and SOVH and SOV if they are 1.
fn set_overflow(s: &mut VcpuState, overflow: [bool; 2]) {
    for (i, overflow) in overflow.into_iter().enumerate() {
        s.spefscr &= !spefscr::OVERFLOW[i];
        if overflow {
            s.spefscr |= spefscr::OVERFLOW[i] | spefscr::SUMMARY[i];
        }
    }
}
