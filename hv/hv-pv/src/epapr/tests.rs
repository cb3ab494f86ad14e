use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use exec::{Context, Instruction, PartitionState, Privileged, Requests, Vcpu};
use guest_mem::GuestMem;
use hv_core::{ExitCounts, Interface, Next, Visit};
use ppc_isa::{Cpu, rows};
use pv_abi::epapr::*;
use pv_abi::{kvm, osi};

use super::Ports;
use super::ports::{ByteChannels, Config, Cores, Doorbells, InterruptController};
use crate::{Kvm, Osi};

const HERE: u64 = 0x1000;

/// Executes `sc` with these registers; returns the vCPU afterwards and how to go on.
fn execute(interface: &dyn Interface, set: impl FnOnce(&mut Vcpu)) -> (Vcpu, Option<Next>) {
    let mut vcpu = Vcpu::new(Cpu::Power8, 0);
    for (register, n) in vcpu.state.gpr.iter_mut().zip(1..) {
        *register = 0x0101_0101_0101_0101 * n;
    }
    vcpu.state.cia = HERE;
    set(&mut vcpu);
    let (mem, partition) = (GuestMem::new(0x1_0000).unwrap(), PartitionState::new(None, false));
    let requests = Requests::default();
    let context = Context::alone(&mem, &partition, &requests, Privileged::Trap);
    let mut counts = ExitCounts::default();
    let mut visit = Visit { vcpu: &mut vcpu, context: &context, counts: &mut counts };
    let row = rows().find(|row| row.name == "sc").unwrap();
    let next = interface.system_call(&mut visit, &Instruction { row, word: 0x4400_0002, len: 4, address: HERE });
    (vcpu, next)
}

/// Makes a call: r3 and up are `parameters`; returns r3 to r8.
fn call(ports: Ports, token: u32, parameters: &[u64]) -> ([u64; 6], Next) {
    let interface = Kvm { kvm: true, epapr: Some(ports) };
    let (vcpu, next) = execute(&interface, |vcpu| {
        vcpu.state.gpr[0] = kvm::MAGIC.into();
        vcpu.state.gpr[11] = token.into();
        vcpu.state.gpr[3..3 + parameters.len()].copy_from_slice(parameters);
    });
    assert_eq!(vcpu.state.cia, HERE + 4);
    (vcpu.state.gpr[3..9].try_into().unwrap(), next.unwrap())
}

/// The status and r4.
fn status(ports: Ports, token: u32, parameters: &[u64]) -> (u64, u64) {
    let (registers, _) = call(ports, token, parameters);
    (registers[0], registers[1])
}

/// Channel 7: takes `room` bytes, has `arrived`.
struct Channel {
    room: usize,
    sent: &'static Mutex<Vec<u8>>,
    arrived: &'static [u8],
}

impl ByteChannels for Channel {
    fn send(&self, handle: u32, data: &[u8]) -> Option<usize> {
        let taken = data.len().min(self.room);
        self.sent.lock().unwrap().extend(&data[..taken]);
        (handle == 7).then_some(taken)
    }

    fn receive(&self, handle: u32, out: &mut [u8]) -> Option<usize> {
        let count = out.len().min(self.arrived.len());
        out[..count].copy_from_slice(&self.arrived[..count]);
        (handle == 7).then_some(count)
    }

    fn poll(&self, handle: u32) -> Option<(usize, usize)> {
        (handle == 7).then_some((self.arrived.len(), self.room))
    }
}

fn channel(room: usize, arrived: &'static [u8]) -> (Ports, &'static Mutex<Vec<u8>>) {
    let sent = Box::leak(Box::default());
    (Ports { channels: Some(Box::new(Channel { room, sent, arrived })), ..Ports::default() }, sent)
}

#[test]
fn bytes_are_packed_four_to_a_register_most_significant_first() {
    let (ports, sent) = channel(16, b"");
    let words = [0xffff_ffff_4142_4344, 0x4546_4748, 0x494a_4b4c, 0x4d4e_4f50];
    let parameters = [&[7, 14], words.as_slice()].concat();
    assert_eq!(status(ports, BYTE_CHANNEL_SEND, &parameters), (0, 14));
    assert_eq!(*sent.lock().unwrap(), b"ABCDEFGHIJKLMN");

    let (ports, _) = channel(0, b"Hello, world! 0123456789");
    let (registers, _) = call(ports, BYTE_CHANNEL_RECEIVE, &[7, 100]);
    assert_eq!(registers, [0, 16, 0x4865_6c6c, 0x6f2c_2077, 0x6f72_6c64, 0x2120_3031]);
    let (ports, _) = channel(0, b"Hello");
    let (registers, _) = call(ports, BYTE_CHANNEL_RECEIVE, &[7, 2]);
    assert_eq!(registers, [0, 2, 0x4865_0000, 0, 0, 0]);
}

#[test]
fn full_channels_and_wrong_arguments() {
    assert_eq!(status(channel(0, b"").0, BYTE_CHANNEL_SEND, &[7, 1]), (4, 0), "EV_EAGAIN");
    assert_eq!(status(channel(0, b"").0, BYTE_CHANNEL_SEND, &[7, 0]), (0, 0));
    assert_eq!(status(channel(3, b"").0, BYTE_CHANNEL_SEND, &[7, 16]), (0, 3), "a part");
    assert_eq!(status(channel(16, b"").0, BYTE_CHANNEL_SEND, &[7, 17]), (8, 0), "EV_EINVAL");
    assert_eq!(status(channel(16, b"").0, BYTE_CHANNEL_SEND, &[7, u64::MAX]), (8, 0));
    for token in [BYTE_CHANNEL_SEND, BYTE_CHANNEL_RECEIVE, BYTE_CHANNEL_POLL] {
        assert_eq!(status(channel(16, b"x").0, token, &[8, 1]), (8, 0), "{token:#x}: EV_EINVAL");
    }
    let (registers, _) = call(channel(5, b"abc").0, BYTE_CHANNEL_POLL, &[7]);
    assert_eq!(registers[..3], [0, 3, 5]);
}

#[test]
fn what_has_no_port_is_not_implemented() {
    for token in (1..16).map(|n| token(VENDOR, n)).chain([GET_CORE_STATE, ENTER_NAP, EXIT_NAP]) {
        let (registers, next) = call(Ports::default(), token, &[0; 6]);
        assert_eq!((registers, next), ([12, 0, 0, 0, 0, 0], Next::Run), "{token:#x}");
    }
    assert_eq!(call(Ports::default(), IDLE, &[5, 6]).0[..2], [0, 0]);
    assert_eq!(call(Ports::default(), IDLE, &[]).1, Next::Wait);
}

/// One interrupt, 5; controller 9; remembers nothing but IPIs.
struct Controller(Arc<AtomicU32>);

impl InterruptController for Controller {
    fn set_config(&self, interrupt: u32, config: Config) -> bool {
        interrupt == 5 && config == Config { sense: 2, priority: 15, cpu: 0 }
    }

    fn config(&self, interrupt: u32) -> Option<Config> {
        (interrupt == 5).then_some(Config { sense: 2, priority: 3, cpu: 1 })
    }

    fn set_masked(&self, interrupt: u32, masked: bool) -> bool {
        interrupt == 5 && masked
    }

    fn masked(&self, interrupt: u32) -> Option<bool> {
        (interrupt == 5).then_some(true)
    }

    fn has_handle(&self, handle: u32) -> bool {
        handle == 9
    }

    fn acknowledge(&self, cpu: u32) -> Option<u32> {
        (cpu == 1).then_some(5)
    }

    fn end(&self, cpu: u32, interrupt: u32) -> bool {
        (cpu, interrupt) == (0, 5)
    }

    fn send_ipi(&self, channel: u32, cpus: u32) -> bool {
        self.0.store(channel << 8 | cpus, Ordering::Relaxed);
        channel < 4
    }

    fn set_task_priority(&self, _: u32, _: u32) {}

    fn task_priority(&self, _: u32) -> u32 {
        11
    }
}

#[test]
fn interrupt_controller_calls() {
    let sent = Arc::new(AtomicU32::new(0));
    let ports = || Ports { interrupts: Some(Box::new(Controller(Arc::clone(&sent)))), ..Ports::default() };
    let ask = |token, parameters: &[u64]| status(ports(), token, parameters);
    assert_eq!(ask(INT_SET_CONFIG, &[5, 2, 15, 0]), (0, 0));
    assert_eq!(ask(INT_SET_CONFIG, &[5, 2, 16, 0]), (8, 0), "no such priority");
    assert_eq!(ask(INT_SET_CONFIG, &[6, 2, 15, 0]), (8, 0));
    assert_eq!(call(ports(), INT_GET_CONFIG, &[5]).0[..4], [0, 2, 3, 1]);
    assert_eq!(ask(INT_GET_CONFIG, &[6]), (8, 0));
    assert_eq!(ask(INT_SET_MASK, &[5, 1]), (0, 0));
    assert_eq!(ask(INT_SET_MASK, &[5, 2]), (8, 0));
    assert_eq!(ask(INT_GET_MASK, &[5]), (0, 1));
    assert_eq!(ask(INT_GET_MASK, &[6]), (8, 0));
    for handle in [0, 9] {
        assert_eq!(ask(INT_IACK, &[handle]), (0, 0xffff), "spurious");
        assert_eq!(ask(INT_SET_TASK_PRIORITY, &[handle, 15]), (0, 0));
        assert_eq!(ask(INT_GET_TASK_PRIORITY, &[handle]), (0, 11));
    }
    assert_eq!(ask(INT_IACK, &[8]), (8, 0));
    assert_eq!(ask(INT_SET_TASK_PRIORITY, &[0, 16]), (8, 0));
    assert_eq!(ask(INT_EOI, &[5]), (0, 0));
    assert_eq!(ask(INT_EOI, &[6]), (8, 0));
    assert_eq!(ask(INT_SEND_IPI, &[0, 3, 0x11]), (0, 0));
    assert_eq!(sent.load(Ordering::Relaxed), 0x311);
    assert_eq!(ask(INT_SEND_IPI, &[0, 4, 1]), (8, 0));
}

struct Seven;

impl Doorbells for Seven {
    fn ring(&self, handle: u32) -> bool {
        handle == 7
    }
}

impl Cores for Seven {
    fn state(&self, cpu: u32) -> Option<u64> {
        [CORE_RUN, CORE_NAP].get(cpu as usize).copied()
    }

    fn nap(&self, _: u32) -> Result<Next, Status> {
        Ok(Next::Stop)
    }

    fn wake(&self, cpu: u32) -> bool {
        cpu < 2
    }
}

#[test]
fn doorbells_and_cores() {
    let ports = || Ports { doorbells: Some(Box::new(Seven)), cores: Some(Box::new(Seven)), ..Ports::default() };
    assert_eq!(status(ports(), DOORBELL_SEND, &[7]), (0, 0));
    assert_eq!(status(ports(), DOORBELL_SEND, &[8]), (8, 0));
    let own = u64::from(u32::MAX);
    assert_eq!(status(ports(), GET_CORE_STATE, &[own, 1]), (0, CORE_NAP));
    assert_eq!(status(ports(), GET_CORE_STATE, &[own, 2]), (8, 0));
    assert_eq!(status(ports(), GET_CORE_STATE, &[4, 1]), (8, 0), "another partition");
    assert_eq!(call(ports(), ENTER_NAP, &[own, 0]).1, Next::Stop);
    assert_eq!(status(ports(), ENTER_NAP, &[own, 1]), (8, 0), "not the caller");
    assert_eq!(status(ports(), EXIT_NAP, &[own, 1]), (0, 0));
    assert_eq!(status(ports(), EXIT_NAP, &[own, 2]), (8, 0));
}

fn magic(vcpu: &mut Vcpu, selector: u64) {
    vcpu.state.gpr[3] = 0xffff_ffff_0000_0000 | u64::from(osi::MAGIC_R3);
    vcpu.state.gpr[4] = osi::MAGIC_R4.into();
    vcpu.state.gpr[5] = selector;
}

#[test]
fn ppc_pv_case_98_osi_handlers_see_and_change_every_register() {
    let mut interface = Osi::default();
    interface.register(300, |visit| {
        visit.vcpu.state.gpr.reverse();
        Next::Run
    });
    for problem in [0, ppc_isa::msr::PR] {
        let mut before = None;
        let (after, next) = execute(&interface, |vcpu| {
            vcpu.set_msr(vcpu.shared.msr() | problem);
            magic(vcpu, 300);
            before = Some(vcpu.clone());
        });
        let mut expected = before.unwrap();
        expected.state.gpr.reverse();
        expected.state.cia = HERE + 4;
        assert_eq!(next, Some(Next::Run));
        assert!(after == expected, "SRR0, SRR1, MSR and all else stay");
    }
}

#[test]
fn osi_says_which_calls_there_are() {
    let mut interface = Osi::default();
    interface.register(47, |_| Next::Run);
    let ask = |selector, about| {
        let (vcpu, next) = execute(&interface, |vcpu| {
            magic(vcpu, selector);
            vcpu.state.gpr[6] = about;
        });
        assert_eq!(next, Some(Next::Run));
        vcpu.state.gpr[3]
    };
    assert_eq!([ask(0, 47), ask(0, 0), ask(0, 48), ask(0, 1 << 31)], [1, 1, 0, 0]);
    assert_eq!(ask(48, 47), 0, "a selector without a handler");
    let (vcpu, next) = execute(&interface, |vcpu| {
        magic(vcpu, 0);
        vcpu.state.gpr[4] += 1;
    });
    assert_eq!((next, vcpu.state.cia), (None, HERE), "both magic numbers count");
}
