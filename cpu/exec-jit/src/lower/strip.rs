//! The second copy of a loop, which runs in strips ([`crate::strip`]): its accesses to streams look nowhere.
//!
//! A strip sets aside, in `Frame::beyond`, all of R15 but the instructions of its turns. So it ends at its last event point
//! with R15 used up, as loops do when it is time to look at requests. Between instructions both copies have everything in
//! the same places.

use std::cmp::Ordering;
use std::mem::offset_of;
use std::ops::RangeInclusive;

use exec_interp::fields;
use ppc_isa::branch::Branch;
use ppc_isa::op::Op;

use super::stub::Stub;
use super::{Edge, HOLDERS, Lower, frame};
use crate::asm::{Alu, Cond, Label, Mem, Reg, Rm, Shift, Size, Unary};
use crate::loadstore;
use crate::plan::{self, CTR, Parts, Plan};
use crate::search::{self, Needs};
use crate::strip::{Shape, Step, Stream, Strips, Term};
use crate::tlb;

/// Instructions of a strip at most: so long are requests not looked at.
const LONGEST: u32 = 16384;
/// Fewer turns than this are no strip.
const SHORTEST: u32 = 8;
/// The register of the host that holds a stream's addend; without one, it is in the frame.
type Addend = Option<Reg>;

/// Loops of which there are two copies.
#[derive(Default)]
pub struct Copies {
    loops: Vec<Copied>,
    /// The loop of which the second copy is being made.
    second: Option<usize>,
}

/// A loop of which there are two copies.
struct Copied {
    strips: Strips,
    /// Where a strip begins; all is as at the loop's head.
    begin: Label,
    /// Head of the first copy.
    head: Label,
    addends: Vec<Addend>,
    /// Registers that addends include.
    bases: Vec<Option<usize>>,
}

/// Whether the loop ends when the count register is zero.
fn counts(plan: &Plan, (first, last): (usize, usize), sixty_four: bool) -> bool {
    let Some(head) = plan.blocks.get(first) else { return false };
    plan.block(last).last().is_some_and(|last| match last.op {
        Some(Op::Branch(op @ Branch::Bc)) => {
            let word = last.decoded.word;
            word >> 21 & 4 == 0 && plan::target(word, last.ea, op, sixty_four) == head.start
        }
        _ => false,
    })
}

impl Copies {
    /// Whether a stream's addend is in `reg`.
    pub fn hold(&self, reg: Reg) -> bool {
        self.loops.iter().any(|copied| copied.addends.contains(&Some(reg)))
    }
}

impl Lower<'_> {
    /// Prepares for two copies of the loops that have streams.
    pub(super) fn prepare_copies(&mut self) {
        let plan = self.setting.plan;
        for strips in &plan.strips {
            let Some(&head) = self.scratch.labels.get(strips.blocks.0) else { continue };
            let mut free = HOLDERS.into_iter().filter(|host| !self.held.contains(&Some(*host)));
            let addends = strips.streams.iter().map(|_| free.next()).collect();
            let bases = (0..strips.streams.len()).map(|n| strips.base(n, plan).filter(|_| self.setting.sixty_four));
            let (strips, bases) = (strips.clone(), bases.collect());
            self.copies.loops.push(Copied { strips, begin: self.asm.label(), head, addends, bases });
        }
    }

    /// Makes the second copies.
    pub(super) fn second_copies(&mut self) {
        for number in 0..self.copies.loops.len() {
            self.begin_strip(number);
            let Some((first, last)) = self.copies.loops.get(number).map(|copied| copied.strips.blocks) else { return };
            let heads = self.scratch.labels.clone();
            self.relabel(first..=last);
            self.copies.second = Some(number);
            self.copy = Some((first, last));
            self.blocks(first..last + 1);
            self.copies.second = None;
            self.copy = None;
            self.scratch.labels = heads;
        }
    }

    /// Other labels for the blocks of these numbers, of which there will be a copy.
    pub(super) fn relabel(&mut self, blocks: RangeInclusive<usize>) {
        for block in blocks {
            let label = self.asm.label();
            if let Some(slot) = self.scratch.labels.get_mut(block) {
                *slot = label;
            }
        }
    }

    /// The loop of which the second copy is being made.
    fn second(&self) -> Option<&Copied> {
        self.copies.loops.get(self.copies.second?)
    }

    /// Whether the way from here to block `index` is one back to the head of a second copy.
    pub(super) fn is_turn(&self, index: usize) -> bool {
        self.second().is_some_and(|copied| copied.strips.blocks.0 == index)
    }

    /// Whether block `index` is in the copy that is being made.
    pub(super) fn is_in_copy(&self, index: usize) -> bool {
        self.copy.is_none_or(|(first, last)| (first..=last).contains(&index))
    }

    /// On the way back to block `index`: if that is the head of a loop's first copy, begins a strip now and then.
    pub(super) fn try_strip(&mut self, index: usize) {
        let Some((turn, begin)) = self.begins_strip(index) else { return };
        // As R15 goes down by about that much, every eighth turn or so.
        self.asm.test_imm(Size::D, Reg::R15, 7 * turn.next_power_of_two() as i32);
        self.asm.jcc(Cond::E, begin);
    }

    /// The least number of instructions of a turn, and where a strip begins, if the way from here to block `index` is one
    /// back to the head of a loop's first copy.
    pub(super) fn begins_strip(&self, index: usize) -> Option<(u32, Label)> {
        if self.copies.second.is_some() {
            return None;
        }
        let block = self.block;
        let ends =
            |copied: &&Copied| copied.strips.blocks.0 == index && (index..=copied.strips.blocks.1).contains(&block);
        let copied = self.copies.loops.iter().find(ends)?;
        Some((copied.strips.turn, copied.begin))
    }

    /// On the way back to the head of a second copy: goes on with the strip, at `to`, or ends it, and begins the next one
    /// unless there is something to do at the event point.
    pub(super) fn next_turn(&mut self, edge: Edge, to: Label, live: Parts) {
        let Some(begin) = self.second().map(|copied| copied.begin) else { return };
        if self.is_noted(live) {
            return self.go_back(edge, to, begin);
        }
        let (label, back) = (self.asm.label(), self.asm.label());
        self.asm.alu_imm(Alu::Sub, Size::Q, Reg::R15, edge.done as i32);
        self.asm.jcc(Cond::Le, label);
        self.note_for(live);
        self.asm.jmp(to);
        self.asm.bind(back);
        self.note_for(live);
        self.asm.jmp(begin);
        let fields = self.fields.note();
        self.behind(Stub::Event { label, back, cia: edge.target, dirty: self.dirty, fields });
    }

    /// Whether the address of the instruction's access is found without a look into the TLB.
    pub fn is_streamed(&self) -> bool {
        self.streamed().is_some()
    }

    fn streamed(&self) -> Option<(Shape, usize, Addend)> {
        let copied = self.second()?;
        let &(_, shape, stream) = copied.strips.accesses.iter().find(|(ea, ..)| *ea == self.insn.ea)?;
        // Reservations and code are watched by each store.
        let vouched = !shape.stores || self.setting.watched.is_none();
        vouched.then_some((shape, stream, copied.addends.get(stream).copied()?))
    }

    fn slot(&self, stream: usize) -> Mem {
        let Mem::Absolute(first) = frame!(self, addends) else { return Mem::Absolute(0) };
        Mem::Absolute(first + 8 * stream as u64)
    }

    /// The place of the instruction's access in the host, if it belongs to a stream. RAX is lost.
    pub fn streamed_place(&mut self) -> Option<Mem> {
        let (shape, stream, addend) = self.streamed()?;
        let word = self.insn.decoded.word;
        let base = self.second().and_then(|copied| copied.bases.get(stream).copied().flatten());
        if let Some(base) = base {
            let other = if fields::ra(word) == base { fields::rb(word) } else { fields::ra(word) };
            let other = self.operand(other);
            let sum = match addend {
                Some(addend) => addend,
                None => {
                    let slot = self.slot(stream);
                    self.asm.mov(Size::Q, Reg::Rax, slot);
                    Reg::Rax
                }
            };
            return Some(match other {
                Rm::Reg(other) => Mem::Index(sum, other, 1, 0),
                other => {
                    self.asm.mov(Size::Q, Reg::Rcx, other);
                    Mem::Index(sum, Reg::Rcx, 1, 0)
                }
            });
        }
        if let (Some(addend), Some(displacement), false, true) =
            (addend, shape.displacement, shape.truncated, self.setting.sixty_four)
        {
            let base = self.value(fields::ra(word), Reg::Rax);
            return Some(Mem::Index(base, addend, 1, displacement));
        }
        loadstore::effective_address(self, shape.displacement, shape.update, word);
        if shape.truncated {
            self.asm.alu_imm(Alu::And, Size::Q, Reg::Rax, -i32::from(shape.bytes));
        }
        Some(match addend {
            Some(addend) => Mem::Index(Reg::Rax, addend, 1, 0),
            None => {
                let slot = self.slot(stream);
                self.asm.alu(Alu::Add, Size::Q, Reg::Rax, slot);
                Mem::Base(Reg::Rax, 0)
            }
        })
    }

    /// Code that begins a strip of a loop if all streams allow one, else goes to the first copy.
    fn begin_strip(&mut self, number: usize) {
        let Some(&Copied { ref strips, begin, head, ref addends, ref bases }) = self.copies.loops.get(number) else {
            return;
        };
        let (strips, addends, bases) = (strips.clone(), addends.clone(), bases.clone());
        let (turns, beyond) = (frame!(self, turns), frame!(self, beyond));
        self.asm.bind(begin);
        if counts(self.setting.plan, strips.blocks, self.setting.sixty_four) {
            let size = self.mode_size();
            let ctr = self.operand(CTR);
            self.asm.alu_imm(Alu::Cmp, size, ctr, SHORTEST as i32);
            self.asm.jcc(Cond::B, head);
        }
        self.asm.store_imm(Size::Q, turns, (LONGEST / strips.turn).max(1) as i32);
        for (number, (stream, addend)) in strips.streams.iter().zip(addends).enumerate() {
            let base = bases.get(number).copied().flatten();
            self.begin_stream(stream, number, addend, base, head);
        }
        let asm = &mut self.asm;
        asm.mov(Size::Q, Reg::Rax, turns);
        asm.alu_imm(Alu::Cmp, Size::Q, Reg::Rax, SHORTEST as i32);
        asm.jcc(Cond::B, head);
        asm.imul_imm(Size::Q, Reg::Rax, Reg::Rax, strips.turn as i32);
        asm.alu(Alu::Add, Size::Q, Reg::R15, beyond);
        asm.alu(Alu::Cmp, Size::Q, Reg::Rax, Reg::R15);
        asm.cmov(Cond::G, Size::Q, Reg::Rax, Reg::R15);
        asm.alu(Alu::Sub, Size::Q, Reg::R15, Reg::Rax);
        asm.store(Size::Q, beyond, Reg::R15);
        asm.mov(Size::Q, Reg::R15, Reg::Rax);
    }

    /// Finds the addend of a stream, and lessens the turns of the strip to those that stay in its unit.
    fn begin_stream(&mut self, stream: &Stream, number: usize, addend: Addend, base: Option<usize>, head: Label) {
        let &Stream { terms: (first, second), step, low, high, anchor, align, loads, stores } = stream;
        let size = self.mode_size();
        let (turns, slot) = (frame!(self, turns), self.slot(number));
        let (table, key, unit) = (frame!(self, tlb), self.key(), self.setting.unit);
        let (last, bytes) = ((high - low - 1) as i32, 1i32 << unit);
        let included = base.map(|base| self.operand(base));
        let mut base = self.term(first, Reg::Rax, head);
        if let Some(second) = second {
            let second = self.term(second, Reg::Rcx, head);
            if base != Reg::Rax {
                self.asm.mov(Size::Q, Reg::Rax, base);
                base = Reg::Rax;
            }
            self.asm.alu(Alu::Add, size, Reg::Rax, second);
        }
        let by = match step {
            Step::Register { register, .. } => self.operand(register),
            Step::Constant(_) => Reg::Rcx.into(),
        };
        let asm = &mut self.asm;
        asm.lea(size, Reg::Rax, Mem::Base(base, low as i32));
        if align > 1 {
            asm.lea(Size::D, Reg::Rcx, Mem::Base(Reg::Rax, (anchor - low) as i32));
            asm.test_imm(Size::B, Reg::Rcx, align as i32 - 1);
            asm.jcc(Cond::Ne, head);
        }
        search::entry(asm, table, unit);
        search::tag_of(asm, loadstore::IN_RAX, 1, unit, key);
        search::compare(asm, Needs { loads, stores }, head);
        let to = addend.unwrap_or(Reg::Rdx);
        asm.mov(Size::Q, to, Mem::Base(Reg::Rcx, offset_of!(tlb::Entry, addend) as i32));
        if let Some(included) = included {
            asm.alu(Alu::Add, Size::Q, to, included);
        }
        if addend.is_none() {
            asm.store(Size::Q, slot, to);
        }
        asm.alu_imm(Alu::And, Size::D, Reg::Rax, bytes - 1);
        asm.lea(Size::D, Reg::Rcx, Mem::Base(Reg::Rax, last));
        asm.alu_imm(Alu::Cmp, Size::D, Reg::Rcx, bytes);
        asm.jcc(Cond::Ae, head);
        if step == Step::Constant(0) {
            return;
        }
        if !matches!(step, Step::Constant(..0)) {
            asm.mov(Size::D, Reg::Rax, Reg::Rcx);
            asm.alu_imm(Alu::Xor, Size::D, Reg::Rax, bytes - 1);
        }
        match step {
            Step::Constant(step) if step.unsigned_abs().is_power_of_two() => {
                asm.shift_imm(Shift::Shr, Size::D, Reg::Rax, step.trailing_zeros() as u8);
            }
            Step::Constant(step) => {
                // What is rounded down here is a turn less.
                asm.imul_imm(Size::Q, Reg::Rax, Reg::Rax, ((1 << 24) / step.unsigned_abs()) as i32);
                asm.shift_imm(Shift::Shr, Size::Q, Reg::Rax, 24);
            }
            Step::Register { low, shift, .. } => {
                // Only what grows, and by less than a unit.
                let seen = if low { Size::D } else { size };
                asm.mov(seen, Reg::Rcx, by);
                asm.lea(Size::Q, Reg::Rdx, Mem::Base(Reg::Rcx, -1));
                asm.alu_imm(Alu::Cmp, Size::Q, Reg::Rdx, bytes);
                asm.jcc(Cond::Ae, head);
                asm.shift_imm(Shift::Shl, Size::D, Reg::Rcx, shift);
                asm.mov_imm(Reg::Rdx, 0);
                asm.unary(Unary::Div, Size::D, Reg::Rcx);
            }
        }
        asm.alu_imm(Alu::Add, Size::D, Reg::Rax, 1);
        let enough = asm.label();
        asm.alu(Alu::Cmp, Size::Q, Reg::Rax, turns);
        asm.jcc(Cond::Ae, enough);
        asm.store(Size::Q, turns, Reg::Rax);
        asm.bind(enough);
    }

    /// A register of the host with a part of an address, `scratch` unless a guest register is held. Goes to `head` if what
    /// it is the low word of might run over in a unit.
    fn term(&mut self, term: Term, scratch: Reg, head: Label) -> Reg {
        let Term { register, inside, low, shift, grows } = term;
        if !low && shift == 0 {
            return self.value(register, scratch);
        }
        if low {
            let value = self.operand(register);
            let asm = &mut self.asm;
            asm.mov(Size::D, scratch, value);
            if inside != 0 {
                asm.alu_imm(Alu::Add, Size::D, scratch, inside);
            }
            match grows {
                Ordering::Greater => {
                    asm.alu_imm(Alu::Cmp, Size::D, scratch, -(1 << tlb::LARGE));
                    asm.jcc(Cond::Ae, head);
                }
                Ordering::Less => {
                    asm.alu_imm(Alu::Cmp, Size::D, scratch, 1 << tlb::LARGE);
                    asm.jcc(Cond::B, head);
                }
                Ordering::Equal => {}
            }
        } else {
            self.copy(register, scratch);
        }
        if shift != 0 {
            self.asm.shift_imm(Shift::Shl, Size::Q, scratch, shift);
        }
        scratch
    }
}
