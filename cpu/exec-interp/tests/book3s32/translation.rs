use exec::Interrupt;
use ppc_isa::{Cpu, msr};
use ppc_mmu::Invalidation;

use crate::{CODE, DATA, Machine, asm, both, everywhere};

const ON: u64 = msr::IR | msr::DR;

#[test]
fn real_mode_is_real() {
    everywhere(|m| {
        m.set(DATA, 77);
        m.gpr(4, DATA as u32);
        m.program(&[asm("lwz", &[3, 0, 4])]);
        assert_eq!(m.r(3), 77);
    });
}

#[test]
fn a_page_is_loaded_and_stored_with_its_bits() {
    everywhere(|m| {
        m.translated();
        m.msr(ON);
        m.map(3, 0x123, DATA as u32 | 2);
        m.set(DATA + 0x10, 5);
        m.gpr(4, 0x3012_3010);
        m.program(&[asm("lwz", &[3, 0, 4]), asm("addi", &[3, 3, 1])]);
        let second = Machine::entry(3, 0x123) + 4;
        assert_eq!((m.r(3), m.word(second)), (6, DATA as u32 | 0x102));
        m.program(&[asm("stw", &[3, 0, 4]), asm("lwz", &[5, 0, 4])]);
        assert_eq!((m.r(5), m.word(DATA + 0x10), m.word(second)), (6, 6, DATA as u32 | 0x182));
    });
}

#[test]
fn faults_have_their_status() {
    everywhere(|m| {
        m.translated();
        m.msr(ON);
        m.map(3, 0x200, DATA as u32 | 3);
        let mut fault = |ea: u32, store: bool| {
            m.gpr(4, ea);
            match m.faults(&[if store { asm("stw", &[3, 0, 4]) } else { asm("lwz", &[3, 0, 4]) }]) {
                Interrupt::DataStorage { dar, dsisr } => (dar, dsisr),
                interrupt => panic!("{interrupt:?}"),
            }
        };
        assert_eq!(fault(0x3012_3010, false), (0x3012_3010, 0x4000_0000));
        assert_eq!(fault(0x3012_3010, true), (0x3012_3010, 0x4200_0000));
        assert_eq!(fault(0x3020_0000, true), (0x3020_0000, 0x0a00_0000));
        // Beyond the end of memory there is no entry, whatever SDR1 says.
        m.vcpu.state.book3s32.sdr1 = 0x7fff_0000;
        assert!(matches!(m.faults(&[asm("lwz", &[3, 0, 4])]), Interrupt::DataStorage { dsisr: 0x4000_0000, .. }));
        m.vcpu.set_segment(3, 0x8000_0003);
        let interrupt = m.faults(&[asm("stw", &[3, 0, 4])]);
        assert!(matches!(interrupt, Interrupt::DataStorage { dsisr: 0x0600_0000, .. }), "{interrupt:?}");
    });
}

#[test]
fn fetches_fault_with_status_in_srr1() {
    everywhere(|m| {
        m.translated();
        m.msr(ON);
        let status = |m: &mut Machine, ea: u64| {
            m.vcpu.state.cia = ea;
            match m.run() {
                exec::Exit::Interrupt(Interrupt::InstructionStorage { status }) => status,
                exit => panic!("{exit:?}"),
            }
        };
        assert_eq!(status(m, 0x3000_0000), 0x4000_0000);
        m.map(3, 0x1, CODE as u32 | 2);
        m.vcpu.set_segment(3, 0x1000_0003);
        assert_eq!(status(m, 0x3000_1000), 0x1000_0000, "no execute");
        m.vcpu.set_segment(3, 0x8000_0003);
        assert_eq!(status(m, 0x3000_1000), 0x1000_0000, "direct store");
        m.vcpu.set_segment(3, 0x4000_0003);
        m.map(3, 0x1, CODE as u32);
        assert_eq!(status(m, 0x3000_1000), 0x0800_0000, "protection");
        m.map(3, 0x1, CODE as u32 | 0xa);
        assert_eq!(status(m, 0x3000_1000), 0x1000_0000, "guarded");
        m.map(3, 0x1, CODE as u32 | 2);
        m.load(&[asm("addi", &[3, 0, 9])]);
        m.vcpu.state.cia = 0x3000_1000;
        assert!(matches!(m.run(), exec::Exit::SystemCall(insn) if insn.address == 0x3000_1004));
        assert_eq!(m.r(3), 9);
    });
}

#[test]
fn segments_switch_at_once_and_entries_come_back() {
    everywhere(|m| {
        m.translated();
        m.msr(ON);
        m.map(0x100, 0, DATA as u32 | 2);
        m.map(0x200, 0, DATA as u32 + 0x1002);
        m.set(DATA, 1);
        m.set(DATA + 0x1000, 2);
        m.gpr(3, 0x7000_0000);
        m.gpr(4, 0x100);
        m.gpr(5, 0x200);
        m.program(&[
            asm("mtsr", &[7, 4]),
            asm("lwz", &[10, 0, 3]),
            asm("mtsrin", &[5, 3]),
            asm("lwz", &[11, 0, 3]),
            asm("mfsr", &[13, 7]),
            asm("mtsr", &[7, 4]),
            asm("lwz", &[12, 0, 3]),
            asm("mfsrin", &[14, 3]),
        ]);
        assert_eq!([10, 11, 12, 13, 14].map(|n| m.r(n)), [1, 2, 1, 0x200, 0x100]);
    });
}

#[test]
fn bats_take_effect_when_they_are_written() {
    everywhere(|m| {
        m.translated();
        m.msr(ON);
        m.set(DATA, 1);
        m.set(DATA + 0x2_0000, 2);
        m.gpr(3, 0x5000_0000);
        let bats = [(5, 0x5000_0002), (6, DATA as u32 | 2), (7, DATA as u32 + 0x2_0002)];
        bats.into_iter().for_each(|(n, value)| m.gpr(n, value));
        m.program(&[
            asm("mtspr", &[539, 6]),
            asm("mtspr", &[538, 5]),
            asm("isync", &[]),
            asm("lwz", &[10, 0, 3]),
            asm("mtspr", &[539, 7]),
            asm("isync", &[]),
            asm("lwz", &[11, 0, 3]),
            asm("mfspr", &[12, 539]),
        ]);
        assert_eq!([10, 11, 12].map(|n| m.r(n)), [1, 2, DATA as u32 + 0x2_0002]);
        m.mtspr(538, 0);
        m.gpr(3, 0x5000_0000);
        assert!(matches!(m.faults(&[asm("lwz", &[10, 0, 3])]), Interrupt::DataStorage { dsisr: 0x4000_0000, .. }));
    });
}

/// SPR 568 is DBAT4U: 7450 has it behind HID0, the others do not have it.
#[test]
fn bats_4_to_7() {
    both(Cpu::Ppc7450, |m| {
        m.translated();
        m.msr(ON);
        m.mtspr(569, DATA as u32 | 2);
        m.mtspr(568, 0x5000_0002);
        m.set(DATA, 3);
        m.gpr(3, 0x5000_0000);
        m.faults(&[asm("lwz", &[10, 0, 3])]);
        m.mtspr(1008, 0x0080_0000);
        m.program(&[asm("lwz", &[10, 0, 3])]);
        assert_eq!((m.r(10), m.mfspr(568)), (3, 0x5000_0002));
    });
    both(Cpu::Ppc7400, |m| {
        m.mtspr(568, 0x5000_0002);
        assert_eq!(m.mfspr(568), 0);
    });
}

#[test]
fn tlbie_reaches_everybody() {
    everywhere(|m| {
        m.translated();
        m.msr(ON);
        m.map(3, 0x45, DATA as u32 | 0x182);
        m.set(DATA, 1);
        m.set(DATA + 0x1000, 2);
        m.gpr(3, 0x3004_5000);
        m.gpr(4, 0xf004_5678);
        m.program(&[asm("lwz", &[10, 0, 3])]);
        m.map(3, 0x45, DATA as u32 + 0x1182);
        m.program(&[asm("lwz", &[11, 0, 3]), asm("tlbie", &[4]), asm("tlbsync", &[]), asm("lwz", &[12, 0, 3])]);
        assert_eq!([10, 11, 12].map(|n| m.r(n)), [1, 1, 2], "any segment that shares the index");
        let told = m.told.lock().unwrap();
        assert_eq!(*told, [Invalidation::Page { address: 0x0004_5000, shift: 12 }]);
    });
}

#[test]
fn rfi_switches_the_key() {
    everywhere(|m| {
        m.translated();
        m.msr(ON);
        m.vcpu.set_segment(3, 0x2000_0003);
        m.map(3, 0, DATA as u32 | 0x180);
        m.gpr(3, 0x3000_0000);
        m.program(&[asm("lwz", &[10, 0, 3])]);
        // To the load after rfi, in problem state.
        m.vcpu.shared.set_srr0(CODE + 4);
        m.vcpu.shared.set_srr1(m.vcpu.shared.msr() | msr::PR);
        let interrupt = m.faults(&[asm("rfi", &[]), asm("lwz", &[10, 0, 3])]);
        assert!(matches!(interrupt, Interrupt::DataStorage { dsisr: 0x0800_0000, .. }), "{interrupt:?}");
        assert_eq!(m.vcpu.state.cia, CODE + 4);
    });
}

#[test]
fn dcbi_is_a_store_to_protection() {
    everywhere(|m| {
        m.translated();
        m.msr(ON);
        m.map(3, 0, DATA as u32 | 2);
        m.gpr(3, 0x3000_0000);
        m.program(&[asm("dcbi", &[0, 3])]);
        assert_eq!(m.word(Machine::entry(3, 0) + 4), DATA as u32 | 0x182);
        m.gpr(3, 0x3000_1000);
        let interrupt = m.faults(&[asm("dcbi", &[0, 3])]);
        assert!(matches!(interrupt, Interrupt::DataStorage { dsisr: 0x4200_0000, dar: 0x3000_1000 }));
    });
}
