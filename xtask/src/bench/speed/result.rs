//! What the runs on one machine come to: kernels, groups, and the numbers to reach.

use anyhow::{Result, ensure};

use super::ratio::{Ratio, digits, least};
use super::sample::{Reading, Sample};

/// Where the program ran.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// A process on the host.
    Native,
    /// A guest of QEMU.
    Qemu,
    /// A guest of PowerVisor.
    PowerVisor,
}

impl Way {
    /// Every way, in the order of runs and columns.
    pub const ALL: [Way; 3] = [Way::Native, Way::Qemu, Way::PowerVisor];

    /// For people.
    pub fn name(self) -> &'static str {
        match self {
            Way::Native => "native",
            Way::Qemu => "QEMU",
            Way::PowerVisor => "PowerVisor",
        }
    }
}

/// One kernel, or the boot.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// Its group.
    pub group: String,
    /// Its name.
    pub name: String,
    /// What an operation is.
    pub unit: String,
    /// Nanoseconds of an operation in each run, by [`Way`]; none where it cannot run.
    pub times: [Vec<f64>; 3],
}

/// The group and name of the boot.
pub const BOOT: &str = "boot";

impl Row {
    fn new(group: &str, name: &str) -> Row {
        Row { group: group.to_owned(), name: name.to_owned(), unit: String::new(), times: Default::default() }
    }

    /// Times of one way.
    pub fn times(&self, way: Way) -> &[f64] {
        let [native, qemu, powervisor] = &self.times;
        match way {
            Way::Native => native,
            Way::Qemu => qemu,
            Way::PowerVisor => powervisor,
        }
    }

    /// How many times longer it takes one way than another.
    pub fn ratio(&self, over: Way, under: Way) -> Option<Ratio> {
        Ratio::of(self.times(over), self.times(under))
    }
}

/// The rows of the samples of each way.
///
/// # Errors
/// A digest that is not what it is elsewhere: something computed wrongly. A run that lacks a kernel.
pub fn rows(samples: &[Vec<Sample>; 3]) -> Result<Vec<Row>> {
    let mut counts = samples.iter().flatten().map(|sample| sample.readings.len());
    let first = counts.next().unwrap_or(0);
    ensure!(counts.all(|count| count == first), "a run has told of other kernels than the first one");
    let mut rows: Vec<Row> = Vec::new();
    let mut digests: Vec<String> = Vec::new();
    for (at, samples) in samples.iter().enumerate() {
        for Reading { group, name, result } in samples.iter().flat_map(|sample| &sample.readings) {
            let place = rows.iter().position(|row| row.name == *name).unwrap_or_else(|| {
                rows.push(Row::new(group, name));
                digests.push(String::new());
                rows.len() - 1
            });
            let (Some(outcome), Some(row), Some(digest)) = (result, rows.get_mut(place), digests.get_mut(place)) else {
                continue;
            };
            ensure!(
                digest.is_empty() || *digest == outcome.digest,
                "{name} computes {} {}, and {digest} elsewhere",
                outcome.digest,
                Way::ALL.get(at).map_or("", |way| way.name()),
            );
            digest.clone_from(&outcome.digest);
            row.unit.clone_from(&outcome.unit);
            if let Some(times) = row.times.get_mut(at) {
                times.push(outcome.time);
            }
        }
    }
    let [_, guests @ ..] = samples;
    let [qemu, powervisor] = guests.each_ref().map(|samples| samples.iter().map(|sample| sample.boot).collect());
    let boot =
        Row { unit: "processor time".into(), times: [Vec::new(), qemu, powervisor], ..Row::new(BOOT, "to /init") };
    rows.push(boot);
    Ok(rows)
}

/// A group of kernels, and what is to be reached in it against QEMU.
pub struct Group {
    /// Its name in the program.
    pub name: &'static str,
    /// For people.
    pub title: &'static str,
    /// How many times faster than QEMU: what must be, and what is aimed at. None for what stands apart.
    pub goal: Option<(f64, f64)>,
}

/// Every group, in the order of tables.
#[rustfmt::skip]
pub const GROUPS: &[Group] = &[
    Group { name: "integer", title: "integer",                            goal: Some((2.5, 3.5)) },
    Group { name: "memory",  title: "memory",                             goal: Some((4.0, 6.0)) },
    Group { name: "scalar",  title: "scalar floating point",              goal: Some((10.0, 20.0)) },
    Group { name: "vector",  title: "vectors",                            goal: Some((15.0, 35.0)) },
    Group { name: "system",  title: "system calls, pipes, faults, fork",  goal: Some((4.0, 8.0)) },
    Group { name: BOOT,      title: "boot to /init, processor time",      goal: Some((2.0, 4.0)) },
    Group { name: "apart",   title: "apart",                              goal: None },
];

/// The geometric mean of a group's ratios.
pub fn mean(rows: &[Row], group: &str, over: Way, under: Way) -> Option<Ratio> {
    let of_group = rows.iter().filter(|row| row.group == group);
    Ratio::mean(&of_group.filter_map(|row| row.ratio(over, under)).collect::<Vec<_>>())
}

/// One of the numbers to reach.
#[derive(Clone, Debug, PartialEq)]
pub struct Verdict {
    /// What is measured.
    pub what: String,
    /// What came out.
    pub ratio: Ratio,
    /// The number to reach.
    pub goal: f64,
    /// What is aimed at.
    pub aim: Option<f64>,
    /// Whether more is better.
    pub more: bool,
}

impl Verdict {
    /// Whether it is reached.
    pub fn reached(&self) -> bool {
        if self.more { self.ratio.best >= self.goal } else { self.ratio.best <= self.goal }
    }
}

/// All that the rows allow to judge.
pub fn verdicts(rows: &[Row]) -> Vec<Verdict> {
    let mut verdicts = Vec::new();
    for group in GROUPS {
        let ratio = mean(rows, group.name, Way::Qemu, Way::PowerVisor);
        if let (Some(ratio), Some((goal, aim))) = (ratio, group.goal) {
            let what = format!("{}, times faster than QEMU", group.title);
            verdicts.push(Verdict { what, ratio, goal, aim: Some(aim), more: true });
        }
    }
    let row = |name: &str| rows.iter().find(|row| row.name == name);
    let time = |name: &str| row(name).map(|row| row.times(Way::PowerVisor)).unwrap_or_default();
    if let Some(ratio) = Ratio::of(time("crc"), time("parallel")) {
        let what = "2 virtual processors over 1, parallel crc".to_owned();
        verdicts.push(Verdict { what, ratio, goal: 1.8, aim: Some(1.95), more: true });
    }
    let native = [
        ("integer", mean(rows, "integer", Way::PowerVisor, Way::Native), 2.2),
        ("chase16k", row("chase16k").and_then(|row| row.ratio(Way::PowerVisor, Way::Native)), 1.5),
        ("chase1m", row("chase1m").and_then(|row| row.ratio(Way::PowerVisor, Way::Native)), 4.0),
    ];
    verdicts.extend(native.into_iter().filter_map(|(name, ratio, goal)| {
        Some(Verdict { what: format!("{name}, times native"), ratio: ratio?, goal, aim: None, more: false })
    }));
    verdicts
}

/// Whether big-endian guests are as fast as little-endian ones with pages of the same size: the kernels that both ran, but
/// for those of the system.
pub fn byte_orders(big: &[Row], little: &[Row]) -> Option<Verdict> {
    let ratios = big.iter().filter(|row| !["system", BOOT].contains(&row.group.as_str())).filter_map(|row| {
        let other = little.iter().find(|other| other.name == row.name)?;
        Ratio::of(row.times(Way::PowerVisor), other.times(Way::PowerVisor))
    });
    let ratio = Ratio::mean(&ratios.collect::<Vec<_>>())?;
    Some(Verdict {
        what: "big-endian over little-endian, both with pages of 4 KiB".to_owned(),
        ratio,
        goal: 1.1,
        aim: None,
        more: false,
    })
}

/// The least time of a row, for people.
pub fn time(row: &Row, way: Way) -> String {
    let Some(nanoseconds) = least(row.times(way)) else { return "n/a".to_owned() };
    let (value, unit) = match nanoseconds {
        _ if nanoseconds < 1e3 => (nanoseconds, "ns"),
        _ if nanoseconds < 1e6 => (nanoseconds / 1e3, "us"),
        _ if nanoseconds < 1e9 => (nanoseconds / 1e6, "ms"),
        _ => (nanoseconds / 1e9, "s"),
    };
    format!("{} {unit}", digits(value))
}

#[cfg(test)]
mod tests {
    use super::super::sample::Outcome;
    use super::*;

    fn sample(name: &str, group: &str, time: f64, digest: &str) -> Sample {
        let outcome = Outcome { time, digest: digest.into(), unit: "byte".into() };
        let reading = Reading { group: group.into(), name: name.into(), result: Some(outcome) };
        Sample { readings: vec![reading], boot: 1e9 }
    }

    #[test]
    fn samples_become_rows() {
        let samples = [1.0, 8.0, 2.0].map(|time| vec![sample("crc", "integer", time, "d")]);
        let rows = rows(&samples).unwrap();
        assert_eq!(rows.iter().map(|row| row.name.as_str()).collect::<Vec<_>>(), ["crc", "to /init"]);
        assert_eq!(rows[0].ratio(Way::Qemu, Way::PowerVisor).unwrap().best, 4.0);
        assert_eq!(time(&rows[0], Way::PowerVisor), "2.00 ns");
        let verdicts = verdicts(&rows);
        let found: Vec<_> = verdicts.iter().map(|verdict| (verdict.what.as_str(), verdict.reached())).collect();
        assert_eq!(
            found,
            [
                ("integer, times faster than QEMU", true),
                ("boot to /init, processor time, times faster than QEMU", false),
                ("integer, times native", true),
            ]
        );
        assert_eq!(byte_orders(&rows, &rows).unwrap().ratio.best, 1.0);
    }

    #[test]
    fn a_wrong_result_is_an_error() {
        let samples = ["a", "a", "b"].map(|digest| vec![sample("crc", "integer", 1.0, digest)]);
        assert!(rows(&samples).unwrap_err().to_string().contains("crc computes b PowerVisor"));
    }
}
