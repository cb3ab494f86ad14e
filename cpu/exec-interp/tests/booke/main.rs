//! BookE: privileged instructions, the software-managed TLB, interrupts, timers and the shared page, by small programs
//! that run with privileged instructions inline and trapped. Expected values are those of the e500 Core Family Reference
//! Manual and of Power ISA Book III-E.

mod interrupts;
mod order;
mod page;
mod registers;
mod translation;

use std::cell::Cell;

use exec::supervisor;
use exec::{Context, Engine, Exit, Interrupt, Lines, PartitionState, Privileged, Requests, Vcpu, delivery, interrupt};
use exec_interp::Interpreter;
use guest_mem::{GuestMem, Order};
use ppc_isa::{Cpu, encode, rows};
use ppc_mmu::booke::Assist;

/// RAM; a page of TLB1 maps it one to one for everybody in address space 0.
const RAM: u64 = 16 << 20;
/// Where programs stand.
const CODE: u64 = 0x1_0000;
/// Free memory.
const DATA: u64 = 0x2_0000;

#[derive(Default)]
struct Inputs {
    external: Cell<bool>,
    critical: Cell<bool>,
}

struct Sampled(bool, bool);

impl Lines for Sampled {
    fn external(&self, _: u32) -> bool {
        self.0
    }

    fn critical(&self, _: u32) -> bool {
        self.1
    }
}

/// A processor with memory.
struct Machine {
    cpu: Cpu,
    mem: GuestMem,
    vcpu: Vcpu,
    engine: Interpreter,
    privileged: Privileged,
    requests: Requests,
    partition: PartitionState,
    inputs: Inputs,
}

/// Both models with privileged instructions both ways.
fn machines() -> impl Iterator<Item = Machine> {
    let both = |cpu| [Privileged::Inline, Privileged::Trap].map(|privileged| Machine::new(cpu, privileged));
    [Cpu::E500v2, Cpu::E5500].into_iter().flat_map(both)
}

/// One instruction.
fn asm(name: &str, values: &[i64]) -> u32 {
    let row = rows().find(|row| row.name == name && row.models.contains(Cpu::E5500));
    row.and_then(|row| encode::encode(row, values)).unwrap_or_else(|| panic!("{name} {values:?}")) as u32
}

fn mfspr(rt: i64, spr: u16) -> u32 {
    asm("mfspr", &[rt, spr.into()])
}

fn mtspr(spr: u16, rs: i64) -> u32 {
    asm("mtspr", &[spr.into(), rs])
}

impl Machine {
    fn new(cpu: Cpu, privileged: Privileged) -> Machine {
        let mut vcpu = Vcpu::new(cpu, 3);
        vcpu.state.booke.tlb.write(&Assist {
            mas0: 0x1000_0000,
            mas1: 0xc000_0000 | 7 << 8,
            mas3: 0x3f,
            ..Assist::default()
        });
        Machine {
            cpu,
            mem: GuestMem::new(RAM).unwrap(),
            vcpu,
            engine: Interpreter::new(cpu),
            privileged,
            requests: Requests::default(),
            partition: PartitionState::new(None, false),
            inputs: Inputs::default(),
        }
    }

    /// Puts `code` and an `sc` at `CODE` and goes there.
    fn load(&mut self, code: &[u32]) {
        for (at, word) in (CODE..).step_by(4).zip(code.iter().copied().chain([asm("sc", &[0])])) {
            assert!(self.mem.store(at, Order::Big, word));
        }
        self.vcpu.state.cia = CODE;
    }

    fn gpr(&mut self, n: usize, value: u64) -> &mut Machine {
        self.vcpu.state.gpr[n] = value;
        self
    }

    /// A register as the model has it.
    fn r(&self, n: usize) -> u64 {
        let value = self.vcpu.state.gpr[n];
        if self.cpu.sixty_four() { value } else { value & 0xffff_ffff }
    }

    fn msr(&mut self, bits: u64) {
        self.vcpu.set_msr(bits);
    }

    fn with<T>(&mut self, work: impl FnOnce(&mut Interpreter, &mut Vcpu, &Context) -> T) -> T {
        let context = Context::alone(&self.mem, &self.partition, &self.requests, self.privileged);
        work(&mut self.engine, &mut self.vcpu, &context)
    }

    /// Runs until `sc`, an interrupt, or a privileged instruction of problem state; what a privileged instruction is
    /// refused with is an interrupt too.
    fn run(&mut self) -> Exit {
        self.with(|engine, vcpu, context| {
            for _ in 0..1000 {
                match engine.run(vcpu, context, 10_000) {
                    Exit::Privileged(insn) if !vcpu.state.mode.problem() || supervisor::open_to_problem(&insn) => {
                        if let Err(interrupt) = supervisor::execute(vcpu, context, &insn) {
                            return Exit::Interrupt(interrupt);
                        }
                    }
                    Exit::Event => {}
                    exit => return exit,
                }
                if vcpu.state.waiting {
                    return Exit::Event;
                }
            }
            panic!("no end at {:#x}", vcpu.state.cia);
        })
    }

    /// Runs `code` to its `sc`.
    #[track_caller]
    fn program(&mut self, code: &[u32]) {
        self.load(code);
        let exit = self.run();
        assert!(matches!(exit, Exit::SystemCall(_)), "{exit:?} at {:#x}", self.vcpu.state.cia);
    }

    /// Runs `code` to the interrupt that it causes.
    #[track_caller]
    fn faults(&mut self, code: &[u32]) -> Interrupt {
        self.load(code);
        match self.run() {
            Exit::Interrupt(interrupt) => interrupt,
            exit => panic!("{exit:?} at {:#x}", self.vcpu.state.cia),
        }
    }

    /// Runs `code` to the interrupt that it causes, and delivers that.
    #[track_caller]
    fn interrupted(&mut self, code: &[u32]) -> Interrupt {
        let interrupt = self.faults(code);
        self.deliver(interrupt);
        interrupt
    }

    fn deliver(&mut self, interrupt: Interrupt) {
        self.with(|_, vcpu, context| delivery::deliver(vcpu, context.partition, interrupt));
    }

    fn pending(&mut self) -> interrupt::Pending {
        let lines = Sampled(self.inputs.external.get(), self.inputs.critical.get());
        self.with(|_, vcpu, context| delivery::pending(vcpu, context, &lines))
    }

    fn mfspr(&mut self, number: u16) -> u64 {
        self.with(|_, vcpu, context| supervisor::mfspr(vcpu, context, number)).unwrap()
    }

    #[track_caller]
    fn mtspr(&mut self, number: u16, value: u64) {
        self.with(|_, vcpu, context| supervisor::mtspr(vcpu, context, number, value)).unwrap();
    }

    /// Writes a TLB entry and does what has to be done then.
    fn tlbwe(&mut self, mas0: u32, mas1: u32, mas2: u64, mas3: u32) {
        let assist = Assist { mas0, mas1, mas2, mas3, ..self.vcpu.shared.assist() };
        self.vcpu.shared.set_assist(&assist);
        self.program(&[asm("tlbwe", &[])]);
    }
}
