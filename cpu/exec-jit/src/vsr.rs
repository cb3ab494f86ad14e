//! Vector-scalar registers in translated code.
//!
//! Doubleword 0, the guest's first, is the first in the state, and each doubleword is a number of the host: element `i`
//! of `n` bytes is where the host sees its element `i ^ (8 / n - 1)`. Operations of elements alone never notice; those
//! that move elements exchange bytes, which is an exclusive or of their numbers.

use ppc_isa::integer::Logic;
use ppc_isa::op::Op;
use ppc_isa::vector::{Lane, Vector};
use ppc_isa::vsx::Vsx;
use ppc_isa::vsx::arithmetic::{Arithmetic, Shape};
use ppc_isa::vsx::compare::Compare;
use ppc_isa::vsx::memory::Memory;
use ppc_isa::vsx::permute::Permute;

use crate::asm::{Cond, Insn, Mem, Reg, Rm, Size, Xmm, XmmRm, vop};
use crate::branch::cr;
use crate::lower::Lower;

/// Scratch registers.
pub const X0: Xmm = Xmm::of(0);
/// Another.
pub const X1: Xmm = Xmm::of(1);
/// Another.
pub const X2: Xmm = Xmm::of(2);
/// Another.
pub const X3: Xmm = Xmm::of(3);
/// Another; the one before is not for instructions.
pub const X5: Xmm = Xmm::of(5);

/// A field of the constants as an operand.
macro_rules! constant {
    ($lower:expr, $field:ident) => {
        constant!($lower, $field, 0)
    };
    ($lower:expr, $field:ident, $index:expr) => {
        $lower.constant(std::mem::offset_of!($crate::constants::Constants, $field) / 16 + $index as usize)
    };
}
pub(crate) use constant;

/// Whether an instruction does the same to both doublewords, and nothing between them.
pub fn is_symmetric(op: Op) -> bool {
    match op {
        Op::Vector(op) => matches!(
            op,
            Vector::Load(Lane::Quad)
                | Vector::Store(Lane::Quad)
                | Vector::Logic(_)
                | Vector::Select
                | Vector::Binary { .. }
                | Vector::Unary { .. }
                | Vector::Compare { .. }
                | Vector::Multiply { .. }
                | Vector::MultiplyAdd(_)
                | Vector::MultiplySum(_)
                | Vector::SplatImmediate(_)
        ),
        Op::Vsx(Vsx::Memory(op)) => matches!(op, Memory::Load(_) | Memory::Store(_)),
        Op::Vsx(Vsx::Permute(op)) => {
            matches!(op, Permute::Logic(_) | Permute::Select | Permute::SplatByte | Permute::ReverseBytes { .. })
        }
        Op::Vsx(Vsx::Arithmetic(Arithmetic { shape, .. }) | Vsx::Compare(Compare::Mask(_, shape))) => {
            matches!(shape, Shape::VectorDouble | Shape::VectorSingle)
        }
        _ => false,
    }
}

/// Copies register `n`.
pub fn read(l: &mut Lower, to: Xmm, n: usize) {
    let from = l.vector_operand(n);
    l.asm.v2(vop::MOVUPS_LOAD, to, from);
}

/// Register `n` as an operand.
pub fn vsr(l: &mut Lower, n: usize) -> XmmRm {
    l.vector_operand(n)
}

/// Writes register `n`.
pub fn write(l: &mut Lower, n: usize, from: Xmm) {
    l.vector_written(n, from, false);
}

/// Register `t` = `a` op `b`, by one instruction.
pub fn binary(l: &mut Lower, insn: Insn, t: usize, a: usize, b: usize) {
    let a = l.vector(a, X0);
    let b = l.vector_operand(b);
    let to = l.vector_target(t, X0);
    l.asm.v3(insn, to, a, b);
    write(l, t, to);
}

/// The byte of register `n` at `offset` from the start of its doubleword 0 on, in the state, as the host has it.
pub fn part(l: &mut Lower, n: usize, offset: usize) -> Mem {
    l.vector_in_state(n).at(offset as i32)
}

/// All bits one.
pub fn ones(l: &mut Lower, to: Xmm) {
    l.asm.v3(vop::PCMPEQD, to, to, to);
}

/// All bits zero.
pub fn zero(l: &mut Lower, to: Xmm) {
    l.asm.v3(vop::PXOR, to, to, to);
}

/// All bits inverted; `scratch` is lost.
pub fn invert(l: &mut Lower, value: Xmm, scratch: Xmm) {
    ones(l, scratch);
    l.asm.v3(vop::PXOR, value, value, scratch);
}

/// Both doublewords `value`. RAX is lost.
pub fn splat(l: &mut Lower, to: Xmm, value: u64) {
    match value {
        0 => zero(l, to),
        u64::MAX => ones(l, to),
        _ => {
            l.asm.mov_imm(Reg::Rax, value);
            l.asm.v_from(vop::MOVQ_FROM, to, Reg::Rax);
            l.asm.v3(vop::PUNPCKLQDQ, to, to, to);
        }
    }
}

/// Copies a vector, each byte `i` of it to `i ^ by`.
pub fn exchanged(l: &mut Lower, to: Xmm, from: impl Into<XmmRm>, by: u8) {
    let from = from.into();
    let words = match by {
        0 => return l.asm.v2(vop::MOVUPS_LOAD, to, from),
        4 => 0b10_11_00_01,
        8 => 0b01_00_11_10,
        12 => 0b00_01_10_11,
        _ => {
            let control = constant!(l, exchange, by & 15);
            let from = from.register().unwrap_or_else(|| {
                l.asm.v2(vop::MOVUPS_LOAD, to, from);
                to
            });
            return l.asm.v3(vop::PSHUFB, to, from, control);
        }
    };
    l.asm.v2_imm(vop::PSHUFD, to, from, words);
}

/// Moves each byte `i` to `i ^ by`.
pub fn exchange(l: &mut Lower, value: Xmm, by: u8) {
    if by != 0 {
        exchanged(l, value, value, by);
    }
}

/// Register `t` = `a` `op` `b`.
pub fn logic(l: &mut Lower, op: Logic, t: usize, a: usize, b: usize) {
    let insn = match op {
        Logic::And | Logic::Nand => vop::PAND,
        // The host complements its first operand, the guest the second.
        Logic::Andc => return binary(l, vop::PANDN, t, b, a),
        Logic::Or | Logic::Nor | Logic::Orc => vop::POR,
        Logic::Xor | Logic::Eqv => vop::PXOR,
    };
    if op == Logic::Xor && a == b {
        let to = l.vector_target(t, X0);
        zero(l, to);
        return l.vector_written(t, to, true);
    }
    if op == Logic::Or && a == b {
        let from = l.vector(a, X0);
        return write(l, t, from);
    }
    let table = match op {
        Logic::Nand => 0b0011_1111,
        Logic::Nor => 0b0000_0011,
        Logic::Orc => 0b1111_0011,
        Logic::Eqv => 0b1100_0011,
        _ => 0,
    };
    if l.setting.ternary && table != 0 {
        read(l, X0, a);
        let b = l.vector(b, X1);
        l.asm.v_ternary(X0, b, b, table);
        return write(l, t, X0);
    }
    if op == Logic::Orc {
        read(l, X0, b);
        invert(l, X0, X1);
        let a = vsr(l, a);
        l.asm.v3(insn, X0, X0, a);
        return write(l, t, X0);
    }
    if matches!(op, Logic::And | Logic::Or | Logic::Xor) {
        return binary(l, insn, t, a, b);
    }
    read(l, X0, a);
    if a != b || op == Logic::Eqv {
        let b = vsr(l, b);
        l.asm.v3(insn, X0, X0, b);
    }
    invert(l, X0, X1);
    write(l, t, X0);
}

/// Register `t` = `a` where `c` has zeros, `b` where it has ones.
pub fn select(l: &mut Lower, t: usize, a: usize, b: usize, c: usize) {
    if l.setting.ternary {
        read(l, X0, a);
        let (b, c) = (l.vector(b, X1), l.vector(c, X2));
        l.asm.v_ternary(X0, b, c, 0b1101_1000);
        return write(l, t, X0);
    }
    let c = l.vector(c, X0);
    let (b, a) = (vsr(l, b), vsr(l, a));
    l.asm.v3(vop::PAND, X1, c, b);
    l.asm.v3(vop::PANDN, X2, c, a);
    l.asm.v3(vop::POR, X2, X2, X1);
    write(l, t, X2);
}

/// Register `t` = bytes of `first` and `second` chosen by the bytes of `control`, numbered from the right if `reversed`.
pub fn permute(l: &mut Lower, t: usize, first: usize, second: usize, control: usize, reversed: bool) {
    let (low, place) = (
        constant!(l, low_digits),
        if reversed {
            // From the right, and exchanged within a doubleword.
            constant!(l, eights)
        } else {
            constant!(l, sevens)
        },
    );
    let control = l.vector(control, X3);
    l.asm.v3(vop::PAND, X2, control, low);
    l.asm.v3(vop::PXOR, X2, X2, place);
    let from = l.vector(first, X0);
    l.asm.v3(vop::PSHUFB, X0, from, X2);
    let from = l.vector(second, X1);
    l.asm.v3(vop::PSHUFB, X1, from, X2);
    // The bit that chooses the register becomes the first one of its byte.
    l.asm.v_shift(vop::PSLLW, X3, control, 3);
    if reversed {
        l.asm.v3_imm(vop::PBLENDVB, X0, X1, X0, 3 << 4);
    } else {
        l.asm.v3_imm(vop::PBLENDVB, X0, X0, X1, 3 << 4);
    }
    write(l, t, X0);
}

/// Register `t` = sixteen bytes of `a` and `b` from byte `from` on.
pub fn shift_double(l: &mut Lower, t: usize, a: usize, b: usize, from: u8) {
    let (first, second) = (vsr(l, a), vsr(l, b));
    if from == 8 {
        read(l, X0, a);
        l.asm.v3_imm(vop::SHUFPD, X0, X0, second, 0b01);
    } else {
        l.asm.v2_imm(vop::PSHUFD, X0, first, 0b01_00_11_10);
        l.asm.v2_imm(vop::PSHUFD, X1, second, 0b01_00_11_10);
        l.asm.v3_imm(vop::PALIGNR, X0, X0, X1, 16 - from);
        exchange(l, X0, 8);
    }
    write(l, t, X0);
}

/// Register `t` = words of one doubleword of `a` and `b` by turns, or elements of other sizes as `insn` interleaves them.
pub fn interleave(l: &mut Lower, insn: Insn, t: usize, a: usize, b: usize) {
    let b = l.vector(b, X0);
    let a = vsr(l, a);
    l.asm.v3(insn, X0, b, a);
    exchange(l, X0, 8);
    write(l, t, X0);
}

/// Register `t` = word `word` of `b` in every place.
pub fn splat_word(l: &mut Lower, t: usize, b: usize, word: usize) {
    const ALL: u8 = 0b01_01_01_01;
    let b = vsr(l, b);
    let to = l.vector_target(t, X0);
    l.asm.v2_imm(vop::PSHUFD, to, b, ALL * (word ^ 1) as u8);
    write(l, t, to);
}

/// Register `t` = the `bytes` bytes of `b` from byte `from` on, at the right end of doubleword 0. `None` if they are not
/// in one doubleword.
pub fn extract(l: &mut Lower, t: usize, b: usize, from: usize, bytes: usize) -> Option<()> {
    let offset = (from & 8) + 8usize.checked_sub((from & 7) + bytes)?;
    let at = part(l, b, offset);
    match bytes {
        1 => l.asm.insn(crate::asm::op::MOVZX8, Reg::Rax, at),
        2 => l.asm.insn(crate::asm::op::MOVZX16, Reg::Rax, at),
        4 => l.asm.mov(Size::D, Reg::Rax, at),
        _ => l.asm.mov(Size::Q, Reg::Rax, at),
    }
    l.asm.v_from(vop::MOVQ_FROM, X0, Reg::Rax);
    write(l, t, X0);
    Some(())
}

/// Register `t` with the low bytes of `value` from byte `from` on. `None` if that is not where an element is.
pub fn insert(l: &mut Lower, t: usize, value: Rm, from: usize, bytes: usize) -> Option<()> {
    if !from.is_multiple_of(bytes) {
        return None;
    }
    let element = ((from / bytes) ^ (8 / bytes - 1)) as u8;
    let insn = match bytes {
        1 => vop::PINSRB,
        2 => vop::PINSRW,
        4 => vop::PINSRD,
        _ => vop::PINSRQ,
    };
    read(l, X0, t);
    l.asm.v_insert(insn, X0, X0, value, element);
    write(l, t, X0);
    Some(())
}

/// Sets CR field 6 from a mask: all of it is ones, all of it is zeros. RAX and RCX are lost.
pub fn compared(l: &mut Lower, mask: Xmm, scratch: Xmm) {
    ones(l, scratch);
    let asm = &mut l.asm;
    asm.v2(vop::PTEST, mask, scratch);
    asm.set(Cond::B, Reg::Rax);
    asm.set(Cond::E, Reg::Rcx);
    asm.insn(crate::asm::op::MOVZX8, Reg::Rax, Reg::Rax);
    asm.insn(crate::asm::op::MOVZX8, Reg::Rcx, Reg::Rcx);
    asm.lea(Size::D, Reg::Rax, Mem::Index(Reg::Rcx, Reg::Rax, 4, 0));
    asm.alu(crate::asm::Alu::Add, Size::D, Reg::Rax, Reg::Rax);
    asm.store(Size::B, cr(6), Reg::Rax);
}
