//! The turns of a vCPU: whether it runs, why not, and what its areas are told of that.

use exec::{Context, Vcpu, request, timer};
use hv_core::Rest;

use crate::areas::{Areas, Entry, Reason, Times};

/// Whether a vCPU counts among the active ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Activity {
    Active,
    /// It has joined the others, and sleeps until it is prodded.
    Joined,
    Stopped,
}

/// What is kept of a vCPU beside its registers. Each is locked alone, and for the time of a call at most.
#[derive(Debug)]
pub(crate) struct Processor {
    pub areas: Areas,
    pub activity: Activity,
    pub times: Times,
    /// A prod that ends the next wait. Its request is posted under the same lock.
    pub prodded: bool,
    /// Why it does not run, since when, and when a timer of its own ends that.
    rests: Option<(Rest, u64, u64)>,
}

impl Processor {
    /// The boot CPU runs, others wait to be started.
    pub fn new(server: u32) -> Processor {
        let (activity, rests) = match server {
            0 => (Activity::Active, None),
            _ => (Activity::Stopped, Some((Rest::Stops, 0, u64::MAX))),
        };
        Processor { areas: Areas::default(), activity, times: Times::default(), prodded: false, rests }
    }

    /// Whether it runs as far as the guest is told.
    pub fn running(&self) -> bool {
        self.rests.is_none()
    }

    /// It does not run from timebase `now` on, and a timer of its own ends that after `timer` ticks.
    pub fn leave(&mut self, context: &Context, why: Rest, now: u64, timer: u64) {
        self.rests = Some((why, now, now.saturating_add(timer)));
        self.areas.leave(context.mem);
        if why == Rest::Stops {
            self.stop();
        }
    }

    /// What was registered is void, and nothing of old prods is left.
    fn stop(&mut self) {
        (self.areas, self.prodded) = (Areas::default(), false);
    }

    /// It runs again; the host was `late` ticks late.
    pub fn enter(&mut self, vcpu: &Vcpu, context: &Context, now: u64, late: u64) {
        let Some((rest, since, due)) = self.rests.take() else { return };
        if rest == Rest::Stops {
            self.stop();
        }
        let asked = context.requests.pending();
        if asked & request::PROD != 0 && rest == Rest::Waits {
            // It has ended this wait, and shall not end another one.
            self.prodded = false;
        }
        self.activity = Activity::Active;
        let elapsed = now.saturating_sub(since);
        let times = match rest {
            Rest::Waits => {
                let late = late.max(now.saturating_sub(due));
                Times { waited: elapsed.saturating_sub(late), enqueued: late }
            }
            Rest::Yields | Rest::Preempted => Times { waited: 0, enqueued: elapsed.max(late) },
            Rest::Stops => Times::default(),
        };
        self.times.waited = self.times.waited.wrapping_add(times.waited);
        self.times.enqueued = self.times.enqueued.wrapping_add(times.enqueued);
        let reason = match rest {
            Rest::Yields | Rest::Preempted => Reason::TimeSlice,
            _ if asked & request::SYSTEM_RESET != 0 => Reason::SystemReset,
            _ if asked & request::PROD != 0 => Reason::Prod,
            _ if timer::decrementer_pending(&vcpu.state, context) => Reason::Decrementer,
            _ => Reason::External,
        };
        let (server, address, msr) = (vcpu.state.pir, vcpu.state.cia, vcpu.shared.msr());
        self.areas.enter(context.mem, &Entry { server, rest, reason, times, now, address, msr }, self.times);
    }
}
