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
/// Argument arrays: mostly inside memory, up to its last byte, and across it.
const ARRAYS: [u64; 8] = [0x8000, 0x8000, 0x8000, 0x8000, 0x8002, RAM - 64, RAM - 24, RAM - 8];
/// Where texts and buffers are.
const TEXTS: u64 = 0x1000;
const BUFFER: u32 = 0x1_0000;
/// Nodes and instances are numbered from 1 on.
const HANDLES: u32 = 12;

/// What an argument means.
#[derive(Clone, Copy)]
enum Kind {
    /// A node or an open device.
    Handle,
    /// A text: a path, the name of a property, a service or a method.
    Text,
    /// A buffer.
    Buffer,
    /// Its size, an alignment, a position.
    Size,
    /// Memory to claim, or where RTAS goes.
    Memory,
}

use Kind::{Buffer, Handle, Memory, Size, Text};

/// Services and their arguments.
#[rustfmt::skip]
const SERVICES: [(&str, &[Kind]); 28] = [
    ("test", &[Text]), ("canon", &[Text, Buffer, Size]), ("child", &[Handle]), ("peer", &[Handle]), ("parent", &[Handle]),
    ("finddevice", &[Text]), ("getprop", &[Handle, Text, Buffer, Size]), ("getproplen", &[Handle, Text]),
    ("nextprop", &[Handle, Text, Buffer]), ("setprop", &[Handle, Text, Buffer, Size]), ("instance-to-package", &[Handle]),
    ("instance-to-path", &[Handle, Buffer, Size]), ("package-to-path", &[Handle, Buffer, Size]),
    ("call-method", &[Text, Handle, Buffer]), ("call-method", &[Text, Handle, Size, Size, Memory, Memory]), ("open", &[Text]),
    ("close", &[Handle]), ("read", &[Handle, Buffer, Size]), ("write", &[Handle, Buffer, Size]), ("seek", &[Handle, Size, Size]),
    ("claim", &[Memory, Size, Size]), ("release", &[Memory, Size]), ("boot", &[Text]), ("exit", &[]), ("milliseconds", &[]),
    ("quiesce", &[]), ("interpret", &[Text]), ("set-callback", &[Memory]),
];
/// Texts that services and methods take.
#[rustfmt::skip]
const WORDS: [&str; 24] = [
    "/", "/chosen", "disk:0", "disk:1", "/disk:2,x", "/rtas", "/memory", "console", "stdout", "bootargs", "name", "reg",
    "available", "phandle", "ibm,client-architecture-support", "instantiate-rtas", "claim", "release", "map", "translate",
    "block-size", "#blocks64", "reset-all", "a-property",
];
/// Any processor; five vectors, the last of 26 bytes.
const VECTORS: [u8; 18] = [0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 4, 0, 0, 0, 0, 0, 0, 0, 0, 25];

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

fn tree() -> Tree {
    let nodes: [(&str, &[(&str, &[u8])]); 8] = [
        ("", &[("device_type", b"chrp\0")]),
        ("chosen", &[("stdout-path", b"/vty@0\0"), ("bootargs", b"quiet\0")]),
        ("rtas", &[]),
        ("memory@0", &[("device_type", b"memory\0"), ("reg", &[0; 16])]),
        ("cpu@0", &[("device_type", b"cpu\0")]),
        ("vty@0", &[("device_type", b"serial\0")]),
        ("disk", &[("device_type", b"block\0")]),
        ("aliases", &[("disk", b"/disk\0"), ("console", b"/vty\0")]),
    ];
    let mut tree = Tree::default();
    for (n, (name, properties)) in (1_u32..).zip(nodes) {
        let handle = n.to_be_bytes();
        tree.add(tree.root(), name, properties.iter().copied().chain([("phandle", &handle[..])]));
    }
    tree
}

fn firmware(cpu: Cpu) -> OpenFirmware {
    let options = [&[25][..], &[0xff; 22], &[0, 0x40, 0xff, 0xff]].concat();
    let architecture = Architecture { pvr: cpu.pvr(), logical: cpu.architected_pvr(), options, either_mmu: true };
    let ports = Ports { console: Box::new(Nothing), disk: Some(Box::new(Nothing)), architecture, rtas: &rtas::ENTRY };
    OpenFirmware::new(ports, tree(), RAM, [TAKEN])
}

/// Makes calls until the input is used up.
pub fn run(data: &[u8]) {
    let mut input = Input::new(data);
    let cpu = input.pick(&Cpu::BOOK3S_64);
    let (mem, firmware) = (GuestMem::new(RAM).unwrap(), firmware(cpu));
    let (partition, requests) = (PartitionState::new(None, false), Requests::default());
    let context = Context::alone(&mem, &partition, &requests, Privileged::Trap);
    let texts = SERVICES.iter().map(|(service, _)| service).chain(&WORDS);
    let words: Vec<u32> = texts.enumerate().map(|(n, word)| text(&mem, n, word)).collect();
    let (mut vcpu, mut counts) = (Vcpu::new(cpu, 0), ExitCounts::default());
    vcpu.set_msr(msr::ME | input.pick(&[0, msr::SF, msr::LE]));
    let row = Decoder::new(cpu).decode(0x4400_0022).unwrap();
    while !input.is_empty() {
        let at = input.pick(&ARRAYS);
        array(&mem, at, &mut input, &words);
        vcpu.state.gpr[3] = CALL;
        vcpu.state.gpr[4] = if input.byte() == 0 { input.doubleword() } else { at };
        // A call that is made again, as the client makes it; it may not take more turns than it has parts.
        for _ in 0..1 + input.byte() % 80 {
            let insn = Instruction { row, word: 0x4400_0022, len: 4, address: vcpu.state.cia };
            let kept = vcpu.state.gpr;
            let visit = &mut Visit { vcpu: &mut vcpu, context: &context, counts: &mut counts };
            let next = firmware.system_call(visit, &insn).unwrap();
            assert!(matches!(next, Next::Run | Next::Yield | Next::Halt(_)));
            assert_eq!((&vcpu.state.gpr[..3], &vcpu.state.gpr[4..]), (&kept[..3], &kept[4..]));
            if vcpu.state.gpr[3] != CALL {
                break;
            }
        }
        assert!([CALL, 0, u64::MAX].contains(&vcpu.state.gpr[3]));
        assert!(firmware.tree_bytes() <= hv_of::tree::LARGEST);
    }
}

fn text(mem: &GuestMem, n: usize, word: &str) -> u32 {
    let at = TEXTS + 64 * n as u64;
    assert!(mem.write(at, &[word.as_bytes(), b"\0"].concat()));
    at as u32
}

/// Mostly a service with its arguments, at times with others, or any cells.
fn array(mem: &GuestMem, at: u64, input: &mut Input, words: &[u32]) {
    let which = usize::from(input.byte()) % SERVICES.len();
    let (_, kinds) = SERVICES[which];
    let mut cells = vec![words[which], kinds.len() as u32, 1 + u32::from(input.byte() & 1)];
    cells.extend(kinds.iter().map(|kind| match (input.byte() & 15, kind) {
        (0, _) => input.number(RAM) as u32,
        (1, _) => input.pick(words),
        (_, Handle) => 1 + u32::from(input.byte()) % HANDLES,
        (_, Text) => input.pick(&words[SERVICES.len()..]),
        (_, Buffer) => BUFFER,
        (2..8, Size) => u32::from(input.byte() & 1) << (input.byte() & 31),
        (_, Size) => u32::from(input.byte()),
        (_, Memory) => u32::from(input.byte()) << 12,
    }));
    if input.byte() & 15 == 0 {
        let place = usize::from(input.byte()) % cells.len();
        cells[place] = input.number(RAM) as u32;
    }
    (0..).zip(cells).for_each(|(n, cell)| _ = mem.store(at + 4 * n, Order::Big, cell));
    // Vectors of client-architecture-support, values of properties.
    let (filling, vectors) = (input.bytes::<26>(), if input.flag() { &VECTORS[..] } else { &[] });
    mem.write(u64::from(BUFFER), &[vectors, &filling].concat());
}
