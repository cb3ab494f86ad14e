//! What an exit costs where privileged instructions are trapped: one instruction over and over, in a guest of nothing else.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};

use super::Bench;
use crate::workspace::Workspace;
use crate::{packages, program};

/// Name, and the instruction with what it needs.
const EXITS: &[(&str, &str)] = &[
    ("no exit", "nop"),
    ("mtspr sprg0", "mtspr 272,%r3"),
    ("hypercall KVM_HC_FEATURES", "lis %r0,0x4b56; ori %r0,%r0,0x4d21; lis %r11,0x2a; ori %r11,%r11,3; sc"),
    ("hypercall that there is none", "li %r3,0x7ffc; sc 1"),
    // Of a page of RAM, into the second group and out of it again: two hypercalls.
    (
        "H_ENTER and H_REMOVE",
        "li %r3,8; li %r4,0; li %r5,8; li %r6,0x1001; li %r7,0x12; sc 1; li %r3,4; li %r4,0; li %r5,8; sc 1",
    ),
    // Of eight bytes, as Linux reads labels.
    ("H_SCM_READ_METADATA", "li %r3,0x3e4; li %r4,9; sldi %r4,%r4,28; li %r5,0; li %r6,8; sc 1"),
];
/// How often a window executes it, as `test/speed/exits.S` says.
const CALLS: f64 = 20000.0;
/// The timebase's.
const NANOSECONDS_PER_TICK: f64 = 1e9 / 512e6;

/// Measures and prints.
pub fn run(workspace: &Workspace, bench: &Bench) -> Result<()> {
    let found = packages::provide(packages::BENCH, &workspace.log("apt"))?;
    found.problems.iter().chain(&found.skipped).for_each(|line| eprintln!("{line}"));
    println!("\nround trips with --privileged trap, POWER9, least of {} runs", bench.runs);
    let image = workspace.root.join("target/xtask/exits.pmem");
    for (name, instruction) in EXITS {
        let guest = workspace.root.join("target/xtask/exits.elf");
        let mut compiler = program::foreign("powerpc64-linux-gnu-gcc");
        compiler.args(["-nostdlib", "-static", "-Wl,-Ttext=0x10000,--build-id=none"]);
        compiler.arg(format!("-DEXIT={instruction}")).arg("-o").arg(&guest);
        compiler.arg(workspace.root.join("test/speed/exits.S"));
        let built = program::run(&mut compiler, &workspace.log("exits"))?;
        ensure!(built.problems.is_empty(), built.problems.join("\n"));
        let times = (0..bench.runs).map(|_| {
            let mut command = Command::new(workspace.root.join("target/release/powervisor"));
            command.args(["run", "--quiet", "--machine", "bare", "--cpu", "power9", "--privileged", "trap"]);
            command.arg("--nvdimm").arg(format!("path={},size=16M", image.display()));
            ticks(command.args(bench.engine()).arg("--kernel").arg(&guest))
        });
        let times: Vec<u64> = times.collect::<Result<_>>()?;
        let least = times.into_iter().min().context("no run")?;
        let each = least as f64 * NANOSECONDS_PER_TICK / CALLS;
        println!("{name:30}{each:>8.1} ns{:>12.0} a second", 1e9 / each);
    }
    Ok(())
}

/// What the guest prints first.
fn ticks(command: &mut Command) -> Result<u64> {
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
    let mut line = String::new();
    let read =
        child.stdout.take().context("no standard output").map(|output| BufReader::new(output).read_line(&mut line));
    _ = child.kill();
    _ = child.wait();
    _ = read?;
    u64::from_str_radix(line.trim(), 16).with_context(|| format!("{line:?} is no time"))
}
