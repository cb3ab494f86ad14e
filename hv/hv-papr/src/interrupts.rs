//! XICS presentation calls (PAPR 14.5.4.6). On a machine with a XIVE they do not exist.

use exec::timebase;
use hv_core::Visit;
use papr_abi::hcall;
use papr_abi::status::{H_FUNCTION, H_PARAMETER};

use crate::answer::{Answer, Checked};
use crate::papr::{Arguments, Call, Papr};
use crate::ports::InterruptController;

pub(crate) const CALLS: &[Call] = &[
    Call { number: hcall::H_EOI, handler: eoi },
    Call { number: hcall::H_CPPR, handler: cppr },
    Call { number: hcall::H_IPI, handler: ipi },
    Call { number: hcall::H_IPOLL, handler: ipoll },
    Call { number: hcall::H_XIRR, handler: xirr },
    Call { number: hcall::H_XIRR_X, handler: xirr_x },
];

fn xics(papr: &Papr) -> Result<&dyn InterruptController, i64> {
    papr.xics().ok_or(H_FUNCTION)
}

fn eoi(papr: &Papr, visit: &mut Visit, &[xirr, ..]: &Arguments) -> Checked {
    xics(papr)?.end(visit.vcpu.state.pir, xirr as u32);
    Ok(Answer::ok())
}

fn cppr(papr: &Papr, visit: &mut Visit, &[cppr, ..]: &Arguments) -> Checked {
    xics(papr)?.set_cppr(visit.vcpu.state.pir, cppr as u8);
    Ok(Answer::ok())
}

fn ipi(papr: &Papr, _: &mut Visit, &[server, mfrr, ..]: &Arguments) -> Checked {
    let xics = xics(papr)?;
    let server = u32::try_from(server).map_err(|_| H_PARAMETER)?;
    xics.set_mfrr(server, mfrr as u8).then(Answer::ok).ok_or(H_PARAMETER)
}

fn ipoll(papr: &Papr, _: &mut Visit, &[server, ..]: &Arguments) -> Checked {
    let xics = xics(papr)?;
    let server = u32::try_from(server).map_err(|_| H_PARAMETER)?;
    let (xirr, mfrr) = xics.poll(server).ok_or(H_PARAMETER)?;
    Ok(Answer::outputs([u64::from(xirr), u64::from(mfrr)]))
}

fn xirr(papr: &Papr, visit: &mut Visit, _: &Arguments) -> Checked {
    Ok(Answer::outputs([u64::from(xics(papr)?.accept(visit.vcpu.state.pir))]))
}

fn xirr_x(papr: &Papr, visit: &mut Visit, _: &Arguments) -> Checked {
    let now = timebase::timebase(&visit.vcpu.state, visit.context);
    Ok(Answer::outputs([u64::from(xics(papr)?.accept(visit.vcpu.state.pir)), now]))
}
