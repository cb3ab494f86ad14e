//! Which instructions are translated together, and what is alive between them.
//!
//! A region lies in one page of 4 KiB and has one entry. If the entry is the head of a loop, it is the loop: all blocks
//! that reach the entry again. Else it is a trace: the instructions that follow while no conditional branch is taken, into
//! functions of the page that are called and out of them again; where an indirect branch leads is guessed.

use exec_interp::{Decoded, fields};
use ppc_isa::Row;
use ppc_isa::branch::{Branch, Register};
use ppc_isa::float::Float;
use ppc_isa::integer::{CarryIn, Integer, Logic, Shift};
use ppc_isa::op::{Op, System};
use ppc_isa::operand::{Access, Kind, Operand, operands};
use ppc_isa::spr;
use ppc_isa::vector::Vector;
use ppc_isa::vsx::Vsx;
use ppc_isa::vsx::compare::Compare;

use crate::strip::{self, Strips};

/// The most instructions of a region.
pub const MOST: usize = 96;
/// The most instructions of a trace.
const TRACE: usize = 48;
/// Instructions of a page.
const SLOTS: usize = 1024;

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
    /// Parts that are read after it before they are written.
    pub live: Parts,
    /// Registers among [`HELD`] that it writes, as bits.
    pub writes: u64,
}

impl Insn {
    fn word(&self) -> u32 {
        self.decoded.word
    }
}

/// Instructions without a branch but the last.
pub struct Block {
    /// The instructions; never empty.
    pub insns: Vec<Insn>,
    /// Parts that are read before they are written from its start on.
    pub live: Parts,
    /// It is reached from the end of the block before it only, which does not jump to it.
    pub follows: bool,
}

impl Block {
    /// Address of the first instruction.
    pub fn start(&self) -> u64 {
        self.insns.first().map_or(0, |insn| insn.ea)
    }

    /// Address behind the last one.
    pub fn end(&self) -> u64 {
        self.insns.last().map_or(0, |insn| insn.ea.wrapping_add(4))
    }
}

/// What is translated together.
pub struct Plan {
    /// Address of the entry.
    pub entry: u64,
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

/// The registers among [`HELD`] that instructions of a row name, found once.
#[derive(Clone, Default)]
pub struct Named {
    /// Position of the field in the word, and whether the register is written.
    fields: Vec<(u8, bool)>,
    /// Operands that are vector-scalar registers, how much their numbers are greater than the operand, and whether they
    /// are written.
    vectors: Vec<(Operand, usize, bool)>,
}

impl Named {
    /// Of `row`.
    pub fn of(row: &'static Row) -> Named {
        let mut fields = Vec::new();
        for operand in operands(row).filter(|o| matches!(o.kind, Kind::Gpr | Kind::GprOrZero)) {
            if let Some(shift) = [21, 16, 11, 6].into_iter().find(|shift| operand.get(31 << shift) == 31) {
                fields.push((shift, operand.access != Access::Read));
            }
        }
        let vectors = operands(row).filter_map(|o| {
            let base = match o.kind {
                Kind::Fpr | Kind::Vsr => 0,
                Kind::Vr => 32,
                _ => return None,
            };
            Some((o, base, o.access != Access::Read))
        });
        Named { fields, vectors: vectors.collect() }
    }
}

impl Named {
    /// The GPRs that the instruction `word` of the row names.
    pub fn gprs(&self, word: u32) -> impl Iterator<Item = usize> {
        self.fields.iter().map(move |(shift, _)| (word >> shift & 31) as usize)
    }
}

/// Plans the region at `entry`. `decode` gives the instruction at an address of its page, `named` the registers of an
/// instruction. It is a loop only if it `may_loop`, see [`Loops`].
pub fn plan<'a>(
    entry: u64,
    sixty_four: bool,
    mut decode: impl FnMut(u64) -> Insn,
    named: impl Fn(&Insn) -> Option<&'a Named>,
    guess: Guess,
    may_loop: bool,
) -> Plan {
    let mut explored = may_loop.then(|| Explored::of(entry, sixty_four, &mut decode));
    let found = explored.as_mut().and_then(|seen| seen.find_loop(entry));
    let mut plan = found.unwrap_or_else(|| trace(entry, sixty_four, explored.as_ref(), &mut decode, guess));
    plan.find_followers(sixty_four);
    plan.find_live(sixty_four);
    plan.count(sixty_four, named);
    plan.strips = strip::find(&plan, sixty_four);
    plan
}

/// Instructions of a page.
struct Slots([u64; SLOTS / 64]);

impl Default for Slots {
    fn default() -> Slots {
        Slots([0; SLOTS / 64])
    }
}

impl Slots {
    /// Its word, and its bit there.
    fn place(ea: u64) -> (usize, u64) {
        let slot = (ea >> 2) as usize & (SLOTS - 1);
        (slot / 64, 1 << (slot % 64))
    }

    fn has(&self, ea: u64) -> bool {
        let (word, bit) = Slots::place(ea);
        self.0[word] & bit != 0
    }

    /// Adds the one at `ea`. Returns whether it was not there.
    fn insert(&mut self, ea: u64) -> bool {
        let new = !self.has(ea);
        let (word, bit) = Slots::place(ea);
        self.0[word] |= bit;
        new
    }
}

/// Instructions of a page to which control may come again without leaving the page: those that branches back span.
pub struct Loops(Slots);

impl Loops {
    /// Those of a page, given the word at an offset.
    pub fn of(word: impl Fn(u64) -> u32) -> Loops {
        let mut slots = Slots::default();
        // The least target of the branches from here on.
        let mut least = u64::MAX;
        for slot in (0..SLOTS as u64).rev() {
            let from = 4 * slot;
            let word = word(from);
            let branch = match word >> 26 {
                16 => Some(Branch::Bc),
                18 => Some(Branch::B),
                _ => None,
            };
            // Neither to an absolute address nor a call.
            if let Some(branch) = branch.filter(|_| word & 3 == 0) {
                least = least.min(target(word, from, branch, true));
            }
            if least <= from {
                slots.insert(from);
            }
        }
        Loops(slots)
    }

    /// Whether the instruction at `ea` is one of them.
    pub fn has(&self, ea: u64) -> bool {
        self.0.has(ea)
    }
}

/// Instructions of a page that were looked at, in the order of their discovery.
struct Explored {
    insns: Vec<(Insn, Ways)>,
    /// 1 + index into `insns` by place in the page.
    by_slot: Box<[u8; SLOTS]>,
    page: u64,
}

impl Explored {
    fn of(entry: u64, sixty_four: bool, decode: &mut impl FnMut(u64) -> Insn) -> Explored {
        let mut seen =
            Explored { insns: Vec::with_capacity(MOST + 2), by_slot: Box::new([0; SLOTS]), page: entry & !0xfff };
        seen.visit(entry, sixty_four, decode);
        let mut next = 0;
        while let Some((insn, ways)) = seen.insns.get(next)
            && seen.insns.len() < MOST
        {
            let (after, jump) = (ways.next.then(|| insn.ea.wrapping_add(4)), ways.jump);
            for ea in [after, jump].into_iter().flatten() {
                seen.visit(ea, sixty_four, decode);
            }
            next += 1;
        }
        seen
    }

    fn slot(&self, ea: u64) -> Option<usize> {
        (ea & !0xfff == self.page).then_some((ea >> 2) as usize & (SLOTS - 1))
    }

    fn find(&self, ea: u64) -> Option<usize> {
        let index = *self.by_slot.get(self.slot(ea)?)?;
        usize::from(index).checked_sub(1)
    }

    fn visit(&mut self, ea: u64, sixty_four: bool, decode: &mut impl FnMut(u64) -> Insn) {
        let Some(slot) = self.slot(ea) else { return };
        if self.by_slot.get(slot) == Some(&0) {
            let insn = decode(ea);
            let ways = ways(&insn, sixty_four);
            self.insns.push((insn, ways));
            self.by_slot[slot] = self.insns.len() as u8;
        }
    }

    /// The loop whose head is `entry`, if there is one.
    fn find_loop(&mut self, entry: u64) -> Option<Plan> {
        let mut inside = vec![false; self.insns.len()];
        let reaches = |seen: &Explored, inside: &[bool], (insn, ways): &(Insn, Ways)| {
            let after = ways.next.then(|| insn.ea.wrapping_add(4));
            [after, ways.jump]
                .into_iter()
                .flatten()
                .any(|ea| ea == entry || seen.find(ea).is_some_and(|index| inside.get(index) == Some(&true)))
        };
        loop {
            let mut changed = false;
            for (index, insn) in self.insns.iter().enumerate().rev() {
                if !inside.get(index).copied().unwrap_or(true) && reaches(self, &inside, insn) {
                    inside[index] = true;
                    changed = true;
                }
            }
            if !changed {
                break;
            }
        }
        if inside.first() != Some(&true) {
            return None;
        }
        let mut leaders = vec![entry];
        for ((insn, ways), _) in self.insns.iter().zip(&inside).filter(|(_, inside)| **inside) {
            leaders.extend(ways.jump);
            if matches!(insn.op, Some(Op::Branch(Branch::B | Branch::Bc | Branch::BcTo(_)))) {
                leaders.push(insn.ea.wrapping_add(4));
            }
        }
        let mut insns: Vec<Insn> =
            self.insns.iter().zip(&inside).filter(|(_, inside)| **inside).map(|((insn, _), _)| *insn).collect();
        insns.sort_by_key(|insn| insn.ea);
        let mut blocks: Vec<Block> = Vec::new();
        for insn in insns {
            match blocks.last_mut() {
                Some(block) if block.end() == insn.ea && !leaders.contains(&insn.ea) => block.insns.push(insn),
                _ => blocks.push(Block { insns: vec![insn], live: ALL, follows: false }),
            }
        }
        Some(Plan::of(entry, blocks, true))
    }
}

/// The instructions from `entry` on while no conditional branch is taken.
fn trace(
    entry: u64,
    sixty_four: bool,
    seen: Option<&Explored>,
    decode: &mut impl FnMut(u64) -> Insn,
    mut guess: Guess,
) -> Plan {
    let empty = || Block { insns: Vec::with_capacity(8), live: ALL, follows: false };
    let mut blocks = vec![empty()];
    let mut ea = entry;
    let (mut visited, mut slots) = (0, Slots::default());
    while visited < TRACE && (ea ^ entry) & !0xfff == 0 && slots.insert(ea) {
        visited += 1;
        let known = seen.and_then(|seen| seen.insns.get(seen.find(ea)?)).map(|(insn, _)| *insn);
        let insn = known.unwrap_or_else(|| decode(ea));
        let ways = ways(&insn, sixty_four);
        let branch = matches!(insn.op, Some(Op::Branch(Branch::B | Branch::Bc | Branch::BcTo(_))));
        let called = guess.target(&insn, sixty_four);
        guess.execute(&insn);
        if let Some(block) = blocks.last_mut() {
            block.insns.push(insn);
        }
        ea = match (ways, called) {
            (Ways { next: true, .. }, _) => ea.wrapping_add(4),
            // Only forward: a branch back is an event point, and the head of a loop wants a region of its own.
            (Ways { jump: Some(jump), .. }, _) if jump > ea => jump,
            (_, Some(called)) => called,
            _ => break,
        };
        if branch {
            blocks.push(empty());
        }
    }
    blocks.retain(|block| !block.insns.is_empty());
    Plan::of(entry, blocks, false)
}

/// What registers of [`HELD`] may hold: a guess where branches through them lead, by what they hold when the region is
/// translated.
pub struct Guess {
    values: [Option<u64>; HELD],
    /// LR was written by a call since.
    called: bool,
}

impl Guess {
    /// From the values at the entry.
    pub fn of(values: [u64; HELD]) -> Guess {
        Guess { values: values.map(Some), called: false }
    }

    /// Where a call leads, or an indirect branch. Of returns nothing is guessed but from what was called in the trace.
    fn target(&self, insn: &Insn, sixty_four: bool) -> Option<u64> {
        let word = insn.word();
        let value = match insn.op? {
            Op::Branch(Branch::B) if word & 1 != 0 => return Some(target(word, insn.ea, Branch::B, sixty_four)),
            Op::Branch(Branch::BcTo(Register::Ctr)) if always(word) => self.values[CTR]?,
            Op::Branch(Branch::BcTo(Register::Lr)) if always(word) && word & 1 == 0 && self.called => self.values[LR]?,
            _ => return None,
        };
        Some(value & if sixty_four { !3 } else { 0xffff_fffc })
    }

    /// Behind `insn`.
    fn execute(&mut self, insn: &Insn) {
        let w = insn.word();
        let (rt, ra) = (fields::rt(w), fields::ra(w));
        match insn.op {
            Some(Op::Branch(op)) => {
                if w & 1 != 0 && matches!(op, Branch::B | Branch::Bc | Branch::BcTo(_)) {
                    (self.values[LR], self.called) = (Some(insn.ea.wrapping_add(4)), true);
                }
            }
            Some(Op::Integer(Integer::Logic(Logic::Or))) if rt == fields::rb(w) => self.values[ra] = self.values[rt],
            Some(Op::Integer(op @ (Integer::Mtspr | Integer::Mfspr))) => {
                let register = match spr::number(w) {
                    spr::LR => LR,
                    spr::CTR => CTR,
                    _ => rt,
                };
                let (from, to) = if op == Integer::Mtspr { (rt, register) } else { (register, rt) };
                self.values[to] = self.values[from].filter(|_| from != to);
            }
            // It writes one of these, if any: for a guess that is enough.
            _ => (self.values[rt], self.values[ra]) = (None, None),
        }
    }
}

impl Plan {
    /// The plan of these blocks, of which nothing else was found out yet.
    fn of(entry: u64, blocks: Vec<Block>, is_loop: bool) -> Plan {
        Plan {
            entry,
            blocks,
            is_loop,
            uses: [0; HELD],
            written: 0,
            vector_uses: [0; VECTORS],
            vectors_written: 0,
            symmetric: true,
            strips: Vec::new(),
        }
    }

    /// The block to which control stays in the region when it goes from the end of block `index` to `ea`, by a
    /// conditional branch or not. A trace has no other ways than to the next block.
    pub fn follows(&self, index: usize, ea: u64, branches: bool) -> Option<usize> {
        if self.is_loop {
            return self.blocks.iter().position(|block| block.start() == ea);
        }
        (!branches && self.blocks.get(index + 1)?.start() == ea).then_some(index + 1)
    }

    /// Parts that are read when control goes that way.
    pub fn live_at(&self, index: usize, ea: u64, branches: bool) -> Parts {
        self.follows(index, ea, branches).and_then(|index| self.blocks.get(index)).map_or(ALL, |block| block.live)
    }

    /// Finds blocks that are reached in one way only.
    fn find_followers(&mut self, sixty_four: bool) {
        let mut jumped_to = Vec::new();
        for index in 0..self.blocks.len() {
            let Some(last) = self.blocks.get(index).and_then(|block| block.insns.last()) else { continue };
            let jump = ways(last, sixty_four).jump;
            jumped_to.extend(jump.filter(|_| self.is_loop));
        }
        let entry = self.entry;
        let mut end = None;
        for block in &mut self.blocks {
            let start = block.start();
            block.follows = end == Some(start) && start != entry && !jumped_to.contains(&start) || !self.is_loop;
            end = block.insns.last().filter(|last| ways(last, sixty_four).next).map(|last| last.ea.wrapping_add(4));
        }
    }

    /// Finds what is alive, from the ends to the starts until nothing changes.
    fn find_live(&mut self, sixty_four: bool) {
        for block in &mut self.blocks {
            block.live = 0;
        }
        loop {
            let mut changed = false;
            for index in (0..self.blocks.len()).rev() {
                let Some(last) = self.blocks.get(index).and_then(|block| block.insns.last()) else { continue };
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
                for insn in block.insns.iter_mut().rev() {
                    insn.live = live;
                    let (reads, writes) = effects(insn);
                    live = live & !writes | reads;
                }
                changed |= block.live != live;
                block.live = live;
            }
            if !changed {
                break;
            }
        }
    }

    /// How much more often than others the instructions of each block are executed, by a guess: four times as often for
    /// each loop in which they are.
    fn weights(&self, sixty_four: bool) -> Vec<u16> {
        let mut loops: Vec<(u64, u64)> = Vec::new();
        for last in self.blocks.iter().filter_map(|block| block.insns.last()).filter(|_| self.is_loop) {
            let Some(head) = ways(last, sixty_four).jump.filter(|jump| *jump <= last.ea) else { continue };
            match loops.iter_mut().find(|(known, _)| *known == head) {
                Some((_, end)) => *end = last.ea.max(*end),
                None => loops.push((head, last.ea)),
            }
        }
        let depth = |start: u64| loops.iter().filter(|(head, end)| (*head..=*end).contains(&start)).count();
        self.blocks.iter().map(|block| 1 << (2 * depth(block.start()).min(3))).collect()
    }

    fn count<'a>(&mut self, sixty_four: bool, named: impl Fn(&Insn) -> Option<&'a Named>) {
        let weights = self.weights(sixty_four);
        let Plan { blocks, uses, written, vector_uses, vectors_written, symmetric, .. } = self;
        let insns = blocks.iter_mut().zip(weights);
        for (insn, weight) in insns.flat_map(|(block, weight)| block.insns.iter_mut().map(move |insn| (insn, weight))) {
            let word = insn.word();
            let vectors = named(insn).filter(|_| insn.op.is_some()).map_or(&[][..], |named| &named.vectors);
            *symmetric &= vectors.is_empty() || insn.op.is_some_and(crate::vsr::is_symmetric);
            for &(operand, base, writes) in vectors {
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
            for &(shift, writes) in named(insn).map_or(&[][..], |named| &named.fields) {
                note((word >> shift & 31) as usize, writes);
            }
            match insn.op {
                Some(Op::Branch(Branch::Bc | Branch::BcTo(Register::Lr | Register::Tar))) if word >> 21 & 4 == 0 => {
                    note(CTR, true);
                }
                Some(Op::Branch(Branch::BcTo(Register::Ctr))) => note(CTR, false),
                Some(Op::Integer(op @ (Integer::Mtspr | Integer::Mfspr))) => match spr::number(word) {
                    spr::CTR => note(CTR, op == Integer::Mtspr),
                    spr::LR => note(LR, op == Integer::Mtspr),
                    _ => {}
                },
                Some(Op::Float(Float::Load(access) | Float::Store(access))) if access.update => {
                    note((word >> 16 & 31) as usize, true);
                }
                Some(Op::LoadStore(op)) => {
                    // The address comes back to RA.
                    use ppc_isa::loadstore::LoadStore;
                    if let LoadStore::Load(access) | LoadStore::Store(access) = op
                        && access.update
                    {
                        note((word >> 16 & 31) as usize, true);
                    }
                }
                _ => {}
            }
            if matches!(insn.op, Some(Op::Branch(Branch::BcTo(Register::Lr)))) {
                note(LR, false);
            }
            if matches!(insn.op, Some(Op::Branch(Branch::B | Branch::Bc | Branch::BcTo(_)))) && word & 1 != 0 {
                note(LR, true);
            }
            insn.writes = changed;
            *written |= changed;
        }
    }
}
