//! XIVE: the interrupt controller that guests reach by loads and stores (PAPR, interrupt exploitation; spec papr 6.3).
//!
//! A source has two bits of state, in which a trigger waits while the one before it is handled. From the source an event
//! goes along its route, as a word in the queue of a priority of a thread, and there it makes the priority pending. The
//! thread is interrupted while the most favoured priority that pends is more favoured than its own; a lower number is a
//! more favoured one.
//!
//! The work of an access is bounded: it moves at most one event.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

mod esb;
mod queue;
mod source;
mod thread;

pub use esb::{Esb, PAGE, page};
pub use queue::{Progress, QueueConfig};
pub use source::SourceConfig;
pub use thread::Tima;

use esb::{Load, Store};
use queue::Queue;
use source::Source;
use thread::Thread;

/// Priorities of a thread, each with a queue.
pub const PRIORITIES: u8 = 8;
/// The priority of what is masked, and as a thread's own the one that lets everything in.
pub const LEAST: u8 = 0xff;

/// Stores a word in guest memory, most significant byte first; `false` where there is none.
pub type StoreWord = Box<dyn Fn(u64, u32) -> bool + Send>;

struct State {
    sources: BTreeMap<u32, Source>,
    /// By thread, then by priority.
    queues: Vec<[Queue; PRIORITIES as usize]>,
    threads: Vec<Thread>,
    store: StoreWord,
    /// The thread whose interrupt has come up.
    risen: Option<u32>,
}

/// The interrupt controller of one machine.
pub struct Xive {
    state: Mutex<State>,
    wake: Box<dyn Fn(u32) + Send + Sync>,
}

impl Xive {
    /// A controller for `servers` vCPUs with the given sources (number, level-triggered), and below them one for each
    /// vCPU, by which the guest interrupts its own. `wake` is called with the server whose interrupt comes up.
    pub fn new(servers: u32, sources: &[(u32, bool)], store: StoreWord, wake: Box<dyn Fn(u32) + Send + Sync>) -> Xive {
        let own = (0..servers).map(|number| (number, false));
        let state = State {
            sources: own.chain(sources.iter().copied()).map(|(lisn, level)| (lisn, Source::new(level))).collect(),
            queues: vec![Default::default(); servers as usize],
            threads: vec![Thread::default(); servers as usize],
            store,
            risen: None,
        };
        Xive { state: Mutex::new(state), wake }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn with<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let (result, risen) = {
            let mut state = self.lock();
            (change(&mut state), state.risen.take())
        };
        risen.into_iter().for_each(&self.wake);
        result
    }

    /// Whether vCPU `server` is interrupted.
    pub fn pending(&self, server: u32) -> bool {
        self.lock().threads.get(server as usize).is_some_and(Thread::interrupted)
    }

    /// Sets the line of a level source, or signals an edge with `true`.
    pub fn set_line(&self, lisn: u32, asserted: bool) {
        self.with(|state| state.source(lisn, |source| (source.set_line(asserted), ())));
    }

    /// Whether a source is level-triggered; `None` when there is no such source.
    pub fn level(&self, lisn: u32) -> Option<bool> {
        self.lock().sources.get(&lisn).map(|source| source.level)
    }

    /// Where the events of a source go.
    pub fn config(&self, lisn: u32) -> Option<SourceConfig> {
        self.lock().sources.get(&lisn).map(|source| source.config)
    }

    /// Routes a source; `false` when it does not exist. Events of a route that leads nowhere are lost.
    pub fn configure(&self, lisn: u32, config: SourceConfig) -> bool {
        self.with(|state| state.source(lisn, |source| (false, source.config = config)).is_some())
    }

    /// The queue of a priority, and how far it is; `None` when there is no such priority, or no such thread. A priority
    /// without a queue has no configuration.
    pub fn queue(&self, server: u32, priority: u8) -> Option<(Option<QueueConfig>, Progress)> {
        self.with(|state| state.queue(server, priority).map(|queue| (queue.config, queue.progress)))
    }

    /// Gives a priority a new queue, or none; `false` when there is no such priority or thread, or queues can not have
    /// that size.
    pub fn set_queue(&self, server: u32, priority: u8, config: Option<QueueConfig>) -> bool {
        self.with(|state| state.queue(server, priority).is_some_and(|queue| queue.configure(config)))
    }

    /// A load at `offset` of the management page of a source; `None` when it does not exist.
    pub fn load(&self, lisn: u32, offset: u64) -> Option<u64> {
        self.with(|state| state.source(lisn, |source| source.load(Load::at(offset))))
    }

    /// A store there; `false` when the source does not exist.
    pub fn store(&self, lisn: u32, offset: u64) -> bool {
        self.with(|state| state.source(lisn, |source| (source.store(Store::at(offset)), ())).is_some())
    }

    /// A load at `offset` of the page of a queue, for guests who let queues hold notifications back.
    fn load_queue(&self, server: u32, priority: u8, offset: u64) -> Option<u64> {
        self.with(|state| {
            let queue = state.queue(server, priority)?;
            let (old, notify) = queue.pq.load(Load::at(offset));
            if notify {
                state.notify(server, priority);
            }
            Some(old)
        })
    }

    /// Forgets what the guest has set up, as after power-on. Lines stay as they are.
    pub fn reset(&self) {
        self.with(|state| {
            state.sources.values_mut().for_each(Source::reset);
            state.queues.fill_with(Default::default);
            state.threads.fill(Thread::default());
        });
    }
}

impl State {
    fn queue(&mut self, server: u32, priority: u8) -> Option<&mut Queue> {
        self.queues.get_mut(server as usize)?.get_mut(usize::from(priority))
    }

    /// Changes a source; `change` says whether an event leaves it.
    fn source<T>(&mut self, lisn: u32, change: impl FnOnce(&mut Source) -> (bool, T)) -> Option<T> {
        let source = self.sources.get_mut(&lisn)?;
        let (event, result) = change(source);
        let config = source.config;
        if event && !config.masked {
            self.forward(config);
        }
        Some(result)
    }

    /// Moves an event along its route.
    fn forward(&mut self, SourceConfig { target, priority, eisn, .. }: SourceConfig) {
        let Some(queue) = self.queue(target, priority) else { return };
        let Some((address, word)) = queue.enter(eisn) else { return };
        let notify = queue.notifies();
        (self.store)(address, word);
        if notify {
            self.notify(target, priority);
        }
    }

    fn notify(&mut self, server: u32, priority: u8) {
        self.thread(server, |thread| thread.post(priority));
    }

    /// Changes a thread, and notes when that interrupts it.
    fn thread<T>(&mut self, server: u32, change: impl FnOnce(&mut Thread) -> T) -> Option<T> {
        let thread = self.threads.get_mut(server as usize)?;
        let before = thread.interrupted();
        let result = change(thread);
        if thread.interrupted() && !before {
            self.risen = Some(server);
        }
        Some(result)
    }
}

#[cfg(test)]
mod tests;
