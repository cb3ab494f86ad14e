//! The translator against the interpreter: the same program on both, the same after every run.
//!
//! Programs are made of what the translator translates, in loops and over few registers, among instructions of any kind.

use exec::{Privileged, timebase};
use guest_mem::Order;
use hv_core::Next;
use ppc_isa::Row;
use ppc_isa::cpu::Family;
use ppc_isa::msr;
use ppc_isa::operand::{Kind, operands};
use pv_abi::magic::SIZE;

use super::code::{self, Known};
use crate::input::Input;
use crate::targets::instructions::CODE;
use crate::targets::tables;
use crate::targets::vm::{RAM, Runner, Vm};

/// Words of the program.
const WORDS: usize = 192;
/// Words that the program replaces, behind its end.
const PATCHED: usize = 16;
/// Runs of the engine.
const RUNS: usize = 96;
/// Primary opcodes of loads and stores with a displacement, with and without update.
const DISPLACED: [u32; 24] =
    [32, 34, 40, 42, 36, 38, 44, 58, 62, 33, 35, 41, 43, 37, 39, 45, 32, 36, 34, 38, 58, 62, 46, 47];
/// Extended opcodes of those with an index.
const INDEXED: [u32; 24] =
    [23, 55, 87, 119, 279, 311, 343, 375, 21, 53, 341, 373, 151, 183, 215, 247, 407, 439, 149, 181, 534, 662, 790, 918];
/// Registers with addresses of data.
const BASES: [u32; 5] = [24, 25, 26, 27, 28];
/// Registers with small numbers.
const INDICES: [u32; 4] = [11, 12, 13, 14];
/// Holds the address of the program.
const HERE: u32 = 15;
/// Hold instructions.
const INSTRUCTIONS: [u32; 3] = [17, 18, 19];
/// Hold values of the MSR.
const MSRS: [u32; 3] = [20, 21, 22];
/// For addresses of branches.
const TARGET: u32 = 23;
const ISYNC: u32 = 0x4c00_012c;
/// Where memory is compared: what registers with addresses reach.
const COMPARED: [u64; 2] = [0, RAM - 0x5_0000];
/// Pages with instructions: handlers, the program and what it replaces.
const HANDLERS: std::ops::Range<u64> = 0x100..0x3000;

/// Runs a case on both.
pub fn run(data: &[u8]) {
    let watching = data.last().is_some_and(|byte| byte & 1 != 0);
    let translator = if watching { Runner::Watching } else { Runner::Translator };
    let [mut interpreted, mut translated] = [Runner::Interpreter, translator].map(|runner| machine(data, runner));
    let mut budgets = Input::new(data);
    for _ in 0..RUNS {
        let budget = [1, 30, 1000, 20_000][usize::from(budgets.byte() & 3)];
        let [one, other] = [&mut interpreted, &mut translated].map(|vm| turn(vm, budget));
        if one != other || !same(&interpreted, &translated) {
            // Which word is executed where one was stored is open until the processor is synchronised, and so is which
            // translation is used.
            if strayed(&interpreted) || strayed(&translated) {
                return;
            }
            difference(&interpreted, &translated, &one, &other);
        }
        if one.ends_with('!') {
            break;
        }
    }
    let memory = |vm: &Vm| {
        COMPARED.map(|from| {
            let mut memory = vec![0; 0x5_0000];
            assert!(vm.machine().mem.read(from, &mut memory));
            memory
        })
    };
    assert!(memory(&interpreted) == memory(&translated), "memory differs");
}

/// The run loop's turn. Returns the exit, with a mark if it was the last.
fn turn(vm: &mut Vm, budget: u64) -> String {
    let retired = vm.vcpu.state.retired;
    vm.machine().time.set(timebase::duration(retired));
    vm.poll();
    let exit = vm.enter(budget);
    let halted = matches!(vm.handle(exit), Next::Halt(_));
    // Where branches went is no part of the architecture.
    vm.vcpu.state.target = 0;
    vm.vcpu.state.waiting = false;
    let text = format!("{exit:x?} at {:x}{}", vm.vcpu.state.cia, if halted { "!" } else { "" });
    if !HANDLERS.contains(&vm.vcpu.state.cia) && vm.vcpu.state.cia & !0xfff != CODE {
        vm.vcpu.state.cia = CODE;
    }
    text
}

fn same(one: &Vm, other: &Vm) -> bool {
    let page = |vm: &Vm| vm.vcpu.shared.bytes::<SIZE>(0);
    one.vcpu.state == other.vcpu.state && page(one) == page(other)
}

/// Whether instructions were changed but those that may be, or translation tables: an engine may use what they said until
/// it is told to forget it.
fn strayed(vm: &Vm) -> bool {
    vm.machine().mem.load(SUM, Order::Big) != Some(sum(vm))
}

/// A sum of the instructions and tables that are not to change.
fn sum(vm: &Vm) -> u32 {
    let instructions = HANDLERS.chain(CODE..CODE + 4 * WORDS as u64).map(|at| (at, u32::MAX));
    let entries = tables::PLACES.into_iter().flatten().map(|at| (at, !tables::REFERENCED_AND_CHANGED));
    instructions.chain(entries).filter(|(at, _)| at & 3 == 0).fold(0, |sum: u32, (at, mask)| {
        let word: u32 = vm.machine().mem.load(at, Order::Big).unwrap_or(0);
        (sum.rotate_left(5) ^ word & mask).wrapping_mul(0x9e37_79b1)
    })
}

/// Where that sum stands: beyond the reach of most stores.
const SUM: u64 = RAM - 0x1_0004;

fn difference(one: &Vm, other: &Vm, left: &str, right: &str) -> ! {
    let lines = |vm: &Vm| format!("{:#x?}", vm.vcpu.state).lines().map(str::to_owned).collect::<Vec<_>>();
    for (n, (a, b)) in lines(one).iter().zip(&lines(other)).enumerate().filter(|(_, (a, b))| a != b).take(40) {
        eprintln!("line {n}: {} | {}", a.trim(), b.trim());
    }
    panic!("{} {:?}: {left} | {right}", one.vcpu.state.cpu.name(), one.privileged);
}

fn machine(data: &[u8], runner: Runner) -> Vm {
    let mut input = Input::new(data);
    input.bytes::<{ RUNS / 4 }>();
    let cpu = input.pick(&ppc_isa::Cpu::ALL);
    let mut vm = Vm::new(cpu, true);
    vm.runner = runner;
    vm.privileged = if input.flag() { Privileged::Inline } else { Privileged::Trap };
    vm.delivers = vm.privileged == Privileged::Inline;
    let little = cpu.family() == Family::Book3s64 && input.byte() & 3 == 0;
    let order = if little { Order::Little } else { Order::Big };
    vm.machine().partition.set_interrupt_order(order);
    tables::any(&mut vm, &mut input);
    if cpu.family() == Family::BookE {
        code::vectors(&mut vm.vcpu);
    }
    let relocated = if input.byte() & 3 == 0 { msr::IR | msr::DR } else { 0 };
    let wide = if input.byte() & 7 == 0 { 0 } else { msr::SF };
    let usual = wide | relocated | msr::FP | msr::VEC | msr::VSX | msr::ME | if little { msr::LE } else { 0 };
    registers(&mut vm, &mut input, usual);
    vm.vcpu.set_msr(usual);
    let handler = handler(cpu);
    for at in HANDLERS.step_by(0x80) {
        vm.store_code(at, order, &handler);
    }
    let mut words = Vec::new();
    while words.len() < WORDS - 1 {
        piece(cpu, &mut input, &mut words);
    }
    words.truncate(WORDS - 1);
    words.push(0x4800_0000 | (-4 * words.len() as i64) as u32 & 0x03ff_fffc);
    vm.store_code(CODE, order, &words);
    // What is replaced returns.
    for n in 0..PATCHED as u64 {
        vm.store_code(CODE + 0x800 + 8 * n, order, &[0x6000_0000, 0x4e80_0020]);
    }
    vm.vcpu.state.cia = CODE;
    let sum = sum(&vm);
    vm.store_code(SUM, Order::Big, &[sum]);
    vm
}

fn registers(vm: &mut Vm, input: &mut Input, usual: u64) {
    let state = &mut vm.vcpu.state;
    for n in 0..32 {
        state.gpr[n] = if input.flag() { input.number(RAM) } else { input.doubleword() };
    }
    let bases = [0x2_0000, 0x2_1ffb, 0x3_0800, 0x4_0ff8, RAM - 0x2_0000];
    BASES.iter().zip(bases).for_each(|(n, base)| state.gpr[*n as usize] = base);
    INDICES.iter().for_each(|n| state.gpr[*n as usize] = u64::from(input.byte() & 63));
    state.gpr[HERE as usize] = CODE;
    // addi, add., and any of the arithmetic.
    let any = code::any(input, state.cpu, |known: &Known| &known.integers);
    let instructions = [0x3863_0001, 0x7ca5_2215, any];
    INSTRUCTIONS.iter().zip(instructions).for_each(|(n, word)| state.gpr[*n as usize] = word.into());
    for n in MSRS {
        let toggled = input.doubleword() & (msr::EE | msr::FP | msr::VEC | msr::RI | msr::FE0);
        let rare = if input.byte() & 7 == 0 { input.doubleword() & (msr::IR | msr::DR | msr::PR | msr::SF) } else { 0 };
        state.gpr[n as usize] = usual ^ toggled ^ rare;
    }
    (state.lr, state.ctr) = (CODE, u64::from(input.byte()));
    state.set_cr_word(input.word());
    state.set_xer(input.doubleword());
    state.decrementer = if input.flag() { u64::from(input.word() & 0x7ff) } else { i64::MAX as u64 };
}

/// Goes back behind the instruction that was interrupted.
fn handler(cpu: ppc_isa::Cpu) -> Vec<u32> {
    let rfi = if cpu.family() == Family::Book3s64 { 0x4c00_0024 } else { 0x4c00_0064 };
    // mtsprg2 r31; mfsrr0 r31; addi r31,r31,4; mtsrr0 r31; mfsprg2 r31
    vec![0x7ff2_43a6, 0x7ffa_02a6, 0x3bff_0004, 0x7ffa_03a6, 0x7ff2_42a6, rfi]
}

/// One of the registers that programs compute in.
fn register(input: &mut Input) -> u32 {
    3 + u32::from(input.byte() & 7)
}

/// Arithmetic, on few registers.
fn arithmetic(cpu: ppc_isa::Cpu, input: &mut Input) -> u32 {
    let word = code::any(input, cpu, |known| &known.integers);
    let squeezed = (word & !0x03ff_f800) | register(input) << 21 | register(input) << 16 | register(input) << 11;
    // Fields that are opcodes, registers of the processor or constants keep what they are.
    match word >> 26 {
        31 if word >> 1 & 0x3ff == 339 || word >> 1 & 0x3ff == 467 || input.byte() & 7 == 0 => word,
        31 | 20..=23 | 30 => squeezed,
        _ => (word & !0x03ff_0000) | (squeezed & 0x03ff_0000),
    }
}

/// An instruction of one of the rows that `which` names, on few registers, near the addresses of data.
fn squeezed(cpu: ppc_isa::Cpu, input: &mut Input, which: impl Fn(&Known) -> &Vec<&'static Row>) -> Option<u32> {
    let row = code::one(input, cpu, which)?;
    let mut word = u64::from(input.word()) & !row.mask | row.value;
    for operand in operands(row) {
        let few = i64::from(input.byte() & 3);
        let value = match operand.kind {
            Kind::GprOrZero => i64::from(input.pick(&BASES)),
            Kind::Gpr if operand.name == "RB" => i64::from(input.pick(&INDICES)),
            Kind::Gpr | Kind::Fpr | Kind::Vr => 3 + few,
            Kind::Vsr => 3 + few + if input.flag() { 32 } else { 0 },
            Kind::Displacement => 16 * few + 8 * i64::from(input.byte() & 1),
            _ => continue,
        };
        word = operand.set(word, value).unwrap_or(word);
    }
    (!row.prefixed()).then_some(word as u32)
}

/// A few words.
fn piece(cpu: ppc_isa::Cpu, input: &mut Input, words: &mut Vec<u32>) {
    match input.byte() % 40 {
        0..9 => words.push(arithmetic(cpu, input)),
        9..14 => {
            let (opcode, base, at) = (input.pick(&DISPLACED), input.pick(&BASES), u32::from(input.byte() & 63));
            words.push(opcode << 26 | register(input) << 21 | base << 16 | at);
        }
        14 | 15 => {
            let (opcode, base, index) = (input.pick(&INDEXED), input.pick(&BASES), input.pick(&INDICES));
            words.push(31 << 26 | register(input) << 21 | base << 16 | index << 11 | opcode << 1);
        }
        16..19 => {
            // A comparison, and a branch on it, a few words forward or back.
            let (field, wide) = (u32::from(input.byte() & 7), u32::from(input.byte() & 1));
            let compared = field << 23 | wide << 21 | register(input) << 16;
            words.push(match input.byte() & 3 {
                0 => 0x7c00_0000 | compared | register(input) << 11,
                1 => 0x7c00_0040 | compared | register(input) << 11,
                2 => 0x2c00_0000 | compared | u32::from(input.byte()),
                _ => 0x2800_0000 | compared | input.word() & 0xffff,
            });
            if input.byte() & 7 == 0 {
                words.push(arithmetic(cpu, input));
            }
            let (bo, bit) = (4 | u32::from(input.byte() & 8), (4 * field) | u32::from(input.byte() & 3));
            words.push(0x4000_0000 | bo << 21 | bit << 16 | distance(input, words.len()));
        }
        19 | 20 => {
            let condition = u32::from(input.word() as u16) & 0x3ff;
            words.push(0x4000_0000 | condition << 16 | distance(input, words.len()));
        }
        21 | 22 => {
            // mtctr, a body, bdnz
            words.push(0x7c09_03a6 | input.pick(&INDICES) << 21);
            let body = 1 + u32::from(input.byte() & 3);
            (0..body).for_each(|_| words.push(arithmetic(cpu, input)));
            words.push(0x4200_0000 | (body * 4).wrapping_neg() & 0xfffc);
        }
        23 => words.push(code::any(input, cpu, |known| &known.conditions)),
        24 => {
            // addi, mtctr or mtlr, and a branch there: into the program, or to what it replaces.
            let at = if input.flag() { 4 * u32::from(input.byte()) % (4 * WORDS as u32) } else { patched(input) };
            words.push(0x3800_0000 | TARGET << 21 | HERE << 16 | at);
            let links = u32::from(input.byte() & 1);
            let (bo, bit) = (input.pick(&[20_u32, 20, 12, 4, 16, 0]), u32::from(input.byte() & 31));
            let condition = bo << 21 | bit << 16;
            words.extend(match input.flag() {
                true => [0x7c09_03a6 | TARGET << 21, 0x4c00_0420 | condition | links],
                false => [0x7c08_03a6 | TARGET << 21, 0x4c00_0020 | condition | links],
            });
        }
        25 => {
            let distance = i32::from(distance(input, words.len()) as i16) as u32 & 0x03ff_fffc;
            words.push(0x4800_0000 | distance | u32::from(input.byte() & 1));
        }
        26 | 27 => {
            let source = input.pick(&INSTRUCTIONS);
            words.extend([36 << 26 | source << 21 | HERE << 16 | patched(input), ISYNC]);
        }
        28 => words.push(code::any(input, cpu, |known| &known.rows)),
        29 => words.push(code::any(input, cpu, |known| &known.privileged)),
        30 => {
            // mtmsr, mtdec, sc, slbmte or mtsr, any write of a register
            words.push(match input.byte() & 7 {
                0..4 => 0x7c00_0124 | input.pick(&MSRS) << 21,
                4 => 0x7c16_03a6 | input.pick(&INDICES) << 21,
                5 => 0x4400_0002,
                6 => 0x7c00_01a4 | register(input) << 21 | u32::from(input.byte() & 15) << 16,
                _ => 0x7c00_03a6 | input.word() & 0x03ff_f800,
            });
        }
        31 => {
            // A return from an interrupt into the program.
            let at = 4 * u32::from(input.byte()) % (4 * WORDS as u32);
            let rfi = if cpu.family() == Family::Book3s64 { 0x4c00_0024 } else { 0x4c00_0064 };
            let [srr0, srr1] = [0x7c1a_03a6 | TARGET << 21, 0x7c1b_03a6 | input.pick(&MSRS) << 21];
            words.extend([0x3800_0000 | TARGET << 21 | HERE << 16 | at, srr0, srr1, rfi]);
        }
        32..36 => words.extend(squeezed(cpu, input, |known| &known.floats)),
        36..39 => words.extend(squeezed(cpu, input, |known| &known.accesses)),
        _ => {
            // A reservation, something between, and the store that needs it: at times of another size or place.
            let (load, store) = (input.pick(&[20_u32, 20, 84, 116, 52]), input.pick(&[150_u32, 150, 214, 726, 694]));
            let bases =
                [input.pick(&BASES); 2].map(|base| if input.byte() & 7 == 0 { input.pick(&BASES) } else { base });
            words.push(31 << 26 | register(input) << 21 | bases[0] << 11 | load << 1);
            words.push(arithmetic(cpu, input));
            words.push(31 << 26 | register(input) << 21 | bases[1] << 11 | store << 1 | 1);
        }
    }
}

/// Offset of a word that is replaced.
fn patched(input: &mut Input) -> u32 {
    0x800 + 8 * u32::from(input.byte()) % (8 * PATCHED as u32)
}

/// The displacement of a branch at word `at`: forward, at times back.
fn distance(input: &mut Input, at: usize) -> u32 {
    let words = 1 + i32::from(input.byte() & 7);
    let back = input.byte() & 3 == 0 && at > 8;
    (4 * if back { -words } else { words }) as u32 & 0xfffc
}
