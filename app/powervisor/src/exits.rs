//! `powervisor exits`: the same guest run four ways, and what each exit and each rewrite is worth.

use std::collections::BTreeMap;
use std::fs;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use hv_core::Halt;
use image::symbols::Symbols;
use rustix::time::{ClockId, clock_gettime};
use serde_json::{Value, json};
use vmm::Outcome;

use crate::cli::{ExitsFlags, PrivilegedFlag, RunFlags, Switch};
use crate::progress::Progress;
use crate::session::{self, Console};
use crate::symbols;
use profile::{Profile, Tally};

mod html;
mod profile;
mod text;

/// The ways, the dearest first; the rewrites of a guest that patches itself show between the first two.
const WAYS: [(&str, PrivilegedFlag, Switch); 4] = [
    ("trap", PrivilegedFlag::Trap, Switch::Off),
    ("trap, pv", PrivilegedFlag::Trap, Switch::On),
    ("inline", PrivilegedFlag::Inline, Switch::Off),
    ("inline, pv", PrivilegedFlag::Inline, Switch::On),
];

/// One way of running, and what it came to.
struct Way {
    name: &'static str,
    seconds: f64,
    /// Processor time of the whole process.
    cpu: f64,
    idle: f64,
    guest: f64,
    host: f64,
    millions: f64,
    events: u64,
    total: u64,
    reasons: BTreeMap<String, Tally>,
    instructions: BTreeMap<String, Tally>,
    calls: BTreeMap<String, Tally>,
    functions: BTreeMap<String, u64>,
    /// After the guest patched itself: exits of rewritable instructions that are by the rules, and surplus ones.
    rewritten: BTreeMap<&'static str, [u64; 2]>,
}

/// A table of counts: what is counted, with a number for each way.
struct Table {
    title: &'static str,
    rows: Vec<(String, [u64; 4])>,
    /// Rows that were left out.
    more: usize,
}

/// Runs a guest four ways and prints the comparison.
pub fn exits(flags: &ExitsFlags) -> Result<u8> {
    if flags.run.privileged.is_some() {
        bail!("--privileged: `powervisor exits` runs both ways by itself");
    }
    let symbols = symbols::of(&flags.run, flags.symbols.as_deref())?;
    let mut ways = Vec::new();
    {
        let progress = Progress::new(flags.run.quiet);
        for (done, (name, privileged, pv)) in (0..).zip(WAYS) {
            progress.stage(&format!("{} of 4: {name}", done + 1), done, 4);
            ways.push(way(flags, &symbols, name, privileged, pv)?);
        }
    }
    if let Some(path) = &flags.html {
        let page = html::page(&title(flags), &ways, &tables(&ways, flags.top));
        fs::write(path, page).with_context(|| format!("--html {}", path.display()))?;
    }
    if flags.json {
        println!("{:#}", json(&ways));
    } else {
        print!("{}", text::report(&title(flags), &ways, &tables(&ways, flags.top)));
    }
    Ok(0)
}

fn title(flags: &ExitsFlags) -> String {
    let guest = match (&flags.run.guest, &flags.run.kernel) {
        (Some(guest), _) => format!("{guest:?}").to_lowercase(),
        (None, Some(kernel)) => kernel.display().to_string(),
        (None, None) => String::new(),
    };
    let machine = format!("{:?}", flags.run.machine).to_lowercase();
    match flags.run.exit_cost {
        0 => format!("{guest} on {machine}"),
        cost => format!("{guest} on {machine}, {cost} ns added to each exit"),
    }
}

fn way(
    flags: &ExitsFlags,
    symbols: &Symbols,
    name: &'static str,
    privileged: PrivilegedFlag,
    pv: Switch,
) -> Result<Way> {
    let run = RunFlags { privileged: Some(privileged), pv, ..flags.run.clone() };
    let mut profile = Profile::default();
    let (start, cpu) = (Instant::now(), processor_time());
    let (report, stop) = session::run(&run, Console::Silent, Some(&mut profile), None)?;
    let (seconds, cpu) = (start.elapsed(), processor_time() - cpu);
    match (&report.outcome, stop) {
        (Outcome::Halted(Halt::PowerOff), _) => {}
        (Outcome::Halted(Halt::Panic(panic)), _) => bail!("{name}: the guest's kernel panicked: {panic}"),
        (_, Some(crate::current::Stop::Timeout)) => {
            bail!("{name}: the guest did not switch itself off before --timeout; give it a task that ends")
        }
        _ => bail!("{name}: stopped before the guest had switched itself off"),
    }
    let total = profile.total();
    Ok(Way {
        name,
        seconds: seconds.as_secs_f64(),
        cpu: cpu.as_secs_f64(),
        idle: report.idle.as_secs_f64(),
        guest: profile.guest.as_secs_f64(),
        host: total.host.as_secs_f64(),
        millions: report.instructions as f64 / 1e6,
        events: profile.events,
        total: total.count,
        reasons: profile.reasons.iter().map(|(name, tally)| ((*name).to_owned(), *tally)).collect(),
        instructions: profile.instructions(),
        calls: profile.calls.iter().map(|(c, tally)| (format!("{}:{}", c.interface, c.name), *tally)).collect(),
        functions: profile.functions(symbols),
        rewritten: profile.rewritten(symbols),
    })
}

/// Processor time that the process has taken.
fn processor_time() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec.try_into().unwrap_or(0), time.tv_nsec.try_into().unwrap_or(0))
}

/// The tables of a report, each with its `top` largest rows.
fn tables(ways: &[Way], top: usize) -> Vec<Table> {
    let tallies = |title, of: fn(&Way) -> &BTreeMap<String, Tally>| {
        table(title, ways, top, |way| of(way).iter().map(|(name, tally)| (name.clone(), tally.count)).collect())
    };
    vec![
        tallies("exits by reason", |way| &way.reasons),
        tallies("privileged instructions", |way| &way.instructions),
        tallies("hypercalls", |way| &way.calls),
        table("guest functions", ways, top, |way| way.functions.clone()),
    ]
}

fn table(title: &'static str, ways: &[Way], top: usize, of: impl Fn(&Way) -> BTreeMap<String, u64>) -> Table {
    let mut rows: BTreeMap<String, [u64; 4]> = BTreeMap::new();
    for (index, way) in ways.iter().enumerate() {
        for (name, count) in of(way) {
            if let Some(slot) = rows.entry(name).or_default().get_mut(index) {
                *slot = count;
            }
        }
    }
    let mut rows: Vec<_> = rows.into_iter().collect();
    rows.sort_by_key(|(_, counts)| std::cmp::Reverse(counts.iter().max().copied()));
    let more = rows.len().saturating_sub(top);
    rows.truncate(top);
    Table { title, rows, more }
}

/// What of `before` is saved when `after` is left, as a percentage; `None` where nothing was there to be saved.
fn saving(before: u64, after: u64) -> Option<f64> {
    // A little more or less is noise: no "-0.0 %".
    (before > 0).then(|| (1000.0 * (1.0 - after as f64 / before as f64)).round() / 10.0 + 0.0)
}

fn json(ways: &[Way]) -> Value {
    let tallies = |map: &BTreeMap<String, Tally>| -> Value {
        let value = |t: &Tally| json!({ "count": t.count, "host_seconds": Duration::as_secs_f64(&t.host) });
        map.iter().map(|(name, tally)| (name.clone(), value(tally))).collect::<serde_json::Map<_, _>>().into()
    };
    let way = |way: &Way| {
        json!({
            "way": way.name,
            "seconds": way.seconds,
            "cpu_seconds": way.cpu,
            "idle_seconds": way.idle,
            "guest_seconds": way.guest,
            "host_seconds": way.host,
            "million_instructions": way.millions,
            "exits": way.total,
            "events": way.events,
            "reasons": tallies(&way.reasons),
            "instructions": tallies(&way.instructions),
            "hypercalls": tallies(&way.calls),
            "functions": way.functions,
            "rewritten": way.rewritten.iter().map(|(row, [due, surplus])| {
                ((*row).to_owned(), json!({ "due": due, "surplus": surplus }))
            }).collect::<serde_json::Map<_, _>>(),
        })
    };
    ways.iter().map(way).collect()
}
