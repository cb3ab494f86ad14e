//! Virtual processor areas, ceding and prodding (PAPR 14.11).

use std::sync::PoisonError;
use std::sync::atomic::Ordering;

use exec::{Interrupt, request};
use guest_mem::Order;
use hv_core::{Next, Visit};
use papr_abi::hcall::{self, sys_reset};
use papr_abi::status::{
    H_BAD_MODE, H_CONTINUE, H_FUNCTION, H_HARDWARE, H_P2, H_PARAMETER, H_RESERVED_DABR, H_RESOURCE,
};
use ppc_isa::msr;

use crate::answer::{Answer, Checked};
use crate::papr::{Arguments, Call, Papr};

pub(crate) const CALLS: &[Call] = &[
    Call { number: hcall::H_REGISTER_VPA, handler: register_vpa },
    Call { number: hcall::H_CEDE, handler: cede },
    Call { number: hcall::H_CONFER, handler: confer },
    Call { number: hcall::H_PROD, handler: prod },
    Call { number: hcall::H_JOIN, handler: join },
    Call { number: hcall::H_HOME_NODE_ASSOCIATIVITY, handler: home_node_associativity },
    Call { number: hcall::H_SET_SPRG0, handler: set_sprg0 },
    Call { number: hcall::H_SET_DABR, handler: |_, _, _| Err(H_RESERVED_DABR) },
    Call { number: hcall::H_SET_XDABR, handler: |_, _, _| Err(H_HARDWARE) },
    Call { number: hcall::H_SIGNAL_SYS_RESET, handler: signal_sys_reset },
];

/// Smallest size of a virtual processor area.
const VPA_SIZE: u64 = 640;
const CACHE_LINE: u64 = 128;

fn register_vpa(papr: &Papr, visit: &mut Visit, &[flags, cpu, address, ..]: &Arguments) -> Checked {
    let mut areas = papr.areas.lock().unwrap_or_else(PoisonError::into_inner);
    let own = usize::try_from(cpu).ok().and_then(|cpu| areas.get_mut(cpu)).ok_or(H_PARAMETER)?;
    let mem = visit.context.mem;
    let same_page = |len: u64| (address & 0xfff) + len <= 0x1000;
    match flags >> 45 & 7 {
        1 => {
            if address == 0 || address & (CACHE_LINE - 1) != 0 {
                return Err(H_PARAMETER);
            }
            let at = address.checked_add(4).ok_or(H_PARAMETER)?;
            let size = u64::from(mem.load::<u16>(at, Order::Big).ok_or(H_PARAMETER)?);
            if size < VPA_SIZE || !same_page(size) || !mem.contains(address, size) {
                return Err(H_PARAMETER);
            }
            own.vpa = Some(address);
        }
        kind @ (2 | 3) => {
            let at = address.checked_add(4).ok_or(H_PARAMETER)?;
            let size = u64::from(mem.load::<u32>(at, Order::Big).ok_or(H_PARAMETER)?);
            let fits = if kind == 2 { size >= 48 } else { size >= 8 && same_page(size) };
            if address == 0 || !fits || !mem.contains(address, size) {
                return Err(H_PARAMETER);
            }
            if own.vpa.is_none() {
                return Err(H_RESOURCE);
            }
            *(if kind == 2 { &mut own.dispatch_log } else { &mut own.slb_shadow }) = Some(address);
        }
        5 => {
            if own.slb_shadow.is_some() || own.dispatch_log.is_some() {
                return Err(H_RESOURCE);
            }
            own.vpa = None;
        }
        6 => own.dispatch_log = None,
        7 => own.slb_shadow = None,
        _ => return Err(H_PARAMETER),
    }
    Ok(Answer::ok())
}

/// Opens the guest to interrupts and waits, unless a prod came before.
fn cede(papr: &Papr, visit: &mut Visit, _: &Arguments) -> Checked {
    visit.vcpu.set_msr_ee_ri(visit.vcpu.shared.msr() | msr::EE);
    let prodded = papr.prodded.get(visit.vcpu.state.pir as usize);
    let early = prodded.is_some_and(|flag| flag.swap(false, Ordering::AcqRel));
    Ok(Answer::ok().then(if early { Next::Run } else { Next::Wait }))
}

fn prod(papr: &Papr, visit: &mut Visit, &[cpu, ..]: &Arguments) -> Checked {
    let server = u32::try_from(cpu).map_err(|_| H_PARAMETER)?;
    papr.prodded.get(server as usize).ok_or(H_PARAMETER)?.store(true, Ordering::Release);
    visit.context.peers.post(Some(server), request::PROD);
    Ok(Answer::ok())
}

/// Giving time to another vCPU, or to all, lets the host choose; giving it to oneself means waiting for a prod.
fn confer(papr: &Papr, visit: &mut Visit, &[cpu, ..]: &Arguments) -> Checked {
    if cpu == u64::from(visit.vcpu.state.pir) {
        let prodded = papr.prodded.get(visit.vcpu.state.pir as usize);
        let early = prodded.is_some_and(|flag| flag.swap(false, Ordering::AcqRel));
        return Ok(Answer::ok().then(if early { Next::Run } else { Next::Wait }));
    }
    let known = cpu == u64::MAX || cpu < papr.prodded.len() as u64;
    if known { Ok(Answer::ok().then(Next::Yield)) } else { Err(H_PARAMETER) }
}

/// The last active vCPU is told to continue; with one vCPU that is always the caller. It serves partitions that are
/// suspended: with several vCPUs it is not offered.
fn join(papr: &Papr, visit: &mut Visit, _: &Arguments) -> Checked {
    if papr.prodded.len() > 1 {
        return Err(H_FUNCTION);
    }
    Err(if visit.vcpu.shared.msr() & msr::EE != 0 { H_BAD_MODE } else { H_CONTINUE })
}

/// One node: the associativity list 0, 0, 0, 0 and the server number, packed as 32-bit values.
fn home_node_associativity(papr: &Papr, _: &mut Visit, &[flags, cpu, ..]: &Arguments) -> Checked {
    const MARK_32: u64 = 1 << 31;
    if flags != 1 {
        return Err(H_FUNCTION);
    }
    if cpu >= papr.prodded.len() as u64 {
        return Err(H_P2);
    }
    let pair = |high: u64, low: u64| (high | MARK_32) << 32 | low | MARK_32;
    Ok(Answer::outputs([pair(0, 0), pair(0, 0), (cpu | MARK_32) << 32 | 0xffff_ffff, u64::MAX, u64::MAX, u64::MAX]))
}

fn set_sprg0(_: &Papr, visit: &mut Visit, &[value, ..]: &Arguments) -> Checked {
    visit.vcpu.shared.set_sprg(0, value);
    Ok(Answer::ok())
}

/// The caller takes the interrupt behind the call, others as soon as they are reached.
fn signal_sys_reset(papr: &Papr, visit: &mut Visit, &[target, ..]: &Arguments) -> Checked {
    let (own, count) = (visit.vcpu.state.pir, papr.prodded.len() as u32);
    let targets = match target {
        sys_reset::ALL | sys_reset::ALL_OTHERS => 0..count,
        _ => {
            let server = u32::try_from(target).ok().filter(|server| *server < count).ok_or(H_PARAMETER)?;
            server..server + 1
        }
    };
    for server in targets.filter(|server| *server != own || target != sys_reset::ALL_OTHERS) {
        if server == own {
            visit.deliver(Interrupt::SystemReset);
        } else {
            visit.context.peers.post(Some(server), request::SYSTEM_RESET);
        }
    }
    Ok(Answer::ok())
}
