//! Book3S-32 in the bare machine: what the hypervisor does between runs. Names carry the numbers of the conformance
//! cases (spec ppc-pv 10).

mod fixture;

use exec::{Interrupt, Vcpu};
use fixture::{Fixture, HERE, SC};
use hv_core::Next;
use machine::{Calls, Kind, Mmu};
use ppc_isa::{Cpu, msr};
use pv_abi::kvm::MAGIC;
use pv_abi::magic::offset;

const MODELS: [Cpu; 3] = [Cpu::Ppc750, Cpu::Ppc7400, Cpu::Ppc7450];

fn bare(cpu: Cpu) -> Fixture {
    Fixture::of(Kind::Bare, cpu, Mmu::Hash, Calls { papr: false, ..Calls::with_pv(true) })
}

/// A KVM hypercall of one of `MODELS`.
fn call(fixture: &mut Fixture, token: u32, r3: u32, r4: u32) -> (u32, u32) {
    let state = &mut fixture.vcpu.state;
    let garbage = 0x7777_7777_0000_0000;
    for (n, value) in [(0, MAGIC), (3, r3), (4, r4), (11, token)] {
        state.gpr[n] = garbage | u64::from(value);
    }
    state.cia = HERE;
    assert_eq!(fixture.execute(SC), Next::Run);
    assert_eq!(fixture.vcpu.state.cia, HERE + 4);
    (fixture.vcpu.state.gpr[3] as u32, fixture.vcpu.state.gpr[4] as u32)
}

/// With the page where Linux puts it.
fn mapped(cpu: Cpu) -> Fixture {
    let mut fixture = bare(cpu);
    assert_eq!(call(&mut fixture, 0x2a_0004, 0xffff_f000, 0xffff_f001), (0, 3));
    fixture
}

fn int_pending(vcpu: &Vcpu) -> [u8; 4] {
    vcpu.shared.bytes(offset::INT_PENDING)
}

#[test]
fn ppc_pv_cases_49_and_56_pending_interrupts_show() {
    for cpu in MODELS {
        let mut fixture = mapped(cpu);
        assert!(fixture.poll(true), "held");
        assert_eq!((int_pending(&fixture.vcpu), fixture.vcpu.state.cia), ([0, 0, 0, 1], HERE + 4));
        assert!(!fixture.poll(false));
        assert_eq!((int_pending(&fixture.vcpu), fixture.vcpu.state.cia), ([0; 4], HERE + 4));
    }
}

/// The decrementer is an edge here: nothing is left of it when it was taken.
#[test]
fn a_taken_decrementer_is_not_pending() {
    for cpu in MODELS {
        let mut fixture = mapped(cpu);
        fixture.vcpu.state.decrementer = 0;
        assert!(fixture.poll(false), "held");
        assert_eq!(int_pending(&fixture.vcpu), [0, 0, 0, 1]);
        fixture.msr(msr::EE);
        assert!(!fixture.poll(false));
        assert_eq!((int_pending(&fixture.vcpu), fixture.vcpu.state.cia), ([0; 4], 0x900));
        // A level is, until its source is quiet.
        fixture.msr(msr::EE);
        assert!(!fixture.poll(true));
        assert_eq!((int_pending(&fixture.vcpu), fixture.vcpu.state.cia), ([0, 0, 0, 1], 0x500));
    }
}

#[test]
fn ppc_pv_case_51_and_53_critical_sections() {
    for cpu in MODELS {
        let mut fixture = mapped(cpu);
        fixture.msr(msr::EE);
        let r1 = fixture.vcpu.state.gpr[1] as u32;
        fixture.vcpu.shared.set_bytes(offset::CRITICAL + 4, &r1.to_be_bytes());
        assert!(fixture.poll(true));
        fixture.visit(|_, visit| visit.deliver(Interrupt::DataStorage { dar: 1, dsisr: 0x4000_0000 }));
        assert_eq!(fixture.vcpu.state.cia, 0x300);
        fixture.msr(msr::EE);
        fixture.vcpu.shared.set_bytes(offset::CRITICAL, &[0; 8]);
        assert!(!fixture.poll(true));
        assert_eq!(fixture.vcpu.state.cia, 0x500);
    }
}

#[test]
fn ppc_pv_cases_64_and_65_power_management() {
    for cpu in MODELS {
        let mut fixture = mapped(cpu);
        let mut sleep = |external: bool| {
            fixture.vcpu.state.gpr[5] = msr::POW | msr::ME;
            assert_eq!(fixture.execute(0x7ca0_0124), Next::Run); // mtmsr r5
            fixture.poll(external);
            assert_eq!(fixture.vcpu.shared.msr(), msr::ME);
            fixture.vcpu.state.waiting
        };
        assert!(sleep(false), "64: nothing is pending");
        assert!(!sleep(true), "65: something is, let in or not");
    }
}

#[test]
fn ppc_pv_case_67_privileged_in_problem_state() {
    for cpu in MODELS {
        for word in [0x7ca0_00a6, 0x4c00_0064, 0x7ca0_04a6, 0x7c00_2a64] {
            let mut fixture = mapped(cpu);
            fixture.msr(msr::PR);
            let gpr = fixture.vcpu.state.gpr;
            fixture.execute(word); // mfmsr, rfi, mfsr, tlbie
            let status = fixture.vcpu.shared.srr1() & 0x783f_0000;
            assert_eq!((fixture.vcpu.state.cia, status), (0x700, 0x4_0000), "{word:#x}");
            assert_eq!(fixture.vcpu.state.gpr, gpr);
        }
        // SPR numbers say it: 26 and 1008 are privileged, 2 is not.
        for (word, status) in [(0x7cba_02a6, 0x4_0000), (0x7cb0_faa6, 0x4_0000), (0x7ca2_02a6, 0x8_0000)] {
            let mut fixture = mapped(cpu);
            fixture.msr(msr::PR);
            fixture.execute(word);
            assert_eq!(fixture.vcpu.shared.srr1() & 0x783f_0000, status, "{word:#x}");
        }
    }
}
