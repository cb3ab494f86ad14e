//! Privileged instructions, and moves to and from special purpose registers.
//!
//! What only moves a value has code of its own. Everything else privileged is a call of [`crate::slow::privileged`], and so
//! is each of these if there is something to look at behind it: they are event points.

use std::mem::offset_of;

use exec::state::BookE;
use exec::vcpu::kept_msr;
use exec::{SharedPage, Vcpu, VcpuState};
use exec_interp::fields;
use ppc_isa::cpu::Family;
use ppc_isa::op::{Integer, Op, System};
use ppc_isa::system::BookE as booke;
use ppc_isa::{msr, spr};
use pv_abi::magic::offset;

use crate::asm::{Alu, Cond, Label, Mem, Reg, Shift, Size, op};
use crate::lower::{BIAS, Lower, frame, state};
use crate::switch;

/// Where the value of a register is.
#[derive(Clone, Copy)]
pub enum Home {
    /// A doubleword of the state.
    State(usize),
    /// A doubleword of the shared page.
    Shared(usize),
    /// A word of the shared page.
    SharedWord(usize),
    /// A doubleword of the state, which keeps these bits.
    Masked(usize, u64),
}

/// A privileged register that is a place in memory, for reads or for writes (`writes`).
fn home(family: Family, number: u16, writes: bool) -> Option<Home> {
    let sprg = |n: u16| offset::SPRG0 + 8 * usize::from(n);
    match (number, family) {
        (spr::SRR0, _) => Some(Home::Shared(offset::SRR0)),
        (spr::SRR1, _) => Some(Home::Shared(offset::SRR1)),
        (spr::SPRG0..=spr::SPRG3, _) => Some(Home::Shared(sprg(number - spr::SPRG0))),
        (spr::DAR, Family::Book3s64 | Family::Book3s32) => Some(Home::Shared(offset::DAR)),
        (spr::DSISR, Family::Book3s64 | Family::Book3s32) => Some(Home::SharedWord(offset::DSISR)),
        (spr::SPRG4..=spr::SPRG7, _) => Some(Home::Shared(offset::SPRG4 + 8 * usize::from(number - spr::SPRG4))),
        (_, Family::BookE) => booke_home(number),
        (spr::CFAR, Family::Book3s64) => Some(Home::State(offset_of!(VcpuState, cfar))),
        (spr::AMR, Family::Book3s64) if !writes => Some(Home::State(offset_of!(VcpuState, amr))),
        (spr::IAMR, Family::Book3s64) if !writes => Some(Home::State(offset_of!(VcpuState, iamr))),
        (spr::DSCR, Family::Book3s64) if !writes => Some(Home::State(offset_of!(VcpuState, dscr))),
        (spr::FSCR, Family::Book3s64) if !writes => Some(Home::State(offset_of!(VcpuState, fscr))),
        _ => None,
    }
}

/// The same for what is BookE's own.
fn booke_home(number: u16) -> Option<Home> {
    let (bucsr, kept) = BookE::BUCSR;
    match number {
        spr::booke::DEAR => Some(Home::Shared(offset::DAR)),
        spr::booke::ESR => Some(Home::SharedWord(offset::ESR)),
        spr::booke::MAS0 => Some(Home::SharedWord(offset::MAS0)),
        spr::booke::MAS1 => Some(Home::SharedWord(offset::MAS1)),
        spr::booke::MAS2 => Some(Home::Shared(offset::MAS2)),
        spr::booke::MAS4 => Some(Home::SharedWord(offset::MAS4)),
        spr::booke::MAS6 => Some(Home::SharedWord(offset::MAS6)),
        spr::booke::BUCSR => Some(Home::Masked(offset_of!(VcpuState, booke) + bucsr, kept)),
        _ => None,
    }
}

/// A place in the shared page.
pub fn shared(at: usize) -> Mem {
    const PAGE: i64 = offset_of!(Vcpu, shared) as i64 - offset_of!(Vcpu, state) as i64 + SharedPage::BYTES as i64;
    Mem::Base(Reg::Rbp, (PAGE + at as i64 - BIAS as i64) as i32)
}

/// Translates a privileged instruction; `None` if it is a call.
pub fn lower(l: &mut Lower, op: Op, w: u32) -> Option<()> {
    let rt = fields::rt(w);
    let family = l.setting.cpu.family();
    match op {
        Op::Integer(Integer::Mfspr) => {
            let home = home(family, spr::number(w), false)?;
            let (_, back) = begin(l, rt);
            let to = l.target(rt, Reg::Rax);
            read(l, home, to);
            l.written(rt, to);
            l.asm.bind(back);
        }
        Op::Integer(Integer::Mtspr) => {
            let home = home(family, spr::number(w), true)?;
            let (_, back) = begin(l, rt);
            let value = l.value(rt, Reg::Rax);
            write(l, home, value);
            l.asm.bind(back);
        }
        Op::System(System::Mfmsr) => {
            let (_, back) = begin(l, rt);
            let to = l.target(rt, Reg::Rax);
            read(l, Home::Shared(offset::MSR), to);
            l.written(rt, to);
            l.asm.bind(back);
        }
        Op::System(System::Mtmsr | System::Mtmsrd) if family == Family::Book3s64 && w >> 16 & 1 != 0 => {
            replace(l, rt, msr::EE | msr::RI);
        }
        Op::System(System::Mtmsr) if family != Family::Book3s64 => {
            let (slow, back) = begin(l, rt);
            // What the page says of the mode is what the guest has stored there, once it is mapped.
            let mapped = frame!(l, mapped);
            l.asm.alu_imm(Alu::Cmp, Size::D, mapped, 0);
            l.asm.jcc(Cond::Ne, slow);
            read(l, Home::Shared(offset::MSR), Reg::Rax);
            l.copy(rt, Reg::Rcx);
            l.asm.test_imm(Size::D, Reg::Rcx, msr::POW as i32);
            l.asm.jcc(Cond::Ne, slow);
            l.asm.alu_imm(Alu::And, Size::D, Reg::Rcx, kept_msr(l.setting.cpu) as i32);
            l.asm.alu(Alu::Xor, Size::D, Reg::Rax, Reg::Rcx);
            l.asm.test_imm(Size::D, Reg::Rax, !(msr::EE | msr::CE | msr::ME | msr::RI) as i32);
            l.asm.jcc(Cond::Ne, slow);
            write(l, Home::Shared(offset::MSR), Reg::Rcx);
            l.asm.bind(back);
        }
        Op::System(System::BookE(booke::Wrtee)) => replace(l, rt, msr::EE),
        Op::System(System::BookE(booke::Wrteei)) => {
            const EE: i32 = msr::EE as i32;
            let (_, back) = begin(l, rt);
            read(l, Home::Shared(offset::MSR), Reg::Rax);
            match w & msr::EE as u32 {
                0 => l.asm.alu_imm(Alu::And, Size::Q, Reg::Rax, !EE),
                _ => l.asm.alu_imm(Alu::Or, Size::Q, Reg::Rax, EE),
            }
            write_whole(l, Home::Shared(offset::MSR), Reg::Rax);
            l.asm.bind(back);
        }
        Op::System(op @ (System::Rfid | System::Rfscv)) => return switch::return_from(l, op),
        _ => return None,
    }
    Some(())
}

/// RS replaces `bits` of the MSR, on which no mode depends. What the guest has stored beside them in the page stays.
fn replace(l: &mut Lower, rs: usize, bits: u64) {
    let (_, back) = begin(l, rs);
    read(l, Home::Shared(offset::MSR), Reg::Rax);
    l.copy(rs, Reg::Rcx);
    l.asm.alu_imm(Alu::And, Size::Q, Reg::Rax, !bits as i32);
    l.asm.alu_imm(Alu::And, Size::D, Reg::Rcx, bits as i32);
    l.asm.alu(Alu::Or, Size::Q, Reg::Rax, Reg::Rcx);
    write_whole(l, Home::Shared(offset::MSR), Reg::Rax);
    l.asm.bind(back);
}

/// Begins code for a privileged instruction: calls out instead where the run may end behind it, or an interrupt is held.
/// That is at the first label, the second one is to be bound behind it. RT, which it names, is held if it ever is.
fn begin(l: &mut Lower, rt: usize) -> (Label, Label) {
    l.operand(rt);
    let (slow, back) = l.slow_privileged();
    let done = l.completed() as i32;
    l.asm.alu_imm(Alu::Cmp, Size::Q, Reg::R15, done);
    l.asm.jcc(Cond::Le, slow);
    l.asm.alu_imm(Alu::Cmp, Size::Q, state(offset_of!(VcpuState, held)), 0);
    l.asm.jcc(Cond::Ne, slow);
    (slow, back)
}

/// Reads a register.
pub fn read(l: &mut Lower, home: Home, to: Reg) {
    let little = l.setting.shared_little;
    match home {
        Home::State(at) | Home::Masked(at, _) => l.asm.mov(Size::Q, to, state(at)),
        Home::Shared(at) if little => l.asm.mov(Size::Q, to, shared(at)),
        Home::Shared(at) => l.asm.insn(op::MOVBE64, to, shared(at)),
        Home::SharedWord(at) if little => l.asm.mov(Size::D, to, shared(at)),
        Home::SharedWord(at) => l.asm.insn(op::MOVBE32, to, shared(at)),
    }
}

/// Writes `value`, of which a CPU of 32 bits has only these; RCX is lost, and so may be RDX.
pub fn write(l: &mut Lower, home: Home, value: Reg) {
    if l.setting.wide {
        return write_whole(l, home, value);
    }
    l.asm.mov(Size::D, Reg::Rcx, value);
    write_whole(l, home, Reg::Rcx);
}

/// Writes all of `value`; RDX may be lost.
fn write_whole(l: &mut Lower, home: Home, value: Reg) {
    let little = l.setting.shared_little;
    let asm = &mut l.asm;
    match home {
        Home::State(at) => asm.store(Size::Q, state(at), value),
        Home::Masked(at, kept) => {
            asm.mov_imm(Reg::Rdx, kept);
            asm.alu(Alu::And, Size::Q, Reg::Rdx, value);
            asm.store(Size::Q, state(at), Reg::Rdx);
        }
        Home::Shared(at) if little => asm.store(Size::Q, shared(at), value),
        Home::Shared(at) => asm.store_reversed(Size::Q, shared(at), value),
        Home::SharedWord(at) if little => asm.store(Size::D, shared(at), value),
        Home::SharedWord(at) => asm.store_reversed(Size::D, shared(at), value),
    }
}

/// Where a register of problem state on Book3S-64 is that is no privileged one, and the bits that writes keep.
fn plain(number: u16) -> Option<(usize, Size, u64)> {
    let ebb = offset_of!(VcpuState, ebb);
    Some(match number {
        spr::TAR => (offset_of!(VcpuState, tar), Size::Q, u64::MAX),
        spr::VRSAVE => (offset_of!(VcpuState, vrsave), Size::D, u64::MAX),
        spr::UDSCR => (offset_of!(VcpuState, dscr), Size::Q, 0x1ff_ffff),
        spr::PPR => (offset_of!(VcpuState, ppr), Size::Q, 0x1c_0000_0000_0000),
        spr::BESCR => (ebb, Size::Q, u64::MAX),
        spr::EBBHR => (ebb + 8, Size::Q, u64::MAX),
        spr::EBBRR => (ebb + 16, Size::Q, u64::MAX),
        _ => return None,
    })
}

/// Moves from a register of problem state that is no privileged instruction; `None` if it is left to the interpreter.
pub fn move_from(l: &mut Lower, w: u32) -> Option<()> {
    let number = spr::number(w);
    match number {
        spr::XER => read_xer(l),
        spr::TB | spr::booke::ATBL | spr::TBU | spr::booke::ATBU => {
            let done = l.completed() - 1;
            l.asm.mov_imm(Reg::Rdx, done.into());
            l.call_inline(l.setting.entry.time);
            if matches!(number, spr::TBU | spr::booke::ATBU) {
                l.asm.shift_imm(Shift::Shr, Size::Q, Reg::Rax, 32);
            }
        }
        _ if l.setting.cpu.family() == Family::Book3s64 => {
            let (at, size, _) = plain(number)?;
            l.asm.mov(size, Reg::Rax, state(at));
        }
        _ => return None,
    }
    l.written(fields::rt(w), Reg::Rax);
    Some(())
}

/// Moves to a register of problem state that is no privileged instruction; `None` if it is left to the interpreter.
pub fn move_to(l: &mut Lower, w: u32) -> Option<()> {
    let rt = fields::rt(w);
    if spr::number(w) == spr::XER {
        l.operand(rt);
        let (slow, back) = l.slow_decline(false);
        l.copy(rt, Reg::Rax);
        write_xer(l, slow);
        l.asm.bind(back);
        return Some(());
    }
    let (at, size, kept) = plain(spr::number(w)).filter(|_| l.setting.cpu.family() == Family::Book3s64)?;
    let mut value = l.value(rt, Reg::Rax);
    if kept != u64::MAX {
        l.asm.mov_imm(Reg::Rcx, kept);
        l.asm.alu(Alu::And, Size::Q, Reg::Rcx, value);
        value = Reg::Rcx;
    }
    l.asm.store(size, state(at), value);
    Some(())
}

/// Bits of XER that are fields of their own, by their numbers from the right.
const XER: [(usize, u8); 5] = [
    (offset_of!(VcpuState, so), 31),
    (offset_of!(VcpuState, ov), 30),
    (offset_of!(VcpuState, ca), 29),
    (offset_of!(VcpuState, ov32), 19),
    (offset_of!(VcpuState, ca32), 18),
];

/// XER, to RAX (Power ISA Book I, section 3.2.2). CA32 and OV32 exist from ISA 3.0 on. RCX is lost.
fn read_xer(l: &mut Lower) {
    let third = l.setting.cpu.level() >= 300;
    let asm = &mut l.asm;
    asm.mov(Size::D, Reg::Rax, state(offset_of!(VcpuState, xer_low)));
    for (at, bit) in XER.into_iter().filter(|(_, bit)| third || *bit >= 29) {
        asm.insn(op::MOVZX8, Reg::Rcx, state(at));
        asm.shift_imm(Shift::Shl, Size::D, Reg::Rcx, bit);
        asm.alu(Alu::Or, Size::D, Reg::Rax, Reg::Rcx);
    }
}

/// RAX, to XER; goes to `slow` if SO changes, on which code rests.
fn write_xer(l: &mut Lower, slow: Label) {
    let [(_, so), rest @ ..] = XER;
    let changes = if l.setting.overflowed { Cond::Ae } else { Cond::B };
    let asm = &mut l.asm;
    asm.bt_imm(Size::D, Reg::Rax, so);
    asm.jcc(changes, slow);
    for (at, bit) in rest {
        asm.bt_imm(Size::D, Reg::Rax, bit);
        asm.set(Cond::B, state(at));
    }
    asm.alu_imm(Alu::And, Size::D, Reg::Rax, 0x7f);
    asm.store(Size::D, state(offset_of!(VcpuState, xer_low)), Reg::Rax);
}
