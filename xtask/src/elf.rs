//! The guest programs in `guest/elf`: their manifest, and building them again to compare.
//!
//! The bytes depend on the versions of compiler and linker, which the first two lines of the manifest name. Where the
//! host has others the programs are built all the same, and only the comparison is skipped.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};

use crate::program;
use crate::report::Finding;
use crate::workspace::Workspace;

/// Programs that the build needs, with the packages they come in.
pub const TOOLS: &[(&str, &str)] = &[
    ("/usr/bin/rustc", "rustc-web rust-web-src"),
    ("/usr/bin/cargo", "cargo-web"),
    ("powerpc64-linux-gnu-ld", "binutils-powerpc64-linux-gnu"),
    ("powerpc64le-linux-gnu-ld", "binutils-powerpc64le-linux-gnu"),
];

/// What `guest/build.sh` wrote down.
pub struct Manifest {
    /// Versions of compiler and linker.
    pub versions: Vec<String>,
    /// SHA-256 of each file, in hexadecimal.
    pub files: BTreeMap<String, String>,
}

impl Manifest {
    /// Reads the manifest in `folder`.
    pub fn read(folder: &Path) -> Result<Manifest> {
        let path = folder.join("MANIFEST");
        let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
        let (versions, files): (Vec<_>, Vec<_>) = text.lines().partition(|line| !line.ends_with(".elf"));
        let pair = |line: &&str| line.split_once("  ").map(|(hash, name)| (name.to_owned(), hash.to_owned()));
        Ok(Manifest {
            versions: versions.into_iter().map(str::to_owned).collect(),
            files: files.iter().filter_map(pair).collect(),
        })
    }

    /// The files of `folder` that are not what the manifest says.
    pub fn differences(&self, folder: &Path) -> Result<Vec<String>> {
        let mut problems = Vec::new();
        for (name, expected) in &self.files {
            match fs::read(folder.join(name)) {
                Ok(data) if hex(&Sha256::digest(&data)) == *expected => {}
                Ok(_) => problems.push(format!("{name} differs from the manifest")),
                Err(error) => problems.push(format!("{name}: {error}")),
            }
        }
        Ok(problems)
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What is copied to build the guests: their workspace, and what they take from the host's.
const SOURCES: &[&str] = &["guest", "abi/pv-abi", "abi/papr-abi", "Cargo.toml"];

/// Builds the guests again in a folder of their own; returns it with what was found.
pub fn rebuild(workspace: &Workspace) -> Result<(PathBuf, Finding)> {
    let checkout = workspace.root.join("target/xtask/checkout");
    let copy = checkout.join("guest");
    let missing: Vec<_> =
        TOOLS.iter().filter(|(tool, _)| !program::exists(tool)).map(|(_, package)| *package).collect();
    if !missing.is_empty() {
        let reason = format!("guest programs built again: needs {}", missing.join(" "));
        return Ok((copy, Finding { skipped: vec![reason], ..Finding::default() }));
    }
    for file in workspace.files.iter().filter(|file| SOURCES.iter().any(|source| file.starts_with(source))) {
        let to = checkout.join(file);
        fs::create_dir_all(to.parent().unwrap_or(&copy))?;
        fs::copy(workspace.root.join(file), &to).with_context(|| to.display().to_string())?;
    }
    let committed = Manifest::read(&workspace.root.join("guest/elf"))?;
    let mut finding = program::run(&mut program::foreign(copy.join("build.sh")), &workspace.log("guest programs"))?;
    if finding.problems.is_empty() {
        let built = Manifest::read(&copy.join("elf"))?;
        if built.versions == committed.versions {
            finding.problems.extend(committed.differences(&copy.join("elf"))?);
            finding.notes.push(format!("{} programs are the committed ones bit for bit", committed.files.len()));
        } else {
            let (here, there) = (built.versions.join(", "), committed.versions.join(", "));
            finding.skipped.push(format!("guest programs compared bit for bit: here {here}; committed {there}"));
        }
    }
    Ok((copy.join("elf"), finding))
}
