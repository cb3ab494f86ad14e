//! SPRs: which there are, what they keep, what happens when they are written.

use exec::interrupt::program;
use exec::{Interrupt, timer};
use ppc_isa::{Cpu, msr};

use super::{asm, machines, mfspr, mtspr};

const ILLEGAL: Interrupt = Interrupt::Program(program::ILLEGAL);
const EVERYTHING: u64 = 0xffff_ffff_ffff_ffff;

/// Number, bits kept by e500v2, bits kept by e5500. None: the model has no such register.
const KEPT: [(u16, Option<u64>, Option<u64>); 27] = [
    (26, Some(EVERYTHING), Some(EVERYTHING)),     // SRR0
    (27, Some(EVERYTHING), Some(EVERYTHING)),     // SRR1
    (48, Some(0xff), Some(0x3fff)),               // PID
    (58, Some(!3), Some(!3)),                     // CSRR0
    (59, Some(EVERYTHING), Some(EVERYTHING)),     // CSRR1
    (61, Some(EVERYTHING), Some(EVERYTHING)),     // DEAR
    (62, Some(0xffff_ffff), Some(0xffff_ffff)),   // ESR
    (63, Some(!0xffff), Some(!0xffff)),           // IVPR
    (272, Some(EVERYTHING), Some(EVERYTHING)),    // SPRG0
    (279, Some(EVERYTHING), Some(EVERYTHING)),    // SPRG7
    (307, None, Some(0x200_0000)),                // EPCR
    (309, Some(0xffff_ffff), Some(0xffff_ffff)),  // DBCR1
    (316, Some(EVERYTHING), Some(EVERYTHING)),    // DAC1
    (400, Some(0xfff0), Some(0xfff0)),            // IVOR0
    (415, Some(0xfff0), Some(0xfff0)),            // IVOR15
    (528, Some(0xfff0), Some(0xfff0)),            // IVOR32
    (532, None, Some(0xfff0)),                    // IVOR36
    (570, Some(!3), Some(!3)),                    // MCSRR0
    (574, Some(!3), Some(!3)),                    // DSRR0
    (604, None, Some(EVERYTHING)),                // SPRG8
    (605, None, Some(EVERYTHING)),                // SPRG9
    (633, Some(0xff), None),                      // PID1
    (634, Some(0xff), None),                      // PID2
    (1008, Some(0xffff_ffff), Some(0xffff_ffff)), // HID0
    (1009, Some(0xffff_ffff), None),              // HID1
    (1017, None, Some(0xffff_ffff & !0x20_0c00)), // L2CSR0
    (1019, Some(0xffff_ffff), Some(0xffff_ffff)), // PWRMGTCR0
];

#[test]
fn registers_keep_the_bits_they_have() {
    for mut m in machines() {
        for (number, e500v2, e5500) in KEPT {
            let (mask, width) = if m.cpu == Cpu::E500v2 { (e500v2, 0xffff_ffff) } else { (e5500, EVERYTHING) };
            m.gpr(3, EVERYTHING).gpr(4, 0);
            if let Some(mask) = mask {
                m.program(&[mtspr(number, 3), mfspr(4, number)]);
                assert_eq!(m.r(4), mask & width, "SPR {number}");
                m.gpr(3, 0).program(&[mtspr(number, 3), mfspr(4, number)]);
                assert_eq!(m.r(4), 0, "SPR {number}");
            } else {
                assert_eq!(m.faults(&[mtspr(number, 3)]), ILLEGAL, "SPR {number}");
                assert_eq!(m.faults(&[mfspr(4, number)]), ILLEGAL, "SPR {number}");
            }
        }
    }
}

#[test]
fn configuration_registers_cannot_be_written() {
    for mut m in machines() {
        // MMUCFG, TLB0CFG, TLB1CFG, SVR, EPR, MCAR, PVR.
        for number in [1015, 688, 689, 1023, 702, 573] {
            m.mfspr(number);
            assert_eq!(m.faults(&[mtspr(number, 3)]), ILLEGAL, "SPR {number}");
        }
        let (pvr, one) = if m.cpu == Cpu::E500v2 { (0x8021_0022, 0x101b_c010) } else { (0x8024_0020, 0x401b_c040) };
        m.program(&[mfspr(3, 287), mfspr(4, 689), mfspr(5, 688)]);
        assert_eq!((m.r(3), m.r(4), m.r(5)), (pvr, one, 0x0411_0200));
        // Only version 2 of the MMU has TLB0PS, TLB1PS and EPTCFG.
        for number in [344, 345, 350] {
            assert_eq!(m.faults(&[mfspr(4, number)]), ILLEGAL, "SPR {number}");
        }
    }
}

#[test]
fn unknown_registers_are_illegal_instructions() {
    for mut m in machines() {
        for number in [0, 18, 19, 25, 150, 338, 339, 528 + 6, 1000] {
            for word in [mfspr(4, number), mtspr(number, 4)] {
                assert_eq!(m.interrupted(&[word]), ILLEGAL, "SPR {number}");
                assert_eq!(m.vcpu.shared.esr(), 0x0800_0000);
                m.msr(0);
            }
        }
    }
}

#[test]
fn status_is_cleared_by_ones_and_wrc_stays() {
    for mut m in machines() {
        // MCSR after a machine check, DBSR after a completed instruction: only what is written with ones goes.
        m.vcpu.state.booke.set_mcsr(0x8000_8040);
        m.vcpu.state.booke.set_dbsr(0x0c00_0000);
        m.gpr(3, 0x8000_0000).gpr(4, 0x0800_0000);
        m.program(&[mtspr(572, 3), mfspr(5, 572), mtspr(304, 4), mfspr(6, 304)]);
        assert_eq!((m.r(5), m.r(6)), (0x8040, 0x0400_0000));
        // TSR: DEC 1 has expired long since.
        m.gpr(3, 1).gpr(4, 0x0800_0000);
        m.program(&[mtspr(22, 3), asm("ori", &[0, 0, 0]), mfspr(5, 336), mtspr(336, 4), mfspr(6, 336)]);
        assert_eq!((m.r(5) & 0x0800_0000, m.r(6) & 0x0800_0000), (0x0800_0000, 0));
        // WRC can be set but not changed back.
        m.gpr(3, 0x1400_0000).gpr(4, 0x0400_0000);
        m.program(&[mtspr(340, 3), mtspr(340, 4), mfspr(5, 340)]);
        assert_eq!(m.r(5), 0x1400_0000);
    }
}

#[test]
fn pir_is_the_number_of_the_processor() {
    for mut m in machines() {
        m.gpr(3, 99).program(&[mtspr(286, 3), mfspr(4, 286)]);
        assert_eq!(m.r(4), 3);
        assert_eq!(m.vcpu.shared.bytes::<4>(0xcc), [0, 0, 0, 3]);
    }
}

#[test]
fn problem_state_reads_what_the_page_has() {
    for mut m in machines() {
        for n in 3..8 {
            m.vcpu.shared.set_sprg(n, 0x1000 + n as u64);
        }
        m.msr(msr::PR);
        m.program(&[mfspr(3, 259), mfspr(4, 260), mfspr(5, 261), mfspr(6, 262), mfspr(7, 263)]);
        assert_eq!([3, 4, 5, 6, 7].map(|n| m.r(n)), [0x1003, 0x1004, 0x1005, 0x1006, 0x1007]);
        m.gpr(3, 0x55aa).program(&[mtspr(256, 3), mfspr(4, 256)]);
        assert_eq!(m.r(4), 0x55aa);
    }
}

#[test]
fn the_timebase_is_written_by_halves() {
    for mut m in machines() {
        m.gpr(3, 0).gpr(4, 0x1234_5678).gpr(5, 0xff00_0000);
        m.program(&[mtspr(284, 3), mtspr(285, 4), mtspr(284, 5), mfspr(6, 269), mfspr(7, 268), mfspr(8, 527)]);
        let low = m.r(7) & 0xffff_ffff;
        assert_eq!((m.r(6), m.r(8)), (0x1234_5678, 0x1234_5678));
        assert!((0xff00_0000..0xff00_0010).contains(&low), "{low:#x}");
    }
}

#[test]
fn the_decrementer_survives_a_timebase_write() {
    for mut m in machines() {
        m.gpr(3, 1000).gpr(4, 0x7000_0000).gpr(5, 0);
        m.program(&[mtspr(22, 3), mtspr(285, 4), mtspr(284, 5), mfspr(6, 22)]);
        assert!((990..1000).contains(&m.r(6)), "{}", m.r(6));
        assert_eq!(m.vcpu.state.booke.timers.tsr() & 0x0800_0000, 0);
    }
}

#[test]
fn reset_by_debug_register_or_watchdog_is_a_request() {
    for mut m in machines() {
        let asked = |m: &mut super::Machine| m.with(|_, vcpu, context| timer::reset_requested(&vcpu.state, context));
        // The watchdog three times at timebase bit 3, without and with WRC.
        let period = 15 << 17;
        m.mtspr(340, period);
        m.vcpu.state.retired += 100;
        assert!(!asked(&mut m));
        m.mtspr(340, period | 0x2000_0000);
        m.vcpu.state.retired += 100;
        assert!(asked(&mut m));
    }
    for mut m in machines() {
        m.gpr(3, 0x3000_0000).program(&[mtspr(308, 3), mfspr(4, 308)]);
        assert_eq!(m.r(4), 0);
        assert!(m.with(|_, vcpu, context| timer::reset_requested(&vcpu.state, context)));
    }
}

#[test]
fn performance_monitor_registers_have_two_names() {
    for mut m in machines() {
        m.gpr(3, 0x1234_5678);
        // PMC1 is 17, UPMC1 is 1; PMGC0 400, UPMGC0 384.
        m.program(&[asm("mtpmr", &[17, 3]), asm("mfpmr", &[4, 17]), asm("mtpmr", &[400, 3]), asm("mfpmr", &[6, 384])]);
        assert_eq!((m.r(4), m.r(6)), (0x1234_5678, 0x1234_5678));
        assert_eq!(m.faults(&[asm("mtpmr", &[1, 3])]), ILLEGAL);
        assert_eq!(m.faults(&[asm("mfpmr", &[4, 20])]), ILLEGAL);
        m.msr(msr::PR);
        m.gpr(5, 0).program(&[asm("mfpmr", &[5, 1])]);
        assert_eq!(m.r(5), 0x1234_5678);
    }
}

#[test]
fn one_thread_is_configured() {
    for mut m in machines() {
        m.program(&[asm("mftmr", &[4, 16])]);
        assert_eq!(m.r(4), 0x101);
        assert_eq!(m.faults(&[asm("mftmr", &[4, 17])]), ILLEGAL);
    }
}

#[test]
fn locks_are_refused_and_problem_state_needs_ucle() {
    for mut m in machines() {
        m.gpr(5, super::DATA);
        m.program(&[asm("dcbtls", &[0, 0, 5]), mfspr(3, 1010), mfspr(4, 1011)]);
        assert_eq!((m.r(3), m.r(4)), (0x400, 0));
        m.program(&[asm("icbtls", &[0, 0, 5]), mfspr(4, 1011)]);
        assert_eq!(m.r(4), 0x400);
        // ESR[DLK] and ESR[ILK], DEAR.
        for (name, esr) in [("dcbtls", 0x20_0000), ("dcbtstls", 0x20_0000), ("dcblc", 0x20_0000), ("icblc", 0x10_0000)]
        {
            m.msr(msr::PR);
            m.interrupted(&[asm(name, &[0, 0, 5])]);
            assert_eq!((m.vcpu.shared.esr(), m.vcpu.shared.dar()), (esr, super::DATA), "{name}");
        }
        m.msr(msr::PR | msr::UCLE);
        m.program(&[asm("dcbtls", &[0, 0, 5])]);
    }
}
