//! Runs rows of the instruction table against the reference and prints what disagrees.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Result;
use clap::Parser;
use guest_mem::Order;
use oracle::campaign::{Campaign, Report};
use oracle::{forms, reference};
use ppc_isa::{Cpu, Row};
use regex_lite::Regex;

/// Compare our engines with user-mode QEMU. Fails when they disagree.
#[derive(Parser)]
struct Arguments {
    /// Rows whose name matches this expression as a whole.
    #[arg(long, default_value = ".*")]
    rows: String,
    /// Rows of this file of the table: branch, integer, loadstore, float, vector, vsx.
    #[arg(long)]
    file: Option<String>,
    /// Seed of the random cases.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Cases for each row.
    #[arg(long, default_value_t = 1000)]
    cases: usize,
    /// power8 or power9; both when absent.
    #[arg(long, value_parser = cpu)]
    cpu: Option<Cpu>,
    /// be or le; both when absent.
    #[arg(long, value_parser = endian)]
    endian: Option<Order>,
    /// Folder for the shrunk cases that disagree.
    #[arg(long, default_value = "target/oracle")]
    out: PathBuf,
    /// Name the rows that are left out, too.
    #[arg(long)]
    verbose: bool,
}

#[derive(Default)]
struct Total {
    rows: usize,
    left_out: usize,
    cases: usize,
    wrong: usize,
    skipped: usize,
}

fn cpu(name: &str) -> Result<Cpu, String> {
    Cpu::from_name(name).ok_or_else(|| "neither power8 nor power9".to_string())
}

fn endian(name: &str) -> Result<Order, String> {
    match name {
        "be" => Ok(Order::Big),
        "le" => Ok(Order::Little),
        _ => Err("neither be nor le".to_string()),
    }
}

fn file(row: &Row) -> &'static str {
    use ppc_isa::Op;
    match row.op {
        Op::Branch(_) => "branch",
        Op::Integer(_) => "integer",
        Op::LoadStore(_) => "loadstore",
        Op::Float(_) => "float",
        Op::Vector(_) => "vector",
        Op::Vsx(_) => "vsx",
        Op::Spe(_) => "spe",
        Op::System(_) => "system",
    }
}

fn main() -> Result<ExitCode> {
    let arguments = Arguments::parse();
    let wanted = Regex::new(&format!("^(?:{})$", arguments.rows))?;
    let chosen = |row: &&Row| wanted.is_match(row.name) && arguments.file.as_deref().is_none_or(|f| f == file(row));
    let mut total = Total::default();
    for cpu in Cpu::BOOK3S_64.into_iter().filter(|c| arguments.cpu.is_none_or(|a| a == *c)) {
        for order in [Order::Big, Order::Little].into_iter().filter(|o| arguments.endian.is_none_or(|a| a == *o)) {
            let endian = if order == Order::Big { "be" } else { "le" };
            let here = format!("{} {endian}", cpu.name());
            if let Some(reason) = reference::missing(order) {
                println!("{here}: skipped: {reason}");
                total.skipped += 1;
                continue;
            }
            let mut campaign = Campaign::new(cpu, order, arguments.seed)?;
            for row in ppc_isa::rows().filter(chosen).filter(|r| r.models.contains(cpu)) {
                if let Some(reason) = forms::left_out(row, order) {
                    total.left_out += 1;
                    if arguments.verbose {
                        println!("{here} {}: left out: {reason}", row.name);
                    }
                    continue;
                }
                let report = campaign.row(row, arguments.cases)?;
                total.rows += 1;
                total.cases += report.cases;
                if !agrees(&here, row, &report, &arguments.out)? {
                    total.wrong += 1;
                }
            }
        }
    }
    println!(
        "{} rows compared, {} left out, {} cases, {} rows disagree, {} runs skipped",
        total.rows, total.left_out, total.cases, total.wrong, total.skipped
    );
    Ok(if total.wrong == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Prints what is wrong with a row, and writes its smallest case.
fn agrees(here: &str, row: &Row, report: &Report, out: &Path) -> Result<bool> {
    if report.cases == 0 {
        println!("{here} {}: no valid form found", row.name);
        return Ok(false);
    }
    let Some(finding) = &report.first else { return Ok(true) };
    let path = out.join(format!("{}-{}.txt", row.name, here.replace(' ', "-")));
    let (wrong, cases) = (report.disagreements, report.cases);
    println!("{here} {}: {wrong} of {cases} cases disagree; {}", row.name, path.display());
    if finding.culprit != row.name {
        println!("    because of {}", finding.culprit);
    }
    for difference in finding.differences.iter().take(4) {
        println!("    {} {difference}", finding.engine);
    }
    std::fs::create_dir_all(out)?;
    std::fs::write(path, finding.test.print())?;
    Ok(false)
}
