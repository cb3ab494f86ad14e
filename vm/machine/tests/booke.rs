//! BookE in the bare machine.

mod fixture;

use fixture::{Fixture, HERE, RAM};
use machine::{Calls, Kind, Mmu};
use ppc_isa::Cpu;
use ppc_mmu::Access;

const MODELS: [Cpu; 2] = [Cpu::E500v2, Cpu::E5500];

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
