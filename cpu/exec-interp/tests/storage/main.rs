//! Storage as Power ISA Book II sees it: reservations, atomic memory operations, barriers, copy and paste; by one vCPU, and by
//! several on threads of their own. And what else no oracle in problem state can tell.

mod facilities;
mod operations;
mod privileged;
mod reservations;

use exec::{Context, Engine, Exit, Interrupt, PartitionState, Privileged, Requests, Vcpu};
use exec_interp::Interpreter;
use guest_mem::{GuestMem, Order};
use ppc_isa::cpu::Family;
use ppc_isa::encode::encode;
use ppc_isa::{Cpu, msr, operand};
use ppc_mmu::booke::Assist;

/// Where programs stand, a page for each vCPU.
const CODE: u64 = 0x1_0000;
/// What they work on.
const DATA: u64 = 0x4000;
const ORDERS: [Order; 2] = [Order::Big, Order::Little];

/// `name a,b,c(d); name ...` as words for `cpu`; a hint at the end may be left out.
fn program(cpu: Cpu, text: &str) -> Vec<u32> {
    let word = |line: &str| {
        let (name, operands) = line.trim().split_once(' ').unwrap_or((line.trim(), ""));
        let number = |n: &str| n.trim().parse::<i64>().unwrap();
        let mut values: Vec<i64> = operands.split(['(', ')', ',']).filter(|n| !n.is_empty()).map(number).collect();
        let row = ppc_isa::rows().find(|row| row.name == name && row.models.contains(cpu));
        let row = row.unwrap_or_else(|| panic!("{}: no {name}", cpu.name()));
        values.resize(operand::operands(row).count(), 0);
        encode(row, &values).unwrap_or_else(|| panic!("{line}")) as u32
    };
    text.split(';').map(word).collect()
}

/// One vCPU with its engine, at its own page of code.
struct Thread {
    vcpu: Vcpu,
    engine: Interpreter,
    order: Order,
    requests: Requests,
}

impl Thread {
    fn new(cpu: Cpu, order: Order, number: u32) -> Thread {
        let mut vcpu = Vcpu::new(cpu, number);
        if cpu.family() == Family::BookE {
            // 16 MiB one to one.
            let entry = Assist { mas0: 0x1000_0000, mas1: 0xc000_0000 | 7 << 8, mas3: 0x3f, ..Assist::default() };
            vcpu.state.booke.tlb.write(&entry);
        }
        if order == Order::Little {
            let msr = vcpu.shared.msr();
            vcpu.set_msr(msr | msr::LE);
        }
        Thread { vcpu, engine: Interpreter::new(cpu), order, requests: Requests::default() }
    }

    fn run(&mut self, mem: &GuestMem, text: &str) -> Exit {
        let at = CODE + u64::from(self.vcpu.state.pir) * 0x1000;
        for (i, word) in program(self.vcpu.state.cpu, &format!("{text}; sc")).into_iter().enumerate() {
            assert!(mem.store(at + 4 * i as u64, self.order, word));
        }
        self.vcpu.state.cia = at;
        let partition = PartitionState::new(None, true);
        let context = Context::alone(mem, &partition, &self.requests, Privileged::Inline);
        loop {
            match self.engine.run(&mut self.vcpu, &context, 1 << 40) {
                Exit::Event => {}
                exit => return exit,
            }
        }
    }

    /// Runs to the end with these registers.
    fn finish(&mut self, mem: &GuestMem, text: &str, registers: &[(usize, u64)]) {
        for &(n, value) in registers {
            self.vcpu.state.gpr[n] = value;
        }
        let exit = self.run(mem, text);
        assert!(matches!(exit, Exit::SystemCall(_)), "{text}: {exit:?}");
    }

    fn fault(&mut self, mem: &GuestMem, text: &str, registers: &[(usize, u64)]) -> Interrupt {
        for &(n, value) in registers {
            self.vcpu.state.gpr[n] = value;
        }
        match self.run(mem, text) {
            Exit::Interrupt(interrupt) => interrupt,
            exit => panic!("{text}: {exit:?}"),
        }
    }

    fn stored(&self) -> bool {
        self.vcpu.state.cr[0] & 2 != 0
    }
}

fn orders(cpu: Cpu) -> &'static [Order] {
    if cpu.level() >= 207 { &ORDERS } else { &[Order::Big] }
}
