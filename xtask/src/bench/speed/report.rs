//! What was measured, for people, for programs, and for the page in `docs`.

use std::fs;

use anyhow::{Context, Result};
use serde_json::{Value, json};

use super::machine::Machine;
use super::result::{Row, Verdict};
use super::{host, page, plot, table};
use crate::workspace::Workspace;

/// What is the same for all machines of a run.
pub struct Conditions {
    /// Version of QEMU.
    pub qemu: String,
    /// PowerVisor's engine, if one was chosen.
    pub engine: Option<String>,
    /// Runs of each.
    pub runs: usize,
    /// Virtual processors.
    pub cpus: usize,
    /// The host's load before.
    pub load: f64,
}

/// What was measured on one machine.
pub struct Measured {
    /// The machine.
    pub machine: &'static Machine,
    /// The guests' kernel, for people.
    pub kernel: String,
    /// Kernels, and the boot.
    pub rows: Vec<Row>,
    /// The numbers to reach.
    pub verdicts: Vec<Verdict>,
}

impl Measured {
    fn title(&self, conditions: &Conditions) -> String {
        let Conditions { qemu, engine, runs, cpus, load } = conditions;
        let engine = engine.as_deref().map_or(String::new(), |engine| format!(" with engine {engine}"));
        format!(
            "{}; {}. PowerVisor{engine}; QEMU {qemu}; {runs} runs of each, virtual processors: {cpus}. Host: {}, load {load} before.",
            self.machine.what,
            self.kernel,
            host::name(),
        )
    }

    /// For people.
    pub fn text(&self, conditions: &Conditions) -> String {
        let (title, name) = (self.title(conditions), self.machine.name());
        format!("\n{name}: {title}\n{}", table::text(&self.rows, &self.verdicts))
    }

    /// For programs.
    pub fn json(&self) -> Value {
        let rows = self.rows.iter().map(|row| {
            let [native, qemu, powervisor] = &row.times;
            json!({
                "group": row.group, "name": row.name, "unit": row.unit,
                "nanoseconds": { "native": native, "qemu": qemu, "powervisor": powervisor },
            })
        });
        let verdicts = self.verdicts.iter().map(|verdict| {
            json!({
                "what": verdict.what, "measured": verdict.ratio.best, "runs": verdict.ratio.runs, "goal": verdict.goal,
                "aim": verdict.aim, "more": verdict.more, "reached": verdict.reached(),
            })
        });
        json!({
            "machine": self.machine.name(), "kernel": self.kernel, "kernels": rows.collect::<Vec<_>>(),
            "numbers": verdicts.collect::<Vec<_>>(),
        })
    }

    /// Puts table and plot where people read them.
    pub fn write(&self, workspace: &Workspace, conditions: &Conditions) -> Result<()> {
        let (name, docs) = (self.machine.name(), workspace.root.join("docs"));
        let (file, plot) = (docs.join("performance.md"), format!("performance-{name}.svg"));
        fs::write(docs.join(&plot), plot::svg(&format!("{name}: {}", self.machine.what), &self.rows))?;
        let section = format!(
            "{}\n\n    cargo xtask {}\n\n![Bars of every kernel]({plot})\n\n{}",
            self.title(conditions),
            std::env::args().skip(1).collect::<Vec<_>>().join(" "),
            table::markdown(&self.rows, &self.verdicts),
        );
        let text = fs::read_to_string(&file).unwrap_or_else(|_| page::EMPTY.to_owned());
        fs::write(&file, page::with_section(&text, &name, &section)).with_context(|| file.display().to_string())
    }
}

/// All machines of a run, for programs.
pub fn json(conditions: &Conditions, all: &[Measured]) -> Value {
    let Conditions { qemu, engine, runs, cpus, load } = conditions;
    let machines: Vec<Value> = all.iter().map(Measured::json).collect();
    json!({
        "qemu": qemu, "engine": engine, "runs": runs, "cpus": cpus, "host": host::name(), "load": load,
        "machines": machines,
    })
}
