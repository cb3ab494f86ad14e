//! What stands where in the page.

use conformance::{DATA, Rig, TOP, rigs};
use exec::Vcpu;
use guest_mem::Order;
use ppc_isa::cpu::Family;
use ppc_isa::{Cpu, msr};

use super::EFFECTIVE;

/// Registers of every family, and of each: number, field.
const REGISTERS: &[(u16, &str)] = &[
    (272, "sprg0"),
    (273, "sprg1"),
    (274, "sprg2"),
    (275, "sprg3"),
    (276, "sprg4"),
    (277, "sprg5"),
    (278, "sprg6"),
    (279, "sprg7"),
    (26, "srr0"),
    (27, "srr1"),
];
const BOOK3S: &[(u16, &str)] = &[(19, "dar"), (18, "dsisr")];
const BOOKE: &[(u16, &str)] =
    &[(61, "dar"), (62, "esr"), (624, "mas0"), (625, "mas1"), (626, "mas2"), (628, "mas4"), (630, "mas6")];

fn registers(rig: &Rig) -> impl Iterator<Item = (u16, &'static str)> + use<> {
    let own = if rig.family() == Family::BookE { BOOKE } else { BOOK3S };
    REGISTERS.iter().chain(own).copied()
}

/// A value that differs for each register and fits any of them.
fn value(rig: &Rig, number: u16, field: &str) -> u64 {
    let narrow = matches!(field, "dsisr" | "esr" | "mas0" | "mas1" | "mas4" | "mas6");
    let wide = 0x8765_4321_0000_0000 * u64::from(!narrow);
    rig.seen(wide | 0x1234_0000 | u64::from(number) << 2)
}

#[test]
fn case_42_nothing_stands_behind_the_last_field() {
    for mut rig in rigs() {
        rig.vcpu_mut().shared = Vcpu::new(rig.cpu, 5).shared;
        rig.set_msr(Vcpu::new(rig.cpu, 5).shared.msr() | if rig.order == Order::Little { msr::LE } else { 0 });
        rig.map(super::REAL, EFFECTIVE | 1);
        rig.msr_on(rig.relocation());
        rig.sets(&[(7, EFFECTIVE + 0xec), (6, (0x1000 - 0xf0) / 4), (9, 0), (10, EFFECTIVE)]);
        rig.run("mtspr 9,6; lwzu 8,4(7); or 9,9,8; bc 16,0,-8; lwz 11,204(10)");
        assert_eq!((rig.r(7), rig.r(9), rig.r(11)), (EFFECTIVE + 0xffc, 0, 5), "{}", rig.name());
    }
}

#[test]
fn case_43_what_is_written_by_trap_is_in_its_field() {
    for mut rig in rigs().map(Rig::mapped) {
        for (number, field) in registers(&rig) {
            let value = value(&rig, number, field);
            rig.set(5, value);
            rig.run(&format!("mtspr {number},5; load 6,@{field}"));
            assert_eq!((rig.r(6), rig.field(field)), (value, value), "{} {field}", rig.name());
        }
        let value = rig.msr() | msr::RI;
        rig.set(5, value);
        rig.run("mtmsr 5; load 6,@msr");
        assert_eq!((rig.r(6), rig.field("msr")), (value, value), "{} msr", rig.name());
    }
}

#[test]
fn case_44_what_is_stored_in_a_field_is_read_by_trap() {
    for mut rig in rigs().map(Rig::mapped) {
        for (number, field) in registers(&rig) {
            let value = value(&rig, number, field);
            rig.set(5, value);
            rig.run(&format!("store 5,@{field}; mfspr 6,{number}"));
            assert_eq!(rig.r(6), value, "{} {field}", rig.name());
        }
        let value = rig.msr() ^ (msr::RI | msr::EE);
        rig.set(5, value);
        rig.run("store 5,@msr; mfmsr 6");
        assert_eq!(rig.r(6), value, "{} msr", rig.name());
    }
}

#[test]
fn case_45_segments_stored_in_real_mode_count_when_relocation_is_on() {
    for mut rig in rigs().filter(|rig| rig.family() == Family::Book3s32).map(Rig::mapped) {
        let what = rig.name();
        // VSID 3 leads to DATA; segment 5 has VSID 5.
        rig.translate(0x3000_0000, DATA);
        rig.poke(DATA, 4321);
        let msr = rig.msr() | rig.relocation();
        rig.sets(&[(4, 0x5000_0000), (5, 3), (6, msr)]);
        assert_eq!(rig.ends("mtmsr 6; isync; lwz 3,0(4)"), 0x300, "{what}");
        rig.msr_off(rig.relocation());
        rig.run("stw 5,@sr5; mtmsr 6; isync; lwz 3,0(4); mfsrin 7,4");
        assert_eq!((rig.r(3), rig.r(7)), (4321, 3), "{what}");
    }
}

#[test]
fn case_46_mtsrin_shows_in_the_page() {
    for mut rig in rigs().filter(|rig| rig.family() == Family::Book3s32).map(Rig::mapped) {
        rig.sets(&[(4, 0xb765_4321), (5, 0x2012_3456), (6, 0x2065_4321)]);
        rig.run("mtsrin 5,4; mtsr 3,6; lwz 7,@sr11; lwz 8,@sr3");
        assert_eq!((rig.r(7), rig.r(8)), (0x2012_3456, 0x2065_4321), "{}", rig.name());
    }
}

#[test]
fn case_47_mas7_and_mas3_are_halves_of_one_field() {
    for mut rig in rigs().filter(|rig| rig.family() == Family::BookE).map(Rig::mapped) {
        let what = rig.name();
        rig.sets(&[(3, 0xe), (4, 0x1234_503f), (7, TOP)]);
        rig.run("mtspr 944,3; mtspr 627,4; lwz 5,176(7); lwz 6,180(7)");
        assert_eq!((rig.r(5), rig.r(6), rig.field("mas7_3")), (0xe, 0x1234_503f, 0xe_1234_503f), "{what}");
        rig.sets(&[(3, 0x9), (4, 0xabcd_e015)]);
        rig.run("stw 3,176(7); stw 4,180(7); mfspr 5,944; mfspr 6,627");
        assert_eq!((rig.r(5), rig.r(6)), (9, 0xabcd_e015), "{what}");
        if rig.wide() {
            // MAS7_MAS3 and MAS0_MAS1 as one register each.
            rig.sets(&[(5, 0xe_1234_503f), (6, 0x1001_0000_c000_0700)]);
            rig.run("mtspr 372,5; mtspr 373,6; mfspr 8,944; mfspr 9,627; mfspr 10,373; mfspr 11,624");
            assert_eq!(
                [8, 9, 10, 11].map(|n| rig.r(n)),
                [0xe, 0x1234_503f, 0x1001_0000_c000_0700, 0x1001_0000],
                "{what}"
            );
            assert_eq!((rig.field("mas0"), rig.field("mas1")), (0x1001_0000, 0xc000_0700), "{what}");
        }
    }
}

/// Numbers under which problem state reads SPRG3, and SPRG4 to 7 on BookE.
#[test]
fn case_48_problem_state_reads_what_the_kernel_stored() {
    for mut rig in rigs().map(Rig::mapped) {
        // Book3S-32 has no such numbers.
        let open: &[(u16, &str)] = match rig.family() {
            Family::Book3s64 => &[(259, "sprg3")],
            Family::Book3s32 => continue,
            Family::BookE if rig.cpu == Cpu::E500v2 => {
                &[(260, "sprg4"), (261, "sprg5"), (262, "sprg6"), (263, "sprg7")]
            }
            Family::BookE => &[(259, "sprg3"), (260, "sprg4"), (261, "sprg5"), (262, "sprg6"), (263, "sprg7")],
        };
        let problem = rig.msr() | msr::PR | rig.relocation();
        for (n, (number, field)) in (1..).zip(open) {
            let value = rig.seen(0x0102_0304_0506_0700 * n);
            rig.set_msr(problem & !msr::PR);
            rig.set(5, value);
            rig.run(&format!("store 5,@{field}"));
            rig.set_msr(problem);
            rig.set(6, 0);
            rig.run(&format!("mfspr 6,{number}"));
            assert_eq!(rig.r(6), value, "{} {number}", rig.name());
        }
    }
}
