//! What one row of the table says, and how its picture is read.

use crate::cpu::{Models, Unit};
use crate::field::{FIELDS, Placed, find};
use crate::op::Op;

/// Effects of an instruction that its operands do not show, and how it leaves.
pub mod fact {
    /// Reads `XER[CA]`.
    pub const R_CA: u32 = 1 << 0;
    /// Writes `XER[CA]` (and CA32 from ISA 3.0 on).
    pub const W_CA: u32 = 1 << 1;
    /// Writes `XER[OV]` (and SO, OV32) even without an OE field.
    pub const W_OV: u32 = 1 << 2;
    /// Writes CR field 0 whatever Rc says.
    pub const W_CR0: u32 = 1 << 3;
    /// Writes CR field 1 whatever Rc says.
    pub const W_CR1: u32 = 1 << 4;
    /// Writes CR field 6 whatever Rc says.
    pub const W_CR6: u32 = 1 << 5;
    /// Reads the link register.
    pub const R_LR: u32 = 1 << 6;
    /// Writes the link register (besides an LK field).
    pub const W_LR: u32 = 1 << 7;
    /// Reads the count register.
    pub const R_CTR: u32 = 1 << 8;
    /// Writes the count register.
    pub const W_CTR: u32 = 1 << 9;
    /// Reads memory.
    pub const LOAD: u32 = 1 << 10;
    /// Writes memory.
    pub const STORE: u32 = 1 << 11;
    /// Ends a block: control may go elsewhere, or the mode may change.
    pub const END: u32 = 1 << 12;
    /// Context synchronising (Book III, section 1.5.1).
    pub const SYNC: u32 = 1 << 13;
    /// Privileged: executed only with `MSR[PR]=0`.
    pub const PRIV: u32 = 1 << 14;
    /// Hypervisor privileged: the guest never executes it.
    pub const HV: u32 = 1 << 15;
    /// May cause a program interrupt of its own (trap, illegal form, enabled floating-point exception).
    pub const PROGRAM: u32 = 1 << 16;
    /// Reads and writes FPSCR (floating-point arithmetic).
    pub const FPSCR: u32 = 1 << 17;
    /// Writes `VSCR[SAT]`.
    pub const SAT: u32 = 1 << 18;
    /// Whether it is privileged depends on the SPR number.
    pub const BY_SPR: u32 = 1 << 19;
    /// A multi-register load or store, or one whose registers do not all appear as operands.
    pub const MULTI: u32 = 1 << 20;
    /// Sets or tests a reservation.
    pub const RESERVE: u32 = 1 << 21;
    /// Reads XER (the byte count, SO) or another special register.
    pub const R_XER: u32 = 1 << 22;
    /// The result depends on time or chance: comparisons between engines leave it out.
    pub const VOLATILE: u32 = 1 << 23;
    /// Writes the whole CR, or fields of it chosen by a mask.
    pub const W_CR: u32 = 1 << 24;
    /// Reads the whole CR.
    pub const R_CR: u32 = 1 << 25;
}

/// The largest number of fields in one picture.
pub const MAX_FIELDS: usize = 10;

/// One instruction.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// Mnemonic without the suffixes that its fields select ([`crate::field::FLAGS`]).
    pub name: &'static str,
    /// The 32 bits from left to right: opcode numbers, field names, `/n` for n reserved bits. A number takes six
    /// bits when it stands first, `n:w` takes w bits, and one plain number may take what remains. Of a prefixed
    /// instruction (Power ISA 3.1), prefix and suffix with `|` between them.
    pub picture: &'static str,
    /// Operands in assembler order, see [`crate::operand`]. `=` marks a register that is written, `+` one that is
    /// read and written.
    pub asm: &'static str,
    /// The models that have it.
    pub models: Models,
    /// The unit that must be switched on in the MSR (or FSCR).
    pub unit: Unit,
    /// Bits of [`fact`].
    pub facts: u32,
    /// What it does.
    pub op: Op,
    /// Bits that must equal `value`. The prefix of a prefixed instruction stands in the high half here and below.
    pub mask: u64,
    /// The opcode bits.
    pub value: u64,
    /// Reserved bits: ignored when decoding, zero when encoding.
    pub reserved: u64,
    fields: [Placed; MAX_FIELDS],
    field_count: u8,
}

impl Row {
    /// A row from its columns. A picture that does not account for exactly 32 bits does not compile.
    pub const fn new(
        name: &'static str,
        picture: &'static str,
        asm: &'static str,
        models: Models,
        unit: Unit,
        facts: u32,
        op: Op,
    ) -> Row {
        let parsed = parse_both(picture.as_bytes());
        Row {
            name,
            picture,
            asm,
            models,
            unit,
            facts,
            op,
            mask: parsed.mask,
            value: parsed.value,
            reserved: parsed.reserved,
            fields: parsed.fields,
            field_count: parsed.count as u8,
        }
    }

    /// The fields of the picture, from left to right.
    pub fn fields(&self) -> &[Placed] {
        self.fields.get(..self.field_count as usize).unwrap_or(&[])
    }

    /// The field called `name`, if the picture has it.
    pub fn field(&self, name: &str) -> Option<Placed> {
        self.fields().iter().copied().find(|f| f.name() == name)
    }

    /// Whether any of the given [`fact`] bits holds.
    pub fn is(&self, facts: u32) -> bool {
        self.facts & facts != 0
    }

    /// Whether `word` is this instruction; a prefix stands in the high half.
    pub fn matches(&self, word: u64) -> bool {
        word & self.mask == self.value
    }

    /// Whether it has a prefix, and 8 bytes instead of 4.
    pub const fn prefixed(&self) -> bool {
        self.value >> 32 != 0
    }
}

struct Parsed {
    mask: u64,
    value: u64,
    reserved: u64,
    fields: [Placed; MAX_FIELDS],
    count: usize,
}

/// Width in bits of the token `p[start..end]`, or 0 for a plain number that takes what remains. The opcode at `first`
/// has six bits.
const fn width(p: &[u8], first: usize, start: usize, end: usize) -> u32 {
    if p[start] == b'/' {
        return number(p, start + 1, end) as u32;
    }
    if p[start].is_ascii_digit() {
        let mut i = start;
        while i < end {
            if p[i] == b':' {
                return number(p, i + 1, end) as u32;
            }
            i += 1;
        }
        return if start == first { 6 } else { 0 };
    }
    match find(p, start, end) {
        Some(id) => FIELDS[id as usize].1,
        None => panic!("a picture names a field that is not in FIELDS"),
    }
}

const fn number(p: &[u8], start: usize, end: usize) -> u64 {
    let mut n = 0;
    let mut i = start;
    while i < end && p[i] != b':' {
        assert!(p[i].is_ascii_digit(), "a picture has a malformed number");
        n = n * 10 + (p[i] - b'0') as u64;
        i += 1;
    }
    n
}

/// Where the token ends that begins at `start`.
const fn token_end(p: &[u8], start: usize) -> usize {
    let mut i = start;
    while i < p.len() && p[i] != b' ' {
        i += 1;
    }
    i
}

/// Parses a word, or prefix and suffix.
const fn parse_both(p: &[u8]) -> Parsed {
    let none = Parsed { mask: 0, value: 0, reserved: 0, fields: [Placed { id: 0, shift: 0 }; MAX_FIELDS], count: 0 };
    let mut i = 0;
    while i < p.len() {
        if p[i] == b'|' {
            let prefix = parse(p, 0, i - 1, 32, none);
            return parse(p, i + 2, p.len(), 0, prefix);
        }
        i += 1;
    }
    parse(p, 0, p.len(), 0, none)
}

/// Adds the word described by `p[first..last]` to `out`, its last bit at `base`.
const fn parse(p: &[u8], first: usize, last: usize, base: u32, mut out: Parsed) -> Parsed {
    let mut known = 0;
    let mut open = 0;
    let mut i = first;
    while i < last {
        let end = token_end(p, i);
        let w = width(p, first, i, end);
        known += w;
        if w == 0 {
            open += 1;
        }
        i = end + 1;
    }
    assert!(known <= 32 && open <= 1, "a picture is longer than 32 bits or has two open numbers");
    assert!((open == 1) == (known < 32), "a picture does not account for 32 bits");

    let mut left = base + 32;
    let mut i = first;
    while i < last {
        let end = token_end(p, i);
        let mut w = width(p, first, i, end);
        if w == 0 {
            w = 32 - known;
        }
        left -= w;
        let ones = ((1u64 << w) - 1) << left;
        if p[i] == b'/' {
            out.reserved |= ones;
        } else if p[i].is_ascii_digit() {
            let n = number(p, i, end);
            assert!(n < (1u64 << w), "an opcode number does not fit its bits");
            out.mask |= ones;
            out.value |= n << left;
        } else {
            let id = match find(p, i, end) {
                Some(id) => id,
                None => panic!("unknown field"),
            };
            out.fields[out.count] = Placed { id, shift: left as u8 };
            out.count += 1;
        }
        i = end + 1;
    }
    out
}
