//! Guest instructions, plan and host code of each region, side by side.

use std::fmt::Write as _;
use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result};
use exec_jit::{Counts, Line, Region, Watcher, What};
use iced_x86::{Decoder, DecoderOptions, Formatter, GasFormatter};
use image::symbols::Symbols;
use ppc_isa::{Cpu, disassemble};

/// Columns of the guest's side.
const LEFT: usize = 64;
/// Numbers of the host's registers as the dump names them.
const REGISTERS: [&str; 16] =
    ["rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15"];

/// The file, with what its text is made by.
pub struct Dump {
    file: File,
    symbols: Arc<Symbols>,
    decoder: ppc_isa::Decoder,
    /// Of which functions; `*` stands for anything.
    only: Option<String>,
}

impl Dump {
    /// To the file at `path`, of code for `cpu`, that of the functions `only`.
    ///
    /// # Errors
    /// When it cannot be created.
    pub fn new(path: &Path, only: Option<String>, cpu: Cpu, symbols: Arc<Symbols>) -> Result<Dump> {
        let file = File::create(path).with_context(|| format!("POWERVISOR_JIT_DUMP={}", path.display()))?;
        Ok(Dump { file, symbols, decoder: ppc_isa::Decoder::new(cpu), only })
    }

    fn region(&self, region: &Region, at: u64, name: &str) -> String {
        let mut out = String::new();
        let kind = if region.is_loop { "loop" } else { "trace" };
        let (count, bytes) = (region.lines.len(), region.code.len());
        let page = region.page;
        let _ = writeln!(out, "{kind} {at:016x} {name}, real page {page:x}: {count} instructions, {bytes} bytes");
        let held: Vec<_> =
            region.held.iter().map(|&(guest, host)| format!("{} {}", named(guest), register(host))).collect();
        if !held.is_empty() {
            let _ = writeln!(out, "held: {}", held.join(", "));
        }
        let code = |from: usize, to: usize| region.code.get(from..to).unwrap_or(&[]);
        let starts = region.lines.iter().map(|line| line.at).chain([region.behind]);
        let first = starts.clone().next().unwrap_or(region.behind);
        if first > 0 {
            beside(&mut out, &["before".into()], region.code_at, code(0, first));
        }
        let mut block = None;
        for (line, end) in region.lines.iter().zip(starts.skip(1)) {
            if block.replace(line.block) != Some(line.block) {
                let _ = writeln!(out, "block {}", line.block);
            }
            let left = [self.insn(line), plan(line)];
            beside(&mut out, &left, region.code_at + line.at as u64, code(line.at, end));
        }
        let (behind, at) = (code(region.behind, region.code.len()), region.code_at + region.behind as u64);
        if !behind.is_empty() {
            beside(&mut out, &["behind".into()], at, behind);
        }
        out.push('\n');
        out
    }

    fn insn(&self, line: &Line) -> String {
        let text = disassemble(&self.decoder, line.ea, line.word.into()).to_string();
        let words: Vec<&str> = text.split_whitespace().collect();
        format!("{:016x} {}", line.ea, words.join(" "))
    }
}

/// Lines of `left` beside the instructions of `code`, as many as there are of either.
fn beside(out: &mut String, left: &[String], at: u64, code: &[u8]) {
    let (mut left, mut host) = (left.iter(), GasFormatter::new());
    for insn in Decoder::with_ip(64, code, at, DecoderOptions::NONE).iter() {
        let mut text = String::new();
        host.format(&insn, &mut text);
        let left = left.next().map_or("", String::as_str);
        if left.len() > LEFT {
            let _ = writeln!(out, "{left}\n{:LEFT$} {:x} {text}", "", insn.ip());
        } else {
            let _ = writeln!(out, "{left:LEFT$} {:x} {text}", insn.ip());
        }
    }
    left.for_each(|left| out.extend([left, "\n"]));
}

/// What the plan says of an instruction.
fn plan(line: &Line) -> String {
    let what = match line.what {
        What::Translated => "",
        What::Declined => "declined ",
        What::Privileged => "privileged ",
        What::Access | What::Interpreted | What::Cold => "interpreted ",
    };
    let op = line.op.map_or(String::new(), |op| format!("{op:?} "));
    format!("    {what}{op}live: {}", line.live)
}

/// A guest register by its number in a region.
fn named(register: usize) -> String {
    match register {
        32 => "ctr".into(),
        33 => "lr".into(),
        number => format!("r{number}"),
    }
}

fn register(number: u8) -> &'static str {
    REGISTERS.get(usize::from(number)).unwrap_or(&"?")
}

impl Watcher for Dump {
    fn entry(&mut self, _: u64, _: usize) {}

    fn translated(&mut self, region: &Region<'_>) {
        let at = region.lines.first().map_or(0, |line| line.ea);
        let name = super::place(&self.symbols, at, region.problem);
        let function = name.split('+').next().unwrap_or(&name);
        if self.only.as_ref().is_none_or(|only| crate::pattern::matches(only, function)) {
            let text = self.region(region, at, &name);
            // A full disk spoils the dump, not the guest.
            let _ = self.file.write_all(text.as_bytes());
        }
    }

    fn counted(&mut self, _: &Counts) {}
}
