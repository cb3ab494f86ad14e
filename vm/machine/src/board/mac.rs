//! A Power Macintosh: Book3S-32 processor, OpenPIC, ESCC serial port, VIA-PMU.

use std::io::Write;
use std::sync::Arc;

use exec::{Lines, PartitionState, Vcpu};
use guest_mem::GuestMem;
use hv_pv::epapr;

use super::{Board, Keyboard, Power};
use crate::bus::Bus;
use crate::paravirt;
use crate::plan::Layout;

struct Quiet;

impl Lines for Quiet {
    fn external(&self, _: u32) -> bool {
        false
    }
}

impl Keyboard for Quiet {
    fn type_in(&self, _: &[u8]) -> usize {
        0
    }
}

/// The device tree.
pub fn tree(_: &Layout) -> Vec<u8> {
    Vec::new()
}

/// Builds it.
pub fn board(layout: &Layout, _: &GuestMem, _: &Power, _: Box<dyn Write + Send>) -> Board {
    let kvm = paravirt::kvm(layout.spec.calls, epapr::Ports::default());
    let mut vcpu = Vcpu::new(layout.spec.cpu, 0);
    vcpu.state.cia = layout.entry;
    Board {
        partition: PartitionState::new(None, false),
        interfaces: kvm.into_iter().collect(),
        bus: Bus::default(),
        lines: Arc::new(Quiet),
        keyboard: Arc::new(Quiet),
        vcpu,
    }
}
