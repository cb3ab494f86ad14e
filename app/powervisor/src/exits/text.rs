//! The report for a terminal.

use std::fmt::Write;

use super::{Table, Way, saving};

/// The whole report.
pub fn report(title: &str, ways: &[Way], tables: &[Table]) -> String {
    let mut out = String::new();
    let _ = writeln!(out, "{title}: the same work, four ways\n");
    heading(&mut out, "", ways);
    let _ = writeln!(out);
    type Measure = (&'static str, fn(&Way) -> String);
    let measures: [Measure; 7] = [
        ("exits", |way| way.total.to_string()),
        ("time in the guest, s", |way| format!("{:.2}", way.guest)),
        ("time in the host, s", |way| format!("{:.2}", way.host)),
        ("whole run, s", |way| format!("{:.2}", way.seconds)),
        ("of it idle, s", |way| format!("{:.2}", way.idle)),
        ("processor time, s", |way| format!("{:.2}", way.cpu)),
        ("million instructions", |way| format!("{:.1}", way.millions)),
    ];
    for (name, value) in measures {
        let _ = write!(out, "{name:<32}");
        for way in ways {
            let _ = write!(out, "{:>14}", value(way));
        }
        let _ = writeln!(out);
    }
    for table in tables.iter().filter(|table| !table.rows.is_empty()) {
        let _ = writeln!(out);
        heading(&mut out, table.title, ways);
        let _ = writeln!(out, "{:>14}", "pv saves");
        for (name, counts) in &table.rows {
            let _ = write!(out, "{name:<32}");
            for count in counts {
                let _ = write!(out, "{count:>14}");
            }
            let saved = saving(counts[0], counts[1]).map_or("-".to_owned(), |s| format!("{s:.1} %"));
            let _ = writeln!(out, "{saved:>14}");
        }
        if table.more > 0 {
            let _ = writeln!(out, "and {} more; --top shows them", table.more);
        }
    }
    if let Some(way) = ways.get(1).filter(|way| !way.rewritten.is_empty()) {
        let _ = writeln!(out, "\n{:<32}{:>14}{:>14}", "rewritten, after patching", "by the rules", "surplus");
        for (row, [due, surplus]) in &way.rewritten {
            let _ = writeln!(out, "{row:<32}{due:>14}{surplus:>14}");
        }
    }
    out
}

fn heading(out: &mut String, title: &str, ways: &[Way]) {
    let _ = write!(out, "{title:<32}");
    for way in ways {
        let _ = write!(out, "{:>14}", way.name);
    }
}
