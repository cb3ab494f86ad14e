//! Branches and condition-register logic.

use std::mem::offset_of;

use exec::VcpuState;
use ppc_isa::branch::{Branch, Register};
use ppc_isa::op::Op;

use crate::asm::{Alu, Cond, Reg, Size, op};
use crate::lower::{Edge, Lower, state};
use crate::plan::{self, ALL, CTR, Insn, LR};
use crate::switch;

/// Translates what stays in its block.
pub fn lower(l: &mut Lower, op: Branch, w: u32) -> Option<()> {
    match op {
        Branch::Mcrf => {
            l.asm.insn(op::MOVZX8, Reg::Rax, cr(w >> 18 & 7));
            let to = cr(w >> 23 & 7);
            l.asm.store(Size::B, to, Reg::Rax);
        }
        Branch::Trap { double, immediate } => return trap(l, double, immediate, w),
        Branch::CrLogic(table) => cr_logic(l, table, w),
        Branch::Sc | Branch::Scv => return switch::call(l, op, w),
        _ => return None,
    }
    Some(())
}

/// A CR field in the state.
pub fn cr(field: u32) -> crate::asm::Mem {
    state(offset_of!(VcpuState, cr) + field as usize)
}

/// Sets bit BT to an entry of the truth table.
fn cr_logic(l: &mut Lower, table: u8, w: u32) {
    let (bt, ba, bb) = (w >> 21 & 31, w >> 16 & 31, w >> 11 & 31);
    let asm = &mut l.asm;
    let mask = 8 >> (bt & 3);
    let constant = match table {
        // The same bit twice: xor clears, eqv sets.
        0b0110 if ba == bb => Some(false),
        0b1001 if ba == bb => Some(true),
        _ => None,
    };
    match constant {
        Some(false) => return asm.alu_imm(Alu::And, Size::B, cr(bt >> 2), !mask),
        Some(true) => return asm.alu_imm(Alu::Or, Size::B, cr(bt >> 2), mask),
        None => {}
    }
    // The table shifted right by 2a + b has the result as its lowest bit.
    let bit = |asm: &mut crate::asm::Asm, reg: Reg, n: u32| {
        asm.insn(op::MOVZX8, reg, cr(n >> 2));
        if n & 3 != 3 {
            asm.shift_imm(crate::asm::Shift::Shr, Size::D, reg, 3 - (n & 3) as u8);
        }
        asm.alu_imm(Alu::And, Size::D, reg, 1);
    };
    bit(asm, Reg::Rax, ba);
    bit(asm, Reg::Rcx, bb);
    asm.lea(Size::D, Reg::Rcx, crate::asm::Mem::Index(Reg::Rcx, Reg::Rax, 2, 0));
    asm.mov_imm(Reg::Rax, table.into());
    asm.shift_by(crate::asm::Shift::Shr, Size::D, Reg::Rax, Reg::Rax, Reg::Rcx);
    asm.alu_imm(Alu::And, Size::D, Reg::Rax, 1);
    if bt & 3 != 3 {
        asm.shift_imm(crate::asm::Shift::Shl, Size::D, Reg::Rax, 3 - (bt & 3) as u8);
    }
    asm.alu_imm(Alu::And, Size::B, cr(bt >> 2), !mask);
    asm.alu_to(Alu::Or, Size::B, cr(bt >> 2), Reg::Rax);
}

/// A trap on one relation; others are left to the interpreter.
fn trap(l: &mut Lower, double: bool, immediate: bool, w: u32) -> Option<()> {
    let cond = match w >> 21 & 31 {
        0b00001 => Cond::A,
        0b00010 => Cond::B,
        0b00100 => Cond::E,
        0b00101 => Cond::Ae,
        0b00110 => Cond::Be,
        0b01000 => Cond::G,
        0b01100 => Cond::Ge,
        0b10000 => Cond::L,
        0b10100 => Cond::Le,
        0b11000 => Cond::Ne,
        _ => return None,
    };
    let size = if double { Size::Q } else { Size::D };
    let a = l.value((w >> 16 & 31) as usize, Reg::Rax);
    if immediate {
        l.asm.alu_imm(Alu::Cmp, size, a, i32::from(w as i16));
    } else {
        let b = l.operand((w >> 11 & 31) as usize);
        l.asm.alu(Alu::Cmp, size, a, b);
    }
    let (slow, back) = l.slow_decline(false);
    l.asm.jcc(cond, slow);
    l.asm.bind(back);
    Some(())
}

/// Whether `insn` is a branch that depends on the order in CR field `field` and does not count.
pub fn tests(insn: &Insn, field: u8) -> bool {
    let w = insn.decoded.word;
    let branches = matches!(insn.op, Some(Op::Branch(Branch::Bc | Branch::BcTo(_))));
    branches && w >> 21 & 0b10100 == 0b00100 && w >> 18 & 7 == u32::from(field) && w >> 16 & 3 != 3
}

/// Translates an instruction that ends its block.
pub fn leave(l: &mut Lower, op: Branch, w: u32) {
    let links = w & 1 != 0;
    let done = l.completed();
    if let Branch::BcTo(register) = op {
        return indirect(l, register, w);
    }
    let target = plan::target(w, l.ea(), op, l.setting.sixty_four);
    let edge = Edge { target, event: target <= l.ea(), done };
    if links {
        link(l, Reg::Rax);
    }
    if op == Branch::B || plan::always(w) {
        return l.go(edge);
    }
    let skip = l.asm.label();
    let cond = taken(l, w, skip);
    l.go_if(cond, edge, tested(w));
    l.asm.bind(skip);
    fall_through(l, cond, w);
}

/// LR becomes the next address; `scratch` is lost unless LR is held.
fn link(l: &mut Lower, scratch: Reg) {
    let next = l.next_ea();
    let to = l.target(LR, scratch);
    l.asm.mov_imm(to, next);
    l.written(LR, to);
    l.linked = Some(next);
}

/// The CR field on which a conditional branch depends.
fn tested(w: u32) -> Option<u8> {
    (w >> 25 & 1 == 0).then_some((w >> 18 & 7) as u8)
}

/// Goes on to the next instruction behind a branch that is taken if `cond` holds, and the counter agrees.
fn fall_through(l: &mut Lower, cond: Cond, w: u32) {
    if let Some(field) = tested(w).filter(|_| w >> 23 & 1 != 0) {
        l.fields.learn(field, cond.not());
    }
    let edge = Edge { target: l.next_ea(), event: false, done: l.completed() };
    l.go(edge);
}

/// Code that decides a conditional branch: it is taken if the returned condition holds; code may go to `skip` where it is
/// not.
fn taken(l: &mut Lower, w: u32, skip: crate::asm::Label) -> Cond {
    let (bo, bi) = (w >> 21 & 31, w >> 16 & 31);
    if bo & 16 == 0 {
        // Both ways agree on what is computed.
        l.decides(bi);
    }
    if bo & 4 == 0 {
        let size = l.mode_size();
        let ctr = l.value(CTR, Reg::Rax);
        if size == Size::Q {
            // Neither this nor a move changes the flags again.
            l.asm.alu_imm(Alu::Sub, size, ctr, 1);
            l.written(CTR, ctr);
        } else {
            l.asm.lea(Size::Q, ctr, crate::asm::Mem::Base(ctr, -1));
            l.written(CTR, ctr);
            l.asm.test(size, ctr, ctr);
        }
        let cond = if bo & 2 != 0 { Cond::E } else { Cond::Ne };
        if bo & 16 != 0 {
            return cond;
        }
        l.asm.jcc(cond.not(), skip);
    }
    l.test_bit(bi, bo & 8 != 0)
}

fn indirect(l: &mut Lower, register: Register, w: u32) {
    // The form of bcctr that counts is invalid, and does not count.
    let w = if register == Register::Ctr { w | 4 << 21 } else { w };
    let conditional = !plan::always(w);
    if let Some((target, register)) = l.continues().filter(|_| !conditional).zip(held(register)) {
        return guarded(l, register, target, w);
    }
    let mut before = None;
    let skip = l.asm.label();
    let links = w & 1 != 0;
    // What the taken way needs is read before it splits off, so that both ways agree on what is held.
    let source = held(register);
    if let Some(register) = source {
        l.operand(register);
    }
    if conditional {
        let cond = taken(l, w, skip);
        l.asm.jcc(cond.not(), skip);
        before = Some((cond, l.fields.note()));
        if let Some(field) = tested(w) {
            l.fields.learn(field, cond);
        }
    }
    l.settle(ALL);
    match source {
        Some(register) => l.copy(register, Reg::Rax),
        None => l.asm.mov(Size::Q, Reg::Rax, state(offset_of!(VcpuState, tar))),
    }
    l.asm.alu_imm(Alu::And, l.mode_size(), Reg::Rax, !3);
    if links {
        link(l, Reg::Rcx);
    }
    l.go_indirect(source);
    if let Some((cond, noted)) = before {
        l.asm.bind(skip);
        l.fields.recall(noted);
        if links {
            link(l, Reg::Rcx);
        }
        fall_through(l, cond, w);
    }
}

/// Its number among the registers that may be held.
fn held(register: Register) -> Option<usize> {
    match register {
        Register::Lr => Some(LR),
        Register::Ctr => Some(CTR),
        Register::Tar => None,
    }
}

/// An indirect branch that is guessed to lead to `target`, where the trace goes on; it does not link if it is through LR.
fn guarded(l: &mut Lower, register: usize, target: u64, w: u32) {
    // A return from what was called in the trace, and has not touched LR.
    if register == LR && l.linked == Some(target) {
        return l.go(Edge { target, event: true, done: l.completed() });
    }
    let source = l.operand(register);
    l.asm.mov(Size::Q, Reg::Rax, source);
    l.asm.alu_imm(Alu::And, l.mode_size(), Reg::Rax, !3);
    match i32::try_from(target as i64) {
        Ok(target) => l.asm.alu_imm(Alu::Cmp, Size::Q, Reg::Rax, target),
        Err(_) => {
            l.asm.mov_imm(Reg::Rcx, target);
            l.asm.alu(Alu::Cmp, Size::Q, Reg::Rax, Reg::Rcx);
        }
    }
    l.guard(Cond::Ne, register, w & 1 != 0);
    if w & 1 != 0 {
        link(l, Reg::Rax);
    }
    l.go(Edge { target, event: true, done: l.completed() });
}
