//! Any instruction in any state of any model: real mode, translation with damaged tables, both byte orders and word
//! sizes, the paravirtual page mapped anywhere, interrupts to vectors that hold more of the same code.

use exec::Exit;
use guest_mem::Order;
use hv_core::Next;
use ppc_isa::cpu::Family;
use ppc_isa::{Cpu, msr, rows};
use ppc_mmu::access::REAL_MASK;
use ppc_mmu::booke::{Assist, mas};

use crate::input::Input;
use crate::targets::vm::{RAM, Vm};

/// Where the code begins in real memory: the vectors are filled with it too.
const CODE: u64 = 0x1_0000;
/// Instructions at each place.
const WORDS: usize = 48;
/// Exits after which a case ends.
const EXITS: usize = 96;
/// Instructions between events.
const BUDGET: u64 = 200;
const PROCESS_TABLE: u64 = 0x10_0000;
const ROOT: u64 = 0x11_0000;
const DIRECTORY: u64 = 0x12_0000;
/// A process table entry for 52 bits of address and a root of 2^13 entries.
const ENTRY: u64 = 0x4000_0000_0000_00a0 | ROOT | 13;
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
    match family {
        Family::Book3s64 if input.flag() => radix(&mut vm, &mut input),
        Family::Book3s64 => hash(&mut vm, &mut input),
        Family::Book3s32 => segments(&mut vm, &mut input),
        Family::BookE => tlb(&mut vm, &mut input),
    }
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
    rows().filter(|row| row.models.contains(cpu)).nth(index).map_or(word, |row| word & !row.mask | row.value)
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

/// Trees that map the lowest gigabytes to RAM, some of their entries damaged.
fn radix(vm: &mut Vm, input: &mut Input) {
    let entry = |input: &mut Input, good: u64| match input.byte() {
        0 => input.doubleword(),
        1 => input.number(RAM),
        _ => good,
    };
    let mem = &vm.machine().mem;
    for pid in 0..2 {
        mem.store(PROCESS_TABLE + 16 * pid, Order::Big, entry(input, ENTRY));
    }
    mem.store(ROOT, Order::Big, entry(input, 1 << 63 | DIRECTORY | 9));
    // Directory entries of 1 GiB: a leaf each, or a table of 2 MiB leaves behind.
    let rights = 7 | u64::from(input.byte() & 8);
    for n in 0..4 {
        let leaf = 3 << 62 | 0x180 | rights;
        let table = DIRECTORY + 0x1000 * (n + 1);
        mem.store(DIRECTORY + 8 * n, Order::Big, entry(input, if n == 0 { 1 << 63 | table | 9 } else { leaf }));
        for m in 0..8 {
            mem.store(table + 8 * m, Order::Big, entry(input, leaf & !0x180 | m << 21));
        }
    }
    vm.machine().partition.set_process_table(true, entry(input, PROCESS_TABLE), 0x1000);
}

/// BATs that map RAM to itself, segment registers, and a table in memory for some pages, all of it damaged at times.
fn segments(vm: &mut Vm, input: &mut Input) {
    const TABLE: u32 = 0x80_0000;
    let damaged = |input: &mut Input, good: u32| if input.byte() & 15 == 0 { input.word() } else { good };
    let own = &mut vm.vcpu.state.book3s32;
    for bats in [&mut own.bats.instruction, &mut own.bats.data] {
        bats[0] = [damaged(input, 0x1ff), damaged(input, 0x12)];
        bats[1] = [input.word(), input.word()];
        bats[7] = [input.word(), input.word()];
    }
    own.bats.extended = input.flag();
    let mask = u32::from(input.byte());
    own.sdr1 = damaged(input, TABLE | mask);
    for n in 0..16 {
        let value = damaged(input, n);
        vm.vcpu.set_segment(n as usize, value);
    }
    for page in 0..16 {
        let (ea, bits) = (page << 28 | page << 12, u32::from(input.byte()));
        // Segment n has VSID n, so that every one of these pages has hash 0.
        let at = u64::from(TABLE) + u64::from(page & 7) * 8;
        vm.machine().mem.store(at, Order::Big, damaged(input, 0x8000_0000 | page << 7 | ea >> 22 & 0x3f));
        vm.machine().mem.store(at + 4, Order::Big, damaged(input, (page << 12) | bits));
    }
}

/// Entries of TLB1 that map RAM to itself in both address spaces, and others of any content.
fn tlb(vm: &mut Vm, input: &mut Input) {
    let tlb = &mut vm.vcpu.state.booke.tlb;
    for (n, space) in [(0, 0), (1, mas::TS)] {
        let mas1 = if input.byte() & 15 == 0 { input.word() } else { mas::VALID | space | 7 << 8 };
        let mas3 = if input.byte() & 15 == 0 { input.word() } else { 0x3f };
        tlb.write(&Assist { mas0: mas::TLBSEL | n << 16, mas1, mas3, ..Assist::default() });
    }
    for _ in 0..6 {
        let [mas0, mas1, mas3, mas7] = [input.word(), input.word(), input.word(), input.word() & 3];
        tlb.write(&Assist { mas0, mas1, mas2: input.doubleword(), mas3, mas7, ..Assist::default() });
    }
}

/// Segments and entries of the hashed table for some pages, among entries of any content.
fn hash(vm: &mut Vm, input: &mut Input) {
    vm.machine().partition.set_process_table(false, 0, 0);
    for slot in 0..4 {
        let (esid, vsid) = (slot << 28 | 1 << 27 | slot, (slot + 5) << 12);
        let flags = if input.byte() & 7 == 0 { input.doubleword() } else { u64::from(input.word() & 0xc00) };
        vm.vcpu.state.slb.write(esid, vsid ^ flags);
    }
    let Some(table) = vm.machine().partition.hash() else { return };
    for page in [0, 1, 2, CODE >> 12, 0x11, 0x20, 0xfff] {
        let group = (5 ^ page) & (table.len() / 8 - 1);
        let (v, r) = (5 << 12 | (page >> 11) << 7 | 1, page << 12 | 0x12);
        table.write(group * 8, v, if input.byte() == 0 { input.doubleword() & REAL_MASK } else { r });
    }
    for _ in 0..8 {
        table.write(u64::from(input.word()) % table.len(), input.doubleword(), input.doubleword());
    }
}
