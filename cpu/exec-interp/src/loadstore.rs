//! Fixed-point loads and stores, cache management and barriers.

use std::sync::atomic::{Ordering, fence};

use exec::delivery::booke::esr;
use exec::state::COPY_BLOCK;
use exec::{Interrupt, VcpuState};
use guest_mem::Word;
use ppc_isa::cpu::Family;
use ppc_isa::loadstore::{Access as Form0, CopyPaste, Form, LoadStore};
use ppc_isa::{msr, spr};
use ppc_mmu::{Access, fault};

use crate::env::{Env, Flow, Handler, Step, Trapped, writer};
use crate::fields::{ra, ra0, rb, rt};

mod atomic;
mod hash;

/// The handler of `op`.
pub fn handler(op: LoadStore) -> Handler {
    match op {
        LoadStore::Load(access) => load_handler(access),
        LoadStore::Store(access) => store_handler(access),
        LoadStore::LoadMultiple => lmw,
        LoadStore::StoreMultiple => stmw,
        LoadStore::LoadString { indexed: false } => load_string::<false>,
        LoadStore::LoadString { indexed: true } => load_string::<true>,
        LoadStore::StoreString { indexed: false } => store_string::<false>,
        LoadStore::StoreString { indexed: true } => store_string::<true>,
        LoadStore::LoadQuad
        | LoadStore::StoreQuad
        | LoadStore::LoadQuadPrefixed
        | LoadStore::StoreQuadPrefixed
        | LoadStore::LoadReserve { .. }
        | LoadStore::StoreConditional { .. }
        | LoadStore::LoadAtomic { .. }
        | LoadStore::StoreAtomic { .. } => atomic::handler(op),
        LoadStore::BlockZero => dcbz,
        LoadStore::Hash { check: false, privileged: false } => hash::hash::<false, false>,
        LoadStore::Hash { check: false, privileged: true } => hash::hash::<false, true>,
        LoadStore::Hash { check: true, privileged: false } => hash::hash::<true, false>,
        LoadStore::Hash { check: true, privileged: true } => hash::hash::<true, true>,
        LoadStore::Hint | LoadStore::ReservedNoOp => |_, _, _| Ok(Flow::Next),
        LoadStore::Touch { .. } => touch,
        LoadStore::Lock { instruction: false, store: true, .. } => lock::<{ esr::DLK }, true, true>,
        LoadStore::Lock { instruction: false, clear: false, .. } => lock::<{ esr::DLK }, false, true>,
        LoadStore::Lock { instruction: false, .. } => lock::<{ esr::DLK }, false, false>,
        LoadStore::Lock { clear: false, .. } => lock::<{ esr::ILK }, false, true>,
        LoadStore::Lock { .. } => lock::<{ esr::ILK }, false, false>,
        LoadStore::Wait => wait,
        LoadStore::Sync => sync,
        LoadStore::Eieio => |_, _, _| {
            fence(Ordering::AcqRel);
            Ok(Flow::Next)
        },
        LoadStore::External { store: false } => external::<false>,
        LoadStore::External { store: true } => external::<true>,
        LoadStore::Isync => |_, _, _| {
            fence(Ordering::Acquire);
            Ok(Flow::Synchronise)
        },
        LoadStore::CopyPaste(CopyPaste::Copy) => copy,
        LoadStore::CopyPaste(CopyPaste::Paste) => paste,
        LoadStore::CopyPaste(CopyPaste::Abort) => |s, _, _| {
            s.copy_buffer = None;
            Ok(Flow::Next)
        },
    }
}

/// (RA|0) + (RB): the address of X-form accesses.
#[inline(always)]
pub fn indexed(s: &VcpuState, w: u32) -> u64 {
    s.effective(ra0(s, w).wrapping_add(s.gpr[rb(w)]))
}

/// (RA|0) + a displacement whose low bits `KEEP` clears: D-, DS- and DQ-form addresses.
#[inline(always)]
pub fn displaced<const KEEP: i64>(s: &VcpuState, w: u32) -> u64 {
    s.effective(ra0(s, w).wrapping_add_signed(i64::from(w as i16) & KEEP))
}

/// The address that a prefix and its suffix form: (RA|0) or, with R=1, the address of the instruction, and a displacement
/// of 34 bits.
#[inline(always)]
pub fn prefixed(s: &VcpuState, prefix: u32, w: u32) -> u64 {
    let base = if prefix >> 20 & 1 != 0 { s.cia } else { ra0(s, w) };
    s.effective(base.wrapping_add_signed(immediate(prefix, w)))
}

/// The signed immediate of 34 bits of a prefixed instruction.
#[inline(always)]
pub fn immediate(prefix: u32, w: u32) -> i64 {
    let value = u64::from(prefix & 0x3_ffff) << 16 | u64::from(w & 0xffff);
    (value << 30).cast_signed() >> 30
}

/// How an instruction forms its address.
trait Address {
    fn of(s: &VcpuState, prefix: u32, w: u32) -> u64;
}

struct D;
struct Ds;
struct X;
struct Prefixed;

impl Address for D {
    #[inline(always)]
    fn of(s: &VcpuState, _: u32, w: u32) -> u64 {
        displaced::<-1>(s, w)
    }
}

impl Address for Ds {
    #[inline(always)]
    fn of(s: &VcpuState, _: u32, w: u32) -> u64 {
        displaced::<-4>(s, w)
    }
}

impl Address for X {
    #[inline(always)]
    fn of(s: &VcpuState, _: u32, w: u32) -> u64 {
        indexed(s, w)
    }
}

impl Address for Prefixed {
    #[inline(always)]
    fn of(s: &VcpuState, prefix: u32, w: u32) -> u64 {
        prefixed(s, prefix, w)
    }
}

/// With update the base is RA even when it is r0 (an invalid form that reads r0 on POWER9).
#[inline(always)]
fn address<A: Address, const UPDATE: bool>(s: &VcpuState, prefix: u32, w: u32) -> u64 {
    let ea = A::of(s, prefix, w);
    if UPDATE && ra(w) == 0 { s.effective(ea.wrapping_add(s.gpr[0])) } else { ea }
}

fn load<T: Word, A: Address, const UPDATE: bool, const SIGNED: bool>(s: &mut VcpuState, env: &mut Env, w: u32) -> Step {
    let ea = address::<A, UPDATE>(s, env.prefix, w);
    let value = env.load::<T>(s, ea)?;
    if UPDATE {
        s.gpr[ra(w)] = ea;
    }
    s.gpr[rt(w)] = if SIGNED { value.extend() } else { value.into() };
    Ok(Flow::Next)
}

fn load_reversed<T: Word>(s: &mut VcpuState, env: &mut Env, w: u32) -> Step {
    let value = env.load::<T>(s, indexed(s, w))?;
    s.gpr[rt(w)] = value.reverse().into();
    Ok(Flow::Next)
}

fn store<T: Word, A: Address, const UPDATE: bool>(s: &mut VcpuState, env: &mut Env, w: u32) -> Step {
    let ea = address::<A, UPDATE>(s, env.prefix, w);
    env.store(s, ea, T::truncate(s.gpr[rt(w)]))?;
    if UPDATE {
        s.gpr[ra(w)] = ea;
    }
    Ok(Flow::Next)
}

fn store_reversed<T: Word>(s: &mut VcpuState, env: &mut Env, w: u32) -> Step {
    env.store(s, indexed(s, w), T::truncate(s.gpr[rt(w)]).reverse())?;
    Ok(Flow::Next)
}

fn load_handler(a: Form0) -> Handler {
    fn by_form<T: Word>(a: Form0) -> Handler {
        match (a.form, a.update, a.signed) {
            (Form::D, false, false) => load::<T, D, false, false>,
            (Form::D, false, true) => load::<T, D, false, true>,
            (Form::D, true, false) => load::<T, D, true, false>,
            (Form::D, true, true) => load::<T, D, true, true>,
            (Form::Ds, false, false) => load::<T, Ds, false, false>,
            (Form::Ds, false, true) => load::<T, Ds, false, true>,
            (Form::Ds, true, _) => load::<T, Ds, true, false>,
            (Form::X, false, false) => load::<T, X, false, false>,
            (Form::X, false, true) => load::<T, X, false, true>,
            (Form::X, true, false) => load::<T, X, true, false>,
            (Form::X, true, true) => load::<T, X, true, true>,
            (Form::Prefixed, _, false) => load::<T, Prefixed, false, false>,
            (Form::Prefixed, _, true) => load::<T, Prefixed, false, true>,
        }
    }
    match (a.bytes, a.reversed) {
        (2, true) => load_reversed::<u16>,
        (4, true) => load_reversed::<u32>,
        (_, true) => load_reversed::<u64>,
        (1, false) => by_form::<u8>(a),
        (2, false) => by_form::<u16>(a),
        (4, false) => by_form::<u32>(a),
        (_, false) => by_form::<u64>(a),
    }
}

fn store_handler(a: Form0) -> Handler {
    fn by_form<T: Word>(a: Form0) -> Handler {
        match (a.form, a.update) {
            (Form::D, false) => store::<T, D, false>,
            (Form::D, true) => store::<T, D, true>,
            (Form::Ds, false) => store::<T, Ds, false>,
            (Form::Ds, true) => store::<T, Ds, true>,
            (Form::X, false) => store::<T, X, false>,
            (Form::X, true) => store::<T, X, true>,
            (Form::Prefixed, _) => store::<T, Prefixed, false>,
        }
    }
    match (a.bytes, a.reversed) {
        (2, true) => store_reversed::<u16>,
        (4, true) => store_reversed::<u32>,
        (_, true) => store_reversed::<u64>,
        (1, false) => by_form::<u8>(a),
        (2, false) => by_form::<u16>(a),
        (4, false) => by_form::<u32>(a),
        (_, false) => by_form::<u64>(a),
    }
}

/// Multiple and string accesses do not exist in little-endian mode (Book I, section 3.3.5).
fn big_endian_only(s: &VcpuState, env: &mut Env, ea: u64) -> Result<(), Trapped> {
    if s.mode.little() {
        return Err(env.interrupt(Interrupt::Alignment { dar: ea, dsisr: 0 }));
    }
    Ok(())
}

fn lmw(s: &mut VcpuState, env: &mut Env, w: u32) -> Step {
    let ea = displaced::<-1>(s, w);
    big_endian_only(s, env, ea)?;
    if s.cpu.family() != Family::Book3s64 {
        aligned(env, ea, 4)?;
    }
    let mut values = [0u64; 32];
    for (i, slot) in values.iter_mut().enumerate().skip(rt(w)) {
        let offset = (i - rt(w)) as u64 * 4;
        *slot = env.load::<u32>(s, s.effective(ea.wrapping_add(offset)))?.into();
    }
    s.gpr[rt(w)..].copy_from_slice(&values[rt(w)..]);
    Ok(Flow::Next)
}

fn stmw(s: &mut VcpuState, env: &mut Env, w: u32) -> Step {
    let ea = displaced::<-1>(s, w);
    big_endian_only(s, env, ea)?;
    if s.cpu.family() != Family::Book3s64 {
        aligned(env, ea, 4)?;
    }
    for i in rt(w)..32 {
        let offset = (i - rt(w)) as u64 * 4;
        env.store(s, s.effective(ea.wrapping_add(offset)), s.gpr[i] as u32)?;
    }
    Ok(Flow::Next)
}

/// Address and byte count of a string access.
fn string<const INDEXED: bool>(s: &VcpuState, w: u32) -> (u64, u64) {
    if INDEXED {
        return (indexed(s, w), s.xer() & 0x7f);
    }
    let count = u64::from(w >> 11 & 31);
    (s.effective(ra0(s, w)), if count == 0 { 32 } else { count })
}

fn load_string<const INDEXED: bool>(s: &mut VcpuState, env: &mut Env, w: u32) -> Step {
    let (ea, count) = string::<INDEXED>(s, w);
    big_endian_only(s, env, ea)?;
    let mut values = [0u32; 32];
    for i in 0..count {
        let byte = env.load::<u8>(s, s.effective(ea.wrapping_add(i)))?;
        values[(i / 4) as usize] |= u32::from(byte) << (24 - 8 * (i % 4));
    }
    for (i, value) in values.iter().enumerate().take(count.div_ceil(4) as usize) {
        s.gpr[(rt(w) + i) & 31] = u64::from(*value);
    }
    Ok(Flow::Next)
}

fn store_string<const INDEXED: bool>(s: &mut VcpuState, env: &mut Env, w: u32) -> Step {
    let (ea, count) = string::<INDEXED>(s, w);
    big_endian_only(s, env, ea)?;
    for i in 0..count {
        let register = s.gpr[(rt(w) + (i / 4) as usize) & 31] as u32;
        env.store(s, s.effective(ea.wrapping_add(i)), (register >> (24 - 8 * (i % 4))) as u8)?;
    }
    Ok(Flow::Next)
}

/// An address that must be a multiple of `size`, else an alignment interrupt.
pub fn aligned(env: &mut Env, ea: u64, size: u64) -> Result<u64, Trapped> {
    if ea & (size - 1) != 0 {
        return Err(env.interrupt(Interrupt::Alignment { dar: ea, dsisr: 0 }));
    }
    Ok(ea)
}

/// Book3S-32 wants floating-point accesses aligned to words (MPC750 and MPC7400 user's manuals, section 4.5.6).
#[inline(always)]
pub fn aligned_float(s: &VcpuState, env: &mut Env, ea: u64) -> Result<u64, Trapped> {
    if ea & 3 != 0 && s.cpu.family() == Family::Book3s32 { aligned(env, ea, 4) } else { Ok(ea) }
}

/// eciwx and ecowx: `EAR[E]` must allow them (The Programming Environments for 32-Bit Microprocessors, chapter 8), and no
/// board has a device that answers.
fn external<const STORE: bool>(s: &mut VcpuState, env: &mut Env, w: u32) -> Step {
    const ENABLE: u32 = 0x8000_0000;
    const NOT_ENABLED: u32 = 0x0010_0000;
    let ea = indexed(s, w);
    if s.book3s32.kept(s.cpu, spr::book3s32::EAR).unwrap_or(0) & ENABLE == 0 {
        let dsisr = NOT_ENABLED | if STORE { fault::STORE } else { 0 };
        return Err(env.interrupt(Interrupt::DataStorage { dar: ea, dsisr }));
    }
    aligned(env, ea, 4)?;
    env.real(s, ea, if STORE { Access::Store } else { Access::Load })?;
    Err(env.interrupt(Interrupt::MachineCheck { dar: ea }))
}

/// The barriers by L, see docs/memory-ordering.md: only lwsync and plwsync do without ordering loads behind stores. Bits
/// that a model reserves are ignored. The others wait for invalidations outside of the engine.
fn sync(s: &mut VcpuState, env: &mut Env, w: u32) -> Step {
    let kind = w >> 21 & if s.cpu.level() >= 310 { 7 } else { 3 };
    let light = s.cpu.level() >= 206 && matches!(kind, 1 | 5) && w >> 16 & 3 == 0;
    fence(if light { Ordering::AcqRel } else { Ordering::SeqCst });
    Ok(if !light && env.context.requests.unsettled() { Flow::Leave } else { Flow::Next })
}

/// Blocks that are not in memory or that no cache may hold are an alignment interrupt (Power ISA Book III, section 6.5.8).
fn dcbz(s: &mut VcpuState, env: &mut Env, w: u32) -> Step {
    let block = s.cpu.cache_block();
    let ea = indexed(s, w) & !(block - 1);
    match env.real(s, ea, Access::Store)? {
        Some(real) if !env.tlb.uncached(ea) && env.context.mem.zero_by(writer(s), real, block) => {}
        Some(_) => return Err(env.interrupt(Interrupt::Alignment { dar: ea, dsisr: 0 })),
        None => {
            for offset in (0..block).step_by(8) {
                env.store(s, ea + offset, 0u64)?;
            }
        }
    }
    Ok(Flow::Next)
}

/// Reads a block into the copy buffer (Power ISA 3.1 Book II, section 4.4). A second copy replaces the first.
fn copy(s: &mut VcpuState, env: &mut Env, w: u32) -> Step {
    let ea = aligned(env, indexed(s, w), COPY_BLOCK as u64)?;
    env.real(s, ea, Access::Load)?;
    let mut buffer = [0; COPY_BLOCK / 8];
    for (at, doubleword) in (ea..).step_by(8).zip(&mut buffer) {
        *doubleword = env.load(s, at)?;
    }
    s.copy_buffer = Some(buffer);
    Ok(Flow::Next)
}

/// Writes the copy buffer, which is empty then. POWER9 pastes to accelerators only, of which there are none: there the
/// data transfer fails.
fn paste(s: &mut VcpuState, env: &mut Env, w: u32) -> Step {
    let ea = aligned(env, indexed(s, w), COPY_BLOCK as u64)?;
    env.real(s, ea, Access::Store)?;
    let buffer = s.copy_buffer.take().filter(|_| s.cpu.level() >= 310);
    for (at, doubleword) in (ea..).step_by(8).zip(buffer.into_iter().flatten()) {
        env.store(s, at, doubleword)?;
    }
    s.cr[0] = u8::from(buffer.is_some()) << 1 | u8::from(s.so);
    Ok(Flow::Next)
}

/// dcbst, dcbf and icbi are treated as loads by translation.
fn touch(s: &mut VcpuState, env: &mut Env, w: u32) -> Step {
    env.real(s, indexed(s, w), Access::Load)?;
    Ok(Flow::Next)
}

/// Cache locking (e500 Core Family Reference Manual, section 3.3.1.5): problem state needs `MSR[UCLE]`; SYNDROME is what
/// ESR says without. There is no cache, so that each attempt to lock reports that it could not.
fn lock<const SYNDROME: u32, const STORE: bool, const SET: bool>(s: &mut VcpuState, env: &mut Env, w: u32) -> Step {
    let ea = indexed(s, w);
    if s.mode.problem() && env.shared.msr() & msr::UCLE == 0 {
        return Err(env.interrupt(Interrupt::DataStorage { dar: ea, dsisr: SYNDROME }));
    }
    env.real(s, ea, if STORE { Access::Store } else { Access::Load })?;
    if SET {
        s.booke.refuse_lock(SYNDROME == esr::ILK);
    }
    Ok(Flow::Next)
}

/// On BookE the processor stops until an interrupt is pending; WC other than 0 waits for what may be there already.
fn wait(s: &mut VcpuState, _: &mut Env, w: u32) -> Step {
    if s.cpu.family() != Family::BookE || w >> 21 & 3 != 0 {
        return Ok(Flow::Next);
    }
    s.waiting = true;
    Ok(Flow::Leave)
}
