//! `powervisor patch`: what a kernel that patches itself for the magic page would rewrite, without running it.
//!
//! The patcher is the guests' own, let loose on a copy of the file. Code is what lies between `_stext` and `_etext`, as
//! for Linux, less Linux's own templates; without these symbols it is all that the file loads.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::io::{self, Write as _};
use std::ops::Range;

use anyhow::{Context, Result};
use image::elf::{self, Class, Kernel, Order};
use image::symbols::Symbols;
use ppc_isa::decode::Decoder;
use ppc_isa::row::fact;
use ppc_isa::{Cpu, disasm};
use pv_abi::rewrite::{self, Action, Build, ROWS};
use pv_guest::code::{Bytes, Code, Region};
use pv_guest::patch::{Outcome, Patcher, Reason, Site, Trampoline};
use serde_json::{Value, json};

use crate::cli::PatchFlags;
use crate::symbols;

/// Room for sections behind the code: as much as a branch of the hungriest kernel can need.
const ROOM: usize = 8 << 20;
/// Room that Linux 6.1 has for sections.
const LINUX_ROOM: usize = 64 << 10;

/// Prints the report.
///
/// # Errors
/// Files that cannot be read, and output that cannot be written. A reader that went away is none.
pub fn patch(flags: &PatchFlags) -> Result<u8> {
    let path = flags.kernel.display();
    let data = fs::read(&flags.kernel).with_context(|| format!("--kernel {path}"))?;
    let kernel = elf::read(&data).with_context(|| format!("--kernel {path}"))?;
    let symbols = symbols::of_file(&kernel, &data, Some(&flags.kernel), flags.symbols.as_deref())?;
    let found = look(&kernel, &data, &symbols, flags);
    let text = if flags.json {
        format!("{:#}\n", found.as_json(&symbols, flags.list))
    } else {
        let mut text = String::new();
        found.as_text(&mut text, &symbols, flags.list)?;
        text
    };
    match io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error).context("standard output"),
        _ => Ok(0),
    }
}

/// What the patcher did to the copy.
struct Found {
    /// Width and byte order of the file.
    file: String,
    cpu: Cpu,
    build: Build,
    /// How the family was told.
    because: String,
    /// Addresses of the code, and how they were told.
    code: Range<u64>,
    bounded: bool,
    words: usize,
    sites: Vec<Site>,
    /// Privileged instructions that have no row, by name.
    others: BTreeMap<&'static str, u32>,
    /// Bytes of sections.
    trampoline: usize,
}

/// A run of code of the file.
fn region<'a>(kernel: &Kernel, data: &'a [u8], start: u64, file: Range<usize>) -> Region<Bytes<Vec<u8>>> {
    let bytes: &'a [u8] = data.get(file).unwrap_or(&[]);
    let code = match kernel.order {
        Order::Big => Bytes::big_endian(bytes.to_vec()),
        Order::Little => Bytes::little_endian(bytes.to_vec()),
    };
    Region { code, address: start }
}

fn words(region: &Region<Bytes<Vec<u8>>>) -> impl Iterator<Item = u32> {
    (0..region.code.word_count()).filter_map(|index| region.code.word(index))
}

fn look(kernel: &Kernel, data: &[u8], symbols: &Symbols, flags: &PatchFlags) -> Found {
    let range = |start: &str, end: &str| Some(symbols.address(start)?..symbols.address(end)?);
    let text = range("_stext", "_etext").filter(|text| !text.is_empty());
    let all = kernel.segments.iter().map(|s| s.virtual_..s.virtual_.saturating_add(s.file.len() as u64));
    let code = text.clone().unwrap_or_else(|| {
        let start = all.clone().map(|range| range.start).min().unwrap_or(0);
        start..all.clone().map(|range| range.end).max().unwrap_or(0)
    });
    let mut regions: Vec<_> = kernel
        .segments
        .iter()
        .zip(all)
        .filter_map(|(segment, range)| {
            let (start, end) = (range.start.max(code.start), range.end.min(code.end));
            let from = segment.file.start + usize::try_from(start.checked_sub(range.start)?).ok()?;
            let len = usize::try_from(end.checked_sub(start)?).ok()?;
            Some(region(kernel, data, start, from..from.checked_add(len)?))
        })
        .collect();

    let (cpu, because) = flags.cpu.map_or_else(|| told(kernel, &regions), |cpu| (cpu, "as --cpu says".into()));
    let build = hv_pv::patched::build(cpu);
    let decoder = Decoder::new(cpu);
    let privileged = |word: u32| {
        let row = decoder.decode(word.into()).filter(|row| row.is(fact::PRIV))?;
        rewrite::find(word, build).is_none().then_some(row.name)
    };
    let mut others = BTreeMap::new();
    for name in regions.iter().flat_map(words).filter_map(privileged) {
        *others.entry(name).or_insert(0) += 1;
    }

    // What stands in both stays as it is: Linux's templates, and the room that it copies them to.
    let templates: Vec<_> = range("kvm_template_start", "kvm_template_end").into_iter().collect();
    // Linux's interrupt vectors run from a copy at address 0 when the kernel is elsewhere.
    let copied: Vec<_> = range("_stext", "__end_interrupts").filter(|_| build == Build::Book3s64).into_iter().collect();
    let patcher = Patcher { build, features: flags.features, exclude: &templates, copied: &copied };
    // Behind the last byte of the address space comes the first, for branches too.
    let at = code.end.checked_next_multiple_of(4).unwrap_or(0);
    let mut trampoline = Trampoline::new(Region { code: Bytes::big_endian(vec![0; ROOM]), address: at });
    let (mut sites, mut words) = (Vec::new(), 0);
    for region in &mut regions {
        let excluded = Outcome::Skipped(Reason::Excluded);
        let report = patcher.run(region, &mut trampoline, |site| {
            if site.outcome != excluded {
                sites.push(*site);
            }
        });
        words += report.words;
    }
    let (width, order) = (
        if kernel.class == Class::Elf32 { "32-bit" } else { "64-bit" },
        if kernel.order == Order::Big { "big-endian" } else { "little-endian" },
    );
    let trampoline = 4 * trampoline.used();
    let file = format!("{width} {order}");
    Found { file, cpu, build, because, code, bounded: text.is_some(), words, sites, others, trampoline }
}

/// A CPU that stands for the kernel's family, and why: what it has more of, instructions of Book3S alone or of BookE
/// alone. Data may look like a few of either.
fn told(kernel: &Kernel, regions: &[Region<Bytes<Vec<u8>>>]) -> (Cpu, String) {
    let (book3s, booke, [classic, embedded]) = match kernel.class {
        Class::Elf32 => (Build::Book3s32, Build::BookE32, [Cpu::Ppc7400, Cpu::E500v2]),
        Class::Elf64 => (Build::Book3s64, Build::BookE64, [Cpu::Power9, Cpu::E5500]),
    };
    let (mut of_book3s, mut of_booke) = (0_usize, 0_usize);
    for word in regions.iter().flat_map(words) {
        match (rewrite::find(word, book3s), rewrite::find(word, booke)) {
            (Some(_), None) => of_book3s += 1,
            (None, Some(_)) => of_booke += 1,
            _ => {}
        }
    }
    let cpu = if of_booke > of_book3s { embedded } else { classic };
    (
        cpu,
        format!("it has {of_book3s} instructions of Book3S alone and {of_booke} of BookE alone; --cpu says otherwise"),
    )
}

fn family(build: Build) -> &'static str {
    match build {
        Build::Book3s32 => "32-bit Book3S",
        Build::Book3s64 => "64-bit Book3S",
        Build::BookE32 => "32-bit BookE",
        Build::BookE64 => "64-bit BookE",
    }
}

fn reason(reason: Reason) -> &'static str {
    match reason {
        Reason::Feature => "the page lacks the feature",
        Reason::Excluded => "excluded",
        Reason::Copied => "runs from a copy elsewhere: no branches there",
        Reason::NoSpace => "no room for its section",
        Reason::TooFar => "more than 32 MiB from the sections",
    }
}

/// What became of the places of one row.
#[derive(Default)]
struct Tally {
    rewritten: u32,
    left: BTreeMap<&'static str, u32>,
}

impl Found {
    /// Rows that occur, in the table's order; two rows of one name, as of mfpir, never apply to one build.
    fn rows(&self) -> Vec<(&'static str, String, Tally)> {
        let tally = |name: &str| {
            let mut tally = Tally::default();
            for site in self.sites.iter().filter(|site| site.row.name == name) {
                match site.outcome {
                    Outcome::Replaced(_) | Outcome::Section(_) => tally.rewritten += 1,
                    Outcome::Skipped(why) => *tally.left.entry(reason(why)).or_default() += 1,
                }
            }
            tally
        };
        let names: BTreeSet<_> = self.sites.iter().map(|site| site.row.name).collect();
        let rows = ROWS.iter().filter(|row| row.builds.has(self.build) && names.contains(row.name));
        rows.map(|row| (row.name, self.becomes(row.action), tally(row.name))).collect()
    }

    fn becomes(&self, action: Action) -> String {
        let decoder = Decoder::new(self.cpu);
        let show = |word| disasm::disassemble(&decoder, 0, word).to_string().replace("r0,", "rX,");
        match action {
            Action::Load(place) => show(place.load(0, self.build).into()),
            Action::Store(place) => show(place.store(0, self.build).into()),
            Action::Nop => "nop".into(),
            Action::Section(section) => format!("section {} of {} words", section.letter, section.word_count()),
        }
    }

    fn total(&self) -> u32 {
        self.rows().iter().map(|(_, _, tally)| tally.rewritten).sum()
    }

    fn as_text(&self, text: &mut String, symbols: &Symbols, list: bool) -> std::fmt::Result {
        writeln!(text, "kernel   {}, for {}: {}", self.file, family(self.build), self.because)?;
        let told = if self.bounded { "from _stext to _etext" } else { "all that is loaded, for want of symbols" };
        writeln!(text, "code     {:#x} to {:#x}, {told}; {} words", self.code.start, self.code.end, self.words)?;
        writeln!(text, "\n{:<12} {:>9} {:>7}  becomes", "instruction", "rewritten", "left")?;
        for (name, becomes, tally) in self.rows() {
            let left: u32 = tally.left.values().sum();
            write!(text, "{name:<12} {:>9} {left:>7}  {becomes}", tally.rewritten)?;
            for (why, count) in &tally.left {
                write!(text, "; {count} left: {why}")?;
            }
            writeln!(text)?;
        }
        writeln!(text, "{:<12} {:>9} {:>7}", "total", self.total(), self.sites.len() as u32 - self.total())?;
        writeln!(text, "\nsections take {} bytes; Linux 6.1 has room for {LINUX_ROOM}", self.trampoline)?;
        if !self.others.is_empty() {
            let others: Vec<_> = self.others.iter().map(|(name, count)| format!("{name} {count}")).collect();
            writeln!(text, "privileged, but never rewritten: {}", others.join(", "))?;
        }
        if list {
            let decoder = Decoder::new(self.cpu);
            writeln!(text)?;
            for site in &self.sites {
                let before = disasm::disassemble(&decoder, site.address, site.word.into()).to_string();
                let after = match site.outcome {
                    Outcome::Replaced(word) => disasm::disassemble(&decoder, site.address, word.into()).to_string(),
                    Outcome::Section(at) => format!("section at {at:#x}"),
                    Outcome::Skipped(why) => format!("left: {}", reason(why)),
                };
                let place = symbols.find(site.address).map(|(name, offset)| format!("  {name}+{offset:#x}"));
                writeln!(text, "{:x}  {before:<24} {after}{}", site.address, place.unwrap_or_default())?;
            }
        }
        Ok(())
    }

    fn as_json(&self, symbols: &Symbols, list: bool) -> Value {
        let row = |(name, becomes, tally): (&str, String, Tally)| json!({ "instruction": name, "becomes": becomes, "rewritten": tally.rewritten, "left": tally.left });
        let mut value = json!({
            "kernel": { "file": self.file, "family": family(self.build), "because": self.because },
            "code": { "start": self.code.start, "end": self.code.end, "from_symbols": self.bounded, "words": self.words },
            "rows": self.rows().into_iter().map(row).collect::<Vec<_>>(),
            "rewritten": self.total(),
            "section_bytes": self.trampoline,
            "never_rewritten": self.others,
        });
        if list {
            let site = |site: &Site| {
                let (after, section, left) = match site.outcome {
                    Outcome::Replaced(word) => (Some(word), None, None),
                    Outcome::Section(at) => (None, Some(at), None),
                    Outcome::Skipped(why) => (None, None, Some(reason(why))),
                };
                json!({
                    "address": site.address, "word": site.word, "instruction": site.row.name, "becomes": after,
                    "section": section, "left": left, "symbol": symbols.find(site.address),
                })
            };
            value["sites"] = self.sites.iter().map(site).collect();
        }
        value
    }
}
