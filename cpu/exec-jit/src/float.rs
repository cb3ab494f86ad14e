//! Scalar floating point: FPRs stay in the state, every XMM register is for the instruction at hand.
//!
//! The fast path computes with the host's arithmetic, which rounds as Power's does. It is taken while FPSCR says that
//! results are rounded to nearest, no exception is enabled, and XX is set already; and kept if the result is a number well
//! inside the range of normal numbers of its format, because then the operation raised nothing but XX, whatever its
//! operands were. All else is left to the interpreter's handler before anything is written.
//!
//! FR, FI and FPRF are made when somebody looks at FPSCR, from the operands of the last operation, which code notes.

use std::mem::offset_of;

use exec::VcpuState;
use exec::fp::{Context, DOUBLE, Float as Number, Outcome, SINGLE, fpscr};
use exec_interp::fields::{ra as fra, rb as frb, rc as frc, rt as frt};
use ppc_isa::float::{Arithmetic, Float, Move};
use ppc_isa::loadstore::Form;
use ppc_isa::op::Op;

use crate::asm::{Alu, Cond, Label, Mem, Reg, Shift, Size, Xmm, op, vop};
use crate::host::{Data, Frame, Status};
use crate::lower::{Access, Lower, Value, state};
use crate::{loadstore, plan};

const A: Xmm = Xmm::of(0);
const B: Xmm = Xmm::of(1);
const C: Xmm = Xmm::of(2);
const RESULT: Xmm = Xmm::of(3);
/// The result as a single.
const SHORT: Xmm = Xmm::of(4);

fn fpr(n: usize) -> Mem {
    state(offset_of!(VcpuState, vsr) + 16 * n)
}

const FPSCR: usize = offset_of!(VcpuState, fpscr);

/// Translates `op`; `None` if it is left to the interpreter.
pub fn lower(l: &mut Lower, op: Float, w: u32) -> Option<()> {
    match op {
        Float::Load(access) => {
            let kind = if access.single { Kind::Single } else { Kind::Double };
            load(l, kind, form(access.indexed), access.update, w);
        }
        Float::LoadWord { signed } => load(l, Kind::Word { signed }, Form::X, false, w),
        Float::Store(access) => {
            let kind = if access.single { Kind::Single } else { Kind::Double };
            store(l, kind, form(access.indexed), access.update, w);
        }
        Float::StoreWord => store(l, Kind::Word { signed: false }, Form::X, false, w),
        Float::Move(change) => copy(l, change, w),
        Float::CopySign => copy_sign(l, w),
        Float::Select => select(l, w),
        Float::Compare { .. } => compare(l, w),
        Float::Arithmetic { .. } | Float::MultiplyAdd { .. } | Float::RoundToSingle => return arithmetic(l, op, w),
        _ => return None,
    }
    Some(())
}

fn form(indexed: bool) -> Form {
    if indexed { Form::X } else { Form::D }
}

/// What is in memory.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Double,
    Single,
    Word { signed: bool },
}

impl Kind {
    fn bytes(self) -> u8 {
        if self == Kind::Double { 8 } else { 4 }
    }
}

fn load(l: &mut Lower, kind: Kind, form: Form, updates: bool, w: u32) {
    let bytes = kind.bytes();
    let signed = kind == Kind::Word { signed: true };
    loadstore::address(l, form, updates, w);
    let (slow, done) = l.slow_decline(false);
    let (value, to) = (Value::Float(frt(w)), Reg::Rax);
    let access = Access { bytes, value, to, signed, reversed: false, stores: false, misaligned: Some(slow) };
    let (missed, back) = l.slow_access(access);
    // Some models interrupt where it is not aligned.
    loadstore::translate_aligned(l, bytes, false, missed);
    loadstore::fetch(l, bytes, signed, !l.setting.little, to);
    l.asm.bind(back);
    if kind == Kind::Single {
        // The host would make a signalling NaN quiet.
        l.asm.v_from(vop::MOVD_FROM, RESULT, to);
        l.asm.v2(vop::UCOMISS, RESULT, RESULT);
        l.asm.jcc(Cond::P, slow);
        l.asm.v3(vop::CVTSS2SD, RESULT, RESULT, RESULT);
    } else {
        l.asm.v_from(vop::MOVQ_FROM, RESULT, to);
    }
    l.asm.v_store(vop::MOVUPS_STORE, fpr(frt(w)), RESULT);
    if updates {
        loadstore::update(l, form, w);
    }
    l.asm.bind(done);
}

fn store(l: &mut Lower, kind: Kind, form: Form, updates: bool, w: u32) {
    let bytes = kind.bytes();
    loadstore::address(l, form, updates, w);
    let (slow, done) = l.slow_decline(false);
    if kind == Kind::Single {
        // Zero, and what is not too small to be a normal single, is a choice of bits. What is 0 becomes large.
        l.asm.mov(Size::Q, Reg::Rcx, fpr(frt(w)));
        l.asm.lea(Size::Q, Reg::Rcx, Mem::Index(Reg::Rcx, Reg::Rcx, 1, -1));
        l.asm.shift_imm(Shift::Shr, Size::Q, Reg::Rcx, 53);
        l.asm.alu_imm(Alu::Cmp, Size::D, Reg::Rcx, 897);
        l.asm.jcc(Cond::B, slow);
    }
    let value = if kind == Kind::Single { Value::Single(frt(w)) } else { Value::Float(frt(w)) };
    let to = Reg::Rcx;
    let access = Access { bytes, value, to, signed: false, reversed: false, stores: true, misaligned: Some(slow) };
    let (missed, back) = l.slow_access(access);
    loadstore::translate_aligned(l, bytes, true, missed);
    self::value(l, value);
    loadstore::put(l, bytes, !l.setting.little, to);
    loadstore::report(l);
    l.asm.bind(back);
    if updates {
        loadstore::update(l, form, w);
    }
    l.asm.bind(done);
}

/// What is to be stored from an FPR, to RCX. RDX is lost.
pub fn value(l: &mut Lower, value: Value) {
    /// Bits 63:62 and 58:29.
    const SINGLE_BITS: u64 = 0xc7ff_ffff_e000_0000;
    let (Value::Float(n) | Value::Single(n) | Value::Register(n)) = value;
    l.asm.mov(Size::Q, Reg::Rcx, fpr(n));
    if let Value::Single(_) = value {
        l.asm.mov_imm(Reg::Rdx, SINGLE_BITS);
        l.asm.pext(Reg::Rcx, Reg::Rcx, Reg::Rdx);
    }
}

/// Writes FRT from RAX.
fn write(l: &mut Lower, w: u32) {
    l.asm.v_from(vop::MOVQ_FROM, RESULT, Reg::Rax);
    l.asm.v_store(vop::MOVUPS_STORE, fpr(frt(w)), RESULT);
    record(l, w);
}

/// CR field 1 of a record form.
fn record(l: &mut Lower, w: u32) {
    if w & 1 != 0 {
        l.asm.mov(Size::D, Reg::Rax, state(FPSCR));
        l.asm.shift_imm(Shift::Shr, Size::D, Reg::Rax, 28);
        l.asm.store(Size::B, state(offset_of!(VcpuState, cr) + 1), Reg::Rax);
    }
}

const SIGN: u64 = 1 << 63;

fn copy(l: &mut Lower, change: Move, w: u32) {
    l.asm.mov(Size::Q, Reg::Rax, fpr(frb(w)));
    let (alu, mask) = match change {
        Move::Plain => return write(l, w),
        Move::Negate => (Alu::Xor, SIGN),
        Move::Absolute => (Alu::And, !SIGN),
        Move::NegativeAbsolute => (Alu::Or, SIGN),
    };
    l.asm.mov_imm(Reg::Rcx, mask);
    l.asm.alu(alu, Size::Q, Reg::Rax, Reg::Rcx);
    write(l, w);
}

fn copy_sign(l: &mut Lower, w: u32) {
    let asm = &mut l.asm;
    asm.mov_imm(Reg::Rcx, SIGN);
    asm.mov(Size::Q, Reg::Rdx, fpr(fra(w)));
    asm.alu(Alu::And, Size::Q, Reg::Rdx, Reg::Rcx);
    asm.mov(Size::Q, Reg::Rax, fpr(frb(w)));
    asm.alu(Alu::Or, Size::Q, Reg::Rax, Reg::Rcx);
    asm.alu(Alu::Xor, Size::Q, Reg::Rax, Reg::Rcx);
    asm.alu(Alu::Or, Size::Q, Reg::Rax, Reg::Rdx);
    write(l, w);
}

fn select(l: &mut Lower, w: u32) {
    let asm = &mut l.asm;
    asm.v2(vop::MOVSD_LOAD, A, fpr(fra(w)));
    asm.v3(vop::PXOR, B, B, B);
    asm.mov(Size::Q, Reg::Rax, fpr(frb(w)));
    asm.v2(vop::UCOMISD, A, B);
    asm.cmov(Cond::Ae, Size::Q, Reg::Rax, fpr(frc(w)));
    write(l, w);
}

fn compare(l: &mut Lower, w: u32) {
    let field = w >> 23 & 7;
    let (slow, done) = l.slow_decline(false);
    let live = l.is_live(plan::STATUS);
    let compared = status(l, offset_of!(Status, compared));
    let asm = &mut l.asm;
    // An exception that was enabled later interrupts at the next instruction that could raise one.
    asm.test_imm(Size::D, state(FPSCR), fpscr::FEX as i32);
    asm.jcc(Cond::Ne, slow);
    asm.v2(vop::MOVSD_LOAD, A, fpr(fra(w)));
    asm.v2(vop::UCOMISD, A, fpr(frb(w)));
    asm.jcc(Cond::P, slow);
    asm.set(Cond::A, Reg::Rax);
    asm.set(Cond::B, Reg::Rcx);
    asm.insn(op::MOVZX8, Reg::Rax, Reg::Rax);
    asm.insn(op::MOVZX8, Reg::Rcx, Reg::Rcx);
    // FL is 8, FG 4, FE 2: twice 3 FL + FG + 1.
    asm.lea(Size::D, Reg::Rcx, Mem::Index(Reg::Rcx, Reg::Rcx, 2, 1));
    asm.alu(Alu::Add, Size::D, Reg::Rax, Reg::Rcx);
    asm.alu(Alu::Add, Size::D, Reg::Rax, Reg::Rax);
    asm.store(Size::B, state(offset_of!(VcpuState, cr) + (field & 7) as usize), Reg::Rax);
    if live {
        asm.shift_imm(Shift::Shl, Size::D, Reg::Rax, fpscr::FPCC.trailing_zeros() as u8);
        asm.mov(Size::D, Reg::Rcx, state(FPSCR));
        asm.alu_imm(Alu::And, Size::D, Reg::Rcx, !fpscr::FPCC as i32);
        asm.alu(Alu::Or, Size::D, Reg::Rcx, Reg::Rax);
        asm.store(Size::D, state(FPSCR), Reg::Rcx);
        asm.mov_imm(Reg::Rax, 1);
        asm.store(Size::D, compared, Reg::Rax);
    }
    asm.bind(done);
}

fn status(l: &Lower, offset: usize) -> Mem {
    let frame = l.setting.data + offset_of!(Data, frame) as u64;
    Mem::Absolute(frame + (offset_of!(Frame, status) + offset) as u64)
}

fn arithmetic(l: &mut Lower, operation: Float, w: u32) -> Option<()> {
    use Arithmetic::{Add, Divide, Multiply, Reciprocal, ReciprocalSquareRoot, Subtract};
    let single = match operation {
        Float::Arithmetic { operation: Reciprocal | ReciprocalSquareRoot, .. } => return None,
        Float::Arithmetic { single, .. } | Float::MultiplyAdd { single, .. } => single,
        _ => true,
    };
    let operands: &[(Xmm, usize)] = &match operation {
        Float::Arithmetic { operation: Add | Subtract | Divide, .. } => vec![(A, fra(w)), (B, frb(w))],
        Float::Arithmetic { operation: Multiply, .. } => vec![(A, fra(w)), (C, frc(w))],
        Float::MultiplyAdd { .. } => vec![(A, fra(w)), (B, frb(w)), (C, frc(w))],
        _ => vec![(B, frb(w))],
    };
    let (slow, done) = l.slow_decline(false);
    let asm = &mut l.asm;
    asm.mov(Size::D, Reg::Rax, state(FPSCR));
    asm.alu_imm(Alu::And, Size::D, Reg::Rax, (fpscr::XX | fpscr::ENABLES | fpscr::RN) as i32);
    asm.alu_imm(Alu::Cmp, Size::D, Reg::Rax, fpscr::XX as i32);
    asm.jcc(Cond::Ne, slow);
    for &(xmm, n) in operands {
        asm.v2(vop::MOVSD_LOAD, xmm, fpr(n));
    }
    match operation {
        Float::Arithmetic { operation: Add, .. } => asm.v3(vop::ADDSD, RESULT, A, B),
        Float::Arithmetic { operation: Subtract, .. } => asm.v3(vop::SUBSD, RESULT, A, B),
        Float::Arithmetic { operation: Multiply, .. } => asm.v3(vop::MULSD, RESULT, A, C),
        Float::Arithmetic { operation: Divide, .. } => asm.v3(vop::DIVSD, RESULT, A, B),
        Float::Arithmetic { .. } => asm.v3(vop::SQRTSD, RESULT, B, B),
        Float::MultiplyAdd { subtract, negate, .. } => {
            // The host names by the sign of the product.
            let fused = match (subtract, negate) {
                (false, false) => vop::FMADD213SD,
                (true, false) => vop::FMSUB213SD,
                (false, true) => vop::FNMSUB213SD,
                (true, true) => vop::FNMADD213SD,
            };
            asm.v2(vop::MOVQ_LOAD, RESULT, A);
            asm.v3(fused, RESULT, C, B);
        }
        _ => asm.v2(vop::MOVQ_LOAD, RESULT, B),
    }
    // Biased exponents whose numbers cannot have come from too small ones, nor become infinite.
    let (lowest, highest) = if single { (1023 - 125, 1023 + 126) } else { (2, 2046) };
    asm.v_to(vop::MOVQ_TO, Reg::Rax, RESULT);
    asm.mov(Size::Q, Reg::Rcx, Reg::Rax);
    asm.shift_imm(Shift::Shr, Size::Q, Reg::Rcx, 52);
    asm.alu_imm(Alu::And, Size::D, Reg::Rcx, 0x7ff);
    asm.alu_imm(Alu::Sub, Size::D, Reg::Rcx, lowest);
    asm.alu_imm(Alu::Cmp, Size::D, Reg::Rcx, highest - lowest);
    asm.jcc(Cond::A, slow);
    if single {
        to_single(l, operation, operands, slow);
    }
    l.asm.v_store(vop::MOVUPS_STORE, fpr(frt(w)), RESULT);
    record(l, w);
    if l.is_live(plan::STATUS) {
        for &(xmm, _) in operands {
            let slot = [A, B, C].iter().position(|x| *x == xmm).unwrap_or(0);
            let to = status(l, offset_of!(Status, operands) + 8 * slot);
            l.asm.v_store(vop::MOVSD_STORE, to, xmm);
        }
        let (site, to) = (l.site(), status(l, offset_of!(Status, site)));
        // With it, what says that a comparison came later becomes 0.
        l.asm.mov_imm(Reg::Rax, u64::from(site) + 1);
        l.asm.store(Size::Q, to, Reg::Rax);
    }
    l.asm.bind(done);
    Some(())
}

/// Rounds RESULT, whose bits are in RAX, to a single. That it was rounded to a double before makes a difference only if it
/// came to lie in the middle between two singles; and none even then if the operands of an operation that is not fused are
/// singles, because the precision of a double is more than twice that of a single and two (Figueroa, "When is double
/// rounding innocuous?", 1995).
fn to_single(l: &mut Lower, operation: Float, operands: &[(Xmm, usize)], slow: Label) {
    const BELOW: i32 = (1 << 29) - 1;
    const MIDDLE: i32 = 1 << 28;
    let asm = &mut l.asm;
    if operation != Float::RoundToSingle {
        asm.alu_imm(Alu::And, Size::D, Reg::Rax, BELOW);
        asm.alu_imm(Alu::Cmp, Size::D, Reg::Rax, MIDDLE);
        if let Float::MultiplyAdd { .. } = operation {
            asm.jcc(Cond::E, slow);
        } else {
            let fine = asm.label();
            asm.jcc(Cond::Ne, fine);
            for &(_, n) in operands {
                asm.test_imm(Size::D, fpr(n), BELOW);
                asm.jcc(Cond::Ne, slow);
            }
            asm.bind(fine);
        }
    }
    asm.v3(vop::CVTSD2SS, SHORT, RESULT, RESULT);
    asm.v3(vop::CVTSS2SD, RESULT, RESULT, SHORT);
}

/// The outcome of an operation that took the fast path.
pub fn outcome(op: Op, [a, b, c]: [Number; 3]) -> Option<Outcome> {
    let context = |single| Context::scalar(if single { SINGLE } else { DOUBLE }, 0);
    let Op::Float(op) = op else { return None };
    Some(match op {
        Float::Arithmetic { operation, single } => {
            let x = context(single);
            match operation {
                Arithmetic::Add => x.add(a, b),
                Arithmetic::Subtract => x.sub(a, b),
                Arithmetic::Multiply => x.mul(a, c),
                Arithmetic::Divide => x.div(a, b),
                Arithmetic::SquareRoot => x.sqrt(b),
                Arithmetic::Reciprocal | Arithmetic::ReciprocalSquareRoot => return None,
            }
        }
        Float::MultiplyAdd { subtract, negate, single } => {
            let x = context(single);
            let outcome = if subtract { x.multiply_sub(a, c, b) } else { x.multiply_add(a, c, b) };
            if negate { outcome.negated(x.format) } else { outcome }
        }
        Float::RoundToSingle => context(true).round(b),
        _ => return None,
    })
}
