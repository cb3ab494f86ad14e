//! `cargo xtask judge`: our test kernels as guests of KVM's PR mode, held against `docs/kvm-pr-differences.md`.
//!
//! The judge is Linux 6.1 with KVM's PR mode and Debian's QEMU for ppc64el, on a pseries machine of QEMU and then on
//! PowerVisor. Some twenty minutes the first time, most of it for the kernel; nothing that every change needs.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::guests::{self, Guest};
use crate::report::{Finding, Report};
use crate::workspace::Workspace;
use crate::{packages, program};

/// Kernels that are run, in both byte orders, and the words of their command line.
const KERNELS: &[(&str, &str)] = &[
    ("magic", ""),
    ("syscall", ""),
    ("exceptions", ""),
    ("smc", ""),
    ("decrementer", ""),
    ("hash", "skip=guarded"),
    ("hcalls", "skip=H_CONFER"),
];
/// Kernels whose `sc 1` must reach KVM, which QEMU's processor keeps from it.
const NOT_ON_QEMU: &[&str] = &["hcalls"];
const DIFFERENCES: &str = "docs/kvm-pr-differences.md";
/// What nested QEMU can be asked for when the outer one emulates the processor.
const MACHINE: &str = "pseries,x-vof=on,cap-htm=off,cap-cfpc=broken,cap-sbbc=broken,cap-ibs=broken,cap-ccf-assist=off";

/// A failed check: kernel without byte order, and what was checked.
type Check = (String, String);

/// Builds the judge, runs it on both machines, and compares.
pub fn run(workspace: &Workspace, report: &mut Report) {
    guests::run(workspace, &[Guest::KvmPr], report);
    report.step("judge's files", || files(workspace));
    for under in ["qemu", "powervisor"] {
        let step = if under == "qemu" { "judge on QEMU" } else { "judge on PowerVisor" };
        report.step(step, || judge(workspace, under));
    }
}

fn root(workspace: &Workspace) -> PathBuf {
    workspace.root.join("target/xtask/judge.cpio.gz")
}

fn files(workspace: &Workspace) -> Result<Finding> {
    let mut finding = packages::provide(packages::TEST, &workspace.log("apt"))?;
    finding.merge(packages::provide(&["qemu-system-ppc", "cpio"], &workspace.log("apt"))?);
    let guest = workspace.root.join("guest");
    let mut kernels = program::foreign(guest.join("build.sh"));
    finding.merge(program::run(kernels.arg("--qemu"), &workspace.log("judge's kernels"))?);
    let mut pack = program::foreign(guest.join("linux/judge/root.sh"));
    pack.arg(root(workspace)).arg(workspace.root.join("target/xtask/judge")).arg(guest.join("target/qemu"));
    finding.merge(program::run(&mut pack, &workspace.log("judge's root"))?);
    let line = "build --release --locked --package powervisor";
    finding.merge(program::run(&mut workspace.cargo(line), &workspace.log("build"))?);
    Ok(finding)
}

fn judge(workspace: &Workspace, under: &str) -> Result<Finding> {
    let cache = image::cache_dir().context("neither XDG_CACHE_HOME nor HOME is set")?;
    let (kernel, root) = (cache.join("powervisor/guests/kvm-pr/vmlinux"), root(workspace));
    let run = KERNELS.iter().filter(|(name, _)| under != "qemu" || !NOT_ON_QEMU.contains(name));
    let orders = run.flat_map(|(name, words)| ["be", "le"].map(|order| (format!("{name}-{order}"), words)));
    let names: Vec<_> = orders.collect();
    let list: Vec<String> = names.iter().map(|(name, words)| format!("{name}:{words}")).collect();
    let append = format!("console=hvc0 panic=-1 disable_radix quiet l2={}", list.join(","));
    let mut command = if under == "qemu" {
        let mut command = Command::new("qemu-system-ppc64");
        command.args(["-M", MACHINE, "-cpu", "power8", "-m", "2048", "-nodefaults", "-display", "none"]);
        command.args(["-serial", "stdio", "-monitor", "none", "-no-reboot"]);
        command.arg("-kernel").arg(kernel).arg("-initrd").arg(root).args(["-append", &append]);
        command
    } else {
        let mut command = Command::new(workspace.root.join("target/release/powervisor"));
        command.args(["run", "--quiet", "--cpu", "power8", "--mmu", "hash", "-m", "2G", "--timeout", "1200"]);
        command.arg("--kernel").arg(kernel).arg("--initrd").arg(root).args(["--append", &append]);
        command
    };
    let log = workspace.log(&format!("judge-{under}"));
    let mut finding = program::run(&mut command, &log)?;
    // The kernels' own words for a check that they leave out are not ours.
    finding.skipped.clear();
    let text = String::from_utf8_lossy(&fs::read(&log)?).into_owned();
    for (name, _) in &names {
        ensure!(text.contains(&format!("L2 {name} ended with 0")), "{name} did not end; {}", log.display());
    }
    let (failed, passed) = outcome(&text);
    let expected = expected(&workspace.root.join(DIFFERENCES), under)?;
    finding.notes.push(format!("{passed} checks agree, {} differ", failed.len()));
    let told = |(kernel, check): &Check| format!("{kernel}: {check}");
    finding.problems.extend(failed.difference(&expected).map(|c| format!("differs without a row: {}", told(c))));
    finding.problems.extend(expected.difference(&failed).map(|c| format!("no longer differs: {}", told(c))));
    Ok(finding)
}

/// The checks that failed, and how many passed.
fn outcome(text: &str) -> (BTreeSet<Check>, usize) {
    let (mut failed, mut passed, mut kernel) = (BTreeSet::new(), 0, String::new());
    for line in text.lines().map(str::trim_end) {
        if let Some(name) = line.strip_prefix("L2 ").filter(|name| !name.contains(' ')) {
            kernel = name.trim_end_matches("-be").trim_end_matches("-le").to_owned();
        } else if let Some((_, check)) = line.strip_prefix("FAIL ").and_then(|rest| rest.split_once(' ')) {
            let name = check.split(": got ").next().unwrap_or(check);
            failed.insert((kernel.clone(), name.trim().to_owned()));
        } else if line.starts_with("ok ") {
            passed += 1;
        }
    }
    // The last line of a kernel counts its failures: `FAIL: 6 of 54 checks`.
    failed.retain(|(_, check)| !check.ends_with(" checks"));
    (failed, passed)
}

/// The rows of the table that hold `under` this machine.
fn expected(path: &Path, under: &str) -> Result<BTreeSet<Check>> {
    let text = fs::read_to_string(path).with_context(|| path.display().to_string())?;
    let rows = text.lines().filter_map(|line| {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let [_, kernel, check, on, ..] = cells.as_slice() else { return None };
        let check = check.strip_prefix('`')?.strip_suffix('`')?.trim();
        (*on == "both" || *on == under).then(|| ((*kernel).to_owned(), check.to_owned()))
    });
    Ok(rows.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logs_are_read() {
        let log = "JUDGE 6.1\r\nL2 magic-be\r\nok 1 a\r\nFAIL 2   b: c: got 1 want 2\r\nFAIL: 1 of 2 checks\r\nL2 magic-be ended with 0\r\n";
        let (failed, passed) = outcome(log);
        assert_eq!(failed, BTreeSet::from([("magic".to_owned(), "b: c".to_owned())]));
        assert_eq!(passed, 1);
    }
}
