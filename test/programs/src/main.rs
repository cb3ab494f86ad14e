//! Compiled C programs on our engines, held against the same programs on this host.
//!
//! Every program of `c/` is compiled for each CPU model by GCC at several levels of optimization, runs on a bare
//! machine, and prints a hash for each of its parts; the host's own compiler says what they must be. Fails when a hash
//! differs, or a program does not come to its end.

mod build;
mod guest;
mod target;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::{fs, thread};

use anyhow::{Context as _, Result, anyhow};
use build::{Level, SOURCES};
use clap::Parser;
use ppc_isa::Cpu;
use target::{TARGETS, Target};

/// Compare compiled programs on our engines with the host.
#[derive(Parser)]
struct Arguments {
    /// CPU model; every one when absent.
    #[arg(long, value_parser = cpu)]
    cpu: Option<Cpu>,
    /// Keep the programs in this folder.
    #[arg(long)]
    keep: Option<PathBuf>,
}

fn cpu(name: &str) -> Result<Cpu, String> {
    Cpu::from_name(name).ok_or_else(|| format!("none of {}", Cpu::ALL.map(Cpu::name).join(", ")))
}

/// The hash of each part of the programs, by `group/name`.
type Lines = BTreeMap<String, String>;

fn lines(text: &str) -> Lines {
    text.lines().filter_map(|line| line.split_once(' ')).map(|(name, hash)| (name.into(), hash.into())).collect()
}

/// What one build on one target came to.
struct Outcome {
    name: String,
    /// Parts compared.
    compared: usize,
    /// Instructions that it took.
    instructions: u64,
    /// What is wrong, a line each.
    wrong: Vec<String>,
}

fn main() -> Result<ExitCode> {
    let arguments = Arguments::parse();
    let folder = std::env::temp_dir().join(format!("powervisor-programs-{}", std::process::id()));
    let folder = arguments.keep.clone().unwrap_or(folder);
    fs::create_dir_all(&folder)?;
    let finished = compare(&arguments, &folder);
    if arguments.keep.is_none() {
        fs::remove_dir_all(&folder)?;
    }
    finished
}

fn compare(arguments: &Arguments, folder: &std::path::Path) -> Result<ExitCode> {
    build::write_sources(folder)?;
    if let Some(reason) = build::no_host() {
        println!("skipped: {reason}");
        println!("no program compared");
        return Ok(ExitCode::SUCCESS);
    }
    let [exact, contracted] = [false, true].map(|contracted| build::host(folder, contracted));
    let (exact, contracted) = (lines(&exact?), lines(&contracted?));
    let wanted = TARGETS.iter().filter(|target| arguments.cpu.is_none_or(|cpu| cpu == target.cpu));
    let (targets, missing): (Vec<&Target>, Vec<&Target>) = wanted.partition(|target| build::exists(target.compiler));
    for target in &missing {
        println!("skipped: {}: {} is not installed", target.name(), target.compiler);
    }
    let jobs: Vec<(&Target, Level)> =
        targets.iter().flat_map(|&target| Level::of(target).map(move |level| (target, level))).collect();
    let next = AtomicUsize::new(0);
    let worker = || -> Result<Vec<Outcome>> {
        let mut done = Vec::new();
        while let Some(&(target, level)) = jobs.get(next.fetch_add(1, Ordering::Relaxed)) {
            let expected = if level == Level::Contracted { &contracted } else { &exact };
            done.push(one(target, level, expected, folder)?);
        }
        Ok(done)
    };
    let workers = thread::available_parallelism().map_or(1, usize::from);
    let outcomes = thread::scope(|scope| -> Result<Vec<Outcome>> {
        let threads: Vec<_> = (0..workers).map(|_| scope.spawn(worker)).collect();
        let mut all = Vec::new();
        for thread in threads {
            all.extend(thread.join().map_err(|_| anyhow!("a thread panicked"))??);
        }
        Ok(all)
    })?;
    for outcome in &outcomes {
        for wrong in &outcome.wrong {
            println!("{}: {wrong}", outcome.name);
        }
    }
    let sum = |count: fn(&Outcome) -> u64| outcomes.iter().map(count).sum::<u64>();
    let wrong = sum(|outcome| outcome.wrong.len() as u64);
    println!(
        "{} programs, {} builds, {} results compared, {} million instructions, {wrong} disagree{}",
        SOURCES.iter().filter(|(name, _)| name.ends_with(".c")).count() - 1,
        outcomes.len(),
        sum(|outcome| outcome.compared as u64),
        sum(|outcome| outcome.instructions) / 1_000_000,
        if missing.is_empty() { String::new() } else { format!(", {} targets skipped", missing.len()) },
    );
    Ok(if wrong == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Builds the programs for a target, runs them, and compares.
fn one(target: &Target, level: Level, expected: &Lines, folder: &std::path::Path) -> Result<Outcome> {
    let name = format!("{} {}", target.name(), level.name());
    let elf = build::guest(target, level, folder)?;
    let run = guest::run(target.cpu, target.order, &elf).with_context(|| name.clone())?;
    let (mut compared, mut wrong) = (0, Vec::new());
    let found = match run.text {
        Ok(text) => lines(&text),
        Err(reason) => {
            wrong.push(reason);
            Lines::new()
        }
    };
    if wrong.is_empty() {
        for (part, hash) in expected.iter().filter(|(part, _)| target.has(part)) {
            compared += 1;
            if found.get(part) != Some(hash) {
                let got = found.get(part).map_or("nothing", String::as_str);
                wrong.push(format!("{part} is {got}, on the host {hash}"));
            }
        }
        wrong.extend(found.keys().filter(|part| !target.has(part)).map(|part| format!("{part} is not expected")));
    }
    Ok(Outcome { name, compared, instructions: run.instructions, wrong })
}
