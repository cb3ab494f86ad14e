//! ePAPR's calls with the devices of the bare machine behind them. Names carry the numbers of the conformance
//! cases (spec ppc-pv 10).

mod fixture;

use exec::request;
use fixture::{Fixture, HERE, SC};
use hv_core::Next;
use image::fdt::Fdt;
use machine::{Calls, Kind, Mmu};
use ppc_isa::Cpu;
use pv_abi::epapr::*;
use pv_abi::kvm::MAGIC;

const VTY: u64 = 0x1100;
const DOORBELL: u64 = 0x1102;

/// Makes a call; returns r3 to r8.
fn call(fixture: &mut Fixture, token: u32, parameters: &[u64]) -> [u64; 6] {
    let state = &mut fixture.vcpu.state;
    (state.cia, state.gpr[0], state.gpr[11]) = (HERE, MAGIC.into(), token.into());
    state.gpr[3..3 + parameters.len()].copy_from_slice(parameters);
    assert_eq!(fixture.execute(SC), Next::Run);
    assert_eq!(fixture.vcpu.state.cia, HERE + 4);
    fixture.vcpu.state.gpr[3..9].try_into().unwrap()
}

fn external(fixture: &Fixture) -> bool {
    fixture.machine.lines.external(0)
}

/// Lets an interrupt in at `priority`.
fn open(fixture: &mut Fixture, interrupt: u64, priority: u64) {
    assert_eq!(call(fixture, INT_SET_CONFIG, &[interrupt, 1, priority, 0])[0], 0);
    assert_eq!(call(fixture, INT_SET_MASK, &[interrupt, 0])[0], 0);
}

#[test]
fn the_tree_names_the_devices() {
    let fixture = Fixture::bare();
    let tree = Fdt::read(&fixture.tree).unwrap();
    let cells = |path: &str, name: &str| {
        let value = tree.find(path).unwrap_or_else(|| panic!("{path}")).property(name).unwrap().value;
        value.as_chunks::<4>().0.iter().map(|cell| u32::from_be_bytes(*cell)).collect::<Vec<u32>>()
    };
    let compatible =
        |path: &str| tree.find(path).unwrap().property("compatible").unwrap().strings().unwrap()[0].to_owned();
    assert_eq!(compatible("/hypervisor/pic"), "epapr,hv-pic");
    assert_eq!(compatible("/hypervisor/handles/byte-channel"), "epapr,hv-byte-channel");
    assert_eq!(compatible("/hypervisor/handles/send-doorbell"), "epapr,hv-send-doorbell");
    assert_eq!(compatible("/hypervisor/handles/receive-doorbell"), "epapr,hv-receive-doorbell");
    assert_eq!(cells("/hypervisor/handles/byte-channel", "hv-handle"), [1]);
    assert_eq!(cells("/hypervisor/handles/byte-channel", "interrupts"), [0x1100, 0, 0x1101, 0]);
    assert_eq!(cells("/hypervisor/handles/receive-doorbell", "interrupts"), [0x1102, 0]);
    let pic = cells("/hypervisor/pic", "phandle");
    assert_eq!(cells("/hypervisor/handles/byte-channel", "interrupt-parent"), pic);

    let calls = Calls { epapr: false, ..Calls::with_pv(true) };
    let fixture = Fixture::of(Kind::Bare, Cpu::Power8, Mmu::Hash, calls);
    let tree = Fdt::read(&fixture.tree).unwrap();
    assert!(tree.find("/hypervisor").is_some());
    assert!(tree.find("/hypervisor/pic").is_none() && tree.find("/hypervisor/handles").is_none());
}

#[test]
fn ppc_pv_case_12_a_byte_channel_where_there_is_one() {
    let mut bare = Fixture::bare();
    assert_eq!(call(&mut bare, BYTE_CHANNEL_SEND, &[1, 5, 0x4865_6c6c, 0x6f00_0000])[..2], [0, 5]);
    assert_eq!(bare.printed(), b"Hello");
    assert_eq!(call(&mut bare, BYTE_CHANNEL_SEND, &[2, 1])[0], 8);
    assert_eq!(call(&mut bare, BYTE_CHANNEL_POLL, &[1])[..3], [0, 0, 16]);
    assert_eq!(bare.machine.controls().type_in(b"exit\n"), 5);
    assert_eq!(call(&mut bare, BYTE_CHANNEL_POLL, &[1])[..3], [0, 5, 16]);
    assert_eq!(call(&mut bare, BYTE_CHANNEL_RECEIVE, &[1, 4]), [0, 4, 0x6578_6974, 0, 0, 0]);
    assert_eq!(call(&mut bare, BYTE_CHANNEL_RECEIVE, &[1, 16])[..3], [0, 1, 0x0a00_0000]);
    assert_eq!(bare.counts.hypercalls()["kvm:EV_BYTE_CHANNEL_RECEIVE"], 2);

    let mut pseries = Fixture::hash();
    assert_eq!(call(&mut pseries, BYTE_CHANNEL_SEND, &[1, 1])[..2], [12, 0]);
}

#[test]
fn ppc_pv_case_12_the_byte_channel_of_the_e500_board() {
    for cpu in [Cpu::E500v2, Cpu::E5500] {
        let mut fixture = Fixture::of(Kind::E500, cpu, Mmu::Hash, Calls::with_pv(true));
        let tree = Fdt::read(&fixture.tree).unwrap();
        let cell = |node: &str, name: &str| tree.find(node).unwrap().property(name).unwrap().value.to_vec();
        let channel = "/hypervisor/handles/byte-channel";
        assert_eq!(cell(channel, "compatible"), b"epapr,hv-byte-channel\0");
        assert_eq!(cell(channel, "hv-handle"), [0, 0, 0, 1]);
        assert_eq!(cell(channel, "interrupts").len(), 4 * 4, "two of two cells");
        assert_eq!(cell(channel, "interrupt-parent"), cell("/soc@fe0000000/pic@40000", "phandle"));
        assert!(tree.find("/hypervisor/pic").is_none(), "the controller is the MPIC");

        let seen = |registers: [u64; 6]| registers.map(|register| register as u32);
        assert_eq!(seen(call(&mut fixture, BYTE_CHANNEL_SEND, &[1, 2, 0x4869_0000]))[..2], [0, 2]);
        assert_eq!(fixture.printed(), b"Hi");
        assert_eq!(fixture.machine.controls().type_in(b"ok"), 2);
        assert_eq!(seen(call(&mut fixture, BYTE_CHANNEL_POLL, &[1]))[..3], [0, 2, 16]);
        assert_eq!(seen(call(&mut fixture, BYTE_CHANNEL_RECEIVE, &[1, 16]))[..3], [0, 2, 0x6f6b_0000]);
        assert_eq!(seen(call(&mut fixture, INT_IACK, &[0]))[..2], [12, 0]);
    }
}

#[test]
fn interrupts_come_when_configured_and_unmasked() {
    let mut fixture = Fixture::bare();
    assert_eq!(call(&mut fixture, INT_GET_MASK, &[VTY])[..2], [0, 1], "masked at first");
    fixture.machine.controls().type_in(b"x");
    assert!(!external(&fixture));
    assert_eq!(call(&mut fixture, INT_SET_MASK, &[VTY, 0])[0], 0);
    assert!(!external(&fixture), "priority 0 never comes");
    open(&mut fixture, VTY, 8);
    assert!(external(&fixture));
    assert_eq!(call(&mut fixture, INT_GET_CONFIG, &[VTY])[..4], [0, 1, 8, 0]);
    assert_eq!(call(&mut fixture, INT_IACK, &[0])[..2], [0, VTY]);
    assert!(!external(&fixture));
    assert_eq!(call(&mut fixture, INT_IACK, &[0])[..2], [0, 0xffff]);
    assert_eq!(call(&mut fixture, INT_EOI, &[DOORBELL])[0], 8, "not in service");
    assert_eq!(call(&mut fixture, INT_EOI, &[VTY])[0], 0);
    assert_eq!(call(&mut fixture, INT_EOI, &[VTY])[0], 8);
    for irq in [0, 2, 0x1103, 0xffff_ffff] {
        assert_eq!(call(&mut fixture, INT_SET_CONFIG, &[irq, 0, 1, 0])[0], 8, "{irq:#x}");
    }
    assert_eq!(call(&mut fixture, INT_SET_CONFIG, &[VTY, 0, 1, 1])[0], 8, "no CPU 1");
}

#[test]
fn doorbells_interrupt_by_priority() {
    let mut fixture = Fixture::bare();
    open(&mut fixture, VTY, 4);
    open(&mut fixture, DOORBELL, 9);
    fixture.machine.controls().type_in(b"x");
    assert_eq!(call(&mut fixture, INT_IACK, &[3])[..2], [0, VTY]);
    assert_eq!(call(&mut fixture, DOORBELL_SEND, &[1])[0], 8);
    assert_eq!(call(&mut fixture, DOORBELL_SEND, &[2])[0], 0);
    assert!(external(&fixture), "more urgent than what is in service");
    assert_eq!(call(&mut fixture, INT_SET_TASK_PRIORITY, &[0, 9])[0], 0);
    assert!(!external(&fixture));
    assert_eq!(call(&mut fixture, INT_GET_TASK_PRIORITY, &[0])[..2], [0, 9]);
    assert_eq!(call(&mut fixture, INT_SET_TASK_PRIORITY, &[0, 8])[0], 0);
    assert_eq!(call(&mut fixture, INT_IACK, &[0])[..2], [0, DOORBELL]);
    fixture.machine.controls().type_in(b"y");
    assert_eq!(call(&mut fixture, INT_EOI, &[DOORBELL])[0], 0);
    assert!(!external(&fixture), "less urgent than the task");
    assert_eq!(call(&mut fixture, INT_SET_TASK_PRIORITY, &[0, 0])[0], 0);
    assert!(!external(&fixture), "not more urgent than itself");
    assert_eq!(call(&mut fixture, INT_EOI, &[VTY])[0], 0);
    assert_eq!(call(&mut fixture, INT_IACK, &[0])[..2], [0, VTY]);
}

#[test]
fn inter_processor_interrupts_come_once() {
    let mut fixture = Fixture::bare();
    assert_eq!(call(&mut fixture, INT_SET_TASK_PRIORITY, &[0, 0])[0], 0);
    for wrong in [[0, 0, 0], [0, 0, 2], [0, 1, 1], [5, 0, 1]] {
        assert_eq!(call(&mut fixture, INT_SEND_IPI, &wrong)[0], 8, "{wrong:?}");
    }
    assert_eq!(call(&mut fixture, INT_SEND_IPI, &[0, 0, 1])[0], 0);
    let ipi = call(&mut fixture, INT_IACK, &[0])[1];
    assert_eq!(ipi, 2);
    for _ in 0..100 {
        assert_eq!(call(&mut fixture, INT_SEND_IPI, &[0, 0, 1])[0], 0);
        assert_eq!(call(&mut fixture, INT_SET_TASK_PRIORITY, &[0, 0])[0], 0);
        assert_eq!(call(&mut fixture, INT_IACK, &[0])[..2], [0, 0xffff], "one is in service");
    }
    assert_eq!(call(&mut fixture, INT_EOI, &[ipi])[0], 0);
    assert_eq!(call(&mut fixture, INT_IACK, &[0])[..2], [0, ipi]);
}

#[test]
fn one_core_that_runs() {
    let mut fixture = Fixture::bare();
    let own = u32::MAX.into();
    assert_eq!(call(&mut fixture, GET_CORE_STATE, &[own, 0])[..2], [0, CORE_RUN]);
    assert_eq!(call(&mut fixture, GET_CORE_STATE, &[own, 1])[0], 8);
    assert_eq!(call(&mut fixture, ENTER_NAP, &[own, 0])[0], 8, "nobody could wake it");
    assert_eq!(call(&mut fixture, EXIT_NAP, &[own, 0])[0], 0);
    assert_eq!(call(&mut fixture, MSGSND, &[0])[..2], [12, 0]);
}

/// ePAPR's EV_MSGSND is `msgsnd` of BookE: type, broadcast, number.
#[test]
fn messages_where_the_processor_has_them() {
    for cpu in Cpu::ALL {
        let mut fixture = Fixture::of(Kind::Bare, cpu, Mmu::Hash, Calls { papr: false, ..Calls::with_pv(true) });
        let answers = [0, 0x0c00_0000, 5 << 27].map(|message| call(&mut fixture, MSGSND, &[message])[0] as u32);
        let posted = fixture.machine.mailboxes.0[0].pending();
        let bells = request::DOORBELL | request::CRITICAL_DOORBELL;
        match cpu {
            Cpu::E5500 | Cpu::E6500 => assert_eq!((answers, posted & bells), ([0, 0, 8], bells)),
            _ => assert_eq!((answers, posted & bells), ([12; 3], 0), "{cpu:?}"),
        }
    }
}
