//! Delivery on Book3S-32 (PowerPC Operating Environment Architecture, chapter 6).

use super::Interrupt;
use crate::vcpu::Vcpu;

/// Delivers `interrupt`.
pub fn deliver(vcpu: &mut Vcpu, interrupt: Interrupt) {
    let _ = (vcpu, interrupt);
}
