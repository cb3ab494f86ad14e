//! What a service is given and gives: cells of 32 bits, and how the vCPU goes on.

use hv_core::{Next, Visit};
use papr_abi::rtas::{Call, MAX_CELLS};

use crate::papr::Papr;

/// Inputs of a service, and its outputs after the status.
pub(crate) struct Cells {
    pub inputs: [u32; MAX_CELLS as usize],
    pub outputs: [u32; MAX_CELLS as usize],
    pub next: Next,
}

impl Default for Cells {
    fn default() -> Cells {
        Cells { inputs: [0; MAX_CELLS as usize], outputs: [0; MAX_CELLS as usize], next: Next::Run }
    }
}

impl Cells {
    /// Input `n`, 0 when there is none.
    pub fn input(&self, n: usize) -> u32 {
        self.inputs.get(n).copied().unwrap_or(0)
    }

    /// Sets output `n`, the status not counted.
    pub fn output(&mut self, n: usize, value: u32) {
        if let Some(cell) = self.outputs.get_mut(n) {
            *cell = value;
        }
    }
}

/// One form of a service, and what it does; it returns the status.
pub(crate) type Service = (Call, fn(&Papr, &mut Visit, &mut Cells) -> i32);
