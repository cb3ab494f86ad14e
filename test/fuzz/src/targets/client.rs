//! Any calls of Open Firmware's client interface: none panics, hangs, or lets firmware grow beyond its bounds.

use std::ops::Range;

use exec::{Context, Instruction, PartitionState, Privileged, Requests, Vcpu};
use guest_mem::{GuestMem, Order};
use hv_core::{ExitCounts, Interface, Next, Visit};
use hv_of::{Architecture, CALL, Console, Disk, OpenFirmware, Ports, Tree};
use papr_abi::rtas;
use ppc_isa::{Cpu, Decoder, msr};

use crate::input::Input;

const RAM: u64 = 1 << 20;
/// Not the client's.
const TAKEN: Range<u64> = 0..0x4000;
/// Argument arrays: inside memory, up to its last byte, and across it.
const ARRAYS: [u64; 5] = [0x8000, 0x8002, RAM - 64, RAM - 24, RAM - 8];
/// Where texts and buffers are.
const TEXTS: u64 = 0x1000;
const BUFFER: u32 = 0x1_0000;

#[rustfmt::skip]
const SERVICES: [&str; 28] = [
    "test", "canon", "child", "peer", "parent", "finddevice", "getprop", "getproplen", "nextprop", "setprop",
    "instance-to-package", "instance-to-path", "package-to-path", "call-method", "open", "close", "read", "write", "seek",
    "claim", "release", "boot", "enter", "exit", "milliseconds", "quiesce", "interpret", "set-callback",
];
/// Texts that services and methods take.
#[rustfmt::skip]
const WORDS: [&str; 24] = [
    "/", "/chosen", "disk:0", "disk:1", "/disk:2,x", "/rtas", "/memory", "console", "stdout", "bootargs", "name", "reg", "available",
    "phandle", "ibm,client-architecture-support", "instantiate-rtas", "claim", "release", "map", "translate", "block-size",
    "#blocks64", "reset-all", "a-property",
];

struct Nothing;

impl Console for Nothing {
    fn put(&self, data: &[u8]) -> bool {
        data.len() % 16 != 15
    }
    fn get(&self, out: &mut [u8]) -> usize {
        out.fill(b'x');
        out.len()
    }
}

impl Disk for Nothing {
    fn block_size(&self) -> u32 {
        512
    }
    fn size(&self) -> u64 {
        1 << 40
    }
    fn read(&self, offset: u64, out: &mut [u8]) -> bool {
        assert!(offset.checked_add(out.len() as u64).is_some_and(|end| end <= self.size()));
        out.fill(offset as u8);
        offset >> 9 & 31 != 31
    }
    fn partition(&self, number: u32) -> Option<Range<u64>> {
        (number == 1).then_some(512..1 << 30)
    }
}

fn firmware(cpu: Cpu) -> OpenFirmware {
    let mut tree = Tree::default();
    let root = tree.add(None, "", [("device_type", &b"chrp\0"[..])]);
    tree.add(Some(root), "chosen", [("stdout-path", &b"/vty@0\0"[..])]);
    tree.add(Some(root), "rtas", []);
    tree.add(Some(root), "memory@0", [("device_type", &b"memory\0"[..]), ("reg", &[0; 16])]);
    tree.add(Some(root), "cpu@0", [("device_type", &b"cpu\0"[..]), ("phandle", &[0, 0, 0, 9])]);
    tree.add(Some(root), "vty@0", [("device_type", &b"serial\0"[..])]);
    tree.add(Some(root), "disk", [("device_type", &b"block\0"[..])]);
    tree.add(Some(root), "aliases", [("disk", &b"/disk\0"[..]), ("console", b"/vty\0")]);
    let architecture =
        Architecture { pvr: cpu.pvr(), logical: cpu.architected_pvr(), options: vec![0xff; 27], either_mmu: true };
    let ports = Ports { console: Box::new(Nothing), disk: Some(Box::new(Nothing)), architecture, rtas: &rtas::ENTRY };
    OpenFirmware::new(ports, tree, RAM, [TAKEN])
}

/// Makes calls until the input is used up.
pub fn run(data: &[u8]) {
    let mut input = Input::new(data);
    let cpu = input.pick(&Cpu::BOOK3S_64);
    let (mem, firmware) = (GuestMem::new(RAM).unwrap(), firmware(cpu));
    let (partition, requests) = (PartitionState::new(None, false), Requests::default());
    let context = Context::alone(&mem, &partition, &requests, Privileged::Trap);
    let words: Vec<u32> = SERVICES.iter().chain(&WORDS).enumerate().map(|(n, word)| text(&mem, n, word)).collect();
    let (mut vcpu, mut counts) = (Vcpu::new(cpu, 0), ExitCounts::default());
    vcpu.set_msr(msr::ME | input.pick(&[0, msr::SF, msr::LE]));
    let row = Decoder::new(cpu).decode(0x4400_0022).unwrap();
    // What calls returned, which is what the next ones want.
    let mut known = vec![0, 1, u32::MAX];
    while !input.is_empty() {
        let at = input.pick(&ARRAYS);
        array(&mem, at, &mut input, &words, &known);
        vcpu.state.gpr[3] = CALL;
        vcpu.state.gpr[4] = if input.byte() == 0 { input.doubleword() } else { at };
        let insn = Instruction { row, word: 0x4400_0022, len: 4, address: vcpu.state.cia };
        let kept = vcpu.state.gpr;
        let visit = &mut Visit { vcpu: &mut vcpu, context: &context, counts: &mut counts };
        let next = firmware.system_call(visit, &insn).unwrap();
        assert!(matches!(next, Next::Run | Next::Yield | Next::Halt(_)));
        assert_eq!((&vcpu.state.gpr[..3], &vcpu.state.gpr[4..]), (&kept[..3], &kept[4..]));
        assert!([CALL, 0, u64::MAX].contains(&vcpu.state.gpr[3]));
        assert!(firmware.tree_bytes() <= hv_of::tree::LARGEST);
        let inputs: u32 = mem.load(at + 4, Order::Big).unwrap_or(0);
        let results = (0..2).filter_map(|n| mem.load::<u32>(at + 4 * u64::from(inputs % 16 + 3 + n), Order::Big));
        known.extend(results);
        known.drain(..known.len().saturating_sub(64));
    }
}

fn text(mem: &GuestMem, n: usize, word: &str) -> u32 {
    let at = TEXTS + 64 * n as u64;
    assert!(mem.write(at, &[word.as_bytes(), b"\0"].concat()));
    at as u32
}

/// Mostly a service with as many arguments as some take.
fn array(mem: &GuestMem, at: u64, input: &mut Input, words: &[u32], known: &[u32]) {
    let service = if input.byte() == 0 { input.number(RAM) as u32 } else { input.pick(&words[..SERVICES.len()]) };
    let (inputs, results) = match input.byte() {
        0 => (input.number(RAM) as u32, input.number(RAM) as u32),
        byte => (u32::from(byte & 7), 1 + u32::from(byte >> 7)),
    };
    let mut cells = vec![service, inputs, results];
    for _ in 0..8 {
        cells.push(match input.byte() & 7 {
            0 => input.number(RAM) as u32,
            1 | 2 => input.pick(known),
            3 => BUFFER + u32::from(input.byte()),
            4 => u32::from(input.byte()) << 8,
            _ => input.pick(words),
        });
    }
    (0..).zip(cells).for_each(|(n, cell)| _ = mem.store(at + 4 * n, Order::Big, cell));
    // Vectors of client-architecture-support, values of properties.
    let filling = input.bytes::<32>();
    mem.write(u64::from(BUFFER), &filling);
}
