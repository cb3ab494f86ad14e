//! The system bus: which device answers at which guest real address.

use std::ops::Range;
use std::sync::Arc;

use exec::{MmioPort, Width};
use platform::Registers;

/// Devices by address, as one vCPU sees them.
#[derive(Clone, Default)]
pub struct Bus {
    devices: Vec<(Range<u64>, Arc<dyn Registers>)>,
}

impl Bus {
    /// Puts a device at `range`.
    pub fn attach(&mut self, range: Range<u64>, device: Arc<dyn Registers>) {
        self.devices.push((range, device));
    }

    fn device(&self, real: u64, bytes: u64) -> Option<(u64, &dyn Registers)> {
        let inside = |range: &Range<u64>| real >= range.start && range.end.saturating_sub(real) >= bytes;
        let (range, device) = self.devices.iter().find(|(range, _)| inside(range))?;
        Some((real - range.start, &**device))
    }
}

fn bytes(width: Width) -> u64 {
    match width {
        Width::B1 => 1,
        Width::B2 => 2,
        Width::B4 => 4,
        Width::B8 => 8,
    }
}

impl MmioPort for Bus {
    fn read(&self, real: u64, width: Width) -> Option<u64> {
        let (offset, device) = self.device(real, bytes(width))?;
        Some(device.read(offset, bytes(width)))
    }

    fn write(&self, real: u64, width: Width, value: u64) -> bool {
        let Some((offset, device)) = self.device(real, bytes(width)) else { return false };
        device.write(offset, bytes(width), value);
        true
    }
}
