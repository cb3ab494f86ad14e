//! Hypercalls with any registers, and RTAS with any argument buffer, against a machine that keeps its state from call
//! to call.

use exec::partition::Ail;
use guest_mem::Order;
use hv_core::Next;
use papr_abi::{hcall, rtas};
use ppc_isa::{Cpu, msr};
use pv_abi::kvm::MAGIC;

use crate::input::Input;
use crate::targets::vm::{RAM, Vm};

const SC: u32 = 0x4400_0002;
const SC_1: u32 = 0x4400_0022;
const TOKENS: [u64; 5] = [0x2a_0003, 0x2a_0004, 0x1_0010, 0x2a_0005, 0x1_0001];
/// Argument buffers: inside RAM, up to its last byte, and across it.
const BUFFERS: [u64; 6] = [0x1000, 0x2ffe, RAM - 76, RAM - 24, RAM - 12, RAM - 8];

/// Makes calls until the input is used up.
pub fn run(data: &[u8]) {
    let mut input = Input::new(data);
    let mut vm = Vm::new(input.pick(&Cpu::BOOK3S_64), input.flag());
    vm.type_in(&input.bytes::<24>());
    let mode = input.pick(&[0, msr::LE, msr::EE, msr::IR | msr::DR, msr::PR]);
    vm.vcpu.set_msr(msr::SF | msr::ME | mode);
    while !input.is_empty() {
        let kept = vm.vcpu.state.gpr;
        match input.byte() % 8 {
            0 | 1 => service(&mut vm, &mut input),
            2 => kvm(&mut vm, &mut input),
            _ => papr(&mut vm, &mut input),
        }
        // What no call may touch, whatever its arguments.
        let gpr = vm.vcpu.state.gpr;
        assert_eq!((&gpr[1..3], &gpr[13..]), (&kept[1..3], &kept[13..]));
        vm.vcpu.set_msr(msr::SF | msr::ME | mode);
        assert!(matches!(vm.machine().partition.ail(), Ail::Off | Ail::High));
    }
}

fn papr(vm: &mut Vm, input: &mut Input) {
    let number = number(input);
    vm.vcpu.state.gpr[3] = number;
    for register in 4..13 {
        vm.vcpu.state.gpr[register] = input.number(RAM);
    }
    // Flags, indices and entries of the hashed table that mean something.
    match input.byte() & 7 {
        0 => vm.vcpu.state.gpr[4] = u64::from(input.byte()) << 45,
        1 => vm.vcpu.state.gpr[4] = input.pick(&[0, 1 << 39, 1 << 37, 1 << 31, 1 << 30, 0x1d, 0x18, 0x1c]),
        2 => {
            vm.vcpu.state.gpr[5] &= 0xff;
            vm.vcpu.state.gpr[6] |= 1;
            vm.vcpu.state.gpr[7] = (vm.vcpu.state.gpr[7] % RAM) & !0x78 | 0x10;
        }
        3 => vm.vcpu.state.gpr[5] = input.number(16),
        _ => {}
    }
    let next = vm.system_call(SC_1);
    let halts = matches!(next, Next::Halt(_));
    assert!(!halts || number == hcall::H_RTAS, "call {number:#x} stops the machine");
}

/// Mostly of a call that is implemented.
pub fn number(input: &mut Input) -> u64 {
    match input.byte() & 15 {
        0 => input.number(RAM),
        1 => input.pick(&hcall::CALLS).number,
        _ => input.pick(&hv_papr::calls().collect::<Vec<u64>>()),
    }
}

fn service(vm: &mut Vm, input: &mut Input) {
    let at = input.pick(&BUFFERS);
    let call = input.pick(rtas::CALLS);
    let [token, inputs, outputs] = match input.byte() & 7 {
        0 => [input.word(), call.inputs, call.outputs],
        1 => [call.token, u32::from(input.byte() & 31), u32::from(input.byte() & 31)],
        2 => [call.token, input.number(RAM) as u32, input.number(RAM) as u32],
        _ => [call.token, call.inputs, call.outputs],
    };
    let cells = [token, inputs, outputs].into_iter().chain((0..16).map(|_| input.number(RAM) as u32));
    for (n, cell) in (0..).zip(cells) {
        vm.machine().mem.store(at + 4 * n, Order::Big, cell);
    }
    vm.vcpu.state.gpr[3] = hcall::H_RTAS;
    vm.vcpu.state.gpr[4] = at;
    vm.system_call(SC_1);
}

fn kvm(vm: &mut Vm, input: &mut Input) {
    vm.vcpu.state.gpr[0] = MAGIC.into();
    vm.vcpu.state.gpr[3] = input.number(RAM);
    vm.vcpu.state.gpr[4] = input.number(RAM);
    vm.vcpu.state.gpr[11] = if input.byte() & 7 != 0 { input.pick(&TOKENS) } else { input.doubleword() };
    vm.system_call(SC);
}
