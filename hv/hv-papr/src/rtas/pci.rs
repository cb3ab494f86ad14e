//! Configuration space and message interrupts of PCI functions (PAPR 7.3.4, 7.3.10.5).
//!
//! An absent function reads as all ones and takes writes, like a bus without an answer; an unknown bridge or a bad
//! register is a parameter error.

use hv_core::Visit;
use papr_abi::rtas::{self, HARDWARE, PARAMETER, SUCCESS, change_msi};

use crate::papr::Papr;
use crate::ports::{ConfigRegister, MessageKind, PciBridge, PciFunction};
use crate::rtas::cells::{Cells, Service};

pub(crate) const SERVICES: &[Service] = &[
    (rtas::READ_PCI_CONFIG, read_config),
    (rtas::WRITE_PCI_CONFIG, write_config),
    (rtas::QUERY_INTERRUPT_SOURCE_NUMBER, query_source),
    (rtas::CHANGE_MSI, change),
    (rtas::CHANGE_MSI_SHORT, change),
];

/// The bridge whose unit is in inputs 1 and 2.
pub(super) fn bridge<'a>(papr: &'a Papr, cells: &Cells) -> Option<&'a dyn PciBridge> {
    let unit = u64::from(cells.input(1)) << 32 | u64::from(cells.input(2));
    papr.ports.bridges.iter().find(|bridge| bridge.unit() == unit).map(|bridge| &**bridge)
}

/// The function of a configuration address.
fn function(address: u32) -> PciFunction {
    PciFunction { bus: (address >> 16) as u8, function: (address >> 8) as u8 }
}

/// Configuration address, bridge in two cells, width.
fn operand<'a>(papr: &'a Papr, cells: &Cells) -> Option<(&'a dyn PciBridge, ConfigRegister)> {
    let [address, width] = [0, 3].map(|n| cells.input(n));
    let PciFunction { bus, function } = function(address);
    // The extended register number has its upper four bits on top of the address.
    let offset = (address >> 20 & 0xf00 | address & 0xff) as u16;
    let register = ConfigRegister { bus, function, offset, width: width as u8 };
    let valid = matches!(width, 1 | 2 | 4) && u32::from(offset) % width == 0;
    Some((bridge(papr, cells)?, register)).filter(|_| valid)
}

fn read_config(papr: &Papr, _: &mut Visit, cells: &mut Cells) -> i32 {
    let Some((bridge, register)) = operand(papr, cells) else { return PARAMETER };
    let all_ones = u32::MAX >> (32 - 8 * u32::from(register.width));
    cells.output(0, bridge.read_config(register).unwrap_or(all_ones));
    SUCCESS
}

fn write_config(papr: &Papr, _: &mut Visit, cells: &mut Cells) -> i32 {
    let Some((bridge, register)) = operand(papr, cells) else { return PARAMETER };
    bridge.write_config(register, cells.input(4));
    SUCCESS
}

/// Function and bridge, which message; to its source, an edge.
fn query_source(papr: &Papr, _: &mut Visit, cells: &mut Cells) -> i32 {
    const EDGE: u32 = 1;
    let Some(bridge) = bridge(papr, cells) else { return PARAMETER };
    let Some((_, sources)) = bridge.messages(function(cells.input(0))) else { return HARDWARE };
    let source = sources.start.checked_add(cells.input(3)).filter(|source| sources.contains(source));
    let Some(source) = source else { return PARAMETER };
    cells.output(0, source);
    cells.output(1, EDGE);
    SUCCESS
}

/// Function and bridge, what to do, how many messages, and a sequence number, which a call that is done at once only counts.
/// The long form also tells the kind.
fn change(papr: &Papr, _: &mut Visit, cells: &mut Cells) -> i32 {
    let (function, [what, count, sequence]) = (function(cells.input(0)), [3, 4, 5].map(|n| cells.input(n)));
    let Some(bridge) = bridge(papr, cells) else { return PARAMETER };
    let most = |kind| bridge.most_messages(function, kind);
    let Some(any) = most(MessageKind::Msi) else { return PARAMETER };
    let (kind, count) = match what {
        change_msi::QUERY => {
            let (kind, sources) = bridge.messages(function).unwrap_or((MessageKind::Msi, 0..0));
            return told(cells, sources.len() as u32, sequence, kind);
        }
        change_msi::CHANGE if any > 0 => (MessageKind::Msi, count),
        change_msi::CHANGE => (MessageKind::Msix, count),
        // By default it has none.
        change_msi::RESET => (MessageKind::Msi, 0),
        // All messages have short addresses.
        change_msi::CHANGE_MSI | change_msi::CHANGE_MSI_32 => (MessageKind::Msi, count),
        change_msi::CHANGE_MSIX | change_msi::CHANGE_MSIX_32 => (MessageKind::Msix, count),
        _ => return PARAMETER,
    };
    if count > 0 && most(kind).unwrap_or(0) == 0 {
        return PARAMETER;
    }
    match bridge.set_messages(function, kind, count) {
        Some(count) => told(cells, count, sequence, kind),
        None => HARDWARE,
    }
}

fn told(cells: &mut Cells, count: u32, sequence: u32, kind: MessageKind) -> i32 {
    cells.output(0, count);
    cells.output(1, sequence.wrapping_add(1));
    cells.output(2, kind as u32);
    SUCCESS
}
