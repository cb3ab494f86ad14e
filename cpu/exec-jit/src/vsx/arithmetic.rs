//! Floating-point arithmetic and comparisons of vectors.
//!
//! The fast path computes with the host's arithmetic, which rounds as Power's does. It is for modes in which results are
//! rounded to nearest and no exception is enabled; and kept if all results are numbers well inside the range of normal
//! ones, because then the operation raised nothing but XX, whatever its operands were. Vectors do not report on their
//! results otherwise. All else is left to the interpreter before anything is written.

use exec_interp::fields::{xa, xb, xt};
use ppc_isa::op::Op;
use ppc_isa::vsx::Vsx;
use ppc_isa::vsx::arithmetic::{Arithmetic, Fused, Nan, Operation, Shape};
use ppc_isa::vsx::compare::{Compare, Relation};

use crate::asm::{Alu, Cond, Insn, Label, Reg, Size, XmmRm, vop::*};
use crate::float;
use crate::lower::Lower;
use crate::vsr::{self, X0, X1, X2, X3, X5, constant, read, vsr, write};

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
        Operation::Add => rounded(l, pick(ADDPS, ADDPD), format, op.operation, w),
        Operation::Sub => rounded(l, pick(SUBPS, SUBPD), format, op.operation, w),
        Operation::Mul => rounded(l, pick(MULPS, MULPD), format, op.operation, w),
        Operation::Div => rounded(l, pick(DIVPS, DIVPD), format, op.operation, w),
        Operation::Sqrt => rounded(l, pick(SQRTPS, SQRTPD), format, op.operation, w),
        Operation::Maximum(nan) => choose(l, true, nan, format, false, w),
        Operation::Minimum(nan) => choose(l, false, nan, format, false, w),
        Operation::Fused(fused) => multiply_add(l, fused, format, w),
        Operation::Absolute | Operation::NegativeAbsolute | Operation::Negate | Operation::CopySign => {
            signs(l, op.operation, format, false, w);
        }
        _ => return None,
    }
    Some(())
}

/// One number.
fn scalar(l: &mut Lower, op: Arithmetic, w: u32) -> Option<()> {
    match op.operation {
        Operation::Maximum(nan) if !l.setting.exacting => choose(l, true, nan, 1, true, w),
        Operation::Minimum(nan) if !l.setting.exacting => choose(l, false, nan, 1, true, w),
        Operation::Absolute | Operation::NegativeAbsolute | Operation::Negate | Operation::CopySign => {
            signs(l, op.operation, 1, true, w);
        }
        _ => return rounded_scalar(l, op, w),
    }
    Some(())
}

fn rounded_scalar(l: &mut Lower, op: Arithmetic, w: u32) -> Option<()> {
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

/// Results of which some are not clearly right.
#[derive(Clone, Copy)]
pub struct DoubtfulLanes {
    /// Where they are looked at.
    label: Label,
    /// Where it goes on if they are right.
    right: Label,
    /// Where it goes otherwise.
    slow: Label,
    format: usize,
    zeros: Zeros,
}

/// When a result that is zero is exact.
#[derive(Clone, Copy)]
enum Zeros {
    /// Always, and all that is small.
    Always,
    /// If one of these is zero.
    Of(XmmRm, Option<XmmRm>),
    /// It is not worth a look.
    Unknown,
}

/// Writes X0 to XT if all its elements are inside the range of normal numbers, or clearly right, else goes to `slow`. X2
/// and RAX are lost.
fn finish(l: &mut Lower, format: usize, w: u32, slow: Label, zeros: Zeros) {
    let (label, right) = (l.asm.label(), l.asm.label());
    let all = [15, 3][format];
    in_range(l, format);
    l.asm.v_mask([MOVMSKPS, MOVMSKPD][format], Reg::Rax, X2);
    l.asm.alu_imm(Alu::Cmp, Size::D, Reg::Rax, all);
    l.asm.jcc(Cond::Ne, label);
    l.look_at_lanes(DoubtfulLanes { label, right, slow, format, zeros });
    l.asm.bind(right);
    write(l, xt(w), X0);
}

/// X2 = ones where X0 is in the range of normal numbers.
fn in_range(l: &mut Lower, format: usize) {
    let (add, compare) = [(PADDD, PCMPGTD), (PADDQ, PCMPGTQ)][format];
    // Twice the number has no sign any more; the base moves what is out of range to the lowest signed numbers.
    l.asm.v3(add, X2, X0, X0);
    l.asm.v3(add, X2, X2, constant!(l, range_base, format));
    l.asm.v3(compare, X2, X2, constant!(l, range_limit, format));
}

/// The code that looks at results.
pub fn doubtful_lanes(l: &mut Lower, doubtful: DoubtfulLanes) {
    const EQUAL: u8 = 0;
    let DoubtfulLanes { label, right, slow, format, zeros } = doubtful;
    let all = [15, 3][format];
    let (add, greater, mask) = [(PADDD, PCMPGTD, MOVMSKPS), (PADDQ, PCMPGTQ, MOVMSKPD)][format];
    let compare = [CMPPS, CMPPD][format];
    l.asm.bind(label);
    match zeros {
        Zeros::Unknown => return l.asm.jmp(slow),
        Zeros::Always => {
            // Only infinities and NaNs are below what zero becomes.
            let base = constant!(l, range_base, format);
            l.asm.v3(add, X2, X0, X0);
            l.asm.v3(add, X2, X2, base);
            l.asm.v2(MOVDQU_LOAD, X3, base);
            l.asm.v3(greater, X2, X3, X2);
            l.asm.v_mask(mask, Reg::Rax, X2);
            l.asm.test(Size::D, Reg::Rax, Reg::Rax);
            l.asm.jcc(Cond::Ne, slow);
        }
        Zeros::Of(first, second) => {
            // X2 has those that are in range.
            vsr::zero(l, X3);
            l.asm.v3_imm(compare, X5, X3, first, EQUAL);
            if let Some(second) = second {
                l.asm.v3_imm(compare, X3, X3, second, EQUAL);
                l.asm.v3(POR, X5, X5, X3);
                vsr::zero(l, X3);
            }
            l.asm.v3_imm(compare, X3, X3, X0, EQUAL);
            l.asm.v3(PAND, X5, X5, X3);
            l.asm.v3(POR, X2, X2, X5);
            l.asm.v_mask(mask, Reg::Rax, X2);
            l.asm.alu_imm(Alu::Cmp, Size::D, Reg::Rax, all);
            l.asm.jcc(Cond::Ne, slow);
        }
    }
    l.asm.jmp(right);
}

fn rounded(l: &mut Lower, insn: Insn, format: usize, operation: Operation, w: u32) {
    let (a, b) = (l.vector(xa(w), X1), vsr(l, xb(w)));
    let zeros = match operation {
        Operation::Mul => Zeros::Of(a.into(), Some(b)),
        Operation::Div => Zeros::Of(a.into(), None),
        _ => Zeros::Always,
    };
    let (slow, back) = l.slow_decline(false);
    if operation == Operation::Sqrt {
        l.asm.v2(insn, X0, b);
    } else {
        l.asm.v3(insn, X0, a, b);
    }
    finish(l, format, w, slow, zeros);
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
    // The sign of a zero is inverted behind the rounding that chose it.
    finish(l, format, w, slow, if negate { Zeros::Unknown } else { Zeros::Of(a.into(), Some(factor)) });
    l.asm.bind(back);
}

/// The larger or the smaller of two numbers, as long as both are; `scalar` if doubleword 1 becomes zero.
fn choose(l: &mut Lower, larger: bool, nan: Nan, format: usize, scalar: bool, w: u32) {
    const UNORDERED: u8 = 3;
    let (a, b) = (l.vector(xa(w), X0), l.vector(xb(w), X1));
    let (compare, mask) = [(CMPPS, MOVMSKPS), (CMPPD, MOVMSKPD)][format];
    let insn = if larger { [MAXPS, MAXPD] } else { [MINPS, MINPD] }[format];
    let (slow, back) = l.slow_decline(false);
    if scalar {
        l.asm.v2(UCOMISD, a, b);
        l.asm.jcc(Cond::P, slow);
    } else {
        l.asm.v3_imm(compare, X2, a, b, UNORDERED);
        l.asm.v_mask(mask, Reg::Rax, X2);
        l.asm.test(Size::D, Reg::Rax, Reg::Rax);
        l.asm.jcc(Cond::Ne, slow);
    }
    // Of two zeros the host takes the second, as C does; the others go by the sign.
    l.asm.v3(insn, X2, a, b);
    if nan != Nan::C {
        l.asm.v3(insn, X3, b, a);
        l.asm.v3(if larger { PAND } else { POR }, X2, X2, X3);
    }
    if scalar {
        l.asm.v2(MOVQ_LOAD, X2, X2);
    }
    l.vector_written(xt(w), X2, scalar);
    l.asm.bind(back);
}

/// Changes signs; `scalar` if doubleword 1 becomes zero.
fn signs(l: &mut Lower, operation: Operation, format: usize, scalar: bool, w: u32) {
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
    if scalar {
        l.asm.v2(MOVQ_LOAD, X0, X0);
    }
    l.vector_written(xt(w), X0, scalar);
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
