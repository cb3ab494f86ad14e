//! A client on 1 MiB of RAM, with a small tree, a terminal with room for some output, and a disk of 1 MiB.

use std::ops::Range;
use std::sync::{Arc, Mutex};

use exec::{Context, Instruction, PartitionState, Privileged, Requests, Vcpu};
use guest_mem::{GuestMem, Order};
use hv_core::{ExitCounts, Interface, Next, Visit};
use hv_of::{Architecture, CALL, Console, Disk, OpenFirmware, Ports, Tree};
use ppc_isa::{Cpu, Decoder, msr};

pub const RAM: u64 = 1 << 20;
/// Where argument arrays are put, and above them texts.
pub const ARGUMENTS: u64 = 0x8000;
const TEXTS: u64 = 0x9000;
pub const FAILED: u32 = u32::MAX;
/// What is not the client's.
pub const TAKEN: Range<u64> = 0..0x4000;
pub const DISK: u64 = 1 << 20;
/// Bytes of partition 2.
pub const PARTITION: Range<u64> = 0x1_0000..0x1_0800;
pub const RTAS: [u32; 2] = [0x4400_0022, 0x4e80_0020];
/// What vector 5 has here: dynamic memory, hot-plug events, radix only, XICS only, GTSE.
pub const OPTIONS: [u8; 27] =
    [25, 0, 0x20, 0, 0, 0x80, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x80, 0, 0x40, 0, 0x40];

/// What the terminal has taken, and how much more it takes.
#[derive(Default)]
pub struct Terminal {
    pub printed: Vec<u8>,
    pub room: usize,
    pub typed: Vec<u8>,
}

struct Port(Arc<Mutex<Terminal>>);

impl Console for Port {
    fn put(&self, data: &[u8]) -> bool {
        let mut terminal = self.0.lock().unwrap();
        let fits = data.len() <= terminal.room;
        if fits {
            terminal.room -= data.len();
            terminal.printed.extend(data);
        }
        fits
    }

    fn get(&self, out: &mut [u8]) -> usize {
        let typed = &mut self.0.lock().unwrap().typed;
        let count = typed.len().min(out.len());
        out[..count].copy_from_slice(&typed[..count]);
        typed.drain(..count);
        count
    }
}

/// Byte `n` is a hash of `n`; block 9 cannot be read.
struct Media;

pub fn byte(at: u64) -> u8 {
    (at.wrapping_mul(0x9e37_79b9) >> 16) as u8
}

impl Disk for Media {
    fn block_size(&self) -> u32 {
        512
    }
    fn size(&self) -> u64 {
        DISK
    }
    fn read(&self, offset: u64, out: &mut [u8]) -> bool {
        let end = offset + out.len() as u64;
        out.iter_mut().zip(offset..).for_each(|(out, at)| *out = byte(at));
        end <= DISK && (end <= 9 * 512 || offset >= 10 * 512)
    }
    fn partition(&self, number: u32) -> Option<Range<u64>> {
        (number == 2).then_some(PARTITION)
    }
}

pub fn tree() -> Tree {
    let mut tree = Tree::default();
    let two = 2_u32.to_be_bytes();
    let root = tree.add(None, "", [("#address-cells", &two[..]), ("device_type", b"chrp\0")]);
    tree.add(Some(root), "chosen", [("bootargs", &b"quiet\0"[..]), ("stdout-path", b"/vdevice/vty@71000000\0")]);
    tree.add(Some(root), "rtas", []);
    let cpus = tree.add(Some(root), "cpus", []);
    for unit in 0..2 {
        let properties = [("device_type", &b"cpu\0"[..]), ("cpu-version", &[0x0f, 0, 0, 5])];
        tree.add(Some(cpus), &format!("PowerPC,POWER9@{unit}"), properties);
    }
    let reg = [[0; 8], RAM.to_be_bytes()].concat();
    tree.add(Some(root), "memory@0", [("device_type", &b"memory\0"[..]), ("reg", &reg)]);
    tree.add(Some(root), "interrupt-controller", [("phandle", &[0, 0, 0, 1][..])]);
    let vdevice = tree.add(Some(root), "vdevice", []);
    tree.add(Some(vdevice), "vty@71000000", [("device_type", &b"serial\0"[..])]);
    tree.add(Some(root), "disk", [("device_type", &b"block\0"[..])]);
    tree.add(Some(root), "aliases", [("disk", &b"/disk\0"[..]), ("console", b"/vdevice/vty\0")]);
    tree
}

pub struct Stage {
    pub mem: GuestMem,
    pub firmware: OpenFirmware,
    pub terminal: Arc<Mutex<Terminal>>,
    partition: PartitionState,
    requests: Requests,
    vcpu: Vcpu,
    texts: u64,
}

impl Stage {
    pub fn new() -> Stage {
        Stage::with(false)
    }

    /// The same with either kind of translation, or radix only.
    pub fn with(either_mmu: bool) -> Stage {
        let terminal = Arc::new(Mutex::new(Terminal { room: 100, ..Terminal::default() }));
        let cpu = Cpu::Power9;
        let architecture =
            Architecture { pvr: cpu.pvr(), logical: cpu.architected_pvr(), options: OPTIONS.to_vec(), either_mmu };
        let console = Box::new(Port(Arc::clone(&terminal)));
        let ports = Ports { console, disk: Some(Box::new(Media)), architecture, rtas: &RTAS };
        Stage {
            mem: GuestMem::new(RAM).unwrap(),
            firmware: OpenFirmware::new(ports, tree(), RAM, [TAKEN]),
            terminal,
            partition: PartitionState::new(None, true),
            requests: Requests::default(),
            vcpu: Vcpu::new(cpu, 0),
            texts: TEXTS,
        }
    }

    /// Puts a text into memory; returns its address.
    pub fn text(&mut self, text: &str) -> u32 {
        let at = self.texts;
        assert!(self.mem.write(at, &[text.as_bytes(), b"\0"].concat()));
        self.texts += text.len() as u64 + 1;
        at as u32
    }

    pub fn cells(&self, at: u64, cells: &[u32]) {
        (0..).zip(cells).for_each(|(n, cell)| _ = self.mem.store(at + 4 * n, Order::Big, *cell));
    }

    pub fn cell(&self, at: u64) -> u32 {
        self.mem.load(at, Order::Big).unwrap()
    }

    pub fn bytes(&self, at: u64, len: usize) -> Vec<u8> {
        let mut bytes = vec![0; len];
        assert!(self.mem.read(at, &mut bytes));
        bytes
    }

    /// The call as it is made; how the vCPU goes on, `None` when firmware does not take it.
    fn system_call(&mut self, address: u64) -> Option<Next> {
        let row = Decoder::new(Cpu::Power9).decode(0x4400_0022).unwrap();
        let insn = Instruction { row, word: 0x4400_0022, len: 4, address: self.vcpu.state.cia };
        self.vcpu.state.gpr[3] = CALL;
        self.vcpu.state.gpr[4] = address;
        let context = Context::alone(&self.mem, &self.partition, &self.requests, Privileged::Trap);
        let counts = &mut ExitCounts::default();
        self.firmware.system_call(&mut Visit { vcpu: &mut self.vcpu, context: &context, counts }, &insn)
    }

    pub fn taken_in(&mut self, mode: u64) -> bool {
        self.vcpu.set_msr(mode | msr::ME);
        self.system_call(ARGUMENTS).is_some()
    }

    /// Calls with the array at `address` until that is done; returns r3.
    pub fn raw(&mut self, address: u64) -> i64 {
        let (before, mut turns) = (self.vcpu.state.cia, 0);
        while self.vcpu.state.cia == before {
            assert_eq!(self.system_call(address), Some(Next::Run));
            turns += 1;
            assert!(turns < 100);
        }
        self.vcpu.state.gpr[3] as i64
    }

    fn array(&mut self, at: u64, service: &str, inputs: &[u32], results: u32) {
        let name = self.text(service);
        let head = [name, inputs.len() as u32, results];
        self.cells(at, &[&head, inputs, &vec![0; results as usize]].concat());
    }

    pub fn status_at(&mut self, at: u64, service: &str, inputs: &[u32], results: u32) -> i64 {
        self.array(at, service, inputs, results);
        self.raw(at)
    }

    pub fn status(&mut self, service: &str, inputs: &[u32], results: u32) -> i64 {
        if results == 0 {
            self.without_results(service, inputs)
        } else {
            self.status_at(ARGUMENTS, service, inputs, results)
        }
    }

    fn without_results(&mut self, service: &str, inputs: &[u32]) -> i64 {
        let name = self.text(service);
        self.cells(ARGUMENTS, &[&[name, inputs.len() as u32, 0], inputs].concat());
        self.raw(ARGUMENTS)
    }

    /// One turn of a call, and how the vCPU goes on.
    pub fn next(&mut self, service: &str, inputs: &[u32], results: u32) -> Next {
        self.array(ARGUMENTS, service, inputs, results);
        self.system_call(ARGUMENTS).unwrap()
    }

    /// Calls a service that exists; returns its results.
    pub fn call(&mut self, service: &str, inputs: &[u32], results: u32) -> Vec<u32> {
        assert_eq!(self.status(service, inputs, results), 0, "{service}");
        let at = ARGUMENTS + 4 * (3 + inputs.len() as u64);
        (0..u64::from(results)).map(|n| self.cell(at + 4 * n)).collect()
    }

    /// The same with one result.
    pub fn one(&mut self, service: &str, inputs: &[u32]) -> u32 {
        self.call(service, inputs, 1)[0]
    }

    pub fn find(&mut self, path: &str) -> u32 {
        let path = self.text(path);
        self.one("finddevice", &[path])
    }

    pub fn open(&mut self, path: &str) -> u32 {
        let path = self.text(path);
        self.one("open", &[path])
    }

    /// Calls a method; its arguments from the top of the stack on.
    pub fn method(&mut self, instance: u32, name: &str, arguments: &[u32], results: u32) -> Vec<u32> {
        let name = self.text(name);
        self.call("call-method", &[&[name, instance], arguments].concat(), 1 + results)
    }

    /// The value of a property.
    pub fn property(&mut self, path: &str, name: &str) -> Option<Vec<u8>> {
        let (node, name) = (self.find(path), self.text(name));
        let len = self.one("getproplen", &[node, name]);
        if len == FAILED {
            return None;
        }
        assert_eq!(self.one("getprop", &[node, name, 0x2_0000, 0x2_0000]), len);
        Some(self.bytes(0x2_0000, len as usize))
    }
}
