//! Claiming memory (IEEE 1275-1994, 6.3.2.4). Real and virtual addresses are the same.

use super::Service;
use crate::arguments::FAILED;
use crate::firmware::{Call, OpenFirmware, State};

pub(super) const SERVICES: &[Service] =
    &[Service { name: "claim", inputs: 3, run: claim }, Service { name: "release", inputs: 2, run: release }];

fn claim(_: &OpenFirmware, state: &mut State, call: &mut Call) -> Vec<u32> {
    let [address, size, align] = [0, 1, 2].map(|n| call.arguments.input(n));
    vec![state.claim(address, size, align).unwrap_or(FAILED)]
}

fn release(_: &OpenFirmware, state: &mut State, call: &mut Call) -> Vec<u32> {
    state.release(call.arguments.input(0), call.arguments.input(1));
    Vec::new()
}

impl State {
    /// Takes `size` bytes at `address`, or with an alignment anywhere.
    pub(crate) fn claim(&mut self, address: u32, size: u32, align: u32) -> Option<u32> {
        let size = u64::from(size);
        let taken = match align {
            0 => self.claims.take(address.into(), size).then_some(address),
            align => self.claims.find(size, u64::from(align).next_power_of_two()).map(|address| address as u32),
        };
        self.show_available();
        taken
    }

    /// Gives memory back.
    pub(crate) fn release(&mut self, address: u32, size: u32) {
        self.claims.release(address.into(), size.into());
        self.show_available();
    }
}
