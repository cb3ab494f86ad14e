//! Accesses through one register in a block, which share a look into the TLB.
//!
//! The first of them finds out whether all that the block accesses through the register, which changes by constants only
//! meanwhile, lies in one unit of the TLB, and keeps in the frame what makes the host's address of one there, or 0. The
//! others look only there.

use std::mem::{offset_of, take};

use exec_interp::fields;
use ppc_isa::integer::Integer;
use ppc_isa::loadstore::{Form, LoadStore};
use ppc_isa::op::Op;
use ppc_isa::spr;

use super::stub::Stub;
use super::{Lower, frame};
use crate::asm::{Alu, Asm, Cond, Label, Mem, Reg, Size, op};
use crate::loadstore::{self, displacement};
use crate::plan::Insn;
use crate::search::{self, Needs};
use crate::tlb::{self, Entry};
use crate::window::STACK;

/// The most groups of a block.
pub const GROUPS: usize = 8;
/// Bytes that a group spans at most, and that its register changes by.
const SPAN: i32 = 2048;

/// The part of an instruction in a group.
#[derive(Clone, Copy)]
pub struct Member {
    group: usize,
    /// Of the first one: what the group needs.
    leads: Option<Reach>,
}

/// What a group accesses.
#[derive(Clone, Copy)]
pub struct Reach {
    /// From its first access on, in bytes.
    below: i32,
    /// Bytes from there on.
    span: i32,
    needs: Needs,
}

/// What is grouped of an access.
struct Part {
    register: usize,
    displacement: i32,
    bytes: i32,
    stores: bool,
}

/// Accesses through a register. Bytes are counted from the register as the first of them has it.
pub struct Group {
    register: usize,
    /// What was added to the register since, if the group may still grow.
    offset: Option<i32>,
    /// Number of the first instruction in its block.
    leader: usize,
    count: usize,
    /// Which place in the frame it has, if any.
    number: Option<usize>,
    first: i32,
    low: i32,
    high: i32,
    needs: Needs,
}

impl Group {
    fn of(leader: usize, part: &Part) -> Group {
        let &Part { register, displacement, .. } = part;
        let (first, low, high) = (displacement, displacement, displacement);
        Group { register, offset: Some(0), leader, count: 0, number: None, first, low, high, needs: Needs::default() }
    }

    /// Takes `part` if it has room for it.
    fn takes(&mut self, part: &Part) -> bool {
        let Some(offset) = self.offset.filter(|_| self.register == part.register) else { return false };
        let at = offset + part.displacement;
        let (low, high) = (self.low.min(at), self.high.max(at + part.bytes));
        let near = high - low <= SPAN;
        if near {
            (self.low, self.high) = (low, high);
            self.needs = self.needs.with(part.stores);
            self.count += 1;
        }
        near
    }

    /// Behind `insn`.
    fn pass(&mut self, insn: &Insn) {
        if insn.writes >> self.register & 1 != 0 {
            let offset = self.offset.zip(step(insn, self.register)).map(|(offset, step)| offset + step);
            self.offset = offset.filter(|offset| offset.abs() <= SPAN);
        }
    }

    fn reach(&self) -> Reach {
        Reach { below: self.first - self.low, span: self.high - self.low, needs: self.needs }
    }
}

/// Whether what one of these does to the translation of addresses, if anything, is seen by nobody in its block.
fn keeps_translation(insn: &Insn) -> bool {
    match insn.op {
        _ if insn.privileged => false,
        // AMR is for everybody to write.
        Some(Op::Integer(Integer::Mtspr)) => [spr::LR, spr::CTR].contains(&spr::number(insn.decoded.word)),
        Some(Op::Integer(_) | Op::Branch(_) | Op::Float(_) | Op::Vector(_) | Op::Vsx(_)) => true,
        Some(Op::LoadStore(op)) => matches!(op, LoadStore::Load(_) | LoadStore::Store(_) | LoadStore::Hint),
        _ => false,
    }
}

/// What an instruction adds to `register`, which it writes.
fn step(insn: &Insn, register: usize) -> Option<i32> {
    let word = insn.decoded.word;
    let adds = insn.op == Some(Op::Integer(Integer::AddImmediate { shifted: false }));
    (adds && fields::ra(word) == register).then(|| i32::from(word as i16))
}

impl<'a> Lower<'a> {
    /// Finds the groups of a block.
    pub(super) fn find_groups(&mut self, insns: &'a [Insn]) {
        let (mut members, mut groups) = (take(&mut self.scratch.members), take(&mut self.scratch.groups));
        members.clear();
        members.resize(insns.len(), None);
        groups.clear();
        for ((index, insn), member) in insns.iter().enumerate().zip(&mut members) {
            self.insn = insn;
            if !keeps_translation(insn) {
                groups.iter_mut().for_each(|group| group.offset = None);
            }
            if let Some(part) = self.part(insn) {
                let group = groups.iter_mut().position(|group| group.takes(&part)).unwrap_or_else(|| {
                    for group in groups.iter_mut().filter(|group| group.register == part.register) {
                        group.offset = None;
                    }
                    let mut group = Group::of(index, &part);
                    group.takes(&part);
                    groups.push(group);
                    groups.len() - 1
                });
                *member = Some(Member { group, leads: None });
            }
            groups.iter_mut().for_each(|group| group.pass(insn));
        }
        // One alone is none.
        for (group, number) in groups.iter_mut().filter(|group| group.count > 1).zip(0..GROUPS) {
            group.number = Some(number);
        }
        if groups.iter().all(|group| group.number.is_none()) {
            members.clear();
        }
        for (index, member) in members.iter_mut().enumerate() {
            *member = member.and_then(|Member { group, .. }| {
                let group = groups.get(group)?;
                Some(Member { group: group.number?, leads: (group.leader == index).then(|| group.reach()) })
            });
        }
        (self.scratch.members, self.scratch.groups) = (members, groups);
    }

    /// What may be grouped of the instruction at hand.
    fn part(&self, insn: &Insn) -> Option<Part> {
        let (access, stores) = match insn.op.filter(|_| !insn.shared)? {
            Op::LoadStore(LoadStore::Load(access)) => (access, false),
            Op::LoadStore(LoadStore::Store(access)) => (access, true),
            _ => return None,
        };
        let register = fields::ra(insn.decoded.word);
        let watched = stores && self.setting.watched.is_some();
        if access.update || access.form == Form::Prefixed || register == 0 || watched || self.is_streamed() {
            return None;
        }
        let displacement = displacement(access.form, insn.decoded.word)?;
        let near = register == STACK && self.is_in_window(displacement, access.bytes, stores);
        (!near).then_some(Part { register, displacement, bytes: access.bytes.into(), stores })
    }

    fn base(&self, group: usize) -> Mem {
        frame!(self, bases).at(8 * group as i32)
    }

    /// The place in the host of what the instruction, part of a group, accesses at `address`. Code goes to `slow` with the
    /// effective address in RAX if the TLB does not know. RCX is part of the place, RAX may be, RDX is lost.
    pub fn group_place(&mut self, member: Member, address: Mem, bytes: u8, stores: bool, slow: Label) -> Mem {
        let (base, hint) = (self.base(member.group), self.hint(0));
        let (alone, back) = self.slow_single(address, hint, bytes, stores, slow);
        let Some(reach) = member.leads else {
            self.asm.mov(Size::Q, Reg::Rcx, base);
            self.asm.test(Size::Q, Reg::Rcx, Reg::Rcx);
            self.asm.jcc(Cond::E, alone);
            self.asm.bind(back);
            return address.plus(Reg::Rcx);
        };
        let (unit, key) = (self.setting.unit, self.key());
        let (label, found, apart) = (self.asm.label(), self.asm.label(), self.asm.label());
        let size = self.mode_size();
        let asm = &mut self.asm;
        asm.lea(size, Reg::Rdx, address.at(-reach.below));
        in_one_unit(asm, reach, unit, apart);
        asm.mov(Size::Q, Reg::Rcx, hint);
        search::tag_of(asm, Mem::Base(Reg::Rdx, 0), 1, unit, key);
        search::compare(asm, reach.needs, label);
        asm.mov(Size::Q, Reg::Rcx, Mem::Base(Reg::Rcx, offset_of!(Entry, addend) as i32));
        asm.bind(found);
        asm.store(Size::Q, base, Reg::Rcx);
        asm.bind(back);
        self.behind(Stub::Group { label, found, apart, alone, base, address, reach, hint });
        address.plus(Reg::Rcx)
    }

    /// Code behind the region: searches the TLB for a group; what it does not find in one unit is accessed apart.
    pub(super) fn search_group(&mut self, group: Stub) {
        let Stub::Group { label, found, apart, alone, base, address, reach, hint } = group else { return };
        let (unit, size) = (self.setting.unit, self.mode_size());
        let search = self.setting.entry.searches.wide(unit, reach.needs);
        let asm = &mut self.asm;
        asm.bind(label);
        // RDX is the tag.
        if address != loadstore::IN_RAX || reach.below != 0 {
            asm.lea(size, Reg::Rax, address.at(-reach.below));
        }
        asm.call_to(search);
        if address == loadstore::IN_RAX && reach.below != 0 {
            asm.lea(size, Reg::Rax, Mem::Base(Reg::Rax, reach.below));
        }
        asm.jcc(Cond::B, apart);
        asm.store(Size::Q, hint, Reg::Rcx);
        asm.mov(Size::Q, Reg::Rcx, Mem::Base(Reg::Rcx, offset_of!(Entry, addend) as i32));
        asm.jmp(found);
        asm.bind(apart);
        asm.store_imm(Size::Q, base, 0);
        asm.jmp(alone);
    }
}

/// Goes elsewhere unless all that is in reach from RDX on is in one unit. RCX is lost.
fn in_one_unit(asm: &mut Asm, reach: Reach, unit: u8, elsewhere: Label) {
    if unit == tlb::LARGE {
        asm.insn(op::MOVZX16, Reg::Rcx, Reg::Rdx);
    } else {
        asm.mov(Size::D, Reg::Rcx, Reg::Rdx);
        asm.alu_imm(Alu::And, Size::D, Reg::Rcx, (1 << unit) - 1);
    }
    asm.alu_imm(Alu::Cmp, Size::D, Reg::Rcx, (1 << unit) - reach.span);
    asm.jcc(Cond::A, elsewhere);
}
