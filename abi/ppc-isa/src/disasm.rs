//! From a word to text, as GNU `objdump -d -Mpower9` (or `-Mpower8`) prints it.
//!
//! A row's own name and `asm` column give the basic form; the tables in [`forms`] give the simplified mnemonics and
//! the forms that objdump rejects, and [`sprs`] the names it knows for special purpose registers. A word that is no
//! instruction of the model, or has a reserved bit set, prints as `.long`. Branch targets are absolute addresses
//! without symbols. Nothing here allocates; nothing here is needed to run an instruction.

mod forms;
mod sprs;

use core::fmt::{self, Display, Formatter, Write};

use crate::Decoder;
use crate::Row;
use crate::cpu::Cpu;
use crate::field::FLAGS;
use crate::operand::{Kind, named};
use forms::{FORMS, Form};

/// The instruction `word`, a prefix in its high half, at `address` in the syntax of GNU objdump, mnemonic padded as
/// there.
pub fn disassemble(decoder: &Decoder, address: u64, word: u64) -> impl Display {
    let row = decoder.decode(word).filter(|row| word & row.reserved == 0);
    Text { word, view: row.map(|row| View { row, cpu: decoder.cpu(), address, word }) }
}

struct Text {
    word: u64,
    view: Option<View>,
}

impl Display for Text {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.view.as_ref().map(|view| (view, view.form())) {
            Some((view, (name, asm))) if name != forms::INVALID => {
                let mut out = Columns { f, column: 0 };
                view.mnemonic(name, &mut out)?;
                view.operands(asm, &mut out)
            }
            _ => write!(f, ".long 0x{:x}", self.word),
        }
    }
}

/// Counts what it passes on, to find the column where operands start.
struct Columns<'a, 'b> {
    f: &'a mut Formatter<'b>,
    column: usize,
}

impl Write for Columns<'_, '_> {
    fn write_str(&mut self, s: &str) -> fmt::Result {
        self.column += s.len();
        self.f.write_str(s)
    }
}

/// A word seen through its row.
struct View {
    row: &'static Row,
    cpu: Cpu,
    address: u64,
    word: u64,
}

const CONDITION: [&str; 4] = ["lt", "gt", "eq", "so"];
const NEGATED: [&str; 4] = ["ge", "le", "ne", "ns"];

/// Names of the TO values that have one (Book I, appendix C.5).
const TRAP: [&str; 32] = [
    "", "lgt", "llt", "", "eq", "lge", "lle", "", "gt", "", "", "", "ge", "", "", "", "lt", "", "", "", "le", "", "",
    "", "ne", "", "", "", "", "", "", "u",
];

impl View {
    /// Name and operand template: of the first form that applies, else the row's own.
    fn form(&self) -> (&'static str, &'static str) {
        let form = FORMS.iter().find(|form| self.takes(form));
        form.map_or((self.row.name, self.row.asm), |form| (form.name, form.asm))
    }

    fn takes(&self, form: &Form) -> bool {
        form.rows.split(' ').any(|name| name == self.row.name)
            && form.when.split_ascii_whitespace().all(|term| self.holds(term))
            && form.name.chars().all(|c| !self.placeholder(c).is_some_and(str::is_empty))
    }

    /// Whether `a=b`, `a!=b` or `a>=b` holds.
    fn holds(&self, term: &'static str) -> bool {
        let sides = |sign| term.split_once(sign).map(|(a, b)| (self.value(a), self.value(b)));
        if let Some((a, b)) = sides("!=") {
            return a != b;
        }
        if let Some((a, b)) = sides(">=") {
            return a >= b;
        }
        sides("=").is_some_and(|(a, b)| a == b)
    }

    /// The value of an expression of [`forms`].
    fn value(&self, expression: &'static str) -> i64 {
        let number = |n: &str| n.parse::<i64>().unwrap_or(0);
        if let Some((n, rest)) = expression.split_once('-') {
            return number(n) - self.value(rest);
        }
        if let Some(rest) = expression.strip_prefix('#') {
            return i64::from(self.value(rest).count_ones());
        }
        if let Some((rest, n)) = expression.split_once('&') {
            return self.value(rest) & number(n);
        }
        if let Some((rest, n)) = expression.split_once(">>") {
            return self.value(rest) >> number(n);
        }
        if expression.starts_with(|c: char| c.is_ascii_digit()) {
            return number(expression);
        }
        match expression {
            "ISA" => i64::from(self.cpu.level()),
            "WIDE" => i64::from(self.cpu.sixty_four()),
            _ => named(self.row, expression).get(self.word),
        }
    }

    /// What a character of a form's name stands for, if it stands for anything; empty when there is no such name.
    fn placeholder(&self, c: char) -> Option<&'static str> {
        let pick = |names: &[&'static str], index: i64| names.get(index as usize).copied().unwrap_or("");
        match c {
            '?' => Some(pick(&CONDITION, self.value("BI&3"))),
            '!' => Some(pick(&NEGATED, self.value("BI&3"))),
            '^' => Some(pick(&TRAP, self.value("TO"))),
            '%' => Some(sprs::name(self.value("SPR"), self.row.field("RS").is_some(), self.cpu)),
            _ => None,
        }
    }

    /// The name with its placeholders filled in; the suffixes of the flag fields stand before a branch hint.
    fn mnemonic(&self, name: &str, out: &mut impl Write) -> fmt::Result {
        let plain = name.trim_end_matches(['+', '-', '$']);
        for c in plain.chars() {
            match c {
                '<' => out.write_str(self.row.name.get(..2).unwrap_or(""))?,
                '*' => out.write_str(self.row.name.get(2..).unwrap_or(""))?,
                _ => match self.placeholder(c) {
                    Some(text) => out.write_str(text)?,
                    None => out.write_char(c)?,
                },
            }
        }
        for &(field, suffix) in FLAGS {
            if self.row.field(field).is_some_and(|f| f.get(self.word) == 1) {
                out.write_char(suffix)?;
            }
        }
        match name.get(plain.len()..).unwrap_or("") {
            "$" => out.write_char(self.prediction()),
            hint => out.write_str(hint),
        }
    }

    /// Whether a branch is predicted to be taken (`+`) where BO has the y bit: backward unless it is 1.
    fn prediction(&self) -> char {
        let backward = i64::from(self.value("BD") < 0);
        if self.value("BO&1") != backward { '+' } else { '-' }
    }

    /// Prints the operands of the template `asm`: those in brackets are left out when they and all bracketed ones
    /// after them are 0.
    fn operands(&self, asm: &'static str, out: &mut Columns<'_, '_>) -> fmt::Result {
        let mut rest = asm;
        let mut optional = false;
        let mut first = true;
        let mut before = ' ';
        while let Some(c) = rest.chars().next() {
            match c {
                '[' => optional = true,
                ']' => optional = false,
                ',' | '(' => before = c,
                ')' => out.write_char(c)?,
                _ => {
                    let end = rest.find([',', '(', ')', '[', ']']).unwrap_or(rest.len());
                    let (token, tail) = rest.split_at(end);
                    if !(optional && self.all_zero(rest)) {
                        match first {
                            true => write!(out, "{:1$}", "", 8usize.saturating_sub(out.column).max(1))?,
                            false => out.write_char(before)?,
                        }
                        self.operand(token.trim_start_matches(['=', '+']), out)?;
                        first = false;
                    }
                    rest = tail;
                    continue;
                }
            }
            rest = rest.get(1..).unwrap_or("");
        }
        Ok(())
    }

    /// Whether every operand from here to the end of the brackets is 0.
    fn all_zero(&self, rest: &'static str) -> bool {
        let tokens = rest.split(']').next().unwrap_or("").split(',').filter(|token| !token.is_empty());
        tokens.map(|token| token.split_once('~').map_or(token, |t| t.1)).all(|token| self.value(token) == 0)
    }

    fn operand(&self, token: &'static str, out: &mut impl Write) -> fmt::Result {
        if let Some((prefix, expression)) = token.split_once('~') {
            return write!(out, "{prefix}{}", self.value(expression));
        }
        let value = self.value(token);
        match named(self.row, token).kind {
            Kind::GprOrZero if value == 0 => out.write_char('0'),
            Kind::Gpr | Kind::GprOrZero => write!(out, "r{value}"),
            Kind::GprPair => write!(out, "r{}", value & !1),
            Kind::Fpr => write!(out, "f{value}"),
            // objdump passes over the last bit of a pair that is read.
            Kind::FprPair => write!(out, "f{}", value & !1),
            Kind::Vr => write!(out, "v{value}"),
            Kind::Vsr | Kind::VsrPair => write!(out, "vs{value}"),
            Kind::Accumulator => write!(out, "a{value}"),
            Kind::CrField => write!(out, "cr{value}"),
            Kind::CrBit => {
                if value > 3 {
                    write!(out, "4*cr{}+", value >> 2)?;
                }
                out.write_str(CONDITION.get(value as usize & 3).copied().unwrap_or(""))
            }
            Kind::Target => {
                let absolute = self.row.field("AA").is_some_and(|f| f.get(self.word) == 1);
                let base = if absolute { 0 } else { self.address };
                let target = base.wrapping_add_signed(value);
                write!(out, "0x{:x}", if self.cpu.sixty_four() { target } else { target & 0xffff_ffff })
            }
            Kind::Unsigned | Kind::Signed | Kind::Displacement | Kind::Offset | Kind::Below | Kind::Spr => {
                write!(out, "{value}")
            }
        }
    }
}

#[cfg(test)]
mod tests;
