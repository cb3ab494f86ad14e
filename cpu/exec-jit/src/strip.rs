//! Loops that walk through memory in even steps.
//!
//! A register that every turn of a loop raises by the same constant or by a register that it leaves alone, or leaves
//! alone, makes the addresses of a *stream*, as it is or as an index: its low word, shifted to the left. As long as a
//! stream stays in one unit of the TLB, its accesses need no look into it: the lowering makes a second copy of the loop,
//! which runs for a *strip* of so many turns that all streams stay in their units and the limit is not reached, and looks
//! at the TLB before each strip.

use std::cmp::Ordering;

use exec_interp::fields;
use ppc_isa::branch::Branch;
use ppc_isa::float::Float;
use ppc_isa::integer::{Addend, Adder, CarryIn, Integer, Logic, RotateMask};
use ppc_isa::loadstore::{self, LoadStore};
use ppc_isa::op::Op;
use ppc_isa::vector::{Lane, Vector};
use ppc_isa::vsx::Vsx;
use ppc_isa::vsx::memory::{self, Memory};

use crate::plan::{Insn, Plan, ways};

/// Adds two registers.
const SUM: Adder = Adder { complement: false, addend: Addend::Rb, carry: CarryIn::Zero, set_ca: false };
/// The most streams of a loop.
pub const STREAMS: usize = 8;
/// Bytes that the accesses of one turn to one stream span at most.
const SPAN: i64 = 1024;

/// A part of the sum that makes an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Term {
    /// The register, with its value at the loop's head.
    pub register: usize,
    /// Added to it before its low word is taken.
    pub inside: i32,
    /// It is the low word, with zeros above.
    pub low: bool,
    /// Places by which it is shifted to the left.
    pub shift: u8,
    /// Whether it grows.
    pub grows: Ordering,
}

/// What something grows by in a turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// A constant.
    Constant(i64),
    /// What a register holds, shifted to the left. If of an index, only the low word counts.
    Register { register: usize, low: bool, shift: u8 },
}

impl Step {
    fn direction(self) -> Ordering {
        match self {
            Step::Constant(step) => step.cmp(&0),
            Step::Register { .. } => Ordering::Greater,
        }
    }
}

/// Accesses through the same registers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stream {
    /// Whose sum makes the addresses.
    pub terms: (Term, Option<Term>),
    /// What the sum grows by in a turn.
    pub step: Step,
    /// First byte of a turn's accesses, from the sum on.
    pub low: i64,
    /// Behind the last one.
    pub high: i64,
    /// Addresses at this displacement are multiples of [`Stream::align`] if they are to be looked at no more.
    pub anchor: i64,
    /// See [`Stream::anchor`].
    pub align: i64,
    /// Some load.
    pub loads: bool,
    /// Some store.
    pub stores: bool,
}

/// How an instruction forms its address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Displacement from RA; with `None`, RB is added.
    pub displacement: Option<i32>,
    /// The address is written to RA.
    pub update: bool,
    /// Bytes.
    pub bytes: u8,
    /// The address is made a multiple of the size.
    pub truncated: bool,
    /// What is not aligned is another matter.
    pub strict: bool,
    /// It stores.
    pub stores: bool,
}

/// A loop and its streams.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Strips {
    /// Numbers of its first block, which is its head, and its last one.
    pub blocks: (usize, usize),
    /// The streams.
    pub streams: Vec<Stream>,
    /// Addresses of instructions, their access, and the number of its stream.
    pub accesses: Vec<(u64, Shape, usize)>,
    /// The least number of instructions of a turn.
    pub turn: u32,
}

impl Strips {
    /// A register that stays as it is in the loop, and is a part of all addresses of stream `number`: then each is the sum
    /// of it and another one.
    pub fn base(&self, number: usize, plan: &Plan) -> Option<usize> {
        let (first, second) = self.streams.get(number)?.terms;
        let written = plan.between(self.blocks).iter().fold(0, |all, insn| all | insn.writes);
        let insn = |ea: u64| plan.insns.iter().find(|insn| insn.ea == ea);
        let names = |base: usize| {
            self.accesses.iter().filter(|(.., stream)| *stream == number).all(|&(ea, shape, _)| {
                let both = insn(ea).map(|insn| insn.decoded.word).map(|w| (fields::ra(w), fields::rb(w)));
                let plain = shape.displacement.is_none() && !shape.update && !shape.truncated;
                plain && both.is_some_and(|(ra, rb)| ra != 0 && (ra == base) != (rb == base))
            })
        };
        let terms = [Some(first), second].into_iter().flatten().filter(|term| !term.low && term.shift == 0);
        terms.map(|term| term.register).find(|&base| written >> base & 1 == 0 && names(base))
    }
}

/// What a register holds, by what registers held at the head.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Value {
    Of(Sum),
    Unknown,
}

/// A register's value at the head, and what was done with it: `inside` and another's were added, the low word was taken, it
/// was shifted to the left, `outside` was added.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Sum {
    root: u8,
    other: Option<u8>,
    inside: i64,
    low: bool,
    shift: u8,
    outside: i64,
}

impl Sum {
    fn of(root: u8) -> Sum {
        Sum { root, other: None, inside: 0, low: false, shift: 0, outside: 0 }
    }

    fn is_plain(self) -> bool {
        !self.low && self.shift == 0
    }

    fn plus(self, more: i32) -> Sum {
        let more = i64::from(more);
        if self.is_plain() {
            Sum { inside: self.inside.wrapping_add(more), ..self }
        } else {
            Sum { outside: self.outside.wrapping_add(more), ..self }
        }
    }

    /// The sum of two registers; `None` if it is of more.
    fn add(self, b: Sum) -> Option<Sum> {
        let both = self.is_plain() && b.is_plain() && self.other.is_none() && b.other.is_none();
        both.then(|| Sum { other: Some(b.root), inside: self.inside.wrapping_add(b.inside), ..self })
    }

    fn low(self) -> Option<Sum> {
        self.is_plain().then_some(Sum { low: true, ..self })
    }

    fn shifted(self, by: u8) -> Option<Sum> {
        const MOST: u8 = 4;
        (self.shift + by <= MOST && self.outside == 0).then(|| Sum { shift: self.shift + by, ..self })
    }
}

type Values = [Value; 32];

/// The access of an instruction to memory, if it may belong to a stream.
fn access(insn: &Insn) -> Option<Shape> {
    let w = insn.decoded.word;
    let (d, ds, dq) = (i32::from(w as i16), i32::from(w as i16) & !3, i32::from(w as i16) & !15);
    let plain = |displacement, bytes, stores| {
        let (update, truncated, strict) = (false, false, false);
        Shape { displacement, update, bytes, truncated, strict, stores }
    };
    match insn.op? {
        _ if insn.shared => None,
        Op::LoadStore(op @ (LoadStore::Load(access) | LoadStore::Store(access))) => {
            let displacement = match access.form {
                loadstore::Form::D => Some(d),
                loadstore::Form::Ds => Some(ds),
                loadstore::Form::X => None,
                loadstore::Form::Prefixed => return None,
            };
            let stores = matches!(op, LoadStore::Store(_));
            Some(Shape { update: access.update, ..plain(displacement, access.bytes, stores) })
        }
        Op::Float(op @ (Float::Load(access) | Float::Store(access))) => {
            let displacement = (!access.indexed).then_some(d);
            let bytes = if access.single { 4 } else { 8 };
            let stores = matches!(op, Float::Store(_));
            Some(Shape { update: access.update, strict: true, ..plain(displacement, bytes, stores) })
        }
        Op::Vector(op @ (Vector::Load(Lane::Quad) | Vector::Store(Lane::Quad))) => {
            Some(Shape { truncated: true, ..plain(None, 16, matches!(op, Vector::Store(_))) })
        }
        Op::Vsx(Vsx::Memory(op @ (Memory::Load(vector) | Memory::Store(vector)))) => {
            let displacement = match vector.form {
                memory::Form::X => None,
                memory::Form::Dq => Some(dq),
                memory::Form::Ds => Some(ds),
                memory::Form::Prefixed => return None,
            };
            Some(plain(displacement, 16, matches!(op, Memory::Store(_))))
        }
        _ => None,
    }
}

/// Whether a loop with `insn` may run in strips: nothing in it is an event point, and all GPRs that it writes are named by
/// its row.
fn is_plain(insn: &Insn) -> bool {
    let word = insn.decoded.word;
    match insn.op {
        _ if insn.privileged => false,
        Some(Op::Branch(op)) => match op {
            Branch::B | Branch::Bc | Branch::BcTo(_) => word & 1 == 0,
            Branch::CrLogic(_) | Branch::Mcrf | Branch::Trap { .. } => true,
            _ => false,
        },
        Some(Op::Integer(_) | Op::Float(_) | Op::Vector(_) | Op::Vsx(_)) => true,
        Some(Op::LoadStore(op)) => {
            matches!(op, LoadStore::Load(_) | LoadStore::Store(_) | LoadStore::Hint | LoadStore::ReservedNoOp)
        }
        _ => false,
    }
}

/// What the GPRs hold behind `insn`.
fn execute(values: &mut Values, insn: &Insn, sixty_four: bool) {
    let w = insn.decoded.word;
    let (rt, ra, rb) = (fields::rt(w), fields::ra(w), fields::rb(w));
    let on = |value: Value, then: &dyn Fn(Sum) -> Option<Sum>| match value {
        Value::Of(sum) => then(sum).map_or(Value::Unknown, Value::Of),
        Value::Unknown => Value::Unknown,
    };
    let plus = |value: Value, more: i32| on(value, &|sum| Some(sum.plus(more)));
    let immediate = i32::from(w as i16);
    let result = match insn.op {
        Some(Op::Integer(op)) => match op {
            Integer::AddImmediate { shifted } if ra != 0 => {
                Some((rt, plus(values[ra], if shifted { immediate << 16 } else { immediate })))
            }
            Integer::Adder(SUM) if w & 0x400 == 0 => match values[rb] {
                Value::Of(b) => Some((rt, on(values[ra], &|a| a.add(b)))),
                Value::Unknown => None,
            },
            Integer::Logic(Logic::Or) if rt == rb => Some((ra, values[rt])),
            Integer::RotateDouble { register: false, mask } => {
                let (by, bound) = (fields::sh6(w) as u8, fields::mb6(w) as u8);
                let then: &dyn Fn(Sum) -> Option<Sum> = match mask {
                    RotateMask::ClearLeft if by == 0 && bound == 32 => &Sum::low,
                    RotateMask::Clear if by <= 32 && bound == 32 - by => &|sum: Sum| sum.low()?.shifted(by),
                    RotateMask::ClearRight if bound == 63 - by => &|sum: Sum| sum.shifted(by),
                    _ => &|_: Sum| None,
                };
                Some((ra, on(values[rt], then)))
            }
            // Addresses of 32 bits are what is left of longer ones.
            Integer::RotateWord { register: false, insert: false } if !sixty_four => {
                let (by, first, last) = (w >> 11 & 31, w >> 6 & 31, w >> 1 & 31);
                let shifts = first == 0 && last == 31 - by;
                shifts.then(|| (ra, on(values[rt], &|sum| sum.shifted(by as u8))))
            }
            _ => None,
        },
        _ => None,
    };
    let access = access(insn).filter(|access| access.update);
    let updated = access.map(|access| (ra, access.displacement.map_or(Value::Unknown, |d| plus(values[ra], d))));
    for (register, value) in values.iter_mut().enumerate() {
        if insn.writes >> register & 1 != 0 {
            *value = Value::Unknown;
        }
    }
    for (register, value) in result.into_iter().chain(updated) {
        values[register] = value;
    }
}

/// The inner loops of a region that walk evenly.
pub fn find(plan: &Plan, sixty_four: bool) -> Vec<Strips> {
    if !plan.is_loop {
        return Vec::new();
    }
    let edges: Vec<(usize, usize)> = (0..plan.blocks.len())
        .flat_map(|from| targets(plan, from, sixty_four).into_iter().flatten().map(move |to| (from, to)))
        .collect();
    let loops = (0..plan.blocks.len()).filter_map(|head| {
        let last = edges.iter().filter(|&&(from, to)| to == head && from >= head).map(|&(from, _)| from).max()?;
        let inside = |block: usize| (head..=last).contains(&block);
        // It is entered at its head, and no other loop is in it.
        let alone = edges.iter().all(|&(from, to)| to == head || !inside(to) || inside(from) && to > from);
        alone.then_some((head, last))
    });
    loops.filter_map(|blocks| streams(plan, blocks, sixty_four)).collect()
}

/// Blocks of the region to which control may go from the end of block `from`.
fn targets(plan: &Plan, from: usize, sixty_four: bool) -> [Option<usize>; 2] {
    let Some(last) = plan.block(from).last() else { return [None; 2] };
    let ways = ways(last, sixty_four);
    let next = ways.next.then(|| last.ea.wrapping_add(4)).and_then(|ea| plan.follows(from, ea, false));
    [next, ways.jump.and_then(|ea| plan.follows(from, ea, true))]
}

/// The streams of the innermost loop of these blocks. `None` if it has none, or may not run in strips.
fn streams(plan: &Plan, (first, last): (usize, usize), sixty_four: bool) -> Option<Strips> {
    let head: Values = std::array::from_fn(|register| Value::Of(Sum::of(register as u8)));
    // Values at the start of each block, and the least number of instructions up to there.
    let mut starts: Vec<Option<(Values, u32)>> = vec![None; plan.blocks.len()];
    *starts.get_mut(first)? = Some((head, 0));
    let (mut ends, mut turn, mut accesses) = (Vec::<Values>::new(), u32::MAX, Vec::new());
    for index in first..=last {
        let (mut values, before) = starts.get(index).copied().flatten()?;
        let insns = plan.block(index);
        for insn in insns {
            if !is_plain(insn) {
                return None;
            }
            let w = insn.decoded.word;
            if let Some(shape) = access(insn) {
                let second = if shape.displacement.is_none() { Some(values[fields::rb(w)]) } else { None };
                let ra = fields::ra(w);
                if ra != 0 || shape.update {
                    accesses.push((insn.ea, shape, values[ra], second));
                }
            }
            execute(&mut values, insn, sixty_four);
        }
        let done = before + insns.len() as u32;
        for to in targets(plan, index, sixty_four).into_iter().flatten().filter(|to| (first..=last).contains(to)) {
            match starts.get_mut(to)? {
                _ if to == first => {
                    ends.push(values);
                    turn = turn.min(done);
                }
                Some((known, least)) => {
                    for (known, value) in known.iter_mut().zip(values) {
                        *known = if *known == value { value } else { Value::Unknown };
                    }
                    *least = done.min(*least);
                }
                start => *start = Some((values, done)),
            }
        }
    }
    let stays = |root: u8| ends.iter().all(|values| values[usize::from(root)] == Value::Of(Sum::of(root)));
    let step = |root: u8| {
        let step = |values: &Values| {
            let Value::Of(sum) = *values.get(usize::from(root))? else { return None };
            match (sum.other, sum.inside) {
                _ if !sum.is_plain() => None,
                (None, inside) => (sum.root == root).then_some(Step::Constant(inside)),
                (Some(other), 0) => {
                    let by = if sum.root == root { other } else { sum.root };
                    let even = (sum.root == root || other == root) && stays(by);
                    even.then_some(Step::Register { register: by.into(), low: false, shift: 0 })
                }
                _ => None,
            }
        };
        let first = step(ends.first()?)?;
        ends.iter().all(|values| step(values) == Some(first)).then_some(first)
    };
    // The term that a value is, what the term grows by, and what is added to it.
    let term = |value: Value| {
        let Value::Of(Sum { root, other: None, inside, low, shift, outside }) = value else { return None };
        let step = step(root)?;
        let (inside, beside) = if low { (inside, 0) } else { (0, inside.wrapping_shl(shift.into())) };
        let term =
            Term { register: root.into(), inside: i32::try_from(inside).ok()?, low, shift, grows: step.direction() };
        let step = match step {
            Step::Constant(step) => Step::Constant(step.checked_mul(1 << shift)?),
            Step::Register { register, .. } => Step::Register { register, low, shift },
        };
        Some((term, step, outside.wrapping_add(beside)))
    };
    let mut strips = Strips { blocks: (first, last), streams: Vec::new(), accesses: Vec::new(), turn };
    for (ea, shape, base, index) in accesses {
        let Some((first, one, offset)) = term(base) else { continue };
        let (second, two, more) = match index.map(term) {
            None => (None, Step::Constant(0), 0),
            Some(Some((second, two, more))) => (Some(second), two, more),
            Some(None) => continue,
        };
        let step = match (one, two) {
            (Step::Constant(one), Step::Constant(two)) => Step::Constant(one.wrapping_add(two)),
            (step, Step::Constant(0)) | (Step::Constant(0), step) => step,
            _ => continue,
        };
        let at = offset.wrapping_add(more).wrapping_add(shape.displacement.unwrap_or(0).into());
        if let Some(stream) = strips.join((first, second), step, at, shape) {
            strips.accesses.push((ea, shape, stream));
        }
    }
    (!strips.streams.is_empty()).then_some(strips)
}

impl Strips {
    /// The number of the stream that takes the access at `at` from the registers' sum on.
    fn join(&mut self, terms: (Term, Option<Term>), step: Step, at: i64, shape: Shape) -> Option<usize> {
        let bytes = i64::from(shape.bytes);
        let (low, high) = (if shape.truncated { at.wrapping_sub(bytes - 1) } else { at }, at.wrapping_add(bytes));
        let limit = i64::from(i32::MAX) / 2;
        let align = if shape.strict { bytes } else { 1 };
        let even = match step {
            Step::Constant(step) => step.abs() <= limit && step % align == 0,
            Step::Register { .. } => align == 1,
        };
        if !even || at.abs() > limit {
            return None;
        }
        let fits = |stream: &Stream| {
            let span = stream.high.max(high) - stream.low.min(low);
            let even = align == 1 || stream.align == 1 || (at - stream.anchor) % align.min(stream.align) == 0;
            stream.terms == terms && span <= SPAN && even
        };
        let (loads, stores) = (!shape.stores, shape.stores);
        let Some((number, stream)) = self.streams.iter_mut().enumerate().find(|(_, stream)| fits(stream)) else {
            if self.streams.len() >= STREAMS {
                return None;
            }
            self.streams.push(Stream { terms, step, low, high, anchor: at, align, loads, stores });
            return Some(self.streams.len() - 1);
        };
        (stream.low, stream.high) = (stream.low.min(low), stream.high.max(high));
        if align > stream.align {
            (stream.anchor, stream.align) = (at, align);
        }
        stream.loads |= loads;
        stream.stores |= stores;
        Some(number)
    }
}
