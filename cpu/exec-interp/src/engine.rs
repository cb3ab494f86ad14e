//! The run loop of the interpreter.

use std::convert::Infallible;

use exec::delivery::{book3s32, booke};
use exec::engine::Turns;
use exec::interrupt::{Interrupt, facility, program};
use exec::mode::{fscr, need};
use exec::state::prefix::{BOUNDARY, PREFIXED};
use exec::{Context, Engine, Exit, Instruction, Vcpu, VcpuState};
use guest_mem::{Order, Word};
use ppc_isa::cpu::Family;
use ppc_isa::{Cpu, Op, Row};
use ppc_mmu::fault::BYTE_ORDER;
use ppc_mmu::{Access, Fault, Invalidation, SoftTlb, Tables};

use crate::code::{CodeCache, Decoded, Dispatch, SLOTS};
use crate::env::{Env, Flow, Step, Trap};

/// The reference engine of one vCPU.
pub struct Interpreter {
    code: CodeCache,
    fetch: SoftTlb,
    data: SoftTlb,
}

impl Interpreter {
    /// An engine for `cpu`.
    pub fn new(cpu: Cpu) -> Interpreter {
        Interpreter { code: CodeCache::new(cpu), fetch: SoftTlb::default(), data: SoftTlb::default() }
    }

    /// Real address and byte order of the instruction at `state.cia`. Little-endian pages of BookE are not remembered.
    ///
    /// # Errors
    /// The interrupt that fetching it causes.
    pub fn fetch(&mut self, state: &VcpuState, context: &Context) -> Result<(u64, Order), Exit> {
        let ea = state.cia;
        if let Some(real) = self.fetch.lookup(ea, Access::Fetch) {
            return Ok((real, state.order()));
        }
        let mut space = state.space(context.mem, context.partition, true);
        let translated = match (space.translate(ea, Access::Fetch), &mut space.tables) {
            (Err(Fault::Storage(BYTE_ORDER)), Tables::BookE { little, .. }) => {
                *little = true;
                space.translate(ea, Access::Fetch).map(|mapping| (mapping.real, Order::Little))
            }
            (Ok(mapping), tables) => {
                self.fetch.insert(tables, ea, mapping);
                Ok((mapping.real, state.order()))
            }
            (Err(fault), _) => Err(fault),
        };
        match translated {
            Ok(place) => Ok(place),
            Err(fault) => Err(Exit::Interrupt(Interrupt::of(fault, Access::Fetch, ea))),
        }
    }

    /// Takes the invalidations that were asked for, each of which `observe` is told, too. Before the next access a mode is
    /// to be entered again.
    pub fn take_invalidations(
        &mut self,
        state: &mut VcpuState,
        context: &Context,
        mut observe: impl FnMut(Invalidation),
    ) {
        let Interpreter { fetch, data, .. } = self;
        context.requests.take_invalidations(|what| {
            if let Invalidation::Tlb(flush) = what {
                state.booke.tlb.flush(flush);
            }
            fetch.invalidate(what);
            data.invalidate(what);
            observe(what);
        });
    }

    /// Makes translations answer for the state's mode.
    pub fn enter(&mut self, state: &VcpuState, context: &Context) {
        let Interpreter { fetch, data, .. } = self;
        let mode = state.mode;
        fetch.enter(&state.tables(context.partition, mode.fetch_relocated()), mode.problem(), state.keys());
        data.enter(&state.tables(context.partition, mode.data_relocated()), mode.problem(), state.keys());
    }

    /// How words are decoded.
    pub fn dispatch(&self) -> &Dispatch {
        self.code.dispatch()
    }

    /// Executes `decoded`, an instruction of four bytes at `state.cia` that lacks nothing. Returns whether an event
    /// point was reached.
    ///
    /// # Errors
    /// The exit that it causes.
    pub fn execute(&mut self, vcpu: &mut Vcpu, context: &Context, decoded: Decoded) -> Result<bool, Exit> {
        let mut env = Env::new(context, &mut vcpu.shared, &mut self.data);
        step::<4>(self.code.dispatch(), &mut vcpu.state, &mut env, decoded)
    }

    /// The value at `ea` in the guest's byte order, if loading it causes no interrupt.
    pub fn load<T: Word>(&mut self, vcpu: &mut Vcpu, context: &Context, ea: u64) -> Option<T> {
        Env::new(context, &mut vcpu.shared, &mut self.data).load(&vcpu.state, ea).ok()
    }

    /// Stores `value` at `ea` in the guest's byte order; `false` if that causes an interrupt, and nothing is stored.
    pub fn store<T: Word>(&mut self, vcpu: &mut Vcpu, context: &Context, ea: u64, value: T) -> bool {
        Env::new(context, &mut vcpu.shared, &mut self.data).store(&vcpu.state, ea, value).is_ok()
    }

    /// What data translations are known.
    pub fn data(&self) -> &SoftTlb {
        &self.data
    }
}

impl Interpreter {
    /// Runs until an exit, one turn for each page that is entered.
    fn pages(&mut self, vcpu: &mut Vcpu, context: &Context, limit: u64) -> Result<Infallible, Exit> {
        let state = &mut vcpu.state;
        let event_now = |state: &VcpuState| state.retired >= limit || context.requests.pending() != 0;
        loop {
            let epoch = context.mem.code_epoch();
            let base = state.cia & !0xfff;
            let visible = vcpu.shared.visible(state, state.cia, Access::Fetch);
            let place = if visible { None } else { Some(self.fetch(state, context)?) };
            let Some((real, order)) = place.filter(|(real, _)| !vcpu.shared.overrides(state, *real)) else {
                let order = state.order();
                let word = vcpu.shared.instruction(state.cia, order);
                let suffix = vcpu.shared.instruction(state.cia.wrapping_add(4), order);
                let mut env = Env::new(context, &mut vcpu.shared, &mut self.data);
                let dispatch = self.code.dispatch();
                let decoded = dispatch.decoded(word.into());
                if decoded.need & need::SUFFIX != 0 {
                    prefixed(self.code.dispatch(), state, &mut env, word, suffix)?;
                } else if decoded.need & state.unavailable != 0 {
                    return Err(unavailable(state, self.code.dispatch().row(decoded), decoded));
                } else {
                    step::<4>(self.code.dispatch(), state, &mut env, decoded)?;
                }
                if event_now(state) {
                    return Err(Exit::Event);
                }
                continue;
            };
            let page = self.code.enter(context.mem, real, order).and_then(|index| self.code.page(index));
            let page = page.ok_or(Exit::Interrupt(Interrupt::MachineCheck { dar: state.cia }))?;
            let mut env = Env::new(context, &mut vcpu.shared, &mut self.data);
            loop {
                let slot = (state.cia >> 2) as usize & (SLOTS - 1);
                let decoded = page.slots[slot].get();
                let event = if decoded.need & state.unavailable == 0 {
                    step::<4>(self.code.dispatch(), state, &mut env, decoded)?
                } else if decoded.need & need::DECODING != 0 {
                    self.code.decode(context.mem, page, slot);
                    continue;
                } else if decoded.need & need::SUFFIX != 0 {
                    let suffix = context.mem.load(page.real() + 4 * (slot as u64 + 1), order).unwrap_or(0);
                    prefixed(self.code.dispatch(), state, &mut env, decoded.word, suffix)?
                } else {
                    return Err(unavailable(state, self.code.dispatch().row(decoded), decoded));
                };
                let left_page = (state.cia ^ base) & !0xfff != 0;
                if event || left_page {
                    if event_now(state) {
                        return Err(Exit::Event);
                    }
                    if left_page || context.mem.code_epoch() != epoch {
                        break;
                    }
                }
            }
        }
    }
}

impl Turns for Interpreter {
    fn prepare(&mut self, state: &mut VcpuState, context: &Context) {
        self.take_invalidations(state, context, |_| ());
        self.enter(state, context);
    }

    fn turns(&mut self, vcpu: &mut Vcpu, context: &Context, limit: u64) -> Exit {
        let Err(exit) = self.pages(vcpu, context, limit);
        exit
    }
}

impl Engine for Interpreter {
    fn run(&mut self, vcpu: &mut Vcpu, context: &Context, budget: u64) -> Exit {
        exec::engine::run(self, vcpu, context, budget)
    }

    fn reset(&mut self) {
        self.code.clear();
        self.fetch = SoftTlb::default();
        self.data = SoftTlb::default();
    }
}

/// Executes a prefixed instruction and moves to the next. Returns whether an event point was reached.
///
/// It may not cross a boundary of 64 bytes, so prefix and suffix are on one page (Power ISA 3.1 Book I, section 1.6).
fn prefixed(code: &Dispatch, state: &mut VcpuState, env: &mut Env, prefix: u32, suffix: u32) -> Result<bool, Exit> {
    state.prefix_status = PREFIXED;
    if state.fscr & fscr::PREFIX == 0 && state.mode.problem() {
        return Err(Exit::Interrupt(Interrupt::FacilityUnavailable(facility::PREFIX)));
    }
    if state.cia & 63 == 60 {
        state.prefix_status |= BOUNDARY;
        return Err(Exit::Interrupt(Interrupt::Alignment { dar: state.cia, dsisr: 0 }));
    }
    let decoded = code.decoded(u64::from(prefix) << 32 | u64::from(suffix));
    if decoded.need & state.unavailable != 0 {
        return Err(match unavailable(state, code.row(decoded), decoded) {
            Exit::Illegal { .. } => Exit::Illegal { word: prefix },
            exit => exit,
        });
    }
    env.prefix = prefix;
    let event = step::<8>(code, state, env, decoded)?;
    state.prefix_status = 0;
    Ok(event)
}

/// Executes one instruction of `BYTES` bytes that lacks nothing and moves to the next. Returns whether an event point
/// was reached.
#[inline(always)]
fn step<const BYTES: u64>(
    code: &Dispatch,
    state: &mut VcpuState,
    env: &mut Env,
    decoded: Decoded,
) -> Result<bool, Exit> {
    let flow = match (decoded.handler)(state, env, decoded.word) {
        Ok(flow) => flow,
        Err(_) => match in_other_order(state, env, decoded) {
            Some(Ok(flow)) => flow,
            _ => return Err(trapped(state, env, code.row(decoded), decoded)),
        },
    };
    state.retired += 1;
    let next = state.effective(state.cia.wrapping_add(BYTES));
    let mut event = flow != Flow::Next;
    match flow {
        Flow::Jump => {
            event = state.target <= state.cia;
            state.cia = state.target;
        }
        Flow::JumpIndirect => state.cia = state.target,
        Flow::Next | Flow::Synchronise | Flow::Leave => state.cia = next,
    }
    if state.mode.traced() && state.mode.traces(code.row(decoded).is_some_and(|row| matches!(row.op, Op::Branch(_)))) {
        return Err(Exit::Interrupt(Interrupt::Trace));
    }
    if flow == Flow::Leave { Err(Exit::Event) } else { Ok(event) }
}

/// Executes an instruction that met a little-endian page of BookE once more in that order. It has changed nothing but
/// memory yet, to which it stores the same again. If it needs pages of both orders, the byte-ordering fault stays.
#[cold]
fn in_other_order(state: &mut VcpuState, env: &mut Env, decoded: Decoded) -> Option<Step> {
    match env.trap {
        Some(Trap::Interrupt(Interrupt::DataStorage { dsisr, .. })) if dsisr & BYTE_ORDER != 0 => {}
        _ => return None,
    }
    if state.cpu.family() != Family::BookE {
        return None;
    }
    let enter = |state: &mut VcpuState, env: &mut Env, little: bool| {
        state.mode = state.mode.ordered(little);
        let tables = state.tables(env.context.partition, state.mode.data_relocated());
        env.tlb.enter(&tables, state.mode.problem(), state.keys());
    };
    enter(state, env, true);
    let step = (decoded.handler)(state, env, decoded.word);
    enter(state, env, false);
    Some(step)
}

/// The exit of an instruction whose handler trapped.
#[cold]
fn trapped(state: &VcpuState, env: &mut Env, row: Option<&'static Row>, decoded: Decoded) -> Exit {
    match (env.trap.take(), row) {
        (Some(Trap::SystemCall), Some(row)) => Exit::SystemCall(instruction(state, row, decoded)),
        (Some(Trap::Interrupt(Interrupt::Alignment { dar, .. })), _) if state.cpu.family() == Family::Book3s32 => {
            let dsisr = book3s32::alignment_status(decoded.word);
            Exit::Interrupt(Interrupt::Alignment { dar, dsisr })
        }
        (Some(Trap::Interrupt(interrupt)), Some(row)) if state.cpu.family() == Family::BookE => {
            Exit::Interrupt(booke::attributed(interrupt, row))
        }
        (Some(Trap::Interrupt(interrupt)), _) => Exit::Interrupt(interrupt),
        _ => Exit::Interrupt(Interrupt::Program(program::ILLEGAL)),
    }
}

fn instruction(state: &VcpuState, row: &'static Row, decoded: Decoded) -> Instruction {
    Instruction { row, word: u64::from(decoded.word), len: 4, address: state.cia }
}

/// The exit of an instruction that lacks something. What it is not, or may not do, comes before what is switched off.
#[cold]
fn unavailable(state: &VcpuState, row: Option<&'static Row>, decoded: Decoded) -> Exit {
    let Some(row) = row else {
        return Exit::Illegal { word: decoded.word };
    };
    let lacking = decoded.need & state.unavailable;
    let interrupt = match lacking {
        l if l & (need::PRIVILEGED | need::SUPERVISOR) != 0 => {
            return Exit::Privileged(instruction(state, row, decoded));
        }
        l if l & need::FP != 0 => Interrupt::FpUnavailable,
        l if l & need::VEC != 0 => Interrupt::VectorUnavailable,
        l if l & need::VSX != 0 => Interrupt::VsxUnavailable,
        l if l & need::SPE != 0 => Interrupt::SpeUnavailable,
        l if l & need::TM != 0 => Interrupt::FacilityUnavailable(facility::TM),
        l if l & need::TAR != 0 => Interrupt::FacilityUnavailable(facility::TAR),
        l if l & need::EBB != 0 => Interrupt::FacilityUnavailable(facility::EBB),
        l if l & need::BHRB != 0 => Interrupt::FacilityUnavailable(facility::BHRB),
        l if l & need::SCV != 0 => Interrupt::FacilityUnavailable(facility::SCV),
        _ => Interrupt::FacilityUnavailable(facility::DSCR),
    };
    Exit::Interrupt(interrupt)
}
