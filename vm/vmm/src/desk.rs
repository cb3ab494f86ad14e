//! The hypervisor as engines reach it without leaving guest code.

use std::cell::RefCell;

use exec::{Answers, Context, Exit, Vcpu, timebase};
use hv_core::{ExitCounts, Next, Visit};
use machine::Machine;

use crate::Policy;

/// Answers exits of one run.
pub struct Desk<'a> {
    machine: &'a Machine,
    policy: &'a Policy,
    elsewhere: u64,
    /// Exits by reason, and how the vCPU goes on if its run has ended by an answer.
    book: RefCell<(ExitCounts, Option<Next>)>,
}

impl<'a> Desk<'a> {
    /// Goes on counting in `counts`. Other vCPUs have retired `elsewhere` instructions.
    pub fn new(machine: &'a Machine, policy: &'a Policy, elsewhere: u64, counts: ExitCounts) -> Desk<'a> {
        Desk { machine, policy, elsewhere, book: RefCell::new((counts, None)) }
    }

    /// What was counted, and how the vCPU goes on if its run has ended by an answer.
    pub fn close(self) -> (ExitCounts, Option<Next>) {
        self.book.into_inner()
    }
}

impl Answers for Desk<'_> {
    fn answer(&self, vcpu: &mut Vcpu, context: &Context, exit: &Exit) -> bool {
        // Nothing asks that is being answered.
        let (counts, next) = &mut *self.book.borrow_mut();
        set_time(self.machine, self.policy, vcpu, self.elsewhere);
        let problem = vcpu.state.mode.problem();
        let mut handle = || self.machine.hypervisor.handle(exit, &mut Visit { vcpu, context, counts });
        let answer = match exit {
            // Hypercalls may wait for other vCPUs.
            Exit::SystemCall(_) | Exit::Illegal { .. } if self.machine.mailboxes.0.len() > 1 => {
                context.requests.outside(handle)
            }
            _ => handle(),
        };
        let goes_on = match exit {
            _ if answer == Next::Resume => true,
            Exit::Privileged(_) | Exit::Interrupt(_) => answer == Next::Run,
            // Delivered to the guest; what a hypercall has changed is looked at.
            _ => answer == Next::Run && counts.last_call.is_none() && problem,
        };
        if !goes_on {
            *next = Some(answer);
        }
        goes_on
    }
}

/// Virtual time is what `vcpu` and the others, which have retired `elsewhere` instructions, have come to.
pub fn set_time(machine: &Machine, policy: &Policy, vcpu: &Vcpu, elsewhere: u64) {
    let time = &policy.time;
    if time.is_virtual {
        let retired = vcpu.state.retired.wrapping_add(elsewhere);
        machine.time.set(timebase::duration(time.clock.ticks(retired)));
    }
}
