//! Lowering: from a plan to code of the host. This file has what all instructions share; what one does is in the file of
//! its operation, named as in the instruction table.
//!
//! Registers of the host: RBP points into the state, R15 counts instructions down to the limit, R14 has the key of data
//! accesses, RAX, RCX and RDX are for the instruction at hand, the others hold guest registers. Those of [`PINNED`] are
//! where they are whenever a region is entered or left; their values in the state are stale while code runs. Others are
//! those that the region names often: in a loop, which may hold them in the place of the key and of pinned ones that it
//! does not name, they are loaded before its head; in a trace when they are first named. They are stored where the region
//! is left. Vector registers of the host hold vector-scalar registers likewise; those below 6 are for the instruction at
//! hand. A call may change all of these, so code calls through [`Lower::call_inline`] and [`Lower::call_out`] only.
//!
//! An instruction that no file translates is *declined*: the interpreter's handler is called for it.

use std::cmp::Reverse;
use std::mem::offset_of;
use std::ops::Range;

use exec::VcpuState;
use ppc_isa::branch::Branch;
use ppc_isa::integer::Integer;
use ppc_isa::op::Op;

use crate::asm::{Alu, Asm, Mem, Reg, Rm, Size};
use crate::host::Data;
use crate::plan::{ALL, CTR, HELD, Insn, LR, Parts, Plan};
use crate::reversed::Reversed;
use crate::sets::bits;
use crate::watch::{Line, Live, What};
use crate::{branch, float, integer, loadstore, shared, system, vector, vsx, window};

mod edge;
mod fields;
mod group;
mod region;
mod strip;
mod stub;
mod vectors;
mod version;

pub use edge::Edge;
use fields::Fields;
pub use fields::{Compare, Noted, With};
pub use group::GROUPS;
use group::Member;
pub use region::{Held, Leaving, Lowered, Places, Scratch, Setting, Site};
use strip::Copies;
pub use stub::{Access, Search, Stub, Value};
use vectors::Vectors;
use version::Version;

/// Registers that hold guest registers.
pub const HOLDERS: [Reg; 10] =
    [Reg::Rbx, Reg::Rsi, Reg::Rdi, Reg::R8, Reg::R9, Reg::R10, Reg::R11, Reg::R12, Reg::R13, KEY];
/// The register that has the key of data accesses, in its place in a tag, unless a loop holds something else there.
pub const KEY: Reg = Reg::R14;
/// Guest registers that are held everywhere: those that compilers use most.
pub const PINNED: [(usize, Reg); 8] = [
    (1, Reg::Rbx),
    (3, Reg::Rsi),
    (4, Reg::Rdi),
    (5, Reg::R8),
    (9, Reg::R9),
    (10, Reg::R10),
    (30, Reg::R11),
    (31, Reg::R12),
];
/// What RBP is ahead of the state's address: the GPRs are in reach of one-byte displacements.
pub const BIAS: usize = 128;

/// A place in the state.
pub fn state(offset: usize) -> Mem {
    Mem::Base(Reg::Rbp, (offset as i64 - BIAS as i64) as i32)
}

/// Where a guest register of [`HELD`] is in the state.
pub fn home(register: usize) -> Mem {
    state(match register {
        CTR => offset_of!(VcpuState, ctr),
        LR => offset_of!(VcpuState, lr),
        _ => offset_of!(VcpuState, gpr) + 8 * register,
    })
}

/// A region on its way to code.
pub struct Lower<'a> {
    /// The assembler.
    pub asm: Asm,
    origin: u64,
    scratch: &'a mut Scratch,
    /// What is fixed.
    pub setting: &'a Setting<'a>,
    /// Which guest register is where.
    pub held: Held,
    /// Those that are held reversed.
    pub reversed: Reversed,
    loaded: u64,
    dirty: u64,
    done: u32,
    counted: bool,
    block: usize,
    vectors: Vectors,
    copies: Copies,
    versions: Vec<Version>,
    /// The blocks of which a copy is being made.
    copy: Option<(usize, usize)>,
    links: u32,
    hints: u32,
    /// Hints of base registers, until these are written.
    bases: [Option<u32>; 32],
    insn: &'a Insn,
    /// The one behind it in its block.
    pub next: Option<&'a Insn>,
    /// The part of the instruction in a group of accesses.
    pub member: Option<Member>,
    /// What LR holds, if it was written by a call in the trace.
    pub linked: Option<u64>,
    /// What the instruction at hand adds in the place of its operand.
    pub scaled: Option<Scaled>,
    /// What was added, and where the sum is, if the code just made did that.
    pub summed: Option<(Reg, Scaled)>,
    /// Comparisons whose CR fields are not computed.
    pub fields: Fields,
}

/// Address of a field of the frame.
macro_rules! frame {
    ($lower:expr, $field:ident) => {
        $crate::host::frame_field($lower.setting.data, offset_of!($crate::host::Frame, $field))
    };
}
pub(crate) use frame;

/// Translates `setting.plan` for the address `origin`. `None` when it cannot be assembled.
pub fn lower(setting: &Setting, scratch: &mut Scratch, origin: u64) -> Option<Lowered> {
    let (lowered, wishes) = attempt(setting, scratch, origin, &[])?;
    if wishes.is_empty() { Some(lowered) } else { Some(attempt(setting, scratch, origin, &wishes)?.0) }
}

/// Translates, with `constants` held as far as there is room. Returns also which would be worth it.
fn attempt<'a>(
    setting: &'a Setting<'a>,
    scratch: &'a mut Scratch,
    origin: u64,
    constants: &[usize],
) -> Option<(Lowered, Vec<usize>)> {
    let plan = setting.plan;
    let first = plan.insns.first()?;
    let (mut asm, fields) = scratch.again(origin);
    scratch.labels.extend(plan.blocks.iter().map(|_| asm.label()));
    let held = assign(plan);
    let mut l = Lower {
        asm,
        origin,
        held,
        reversed: setting.reversed.held(|n| held[n].is_some()),
        vectors: Vectors::of(plan, setting.little, constants),
        loaded: 0,
        dirty: 0,
        done: 0,
        counted: false,
        block: 0,
        copies: Copies::default(),
        versions: Vec::new(),
        copy: None,
        links: 0,
        hints: 0,
        bases: [None; 32],
        insn: first,
        next: None,
        member: None,
        linked: None,
        scaled: None,
        summed: None,
        fields,
        setting,
        scratch,
    };
    l.region();
    let behind = (l.asm.here() - origin) as usize;
    let wishes = if plan.is_loop { l.vectors.wishes() } else { Vec::new() };
    l.stubs();
    let Lower { held, reversed, links, hints, .. } = l;
    (l.scratch.asm, l.scratch.fields) = (l.asm, l.fields);
    l.scratch.asm.resolve()?;
    Some((Lowered { places: Places::new(held, reversed), links, hints, behind }, wishes))
}

/// Collects the numbers of registers that are named as often as is `worth` it, the most named first.
fn most_used<'a, const N: usize>(uses: &[u16; N], worth: u16, order: &'a mut [usize; N]) -> &'a [usize] {
    let mut count = 0;
    for n in (0..N).filter(|&n| uses[n] >= worth) {
        order[count] = n;
        count += 1;
    }
    let order = order.get_mut(..count).unwrap_or_default();
    order.sort_unstable_by_key(|&n| (Reverse(uses[n]), n));
    order
}

/// Gives the registers that are named most often a holder.
fn assign(plan: &Plan) -> Held {
    let mut held = [None; HELD];
    for (guest, host) in PINNED {
        held[guest] = Some(host);
    }
    // A trace would load what it names but once just as often.
    let worth = if plan.is_loop { 1 } else { 2 };
    let mut order = [0; HELD];
    let order = most_used(&plan.uses, worth, &mut order);
    let order = if plan.is_loop { order.get(..HOLDERS.len()).unwrap_or(order) } else { order };
    let is_pinned = |host: &Reg| PINNED.iter().any(|(_, pinned)| pinned == host);
    let free = HOLDERS.into_iter().filter(|host| !is_pinned(host) && *host != KEY);
    let unnamed = PINNED.into_iter().filter(|(guest, _)| plan.is_loop && !order.contains(guest));
    let key = plan.is_loop.then_some((None, KEY));
    let mut hosts = free.map(|host| (None, host)).chain(unnamed.map(|(guest, host)| (Some(guest), host))).chain(key);
    for &guest in order.iter().filter(|guest| PINNED_SET >> **guest & 1 == 0) {
        let Some((evicted, host)) = hosts.next() else { break };
        if let Some(evicted) = evicted {
            held[evicted] = None;
        }
        held[guest] = Some(host);
    }
    // What is left is for addends of streams.
    let streams = plan.strips.iter().map(|strips| strips.streams.len()).max();
    for evicted in hosts.take(streams.unwrap_or(0)).filter_map(|(evicted, _)| evicted) {
        held[evicted] = None;
    }
    held
}

/// An index that is added, scaled, to a register.
#[derive(Clone, Copy)]
pub struct Scaled {
    /// The register to which it is added.
    pub base: usize,
    /// Where the host has it; RAX is lost with the next instruction of the host that uses it.
    pub index: Reg,
    /// Places by which it is shifted to the left.
    pub amount: u8,
    /// Address of the host behind the code that made it, or added it.
    pub until: u64,
}

/// The registers of [`PINNED`], as bits.
const PINNED_SET: u64 = {
    let (mut set, mut at) = (0, 0);
    while at < PINNED.len() {
        set |= 1 << PINNED[at].0;
        at += 1;
    }
    set
};

impl Lower<'_> {
    fn region(&mut self) {
        let plan = self.setting.plan;
        self.loaded = PINNED_SET & !self.evicted();
        self.dirty = self.loaded;
        if plan.is_loop {
            for (guest, host) in PINNED.into_iter().filter(|(guest, _)| self.held[*guest].is_none()) {
                self.asm.store(Size::Q, home(guest), host);
            }
            for (guest, host) in self.held.into_iter().enumerate() {
                let Some(host) = host else { continue };
                if PINNED_SET >> guest & 1 == 0 {
                    self.asm.mov(Size::Q, host, home(guest));
                    self.loaded |= 1 << guest;
                }
                self.reversed.exchange(&mut self.asm, guest, host);
            }
            self.dirty |= plan.written & self.loaded;
            self.load_vectors();
            let head = plan.blocks.iter().position(|block| block.start == self.entry());
            if let Some(&label) = head.filter(|head| *head != 0).and_then(|head| self.scratch.labels.get(head)) {
                self.asm.jmp(label);
            }
        }
        self.prepare_copies();
        self.blocks(0..plan.blocks.len());
        self.make_versions();
        self.second_copies();
    }

    /// The blocks of these numbers.
    fn blocks(&mut self, numbers: Range<usize>) {
        let plan = self.setting.plan;
        for (index, block) in plan.blocks.iter().enumerate().take(numbers.end).skip(numbers.start) {
            if !block.follows {
                self.begin_block();
            }
            if let Some(&label) = self.scratch.labels.get(index) {
                self.asm.bind(label);
            }
            self.block(index);
        }
    }

    /// At the start of a block that is reached in several ways.
    fn begin_block(&mut self) {
        self.done = 0;
        self.join_vectors();
        self.fields.forget(ALL);
        self.linked = None;
    }

    /// Block `index`, behind its label.
    fn block(&mut self, index: usize) {
        let insns = self.setting.plan.block(index);
        self.block = index;
        self.count_block();
        self.find_groups(insns);
        for (at, insn) in insns.iter().enumerate() {
            self.insn = insn;
            self.member = self.scratch.members.get(at).copied().flatten();
            self.next = insns.get(at + 1);
            let first = self.scratch.stubs.len();
            self.instruction();
            if self.scratch.stubs.len() > first {
                let late = self.note_late();
                self.scratch.stubs.iter_mut().skip(first).for_each(|(.., after)| *after = late);
            }
        }
        let last = self.insn;
        let ended = matches!(last.op, None | Some(Op::Branch(Branch::B | Branch::Bc | Branch::BcTo(_))));
        if !ended {
            self.go(Edge { target: self.next_ea(), event: false, done: self.done });
        }
    }

    /// Address of the region's entry.
    fn entry(&self) -> u64 {
        self.setting.plan.entry
    }

    /// `ea` as the mode uses it.
    pub fn effective(&self, ea: u64) -> u64 {
        if self.setting.sixty_four { ea } else { ea & 0xffff_ffff }
    }

    /// Operand size of what the mode sees of a register.
    pub fn mode_size(&self) -> Size {
        if self.setting.sixty_four { Size::Q } else { Size::D }
    }

    /// Address of the instruction.
    pub fn ea(&self) -> u64 {
        self.insn.ea
    }

    /// Whether a part of the state may be read after the instruction.
    pub fn is_live(&self, part: Parts) -> bool {
        self.insn.live & part != 0
    }

    /// Counts that the block is entered, if anybody asks. RAX is lost, and flags stay.
    fn count_block(&mut self) {
        let Some(first) = self.setting.first_counter else { return };
        let number = u64::from(first) + self.block as u64;
        let counter = Mem::Absolute(self.setting.data + offset_of!(Data, counters) as u64 + 8 * number);
        self.asm.mov(Size::Q, Reg::Rax, counter);
        self.asm.lea(Size::Q, Reg::Rax, Mem::Base(Reg::Rax, 1));
        self.asm.store(Size::Q, counter, Reg::Rax);
    }

    fn instruction(&mut self) {
        let word = self.insn.decoded.word;
        self.begin_line();
        let insn = self.insn;
        let dead = self.before_fields(insn);
        let translated = match self.insn.op {
            None => return self.interpret(),
            Some(op) if self.insn.privileged => {
                if !self.setting.inline || system::lower(self, op, word).is_none() {
                    self.did(What::Privileged);
                    self.call_handler(self.setting.entry.privileged);
                }
                Some(())
            }
            Some(Op::Branch(op @ (Branch::B | Branch::Bc | Branch::BcTo(_)))) => {
                return branch::leave(self, op, word);
            }
            Some(Op::Branch(op)) => branch::lower(self, op, word),
            Some(Op::Integer(op)) => integer::lower(self, op, word),
            Some(Op::LoadStore(op)) if insn.shared => shared::lower(self, op, word),
            Some(Op::LoadStore(op)) => loadstore::lower(self, op, word),
            Some(Op::Vector(op)) => vector::lower(self, op, word),
            Some(Op::Vsx(op)) => vsx::lower(self, op, word),
            Some(Op::Float(op)) => float::lower(self, op, word),
            Some(_) => None,
        };
        if translated.is_none() {
            self.did(What::Declined);
            self.call_handler(self.setting.entry.decline);
        }
        if insn.writes >> window::STACK & 1 != 0 {
            self.move_window();
        }
        self.fields.forget(dead);
        if let Some(Op::Branch(Branch::Mcrf) | Op::Integer(Integer::Mtcrf)) = insn.op {
            self.fields.forget(insn.sets);
        }
        if !std::mem::take(&mut self.counted) {
            self.done += 1;
        }
    }

    fn begin_line(&mut self) {
        if !self.setting.told {
            return;
        }
        let &Insn { decoded, op, ea, live, .. } = self.insn;
        let at = (self.asm.here() - self.origin) as usize;
        let (what, live) = (What::Translated, Live(live));
        self.scratch.lines.push(Line { ea, word: decoded.word, block: self.block, what, op, live, at });
    }

    /// Says what was done for the instruction, if not code of its own.
    fn did(&mut self, what: What) {
        if let Some(line) = self.scratch.lines.last_mut() {
            line.what = what;
        }
    }

    /// An event point behind the instruction, which does nothing else.
    pub fn synchronise(&mut self) {
        self.asm.alu_imm(Alu::Sub, Size::Q, Reg::R15, self.completed() as i32);
        self.event(self.next_ea(), self.dirty);
        self.done = 0;
        self.counted = true;
    }

    /// Leaves before the instruction, which the interpreter executes.
    fn interpret(&mut self) {
        self.did(What::Interpreted);
        self.settle(ALL);
        self.store_dirty(self.dirty);
        self.leave(self.insn.ea, self.done, self.setting.entry.interpret);
    }

    /// A site for a call out of the code at the instruction.
    pub fn site(&mut self) -> u32 {
        let &Insn { decoded, ea, .. } = self.insn;
        let region = self.setting.region;
        let held = self.loaded;
        let Noted { first, count } = self.fields.note();
        let fields = Noted { first: first + self.setting.first_compare, count };
        self.scratch.sites.push(Site { decoded, ea, done: self.done, dirty: self.dirty, held, region, fields });
        self.setting.first_site + self.scratch.sites.len() as u32 - 1
    }

    /// Calls what executes the instruction in the place of code.
    fn call_handler(&mut self, call: u64) {
        let site = self.site();
        self.asm.mov_imm(Reg::Rdx, site.into());
        self.call_inline(call);
        // The state has them now, and the handler may have changed them.
        self.fields.forget(ALL);
        self.linked = None;
        if !self.setting.plan.is_loop {
            self.dirty = 0;
        }
    }

    /// Code to be placed behind the region.
    pub fn behind(&mut self, stub: Stub) {
        let late = self.note_late();
        self.scratch.stubs.push((stub, late, late));
    }

    /// The number of what is to be done of vectors where the region is left here.
    fn note_late(&mut self) -> u32 {
        if self.scratch.lates.last() != Some(&self.vectors.late) {
            self.scratch.lates.push(self.vectors.late);
        }
        self.scratch.lates.len() as u32 - 1
    }

    /// Pinned registers whose places hold others.
    fn evicted(&self) -> u64 {
        PINNED.into_iter().filter(|(guest, _)| self.held[*guest].is_none()).fold(0, |all, (guest, _)| all | 1 << guest)
    }

    /// Stores dirty registers that are not pinned; those that are come to their places. To be followed by leaving the region.
    fn store_dirty(&mut self, dirty: u64) {
        self.store_vectors();
        for guest in bits(dirty) {
            let Some(host) = self.held[guest] else { continue };
            self.reversed.exchange(&mut self.asm, guest, host);
            if PINNED_SET >> guest & 1 == 0 {
                self.asm.store(Size::Q, home(guest), host);
            }
        }
        for (guest, host) in PINNED.into_iter().filter(|(guest, _)| self.held[*guest].is_none()) {
            self.asm.mov(Size::Q, host, home(guest));
        }
        if self.borrows_key() {
            let key = frame!(self, data_key);
            self.asm.mov(Size::Q, KEY, key);
        }
    }

    /// Whether [`KEY`] holds something else in the region.
    pub fn borrows_key(&self) -> bool {
        self.held.contains(&Some(KEY)) || self.copies.hold(KEY)
    }

    /// The key of data accesses.
    pub fn key(&self) -> Rm {
        if self.borrows_key() { frame!(self, data_key).into() } else { KEY.into() }
    }

    /// Stores all dirty registers, as where the region is left.
    pub fn store_dirty_all(&mut self) {
        self.store_dirty(self.dirty);
    }

    /// The holder of a guest register with its value in it, if it has one.
    fn holder(&mut self, register: usize) -> Option<Reg> {
        let host = self.held[register]?;
        if self.loaded >> register & 1 == 0 {
            self.asm.mov(Size::Q, host, home(register));
            self.loaded |= 1 << register;
        }
        Some(host)
    }

    /// A guest register as an operand.
    pub fn operand(&mut self, register: usize) -> Rm {
        match self.holder(register) {
            Some(host) => host.into(),
            None => home(register).into(),
        }
    }

    /// A register of the host with the value of a guest register, `scratch` unless it is held.
    pub fn value(&mut self, register: usize, scratch: Reg) -> Reg {
        match self.holder(register) {
            Some(host) => host,
            None => {
                self.asm.mov(Size::Q, scratch, home(register));
                scratch
            }
        }
    }

    /// Copies the value of a guest register to `to`.
    pub fn copy(&mut self, register: usize, to: Reg) {
        let from = self.operand(register);
        self.asm.mov(Size::Q, to, from);
    }

    /// Where the new value of a guest register is to be computed, which may be where its old one is; `scratch` unless it is
    /// held. To be followed by [`Lower::written`].
    pub fn target(&mut self, register: usize, scratch: Reg) -> Reg {
        self.held[register].unwrap_or(scratch)
    }

    /// Where the new value of a guest register is computed in steps, of which those behind the first may read `operand`;
    /// `scratch` unless it is held, and no part of that. To be followed by [`Lower::written`].
    pub fn target_beside(&mut self, register: usize, operand: Rm, scratch: Reg) -> Reg {
        self.held[register].filter(|host| Rm::Reg(*host) != operand).unwrap_or(scratch)
    }

    /// The new value of a guest register is in `from`.
    pub fn written(&mut self, register: usize, from: Reg) {
        debug_assert!(self.insn.writes >> register & 1 != 0, "a register that the plan does not know of");
        if let Some(hint) = self.bases.get_mut(register) {
            *hint = None;
        }
        if register == LR {
            self.linked = None;
        }
        match self.held[register] {
            Some(host) => {
                if host != from {
                    self.asm.mov(Size::Q, host, from);
                }
                self.loaded |= 1 << register;
                self.dirty |= 1 << register;
            }
            None => self.asm.store(Size::Q, home(register), from),
        }
    }

    /// Instructions completed so far, with the one at hand.
    pub fn completed(&self) -> u32 {
        self.done + 1
    }

    /// Where the trace goes on behind the block at hand.
    pub fn continues(&self) -> Option<u64> {
        let plan = self.setting.plan;
        plan.blocks.get(self.block + 1).filter(|_| !plan.is_loop).map(|block| block.start)
    }

    /// Address of the next instruction.
    pub fn next_ea(&self) -> u64 {
        self.effective(self.insn.ea.wrapping_add(4))
    }
}
