//! The report for a browser: one file, no network, no script.

use std::fmt::Write;

use super::{Table, Way, saving};

const STYLE: &str = "
:root { color-scheme: light dark; --ink: #1c2430; --soft: #66707e; --line: #dde2e8; --paper: #fbfcfd;
  --a: #c0392b; --b: #e08e0b; --c: #2471a3; --d: #1e8449; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6eaef; --soft: #9aa5b1; --line: #313a45; --paper: #14191f; } }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper);
  max-width: 62rem; margin: 2.5rem auto; padding: 0 1.25rem; }
h1 { font-size: 1.5rem; margin: 0; } h2 { font-size: 1.05rem; margin: 2.2rem 0 .6rem; }
p { color: var(--soft); margin: .3rem 0 1.2rem; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th { text-align: right; font-weight: 600; color: var(--soft); padding: .25rem .5rem; }
td { text-align: right; padding: .25rem .5rem; border-top: 1px solid var(--line); white-space: nowrap; }
th:first-child, td:first-child { text-align: left; font-family: ui-monospace, monospace; font-size: .9em; }
td.bars { width: 30%; } .bar { height: 6px; margin: 2px 0; border-radius: 2px; min-width: 1px; }
.w0 { background: var(--a); } .w1 { background: var(--b); } .w2 { background: var(--c); } .w3 { background: var(--d); }
th { white-space: nowrap; } th i { display: inline-block; width: .7rem; height: .7rem; border-radius: 2px;
  margin-right: .3rem; }
h2::first-letter { text-transform: uppercase; }
.big { display: grid; grid-template-columns: 7rem 1fr 7rem; gap: .35rem .8rem; align-items: center; }
.big .bar { height: 22px; margin: 0; border-radius: 3px; } .big b { text-align: right; font-weight: 600; }
footer { color: var(--soft); margin: 3rem 0 1rem; font-size: .85rem; }
";

/// The whole page.
pub fn page(title: &str, ways: &[Way], tables: &[Table]) -> String {
    let mut out = String::new();
    let title = escape(title);
    let _ = write!(
        out,
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\">\
         <title>Exits: {title}</title><style>{STYLE}</style></head><body>\
         <h1>{title}</h1><p>The same work, four ways: privileged instructions trapped or carried out inline, \
         paravirtual interface off or on.</p>"
    );
    bars(&mut out, "Exits", ways, |way| way.total as f64, |value| format!("{value:.0}"));
    bars(&mut out, "Time in the host, answering exits", ways, |way| way.host, |value| format!("{value:.3} s"));
    bars(&mut out, "Time in the guest", ways, |way| way.guest, |value| format!("{value:.3} s"));
    for table in tables.iter().filter(|table| !table.rows.is_empty()) {
        rows(&mut out, table, ways);
    }
    let _ = write!(out, "<footer>PowerVisor {}</footer></body></html>", env!("CARGO_PKG_VERSION"));
    out
}

fn bars(out: &mut String, title: &str, ways: &[Way], value: fn(&Way) -> f64, text: fn(f64) -> String) {
    let most = ways.iter().map(value).fold(f64::MIN_POSITIVE, f64::max);
    let _ = write!(out, "<h2>{title}</h2><div class=\"big\">");
    for (n, way) in ways.iter().enumerate() {
        let width = 100.0 * value(way) / most;
        let _ = write!(
            out,
            "<span>{}</span><div><div class=\"bar w{n}\" style=\"width:{width:.2}%\"></div></div><b>{}</b>",
            escape(way.name),
            text(value(way))
        );
    }
    let _ = write!(out, "</div>");
}

fn rows(out: &mut String, table: &Table, ways: &[Way]) {
    let most = table.rows.iter().flat_map(|(_, counts)| counts).copied().max().unwrap_or(0).max(1) as f64;
    let _ = write!(out, "<h2>{}</h2><table><tr><th></th><th></th>", escape(table.title));
    for (n, way) in ways.iter().enumerate() {
        let _ = write!(out, "<th><i class=\"w{n}\"></i>{}</th>", escape(way.name));
    }
    let _ = write!(out, "<th>pv saves</th></tr>");
    for (name, counts) in &table.rows {
        let _ = write!(out, "<tr><td>{}</td><td class=\"bars\">", escape(name));
        for (n, count) in counts.iter().enumerate() {
            let width = 100.0 * *count as f64 / most;
            if *count > 0 {
                let _ = write!(out, "<div class=\"bar w{n}\" style=\"width:{width:.2}%\"></div>");
            }
        }
        let _ = write!(out, "</td>");
        for count in counts {
            let _ = write!(out, "<td>{count}</td>");
        }
        let saved = saving(counts[0], counts[1]).map_or("&ndash;".to_owned(), |s| format!("{s:.1}&nbsp;%"));
        let _ = write!(out, "<td>{saved}</td></tr>");
    }
    let _ = write!(out, "</table>");
    if table.more > 0 {
        let _ = write!(out, "<p>and {} more</p>", table.more);
    }
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
