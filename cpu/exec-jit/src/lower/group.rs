//! Accesses through one register in a block, which share a look into the TLB.
//!
//! The first of them finds out whether all that the block accesses through the register, which changes by constants only
//! meanwhile, lies in one unit of the TLB, and keeps in the frame what makes the host's address of one there, or 0. The
//! others look only there.

use std::mem::offset_of;

use exec_interp::fields;
use ppc_isa::integer::Integer;
use ppc_isa::loadstore::{Form, LoadStore};
use ppc_isa::op::Op;
use ppc_isa::spr;

use super::stub::{Search, Stub};
use super::{Lower, frame};
use crate::asm::{Alu, Asm, Cond, Label, Mem, Reg, Size, op};
use crate::loadstore::{self, displacement};
use crate::plan::{Block, Insn};
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

/// A group that may still grow. Bytes are counted from the register as the first access has it.
struct Open {
    register: usize,
    /// What was added to the register since.
    offset: i32,
    members: Vec<usize>,
    first: i32,
    low: i32,
    high: i32,
    needs: Needs,
}

impl Open {
    fn of(part: &Part) -> Open {
        let &Part { register, displacement, .. } = part;
        let needs = Needs::default();
        Open {
            register,
            offset: 0,
            members: Vec::new(),
            first: displacement,
            low: displacement,
            high: displacement,
            needs,
        }
    }

    /// Whether it has room for `part`, which is the access of instruction `index` of the block then.
    fn takes(&mut self, index: usize, part: &Part) -> bool {
        let at = self.offset + part.displacement;
        let (low, high) = (self.low.min(at), self.high.max(at + part.bytes));
        let near = self.register == part.register && high - low <= SPAN;
        if near {
            (self.low, self.high) = (low, high);
            self.needs = self.needs.with(part.stores);
            self.members.push(index);
        }
        near
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

impl Lower<'_> {
    /// The groups of a block, by instruction.
    pub(super) fn groups(&mut self, block: &Block) -> Vec<Option<Member>> {
        let mut members = vec![None; block.insns.len()];
        let (mut open, mut closed) = (Vec::<Open>::new(), Vec::<Open>::new());
        for (index, insn) in block.insns.iter().enumerate() {
            self.insn = *insn;
            if !keeps_translation(insn) {
                closed.append(&mut open);
            }
            if let Some(part) = self.part(insn)
                && !open.iter_mut().any(|open| open.takes(index, &part))
            {
                closed.extend(open.extract_if(.., |open| open.register == part.register));
                let mut group = Open::of(&part);
                group.takes(index, &part);
                open.push(group);
            }
            let ends = |group: &mut Open| {
                let step = if insn.writes >> group.register & 1 != 0 { step(insn, group.register) } else { Some(0) };
                group.offset += step.unwrap_or_default();
                step.is_none() || group.offset.abs() > SPAN
            };
            closed.extend(open.extract_if(.., ends));
        }
        closed.append(&mut open);
        for (group, open) in closed.iter().filter(|open| open.members.len() > 1).take(GROUPS).enumerate() {
            for (place, index) in open.members.iter().enumerate() {
                let leads = (place == 0).then(|| open.reach());
                if let Some(member) = members.get_mut(*index) {
                    *member = Some(Member { group, leads });
                }
            }
        }
        members
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
        let base = self.base(member.group);
        let (unit, key) = (self.setting.unit, self.key());
        let (tag, hint) = (Entry::tag_at(stores), self.hint(0));
        let search = self.setting.entry.searches.of(unit, stores, bytes);
        let (alone, back) = (self.asm.label(), self.asm.label());
        let single = Search {
            label: alone,
            back,
            slow,
            hint,
            looked: false,
            older: 0,
            address,
            tag,
            search,
            bytes,
            index: None,
        };
        let Some(reach) = member.leads else {
            self.asm.mov(Size::Q, Reg::Rcx, base);
            self.asm.test(Size::Q, Reg::Rcx, Reg::Rcx);
            self.asm.jcc(Cond::E, alone);
            self.asm.bind(back);
            self.slow_search(single);
            return address.plus(Reg::Rcx);
        };
        let (label, found, apart) = (self.asm.label(), self.asm.label(), self.asm.label());
        let size = self.mode_size();
        let asm = &mut self.asm;
        asm.lea(size, Reg::Rdx, address.at(-reach.below));
        in_one_unit(asm, reach, unit, apart);
        asm.mov(Size::Q, Reg::Rcx, hint);
        loadstore::tag_of(asm, Mem::Base(Reg::Rdx, 0), 1, unit, key);
        search::compare(asm, reach.needs, label);
        asm.mov(Size::Q, Reg::Rcx, Mem::Base(Reg::Rcx, offset_of!(Entry, addend) as i32));
        asm.bind(found);
        asm.store(Size::Q, base, Reg::Rcx);
        asm.bind(back);
        self.behind(Stub::Group { label, found, apart, alone, base, address, reach, hint });
        self.slow_search(single);
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
