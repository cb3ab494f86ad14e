//! One vCPU with its engine: from exit to exit, and how it waits.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use exec::{Context, Engine, Exit, Requests, Vcpu, delivery, request, timebase, timer};
use exec::{Interrupt, Privileged, Start};
use hv_core::{Dispatch, ExitCounts, Halt, Next, Rest, Visit, hypervisor};
use machine::Machine;
use machine::bus::Bus;

use crate::delay::Delay;
use crate::desk::{self, Desk};
use crate::observer::Observer;
use crate::{Outcome, Policy};

/// Instructions between looks at the host's clock, and at an interrupt that the guest holds off: what lets it in ends
/// the run anyway.
const SLICE: u64 = 20_000;
/// Instructions between looks while the guest holds interrupts off in a critical section, which ends without an exit.
const CRITICAL_SLICE: u64 = 64;
/// Turns between looks at how long the host let the thread wait, of a vCPU that never rests.
const DELAY_TURNS: u64 = 256;
/// A decrementer further away than this is as good as off.
pub const FOREVER: u64 = timebase::TIMEBASE_HZ << 20;

/// How a vCPU goes on after an exit.
#[derive(Debug, PartialEq, Eq)]
pub enum Turn {
    /// It runs on.
    Runs,
    /// It runs on, after others.
    Yields,
    /// It waits for an interrupt or a request.
    Waits,
    /// It waits for a prod or a system reset, whatever else is pending.
    Sleeps,
    /// It has stopped.
    Stops,
    /// The machine stops.
    Ends(Outcome),
}

/// A vCPU with what runs it.
pub struct Runner<'a, 'o> {
    machine: &'a Machine,
    pub vcpu: &'a mut Vcpu,
    engine: &'a mut dyn Engine,
    requests: &'a Requests,
    bus: &'a Bus,
    policy: &'a Policy,
    observer: Option<&'a Mutex<&'o mut (dyn Observer + 'o)>>,
    /// Exits are answered where they occur, as far as they can be.
    answers: bool,
    counts: ExitCounts,
    idle: Duration,
    /// Ticks of virtual time that passed without instructions of its own.
    skipped: u64,
    /// Nothing has changed what is pending since that was looked at, as far as can be known without the host's clock.
    settled: bool,
    delay: Delay,
}

impl<'a, 'o> Runner<'a, 'o> {
    /// `None` when the machine has no such vCPU.
    pub fn new(
        machine: &'a Machine,
        vcpu: &'a mut Vcpu,
        engine: &'a mut dyn Engine,
        policy: &'a Policy,
        observer: Option<&'a Mutex<&'o mut (dyn Observer + 'o)>>,
    ) -> Option<Runner<'a, 'o>> {
        let requests = machine.mailboxes.0.get(vcpu.state.pir as usize)?;
        let bus = machine.bus(vcpu.state.pir)?;
        // Nobody sees the exits, and they cost nothing.
        let answers = observer.is_none() && policy.exit_cost.is_zero();
        let (counts, idle) = (ExitCounts::default(), Duration::ZERO);
        let (skipped, settled, delay) = (0, false, Delay::default());
        let runner = Runner {
            machine,
            vcpu,
            engine,
            requests,
            bus,
            policy,
            observer,
            answers,
            counts,
            idle,
            skipped,
            settled,
            delay,
        };
        Some(runner)
    }

    /// Exit counts, all instructions of the vCPU, time asleep.
    pub fn finish(self) -> (ExitCounts, u64, Duration) {
        (self.counts, self.vcpu.state.retired, self.idle)
    }

    /// Its mailbox.
    pub fn requests(&self) -> &'a Requests {
        self.requests
    }

    /// What its engine works with.
    pub fn context(&self) -> Context<'a> {
        let Runner { machine, policy, requests, bus, answers, .. } = *self;
        let delivers = answers && policy.privileged == Privileged::Inline;
        Context { delivers, ..machine.context_of(requests, bus, &*policy.time.clock, policy.privileged) }
    }

    /// Runs until the machine stops, with the thread for itself.
    pub fn live(&mut self) -> Outcome {
        let mut begins = true;
        let mut turns = 0_u64;
        loop {
            if std::mem::take(&mut begins) && self.requests().stopped_or_starting() {
                if let Err(outcome) = self.asleep(Runner::stay_stopped) {
                    return outcome;
                }
                self.comes_back();
            }
            match self.turn(u64::MAX, 0) {
                Turn::Runs => {
                    turns += 1;
                    if turns.is_multiple_of(DELAY_TURNS) {
                        self.preempted();
                    }
                }
                Turn::Yields => {
                    self.leaves(Rest::Yields);
                    std::thread::yield_now();
                    self.comes_back();
                }
                Turn::Waits => {
                    self.leaves(Rest::Waits);
                    self.asleep(Runner::wait);
                    self.comes_back();
                }
                Turn::Sleeps => {
                    self.leaves(Rest::Waits);
                    self.asleep(Runner::sleep);
                    self.comes_back();
                }
                Turn::Stops => {
                    self.leaves(Rest::Stops);
                    self.requests().stop();
                    begins = true;
                }
                Turn::Ends(outcome) => return outcome,
            }
        }
    }

    /// Tells the hypervisor that the vCPU does not run from now on.
    pub fn leaves(&mut self, why: Rest) {
        self.machine.hypervisor.dispatched(self.vcpu, &self.context(), Dispatch::Leaves(why));
    }

    /// Tells it that the vCPU runs again, and could have for `late` ticks.
    pub fn enters(&mut self, late: u64) {
        self.machine.hypervisor.dispatched(self.vcpu, &self.context(), Dispatch::Enters(late));
    }

    /// The same on the host's time: its scheduler knows how long the thread was kept waiting.
    fn comes_back(&mut self) {
        let late = timebase::ticks(self.delay.passed());
        self.enters(late);
    }

    /// Tells the hypervisor of a vCPU that has run on whether the host kept it waiting meanwhile.
    fn preempted(&mut self) {
        let late = timebase::ticks(self.delay.passed());
        if late != 0 {
            self.leaves(Rest::Preempted);
            self.enters(late);
        }
    }

    /// Counts as idle what `work` takes.
    fn asleep<T>(&mut self, work: impl FnOnce(&mut Self) -> T) -> T {
        let since = Instant::now();
        let result = work(self);
        self.idle += since.elapsed();
        result
    }

    /// Looks at what was asked and what is pending, runs the guest for at most `most` instructions to its next exit, and
    /// answers that. Others have retired `elsewhere` instructions.
    pub fn turn(&mut self, most: u64, elsewhere: u64) -> Turn {
        let Runner { machine, policy, requests, .. } = *self;
        let context = self.context();
        let mut reset = false;
        if requests.pending() != 0 {
            if requests.take(request::STOP) != 0 {
                return Turn::Ends(stopped(machine));
            }
            let noticed = request::INTERRUPT | request::PROD | request::SYSTEM_RESET;
            reset = requests.take(noticed) & request::SYSTEM_RESET != 0;
        }
        let time = &policy.time;
        desk::set_time(machine, policy, self.vcpu, elsewhere);
        if let Some(outcome) = self.expired() {
            return Turn::Ends(outcome);
        }
        let settled = std::mem::take(&mut self.settled) && requests.pending() == 0;
        let mut visit = Visit { vcpu: &mut *self.vcpu, context: &context, counts: &mut self.counts };
        if reset {
            visit.vcpu.state.waiting = false;
            visit.deliver(Interrupt::SystemReset);
        }
        if !settled {
            hypervisor::poll(&mut visit, &*machine.lines);
            if timer::reset_requested(&visit.vcpu.state, &context) {
                return Turn::Ends(Outcome::Halted(Halt::Reset));
            }
        }
        if visit.vcpu.state.waiting {
            return Turn::Waits;
        }
        let budget = budget(visit.vcpu, &context, machine.watchdogs.next(), time.is_virtual).min(most);
        let watched = self.observer.is_some();
        let desk = Desk::new(machine, policy, elsewhere, std::mem::take(&mut self.counts));
        let inside = Context { answers: if self.answers { Some(&desk) } else { None }, ..context };
        let (exit, guest) = timed(watched, || {
            let _inside = requests.enter();
            self.engine.run(self.vcpu, &inside, budget)
        });
        let answered;
        (self.counts, answered) = desk.close();
        let mut visit = Visit { vcpu: &mut *self.vcpu, context: &context, counts: &mut self.counts };
        // One exit at a time: an observer sees each with its answer. Nobody waits for a vCPU that waits here.
        let mut observer = self.observer.map(lock);
        if let Some(observer) = &mut observer {
            observer.exit(visit.vcpu, &exit, guest);
        }
        let (next, host) = timed(watched, || {
            let next = answered.unwrap_or_else(|| machine.hypervisor.handle(&exit, &mut visit));
            self.skipped = self.skipped.wrapping_add(charge(policy, &exit, visit.vcpu));
            next
        });
        if let Some(observer) = &mut observer {
            observer.answer(visit.vcpu, visit.counts.last_call, host);
            if observer.done() {
                return Turn::Ends(Outcome::Stopped);
            }
        }
        drop(observer);
        // An interrupt that an instruction causes lets none in that is held off, and starts no timer. The end of the slice
        // looks at the clock.
        let delivered = match exit {
            Exit::Interrupt(_) => true,
            Exit::SystemCall(_) => self.counts.last_call.is_none(),
            _ => false,
        };
        self.settled = delivered && !time.is_virtual && next == Next::Run && self.vcpu.state.held == 0;
        // Hypercalls that change translations, and `sync`; a trapped tlbie may be one of many.
        if !matches!(exit, Exit::Privileged(_)) {
            context.settle();
        }
        match next {
            Next::Run | Next::Resume => Turn::Runs,
            Next::Yield => Turn::Yields,
            Next::Wait => {
                self.counts.reason("halt_wakeup");
                Turn::Waits
            }
            Next::Sleep => Turn::Sleeps,
            Next::Stop => Turn::Stops,
            Next::Halt(why) => Turn::Ends(Outcome::Halted(why)),
        }
    }

    /// Whether an interrupt is pending, let in or not, or a request is there that ends waiting.
    pub fn awake(&mut self) -> bool {
        self.requests().awakening() != 0 || delivery::pending(self.vcpu, &self.context(), &*self.machine.lines).any()
    }

    /// Sleeps until an interrupt is pending or a request arrives.
    fn wait(&mut self) {
        if delivery::pending(self.vcpu, &self.context(), &*self.machine.lines).any() {
            return;
        }
        let ticks = timer::ticks_left(&self.vcpu.state, &self.context()).min(self.to_expiry());
        self.requests().sleep(deadline(ticks));
    }

    /// Sleeps until it is prodded or reset.
    fn sleep(&mut self) {
        while !self.prodded() && self.to_expiry() != 0 {
            self.requests().sleep(deadline(self.to_expiry()));
        }
    }

    /// Whether a request is there that ends sleeping. That an interrupt may have come is looked at later.
    pub fn prodded(&self) -> bool {
        self.requests().take(request::INTERRUPT);
        self.requests().awakening() != 0
    }

    /// Ticks until a watchdog of the machine expires.
    pub fn to_expiry(&self) -> u64 {
        match self.machine.watchdogs.next() {
            u64::MAX => u64::MAX,
            due => due.saturating_sub(timebase::timebase(&self.vcpu.state, &self.context())),
        }
    }

    /// How the run ends when a watchdog has expired.
    pub fn expired(&self) -> Option<Outcome> {
        if self.to_expiry() != 0 {
            return None;
        }
        let now = timebase::timebase(&self.vcpu.state, &self.context());
        self.machine.watchdogs.expired(now).map(Outcome::Halted)
    }

    /// The same for all vCPUs of a machine on virtual time, none of which has anything to do before something is typed.
    pub fn wait_for_input(&mut self, deadline: Option<Instant>) {
        self.asleep(|runner| runner.requests().sleep(deadline));
    }

    /// Sleeps until the vCPU is started.
    fn stay_stopped(&mut self) -> Result<(), Outcome> {
        let requests = self.requests();
        loop {
            if let Some(outcome) = self.start_or_stop() {
                return outcome;
            }
            if let Some(outcome) = self.expired() {
                return Err(outcome);
            }
            requests.sleep(deadline(self.to_expiry()));
        }
    }

    /// Starts the stopped vCPU if it was told to, or says that the machine stops; `None` if neither was asked. Nothing
    /// else that is asked of it concerns it.
    pub fn start_or_stop(&mut self) -> Option<Result<(), Outcome>> {
        let requests = self.requests();
        if requests.take(request::STOP) != 0 {
            return Some(Err(stopped(self.machine)));
        }
        requests.take(!(request::STOP | request::START | request::INVALIDATE));
        let start = requests.take_start()?;
        self.begin(start);
        Some(Ok(()))
    }

    fn begin(&mut self, start: Start) {
        self.machine.start(self.vcpu, start);
        self.engine.reset();
    }

    /// Ticks of virtual time on this vCPU.
    pub fn time(&self) -> u64 {
        self.policy.time.clock.ticks(self.vcpu.state.retired).wrapping_add(self.skipped)
    }

    /// Lets `ticks` of virtual time pass.
    pub fn skip(&mut self, ticks: u64) {
        self.skipped = self.skipped.wrapping_add(ticks);
        self.vcpu.state.timebase_offset = self.vcpu.state.timebase_offset.wrapping_add(ticks);
    }
}

/// What a request to stop means: the machine has halted, or it is stopped from outside.
fn stopped(machine: &Machine) -> Outcome {
    machine.halted().map_or(Outcome::Stopped, Outcome::Halted)
}

fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// When `ticks` have passed, if that is to be waited for.
fn deadline(ticks: u64) -> Option<Instant> {
    if ticks < FOREVER { Instant::now().checked_add(timebase::duration(ticks)) } else { None }
}

/// Instructions to the next look at what is pending, a watchdog's expiry among it. Slices end at the same instructions,
/// whatever exits lie between.
fn budget(vcpu: &Vcpu, context: &Context, expiry: u64, is_virtual: bool) -> u64 {
    let rest = |slice: u64| slice - vcpu.state.retired % slice;
    let slice = match vcpu.state.held {
        0 if is_virtual => FOREVER,
        0 => SLICE,
        _ if vcpu.critical() => rest(CRITICAL_SLICE),
        _ => rest(SLICE),
    };
    if !is_virtual {
        return slice;
    }
    let slice = match expiry {
        u64::MAX => slice,
        due => slice.min(due.saturating_sub(timebase::timebase(&vcpu.state, context)).max(1)),
    };
    // A timer that is up already is held, and does not count.
    match timer::ticks_left(&vcpu.state, context) {
        0 => slice,
        left => slice.min(left),
    }
}

/// Does `work`, and says how long it took if it is watched: the clock has its price.
fn timed<T>(watched: bool, work: impl FnOnce() -> T) -> (T, Duration) {
    let start = watched.then(Instant::now);
    let result = work();
    (result, start.map_or(Duration::ZERO, |start| start.elapsed()))
}

/// Lets `exit` cost what the policy says; returns the ticks by which virtual time jumped. Events are no exits of the
/// guest's doing.
fn charge(policy: &Policy, exit: &Exit, vcpu: &mut Vcpu) -> u64 {
    if policy.exit_cost.is_zero() || matches!(exit, Exit::Event) {
        return 0;
    }
    if policy.time.is_virtual {
        let ticks = timebase::ticks(policy.exit_cost);
        vcpu.state.timebase_offset = vcpu.state.timebase_offset.wrapping_add(ticks);
        return ticks;
    }
    let start = Instant::now();
    while start.elapsed() < policy.exit_cost {
        std::hint::spin_loop();
    }
    0
}
