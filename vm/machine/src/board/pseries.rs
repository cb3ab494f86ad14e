//! A PAPR partition, and the bare machine, which is one without a tree of its own.

use std::sync::Arc;

use exec::{Lines, PartitionState, Start, Vcpu};
use guest_mem::{GuestMem, Order};
use hv_papr::Papr;
use hv_papr::events::Events;
use hv_papr::ports::{Interrupts, Ports};
use hv_pv::epapr;
use papr_abi::rtas;
use platform::xive::{self, Esb, Tima};
use platform::{HostRandom, Rtc, SeededRandom, Vty, Watchdogs, Xics, Xive};
use ppc_isa::cpu::{Family, V300};
use ppc_isa::msr;
use ppc_mmu::HashTable;

use super::e500::epapr_entry;
use super::{Backends, Board, Keyboard, Power};
use crate::bus::Bus;
use crate::hotplug::HotPlug;
use crate::plan::Layout;
use crate::ports::{NvramPort, RandomPort, RtcPort, SeededPort, VtyPort, WatchdogPort, XicsPort, XivePort};
use crate::sources::Controller;
use crate::spec::{self, Boot, Kind};
use crate::xive::{ESB, TIMA};
use crate::{firmware, paravirt, pci, persistent, sources, tree};

pub use tree::write as tree;

struct ControllerLines(Arc<dyn Controller>);

impl Lines for ControllerLines {
    fn external(&self, server: u32) -> bool {
        self.0.pending(server)
    }
}

struct Terminal {
    vty: Arc<Vty>,
    controller: Arc<dyn Controller>,
}

impl Keyboard for Terminal {
    fn type_in(&self, data: &[u8]) -> usize {
        let taken = self.vty.type_in(data);
        self.controller.set_line(sources::VTY, true);
        taken
    }
}

/// Signals interrupt `source`.
fn raise(controller: &Arc<dyn Controller>, source: u32) -> Box<dyn Fn() + Send + Sync> {
    let controller = Arc::clone(controller);
    Box::new(move || controller.set_line(source, true))
}

/// Builds it.
pub fn board(layout: &Layout, mem: &Arc<GuestMem>, power: &Power, backends: Backends) -> Board {
    let Backends { console, nvdimms, nvram, clock, disk } = backends;
    let spec = &layout.spec;
    if !layout.rtas.is_empty() {
        mem.write(layout.rtas.start, rtas::ENTRY.map(u32::to_be_bytes).as_flattened());
    }
    let vty = Arc::new(Vty::on(console));
    let wake = power.clone();
    let wake = Box::new(move |server| wake.interrupt(server));
    let sources = sources::all(spec.kind);
    let (mut bus, mut own, mut epapr) = (Bus::default(), Vec::new(), epapr::Ports::default());
    let mut devices: Vec<_> = pci::addresses().collect();
    let (controller, interrupts): (Arc<dyn Controller>, _) = match spec.interrupts {
        spec::Interrupts::Xics => {
            let xics = Arc::new(Xics::new(spec.vcpus(), &sources, wake));
            epapr = epapr_ports(spec.kind, &vty, &xics);
            (Arc::clone(&xics) as _, Interrupts::Xics(Box::new(XicsPort(xics))))
        }
        spec::Interrupts::Xive => {
            // Whoever can still type at the machine does not keep its memory.
            let queues = Arc::downgrade(mem);
            let store = Box::new(move |address, word: u32| {
                queues.upgrade().is_some_and(|queues| queues.store(address, Order::Big, word))
            });
            let xive = Arc::new(Xive::new(spec.vcpus(), &sources, store, wake));
            let pages = ESB..ESB + xive::page::end(spec.vcpus());
            bus.attach(pages.clone(), Arc::new(Esb(Arc::clone(&xive))));
            devices.extend([pages, TIMA]);
            own.extend((0..spec.vcpus()).map(|server| (TIMA, Arc::new(Tima { xive: Arc::clone(&xive), server }) as _)));
            let port = XivePort { xive: Arc::clone(&xive), servers: spec.vcpus() };
            (xive as _, Interrupts::Xive(Box::new(port)))
        }
    };
    let clock = Arc::new(Rtc::set_before(spec.fixed_start, clock));
    let events = Arc::new(Events::new(raise(&controller, sources::HOT_PLUG)));
    let persistent = Arc::new(persistent::devices(layout, &nvdimms));
    let functions = pci::bus(mem, &controller);
    for (slot, device) in &spec.devices {
        pci::device::plug(&functions, *slot, *device, spec, true);
    }
    pci::apertures(&functions).for_each(|(range, aperture)| bus.attach(range, aperture));
    let hot_plug =
        Arc::new(HotPlug::new(layout, mem, Arc::clone(&events), Arc::clone(&persistent), Arc::clone(&functions)));
    let watchdogs = Arc::new(Watchdogs::default());
    let ports = Ports {
        console: Box::new(VtyPort { vty: Arc::clone(&vty), raise: raise(&controller, sources::VTY) }),
        interrupts,
        time: Box::new(RtcPort(Arc::clone(&clock))),
        random: match spec.fixed_start {
            None => Box::new(RandomPort(HostRandom::default())),
            Some(_) => Box::new(SeededPort(SeededRandom::new(spec.seed))),
        },
        nvram: Box::new(NvramPort(nvram.unwrap_or_default())),
        bridges: vec![Box::new(pci::BridgePort(functions))],
        persistent,
        connectors: hot_plug.connectors(),
        events,
        devices,
        watchdogs: Box::new(WatchdogPort(Arc::clone(&watchdogs))),
    };
    // PAPR is for servers (and how the bare machine of Book3S-32 is switched off), OSI for everything but BookE (spec
    // ppc-pv 1.4).
    let family = spec.cpu.family();
    let papr = (spec.calls.papr && family != Family::BookE).then(|| Box::new(Papr::new(spec.vcpus(), ports)) as _);
    let openfw = (spec.boot == Boot::OpenFirmware)
        .then(|| Box::new(firmware::build(layout, &tree::whole(layout).items(), mem, &vty, disk)) as _);
    let osi = (family != Family::BookE).then(|| paravirt::osi(spec.calls, &vty, &clock)).flatten();
    let kvm = paravirt::kvm(spec.calls, epapr);
    Board {
        partition: PartitionState::new(Some(HashTable::new(layout.hash_shift)), V300.contains(spec.cpu)),
        interfaces: [openfw, papr, osi, kvm].into_iter().flatten().collect(),
        bus,
        own,
        hot_plug: Some(hot_plug),
        lines: Arc::new(ControllerLines(Arc::clone(&controller))),
        keyboard: Arc::new(Terminal { vty, controller }),
        time: Arc::default(),
        watchdogs,
        vcpu: boot_cpu(layout),
        start,
    }
}

/// The bare machine has a device for each of ePAPR's calls; a PAPR partition reaches the same ones by PAPR.
fn epapr_ports(kind: Kind, vty: &Arc<Vty>, xics: &Arc<Xics>) -> epapr::Ports {
    if kind != Kind::Bare {
        return epapr::Ports::default();
    }
    epapr::Ports {
        channels: Some(Box::new(paravirt::ConsoleChannel(Arc::clone(vty)))),
        interrupts: Some(Box::new(paravirt::EpaprPic::new(1, &sources::all(kind), Arc::clone(xics)))),
        doorbells: Some(Box::new(paravirt::OwnDoorbell { xics: Arc::clone(xics), source: sources::DOORBELL })),
        cores: Some(Box::new(paravirt::OnlyCore)),
    }
}

/// The largest page of a BookE processor.
const LARGEST_PAGE: u64 = 1 << 32;

/// The boot CPU at the kernel's entry: real mode, r3 = tree, r4 = kernel, r5 = 0 (spec papr 4.5).
fn boot_cpu(layout: &Layout) -> Vcpu {
    let mut vcpu = Vcpu::new(layout.spec.cpu, 0);
    vcpu.state.cia = layout.entry;
    if layout.spec.cpu.family() == Family::BookE {
        let ram = layout.spec.memory.min(LARGEST_PAGE).next_power_of_two();
        // A page of TLB1 has a power of four KiB.
        epapr_entry(&mut vcpu, layout.tree.start, if ram.ilog2().is_multiple_of(2) { ram } else { 2 * ram });
        return vcpu;
    }
    if layout.spec.boot == Boot::OpenFirmware {
        client_entry(&mut vcpu, layout);
        return vcpu;
    }
    vcpu.state.gpr[3] = layout.tree.start;
    vcpu.state.gpr[4] = layout.kernel.start;
    if layout.entry_order == Order::Little {
        vcpu.set_msr(vcpu.shared.msr() | msr::LE);
    }
    vcpu
}

/// A client of Open Firmware at its entry: real mode, r1 = stack, r3 and r4 = initrd and its size, as Linux has them, or 0,
/// r5 = firmware's entry; no arguments in r6 and r7 (IEEE 1275's PowerPC binding, 8.2).
fn client_entry(vcpu: &mut Vcpu, layout: &Layout) {
    const FRAME: u64 = 256;
    let initrd = layout.initrd.clone().unwrap_or_default();
    vcpu.state.gpr[1] = layout.stack.end - FRAME;
    vcpu.state.gpr[3] = initrd.start;
    vcpu.state.gpr[4] = initrd.end - initrd.start;
    vcpu.state.gpr[5] = layout.client.start;
    if layout.narrow {
        vcpu.set_msr(vcpu.shared.msr() & !msr::SF);
    }
}

/// Another CPU as start-cpu has it begin (PAPR 7.3.8.3): as after a reset, in real mode and big-endian, but for its address
/// and r3.
fn start(vcpu: &mut Vcpu, start: Start) {
    vcpu.state.cia = start.address;
    vcpu.state.gpr[3] = start.argument;
}
