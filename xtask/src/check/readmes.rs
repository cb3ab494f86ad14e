//! Every floor says in about ten lines what belongs there, what it may depend on and what it must not know.

use std::path::Path;

use anyhow::Result;

use crate::report::Finding;
use crate::workspace::Workspace;

/// The floors.
const FOLDERS: &[&str] = &["abi", "cpu", "hv", "dev", "vm", "guest", "app", "test", "xtask"];
/// What every README says, in some form of these words.
const SAYS: &[&str] = &["may depend", "must not know"];
/// Lines that a floor's README may have.
const LINES: std::ops::RangeInclusive<usize> = 5..=40;

pub fn check(workspace: &Workspace) -> Result<Finding> {
    let mut finding = Finding::default();
    for folder in FOLDERS {
        let path = Path::new(folder).join("README.md");
        let Ok(text) = workspace.text(&path) else {
            finding.problems.push(format!("{} is missing", path.display()));
            continue;
        };
        let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
        for phrase in SAYS.iter().filter(|phrase| !words.contains(*phrase)) {
            finding.problems.push(format!("{} does not say what this folder {phrase}", path.display()));
        }
        if !LINES.contains(&text.lines().count()) {
            finding.problems.push(format!("{} has {} lines, not about ten", path.display(), text.lines().count()));
        }
    }
    Ok(finding)
}
