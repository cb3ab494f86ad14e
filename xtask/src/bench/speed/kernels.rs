//! The program of kernels, `test/speed`: compiled for the host and for guests, and the root file system that it is.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use image::initramfs::{Device, Initramfs};

use crate::program;
use crate::workspace::Workspace;

/// A compiler, and what it is told of the processor.
#[derive(Debug, PartialEq, Eq)]
pub struct Compiler {
    /// Its name.
    pub name: &'static str,
    /// Of the processor.
    pub flags: &'static [&'static str],
}

/// The host's.
pub const HOST: Compiler = Compiler { name: "gcc", flags: &["-march=x86-64-v3"] };

/// The same for every processor. Loops stay the scalar ones that they are written as, and products are fused where the
/// source says so, or a result would depend on the compiler.
#[rustfmt::skip]
const FLAGS: &[&str] = &[
    "-std=gnu11", "-O2", "-static", "-Wall", "-Wextra", "-Wno-missing-field-initializers", "-fno-strict-aliasing",
    "-ffp-contract=off", "-fno-tree-vectorize", "-fno-tree-slp-vectorize", "-fno-tree-loop-distribute-patterns",
];

/// Compiles the program; `name` tells it from those for other processors.
pub fn build(workspace: &Workspace, compiler: &Compiler, name: &str) -> Result<PathBuf> {
    let (folder, sources) = (folder(workspace)?, workspace.root.join("test/speed"));
    let program = folder.join(name);
    let list = fs::read_dir(&sources).with_context(|| sources.display().to_string())?;
    let mut files: Vec<PathBuf> = list.map(|entry| Ok(entry?.path())).collect::<Result<_>>()?;
    files.retain(|file| file.extension().is_some_and(|extension| extension == "c"));
    files.sort();
    let mut command: Command = program::foreign(compiler.name);
    command.args(FLAGS).args(compiler.flags).args(files).arg("-lm").arg("-o").arg(&program);
    let finding = program::run(&mut command, &folder.join(format!("{name}.log")))?;
    ensure!(finding.problems.is_empty(), finding.problems.join("\n"));
    Ok(program)
}

/// A root file system with nothing but `program`, which is its `/init`.
pub fn initrd(program: &Path) -> Result<PathBuf> {
    let archive = Initramfs::new().dir("/dev", 0o755).device("/dev/console", Device::Char, 5, 1, 0o600);
    let path = program.with_extension("cpio");
    fs::write(&path, archive.file("/init", 0o755, &fs::read(program)?).finish()?)?;
    Ok(path)
}

/// Where programs and logs are kept.
pub fn folder(workspace: &Workspace) -> Result<PathBuf> {
    let folder = workspace.root.join("target/xtask/speed");
    fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
    Ok(folder)
}
