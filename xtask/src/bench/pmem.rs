//! What persistent memory costs: reading the labels in Linux, and writes with a flush each, in a guest and natively to the
//! same file.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use image::initramfs::{Device, Initramfs};
use serde_json::Value;

use super::Bench;
use crate::workspace::Workspace;
use crate::{guests, packages, program};

/// What `test/speed/pmem/flush.c` prints of writes, and what that is.
const WRITES: [(&str, &str); 2] =
    [("sequential", "1 MiB and a flush, in a row"), ("random", "4 KiB and a flush, anywhere")];
const NANOSECONDS: f64 = 1e9;
const MEBIBYTE: f64 = 1_048_576.0;

/// Bytes a second by name.
type Rates = BTreeMap<String, f64>;

/// Measures and prints.
pub fn run(workspace: &Workspace, bench: &Bench) -> Result<()> {
    let found = packages::provide(packages::BENCH, &workspace.log("apt"))?;
    found.problems.iter().chain(&found.skipped).for_each(|line| eprintln!("{line}"));
    let Some(kernel) = guests::file("pseries-le", "vmlinux") else {
        println!("SKIP pmem: no pseries-le in $POWERVISOR_GUESTS nor in the cache; `cargo xtask guests` builds it");
        return Ok(());
    };
    let folder = workspace.root.join("target/xtask/pmem");
    fs::create_dir_all(&folder)?;
    let [native, guest] = [("gcc", "native"), ("powerpc64le-linux-gnu-gcc", "guest")].map(|(compiler, name)| {
        let to = folder.join(name);
        build(workspace, compiler, &to).map(|()| to)
    });
    let (native, initrd) = (native?, initrd(&guest?)?);
    let powervisor = workspace.root.join("target/release/powervisor");
    let image = folder.join("image.pmem");
    let mut best = [Rates::new(), Rates::new()];
    for _ in 0..bench.runs {
        _ = fs::remove_file(&image);
        let mut command = Command::new(&powervisor);
        command.args(["run", "--quiet", "--timeout", "300", "--append", "console=hvc0 quiet panic=-1"]);
        command.args(bench.engine()).arg("--kernel").arg(&kernel).arg("--initrd").arg(&initrd);
        command.arg("--nvdimm").arg(format!("path={},size=128M,label=128K", image.display()));
        let within = rates(&mut command)?;
        ensure!(within.len() == WRITES.len() + 1, "the guest measured {:?} only", within.keys());
        let info = Command::new(&powervisor).args(["nvdimm", "info", "--json"]).arg(&image).output()?;
        let info: Value = serde_json::from_slice(&info.stdout)?;
        let offset = info["data_offset"].as_u64().context("no offset of data")?.to_string();
        let natively = rates(Command::new(&native).arg(&image).arg(offset))?;
        for (best, rates) in best.iter_mut().zip([within, natively]) {
            for (name, rate) in rates {
                let most = best.entry(name).or_default();
                *most = most.max(rate);
            }
        }
    }
    _ = fs::remove_file(&image);
    let [within, natively] = best;
    println!("\npersistent memory, POWER9, the best of {} runs", bench.runs);
    println!("{:32}{:>14}{:>14}{:>10}", "", "guest", "native", "guest/nat.");
    for (name, what) in WRITES {
        let [guest, native] = [&within, &natively].map(|rates| rates.get(name).copied().unwrap_or(0.0) / MEBIBYTE);
        println!("{what:32}{guest:>8.1} MiB/s{native:>8.1} MiB/s{:>10.2}", guest / native);
    }
    let labels = 128.0 * 1024.0 / within.get("labels").copied().unwrap_or(f64::NAN) * 1e3;
    println!("{:32}{labels:>11.2} ms, 8 bytes a system call", "labels, 128 KiB, by Linux");
    Ok(())
}

/// Compiles the program.
fn build(workspace: &Workspace, compiler: &str, to: &Path) -> Result<()> {
    let mut command = program::foreign(compiler);
    command.args(["-std=gnu11", "-O2", "-static", "-Wall", "-Wextra"]);
    command.arg(workspace.root.join("test/speed/pmem/flush.c")).arg("-o").arg(to);
    let finding = program::run(&mut command, &to.with_extension("log"))?;
    ensure!(finding.problems.is_empty(), finding.problems.join("\n"));
    Ok(())
}

/// A root file system that is the program.
fn initrd(program: &Path) -> Result<PathBuf> {
    let archive = Initramfs::new().dir("/dev", 0o755).device("/dev/console", Device::Char, 5, 1, 0o600);
    let path = program.with_extension("cpio");
    fs::write(&path, archive.dir("/sys", 0o755).file("/init", 0o755, &fs::read(program)?).finish()?)?;
    Ok(path)
}

/// What it prints.
fn rates(command: &mut Command) -> Result<Rates> {
    let output = command.stdin(Stdio::null()).output()?;
    let text = String::from_utf8_lossy(&output.stdout);
    ensure!(output.status.success() && !text.contains("failed "), "{command:?}: {text}");
    let rate = |line: &str| {
        let mut words = line.split_whitespace();
        let (name, bytes, time) =
            (words.next()?, words.next()?.parse::<f64>().ok()?, words.next()?.parse::<f64>().ok()?);
        Some((name.to_owned(), bytes / time * NANOSECONDS))
    };
    Ok(text.lines().filter_map(rate).collect())
}
