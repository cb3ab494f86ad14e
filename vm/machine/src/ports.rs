//! Adapters: the devices in the shape in which the hypercalls want them.

use std::sync::Arc;
use std::time::Duration;

use hv_core::Halt;
use hv_papr::ports::{
    Console, InterruptController, Nvram, Random, TimeOfDay, Watchdogs, XiveQueue, XiveRoute, XiveSource,
};
use platform::xive::{self, QueueConfig, SourceConfig};
use platform::{HostRandom, Rtc, SeededRandom, Vty, Xics, Xive};

use crate::xive::ESB;

/// Unit address of the virtual terminal.
pub const VTY_UNIT: u64 = 0x7100_0000;

/// The terminal at [`VTY_UNIT`]. Unit 0 means the same one, as firmware and early kernels use it.
pub struct VtyPort {
    /// The terminal.
    pub vty: Arc<Vty>,
    /// Signals that there is input: an edge, so again for as long as some is left.
    pub raise: Box<dyn Fn() + Send + Sync>,
}

impl Console for VtyPort {
    fn has_unit(&self, unit: u64) -> bool {
        unit == VTY_UNIT || unit == 0
    }

    fn put(&self, data: &[u8]) -> bool {
        self.vty.offer(data)
    }

    fn get(&self, out: &mut [u8]) -> usize {
        let count = self.vty.get(out);
        if self.vty.has_input() {
            (self.raise)();
        }
        count
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

/// The interrupt controller that is reached by loads and stores.
pub struct XivePort {
    /// The controller.
    pub xive: Arc<Xive>,
    /// Number of servers.
    pub servers: u32,
}

impl hv_papr::ports::Xive for XivePort {
    fn servers(&self) -> u32 {
        self.servers
    }

    fn source(&self, lisn: u32) -> Option<XiveSource> {
        let (management, trigger) = (ESB + xive::page::management(lisn), ESB + xive::page::trigger(lisn));
        self.xive.level(lisn).map(|level| XiveSource { level, management, trigger })
    }

    fn route(&self, lisn: u32) -> Option<XiveRoute> {
        let SourceConfig { target, priority, eisn, masked } = self.xive.config(lisn)?;
        Some(XiveRoute { target, priority, eisn, masked })
    }

    fn set_route(&self, lisn: u32, route: Option<XiveRoute>) {
        let config = route.map_or(SourceConfig::NONE, |XiveRoute { target, priority, eisn, masked }| SourceConfig {
            target,
            priority,
            eisn,
            masked,
        });
        self.xive.configure(lisn, config);
    }

    fn queue(&self, server: u32, priority: u8) -> Option<XiveQueue> {
        let (config, progress) = self.xive.queue(server, priority)?;
        let QueueConfig { address, shift, always } = config?;
        Some(XiveQueue { address, shift, always, generation: progress.generation, index: progress.index })
    }

    fn set_queue(&self, server: u32, priority: u8, queue: Option<XiveQueue>) {
        let config = queue.map(|XiveQueue { address, shift, always, .. }| QueueConfig { address, shift, always });
        self.xive.set_queue(server, priority, config);
    }

    fn queue_page(&self, server: u32, priority: u8) -> u64 {
        ESB + xive::page::queue(server, priority)
    }

    fn page_shift(&self) -> u32 {
        xive::PAGE
    }

    fn load(&self, lisn: u32, offset: u64) -> Option<u64> {
        self.xive.load(lisn, offset)
    }

    fn store(&self, lisn: u32, offset: u64) {
        self.xive.store(lisn, offset);
    }

    fn reset(&self) {
        self.xive.reset();
    }
}

/// The real-time clock.
pub struct RtcPort(pub Arc<Rtc>);

impl TimeOfDay for RtcPort {
    fn now(&self, elapsed: Duration) -> (i64, u32) {
        self.0.now(elapsed)
    }

    fn set(&self, elapsed: Duration, seconds: i64) {
        self.0.set(elapsed, seconds);
    }
}

/// The host's random numbers.
pub struct RandomPort(pub HostRandom);

impl Random for RandomPort {
    fn next(&self) -> Option<u64> {
        self.0.next()
    }
}

/// Random numbers from the machine's seed.
pub struct SeededPort(pub SeededRandom);

impl Random for SeededPort {
    fn next(&self) -> Option<u64> {
        Some(self.0.next())
    }
}

/// Non-volatile memory.
pub struct NvramPort(pub Arc<platform::Nvram>);

impl Nvram for NvramPort {
    fn size(&self) -> u32 {
        platform::nvram::SIZE
    }

    fn read(&self, offset: u32, out: &mut [u8]) -> bool {
        self.0.read(offset, out)
    }

    fn write(&self, offset: u32, data: &[u8]) -> bool {
        self.0.write(offset, data)
    }
}

/// The watchdogs.
pub struct WatchdogPort(pub Arc<platform::Watchdogs<Halt>>);

impl Watchdogs for WatchdogPort {
    fn count(&self) -> u64 {
        platform::watchdog::COUNT as u64
    }

    fn start(&self, number: u64, due: u64, halt: Halt) {
        self.0.start(number as usize, due, halt);
    }

    fn stop(&self, number: u64) -> bool {
        self.0.stop(number as usize)
    }
}
