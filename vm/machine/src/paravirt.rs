//! The paravirtual interfaces of a machine beside PAPR: their adapters, and what the device tree says of them.

use std::sync::Arc;
use std::time::Duration;

use hv_core::{Interface, Next, Visit};
use hv_pv::epapr::Ports;
use hv_pv::epapr::ports::{ByteChannels, Cores, Doorbells};
use hv_pv::{Kvm, Osi};
use platform::{Rtc, Vty, Xics};
use pv_abi::epapr::{CORE_RUN, Status};
use pv_abi::{kvm, osi};

use crate::fdt::Writer;
use crate::spec::Calls;

mod pic;

pub use pic::EpaprPic;

/// Handle of the byte channel that is the console.
pub const CONSOLE_CHANNEL: u32 = 1;
/// Handle of the doorbell that rings at the partition itself.
pub const DOORBELL: u32 = 2;
/// Handle of the interrupt controller.
pub const PIC: u32 = 3;

/// The interface of KVM's convention, when `calls` names any of it; `ports` are for ePAPR's calls.
pub fn kvm(calls: Calls, ports: Ports) -> Option<Box<dyn Interface>> {
    let epapr = calls.epapr.then_some(ports);
    (calls.kvm || calls.epapr).then(|| Box::new(Kvm { kvm: calls.kvm, epapr }) as Box<dyn Interface>)
}

/// OSI calls, when `calls` names them: console output and input at `terminal`, time of day from `clock`.
pub fn osi(calls: Calls, terminal: &Arc<Vty>, clock: &Arc<Rtc>) -> Option<Box<dyn Interface>> {
    if !calls.osi {
        return None;
    }
    let mut calls = Osi::default();
    for (selector, result) in [(osi::LOG_PUTC, 0), (osi::TTY_PUTC, 1)] {
        let terminal = Arc::clone(terminal);
        calls.register(selector, move |visit| {
            terminal.put(&[visit.vcpu.state.gpr[6] as u8]);
            returns(visit, result)
        });
    }
    let keys = Arc::clone(terminal);
    calls.register(osi::TTY_GETC, move |visit| {
        let mut key = [0];
        let count = keys.get(&mut key);
        returns(visit, if count == 1 { key[0].into() } else { u32::MAX })
    });
    // Local time is UTC: the machine knows no zone.
    for (selector, epoch) in [(osi::GET_GMT_TIME, 0), (osi::GET_LOCALTIME, osi::SECONDS_1904_TO_1970)] {
        let clock = Arc::clone(clock);
        calls.register(selector, move |visit| {
            let (seconds, _) = clock.now(elapsed(visit));
            returns(visit, (seconds as u32).wrapping_add(epoch))
        });
    }
    Some(Box::new(calls))
}

fn returns(visit: &mut Visit, value: u32) -> Next {
    visit.vcpu.state.gpr[3] = value.into();
    Next::Run
}

fn elapsed(visit: &Visit) -> Duration {
    exec::timebase::duration(visit.context.clock.ticks(visit.vcpu.state.retired))
}

/// The terminal as byte channel [`CONSOLE_CHANNEL`].
pub struct ConsoleChannel(pub Arc<Vty>);

impl ConsoleChannel {
    fn terminal(&self, handle: u32) -> Option<&Vty> {
        (handle == CONSOLE_CHANNEL).then_some(&self.0)
    }
}

impl ByteChannels for ConsoleChannel {
    fn send(&self, handle: u32, data: &[u8]) -> Option<usize> {
        let terminal = self.terminal(handle)?;
        let part = data.get(..terminal.room()).unwrap_or(data);
        // Another vCPU may have taken the room meanwhile.
        Some(if terminal.offer(part) { part.len() } else { 0 })
    }

    fn receive(&self, handle: u32, out: &mut [u8]) -> Option<usize> {
        Some(self.terminal(handle)?.get(out))
    }

    fn poll(&self, handle: u32) -> Option<(usize, usize)> {
        let terminal = self.terminal(handle)?;
        Some((terminal.waiting(), terminal.room().min(pv_abi::epapr::CHANNEL_BYTES)))
    }
}

/// Doorbell [`DOORBELL`], which raises `source` at the partition's own interrupt controller.
pub struct OwnDoorbell {
    /// The controller.
    pub xics: Arc<Xics>,
    /// The source.
    pub source: u32,
}

impl Doorbells for OwnDoorbell {
    fn ring(&self, handle: u32) -> bool {
        if handle == DOORBELL {
            self.xics.set_line(self.source, true);
        }
        handle == DOORBELL
    }
}

/// The only core of a machine: it may not nap, since nobody could wake it.
pub struct OnlyCore;

impl Cores for OnlyCore {
    fn state(&self, cpu: u32) -> Option<u64> {
        (cpu == 0).then_some(CORE_RUN)
    }

    fn nap(&self, _: u32) -> Result<Next, Status> {
        Err(Status::Invalid)
    }

    fn wake(&self, cpu: u32) -> bool {
        cpu == 0
    }
}

/// What the node of the hypervisor tells a guest.
#[derive(Default)]
pub struct Node<'a> {
    /// 32-bit kernels may idle by EV_IDLE.
    pub idle: bool,
    /// Interrupt parent of the devices below, as phandle; the root's own without one.
    pub parent: Option<u32>,
    /// The console's byte channel, with its receive and its transmit interrupt (specifiers of the interrupt parent).
    pub channel: Option<&'a [u32]>,
    /// The doorbell, with the interrupt that it raises.
    pub doorbell: Option<&'a [u32]>,
    /// The interrupt controller of ePAPR's calls, with its phandle.
    pub pic: Option<u32>,
}

impl Node<'_> {
    /// Writes `/hypervisor`, when `calls` has anything that is found there. What needs ePAPR's calls is left out
    /// without them.
    pub fn write(&self, root: &mut Writer, calls: Calls) {
        if !calls.pv() {
            return;
        }
        root.node("hypervisor", |node| {
            node.text("compatible", "linux,kvm");
            node.cells("hcall-instructions", &kvm::HCALL_INSTRUCTIONS);
            if calls.epapr {
                self.epapr(node);
            }
        });
    }

    fn epapr(&self, node: &mut Writer) {
        if self.idle {
            node.flag("has-idle");
        }
        if let Some(phandle) = self.pic {
            node.node("pic", |pic| {
                pic.text("compatible", "epapr,hv-pic");
                pic.flag("interrupt-controller");
                pic.cell("#interrupt-cells", 2);
                pic.cell("#address-cells", 0);
                pic.cell("hv-handle", PIC);
                pic.cell("phandle", phandle);
            });
        }
        let handle = |node: &mut Writer, name: &str, compatible: &str, handle: Option<u32>, interrupts: &[u32]| {
            node.node(name, |node| {
                node.text("compatible", compatible);
                if let Some(phandle) = self.parent {
                    node.cell("interrupt-parent", phandle);
                }
                if !interrupts.is_empty() {
                    node.cells("interrupts", interrupts);
                }
                if let Some(handle) = handle {
                    node.cell("hv-handle", handle);
                }
            });
        };
        if self.channel.is_none() && self.doorbell.is_none() {
            return;
        }
        node.node("handles", |node| {
            if let Some(interrupts) = self.channel {
                handle(node, "byte-channel", "epapr,hv-byte-channel", Some(CONSOLE_CHANNEL), interrupts);
            }
            if let Some(interrupts) = self.doorbell {
                handle(node, "send-doorbell", "epapr,hv-send-doorbell", Some(DOORBELL), &[]);
                handle(node, "receive-doorbell", "epapr,hv-receive-doorbell", None, interrupts);
            }
        });
    }
}
