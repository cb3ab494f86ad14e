//! Idle and sleeping cores.

use hv_core::{Next, Visit};
use pv_abi::epapr::{OWN_PARTITION, Status};

use super::ports::{Cores, Ports};
use crate::answer::{Answer, Checked, Parameters};

/// EV_IDLE: returns when something is pending, let in or not; MSR stays as it is.
pub(super) fn idle(_: &Ports, _: &mut Visit, _: &Parameters) -> Checked {
    Ok(Answer { next: Next::Wait, ..Answer::ok() })
}

/// The cores of `partition`, which can only be the caller's.
fn cores(ports: &Ports, partition: u64) -> Result<&dyn Cores, Status> {
    let cores = ports.cores.as_deref().ok_or(Status::Unimplemented)?;
    if partition as u32 == OWN_PARTITION { Ok(cores) } else { Err(Status::Invalid) }
}

pub(super) fn state(ports: &Ports, _: &mut Visit, &[partition, cpu, ..]: &Parameters) -> Checked {
    Ok(Answer::outputs([cores(ports, partition)?.state(cpu as u32).ok_or(Status::Invalid)?]))
}

/// A core can only put itself to sleep.
pub(super) fn enter_nap(ports: &Ports, visit: &mut Visit, &[partition, cpu, ..]: &Parameters) -> Checked {
    let cores = cores(ports, partition)?;
    if cpu as u32 != visit.vcpu.state.pir {
        return Err(Status::Invalid);
    }
    Ok(Answer { next: cores.nap(cpu as u32)?, ..Answer::ok() })
}

pub(super) fn exit_nap(ports: &Ports, _: &mut Visit, &[partition, cpu, ..]: &Parameters) -> Checked {
    if cores(ports, partition)?.wake(cpu as u32) { Ok(Answer::ok()) } else { Err(Status::Invalid) }
}
