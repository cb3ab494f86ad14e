//! Delivery on BookE (Power ISA Book III-E, chapter 7).

use super::{Interrupt, Pending};
use crate::engine::{Context, Lines};
use crate::vcpu::Vcpu;

/// Delivers `interrupt`.
pub fn deliver(vcpu: &mut Vcpu, interrupt: Interrupt) {
    let _ = (vcpu, interrupt);
}

/// Looks at external inputs and timers.
pub fn pending(vcpu: &Vcpu, context: &Context, lines: &dyn Lines) -> Pending {
    let _ = (vcpu, context, lines);
    Pending::default()
}
