//! Any instruction in any state of any model: real mode, translation with damaged tables, both byte orders and word
//! sizes, the paravirtual page mapped anywhere, interrupts to vectors that hold more of the same code.

use exec::Exit;
use guest_mem::Order;
use hv_core::Next;
use ppc_isa::cpu::Family;
use ppc_isa::{Cpu, msr, rows};

use crate::input::Input;
use crate::targets::tables;
use crate::targets::vm::{RAM, Vm};

/// Where the code begins in real memory: the vectors are filled with it too.
pub(super) const CODE: u64 = 0x1_0000;
/// Instructions at each place.
const WORDS: usize = 48;
/// Exits after which a case ends.
const EXITS: usize = 96;
/// Instructions between events.
const BUDGET: u64 = 200;
/// MSR bits that an input may set.
const MODES: u64 = msr::SF
    | msr::LE
    | msr::IR
    | msr::DR
    | msr::PR
    | msr::EE
    | msr::RI
    | msr::FP
    | msr::VEC
    | msr::VSX
    | msr::FE0
    | msr::FE1;

/// Fills a machine and runs it for some exits.
pub fn run(data: &[u8]) {
    let mut input = Input::new(data);
    let mut vm = Vm::new(input.pick(&Cpu::ALL), true);
    let family = vm.vcpu.state.cpu.family();
    let usual = if input.byte() & 7 != 0 { msr::SF | msr::FP | msr::VEC | msr::VSX } else { 0 };
    let traced = if input.byte() & 7 == 0 { input.doubleword() & (msr::SE | msr::BE) } else { 0 };
    let mode = input.doubleword() & MODES | usual | traced;
    tables::any(&mut vm, &mut input);
    if input.flag() {
        let (real, effective) = (input.number(RAM), input.number(RAM));
        let order = vm.machine().partition.interrupt_order();
        vm.vcpu.shared.map(real, effective, order);
    }
    registers(&mut vm, &mut input);
    vm.vcpu.set_msr(mode);
    let order = if mode & msr::LE != 0 && family == Family::Book3s64 { Order::Little } else { Order::Big };
    let code: Vec<u32> = (0..WORDS).map(|_| word(&mut input, vm.vcpu.state.cpu)).collect();
    for at in (0x100..0x3000).step_by(0x80) {
        vm.store_code(at, Order::Big, &code[at as usize / 0x80 % 16..][..32]);
    }
    vm.store_code(CODE, order, &code);
    vm.vcpu.state.cia = match input.byte() & 15 {
        0 => input.number(RAM) & !3,
        1 => CODE + 0x1000 - 8,
        _ => CODE,
    };
    for n in 0..EXITS {
        if n % 8 == 0 {
            vm.poll();
        }
        let (exit, at) = (vm.enter(BUDGET), vm.vcpu.state.cia);
        if let Next::Halt(_) = vm.handle(exit) {
            return;
        }
        // Most handlers "return" at once, behind the instruction and in the old mode; else little would run but them.
        if n % 8 != 0 && !matches!(exit, Exit::Event) {
            vm.vcpu.set_msr(mode);
            vm.vcpu.state.cia = CODE + (at / 4 + 1) % WORDS as u64 * 4;
        }
    }
}

/// An instruction of some row with any operands, or any word.
fn word(input: &mut Input, cpu: Cpu) -> u32 {
    let word = input.word();
    if input.byte() & 15 == 0 {
        return word;
    }
    // A pick per word over the whole table; rows of other models are legal to try as well.
    let index = usize::from(u16::from_be_bytes(input.bytes())) % rows().filter(|row| row.models.contains(cpu)).count();
    rows().filter(|row| row.models.contains(cpu)).nth(index).map_or(word, |row| {
        // Of prefixed ones, the suffix follows in the next word only by chance.
        let full = (u64::from(word) << 32 | u64::from(word)) & !row.mask | row.value;
        if row.prefixed() { (full >> 32) as u32 } else { full as u32 }
    })
}

fn registers(vm: &mut Vm, input: &mut Input) {
    for n in 0..32 {
        vm.vcpu.state.gpr[n] = input.number(RAM);
    }
    for n in 0..64 {
        vm.vcpu.state.vsr[n] = [input.doubleword(), input.number(RAM)];
    }
    let state = &mut vm.vcpu.state;
    (state.lr, state.ctr, state.tar) = (input.number(RAM), input.number(RAM), input.number(RAM));
    state.set_cr_word(input.word());
    state.set_xer(input.doubleword());
    state.fpscr = u64::from(input.word());
    state.fscr = input.doubleword();
    state.amr = if input.byte() & 7 == 0 { input.doubleword() } else { 0 };
    state.iamr = if input.byte() & 7 == 0 { input.doubleword() } else { 0 };
    state.decrementer = if input.byte() & 7 == 0 { input.number(RAM) } else { i64::MAX as u64 };
    state.pid = u32::from(input.byte() & 1);
    vm.vcpu.shared.set_srr0(input.number(RAM));
    vm.vcpu.shared.set_srr1(input.doubleword() & MODES);
    vm.vcpu.derive_mode();
}
