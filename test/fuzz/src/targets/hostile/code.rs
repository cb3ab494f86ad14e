//! What a hostile guest runs: instructions of any kind, many of them on the page, and hypercalls.

use exec::Vcpu;
use guest_mem::Order;
use papr_abi::{hcall, rtas};
use ppc_isa::branch::Branch;
use ppc_isa::cpu::Family;
use ppc_isa::row::fact;
use ppc_isa::{Cpu, Op, Row, msr, rows, spr};
use pv_abi::kvm::MAGIC;
use pv_abi::magic::FIELDS;
use pv_abi::osi;

use crate::input::Input;
use crate::targets::hypercalls;
use crate::targets::instructions::CODE;
use crate::targets::vm::{RAM, Vm};

/// MSR bits that an input may set.
pub const MODES: u64 = msr::IR | msr::DR | msr::PR | msr::EE | msr::RI | msr::CE | msr::FE0 | msr::FE1;
/// MSR bits that are always set.
pub const USUAL: u64 = msr::SF | msr::FP | msr::VEC | msr::VSX | msr::ME;

/// Words of the program.
const WORDS: usize = 96;
/// Words behind a vector.
const HANDLER: usize = 32;
/// Registers that hold addresses: those of the page, memory, devices, ends.
const BASES: [u32; 6] = [24, 25, 26, 27, 28, 29];
/// Primary opcodes of loads and stores with a displacement.
const DISPLACED: [u32; 24] =
    [32, 36, 32, 36, 34, 38, 40, 44, 42, 46, 47, 58, 62, 58, 62, 33, 37, 48, 50, 54, 52, 56, 57, 61];
/// Tokens of KVM's convention.
const TOKENS: [u32; 12] = [
    0x2a_0003, 0x2a_0004, 0x2a_0004, 0x2a_0004, 0x1_0010, 0x2a_0005, 0x1_0001, 0x1_0002, 0x1_0003, 0x1_0009, 0x1_000e,
    0x1_000f,
];
const SC: u32 = 0x4400_0002;
const SC_1: u32 = 0x4400_0022;
const DEVICES: u64 = super::DEVICES;

/// Sets registers; `page` is the page's real and effective address.
pub fn registers(vm: &mut Vm, input: &mut Input, page: [u64; 2]) {
    let state = &mut vm.vcpu.state;
    for n in 0..32 {
        state.gpr[n] = input.number(RAM);
    }
    let device = if state.cpu.family() == Family::BookE {
        input.pick(&[DEVICES + 0x4500, DEVICES + 0x4_1000, DEVICES + 0x6_0080, DEVICES + 0xf_000, DEVICES + 0xe_0000])
    } else {
        input.pick(&[0x8004_1000, 0x8006_0080, 0x8001_3000, 0x8001_6000, 0xf200_0000, 0xf800_0000, 0xfff0_4000])
    };
    let [real, effective] = page.map(|page| page & !0xfff);
    let values = [effective, real, 0x2_0800, device, RAM - 8, u64::MAX - 7];
    BASES.iter().zip(values).for_each(|(base, value)| state.gpr[*base as usize] = value);
    (state.lr, state.ctr, state.tar) = (input.number(RAM), input.number(RAM), input.number(RAM));
    for n in 0..8 {
        state.vsr[n * 8] = [input.doubleword(), input.number(RAM)];
    }
    state.set_cr_word(input.word());
    state.set_xer(input.doubleword());
    state.decrementer = if input.byte() & 3 == 0 { u64::from(input.word() & 0x7ff) } else { i64::MAX as u64 };
}

/// Writes program and handlers, and lets the processor begin.
pub fn write(vm: &mut Vm, input: &mut Input, order: Order) {
    let cpu = vm.vcpu.state.cpu;
    if cpu.family() == Family::BookE {
        vectors(&mut vm.vcpu);
    }
    let handlers: Vec<Vec<u32>> = (0..4).map(|_| handler(cpu, input)).collect();
    for (n, at) in (0x100..0x3000).step_by(0x80).enumerate() {
        vm.store_code(at, order, &handlers[n % handlers.len()]);
    }
    let mut code = Vec::new();
    while code.len() < WORDS {
        piece(cpu, input, &mut code);
    }
    // Round again, many times.
    code.push(0x4800_0000 | (-4 * code.len() as i64) as u32 & 0x03ff_fffc);
    // The mode's own order, which may be the other one.
    let order = if vm.vcpu.state.mode.little() { Order::Little } else { Order::Big };
    let at = match input.byte() & 15 {
        0 => CODE + 0x1000 - 8,
        1 => RAM - 4 * WORDS as u64,
        _ => CODE,
    };
    vm.store_code(at, order, &code);
    vm.vcpu.state.cia = if input.byte() == 0 { input.number(RAM) & !3 } else { at };
}

/// Lets the interrupts of BookE go where those of Book3S do, or near.
pub fn vectors(vcpu: &mut Vcpu) {
    let cpu = vcpu.state.cpu;
    for n in 0..38 {
        let (ivor, vector) =
            if n < 16 { (400 + n, 0x100 + 0x100 * n) } else { (528 + n - 32, 0x1200 + 0x100 * (n & 15)) };
        if !(16..32).contains(&n) {
            vcpu.state.booke.keep(cpu, ivor, vector.into());
        }
    }
}

/// A few words, and back behind the instruction that was interrupted.
fn handler(cpu: Cpu, input: &mut Input) -> Vec<u32> {
    let mut words = Vec::new();
    let before = usize::from(input.byte() & 7);
    while words.len() < before {
        piece(cpu, input, &mut words);
    }
    words.truncate(HANDLER - 8);
    // mtsprg2 r31; mfsrr0 r31; addi r31,r31,4; mtsrr0 r31; mfsprg2 r31; rfi or rfid
    let rfi = if cpu.family() == Family::Book3s64 { 0x4c00_0024 } else { 0x4c00_0064 };
    words.extend([0x7ff2_43a6, 0x7ffa_02a6, 0x3bff_0004, 0x7ffa_03a6, 0x7ff2_42a6, rfi]);
    words
}

/// One instruction, or a few that belong together.
fn piece(cpu: Cpu, input: &mut Input, code: &mut Vec<u32>) {
    let register = |input: &mut Input| u32::from(input.byte() & 31);
    match input.byte() % 20 {
        0..4 => code.push(any(input, cpu, |known| &known.rows)),
        4..9 => {
            let (opcode, target, base) = (input.pick(&DISPLACED), register(input), input.pick(&BASES));
            code.push(opcode << 26 | target << 21 | base << 16 | displacement(input));
        }
        9 | 10 => {
            let word = any(input, cpu, |known| &known.accesses);
            // RA of most forms.
            code.push(word & !0x1f_0000 | input.pick(&BASES) << 16);
        }
        11 | 12 => code.push(any(input, cpu, |known| &known.privileged)),
        13 | 14 => {
            // mfspr, mtspr of a register that there is.
            let number = known(cpu, |known| u32::from(input.pick(&known.registers)));
            let which = if input.flag() { 0x7c00_03a6 } else { 0x7c00_02a6 };
            code.push(which | register(input) << 21 | (number & 31) << 16 | number >> 5 << 11);
        }
        15 => {
            // Arguments of calls: from registers that hold addresses, or small.
            let (to, from) = (3 + u32::from(input.byte() & 7), input.pick(&BASES));
            let small = 0x3800_0000 | to << 21 | u32::from(input.byte());
            code.push(if input.flag() { 0x6000_0000 | from << 21 | to << 16 | displacement(input) & 1 } else { small });
        }
        16 => {
            code.extend(constant(0, MAGIC));
            code.extend(constant(11, input.pick(&TOKENS)));
            code.push(SC);
        }
        17 => {
            let number = hypercalls::number(input);
            if number == hcall::H_RTAS {
                let call = input.pick(rtas::CALLS);
                code.extend(constant(6, call.token).into_iter().chain([store(6, 26, 0)]));
                code.extend([0x38c0_0000 | call.inputs, store(6, 26, 4), 0x38c0_0000 | call.outputs, store(6, 26, 8)]);
                code.push(0x6344_0000); // ori r4,r26,0
            }
            code.extend(constant(3, number as u32));
            code.push(if input.byte() & 7 == 0 { 0x7c00_0268 } else { SC_1 });
        }
        18 => {
            code.extend(constant(3, osi::MAGIC_R3));
            code.extend(constant(4, osi::MAGIC_R4));
            code.push(0x38a0_0000 | u32::from(input.byte() & 63));
            code.push(SC);
        }
        _ => {
            // A section begins or ends.
            let (opcode, offset) = if cpu.sixty_four() { (62, 0x18) } else { (36, 0x1c) };
            let source = if input.flag() { 1 } else { 2 };
            code.push(opcode << 26 | source << 21 | 24 << 16 | offset);
        }
    }
}

/// `stw source,offset(base)`.
fn store(source: u32, base: u32, offset: u32) -> u32 {
    36 << 26 | source << 21 | base << 16 | offset
}

/// `lis`, `ori`.
fn constant(register: u32, value: u32) -> [u32; 2] {
    [0x3c00_0000 | register << 21 | value >> 16, 0x6000_0000 | register << 21 | register << 16 | value & 0xffff]
}

/// Sixteen bits: a field of the page, its ends, or anything.
fn displacement(input: &mut Input) -> u32 {
    let value = match input.byte() & 7 {
        0..4 => {
            let field = input.pick(FIELDS);
            let element = usize::from(input.byte()) % field.count;
            (field.offset + element * field.bytes + if input.byte() & 7 == 0 { 4 } else { 0 }) as u32
        }
        4 => input.pick(&[0xff0, 0xff8, 0xffc, 0xffd, 0xffe, 0xfff, 0x1000]),
        5 => input.pick(&[-1_i32, -2, -3, -4, -7, -8, -15, -16]) as u32,
        6 => u32::from(input.byte()) << 4,
        _ => input.word(),
    };
    value & 0xffff
}

/// One of the rows that `which` names, if there is any.
pub fn one(input: &mut Input, cpu: Cpu, which: impl Fn(&Known) -> &Vec<&'static Row>) -> Option<&'static Row> {
    known(cpu, |known| (!which(known).is_empty()).then(|| input.pick(which(known))))
}

/// An instruction of one of the rows that `which` names, with any operands; at times any word.
pub fn any(input: &mut Input, cpu: Cpu, which: impl Fn(&Known) -> &Vec<&'static Row>) -> u32 {
    let word = input.word();
    if input.byte() & 31 == 0 {
        return word;
    }
    let Some(row) = one(input, cpu, which) else { return word };
    // Of prefixed ones, the prefix: what follows is a suffix by chance.
    let full = (u64::from(word) << 32 | u64::from(word)) & !row.mask | row.value;
    if row.prefixed() { (full >> 32) as u32 } else { full as u32 }
}

/// What a model has: instructions by kind, and numbers of registers.
pub struct Known {
    /// All instructions.
    pub rows: Vec<&'static Row>,
    /// Fixed-point arithmetic and logic.
    pub integers: Vec<&'static Row>,
    /// Logic of the condition register.
    pub conditions: Vec<&'static Row>,
    /// Arithmetic on floating-point, vector and vector-scalar registers.
    pub floats: Vec<&'static Row>,
    /// Loads and stores.
    pub accesses: Vec<&'static Row>,
    /// Privileged instructions.
    pub privileged: Vec<&'static Row>,
    registers: Vec<u16>,
}

thread_local! {
    static KNOWN: [Known; Cpu::ALL.len()] = Cpu::ALL.map(Known::of);
}

impl Known {
    fn of(cpu: Cpu) -> Known {
        let rows: Vec<&Row> = rows().filter(|row| row.models.contains(cpu)).collect();
        let those = |facts| rows.iter().filter(|row| row.is(facts)).copied().collect();
        Known {
            integers: rows.iter().filter(|row| matches!(row.op, Op::Integer(_)) && !row.prefixed()).copied().collect(),
            conditions: rows
                .iter()
                .filter(|row| matches!(row.op, Op::Branch(Branch::CrLogic(_) | Branch::Mcrf)))
                .copied()
                .collect(),
            floats: rows.iter().filter(|row| is_float(row)).copied().collect(),
            accesses: those(fact::LOAD | fact::STORE),
            privileged: those(fact::PRIV | fact::HV),
            registers: (0..1024).filter(|number| spr::of(cpu, *number).is_some()).collect(),
            rows,
        }
    }
}

fn is_float(row: &Row) -> bool {
    let unit = matches!(row.op, Op::Float(_) | Op::Vector(_) | Op::Vsx(_));
    unit && !row.prefixed() && !row.is(fact::LOAD) && !row.is(fact::STORE)
}

fn known<T>(cpu: Cpu, work: impl FnOnce(&Known) -> T) -> T {
    KNOWN.with(|known| work(&known[cpu as usize]))
}
