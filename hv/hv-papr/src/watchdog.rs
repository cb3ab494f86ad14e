//! H_WATCHDOG: timers of the platform that end the machine unless the guest starts them again (PAPR 14.15).

use exec::{request, timebase};
use hv_core::{Halt, Visit};
use papr_abi::hcall;
use papr_abi::status::{H_NOOP, H_P2, H_P3, H_PARAMETER};

use crate::answer::{Answer, Checked};
use crate::papr::{Arguments, Call, Papr};

pub(crate) const CALLS: &[Call] = &[Call { number: hcall::H_WATCHDOG, handler: h_watchdog }];

/// Flags: IBM bit 47 leaves other watchdogs running on expiry, 48 to 55 are the operation, 56 to 63 what expiry does.
mod flags {
    pub const RESERVED: u64 = !0x1_ffff;
    pub const OPERATION: u64 = 0xff00;
    pub const ACTION: u64 = 0x00ff;
    pub const START: u64 = 0x0100;
    pub const STOP: u64 = 0x0200;
    pub const QUERY_CAPABILITIES: u64 = 0x0300;
    pub const QUERY_MIGRATION: u64 = 0x0400;
}

/// What expiry does. A dump is for who looks at the platform from outside: there is nobody.
const ACTIONS: [(u64, Halt); 3] = [(1, Halt::PowerOff), (2, Halt::Reset), (3, Halt::Reset)];
/// Names all watchdogs, to stop them.
const ALL: u64 = u64::MAX;
/// Least timeout in milliseconds.
const LEAST: u64 = 1;
const TICKS_PER_MILLISECOND: u64 = timebase::TIMEBASE_HZ / 1000;
/// A watchdog may run while a partition is suspended.
const NEED_NOT_STOP: u64 = 2;

/// Expiry halts the machine, so there are no others to be left running.
fn h_watchdog(papr: &Papr, visit: &mut Visit, &[flags, number, timeout, ..]: &Arguments) -> Checked {
    if flags & flags::RESERVED != 0 {
        return Err(H_PARAMETER);
    }
    let watchdogs = &papr.ports.watchdogs;
    let which = || number.checked_sub(1).filter(|index| *index < watchdogs.count()).ok_or(H_P2);
    match flags & flags::OPERATION {
        flags::START => {
            let action = ACTIONS.into_iter().find(|(code, _)| *code == flags & flags::ACTION);
            let (_, halt) = action.ok_or(H_PARAMETER)?;
            let which = which()?;
            if timeout < LEAST {
                return Err(H_P3);
            }
            let now = timebase::timebase(&visit.vcpu.state, visit.context);
            // The last tick of all means never.
            let due = now.saturating_add(timeout.saturating_mul(TICKS_PER_MILLISECOND)).min(u64::MAX - 1);
            watchdogs.start(which, due, halt);
            // Whoever sleeps does not know of it yet.
            visit.context.peers.post(None, request::INTERRUPT);
            Ok(Answer::ok())
        }
        flags::STOP if number == ALL => {
            (0..watchdogs.count()).for_each(|which| _ = watchdogs.stop(which));
            Ok(Answer::ok())
        }
        flags::STOP => {
            if watchdogs.stop(which()?) {
                Ok(Answer::ok())
            } else {
                Err(H_NOOP)
            }
        }
        flags::QUERY_CAPABILITIES => Ok(Answer::outputs([LEAST << 48 | watchdogs.count() << 32])),
        flags::QUERY_MIGRATION => which().map(|_| Answer::outputs([NEED_NOT_STOP])),
        _ => Err(H_PARAMETER),
    }
}
