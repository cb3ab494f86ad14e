//! Where a XIVE is, and its node (spec papr 6.3).

use std::ops::Range;

use hv_papr::ports::{GUEST_PRIORITIES, QUEUE_SHIFTS};
use platform::xive::{LEAST, PAGE};

use crate::fdt::Writer;

/// The pages of sources and queues.
pub const ESB: u64 = 0x6_0100_0000_0000;
/// The thread interrupt management area: a page for the operating system, then one for user programs.
pub const TIMA: Range<u64> = OS_VIEW..USER_VIEW + (1 << PAGE);
const OS_VIEW: u64 = 0x6_0302_031a_0000;
const USER_VIEW: u64 = 0x6_0302_031b_0000;

/// Writes into the root which priorities are not the guest's.
pub fn priorities(root: &mut Writer) {
    let (first, end) = (u32::from(GUEST_PRIORITIES), u32::from(LEAST));
    root.cells("ibm,plat-res-int-priorities", &[first, end - first]);
}

/// Writes the controller.
pub fn write(root: &mut Writer, cpus: u32, phandle: u32) {
    root.node("interrupt-controller@60302031b0000", |pic| {
        pic.text("compatible", "ibm,power-ivpe");
        pic.text("device_type", "power-ivpe");
        pic.doubles("reg", &[USER_VIEW, 1 << PAGE, OS_VIEW, 1 << PAGE]);
        pic.cells("ibm,xive-eq-sizes", &QUEUE_SHIFTS);
        // Sources that the guest may trigger for itself.
        pic.cells("ibm,xive-lisn-ranges", &[0, cpus]);
        pic.flag("interrupt-controller");
        pic.cell("#interrupt-cells", 2);
        pic.cell("phandle", phandle);
    });
}
