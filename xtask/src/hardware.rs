//! `cargo xtask hardware`: programs whose output was recorded on real processors, run under Linux on PowerVisor.
//!
//! The programs and recordings are valgrind's regression tests, see `test/hardware/build.sh`. The guest itself compares
//! line by line, so that little goes over its console. What differs must be in `docs/hardware-differences.md`, with the
//! number of lines and the reason; what no longer differs must not.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use image::debian::{self, Release, source};
use image::initramfs::{self, Initramfs};

use crate::report::{Finding, Report};
use crate::workspace::Workspace;
use crate::{guests, packages, program};

/// The source package that has the programs, in the first suite whose recordings of Power ISA 3.1 are complete.
const PACKAGE: &str = "valgrind";
const SUITE: &str = "trixie";

/// A guest to run programs in.
struct Guest {
    /// Name in the table of differences.
    name: &'static str,
    /// Which programs: `be`, `le` or `32`.
    programs: &'static str,
    /// The guest built by `cargo xtask guests`; Debian's own kernel otherwise.
    built: Option<&'static str>,
    /// Options of `powervisor run`.
    options: &'static [&'static str],
    /// What valgrind's tests call the processor's facilities.
    has: &'static [&'static str],
}

const GUESTS: &[Guest] = &[
    Guest {
        name: "power8-be",
        programs: "be",
        built: Some("pseries-be"),
        options: &["--cpu", "power8", "--append", "console=hvc0 quiet panic=-1"],
        has: &["altivec", "dfp", "arch_2_05", "arch_2_06", "arch_2_07"],
    },
    Guest {
        name: "power9-le",
        programs: "le",
        built: None,
        options: &["--cpu", "power9", "--append", "console=hvc0 quiet panic=-1"],
        has: &["altivec", "dfp", "arch_2_05", "arch_2_06", "arch_2_07", "arch_3_00"],
    },
    Guest {
        name: "power10-mma-le",
        programs: "le",
        built: None,
        options: &["--cpu", "power10-mma", "--append", "console=hvc0 quiet panic=-1"],
        has: &["altivec", "dfp", "arch_2_05", "arch_2_06", "arch_2_07", "arch_3_00", "arch_3_1", "mma"],
    },
    Guest {
        name: "7450",
        programs: "32",
        built: Some("mac32"),
        options: &["-M", "mac", "--cpu", "7450", "--append", "console=ttyPZ0 quiet panic=-1"],
        has: &["altivec"],
    },
];

const DIFFERENCES: &str = "docs/hardware-differences.md";

/// Prints how many lines of the second file are not those of the first, and the first few that are not.
const COMPARE: &str = r#"FNR == NR { want[NR] = $0; wanted = NR; next }
{ got = FNR }
want[FNR] != $0 { differ++; if (differ <= 4) print "- " want[FNR] "\n+ " $0 }
END { if (wanted > got) differ += wanted - got; print "@@@ " name " " got + 0 " " differ + 0 }
"#;

/// Builds the programs, and runs them in every guest.
pub fn run(workspace: &Workspace, report: &mut Report) {
    report.step("recorded programs", || build(workspace));
    for guest in GUESTS {
        report.step(guest.name, || compare(workspace, guest));
    }
}

fn folder(workspace: &Workspace) -> PathBuf {
    workspace.root.join("target/xtask/hardware")
}

fn build(workspace: &Workspace) -> Result<Finding> {
    let mut finding = packages::provide(packages::TEST, &workspace.log("apt"))?;
    let source = image::cache_dir().context("neither XDG_CACHE_HOME nor HOME is set")?.join("powervisor/valgrind");
    source::obtain(PACKAGE, SUITE, "*", &source, &mut |_| {})?;
    let mut command = program::foreign(workspace.root.join("test/hardware/build.sh"));
    command.arg(source).arg(folder(workspace));
    finding.merge(program::run(&mut command, &workspace.log("recorded programs"))?);
    let line = "build --release --locked --package powervisor";
    finding.merge(program::run(&mut workspace.cargo(line), &workspace.log("build"))?);
    Ok(finding)
}

/// A program to run, as a `.vgtest` file describes it.
#[derive(Debug, PartialEq)]
struct Test {
    program: String,
    arguments: String,
    needs: Vec<String>,
}

impl Test {
    fn parse(text: &str) -> Option<Test> {
        let values = |key: &'static str| {
            text.lines().filter_map(move |line| line.strip_prefix(key)?.strip_prefix(':')).map(str::trim)
        };
        let line = [values("prog").next()?, values("args").next().unwrap_or("")].join(" ");
        let (program, arguments) = line.split_once(' ').unwrap_or((&line, ""));
        let capabilities = values("prereq").flat_map(|line| line.split("check_ppc64_auxv_cap ").skip(1));
        let needs = capabilities.filter_map(|rest| rest.split_whitespace().next()).map(str::to_owned).collect();
        Some(Test { program: program.to_owned(), arguments: arguments.trim().to_owned(), needs })
    }
}

/// The tests of `guest` that are built and recorded and that its processor can run, by name.
fn tests(folder: &Path, guest: &Guest) -> Result<BTreeMap<String, (Test, Vec<PathBuf>)>> {
    let entries = fs::read_dir(folder).with_context(|| folder.display().to_string())?;
    let mut files: Vec<_> = entries.map(|entry| Ok(entry?.path())).collect::<Result<_>>()?;
    files.sort();
    let name = |file: &Path| file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let mut tests = BTreeMap::new();
    for file in files.iter().filter(|file| file.extension().is_some_and(|extension| extension == "vgtest")) {
        let Some(test) = Test::parse(&fs::read_to_string(file)?) else { continue };
        let stem = name(file).trim_end_matches(".vgtest").to_owned();
        let recorded = |other: &&PathBuf| name(other).starts_with(&format!("{stem}.stdout.exp"));
        let recordings: Vec<_> = files.iter().filter(recorded).cloned().collect();
        let able = test.needs.iter().all(|need| guest.has.contains(&need.as_str()));
        if able && !recordings.is_empty() && folder.join(&test.program).exists() {
            tests.insert(stem, (test, recordings));
        }
    }
    Ok(tests)
}

/// A root file system with the programs and recordings, and an `/init` that runs and compares them all.
fn files(folder: &Path, tests: &BTreeMap<String, (Test, Vec<PathBuf>)>) -> Result<Vec<u8>> {
    let mut init = String::from("#!/bin/sh\nexport PATH=/bin\nmount -t proc proc /proc\necho\ncd /t\n");
    let mut archive = Initramfs::new().dir("/t", 0o755).file("/t/compare", 0o644, COMPARE.as_bytes());
    let mut programs = BTreeSet::new();
    for (name, (test, recordings)) in tests {
        if programs.insert(&test.program) {
            archive = archive.file(&format!("/t/{}", test.program), 0o755, &fs::read(folder.join(&test.program))?);
        }
        init += &format!("timeout 300 ./{} {} > /tmp/out 2> /tmp/err < /dev/null\n", test.program, test.arguments);
        for (at, recording) in recordings.iter().enumerate() {
            let place = format!("/t/{name}.{at}");
            archive = archive.file(&place, 0o644, &fs::read(recording)?);
            init += &format!("awk -v name={name} -f compare {place} /tmp/out\n");
        }
    }
    init += "echo '@@@ end'\npoweroff -f\n";
    Ok(archive.file("/init", 0o755, init.as_bytes()).finish()?)
}

/// Kernel and root file system of `guest`, without the programs; `None` if it is not built.
fn kernel(guest: &Guest) -> Result<Option<(PathBuf, Vec<u8>)>> {
    let Some(name) = guest.built else {
        let cache = Release::Bookworm.cache_folder().context("neither XDG_CACHE_HOME nor HOME is set")?;
        let packages = debian::obtain(Release::Bookworm, &cache, &mut |_| {})?;
        let root = initramfs::debian_initramfs(&fs::read(&packages.busybox.path)?, None)?;
        return Ok(Some((packages.vmlinux.path, root)));
    };
    let Some(vmlinux) = guests::file(name, "vmlinux") else { return Ok(None) };
    let root = fs::read(vmlinux.with_file_name("initramfs.cpio.gz"))?;
    Ok(Some((vmlinux, root)))
}

fn compare(workspace: &Workspace, guest: &Guest) -> Result<Finding> {
    let Some((kernel, mut root)) = kernel(guest)? else {
        return Ok(Finding::skip(format!("{}: no guest; `cargo xtask guests` builds it", guest.name)));
    };
    let folder = folder(workspace);
    let programs = folder.join(guest.programs);
    let tests = tests(&programs, guest)?;
    // The kernel takes archives one behind the other; of two files of one name it takes the last.
    root.resize(root.len().next_multiple_of(512), 0);
    root.extend(files(&programs, &tests)?);
    let initrd = folder.join(format!("{}.cpio", guest.name));
    fs::write(&initrd, root)?;
    let mut command = Command::new(workspace.root.join("target/release/powervisor"));
    command.args(["run", "--quiet", "-m", "512M", "--timeout", "1200"]).args(guest.options);
    command.arg("--kernel").arg(kernel).arg("--initrd").arg(initrd);
    let log = workspace.log(&format!("hardware-{}", guest.name));
    let mut finding = program::run(&mut command, &log)?;
    let text = String::from_utf8_lossy(&fs::read(&log)?).into_owned();
    ensure!(text.contains("@@@ end"), "the guest did not come to its end; {}", log.display());

    let results = results(&text);
    let expected = expected(&fs::read_to_string(workspace.root.join(DIFFERENCES))?, guest.name);
    for name in tests.keys() {
        let known = expected.get(name).copied().unwrap_or(0);
        match results.get(name) {
            None => finding.problems.push(format!("{name}: no result")),
            Some(&(lines, differ)) if differ == known => {
                finding.notes.push(format!("{name}: {lines} lines, {differ} differ"));
            }
            Some(&(lines, differ)) => {
                finding
                    .problems
                    .push(format!("{name}: {lines} lines, {differ} differ, {known} known; {}", log.display()));
            }
        }
    }
    for gone in expected.keys().filter(|name| !tests.contains_key(*name)) {
        finding.problems.push(format!("{gone}: in {DIFFERENCES}, but not run"));
    }
    let agree: u64 = results.values().map(|(lines, differ)| lines.saturating_sub(*differ)).sum();
    finding.notes.push(format!("{} programs, {agree} lines agree", results.len()));
    Ok(finding)
}

/// By test the lines that were printed, and how many differ from the recording that is nearest.
fn results(log: &str) -> BTreeMap<String, (u64, u64)> {
    let mut results = BTreeMap::new();
    for line in log.lines().filter_map(|line| line.trim_end().strip_prefix("@@@ ")) {
        let words: Vec<&str> = line.split(' ').collect();
        let [name, lines, differ] = words.as_slice() else { continue };
        let (Ok(lines), Ok(differ)) = (lines.parse(), differ.parse()) else { continue };
        let nearest: &mut (u64, u64) = results.entry((*name).to_owned()).or_insert((lines, differ));
        nearest.1 = nearest.1.min(differ);
    }
    results
}

/// The lines that are known to differ in `guest`, by test.
fn expected(table: &str, guest: &str) -> BTreeMap<String, u64> {
    let rows = table.lines().filter_map(|line| {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let [_, guests, name, lines, ..] = cells.as_slice() else { return None };
        let here = guests.split_whitespace().any(|other| other == guest);
        here.then(|| Some((name.trim_matches('`').to_owned(), lines.parse().ok()?)))?
    });
    rows.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn descriptions_are_read() {
        let text = "prereq: ../check_ppc64_auxv_cap altivec && ../check_ppc64_auxv_cap arch_2_06\nprog: jm-insns -l\nargs: -c\n";
        let needs = vec!["altivec".to_owned(), "arch_2_06".to_owned()];
        let test = Test { program: "jm-insns".to_owned(), arguments: "-l -c".to_owned(), needs };
        assert_eq!(Test::parse(text), Some(test));
        assert_eq!(Test::parse("prereq: x\n"), None);
    }

    #[test]
    fn the_nearest_recording_counts() {
        let log = "- a\r\n+ b\r\n@@@ one 5 2\r\n@@@ one 5 1\r\n@@@ two 7 0\r\n@@@ end\r\n";
        assert_eq!(results(log), BTreeMap::from([("one".to_owned(), (5, 1)), ("two".to_owned(), (7, 0))]));
    }

    #[test]
    fn rows_are_of_their_guests() {
        let table =
            "| guest | test | lines | why |\n|---|---|---|---|\n| a b | `one` | 5 | so |\n| c | `two` | 3 | so |\n";
        assert_eq!(expected(table, "b"), BTreeMap::from([("one".to_owned(), 5)]));
        assert_eq!(expected(table, "d"), BTreeMap::new());
    }
}
