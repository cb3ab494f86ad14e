//! Open devices.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::tree::Phandle;

/// What names an instance to the client. Never 0 and never all ones.
pub type Ihandle = u32;

/// Instances that may be open at a time.
pub const MOST: usize = 256;

/// What a node is, as far as it has methods.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Package {
    /// `/`.
    Root,
    /// Run-time abstraction services.
    Rtas,
    /// The terminal.
    Console,
    /// The disk.
    Disk,
    /// Memory, and translation of its addresses: they are all real.
    Memory,
}

/// An open device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Instance {
    /// Its node.
    pub node: Phandle,
    /// What that is.
    pub package: Package,
    /// The disk's bytes that it stands for.
    pub extent: Range<u64>,
    /// Where the next byte is read, from the start of the extent on.
    pub position: u64,
    /// Bytes already read of the call that is under way.
    pub progress: u32,
}

/// The open devices.
#[derive(Clone, Debug, Default)]
pub struct Instances {
    open: BTreeMap<Ihandle, Instance>,
    last: Ihandle,
}

impl Instances {
    /// Opens one more. `None` when too many are.
    pub fn open(&mut self, node: Phandle, package: Package, extent: Range<u64>) -> Option<Ihandle> {
        if self.open.len() >= MOST {
            return None;
        }
        // Of `MOST` + 1 numbers one is free.
        let free = (1..=MOST as u32 + 1).map(|n| (self.last.wrapping_add(n) & 0x7fff_ffff).max(1));
        let handle = free.into_iter().find(|handle| !self.open.contains_key(handle))?;
        self.last = handle;
        self.open.insert(handle, Instance { node, package, extent, position: 0, progress: 0 });
        Some(handle)
    }

    /// Closes one.
    pub fn close(&mut self, handle: Ihandle) {
        self.open.remove(&handle);
    }

    /// An open device.
    pub fn get(&self, handle: Ihandle) -> Option<&Instance> {
        self.open.get(&handle)
    }

    /// The same, to be changed.
    pub fn get_mut(&mut self, handle: Ihandle) -> Option<&mut Instance> {
        self.open.get_mut(&handle)
    }
}
