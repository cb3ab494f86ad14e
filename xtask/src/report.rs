//! Steps, what each of them found, and the table at the end.
//!
//! Every step runs whatever the others found. A step fails by having a problem or by an error; what it left out is
//! counted and told with its reason, so that nothing is skipped in silence.

use std::time::{Duration, Instant};

use anyhow::Result;

/// What a step found.
#[derive(Debug, Default)]
pub struct Finding {
    /// Reasons to fail, one a line.
    pub problems: Vec<String>,
    /// What was left out, with the reason.
    pub skipped: Vec<String>,
    /// What is worth reading and no reason to fail.
    pub notes: Vec<String>,
}

impl Finding {
    /// Only a note.
    pub fn note(text: impl Into<String>) -> Finding {
        Finding { notes: vec![text.into()], ..Finding::default() }
    }

    /// Only something left out, with the reason.
    pub fn skip(reason: impl Into<String>) -> Finding {
        Finding { skipped: vec![reason.into()], ..Finding::default() }
    }

    /// Takes over what another step found.
    pub fn merge(&mut self, other: Finding) {
        self.problems.extend(other.problems);
        self.skipped.extend(other.skipped);
        self.notes.extend(other.notes);
    }
}

struct Row {
    step: &'static str,
    passed: bool,
    time: Duration,
    skipped: Vec<String>,
}

/// The steps so far.
#[derive(Default)]
pub struct Report {
    rows: Vec<Row>,
}

impl Report {
    /// Runs a step and prints what it found.
    pub fn step(&mut self, step: &'static str, body: impl FnOnce() -> Result<Finding>) {
        eprintln!("   ...  {step}");
        let start = Instant::now();
        let finding =
            body().unwrap_or_else(|error| Finding { problems: vec![format!("{error:#}")], ..Finding::default() });
        let (passed, time) = (finding.problems.is_empty(), start.elapsed());
        println!("{:>6}  {step} ({:.1} s)", word(passed), time.as_secs_f64());
        for line in finding.problems.iter().chain(&finding.notes) {
            println!("        {line}");
        }
        for reason in &finding.skipped {
            println!("        skipped: {reason}");
        }
        self.rows.push(Row { step, passed, time, skipped: finding.skipped });
    }

    /// Prints the table; returns whether every step passed.
    pub fn finish(&self) -> bool {
        let width = self.rows.iter().map(|row| row.step.len()).max().unwrap_or(0);
        println!("\n{:width$}  result  seconds  skipped", "step");
        for Row { step, passed, time, skipped } in &self.rows {
            println!("{step:width$}  {:<6}  {:>7.1}  {:>7}", word(*passed), time.as_secs_f64(), skipped.len());
        }
        let total: Duration = self.rows.iter().map(|row| row.time).sum();
        let skipped: usize = self.rows.iter().map(|row| row.skipped.len()).sum();
        println!("{:width$}  {:<6}  {:>7.1}  {skipped:>7}", "all", word(self.passed()), total.as_secs_f64());
        for row in &self.rows {
            row.skipped.iter().for_each(|reason| println!("skipped in {}: {reason}", row.step));
        }
        self.passed()
    }

    /// Whether every step passed so far.
    pub fn passed(&self) -> bool {
        self.rows.iter().all(|row| row.passed)
    }
}

fn word(passed: bool) -> &'static str {
    if passed { "ok" } else { "FAILED" }
}
