//! Switches of mode that stay in code: system calls of problem state, and returns from interrupts, on Book3S-64.
//!
//! What a full write to the MSR leads to follows from the value, and from registers that change seldom: these together are
//! a *place*, which has a number. What was found out for a value at a place is remembered as a [`Switch`]. Code that finds
//! none calls out, and so does each of these instructions where the run may end behind it.

use std::mem::offset_of;

use exec::{Mode, Vcpu, VcpuState};
use ppc_isa::branch::Branch;
use ppc_isa::cpu::Family;
use ppc_isa::msr;
use ppc_isa::op::System;
use pv_abi::magic::offset;
use pv_abi::osi;

use crate::asm::{Alu, Asm, Cond, Label, Mem, Reg, Shift, Size};
use crate::host::{Frame, frame_field};
use crate::jumps;
use crate::lower::{KEY, Lower, PINNED, frame, home, state};
use crate::plan::{ALL, CTR, LR};
use crate::system::{self, Home};
use crate::window;

/// Switches that are remembered; a power of two.
pub const SWITCHES: usize = 256;
/// log2 of the bytes of a [`Switch`].
const SHIFT: u8 = 6;
/// Spreads values of the MSR: the golden ratio's digits have no pattern.
const SPREAD: u32 = 0x9e37_79b9;

/// What a write to the MSR leads to at a place.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
pub struct Switch {
    /// What is written.
    pub value: u64,
    /// Number of the place.
    pub place: u64,
    /// The MSR behind it.
    pub msr: u64,
    /// Mode word.
    pub mode: Mode,
    /// Needs that are not met.
    pub unavailable: u32,
    /// Key of fetches.
    pub fetch: u64,
    /// Key of data accesses, in its place in a tag.
    pub data: u64,
}

const _: () = assert!(size_of::<Switch>() == 1 << SHIFT);

impl Switch {
    /// None: of no place, not even of one that is not known.
    pub fn none() -> Switch {
        let mode = Mode::default();
        Switch { value: 0, place: u64::MAX, msr: 0, mode, unavailable: 0, fetch: 0, data: 0 }
    }
}

/// Index of the switch for `value` at `place`.
pub fn index(value: u64, place: u64) -> usize {
    ((value as u32).wrapping_add(place as u32).wrapping_mul(SPREAD) >> (32 - SWITCHES.trailing_zeros())) as usize
}

/// Whether code may switch to the state's mode: in 64-bit mode, with no arithmetic that interrupts and nothing traced.
pub fn is_plain(vcpu: &Vcpu, exacting: bool) -> bool {
    let VcpuState { cpu, mode, waiting, .. } = vcpu.state;
    let special = exacting && mode.fp_exceptions() || mode.traced() || waiting;
    cpu.family() == Family::Book3s64 && mode.sixty_four() && !special
}

/// SRR1 bits that are no MSR bits.
const STATUS: u64 = exec::delivery::book3s64::SRR1_STATUS;

/// A system call of problem state; `None` if it is left to the interpreter.
pub fn call(l: &mut Lower, op: Branch, w: u32) -> Option<()> {
    const SC_0: u32 = 0x4400_0002;
    let vectored = op == Branch::Scv;
    if !l.setting.calls || !vectored && w != SC_0 {
        return None;
    }
    l.settle(ALL);
    // It is not counted as an instruction, since it interrupts.
    let done = l.completed() - 1;
    let (slow, back) = l.slow_decline(false);
    l.asm.alu_imm(Alu::Cmp, Size::Q, Reg::R15, done as i32);
    l.asm.jcc(Cond::Le, slow);
    let delivered = frame!(l, delivered);
    if vectored {
        system::read(l, Home::Shared(offset::MSR), Reg::Rcx);
        l.asm.alu_imm(Alu::And, Size::D, Reg::Rcx, (msr::EE | msr::RI) as i32);
        l.asm.alu(Alu::Or, Size::Q, Reg::Rcx, delivered);
    } else {
        // What may be a hypercall of OSI.
        let selector = l.operand(3);
        l.asm.alu_imm(Alu::Cmp, Size::D, selector, osi::MAGIC_R3 as i32);
        l.asm.jcc(Cond::E, slow);
        l.asm.mov(Size::Q, Reg::Rcx, delivered);
    }
    look_up(l, slow);
    l.store_dirty_all();
    system::read(l, Home::Shared(offset::MSR), Reg::Rcx);
    l.asm.mov_imm(Reg::Rax, !STATUS);
    l.asm.alu(Alu::And, Size::Q, Reg::Rcx, Reg::Rax);
    let next = l.next_ea();
    l.asm.mov_imm(Reg::Rax, next);
    if vectored {
        l.asm.store(Size::Q, home(CTR), Reg::Rcx);
        l.asm.store(Size::Q, home(LR), Reg::Rax);
        let target = frame!(l, vectored);
        l.asm.mov(Size::Q, Reg::Rax, target);
        l.asm.alu_imm(Alu::Add, Size::Q, Reg::Rax, (w >> 5 & 127) as i32 * 0x20);
    } else {
        system::write(l, Home::Shared(offset::SRR1), Reg::Rcx);
        system::write(l, Home::Shared(offset::SRR0), Reg::Rax);
        let target = frame!(l, system_call);
        l.asm.mov(Size::Q, Reg::Rax, target);
    }
    go(l, done);
    l.asm.bind(back);
    Some(())
}

/// A return from an interrupt; `None` if it is a call.
pub fn return_from(l: &mut Lower, op: System) -> Option<()> {
    if l.setting.cpu.family() != Family::Book3s64 || !l.setting.sixty_four {
        return None;
    }
    l.settle(ALL);
    let done = l.completed();
    let (slow, back) = l.slow_privileged();
    l.asm.alu_imm(Alu::Cmp, Size::Q, Reg::R15, done as i32);
    l.asm.jcc(Cond::Le, slow);
    l.asm.alu_imm(Alu::Cmp, Size::Q, state(offset_of!(VcpuState, held)), 0);
    l.asm.jcc(Cond::Ne, slow);
    match op {
        System::Rfscv => l.copy(CTR, Reg::Rcx),
        _ => system::read(l, Home::Shared(offset::SRR1), Reg::Rcx),
    }
    look_up(l, slow);
    match op {
        System::Rfscv => l.copy(LR, Reg::Rax),
        _ => system::read(l, Home::Shared(offset::SRR0), Reg::Rax),
    }
    l.asm.alu_imm(Alu::And, Size::Q, Reg::Rax, !3);
    l.store_dirty_all();
    go(l, done);
    l.asm.bind(back);
    Some(())
}

/// The switch for the value in RCX, to RDX; goes to `slow` where none is remembered. RAX is lost.
fn look_up(l: &mut Lower, slow: Label) {
    let (place, switches) = (frame!(l, place), frame!(l, switches));
    let asm = &mut l.asm;
    asm.mov(Size::Q, Reg::Rax, place);
    asm.lea(Size::D, Reg::Rdx, Mem::Index(Reg::Rcx, Reg::Rax, 1, 0));
    asm.imul_imm(Size::D, Reg::Rdx, Reg::Rdx, SPREAD as i32);
    asm.shift_imm(Shift::Shr, Size::D, Reg::Rdx, 32 - SWITCHES.trailing_zeros() as u8);
    asm.shift_imm(Shift::Shl, Size::D, Reg::Rdx, SHIFT);
    asm.alu(Alu::Add, Size::Q, Reg::Rdx, switches);
    asm.alu(Alu::Cmp, Size::Q, Reg::Rcx, Mem::Base(Reg::Rdx, offset_of!(Switch, value) as i32));
    asm.jcc(Cond::Ne, slow);
    asm.alu(Alu::Cmp, Size::Q, Reg::Rax, Mem::Base(Reg::Rdx, offset_of!(Switch, place) as i32));
    asm.jcc(Cond::Ne, slow);
}

/// Goes to the address in RAX by the switch in RDX; `done` instructions are completed.
fn go(l: &mut Lower, done: u32) {
    if done != 0 {
        l.asm.alu_imm(Alu::Sub, Size::Q, Reg::R15, done as i32);
    }
    l.asm.mov(Size::Q, Reg::Rcx, Mem::Base(Reg::Rdx, offset_of!(Switch, msr) as i32));
    system::write(l, Home::Shared(offset::MSR), Reg::Rcx);
    l.asm.jmp_to(l.setting.entry.switch);
}

/// Assembles what switches have in common: the mode becomes that of the switch in RDX, and code goes on at the address in
/// RAX, or where `unknown` says if that is not remembered.
/// `look_around` looks for the window of the new space.
pub fn assemble(asm: &mut Asm, data: u64, look_around: u64, unknown: impl Fn(&mut Asm, Cond)) {
    let field = |offset: usize| frame_field(data, offset);
    let from = |offset: usize| Mem::Base(Reg::Rdx, offset as i32);
    asm.mov(Size::D, Reg::Rcx, from(offset_of!(Switch, mode)));
    asm.store(Size::D, state(offset_of!(VcpuState, mode)), Reg::Rcx);
    asm.mov(Size::D, Reg::Rcx, from(offset_of!(Switch, unavailable)));
    asm.store(Size::W, state(offset_of!(VcpuState, unavailable)), Reg::Rcx);
    asm.mov(Size::Q, KEY, from(offset_of!(Switch, data)));
    asm.store(Size::Q, field(offset_of!(Frame, data_key)), KEY);
    asm.mov(Size::Q, Reg::Rcx, from(offset_of!(Switch, fetch)));
    asm.store(Size::Q, field(offset_of!(Frame, fetch_key)), Reg::Rcx);
    jumps::spread_of(asm, Reg::Rcx);
    asm.store(Size::Q, field(offset_of!(Frame, fetch_spread)), Reg::Rcx);
    asm.store(Size::Q, field(offset_of!(Frame, switched)), Reg::Rdx);
    asm.push(Reg::Rax);
    for (_, host) in PINNED.into_iter().filter(|(guest, _)| *guest == window::STACK) {
        asm.mov(Size::Q, Reg::Rax, host);
    }
    asm.call_to(look_around);
    asm.pop(Reg::Rax);
    jumps::go(asm, data, unknown);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_the_msr_are_spread() {
        let user = msr::SF | msr::EE | msr::PR | msr::ME | msr::IR | msr::DR | msr::RI | msr::LE;
        let kernel = user & !(msr::PR | msr::EE);
        let all = [user, user | msr::FP, user | msr::FP | msr::VEC | msr::VSX, kernel, kernel | msr::EE];
        let mut found: Vec<usize> = (1..9).flat_map(|place| all.map(|value| index(value, place))).collect();
        assert!(found.iter().all(|index| *index < SWITCHES));
        found.sort_unstable();
        found.dedup();
        assert!(found.len() > 8 * all.len() * 3 / 4, "{found:?}");
    }
}
