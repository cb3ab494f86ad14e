//! Small programs in real mode: the run loop, both byte orders, code that changes itself.

use exec::{Context, Engine, Exit, Interrupt, PartitionState, Privileged, Requests, Vcpu};
use exec_interp::Interpreter;
use guest_mem::{GuestMem, Order};
use ppc_isa::encode::assemble;
use ppc_isa::{Cpu, msr};

struct Machine {
    mem: GuestMem,
    vcpu: Vcpu,
    engine: Interpreter,
}

impl Machine {
    fn new(order: Order, code: &[u32]) -> Machine {
        let mem = GuestMem::new(1 << 20).unwrap();
        for (i, &word) in code.iter().enumerate() {
            assert!(mem.store(0x1000 + 4 * i as u64, order, word));
        }
        let mut vcpu = Vcpu::new(Cpu::Power9, 0);
        vcpu.state.cia = 0x1000;
        if order == Order::Little {
            let msr = vcpu.shared.msr();
            vcpu.set_msr(msr | msr::LE);
        }
        Machine { mem, vcpu, engine: Interpreter::new(Cpu::Power9) }
    }

    fn run(&mut self, budget: u64) -> Exit {
        let partition = PartitionState::new(None, true);
        let requests = Requests::default();
        let context = Context::alone(&self.mem, &partition, &requests, Privileged::Trap);
        self.engine.run(&mut self.vcpu, &context, budget)
    }
}

fn asm(name: &str, values: &[i64]) -> u32 {
    assemble(name, values).unwrap_or_else(|| panic!("{name} {values:?}"))
}

#[test]
fn a_loop_sums_an_array_in_both_orders() {
    for order in [Order::Big, Order::Little] {
        let code = [
            asm("addi", &[3, 0, 0]),
            asm("addi", &[4, 0, 0x2000 - 8]),
            asm("addi", &[5, 0, 10]),
            asm("mtspr", &[9, 5]),
            asm("ldu", &[6, 8, 4]),
            asm("add", &[3, 3, 6]),
            asm("bc", &[16, 0, -8]),
            asm("sc", &[0]),
        ];
        let mut m = Machine::new(order, &code);
        for i in 0..10u64 {
            m.mem.store(0x2000 + 8 * i, order, i * 1000);
        }
        assert!(matches!(m.run(1000), Exit::SystemCall(i) if i.address == 0x101c && i.row.name == "sc"));
        assert_eq!(m.vcpu.state.gpr[3], 45000);
        assert_eq!(m.vcpu.state.retired, 4 + 30);
    }
}

/// The Power ISA leaves the high half undefined. A POWER9 has the low one in it twice, or its sign.
#[test]
fn high_halves_of_words_are_those_of_power9() {
    let names = ["mulhwu.", "mulhw.", "modsw", "divw."];
    let code: Vec<u32> =
        names.iter().map(|name| asm(name, &[3, 4, 5])).flat_map(|word| [word, asm("sc", &[0])]).collect();
    let mut m = Machine::new(Order::Big, &code);
    (m.vcpu.state.gpr[4], m.vcpu.state.gpr[5]) = (0x1c_be99_1def, u64::MAX);
    let product = 0xbe99_1dee_be99_1dee;
    for (at, result, order) in [(0, product, 8), (8, 0, 2), (24, 0x4166_e211, 4)] {
        m.vcpu.state.cia = 0x1000 + at;
        assert!(matches!(m.run(10), Exit::SystemCall(_)));
        assert_eq!((m.vcpu.state.gpr[3], m.vcpu.state.cr[0]), (result, order), "{at}");
    }
    m.vcpu.state.gpr[5] = 1000;
    m.vcpu.state.cia = 0x1000 + 16;
    assert!(matches!(m.run(10), Exit::SystemCall(_)));
    assert_eq!(m.vcpu.state.gpr[3] as i64, i64::from(0xbe99_1def_u32 as i32 % 1000));
}

#[test]
fn budgets_end_at_event_points_only() {
    let code = [asm("addi", &[3, 3, 1]), asm("addi", &[3, 3, 1]), asm("b", &[-8])];
    let mut m = Machine::new(Order::Big, &code);
    assert!(matches!(m.run(4), Exit::Event));
    assert_eq!(m.vcpu.state.retired, 6);
    assert_eq!(m.vcpu.state.cia, 0x1000);
}

#[test]
fn a_store_into_code_takes_effect() {
    // Overwrites the addi in the second round of the loop.
    let code =
        [asm("addi", &[3, 3, 1]), asm("stw", &[7, 0, 8]), asm("isync", &[]), asm("bc", &[16, 0, -12]), asm("sc", &[0])];
    let mut m = Machine::new(Order::Big, &code);
    m.vcpu.state.ctr = 3;
    m.vcpu.state.gpr[7] = u64::from(asm("addi", &[3, 3, 100]));
    m.vcpu.state.gpr[8] = 0x1000;
    m.run(1000);
    assert_eq!(m.vcpu.state.gpr[3], 201);
}

#[test]
fn faults_leave_the_instruction_undone() {
    let mut m = Machine::new(Order::Big, &[asm("ldu", &[6, 8, 4])]);
    m.vcpu.state.gpr[4] = 1 << 40;
    let exit = m.run(10);
    assert!(matches!(exit, Exit::Interrupt(Interrupt::MachineCheck { dar }) if dar == (1 << 40) + 8));
    assert_eq!((m.vcpu.state.gpr[4], m.vcpu.state.cia, m.vcpu.state.retired), (1 << 40, 0x1000, 0));
}

#[test]
fn privileged_and_absent_things_are_exits() {
    let mut m = Machine::new(Order::Big, &[asm("mfmsr", &[3])]);
    assert!(matches!(m.run(10), Exit::Privileged(i) if i.row.name == "mfmsr" && i.len == 4));
    let mut m = Machine::new(Order::Big, &[0]);
    assert!(matches!(m.run(10), Exit::Illegal { word: 0 }));
}
