//! The services of the client interface (IEEE 1275-1994, 6.3.2), by family.

use crate::arguments::Arguments;
use crate::firmware::{Call, OpenFirmware, State};

mod control;
mod device;
mod device_tree;
mod memory;

/// A service.
pub(crate) struct Service {
    /// Its name.
    pub name: &'static str,
    /// Arguments that it needs; a call with fewer is malformed.
    inputs: usize,
    /// What it does; returns its results.
    pub run: Run,
}

type Run = fn(&OpenFirmware, &mut State, &mut Call) -> Vec<u32>;

const FAMILIES: [&[Service]; 4] = [control::SERVICES, device::SERVICES, device_tree::SERVICES, memory::SERVICES];

/// The service that a call names, if it exists and has its arguments.
pub(crate) fn find(arguments: &Arguments) -> Option<&'static Service> {
    named(&arguments.service).filter(|service| arguments.inputs.len() >= service.inputs)
}

fn named(name: &str) -> Option<&'static Service> {
    FAMILIES.into_iter().flatten().find(|service| service.name == name)
}
