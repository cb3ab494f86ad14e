//! The operands of an instruction: registers and immediates, how they are put together from fields, how they are used.

use crate::Row;
use crate::field::Placed;

/// What an operand is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// General purpose register.
    Gpr,
    /// General purpose register, where number 0 stands for the value 0.
    GprOrZero,
    /// An even/odd pair of general purpose registers.
    GprPair,
    /// Floating-point register.
    Fpr,
    /// An even/odd pair of floating-point registers.
    FprPair,
    /// Vector register (VSR 32 + n).
    Vr,
    /// Vector-scalar register.
    Vsr,
    /// An even/odd pair of vector-scalar registers.
    VsrPair,
    /// Accumulator: VSRs 4n to 4n + 3.
    Accumulator,
    /// CR field.
    CrField,
    /// CR bit.
    CrBit,
    /// Unsigned immediate.
    Unsigned,
    /// Signed immediate.
    Signed,
    /// Signed displacement of an address.
    Displacement,
    /// Unsigned displacement of an address.
    Offset,
    /// Negative displacement of an address: the sign has no bit.
    Below,
    /// Displacement of a branch, relative to the instruction unless AA=1.
    Target,
    /// Special purpose register number.
    Spr,
}

/// How an operand's register is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Only read.
    Read,
    /// Only written.
    Write,
    /// Read and written.
    ReadWrite,
}

struct Def {
    name: &'static str,
    kind: Kind,
    /// Fields, most significant first.
    parts: &'static [&'static str],
    /// Left shift of the value.
    scale: u8,
}

const fn def(name: &'static str, kind: Kind, parts: &'static [&'static str], scale: u8) -> Def {
    Def { name, kind, parts, scale }
}

/// Operands that are not simply a field of the same name holding an unsigned immediate.
const DEFS: &[Def] = &[
    def("RT", Kind::Gpr, &["RT"], 0),
    def("RS", Kind::Gpr, &["RS"], 0),
    def("RA", Kind::Gpr, &["RA"], 0),
    def("RB", Kind::Gpr, &["RB"], 0),
    def("RC", Kind::Gpr, &["RC"], 0),
    def("RA0", Kind::GprOrZero, &["RA"], 0),
    def("RTp", Kind::GprPair, &["RT"], 0),
    def("RSp", Kind::GprPair, &["RS"], 0),
    def("FRT", Kind::Fpr, &["FRT"], 0),
    def("FRS", Kind::Fpr, &["FRS"], 0),
    def("FRA", Kind::Fpr, &["FRA"], 0),
    def("FRB", Kind::Fpr, &["FRB"], 0),
    def("FRC", Kind::Fpr, &["FRC"], 0),
    def("FRTp", Kind::FprPair, &["FRT"], 0),
    def("FRAp", Kind::FprPair, &["FRA"], 0),
    def("FRBp", Kind::FprPair, &["FRB"], 0),
    def("VRT", Kind::Vr, &["VRT"], 0),
    def("VRS", Kind::Vr, &["VRS"], 0),
    def("VRA", Kind::Vr, &["VRA"], 0),
    def("VRB", Kind::Vr, &["VRB"], 0),
    def("VRC", Kind::Vr, &["VRC"], 0),
    def("XT", Kind::Vsr, &["TX", "T"], 0),
    def("XS", Kind::Vsr, &["SX", "S"], 0),
    def("XA", Kind::Vsr, &["AX", "A"], 0),
    def("XB", Kind::Vsr, &["BX", "B"], 0),
    def("XC", Kind::Vsr, &["CX", "C"], 0),
    def("XTp", Kind::VsrPair, &["TX", "Tp"], 1),
    def("XSp", Kind::VsrPair, &["SX", "Sp"], 1),
    def("XAp", Kind::VsrPair, &["AX", "A"], 0),
    def("AT", Kind::Accumulator, &["AT"], 0),
    def("BF", Kind::CrField, &["BF"], 0),
    def("BFA", Kind::CrField, &["BFA"], 0),
    def("BT", Kind::CrBit, &["BT"], 0),
    def("BA", Kind::CrBit, &["BA"], 0),
    def("BB", Kind::CrBit, &["BB"], 0),
    def("BC", Kind::CrBit, &["BC"], 0),
    def("BI", Kind::CrBit, &["BI"], 0),
    def("SI", Kind::Signed, &["SI"], 0),
    def("TE5", Kind::Signed, &["TE"], 0),
    def("SIB", Kind::Signed, &["RB"], 0),
    def("SIM", Kind::Signed, &["SIM"], 0),
    def("DX", Kind::Signed, &["d0", "d1", "d2"], 0),
    def("SI34", Kind::Signed, &["dh", "dl"], 0),
    def("IMM32", Kind::Unsigned, &["ih", "il"], 0),
    def("D34", Kind::Displacement, &["dh", "dl"], 0),
    def("D", Kind::Displacement, &["D"], 0),
    def("DS", Kind::Displacement, &["DS"], 2),
    def("DQ", Kind::Displacement, &["DQ"], 4),
    def("HD", Kind::Below, &["hx", "hd"], 3),
    def("UI8", Kind::Offset, &["UIM5"], 3),
    def("UI4", Kind::Offset, &["UIM5"], 2),
    def("UI2", Kind::Offset, &["UIM5"], 1),
    def("LI", Kind::Target, &["LI"], 2),
    def("BD", Kind::Target, &["BD"], 2),
    def("SH6", Kind::Unsigned, &["shx", "sh"], 0),
    def("MB6", Kind::Unsigned, &["mbx", "mb"], 0),
    def("DCMX6", Kind::Unsigned, &["dc", "dm", "dx"], 0),
    def("SPR", Kind::Spr, &["spr"], 0),
    // Fields and bits of FPSCR.
    def("FBF", Kind::Unsigned, &["BF"], 0),
    def("FBFA", Kind::Unsigned, &["BFA"], 0),
    def("FBT", Kind::Unsigned, &["BT"], 0),
];

/// One operand of a row.
#[derive(Clone, Copy, Debug)]
pub struct Operand {
    /// What it is.
    pub kind: Kind,
    /// How its register is used; `Read` for immediates.
    pub access: Access,
    /// Its name in the row's `asm` column, without the access mark.
    pub name: &'static str,
    /// The character before it in the `asm` column: `,`, `(` or 0 at the start.
    pub before: u8,
    parts: [Option<Placed>; 3],
    scale: u8,
}

impl Operand {
    /// The operand's value in `word`: register number or immediate, sign-extended and scaled.
    pub fn get(&self, word: u64) -> i64 {
        let parts = self.parts.iter().flatten();
        let value = parts.fold(0, |value, p| value << p.width() | i64::from(p.get(word)));
        match self.kind {
            Kind::Spr => ((value & 31) << 5) | (value >> 5),
            Kind::Signed | Kind::Displacement | Kind::Target => {
                // An operand that the row lacks has no bits, and is 0.
                let unused = (64 - self.width()).min(63);
                ((value << unused) >> unused) << self.scale
            }
            Kind::Below => (value - (1 << self.width())) << self.scale,
            _ => value << self.scale,
        }
    }

    /// `word` with the operand set to `value`, or `None` when the value does not fit.
    pub fn set(&self, word: u64, value: i64) -> Option<u64> {
        let mut rest = value >> self.scale;
        if self.kind == Kind::Spr {
            rest = ((rest & 31) << 5) | (rest >> 5);
        }
        let mut word = word;
        for p in self.parts.iter().rev().flatten() {
            word = p.set(word, rest as u32);
            rest >>= p.width();
        }
        (self.get(word) == value).then_some(word)
    }

    /// Bits of the unscaled value.
    pub fn width(&self) -> u32 {
        self.parts.iter().flatten().map(|p| p.width()).sum()
    }

    /// The fields it is made of, most significant first.
    pub fn parts(&self) -> impl Iterator<Item = Placed> + '_ {
        self.parts.iter().flatten().copied()
    }

    /// Whether it names a register or part of one.
    pub fn is_register(&self) -> bool {
        use Kind::{Below, Displacement, Offset, Signed, Target, Unsigned};
        !matches!(self.kind, Unsigned | Signed | Displacement | Offset | Below | Target)
    }
}

/// Iterates over the operands in a row's `asm` column.
pub struct Operands {
    row: &'static Row,
    rest: &'static str,
    before: u8,
}

/// The operands of `row` in assembler order.
pub fn operands(row: &'static Row) -> Operands {
    Operands { row, rest: row.asm, before: 0 }
}

/// The operand of `row` that the `asm` column would call `name`, read only and with nothing before it. Fields that the
/// picture lacks have no part in it: an operand of which the row has no field is 0 bits wide.
pub fn named(row: &Row, name: &'static str) -> Operand {
    let (kind, scale) = DEFS.iter().find(|d| d.name == name).map_or((Kind::Unsigned, 0), |d| (d.kind, d.scale));
    let mut parts = [None; 3];
    for (slot, field) in parts.iter_mut().zip(fields(name)) {
        *slot = row.field(field);
    }
    Operand { kind, access: Access::Read, name, before: 0, parts, scale }
}

/// The names of the fields that the operand called `name` is made of, most significant first.
pub fn fields(name: &'static str) -> impl Iterator<Item = &'static str> {
    let def = DEFS.iter().find(|d| d.name == name);
    let plain = if def.is_none() { Some(name) } else { None };
    def.map_or(&[][..], |d| d.parts).iter().copied().chain(plain)
}

impl Iterator for Operands {
    type Item = Operand;

    fn next(&mut self) -> Option<Operand> {
        let text = self.rest.trim_end_matches(')');
        if text.is_empty() {
            return None;
        }
        let end = text.find([',', '(', ')']).unwrap_or(text.len());
        let (token, tail) = text.split_at(end);
        let before = self.before;
        let tail = tail.strip_prefix(')').unwrap_or(tail);
        self.before = tail.bytes().next().unwrap_or(0);
        self.rest = tail.get(1..).unwrap_or("");

        let (access, name) = match token.strip_prefix('=') {
            Some(name) => (Access::Write, name),
            None => token.strip_prefix('+').map_or((Access::Read, token), |name| (Access::ReadWrite, name)),
        };
        Some(Operand { access, before, ..named(self.row, name) })
    }
}
