//! The text format of processor tests: initial state, code, expected state, what is not compared.
//!
//! ```text
//! # A comment.
//! cpu power9
//! endian big
//! slot 0
//! code
//!   7c642a14  # add 3,4,5
//! before
//!   r4 0000000000000001
//!   data+010 000102030405060708090a0b0c0d0e0f
//! after
//!   ends done 1
//!   r3 0000000000000001
//! ignore
//!   r3 ffffffff00000000
//! ```
//!
//! Numbers are hexadecimal but for the slot and the word count behind `ends`. Before, what is not named is zero; after,
//! it is as before; in `ignore`, bits set are not compared. A file holds one test.

use std::fmt::Write;

use anyhow::{Context, Result, bail, ensure};
use guest_mem::Order;
use ppc_isa::field::FLAGS;
use ppc_isa::{Cpu, Decoder};

use crate::case::{Case, DATA_BYTES, Difference, Ending, MAX_WORDS, Outcome, SLOTS, State, differences, reg};

/// Bytes on a line of data.
const LINE: usize = 16;

/// A case with what it must become.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Test {
    /// The first lines, without their `#`.
    pub comment: String,
    /// What is run.
    pub case: Case,
    /// What it must become.
    pub expected: Outcome,
    /// Bits that are not compared.
    pub ignore: State,
}

impl Test {
    /// Where an engine's outcome is not as expected.
    pub fn check(&self, found: &Outcome) -> Vec<Difference> {
        differences(&self.expected, found, &self.ignore)
    }

    /// The test as text.
    pub fn print(&self) -> String {
        let mut out = String::new();
        for line in self.comment.lines() {
            let _ = writeln!(out, "# {line}");
        }
        let case = &self.case;
        let endian = if case.order == Order::Big { "big" } else { "little" };
        let _ = writeln!(out, "cpu {}\nendian {endian}\nslot {}\ncode", case.cpu.name(), case.slot);
        let decoder = Decoder::new(case.cpu);
        for &word in &case.words {
            let _ = writeln!(out, "  {word:08x}  # {}", disassemble(&decoder, word));
        }
        let zero = State::default();
        let _ = writeln!(out, "before");
        print_state(&mut out, &zero, &case.before);
        let _ = writeln!(out, "after\n  ends {} {}", self.expected.ending.name(), self.expected.at);
        print_state(&mut out, &case.before, &self.expected.after);
        if self.ignore != zero {
            let _ = writeln!(out, "ignore");
            print_state(&mut out, &zero, &self.ignore);
        }
        out
    }

    /// The test that `text` holds.
    ///
    /// # Errors
    /// With the number of the line that is not understood.
    pub fn parse(text: &str) -> Result<Test> {
        let mut test = Test {
            comment: String::new(),
            case: Case { cpu: Cpu::Power8, order: Order::Big, slot: 0, words: Vec::new(), before: State::default() },
            expected: Outcome { after: State::default(), ending: Ending::Done, at: 0 },
            ignore: State::default(),
        };
        let mut section = "";
        for (i, line) in text.lines().enumerate() {
            if let Some(comment) = line.strip_prefix('#') {
                test.comment += &format!("{}\n", comment.trim());
                continue;
            }
            let line = line.split('#').next().unwrap_or("");
            let at = || format!("line {}: {line}", i + 1);
            if line.starts_with(' ') {
                test.entry(section, line.trim()).with_context(at)?;
            } else if let Some(name) = test.head(line).with_context(at)? {
                section = name;
            }
        }
        Ok(test)
    }

    /// Reads a line without indentation: a setting, or the name of a section, which is returned.
    fn head(&mut self, line: &str) -> Result<Option<&'static str>> {
        let (key, value) = line.split_once(' ').unwrap_or((line, ""));
        match key {
            "" => {}
            "cpu" => self.case.cpu = Cpu::from_name(value).context("no such CPU")?,
            "endian" if value == "big" => self.case.order = Order::Big,
            "endian" if value == "little" => self.case.order = Order::Little,
            "slot" => {
                self.case.slot = value.parse()?;
                ensure!(self.case.slot < SLOTS, "no such slot");
            }
            "code" => return Ok(Some("code")),
            "before" => return Ok(Some("before")),
            "after" => {
                self.expected.after = self.case.before.clone();
                return Ok(Some("after"));
            }
            "ignore" => return Ok(Some("ignore")),
            _ => bail!("unknown setting"),
        }
        Ok(None)
    }

    fn entry(&mut self, section: &str, line: &str) -> Result<()> {
        let state = match section {
            "before" => &mut self.case.before,
            "after" => &mut self.expected.after,
            "ignore" => &mut self.ignore,
            "code" => {
                self.case.words.push(u64::from_str_radix(line, 16)?);
                ensure!(self.case.code().count() <= MAX_WORDS, "too many words");
                return Ok(());
            }
            _ => bail!("an entry outside any section"),
        };
        let (name, value) = line.split_once(' ').context("a name without a value")?;
        if name == "ends" {
            let (how, at) = value.split_once(' ').context("where does it end")?;
            let ending = Ending::NAMES.iter().find(|(_, n)| *n == how).context("no such ending")?;
            (self.expected.ending, self.expected.at) = (ending.0, at.parse()?);
        } else if let Some(offset) = name.strip_prefix("data+") {
            let offset = usize::from_str_radix(offset, 16)?;
            ensure!(value.is_ascii() && value.len() % 2 == 0, "half a byte");
            let bytes = (0..value.len()).step_by(2).map(|i| u8::from_str_radix(&value[i..i + 2], 16));
            let bytes = bytes.collect::<Result<Vec<u8>, _>>()?;
            let area = state.data.get_mut(offset..).and_then(|d| d.get_mut(..bytes.len()));
            area.context("outside the data area")?.copy_from_slice(&bytes);
        } else {
            let index = reg::index(name).context("no such register")?;
            state.reg[index] = u64::from_str_radix(value, 16)?;
        }
        Ok(())
    }
}

/// Prints what differs from `base`.
fn print_state(out: &mut String, base: &State, state: &State) {
    for i in (0..reg::COUNT).filter(|&i| state.reg[i] != base.reg[i]) {
        let _ = writeln!(out, "  {} {:016x}", reg::name(i), state.reg[i]);
    }
    for at in (0..DATA_BYTES).step_by(LINE) {
        let bytes = &state.data[at..at + LINE];
        if bytes != &base.data[at..at + LINE] {
            let hex = bytes.iter().fold(String::new(), |hex, b| hex + &format!("{b:02x}"));
            let _ = writeln!(out, "  data+{at:03x} {hex}");
        }
    }
}

/// The name and operands of a word.
pub fn disassemble(decoder: &Decoder, word: u64) -> String {
    let Some(row) = decoder.decode(word) else { return "(no instruction)".to_string() };
    let values: Vec<String> = ppc_isa::operand::operands(row).map(|o| format!("{}={}", o.name, o.get(word))).collect();
    let flags = FLAGS.iter().map(|f| f.0).filter(|name| row.field(name).is_some_and(|f| f.get(word) == 1));
    let flags: Vec<&str> = flags.collect();
    format!("{} {} {}", row.name, values.join(","), flags.join(" ")).trim_end().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_comes_back() {
        let mut test = Test::parse("# Why.\ncpu power9\nendian little\nslot 3\ncode\n  7c642a14\n").unwrap();
        test.case.before.reg[4] = 5;
        test.case.before.data[17] = 6;
        test.expected.after = test.case.before.clone();
        test.expected.after.reg[3] = 5;
        test.expected.after.reg[reg::VSR + 127] = 1;
        test.expected.after.reg[reg::HIGH + 31] = 1;
        test.expected.ending = Ending::Trap;
        test.ignore.reg[reg::XER] = 0xff;
        let text = test.print();
        assert_eq!(Test::parse(&text).unwrap(), test, "{text}");
    }

    #[test]
    fn nonsense_is_refused() {
        for text in ["cpu 6502", "before\n  r32 0", "before\n  data+1ff 0000", "  r1 0", "slot 5000", "code\n  zz"] {
            assert!(Test::parse(text).is_err(), "{text}");
        }
    }
}
