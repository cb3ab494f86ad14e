//! What the PAPR personality of a machine keeps, and the shape of its calls.

use std::sync::Mutex;

use hv_core::Visit;

use crate::answer::Checked;
use crate::entries::Entries;
use crate::ports::{InterruptController, Interrupts, Ports, Xive};
use crate::scm::bindings::Bindings;
use crate::turns::Processor;
use crate::unfinished::Unfinished;

/// Arguments r4 to r12.
pub type Arguments = [u64; 9];

/// A call's implementation.
pub type Handler = fn(&Papr, &mut Visit, &Arguments) -> Checked;

/// One implemented call.
#[derive(Clone, Copy)]
pub struct Call {
    /// Number in r3.
    pub number: u64,
    /// What it does.
    pub handler: Handler,
}

/// The PAPR personality of one machine.
pub struct Papr {
    pub(crate) ports: Ports,
    /// By server number.
    pub(crate) processors: Vec<Mutex<Processor>>,
    /// See [`Papr::joining`]. A processor is locked behind it.
    pub(crate) joining: Mutex<()>,
    /// Held by calls on the hashed page table.
    pub(crate) table: Mutex<Unfinished>,
    /// Entries of the hashed page table for persistent memory.
    pub(crate) entries: Entries,
    /// Where persistent memory is bound. Held by calls that change that; `table` is taken behind it.
    pub(crate) bindings: Mutex<Bindings>,
}

impl Papr {
    /// A personality for `cpus` vCPUs with these devices.
    pub fn new(cpus: u32, ports: Ports) -> Papr {
        Papr {
            entries: Entries::new(ports.persistent.window.clone()),
            bindings: Mutex::default(),
            ports,
            processors: (0..cpus).map(|server| Mutex::new(Processor::new(server))).collect(),
            joining: Mutex::new(()),
            table: Mutex::default(),
        }
    }

    /// The interrupt controller, if it is a XICS.
    pub(crate) fn xics(&self) -> Option<&dyn InterruptController> {
        if let Interrupts::Xics(xics) = &self.ports.interrupts { Some(&**xics) } else { None }
    }

    /// The interrupt controller, if it is a XIVE.
    pub(crate) fn xive(&self) -> Option<&dyn Xive> {
        if let Interrupts::Xive(xive) = &self.ports.interrupts { Some(&**xive) } else { None }
    }
}
