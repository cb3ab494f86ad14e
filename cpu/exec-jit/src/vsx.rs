//! VSX instructions: loads and stores, moves and permutes; the folder has arithmetic.

mod arithmetic;

pub use arithmetic::{DoubtfulLanes, doubtful_lanes, reports};

use exec_interp::fields::{ra, xa, xb, xc, xt};
use ppc_isa::op::Op;
use ppc_isa::vsx::Vsx;
use ppc_isa::vsx::convert::{Convert, Number};
use ppc_isa::vsx::memory::{Form, Format, Memory, Scalar, Vector};
use ppc_isa::vsx::permute::{Part, Permute};

use crate::asm::{Mem, Reg, Rm, Size, op, vop::*};
use crate::float;
use crate::loadstore::{self, report, translate};
use crate::lower::{Lower, Value};
use crate::vsr::{self, X0, X1, exchange, part, read, splat, vsr, write};

/// Translates `op`; `None` if it is left to the interpreter.
pub fn lower(l: &mut Lower, op: Vsx, w: u32) -> Option<()> {
    match op {
        Vsx::Memory(op) => memory(l, op, w),
        Vsx::Permute(op) => permute(l, op, w),
        Vsx::Arithmetic(op) => arithmetic::lower(l, op, w),
        Vsx::Compare(op) => arithmetic::compare(l, op, w),
        Vsx::Convert(op) => convert(l, op, w),
        _ => None,
    }
}

/// Whether FPSCR shows the class of a conversion's result.
pub fn converts_to_number(op: Convert) -> bool {
    use Number::{SignedDouble, SignedWord, UnsignedDouble, UnsignedWord};
    matches!(op, Convert::Scalar(_, to) if !matches!(to, SignedDouble | SignedWord | UnsignedDouble | UnsignedWord))
}

fn convert(l: &mut Lower, op: Convert, w: u32) -> Option<()> {
    let (t, b) = (xt(w), xb(w));
    match op {
        Convert::Scalar(..) if converts_to_number(op) => {
            float::lower_scalar(l, Op::Vsx(Vsx::Convert(op)), t, [b, b, b])
        }
        Convert::Scalar(..) => float::lower_conversion(l, Op::Vsx(Vsx::Convert(op)), t, b),
        Convert::WidenBits => {
            let to = l.vector_target(t, X1);
            let from = l.scalar(b, X0);
            let (slow, done) = l.slow_decline(false);
            l.asm.v_shift(PSRLQ, X0, from, 32);
            float::widen(l, to, X0, slow);
            l.asm.v2(MOVQ_LOAD, to, to);
            l.vector_written(t, to, true);
            l.asm.bind(done);
            Some(())
        }
        Convert::NarrowBits => {
            let to = l.vector_target(t, X1);
            let from = l.scalar(b, X0);
            let (slow, done) = l.slow_decline(false);
            float::narrow(l, from, slow);
            float::value(l, Value::Single(from));
            l.asm.v_from(MOVD_FROM, to, Reg::Rcx);
            l.asm.v3(PUNPCKLDQ, to, to, to);
            l.vector_written(t, to, true);
            l.asm.bind(done);
            Some(())
        }
        _ => None,
    }
}

/// The register that an instruction of a form names.
fn named(form: Form, w: u32) -> usize {
    match form {
        Form::Dq => (w << 2 & 32 | w >> 21 & 31) as usize,
        Form::Ds => (32 | w >> 21 & 31) as usize,
        _ => xt(w),
    }
}

/// The effective address of an instruction of a form, as an operand. `None` for prefixed ones.
fn address(l: &mut Lower, form: Form, w: u32) -> Option<Mem> {
    let displacement = match form {
        Form::X => None,
        Form::Dq => Some(i32::from(w as i16) & !15),
        Form::Ds => Some(i32::from(w as i16) & !3),
        Form::Prefixed => return None,
    };
    Some(loadstore::operand(l, displacement, false, w))
}

fn memory(l: &mut Lower, op: Memory, w: u32) -> Option<()> {
    match op {
        Memory::Load(Vector { element, form }) => {
            let address = address(l, form, w)?;
            load_quad(l, address, named(form, w), element, false);
        }
        Memory::Store(Vector { element, form }) => {
            let address = address(l, form, w)?;
            store_quad(l, address, named(form, w), element, false);
        }
        Memory::LoadSplat { bytes } => {
            let address = address(l, Form::X, w)?;
            load_element(l, address, bytes, |l| {
                if bytes == 4 {
                    l.asm.v_from(MOVD_FROM, X0, Reg::Rax);
                    l.asm.v2(PBROADCASTD, X0, X0);
                } else {
                    l.asm.v_from(MOVQ_FROM, X0, Reg::Rax);
                    l.asm.v3(PUNPCKLQDQ, X0, X0, X0);
                }
                write(l, xt(w), X0);
            });
        }
        Memory::LoadScalar(Scalar { format, form }) => {
            let (bytes, signed) = size(format)?;
            let address = address(l, form, w)?;
            load_element(l, address, bytes, |l| {
                if signed {
                    l.asm.movsxd(Reg::Rax, Reg::Rax);
                }
                l.asm.v_from(MOVQ_FROM, X0, Reg::Rax);
                write(l, named(form, w), X0);
            });
        }
        Memory::StoreScalar(Scalar { format, form }) => {
            let (bytes, _) = size(format)?;
            let address = address(l, form, w)?;
            store_element(l, address, bytes, named(form, w));
        }
        _ => return None,
    }
    Some(())
}

/// Bytes of a scalar that is no number of single precision, and whether its sign is extended.
fn size(format: Format) -> Option<(u8, bool)> {
    match format {
        Format::Byte => Some((1, false)),
        Format::Half => Some((2, false)),
        Format::Word => Some((4, false)),
        Format::SignedWord => Some((4, true)),
        Format::Double => Some((8, false)),
        Format::Single => None,
    }
}

/// How bytes of a quadword in memory are exchanged for the register.
fn order(l: &Lower, element: u8) -> u8 {
    let by = match element {
        _ if !l.setting.little => 7,
        16 => 8,
        _ => 8 - element,
    };
    if l.are_swapped() { by ^ 8 } else { by }
}

/// Loads register `t` from the effective address in RAX, which may be `aligned`, in elements of `element` bytes.
pub fn load_quad(l: &mut Lower, address: Mem, t: usize, element: u8, aligned: bool) {
    let to = l.vector_target(t, X0);
    let (slow, back) = l.slow_decline(true);
    let at = translate(l, address, if aligned { 1 } else { 16 }, false, slow);
    let by = order(l, element);
    vsr::exchanged(l, to, at, by);
    write(l, t, to);
    l.asm.bind(back);
}

/// Stores register `t` at the effective address in RAX, which may be `aligned`, in elements of `element` bytes.
pub fn store_quad(l: &mut Lower, address: Mem, t: usize, element: u8, aligned: bool) {
    let (slow, back) = l.slow_decline(true);
    let at = translate(l, address, if aligned { 1 } else { 16 }, true, slow);
    let mut from = l.vector(t, X0);
    let by = order(l, element);
    if by != 0 {
        vsr::exchanged(l, X0, from, by);
        from = X0;
    }
    l.asm.v_store(MOVDQU_STORE, at, from);
    report(l);
    l.asm.bind(back);
}

/// Loads an element from the effective address in RAX to RAX, with zeros above; `finish` writes it to its register.
fn load_element(l: &mut Lower, address: Mem, bytes: u8, finish: impl FnOnce(&mut Lower)) {
    let (slow, back) = l.slow_decline(true);
    let at = translate(l, address, bytes, false, slow);
    match (bytes, l.setting.little) {
        (1, _) => l.asm.insn(op::MOVZX8, Reg::Rax, at),
        (2, little) => {
            l.asm.insn(op::MOVZX16, Reg::Rax, at);
            if !little {
                l.asm.bswap(Size::D, Reg::Rax);
                l.asm.shift_imm(crate::asm::Shift::Shr, Size::D, Reg::Rax, 16);
            }
        }
        (4, true) => l.asm.mov(Size::D, Reg::Rax, at),
        (4, false) => l.asm.insn(op::MOVBE32, Reg::Rax, at),
        (_, true) => l.asm.mov(Size::Q, Reg::Rax, at),
        (_, false) => l.asm.insn(op::MOVBE64, Reg::Rax, at),
    }
    finish(l);
    l.asm.bind(back);
}

/// Stores the low bytes of doubleword 0 of register `s` at the effective address in RAX.
fn store_element(l: &mut Lower, address: Mem, bytes: u8, s: usize) {
    let from = l.scalar(s, X0);
    let (slow, back) = l.slow_decline(true);
    let at = translate(l, address, bytes, true, slow);
    l.asm.v_to(MOVQ_TO, Reg::Rdx, from);
    let size = match bytes {
        1 => Size::B,
        2 => Size::W,
        4 => Size::D,
        _ => Size::Q,
    };
    if l.setting.little || bytes == 1 {
        l.asm.store(size, at, Reg::Rdx);
    } else {
        l.asm.store_reversed(size, at, Reg::Rdx);
    }
    report(l);
    l.asm.bind(back);
}

fn permute(l: &mut Lower, op: Permute, w: u32) -> Option<()> {
    let t = xt(w);
    match op {
        Permute::MoveFrom(from) => {
            let to = l.target(ra(w), Reg::Rax);
            let from_vector = l.vector(t, X0);
            match from {
                Part::Double => l.asm.v_to(MOVQ_TO, to, from_vector),
                Part::LowDouble => l.asm.v_extract(PEXTRQ, to, from_vector, 1),
                Part::Word => l.asm.v_to(MOVD_TO, to, from_vector),
                Part::SignedWord => {
                    l.asm.v_to(MOVD_TO, to, from_vector);
                    l.asm.movsxd(to, to);
                }
            }
            l.written(ra(w), to);
        }
        Permute::MoveTo(part) => {
            let from = l.operand(ra(w));
            match part {
                Part::Double => l.asm.v_from(MOVQ_FROM, X0, from),
                Part::Word => l.asm.v_from(MOVD_FROM, X0, from),
                Part::SignedWord => {
                    l.asm.movsxd(Reg::Rax, from);
                    l.asm.v_from(MOVQ_FROM, X0, Reg::Rax);
                }
                Part::LowDouble => return None,
            }
            write(l, t, X0);
        }
        Permute::MoveToPair => {
            let second = l.operand((w >> 11 & 31) as usize);
            if ra(w) == 0 {
                vsr::zero(l, X0);
            } else {
                let first = l.operand(ra(w));
                l.asm.v_from(MOVQ_FROM, X0, first);
            }
            l.asm.v_insert(PINSRQ, X0, X0, second, 1);
            write(l, t, X0);
        }
        Permute::MoveToWords => {
            let from = l.operand(ra(w));
            l.asm.v_from(MOVD_FROM, X0, from);
            l.asm.v2(PBROADCASTD, X0, X0);
            write(l, t, X0);
        }
        Permute::Logic(op) => vsr::logic(l, op, t, xa(w), xb(w)),
        Permute::Select => vsr::select(l, t, xa(w), xb(w), xc(w)),
        Permute::Doublewords => {
            read(l, X0, xa(w));
            let operand = vsr(l, xb(w));
            l.asm.v3_imm(SHUFPD, X0, X0, operand, (w >> 9 & 1 | w >> 7 & 2) as u8);
            write(l, t, X0);
        }
        Permute::MergeWords { low } => {
            vsr::interleave(l, if low { PUNPCKHDQ } else { PUNPCKLDQ }, t, xa(w), xb(w));
        }
        Permute::ShiftWords => vsr::shift_double(l, t, xa(w), xb(w), 4 * (w >> 8 & 3) as u8),
        Permute::SplatWord => vsr::splat_word(l, t, xb(w), (w >> 16 & 3) as usize),
        Permute::SplatByte => {
            splat(l, X0, u64::from(w >> 11 & 0xff) * 0x0101_0101_0101_0101);
            write(l, t, X0);
        }
        Permute::ExtractWord => return vsr::extract(l, t, xb(w), (w >> 16 & 15) as usize, 4),
        Permute::InsertWord => {
            let from = part(l, xb(w), 0);
            return vsr::insert(l, t, Rm::Mem(from), (w >> 16 & 15) as usize, 4);
        }
        Permute::Bytes { reversed } => vsr::permute(l, t, xa(w), t, xb(w), reversed),
        Permute::ReverseBytes { element } => {
            read(l, X0, xb(w));
            exchange(l, X0, element - 1);
            write(l, t, X0);
        }
        _ => return None,
    }
    Some(())
}
