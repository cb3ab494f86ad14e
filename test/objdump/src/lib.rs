//! Holds our disassembler against GNU objdump: every word of an ELF file's code, or words made from the table.
//!
//! objdump runs as a program; what it prints is compared line by line with [`ppc_isa::disassemble`], symbols and
//! white space aside. Lines that differ are grouped by mnemonic. Where objdump knows an instruction that the table
//! has no row for, that is not a difference but a gap, listed apart. [`known`] states where the two may differ, and
//! why. This crate judges text only; it says nothing about what instructions do.

pub mod known;
pub mod words;

use std::collections::BTreeMap;
use std::fmt;
use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::{Context, Result, bail, ensure};
use ppc_isa::{Cpu, Decoder, disassemble};

/// The program, from package binutils-powerpc64le-linux-gnu.
pub const OBJDUMP: &str = "powerpc64le-linux-gnu-objdump";

/// Lines of one mnemonic that differ.
#[derive(Default)]
pub struct Group {
    /// How many.
    pub count: u64,
    /// The first of them: address, word, their text, ours.
    pub first: Vec<(u64, u64, String, String)>,
}

/// What a comparison found.
#[derive(Default)]
pub struct Report {
    /// Lines that agree.
    pub agreeing: u64,
    /// Lines that differ for a reason stated in [`known`], by reason.
    pub known: BTreeMap<&'static str, u64>,
    /// Lines that differ, by objdump's mnemonic (ours where objdump prints `.long`).
    pub differing: BTreeMap<String, Group>,
    /// Instructions of objdump that the table has no row for, by mnemonic.
    pub missing: BTreeMap<String, u64>,
}

impl Report {
    /// Number of differing lines.
    pub fn differences(&self) -> u64 {
        self.differing.values().map(|g| g.count).sum()
    }

    fn line(&mut self, decoder: &Decoder, address: u64, word: u64, theirs: &str) {
        let ours = normal(&disassemble(decoder, address, word).to_string());
        if ours == theirs {
            self.agreeing += 1;
        } else if decoder.decode(word).is_none() {
            *self.missing.entry(mnemonic(theirs).to_owned()).or_default() += 1;
        } else if let Some(reason) = known::reason(decoder, word, theirs) {
            *self.known.entry(reason).or_default() += 1;
        } else {
            let name = mnemonic(if theirs.starts_with(".long") { &ours } else { theirs });
            let group = self.differing.entry(name.to_owned()).or_default();
            group.count += 1;
            if group.first.len() < 4 {
                group.first.push((address, word, theirs.to_owned(), ours));
            }
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let missing: u64 = self.missing.values().sum();
        writeln!(f, "{} lines agree, {} differ, {missing} have no row", self.agreeing, self.differences())?;
        for (reason, count) in &self.known {
            writeln!(f, "  known: {count} lines: {reason}")?;
        }
        let mut groups: Vec<_> = self.differing.iter().collect();
        groups.sort_by_key(|(_, g)| std::cmp::Reverse(g.count));
        for (name, group) in groups {
            writeln!(f, "  {name}: {} differ", group.count)?;
            for (address, word, theirs, ours) in &group.first {
                writeln!(f, "    {address:x}: {word:08x}  objdump `{theirs}`  ours `{ours}`")?;
            }
        }
        let mut missing: Vec<_> = self.missing.iter().collect();
        missing.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        if !missing.is_empty() {
            let list: Vec<_> = missing.iter().map(|(name, count)| format!("{name} {count}")).collect();
            writeln!(f, "  no row: {}", list.join(", "))?;
        }
        Ok(())
    }
}

/// Why a comparison cannot be made here, or `None` when it can.
pub fn unavailable() -> Option<String> {
    match Command::new(OBJDUMP).arg("--version").output() {
        Ok(_) => None,
        Err(error) if error.kind() == ErrorKind::NotFound => {
            Some(format!("{OBJDUMP} is not installed (package binutils-powerpc64le-linux-gnu)"))
        }
        Err(error) => Some(format!("{OBJDUMP} does not run: {error}")),
    }
}

/// objdump's option for the instructions of `cpu`; of the 750 it has the relatives only.
fn dialect(cpu: Cpu) -> &'static str {
    match cpu {
        Cpu::Power8 => "-Mpower8",
        Cpu::Power9 => "-Mpower9",
        Cpu::Power10 | Cpu::Power10Mma => "-Mpower10",
        Cpu::E5500 => "-Me5500",
        Cpu::E6500 => "-Me6500",
        Cpu::E500v2 => "-Me500",
        Cpu::Ppc603 => "-M603",
        Cpu::Ppc750 => "-M604",
        Cpu::Ppc7400 => "-M7400",
        Cpu::Ppc7450 => "-M7450",
    }
}

/// Compares the code of an ELF file of either endianness.
pub fn compare_elf(cpu: Cpu, path: &Path) -> Result<Report> {
    let mut ident = [0; 6];
    std::fs::File::open(path).and_then(|mut f| f.read_exact(&mut ident)).with_context(|| path.display().to_string())?;
    ensure!(ident.starts_with(b"\x7fELF"), "{} is no ELF file", path.display());
    let little = ident[5] == 1;
    let mut command = Command::new(OBJDUMP);
    command.args(["-d", dialect(cpu)]).arg(path);
    compare(cpu, command, little)
}

/// Compares `words`, prefixes in their high halves, laid out from address 0x10000 on.
pub fn compare_words(cpu: Cpu, words: &[u64]) -> Result<Report> {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let path = std::env::temp_dir().join(format!("objdump-words-{}-{number}", std::process::id()));
    let mut file = std::fs::File::create(&path)?;
    file.write_all(&laid_out(words))?;
    drop(file);
    let mut command = Command::new(OBJDUMP);
    let machine = if cpu.sixty_four() { "powerpc:common64" } else { "powerpc:common" };
    command.args(["-D", "-z", "-b", "binary", "-m", machine, "-EB", "--adjust-vma=0x10000", dialect(cpu)]).arg(&path);
    let report = compare(cpu, command, false);
    std::fs::remove_file(&path)?;
    report
}

/// The big-endian bytes of `words`. A prefixed instruction never crosses a boundary of 64 bytes: `nop` fills the gap.
fn laid_out(words: &[u64]) -> Vec<u8> {
    const NOP: u32 = 0x6000_0000;
    let mut bytes = Vec::with_capacity(words.len() * 4);
    for &word in words {
        if word >> 32 == 0 {
            bytes.extend((word as u32).to_be_bytes());
            continue;
        }
        if bytes.len() % 64 == 60 {
            bytes.extend(NOP.to_be_bytes());
        }
        bytes.extend(word.to_be_bytes());
    }
    bytes
}

fn compare(cpu: Cpu, mut command: Command, little: bool) -> Result<Report> {
    let decoder = Decoder::new(cpu);
    let mut report = Report::default();
    let mut child = command.stdout(Stdio::piped()).spawn().with_context(|| OBJDUMP)?;
    let Some(stdout) = child.stdout.take() else { bail!("{OBJDUMP} has no output") };
    let mut last: Option<(u64, u64, String)> = None;
    for line in BufReader::new(stdout).lines() {
        let Some((address, word, text)) = parse(&line?, little) else { continue };
        match (&mut last, text) {
            // What stands on a line of its own without text is the suffix of the instruction before it.
            (Some(last), None) => last.1 = last.1 << 32 | u64::from(word),
            (_, text) => {
                let line = text.map(|text| (address, word.into(), text));
                if let Some((address, word, text)) = std::mem::replace(&mut last, line) {
                    report.line(&decoder, address, word, &text);
                }
            }
        }
    }
    if let Some((address, word, text)) = last {
        report.line(&decoder, address, word, &text);
    }
    ensure!(child.wait()?.success(), "{OBJDUMP} failed");
    ensure!(report.agreeing > 0, "{OBJDUMP} printed no code");
    Ok(report)
}

/// Address, word and normal text, if any, of a line of the listing; `None` for headings, labels and elided zeros.
fn parse(line: &str, little: bool) -> Option<(u64, u32, Option<String>)> {
    let (address, rest) = line.split_once(":\t")?;
    let address = u64::from_str_radix(address.trim(), 16).ok()?;
    let (bytes, text) = rest.split_once('\t').map_or((rest, None), |(bytes, text)| (bytes, Some(text)));
    let mut word = 0;
    for byte in bytes.split_ascii_whitespace() {
        word = word << 8 | u32::from_str_radix(byte, 16).ok()?;
    }
    Some((address, if little { word.swap_bytes() } else { word }, text.map(normal)))
}

/// Text without symbols, with single spaces, and without the `0x` that objdump prints before a target far from any
/// symbol.
fn normal(text: &str) -> String {
    let text = text.split(" <").next().unwrap_or(text);
    let mut words = text.split_ascii_whitespace();
    match (words.next(), words.next()) {
        (Some(name), Some(operands)) if name != ".long" => format!("{name} {}", operands.replace("0x", "")),
        (Some(name), Some(operands)) => format!("{name} {operands}"),
        (name, _) => name.unwrap_or("").to_owned(),
    }
}

fn mnemonic(text: &str) -> &str {
    text.split(' ').next().unwrap_or(text)
}
