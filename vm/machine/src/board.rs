//! A machine that was built: memory, partition, devices, hypervisor and vCPUs.

use std::io::Write;
use std::sync::Arc;

use exec::supervisor::Peers;
use exec::{PartitionState, Requests, Vcpu, request};
use guest_mem::{GuestMem, Order};
use hv_core::{Hypervisor, Interface};
use hv_papr::Papr;
use hv_papr::ports::Ports;
use hv_pv::Kvm;
use papr_abi::rtas;
use platform::{DmaWindow, HostRandom, Nvram, Rtc, SeededRandom, Vty, Xics};
use ppc_isa::{Cpu, msr};
use ppc_mmu::{HashTable, Invalidation};
use thiserror::Error;

use crate::plan::Layout;
use crate::ports::{EmptyBridge, NvramPort, RandomPort, RtcPort, SeededPort, VtyPort, WindowPort, XicsPort};
use crate::{pci, sources, tree};

/// Why a planned machine could not be built.
#[derive(Debug, Error)]
pub enum BuildError {
    /// The host gives no address space.
    #[error("the host has no room for {memory:#x} bytes of guest memory: {source}")]
    Memory {
        /// Bytes asked for.
        memory: u64,
        /// The host's reason.
        source: std::io::Error,
    },
    /// The tree is larger than its place.
    #[error("the device tree has {len} bytes, its place {room}; shorten --append")]
    TreeTooLarge {
        /// Bytes of the tree.
        len: u64,
        /// Bytes there.
        room: u64,
    },
    /// A planned range is not in the file or not in RAM.
    #[error("the kernel or initrd is not the one that was planned for")]
    Files,
}

/// All vCPUs' mailboxes.
pub struct Mailboxes(pub Vec<Arc<Requests>>);

impl Peers for Mailboxes {
    fn invalidate(&self, what: Invalidation) {
        self.0.iter().for_each(|requests| requests.invalidate(what));
    }
}

/// Typed input and requests from outside, for other threads.
#[derive(Clone)]
pub struct Controls {
    vty: Arc<Vty>,
    xics: Arc<Xics>,
    requests: Vec<Arc<Requests>>,
}

impl Controls {
    /// Types bytes at the console; returns how many were taken.
    pub fn type_in(&self, data: &[u8]) -> usize {
        let taken = self.vty.type_in(data);
        self.xics.set_line(sources::VTY, true);
        taken
    }

    /// Makes the machine stop running.
    pub fn stop(&self) {
        self.requests.iter().for_each(|requests| requests.post(request::STOP));
    }
}

/// A machine.
pub struct Machine {
    /// RAM.
    pub mem: GuestMem,
    /// Partition-wide state.
    pub partition: PartitionState,
    /// What answers exits.
    pub hypervisor: Hypervisor,
    /// vCPUs by server number.
    pub vcpus: Vec<Vcpu>,
    /// Their mailboxes.
    pub mailboxes: Mailboxes,
    xics: Arc<Xics>,
    vty: Arc<Vty>,
}

impl Machine {
    /// Builds what was planned. `kernel` is the whole ELF file; console output goes to `console`.
    ///
    /// # Errors
    /// What the host refuses, and files that are not those of the plan.
    pub fn build(
        layout: &Layout,
        kernel: &[u8],
        initrd: Option<&[u8]>,
        console: Box<dyn Write + Send>,
    ) -> Result<Machine, BuildError> {
        let spec = &layout.spec;
        let mem = GuestMem::new(spec.memory).map_err(|source| BuildError::Memory { memory: spec.memory, source })?;
        load(layout, kernel, initrd, &mem)?;

        let requests = vec![Arc::new(Requests::default())];
        let wake = {
            let requests = requests.clone();
            move |server: u32| {
                if let Some(requests) = requests.get(server as usize) {
                    requests.post(request::INTERRUPT);
                }
            }
        };
        let xics = Arc::new(Xics::new(1, &sources::all(), Box::new(wake)));
        let vty = Arc::new(Vty::new(console));
        let ports = Ports {
            console: Box::new(VtyPort(Arc::clone(&vty))),
            interrupts: Box::new(XicsPort(Arc::clone(&xics))),
            time: Box::new(RtcPort(Rtc::new(spec.fixed_start))),
            random: match spec.fixed_start {
                None => Box::new(RandomPort(HostRandom::default())),
                Some(_) => Box::new(SeededPort(SeededRandom::new(spec.seed))),
            },
            nvram: Box::new(NvramPort(Nvram::default())),
            bridges: vec![Box::new(EmptyBridge)],
            windows: vec![Box::new(WindowPort(DmaWindow::new(pci::WINDOW_PAGES)))],
        };
        let calls = spec.calls;
        let mut interfaces: Vec<Box<dyn Interface>> = Vec::new();
        if calls.papr {
            interfaces.push(Box::new(Papr::new(1, ports)));
        }
        if calls.pv() {
            interfaces.push(Box::new(Kvm { kvm: calls.kvm, epapr: calls.epapr }));
        }
        Ok(Machine {
            mem,
            partition: PartitionState::new(Some(HashTable::new(layout.hash_shift)), spec.cpu != Cpu::Power8),
            hypervisor: Hypervisor::new(interfaces),
            vcpus: vec![boot_cpu(layout)],
            mailboxes: Mailboxes(requests),
            xics,
            vty,
        })
    }

    /// The device tree that a machine of this layout gets.
    ///
    /// # Errors
    /// When it is too large for its place.
    pub fn tree(layout: &Layout) -> Result<Vec<u8>, BuildError> {
        let tree = tree::write(layout);
        let (len, room) = (tree.len() as u64, layout.tree.end - layout.tree.start);
        if len > room { Err(BuildError::TreeTooLarge { len, room }) } else { Ok(tree) }
    }

    /// Whether an external interrupt is presented to `server`.
    pub fn external_pending(&self, server: u32) -> bool {
        self.xics.pending(server)
    }

    /// Handles for other threads.
    pub fn controls(&self) -> Controls {
        Controls { vty: Arc::clone(&self.vty), xics: Arc::clone(&self.xics), requests: self.mailboxes.0.clone() }
    }
}

/// Puts kernel, initrd, tree and RTAS code into RAM.
fn load(layout: &Layout, kernel: &[u8], initrd: Option<&[u8]>, mem: &GuestMem) -> Result<(), BuildError> {
    let write = |address: u64, data: &[u8]| mem.write(address, data).then_some(()).ok_or(BuildError::Files);
    for segment in &layout.segments {
        write(segment.address, kernel.get(segment.file.clone()).ok_or(BuildError::Files)?)?;
    }
    if let Some(range) = &layout.initrd {
        let data = initrd.filter(|data| data.len() as u64 == range.end - range.start).ok_or(BuildError::Files)?;
        write(range.start, data)?;
    }
    write(layout.tree.start, &Machine::tree(layout)?)?;
    for (n, word) in (0..).zip(rtas::ENTRY) {
        mem.store(layout.rtas.start + 4 * n, Order::Big, word);
    }
    Ok(())
}

/// The boot CPU at the kernel's entry: real mode, r3 = tree, r4 = kernel, r5 = 0 (spec papr 4.5).
fn boot_cpu(layout: &Layout) -> Vcpu {
    let mut vcpu = Vcpu::new(layout.spec.cpu, 0);
    vcpu.state.gpr[3] = layout.tree.start;
    vcpu.state.gpr[4] = layout.kernel.start;
    vcpu.state.cia = layout.entry;
    let order = if layout.entry_order == Order::Little { msr::LE } else { 0 };
    vcpu.set_msr(msr::SF | msr::ME | order);
    vcpu
}
