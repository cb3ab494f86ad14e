//! Comparisons, whose CR fields are computed where somebody looks.
//!
//! A comparison by itself is no code: it is remembered for its field. A branch on it compares; a way out of the region
//! computes the field; a call out of code, after which the interpreter may look, has it computed by the engine, which finds
//! the comparison with the call's site. Before an instruction writes what was compared, that is saved in the frame, unless
//! nobody can look at the field any more.

use std::cmp::Ordering;
use std::mem::offset_of;
use std::ops::Range;

use ppc_isa::branch::Branch;
use ppc_isa::float::Float;
use ppc_isa::integer::Integer;
use ppc_isa::loadstore::LoadStore;
use ppc_isa::op::Op;
use ppc_isa::vector::Vector;
use ppc_isa::vsx::Vsx;

use crate::asm::{Alu, Cond, Mem, Reg, Rm, Size};
use crate::branch::{self, cr};
use crate::constants::Constants;
use crate::host::Data;
use crate::lower::{Lower, frame, home};
use crate::plan::{HELD, Insn, Parts};
use crate::sets::bits;

/// All fields.
const FIELDS: Parts = 0xff;
/// Of a field, without SO.
const LESS: u8 = 8;
const GREATER: u8 = 4;
const EQUAL: u8 = 2;

/// What a register is compared with.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum With {
    /// A constant.
    Immediate(i32),
    /// A guest register.
    Register(usize),
    /// Both are doublewords 0 of vector-scalar registers, this one's number given here. Where they are unordered, the field
    /// is computed already. It is pending until the next instruction only, which branches on it.
    Scalar(usize),
}

/// A comparison. Registers are those of [`HELD`]; from there on, two for each field, what was saved of them.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Compare {
    /// CR field.
    pub field: u8,
    /// Compares signed numbers.
    pub signed: bool,
    /// Operand size.
    pub size: Size,
    /// Register that is compared.
    pub register: usize,
    /// What it is compared with.
    pub with: With,
    /// The field without SO, where a branch has told.
    pub known: Option<u8>,
}

impl Compare {
    /// Whose bits of the field, without SO, the values of registers make.
    pub fn order(&self, value: impl Fn(usize) -> u64) -> u8 {
        if let Some(known) = self.known {
            return known;
        }
        let (a, b) = match self.with {
            With::Immediate(immediate) => (value(self.register), immediate as u64),
            With::Register(register) => (value(self.register), value(register)),
            // There is no call before the next instruction.
            With::Scalar(_) => (0, 0),
        };
        let order = match (self.size == Size::Q, self.signed) {
            (true, true) => (a as i64).cmp(&(b as i64)),
            (true, false) => a.cmp(&b),
            (false, true) => (a as i32).cmp(&(b as i32)),
            (false, false) => (a as u32).cmp(&(b as u32)),
        };
        match order {
            Ordering::Less => LESS,
            Ordering::Greater => GREATER,
            Ordering::Equal => EQUAL,
        }
    }

    /// The condition under which bit `bit` of the field, not SO, equals `set`.
    pub fn condition(&self, bit: u32, set: bool) -> Cond {
        let cond = match (bit, self.signed) {
            (0, true) => Cond::L,
            (0, false) => Cond::B,
            (1, true) => Cond::G,
            (1, false) => Cond::A,
            _ => Cond::E,
        };
        if set { cond } else { cond.not() }
    }

    /// The one of its operands that is register `number`.
    fn names(&self, number: usize) -> bool {
        self.register == number || self.with == With::Register(number)
    }
}

/// Comparisons at a place in the code: a part of [`Fields::all`].
#[derive(Clone, Copy, Default)]
pub struct Noted {
    /// Number of the first.
    pub first: u32,
    /// How many.
    pub count: u32,
}

impl Noted {
    fn range(self) -> Range<usize> {
        self.first as usize..(self.first + self.count) as usize
    }
}

/// Comparisons whose fields are not computed yet.
#[derive(Default)]
pub struct Fields {
    pending: Vec<Compare>,
    /// What sites and code behind the region's own refer to.
    pub all: Vec<Compare>,
    noted: Option<Noted>,
    /// The host's flags are those of the comparison for this field.
    flags: Option<u8>,
}

impl Fields {
    /// The comparison of a field.
    pub fn get(&self, field: u8) -> Option<Compare> {
        self.pending.iter().find(|compare| compare.field == field).copied()
    }

    fn take(&mut self, field: u8) -> Option<Compare> {
        let at = self.pending.iter().position(|compare| compare.field == field)?;
        self.noted = None;
        Some(self.pending.swap_remove(at))
    }

    fn put(&mut self, compare: Compare) {
        self.take(compare.field);
        self.pending.push(compare);
        self.noted = None;
    }

    /// Forgets all.
    pub fn clear(&mut self) {
        self.pending.clear();
        self.all.clear();
        (self.noted, self.flags) = (None, None);
    }

    /// All of them.
    pub fn pending(&self) -> &[Compare] {
        &self.pending
    }

    fn noted(&self, noted: Noted) -> &[Compare] {
        self.all.get(noted.range()).unwrap_or_default()
    }

    /// Whether the same was noted at two places.
    pub fn are_same(&self, one: Noted, other: Noted) -> bool {
        self.noted(one) == self.noted(other)
    }

    /// Forgets those of `fields`.
    pub fn forget(&mut self, fields: Parts) {
        self.noted = None;
        self.pending.retain(|compare| fields >> compare.field & 1 == 0);
    }

    /// What is pending, for later.
    pub fn note(&mut self) -> Noted {
        if let Some(noted) = self.noted {
            return noted;
        }
        let noted = Noted { first: self.all.len() as u32, count: self.pending.len() as u32 };
        self.all.extend_from_slice(&self.pending);
        self.noted = Some(noted);
        noted
    }

    /// Those of `fields` that are pending, for later.
    pub fn note_of(&mut self, fields: Parts) -> Noted {
        let first = self.all.len();
        self.all.extend(self.pending.iter().filter(|compare| fields >> compare.field & 1 != 0));
        Noted { first: first as u32, count: (self.all.len() - first) as u32 }
    }

    /// What was noted is pending.
    pub fn recall(&mut self, noted: Noted) {
        self.pending.clear();
        self.pending.extend_from_slice(self.all.get(noted.range()).unwrap_or_default());
        self.noted = Some(noted);
    }

    /// A branch on the field of a comparison went where `cond` holds.
    pub fn learn(&mut self, field: u8, cond: Cond) {
        let known = match cond {
            Cond::E => EQUAL,
            Cond::L | Cond::B => LESS,
            Cond::G | Cond::A => GREATER,
            _ => return,
        };
        if let Some(compare) = self.take(field) {
            self.put(Compare { known: Some(known), ..compare });
        }
    }
}

/// Fields that code of an instruction reads from the state, or may write there.
fn touched(insn: &Insn) -> Parts {
    let word = insn.decoded.word;
    let recorded = if word & 1 != 0 { FIELDS } else { 0 };
    match insn.op {
        Some(Op::Branch(Branch::CrLogic(_) | Branch::Mcrf)) => insn.reads,
        Some(Op::Integer(Integer::SetBoolean | Integer::Mfcr)) => insn.reads,
        Some(Op::Branch(_) | Op::Integer(_)) => 0,
        Some(Op::LoadStore(op)) => match op {
            LoadStore::Load(_) | LoadStore::Store(_) | LoadStore::BlockZero | LoadStore::Isync => 0,
            LoadStore::Hint | LoadStore::ReservedNoOp | LoadStore::Eieio | LoadStore::Sync => 0,
            LoadStore::Touch { .. } | LoadStore::LoadReserve { .. } => 0,
            _ => FIELDS,
        },
        Some(Op::Float(op)) => match op {
            Float::Load(_) | Float::Store(_) => 0,
            Float::Compare { .. } => FIELDS,
            _ => recorded,
        },
        Some(Op::Vector(Vector::Compare { .. })) => FIELDS,
        Some(Op::Vector(_)) => 0,
        Some(Op::Vsx(Vsx::Compare(_))) => FIELDS,
        Some(Op::Vsx(_)) => 0,
        // Those are calls.
        None | Some(Op::System(_)) => 0,
        _ => FIELDS,
    }
}

impl Lower<'_> {
    /// A comparison that sets its field.
    pub fn compare(&mut self, compare: Compare) {
        // What holds an operand has it in it from here on, in stubs as well.
        self.operand(compare.register);
        if let With::Register(register) = compare.with {
            self.operand(register);
        }
        self.fields.put(compare);
    }

    /// A comparison of scalars that the host's flags are of. Its field is computed unless the next instruction branches on
    /// it. RAX and RCX are lost.
    pub fn compared(&mut self, compare: Compare) {
        self.fields.put(compare);
        if self.next.is_some_and(|next| branch::tests(next, compare.field)) {
            self.fields.flags = Some(compare.field);
        } else {
            self.settle_scalars(self.insn.live);
        }
    }

    /// Computes those of `fields` that comparisons of scalars set, and forgets the others of these.
    pub(super) fn settle_scalars(&mut self, fields: Parts) {
        let scalar = |compare: &&Compare| matches!(compare.with, With::Scalar(_));
        while let Some(compare) = self.fields.pending.iter().find(scalar).copied() {
            self.fields.take(compare.field);
            if fields >> compare.field & 1 != 0 {
                self.compute(compare);
            }
        }
    }

    /// Sets CR field 0 from a comparison of a register's value with zero.
    pub fn record(&mut self, register: usize) {
        let (size, with) = (self.mode_size(), With::Immediate(0));
        self.compare(Compare { field: 0, signed: true, size, register, with, known: None });
    }

    /// The comparison that decides on a bit of CR. If there is none, the field is computed. RAX, RCX and flags are lost.
    pub fn decides(&mut self, bit: u32) -> Option<Compare> {
        let field = (bit >> 2) as u8;
        let compare = self.fields.get(field).filter(|compare| bit & 3 != 3 && compare.known.is_none());
        if compare.is_none() {
            self.settle(1 << field);
        }
        compare
    }

    /// Code that finds out about a bit of CR: the condition under which it equals `set`. RAX and RCX are lost.
    pub fn test_bit(&mut self, bit: u32, set: bool) -> Cond {
        if let Some(compare) = self.decides(bit) {
            if self.fields.flags.take() != Some(compare.field) {
                self.compare_now(compare);
            }
            return compare.condition(bit & 3, set);
        }
        self.asm.test_imm(Size::B, cr(bit >> 2), 8 >> (bit & 3));
        if set { Cond::Ne } else { Cond::E }
    }

    /// Sets the host's flags.
    fn compare_now(&mut self, compare: Compare) {
        if let With::Scalar(with) = compare.with {
            return self.compare_scalars(compare.register, with);
        }
        let left = self.operand_of(compare.register);
        match (compare.with, left) {
            (With::Immediate(0), Rm::Reg(left)) => self.asm.test(compare.size, left, left),
            (With::Immediate(value), _) => self.asm.alu_imm(Alu::Cmp, compare.size, left, value),
            (With::Register(register), _) => match (left, self.operand_of(register)) {
                (Rm::Reg(left), right) => self.asm.alu(Alu::Cmp, compare.size, left, right),
                (_, Rm::Reg(right)) => self.asm.alu_to(Alu::Cmp, compare.size, left, right),
                (_, right) => {
                    self.asm.mov(Size::Q, Reg::Rax, left);
                    self.asm.alu(Alu::Cmp, compare.size, Reg::Rax, right);
                }
            },
            (With::Scalar(_), _) => {}
        }
    }

    /// Where an operand of a comparison is.
    fn operand_of(&self, register: usize) -> Rm {
        match self.held.get(register) {
            Some(Some(host)) => Rm::Reg(*host),
            Some(None) => home(register).into(),
            None => self.saved(register).into(),
        }
    }

    fn saved(&self, register: usize) -> Mem {
        let Mem::Absolute(saved) = frame!(self, saved) else { return home(0) };
        Mem::Absolute(saved + 8 * (register - HELD) as u64)
    }

    /// Computes those of `fields` that are not computed yet. RAX, RCX and flags are lost.
    pub fn settle(&mut self, fields: Parts) {
        for field in (0..8).filter(|field| fields >> field & 1 != 0) {
            if let Some(compare) = self.fields.take(field) {
                self.compute(compare);
            }
        }
    }

    fn compute(&mut self, compare: Compare) {
        let field = cr(compare.field.into());
        let scalars = matches!(compare.with, With::Scalar(_));
        let overflowed = self.setting.overflowed && !scalars;
        if let Some(known) = compare.known {
            return self.asm.store_imm(Size::B, field, i32::from(known | u8::from(overflowed)));
        }
        let unordered = self.asm.label();
        self.compare_now(compare);
        if scalars {
            self.asm.jcc(Cond::P, unordered);
        }
        let digits = self.setting.data + (offset_of!(Data, constants) + offset_of!(Constants, digits)) as u64;
        let value = |order: u8| u64::from(order | u8::from(overflowed));
        let place = |order: u8| Mem::Absolute(digits + 4 * value(order));
        self.asm.mov_imm(Reg::Rax, value(EQUAL));
        self.asm.cmov(compare.condition(1, true), Size::D, Reg::Rax, place(GREATER));
        self.asm.cmov(compare.condition(0, true), Size::D, Reg::Rax, place(LESS));
        self.asm.store(Size::B, field, Reg::Rax);
        self.asm.bind(unordered);
    }

    /// Before an instruction: computes the fields that its code looks at, and saves what it writes of what was compared.
    /// Returns the fields at which nobody looks any more behind it.
    pub(super) fn before_fields(&mut self, insn: &Insn) -> Parts {
        if self.fields.pending.is_empty() {
            return 0;
        }
        self.settle(touched(insn));
        let sets = insn.sets;
        let mut dead = 0;
        for at in 0..self.fields.pending.len() {
            let Some(&compare) = self.fields.pending.get(at).filter(|compare| compare.known.is_none()) else {
                continue;
            };
            if matches!(compare.with, With::Scalar(_)) || !bits(insn.writes).any(|register| compare.names(register)) {
                continue;
            }
            if insn.live & !sets & 1 << compare.field == 0 {
                dead |= 1 << compare.field & !sets;
                continue;
            }
            let slot = HELD + 2 * usize::from(compare.field);
            let register = self.save(insn, compare.register, slot);
            let with = match compare.with {
                With::Register(register) => With::Register(self.save(insn, register, slot + 1)),
                immediate => immediate,
            };
            if let Some(pending) = self.fields.pending.get_mut(at) {
                *pending = Compare { register, with, ..compare };
                self.fields.noted = None;
            }
        }
        dead
    }

    /// Saves a register that the instruction writes. Returns where it is from now on.
    fn save(&mut self, insn: &Insn, register: usize, slot: usize) -> usize {
        if register >= HELD || insn.writes >> register & 1 == 0 {
            return register;
        }
        let value = self.value(register, Reg::Rax);
        let saved = self.saved(slot);
        self.asm.store(Size::Q, saved, value);
        slot
    }
}
