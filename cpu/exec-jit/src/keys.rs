//! Keys: the numbers under which code, where branches went, and translations hold.
//!
//! They follow from the mode and the address spaces, so that they come back with these: a switch between processes, or
//! between states of the authority masks, forgets nothing.

use std::collections::HashSet;

use exec::{Context, Mode, Privileged, VcpuState};
use ppc_isa::cpu::Family;
use ppc_mmu::{Invalidation, Tables};

use crate::cache::Mixing;
use crate::engine::Basis;
use crate::segments::Segments;
use crate::tlb::{self, Numbers, Space, View};

/// Contexts whose keys are found at once.
const RECENT: usize = 16;
/// Places that are told apart at a time.
const PLACES: usize = 16;
/// Pages that are remembered as fetched from before all are forgotten.
const PAGES: usize = 1 << 16;
/// Words of [`Keyring::low`]: a bit for each of 4096 pages, as many as the interpreter's TLB tells apart.
const WORDS: usize = 64;

/// The keys in force.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Keys {
    /// Number of the mode that code is made for.
    pub mode: u16,
    /// Number of the space and mode in which instructions are fetched; never used anew.
    pub fetch: u64,
    /// Number of the space of data accesses.
    pub data: u64,
    /// `fetch` says nothing about addresses outside of quadrant 3.
    shared: bool,
    /// `data` says nothing about addresses outside of quadrant 3, for which this decides.
    pub view: Option<View>,
    /// Number of what decides beside the mode, see [`crate::switch`]; 0 where that is not known.
    pub place: u64,
}

impl Keys {
    /// Whether the key for fetches is the kernel's, for all processes.
    pub fn is_shared(&self) -> bool {
        self.shared
    }

    /// Whether what is found at `ea` follows from the key for fetches.
    pub fn covers(&self, ea: u64) -> bool {
        !self.shared || ea >> 62 == 3
    }
}

/// What the hypervisor leaves to the engine: privileged instructions, the delivery of interrupts.
type Duties = (bool, bool);

fn duties(context: &Context) -> Duties {
    (context.privileged == Privileged::Inline, context.delivers)
}

/// What decides on the keys.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Registers {
    mode: Mode,
    unavailable: u16,
    others: Others,
}

/// What of it is no matter of the MSR.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Others {
    fscr: u64,
    duties: Duties,
    basis: Basis,
    pids: [u32; 3],
    masks: ppc_mmu::Keys,
    slb: Segments,
    segments: [u32; 16],
}

impl Registers {
    /// Whether these are the state's.
    fn are(&self, state: &VcpuState, context: &Context, slb_now: Segments) -> bool {
        let Others { fscr, duties, basis, pids: [pid, pid1, pid2], masks, slb, segments } = &self.others;
        (self.mode, self.unavailable) == (state.mode, state.unavailable)
            && (*pid, [*pid1, *pid2]) == (state.pid, state.booke.pids)
            && *masks == state.keys()
            && (*slb, *fscr) == (slb_now, state.fscr)
            && (*duties, *basis) == (self::duties(context), Basis::of(state))
            && (state.cpu.family() != Family::Book3s32 || *segments == state.book3s32.segments)
    }

    fn of(state: &VcpuState, context: &Context, slb: Segments) -> Registers {
        let [pid1, pid2] = state.booke.pids;
        let others = Others {
            fscr: state.fscr,
            duties: duties(context),
            basis: Basis::of(state),
            pids: [state.pid, pid1, pid2],
            masks: state.keys(),
            slb,
            segments: state.book3s32.segments,
        };
        Registers { mode: state.mode, unavailable: state.unavailable, others }
    }
}

/// All keys.
pub struct Keyring {
    modes: Numbers<(Mode, u16, Duties, Basis)>,
    data: Numbers<Space>,
    fetch: Numbers<(u16, Space)>,
    recent: Vec<(Registers, Keys)>,
    places: Vec<(Others, u64)>,
    last_place: u64,
    now: Keys,
    /// From which they were found out, if nothing was forgotten since.
    from: Option<Registers>,
    /// Pages whose translations branches rest on, and the low bits of their numbers.
    pages: HashSet<u64, Mixing>,
    low: [u64; WORDS],
    /// Addresses in invalidations are effective ones, not virtual ones.
    effective: bool,
    /// What the SLB translates, and its generation then.
    slb: (u64, Segments),
}

impl Default for Keyring {
    fn default() -> Keyring {
        Keyring {
            modes: Numbers::default(),
            data: Numbers::default(),
            fetch: Numbers::default(),
            recent: Vec::new(),
            places: Vec::new(),
            last_place: 0,
            now: Keys::default(),
            from: None,
            pages: HashSet::default(),
            low: [0; WORDS],
            effective: false,
            slb: (0, Segments::default()),
        }
    }
}

impl Keyring {
    /// The keys in force.
    pub fn now(&self) -> Keys {
        self.now
    }

    /// Whether the keys are those of the state.
    pub fn are_of(&mut self, state: &VcpuState, context: &Context) -> bool {
        let slb = self.segments(state);
        self.from.as_ref().is_some_and(|from| from.are(state, context, slb))
    }

    /// What the SLB translates.
    fn segments(&mut self, state: &VcpuState) -> Segments {
        if self.slb.0 != state.slb.generation {
            self.slb = (state.slb.generation, Segments::of(&state.slb));
        }
        self.slb.1
    }

    /// What privileged state sees outside of the kernel's addresses, in problem state, too.
    pub fn view(&mut self, state: &VcpuState, context: &Context) -> View {
        let hash = matches!(state.tables(context.partition, true), Tables::Hash { .. });
        let segments = hash.then(|| self.segments(state));
        View::of(state, segments)
    }

    /// Whether there is radix translation: then what is shared follows from the tree of process 0.
    pub fn is_radix(&self) -> bool {
        self.effective
    }

    /// Makes the keys those of the state. `None` when numbers are used up: then the caller forgets what goes by them.
    pub fn enter(&mut self, state: &VcpuState, context: &Context) -> Option<Keys> {
        let segments = self.segments(state);
        let registers = Registers::of(state, context, segments);
        let found = self.recent.iter().position(|(known, _)| *known == registers);
        if let Some(at) = found {
            self.recent.swap(at, at / 2);
            self.now = self.recent.get(at / 2)?.1;
            self.from = Some(registers);
            return Some(self.now);
        }
        let mode = (state.mode, state.unavailable, duties(context), Basis::of(state));
        let mode = self.modes.of(mode, u16::MAX.into())? as u16;
        let data = Space::of(state, &state.tables(context.partition, state.mode.data_relocated()), segments);
        let fetch = Space::of(state, &state.tables(context.partition, state.mode.fetch_relocated()), segments);
        let shared = fetch.is_shared();
        for space in [&data, &fetch] {
            match space {
                Space::Radix { .. } => self.effective = true,
                Space::Hash { .. } => self.effective = false,
                _ => {}
            }
        }
        let view = data.is_shared().then(|| self.view(state, context));
        let data = self.data.of(data, tlb::SPACES)?;
        let place = self.place(registers.others);
        self.now = Keys { mode, data, fetch: self.fetch.of((mode, fetch), u64::MAX)?, shared, view, place };
        self.recent.truncate(RECENT - 1);
        self.recent.push((registers, self.now));
        self.from = Some(registers);
        Some(self.now)
    }

    fn place(&mut self, others: Others) -> u64 {
        if let Some((_, number)) = self.places.iter().find(|(known, _)| *known == others) {
            return *number;
        }
        self.last_place += 1;
        self.places.truncate(PLACES - 1);
        self.places.insert(0, (others, self.last_place));
        self.last_place
    }

    /// The keys are those to which code has switched.
    pub fn switch(&mut self, keys: Keys) {
        self.now = keys;
        self.from = None;
    }

    /// What follows from registers is to be found out again.
    fn forget_recent(&mut self) {
        self.recent.clear();
        self.places.clear();
        self.now.place = 0;
        self.from = None;
    }

    /// Notes that a data translation goes by the key in force.
    pub fn translated(&mut self) {
        self.data.used(self.now.data);
    }

    /// Notes that it is remembered where a branch to `ea` leads.
    pub fn fetched(&mut self, ea: u64) {
        self.fetch.used(self.now.fetch);
        let page = ea >> 12;
        self.pages.insert(page);
        self.low[(page >> 6) as usize & (WORDS - 1)] |= 1 << (page & 63);
    }

    /// Whether so many pages were fetched from that branches are to be forgotten.
    pub fn is_full(&self) -> bool {
        self.pages.len() >= PAGES
    }

    /// No key for fetches of before comes again.
    pub fn forget_jumps(&mut self) {
        self.forget_recent();
        // Links of dropped code hold under the old key, and their places are used again.
        self.now.fetch = self.fetch.retire_all();
        self.pages.clear();
        self.low = [0; WORDS];
    }

    /// Retires what `what`, which is not one page, names, but what is the kernel's for all processes as far as it `holds`:
    /// what is fetched, and data.
    pub fn invalidate(&mut self, what: Invalidation, holds: [bool; 2]) {
        self.forget_recent();
        let [fetched, data] =
            holds.map(|holds| move |space: &Space| space.is_of(what) && !(holds && space.is_shared()));
        self.data.retire(data);
        self.fetch.retire(|(_, space)| fetched(space));
    }

    /// Retires keys if instructions may have been fetched through the translation of a page of `1 << shift` bytes. Returns
    /// whether it did.
    pub fn invalidate_page(&mut self, address: u64, shift: u32) -> bool {
        let number = address >> 12;
        let pages = 1u64 << shift.saturating_sub(12).min(30);
        let first = number & !(pages - 1);
        let is_set = |page: u64| self.low[(page >> 6) as usize & (WORDS - 1)] >> (page & 63) & 1 != 0;
        if pages <= 64 && !(first..first + pages).any(is_set) {
            return false;
        }
        if !self.effective {
            self.forget_jumps();
            return true;
        }
        let hit = |page: &u64| (page ^ first) & !(pages - 1) == 0;
        let hits = match pages {
            0..=64 => (first..first + pages).any(|page| self.pages.contains(&page)),
            _ => self.pages.iter().any(hit),
        };
        if !hits {
            return false;
        }
        if address >> 62 != 0 {
            self.forget_jumps();
            return true;
        }
        // User pages: what is above them stays.
        self.forget_recent();
        self.fetch.retire(|(_, space)| space.problem());
        self.pages.retain(|page| page >> 50 != 0);
        self.low = [0; WORDS];
        for page in &self.pages {
            self.low[(page >> 6) as usize & (WORDS - 1)] |= 1 << (page & 63);
        }
        true
    }

    /// Forgets the numbers of spaces of data.
    pub fn clear_data(&mut self) {
        self.forget_recent();
        self.slb.0 = 0;
        self.data.clear();
    }

    /// Forgets the numbers of modes.
    pub fn clear_modes(&mut self) {
        self.modes.clear();
        self.forget_jumps();
    }
}

#[cfg(test)]
mod tests {
    use exec::{PartitionState, Requests, Vcpu};
    use guest_mem::GuestMem;
    use ppc_isa::{Cpu, msr};

    use super::*;

    const KERNEL: u64 = 0xc000_0000_0000_0000;

    /// Calls `test` with a function that enters a state with radix translation: problem state or not, a PID, an AMR.
    fn with(test: impl FnOnce(&mut Keyring, &dyn Fn(&mut Keyring, bool, u32, u64) -> Keys)) {
        let (mem, requests) = (GuestMem::new(4096).unwrap(), Requests::default());
        let partition = PartitionState::new(None, false);
        partition.set_process_table(true, 0, 4096);
        let context = Context::alone(&mem, &partition, &requests, Privileged::Inline);
        let enter = |keys: &mut Keyring, problem: bool, pid: u32, amr: u64| {
            let mut vcpu = Vcpu::new(Cpu::Power9, 0);
            (vcpu.state.pid, vcpu.state.amr) = (pid, amr);
            vcpu.set_msr(msr::SF | msr::IR | msr::DR | if problem { msr::PR } else { 0 });
            Keys { place: 0, ..keys.enter(&vcpu.state, &context).unwrap() }
        };
        test(&mut Keyring::default(), &enter);
    }

    #[test]
    fn keys_come_back_with_process_and_masks() {
        with(|keys, enter| {
            let kernel = enter(keys, false, 1, 0);
            let user = enter(keys, true, 1, 0);
            let other = enter(keys, true, 2, 0);
            assert_ne!(user.fetch, other.fetch);
            assert_ne!(user.data, other.data);
            assert_ne!(user.mode, kernel.mode);
            // The kernel is process 0's, whatever the process and the masks; what it sees of users is not.
            let locked = enter(keys, false, 2, 3 << 62);
            assert_eq!((locked.fetch, locked.data), (kernel.fetch, kernel.data));
            assert_ne!(locked.view, kernel.view);
            assert!(kernel.covers(KERNEL) && !kernel.covers(0x1_0000) && user.covers(0x1_0000));
            assert_eq!(
                [enter(keys, true, 1, 5), enter(keys, true, 2, 0), enter(keys, false, 1, 0)],
                [user, other, kernel]
            );
        });
    }

    #[test]
    fn places_follow_from_what_the_msr_does_not_say() {
        with(|keys, enter| {
            let mut place = |problem: bool, pid: u32, amr: u64| {
                enter(keys, problem, pid, amr);
                keys.now().place
            };
            let one = place(false, 1, 0);
            assert_eq!(place(true, 1, 0), one);
            let others = [place(true, 2, 0), place(false, 1, 1 << 62)];
            assert!(one != 0 && !others.contains(&one) && others[0] != others[1]);
            assert_eq!(place(false, 1, 0), one);
            keys.invalidate(Invalidation::Process(7), [false; 2]);
            assert_eq!(keys.now().place, 0);
            enter(keys, false, 1, 0);
            assert!(![0, one].contains(&keys.now().place));
        });
    }

    #[test]
    fn invalidations_retire_what_they_name() {
        with(|keys, enter| {
            let kernel = enter(keys, false, 1, 0);
            keys.fetched(KERNEL | 0x1000);
            let user = enter(keys, true, 1, 0);
            keys.fetched(0x1000_0000);
            keys.translated();
            // A page that nothing was fetched from, though the low bits of its number are those of one.
            assert!(!keys.invalidate_page(0x2000_0000, 12));
            assert_eq!(enter(keys, true, 1, 0), user);
            // A user page leaves the kernel alone.
            assert!(keys.invalidate_page(0x1000_0000, 16));
            let after = enter(keys, true, 1, 0);
            assert_ne!(after.fetch, user.fetch);
            assert_eq!(enter(keys, false, 1, 0), kernel);
            assert!(keys.invalidate_page(KERNEL, 21));
            assert_ne!(enter(keys, false, 1, 0).fetch, kernel.fetch);
            // A process.
            let one = enter(keys, true, 1, 0);
            keys.fetched(0x1000_0000);
            let two = enter(keys, true, 2, 0);
            keys.fetched(0x1000_0000);
            keys.invalidate(Invalidation::Process(1), [false; 2]);
            assert_ne!(enter(keys, true, 1, 0).fetch, one.fetch);
            assert_ne!(enter(keys, true, 1, 0).data, user.data);
            assert_eq!(enter(keys, true, 2, 0), two);
        });
    }
}
