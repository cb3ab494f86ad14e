//! The firmware of a machine: its ports, what changes while the client runs, and what is in the tree by itself.

use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use hv_core::{Next, Visit};

use crate::arguments::Arguments;
use crate::claims::Claims;
use crate::instances::{Instances, Package};
use crate::path;
use crate::ports::Ports;
use crate::tree::Tree;

/// Property of `/memory` nodes with what is free.
const AVAILABLE: &str = "available";

/// What changes while the client runs.
pub(crate) struct State {
    pub tree: Tree,
    pub instances: Instances,
    pub claims: Claims,
}

/// A call under way.
pub(crate) struct Call<'c, 'v> {
    pub visit: &'c mut Visit<'v>,
    pub arguments: &'c Arguments,
    /// How the vCPU goes on.
    pub next: Next,
    /// The call is not done: it is made again.
    pub again: bool,
}

/// The firmware of one machine.
pub struct OpenFirmware {
    pub(crate) ports: Ports,
    pub(crate) state: Mutex<State>,
}

impl OpenFirmware {
    /// Firmware with this tree on `memory` bytes, of which `taken` is not the client's to claim. Opens what the client finds
    /// open: `stdin`, `stdout`, `memory`, `mmu` and `cpu` in `/chosen`.
    pub fn new(ports: Ports, tree: Tree, memory: u64, taken: impl IntoIterator<Item = Range<u64>>) -> OpenFirmware {
        let mut claims = Claims::new(memory);
        taken.into_iter().for_each(|range| claims.reserve(range));
        let mut state = State { tree, instances: Instances::default(), claims };
        state.open_standard();
        state.show_available();
        OpenFirmware { ports, state: Mutex::new(state) }
    }

    /// Bytes that the device tree's properties have: what a client can make it hold has a bound, [`crate::tree::LARGEST`].
    pub fn tree_bytes(&self) -> usize {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).tree.bytes()
    }
}

impl State {
    fn open_standard(&mut self) {
        let Some(chosen) = path::find(&self.tree, "/chosen") else { return };
        let console = self.tree.text(chosen, "stdout-path").and_then(|path| path::find(&self.tree, path));
        let [memory, cpu] = ["memory", "cpu"].map(|kind| self.tree.of_type(kind).next());
        let standard = [
            ("stdin", console, Package::Console),
            ("stdout", console, Package::Console),
            ("memory", memory, Package::Memory),
            ("mmu", cpu, Package::Memory),
            ("cpu", cpu, Package::Memory),
        ];
        for (name, node, package) in standard {
            if let Some(handle) = node.and_then(|node| self.instances.open(node, package, 0..0)) {
                self.tree.set(chosen, name, handle.to_be_bytes().to_vec());
            }
        }
    }

    /// Writes into the tree what can be claimed.
    pub(crate) fn show_available(&mut self) {
        let memory = self.tree.of_type("memory").next();
        let free = self.claims.free().flat_map(|free| [free.start, free.end - free.start]);
        let cells: Vec<u8> = free.flat_map(u64::to_be_bytes).collect();
        if let Some(memory) = memory {
            self.tree.set(memory, AVAILABLE, cells);
        }
    }
}
