//! What the paravirtual interface saves: the self-test of a guest that patches itself, on each processor family.
//!
//! Exits and processor time with privileged instructions trapped and inline, the interface off and on, and the same
//! when each exit costs what it costs on hardware. Rewritten instructions may exit only where their sections say so.

use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use wait4::Wait4;

use super::Bench;
use crate::guests;
use crate::workspace::Workspace;

/// Guest folder, machine flags, console.
const GUESTS: &[(&str, &[&str], &str)] = &[
    ("e500v2", &["--machine", "e500", "--cpu", "e500v2"], "ttyS0"),
    ("mac32", &["--machine", "mac", "--cpu", "7400"], "ttyPZ0"),
    ("pseries-be", &["--machine", "pseries", "--cpu", "power8"], "hvc0"),
];

/// Name, way of executing privileged instructions, interface; in the order of `powervisor exits`.
const WAYS: [(&str, &str, &str); 4] =
    [("trap", "trap", "off"), ("trap, pv", "trap", "on"), ("inline", "inline", "off"), ("inline, pv", "inline", "on")];

/// Measures and prints.
pub fn run(workspace: &Workspace, bench: &Bench) -> Result<()> {
    let program = workspace.root.join("target/release/powervisor");
    for (name, flags, console) in GUESTS {
        let Some(kernel) = guests::file(name, "vmlinux-pv") else {
            println!(
                "SKIP {name}: no vmlinux-pv in $POWERVISOR_GUESTS nor in the cache; `cargo xtask guests` builds it"
            );
            continue;
        };
        let command = |what: &str| {
            let mut command = Command::new(&program);
            command.args([what, "--quiet", "-m", "256M", "--timeout", "600"]).args(*flags).args(bench.engine());
            command.arg("--kernel").arg(&kernel).arg("--initrd").arg(kernel.with_file_name("initramfs.cpio.gz"));
            command.args(["--append", &format!("console={console} panic=-1 autotest")]);
            command
        };
        // Exits are counted in runs of their own: an observer makes them dearer.
        let counted = |cost: u64| -> Result<Value> {
            let output = command("exits").args(["--json", "--exit-cost", &cost.to_string()]).output()?;
            ensure!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
            Ok(serde_json::from_slice(&output.stdout)?)
        };
        let (counts, dear) = (counted(0)?, counted(bench.exit_cost)?);
        let mut seconds = [f64::INFINITY; WAYS.len()];
        for _ in 0..bench.runs {
            for (least, (_, privileged, pv)) in seconds.iter_mut().zip(WAYS) {
                let mut command = command("run");
                command.args(["--privileged", privileged, "--pv", pv]).stdin(Stdio::null());
                let mut child = command.stdout(Stdio::null()).spawn().context("powervisor run")?;
                let ended = child.wait4()?;
                ensure!(ended.status.success(), "{name}: {}", ended.status);
                *least = least.min((ended.rusage.utime + ended.rusage.stime).as_secs_f64());
            }
        }
        println!("\n{name}: autotest of vmlinux-pv, 256 MiB, the least processor time of {} runs", bench.runs);
        let columns = ["", "exits", "emulated", "cpu s", "cpu s at cost"];
        println!("{:14}{:>12}{:>12}{:>10}{:>16}", columns[0], columns[1], columns[2], columns[3], columns[4]);
        let at_cost: [f64; WAYS.len()] = std::array::from_fn(|way| number(&dear[way]["cpu_seconds"]));
        for (way, (label, ..)) in WAYS.iter().enumerate() {
            let exits = number(&counts[way]["exits"]);
            let emulated = number(&counts[way]["reasons"]["emulated_inst_exits"]["count"]);
            println!("{label:14}{exits:>12.0}{emulated:>12.0}{:>10.3}{:>16.2}", seconds[way], at_cost[way]);
        }
        let (near, far) = (removed(&seconds), removed(&at_cost));
        println!("of the cost of trapping, the interface removes {near:.0} %, {far:.0} % at cost (goal 50, aim 80)");
        println!("exits of rewritten instructions after patching ({} ns a dear exit):", bench.exit_cost);
        for (row, counts) in counts[1]["rewritten"].as_object().into_iter().flatten() {
            println!("  {row:24} by the rules {:>8}, surplus {}", counts["due"], counts["surplus"]);
        }
    }
    Ok(())
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or(0.0)
}

/// How much of what trapping costs above carrying out inline is gone with the interface, as a percentage.
fn removed(&[trap, offered, inline, offered_inline]: &[f64; WAYS.len()]) -> f64 {
    100.0 * (1.0 - (offered - offered_inline) / (trap - inline))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_interface_removes_a_part() {
        assert!((removed(&[9.0, 4.0, 3.0, 2.0]) - 100.0 * 4.0 / 6.0).abs() < 1e-9);
    }
}
