//! AltiVec instructions on integers and bits, with the elements' width as a parameter wherever the host has all widths.

use std::mem::offset_of;

use exec::VcpuState;
use exec_interp::fields::{ra, vra, vrb, vrc, vrt};
use ppc_isa::vector::{Binary, Lane, MultiplyAdd, MultiplySum, Pack, Relation, Unary, Vector};

use crate::asm::{Alu, Cond, Insn, Reg, ShiftBy, Size, Xmm, vop::*};
use crate::loadstore::{IN_RAX, effective_address};
use crate::lower::{Lower, state};
use crate::vsr::{self, X0, X1, X2, X3, constant, exchange, invert, part, read, splat, vsr, write, zero};

/// Bytes of an element.
fn bytes(lane: Lane) -> usize {
    1 << lane as usize
}

/// The instruction for a lane, of those for bytes and wider ones.
fn by(lane: Lane, insns: &[Insn]) -> Option<Insn> {
    insns.get(lane as usize).copied()
}

/// Translates `op`; `None` if it is left to the interpreter.
pub fn lower(l: &mut Lower, op: Vector, w: u32) -> Option<()> {
    match op {
        Vector::Load(Lane::Quad) => {
            aligned_address(l, w);
            crate::vsx::load_quad(l, IN_RAX, vrt(w), 16, true);
        }
        Vector::Store(Lane::Quad) => {
            aligned_address(l, w);
            crate::vsx::store_quad(l, IN_RAX, vrt(w), 16, true);
        }
        Vector::AlignControl { right } => {
            effective_address(l, None, false, w);
            l.asm.alu_imm(Alu::And, Size::D, Reg::Rax, 15);
            l.asm.v_from(MOVD_FROM, X0, Reg::Rax);
            l.asm.v2(PBROADCASTB, X0, X0);
            l.asm.v2(MOVDQU_LOAD, X1, constant!(l, steps, right));
            l.asm.v3(if right { PSUBB } else { PADDB }, X0, X1, X0);
            write(l, vrt(w), X0);
        }
        Vector::Logic(op) => vsr::logic(l, op, vrt(w), vra(w), vrb(w)),
        Vector::Select => vsr::select(l, vrt(w), vra(w), vrb(w), vrc(w)),
        Vector::Binary { op, lane, signed } => return binary(l, op, lane, signed, w),
        Vector::Unary { op: Unary::Negate, lane } => {
            let insn = by(lane, &[PSUBB, PSUBW, PSUBD, PSUBQ])?;
            zero(l, X0);
            let operand = vsr(l, vrb(w));
            l.asm.v3(insn, X0, X0, operand);
            write(l, vrt(w), X0);
        }
        Vector::Compare { relation, lane, signed } => return compare(l, relation, lane, signed, w),
        Vector::Multiply { odd, lane, signed } => return multiply(l, odd, lane, signed, w),
        Vector::MultiplyAdd(MultiplyAdd::Low) => {
            read(l, X0, vra(w));
            let operand = vsr(l, vrb(w));
            l.asm.v3(PMULLW, X0, X0, operand);
            let operand = vsr(l, vrc(w));
            l.asm.v3(PADDW, X0, X0, operand);
            write(l, vrt(w), X0);
        }
        Vector::MultiplySum(MultiplySum::Halves { signed: true, saturate: false }) => {
            read(l, X0, vra(w));
            let operand = vsr(l, vrb(w));
            l.asm.v3(PMADDWD, X0, X0, operand);
            let operand = vsr(l, vrc(w));
            l.asm.v3(PADDD, X0, X0, operand);
            write(l, vrt(w), X0);
        }
        Vector::ExtendSign { from, to } => return extend_sign(l, from, to, w),
        Vector::ShiftDouble => vsr::shift_double(l, vrt(w), vra(w), vrb(w), (w >> 6 & 15) as u8),
        Vector::Permute { reversed } => vsr::permute(l, vrt(w), vra(w), vrb(w), vrc(w), reversed),
        Vector::Merge { lane, low } => {
            let insns = if low { [PUNPCKHBW, PUNPCKHWD, PUNPCKHDQ] } else { [PUNPCKLBW, PUNPCKLWD, PUNPCKLDQ] };
            vsr::interleave(l, by(lane, &insns)?, vrt(w), vra(w), vrb(w));
        }
        Vector::MergeWords { odd } => {
            // The first word of each doubleword from VRA, the second from VRB.
            read(l, X0, vra(w));
            read(l, X1, vrb(w));
            if odd {
                l.asm.v_shift(PSLLQ, X0, X0, 32);
            } else {
                l.asm.v_shift(PSRLQ, X1, X1, 32);
            }
            l.asm.v3_imm(PBLENDD, X0, X1, X0, 0b1010);
            write(l, vrt(w), X0);
        }
        Vector::Splat(lane) => {
            let insn = by(lane, &[PBROADCASTB, PBROADCASTW, PBROADCASTD])?;
            let element = ra(w) & (16 / bytes(lane) - 1);
            let place = part(l, vrb(w), bytes(lane) * (element ^ (8 / bytes(lane) - 1)));
            l.asm.v2(insn, X0, place);
            write(l, vrt(w), X0);
        }
        Vector::SplatImmediate(lane) => {
            let value = i64::from((w << 11) as i32 >> 27) as u64;
            let bits = 8 * bytes(lane);
            let element = value & u64::MAX >> (64 - bits.min(64));
            splat(l, X0, (0..64 / bits).fold(0, |all, i| all | element << (bits * i)));
            write(l, vrt(w), X0);
        }
        Vector::Pack { lane, how } => return pack(l, lane, how, w),
        Vector::Unpack { lane, low } => {
            let insn = by(lane, &[PMOVSXBW, PMOVSXWD, PMOVSXDQ])?;
            let place = part(l, vrb(w), if low { 8 } else { 0 });
            l.asm.v2(insn, X0, place);
            exchange(l, X0, 8);
            write(l, vrt(w), X0);
        }
        Vector::Extract(lane) => return vsr::extract(l, vrt(w), vrb(w), ra(w) & 15, bytes(lane)),
        Vector::Insert(lane) => {
            let from = part(l, vrb(w), 0);
            return vsr::insert(l, vrt(w), from.into(), ra(w) & 15, bytes(lane));
        }
        _ => return None,
    }
    Some(())
}

/// The instruction that does a binary operation all by itself.
fn direct(op: Binary, lane: Lane, signed: bool) -> Option<Insn> {
    match (op, signed) {
        (Binary::Add, _) => by(lane, &[PADDB, PADDW, PADDD, PADDQ]),
        (Binary::Subtract, _) => by(lane, &[PSUBB, PSUBW, PSUBD, PSUBQ]),
        (Binary::Average, false) => by(lane, &[PAVGB, PAVGW]),
        (Binary::Maximum, false) => by(lane, &[PMAXUB, PMAXUW, PMAXUD]),
        (Binary::Maximum, true) => by(lane, &[PMAXSB, PMAXSW, PMAXSD]),
        (Binary::Minimum, false) => by(lane, &[PMINUB, PMINUW, PMINUD]),
        (Binary::Minimum, true) => by(lane, &[PMINSB, PMINSW, PMINSD]),
        (Binary::MultiplyLow, _) if lane == Lane::Word => Some(PMULLD),
        _ => None,
    }
}

fn binary(l: &mut Lower, op: Binary, lane: Lane, signed: bool, w: u32) -> Option<()> {
    if let Some(insn) = direct(op, lane, signed) {
        vsr::binary(l, insn, vrt(w), vra(w), vrb(w));
        return Some(());
    }
    match op {
        Binary::AddSaturate => {
            let insns = if signed { [PADDSB, PADDSW] } else { [PADDUSB, PADDUSW] };
            saturate(l, by(lane, &insns)?, by(lane, &[PADDB, PADDW])?, w);
        }
        Binary::SubtractSaturate => {
            let insns = if signed { [PSUBSB, PSUBSW] } else { [PSUBUSB, PSUBUSW] };
            saturate(l, by(lane, &insns)?, by(lane, &[PSUBB, PSUBW])?, w);
        }
        Binary::Average => average(l, lane, signed, w)?,
        Binary::Maximum | Binary::Minimum if lane == Lane::Double => {
            let (a, b) = (l.vector(vra(w), X0), l.vector(vrb(w), X1));
            greater(l, lane, signed, X2, a, b)?;
            let (first, second) = if op == Binary::Maximum { (b, a) } else { (a, b) };
            l.asm.v3_imm(PBLENDVB, X0, first, second, 2 << 4);
        }
        Binary::AbsoluteDifference => {
            let (greater, less) = (direct(Binary::Maximum, lane, false)?, direct(Binary::Minimum, lane, false)?);
            let subtract = direct(Binary::Subtract, lane, false)?;
            read(l, X0, vra(w));
            let operand = vsr(l, vrb(w));
            l.asm.v3(less, X1, X0, operand);
            let operand = vsr(l, vrb(w));
            l.asm.v3(greater, X0, X0, operand);
            l.asm.v3(subtract, X0, X0, X1);
        }
        Binary::Rotate | Binary::ShiftLeft | Binary::ShiftRight => return shift(l, op, lane, signed, w),
        _ => return None,
    }
    write(l, vrt(w), X0);
    Some(())
}

/// The effective address of a quadword, to RAX, unless a strip vouches for the access.
fn aligned_address(l: &mut Lower, w: u32) {
    if !l.is_streamed() {
        effective_address(l, None, false, w);
        l.asm.alu_imm(Alu::And, Size::Q, Reg::Rax, !15);
    }
}

/// X0 = what `insn` saturates; `VSCR[SAT]` is set if it differs from what `modulo` makes. RAX is lost.
fn saturate(l: &mut Lower, insn: Insn, modulo: Insn, w: u32) {
    read(l, X1, vra(w));
    let operand = vsr(l, vrb(w));
    l.asm.v3(insn, X0, X1, operand);
    let operand = vsr(l, vrb(w));
    l.asm.v3(modulo, X1, X1, operand);
    l.asm.v3(PXOR, X1, X1, X0);
    l.asm.v2(PTEST, X1, X1);
    note_saturation(l);
}

/// Sets `VSCR[SAT]` if the host's flags say "not zero". RAX is lost.
fn note_saturation(l: &mut Lower) {
    l.asm.set(Cond::Ne, Reg::Rax);
    l.asm.alu_to(Alu::Or, Size::B, state(offset_of!(VcpuState, vscr)), Reg::Rax);
}

/// X0 = halves of sums, rounded up: the bits that either has, less half of those in which they differ.
fn average(l: &mut Lower, lane: Lane, signed: bool, w: u32) -> Option<()> {
    let (half, subtract): (ShiftBy, Insn) = match (lane, signed) {
        (Lane::Half, true) => (PSRAW, PSUBW),
        (Lane::Word, true) => (PSRAD, PSUBD),
        (Lane::Word, false) => (PSRLD, PSUBD),
        _ => return None,
    };
    read(l, X0, vra(w));
    let operand = vsr(l, vrb(w));
    l.asm.v3(PXOR, X1, X0, operand);
    let operand = vsr(l, vrb(w));
    l.asm.v3(POR, X0, X0, operand);
    l.asm.v_shift(half, X1, X1, 1);
    l.asm.v3(subtract, X0, X0, X1);
    Some(())
}

/// Words or doublewords shifted by the low bits of the other operand's.
fn shift(l: &mut Lower, op: Binary, lane: Lane, signed: bool, w: u32) -> Option<()> {
    let (index, left, right, subtract) = match lane {
        Lane::Word => (0, PSLLVD, PSRLVD, PSUBD),
        Lane::Double => (1, PSLLVQ, PSRLVQ, PSUBQ),
        _ => return None,
    };
    let (a, b) = (l.vector(vra(w), X0), l.vector(vrb(w), X1));
    l.asm.v3(PAND, X1, b, constant!(l, shifts, index));
    let to = match op {
        Binary::Rotate => X0,
        Binary::ShiftRight if signed && lane == Lane::Double => X0,
        _ => l.vector_target(vrt(w), X0),
    };
    match op {
        Binary::ShiftLeft => l.asm.v3(left, to, a, X1),
        Binary::Rotate => {
            // A shift by the whole width leaves nothing.
            l.asm.v2(MOVDQU_LOAD, X2, constant!(l, widths, index));
            l.asm.v3(subtract, X2, X2, X1);
            l.asm.v3(right, X2, a, X2);
            l.asm.v3(left, X0, a, X1);
            l.asm.v3(POR, X0, X0, X2);
        }
        _ if !signed => l.asm.v3(right, to, a, X1),
        _ if lane == Lane::Word => l.asm.v3(PSRAVD, to, a, X1),
        _ => {
            // With the first bit inverted it is unsigned, and too large by that bit.
            l.asm.v2(MOVDQU_LOAD, X2, constant!(l, first_bits, lane));
            l.asm.v3(PXOR, X0, a, X2);
            l.asm.v3(right, X0, X0, X1);
            l.asm.v3(right, X2, X2, X1);
            l.asm.v3(PSUBQ, X0, X0, X2);
        }
    }
    write(l, vrt(w), to);
    Some(())
}

/// `to` = ones where `a` is greater than `b`. If unsigned, `a` and `b` stay, and X3 is lost.
fn greater(l: &mut Lower, lane: Lane, signed: bool, to: Xmm, a: Xmm, b: Xmm) -> Option<()> {
    let insn = by(lane, &[PCMPGTB, PCMPGTW, PCMPGTD, PCMPGTQ])?;
    if signed {
        l.asm.v3(insn, to, a, b);
    } else {
        let first = constant!(l, first_bits, lane);
        l.asm.v3(PXOR, X3, b, first);
        l.asm.v3(PXOR, to, a, first);
        l.asm.v3(insn, to, to, X3);
    }
    Some(())
}

fn compare(l: &mut Lower, relation: Relation, lane: Lane, signed: bool, w: u32) -> Option<()> {
    let equal = by(lane, &[PCMPEQB, PCMPEQW, PCMPEQD, PCMPEQQ])?;
    let (a, b) = (l.vector(vra(w), X0), l.vector(vrb(w), X1));
    let single = matches!(relation, Relation::Equal | Relation::Greater);
    let to = if single { l.vector_target(vrt(w), X2) } else { X2 };
    match relation {
        Relation::Greater => greater(l, lane, signed, to, a, b)?,
        Relation::Equal => l.asm.v3(equal, to, a, b),
        Relation::NotEqual => {
            l.asm.v3(equal, to, a, b);
            invert(l, to, X3);
        }
        Relation::NotEqualOrZero => {
            l.asm.v3(equal, to, a, b);
            invert(l, to, X3);
            zero(l, X3);
            l.asm.v3(equal, X0, a, X3);
            l.asm.v3(equal, X1, b, X3);
            l.asm.v3(POR, to, to, X0);
            l.asm.v3(POR, to, to, X1);
        }
    }
    write(l, vrt(w), to);
    if w & 0x400 != 0 {
        vsr::compared(l, to, X1);
    }
    Some(())
}

/// Products of the even elements, the first of each pair, or the odd ones.
fn multiply(l: &mut Lower, odd: bool, lane: Lane, signed: bool, w: u32) -> Option<()> {
    // Factors are brought to the width of products.
    let (bits, left, logical, algebraic, insn) = match (lane, signed) {
        (Lane::Half, _) => (8, PSLLW, PSRLW, PSRAW, PMULLW),
        (Lane::Word, _) => (16, PSLLD, PSRLD, PSRAD, PMULLD),
        // These take the second half of a doubleword by themselves.
        (Lane::Double, false) => (32, PSLLQ, PSRLQ, PSRLQ, PMULUDQ),
        (Lane::Double, true) => (32, PSLLQ, PSRLQ, PSRLQ, PMULDQ),
        _ => return None,
    };
    read(l, X0, vra(w));
    read(l, X1, vrb(w));
    for x in [X0, X1] {
        if odd && lane != Lane::Double {
            l.asm.v_shift(left, x, x, bits);
        }
        if !odd || lane != Lane::Double {
            l.asm.v_shift(if signed { algebraic } else { logical }, x, x, bits);
        }
    }
    l.asm.v3(insn, X0, X0, X1);
    write(l, vrt(w), X0);
    Some(())
}

fn extend_sign(l: &mut Lower, from: Lane, to: Lane, w: u32) -> Option<()> {
    if to == Lane::Quad {
        return None;
    }
    read(l, X0, vrb(w));
    let bits = 32 - 8 * bytes(from).min(4) as u8;
    if bits > 0 {
        l.asm.v_shift(PSLLD, X0, X0, bits);
        l.asm.v_shift(PSRAD, X0, X0, bits);
    }
    if to == Lane::Double {
        // The first word of each doubleword is the sign of the second.
        l.asm.v2_imm(PSHUFD, X1, X0, 0b10_10_00_00);
        l.asm.v_shift(PSRAD, X1, X1, 31);
        l.asm.v3_imm(PBLENDD, X0, X0, X1, 0b1010);
    }
    write(l, vrt(w), X0);
    Some(())
}

fn pack(l: &mut Lower, lane: Lane, how: Pack, w: u32) -> Option<()> {
    if lane == Lane::Double {
        if how != Pack::Modulo {
            return None;
        }
        read(l, X0, vra(w));
        let operand = vsr(l, vrb(w));
        l.asm.v3_imm(SHUFPS, X0, X0, operand, 0b00_10_00_10);
        write(l, vrt(w), X0);
        return Some(());
    }
    let index = match lane {
        Lane::Half => 0,
        Lane::Word => 1,
        _ => return None,
    };
    let second_halves = constant!(l, second_halves, index);
    let pick = |insns: [Insn; 2]| insns[index];
    read(l, X0, vra(w));
    read(l, X1, vrb(w));
    match how {
        Pack::Modulo => {
            l.asm.v3(PAND, X0, X0, second_halves);
            l.asm.v3(PAND, X1, X1, second_halves);
        }
        Pack::Unsigned | Pack::SignedToUnsigned => l.asm.v3(POR, X2, X0, X1),
        Pack::Signed => {
            // In range are numbers whose first half is zero after this.
            let add = pick([PADDW, PADDD]);
            l.asm.v2(MOVDQU_LOAD, X2, constant!(l, second_first_bits, index));
            l.asm.v3(add, X3, X0, X2);
            l.asm.v3(add, X2, X1, X2);
            l.asm.v3(POR, X2, X2, X3);
        }
    }
    if how != Pack::Modulo {
        l.asm.v2(PTEST, X2, constant!(l, first_halves, index));
        note_saturation(l);
    }
    if how == Pack::Unsigned {
        // The host takes the source for signed.
        let min = pick([PMINUW, PMINUD]);
        l.asm.v3(min, X0, X0, second_halves);
        l.asm.v3(min, X1, X1, second_halves);
    }
    let insn = if how == Pack::Signed { pick([PACKSSWB, PACKSSDW]) } else { pick([PACKUSWB, PACKUSDW]) };
    l.asm.v3(insn, X0, X0, X1);
    exchange(l, X0, 4);
    write(l, vrt(w), X0);
    Some(())
}
