//! What the paravirtual interface saves: the self-test of a guest that patches itself, on each processor family.
//!
//! Exits and processor time with privileged instructions trapped and inline, the interface off and on, and the same
//! when each exit costs what it costs on hardware. Rewritten instructions may exit only where their sections say so.

use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::Bench;
use crate::guests;
use crate::workspace::Workspace;

/// Guest folder, machine flags, console.
const GUESTS: &[(&str, &[&str], &str)] = &[
    ("e500v2", &["--machine", "e500", "--cpu", "e500v2"], "ttyS0"),
    ("mac32", &["--machine", "mac", "--cpu", "7400"], "ttyPZ0"),
    ("pseries-be", &["--machine", "pseries", "--cpu", "power8"], "hvc0"),
];

/// Measures and prints.
pub fn run(workspace: &Workspace, bench: &Bench) -> Result<()> {
    for (name, flags, console) in GUESTS {
        let Some(kernel) = guests::file(name, "vmlinux-pv") else {
            println!(
                "SKIP {name}: no vmlinux-pv in $POWERVISOR_GUESTS nor in the cache; `cargo xtask guests` builds it"
            );
            continue;
        };
        println!("\n{name}: autotest of vmlinux-pv, 256 MiB, median of {}", bench.runs);
        let columns = ["", "exits", "emulated", "cpu s", "cpu s at cost"];
        println!("{:14}{:>12}{:>12}{:>10}{:>16}", columns[0], columns[1], columns[2], columns[3], columns[4]);
        let run = |cost: u64| -> Result<Vec<Value>> {
            (0..bench.runs)
                .map(|_| {
                    let mut command = Command::new(workspace.root.join("target/release/powervisor"));
                    command
                        .args(["exits", "--quiet", "--json", "-m", "256M", "--timeout", "600"])
                        .args(*flags)
                        .args(bench.engine());
                    command.arg("--kernel").arg(&kernel);
                    command.arg("--initrd").arg(kernel.with_file_name("initramfs.cpio.gz"));
                    command.args(["--append", &format!("console={console} panic=-1 autotest")]);
                    command.args(["--exit-cost", &cost.to_string()]);
                    let output = command.output().context("powervisor exits")?;
                    ensure!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
                    Ok(serde_json::from_slice(&output.stdout)?)
                })
                .collect()
        };
        let (free, dear) = (run(0)?, run(bench.exit_cost)?);
        for way in 0..4 {
            let exits = median(&free, way, |way| way["exits"].as_f64());
            let emulated = median(&free, way, |way| way["reasons"]["emulated_inst_exits"]["count"].as_f64());
            let label = free[0][way]["way"].as_str().unwrap_or("");
            let (cpu, cost) = (median(&free, way, busy), median(&dear, way, busy));
            println!("{label:14}{exits:>12.0}{emulated:>12.0}{cpu:>10.2}{cost:>16.2}");
        }
        let (near, far) = (removed(&free), removed(&dear));
        println!("of the cost of trapping, the interface removes {near:.0} %, {far:.0} % at cost (goal 50, aim 80)");
        println!("exits of rewritten instructions after patching ({} ns a dear exit):", bench.exit_cost);
        let rows = free[0][1]["rewritten"].as_object();
        for (row, counts) in rows.into_iter().flatten() {
            println!("  {row:24} by the rules {:>8}, surplus {}", counts["due"], counts["surplus"]);
        }
    }
    Ok(())
}

/// Processor time of a run, in seconds.
fn busy(way: &Value) -> Option<f64> {
    way["cpu_seconds"].as_f64()
}

/// How much of what trapping costs above carrying out inline is gone with the interface, as a percentage.
fn removed(runs: &[Value]) -> f64 {
    let [trap, offered, inline] = [0, 1, 2].map(|way| median(runs, way, busy));
    100.0 * (trap - offered) / (trap - inline)
}

fn median(runs: &[Value], way: usize, value: impl Fn(&Value) -> Option<f64>) -> f64 {
    let mut values: Vec<f64> = runs.iter().map(|run| value(&run[way]).unwrap_or(0.0)).collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_interface_removes_a_part() {
        let way = |seconds| serde_json::json!({ "cpu_seconds": seconds });
        let run = [way(9.0), way(4.0), way(3.0), way(2.0)].into_iter().collect();
        assert!((removed(&[run]) - 100.0 * 5.0 / 6.0).abs() < 1e-9);
    }
}
