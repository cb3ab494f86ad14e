//! The magic page among memory and devices, as instructions meet it. Names carry the numbers of the conformance cases
//! (spec ppc-pv 10).

mod fixture;

use exec::{Engine, Exit};
use exec_interp::Interpreter;
use fixture::{Fixture, HERE, SC};
use machine::{Calls, Kind, Mmu};
use ppc_isa::encode::assemble;
use ppc_isa::{Cpu, msr};
use pv_abi::kvm::{MAGIC, MAP_MAGIC_PAGE};
use pv_abi::magic::offset;

/// A device's page of the Power Macintosh: non-volatile memory.
const DEVICE: u32 = 0xfff0_4000;
const EFFECTIVE: u32 = 0xffff_f000;

/// Executes one instruction, and then a branch to itself.
#[track_caller]
fn execute(fixture: &mut Fixture, name: &str, operands: &[i64]) {
    fixture.set_word(HERE, assemble(name, operands).unwrap());
    fixture.set_word(HERE + 4, 0x4800_0000);
    fixture.vcpu.state.cia = HERE;
    let mut engine = Interpreter::new(fixture.vcpu.state.cpu);
    let exit = fixture.visit(|_, visit| engine.run(visit.vcpu, visit.context, 1));
    assert!(matches!(exit, Exit::Event), "{exit:?}");
}

fn map(fixture: &mut Fixture, real: u32, effective: u32) {
    let state = &mut fixture.vcpu.state;
    for (register, value) in [(0, MAGIC), (3, real), (4, effective | 1), (11, MAP_MAGIC_PAGE)] {
        state.gpr[register] = value.into();
    }
    fixture.execute(SC);
}

#[test]
fn ppc_pv_case_40_the_page_comes_before_devices() {
    let mut fixture = Fixture::of(Kind::Mac, Cpu::Ppc7400, Mmu::Hash, Calls::with_pv(true));
    let store = |fixture: &mut Fixture, value: u64| {
        fixture.vcpu.state.gpr[8] = u64::from(DEVICE) + offset::SPRG0 as u64;
        fixture.vcpu.state.gpr[9] = value;
        execute(fixture, "stb", &[9, 7, 8]);
    };
    let load = |fixture: &mut Fixture| {
        execute(fixture, "lbz", &[10, 7, 8]);
        fixture.vcpu.state.gpr[10]
    };
    store(&mut fixture, 0x11);
    assert_eq!((load(&mut fixture), fixture.vcpu.shared.sprg(0)), (0x11, 0), "a device answers there");
    map(&mut fixture, DEVICE, EFFECTIVE);
    store(&mut fixture, 0x22);
    assert_eq!((load(&mut fixture), fixture.vcpu.shared.sprg(0)), (0x22, 0x22), "relocation off: the page");
    // The same by the guest's own translation, a block of 128 KiB that it maps one to one.
    fixture.vcpu.state.book3s32.bats.data[0] = [DEVICE & !0x1_ffff | 2, DEVICE & !0x1_ffff | 2];
    fixture.vcpu.state.book3s32.bats.instruction[0] = [0x3e, 2];
    fixture.vcpu.set_msr(msr::ME | msr::IR | msr::DR);
    fixture.visit(|machine, _| machine.mailboxes.0[0].invalidate(ppc_mmu::Invalidation::All));
    store(&mut fixture, 0x33);
    assert_eq!((load(&mut fixture), fixture.vcpu.shared.sprg(0)), (0x33, 0x33), "relocation on: the page");
    fixture.vcpu.set_msr(msr::ME);
    map(&mut fixture, 0, 0);
    fixture.vcpu.state.gpr[8] = u64::from(DEVICE) + offset::SPRG0 as u64;
    assert_eq!((load(&mut fixture), fixture.vcpu.shared.sprg(0)), (0x11, 0x33), "the device kept its own");
}
