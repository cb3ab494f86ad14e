//! The committed guest programs are those that their manifest names, to the last bit.

use std::collections::BTreeSet;
use std::fs;

use anyhow::Result;

use crate::elf::Manifest;
use crate::report::Finding;
use crate::workspace::Workspace;

pub fn committed(workspace: &Workspace) -> Result<Finding> {
    let mut finding = Finding::default();
    let folder = workspace.root.join("guest/elf");
    let manifest = Manifest::read(&folder)?;
    let mut present = BTreeSet::new();
    for entry in fs::read_dir(&folder)? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if name.ends_with(".elf") {
            present.insert(name);
        }
    }
    finding.problems.extend(manifest.differences(&folder)?);
    let strays = present.iter().filter(|name| !manifest.files.contains_key(*name));
    finding.problems.extend(strays.map(|name| format!("{name} is not in the manifest")));
    Ok(finding)
}
