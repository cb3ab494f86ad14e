//! Starting and stopping processors (PAPR 7.3.8).

use exec::Start;
use hv_core::{Next, Visit};
use papr_abi::rtas::{self, HARDWARE, PARAMETER, SUCCESS};

use crate::papr::Papr;
use crate::rtas::cells::{Cells, Service};
use crate::turns::Activity;

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
    let _joining = papr.joining();
    let started = visit.context.start(server, Start { address: address.into(), argument: argument.into() });
    match started {
        Some(true) => {
            set_activity(papr, server, Activity::Active);
            SUCCESS
        }
        Some(false) => HARDWARE,
        None => PARAMETER,
    }
}

fn stop_self(papr: &Papr, visit: &mut Visit, cells: &mut Cells) -> i32 {
    let _joining = papr.joining();
    set_activity(papr, visit.vcpu.state.pir, Activity::Stopped);
    cells.next = Next::Stop;
    SUCCESS
}

/// For who counts the active ones, before the vCPU itself is seen to change.
fn set_activity(papr: &Papr, server: u32, activity: Activity) {
    if let Some(mut processor) = papr.processor(server.into()) {
        processor.activity = activity;
    }
}
