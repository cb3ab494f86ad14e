//! Adapters: the devices in the shape in which the hypercalls want them.

use std::sync::Arc;

use hv_papr::ports::{Console, InterruptController, Random, TimeOfDay};
use platform::{HostRandom, Rtc, Vty, Xics};

/// Unit address of the virtual terminal.
pub const VTY_UNIT: u64 = 0x7100_0000;

/// The terminal at [`VTY_UNIT`]. Unit 0 means the same one, as firmware and early kernels use it.
pub struct VtyPort(pub Arc<Vty>);

impl Console for VtyPort {
    fn has_unit(&self, unit: u64) -> bool {
        unit == VTY_UNIT || unit == 0
    }

    fn put(&self, data: &[u8]) -> bool {
        self.0.put(data);
        true
    }

    fn get(&self, out: &mut [u8]) -> usize {
        self.0.get(out)
    }
}

/// The interrupt controller.
pub struct XicsPort(pub Arc<Xics>);

impl InterruptController for XicsPort {
    fn set_cppr(&self, server: u32, cppr: u8) {
        self.0.set_cppr(server, cppr);
    }

    fn accept(&self, server: u32) -> u32 {
        self.0.accept(server)
    }

    fn end(&self, server: u32, xirr: u32) {
        self.0.end(server, xirr);
    }

    fn set_mfrr(&self, server: u32, mfrr: u8) -> bool {
        self.0.set_mfrr(server, mfrr)
    }

    fn poll(&self, server: u32) -> Option<(u32, u8)> {
        self.0.poll(server)
    }

    fn set_source(&self, irq: u32, server: u32, priority: u8) -> bool {
        self.0.set_source(irq, server, priority)
    }

    fn source(&self, irq: u32) -> Option<(u32, u8)> {
        self.0.source(irq)
    }

    fn set_enabled(&self, irq: u32, enabled: bool) -> bool {
        self.0.set_enabled(irq, enabled)
    }
}

/// The real-time clock.
pub struct RtcPort(pub Rtc);

impl TimeOfDay for RtcPort {
    fn now(&self) -> (i64, u32) {
        self.0.now()
    }

    fn set(&self, seconds: i64) {
        self.0.set(seconds);
    }
}

/// The host's random numbers.
pub struct RandomPort(pub HostRandom);

impl Random for RandomPort {
    fn next(&self) -> Option<u64> {
        self.0.next()
    }
}
