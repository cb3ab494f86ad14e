use exec::{Exit, Interrupt};
use ppc_isa::{Cpu, msr};

use crate::{DATA, asm, both, everywhere};

#[test]
fn dcbz_clears_32_bytes() {
    everywhere(|m| {
        for at in (0..96).step_by(4) {
            m.set(DATA + at, 0xffff_ffff);
        }
        m.gpr(4, DATA as u32 + 47);
        m.program(&[asm("dcbz", &[0, 4])]);
        let cleared: Vec<u64> = (0..96).step_by(4).filter(|at| m.word(DATA + at) == 0).collect();
        assert_eq!(cleared, (32..64).step_by(4).collect::<Vec<_>>());
    });
}

#[test]
fn mcrxr_moves_and_clears() {
    everywhere(|m| {
        m.gpr(3, 0xe000_0041);
        m.program(&[asm("mtspr", &[1, 3]), asm("mcrxr", &[5]), asm("mfspr", &[4, 1])]);
        assert_eq!((m.vcpu.state.cr[5], m.r(4)), (0b1110, 0x41));
    });
}

#[test]
fn external_control() {
    everywhere(|m| {
        m.gpr(4, 0x1000);
        let (load, store) = (asm("eciwx", &[3, 0, 4]), asm("ecowx", &[3, 0, 4]));
        assert_eq!(m.faults(&[load]), Interrupt::DataStorage { dar: 0x1000, dsisr: 0x0010_0000 });
        assert_eq!(m.faults(&[store]), Interrupt::DataStorage { dar: 0x1000, dsisr: 0x0210_0000 });
        m.mtspr(282, 0x8000_0000);
        assert_eq!(m.faults(&[load]), Interrupt::MachineCheck { dar: 0x1000 });
        m.gpr(4, 0x1002);
        assert!(matches!(m.faults(&[load]), Interrupt::Alignment { dar: 0x1002, .. }));
    });
}

/// tlbia, tlbld and tlbli but on 7450, which has them for table searches by software, dcba on 750, and what only 64-bit
/// processors have.
#[test]
fn absent_instructions() {
    everywhere(|m| {
        let dcba = 0x7c00_25ec;
        for word in [0x7c00_02e4, 0x4c00_0024, 0x7c00_0164, 0xe800_0000, 0x7c00_00a8] {
            m.load(&[word]);
            assert!(matches!(m.run(), Exit::Illegal { .. }), "{word:#x}");
        }
        for search in [0x7c00_1fa4, 0x7c00_1fe4] {
            m.load(&[search]);
            assert_eq!(matches!(m.run(), Exit::Illegal { .. }), m.vcpu.state.cpu != Cpu::Ppc7450, "{search:#x}");
        }
        m.load(&[dcba]);
        assert_eq!(matches!(m.run(), Exit::Illegal { .. }), m.vcpu.state.cpu == Cpu::Ppc750);
    });
}

/// Addresses and values have 32 bits, whatever stands above them.
#[test]
fn upper_halves_do_not_matter() {
    everywhere(|m| {
        m.set(0x20, 5);
        m.gpr(4, 0xffff_fff0);
        m.program(&[
            asm("lwz", &[3, 0x30, 4]),
            asm("cmp", &[0, 0, 4, 3]),
            asm("addi", &[5, 4, 0x20]),
            asm("mtmsr", &[6]),
            asm("mfmsr", &[7]),
        ]);
        assert_eq!((m.r(3), m.r(5), m.r(7)), (5, 0x10, 0));
        assert_eq!(m.vcpu.state.cr[0], 0b1000);
        assert_eq!(m.vcpu.shared.msr(), 0);
    });
    both(Cpu::Ppc7400, |m| {
        m.gpr(3, (msr::VEC | msr::ME) as u32);
        m.program(&[asm("mtmsr", &[3])]);
        assert_eq!(m.vcpu.shared.msr(), msr::VEC | msr::ME);
    });
}
