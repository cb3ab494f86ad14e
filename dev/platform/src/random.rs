//! Random numbers from the host.

use std::fs::File;
use std::io::Read;
use std::sync::{Mutex, PoisonError};

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
