//! Fixed-point arithmetic, logic, rotates, compares and moves.

use std::mem::offset_of;

use exec::VcpuState;
use exec_interp::fields::{bf, mask, mb6, ra, rb, rc, rt, sh6, si};
use ppc_isa::integer::{
    Addend, Adder, CarryIn, Divide, Integer, Logic, Multiply, MultiplyAdd, RotateMask, Shift, Unary,
};
use ppc_isa::op::Op;
use ppc_isa::spr;

use crate::asm::{self, Alu, Cond, Mem, Reg, Rm, Size, op};
use crate::branch::cr;
use crate::lower::{Compare, Lower, Scaled, With, home, state};
use crate::plan::{CA, CTR, LR};
use crate::system;

/// Translates `op`; `None` if it is left to the interpreter.
pub fn lower(l: &mut Lower, op: Integer, w: u32) -> Option<()> {
    let overflows = w & 0x400 != 0;
    let recorded = w & 1 != 0;
    match op {
        Integer::AddImmediate { shifted } => add_immediate(l, w, if shifted { si(w) << 16 } else { si(w) }),
        Integer::AddPcis => {
            let d = (w & 0xffc0) | (w >> 15 & 0x3e) | (w & 1);
            let value = l.next_ea().wrapping_add((i64::from(d as i16) << 16) as u64);
            let to = l.target(rt(w), Reg::Rax);
            l.asm.mov_imm(to, value);
            l.written(rt(w), to);
        }
        Integer::AddCarrying { subtract, record } => {
            l.copy(ra(w), Reg::Rax);
            if subtract {
                l.asm.unary(asm::Unary::Not, Size::Q, Reg::Rax);
            }
            l.asm.mov_imm(Reg::Rdx, si(w) as u64);
            add_carrying(l, if subtract { CarryIn::One } else { CarryIn::Zero }, w, record);
        }
        Integer::Adder(adder) if !overflows => add(l, adder, w, recorded),
        Integer::MulImmediate => {
            let a = l.operand(ra(w));
            let to = l.target(rt(w), Reg::Rax);
            l.asm.imul_imm(Size::Q, to, a, si(w));
            l.written(rt(w), to);
        }
        Integer::Multiply(op) if !overflows => multiply(l, op, w),
        Integer::MultiplyAdd(op) => multiply_add(l, op, w),
        Integer::Divide(op) if !overflows && !recorded && !op.extended => divide(l, op, w),
        Integer::Compare { signed, immediate } => compare(l, signed, immediate, w),
        Integer::Logic(op) => logic(l, op, w),
        Integer::LogicImmediate { logic, shifted } => logic_immediate(l, logic, shifted, w),
        Integer::Unary(op) => return unary(l, op, w),
        Integer::RotateWord { register, insert } => rotate_word(l, register, insert, w),
        Integer::RotateDouble { register, mask } => rotate_double(l, register, mask, w),
        Integer::Shift(op) => shift(l, op, w),
        Integer::ShiftAlgebraicImmediate { double } => shift_algebraic_immediate(l, double, w),
        Integer::ExtendShift => {
            let s = l.operand(rt(w));
            l.asm.movsxd(Reg::Rax, s);
            let amount = sh6(w) as u8;
            if amount != 0 {
                l.asm.shift_imm(asm::Shift::Shl, Size::Q, Reg::Rax, amount);
            }
            finish(l, ra(w), Reg::Rax, recorded);
        }
        Integer::Select => select(l, w),
        Integer::SetBoolean => set_boolean(l, w),
        Integer::SetBit { reverse, negative } => set_bit(l, reverse, negative, w),
        Integer::Mfspr => match spr::number(w) {
            spr::LR => move_register(l, LR, rt(w)),
            spr::CTR => move_register(l, CTR, rt(w)),
            _ => return system::move_from(l, w),
        },
        Integer::Mtspr => match spr::number(w) {
            spr::LR => move_register(l, rt(w), LR),
            spr::CTR => move_register(l, rt(w), CTR),
            _ => return system::move_to(l, w),
        },
        Integer::Mfcr => {
            l.asm.insn(op::MOVBE64, Reg::Rax, cr(0));
            l.asm.mov_imm(Reg::Rcx, 0x0f0f_0f0f_0f0f_0f0f);
            l.asm.pext(Reg::Rax, Reg::Rax, Reg::Rcx);
            l.written(rt(w), Reg::Rax);
        }
        Integer::Mtcrf => {
            let value = l.operand(rt(w));
            l.asm.mov(Size::D, Reg::Rax, value);
            for field in (0..8).filter(|field| w >> (19 - field) & 1 != 0) {
                l.asm.rorx(Size::D, Reg::Rcx, Reg::Rax, 28 - 4 * field as u8);
                l.asm.alu_imm(Alu::And, Size::D, Reg::Rcx, 15);
                l.asm.store(Size::B, cr(field), Reg::Rcx);
            }
        }
        _ => return None,
    }
    Some(())
}

fn move_register(l: &mut Lower, from: usize, to: usize) {
    let value = match l.held[to] {
        Some(host) => {
            l.copy(from, host);
            host
        }
        None => l.value(from, Reg::Rax),
    };
    l.written(to, value);
}

/// The result in `value`: to its register, and to CR field 0 if it is recorded.
fn finish(l: &mut Lower, register: usize, value: Reg, recorded: bool) {
    l.written(register, value);
    if recorded {
        l.record(register);
    }
}

fn add_immediate(l: &mut Lower, w: u32, immediate: i32) {
    let to = l.target(rt(w), Reg::Rax);
    if ra(w) == 0 {
        if to == Reg::Rax {
            return l.asm.store_imm(Size::Q, home(rt(w)), immediate);
        }
        l.asm.mov_imm(to, immediate as u64);
    } else {
        let a = l.value(ra(w), Reg::Rax);
        l.asm.lea(Size::Q, to, Mem::Base(a, immediate));
    }
    l.written(rt(w), to);
}

/// RAX + RDX + carry, to RT, CA and CA32.
fn add_carrying(l: &mut Lower, carry: CarryIn, w: u32, recorded: bool) {
    let live = l.is_live(CA);
    let sixty_four = l.setting.sixty_four;
    let asm = &mut l.asm;
    if live {
        // Bits of the exclusive or of operands and sum are carries into their places.
        asm.mov(Size::Q, Reg::Rcx, Reg::Rax);
        asm.alu(Alu::Xor, Size::Q, Reg::Rcx, Reg::Rdx);
    }
    match carry {
        CarryIn::Zero => asm.alu(Alu::Add, Size::Q, Reg::Rax, Reg::Rdx),
        CarryIn::One => {
            asm.stc();
            asm.alu(Alu::Adc, Size::Q, Reg::Rax, Reg::Rdx);
        }
        CarryIn::Ca => {
            // Only a load of its size finds a byte that was stored just before.
            asm.alu_imm(Alu::Cmp, Size::B, state(offset_of!(VcpuState, ca)), 1);
            asm.cmc();
            asm.alu(Alu::Adc, Size::Q, Reg::Rax, Reg::Rdx);
        }
    }
    if live {
        if sixty_four {
            asm.set(Cond::B, state(offset_of!(VcpuState, ca)));
        }
        asm.alu(Alu::Xor, Size::Q, Reg::Rcx, Reg::Rax);
        asm.bt_imm(Size::Q, Reg::Rcx, 32);
        asm.set(Cond::B, state(offset_of!(VcpuState, ca32)));
        if !sixty_four {
            asm.set(Cond::B, state(offset_of!(VcpuState, ca)));
        }
    }
    finish(l, rt(w), Reg::Rax, recorded);
}

fn add(l: &mut Lower, adder: Adder, w: u32, recorded: bool) {
    let Adder { complement, addend, carry, set_ca } = adder;
    if !set_ca && carry != CarryIn::Ca {
        return add_plain(l, complement, addend, w, recorded);
    }
    if complement && addend == Addend::Rb && ra(w) == rb(w) && carry == CarryIn::Ca {
        // CA - 1, of which the carries are CA.
        l.asm.insn(op::MOVZX8, Reg::Rax, state(offset_of!(VcpuState, ca)));
        if set_ca && l.is_live(CA) {
            l.asm.store(Size::B, state(offset_of!(VcpuState, ca32)), Reg::Rax);
        }
        l.asm.alu_imm(Alu::Sub, Size::Q, Reg::Rax, 1);
        return finish(l, rt(w), Reg::Rax, recorded);
    }
    l.copy(ra(w), Reg::Rax);
    if complement {
        l.asm.unary(asm::Unary::Not, Size::Q, Reg::Rax);
    }
    match addend {
        Addend::Rb => l.copy(rb(w), Reg::Rdx),
        Addend::Zero => l.asm.mov_imm(Reg::Rdx, 0),
        Addend::MinusOne => l.asm.mov_imm(Reg::Rdx, u64::MAX),
    }
    add_carrying(l, carry, w, recorded);
}

/// Sum, difference (RB - RA) and negation without carry.
fn add_plain(l: &mut Lower, complement: bool, addend: Addend, w: u32, recorded: bool) {
    let to = l.target(rt(w), Reg::Rax);
    if let Some(scaled) = l.scaled.take() {
        debug_assert_eq!(scaled.until, l.asm.here(), "RAX is the index");
        let base = l.value(scaled.base, Reg::Rcx);
        l.asm.lea(Size::Q, to, Mem::Index(base, scaled.index, 1 << scaled.amount, 0));
        l.written(rt(w), to);
        // Where the index was is the sum now, or it is still there.
        l.summed = (scaled.index != to).then(|| (to, Scaled { until: l.asm.here(), ..scaled }));
        return;
    } else if addend == Addend::Zero {
        l.copy(ra(w), to);
        l.asm.unary(asm::Unary::Neg, Size::Q, to);
    } else if complement {
        let (a, b) = (l.operand(ra(w)), l.operand(rb(w)));
        if a == Rm::Reg(to) {
            l.asm.alu(Alu::Sub, Size::Q, to, b);
            l.asm.unary(asm::Unary::Neg, Size::Q, to);
        } else {
            l.copy(rb(w), to);
            l.asm.alu(Alu::Sub, Size::Q, to, a);
        }
    } else {
        match (l.operand(ra(w)), l.operand(rb(w))) {
            (Rm::Reg(a), Rm::Reg(b)) => l.asm.lea(Size::Q, to, Mem::Index(a, b, 1, 0)),
            // Memory does not move with the target.
            (a, other @ Rm::Mem(_)) | (other, a) => {
                if a != Rm::Reg(to) {
                    l.asm.mov(Size::Q, to, a);
                }
                l.asm.alu(Alu::Add, Size::Q, to, other);
            }
        }
    }
    finish(l, rt(w), to, recorded);
}

fn multiply(l: &mut Lower, op: Multiply, w: u32) {
    let recorded = w & 1 != 0;
    match op {
        Multiply::LowDouble => {
            l.copy(ra(w), Reg::Rax);
            let b = l.operand(rb(w));
            l.asm.insn(op::IMUL64, Reg::Rax, b);
        }
        Multiply::LowWord => {
            let (a, b) = (l.operand(ra(w)), l.operand(rb(w)));
            l.asm.movsxd(Reg::Rax, a);
            l.asm.movsxd(Reg::Rcx, b);
            l.asm.insn(op::IMUL64, Reg::Rax, Reg::Rcx);
        }
        Multiply::HighDouble | Multiply::HighDoubleUnsigned => {
            l.copy(ra(w), Reg::Rax);
            let b = l.value(rb(w), Reg::Rcx);
            let unary = if op == Multiply::HighDouble { asm::Unary::Imul } else { asm::Unary::Mul };
            l.asm.unary(unary, Size::Q, b);
            l.asm.mov(Size::Q, Reg::Rax, Reg::Rdx);
        }
        Multiply::HighWord | Multiply::HighWordUnsigned => {
            let (a, b) = (l.operand(ra(w)), l.operand(rb(w)));
            if op == Multiply::HighWord {
                l.asm.movsxd(Reg::Rax, a);
                l.asm.movsxd(Reg::Rcx, b);
            } else {
                l.asm.mov(Size::D, Reg::Rax, a);
                l.asm.mov(Size::D, Reg::Rcx, b);
            }
            l.asm.insn(op::IMUL64, Reg::Rax, Reg::Rcx);
            // The word in both halves, see the interpreter.
            l.asm.shift_imm(asm::Shift::Shr, Size::Q, Reg::Rax, 32);
            l.asm.mov(Size::Q, Reg::Rcx, Reg::Rax);
            l.asm.shift_imm(asm::Shift::Shl, Size::Q, Reg::Rcx, 32);
            l.asm.alu(Alu::Or, Size::Q, Reg::Rax, Reg::Rcx);
        }
    }
    finish(l, rt(w), Reg::Rax, recorded);
}

/// One half of RA * RB + RC.
fn multiply_add(l: &mut Lower, op: MultiplyAdd, w: u32) {
    l.copy(ra(w), Reg::Rax);
    if op == MultiplyAdd::Low {
        let b = l.operand(rb(w));
        l.asm.insn(op::IMUL64, Reg::Rax, b);
        let c = l.operand(rc(w));
        l.asm.alu(Alu::Add, Size::Q, Reg::Rax, c);
        return l.written(rt(w), Reg::Rax);
    }
    let signed = op == MultiplyAdd::High;
    let (b, c) = (l.operand(rb(w)), l.operand(rc(w)));
    l.asm.unary(if signed { asm::Unary::Imul } else { asm::Unary::Mul }, Size::Q, b);
    // What extends the third factor to 128 bits.
    l.asm.mov_imm(Reg::Rcx, 0);
    if signed {
        l.asm.mov(Size::Q, Reg::Rcx, c);
        l.asm.shift_imm(asm::Shift::Sar, Size::Q, Reg::Rcx, 63);
    }
    l.asm.alu(Alu::Add, Size::Q, Reg::Rax, c);
    l.asm.alu(Alu::Adc, Size::Q, Reg::Rdx, Reg::Rcx);
    l.written(rt(w), Reg::Rdx);
}

/// Quotients and remainders; what has none, and the one that does not fit, is the handler's.
fn divide(l: &mut Lower, op: Divide, w: u32) {
    let Divide { double, signed, modulo, .. } = op;
    l.operand(rt(w));
    let (a, b) = (l.operand(ra(w)), l.operand(rb(w)));
    let (slow, back) = l.slow_decline(false);
    let asm = &mut l.asm;
    match (double, signed) {
        (true, _) => {
            asm.mov(Size::Q, Reg::Rax, a);
            asm.mov(Size::Q, Reg::Rcx, b);
        }
        (false, true) => {
            asm.movsxd(Reg::Rax, a);
            asm.movsxd(Reg::Rcx, b);
        }
        (false, false) => {
            asm.mov(Size::D, Reg::Rax, a);
            asm.mov(Size::D, Reg::Rcx, b);
        }
    }
    asm.test(Size::Q, Reg::Rcx, Reg::Rcx);
    asm.jcc(Cond::E, slow);
    if signed {
        // Of -1, only the most negative dividend is wrong; it is rare enough to ask for all.
        asm.alu_imm(Alu::Cmp, Size::Q, Reg::Rcx, -1);
        asm.jcc(Cond::E, slow);
        asm.sign_to_rdx();
        asm.unary(asm::Unary::Idiv, Size::Q, Reg::Rcx);
    } else {
        asm.mov_imm(Reg::Rdx, 0);
        asm.unary(asm::Unary::Div, if double { Size::Q } else { Size::D }, Reg::Rcx);
    }
    match (modulo, double) {
        (true, _) => asm.mov(Size::Q, Reg::Rax, Reg::Rdx),
        (false, false) => asm.mov(Size::D, Reg::Rax, Reg::Rax),
        (false, true) => {}
    }
    l.written(rt(w), Reg::Rax);
    l.asm.bind(back);
}

fn compare(l: &mut Lower, signed: bool, immediate: bool, w: u32) {
    let size = if w & 0x20_0000 != 0 && l.setting.wide { Size::Q } else { Size::D };
    let with = match (immediate, signed) {
        (false, _) => With::Register(rb(w)),
        (true, true) => With::Immediate(si(w)),
        (true, false) => With::Immediate((w & 0xffff) as i32),
    };
    l.compare(Compare { field: bf(w) as u8, signed, size, register: ra(w), with, known: None });
}

fn logic(l: &mut Lower, op: Logic, w: u32) {
    let recorded = w & 1 != 0;
    if rt(w) == rb(w) && matches!(op, Logic::Or | Logic::And) {
        // mr
        move_register(l, rt(w), ra(w));
        if recorded {
            l.record(ra(w));
        }
        return;
    }
    let (alu, not_b, not_result) = match op {
        Logic::And => (Alu::And, false, false),
        Logic::Or => (Alu::Or, false, false),
        Logic::Xor => (Alu::Xor, false, false),
        Logic::Nand => (Alu::And, false, true),
        Logic::Nor => (Alu::Or, false, true),
        Logic::Eqv => (Alu::Xor, false, true),
        Logic::Andc => (Alu::And, true, false),
        Logic::Orc => (Alu::Or, true, false),
    };
    // What is not complemented may change places with what is.
    let swapped = !not_b && ra(w) == rt(w);
    let (first, second) = if swapped { (rt(w), rb(w)) } else { (rb(w), rt(w)) };
    let second = l.operand(second);
    let to = l.target_beside(ra(w), second, Reg::Rax);
    l.copy(first, to);
    if not_b {
        l.asm.unary(asm::Unary::Not, Size::Q, to);
    }
    l.asm.alu(alu, Size::Q, to, second);
    if not_result {
        l.asm.unary(asm::Unary::Not, Size::Q, to);
    }
    finish(l, ra(w), to, recorded);
}

fn logic_immediate(l: &mut Lower, logic: Logic, shifted: bool, w: u32) {
    let value = (w & 0xffff) << if shifted { 16 } else { 0 };
    if value == 0 && logic == Logic::Or && rt(w) == ra(w) {
        return;
    }
    let to = l.target(ra(w), Reg::Rax);
    match logic {
        Logic::And => {
            // The upper half becomes zero.
            let s = l.operand(rt(w));
            l.asm.mov(Size::D, to, s);
            l.asm.alu_imm(Alu::And, Size::D, to, value as i32);
            return finish(l, ra(w), to, true);
        }
        _ => {
            let alu = if logic == Logic::Or { Alu::Or } else { Alu::Xor };
            l.copy(rt(w), to);
            if value == 0 {
            } else if let Ok(value) = i32::try_from(value) {
                l.asm.alu_imm(alu, Size::Q, to, value);
            } else {
                l.asm.mov_imm(Reg::Rcx, value.into());
                l.asm.alu(alu, Size::Q, to, Reg::Rcx);
            }
        }
    }
    finish(l, ra(w), to, false);
}

fn unary(l: &mut Lower, op: Unary, w: u32) -> Option<()> {
    let recorded = w & 1 != 0;
    let insn = match op {
        Unary::ExtendByte => op::MOVSX8,
        Unary::ExtendHalf => op::MOVSX16,
        Unary::ExtendWord => {
            let s = l.operand(rt(w));
            let to = l.target(ra(w), Reg::Rax);
            l.asm.movsxd(to, s);
            finish(l, ra(w), to, recorded);
            return Some(());
        }
        Unary::LeadingWord => op::LZCNT32,
        Unary::LeadingDouble => op::LZCNT64,
        Unary::TrailingWord => op::TZCNT32,
        Unary::TrailingDouble => op::TZCNT64,
        Unary::PopulationDouble => op::POPCNT64,
        Unary::ReverseDouble => {
            l.copy(rt(w), Reg::Rax);
            l.asm.bswap(Size::Q, Reg::Rax);
            l.written(ra(w), Reg::Rax);
            return Some(());
        }
        _ => return None,
    };
    // Only some of these have a record bit.
    let recorded = recorded && op != Unary::PopulationDouble;
    let s = l.operand(rt(w));
    let to = l.target(ra(w), Reg::Rax);
    l.asm.insn(insn, to, s);
    finish(l, ra(w), to, recorded);
    Some(())
}

fn rotate_word(l: &mut Lower, register: bool, insert: bool, w: u32) {
    let recorded = w & 1 != 0;
    let (mb, me) = (w >> 6 & 31, w >> 1 & 31);
    let mask = mask(mb + 32, me + 32);
    let amount = (w >> 11 & 31) as u8;
    let s = l.operand(rt(w));
    if !register && !insert && mb <= me {
        // The result is inside the low word, which 32-bit operations extend with zeros.
        let to = l.target(ra(w), Reg::Rax);
        let (shift, kept) = (amount, mask as u32);
        if kept == u32::MAX << shift && shift > 0 {
            l.asm.mov(Size::D, to, s);
            l.asm.shift_imm(asm::Shift::Shl, Size::D, to, shift);
        } else if shift > 0 && kept == u32::MAX >> (32 - shift) {
            l.asm.mov(Size::D, to, s);
            l.asm.shift_imm(asm::Shift::Shr, Size::D, to, 32 - shift);
        } else {
            if shift == 0 {
                l.asm.mov(Size::D, to, s);
            } else {
                l.asm.rorx(Size::D, to, s, 32 - shift);
            }
            match kept {
                u32::MAX => {}
                0xff if (to as u8) < 4 || to as u8 > 7 => l.asm.insn(op::MOVZX8, to, to),
                0xffff => l.asm.insn(op::MOVZX16, to, to),
                _ => l.asm.alu_imm(Alu::And, Size::D, to, kept as i32),
            }
        }
        return finish(l, ra(w), to, recorded);
    }
    // The low word twice, rotated as a doubleword.
    if register {
        let b = l.value(rb(w), Reg::Rcx);
        l.asm.mov(Size::Q, Reg::Rcx, b);
        l.asm.mov(Size::D, Reg::Rax, s);
        l.asm.shift_cl(asm::Shift::Rol, Size::D, Reg::Rax);
    } else if amount == 0 {
        l.asm.mov(Size::D, Reg::Rax, s);
    } else {
        l.asm.rorx(Size::D, Reg::Rax, s, 32 - amount);
    }
    if mask >> 32 != 0 {
        l.asm.mov(Size::Q, Reg::Rdx, Reg::Rax);
        l.asm.shift_imm(asm::Shift::Shl, Size::Q, Reg::Rdx, 32);
        l.asm.alu(Alu::Or, Size::Q, Reg::Rax, Reg::Rdx);
    }
    if mask != u64::MAX {
        l.asm.mov_imm(Reg::Rdx, mask);
        l.asm.alu(Alu::And, Size::Q, Reg::Rax, Reg::Rdx);
    }
    if insert {
        keep(l, w, mask);
    }
    finish(l, ra(w), Reg::Rax, recorded);
}

/// RAX, with what `mask` leaves of RA.
fn keep(l: &mut Lower, w: u32, mask: u64) {
    if mask != u64::MAX {
        l.asm.mov_imm(Reg::Rdx, !mask);
        let a = l.operand(ra(w));
        l.asm.alu(Alu::And, Size::Q, Reg::Rdx, a);
        l.asm.alu(Alu::Or, Size::Q, Reg::Rax, Reg::Rdx);
    }
}

fn rotate_double(l: &mut Lower, register: bool, kind: RotateMask, w: u32) {
    let recorded = w & 1 != 0;
    let mb = mb6(w);
    let amount = if register { 0 } else { sh6(w) as u8 };
    let (mb, me) = match kind {
        RotateMask::ClearLeft => (mb, 63),
        RotateMask::ClearRight => (0, mb),
        RotateMask::Clear | RotateMask::Insert => (mb, 63 - u32::from(amount)),
    };
    let mask = mask(mb, me);
    let s = l.operand(rt(w));
    if !register && kind != RotateMask::Insert && !recorded && scale(l, s, amount, mask, w).is_some() {
        return;
    }
    if !register && kind != RotateMask::Insert {
        let to = l.target(ra(w), Reg::Rax);
        if amount > 0 && mask == u64::MAX << amount {
            l.asm.mov(Size::Q, to, s);
            l.asm.shift_imm(asm::Shift::Shl, Size::Q, to, amount);
            return finish(l, ra(w), to, recorded);
        }
        if amount > 0 && mask == u64::MAX >> (64 - amount) {
            l.asm.mov(Size::Q, to, s);
            l.asm.shift_imm(asm::Shift::Shr, Size::Q, to, 64 - amount);
            return finish(l, ra(w), to, recorded);
        }
        if amount == 0 && mask == 0xffff_ffff {
            l.asm.mov(Size::D, to, s);
            return finish(l, ra(w), to, recorded);
        }
    }
    let to = if kind == RotateMask::Insert { Reg::Rax } else { l.target(ra(w), Reg::Rax) };
    if register {
        let b = l.value(rb(w), Reg::Rcx);
        l.asm.mov(Size::Q, Reg::Rcx, b);
        l.asm.mov(Size::Q, to, s);
        l.asm.shift_cl(asm::Shift::Rol, Size::Q, to);
    } else if amount == 0 {
        l.asm.mov(Size::Q, to, s);
    } else {
        l.asm.rorx(Size::Q, to, s, 64 - amount);
    }
    match i32::try_from(mask as i64) {
        Ok(-1) => {}
        Ok(small) => l.asm.alu_imm(Alu::And, Size::Q, to, small),
        Err(_) => {
            l.asm.mov_imm(Reg::Rdx, mask);
            l.asm.alu(Alu::And, Size::Q, to, Reg::Rdx);
        }
    }
    if kind == RotateMask::Insert {
        keep(l, w, mask);
    }
    finish(l, ra(w), to, recorded);
}

/// A shift left of `s` into `mask` whose result the next instruction adds to another register, and overwrites: an index on
/// its way to an address. The sum shifts; here is what else there is to do.
fn scale(l: &mut Lower, s: Rm, amount: u8, mask: u64, w: u32) -> Option<()> {
    let next = l.next?;
    let (index, sum) = (ra(w), next.decoded.word);
    let Some(Op::Integer(Integer::Adder(PLAIN))) = next.op.filter(|_| sum & 0x401 == 0) else { return None };
    let indexed = rt(sum) == index && (ra(sum) == index) != (rb(sum) == index);
    let base = if ra(sum) == index { rb(sum) } else { ra(sum) };
    l.held[index].filter(|_| indexed && (1..=3).contains(&amount))?;
    let mut index = Reg::Rax;
    match (mask >> amount, s) {
        (0xff, _) => l.asm.insn(op::MOVZX8, index, s),
        (0xffff, _) => l.asm.insn(op::MOVZX16, index, s),
        (0xffff_ffff, _) => l.asm.mov(Size::D, index, s),
        (all, Rm::Reg(s)) if all == u64::MAX >> amount => index = s,
        _ => return None,
    }
    l.scaled = Some(Scaled { base, index, amount, until: l.asm.here() });
    Some(())
}

/// add.
const PLAIN: Adder = Adder { complement: false, addend: Addend::Rb, carry: CarryIn::Zero, set_ca: false };

/// Shifts by a register. Amounts of 64 and more (32 for words) give zero, or the sign.
fn shift(l: &mut Lower, op: Shift, w: u32) {
    let recorded = w & 1 != 0;
    let s = l.operand(rt(w));
    let (double, shift) = match op {
        Shift::LeftWord => (false, asm::Shift::Shl),
        Shift::RightWord => (false, asm::Shift::Shr),
        Shift::AlgebraicWord => (false, asm::Shift::Sar),
        Shift::LeftDouble => (true, asm::Shift::Shl),
        Shift::RightDouble => (true, asm::Shift::Shr),
        Shift::AlgebraicDouble => (true, asm::Shift::Sar),
    };
    if double || shift == asm::Shift::Sar {
        return shift_wide(l, double, shift, w);
    }
    // A word in 64 bits, shifted by up to 63, has nothing left in its low word from 32 on.
    l.asm.mov(Size::D, Reg::Rax, s);
    let b = l.value(rb(w), Reg::Rcx);
    l.asm.shift_by(shift, Size::Q, Reg::Rax, Reg::Rax, b);
    if shift == asm::Shift::Shl {
        l.asm.mov(Size::D, Reg::Rax, Reg::Rax);
    }
    finish(l, ra(w), Reg::Rax, recorded);
}

fn shift_wide(l: &mut Lower, double: bool, shift: asm::Shift, w: u32) {
    let s = l.operand(rt(w));
    if double {
        l.asm.mov(Size::Q, Reg::Rax, s);
    } else {
        l.asm.movsxd(Reg::Rax, s);
    }
    let b = l.operand(rb(w));
    l.asm.mov(Size::D, Reg::Rcx, b);
    if shift != asm::Shift::Sar {
        // Bit 6 of the amount clears all.
        l.asm.shift_by(shift, Size::Q, Reg::Rax, Reg::Rax, Reg::Rcx);
        l.asm.mov_imm(Reg::Rdx, 0);
        l.asm.test_imm(Size::B, Reg::Rcx, 64);
        l.asm.cmov(Cond::Ne, Size::Q, Reg::Rax, Reg::Rdx);
        return finish(l, ra(w), Reg::Rax, w & 1 != 0);
    }
    l.asm.alu_imm(Alu::And, Size::D, Reg::Rcx, if double { 127 } else { 63 });
    l.asm.bzhi(Size::Q, Reg::Rdx, Reg::Rax, Reg::Rcx);
    if double {
        // From 64 on, all bits become the sign.
        let small = l.asm.label();
        l.asm.test_imm(Size::B, Reg::Rcx, 64);
        l.asm.jcc(Cond::E, small);
        l.asm.mov_imm(Reg::Rcx, 63);
        l.asm.bind(small);
    }
    l.asm.shift_by(asm::Shift::Sar, Size::Q, Reg::Rax, Reg::Rax, Reg::Rcx);
    shifted(l, w);
}

fn shift_algebraic_immediate(l: &mut Lower, double: bool, w: u32) {
    let amount = if double { sh6(w) as u8 } else { (w >> 11 & 31) as u8 };
    let s = l.operand(rt(w));
    if double {
        l.asm.mov(Size::Q, Reg::Rax, s);
    } else {
        l.asm.movsxd(Reg::Rax, s);
    }
    if l.is_live(CA) {
        l.asm.mov_imm(Reg::Rdx, (1 << amount) - 1);
        l.asm.alu(Alu::And, Size::Q, Reg::Rdx, Reg::Rax);
    }
    if amount > 0 {
        l.asm.shift_imm(asm::Shift::Sar, Size::Q, Reg::Rax, amount);
    }
    shifted(l, w);
}

/// The end of an algebraic shift: RAX to RA; CA says that it is negative and RDX, what was shifted out, is not zero.
fn shifted(l: &mut Lower, w: u32) {
    if l.is_live(CA) {
        l.asm.test(Size::Q, Reg::Rdx, Reg::Rdx);
        l.asm.set(Cond::Ne, Reg::Rdx);
        l.asm.test(Size::Q, Reg::Rax, Reg::Rax);
        l.asm.set(Cond::S, Reg::Rcx);
        l.asm.alu(Alu::And, Size::B, Reg::Rdx, Reg::Rcx);
        l.asm.store(Size::B, state(offset_of!(VcpuState, ca)), Reg::Rdx);
        l.asm.store(Size::B, state(offset_of!(VcpuState, ca32)), Reg::Rdx);
    }
    finish(l, ra(w), Reg::Rax, w & 1 != 0);
}

/// RT = the bit of CR selected by BC ? (RA|0) : RB.
fn select(l: &mut Lower, w: u32) {
    let cond = l.test_bit(w >> 6 & 31, true);
    // What is loaded here leaves flags alone.
    let a = if ra(w) == 0 {
        l.asm.mov_imm(Reg::Rcx, 0);
        Rm::Reg(Reg::Rcx)
    } else {
        l.operand(ra(w))
    };
    let to = l.target_beside(rt(w), a, Reg::Rax);
    l.copy(rb(w), to);
    l.asm.cmov(cond, Size::Q, to, a);
    l.written(rt(w), to);
}

/// RT = -1 if a CR field says less, else 1 if it says greater, else 0.
fn set_boolean(l: &mut Lower, w: u32) {
    let asm = &mut l.asm;
    asm.insn(op::MOVZX8, Reg::Rax, cr(w >> 18 & 7));
    asm.mov(Size::D, Reg::Rcx, Reg::Rax);
    asm.shift_imm(asm::Shift::Shr, Size::D, Reg::Rcx, 3);
    asm.unary(asm::Unary::Neg, Size::Q, Reg::Rcx);
    asm.shift_imm(asm::Shift::Shr, Size::D, Reg::Rax, 2);
    asm.alu_imm(Alu::And, Size::D, Reg::Rax, 1);
    asm.alu(Alu::Or, Size::Q, Reg::Rax, Reg::Rcx);
    l.written(rt(w), Reg::Rax);
}

/// RT = 1 or -1 if the bit of CR selected by BI is 1, or if it is 0, else 0.
fn set_bit(l: &mut Lower, reverse: bool, negative: bool, w: u32) {
    let cond = l.test_bit(w >> 16 & 31, !reverse);
    l.asm.set(cond, Reg::Rax);
    l.asm.insn(op::MOVZX8, Reg::Rax, Reg::Rax);
    if negative {
        l.asm.unary(asm::Unary::Neg, Size::Q, Reg::Rax);
    }
    l.written(rt(w), Reg::Rax);
}
