//! What is fixed for a region before it is lowered, and what comes with its code.

use std::mem::take;

use exec_interp::Decoded;
use ppc_isa::Cpu;

use super::fields::{Fields, Noted};
use super::group::{Group, Member};
use super::vectors::Late;
use super::{PINNED, Stub};
use crate::asm::{Asm, Label, Reg};
use crate::entry::Entry;
use crate::plan::{HELD, Plan};
use crate::reversed::Reversed;
use crate::watch::Line;

/// A call out of code, as the engine finds it again.
#[derive(Clone, Copy)]
pub struct Site {
    /// The instruction.
    pub decoded: Decoded,
    /// Its address.
    pub ea: u64,
    /// Instructions completed that R15 does not account for.
    pub done: u32,
    /// Guest registers whose holders are newer than the state.
    pub dirty: u64,
    /// Guest registers that are held.
    pub held: u64,
    /// Which region.
    pub region: u32,
    /// Comparisons whose fields are not computed.
    pub fields: Noted,
}

/// A direct branch out of a region.
#[derive(Clone, Copy, Debug)]
pub struct Leaving {
    /// Where to.
    pub target: u64,
    /// Address that a jump comes to (same page), or 0: then a link remembers the target.
    pub patch: u64,
    /// Number of the link.
    pub link: u32,
}

/// Which guest register is where.
pub type Held = [Option<Reg>; HELD];

/// How the holders of a region's guest registers have them.
#[derive(Clone, Copy)]
pub struct Places {
    /// Which guest register is where.
    pub held: Held,
    /// Those that are held reversed.
    pub reversed: Reversed,
    /// Those of [`PINNED`] that are in their places as they are, as bits.
    pub usual: u64,
}

impl Places {
    /// Those of a region with these holders.
    pub fn new(held: Held, reversed: Reversed) -> Places {
        let usual = PINNED.into_iter().filter(|&(guest, host)| held[guest] == Some(host) && !reversed.has(guest));
        Places { held, reversed, usual: usual.fold(0, |all, (guest, _)| all | 1 << guest) }
    }
}

/// What is fixed for a region.
pub struct Setting<'a> {
    /// What is translated.
    pub plan: &'a Plan,
    /// GPRs that may be held reversed.
    pub reversed: Reversed,
    /// Where data and entry code are.
    pub data: u64,
    /// Code of the entry and the calls.
    pub entry: &'a Entry,
    /// 64-bit mode.
    pub sixty_four: bool,
    /// Little-endian.
    pub little: bool,
    /// FPSCR may make floating point interrupt, or round otherwise than to nearest.
    pub exacting: bool,
    /// `XER[SO]`.
    pub overflowed: bool,
    /// The CPU has 64 bits.
    pub wide: bool,
    /// CPU model.
    pub cpu: Cpu,
    /// Privileged instructions are carried out in code, as far as it can.
    pub inline: bool,
    /// System calls are delivered in code.
    pub calls: bool,
    /// The shared page's fields are little-endian.
    pub shared_little: bool,
    /// Reservations are watched by stores: there are several vCPUs.
    pub watched: Option<u8>,
    /// log2 of the bytes of a granule.
    pub granule: u8,
    /// What its word is while the vCPU alone holds a reservation there.
    pub reserved: u64,
    /// Number of the region, of its first site, and of its first link.
    pub region: u32,
    /// First site.
    pub first_site: u32,
    /// First comparison.
    pub first_compare: u32,
    /// First link.
    pub first_link: u32,
    /// First hint.
    pub first_hint: u32,
    /// The code is for problem state.
    pub problem: bool,
    /// log2 of the bytes that an entry of the fast TLB is for.
    pub unit: u8,
    /// Bytes of a cache block.
    pub block: u64,
    /// First exit.
    pub first_exit: u32,
    /// The host has AVX-512's logic of three operands.
    pub ternary: bool,
    /// Somebody asks what is done for each instruction.
    pub told: bool,
    /// Number of the counter of the first block, if blocks are counted.
    pub first_counter: Option<u32>,
}

/// What lowering makes, and what it works in; its memory is used again.
#[derive(Default)]
pub struct Scratch {
    /// The code.
    pub asm: Asm,
    /// Comparisons that its sites name.
    pub fields: Fields,
    /// Its calls out.
    pub sites: Vec<Site>,
    /// Its ways out.
    pub leaving: Vec<Leaving>,
    /// What was done for each instruction, if somebody asks.
    pub lines: Vec<Line>,
    /// Of the blocks.
    pub(super) labels: Vec<Label>,
    /// Each with the number of what is to be done before it, and of what is true behind.
    pub(super) stubs: Vec<(Stub, u32, u32)>,
    pub(super) lates: Vec<Late>,
    /// The parts of a block's instructions in groups, if it has any, and the groups.
    pub(super) members: Vec<Option<Member>>,
    pub(super) groups: Vec<Group>,
}

impl Scratch {
    /// Forgets all. Gives what assembles for `origin`, and where comparisons are noted, which come back in the end.
    pub(super) fn again(&mut self, origin: u64) -> (Asm, Fields) {
        self.sites.clear();
        self.leaving.clear();
        self.lines.clear();
        self.labels.clear();
        self.stubs.clear();
        self.lates.clear();
        self.fields.clear();
        (take(&mut self.asm).again(origin), take(&mut self.fields))
    }
}

/// What belongs to the code of a region besides what is in [`Scratch`].
pub struct Lowered {
    /// How holders have guest registers.
    pub places: Places,
    /// Links used.
    pub links: u32,
    /// Hints used.
    pub hints: u32,
    /// Offset of the code behind that of the instructions.
    pub behind: usize,
}
