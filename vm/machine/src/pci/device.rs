//! The devices that a user can put on the bus, by name.

use pci::{Bus, Description};
use platform::{HostRandom, SeededRandom};
use virtio::{Rng, VirtioPci};

use crate::spec::{Device, Spec};

fn make(device: Device, random: virtio::rng::Source) -> Box<dyn virtio::Device> {
    match device {
        Device::VirtioRng => Box::new(Rng(random)),
    }
}

/// The function that a device is.
pub fn description(device: Device) -> Description {
    VirtioPci::description(&*make(device, Box::new(|| None)))
}

/// Random numbers for the device in `slot`: the host's, or where runs repeat, some that nobody else gets from the seed.
fn random(spec: &Spec, slot: u8) -> virtio::rng::Source {
    if spec.fixed_start.is_none() {
        let host = HostRandom::default();
        return Box::new(move || host.next());
    }
    let seeded = SeededRandom::new(spec.seed.map(|byte| byte ^ (slot + 1)));
    Box::new(move || Some(seeded.next()))
}

/// Puts a device into `slot`.
pub fn plug(bus: &Bus, slot: u8, device: Device, spec: &Spec, connected: bool) {
    let device = make(device, random(spec, slot));
    bus.plug(slot, connected, VirtioPci::description(&*device), |port| Box::new(VirtioPci::new(device, port)));
}
