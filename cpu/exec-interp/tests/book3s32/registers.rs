use exec::Interrupt;
use exec::interrupt::program;
use ppc_isa::Cpu;

use crate::{CODE, DATA, Machine, asm, both, everywhere};

#[test]
fn unknown_registers() {
    everywhere(|m| {
        // HIOR, SPURR, HID4: not of this family. 4 and 5 do not exist at all, 0 is MQ of the POWER architecture.
        for number in [311, 308, 1012] {
            m.mtspr(number, 0x1234);
            assert_eq!(m.mfspr(number), 0, "{number}");
        }
        for number in [0, 4, 5, 6] {
            assert_eq!(m.faults(&[asm("mfspr", &[3, number])]), Interrupt::Program(program::ILLEGAL), "{number}");
        }
        assert_eq!(m.faults(&[asm("mtspr", &[0, 3])]), Interrupt::Program(program::ILLEGAL));
        m.mtspr(4, 1);
    });
}

/// Registers that keep what is written to them, by model, and the bits of them that read as zero.
#[test]
fn implementation_registers() {
    #[rustfmt::skip]
    let registers = [
        (1009, 0_u32, [true, true, true]), // HID1
        (1010, 0, [true, true, true]), // IABR
        (1013, 0, [true, true, true]), // DABR
        (282, 0, [true, true, true]), // EAR
        (1019, 0, [true, true, true]), // ICTC
        (952, 0, [true, true, true]), // MMCR0
        (958, 0, [true, true, true]), // PMC4
        (1017, 0x0020_0001, [true, true, true]), // L2CR: L2I, L2IP
        (1020, 0xc000_0000, [true, true, false]), // THRM1: TIN, TIV
        (1021, 0xc000_0000, [true, true, false]), // THRM2
        (1022, 0, [true, true, false]), // THRM3
        (1014, 0, [false, true, true]), // MSSCR0
        (256, 0, [false, true, true]), // VRSAVE
        (944, 0, [false, true, true]), // MMCR2
        (945, 0, [false, false, true]), // PMC5
        (951, 0, [false, true, true]), // BAMR
        (1018, 0x400, [false, false, true]), // L3CR: L3I
        (1011, 0, [false, false, true]), // ICTRL
        (1016, 0, [false, false, true]), // LDSTCR
        (25, 0, [true, true, true]), // SDR1
        (528, 0, [true, true, true]), // IBAT0U
        (543, 0, [true, true, true]), // DBAT3L
    ];
    for (index, cpu) in [Cpu::Ppc750, Cpu::Ppc7400, Cpu::Ppc7450].into_iter().enumerate() {
        both(cpu, |m| {
            for (number, zero, models) in registers {
                m.mtspr(number, 0xffff_ffff);
                let expected = if models[index] { !zero } else { 0 };
                assert_eq!(m.mfspr(number), expected, "SPR {number} of {}", cpu.name());
                m.mtspr(number, 0);
            }
        });
    }
}

/// HID0[ICFI] and [DCFI] are done when they are written.
#[test]
fn flash_invalidation_is_over_at_once() {
    everywhere(|m| {
        m.mtspr(1008, 0x8000_cc00);
        assert_eq!(m.mfspr(1008), 0x8000_c000);
    });
}

#[test]
fn versions() {
    let pvr = |cpu| {
        let mut m = Machine::new(cpu, exec::Privileged::Inline);
        m.mfspr(287)
    };
    assert_eq!(pvr(Cpu::Ppc750) >> 16, 0x0008);
    assert_eq!(pvr(Cpu::Ppc7400) >> 16, 0x000c);
    assert_eq!(pvr(Cpu::Ppc7450) >> 16, 0x8000);
}

#[test]
fn software_registers_have_32_bits() {
    everywhere(|m| {
        m.mtspr(272, 0xffff_ffff);
        assert_eq!(m.vcpu.shared.sprg(0), 0xffff_ffff);
    });
}

/// `MSR[LE]` and `MSR[ILE]` select an order of these processors that is none of memory's: they change the low three bits of
/// addresses (The Programming Environments for 32-Bit Microprocessors, section 3.1.4). The mode is not offered: the bits
/// stay zero, by mtmsr, by rfi and by interrupts, and everything goes on big-endian.
#[test]
fn munged_little_endian_mode_is_not_offered() {
    const LE: u32 = 0x1;
    const ILE: u32 = 0x1_0000;
    everywhere(|m| {
        m.set(DATA, 0x0102_0304);
        m.gpr(6, DATA as u32);
        m.gpr(3, 0x1000 | LE | ILE);
        let look = [asm("mfmsr", &[4]), asm("lwz", &[5, 0, 6]), asm("lbz", &[7, 0, 6]), asm("lhz", &[8, 2, 6])];
        m.program(&[&[asm("mtmsr", &[3])], &look[..]].concat());
        assert_eq!([4, 5, 7, 8].map(|n| m.r(n)), [0x1000, 0x0102_0304, 1, 0x0304]);
        m.gpr(9, CODE as u32 + 16);
        let leave = [asm("mtspr", &[27, 3]), asm("mtspr", &[26, 9]), asm("rfi", &[]), asm("lwz", &[0, 0, 0])];
        m.program(&[&leave[..], &look].concat());
        assert_eq!([4, 5, 7, 8].map(|n| m.r(n)), [0x1000, 0x0102_0304, 1, 0x0304]);
        m.deliver(Interrupt::External);
        assert_eq!(m.vcpu.shared.msr() & u64::from(LE | ILE), 0);
        assert_eq!(m.vcpu.state.order(), guest_mem::Order::Big);
    });
}
