//! The patcher of the guest's library against the machine: patched words run where unpatched ones would.

mod limits;
mod live;
mod rows;
mod sections;
mod storm;

use conformance::{CODE, Rig, rigs};
use exec::{Privileged, Vcpu};
use guest_mem::{GuestMem, Order};
use ppc_isa::Cpu;
use ppc_isa::cpu::Family;
use pv_abi::magic::{FEATURE_MAS0_TO_SPRG7, FEATURE_SR};
use pv_abi::rewrite::Build;
use pv_guest::code::{Code, Region};
use pv_guest::patch::{Patcher, Report, Trampoline};

/// Where sections go.
const ROOM: u64 = 0x18_0000;
/// Words there: what Linux has.
const ROOM_WORDS: usize = 0x4000;
/// r1 and r2, which a kernel keeps different.
const STACK: u64 = 0x12_3450;
const GLOBALS: u64 = 0x67_8900;

/// What kernels for `cpu` are built for.
fn build(cpu: Cpu) -> Build {
    match cpu.family() {
        Family::Book3s32 => Build::Book3s32,
        Family::Book3s64 => Build::Book3s64,
        Family::BookE if cpu.sixty_four() => Build::BookE64,
        Family::BookE => Build::BookE32,
    }
}

/// Code in guest memory.
struct Ram<'a> {
    mem: &'a GuestMem,
    order: Order,
    at: u64,
    words: usize,
}

impl Code for Ram<'_> {
    fn word_count(&self) -> usize {
        self.words
    }

    fn word(&self, index: usize) -> Option<u32> {
        (index < self.words).then(|| self.mem.load(self.at + 4 * index as u64, self.order))?
    }

    fn replace(&mut self, index: usize, word: u32) {
        assert!(index < self.words && self.mem.store(self.at + 4 * index as u64, self.order, word));
    }
}

/// `words` words of guest memory at `at`.
fn region(mem: &GuestMem, order: Order, at: u64, words: usize) -> Region<Ram<'_>> {
    Region { code: Ram { mem, order, at, words }, address: at }
}

/// What the library patches with on `cpu`, for a page of all features.
fn patcher(cpu: Cpu) -> Patcher<'static> {
    Patcher { build: build(cpu), features: FEATURE_SR | FEATURE_MAS0_TO_SPRG7, exclude: &[], copied: &[] }
}

/// Patches `words` words at `CODE`, with `ROOM` to put sections.
fn patch(rig: &Rig, words: usize) -> Report {
    let mem = &rig.machine.mem;
    let mut text = region(mem, rig.order, CODE, words);
    let mut room = Trampoline::new(region(mem, rig.order, ROOM, ROOM_WORDS));
    patcher(rig.cpu).run(&mut text, &mut room, |_| ())
}

/// Rigs with the page mapped where Linux maps it, stack and globals.
fn kernels() -> impl Iterator<Item = Rig> {
    rigs().map(|rig| {
        let mut rig = rig.mapped();
        rig.sets(&[(1, STACK), (2, GLOBALS)]);
        rig
    })
}

/// An instruction at `CODE`, to be run again and again from the same state.
struct Bench {
    rig: Rig,
    fresh: Vcpu,
}

/// What an instruction did.
#[derive(Clone, Debug, PartialEq)]
struct Done {
    /// Where that ended.
    at: u64,
    /// Exits of the instruction itself, at its place or in its section.
    exits: u32,
    /// Exits elsewhere.
    others: u32,
}

impl Bench {
    fn new(rig: Rig) -> Bench {
        let fresh = rig.vcpu().clone();
        Bench { rig, fresh }
    }

    /// Back to where the bench began.
    fn reset(&mut self) -> &mut Rig {
        self.rig.machine.vcpus[0] = self.fresh.clone();
        self.rig.line.set(false);
        &mut self.rig
    }

    /// Runs `word` as it is.
    #[track_caller]
    fn unpatched(&mut self, word: u32) -> Done {
        let end = self.rig.place(CODE, &[word]);
        self.start(word, end)
    }

    /// Patches `word` and runs what it becomes.
    #[track_caller]
    fn patched(&mut self, word: u32) -> Done {
        let end = self.rig.place(CODE, &[word]);
        let report = patch(&self.rig, 1);
        assert_eq!((report.rewritten(), report.complete()), (1, true), "{} {word:08x}", self.rig.name());
        self.start(word, end)
    }

    #[track_caller]
    fn start(&mut self, word: u32, end: u64) -> Done {
        let at = self.rig.start(end);
        let (mut exits, mut others) = (0, 0);
        for (at, count) in self.rig.exits.clone() {
            let own = at == CODE || (ROOM..ROOM + 4 * ROOM_WORDS as u64).contains(&at);
            assert!(!own || self.rig.peek(at) == word, "{}: an exit at {at:#x}", self.rig.name());
            *(if own { &mut exits } else { &mut others }) += count;
        }
        Done { at, exits, others }
    }

    /// How many exits `count` are where privileged instructions are trapped.
    fn trapped(&self, count: u32) -> u32 {
        if self.rig.privileged == Privileged::Trap { count } else { 0 }
    }
}

/// `word` with register `rs` as RS or RT.
fn with_rs(word: u32, rs: usize) -> u32 {
    word | (rs as u32) << 21
}
