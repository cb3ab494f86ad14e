//! Runs rows of the instruction table against the reference and prints what disagrees.

use std::fmt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Result, anyhow};
use clap::{Parser, ValueEnum};
use guest_mem::Order;
use oracle::campaign::{Campaign, Masks, Report};
use oracle::elsewhere::LeftOut;
use oracle::grid::Plan;
use oracle::qemu::Qemu;
use oracle::softfloat::{self, Soft};
use oracle::{forms, reference, testfloat};
use ppc_isa::{Cpu, Row};
use regex_lite::Regex;

/// Compare our engines with user-mode QEMU, or with our model of floating point. Fails when they disagree.
#[derive(Parser)]
struct Arguments {
    /// Rows whose name matches this expression as a whole.
    #[arg(long, default_value = ".*")]
    rows: String,
    /// Rows of this file of the table: branch, integer, loadstore, float, dfp, vector, vsx, spe, system.
    #[arg(long)]
    file: Option<String>,
    /// Seed of the random cases.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Cases for each row.
    #[arg(long, default_value_t = 1000)]
    cases: usize,
    /// Every combination of boundary values, too.
    #[arg(long)]
    boundaries: bool,
    /// Every combination of operands of 8 and 16 bits, too.
    #[arg(long)]
    exhaustive: bool,
    /// CPU model; every one when absent.
    #[arg(long, value_parser = cpu)]
    cpu: Option<Cpu>,
    /// be or le; what the model has when absent.
    #[arg(long, value_parser = endian)]
    endian: Option<Order>,
    /// Folder for the shrunk cases that disagree.
    #[arg(long, default_value = "target/oracle")]
    out: PathBuf,
    /// What to compare with.
    #[arg(long, value_enum, default_value_t = Against::Qemu)]
    against: Against,
    /// Folder of QEMU's programs; when absent the newest that was obtained, else what PATH finds.
    #[arg(long)]
    qemu: Option<PathBuf>,
    /// The generator of Berkeley TestFloat, to compare with that.
    #[arg(long, value_name = "TESTFLOAT_GEN", conflicts_with = "against")]
    testfloat: Option<PathBuf>,
    /// Name the masks that no case needed, too.
    #[arg(long)]
    masks: bool,
    /// Only say which rows are left out, why, and what test they have instead.
    #[arg(long)]
    left_out: bool,
}

impl Arguments {
    fn chooses(&self, row: &Row, wanted: &Regex) -> bool {
        wanted.is_match(row.name) && self.file.as_deref().is_none_or(|f| f == file(row))
    }
}

/// A reference.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Against {
    /// User-mode QEMU.
    Qemu,
    /// The model of floating point in this crate.
    Softfloat,
}

#[derive(Default)]
struct Total {
    rows: usize,
    left_out: usize,
    cases: usize,
    wrong: usize,
    skipped: usize,
    masks: Masks,
}

impl Total {
    fn add(&mut self, other: &Total) {
        self.rows += other.rows;
        self.left_out += other.left_out;
        self.cases += other.cases;
        self.wrong += other.wrong;
        self.skipped += other.skipped;
        for (at, needed) in &other.masks {
            *self.masks.entry(at).or_default() |= needed;
        }
    }

    fn add_row(&mut self, here: &str, row: &Row, report: &Report, out: &Path) -> Result<()> {
        self.rows += 1;
        self.cases += report.cases;
        if !agrees(here, row, report, out)? {
            self.wrong += 1;
        }
        Ok(())
    }
}

impl fmt::Display for Total {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Total { rows, left_out, cases, wrong, skipped, masks: _ } = self;
        write!(f, "{rows} rows compared, {left_out} left out, {cases} cases, {wrong} rows disagree")?;
        if *skipped > 0 { write!(f, ", {skipped} runs skipped") } else { Ok(()) }
    }
}

fn cpu(name: &str) -> Result<Cpu, String> {
    let names = || Cpu::ALL.map(Cpu::name).join(", ");
    Cpu::from_name(name).ok_or_else(|| format!("none of {}", names()))
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
        Op::Dfp(_) => "dfp",
        Op::Vector(_) => "vector",
        Op::Vsx(_) => "vsx",
        Op::Mma(_) => "mma",
        Op::Spe(_) => "spe",
        Op::System(_) => "system",
    }
}

fn main() -> Result<ExitCode> {
    let arguments = Arguments::parse();
    let wanted = Regex::new(&format!("^(?:{})$", arguments.rows))?;
    if let Some(program) = &arguments.testfloat {
        let tally = testfloat::run(program, &|row| wanted.is_match(row))?;
        tally.wrong.iter().for_each(|wrong| println!("{wrong}"));
        let (rows, cases, wrong) = (tally.rows, tally.cases, tally.wrong.len());
        println!("{rows} rows compared, {cases} cases, {wrong} disagree, against Berkeley TestFloat");
        return Ok(if wrong == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE });
    }
    let qemu = Qemu::find(arguments.qemu.as_deref());
    let reference = match arguments.against {
        Against::Qemu => format!("user-mode {qemu}"),
        Against::Softfloat => "our model of floating point".to_string(),
    };
    println!("against {reference}");
    let mut runs = Vec::new();
    for cpu in Cpu::ALL.into_iter().filter(|c| arguments.cpu.is_none_or(|a| a == *c)) {
        let orders = forms::orders(cpu).iter().filter(|o| arguments.endian.is_none_or(|a| a == **o));
        runs.extend(orders.map(|&order| (cpu, order)));
    }
    if arguments.left_out {
        print!("{}", LeftOut::new(qemu.version, &runs, |row| arguments.chooses(row, &wanted)));
        return Ok(ExitCode::SUCCESS);
    }
    let next = AtomicUsize::new(0);
    let worker = || -> Result<Total> {
        let mut total = Total::default();
        while let Some(&(cpu, order)) = runs.get(next.fetch_add(1, Ordering::Relaxed)) {
            let mut one = Total::default();
            run(&qemu, (cpu, order), &arguments, &wanted, &mut one)?;
            if one.skipped == 0 {
                let endian = if order == Order::Big { "be" } else { "le" };
                println!("{} {endian}: {one}", cpu.name());
            }
            total.add(&one);
        }
        Ok(total)
    };
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    let totals = std::thread::scope(|scope| -> Result<Vec<Total>> {
        let threads: Vec<_> = (0..workers).map(|_| scope.spawn(worker)).collect();
        threads.into_iter().map(|thread| thread.join().map_err(|_| anyhow!("a thread panicked"))?).collect()
    })?;
    let mut all = Total::default();
    totals.iter().for_each(|total| all.add(total));
    for (at, _) in all.masks.iter().filter(|(_, needed)| !**needed) {
        println!("no case needs the mask at {}:{}", at.file(), at.line());
    }
    println!("{all}, against {reference}");
    Ok(if all.wrong == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// All rows of one model in one byte order.
fn run(
    qemu: &Qemu,
    (cpu, order): (Cpu, Order),
    arguments: &Arguments,
    wanted: &Regex,
    total: &mut Total,
) -> Result<()> {
    let endian = if order == Order::Big { "be" } else { "le" };
    let here = format!("{} {endian}", cpu.name());
    let rows = ppc_isa::rows().filter(|row| arguments.chooses(row, wanted)).filter(|r| r.models.contains(cpu));
    let plans = [(arguments.boundaries, Plan::Boundaries), (arguments.exhaustive, Plan::Exhaustive)];
    let plans: Vec<Plan> = plans.into_iter().filter(|(wanted, _)| *wanted).map(|(_, plan)| plan).collect();
    if arguments.against == Against::Softfloat {
        let mut soft = Soft::new(cpu, order, arguments.seed)?;
        for row in rows.filter(|row| softfloat::covers(row)) {
            let report = soft.row(row, arguments.cases, &plans);
            if arguments.cases == 0 && report.cases == 0 {
                continue;
            }
            total.add_row(&here, row, &report, &arguments.out)?;
        }
        return Ok(());
    }
    if let Some(reason) = reference::missing(qemu, cpu, order) {
        println!("{here}: skipped: {reason}");
        total.skipped += 1;
        return Ok(());
    }
    let mut campaign = Campaign::new(qemu, cpu, order, arguments.seed)?;
    campaign.masks = arguments.masks.then(Masks::new);
    for row in rows {
        if forms::left_out(row, qemu.version, cpu, order).is_some() {
            total.left_out += 1;
            continue;
        }
        let report = campaign.row(row, arguments.cases, &plans)?;
        if arguments.cases == 0 && report.cases == 0 {
            continue;
        }
        total.add_row(&here, row, &report, &arguments.out)?;
    }
    total.masks = campaign.masks.unwrap_or_default();
    Ok(())
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
    let mut text = format!("{here} {}: {wrong} of {cases} cases disagree; {}", row.name, path.display());
    if finding.culprit != row.name {
        text += &format!("\n    because of {}", finding.culprit);
    }
    for difference in finding.differences.iter().take(4) {
        text += &format!("\n    {} {difference}", finding.engine);
    }
    println!("{text}");
    std::fs::create_dir_all(out)?;
    std::fs::write(path, finding.test.print())?;
    Ok(false)
}
