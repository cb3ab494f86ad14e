//! What makes one function different from others.

use crate::capability::Capability;
use crate::messages::MessageKind;
use crate::space::{Space, command, register, status};
use crate::{msi, msix};

/// Base address registers of a function.
pub const BARS: u8 = 6;

/// Who a function says that it is (PCI 3.0, 6.2.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Vendor ID.
    pub vendor: u16,
    /// Device ID.
    pub device: u16,
    /// Revision ID.
    pub revision: u8,
    /// Class code: base class, sub-class, programming interface in three bytes.
    pub class: u32,
    /// Subsystem vendor ID.
    pub subsystem_vendor: u16,
    /// Subsystem ID.
    pub subsystem: u16,
}

/// Where a region of registers can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RegionKind {
    /// I/O space.
    Io,
    /// Memory space below 4 GiB.
    Memory32,
    /// Memory space anywhere; takes two base address registers.
    Memory64,
}

/// Registers behind a base address register.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Region {
    /// Number of the (first) base address register.
    pub bar: u8,
    /// Where it can be.
    pub kind: RegionKind,
    /// Bytes, a power of two of at least 16.
    pub size: u64,
}

impl Region {
    /// Offset of its base address register.
    pub fn register(&self) -> u16 {
        register::BASE_ADDRESS + 4 * u16::from(self.bar)
    }

    /// The low bits of its base address register, which say what it is.
    fn kind_bits(&self) -> u32 {
        match self.kind {
            RegionKind::Io => 0b01,
            RegionKind::Memory32 => 0b000,
            RegionKind::Memory64 => 0b100,
        }
    }

    fn define(&self, space: &mut Space) {
        let mask = !(self.size - 1);
        let mask = mask.to_le_bytes();
        let width = if self.kind == RegionKind::Memory64 { 8 } else { 4 };
        let value = u64::from(self.kind_bits()).to_le_bytes();
        space.define(self.register(), value.get(..width).unwrap_or(&value), mask.get(..width).unwrap_or(&mask));
    }

    /// Where the guest has put it.
    pub fn base(&self, space: &Space) -> u64 {
        let low = u64::from(space.read(self.register(), 4));
        let high = match self.kind {
            RegionKind::Memory64 => u64::from(space.read(self.register() + 4, 4)) << 32,
            _ => 0,
        };
        (high | low) & !(self.size - 1)
    }
}

/// Everything about a function that does not change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Description {
    /// Who it is.
    pub identity: Identity,
    /// Its own registers.
    pub regions: Vec<Region>,
    /// Its own capabilities.
    pub capabilities: Vec<Capability>,
    /// Whether it has an interrupt pin; it is INTA#.
    pub pin: bool,
    /// Messages by MSI, a power of two up to 32; 0 if it has no such capability.
    pub msi: u8,
    /// Messages by MSI-X, up to [`msix::MOST`], and the base address register of their table, which is none of `regions`.
    pub msix: Option<(u16, u8)>,
}

impl Description {
    /// All its regions, that of MSI-X last.
    pub fn all_regions(&self) -> impl Iterator<Item = Region> + '_ {
        let table = self.msix.map(|(_, bar)| Region { bar, kind: RegionKind::Memory32, size: msix::SIZE });
        self.regions.iter().copied().chain(table)
    }

    /// Messages that it can have by `kind`.
    pub fn messages(&self, kind: MessageKind) -> u32 {
        match kind {
            MessageKind::Msi => self.msi.into(),
            MessageKind::Msix => self.msix.map_or(0, |(count, _)| count.into()),
        }
    }

    /// Its configuration space after a reset, with the offsets of the capabilities of MSI and MSI-X.
    pub(crate) fn space(&self) -> (Space, Option<u16>, Option<u16>) {
        let mut space = Space::default();
        let Identity { vendor, device, revision, class, subsystem_vendor, subsystem } = self.identity;
        let pair = |low: u16, high: u16| (u32::from(high) << 16 | u32::from(low)).to_le_bytes();
        space.define(register::IDENTITY, &pair(vendor, device), &[]);
        let writable = command::IO | command::MEMORY | command::MASTER | command::ERRORS | command::INTERRUPT_DISABLE;
        space.define(register::COMMAND, &[], &writable.to_le_bytes());
        space.define(register::REVISION, &(class << 8 | u32::from(revision)).to_le_bytes(), &[]);
        space.define(register::CACHE_LINE, &[], &[0xff; 2]);
        space.define(register::SUBSYSTEM, &pair(subsystem_vendor, subsystem), &[]);
        space.define(register::INTERRUPT, &[0, self.pin.into()], &[0xff]);
        self.all_regions().for_each(|region| region.define(&mut space));
        let (mut at, mut last) = (register::FIRST_CAPABILITY, register::CAPABILITIES);
        let mut add = |capability: &Capability| {
            space.set(last, 1, at.into());
            space.set(register::STATUS, 2, status::CAPABILITIES);
            space.define(at, &[capability.id, 0], &[]);
            space.define(at + 2, &capability.body, &capability.writable);
            let here = at;
            (last, at) = (at + 1, (at + 2 + capability.body.len() as u16).next_multiple_of(4));
            here
        };
        self.capabilities.iter().for_each(|capability| _ = add(capability));
        let msi = (self.msi > 0).then(|| add(&msi::capability(self.msi)));
        let msix = self.msix.map(|(count, bar)| add(&msix::capability(count, bar)));
        (space, msi, msix)
    }
}

/// A function's own registers and what they do. Accesses have 1, 2 or 4 bytes and are naturally aligned.
pub trait Function: Send + Sync {
    /// Reads at `offset` of the region of base address register `bar`.
    fn read(&self, bar: u8, offset: u64, bytes: u8) -> u32;
    /// Writes there.
    fn write(&self, bar: u8, offset: u64, bytes: u8, value: u32);
    /// Forgets everything that the guest has set up.
    fn reset(&self);
    /// What a register in configuration space reads as, if not as what was written there.
    fn read_config(&self, _offset: u16, _bytes: u8) -> Option<u32> {
        None
    }
    /// The guest has written to a register in configuration space.
    fn config_written(&self, _offset: u16, _bytes: u8) {}
}
