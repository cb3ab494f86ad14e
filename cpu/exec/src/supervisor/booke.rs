//! Privileged instructions and SPRs of BookE (Power ISA Book III-E; spec ppc-pv 6.4, 6.5).

use ppc_isa::op::System;
use ppc_isa::spr::booke as spr;
use ppc_isa::system::BookE;
use ppc_isa::{Cpu, msr};
use ppc_mmu::Invalidation;
use ppc_mmu::booke::{Assist, mas};
use ppc_mmu::invalidation::Flush;

use crate::context::Context;
use crate::interrupt::{Interrupt, program};
use crate::request;
use crate::state::booke::RESET;
use crate::timebase;
use crate::timer;
use crate::timer::booke::Timers;
use crate::vcpu::Vcpu;

use super::external;

const ILLEGAL: Interrupt = Interrupt::Program(program::ILLEGAL);
/// `HID0[EN_MAS7_UPDATE]`: tlbre and tlbsx write MAS7 (e500v2).
const HID0_ENMAS7: u64 = 0x80;
/// Thread management configuration, and its value for a processor of one thread.
const TMCFG0: u16 = 16;
const ONE_THREAD: u64 = 0x101;

/// Executes `op`, the privileged instruction `word`. Returns whether `state.cia` was set.
///
/// # Errors
/// The interrupt it causes instead.
pub fn execute(vcpu: &mut Vcpu, context: &Context, op: System, word: u32) -> Result<bool, Interrupt> {
    let register = |vcpu: &Vcpu, shift: u32| vcpu.state.gpr[(word >> shift & 31) as usize];
    let rs = register(vcpu, 21);
    let ra = if word >> 16 & 31 == 0 { 0 } else { register(vcpu, 16) };
    let rb = register(vcpu, 11);
    let ea = vcpu.state.effective(ra.wrapping_add(rb));
    let booke = &vcpu.state.booke;
    let (target, msr) = match op {
        System::Rfi => (vcpu.shared.srr0(), vcpu.shared.srr1()),
        System::BookE(BookE::Rfci) => (booke.csrr0(), booke.csrr1()),
        System::BookE(BookE::Rfdi) => (booke.dsrr0(), booke.dsrr1()),
        System::BookE(BookE::Rfmci) => (booke.mcsrr0(), booke.mcsrr1()),
        System::Mtmsr => {
            vcpu.set_msr(rs);
            return Ok(false);
        }
        System::BookE(op) => return other(vcpu, context, op, word, [rs, rb, ea]).map(|()| false),
        _ => return Err(ILLEGAL),
    };
    vcpu.return_to(target, msr);
    Ok(true)
}

fn other(vcpu: &mut Vcpu, context: &Context, op: BookE, word: u32, [rs, rb, ea]: [u64; 3]) -> Result<(), Interrupt> {
    match op {
        BookE::Wrtee => external_enable(vcpu, rs),
        BookE::Wrteei => external_enable(vcpu, u64::from(word)),
        BookE::Tlbre => read(vcpu, |vcpu, assist| vcpu.state.booke.tlb.read(assist)),
        BookE::Tlbsx => read(vcpu, |vcpu, assist| vcpu.state.booke.tlb.search(assist, ea)),
        BookE::Tlbwe => {
            let assist = vcpu.shared.assist();
            if let Some(old) = vcpu.state.booke.tlb.write(&assist) {
                context.requests.invalidate(old);
            }
        }
        BookE::Tlbivax => {
            // EA[60] selects the array, EA[61] all of it.
            let one = ea & 8 != 0;
            let what = if ea & 4 != 0 { Flush::Array { one } } else { Flush::Address { one, ea: ea & !0xfff } };
            flush(vcpu, context, what);
            context.invalidate(Invalidation::Tlb(what));
        }
        BookE::Tlbilx => {
            let mas6 = vcpu.shared.assist().mas6;
            let tid = mas6 >> 16 & vcpu.state.booke.tlb.pid_mask();
            flush(
                vcpu,
                context,
                match word >> 21 & 3 {
                    0 => Flush::All,
                    1 => Flush::Process { tid },
                    3 => Flush::Virtual { tid, space: mas6 & mas::SAS != 0, ea },
                    _ => return Err(ILLEGAL),
                },
            );
        }
        BookE::Message { clear: true } => clear_message(vcpu, context, rb as u32),
        // One of a kind that the processor does not know is ignored.
        BookE::Message { clear: false } => _ = send_message(context, rb as u32),
        BookE::Mfpmr | BookE::Mtpmr => {
            let register = vcpu.state.booke.monitor(ppc_isa::spr::number(word)).ok_or(ILLEGAL)?;
            if op == BookE::Mtpmr {
                // The names for problem state are read-only.
                if ppc_isa::spr::number(word) & 0x10 == 0 {
                    return Err(ILLEGAL);
                }
                *register = rs as u32;
            } else {
                vcpu.state.gpr[(word >> 21 & 31) as usize] = u64::from(*register);
            }
        }
        BookE::Mftmr if ppc_isa::spr::number(word) == TMCFG0 => vcpu.state.gpr[(word >> 21 & 31) as usize] = ONE_THREAD,
        BookE::External(op) => external::execute(vcpu, context, op, (word >> 21 & 31) as usize, ea)?,
        BookE::Tlbsync | BookE::Dcbi => {}
        BookE::Rfci | BookE::Rfdi | BookE::Rfmci | BookE::Mftmr => return Err(ILLEGAL),
    }
    Ok(())
}

/// The request that a message makes at its receiver.
fn bell(message: u32) -> Option<u32> {
    match message >> 27 {
        0 => Some(request::DOORBELL),
        1 => Some(request::CRITICAL_DOORBELL),
        _ => None,
    }
}

/// Sends a message (Book III-E, chapter 11): type, broadcast and number of the receiver in one word. `false` when the
/// processor does not know its type.
pub fn send_message(context: &Context, message: u32) -> bool {
    let broadcast = message & 0x400_0000 != 0;
    let bell = bell(message);
    bell.inspect(|&bell| context.peers.post((!broadcast).then_some(message & 0x3fff), bell)).is_some()
}

/// Takes a message back that has not been delivered.
fn clear_message(vcpu: &mut Vcpu, context: &Context, message: u32) {
    if let Some(bell) = bell(message) {
        context.requests.take(bell);
        vcpu.state.booke.doorbells &= !bell;
    }
}

fn external_enable(vcpu: &mut Vcpu, value: u64) {
    let msr = vcpu.shared.msr();
    vcpu.shared.set_msr(msr & !msr::EE | value & msr::EE);
}

/// Lets an instruction fill the assist registers.
fn read(vcpu: &mut Vcpu, fill: impl FnOnce(&Vcpu, &mut Assist)) {
    let mut assist = vcpu.shared.assist();
    let mas7 = assist.mas7;
    fill(vcpu, &mut assist);
    if vcpu.state.cpu == Cpu::E500v2 && vcpu.state.booke.hid0() & HID0_ENMAS7 == 0 {
        assist.mas7 = mas7;
    }
    vcpu.shared.set_assist(&assist);
}

fn flush(vcpu: &mut Vcpu, context: &Context, what: Flush) {
    if let Some(gone) = vcpu.state.booke.tlb.flush(what) {
        context.requests.invalidate(gone);
    }
}

/// The timers as of now.
fn timers(vcpu: &Vcpu, context: &Context) -> Timers {
    vcpu.state.booke.timers.at(timebase::timebase(&vcpu.state, context))
}

/// Reads an SPR that is BookE's own.
///
/// # Errors
/// Illegal instruction for numbers that even privileged software may not read.
pub fn mfspr(vcpu: &Vcpu, context: &Context, number: u16) -> Result<u64, Interrupt> {
    let state = &vcpu.state;
    let word = |value: u32| Ok(u64::from(value));
    let pair = |high: u32, low: u32| Ok(u64::from(high) << 32 | u64::from(low));
    let assist = || vcpu.shared.assist();
    match number {
        spr::DEAR => Ok(vcpu.shared.dar()),
        spr::ESR => word(vcpu.shared.esr()),
        spr::PID => word(state.pid),
        spr::PIR => word(state.pir),
        spr::MAS0 => word(assist().mas0),
        spr::MAS1 => word(assist().mas1),
        spr::MAS2 => Ok(assist().mas2),
        spr::MAS3 => word(assist().mas3),
        spr::MAS4 => word(assist().mas4),
        spr::MAS6 => word(assist().mas6),
        spr::MAS7 => word(assist().mas7),
        spr::MAS0_MAS1 if state.cpu.sixty_four() => pair(assist().mas0, assist().mas1),
        spr::MAS7_MAS3 if state.cpu.sixty_four() => pair(assist().mas7, assist().mas3),
        spr::TSR => word(timers(vcpu, context).tsr()),
        spr::TCR => word(timers(vcpu, context).tcr()),
        spr::DECAR => word(timers(vcpu, context).decar()),
        spr::TBLW => Ok(timebase::timebase(state, context) & 0xffff_ffff),
        spr::TBUW => Ok(timebase::timebase(state, context) >> 32),
        spr::PID1 if state.cpu == Cpu::E500v2 => word(state.booke.pids[0]),
        spr::PID2 if state.cpu == Cpu::E500v2 => word(state.booke.pids[1]),
        spr::MMUCSR0 => Ok(0),
        _ => state.booke.kept(state.cpu, number).ok_or(ILLEGAL),
    }
}

/// Writes an SPR that is BookE's own.
///
/// # Errors
/// Illegal instruction for numbers that even privileged software may not write.
pub fn mtspr(vcpu: &mut Vcpu, context: &Context, number: u16, value: u64) -> Result<(), Interrupt> {
    let low = value as u32;
    let cpu = vcpu.state.cpu;
    let assist = |vcpu: &mut Vcpu, change: &dyn Fn(&mut Assist)| {
        let mut assist = vcpu.shared.assist();
        change(&mut assist);
        vcpu.shared.set_assist(&assist);
    };
    let time = |vcpu: &mut Vcpu, change: &dyn Fn(&mut Timers)| {
        let mut timers = timers(vcpu, context);
        change(&mut timers);
        vcpu.state.booke.timers = timers;
    };
    match number {
        spr::DEAR => vcpu.shared.set_dar(value),
        spr::ESR => vcpu.shared.set_esr(low),
        spr::PID => vcpu.state.pid = low & vcpu.state.booke.tlb.pid_mask(),
        spr::PID1 if cpu == Cpu::E500v2 => vcpu.state.booke.pids[0] = low & 0xff,
        spr::PID2 if cpu == Cpu::E500v2 => vcpu.state.booke.pids[1] = low & 0xff,
        spr::PIR => {}
        spr::MAS0 => assist(vcpu, &|mas| mas.mas0 = low),
        spr::MAS1 => assist(vcpu, &|mas| mas.mas1 = low),
        spr::MAS2 => assist(vcpu, &|mas| mas.mas2 = value),
        spr::MAS3 => assist(vcpu, &|mas| mas.mas3 = low),
        spr::MAS4 => assist(vcpu, &|mas| mas.mas4 = low),
        spr::MAS6 => assist(vcpu, &|mas| mas.mas6 = low),
        spr::MAS7 => assist(vcpu, &|mas| mas.mas7 = low),
        spr::MAS0_MAS1 if cpu.sixty_four() => {
            assist(vcpu, &|mas| (mas.mas0, mas.mas1) = ((value >> 32) as u32, low));
        }
        spr::MAS7_MAS3 if cpu.sixty_four() => {
            assist(vcpu, &|mas| (mas.mas7, mas.mas3) = ((value >> 32) as u32, low));
        }
        spr::TSR => time(vcpu, &|timers| timers.clear_tsr(low)),
        spr::TCR => time(vcpu, &|timers| timers.set_tcr(low)),
        spr::DECAR => time(vcpu, &|timers| timers.set_decar(low)),
        spr::TBLW => set_timebase(vcpu, context, 0, low),
        spr::TBUW => set_timebase(vcpu, context, 32, low),
        spr::MMUCSR0 => {
            if value & 4 != 0 {
                flush(vcpu, context, Flush::Array { one: false });
            }
            if value & 2 != 0 {
                flush(vcpu, context, Flush::Array { one: true });
            }
        }
        spr::MCSR => {
            let booke = &mut vcpu.state.booke;
            booke.set_mcsr(booke.mcsr() & !value);
        }
        spr::DBSR => {
            let booke = &mut vcpu.state.booke;
            booke.set_dbsr(booke.dbsr() & !value);
        }
        spr::EPR | spr::MCAR | spr::MCARU => return Err(ILLEGAL),
        _ => {
            vcpu.state.booke.keep(cpu, number, value).ok_or(ILLEGAL)?;
            if number == spr::DBCR0 {
                vcpu.state.booke.reset |= value & RESET != 0;
                vcpu.derive_stepping();
            }
        }
    }
    Ok(())
}

/// Replaces the 32 bits of the timebase at `shift`.
fn set_timebase(vcpu: &mut Vcpu, context: &Context, shift: u32, value: u32) {
    let mut timers = timers(vcpu, context);
    let old = timebase::timebase(&vcpu.state, context);
    let new = old & !(0xffff_ffff << shift) | u64::from(value) << shift;
    timer::set_timebase(&mut vcpu.state, context, new);
    timers.rebase(new);
    vcpu.state.booke.timers = timers;
}
