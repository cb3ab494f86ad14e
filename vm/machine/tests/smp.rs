//! Several vCPUs: how they are described, started and reached.

mod fixture;

use exec::{Start, request};
use fixture::Fixture;
use hv_core::Next;
use image::elf::{self, Abi, Class, Kernel, Segment};
use image::fdt::Fdt;
use machine::{Calls, Kind, Mmu, PlanError, Spec};
use papr_abi::hcall::{H_CONFER, H_CPPR, H_IPI, H_IPOLL, H_JOIN, H_PROD, H_REGISTER_PROC_TBL, H_SIGNAL_SYS_RESET};
use papr_abi::rtas::{HARDWARE, PARAMETER, QUERY_CPU_STOPPED_STATE, SET_XIVE, START_CPU, SUCCESS};
use papr_abi::status::{H_CONTINUE, H_PARAMETER, H_SUCCESS};
use ppc_isa::{Cpu, msr};

const CPUS: u32 = 3;
const VTY: u32 = 0x1100;

fn fixture() -> Fixture {
    Fixture::several(Kind::Pseries, Cpu::Power9, CPUS, Mmu::Radix, Calls::with_pv(true))
}

impl Fixture {
    /// Takes the requests that each mailbox has.
    fn requests(&self) -> Vec<u32> {
        self.machine.mailboxes.0.iter().map(|mailbox| mailbox.take(!0)).collect()
    }
}

/// PAPR 7.3.8: query-cpu-stopped-state gives 0 for stopped and 2 for running processors.
#[test]
fn stopped_processors_start_once() {
    let mut fixture = fixture();
    let state = |fixture: &mut Fixture, cpu| fixture.rtas(QUERY_CPU_STOPPED_STATE, &[cpu]);
    assert_eq!([0, 1, 2].map(|cpu| state(&mut fixture, cpu)), [[0, 2], [0, 0], [0, 0]]);
    assert_eq!(state(&mut fixture, 3)[0], PARAMETER);

    assert_eq!(fixture.rtas(START_CPU, &[2, 0x4000, 0x99]), [SUCCESS]);
    assert_eq!(state(&mut fixture, 2), [0, 2]);
    assert_eq!(fixture.rtas(START_CPU, &[2, 0x5000, 0]), [HARDWARE]);
    assert_eq!(fixture.rtas(START_CPU, &[0, 0x5000, 0]), [HARDWARE]);
    assert_eq!(fixture.rtas(START_CPU, &[3, 0x5000, 0]), [PARAMETER]);
    assert_eq!(fixture.requests(), [0, 0, request::START]);

    let start = fixture.machine.mailboxes.0[2].take_start().unwrap();
    assert_eq!(start, Start { address: 0x4000, argument: 0x99 });
    // `fixture` took the first vCPU out.
    let mut vcpu = fixture.machine.vcpus.remove(1);
    vcpu.state.gpr[5] = 7;
    vcpu.set_msr(vcpu.shared.msr() | msr::LE | msr::IR);
    fixture.machine.start(&mut vcpu, start);
    assert_eq!((vcpu.state.cia, vcpu.state.gpr[3], vcpu.state.gpr[5], vcpu.state.pir), (0x4000, 0x99, 0, 2));
    assert_eq!(vcpu.shared.msr(), msr::SF | msr::ME);
}

/// Case 36 of spec papr 12: `tlbiel` is of the vCPU that executes it, `tlbie` asks all others to forget, too.
#[test]
fn a_local_invalidation_is_of_one_vcpu() {
    // RIC 2, PRS, R: everything of the process whose number is in the upper half of RS; IS is 1 in RB.
    const TLBIE: u32 = 31 << 26 | 4 << 21 | 2 << 18 | 1 << 17 | 1 << 16 | 5 << 11 | 306 << 1;
    const TLBIEL: u32 = TLBIE ^ (306 ^ 274) << 1;
    // Trees of its own, and its own invalidations.
    const RADIX_GTSE: u64 = 0x1d;
    for (word, asked) in [(TLBIEL, [request::INVALIDATE, 0, 0]), (TLBIE, [request::INVALIDATE; 3])] {
        let mut fixture = fixture();
        assert_eq!(fixture.status(H_REGISTER_PROC_TBL, &[RADIX_GTSE, 0x1_0000, 0, 0]), H_SUCCESS);
        // A mailbox that was asked to forget is not asked again before it has.
        let mailboxes = &fixture.machine.mailboxes.0;
        mailboxes.iter().for_each(|mailbox| mailbox.take_invalidations(|_| {}));
        fixture.requests();
        fixture.vcpu.state.gpr[5] = 1 << 10;
        fixture.execute(word);
        assert_eq!(fixture.requests(), asked, "{word:#x}");
    }
}

#[test]
fn prods_conferrals_and_resets_reach_their_targets() {
    const ALL: u64 = u64::MAX;
    const ALL_OTHERS: u64 = u64::MAX - 1;
    let mut fixture = fixture();
    assert_eq!(fixture.status(H_PROD, &[1]), H_SUCCESS);
    assert_eq!(fixture.requests(), [0, request::PROD, 0]);
    assert_eq!(fixture.status(H_PROD, &[3]), H_PARAMETER);
    assert_eq!(fixture.hcall(H_CONFER, &[1, 0]).next, Next::Run);
    assert_eq!(fixture.hcall(H_CONFER, &[1, 1]).next, Next::Yield);
    assert_eq!(fixture.hcall(H_CONFER, &[0, 0]).next, Next::Sleep);
    assert_eq!(fixture.status(H_JOIN, &[]), H_CONTINUE, "the others are stopped");
    assert_eq!(fixture.requests(), [0, 0, 0]);

    let reset = request::SYSTEM_RESET;
    for (target, reached) in [(2, [0, 0, reset]), (ALL_OTHERS, [0, reset, reset])] {
        assert_eq!(fixture.status(H_SIGNAL_SYS_RESET, &[target]), H_SUCCESS);
        assert_eq!(fixture.requests(), reached);
    }
    assert_eq!(fixture.status(H_SIGNAL_SYS_RESET, &[3]), H_PARAMETER);
    // Of all, the caller takes it at once: that changes more than the call's outputs.
    fixture.vcpu.state.gpr[3] = H_SIGNAL_SYS_RESET;
    fixture.vcpu.state.gpr[4] = ALL;
    fixture.execute(fixture::SC_1);
    assert_eq!(fixture.vcpu.state.cia, 0x100);
    assert_eq!(fixture.requests(), [0, reset, reset]);
}

/// PAPR 14.5.4.6: each server has its own priorities; the most favoured request of a server is H_IPI's.
#[test]
fn interrupts_go_to_their_servers() {
    let mut fixture = fixture();
    let lines = std::sync::Arc::clone(&fixture.machine.lines);
    let up = || [0, 1, 2].map(|server| lines.external(server));
    assert_eq!(fixture.status(H_CPPR, &[0xff]), H_SUCCESS);
    assert_eq!(fixture.status(H_IPI, &[1, 4]), H_SUCCESS);
    assert_eq!(up(), [false; 3], "server 1 lets nothing in yet");
    assert_eq!(fixture.hcall(H_IPOLL, &[1]).out[..2], [0, 4]);
    assert_eq!(fixture.status(H_IPI, &[0, 4]), H_SUCCESS);
    assert_eq!((up(), fixture.requests()), ([true, false, false], vec![request::INTERRUPT, 0, 0]));
    assert_eq!(fixture.status(H_IPI, &[3, 4]), H_PARAMETER);
    assert_eq!(fixture.rtas(SET_XIVE, &[VTY, 2, 5]), [SUCCESS]);
    assert_eq!(fixture.rtas(SET_XIVE, &[VTY, 3, 5]), [PARAMETER]);
}

#[test]
fn the_tree_has_a_node_for_each() {
    let fixture = fixture();
    let tree = Fdt::read(&fixture.tree).unwrap();
    let cell = |path: &str, name: &str| {
        let value = tree.find(path).unwrap_or_else(|| panic!("no {path}")).property(name).unwrap().value.to_vec();
        u32::from_be_bytes(value[..4].try_into().unwrap())
    };
    for cpu in 0..CPUS {
        let path = format!("/cpus/PowerPC,POWER9@{cpu}");
        assert_eq!([cell(&path, "reg"), cell(&path, "ibm,ppc-interrupt-server#s")], [cpu, cpu]);
    }
    assert!(tree.find("/cpus/PowerPC,POWER9@3").is_none());
    let ranges = tree.find("/interrupt-controller").unwrap().property("ibm,interrupt-server-ranges").unwrap().value;
    assert_eq!(ranges, [0, 0, 0, 0, 0, 0, 0, 3]);
    let functions = tree.find("/rtas").unwrap().property("ibm,hypertas-functions").unwrap().value;
    assert!(functions.windows(10).any(|text| text == b"hcall-join"));
}

#[test]
fn machines_say_how_many_they_take() {
    let error = |kind, cpu: Cpu, cpus| {
        let memory = 64 << 20;
        let (mmu, calls) = (Mmu::Hash, Calls::with_pv(true));
        let spec = Spec {
            kind,
            cpu,
            cpus,
            memory,
            mmu,
            calls,
            append: String::new(),
            seed: [0; 32],
            fixed_start: None,
            ..Spec::new(kind, cpu)
        };
        let segment = Segment { physical: 0, virtual_: 0, file: 0..0, memory_size: 0x1000 };
        let class = if cpu.sixty_four() { Class::Elf64 } else { Class::Elf32 };
        let kernel = Kernel { class, order: elf::Order::Big, abi: Abi::ElfV1, entry: 0, segments: vec![segment] };
        machine::plan(&spec, &kernel, None).err()
    };
    for (kind, cpu, most) in [
        (Kind::Pseries, Cpu::Power8, 62),
        (Kind::Bare, Cpu::Power9, 62),
        (Kind::Bare, Cpu::E500v2, 1),
        (Kind::E500, Cpu::E5500, 32),
        (Kind::Mac, Cpu::Ppc7400, 1),
    ] {
        assert_eq!((error(kind, cpu, 1), error(kind, cpu, most)), (None, None), "{kind:?}");
        for cpus in [0, most + 1, u32::MAX] {
            let Some(PlanError::Cpus { cpus: named, .. }) = error(kind, cpu, cpus) else { panic!("{kind:?} {cpus}") };
            assert_eq!(named, cpus);
        }
        let words = error(kind, cpu, most + 1).unwrap().to_string();
        assert!(words.starts_with(&format!("--cpus {}: ", most + 1)), "{words}");
    }
}
