//! The signal processing engine of e500v2: values worked out from the register transfer descriptions of SPEPEM,
//! chapter 5, and Power ISA 2.03 Book I, chapter 7.

mod float;
mod integer;
mod interrupts;
mod loadstore;
mod multiply;

use exec::{Context, Engine, Exit, Interrupt, PartitionState, Privileged, Requests, Vcpu, VcpuState};
use exec_interp::Interpreter;
use guest_mem::{GuestMem, Order};
use ppc_isa::encode::assemble;
use ppc_isa::operand::operands;
use ppc_isa::{Cpu, msr};
use ppc_mmu::booke::{Assist, mas};

const CODE: u64 = 0x1000;
const DATA: u64 = 0x2000;

/// SPEFSCR: SOVH and OVH.
const OVH: u32 = 0xc000_0000;
/// SPEFSCR: SOV and OV.
const OV: u32 = 0xc000;

struct Machine {
    mem: GuestMem,
    vcpu: Vcpu,
}

impl Machine {
    /// One page maps everything; the engine is on.
    fn new() -> Machine {
        let mut vcpu = Vcpu::new(Cpu::E500v2, 0);
        let everything = Assist { mas0: mas::TLBSEL, mas1: mas::VALID | 9 << 8, mas3: 0x3f, ..Assist::default() };
        vcpu.state.booke.tlb.write(&everything);
        vcpu.set_msr(msr::SPE);
        vcpu.state.cia = CODE;
        Machine { mem: GuestMem::new(1 << 16).unwrap(), vcpu }
    }

    /// Maps the page at `ea` for reading.
    fn read_only(&mut self, ea: u64) {
        let page = Assist { mas1: mas::VALID | 1 << 8, mas2: ea, mas3: 0x2003, ..Assist::default() };
        self.vcpu.state.booke.tlb.write(&page);
    }

    fn state(&mut self) -> &mut VcpuState {
        &mut self.vcpu.state
    }

    fn set(&mut self, register: usize, value: u64) {
        self.vcpu.state.gpr_high[register] = (value >> 32) as u32;
        // The upper half of the ordinary register is nobody's.
        self.vcpu.state.gpr[register] = 0xdead_beef_0000_0000 | value & 0xffff_ffff;
    }

    fn get(&self, register: usize) -> u64 {
        let state = &self.vcpu.state;
        u64::from(state.gpr_high[register]) << 32 | state.gpr[register] & 0xffff_ffff
    }

    /// Executes one instruction, and the `sc` behind it unless it is interrupted.
    fn exit(&mut self, name: &str, values: &[i64]) -> Exit {
        let word = assemble(name, values).unwrap_or_else(|| panic!("{name} {values:?}"));
        for (at, word) in [(CODE, word), (CODE + 4, assemble("sc", &[0]).unwrap())] {
            assert!(self.mem.store(at, Order::Big, word));
        }
        self.exit_at(CODE)
    }

    /// Runs what stands at `address`.
    fn exit_at(&mut self, address: u64) -> Exit {
        self.vcpu.state.cia = address;
        let (partition, requests) = (PartitionState::new(None, false), Requests::default());
        let context = Context::alone(&self.mem, &partition, &requests, Privileged::Inline);
        Interpreter::new(Cpu::E500v2).run(&mut self.vcpu, &context, 10)
    }

    fn run(&mut self, name: &str, values: &[i64]) -> Result<(), Interrupt> {
        match self.exit(name, values) {
            Exit::SystemCall(_) => Ok(()),
            Exit::Interrupt(interrupt) => Err(interrupt),
            exit => panic!("{name} {values:?}: {exit:?}"),
        }
    }

    /// r5 = `name` of r3 and r4.
    fn compute(&mut self, name: &str, a: u64, b: u64) -> u64 {
        self.set(3, a);
        self.set(4, b);
        let count = operands(ppc_isa::row(name).unwrap()).count();
        self.run(name, &[5, 3, 4][..count]).unwrap();
        self.get(5)
    }
}
