//! The conformance cases (spec ppc-pv 10) that are the same on every processor family, on each model of the bare
//! machine; and what differs by family. Names carry the numbers of the cases.

mod fixture;

use exec::{Lines, delivery, request};
use fixture::{Fixture, HERE, SC};
use hv_core::{Next, hypervisor};
use machine::{Calls, Kind, Mmu};
use ppc_isa::cpu::Family;
use ppc_isa::{Cpu, msr};
use pv_abi::kvm::MAGIC;
use pv_abi::magic::offset;
use pv_abi::osi;

const MAP_MAGIC_PAGE: u64 = 0x2a_0004;
const EV_MSGSND: u64 = 0x1_000f;
const EV_IDLE: u64 = 0x1_0010;
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

/// Puts the vectors of BookE where those of Book3S are: one page of 256 bytes each from `IVPR` = 0 on, numbered as its
/// own registers are. Returns the vectors of program interrupts and of system calls.
fn vectors(fixture: &mut Fixture) -> (u64, u64) {
    if fixture.vcpu.state.cpu.family() != Family::BookE {
        return (0x700, 0xc00);
    }
    let at = fixture.vcpu.state.cia;
    for (spr, vector) in [(63, 0x2_0000), (406, 0x600), (408, 0x800), (404, 0x400)] {
        fixture.vcpu.state.gpr[5] = vector;
        fixture.execute(0x7ca0_03a6 | (spr & 31) << 16 | (spr >> 5) << 11); // mtspr spr,r5
    }
    fixture.vcpu.state.cia = at;
    (0x2_0600, 0x2_0800)
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

struct Line {
    external: bool,
    vector: Option<u32>,
}

impl Lines for Line {
    fn external(&self, _: u32) -> bool {
        self.external
    }

    fn acknowledge(&self, _: u32) -> Option<u32> {
        self.vector
    }
}

/// The run loop waits after `Next::Wait` as long as nothing is pending, let in or not.
#[test]
fn ppc_pv_cases_91_and_92_idle() {
    for cpu in Cpu::ALL {
        let mut fixture = bare(cpu);
        let msr = fixture.vcpu.shared.msr();
        assert_eq!(call(&mut fixture, EV_IDLE, 5, 6), (0, 0, Next::Wait), "{cpu:?}");
        assert_eq!(fixture.vcpu.shared.msr(), msr, "EE is neither set nor needed");
        for external in [false, true] {
            let line = Line { external, vector: None };
            let pending = fixture.visit(|_, visit| delivery::pending(visit.vcpu, visit.context, &line));
            assert_eq!((pending.any, pending.now), (external, None), "92: {cpu:?}, masked");
        }
    }
}

/// ePAPR's EV_MSGSND is `msgsnd` of BookE: type, broadcast, number.
#[test]
fn messages_where_the_processor_has_them() {
    for cpu in Cpu::ALL {
        let mut fixture = bare(cpu);
        let answers = [0, 0x0c00_0000, 5 << 27].map(|message| call(&mut fixture, EV_MSGSND, message, 0).0);
        let posted = fixture.machine.mailboxes.0[0].pending();
        let bells = request::DOORBELL | request::CRITICAL_DOORBELL;
        match cpu {
            Cpu::E5500 => assert_eq!((answers, posted & bells), ([0, 0, 8], bells)),
            _ => assert_eq!((answers, posted & bells), ([12; 3], 0), "{cpu:?}"),
        }
    }
}

#[test]
fn ppc_pv_case_98_osi_is_for_book3s() {
    for cpu in Cpu::ALL {
        let mut fixture = bare(cpu);
        let (_, system_call) = vectors(&mut fixture);
        for (register, value) in [(3, osi::MAGIC_R3), (4, osi::MAGIC_R4), (5, 0), (6, osi::LOG_PUTC)] {
            put(&mut fixture, register, value.into());
        }
        fixture.vcpu.state.cia = HERE;
        fixture.execute(SC);
        let answered = (fixture.vcpu.state.cia, seen(cpu, fixture.vcpu.state.gpr[3]));
        let expected = match cpu.family() {
            Family::BookE => (system_call, osi::MAGIC_R3.into()),
            _ => (HERE + 4, 1),
        };
        assert_eq!(answered, expected, "{cpu:?}");
    }
}

#[test]
fn ppc_pv_case_100_the_vector_of_an_external_interrupt() {
    for cpu in [Cpu::E500v2, Cpu::E5500] {
        let mut fixture = bare(cpu);
        vectors(&mut fixture);
        fixture.msr(msr::EE);
        let line = Line { external: true, vector: Some(0x2a) };
        fixture.visit(|_, visit| hypervisor::poll(visit, &line));
        assert_eq!(fixture.vcpu.state.cia, 0x2_0400, "{cpu:?}");
        fixture.execute(0x7cc0_02a6 | (702 & 31) << 16 | (702 >> 5) << 11); // mfspr r6,EPR
        assert_eq!(seen(cpu, fixture.vcpu.state.gpr[6]), 0x2a, "{cpu:?}");
    }
}
