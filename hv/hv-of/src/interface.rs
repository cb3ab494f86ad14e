//! The firmware as an interface of the hypervisor: takes its hypercall, finds the service, answers the client.

use std::sync::PoisonError;

use exec::Instruction;
use hv_core::{Interface, Next, Visit};
use papr_abi::hcall::{H_VOF_CLIENT, SC_1};

use crate::arguments::{Arguments, FAILED};
use crate::firmware::{Call, OpenFirmware};
use crate::services;

/// The hypercall that the client's entry makes: r4 is the address of the argument array; r3 is 0 behind it, or -1 when
/// there is no such service or the array is malformed.
pub const CALL: u64 = H_VOF_CLIENT;

impl OpenFirmware {
    fn call(&self, visit: &mut Visit) -> Next {
        let address = visit.vcpu.state.gpr[4];
        let arguments = Arguments::read(visit.context.mem, address);
        let found = arguments.as_ref().and_then(|arguments| Some((arguments, services::find(arguments)?)));
        let Some((arguments, service)) = found else {
            visit.counts.hypercall("of", "unknown");
            return done(visit, FAILED as i32, Next::Run);
        };
        visit.counts.hypercall("of", service.name);
        let mem = visit.context.mem;
        let mut call = Call { visit, arguments, next: Next::Run, again: false };
        let results = {
            let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            (service.run)(self, &mut state, &mut call)
        };
        let Call { next, again, .. } = call;
        if again {
            return next;
        }
        arguments.answer(mem, &results);
        done(visit, 0, next)
    }
}

/// Ends a call: the status in r3, and on behind the instruction.
fn done(visit: &mut Visit, status: i32, next: Next) -> Next {
    let state = &mut visit.vcpu.state;
    state.cia = state.effective(state.cia.wrapping_add(4));
    state.gpr[3] = i64::from(status) as u64;
    next
}

impl Interface for OpenFirmware {
    /// `sc 1` with [`CALL`] in r3, from privileged state.
    fn system_call(&self, visit: &mut Visit, insn: &Instruction) -> Option<Next> {
        let ours = insn.word == SC_1 && visit.vcpu.state.gpr[3] == CALL && !visit.vcpu.state.mode.problem();
        ours.then(|| self.call(visit))
    }
}
