//! Compiling: for the host, and for a target without a library.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};

use crate::target::Target;

/// Everything that is compiled.
pub const SOURCES: &[(&str, &str)] = &[
    ("algorithms.c", include_str!("../c/algorithms.c")),
    ("atomics.c", include_str!("../c/atomics.c")),
    ("control.c", include_str!("../c/control.c")),
    ("convert.c", include_str!("../c/convert.c")),
    ("decimals.c", include_str!("../c/decimals.c")),
    ("doubles.c", include_str!("../c/doubles.c")),
    ("fused.c", include_str!("../c/fused.c")),
    ("integers.c", include_str!("../c/integers.c")),
    ("memory.c", include_str!("../c/memory.c")),
    ("program.h", include_str!("../c/program.h")),
    ("quads.c", include_str!("../c/quads.c")),
    ("roots.c", include_str!("../c/roots.c")),
    ("rounding.c", include_str!("../c/rounding.c")),
    ("runtime.c", include_str!("../c/runtime.c")),
    ("start.S", include_str!("../c/start.S")),
    ("vectors.c", include_str!("../c/vectors.c")),
    ("wide.c", include_str!("../c/wide.c")),
];

/// What makes a program mean the same on every machine.
const MEANING: &[&str] = &["-std=gnu11", "-fwrapv", "-fno-strict-aliasing", "-fno-math-errno", "-w"];
/// Without a library, and where the guest has its memory.
#[rustfmt::skip]
const BARE: &[&str] = &[
    "-ffreestanding", "-static", "-nostdlib", "-no-pie", "-fno-pic", "-fno-stack-protector",
    "-Wl,-Ttext-segment=0x100000", "-Wl,--build-id=none", "-Wl,--no-warnings",
];
const HOST: &str = "gcc";
/// The host needs fused instructions: its library's may be emulated, and wrong for that reason.
const HOST_FLAGS: &[&str] = &["-O2", "-DHOST", "-mfma", "-msse4.1"];
const ALL: &[&str] = &["FLOAT", "WIDE", "ATOMIC", "ROOT", "DECIMAL", "QUAD"];

/// How hard the compiler tries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// `-O` with this number.
    Optimized(u8),
    /// `-O2`, products and sums fused where the compiler likes. It likes the same on every machine, but in vectors.
    Contracted,
}

impl Level {
    const ALL: [Level; 5] =
        [Level::Optimized(0), Level::Optimized(1), Level::Optimized(2), Level::Optimized(3), Level::Contracted];

    /// Those that make a difference on `target`.
    pub fn of(target: &Target) -> impl Iterator<Item = Level> {
        let float = target.has.contains(&"FLOAT");
        Level::ALL.into_iter().filter(move |&level| float || level != Level::Contracted)
    }

    /// As in "O2".
    pub fn name(self) -> String {
        match self {
            Level::Optimized(level) => format!("O{level}"),
            Level::Contracted => "contracted".into(),
        }
    }

    fn flags(self) -> [String; 3] {
        match self {
            Level::Optimized(level) => [format!("-O{level}"), "-ffp-contract=off".into(), "-ftree-vectorize".into()],
            Level::Contracted => ["-O2".into(), "-ffp-contract=fast".into(), "-fno-tree-vectorize".into()],
        }
    }
}

/// Whether a program of this name can be started.
pub fn exists(program: &str) -> bool {
    Command::new(program).arg("--version").output().is_ok()
}

/// Why this host cannot say what is right, if so.
pub fn no_host() -> Option<String> {
    let fused = fs::read_to_string("/proc/cpuinfo").is_ok_and(|text| text.split_whitespace().any(|flag| flag == "fma"));
    (!exists(HOST))
        .then(|| format!("{HOST} is not installed"))
        .or_else(|| (!fused).then(|| "this host has no fused multiplication (FMA)".to_string()))
}

/// Puts the sources into `folder`.
pub fn write_sources(folder: &Path) -> Result<()> {
    for (name, text) in SOURCES {
        fs::write(folder.join(name), text).with_context(|| folder.join(name).display().to_string())?;
    }
    Ok(())
}

/// What the programs print on this host.
pub fn host(folder: &Path, contracted: bool) -> Result<String> {
    let level = if contracted { Level::Contracted } else { Level::Optimized(2) };
    let program = folder.join(format!("host-{}", level.name()));
    let mut command = compiler(HOST, folder, &program, level, ALL);
    run(command.args(HOST_FLAGS).args(sources(folder, &["start.S"])).arg("-lm"))?;
    let output = Command::new(&program).output().with_context(|| program.display().to_string())?;
    ensure!(output.status.success(), "the programs end with {} on this host", output.status);
    Ok(String::from_utf8(output.stdout)?)
}

/// The programs for `target`: an ELF file.
pub fn guest(target: &Target, level: Level, folder: &Path) -> Result<Vec<u8>> {
    let program = folder.join(format!("{}-{}", target.name().replace(' ', "-"), level.name()));
    let mut command = compiler(target.compiler, folder, &program, level, target.has);
    run(command.args(target.flags).args(BARE).args(sources(folder, &[])).arg("-lgcc"))?;
    fs::read(&program).with_context(|| program.display().to_string())
}

fn compiler(name: &str, folder: &Path, program: &Path, level: Level, has: &[&str]) -> Command {
    let mut command = Command::new(name);
    command.args(level.flags()).args(MEANING).arg("-I").arg(folder);
    command.args(has.iter().map(|what| format!("-D{what}"))).arg("-o").arg(program);
    command
}

fn sources(folder: &Path, but: &[&str]) -> Vec<PathBuf> {
    let compiled = |name: &&str| !name.ends_with(".h") && !but.contains(name);
    SOURCES.iter().map(|(name, _)| *name).filter(compiled).map(|name| folder.join(name)).collect()
}

fn run(command: &mut Command) -> Result<()> {
    let output = command.output().with_context(|| format!("{command:?}"))?;
    ensure!(output.status.success(), "{command:?}:\n{}", String::from_utf8_lossy(&output.stderr));
    Ok(())
}
