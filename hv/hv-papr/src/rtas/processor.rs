//! Starting and stopping processors (PAPR 7.3.8).
//!
//! A machine has one vCPU as yet. It is the caller, so it runs: it can not be started, and when it stops, nobody is
//! left to start it.

use hv_core::{Next, Visit};
use papr_abi::rtas::{self, HARDWARE, PARAMETER, SUCCESS};

use crate::papr::Papr;
use crate::rtas::cells::{Cells, Service};

pub(crate) const SERVICES: &[Service] = &[
    (rtas::QUERY_CPU_STOPPED_STATE, query_cpu_stopped_state),
    (rtas::START_CPU, |papr, _, cells| if exists(papr, cells) { HARDWARE } else { PARAMETER }),
    (rtas::STOP_SELF, stop_self),
];

/// Whether the first input is the number of a vCPU.
fn exists(papr: &Papr, cells: &Cells) -> bool {
    (cells.input(0) as usize) < papr.prodded.len()
}

fn query_cpu_stopped_state(papr: &Papr, _: &mut Visit, cells: &mut Cells) -> i32 {
    const RUNNING: u32 = 2;
    if !exists(papr, cells) {
        return PARAMETER;
    }
    cells.output(0, RUNNING);
    SUCCESS
}

fn stop_self(_: &Papr, _: &mut Visit, cells: &mut Cells) -> i32 {
    cells.next = Next::Stop;
    SUCCESS
}
