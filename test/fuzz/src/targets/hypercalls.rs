//! Hypercalls with any registers, and RTAS with any argument buffer, against a machine that keeps its state from call
//! to call.

use exec::Width;
use exec::partition::Ail;
use guest_mem::Order;
use hv_core::Next;
use papr_abi::{hcall, rtas};
use ppc_isa::{Cpu, msr};
use pv_abi::kvm::MAGIC;

use crate::corpus::{self, reach};
use crate::input::Input;
use crate::targets::vm::{RAM, Vm};

const SC: u32 = 0x4400_0002;
const SC_1: u32 = 0x4400_0022;
const TOKENS: [u64; 5] = [0x2a_0003, 0x2a_0004, 0x1_0010, 0x2a_0005, 0x1_0001];
/// Sources of a XIVE, and numbers that have none; where it is.
const SOURCES: [u64; 6] = [0, 1, 0x1000, 0x1100, 0x1203, 0x1fff];
const TIMA: u64 = 0x6_0302_031a_0000;
const ESB: u64 = 0x6_0100_0000_0000;
/// The PCI host bridge's unit.
const BRIDGE: [u32; 2] = [0x0800_0000, 0x2000_0000];
/// Argument buffers: inside RAM, up to its last byte, and across it.
const BUFFERS: [u64; 6] = [0x1000, 0x2ffe, RAM - 76, RAM - 24, RAM - 12, RAM - 8];

/// What earlier runs kept.
pub fn examples() -> Vec<Vec<u8>> {
    corpus::inputs(include_str!("../../corpus/hypercalls.txt"))
}

/// Makes calls until the input is used up.
pub fn run(data: &[u8]) {
    let mut input = Input::new(data);
    let (cpu, pv) = (input.pick(&Cpu::BOOK3S_64), input.flag());
    let mut vm = if cpu == Cpu::Power9 && input.flag() { Vm::xive(pv) } else { Vm::new(cpu, pv) };
    vm.type_in(&input.bytes::<24>());
    let mode = input.pick(&[0, msr::LE, msr::EE, msr::IR | msr::DR, msr::PR]);
    vm.vcpu.set_msr(msr::SF | msr::ME | mode);
    while !input.is_empty() {
        let kept = vm.vcpu.state.gpr;
        match input.byte() % 8 {
            0 | 1 => service(&mut vm, &mut input),
            2 => kvm(&mut vm, &mut input),
            3 => xive(&mut vm, &mut input),
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
    answered(number, vm.vcpu.state.gpr[3]);
    let halts = matches!(next, Next::Halt(_));
    assert!(!halts || number == hcall::H_RTAS, "call {number:#x} stops the machine");
}

/// Calls that there are not are all the same.
fn answered(number: u64, status: u64) {
    if hcall::CALLS.iter().any(|call| call.number == number) {
        reach(number, status);
    }
}

/// Mostly of a call that is implemented.
pub fn number(input: &mut Input) -> u64 {
    match input.byte() & 15 {
        0 => input.number(RAM),
        1 => input.pick(&hcall::CALLS).number,
        _ => input.pick(&hv_papr::calls().collect::<Vec<u64>>()),
    }
}

/// Calls that set up a XIVE with arguments that mean something, and accesses to its pages.
fn xive(vm: &mut Vm, input: &mut Input) {
    let lisn = input.pick(&SOURCES);
    if input.flag() {
        let gpr = &mut vm.vcpu.state.gpr;
        gpr[3] = hcall::H_INT_GET_SOURCE_INFO + 4 * u64::from(input.byte() % 11);
        let priority = u64::from(input.byte() % 10);
        // Sources and queues have theirs in different places.
        gpr[4..9].copy_from_slice(&match input.flag() {
            true => [u64::from(input.byte() & 3), lisn, 0, priority, input.number(RAM)],
            false => [u64::from(input.byte() & 1), 0, priority, input.number(RAM) & !0xfff, 12],
        });
        let number = vm.vcpu.state.gpr[3];
        vm.system_call(SC_1);
        answered(number, vm.vcpu.state.gpr[3]);
        return;
    }
    let offset = u64::from(input.byte()) << 4 | u64::from(input.byte() & 0xf);
    let real = match input.byte() & 3 {
        0 => TIMA + input.pick(&[0x10, 0x11, 0x12, 0x18, 0x810, 0x812]),
        1 => TIMA + offset,
        2 => ESB + (lisn << 17) + offset,
        _ => ESB + (lisn << 17) + 0x1_0000 + offset,
    };
    let width = input.pick(&[Width::B1, Width::B2, Width::B4, Width::B8]);
    let value = input.byte().into();
    let write = input.flag();
    vm.visit(|_, visit| {
        let mmio = visit.context.mmio;
        if write { mmio.write(real, width, value) } else { mmio.read(real, width).is_some() }
    });
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
    let mut cells: [u32; 16] = std::array::from_fn(|_| input.number(RAM) as u32);
    if (rtas::READ_PCI_CONFIG.token..=rtas::RESET_PE_DMA_WINDOW.token).contains(&call.token) && input.flag() {
        // A register of the first two slots, behind the bridge that there is; something small.
        cells[0] = u32::from(input.byte() & 1) << 11 | u32::from(input.byte());
        cells[1..3].copy_from_slice(&BRIDGE);
        cells[3..5].copy_from_slice(&[input.pick(&[1, 2, 4, 12, 16, 24]), u32::from(input.byte() & 0x3f)]);
    }
    let cells = [token, inputs, outputs].into_iter().chain(cells);
    for (n, cell) in (0..).zip(cells) {
        vm.machine().mem.store(at + 4 * n, Order::Big, cell);
    }
    vm.vcpu.state.gpr[3] = hcall::H_RTAS;
    vm.vcpu.state.gpr[4] = at;
    vm.system_call(SC_1);
    let served = vm.vcpu.state.gpr[3] == 0;
    if served && [token, inputs, outputs] == [call.token, call.inputs, call.outputs] {
        let status = vm.machine().mem.load::<u32>(at + 4 * u64::from(3 + inputs), Order::Big);
        reach(token.into(), status.map_or(u64::MAX, u64::from));
    }
}

fn kvm(vm: &mut Vm, input: &mut Input) {
    vm.vcpu.state.gpr[0] = MAGIC.into();
    vm.vcpu.state.gpr[3] = input.number(RAM);
    vm.vcpu.state.gpr[4] = input.number(RAM);
    vm.vcpu.state.gpr[11] = if input.byte() & 7 != 0 { input.pick(&TOKENS) } else { input.doubleword() };
    vm.system_call(SC);
}
