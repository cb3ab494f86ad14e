//! `objdump [--cpu MODEL] [--words COUNT] [--any COUNT] [--opcodes] [ELF...]`: prints how our disassembly and that of GNU objdump agree.

use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use objdump::{compare_elf, compare_words, unavailable, words};
use ppc_isa::{Cpu, Decoder};

fn main() -> Result<()> {
    if let Some(reason) = unavailable() {
        bail!(reason);
    }
    let mut cpu = Cpu::Power9;
    let mut differences = 0;
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        let report = match arg.as_str() {
            "--cpu" => {
                cpu = args.next().as_deref().and_then(Cpu::from_name).context("--cpu wants a model's name")?;
                continue;
            }
            "--words" => {
                let count = args.next().and_then(|n| n.parse().ok()).context("--words wants a number")?;
                compare_words(cpu, &words::of_rows(&Decoder::new(cpu), count, 1))?
            }
            "--any" => {
                let count = args.next().and_then(|n| n.parse().ok()).context("--any wants a number")?;
                compare_words(cpu, &words::any(count, 1))?
            }
            "--opcodes" => compare_words(cpu, &words::of_opcodes(1))?,
            _ => compare_elf(cpu, &PathBuf::from(&arg))?,
        };
        println!("{} {arg}: {report}", cpu.name());
        differences += report.differences();
    }
    if differences > 0 {
        bail!("{differences} lines differ");
    }
    Ok(())
}
