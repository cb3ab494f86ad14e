//! check-exception and event-scan: what happened (PAPR 7.3.3, 7.3.4).

use hv_core::Visit;
use papr_abi::rtas::{self, PARAMETER, SUCCESS};

use crate::events::HOT_PLUG;
use crate::papr::Papr;
use crate::rtas::cells::{Cells, Service};

pub(crate) const SERVICES: &[Service] = &[
    (rtas::CHECK_EXCEPTION, check_exception),
    (rtas::CHECK_EXCEPTION_LONG, check_exception),
    (rtas::EVENT_SCAN, |_, _, _| NO_EVENT),
];

/// Nothing to report.
const NO_EVENT: i32 = 1;

/// Vector, interrupt, classes, how urgent, buffer, its length, the upper half of the interrupt's number.
fn check_exception(papr: &Papr, visit: &mut Visit, cells: &mut Cells) -> i32 {
    let [classes, buffer, room] = [2, 4, 5].map(|n| cells.input(n));
    if classes & HOT_PLUG == 0 {
        return NO_EVENT;
    }
    let mem = visit.context.mem;
    if !mem.contains(buffer.into(), room.into()) {
        return PARAMETER;
    }
    let Some(event) = papr.ports.events.take() else { return NO_EVENT };
    let log = event.log();
    mem.write(buffer.into(), log.get(..room as usize).unwrap_or(&log));
    SUCCESS
}
