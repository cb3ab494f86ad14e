//! What a run did, as one line and as JSON.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};
use vmm::Report;

/// One line for people.
pub fn summary(report: &Report, elapsed: Duration) -> String {
    let busy = elapsed.saturating_sub(report.idle);
    let exits = report.counts.count("sum_exits");
    let top: Vec<String> = top(report).into_iter().take(3).map(|(name, n)| format!("{name} {n}")).collect();
    format!(
        "{:.1} s, of it {:.1} s idle; {:.0} million instructions ({:.0} million/s), {exits} exits ({})",
        elapsed.as_secs_f64(),
        report.idle.as_secs_f64(),
        report.instructions as f64 / 1e6,
        report.instructions as f64 / 1e6 / busy.as_secs_f64().max(1e-9),
        top.join(", "),
    )
}

fn top(report: &Report) -> Vec<(&'static str, u64)> {
    let mut reasons: Vec<_> = report.counts.reasons().into_iter().filter(|(k, _)| *k != "sum_exits").collect();
    reasons.sort_by_key(|(_, n)| std::cmp::Reverse(*n));
    reasons
}

/// All counters.
pub fn json(report: &Report, elapsed: Duration) -> Value {
    let named = report.counts.instructions().into_iter().map(|(insn, n)| (insn.name(report.family), n));
    let instructions: BTreeMap<String, u64> = named.collect();
    json!({
        "outcome": format!("{:?}", report.outcome),
        "seconds": elapsed.as_secs_f64(),
        "idle_seconds": report.idle.as_secs_f64(),
        "instructions": report.instructions,
        "exits": report.counts.reasons(),
        "emulated_instructions": instructions,
        "hypercalls": report.counts.hypercalls(),
    })
}
