//! Configuration space and message interrupts of PCI functions (PAPR 7.3.4, 7.3.10.5).
//!
//! An absent function reads as all ones and takes writes, like a bus without an answer; an unknown bridge or a bad
//! register is a parameter error.

use hv_core::Visit;
use papr_abi::rtas::{self, HARDWARE, PARAMETER, SUCCESS};

use crate::papr::Papr;
use crate::ports::{ConfigRegister, PciBridge};
use crate::rtas::cells::{Cells, Service};

/// No function has message interrupts yet: none can be had, and none are there to ask for.
pub(crate) const SERVICES: &[Service] = &[
    (rtas::READ_PCI_CONFIG, read_config),
    (rtas::WRITE_PCI_CONFIG, write_config),
    (rtas::QUERY_INTERRUPT_SOURCE_NUMBER, |_, _, _| HARDWARE),
    (rtas::CHANGE_MSI, |_, _, _| PARAMETER),
    (rtas::CHANGE_MSI_SHORT, |_, _, _| PARAMETER),
];

/// Configuration address, bridge in two cells, width.
fn operand<'a>(papr: &'a Papr, cells: &Cells) -> Option<(&'a dyn PciBridge, ConfigRegister)> {
    let [address, high, low, width] = [0, 1, 2, 3].map(|n| cells.input(n));
    let unit = u64::from(high) << 32 | u64::from(low);
    let bridge = papr.ports.bridges.iter().find(|bridge| bridge.unit() == unit)?;
    let register = ConfigRegister {
        bus: (address >> 16) as u8,
        function: (address >> 8) as u8,
        // The extended register number has its upper four bits on top of the address.
        offset: (address >> 20 & 0xf00 | address & 0xff) as u16,
        width: width as u8,
    };
    let valid = matches!(width, 1 | 2 | 4) && u32::from(register.offset) % width == 0;
    valid.then_some((&**bridge, register))
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
