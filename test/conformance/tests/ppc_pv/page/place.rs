//! Where the page is.

use conformance::translation::Page;
use conformance::{DATA, Rig, TOP, partitions, rigs};
use exec::Privileged;
use guest_mem::Order;
use machine::{Calls, Kind};
use papr_abi::hcall::H_SET_MODE;
use ppc_isa::cpu::{Family, V300};
use ppc_isa::{Cpu, msr};
use ppc_mmu::Invalidation;

use super::{EFFECTIVE, MARK, REAL, apart, behind, faulted, loaded, real_mode};

/// Where a load ends at an address of the guest's that nothing translates: segment, storage or TLB miss.
fn no_translation(rig: &Rig) -> u64 {
    match rig.family() {
        Family::Book3s64 if V300.contains(rig.cpu) => 0x300,
        Family::Book3s64 => 0x380,
        Family::Book3s32 => 0x300,
        Family::BookE => 0x1300,
    }
}

#[test]
fn case_27_each_address_in_its_mode() {
    for mut rig in rigs().map(apart) {
        let what = rig.name();
        assert_eq!(loaded(&mut rig, EFFECTIVE), MARK, "{what}");
        if rig.family() == Family::BookE {
            // There is no real mode: the real address is the guest's RAM.
            assert_eq!(loaded(&mut rig, REAL), 0x5555, "{what}");
            continue;
        }
        assert_eq!(faulted(&mut rig, REAL), 0x300, "{what}");
        assert!(real_mode(&mut rig));
        assert_eq!(loaded(&mut rig, REAL), MARK, "{what}");
        assert_eq!(faulted(&mut rig, EFFECTIVE), 0x200, "{what}: nothing is there");
    }
}

#[test]
fn case_28_the_low_bits_of_r3_do_not_count() {
    for mut rig in rigs() {
        rig.map(REAL | 0xabc, EFFECTIVE | 1);
        let mapped = rig.vcpu().shared.mapped().unwrap();
        assert_eq!((mapped.real, mapped.effective), (REAL, EFFECTIVE), "{}", rig.name());
        rig.set_field("sprg0", MARK);
        if real_mode(&mut rig) {
            assert_eq!(loaded(&mut rig, REAL), MARK, "{}", rig.name());
        }
    }
}

#[test]
fn case_29_problem_state_never_sees_it() {
    for mut rig in rigs().map(apart) {
        let what = rig.name();
        rig.msr_on(msr::PR | rig.relocation());
        assert_eq!(faulted(&mut rig, EFFECTIVE), no_translation(&rig), "{what}");
        rig.translate(EFFECTIVE, DATA);
        assert_eq!(loaded(&mut rig, EFFECTIVE), 0x6666, "{what}: its own");
        assert_eq!(rig.run(if rig.wide() { "std 3,40(7)" } else { "stw 3,44(7)" }).field("sprg1"), 0, "{what}");
        rig.msr_off(msr::PR);
        assert_eq!(loaded(&mut rig, EFFECTIVE), MARK, "{what}");
    }
}

#[test]
fn case_30_the_top_of_real_mode() {
    // BookE has no real mode.
    for mut rig in rigs().filter(|rig| rig.family() != Family::BookE) {
        rig.map(TOP, TOP | 1);
        rig.set_field("sprg0", MARK);
        for bits in [msr::SF, 0] {
            if rig.family() == Family::Book3s64 {
                rig.msr_off(msr::SF);
                rig.msr_on(bits);
            }
            assert_eq!(loaded(&mut rig, TOP), MARK, "{} SF {bits:#x}", rig.name());
        }
    }
}

#[test]
fn case_31_the_top_nibble_of_a_real_address_does_not_count() {
    for mut rig in rigs().filter(|rig| rig.family() == Family::Book3s64).map(apart) {
        real_mode(&mut rig);
        for nibble in 0..16 {
            assert_eq!(loaded(&mut rig, nibble << 60 | REAL), MARK, "{} {nibble:#x}", rig.name());
        }
        rig.map(TOP, TOP | 1);
        for nibble in 0..16 {
            assert_eq!(loaded(&mut rig, nibble << 60 | TOP << 4 >> 4), MARK, "{} {nibble:#x}", rig.name());
        }
        assert_eq!(loaded(&mut rig, REAL), 0x5555, "{}: no more", rig.name());
    }
}

/// Whatever the guest has mapped there by `guest`, the page wins in privileged state, and only there.
fn wins(mut rig: Rig, guest: impl Fn(&mut Rig)) {
    let what = rig.name();
    guest(&mut rig);
    for problem in [0, msr::PR, 0] {
        rig.set_msr(rig.msr() & !msr::PR | problem | rig.relocation());
        let expected = if problem == 0 { MARK } else { 0x6666 };
        assert_eq!(loaded(&mut rig, EFFECTIVE), expected, "{what} {problem:#x}");
    }
}

#[test]
fn case_32_the_guests_own_translation_does_not_win() {
    for rig in rigs().map(apart) {
        wins(rig, |rig| rig.translate(EFFECTIVE, DATA));
    }
    // Large pages: 64 KiB, or a block of 128 KiB.
    for rig in rigs().map(apart) {
        if rig.family() == Family::Book3s32 {
            wins(rig, |rig| {
                rig.vcpu_mut().state.book3s32.bats.data[1] = [EFFECTIVE as u32 | 3, DATA as u32 | 2];
                rig.machine.mailboxes.0[0].invalidate(Invalidation::All);
            });
        } else {
            wins(rig, |rig| {
                rig.map_page(Page { ea: EFFECTIVE, real: DATA, large: true, execute: true, inhibited: false })
            });
        }
    }
}

#[test]
fn case_33_no_segment_is_needed() {
    // Segments are found in the SLB by hash translation only.
    for mut rig in rigs().filter(|rig| rig.family() == Family::Book3s64 && !V300.contains(rig.cpu)).map(apart) {
        assert!(rig.vcpu().state.slb.find(EFFECTIVE).is_none());
        assert_eq!(loaded(&mut rig, EFFECTIVE), MARK, "{}", rig.name());
        assert_eq!(faulted(&mut rig, EFFECTIVE + 0x1000), 0x380, "{}", rig.name());
    }
}

/// The page in the middle of three, or of a large one, that the guest has mapped.
#[test]
fn case_34_its_neighbours_are_the_guests() {
    for large in [false, true] {
        for mut rig in rigs().filter(|rig| !large || rig.family() != Family::Book3s32) {
            let what = format!("{} {large}", rig.name());
            let middle = EFFECTIVE + 0x1000;
            rig.map(REAL, middle | 1);
            rig.set_field("sprg0", MARK);
            for (at, value) in [(0xffc, 1), (0x1024, 0x6666), (0x1020, 0x6666), (0x2000, 2)] {
                rig.poke(DATA + at, value);
            }
            match large {
                true => rig.map_page(Page { ea: EFFECTIVE, real: DATA, large, execute: true, inhibited: false }),
                false => (0..3).for_each(|n| rig.translate(EFFECTIVE + n * 0x1000, DATA + n * 0x1000)),
            }
            rig.msr_on(rig.relocation());
            rig.set(7, middle);
            rig.run("lwz 3,-4(7); lwz 4,4096(7)");
            assert_eq!((rig.r(3), rig.r(4)), (1, 2), "{what}");
            assert_eq!(loaded(&mut rig, middle), MARK, "{what}");
            // Across either boundary, bytes of both.
            rig.set_field("scratch1", 0);
            rig.set(5, 0x0102_0304);
            rig.run("stw 5,-2(7); lwz 6,-2(7); stw 5,4094(7); lwz 8,4094(7)");
            assert_eq!((rig.r(6), rig.r(8)), (0x0102_0304, 0x0102_0304), "{what}");
            let bytes = rig.machine.mem.load::<u32>(DATA + 0xffc, Order::Big).unwrap() & 0xffff;
            assert_eq!(bytes, if rig.order == Order::Big { 0x0102 } else { 0x0403 }, "{what}");
            assert_ne!(rig.vcpu().shared.bytes::<2>(0), [0; 2], "{what}");
            assert_ne!(rig.vcpu().shared.bytes::<2>(0xffe), [0; 2], "{what}");
        }
    }
}

/// Calls the address in r7 and comes back.
const CALL: &str = "addi 9,0,0; mtspr 9,7; bcctrl 20,0,0";
/// What is called: shows that it was there.
const CALLED: &str = "addi 9,0,7; bclr 20,0,0";

#[test]
fn case_35_instructions_are_fetched_from_it_on_book3s_only() {
    for mut rig in rigs().map(apart) {
        let what = rig.name();
        let words = conformance::program::words(CALLED, rig.wide());
        for (offset, word) in (0x800..).step_by(4).zip(&words) {
            rig.sets(&[(7, EFFECTIVE + offset), (8, u64::from(*word))]);
            rig.run("stw 8,0(7)");
        }
        rig.set(7, EFFECTIVE + 0x800);
        if rig.family() == Family::BookE {
            assert_eq!(rig.ends(CALL), 0x1400, "{what}: the guest's TLB has nothing there");
            rig.put(DATA + 0x800, CALLED.replace(",7;", ",8;").as_str());
            rig.translate(EFFECTIVE, DATA);
            assert_eq!(rig.run(CALL).r(9), 8, "{what}: the guest's own code");
            continue;
        }
        assert_eq!(rig.run(CALL).r(9), 7, "{what}");
        real_mode(&mut rig);
        rig.set(7, REAL + 0x800);
        assert_eq!(rig.run(CALL).r(9), 7, "{what}: real mode");
    }
}

#[test]
fn case_36_each_processor_has_its_own() {
    for mut rig in rigs() {
        let what = rig.name();
        let mut other = (rig.vcpu().clone(), rig.engine());
        other.0.shared.set_pir(1);
        for value in [MARK, 2] {
            rig.map(REAL, EFFECTIVE | 1);
            rig.set_field("sprg0", value);
            rig.msr_on(rig.relocation());
            rig.exchange(&mut other);
        }
        for expected in [MARK, 2, MARK] {
            assert_eq!(loaded(&mut rig, EFFECTIVE), expected, "{what}");
            rig.exchange(&mut other);
        }
        // A store here, and a mapping elsewhere, leave the first alone.
        rig.set(3, 0x77);
        rig.set(7, EFFECTIVE);
        rig.run(if rig.wide() { "std 3,32(7)" } else { "stw 3,36(7)" });
        rig.map(REAL, EFFECTIVE + 0x1000);
        assert_eq!(loaded(&mut rig, EFFECTIVE + 0x1000), 0x77, "{what}");
        rig.exchange(&mut other);
        assert_eq!(loaded(&mut rig, EFFECTIVE), MARK, "{what}");
        assert_eq!(faulted(&mut rig, EFFECTIVE + 0x1000), no_translation(&rig), "{what}");
    }
}

#[test]
fn case_37_it_moves_with_its_contents() {
    for mut rig in rigs().map(apart) {
        let what = rig.name();
        assert_eq!(loaded(&mut rig, EFFECTIVE), MARK, "{what}");
        rig.map(REAL + 0x1000, (EFFECTIVE + 0x1_0000) | 1);
        assert_eq!(loaded(&mut rig, EFFECTIVE + 0x1_0000), MARK, "{what}");
        assert_eq!(faulted(&mut rig, EFFECTIVE), no_translation(&rig), "{what}");
        if real_mode(&mut rig) {
            assert_eq!(loaded(&mut rig, REAL + 0x1000), MARK, "{what}");
            assert_eq!(loaded(&mut rig, REAL), 0x5555, "{what}: RAM again");
        }
    }
}

#[test]
fn case_38_it_goes() {
    for mut rig in rigs().map(apart) {
        let what = rig.name();
        assert_eq!(loaded(&mut rig, EFFECTIVE), MARK, "{what}");
        rig.map(0, 0);
        assert_eq!(rig.vcpu().shared.mapped(), None, "{what}");
        assert_eq!(faulted(&mut rig, EFFECTIVE), no_translation(&rig), "{what}");
        assert_eq!(rig.vcpu().shared.sprg(0), MARK, "{what}: registers stay");
        if real_mode(&mut rig) {
            assert_eq!(loaded(&mut rig, REAL), 0x5555, "{what}");
            // Not at address 0 either.
            behind(&mut rig, DATA, 0x6666);
            assert_eq!(loaded(&mut rig, DATA), 0x6666, "{what}");
        }
    }
}

/// Where the guest has code that is not to be executed.
const FORBIDDEN: u64 = 0x6000_0000;

/// Calls what stands at r7, in the state that `problem` says; returns whether it ran.
fn runs(rig: &mut Rig, problem: u64) -> bool {
    let msr = rig.msr();
    rig.msr_on(problem | rig.relocation());
    let at = rig.ends(CALL);
    // What says why: no-execute, or guarded.
    let denied = at == 0x400 && rig.vcpu().shared.srr1() & 0x1000_0000 != 0;
    assert!(denied || rig.r(9) == 7, "{}: {at:#x}", rig.name());
    rig.set_msr(msr);
    !denied
}

/// A rig with such code, in a page of the guest's own that is no-execute.
fn forbidden(mut rig: Rig) -> Rig {
    rig.map_page(Page { ea: FORBIDDEN, real: DATA, large: false, execute: false, inhibited: false });
    rig.put(DATA, CALLED);
    rig
}

/// Maps the page with `flag`, and is ready to call that code.
fn promised(rig: &mut Rig, flag: u64) {
    rig.map(REAL, EFFECTIVE | flag);
    rig.sets(&[(7, FORBIDDEN), (9, 0)]);
}

#[test]
fn case_39_no_execute_is_ignored_unless_the_guest_promises_not_to_need_that() {
    let hash = |rig: &Rig| rig.family() == Family::Book3s64 && !V300.contains(rig.cpu);
    for mut rig in rigs().filter(hash).map(forbidden) {
        let what = rig.name();
        // Who never left the flag out has no-execute pages.
        promised(&mut rig, 1);
        assert!(!runs(&mut rig, 0), "{what}: promised");
        // For good, and in privileged state only.
        for flag in [0, 1] {
            promised(&mut rig, flag);
            assert!(runs(&mut rig, 0), "{what} {flag}");
            promised(&mut rig, flag);
            assert!(!runs(&mut rig, msr::PR), "{what} {flag}: problem state");
        }
        // A no-execute segment is the same.
        rig.sets(&[(4, FORBIDDEN), (5, 0x10_6000 | 0x400 | 0x200), (6, FORBIDDEN | 1 << 27 | 6)]);
        rig.run("slbie 4; slbmte 5,6; isync");
        assert!(runs(&mut rig, 0), "{what}: segment");
        promised(&mut rig, 1);
        assert!(!runs(&mut rig, msr::PR), "{what}: segment, problem state");
        // Guarded storage is another thing.
        let table = rig.machine.partition.hash().unwrap();
        let entry = (0..table.len()).find_map(|slot| table.read(slot).filter(|(_, r)| r & 4 != 0).map(|e| (slot, e)));
        let (slot, (v, r)) = entry.unwrap();
        assert!(table.write(slot, v, r & !4 | 8));
        rig.machine.mailboxes.0[0].invalidate(Invalidation::All);
        promised(&mut rig, 1);
        assert!(!runs(&mut rig, 0), "{what}: guarded");
    }
}

/// The other half of the case: radix trees and the segments of 32 bits keep no-execute, whatever the flag.
#[test]
fn case_39_no_execute_counts_in_other_translations() {
    for mut rig in rigs().filter(|rig| V300.contains(rig.cpu)).map(forbidden) {
        for flag in [0, 1] {
            promised(&mut rig, flag);
            assert!(!runs(&mut rig, 0), "{} {flag}", rig.name());
        }
    }
    for mut rig in rigs().filter(|rig| rig.family() == Family::Book3s32) {
        rig.translate(FORBIDDEN, DATA);
        rig.put(DATA, CALLED);
        for (segment, expected) in [(0x6, true), (0x1000_0006, false)] {
            for flag in [0, 1] {
                rig.set(5, segment);
                rig.run("mtsr 6,5; isync");
                promised(&mut rig, flag);
                assert_eq!(runs(&mut rig, 0), expected, "{} {segment:#x} {flag}", rig.name());
            }
        }
    }
}

/// Devices' pages: non-volatile memory of the Power Macintosh, a serial port of the e500 board.
#[test]
fn case_40_it_comes_before_devices() {
    const NVRAM: u64 = 0xfff0_4000;
    for privileged in [Privileged::Trap, Privileged::Inline] {
        let mut rig = Rig::new(Kind::Mac, Cpu::Ppc7400, Order::Big, privileged, Calls::with_pv(true));
        rig.sets(&[(7, NVRAM), (9, 0x11)]);
        rig.run("stb 9,39(7); lbz 10,39(7)");
        assert_eq!((rig.r(10), rig.field("sprg0")), (0x11, 0), "a device answers there");
        rig.map(NVRAM, EFFECTIVE | 1);
        rig.sets(&[(7, NVRAM), (9, 0x22)]);
        rig.run("stb 9,39(7); lbz 10,39(7)");
        assert_eq!((rig.r(10), rig.field("sprg0")), (0x22, 0x22), "relocation off");
        // The same by the guest's own translation.
        rig.vcpu_mut().state.book3s32.bats.data[1] = [NVRAM as u32 & !0x1_ffff | 2, NVRAM as u32 & !0x1_ffff | 2];
        rig.msr_on(rig.relocation());
        rig.set(9, 0x33);
        rig.run("stb 9,39(7); lbz 10,39(7)");
        assert_eq!((rig.r(10), rig.field("sprg0")), (0x33, 0x33), "relocation on");
        rig.msr_off(rig.relocation());
        rig.map(0, 0);
        rig.set(7, NVRAM);
        rig.run("lbz 10,39(7)");
        assert_eq!((rig.r(10), rig.field("sprg0")), (0x11, 0x33), "the device kept its own");
    }
    // On BookE, the page is at an effective address only, whatever the guest's TLB has there.
    const SERIAL: u64 = 0xe000_4000;
    for privileged in [Privileged::Trap, Privileged::Inline] {
        let mut rig = Rig::new(Kind::E500, Cpu::E500v2, Order::Big, privileged, Calls::with_pv(true));
        rig.translate(SERIAL, 0xf_0000_0000 | SERIAL);
        rig.set(7, SERIAL);
        rig.sets(&[(8, 0x5a)]);
        rig.run("stb 8,1287(7); lbz 10,1287(7)");
        assert_eq!(rig.r(10), 0x5a, "the scratch register of the serial port");
        rig.map(SERIAL, SERIAL | 1);
        rig.set(7, SERIAL);
        rig.run("lbz 10,1287(7)");
        assert_eq!(rig.r(10), 0, "the page");
    }
}

#[test]
fn case_41_a_little_endian_guest_gets_a_little_endian_page() {
    for mut rig in rigs() {
        let what = rig.name();
        rig.set(5, 0x1122_3344);
        rig.run("mtspr 273,5; mtspr 26,5");
        let msr = rig.msr();
        rig.map(TOP, TOP | 1);
        assert_eq!(rig.vcpu().shared.order(), rig.order, "{what}");
        assert_eq!(rig.msr(), msr, "{what}");
        rig.run("load 3,@sprg1; load 4,@srr0; load 6,@msr; mfspr 8,273; lwz 9,@pir");
        assert_eq!([3, 4, 6, 8, 9].map(|n| rig.r(n)), [0x1122_3344, 0x1122_3344, msr, 0x1122_3344, 0], "{what}");
        let first = rig.vcpu().shared.bytes::<8>(0x28);
        assert_eq!(first[0] == 0x44, rig.order == Order::Little, "{what}");
    }
}

/// The page's order is that of interrupts when it is mapped, which a partition sets by `H_SET_MODE`, not the order in which
/// the caller runs.
#[test]
fn case_41_the_order_of_interrupts_counts_when_it_is_mapped() {
    const WIDE: u64 = 0x0123_4567_89ab_cdef;
    for mut rig in partitions() {
        let what = format!("{:?} {}", rig.kind, rig.name());
        rig.set(5, WIDE);
        rig.run("mtspr 273,5; mtspr 26,5; mtspr 18,5; mtspr 279,5");
        let msr = rig.msr();
        for (flag, order) in [(0, Order::Big), (1, Order::Little), (0, Order::Big)] {
            rig.sets(&[(3, H_SET_MODE), (4, flag), (5, 4), (6, 0), (7, 0)]);
            rig.run("sc 1");
            assert_eq!(rig.r(3), 0, "{what}");
            rig.map(TOP, TOP | 1);
            let doubleword = |value: u64| if order == rig.order { value } else { value.swap_bytes() };
            let word = |value: u32| u64::from(if order == rig.order { value } else { value.swap_bytes() });
            let expected = [doubleword(WIDE), doubleword(WIDE), doubleword(WIDE), doubleword(msr), word(0x89ab_cdef)];
            rig.run("load 3,@sprg1; load 4,@srr0; load 5,@sprg7; load 6,@msr; load 8,@dsisr");
            assert_eq!([3, 4, 5, 6, 8].map(|n| rig.r(n)), expected, "{what} {order:?}");
            rig.run("mfspr 3,273; mfspr 4,26; mfspr 5,279; mfmsr 6; mfspr 8,18");
            assert_eq!([3, 4, 5, 6, 8].map(|n| rig.r(n)), [WIDE, WIDE, WIDE, msr, 0x89ab_cdef], "{what} {order:?}");
        }
    }
}
