//! Random legal cases for a row: words, and a state in which their addresses and branches stay inside the case.

use std::mem::discriminant;

use guest_mem::Order;
use ppc_isa::branch::{Branch, Register};
use ppc_isa::cpu::{ALTIVEC, BOOKE, FLOAT, SERVER, SPE};
use ppc_isa::loadstore::LoadStore;
use ppc_isa::op::Op;
use ppc_isa::operand::{Access, Kind, Operand, operands};
use ppc_isa::row::fact;
use ppc_isa::{Cpu, Row};

use crate::case::{Case, DATA, DATA_BYTES, State, address, reg};
use crate::forms::{self, Address};
use crate::grid::{self, Layer};
use crate::qemu::Version;
use crate::undefined;
use crate::values::{self, Chance};

/// The most bytes one instruction accesses behind its address.
const REACH: usize = 144;
/// An address at which neither engine has anything.
const NOWHERE: u64 = 0x5000_0000;
/// The low word of a register.
const WORD: u64 = 0xffff_ffff;
/// Tries before a word is given up; invalid forms and conflicts of registers are that common.
const TRIES: usize = 64;

/// Makes cases for one CPU model and byte order.
pub struct Generator {
    cpu: Cpu,
    order: Order,
    chance: Chance,
    /// Rows that may stand beside the row under test, whatever QEMU's version.
    companions: Vec<&'static Row>,
}

/// A case in the making.
struct Draft {
    state: State,
    words: Vec<u64>,
    /// GPRs whose initial value must not change any more, as an address depends on it.
    pinned: u32,
    /// GPRs that an earlier word may have written.
    written: u32,
    /// Length of strings in XER.
    string: u32,
    origin: u64,
    length: usize,
    /// Registers have 64 bits.
    wide: bool,
}

impl Generator {
    /// A generator that always makes the same cases from the same seed.
    pub fn new(cpu: Cpu, order: Order, seed: u64) -> Generator {
        let simple = |r: &&Row| {
            r.models.contains(cpu)
                && forms::left_out(r, Version::default(), cpu, order).is_none()
                && !r.is(fact::PRIV | fact::HV)
                && !is_branch(r)
                && !undefined::any(r)
        };
        let companions = ppc_isa::rows().filter(simple).filter(|r| !needs_first_place(r)).collect();
        Generator { cpu, order, chance: Chance::new(seed), companions }
    }

    /// The model.
    pub fn cpu(&self) -> Cpu {
        self.cpu
    }

    /// A case for `row` that will run in `slot`; `None` when no valid form was found.
    pub fn case(&mut self, row: &'static Row, slot: usize) -> Option<Case> {
        let single = undefined::any(row) || self.chance.percent(60);
        let length = match (is_branch(row), single) {
            (true, _) => 2 + self.chance.below(3),
            (_, true) => 1,
            _ => 2 + self.chance.below(3),
        };
        let place = if is_branch(row) || needs_first_place(row) { 0 } else { self.chance.below(length) };
        let mut draft = self.draft(address(slot), length);
        if let Op::Dfp(op) = row.op {
            draft.fill_decimals(&mut self.chance, op.quad);
        }
        draft.state.reg[reg::FPSCR] &= !undefined::cleared(row);
        if let Op::LoadStore(LoadStore::StoreConditional { bytes }) = row.op
            && bytes < 16 // QEMU reserves the second doubleword of lqarx, so that stqcx. always fails.
            && self.chance.percent(80)
        {
            self.reserve_and_store(row, bytes, &mut draft)?;
        } else {
            for i in 0..length {
                if i == place {
                    self.word(row, &mut draft)?;
                } else {
                    let other = self.companion(row);
                    self.word(other, &mut draft)?;
                }
            }
        }
        Some(Case { cpu: self.cpu, order: self.order, slot, words: draft.words, before: draft.state })
    }

    /// A case of `row` alone.
    pub fn alone(&mut self, row: &'static Row, slot: usize) -> Option<Case> {
        let mut draft = self.draft(address(slot), 1);
        self.word(row, &mut draft)?;
        Some(Case { cpu: self.cpu, order: self.order, slot, words: draft.words, before: draft.state })
    }

    /// Case `n` of `layer`: `row` alone, each operand in a register of its own, or in the same if they are the same.
    pub fn planned(&mut self, row: &'static Row, layer: &Layer, n: usize, slot: usize) -> Option<Case> {
        let values: Vec<u128> = (0..grid::sources(row).count()).map(|source| layer.value(n, source)).collect();
        for _ in 0..TRIES {
            let mut draft = self.draft(address(slot), 1);
            self.word(row, &mut draft)?;
            let word = *draft.words.first()?;
            let places: Option<Vec<_>> = grid::sources(row).map(|operand| place(&operand, word)).collect();
            let Some(places) = places else { continue };
            let clash = |i: usize| (0..i).any(|k| places[i] == places[k] && values[i] != values[k]);
            if (0..places.len()).any(clash) {
                continue;
            }
            for ([high, low], value) in places.into_iter().zip(&values) {
                let wide = draft.wide || low >= reg::VSR;
                if SPE.contains(self.cpu) && low < reg::CR {
                    draft.state.reg[reg::HIGH + low] = (value >> 32) as u64 & WORD;
                }
                draft.state.reg[high] = (value >> 64) as u64;
                draft.state.reg[low] = *value as u64 & if wide { u64::MAX } else { WORD };
            }
            let fpscr = &mut draft.state.reg[reg::FPSCR];
            if let Some(mode) = layer.rounding {
                *fpscr = *fpscr & !3 | mode;
            }
            *fpscr &= !undefined::cleared(row);
            return Some(Case { cpu: self.cpu, order: self.order, slot, words: draft.words, before: draft.state });
        }
        None
    }

    /// A fixed-point row, or one of the same file as `row`, so that a fault in one file does not show in others.
    fn companion(&mut self, row: &Row) -> &'static Row {
        loop {
            let other = self.chance.one_of(&self.companions);
            // A branch goes to one of the words behind it, and must not land on a suffix.
            if is_branch(row) && other.prefixed() {
                continue;
            }
            if matches!(other.op, Op::Branch(_) | Op::Integer(_) | Op::LoadStore(_))
                || discriminant(&other.op) == discriminant(&row.op)
            {
                return other;
            }
        }
    }

    fn draft(&mut self, origin: u64, length: usize) -> Draft {
        let c = &mut self.chance;
        let mut state = State::default();
        for gpr in &mut state.reg[..reg::CR] {
            *gpr = values::integer(c);
        }
        for n in 0..64 {
            let at = reg::VSR + 2 * n;
            state.reg[at..at + 2].copy_from_slice(&values::vector(c));
        }
        for chunk in state.data.chunks_mut(16) {
            let [high, low] = values::vector(c);
            chunk[..8].copy_from_slice(&high.to_be_bytes());
            chunk[8..].copy_from_slice(&low.to_be_bytes());
        }
        let string = c.below(20) as u32;
        // OV32 and CA32 are reserved before ISA 3.0.
        let flags = if self.cpu.level() >= 300 { 0xe00c_0000 } else { 0xe000_0000 };
        state.reg[reg::CR] = c.bits() & 0xffff_ffff;
        state.reg[reg::XER] = c.bits() & flags | u64::from(string);
        state.reg[reg::LR] = values::integer(c);
        state.reg[reg::CTR] = if c.percent(50) { c.below(3) as u64 } else { values::integer(c) };
        state.reg[reg::TAR] = values::integer(c);
        state.reg[reg::VRSAVE] = c.bits() & 0xffff_ffff;
        state.reg[reg::VSCR] = [0, 0, 1, 0x1_0000][c.below(4)];
        state.reg[reg::FPSCR] = fpscr(c);
        self.restrict(&mut state);
        Draft { state, words: Vec::new(), pinned: 0, written: 0, string, origin, length, wide: self.cpu.sixty_four() }
    }

    /// Clears what the model lacks; fills the registers of the signal processing engine where there is one.
    fn restrict(&mut self, state: &mut State) {
        let (cpu, c) = (self.cpu, &mut self.chance);
        if SERVER.contains(cpu) {
            return;
        }
        let reg = &mut state.reg;
        if !cpu.sixty_four() {
            for value in reg[..reg::CR].iter_mut() {
                *value &= WORD;
            }
            reg[reg::LR] &= WORD;
            reg[reg::CTR] &= WORD;
        }
        reg[reg::TAR] = 0;
        if !ALTIVEC.contains(cpu) {
            reg[reg::VSCR] = 0;
            reg[reg::VSR + 64..reg::HIGH].fill(0);
        }
        for fpr in reg[reg::VSR..reg::VSR + 64].chunks_mut(2) {
            fpr[1] = 0;
            if !FLOAT.contains(cpu) {
                fpr[0] = 0;
            }
        }
        if !FLOAT.contains(cpu) {
            reg[reg::FPSCR] = 0;
        }
        if !ALTIVEC.or(BOOKE).contains(cpu) {
            reg[reg::VRSAVE] = 0;
        }
        if SPE.contains(cpu) {
            for n in 0..32 {
                // Integers and floats of both halves, or whole doubles.
                let [high, low] = if c.percent(50) { values::vector(c) } else { [values::integer(c), reg[n]] };
                (reg[reg::HIGH + n], reg[n]) =
                    if c.percent(50) { (high >> 32, high & WORD) } else { (high & WORD, low & WORD) };
            }
            reg[reg::ACC] = values::vector(c)[0];
            // Sticky bits only: in other modes software rounds, and QEMU has another idea of exceptions.
            reg[reg::SPEFSCR] = c.one_of(&[0, 0, 0x8000_8000, 0x003e_0000]);
        }
    }

    /// Appends a word of `row` and arranges the state for it.
    fn word(&mut self, row: &'static Row, draft: &mut Draft) -> Option<()> {
        for _ in 0..TRIES {
            let word = self.operands(row);
            if !forms::valid(row, self.cpu, word, draft.string) {
                continue;
            }
            if let Some(word) = self.address(row, word, draft) {
                let word = self.branch(row, word, draft);
                draft.push(row, word);
                return Some(());
            }
        }
        None
    }

    /// A load and reserve, and a store conditional to the same place.
    fn reserve_and_store(&mut self, row: &'static Row, bytes: u8, draft: &mut Draft) -> Option<()> {
        let loads = |r: &&Row| r.op == Op::LoadStore(LoadStore::LoadReserve { bytes }) && r.models.contains(self.cpu);
        let load = ppc_isa::rows().find(loads)?;
        self.word(load, draft)?;
        let first = *draft.words.first()?;
        for _ in 0..TRIES {
            let mut word = self.operands(row);
            for name in ["RA", "RB"] {
                word = row.field(name)?.set(word, load.field(name)?.get(first));
            }
            let base = load.field("RA")?.get(first);
            let target = load.field("RT")?.get(first);
            if (base != 0 && base == target) || load.field("RB")?.get(first) == target {
                return None;
            }
            if forms::valid(row, self.cpu, word, draft.string) {
                draft.push(row, word);
                return Some(());
            }
        }
        None
    }

    /// A word of `row` with random operands and flags.
    fn operands(&mut self, row: &'static Row) -> u64 {
        let c = &mut self.chance;
        let mut word = row.value;
        for field in row.fields() {
            word = field.set(word, c.bits() as u32);
        }
        if let Some(aa) = row.field("AA") {
            word = aa.set(word, 0);
        }
        let mut last = c.below(32) as i64;
        for operand in operands(row) {
            let value = match operand.kind {
                Kind::Gpr | Kind::GprOrZero | Kind::Fpr | Kind::Vr | Kind::Vsr => {
                    // The same register twice is a case of its own.
                    let limit = 1 << operand.width();
                    last = if c.percent(20) { last % limit } else { c.below(limit as usize) as i64 };
                    last
                }
                Kind::GprPair | Kind::FprPair => c.below(16) as i64 * 2,
                Kind::VsrPair => c.below(32) as i64 * 2,
                Kind::Spr => forms::spr(self.cpu, c).into(),
                Kind::Unsigned | Kind::Signed if c.percent(30) => {
                    let top = 1i64 << (operand.width() - 1);
                    let signed = operand.kind == Kind::Signed;
                    c.one_of(&if signed { [0, 1, -1, -top, top - 1] } else { [0, 1, 2 * top - 1, top, top - 1] })
                }
                _ => continue,
            };
            word = operand.set(word, value).unwrap_or(word);
        }
        word
    }

    /// Sets address registers so that the word accesses the data area, and its displacement where it has no base; `None`
    /// when it cannot.
    fn address(&mut self, row: &'static Row, word: u64, draft: &mut Draft) -> Option<u64> {
        let Some(how) = forms::addressing(row) else { return Some(word) };
        let c = &mut self.chance;
        let align = forms::alignment(row, self.cpu).max(c.one_of(&[1, 1, 2, 4, 8, 16]));
        let mut ea = DATA + (c.below(DATA_BYTES - REACH) as u64 & !(align - 1));
        if forms::may_fault(row) && c.percent(2) {
            ea += NOWHERE;
        }
        let find = |name: &str| operands(row).find(|o| o.name == name);
        let base = find("RA0").or(find("RA"))?;
        if row.field("R").is_some_and(|r| row.prefixed() && r.get(word) == 1) {
            return find("D34")?.set(word, ea.wrapping_sub(draft.next()).cast_signed());
        }
        let zero = base.kind == Kind::GprOrZero && base.get(word) == 0;
        let base = base.get(word) as usize;
        let other = find("RB").map_or(0, |o| o.get(word) as usize);
        let fits = match how {
            Address::Base if zero => false,
            Address::Base if forms::length_in_rb(row) => {
                let length = c.below(20) as u64;
                let low = c.bits() >> 8;
                other != base && draft.pin(base, ea) && draft.pin(other, length << 56 | low)
            }
            Address::Base => draft.pin(base, ea),
            Address::Displaced => {
                let displacement = |o: &Operand| matches!(o.kind, Kind::Displacement | Kind::Offset | Kind::Below);
                let d = operands(row).find(displacement).map_or(0, |o| o.get(word));
                !zero && draft.pin(base, ea.wrapping_add_signed(-d))
            }
            Address::Indexed if zero => draft.pin(other, ea),
            Address::Indexed if base == other => ea & 1 == 0 && draft.pin(base, ea / 2),
            Address::Indexed => {
                let index = if c.percent(50) { c.below(64) as u64 } else { values::integer(c) };
                let free = !draft.taken(base) && !draft.taken(other);
                free && draft.pin(base, ea.wrapping_sub(index)) && draft.pin(other, index)
            }
        };
        fits.then_some(word)
    }

    /// Directs a branch to a later word of the case or its end.
    fn branch(&mut self, row: &'static Row, word: u64, draft: &mut Draft) -> u64 {
        let Op::Branch(op) = row.op else { return word };
        let ahead = 1 + self.chance.below(draft.length - draft.words.len());
        let target = draft.next() + 4 * ahead as u64;
        let register = match op {
            Branch::BcTo(Register::Lr) => reg::LR,
            Branch::BcTo(Register::Ctr) => reg::CTR,
            Branch::BcTo(Register::Tar) => reg::TAR,
            _ => {
                let displacement = operands(row).find(|o| o.kind == Kind::Target);
                let absolute = op == Branch::B && self.chance.percent(30);
                let word = row.field("AA").map_or(word, |aa| aa.set(word, absolute.into()));
                let value = if absolute { target as i64 } else { 4 * ahead as i64 };
                return displacement.and_then(|d| d.set(word, value)).unwrap_or(word);
            }
        };
        // The low two bits are ignored.
        draft.state.reg[register] = target | self.chance.below(4) as u64;
        word
    }
}

impl Draft {
    /// Address of the next instruction.
    fn next(&self) -> u64 {
        self.words.iter().fold(self.origin, |at, word| at + if word >> 32 != 0 { 8 } else { 4 })
    }

    /// Decimal numbers for FPRs, and any decimal rounding mode.
    fn fill_decimals(&mut self, c: &mut Chance, quad: bool) {
        for (n, value) in values::decimals(c, quad).into_iter().enumerate() {
            self.state.reg[reg::VSR + 2 * n] = value;
        }
        self.state.reg[reg::FPSCR] |= (c.below(8) as u64) << 32;
    }

    fn taken(&self, gpr: usize) -> bool {
        (self.pinned | self.written) >> gpr & 1 != 0
    }

    fn pin(&mut self, gpr: usize, value: u64) -> bool {
        if self.taken(gpr) {
            return false;
        }
        self.pinned |= 1 << gpr;
        self.state.reg[gpr] = if self.wide { value } else { value & WORD };
        true
    }

    fn push(&mut self, row: &'static Row, word: u64) {
        let writes = |o: &Operand| o.access != Access::Read;
        for o in operands(row).filter(writes) {
            self.written |= match o.kind {
                Kind::Gpr | Kind::GprOrZero => 1 << o.get(word),
                Kind::GprPair => 3 << o.get(word),
                _ => 0,
            };
        }
        if row.is(fact::MULTI) && row.is(fact::LOAD) {
            self.written = u32::MAX;
        }
        self.words.push(word);
    }
}

/// The registers that hold the upper and the lower half of what `operand` stands for; a single GPR or FPR is both. `None`
/// for the value 0 instead of a GPR.
pub(crate) fn place(operand: &Operand, word: u64) -> Option<[usize; 2]> {
    let n = operand.get(word) as usize;
    let vsr = |n: usize| reg::VSR + 2 * n;
    match operand.kind {
        Kind::GprOrZero if n == 0 => None,
        Kind::GprPair => Some([n, n + 1]),
        Kind::Fpr => Some([vsr(n), vsr(n)]),
        Kind::FprPair => Some([vsr(n), vsr(n + 1)]),
        Kind::Vr => Some([vsr(n + 32), vsr(n + 32) + 1]),
        Kind::Vsr => Some([vsr(n), vsr(n) + 1]),
        _ if n < reg::CR => Some([n, n]),
        _ => None,
    }
}

fn is_branch(row: &Row) -> bool {
    matches!(row.op, Op::Branch(Branch::B | Branch::Bc | Branch::BcTo(_)))
}

/// Rows that depend on a special register which an earlier word may have written, or on the reservation.
fn needs_first_place(row: &Row) -> bool {
    row.is(fact::RESERVE) || row.is(fact::MULTI) && row.is(fact::R_XER)
}

/// FPSCR: any rounding mode and sticky bits, seldom enable bits. No enabled exception has occurred yet (FEX=0), for that
/// would be an interrupt before the case begins.
fn fpscr(c: &mut Chance) -> u64 {
    const STICKY: u64 = 0x9fff_f700;
    const INVALID: u64 = 0x01f8_0700;
    const VX: u64 = 0x2000_0000;
    const FX: u64 = 0x8000_0000;
    const EXCEPTIONS: u64 = 0x3ff8_0700;
    const VE: u64 = 0x80;
    // Exception bits OX, UX, ZX, XX stand as far above their enable bits as VX above VE.
    const ABOVE: u32 = 22;
    let mut value = c.below(4) as u64;
    if c.percent(5) {
        value |= 4; // NI
    }
    if c.percent(50) {
        value |= c.bits() & STICKY;
    }
    let enables = if c.percent(10) { c.bits() & 0xf8 } else { 0 };
    value &= !(enables << ABOVE);
    if enables & VE != 0 {
        value &= !INVALID;
    }
    if value & INVALID != 0 {
        value |= VX;
    }
    if value & EXCEPTIONS != 0 {
        value |= FX; // QEMU sets FX for an exception that had occurred before, too.
    }
    value | enables
}
