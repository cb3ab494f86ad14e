//! Translation by the processor's own tables, whatever they are: a page here, a page there.

use guest_mem::Order;
use machine::Machine;
use ppc_isa::Cpu;
use ppc_isa::cpu::Family;
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
            Family::Book3s64 if cpu == Cpu::Power9 => machine.partition.set_process_table(true, TABLES, PAGE),
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
        (0..IDENTITY).step_by(PAGE as usize).for_each(|at| tables.map(machine, at, at));
        tables
    }

    /// Maps the 4 KiB page at `ea` to `real`, readable, writable and executable by both states.
    pub fn map(&mut self, machine: &mut Machine, ea: u64, real: u64) {
        let Some(cpu) = machine.vcpus.first().map(|vcpu| vcpu.state.cpu) else { return };
        match cpu {
            Cpu::Power9 => self.radix(machine, ea, real),
            _ if cpu.family() == Family::Book3s64 => hash(machine, ea, real),
            _ if cpu.family() == Family::Book3s32 => hash32(machine, ea as u32, real as u32),
            _ => {
                let way = self.used as u32 & 1;
                self.used += 1;
                let vcpu = &mut machine.vcpus[0];
                let (mas1, mas2) = (mas::VALID | 1 << 8, ea & !0xfff);
                vcpu.state.booke.tlb.write(&Assist {
                    mas0: way << 16,
                    mas1,
                    mas2,
                    mas3: real as u32 | EVERYTHING,
                    ..Assist::default()
                });
            }
        }
        machine.mailboxes.0[0].invalidate(Invalidation::All);
    }

    /// Levels of 13, 9, 9 and 9 bits (Power ISA 3.0B Book III, 5.7.10).
    fn radix(&mut self, machine: &Machine, ea: u64, real: u64) {
        let load = |at| machine.mem.load::<u64>(at, Order::Big).unwrap();
        let store = |at, value: u64| assert!(machine.mem.store(at, Order::Big, value));
        store(TABLES, 0x4000_0000_0000_00a0 | ROOT | 13);
        let mut table = ROOT;
        for (shift, bits) in [(39, 13), (30, 9), (21, 9)] {
            let at = table + 8 * (ea >> shift & ((1 << bits) - 1));
            if load(at) == 0 {
                store(at, TREE | (BELOW + self.used * PAGE) | 9);
                self.used += 1;
            }
            table = load(at) & 0x0fff_ffff_ffff_ff00;
        }
        store(table + 8 * (ea >> 12 & 0x1ff), LEAF | real);
    }
}

/// Segment of 256 MiB, virtual segment number from the address.
fn hash(machine: &mut Machine, ea: u64, real: u64) {
    let segment = ea >> 28;
    let vsid = 0x100 + (segment & 0xfff);
    let slb = &mut machine.vcpus[0].state.slb;
    if slb.find(ea).is_none() {
        // Key 1 for problem state; entries are few.
        slb.write(segment << 28 | 1 << 27 | segment & 0x1f, vsid << 12 | 0x400);
    }
    let page = ea >> 12 & 0xffff;
    let table = machine.partition.hash().unwrap();
    let group = (vsid ^ page) & (table.len() / 8 - 1);
    let v = (vsid << 28 | ea & 0x0fff_ffff) >> 23 << 7 | 1;
    let free =
        (8 * group..8 * group + 8).find(|slot| table.read(*slot).is_none_or(|(old, _)| old & 1 == 0 || old == v));
    assert!(table.write(free.unwrap(), v, real | HASHED));
}

fn hash32(machine: &Machine, ea: u32, real: u32) {
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
