//! Ways out of blocks: on in the region, out of it, and what is looked at there.

use std::mem::offset_of;

use super::{Leaving, Lower, Setting, Stub, frame};
use crate::asm::{Alu, Cond, Label, Mem, Reg, Size};
use crate::host::Data;
use crate::jumps::{self, Link};
use crate::plan::{ALL, CTR, Parts};

/// A way out of a block.
#[derive(Clone, Copy)]
pub struct Edge {
    /// Address that control goes to.
    pub target: u64,
    /// An event point: a branch back.
    pub event: bool,
    /// Instructions completed.
    pub done: u32,
}

impl Lower<'_> {
    /// Goes to `edge.target` if `cond` holds, which is of CR field `tested` if of any, else on.
    pub fn go_if(&mut self, cond: Cond, edge: Edge, tested: Option<u8>) {
        let plan = self.setting.plan;
        let inside = plan.follows(self.block, edge.target, true);
        let before = self.fields.note();
        match inside.and_then(|index| Some((index, *self.scratch.labels.get(index)?))) {
            Some((index, to)) if index > self.block => {
                let label = self.asm.label();
                self.asm.jcc(cond, label);
                self.learn(tested, cond);
                let (live, fields) = (plan.live_at(self.block, edge.target, true), self.fields.note());
                self.behind(Stub::Forward { label, to, done: edge.done, live, fields });
            }
            Some((index, to)) => {
                // What would be an edge of the flow graph: counted on its own way.
                let skip = self.asm.label();
                self.asm.jcc(cond.not(), skip);
                self.learn(tested, cond);
                let live = plan.live_at(self.block, edge.target, true);
                let to = self.entrance(edge, index, live, to);
                if self.is_turn(index) {
                    self.next_turn(edge, to, live);
                } else {
                    self.go_to_block(edge, index, to, live);
                }
                self.asm.bind(skip);
            }
            None => {
                let label = self.asm.label();
                self.asm.jcc(cond, label);
                self.learn(tested, cond);
                let fields = self.fields.note();
                self.behind(Stub::Edge { label, to: edge, dirty: self.dirty, fields });
            }
        }
        self.fields.recall(before);
    }

    fn learn(&mut self, tested: Option<u8>, cond: Cond) {
        if let Some(field) = tested {
            self.fields.learn(field, cond);
        }
    }

    /// Goes to `edge.target`.
    pub fn go(&mut self, edge: Edge) {
        let plan = self.setting.plan;
        let Some(index) = plan.follows(self.block, edge.target, false) else {
            self.settle(ALL);
            self.store_dirty(self.dirty);
            self.exit(edge);
            return;
        };
        let label = self.scratch.labels.get(index).copied();
        if index == self.block + 1 && plan.blocks.get(index).is_some_and(|block| block.follows) {
            self.done = edge.done;
            self.settle_scalars(plan.live_at(self.block, edge.target, false));
            if edge.event {
                self.count(edge);
                self.done = 0;
            }
            if let Some(to) = label.filter(|_| !self.is_in_copy(index)) {
                self.asm.jmp(to);
            }
            return;
        }
        let live = plan.live_at(self.block, edge.target, false);
        let label = label.map(|label| self.entrance(edge, index, live, label));
        if let Some(to) = label.filter(|_| self.is_turn(index)) {
            return self.next_turn(edge, to, live);
        }
        match label {
            Some(to) if index != self.block + 1 || !self.is_in_copy(index) => self.go_to_block(edge, index, to, live),
            _ => {
                self.count(edge);
                self.note_for(live);
                self.try_strip(index);
            }
        }
    }

    /// Goes to block `index`, at `to`.
    fn go_to_block(&mut self, edge: Edge, index: usize, to: Label, live: Parts) {
        if edge.event && self.is_noted(live) && self.begins_strip(index).is_none() {
            return self.go_back(edge, to, to);
        }
        self.count(edge);
        self.note_for(live);
        self.try_strip(index);
        self.asm.jmp(to);
    }

    /// Goes to `to` from the event point of a branch back if R15 is not used up, else to `back` if there is nothing to do.
    pub(super) fn go_back(&mut self, edge: Edge, to: Label, back: Label) {
        let label = self.asm.label();
        self.asm.alu_imm(Alu::Sub, Size::Q, Reg::R15, edge.done as i32);
        self.asm.jcc(Cond::G, to);
        self.asm.jmp(label);
        let fields = self.fields.note();
        self.behind(Stub::Event { label, back, cia: edge.target, dirty: self.dirty, fields });
    }

    /// Accounts for the instructions of an edge, and looks at what is pending if it is an event point.
    fn count(&mut self, edge: Edge) {
        self.asm.alu_imm(Alu::Sub, Size::Q, Reg::R15, edge.done as i32);
        if edge.event {
            self.event(edge.target, self.dirty);
        }
    }

    /// An event point, the flags being those of R15, which was counted down. `dirty` registers are not stored yet. RAX is
    /// lost.
    pub(super) fn event(&mut self, cia: u64, dirty: u64) {
        let (label, back) = (self.asm.label(), self.asm.label());
        self.asm.jcc(Cond::Le, label);
        self.asm.bind(back);
        let fields = self.fields.note();
        self.behind(Stub::Event { label, back, cia, dirty, fields });
    }

    /// Leaves the region for a known target; dirty registers are stored.
    pub(super) fn exit(&mut self, edge: Edge) {
        let same_page = edge.target & !0xfff == self.entry() & !0xfff;
        self.asm.alu_imm(Alu::Sub, Size::Q, Reg::R15, edge.done as i32);
        if edge.event || !same_page {
            // What is late has been done.
            let late = std::mem::take(&mut self.vectors.late);
            self.event(edge.target, 0);
            self.vectors.late = late;
        }
        let number = u64::from(self.setting.first_exit) + self.scratch.leaving.len() as u64;
        if same_page {
            // Where the number is loaded, there is room for a jump.
            let patch = self.asm.here();
            self.scratch.leaving.push(Leaving { target: edge.target, patch, link: 0 });
        } else {
            let (number, link) = self.link();
            self.scratch.leaving.push(Leaving { target: edge.target, patch: 0, link: number });
            let resolve = self.asm.label();
            let key = frame!(self, fetch_key);
            self.asm.mov(Size::Q, Reg::Rax, key);
            self.go_by(link, resolve);
            self.asm.bind(resolve);
        }
        self.asm.mov_imm(Reg::Rdx, number);
        self.asm.jmp_to(self.setting.entry.resolve);
    }

    /// Leaves for the address in RAX, an event point; `done` instructions are completed, dirty registers stored. RCX and
    /// RDX are lost. Where a branch through CTR led in its page before is remembered: there code is the same in all spaces.
    /// Functions return to many places.
    pub(super) fn exit_indirect(&mut self, done: u32, register: Option<usize>) {
        let &Setting { data, entry, .. } = self.setting;
        self.asm.alu_imm(Alu::Sub, Size::Q, Reg::R15, done as i32);
        self.asm.jcc_to(Cond::Le, entry.poll_indirect);
        if register != Some(CTR) {
            return jumps::go(&mut self.asm, data, |asm, cond| asm.jcc_to(cond, entry.lookup));
        }
        let (_, link) = self.link();
        let label = self.asm.label();
        self.go_by(link, label);
        self.behind(Stub::Elsewhere { label, link });
    }

    /// Goes where `link` leads if that is for what RAX says, else to `elsewhere`.
    fn go_by(&mut self, link: Mem, elsewhere: Label) {
        self.asm.alu(Alu::Cmp, Size::Q, Reg::Rax, link);
        self.asm.jcc(Cond::Ne, elsewhere);
        self.asm.jmp_rm(link.at(offset_of!(Link, host) as i32));
    }

    /// A link, its number and its place.
    fn link(&mut self) -> (u32, Mem) {
        let number = self.setting.first_link + self.links;
        self.links += 1;
        let offset = offset_of!(Data, links) + size_of::<Link>() * number as usize;
        (number, Mem::Absolute(self.setting.data + offset as u64))
    }

    /// Leaves through the entry's code `by` with the address `cia`, `done` instructions further.
    pub(super) fn leave(&mut self, cia: u64, done: u32, by: u64) {
        if done != 0 {
            self.asm.alu_imm(Alu::Sub, Size::Q, Reg::R15, done as i32);
        }
        self.asm.mov_imm(Reg::Rax, cia);
        self.asm.jmp_to(by);
    }

    /// Leaves through `register`, which was an operand, if `cond` holds. If it `links`, LR becomes the next address.
    pub fn guard(&mut self, cond: Cond, register: usize, links: bool) {
        let label = self.asm.label();
        self.asm.jcc(cond, label);
        let link = links.then(|| self.next_ea());
        let (dirty, done, fields) = (self.dirty, self.completed(), self.fields.note());
        self.behind(Stub::Indirect { label, register, link, done, dirty, fields });
    }

    /// Leaves through the address in RAX, which is that of `register` if it is among [`HELD`](crate::plan::HELD). RCX and RDX are lost.
    pub fn go_indirect(&mut self, register: Option<usize>) {
        self.store_dirty(self.dirty);
        self.exit_indirect(self.done + 1, register);
    }
}
