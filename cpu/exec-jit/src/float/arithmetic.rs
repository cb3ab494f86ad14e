//! Scalar arithmetic of FPRs and vector-scalar registers.

use exec::fp::{Context, DOUBLE, Float as Number, Integer, Outcome, Rounding, SINGLE};
use ppc_isa::float::{Arithmetic, Direction, Float};
use ppc_isa::op::Op;
use ppc_isa::vsx::Vsx;
use ppc_isa::vsx::arithmetic::{Arithmetic as Vector, Fused, Operation as Of, Rounding as Round, Shape};
use ppc_isa::vsx::convert::{Convert, Number as Format};

use crate::asm::{Alu, Asm, Cond, Insn, Label, Reg, Shift, Size, Xmm, vop};
use crate::lower::Lower;
use crate::vsr::{X0, X1, X2, X3, X5, constant};

const A: Xmm = X0;
const B: Xmm = X1;
const C: Xmm = X2;
/// The result as a single.
const SHORT: Xmm = X5;

/// What is computed of a, b and c.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// a + b.
    Add,
    /// a - b.
    Subtract,
    /// a x c.
    Multiply,
    /// a / b.
    Divide,
    /// The square root of b.
    SquareRoot,
    /// (a x c) +/- b, perhaps negated.
    Fused { subtract: bool, negate: bool },
    /// b.
    Round,
    /// b to an integral value; what `FPSCR[RN]` says if there is no mode.
    ToIntegral(Option<Rounding>),
    /// The integer b.
    FromInteger { signed: bool },
}

/// The operation of an instruction, and whether it rounds to single.
fn operation(op: Op) -> Option<(Operation, bool)> {
    Some(match op {
        Op::Float(Float::Arithmetic { operation, single }) => {
            let operation = match operation {
                Arithmetic::Add => Operation::Add,
                Arithmetic::Subtract => Operation::Subtract,
                Arithmetic::Multiply => Operation::Multiply,
                Arithmetic::Divide => Operation::Divide,
                Arithmetic::SquareRoot => Operation::SquareRoot,
                Arithmetic::Reciprocal | Arithmetic::ReciprocalSquareRoot => return None,
            };
            (operation, single)
        }
        Op::Float(Float::MultiplyAdd { subtract, negate, single }) => (Operation::Fused { subtract, negate }, single),
        Op::Float(Float::RoundToSingle) => (Operation::Round, true),
        Op::Float(Float::RoundToIntegral(direction)) => {
            let rounding = match direction {
                Direction::Nearest => return None,
                Direction::Zero => Rounding::TowardZero,
                Direction::Plus => Rounding::Up,
                Direction::Minus => Rounding::Down,
            };
            (Operation::ToIntegral(Some(rounding)), false)
        }
        Op::Float(Float::FromInteger { signed, single }) => (Operation::FromInteger { signed }, single),
        Op::Vsx(Vsx::Arithmetic(Vector { operation, shape })) => {
            let operation = match operation {
                Of::Add => Operation::Add,
                Of::Sub => Operation::Subtract,
                Of::Mul => Operation::Multiply,
                Of::Div => Operation::Divide,
                Of::Sqrt => Operation::SquareRoot,
                Of::Fused(Fused { subtract, negate, .. }) => Operation::Fused { subtract, negate },
                Of::RoundToInteger(Round::Down) => Operation::ToIntegral(Some(Rounding::Down)),
                Of::RoundToInteger(Round::Up) => Operation::ToIntegral(Some(Rounding::Up)),
                Of::RoundToInteger(Round::Zero) => Operation::ToIntegral(Some(Rounding::TowardZero)),
                _ => return None,
            };
            match shape {
                Shape::ScalarDouble => (operation, false),
                Shape::ScalarSingle => (operation, true),
                _ => return None,
            }
        }
        Op::Vsx(Vsx::Convert(Convert::Scalar(from, to))) => match (from, to) {
            (Format::Double, Format::SingleAsDouble) => (Operation::Round, true),
            (Format::SignedDouble, Format::Double) => (Operation::FromInteger { signed: true }, false),
            (Format::SignedDouble, Format::SingleAsDouble) => (Operation::FromInteger { signed: true }, true),
            (Format::UnsignedDouble, Format::Double) => (Operation::FromInteger { signed: false }, false),
            (Format::UnsignedDouble, Format::SingleAsDouble) => (Operation::FromInteger { signed: false }, true),
            _ => return None,
        },
        _ => return None,
    })
}

/// The outcome of an operation in a mode in which nothing is enabled and results are rounded to nearest, from the bits of
/// its operands.
pub fn outcome(op: Op, bits: [u64; 3]) -> Option<Outcome> {
    let (operation, single) = operation(op)?;
    let x = Context::scalar(if single { SINGLE } else { DOUBLE }, 0);
    let [a, b, c] = bits.map(Number::of_double);
    Some(match operation {
        Operation::Add => x.add(a, b),
        Operation::Subtract => x.sub(a, b),
        Operation::Multiply => x.mul(a, c),
        Operation::Divide => x.div(a, b),
        Operation::SquareRoot => x.sqrt(b),
        Operation::Fused { subtract, negate } => {
            let outcome = if subtract { x.multiply_sub(a, c, b) } else { x.multiply_add(a, c, b) };
            if negate { outcome.negated(x.format) } else { outcome }
        }
        Operation::Round => x.round(b),
        Operation::ToIntegral(rounding) => {
            x.with_rounding(rounding.unwrap_or(x.rounding)).round_to_integral(b, rounding.is_none())
        }
        Operation::FromInteger { signed } => x.round(Integer { bits: 64, signed }.value(bits[1].into())),
    })
}

/// A result that is zero, not normal, infinite, not a number, or almost; or a single that may have been rounded twice.
#[derive(Clone, Copy)]
pub struct Doubtful {
    /// Where it is looked at.
    label: Label,
    /// Where a single is that lies in the middle between two others before it is rounded.
    middle: Option<(Label, Label)>,
    /// Where it goes on if the result is right.
    right: Label,
    /// Where it goes otherwise.
    slow: Label,
    operation: Operation,
    single: bool,
    result: Xmm,
    operands: [Option<Xmm>; 3],
}

/// Translates arithmetic of scalars, `op`, with its target and its operands a, b and c; `None` if it is left to the
/// interpreter.
pub fn lower_scalar(l: &mut Lower, op: Op, t: usize, [a, b, c]: [usize; 3]) -> Option<()> {
    let (operation, single) = operation(op)?;
    if l.setting.exacting {
        return None;
    }
    let operands = match operation {
        Operation::Add | Operation::Subtract | Operation::Divide => [Some(a), Some(b), None],
        Operation::Multiply => [Some(a), None, Some(c)],
        Operation::Fused { .. } => [Some(a), Some(b), Some(c)],
        _ => [None, Some(b), None],
    };
    let kept = l.keep_operands(t, operands);
    // A new value is not computed where an operand is.
    let target = if operands.contains(&Some(t)) { X3 } else { l.vector_target(t, X3) };
    let mut values = [None; 3];
    for ((value, operand), scratch) in values.iter_mut().zip(operands).zip([A, B, C]) {
        *value = operand.map(|n| l.scalar(n, scratch));
    }
    let (slow, done) = l.slow_decline(false);
    let clean = |l: &Lower, operand: Option<usize>| operand.is_some_and(|n| l.is_clean(n));
    let [va, vb, vc] = values.map(|value| value.unwrap_or(X0));
    let two = |l: &mut Lower, insn: Insn, (x, vx): (Option<usize>, Xmm), (y, vy): (Option<usize>, Xmm), swaps: bool| {
        let (first, second, of) = if swaps && !clean(l, x) && clean(l, y) { (vy, vx, y) } else { (vx, vy, x) };
        l.asm.v3(insn, target, first, second);
        clean(l, of)
    };
    let (a, b, c) = ((operands[0], va), (operands[1], vb), (operands[2], vc));
    let is_clean = match operation {
        Operation::Add => two(l, vop::ADDSD, a, b, true),
        Operation::Subtract => two(l, vop::SUBSD, a, b, false),
        Operation::Multiply => two(l, vop::MULSD, a, c, true),
        Operation::Divide => two(l, vop::DIVSD, a, b, false),
        Operation::SquareRoot => two(l, vop::SQRTSD, b, b, false),
        Operation::Fused { subtract, negate } => {
            // The host names by the sign of the product.
            let fused = match (subtract, negate) {
                (false, false) => vop::FMADD231SD,
                (true, false) => vop::FMSUB231SD,
                (false, true) => vop::FNMSUB231SD,
                (true, true) => vop::FNMADD231SD,
            };
            let insn = if clean(l, operands[1]) { vop::MOVUPS_LOAD } else { vop::MOVQ_LOAD };
            l.asm.v2(insn, target, vb);
            l.asm.v3(fused, target, va, vc);
            true
        }
        Operation::Round => {
            let insn = if clean(l, operands[1]) { vop::MOVUPS_LOAD } else { vop::MOVQ_LOAD };
            l.asm.v2(insn, target, vb);
            true
        }
        Operation::ToIntegral(rounding) => {
            // Nothing is said about inexact results.
            const SILENT: u8 = 8;
            let mode = match rounding? {
                Rounding::Down => 1,
                Rounding::Up => 2,
                Rounding::TowardZero => 3,
                _ => return None,
            };
            l.asm.v3_imm(vop::ROUNDSD, target, vb, vb, SILENT | mode);
            clean(l, operands[1])
        }
        Operation::FromInteger { signed } => {
            l.asm.v_to(vop::MOVQ_TO, Reg::Rax, vb);
            if !signed {
                l.asm.test(Size::Q, Reg::Rax, Reg::Rax);
                l.asm.jcc(Cond::S, slow);
            }
            l.asm.v3(vop::PXOR, target, target, target);
            l.asm.v_convert(if single { vop::CVTSI2SS } else { vop::CVTSI2SD }, target, target, Reg::Rax);
            if single {
                l.asm.v3(vop::CVTSS2SD, target, target, target);
            }
            true
        }
    };
    if !matches!(operation, Operation::FromInteger { .. }) {
        let (label, right) = (l.asm.label(), l.asm.label());
        let middle = (single && operation != Operation::Round).then(|| (l.asm.label(), l.asm.label()));
        let doubtful = Doubtful { label, middle, right, slow, operation, single, result: target, operands: values };
        judge(l, doubtful);
        l.look_at(doubtful);
        if single {
            l.asm.v3(vop::CVTSS2SD, target, SHORT, SHORT);
        }
    }
    if !is_clean {
        l.asm.v2(vop::MOVQ_LOAD, target, target);
    }
    l.vector_written(t, target, true);
    l.reported(kept);
    l.asm.bind(done);
    Some(())
}

/// What of a double is behind the last bit of a single.
const BELOW: i32 = (1 << 29) - 1;

/// A conversion to an integer.
struct ToInteger {
    to: Integer,
    truncate: bool,
    /// A word is in both halves of the doubleword.
    twice: bool,
}

impl ToInteger {
    fn of(op: Op) -> Option<ToInteger> {
        let (bits, signed, truncate, twice) = match op {
            Op::Float(Float::ToInteger { double, signed, truncate }) => {
                (if double { 64 } else { 32 }, signed, truncate, false)
            }
            Op::Vsx(Vsx::Convert(Convert::Scalar(Format::Double, to))) => match to {
                Format::SignedWord => (32, true, true, true),
                Format::SignedDouble => (64, true, true, false),
                _ => return None,
            },
            _ => return None,
        };
        signed.then_some(ToInteger { to: Integer { bits, signed }, truncate, twice })
    }
}

/// FPSCR bits that a conversion to an integer raises, from the bits of its operand.
pub fn conversion(op: Op, bits: u64) -> Option<u64> {
    let ToInteger { to, truncate, .. } = ToInteger::of(op)?;
    let rounding = if truncate { Rounding::TowardZero } else { Rounding::NearestEven };
    Some(to.from_float(Number::of_double(bits), rounding).1)
}

/// Translates a conversion of doubleword 0 of register `b` to an integer in `t`; `None` if it is left to the interpreter.
pub fn lower_conversion(l: &mut Lower, op: Op, t: usize, b: usize) -> Option<()> {
    let ToInteger { to, truncate, twice } = ToInteger::of(op)?;
    // What is left of a word is another thing on processors of 32 bits.
    if l.setting.exacting || !l.setting.wide {
        return None;
    }
    let kept = l.keep_converted(t, b);
    let from = l.scalar(b, X0);
    let target = l.vector_target(t, X1);
    let (slow, done) = l.slow_decline(false);
    // What is too large is invalid, and not inexact, if the host converts to the same width.
    let (size, insns) = match to.bits {
        64 => (Size::Q, [vop::CVTSD2SI64, vop::CVTTSD2SI64]),
        _ => (Size::D, [vop::CVTSD2SI32, vop::CVTTSD2SI32]),
    };
    l.asm.v_mask(insns[usize::from(truncate)], Reg::Rax, from);
    // What has no integer becomes the least one.
    l.asm.alu_imm(Alu::Cmp, size, Reg::Rax, 1);
    l.asm.jcc(Cond::O, slow);
    if to.bits == 32 && !twice {
        l.asm.movsxd(Reg::Rax, Reg::Rax);
    }
    if twice {
        l.asm.v_from(vop::MOVD_FROM, target, Reg::Rax);
        l.asm.v3(vop::PUNPCKLDQ, target, target, target);
    } else {
        l.asm.v_from(vop::MOVQ_FROM, target, Reg::Rax);
    }
    l.vector_written(t, target, true);
    l.reported_conversion(kept);
    l.asm.bind(done);
    Some(())
}

/// Goes to where results are looked at unless the result is clearly right. The single is in SHORT.
///
/// That a single was rounded to a double before makes a difference only if it came to lie in the middle between two
/// singles; and none even then if the operands of an operation that is not fused are singles, because the precision of a
/// double is more than twice that of a single and two (Figueroa, "When is double rounding innocuous?", 1995).
fn judge(l: &mut Lower, doubtful: Doubtful) {
    const MIDDLE: i32 = 1 << 28;
    let Doubtful { label, middle, right, result, single, .. } = doubtful;
    if let Some((middle, fine)) = middle {
        l.asm.v_to(vop::MOVD_TO, Reg::Rax, result);
        l.asm.alu_imm(Alu::And, Size::D, Reg::Rax, BELOW);
        l.asm.alu_imm(Alu::Cmp, Size::D, Reg::Rax, MIDDLE);
        l.asm.jcc(Cond::E, middle);
        l.asm.bind(fine);
    }
    let mask = constant!(l, exponents, u8::from(!single));
    if single {
        l.asm.v3(vop::CVTSD2SS, SHORT, result, result);
        l.asm.v2(vop::PTEST, SHORT, mask);
    } else {
        l.asm.v2(vop::PTEST, result, mask);
    }
    // All of these bits are zero, or one.
    l.asm.jcc(Cond::Be, label);
    l.asm.bind(right);
}

/// The code that looks at a result.
pub fn doubtful(l: &mut Lower, doubtful: Doubtful) {
    let Doubtful { label, middle, right, slow, operation, single, result, operands: [a, b, c] } = doubtful;
    let asm = &mut l.asm;
    let zero = |asm: &mut Asm, value: Option<Xmm>, cond: Cond, to: Label| {
        if let Some(value) = value {
            asm.v_to(vop::MOVQ_TO, Reg::Rcx, value);
            asm.alu(Alu::Add, Size::Q, Reg::Rcx, Reg::Rcx);
            asm.jcc(cond, to);
        }
    };
    let exponent = |asm: &mut Asm, value: Xmm| {
        asm.v_to(vop::MOVQ_TO, Reg::Rax, value);
        asm.shift_imm(Shift::Shr, Size::Q, Reg::Rax, 52);
        asm.alu_imm(Alu::And, Size::D, Reg::Rax, 0x7ff);
    };
    asm.bind(label);
    let largest = if single {
        asm.v_to(vop::MOVD_TO, Reg::Rax, SHORT);
        asm.shift_imm(Shift::Shr, Size::D, Reg::Rax, 23);
        asm.alu_imm(Alu::And, Size::D, Reg::Rax, 0xff);
        0xff
    } else {
        exponent(asm, result);
        0x7ff
    };
    asm.alu_imm(Alu::Cmp, Size::D, Reg::Rax, largest);
    asm.jcc(Cond::E, slow);
    // Sums of doubles are exact where they are small, and roots and integral values are not small.
    let exact = matches!(operation, Operation::Add | Operation::Subtract)
        || matches!(operation, Operation::SquareRoot | Operation::ToIntegral(_));
    if single || !exact {
        asm.alu_imm(Alu::Cmp, Size::D, Reg::Rax, 2);
        asm.jcc(Cond::Ae, right);
        // What is tiny may have lost something. A zero is exact if that is clear from the operands.
        zero(asm, Some(result), Cond::Ne, slow);
    }
    match operation {
        Operation::Multiply => {
            zero(asm, a, Cond::E, right);
            zero(asm, c, Cond::E, right);
        }
        Operation::Divide => zero(asm, a, Cond::E, right),
        // The sign of a zero is inverted behind the rounding that chose it.
        Operation::Fused { negate: true, .. } => {}
        Operation::Fused { negate: false, .. } => {
            zero(asm, a, Cond::E, right);
            zero(asm, c, Cond::E, right);
            if let Some(b) = b {
                // The last bit of the product is 2^-106 of it at the least: it cancelled out exactly.
                exponent(asm, b);
                asm.alu_imm(Alu::Cmp, Size::D, Reg::Rax, 256);
                asm.jcc(Cond::Ae, right);
            }
        }
        _ => asm.jmp(right),
    }
    asm.jmp(slow);
    let Some((middle, fine)) = middle else { return };
    asm.bind(middle);
    if let Operation::Fused { .. } = operation {
        return asm.jmp(slow);
    }
    for value in [a, b, c].into_iter().flatten() {
        asm.v_to(vop::MOVD_TO, Reg::Rax, value);
        asm.test_imm(Size::D, Reg::Rax, BELOW);
        asm.jcc(Cond::Ne, slow);
    }
    asm.jmp(fine);
}
