//! What the calls need from the machine.

/// The virtual terminal.
pub trait Console: Send + Sync {
    /// Whether `unit` is a terminal of this machine.
    fn has_unit(&self, unit: u64) -> bool;
    /// Writes all of `data` or nothing; `false` when there is no room now.
    fn put(&self, data: &[u8]) -> bool;
    /// Reads up to `out.len()` bytes that have arrived; returns how many.
    fn get(&self, out: &mut [u8]) -> usize;
}

/// The interrupt controller in XICS terms: servers present, sources are routed (PAPR 14.5.4.6).
pub trait InterruptController: Send + Sync {
    /// Sets the current processor priority of a server.
    fn set_cppr(&self, server: u32, cppr: u8);
    /// Accepts the pending interrupt: CPPR in the top byte, source below.
    fn accept(&self, server: u32) -> u32;
    /// Ends the interrupt in `xirr` and sets CPPR from its top byte.
    fn end(&self, server: u32, xirr: u32);
    /// Sets the inter-processor priority of a server; `false` when there is no such server.
    fn set_mfrr(&self, server: u32, mfrr: u8) -> bool;
    /// XIRR without accepting, and MFRR. `None` when there is no such server.
    fn poll(&self, server: u32) -> Option<(u32, u8)>;
    /// Routes a source; `false` when source or server do not exist.
    fn set_source(&self, irq: u32, server: u32, priority: u8) -> bool;
    /// Server and priority of a source.
    fn source(&self, irq: u32) -> Option<(u32, u8)>;
    /// Masks or unmasks a source; `false` when it does not exist.
    fn set_enabled(&self, irq: u32, enabled: bool) -> bool;
}

/// Date and time.
pub trait TimeOfDay: Send + Sync {
    /// Seconds since 1970 (UTC) and nanoseconds.
    fn now(&self) -> (i64, u32);
    /// Sets the clock to seconds since 1970.
    fn set(&self, seconds: i64);
}

/// Random numbers good enough for keys.
pub trait Random: Send + Sync {
    /// Sixty-four random bits, or `None` when the host has none.
    fn next(&self) -> Option<u64>;
}
