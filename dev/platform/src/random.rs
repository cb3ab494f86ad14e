//! Random numbers: the host's, or those that a seed gives.

use std::fs::File;
use std::io::Read;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use sha2::{Digest, Sha256};

/// The host's random device.
pub struct HostRandom {
    device: Mutex<Option<File>>,
}

impl Default for HostRandom {
    fn default() -> HostRandom {
        HostRandom { device: Mutex::new(File::open("/dev/urandom").ok()) }
    }
}

impl HostRandom {
    /// Sixty-four random bits, or `None` when the host gives none.
    pub fn next(&self) -> Option<u64> {
        let mut bytes = [0; 8];
        let mut device = self.device.lock().unwrap_or_else(PoisonError::into_inner);
        device.as_mut()?.read_exact(&mut bytes).ok()?;
        Some(u64::from_le_bytes(bytes))
    }
}

/// Numbers made from a seed: as good as the seed is secret, and the same in every run with the same seed.
#[derive(Debug)]
pub struct SeededRandom {
    seed: [u8; 32],
    count: AtomicU64,
}

impl SeededRandom {
    /// A source that begins at the start of the seed's sequence.
    pub fn new(seed: [u8; 32]) -> SeededRandom {
        SeededRandom { seed, count: AtomicU64::new(0) }
    }

    /// Sixty-four bits: SHA-256 of the seed and how often it was asked.
    pub fn next(&self) -> u64 {
        let count = self.count.fetch_add(1, Ordering::Relaxed);
        let hash = Sha256::new().chain_update(self.seed).chain_update(count.to_le_bytes()).finalize();
        hash.iter().take(8).fold(0, |bits, byte| bits << 8 | u64::from(*byte))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeds_repeat_and_differ() {
        let numbers = |seed: u8| {
            let random = SeededRandom::new([seed; 32]);
            [(); 4].map(|()| random.next())
        };
        assert_eq!(numbers(1), numbers(1));
        let mut all = [numbers(1), numbers(2)].concat();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), 8);
    }
}
