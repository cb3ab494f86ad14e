//! Sources: what triggers, and where the events go.

use super::LEAST;
use super::esb::{Load, Pq, Store};

/// The route of a source's events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SourceConfig {
    /// The thread that is interrupted.
    pub target: u32,
    /// At which priority.
    pub priority: u8,
    /// What the guest calls the event: 31 bits.
    pub eisn: u32,
    /// Events are lost.
    pub masked: bool,
}

impl SourceConfig {
    /// What a source has that the guest did not route, or does no longer.
    pub const NONE: SourceConfig = SourceConfig { target: 0, priority: LEAST, eisn: 0, masked: true };
}

#[derive(Clone, Copy, Debug)]
pub struct Source {
    pub level: bool,
    pub config: SourceConfig,
    pq: Pq,
    /// The line of a level source.
    asserted: bool,
}

/// What can cause an event returns whether it does.
impl Source {
    pub fn new(level: bool) -> Source {
        Source { level, config: SourceConfig::NONE, pq: Pq::Off, asserted: false }
    }

    pub fn reset(&mut self) {
        *self = Source { asserted: self.asserted, ..Source::new(self.level) };
    }

    /// A level source that is asserted and ready is pending at once: levels do not wait in Q.
    fn sense(&mut self) -> bool {
        self.level && self.asserted && self.pq == Pq::Ready && self.pq.trigger()
    }

    pub fn set_line(&mut self, asserted: bool) -> bool {
        self.asserted = self.level && asserted;
        if self.level { self.sense() } else { asserted && self.pq.trigger() }
    }

    pub fn load(&mut self, load: Load) -> (bool, u64) {
        let (value, event) = self.pq.load(load);
        let again = self.sense();
        // An end tells whether an event followed, from wherever.
        (event || again, if load == Load::End { (event || again).into() } else { value })
    }

    pub fn store(&mut self, store: Store) -> bool {
        let event = match store {
            Store::Trigger => self.pq.trigger(),
            Store::End => self.pq.end(),
            Store::Set(pq) => {
                self.pq = pq;
                false
            }
            Store::Nothing => false,
        };
        self.sense() || event
    }
}
