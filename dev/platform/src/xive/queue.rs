//! Event queues: rings of words in guest memory (spec papr 6.3).
//!
//! The controller does not know how far the guest has read. If the guest does not keep up, the oldest words are
//! overwritten, as by the hardware.

use super::esb::Pq;

/// A queue of the guest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QueueConfig {
    /// Guest real address, a multiple of its size.
    pub address: u64,
    /// log2 of its bytes.
    pub shift: u32,
    /// Every event notifies; without, the queue has bits P and Q of its own.
    pub always: bool,
}

/// Where the next word goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Its number in the ring.
    pub index: u32,
    /// What its top bit is: 1 in the first lap, 0 in the second, and so on.
    pub generation: bool,
}

#[derive(Clone, Copy, Debug, Default)]
pub struct Queue {
    pub config: Option<QueueConfig>,
    pub progress: Progress,
    /// Of notifications.
    pub pq: Pq,
}

impl Queue {
    /// Starts anew, with this ring or none; `false` when words can not be counted in it.
    pub fn configure(&mut self, config: Option<QueueConfig>) -> bool {
        *self = match config {
            None => Queue::default(),
            Some(QueueConfig { shift: ..=2 | 32.., .. }) => return false,
            Some(_) => Queue { config, progress: Progress { index: 0, generation: true }, pq: Pq::Ready },
        };
        true
    }

    /// Takes a place in the ring: its address and its word.
    pub fn enter(&mut self, eisn: u32) -> Option<(u64, u32)> {
        let QueueConfig { address, shift, .. } = self.config?;
        let Progress { index, generation } = self.progress;
        let words = 1_u32 << (shift - 2);
        let last = index + 1 == words;
        self.progress = Progress { index: if last { 0 } else { index + 1 }, generation: generation != last };
        let word = u32::from(generation) << 31 | eisn & 0x7fff_ffff;
        Some((address.wrapping_add(4 * u64::from(index)), word))
    }

    /// Whether an event that has entered notifies.
    pub fn notifies(&mut self) -> bool {
        self.config.is_some_and(|config| config.always) || self.pq.trigger()
    }
}
