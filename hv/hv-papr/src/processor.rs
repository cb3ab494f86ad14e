//! Ceding, conferring, prodding and joining of virtual processors (PAPR 14.11.3; spec papr 9), and what is set in them.

use std::sync::{MutexGuard, PoisonError};

use exec::{Context, Interrupt, Vcpu, request, timebase, timer};
use hv_core::{Dispatch, Next, Visit};
use papr_abi::hcall::{self, sys_reset};
use papr_abi::status::{H_BAD_MODE, H_CONTINUE, H_FUNCTION, H_HARDWARE, H_P2, H_PARAMETER, H_RESERVED_DABR, H_SUCCESS};
use ppc_isa::msr;

use crate::answer::{Answer, Checked};
use crate::papr::{Arguments, Call, Papr};
use crate::turns::{Activity, Processor};

pub(crate) const CALLS: &[Call] = &[
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

impl Papr {
    /// What is kept of vCPU `number`; `None` when there is none.
    pub(crate) fn processor(&self, number: u64) -> Option<MutexGuard<'_, Processor>> {
        let processor = self.processors.get(usize::try_from(number).ok()?)?;
        Some(processor.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Number of vCPUs.
    pub(crate) fn cpus(&self) -> u64 {
        self.processors.len() as u64
    }

    /// Held by who changes how many vCPUs are active, but for prods.
    pub(crate) fn joining(&self) -> MutexGuard<'_, ()> {
        self.joining.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A vCPU leaves the host's processors or comes back.
    pub(crate) fn dispatch(&self, vcpu: &Vcpu, context: &Context, change: Dispatch) {
        let Some(mut processor) = self.processor(vcpu.state.pir.into()) else { return };
        let now = timebase::timebase(&vcpu.state, context);
        match change {
            Dispatch::Leaves(why) => processor.leave(context, why, now, timer::ticks_left(&vcpu.state, context)),
            Dispatch::Enters(late) => processor.enter(vcpu, context, now, late),
        }
    }
}

/// The caller's next wait is over already: takes the prod that says so, and what is posted of it.
fn take_prod(papr: &Papr, visit: &Visit) -> bool {
    papr.processor(visit.vcpu.state.pir.into()).is_some_and(|mut own| {
        visit.context.requests.take(request::PROD);
        std::mem::take(&mut own.prodded)
    })
}

/// Opens the guest to interrupts and waits, unless a prod came before. What is pending then is looked at by who waits.
fn cede(papr: &Papr, visit: &mut Visit, _: &Arguments) -> Checked {
    visit.vcpu.set_msr_ee_ri(visit.vcpu.shared.msr() | msr::EE);
    Ok(Answer::ok().then(if take_prod(papr, visit) { Next::Run } else { Next::Wait }))
}

fn prod(papr: &Papr, visit: &mut Visit, &[cpu, ..]: &Arguments) -> Checked {
    let mut target = papr.processor(cpu).ok_or(H_PARAMETER)?;
    target.prodded = true;
    if target.activity == Activity::Joined {
        target.activity = Activity::Active;
    }
    visit.context.peers.post(Some(cpu as u32), request::PROD);
    Ok(Answer::ok())
}

/// Gives time to another vCPU that does not run since its yield count was looked at, or to all: the host chooses. To
/// oneself it means sleeping until a prod.
fn confer(papr: &Papr, visit: &mut Visit, &[cpu, count, ..]: &Arguments) -> Checked {
    let own = u64::from(visit.vcpu.state.pir);
    if cpu == u64::MAX {
        return Ok(Answer::ok().then(Next::Yield));
    }
    let target = papr.processor(cpu).ok_or(H_PARAMETER)?;
    if cpu == own {
        drop(target);
        return Ok(Answer::ok().then(if take_prod(papr, visit) { Next::Run } else { Next::Sleep }));
    }
    let seen = count as u32;
    let rests = seen & 1 == 1 && target.areas.yield_count(visit.context.mem).is_none_or(|now| now == seen);
    Ok(Answer::ok().then(if rests { Next::Yield } else { Next::Run }))
}

/// The last active vCPU is told to continue, others sleep until they are prodded.
fn join(papr: &Papr, visit: &mut Visit, _: &Arguments) -> Checked {
    if visit.vcpu.shared.msr() & msr::EE != 0 {
        return Err(H_BAD_MODE);
    }
    let own = u64::from(visit.vcpu.state.pir);
    let _joining = papr.joining();
    let active = |number| papr.processor(number).is_some_and(|other| other.activity == Activity::Active);
    if !(0..papr.cpus()).any(|number| number != own && active(number)) {
        return Err(H_CONTINUE);
    }
    let mut own = papr.processor(own).ok_or(H_HARDWARE)?;
    visit.context.requests.take(request::PROD);
    if std::mem::take(&mut own.prodded) {
        return Err(H_SUCCESS);
    }
    own.activity = Activity::Joined;
    Ok(Answer::ok().then(Next::Sleep))
}

/// One node: the associativity list 0, 0, 0, 0 and the server number, packed as 32-bit values. Which physical processor
/// ran what is not known, so only virtual ones can be asked for.
fn home_node_associativity(papr: &Papr, _: &mut Visit, &[flags, cpu, ..]: &Arguments) -> Checked {
    const VIRTUAL: u64 = 1;
    const MARK_32: u64 = 1 << 31;
    if flags != VIRTUAL {
        return Err(H_FUNCTION);
    }
    if cpu >= papr.cpus() {
        return Err(H_P2);
    }
    let pair = |high: u64, low: u64| (high | MARK_32) << 32 | low | MARK_32;
    Ok(Answer::outputs([pair(0, 0), pair(0, 0), (cpu | MARK_32) << 32 | 0xffff_ffff, u64::MAX, u64::MAX, u64::MAX]))
}

fn set_sprg0(_: &Papr, visit: &mut Visit, &[value, ..]: &Arguments) -> Checked {
    visit.vcpu.shared.set_sprg(0, value);
    Ok(Answer::ok())
}

/// The caller takes the interrupt behind the call, others as soon as they are reached; it wakes those that have joined.
fn signal_sys_reset(papr: &Papr, visit: &mut Visit, &[target, ..]: &Arguments) -> Checked {
    let (own, count) = (visit.vcpu.state.pir, papr.cpus() as u32);
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
        } else if let Some(mut other) = papr.processor(server.into()) {
            if other.activity == Activity::Joined {
                other.activity = Activity::Active;
            }
            visit.context.peers.post(Some(server), request::SYSTEM_RESET);
        }
    }
    Ok(Answer::ok())
}
