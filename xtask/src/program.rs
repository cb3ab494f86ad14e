//! Running other programs: everything they print goes into a log, and the log is searched for skipped tests.
//!
//! A program under us says that it left something out with a line that begins with `SKIP ` or `skipped: `, or has
//! `: skipped: ` in it; the rest of the line is the reason. `cargo test` counts ignored tests in its own words.

use std::fs::{self, File};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use crate::report::Finding;

/// Lines of a log that are shown when its program failed.
const TAIL: usize = 60;
/// How often a sign of life is given.
const HEARTBEAT: Duration = Duration::from_secs(60);

/// The cargo that runs us.
pub fn cargo() -> Command {
    Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

/// A command without what cargo put into our environment, for programs that call another compiler.
pub fn foreign(program: impl AsRef<std::ffi::OsStr>) -> Command {
    let mut command = Command::new(program);
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if text == "LD_LIBRARY_PATH" || text.starts_with("RUST") || text.starts_with("CARGO") && text != "CARGO_HOME" {
            command.env_remove(&name);
        }
    }
    command
}

/// Whether a program of this name can be started.
pub fn exists(name: &str) -> bool {
    Command::new(name)
        .arg("--version")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok()
}

/// Runs `command` with its output in `log`; a failure is a problem with the end of the log.
pub fn run(command: &mut Command, log: &Path) -> Result<Finding> {
    let name = format!("{command:?}").replace('"', "");
    fs::create_dir_all(log.parent().unwrap_or(log))?;
    let file = File::create(log).with_context(|| log.display().to_string())?;
    command.stdin(Stdio::null()).stdout(file.try_clone()?).stderr(file);
    let start = Instant::now();
    let mut child = command.spawn().with_context(|| name.clone())?;
    let mut next = HEARTBEAT;
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        thread::sleep(Duration::from_millis(50));
        if start.elapsed() >= next {
            eprintln!("        {} s: {}", next.as_secs(), last_line(&text(log)));
            next += HEARTBEAT;
        }
    };
    let text = text(log);
    let mut finding = Finding { skipped: skipped(&text), ..Finding::default() };
    if !status.success() {
        let lines: Vec<_> = text.lines().collect();
        finding.problems.push(format!("{status}: {name}; all of it in {}", log.display()));
        finding.problems.extend(lines.iter().skip(lines.len().saturating_sub(TAIL)).map(|line| (*line).to_owned()));
    }
    Ok(finding)
}

fn text(log: &Path) -> String {
    String::from_utf8_lossy(&fs::read(log).unwrap_or_default()).into_owned()
}

/// The last line that says something.
pub fn last_line(text: &str) -> &str {
    text.lines().rev().map(str::trim).find(|line| !line.is_empty()).unwrap_or("nothing printed yet")
}

/// What a log says was left out.
fn skipped(log: &str) -> Vec<String> {
    let reason = |line: &str| {
        let line = line.trim();
        let begins = ["SKIP ", "skipped: "].into_iter().find_map(|mark| line.strip_prefix(mark));
        let within = || line.contains(": skipped: ").then(|| line.replacen(": skipped: ", ": ", 1));
        begins.map(str::to_owned).or_else(within)
    };
    log.lines().filter_map(reason).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn skips_are_found() {
        let log =
            "ok\nSKIP kernel text: no kernel\n  skipped: cpio cannot be run\npower8 be: skipped: no qemu\nskipped\n";
        assert_eq!(skipped(log), ["kernel text: no kernel", "cpio cannot be run", "power8 be: no qemu"]);
    }

    #[test]
    fn a_failure_is_a_problem() {
        let log = std::env::temp_dir().join(format!("xtask-program-{}.log", std::process::id()));
        let finding = run(Command::new("sh").args(["-c", "echo why >&2; exit 3"]), &log).unwrap();
        fs::remove_file(&log).unwrap();
        assert_eq!(finding.problems.len(), 2);
        assert!(finding.problems[0].starts_with("exit status: 3"));
        assert_eq!(finding.problems[1], "why");
    }
}
