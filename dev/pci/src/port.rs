//! A function's side of its configuration space: what it may do on the bus, and its interrupts.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use guest_mem::Word;

use crate::function::{Description, Region, RegionKind};
use crate::messages::MessageKind;
use crate::msix::Table;
use crate::space::{Space, command, register, status};
use crate::upstream::{MESSAGE_ADDRESS, Upstream};
use crate::{msi, msix};

struct State {
    space: Space,
    table: Option<Table>,
    /// The function wants its pin asserted.
    wanted: bool,
}

/// What a function uses of the bus. It reaches memory and sends messages only while the guest lets it be a bus master.
pub struct Port {
    slot: u8,
    upstream: Arc<Upstream>,
    state: Mutex<State>,
    /// As after a reset.
    fresh: Space,
    /// Where the capabilities are.
    msi: Option<u16>,
    msix: Option<u16>,
    messages: u16,
    /// The command register's bit.
    master: AtomicBool,
}

impl Port {
    pub(crate) fn new(slot: u8, upstream: Arc<Upstream>, description: &Description) -> Port {
        let (fresh, msi, msix) = description.space();
        let messages = description.msix.map_or(0, |(count, _)| count);
        let table = description.msix.map(|(count, _)| Table::new(count));
        let state = Mutex::new(State { space: fresh.clone(), table, wanted: false });
        Port { slot, upstream, state, fresh, msi, msix, messages, master: AtomicBool::new(false) }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the state, and sends and asserts what then may be. The lock is held for it, so that what is seen outside
    /// comes in the order of changes.
    fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let mut state = self.lock();
        let result = change(&mut state);
        let State { space, table, wanted } = &mut *state;
        let now = space.read(register::COMMAND, 2);
        let master = now & command::MASTER != 0;
        self.master.store(master, Ordering::Relaxed);
        let mut sent = Vec::new();
        if let Some(at) = self.msi {
            if !msi::enabled(space, at) {
                msi::forget(space, at);
            } else if master {
                sent = msi::take(space, at);
            }
        }
        if let (Some(at), Some(table)) = (self.msix, table) {
            if !msix::enabled(space, at) {
                table.forget();
            } else if master && !msix::masked(space, at) {
                sent.append(&mut table.take());
            }
        }
        sent.into_iter().for_each(|(address, data)| self.upstream.message(address, data));
        let asserted = *wanted && now & command::INTERRUPT_DISABLE == 0 && self.kind(space).is_none();
        self.upstream.set_pin(self.slot, asserted);
        result
    }

    /// How it sends messages, if it does.
    fn kind(&self, space: &Space) -> Option<MessageKind> {
        let msix = self.msix.filter(|at| msix::enabled(space, *at)).map(|_| MessageKind::Msix);
        msix.or_else(|| self.msi.filter(|at| msi::enabled(space, *at)).map(|_| MessageKind::Msi))
    }

    /// Whether interrupts are messages, and not the pin.
    pub fn sends_messages(&self) -> bool {
        self.kind(&self.lock().space).is_some()
    }

    /// Sends message `number`, or notes it while it is masked or the function is no bus master. Without messages nothing
    /// happens.
    pub fn signal(&self, number: u16) {
        self.change(|state| match (self.kind(&state.space), self.msi, &mut state.table) {
            (Some(MessageKind::Msix), _, Some(table)) => table.note(number),
            (Some(MessageKind::Msi), Some(at), _) => msi::note(&mut state.space, at, number.into()),
            _ => {}
        });
    }

    /// Asserts the interrupt pin, or not. It stays quiet while the guest has disabled it, or messages are sent.
    pub fn set_pin(&self, asserted: bool) {
        self.change(|state| state.wanted = asserted);
    }

    /// A register in configuration space.
    pub fn config(&self, offset: u16, bytes: u8) -> u32 {
        let state = self.lock();
        let value = state.space.read(offset, bytes);
        let covers = offset <= register::STATUS && register::STATUS < offset + u16::from(bytes);
        if covers && state.wanted {
            return value | status::INTERRUPT << (8 * (register::STATUS - offset));
        }
        value
    }

    pub(crate) fn write_config(&self, offset: u16, bytes: u8, value: u32) {
        self.change(|state| state.space.write(offset, bytes, value));
    }

    /// Which of `regions` answers at `address` in I/O or memory space, and the offset in it.
    pub(crate) fn decode(
        &self,
        io: bool,
        address: u64,
        mut regions: impl Iterator<Item = Region>,
    ) -> Option<(u8, u64)> {
        let state = self.lock();
        let bit = if io { command::IO } else { command::MEMORY };
        if state.space.read(register::COMMAND, 2) & bit == 0 {
            return None;
        }
        regions.find_map(|region| {
            let offset = address.checked_sub(region.base(&state.space))?;
            ((region.kind == RegionKind::Io) == io && offset < region.size).then_some((region.bar, offset))
        })
    }

    pub(crate) fn read_table(&self, offset: u64, bytes: u8) -> u32 {
        self.lock().table.as_ref().map_or(0, |table| table.read(offset, bytes))
    }

    pub(crate) fn write_table(&self, offset: u64, bytes: u8, value: u32) {
        self.change(|state| state.table.as_mut().map(|table| table.write(offset, bytes, value)));
    }

    /// Lets messages of a kind be `count` interrupts from source `first` on. With none, messages of that kind are switched
    /// off.
    pub(crate) fn program(&self, kind: MessageKind, first: u32, count: u32) {
        let address = if count > 0 { MESSAGE_ADDRESS } else { 0 };
        self.change(|state| match (kind, self.msi, self.msix, &mut state.table) {
            (MessageKind::Msi, Some(at), ..) => msi::program(&mut state.space, at, address, first, count),
            (MessageKind::Msix, _, Some(at), Some(table)) => {
                table.program(address, first, count);
                if count == 0 {
                    msix::disable(&mut state.space, at);
                }
            }
            _ => {}
        });
    }

    pub(crate) fn reset(&self) {
        self.change(|state| {
            state.space = self.fresh.clone();
            state.wanted = false;
            state.table = state.table.as_ref().map(|_| Table::new(self.messages));
        });
    }

    fn masters(&self) -> bool {
        self.master.load(Ordering::Relaxed)
    }

    /// Reads guest memory at bus address `address`; `false` if not all of it can be read.
    pub fn read(&self, address: u64, out: &mut [u8]) -> bool {
        self.masters() && self.upstream.dma.read(address, out)
    }

    /// Writes guest memory at bus address `address`; `false` if not all of it can be written. Then a part may have been.
    pub fn write(&self, address: u64, data: &[u8]) -> bool {
        self.masters() && self.upstream.dma.write(address, data)
    }

    /// The little-endian number at the naturally aligned bus address `address`, loaded at once.
    pub fn load<T: Word>(&self, address: u64) -> Option<T> {
        self.masters().then(|| self.upstream.dma.load(address))?
    }

    /// Stores such a number; `false` if it can not be written.
    pub fn store<T: Word>(&self, address: u64, value: T) -> bool {
        self.masters() && self.upstream.dma.store(address, value)
    }
}
