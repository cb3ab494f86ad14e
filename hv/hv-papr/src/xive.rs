//! Calls that set up a XIVE (PAPR, interrupt exploitation; spec papr 2.7, 6.3). On a machine with a XICS they do not
//! exist. No OS reporting line is kept: its two calls are not offered.

use hv_core::Visit;
use papr_abi::hcall;
use papr_abi::status::{H_FUNCTION, H_P2, H_P3, H_P4, H_P5, H_PARAMETER};

use crate::answer::{Answer, Checked};
use crate::papr::{Arguments, Call, Papr};
use crate::ports::{GUEST_PRIORITIES, QUEUE_SHIFTS, Xive, XiveQueue, XiveRoute, XiveSource};

pub(crate) const CALLS: &[Call] = &[
    Call { number: hcall::H_INT_GET_SOURCE_INFO, handler: get_source_info },
    Call { number: hcall::H_INT_SET_SOURCE_CONFIG, handler: set_source_config },
    Call { number: hcall::H_INT_GET_SOURCE_CONFIG, handler: get_source_config },
    Call { number: hcall::H_INT_GET_QUEUE_INFO, handler: get_queue_info },
    Call { number: hcall::H_INT_SET_QUEUE_CONFIG, handler: set_queue_config },
    Call { number: hcall::H_INT_GET_QUEUE_CONFIG, handler: get_queue_config },
    Call { number: hcall::H_INT_ESB, handler: esb },
    Call { number: hcall::H_INT_SYNC, handler: sync },
    Call { number: hcall::H_INT_RESET, handler: reset },
];

/// What a source is: it has H_INT_ESB in place of pages, it is level-triggered, a store at 0x400 ends its interrupt.
/// Sources have a page of their own for triggers, so 0x2 is never set.
mod source {
    pub const H_INT_ESB: u64 = 0x8;
    pub const LSI: u64 = 0x4;
    pub const STORE_EOI: u64 = 0x1;
}

/// H_INT_SET_SOURCE_CONFIG: set the number that the guest gives to the event; mask.
const SET_EISN: u64 = 0x2;
const MASK: u64 = 0x1;
/// The priority of what is masked; set, it makes a source forget its route.
const MASKED: u64 = 0xff;
/// H_INT_SET_QUEUE_CONFIG and its counterpart: every event notifies.
const ALWAYS_NOTIFY: u64 = 0x1;
/// H_INT_GET_QUEUE_CONFIG: tell how far the queue is; the generation is then this bit of the flags.
const DEBUG: u64 = 0x1;
const GENERATION: u64 = 1 << 62;
/// H_INT_ESB: a store.
const STORE: u64 = 0x1;
/// An address, or a value, that there is not.
const NONE: u64 = u64::MAX;

fn xive(papr: &Papr) -> Result<&dyn Xive, i64> {
    papr.xive().ok_or(H_FUNCTION)
}

fn flags(flags: u64, known: u64) -> Result<(), i64> {
    if flags & !known == 0 { Ok(()) } else { Err(H_PARAMETER) }
}

fn lisn(xive: &dyn Xive, lisn: u64) -> Result<(u32, XiveSource), i64> {
    let lisn = u32::try_from(lisn).map_err(|_| H_P2)?;
    Ok((lisn, xive.source(lisn).ok_or(H_P2)?))
}

fn target(xive: &dyn Xive, target: u64, error: i64) -> Result<u32, i64> {
    u32::try_from(target).ok().filter(|target| *target < xive.servers()).ok_or(error)
}

fn priority(priority: u64, error: i64) -> Result<u8, i64> {
    u8::try_from(priority).ok().filter(|priority| *priority < GUEST_PRIORITIES).ok_or(error)
}

fn get_source_info(papr: &Papr, _: &mut Visit, &[given, number, ..]: &Arguments) -> Checked {
    let xive = xive(papr)?;
    flags(given, 0)?;
    let (_, XiveSource { level, management, trigger }) = lisn(xive, number)?;
    let shift = xive.page_shift().into();
    // A level has to be looked at again when it ends, which real hardware leaves to the hypervisor.
    Ok(Answer::outputs(if level {
        [source::H_INT_ESB | source::LSI | source::STORE_EOI, NONE, NONE, shift]
    } else {
        [source::STORE_EOI, management, trigger, shift]
    }))
}

fn set_source_config(papr: &Papr, _: &mut Visit, arguments: &Arguments) -> Checked {
    let &[given, number, server, level, eisn, ..] = arguments;
    let xive = xive(papr)?;
    flags(given, SET_EISN | MASK)?;
    let (lisn, _) = lisn(xive, number)?;
    if level == MASKED {
        xive.set_route(lisn, None);
        return Ok(Answer::ok());
    }
    let (target, priority) = (target(xive, server, H_P3)?, priority(level, H_P4)?);
    let known = xive.route(lisn).map_or(0, |route| route.eisn);
    let eisn = if given & SET_EISN != 0 { eisn as u32 & 0x7fff_ffff } else { known };
    xive.set_route(lisn, Some(XiveRoute { target, priority, eisn, masked: given & MASK != 0 }));
    Ok(Answer::ok())
}

fn get_source_config(papr: &Papr, _: &mut Visit, &[given, number, ..]: &Arguments) -> Checked {
    let xive = xive(papr)?;
    flags(given, 0)?;
    let (lisn, _) = lisn(xive, number)?;
    let route = xive.route(lisn).ok_or(H_P2)?;
    let priority = if route.masked { MASKED } else { route.priority.into() };
    Ok(Answer::outputs([route.target.into(), priority, route.eisn.into()]))
}

fn get_queue_info(papr: &Papr, _: &mut Visit, &[given, server, level, ..]: &Arguments) -> Checked {
    let xive = xive(papr)?;
    flags(given, 0)?;
    let (target, priority) = (target(xive, server, H_P2)?, priority(level, H_P3)?);
    Ok(Answer::outputs([xive.queue_page(target, priority), xive.page_shift().into()]))
}

/// A size of 0 takes the queue away.
fn set_queue_config(papr: &Papr, visit: &mut Visit, arguments: &Arguments) -> Checked {
    let &[given, server, level, address, size, ..] = arguments;
    let xive = xive(papr)?;
    flags(given, ALWAYS_NOTIFY)?;
    let (target, priority) = (target(xive, server, H_P2)?, priority(level, H_P3)?);
    let queue = if size == 0 {
        None
    } else {
        let shift = QUEUE_SHIFTS.into_iter().find(|shift| u64::from(*shift) == size).ok_or(H_P5)?;
        if !address.is_multiple_of(1 << shift) || !visit.context.mem.contains(address, 1 << shift) {
            return Err(H_P4);
        }
        Some(XiveQueue { address, shift, always: given & ALWAYS_NOTIFY != 0, generation: true, index: 0 })
    };
    xive.set_queue(target, priority, queue);
    Ok(Answer::ok())
}

fn get_queue_config(papr: &Papr, _: &mut Visit, &[given, server, level, ..]: &Arguments) -> Checked {
    let xive = xive(papr)?;
    flags(given, DEBUG)?;
    let (target, priority) = (target(xive, server, H_P2)?, priority(level, H_P3)?);
    let Some(queue) = xive.queue(target, priority) else { return Ok(Answer::outputs([0; 4])) };
    let always = if queue.always { ALWAYS_NOTIFY } else { 0 };
    let (generation, index) = match (given & DEBUG, queue.generation) {
        (0, _) => (0, 0),
        (_, false) => (0, queue.index.into()),
        (_, true) => (GENERATION, queue.index.into()),
    };
    Ok(Answer::outputs([always | generation, queue.address, queue.shift.into(), index]))
}

/// What a load or store to the management page does, for sources without pages. The data does not matter.
fn esb(papr: &Papr, _: &mut Visit, &[given, number, offset, ..]: &Arguments) -> Checked {
    let xive = xive(papr)?;
    flags(given, STORE)?;
    let (lisn, _) = lisn(xive, number)?;
    if offset >= 1 << xive.page_shift() {
        return Err(H_P3);
    }
    if given & STORE != 0 {
        xive.store(lisn, offset);
        return Ok(Answer::outputs([NONE]));
    }
    Ok(Answer::outputs([xive.load(lisn, offset).unwrap_or(NONE)]))
}

/// An event is in its queue before the access that triggered it is over: nothing is under way.
fn sync(papr: &Papr, _: &mut Visit, &[given, number, ..]: &Arguments) -> Checked {
    let xive = xive(papr)?;
    flags(given, 0)?;
    lisn(xive, number)?;
    Ok(Answer::ok())
}

fn reset(papr: &Papr, _: &mut Visit, &[given, ..]: &Arguments) -> Checked {
    let xive = xive(papr)?;
    flags(given, 0)?;
    xive.reset();
    Ok(Answer::ok())
}
