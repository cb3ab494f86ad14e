//! The conformance cases (spec ppc-pv 10) that are the same on every processor family, on each model of the bare
//! machine; and what differs by family. Names carry the numbers of the cases.

mod fixture;

use fixture::{Fixture, HERE, SC};
use hv_core::Next;
use machine::{Calls, Kind, Mmu};
use ppc_isa::Cpu;
use pv_abi::kvm::MAGIC;
use pv_abi::magic::offset;

const MAP_MAGIC_PAGE: u64 = 0x2a_0004;
/// What the upper halves of a 32-bit processor's registers hold, which nobody may see.
const GARBAGE: u64 = 0x7777_7777_0000_0000;

fn bare(cpu: Cpu) -> Fixture {
    Fixture::of(Kind::Bare, cpu, Mmu::Hash, Calls { papr: false, ..Calls::with_pv(true) })
}

/// What the guest sees of a register.
fn seen(cpu: Cpu, value: u64) -> u64 {
    if cpu.sixty_four() { value } else { value & 0xffff_ffff }
}

fn put(fixture: &mut Fixture, register: usize, value: u64) {
    let garbage = if fixture.vcpu.state.cpu.sixty_four() { 0 } else { GARBAGE };
    fixture.vcpu.state.gpr[register] = value ^ garbage;
}

/// Makes a KVM hypercall; returns r3, r4 and how to go on. Checks that nothing else changed: cases 14 to 16.
#[track_caller]
fn call(fixture: &mut Fixture, token: u64, r3: u64, r4: u64) -> (u64, u64, Next) {
    for (register, value) in [(0, MAGIC.into()), (3, r3), (4, r4), (11, token)] {
        put(fixture, register, value);
    }
    fixture.vcpu.state.cia = HERE;
    let before = fixture.vcpu.clone();
    let next = fixture.execute(SC);
    let mut expected = before.state.clone();
    expected.cia = HERE + 4;
    expected.gpr[3..5].copy_from_slice(&fixture.vcpu.state.gpr[3..5]);
    expected.ignore_no_execute |= token == MAP_MAGIC_PAGE && r4 & 1 == 0;
    assert!(fixture.vcpu.state == expected, "the call changed more than r3 and r4");
    assert!((0..0x1000).step_by(8).all(|at| fixture.vcpu.shared.bytes::<8>(at) == before.shared.bytes::<8>(at)));
    let cpu = expected.cpu;
    (seen(cpu, expected.gpr[3]), seen(cpu, expected.gpr[4]), next)
}

#[test]
fn ppc_pv_cases_36_to_38_pages_of_their_own_that_move_and_go() {
    for cpu in Cpu::ALL {
        let mut fixture = bare(cpu);
        call(&mut fixture, MAP_MAGIC_PAGE, 0xffff_f000, 0xffff_f001);
        fixture.vcpu.shared.set_sprg(0, 1);
        let first = std::mem::replace(&mut fixture.vcpu, exec::Vcpu::new(cpu, 1));
        fixture.vcpu.state.cia = HERE;
        assert_eq!((fixture.vcpu.shared.mapped(), fixture.vcpu.shared.sprg(0)), (None, 0), "36: {cpu:?}");
        call(&mut fixture, MAP_MAGIC_PAGE, 0x30_0000, 0x4000_0001);
        let second = std::mem::replace(&mut fixture.vcpu, first);
        let mapped = |vcpu: &exec::Vcpu| vcpu.shared.mapped().map(|mapped| (mapped.real, mapped.effective));
        assert_eq!(mapped(&fixture.vcpu), Some((0xffff_f000, 0xffff_f000)), "36: {cpu:?}");
        assert_eq!(mapped(&second), Some((0x30_0000, 0x4000_0000)));
        call(&mut fixture, MAP_MAGIC_PAGE, 0x20_0000, 0x5000_0001);
        assert_eq!(mapped(&fixture.vcpu), Some((0x20_0000, 0x5000_0000)), "37: {cpu:?}");
        assert_eq!(fixture.vcpu.shared.sprg(0), 1, "37: contents stay");
        assert_eq!(call(&mut fixture, MAP_MAGIC_PAGE, 0, 0), (0, 3, Next::Run));
        assert_eq!(mapped(&fixture.vcpu), None, "38: {cpu:?}");
    }
}

#[test]
fn ppc_pv_case_42_the_page_ends_and_knows_its_processor() {
    for cpu in Cpu::ALL {
        let vcpu = exec::Vcpu::new(cpu, 3);
        assert!((0xf0..0x1000).step_by(8).all(|at| vcpu.shared.bytes::<8>(at) == [0; 8]), "{cpu:?}");
        assert_eq!(vcpu.shared.bytes::<4>(offset::PIR), [0, 0, 0, 3], "{cpu:?}");
    }
}
