//! Routing and masking of XICS sources (PAPR 7.3.10). A machine with a XIVE has none of these services.

use hv_core::Visit;
use papr_abi::rtas::{self, PARAMETER, SUCCESS};

use crate::papr::Papr;
use crate::rtas::cells::{Cells, Service};

pub(crate) const SERVICES: &[Service] = &[
    (rtas::SET_XIVE, set_xive),
    (rtas::GET_XIVE, get_xive),
    (rtas::INT_OFF, |papr, _, cells| enable(papr, cells, false)),
    (rtas::INT_ON, |papr, _, cells| enable(papr, cells, true)),
];

fn set_xive(papr: &Papr, _: &mut Visit, cells: &mut Cells) -> i32 {
    let [source, server, priority] = [0, 1, 2].map(|n| cells.input(n));
    let done = papr.xics().is_some_and(|xics| xics.set_source(source, server, priority as u8));
    if done { SUCCESS } else { PARAMETER }
}

fn get_xive(papr: &Papr, _: &mut Visit, cells: &mut Cells) -> i32 {
    let Some((server, priority)) = papr.xics().and_then(|xics| xics.source(cells.input(0))) else { return PARAMETER };
    cells.output(0, server);
    cells.output(1, priority.into());
    SUCCESS
}

fn enable(papr: &Papr, cells: &Cells, enabled: bool) -> i32 {
    let done = papr.xics().is_some_and(|xics| xics.set_enabled(cells.input(0), enabled));
    if done { SUCCESS } else { PARAMETER }
}
