//! OSI calls (Mac-on-Linux): `sc` from any privilege with two magic numbers in r3 and r4 (spec ppc-pv 7.3).

use std::collections::BTreeMap;

use exec::Instruction;
use hv_core::{Interface, Next, Visit};
use pv_abi::osi;

/// Answers one selector: arguments in r6 to r10, results from r3 on; it may change every register.
pub type Handler = Box<dyn Fn(&mut Visit) -> Next + Send + Sync>;

/// The handlers of one machine by selector.
///
/// CALL_AVAILABLE is answered here. A selector without a handler returns 0, as in Mac-on-Linux.
#[derive(Default)]
pub struct Osi {
    handlers: BTreeMap<u32, Handler>,
}

impl Osi {
    /// Lets `handler` answer `selector`.
    pub fn register(&mut self, selector: u32, handler: impl Fn(&mut Visit) -> Next + Send + Sync + 'static) {
        self.handlers.insert(selector, Box::new(handler));
    }

    fn available(&self, selector: u32) -> bool {
        selector == osi::CALL_AVAILABLE || self.handlers.contains_key(&selector)
    }
}

impl Interface for Osi {
    /// The instruction's level does not count; SRR0, SRR1 and MSR stay as they are.
    fn system_call(&self, visit: &mut Visit, insn: &Instruction) -> Option<Next> {
        let state = &mut visit.vcpu.state;
        if state.gpr[3] as u32 != osi::MAGIC_R3 || state.gpr[4] as u32 != osi::MAGIC_R4 {
            return None;
        }
        state.cia = state.effective(insn.address.wrapping_add(u64::from(insn.len)));
        let selector = state.gpr[5] as u32;
        visit.counts.hypercall("osi", osi::name(selector).unwrap_or("unknown"));
        if let Some(handler) = self.handlers.get(&selector) {
            return Some(handler(visit));
        }
        let asked = visit.vcpu.state.gpr[6] as u32;
        let yes = selector == osi::CALL_AVAILABLE && self.available(asked);
        visit.vcpu.state.gpr[3] = u64::from(yes);
        Some(Next::Run)
    }
}
