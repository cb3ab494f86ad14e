//! What is translated together, what is alive between its instructions, and how often it names registers.

use std::iter::repeat_n;
use std::ops::Range;

use exec_interp::Decoded;
use ppc_isa::Row;
use ppc_isa::branch::{Branch, Register};
use ppc_isa::float::Float;
use ppc_isa::integer::{CarryIn, Integer, Logic, Shift};
use ppc_isa::loadstore::LoadStore;
use ppc_isa::op::{Op, System};
use ppc_isa::operand::{Access, Kind, Operand, operands};
use ppc_isa::spr;
use ppc_isa::vector::Vector;
use ppc_isa::vsx::Vsx;
use ppc_isa::vsx::compare::Compare;

use crate::sets::Slots;
use crate::strip::{self, Strips};

/// Registers that translated code keeps in registers of the host: the GPRs, then these.
pub const CTR: usize = 32;
/// The link register.
pub const LR: usize = 33;
/// Number of them.
pub const HELD: usize = 34;
/// Vector-scalar registers.
pub const VECTORS: usize = 64;

/// Parts of the state whose value may never be read: a bit for each CR field, and these.
pub type Parts = u16;
/// `XER[CA]` and CA32.
pub const CA: Parts = 1 << 8;
/// FR, FI and FPRF of the FPSCR.
pub const STATUS: Parts = 1 << 9;
/// All of them.
pub const ALL: Parts = 0x3ff;

/// One instruction.
#[derive(Clone, Copy)]
pub struct Insn {
    /// As the interpreter has it.
    pub decoded: Decoded,
    /// Its operation; `None` if it is not to be translated in this mode.
    pub op: Option<Op>,
    /// It is privileged, and carried out by a call.
    pub privileged: bool,
    /// It accesses the shared page at its constant address, see [`crate::shared`].
    pub shared: bool,
    /// FPSCR may make floating point interrupt, or round otherwise than to nearest.
    pub exacting: bool,
    /// Effective address.
    pub ea: u64,
    /// Parts that it reads, see [`effects`].
    pub reads: Parts,
    /// Parts that it sets.
    pub sets: Parts,
    /// Parts that are read after it before they are set.
    pub live: Parts,
    /// Registers among [`HELD`] that it writes, as bits.
    pub writes: u64,
}

impl Insn {
    /// Its word; of a prefixed instruction, the suffix.
    pub fn word(&self) -> u32 {
        self.decoded.word
    }
}

/// Instructions without a branch but the last.
#[derive(Clone, Copy)]
pub struct Block {
    /// Address of the first instruction.
    pub start: u64,
    /// Its number in the plan.
    first: usize,
    /// How many there are; never 0.
    count: usize,
    /// Parts that are read before they are set from its start on.
    pub live: Parts,
    /// It is reached from the end of the block before it only, which does not jump to it.
    pub follows: bool,
}

impl Block {
    /// Address behind the last instruction.
    fn end(&self) -> u64 {
        self.start.wrapping_add(4 * self.count as u64)
    }

    fn insns(&self) -> Range<usize> {
        self.first..self.first + self.count
    }
}

/// What is translated together.
pub struct Plan {
    /// Address of the entry.
    pub entry: u64,
    /// All instructions, block by block.
    pub insns: Vec<Insn>,
    /// By address; in a trace, in the order of execution.
    pub blocks: Vec<Block>,
    /// The region is a loop.
    pub is_loop: bool,
    /// How often registers are named.
    pub uses: [u16; HELD],
    /// Registers that are written, as bits.
    pub written: u64,
    /// How often vector-scalar registers are named.
    pub vector_uses: [u16; VECTORS],
    /// Those that are written, as bits.
    pub vectors_written: u64,
    /// Doublewords of vector-scalar registers may change places: no instruction tells them apart but in memory.
    pub symmetric: bool,
    /// Its inner loops that walk evenly through memory.
    pub strips: Vec<Strips>,
}

/// Where control may go from an instruction, inside of its page or not.
pub struct Ways {
    /// A direct branch's target that stays in the region.
    pub jump: Option<u64>,
    /// The next instruction is reached.
    pub next: bool,
}

/// The target of a direct branch at `ea`.
pub fn target(word: u32, ea: u64, branch: Branch, sixty_four: bool) -> u64 {
    let displacement = match branch {
        Branch::B => i64::from((word << 6) as i32 >> 6) & !3,
        _ => i64::from(word as i16) & !3,
    };
    let base = if word & 2 != 0 { 0 } else { ea };
    let target = base.wrapping_add_signed(displacement);
    if sixty_four { target } else { target & 0xffff_ffff }
}

/// BO says that the branch is always taken.
pub fn always(word: u32) -> bool {
    word >> 21 & 0b10100 == 0b10100
}

/// Where control may go from `insn`.
pub fn ways(insn: &Insn, sixty_four: bool) -> Ways {
    let word = insn.word();
    let links = word & 1 != 0;
    match insn.op {
        None => Ways { jump: None, next: false },
        // These leave the region in the call.
        Some(Op::System(System::Rfi | System::Rfid | System::Rfscv) | Op::Branch(Branch::Sc | Branch::Scv)) => {
            Ways { jump: None, next: false }
        }
        Some(_) if insn.privileged => Ways { jump: None, next: true },
        Some(Op::Branch(op @ (Branch::B | Branch::Bc))) => {
            let unconditional = op == Branch::B || always(word);
            let jump = (!links).then(|| target(word, insn.ea, op, sixty_four));
            Ways { jump, next: !unconditional }
        }
        Some(Op::Branch(Branch::BcTo(_))) => Ways { jump: None, next: !always(word) },
        Some(_) => Ways { jump: None, next: true },
    }
}

/// Parts that an instruction reads and writes. One that may fault, or calls the interpreter, reads all.
pub fn effects(insn: &Insn) -> (Parts, Parts) {
    let word = insn.word();
    let field = |bit: u32| 1 << (bit >> 2 & 7);
    let cr0 = |recorded: bool| if recorded { 1 } else { 0 };
    match insn.op {
        _ if insn.privileged => (ALL, 0),
        _ if insn.shared => (0, 0),
        Some(Op::Branch(op)) => match op {
            Branch::B => (0, 0),
            Branch::Bc | Branch::BcTo(_) if word >> 21 & 16 != 0 => (0, 0),
            Branch::Bc | Branch::BcTo(_) => (field(word >> 16), 0),
            Branch::CrLogic(_) => (field(word >> 21) | field(word >> 16) | field(word >> 11), 0),
            Branch::Mcrf => (field(word >> 16), field(word >> 21)),
            _ => (ALL, 0),
        },
        Some(Op::Integer(op)) => match op {
            Integer::AddImmediate { .. } | Integer::MulImmediate | Integer::AddPcis | Integer::MultiplyAdd(_) => (0, 0),
            Integer::Multiply(_) if word & 0x400 == 0 => (0, cr0(word & 1 != 0)),
            Integer::AddCarrying { record, .. } => (0, CA | cr0(record)),
            Integer::Adder(adder) if word & 0x400 == 0 => {
                let reads = if adder.carry == CarryIn::Ca { CA } else { 0 };
                (reads, cr0(word & 1 != 0) | if adder.set_ca { CA } else { 0 })
            }
            Integer::Compare { .. } => (0, field(word >> 21)),
            Integer::Logic(_) | Integer::RotateWord { .. } | Integer::RotateDouble { .. } => (0, cr0(word & 1 != 0)),
            Integer::LogicImmediate { logic, .. } => (0, cr0(logic == Logic::And)),
            Integer::Shift(op) => {
                let algebraic = matches!(op, Shift::AlgebraicWord | Shift::AlgebraicDouble);
                (0, cr0(word & 1 != 0) | if algebraic { CA } else { 0 })
            }
            Integer::ShiftAlgebraicImmediate { .. } => (0, CA | cr0(word & 1 != 0)),
            Integer::Select => (field(word >> 6), 0),
            Integer::SetBoolean | Integer::SetBit { .. } => (field(word >> 16), 0),
            Integer::Mtcrf => {
                let fields = (0..8).filter(|n| word >> (19 - n) & 1 != 0).fold(0, |all, n| all | 1 << n);
                (0, fields)
            }
            Integer::Mtspr | Integer::Mfspr if [spr::LR, spr::CTR].contains(&spr::number(word)) => (0, 0),
            _ => (ALL, 0),
        },
        // What may interrupt has made the status anew by then.
        Some(Op::Float(_) | Op::Vsx(_)) if insn.exacting => (ALL, 0),
        Some(Op::Float(op)) => match op {
            // These read FPSCR.
            Float::Arithmetic { .. } | Float::MultiplyAdd { .. } | Float::RoundToSingle if word & 1 != 0 => (ALL, 0),
            Float::Move(_) | Float::CopySign | Float::Select if word & 1 != 0 => (ALL, 0),
            Float::Arithmetic { .. } | Float::MultiplyAdd { .. } | Float::RoundToSingle => (0, STATUS),
            Float::FromInteger { .. } | Float::RoundToIntegral(_) if word & 1 == 0 => (0, STATUS),
            Float::ToInteger { .. } if word & 1 == 0 => (0, 0),
            Float::Compare { .. } => (0, field(word >> 21)),
            Float::Move(_) | Float::CopySign | Float::Select => (0, 0),
            _ => (ALL, 0),
        },
        Some(Op::Vsx(op)) => match op {
            Vsx::Permute(_) => (0, 0),
            Vsx::Convert(op) => (0, if crate::vsx::converts_to_number(op) { STATUS } else { 0 }),
            Vsx::Arithmetic(op) => (0, if crate::vsx::reports(op) { STATUS } else { 0 }),
            Vsx::Compare(Compare::Order { .. }) => (0, field(word >> 21)),
            _ => (ALL, 0),
        },
        Some(Op::Vector(op)) => match op {
            Vector::Load(_) | Vector::Store(_) => (ALL, 0),
            Vector::Compare { .. } if word & 0x400 != 0 => (0, 1 << 6),
            _ => (0, 0),
        },
        _ => (ALL, 0),
    }
}

/// What instructions of a row do, and the registers among [`HELD`] that they name, found once.
#[derive(Clone)]
pub struct Named {
    /// Their operation, unless they are left to the interpreter.
    pub op: Option<Op>,
    /// Position of the field of a GPR in the word, and whether the register is written.
    gprs: [Option<(u8, bool)>; 4],
    /// They name more than these fields say, see [`Plan::count`].
    more: bool,
    /// Operands that are vector-scalar registers, how much their numbers are greater than the operand, and whether they
    /// are written.
    vectors: Vec<(Operand, usize, bool)>,
}

impl Named {
    /// Of `row`, which is left to the interpreter unless it is `translated`.
    pub fn of(row: &'static Row, translated: bool) -> Named {
        let fields = operands(row).filter(|o| matches!(o.kind, Kind::Gpr | Kind::GprOrZero)).filter_map(|operand| {
            let shift = [21, 16, 11, 6].into_iter().find(|shift| operand.get(31 << shift) == 31)?;
            Some((shift, operand.access != Access::Read))
        });
        let mut gprs = [None; 4];
        for (slot, field) in gprs.iter_mut().zip(fields) {
            *slot = Some(field);
        }
        let more = match row.op {
            Op::Branch(_) | Op::Integer(Integer::Mtspr | Integer::Mfspr) => true,
            Op::Float(Float::Load(access) | Float::Store(access)) => access.update,
            Op::LoadStore(LoadStore::Load(access) | LoadStore::Store(access)) => access.update,
            _ => false,
        };
        let vectors = operands(row).filter_map(|o| {
            let base = match o.kind {
                Kind::Fpr | Kind::Vsr => 0,
                Kind::Vr => 32,
                _ => return None,
            };
            Some((o, base, o.access != Access::Read))
        });
        Named { op: translated.then_some(row.op), gprs, more, vectors: vectors.collect() }
    }
}

impl Named {
    /// The GPRs that the instruction `word` of the row names.
    pub fn gprs(&self, word: u32) -> impl Iterator<Item = usize> {
        self.gprs.iter().flatten().map(move |(shift, _)| (word >> shift & 31) as usize)
    }
}

impl Default for Plan {
    fn default() -> Plan {
        Plan {
            entry: 0,
            insns: Vec::new(),
            blocks: Vec::new(),
            is_loop: false,
            uses: [0; HELD],
            written: 0,
            vector_uses: [0; VECTORS],
            vectors_written: 0,
            symmetric: true,
            strips: Vec::new(),
        }
    }
}

impl Plan {
    /// Begins anew, with the memory of what was planned before.
    pub(crate) fn begin(&mut self, entry: u64) {
        let Plan { mut insns, mut blocks, mut strips, .. } = std::mem::take(self);
        insns.clear();
        blocks.clear();
        strips.clear();
        *self = Plan { entry, insns, blocks, strips, ..Plan::default() };
    }

    /// Adds an instruction, to the last block unless it `begins` one.
    pub(crate) fn add(&mut self, insn: Insn, begins: bool) {
        match self.blocks.last_mut().filter(|_| !begins) {
            Some(block) => block.count += 1,
            None => {
                let (start, first) = (insn.ea, self.insns.len());
                self.blocks.push(Block { start, first, count: 1, live: ALL, follows: false });
            }
        }
        let (reads, sets) = effects(&insn);
        self.insns.push(Insn { reads, sets, ..insn });
    }

    /// Address behind the last instruction.
    pub(crate) fn end(&self) -> Option<u64> {
        self.blocks.last().map(Block::end)
    }

    /// Finds out what follows from the instructions. `named` gives the registers of one.
    pub(crate) fn complete<'a>(&mut self, sixty_four: bool, named: impl Fn(&Insn) -> Option<&'a Named>) {
        self.find_followers(sixty_four);
        self.find_live(sixty_four);
        self.count(sixty_four, named);
        self.strips = strip::find(self, sixty_four);
    }

    /// The instructions of block `index`.
    pub fn block(&self, index: usize) -> &[Insn] {
        self.blocks.get(index).and_then(|block| self.insns.get(block.insns())).unwrap_or_default()
    }

    /// The instructions of the blocks from one to another.
    pub fn between(&self, (first, last): (usize, usize)) -> &[Insn] {
        let place = |index: usize| self.blocks.get(index).map_or(0..0, Block::insns);
        self.insns.get(place(first).start..place(last).end).unwrap_or_default()
    }

    /// The block to which control stays in the region when it goes from the end of block `index` to `ea`, by a
    /// conditional branch or not. A trace has no other ways than to the next block.
    pub fn follows(&self, index: usize, ea: u64, branches: bool) -> Option<usize> {
        if self.is_loop {
            return self.blocks.iter().position(|block| block.start == ea);
        }
        (!branches && self.blocks.get(index + 1)?.start == ea).then_some(index + 1)
    }

    /// Parts that are read when control goes that way.
    pub fn live_at(&self, index: usize, ea: u64, branches: bool) -> Parts {
        self.follows(index, ea, branches).and_then(|index| self.blocks.get(index)).map_or(ALL, |block| block.live)
    }

    /// Finds blocks that are reached in one way only.
    fn find_followers(&mut self, sixty_four: bool) {
        let Plan { entry, insns, blocks, is_loop, .. } = self;
        if !*is_loop {
            blocks.iter_mut().for_each(|block| block.follows = true);
            return;
        }
        let last = |block: &Block| insns.get(block.insns()).and_then(<[Insn]>::last);
        let mut jumped_to = Slots::default();
        let jumps = blocks.iter().filter_map(|block| ways(last(block)?, sixty_four).jump);
        for jump in jumps.filter(|jump| (jump ^ *entry) & !0xfff == 0) {
            jumped_to.insert(jump);
        }
        let mut end = None;
        for block in blocks {
            let start = block.start;
            block.follows = end == Some(start) && start != *entry && !jumped_to.has(start);
            end = last(block).filter(|last| ways(last, sixty_four).next).map(|_| block.end());
        }
    }

    /// Finds what is alive, from the ends to the starts; in a loop until nothing changes.
    fn find_live(&mut self, sixty_four: bool) {
        for block in &mut self.blocks {
            block.live = 0;
        }
        let mut changed = true;
        while std::mem::take(&mut changed) {
            for index in (0..self.blocks.len()).rev() {
                let Some(last) = self.block(index).last() else { continue };
                let ways = ways(last, sixty_four);
                let mut live = if ways.next { self.live_at(index, last.ea.wrapping_add(4), false) } else { 0 };
                live |= match ways.jump {
                    Some(jump) => {
                        // At an event point everything is needed.
                        let event = if jump <= last.ea { ALL } else { 0 };
                        self.live_at(index, jump, ways.next) | event
                    }
                    None if ways.next && !matches!(last.op, Some(Op::Branch(_))) => 0,
                    None => ALL,
                };
                let Some(block) = self.blocks.get_mut(index) else { continue };
                for insn in self.insns.get_mut(block.insns()).unwrap_or_default().iter_mut().rev() {
                    insn.live = live;
                    live = live & !insn.sets | insn.reads;
                }
                changed |= block.live != live && self.is_loop;
                block.live = live;
            }
        }
    }

    /// How much more often than others the instructions of each block are executed, by a guess: four times as often for
    /// each loop in which they are.
    fn weights(&self, sixty_four: bool) -> Vec<u16> {
        let mut loops: Vec<(u64, u64)> = Vec::new();
        for last in (0..self.blocks.len()).filter_map(|index| self.block(index).last()) {
            let Some(head) = ways(last, sixty_four).jump.filter(|jump| *jump <= last.ea) else { continue };
            match loops.iter_mut().find(|(known, _)| *known == head) {
                Some((_, end)) => *end = last.ea.max(*end),
                None => loops.push((head, last.ea)),
            }
        }
        let depth = |start: u64| loops.iter().filter(|(head, end)| (*head..=*end).contains(&start)).count();
        self.blocks.iter().map(|block| 1 << (2 * depth(block.start).min(3))).collect()
    }

    fn count<'a>(&mut self, sixty_four: bool, named: impl Fn(&Insn) -> Option<&'a Named>) {
        let weights = if self.is_loop { self.weights(sixty_four) } else { Vec::new() };
        let Plan { insns, blocks, uses, written, vector_uses, vectors_written, symmetric, .. } = self;
        let mut weights = blocks.iter().zip(weights).flat_map(|(block, weight)| repeat_n(weight, block.count));
        for insn in insns {
            let weight = weights.next().unwrap_or(1);
            let word = insn.word();
            let Some((op, named)) = insn.op.zip(named(insn)) else { continue };
            *symmetric &= named.vectors.is_empty() || crate::vsr::is_symmetric(op);
            for &(operand, base, writes) in &named.vectors {
                let register = (base + operand.get(word.into()) as usize) & (VECTORS - 1);
                if let Some(count) = vector_uses.get_mut(register) {
                    *count += weight;
                }
                *vectors_written |= u64::from(writes) << register;
            }
            let mut changed = 0;
            let mut note = |register: usize, writes: bool| {
                if let Some(count) = uses.get_mut(register) {
                    *count += weight;
                }
                changed |= u64::from(writes) << register;
            };
            for &(shift, writes) in named.gprs.iter().flatten() {
                note((word >> shift & 31) as usize, writes);
            }
            match op {
                _ if !named.more => {}
                Op::Branch(op @ (Branch::B | Branch::Bc | Branch::BcTo(_))) => {
                    if op == Branch::BcTo(Register::Ctr) {
                        note(CTR, false);
                    } else if op != Branch::B && word >> 21 & 4 == 0 {
                        note(CTR, true);
                    }
                    if op == Branch::BcTo(Register::Lr) {
                        note(LR, false);
                    }
                    if word & 1 != 0 {
                        note(LR, true);
                    }
                }
                Op::Integer(op) => match spr::number(word) {
                    spr::CTR => note(CTR, op == Integer::Mtspr),
                    spr::LR => note(LR, op == Integer::Mtspr),
                    _ => {}
                },
                // The address comes back to RA.
                Op::Float(_) | Op::LoadStore(_) => note((word >> 16 & 31) as usize, true),
                _ => {}
            }
            insn.writes = changed;
            *written |= changed;
        }
    }
}
