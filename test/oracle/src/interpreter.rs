//! Our engines under test: a case in, an outcome out.
//!
//! The case runs with its own RAM in real mode, privileged, with every unit on; a system call stands behind its last
//! word. On a 32-bit CPU the upper halves of registers, which nothing may depend on, hold garbage.

use anyhow::{Context as _, Result};
use exec::interrupt::{Interrupt, program};
use exec::{Context, Engine, Exit, PartitionState, Privileged, Requests, Vcpu, mode};
use exec_interp::Interpreter;
use exec_jit::{Policy, Translator};
use guest_mem::{GuestMem, Order};
use ppc_isa::cpu::{Family, SPE};
use ppc_isa::{Cpu, msr};
use ppc_mmu::booke::{Assist, mas};

use crate::case::{CODE, Case, DATA, Ending, Outcome, SLOT_BYTES, SLOTS, State, reg};

/// `sc`.
const END: u32 = 0x4400_0002;
/// log4 of the KiB of a page that holds all of RAM: 256 MiB.
const PAGE: u32 = 9;
/// A case is over long before.
const BUDGET: u64 = 10_000;

/// One of our engines with the machine around it.
pub struct Machine {
    name: &'static str,
    engine: Box<dyn Engine>,
    mem: GuestMem,
    partition: PartitionState,
    requests: Requests,
}

impl Machine {
    /// One machine for each engine there is.
    ///
    /// # Errors
    /// When the host has no memory.
    pub fn all(cpu: Cpu) -> Result<Vec<Machine>> {
        // Small, and translating at once: every case is new code.
        let policy = Policy { code_cache: 4 << 20, cold: 0, ..Policy::default() };
        let translator = Translator::new(cpu, policy).context("no memory for code")?;
        Ok(vec![
            Machine::new("interpreter", Box::new(Interpreter::new(cpu)))?,
            Machine::new("translator", Box::new(translator))?,
        ])
    }

    fn new(name: &'static str, engine: Box<dyn Engine>) -> Result<Machine> {
        let mem = GuestMem::new(CODE + SLOTS as u64 * SLOT_BYTES).context("no memory for a guest")?;
        let partition = PartitionState::new(None, false);
        Ok(Machine { name, engine, mem, partition, requests: Requests::default() })
    }

    /// The engine's name.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Runs `case`.
    pub fn run(&mut self, case: &Case) -> Outcome {
        self.run_with(case, true)
    }

    /// Runs `case`; an enabled floating-point exception interrupts it only if `interrupts`.
    pub fn run_with(&mut self, case: &Case, interrupts: bool) -> Outcome {
        let mut vcpu = vcpu(case);
        if !interrupts {
            vcpu.set_msr(msr(case) & !(msr::FE0 | msr::FE1));
        }
        for (at, word) in (case.address()..).step_by(4).zip(case.code().chain([END])) {
            self.mem.store(at, case.order, word);
        }
        self.mem.write(DATA, &case.before.data);
        let context = Context::alone(&self.mem, &self.partition, &self.requests, Privileged::Trap);
        let exit = self.engine.run(&mut vcpu, &context, BUDGET);
        let mut after = state(&vcpu);
        self.mem.read(DATA, &mut after.data);
        let at = vcpu.state.cia.wrapping_sub(case.address()) as i64 / 4;
        Outcome { after, ending: ending(&exit, vcpu.state.cia == case.end()), at }
    }
}

fn ending(exit: &Exit, at_end: bool) -> Ending {
    match exit {
        Exit::SystemCall(_) if at_end => Ending::Done,
        Exit::SystemCall(_) => Ending::Broken,
        Exit::Privileged(_) => Ending::Privileged,
        Exit::Illegal { .. } => Ending::Illegal,
        Exit::Event => Ending::Endless,
        Exit::Interrupt(interrupt) => match *interrupt {
            Interrupt::Program(program::TRAP) => Ending::Trap,
            Interrupt::Program(program::PRIVILEGED) => Ending::Privileged,
            Interrupt::Program(program::FP_ENABLED) => Ending::FloatEnabled,
            Interrupt::Program(_) => Ending::Illegal,
            Interrupt::Alignment { .. } => Ending::Alignment,
            Interrupt::MachineCheck { .. } | Interrupt::DataStorage { .. } | Interrupt::DataTlbMiss { .. } => {
                Ending::Storage
            }
            Interrupt::EmbeddedFpData | Interrupt::EmbeddedFpRound => Ending::FloatEnabled,
            Interrupt::FpUnavailable
            | Interrupt::VectorUnavailable
            | Interrupt::VsxUnavailable
            | Interrupt::SpeUnavailable
            | Interrupt::FacilityUnavailable(_) => Ending::Unavailable,
            _ => Ending::Broken,
        },
    }
}

/// The MSR of a case: the widest mode, every unit on.
fn msr(case: &Case) -> u64 {
    let little = if case.order == Order::Little { msr::LE } else { 0 };
    let wide = if case.cpu.sixty_four() { msr::SF | msr::CM } else { 0 };
    let units = msr::FP | msr::FE0 | msr::FE1 | msr::VEC | msr::SPE;
    match case.cpu.family() {
        Family::Book3s64 => msr::SF | msr::VSX | units | little,
        Family::Book3s32 => units,
        Family::BookE => wide | units,
    }
}

/// `value` as a register of `cpu` holds it: with something above its 32 bits where that must not matter.
fn with_garbage(cpu: Cpu, value: u64) -> u64 {
    if cpu.sixty_four() { value } else { value & 0xffff_ffff | value.wrapping_mul(0x9e37_79b9_7f4a_7c15) << 32 }
}

/// BookE has no real mode: one page stands for it, where the others have nothing at all above their RAM.
fn map_all(vcpu: &mut Vcpu) {
    if vcpu.state.cpu.family() == Family::BookE {
        vcpu.state.booke.tlb.write(&Assist {
            mas0: mas::TLBSEL,
            mas1: mas::VALID | PAGE << 8,
            mas3: 0x3f, // everything is allowed
            ..Assist::default()
        });
    }
}

fn vcpu(case: &Case) -> Vcpu {
    let mut vcpu = Vcpu::new(case.cpu, 0);
    vcpu.state.fscr = mode::fscr::TAR | mode::fscr::DSCR | mode::fscr::PREFIX;
    vcpu.state.dexcr = u64::MAX;
    vcpu.set_msr(msr(case));
    map_all(&mut vcpu);
    let (state, from) = (&mut vcpu.state, &case.before.reg);
    for (gpr, value) in state.gpr.iter_mut().zip(from) {
        *gpr = with_garbage(case.cpu, *value);
    }
    for (high, value) in state.gpr_high.iter_mut().zip(&from[reg::HIGH..]) {
        *high = *value as u32;
    }
    state.set_cr_word(from[reg::CR] as u32);
    state.set_xer(from[reg::XER]);
    state.lr = with_garbage(case.cpu, from[reg::LR]);
    state.ctr = with_garbage(case.cpu, from[reg::CTR]);
    state.tar = from[reg::TAR];
    state.fpscr = from[reg::FPSCR];
    state.vscr = from[reg::VSCR] as u32;
    state.vrsave = from[reg::VRSAVE] as u32;
    state.vsr.as_flattened_mut().copy_from_slice(&from[reg::VSR..reg::HIGH]);
    state.acc = from[reg::ACC];
    state.spefscr = from[reg::SPEFSCR] as u32;
    state.cia = case.address();
    vcpu
}

fn state(vcpu: &Vcpu) -> State {
    let (from, mut to) = (&vcpu.state, State::default());
    let bits = if from.cpu.sixty_four() { u64::MAX } else { 0xffff_ffff };
    for (to, gpr) in to.reg.iter_mut().zip(&from.gpr) {
        *to = gpr & bits;
    }
    to.reg[reg::CR] = from.cr_word().into();
    to.reg[reg::XER] = from.xer();
    to.reg[reg::LR] = from.lr & bits;
    to.reg[reg::CTR] = from.ctr & bits;
    to.reg[reg::TAR] = from.tar;
    to.reg[reg::FPSCR] = from.fpscr;
    to.reg[reg::VSCR] = from.vscr.into();
    to.reg[reg::VRSAVE] = from.vrsave.into();
    to.reg[reg::VSR..reg::HIGH].copy_from_slice(from.vsr.as_flattened());
    if SPE.contains(from.cpu) {
        for (to, high) in to.reg[reg::HIGH..].iter_mut().zip(&from.gpr_high) {
            *to = u64::from(*high);
        }
        to.reg[reg::ACC] = from.acc;
        to.reg[reg::SPEFSCR] = from.spefscr.into();
    }
    to
}
