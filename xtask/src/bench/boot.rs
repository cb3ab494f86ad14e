//! A stock Debian kernel to its shell, on PowerVisor and on QEMU, in turns.
//!
//! Processor time of the whole program, guest instructions a second of it, and the
//! resident memory beside the guest RAM that was touched. The two run one after the other, several times, so that what
//! else the host does falls on both. Printed are medians, with the least and the greatest.

use std::fs::{self, File};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use image::debian;
use image::initramfs;
use wait4::Wait4;

use super::Bench;
use super::peer::{QEMU64, Qemu};
use crate::workspace::Workspace;

/// RAM of the guest in MiB.
const MEMORY: u64 = 1024;
const MIB: f64 = (1 << 20) as f64;
/// How often the touched part of guest RAM is looked at; it only grows.
const SAMPLE: Duration = Duration::from_millis(100);
/// Printed by the guest when it has come to its shell.
const ARRIVED: &str = "powervisor-bench: arrived";

/// One run.
struct Sample {
    /// User and system time in seconds.
    cpu: f64,
    /// Guest instructions, where they are counted.
    instructions: Option<f64>,
    /// The most memory that was resident, in bytes.
    resident: f64,
    /// Of which guest RAM, in bytes.
    guest: f64,
}

/// Measures and prints.
pub fn run(workspace: &Workspace, bench: &Bench) -> Result<()> {
    let qemu = Qemu::find(&workspace.log("apt"))?;
    let folder = workspace.root.join("target/xtask/bench");
    fs::create_dir_all(&folder)?;
    let cache = bench.release.cache_folder().context("neither XDG_CACHE_HOME nor HOME is set")?;
    let debian = debian::obtain(bench.release, &cache, &mut |_| {})?;
    let initrd = folder.join("initrd");
    let busybox = fs::read(&debian.busybox.path)?;
    fs::write(&initrd, initramfs::debian_initramfs(&busybox, Some(&format!("echo {ARRIVED}")))?)?;
    let stats = folder.join("stats.json");

    // Both have the same flags, ours with two dashes.
    let guest = |command: &mut Command, dash: &str| {
        command.arg(format!("{dash}kernel")).arg(&debian.vmlinux.path).arg(format!("{dash}initrd")).arg(&initrd);
        command.args([&format!("{dash}append"), "console=hvc0 quiet", &format!("{dash}cpu"), &bench.cpu]);
        command.arg("-m").arg(format!("{MEMORY}M"));
    };
    let ours = || {
        let mut command = Command::new(workspace.root.join("target/release/powervisor"));
        command.args(["run", "--quiet", "--machine", "pseries", "--stats"]).arg(&stats).args(bench.engine());
        guest(&mut command, "--");
        command
    };
    let theirs = || {
        let mut command = qemu.command(QEMU64);
        command.args([
            "-M",
            "pseries,x-vof=on",
            "-nodefaults",
            "-display",
            "none",
            "-serial",
            "stdio",
            "-monitor",
            "none",
        ]);
        guest(&mut command, "-");
        command
    };

    let (mut us, mut them) = (Vec::new(), Vec::new());
    for run in 1..=bench.runs {
        eprintln!("   ...  run {run} of {}", bench.runs);
        let mut sample = measure(ours(), &folder.join("powervisor.log"))?;
        let counted: serde_json::Value = serde_json::from_slice(&fs::read(&stats)?)?;
        sample.instructions = counted["instructions"].as_f64();
        us.push(sample);
        them.push(measure(theirs(), &folder.join("qemu.log"))?);
    }
    println!("QEMU {}", qemu.version()?);
    println!("Debian {}, {} ({}), {MEMORY} MiB", bench.release.name(), debian.vmlinux.package, bench.cpu);
    print(&us, &them);
    Ok(())
}

/// Runs a guest to its end.
fn measure(mut command: Command, log: &Path) -> Result<Sample> {
    let name = command.get_program().to_string_lossy().into_owned();
    let file = File::create(log)?;
    let mut child =
        command.stdin(Stdio::null()).stdout(file.try_clone()?).stderr(file).spawn().context(name.clone())?;
    let (smaps, over, touched) = (format!("/proc/{}/smaps", child.id()), AtomicBool::new(false), AtomicU64::new(0));
    let ended = thread::scope(|scope| {
        scope.spawn(|| {
            while !over.load(Ordering::Acquire) {
                touched.fetch_max(guest_ram(&fs::read_to_string(&smaps).unwrap_or_default()), Ordering::AcqRel);
                thread::sleep(SAMPLE);
            }
        });
        let ended = child.wait4();
        over.store(true, Ordering::Release);
        ended
    })?;
    let console = String::from_utf8_lossy(&fs::read(log)?).into_owned();
    let arrived = ended.status.success() && console.contains(ARRIVED);
    ensure!(arrived, "{name} did not come to the shell ({}); {}", ended.status, log.display());
    Ok(Sample {
        cpu: (ended.rusage.utime + ended.rusage.stime).as_secs_f64(),
        instructions: None,
        resident: ended.rusage.maxrss as f64,
        guest: touched.into_inner() as f64,
    })
}

/// Resident bytes of the mappings that can be the guest's RAM, being as large.
fn guest_ram(smaps: &str) -> u64 {
    let (mut large, mut total) = (false, 0);
    for line in smaps.lines() {
        let kib = |text: &str| text.trim().trim_end_matches(" kB").parse().unwrap_or(0u64);
        match line.split_once(':') {
            Some(("Size", size)) => large = kib(size) >= MEMORY << 10,
            Some(("Rss", size)) if large => total += kib(size) << 10,
            _ => {}
        }
    }
    total
}

fn print(us: &[Sample], them: &[Sample]) {
    type Value = fn(&Sample) -> Option<f64>;
    #[rustfmt::skip]
    let rows: [(&str, Value); 5] = [
        ("processor seconds",              |s| Some(s.cpu)),
        ("million instructions / second",  |s| Some(s.instructions? / 1e6 / s.cpu)),
        ("resident, MiB",                  |s| Some(s.resident / MIB)),
        ("guest RAM touched, MiB",         |s| Some(s.guest / MIB)),
        ("resident beside it, MiB",        |s| Some((s.resident - s.guest) / MIB)),
    ];
    println!("{:30} {:>26} {:>26} {:>8}", "median (least .. greatest)", "PowerVisor", "QEMU", "ratio");
    for (name, value) in rows {
        let (ours, theirs) = (Spread::of(us, value), Spread::of(them, value));
        let ratio = ours.as_ref().zip(theirs.as_ref()).map(|(a, b)| format!("{:.2}", a.median / b.median));
        let text = |spread: Option<Spread>| spread.map_or("-".to_owned(), |s| s.text());
        println!("{name:30} {:>26} {:>26} {:>8}", text(ours), text(theirs), ratio.as_deref().unwrap_or("-"));
    }
}

struct Spread {
    least: f64,
    median: f64,
    greatest: f64,
}

impl Spread {
    fn of(samples: &[Sample], value: fn(&Sample) -> Option<f64>) -> Option<Spread> {
        let mut values: Vec<_> = samples.iter().filter_map(value).collect();
        values.sort_by(f64::total_cmp);
        Some(Spread { least: *values.first()?, median: *values.get(values.len() / 2)?, greatest: *values.last()? })
    }

    fn text(&self) -> String {
        format!("{:.1} ({:.1} .. {:.1})", self.median, self.least, self.greatest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn guest_ram_is_the_large_mapping() {
        let smaps =
            "7f00-7f10 rw-p 0 0 0\nSize: 1048576 kB\nRss: 2048 kB\n7f20-7f30 rw-p 0 0 0\nSize: 64 kB\nRss: 64 kB\n";
        assert_eq!(guest_ram(smaps), 2 << 20);
    }
}
