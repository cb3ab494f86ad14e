//! What a translator tells of its work to whoever asks: the code that it makes, and how often what was executed.
//!
//! Nobody asks usually. Counters cost what they count: two accesses to memory a block, a look into a table a call out of
//! code.

use std::collections::HashMap;
use std::fmt;
use std::time::Duration;

use ppc_isa::op::Op;

use crate::engine::Translator;
use crate::host::Reason;
use crate::lower::{Lowered, Scratch};
use crate::plan::{ALL, CA, Parts, Plan, STATUS};

/// Blocks that can be counted; then all code is dropped.
pub const COUNTERS: usize = 1 << 17;

/// Somebody who wants to know what a translator does.
pub trait Watcher: Send {
    /// Code that leads into regions and out of them, and that they call, is `len` bytes at `code_at`.
    fn entry(&mut self, code_at: u64, len: usize);
    /// Code was made.
    fn translated(&mut self, region: &Region<'_>);
    /// What was counted since the last time: told when all code is dropped, and at the end.
    fn counted(&mut self, counts: &Counts);
}

/// Instructions that were translated together, with their code.
pub struct Region<'a> {
    /// Real address of the page.
    pub page: u64,
    /// The guest is in problem state.
    pub problem: bool,
    /// The region is a loop, else a trace.
    pub is_loop: bool,
    /// Where its code runs.
    pub code_at: u64,
    /// The code.
    pub code: &'a [u8],
    /// Instructions in the order of their code.
    pub lines: &'a [Line],
    /// Offset of what stands behind the instructions' own code: what is seldom reached.
    pub behind: usize,
    /// Guest registers that are held, with the numbers of the host's: GPRs, then CTR and LR.
    pub held: Vec<(usize, u8)>,
}

/// An instruction in a region.
#[derive(Clone, Copy, Debug)]
pub struct Line {
    /// Effective address.
    pub ea: u64,
    /// The instruction.
    pub word: u32,
    /// Number of its block.
    pub block: usize,
    /// What is done for it.
    pub what: What,
    /// Its operation; `None` if it is the interpreter's.
    pub op: Option<Op>,
    /// What is read after it before it is written.
    pub live: Live,
    /// Offset of its code.
    pub at: usize,
}

/// Parts of the state that are not computed where nobody reads them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Live(pub(crate) Parts);

impl fmt::Display for Live {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        const OTHERS: [(Parts, &str); 2] = [(CA, "ca"), (STATUS, "fpscr")];
        let named = |set: Parts| {
            let fields = (0..8).filter(|n| set >> n & 1 != 0).map(|n| format!("cr{n}"));
            let others = OTHERS.iter().filter(|(part, _)| set & part != 0).map(|(_, name)| (*name).to_owned());
            fields.chain(others).collect::<Vec<_>>().join(" ")
        };
        match (self.0, ALL & !self.0) {
            (0, _) => f.write_str("nothing"),
            (_, 0) => f.write_str("all"),
            (few, dead) if few.count_ones() < dead.count_ones() => f.write_str(&named(few)),
            (_, dead) => write!(f, "all but {}", named(dead)),
        }
    }
}

/// What is done for an instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum What {
    /// Code of its own.
    Translated,
    /// A call of the interpreter's handler.
    Declined,
    /// A call that carries it out with the hypervisor's operations.
    Privileged,
    /// An access that the fast TLB does not know: a call.
    Access,
    /// No code, or code that is left before it, as for an interrupt: the interpreter goes on to an event point.
    Interpreted,
    /// The interpreter goes on from there to an event point: it came there seldom so far.
    Cold,
}

/// A place in the guest at which something is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Place {
    /// Effective address.
    pub ea: u64,
    /// The guest was in problem state.
    pub problem: bool,
    /// What is counted.
    pub what: What,
    /// The instruction; 0 where instructions of a block are counted.
    pub word: u32,
}

/// How often something happened at a place.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// Times: how often the block, the call, the interpreter was entered.
    pub times: u64,
    /// Instructions executed by that. A block that is left in its middle counts as a whole.
    pub instructions: u64,
}

/// What a translator has counted.
#[derive(Clone, Debug, Default)]
pub struct Counts {
    /// By place.
    pub places: HashMap<Place, Count>,
    /// How often translated code was left, by reason.
    pub left: HashMap<&'static str, u64>,
    /// Regions translated.
    pub regions: u64,
    /// Bytes of code.
    pub bytes: u64,
    /// Instructions in them.
    pub code_instructions: u64,
    /// How long that took.
    pub translating: Duration,
    /// How often all code was dropped, because there was no room or what it rests on has changed.
    pub dropped: u64,
}

/// What a translator that is watched keeps for it.
pub struct Watched {
    watcher: Box<dyn Watcher>,
    counting: bool,
    counts: Counts,
    /// The counted blocks: address, problem state, instructions.
    blocks: Vec<(u64, bool, u32)>,
}

impl Watched {
    /// The number of the next counter, if blocks are counted.
    pub fn first_counter(&self) -> Option<u32> {
        self.counting.then_some(self.blocks.len() as u32)
    }

    /// Whether there are counters for `blocks` more.
    pub fn can_count(&self, blocks: usize) -> bool {
        self.blocks.len() + blocks <= COUNTERS
    }

    /// Counts the time of a translation, of which the region has been told.
    pub fn count_time(&mut self, time: Duration) {
        self.counts.translating += time;
    }

    /// Tells of a new region.
    pub fn tell_region(
        &mut self,
        plan: &Plan,
        lowered: &Lowered,
        scratch: &Scratch,
        page: u64,
        problem: bool,
        code_at: u64,
    ) {
        let Lowered { behind, places, .. } = lowered;
        let held = places.held.iter().enumerate().filter_map(|(guest, host)| Some((guest, (*host)? as u8))).collect();
        let region = Region {
            page,
            problem,
            is_loop: plan.is_loop,
            code_at,
            code: scratch.asm.code(),
            lines: &scratch.lines,
            behind: *behind,
            held,
        };
        self.counts.regions += 1;
        self.counts.code_instructions += plan.insns.len() as u64;
        self.counts.bytes += region.code.len() as u64;
        if self.counting {
            for lines in region.lines.chunk_by(|one, next| one.block == next.block) {
                // The last instruction of a region may be the interpreter's, which counts it itself.
                let own = lines.iter().filter(|line| line.what != What::Interpreted).count();
                let start = lines.first().map_or(0, |line| line.ea);
                self.blocks.push((start, region.problem, own as u32));
            }
        }
        self.watcher.translated(&region);
    }
}

impl Translator {
    /// Tells `watcher` of all code from now on, and at the end, if `counting`, how often it was executed.
    pub fn watch(&mut self, mut watcher: Box<dyn Watcher>, counting: bool) {
        self.flush();
        watcher.entry(self.host.code_at(0), self.entry_len);
        self.watched = Some(Watched { watcher, counting, counts: Counts::default(), blocks: Vec::new() });
    }

    /// Counts a call out of code at `site`.
    pub(crate) fn count_call(&mut self, problem: bool, site: u32, what: What) {
        if let Some(watched) = &mut self.watched
            && let Some(site) = self.cache.sites.get(site as usize)
        {
            watched.count(Place { ea: site.ea, problem, what, word: site.decoded.word }, 0);
        }
    }

    /// Counts `instructions` that were interpreted from `first` on.
    pub(crate) fn count_interpreted(&mut self, first: Place, instructions: u64) {
        if let Some(watched) = &mut self.watched {
            watched.count(first, instructions);
        }
    }

    /// Counts that code was left.
    pub(crate) fn count_left(&mut self, reason: Reason) {
        if let Some(watched) = &mut self.watched {
            *watched.counts.left.entry(reason.name()).or_default() += 1;
        }
    }

    /// Tells what was counted, before code is dropped.
    pub(crate) fn tell_counts(&mut self, dropped: u64) {
        let Some(watched) = &mut self.watched else { return };
        let counters = &mut self.host.data().counters;
        for ((ea, problem, instructions), times) in watched.blocks.drain(..).zip(counters) {
            let times = std::mem::take(times);
            if times > 0 {
                let place = Place { ea, problem, what: What::Translated, word: 0 };
                let count = watched.counts.places.entry(place).or_default();
                count.times += times;
                count.instructions += times * u64::from(instructions);
            }
        }
        watched.counts.dropped += dropped;
        watched.watcher.counted(&std::mem::take(&mut watched.counts));
    }
}

impl Watched {
    fn count(&mut self, place: Place, instructions: u64) {
        if self.counting {
            let count = self.counts.places.entry(place).or_default();
            count.times += 1;
            count.instructions += instructions;
        }
    }
}

impl Drop for Translator {
    fn drop(&mut self) {
        self.tell_counts(0);
    }
}
