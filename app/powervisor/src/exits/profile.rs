//! What one way of running came to, exit by exit.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use exec::{Exit, Vcpu};
use hv_core::{Call, Emulated, count};
use hv_pv::patched;
use image::symbols::Symbols;
use ppc_isa::cpu::Family;
use vmm::Observer;

/// Addresses kept apart; exits from further ones are counted together.
const MAX_SITES: usize = 1 << 16;

/// How often something happened, and the host's time for it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Times.
    pub count: u64,
    /// Time outside the guest.
    pub host: Duration,
}

impl Tally {
    fn add(&mut self, host: Duration) {
        self.count += 1;
        self.host += host;
    }
}

/// Where an exit happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Site {
    Kernel(u64),
    User,
    Elsewhere,
}

/// Counts the exits of a run. Event points are no exits of the guest's doing and are counted apart.
#[derive(Default)]
pub struct Profile {
    /// By KVM's statistics name.
    pub reasons: BTreeMap<&'static str, Tally>,
    /// Hypercalls.
    pub calls: BTreeMap<Call, Tally>,
    /// Time in the guest.
    pub guest: Duration,
    /// Event points at which the engine returned.
    pub events: u64,
    instructions: BTreeMap<Emulated, Tally>,
    /// The guest has patched itself: it has left a critical section once.
    patched: bool,
    /// Since then, exits that rewritten code makes by its own rules, by row of the table of rewrites.
    due: BTreeMap<&'static str, u64>,
    /// Since then, other exits of instructions in that table, by row and address.
    surplus: HashMap<(&'static str, u64), u64>,
    sites: HashMap<Site, u64>,
    family: Option<Family>,
    before: Option<(Exit, Site)>,
}

impl Observer for Profile {
    fn exit(&mut self, vcpu: &Vcpu, exit: &Exit, guest: Duration) {
        self.guest += guest;
        self.family = Some(vcpu.state.cpu.family());
        let site = if vcpu.state.mode.problem() { Site::User } else { Site::Kernel(vcpu.state.cia) };
        self.before = Some((*exit, site));
        self.patched |= vcpu.shared.critical() != 0;
        if let (true, Exit::Privileged(insn), Site::Kernel(pc)) = (self.patched, exit, site)
            && let Some(found) = patched::rewritable(vcpu, insn)
        {
            if found.due {
                *self.due.entry(found.row).or_default() += 1;
            } else if self.surplus.len() < MAX_SITES {
                *self.surplus.entry((found.row, pc)).or_default() += 1;
            }
        }
    }

    fn answer(&mut self, _: &Vcpu, call: Option<Call>, host: Duration) {
        let Some((exit, site)) = self.before.take() else { return };
        let reason = match (&exit, call) {
            (Exit::Event, _) => {
                self.events += 1;
                return;
            }
            (_, Some(call)) => {
                self.calls.entry(call).or_default().add(host);
                "hypercall_exits"
            }
            (Exit::Privileged(insn), _) => {
                self.instructions.entry(Emulated::of(insn)).or_default().add(host);
                "emulated_inst_exits"
            }
            (Exit::SystemCall(_), _) => "syscall_exits",
            (Exit::Illegal { .. }, _) => "program_exits",
            (Exit::Interrupt(interrupt), _) => count::reason_of(*interrupt),
        };
        self.reasons.entry(reason).or_default().add(host);
        let known = self.sites.len() < MAX_SITES || self.sites.contains_key(&site);
        *self.sites.entry(if known { site } else { Site::Elsewhere }).or_default() += 1;
    }
}

impl Profile {
    /// All exits.
    pub fn total(&self) -> Tally {
        let mut total = Tally::default();
        for tally in self.reasons.values() {
            total.count += tally.count;
            total.host += tally.host;
        }
        total
    }

    /// Emulated privileged instructions by name.
    pub fn instructions(&self) -> BTreeMap<String, Tally> {
        let Some(family) = self.family else { return BTreeMap::new() };
        self.instructions.iter().map(|(insn, tally)| (insn.name(family), *tally)).collect()
    }

    /// Exits of instructions that the guest might have rewritten, since it patched itself, by row of the table of
    /// rewrites: those that rewritten code makes by its own rules, and those that it should not make.
    ///
    /// Only the kernel's text is patched, and what may run at another place than it is linked at (Book3S-64's
    /// interrupt vectors) takes no branch to a section (spec ppc-pv 4.1): those exits are by the rules, too.
    pub fn rewritten(&self, symbols: &Symbols) -> BTreeMap<&'static str, [u64; 2]> {
        let mut rows: BTreeMap<&'static str, [u64; 2]> = BTreeMap::new();
        for (row, count) in &self.due {
            rows.entry(row).or_default()[0] += count;
        }
        let at = |name| symbols.address(name);
        let text = at("_stext").zip(at("_etext")).map(|(start, end)| start..end);
        for ((row, pc), count) in &self.surplus {
            let Some(pc) = symbols.linked(*pc) else { continue };
            if text.as_ref().is_some_and(|text| text.contains(&pc)) {
                let vectors = at("__end_interrupts").is_some_and(|end| pc < end) && row.starts_with("mtmsr");
                rows.entry(row).or_default()[usize::from(!vectors)] += count;
            }
        }
        rows
    }

    /// Exits by guest function.
    pub fn functions(&self, symbols: &Symbols) -> BTreeMap<String, u64> {
        let mut functions = BTreeMap::new();
        for (site, count) in &self.sites {
            let name = match site {
                Site::User => "(user programs)",
                Site::Elsewhere => "(elsewhere)",
                Site::Kernel(pc) => symbols.find(*pc).map_or("(no symbol)", |(name, _)| name),
            };
            *functions.entry(name.to_owned()).or_default() += count;
        }
        functions
    }
}
