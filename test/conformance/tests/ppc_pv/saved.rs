//! The page across a save and a restore.

use conformance::{CODE, DATA, Rig, TOP, rigs};
use exec::SharedPage;
use exec::shared::saved::Page;
use guest_mem::Order;
use machine::{Calls, Kind};
use ppc_isa::cpu::Family;
use ppc_isa::msr;
use ppc_mmu::Invalidation;

const REAL: u64 = DATA + 0x1_0000;
const EFFECTIVE: u64 = 0x7000_0000;

/// A machine like `rig`, whose page was mapped elsewhere, with the processor of `rig` as a saved file brings it.
fn restored(rig: &Rig, saved: &[u8]) -> Rig {
    let calls = Calls { papr: false, ..Calls::with_pv(true) };
    let mut other = Rig::new(Kind::Bare, rig.cpu, rig.order, rig.privileged, calls).on(rig.runner).mapped();
    other.set_field("sprg0", 0x0bad_0bad);
    other.msr_on(other.relocation());
    other.set(7, TOP);
    other.run("lwz 8,36(7)");
    other.vcpu_mut().state = rig.vcpu().state.clone();
    other.vcpu_mut().state.ignore_no_execute = false;
    other.vcpu_mut().restore_page(&Page::from_bytes(saved).unwrap());
    other.machine.mailboxes.0[0].invalidate(Invalidation::All);
    other
}

#[test]
fn case_101_the_page_survives_saving() {
    for (rig, flag) in rigs().zip(0..) {
        let (mut rig, flag) = (rig, flag / 4 % 2);
        let what = rig.name();
        rig.map(REAL, EFFECTIVE | flag);
        rig.put(0x500, "mfspr 20,26; tw 31,0,0");
        // Registers by instructions and by stores, a critical section, and an interrupt that waits for its end.
        rig.msr_on(rig.relocation());
        rig.sets(&[(1, 0x12_3450), (2, 0x67_8900), (5, 0x5555_6666), (7, EFFECTIVE)]);
        rig.run("mtspr 273,5; mtspr 26,5; stw 5,48(7); stw 5,52(7); addi 6,0,77; stw 6,4092(7)");
        let stack = rig.r(1);
        rig.set_field("critical", stack);
        rig.set_field("msr", rig.msr() | msr::EE);
        rig.line.set(true);
        rig.run("nop");
        assert_eq!(rig.field("int_pending"), 1, "{what}");

        let saved = rig.vcpu().save_page().to_bytes();
        let mut other = restored(&rig, &saved);
        let contents = |page: &SharedPage| page.bytes::<0x1000>(0);
        assert!(contents(&other.vcpu().shared) == contents(&rig.vcpu().shared), "{what}");
        let mapped = other.vcpu().shared.mapped().unwrap();
        assert_eq!((mapped.real, mapped.effective), (REAL, EFFECTIVE), "{what}");
        let little = rig.order == Order::Little;
        assert_eq!(other.vcpu().shared.order() == Order::Little, little, "{what}");
        assert_eq!(other.vcpu().state.ignore_no_execute, flag == 0, "{what}");
        assert_eq!((other.field("sprg1"), other.field("sprg2")), (0x5555_6666, 0x5555_6666_5555_6666), "{what}");

        // From here on both do the same: the page is where it was, and holds the interrupt off until the section ends.
        for rig in [&mut rig, &mut other] {
            rig.line.set(true);
            rig.put(0x500, "mfspr 20,26; tw 31,0,0");
            let ended =
                rig.ends("lwz 8,4092(7); mfspr 9,273; lwz 10,48(7); stw 2,24(7); stw 2,28(7); mfmsr 11; nop; nop");
            let seen = [8, 9, 10].map(|n| rig.r(n));
            assert_eq!(
                (ended, seen),
                (0x504, [77, 0x5555_6666, 0x5555_6666]),
                "{what} {:x?}",
                rig.vcpu().shared.bytes::<16>(0xff0)
            );
            assert_eq!(rig.field("msr") & msr::EE, 0, "{what}: in the handler");
        }
        assert!(other.vcpu() == rig.vcpu(), "{what}");
        assert!((CODE + 20..CODE + 32).contains(&rig.r(20)), "{what}: interrupted at {:#x}", rig.r(20));

        // Where it was mapped before it was restored, it is no more.
        if rig.family() != Family::BookE {
            other.line.set(false);
            other.msr_off(msr::EE);
            other.msr_on(other.relocation());
            other.set(7, TOP);
            assert_ne!(other.ends("lwz 8,36(7); nop"), CODE + 8, "{what}");
        }
    }
}
