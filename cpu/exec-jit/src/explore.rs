//! Which instructions are translated together.
//!
//! A region lies in one page of 4 KiB and has one entry. If the entry is the head of a loop, it is the loop: all blocks
//! that reach the entry again. Else it is a trace: the instructions that follow while no conditional branch is taken, into
//! functions of the page that are called and out of them again; where an indirect branch leads is guessed.

use exec_interp::fields;
use ppc_isa::branch::{Branch, Register};
use ppc_isa::integer::{Integer, Logic};
use ppc_isa::op::Op;
use ppc_isa::spr;

use crate::plan::{CTR, HELD, Insn, LR, Named, Plan, Ways, always, target, ways};
use crate::sets::{SLOTS, Slots, bits, slot};

/// The most instructions of a region.
const MOST: usize = 96;
/// The most instructions of a trace.
const TRACE: usize = 48;
/// The primary opcode of `b`, in its place, and the bits in which it agrees with that of `bc`, 16.
const B: u32 = 18 << 26;
const OPCODES: u32 = 0b111101 << 26;

/// Instructions of a page to which branches go back: only these are taken for heads of loops.
pub struct Heads(Slots);

impl Heads {
    /// Those of a page, given the word at an offset.
    pub fn of(word: impl Fn(u64) -> u32) -> Heads {
        let mut slots = Slots::default();
        for first in (0..4 * SLOTS as u64).step_by(4 * 64) {
            // Neither to an absolute address nor a call.
            let is_branch = |bit: u64| word(first + 4 * bit) & (OPCODES | 3) == B & OPCODES;
            let branches = (0..64).fold(0, |all, bit| all | u64::from(is_branch(bit)) << bit);
            for from in bits(branches).map(|bit| first + 4 * bit as u64) {
                let word = word(from);
                let branch = if word >> 26 == B >> 26 { Branch::B } else { Branch::Bc };
                let to = target(word, from, branch, true);
                if to <= from {
                    slots.insert(to);
                }
            }
        }
        Heads(slots)
    }

    /// Whether the instruction at `ea` is one of them.
    pub fn has(&self, ea: u64) -> bool {
        self.0.has(ea)
    }
}

/// Plans regions, in memory that is used again.
#[derive(Default)]
pub struct Explorer {
    plan: Plan,
    seen: Seen,
}

impl Explorer {
    /// Plans the region at `entry`. `decode` gives the instruction at an address of its page, `named` the registers of an
    /// instruction. It is a loop only if it `may_loop`, see [`Heads`].
    pub fn plan<'a>(
        &mut self,
        entry: u64,
        sixty_four: bool,
        mut decode: impl FnMut(u64) -> Insn,
        named: impl Fn(&Insn) -> Option<&'a Named>,
        guess: Guess,
        may_loop: bool,
    ) -> &Plan {
        let Explorer { plan, seen } = self;
        plan.begin(entry);
        seen.begin(entry);
        if may_loop {
            seen.explore(sixty_four, &mut decode);
            seen.find_loop(plan);
        }
        if !plan.is_loop {
            trace(plan, sixty_four, seen, &mut decode, guess);
        }
        plan.complete(sixty_four, named);
        plan
    }
}

/// Instructions of a page that were looked at, in the order of their discovery.
#[derive(Default)]
struct Seen {
    insns: Vec<(Insn, Ways)>,
    /// 1 + index into `insns` by place in the page.
    by_slot: Vec<u8>,
    entry: u64,
}

impl Seen {
    fn begin(&mut self, entry: u64) {
        self.by_slot.resize(SLOTS, 0);
        for (insn, _) in self.insns.drain(..) {
            if let Some(index) = self.by_slot.get_mut(slot(insn.ea)) {
                *index = 0;
            }
        }
        self.entry = entry;
    }

    /// Looks at what control may reach from the entry on without leaving the page.
    fn explore(&mut self, sixty_four: bool, decode: &mut impl FnMut(u64) -> Insn) {
        self.visit(self.entry, sixty_four, decode);
        let mut next = 0;
        while let Some((insn, ways)) = self.insns.get(next)
            && self.insns.len() < MOST
        {
            let (after, jump) = (ways.next.then(|| insn.ea.wrapping_add(4)), ways.jump);
            for ea in [after, jump].into_iter().flatten() {
                self.visit(ea, sixty_four, decode);
            }
            next += 1;
        }
    }

    fn is_here(&self, ea: u64) -> bool {
        (ea ^ self.entry) & !0xfff == 0
    }

    /// The instruction at `ea`, in the page.
    fn find(&self, ea: u64) -> Option<&Insn> {
        let index = *self.by_slot.get(slot(ea))?;
        let (insn, _) = self.insns.get(usize::from(index).checked_sub(1)?)?;
        Some(insn)
    }

    fn visit(&mut self, ea: u64, sixty_four: bool, decode: &mut impl FnMut(u64) -> Insn) {
        let here = self.is_here(ea);
        if let Some(index) = self.by_slot.get_mut(slot(ea)).filter(|index| here && **index == 0) {
            let insn = decode(ea);
            self.insns.push((insn, ways(&insn, sixty_four)));
            *index = self.insns.len() as u8;
        }
    }

    /// Plans the loop whose head is the entry, if there is one.
    fn find_loop(&self, plan: &mut Plan) {
        let mut inside = Slots::default();
        let mut changed = true;
        while std::mem::take(&mut changed) {
            for (insn, ways) in self.insns.iter().rev() {
                let after = ways.next.then(|| insn.ea.wrapping_add(4));
                let reaches = |ea: u64| ea == self.entry || self.is_here(ea) && inside.has(ea);
                if after.is_some_and(reaches) || ways.jump.is_some_and(reaches) {
                    changed |= inside.insert(insn.ea);
                }
            }
        }
        if !inside.has(self.entry) {
            return;
        }
        plan.is_loop = true;
        let mut leaders = Slots::default();
        leaders.insert(self.entry);
        for (insn, ways) in self.insns.iter().filter(|(insn, _)| inside.has(insn.ea)) {
            let behind = ends_block(insn).then(|| insn.ea.wrapping_add(4));
            for leader in [ways.jump, behind].into_iter().flatten().filter(|ea| self.is_here(*ea)) {
                leaders.insert(leader);
            }
        }
        for insn in inside.iter().filter_map(|slot| self.find(4 * slot as u64)) {
            plan.add(*insn, plan.end() != Some(insn.ea) || leaders.has(insn.ea));
        }
    }
}

/// Whether another block begins behind `insn`.
fn ends_block(insn: &Insn) -> bool {
    matches!(insn.op, Some(Op::Branch(Branch::B | Branch::Bc | Branch::BcTo(_))))
}

/// Plans the instructions from the entry on while no conditional branch is taken.
fn trace(plan: &mut Plan, sixty_four: bool, seen: &Seen, decode: &mut impl FnMut(u64) -> Insn, mut guess: Guess) {
    let mut ea = plan.entry;
    let (mut begins, mut slots) = (true, Slots::default());
    while plan.insns.len() < TRACE && seen.is_here(ea) && slots.insert(ea) {
        let insn = seen.find(ea).copied().unwrap_or_else(|| decode(ea));
        let ways = ways(&insn, sixty_four);
        let called = guess.target(&insn, sixty_four);
        guess.execute(&insn);
        plan.add(insn, begins);
        ea = match (ways, called) {
            (Ways { next: true, .. }, _) => ea.wrapping_add(4),
            // Only forward: a branch back is an event point, and the head of a loop wants a region of its own.
            (Ways { jump: Some(jump), .. }, _) if jump > ea => jump,
            (_, Some(called)) => called,
            _ => break,
        };
        begins = ends_block(&insn);
    }
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
