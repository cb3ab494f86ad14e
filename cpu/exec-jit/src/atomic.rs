//! Reservations: loads that make one, and stores that need one.
//!
//! The fast path is for a granule that the interpreter's handlers have made watched and reserved before: its word says
//! that this vCPU holds a reservation, and nobody else, and nobody has it locked. A conditional store leaves the bit where
//! it is, for the next load, since a reservation is in the state as well: it ends there. Whoever else stores clears the
//! bit. With one vCPU nobody else stores while code runs; with several, a conditional store locks the granule.
//! docs/memory-ordering.md has the rules.

use std::mem::offset_of;

use exec::VcpuState;
use exec::state::Reservation;
use exec_interp::fields::rt;
use guest_mem::LOCKED_BIT;

use crate::asm::{Alu, Cond, Mem, Reg, Shift, Size};
use crate::branch::cr;
use crate::loadstore::{effective_address, fetch, put, report, reverse, translate_aligned};
use crate::lower::{Lower, frame, state};

const BYTES: usize = offset_of!(VcpuState, reservation) + offset_of!(Reservation, bytes);
const REAL: usize = offset_of!(VcpuState, reservation) + offset_of!(Reservation, real);
const VALUE: usize = offset_of!(VcpuState, reservation) + offset_of!(Reservation, value);

/// RCX = address of the word of the granule of the host address in RAX; RDX = what it is while this vCPU alone holds a
/// reservation there.
fn word(l: &mut Lower) {
    let granules = frame!(l, granules);
    let (shift, held) = (l.setting.granule, l.setting.reserved);
    let asm = &mut l.asm;
    asm.mov(Size::Q, Reg::Rcx, Reg::Rax);
    asm.shift_imm(Shift::Shr, Size::Q, Reg::Rcx, shift);
    asm.shift_imm(Shift::Shl, Size::Q, Reg::Rcx, 3);
    asm.alu(Alu::Add, Size::Q, Reg::Rcx, granules);
    asm.mov_imm(Reg::Rdx, held);
}

/// `l*arx` of up to 8 bytes.
pub fn load_reserve(l: &mut Lower, bytes: u8, w: u32) {
    // What a handler writes is held where it would be.
    l.operand(rt(w));
    effective_address(l, None, false, w);
    let (missed, done) = l.slow_decline(true);
    let (slow, back) = l.slow_decline(false);
    translate_aligned(l, bytes, false, missed);
    word(l);
    l.asm.alu(Alu::Cmp, Size::Q, Reg::Rdx, Mem::Base(Reg::Rcx, 0));
    l.asm.jcc(Cond::Ne, slow);
    let at = Mem::Base(Reg::Rax, 0);
    fetch(l, at, bytes, false, !l.setting.little, Reg::Rdx);
    let ram = frame!(l, ram);
    let asm = &mut l.asm;
    asm.store(Size::Q, state(VALUE), Reg::Rdx);
    asm.store_imm(Size::Q, state(VALUE + 8), 0);
    asm.alu(Alu::Sub, Size::Q, Reg::Rax, ram);
    asm.store(Size::Q, state(REAL), Reg::Rax);
    asm.mov_imm(Reg::Rcx, bytes.into());
    asm.store(Size::B, state(BYTES), Reg::Rcx);
    l.written(rt(w), Reg::Rdx);
    l.asm.bind(done);
    l.asm.bind(back);
}

/// `st*cx.` of up to 8 bytes. It is declined where it may not store.
pub fn store_conditional(l: &mut Lower, bytes: u8, w: u32) {
    let value = l.operand(rt(w));
    effective_address(l, None, false, w);
    let (missed, done) = l.slow_decline(true);
    let (slow, back) = l.slow_decline(false);
    translate_aligned(l, bytes, true, missed);
    let ram = frame!(l, ram);
    let so = state(offset_of!(VcpuState, so));
    let asm = &mut l.asm;
    let reserved = asm.label();
    asm.alu_imm(Alu::Cmp, Size::B, state(BYTES), bytes.into());
    asm.jcc(Cond::E, reserved);
    // Interrupts end with one, lest a reservation be left.
    asm.alu_imm(Alu::Cmp, Size::B, state(BYTES), 0);
    asm.jcc(Cond::Ne, slow);
    asm.insn(crate::asm::op::MOVZX8, Reg::Rdx, so);
    asm.store(Size::B, cr(0), Reg::Rdx);
    asm.jmp(done);
    asm.bind(reserved);
    asm.mov(Size::Q, Reg::Rdx, Reg::Rax);
    asm.alu(Alu::Sub, Size::Q, Reg::Rdx, ram);
    asm.alu(Alu::Cmp, Size::Q, Reg::Rdx, state(REAL));
    asm.jcc(Cond::Ne, slow);
    word(l);
    let big = !l.setting.little;
    if l.setting.watched.is_none() {
        l.asm.alu(Alu::Cmp, Size::Q, Reg::Rdx, Mem::Base(Reg::Rcx, 0));
        l.asm.jcc(Cond::Ne, slow);
        let at = Mem::Base(Reg::Rax, 0);
        fetch(l, at, bytes, false, big, Reg::Rdx);
        l.asm.alu(Alu::Cmp, Size::Q, Reg::Rdx, state(VALUE));
        l.asm.jcc(Cond::Ne, slow);
        l.asm.mov(Size::Q, Reg::Rdx, value);
        put(l, at, bytes, big, Reg::Rdx);
        l.asm.insn(crate::asm::op::MOVZX8, Reg::Rdx, so);
        l.asm.alu_imm(Alu::Or, Size::D, Reg::Rdx, 2);
        l.asm.store(Size::B, cr(0), Reg::Rdx);
        l.asm.alu_imm(Alu::And, Size::B, state(BYTES), 0);
        l.asm.bind(done);
        return l.asm.bind(back);
    }
    let host = frame!(l, ea);
    l.asm.store(Size::Q, host, Reg::Rax);
    l.asm.mov(Size::Q, Reg::Rax, Reg::Rdx);
    l.asm.bts_imm(Size::Q, Reg::Rdx, LOCKED_BIT);
    l.asm.lock_cmpxchg(Size::Q, Mem::Base(Reg::Rcx, 0), Reg::Rdx);
    l.asm.mov(Size::Q, Reg::Rdx, value);
    l.asm.jcc(Cond::Ne, slow);
    l.asm.mov(Size::Q, Reg::Rax, state(VALUE));
    l.asm.mov(Size::Q, Reg::Rcx, host);
    let size = match bytes {
        1 => Size::B,
        2 => Size::W,
        4 => Size::D,
        _ => Size::Q,
    };
    if big {
        for reg in [Reg::Rax, Reg::Rdx] {
            reverse(l, bytes, reg);
        }
    }
    l.asm.lock_cmpxchg(size, Mem::Base(Reg::Rcx, 0), Reg::Rdx);
    l.asm.set(Cond::E, Reg::Rdx);
    l.asm.insn(crate::asm::op::MOVZX8, Reg::Rdx, Reg::Rdx);
    l.asm.insn(crate::asm::op::MOVZX8, Reg::Rax, so);
    l.asm.lea(Size::D, Reg::Rdx, Mem::Index(Reg::Rax, Reg::Rdx, 2, 0));
    l.asm.store(Size::B, cr(0), Reg::Rdx);
    l.asm.alu_imm(Alu::And, Size::B, state(BYTES), 0);
    l.asm.mov(Size::Q, Reg::Rax, Reg::Rcx);
    word(l);
    l.asm.store(Size::Q, Mem::Base(Reg::Rcx, 0), Reg::Rdx);
    report(l);
    l.asm.bind(done);
    l.asm.bind(back);
}
