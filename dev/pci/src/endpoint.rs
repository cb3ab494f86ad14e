//! A function in its slot: configuration space and regions, what is common to all in front of what is its own.

use std::sync::Arc;

use crate::function::{Description, Function};
use crate::messages::MessageKind;
use crate::port::Port;
use crate::upstream::Upstream;

/// A function on a bus.
pub struct Endpoint {
    description: Description,
    port: Arc<Port>,
    function: Box<dyn Function>,
}

impl Endpoint {
    /// A function in `slot`; `make` gives it what it uses of the bus.
    pub fn new(
        slot: u8,
        upstream: Arc<Upstream>,
        description: Description,
        make: impl FnOnce(Arc<Port>) -> Box<dyn Function>,
    ) -> Endpoint {
        let port = Arc::new(Port::new(slot, upstream, &description));
        let function = make(Arc::clone(&port));
        Endpoint { description, port, function }
    }

    /// Who it is and what it has.
    pub fn description(&self) -> &Description {
        &self.description
    }

    /// Reads a register in configuration space.
    pub(crate) fn read_config(&self, offset: u16, bytes: u8) -> u32 {
        self.function.read_config(offset, bytes).unwrap_or_else(|| self.port.config(offset, bytes))
    }

    /// Writes it.
    pub(crate) fn write_config(&self, offset: u16, bytes: u8, value: u32) {
        self.port.write_config(offset, bytes, value);
        self.function.config_written(offset, bytes);
    }

    fn is_table(&self, bar: u8) -> bool {
        self.description.msix.is_some_and(|(_, table)| table == bar)
    }

    /// Reads `bytes` (1, 2 or 4) at an aligned address in I/O or memory space; `None` where it has nothing.
    pub(crate) fn read(&self, io: bool, address: u64, bytes: u8) -> Option<u32> {
        let (bar, offset) = self.port.decode(io, address, self.description.all_regions())?;
        Some(match self.is_table(bar) {
            true => self.port.read_table(offset, bytes),
            false => self.function.read(bar, offset, bytes),
        })
    }

    /// Writes there; `false` where it has nothing.
    pub(crate) fn write(&self, io: bool, address: u64, bytes: u8, value: u32) -> bool {
        let Some((bar, offset)) = self.port.decode(io, address, self.description.all_regions()) else { return false };
        match self.is_table(bar) {
            true => self.port.write_table(offset, bytes, value),
            false => self.function.write(bar, offset, bytes, value),
        }
        true
    }

    /// See [`Port::program`].
    pub(crate) fn program(&self, kind: MessageKind, first: u32, count: u32) {
        self.port.program(kind, first, count);
    }

    /// As after power-on.
    pub(crate) fn reset(&self) {
        self.function.reset();
        self.port.reset();
    }
}
