//! Programs that manage the TLB.

use exec::Interrupt;
use guest_mem::Order;
use ppc_isa::{Cpu, msr};

use super::{CODE, DATA, asm, machines, mfspr, mtspr};

/// A page that nothing maps at first.
const PAGE: u64 = 0x4000_0000;
const V: u32 = 0x8000_0000;
const MISS: Interrupt = Interrupt::DataTlbMiss { dar: PAGE, dsisr: 0 };

fn load() -> [u32; 1] {
    [asm("lwz", &[3, 0, 4])]
}

#[test]
fn a_miss_is_completed_by_the_handler() {
    for mut m in machines() {
        m.mem.store(DATA + 0x10, Order::Big, 0x600d_600d_u32);
        // MAS4: TLB0, PID0, 4 KiB, coherent; PID 5.
        m.gpr(3, 0x104).gpr(6, 5).program(&[mtspr(628, 3), mtspr(48, 6)]);
        m.gpr(4, PAGE + 0x10);
        let miss = m.interrupted(&load());
        assert_eq!(miss, Interrupt::DataTlbMiss { dar: PAGE + 0x10, dsisr: 0 });
        assert_eq!((m.vcpu.shared.dar(), m.vcpu.shared.esr()), (PAGE + 0x10, 0));
        let mas = m.vcpu.shared.assist();
        assert_eq!((mas.mas1, mas.mas2, mas.mas6), (V | 5 << 16 | 0x100, PAGE | 4, 5 << 16));
        // Only RPN and permissions are missing: SR and UR.
        m.gpr(7, DATA | 3).program(&[mtspr(627, 7), asm("tlbwe", &[])]);
        m.program(&load());
        assert_eq!(m.r(3), 0x600d_600d);
        // A store is a protection fault: ESR[ST].
        let fault = m.interrupted(&[asm("stw", &[3, 0, 4])]);
        assert!(matches!(fault, Interrupt::DataStorage { .. }), "{fault:?}");
        assert_eq!((m.vcpu.shared.dar(), m.vcpu.shared.esr()), (PAGE + 0x10, 0x80_0000));
        // A store that misses says so, too.
        m.gpr(4, PAGE + 0x1000);
        m.interrupted(&[asm("stw", &[3, 0, 4])]);
        assert_eq!((m.vcpu.shared.dar(), m.vcpu.shared.esr()), (PAGE + 0x1000, 0x80_0000));
    }
}

#[test]
fn changed_entries_are_noticed_at_once() {
    for mut m in machines() {
        m.mem.store(DATA, Order::Big, 1u32);
        m.mem.store(DATA + 0x1000, Order::Big, 2u32);
        m.gpr(4, PAGE);
        m.tlbwe(0x1005_0000, V | 1 << 8, PAGE, DATA as u32 | 1);
        m.program(&load());
        assert_eq!(m.r(3), 1);
        // The same entry with another page, within one run.
        m.gpr(7, (DATA + 0x1000) | 1);
        m.program(&[load()[0], mtspr(627, 7), asm("tlbwe", &[]), asm("lwz", &[5, 0, 4])]);
        assert_eq!((m.r(3), m.r(5)), (1, 2));
        // Invalid.
        m.gpr(7, 0);
        assert_eq!(m.faults(&[load()[0], mtspr(625, 7), asm("tlbwe", &[]), asm("lwz", &[5, 0, 4])]), MISS);
    }
}

#[test]
fn pid_and_address_space_choose_among_entries() {
    for mut m in machines() {
        for (way, pid) in [(0, 1), (1, 2)] {
            m.mem.store(DATA + 0x1000 * u64::from(way), Order::Big, pid);
            m.tlbwe(way << 16, V | pid << 16, PAGE, (DATA as u32 + 0x1000 * way) | 1);
        }
        m.gpr(4, PAGE).gpr(5, 1).gpr(6, 2);
        m.program(&[mtspr(48, 5), load()[0], mtspr(48, 6), asm("lwz", &[7, 0, 4])]);
        assert_eq!((m.r(3), m.r(7)), (1, 2));
        m.gpr(5, 3);
        assert_eq!(m.faults(&[mtspr(48, 5), load()[0]]), MISS);
        if m.cpu == Cpu::E500v2 {
            // PID1 and PID2 are looked for as well.
            m.gpr(5, 2).program(&[mtspr(634, 5), load()[0]]);
            assert_eq!(m.r(3), 2);
            m.mtspr(634, 0);
        }
        // MSR[DS] looks in address space 1 only.
        m.tlbwe(2 << 16, V | 0x1000, PAGE, (DATA as u32 + 0x2000) | 1);
        m.mem.store(DATA + 0x2000, Order::Big, 9u32);
        m.msr(msr::DS);
        m.program(&load());
        assert_eq!(m.r(3), 9);
        m.msr(0);
        assert_eq!(m.faults(&load()), MISS);
    }
}

#[test]
fn searching_and_reading_fill_the_assist_registers() {
    for mut m in machines() {
        m.tlbwe(3 << 16 | 1, V | 7 << 16, PAGE | 4, DATA as u32 | 0x15);
        let found = (V | 7 << 16 | 0x100, PAGE | 4, DATA as u32 | 0x15);
        let search = [mtspr(630, 5), asm("tlbsx", &[0, 4])];
        m.gpr(4, PAGE + 0xabc).gpr(5, 7 << 16);
        m.program(&search);
        let mas = m.vcpu.shared.assist();
        assert_eq!((mas.mas0, mas.mas1, mas.mas2, mas.mas3), (3 << 16 | 1, found.0, found.1, found.2));
        m.gpr(6, 0).program(&[mtspr(625, 6), mtspr(627, 6), asm("tlbre", &[])]);
        let mas = m.vcpu.shared.assist();
        assert_eq!((mas.mas1, mas.mas2, mas.mas3), found);
        m.gpr(5, 8 << 16).program(&search);
        assert_eq!(m.vcpu.shared.assist().mas1 & V, 0);
    }
}

#[test]
fn hid0_says_whether_e500v2_writes_mas7() {
    for mut m in machines() {
        m.gpr(3, 0xf);
        m.program(&[mtspr(944, 3)]);
        m.tlbwe(3 << 16, V, PAGE, DATA as u32 | 1);
        let search = [mtspr(944, 5), asm("tlbsx", &[0, 4]), mfspr(6, 944)];
        m.gpr(4, PAGE).gpr(5, 0).program(&search);
        assert_eq!(m.r(6), if m.cpu == Cpu::E500v2 { 0 } else { 0xf });
        m.mtspr(1008, 0x80);
        m.program(&search);
        assert_eq!(m.r(6), 0xf);
    }
}

#[test]
fn invalidations_by_every_instruction_take_effect() {
    // Each drops an entry of TLB0 for PID 0.
    for mut m in machines() {
        let flush = |name: &str, values: &[i64]| vec![asm(name, values)];
        let mut ways = vec![flush("tlbivax", &[0, 4]), vec![asm("addi", &[8, 0, 4]), asm("tlbivax", &[0, 8])]];
        ways.push(vec![asm("addi", &[8, 0, 4]), mtspr(1012, 8)]);
        if m.cpu == Cpu::E5500 {
            ways.extend([0, 1, 3].map(|t| flush("tlbilx", &[t, 0, 4])));
        }
        for way in ways {
            m.gpr(4, PAGE);
            m.tlbwe(0, V, PAGE, DATA as u32 | 1);
            m.program(&load());
            m.mtspr(630, 0);
            let code: Vec<u32> = load().into_iter().chain(way.iter().copied()).chain(load()).collect();
            assert_eq!(m.faults(&code), MISS, "{way:x?}");
            assert_eq!(m.vcpu.state.cia, CODE + 4 * (code.len() as u64 - 1));
        }
        // The page that maps the program is protected; else nothing would run any more.
        m.gpr(8, 6).program(&[mtspr(1012, 8), asm("tlbsync", &[])]);
    }
}

#[test]
fn what_another_processor_invalidates_is_gone_too() {
    for mut m in machines() {
        m.gpr(4, PAGE);
        m.tlbwe(0, V, PAGE, DATA as u32 | 1);
        m.program(&load());
        let flush = ppc_mmu::invalidation::Flush::Address { one: false, ea: PAGE };
        m.requests.invalidate(ppc_mmu::Invalidation::Tlb(flush));
        // More than the mailbox keeps one by one.
        for page in 0..100 {
            m.requests.invalidate(ppc_mmu::Invalidation::Page { address: page << 12, shift: 12 });
        }
        assert_eq!(m.faults(&load()), MISS);
    }
}

#[test]
fn real_addresses_have_36_bits() {
    for mut m in machines() {
        m.mtspr(944, 0xf);
        m.tlbwe(0, V, PAGE, 0x3f);
        m.gpr(4, PAGE);
        // Nothing answers at 0xf_0000_0000.
        assert!(matches!(m.faults(&load()), Interrupt::MachineCheck { dar: PAGE }));
    }
}
