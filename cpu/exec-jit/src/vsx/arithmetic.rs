//! Floating-point arithmetic and comparisons of vectors.
//!
//! The fast path computes with the host's arithmetic, which rounds as Power's does. It is taken while FPSCR says that
//! results are rounded to nearest, no exception is enabled, and XX is set already; and kept if all results are numbers
//! well inside the range of normal ones, because then the operation raised nothing but XX, whatever its operands were.
//! Vectors do not report on their results otherwise. All else is left to the interpreter before anything is written.

use std::mem::offset_of;

use exec::VcpuState;
use exec::fp::fpscr;
use exec_interp::fields::{xa, xb, xt};
use ppc_isa::vsx::arithmetic::{Arithmetic, Fused, Operation, Shape};
use ppc_isa::vsx::compare::{Compare, Relation};

use crate::asm::{Alu, Cond, Insn, Label, Reg, Size, vop::*};
use crate::lower::{Lower, state};
use crate::vsr::{self, X0, X1, X2, constant, read, vsr, write};

const FPSCR: usize = offset_of!(VcpuState, fpscr);

/// Index into the constants by format, for vectors.
fn format(shape: Shape) -> Option<usize> {
    match shape {
        Shape::VectorSingle => Some(0),
        Shape::VectorDouble => Some(1),
        _ => None,
    }
}

/// Translates `op`; `None` if it is left to the interpreter.
pub fn lower(l: &mut Lower, op: Arithmetic, w: u32) -> Option<()> {
    let format = format(op.shape)?;
    let pick = |single: Insn, double: Insn| [single, double][format];
    match op.operation {
        Operation::Add => rounded(l, pick(ADDPS, ADDPD), format, w),
        Operation::Sub => rounded(l, pick(SUBPS, SUBPD), format, w),
        Operation::Mul => rounded(l, pick(MULPS, MULPD), format, w),
        Operation::Div => rounded(l, pick(DIVPS, DIVPD), format, w),
        Operation::Fused(fused) => multiply_add(l, fused, format, w),
        Operation::Absolute | Operation::NegativeAbsolute | Operation::Negate | Operation::CopySign => {
            signs(l, op.operation, format, w);
        }
        _ => return None,
    }
    Some(())
}

/// Goes to `slow` unless FPSCR is as the fast path needs it. RAX is lost.
fn usual(l: &mut Lower, slow: Label) {
    l.asm.mov(Size::D, Reg::Rax, state(FPSCR));
    l.asm.alu_imm(Alu::And, Size::D, Reg::Rax, (fpscr::XX | fpscr::ENABLES | fpscr::NI | fpscr::RN) as i32);
    l.asm.alu_imm(Alu::Cmp, Size::D, Reg::Rax, fpscr::XX as i32);
    l.asm.jcc(Cond::Ne, slow);
}

/// Writes X0 to XT if all its elements are inside the range of normal numbers, else goes to `slow`. X1 and RAX are lost.
fn finish(l: &mut Lower, format: usize, w: u32, slow: Label) {
    let (base, limit) = (constant!(l, range_base, format), constant!(l, range_limit, format));
    let (add, compare, mask, all) = [(PADDD, PCMPGTD, MOVMSKPS, 15), (PADDQ, PCMPGTQ, MOVMSKPD, 3)][format];
    // Twice the number has no sign any more; the base moves what is out of range to the lowest signed numbers.
    l.asm.v3(add, X1, X0, X0);
    l.asm.v3(add, X1, X1, base);
    l.asm.v3(compare, X1, X1, limit);
    l.asm.v_mask(mask, Reg::Rax, X1);
    l.asm.alu_imm(Alu::Cmp, Size::D, Reg::Rax, all);
    l.asm.jcc(Cond::Ne, slow);
    write(l, xt(w), X0);
}

fn rounded(l: &mut Lower, insn: Insn, format: usize, w: u32) {
    let (slow, back) = l.slow_decline(false);
    usual(l, slow);
    read(l, X0, xa(w));
    l.asm.v3(insn, X0, X0, vsr(xb(w)));
    finish(l, format, w, slow);
    l.asm.bind(back);
}

fn multiply_add(l: &mut Lower, fused: Fused, format: usize, w: u32) {
    let Fused { subtract, negate, adds_target } = fused;
    let (factor, addend) = if adds_target { (xb(w), xt(w)) } else { (xt(w), xb(w)) };
    // The host names by the sign of the product.
    let insn = match (subtract, negate) {
        (false, false) => [FMADD213PS, FMADD213PD],
        (true, false) => [FMSUB213PS, FMSUB213PD],
        (false, true) => [FNMSUB213PS, FNMSUB213PD],
        (true, true) => [FNMADD213PS, FNMADD213PD],
    }[format];
    let (slow, back) = l.slow_decline(false);
    usual(l, slow);
    read(l, X0, xa(w));
    read(l, X1, factor);
    l.asm.v3(insn, X0, X1, vsr(addend));
    finish(l, format, w, slow);
    l.asm.bind(back);
}

/// Changes signs.
fn signs(l: &mut Lower, operation: Operation, format: usize, w: u32) {
    l.asm.v2(MOVDQU_LOAD, X0, constant!(l, first_bits, 2 + format));
    match operation {
        Operation::Absolute => l.asm.v3(PANDN, X0, X0, vsr(xb(w))),
        Operation::NegativeAbsolute => l.asm.v3(POR, X0, X0, vsr(xb(w))),
        Operation::Negate => l.asm.v3(PXOR, X0, X0, vsr(xb(w))),
        _ => {
            l.asm.v3(PAND, X1, X0, vsr(xa(w)));
            l.asm.v3(PANDN, X0, X0, vsr(xb(w)));
            l.asm.v3(POR, X0, X0, X1);
        }
    }
    write(l, xt(w), X0);
}

/// Masks by a comparison, as long as no operand is a NaN and no exception is enabled.
pub fn compare(l: &mut Lower, op: Compare, w: u32) -> Option<()> {
    const LESS: u8 = 1;
    const LESS_EQUAL: u8 = 2;
    const UNORDERED: u8 = 3;
    let Compare::Mask(relation, shape) = op else { return None };
    let format = format(shape)?;
    let (insn, mask) = [(CMPPS, MOVMSKPS), (CMPPD, MOVMSKPD)][format];
    let (slow, back) = l.slow_decline(false);
    l.asm.test_imm(Size::D, state(FPSCR), (fpscr::ENABLES | fpscr::FEX) as i32);
    l.asm.jcc(Cond::Ne, slow);
    read(l, X0, xa(w));
    read(l, X1, xb(w));
    l.asm.v3_imm(insn, X2, X0, X1, UNORDERED);
    l.asm.v_mask(mask, Reg::Rax, X2);
    l.asm.test(Size::D, Reg::Rax, Reg::Rax);
    l.asm.jcc(Cond::Ne, slow);
    match relation {
        Relation::Equal => l.asm.v3_imm(insn, X0, X0, X1, 0),
        Relation::Greater => l.asm.v3_imm(insn, X0, X1, X0, LESS),
        Relation::GreaterEqual => l.asm.v3_imm(insn, X0, X1, X0, LESS_EQUAL),
    }
    write(l, xt(w), X0);
    if w & 0x400 != 0 {
        vsr::compared(l, X0, X1);
    }
    l.asm.bind(back);
    Some(())
}
