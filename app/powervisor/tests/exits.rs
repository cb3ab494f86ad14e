//! `powervisor exits` and `powervisor trace` on the demonstration guest, and the report in a real browser.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::{env, fs};

use serde_json::Value;

fn powervisor(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_powervisor")).args(arguments).stdin(Stdio::null()).output().unwrap()
}

fn stdout(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn report(name: &str) -> (Value, PathBuf) {
    let page = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let output = powervisor(&["exits", "demo", "--quiet", "--json", "--html", page.to_str().unwrap()]);
    (serde_json::from_str(&stdout(&output)).unwrap(), page)
}

#[test]
fn four_ways_of_the_same_work() {
    let (report, _) = report("four.html");
    let ways = report.as_array().unwrap();
    let names: Vec<_> = ways.iter().map(|way| way["way"].as_str().unwrap()).collect();
    assert_eq!(names, ["trap", "trap, pv", "inline", "inline, pv"]);
    for way in ways {
        let reasons = way["reasons"].as_object().unwrap();
        let sum: u64 = reasons.values().map(|tally| tally["count"].as_u64().unwrap()).sum();
        assert_eq!(way["exits"], sum, "{}", way["way"]);
        let functions: u64 = way["functions"].as_object().unwrap().values().map(|n| n.as_u64().unwrap()).sum();
        assert_eq!(functions, sum);
    }
    // The demonstration measures each register 16000 times through the trap, or the page, if it is offered.
    assert!(ways[0]["instructions"]["mfmsr"]["count"].as_u64() >= Some(16000), "{}", ways[0]["instructions"]);
    for inline in &ways[2..] {
        assert!(inline["instructions"].as_object().unwrap().is_empty(), "{}", inline["instructions"]);
    }
    // What traps is a hypercall in every way, and the same ones.
    assert_eq!(ways[0]["reasons"]["hypercall_exits"]["count"], ways[2]["reasons"]["hypercall_exits"]["count"]);
}

#[test]
fn both_ways_are_run_anyway() {
    let output = powervisor(&["exits", "demo", "--privileged", "trap"]);
    assert_eq!(output.status.code(), Some(125));
    assert!(String::from_utf8_lossy(&output.stderr).contains("--privileged"));
}

#[test]
fn the_trace_is_filtered() {
    let calls = stdout(&powervisor(&["trace", "demo", "--quiet", "--json", "--only", "hypercall", "--name", "*_MODE"]));
    let lines: Vec<Value> = calls.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(!lines.is_empty());
    for line in &lines {
        assert_eq!((&line["exit"], &line["name"]), (&"hypercall".into(), &"H_SET_MODE".into()));
    }
    let text = stdout(&powervisor(&["trace", "demo", "--quiet", "--only", "privileged", "--limit", "7"]));
    assert_eq!(text.lines().count(), 7);
    assert!(text.lines().all(|line| line.contains(" privileged ")), "{text}");
}

/// Measures every bar where the browser has put it, and writes the widths into the page.
const MEASURE: &str = "<script>
const bars = [...document.querySelectorAll('.big .bar')].map(bar => bar.getBoundingClientRect().width);
const wide = document.documentElement.scrollWidth > document.documentElement.clientWidth;
const told = document.createElement('pre');
told.id = 'told';
told.textContent = JSON.stringify({ bars, wide, color: getComputedStyle(document.querySelector('.w0')).backgroundColor });
document.body.append(told);
</script>";

#[test]
fn the_page_is_right_in_a_browser() {
    let chromium = ["chromium", "chromium-browser"]
        .into_iter()
        .find(|name| Command::new(name).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok());
    let Some(chromium) = chromium else {
        let _ = writeln!(std::io::stderr(), "SKIP the_page_is_right_in_a_browser: chromium is not installed");
        return;
    };
    let (report, page) = report("browser.html");
    let html = fs::read_to_string(&page).unwrap();
    assert!(!html.contains("<script") && !html.contains("http"), "the page must need nothing but itself");
    let measured = page.with_extension("measured.html");
    fs::write(&measured, html + MEASURE).unwrap();
    let profile = page.with_extension("profile");
    let output = Command::new(chromium)
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"])
        .args(["--disable-background-networking", "--disable-component-update", "--window-size=1100,1600"])
        .arg(format!("--user-data-dir={}", profile.display()))
        .arg("--dump-dom")
        .arg(format!("file://{}", measured.display()))
        .output()
        .unwrap();
    let dom = String::from_utf8_lossy(&output.stdout);
    let told = dom.split("id=\"told\">").nth(1).and_then(|rest| rest.split("</pre>").next());
    let told: Value = serde_json::from_str(told.unwrap_or_else(|| panic!("the browser drew nothing: {dom}"))).unwrap();
    assert_eq!(told["wide"], false, "the page is wider than its window");
    assert_ne!(told["color"], "rgba(0, 0, 0, 0)", "bars have no colour");
    let bars: Vec<f64> = told["bars"].as_array().unwrap().iter().map(|bar| bar.as_f64().unwrap()).collect();
    // The first four are the numbers of exits.
    let exits: Vec<f64> = report.as_array().unwrap().iter().map(|way| way["exits"].as_f64().unwrap()).collect();
    let (longest, most) =
        (bars[..4].iter().fold(0.0, |a, b| f64::max(a, *b)), exits.iter().fold(0.0, |a, b| f64::max(a, *b)));
    assert!(longest > 300.0, "{bars:?}");
    for (bar, count) in bars.iter().zip(&exits) {
        let wanted = (longest * count / most).max(1.0);
        assert!((bar - wanted).abs() <= 1.5, "a bar of {bar} pixels for {count} of {most} exits, longest {longest}");
    }
}
