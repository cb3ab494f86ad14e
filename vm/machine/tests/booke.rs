//! BookE in the bare machine: what the hypervisor does between runs. Names carry the numbers of the conformance cases
//! (spec ppc-pv 10).

mod fixture;

use fixture::{Fixture, HERE, RAM, SC};
use hv_core::Next;
use machine::{Calls, Kind, Mmu};
use ppc_isa::{Cpu, encode, msr, rows};
use ppc_mmu::Access;
use pv_abi::kvm::MAGIC;
use pv_abi::magic::offset;

const MODELS: [Cpu; 2] = [Cpu::E500v2, Cpu::E5500];
/// Vectors: IVPR, IVOR4, IVOR6, IVOR10.
const EXTERNAL: u64 = 0x20_0500;
const PROGRAM: u64 = 0x20_0700;
const DECREMENTER: u64 = 0x20_0900;

fn bare(cpu: Cpu) -> Fixture {
    let mut fixture = Fixture::of(Kind::Bare, cpu, Mmu::Hash, Calls { papr: false, ..Calls::with_pv(true) });
    let booke = &mut fixture.vcpu.state.booke;
    for (number, value) in [(63, EXTERNAL), (404, EXTERNAL), (406, PROGRAM), (410, DECREMENTER)] {
        booke.keep(cpu, number, value).unwrap();
    }
    fixture.vcpu.state.cia = HERE;
    fixture
}

fn word(name: &str, values: &[i64]) -> u32 {
    let row = rows().find(|row| row.name == name && row.models.contains(Cpu::E5500)).unwrap();
    encode::encode(row, values).unwrap()
}

/// A KVM hypercall.
fn call(fixture: &mut Fixture, token: u32, r3: u64, r4: u64) -> (u32, u32) {
    let garbage = 0x7777_7777_0000_0000;
    for (n, value) in [(0, MAGIC.into()), (3, r3), (4, r4), (11, token.into())] {
        fixture.vcpu.state.gpr[n] = garbage | value;
    }
    fixture.vcpu.state.cia = HERE;
    assert_eq!(fixture.execute(SC), Next::Run);
    assert_eq!(fixture.vcpu.state.cia, HERE + 4);
    (fixture.vcpu.state.gpr[3] as u32, fixture.vcpu.state.gpr[4] as u32)
}

fn mapped(cpu: Cpu) -> Fixture {
    let mut fixture = bare(cpu);
    assert_eq!(call(&mut fixture, 0x2a_0004, 0xffff_f000, 0xffff_f001), (0, 3));
    fixture
}

fn int_pending(fixture: &Fixture) -> [u8; 4] {
    fixture.vcpu.shared.bytes(offset::INT_PENDING)
}

#[test]
fn kernels_are_entered_as_epapr_says() {
    for cpu in MODELS {
        let fixture = Fixture::of(Kind::Bare, cpu, Mmu::Hash, Calls::with_pv(true));
        let vcpu = &fixture.vcpu;
        assert_eq!((vcpu.shared.msr(), vcpu.state.cia), (0, HERE));
        let partition = &fixture.machine.partition;
        let space = vcpu.state.space(&fixture.machine.mem, partition, true);
        for access in [Access::Fetch, Access::Load, Access::Store] {
            assert_eq!(space.translate(RAM - 4, access).map(|mapping| mapping.real), Ok(RAM - 4), "{access:?}");
        }
    }
}

#[test]
fn ppc_pv_case_67_privileged_instructions_of_problem_state_are_refused() {
    for cpu in MODELS {
        // Unknown SPRs say by their number whether they are privileged. ESR[PPR] or ESR[PIL].
        let cases = [
            (word("mfmsr", &[3]), 0x400_0000),
            (word("tlbwe", &[]), 0x400_0000),
            (word("wrteei", &[1]), 0x400_0000),
            (word("mfspr", &[3, 26]), 0x400_0000),
            (word("mtpmr", &[16, 3]), 0x400_0000),
            (word("mfpmr", &[3, 16]), 0x400_0000),
            (word("mfspr", &[3, 1000]), 0x800_0000),
        ];
        for (word, esr) in cases {
            let mut fixture = bare(cpu);
            fixture.msr(msr::PR | msr::CE);
            let r3 = fixture.vcpu.state.gpr[3];
            assert_eq!(fixture.execute(word), Next::Run);
            let vcpu = &fixture.vcpu;
            assert_eq!((vcpu.state.cia, vcpu.shared.srr0(), vcpu.shared.esr()), (PROGRAM, HERE, esr), "{word:#x}");
            assert_eq!((vcpu.shared.msr(), vcpu.state.gpr[3]), (msr::CE, r3), "{word:#x}");
        }
        // But this one is its own: UPMC0.
        let mut fixture = bare(cpu);
        fixture.msr(msr::PR);
        fixture.execute(word("mfpmr", &[3, 0]));
        assert_eq!((fixture.vcpu.state.cia, fixture.vcpu.state.gpr[3]), (HERE + 4, 0));
    }
}

#[test]
fn ppc_pv_case_69_an_unknown_spr_is_a_program_interrupt() {
    for cpu in MODELS {
        let mut fixture = bare(cpu);
        fixture.execute(word("mfspr", &[3, 150]));
        let vcpu = &fixture.vcpu;
        assert_eq!((vcpu.state.cia, vcpu.shared.srr0(), vcpu.shared.esr()), (PROGRAM, HERE, 0x800_0000));
    }
}

#[test]
fn ppc_pv_cases_49_56_and_58_pending_interrupts_show() {
    for cpu in MODELS {
        let mut fixture = mapped(cpu);
        assert!(fixture.poll(true), "held");
        assert_eq!((int_pending(&fixture), fixture.vcpu.state.cia), ([0, 0, 0, 1], HERE + 4));
        assert!(!fixture.poll(false));
        assert_eq!((int_pending(&fixture), fixture.vcpu.state.cia), ([0; 4], HERE + 4));
        // A level comes again after the return.
        for _ in 0..2 {
            fixture.msr(msr::EE);
            assert!(!fixture.poll(true));
            assert_eq!((int_pending(&fixture), fixture.vcpu.state.cia), ([0, 0, 0, 1], EXTERNAL));
        }
    }
}

/// FIT and decrementer stay pending until their status is cleared.
#[test]
fn a_taken_decrementer_stays_pending_until_its_status_is_cleared() {
    for cpu in MODELS {
        let mut fixture = mapped(cpu);
        fixture.vcpu.state.gpr[3] = 0x400_0000;
        fixture.execute(word("mtspr", &[340, 3]));
        fixture.vcpu.state.gpr[3] = 20;
        fixture.execute(word("mtspr", &[22, 3]));
        assert!(!fixture.poll(false));
        fixture.vcpu.state.retired += 1 << 20;
        for _ in 0..2 {
            fixture.msr(msr::EE);
            assert!(!fixture.poll(false));
            assert_eq!((int_pending(&fixture), fixture.vcpu.state.cia), ([0, 0, 0, 1], DECREMENTER));
        }
        fixture.vcpu.state.gpr[3] = 0x800_0000;
        fixture.execute(word("mtspr", &[336, 3]));
        assert!(!fixture.poll(false));
        assert_eq!(int_pending(&fixture), [0; 4]);
    }
}
