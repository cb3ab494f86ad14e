//! Starting and stopping processors (PAPR 7.3.8).

use exec::Start;
use hv_core::{Next, Visit};
use papr_abi::rtas::{self, HARDWARE, PARAMETER, SUCCESS};

use crate::papr::Papr;
use crate::rtas::cells::{Cells, Service};

pub(crate) const SERVICES: &[Service] = &[
    (rtas::QUERY_CPU_STOPPED_STATE, query_cpu_stopped_state),
    (rtas::START_CPU, start_cpu),
    (rtas::STOP_SELF, stop_self),
];

/// 0 stopped, 2 not stopped; nobody sees a processor that is about to stop.
fn query_cpu_stopped_state(papr: &Papr, visit: &mut Visit, cells: &mut Cells) -> i32 {
    const RUNNING: u32 = 2;
    let mailbox = visit.context.mailbox(cells.input(0)).filter(|_| papr.ports.connectors.has_processor(cells.input(0)));
    let Some(mailbox) = mailbox else { return PARAMETER };
    cells.output(0, if mailbox.stopped() { 0 } else { RUNNING });
    SUCCESS
}

/// Processor, address, what it finds in r3: it begins in real mode, big-endian.
fn start_cpu(papr: &Papr, visit: &mut Visit, cells: &mut Cells) -> i32 {
    let [server, address, argument] = [0, 1, 2].map(|n| cells.input(n));
    if !papr.ports.connectors.has_processor(server) {
        return PARAMETER;
    }
    match visit.context.start(server, Start { address: address.into(), argument: argument.into() }) {
        Some(true) => SUCCESS,
        Some(false) => HARDWARE,
        None => PARAMETER,
    }
}

fn stop_self(_: &Papr, _: &mut Visit, cells: &mut Cells) -> i32 {
    cells.next = Next::Stop;
    SUCCESS
}
