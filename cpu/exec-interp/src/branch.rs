//! Branches, condition-register logic, system calls and traps.

use exec::interrupt::program;
use exec::{Interrupt, VcpuState};
use ppc_isa::branch::{Branch, Register};

use crate::env::{Env, Flow, Handler, Step, Trap, Trapped};
use crate::fields::rt;

/// The handler of `op`.
pub fn handler(op: Branch) -> Handler {
    match op {
        Branch::B => b,
        Branch::Bc => bc,
        Branch::BcTo(Register::Lr) => bclr,
        Branch::BcTo(Register::Ctr) => bcctr,
        Branch::BcTo(Register::Tar) => bctar,
        Branch::CrLogic(0b1000) => cr_logic::<0b1000>,
        Branch::CrLogic(0b0111) => cr_logic::<0b0111>,
        Branch::CrLogic(0b1110) => cr_logic::<0b1110>,
        Branch::CrLogic(0b0110) => cr_logic::<0b0110>,
        Branch::CrLogic(0b0001) => cr_logic::<0b0001>,
        Branch::CrLogic(0b1001) => cr_logic::<0b1001>,
        Branch::CrLogic(0b0100) => cr_logic::<0b0100>,
        Branch::CrLogic(_) => cr_logic::<0b1101>,
        Branch::Mcrf => mcrf,
        Branch::Sc => sc,
        Branch::Scv => scv,
        Branch::ReturnFromEvent => rfebb,
        Branch::ClearHistory => |_, _, _| Ok(Flow::Next),
        Branch::FromHistory => |s, _, w| {
            s.gpr[rt(w)] = 0;
            Ok(Flow::Next)
        },
        Branch::Absent => |_, _, _| Err(Trapped),
        Branch::Trap { double: false, immediate: false } => trap::<false, false>,
        Branch::Trap { double: false, immediate: true } => trap::<false, true>,
        Branch::Trap { double: true, immediate: false } => trap::<true, false>,
        Branch::Trap { double: true, immediate: true } => trap::<true, true>,
    }
}

/// Return from event-based branch: to EBBRR, and `BESCR[GE]` becomes S (Power ISA Book II, section 6.2).
fn rfebb(s: &mut VcpuState, _: &mut Env, w: u32) -> Step {
    let [bescr, _, target] = s.ebb;
    s.ebb[0] = bescr & (u64::MAX >> 1) | u64::from(w >> 11 & 1) << 63;
    s.target = s.effective(target & !3);
    Ok(Flow::JumpIndirect)
}

fn link(s: &mut VcpuState, w: u32) {
    if w & 1 != 0 {
        s.lr = s.effective(s.cia.wrapping_add(4));
    }
}

fn direct(s: &VcpuState, w: u32, displacement: i64) -> u64 {
    let base = if w & 2 != 0 { 0 } else { s.cia };
    s.effective(base.wrapping_add_signed(displacement))
}

fn b(s: &mut VcpuState, _: &mut Env, w: u32) -> Step {
    let displacement = i64::from((w << 6) as i32 >> 6) & !3;
    s.target = direct(s, w, displacement);
    link(s, w);
    Ok(Flow::Jump)
}

/// Bit `n` of the CR.
#[inline(always)]
pub fn cr_bit(s: &VcpuState, n: u32) -> bool {
    s.cr[(n >> 2 & 7) as usize] >> (3 - (n & 3)) & 1 != 0
}

fn set_cr_bit(s: &mut VcpuState, n: u32, value: bool) {
    let field = &mut s.cr[(n >> 2 & 7) as usize];
    let mask = 8 >> (n & 3);
    *field = if value { *field | mask } else { *field & !mask };
}

/// Whether BO and BI take the branch; counts CTR down when BO says so (Book I, section 2.4).
#[inline(always)]
fn taken(s: &mut VcpuState, w: u32) -> bool {
    let bo = w >> 21;
    let counted = if bo & 4 != 0 {
        true
    } else {
        s.ctr = s.ctr.wrapping_sub(1);
        (s.effective(s.ctr) != 0) != (bo & 2 != 0)
    };
    counted && condition(s, w)
}

#[inline(always)]
fn condition(s: &VcpuState, w: u32) -> bool {
    let bo = w >> 21;
    bo & 16 != 0 || cr_bit(s, w >> 16 & 31) == (bo & 8 != 0)
}

fn bc(s: &mut VcpuState, _: &mut Env, w: u32) -> Step {
    let taken = taken(s, w);
    let target = direct(s, w, i64::from(w as i16) & !3);
    link(s, w);
    s.target = target;
    Ok(if taken { Flow::Jump } else { Flow::Next })
}

fn indirect(s: &mut VcpuState, w: u32, taken: bool, target: u64) -> Step {
    s.target = s.effective(target & !3);
    link(s, w);
    Ok(if taken { Flow::JumpIndirect } else { Flow::Next })
}

fn bclr(s: &mut VcpuState, _: &mut Env, w: u32) -> Step {
    let taken = taken(s, w);
    indirect(s, w, taken, s.lr)
}

/// The form that counts down is invalid; the count is left alone, as POWER9 does.
fn bcctr(s: &mut VcpuState, _: &mut Env, w: u32) -> Step {
    let taken = condition(s, w);
    indirect(s, w, taken, s.ctr)
}

fn bctar(s: &mut VcpuState, _: &mut Env, w: u32) -> Step {
    let taken = taken(s, w);
    indirect(s, w, taken, s.tar)
}

fn cr_logic<const TABLE: u8>(s: &mut VcpuState, _: &mut Env, w: u32) -> Step {
    let index = u32::from(cr_bit(s, w >> 16 & 31)) * 2 + u32::from(cr_bit(s, w >> 11 & 31));
    set_cr_bit(s, w >> 21 & 31, TABLE >> index & 1 != 0);
    Ok(Flow::Next)
}

fn mcrf(s: &mut VcpuState, _: &mut Env, w: u32) -> Step {
    s.cr[(w >> 23 & 7) as usize] = s.cr[(w >> 18 & 7) as usize];
    Ok(Flow::Next)
}

fn sc(_: &mut VcpuState, env: &mut Env, _: u32) -> Step {
    env.trap = Some(Trap::SystemCall);
    Err(Trapped)
}

/// The interrupt's return address is the next instruction.
fn scv(s: &mut VcpuState, env: &mut Env, w: u32) -> Step {
    s.cia = s.effective(s.cia.wrapping_add(4));
    Err(env.interrupt(Interrupt::SystemCallVectored((w >> 5 & 127) as u8)))
}

fn trap<const DOUBLE: bool, const IMMEDIATE: bool>(s: &mut VcpuState, env: &mut Env, w: u32) -> Step {
    let a = s.gpr[(w >> 16 & 31) as usize] as i64;
    let b = if IMMEDIATE { i64::from(w as i16) } else { s.gpr[(w >> 11 & 31) as usize] as i64 };
    let (a, b) = if DOUBLE { (a, b) } else { (i64::from(a as i32), i64::from(b as i32)) };
    // TO bits: signed less, signed greater, equal, unsigned less, unsigned greater.
    let holds = u32::from(a < b) << 4
        | u32::from(a > b) << 3
        | u32::from(a == b) << 2
        | u32::from((a as u64) < b as u64) << 1
        | u32::from(a as u64 > b as u64);
    if w >> 21 & 31 & holds != 0 {
        return Err(env.interrupt(Interrupt::Program(program::TRAP)));
    }
    Ok(Flow::Next)
}
