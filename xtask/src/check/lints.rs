//! Lints that each floor must switch on: every manifest takes the workspace's, every library's root the floor's own.

use std::path::Path;

use anyhow::Result;

use crate::report::Finding;
use crate::workspace::Workspace;

const NO_PANIC: &[&str] = &["clippy::unwrap_used", "clippy::expect_used", "clippy::panic"];
const NO_INDEX: &[&str] = &["clippy::indexing_slicing"];
const SAFE: &[&str] = &["forbid(unsafe_code)"];
/// `unsafe` in modules that give their reason.
const DENY_UNSAFE: &[&str] = &["deny(unsafe_code)"];
const NO_STD: &[&str] = &["no_std"];

/// A folder and the words that the inner attributes of its library roots have. All rows that match hold.
#[rustfmt::skip]
const FLOORS: &[(&str, &[&[&str]])] = &[
    ("abi",             &[NO_STD, SAFE]),
    ("cpu",             &[NO_PANIC]),
    ("cpu/ppc-mmu",     &[SAFE, NO_INDEX]),
    ("cpu/exec",        &[SAFE]),
    ("cpu/exec-interp", &[SAFE]),
    ("hv",              &[SAFE, NO_PANIC, NO_INDEX]),
    ("dev",             &[SAFE, NO_PANIC, NO_INDEX]),
    ("vm",              &[SAFE, NO_PANIC, NO_INDEX]),
    ("guest/pv-guest",  &[NO_STD, DENY_UNSAFE, NO_PANIC, NO_INDEX]),
];

pub fn check(workspace: &Workspace) -> Result<Finding> {
    let mut finding = Finding::default();
    for member in &workspace.crates {
        let manifest = member.folder.join("Cargo.toml");
        if !workspace.text(&manifest)?.contains("[lints]\nworkspace = true\n") {
            finding.problems.push(format!("{}: needs `[lints] workspace = true`", manifest.display()));
        }
        let root = member.folder.join("src/lib.rs");
        if !workspace.files.contains(&root) {
            continue;
        }
        let text = workspace.text(&root)?;
        let attributes: String = text.lines().filter(|line| line.starts_with("#![")).collect();
        let rows = FLOORS.iter().filter(|(folder, _)| member.folder.starts_with(Path::new(folder)));
        for word in rows.flat_map(|(_, words)| words.concat()).filter(|word| !attributes.contains(word)) {
            finding.problems.push(format!("{}: no attribute has {word}", root.display()));
        }
    }
    Ok(finding)
}
