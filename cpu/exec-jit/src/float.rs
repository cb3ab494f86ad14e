//! Scalar floating point.
//!
//! The fast path computes with the host's arithmetic, which rounds as Power's does. It is for modes in which results are
//! rounded to nearest and no exception is enabled; and kept if the result is a number well inside the range of normal
//! numbers of its format, because then the operation raised nothing but XX, whatever its operands were. All else is left to
//! the interpreter's handler before anything is written.
//!
//! XX is what the host remembers of inexact results. FR, FI and FPRF are made when somebody looks at FPSCR, from the
//! operands of the last operation.

mod arithmetic;

use exec_interp::fields::{ra as fra, rb as frb, rc as frc, rt as frt};
use ppc_isa::float::{Float, Move};
use ppc_isa::loadstore::Form;
use ppc_isa::op::Op;

use crate::asm::{Alu, Cond, Label, Mem, Reg, Shift, Size, Xmm, vop};
use crate::loadstore;
use crate::lower::{Access, Compare, Lower, Value, With};
use crate::vsr::{X0, X1, X2, X3, constant, exchange, exchanged};

pub use arithmetic::{Doubtful, conversion, doubtful, lower_conversion, lower_scalar, outcome};

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
        // Record forms read FPSCR.
        Float::Move(_) | Float::CopySign | Float::Select if w & 1 != 0 => return None,
        Float::Move(change) => copy(l, change, w),
        Float::CopySign => copy_sign(l, w),
        Float::Select => select(l, w),
        Float::Compare { .. } => return compare(l, w >> 23 & 7, fra(w), frb(w)),
        Float::ToInteger { .. } if w & 1 == 0 => return lower_conversion(l, Op::Float(op), frt(w), frb(w)),
        // Record forms read FPSCR.
        _ if w & 1 == 0 => return lower_scalar(l, Op::Float(op), frt(w), [fra(w), frb(w), frc(w)]),
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
    let t = l.vector_target(frt(w), X0);
    let address = loadstore::address(l, form, updates, w);
    let (slow, done) = l.slow_decline(false);
    let to = if kind == Kind::Single { X0 } else { t };
    let value = Value::Float(to);
    let access = Access { bytes, value, to: Reg::Rax, signed, reversed: false, stores: false, misaligned: Some(slow) };
    let (missed, back) = l.slow_access(access);
    // Some models interrupt where it is not aligned.
    let at = loadstore::translate_strictly(l, address, bytes, false, missed);
    if !signed {
        let insn = if bytes == 8 { vop::MOVSD_LOAD } else { vop::MOVSS_LOAD };
        l.asm.v2(insn, to, at);
        if !l.setting.little {
            exchange(l, to, bytes - 1);
        }
    } else {
        loadstore::fetch(l, at, bytes, signed, !l.setting.little, Reg::Rax);
        l.asm.v_from(vop::MOVQ_FROM, to, Reg::Rax);
    }
    l.asm.bind(back);
    if kind == Kind::Single {
        widen(l, t, X0, slow);
    }
    l.vector_written(frt(w), t, true);
    if updates {
        loadstore::update(l, form, w);
    }
    l.asm.bind(done);
}

fn store(l: &mut Lower, kind: Kind, form: Form, updates: bool, w: u32) {
    let bytes = kind.bytes();
    let s = l.scalar(frt(w), X0);
    let address = loadstore::address(l, form, updates, w);
    let (slow, done) = l.slow_decline(false);
    if kind == Kind::Single {
        narrow(l, s, slow);
    }
    let value = if kind == Kind::Single { Value::Single(s) } else { Value::Float(s) };
    let to = Reg::Rcx;
    let access = Access { bytes, value, to, signed: false, reversed: false, stores: true, misaligned: Some(slow) };
    let (missed, back) = l.slow_access(access);
    let at = loadstore::translate_strictly(l, address, bytes, true, missed);
    if kind == Kind::Double {
        let mut from = s;
        if !l.setting.little {
            exchanged(l, X0, s, 7);
            from = X0;
        }
        l.asm.v_store(vop::MOVSD_STORE, at, from);
    } else {
        // The value comes to RCX, which may be part of the place.
        let at = match at {
            Mem::Index(_, Reg::Rcx, ..) => {
                l.asm.lea(Size::Q, Reg::Rax, at);
                loadstore::IN_RAX
            }
            other => other,
        };
        self::value(l, value);
        loadstore::put(l, at, bytes, !l.setting.little, to);
    }
    loadstore::report(l);
    l.asm.bind(back);
    if updates {
        loadstore::update(l, form, w);
    }
    l.asm.bind(done);
}

/// A single as a double. NaNs go to `slow`: the host would make a signalling one quiet.
pub fn widen(l: &mut Lower, to: Xmm, from: Xmm, slow: Label) {
    l.asm.v2(vop::UCOMISS, from, from);
    l.asm.jcc(Cond::P, slow);
    l.asm.v3(vop::CVTSS2SD, to, from, from);
}

/// Goes to `slow` if a double is not made a single by a choice of bits, as zero is, and what is not too small to be a
/// normal single. RCX is lost.
pub fn narrow(l: &mut Lower, from: Xmm, slow: Label) {
    l.asm.v_to(vop::MOVQ_TO, Reg::Rcx, from);
    // What is 0 becomes large.
    l.asm.lea(Size::Q, Reg::Rcx, Mem::Index(Reg::Rcx, Reg::Rcx, 1, -1));
    l.asm.shift_imm(Shift::Shr, Size::Q, Reg::Rcx, 53);
    l.asm.alu_imm(Alu::Cmp, Size::D, Reg::Rcx, 897);
    l.asm.jcc(Cond::B, slow);
}

/// What is to be stored from a vector register, to RCX. RDX is lost.
pub fn value(l: &mut Lower, value: Value) {
    /// Bits 63:62 and 58:29.
    const SINGLE_BITS: u64 = 0xc7ff_ffff_e000_0000;
    let (Value::Float(from) | Value::Single(from)) = value else { return };
    l.asm.v_to(vop::MOVQ_TO, Reg::Rcx, from);
    if let Value::Single(_) = value {
        l.asm.mov_imm(Reg::Rdx, SINGLE_BITS);
        l.asm.pext(Reg::Rcx, Reg::Rcx, Reg::Rdx);
    }
}

fn copy(l: &mut Lower, change: Move, w: u32) {
    let b = l.scalar(frb(w), X0);
    let insn = match change {
        Move::Plain if l.is_clean(frb(w)) => return l.vector_written(frt(w), b, true),
        Move::Plain => {
            let t = l.vector_target(frt(w), X0);
            l.asm.v2(vop::MOVQ_LOAD, t, b);
            return l.vector_written(frt(w), t, true);
        }
        Move::Negate => vop::PXOR,
        Move::Absolute => vop::PANDN,
        Move::NegativeAbsolute => vop::POR,
    };
    let sign = constant!(l, first_bits, 3);
    l.asm.v2(vop::MOVQ_LOAD, X1, sign);
    l.asm.v3(insn, X1, X1, b);
    l.asm.v2(vop::MOVQ_LOAD, X1, X1);
    l.vector_written(frt(w), X1, true);
}

fn copy_sign(l: &mut Lower, w: u32) {
    let (a, b) = (l.scalar(fra(w), X0), l.scalar(frb(w), X1));
    let sign = constant!(l, first_bits, 3);
    l.asm.v2(vop::MOVQ_LOAD, X2, sign);
    l.asm.v3(vop::PAND, X3, X2, a);
    l.asm.v3(vop::PANDN, X2, X2, b);
    l.asm.v3(vop::POR, X2, X2, X3);
    l.asm.v2(vop::MOVQ_LOAD, X2, X2);
    l.vector_written(frt(w), X2, true);
}

fn select(l: &mut Lower, w: u32) {
    let (a, b, c) = (l.scalar(fra(w), X0), l.scalar(frb(w), X1), l.scalar(frc(w), X2));
    const LESS_EQUAL: u8 = 2;
    // Zero is less than or equal to what is to be compared; a NaN is not.
    l.asm.v3(vop::PXOR, X3, X3, X3);
    l.asm.v3_imm(vop::CMPSD, X3, X3, a, LESS_EQUAL);
    l.asm.v3_imm(vop::PBLENDVB, X3, b, c, 3 << 4);
    l.asm.v2(vop::MOVQ_LOAD, X3, X3);
    l.vector_written(frt(w), X3, true);
}

/// Compares doublewords 0 of two vector-scalar registers, as long as both are numbers.
pub fn compare(l: &mut Lower, field: u32, a: usize, b: usize) -> Option<()> {
    if l.setting.exacting {
        return None;
    }
    let first = l.scalar(a, X0);
    let second = l.scalar(b, X1);
    let (slow, done) = l.slow_unordered();
    l.asm.v2(vop::UCOMISD, first, second);
    l.asm.jcc(Cond::P, slow);
    l.asm.bind(done);
    let with = With::Scalar(b);
    l.compared(Compare { field: field as u8, signed: false, size: Size::Q, register: a, with, known: None });
    l.compared_status(a, b);
    Some(())
}
