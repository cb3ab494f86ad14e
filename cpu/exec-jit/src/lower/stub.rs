//! Code that stands behind the region's own: what is seldom reached.

use std::mem::offset_of;

use exec_interp::fields::ra;

use crate::asm::{Alu, Cond, Label, Mem, Reg, Rm, Shift, Size, Xmm};
use crate::entry::Entry;
use crate::float::{self, Doubtful};
use crate::host::Data;
use crate::loadstore;
use crate::lower::group::Reach;
use crate::lower::{Edge, Lower, Noted, Scaled, home};
use crate::plan::{ALL, LR, Parts};
use crate::vsx::{self, DoubtfulLanes};

/// One of them.
#[derive(Clone, Copy)]
pub enum Stub {
    /// Leaves with dirty registers stored, having executed `done` instructions more.
    Edge { label: Label, to: Edge, dirty: u64, fields: Noted },
    /// Goes to a block further on, at `to`, where `live` is read, having executed `done` instructions more.
    Forward { label: Label, to: Label, done: u32, live: Parts, fields: Noted },
    /// Leaves through a register with dirty ones stored, having executed `done` instructions more. LR becomes `link`.
    Indirect { label: Label, register: usize, link: Option<u64>, done: u32, dirty: u64, fields: Noted },
    /// Goes to the address in RAX, which is not the one that the link remembers.
    Elsewhere { label: Label, link: Mem },
    /// At an event point with R15 used up: leaves with dirty registers stored, or goes on.
    Event { label: Label, back: Label, cia: u64, dirty: u64, fields: Noted },
    /// Calls out for an access and goes on.
    Access { label: Label, back: Label, site: u32, access: Access },
    /// Searches the TLB and goes on.
    Search(Search),
    /// The same without a tag, with the entry remembered at `hint`.
    Single { label: Label, back: Label, slow: Label, hint: Mem, address: Mem, search: u64 },
    /// Searches the TLB for a group of accesses, of which this is the first, and goes on at `found`; goes to `alone` with
    /// no base where they are not of one unit that the TLB knows.
    Group { label: Label, found: Label, apart: Label, alone: Label, base: Mem, address: Mem, reach: Reach, hint: Mem },
    /// Looks for another window and goes on.
    Window { label: Label, back: Label },
    /// Reports a store and goes on.
    Report { label: Label, back: Label },
    /// Calls what executes the instruction in the place of code, and goes on.
    Decline { label: Label, back: Label, site: u32, call: u64 },
    /// The same for a comparison of what is unordered, with flags by which the branch on a bit of the field is not taken.
    Unordered { label: Label, back: Label, site: u32, bit: u32 },
    /// Looks at a result that is not clearly right.
    Doubtful(Doubtful),
    /// The same for vectors.
    DoubtfulLanes(DoubtfulLanes),
}

/// A search of the TLB for the effective address whose tag is in RDX. The entry is to be in RCX.
#[derive(Clone, Copy)]
pub struct Search {
    /// Where it begins.
    pub label: Label,
    /// Where it goes on with what it has found.
    pub back: Label,
    /// Where it goes without.
    pub slow: Label,
    /// Where it is remembered.
    pub hint: Mem,
    /// How many that were used before are remembered behind it.
    pub older: u32,
    /// The address, if it is not in RAX yet, as an operand.
    pub address: Mem,
    /// Offset of the tag in an entry.
    pub tag: usize,
    /// Address of what searches, see [`crate::search`].
    pub search: u64,
    /// The index that is to be in RAX behind it; the address's register is its sum.
    pub index: Option<Scaled>,
}

/// An access that left the fast path.
#[derive(Clone, Copy)]
pub struct Access {
    /// Bytes.
    pub bytes: u8,
    /// Stores: what is stored.
    pub value: Value,
    /// Loads: where the value goes.
    pub to: Reg,
    /// Loads: the sign is extended.
    pub signed: bool,
    /// The bytes are in the other order than the guest's.
    pub reversed: bool,
    /// It is a store.
    pub stores: bool,
    /// Where an access that is not aligned goes instead.
    pub misaligned: Option<Label>,
}

/// What a store takes from the state.
#[derive(Clone, Copy)]
pub enum Value {
    /// A guest register of [`crate::plan::HELD`].
    Register(usize),
    /// The low bytes of a vector register; of a load, where they go.
    Float(Xmm),
    /// The bits of a vector register that make a single.
    Single(Xmm),
}

impl Lower<'_> {
    /// Code for an access that leaves the fast path at the first label; it goes on at the second.
    pub fn slow_access(&mut self, access: Access) -> (Label, Label) {
        let (label, back) = (self.asm.label(), self.asm.label());
        let site = self.site();
        self.behind(Stub::Access { label, back, site, access });
        (label, back)
    }

    /// Where an access remembers the entry of the TLB that it has used. In a loop each has a place of its own. Other code is
    /// as likely as not to run seldom: a place for each base register of a region is found in the host's caches more often,
    /// and one for what all code uses, stack pointer, TOC and thread, even more.
    /// Behind a place of its own, an access remembers `older` ones.
    pub fn hint(&mut self, older: u32) -> Mem {
        let word = self.insn.decoded.word;
        // Indexed accesses have primary opcode 31: which of the two registers is the base is not known.
        let shares = older == 0 && word >> 26 != 31 && !self.setting.plan.is_loop;
        let base = Some(ra(word)).filter(|ra| *ra != 0 && shares);
        let known = base.and_then(|base| match base {
            1 => Some(0),
            2 => Some(1),
            13 => Some(2),
            _ => self.bases[base],
        });
        let number = known.unwrap_or_else(|| {
            let own = self.setting.first_hint + self.hints;
            self.hints += 1 + older;
            if let Some(base) = base {
                self.bases[base] = Some(own);
            }
            own
        });
        let number = if number < 3 && self.setting.problem { number + 3 } else { number };
        Mem::Absolute(self.setting.data + offset_of!(Data, hints) as u64 + 8 * u64::from(number))
    }

    /// Code that searches the TLB where the remembered entry is not the right one.
    pub fn slow_search(&mut self, search: Search) {
        self.behind(Stub::Search(search));
    }

    /// Code that searches the TLB for an access at `address`, at the first label; it goes on at the second with what is
    /// added to the address in RCX, or at `slow` with the effective address in RAX. The entry is remembered at `hint`. RDX
    /// is lost.
    pub fn slow_single(&mut self, address: Mem, hint: Mem, bytes: u8, stores: bool, slow: Label) -> (Label, Label) {
        let (label, back) = (self.asm.label(), self.asm.label());
        let search = self.setting.entry.searches.single(self.setting.unit, stores, bytes);
        self.behind(Stub::Single { label, back, slow, hint, address, search });
        (label, back)
    }

    /// Code that has the interpreter's handler execute the instruction, at the first label; it goes on at the second. What
    /// the instruction writes must be held already if it ever is. If it `accesses` memory, RAX has the effective address there.
    pub fn slow_decline(&mut self, accesses: bool) -> (Label, Label) {
        let Entry { decline, decline_access, .. } = *self.setting.entry;
        self.slow_call(if accesses { decline_access } else { decline })
    }

    /// The same for a privileged instruction.
    pub fn slow_privileged(&mut self) -> (Label, Label) {
        self.slow_call(self.setting.entry.privileged)
    }

    fn slow_call(&mut self, call: u64) -> (Label, Label) {
        let (label, back) = (self.asm.label(), self.asm.label());
        let site = self.site();
        self.behind(Stub::Decline { label, back, site, call });
        (label, back)
    }

    /// Code for a comparison of what is unordered, at the first label; it goes on at the second with flags that tell the next
    /// instruction that no relation holds.
    pub fn slow_unordered(&mut self) -> (Label, Label) {
        let (label, back) = (self.asm.label(), self.asm.label());
        let site = self.site();
        let bit = self.next.map_or(0, |next| next.decoded.word >> 16 & 3);
        self.behind(Stub::Unordered { label, back, site, bit });
        (label, back)
    }

    /// Code that looks at a result.
    pub fn look_at(&mut self, doubtful: Doubtful) {
        self.behind(Stub::Doubtful(doubtful));
    }

    /// Code that looks at results of a vector.
    pub fn look_at_lanes(&mut self, doubtful: DoubtfulLanes) {
        self.behind(Stub::DoubtfulLanes(doubtful));
    }

    /// Code that reports a store to the host address in RAX, at the first label; it goes on at the second.
    pub fn slow_report(&mut self) -> (Label, Label) {
        let (label, back) = (self.asm.label(), self.asm.label());
        self.behind(Stub::Report { label, back });
        (label, back)
    }

    fn search(&mut self, search: Search) {
        let Search { label, back, slow, hint, older, address, tag, search, index } = search;
        let asm = &mut self.asm;
        asm.bind(label);
        if address != loadstore::IN_RAX {
            asm.lea(Size::Q, Reg::Rax, address);
        }
        let hint_at = |number: u32| hint.at(8 * number as i32);
        for hint in (1..=older).map(hint_at) {
            asm.mov(Size::Q, Reg::Rcx, hint);
            asm.alu(Alu::Cmp, Size::Q, Reg::Rdx, Mem::Base(Reg::Rcx, tag as i32));
            asm.jcc(Cond::E, back);
        }
        asm.call_to(search);
        asm.jcc(Cond::B, slow);
        for (from, to) in (0..older).rev().map(|number| (hint_at(number), hint_at(number + 1))) {
            asm.mov(Size::Q, Reg::Rdx, from);
            asm.store(Size::Q, to, Reg::Rdx);
        }
        asm.store(Size::Q, hint, Reg::Rcx);
        if let (Some(Scaled { base, amount, .. }), Mem::Base(sum, _)) = (index, address) {
            asm.mov(Size::Q, Reg::Rax, sum);
            let base = self.held[base].map_or(home(base).into(), Rm::Reg);
            self.asm.alu(Alu::Sub, Size::Q, Reg::Rax, base);
            self.asm.shift_imm(Shift::Shr, Size::Q, Reg::Rax, amount);
        }
        self.asm.jmp(back);
    }

    /// Assembles all of it.
    pub(super) fn stubs(&mut self) {
        let mut next = 0;
        while let Some(&(stub, late_of, after)) = self.scratch.stubs.get(next) {
            let late = |number: u32| self.scratch.lates.get(number as usize).copied().unwrap_or_default();
            (self.vectors.late, self.vectors.after) = (late(late_of), late(after));
            next += 1;
            match stub {
                Stub::Edge { label, to, dirty, fields } => {
                    self.asm.bind(label);
                    self.fields.recall(fields);
                    self.settle(ALL);
                    self.store_dirty(dirty);
                    self.exit(to);
                }
                Stub::Forward { label, to, done, live, fields } => {
                    self.asm.bind(label);
                    self.fields.recall(fields);
                    self.settle(live);
                    self.asm.alu_imm(Alu::Sub, Size::Q, Reg::R15, done as i32);
                    self.note_for(live);
                    self.asm.jmp(to);
                }
                Stub::Indirect { label, register, link, done, dirty, fields } => {
                    self.asm.bind(label);
                    self.fields.recall(fields);
                    self.settle(ALL);
                    self.store_dirty(dirty);
                    let source = self.held[register].map_or(home(register).into(), Rm::Reg);
                    self.asm.mov(Size::Q, Reg::Rax, source);
                    self.asm.alu_imm(Alu::And, self.mode_size(), Reg::Rax, !3);
                    if let Some(link) = link {
                        self.asm.mov_imm(Reg::Rcx, link);
                        self.asm.store(Size::Q, home(LR), Reg::Rcx);
                    }
                    self.exit_indirect(done, Some(register));
                }
                Stub::Elsewhere { label, link } => {
                    self.asm.bind(label);
                    self.asm.lea(Size::Q, Reg::Rdx, link);
                    self.asm.mov_imm(Reg::Rcx, self.setting.plan.entry);
                    self.asm.jmp_to(self.setting.entry.elsewhere);
                }
                Stub::Event { label, back, cia, dirty, fields } => {
                    self.asm.bind(label);
                    self.asm.call_to(self.setting.entry.poll);
                    self.asm.jcc(Cond::Ae, back);
                    self.fields.recall(fields);
                    self.settle(ALL);
                    self.store_dirty(dirty);
                    self.leave(cia, 0, self.setting.entry.event);
                }
                Stub::Search(search) => self.search(search),
                Stub::Single { label, back, slow, hint, address, search } => {
                    self.asm.bind(label);
                    if address != loadstore::IN_RAX {
                        self.asm.lea(Size::Q, Reg::Rax, address);
                    }
                    self.asm.lea(Size::Q, Reg::Rcx, hint);
                    self.asm.call_to(search);
                    self.asm.jcc(Cond::B, slow);
                    self.asm.jmp(back);
                }
                Stub::Group { .. } => self.search_group(stub),
                Stub::Window { label, back } => self.look_around(label, back),
                Stub::Report { label, back } => {
                    self.asm.bind(label);
                    self.call_out(self.setting.entry.wrote);
                    self.asm.jmp(back);
                }
                Stub::Decline { label, back, site, call } => {
                    self.asm.bind(label);
                    self.asm.mov_imm(Reg::Rdx, site.into());
                    self.call_out(call);
                    self.asm.jmp(back);
                }
                Stub::Unordered { label, back, site, bit } => {
                    self.asm.bind(label);
                    self.asm.mov_imm(Reg::Rdx, site.into());
                    self.call_out(self.setting.entry.decline);
                    // Even parity, which stands for "unordered"; neither equal nor less, or if GT is asked for, not greater.
                    self.asm.mov_imm(Reg::Rax, 3);
                    self.asm.test(Size::D, Reg::Rax, Reg::Rax);
                    if bit == 1 {
                        self.asm.stc();
                    }
                    self.asm.jmp(back);
                }
                Stub::Doubtful(doubtful) => float::doubtful(self, doubtful),
                Stub::DoubtfulLanes(doubtful) => vsx::doubtful_lanes(self, doubtful),
                Stub::Access { label, back, site, access } => {
                    self.asm.bind(label);
                    loadstore::slow(self, site, access);
                    self.asm.jmp(back);
                }
            }
        }
    }
}
