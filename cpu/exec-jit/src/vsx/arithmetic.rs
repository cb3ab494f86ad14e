//! Floating-point arithmetic and comparisons of vectors.
//!
//! The fast path computes with the host's arithmetic, which rounds as Power's does. It is for modes in which results are
//! rounded to nearest and no exception is enabled; and kept if all results are numbers well inside the range of normal
//! ones, because then the operation raised nothing but XX, whatever its operands were. Vectors do not report on their
//! results otherwise. All else is left to the interpreter before anything is written.

use exec_interp::fields::{xa, xb, xt};
use ppc_isa::op::Op;
use ppc_isa::vsx::Vsx;
use ppc_isa::vsx::arithmetic::{Arithmetic, Fused, Operation, Shape};
use ppc_isa::vsx::compare::{Compare, Relation};

use crate::asm::{Alu, Cond, Insn, Label, Reg, Size, vop::*};
use crate::float;
use crate::lower::Lower;
use crate::vsr::{self, X0, X1, X2, constant, read, vsr, write};

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
    let Some(format) = format(op.shape) else { return scalar(l, op, w) };
    // Code rests on it that nothing is enabled.
    if l.setting.exacting
        && !matches!(
            op.operation,
            Operation::Absolute | Operation::NegativeAbsolute | Operation::Negate | Operation::CopySign
        )
    {
        return None;
    }
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

/// One number.
fn scalar(l: &mut Lower, op: Arithmetic, w: u32) -> Option<()> {
    let (t, a, b) = (xt(w), xa(w), xb(w));
    let [b, c] = match op.operation {
        Operation::Mul => [a, b],
        Operation::Fused(Fused { adds_target: true, .. }) => [t, b],
        Operation::Fused(Fused { adds_target: false, .. }) => [b, t],
        _ => [b, b],
    };
    float::lower_scalar(l, Op::Vsx(Vsx::Arithmetic(op)), t, [a, b, c])
}

/// Whether FPSCR shows the result of an instruction.
pub fn reports(op: Arithmetic) -> bool {
    use Operation::{Absolute, CopySign, Maximum, Minimum, Negate, NegativeAbsolute};
    let scalar = matches!(op.shape, Shape::ScalarDouble | Shape::ScalarSingle);
    let silent = matches!(op.operation, Absolute | CopySign | Maximum(_) | Minimum(_) | Negate | NegativeAbsolute);
    scalar && !silent
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
    let (a, b) = (l.vector(xa(w), X1), vsr(l, xb(w)));
    let (slow, back) = l.slow_decline(false);
    l.asm.v3(insn, X0, a, b);
    finish(l, format, w, slow);
    l.asm.bind(back);
}

fn multiply_add(l: &mut Lower, fused: Fused, format: usize, w: u32) {
    let Fused { subtract, negate, adds_target } = fused;
    let (factor, addend) = if adds_target { (xb(w), xt(w)) } else { (xt(w), xb(w)) };
    // The host names by the sign of the product.
    let insn = match (subtract, negate) {
        (false, false) => [FMADD231PS, FMADD231PD],
        (true, false) => [FMSUB231PS, FMSUB231PD],
        (false, true) => [FNMSUB231PS, FNMSUB231PD],
        (true, true) => [FNMADD231PS, FNMADD231PD],
    }[format];
    let (a, factor) = (l.vector(xa(w), X1), vsr(l, factor));
    read(l, X0, addend);
    let (slow, back) = l.slow_decline(false);
    l.asm.v3(insn, X0, a, factor);
    finish(l, format, w, slow);
    l.asm.bind(back);
}

/// Changes signs.
fn signs(l: &mut Lower, operation: Operation, format: usize, w: u32) {
    l.asm.v2(MOVDQU_LOAD, X0, constant!(l, first_bits, 2 + format));
    let b = vsr(l, xb(w));
    match operation {
        Operation::Absolute => l.asm.v3(PANDN, X0, X0, b),
        Operation::NegativeAbsolute => l.asm.v3(POR, X0, X0, b),
        Operation::Negate => l.asm.v3(PXOR, X0, X0, b),
        _ => {
            let a = vsr(l, xa(w));
            l.asm.v3(PAND, X1, X0, a);
            l.asm.v3(PANDN, X0, X0, b);
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
    if let Compare::Order { .. } = op {
        return float::compare(l, w >> 23 & 7, xa(w), xb(w));
    }
    let Compare::Mask(relation, shape) = op else { return None };
    let format = format(shape).filter(|_| !l.setting.exacting)?;
    let (insn, mask) = [(CMPPS, MOVMSKPS), (CMPPD, MOVMSKPD)][format];
    let (a, b) = (l.vector(xa(w), X0), l.vector(xb(w), X1));
    let (slow, back) = l.slow_decline(false);
    l.asm.v3_imm(insn, X2, a, b, UNORDERED);
    l.asm.v_mask(mask, Reg::Rax, X2);
    l.asm.test(Size::D, Reg::Rax, Reg::Rax);
    l.asm.jcc(Cond::Ne, slow);
    match relation {
        Relation::Equal => l.asm.v3_imm(insn, X0, a, b, 0),
        Relation::Greater => l.asm.v3_imm(insn, X0, b, a, LESS),
        Relation::GreaterEqual => l.asm.v3_imm(insn, X0, b, a, LESS_EQUAL),
    }
    write(l, xt(w), X0);
    if w & 0x400 != 0 {
        vsr::compared(l, X0, X1);
    }
    l.asm.bind(back);
    Some(())
}
