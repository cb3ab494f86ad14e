//! What stands in the checkout: its crates with what they depend on, and its files.
//!
//! Contract: read once, paths relative to the root, sorted. Folders of build results and hidden folders are left out.
//! Does not judge anything; the checks do.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

use crate::program;

/// One crate of the workspace.
pub struct Crate {
    /// Its folder, as in `cpu/exec`.
    pub folder: PathBuf,
    /// The folders of the crates of ours that it needs; what only its tests need is not among them.
    pub uses: Vec<PathBuf>,
}

/// The checkout.
pub struct Workspace {
    /// Its absolute path.
    pub root: PathBuf,
    /// The members of the host's workspace; `guest/` is a workspace of its own.
    pub crates: Vec<Crate>,
    /// Every file.
    pub files: Vec<PathBuf>,
}

#[derive(Deserialize)]
struct Metadata {
    workspace_root: PathBuf,
    packages: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    manifest_path: PathBuf,
    dependencies: Vec<Dependency>,
}

#[derive(Deserialize)]
struct Dependency {
    kind: Option<String>,
    path: Option<PathBuf>,
}

impl Workspace {
    /// Reads the checkout that the current folder belongs to.
    pub fn read() -> Result<Workspace> {
        let mut command = program::cargo();
        command.args(["metadata", "--no-deps", "--format-version=1", "--locked"]);
        let output = command.output().context("cargo metadata")?;
        ensure!(output.status.success(), "cargo metadata: {}", String::from_utf8_lossy(&output.stderr));
        let Metadata { workspace_root: root, packages } = serde_json::from_slice(&output.stdout)?;
        let below = |path: &Path| path.strip_prefix(&root).map(Path::to_owned).ok();
        let mut crates: Vec<_> = packages
            .into_iter()
            .map(|package| Crate {
                folder: package.manifest_path.parent().and_then(below).unwrap_or_default(),
                uses: {
                    let product = package.dependencies.iter().filter(|d| d.kind.as_deref() != Some("dev"));
                    product.filter_map(|d| below(d.path.as_deref()?)).collect()
                },
            })
            .collect();
        crates.sort_by(|a, b| a.folder.cmp(&b.folder));
        let mut files = Vec::new();
        list(&root, Path::new(""), &mut files)?;
        files.sort();
        Ok(Workspace { root, crates, files })
    }

    /// The text of a file.
    pub fn text(&self, file: &Path) -> Result<String> {
        fs::read_to_string(self.root.join(file)).with_context(|| file.display().to_string())
    }

    /// The Rust files of the host's workspace.
    pub fn host_sources(&self) -> impl Iterator<Item = &Path> {
        self.sources().filter(|file| !file.starts_with("guest"))
    }

    /// The Rust files of `guest/`.
    pub fn guest_sources(&self) -> impl Iterator<Item = &Path> {
        self.sources().filter(|file| file.starts_with("guest"))
    }

    /// Every Rust file.
    pub fn sources(&self) -> impl Iterator<Item = &Path> {
        self.files.iter().map(PathBuf::as_path).filter(|file| file.extension().is_some_and(|e| e == "rs"))
    }

    /// Where the output of a step goes.
    pub fn log(&self, step: &str) -> PathBuf {
        self.root.join("target/xtask").join(step.replace(", ", "-").replace(' ', "-")).with_extension("log")
    }

    /// A cargo command that runs in the root; `line` is split at spaces.
    pub fn cargo(&self, line: &str) -> Command {
        let mut command = program::cargo();
        command.current_dir(&self.root).args(line.split(' '));
        command
    }
}

fn list(root: &Path, folder: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    for entry in fs::read_dir(root.join(folder)).with_context(|| folder.display().to_string())? {
        let entry = entry?;
        let (path, kind) = (folder.join(entry.file_name()), entry.file_type()?);
        let hidden = entry.file_name().to_string_lossy().starts_with('.');
        if kind.is_dir() && !hidden && entry.file_name() != "target" {
            list(root, &path, files)?;
        } else if kind.is_file() {
            files.push(path);
        }
    }
    Ok(())
}
