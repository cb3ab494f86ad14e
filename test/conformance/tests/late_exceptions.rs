//! A floating-point exception that was enabled while MSR[FE0] and MSR[FE1] were 0 interrupts when they are set (Power ISA
//! Book III, program interrupt): at the instruction behind the one that set them.

use conformance::{CODE, rigs};
use exec::fp::fpscr::{FEX, FX, ZE, ZX};
use ppc_isa::cpu::{FLOAT, Family};
use ppc_isa::msr;

/// SRR1 on Book3S: floating-point enabled exception, of an instruction before SRR0.
const LATE: u64 = 0x11_0000;
/// `ESR[FP, PIE]`.
const LATE_SYNDROME: u32 = 0x101_0000;

#[test]
fn an_enabled_exception_interrupts_when_the_msr_lets_it() {
    for mut rig in rigs().filter(|rig| FLOAT.contains(rig.cpu)) {
        let returns = if rig.family() == Family::Book3s64 {
            "mtspr 26,4; mtspr 27,3; rfid"
        } else {
            "mtspr 26,4; mtspr 27,3; rfi"
        };
        for (program, next) in [("mtmsr 3; nop; nop", CODE + 4), (returns, CODE + 0x40)] {
            rig.msr_off(msr::FE0 | msr::FE1);
            rig.vcpu_mut().state.fpscr = FEX | FX | ZX | ZE;
            rig.sets(&[(3, rig.msr() | msr::FP | msr::FE1), (4, CODE + 0x40)]);
            let what = format!("{} {program}", rig.name());
            assert_eq!(rig.ends(program), 0x700, "{what}");
            let shared = &rig.vcpu().shared;
            assert_eq!(shared.srr0(), next, "{what}");
            if rig.family() == Family::BookE {
                assert_eq!(shared.esr(), LATE_SYNDROME, "{what}");
            } else {
                assert_eq!(shared.srr1() & 0x783f_0000, LATE, "{what}");
            }
            // Without a sticky bit there is nothing to report.
            rig.vcpu_mut().state.fpscr = ZE;
            rig.msr_off(msr::FE0 | msr::FE1);
            assert_eq!(rig.ends("mtmsr 3; nop"), CODE + 8, "{what}");
        }
    }
}
