//! XICS presentation calls (PAPR 14.5.4.6).

use exec::timebase;
use hv_core::Visit;
use papr_abi::hcall;
use papr_abi::status::H_PARAMETER;

use crate::answer::{Answer, Checked};
use crate::papr::{Arguments, Call, Papr};

pub(crate) const CALLS: &[Call] = &[
    Call { number: hcall::H_EOI, handler: eoi },
    Call { number: hcall::H_CPPR, handler: cppr },
    Call { number: hcall::H_IPI, handler: ipi },
    Call { number: hcall::H_IPOLL, handler: ipoll },
    Call { number: hcall::H_XIRR, handler: xirr },
    Call { number: hcall::H_XIRR_X, handler: xirr_x },
];

fn eoi(papr: &Papr, visit: &mut Visit, &[xirr, ..]: &Arguments) -> Checked {
    papr.ports.interrupts.end(visit.vcpu.state.pir, xirr as u32);
    Ok(Answer::ok())
}

fn cppr(papr: &Papr, visit: &mut Visit, &[cppr, ..]: &Arguments) -> Checked {
    papr.ports.interrupts.set_cppr(visit.vcpu.state.pir, cppr as u8);
    Ok(Answer::ok())
}

fn ipi(papr: &Papr, _: &mut Visit, &[server, mfrr, ..]: &Arguments) -> Checked {
    let server = u32::try_from(server).map_err(|_| H_PARAMETER)?;
    papr.ports.interrupts.set_mfrr(server, mfrr as u8).then(Answer::ok).ok_or(H_PARAMETER)
}

fn ipoll(papr: &Papr, _: &mut Visit, &[server, ..]: &Arguments) -> Checked {
    let server = u32::try_from(server).map_err(|_| H_PARAMETER)?;
    let (xirr, mfrr) = papr.ports.interrupts.poll(server).ok_or(H_PARAMETER)?;
    Ok(Answer::outputs([u64::from(xirr), u64::from(mfrr)]))
}

fn xirr(papr: &Papr, visit: &mut Visit, _: &Arguments) -> Checked {
    Ok(Answer::outputs([u64::from(papr.ports.interrupts.accept(visit.vcpu.state.pir))]))
}

fn xirr_x(papr: &Papr, visit: &mut Visit, _: &Arguments) -> Checked {
    let now = timebase::timebase(&visit.vcpu.state, visit.context);
    Ok(Answer::outputs([u64::from(papr.ports.interrupts.accept(visit.vcpu.state.pir)), now]))
}
