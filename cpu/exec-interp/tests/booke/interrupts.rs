//! Delivery, return, what is let in when, waiting.

use exec::interrupt::program;
use exec::{Exit, Interrupt, request};
use guest_mem::Order;
use ppc_isa::{Cpu, msr};

use super::{CODE, Machine, asm, machines, mfspr, mtspr};

const IVPR: u64 = 0xc012_0000;
/// Bits that must be gone in a handler, whatever its level.
const CLEARED: u64 = msr::EE | msr::PR | msr::IS | msr::DS | msr::UCLE | msr::RI;

/// Gives each vector its own place: IVOR n is 0x100 * n, those from 32 on begin at 0x2000.
fn vectors(m: &mut Machine) {
    m.mtspr(63, IVPR);
    for n in 0..16 {
        m.mtspr(400 + n, 0x100 * u64::from(n) + 8);
    }
    let last = if m.cpu == Cpu::E5500 { 6 } else { 4 };
    for n in 0..last {
        m.mtspr(528 + n, 0x2000 + 0x100 * u64::from(n));
    }
}

/// Interrupt, offset of its vector, ESR if it is written, level: save registers (SPRs) and MSR bits kept.
#[test]
fn each_interrupt_has_its_vector_level_and_syndrome() {
    let base = (26, 27, msr::CE | msr::ME | msr::DE);
    let critical = (58, 59, msr::ME);
    for mut m in machines() {
        vectors(&mut m);
        let debug = if m.cpu == Cpu::E500v2 { critical } else { (574, 575, msr::ME) };
        let (dar, dsisr) = (0x1234_5678, ppc_mmu::fault::STORE | ppc_mmu::fault::PROTECTION);
        let table = [
            (Interrupt::CriticalInput, 0, None, critical),
            (Interrupt::MachineCheck { dar }, 0x100, None, (570, 571, 0)),
            (Interrupt::DataStorage { dar, dsisr }, 0x200, Some(0x80_0000), base),
            (Interrupt::DataStorage { dar, dsisr: ppc_mmu::fault::PROTECTION }, 0x200, Some(0), base),
            (Interrupt::InstructionStorage { status: ppc_mmu::fault::PROTECTION }, 0x300, Some(0), base),
            (Interrupt::External, 0x400, None, base),
            (Interrupt::Alignment { dar, dsisr: 0 }, 0x500, Some(0), base),
            (Interrupt::Program(program::ILLEGAL), 0x600, Some(0x800_0000), base),
            (Interrupt::Program(program::PRIVILEGED), 0x600, Some(0x400_0000), base),
            (Interrupt::Program(program::TRAP), 0x600, Some(0x200_0000), base),
            (Interrupt::Program(program::FP_ENABLED), 0x600, Some(0x100_0000), base),
            (Interrupt::FpUnavailable, 0x700, None, base),
            (Interrupt::SystemCall, 0x800, None, base),
            (Interrupt::Decrementer, 0xa00, None, base),
            (Interrupt::FixedInterval, 0xb00, None, base),
            (Interrupt::Watchdog, 0xc00, None, critical),
            (Interrupt::DataTlbMiss { dar, dsisr }, 0xd00, Some(0x80_0000), base),
            (Interrupt::InstructionTlbMiss, 0xe00, None, base),
            (Interrupt::Debug, 0xf00, None, debug),
            (Interrupt::SpeUnavailable, 0x2000, Some(0x80), base),
            (Interrupt::EmbeddedFpData, 0x2100, Some(0x80), base),
            (Interrupt::EmbeddedFpRound, 0x2200, Some(0x80), base),
            (Interrupt::PerformanceMonitor, 0x2300, None, base),
        ];
        for (interrupt, offset, esr, (srr0, srr1, kept)) in table {
            let before = CLEARED | msr::CE | msr::ME | msr::DE;
            m.vcpu.shared.set_esr(0xffff_ffff);
            m.msr(before);
            m.vcpu.state.cia = CODE + 4;
            m.deliver(interrupt);
            assert_eq!(m.vcpu.state.cia, IVPR + offset, "{interrupt:?}");
            assert_eq!(m.vcpu.shared.msr(), kept, "{interrupt:?}");
            assert_eq!((m.mfspr(srr0), m.mfspr(srr1)), (CODE + 4, before), "{interrupt:?}");
            assert_eq!(m.vcpu.shared.esr(), esr.unwrap_or(0xffff_ffff), "{interrupt:?}");
        }
        assert_eq!(m.vcpu.shared.dar(), dar);
    }
}

#[test]
fn a_trap_stays_where_it_is() {
    for mut m in machines() {
        m.interrupted(&[asm("tw", &[31, 0, 0])]);
        assert_eq!((m.vcpu.shared.srr0(), m.vcpu.shared.esr()), (CODE, 0x200_0000));
    }
}

#[test]
fn e5500_takes_interrupts_in_64_bit_mode_when_epcr_says_so() {
    for mut m in machines().filter(|m| m.cpu == Cpu::E5500) {
        m.mtspr(63, 0xc000_0000_0003_0000);
        m.mtspr(408, 0x120);
        m.deliver(Interrupt::SystemCall);
        assert_eq!((m.vcpu.state.cia, m.vcpu.shared.msr()), (0x3_0120, 0));
        m.mtspr(307, 0x200_0000);
        m.deliver(Interrupt::SystemCall);
        assert_eq!((m.vcpu.state.cia, m.vcpu.shared.msr()), (0xc000_0000_0003_0120, msr::CM));
    }
}

#[test]
fn returns_of_all_levels_restore_address_and_msr() {
    for mut m in machines() {
        for (name, srr0, srr1) in [("rfi", 26, 27), ("rfci", 58, 59), ("rfdi", 574, 575), ("rfmci", 570, 571)] {
            m.msr(0);
            m.gpr(3, CODE + 0x14).gpr(4, msr::ME | msr::CE).gpr(5, 0);
            let skipped = asm("addi", &[5, 5, 1]);
            m.program(&[mtspr(srr0, 3), mtspr(srr1, 4), asm(name, &[]), skipped, skipped]);
            assert_eq!((m.r(5), m.vcpu.shared.msr()), (0, msr::ME | msr::CE), "{name}");
        }
    }
}

#[test]
fn wrtee_changes_ee_only() {
    for mut m in machines() {
        m.msr(msr::CE | msr::RI);
        m.program(&[asm("wrteei", &[1])]);
        assert_eq!(m.vcpu.shared.msr(), msr::CE | msr::RI | msr::EE);
        m.gpr(3, 0x7fff).program(&[asm("wrtee", &[3])]);
        assert_eq!(m.vcpu.shared.msr(), msr::CE | msr::RI);
        m.gpr(3, 0x8000).program(&[asm("wrtee", &[3]), asm("mfmsr", &[4])]);
        assert_eq!(m.r(4), msr::CE | msr::RI | msr::EE);
        m.program(&[asm("wrteei", &[0])]);
        assert_eq!(m.vcpu.shared.msr(), msr::CE | msr::RI);
    }
}

#[test]
fn mtmsr_keeps_the_bits_of_the_model() {
    for mut m in machines() {
        // All but what would change the way in which the program goes on.
        m.gpr(3, !(msr::PR | msr::IS | msr::DS | msr::WE | msr::CM));
        m.program(&[asm("mtmsr", &[3]), asm("mfmsr", &[4])]);
        // e500v2: UCLE SPE CE EE ME UBLE DE PMM RI. e5500: UCLE CE EE FP ME FE0 DE FE1 PMM RI.
        assert_eq!(m.r(4), if m.cpu == Cpu::E500v2 { 0x0602_9606 } else { 0x0402_bb06 });
    }
}

/// Everything up: critical input, watchdog, external, fixed interval, decrementer.
fn everything(m: &mut Machine) {
    m.inputs.external.set(true);
    m.inputs.critical.set(true);
    // Fixed interval and watchdog at timebase bit 3: FP, WP = 0, FPEXT, WPEXT = 15.
    m.mtspr(340, 0x0c80_0000 | 15 << 13 | 15 << 17);
    m.mtspr(22, 10);
    m.vcpu.state.retired += 100;
}

#[test]
fn the_most_urgent_interrupt_that_is_let_in_comes_first() {
    for mut m in machines() {
        everything(&mut m);
        let all = msr::EE | msr::CE;
        let expect = |m: &mut Machine, bits, now| {
            m.msr(bits);
            let pending = m.pending();
            assert_eq!((pending.now, pending.any()), (now, true));
        };
        expect(&mut m, 0, None);
        expect(&mut m, all, Some(Interrupt::CriticalInput));
        m.inputs.critical.set(false);
        expect(&mut m, all, Some(Interrupt::Watchdog));
        expect(&mut m, msr::EE, Some(Interrupt::External));
        m.mtspr(336, 0xc000_0000);
        expect(&mut m, all, Some(Interrupt::External));
        m.inputs.external.set(false);
        expect(&mut m, all, Some(Interrupt::FixedInterval));
        m.mtspr(336, 0x0400_0000);
        expect(&mut m, all, Some(Interrupt::Decrementer));
        // Not enabled in TCR.
        m.mtspr(340, 0);
        m.msr(all);
        assert_eq!((m.pending().now, m.pending().any()), (None, false));
    }
}

#[test]
fn a_critical_section_holds_every_asynchronous_interrupt() {
    for mut m in machines() {
        vectors(&mut m);
        m.vcpu.shared.map(0xffff_f000, 0xffff_f000, Order::Big);
        // The upper word is never written by a 32-bit guest; critical == r1.
        m.vcpu.shared.set_bytes(0x18, &0x7777_7777_0000_5000_u64.to_be_bytes());
        everything(&mut m);
        m.msr(msr::EE | msr::CE | msr::ME | msr::DE);
        m.gpr(1, 0x5000);
        assert_eq!((m.pending().now, m.pending().any()), (None, true));
        // A bus error: the access is done with, the interrupt waits. So does a debug event.
        m.mtspr(308, 0x4800_0000);
        m.vcpu.state.cia = CODE;
        m.deliver(Interrupt::MachineCheck { dar: 0x1234 });
        assert_eq!((m.vcpu.state.cia, m.mfspr(573)), (CODE + 4, 0x1234));
        m.deliver(Interrupt::Trace);
        assert_eq!((m.vcpu.state.cia, m.mfspr(304)), (CODE + 4, 0x800_0000));
        assert_eq!(m.pending().now, None);
        // Synchronous ones come.
        m.deliver(Interrupt::Program(program::TRAP));
        assert_eq!(m.vcpu.state.cia, IVPR + 0x600);
        // Outside, in their order.
        m.msr(msr::EE | msr::CE | msr::ME | msr::DE);
        m.gpr(1, 0x5004);
        let now = m.pending().now;
        assert_eq!(now, Some(Interrupt::MachineCheck { dar: 0x1234 }));
        m.deliver(now.unwrap());
        m.msr(msr::EE | msr::CE | msr::ME | msr::DE);
        assert_eq!(m.pending().now, Some(Interrupt::Debug));
        m.mtspr(304, 0x800_0000);
        assert_eq!(m.pending().now, Some(Interrupt::CriticalInput));
        // Problem state is never in a critical section.
        m.gpr(1, 0x5000);
        m.msr(msr::EE | msr::CE | msr::PR);
        assert_eq!(m.pending().now, Some(Interrupt::CriticalInput));
    }
}

#[test]
fn instructions_are_stepped_through_by_debug_events() {
    for mut m in machines() {
        vectors(&mut m);
        // DBCR0[IDM], [ICMP].
        m.mtspr(308, 0x4800_0000);
        m.msr(0);
        m.program(&[asm("ori", &[0, 0, 0])]);
        m.msr(msr::DE | msr::PR);
        assert_eq!(m.interrupted(&[asm("addi", &[3, 0, 7])]), Interrupt::Trace);
        assert_eq!((m.r(3), m.vcpu.state.cia), (7, IVPR + 0xf00));
        let srr0 = if m.cpu == Cpu::E500v2 { 58 } else { 574 };
        assert_eq!((m.mfspr(srr0), m.mfspr(304)), (CODE + 4, 0x800_0000));
    }
}

#[test]
fn waiting_ends_with_something_pending() {
    for mut m in machines() {
        m.gpr(3, msr::EE | msr::WE);
        m.load(&[asm("mtmsr", &[3])]);
        assert!(matches!(m.run(), Exit::Event));
        assert!(m.vcpu.state.waiting);
        assert_eq!((m.vcpu.state.cia, m.vcpu.shared.msr()), (CODE + 4, msr::EE));
        m.vcpu.state.waiting = false;
        if m.cpu == Cpu::E5500 {
            m.load(&[asm("wait", &[0])]);
            assert!(matches!(m.run(), Exit::Event));
            assert!(m.vcpu.state.waiting);
        }
    }
}

#[test]
fn doorbells_ring_once() {
    for mut m in machines().filter(|m| m.cpu == Cpu::E5500) {
        vectors(&mut m);
        // Broadcast: doorbell, then critical doorbell.
        m.gpr(3, 0x0400_0000).gpr(4, 0x0c00_0000);
        m.msr(0);
        m.program(&[asm("msgsnd", &[3]), asm("msgsnd", &[4])]);
        assert_eq!((m.pending().now, m.pending().any()), (None, true));
        assert_eq!(m.requests.pending() & (request::DOORBELL | request::CRITICAL_DOORBELL), 0);
        m.msr(msr::EE | msr::CE);
        assert_eq!(m.pending().now, Some(Interrupt::Doorbell));
        m.deliver(Interrupt::Doorbell);
        assert_eq!((m.vcpu.state.cia, m.vcpu.shared.msr()), (IVPR + 0x2400, msr::CE));
        assert_eq!(m.pending().now, Some(Interrupt::CriticalDoorbell));
        m.deliver(Interrupt::CriticalDoorbell);
        assert_eq!((m.vcpu.state.cia, m.mfspr(58)), (IVPR + 0x2500, IVPR + 0x2400));
        assert!(!m.pending().any());
        m.msr(0);
        m.program(&[asm("msgsnd", &[3]), asm("msgclr", &[3])]);
        assert!(!m.pending().any());
    }
}

#[test]
fn machine_checks_leave_syndrome_and_address() {
    for mut m in machines() {
        vectors(&mut m);
        m.msr(msr::ME);
        m.deliver(Interrupt::MachineCheck { dar: 0xabcd });
        // e500v2: bus read address error. e5500: address valid, effective, load.
        assert_eq!(m.mfspr(572), if m.cpu == Cpu::E500v2 { 0x40 } else { 0xc_8000 });
        assert_eq!(m.mfspr(573), 0xabcd);
        m.program(&[mfspr(3, 570)]);
    }
}
