//! Hypercall ABI: what is a call, what it answers, and what it leaves alone.

use conformance::{CODE, DATA, Rig, TOP, partitions, rigs};
use exec::Vcpu;
use guest_mem::Order;
use machine::Kind;
use ppc_isa::cpu::{Family, V300};
use ppc_isa::msr;
use pv_abi::kvm::MAGIC;

const FEATURES: u64 = 0x2a_0003;
const MAP_MAGIC_PAGE: u64 = 0x2a_0004;
const UNIMPLEMENTED: u64 = 12;

/// H_FUNCTION in the width of `rig`.
fn function(rig: &Rig) -> u64 {
    rig.seen(-2_i64 as u64)
}

#[test]
fn case_09_features() {
    for mut rig in rigs() {
        assert_eq!(rig.hypercall(FEATURES, 5, 6), (0, 2), "{}", rig.name());
    }
}

#[test]
fn case_10_map() {
    for mut rig in rigs() {
        assert_eq!(rig.hypercall(MAP_MAGIC_PAGE, TOP, TOP | 1), (0, 3), "{}", rig.name());
        let names: Vec<&str> = rig.calls.iter().map(|call| call.name).collect();
        assert_eq!(names, ["MAP_MAGIC_PAGE"]);
    }
}

#[test]
fn case_11_an_unknown_call_of_kvm() {
    for mut rig in rigs() {
        for token in [0x2a_0005, 0x2a_0000, 0x2a_ffff] {
            assert_eq!(rig.hypercall(token, 5, 6), (UNIMPLEMENTED, 0), "{} {token:#x}", rig.name());
        }
    }
}

#[test]
fn case_12_an_unknown_call_of_epapr() {
    for mut rig in rigs() {
        for token in [0x1_0000, 0x1_0011, 0x1_ffff] {
            assert_eq!(rig.hypercall(token, 5, 6), (UNIMPLEMENTED, 0), "{} {token:#x}", rig.name());
        }
    }
    // The byte channel, which a partition does not have.
    for mut rig in partitions().filter(|rig| rig.kind == Kind::Pseries) {
        assert_eq!(rig.hypercall(0x1_0001, 5, 6), (UNIMPLEMENTED, 0), "{}", rig.name());
    }
}

#[test]
fn case_13_tokens_have_32_bits_and_a_vendor() {
    for mut rig in rigs() {
        assert_eq!(rig.hypercall(3, 5, 6), (UNIMPLEMENTED, 0), "{}", rig.name());
        assert_eq!(rig.hypercall(u64::MAX, 5, 6), (UNIMPLEMENTED, 0), "{}", rig.name());
        assert_eq!(rig.hypercall(0xffff_ffff_0000_0000 | FEATURES, 5, 6), (0, 2), "{}", rig.name());
    }
}

/// Makes a call and returns the processor before and after it, the former moved on by what a call may do: r3, r4, and
/// going to the next instruction.
fn around(rig: &mut Rig, token: u64, r3: u64, r4: u64) -> (Vcpu, Vcpu) {
    rig.sets(&[(0, MAGIC.into()), (3, r3), (4, r4), (11, token)]);
    let mut before = rig.vcpu().clone();
    let after = rig.run("sc 0").vcpu().clone();
    (before.state.cia, before.state.retired) = (CODE + 4, after.state.retired);
    before.state.gpr[3..5].copy_from_slice(&after.state.gpr[3..5]);
    before.state.target = after.state.target;
    (before, after)
}

#[test]
fn case_14_registers_are_kept() {
    for mut rig in rigs() {
        for (token, r3, r4) in [(FEATURES, 5, 6), (MAP_MAGIC_PAGE, TOP, TOP | 1), (0x2a_0005, 7, 8)] {
            let state = &mut rig.vcpu_mut().state;
            (state.lr, state.ctr, state.cr, state.ca) = (0x1234, 0x5678, [9, 8, 7, 6, 5, 4, 3, 2], true);
            let (before, after) = around(&mut rig, token, r3, r4);
            assert_eq!(after.state, before.state, "{} {token:#x}", rig.name());
        }
    }
}

#[test]
fn case_15_interrupt_registers_are_kept() {
    for mut rig in rigs() {
        for (token, r3, r4) in [(FEATURES, 5, 6), (MAP_MAGIC_PAGE, TOP, TOP | 1), (0x2a_0005, 7, 8)] {
            for (field, value) in [("srr0", 0x1230), ("srr1", 0x4562), ("dar", 0x789a), ("dsisr", 0x4000_0000)] {
                rig.set_field(field, value);
            }
            let (before, after) = around(&mut rig, token, r3, r4);
            let fields = ["srr0", "srr1", "dar", "dsisr"].map(|field| rig.field(field));
            assert_eq!(fields, [0x1230, 0x4562, 0x789a, 0x4000_0000], "{} {token:#x}", rig.name());
            // Nor does any other register of the page change. `int_pending` is none.
            let registers = |vcpu: &Vcpu| {
                let mut bytes = vcpu.shared.bytes::<0x1000>(0);
                bytes[0x64..0x68].fill(0);
                bytes
            };
            if token != MAP_MAGIC_PAGE {
                assert!(registers(&after) == registers(&before), "{} {token:#x}", rig.name());
            }
        }
    }
}

#[test]
fn case_16_the_next_instruction_follows_in_the_same_state() {
    for mut rig in rigs() {
        for bits in [0, msr::RI, msr::EE | msr::RI, rig.relocation()] {
            rig.msr_off(msr::EE | msr::RI | rig.relocation());
            rig.msr_on(bits);
            let msr = rig.msr();
            rig.hypercall(FEATURES, 5, 6);
            assert_eq!((rig.vcpu().state.cia, rig.msr()), (CODE + 4, msr), "{}", rig.name());
        }
    }
}

#[test]
fn case_17_problem_state_makes_a_system_call() {
    for mut rig in rigs() {
        rig.msr_on(msr::PR);
        rig.sets(&[(0, MAGIC.into()), (3, 33), (11, FEATURES)]);
        let at = rig.ends("sc 0; addi 3,3,1");
        assert_eq!((at, rig.vcpu().shared.srr0(), rig.r(3)), (0xc00, CODE + 4, 33), "{}", rig.name());
        assert_eq!(rig.counts.count("syscall_exits"), 1);
    }
}

#[test]
fn case_18_the_upper_half_of_r0_does_not_matter() {
    for mut rig in rigs().filter(Rig::wide) {
        rig.set(0, 0xdead_beef_4b56_4d21);
        rig.set(11, FEATURES);
        rig.run("sc 0");
        assert_eq!((rig.r(3), rig.r(4)), (0, 2), "{}", rig.name());
        rig.set(0, 0x4b56_4d20);
        assert_eq!(rig.ends("sc 0"), 0xc00, "{}", rig.name());
    }
}

#[test]
fn case_19_the_level_does_not_matter_without_papr() {
    for mut rig in rigs() {
        rig.sets(&[(0, MAGIC.into()), (11, FEATURES)]);
        rig.run("sc 1");
        assert_eq!((rig.r(3), rig.r(4)), (0, 2), "{}", rig.name());
    }
}

#[test]
fn case_20_level_1_is_a_papr_call_whatever_r0_holds() {
    for mut rig in partitions() {
        rig.sets(&[(0, MAGIC.into()), (3, 0x7c), (11, FEATURES)]);
        rig.run("sc 1");
        assert_eq!(rig.r(3), function(&rig), "{}", rig.name());
    }
}

#[test]
fn case_21_level_1_in_problem_state() {
    for mut rig in partitions() {
        rig.msr_on(msr::PR);
        rig.sets(&[(0, MAGIC.into()), (3, 0x7c), (11, FEATURES)]);
        let vector = if V300.contains(rig.cpu) { 0x700 } else { 0xc00 };
        assert_eq!((rig.ends("sc 1"), rig.r(3)), (vector, 0x7c), "{}", rig.name());
        if vector == 0x700 {
            assert_eq!(rig.field("srr1") & 0x783f_0000, 0x4_0000, "privileged");
        }
    }
}

#[test]
fn case_22_level_0_is_a_call_of_kvm_beside_papr() {
    for mut rig in partitions() {
        assert_eq!(rig.hypercall(FEATURES, 5, 6), (0, 2), "{}", rig.name());
    }
}

/// Runs the word alone; returns where that ended.
fn word(rig: &mut Rig, word: u32) -> u64 {
    let end = rig.put(CODE, "nop; nop; nop");
    rig.poke(CODE, word);
    rig.poke(end, 0x7fe0_0008);
    rig.vcpu_mut().state.cia = CODE;
    rig.resume(end)
}

#[test]
fn case_23_the_replacement_of_sc_1() {
    for mut rig in partitions() {
        rig.set(3, 0x7c);
        assert_eq!((word(&mut rig, 0x7c00_0268), rig.r(3)), (CODE + 12, function(&rig)), "{}", rig.name());
        rig.set(3, 0x7c);
        rig.msr_on(msr::PR);
        assert_eq!((word(&mut rig, 0x7c00_0268), rig.r(3)), (0x700, 0x7c), "{}", rig.name());
        assert_eq!(rig.field("srr1") & 0x783f_0000, 0x8_0000);
    }
    for mut rig in rigs() {
        rig.set(3, 0x7c);
        let at = word(&mut rig, 0x7c00_0268);
        assert_eq!((at, rig.r(3), rig.vcpu().shared.srr0()), (0x700, 0x7c, CODE), "{}", rig.name());
    }
}

#[test]
fn case_24_swapped_words_fail_in_little_endian_mode() {
    for mut rig in rigs().filter(|rig| rig.order == Order::Little) {
        rig.set(3, 5);
        // The second of the skipped words would change r5.
        let end = rig.put(CODE, "nop; addi 5,5,1; nop");
        rig.poke(CODE, 0x0200_0044);
        rig.poke(end, 0x7fe0_0008);
        rig.sets(&[(4, 7), (5, 0)]);
        rig.vcpu_mut().state.cia = CODE;
        let seen = (rig.resume(end), rig.r(3), rig.r(4), rig.r(5));
        assert_eq!(seen, (end, UNIMPLEMENTED, 7, 0), "{}", rig.name());
        rig.msr_on(msr::PR);
        assert_eq!(word(&mut rig, 0x0200_0044), 0x700, "{}", rig.name());
    }
}

#[test]
fn case_25_swapped_words_are_illegal_in_big_endian_mode() {
    for mut rig in rigs().filter(|rig| rig.order == Order::Big) {
        rig.set(3, 5);
        assert_eq!((word(&mut rig, 0x0200_0044), rig.r(3)), (0x700, 5), "{}", rig.name());
    }
}

#[test]
fn case_26_addresses_have_32_bits_in_32_bit_mode() {
    for mut rig in rigs() {
        if rig.family() == Family::Book3s64 {
            rig.msr_off(msr::SF);
        }
        rig.map(0xffff_ffff_0000_0000 | DATA, 0xffff_ffff_ffff_f001);
        let mapped = rig.vcpu().shared.mapped().unwrap();
        assert_eq!((mapped.real, mapped.effective), (DATA, 0xffff_f000), "{}", rig.name());
        // And there it is.
        rig.set_field("sprg0", 0x1234_5678);
        rig.set(7, if rig.family() == Family::BookE { 0xffff_f000 } else { DATA });
        rig.run("lwz 3,36(7); lwz 4,32(7)");
        assert!([rig.r(3), rig.r(4)].contains(&0x1234_5678), "{}", rig.name());
    }
}
