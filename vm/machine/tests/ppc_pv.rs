//! The KVM paravirtual interface by register, without a guest. Names carry the numbers of the conformance cases
//! (spec ppc-pv 10).

mod fixture;

use exec::Interrupt;
use fixture::{Fixture, HERE, SC};
use guest_mem::Order;
use hv_core::Next;
use ppc_isa::{Cpu, msr};
use ppc_mmu::{Access, Fault};
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
fn ppc_pv_cases_27_and_28_order_of_addresses() {
    let mut fixture = Fixture::hash();
    call(&mut fixture, MAP_MAGIC_PAGE, 0x1000_0abc, 0x2000_0fff);
    let mapped = fixture.vcpu.shared.mapped().unwrap();
    assert_eq!((mapped.real, mapped.effective), (0x1000_0000, 0x2000_0000));
}

#[test]
fn ppc_pv_case_36_each_vcpu_has_its_own_page() {
    let mut fixture = mapped();
    fixture.vcpu.shared.set_sprg(0, 1);
    let first = std::mem::replace(&mut fixture.vcpu, exec::Vcpu::new(Cpu::Power8, 1));
    assert_eq!((fixture.vcpu.shared.mapped(), fixture.vcpu.shared.sprg(0)), (None, 0));
    call(&mut fixture, MAP_MAGIC_PAGE, 0x30_0000, 0x4000_0001);
    fixture.vcpu.shared.set_sprg(0, 2);
    let second = std::mem::replace(&mut fixture.vcpu, first);
    assert_eq!(fixture.vcpu.shared.mapped().unwrap().effective, TOP);
    assert_eq!((fixture.vcpu.shared.sprg(0), second.shared.sprg(0)), (1, 2));
    assert_eq!([&fixture.vcpu, &second].map(|vcpu| vcpu.shared.bytes::<4>(offset::PIR)[3]), [0, 1]);
}

#[test]
fn ppc_pv_cases_37_and_38_mapping_again() {
    let mut fixture = mapped();
    fixture.vcpu.shared.set_sprg(2, 0x1234);
    call(&mut fixture, MAP_MAGIC_PAGE, 0x30_0000, 0x4000_0000);
    assert_eq!(fixture.vcpu.shared.mapped().unwrap().effective, 0x4000_0000);
    assert_eq!(fixture.vcpu.shared.sprg(2), 0x1234);
    assert_eq!(call(&mut fixture, MAP_MAGIC_PAGE, 0, 0), (0, 3, Next::Run));
    assert_eq!(fixture.vcpu.shared.mapped(), None);
    assert_eq!(fixture.vcpu.shared.sprg(2), 0x1234);
}

#[test]
fn ppc_pv_case_39_no_execute() {
    // 256 MiB segment 0 with VSID 1; virtual page 5 of it goes to real page 5. Segment and page may be no-execute.
    const N_SEGMENT: u64 = 0x200;
    const N_PAGE: u64 = 4;
    const GUARDED: u64 = 8;
    let fetch = |fixture: &mut Fixture, problem: u64, segment: u64, page: u64| {
        fixture.vcpu.state.slb.write(1 << 27, 1 << 12 | segment);
        let (hash, v, r) = (1 ^ 5, 1 << 12 | 1, 5 << 12 | 2 | page);
        assert!(fixture.machine.partition.hash().unwrap().write(hash * 8, v, r));
        fixture.vcpu.set_msr(msr::SF | msr::IR | msr::DR | problem);
        let machine = &fixture.machine;
        let space = fixture.vcpu.state.space(&machine.mem, &machine.partition, true);
        space.translate(0x5000, Access::Fetch).map(|mapping| mapping.real)
    };
    let no_execute = Err(Fault::Storage(0x1000_0000));
    let mut fixture = mapped();
    assert_eq!(fetch(&mut fixture, 0, 0, 0), Ok(0x5000));
    assert_eq!(fetch(&mut fixture, 0, 0, N_PAGE), no_execute, "the guest promised not to need it");
    fixture.vcpu.set_msr(msr::SF);
    call(&mut fixture, MAP_MAGIC_PAGE, TOP, TOP);
    fixture.vcpu.set_msr(msr::SF);
    call(&mut fixture, MAP_MAGIC_PAGE, TOP, TOP | 1);
    assert_eq!(fetch(&mut fixture, 0, 0, N_PAGE), Ok(0x5000), "for good");
    assert_eq!(fetch(&mut fixture, 0, N_SEGMENT, N_PAGE), Ok(0x5000));
    assert_eq!(fetch(&mut fixture, 0, 0, GUARDED), no_execute);
    assert_eq!(fetch(&mut fixture, msr::PR, 0, N_PAGE), no_execute);
    assert_eq!(fetch(&mut fixture, msr::PR, N_SEGMENT, 0), no_execute);
    assert_eq!(fetch(&mut fixture, msr::PR, 0, 0), Ok(0x5000));
}

#[test]
fn ppc_pv_case_41_order_of_the_page() {
    let mut fixture = Fixture::hash();
    fixture.vcpu.shared.set_sprg(1, 0x0123_4567_89ab_cdef);
    let msr = fixture.vcpu.shared.msr();
    fixture.machine.partition.set_interrupt_order(Order::Little);
    call(&mut fixture, MAP_MAGIC_PAGE, TOP, TOP | 1);
    let shared = &fixture.vcpu.shared;
    assert_eq!((shared.sprg(1), shared.msr(), shared.dsisr()), (0x0123_4567_89ab_cdef, msr, 0xcc));
    assert_eq!(shared.bytes::<8>(0x28), 0x0123_4567_89ab_cdef_u64.to_le_bytes());
    assert_eq!(shared.bytes::<4>(offset::DSISR), [0xcc, 0, 0, 0]);
}

#[test]
fn ppc_pv_case_42_the_rest_of_the_page_is_zero() {
    let fixture = mapped();
    assert!((0xf0..0x1000).step_by(8).all(|at| fixture.vcpu.shared.bytes::<8>(at) == [0; 8]));
    assert_eq!(fixture.vcpu.shared.bytes::<4>(offset::PIR), [0; 4]);
}

/// mtspr by trap, and where its value appears in the page.
#[test]
fn ppc_pv_cases_43_and_44_registers_live_in_the_page() {
    #[rustfmt::skip]
    let registers: [(u32, usize, usize); 12] = [
        (272, 0x20, 8), (273, 0x28, 8), (274, 0x30, 8), (275, 0x38, 8), (26, 0x40, 8), (27, 0x48, 8), (19, 0x50, 8),
        (18, 0x60, 4), (276, 0xd0, 8), (277, 0xd8, 8), (278, 0xe0, 8), (279, 0xe8, 8),
    ];
    let spr = |number: u32| (number & 31) << 16 | (number >> 5) << 11;
    for (number, offset, bytes) in registers {
        let mut fixture = mapped();
        fixture.vcpu.state.gpr[5] = 0x0123_4567_89ab_cdef;
        fixture.execute(0x7ca0_03a6 | spr(number));
        let expected = &0x0123_4567_89ab_cdef_u64.to_be_bytes()[8 - bytes..];
        assert_eq!(&fixture.vcpu.shared.bytes::<8>(offset)[..bytes], expected, "mtspr {number}");
        fixture.vcpu.shared.set_bytes(offset, &[0x5a; 8][..bytes]);
        fixture.execute(0x7cc0_02a6 | spr(number));
        assert_eq!(fixture.vcpu.state.gpr[6], 0x5a5a_5a5a_5a5a_5a5a >> (64 - 8 * bytes), "mfspr {number}");
    }
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
