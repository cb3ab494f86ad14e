//! Privileged instructions and SPRs of Book3S-64 (Power ISA Book III-S).

use ppc_isa::op::System;
use ppc_isa::{Cpu, msr, spr};
use ppc_mmu::{Invalidation, Slb};

use crate::context::Context;
use crate::interrupt::{Interrupt, facility, program};
use crate::mode::fscr;
use crate::timebase;
use crate::vcpu::Vcpu;

/// Executes `op`, the privileged instruction `word`. Returns whether `state.cia` was set.
///
/// # Errors
/// The interrupt it causes instead.
pub fn execute(vcpu: &mut Vcpu, context: &Context, op: System, word: u32) -> Result<bool, Interrupt> {
    let rt = (word >> 21 & 31) as usize;
    let rb = vcpu.state.gpr[(word >> 11 & 31) as usize];
    let rs = vcpu.state.gpr[rt];
    match op {
        System::Rfid => {
            rfid(vcpu);
            return Ok(true);
        }
        System::Rfscv => {
            rfscv(vcpu);
            return Ok(true);
        }
        System::Mtmsr => mtmsr(vcpu, rs, word >> 16 & 1 != 0),
        System::Mtmsrd => mtmsrd(vcpu, rs, word >> 16 & 1 != 0),
        System::Tlbie { local: false } | System::Tlbsync if is_hypervisors(context) => {
            return Err(Interrupt::Program(program::PRIVILEGED));
        }
        System::Tlbie { local } => {
            // Each of a processor's own sets is named in turn; all that is kept here is in the first.
            let elsewhere = vcpu.state.cpu.level() >= 300 && rb >> 10 & 3 != 0 && rb >> 12 & 0xfff != 0;
            if !local {
                context.invalidate(tlbie(vcpu, word, rs, rb));
            } else if !elsewhere {
                context.requests.invalidate(tlbie(vcpu, word, rs, rb));
            }
        }
        System::Tlbsync | System::Slbsync | System::MessagePrivileged { .. } => {}
        System::Slbie => slb(vcpu, |slb| slb.invalidate(rb)),
        System::Slbia => slb(vcpu, |slb| slb.invalidate_all(word >> 21 & 7)),
        System::Slbmte => slb(vcpu, |slb| slb.write(rb, rs)),
        System::Slbmfee => vcpu.state.gpr[rt] = vcpu.state.slb.esid_word(rb),
        System::Slbmfev => vcpu.state.gpr[rt] = vcpu.state.slb.vsid_word(rb),
        System::Slbfee => slbfee(vcpu, rt, rb),
        System::Transaction => return Err(Interrupt::FacilityUnavailable(facility::TM)),
        System::Hypervisor => return Err(Interrupt::Program(program::PRIVILEGED)),
        System::Rfi | System::Mfmsr | System::Book3s32(_) | System::BookE(_) => {
            return Err(Interrupt::Program(program::ILLEGAL));
        }
    }
    Ok(false)
}

/// Return from interrupt doubleword (Book III, section 3.3.1).
pub fn rfid(vcpu: &mut Vcpu) {
    let (target, msr) = (vcpu.shared.srr0(), vcpu.shared.srr1());
    vcpu.return_to(target, msr);
}

/// Return from system call vectored: like rfid from LR and CTR.
pub fn rfscv(vcpu: &mut Vcpu) {
    let (target, msr) = (vcpu.state.lr, vcpu.state.ctr);
    vcpu.return_to(target, msr);
}

/// Move to MSR: the low word, or with L=1 only EE and RI.
pub fn mtmsr(vcpu: &mut Vcpu, rs: u64, safe_only: bool) {
    if safe_only {
        vcpu.set_msr_ee_ri(rs);
    } else {
        let high = vcpu.shared.msr() & !0xffff_ffff;
        vcpu.set_msr(keep_fixed(vcpu, high | (rs & 0xffff_ffff)));
    }
}

/// Move to MSR doubleword, or with L=1 only EE and RI.
pub fn mtmsrd(vcpu: &mut Vcpu, rs: u64, safe_only: bool) {
    if safe_only {
        vcpu.set_msr_ee_ri(rs);
    } else {
        vcpu.set_msr(keep_fixed(vcpu, rs));
    }
}

/// mtmsr and mtmsrd leave HV, ME and LE as they are (Book III, section 4.3.2).
fn keep_fixed(vcpu: &Vcpu, value: u64) -> u64 {
    let fixed = msr::HV | msr::ME | msr::LE;
    (value & !fixed) | (vcpu.shared.msr() & fixed)
}

fn slb(vcpu: &mut Vcpu, change: impl FnOnce(&mut Slb)) {
    change(&mut vcpu.state.slb);
}

fn slbfee(vcpu: &mut Vcpu, rt: usize, rb: u64) {
    let found = vcpu.state.slb.find(rb);
    vcpu.state.gpr[rt] = found.map_or(0, |entry| entry.vsid);
    vcpu.state.cr[0] = if found.is_some() { 2 } else { 0 } | u8::from(vcpu.state.so);
}

/// Whether the partition has agreed to ask the hypervisor for what `tlbie` does: then that is the hypervisor's (Power
/// ISA 3.0B Book III, section 5.9.3.3, `LPCR[GTSE]`). With a hashed table guests have no use for it.
fn is_hypervisors(context: &Context) -> bool {
    context.partition.radix() && !context.partition.guest_invalidates()
}

/// What a tlbie or tlbiel names (Book III, section 5.9.3.3).
fn tlbie(vcpu: &Vcpu, word: u32, rs: u64, rb: u64) -> Invalidation {
    if vcpu.state.cpu == Cpu::Power8 {
        // ISA 2.07: the L bit stands in the word, the page size in RB; be generous.
        return match word >> 21 & 1 {
            _ if rb >> 10 & 3 != 0 => Invalidation::All,
            _ => Invalidation::Page { address: rb & !0xfff, shift: if rb & 1 != 0 { 24 } else { 12 } },
        };
    }
    let radix = word >> 16 & 1 != 0;
    let whole_caches = word >> 18 & 3 != 0;
    let select = rb >> 10 & 3;
    match (select, radix) {
        (0, true) => {
            let shift = match rb >> 5 & 7 {
                0 => 12,
                5 => 16,
                1 => 21,
                _ => 30,
            };
            // A page walk cache invalidation reaches further than one page.
            if whole_caches { Invalidation::All } else { Invalidation::Page { address: rb & !0xfff, shift } }
        }
        (1, true) => Invalidation::Process((rs >> 32) as u32),
        (0, false) => Invalidation::Page { address: rb & !0xfff, shift: if rb & 1 != 0 { 24 } else { 12 } },
        _ => Invalidation::All,
    }
}

/// Reads an SPR that is Book3S-64's own.
///
/// # Errors
/// Illegal instruction for numbers that even privileged software may not read.
pub fn mfspr(vcpu: &Vcpu, context: &Context, number: u16) -> Result<u64, Interrupt> {
    let state = &vcpu.state;
    Ok(match number {
        spr::DAR => vcpu.shared.dar(),
        spr::DSISR => u64::from(vcpu.shared.dsisr()),
        spr::PIR => u64::from(state.pir),
        spr::PIDR => u64::from(state.pid),
        spr::AMR | spr::UAMR => state.amr,
        spr::IAMR => state.iamr,
        spr::UAMOR => state.uamor,
        spr::DSCR => state.dscr,
        spr::FSCR => state.fscr,
        spr::DEXCR | spr::HASHKEYR if state.cpu.level() < 310 => 0,
        spr::DEXCR => state.dexcr,
        spr::HASHKEYR => state.hash_keys[0],
        spr::CTRL => u64::from(state.ctrl),
        spr::CFAR => state.cfar,
        spr::TIDR => state.tidr,
        spr::PURR | spr::SPURR | spr::VTB => timebase::timebase(state, context),
        spr::IC => state.retired,
        spr::SIER..=spr::PMC6 | spr::MMCR0..=spr::MMCR1 => pmu(state.pmu, number),
        0 | 4 | 5 | 6 => return Err(Interrupt::Program(program::ILLEGAL)),
        _ => 0,
    })
}

fn pmu(registers: [u64; 32], number: u16) -> u64 {
    registers[usize::from(number & 31)]
}

/// Writes an SPR that is Book3S-64's own. Unknown ones ignore the write.
///
/// # Errors
/// Illegal instruction for number 0.
pub fn mtspr(vcpu: &mut Vcpu, number: u16, value: u64) -> Result<(), Interrupt> {
    let state = &mut vcpu.state;
    match number {
        spr::DAR => vcpu.shared.set_dar(value),
        spr::DSISR => vcpu.shared.set_dsisr(value as u32),
        spr::PIDR => state.pid = (value & 0xf_ffff) as u32,
        spr::AMR | spr::UAMR => state.amr = value,
        spr::IAMR => state.iamr = value,
        spr::UAMOR => state.uamor = value,
        spr::DSCR => state.dscr = value & 0x1ff_ffff,
        spr::FSCR => {
            let mut kept = fscr::DSCR | fscr::EBB | fscr::TAR | 0xff00_0000_0000_0000;
            if state.cpu.level() >= 300 {
                kept |= fscr::SCV;
            }
            if state.cpu.level() >= 310 {
                kept |= fscr::PREFIX;
            }
            vcpu.set_fscr(value & kept);
        }
        spr::DEXCR | spr::HASHKEYR if state.cpu.level() < 310 => {}
        spr::DEXCR => state.dexcr = value,
        spr::HASHKEYR => state.hash_keys[0] = value,
        spr::CTRL => state.ctrl = value as u32 & 1,
        spr::CFAR => state.cfar = value,
        spr::TIDR => state.tidr = value,
        spr::SIER..=spr::PMC6 | spr::MMCR0..=spr::MMCR1 => state.pmu[usize::from(number & 31)] = value,
        0 => return Err(Interrupt::Program(program::ILLEGAL)),
        _ => {}
    }
    Ok(())
}
