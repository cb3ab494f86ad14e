//! Translation by the processor's own tables, whatever they are: a page here, a page there.

use guest_mem::Order;
use machine::Machine;
use ppc_isa::Cpu;
use ppc_isa::cpu::{Family, V300};
use ppc_mmu::Invalidation;
use ppc_mmu::booke::{Assist, mas};

/// What is mapped one to one from the beginning: program, data, vectors.
const IDENTITY: u64 = 4 << 20;
/// Tables in RAM: Book3S-32's page table of 64 KiB, or the process table and what hangs on it.
const TABLES: u64 = 0x80_0000;
const ROOT: u64 = TABLES + 0x1_0000;
const BELOW: u64 = ROOT + 0x1_0000;

const PAGE: u64 = 4096;
/// Reference and change noted, memory coherent, both states may load and store.
const HASHED: u64 = 0x192;
/// Leaf, reference and change noted, both states may do everything.
const LEAF: u64 = 0xc000_0000_0000_0187;
const TREE: u64 = 1 << 63;
/// UX SX UW SW UR SR.
const EVERYTHING: u32 = 0x3f;

/// A mapping of the guest's own.
#[derive(Clone, Copy, Debug)]
pub struct Page {
    /// Effective address.
    pub ea: u64,
    /// Guest real address.
    pub real: u64,
    /// 64 KiB instead of 4 KiB, where the model has such pages (not Book3S-32).
    pub large: bool,
    /// Instructions may be fetched from it (Book3S-64 only; elsewhere always).
    pub execute: bool,
    /// Caching inhibited.
    pub inhibited: bool,
}

/// Which page of `BELOW` is the next table, and which way of TLB0 the next victim.
#[derive(Default)]
pub struct Tables {
    used: u64,
}

impl Tables {
    /// Maps what every program needs one to one, for both states, once relocation is on.
    pub fn identity(machine: &mut Machine) -> Tables {
        let mut tables = Tables::default();
        let Some(vcpu) = machine.vcpus.first_mut() else { return tables };
        let cpu = vcpu.state.cpu;
        match cpu.family() {
            Family::Book3s64 if V300.contains(cpu) => machine.partition.set_process_table(true, TABLES, PAGE),
            Family::Book3s64 => {}
            Family::Book3s32 => {
                // 4 MiB, both states; the table has the smallest size.
                let block = [0x7f, 2];
                (vcpu.state.book3s32.bats.instruction[0], vcpu.state.book3s32.bats.data[0]) = (block, block);
                vcpu.state.book3s32.sdr1 = TABLES as u32;
                (0..16).for_each(|n| vcpu.set_segment(n, n as u32));
                return tables;
            }
            Family::BookE => {
                // 16 MiB in place of the first entry, in both address spaces.
                for (entry, space) in [(0, 0), (1, mas::TS)] {
                    vcpu.state.booke.tlb.write(&Assist {
                        mas0: mas::TLBSEL | entry << 16,
                        mas1: mas::VALID | mas::IPROT | 7 << 8 | space,
                        mas3: EVERYTHING,
                        ..Assist::default()
                    });
                }
                return tables;
            }
        }
        let page = |at| Page { ea: at, real: at, large: false, execute: true, inhibited: false };
        (0..IDENTITY).step_by(PAGE as usize).for_each(|at| tables.map(machine, page(at)));
        tables
    }

    /// Maps `page`, readable and writable by both states.
    pub fn map(&mut self, machine: &mut Machine, page: Page) {
        let Some(cpu) = machine.vcpus.first().map(|vcpu| vcpu.state.cpu) else { return };
        match cpu {
            Cpu::Power9 | Cpu::Power10 | Cpu::Power10Mma => self.radix(machine, page),
            _ if cpu.family() == Family::Book3s64 => hash(machine, page),
            _ if cpu.family() == Family::Book3s32 => hash32(machine, page),
            _ => {
                // Large pages are TLB1's.
                let (mas0, size) =
                    if page.large { (mas::TLBSEL | 2 << 16, 3) } else { ((self.used as u32 & 1) << 16, 1) };
                self.used += 1;
                machine.vcpus[0].state.booke.tlb.write(&Assist {
                    mas0,
                    mas1: mas::VALID | size << 8,
                    mas2: page.ea & !0xfff | if page.inhibited { 8 } else { 0 },
                    mas3: page.real as u32 | EVERYTHING,
                    mas7: (page.real >> 32) as u32,
                    ..Assist::default()
                });
            }
        }
        machine.mailboxes.0[0].invalidate(Invalidation::All);
    }

    /// Levels of 13, 9, 9 and 9 bits, or 5 for large pages (Power ISA 3.0B Book III, 5.7.10).
    fn radix(&mut self, machine: &Machine, page: Page) {
        let Page { ea, real, large, execute, inhibited } = page;
        let load = |at| machine.mem.load::<u64>(at, Order::Big).unwrap();
        let store = |at, value: u64| assert!(machine.mem.store(at, Order::Big, value));
        store(TABLES, 0x4000_0000_0000_00a0 | ROOT | 13);
        let last = if large { 5 } else { 9 };
        let mut table = ROOT;
        for (shift, bits, next) in [(39, 13, 9), (30, 9, 9), (21, 9, last)] {
            let at = table + 8 * (ea >> shift & ((1 << bits) - 1));
            if load(at) == 0 {
                store(at, TREE | (BELOW + self.used * PAGE) | next);
                self.used += 1;
            }
            table = load(at) & 0x0fff_ffff_ffff_ff00;
        }
        let index = ea >> (21 - last) & ((1 << last) - 1);
        store(table + 8 * index, LEAF & !u64::from(!execute) | if inhibited { 0x20 } else { 0 } | real);
    }
}

/// Segment of 256 MiB, virtual segment number from the address; those with large pages have no others.
fn hash(machine: &mut Machine, page: Page) {
    let Page { ea, real, large, execute, inhibited } = page;
    let segment = ea >> 28;
    let vsid = 0x100 + (segment & 0xfff);
    let slb = &mut machine.vcpus[0].state.slb;
    if slb.find(ea).is_none() {
        // Key 1 for problem state; L and LP for large pages. Entries are few.
        let size = if large { 0x110 } else { 0 };
        slb.write(segment << 28 | 1 << 27 | segment & 0x1f, vsid << 12 | 0x400 | size);
    }
    let (shift, large_v, large_r) = if large { (16, 4, 0x1000) } else { (12, 0, 0) };
    let index = (ea & 0x0fff_ffff) >> shift;
    let table = machine.partition.hash().unwrap();
    let group = (vsid ^ index) & (table.len() / 8 - 1);
    let v = (vsid << 28 | ea & 0x0fff_ffff) >> 23 << 7 | 1 | large_v;
    let r = real | large_r | HASHED | if execute { 0 } else { 4 } | if inhibited { 0x20 } else { 0 };
    let free =
        (8 * group..8 * group + 8).find(|slot| table.read(*slot).is_none_or(|(old, _)| old & 1 == 0 || old == v));
    assert!(table.write(free.unwrap(), v, r));
}

fn hash32(machine: &Machine, page: Page) {
    let (ea, real) = (page.ea as u32, page.real as u32 | if page.inhibited { 0x20 } else { 0 });
    let (vsid, page) = (ea >> 28, ea >> 12 & 0xffff);
    let group = TABLES + u64::from((vsid ^ page) & 0x3ff) * 64;
    let first = 0x8000_0000 | vsid << 7 | page >> 10;
    let free = (group..group + 64).step_by(8).find(|slot| {
        let old = machine.mem.load::<u32>(*slot, Order::Big).unwrap();
        old == 0 || old == first
    });
    let free = free.unwrap();
    assert!(
        machine.mem.store(free, Order::Big, first) && machine.mem.store(free + 4, Order::Big, real | HASHED as u32)
    );
}
