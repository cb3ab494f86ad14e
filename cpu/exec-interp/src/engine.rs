//! The run loop of the interpreter.

use exec::interrupt::{Interrupt, facility, program};
use exec::mode::need;
use exec::{Context, Engine, Exit, Instruction, Vcpu, VcpuState};
use ppc_isa::{Cpu, Decoder, Row};
use ppc_mmu::{Access, Fault, SoftTlb};

use crate::code::{CodeCache, Decoded};
use crate::env::{Env, Flow, Trap};

/// The reference engine of one vCPU.
pub struct Interpreter {
    code: CodeCache,
    fetch: SoftTlb,
    data: SoftTlb,
}

impl Interpreter {
    /// An engine for `cpu`.
    pub fn new(cpu: Cpu) -> Interpreter {
        Interpreter { code: CodeCache::new(Decoder::new(cpu)), fetch: SoftTlb::default(), data: SoftTlb::default() }
    }

    /// Real address of the instruction at `state.cia`.
    fn fetch(&mut self, state: &VcpuState, context: &Context) -> Result<u64, Exit> {
        let ea = state.cia;
        if let Some(real) = self.fetch.lookup(ea, Access::Fetch) {
            return Ok(real);
        }
        let space = state.space(context.mem, context.partition, true);
        match space.translate(ea, Access::Fetch) {
            Ok(mapping) => {
                self.fetch.insert(&space.tables, ea, mapping);
                Ok(mapping.real)
            }
            Err(Fault::Segment) => Err(Exit::Interrupt(Interrupt::InstructionSegment)),
            Err(Fault::Storage(status)) => Err(Exit::Interrupt(Interrupt::InstructionStorage { status })),
        }
    }

    fn prepare(&mut self, state: &VcpuState, context: &Context) {
        let Interpreter { fetch, data, .. } = self;
        context.requests.take_invalidations(|what| {
            fetch.invalidate(what);
            data.invalidate(what);
        });
        let mode = state.mode;
        fetch.enter(&state.tables(context.partition, mode.fetch_relocated()), mode.problem(), state.keys());
        data.enter(&state.tables(context.partition, mode.data_relocated()), mode.problem(), state.keys());
    }
}

impl Engine for Interpreter {
    fn run(&mut self, vcpu: &mut Vcpu, context: &Context, budget: u64) -> Exit {
        let state = &mut vcpu.state;
        self.prepare(state, context);
        let limit = state.retired.saturating_add(budget);
        let traced = state.mode.traced();
        let order = state.order();
        // One turn for each page that is entered.
        loop {
            let epoch = context.mem.code_epoch();
            let real = match self.fetch(state, context) {
                Ok(real) => real,
                Err(exit) => return exit,
            };
            let Some(index) = self.code.enter(context.mem, real, order) else {
                return Exit::Interrupt(Interrupt::MachineCheck { dar: state.cia });
            };
            let Some(page) = self.code.page(index) else { return Exit::Event };
            let mut env = Env { context: *context, shared: &mut vcpu.shared, tlb: &mut self.data, trap: None };
            let base = state.cia & !0xfff;
            loop {
                let slot = (state.cia >> 2) as usize & 0x3ff;
                let decoded = page.slots[slot].get();
                if decoded.need & state.unavailable != 0 {
                    if decoded.need & need::DECODING != 0 {
                        self.code.decode(context.mem, page, slot);
                        continue;
                    }
                    return unavailable(state, self.code.row(decoded), decoded);
                }
                let event = match (decoded.handler)(state, &mut env, decoded.word) {
                    Ok(flow) => {
                        state.retired += 1;
                        let next = state.effective(state.cia.wrapping_add(4));
                        match flow {
                            Flow::Next => {
                                state.cia = next;
                                false
                            }
                            Flow::Jump => {
                                let backward = state.target <= state.cia;
                                state.cia = state.target;
                                backward
                            }
                            Flow::JumpIndirect => {
                                state.cia = state.target;
                                true
                            }
                            Flow::Synchronise => {
                                state.cia = next;
                                true
                            }
                            Flow::Leave => {
                                state.cia = next;
                                return Exit::Event;
                            }
                        }
                    }
                    Err(_) => {
                        return match (env.trap.take(), self.code.row(decoded)) {
                            (Some(Trap::SystemCall), Some(row)) => Exit::SystemCall(instruction(state, row, decoded)),
                            (Some(Trap::Interrupt(interrupt)), _) => Exit::Interrupt(interrupt),
                            _ => Exit::Interrupt(Interrupt::Program(program::ILLEGAL)),
                        };
                    }
                };
                if traced {
                    return Exit::Interrupt(Interrupt::Trace);
                }
                let left_page = (state.cia ^ base) & !0xfff != 0;
                if event || left_page {
                    if state.retired >= limit || context.requests.pending() != 0 {
                        return Exit::Event;
                    }
                    if left_page || context.mem.code_epoch() != epoch {
                        break;
                    }
                }
            }
        }
    }

    fn reset(&mut self) {
        self.code.clear();
        self.fetch = SoftTlb::default();
        self.data = SoftTlb::default();
    }
}

fn instruction(state: &VcpuState, row: &'static Row, decoded: Decoded) -> Instruction {
    Instruction { row, word: u64::from(decoded.word), len: 4, address: state.cia }
}

/// The exit of an instruction that lacks something. What it is not, or may not do, comes before what is switched off.
fn unavailable(state: &VcpuState, row: Option<&'static Row>, decoded: Decoded) -> Exit {
    let Some(row) = row else {
        return Exit::Interrupt(Interrupt::Program(program::ILLEGAL));
    };
    let lacking = decoded.need & state.unavailable;
    let interrupt = match lacking {
        l if l & need::PRIVILEGED != 0 => {
            return Exit::Privileged(instruction(state, row, decoded));
        }
        l if l & need::FP != 0 => Interrupt::FpUnavailable,
        l if l & need::VEC != 0 => Interrupt::VectorUnavailable,
        l if l & need::VSX != 0 => Interrupt::VsxUnavailable,
        l if l & need::TAR != 0 => Interrupt::FacilityUnavailable(facility::TAR),
        l if l & need::SCV != 0 => Interrupt::FacilityUnavailable(facility::SCV),
        _ => Interrupt::FacilityUnavailable(facility::DSCR),
    };
    Exit::Interrupt(interrupt)
}
