//! Privileged instructions and SPRs of Book3S-32 (The Programming Environments for 32-Bit Microprocessors, chapters 2
//! and 8).

use ppc_isa::op::System;
use ppc_isa::spr::book3s32 as spr;
use ppc_isa::system::Book3s32;
use ppc_isa::{Cpu, msr};
use ppc_mmu::{Access, Invalidation};

use crate::context::Context;
use crate::interrupt::{Interrupt, program};
use crate::state::book3s32::search;
use crate::timebase;
use crate::timer;
use crate::vcpu::Vcpu;

/// MSR bits that rfi takes from SRR1; the others carry status there.
const RFI: u64 = 0x87c0_ffff;
/// Effective address bits that select the TLB entries that tlbie empties.
const TLBIE: u64 = 0x0fff_f000;

/// Executes `op`, the privileged instruction `word`. Returns whether `state.cia` was set.
///
/// # Errors
/// The interrupt it causes instead.
pub fn execute(vcpu: &mut Vcpu, context: &Context, op: System, word: u32) -> Result<bool, Interrupt> {
    let rt = (word >> 21 & 31) as usize;
    let rb = vcpu.state.gpr[(word >> 11 & 31) as usize];
    let segment = |indirect: bool| if indirect { (rb >> 28 & 15) as usize } else { (word >> 16 & 15) as usize };
    match op {
        System::Rfi => {
            let (target, status) = (vcpu.shared.srr0(), vcpu.shared.srr1());
            let kept = vcpu.shared.msr() & !(RFI | msr::TGPR);
            vcpu.return_to(target, kept | status & RFI);
            return Ok(true);
        }
        System::Mtmsr => vcpu.set_msr(vcpu.state.gpr[rt]),
        System::Book3s32(Book3s32::Mtsr { indirect }) => {
            let value = vcpu.state.gpr[rt] as u32;
            vcpu.set_segment(segment(indirect), value);
        }
        System::Book3s32(Book3s32::Mfsr { indirect }) => {
            vcpu.state.gpr[rt] = vcpu.shared.segment(segment(indirect)).into();
        }
        System::Book3s32(Book3s32::Tlbie) => {
            vcpu.state.book3s32.tlb.invalidate(rb as u32);
            // The sets of 603 hold more than one page of an address each.
            let page = Invalidation::Page { address: rb & TLBIE, shift: 12 };
            context.invalidate(if vcpu.state.cpu == Cpu::Ppc603 { Invalidation::All } else { page });
        }
        System::Book3s32(Book3s32::LoadTlb { instruction }) => {
            let (own, cpu) = (&mut vcpu.state.book3s32, vcpu.state.cpu);
            let kept = |number: u16| own.kept(cpu, number).unwrap_or(0);
            let (way, first) = if cpu == Cpu::Ppc603 {
                let [data, fetch] = own.misses;
                (vcpu.shared.srr1() >> 17 & 1, if instruction { fetch.compare } else { data.compare })
            } else {
                (rb & 1, kept(spr::PTEHI))
            };
            let words = [first, kept(search::RPA)];
            own.tlb.load(instruction, way as usize, words, rb as u32);
            context.requests.invalidate(Invalidation::Page { address: rb & TLBIE, shift: 12 });
        }
        System::Book3s32(Book3s32::Tlbsync) => {}
        System::Book3s32(Book3s32::Dcbi) => dcbi(vcpu, context, word)?,
        _ => return Err(Interrupt::Program(program::ILLEGAL)),
    }
    Ok(false)
}

/// Data cache block invalidate: without a cache only the store that it counts as is left.
fn dcbi(vcpu: &Vcpu, context: &Context, word: u32) -> Result<(), Interrupt> {
    let state = &vcpu.state;
    let register = |shift: u32| state.gpr[(word >> shift & 31) as usize];
    let base = if word >> 16 & 31 == 0 { 0 } else { register(16) };
    let ea = state.effective(base.wrapping_add(register(11)));
    if vcpu.shared.visible(state, ea, Access::Store) {
        return Ok(());
    }
    let space = state.space(context.mem, context.partition, false);
    space.translate(ea, Access::Store).map(drop).map_err(|fault| Interrupt::of(fault, Access::Store, ea))
}

/// Reads an SPR that is Book3S-32's own. Unknown ones read as zero (spec ppc-pv 6.3).
///
/// # Errors
/// Illegal instruction for numbers that even privileged software may not read.
pub fn mfspr(vcpu: &Vcpu, context: &Context, number: u16) -> Result<u64, Interrupt> {
    let state = &vcpu.state;
    let own = &state.book3s32;
    Ok(match number {
        _ if !spr::has(state.cpu, number) => 0,
        spr::DAR => vcpu.shared.dar(),
        spr::DSISR => vcpu.shared.dsisr().into(),
        spr::SDR1 => own.sdr1.into(),
        spr::PIR => state.pir.into(),
        spr::TBLW => timebase::timebase(state, context) & 0xffff_ffff,
        spr::TBUW => timebase::timebase(state, context) >> 32,
        spr::MMCR2..=spr::PMC6 | spr::MMCR0..=spr::SDAR => state.pmu[usize::from(number & 31)],
        0 | 4 | 5 | 6 => return Err(Interrupt::Program(program::ILLEGAL)),
        search::DMISS..=search::ICMP if state.cpu == Cpu::Ppc603 => own.searched(number).unwrap_or(0).into(),
        _ => own.bat(state.cpu, number).or_else(|| own.kept(state.cpu, number)).unwrap_or(0).into(),
    })
}

/// Writes an SPR that is Book3S-32's own. Unknown ones ignore the write.
///
/// # Errors
/// Illegal instruction for number 0.
pub fn mtspr(vcpu: &mut Vcpu, context: &Context, number: u16, value: u64) -> Result<(), Interrupt> {
    let word = value as u32;
    let state = &mut vcpu.state;
    match number {
        _ if !spr::has(state.cpu, number) => {}
        spr::DAR => vcpu.shared.set_dar(value),
        spr::DSISR => vcpu.shared.set_dsisr(word),
        spr::SDR1 => {
            state.book3s32.sdr1 = word;
            context.requests.invalidate(Invalidation::All);
        }
        spr::TBLW => {
            let high = timebase::timebase(state, context) & !0xffff_ffff;
            timer::set_timebase(state, context, high | value);
        }
        spr::TBUW => {
            let low = timebase::timebase(state, context) & 0xffff_ffff;
            timer::set_timebase(state, context, value << 32 | low);
        }
        spr::MMCR2..=spr::PMC6 | spr::MMCR0..=spr::SDAR => state.pmu[usize::from(number & 31)] = value,
        0 => return Err(Interrupt::Program(program::ILLEGAL)),
        _ => {
            let (own, cpu) = (&mut state.book3s32, state.cpu);
            let before = own.bats;
            if !own.set_bat(cpu, number, word) {
                own.keep(cpu, number, word);
            }
            if own.bats != before {
                context.requests.invalidate(Invalidation::All);
            }
        }
    }
    Ok(())
}
