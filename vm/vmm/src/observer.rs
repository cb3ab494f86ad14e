//! Watching a run: every exit with its answer, as it happens.

use std::time::Duration;

use exec::{Exit, Vcpu};
use hv_core::Call;

/// Watches a run, on the thread of the vCPU whose exit it is: `vcpu.state.pir` says which. Each exit is followed by its
/// answer before the exit of another vCPU is seen. What it does delays the guest but changes nothing else.
pub trait Observer: Send {
    /// The guest ran for `guest` and stopped with `exit`; `vcpu` is as the guest left it.
    fn exit(&mut self, vcpu: &Vcpu, exit: &Exit, guest: Duration);
    /// The hypervisor answered that exit in `host`; `call` if it was a hypercall. `vcpu` is as the guest will find it.
    fn answer(&mut self, vcpu: &Vcpu, call: Option<Call>, host: Duration);
    /// Whether it has seen enough: the run then stops.
    fn done(&self) -> bool {
        false
    }
}
