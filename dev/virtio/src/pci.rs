//! Virtio over PCI (section 4.1): the structures behind one base address register, and the capabilities that say where.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use pci::space::register::FIRST_CAPABILITY;
use pci::{Capability, Description, Function, Identity, Port, Region, RegionKind};

use crate::device::Device;
use crate::queue::{Fault, Queue};

const VENDOR: u16 = 0x1af4;
/// Device IDs of PCI are those of virtio from here on.
const FIRST_DEVICE: u16 = 0x1040;
/// Devices without the legacy interface.
const REVISION: u8 = 1;
const SUBSYSTEM: u16 = 0x40;

/// The base address registers of the structures and of the messages' table.
const STRUCTURES: u8 = 4;
const MESSAGES: u8 = 1;
const REGION: u64 = 0x4000;

/// Capabilities: their ID, and kinds of structures.
const VENDOR_SPECIFIC: u8 = 0x09;
const COMMON: u8 = 1;
const NOTIFY: u8 = 2;
const ISR: u8 = 3;
const CONFIG: u8 = 4;
const WINDOW: u8 = 5;
/// Of the window in configuration space: where its data is, from the capability on.
const WINDOW_DATA: u16 = 16;

/// Bytes of the common configuration.
const COMMON_SIZE: usize = 0x38;
/// Each queue is notified at an address of its own, so many bytes apart.
const NOTIFY_STEP: u32 = 4;
/// Bytes kept for each structure.
const PART: u64 = 0x1000;

/// Feature bits of the transport (section 6).
const VERSION_1: u64 = 1 << 32;
const ACCESS_PLATFORM: u64 = 1 << 33;
const REQUIRED: u64 = VERSION_1 | ACCESS_PLATFORM;

/// Bits of the device status (section 2.1).
const DRIVER_OK: u8 = 4;
const FEATURES_OK: u8 = 8;
const NEEDS_RESET: u8 = 0x40;

/// Bits of the interrupt status.
const ISR_QUEUE: u8 = 1;
const ISR_CONFIG: u8 = 2;

/// A message number that stands for none.
const NO_VECTOR: u16 = 0xffff;

struct State {
    device_feature_select: u32,
    driver_feature_select: u32,
    features: u64,
    config_vector: u16,
    status: u8,
    isr: u8,
    queue_select: u16,
    /// Queues with the numbers of their messages.
    queues: Vec<(Queue, u16)>,
}

impl State {
    fn new(queues: &[u16]) -> State {
        State {
            device_feature_select: 0,
            driver_feature_select: 0,
            features: 0,
            config_vector: NO_VECTOR,
            status: 0,
            isr: 0,
            queue_select: 0,
            queues: queues.iter().map(|most| (Queue::new(*most), NO_VECTOR)).collect(),
        }
    }

    fn selected(&mut self) -> Option<&mut (Queue, u16)> {
        self.queues.get_mut(usize::from(self.queue_select))
    }
}

/// A virtio device as a function.
pub struct VirtioPci {
    device: Box<dyn Device>,
    port: Arc<Port>,
    state: Mutex<State>,
    /// Offset of the window's capability.
    window: u16,
}

/// A capability that says where a structure is.
fn structure(kind: u8, len: u32, more: &[u8]) -> Capability {
    let offset = if kind == WINDOW { 0 } else { u64::from(kind - 1) * PART };
    let bar = if kind == WINDOW { 0 } else { STRUCTURES };
    // ID and pointer are in front.
    let whole = (16 + more.len()) as u8;
    let body = [&[whole, kind, bar, 0, 0, 0][..], &(offset as u32).to_le_bytes(), &len.to_le_bytes(), more].concat();
    Capability { id: VENDOR_SPECIFIC, body, writable: Vec::new() }
}

fn capabilities(device: &dyn Device) -> Vec<Capability> {
    let queues = device.queues().len() as u32;
    let config = device.config().len() as u32;
    let mut capabilities = vec![
        structure(COMMON, COMMON_SIZE as u32, &[]),
        structure(NOTIFY, NOTIFY_STEP * queues, &NOTIFY_STEP.to_le_bytes()),
        structure(ISR, 1, &[]),
    ];
    if config > 0 {
        capabilities.push(structure(CONFIG, config, &[]));
    }
    let all = [0xff; 4];
    // The driver writes register, offset, length and data.
    let writable = [&[0, 0, 0xff, 0, 0, 0][..], &all, &all, &all].concat();
    capabilities.push(Capability { writable, ..structure(WINDOW, 0, &[0; 4]) });
    capabilities
}

impl VirtioPci {
    /// The function that a device is.
    pub fn description(device: &dyn Device) -> Description {
        let identity = Identity {
            vendor: VENDOR,
            device: FIRST_DEVICE + device.id(),
            revision: REVISION,
            class: device.class(),
            subsystem_vendor: VENDOR,
            subsystem: SUBSYSTEM,
        };
        Description {
            identity,
            regions: vec![Region { bar: STRUCTURES, kind: RegionKind::Memory64, size: REGION }],
            capabilities: capabilities(device),
            pin: true,
            msi: 0,
            // One for each queue, and one for the configuration.
            msix: Some((device.queues().len() as u16 + 1, MESSAGES)),
        }
    }

    /// A device on a bus.
    pub fn new(device: Box<dyn Device>, port: Arc<Port>) -> VirtioPci {
        let capabilities = capabilities(&*device);
        let before = capabilities.iter().rev().skip(1).map(|one| (2 + one.body.len() as u16).next_multiple_of(4));
        let window = FIRST_CAPABILITY + before.sum::<u16>();
        let state = Mutex::new(State::new(device.queues()));
        VirtioPci { device, port, state, window }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn offered(&self) -> u64 {
        self.device.features() | REQUIRED
    }

    /// The common configuration as its bytes read.
    fn common(&self, state: &mut State) -> [u8; COMMON_SIZE] {
        let select = |features: u64, select: u32| match select {
            0 => features as u32,
            1 => (features >> 32) as u32,
            _ => 0,
        };
        let queues = state.queues.len() as u16;
        let (size, vector, enabled, number, areas) = match (state.queue_select, state.selected()) {
            (number, Some((queue, vector))) => (queue.size(), *vector, queue.enabled(), number, queue.areas),
            _ => (0, NO_VECTOR, false, 0, Default::default()),
        };
        let mut bytes = [0; COMMON_SIZE];
        let mut place = bytes.iter_mut();
        let mut put = |value: &[u8]| value.iter().zip(&mut place).for_each(|(byte, place)| *place = *byte);
        put(&state.device_feature_select.to_le_bytes());
        put(&select(self.offered(), state.device_feature_select).to_le_bytes());
        put(&state.driver_feature_select.to_le_bytes());
        put(&select(state.features, state.driver_feature_select).to_le_bytes());
        put(&state.config_vector.to_le_bytes());
        put(&queues.to_le_bytes());
        // Status, and the generation of a configuration that does not change.
        put(&[state.status, 0]);
        [state.queue_select, size, vector, enabled.into(), number].iter().for_each(|half| put(&half.to_le_bytes()));
        [areas.descriptors, areas.driver, areas.device].iter().for_each(|area| put(&area.to_le_bytes()));
        bytes
    }

    /// A number of a message if there is one.
    fn vector(&self, value: u32) -> u16 {
        if (value as usize) <= self.device.queues().len() { value as u16 } else { NO_VECTOR }
    }

    /// Fields are written with accesses of their own width, those of 64 bits in halves.
    fn write_common(&self, state: &mut State, offset: u64, bytes: u8, value: u32) {
        match (offset, bytes) {
            (0x00, 4) => state.device_feature_select = value,
            (0x08, 4) => state.driver_feature_select = value,
            (0x0c, 4) if state.status & FEATURES_OK == 0 && state.driver_feature_select < 2 => {
                let shift = 32 * state.driver_feature_select;
                state.features = state.features & !(0xffff_ffff << shift) | u64::from(value) << shift;
            }
            (0x10, 2) => state.config_vector = self.vector(value),
            (0x14, 1) => self.write_status(state, value as u8),
            (0x16, 2) => state.queue_select = value as u16,
            (0x1a, 2) => {
                let number = self.vector(value);
                if let Some((_, vector)) = state.selected() {
                    *vector = number;
                }
            }
            (0x18 | 0x1c, 2) | (0x20..0x38, 4) => {
                let Some((queue, _)) = state.selected().filter(|(queue, _)| !queue.enabled()) else { return };
                let half = |area: &mut u64| {
                    let shift = 8 * (offset & 4);
                    *area = *area & !(0xffff_ffff << shift) | u64::from(value) << shift;
                };
                match offset {
                    0x18 => queue.resize(value as u16),
                    0x1c if value == 1 => queue.enable(),
                    0x20 | 0x24 => half(&mut queue.areas.descriptors),
                    0x28 | 0x2c => half(&mut queue.areas.driver),
                    0x30 | 0x34 => half(&mut queue.areas.device),
                    _ => {}
                }
            }
            _ => {}
        }
    }

    /// Zero resets the device; bits that are set stay until then. Features that do not suit are not confirmed.
    fn write_status(&self, state: &mut State, value: u8) {
        if value == 0 {
            *state = State::new(self.device.queues());
            self.device.reset();
            self.port.set_pin(false);
            return;
        }
        let suits = state.features & !self.offered() == 0 && state.features & REQUIRED == REQUIRED;
        let mask = if suits { NEEDS_RESET } else { NEEDS_RESET | FEATURES_OK };
        state.status |= value & !mask;
    }

    fn interrupt(&self, state: &mut State, vector: u16, isr: u8) {
        if !self.port.sends_messages() {
            state.isr |= isr;
            self.port.set_pin(true);
        } else if vector != NO_VECTOR {
            self.port.signal(vector);
        }
    }

    /// The driver has notified queue `number`.
    fn notified(&self, number: usize) {
        let state = &mut *self.lock();
        if state.status & (DRIVER_OK | FEATURES_OK | NEEDS_RESET) != DRIVER_OK | FEATURES_OK {
            return;
        }
        let Some((queue, vector)) = state.queues.get_mut(number).filter(|(queue, _)| queue.enabled()) else { return };
        let (before, vector) = (queue.used(), *vector);
        let served = self.device.serve(number, queue, &self.port);
        let told = if queue.used() == before { Ok(false) } else { queue.wants_interrupt(&self.port) };
        if told == Ok(true) {
            self.interrupt(state, vector, ISR_QUEUE);
        }
        if served.and(told.map(|_| ())) == Err(Fault) {
            state.status |= NEEDS_RESET;
            self.interrupt(state, state.config_vector, ISR_CONFIG);
        }
    }

    /// What the window in configuration space shows: offset and width.
    fn shown(&self) -> Option<(u64, u8)> {
        let register = |at: u16, bytes: u8| self.port.config(self.window + at, bytes);
        let (bar, offset, len) = (register(4, 1), u64::from(register(8, 4)), register(12, 4));
        let fits = bar == u32::from(STRUCTURES) && offset < REGION;
        (fits && matches!(len, 1 | 2 | 4) && offset.is_multiple_of(len.into())).then_some((offset, len as u8))
    }
}

/// Bytes as a number; what is behind them is zero.
fn number(all: &[u8], offset: u64, bytes: u8) -> u32 {
    let found = all.iter().skip(offset as usize).take(usize::from(bytes));
    found.rev().fold(0, |value, byte| value << 8 | u32::from(*byte))
}

impl Function for VirtioPci {
    fn read(&self, bar: u8, offset: u64, bytes: u8) -> u32 {
        if bar != STRUCTURES {
            return 0;
        }
        let (kind, offset) = ((offset / PART) as u8 + 1, offset % PART);
        match kind {
            COMMON => number(&self.common(&mut self.lock()), offset, bytes),
            ISR if offset == 0 => {
                // Reading it is taking it.
                let mut state = self.lock();
                let isr = std::mem::take(&mut state.isr);
                self.port.set_pin(false);
                isr.into()
            }
            CONFIG => number(&self.device.config(), offset, bytes),
            _ => 0,
        }
    }

    fn write(&self, bar: u8, offset: u64, bytes: u8, value: u32) {
        match (bar, (offset / PART) as u8 + 1) {
            (STRUCTURES, COMMON) => self.write_common(&mut self.lock(), offset, bytes, value),
            (STRUCTURES, NOTIFY) => self.notified((offset % PART / u64::from(NOTIFY_STEP)) as usize),
            _ => {}
        }
    }

    fn reset(&self) {
        self.write_status(&mut self.lock(), 0);
    }

    fn read_config(&self, offset: u16, bytes: u8) -> Option<u32> {
        let inside = offset.checked_sub(self.window + WINDOW_DATA).filter(|at| *at < 4)?;
        let (at, width) = self.shown()?;
        let value = self.read(STRUCTURES, at, width) >> (8 * inside);
        Some(if bytes >= 4 { value } else { value & ((1 << (8 * bytes)) - 1) })
    }

    fn config_written(&self, offset: u16, _: u8) {
        if offset == self.window + WINDOW_DATA
            && let Some((at, width)) = self.shown()
        {
            let value = self.port.config(offset, width);
            self.write(STRUCTURES, at, width, value);
        }
    }
}
