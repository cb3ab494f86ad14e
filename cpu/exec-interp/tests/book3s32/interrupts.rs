use exec::Interrupt;
use exec::interrupt::program;
use ppc_isa::{Cpu, msr};

use crate::{CODE, DATA, RAM, asm, both, everywhere};

/// MSR bits of every model.
const ALL_750: u64 = msr::EE
    | msr::PR
    | msr::FP
    | msr::ME
    | msr::FE0
    | msr::SE
    | msr::BE
    | msr::FE1
    | msr::IR
    | msr::DR
    | msr::PMM
    | msr::RI;

#[test]
fn state_after_an_interrupt() {
    everywhere(|m| {
        let all = ALL_750 | if m.vcpu.state.cpu == Cpu::Ppc750 { 0 } else { msr::VEC };
        let cases = [
            (Interrupt::SystemCall, 0xc00, 0),
            (Interrupt::Program(program::TRAP), 0x700, 0x2_0000),
            (Interrupt::Program(program::FP_ENABLED), 0x700, 0x10_0000),
            (Interrupt::InstructionStorage { status: 0x4000_0000 }, 0x400, 0x4000_0000),
            (Interrupt::FpUnavailable, 0x800, 0),
            (Interrupt::VectorUnavailable, 0xf20, 0),
            (Interrupt::Trace, 0xd00, 0),
            (Interrupt::External, 0x500, 0),
            (Interrupt::Decrementer, 0x900, 0),
            (Interrupt::PerformanceMonitor, 0xf00, 0),
            (Interrupt::SystemReset, 0x100, 0),
        ];
        for (interrupt, vector, status) in cases {
            m.vcpu.set_msr(u64::MAX);
            assert_eq!(m.vcpu.shared.msr(), all | msr::IP, "bits that the model has");
            m.vcpu.set_msr(all);
            m.vcpu.state.cia = 0x1234;
            m.deliver(interrupt);
            let shared = &m.vcpu.shared;
            let name = format!("{interrupt:?}");
            assert_eq!((m.vcpu.state.cia, shared.srr0(), shared.srr1()), (vector, 0x1234, all | status), "{name}");
            // ME and IP stay as they are: hardware, not KVM (spec ppc-pv 9.2, pitfall 29).
            assert_eq!(shared.msr(), msr::ME, "{name}");
        }
        m.vcpu.set_msr(msr::EE);
        m.deliver(Interrupt::External);
        assert_eq!(m.vcpu.shared.msr(), 0);
    });
}

#[test]
fn storage_and_alignment_interrupts_say_where() {
    everywhere(|m| {
        m.deliver(Interrupt::DataStorage { dar: 0x1234_5678, dsisr: 0x4200_0000 });
        assert_eq!((m.vcpu.state.cia, m.vcpu.shared.dar(), m.vcpu.shared.dsisr()), (0x300, 0x1234_5678, 0x4200_0000));
        m.deliver(Interrupt::Alignment { dar: 0x9, dsisr: 0x1_2345 });
        assert_eq!((m.vcpu.state.cia, m.vcpu.shared.dar(), m.vcpu.shared.dsisr()), (0x600, 9, 0x1_2345));
    });
}

#[test]
fn a_machine_check_is_a_transfer_error_and_clears_me() {
    everywhere(|m| {
        m.vcpu.set_msr(msr::ME | msr::RI);
        m.gpr(3, RAM as u32);
        let interrupt = m.faults(&[asm("lwz", &[4, 0, 3])]);
        m.deliver(interrupt);
        assert_eq!((m.vcpu.state.cia, m.vcpu.shared.msr()), (0x200, 0));
        assert_eq!((m.vcpu.shared.srr0(), m.vcpu.shared.srr1()), (CODE, msr::ME | msr::RI | 0x4_0000));
    });
}

/// Hardware has IP where KVM has HIOR.
#[test]
fn vectors_by_ip() {
    everywhere(|m| {
        m.vcpu.set_msr(msr::ME | msr::IP);
        m.deliver(Interrupt::SystemCall);
        assert_eq!((m.vcpu.state.cia, m.vcpu.shared.msr()), (0xfff0_0c00, msr::ME | msr::IP));
    });
}

#[test]
fn rfi_takes_what_is_not_status() {
    both(Cpu::Ppc7400, |m| {
        m.vcpu.shared.set_srr0(u64::from(CODE as u32 + 8) | 3);
        m.vcpu.shared.set_srr1(0xffff_ffff & !(msr::PR | msr::IR | msr::DR | msr::SE | msr::BE));
        m.program(&[asm("rfi", &[]), asm("addi", &[3, 0, 1]), asm("addi", &[4, 0, 2])]);
        assert_eq!((m.r(3), m.r(4)), (0, 2));
        let msr = (ALL_750 | msr::VEC | msr::IP) & !(msr::PR | msr::IR | msr::DR | msr::SE | msr::BE);
        assert_eq!(m.vcpu.shared.msr(), msr);
        assert!(!m.vcpu.state.waiting, "POW is status");
    });
}

#[test]
fn external_first() {
    everywhere(|m| {
        m.external = true;
        m.mtspr(22, 1000);
        m.mtspr(22, 0x8000_0000);
        assert_eq!(m.poll(), None, "EE is off");
        assert!(m.pending().any());
        m.msr(msr::EE);
        assert_eq!(m.poll(), Some(Interrupt::External));
        m.external = false;
        m.msr(msr::EE);
        assert_eq!(m.poll(), Some(Interrupt::Decrementer));
        m.msr(msr::EE);
        assert_eq!(m.poll(), None);
    });
}

#[test]
fn a_level_comes_again() {
    everywhere(|m| {
        m.msr(msr::EE);
        m.external = true;
        m.load(&[]);
        assert_eq!(m.poll(), Some(Interrupt::External));
        assert_eq!(m.poll(), None);
        // The handler returns without having quieted the source.
        m.set(0x500, asm("rfi", &[]));
        m.run();
        assert_eq!(m.vcpu.state.cia, CODE);
        assert_eq!(m.poll(), Some(Interrupt::External));
        m.external = false;
        m.msr(msr::EE);
        assert_eq!(m.poll(), None);
    });
}

#[test]
fn the_decrementer_latches_its_edge() {
    everywhere(|m| {
        m.msr(msr::EE);
        m.mtspr(22, 1000);
        assert_eq!(m.poll(), None);
        m.wait(900);
        assert_eq!(m.poll(), None);
        m.wait(200);
        assert!(m.mfspr(22) as i32 + 100 < 50, "it counts on below zero");
        assert_eq!(m.poll(), Some(Interrupt::Decrementer));
        m.msr(msr::EE);
        assert_eq!(m.poll(), None, "taken once, though negative");
        // 2^32 ticks later the top bit changes again.
        m.wait(1 << 32);
        assert_eq!(m.poll(), Some(Interrupt::Decrementer));

        // Writing a negative value is an edge; writing one over another is none.
        m.mtspr(22, 5000);
        m.msr(msr::EE);
        assert_eq!(m.poll(), None);
        m.mtspr(22, 0xffff_ffff);
        assert_eq!(m.poll(), Some(Interrupt::Decrementer));
        m.mtspr(22, 0xffff_0000);
        m.msr(msr::EE);
        assert_eq!(m.poll(), None);

        // What is latched stays when the decrementer is set anew.
        m.vcpu.set_msr(msr::ME);
        m.mtspr(22, 10);
        m.wait(100);
        m.mtspr(22, 0x7fff_ffff);
        m.msr(msr::EE);
        assert_eq!(m.poll(), Some(Interrupt::Decrementer));
        m.msr(msr::EE);
        assert_eq!(m.poll(), None);
    });
}

#[test]
fn the_time_base_is_written_and_the_decrementer_goes_on() {
    everywhere(|m| {
        m.mtspr(22, 1_000_000);
        let before = m.mfspr(22);
        m.mtspr(284, 0);
        m.mtspr(285, 0x1234);
        m.mtspr(284, 0xffff_0000);
        let after = m.mfspr(22);
        assert!(before - after < 20, "{before} {after}");
        m.program(&[asm("mftb", &[3, 268]), asm("mftb", &[4, 269])]);
        assert!(m.r(3).wrapping_sub(0xffff_0000) < 20, "{:#x}", m.r(3));
        assert_eq!(m.r(4), 0x1234);
        // Spec ppc-pv 6.1: the right halves, not KVM's swapped ones.
        assert_eq!((m.mfspr(284) >> 16, m.mfspr(285)), (0xffff, 0x1234));
    });
}

#[test]
fn power_management() {
    everywhere(|m| {
        m.gpr(3, (msr::POW | msr::EE | msr::ME) as u32);
        m.load(&[asm("mtmsr", &[3]), asm("addi", &[4, 0, 1])]);
        assert!(matches!(m.run(), exec::Exit::Event));
        assert!(m.vcpu.state.waiting);
        assert_eq!((m.vcpu.shared.msr(), m.vcpu.state.cia), (msr::EE | msr::ME, CODE + 4));
        m.vcpu.state.waiting = false;
        assert!(matches!(m.run(), exec::Exit::SystemCall(_)));
        assert_eq!(m.r(4), 1);
    });
}

#[test]
fn a_trap_stays_where_it_is() {
    everywhere(|m| {
        let interrupt = m.faults(&[asm("addi", &[3, 0, 1]), asm("tw", &[31, 0, 0])]);
        assert_eq!(interrupt, Interrupt::Program(0x2_0000));
        m.deliver(interrupt);
        assert_eq!((m.vcpu.state.cia, m.vcpu.shared.srr0()), (0x700, CODE + 4));
        assert_eq!(m.vcpu.shared.srr1(), msr::ME | 0x2_0000);
    });
}

#[test]
fn units_that_are_off() {
    everywhere(|m| {
        m.vcpu.state.vsr[1][0] = 0x3ff0_0000_0000_0000;
        let add = asm("fadd", &[2, 1, 1]);
        assert_eq!(m.faults(&[add]), Interrupt::FpUnavailable);
        m.msr(msr::FP);
        m.program(&[add]);
        assert_eq!(m.vcpu.state.vsr[2][0], 0x4000_0000_0000_0000);
    });
    both(Cpu::Ppc7450, |m| {
        let splat = asm("vspltisw", &[1, 5]);
        assert_eq!(m.faults(&[splat]), Interrupt::VectorUnavailable);
        m.msr(msr::VEC);
        m.program(&[splat]);
        assert_eq!(m.vcpu.state.vsr[33], [0x5_0000_0005; 2]);
    });
    both(Cpu::Ppc750, |m| {
        m.msr(msr::VEC);
        m.load(&[asm("vspltisw", &[1, 5])]);
        assert!(matches!(m.run(), exec::Exit::Illegal { .. }));
    });
}

/// Accesses that must be aligned, and what DSISR says of the instruction.
#[test]
fn alignment() {
    everywhere(|m| {
        m.msr(msr::FP);
        // Bits 15 to 21 as table 6-11 lists them; the registers follow.
        let cases = [
            (asm("lmw", &[29, 2, 4]), 0b000_0111, 29),
            (asm("stmw", &[29, 2, 4]), 0b001_0111, 29),
            (asm("lfd", &[7, 2, 4]), 0b000_1001, 7),
            (asm("stfsu", &[7, 2, 4]), 0b001_1010, 7),
            (asm("lfdx", &[7, 4, 5]), 0b110_1001, 7),
            (asm("stfiwx", &[7, 4, 5]), 0b110_1111, 7),
            (asm("lwarx", &[7, 4, 5]), 0b000_0000, 7),
            (asm("stwcx.", &[7, 4, 5]), 0b100_0010, 7),
        ];
        m.gpr(4, DATA as u32);
        m.gpr(5, 2);
        for (word, bits, register) in cases {
            let dsisr = bits << 10 | register << 5 | 4;
            assert_eq!(m.faults(&[word]), Interrupt::Alignment { dar: DATA + 2, dsisr }, "{word:#x}");
        }
        // Words may be anywhere; doubles on any word.
        m.gpr(4, DATA as u32 + 3);
        m.program(&[asm("lwz", &[3, 0, 4]), asm("lhz", &[3, 0, 4]), asm("lfd", &[1, 1, 4])]);
    });
}

/// What a model lacks is not there for problem state either.
#[test]
fn vrsave_comes_with_altivec() {
    for (cpu, has) in [(Cpu::Ppc750, false), (Cpu::Ppc7400, true)] {
        both(cpu, |m| {
            m.msr(msr::PR);
            m.load(&[asm("mfspr", &[3, 256])]);
            assert_eq!(matches!(m.run(), exec::Exit::SystemCall(_)), has);
        });
    }
}

/// SE follows every instruction but rfi, BE every branch, taken or not.
#[test]
fn trace() {
    everywhere(|m| {
        let code = [
            asm("addi", &[3, 0, 1]),
            asm("bc", &[4, 2, 8]),
            asm("mfmsr", &[4]),
            asm("bc", &[12, 2, 8]),
            asm("addi", &[5, 0, 1]),
        ];
        m.vcpu.state.cr[0] = 2;
        for (mode, stops) in [(msr::SE, [4, 8, 12, 20].as_slice()), (msr::BE, &[8, 20])] {
            m.load(&code);
            m.vcpu.set_msr(mode);
            for stop in stops {
                let exit = m.run();
                assert!(matches!(exit, exec::Exit::Interrupt(Interrupt::Trace)), "{exit:?}");
                assert_eq!(m.vcpu.state.cia, CODE + stop);
            }
            assert!(matches!(m.run(), exec::Exit::SystemCall(_)));
        }
        m.vcpu.set_msr(msr::SE);
        m.vcpu.shared.set_srr0(CODE + 8);
        m.vcpu.shared.set_srr1(0);
        m.program(&[asm("rfi", &[])]);
    });
}

/// The registers of problem state's monitor, and everything else that problem state may not have.
#[test]
fn problem_state() {
    both(Cpu::Ppc7450, |m| {
        m.mtspr(953, 0x1234_5678);
        m.mtspr(944, 0x9abc_def0);
        m.translated();
        m.msr(msr::PR | msr::IR | msr::DR);
        m.program(&[asm("mfspr", &[3, 937]), asm("mfspr", &[4, 928])]);
        assert_eq!((m.r(3), m.r(4)), (0x1234_5678, 0x9abc_def0));
        for word in [asm("mfspr", &[3, 953]), asm("mtspr", &[937, 3]), asm("mfsr", &[3, 0]), asm("rfi", &[])] {
            m.load(&[word]);
            assert!(matches!(m.run(), exec::Exit::Privileged(_)), "{word:#x}");
        }
    });
}
