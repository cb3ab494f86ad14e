//! The interrupt controller, doorbells, processor messages (ePAPR 1.1, section 7.5).
//!
//! The parameters of EV_INT_SEND_IPI and of the task priority calls follow EV_INT_IACK: the controller's handle comes
//! first, 0 meaning whichever there is.

use exec::supervisor::booke;
use hv_core::Visit;
use ppc_isa::cpu::E5500;
use pv_abi::epapr::{MOST_URGENT, SPURIOUS, Status};

use super::ports::{Config, InterruptController, Ports};
use crate::answer::{Answer, Checked, Parameters};

fn controller(ports: &Ports) -> Result<&dyn InterruptController, Status> {
    ports.interrupts.as_deref().ok_or(Status::Unimplemented)
}

/// The controller, when `handle` names it.
fn named(ports: &Ports, handle: u64) -> Result<&dyn InterruptController, Status> {
    let controller = controller(ports)?;
    if handle == 0 || controller.has_handle(handle as u32) { Ok(controller) } else { Err(Status::Invalid) }
}

fn done(valid: bool) -> Checked {
    if valid { Ok(Answer::ok()) } else { Err(Status::Invalid) }
}

pub(super) fn set_config(ports: &Ports, _: &mut Visit, &[interrupt, sense, priority, cpu, ..]: &Parameters) -> Checked {
    let controller = controller(ports)?;
    if priority > u64::from(MOST_URGENT) {
        return Err(Status::Invalid);
    }
    let config = Config { sense: sense as u32, priority: priority as u32, cpu: cpu as u32 };
    done(controller.set_config(interrupt as u32, config))
}

pub(super) fn get_config(ports: &Ports, _: &mut Visit, &[interrupt, ..]: &Parameters) -> Checked {
    let config = controller(ports)?.config(interrupt as u32).ok_or(Status::Invalid)?;
    Ok(Answer::outputs([config.sense, config.priority, config.cpu].map(u64::from)))
}

pub(super) fn set_mask(ports: &Ports, _: &mut Visit, &[interrupt, mask, ..]: &Parameters) -> Checked {
    let controller = controller(ports)?;
    done(mask <= 1 && controller.set_masked(interrupt as u32, mask == 1))
}

pub(super) fn get_mask(ports: &Ports, _: &mut Visit, &[interrupt, ..]: &Parameters) -> Checked {
    let masked = controller(ports)?.masked(interrupt as u32).ok_or(Status::Invalid)?;
    Ok(Answer::outputs([u64::from(masked)]))
}

pub(super) fn acknowledge(ports: &Ports, visit: &mut Visit, &[handle, ..]: &Parameters) -> Checked {
    let interrupt = named(ports, handle)?.acknowledge(visit.vcpu.state.pir).unwrap_or(SPURIOUS);
    Ok(Answer::outputs([u64::from(interrupt)]))
}

pub(super) fn end(ports: &Ports, visit: &mut Visit, &[interrupt, ..]: &Parameters) -> Checked {
    done(controller(ports)?.end(visit.vcpu.state.pir, interrupt as u32))
}

pub(super) fn send_ipi(ports: &Ports, _: &mut Visit, &[handle, channel, cpus, ..]: &Parameters) -> Checked {
    done(named(ports, handle)?.send_ipi(channel as u32, cpus as u32))
}

pub(super) fn set_priority(ports: &Ports, visit: &mut Visit, &[handle, priority, ..]: &Parameters) -> Checked {
    let controller = named(ports, handle)?;
    if priority > u64::from(MOST_URGENT) {
        return Err(Status::Invalid);
    }
    controller.set_task_priority(visit.vcpu.state.pir, priority as u32);
    Ok(Answer::ok())
}

pub(super) fn get_priority(ports: &Ports, visit: &mut Visit, &[handle, ..]: &Parameters) -> Checked {
    Ok(Answer::outputs([u64::from(named(ports, handle)?.task_priority(visit.vcpu.state.pir))]))
}

pub(super) fn ring(ports: &Ports, _: &mut Visit, &[handle, ..]: &Parameters) -> Checked {
    done(ports.doorbells.as_ref().ok_or(Status::Unimplemented)?.ring(handle as u32))
}

/// What `msgsnd` does, where the processor has it.
pub(super) fn send_message(_: &Ports, visit: &mut Visit, &[message, ..]: &Parameters) -> Checked {
    if !E5500.contains(visit.vcpu.state.cpu) {
        return Err(Status::Unimplemented);
    }
    done(booke::send_message(visit.context, message as u32))
}
