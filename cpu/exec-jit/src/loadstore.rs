//! Fixed-point loads and stores, barriers and hints.
//!
//! The fast path looks into the software TLB, or rests on a strip's look. What it does not find, what crosses the end of a
//! unit, and stores to pages that hold code or to granules that are watched leave it for the engine.

use std::mem::offset_of;

use exec_interp::fields::{ra, rt};
use guest_mem::NOTICED;
use ppc_isa::loadstore::{Access as Shape, Form, LoadStore};

use crate::asm::{Alu, Cond, Label, Mem, Reg, Rm, Shift, Size, op, vop};
use crate::atomic;
use crate::float;
use crate::lower::{Access, Lower, Scaled, Search, Value, frame, home};
use crate::vsr::X0;
use crate::{search, tlb, window};

/// Translates `op`; `None` if it is left to the interpreter.
pub fn lower(l: &mut Lower, op: LoadStore, w: u32) -> Option<()> {
    match op {
        LoadStore::Load(shape) if shape.form != Form::Prefixed => return load(l, shape, w),
        LoadStore::Store(shape) if shape.form != Form::Prefixed => store(l, shape, w),
        LoadStore::Hint | LoadStore::ReservedNoOp | LoadStore::Eieio => {}
        // L=1 orders what the host orders anyway.
        LoadStore::Sync if w >> 21 & 7 == 1 => {}
        LoadStore::Sync if l.setting.watched.is_none() => {}
        LoadStore::Sync => full_barrier(l),
        LoadStore::Touch { .. } => touch(l, w),
        LoadStore::LoadReserve { bytes } if bytes <= 8 => atomic::load_reserve(l, bytes, w),
        LoadStore::StoreConditional { bytes } if bytes <= 8 => atomic::store_conditional(l, bytes, w),
        LoadStore::StoreMultiple => return store_multiple(l, w),
        LoadStore::BlockZero => zero_block(l, w),
        LoadStore::Isync => l.synchronise(),
        _ => return None,
    }
    Some(())
}

/// The effective address as an operand, unless a strip vouches for the access: registers that stay have it, or RAX.
pub fn address(l: &mut Lower, form: Form, update: bool, w: u32) -> Mem {
    operand(l, displacement(form, w), update, w)
}

/// The same, with a displacement or with RB.
pub fn operand(l: &mut Lower, displacement: Option<i32>, update: bool, w: u32) -> Mem {
    if l.is_streamed() {
        return IN_RAX;
    }
    if let Some(displacement) = displacement.filter(|_| l.setting.sixty_four && (ra(w) != 0 || update)) {
        let base = l.value(ra(w), Reg::Rax);
        if base != Reg::Rax {
            return Mem::Base(base, displacement);
        }
    }
    effective_address(l, displacement, update, w);
    IN_RAX
}

/// Entries that a link of a chain of pointers remembers besides the last one.
const OLDER: u32 = 3;
/// What RAX says.
pub const IN_RAX: Mem = Mem::Base(Reg::Rax, 0);

/// The displacement of an access of a form that has one.
pub fn displacement(form: Form, w: u32) -> Option<i32> {
    match form {
        Form::X => None,
        Form::Ds => Some(i32::from(w as i16) & !3),
        _ => Some(i32::from(w as i16)),
    }
}

/// The effective address, to RAX: RA with a displacement, or with RB. RA = 0 stands for zero unless it is updated.
pub fn effective_address(l: &mut Lower, displacement: Option<i32>, update: bool, w: u32) {
    let size = l.mode_size();
    let base = if ra(w) == 0 && !update { None } else { Some(l.value(ra(w), Reg::Rax)) };
    match displacement {
        None => {
            let rb = (w >> 11 & 31) as usize;
            match (base, l.operand(rb)) {
                (Some(base), Rm::Reg(index)) => l.asm.lea(size, Reg::Rax, Mem::Index(base, index, 1, 0)),
                (Some(base), index) => {
                    if base != Reg::Rax {
                        l.asm.mov(Size::Q, Reg::Rax, base);
                    }
                    l.asm.alu(Alu::Add, size, Reg::Rax, index);
                }
                (None, index) => l.asm.mov(size, Reg::Rax, index),
            }
        }
        Some(displacement) => match base {
            Some(base) => l.asm.lea(size, Reg::Rax, Mem::Base(base, displacement)),
            None if l.setting.sixty_four => l.asm.mov_imm(Reg::Rax, displacement as u64),
            None => l.asm.mov_imm(Reg::Rax, u64::from(displacement as u32)),
        },
    }
}

/// The place in the host of what is at the effective address `address`; it goes to `slow` with that in RAX if the TLB does
/// not know. RAX, RCX and RDX are lost, or are part of the place. The bytes may lie anywhere in a unit; `bytes` is 1 where
/// they are aligned in any case.
pub fn translate(l: &mut Lower, address: Mem, bytes: u8, stores: bool, slow: Label) -> Mem {
    find(l, address, bytes, stores, slow, false, 0)
}

/// The same, but what is not aligned goes to `slow`.
pub fn translate_strictly(l: &mut Lower, address: Mem, bytes: u8, stores: bool, slow: Label) -> Mem {
    find(l, address, bytes, stores, slow, true, 0)
}

/// The same for the address in RAX, where the place comes.
pub fn translate_aligned(l: &mut Lower, bytes: u8, stores: bool, slow: Label) {
    match translate_strictly(l, IN_RAX, bytes, stores, slow) {
        IN_RAX => {}
        place => l.asm.lea(Size::Q, Reg::Rax, place),
    }
}

fn find(l: &mut Lower, address: Mem, bytes: u8, stores: bool, slow: Label, strict: bool, older: u32) -> Mem {
    if let Some(place) = l.streamed_place() {
        return place;
    }
    if let Some(member) = l.member.filter(|_| !strict) {
        return l.group_place(member, address, bytes, stores, slow);
    }
    // An index that was added just now: then the host's address does not wait for the sum.
    let until = l.asm.here();
    let plain = l.setting.sixty_four && !strict && older == 0 && bytes <= 8 && !(stores && l.setting.watched.is_some());
    let scaled = match (address, l.summed.take()) {
        (Mem::Base(base, displacement), Some((sum, scaled))) if plain && base == sum && scaled.until == until => {
            Some((scaled, displacement))
        }
        _ => None,
    };
    let (hint, unit, key) = (l.hint(older), l.setting.unit, l.key());
    let tag = tlb::Entry::tag_at(stores);
    let (label, back) = (l.asm.label(), l.asm.label());
    let watched = l.setting.watched.filter(|_| stores);
    let asm = &mut l.asm;
    let address = match watched {
        // RAX stays the effective address until nothing can leave any more.
        Some(_) if address != IN_RAX => {
            asm.lea(Size::Q, Reg::Rax, address);
            IN_RAX
        }
        _ => address,
    };
    asm.mov(Size::Q, Reg::Rcx, hint);
    search::tag_of(asm, address, bytes, unit, key);
    asm.alu(Alu::Cmp, Size::Q, Reg::Rdx, Mem::Base(Reg::Rcx, tag as i32));
    asm.jcc(Cond::Ne, label);
    asm.bind(back);
    let search_at = l.setting.entry.searches.of(unit, stores, if strict { 1 } else { bytes });
    let index = scaled.filter(|(scaled, _)| scaled.index == Reg::Rax).map(|(scaled, _)| scaled);
    l.slow_search(Search { label, back, slow, hint, older, address, tag, search: search_at, index });
    let addend = Mem::Base(Reg::Rcx, offset_of!(tlb::Entry, addend) as i32);
    let granules = frame!(l, granules);
    let asm = &mut l.asm;
    let ends = [Some(0), (bytes == 16).then_some(15)];
    for (shift, end) in watched.into_iter().flat_map(|shift| ends.into_iter().flatten().map(move |end| (shift, end))) {
        asm.mov(Size::Q, Reg::Rdx, addend);
        asm.lea(Size::Q, Reg::Rdx, Mem::Index(Reg::Rdx, Reg::Rax, 1, end));
        asm.shift_imm(Shift::Shr, Size::Q, Reg::Rdx, shift);
        asm.shift_imm(Shift::Shl, Size::Q, Reg::Rdx, 3);
        asm.alu(Alu::Add, Size::Q, Reg::Rdx, granules);
        asm.alu_imm(Alu::Cmp, Size::Q, Mem::Base(Reg::Rdx, 0), 0);
        asm.jcc(Cond::Ne, slow);
    }
    if watched.is_some() {
        asm.alu(Alu::Add, Size::Q, Reg::Rax, addend);
        return IN_RAX;
    }
    // The sum is the host's to make, so that a chain of loads does not wait for it.
    asm.mov(Size::Q, Reg::Rcx, addend);
    if let Some((Scaled { base, index, amount, .. }, displacement)) = scaled {
        let base = l.operand(base);
        l.asm.alu(Alu::Add, Size::Q, Reg::Rcx, base);
        return Mem::Index(Reg::Rcx, index, 1 << amount, displacement);
    }
    address.plus(Reg::Rcx)
}

/// Behind a store to the host address in RAX: reports it if its page holds code. RCX and RDX are lost. With one vCPU
/// there is nothing to report: entries for stores are of units without code.
pub fn report(l: &mut Lower) {
    if l.setting.watched.is_none() {
        return;
    }
    let code = frame!(l, code);
    let (wrote, back) = l.slow_report();
    let asm = &mut l.asm;
    asm.mov(Size::Q, Reg::Rcx, code);
    asm.mov(Size::Q, Reg::Rdx, Reg::Rax);
    asm.shift_imm(Shift::Shr, Size::Q, Reg::Rdx, guest_mem::PAGE_SHIFT as u8);
    asm.test_imm(Size::D, Mem::Index(Reg::Rcx, Reg::Rdx, 8, 0), NOTICED as i32);
    asm.jcc(Cond::Ne, wrote);
    asm.bind(back);
}

/// The displacement from the stack pointer of an access that goes through the window.
fn near(l: &Lower, shape: Shape, stores: bool, w: u32) -> Option<i32> {
    let displacement = displacement(shape.form, w).filter(|_| ra(w) == window::STACK)?;
    l.is_in_window(displacement, shape.bytes, stores).then_some(displacement)
}

/// Writes the address back to RA. What it was made of has not changed since.
pub fn update(l: &mut Lower, form: Form, w: u32) {
    if let Some(displacement) = displacement(form, w) {
        let (base, to) = (l.value(ra(w), Reg::Rax), l.target(ra(w), Reg::Rax));
        l.asm.lea(l.mode_size(), to, Mem::Base(base, displacement));
        return l.written(ra(w), to);
    }
    effective_address(l, displacement(form, w), true, w);
    l.written(ra(w), Reg::Rax);
}

fn load(l: &mut Lower, shape: Shape, w: u32) -> Option<()> {
    let Shape { bytes, form, update: updates, signed, reversed } = shape;
    // With RA = RT, what was loaded stays.
    let kept = updates && ra(w) != rt(w);
    if kept && form == Form::X && rt(w) == (w >> 11 & 31) as usize {
        return None;
    }
    let near = near(l, shape, false, w);
    let address = if near.is_some() { IN_RAX } else { address(l, form, updates, w) };
    let to = l.target(rt(w), Reg::Rax);
    let value = Value::Register(rt(w));
    let access = Access { bytes, value, to, signed, reversed, stores: false, misaligned: None };
    let (slow, back) = l.slow_access(access);
    // A chain of pointers leads to a few small pages again and again: the host guesses to which, and waits for none.
    let chain = rt(w) == ra(w) && form != Form::X && l.setting.unit == tlb::SMALL;
    let at = match near {
        Some(displacement) => l.window_place(displacement, bytes, false, slow),
        None => find(l, address, bytes, false, slow, false, if chain { OLDER } else { 0 }),
    };
    let big = l.setting.little == reversed && !l.reversed.has(rt(w));
    fetch(l, at, bytes, signed, big, to);
    l.asm.bind(back);
    l.written(rt(w), to);
    if kept {
        update(l, form, w);
    }
    Some(())
}

/// Loads from a place in the host.
pub fn fetch(l: &mut Lower, at: Mem, bytes: u8, signed: bool, big: bool, to: Reg) {
    match (bytes, big) {
        (1, _) => l.asm.insn(op::MOVZX8, to, at),
        (2, false) if signed => l.asm.insn(op::MOVSX16, to, at),
        (2, false) => l.asm.insn(op::MOVZX16, to, at),
        (2, true) => {
            l.asm.insn(op::MOVZX16, to, at);
            reverse(l, bytes, to);
            if signed {
                l.asm.insn(op::MOVSX16, to, to);
            }
        }
        (4, false) if signed => l.asm.movsxd(to, at),
        (4, false) => l.asm.mov(Size::D, to, at),
        (4, true) => {
            l.asm.insn(op::MOVBE32, to, at);
            if signed {
                l.asm.movsxd(to, to);
            }
        }
        (_, false) => l.asm.mov(Size::Q, to, at),
        (_, true) => l.asm.insn(op::MOVBE64, to, at),
    }
}

fn store(l: &mut Lower, shape: Shape, w: u32) {
    let Shape { bytes, form, update: updates, reversed, .. } = shape;
    // What is held is loaded before the ways part.
    l.operand(rt(w));
    let near = near(l, shape, true, w);
    let address = if near.is_some() { IN_RAX } else { address(l, form, updates, w) };
    let value = Value::Register(rt(w));
    let access = Access { bytes, value, to: Reg::Rcx, signed: false, reversed, stores: true, misaligned: None };
    let (slow, back) = l.slow_access(access);
    let at = match near {
        Some(displacement) => l.window_place(displacement, bytes, true, slow),
        None => translate(l, address, bytes, true, slow),
    };
    let value = l.value(rt(w), Reg::Rdx);
    let big = l.setting.little == reversed && !l.reversed.has(rt(w));
    put(l, at, bytes, big, value);
    report(l);
    l.asm.bind(back);
    if updates {
        update(l, form, w);
    }
}

/// Stores RS to r31 in a page; what is not aligned is left to the interpreter. In a trace nothing but the instruction has to
/// know which registers these are.
fn store_multiple(l: &mut Lower, w: u32) -> Option<()> {
    if l.setting.little || l.setting.watched.is_some() || l.setting.plan.is_loop {
        return None;
    }
    let bytes = 4 * (32 - rt(w)) as i32;
    // What is held is loaded before the ways part.
    for register in rt(w)..32 {
        l.operand(register);
    }
    effective_address(l, displacement(Form::D, w), false, w);
    let (slow, back) = l.slow_decline(true);
    l.asm.lea(Size::Q, Reg::Rdx, Mem::Base(Reg::Rax, bytes - 1));
    l.asm.alu(Alu::Xor, Size::Q, Reg::Rdx, Reg::Rax);
    l.asm.test_imm(Size::D, Reg::Rdx, !0xfff);
    l.asm.jcc(Cond::Ne, slow);
    l.asm.test_imm(Size::D, Reg::Rax, 3);
    l.asm.jcc(Cond::Ne, slow);
    translate_aligned(l, 1, true, slow);
    for (place, register) in (rt(w)..32).enumerate() {
        let value = l.value(register, Reg::Rdx);
        put(l, Mem::Base(Reg::Rax, 4 * place as i32), 4, true, value);
    }
    l.asm.bind(back);
    Some(())
}

/// Stores at a place in the host.
pub fn put(l: &mut Lower, at: Mem, bytes: u8, big: bool, value: Reg) {
    match (bytes, big) {
        (1, _) => l.asm.store(Size::B, at, value),
        (2, false) => l.asm.store(Size::W, at, value),
        (4, false) => l.asm.store(Size::D, at, value),
        (_, false) => l.asm.store(Size::Q, at, value),
        (2, true) => l.asm.store_reversed(Size::W, at, value),
        (4, true) => l.asm.store_reversed(Size::D, at, value),
        (_, true) => l.asm.store_reversed(Size::Q, at, value),
    }
}

/// A barrier of everything. With other vCPUs, invalidations may be waited for, which is the handler's.
fn full_barrier(l: &mut Lower) {
    let unsettled = frame!(l, unsettled);
    let (slow, back) = l.slow_decline(false);
    l.asm.mov(Size::Q, Reg::Rax, unsettled);
    l.asm.test_imm(Size::B, Mem::Base(Reg::Rax, 0), 1);
    l.asm.jcc(Cond::Ne, slow);
    l.asm.barrier();
    l.asm.bind(back);
}

/// Loads nothing, where a load is allowed.
fn touch(l: &mut Lower, w: u32) {
    let address = address(l, Form::X, false, w);
    let (slow, back) = l.slow_decline(true);
    translate(l, address, 1, false, slow);
    l.asm.bind(back);
}

/// Zeros the cache block at (RA|0) + (RB).
fn zero_block(l: &mut Lower, w: u32) {
    let block = l.setting.block;
    effective_address(l, None, false, w);
    l.asm.alu_imm(Alu::And, Size::Q, Reg::Rax, -(block as i32));
    let (slow, back) = l.slow_decline(true);
    translate_aligned(l, 1, true, slow);
    l.asm.v3(vop::PXOR, X0, X0, X0);
    for offset in (0..block as i32).step_by(16) {
        l.asm.v_store(vop::MOVUPS_STORE, Mem::Base(Reg::Rax, offset), X0);
    }
    report(l);
    l.asm.bind(back);
}

/// The code of an access behind the region: calls out, with the effective address in RAX and what is to be stored in RCX.
pub fn slow(l: &mut Lower, site: u32, access: Access) {
    let Access { bytes, value, to, signed, reversed, stores, misaligned } = access;
    if let Some(misaligned) = misaligned {
        l.asm.test_imm(Size::B, Reg::Rax, i32::from(bytes - 1));
        l.asm.jcc(Cond::Ne, misaligned);
    }
    if stores {
        match value {
            Value::Register(register) => {
                let value = l.held[register].map_or(home(register).into(), Rm::Reg);
                l.asm.mov(Size::Q, Reg::Rcx, value);
                l.reversed.exchange(&mut l.asm, register, Reg::Rcx);
            }
            Value::Float(_) | Value::Single(_) => float::value(l, value),
        }
        if reversed {
            reverse(l, bytes, Reg::Rcx);
        }
        l.asm.mov_imm(Reg::Rdx, site.into());
        return l.call_out(l.setting.entry.store(bytes));
    }
    l.asm.mov_imm(Reg::Rdx, site.into());
    l.call_out(l.setting.entry.load(bytes));
    if let Value::Float(to) = value {
        if signed {
            l.asm.movsxd(Reg::Rax, Reg::Rax);
        }
        return l.asm.v_from(vop::MOVQ_FROM, to, Reg::Rax);
    }
    if reversed {
        reverse(l, bytes, Reg::Rax);
    }
    match (bytes, signed) {
        (1, _) => l.asm.insn(op::MOVZX8, to, Reg::Rax),
        (2, true) => l.asm.insn(op::MOVSX16, to, Reg::Rax),
        (2, false) => l.asm.insn(op::MOVZX16, to, Reg::Rax),
        (4, true) => l.asm.movsxd(to, Reg::Rax),
        (4, false) => l.asm.mov(Size::D, to, Reg::Rax),
        _ => l.asm.mov(Size::Q, to, Reg::Rax),
    }
    if let Value::Register(register) = value {
        l.reversed.exchange(&mut l.asm, register, to);
    }
}

/// Reverses the low bytes of a register.
pub fn reverse(l: &mut Lower, bytes: u8, reg: Reg) {
    match bytes {
        1 => {}
        2 => {
            l.asm.bswap(Size::D, reg);
            l.asm.shift_imm(Shift::Shr, Size::D, reg, 16);
        }
        4 => l.asm.bswap(Size::D, reg),
        _ => l.asm.bswap(Size::Q, reg),
    }
}
