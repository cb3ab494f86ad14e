//! The KVM paravirtual interface by register, without a guest. Names carry the numbers of the conformance cases
//! (spec ppc-pv 10).

mod fixture;

use exec::Interrupt;
use fixture::{Fixture, HERE, SC};
use hv_core::Next;
use ppc_isa::msr;
use pv_abi::kvm::MAGIC;
use pv_abi::magic::offset;

const MAP_MAGIC_PAGE: u64 = 0x2a_0004;
const TOP: u64 = 0xffff_ffff_ffff_f000;

/// Makes a KVM hypercall; returns r3, r4 and how to go on. Checks that nothing else changed (cases 14 to 16).
#[track_caller]
fn call(fixture: &mut Fixture, token: u64, r3: u64, r4: u64) -> (u64, u64, Next) {
    let state = &mut fixture.vcpu.state;
    (state.cia, state.gpr[0], state.gpr[3], state.gpr[4], state.gpr[11]) = (HERE, MAGIC.into(), r3, r4, token);
    let before = fixture.vcpu.clone();
    let next = fixture.execute(SC);
    let mut expected = before.state.clone();
    expected.cia = HERE + 4;
    expected.gpr[3..5].copy_from_slice(&fixture.vcpu.state.gpr[3..5]);
    expected.ignore_no_execute |= token == MAP_MAGIC_PAGE && r4 & 1 == 0;
    assert!(fixture.vcpu.state == expected, "the call changed more than r3 and r4");
    let special = |vcpu: &exec::Vcpu| {
        (vcpu.shared.srr0(), vcpu.shared.srr1(), vcpu.shared.dar(), vcpu.shared.dsisr(), vcpu.shared.msr())
    };
    assert_eq!(special(&fixture.vcpu), special(&before));
    (expected.gpr[3], expected.gpr[4], next)
}

/// Maps the page at its usual place, both addresses -4096.
fn mapped() -> Fixture {
    let mut fixture = Fixture::hash();
    assert_eq!(call(&mut fixture, MAP_MAGIC_PAGE, TOP, TOP | 1), (0, 3, Next::Run));
    fixture
}

fn external_and_critical(fixture: &mut Fixture) {
    let r1 = fixture.vcpu.state.gpr[1];
    fixture.vcpu.shared.set_bytes(offset::CRITICAL, &r1.to_be_bytes());
    fixture.msr(msr::EE);
}

#[test]
fn ppc_pv_cases_49_and_56_pending_interrupts_show() {
    let mut fixture = mapped();
    assert!(fixture.poll(true), "held");
    assert_eq!(fixture.vcpu.shared.bytes::<4>(offset::INT_PENDING), [0, 0, 0, 1]);
    assert_eq!(fixture.vcpu.state.cia, HERE + 4);
    assert!(!fixture.poll(false));
    assert_eq!(fixture.vcpu.shared.bytes::<4>(offset::INT_PENDING), [0; 4]);
}

#[test]
fn ppc_pv_case_50_ee_by_a_plain_store() {
    let mut fixture = mapped();
    let open = fixture.vcpu.shared.msr() | msr::EE;
    fixture.vcpu.shared.set_bytes(offset::MSR, &open.to_be_bytes());
    assert!(!fixture.poll(true));
    assert_eq!(fixture.vcpu.state.cia, 0x500);
}

#[test]
fn ppc_pv_cases_51_to_53_critical_sections() {
    let mut fixture = mapped();
    external_and_critical(&mut fixture);
    assert!(fixture.poll(true), "51: held");
    assert_eq!(fixture.vcpu.state.cia, HERE + 4);
    fixture.visit(|_, visit| visit.deliver(Interrupt::Program(0x2_0000)));
    assert_eq!(fixture.vcpu.state.cia, 0x700, "53: what the instruction itself causes is delivered");

    let mut fixture = mapped();
    external_and_critical(&mut fixture);
    fixture.msr(msr::PR);
    assert!(!fixture.poll(true));
    assert_eq!(fixture.vcpu.state.cia, 0x500, "52: delivered in problem state");

    let mut fixture = mapped();
    external_and_critical(&mut fixture);
    fixture.vcpu.shared.set_bytes(offset::CRITICAL, &[0; 8]);
    assert!(!fixture.poll(true));
    assert_eq!(fixture.vcpu.state.cia, 0x500, "51: delivered when the section is over");

    let mut fixture = Fixture::hash();
    fixture.vcpu.state.gpr[1] = 0;
    fixture.msr(msr::EE);
    assert!(!fixture.poll(true), "no page, no section");
}

#[test]
fn ppc_pv_case_54_critical_in_32_bit_mode() {
    let mut fixture = mapped();
    external_and_critical(&mut fixture);
    fixture.vcpu.shared.set_bytes(offset::CRITICAL, &[0xff; 4]);
    fixture.vcpu.set_msr(msr::ME | msr::EE);
    assert!(fixture.poll(true));
}

#[test]
fn ppc_pv_cases_57_and_62_decrementer() {
    let mut fixture = mapped();
    fixture.vcpu.state.decrementer = 0;
    fixture.msr(msr::EE);
    assert!(!fixture.poll(true));
    assert_eq!(fixture.vcpu.state.cia, 0x500, "62: the external interrupt first");
    fixture.msr(msr::EE);
    for _ in 0..2 {
        assert!(!fixture.poll(false));
        assert_eq!(fixture.vcpu.state.cia, 0x900, "57: until it is set again");
        fixture.msr(msr::EE);
    }
    fixture.vcpu.state.gpr[5] = 1000;
    fixture.execute(0x7cb6_03a6); // mtdec r5
    let cia = fixture.vcpu.state.cia;
    assert!(!fixture.poll(false));
    assert_eq!(fixture.vcpu.state.cia, cia);
}

#[test]
fn ppc_pv_cases_59_and_60_state_after_an_interrupt() {
    let mut fixture = mapped();
    fixture.vcpu.set_msr(msr::SF | msr::EE | msr::PR | msr::FP | msr::VEC | msr::RI | msr::SE);
    let old = fixture.vcpu.shared.msr();
    fixture.visit(|_, visit| visit.deliver(Interrupt::Program(0x4_0000)));
    assert_eq!(fixture.vcpu.shared.srr1(), old & !0x783f_0000 | 0x4_0000);
    assert_eq!(fixture.vcpu.shared.msr(), msr::SF | msr::ME);
}

#[test]
fn ppc_pv_case_63_mtmsrd_l_1() {
    let mut fixture = mapped();
    let old = fixture.vcpu.shared.msr();
    fixture.vcpu.state.gpr[5] = u64::MAX;
    fixture.execute(0x7ca1_0164); // mtmsrd r5,1
    assert_eq!(fixture.vcpu.shared.msr(), old | msr::EE | msr::RI);
    fixture.vcpu.state.gpr[5] = 0;
    fixture.execute(0x7ca1_0164);
    assert_eq!(fixture.vcpu.shared.msr(), old & !(msr::EE | msr::RI));
}

#[test]
fn ppc_pv_case_67_privileged_in_problem_state() {
    let mut fixture = mapped();
    fixture.msr(msr::PR);
    let gpr = fixture.vcpu.state.gpr;
    fixture.execute(0x7ca0_00a6); // mfmsr r5
    assert_eq!((fixture.vcpu.state.cia, fixture.vcpu.shared.srr1() & 0x783f_0000), (0x700, 0x4_0000));
    assert_eq!(fixture.vcpu.state.gpr, gpr);
}

#[test]
fn ppc_pv_case_68_unknown_registers() {
    let mut fixture = mapped();
    fixture.execute(0x7ca0_02a6 | 0x1f << 16 | 0x1f << 11); // mfspr r5,1023
    assert_eq!(fixture.vcpu.state.gpr[5], 0);
    fixture.execute(0x7ca0_02a6); // mfspr r5,0
    assert_eq!((fixture.vcpu.state.cia, fixture.vcpu.shared.srr1() & 0x783f_0000), (0x700, 0x8_0000));
}
