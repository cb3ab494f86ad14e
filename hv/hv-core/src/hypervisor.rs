//! Exits and their answers.

use exec::delivery;
use exec::interrupt::program;
use exec::{Context, Exit, Instruction, Interrupt, Lines, Vcpu, supervisor};

use crate::dispatch::Dispatch;
use crate::visit::{Next, Visit};

/// A hypercall interface.
pub trait Interface: Send + Sync {
    /// Takes the `sc` at `insn` if it is a hypercall of this interface, and answers it: `state.cia` is then the next
    /// instruction. `None` leaves everything as it is.
    fn system_call(&self, visit: &mut Visit, insn: &Instruction) -> Option<Next>;

    /// The same for the illegal instruction `word` at `state.cia`, since some interfaces give such words a meaning.
    fn illegal(&self, _visit: &mut Visit, _word: u32) -> Option<Next> {
        None
    }

    /// Hears that a vCPU leaves the host's processors or comes back. It runs no guest code meanwhile.
    fn dispatched(&self, _vcpu: &Vcpu, _context: &Context, _change: Dispatch) {}
}

/// The hypervisor of one machine.
pub struct Hypervisor {
    interfaces: Vec<Box<dyn Interface>>,
}

impl Hypervisor {
    /// A hypervisor that offers `interfaces`, asked in this order (spec ppc-pv 1.4: PAPR, OSI, KVM).
    pub fn new(interfaces: Vec<Box<dyn Interface>>) -> Hypervisor {
        Hypervisor { interfaces }
    }

    /// Tells the interfaces that a vCPU leaves the host's processors or comes back.
    pub fn dispatched(&self, vcpu: &Vcpu, context: &Context, change: Dispatch) {
        self.interfaces.iter().for_each(|interface| interface.dispatched(vcpu, context, change));
    }

    /// Answers `exit`.
    pub fn handle(&self, exit: &Exit, visit: &mut Visit) -> Next {
        visit.counts.exit(exit);
        match exit {
            Exit::Privileged(insn) => self.privileged(visit, insn),
            Exit::SystemCall(insn) => self.system_call(visit, insn),
            &Exit::Illegal { word } => {
                let taken = self.interfaces.iter().find_map(|interface| interface.illegal(visit, word));
                taken.unwrap_or_else(|| {
                    visit.deliver(Interrupt::Program(program::ILLEGAL));
                    Next::Run
                })
            }
            &Exit::Interrupt(interrupt) => {
                visit.deliver(interrupt);
                Next::Run
            }
            Exit::Event => Next::Run,
        }
    }

    fn privileged(&self, visit: &mut Visit, insn: &Instruction) -> Next {
        if visit.vcpu.state.mode.problem() && !supervisor::open_to_problem(insn) {
            visit.deliver(Interrupt::Program(program_bit(insn)));
        } else if let Err(interrupt) = supervisor::execute(visit.vcpu, visit.context, insn) {
            visit.deliver(interrupt);
        }
        Next::Run
    }

    fn system_call(&self, visit: &mut Visit, insn: &Instruction) -> Next {
        if let Some(next) = self.interfaces.iter().find_map(|interface| interface.system_call(visit, insn)) {
            return next;
        }
        visit.counts.reason("syscall_exits");
        visit.vcpu.state.cia = insn.address.wrapping_add(u64::from(insn.len));
        visit.deliver(Interrupt::SystemCall);
        Next::Run
    }
}

/// Delivers the most urgent pending interrupt that the guest lets in, and tells the guest through the shared page
/// whether any is pending. `state.held` then says whether one waits that the guest does not let in, and for what: one that
/// was delivered and is still up, too.
pub fn poll(visit: &mut Visit, lines: &dyn Lines) {
    let pending = delivery::pending(visit.vcpu, visit.context, lines);
    let mut still = pending.gates;
    if let Some(interrupt) = pending.now {
        visit.counts.reason(match interrupt {
            Interrupt::Decrementer => "dec_exits",
            Interrupt::CriticalInput => "critical_exits",
            Interrupt::FixedInterval => "fit_exits",
            Interrupt::Watchdog => "watchdog_exits",
            Interrupt::Doorbell | Interrupt::CriticalDoorbell => "dbell_exits",
            Interrupt::Debug => "debug_exits",
            Interrupt::MachineCheck { .. } => "machine_check_exits",
            _ => "ext_intr_exits",
        });
        visit.deliver(interrupt);
        if interrupt == Interrupt::External
            && let Some(vector) = lines.acknowledge(visit.vcpu.state.pir)
        {
            visit.vcpu.state.booke.set_epr(vector.into());
        }
        // A level stays pending until the guest quiets its source, an edge does not.
        still = delivery::pending(visit.vcpu, visit.context, lines).gates;
    }
    if visit.vcpu.shared.mapped().is_some() {
        visit.vcpu.shared.set_int_pending(still != 0);
    }
    if pending.any() {
        visit.vcpu.state.waiting = false;
    }
    visit.vcpu.state.held = still;
}

/// What problem state gets for an instruction that is not its own: SPR numbers say themselves whether they are
/// privileged (Book III, section 4.4.4).
fn program_bit(insn: &Instruction) -> u64 {
    use ppc_isa::op::{Integer, Op};
    let spr = ppc_isa::spr::number(insn.word as u32);
    match insn.row.op {
        Op::Integer(Integer::Mfspr | Integer::Mtspr) if spr & 0x10 == 0 => program::ILLEGAL,
        _ => program::PRIVILEGED,
    }
}
