//! A Power Macintosh (PowerMac3,1): Book3S-32 processor, UniNorth and KeyLargo with OpenPIC, ESCC serial port, VIA-PMU.
//!
//! # Entry
//!
//! On a Power Macintosh, Open Firmware enters the kernel, and the kernel asks it for the device tree. There is no
//! firmware here: the kernel is entered as its own Open Firmware trampoline enters it once more, when it has flattened
//! the tree. No document says how; this is what Linux's `arch/powerpc/kernel/head_book3s_32.S` takes for granted, found
//! by reading and confirmed by Linux 6.1 running from here on a 750, a 7400 and a 7450:
//!
//! * It is loaded at real address 0, where its exception vectors belong, and entered at its first byte, `_start`.
//! * MSR: big-endian, relocation off, external interrupts off, interrupt vectors at 0 (IP clear). BATs, segment
//!   registers, SDR1 and TLB need no values: it clears or loads what it uses before it turns relocation on.
//! * r3: real address of the tree. It may not be the letters `BooX`, by which BootX, a loader of Mac OS, is known.
//! * r5: 0. Anything else is taken for Open Firmware's entry point.
//! * r1: a stack for the C code that runs before `start_here` has the kernel's own (`early_init` and what it calls).
//!   With 0 there, the first `stwu` goes to 0xffff_ffe0, where no memory answers. The stack must not lie in the kernel,
//!   whose bss that code clears.
//! * r4, r6 and r7 are not looked at.
//! * The tree lies below 256 MiB: that much of memory the kernel's first BAT maps when it reads it. The initrd lies in
//!   the first 768 MiB, the kernel's linear mapping.
//! * The tree says `timebase-frequency`, and names the machine one of the MacRISC2 line, so that nobody calibrates it by
//!   the VIA's timer.

use std::sync::Arc;

use exec::{Lines, PartitionState, Vcpu};
use guest_mem::GuestMem;
use hv_core::Halt;
use hv_pv::epapr;
use platform::escc::{self, Channel};
use platform::nvram::Partition;
use platform::openpic::{self, Model};
use platform::pci_host::{Identity, PciHost};
use platform::pmu::Switch;
use platform::via::{self, Output};
use platform::{Escc, GuestTime, Latches, Nvram, Openpic, Outlet, Pmu, Registers, Rtc, Via, Vty};

use super::{Board, Keyboard, Power};
use crate::bus::Bus;
use crate::paravirt;
use crate::plan::Layout;

mod tree;

pub use tree::write as tree;

/// UniNorth's own registers.
const UNI_NORTH: u64 = 0xf800_0000;
/// UniNorth's bridge to the PCI bus that KeyLargo is on.
const PCI: u64 = 0xf200_0000;
const PCI_SIZE: u64 = 0x200_0000;
const NVRAM: u64 = 0xfff0_4000;
const NVRAM_SIZE: u32 = 0x2000;
/// KeyLargo's registers; what follows is at an offset from here.
const KEY_LARGO: u64 = 0x8000_0000;
const KEY_LARGO_SIZE: u32 = 0x8_0000;
/// Feature control and general-purpose pins.
const FEATURES_SIZE: u64 = 0x100;
const ESCC: u64 = 0x1_3000;
const VIA: u64 = 0x1_6000;
const OPENPIC: u64 = 0x4_0000;

/// UniNorth says that it is revision 7, that of the first G4 boards.
const UNI_NORTH_REVISION: [u8; 4] = [0, 0, 0, 7];
/// What a caller keeps below the stack pointer for its callee (System V ABI, PowerPC supplement).
const STACK_FRAME: u64 = 16;
/// Among the features: the pin by which the power management unit interrupts, low when it does.
const PMU_PIN: usize = 0x59;
const PMU_PIN_LEVEL: u8 = 0x02;

/// Devices on the PCI bus.
const BRIDGE: Identity = Identity { device: 11, vendor_id: 0x106b, device_id: 0x1f, class: 0x06_0000, memory: None };
const MAC_IO: Identity = Identity {
    device: 12,
    vendor_id: 0x106b,
    device_id: 0x22,
    class: 0xff_0000,
    memory: Some((KEY_LARGO as u32, KEY_LARGO_SIZE)),
};

/// Interrupt sources.
mod source {
    pub const VIA: u16 = 0x19;
    pub const ESCC_B: u16 = 0x24;
    pub const ESCC_A: u16 = 0x25;
    pub const PMU: u16 = 0x2f;
}

/// What non-volatile memory is divided into: Open Firmware's variables, and the parameter memory of Mac OS, of which
/// Linux takes the distance from Greenwich.
const PARTITIONS: [Partition; 2] = [
    Partition { signature: 0x70, name: b"common", blocks: 0x100 },
    Partition { signature: 0xa0, name: b"APL,MacOS75", blocks: 0x40 },
];

struct PicLines(Arc<Openpic>);

impl Lines for PicLines {
    fn external(&self, server: u32) -> bool {
        self.0.external(server)
    }
}

struct Terminal {
    vty: Arc<Vty>,
    escc: Arc<Escc>,
}

impl Keyboard for Terminal {
    fn type_in(&self, data: &[u8]) -> usize {
        let taken = self.vty.type_in(data);
        self.escc.input_arrived();
        taken
    }
}

/// Builds it.
pub fn board(layout: &Layout, _: &GuestMem, power: &Power, console: Outlet) -> Board {
    let wake = power.clone();
    let pic = Arc::new(Openpic::new(Model::KEY_LARGO, 1, Box::new(move |server| wake.interrupt(server))));
    let vty = Arc::new(Vty::on(console));
    let clock = Arc::new(Rtc::new(layout.spec.fixed_start));
    let time = Arc::new(GuestTime::default());
    let osi = paravirt::osi(layout.spec.calls, &vty, &clock);
    let kvm = paravirt::kvm(layout.spec.calls, epapr::Ports::default());
    let escc = Arc::new(serial(&vty, &pic));
    let features =
        Arc::new(Latches::new(FEATURES_SIZE as usize, true).with(PMU_PIN, [PMU_PIN_LEVEL], [!PMU_PIN_LEVEL]));
    let pmu = pmu(&clock, &time, power);
    let via = adapter(pmu, &pic, &features);

    let mut bus = Bus::default();
    let mut attach = |base: u64, size: u64, device: Arc<dyn Registers>| bus.attach(base..base + size, device);
    attach(KEY_LARGO, FEATURES_SIZE, features);
    attach(KEY_LARGO + ESCC, escc::SIZE, Arc::clone(&escc) as Arc<dyn Registers>);
    attach(KEY_LARGO + VIA, via::SIZE, Arc::new(via));
    attach(KEY_LARGO + OPENPIC, openpic::SIZE, Arc::clone(&pic) as Arc<dyn Registers>);
    attach(PCI, PCI_SIZE, Arc::new(PciHost::new(&[BRIDGE, MAC_IO])));
    attach(UNI_NORTH, 0x4000, Arc::new(Latches::new(0x4000, true).with(0, UNI_NORTH_REVISION, [0; 4])));
    attach(NVRAM, NVRAM_SIZE.into(), Arc::new(Nvram::new(NVRAM_SIZE, &PARTITIONS)));
    Board {
        partition: PartitionState::new(None, false),
        interfaces: [osi, kvm].into_iter().flatten().collect(),
        bus,
        own: Vec::new(),
        hot_plug: None,
        lines: Arc::new(PicLines(pic)),
        keyboard: Arc::new(Terminal { vty, escc }),
        time,
        watchdogs: Arc::default(),
        vcpu: boot_cpu(layout),
        start: |_, _| {},
    }
}

fn serial(vty: &Arc<Vty>, pic: &Arc<Openpic>) -> Escc {
    let pic = Arc::clone(pic);
    let interrupt = move |channel, up| {
        let source = match channel {
            Channel::A => source::ESCC_A,
            Channel::B => source::ESCC_B,
        };
        pic.set_line(source, up);
    };
    Escc::new(Arc::clone(vty), Box::new(interrupt))
}

fn pmu(clock: &Arc<Rtc>, time: &Arc<GuestTime>, power: &Power) -> Pmu {
    let power = power.clone();
    let switch = move |to| {
        power.halt(match to {
            Switch::Off => Halt::PowerOff,
            Switch::Reset => Halt::Reset,
        });
    };
    Pmu::new(Arc::clone(clock), Arc::clone(time), Box::new(switch))
}

fn adapter(pmu: Pmu, pic: &Arc<Openpic>, features: &Arc<Latches>) -> Via {
    let (pic, features) = (Arc::clone(pic), Arc::clone(features));
    let interrupt = move |output, up| match output {
        Output::Via => pic.set_line(source::VIA, up),
        Output::Pmu => {
            features.set(PMU_PIN, PMU_PIN_LEVEL, if up { 0 } else { PMU_PIN_LEVEL });
            pic.set_line(source::PMU, up);
        }
    };
    Via::new(pmu, Box::new(interrupt))
}

/// The boot CPU at the kernel's entry, see the head of this file.
fn boot_cpu(layout: &Layout) -> Vcpu {
    let mut vcpu = Vcpu::new(layout.spec.cpu, 0);
    vcpu.state.gpr[1] = layout.stack.end - STACK_FRAME;
    vcpu.state.gpr[3] = layout.tree.start;
    vcpu.state.cia = layout.entry;
    vcpu
}
