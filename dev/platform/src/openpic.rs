//! OpenPIC: the multiprocessor interrupt controller of Apple's and Freescale's boards (OpenPIC Register Interface
//! Specification 1.2; MPC8548E and P5020 reference manuals, chapter "Programmable interrupt controller").
//!
//! A source is *requested* while its line is asserted (level), or from an assertion until its acknowledgement (edge).
//! The most favoured request whose priority is above the processor's own raises that processor's output; reading IACK
//! puts it in service, EOI ends the most favoured one in service. Inter-processor interrupts and timers go to every
//! processor of their destination, a source to one of them.
//!
//! A line is asserted or not: the polarity bit is kept for the guest, who sets it as the board is wired. Timers keep
//! their registers and do not count, as no board feeds them a clock. The registers of "this processor" below 0x1000 are
//! those of processor 0.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::registers::Registers;

/// Number of inter-processor interrupts, and of timers.
const GROUP: usize = 4;
/// Task priority that lets nothing in; also the most favoured priority.
const HIGHEST: u8 = 15;

/// Bytes of the register block.
pub const SIZE: u64 = 0x4_0000;

mod global {
    pub const RESET: u32 = 1 << 31;
    /// External proxy mode, together with [`MIXED`].
    pub const PROXY: u32 = 1 << 30;
    /// The controller is in use; without it, source 0 passes through to processor 0.
    pub const MIXED: u32 = 1 << 29;
}

mod vector {
    pub const MASK: u32 = 1 << 31;
    pub const ACTIVITY: u32 = 1 << 30;
    pub const HIGH: u32 = 1 << 23;
    pub const LEVEL: u32 = 1 << 22;
    pub const PRIORITY_SHIFT: u32 = 16;
}

/// First of the destination bits that route a source to a processor's critical input: processor 0, below it 1.
const CRITICAL_0: u32 = 30;
/// Timer base count: counting is inhibited.
const INHIBIT: u32 = 1 << 31;

/// What distinguishes one controller from another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Model {
    /// Registers are little-endian.
    pub little: bool,
    /// Sources with a line.
    pub sources: u16,
    /// Sources from this one on come from inside the chip: level-triggered, active high, with no sense bit.
    pub internal: u16,
    /// Bits of a vector.
    pub vector_bits: u32,
    /// Block revision register, 0 where there is none (Freescale).
    pub block_revision: u32,
    /// Sources may be routed to the critical inputs (Freescale).
    pub critical: bool,
    /// Bits of the global configuration register that choose the mode; without any the mode is always mixed.
    pub modes: u32,
}

impl Model {
    /// Freescale's MPIC 2.0, of MPC85xx with e500v2 cores: 12 external and 64 internal sources.
    pub const MPIC_2_0: Model = Model {
        little: false,
        sources: 80,
        internal: 16,
        vector_bits: 16,
        block_revision: 0x0040_0200,
        critical: true,
        modes: global::MIXED,
    };
    /// Freescale's MPIC 4.2, of QorIQ chips with e5500 cores: it can acknowledge by itself (external proxy).
    pub const MPIC_4_2: Model =
        Model { block_revision: 0x0040_0402, modes: global::PROXY | global::MIXED, ..Model::MPIC_2_0 };
    /// The one in Apple's KeyLargo: 64 sources.
    pub const KEY_LARGO: Model =
        Model { little: true, sources: 64, internal: 64, vector_bits: 8, block_revision: 0, critical: false, modes: 0 };

    fn vector_mask(&self) -> u32 {
        (1 << self.vector_bits) - 1
    }
}

/// How a source reaches processors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// Has a line and a sense bit; goes to one processor.
    External,
    /// Has a line, is level-triggered.
    Internal,
    /// An inter-processor interrupt or timer: goes to all processors of its destination.
    Multicast,
}

#[derive(Clone, Debug)]
struct Source {
    kind: Kind,
    /// Vector/priority register without the activity bit.
    vector: u32,
    destination: u32,
    asserted: bool,
    /// Requests that were latched: one bit for each processor of a multicast, bit 0 of another source.
    latched: u32,
}

impl Source {
    fn new(kind: Kind) -> Source {
        let polarity = if kind == Kind::Internal { vector::HIGH } else { 0 };
        Source { kind, vector: vector::MASK | polarity, destination: 1, asserted: false, latched: 0 }
    }

    fn level(&self) -> bool {
        self.kind == Kind::Internal || self.vector & vector::LEVEL != 0
    }

    /// Whether it asks for `cpu`, or for any processor when its kind does not tell them apart.
    fn requested(&self, cpu: u32) -> bool {
        match self.kind {
            Kind::Multicast => self.latched >> cpu & 1 != 0,
            _ if self.level() => self.asserted,
            _ => self.latched != 0,
        }
    }

    fn priority(&self) -> u8 {
        (self.vector >> vector::PRIORITY_SHIFT) as u8 & HIGHEST
    }

    /// Priority with which it may be presented; 0 never is.
    fn enabled_priority(&self) -> u8 {
        if self.vector & vector::MASK != 0 { 0 } else { self.priority() }
    }

    /// Whether it is routed to the critical input of `cpu`.
    fn critical(&self, cpu: u32) -> bool {
        CRITICAL_0.checked_sub(cpu).is_some_and(|bit| self.destination >> bit & 1 != 0)
    }
}

#[derive(Clone, Debug)]
struct Cpu {
    task_priority: u8,
    /// Sources in service with the priority they were accepted with, rising; so at most 15.
    in_service: Vec<(usize, u8)>,
}

impl Cpu {
    /// What a request must be above.
    fn priority(&self) -> u8 {
        self.in_service.last().map_or(0, |&(_, priority)| priority).max(self.task_priority)
    }
}

struct State {
    model: Model,
    /// Sources with a line, then inter-processor interrupts, then timers.
    sources: Vec<Source>,
    cpus: Vec<Cpu>,
    mode: u32,
    spurious: u32,
    timer_frequency: u32,
    timer_base: [u32; GROUP],
}

/// The interrupt controller of one machine.
pub struct Openpic {
    state: Mutex<State>,
    /// Outputs that are up, a bit for each processor: external inputs.
    external: AtomicU32,
    /// Critical inputs.
    critical: AtomicU32,
    wake: Box<dyn Fn(u32) + Send + Sync>,
}

/// What stands at an offset.
enum Register {
    BlockRevision,
    Feature,
    Global,
    Spurious,
    TimerFrequency,
    TimerBase(usize),
    Vector(usize),
    Destination(usize),
    Dispatch(usize),
    TaskPriority(u32),
    WhoAmI(u32),
    Acknowledge(u32),
    End(u32),
}

impl Openpic {
    /// A controller for `cpus` processors, at most 32. `wake` is called with each processor whose output
    /// changed, down included, since others may keep what they know of it; it must not call back.
    pub fn new(model: Model, cpus: u32, wake: Box<dyn Fn(u32) + Send + Sync>) -> Openpic {
        let pic = Openpic {
            state: Mutex::new(State::new(model, cpus.clamp(1, 32))),
            external: AtomicU32::new(0),
            critical: AtomicU32::new(0),
            wake,
        };
        pic.with(|_| ());
        pic
    }

    fn with<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let (result, woken) = {
            let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            let result = change(&mut state);
            let (external, critical) = state.outputs();
            let before = self.external.swap(external, Ordering::AcqRel);
            let before_critical = self.critical.swap(critical, Ordering::AcqRel);
            (result, (external ^ before) | (critical ^ before_critical))
        };
        (0..u32::BITS).filter(|cpu| woken >> cpu & 1 != 0).for_each(&self.wake);
        result
    }

    /// Whether the external input of `cpu` is up.
    pub fn external(&self, cpu: u32) -> bool {
        self.external.load(Ordering::Acquire).checked_shr(cpu).is_some_and(|bits| bits & 1 != 0)
    }

    /// Whether the critical input of `cpu` is up.
    pub fn critical(&self, cpu: u32) -> bool {
        self.critical.load(Ordering::Acquire).checked_shr(cpu).is_some_and(|bits| bits & 1 != 0)
    }

    /// In external proxy mode, acknowledges the most favoured request for `cpu`, as its core does on taking the
    /// interrupt, and returns the vector. `None` in the other modes, where the guest reads IACK.
    pub fn acknowledge(&self, cpu: u32) -> Option<u32> {
        self.with(|state| state.proxy().then(|| state.acknowledge(cpu)))
    }

    /// Asserts or negates the line of `source`.
    pub fn set_line(&self, source: u16, asserted: bool) {
        self.with(|state| state.set_line(source.into(), asserted));
    }
}

impl State {
    fn new(model: Model, cpus: u32) -> State {
        let kind = |n| if n < model.internal { Kind::External } else { Kind::Internal };
        let lines = (0..model.sources).map(|n| Source::new(kind(n)));
        let others = (0..2 * GROUP).map(|_| Source::new(Kind::Multicast));
        State {
            model,
            sources: lines.chain(others).collect(),
            cpus: (0..cpus).map(|_| Cpu { task_priority: HIGHEST, in_service: Vec::new() }).collect(),
            mode: 0,
            spurious: model.vector_mask(),
            timer_frequency: 0,
            timer_base: [INHIBIT; GROUP],
        }
    }

    /// Back to the state after power-on; lines stay as they are.
    fn reset(&mut self) {
        let mut fresh = State::new(self.model, self.cpus.len() as u32);
        for (fresh, old) in fresh.sources.iter_mut().zip(&self.sources) {
            fresh.asserted = old.asserted;
        }
        *self = fresh;
    }

    /// Requests pass through a controller that is not in use.
    fn pass_through(&self) -> bool {
        self.model.modes != 0 && self.mode & global::MIXED == 0
    }

    fn proxy(&self) -> bool {
        self.mode & (global::PROXY | global::MIXED) == global::PROXY | global::MIXED
    }

    fn set_line(&mut self, number: usize, asserted: bool) {
        let Some(source) = self.sources.get_mut(number).filter(|source| source.kind != Kind::Multicast) else { return };
        if asserted && !source.asserted && !source.level() {
            source.latched = 1;
        }
        source.asserted = asserted;
    }

    /// Bits of all processors.
    fn all(&self) -> u32 {
        u32::MAX >> (u32::BITS - self.cpus.len() as u32)
    }

    fn in_service(&self, number: usize) -> bool {
        self.cpus.iter().any(|cpu| cpu.in_service.iter().any(|&(source, _)| source == number))
    }

    /// The most favoured request that `cpu` lets in, with its priority; of equals the first.
    fn best(&self, cpu: u32) -> Option<(usize, u8)> {
        let mut best = None;
        let mut floor = self.cpus.get(cpu as usize)?.priority();
        for (number, source) in self.sources.iter().enumerate() {
            let priority = source.enabled_priority();
            if priority > floor && source.requested(cpu) && self.is_for(number, source, cpu) {
                (best, floor) = (Some((number, priority)), priority);
            }
        }
        best
    }

    /// Whether the requested `source` is presented to `cpu`: one that is not a multicast, to the first processor of its
    /// destination that lets it in, and only while it is in service nowhere.
    fn is_for(&self, number: usize, source: &Source, cpu: u32) -> bool {
        if source.kind == Kind::Multicast {
            return true;
        }
        let critical = self.model.critical && source.destination >> (CRITICAL_0 - 1) & 3 != 0;
        let lets_in = |n: u32| self.cpus.get(n as usize).is_some_and(|c| source.priority() > c.priority());
        let first = (0..u32::BITS).find(|&n| source.destination >> n & 1 != 0 && lets_in(n));
        !critical && first == Some(cpu) && !self.in_service(number)
    }

    /// Outputs to the external and to the critical inputs.
    fn outputs(&self) -> (u32, u32) {
        if self.pass_through() {
            return (u32::from(self.sources.first().is_some_and(|source| source.asserted)), 0);
        }
        let bits = |up: &dyn Fn(u32) -> bool| {
            (0..self.cpus.len() as u32).fold(0, |bits, cpu| bits | u32::from(up(cpu)) << cpu)
        };
        let critical = |cpu: u32| {
            let up = |s: &Source| s.critical(cpu) && s.vector & vector::MASK == 0 && s.requested(0);
            self.model.critical && self.sources.iter().any(up)
        };
        (bits(&|cpu| self.best(cpu).is_some()), bits(&critical))
    }

    /// Puts the most favoured request in service and returns its vector; without one, the spurious vector.
    fn acknowledge(&mut self, cpu: u32) -> u32 {
        let best = if self.pass_through() { None } else { self.best(cpu) };
        let Some((number, priority)) = best else { return self.spurious };
        if let Some(cpu) = self.cpus.get_mut(cpu as usize) {
            cpu.in_service.push((number, priority));
        }
        let Some(source) = self.sources.get_mut(number) else { return self.spurious };
        source.latched &= if source.kind == Kind::Multicast { !(1 << cpu) } else { 0 };
        source.vector & self.model.vector_mask()
    }

    fn end(&mut self, cpu: u32) {
        if let Some(cpu) = self.cpus.get_mut(cpu as usize) {
            cpu.in_service.pop();
        }
    }

    /// The register at `offset`. Indices of the result need not exist.
    fn locate(&self, offset: u64) -> Option<Register> {
        if offset & 0xf != 0 || offset >= SIZE {
            return None;
        }
        let external = usize::from(self.model.sources);
        Some(match offset {
            0 if self.model.block_revision != 0 => Register::BlockRevision,
            0x1000 => Register::Feature,
            0x1020 => Register::Global,
            0x10a0..0x10e0 => Register::Vector(external + (offset as usize - 0x10a0) / 0x10),
            0x10e0 => Register::Spurious,
            0x10f0 => Register::TimerFrequency,
            0x1100..0x1200 => {
                let n = (offset as usize - 0x1100) / 0x40;
                match offset & 0x3f {
                    0x10 => Register::TimerBase(n),
                    0x20 => Register::Vector(external + GROUP + n),
                    0x30 => Register::Destination(external + GROUP + n),
                    _ => return None,
                }
            }
            0x1_0000..0x2_0000 => {
                let n = (offset as usize - 0x1_0000) / 0x20;
                match offset & 0x1f {
                    _ if n >= external => return None,
                    0 => Register::Vector(n),
                    _ => Register::Destination(n),
                }
            }
            0..0x1000 => return self.private(0, offset),
            0x2_0000.. => return self.private((offset - 0x2_0000) as u32 >> 12, offset & 0xfff),
            _ => return None,
        })
    }

    /// The register of processor `cpu` at `offset` of its area.
    fn private(&self, cpu: u32, offset: u64) -> Option<Register> {
        self.cpus.get(cpu as usize)?;
        Some(match offset {
            0x40..0x80 => Register::Dispatch((offset as usize - 0x40) / 0x10),
            0x80 => Register::TaskPriority(cpu),
            0x90 => Register::WhoAmI(cpu),
            0xa0 => Register::Acknowledge(cpu),
            0xb0 => Register::End(cpu),
            _ => return None,
        })
    }

    fn read(&mut self, offset: u64) -> Option<u32> {
        Some(match self.locate(offset)? {
            Register::BlockRevision => self.model.block_revision,
            // Version 1.2 of the specification; numbers of the last source and of the last processor.
            Register::Feature => {
                let last_cpu = self.cpus.len() as u32 - 1;
                u32::from(self.model.sources - 1) << 16 | last_cpu << 8 | 2
            }
            Register::Global => self.mode,
            Register::Spurious => self.spurious,
            Register::TimerFrequency => self.timer_frequency,
            Register::TimerBase(n) => *self.timer_base.get(n)?,
            Register::Vector(n) => {
                let source = self.sources.get(n)?;
                let requested =
                    source.enabled_priority() != 0 && (0..self.cpus.len() as u32).any(|cpu| source.requested(cpu));
                let active = requested || self.in_service(n);
                source.vector | if active { vector::ACTIVITY } else { 0 }
            }
            Register::Destination(n) => self.sources.get(n)?.destination,
            Register::TaskPriority(cpu) => self.cpus.get(cpu as usize)?.task_priority.into(),
            Register::WhoAmI(cpu) => cpu,
            Register::Acknowledge(cpu) => self.acknowledge(cpu),
            Register::Dispatch(_) | Register::End(_) => 0,
        })
    }

    fn write(&mut self, offset: u64, value: u32) -> Option<()> {
        let (all, vector_mask, model) = (self.all(), self.model.vector_mask(), self.model);
        match self.locate(offset)? {
            Register::Global if value & global::RESET != 0 => self.reset(),
            Register::Global => self.mode = value & model.modes,
            Register::Spurious => self.spurious = value & vector_mask,
            Register::TimerFrequency => self.timer_frequency = value,
            Register::TimerBase(n) => *self.timer_base.get_mut(n)? = value,
            Register::Vector(n) => {
                let source = self.sources.get_mut(n)?;
                let sense = match source.kind {
                    Kind::External => vector::HIGH | vector::LEVEL,
                    Kind::Internal => vector::HIGH,
                    Kind::Multicast => 0,
                };
                let priority = u32::from(HIGHEST) << vector::PRIORITY_SHIFT;
                source.vector = value & (vector::MASK | sense | priority | vector_mask);
            }
            Register::Destination(n) => {
                let source = self.sources.get_mut(n)?;
                let critical = if model.critical && source.kind != Kind::Multicast { 3 << (CRITICAL_0 - 1) } else { 0 };
                source.destination = value & (all | critical);
            }
            Register::Dispatch(n) => self.sources.get_mut(usize::from(model.sources) + n)?.latched |= value & all,
            Register::TaskPriority(cpu) => {
                self.cpus.get_mut(cpu as usize)?.task_priority = value as u8 & HIGHEST;
            }
            Register::End(cpu) => self.end(cpu),
            Register::BlockRevision | Register::Feature | Register::WhoAmI(_) | Register::Acknowledge(_) => {}
        }
        Some(())
    }
}

/// Registers of 32 bits; other widths read as zero and ignore writes.
impl Registers for Openpic {
    fn read(&self, offset: u64, bytes: u64) -> u64 {
        if bytes != 4 {
            return 0;
        }
        self.with(|state| {
            let value = state.read(offset).unwrap_or(0);
            if state.model.little { value.swap_bytes() } else { value }.into()
        })
    }

    fn write(&self, offset: u64, bytes: u64, value: u64) {
        if bytes == 4 {
            self.with(|state| {
                let value = value as u32;
                state.write(offset, if state.model.little { value.swap_bytes() } else { value })
            });
        }
    }
}

#[cfg(test)]
mod tests;
