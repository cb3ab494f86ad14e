//! Book3S-64 by single instructions: facilities, prefixes, the matrix-multiply assist.

use exec::mode::Mode;
use exec::{Context, Engine, Exit, PartitionState, Privileged, Requests, Vcpu};
use exec_interp::Interpreter;
use guest_mem::{GuestMem, Order};
use ppc_isa::{Cpu, msr};

mod facilities;
mod mma;
mod prefixed;

const CODE: u64 = 0x1000;
/// sc.
const SC: u32 = 0x4400_0002;
/// `FSCR[PREFIX]`, bit 50.
const FSCR_PREFIX: u64 = 1 << (63 - 50);

struct Machine {
    mem: GuestMem,
    vcpu: Vcpu,
    order: Order,
    engine: Interpreter,
}

impl Machine {
    fn new(cpu: Cpu, order: Order, problem: bool, fscr: u64) -> Machine {
        let mut vcpu = Vcpu::new(cpu, 0);
        let little = if order == Order::Little { msr::LE } else { 0 };
        vcpu.set_msr(vcpu.shared.msr() | little);
        if problem {
            // Without the relocation that comes with it, so that no table is needed.
            vcpu.state.mode = Mode::of(cpu, vcpu.shared.msr() | msr::PR);
        }
        vcpu.set_fscr(fscr);
        Machine { mem: GuestMem::new(1 << 16).unwrap(), vcpu, order, engine: Interpreter::new(cpu) }
    }

    /// Runs the words from `at` on until an exit; `sc` follows. Privileged instructions are carried out.
    fn run(&mut self, at: u64, words: &[u32]) -> Exit {
        for (i, word) in words.iter().chain([&SC]).enumerate() {
            assert!(self.mem.store(at + 4 * i as u64, self.order, *word));
        }
        self.vcpu.state.cia = at;
        let (partition, requests) = (PartitionState::new(None, true), Requests::default());
        let context = Context::alone(&self.mem, &partition, &requests, Privileged::Inline);
        self.engine.run(&mut self.vcpu, &context, 10)
    }

    /// Runs one instruction.
    fn one(&mut self, word: u32) -> Exit {
        self.run(CODE, &[word])
    }
}

/// Whether the instruction completed.
fn done(exit: &Exit) -> bool {
    matches!(exit, Exit::SystemCall(_))
}
