//! The dependency law: which folder may name which. ARCHITECTURE.md tells why the arrows point that way.

use std::path::Path;

use anyhow::Result;

use crate::report::Finding;
use crate::workspace::Workspace;

/// A crate's folder and the folders it may depend on; `abi/*` stands for every crate in `abi`. The first row that
/// matches a crate is its law. Tests are free: what only they need cannot leak into the product.
#[rustfmt::skip]
const LAW: &[(&str, &[&str])] = &[
    ("abi/*",           &[]),
    ("cpu/guest-mem",   &[]),
    ("cpu/ppc-mmu",     &["abi/*", "cpu/guest-mem"]),
    ("cpu/exec",        &["abi/*", "cpu/guest-mem", "cpu/ppc-mmu"]),
    ("cpu/exec-interp", &["abi/*", "cpu/guest-mem", "cpu/ppc-mmu", "cpu/exec"]),
    ("cpu/exec-jit",    &["abi/*", "cpu/guest-mem", "cpu/ppc-mmu", "cpu/exec", "cpu/exec-interp"]),
    ("hv/hv-core",      &["abi/*", "cpu/guest-mem", "cpu/ppc-mmu", "cpu/exec"]),
    ("hv/*",            &["abi/*", "cpu/guest-mem", "cpu/ppc-mmu", "cpu/exec", "hv/hv-core"]),
    ("dev/*",           &["abi/*", "cpu/guest-mem", "dev/*"]),
    ("vm/image",        &["cpu/guest-mem"]),
    ("vm/machine",      &["abi/*", "cpu/guest-mem", "cpu/ppc-mmu", "cpu/exec", "hv/*", "dev/*", "vm/image"]),
    ("vm/vmm",          &["abi/*", "cpu/guest-mem", "cpu/exec", "hv/hv-core", "vm/machine"]),
    // Guests are built apart from the host; this library of theirs knows the interface only, and patches files for us.
    ("guest/pv-guest",  &["abi/pv-abi"]),
    // `exits` and `trace` look at exits as they happen, `hypercalls` lists what the interfaces answer, and `nvdimm` makes
    // the files that it lends to machines.
    ("app/*",           &["abi/*", "cpu/exec", "cpu/exec-interp", "cpu/exec-jit", "hv/*", "dev/nvdimm", "vm/*", "guest/pv-guest"]),
    ("test/*",          &["*"]),
    ("xtask",           &["cpu/guest-mem", "vm/image"]),
];

pub fn check(workspace: &Workspace) -> Result<Finding> {
    let mut finding = Finding::default();
    for member in &workspace.crates {
        let Some((_, allowed)) = LAW.iter().find(|(folder, _)| matches(folder, &member.folder)) else {
            finding.problems.push(format!("{}: the law has no row for it", member.folder.display()));
            continue;
        };
        for used in member.uses.iter().filter(|used| !allowed.iter().any(|folder| matches(folder, used))) {
            finding.problems.push(format!("{} must not depend on {}", member.folder.display(), used.display()));
        }
    }
    Ok(finding)
}

fn matches(pattern: &str, folder: &Path) -> bool {
    match pattern.strip_suffix('*') {
        Some(start) => folder.to_string_lossy().starts_with(start),
        None => folder == Path::new(pattern),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::Crate;

    fn problems(folder: &str, uses: &str) -> usize {
        let member = Crate { folder: folder.into(), uses: vec![uses.into()] };
        let workspace = Workspace { root: "/".into(), crates: vec![member], files: vec![] };
        check(&workspace).unwrap().problems.len()
    }

    #[test]
    fn arrows_point_down() {
        assert_eq!(problems("hv/hv-pv", "cpu/exec"), 0);
        assert_eq!(problems("hv/hv-pv", "cpu/exec-interp"), 1);
        assert_eq!(problems("dev/platform", "hv/hv-core"), 1);
        assert_eq!(problems("abi/pv-abi", "abi/ppc-isa"), 1);
        assert_eq!(problems("test/oracle", "cpu/exec-interp"), 0);
        assert_eq!(problems("guest/pv-guest", "abi/ppc-isa"), 1);
        assert_eq!(problems("hv/hv-pv", "guest/pv-guest"), 1);
        assert_eq!(problems("attic/box", "abi/pv-abi"), 1);
    }
}
