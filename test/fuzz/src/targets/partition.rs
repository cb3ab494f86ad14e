//! A PAPR partition without a machine: its calls, memory and devices that do nothing.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use exec::{Context, PartitionState, Privileged, Requests, Vcpu};
use guest_mem::GuestMem;
use hv_core::{ExitCounts, Halt, Interface, Visit};
use hv_papr::Papr;
use hv_papr::events::Events;
use hv_papr::ports::{
    Console, InterruptController, Interrupts, Nvram, Persistent, Ports, Random, TimeOfDay, Watchdogs,
};
use ppc_isa::Cpu;
use ppc_mmu::{Access, Fault, HashTable, Keys, Slb, Space, Tables};

/// Addresses of devices.
pub const DEVICES: Range<u64> = 0x2000_8000_0000..0x2001_0000_0000;

/// The word that stands for `sc 1`.
const CALL: u32 = 0x7c00_0268;

struct Nothing;

impl Console for Nothing {
    fn has_unit(&self, _: u64) -> bool {
        false
    }
    fn put(&self, _: &[u8]) -> bool {
        false
    }
    fn get(&self, _: &mut [u8]) -> usize {
        0
    }
}

impl InterruptController for Nothing {
    fn set_cppr(&self, _: u32, _: u8) {}
    fn accept(&self, _: u32) -> u32 {
        0
    }
    fn end(&self, _: u32, _: u32) {}
    fn set_mfrr(&self, _: u32, _: u8) -> bool {
        false
    }
    fn poll(&self, _: u32) -> Option<(u32, u8)> {
        None
    }
    fn set_source(&self, _: u32, _: u32, _: u8) -> bool {
        false
    }
    fn source(&self, _: u32) -> Option<(u32, u8)> {
        None
    }
    fn set_enabled(&self, _: u32, _: bool) -> bool {
        false
    }
}

impl TimeOfDay for Nothing {
    fn now(&self, _: Duration) -> (i64, u32) {
        (0, 0)
    }
    fn set(&self, _: Duration, _: i64) {}
}

impl Random for Nothing {
    fn next(&self) -> Option<u64> {
        None
    }
}

impl Nvram for Nothing {
    fn size(&self) -> u32 {
        0
    }
    fn read(&self, _: u32, _: &mut [u8]) -> bool {
        false
    }
    fn write(&self, _: u32, _: &[u8]) -> bool {
        false
    }
}

impl Watchdogs for Nothing {
    fn count(&self) -> u64 {
        0
    }
    fn start(&self, _: u64, _: u64, _: Halt) {}
    fn stop(&self, _: u64) -> bool {
        false
    }
}

/// One vCPU of a partition.
pub struct Partition {
    mem: Arc<GuestMem>,
    state: PartitionState,
    requests: Requests,
    vcpu: Vcpu,
    papr: Papr,
}

impl Partition {
    /// A partition with this memory, a hashed page table of 256 KiB, and persistent memory.
    pub fn new(mem: Arc<GuestMem>, persistent: Persistent) -> Partition {
        Partition::with(mem, |ports| ports.persistent = Arc::new(persistent))
    }

    /// The same with what `add` puts in the place of devices that do nothing.
    pub fn with(mem: Arc<GuestMem>, add: impl FnOnce(&mut Ports)) -> Partition {
        let mut ports = Ports {
            console: Box::new(Nothing),
            interrupts: Interrupts::Xics(Box::new(Nothing)),
            time: Box::new(Nothing),
            random: Box::new(Nothing),
            nvram: Box::new(Nothing),
            bridges: Vec::new(),
            persistent: Arc::new(Persistent::default()),
            connectors: Arc::default(),
            events: Arc::new(Events::new(Box::new(|| ()))),
            devices: vec![DEVICES],
            watchdogs: Box::new(Nothing),
        };
        add(&mut ports);
        Partition {
            mem,
            state: PartitionState::new(Some(HashTable::new(18)), true),
            requests: Requests::default(),
            vcpu: Vcpu::new(Cpu::Power9, 0),
            papr: Papr::new(1, ports),
        }
    }

    /// Translates `ea` in the segment that a VSID word describes by the hashed page table, for privileged state.
    ///
    /// # Errors
    /// The fault.
    pub fn translate(&self, vsid: u64, ea: u64, access: Access) -> Result<u64, Fault> {
        const ESID_VALID: u64 = 1 << 27;
        let mut slb = Slb::default();
        slb.write(ea & !0xfff_ffff | ESID_VALID, vsid);
        let table = self.state.hash().unwrap();
        let tables = Tables::Hash { table, slb: &slb, ignore_no_execute: false };
        let space = Space { mem: &self.mem, tables, problem: false, keys: Keys::default() };
        space.translate(ea, access).map(|mapping| mapping.real)
    }

    /// Makes a call; returns r3 and r4 to r12. Registers without an argument are 0xdead.
    pub fn call(&mut self, number: u64, arguments: &[u64]) -> (i64, [u64; 9]) {
        let context = Context::alone(&self.mem, &self.state, &self.requests, Privileged::Trap);
        let gpr = &mut self.vcpu.state.gpr;
        gpr[3] = number;
        gpr[4..13].fill(0xdead);
        gpr[4..4 + arguments.len()].copy_from_slice(arguments);
        let counts = &mut ExitCounts::default();
        let mut visit = Visit { vcpu: &mut self.vcpu, context: &context, counts };
        let _ = self.papr.illegal(&mut visit, CALL);
        let gpr = &self.vcpu.state.gpr;
        (gpr[3] as i64, std::array::from_fn(|n| gpr[4 + n]))
    }
}
