//! Translation tables of each family that map RAM to itself, damaged at times.

use guest_mem::Order;
use ppc_isa::cpu::Family;
use ppc_mmu::access::REAL_MASK;
use ppc_mmu::booke::{Assist, mas};

use crate::input::Input;
use crate::targets::instructions::CODE;
use crate::targets::vm::{RAM, Vm};

const PROCESS_TABLE: u64 = 0x10_0000;
const ROOT: u64 = 0x11_0000;
const DIRECTORY: u64 = 0x12_0000;
/// Of Book3S-32.
const HASHED: u32 = 0x80_0000;
/// Where all of it stands, or begins.
pub const PLACES: [std::ops::Range<u64>; 2] =
    [PROCESS_TABLE..DIRECTORY + 0x5000, HASHED as u64..HASHED as u64 + 0x1000];
/// Bits of entries that processors set by themselves.
pub const REFERENCED_AND_CHANGED: u32 = 0x180;
/// A process table entry for 52 bits of address and a root of 2^13 entries.
const ENTRY: u64 = 0x4000_0000_0000_00a0 | ROOT | 13;

/// Those of the machine's family.
pub fn any(vm: &mut Vm, input: &mut Input) {
    match vm.vcpu.state.cpu.family() {
        Family::Book3s64 if input.flag() => radix(vm, input),
        Family::Book3s64 => hash(vm, input),
        Family::Book3s32 => segments(vm, input),
        Family::BookE => tlb(vm, input),
    }
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
    let damaged = |input: &mut Input, good: u32| if input.byte() & 15 == 0 { input.word() } else { good };
    let own = &mut vm.vcpu.state.book3s32;
    for bats in [&mut own.bats.instruction, &mut own.bats.data] {
        bats[0] = [damaged(input, 0x1ff), damaged(input, 0x12)];
        bats[1] = [input.word(), input.word()];
        bats[7] = [input.word(), input.word()];
    }
    own.bats.extended = input.flag();
    let mask = u32::from(input.byte());
    own.sdr1 = damaged(input, HASHED | mask);
    for n in 0..16 {
        let value = damaged(input, n);
        vm.vcpu.set_segment(n as usize, value);
    }
    for page in 0..16 {
        let (ea, bits) = (page << 28 | page << 12, u32::from(input.byte()));
        // Segment n has VSID n, so that every one of these pages has hash 0.
        let at = u64::from(HASHED) + u64::from(page & 7) * 8;
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
