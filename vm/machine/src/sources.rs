//! Interrupt sources of a PAPR machine by number (spec papr 7.1, 7.3, 8.5).

use std::ops::Range;

use platform::{Xics, Xive};

use crate::spec::Kind;

/// Environmental and power warnings.
pub const EPOW: u32 = 0x1000;
/// Hot-plug events.
pub const HOT_PLUG: u32 = 0x1001;
/// Input at the terminal.
pub const VTY: u32 = 0x1100;
/// Room in the byte channel of ePAPR's calls.
pub const CHANNEL_ROOM: u32 = 0x1101;
/// The doorbell of ePAPR's calls.
pub const DOORBELL: u32 = 0x1102;
/// First of the PCI bridge's lines.
pub const PCI_LINES: u32 = 0x1200;
/// Lines that the slots of the bridge share.
pub const PCI_LINE_COUNT: u32 = pci::upstream::LINES;
/// Messages of PCI functions.
pub const PCI_MESSAGES: Range<u32> = 0x1300..0x2000;

/// An interrupt controller, as devices and vCPUs see it.
pub trait Controller: Send + Sync {
    /// Sets the line of a level source, or signals an edge with `true`.
    fn set_line(&self, source: u32, asserted: bool);
    /// Whether vCPU `server` is interrupted.
    fn pending(&self, server: u32) -> bool;
}

impl Controller for Xics {
    fn set_line(&self, source: u32, asserted: bool) {
        Xics::set_line(self, source, asserted);
    }

    fn pending(&self, server: u32) -> bool {
        Xics::pending(self, server)
    }
}

impl Controller for Xive {
    fn set_line(&self, source: u32, asserted: bool) {
        Xive::set_line(self, source, asserted);
    }

    fn pending(&self, server: u32) -> bool {
        Xive::pending(self, server)
    }
}

/// All sources of a machine; the lines of PCI are level-triggered. Test kernels have no functions that send messages.
pub fn all(kind: Kind) -> Vec<(u32, bool)> {
    let epapr: &[u32] = if kind == Kind::Bare { &[CHANNEL_ROOM, DOORBELL] } else { &[] };
    let edges = [EPOW, HOT_PLUG, VTY].iter().chain(epapr).map(|&source| (source, false));
    let levels = (PCI_LINES..PCI_LINES + PCI_LINE_COUNT).map(|source| (source, true));
    let messages = if kind == Kind::Pseries { PCI_MESSAGES } else { 0..0 };
    edges.chain(levels).chain(messages.map(|source| (source, false))).collect()
}
